// SPDX-License-Identifier: GPL-2.0
/*
 * Slabs (slab.h). Chunk 0 holds numbers 0..7, chunk k the numbers from 8 << (k - 1) on, as many.
 */
#include "lib/slab.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/log.h"
#include "lib/mem.h"

#define MAPPED (256u << 10)	/* octets from which on a chunk is mapped: pages come as they are touched */
#define PIECE 65536u		/* what is kept is cut at multiples of this, which is one of every page size */

void slab_init(struct slab *s, size_t size, unsigned int align)
{
	memset(s, 0, sizeof(*s));
	s->size = (uint32_t)((size + align - 1) & ~(size_t)(align - 1));
	s->free = SLAB_NONE;
}

static size_t chunk_octets(const struct slab *s, unsigned int k)
{
	return (size_t)(k ? SLAB_FIRST << (k - 1) : SLAB_FIRST) * s->size;
}

static void chunk_add(struct slab *s)
{
	size_t octets = chunk_octets(s, s->chunks);
	uint8_t *mem;

	if (octets < MAPPED) {
		mem = xcalloc(1, octets);
	} else {
		mem = mmap(NULL, octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (mem == MAP_FAILED) {
			log_err("lib", "no memory for %zu octets of objects", octets);
			abort();
		}
	}
	s->chunk = xrealloc(s->chunk, (s->chunks + 1u) * sizeof(*s->chunk));
	s->chunk[s->chunks++] = mem;
}

/* ---- memory that waits to go back ---- */

struct dead {
	struct dead *next;
	uint8_t *mem;
	size_t octets;
};

static struct dead *dead;
static void (*dead_waits)(void *arg);
static void *dead_arg;

void slab_reclaim_hook(void (*waits)(void *arg), void *arg)
{
	dead_waits = waits;
	dead_arg = arg;
	while (!waits && slab_reclaim(SIZE_MAX))
		;
}

bool slab_reclaim(size_t octets)
{
	struct dead *d = dead;
	size_t keep;

	if (!d)
		return false;
	keep = d->octets > octets ? (d->octets - octets) & ~(size_t)(PIECE - 1) : 0;
	munmap(d->mem + keep, d->octets - keep);
	d->octets = keep;
	if (!keep) {
		dead = d->next;
		free(d);
	}
	return dead;
}

static void unmap(uint8_t *mem, size_t octets)
{
	struct dead *d;

	if (!dead_waits) {
		munmap(mem, octets);
		return;
	}
	d = xmalloc(sizeof(*d));
	*d = (struct dead){ .next = dead, .mem = mem, .octets = octets };
	dead = d;
	dead_waits(dead_arg);
}

/* ---- slabs ---- */

void slab_fini(struct slab *s)
{
	for (unsigned int k = 0; k < s->chunks; k++) {
		if (chunk_octets(s, k) < MAPPED)
			free(s->chunk[k]);
		else
			unmap(s->chunk[k], chunk_octets(s, k));
	}
	free(s->chunk);
	s->chunk = NULL;
	s->chunks = 0;
	s->high = 0;
	s->count = 0;
	s->free = SLAB_NONE;
}

static uint32_t capacity(const struct slab *s)
{
	return s->chunks ? SLAB_FIRST << (s->chunks - 1) : 0;
}

uint32_t slab_alloc(struct slab *s)
{
	uint32_t i = s->free;
	void *object;

	s->count++;
	if (i == SLAB_NONE) {
		if (s->high == capacity(s))
			chunk_add(s);
		return s->high++;
	}
	object = slab_at(s, i);
	memcpy(&s->free, object, sizeof(s->free));
	memset(object, 0, s->size);
	return i;
}

void slab_free(struct slab *s, uint32_t i)
{
	if (!--s->count) {
		slab_fini(s);
		return;
	}
	memcpy(slab_at(s, i), &s->free, sizeof(s->free));
	s->free = i;
}
