// SPDX-License-Identifier: GPL-2.0
/*
 * Reading path attributes: a table with a row for each, its flags, its length, and what a
 * malformed one causes (RFC 7606 section 7). Contracts in attr.h.
 */
#include "bgp/attr.h"

#include <string.h>

#include "lib/mem.h"

#define OPT BGP_FLAG_OPTIONAL
#define TRANS BGP_FLAG_TRANSITIVE

static void read_origin(struct bgp_reader *r, struct cursor c)
{
	uint8_t v;

	if (!cursor_u8(&c, &v) || v > BGP_ORIGIN_INCOMPLETE)
		bgp_reader_fail(r, BGP_WITHDRAW, BGP_ATTR_ORIGIN, "undefined value");
	else
		r->u->attrs.f.origin = v;
}

/* RFC 7606 7.2; confederations (RFC 5065) are not spoken here. NULL: the path is well. */
static const char *path_fault(struct cursor c, unsigned int as_size, bool as4_attr)
{
	uint8_t type, count;

	while (cursor_left(&c)) {
		if (!cursor_u8(&c, &type) || !cursor_u8(&c, &count))
			return "segment header runs over the attribute";
		if (type < BGP_AS_SET || type > BGP_AS_CONFED_SET)
			return "unknown segment type";
		if (!as4_attr && type >= BGP_AS_CONFED_SEQUENCE)
			return "confederation segment from outside a confederation";
		if (!count)
			return "empty segment";
		if (!cursor_skip(&c, (size_t)count * as_size))
			return "segment runs over the attribute";
	}
	return NULL;
}

static void read_as_path(struct bgp_reader *r, struct cursor c)
{
	const char *fault = path_fault(c, r->d->as4 ? 4 : 2, false);
	size_t len = cursor_left(&c);
	uint8_t type, count, *out;
	uint16_t as2, n = 0;

	if (fault) {
		bgp_reader_fail(r, BGP_WITHDRAW, BGP_ATTR_AS_PATH, fault);
		return;
	}
	if (!len || r->d->as4) {
		r->u->attrs.part[ATTRS_AS_PATH].data = c.at;
		r->u->attrs.part[ATTRS_AS_PATH].len = (uint16_t)len;
		return;
	}
	/* what is kept has lengths of two octets */
	if (2 * len > UINT16_MAX) {
		bgp_reader_fail(r, BGP_WITHDRAW, BGP_ATTR_AS_PATH, "too long to keep");
		return;
	}
	out = bgp_reader_alloc(r, 2 * len);
	if (!out)
		return;
	while (cursor_u8(&c, &type) && cursor_u8(&c, &count)) {
		out[n++] = type;
		out[n++] = count;
		for (unsigned int i = 0; i < count && cursor_u16(&c, &as2); i++) {
			out[n++] = 0;
			out[n++] = 0;
			out[n++] = (uint8_t)(as2 >> 8);
			out[n++] = (uint8_t)as2;
		}
	}
	r->u->attrs.part[ATTRS_AS_PATH].data = out;
	r->u->attrs.part[ATTRS_AS_PATH].len = n;
}

static void read_next_hop(struct bgp_reader *r, struct cursor c)
{
	r->nexthop = addr_make(AF_INET, c.at);
}

static void read_med(struct bgp_reader *r, struct cursor c)
{
	if (cursor_u32(&c, &r->u->attrs.f.med))
		r->u->attrs.f.flags |= ATTRS_HAS_MED;
}

static void read_local_pref(struct bgp_reader *r, struct cursor c)
{
	if (cursor_u32(&c, &r->u->attrs.f.local_pref))
		r->u->attrs.f.flags |= ATTRS_HAS_LOCAL_PREF;
}

static void read_atomic(struct bgp_reader *r, struct cursor c)
{
	r->u->attrs.f.flags |= ATTRS_ATOMIC_AGGREGATE;
}

static void read_aggregator(struct bgp_reader *r, struct cursor c)
{
	struct attrs_fixed *f = &r->u->attrs.f;
	uint16_t as2 = 0;

	if (cursor_left(&c) != (r->d->as4 ? 8 : 6)) {
		bgp_reader_fail(r, BGP_DISCARD, BGP_ATTR_AGGREGATOR, "length");
		return;
	}
	if (r->d->as4)
		cursor_u32(&c, &f->aggregator_as);
	else if (cursor_u16(&c, &as2))
		f->aggregator_as = as2;
	cursor_u32(&c, &f->aggregator_addr);
	f->flags |= ATTRS_HAS_AGGREGATOR;
}

static void keep(struct bgp_reader *r, enum attrs_part part, struct cursor c)
{
	r->u->attrs.part[part].data = c.at;
	r->u->attrs.part[part].len = (uint16_t)cursor_left(&c);
}

static void read_communities(struct bgp_reader *r, struct cursor c)
{
	keep(r, ATTRS_COMMUNITY, c);
}

static void read_originator(struct bgp_reader *r, struct cursor c)
{
	if (cursor_u32(&c, &r->u->attrs.f.originator_id))
		r->u->attrs.f.flags |= ATTRS_HAS_ORIGINATOR;
}

static void read_clusters(struct bgp_reader *r, struct cursor c)
{
	keep(r, ATTRS_CLUSTERS, c);
}

static void read_ext(struct bgp_reader *r, struct cursor c)
{
	keep(r, ATTRS_EXT, c);
}

static void read_large(struct bgp_reader *r, struct cursor c)
{
	keep(r, ATTRS_LARGE, c);
}

/* RFC 6793 section 6: a malformed one is discarded; between new speakers it has no place. */
static void read_as4_path(struct bgp_reader *r, struct cursor c)
{
	const char *fault = path_fault(c, 4, true);

	if (r->d->as4)
		return;
	if (fault) {
		bgp_reader_fail(r, BGP_DISCARD, BGP_ATTR_AS4_PATH, fault);
		return;
	}
	r->as4_path = c;
	r->has_as4_path = true;
}

static void read_as4_aggregator(struct bgp_reader *r, struct cursor c)
{
	if (r->d->as4)
		return;
	cursor_u32(&c, &r->as4_aggregator_as);
	cursor_u32(&c, &r->as4_aggregator_addr);
	r->has_as4_aggregator = true;
}

/* ---- MP_REACH_NLRI, MP_UNREACH_NLRI ---- */

/*
 * Something in the field of family @f cannot be read: its routes are not known. One family of
 * several is disabled; the only one takes the session with it (RFC 7606 section 2, 5.3).
 */
static void family_lost(struct bgp_reader *r, enum bgp_family f, uint8_t code, struct cursor all,
			const char *why)
{
	unsigned int others = 0;

	for (int i = 0; i < BGP_FAMILIES; i++)
		others += r->d->family[i] && i != (int)f;
	if (!others) {
		bgp_reader_reset(r, code, BGP_UPD_OPTIONAL, all.at, cursor_left(&all), why);
		return;
	}
	r->u->disabled[f] = true;
	bgp_reader_fail(r, BGP_DISABLE, code, why);
}

/* ::ffff:a.b.c.d is the IPv4 address (RFC 4659 3.2.1.2, RFC 4798). */
static struct ip_addr unmapped(const uint8_t *p)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(p, mapped, sizeof(mapped)) ? addr_make(AF_INET6, p) :
						   addr_make(AF_INET, p + 12);
}

/* Next hop field of one family; false: its length is not one of the family's. */
static bool read_mp_nexthop(const struct bgp_reader *r, enum bgp_family f, struct cursor c,
			    struct bgp_routes *out)
{
	bool vpn = bgp_family_vpn(f), v4 = bgp_family_afi(f) == BGP_AFI_IPV4;
	size_t rd = vpn ? 8 : 0, len = cursor_left(&c);
	const uint8_t *p = c.at;

	if (f == BGP_RTC && len == 16) {
		out->nexthop = addr_make(AF_INET6, p);
		return true;
	}
	if (v4 && len == rd + 4) {
		out->nexthop = addr_make(AF_INET, p + rd);
		return true;
	}
	/* RFC 8950 needs its capability; RFC 4659's IPv6 families have it by nature */
	if (v4 && !r->d->v6_next_hop[f])
		return false;
	if (len != rd + 16 && len != 2 * (rd + 16))
		return false;
	out->nexthop = unmapped(p + rd);
	if (len == 2 * (rd + 16)) {
		struct ip_addr ll = addr_make(AF_INET6, p + rd + 16 + rd);

		if (addr_is_link_local(&ll))
			out->nexthop_ll = ll;
		/* a global one that is not there: the link-local one is all we have */
		if (addr_is_unspecified(&out->nexthop))
			out->nexthop = ll;
	}
	return true;
}

static void read_mp_reach(struct bgp_reader *r, struct cursor c, struct cursor all, bool flags_ok)
{
	struct bgp_routes head = { 0 };
	struct cursor nexthop;
	uint8_t safi, nhlen, reserved;
	enum bgp_family f;
	uint16_t afi;
	bool bad;
	int i;

	if (cursor_left(&c) < 5 || !cursor_u16(&c, &afi) || !cursor_u8(&c, &safi) ||
	    !cursor_u8(&c, &nhlen)) {
		bgp_reader_reset(r, BGP_ATTR_MP_REACH, BGP_UPD_OPTIONAL, all.at, cursor_left(&all),
				 "too short");
		return;
	}
	if (!bgp_family_of(afi, safi, &f) || !r->d->family[f])
		return;		/* not negotiated: ignored */
	if (!flags_ok || !cursor_sub(&c, nhlen, &nexthop) || !cursor_u8(&c, &reserved)) {
		family_lost(r, f, BGP_ATTR_MP_REACH, all,
			    flags_ok ? "next hop runs over the attribute" : "flags");
		return;
	}
	if (!read_mp_nexthop(r, f, nexthop, &head)) {
		family_lost(r, f, BGP_ATTR_MP_REACH, all, "next hop length");
		return;
	}
	i = bgp_reader_routes(r, f, c, false, &bad);
	if (i < 0)
		return;
	if (bad) {
		family_lost(r, f, BGP_ATTR_MP_REACH, all, "NLRI");
		return;
	}
	r->u->part[i].nexthop = head.nexthop;
	r->u->part[i].nexthop_ll = head.nexthop_ll;
	r->mp_reach = i;
}

static void read_mp_unreach(struct bgp_reader *r, struct cursor c, struct cursor all, bool flags_ok)
{
	enum bgp_family f;
	uint16_t afi;
	uint8_t safi;
	bool bad;
	int i;

	if (!cursor_u16(&c, &afi) || !cursor_u8(&c, &safi)) {
		bgp_reader_reset(r, BGP_ATTR_MP_UNREACH, BGP_UPD_OPTIONAL, all.at,
				 cursor_left(&all), "too short");
		return;
	}
	if (!bgp_family_of(afi, safi, &f) || !r->d->family[f])
		return;
	if (!flags_ok) {
		family_lost(r, f, BGP_ATTR_MP_UNREACH, all, "flags");
		return;
	}
	i = bgp_reader_routes(r, f, c, true, &bad);
	if (i < 0)
		return;
	if (bad)
		family_lost(r, f, BGP_ATTR_MP_UNREACH, all, "NLRI");
	else
		r->mp_unreach = i;
}

/* ---- the table ---- */

#define ANY_LEN 0xff		/* the reader judges */

struct attr_row {
	const char *name;
	uint8_t flags;			/* optional and transitive bits */
	uint8_t len;			/* must be this, ... */
	uint8_t multiple;		/* ... or a multiple of this and not empty */
	uint8_t outcome;		/* of wrong flags or length */
	uint8_t external;		/* outcome when an external peer sends it; BGP_ACCEPT: read */
	void (*read)(struct bgp_reader *r, struct cursor value);
};

static const struct attr_row rows[] = {
	[BGP_ATTR_ORIGIN] = { "ORIGIN", TRANS, 1, 0, BGP_WITHDRAW, 0, read_origin },
	[BGP_ATTR_AS_PATH] = { "AS_PATH", TRANS, ANY_LEN, 0, BGP_WITHDRAW, 0, read_as_path },
	[BGP_ATTR_NEXT_HOP] = { "NEXT_HOP", TRANS, 4, 0, BGP_WITHDRAW, 0, read_next_hop },
	[BGP_ATTR_MED] = { "MULTI_EXIT_DISC", OPT, 4, 0, BGP_WITHDRAW, 0, read_med },
	[BGP_ATTR_LOCAL_PREF] = { "LOCAL_PREF", TRANS, 4, 0, BGP_WITHDRAW, BGP_DISCARD,
				  read_local_pref },
	[BGP_ATTR_ATOMIC_AGGREGATE] = { "ATOMIC_AGGREGATE", TRANS, 0, 0, BGP_DISCARD, 0,
					read_atomic },
	[BGP_ATTR_AGGREGATOR] = { "AGGREGATOR", OPT | TRANS, ANY_LEN, 0, BGP_DISCARD, 0,
				  read_aggregator },
	[BGP_ATTR_COMMUNITIES] = { "COMMUNITIES", OPT | TRANS, ANY_LEN, 4, BGP_WITHDRAW, 0,
				   read_communities },
	[BGP_ATTR_ORIGINATOR_ID] = { "ORIGINATOR_ID", OPT, 4, 0, BGP_WITHDRAW, BGP_DISCARD,
				     read_originator },
	[BGP_ATTR_CLUSTER_LIST] = { "CLUSTER_LIST", OPT, ANY_LEN, 4, BGP_WITHDRAW, BGP_DISCARD,
				    read_clusters },
	[BGP_ATTR_MP_REACH] = { "MP_REACH_NLRI", OPT, ANY_LEN, 0, BGP_DISABLE, 0, NULL },
	[BGP_ATTR_MP_UNREACH] = { "MP_UNREACH_NLRI", OPT, ANY_LEN, 0, BGP_DISABLE, 0, NULL },
	[BGP_ATTR_EXT_COMMUNITIES] = { "EXTENDED_COMMUNITIES", OPT | TRANS, ANY_LEN, 8,
				       BGP_WITHDRAW, 0, read_ext },
	[BGP_ATTR_AS4_PATH] = { "AS4_PATH", OPT | TRANS, ANY_LEN, 2, BGP_DISCARD, 0,
				read_as4_path },
	[BGP_ATTR_AS4_AGGREGATOR] = { "AS4_AGGREGATOR", OPT | TRANS, 8, 0, BGP_DISCARD, 0,
				      read_as4_aggregator },
	[BGP_ATTR_LARGE_COMMUNITIES] = { "LARGE_COMMUNITIES", OPT | TRANS, ANY_LEN, 12,
					 BGP_WITHDRAW, 0, read_large },
};

static const struct attr_row *row_of(uint8_t code)
{
	return code < ARRAY_SIZE(rows) && rows[code].name ? &rows[code] : NULL;
}

const char *bgp_attr_name(uint8_t code)
{
	const struct attr_row *row = row_of(code);

	return row ? row->name : "unknown attribute";
}

/* Optional transitive: kept ascending by type, Partial set (RFC 4271 section 5). */
static void read_unknown(struct bgp_reader *r, uint8_t flags, uint8_t code, struct cursor value)
{
	const uint8_t *old = r->u->attrs.part[ATTRS_UNKNOWN].data;
	size_t old_len = r->u->attrs.part[ATTRS_UNKNOWN].len, at = 0, len = cursor_left(&value);
	uint8_t *out;

	if (!(flags & OPT)) {
		bgp_reader_reset(r, code, BGP_UPD_UNKNOWN_WELL_KNOWN, value.at, len,
				 "unknown well-known attribute");
		return;
	}
	if (!(flags & TRANS))
		return;
	if (old_len + 4 + len > UINT16_MAX) {
		bgp_reader_fail(r, BGP_WITHDRAW, code, "too long to keep");
		return;
	}
	out = bgp_reader_alloc(r, old_len + 4 + len);
	if (!out)
		return;
	while (at < old_len && old[at + 1] < code)
		at += 4u + (size_t)(old[at + 2] << 8 | old[at + 3]);
	if (at)
		memcpy(out, old, at);
	out[at] = OPT | TRANS | BGP_FLAG_PARTIAL | BGP_FLAG_EXTENDED;
	out[at + 1] = code;
	out[at + 2] = (uint8_t)(len >> 8);
	out[at + 3] = (uint8_t)len;
	if (len)
		memcpy(out + at + 4, value.at, len);
	if (old_len > at)
		memcpy(out + at + 4 + len, old + at, old_len - at);
	r->u->attrs.part[ATTRS_UNKNOWN].data = out;
	r->u->attrs.part[ATTRS_UNKNOWN].len = (uint16_t)(old_len + 4 + len);
}

void bgp_attr_read(struct bgp_reader *r, uint8_t flags, uint8_t code, struct cursor value,
		   struct cursor all)
{
	const struct attr_row *row = row_of(code);
	bool mp = code == BGP_ATTR_MP_REACH || code == BGP_ATTR_MP_UNREACH;
	size_t len = cursor_left(&value);
	bool flags_ok;

	if (bgp_reader_saw(r, code)) {
		/* RFC 7606 3 g */
		if (mp)
			bgp_reader_reset(r, code, BGP_UPD_MALFORMED_LIST, NULL, 0, "twice");
		else
			bgp_reader_fail(r, BGP_DISCARD, code, "twice: the first one counts");
		return;
	}
	r->seen[code / 32] |= 1u << code % 32;
	if (!row) {
		read_unknown(r, flags, code, value);
		return;
	}
	flags_ok = (flags & (OPT | TRANS)) == row->flags;
	if (mp) {
		if (code == BGP_ATTR_MP_REACH)
			read_mp_reach(r, value, all, flags_ok);
		else
			read_mp_unreach(r, value, all, flags_ok);
		return;
	}
	if (!r->d->internal && row->external) {
		bgp_reader_fail(r, row->external, code, "sent by an external peer");
		return;
	}
	if (!flags_ok) {
		bgp_reader_fail(r, row->outcome, code, "flags");
		return;
	}
	if ((row->len != ANY_LEN && len != row->len) ||
	    (row->multiple && (!len || len % row->multiple))) {
		bgp_reader_fail(r, row->outcome, code, "length");
		return;
	}
	row->read(r, value);
}

/* ---- after the last attribute ---- */

/* ASes that the path counts for RFC 6793 4.2.3: a set is one, confederation segments none. */
static unsigned int path_count(struct cursor c)
{
	unsigned int n = 0;
	uint8_t type, count;

	while (cursor_u8(&c, &type) && cursor_u8(&c, &count) && cursor_skip(&c, count * 4u)) {
		if (type == BGP_AS_SEQUENCE)
			n += count;
		else if (type == BGP_AS_SET)
			n++;
	}
	return n;
}

/* Appends the first @want counted ASes of @c. */
static size_t path_head(uint8_t *out, struct cursor c, unsigned int want)
{
	size_t n = 0;
	uint8_t type, count;
	struct cursor as;

	while (want && cursor_u8(&c, &type) && cursor_u8(&c, &count) &&
	       cursor_sub(&c, count * 4u, &as)) {
		uint8_t used = count;

		if (type == BGP_AS_SEQUENCE && used > want)
			used = (uint8_t)want;
		out[n++] = type;
		out[n++] = used;
		memcpy(out + n, as.at, used * 4u);
		n += used * 4u;
		want -= type == BGP_AS_SEQUENCE ? used : 1;
	}
	return n;
}

/* AS4_PATH without confederation segments, RFC 6793 section 3. */
static size_t path_plain(uint8_t *out, struct cursor c)
{
	size_t n = 0;
	uint8_t type, count;
	struct cursor as;

	while (cursor_u8(&c, &type) && cursor_u8(&c, &count) && cursor_sub(&c, count * 4u, &as)) {
		if (type > BGP_AS_SEQUENCE)
			continue;
		out[n++] = type;
		out[n++] = count;
		memcpy(out + n, as.at, count * 4u);
		n += count * 4u;
	}
	return n;
}

static void merge_as4(struct bgp_reader *r)
{
	struct attrs_fixed *f = &r->u->attrs.f;
	struct cursor path = cursor_make(r->u->attrs.part[ATTRS_AS_PATH].data,
					 r->u->attrs.part[ATTRS_AS_PATH].len);
	unsigned int have = path_count(path), have4;
	uint8_t *out;
	size_t n;

	if (f->flags & ATTRS_HAS_AGGREGATOR && r->has_as4_aggregator) {
		/* the last one who aggregated was an old speaker: both are out of date */
		if (f->aggregator_as != BGP_AS_TRANS)
			return;
		f->aggregator_as = r->as4_aggregator_as;
		f->aggregator_addr = r->as4_aggregator_addr;
	}
	if (!r->has_as4_path)
		return;
	have4 = path_count(r->as4_path);
	if (have < have4)
		return;
	if (cursor_left(&path) + cursor_left(&r->as4_path) + 2 > UINT16_MAX) {
		bgp_reader_fail(r, BGP_WITHDRAW, BGP_ATTR_AS4_PATH, "too long to keep");
		return;
	}
	out = bgp_reader_alloc(r, cursor_left(&path) + cursor_left(&r->as4_path) + 2);
	if (!out)
		return;
	n = path_head(out, path, have - have4);
	n += path_plain(out + n, r->as4_path);
	r->u->attrs.part[ATTRS_AS_PATH].data = out;
	r->u->attrs.part[ATTRS_AS_PATH].len = (uint16_t)n;
}

static bool path_has_zero(struct cursor c)
{
	uint8_t type, count;
	uint32_t as;

	while (cursor_u8(&c, &type) && cursor_u8(&c, &count)) {
		for (unsigned int i = 0; i < count && cursor_u32(&c, &as); i++) {
			if (!as)
				return true;
		}
	}
	return false;
}

void bgp_attr_finish(struct bgp_reader *r)
{
	struct cursor c;
	uint8_t type, count;
	uint32_t first;

	if (r->u->outcome >= BGP_WITHDRAW)
		return;
	if (!r->d->as4)
		merge_as4(r);
	c = cursor_make(r->u->attrs.part[ATTRS_AS_PATH].data, r->u->attrs.part[ATTRS_AS_PATH].len);
	if (path_has_zero(c)) {
		/* RFC 7607 */
		bgp_reader_fail(r, BGP_WITHDRAW, BGP_ATTR_AS_PATH, "AS 0");
		return;
	}
	if (r->d->internal)
		return;
	if (!cursor_u8(&c, &type) || !cursor_u8(&c, &count) || !cursor_u32(&c, &first) ||
	    type != BGP_AS_SEQUENCE || first != r->d->peer_as)
		bgp_reader_fail(r, BGP_WITHDRAW, BGP_ATTR_AS_PATH,
				"does not begin with the peer's AS");
}
