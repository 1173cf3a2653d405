// SPDX-License-Identifier: GPL-2.0
/* rooms: lib */
/* Jobs: turns, slices on a real loop, self-destruction; timers in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include <cmocka.h>

#include "lib/jobs.h"
#include "lib/mem.h"

struct counter {
	struct job job;
	unsigned int left;
	char *trace;
	char name;
};

static bool count_down(struct job *job, unsigned int budget)
{
	struct counter *c = list_entry(job, struct counter, job);

	if (c->trace)
		strncat(c->trace, &c->name, 1);
	return --c->left > 0;
}

static void take_turns(void **unused)
{
	char trace[16] = "";
	struct jobs *j = jobs_new(NULL);
	struct counter a = { .left = 3, .trace = trace, .name = 'a' };
	struct counter b = { .left = 2, .trace = trace, .name = 'b' };

	job_init(&a.job, j, "a", count_down);
	job_init(&b.job, j, "b", count_down);
	job_schedule(&a.job);
	job_schedule(&b.job);
	job_schedule(&a.job);
	assert_true(jobs_pending(j));
	assert_false(jobs_run(j, 0));
	assert_string_equal(trace, "ababa");
	jobs_free(j);
}

static bool self_destruct(struct job *job, unsigned int budget)
{
	free(list_entry(job, struct counter, job));
	return false;
}

static void may_free_itself(void **unused)
{
	struct jobs *j = jobs_new(NULL);
	struct counter *c = xcalloc(1, sizeof(*c));

	job_init(&c->job, j, "c", self_destruct);
	job_schedule(&c->job);
	assert_false(jobs_run(j, 0));
	jobs_free(j);
}

static bool burn(struct job *job, unsigned int budget)
{
	uint64_t end = clock_us() + 1000;

	while (clock_us() < end)
		;
	return count_down(job, budget);
}

static unsigned int loop_turns;

static void on_prepare(uv_prepare_t *h)
{
	loop_turns++;
}

/* 100 ms of work leaves the loop at least 5 turns */
static void loop_breathes(void **unused)
{
	struct counter c = { .left = 100 };
	uv_prepare_t prepare;
	struct jobs *j;
	uv_loop_t loop;
	const char *name;

	uv_loop_init(&loop);
	uv_prepare_init(&loop, &prepare);
	uv_prepare_start(&prepare, on_prepare);
	uv_unref((uv_handle_t *)&prepare);
	j = jobs_new(&loop);
	job_init(&c.job, j, "burn", burn);
	job_schedule(&c.job);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(c.left, 0);
	assert_true(loop_turns >= 5);
	assert_true(jobs_longest_us(j, &name) >= 1000);
	assert_string_equal(name, "burn");
	jobs_free(j);
	uv_close((uv_handle_t *)&prepare, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static char fired[8];
static struct timer ta, tb, tc;

static void on_timer(struct timer *t)
{
	strcat(fired, t == &ta ? "a" : t == &tb ? "b" : "c");
}

static void timers(void **unused)
{
	struct jobs *j = jobs_new(NULL);

	timer_init(&ta, j, on_timer);
	timer_init(&tb, j, on_timer);
	timer_init(&tc, j, on_timer);
	timer_start(&ta, 60000);
	timer_start(&tb, 20000);
	timer_start(&tc, 40000);
	timer_start(&tb, 50000);
	timers_advance(j, 30000);
	assert_string_equal(fired, "");
	timers_advance(j, 25000);
	assert_string_equal(fired, "cb");
	timer_stop(&ta);
	assert_false(timer_running(&ta));
	timers_advance(j, 100000);
	assert_string_equal(fired, "cb");
	jobs_free(j);
}

static void on_real_timer(struct timer *t)
{
	*(char *)fired = 'x';
	uv_stop(t->jobs ? uv_default_loop() : NULL);
}

static void timer_on_loop(void **unused)
{
	uv_loop_t *loop = uv_default_loop();
	struct jobs *j = jobs_new(loop);
	uv_timer_t guard;

	uv_timer_init(loop, &guard);
	uv_timer_start(&guard, (uv_timer_cb)abort, 5000, 0);
	timer_init(&ta, j, on_real_timer);
	timer_start(&ta, 5);
	uv_run(loop, UV_RUN_DEFAULT);
	assert_int_equal(fired[0], 'x');
	uv_close((uv_handle_t *)&guard, NULL);
	jobs_free(j);
	uv_run(loop, UV_RUN_DEFAULT);
	uv_loop_close(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(take_turns),
		cmocka_unit_test(may_free_itself),
		cmocka_unit_test(loop_breathes),
		cmocka_unit_test(timers),
		cmocka_unit_test(timer_on_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
