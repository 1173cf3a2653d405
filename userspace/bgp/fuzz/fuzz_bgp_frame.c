// SPDX-License-Identifier: GPL-2.0
/* rooms: lib rib policy bgp */
/*
 * A stream of messages: framing, and every kind of message behind it. The stream is cut in two
 * at a place that the first octet chooses: both ways of reading give the same messages. An odd one: extended messages.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/open.h"
#include "bgp/update.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void message(enum bgp_msg_type type, struct cursor body)
{
	struct bgp_open_expect x = { .local_as = 65000, .local_id = 1, .remote_as = 65001 };
	struct bgp_decode d = { .as4 = true, .peer_as = 65001, .family = { 1, 1, 1, 1 } };
	struct bgp_notification n;
	enum bgp_refresh what;
	enum bgp_family f;
	struct bgp_open o;
	bool known;

	switch (type) {
	case BGP_OPEN:
		bgp_open_decode(body, &x, &o, &n);
		break;
	case BGP_UPDATE:
		bgp_update_free(bgp_update_decode(&d, body, &n));
		break;
	case BGP_NOTIFICATION:
		if (bgp_notification_decode(body, &n) && !bgp_notification_name(n.code, n.subcode))
			abort();
		break;
	case BGP_KEEPALIVE:
		if (cursor_left(&body))
			abort();
		break;
	case BGP_ROUTE_REFRESH:
		bgp_refresh_decode(body, &f, &what, &known, &n);
		break;
	}
}

static unsigned int frames(struct cursor *in, bool extended, bool look, bool *broken)
{
	struct bgp_notification err = { 0 };
	enum bgp_msg_type type;
	struct cursor body;
	unsigned int n = 0;
	enum bgp_frame r;

	while ((r = bgp_frame_next(in, extended, &type, &body, &err)) == BGP_FRAME_OK) {
		if (look)
			message(type, body);
		if (cursor_left(&body) > (extended ? BGP_EXTENDED_LEN : BGP_MAX_LEN) - BGP_HEADER_LEN)
			abort();
		n++;
	}
	*broken = r == BGP_FRAME_ERROR;
	if (*broken && err.code != BGP_ERR_HEADER)
		abort();
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor all, head, rest;
	unsigned int whole, parts;
	bool broken, head_broken, extended;
	size_t cut;

	if (size < 2)
		return 0;
	cut = data[0] * (size - 1) / 256;
	extended = data[0] & 1;
	all = cursor_make(data + 1, size - 1);
	whole = frames(&all, extended, true, &broken);
	head = cursor_make(data + 1, cut);
	parts = frames(&head, extended, false, &head_broken);
	if (!head_broken) {
		rest = cursor_make(head.at, (size_t)(data + size - head.at));
		parts += frames(&rest, extended, false, &head_broken);
	}
	if (whole != parts || broken != head_broken)
		abort();
	return 0;
}
