// SPDX-License-Identifier: GPL-2.0
/* Batches of UPDATEs and their memory: contracts in batch.h. */
#include "bgp/batch.h"

#include <stdlib.h>

#include "bgp/update.h"

/* A sanitizer is to see the bounds of each piece: then each is a block of its own. */
#if defined(__SANITIZE_ADDRESS__)
#define PIECES_APART 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PIECES_APART 1
#endif
#endif
#ifndef PIECES_APART
#define PIECES_APART 0
#endif

#define FIRST 4096u		/* octets of a batch's first block; each further one is larger, up to BGP_BLOCK_MAX */
#define ALIGN 8u

void bgp_batch_init(struct bgp_batch *b, struct bgp_blocks *spare)
{
	b->spare = spare;
	b->blocks = NULL;
	b->octets = 0;
	b->first = NULL;
	b->last = &b->first;
}

/* A full block that came back; NULL: there is none. */
static struct bgp_block *recycle(struct bgp_blocks *s)
{
	struct bgp_block *block;

	if (!s->mine)
		s->mine = atomic_exchange_explicit(&s->back, NULL, memory_order_acquire);
	block = s->mine;
	if (!block)
		return NULL;
	s->mine = block->next;
	atomic_fetch_sub_explicit(&s->count, 1, memory_order_relaxed);
	return block;
}

static struct bgp_block *block_new(struct bgp_batch *b, size_t len)
{
	size_t size = b->octets ? 4 * b->octets : FIRST - sizeof(struct bgp_block);
	struct bgp_block *block = NULL;

	if (PIECES_APART || size < len)
		size = len;
	else if (size > BGP_BLOCK_MAX)
		size = len > BGP_BLOCK_MAX ? len : BGP_BLOCK_MAX;
	if (size == BGP_BLOCK_MAX && b->spare)
		block = recycle(b->spare);
	if (!block)
		block = malloc(sizeof(*block) + size);
	if (!block)
		return NULL;
	block->size = (uint32_t)size;
	block->used = 0;
	block->next = b->blocks;
	b->blocks = block;
	b->octets += size;
	return block;
}

void *bgp_batch_get(struct bgp_batch *b, size_t len)
{
	struct bgp_block *block = b->blocks;
	void *p;

	if (!PIECES_APART)
		len = (len + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (!block || block->size - block->used < len || PIECES_APART)
		block = block_new(b, len);
	if (!block)
		return NULL;
	p = block->data + block->used;
	block->used += (uint32_t)len;
	return p;
}

void bgp_batch_add(struct bgp_batch *b, struct bgp_update *u)
{
	u->next = NULL;
	*b->last = u;
	b->last = &u->next;
}

static void give_back(struct bgp_blocks *s, struct bgp_block *block)
{
	if (!s || block->size != BGP_BLOCK_MAX ||
	    atomic_load_explicit(&s->count, memory_order_relaxed) >= BGP_BLOCKS_KEPT) {
		free(block);
		return;
	}
	atomic_fetch_add_explicit(&s->count, 1, memory_order_relaxed);
	block->next = atomic_load_explicit(&s->back, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(&s->back, &block->next, block, memory_order_release,
						      memory_order_relaxed))
		;
}

void bgp_batch_free(struct bgp_batch *b)
{
	struct bgp_block *block;

	while ((block = b->blocks)) {
		b->blocks = block->next;
		give_back(b->spare, block);
	}
	bgp_batch_init(b, b->spare);
}

static void list_free(struct bgp_block *block)
{
	struct bgp_block *next;

	for (; block; block = next) {
		next = block->next;
		free(block);
	}
}

void bgp_blocks_free(struct bgp_blocks *s)
{
	list_free(s->mine);
	list_free(atomic_exchange(&s->back, NULL));
	s->mine = NULL;
	atomic_store(&s->count, 0);
}
