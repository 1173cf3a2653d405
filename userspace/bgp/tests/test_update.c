// SPDX-License-Identifier: GPL-2.0
/* rooms: lib rib policy bgp */
/*
 * Reading UPDATEs: each class of malformed field and the action that RFC 7606 wants for it;
 * next hops in all their forms; AS4_PATH merging; what bgp_attrs_encode() writes reads back as
 * the same interned attributes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bgp/attr.h"
#include "lib/mem.h"

#define ORIGIN 0x40, 1, 1, 0
#define PATH 0x40, 2, 6, 2, 1, 0, 0, 0xfd, 0xe9		/* 65001 */
#define NEXTHOP 0x40, 3, 4, 10, 0, 0, 2
#define PREF 0x40, 5, 4, 0, 0, 0, 100
#define NLRI4 24, 10, 1, 2
/* VPNv4, next hop 10.0.0.2, label 16, RD 0:65000:1, 10.1.2.0/24 */
#define REACH_VPN 0x80, 14, 32, 0, 1, 128, 12, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2, 0, \
		  112, 0, 1, 1, 0, 0, 0xfd, 0xe8, 0, 0, 0, 1, 10, 1, 2
#define UNREACH_VPN 0x80, 15, 18, 0, 1, 128, \
		    112, 0x80, 0, 0, 0, 0, 0xfd, 0xe8, 0, 0, 0, 1, 10, 1, 2

static struct bgp_decode ctx(void)
{
	struct bgp_decode d = { .as4 = true, .peer_as = 65001 };

	d.family[BGP_IPV4] = true;
	d.family[BGP_VPNV4] = true;
	d.family[BGP_VPNV6] = true;
	d.family[BGP_LU4] = true;
	return d;
}

static size_t build(uint8_t *out, const uint8_t *withdrawn, size_t wlen, const uint8_t *attrs,
		    size_t alen, const uint8_t *nlri, size_t nlen)
{
	struct buf b;

	buf_init_fixed(&b, out, BGP_MAX_LEN);
	buf_u16(&b, (uint16_t)wlen);
	buf_bytes(&b, withdrawn, wlen);
	buf_u16(&b, (uint16_t)alen);
	buf_bytes(&b, attrs, alen);
	buf_bytes(&b, nlri, nlen);
	assert_false(b.full);
	return b.len;
}

/* Decodes from memory of exactly that size, so that the sanitizer sees a read past its end. */
static struct bgp_update *decode(const struct bgp_decode *d, const uint8_t *attrs, size_t alen,
				 const uint8_t *nlri, size_t nlen, struct bgp_notification *err)
{
	uint8_t m[BGP_MAX_LEN], *exact;
	size_t len = build(m, NULL, 0, attrs, alen, nlri, nlen);
	struct bgp_update *u;

	exact = malloc(len);
	memcpy(exact, m, len);
	u = bgp_update_decode(d, cursor_make(exact, len), err);
	free(exact);
	return u;
}

struct fault {
	const char *what;
	bool internal;
	enum bgp_outcome want;
	uint8_t subcode;		/* of BGP_RESET */
	uint8_t len;
	uint8_t attrs[120];
};

#define A(...) .len = sizeof((uint8_t[]){ __VA_ARGS__ }), .attrs = { __VA_ARGS__ }

static const struct fault faults[] = {
	{ "nothing wrong", false, BGP_ACCEPT, 0, A(ORIGIN, PATH, NEXTHOP) },
	{ "ORIGIN length", false, BGP_WITHDRAW, 0, A(0x40, 1, 2, 0, 0, PATH, NEXTHOP) },
	{ "ORIGIN value", false, BGP_WITHDRAW, 0, A(0x40, 1, 1, 3, PATH, NEXTHOP) },
	{ "ORIGIN flags", false, BGP_WITHDRAW, 0, A(0xc0, 1, 1, 0, PATH, NEXTHOP) },
	{ "ORIGIN missing", false, BGP_WITHDRAW, 0, A(PATH, NEXTHOP) },
	{ "ORIGIN twice", false, BGP_DISCARD, 0, A(ORIGIN, PATH, NEXTHOP, 0x40, 1, 1, 9) },
	{ "AS_PATH segment type", false, BGP_WITHDRAW, 0,
	  A(ORIGIN, 0x40, 2, 6, 5, 1, 0, 0, 0xfd, 0xe9, NEXTHOP) },
	{ "AS_PATH overrun", false, BGP_WITHDRAW, 0,
	  A(ORIGIN, 0x40, 2, 6, 2, 2, 0, 0, 0xfd, 0xe9, NEXTHOP) },
	{ "AS_PATH underrun", false, BGP_WITHDRAW, 0,
	  A(ORIGIN, 0x40, 2, 7, 2, 1, 0, 0, 0xfd, 0xe9, 2, NEXTHOP) },
	{ "AS_PATH empty segment", false, BGP_WITHDRAW, 0,
	  A(ORIGIN, 0x40, 2, 8, 2, 1, 0, 0, 0xfd, 0xe9, 2, 0, NEXTHOP) },
	{ "AS_PATH confederation", false, BGP_WITHDRAW, 0,
	  A(ORIGIN, 0x40, 2, 6, 3, 1, 0, 0, 0xfd, 0xe9, NEXTHOP) },
	{ "AS_PATH not the peer's", false, BGP_WITHDRAW, 0,
	  A(ORIGIN, 0x40, 2, 6, 2, 1, 0, 0, 0xfd, 0xea, NEXTHOP) },
	{ "AS_PATH empty from outside", false, BGP_WITHDRAW, 0, A(ORIGIN, 0x40, 2, 0, NEXTHOP) },
	{ "AS_PATH empty from inside", true, BGP_ACCEPT, 0,
	  A(ORIGIN, 0x40, 2, 0, NEXTHOP, PREF) },
	{ "LOCAL_PREF missing from inside", true, BGP_WITHDRAW, 0, A(ORIGIN, PATH, NEXTHOP) },
	{ "AS_PATH AS 0", true, BGP_WITHDRAW, 0,
	  A(ORIGIN, 0x40, 2, 6, 2, 1, 0, 0, 0, 0, NEXTHOP) },
	{ "AS_PATH missing", false, BGP_WITHDRAW, 0, A(ORIGIN, NEXTHOP) },
	{ "NEXT_HOP length", false, BGP_WITHDRAW, 0, A(ORIGIN, PATH, 0x40, 3, 3, 10, 0, 0) },
	{ "NEXT_HOP missing", false, BGP_WITHDRAW, 0, A(ORIGIN, PATH) },
	{ "NEXT_HOP zero", false, BGP_WITHDRAW, 0, A(ORIGIN, PATH, 0x40, 3, 4, 0, 0, 0, 0) },
	{ "NEXT_HOP loopback", false, BGP_WITHDRAW, 0, A(ORIGIN, PATH, 0x40, 3, 4, 127, 0, 0, 1) },
	{ "NEXT_HOP multicast", false, BGP_WITHDRAW, 0, A(ORIGIN, PATH, 0x40, 3, 4, 224, 0, 0, 1) },
	{ "MED length", false, BGP_WITHDRAW, 0, A(ORIGIN, PATH, NEXTHOP, 0x80, 4, 3, 0, 0, 1) },
	{ "MED zero length", false, BGP_WITHDRAW, 0, A(ORIGIN, PATH, NEXTHOP, 0x80, 4, 0) },
	{ "LOCAL_PREF from outside", false, BGP_DISCARD, 0,
	  A(ORIGIN, PATH, NEXTHOP, 0x40, 5, 4, 0, 0, 0, 9) },
	{ "LOCAL_PREF length", true, BGP_WITHDRAW, 0,
	  A(ORIGIN, PATH, NEXTHOP, 0x40, 5, 3, 0, 0, 9) },
	{ "ATOMIC_AGGREGATE length", false, BGP_DISCARD, 0,
	  A(ORIGIN, PATH, NEXTHOP, 0x40, 6, 1, 0) },
	{ "AGGREGATOR length", false, BGP_DISCARD, 0,
	  A(ORIGIN, PATH, NEXTHOP, 0xc0, 7, 6, 0, 1, 10, 0, 0, 1) },
	{ "COMMUNITIES length", false, BGP_WITHDRAW, 0,
	  A(ORIGIN, PATH, NEXTHOP, 0xc0, 8, 5, 0, 1, 0, 1, 0) },
	{ "COMMUNITIES empty", false, BGP_WITHDRAW, 0, A(ORIGIN, PATH, NEXTHOP, 0xc0, 8, 0) },
	{ "ORIGINATOR_ID from outside", false, BGP_DISCARD, 0,
	  A(ORIGIN, PATH, NEXTHOP, 0x80, 9, 4, 1, 1, 1, 1) },
	{ "ORIGINATOR_ID length", true, BGP_WITHDRAW, 0,
	  A(ORIGIN, PATH, NEXTHOP, 0x80, 9, 3, 1, 1, 1) },
	{ "CLUSTER_LIST from outside", false, BGP_DISCARD, 0,
	  A(ORIGIN, PATH, NEXTHOP, 0x80, 10, 4, 1, 1, 1, 1) },
	{ "CLUSTER_LIST length", true, BGP_WITHDRAW, 0,
	  A(ORIGIN, PATH, NEXTHOP, 0x80, 10, 5, 1, 1, 1, 1, 1) },
	{ "EXTENDED_COMMUNITIES length", false, BGP_WITHDRAW, 0,
	  A(ORIGIN, PATH, NEXTHOP, 0xc0, 16, 7, 0, 2, 0, 1, 0, 0, 0) },
	{ "LARGE_COMMUNITIES length", false, BGP_WITHDRAW, 0,
	  A(ORIGIN, PATH, NEXTHOP, 0xc0, 32, 4, 0, 2, 0, 1) },
	{ "attribute runs over the list", false, BGP_WITHDRAW, 0,
	  A(ORIGIN, PATH, NEXTHOP, 0x80, 4, 40, 0, 0) },
	{ "two octets left", false, BGP_WITHDRAW, 0, A(ORIGIN, PATH, NEXTHOP, 0x80, 4) },
	{ "unknown well-known", false, BGP_RESET, BGP_UPD_UNKNOWN_WELL_KNOWN,
	  A(ORIGIN, PATH, NEXTHOP, 0x40, 99, 1, 0) },
	{ "unknown optional", false, BGP_ACCEPT, 0, A(ORIGIN, PATH, NEXTHOP, 0x80, 99, 1, 0) },
	{ "unknown transitive", false, BGP_ACCEPT, 0, A(ORIGIN, PATH, NEXTHOP, 0xc0, 99, 1, 0) },
	{ "AS4_PATH between new speakers", false, BGP_ACCEPT, 0,
	  A(ORIGIN, PATH, NEXTHOP, 0xc0, 17, 6, 2, 1, 0, 0, 0, 1) },
	{ "MP_REACH twice", false, BGP_RESET, BGP_UPD_MALFORMED_LIST,
	  A(REACH_VPN, REACH_VPN, ORIGIN, PATH, NEXTHOP) },
	{ "MP_REACH too short", false, BGP_RESET, BGP_UPD_OPTIONAL,
	  A(0x80, 14, 4, 0, 1, 128, 0, ORIGIN, PATH, NEXTHOP) },
	{ "MP_REACH next hop length", false, BGP_DISABLE, 0,
	  A(0x80, 14, 10, 0, 1, 128, 5, 1, 2, 3, 4, 5, 0, ORIGIN, PATH, NEXTHOP) },
	{ "MP_REACH next hop overrun", false, BGP_DISABLE, 0,
	  A(0x80, 14, 5, 0, 1, 128, 12, 0, ORIGIN, PATH, NEXTHOP) },
	{ "MP_REACH flags", false, BGP_DISABLE, 0,
	  A(0xc0, 14, 17, 0, 1, 128, 12, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2, 0,
	    ORIGIN, PATH, NEXTHOP) },
	{ "MP_REACH NLRI too long", false, BGP_DISABLE, 0,
	  A(0x80, 14, 18, 0, 1, 128, 12, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2, 0, 121,
	    ORIGIN, PATH, NEXTHOP) },
	{ "MP_UNREACH too short", false, BGP_RESET, BGP_UPD_OPTIONAL,
	  A(0x80, 15, 2, 0, 1, ORIGIN, PATH, NEXTHOP) },
	{ "MP_UNREACH NLRI", false, BGP_DISABLE, 0,
	  A(0x80, 15, 5, 0, 1, 128, 112, 0x80, ORIGIN, PATH, NEXTHOP) },
	{ "MP_REACH of a family not spoken", false, BGP_ACCEPT, 0,
	  A(0x80, 14, 6, 0, 25, 70, 0, 0, 1, ORIGIN, PATH, NEXTHOP) },
	{ "MP_REACH next hop zero", false, BGP_WITHDRAW, 0,
	  A(0x80, 14, 32, 0, 1, 128, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	    112, 0, 1, 1, 0, 0, 0xfd, 0xe8, 0, 0, 0, 1, 10, 1, 2, ORIGIN, PATH, NEXTHOP) },
};

static const struct bgp_routes *part_of(const struct bgp_update *u, enum bgp_family f)
{
	for (unsigned int i = 0; i < u->parts; i++) {
		if (u->part[i].family == f)
			return &u->part[i];
	}
	return NULL;
}

static unsigned int reports;

static void count_report(void *arg, enum bgp_outcome o, uint8_t attr, const char *why)
{
	reports++;
	assert_non_null(why);
}

static void malformed(void **state)
{
	static const uint8_t nlri[] = { NLRI4 };

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		const struct fault *f = &faults[i];
		struct bgp_notification err;
		struct bgp_decode d = ctx();
		const struct bgp_routes *r;
		struct bgp_update *u;
		bool withdrawn;

		d.internal = f->internal;
		d.report = count_report;
		reports = 0;
		u = decode(&d, f->attrs, f->len, nlri, sizeof(nlri), &err);
		if (f->want == BGP_RESET) {
			if (u || err.code != BGP_ERR_UPDATE || err.subcode != f->subcode)
				fail_msg("%s: no reset, or with %u", f->what, err.subcode);
			continue;
		}
		if (!u || u->outcome != f->want)
			fail_msg("%s: %s", f->what, u ? bgp_outcome_name(u->outcome) : "reset");
		if (!!reports != !!f->want)
			fail_msg("%s: %u reports", f->what, reports);
		r = part_of(u, BGP_IPV4);
		assert_non_null(r);
		assert_int_equal(r->count, 1);
		withdrawn = f->want >= BGP_WITHDRAW;
		if (r->withdraw != withdrawn)
			fail_msg("%s: withdrawn %d", f->what, r->withdraw);
		assert_int_equal(u->disabled[BGP_VPNV4], f->want == BGP_DISABLE);
		bgp_update_free(u);
	}
}

/* With one family only there is nothing left to keep the session for. */
static void only_family_resets(void **state)
{
	static const uint8_t attrs[] = { 0x80, 14, 10, 0, 1, 128, 5, 1, 2, 3, 4, 5, 0, ORIGIN, PATH };
	struct bgp_decode d = { .as4 = true, .peer_as = 65001 };
	struct bgp_notification err;

	d.family[BGP_VPNV4] = true;
	assert_null(decode(&d, attrs, sizeof(attrs), NULL, 0, &err));
	assert_int_equal(err.subcode, BGP_UPD_OPTIONAL);
	/* the data is the attribute */
	assert_int_equal(err.len, 13);
	assert_memory_equal(err.data, attrs, 13);
}

/* RFC 7606 5.2: malformed attributes, and nothing reachable: we cannot know what was meant. */
static void nothing_reachable(void **state)
{
	static const uint8_t bad[] = { UNREACH_VPN, 0x40, 1, 1, 7 };
	static const uint8_t mild[] = { UNREACH_VPN, 0x40, 6, 1, 7 };
	struct bgp_decode d = ctx();
	struct bgp_notification err;
	struct bgp_update *u;

	assert_null(decode(&d, bad, sizeof(bad), NULL, 0, &err));
	assert_int_equal(err.subcode, BGP_UPD_MALFORMED_LIST);
	u = decode(&d, mild, sizeof(mild), NULL, 0, &err);
	assert_non_null(u);
	assert_int_equal(u->outcome, BGP_DISCARD);
	bgp_update_free(u);
}

static void lengths(void **state)
{
	static const uint8_t plain[] = { 33, 10, 0, 0, 0, 0 };
	static const uint8_t attrs[] = { ORIGIN, PATH, NEXTHOP };
	struct bgp_decode d = ctx();
	struct bgp_notification err;
	uint8_t m[BGP_MAX_LEN];
	size_t len;

	/* NLRI field with a length of 33: session reset */
	assert_null(decode(&d, attrs, sizeof(attrs), plain, sizeof(plain), &err));
	assert_int_equal(err.subcode, BGP_UPD_NETWORK);
	/* withdrawn routes likewise */
	len = build(m, plain, sizeof(plain), NULL, 0, NULL, 0);
	assert_null(bgp_update_decode(&d, cursor_make(m, len), &err));
	assert_int_equal(err.subcode, BGP_UPD_NETWORK);
	/* lengths beyond the message */
	len = build(m, NULL, 0, attrs, sizeof(attrs), NULL, 0);
	m[3] = (uint8_t)(m[3] + 1);
	assert_null(bgp_update_decode(&d, cursor_make(m, len), &err));
	assert_int_equal(err.subcode, BGP_UPD_MALFORMED_LIST);
	m[0] = 0xff;
	assert_null(bgp_update_decode(&d, cursor_make(m, len), &err));
	assert_int_equal(err.subcode, BGP_UPD_MALFORMED_LIST);
}

static void end_of_rib(void **state)
{
	static const uint8_t vpn[] = { 0x80, 15, 3, 0, 1, 128 };
	struct bgp_decode d = ctx();
	struct bgp_notification err;
	struct bgp_update *u = decode(&d, NULL, 0, NULL, 0, &err);

	assert_true(u->eor[BGP_IPV4] && !u->eor[BGP_VPNV4]);
	bgp_update_free(u);
	u = decode(&d, vpn, sizeof(vpn), NULL, 0, &err);
	assert_true(u->eor[BGP_VPNV4] && !u->eor[BGP_IPV4]);
	bgp_update_free(u);
}

static void vpn_routes(void **state)
{
	static const uint8_t attrs[] = { REACH_VPN, UNREACH_VPN, ORIGIN, PATH };
	static const uint8_t rd[] = { 0, 0, 0xfd, 0xe8, 0, 0, 0, 1 };
	struct bgp_decode d = ctx();
	struct bgp_notification err;
	struct bgp_update *u = decode(&d, attrs, sizeof(attrs), NULL, 0, &err);
	char text[PREFIX_STRLEN];

	assert_int_equal(u->outcome, BGP_ACCEPT);
	assert_int_equal(u->parts, 2);
	assert_false(u->part[0].withdraw);
	assert_int_equal(u->part[0].nlri[0].label, 16);
	assert_memory_equal(u->part[0].nlri[0].rd, rd, 8);
	assert_string_equal(prefix_str(&u->part[0].nlri[0].prefix, text), "10.1.2.0/24");
	assert_string_equal(addr_str(&u->part[0].nexthop, text), "10.0.0.2");
	assert_true(u->part[1].withdraw);
	assert_int_equal(u->part[1].count, 1);
	bgp_update_free(u);
}

/* RFC 8277: SAFI 4 beside the others; each fault of its field alone, and what it does to the family. */
static void labelled_routes(void **state)
{
	static const uint8_t good[] = { 0x80, 14, 17, 0, 1, 4, 4, 10, 0, 0, 2, 0, 56, 0x05, 0xdc, 0x01, 192, 0, 2, 1,
					0x80, 15, 12, 0, 1, 4, 32, 0x80, 0, 0, 10, 24, 0, 0x31, 0, ORIGIN, PATH };
	static const uint8_t eor[] = { 0x80, 15, 3, 0, 1, 4 };
	static const struct {
		uint8_t attrs[64];
		size_t len;
	} bad[] = {
		/* next hop of 12 octets: the VPN's; a prefix of 33 bits; no room for a label; cut; in a withdrawal */
		{ A(0x80, 14, 25, 0, 1, 4, 12, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2, 0, 56, 0, 1, 1, 192, 0, 2, 1,
		    ORIGIN, PATH) },
		{ A(0x80, 14, 18, 0, 1, 4, 4, 10, 0, 0, 2, 0, 57, 0, 1, 1, 192, 0, 2, 1, 0, ORIGIN, PATH) },
		{ A(0x80, 14, 12, 0, 1, 4, 4, 10, 0, 0, 2, 0, 8, 10, ORIGIN, PATH) },
		{ A(0x80, 14, 15, 0, 1, 4, 4, 10, 0, 0, 2, 0, 56, 0, 1, 1, 192, ORIGIN, PATH) },
		{ A(0x80, 15, 9, 0, 1, 4, 80, 0x80, 0, 0, 10, 0) },
	};
	struct bgp_decode d = ctx();
	struct bgp_notification err;
	struct bgp_update *u = decode(&d, good, sizeof(good), NULL, 0, &err);
	char text[PREFIX_STRLEN];

	assert_int_equal(u->outcome, BGP_ACCEPT);
	assert_int_equal(u->parts, 2);
	assert_int_equal(u->part[0].family, BGP_LU4);
	assert_int_equal(u->part[0].nlri[0].label, 24000);
	assert_string_equal(prefix_str(&u->part[0].nlri[0].prefix, text), "192.0.2.1/32");
	assert_string_equal(addr_str(&u->part[0].nexthop, text), "10.0.0.2");
	assert_true(u->part[1].withdraw);
	assert_int_equal(u->part[1].count, 2);
	bgp_update_free(u);
	u = decode(&d, eor, sizeof(eor), NULL, 0, &err);
	assert_true(u->eor[BGP_LU4] && !u->eor[BGP_LU6] && !u->eor[BGP_VPNV4]);
	bgp_update_free(u);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		u = decode(&d, bad[i].attrs, bad[i].len, NULL, 0, &err);
		if (!u || !u->disabled[BGP_LU4] || u->disabled[BGP_VPNV4])
			fail_msg("fault %zu: %s", i, u ? bgp_outcome_name(u->outcome) : "reset");
		bgp_update_free(u);
	}
}

/* RFC 4684: SAFI 132; faults of its field disable the family, one next hop length too many of the VPNs' too. */
static void membership_routes(void **state)
{
	static const uint8_t good[] = { 0x80, 14, 24, 0, 1, 132, 4, 10, 0, 0, 2, 0, 0, 96, 0, 0, 0xfd, 0xe8,
					0, 2, 0xfd, 0xe8, 0, 0, 0, 1, 0,
					0x80, 15, 8, 0, 1, 132, 32, 0, 0, 0, 5, ORIGIN, PATH };
	static const uint8_t eor[] = { 0x80, 15, 3, 0, 1, 132 };
	static const struct {
		uint8_t attrs[64];
		size_t len;
	} bad[] = {
		{ A(0x80, 14, 18, 0, 1, 132, 12, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2, 0, 0, ORIGIN, PATH) },
		{ A(0x80, 14, 14, 0, 1, 132, 4, 10, 0, 0, 2, 0, 31, 0, 0, 0, 0, ORIGIN, PATH) },
		{ A(0x80, 14, 13, 0, 1, 132, 4, 10, 0, 0, 2, 0, 32, 0, 0, 0, ORIGIN, PATH) },
		{ A(0x80, 15, 4, 0, 1, 132, 97) },
	};
	struct bgp_decode d = ctx();
	struct bgp_notification err;
	struct bgp_update *u;

	d.family[BGP_RTC] = true;
	u = decode(&d, good, sizeof(good), NULL, 0, &err);
	assert_non_null(u);
	assert_int_equal(u->outcome, BGP_ACCEPT);
	assert_int_equal(u->parts, 2);
	assert_int_equal(u->part[0].family, BGP_RTC);
	assert_int_equal(u->part[0].count, 3);
	assert_int_equal(u->part[0].nlri[0].rtc.len, 0);
	assert_int_equal(u->part[0].nlri[1].rtc.as, 65000);
	assert_int_equal(u->part[0].nlri[1].rtc.len, 96);
	assert_int_equal(u->part[0].nlri[2].rtc.len, 0);
	assert_true(u->part[1].withdraw);
	assert_int_equal(u->part[1].nlri[0].rtc.as, 5);
	bgp_update_free(u);
	u = decode(&d, eor, sizeof(eor), NULL, 0, &err);
	assert_true(u->eor[BGP_RTC] && !u->eor[BGP_VPNV4]);
	bgp_update_free(u);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		u = decode(&d, bad[i].attrs, bad[i].len, NULL, 0, &err);
		if (!u || !u->disabled[BGP_RTC] || u->disabled[BGP_VPNV4])
			fail_msg("fault %zu: %s", i, u ? bgp_outcome_name(u->outcome) : "reset");
		bgp_update_free(u);
	}
	/* not negotiated: ignored, whatever is inside */
	d.family[BGP_RTC] = false;
	u = decode(&d, bad[1].attrs, bad[1].len, NULL, 0, &err);
	assert_int_equal(u->outcome, BGP_ACCEPT);
	assert_int_equal(u->parts, 0);
	bgp_update_free(u);
}

/* RFC 7911: identifiers in front of the NLRI of one family, and of IPv4's in all its fields. */
static void path_ids(void **state)
{
	static const uint8_t attrs[] = {
		0x80, 14, 36, 0, 1, 128, 12, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2, 0,
		0, 0, 0, 9, 112, 0, 1, 1, 0, 0, 0xfd, 0xe8, 0, 0, 0, 1, 10, 1, 2,
		0x80, 15, 12, 0, 1, 4, 32, 0x80, 0, 0, 10, 24, 0, 0x31, 0, ORIGIN, PATH, NEXTHOP,
	};
	static const uint8_t plain[] = { 0, 0, 1, 0, NLRI4, 0xff, 0xff, 0xff, 0xff, NLRI4 };
	struct bgp_decode d = ctx();
	struct bgp_notification err;
	struct bgp_update *u;
	uint8_t m[BGP_MAX_LEN];
	size_t len;

	d.addpath[BGP_VPNV4] = true;
	d.addpath[BGP_IPV4] = true;
	len = build(m, plain, sizeof(plain), attrs, sizeof(attrs), plain, sizeof(plain));
	u = bgp_update_decode(&d, cursor_make(m, len), &err);
	assert_non_null(u);
	assert_int_equal(u->outcome, BGP_ACCEPT);
	assert_int_equal(u->parts, 4);
	for (int i = 0; i < 4; i += 3) {
		assert_int_equal(u->part[i].family, BGP_IPV4);
		assert_int_equal(u->part[i].count, 2);
		assert_int_equal(u->part[i].nlri[0].path_id, 256);
		assert_int_equal(u->part[i].nlri[1].path_id, 0xffffffff);
	}
	assert_int_equal(u->part[1].nlri[0].path_id, 9);
	assert_int_equal(u->part[1].nlri[0].label, 16);
	/* labelled unicast has none agreed on */
	assert_int_equal(u->part[2].count, 2);
	assert_int_equal(u->part[2].nlri[0].path_id, 0);
	bgp_update_free(u);
	/* without the agreement the octets are something else: nothing of that length */
	d.addpath[BGP_VPNV4] = false;
	u = bgp_update_decode(&d, cursor_make(m, len), &err);
	assert_non_null(u);
	assert_true(u->disabled[BGP_VPNV4]);
	bgp_update_free(u);
}

/* All next hops of RFC 4364, 4659, 2545, 4684, 8950, written and read back. */
static void next_hops(void **state)
{
	static const struct {
		enum bgp_family f;
		const char *nh, *ll;
		uint8_t len;
		bool ext;
	} cases[] = {
		{ BGP_VPNV4, "10.0.0.2", NULL, 12, false },
		{ BGP_VPNV6, "10.0.0.2", NULL, 24, false },
		{ BGP_VPNV6, "2001:db8::2", NULL, 24, false },
		{ BGP_VPNV6, "2001:db8::2", "fe80::2", 48, false },
		{ BGP_VPNV4, "2001:db8::2", NULL, 24, true },
		{ BGP_VPNV4, "2001:db8::2", "fe80::2", 48, true },
		{ BGP_IPV6, "2001:db8::2", NULL, 16, false },
		{ BGP_IPV6, "2001:db8::2", "fe80::2", 32, false },
		{ BGP_IPV6, "fe80::2", "fe80::2", 32, false },
		{ BGP_IPV4, "2001:db8::2", NULL, 16, true },
		{ BGP_LU4, "10.0.0.2", NULL, 4, false },
		{ BGP_LU4, "2001:db8::2", NULL, 16, true },
		{ BGP_LU6, "2001:db8::2", NULL, 16, false },
		{ BGP_LU6, "2001:db8::2", "fe80::2", 32, false },
		{ BGP_LU6, "10.0.0.2", NULL, 16, false },
		{ BGP_RTC, "10.0.0.2", NULL, 4, false },
		{ BGP_RTC, "2001:db8::2", NULL, 16, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		static const uint8_t rest[] = { ORIGIN, PATH };
		struct bgp_decode d = { .as4 = true, .peer_as = 65001 };
		struct ip_addr nh, ll = { 0 };
		struct bgp_nlri n = { 0 };
		struct bgp_notification err;
		struct bgp_update *u;
		struct buf b;
		size_t start;

		memset(d.family, true, sizeof(d.family));
		memset(d.v6_next_hop, cases[i].ext, sizeof(d.v6_next_hop));
		assert_true(addr_parse(cases[i].nh, &nh));
		if (cases[i].ll)
			assert_true(addr_parse(cases[i].ll, &ll));
		n.prefix.addr.family = AF_INET6;
		if (cases[i].f == BGP_RTC)
			memset(&n, 0, sizeof(n));
		else if (bgp_family_afi(cases[i].f) == BGP_AFI_IPV4)
			n.prefix.addr.family = AF_INET;
		buf_init(&b);
		start = bgp_mp_reach_begin(&b, cases[i].f, &nh, &ll);
		bgp_nlri_encode(&b, cases[i].f, &n, 0);
		bgp_mp_end(&b, start);
		assert_int_equal(b.data[7], cases[i].len);
		buf_bytes(&b, rest, sizeof(rest));
		u = decode(&d, b.data, b.len, NULL, 0, &err);
		assert_non_null(u);
		assert_int_equal(u->outcome, BGP_ACCEPT);
		assert_true(addr_eq(&u->part[0].nexthop, &nh));
		assert_true(addr_eq(&u->part[0].nexthop_ll, &ll));
		bgp_update_free(u);
		if (cases[i].ext) {
			/* without RFC 8950's capability the length is wrong */
			memset(d.v6_next_hop, false, sizeof(d.v6_next_hop));
			u = decode(&d, b.data, b.len, NULL, 0, &err);
			assert_non_null(u);
			assert_int_equal(u->outcome, BGP_DISABLE);
			bgp_update_free(u);
		}
		buf_free(&b);
	}
}

static void path_is(const struct bgp_update *u, const uint8_t *want, size_t len)
{
	assert_int_equal(u->attrs.part[ATTRS_AS_PATH].len, len);
	assert_memory_equal(u->attrs.part[ATTRS_AS_PATH].data, want, len);
}

/* RFC 6793 4.2.3 */
static void as4_merge(void **state)
{
	static const uint8_t nlri[] = { NLRI4 };
	/* 65001 23456 23456 and AS4_PATH 100000 100001 */
	static const uint8_t merge[] = {
		ORIGIN, 0x40, 2, 8, 2, 3, 0xfd, 0xe9, 0x5b, 0xa0, 0x5b, 0xa0, NEXTHOP,
		0xc0, 17, 10, 2, 2, 0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa1,
	};
	static const uint8_t merged[] = { 2, 1, 0, 0, 0xfd, 0xe9,
					  2, 2, 0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa1 };
	/* an AS4_PATH longer than the path is ignored */
	static const uint8_t longer[] = {
		ORIGIN, 0x40, 2, 4, 2, 1, 0xfd, 0xe9, NEXTHOP,
		0xc0, 17, 10, 2, 2, 0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa1,
	};
	static const uint8_t plain[] = { 2, 1, 0, 0, 0xfd, 0xe9 };
	/* AGGREGATOR that is not AS_TRANS: AS4 attributes are out of date */
	static const uint8_t aggregated[] = {
		ORIGIN, 0x40, 2, 6, 2, 2, 0xfd, 0xe9, 0x5b, 0xa0, NEXTHOP,
		0xc0, 7, 6, 0, 9, 10, 0, 0, 9, 0xc0, 17, 6, 2, 1, 0, 1, 0x86, 0xa0,
		0xc0, 18, 8, 0, 1, 0x86, 0xa0, 10, 0, 0, 8,
	};
	static const uint8_t aggregated_path[] = { 2, 2, 0, 0, 0xfd, 0xe9, 0, 0, 0x5b, 0xa0 };
	struct bgp_decode d = ctx();
	struct bgp_notification err;
	struct bgp_update *u;

	d.as4 = false;
	u = decode(&d, merge, sizeof(merge), nlri, sizeof(nlri), &err);
	assert_int_equal(u->outcome, BGP_ACCEPT);
	path_is(u, merged, sizeof(merged));
	bgp_update_free(u);
	u = decode(&d, longer, sizeof(longer), nlri, sizeof(nlri), &err);
	path_is(u, plain, sizeof(plain));
	bgp_update_free(u);
	u = decode(&d, aggregated, sizeof(aggregated), nlri, sizeof(nlri), &err);
	path_is(u, aggregated_path, sizeof(aggregated_path));
	assert_int_equal(u->attrs.f.aggregator_as, 9);
	bgp_update_free(u);
}

/* RFC 8654: what an extended message brings and cannot be kept with lengths of two octets. */
static void too_long(void **state)
{
	static const uint8_t head[] = { ORIGIN, NEXTHOP };
	static const uint8_t nlri[] = { NLRI4 };
	uint8_t *m = calloc(1, BGP_EXTENDED_LEN);

	for (int as4 = 0; as4 < 2; as4++) {
		/* 51,200 octets with two for each AS are twice as many with four */
		unsigned int segments = as4 ? 60 : 100, size = as4 ? 4 : 2;
		struct bgp_decode d = ctx();
		struct bgp_notification err;
		struct bgp_update *u;
		size_t len, at, path;
		struct buf b;

		d.as4 = as4;
		d.internal = false;
		buf_init_fixed(&b, m, BGP_EXTENDED_LEN);
		buf_u16(&b, 0);
		len = b.len;
		buf_u16(&b, 0);
		buf_bytes(&b, head, sizeof(head));
		buf_u8(&b, 0x50);
		buf_u8(&b, BGP_ATTR_AS_PATH);
		at = b.len;
		buf_u16(&b, 0);
		path = b.len;
		for (unsigned int s = 0; s < segments; s++) {
			buf_u8(&b, BGP_AS_SEQUENCE);
			buf_u8(&b, 255);
			for (unsigned int i = 0; i < 255; i++) {
				if (size == 4)
					buf_u16(&b, 0);
				buf_u16(&b, 65001);
			}
		}
		buf_patch_u16(&b, at, (uint16_t)(b.len - path));
		buf_patch_u16(&b, len, (uint16_t)(b.len - len - 2));
		buf_bytes(&b, nlri, sizeof(nlri));
		assert_false(b.full);
		u = bgp_update_decode(&d, cursor_make(m, b.len), &err);
		assert_non_null(u);
		assert_int_equal(u->outcome, as4 ? BGP_ACCEPT : BGP_WITHDRAW);
		bgp_update_free(u);
	}
	free(m);
}

/* Attributes with everything, out and in again, to both kinds of speaker. */
static void attrs_round_trip(void **state)
{
	static const uint8_t path[] = { 2, 2, 0, 0, 0xfd, 0xe9, 0, 1, 0x86, 0xa0,
					1, 2, 0, 0, 0, 5, 0, 1, 0x86, 0xa1 };
	static const uint8_t community[] = { 0xfd, 0xe8, 0, 1, 0xfd, 0xe8, 0, 2 };
	static const uint8_t ext[] = { 0, 2, 0xfd, 0xe8, 0, 0, 0, 1, 0, 3, 0xfd, 0xe8, 0, 0, 0, 9 };
	static const uint8_t large[] = { 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3 };
	static const uint8_t clusters[] = { 1, 1, 1, 1, 2, 2, 2, 2 };
	static const uint8_t unknown[] = { 0xf0, 12, 0, 1, 1, 0xf0, 30, 0, 2, 3, 4, 0xf0, 99, 0, 0 };
	static const uint8_t nlri[] = { NLRI4 };
	struct attrs_builder b = { 0 };
	struct attrs *a;

	b.f.origin = ORIGIN_EGP;
	b.f.flags = ATTRS_HAS_MED | ATTRS_HAS_LOCAL_PREF | ATTRS_HAS_AGGREGATOR |
		    ATTRS_ATOMIC_AGGREGATE | ATTRS_HAS_ORIGINATOR;
	b.f.med = 7;
	b.f.local_pref = 200;
	b.f.aggregator_as = 100002;
	b.f.aggregator_addr = 0x0a000009;
	b.f.originator_id = 0x01020304;
#define PART(p, d) b.part[p].data = d, b.part[p].len = sizeof(d)
	PART(ATTRS_AS_PATH, path);
	PART(ATTRS_COMMUNITY, community);
	PART(ATTRS_EXT, ext);
	PART(ATTRS_LARGE, large);
	PART(ATTRS_CLUSTERS, clusters);
	PART(ATTRS_UNKNOWN, unknown);
	a = attrs_intern(&b);
	assert_non_null(a);
	for (int as4 = 0; as4 < 2; as4++) {
		struct bgp_encode e = { .as4 = as4, .internal = true };
		struct bgp_decode d = ctx();
		struct bgp_notification err;
		struct bgp_update *u;
		struct ip_addr nh;
		struct attrs *back;
		struct buf out;

		d.as4 = as4;
		d.internal = true;
		addr_parse("10.0.0.2", &nh);
		buf_init(&out);
		bgp_attrs_encode(&out, &e, a, &nh);
		u = decode(&d, out.data, out.len, nlri, sizeof(nlri), &err);
		assert_non_null(u);
		assert_int_equal(u->outcome, BGP_ACCEPT);
		back = attrs_intern(&u->attrs);
		assert_ptr_equal(back, a);
		attrs_put(back);
		bgp_update_free(u);
		buf_free(&out);
	}
	attrs_put(a);
	assert_int_equal(attrs_count(), 0);
}

/*
 * A worker's life: batches of updates, filled here and emptied there. What is in one stays as it is while others are
 * filled, though the message is overwritten; blocks come back to where they came from, and not too many are kept.
 */
static void batches(void **state)
{
	static const uint8_t attrs[] = { REACH_VPN, ORIGIN, 0x40, 2, 6, 2, 1, 0, 0, 0xfd, 0xe9, 0xc0, 8, 4, 0, 0, 0, 0,
					 0xc0, 16, 8, 0, 2, 0, 0, 0, 0, 0, 0 };
	struct bgp_blocks spare = { 0 };
	struct bgp_decode d = ctx();
	struct bgp_batch full[4];

	for (int round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < ARRAY_SIZE(full); i++)
			bgp_batch_init(&full[i], &spare);
		for (uint32_t i = 0; i < 20000; i++) {
			struct bgp_batch *b = &full[i % ARRAY_SIZE(full)];
			struct bgp_notification err;
			struct bgp_update *u;
			uint8_t m[BGP_MAX_LEN];
			size_t len = build(m, NULL, 0, attrs, sizeof(attrs), NULL, 0);

			memcpy(m + len - 4, &i, 4);
			memcpy(m + len - 15, &i, 4);
			u = bgp_update_read(&d, cursor_make(m, len), b, &err);
			assert_non_null(u);
			assert_int_equal(u->outcome, BGP_ACCEPT);
			bgp_batch_add(b, u);
			memset(m, 0xaa, len);
		}
		for (uint32_t i = 0; i < ARRAY_SIZE(full); i++) {
			uint32_t want = i;

			for (const struct bgp_update *u = full[i].first; u; u = u->next, want += ARRAY_SIZE(full)) {
				assert_int_equal(u->attrs.part[ATTRS_EXT].len, 8);
				assert_memory_equal(u->attrs.part[ATTRS_EXT].data + 4, &want, 4);
				assert_int_equal(u->attrs.part[ATTRS_COMMUNITY].len, 4);
				assert_memory_equal(u->attrs.part[ATTRS_COMMUNITY].data, &want, 4);
				assert_int_equal(u->part[0].nlri[0].label, 16);
			}
			assert_int_equal(want, 20000 + i);
			bgp_batch_free(&full[i]);
			assert_null(full[i].first);
			assert_int_equal(full[i].octets, 0);
		}
		assert_true(atomic_load(&spare.count) <= BGP_BLOCKS_KEPT);
	}
	bgp_blocks_free(&spare);
	assert_int_equal(atomic_load(&spare.count), 0);
}

/* Every prefix of a good message: never read past its end, never anything but a named outcome. */
static void truncated(void **state)
{
	static const uint8_t attrs[] = { REACH_VPN, ORIGIN, PATH, NEXTHOP, UNREACH_VPN };
	static const uint8_t nlri[] = { NLRI4 };
	uint8_t m[BGP_MAX_LEN];
	size_t len = build(m, nlri, sizeof(nlri), attrs, sizeof(attrs), nlri, sizeof(nlri));
	struct bgp_decode d = ctx();

	for (size_t n = 0; n <= len; n++) {
		struct bgp_notification err;
		uint8_t *copy = malloc(n + 1);
		struct bgp_update *u;

		memcpy(copy, m, n);
		u = bgp_update_decode(&d, cursor_make(copy, n), &err);
		assert_true(u || err.code == BGP_ERR_UPDATE);
		bgp_update_free(u);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(malformed), cmocka_unit_test(only_family_resets),
		cmocka_unit_test(nothing_reachable), cmocka_unit_test(lengths),
		cmocka_unit_test(end_of_rib), cmocka_unit_test(vpn_routes), cmocka_unit_test(labelled_routes),
		cmocka_unit_test(membership_routes), cmocka_unit_test(path_ids),
		cmocka_unit_test(next_hops), cmocka_unit_test(as4_merge),
		cmocka_unit_test(attrs_round_trip), cmocka_unit_test(too_long), cmocka_unit_test(batches),
		cmocka_unit_test(truncated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
