/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fib: nodes, and what the files of the index share. Included by fib*.c alone; see fib.h.
 *
 * A node at level n decides bits 6n..6n+5 of the key (the chunk) and holds the prefixes of
 * length 6n+1..6n+6 whose first 6n bits are its own; a /24 is thus the longest that a node of
 * level 3 holds, and 64 neighbouring ones share a node. The zero-length prefix is the index's
 * own (fib->dflt). Between a node and its parent up to eight levels without a branch are left
 * out: their bits stand in the node and are compared on the way down.
 *
 * A node is one allocation: four words, then a pointer for each child, then a word for each leaf;
 * a bitmap and a count of the bits below tell where an entry stands. Bitmaps never change once
 * published: what changes them makes a new node and swaps one pointer. Pointers to children and
 * the words of leaves do change in place.
 *
 * The table (fib_top.c) has an entry for each value of the first 18 bits: the topmost node of what
 * is longer, a copy of the leaf of the longest prefix up to that length (these are in a trie of their
 * own), and, where no child of the node needs to be asked, copies of its bitmaps: of most IPv4 routes
 * the entry then tells where the leaf stands, and the node's first words are not read.
 */
#ifndef _L3VPN_FIB_NODE_H
#define _L3VPN_FIB_NODE_H

#ifdef __KERNEL__
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/prefetch.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#endif
#include "fib.h"

#define STRIDE		6
#define SKIP_MAX	8	/* levels that one node may leave out above itself */
#define LEVELS		22	/* of a 128-bit key */
#define LONG		64	/* leaf positions from here on are prefixes of length 6 in the node */
#define ENTRIES_MAX	190	/* 64 children, 62 short leaves, 64 long ones */

/*
 * The table's nodes start at TOP_LEVEL. From L3VPN_FIB_TOP_GROW leaves on there is a table, which
 * weighs 8 MB; below L3VPN_FIB_TOP_SHRINK there is none. Tests have smaller ones.
 */
#ifndef L3VPN_FIB_TOP_GROW
#define L3VPN_FIB_TOP_LEVEL	3
#define L3VPN_FIB_TOP_GROW	(128 * 1024)
#define L3VPN_FIB_TOP_SHRINK	(48 * 1024)
#endif
#define TOP_LEVEL	L3VPN_FIB_TOP_LEVEL
#define TOP_BITS	(TOP_LEVEL * STRIDE)
#define TOP_SLOTS	(1U << TOP_BITS)

/**
 * struct l3vpn_fib_node - one node
 * @kids: chunk c has a child: bit c
 * @longs: chunk c is a prefix of relative length 6: bit c
 * @shorts: prefixes of relative length r, 1..5: bit 2^r - 2 + (chunk >> (6 - r))
 * @path: level in octet 0, levels left out above in octet 1, their bits above that
 * @kid: children in the order of @kids, none of them NULL; leaves follow, @shorts before @longs
 */
struct l3vpn_fib_node {
	u64 kids;
	u64 longs;
	u64 shorts;
	u64 path;
	struct l3vpn_fib_node __rcu *kid[];
};

/**
 * struct l3vpn_fib_slot - an entry of the table
 * @node: topmost node of what is longer, or NULL
 * @leaf: of the longest prefix of up to TOP_BITS; none: there is none
 * @longs: of @node
 * @shorts: of @node, and SLOT_TELLS where it starts the level TOP_LEVEL and has no child
 *
 * Four words are not read at once: slot_tells() says what is needed besides.
 */
struct l3vpn_fib_slot {
	struct l3vpn_fib_node __rcu *node;
	struct l3vpn_leaf leaf;
	u64 longs;
	u64 shorts;
};

#define SLOT_TELLS	BIT_ULL(63)	/* 62 positions of ->shorts are in use */

/**
 * struct l3vpn_fib_top - the table
 * @slot: see above
 * @shorts: trie of the prefixes of length 1..TOP_BITS; writers only
 * @rcu: frees
 */
struct l3vpn_fib_top {
	struct l3vpn_fib_slot slot[TOP_SLOTS];
	struct l3vpn_fib_node __rcu *shorts;
	struct rcu_head rcu;
};

#define TOP_MARK	1UL	/* in fib->root: it is a table */

static __always_inline struct l3vpn_fib_top *root_top(void *root)
{
	return (unsigned long)root & TOP_MARK ? (void *)((unsigned long)root & ~TOP_MARK) : NULL;
}

static inline struct l3vpn_fib_top *fib_top(const struct l3vpn_fib *fib)
{
	return root_top(rcu_dereference_raw(fib->root));
}

static __always_inline unsigned int count_bits(u64 word)
{
#ifdef __POPCNT__
	return __builtin_popcountll(word);
#else
	return hweight64(word);
#endif
}

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

static inline u64 make_path(unsigned int level, unsigned int skip, u64 bits)
{
	return level | (u64)skip << 8 | bits << 16;
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

static inline struct l3vpn_key key_mask(struct l3vpn_key key, unsigned int plen)
{
	if (plen < 64) {
		key.hi &= ~(~0ULL >> plen);
		key.lo = 0;
	} else if (plen < 128) {
		key.lo &= ~(~0ULL >> (plen - 64));
	}
	return key;
}

static __always_inline unsigned int key_slot(struct l3vpn_key key)
{
	return key.hi >> (64 - TOP_BITS);
}

static inline struct l3vpn_key slot_key(unsigned int slot)
{
	return (struct l3vpn_key){ .hi = (u64)slot << (64 - TOP_BITS) };
}

static __always_inline unsigned int node_nkids(const struct l3vpn_fib_node *node)
{
	return count_bits(node->kids);
}

static inline unsigned int node_nleaves(const struct l3vpn_fib_node *node)
{
	return count_bits(node->shorts) + count_bits(node->longs);
}

static __always_inline struct l3vpn_leaf *node_leaves(const struct l3vpn_fib_node *node)
{
	return (struct l3vpn_leaf *)&node->kid[node_nkids(node)];
}

static __always_inline unsigned int kid_index(const struct l3vpn_fib_node *node,
					      unsigned int chunk)
{
	return count_bits(node->kids & (BIT_ULL(chunk) - 1));
}

static __always_inline unsigned int leaf_index(const struct l3vpn_fib_node *node,
					       unsigned int pos)
{
	if (pos < LONG)
		return count_bits(node->shorts & (BIT_ULL(pos) - 1));
	return count_bits(node->shorts) + count_bits(node->longs & (BIT_ULL(pos - LONG) - 1));
}

static inline bool leaf_present(const struct l3vpn_fib_node *node, unsigned int pos)
{
	return pos < LONG ? node->shorts >> pos & 1 : node->longs >> (pos - LONG) & 1;
}

extern const u64 l3vpn_fib_cover[32];	/* bits of ->shorts that cover a chunk, by its upper five bits */

/*
 * Does @slot by itself tell of a longest match of @chunk, the bits behind those of the table? Its place is then put
 * in @leaf, which is @slot's own where @node has none. False: ask @node, which was read from @slot and is not NULL.
 *
 * A node's bitmaps never change. While it is exchanged SLOT_TELLS is not set (slot_hide(), slot_show()); as long
 * as the slot still leads to @node afterwards, for which no other can stand at the same place inside the reader's RCU
 * section, what was read between belongs to it.
 */
static __always_inline bool slot_tells(const struct l3vpn_fib_slot *slot, const struct l3vpn_fib_node *node,
				       unsigned int chunk, const struct l3vpn_leaf **leaf)
{
	u64 shorts, longs, covering, is_long;
	unsigned int at;

	smp_rmb();	/* with slot_hide(): what is of the node before @node is not seen any more */
	shorts = smp_load_acquire(&slot->shorts);	/* with slot_show(): before ->longs */
	if (!(shorts & SLOT_TELLS))
		return false;
	longs = READ_ONCE(slot->longs);
	smp_rmb();	/* with slot_hide() and slot_show(): node last */
	if (rcu_access_pointer(slot->node) != node)
		return false;
	shorts &= ~SLOT_TELLS;
	covering = shorts & l3vpn_fib_cover[chunk >> 1];
	/* all its bits, or none: what a branch would have to foretell here, nobody can */
	is_long = -(longs >> chunk & 1);
	at = count_bits(shorts & (is_long | (BIT_ULL(fls64(covering | 1) - 1) - 1)));
	at += count_bits(longs & is_long & (BIT_ULL(chunk) - 1));
	*leaf = is_long | covering ? (const struct l3vpn_leaf *)&node->kid[at] : &slot->leaf;
	return true;
}

/* Position of the prefix of relative length @rel, 1..6, that covers @chunk. */
static inline unsigned int leaf_pos(unsigned int chunk, unsigned int rel)
{
	return rel == STRIDE ? LONG + chunk : (1U << rel) - 2 + (chunk >> (STRIDE - rel));
}

static inline struct l3vpn_leaf leaf_read(const struct l3vpn_leaf *leaf)
{
	return (struct l3vpn_leaf){ READ_ONCE(leaf->word) };
}

/* fib_mem.c: writers. */

/* Nodes made for one change and not published yet: all are freed when the change fails. */
struct fresh {
	struct l3vpn_fib *fib;
	gfp_t gfp;
	unsigned int count;
	struct l3vpn_fib_node *node[6];
};

struct l3vpn_fib_node *node_alloc(struct fresh *fresh, u64 path, unsigned int nkids,
				  unsigned int nleaves);
void node_free(struct l3vpn_fib_node *node);	/* no reader has ever seen it, or none can any more */
void fresh_abort(struct fresh *fresh);
void retire_node(struct l3vpn_fib *fib, struct l3vpn_fib_node *node);	/* just unlinked */
void retire_flush(struct l3vpn_fib *fib);
void retire_tree(struct l3vpn_fib *fib, struct l3vpn_fib_node *node);	/* and all below */
void free_tree(struct l3vpn_fib_node *node);

/* fib.c: a trie by itself; @slot is where its topmost node stands, which starts at level @base. */
int trie_insert(struct l3vpn_fib *fib, struct l3vpn_fib_node __rcu **slot, unsigned int base,
		struct l3vpn_key key, u8 plen, struct l3vpn_leaf leaf, unsigned int flags,
		struct l3vpn_leaf *old);
int trie_remove(struct l3vpn_fib *fib, struct l3vpn_fib_node __rcu **slot, struct l3vpn_key key,
		u8 plen, unsigned int flags, struct l3vpn_leaf *old);
struct l3vpn_leaf trie_find(struct l3vpn_fib_node *node, struct l3vpn_key key, u8 plen);
struct l3vpn_leaf trie_match(struct l3vpn_fib_node *node, struct l3vpn_key key);

/* fib_top.c */

/* @slot's node is about to be exchanged; it has been, or not. NULL: nothing. Writers. */
void slot_hide(struct l3vpn_fib_slot *slot);
void slot_show(struct l3vpn_fib_slot *slot);

/* Prefix (@key, @plen), no longer than TOP_BITS, has changed in ->shorts: copy to the slots. */
void top_push(struct l3vpn_fib_top *top, struct l3vpn_key key, u8 plen);
/* Give the index the form that suits its size, if it has another. */
void top_suit(struct l3vpn_fib *fib);
void top_free(struct l3vpn_fib_top *top);

#endif /* _L3VPN_FIB_NODE_H */
