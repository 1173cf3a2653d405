/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Framing of BGP messages (RFC 4271 4.1), and the messages without much inside:
 * KEEPALIVE, NOTIFICATION (4.5) and ROUTE-REFRESH (RFC 2918, 7313). No state, no memory.
 */
#ifndef L3VPN_BGP_MSG_H
#define L3VPN_BGP_MSG_H

#include "bgp/wire.h"
#include "lib/buf.h"
#include "lib/cursor.h"

#define BGP_NOTIFICATION_DATA (BGP_MAX_LEN - BGP_HEADER_LEN - 2)

/* What a NOTIFICATION says. */
struct bgp_notification {
	uint8_t code;
	uint8_t subcode;
	uint16_t len;		/* octets used in data, the others have no meaning; longer data is cut */
	uint8_t data[BGP_NOTIFICATION_DATA];
};

/* @data may lie in @n itself. */
void bgp_notification_set(struct bgp_notification *n, uint8_t code, uint8_t subcode,
			  const void *data, size_t len);

enum bgp_frame {
	BGP_FRAME_OK,		/* one whole message carved */
	BGP_FRAME_MORE,		/* not all of it is here yet */
	BGP_FRAME_ERROR,	/* *err says what to send (RFC 4271 6.1) */
};

/*
 * Carves the next message off @in: its type, and a cursor over what follows the header.
 * Marker, type and length are checked as soon as the header is here; the body lies right behind it. @extended: we
 * offered to take extended messages (RFC 8654 section 4); OPEN and KEEPALIVE are none.
 */
enum bgp_frame bgp_frame_next(struct cursor *in, bool extended, enum bgp_msg_type *type, struct cursor *body,
			      struct bgp_notification *err);

/* A header with length 0 at the end of @b; its offset. bgp_msg_end() sets the length. */
size_t bgp_msg_begin(struct buf *b, enum bgp_msg_type type);
void bgp_msg_end(struct buf *b, size_t start);

void bgp_keepalive_encode(struct buf *b);
void bgp_notification_encode(struct buf *b, const struct bgp_notification *n);
bool bgp_notification_decode(struct cursor body, struct bgp_notification *n);

void bgp_refresh_encode(struct buf *b, enum bgp_family f, enum bgp_refresh what);
/*
 * False and *err set when the length is wrong (RFC 7313 section 5). *known is false for a family that this speaker
 * does not know (RFC 2918 section 4), and for a subtype without meaning (RFC 7313 section 5): to be ignored.
 */
bool bgp_refresh_decode(struct cursor body, enum bgp_family *f, enum bgp_refresh *what, bool *known,
			struct bgp_notification *err);

#endif
