// SPDX-License-Identifier: GPL-2.0
/*
 * fib: look-up in, insertion into and removal from the path-compressed multibit trie; see fib.h
 * for the contract and fib_node.h for the nodes.
 */
#include "fib_node.h"

#define COVER1(i)	(BIT_ULL((i) >> 4) | BIT_ULL(2 + ((i) >> 3)) | BIT_ULL(6 + ((i) >> 2)) | \
			 BIT_ULL(14 + ((i) >> 1)) | BIT_ULL(30 + (i)))
#define COVER4(i)	COVER1(i), COVER1((i) + 1), COVER1((i) + 2), COVER1((i) + 3)
#define COVER16(i)	COVER4(i), COVER4((i) + 4), COVER4((i) + 8), COVER4((i) + 12)

const u64 l3vpn_fib_cover[32] = { COVER16(0), COVER16(16) };

static u64 low_bits(unsigned int n)
{
	return n < 64 ? BIT_ULL(n) - 1 : ~0ULL;
}

/* Data path */

/* Where the best match so far is: in @node at @pos, or, while that is NULL, at @leaf. */
struct best {
	const struct l3vpn_fib_node *node;
	const struct l3vpn_leaf *leaf;
	unsigned int pos;
};

/* Where a look-up starts: the first node, or NULL where @best is told already. */
static __always_inline const struct l3vpn_fib_node *lookup_start(void *root, struct l3vpn_key key,
								 struct best *best)
{
	const struct l3vpn_fib_top *top = root_top(root);
	const struct l3vpn_fib_node *node;
	const struct l3vpn_fib_slot *slot;

	best->node = NULL;
	best->leaf = NULL;
	best->pos = 0;
	if (!top)
		return root;
	slot = &top->slot[key_slot(key)];
	best->leaf = &slot->leaf;
	node = rcu_dereference(slot->node);
	if (node && slot_tells(slot, node, key_chunk(key, TOP_LEVEL, false), &best->leaf))
		return NULL;
	return node;
}

/* One node down: the next one, or NULL. */
static __always_inline const struct l3vpn_fib_node *
lookup_step(const struct l3vpn_fib_node *node, struct l3vpn_key key, bool wide, struct best *best)
{
	u64 path = node->path, covering;
	unsigned int skip = node_skip(path);
	unsigned int level = node_level(path);
	unsigned int chunk;

	if (skip && key_levels(key, level - skip, skip, wide) != node_bits(path))
		return NULL;
	chunk = key_chunk(key, level, wide);
	if (node->longs >> chunk & 1) {
		best->node = node;
		best->pos = LONG + chunk;
	} else {
		covering = node->shorts & l3vpn_fib_cover[chunk >> 1];
		if (covering) {
			best->node = node;
			best->pos = fls64(covering) - 1;
		}
	}
	if (!(node->kids >> chunk & 1))
		return NULL;
	/* who may be here has been asked at the root */
	return rcu_dereference_raw(node->kid[kid_index(node, chunk)]);
}

static __always_inline const struct l3vpn_leaf *best_leaf(const struct best *best)
{
	return best->node ? &node_leaves(best->node)[leaf_index(best->node, best->pos)] :
			    best->leaf;
}

static __always_inline struct l3vpn_leaf best_read(const struct l3vpn_fib *fib,
						   const struct l3vpn_leaf *leaf)
{
	struct l3vpn_leaf found = {};

	if (leaf)
		found = leaf_read(leaf);
	return l3vpn_leaf_none(found) ? leaf_read(&fib->dflt) : found;
}

static __always_inline const struct l3vpn_leaf *fib_lookup(const struct l3vpn_fib *fib,
							   struct l3vpn_key key, bool wide)
{
	const struct l3vpn_fib_node *node;
	struct best best;

	node = lookup_start(rcu_dereference(fib->root), key, &best);
	while (node)
		node = lookup_step(node, key, wide, &best);
	return best_leaf(&best);
}

struct l3vpn_leaf l3vpn_fib_lookup4(const struct l3vpn_fib *fib, __be32 dst)
{
	return best_read(fib, fib_lookup(fib, l3vpn_key4(dst), false));
}

struct l3vpn_leaf l3vpn_fib_lookup6(const struct l3vpn_fib *fib, const struct in6_addr *dst)
{
	return best_read(fib, fib_lookup(fib, l3vpn_key6(dst), true));
}

struct l3vpn_leaf l3vpn_fib_lookup4_longer(const struct l3vpn_fib *fib, __be32 dst)
{
	const struct l3vpn_leaf *leaf = fib_lookup(fib, l3vpn_key4(dst), false);

	return leaf ? leaf_read(leaf) : (struct l3vpn_leaf){};
}

struct l3vpn_leaf l3vpn_fib_lookup6_longer(const struct l3vpn_fib *fib, const struct in6_addr *dst)
{
	const struct l3vpn_leaf *leaf = fib_lookup(fib, l3vpn_key6(dst), true);

	return leaf ? leaf_read(leaf) : (struct l3vpn_leaf){};
}

/* The first four words of @node are asked for: they may lie in two lines. */
static __always_inline void prefetch_node(const struct l3vpn_fib_node *node)
{
	if (node) {
		prefetch(node);
		prefetch(&node->path);
	}
}

/* 57 bits or more of what is asked from bit @off on, left aligned. */
static __always_inline u64 ask_bits(const struct l3vpn_fib_ask *ask, unsigned int off)
{
	return get_unaligned_be64(ask->dst + off / 8) << (off % 8);
}

#define FEW_LEAVES	4	/* of a usual node: they mostly are in one line */

/* The first node, or NULL where @ask->leaf is told already. */
static __always_inline const struct l3vpn_fib_node *ask_start(struct l3vpn_fib_ask *ask)
{
	void *root = rcu_dereference(ask->fib->root);
	const struct l3vpn_fib_top *top = root_top(root);
	const struct l3vpn_fib_node *node;
	const struct l3vpn_fib_slot *slot;
	u64 bits = ask_bits(ask, 0);

	ask->leaf = NULL;
	if (!top)
		return root;
	slot = &top->slot[bits >> (64 - TOP_BITS)];
	ask->leaf = &slot->leaf;
	node = rcu_dereference(slot->node);
	if (node && slot_tells(slot, node, bits << TOP_BITS >> (64 - STRIDE), &ask->leaf)) {
		prefetch(ask->leaf);
		return NULL;
	}
	return node;
}

void l3vpn_fib_ask_ahead(const struct l3vpn_fib_ask *ask)
{
	const struct l3vpn_fib_top *top = root_top(rcu_dereference(ask->fib->root));
	const struct l3vpn_fib_node *node;
	const struct l3vpn_fib_slot *slot;

	if (!top)
		return;		/* the first node is everybody's */
	slot = &top->slot[ask_bits(ask, 0) >> (64 - TOP_BITS)];
	node = rcu_dereference(slot->node);
	if (READ_ONCE(slot->shorts) & SLOT_TELLS)
		prefetch(&node->kid[FEW_LEAVES / 2]);
	else
		prefetch_node(node);
}

/*
 * What lookup_step() does, without its branches, which with random destinations nobody can foretell: all is computed,
 * then chosen. Returns where the next node stands, which may lie in another line than @node's first words, or NULL.
 */
static __always_inline struct l3vpn_fib_node __rcu *const *ask_step(struct l3vpn_fib_ask *ask,
								    const struct l3vpn_fib_node *node)
{
	u64 path = node->path, kids = node->kids, longs = node->longs, shorts = node->shorts;
	unsigned int level = node_level(path), skip = node_skip(path), chunk, kid, at;
	const struct l3vpn_leaf *leaf = ask->leaf;
	u64 below, covering;
	bool is_long;

	/* two shifts: @skip may be 0 */
	if (ask_bits(ask, (level - skip) * STRIDE) >> 1 >> (63 - skip * STRIDE) != node_bits(path))
		return NULL;
	chunk = ask_bits(ask, level * STRIDE) >> (64 - STRIDE);
	below = BIT_ULL(chunk) - 1;
	covering = shorts & l3vpn_fib_cover[chunk >> 1];
	is_long = longs >> chunk & 1;
	at = count_bits(is_long ? longs & below : shorts & (BIT_ULL(fls64(covering | 1) - 1) - 1));
	at += is_long ? count_bits(shorts) : 0;
	leaf = is_long || covering ? (const struct l3vpn_leaf *)&node->kid[count_bits(kids) + at] : leaf;
	prefetch(leaf);
	ask->leaf = leaf;
	kid = count_bits(kids & below);
	return kids >> chunk & 1 ? &node->kid[kid] : NULL;
}

/* Kernels that clear variables on the stack (INIT_STACK_ALL_ZERO) would clear these for every burst. */
#define L3VPN_FIB_UNSET __attribute__((__uninitialized__))

/*
 * One step for all that are still on their way, then the next: what they wait for overlaps. A step has two halves, for
 * the pointer to a child has to be fetched before the child.
 */
void l3vpn_fib_lookup_bulk(struct l3vpn_fib_ask *ask, unsigned int n)
{
	const struct l3vpn_fib_node *node[L3VPN_FIB_BULK] L3VPN_FIB_UNSET;
	struct l3vpn_fib_node __rcu *const *kid[L3VPN_FIB_BULK] L3VPN_FIB_UNSET;
	u8 way[L3VPN_FIB_BULK] L3VPN_FIB_UNSET;
	unsigned int i, k, left = 0;

	for (i = 0; i < n; i++) {
		if (!ask[i].fib)
			continue;
		node[left] = ask_start(&ask[i]);
		prefetch_node(node[left]);
		way[left] = i;
		left += !!node[left];
	}
	while (left) {
		for (i = k = 0; i < left; i++) {
			kid[k] = ask_step(&ask[way[i]], node[i]);
			prefetch(kid[k]);
			way[k] = way[i];
			k += !!kid[k];
		}
		left = k;
		for (i = 0; i < left; i++) {
			node[i] = rcu_dereference_raw(*kid[i]);
			prefetch_node(node[i]);
		}
	}
}

/* A trie by itself */

struct l3vpn_leaf trie_match(struct l3vpn_fib_node *root, struct l3vpn_key key)
{
	const struct l3vpn_fib_node *node = root;
	struct best best = {};

	while (node)
		node = lookup_step(node, key, true, &best);
	return best.node ? leaf_read(best_leaf(&best)) : (struct l3vpn_leaf){};
}

struct l3vpn_leaf trie_find(struct l3vpn_fib_node *node, struct l3vpn_key key, u8 plen)
{
	unsigned int target = (plen - 1) / STRIDE, pos, chunk;

	key = key_mask(key, plen);
	for (; node; node = rcu_dereference_raw(node->kid[kid_index(node, chunk)])) {
		unsigned int level = node_level(node->path);
		unsigned int skip = node_skip(node->path);

		if (level > target)
			break;
		if (skip && key_levels(key, level - skip, skip, true) != node_bits(node->path))
			break;
		chunk = key_chunk(key, level, true);
		if (level == target) {
			pos = leaf_pos(chunk, plen - level * STRIDE);
			if (!leaf_present(node, pos))
				break;
			return leaf_read(&node_leaves(node)[leaf_index(node, pos)]);
		}
		if (!(node->kids >> chunk & 1))
			break;
	}
	return (struct l3vpn_leaf){};
}

/* Writers: building blocks */

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
static struct l3vpn_fib_node *node_edit_as(struct fresh *fresh, const struct l3vpn_fib_node *old,
					   u64 path, unsigned int kid, int kid_delta,
					   unsigned int leaf, int leaf_delta)
{
	unsigned int nkids = node_nkids(old), nleaves = node_nleaves(old);
	struct l3vpn_fib_node *node = node_alloc(fresh, path, nkids + kid_delta,
						 nleaves + leaf_delta);

	if (!node)
		return NULL;
	node->kids = old->kids;
	node->longs = old->longs;
	node->shorts = old->shorts;
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

static struct l3vpn_fib_node *node_edit(struct fresh *fresh, const struct l3vpn_fib_node *old,
					unsigned int kid, int kid_delta,
					unsigned int leaf, int leaf_delta)
{
	return node_edit_as(fresh, old, old->path, kid, kid_delta, leaf, leaf_delta);
}

static struct l3vpn_fib_node *node_repath(struct fresh *fresh, const struct l3vpn_fib_node *old,
					  u64 path)
{
	return node_edit_as(fresh, old, path, 0, 0, 0, 0);
}

static void node_set_kid(struct l3vpn_fib_node *node, unsigned int chunk,
			 struct l3vpn_fib_node *kid)
{
	RCU_INIT_POINTER(node->kid[kid_index(node, chunk)], kid);
}

/* A node for @leaf with none or one child (@kid, when not NULL, at @chunk). */
static struct l3vpn_fib_node *node_for_leaf(struct fresh *fresh, u64 path, unsigned int pos,
					    struct l3vpn_leaf leaf, unsigned int chunk,
					    struct l3vpn_fib_node *kid)
{
	struct l3vpn_fib_node *node = node_alloc(fresh, path, kid ? 1 : 0, 1);

	if (!node)
		return NULL;
	node->kids = kid ? BIT_ULL(chunk) : 0;
	node->longs = pos < LONG ? 0 : BIT_ULL(pos - LONG);
	node->shorts = pos < LONG ? BIT_ULL(pos) : 0;
	if (kid)
		node_set_kid(node, chunk, kid);
	node_leaves(node)[0] = leaf;
	return node;
}

/* Path of a node at @level that leaves out what it can of the levels from @base on. */
static u64 path_from(struct l3vpn_key key, unsigned int base, unsigned int level)
{
	unsigned int skip = min_t(unsigned int, level - base, SKIP_MAX);

	return make_path(level, skip, skip ? key_levels(key, level - skip, skip, true) : 0);
}

/* A subtree, starting at level @base, with only @leaf at (@key, @plen) in it. */
static struct l3vpn_fib_node *make_subtree(struct fresh *fresh, struct l3vpn_key key,
					   unsigned int plen, struct l3vpn_leaf leaf,
					   unsigned int base)
{
	unsigned int level = (plen - 1) / STRIDE;
	struct l3vpn_fib_node *node, *above;

	node = node_for_leaf(fresh, path_from(key, base, level),
			     leaf_pos(key_chunk(key, level, true), plen - level * STRIDE), leaf,
			     0, NULL);
	while (node && level - node_skip(node->path) != base) {
		level -= node_skip(node->path) + 1;
		above = node_alloc(fresh, path_from(key, base, level), 1, 0);
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
		retire_node(fresh->fib, old);
}

/* Writers: insertion into a trie */

/* @node's left-out levels differ from @key at level @at: branch there. */
static struct l3vpn_fib_node *split_path(struct fresh *fresh, const struct l3vpn_fib_node *node,
					 unsigned int at, struct l3vpn_key key, unsigned int plen,
					 struct l3vpn_leaf leaf)
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
	branch = node_alloc(fresh, make_path(at, at - base, bits >> ((below + 1) * STRIDE)), 2, 0);
	if (!lower || !fresh_side || !branch)
		return NULL;
	branch->kids = BIT_ULL(chunk) | BIT_ULL(key_side);
	branch->longs = 0;
	branch->shorts = 0;
	node_set_kid(branch, chunk, lower);
	node_set_kid(branch, key_side, fresh_side);
	return branch;
}

/* @leaf belongs to a level that @node leaves out: a node of its own above @node. */
static struct l3vpn_fib_node *insert_above(struct fresh *fresh, const struct l3vpn_fib_node *node,
					   struct l3vpn_key key, unsigned int plen,
					   struct l3vpn_leaf leaf)
{
	unsigned int level = node_level(node->path), skip = node_skip(node->path);
	unsigned int at = (plen - 1) / STRIDE;
	unsigned int base = level - skip, below = level - at - 1;
	u64 bits = node_bits(node->path);
	unsigned int pos = leaf_pos(key_chunk(key, at, true), plen - at * STRIDE);
	struct l3vpn_fib_node *lower;

	lower = node_repath(fresh, node,
			    make_path(level, below, bits & low_bits(below * STRIDE)));
	if (!lower)
		return NULL;
	return node_for_leaf(fresh, make_path(at, at - base, bits >> ((below + 1) * STRIDE)), pos,
			     leaf, bits >> (below * STRIDE) & (BIT(STRIDE) - 1), lower);
}

static struct l3vpn_fib_node *insert_below(struct fresh *fresh, const struct l3vpn_fib_node *node,
					   unsigned int chunk, struct l3vpn_key key,
					   unsigned int plen, struct l3vpn_leaf leaf)
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

/* The leaf of @node at @pos is there already. */
static int replace(struct l3vpn_fib_node *node, unsigned int pos, struct l3vpn_leaf leaf,
		   unsigned int flags, struct l3vpn_leaf *old)
{
	struct l3vpn_leaf *there = &node_leaves(node)[leaf_index(node, pos)];

	if (flags & L3VPN_FIB_YIELD && l3vpn_leaf_kernel(*there))
		return -EBUSY;
	*old = *there;
	WRITE_ONCE(there->word, leaf.word);
	return 1;
}

int trie_insert(struct l3vpn_fib *fib, struct l3vpn_fib_node __rcu **slot, unsigned int base,
		struct l3vpn_key key, u8 plen, struct l3vpn_leaf leaf, unsigned int flags,
		struct l3vpn_leaf *old)
{
	struct fresh fresh = { .fib = fib, .gfp = GFP_KERNEL_ACCOUNT };
	unsigned int target = (plen - 1) / STRIDE;
	struct l3vpn_fib_node *node, *new;
	unsigned int chunk = 0, pos = 0;
	enum { ROOT, SPLIT, ABOVE, HERE, BELOW } how;
	unsigned int differs = 0;

	for (;;) {
		unsigned int level;

		node = rcu_dereference_protected(*slot, true);
		how = ROOT;
		if (!node)
			break;
		level = node_level(node->path);
		differs = first_difference(node, key);
		how = SPLIT;
		if (differs < min(level, target))
			break;
		how = ABOVE;
		if (target < level)
			break;
		chunk = key_chunk(key, level, true);
		how = HERE;
		if (target == level) {
			pos = leaf_pos(chunk, plen - level * STRIDE);
			if (leaf_present(node, pos))
				return replace(node, pos, leaf, flags, old);
			break;
		}
		how = BELOW;
		if (!(node->kids >> chunk & 1))
			break;
		slot = &node->kid[kid_index(node, chunk)];
	}
	if (flags & L3VPN_FIB_FULL)
		return -ENOSPC;

	switch (how) {
	case ROOT:
		new = make_subtree(&fresh, key, plen, leaf, base);
		break;
	case SPLIT:
		new = split_path(&fresh, node, differs, key, plen, leaf);
		break;
	case ABOVE:
		new = insert_above(&fresh, node, key, plen, leaf);
		break;
	case HERE:
		new = node_edit(&fresh, node, 0, 0, pos, 1);
		if (new)
			node_leaves(new)[leaf_index(new, pos)] = leaf;
		break;
	default:
		new = insert_below(&fresh, node, chunk, key, plen, leaf);
		break;
	}
	if (!new) {
		fresh_abort(&fresh);
		return -ENOMEM;
	}
	publish(&fresh, slot, new, node);
	return 0;
}

/* Writers: removal from a trie */

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

	if (node_nleaves(node) + leaf_delta == 0 && count_bits(kids) == 1) {
		last = fls64(kids) - 1;
		only = rcu_dereference_protected(node->kid[kid_index(node, last)], true);
		new = merge_kid(&fresh, node, last, only);
		if (new) {
			publish(&fresh, slot, new, node);
			retire_node(fib, only);
			return;
		}
	}
	publish(&fresh, slot, node_edit(&fresh, node, chunk, kid_delta, pos, leaf_delta), node);
}

int trie_remove(struct l3vpn_fib *fib, struct l3vpn_fib_node __rcu **at, struct l3vpn_key key,
		u8 plen, unsigned int flags, struct l3vpn_leaf *old)
{
	struct l3vpn_fib_node __rcu **slot[LEVELS], **first = at;
	struct l3vpn_fib_node *node, *passed[LEVELS];
	unsigned int target = (plen - 1) / STRIDE, chunk, pos, depth = 0;

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
	*old = node_leaves(node)[leaf_index(node, pos)];
	if (flags & L3VPN_FIB_YIELD && l3vpn_leaf_kernel(*old))
		return -EBUSY;

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
		RCU_INIT_POINTER(*first, NULL);
	for (; depth < LEVELS && passed[depth] != node; depth++)
		retire_node(fib, passed[depth]);
	retire_node(fib, node);
	return 0;
}

/* The index: the default, the table, the tries */

/* Where the topmost node for (@key, @plen) stands, in @fib or in its table. */
static struct l3vpn_fib_node __rcu **fib_slot(struct l3vpn_fib *fib, struct l3vpn_fib_top *top,
					      struct l3vpn_key key, u8 plen, unsigned int *base)
{
	*base = 0;
	if (!top)
		return (struct l3vpn_fib_node __rcu **)&fib->root;
	if (plen <= TOP_BITS)
		return &top->shorts;
	*base = TOP_LEVEL;
	return &top->slot[key_slot(key)].node;
}

/* The table's entry for (@key, @plen), if that is below the table. */
static struct l3vpn_fib_slot *fib_entry(struct l3vpn_fib_top *top, struct l3vpn_key key, u8 plen)
{
	return top && plen > TOP_BITS ? &top->slot[key_slot(key)] : NULL;
}

static int insert_default(struct l3vpn_fib *fib, struct l3vpn_leaf leaf, unsigned int flags,
			  struct l3vpn_leaf *old)
{
	*old = fib->dflt;
	if (flags & L3VPN_FIB_YIELD && l3vpn_leaf_kernel(*old))
		return -EBUSY;
	if (l3vpn_leaf_none(*old) && flags & L3VPN_FIB_FULL)
		return -ENOSPC;
	WRITE_ONCE(fib->dflt.word, leaf.word);
	return !l3vpn_leaf_none(*old);
}

int l3vpn_fib_insert(struct l3vpn_fib *fib, struct l3vpn_key key, u8 plen, struct l3vpn_leaf leaf,
		     unsigned int flags, struct l3vpn_leaf *old)
{
	struct l3vpn_fib_top *top = fib_top(fib);
	struct l3vpn_fib_node __rcu **slot;
	struct l3vpn_fib_slot *entry;
	struct l3vpn_leaf was = {};
	unsigned int base;
	int ret;

	if (!plen) {
		ret = insert_default(fib, leaf, flags, &was);
	} else {
		key = key_mask(key, plen);
		slot = fib_slot(fib, top, key, plen, &base);
		entry = fib_entry(top, key, plen);
		slot_hide(entry);
		ret = trie_insert(fib, slot, base, key, plen, leaf, flags, &was);
		slot_show(entry);
		if (ret >= 0 && top && plen <= TOP_BITS)
			top_push(top, key, plen);
	}
	if (!ret)
		fib->leaves++;
	if (ret == 1 && old)
		*old = was;
	return ret;
}

int l3vpn_fib_remove(struct l3vpn_fib *fib, struct l3vpn_key key, u8 plen, unsigned int flags,
		     struct l3vpn_leaf *old)
{
	struct l3vpn_fib_top *top = fib_top(fib);
	struct l3vpn_leaf was = fib->dflt;
	struct l3vpn_fib_slot *entry;
	unsigned int base;
	int ret = 0;

	if (!plen) {
		if (l3vpn_leaf_none(was))
			return -ENOENT;
		if (flags & L3VPN_FIB_YIELD && l3vpn_leaf_kernel(was))
			return -EBUSY;
		WRITE_ONCE(fib->dflt.word, 0);
	} else {
		key = key_mask(key, plen);
		entry = fib_entry(top, key, plen);
		slot_hide(entry);
		ret = trie_remove(fib, fib_slot(fib, top, key, plen, &base), key, plen,
				  flags, &was);
		slot_show(entry);
		if (ret)
			return ret;
		if (top && plen <= TOP_BITS)
			top_push(top, key, plen);
	}
	fib->leaves--;
	if (old)
		*old = was;
	return 0;
}

struct l3vpn_leaf l3vpn_fib_find(const struct l3vpn_fib *fib, struct l3vpn_key key, u8 plen)
{
	void *root = rcu_dereference_raw(fib->root);
	struct l3vpn_fib_top *top = root_top(root);

	if (!plen)
		return leaf_read(&fib->dflt);
	if (!top)
		return trie_find(root, key, plen);
	if (plen <= TOP_BITS)
		return trie_find(rcu_dereference_raw(top->shorts), key, plen);
	return trie_find(rcu_dereference_raw(top->slot[key_slot(key)].node), key, plen);
}

int l3vpn_fib_match(const struct l3vpn_fib *fib, struct l3vpn_key key, u8 most)
{
	int plen;

	for (plen = most; plen >= 0; plen--) {
		if (!l3vpn_leaf_none(l3vpn_fib_find(fib, key, plen)))
			break;
	}
	return plen;
}

void l3vpn_fib_prefetch(const struct l3vpn_fib *fib, struct l3vpn_key key, int stage)
{
	struct l3vpn_fib_top *top = fib_top(fib);
	struct l3vpn_fib_slot *slot;

	if (!top)
		return;
	slot = &top->slot[key_slot(key)];
	if (stage)
		prefetch_node(rcu_dereference_raw(slot->node));
	else
		prefetch(slot);
}

void l3vpn_fib_flush(struct l3vpn_fib *fib)
{
	top_suit(fib);
	retire_flush(fib);
}
