// SPDX-License-Identifier: GPL-2.0
/* rooms: lib rib policy bgp */
/* NOTIFICATION and ROUTE-REFRESH, by the first octet; each reads back as it was written. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct cursor body_of(const struct buf *b)
{
	return cursor_make(b->data + BGP_HEADER_LEN, b->len - BGP_HEADER_LEN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bgp_notification n = { 0 }, again;
	enum bgp_refresh what, again_what;
	enum bgp_family f, g;
	struct buf b;
	bool known;

	if (!size)
		return 0;
	buf_init(&b);
	if (data[0] & 1) {
		if (bgp_notification_decode(cursor_make(data + 1, size - 1), &n)) {
			bgp_notification_encode(&b, &n);
			if (!bgp_notification_decode(body_of(&b), &again) ||
			    n.code != again.code || n.subcode != again.subcode || n.len != again.len ||
			    memcmp(n.data, again.data, n.len) != 0)
				abort();
		} else if (size > 2) {
			abort();
		}
	} else if (bgp_refresh_decode(cursor_make(data + 1, size - 1), &f, &what, &known, &n)) {
		if (known) {
			bgp_refresh_encode(&b, f, what);
			if (!bgp_refresh_decode(body_of(&b), &g, &again_what, &known, &n) || g != f || !known ||
			    what != again_what)
				abort();
		}
	} else if (n.code != BGP_ERR_REFRESH) {
		abort();
	}
	buf_free(&b);
	return 0;
}
