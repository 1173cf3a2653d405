/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Path-compressed binary trie: a map from prefixes of one family to payloads.
 *
 * The payload lives inside the trie's node (so that a million routes cost one object of a slab each)
 * and does not move while its prefix is in the trie. It is zeroed when made; what it refers to
 * is the caller's to release before trie_remove(). Order of walks is prefix_cmp()'s.
 *
 * Wanted as a map to void *: payload size sizeof(void *).
 */
#ifndef L3VPN_LIB_TRIE_H
#define L3VPN_LIB_TRIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/prefix.h"
#include "lib/slab.h"

/* Memory of tries of one family and payload. It has to outlive them. */
struct trie_pool {
	struct slab places;		/* payload and node of prefixes in a map */
	struct slab joins;		/* nodes that join two branches */
	uint16_t payload;		/* octets, rounded up to the alignment */
	uint8_t family;
};

struct trie {
	struct trie_pool *pool;
	uint32_t root;			/* number of a node, 0: empty */
	uint32_t count;			/* prefixes */
	bool own;			/* the pool is this trie's alone */
};

/* @align: what the payload needs, 4 or 8 */
void trie_pool_init(struct trie_pool *pool, uint8_t family, size_t payload, unsigned int align);
void trie_pool_fini(struct trie_pool *pool);

/* with a pool of its own */
void trie_init(struct trie *t, uint8_t family, size_t payload);
/* one of several that share a pool */
void trie_init_in(struct trie *t, struct trie_pool *pool);
/* frees every node; release() (may be NULL) is called for each payload before */
void trie_fini(struct trie *t, void (*release)(void *payload, void *arg), void *arg);

/* the payload of exactly this prefix, or NULL */
void *trie_get(const struct trie *t, const struct prefix *p);
/* finds or makes; *created says which. NULL only if p is of another family. Host bits must be 0. */
void *trie_insert(struct trie *t, const struct prefix *p, bool *created);
void trie_remove(struct trie *t, void *payload);
/* longest prefix that contains @a, or NULL */
void *trie_longest(const struct trie *t, const struct ip_addr *a);
/* the next shorter prefix that contains this one, or NULL */
void *trie_parent(const struct trie *t, const void *payload);
struct prefix trie_prefix(const struct trie *t, const void *payload);
/* a dense number of this prefix: no other one of the pool's tries has it while this one is there */
uint32_t trie_id(const struct trie *t, const void *payload);
/* the payload of a number that trie_id() gave of a prefix that is still there */
void *trie_by_id(const struct trie_pool *pool, uint32_t id);

/* Walks. trie_next(t, NULL) is the first. The payload passed in must still be in the trie. */
void *trie_next(const struct trie *t, const void *payload);
/* the first prefix behind @p in order, whether @p is present or not: resumable after any change */
void *trie_after(const struct trie *t, const struct prefix *p);
/* first prefix within @p (may be @p itself); go on with trie_next_within() */
void *trie_first_within(const struct trie *t, const struct prefix *p);
void *trie_next_within(const struct trie *t, const void *payload, const struct prefix *p);

#endif
