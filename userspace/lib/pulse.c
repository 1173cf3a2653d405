// SPDX-License-Identifier: GPL-2.0
/*
 * Turns of an event loop (pulse.h). libuv tells what it has waited in all; a handle that runs before each wait knows
 * what time has gone by since the one before. What is not waiting is work.
 */
#include "lib/pulse.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uv.h>

#include "lib/mem.h"

#define BUCKETS		12
#define BUCKET_NS	5000000000ull

struct pulse {
	uv_prepare_t prepare;
	uint64_t at, idle, cpu;		/* ns, when the turn before ended */
	struct pulse_told told;
	struct pulse_turn bucket[BUCKETS];	/* the longest of 5 s each */
	uint64_t of[BUCKETS];		/* which 5 s */
};

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static void longer(struct pulse_turn *longest, const struct pulse_turn *t)
{
	if (t->us > longest->us)
		*longest = *t;
}

static void note(struct pulse *p, uint64_t now, const struct pulse_turn *t)
{
	uint64_t period = now / BUCKET_NS;
	unsigned int i = period % BUCKETS;

	if (p->of[i] != period) {
		p->of[i] = period;
		p->bucket[i] = (struct pulse_turn){ 0 };
	}
	longer(&p->bucket[i], t);
	longer(&p->told.longest, t);
	p->told.turns++;
	p->told.slow += t->us > PULSE_SLOW_US;
	p->told.busy_us += t->us;
}

static void on_prepare(uv_prepare_t *h)
{
	struct pulse *p = h->data;
	uint64_t now = uv_hrtime(), idle = uv_metrics_idle_time(h->loop), cpu = cpu_ns(), waited = idle - p->idle;
	struct pulse_turn t = { .cpu_us = (cpu - p->cpu) / 1000 };

	if (now - p->at > waited)
		t.us = (now - p->at - waited) / 1000;
	if (p->at)
		note(p, now, &t);
	p->at = now;
	p->idle = idle;
	p->cpu = cpu;
}

struct pulse *pulse_new(uv_loop_t *loop)
{
	struct pulse *p;

	if (uv_loop_configure(loop, UV_METRICS_IDLE_TIME))
		return NULL;
	p = xcalloc(1, sizeof(*p));
	uv_prepare_init(loop, &p->prepare);
	p->prepare.data = p;
	uv_prepare_start(&p->prepare, on_prepare);
	uv_unref((uv_handle_t *)&p->prepare);
	return p;
}

static void on_closed(uv_handle_t *h)
{
	free(h->data);
}

void pulse_free(struct pulse *p)
{
	if (p)
		uv_close((uv_handle_t *)&p->prepare, on_closed);
}

void pulse_clear(struct pulse *p)
{
	memset(&p->told, 0, sizeof(p->told));
	memset(p->bucket, 0, sizeof(p->bucket));
}

void pulse_tell(const struct pulse *p, struct pulse_told *told)
{
	uint64_t period = uv_hrtime() / BUCKET_NS;

	*told = p->told;
	for (unsigned int i = 0; i < BUCKETS; i++)
		if (p->of[i] + BUCKETS > period)
			longer(&told->minute, &p->bucket[i]);
}
