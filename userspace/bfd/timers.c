// SPDX-License-Identifier: GPL-2.0
/* A binary heap of timers (timers.h). */
#include "bfd/timers.h"

#include <stdlib.h>

#include "lib/mem.h"

static void place(struct bfd_timers *h, uint32_t i, struct bfd_timer *t)
{
	h->heap[i] = t;
	t->at = i + 1;
}

static void sift_up(struct bfd_timers *h, uint32_t i, struct bfd_timer *t)
{
	for (; i && h->heap[(i - 1) / 2]->due_us > t->due_us; i = (i - 1) / 2)
		place(h, i, h->heap[(i - 1) / 2]);
	place(h, i, t);
}

static void sift_down(struct bfd_timers *h, uint32_t i, struct bfd_timer *t)
{
	uint32_t child;

	for (; (child = 2 * i + 1) < h->n; i = child) {
		if (child + 1 < h->n && h->heap[child + 1]->due_us < h->heap[child]->due_us)
			child++;
		if (h->heap[child]->due_us >= t->due_us)
			break;
		place(h, i, h->heap[child]);
	}
	place(h, i, t);
}

void bfd_timer_set(struct bfd_timers *h, struct bfd_timer *t, uint64_t due_us)
{
	bfd_timer_stop(h, t);
	t->due_us = due_us;
	if (h->n == h->size) {
		h->size = h->size ? 2 * h->size : 16;
		h->heap = xrealloc(h->heap, h->size * sizeof(struct bfd_timer *));
	}
	sift_up(h, h->n++, t);
}

void bfd_timer_stop(struct bfd_timers *h, struct bfd_timer *t)
{
	struct bfd_timer *last;
	uint32_t i = t->at - 1;

	if (!t->at)
		return;
	t->at = 0;
	last = h->heap[--h->n];
	if (last == t)
		return;
	if (i && h->heap[(i - 1) / 2]->due_us > last->due_us)
		sift_up(h, i, last);
	else
		sift_down(h, i, last);
}

struct bfd_timer *bfd_timers_first(const struct bfd_timers *h)
{
	return h->n ? h->heap[0] : NULL;
}

void bfd_timers_fini(struct bfd_timers *h)
{
	free(h->heap);
	h->heap = NULL;
	h->n = h->size = 0;
}
