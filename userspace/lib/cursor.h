/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bounds-checked reader of bytes that a peer sent. Every read answers whether the bytes
 * were there; a refused read leaves the cursor where it was. Values are in host order.
 * Carve a sub-cursor with cursor_sub() before parsing a length-delimited part: the parent
 * then stands behind that part whatever happens inside it.
 */
#ifndef L3VPN_LIB_CURSOR_H
#define L3VPN_LIB_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cursor {
	const uint8_t *at;	/* next byte to read */
	const uint8_t *end;	/* one behind the last byte */
};

static inline struct cursor cursor_make(const void *data, size_t len)
{
	const uint8_t *p = data;

	return (struct cursor){ .at = p, .end = p ? p + len : p };
}

static inline size_t cursor_left(const struct cursor *c)
{
	return (size_t)(c->end - c->at);
}

/* Bytes in place, valid as long as the data is; NULL when fewer than @len are left. */
static inline const uint8_t *cursor_take(struct cursor *c, size_t len)
{
	const uint8_t *p = c->at;

	if (cursor_left(c) < len || !p)
		return NULL;
	c->at += len;
	return p;
}

static inline bool cursor_skip(struct cursor *c, size_t len)
{
	return len == 0 || cursor_take(c, len);
}

static inline bool cursor_u8(struct cursor *c, uint8_t *v)
{
	const uint8_t *p = cursor_take(c, 1);

	if (!p)
		return false;
	*v = p[0];
	return true;
}

static inline bool cursor_u16(struct cursor *c, uint16_t *v)
{
	const uint8_t *p = cursor_take(c, 2);

	if (!p)
		return false;
	*v = (uint16_t)(p[0] << 8 | p[1]);
	return true;
}

static inline bool cursor_u24(struct cursor *c, uint32_t *v)
{
	const uint8_t *p = cursor_take(c, 3);

	if (!p)
		return false;
	*v = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
	return true;
}

static inline bool cursor_u32(struct cursor *c, uint32_t *v)
{
	const uint8_t *p = cursor_take(c, 4);

	if (!p)
		return false;
	*v = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	return true;
}

static inline bool cursor_bytes(struct cursor *c, void *dst, size_t len)
{
	const uint8_t *p;

	if (!len)
		return true;
	p = cursor_take(c, len);
	if (!p)
		return false;
	memcpy(dst, p, len);
	return true;
}

/* Carves @len bytes off @c into @sub; both unchanged when they are not there. */
static inline bool cursor_sub(struct cursor *c, size_t len, struct cursor *sub)
{
	if (cursor_left(c) < len)
		return false;
	*sub = cursor_make(c->at, len);
	if (len)
		c->at += len;
	return true;
}

#endif
