// SPDX-License-Identifier: GPL-2.0
/*
 * The OPEN message and capabilities; contracts in open.h.
 */
#include "bgp/open.h"

#include <string.h>

#define PARAM_CAPABILITIES 2
#define PARAM_EXTENDED 255	/* RFC 9072 */
/* Send/Receive of RFC 7911 section 4 */
#define ADD_PATH_RECEIVE 1
#define ADD_PATH_SEND 2

static void encode_mp(struct buf *b, const struct bgp_caps *c)
{
	for (int f = 0; f < BGP_FAMILIES; f++) {
		if (!c->family[f])
			continue;
		buf_u8(b, BGP_CAP_MULTIPROTOCOL);
		buf_u8(b, 4);
		buf_u16(b, bgp_family_afi(f));
		buf_u8(b, 0);
		buf_u8(b, bgp_family_safi(f));
	}
}

static void encode_ext_nexthop(struct buf *b, const struct bgp_caps *c)
{
	size_t at = b->len;

	buf_u8(b, BGP_CAP_EXT_NEXTHOP);
	buf_u8(b, 0);
	for (int f = 0; f < BGP_FAMILIES; f++) {
		if (!c->v6_next_hop[f])
			continue;
		buf_u16(b, bgp_family_afi(f));
		buf_u16(b, bgp_family_safi(f));
		buf_u16(b, BGP_AFI_IPV6);
	}
	if (b->len == at + 2)
		buf_rewind(b, at);
	else
		buf_patch_u8(b, at + 1, (uint8_t)(b->len - at - 2));
}

static void encode_gr(struct buf *b, const struct bgp_caps *c)
{
	size_t at = b->len;

	buf_u8(b, BGP_CAP_GRACEFUL_RESTART);
	buf_u8(b, 0);
	buf_u16(b, (uint16_t)((c->gr_restarting ? 0x8000 : 0) | (c->gr_notify ? 0x4000 : 0) | (c->gr_time & 0xfff)));
	for (int f = 0; f < BGP_FAMILIES; f++) {
		if (!c->gr_family[f])
			continue;
		buf_u16(b, bgp_family_afi(f));
		buf_u8(b, bgp_family_safi(f));
		buf_u8(b, c->gr_forwarding[f] ? 0x80 : 0);
	}
	buf_patch_u8(b, at + 1, (uint8_t)(b->len - at - 2));
}

static void encode_add_path(struct buf *b, const struct bgp_caps *c)
{
	size_t at = b->len;

	buf_u8(b, BGP_CAP_ADD_PATH);
	buf_u8(b, 0);
	for (int f = 0; f < BGP_FAMILIES; f++) {
		if (!c->addpath_rx[f] && !c->addpath_tx[f])
			continue;
		buf_u16(b, bgp_family_afi(f));
		buf_u8(b, bgp_family_safi(f));
		buf_u8(b, (c->addpath_rx[f] ? ADD_PATH_RECEIVE : 0) | (c->addpath_tx[f] ? ADD_PATH_SEND : 0));
	}
	if (b->len == at + 2)
		buf_rewind(b, at);
	else
		buf_patch_u8(b, at + 1, (uint8_t)(b->len - at - 2));
}

void bgp_open_encode(struct buf *b, const struct bgp_open *o)
{
	size_t start = bgp_msg_begin(b, BGP_OPEN);
	size_t params;

	buf_u8(b, BGP_VERSION);
	buf_u16(b, o->as > 0xffff ? BGP_AS_TRANS : (uint16_t)o->as);
	buf_u16(b, o->hold);
	buf_u32(b, o->id);
	params = b->len;
	buf_u8(b, 0);
	buf_u8(b, PARAM_CAPABILITIES);
	buf_u8(b, 0);
	encode_mp(b, &o->caps);
	if (o->caps.refresh) {
		buf_u8(b, BGP_CAP_ROUTE_REFRESH);
		buf_u8(b, 0);
	}
	if (o->caps.enhanced_refresh) {
		buf_u8(b, BGP_CAP_ENHANCED_REFRESH);
		buf_u8(b, 0);
	}
	encode_ext_nexthop(b, &o->caps);
	if (o->caps.extended) {
		buf_u8(b, BGP_CAP_EXTENDED_MESSAGE);
		buf_u8(b, 0);
	}
	if (o->caps.as4) {
		buf_u8(b, BGP_CAP_AS4);
		buf_u8(b, 4);
		buf_u32(b, o->as);
	}
	if (o->caps.gr)
		encode_gr(b, &o->caps);
	encode_add_path(b, &o->caps);
	if (b->len == params + 3)
		buf_rewind(b, params + 1);
	else
		buf_patch_u8(b, params + 2, (uint8_t)(b->len - params - 3));
	buf_patch_u8(b, params, (uint8_t)(b->len - params - 1));
	bgp_msg_end(b, start);
}

static void decode_mp(struct cursor c, struct bgp_caps *caps)
{
	uint8_t reserved, safi;
	enum bgp_family f;
	uint16_t afi;

	if (cursor_left(&c) != 4 || !cursor_u16(&c, &afi) || !cursor_u8(&c, &reserved) ||
	    !cursor_u8(&c, &safi))
		return;
	caps->any_family = true;
	if (bgp_family_of(afi, safi, &f))
		caps->family[f] = true;
}

static void decode_ext_nexthop(struct cursor c, struct bgp_caps *caps)
{
	uint16_t afi, safi, nh_afi;
	enum bgp_family f;

	if (cursor_left(&c) % 6)
		return;
	while (cursor_u16(&c, &afi) && cursor_u16(&c, &safi) && cursor_u16(&c, &nh_afi)) {
		if (afi == BGP_AFI_IPV4 && nh_afi == BGP_AFI_IPV6 && safi <= 0xff &&
		    bgp_family_of(afi, (uint8_t)safi, &f))
			caps->v6_next_hop[f] = true;
	}
}

static void decode_gr(struct cursor c, struct bgp_caps *caps)
{
	uint16_t head, afi;
	uint8_t safi, flags;
	enum bgp_family f;

	if (cursor_left(&c) < 2 || (cursor_left(&c) - 2) % 4)
		return;
	/* RFC 4724 section 3: of several instances the last counts. */
	memset(caps->gr_family, 0, sizeof(caps->gr_family));
	memset(caps->gr_forwarding, 0, sizeof(caps->gr_forwarding));
	cursor_u16(&c, &head);
	caps->gr = true;
	caps->gr_restarting = head & 0x8000;
	caps->gr_notify = head & 0x4000;
	caps->gr_time = head & 0xfff;
	while (cursor_u16(&c, &afi) && cursor_u8(&c, &safi) && cursor_u8(&c, &flags)) {
		if (!bgp_family_of(afi, safi, &f))
			continue;
		caps->gr_family[f] = true;
		caps->gr_forwarding[f] = flags & 0x80;
	}
}

/* A family whose Send/Receive has no meaning is as if it were not there (RFC 7911 section 4). */
static void decode_add_path(struct cursor c, struct bgp_caps *caps)
{
	uint8_t safi, mode;
	enum bgp_family f;
	uint16_t afi;

	if (cursor_left(&c) % 4)
		return;
	while (cursor_u16(&c, &afi) && cursor_u8(&c, &safi) && cursor_u8(&c, &mode)) {
		if (!bgp_family_of(afi, safi, &f) || !mode || mode > (ADD_PATH_RECEIVE | ADD_PATH_SEND))
			continue;
		caps->addpath_rx[f] = mode & ADD_PATH_RECEIVE;
		caps->addpath_tx[f] = mode & ADD_PATH_SEND;
	}
}

/* False only when a capability's length runs over the parameter. */
static bool decode_caps(struct cursor c, struct bgp_caps *caps)
{
	struct cursor value;
	uint8_t code, len;
	uint32_t as;

	while (cursor_left(&c)) {
		if (!cursor_u8(&c, &code) || !cursor_u8(&c, &len) || !cursor_sub(&c, len, &value))
			return false;
		switch (code) {
		case BGP_CAP_MULTIPROTOCOL:
			decode_mp(value, caps);
			break;
		case BGP_CAP_ROUTE_REFRESH:
			caps->refresh = true;
			break;
		case BGP_CAP_ENHANCED_REFRESH:
			caps->enhanced_refresh = true;
			break;
		case BGP_CAP_EXT_NEXTHOP:
			decode_ext_nexthop(value, caps);
			break;
		case BGP_CAP_EXTENDED_MESSAGE:
			caps->extended = true;
			break;
		case BGP_CAP_GRACEFUL_RESTART:
			decode_gr(value, caps);
			break;
		case BGP_CAP_ADD_PATH:
			decode_add_path(value, caps);
			break;
		case BGP_CAP_AS4:
			if (len == 4 && cursor_u32(&value, &as)) {
				caps->as4 = true;
				caps->as = as;
			}
			break;
		}
	}
	return true;
}

static bool decode_params(struct cursor c, bool extended, struct bgp_caps *caps,
			  struct bgp_notification *err)
{
	struct cursor value;
	uint8_t type, len8;
	uint16_t len;

	while (cursor_left(&c)) {
		bool ok = cursor_u8(&c, &type);

		if (extended) {
			ok = ok && cursor_u16(&c, &len);
		} else {
			ok = ok && cursor_u8(&c, &len8);
			len = len8;
		}
		if (!ok || !cursor_sub(&c, len, &value)) {
			bgp_notification_set(err, BGP_ERR_OPEN, BGP_OPEN_UNSPECIFIC, NULL, 0);
			return false;
		}
		if (type != PARAM_CAPABILITIES) {
			bgp_notification_set(err, BGP_ERR_OPEN, BGP_OPEN_BAD_PARAM, NULL, 0);
			return false;
		}
		if (!decode_caps(value, caps)) {
			bgp_notification_set(err, BGP_ERR_OPEN, BGP_OPEN_UNSPECIFIC, NULL, 0);
			return false;
		}
	}
	return true;
}

static bool check(const struct bgp_open *o, const struct bgp_open_expect *x,
		  struct bgp_notification *err)
{
	bool internal = x->remote_as == x->local_as;

	if (o->as == 0 || o->as != x->remote_as ||
	    (o->caps.as4 && o->as2 != o->as && o->as2 != BGP_AS_TRANS)) {
		bgp_notification_set(err, BGP_ERR_OPEN, BGP_OPEN_BAD_PEER_AS, NULL, 0);
		return false;
	}
	/* RFC 6286: not zero, and unique within the AS. */
	if (o->id == 0 || (internal && o->id == x->local_id)) {
		bgp_notification_set(err, BGP_ERR_OPEN, BGP_OPEN_BAD_ID, NULL, 0);
		return false;
	}
	if (o->hold != 0 && o->hold < BGP_MIN_HOLD) {
		bgp_notification_set(err, BGP_ERR_OPEN, BGP_OPEN_BAD_HOLD, NULL, 0);
		return false;
	}
	return true;
}

bool bgp_open_decode(struct cursor body, const struct bgp_open_expect *expect, struct bgp_open *o,
		     struct bgp_notification *err)
{
	static const uint8_t our_version[2] = { 0, BGP_VERSION };
	uint8_t version, plen;
	struct cursor params;
	bool extended = false;
	uint16_t elen = 0;

	memset(o, 0, sizeof(*o));
	if (!cursor_u8(&body, &version) || !cursor_u16(&body, &o->as2) ||
	    !cursor_u16(&body, &o->hold) || !cursor_u32(&body, &o->id) ||
	    !cursor_u8(&body, &plen)) {
		bgp_notification_set(err, BGP_ERR_OPEN, BGP_OPEN_UNSPECIFIC, NULL, 0);
		return false;
	}
	if (version != BGP_VERSION) {
		bgp_notification_set(err, BGP_ERR_OPEN, BGP_OPEN_BAD_VERSION, our_version, 2);
		return false;
	}
	/* RFC 9072: type 255 first, and its own length of two octets. */
	if (plen > 0 && cursor_left(&body) >= 3 && body.at[0] == PARAM_EXTENDED) {
		extended = true;
		cursor_skip(&body, 1);
		cursor_u16(&body, &elen);
	} else {
		elen = plen;
	}
	if (!cursor_sub(&body, elen, &params) || cursor_left(&body)) {
		bgp_notification_set(err, BGP_ERR_OPEN, BGP_OPEN_UNSPECIFIC, NULL, 0);
		return false;
	}
	if (!decode_params(params, extended, &o->caps, err))
		return false;
	o->as = o->caps.as4 ? o->caps.as : o->as2;
	/* RFC 4760 section 8: without the capability only IPv4 unicast is spoken. */
	if (!o->caps.any_family)
		o->caps.family[BGP_IPV4] = true;
	return check(o, expect, err);
}

void bgp_agree(const struct bgp_open *ours, const struct bgp_open *theirs, struct bgp_agreed *a)
{
	const struct bgp_caps *l = &ours->caps, *r = &theirs->caps;

	memset(a, 0, sizeof(*a));
	a->hold = ours->hold < theirs->hold ? ours->hold : theirs->hold;
	a->as4 = l->as4 && r->as4;
	a->refresh = l->refresh && r->refresh;
	a->enhanced_refresh = l->enhanced_refresh && r->enhanced_refresh;
	a->extended = l->extended && r->extended;
	a->gr = l->gr && r->gr;
	a->gr_notify = a->gr && l->gr_notify && r->gr_notify;
	for (int f = 0; f < BGP_FAMILIES; f++) {
		a->family[f] = l->family[f] && r->family[f];
		a->v6_next_hop[f] = a->family[f] && l->v6_next_hop[f] && r->v6_next_hop[f];
		a->addpath_rx[f] = a->family[f] && l->addpath_rx[f] && r->addpath_tx[f];
		a->addpath_tx[f] = a->family[f] && l->addpath_tx[f] && r->addpath_rx[f];
	}
}
