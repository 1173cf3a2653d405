// SPDX-License-Identifier: GPL-2.0
/*
 * Writing path attributes; contracts in attr.h. MP_REACH_NLRI and MP_UNREACH_NLRI come first in
 * a message (RFC 7606 5.1), then attributes in ascending order of type.
 */
#include <string.h>

#include "bgp/attr.h"

#define OPT BGP_FLAG_OPTIONAL
#define TRANS BGP_FLAG_TRANSITIVE

static void head(struct buf *b, uint8_t flags, uint8_t code, size_t len)
{
	if (len > 255) {
		buf_u8(b, flags | BGP_FLAG_EXTENDED);
		buf_u8(b, code);
		buf_u16(b, (uint16_t)len);
	} else {
		buf_u8(b, flags);
		buf_u8(b, code);
		buf_u8(b, (uint8_t)len);
	}
}

static void put_u32(struct buf *b, uint8_t flags, uint8_t code, uint32_t v)
{
	head(b, flags, code, 4);
	buf_u32(b, v);
}

static void put_part(struct buf *b, const struct attrs *a, enum attrs_part part, uint8_t flags,
		     uint8_t code)
{
	uint16_t len;
	const uint8_t *p = attrs_part(a, part, &len);

	if (!len)
		return;
	head(b, flags, code, len);
	buf_bytes(b, p, len);
}

/* RFC 6793 4.2.2: two-octet path; *wide: some AS needs four octets. */
static void put_path2(struct buf *b, struct cursor c, bool *wide)
{
	size_t len = 0;
	struct cursor scan = c;
	uint8_t type, count;
	uint32_t as;

	while (cursor_u8(&scan, &type) && cursor_u8(&scan, &count) &&
	       cursor_skip(&scan, count * 4u))
		len += 2u + count * 2u;
	head(b, TRANS, BGP_ATTR_AS_PATH, len);
	while (cursor_u8(&c, &type) && cursor_u8(&c, &count)) {
		buf_u8(b, type);
		buf_u8(b, count);
		for (unsigned int i = 0; i < count && cursor_u32(&c, &as); i++) {
			*wide |= as > 0xffff;
			buf_u16(b, as > 0xffff ? BGP_AS_TRANS : (uint16_t)as);
		}
	}
}

static void put_aggregator(struct buf *b, const struct attrs *a, bool as4)
{
	uint32_t as = a->f.aggregator_as;

	head(b, OPT | TRANS, BGP_ATTR_AGGREGATOR, as4 ? 8 : 6);
	if (as4)
		buf_u32(b, as);
	else
		buf_u16(b, as > 0xffff ? BGP_AS_TRANS : (uint16_t)as);
	buf_u32(b, a->f.aggregator_addr);
}

/*
 * Unknown attributes lie as on the wire; those with types below @upto from *at on, so that the
 * order of types is kept.
 */
static void put_unknown(struct buf *b, const struct attrs *a, size_t *at, unsigned int upto)
{
	uint16_t len;
	const uint8_t *p = attrs_part(a, ATTRS_UNKNOWN, &len);

	while (*at + 4 <= len && p[*at + 1] < upto) {
		size_t whole = 4u + (size_t)(p[*at + 2] << 8 | p[*at + 3]);

		if (*at + whole > len)
			return;
		buf_bytes(b, p + *at, whole);
		*at += whole;
	}
}

void bgp_attrs_encode(struct buf *b, const struct bgp_encode *e, const struct attrs *a,
		      const struct ip_addr *plain_nexthop)
{
	bool wide = false, wide_aggregator;
	size_t unknown = 0;
	uint16_t len;
	const uint8_t *path = attrs_part(a, ATTRS_AS_PATH, &len);

	head(b, TRANS, BGP_ATTR_ORIGIN, 1);
	buf_u8(b, a->f.origin);
	if (e->as4) {
		head(b, TRANS, BGP_ATTR_AS_PATH, len);
		buf_bytes(b, path, len);
	} else {
		put_path2(b, cursor_make(path, len), &wide);
	}
	if (plain_nexthop && plain_nexthop->family == AF_INET) {
		head(b, TRANS, BGP_ATTR_NEXT_HOP, 4);
		buf_bytes(b, plain_nexthop->b, 4);
	}
	if (a->f.flags & ATTRS_HAS_MED)
		put_u32(b, OPT, BGP_ATTR_MED, a->f.med);
	if (e->internal)
		put_u32(b, TRANS, BGP_ATTR_LOCAL_PREF, attrs_local_pref(a));
	if (a->f.flags & ATTRS_ATOMIC_AGGREGATE)
		head(b, TRANS, BGP_ATTR_ATOMIC_AGGREGATE, 0);
	if (a->f.flags & ATTRS_HAS_AGGREGATOR)
		put_aggregator(b, a, e->as4);
	put_part(b, a, ATTRS_COMMUNITY, OPT | TRANS, BGP_ATTR_COMMUNITIES);
	if (e->internal) {
		if (a->f.flags & ATTRS_HAS_ORIGINATOR)
			put_u32(b, OPT, BGP_ATTR_ORIGINATOR_ID, a->f.originator_id);
		put_part(b, a, ATTRS_CLUSTERS, OPT, BGP_ATTR_CLUSTER_LIST);
	}
	put_unknown(b, a, &unknown, BGP_ATTR_EXT_COMMUNITIES);
	put_part(b, a, ATTRS_EXT, OPT | TRANS, BGP_ATTR_EXT_COMMUNITIES);
	if (wide) {
		head(b, OPT | TRANS, BGP_ATTR_AS4_PATH, len);
		buf_bytes(b, path, len);
	}
	wide_aggregator = !e->as4 && a->f.flags & ATTRS_HAS_AGGREGATOR &&
			  a->f.aggregator_as > 0xffff;
	if (wide_aggregator) {
		head(b, OPT | TRANS, BGP_ATTR_AS4_AGGREGATOR, 8);
		buf_u32(b, a->f.aggregator_as);
		buf_u32(b, a->f.aggregator_addr);
	}
	put_unknown(b, a, &unknown, BGP_ATTR_LARGE_COMMUNITIES);
	put_part(b, a, ATTRS_LARGE, OPT | TRANS, BGP_ATTR_LARGE_COMMUNITIES);
	put_unknown(b, a, &unknown, 256);
}

/* ---- MP attributes: always with a length of two octets, patched at the end ---- */

static void put_nexthop_addr(struct buf *b, const struct ip_addr *a, bool vpn, bool want6)
{
	static const uint8_t zero[8];
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (vpn)
		buf_bytes(b, zero, sizeof(zero));
	if (want6 && a->family == AF_INET)
		buf_bytes(b, mapped, sizeof(mapped));
	buf_bytes(b, a->b, addr_octets(a->family));
}

size_t bgp_mp_reach_begin(struct buf *b, enum bgp_family f, const struct ip_addr *nexthop,
			  const struct ip_addr *nexthop_ll)
{
	bool vpn = bgp_family_vpn(f), want6 = bgp_family_afi(f) == BGP_AFI_IPV6;
	bool pair = nexthop->family == AF_INET6 && nexthop_ll && addr_is_set(nexthop_ll) && f != BGP_RTC;
	size_t start = b->len, at;

	buf_u8(b, OPT | BGP_FLAG_EXTENDED);
	buf_u8(b, BGP_ATTR_MP_REACH);
	buf_u16(b, 0);
	buf_u16(b, bgp_family_afi(f));
	buf_u8(b, bgp_family_safi(f));
	at = b->len;
	buf_u8(b, 0);
	put_nexthop_addr(b, nexthop, vpn, want6);
	if (pair)
		put_nexthop_addr(b, nexthop_ll, vpn, want6);
	buf_patch_u8(b, at, (uint8_t)(b->len - at - 1));
	buf_u8(b, 0);
	return start;
}

size_t bgp_mp_unreach_begin(struct buf *b, enum bgp_family f)
{
	size_t start = b->len;

	buf_u8(b, OPT | BGP_FLAG_EXTENDED);
	buf_u8(b, BGP_ATTR_MP_UNREACH);
	buf_u16(b, 0);
	buf_u16(b, bgp_family_afi(f));
	buf_u8(b, bgp_family_safi(f));
	return start;
}

void bgp_mp_end(struct buf *b, size_t start)
{
	buf_patch_u16(b, start + 2, (uint16_t)(b->len - start - 4));
}
