// SPDX-License-Identifier: GPL-2.0
/* Slabs against a plain array: numbers and pointers keep, objects come zeroed, memory goes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/slab.h"

#define ROUNDS 200000
#define LIVE 20000

struct object {
	uint64_t a, b;
	uint32_t c;
};

static void random_use(void **state)
{
	static uint32_t number[LIVE];
	static struct object *where[LIVE];
	unsigned int n = 0, k;
	struct object *o;
	struct slab s;

	slab_init(&s, sizeof(struct object), 8);
	assert_int_equal(s.size % 8, 0);
	srandom(7);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		if (n < LIVE && (random() % 5 || !n)) {
			number[n] = slab_alloc(&s);
			where[n] = o = slab_at(&s, number[n]);
			assert_true(!o->a && !o->b && !o->c);
			o->a = o->b = number[n];
			o->c = n++;
			continue;
		}
		k = (unsigned int)random() % n;
		assert_ptr_equal(slab_at(&s, number[k]), where[k]);
		assert_int_equal(where[k]->a, number[k]);
		assert_int_equal(where[k]->b, number[k]);
		slab_free(&s, number[k]);
		number[k] = number[--n];
		where[k] = where[n];
	}
	assert_int_equal(s.count, n);
	while (n)
		slab_free(&s, number[--n]);
	assert_int_equal(s.chunks, 0);
	assert_int_equal(s.high, 0);
	/* and again from the start */
	assert_int_equal(slab_alloc(&s), 0);
	slab_fini(&s);
}

static void count_call(void *arg)
{
	++*(unsigned int *)arg;
}

static bool mapped(const void *p)
{
	uintptr_t page = sysconf(_SC_PAGESIZE);
	unsigned char there;

	return !mincore((void *)((uintptr_t)p & ~(page - 1)), 1, &there);
}

/* a slab fills, and its last chunk's first and last object are told */
static void fill(struct slab *s, unsigned int n, struct object **first, struct object **last)
{
	slab_init(s, sizeof(struct object), 8);
	for (unsigned int i = 0; i < n; i++) {
		struct object *o = slab_at(s, slab_alloc(s));

		o->a = i;
		if (i == n / 2)
			*first = o;
		*last = o;
	}
}

/* with a hook memory goes back in slices, to the last octet and no further */
static void back_in_slices(void **state)
{
	unsigned int calls = 0, slices = 1, n = 1u << 17;
	struct object *first = NULL, *last = NULL, *first_kept = NULL, *last_kept = NULL;
	struct slab s, kept;

	fill(&s, n, &first, &last);
	fill(&kept, n, &first_kept, &last_kept);
	chunk_reclaim_hook(count_call, &calls);
	assert_false(chunk_reclaim(1u << 20));
	for (unsigned int i = 0; i < n; i++)
		slab_free(&s, i);
	assert_int_equal(s.chunks, 0);
	assert_true(calls > 0);
	assert_true(mapped(first) && mapped(last));
	while (chunk_reclaim(256u << 10))
		slices++;
	assert_in_range(slices, (size_t)n * s.size / (256u << 10) / 2, (size_t)n * s.size / (256u << 10));
	assert_false(mapped(first) || mapped(last));
	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(((struct object *)slab_at(&kept, i))->a, i);
	/* what still waits when the hook goes, goes too */
	slab_fini(&kept);
	assert_true(mapped(last_kept));
	chunk_reclaim_hook(NULL, NULL);
	assert_false(mapped(first_kept) || mapped(last_kept));
}

/* a few that stay do not keep what a million had, wherever they are */
static void few_stay(void **state)
{
	unsigned int n = 1u << 17, keep = 64, left;
	struct object *first = NULL, *last = NULL, *o;
	uint32_t number[64];
	struct slab s;
	size_t full;

	fill(&s, n, &first, &last);
	full = slab_octets(&s);
	for (unsigned int i = keep; i < n; i++)
		slab_free(&s, i);
	assert_false(mapped(first) || mapped(last));
	assert_true(slab_octets(&s) < full / 500);
	for (unsigned int i = 0; i < keep; i++)
		assert_int_equal(((struct object *)slab_at(&s, i))->a, i);
	/* those that come again are zero, and come low */
	for (unsigned int i = 0; i < n - keep; i++) {
		uint32_t at = slab_alloc(&s);

		o = slab_at(&s, at);
		assert_in_range(at, keep, n - 1);
		assert_true(!o->a && !o->b && !o->c);
		o->a = ~0ull;
	}
	assert_int_equal(s.high, n);
	/* one in the largest chunk keeps that; what comes next moves out of its way */
	for (unsigned int i = keep; i < n - 1; i++)
		slab_free(&s, i);
	assert_true(slab_octets(&s) > full / 2 - 1);
	for (left = 0; left < 64; left++) {
		number[left] = slab_alloc(&s);
		assert_true(number[left] < 256);
	}
	slab_free(&s, n - 1);
	assert_true(slab_octets(&s) < full / 500);
	while (left)
		slab_free(&s, number[--left]);
	for (unsigned int i = 0; i < keep; i++)
		slab_free(&s, i);
	assert_int_equal(s.chunks, 0);
	assert_int_equal(slab_octets(&s), 0);
}

/* one that comes and goes at a chunk's edge does not map and unmap it each time, and is zero each time */
static void at_the_edge(void **state)
{
	unsigned int n = 1u << 16;
	struct object *first = NULL, *last = NULL, *o;
	struct slab s;
	uint8_t *mem;

	fill(&s, n, &first, &last);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(slab_alloc(&s), n);
		o = slab_at(&s, n);
		assert_true(!o->a && !o->b && !o->c);
		o->a = o->b = ~0ull;
		mem = s.chunk[s.chunks - 1];
		slab_free(&s, n);
		assert_ptr_equal(s.chunk[s.chunks - 1], mem);
	}
	for (unsigned int i = 0; i < n / 4; i++)
		slab_free(&s, i);
	assert_null(s.chunk[s.chunks - 1]);
	slab_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(random_use), cmocka_unit_test(back_in_slices),
					     cmocka_unit_test(few_stay), cmocka_unit_test(at_the_edge) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
