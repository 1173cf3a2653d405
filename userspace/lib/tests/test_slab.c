// SPDX-License-Identifier: GPL-2.0
/* Slabs against a plain array: numbers and pointers keep, objects come zeroed, memory goes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(random_use) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
