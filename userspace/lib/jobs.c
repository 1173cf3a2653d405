// SPDX-License-Identifier: GPL-2.0
/*
 * Sliced work and timers on the event loop (jobs.h).
 *
 * While something is ready an idle handle keeps the loop from blocking; each turn of the loop runs
 * jobs for JOBS_SLICE_MS, in the order in which they were scheduled.
 */
#include "lib/jobs.h"

#include <stdlib.h>
#include <time.h>
#include <uv.h>

#include "lib/mem.h"

struct jobs {
	struct list ready;
	struct list timers;		/* by due_us */
	uv_loop_t *loop;
	uv_idle_t idle;
	uv_timer_t clock;
	unsigned int handles;		/* open ones */
	uint64_t advance_us;		/* timers_advance() */
	uint64_t longest_us;
	const char *longest_name;
};

uint64_t clock_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

uint32_t clock_seconds(void)
{
	return clock_us() / 1000000;
}

uint32_t jobs_seconds(const struct jobs *j)
{
	return j->loop ? uv_now(j->loop) / 1000 : clock_us() / 1000000;
}

uint64_t jobs_clock_us(const struct jobs *j)
{
	return clock_us() + j->advance_us;
}

bool jobs_pending(const struct jobs *j)
{
	return !list_empty(&j->ready);
}

uint64_t jobs_longest_us(const struct jobs *j, const char **name)
{
	if (name)
		*name = j->longest_name ? j->longest_name : "";
	return j->longest_us;
}

void jobs_longest_clear(struct jobs *j)
{
	j->longest_us = 0;
	j->longest_name = NULL;
}

static void run_one(struct jobs *j, struct job *job)
{
	uint64_t start = clock_us(), took;
	const char *name = job->name;

	list_del(&job->node);
	/* the job may destroy itself: it is not touched when it says that there is no more */
	if (job->fn(job, JOB_BUDGET) && !list_linked(&job->node))
		list_add_tail(&j->ready, &job->node);
	took = clock_us() - start;
	if (took > j->longest_us) {
		j->longest_us = took;
		j->longest_name = name;
	}
}

bool jobs_run(struct jobs *j, unsigned int max_ms)
{
	uint64_t end = max_ms ? clock_us() + max_ms * 1000ull : UINT64_MAX;

	while (jobs_pending(j)) {
		run_one(j, list_first(&j->ready, struct job, node));
		if (max_ms && clock_us() >= end)
			break;
	}
	return jobs_pending(j);
}

static void on_idle(uv_idle_t *h)
{
	struct jobs *j = h->data;

	if (!jobs_run(j, JOBS_SLICE_MS))
		uv_idle_stop(h);
}

void job_init(struct job *job, struct jobs *jobs, const char *name,
	      bool (*fn)(struct job *job, unsigned int budget))
{
	list_init(&job->node);
	job->jobs = jobs;
	job->name = name;
	job->fn = fn;
}

void job_schedule(struct job *job)
{
	struct jobs *j = job->jobs;

	if (list_linked(&job->node))
		return;
	list_add_tail(&j->ready, &job->node);
	if (j->loop && !uv_is_active((uv_handle_t *)&j->idle))
		uv_idle_start(&j->idle, on_idle);
}

void job_cancel(struct job *job)
{
	list_del(&job->node);
}

/* ---- timers ---- */

static void fire_due(struct jobs *j)
{
	uint64_t now = jobs_clock_us(j);
	struct timer *t;

	while (!list_empty(&j->timers)) {
		t = list_first(&j->timers, struct timer, node);
		if (t->due_us > now)
			break;
		list_del(&t->node);
		t->fn(t);
	}
}

static void on_clock(uv_timer_t *h);

static void arm(struct jobs *j)
{
	uint64_t now = jobs_clock_us(j);
	struct timer *t;

	if (!j->loop)
		return;
	if (list_empty(&j->timers)) {
		uv_timer_stop(&j->clock);
		return;
	}
	t = list_first(&j->timers, struct timer, node);
	/* rounded up, so that it is due when the loop wakes */
	uv_update_time(j->loop);
	uv_timer_start(&j->clock, on_clock, t->due_us > now ? (t->due_us - now + 999) / 1000 : 0, 0);
}

static void on_clock(uv_timer_t *h)
{
	fire_due(h->data);
	arm(h->data);
}

void timer_init(struct timer *t, struct jobs *jobs, void (*fn)(struct timer *t))
{
	list_init(&t->node);
	t->jobs = jobs;
	t->fn = fn;
	t->due_us = 0;
}

void timer_start(struct timer *t, uint64_t ms)
{
	struct jobs *j = t->jobs;
	struct list *at;

	list_del(&t->node);
	t->due_us = jobs_clock_us(j) + ms * 1000;
	for (at = j->timers.prev; at != &j->timers; at = at->prev)
		if (list_entry(at, struct timer, node)->due_us <= t->due_us)
			break;
	list_add(at, &t->node);
	if (j->timers.next == &t->node)
		arm(j);
}

void timer_stop(struct timer *t)
{
	list_del(&t->node);
}

bool timer_running(const struct timer *t)
{
	return list_linked(&t->node);
}

void timers_advance(struct jobs *j, uint64_t ms)
{
	j->advance_us += ms * 1000;
	fire_due(j);
	arm(j);
}

/* ---- life ---- */

struct jobs *jobs_new(struct uv_loop_s *loop)
{
	struct jobs *j = xcalloc(1, sizeof(*j));

	list_init(&j->ready);
	list_init(&j->timers);
	j->loop = loop;
	if (loop) {
		uv_idle_init(loop, &j->idle);
		uv_timer_init(loop, &j->clock);
		j->idle.data = j->clock.data = j;
		j->handles = 2;
		/* neither keeps a loop alive that has nothing else to do */
		uv_unref((uv_handle_t *)&j->clock);
	}
	return j;
}

static void on_closed(uv_handle_t *h)
{
	struct jobs *j = h->data;

	if (!--j->handles)
		free(j);
}

void jobs_free(struct jobs *j)
{
	if (!j)
		return;
	while (!list_empty(&j->ready))
		list_del(j->ready.next);
	while (!list_empty(&j->timers))
		list_del(j->timers.next);
	if (!j->loop) {
		free(j);
		return;
	}
	uv_close((uv_handle_t *)&j->idle, on_closed);
	uv_close((uv_handle_t *)&j->clock, on_closed);
}
