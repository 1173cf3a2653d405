// SPDX-License-Identifier: GPL-2.0
/*
 * Packing: what is to be said becomes UPDATE messages as full as they can be, each encoded once
 * and shared by the members that it is for. Contracts in group.h. RFC 4271 4.3, 4760, 7606 5.1.
 */
#include <stdlib.h>
#include <string.h>

#include "bgp/group.h"
#include "lib/log.h"

#define CHUNK 65536		/* messages are handed over in chunks of at most this many octets */

struct packer {
	struct bgp_group *g;
	enum bgp_family family;
	bool plain;		/* IPv4 with IPv4 next hops: outside MP attributes */
	struct buf b;		/* messages finished and the one under way */
	uint32_t messages;
	const struct bgp_saying *who;	/* whose members the chunk is for */
	size_t attrs_len;
	uint8_t attrs[BGP_MAX_LEN];	/* encoded attributes of the run */
	uint8_t mem[CHUNK];
};

/* Withdrawals first; then by for whom, and by attributes. */
static int saying_cmp(const void *a, const void *b)
{
	const struct bgp_saying *x = a, *y = b;

	if (!x->attrs != !y->attrs)
		return x->attrs ? 1 : -1;
	if (x->only != y->only)
		return x->only < y->only ? -1 : 1;
	if (x->but != y->but)
		return x->but < y->but ? -1 : 1;
	if (x->attrs != y->attrs)
		return x->attrs < y->attrs ? -1 : 1;
	return 0;
}

static bool same_members(const struct bgp_saying *a, const struct bgp_saying *b)
{
	return a->only == b->only && a->but == b->but;
}

static void hand_over(struct packer *p)
{
	struct bgp_peer_family *pf;
	struct bgp_out *out;

	if (!p->b.len)
		return;
	out = bgp_out_new(p->b.data, p->b.len, p->messages);
	p->g->messages += p->messages;
	if (!out) {
		log_err("bgp", "no memory for %u messages", p->messages);
	} else if (p->who->only) {
		bgp_session_send(p->who->only->peer->session, out);
	} else {
		list_for_each(pf, &p->g->members, struct bgp_peer_family, member) {
			if (pf != p->who->but)
				bgp_session_send(pf->peer->session, out);
		}
	}
	bgp_out_put(out);
	buf_rewind(&p->b, 0);
	p->messages = 0;
}

/* Message of withdrawals: as many as fit; how many of @n that was. */
static uint32_t withdrawal(struct packer *p, const struct bgp_saying *s, uint32_t n)
{
	size_t start = bgp_msg_begin(&p->b, BGP_UPDATE), mp = 0, lengths = p->b.len, list;
	uint32_t i;

	buf_u16(&p->b, 0);
	if (!p->plain) {
		buf_u16(&p->b, 0);
		mp = bgp_mp_unreach_begin(&p->b, p->family);
	}
	list = p->b.len;
	for (i = 0; i < n; i++) {
		/* two more octets for the attribute length that follows plain withdrawals */
		if (p->b.len - start + bgp_nlri_size(p->family, &s[i].nlri, 0) + 2 > BGP_MAX_LEN)
			break;
		bgp_nlri_encode(&p->b, p->family, &s[i].nlri, BGP_NLRI_WITHDRAW);
	}
	if (p->plain) {
		buf_patch_u16(&p->b, lengths, (uint16_t)(p->b.len - list));
		buf_u16(&p->b, 0);
	} else {
		bgp_mp_end(&p->b, mp);
		buf_patch_u16(&p->b, lengths + 2, (uint16_t)(p->b.len - lengths - 4));
	}
	bgp_msg_end(&p->b, start);
	return i;
}

static uint32_t announcement(struct packer *p, const struct bgp_saying *s, uint32_t n)
{
	const struct bgp_group_key *k = &p->g->key;
	size_t start = bgp_msg_begin(&p->b, BGP_UPDATE), mp = 0, at, room = BGP_MAX_LEN;
	uint32_t i;

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
	for (i = 0; i < n; i++) {
		if (p->b.len - start + bgp_nlri_size(p->family, &s[i].nlri, 0) > room)
			break;
		bgp_nlri_encode(&p->b, p->family, &s[i].nlri, 0);
	}
	if (!p->plain) {
		bgp_mp_end(&p->b, mp);
		buf_bytes(&p->b, p->attrs, p->attrs_len);
		buf_patch_u16(&p->b, at, (uint16_t)(p->b.len - at - 2));
	}
	bgp_msg_end(&p->b, start);
	return i;
}

/* The run's attributes; false: so long that no route fits beside them. */
static bool encode_attrs(struct packer *p, const struct attrs *a)
{
	struct bgp_encode e = { .as4 = p->g->key.as4, .internal = p->g->key.internal };
	struct buf b;

	/* header 19, two lengths 4, MP_REACH_NLRI up to 9 + 48, one NLRI */
	buf_init_fixed(&b, p->attrs, BGP_MAX_LEN - 80 - BGP_NLRI_MAX);
	bgp_attrs_encode(&b, &e, a, p->plain ? &p->g->key.nexthop : NULL);
	p->attrs_len = b.len;
	return !b.full;
}

/* Sayings that are alike but for their NLRI. */
static void pack_run(struct packer *p, const struct bgp_saying *s, uint32_t n)
{
	if (s->attrs && !encode_attrs(p, s->attrs)) {
		log_err("bgp", "%u routes are not announced: their attributes exceed a message", n);
		return;
	}
	while (n) {
		uint32_t did;

		if (p->b.cap - p->b.len < BGP_MAX_LEN)
			hand_over(p);
		did = s->attrs ? announcement(p, s, n) : withdrawal(p, s, n);
		p->messages++;
		s += did;
		n -= did;
	}
}

void bgp_pack(struct bgp_group *g, struct bgp_saying *s, uint32_t n)
{
	struct packer *p;
	uint32_t i, j;

	if (!n)
		return;
	p = malloc(sizeof(*p));
	if (!p) {
		log_err("bgp", "no memory to encode %u routes", n);
		return;
	}
	p->g = g;
	p->family = g->feed->family;
	p->plain = p->family == BGP_IPV4 && g->key.nexthop.family == AF_INET;
	p->messages = 0;
	buf_init_fixed(&p->b, p->mem, sizeof(p->mem));
	qsort(s, n, sizeof(*s), saying_cmp);
	p->who = s;
	for (i = 0; i < n; i = j) {
		for (j = i + 1; j < n && !saying_cmp(&s[i], &s[j]); j++)
			;
		if (!same_members(p->who, &s[i]))
			hand_over(p);
		p->who = &s[i];
		pack_run(p, &s[i], j - i);
	}
	hand_over(p);
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
	log_debug("bgp", "%s: End-of-RIB of %s sent", pf->peer->name, bgp_family_name(pf->family));
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
