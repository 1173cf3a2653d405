// SPDX-License-Identifier: GPL-2.0
/*
 * NLRI on the wire; contracts in nlri.h.
 */
#include "bgp/nlri.h"

#include <string.h>

/* bits in front of the prefix: label, and RD */
static unsigned int head_bits(enum bgp_family f)
{
	if (bgp_family_vpn(f))
		return 24 + 64;
	return bgp_family_lu(f) ? 24 : 0;
}

bool bgp_nlri_decode(struct cursor *c, enum bgp_family f, struct bgp_nlri *n)
{
	uint8_t family = bgp_family_afi(f) == BGP_AFI_IPV4 ? AF_INET : AF_INET6;
	uint8_t octets[16] = { 0 };
	uint32_t label;
	uint8_t bits;

	if (!cursor_u8(c, &bits))
		return false;
	memset(n, 0, sizeof(*n));
	if (bits < head_bits(f))
		return false;
	bits -= head_bits(f);
	if (bgp_family_labelled(f)) {
		if (!cursor_u24(c, &label))
			return false;
		n->label = label >> 4;
	}
	if (bgp_family_vpn(f) && !cursor_bytes(c, n->rd, sizeof(n->rd)))
		return false;
	if (bits > addr_bits(family) || !cursor_bytes(c, octets, (bits + 7u) / 8))
		return false;
	n->prefix = prefix_make(family, octets, bits);
	return true;
}

void bgp_nlri_encode(struct buf *b, enum bgp_family f, const struct bgp_nlri *n, bool withdraw)
{
	buf_u8(b, (uint8_t)(n->prefix.len + head_bits(f)));
	if (bgp_family_labelled(f))
		buf_u24(b, withdraw ? 0x800000 : n->label << 4 | 1);
	if (bgp_family_vpn(f))
		buf_bytes(b, n->rd, sizeof(n->rd));
	buf_bytes(b, n->prefix.addr.b, (n->prefix.len + 7u) / 8);
}

size_t bgp_nlri_size(enum bgp_family f, const struct bgp_nlri *n)
{
	return 1 + head_bits(f) / 8 + (n->prefix.len + 7u) / 8;
}
