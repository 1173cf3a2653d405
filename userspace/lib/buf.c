// SPDX-License-Identifier: GPL-2.0
/*
 * Writer of wire formats; the contract is in buf.h.
 */
#include "lib/buf.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

void buf_init_fixed(struct buf *b, void *mem, size_t cap)
{
	*b = (struct buf){ .data = mem, .cap = cap };
}

void buf_init(struct buf *b)
{
	*b = (struct buf){ .grows = true };
}

void buf_free(struct buf *b)
{
	if (b->grows)
		free(b->data);
	*b = (struct buf){ .grows = b->grows };
}

uint8_t *buf_reserve(struct buf *b, size_t len)
{
	uint8_t *p;

	if (b->full)
		return NULL;
	if (len > b->cap - b->len) {
		size_t cap = b->cap ? b->cap : 64;

		if (!b->grows) {
			b->full = true;
			return NULL;
		}
		while (cap - b->len < len)
			cap *= 2;
		b->data = xrealloc(b->data, cap);
		b->cap = cap;
	}
	p = b->data + b->len;
	b->len += len;
	return p;
}

void buf_rewind(struct buf *b, size_t len)
{
	if (len <= b->len)
		b->len = len;
	b->full = false;
}

void buf_u8(struct buf *b, uint8_t v)
{
	uint8_t *p = buf_reserve(b, 1);

	if (p)
		p[0] = v;
}

void buf_u16(struct buf *b, uint16_t v)
{
	uint8_t *p = buf_reserve(b, 2);

	if (!p)
		return;
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

void buf_u24(struct buf *b, uint32_t v)
{
	uint8_t *p = buf_reserve(b, 3);

	if (!p)
		return;
	p[0] = (uint8_t)(v >> 16);
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)v;
}

void buf_u32(struct buf *b, uint32_t v)
{
	uint8_t *p = buf_reserve(b, 4);

	if (!p)
		return;
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

void buf_bytes(struct buf *b, const void *src, size_t len)
{
	uint8_t *p;

	if (!len)
		return;
	p = buf_reserve(b, len);
	if (p)
		memcpy(p, src, len);
}

void buf_patch_u8(struct buf *b, size_t at, uint8_t v)
{
	if (at < b->len)
		b->data[at] = v;
}

void buf_patch_u16(struct buf *b, size_t at, uint16_t v)
{
	if (at + 2 > b->len)
		return;
	b->data[at] = (uint8_t)(v >> 8);
	b->data[at + 1] = (uint8_t)v;
}
