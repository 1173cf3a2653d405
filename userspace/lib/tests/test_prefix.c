// SPDX-License-Identifier: GPL-2.0
/* rooms: lib */
/* Addresses and prefixes: text both ways, refusals, order, containment; the hash table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "lib/hash.h"
#include "lib/mem.h"
#include "lib/prefix.h"

static void text_round_trip(void **unused)
{
	static const char *const good[] = {
		"0.0.0.0/0", "10.0.0.0/8", "10.1.2.3/32", "192.168.4.0/31", "::/0",
		"2001:db8::/32", "2001:db8::1/128", "fe80::/10",
	};
	static const char *const bad[] = {
		"", "/", "10.0.0.0", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08",
		"10.0.0/8", "10.0.0.0/8 ", "2001:db8::1/64", "::/129", "10.0.0.0/-1", "x/8",
		"10.0.0.0/4294967304",
	};
	char buf[PREFIX_STRLEN];
	struct prefix p, keep;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(prefix_parse(good[i], &p));
		assert_string_equal(prefix_str(&p, buf), good[i]);
	}
	keep = p;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_false(prefix_parse(bad[i], &p));
		assert_memory_equal(&p, &keep, sizeof(p));
	}
	assert_true(prefix_parse_host("10.0.0.1/8", &p));
	assert_string_equal(prefix_str(&p, buf), "10.0.0.1/8");
	assert_true(prefix_parse_host("2001:db8::1", &p));
	assert_int_equal(p.len, 128);
	prefix_parse_host("255.255.255.255/13", &p);
	prefix_mask(&p);
	assert_string_equal(prefix_str(&p, buf), "255.248.0.0/13");
}

static bool contains(const char *a, const char *b)
{
	struct prefix p, q;

	assert_true(prefix_parse(a, &p) && prefix_parse(b, &q));
	return prefix_contains(&p, &q);
}

static void containment(void **unused)
{
	assert_true(contains("10.0.0.0/8", "10.0.0.0/8"));
	assert_true(contains("10.0.0.0/9", "10.127.0.0/16"));
	assert_false(contains("10.0.0.0/9", "10.128.0.0/16"));
	assert_false(contains("10.0.0.0/16", "10.0.0.0/8"));
	assert_true(contains("0.0.0.0/0", "1.2.3.4/32"));
	assert_false(contains("0.0.0.0/0", "::/0"));
	assert_true(contains("2001:db8::/33", "2001:db8:7fff::/48"));
	assert_false(contains("2001:db8::/33", "2001:db8:8000::/48"));
}

struct obj {
	struct hash_node node;
	uint32_t key;
};

static bool match(const struct hash_node *n, const void *key)
{
	return hash_entry(n, struct obj, node)->key == *(const uint32_t *)key;
}

static void hash_table(void **unused)
{
	struct hash h = HASH_INIT;
	struct obj *objs = xcalloc(5000, sizeof(*objs));
	struct hash_node *n;
	uint32_t i, seen = 0;

	for (i = 0; i < 5000; i++) {
		objs[i].key = i;
		hash_insert(&h, &objs[i].node, hash_u64(i, 1));
	}
	for (i = 0; i < 5000; i++) {
		n = hash_find(&h, hash_u64(i, 1), match, &i);
		assert_ptr_equal(n, &objs[i].node);
	}
	i = 5000;
	assert_null(hash_find(&h, hash_u64(i, 1), match, &i));
	for (n = hash_next(&h, NULL); n; n = hash_next(&h, n))
		seen++;
	assert_int_equal(seen, 5000);
	for (i = 0; i < 4990; i++)
		hash_remove(&h, &objs[i].node);
	assert_true(h.buckets < 256 && h.mask < 256);
	for (; i < 5000; i++)
		assert_non_null(hash_find(&h, hash_u64(i, 1), match, &i));
	for (seen = 0; hash_drain(&h); seen++)
		;
	assert_int_equal(seen, 10);
	assert_null(h.segment);
	free(objs);
}

/* at random, against an array that says who is in: all are found, none is met that is not in */
static void hash_churn(void **unused)
{
	enum { N = 6000 };
	struct hash h = HASH_INIT;
	struct obj *objs = xcalloc(N, sizeof(*objs));
	bool *in = xcalloc(N, sizeof(*in));
	struct hash_node *n;
	uint32_t i, k, count = 0, seen;

	srandom(3);
	for (i = 0; i < N; i++)
		objs[i].key = i;
	for (unsigned int round = 0; round < 120; round++) {
		/* grows for some rounds, then shrinks */
		for (k = 0; k < N / 4; k++) {
			i = (uint32_t)random() % N;
			if (in[i] != (random() % 8 >= (round / 20 % 2 ? 6 : 2)))
				continue;
			in[i] = !in[i];
			if (in[i])
				hash_insert(&h, &objs[i].node, hash_u64(i, 1));
			else
				hash_remove(&h, &objs[i].node);
			count += in[i] ? 1 : -1u;
		}
		assert_int_equal(h.count, count);
		for (i = 0; i < N; i++)
			assert_ptr_equal(hash_find(&h, hash_u64(i, 1), match, &i), in[i] ? &objs[i].node : NULL);
		for (seen = 0, n = hash_next(&h, NULL); n; n = hash_next(&h, n), seen++)
			assert_true(in[hash_entry(n, struct obj, node)->key]);
		assert_int_equal(seen, count);
		assert_true(h.buckets <= count * 16 + 16);
	}
	for (seen = 0; (n = hash_drain(&h)); seen++)
		assert_true(in[hash_entry(n, struct obj, node)->key]);
	assert_int_equal(seen, count);
	assert_null(h.segment);
	free(objs);
	free(in);
}

/* emptied from where hash_next() begins, nothing is searched again and again: in a moment, wherever it begins */
static void hash_empties(void **unused)
{
	enum { N = 300000 };
	struct obj *objs = xcalloc(N, sizeof(*objs));
	clock_t begin = clock();

	for (uint32_t count = N - 5; count < N; count++) {
		struct hash h = HASH_INIT;
		struct hash_node *n;

		for (uint32_t i = 0; i < count; i++)
			hash_insert(&h, &objs[i].node, hash_u64(i, count));
		while ((n = hash_next(&h, NULL)))
			hash_remove(&h, n);
		assert_null(h.segment);
	}
	assert_true(clock() - begin < 20 * CLOCKS_PER_SEC);
	free(objs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_round_trip),
		cmocka_unit_test(containment),
		cmocka_unit_test(hash_table),
		cmocka_unit_test(hash_churn),
		cmocka_unit_test(hash_empties),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
