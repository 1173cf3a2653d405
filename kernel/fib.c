// SPDX-License-Identifier: GPL-2.0
/*
 * fib: path-compressed multibit trie with bitmaps; see fib.h for the contract.
 *
 * A node at level n decides bits 6n..6n+5 of the key (the chunk) and holds the prefixes of
 * length 6n+1..6n+6 whose first 6n bits are its own; a /24 is thus the longest that a node of
 * level 3 holds, and 64 neighbouring ones share a node. The zero-length prefix is the index's
 * own (fib->dflt). Between a node and its parent up to eight levels without a branch are left
 * out: their bits stand in the node and are compared on the way down.
 *
 * A node is one allocation: four words, then a pointer for each child, then the leaves; a
 * bitmap and a count of the bits below tell where an entry stands. Bitmaps and leaves never
 * change once published: a change makes a new node and swaps one pointer. Pointers to children
 * do change in place. What was unlinked is collected in batches and freed by call_rcu().
 */
#ifdef __KERNEL__
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>
#endif
#include "fib.h"

#define STRIDE		6
#define SKIP_MAX	8	/* levels that one node may leave out above itself */
#define LEVELS		22	/* of a 128-bit key */
#define LONG		64	/* leaf positions from here on are prefixes of length 6 in the node */
#define RETIRED_MAX	60

/**
 * struct l3vpn_fib_node - one node
 * @kids: chunk c has a child: bit c
 * @longs: chunk c is a prefix of relative length 6: bit c
 * @shorts: prefixes of relative length r, 1..5: bit 2^r - 2 + (chunk >> (6 - r))
 * @path: level in octet 0, levels left out above in octet 1, their bits above that
 * @kid: children in the order of @kids; leaves follow, @shorts before @longs
 */
struct l3vpn_fib_node {
	u64 kids;
	u64 longs;
	u64 shorts;
	u64 path;
	struct l3vpn_fib_node __rcu *kid[];
};

struct l3vpn_fib_retired {
	struct rcu_head rcu;
	unsigned int count;
	void *entry[RETIRED_MAX];
};

/* Nodes made for one change and not published yet: all are freed when the change fails. */
struct fresh {
	struct l3vpn_fib *fib;
	gfp_t gfp;
	unsigned int count;
	struct l3vpn_fib_node *node[6];
};

#define COVER1(i)	(BIT_ULL((i) >> 4) | BIT_ULL(2 + ((i) >> 3)) | BIT_ULL(6 + ((i) >> 2)) | \
			 BIT_ULL(14 + ((i) >> 1)) | BIT_ULL(30 + (i)))
#define COVER4(i)	COVER1(i), COVER1((i) + 1), COVER1((i) + 2), COVER1((i) + 3)
#define COVER16(i)	COVER4(i), COVER4((i) + 4), COVER4((i) + 8), COVER4((i) + 12)

/* Bits of ->shorts that cover a chunk, by its upper five bits. */
static const u64 l3vpn_fib_cover[32] = { COVER16(0), COVER16(16) };

static __always_inline unsigned int node_level(u64 path)
{
	return path & 0xff;
}

static __always_inline unsigned int node_skip(u64 path)
{
	return (path >> 8) & 0xff;
}

static __always_inline u64 node_bits(u64 path)
{
	return path >> 16;
}

static u64 make_path(unsigned int level, unsigned int skip, u64 bits)
{
	return level | (u64)skip << 8 | bits << 16;
}

static u64 low_bits(unsigned int n)
{
	return n < 64 ? BIT_ULL(n) - 1 : ~0ULL;
}

/* 64 bits of the key from bit @off on, 0..127. */
static __always_inline u64 key_from(struct l3vpn_key key, unsigned int off, bool wide)
{
	if (!wide || !off)
		return key.hi << off;
	if (off < 64)
		return key.hi << off | key.lo >> (64 - off);
	return key.lo << (off - 64);
}

static __always_inline unsigned int key_chunk(struct l3vpn_key key, unsigned int level, bool wide)
{
	return key_from(key, level * STRIDE, wide) >> (64 - STRIDE);
}

/* The bits of @n levels, 1..8, from @level on, right aligned. */
static __always_inline u64 key_levels(struct l3vpn_key key, unsigned int level, unsigned int n,
				      bool wide)
{
	return key_from(key, level * STRIDE, wide) >> (64 - n * STRIDE);
}

static struct l3vpn_key key_mask(struct l3vpn_key key, unsigned int plen)
{
	if (plen < 64) {
		key.hi &= ~(~0ULL >> plen);
		key.lo = 0;
	} else if (plen < 128) {
		key.lo &= ~(~0ULL >> (plen - 64));
	}
	return key;
}

/* @key with the @n low bits of @value at bit @off on; those behind bit 127 are zero. */
static struct l3vpn_key key_put(struct l3vpn_key key, unsigned int off, unsigned int n, u64 value)
{
	unsigned int end = off + n;

	if (!n)
		return key;
	if (end <= 64) {
		key.hi |= value << (64 - end);
	} else if (end > 128) {
		key.lo |= value >> (end - 128);
	} else {
		if (off < 64)
			key.hi |= value >> (end - 64);
		key.lo |= value << (128 - end);
	}
	return key;
}

static __always_inline unsigned int node_nkids(const struct l3vpn_fib_node *node)
{
	return hweight64(node->kids);
}

static unsigned int node_nleaves(const struct l3vpn_fib_node *node)
{
	return hweight64(node->shorts) + hweight64(node->longs);
}

static __always_inline struct l3vpn_leaf *node_leaves(const struct l3vpn_fib_node *node)
{
	return (struct l3vpn_leaf *)&node->kid[node_nkids(node)];
}

static __always_inline unsigned int kid_index(const struct l3vpn_fib_node *node,
					      unsigned int chunk)
{
	return hweight64(node->kids & (BIT_ULL(chunk) - 1));
}

static __always_inline unsigned int leaf_index(const struct l3vpn_fib_node *node,
					       unsigned int pos)
{
	if (pos < LONG)
		return hweight64(node->shorts & (BIT_ULL(pos) - 1));
	return hweight64(node->shorts) + hweight64(node->longs & (BIT_ULL(pos - LONG) - 1));
}

static bool leaf_present(const struct l3vpn_fib_node *node, unsigned int pos)
{
	return pos < LONG ? node->shorts >> pos & 1 : node->longs >> (pos - LONG) & 1;
}

/* Position of the prefix of relative length @rel, 1..6, that covers @chunk. */
static unsigned int leaf_pos(unsigned int chunk, unsigned int rel)
{
	return rel == STRIDE ? LONG + chunk : (1U << rel) - 2 + (chunk >> (STRIDE - rel));
}

static size_t node_size(unsigned int nkids, unsigned int nleaves)
{
	return sizeof(struct l3vpn_fib_node) + nkids * sizeof(struct l3vpn_fib_node *) +
	       nleaves * sizeof(struct l3vpn_leaf);
}

/* Data path */

static __always_inline const struct l3vpn_leaf *fib_lookup(const struct l3vpn_fib *fib,
							   struct l3vpn_key key, bool wide)
{
	const struct l3vpn_fib_node *node = rcu_dereference(fib->root);
	const struct l3vpn_fib_node *best = NULL;
	unsigned int pos = 0;

	while (node) {
		u64 path = node->path;
		unsigned int skip = node_skip(path);
		unsigned int level = node_level(path);
		unsigned int chunk;
		u64 covering;

		if (skip && key_levels(key, level - skip, skip, wide) != node_bits(path))
			break;
		chunk = key_chunk(key, level, wide);
		if (node->longs >> chunk & 1) {
			best = node;
			pos = LONG + chunk;
		} else {
			covering = node->shorts & l3vpn_fib_cover[chunk >> 1];
			if (covering) {
				best = node;
				pos = fls64(covering) - 1;
			}
		}
		if (!(node->kids >> chunk & 1))
			break;
		node = rcu_dereference(node->kid[kid_index(node, chunk)]);
	}
	if (best)
		return &node_leaves(best)[leaf_index(best, pos)];
	return rcu_dereference(fib->dflt);
}

const struct l3vpn_leaf *l3vpn_fib_lookup4(const struct l3vpn_fib *fib, __be32 dst)
{
	return fib_lookup(fib, l3vpn_key4(dst), false);
}

const struct l3vpn_leaf *l3vpn_fib_lookup6(const struct l3vpn_fib *fib, const struct in6_addr *dst)
{
	return fib_lookup(fib, l3vpn_key6(dst), true);
}

struct l3vpn_leaf *l3vpn_fib_find(const struct l3vpn_fib *fib, struct l3vpn_key key, u8 plen)
{
	unsigned int target, pos, chunk;
	struct l3vpn_fib_node *node;

	if (!plen)
		return rcu_dereference_raw(fib->dflt);
	key = key_mask(key, plen);
	target = (plen - 1) / STRIDE;
	for (node = rcu_dereference_raw(fib->root); node;
	     node = rcu_dereference_raw(node->kid[kid_index(node, chunk)])) {
		unsigned int level = node_level(node->path);
		unsigned int skip = node_skip(node->path);

		if (level > target)
			return NULL;
		if (skip && key_levels(key, level - skip, skip, true) != node_bits(node->path))
			return NULL;
		chunk = key_chunk(key, level, true);
		if (level == target) {
			pos = leaf_pos(chunk, plen - level * STRIDE);
			if (!leaf_present(node, pos))
				return NULL;
			return &node_leaves(node)[leaf_index(node, pos)];
		}
		if (!(node->kids >> chunk & 1))
			return NULL;
	}
	return NULL;
}

/* Memory: all of it belongs to writers */

static void retired_free(struct rcu_head *rcu)
{
	struct l3vpn_fib_retired *retired = container_of(rcu, struct l3vpn_fib_retired, rcu);

	while (retired->count)
		kfree(retired->entry[--retired->count]);
	kfree(retired);
}

void l3vpn_fib_flush(struct l3vpn_fib *fib)
{
	struct l3vpn_fib_retired *retired = fib->retired;

	fib->retired = NULL;
	if (retired)
		call_rcu(&retired->rcu, retired_free);
}

/* @entry, a node or a leaf, has just been unlinked. */
static void retire(struct l3vpn_fib *fib, void *entry)
{
	struct l3vpn_fib_retired *retired = fib->retired;

	fib->bytes -= ksize(entry);
	if (!retired) {
		retired = kmalloc(sizeof(*retired), GFP_KERNEL | __GFP_NOWARN);
		if (!retired) {
			synchronize_rcu();
			kfree(entry);
			return;
		}
		retired->count = 0;
		fib->retired = retired;
	}
	retired->entry[retired->count++] = entry;
	if (retired->count == RETIRED_MAX)
		l3vpn_fib_flush(fib);
}

static struct l3vpn_fib_node *node_alloc(struct fresh *fresh, unsigned int nkids,
					 unsigned int nleaves)
{
	struct l3vpn_fib_node *node = kmalloc(node_size(nkids, nleaves), fresh->gfp);

	if (node) {
		fresh->node[fresh->count++] = node;
		fresh->fib->bytes += ksize(node);
	}
	return node;
}

static void fresh_abort(struct fresh *fresh)
{
	while (fresh->count) {
		struct l3vpn_fib_node *node = fresh->node[--fresh->count];

		fresh->fib->bytes -= ksize(node);
		kfree(node);
	}
}

/* Copy @n entries, leaving a gap before entry @at (@delta 1), or entry @at out (-1). */
static void copy_entries(void *to, const void *from, unsigned int n, unsigned int at, int delta,
			 size_t size)
{
	memcpy(to, from, at * size);
	if (delta < 0)
		memcpy((u8 *)to + at * size, (const u8 *)from + (at + 1) * size,
		       (n - at - 1) * size);
	else
		memcpy((u8 *)to + (at + delta) * size, (const u8 *)from + at * size,
		       (n - at) * size);
}

/*
 * A copy of @old with room made (@kid_delta 1) or taken away (-1) for the child of chunk @kid,
 * and the same for the leaf at @leaf. What is new the caller fills in before it publishes.
 */
static struct l3vpn_fib_node *node_edit(struct fresh *fresh, const struct l3vpn_fib_node *old,
					unsigned int kid, int kid_delta,
					unsigned int leaf, int leaf_delta)
{
	unsigned int nkids = node_nkids(old), nleaves = node_nleaves(old);
	struct l3vpn_fib_node *node = node_alloc(fresh, nkids + kid_delta, nleaves + leaf_delta);

	if (!node)
		return NULL;
	node->kids = old->kids;
	node->longs = old->longs;
	node->shorts = old->shorts;
	node->path = old->path;
	if (kid_delta)
		node->kids ^= BIT_ULL(kid);
	if (leaf_delta && leaf < LONG)
		node->shorts ^= BIT_ULL(leaf);
	else if (leaf_delta)
		node->longs ^= BIT_ULL(leaf - LONG);
	copy_entries(node->kid, old->kid, nkids, kid_delta ? kid_index(old, kid) : nkids,
		     kid_delta, sizeof(old->kid[0]));
	copy_entries(node_leaves(node), node_leaves(old), nleaves,
		     leaf_delta ? leaf_index(old, leaf) : nleaves, leaf_delta,
		     sizeof(struct l3vpn_leaf));
	return node;
}

static struct l3vpn_fib_node *node_repath(struct fresh *fresh, const struct l3vpn_fib_node *old,
					  u64 path)
{
	struct l3vpn_fib_node *node = node_edit(fresh, old, 0, 0, 0, 0);

	if (node)
		node->path = path;
	return node;
}

static void node_set_kid(struct l3vpn_fib_node *node, unsigned int chunk,
			 struct l3vpn_fib_node *kid)
{
	RCU_INIT_POINTER(node->kid[kid_index(node, chunk)], kid);
}

/* A node for @leaf with none or one child (@kid, when not NULL, at @chunk). */
static struct l3vpn_fib_node *node_for_leaf(struct fresh *fresh, unsigned int pos,
					    const struct l3vpn_leaf *leaf, unsigned int chunk,
					    struct l3vpn_fib_node *kid)
{
	struct l3vpn_fib_node *node = node_alloc(fresh, kid ? 1 : 0, 1);

	if (!node)
		return NULL;
	node->kids = kid ? BIT_ULL(chunk) : 0;
	node->longs = pos < LONG ? 0 : BIT_ULL(pos - LONG);
	node->shorts = pos < LONG ? BIT_ULL(pos) : 0;
	if (kid)
		node_set_kid(node, chunk, kid);
	node_leaves(node)[0] = *leaf;
	return node;
}

/* A subtree, starting at level @base, with only @leaf at (@key, @plen) in it. */
static struct l3vpn_fib_node *make_subtree(struct fresh *fresh, struct l3vpn_key key,
					   unsigned int plen, const struct l3vpn_leaf *leaf,
					   unsigned int base)
{
	unsigned int level = (plen - 1) / STRIDE;
	struct l3vpn_fib_node *node, *above;
	unsigned int skip;

	node = node_for_leaf(fresh, leaf_pos(key_chunk(key, level, true), plen - level * STRIDE),
			     leaf, 0, NULL);
	while (node) {
		skip = min_t(unsigned int, level - base, SKIP_MAX);
		node->path = make_path(level, skip,
				       skip ? key_levels(key, level - skip, skip, true) : 0);
		if (level - skip == base)
			break;
		level -= skip + 1;
		above = node_alloc(fresh, 1, 0);
		if (above) {
			above->kids = BIT_ULL(key_chunk(key, level, true));
			above->longs = 0;
			above->shorts = 0;
			RCU_INIT_POINTER(above->kid[0], node);
		}
		node = above;
	}
	return node;
}

/* Put @new where @old (NULL: nothing) stands; the change is done. */
static void publish(struct fresh *fresh, struct l3vpn_fib_node __rcu **slot,
		    struct l3vpn_fib_node *new, struct l3vpn_fib_node *old)
{
	rcu_assign_pointer(*slot, new);
	fresh->count = 0;
	if (old)
		retire(fresh->fib, old);
}

/* Writers: insertion */

/* @node's left-out levels differ from @key at level @at: branch there. */
static struct l3vpn_fib_node *split_path(struct fresh *fresh, const struct l3vpn_fib_node *node,
					 unsigned int at, struct l3vpn_key key, unsigned int plen,
					 const struct l3vpn_leaf *leaf)
{
	unsigned int level = node_level(node->path), skip = node_skip(node->path);
	unsigned int base = level - skip, below = level - at - 1;
	u64 bits = node_bits(node->path);
	unsigned int chunk = bits >> (below * STRIDE) & (BIT(STRIDE) - 1);
	unsigned int key_side = key_chunk(key, at, true);
	struct l3vpn_fib_node *branch, *lower, *fresh_side;

	lower = node_repath(fresh, node,
			    make_path(level, below, bits & low_bits(below * STRIDE)));
	fresh_side = make_subtree(fresh, key, plen, leaf, at + 1);
	branch = node_alloc(fresh, 2, 0);
	if (!lower || !fresh_side || !branch)
		return NULL;
	branch->kids = BIT_ULL(chunk) | BIT_ULL(key_side);
	branch->longs = 0;
	branch->shorts = 0;
	branch->path = make_path(at, at - base, bits >> ((below + 1) * STRIDE));
	node_set_kid(branch, chunk, lower);
	node_set_kid(branch, key_side, fresh_side);
	return branch;
}

/* @leaf belongs to a level that @node leaves out: a node of its own above @node. */
static struct l3vpn_fib_node *insert_above(struct fresh *fresh, const struct l3vpn_fib_node *node,
					   struct l3vpn_key key, unsigned int plen,
					   const struct l3vpn_leaf *leaf)
{
	unsigned int level = node_level(node->path), skip = node_skip(node->path);
	unsigned int at = (plen - 1) / STRIDE;
	unsigned int base = level - skip, below = level - at - 1;
	u64 bits = node_bits(node->path);
	unsigned int pos = leaf_pos(key_chunk(key, at, true), plen - at * STRIDE);
	struct l3vpn_fib_node *lower, *upper;

	lower = node_repath(fresh, node,
			    make_path(level, below, bits & low_bits(below * STRIDE)));
	if (!lower)
		return NULL;
	upper = node_for_leaf(fresh, pos, leaf, bits >> (below * STRIDE) & (BIT(STRIDE) - 1), lower);
	if (upper)
		upper->path = make_path(at, at - base, bits >> ((below + 1) * STRIDE));
	return upper;
}

static struct l3vpn_fib_node *insert_here(struct fresh *fresh, const struct l3vpn_fib_node *node,
					  unsigned int pos, const struct l3vpn_leaf *leaf,
					  struct l3vpn_leaf *old, bool *replaced)
{
	struct l3vpn_fib_node *new;

	*replaced = leaf_present(node, pos);
	if (*replaced && old)
		*old = node_leaves(node)[leaf_index(node, pos)];
	new = node_edit(fresh, node, 0, 0, pos, *replaced ? 0 : 1);
	if (new)
		node_leaves(new)[leaf_index(new, pos)] = *leaf;
	return new;
}

static struct l3vpn_fib_node *insert_below(struct fresh *fresh, const struct l3vpn_fib_node *node,
					   unsigned int chunk, struct l3vpn_key key,
					   unsigned int plen, const struct l3vpn_leaf *leaf)
{
	struct l3vpn_fib_node *kid, *new;

	kid = make_subtree(fresh, key, plen, leaf, node_level(node->path) + 1);
	if (!kid)
		return NULL;
	new = node_edit(fresh, node, chunk, 1, 0, 0);
	if (new)
		node_set_kid(new, chunk, kid);
	return new;
}

static int insert_default(struct l3vpn_fib *fib, const struct l3vpn_leaf *leaf,
			  struct l3vpn_leaf *old)
{
	struct l3vpn_leaf *was = rcu_dereference_protected(fib->dflt, true);
	struct l3vpn_leaf *new = kmemdup(leaf, sizeof(*leaf), GFP_KERNEL_ACCOUNT);

	if (!new)
		return -ENOMEM;
	fib->bytes += ksize(new);
	rcu_assign_pointer(fib->dflt, new);
	if (!was) {
		fib->leaves++;
		return 0;
	}
	if (old)
		*old = *was;
	retire(fib, was);
	return 1;
}

/* First level, of those that @node leaves out, at which @key goes elsewhere; its own if none. */
static unsigned int first_difference(const struct l3vpn_fib_node *node, struct l3vpn_key key)
{
	unsigned int level = node_level(node->path), skip = node_skip(node->path);
	u64 diff;

	if (!skip)
		return level;
	diff = node_bits(node->path) ^ key_levels(key, level - skip, skip, true);
	return diff ? level - 1 - (fls64(diff) - 1) / STRIDE : level;
}

int l3vpn_fib_insert(struct l3vpn_fib *fib, struct l3vpn_key key, u8 plen,
		     const struct l3vpn_leaf *leaf, struct l3vpn_leaf *old)
{
	struct fresh fresh = { .fib = fib, .gfp = GFP_KERNEL_ACCOUNT };
	struct l3vpn_fib_node __rcu **slot = &fib->root;
	struct l3vpn_fib_node *node, *new;
	struct l3vpn_leaf mine = *leaf;
	bool replaced = false;
	unsigned int target;

	mine.plen = plen;
	if (!plen)
		return insert_default(fib, &mine, old);
	key = key_mask(key, plen);
	target = (plen - 1) / STRIDE;

	for (;;) {
		unsigned int level, differs, chunk;

		node = rcu_dereference_protected(*slot, true);
		if (!node) {
			new = make_subtree(&fresh, key, plen, &mine, 0);
			break;
		}
		level = node_level(node->path);
		differs = first_difference(node, key);
		if (differs < min(level, target)) {
			new = split_path(&fresh, node, differs, key, plen, &mine);
			break;
		}
		if (target < level) {
			new = insert_above(&fresh, node, key, plen, &mine);
			break;
		}
		chunk = key_chunk(key, level, true);
		if (target == level) {
			new = insert_here(&fresh, node, leaf_pos(chunk, plen - level * STRIDE),
					  &mine, old, &replaced);
			break;
		}
		if (!(node->kids >> chunk & 1)) {
			new = insert_below(&fresh, node, chunk, key, plen, &mine);
			break;
		}
		slot = &node->kid[kid_index(node, chunk)];
	}
	if (!new) {
		fresh_abort(&fresh);
		return -ENOMEM;
	}
	publish(&fresh, slot, new, node);
	if (!replaced)
		fib->leaves++;
	return replaced;
}

/* Writers: removal */

/* @node keeps but one child, @kid at @chunk, and no leaf: one node for both, if it can be. */
static struct l3vpn_fib_node *merge_kid(struct fresh *fresh, const struct l3vpn_fib_node *node,
					unsigned int chunk, const struct l3vpn_fib_node *kid)
{
	unsigned int below = node_skip(kid->path);
	unsigned int skip = node_skip(node->path) + 1 + below;
	u64 bits;

	if (skip > SKIP_MAX)
		return NULL;
	bits = (node_bits(node->path) << STRIDE | chunk) << (below * STRIDE) | node_bits(kid->path);
	return node_repath(fresh, kid, make_path(node_level(kid->path), skip, bits));
}

/*
 * Take a child (@kid_delta -1) or a leaf (@leaf_delta -1) away from @node, which keeps something,
 * and publish the result in @slot.
 */
static void shrink(struct l3vpn_fib *fib, struct l3vpn_fib_node __rcu **slot,
		   struct l3vpn_fib_node *node, unsigned int chunk, int kid_delta,
		   unsigned int pos, int leaf_delta)
{
	struct fresh fresh = { .fib = fib, .gfp = GFP_KERNEL_ACCOUNT | __GFP_NOFAIL };
	u64 kids = kid_delta ? node->kids & ~BIT_ULL(chunk) : node->kids;
	struct l3vpn_fib_node *only, *new;
	unsigned int last;

	if (node_nleaves(node) + leaf_delta == 0 && hweight64(kids) == 1) {
		last = fls64(kids) - 1;
		only = rcu_dereference_protected(node->kid[kid_index(node, last)], true);
		new = merge_kid(&fresh, node, last, only);
		if (new) {
			publish(&fresh, slot, new, node);
			retire(fib, only);
			return;
		}
	}
	publish(&fresh, slot, node_edit(&fresh, node, chunk, kid_delta, pos, leaf_delta), node);
}

static int remove_default(struct l3vpn_fib *fib, struct l3vpn_leaf *old)
{
	struct l3vpn_leaf *was = rcu_dereference_protected(fib->dflt, true);

	if (!was)
		return -ENOENT;
	if (old)
		*old = *was;
	RCU_INIT_POINTER(fib->dflt, NULL);
	fib->leaves--;
	retire(fib, was);
	return 0;
}

int l3vpn_fib_remove(struct l3vpn_fib *fib, struct l3vpn_key key, u8 plen, struct l3vpn_leaf *old)
{
	struct l3vpn_fib_node __rcu **slot[LEVELS], **at = &fib->root;
	struct l3vpn_fib_node *node, *passed[LEVELS];
	unsigned int target, chunk, pos, depth = 0;

	if (!plen)
		return remove_default(fib, old);
	key = key_mask(key, plen);
	target = (plen - 1) / STRIDE;
	for (;;) {
		node = rcu_dereference_protected(*at, true);
		if (!node || node_level(node->path) > target ||
		    first_difference(node, key) != node_level(node->path))
			return -ENOENT;
		slot[depth] = at;
		passed[depth] = node;
		chunk = key_chunk(key, node_level(node->path), true);
		if (node_level(node->path) == target)
			break;
		if (!(node->kids >> chunk & 1))
			return -ENOENT;
		at = &node->kid[kid_index(node, chunk)];
		depth++;
	}
	pos = leaf_pos(chunk, plen - target * STRIDE);
	if (!leaf_present(node, pos))
		return -ENOENT;
	if (old)
		*old = node_leaves(node)[leaf_index(node, pos)];
	fib->leaves--;

	if (node->kids || node_nleaves(node) > 1) {
		shrink(fib, slot[depth], node, 0, 0, pos, -1);
		return 0;
	}
	/* The node is empty, and so may those above it be that lead only here. */
	while (depth) {
		struct l3vpn_fib_node *up = passed[depth - 1];

		if (node_nkids(up) > 1 || node_nleaves(up)) {
			shrink(fib, slot[depth - 1], up,
			       key_chunk(key, node_level(up->path), true), -1, 0, 0);
			break;
		}
		depth--;
	}
	if (!depth)
		RCU_INIT_POINTER(fib->root, NULL);
	for (; depth < LEVELS && passed[depth] != node; depth++)
		retire(fib, passed[depth]);
	retire(fib, node);
	return 0;
}

static void free_nodes(struct l3vpn_fib_node *node)
{
	unsigned int i, nkids = node_nkids(node);

	for (i = 0; i < nkids; i++)	/* at most LEVELS deep */
		free_nodes(rcu_dereference_protected(node->kid[i], true));
	kfree(node);
}

struct release {
	void (*release)(const struct l3vpn_leaf *leaf, void *arg);
	void *arg;
};

static int release_leaf(struct l3vpn_key key, struct l3vpn_leaf *leaf, void *arg)
{
	struct release *release = arg;

	release->release(leaf, release->arg);
	return 0;
}

void l3vpn_fib_destroy(struct l3vpn_fib *fib,
		       void (*release)(const struct l3vpn_leaf *leaf, void *arg), void *arg)
{
	struct l3vpn_fib_node *root = rcu_dereference_protected(fib->root, true);
	struct release how = { .release = release, .arg = arg };
	struct l3vpn_fib_cursor cursor = {};

	if (release)
		l3vpn_fib_walk(fib, &cursor, release_leaf, &how);
	RCU_INIT_POINTER(fib->root, NULL);
	if (root)
		free_nodes(root);
	kfree(rcu_dereference_protected(fib->dflt, true));
	RCU_INIT_POINTER(fib->dflt, NULL);
	l3vpn_fib_flush(fib);
	fib->leaves = 0;
	fib->bytes = 0;
}

/* Walk */

/* One node of the way down: the next thing to look at is (@chunk, @rel), rel 7 being the child. */
struct step {
	const struct l3vpn_fib_node *node;
	struct l3vpn_key key;
	u8 chunk;
	u8 rel;
};

static void step_init(struct step *step, const struct l3vpn_fib_node *node, struct l3vpn_key above)
{
	unsigned int level = node_level(node->path), skip = node_skip(node->path);

	step->node = node;
	step->key = key_put(above, (level - skip) * STRIDE, skip * STRIDE, node_bits(node->path));
	step->chunk = 0;
	step->rel = 1;
}

/*
 * Set @step of the node it stands on to the first thing behind @cursor. Returns true when that
 * is a child which the cursor's prefix lies below: seek there too.
 */
static bool step_seek(struct step *step, const struct l3vpn_fib_cursor *cursor)
{
	unsigned int off = node_level(step->node->path) * STRIDE;
	struct l3vpn_key to = key_mask(cursor->key, off);

	if (step->key.hi != to.hi || step->key.lo != to.lo) {
		if (step->key.hi < to.hi || (step->key.hi == to.hi && step->key.lo < to.lo))
			step->chunk = BIT(STRIDE);	/* wholly before the cursor */
		return false;
	}
	if (cursor->plen <= off)
		return false;
	step->chunk = key_chunk(cursor->key, off / STRIDE, true);
	step->rel = min_t(unsigned int, cursor->plen - off, STRIDE) + 1;
	return cursor->plen > off + STRIDE;
}

/* The leaf at (@step->chunk, @step->rel), if a prefix starts there and is present. */
static struct l3vpn_leaf *step_leaf(const struct step *step)
{
	unsigned int pos;

	if (step->chunk & (BIT(STRIDE - step->rel) - 1))
		return NULL;
	pos = leaf_pos(step->chunk, step->rel);
	if (!leaf_present(step->node, pos))
		return NULL;
	return &node_leaves(step->node)[leaf_index(step->node, pos)];
}

static const struct l3vpn_fib_node *step_kid(const struct step *step)
{
	if (!(step->node->kids >> step->chunk & 1))
		return NULL;
	return rcu_dereference_raw(step->node->kid[kid_index(step->node, step->chunk)]);
}

static int walk_leaf(struct l3vpn_fib_cursor *cursor, struct l3vpn_key key,
		     struct l3vpn_leaf *leaf,
		     int (*fn)(struct l3vpn_key key, struct l3vpn_leaf *leaf, void *arg), void *arg)
{
	u8 plen = leaf->plen;
	int ret = fn(key, leaf, arg);

	if (!ret) {
		cursor->key = key;
		cursor->plen = plen;
		cursor->started = true;
	}
	return ret;
}

int l3vpn_fib_walk(const struct l3vpn_fib *fib, struct l3vpn_fib_cursor *cursor,
		   int (*fn)(struct l3vpn_key key, struct l3vpn_leaf *leaf, void *arg), void *arg)
{
	const struct l3vpn_fib_node *node = rcu_dereference_raw(fib->root);
	struct l3vpn_leaf *leaf = rcu_dereference_raw(fib->dflt);
	struct l3vpn_fib_cursor from = *cursor;
	struct step steps[LEVELS], *step = steps;
	bool seek = from.started && from.plen;
	int ret;

	if (!from.started && leaf) {
		ret = walk_leaf(cursor, (struct l3vpn_key){}, leaf, fn, arg);
		if (ret)
			return ret;
	}
	if (!node)
		return 0;
	step_init(step, node, (struct l3vpn_key){});
	if (seek)
		seek = step_seek(step, &from);
	for (;;) {
		unsigned int off = node_level(step->node->path) * STRIDE;
		struct l3vpn_key key;

		if (step->chunk >= BIT(STRIDE)) {
			if (step == steps)
				return 0;
			step--;
			continue;
		}
		key = key_put(step->key, off, STRIDE, step->chunk);
		if (step->rel <= STRIDE) {
			leaf = step_leaf(step);
			step->rel++;
			ret = leaf ? walk_leaf(cursor, key, leaf, fn, arg) : 0;
			if (ret)
				return ret;
			continue;
		}
		node = step_kid(step);
		step->chunk++;
		step->rel = 1;
		if (node) {
			step_init(++step, node, key);
			if (seek)
				seek = step_seek(step, &from);
		} else {
			seek = false;
		}
	}
}
