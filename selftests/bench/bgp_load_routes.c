// SPDX-License-Identifier: GPL-2.0
/*
 * The routes of a load: encoded, and compared with what they have to be. Route i is a /24 from 10.0.0.0 on, under label
 * 16 + i; 50 RDs have prefixes of their own, the next 50 the same ones again, and so on. Its set s has AS path
 * [64512 + s % 400, 4200000000 + s], two communities and its RTs of its own.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp_load.h"

#define NLRI_MAX	16
#define ATTRS_MAX	96
#define LABEL_FIRST	16u
#define LABELS		(1048576u - LABEL_FIRST)

enum { ORIGIN = 1, AS_PATH, NEXT_HOP, MED, LOCAL_PREF, COMMUNITIES = 8, ORIGINATOR_ID, CLUSTER_LIST, MP_REACH = 14,
	MP_UNREACH, EXT_COMMUNITIES };

struct plan plan;

static uint8_t *put16(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = v;
	return p + 2;
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
	return put16(put16(p, v >> 16), v);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

struct block *block_new(size_t size)
{
	struct block *b = malloc(sizeof(*b) + size);

	if (!b)
		abort();
	*b = (struct block){ .size = size };
	return b;
}

/* ---- the routes ---- */

static uint32_t per_rd(void)
{
	return (plan.routes + plan.rds - 1) / plan.rds;
}

static uint32_t route_label(uint32_t i)
{
	return LABEL_FIRST + i % LABELS;
}

static uint8_t *put_nlri(uint8_t *p, uint32_t i, uint32_t label)
{
	uint32_t n = per_rd();

	*p++ = 24 + 64 + 24;
	*p++ = label >> 12;
	*p++ = label >> 4;
	*p++ = (label << 4 & 0xff) | 1;
	p = put16(p, 0);
	p = put16(p, LOAD_AS);
	p = put32(p, 1 + plan.rd_base + i / n);
	i = i / n % RD_BLOCKS * n + i % n;
	*p++ = 10 + (i >> 16);
	*p++ = i >> 8;
	*p++ = i;
	return p;
}

/* The number of the route at @p, and its label; plan.routes: none of ours. *len: of the NLRI, 0 if it is cut off. */
static uint32_t get_nlri(const uint8_t *p, size_t left, size_t *len, uint32_t *label)
{
	uint32_t rd, i, n = per_rd();

	*len = left ? 1 + (p[0] + 7) / 8 : 0;
	if (!left || *len > left) {
		*len = 0;
		return plan.routes;
	}
	if (p[0] != 24 + 64 + 24 || p[4] || p[5] || (p[6] << 8 | p[7]) != LOAD_AS)
		return plan.routes;
	*label = p[1] << 12 | p[2] << 4 | p[3] >> 4;
	rd = get32(p + 8) - 1 - plan.rd_base;
	i = (((uint32_t)p[12] - 10) << 16 | p[13] << 8 | p[14]) - rd % RD_BLOCKS * n;
	if (rd >= plan.rds || i >= n || rd * n + i >= plan.routes)
		return plan.routes;
	return rd * n + i;
}

static uint8_t *put_rt(uint8_t *p, uint32_t n)
{
	p = put16(p, 0x0002);
	p = put16(p, LOAD_AS);
	return put32(p, n);
}

/* The value of an attribute that a set has; 0: it has none such. */
static size_t set_value(uint8_t code, uint32_t set, uint8_t variant, uint8_t *value)
{
	uint8_t *p = value;

	switch (code) {
	case ORIGIN:
		*p++ = 0;
		break;
	case AS_PATH:
		*p++ = 2;
		*p++ = 2;
		p = put32(p, 64512 + set % 400);
		p = put32(p, 4200000000u + set);
		break;
	case MED:
		if (variant)
			p = put32(p, variant);
		break;
	case LOCAL_PREF:
		p = put32(p, 100);
		break;
	case COMMUNITIES:
		p = put32(p, 65000u << 16 | (set & 0xffff));
		p = put32(p, 65001u << 16 | set >> 16);
		break;
	case EXT_COMMUNITIES:
		if (plan.rts)
			return put_rt(p, 1 + set % plan.rts) - value;
		p = put_rt(p, 1 + plan.rd_base + set * plan.per_set / per_rd());
		p = put_rt(p, 1000000 + set);
		break;
	}
	return p - value;
}

static const uint8_t set_codes[] = { ORIGIN, AS_PATH, MED, LOCAL_PREF, COMMUNITIES, EXT_COMMUNITIES };

static uint8_t flags_of(uint8_t code)
{
	if (code == COMMUNITIES || code == EXT_COMMUNITIES)
		return 0xc0;
	return code == MED ? 0x80 : 0x40;
}

static uint8_t *put_attrs(uint8_t *p, uint32_t set, uint8_t variant)
{
	for (size_t i = 0; i < sizeof(set_codes); i++) {
		size_t len = set_value(set_codes[i], set, variant, p + 3);

		if (!len)
			continue;
		p[0] = flags_of(set_codes[i]);
		p[1] = set_codes[i];
		p[2] = len;
		p += 3 + len;
	}
	return p;
}

/* network order */
static uint32_t set_hop(const struct session *owner, uint32_t set)
{
	return plan.hops ? htonl(plan.hop_base + set % plan.hops) : owner->local.s_addr;
}

/* ---- announcing ---- */

static uint8_t *open_update(struct block *b, uint8_t **attrs)
{
	uint8_t *p = b->data + b->len;

	memset(p, 0xff, 16);
	p[18] = MSG_UPDATE;
	put16(p + 19, 0);
	*attrs = p + 23;
	return p;
}

static void close_update(struct block *b, uint8_t *start, uint8_t *end)
{
	put16(start + 16, end - start);
	put16(start + 21, end - start - 23);
	b->len += end - start;
	b->messages++;
}

/* One UPDATE with as many routes as it holds, all of one set; the first route that is not in it. */
static uint32_t announce_one(struct block *b, const struct session *s, uint32_t i, uint32_t end, uint8_t variant)
{
	uint8_t *attrs, *start = open_update(b, &attrs), *reach, *p;
	uint32_t set = i / plan.per_set, hop = set_hop(s, set);

	reach = put_attrs(attrs, set, variant);
	p = put16(reach, 0x9000 | MP_REACH) + 2;
	p = put16(p, 1);
	*p++ = SAFI_VPN;
	*p++ = 12;
	p = put32(put32(p, 0), 0);
	memcpy(p, &hop, 4);
	p += 4;
	*p++ = 0;
	for (; i < end && i / plan.per_set == set && p + NLRI_MAX <= start + MESSAGE_MAX; i++) {
		p = put_nlri(p, i, route_label(i));
		plan.owner[i] = s->index;
		plan.variant[i] = variant;
	}
	put16(reach + 2, p - reach - 4);
	close_update(b, start, p);
	return i;
}

struct block *routes_announce(const struct session *s, uint32_t first, uint32_t n, uint8_t variant)
{
	uint32_t end = first + n, sets = n / plan.per_set + 2;
	size_t messages = sets + (size_t)n * NLRI_MAX / (MESSAGE_MAX - ATTRS_MAX - 64);
	struct block *b = block_new((size_t)n * NLRI_MAX + messages * (ATTRS_MAX + 64) + MESSAGE_MAX);

	for (uint32_t i = first; i < end;)
		i = announce_one(b, s, i, end, variant);
	return b;
}

struct block *routes_withdraw(const struct session *s, uint32_t first, uint32_t n)
{
	struct block *b = block_new((size_t)n * NLRI_MAX + ((size_t)n * NLRI_MAX / 4000 + 2) * 64 + MESSAGE_MAX);
	uint32_t i = first, end = first + n;
	uint8_t *start, *attr, *p;

	while (i < end) {
		start = open_update(b, &attr);
		p = put16(attr, 0x9000 | MP_UNREACH) + 2;
		p = put16(p, 1);
		*p++ = SAFI_VPN;
		for (; i < end && p + NLRI_MAX <= start + MESSAGE_MAX; i++) {
			p = put_nlri(p, i, route_label(i));	/* some do not know it again otherwise */
			if (plan.owner[i] == s->index)
				plan.owner[i] = OWNER_NONE;
		}
		put16(attr + 2, p - attr - 4);
		close_update(b, start, p);
	}
	return b;
}

static void put_end_of_rib(struct block *b, uint8_t safi)
{
	uint8_t *attr, *start = open_update(b, &attr), *p;

	p = put16(attr, 0x8000 | MP_UNREACH);
	*p++ = 3;
	p = put16(p, 1);
	*p++ = safi;
	close_update(b, start, p);
}

struct block *end_of_rib(void)
{
	struct block *b = block_new(64);

	put_end_of_rib(b, SAFI_VPN);
	return b;
}

static uint8_t *open_rtc(const struct session *s, uint8_t *attr, bool withdraw, uint8_t **field)
{
	static const uint8_t head[] = { 0x40, ORIGIN, 1, 0, 0x40, AS_PATH, 0, 0x40, LOCAL_PREF, 4, 0, 0, 0, 100 };
	uint8_t *p = attr;

	if (!withdraw) {
		memcpy(p, head, sizeof(head));
		p += sizeof(head);
	}
	*field = p;
	p = put16(p, 0x9000 | (withdraw ? MP_UNREACH : MP_REACH)) + 2;
	p = put16(p, 1);
	*p++ = SAFI_RTC;
	if (withdraw)
		return p;
	*p++ = 4;
	memcpy(p, &s->local, 4);
	p += 4;
	*p++ = 0;
	return p;
}

struct block *rtc_announce(const struct session *s, uint32_t first, uint32_t n, bool withdraw)
{
	struct block *b = block_new((size_t)n * NLRI_MAX + (n / 200 + 2) * 64 + MESSAGE_MAX);
	uint8_t *start, *attr, *field, *p;
	uint32_t i = 0;

	while (i < n) {
		start = open_update(b, &attr);
		p = open_rtc(s, attr, withdraw, &field);
		for (; i < n && p + NLRI_MAX <= start + MESSAGE_MAX; i++) {
			*p++ = 96;
			p = put32(p, s->as);
			p = put_rt(p, first + i + 1);
		}
		put16(field + 2, p - field - 4);
		close_update(b, start, p);
	}
	if (!withdraw)
		put_end_of_rib(b, SAFI_RTC);
	return b;
}

/* ---- receiving ---- */

struct field {
	const uint8_t *p;
	size_t len;
};

static void wrong(struct session *s, const char *what, uint32_t route)
{
	if (!s->wrong++)
		snprintf(s->failure, sizeof(s->failure), "%s (route %u)", what, route);
}

/* Attributes by their code, those above EXT_COMMUNITIES left out; false: malformed. */
static bool split(const uint8_t *p, size_t len, struct field *field)
{
	while (len) {
		size_t head = p[0] & 0x10 ? 4 : 3, n;

		if (len < head)
			return false;
		n = head == 4 ? (size_t)p[2] << 8 | p[3] : p[2];
		if (len < head + n)
			return false;
		if (p[1] <= EXT_COMMUNITIES)
			field[p[1]] = (struct field){ p + head, n };
		p += head + n;
		len -= head + n;
	}
	return true;
}

static void check_attrs(struct session *s, const struct field *field, uint32_t i)
{
	const struct session *owner;
	uint8_t value[ATTRS_MAX];
	uint32_t id;

	for (size_t n = 0; n < sizeof(set_codes); n++) {
		const struct field *f = &field[set_codes[n]];
		size_t len = set_value(set_codes[n], i / plan.per_set, plan.variant[i], value);

		if (set_codes[n] == MED && !len && f->len == 4 && !get32(f->p))
			continue;	/* 0 is what none means (RFC 4271 9.1.2.2) */
		if (f->len != len || (len && memcmp(f->p, value, len)))
			wrong(s, set_codes[n] == EXT_COMMUNITIES ? "wrong route targets" :
			      set_codes[n] == MED ? "wrong MED" : "wrong attributes", i);
	}
	if (!s->client)
		return;
	owner = &sessions[plan.owner[i]];
	id = htonl(owner->id);
	if (field[ORIGINATOR_ID].len != 4 || memcmp(field[ORIGINATOR_ID].p, &id, 4))
		wrong(s, "wrong ORIGINATOR_ID", i);
	if (field[CLUSTER_LIST].len != 4)
		wrong(s, "no CLUSTER_LIST of one cluster", i);
}

static void note(struct session *s, uint32_t i, uint8_t seen)
{
	s->count[s->seen[i]]--;
	s->count[seen]++;
	s->seen[i] = seen;
}

static void receive_reach(struct session *s, const struct field *field)
{
	const uint8_t *p = field[MP_REACH].p, *end = p + field[MP_REACH].len;
	uint32_t i, label = 0, set = 0, hop;
	static const uint8_t no_rd[8];
	const uint8_t *nexthop = p + 4;
	bool checked = false;
	size_t len;

	for (p += 17; p < end; p += len) {
		i = get_nlri(p, end - p, &len, &label);
		if (!len || i >= plan.routes) {
			wrong(s, "a route that nobody announced", i);
			if (!len)
				return;
			continue;
		}
		s->announced++;
		if (label != route_label(i))
			wrong(s, "wrong label", i);
		if (plan.owner[i] == OWNER_NONE) {
			s->stray++;	/* it was withdrawn meanwhile, and comes late */
			note(s, i, 1 + plan.variant[i]);
			continue;
		}
		if (!checked || i / plan.per_set != set) {
			if (checked)
				wrong(s, "routes of two attribute sets in one UPDATE", i);
			check_attrs(s, field, i);
			hop = set_hop(&sessions[plan.owner[i]], i / plan.per_set);
			if (memcmp(nexthop, no_rd, 8) || memcmp(nexthop + 8, &hop, 4))
				wrong(s, "wrong next hop", i);
			checked = true;
			set = i / plan.per_set;
		}
		s->again += s->seen[i] == 1 + plan.variant[i];
		note(s, i, 1 + plan.variant[i]);
	}
}

static void receive_unreach(struct session *s, const uint8_t *p, const uint8_t *end)
{
	uint32_t i, label;
	size_t len;

	for (; p < end; p += len) {
		i = get_nlri(p, end - p, &len, &label);
		if (!len || i >= plan.routes) {
			wrong(s, "withdrawal of a route that nobody announced", i);
			if (!len)
				return;
			continue;
		}
		s->withdrawn++;
		s->stray += !s->seen[i];
		note(s, i, 0);
	}
}

void routes_receive(struct session *s, const uint8_t *body, size_t len, double now)
{
	struct field field[EXT_COMMUNITIES + 1] = { 0 }, *reach = &field[MP_REACH], *unreach = &field[MP_UNREACH];

	s->updates++;
	if (len < 4 || body[0] || body[1] || ((size_t)body[2] << 8 | body[3]) != len - 4 ||
	    !split(body + 4, len - 4, field) || (unreach->p && unreach->len < 3) || (reach->p && reach->len < 5)) {
		if (len != 4)
			wrong(s, "an UPDATE that cannot be read", 0);
		return;
	}
	if ((reach->p && reach->p[2] == SAFI_RTC) || (unreach->p && unreach->p[2] == SAFI_RTC)) {
		s->rtc_in++;
		return;
	}
	if (unreach->p && unreach->len == 3 && !reach->p) {
		s->eor++;
		s->eor_at = now;
		return;
	}
	if (!s->first)
		s->first = now;
	s->last = now;
	if (unreach->p)
		receive_unreach(s, unreach->p + 3, unreach->p + unreach->len);
	if (!reach->p)
		return;
	if (reach->p[2] == SAFI_VPN && reach->p[3] == 12 && reach->len >= 17)
		receive_reach(s, field);
	else
		wrong(s, "an announcement of another family, or a next hop of another length", 0);
}
