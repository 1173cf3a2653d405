// SPDX-License-Identifier: GPL-2.0
/*
 * Framing and small messages of BGP; contracts in msg.h.
 */
#include "bgp/msg.h"

#include <string.h>

void bgp_notification_set(struct bgp_notification *n, uint8_t code, uint8_t subcode,
			  const void *data, size_t len)
{
	n->code = code;
	n->subcode = subcode;
	if (len > sizeof(n->data))
		len = sizeof(n->data);
	n->len = (uint16_t)len;
	if (len)
		memmove(n->data, data, len);
}

/* RFC 4271 6.1: the least and most that a message of this type may measure; false: no type. */
static bool length_bounds(uint8_t type, bool extended, uint16_t *min, uint16_t *max)
{
	*max = extended ? BGP_EXTENDED_LEN : BGP_MAX_LEN;
	switch (type) {
	case BGP_OPEN:
		*min = 29;
		*max = BGP_MAX_LEN;
		return true;
	case BGP_UPDATE:
		*min = 23;
		return true;
	case BGP_NOTIFICATION:
		*min = 21;
		return true;
	case BGP_KEEPALIVE:
		*min = BGP_HEADER_LEN;
		*max = BGP_HEADER_LEN;
		return true;
	case BGP_ROUTE_REFRESH:
		*min = BGP_HEADER_LEN;	/* wrong lengths have their own error, RFC 7313 */
		return true;
	default:
		return false;
	}
}

enum bgp_frame bgp_frame_next(struct cursor *in, bool extended, enum bgp_msg_type *type, struct cursor *body,
			      struct bgp_notification *err)
{
	static const uint8_t marker[16] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	};
	struct cursor c = *in;
	uint16_t len = 0, min, max;
	const uint8_t *head;
	uint8_t kind = 0;

	if (cursor_left(&c) < BGP_HEADER_LEN)
		return BGP_FRAME_MORE;
	head = cursor_take(&c, sizeof(marker));
	if (memcmp(head, marker, sizeof(marker)) != 0) {
		bgp_notification_set(err, BGP_ERR_HEADER, BGP_HDR_NOT_SYNC, NULL, 0);
		return BGP_FRAME_ERROR;
	}
	cursor_u16(&c, &len);
	cursor_u8(&c, &kind);
	if (len < BGP_HEADER_LEN) {
		bgp_notification_set(err, BGP_ERR_HEADER, BGP_HDR_BAD_LENGTH, head + 16, 2);
		return BGP_FRAME_ERROR;
	}
	if (!length_bounds(kind, extended, &min, &max)) {
		bgp_notification_set(err, BGP_ERR_HEADER, BGP_HDR_BAD_TYPE, &kind, 1);
		return BGP_FRAME_ERROR;
	}
	if (len < min || len > max) {
		bgp_notification_set(err, BGP_ERR_HEADER, BGP_HDR_BAD_LENGTH, head + 16, 2);
		return BGP_FRAME_ERROR;
	}
	if (!cursor_sub(&c, len - BGP_HEADER_LEN, body))
		return BGP_FRAME_MORE;
	*type = kind;
	*in = c;
	return BGP_FRAME_OK;
}

size_t bgp_msg_begin(struct buf *b, enum bgp_msg_type type)
{
	size_t start = b->len;
	uint8_t *p = buf_reserve(b, 16);

	if (p)
		memset(p, 0xff, 16);
	buf_u16(b, 0);
	buf_u8(b, (uint8_t)type);
	return start;
}

void bgp_msg_end(struct buf *b, size_t start)
{
	buf_patch_u16(b, start + 16, (uint16_t)(b->len - start));
}

void bgp_keepalive_encode(struct buf *b)
{
	bgp_msg_end(b, bgp_msg_begin(b, BGP_KEEPALIVE));
}

void bgp_notification_encode(struct buf *b, const struct bgp_notification *n)
{
	size_t start = bgp_msg_begin(b, BGP_NOTIFICATION);

	buf_u8(b, n->code);
	buf_u8(b, n->subcode);
	buf_bytes(b, n->data, n->len);
	bgp_msg_end(b, start);
}

bool bgp_notification_decode(struct cursor body, struct bgp_notification *n)
{
	uint8_t code, subcode;

	if (!cursor_u8(&body, &code) || !cursor_u8(&body, &subcode))
		return false;
	bgp_notification_set(n, code, subcode, body.at, cursor_left(&body));
	return true;
}

void bgp_refresh_encode(struct buf *b, enum bgp_family f, enum bgp_refresh what)
{
	size_t start = bgp_msg_begin(b, BGP_ROUTE_REFRESH);

	buf_u16(b, bgp_family_afi(f));
	buf_u8(b, (uint8_t)what);
	buf_u8(b, bgp_family_safi(f));
	bgp_msg_end(b, start);
}

/* The complete message is what the error carries. */
static void refresh_error(struct cursor body, struct bgp_notification *err)
{
	uint8_t mem[BGP_NOTIFICATION_DATA];
	size_t len = cursor_left(&body), start;
	struct buf b;

	if (len > sizeof(mem) - BGP_HEADER_LEN)
		len = sizeof(mem) - BGP_HEADER_LEN;
	buf_init_fixed(&b, mem, sizeof(mem));
	start = bgp_msg_begin(&b, BGP_ROUTE_REFRESH);
	buf_bytes(&b, body.at, len);
	bgp_msg_end(&b, start);
	buf_patch_u16(&b, 16, (uint16_t)(BGP_HEADER_LEN + cursor_left(&body)));
	bgp_notification_set(err, BGP_ERR_REFRESH, BGP_REFRESH_BAD_LENGTH, b.data, b.len);
}

bool bgp_refresh_decode(struct cursor body, enum bgp_family *f, enum bgp_refresh *what, bool *known,
			struct bgp_notification *err)
{
	struct cursor all = body;
	uint8_t subtype, safi;
	uint16_t afi;

	if (cursor_left(&body) != 4 || !cursor_u16(&body, &afi) || !cursor_u8(&body, &subtype) ||
	    !cursor_u8(&body, &safi)) {
		refresh_error(all, err);
		return false;
	}
	*what = subtype;
	*known = subtype <= BGP_REFRESH_END && bgp_family_of(afi, safi, f);
	return true;
}
