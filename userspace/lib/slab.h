/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Slabs: very many objects of one size, without malloc's octets in front of each, and with a number
 * of 32 bits for each beside its pointer. Neither changes while the object lives.
 *
 * They lie in chunks (chunk.h). New objects come into the smallest
 * chunk that has room, so that the large ones empty in time; the memory of an empty chunk goes back when the smaller
 * ones have room enough for what may come next, and all of it with the last object.
 * No locking: main thread only.
 */
#ifndef L3VPN_LIB_SLAB_H
#define L3VPN_LIB_SLAB_H

#include "lib/chunk.h"

#define SLAB_NONE	UINT32_MAX

struct slab_room;

struct slab {
	uint8_t **chunk;		/* one that is NULL: its memory has gone back */
	struct slab_room *room;		/* of each chunk */
	uint32_t size;			/* octets of an object */
	uint32_t high;			/* numbers given out so far are below */
	uint32_t count;
	uint32_t open;			/* bit k: chunk k has room */
	uint32_t idle;			/* bit k: chunk k has no object, and its memory all the same */
	uint8_t chunks;
};

/* @size: octets, at least 4, rounded up to a multiple of @align (4 or 8) */
void slab_init(struct slab *s, size_t size, unsigned int align);
/* frees everything */
void slab_fini(struct slab *s);
/* the number of a zeroed object; as xmalloc() it does not fail */
uint32_t slab_alloc(struct slab *s);
void slab_free(struct slab *s, uint32_t i);
/* octets of memory that its chunks have, touched or not */
size_t slab_octets(const struct slab *s);

/* the object of a number that was given out */
static inline void *slab_at(const struct slab *s, uint32_t i)
{
	unsigned int k = chunk_of(i);

	return s->chunk[k] + (size_t)(i - chunk_start(k)) * s->size;
}

#endif
