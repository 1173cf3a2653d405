// SPDX-License-Identifier: GPL-2.0
/* Queues of numbers (fifo.h). */
#include "lib/fifo.h"

#include <stddef.h>
#include <stdlib.h>

#include "lib/mem.h"

/* a piece with its head is of 128 octets, the ones behind it of 4 KiB: there are thousands of short queues */
#define FEW	26u
#define MANY	1018u

struct fifo_piece {
	struct fifo_piece *next;
	uint32_t from, to, size;	/* [from, to) is left of @size */
	uint32_t number[];
};

static struct fifo_piece *piece_add(struct fifo *f)
{
	uint32_t size = f->last ? MANY : FEW;
	struct fifo_piece *p = xmalloc(sizeof(*p) + size * sizeof(p->number[0]));

	*p = (struct fifo_piece){ .size = size };
	if (f->last)
		f->last->next = p;
	else
		f->first = p;
	f->last = p;
	return p;
}

void fifo_push(struct fifo *f, uint32_t number)
{
	struct fifo_piece *p = f->last;

	if (!p || p->to == p->size)
		p = piece_add(f);
	p->number[p->to++] = number;
	f->count++;
}

bool fifo_pop(struct fifo *f, uint32_t *number)
{
	struct fifo_piece *p = f->first;

	if (!f->count)
		return false;
	*number = p->number[p->from++];
	f->count--;
	if (p->from == p->to && (p->to == p->size || !f->count)) {
		f->first = p->next;
		if (!f->first)
			f->last = NULL;
		free(p);
	}
	return true;
}
