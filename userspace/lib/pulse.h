/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How long the turns of an event loop take. While a turn lasts, nothing else of that thread happens: its longest is
 * what a command or a timer may have had to wait. A turn is what the loop does between two waits for something to do.
 * Where the host has something better to do meanwhile a turn takes longer than its work: the CPU's time is told beside.
 * One thread: the loop's.
 */
#ifndef L3VPN_LIB_PULSE_H
#define L3VPN_LIB_PULSE_H

#include <stdint.h>

#define PULSE_SLOW_US	50000		/* no turn may take longer */

struct uv_loop_s;
struct pulse;

struct pulse_turn {
	uint64_t us;			/* from end to end of the wait */
	uint64_t cpu_us;		/* of the thread, meanwhile */
};

struct pulse_told {
	uint64_t turns;
	uint64_t slow;			/* turns over PULSE_SLOW_US */
	struct pulse_turn longest;	/* since pulse_new() or pulse_clear() */
	struct pulse_turn minute;	/* the longest of the last minute (55 to 60 s) */
	uint64_t busy_us;		/* all turns together */
};

/* Before the loop runs for the first time. NULL: this libuv cannot tell how long it waits. */
struct pulse *pulse_new(struct uv_loop_s *loop);
/* the loop must run once more to close the handle (as libuv asks); NULL is fine */
void pulse_free(struct pulse *p);
/* the longest turns and the counts start anew */
void pulse_clear(struct pulse *p);
void pulse_tell(const struct pulse *p, struct pulse_told *told);

#endif
