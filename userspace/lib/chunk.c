// SPDX-License-Identifier: GPL-2.0
/* Chunks of memory (chunk.h). */
#include "lib/chunk.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "lib/log.h"
#include "lib/mem.h"

#define PIECE 65536u		/* what is kept is cut at multiples of this, which is one of every page size */

uint8_t *chunk_new(size_t octets)
{
	uint8_t *mem;

	if (octets < CHUNK_MAPPED)
		return xcalloc(1, octets);
	mem = mmap(NULL, octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem == MAP_FAILED) {
		log_err("lib", "no memory for %zu octets", octets);
		abort();
	}
	return mem;
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

void chunk_reclaim_hook(void (*waits)(void *arg), void *arg)
{
	dead_waits = waits;
	dead_arg = arg;
	while (!waits && chunk_reclaim(SIZE_MAX))
		;
}

bool chunk_reclaim(size_t octets)
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

void chunk_free(uint8_t *mem, size_t octets)
{
	if (octets < CHUNK_MAPPED)
		free(mem);
	else if (mem)
		unmap(mem, octets);
}
