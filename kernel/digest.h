/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: digests of objects, as the uapi header defines them. Pure functions.
 *
 * Implemented by: here, and digest.c for next hops and endpoints (control plane).
 */
#ifndef _L3VPN_DIGEST_H
#define _L3VPN_DIGEST_H

#include <linux/l3vpn.h>
#include "fib.h"

struct l3vpn_endpoint;
struct l3vpn_nh;
struct l3vpn_nh_data;

/* @label: L3VPN_LABEL_NONE for a route without one. */
static inline u64 l3vpn_digest_route(int v6, u32 vrf, struct l3vpn_key key, u8 plen, u32 nh,
				     u32 label)
{
	u64 h = l3vpn_digest_start(v6 ? L3VPN_OBJECT_ROUTE6 : L3VPN_OBJECT_ROUTE4);

	h = l3vpn_digest_word(h, vrf);
	h = l3vpn_digest_word(h, key.hi >> 32);
	if (v6) {
		h = l3vpn_digest_word(h, (u32)key.hi);
		h = l3vpn_digest_word(h, key.lo >> 32);
		h = l3vpn_digest_word(h, (u32)key.lo);
	}
	h = l3vpn_digest_word(h, plen);
	h = l3vpn_digest_word(h, nh);
	return l3vpn_digest_word(h, label);
}

static inline u64 l3vpn_digest_label(u32 label, u8 action, u32 vrf, u32 nh, u32 out_label, u8 scope)
{
	u64 h = l3vpn_digest_start(L3VPN_OBJECT_LABEL);

	h = l3vpn_digest_word(h, label);
	h = l3vpn_digest_word(h, action);
	h = l3vpn_digest_word(h, vrf);
	h = l3vpn_digest_word(h, nh);
	h = l3vpn_digest_word(h, out_label);
	return l3vpn_digest_word(h, scope);
}

/* @data: the snapshot of the next hop @id. */
u64 l3vpn_digest_nh(u32 id, const struct l3vpn_nh_data *data);

/* Its key and what was asked for. */
u64 l3vpn_digest_endpoint(const struct l3vpn_endpoint *ep);

#endif /* _L3VPN_DIGEST_H */
