/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fib: the longest-prefix-match index of one VRF and family.
 *
 * A path-compressed multibit trie (six bits a level, bitmaps and popcount), one implementation
 * for IPv4 and IPv6. It stores leaves and knows nothing of VRFs, netlink or next hops: limits,
 * counts, digests and references of next hops are the caller's (route.c).
 *
 * Readers: l3vpn_fib_lookup*() and l3vpn_fib_walk() run under rcu_read_lock() (or the writers'
 * mutex). A leaf that they return is valid until rcu_read_unlock(), and immutable but for its
 * epoch, which only writers read.
 *
 * Writers: l3vpn_fib_insert(), _remove(), _flush(), _destroy() are serialised by a mutex of the
 * caller, in process context; they may sleep. A module that uses this file calls rcu_barrier()
 * before it is unloaded.
 */
#ifndef _L3VPN_FIB_H
#define _L3VPN_FIB_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/in6.h>
#include <linux/rcupdate.h>
#include <linux/unaligned.h>
#include <asm/byteorder.h>
#else
#include "kernel-shim.h"
#endif

struct l3vpn_nh;
struct l3vpn_fib_node;
struct l3vpn_fib_retired;

/* A prefix or an address, left aligned: bit 0 is the top bit of hi. IPv4 is the top half of hi. */
struct l3vpn_key {
	u64 hi;
	u64 lo;
};

/**
 * struct l3vpn_leaf - what a prefix leads to
 * @nh: next hop; the caller holds a reference for the leaf
 * @label: VPN label; meaningful when @labelled
 * @plen: prefix length, set by the trie
 * @labelled: @label is to be pushed
 * @kernel: kept by the module itself (connected, receive): never swept, counted nor digested
 * @epoch: stamp of the writer that last programmed it; written in place, read by writers only
 */
struct l3vpn_leaf {
	struct l3vpn_nh *nh;
	u32 label : 20;
	u32 plen : 8;
	u32 labelled : 1;
	u32 kernel : 1;
	u32 epoch;
};

/**
 * struct l3vpn_fib - one index; all zero is a valid empty one
 * @root: topmost node, or NULL
 * @dflt: leaf of the zero-length prefix, or NULL
 * @retired: nodes unlinked, not yet handed to RCU; writers only
 * @leaves: prefixes present, of every origin; written by writers only
 * @bytes: memory of nodes and leaves; written by writers only
 */
struct l3vpn_fib {
	struct l3vpn_fib_node __rcu *root;
	struct l3vpn_leaf __rcu *dflt;
	struct l3vpn_fib_retired *retired;
	u32 leaves;
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

/* The longest match, or NULL. Under RCU. */
const struct l3vpn_leaf *l3vpn_fib_lookup4(const struct l3vpn_fib *fib, __be32 dst);
const struct l3vpn_leaf *l3vpn_fib_lookup6(const struct l3vpn_fib *fib, const struct in6_addr *dst);

/*
 * The leaf of exactly this prefix, or NULL. Under RCU or the writers' mutex; under the mutex
 * the caller may write ->epoch of what is returned (hence not const).
 */
struct l3vpn_leaf *l3vpn_fib_find(const struct l3vpn_fib *fib, struct l3vpn_key key, u8 plen);

/*
 * Insert or replace. Bits of @key behind @plen are ignored. @plen must be at most 32 for keys
 * of l3vpn_key4() and 128 for those of l3vpn_key6(); a fib holds one family only.
 * Returns 0 for a new prefix, 1 when it replaced one (copied to @old unless that is NULL; the
 * caller drops its reference of the next hop, which readers may still use for a grace period), or
 * -ENOMEM with nothing changed.
 */
int l3vpn_fib_insert(struct l3vpn_fib *fib, struct l3vpn_key key, u8 plen,
		     const struct l3vpn_leaf *leaf, struct l3vpn_leaf *old);

/* Remove exactly this prefix; its leaf is copied to @old. 0 or -ENOENT; never lacks memory. */
int l3vpn_fib_remove(struct l3vpn_fib *fib, struct l3vpn_key key, u8 plen, struct l3vpn_leaf *old);

/* Hand what insert and remove have unlinked to RCU: once after each batch. */
void l3vpn_fib_flush(struct l3vpn_fib *fib);

/*
 * Free everything. No reader may hold the fib any more (a grace period has passed since it was
 * unpublished). @release is called for each leaf first, unless NULL. The fib is empty after it.
 */
void l3vpn_fib_destroy(struct l3vpn_fib *fib,
		       void (*release)(const struct l3vpn_leaf *leaf, void *arg), void *arg);

/*
 * Call @fn for the leaves behind @cursor, sorted by prefix, then by length (a covering prefix
 * before what it covers), until it returns non-zero (the walk then returns that value, and
 * @cursor stands before that leaf: the next walk offers it again) or none is left (returns 0).
 * @fn may stop and the lock may be dropped between walks; what is added or removed meanwhile
 * behind the cursor is seen or not, all else is seen exactly once.
 */
int l3vpn_fib_walk(const struct l3vpn_fib *fib, struct l3vpn_fib_cursor *cursor,
		   int (*fn)(struct l3vpn_key key, struct l3vpn_leaf *leaf, void *arg), void *arg);

#endif /* _L3VPN_FIB_H */
