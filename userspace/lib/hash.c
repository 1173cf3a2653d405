// SPDX-License-Identifier: GPL-2.0
/*
 * Hash function and intrusive growing hash table (hash.h).
 *
 * The function is a 64-bit multiply-and-fold over 8-octet words with a seed that is drawn once
 * per process: what a peer sends cannot be chosen to collide.
 */
#include "lib/hash.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/mem.h"

#define HASH_MIN 8u

static uint64_t process_seed;

static uint64_t seed_get(void)
{
	if (!process_seed) {
		if (getrandom(&process_seed, sizeof(process_seed), 0) != sizeof(process_seed))
			process_seed = (uintptr_t)&process_seed;
		process_seed |= 1;
	}
	return process_seed;
}

static uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

uint32_t hash_bytes(const void *data, size_t len, uint32_t seed)
{
	const uint8_t *p = data;
	uint64_t h = seed_get() ^ ((uint64_t)seed << 32 | len), w;

	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&w, p, 8);
		h = fold(h ^ w, 0x9e3779b97f4a7c15ULL);
	}
	if (len) {
		w = 0;
		memcpy(&w, p, len);
		h = fold(h ^ w, 0xa0761d6478bd642fULL);
	}
	h = fold(h, 0xe7037ed1a0b428dbULL);
	return (uint32_t)(h ^ h >> 32);
}

uint32_t hash_u64(uint64_t v, uint32_t seed)
{
	uint64_t h = fold(v ^ seed_get(), 0x9e3779b97f4a7c15ULL ^ seed);

	h = fold(h, 0xe7037ed1a0b428dbULL);
	return (uint32_t)(h ^ h >> 32);
}

void hash_init(struct hash *h)
{
	memset(h, 0, sizeof(*h));
}

void hash_fini(struct hash *h)
{
	free(h->bucket);
	hash_init(h);
}

static void resize(struct hash *h, uint32_t buckets)
{
	struct hash_node **old = h->bucket, *n, *next;
	uint32_t i, old_buckets = old ? h->mask + 1 : 0;

	h->bucket = xcalloc(buckets, sizeof(*h->bucket));
	h->mask = buckets - 1;
	for (i = 0; i < old_buckets; i++) {
		for (n = old[i]; n; n = next) {
			next = n->next;
			n->next = h->bucket[n->hash & h->mask];
			h->bucket[n->hash & h->mask] = n;
		}
	}
	free(old);
}

void hash_insert(struct hash *h, struct hash_node *n, uint32_t hash)
{
	struct hash_node **slot;

	if (!h->bucket)
		resize(h, HASH_MIN);
	else if (h->count > h->mask && h->mask < 0x7fffffffu)
		resize(h, (h->mask + 1) * 2);
	slot = &h->bucket[hash & h->mask];
	n->hash = hash;
	n->next = *slot;
	*slot = n;
	h->count++;
}

void hash_remove(struct hash *h, struct hash_node *n)
{
	struct hash_node **p;

	if (!h->bucket)
		return;
	for (p = &h->bucket[n->hash & h->mask]; *p; p = &(*p)->next) {
		if (*p != n)
			continue;
		*p = n->next;
		n->next = NULL;
		h->count--;
		if (!h->count)
			hash_fini(h);
		else if (h->mask >= HASH_MIN * 2 && h->count < (h->mask + 1) / 8)
			resize(h, (h->mask + 1) / 4);
		return;
	}
}

struct hash_node *hash_find(const struct hash *h, uint32_t hash,
			    bool (*match)(const struct hash_node *, const void *key),
			    const void *key)
{
	struct hash_node *n;

	if (!h->bucket)
		return NULL;
	for (n = h->bucket[hash & h->mask]; n; n = n->next)
		if (n->hash == hash && match(n, key))
			return n;
	return NULL;
}

struct hash_node *hash_next(const struct hash *h, const struct hash_node *n)
{
	uint32_t i = 0;

	if (!h->bucket)
		return NULL;
	if (n) {
		if (n->next)
			return n->next;
		i = (n->hash & h->mask) + 1;
	}
	for (; i <= h->mask; i++)
		if (h->bucket[i])
			return h->bucket[i];
	return NULL;
}

struct hash_node *hash_drain(struct hash *h)
{
	struct hash_node *n = hash_next(h, NULL);

	if (n)
		hash_remove(h, n);
	return n;
}
