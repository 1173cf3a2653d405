// SPDX-License-Identifier: GPL-2.0
/* rooms: lib */
/* The trie against a sorted array, under random churn, both families; SEED=N repeats a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "lib/mem.h"
#include "lib/trie.h"

#define MAX 600

struct item {
	struct prefix p;
	uint32_t value;
};

static struct item ref[MAX];		/* sorted by prefix_cmp() */
static unsigned int n_ref;

static unsigned int seed_get(void)
{
	const char *s = getenv("SEED");
	unsigned int seed = s ? strtoul(s, NULL, 0) : (unsigned int)time(NULL);

	print_message("SEED=%u\n", seed);
	return seed;
}

/* few different bits, so that prefixes nest and meet */
static struct prefix random_prefix(uint8_t family)
{
	static const uint8_t lens4[] = { 0, 1, 7, 8, 9, 15, 16, 17, 24, 30, 31, 32 };
	static const uint8_t lens6[] = { 0, 1, 8, 31, 32, 33, 48, 63, 64, 65, 127, 128 };
	uint8_t b[16] = { 0 };
	unsigned int i;

	for (i = 0; i < addr_octets(family); i++)
		b[i] = rand() % 4 ? (rand() % 2 ? 0x80 : 0) : rand() & 0x83;
	return prefix_make(family, b, family == AF_INET ? lens4[rand() % sizeof(lens4)] :
			   lens6[rand() % sizeof(lens6)]);
}

static unsigned int lower_bound(const struct prefix *p)
{
	unsigned int i;

	for (i = 0; i < n_ref && prefix_cmp(&ref[i].p, p) < 0; i++)
		;
	return i;
}

static void check_walk(const struct trie *t)
{
	unsigned int i = 0;
	struct prefix p;
	void *v;

	for (v = trie_next(t, NULL); v; v = trie_next(t, v), i++) {
		p = trie_prefix(t, v);
		assert_true(i < n_ref);
		assert_int_equal(prefix_cmp(&p, &ref[i].p), 0);
		assert_int_equal(*(uint32_t *)v, ref[i].value);
	}
	assert_int_equal(i, n_ref);
	assert_int_equal(t->count, n_ref);
}

static void check_lookups(const struct trie *t, uint8_t family)
{
	struct prefix p = random_prefix(family), q;
	const struct item *best = NULL;
	struct ip_addr a = p.addr;
	unsigned int i, k;
	void *v;

	for (k = 0; k < addr_octets(family); k++)
		if (!(rand() % 3))
			a.b[k] ^= rand() & 0x81;
	for (i = 0; i < n_ref; i++)
		if (prefix_contains_addr(&ref[i].p, &a) && (!best || ref[i].p.len > best->p.len))
			best = &ref[i];
	v = trie_longest(t, &a);
	assert_int_equal(!!v, !!best);
	if (v)
		assert_int_equal(*(uint32_t *)v, best->value);

	i = lower_bound(&p);
	v = trie_get(t, &p);
	if (i < n_ref && prefix_eq(&ref[i].p, &p)) {
		assert_non_null(v);
		assert_int_equal(*(uint32_t *)v, ref[i].value);
		i++;
	} else {
		assert_null(v);
	}
	v = trie_after(t, &p);
	assert_int_equal(!!v, i < n_ref);
	if (v)
		assert_int_equal(*(uint32_t *)v, ref[i].value);

	for (i = lower_bound(&p), v = trie_first_within(t, &p); v;
	     v = trie_next_within(t, v, &p), i++) {
		q = trie_prefix(t, v);
		assert_true(i < n_ref && prefix_eq(&q, &ref[i].p));
		assert_true(prefix_contains(&p, &q));
	}
	assert_true(i == n_ref || !prefix_contains(&p, &ref[i].p));
}

static void churn(uint8_t family, unsigned int rounds)
{
	struct prefix p;
	unsigned int i, r;
	bool created;
	struct trie t;
	uint32_t *v;

	n_ref = 0;
	trie_init(&t, family, sizeof(uint32_t));
	for (r = 0; r < rounds; r++) {
		p = random_prefix(family);
		i = lower_bound(&p);
		if (rand() % 100 < (r / 1000 % 2 ? 35 : 65)) {
			if (n_ref == MAX)
				continue;
			v = trie_insert(&t, &p, &created);
			assert_non_null(v);
			if (i < n_ref && prefix_eq(&ref[i].p, &p)) {
				assert_false(created);
				assert_int_equal(*v, ref[i].value);
				continue;
			}
			assert_true(created);
			assert_int_equal(*v, 0);
			*v = r + 1;
			memmove(&ref[i + 1], &ref[i], (n_ref++ - i) * sizeof(ref[0]));
			ref[i] = (struct item){ p, r + 1 };
		} else {
			v = trie_get(&t, &p);
			assert_int_equal(!!v, i < n_ref && prefix_eq(&ref[i].p, &p));
			if (!v && n_ref) {
				i = rand() % n_ref;
				v = trie_get(&t, &ref[i].p);
				assert_non_null(v);
			}
			if (!v)
				continue;
			trie_remove(&t, v);
			memmove(&ref[i], &ref[i + 1], (--n_ref - i) * sizeof(ref[0]));
		}
		check_lookups(&t, family);
		if (r % 16 == 0)
			check_walk(&t);
	}
	check_walk(&t);
	while (n_ref) {
		i = rand() % n_ref;
		trie_remove(&t, trie_get(&t, &ref[i].p));
		memmove(&ref[i], &ref[i + 1], (--n_ref - i) * sizeof(ref[0]));
	}
	check_walk(&t);
	assert_null(t.root);
	trie_fini(&t, NULL, NULL);
}

static void against_reference(void **unused)
{
	srand(seed_get());
	churn(AF_INET, 20000);
	churn(AF_INET6, 20000);
}

static void count_release(void *payload, void *arg)
{
	*(uint32_t *)arg += *(uint32_t *)payload;
}

static void refuses_and_releases(void **unused)
{
	uint32_t sum = 0, *v;
	struct prefix p;
	bool created;
	struct trie t;

	trie_init(&t, AF_INET, sizeof(uint32_t));
	assert_true(prefix_parse("2001:db8::/32", &p));
	assert_null(trie_insert(&t, &p, &created));
	assert_null(trie_get(&t, &p));
	assert_null(trie_after(&t, &p));
	assert_true(prefix_parse("10.0.0.0/8", &p));
	v = trie_insert(&t, &p, &created);
	*v = 5;
	assert_true(prefix_parse("10.1.0.0/16", &p));
	v = trie_insert(&t, &p, &created);
	*v = 7;
	assert_int_equal(*(uint32_t *)trie_parent(&t, v), 5);
	assert_true(prefix_parse("10.2.0.0/16", &p));
	*(uint32_t *)trie_insert(&t, &p, &created) = 11;
	trie_fini(&t, count_release, &sum);
	assert_int_equal(sum, 23);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(against_reference),
		cmocka_unit_test(refuses_and_releases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
