/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Queues of numbers, first in, first out: in pieces, so that a long one is never copied and gives its memory back as it
 * gets shorter. An empty one has no memory: to end one, pop all. All zero is empty. No locking.
 */
#ifndef L3VPN_LIB_FIFO_H
#define L3VPN_LIB_FIFO_H

#include <stdbool.h>
#include <stdint.h>

struct fifo_piece;

struct fifo {
	struct fifo_piece *first, *last;
	uint32_t count;
};

/* as xmalloc() it does not fail */
void fifo_push(struct fifo *f, uint32_t number);
/* false: it is empty */
bool fifo_pop(struct fifo *f, uint32_t *number);

#endif
