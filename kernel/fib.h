/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fib: the longest-prefix-match index of one VRF and family.
 *
 * A path-compressed multibit trie (six bits a level, bitmaps and popcount), one implementation
 * for IPv4 and IPv6; when it is large, a table over the first 18 bits stands in place of its three
 * upper levels. It stores leaves and knows nothing of VRFs, netlink or next hops: limits, counts,
 * digests and references of next hops are the caller's (route.c).
 *
 * Implemented by: fib.c (look-up, change), fib_top.c (the table), fib_walk.c, fib_mem.c; they share
 * fib_node.h, which nobody else includes.
 *
 * Readers: l3vpn_fib_lookup*() and l3vpn_fib_walk() run under rcu_read_lock() (or the writers'
 * mutex). What they return is a copy in a register; the next hop that it names is valid until
 * rcu_read_unlock().
 *
 * Writers: l3vpn_fib_insert(), _remove(), _flush(), _destroy() are serialised by a mutex of the
 * caller, in process context; they may sleep. A module that uses this file calls l3vpn_fib_init()
 * before, and l3vpn_fib_exit() when all indexes are destroyed, which waits for RCU callbacks.
 */
#ifndef _L3VPN_FIB_H
#define _L3VPN_FIB_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/in6.h>
#include <linux/rcupdate.h>
#include <linux/unaligned.h>
#include <asm/byteorder.h>
#include <asm/page.h>
#else
#include "kernel-shim.h"
#endif

struct l3vpn_nh;
struct l3vpn_fib_retired;

/* A prefix or an address, left aligned: bit 0 is the top bit of hi. IPv4 is the top half of hi. */
struct l3vpn_key {
	u64 hi;
	u64 lo;
};

/**
 * struct l3vpn_leaf - what a prefix leads to, in one word: it is read and replaced at once
 * @word: 0: nothing. Otherwise, from the lowest bit on:
 *	20 bits VPN label, 1 bit "the label is to be pushed", 1 bit "kept by the module itself"
 *	(connected, receive: never swept, counted nor digested), 2 bits the stamp of the writer that
 *	last programmed it (of which it is the low bits), 40 bits next hop
 *
 * The next hop is its offset in the kernel's linear mapping in units of L3VPN_NH_ALIGN, so that a
 * route takes eight octets. The caller holds a reference for the leaf.
 */
struct l3vpn_leaf {
	u64 word;
};

#define L3VPN_LEAF_LABEL	0x000fffffULL
#define L3VPN_LEAF_LABELLED	0x00100000ULL
#define L3VPN_LEAF_KERNEL	0x00200000ULL
#define L3VPN_LEAF_STAMP	0x00c00000ULL
#define L3VPN_LEAF_STAMP_SHIFT	22
#define L3VPN_LEAF_NH_SHIFT	24
#define L3VPN_LEAF_STAMPS	4	/* different ones */
#define L3VPN_NH_ALIGN		64

/* Can a leaf name @nh? The alignment is kmalloc()'s for sizes of powers of two from 64 on. */
static inline bool l3vpn_leaf_can(const struct l3vpn_nh *nh)
{
	unsigned long at = (unsigned long)nh - PAGE_OFFSET;

	return nh && !(at % L3VPN_NH_ALIGN) && at / L3VPN_NH_ALIGN < 1ULL << (64 - L3VPN_LEAF_NH_SHIFT);
}

/* A leaf of user space without a label. @nh has been found fit by l3vpn_leaf_can(). */
static inline struct l3vpn_leaf l3vpn_leaf_make(const struct l3vpn_nh *nh, u32 stamp)
{
	u64 at = (unsigned long)nh - PAGE_OFFSET;

	return (struct l3vpn_leaf){
		(at / L3VPN_NH_ALIGN) << L3VPN_LEAF_NH_SHIFT |
		(u64)(stamp % L3VPN_LEAF_STAMPS) << L3VPN_LEAF_STAMP_SHIFT
	};
}

static __always_inline bool l3vpn_leaf_none(struct l3vpn_leaf leaf)
{
	return !leaf.word;
}

static __always_inline struct l3vpn_nh *l3vpn_leaf_nh(struct l3vpn_leaf leaf)
{
	return (struct l3vpn_nh *)(PAGE_OFFSET +
				   (leaf.word >> L3VPN_LEAF_NH_SHIFT) * L3VPN_NH_ALIGN);
}

static __always_inline bool l3vpn_leaf_labelled(struct l3vpn_leaf leaf)
{
	return leaf.word & L3VPN_LEAF_LABELLED;
}

/* Meaningful when it is labelled. */
static __always_inline u32 l3vpn_leaf_label(struct l3vpn_leaf leaf)
{
	return leaf.word & L3VPN_LEAF_LABEL;
}

static __always_inline bool l3vpn_leaf_kernel(struct l3vpn_leaf leaf)
{
	return leaf.word & L3VPN_LEAF_KERNEL;
}

static inline bool l3vpn_leaf_stamped(struct l3vpn_leaf leaf, u32 stamp)
{
	return (leaf.word & L3VPN_LEAF_STAMP) >> L3VPN_LEAF_STAMP_SHIFT == stamp % L3VPN_LEAF_STAMPS;
}

/* Do both lead to the same place? Their stamps may differ. */
static inline bool l3vpn_leaf_same(struct l3vpn_leaf a, struct l3vpn_leaf b)
{
	return !((a.word ^ b.word) & ~L3VPN_LEAF_STAMP);
}

/**
 * struct l3vpn_fib - one index; all zero is a valid empty one
 * @root: topmost node, or the table (fib_top.c: bit 0 is set), or NULL
 * @dflt: leaf of the zero-length prefix
 * @retired: nodes unlinked, not yet handed to RCU; writers only
 * @leaves: prefixes present, of every origin; written by writers only
 * @starved: as many prefixes were there when there was no memory for another form; writers only
 * @bytes: memory of nodes and table; written by writers only
 */
struct l3vpn_fib {
	void __rcu *root;
	struct l3vpn_leaf dflt;
	struct l3vpn_fib_retired *retired;
	u32 leaves;
	u32 starved;
	u64 bytes;
};

/* Where a walk stands: start with all zero. The walk goes on after (@key, @plen). */
struct l3vpn_fib_cursor {
	struct l3vpn_key key;
	u8 plen;
	bool started;
};

static inline struct l3vpn_key l3vpn_key4(__be32 addr)
{
	return (struct l3vpn_key){ .hi = (u64)be32_to_cpu(addr) << 32 };
}

static inline struct l3vpn_key l3vpn_key6(const void *addr)
{
	return (struct l3vpn_key){
		.hi = get_unaligned_be64(addr),
		.lo = get_unaligned_be64((const u8 *)addr + 8),
	};
}

static inline __be32 l3vpn_key_to4(struct l3vpn_key key)
{
	return cpu_to_be32(key.hi >> 32);
}

static inline void l3vpn_key_to6(struct l3vpn_key key, void *addr)
{
	put_unaligned_be64(key.hi, addr);
	put_unaligned_be64(key.lo, (u8 *)addr + 8);
}

int l3vpn_fib_init(void);
void l3vpn_fib_exit(void);

/* The longest match; l3vpn_leaf_none(): there is none. Under RCU. */
struct l3vpn_leaf l3vpn_fib_lookup4(const struct l3vpn_fib *fib, __be32 dst);
struct l3vpn_leaf l3vpn_fib_lookup6(const struct l3vpn_fib *fib, const struct in6_addr *dst);

/* The same, but the default route matches nothing. */
struct l3vpn_leaf l3vpn_fib_lookup4_longer(const struct l3vpn_fib *fib, __be32 dst);
struct l3vpn_leaf l3vpn_fib_lookup6_longer(const struct l3vpn_fib *fib, const struct in6_addr *dst);

/**
 * struct l3vpn_fib_ask - one of many look-ups, whose waits for memory overlap
 * @fib:	where; NULL: nothing is asked
 * @leaf:	the longest match; NULL: none but the default. Valid until rcu_read_unlock()
 * @dst:	what, in network byte order from its first octet on; what follows it is zero, as far as it is read
 *
 * l3vpn_fib_ask4() or _ask6(), soon after l3vpn_fib_lookup_bulk(), then l3vpn_fib_told().
 */
struct l3vpn_fib_ask {
	const struct l3vpn_fib *fib;
	const struct l3vpn_leaf *leaf;
	u8 dst[24];
};

#define L3VPN_FIB_BULK	32

/* The same as l3vpn_fib_lookup*(), for up to L3VPN_FIB_BULK at once, each in an index of its own. Under RCU. */
void l3vpn_fib_lookup_bulk(struct l3vpn_fib_ask *ask, unsigned int n);

/* The leaf of exactly this prefix. Under RCU or the writers' mutex. */
struct l3vpn_leaf l3vpn_fib_find(const struct l3vpn_fib *fib, struct l3vpn_key key, u8 plen);

/* Length of the longest match of @key, at most @most; negative: no match. Under the mutex; slow. */
int l3vpn_fib_match(const struct l3vpn_fib *fib, struct l3vpn_key key, u8 most);

#define L3VPN_FIB_FULL		1	/* a new prefix has no room: -ENOSPC */
#define L3VPN_FIB_YIELD		2	/* the module's own leaf stays: -EBUSY */

/*
 * Insert or replace. Bits of @key behind @plen are ignored. @plen must be at most 32 for keys
 * of l3vpn_key4() and 128 for those of l3vpn_key6(); a fib holds one family only. @flags as above.
 * Returns 0 for a new prefix, 1 when it replaced one (copied to @old unless that is NULL; the
 * caller drops its reference of the next hop, which readers may still use for a grace period), or
 * -ENOMEM, -ENOSPC, -EBUSY with nothing changed. Replacing needs no memory.
 */
int l3vpn_fib_insert(struct l3vpn_fib *fib, struct l3vpn_key key, u8 plen, struct l3vpn_leaf leaf,
		     unsigned int flags, struct l3vpn_leaf *old);

/*
 * Remove exactly this prefix; its leaf is copied to @old. 0, -ENOENT, or -EBUSY by L3VPN_FIB_YIELD;
 * never lacks memory.
 */
int l3vpn_fib_remove(struct l3vpn_fib *fib, struct l3vpn_key key, u8 plen, unsigned int flags,
		     struct l3vpn_leaf *old);

/*
 * Where @key will be looked for: begin to fetch it. Stage 0 some prefixes ahead of an insertion or
 * removal, stage 1 fewer. Under the mutex; stage 0 also under RCU.
 */
void l3vpn_fib_prefetch(const struct l3vpn_fib *fib, struct l3vpn_key key, int stage);

/* Fill in @ask, and begin to fetch. Under RCU. */
static inline void l3vpn_fib_ask4(struct l3vpn_fib_ask *ask, const struct l3vpn_fib *fib, __be32 dst)
{
	struct l3vpn_key key = l3vpn_key4(dst);

	ask->fib = fib;
	l3vpn_key_to6(key, ask->dst);
	l3vpn_fib_prefetch(fib, key, 0);
}

static inline void l3vpn_fib_ask6(struct l3vpn_fib_ask *ask, const struct l3vpn_fib *fib,
				  const struct in6_addr *dst)
{
	struct l3vpn_key key = l3vpn_key6(dst);

	ask->fib = fib;
	l3vpn_key_to6(key, ask->dst);
	put_unaligned_be64(0, ask->dst + sizeof(*dst));
	l3vpn_fib_prefetch(fib, key, 0);
}

/*
 * Some asks later, when the table's entry is there: begin to fetch what that leads to. Under RCU;
 * @ask->fib must still exist.
 */
void l3vpn_fib_ask_ahead(const struct l3vpn_fib_ask *ask);

/* What was found for @ask; l3vpn_leaf_none(): nothing. In the same rcu_read_lock() as l3vpn_fib_lookup_bulk(). */
static inline struct l3vpn_leaf l3vpn_fib_told(const struct l3vpn_fib_ask *ask)
{
	struct l3vpn_leaf leaf = {};

	if (ask->leaf)
		leaf.word = READ_ONCE(ask->leaf->word);
	if (l3vpn_leaf_none(leaf))
		leaf.word = READ_ONCE(ask->fib->dflt.word);
	return leaf;
}

/*
 * Once after each batch: hand what insert and remove have unlinked to RCU, and give the index
 * the form that suits its size.
 */
void l3vpn_fib_flush(struct l3vpn_fib *fib);

/*
 * Free everything. No reader may hold the fib any more (a grace period has passed since it was
 * unpublished). @release is called for each leaf first, unless NULL. The fib is empty after it.
 */
void l3vpn_fib_destroy(struct l3vpn_fib *fib,
		       void (*release)(struct l3vpn_leaf leaf, void *arg), void *arg);

/*
 * Call @fn for the leaves behind @cursor, sorted by prefix, then by length (a covering prefix
 * before what it covers), until it returns non-zero (the walk then returns that value, and
 * @cursor stands before that leaf: the next walk offers it again) or none is left (returns 0).
 * @fn may stop and the lock may be dropped between walks; what is added or removed meanwhile
 * behind the cursor is seen or not, all else is seen exactly once. @fn may replace the leaf that
 * it is called for, no other, and not remove it.
 */
int l3vpn_fib_walk(const struct l3vpn_fib *fib, struct l3vpn_fib_cursor *cursor,
		   int (*fn)(struct l3vpn_key key, u8 plen, struct l3vpn_leaf leaf, void *arg),
		   void *arg);

#endif /* _L3VPN_FIB_H */
