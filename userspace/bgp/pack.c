// SPDX-License-Identifier: GPL-2.0
/*
 * Packing: what is to be said becomes UPDATE messages as full as they can be, each encoded once
 * and shared by the members that it is for. Contracts in group.h. RFC 4271 4.3, 4760, 7606 5.1.
 */
#include <stdlib.h>
#include <string.h>

#include "bgp/event.h"
#include "bgp/group.h"
#include "lib/log.h"
#include "lib/mem.h"

#define CHUNK 65536		/* messages are handed over in chunks of about this many octets */

/* Sayings that are alike but for their NLRI, linked by bgp_saying.next. */
struct run {
	uint32_t first, last;	/* 1 + index, 0: the slot is free */
	uint32_t n;
};

struct packer {
	struct bgp_group *g;
	enum bgp_family family;
	bool plain;		/* IPv4 with IPv4 next hops: outside MP attributes */
	unsigned int flags;	/* BGP_NLRI_PATH_ID */
	const struct bgp_saying *all;
	struct buf b;		/* messages finished and the one under way */
	uint32_t messages;
	const struct bgp_audience *to;	/* whom the chunk is for */
	size_t limit;		/* octets of a message */
	size_t attrs_len;
	uint8_t *attrs;		/* encoded attributes of the run, limit octets */
	uint8_t mem[];		/* of b, CHUNK; of attrs */
};

static const struct bgp_saying *following(const struct packer *p, const struct bgp_saying *s)
{
	return s->next ? &p->all[s->next - 1] : NULL;
}

static void hand_over(struct packer *p)
{
	struct bgp_out *out;

	if (!p->b.len)
		return;
	out = bgp_out_new(p->b.data, p->b.len, p->messages);
	p->g->messages += p->messages;
	if (!out)
		log_err("bgp", "no memory for %u messages", p->messages);
	for (uint32_t i = 0; out && i < p->to->n; i++)
		for (uint64_t w = p->to->word[i]; w; w &= w - 1)
			bgp_session_send(p->g->by_number[i * 64 + (uint32_t)__builtin_ctzll(w)]->peer->session, out);
	bgp_out_put(out);
	buf_rewind(&p->b, 0);
	p->messages = 0;
}

/* Message of withdrawals: as many as fit; the first of the run that did not. */
static const struct bgp_saying *withdrawal(struct packer *p, const struct bgp_saying *s)
{
	unsigned int flags = p->flags | BGP_NLRI_WITHDRAW;
	size_t start = bgp_msg_begin(&p->b, BGP_UPDATE), mp = 0, lengths = p->b.len, list;

	buf_u16(&p->b, 0);
	if (!p->plain) {
		buf_u16(&p->b, 0);
		mp = bgp_mp_unreach_begin(&p->b, p->family);
	}
	list = p->b.len;
	for (; s; s = following(p, s)) {
		/* two more octets for the attribute length that follows plain withdrawals */
		if (p->b.len - start + bgp_nlri_size(p->family, &s->nlri, flags) + 2 > p->limit)
			break;
		bgp_nlri_encode(&p->b, p->family, &s->nlri, flags);
	}
	if (p->plain) {
		buf_patch_u16(&p->b, lengths, (uint16_t)(p->b.len - list));
		buf_u16(&p->b, 0);
	} else {
		bgp_mp_end(&p->b, mp);
		buf_patch_u16(&p->b, lengths + 2, (uint16_t)(p->b.len - lengths - 4));
	}
	bgp_msg_end(&p->b, start);
	return s;
}

static const struct bgp_saying *announcement(struct packer *p, const struct bgp_saying *s)
{
	const struct bgp_group_key *k = &p->g->key;
	size_t start = bgp_msg_begin(&p->b, BGP_UPDATE), mp = 0, at, room = p->limit;

	buf_u16(&p->b, 0);
	at = p->b.len;
	buf_u16(&p->b, 0);
	if (p->plain) {
		buf_bytes(&p->b, p->attrs, p->attrs_len);
		buf_patch_u16(&p->b, at, (uint16_t)(p->b.len - at - 2));
	} else {
		if (addr_is_set(&s->attrs->f.nexthop))
			mp = bgp_mp_reach_begin(&p->b, p->family, &s->attrs->f.nexthop, NULL);
		else
			mp = bgp_mp_reach_begin(&p->b, p->family, &k->nexthop, &k->nexthop_ll);
		room -= p->attrs_len;
	}
	for (; s; s = following(p, s)) {
		if (p->b.len - start + bgp_nlri_size(p->family, &s->nlri, p->flags) > room)
			break;
		bgp_nlri_encode(&p->b, p->family, &s->nlri, p->flags);
	}
	if (!p->plain) {
		bgp_mp_end(&p->b, mp);
		buf_bytes(&p->b, p->attrs, p->attrs_len);
		buf_patch_u16(&p->b, at, (uint16_t)(p->b.len - at - 2));
	}
	bgp_msg_end(&p->b, start);
	return s;
}

/* The run's attributes; false: so long that no route fits beside them. */
static bool encode_attrs(struct packer *p, const struct attrs *a)
{
	struct bgp_encode e = { .as4 = p->g->key.as4, .internal = p->g->key.internal };
	const struct ip_addr *nexthop = addr_is_set(&a->f.nexthop) ? &a->f.nexthop : &p->g->key.nexthop;
	struct buf b;

	/* header 19, two lengths 4, MP_REACH_NLRI up to 9 + 48, one NLRI */
	buf_init_fixed(&b, p->attrs, p->limit - 80 - BGP_NLRI_MAX);
	bgp_attrs_encode(&b, &e, a, p->plain ? nexthop : NULL);
	p->attrs_len = b.len;
	return !b.full;
}

static void pack_run(struct packer *p, const struct run *r)
{
	const struct bgp_saying *s = &p->all[r->first - 1];
	bool fits = s->attrs && encode_attrs(p, s->attrs);

	if (p->to != s->to)
		hand_over(p);
	p->to = s->to;
	/* RFC 8654 section 4: what was told before is no longer true */
	if (s->attrs && !fits)
		log_err("bgp", "%u routes are not announced, but withdrawn: their attributes exceed a message", r->n);
	while (s) {
		if (p->b.len > CHUNK - BGP_MAX_LEN)
			hand_over(p);
		s = fits ? announcement(p, s) : withdrawal(p, s);
		p->messages++;
	}
}

/* the slot of the run that this saying belongs to */
static struct run *run_of(const struct bgp_saying *all, struct run *slots, uint32_t mask, const struct bgp_saying *s)
{
	uint32_t i = hash_ptr(s->attrs) ^ hash_ptr(s->to);

	for (;; i++) {
		struct run *r = &slots[i & mask];
		const struct bgp_saying *first = r->first ? &all[r->first - 1] : NULL;

		if (!first || (first->attrs == s->attrs && first->to == s->to))
			return r;
	}
}

/* links runs, and lists them in the order of their first sayings; how many there are */
static uint32_t runs_make(struct bgp_saying *s, uint32_t n, struct run *slots, uint32_t mask, struct run **list)
{
	uint32_t runs = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct run *r = run_of(s, slots, mask, &s[i]);

		s[i].next = 0;
		if (r->first) {
			s[r->last - 1].next = i + 1;
		} else {
			r->first = i + 1;
			list[runs++] = r;
		}
		r->last = i + 1;
		r->n++;
	}
	return runs;
}

void bgp_pack(struct bgp_group *g, struct bgp_saying *s, uint32_t n)
{
	uint32_t mask = 1, runs;
	struct packer *p;
	size_t limit;
	struct run *slots, **list;

	if (!n)
		return;
	while (mask < 2 * n)
		mask *= 2;
	limit = g->key.extended ? BGP_EXTENDED_LEN : BGP_MAX_LEN;
	p = xmalloc(sizeof(*p) + CHUNK + 2 * limit);
	slots = xcalloc(mask, sizeof(*slots));
	list = xmalloc(n * sizeof(struct run *));
	p->g = g;
	p->family = g->feed->family;
	p->plain = p->family == BGP_IPV4 && g->key.nexthop.family == AF_INET;
	p->flags = g->key.several ? BGP_NLRI_PATH_ID : 0;
	p->all = s;
	p->to = NULL;
	p->messages = 0;
	p->limit = limit;
	p->attrs = p->mem + CHUNK + limit;
	buf_init_fixed(&p->b, p->mem, CHUNK + limit);
	runs = runs_make(s, n, slots, mask - 1, list);
	/* withdrawals first: they make room at the peer */
	for (uint32_t i = 0; i < runs; i++)
		if (!s[list[i]->first - 1].attrs)
			pack_run(p, list[i]);
	for (uint32_t i = 0; i < runs; i++)
		if (s[list[i]->first - 1].attrs)
			pack_run(p, list[i]);
	hand_over(p);
	free(list);
	free(slots);
	free(p);
}

void bgp_pack_eor(struct bgp_peer_family *pf)
{
	uint8_t mem[64];
	struct buf b;
	struct bgp_out *out;
	size_t start, at, mp = 0;

	buf_init_fixed(&b, mem, sizeof(mem));
	start = bgp_msg_begin(&b, BGP_UPDATE);
	buf_u16(&b, 0);
	at = b.len;
	buf_u16(&b, 0);
	if (pf->family != BGP_IPV4) {
		mp = bgp_mp_unreach_begin(&b, pf->family);
		bgp_mp_end(&b, mp);
		buf_patch_u16(&b, at, (uint16_t)(b.len - at - 2));
	}
	bgp_msg_end(&b, start);
	out = bgp_out_new(b.data, b.len, 1);
	if (!out)
		return;
	bgp_session_send(pf->peer->session, out);
	bgp_out_put(out);
	pf->eor_sent = true;
	bgp_happened(LOG_LEVEL_INFO, pf->peer->name, "End-of-RIB of %s sent", bgp_family_name(pf->family));
}

void bgp_pack_refresh(struct bgp_peer_family *pf, enum bgp_refresh what)
{
	uint8_t mem[BGP_HEADER_LEN + 4];
	struct bgp_out *out;
	struct buf b;

	if (!pf->peer->info.agreed.enhanced_refresh)
		return;
	buf_init_fixed(&b, mem, sizeof(mem));
	bgp_refresh_encode(&b, pf->family, what);
	out = bgp_out_new(b.data, b.len, 1);
	if (!out)
		return;
	out->counter = BGP_COUNT_REFRESH;
	bgp_session_send(pf->peer->session, out);
	bgp_out_put(out);
}
