// SPDX-License-Identifier: GPL-2.0
/* Arrays that grow, and queues, against plain ones: nothing moves, what is new is zero, memory goes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/fifo.h"
#include "lib/vec.h"

struct element {
	uint64_t a;
	uint32_t b;
};

static void grows(void **state)
{
	static const uint32_t numbers[] = { 0, 7, 8, 15, 16, 1000, 999, 65535, 65536, 1000000 };
	struct element *e, *where[10];
	struct vec v;

	vec_init(&v, sizeof(*e));
	for (unsigned int i = 0; i < 10; i++) {
		e = where[i] = vec_at(&v, numbers[i]);
		assert_true(v.room > numbers[i]);
		assert_true(!e->a && !e->b);
		e->a = e->b = numbers[i] + 1;
	}
	for (unsigned int i = 0; i < 10; i++) {
		assert_ptr_equal(vec_get(&v, numbers[i]), where[i]);
		assert_int_equal(where[i]->a, numbers[i] + 1);
	}
	/* neighbours do not overlap, across every edge of a chunk */
	for (uint32_t i = 0; i < v.room; i++)
		((struct element *)vec_get(&v, i))->a = i;
	for (uint32_t i = 0; i < v.room; i++)
		assert_int_equal(((struct element *)vec_get(&v, i))->a, i);
	vec_fini(&v);
	assert_int_equal(v.room, 0);
	/* and again: zero */
	e = vec_at(&v, 1000000);
	assert_true(!e->a && !e->b);
	vec_fini(&v);
}

static void queues(void **state)
{
	struct fifo f = { 0 };
	uint32_t in = 0, out = 0, n, number;

	srandom(11);
	assert_false(fifo_pop(&f, &number));
	for (unsigned int round = 0; round < 400; round++) {
		/* it gets longer, and then shorter */
		for (n = random() % (round < 200 ? 400 : 200); n; n--)
			fifo_push(&f, in++);
		for (n = random() % (round < 200 ? 200 : 400); n && fifo_pop(&f, &number); n--)
			assert_int_equal(number, out++);
		assert_int_equal(f.count, in - out);
	}
	while (fifo_pop(&f, &number))
		assert_int_equal(number, out++);
	assert_int_equal(in, out);
	assert_null(f.first);
	assert_null(f.last);
	for (n = 0; n < 5000; n++)
		fifo_push(&f, n);
	while (fifo_pop(&f, &number))
		;
	fifo_push(&f, 5);
	assert_true(fifo_pop(&f, &number));
	assert_int_equal(number, 5);
	assert_null(f.first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows),
		cmocka_unit_test(queues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
