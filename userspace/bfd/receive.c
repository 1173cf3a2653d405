// SPDX-License-Identifier: GPL-2.0
/* What comes in: whose it is, and what it does there. RFC 5880 section 6.8.6 in its order, RFC 5881 section 5. */
#include <string.h>

#include "bfd/engine.h"
#include "lib/mem.h"

#define TTL_SINGLE 255

/* ---- whose is it ---- */

static bool came_from(const struct bfd_session *s, const struct bfd_rx *rx)
{
	const struct liveness_key *k = &s->key;

	return k->vrf == rx->vrf && k->multihop == rx->multihop && addr_eq(&k->peer, &rx->from) &&
	       (!addr_is_set(&k->local) || addr_eq(&k->local, &rx->to)) &&
	       (!k->ifname[0] || !rx->ifname || !strcmp(k->ifname, rx->ifname));
}

static bool match_rx(const struct hash_node *n, const void *rx)
{
	return came_from(hash_entry(n, struct bfd_session, by_peer), rx);
}

/* the first packets do not know our discriminator */
static struct bfd_session *by_source(const struct bfd_engine *e, const struct bfd_rx *rx)
{
	struct hash_node *n = hash_find(&e->by_peer, bfd_peer_hash(rx->vrf, rx->multihop, &rx->from), match_rx, rx);

	return n ? hash_entry(n, struct bfd_session, by_peer) : NULL;
}

static enum bfd_discard find_session(const struct bfd_engine *e, const struct bfd_rx *rx, const struct bfd_packet *p,
				     struct bfd_session **found)
{
	struct bfd_session *s;

	if (!p->your) {
		if (p->state != BFD_DOWN && p->state != BFD_ADMIN_DOWN)
			return BFD_ZERO_YOUR;
		*found = by_source(e, rx);
		return *found ? BFD_TAKEN : BFD_NO_SESSION;
	}
	s = bfd_session_by_discr(e, p->your);
	if (!s || !came_from(s, rx))
		return BFD_UNKNOWN_YOUR;
	*found = s;
	return BFD_TAKEN;
}

/* ---- what it does ---- */

static void learn(struct bfd_session *s, const struct bfd_packet *p)
{
	s->remote_discr = p->my;
	s->remote_state = p->state;
	s->remote_diag = p->diag;
	s->remote_demand = p->demand;
	s->remote_cpi = p->cpi;
	s->remote_rx_us = p->min_rx;
	s->remote_tx_us = p->min_tx;
	s->remote_mult = p->mult;
}

static enum bfd_discard take(struct bfd_engine *e, struct bfd_session *s, const struct bfd_packet *p, uint64_t now)
{
	learn(s, p);
	if (p->final)
		bfd_session_poll_done(s);
	if (s->state == BFD_ADMIN_DOWN)
		return BFD_ADMIN;
	s->count.in++;
	s->received_us = now;
	s->forgiven = false;
	bfd_session_event(e, s, BFD_EV_RX_ADMIN_DOWN + p->state, now);
	if (p->poll)
		bfd_session_send(e, s, true);
	bfd_session_schedule(e, s, now);
	bfd_timer_set(&e->timers, &s->detect, now + bfd_detection_time(s));
	return BFD_TAKEN;
}

enum bfd_discard bfd_engine_receive(struct bfd_engine *e, const struct bfd_rx *rx, const void *data, size_t len,
				    uint64_t now)
{
	struct bfd_session *s = NULL;
	enum bfd_discard why;
	struct bfd_packet p;

	if (!rx->multihop && rx->ttl != TTL_SINGLE)
		why = BFD_BAD_TTL;
	else
		why = bfd_packet_decode(cursor_make(data, len), &p);
	if (why == BFD_TAKEN)
		why = find_session(e, rx, &p, &s);
	if (why == BFD_TAKEN && p.auth)
		why = BFD_AUTH;
	if (why == BFD_TAKEN)
		why = take(e, s, &p, now);
	if (why != BFD_TAKEN)
		(s ? &s->count : &e->count)->discards[why]++;
	return why;
}
