/* SPDX-License-Identifier: GPL-2.0 */
/* Timers by time: a binary heap. The owner embeds struct bfd_timer, which must not move while it is set. */
#ifndef L3VPN_BFD_TIMERS_H
#define L3VPN_BFD_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

struct bfd_timer {
	uint64_t due_us;
	uint32_t at;			/* place in the heap + 1; 0: not set */
	uint8_t kind;			/* the owner's */
};

struct bfd_timers {
	struct bfd_timer **heap;
	uint32_t n, size;
};

void bfd_timer_set(struct bfd_timers *h, struct bfd_timer *t, uint64_t due_us);
void bfd_timer_stop(struct bfd_timers *h, struct bfd_timer *t);
/* the next one; NULL: none is set */
struct bfd_timer *bfd_timers_first(const struct bfd_timers *h);
void bfd_timers_fini(struct bfd_timers *h);

static inline bool bfd_timer_running(const struct bfd_timer *t)
{
	return t->at;
}

#endif
