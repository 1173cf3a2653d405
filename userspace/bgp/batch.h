/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a worker reads at once and hands over: UPDATEs, and the memory that all their parts lie in. It is taken in
 * pieces as small as they come, and given back whole, by the other thread. One thread at a time.
 */
#ifndef L3VPN_BGP_BATCH_H
#define L3VPN_BGP_BATCH_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct bgp_update;

struct bgp_block {
	struct bgp_block *next;
	uint32_t size, used;		/* octets of data */
	uint8_t data[] __attribute__((aligned(8)));
};

#define BGP_BLOCK_MAX (65536u - sizeof(struct bgp_block) - 64)

/*
 * Blocks of full size that came back, for the worker that they came from: what one thread gives and another takes, so
 * that neither waits in malloc() for the other, and memory that is warm is used first.
 */
struct bgp_blocks {
	struct bgp_block *_Atomic back;		/* any thread */
	atomic_uint count;
	struct bgp_block *mine;			/* the worker's */
};

#define BGP_BLOCKS_KEPT 16

struct bgp_batch {
	struct bgp_blocks *spare;	/* where blocks come from and go to; NULL: malloc(), free() */
	struct bgp_block *blocks;	/* the newest first: pieces are taken from it */
	size_t octets;			/* of all blocks */
	struct bgp_update *first, **last;
};

void bgp_batch_init(struct bgp_batch *b, struct bgp_blocks *spare);
/* Aligned for any type; not zeroed. NULL without memory. Lives until bgp_batch_free(). */
void *bgp_batch_get(struct bgp_batch *b, size_t len);
void bgp_batch_add(struct bgp_batch *b, struct bgp_update *u);
/* All that was taken from it. It is as after bgp_batch_init(). */
void bgp_batch_free(struct bgp_batch *b);
/* Blocks that are kept, when no thread uses them any more. */
void bgp_blocks_free(struct bgp_blocks *s);

#endif
