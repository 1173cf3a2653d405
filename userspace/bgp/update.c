// SPDX-License-Identifier: GPL-2.0
/*
 * Reading UPDATE messages: the frame of the message, its NLRI fields and the verdict. The
 * attributes themselves are read by the table in attr.c. Contracts in update.h.
 */
#include "bgp/update.h"

#include <stdlib.h>
#include <string.h>

#include "bgp/attr.h"

void bgp_update_free(struct bgp_update *u)
{
	struct bgp_batch *own = u ? u->own : NULL;

	if (!own)
		return;
	bgp_batch_free(own);
	free(own);
}

const char *bgp_outcome_name(enum bgp_outcome o)
{
	static const char *const names[] = {
		[BGP_ACCEPT] = "accepted",
		[BGP_DISCARD] = "attribute discarded",
		[BGP_WITHDRAW] = "treated as withdrawal",
		[BGP_DISABLE] = "address family disabled",
		[BGP_RESET] = "session reset",
	};

	return (unsigned int)o <= BGP_RESET ? names[o] : "unknown";
}

void bgp_reader_fail(struct bgp_reader *r, enum bgp_outcome outcome, uint8_t attr, const char *why)
{
	if (r->d->report)
		r->d->report(r->d->arg, outcome, attr, why);
	if (outcome > r->u->outcome)
		r->u->outcome = outcome;
}

/* The session must end; the first such error is the one that is told. */
void bgp_reader_reset(struct bgp_reader *r, uint8_t attr, uint8_t subcode, const void *data,
		      size_t len, const char *why)
{
	if (!r->err->code)
		bgp_notification_set(r->err, BGP_ERR_UPDATE, subcode, data, len);
	bgp_reader_fail(r, BGP_RESET, attr, why);
}

uint8_t *bgp_reader_alloc(struct bgp_reader *r, size_t len)
{
	uint8_t *p = bgp_batch_get(r->batch, len);

	if (!p)
		r->no_memory = true;
	return p;
}

int bgp_reader_routes(struct bgp_reader *r, enum bgp_family f, struct cursor c, bool withdraw,
		      bool *bad)
{
	unsigned int flags = r->d->addpath[f] ? BGP_NLRI_PATH_ID : 0;
	struct bgp_update *u = r->u;
	struct bgp_routes *part = &u->part[u->parts];
	uint32_t count = 0;

	memset(part, 0, sizeof(*part));
	part->family = f;
	part->withdraw = withdraw;
	u->parts++;
	*bad = !bgp_nlri_count(c, f, flags, &count);
	if (*bad || !count)
		return (int)u->parts - 1;
	part->nlri = (struct bgp_nlri *)(void *)bgp_reader_alloc(r, count * sizeof(*part->nlri));
	if (!part->nlri)
		return -1;
	part->count = count;
	bgp_nlri_read(c, f, flags, part->nlri);
	return (int)u->parts - 1;
}

/*
 * Withdrawn Routes or NLRI of RFC 4271 4.3: IPv4 unicast; its index in parts, or -1. Bad syntax
 * ends the session: where the field ends is certain, but what it lists is not (RFC 7606 5.3).
 */
static int read_plain(struct bgp_reader *r, struct cursor c, bool withdraw)
{
	bool bad;
	int i;

	if (!cursor_left(&c))
		return -1;
	i = bgp_reader_routes(r, BGP_IPV4, c, withdraw, &bad);
	if (bad)
		bgp_reader_reset(r, 0, BGP_UPD_NETWORK, NULL, 0,
				 withdraw ? "withdrawn routes field" : "NLRI field");
	else if (i >= 0 && !r->d->family[BGP_IPV4])
		r->u->part[i].count = 0;	/* not negotiated: ignored */
	return i;
}

static void read_attributes(struct bgp_reader *r, struct cursor c)
{
	struct cursor value, all;
	uint8_t flags, code, len8;
	uint16_t len;

	while (cursor_left(&c)) {
		const uint8_t *start = c.at;
		bool ok = cursor_u8(&c, &flags) && cursor_u8(&c, &code);

		if (ok && flags & BGP_FLAG_EXTENDED) {
			ok = cursor_u16(&c, &len);
		} else if (ok) {
			ok = cursor_u8(&c, &len8);
			len = len8;
		}
		if (!ok || !cursor_sub(&c, len, &value)) {
			r->other_attr = true;
			bgp_reader_fail(r, BGP_WITHDRAW, 0,
					"an attribute runs over the attribute list");
			return;
		}
		if (code != BGP_ATTR_MP_UNREACH)
			r->other_attr = true;
		all = cursor_make(start, (size_t)(c.at - start));
		bgp_attr_read(r, flags, code, value, all);
		if (r->u->outcome == BGP_RESET || r->no_memory)
			return;
	}
}

/* Well-known attributes that must be there when something is announced (RFC 7606 3 d). */
static void check_mandatory(struct bgp_reader *r, bool plain)
{
	static const uint8_t needed[] = { BGP_ATTR_ORIGIN, BGP_ATTR_AS_PATH, BGP_ATTR_NEXT_HOP,
					  BGP_ATTR_LOCAL_PREF };

	for (size_t i = 0; i < sizeof(needed); i++) {
		if ((needed[i] == BGP_ATTR_NEXT_HOP && !plain) ||
		    (needed[i] == BGP_ATTR_LOCAL_PREF && !r->d->internal))
			continue;
		if (!bgp_reader_saw(r, needed[i]))
			bgp_reader_fail(r, BGP_WITHDRAW, needed[i], "missing");
	}
}

/* RFC 4271 6.3: an address that cannot be a next hop. */
static bool nexthop_bad(const struct ip_addr *a)
{
	if (!addr_is_set(a) || addr_is_unspecified(a) || addr_is_multicast(a) ||
	    addr_is_loopback(a))
		return true;
	return a->family == AF_INET && (a->b[0] == 0 || a->b[0] >= 240);
}

static void finish(struct bgp_reader *r, int plain)
{
	struct bgp_update *u = r->u;
	bool reach = plain >= 0 || r->mp_reach >= 0;

	if (plain >= 0)
		u->part[plain].nexthop = r->nexthop;
	if (reach) {
		check_mandatory(r, plain >= 0);
		bgp_attr_finish(r);
		for (unsigned int i = 0; i < u->parts; i++) {
			if (!u->part[i].withdraw && u->outcome < BGP_WITHDRAW &&
			    nexthop_bad(&u->part[i].nexthop))
				bgp_reader_fail(r, BGP_WITHDRAW,
						(int)i == plain ? BGP_ATTR_NEXT_HOP : BGP_ATTR_MP_REACH,
						"next hop cannot be one");
		}
	} else if (r->other_attr && u->outcome == BGP_WITHDRAW) {
		bgp_reader_reset(r, 0, BGP_UPD_MALFORMED_LIST, NULL, 0,
				 "malformed attributes, and nothing reachable listed");
	}
	for (unsigned int i = 0; u->outcome >= BGP_WITHDRAW && i < u->parts; i++)
		u->part[i].withdraw = true;
	for (unsigned int i = 0; i < u->parts; i++) {
		if (u->disabled[u->part[i].family])
			u->part[i].count = 0;
	}
}

static void find_eor(struct bgp_reader *r, size_t withdrawn, size_t attrs, size_t nlri)
{
	struct bgp_update *u = r->u;

	if (!withdrawn && !attrs && !nlri)
		u->eor[BGP_IPV4] = r->d->family[BGP_IPV4];
	else if (!withdrawn && !nlri && !r->other_attr && r->mp_unreach >= 0 &&
		 !u->part[r->mp_unreach].count && u->outcome == BGP_ACCEPT)
		u->eor[u->part[r->mp_unreach].family] = r->d->family[u->part[r->mp_unreach].family];
}

/* Attributes that lie in the message still go where the update stays; those of what is withdrawn are not needed. */
static void keep_attrs(struct bgp_reader *r, struct cursor body)
{
	struct attrs_builder *a = &r->u->attrs;
	size_t len = 0;
	bool needed = false;
	uint8_t *p;

	for (unsigned int i = 0; i < r->u->parts; i++)
		needed |= !r->u->part[i].withdraw;
	for (int i = 0; i < ATTRS_PARTS; i++) {
		if (!needed)
			a->part[i].len = 0;
		if (a->part[i].data >= body.at && a->part[i].data < body.end)
			len += a->part[i].len;
	}
	if (!len)
		return;
	p = bgp_reader_alloc(r, len);
	for (int i = 0; p && i < ATTRS_PARTS; i++) {
		if (!a->part[i].len || a->part[i].data < body.at || a->part[i].data >= body.end)
			continue;
		memcpy(p, a->part[i].data, a->part[i].len);
		a->part[i].data = p;
		p += a->part[i].len;
	}
}

static struct bgp_update *keep(struct bgp_reader *r, struct cursor body)
{
	size_t parts = r->u->parts * sizeof(struct bgp_routes);
	struct bgp_update *u;

	keep_attrs(r, body);
	u = r->no_memory ? NULL : bgp_batch_get(r->batch, sizeof(*u) + parts);
	if (!u)
		return NULL;
	memcpy(u, r->u, sizeof(*u));
	if (parts)
		memcpy(u->part, r->u->part, parts);
	return u;
}

struct bgp_update *bgp_update_read(const struct bgp_decode *d, struct cursor body, struct bgp_batch *batch,
				   struct bgp_notification *err)
{
	union bgp_update_room draft;	/* its parts are copied into the batch when all are known */
	struct bgp_reader r = { .d = d, .u = &draft.u, .batch = batch, .err = err, .mp_reach = -1, .mp_unreach = -1 };
	struct cursor withdrawn, attrs, c = body;
	uint16_t wlen, alen;
	int plain;

	memset(&draft.u, 0, sizeof(draft.u));
	err->code = 0;
	err->len = 0;
	if (!cursor_u16(&c, &wlen) || !cursor_sub(&c, wlen, &withdrawn) || !cursor_u16(&c, &alen) ||
	    !cursor_sub(&c, alen, &attrs)) {
		bgp_reader_reset(&r, 0, BGP_UPD_MALFORMED_LIST, NULL, 0,
				 "lengths exceed the message");
		return NULL;
	}
	read_plain(&r, withdrawn, true);
	if (!err->code && !r.no_memory)
		read_attributes(&r, attrs);
	plain = err->code || r.no_memory ? -1 : read_plain(&r, c, false);
	if (!err->code && !r.no_memory)
		finish(&r, plain);
	if (err->code || r.no_memory)
		return NULL;
	find_eor(&r, wlen, alen, cursor_left(&c));
	return keep(&r, body);
}

struct bgp_update *bgp_update_decode(const struct bgp_decode *d, struct cursor body,
				     struct bgp_notification *err)
{
	struct bgp_batch *own = malloc(sizeof(*own));
	struct bgp_update *u;

	err->code = 0;
	if (!own)
		return NULL;
	bgp_batch_init(own, NULL);
	u = bgp_update_read(d, body, own, err);
	if (u) {
		u->own = own;
	} else {
		bgp_batch_free(own);
		free(own);
	}
	return u;
}
