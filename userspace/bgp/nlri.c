// SPDX-License-Identifier: GPL-2.0
/*
 * NLRI on the wire; contracts in nlri.h.
 */
#include "bgp/nlri.h"

#include <string.h>

#define RTC_AS_BITS 32
#define RTC_BITS 96

/* bits in front of the prefix: label, and RD */
static unsigned int head_bits(enum bgp_family f)
{
	if (bgp_family_vpn(f))
		return 24 + 64;
	return bgp_family_lu(f) ? 24 : 0;
}

/* A default has no AS; all others have all of it (RFC 4684 section 4). */
static bool rtc_decode(struct cursor *c, unsigned int bits, struct bgp_rtc *r)
{
	unsigned int rt = bits - RTC_AS_BITS, octets = (rt + 7) / 8;

	if (!bits)
		return true;
	if (bits < RTC_AS_BITS || bits > RTC_BITS || !cursor_u32(c, &r->as) || !cursor_bytes(c, r->rt, octets))
		return false;
	if (rt % 8)
		r->rt[octets - 1] &= (uint8_t)(0xff00 >> rt % 8);
	r->len = (uint8_t)bits;
	return true;
}

bool bgp_nlri_decode(struct cursor *c, enum bgp_family f, unsigned int flags, struct bgp_nlri *n)
{
	uint8_t family = bgp_family_afi(f) == BGP_AFI_IPV4 ? AF_INET : AF_INET6;
	uint8_t octets[16] = { 0 };
	uint32_t label;
	uint8_t bits;

	memset(n, 0, sizeof(*n));
	if (flags & BGP_NLRI_PATH_ID && !cursor_u32(c, &n->path_id))
		return false;
	if (!cursor_u8(c, &bits))
		return false;
	if (f == BGP_RTC)
		return rtc_decode(c, bits, &n->rtc);
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

static void rtc_encode(struct buf *b, const struct bgp_rtc *r)
{
	buf_u8(b, r->len);
	if (!r->len)
		return;
	buf_u32(b, r->as);
	buf_bytes(b, r->rt, (r->len - RTC_AS_BITS + 7u) / 8);
}

void bgp_nlri_encode(struct buf *b, enum bgp_family f, const struct bgp_nlri *n, unsigned int flags)
{
	if (flags & BGP_NLRI_PATH_ID)
		buf_u32(b, n->path_id);
	if (f == BGP_RTC) {
		rtc_encode(b, &n->rtc);
		return;
	}
	buf_u8(b, (uint8_t)(n->prefix.len + head_bits(f)));
	if (bgp_family_labelled(f))
		buf_u24(b, flags & BGP_NLRI_WITHDRAW ? 0x800000 : n->label << 4 | 1);
	if (bgp_family_vpn(f))
		buf_bytes(b, n->rd, sizeof(n->rd));
	buf_bytes(b, n->prefix.addr.b, (n->prefix.len + 7u) / 8);
}

size_t bgp_nlri_size(enum bgp_family f, const struct bgp_nlri *n, unsigned int flags)
{
	size_t id = flags & BGP_NLRI_PATH_ID ? 4 : 0;

	if (f == BGP_RTC)
		return id + 1 + (n->rtc.len + 7u) / 8;
	return id + 1 + head_bits(f) / 8 + (n->prefix.len + 7u) / 8;
}
