// SPDX-License-Identifier: GPL-2.0
/*
 * Hash function and intrusive growing hash table (hash.h).
 *
 * The table grows by linear hashing (Litwin 1980): one bucket more splits one bucket, so that an insertion moves a few
 * chains, however large the table is. Buckets are in segments of 4 KiB, of which the first grows up to that.
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
#define SEGMENT 512u		/* buckets */
#define AHEAD 8u		/* splits, merges */

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

static uint32_t segments(uint32_t buckets)
{
	return (buckets + SEGMENT - 1) / SEGMENT;
}

void hash_fini(struct hash *h)
{
	for (uint32_t i = 0; i < segments(h->buckets); i++)
		free(h->segment[i]);
	free(h->segment);
	hash_init(h);
}

static struct hash_node **bucket_at(const struct hash *h, uint32_t i)
{
	return &h->segment[i / SEGMENT][i % SEGMENT];
}

/* The bucket of the first half that bucket @i is split from. */
static uint32_t origin_of(const struct hash *h, uint32_t i)
{
	return i & (h->mask >> 1);
}

/* What belongs to a bucket that is not there yet, or not any more, is where that one is split from. */
static uint32_t index_of(const struct hash *h, uint32_t hash)
{
	uint32_t i = hash & h->mask;

	return i < h->buckets ? i : origin_of(h, hash);
}

static void first_segment_resize(struct hash *h)
{
	uint32_t size = h->mask < SEGMENT ? h->mask + 1 : SEGMENT;

	h->segment[0] = xrealloc(h->segment[0], size * sizeof(struct hash_node *));
}

static void begin(struct hash *h)
{
	h->segment = xcalloc(1, sizeof(*h->segment));
	h->segment[0] = xcalloc(HASH_MIN, sizeof(struct hash_node *));
	h->buckets = HASH_MIN;
	h->mask = HASH_MIN - 1;
}

/* What a split, or a merge, some time from now looks at: a node that nobody touched for long is far away. */
static void fetch(const struct hash *h, uint32_t i)
{
	if (i < h->buckets)
		__builtin_prefetch(*bucket_at(h, i));
}

/* One bucket more, with its share of another. */
static void split(struct hash *h)
{
	uint32_t i = h->buckets;
	struct hash_node **from, **to, *n;

	if (i > h->mask) {
		h->mask = h->mask * 2 + 1;
		if (i < SEGMENT)
			first_segment_resize(h);
	}
	if (i % SEGMENT == 0) {
		h->segment = xrealloc(h->segment, (i / SEGMENT + 1) * sizeof(*h->segment));
		h->segment[i / SEGMENT] = xmalloc(SEGMENT * sizeof(struct hash_node *));
	}
	h->buckets++;
	to = bucket_at(h, i);
	*to = NULL;
	fetch(h, origin_of(h, i) + AHEAD);
	for (from = bucket_at(h, origin_of(h, i)); (n = *from);) {
		if ((n->hash & h->mask) != i) {
			from = &n->next;
			continue;
		}
		*from = n->next;
		n->next = *to;
		*to = n;
	}
}

/* The last bucket goes back to where it came from. */
static void merge(struct hash *h)
{
	uint32_t i = --h->buckets;
	struct hash_node **end = bucket_at(h, i), **into, *first;

	if (i > AHEAD)
		fetch(h, i - AHEAD);
	if (*end) {
		into = bucket_at(h, origin_of(h, i));
		first = *into;
		*into = *end;
		while (*end)
			end = &(*end)->next;
		*end = first;
	}
	if (i % SEGMENT == 0)
		free(h->segment[i / SEGMENT]);
	if (i == (h->mask + 1) / 2) {
		h->mask >>= 1;
		if (i < SEGMENT)
			first_segment_resize(h);
	}
}

void hash_insert(struct hash *h, struct hash_node *n, uint32_t hash)
{
	struct hash_node **slot;

	if (!h->segment)
		begin(h);
	while (h->count >= h->buckets / 4 * 3 && h->buckets <= INT32_MAX)
		split(h);
	slot = bucket_at(h, index_of(h, hash));
	n->hash = hash;
	n->next = *slot;
	*slot = n;
	h->count++;
}

/*
 * Bucket @i was the last with something in it: who takes what hash_next() finds first empties the table from its end,
 * which is not to be searched again and again.
 */
static void trim(struct hash *h, uint32_t i)
{
	uint32_t last = h->buckets - 1;

	while (last > i && !*bucket_at(h, last))
		last--;
	while (last == i && h->buckets > HASH_MIN && !*bucket_at(h, h->buckets - 1))
		merge(h);
}

void hash_remove(struct hash *h, struct hash_node *n)
{
	struct hash_node **p;
	uint32_t i;

	if (!h->segment)
		return;
	i = index_of(h, n->hash);
	for (p = bucket_at(h, i); *p && *p != n; p = &(*p)->next)
		;
	if (!*p)
		return;
	*p = n->next;
	n->next = NULL;
	if (!--h->count) {
		hash_fini(h);
		return;
	}
	trim(h, i);
	while (h->count < h->buckets / 16 && h->buckets > HASH_MIN)
		merge(h);
}

struct hash_node *hash_find(const struct hash *h, uint32_t hash,
			    bool (*match)(const struct hash_node *, const void *key),
			    const void *key)
{
	struct hash_node *n;

	if (!h->segment)
		return NULL;
	for (n = *bucket_at(h, index_of(h, hash)); n; n = n->next)
		if (n->hash == hash && match(n, key))
			return n;
	return NULL;
}

struct hash_node *hash_next(const struct hash *h, const struct hash_node *n)
{
	uint32_t i = h->buckets;

	if (n && n->next)
		return n->next;
	if (n)
		i = index_of(h, n->hash);
	while (i--)
		if (*bucket_at(h, i))
			return *bucket_at(h, i);
	return NULL;
}

struct hash_node *hash_drain(struct hash *h)
{
	struct hash_node *n = hash_next(h, NULL);

	if (n)
		hash_remove(h, n);
	return n;
}
