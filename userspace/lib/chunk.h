/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory in chunks that double in size: how slabs (slab.h) and arrays (vec.h) grow without anything moving. Chunk 0
 * holds the numbers 0..7, chunk k those from 8 << (k - 1) on, as many.
 *
 * Large chunks are mapped: a page that was never touched costs nothing. Unmapping what a million objects had takes tens
 * of milliseconds: with a hook it waits, and goes back in slices. No locking: main thread only.
 */
#ifndef L3VPN_LIB_CHUNK_H
#define L3VPN_LIB_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHUNK_FIRST	8u		/* numbers in the first chunk */
#define CHUNK_MAPPED	(256u << 10)	/* octets from which on a chunk is mapped */

/* in which chunk a number is */
static inline unsigned int chunk_of(uint32_t i)
{
	return i < CHUNK_FIRST ? 0 : 29 - (unsigned int)__builtin_clz(i);
}

/* the first number of a chunk, and how many it holds */
static inline uint32_t chunk_start(unsigned int k)
{
	return k ? CHUNK_FIRST << (k - 1) : 0;
}

static inline uint32_t chunk_capacity(unsigned int k)
{
	return k ? chunk_start(k) : CHUNK_FIRST;
}

/* Zeroed memory; as xmalloc() it does not fail. */
uint8_t *chunk_new(size_t octets);
/* @octets: as it was made; NULL is nothing */
void chunk_free(uint8_t *mem, size_t octets);

/*
 * With a hook, mapped memory that is free waits, and the hook is called: from then on chunk_reclaim() is to be called,
 * in slices, until it says that nothing is left. Without one (NULL, at first) it goes back at once.
 */
void chunk_reclaim_hook(void (*waits)(void *arg), void *arg);
/* about so many octets, not 0; true: there is more */
bool chunk_reclaim(size_t octets);

#endif
