// SPDX-License-Identifier: GPL-2.0
/* rooms: lib */
/* Turns of a loop: work counts, waiting does not, the slow ones are counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <uv.h>
#include <cmocka.h>

#include "lib/jobs.h"
#include "lib/pulse.h"

static unsigned int burn_ms;

static void on_timer(uv_timer_t *h)
{
	uint64_t end = clock_us() + burn_ms * 1000;

	while (clock_us() < end)
		;
}

/* waits for 30 ms, then works for so long */
static void once(uv_loop_t *loop, unsigned int ms)
{
	uv_timer_t timer;

	burn_ms = ms;
	uv_update_time(loop);
	uv_timer_init(loop, &timer);
	uv_timer_start(&timer, on_timer, 30, 0);
	uv_run(loop, UV_RUN_DEFAULT);
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(loop, UV_RUN_DEFAULT);
}

static void turns(void **unused)
{
	struct pulse_told told;
	struct pulse *p;
	uint64_t start;
	uv_loop_t loop;

	uv_loop_init(&loop);
	p = pulse_new(&loop);
	assert_non_null(p);
	once(&loop, 0);
	once(&loop, 10);
	pulse_tell(p, &told);
	assert_in_range(told.longest.us, 10000, 10000000);
	assert_in_range(told.longest.cpu_us, 1000, told.longest.us + 1000);
	assert_int_equal(told.minute.us, told.longest.us);
	start = told.slow;
	once(&loop, 60);
	once(&loop, 20);
	pulse_tell(p, &told);
	assert_in_range(told.slow - start, 1, 2);	/* the second on a host that stood still */
	assert_in_range(told.longest.us, 60000, 10000000);
	assert_in_range(told.minute.us, 60000, 10000000);
	assert_in_range(told.busy_us, 90000, 10000000);
	assert_true(told.turns >= 4);
	pulse_clear(p);
	pulse_tell(p, &told);
	assert_int_equal(told.turns + told.longest.us + told.minute.us, 0);
	pulse_free(p);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

/* waiting for 30 ms, four times, is not work */
static void waiting(void **unused)
{
	struct pulse_told told;
	struct pulse *p;
	uint64_t start;
	uv_loop_t loop;

	uv_loop_init(&loop);
	p = pulse_new(&loop);
	start = clock_us();
	for (int i = 0; i < 4; i++)
		once(&loop, 0);
	pulse_tell(p, &told);
	assert_true(clock_us() - start >= 120000);
	assert_true(told.busy_us + 110000 < clock_us() - start);
	pulse_free(p);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(turns),
		cmocka_unit_test(waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
