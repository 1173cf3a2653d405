// SPDX-License-Identifier: GPL-2.0
/* Arrays that grow (vec.h). */
#include "lib/vec.h"

#include <stdlib.h>

#include "lib/mem.h"

void vec_grow(struct vec *v, uint32_t i)
{
	unsigned int chunks = chunk_of(i) + 1;

	v->chunk = xrealloc(v->chunk, chunks * sizeof(*v->chunk));
	for (; v->chunks < chunks; v->chunks++) {
		v->chunk[v->chunks] = chunk_new((size_t)chunk_capacity(v->chunks) * v->size);
		v->room += chunk_capacity(v->chunks);
	}
}

void vec_fini(struct vec *v)
{
	for (unsigned int k = 0; k < v->chunks; k++)
		chunk_free(v->chunk[k], (size_t)chunk_capacity(k) * v->size);
	free(v->chunk);
	vec_init(v, v->size);
}
