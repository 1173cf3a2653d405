// SPDX-License-Identifier: GPL-2.0
/* rooms: lib rib policy bgp */
/*
 * UPDATE: the first two octets say what the session agreed on, the rest is the message's body. What
 * is accepted must intern, and its attributes must encode and read back as the same ones.
 */
#include <stdint.h>
#include <stdlib.h>

#include "bgp/attr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(const struct bgp_decode *d, const struct attrs *a)
{
	static const uint8_t nlri[] = { 8, 10 };
	struct bgp_encode e = { .as4 = d->as4, .internal = true };
	struct bgp_decode inside = *d;
	struct bgp_notification err;
	struct ip_addr nh = addr_v4(0x0a000001);
	struct bgp_update *u;
	struct attrs *b;
	struct buf out;
	size_t len;

	buf_init(&out);
	buf_u16(&out, 0);
	len = out.len;
	buf_u16(&out, 0);
	bgp_attrs_encode(&out, &e, a, &nh);
	if (out.len > 60000)
		goto done;
	buf_patch_u16(&out, len, (uint16_t)(out.len - len - 2));
	buf_bytes(&out, nlri, sizeof(nlri));
	inside.internal = true;
	inside.addpath[BGP_IPV4] = false;
	inside.family[BGP_IPV4] = true;
	u = bgp_update_decode(&inside, cursor_make(out.data, out.len), &err);
	if (!u || u->outcome != BGP_ACCEPT)
		abort();
	/* LOCAL_PREF is always told to an internal peer: compare with it set */
	b = attrs_intern(&u->attrs);
	if (!b || (a->f.flags & ATTRS_HAS_LOCAL_PREF && d->as4 && b->path_length != a->path_length))
		abort();
	attrs_put(b);
	bgp_update_free(u);
done:
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bgp_decode d = { .peer_as = 65001 };
	struct bgp_notification err;
	struct bgp_update *u;
	bool reach = false;
	struct attrs *a;

	if (size < 2)
		return 0;
	d.as4 = data[0] & 1;
	d.internal = data[0] & 2;
	for (int f = 0; f < BGP_FAMILIES; f++) {
		d.family[f] = data[1] & 1 << f;
		d.v6_next_hop[f] = data[0] & 4;
		d.addpath[f] = data[0] & 8;
	}
	u = bgp_update_decode(&d, cursor_make(data + 2, size - 2), &err);
	if (!u) {
		if (err.code != BGP_ERR_UPDATE)
			abort();
		return 0;
	}
	for (unsigned int i = 0; i < u->parts; i++) {
		if (u->outcome >= BGP_WITHDRAW && !u->part[i].withdraw)
			abort();
		reach |= !u->part[i].withdraw;
	}
	if (reach) {
		a = attrs_intern(&u->attrs);
		if (a)
			again(&d, a);
		attrs_put(a);
	}
	bgp_update_free(u);
	return 0;
}
