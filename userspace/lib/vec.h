/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Arrays that grow by number, of elements that start as zero and never move: nothing is copied, and where there are
 * many, a page comes when an element on it is touched. For what is looked up by the number of a net, of which there
 * may be millions. No locking: main thread only.
 */
#ifndef L3VPN_LIB_VEC_H
#define L3VPN_LIB_VEC_H

#include "lib/chunk.h"

struct vec {
	uint8_t **chunk;
	uint32_t room;			/* numbers below have memory */
	uint16_t size;			/* octets of an element */
	uint8_t chunks;
};

/* @size: octets, a multiple of what the elements are aligned to */
static inline void vec_init(struct vec *v, uint16_t size)
{
	*v = (struct vec){ .size = size };
}

/* frees everything; it is empty then */
void vec_fini(struct vec *v);
/* makes room for @i and all below; as xmalloc() it does not fail */
void vec_grow(struct vec *v, uint32_t i);

/* an element that there is room for */
static inline void *vec_get(const struct vec *v, uint32_t i)
{
	unsigned int k = chunk_of(i);

	return v->chunk[k] + (size_t)(i - chunk_start(k)) * v->size;
}

/* an element, with room made for it */
static inline void *vec_at(struct vec *v, uint32_t i)
{
	if (i >= v->room)
		vec_grow(v, i);
	return vec_get(v, i);
}

#endif
