// SPDX-License-Identifier: GPL-2.0
/*
 * NLRI on the wire; contracts in nlri.h.
 */
#include "bgp/nlri.h"

#include <string.h>

#define VPN_HEAD_BITS 88	/* label and RD */

bool bgp_nlri_decode(struct cursor *c, enum bgp_family f, struct bgp_nlri *n)
{
	uint8_t family = bgp_family_afi(f) == BGP_AFI_IPV4 ? AF_INET : AF_INET6;
	uint8_t octets[16] = { 0 };
	uint32_t label;
	uint8_t bits;

	if (!cursor_u8(c, &bits))
		return false;
	memset(n, 0, sizeof(*n));
	if (bgp_family_vpn(f)) {
		if (bits < VPN_HEAD_BITS || !cursor_u24(c, &label) ||
		    !cursor_bytes(c, n->rd, sizeof(n->rd)))
			return false;
		n->label = label >> 4;
		bits -= VPN_HEAD_BITS;
	}
	if (bits > addr_bits(family) || !cursor_bytes(c, octets, (bits + 7u) / 8))
		return false;
	n->prefix = prefix_make(family, octets, bits);
	return true;
}

void bgp_nlri_encode(struct buf *b, enum bgp_family f, const struct bgp_nlri *n, bool withdraw)
{
	bool vpn = bgp_family_vpn(f);

	buf_u8(b, (uint8_t)(n->prefix.len + (vpn ? VPN_HEAD_BITS : 0)));
	if (vpn) {
		buf_u24(b, withdraw ? 0x800000 : n->label << 4 | 1);
		buf_bytes(b, n->rd, sizeof(n->rd));
	}
	buf_bytes(b, n->prefix.addr.b, (n->prefix.len + 7u) / 8);
}

size_t bgp_nlri_size(enum bgp_family f, const struct bgp_nlri *n)
{
	return 1 + (bgp_family_vpn(f) ? VPN_HEAD_BITS / 8 : 0) + (n->prefix.len + 7u) / 8;
}
