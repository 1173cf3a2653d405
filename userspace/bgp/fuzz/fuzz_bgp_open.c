// SPDX-License-Identifier: GPL-2.0
/* rooms: lib rib policy bgp */
/* OPEN: what is accepted encodes, and reads back as the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/open.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bgp_open_expect x = { .local_as = 65000, .local_id = 1, .remote_as = 65001 };
	struct bgp_notification err = { 0 };
	struct bgp_open o, back;
	struct bgp_agreed agreed;
	bool any = false;
	struct buf b;

	if (!bgp_open_decode(cursor_make(data, size), &x, &o, &err)) {
		if (err.code != BGP_ERR_OPEN)
			abort();
		return 0;
	}
	buf_init(&b);
	bgp_open_encode(&b, &o);
	if (!bgp_open_decode(cursor_make(b.data + BGP_HEADER_LEN, b.len - BGP_HEADER_LEN), &x, &back,
			     &err))
		abort();
	/* without a family that we know none is told, and that would read as IPv4 unicast */
	for (int f = 0; f < BGP_FAMILIES; f++)
		any |= o.caps.family[f];
	if (back.as != o.as || back.hold != o.hold || back.id != o.id)
		abort();
	if (any && memcmp(back.caps.family, o.caps.family, sizeof(o.caps.family)))
		abort();
	if (memcmp(back.caps.addpath_rx, o.caps.addpath_rx, sizeof(o.caps.addpath_rx)) ||
	    memcmp(back.caps.addpath_tx, o.caps.addpath_tx, sizeof(o.caps.addpath_tx)))
		abort();
	bgp_agree(&o, &back, &agreed);
	if (agreed.hold != o.hold)
		abort();
	buf_free(&b);
	return 0;
}
