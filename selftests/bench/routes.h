/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tables for benchmarks: distinct prefixes with the lengths of real tables, the same from run to run, in an order
 * that is random or sorted. Used by lookup.c (user space), memory.c and program.c (in a guest).
 *
 * IPv4: lengths of a full Internet table, addresses anywhere in the unicast space but 127/8. IPv6: lengths of the
 * table of a large exchange (2014: what is longer than /48 is filtered there); a prefix longer than /32 lies in one
 * of as many /32 as there are for that many routes in that table, with all bits behind it random: real operators
 * number them more densely, so this is the harder case.
 */
#ifndef _SELFTESTS_BENCH_ROUTES_H
#define _SELFTESTS_BENCH_ROUTES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct route {
	uint64_t hi;		/* left aligned; IPv4 in the top half of @hi */
	uint64_t lo;
	uint8_t plen;
};

struct share {
	uint8_t plen;
	uint16_t share;		/* per thousand */
};

static const struct share routes_mix4[] = {
	{ 24, 605 }, { 22, 115 }, { 23, 105 }, { 21, 54 }, { 20, 46 }, { 19, 26 }, { 18, 15 }, { 16, 14 },
	{ 17, 9 }, { 32, 5 }, { 15, 3 }, { 14, 2 }, { 12, 1 },
};

static const struct share routes_mix6[] = {
	{ 48, 432 }, { 32, 304 }, { 40, 56 }, { 44, 48 }, { 36, 37 }, { 29, 26 }, { 46, 17 }, { 33, 10 },
	{ 35, 9 }, { 38, 8 }, { 47, 8 }, { 34, 7 }, { 42, 6 }, { 41, 6 }, { 45, 5 }, { 30, 4 }, { 39, 3 },
	{ 28, 3 }, { 31, 3 }, { 37, 2 }, { 43, 2 }, { 27, 1 }, { 26, 1 }, { 24, 1 }, { 20, 1 },
};

#define ROUTES_PER_ALLOCATION6	6	/* longer than /32, in one /32 of the real table */

static inline uint64_t routes_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static inline uint64_t routes_mix(uint64_t x)
{
	return routes_random(&x);
}

/* A unicast address of IPv4, in the top half. */
static inline uint64_t routes_address4(uint64_t *state)
{
	uint64_t top;

	do
		top = 1 + routes_random(state) % 223;
	while (top == 127);
	return top << 56 | (routes_random(state) & 0xffffff) << 32;
}

static inline unsigned int routes_length(const struct share *mix, size_t n, uint64_t *state)
{
	unsigned int dice = routes_random(state) % 1000;
	size_t i;

	for (i = 0; i + 1 < n && dice >= mix[i].share; i++)
		dice -= mix[i].share;
	return mix[i].plen;
}

static inline struct route routes_one(bool v6, size_t count, uint64_t *state)
{
	struct route r = { 0 };

	if (!v6) {
		r.plen = routes_length(routes_mix4, sizeof(routes_mix4) / sizeof(routes_mix4[0]), state);
		r.hi = routes_address4(state);
	} else {
		r.plen = routes_length(routes_mix6, sizeof(routes_mix6) / sizeof(routes_mix6[0]), state);
		r.hi = routes_random(state);
		if (r.plen > 32)
			r.hi = routes_mix(r.hi % (count * 2 / 3 / ROUTES_PER_ALLOCATION6 + 1)) << 32 |
			       (routes_random(state) & 0xffffffff);
		r.hi = 0x2000000000000000ULL | (r.hi & 0x1fffffffffffffffULL);
	}
	r.hi &= ~(~0ULL >> r.plen);
	return r;
}

static inline int routes_compare(const void *a, const void *b)
{
	const struct route *x = a, *y = b;

	if (x->hi != y->hi)
		return x->hi < y->hi ? -1 : 1;
	if (x->lo != y->lo)
		return x->lo < y->lo ? -1 : 1;
	return x->plen - y->plen;
}

static inline void routes_shuffle(struct route *r, size_t n, uint64_t *state)
{
	size_t i, j;

	for (i = n; i > 1; i--) {
		struct route t = r[i - 1];

		j = routes_random(state) % i;
		r[i - 1] = r[j];
		r[j] = t;
	}
}

/* Sorts, drops what is twice. Returns how many are left. */
static inline size_t routes_unique(struct route *r, size_t n)
{
	size_t i, k = 0;

	qsort(r, n, sizeof(*r), routes_compare);
	for (i = 0; i < n; i++)
		if (!k || routes_compare(&r[i], &r[k - 1]))
			r[k++] = r[i];
	return k;
}

/* @count distinct prefixes, sorted or in random order; NULL: no memory. The caller frees them. */
static inline struct route *routes_make(bool v6, size_t count, uint64_t seed, bool sorted)
{
	struct route *r = malloc((count + count / 2 + 16) * sizeof(*r));
	size_t n = 0, most = count + count / 2 + 16;

	if (!r)
		return NULL;
	while (n < count) {
		while (n < most)
			r[n++] = routes_one(v6, count, &seed);
		n = routes_unique(r, n);
	}
	routes_shuffle(r, n, &seed);
	if (sorted)
		qsort(r, count, sizeof(*r), routes_compare);
	return r;
}

#endif /* _SELFTESTS_BENCH_ROUTES_H */
