/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Writer of wire formats, in network order: over memory of a fixed size (a BGP message), or
 * growing. A write that does not fit a fixed buffer changes nothing but the `full` mark,
 * which stays set until buf_rewind(): write a whole part, then ask once.
 */
#ifndef L3VPN_LIB_BUF_H
#define L3VPN_LIB_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *data;
	size_t len;	/* bytes written */
	size_t cap;	/* bytes of memory at data */
	bool grows;	/* data is ours, on the heap */
	bool full;	/* a write was refused */
};

/* Writes into @mem, which stays the caller's. */
void buf_init_fixed(struct buf *b, void *mem, size_t cap);
/* Grows on the heap; buf_free() returns the memory. */
void buf_init(struct buf *b);
void buf_free(struct buf *b);

/* Room for @len bytes at the end, counted as written; NULL when it does not fit. */
uint8_t *buf_reserve(struct buf *b, size_t len);
/* Back to @len bytes written and not full. */
void buf_rewind(struct buf *b, size_t len);

void buf_u8(struct buf *b, uint8_t v);
void buf_u16(struct buf *b, uint16_t v);
void buf_u24(struct buf *b, uint32_t v);
void buf_u32(struct buf *b, uint32_t v);
void buf_bytes(struct buf *b, const void *src, size_t len);

/* Overwrites what is written already at offset @at; lengths whose value is known late. */
void buf_patch_u8(struct buf *b, size_t at, uint8_t v);
void buf_patch_u16(struct buf *b, size_t at, uint16_t v);

#endif
