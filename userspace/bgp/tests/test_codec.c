// SPDX-License-Identifier: GPL-2.0
/* rooms: lib rib policy bgp */
/*
 * The wire format: what is written reads back, framing, OPEN with its errors, NLRI of every
 * family at every length, small messages.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bgp/cease.h"
#include "bgp/nlri.h"
#include "bgp/open.h"
#include "lib/mem.h"

static const struct bgp_open_expect expect = {
	.local_as = 65000, .local_id = 0x0a000001, .remote_as = 4200000001u,
};

static struct bgp_open sample_open(void)
{
	struct bgp_open o = { .as = 4200000001u, .hold = 90, .id = 0x0a000002 };

	o.caps.as4 = true;
	o.caps.as = o.as;
	o.caps.refresh = true;
	o.caps.enhanced_refresh = true;
	o.caps.extended = true;
	o.caps.gr = true;
	o.caps.gr_restarting = true;
	o.caps.gr_notify = true;
	o.caps.gr_time = 321;
	for (int f = 0; f < BGP_FAMILIES; f++) {
		o.caps.family[f] = f != BGP_IPV6;
		o.caps.gr_family[f] = f == BGP_VPNV4 || f == BGP_VPNV6;
		o.caps.gr_forwarding[f] = f == BGP_VPNV6;
		o.caps.v6_next_hop[f] = f == BGP_VPNV4;
		o.caps.addpath_rx[f] = f == BGP_VPNV4 || f == BGP_VPNV6;
		o.caps.addpath_tx[f] = f == BGP_VPNV4 || f == BGP_LU4;
	}
	return o;
}

static struct cursor frame(const struct buf *b, enum bgp_msg_type want)
{
	struct cursor in = cursor_make(b->data, b->len), body;
	struct bgp_notification err;
	enum bgp_msg_type type;

	assert_int_equal(bgp_frame_next(&in, false, &type, &body, &err), BGP_FRAME_OK);
	assert_int_equal(type, want);
	assert_int_equal(cursor_left(&in), 0);
	return body;
}

static void open_round_trip(void **state)
{
	struct bgp_open o = sample_open(), got;
	struct bgp_notification err;
	struct buf b;

	buf_init(&b);
	bgp_open_encode(&b, &o);
	assert_true(bgp_open_decode(frame(&b, BGP_OPEN), &expect, &got, &err));
	assert_int_equal(got.as, o.as);
	assert_int_equal(got.as2, BGP_AS_TRANS);
	assert_int_equal(got.hold, 90);
	assert_int_equal(got.id, o.id);
	assert_true(got.caps.refresh && got.caps.enhanced_refresh && got.caps.gr && got.caps.gr_restarting);
	assert_true(got.caps.extended && got.caps.gr_notify);
	assert_int_equal(got.caps.gr_time, 321);
	assert_memory_equal(got.caps.family, o.caps.family, sizeof(o.caps.family));
	assert_memory_equal(got.caps.gr_family, o.caps.gr_family, sizeof(o.caps.gr_family));
	assert_memory_equal(got.caps.gr_forwarding, o.caps.gr_forwarding,
			    sizeof(o.caps.gr_forwarding));
	assert_memory_equal(got.caps.v6_next_hop, o.caps.v6_next_hop, sizeof(o.caps.v6_next_hop));
	assert_memory_equal(got.caps.addpath_rx, o.caps.addpath_rx, sizeof(o.caps.addpath_rx));
	assert_memory_equal(got.caps.addpath_tx, o.caps.addpath_tx, sizeof(o.caps.addpath_tx));
	buf_free(&b);
}

/* Every prefix of an OPEN is refused, and none is read past its end (the sanitizer looks). */
static void open_truncated(void **state)
{
	struct bgp_open o = sample_open(), got;
	struct bgp_notification err;
	struct cursor body;
	struct buf b;
	size_t len;

	buf_init(&b);
	bgp_open_encode(&b, &o);
	body = frame(&b, BGP_OPEN);
	len = cursor_left(&body);
	for (size_t n = 0; n < len; n++) {
		uint8_t *copy = malloc(n + 1);

		memcpy(copy, body.at, n);
		assert_false(bgp_open_decode(cursor_make(copy, n), &expect, &got, &err));
		assert_int_equal(err.code, BGP_ERR_OPEN);
		free(copy);
	}
	buf_free(&b);
}

static uint8_t open_error(struct bgp_open o, const struct bgp_open_expect *x, uint8_t version)
{
	struct bgp_notification err = { 0 };
	struct bgp_open got;
	struct buf b;

	buf_init(&b);
	bgp_open_encode(&b, &o);
	b.data[BGP_HEADER_LEN] = version;
	if (bgp_open_decode(frame(&b, BGP_OPEN), x, &got, &err))
		err.subcode = 255;
	else
		assert_int_equal(err.code, BGP_ERR_OPEN);
	if (version != BGP_VERSION) {
		static const uint8_t four[] = { 0, 4 };

		assert_int_equal(err.len, 2);
		assert_memory_equal(err.data, four, 2);
	}
	buf_free(&b);
	return err.subcode;
}

static void open_errors(void **state)
{
	struct bgp_open_expect internal = { .local_as = 65000, .local_id = 7, .remote_as = 65000 };
	struct bgp_open o = sample_open();

	assert_int_equal(open_error(o, &expect, 4), 255);
	assert_int_equal(open_error(o, &expect, 3), BGP_OPEN_BAD_VERSION);
	o.hold = 2;
	assert_int_equal(open_error(o, &expect, 4), BGP_OPEN_BAD_HOLD);
	o.hold = 0;
	assert_int_equal(open_error(o, &expect, 4), 255);
	o.id = 0;
	assert_int_equal(open_error(o, &expect, 4), BGP_OPEN_BAD_ID);
	o = sample_open();
	o.as = 65001;
	o.caps.as = 65001;
	assert_int_equal(open_error(o, &expect, 4), BGP_OPEN_BAD_PEER_AS);
	o.as = 65000;
	o.id = 7;
	assert_int_equal(open_error(o, &internal, 4), BGP_OPEN_BAD_ID);
}

/* RFC 4760: an OPEN without the capability speaks IPv4 unicast; RFC 9072: long parameters. */
static void open_forms(void **state)
{
	static const uint8_t plain[] = { 4, 0xfd, 0xe9, 0, 180, 10, 0, 0, 2, 0 };
	static const uint8_t extended[] = {
		4, 0xfd, 0xe9, 0, 180, 10, 0, 0, 2, 255, 255, 0, 9,
		2, 0, 6, 1, 4, 0, 1, 0, 128,
	};
	static const uint8_t odd[] = { 4, 0xfd, 0xe9, 0, 180, 10, 0, 0, 2, 3, 1, 1, 0 };
	struct bgp_open_expect x = { .local_as = 65000, .local_id = 1, .remote_as = 65001 };
	struct bgp_notification err;
	struct bgp_open o;

	assert_true(bgp_open_decode(cursor_make(plain, sizeof(plain)), &x, &o, &err));
	assert_true(o.caps.family[BGP_IPV4]);
	assert_false(o.caps.as4);
	assert_true(bgp_open_decode(cursor_make(extended, sizeof(extended)), &x, &o, &err));
	assert_true(o.caps.family[BGP_VPNV4]);
	assert_false(o.caps.family[BGP_IPV4]);
	assert_false(bgp_open_decode(cursor_make(odd, sizeof(odd)), &x, &o, &err));
	assert_int_equal(err.subcode, BGP_OPEN_BAD_PARAM);
}

static void agreement(void **state)
{
	struct bgp_open a = sample_open(), b = sample_open();
	struct bgp_agreed g;

	b.hold = 30;
	b.caps.as4 = false;
	b.caps.family[BGP_VPNV6] = false;
	bgp_agree(&a, &b, &g);
	assert_int_equal(g.hold, 30);
	assert_false(g.as4);
	assert_true(g.refresh && g.gr && g.enhanced_refresh && g.gr_notify);
	assert_true(g.extended);
	b.caps.enhanced_refresh = false;
	b.caps.extended = false;
	b.caps.gr = false;
	bgp_agree(&a, &b, &g);
	assert_true(g.refresh && !g.enhanced_refresh && !g.extended && !g.gr_notify);
	assert_true(g.family[BGP_VPNV4] && !g.family[BGP_VPNV6] && !g.family[BGP_IPV6]);
	assert_true(g.v6_next_hop[BGP_VPNV4]);
}

/* Framing: the same bytes in pieces of every size give the same messages. */
static void framing_pieces(void **state)
{
	struct bgp_open o = sample_open();
	struct bgp_notification err;
	struct buf b;

	buf_init(&b);
	bgp_open_encode(&b, &o);
	bgp_keepalive_encode(&b);
	bgp_refresh_encode(&b, BGP_VPNV6, BGP_REFRESH_REQUEST);
	for (size_t cut = 0; cut <= b.len; cut++) {
		struct cursor in = cursor_make(b.data, cut), body;
		enum bgp_msg_type type;
		unsigned int n = 0;
		enum bgp_frame r;

		while ((r = bgp_frame_next(&in, false, &type, &body, &err)) == BGP_FRAME_OK)
			n++;
		assert_int_equal(r, BGP_FRAME_MORE);
		assert_int_equal(n, (cut >= b.len) + (cut >= b.len - 23) + (cut >= b.len - 42));
	}
	buf_free(&b);
}

static void frame_error(uint8_t at, uint8_t value, uint8_t subcode)
{
	uint8_t m[BGP_HEADER_LEN];
	struct cursor in = cursor_make(m, sizeof(m)), body;
	struct bgp_notification err;
	enum bgp_msg_type type;

	memset(m, 0xff, 16);
	m[16] = 0;
	m[17] = BGP_HEADER_LEN;
	m[18] = BGP_KEEPALIVE;
	m[at] = value;
	assert_int_equal(bgp_frame_next(&in, false, &type, &body, &err), BGP_FRAME_ERROR);
	assert_int_equal(err.code, BGP_ERR_HEADER);
	assert_int_equal(err.subcode, subcode);
	if (subcode == BGP_HDR_BAD_LENGTH) {
		assert_int_equal(err.len, 2);
		assert_memory_equal(err.data, m + 16, 2);
	}
	if (subcode == BGP_HDR_BAD_TYPE) {
		assert_int_equal(err.len, 1);
		assert_int_equal(err.data[0], value);
	}
}

static void framing_errors(void **state)
{
	for (uint8_t i = 0; i < 16; i++)
		frame_error(i, 0, BGP_HDR_NOT_SYNC);
	frame_error(17, 18, BGP_HDR_BAD_LENGTH);
	frame_error(17, 20, BGP_HDR_BAD_LENGTH);	/* a KEEPALIVE with something inside */
	frame_error(16, 0x10, BGP_HDR_BAD_LENGTH);	/* 4115 */
	frame_error(18, BGP_OPEN, BGP_HDR_BAD_LENGTH);	/* too short for an OPEN */
	frame_error(18, BGP_UPDATE, BGP_HDR_BAD_LENGTH);
	frame_error(18, BGP_NOTIFICATION, BGP_HDR_BAD_LENGTH);
	frame_error(18, 0, BGP_HDR_BAD_TYPE);
	frame_error(18, 6, BGP_HDR_BAD_TYPE);
}

/* RFC 8654: the longest of each type, with the offer and without. */
static void framing_lengths(void **state)
{
	static const struct {
		enum bgp_msg_type type;
		uint16_t plain, extended;
	} most[] = {
		{ BGP_OPEN, 4096, 4096 }, { BGP_UPDATE, 4096, 65535 }, { BGP_NOTIFICATION, 4096, 65535 },
		{ BGP_KEEPALIVE, 19, 19 }, { BGP_ROUTE_REFRESH, 4096, 65535 },
	};
	uint8_t *m = calloc(1, 65536);

	memset(m, 0xff, 16);
	for (size_t i = 0; i < 2 * sizeof(most) / sizeof(most[0]); i++) {
		uint32_t max = i % 2 ? most[i / 2].extended : most[i / 2].plain;

		for (uint32_t len = max; len <= max + 1 && len <= 65535; len++) {
			struct cursor in = cursor_make(m, len), body;
			struct bgp_notification err;
			enum bgp_msg_type type;
			enum bgp_frame r;

			m[16] = (uint8_t)(len >> 8);
			m[17] = (uint8_t)len;
			m[18] = (uint8_t)most[i / 2].type;
			r = bgp_frame_next(&in, i % 2, &type, &body, &err);
			assert_int_equal(r, len > max ? BGP_FRAME_ERROR : BGP_FRAME_OK);
			if (r == BGP_FRAME_OK) {
				assert_int_equal(cursor_left(&body), len - BGP_HEADER_LEN);
				continue;
			}
			assert_int_equal(err.subcode, BGP_HDR_BAD_LENGTH);
			assert_memory_equal(err.data, m + 16, 2);
		}
	}
	free(m);
}

static void nlri_round_trip(void **state)
{
	unsigned int seed = 20261122;

	for (int f = 0; f < BGP_RTC; f++) {
		uint8_t family = bgp_family_afi(f) == BGP_AFI_IPV4 ? AF_INET : AF_INET6;

		for (unsigned int i = 0; i <= 2 * addr_bits(family) + 1; i++) {
			unsigned int len = i / 2, flags = i % 2 ? BGP_NLRI_PATH_ID : 0;
			struct bgp_nlri n = { 0 }, got;
			uint8_t octets[16], mem[BGP_NLRI_MAX];
			struct cursor c;
			struct buf b;

			for (int i = 0; i < 16; i++)
				octets[i] = (uint8_t)rand_r(&seed);
			n.prefix = prefix_make(family, octets, (uint8_t)len);
			if (flags)
				n.path_id = (uint32_t)rand_r(&seed);
			if (bgp_family_labelled(f))
				n.label = (uint32_t)rand_r(&seed) & 0xfffff;
			if (bgp_family_vpn(f)) {
				for (int i = 0; i < 8; i++)
					n.rd[i] = (uint8_t)rand_r(&seed);
			}
			buf_init_fixed(&b, mem, sizeof(mem));
			bgp_nlri_encode(&b, f, &n, flags);
			assert_false(b.full);
			assert_int_equal(b.len, bgp_nlri_size(f, &n, flags));
			c = cursor_make(b.data, b.len);
			assert_true(bgp_nlri_decode(&c, f, flags, &got));
			assert_int_equal(cursor_left(&c), 0);
			assert_int_equal(got.path_id, n.path_id);
			assert_true(prefix_eq(&got.prefix, &n.prefix));
			assert_int_equal(got.label, n.label);
			assert_memory_equal(got.rd, n.rd, 8);
			for (size_t cut = 0; cut < b.len; cut++) {
				c = cursor_make(b.data, cut);
				assert_false(bgp_nlri_decode(&c, f, flags, &got));
			}
		}
	}
}

/* A field of many, of each family: counted and read as one by one; cut anywhere but between two it is none. */
static void nlri_fields(void **state)
{
	unsigned int seed = 7;

	for (int i = 0; i < 2 * BGP_FAMILIES; i++) {
		unsigned int flags = i % 2 ? BGP_NLRI_PATH_ID : 0, good = 0;
		enum bgp_family f = i / 2;
		struct bgp_nlri all[40], one;
		struct cursor c;
		uint32_t count;
		struct buf b;

		buf_init(&b);
		for (unsigned int n = 0; n < ARRAY_SIZE(all); n++) {
			uint8_t family = bgp_family_afi(f) == BGP_AFI_IPV4 ? AF_INET : AF_INET6, octets[16];
			struct bgp_nlri nlri = { .label = n, .path_id = (uint32_t)rand_r(&seed) };
			uint8_t len = (uint8_t)((unsigned int)rand_r(&seed) % (addr_bits(family) + 1));

			for (int o = 0; o < 16; o++)
				octets[o] = (uint8_t)rand_r(&seed);
			memcpy(nlri.rd, octets + 8, 8);
			if (f == BGP_RTC)
				nlri.rtc = (struct bgp_rtc){ .as = n, .rt = { octets[0] }, .len = n ? 48 : 0 };
			else
				nlri.prefix = prefix_make(family, octets, len);
			bgp_nlri_encode(&b, f, &nlri, flags);
		}
		c = cursor_make(b.data, b.len);
		assert_true(bgp_nlri_count(c, f, flags, &count));
		assert_int_equal(count, ARRAY_SIZE(all));
		bgp_nlri_read(c, f, flags, all);
		for (unsigned int n = 0; n < count; n++) {
			assert_true(bgp_nlri_decode(&c, f, flags, &one));
			assert_memory_equal(&one, &all[n], sizeof(one));
		}
		assert_int_equal(cursor_left(&c), 0);
		for (size_t cut = 0; cut < b.len; cut++) {
			uint8_t *part = malloc(cut + 1);

			memcpy(part, b.data, cut);
			if (bgp_nlri_count(cursor_make(part, cut), f, flags, &count)) {
				assert_int_equal(count, good);
				good++;
			}
			free(part);
		}
		assert_int_equal(good, ARRAY_SIZE(all));
		buf_free(&b);
	}
}

static void nlri_bad(void **state)
{
	static const uint8_t v4_33[] = { 33, 10, 0, 0, 0, 0 };
	static const uint8_t vpn_short[] = { 87, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1 };
	static const uint8_t host_bits[] = { 9, 10, 0xff };
	struct bgp_nlri n;
	struct cursor c = cursor_make(v4_33, sizeof(v4_33));

	assert_false(bgp_nlri_decode(&c, BGP_IPV4, 0, &n));
	c = cursor_make(vpn_short, sizeof(vpn_short));
	assert_false(bgp_nlri_decode(&c, BGP_VPNV4, 0, &n));
	/* bits behind the length do not matter, RFC 4271 4.3 */
	c = cursor_make(host_bits, sizeof(host_bits));
	assert_true(bgp_nlri_decode(&c, BGP_IPV4, 0, &n));
	assert_int_equal(n.prefix.addr.b[1], 0x80);
}

/* RFC 8277 section 2.2: the octets of one NLRI, and what is in them; label 0xffffffff: incorrect syntax. */
static void labelled_nlri(void **state)
{
	static const struct {
		enum bgp_family f;
		uint8_t octets[24];
		uint8_t len;
		uint32_t label;
		const char *prefix;
	} cases[] = {
		{ BGP_LU4, { 56, 0x05, 0xdc, 0x01, 192, 0, 2, 1 }, 8, 24000, "192.0.2.1/32" },
		{ BGP_LU4, { 24, 0, 0, 0x31 }, 4, 3, "0.0.0.0/0" },
		{ BGP_LU4, { 33, 0, 1, 1, 10, 0xff }, 6, 16, "10.128.0.0/9" },
		/* S bit and reserved bits do not matter */
		{ BGP_LU4, { 32, 0x05, 0xdc, 0x0e, 10 }, 5, 24000, "10.0.0.0/8" },
		/* in a withdrawal: RFC 8277's value, RFC 3107's, any label */
		{ BGP_LU4, { 32, 0x80, 0, 0, 10 }, 5, 0x80000, "10.0.0.0/8" },
		{ BGP_LU4, { 32, 0, 0, 0, 10 }, 5, 0, "10.0.0.0/8" },
		{ BGP_LU6, { 56, 0x05, 0xdc, 0x01, 0x20, 1, 0xd, 0xb8 }, 8, 24000, "2001:db8::/32" },
		/* two labels in front of a short prefix: the second one is prefix, as the RFC has it */
		{ BGP_LU4, { 56, 0x05, 0xdc, 0x00, 0x05, 0xdc, 0x01, 10 }, 8, 24000, "5.220.1.10/32" },
		/* ... of one that is longer: too long for a prefix */
		{ BGP_LU4, { 80, 0x05, 0xdc, 0x00, 0x05, 0xdc, 0x01, 192, 0, 2, 1 }, 11, 0xffffffff, NULL },
		{ BGP_LU4, { 57, 0, 1, 1, 10, 0, 0, 0, 0 }, 9, 0xffffffff, NULL },
		{ BGP_LU6, { 153, 0, 1, 1 }, 24, 0xffffffff, NULL },
		/* no room for a label in the length; the prefix cut off */
		{ BGP_LU4, { 0 }, 1, 0xffffffff, NULL },
		{ BGP_LU4, { 23, 0, 1, 1 }, 4, 0xffffffff, NULL },
		{ BGP_LU4, { 56, 0, 1, 1, 10, 0 }, 6, 0xffffffff, NULL },
		{ BGP_LU4, { 56, 0, 1 }, 3, 0xffffffff, NULL },
		{ BGP_LU6, { 255, 0, 1, 1 }, 24, 0xffffffff, NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cursor c = cursor_make(cases[i].octets, cases[i].len);
		char text[PREFIX_STRLEN];
		struct bgp_nlri n;
		bool ok = bgp_nlri_decode(&c, cases[i].f, 0, &n), want = cases[i].prefix;

		if (ok != want)
			fail_msg("case %zu: decoded %d", i, ok);
		if (!ok)
			continue;
		assert_int_equal(cursor_left(&c), 0);
		assert_int_equal(n.label, cases[i].label);
		assert_string_equal(prefix_str(&n.prefix, text), cases[i].prefix);
	}
}

/* RFC 4684 section 4: the octets of one membership, and what is in them; len 255: incorrect syntax. */
static void memberships(void **state)
{
	static const struct {
		uint8_t octets[16];
		uint8_t n;
		struct bgp_rtc want;
	} cases[] = {
		{ { 0 }, 1, { 0 } },
		{ { 32, 0, 0, 0xfd, 0xe8 }, 5, { .as = 65000, .len = 32 } },
		{ { 96, 0, 1, 0, 0, 0, 2, 0xfd, 0xe8, 0, 0, 0, 9 }, 13,
		  { .as = 65536, .rt = { 0, 2, 0xfd, 0xe8, 0, 0, 0, 9 }, .len = 96 } },
		/* every target of a global administrator; bits behind the length do not matter */
		{ { 64, 0, 0, 0, 5, 0, 2, 0xfd, 0xe8 }, 9, { .as = 5, .rt = { 0, 2, 0xfd, 0xe8 }, .len = 64 } },
		{ { 50, 0, 0, 0, 5, 0, 2, 0xff }, 8, { .as = 5, .rt = { 0, 2, 0xc0 }, .len = 50 } },
		{ { 31, 0, 0, 0, 5 }, 5, { .len = 255 } },
		{ { 1, 0x80 }, 2, { .len = 255 } },
		{ { 97, 0, 0, 0, 5, 0, 2, 0xfd, 0xe8, 0, 0, 0, 9, 0 }, 14, { .len = 255 } },
		{ { 32, 0, 0, 0 }, 4, { .len = 255 } },
		{ { 96, 0, 0, 0, 5, 0, 2, 0xfd, 0xe8, 0, 0, 0 }, 12, { .len = 255 } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cursor c = cursor_make(cases[i].octets, cases[i].n);
		bool ok, want = cases[i].want.len != 255;
		uint8_t mem[BGP_NLRI_MAX];
		struct bgp_nlri n, again;
		struct buf b;

		ok = bgp_nlri_decode(&c, BGP_RTC, 0, &n);
		if (ok != want)
			fail_msg("case %zu: decoded %d", i, ok);
		if (!ok)
			continue;
		assert_int_equal(cursor_left(&c), 0);
		assert_int_equal(n.rtc.as, cases[i].want.as);
		assert_int_equal(n.rtc.len, cases[i].want.len);
		assert_memory_equal(n.rtc.rt, cases[i].want.rt, 8);
		n.path_id = 7;
		for (unsigned int flags = 0; flags < 4; flags++) {
			buf_init_fixed(&b, mem, sizeof(mem));
			bgp_nlri_encode(&b, BGP_RTC, &n, flags);
			assert_int_equal(b.len, bgp_nlri_size(BGP_RTC, &n, flags));
			c = cursor_make(b.data, b.len);
			assert_true(bgp_nlri_decode(&c, BGP_RTC, flags, &again));
			assert_memory_equal(&again.rtc, &n.rtc, sizeof(n.rtc));
			assert_int_equal(again.path_id, flags & BGP_NLRI_PATH_ID ? 7 : 0);
		}
	}
}

/* RFC 7911 section 4, from both sides: who may send several paths, who can take them. */
static void add_path(void **state)
{
	/* VPNv4: 3, VPNv6: 4 (no meaning), LU4: 2, a family that is not known: 3, IPv6: 1, IPv4: 0 */
	static const uint8_t caps[] = {
		4, 0xfd, 0xe9, 0, 180, 10, 0, 0, 2, 28, 2, 26, 69, 24,
		0, 1, 128, 3, 0, 2, 128, 4, 0, 1, 4, 2, 0, 25, 70, 3, 0, 2, 1, 1, 0, 1, 1, 0,
	};
	static const uint8_t cut[] = { 4, 0xfd, 0xe9, 0, 180, 10, 0, 0, 2, 11, 2, 9, 69, 7, 0, 1, 128, 3, 0, 1, 4 };
	struct bgp_open_expect x = { .local_as = 65000, .local_id = 1, .remote_as = 65001 };
	struct bgp_open a = sample_open(), b, odd;
	struct bgp_notification err;
	struct bgp_agreed g;

	assert_true(bgp_open_decode(cursor_make(caps, sizeof(caps)), &x, &b, &err));
	assert_true(b.caps.addpath_rx[BGP_VPNV4] && b.caps.addpath_tx[BGP_VPNV4]);
	assert_true(!b.caps.addpath_rx[BGP_VPNV6] && !b.caps.addpath_tx[BGP_VPNV6]);
	assert_true(!b.caps.addpath_rx[BGP_LU4] && b.caps.addpath_tx[BGP_LU4]);
	assert_true(b.caps.addpath_rx[BGP_IPV6] && !b.caps.addpath_tx[BGP_IPV6]);
	assert_true(!b.caps.addpath_rx[BGP_IPV4] && !b.caps.addpath_tx[BGP_IPV4]);
	memset(b.caps.family, true, sizeof(b.caps.family));
	memset(a.caps.addpath_rx, false, sizeof(a.caps.addpath_rx));
	memset(a.caps.addpath_tx, false, sizeof(a.caps.addpath_tx));
	a.caps.addpath_rx[BGP_VPNV4] = true;
	a.caps.addpath_rx[BGP_VPNV6] = true;
	a.caps.addpath_tx[BGP_LU4] = true;
	a.caps.addpath_tx[BGP_IPV6] = true;	/* the family itself is not agreed on */
	bgp_agree(&a, &b, &g);
	for (int f = 0; f < BGP_FAMILIES; f++) {
		assert_int_equal(g.addpath_rx[f], f == BGP_VPNV4);
		assert_false(g.addpath_tx[f]);
	}
	bgp_agree(&b, &a, &g);
	for (int f = 0; f < BGP_FAMILIES; f++) {
		assert_int_equal(g.addpath_tx[f], f == BGP_VPNV4);
		assert_false(g.addpath_rx[f]);
	}
	/* a length that is no multiple of four: as if the capability were not there */
	assert_true(bgp_open_decode(cursor_make(cut, sizeof(cut)), &x, &odd, &err));
	for (int f = 0; f < BGP_FAMILIES; f++)
		assert_true(!odd.caps.addpath_rx[f] && !odd.caps.addpath_tx[f]);
}

static void withdraw_label(void **state)
{
	static const enum bgp_family families[] = { BGP_VPNV4, BGP_LU4, BGP_LU6 };

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		struct bgp_nlri n = { .label = 77 };
		uint8_t mem[BGP_NLRI_MAX];
		struct buf b;

		n.prefix.addr.family = AF_INET;
		buf_init_fixed(&b, mem, sizeof(mem));
		bgp_nlri_encode(&b, families[i], &n, BGP_NLRI_WITHDRAW);
		assert_int_equal(mem[1], 0x80);
		assert_int_equal(mem[2], 0);
		assert_int_equal(mem[3], 0);
	}
}

static void small_messages(void **state)
{
	struct bgp_notification n, got;
	uint8_t long_data[BGP_MAX_LEN] = { 1, 2, 3 };
	struct buf b;

	buf_init(&b);
	bgp_notification_set(&n, BGP_ERR_CEASE, BGP_CEASE_SHUTDOWN, "bye", 3);
	bgp_notification_encode(&b, &n);
	assert_true(bgp_notification_decode(frame(&b, BGP_NOTIFICATION), &got));
	assert_int_equal(got.code, BGP_ERR_CEASE);
	assert_int_equal(got.subcode, BGP_CEASE_SHUTDOWN);
	assert_int_equal(got.len, 3);
	assert_memory_equal(got.data, "bye", 3);
	/* as much data as a message holds, and no more */
	buf_rewind(&b, 0);
	bgp_notification_set(&n, BGP_ERR_UPDATE, BGP_UPD_LENGTH, long_data, sizeof(long_data));
	bgp_notification_encode(&b, &n);
	assert_int_equal(b.len, BGP_MAX_LEN);
	assert_true(bgp_notification_decode(frame(&b, BGP_NOTIFICATION), &got));
	assert_int_equal(got.len, BGP_MAX_LEN - 21);
	assert_memory_equal(got.data, long_data, got.len);
	buf_free(&b);
}

/* RFC 2918, 7313 */
static void refreshes(void **state)
{
	struct bgp_notification err;
	enum bgp_refresh what;
	enum bgp_family f;
	struct buf b;
	bool known;

	buf_init(&b);
	for (int i = 0; i < 3 * BGP_FAMILIES; i++) {
		buf_rewind(&b, 0);
		bgp_refresh_encode(&b, i / 3, i % 3);
		assert_true(bgp_refresh_decode(frame(&b, BGP_ROUTE_REFRESH), &f, &what, &known, &err));
		assert_true(known);
		assert_int_equal(f, i / 3);
		assert_int_equal(what, i % 3);
	}
	/* a subtype, then a family without meaning: ignored */
	b.data[BGP_HEADER_LEN + 2] = 3;
	assert_true(bgp_refresh_decode(frame(&b, BGP_ROUTE_REFRESH), &f, &what, &known, &err));
	assert_false(known);
	b.data[BGP_HEADER_LEN + 2] = 0;
	b.data[BGP_HEADER_LEN + 3] = 77;
	assert_true(bgp_refresh_decode(frame(&b, BGP_ROUTE_REFRESH), &f, &what, &known, &err));
	assert_false(known);
	/* wrong lengths: the complete message comes back */
	for (uint16_t len = 0; len < 9; len++) {
		uint8_t m[BGP_HEADER_LEN + 8] = { 0 };

		if (len == 4)
			continue;
		memset(m, 0xff, 16);
		m[17] = (uint8_t)(BGP_HEADER_LEN + len);
		m[18] = BGP_ROUTE_REFRESH;
		m[BGP_HEADER_LEN] = 9;
		assert_false(bgp_refresh_decode(cursor_make(m + BGP_HEADER_LEN, len), &f, &what, &known, &err));
		assert_int_equal(err.code, BGP_ERR_REFRESH);
		assert_int_equal(err.subcode, BGP_REFRESH_BAD_LENGTH);
		assert_int_equal(err.len, BGP_HEADER_LEN + len);
		assert_memory_equal(err.data, m, err.len);
	}
	buf_free(&b);
}

static const char *described(const struct bgp_notification *n)
{
	static char text[BGP_WHY_MAX];

	bgp_notification_describe(n, text, sizeof(text));
	return text;
}

/* RFC 9003: reasons that go out whole, are cut behind a character, and come back. */
static void reasons(void **state)
{
	struct bgp_cease c = { .subcode = BGP_CEASE_SHUTDOWN };
	struct bgp_notification n;
	char text[400];

	bgp_cease_reason(&c, "maintenance until 06:00, \xc3\xa4");
	assert_int_equal(c.len, 28);
	assert_int_equal(c.data[0], 27);
	bgp_cease_notification(&n, &c, false);
	assert_string_equal(described(&n), "Cease/Administrative Shutdown: \"maintenance until 06:00, \xc3\xa4\"");
	bgp_cease_reason(&c, NULL);
	assert_int_equal(c.len, 0);
	bgp_cease_reason(&c, "");
	assert_int_equal(c.len, 0);
	bgp_cease_notification(&n, &c, false);
	assert_string_equal(described(&n), "Cease/Administrative Shutdown");
	/* 254 octets, then a character of three */
	memset(text, 'x', 254);
	strcpy(text + 254, "\xe2\x82\xac");
	bgp_cease_reason(&c, text);
	assert_int_equal(c.data[0], 254);
	memset(text, 'y', 300);
	text[300] = '\0';
	bgp_cease_reason(&c, text);
	assert_int_equal(c.data[0], 255);
	bgp_cease_notification(&n, &c, false);
	assert_int_equal(strlen(described(&n)), 255 + 4 + strlen("Cease/Administrative Shutdown"));
}

static void reasons_received(void **state)
{
	static const struct {
		uint8_t subcode;
		uint8_t data[32];
		uint8_t len;
		const char *text;
	} cases[] = {
		{ 2, "\x02ok", 3, "Cease/Administrative Shutdown: \"ok\"" },
		{ 4, "\x02ok and what is behind it", 23, "Cease/Administrative Reset: \"ok\"" },
		{ 2, "\x00", 1, "Cease/Administrative Shutdown" },
		{ 2, "\x03ok", 3, "Cease/Administrative Shutdown (its reason is malformed)" },
		/* what would play with a terminal or a log, and what is no UTF-8: overlong, surrogate, cut, alone */
		{ 2, "\005a\x1b[1m", 6, "Cease/Administrative Shutdown: \"a?[1m\"" },
		{ 2, "\003a\nb", 4, "Cease/Administrative Shutdown: \"a?b\"" },
		{ 2, "\x03\xe2\x80\xae", 4, "Cease/Administrative Shutdown: \"???\"" },
		{ 2, "\x02\xc2\x85", 3, "Cease/Administrative Shutdown: \"??\"" },
		{ 2, "\x02\xc0\xaf", 3, "Cease/Administrative Shutdown: \"??\"" },
		{ 2, "\x03\xed\xa0\x80", 4, "Cease/Administrative Shutdown: \"???\"" },
		{ 2, "\003a\xe2\x82\xac", 5, "Cease/Administrative Shutdown: \"a??\"" },
		{ 2, "\x01\xff", 2, "Cease/Administrative Shutdown: \"?\"" },
		{ 2, "\x04\xf4\x90\x80\x80", 5, "Cease/Administrative Shutdown: \"????\"" },
		{ 2, "\x04\xf0\x9f\x98\x80", 5, "Cease/Administrative Shutdown: \"\xf0\x9f\x98\x80\"" },
		/* others have no reason in words */
		{ 3, "\x02ok", 3, "Cease/Peer De-configured" },
		/* Hard Reset, RFC 8538 */
		{ 9, "\x06\x02\x02ok", 5, "Cease/Hard Reset, Cease/Administrative Shutdown: \"ok\"" },
		{ 9, "\x06\x01", 2, "Cease/Hard Reset, Cease/Maximum Number of Prefixes Reached" },
		{ 9, "\x04\x00", 2, "Cease/Hard Reset, Hold Timer Expired" },
		{ 9, "\x06", 1, "Cease/Hard Reset" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bgp_notification n;
		char small[12];

		bgp_notification_set(&n, BGP_ERR_CEASE, cases[i].subcode, cases[i].data, cases[i].len);
		assert_string_equal(described(&n), cases[i].text);
		/* whatever the room is, it is a string */
		for (size_t size = 1; size < sizeof(small); size++) {
			bgp_notification_describe(&n, small, size);
			assert_true(strlen(small) < size);
		}
	}
}

/* RFC 8538 5.1 */
static void hard_resets(void **state)
{
	static const struct {
		uint8_t subcode;
		bool graceful, hard;
	} cases[] = {
		{ BGP_CEASE_MAX_PREFIX, false, true }, { BGP_CEASE_SHUTDOWN, true, true },
		{ BGP_CEASE_DECONFIGURED, false, true }, { BGP_CEASE_RESET, false, true },
		{ BGP_CEASE_RESET, true, false }, { BGP_CEASE_REJECTED, false, false },
		{ BGP_CEASE_CONFIG, false, false }, { BGP_CEASE_COLLISION, false, false },
		{ BGP_CEASE_RESOURCES, false, false }, { BGP_CEASE_BFD_DOWN, false, true },
	};

	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		struct bgp_cease c = { .subcode = cases[i / 2].subcode, .graceful = cases[i / 2].graceful };
		bool hard = i % 2 && cases[i / 2].hard;
		struct bgp_notification n;

		bgp_cease_reason(&c, "why");
		bgp_cease_notification(&n, &c, i % 2);
		assert_int_equal(n.code, BGP_ERR_CEASE);
		assert_int_equal(bgp_notification_hard(&n), hard);
		assert_int_equal(n.subcode, hard ? BGP_CEASE_HARD_RESET : c.subcode);
		assert_int_equal(n.len, hard ? 6 : 4);
		if (!hard)
			continue;
		assert_int_equal(n.data[0], BGP_ERR_CEASE);
		assert_int_equal(n.data[1], c.subcode);
		assert_memory_equal(n.data + 2, "\003why", 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(open_round_trip), cmocka_unit_test(open_truncated),
		cmocka_unit_test(open_errors), cmocka_unit_test(open_forms),
		cmocka_unit_test(agreement), cmocka_unit_test(framing_pieces),
		cmocka_unit_test(framing_errors), cmocka_unit_test(framing_lengths), cmocka_unit_test(nlri_round_trip),
		cmocka_unit_test(nlri_fields),
		cmocka_unit_test(nlri_bad), cmocka_unit_test(withdraw_label), cmocka_unit_test(labelled_nlri),
		cmocka_unit_test(memberships), cmocka_unit_test(add_path),
		cmocka_unit_test(small_messages), cmocka_unit_test(refreshes),
		cmocka_unit_test(reasons), cmocka_unit_test(reasons_received), cmocka_unit_test(hard_resets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
