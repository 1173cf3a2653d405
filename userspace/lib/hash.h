/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hash function and intrusive hash table that grows (and shrinks) with its content, some buckets at a time.
 *
 * The table links struct hash_node members of the caller's objects; it owns the buckets
 * only. Lookups compare the stored 32-bit hash first and then call the caller's match function.
 */
#ifndef L3VPN_LIB_HASH_H
#define L3VPN_LIB_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hash_node {
	struct hash_node *next;
	uint32_t hash;
};

struct hash {
	struct hash_node ***segment;	/* of buckets; NULL while empty: an empty table costs nothing */
	uint32_t buckets;
	uint32_t mask;			/* a power of two less one: buckets - 1, or the next above */
	uint32_t count;
};

#define HASH_INIT { NULL, 0, 0, 0 }

/* Seeded per process against crafted collisions; not stable between runs. */
uint32_t hash_bytes(const void *data, size_t len, uint32_t seed);
uint32_t hash_u64(uint64_t v, uint32_t seed);

static inline uint32_t hash_ptr(const void *p)
{
	return hash_u64((uintptr_t)p, 0);
}

void hash_init(struct hash *h);
/* frees the buckets; the objects are the caller's */
void hash_fini(struct hash *h);
void hash_insert(struct hash *h, struct hash_node *n, uint32_t hash);
void hash_remove(struct hash *h, struct hash_node *n);

/* the node with this hash for which match(node, key) holds, or NULL */
struct hash_node *hash_find(const struct hash *h, uint32_t hash,
			    bool (*match)(const struct hash_node *, const void *key),
			    const void *key);

/*
 * Iteration in no order: start with NULL. Nothing may be inserted meanwhile. The node returned may be removed after the
 * next one was fetched, but a table that shrinks by that is not walked to its end, and some that stay may be met twice:
 * remove behind the walk, where each must be met once. hash_drain() removes and returns any node.
 */
struct hash_node *hash_next(const struct hash *h, const struct hash_node *n);
struct hash_node *hash_drain(struct hash *h);

#define hash_entry(node, type, member) \
	((type *)((char *)(node) - offsetof(type, member)))

#endif
