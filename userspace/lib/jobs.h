/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Work that is done in slices on the event loop, so that no pause of the loop exceeds 50 ms.
 *
 * A job is a function that does a bounded piece of work and says whether there is more. Scheduled
 * jobs take turns in order; after JOBS_SLICE_MS the loop gets to look at its sockets. All calls
 * from the main thread only. A job that is destroyed must be cancelled first.
 */
#ifndef L3VPN_LIB_JOBS_H
#define L3VPN_LIB_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/list.h"

#define JOBS_SLICE_MS	6
#define JOB_BUDGET	256		/* items that one call of a job should handle at most */

struct uv_loop_s;
struct jobs;

struct job {
	struct list node;		/* in jobs' ready list */
	struct jobs *jobs;
	bool (*fn)(struct job *job, unsigned int budget);	/* true: call me again */
	const char *name;
};

/* @loop may be NULL: then only jobs_run() runs them (unit tests) */
struct jobs *jobs_new(struct uv_loop_s *loop);
/* cancels what is ready; the loop must run once more to close the handles (as libuv asks) */
void jobs_free(struct jobs *j);

void job_init(struct job *job, struct jobs *jobs, const char *name,
	      bool (*fn)(struct job *job, unsigned int budget));
void job_schedule(struct job *job);	/* no effect when already scheduled */
void job_cancel(struct job *job);

/* runs until nothing is ready, or max_ms passed (0: no limit); true when something is left */
bool jobs_run(struct jobs *j, unsigned int max_ms);
bool jobs_pending(const struct jobs *j);
/* longest single slice so far, in microseconds, and which job it was (for show system) */
uint64_t jobs_longest_us(const struct jobs *j, const char **name);

void jobs_longest_clear(struct jobs *j);

/* monotonic clock */
uint64_t clock_us(void);
uint32_t clock_seconds(void);
/* that as of the turn of the loop that is under way: asking costs nothing */
uint32_t jobs_seconds(const struct jobs *j);

/* One-shot timers on the same loop; with a NULL loop they fire from timers_advance() only. */
struct timer {
	struct list node;		/* by time */
	struct jobs *jobs;
	uint64_t due_us;
	void (*fn)(struct timer *t);
};

void timer_init(struct timer *t, struct jobs *jobs, void (*fn)(struct timer *t));
void timer_start(struct timer *t, uint64_t ms);		/* restarts a running one */
void timer_stop(struct timer *t);
bool timer_running(const struct timer *t);
/* the clock that these timers follow, microseconds: clock_us() but for timers_advance() */
uint64_t jobs_clock_us(const struct jobs *j);
/* unit tests: moves the clock of these timers on by ms and fires what is due */
void timers_advance(struct jobs *j, uint64_t ms);

#endif
