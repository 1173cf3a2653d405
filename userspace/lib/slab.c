// SPDX-License-Identifier: GPL-2.0
/* Slabs (slab.h). */
#include "lib/slab.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/mem.h"

#define LOOK_MASK 1023u		/* idle chunks are looked at when so many objects more have gone */

#define AHEAD_MIN (16u << 10)	/* pages are asked for by so many octets at least, an eighth of what is in use */
#define AHEAD_MAX (64u << 10)

/* What is free in a chunk: a list, linked by the objects' first four octets, and what is behind the highest number. */
struct slab_room {
	uint32_t free;			/* the first in the list, or SLAB_NONE */
	uint32_t used;
	uint32_t high;			/* of the chunk's own numbers, those given out so far are below */
	uint32_t touched;		/* those below may hold something else than zero */
	uint32_t ahead;			/* octets in units of AHEAD_MIN whose pages are there */
};

void slab_init(struct slab *s, size_t size, unsigned int align)
{
	memset(s, 0, sizeof(*s));
	s->size = (uint32_t)((size + align - 1) & ~(size_t)(align - 1));
}

static size_t chunk_octets(const struct slab *s, unsigned int k)
{
	return (size_t)chunk_capacity(k) * s->size;
}

static void chunk_map(struct slab *s, unsigned int k)
{
	s->chunk[k] = chunk_new(chunk_octets(s, k));
	s->room[k] = (struct slab_room){ .free = SLAB_NONE };
}

static void chunk_add(struct slab *s)
{
	unsigned int k = s->chunks++;

	s->chunk = xrealloc(s->chunk, s->chunks * sizeof(*s->chunk));
	s->room = xrealloc(s->room, s->chunks * sizeof(*s->room));
	chunk_map(s, k);
	s->open |= 1u << k;
}

/* Pages for the next objects of a mapped chunk; where the kernel cannot (before Linux 5.14), they come one by one. */
static void fetch_ahead(struct slab *s, unsigned int k)
{
	struct slab_room *r = &s->room[k];
	size_t end = chunk_octets(s, k), at = (size_t)r->ahead * AHEAD_MIN, step;

	if (end < CHUNK_MAPPED || ((size_t)r->high + 1) * s->size <= at || at >= end)
		return;
	step = (chunk_start(k) + (size_t)r->high) * s->size / 8 & ~(size_t)(AHEAD_MIN - 1);
	step = step < AHEAD_MIN ? AHEAD_MIN : step > AHEAD_MAX ? AHEAD_MAX : step;
	if (step > end - at)
		step = end - at;
#ifdef MADV_POPULATE_WRITE
	madvise(s->chunk[k] + at, step, MADV_POPULATE_WRITE);
#endif
	r->ahead = (uint32_t)((at + step + AHEAD_MIN - 1) / AHEAD_MIN);
}

static void chunk_unmap(struct slab *s, unsigned int k)
{
	chunk_free(s->chunk[k], chunk_octets(s, k));
	s->chunk[k] = NULL;
}

void slab_fini(struct slab *s)
{
	for (unsigned int k = 0; k < s->chunks; k++)
		chunk_unmap(s, k);
	free(s->chunk);
	free(s->room);
	s->chunk = NULL;
	s->room = NULL;
	s->chunks = 0;
	s->high = 0;
	s->count = 0;
	s->open = 0;
	s->idle = 0;
}

size_t slab_octets(const struct slab *s)
{
	size_t octets = 0;

	for (unsigned int k = 0; k < s->chunks; k++)
		octets += s->chunk[k] ? chunk_octets(s, k) : 0;
	return octets;
}

/* one that was never given out, or not since its chunk was empty */
static uint32_t take_fresh(struct slab *s, unsigned int k)
{
	struct slab_room *r = &s->room[k];
	uint32_t i = chunk_start(k) + r->high;

	fetch_ahead(s, k);
	if (r->high++ < r->touched)
		memset(slab_at(s, i), 0, s->size);
	else
		r->touched = r->high;
	if (i >= s->high)
		s->high = i + 1;
	return i;
}

static uint32_t take_freed(struct slab *s, unsigned int k)
{
	struct slab_room *r = &s->room[k];
	uint32_t i = r->free;
	void *object = slab_at(s, i);

	memcpy(&r->free, object, sizeof(r->free));
	memset(object, 0, s->size);
	return i;
}

uint32_t slab_alloc(struct slab *s)
{
	struct slab_room *r;
	unsigned int k;
	uint32_t i;

	if (!s->open)
		chunk_add(s);
	k = (unsigned int)__builtin_ctz(s->open);
	if (!s->chunk[k])
		chunk_map(s, k);
	r = &s->room[k];
	i = r->free == SLAB_NONE ? take_fresh(s, k) : take_freed(s, k);
	s->count++;
	r->used++;
	s->idle &= ~(1u << k);
	if (r->free == SLAB_NONE && r->high == chunk_capacity(k))
		s->open &= ~(1u << k);
	return i;
}

/* A chunk keeps its memory until the smaller ones have room: its next object may be about to come. */
static bool is_spare(const struct slab *s, unsigned int k)
{
	return s->count < chunk_start(k) - chunk_start(k) / 8;
}

static void give_back_idle(struct slab *s)
{
	for (uint32_t left = s->idle; left; left &= left - 1) {
		unsigned int k = (unsigned int)__builtin_ctz(left);

		if (!is_spare(s, k))
			continue;
		chunk_unmap(s, k);
		s->idle &= ~(1u << k);
	}
}

void slab_free(struct slab *s, uint32_t i)
{
	unsigned int k = chunk_of(i);
	struct slab_room *r = &s->room[k];
	bool look;

	if (!--s->count) {
		slab_fini(s);
		return;
	}
	s->open |= 1u << k;
	if (--r->used) {
		memcpy(slab_at(s, i), &r->free, sizeof(r->free));
		r->free = i;
		look = s->idle && !(s->count & LOOK_MASK);
	} else {
		r->free = SLAB_NONE;
		r->high = 0;
		s->idle |= 1u << k;
		look = true;
	}
	if (look)
		give_back_idle(s);
}
