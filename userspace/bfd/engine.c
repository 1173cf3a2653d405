// SPDX-License-Identifier: GPL-2.0
/* Sessions: life, timers, what they send (engine.h). Numbers are sections of RFC 5880. */
#include "bfd/engine.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

enum { TIMER_TX, TIMER_DETECT, TIMER_END };

static uint32_t max32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* ---- look-up ---- */

uint32_t bfd_peer_hash(uint32_t vrf, bool multihop, const struct ip_addr *peer)
{
	return addr_hash(peer, hash_u64(vrf * 2ull + multihop, 0));
}

static bool match_key(const struct hash_node *n, const void *key)
{
	return !memcmp(&hash_entry(n, struct bfd_session, by_peer)->key, key, sizeof(struct liveness_key));
}

struct bfd_session *bfd_engine_find(const struct bfd_engine *e, const struct liveness_key *key)
{
	struct hash_node *n = hash_find(&e->by_peer, bfd_peer_hash(key->vrf, key->multihop, &key->peer), match_key,
					key);

	return n ? hash_entry(n, struct bfd_session, by_peer) : NULL;
}

static bool match_discr(const struct hash_node *n, const void *key)
{
	return hash_entry(n, struct bfd_session, by_discr)->discr == *(const uint32_t *)key;
}

struct bfd_session *bfd_session_by_discr(const struct bfd_engine *e, uint32_t discr)
{
	struct hash_node *n = hash_find(&e->by_discr, hash_u64(discr, 0), match_discr, &discr);

	return n ? hash_entry(n, struct bfd_session, by_discr) : NULL;
}

/* ---- sending ---- */

uint64_t bfd_tx_interval(const struct bfd_session *s)
{
	return s->remote_rx_us ? max32(s->tx_us, s->remote_rx_us) : 0;
}

uint64_t bfd_detection_time(const struct bfd_session *s)
{
	return s->remote_mult * (uint64_t)max32(s->rx_us, s->remote_tx_us);
}

/* 6.8.7: are periodic packets sent now? */
static bool sends(const struct bfd_session *s)
{
	if (!s->remote_rx_us || (s->params.passive && !s->remote_discr))
		return false;
	return s->polling || !(s->remote_demand && s->state == BFD_UP && s->remote_state == BFD_UP);
}

/* less by 0 to 25 %, at a multiplier of one by 10 to 25 %: 6.8.7 */
static uint64_t jittered(const struct bfd_engine *e, const struct bfd_session *s, uint64_t interval)
{
	uint32_t least = s->params.multiplier == 1 ? 100 : 0;
	uint32_t permille = least + e->ops.random(e->ops.arg) % (251 - least);

	return interval - interval * permille / 1000;
}

void bfd_session_send(struct bfd_engine *e, struct bfd_session *s, bool final)
{
	const struct bfd_packet p = {
		.diag = s->diag, .state = s->state, .poll = s->polling && !final, .final = final,
		.mult = s->params.multiplier, .my = s->discr, .your = s->remote_discr,
		.min_tx = s->desired_tx_us, .min_rx = s->required_rx_us,
	};
	uint8_t packet[BFD_PACKET_LEN];

	bfd_packet_encode(&p, packet);
	if (e->ops.send(e->ops.arg, s, packet))
		s->count.out++;
	else
		s->count.send_failed++;
}

static void send_periodic(struct bfd_engine *e, struct bfd_session *s, uint64_t now)
{
	bfd_session_send(e, s, false);
	s->sent_us = now;
	bfd_timer_set(&e->timers, &s->tx, now + jittered(e, s, bfd_tx_interval(s)));
}

void bfd_session_schedule(struct bfd_engine *e, struct bfd_session *s, uint64_t now)
{
	uint64_t due;

	if (!sends(s)) {
		bfd_timer_stop(&e->timers, &s->tx);
		return;
	}
	/* a longer interval counts from the next packet on, a shorter one at once */
	due = s->sent_us + jittered(e, s, bfd_tx_interval(s));
	if (!bfd_timer_running(&s->tx) || due < s->tx.due_us)
		bfd_timer_set(&e->timers, &s->tx, due > now ? due : now);
}

/* ---- settings: 6.8.3 ---- */

static void poll_start(struct bfd_session *s)
{
	if (s->polling)
		s->poll_again = true;
	s->polling = true;
}

static void settle(struct bfd_session *s)
{
	s->tx_us = s->desired_tx_us;
	s->rx_us = s->required_rx_us;
}

/* What we want follows from settings and state; what holds meanwhile is the slower of old and new. */
static void set_intervals(struct bfd_session *s)
{
	uint32_t interval = s->params.interval_us;
	uint32_t tx = s->state == BFD_UP ? interval : max32(interval, BFD_SLOW_US);

	if (tx == s->desired_tx_us && interval == s->required_rx_us)
		return;
	s->desired_tx_us = tx;
	s->required_rx_us = interval;
	if (s->state != BFD_UP) {
		settle(s);
		return;
	}
	if (tx < s->tx_us)
		s->tx_us = tx;
	if (interval > s->rx_us)
		s->rx_us = interval;
	poll_start(s);
}

void bfd_session_poll_done(struct bfd_session *s)
{
	if (!s->polling)
		return;
	if (s->poll_again) {		/* what was answered may be older than what we want now */
		s->poll_again = false;
		return;
	}
	s->polling = false;
	settle(s);
}

/* ---- state ---- */

static enum liveness_state liveness_of(const struct bfd_session *s, enum bfd_state was, enum bfd_event ev)
{
	if (s->state == BFD_UP)
		return LIVENESS_UP;
	if (ev == BFD_EV_RX_ADMIN_DOWN || s->state == BFD_ADMIN_DOWN)
		return LIVENESS_UNKNOWN;	/* somebody's will, and no failure: RFC 5882 section 3.2 */
	return was == BFD_UP ? LIVENESS_DOWN : s->liveness;
}

void bfd_session_event(struct bfd_engine *e, struct bfd_session *s, enum bfd_event ev, uint64_t now)
{
	struct bfd_rule rule = bfd_fsm_rule(s->state, ev);
	enum liveness_state liveness;
	enum bfd_state was = s->state;

	s->state = rule.next;
	if (rule.diag != BFD_DIAG_KEEP)
		s->diag = rule.diag;
	liveness = liveness_of(s, was, ev);
	if (s->state == was && liveness == s->liveness)
		return;
	s->liveness = liveness;
	if (s->state != was) {
		s->since_us = now;
		s->count.ups += s->state == BFD_UP;
		s->count.downs += was == BFD_UP;
		if (s->state != BFD_UP)
			s->polling = s->poll_again = false;
		set_intervals(s);
	}
	e->ops.changed(e->ops.arg, s, was);
	if (s->state == was)
		return;
	/* the neighbour hears of it at once */
	if (sends(s))
		send_periodic(e, s, now);
	else
		bfd_timer_stop(&e->timers, &s->tx);
}

static void session_free(struct bfd_engine *e, struct bfd_session *s)
{
	e->ops.closing(e->ops.arg, s);
	bfd_timer_stop(&e->timers, &s->tx);
	bfd_timer_stop(&e->timers, &s->detect);
	bfd_timer_stop(&e->timers, &s->end);
	hash_remove(&e->by_discr, &s->by_discr);
	hash_remove(&e->by_peer, &s->by_peer);
	list_del(&s->node);
	e->n_sessions--;
	free(s->ids);
	free(s);
}

/*
 * Who comes late himself does not know what became of the packets meanwhile: they may be about to come, if this whole
 * machine stood still. Once, until the next packet.
 */
static bool forgiven(struct bfd_engine *e, struct bfd_session *s, uint64_t now)
{
	if (s->forgiven || now - s->detect.due_us < BFD_LATE_US)
		return false;
	s->forgiven = true;
	bfd_timer_set(&e->timers, &s->detect, now + bfd_detection_time(s) / s->remote_mult);
	return true;
}

static void expired(struct bfd_engine *e, struct bfd_session *s, uint64_t now)
{
	if (forgiven(e, s, now))
		return;
	bfd_timer_stop(&e->timers, &s->detect);
	s->remote_discr = 0;		/* 6.8.1 */
	s->remote_state = BFD_DOWN;
	s->remote_demand = false;
	s->remote_rx_us = 1;		/* as at the start: it may be another neighbour that answers next */
	bfd_session_event(e, s, BFD_EV_EXPIRED, now);
	bfd_session_schedule(e, s, now);
}

uint64_t bfd_engine_due(const struct bfd_engine *e)
{
	const struct bfd_timer *t = bfd_timers_first(&e->timers);

	return t ? t->due_us : UINT64_MAX;
}

uint64_t bfd_engine_run(struct bfd_engine *e, uint64_t now)
{
	struct bfd_timer *t;

	while ((t = bfd_timers_first(&e->timers)) && t->due_us <= now) {
		switch (t->kind) {
		case TIMER_TX:
			send_periodic(e, container_of(t, struct bfd_session, tx), now);
			break;
		case TIMER_DETECT:
			expired(e, container_of(t, struct bfd_session, detect), now);
			break;
		default:
			session_free(e, container_of(t, struct bfd_session, end));
			break;
		}
	}
	return bfd_engine_due(e);
}

/* ---- life ---- */

/* 6.3, 6.8.1: not zero, and nobody can guess it */
static uint32_t new_discr(struct bfd_engine *e)
{
	uint32_t discr;

	do
		discr = e->ops.random(e->ops.arg);
	while (!discr || bfd_session_by_discr(e, discr));
	return discr;
}

static struct bfd_session *session_new(struct bfd_engine *e, const struct liveness_key *key,
				       const struct liveness_params *params, uint64_t now)
{
	struct bfd_session *s = xcalloc(1, sizeof(*s));

	s->key = *key;
	s->params = *params;
	s->state = e->disabled ? BFD_ADMIN_DOWN : BFD_DOWN;
	s->diag = e->disabled ? BFD_DIAG_ADMIN : BFD_DIAG_NONE;
	s->remote_state = BFD_DOWN;
	s->discr = new_discr(e);
	s->remote_rx_us = 1;
	s->since_us = now;
	s->tx.kind = TIMER_TX;
	s->detect.kind = TIMER_DETECT;
	s->end.kind = TIMER_END;
	list_add_tail(&e->sessions, &s->node);
	hash_insert(&e->by_discr, &s->by_discr, hash_u64(s->discr, 0));
	hash_insert(&e->by_peer, &s->by_peer, bfd_peer_hash(key->vrf, key->multihop, &key->peer));
	e->n_sessions++;
	set_intervals(s);
	e->ops.opened(e->ops.arg, s);
	return s;
}

struct bfd_session *bfd_engine_want(struct bfd_engine *e, const struct liveness_key *key,
				    const struct liveness_params *params, uint64_t now)
{
	struct bfd_session *s = bfd_engine_find(e, key);

	if (!s) {
		s = session_new(e, key, params, now);
	} else {
		if (s->params.multiplier != params->multiplier && s->state == BFD_UP)
			poll_start(s);
		s->params = *params;
		set_intervals(s);
	}
	if (s->ending) {
		s->ending = false;
		bfd_timer_stop(&e->timers, &s->end);
		if (!e->disabled)
			bfd_session_event(e, s, BFD_EV_ENABLE, now);
	}
	bfd_session_schedule(e, s, now);
	return s;
}

/* 6.8.16: for as long as the neighbour might take to notice by itself */
void bfd_engine_drop(struct bfd_engine *e, struct bfd_session *s, uint64_t now)
{
	if (s->ending)
		return;
	if (!s->remote_discr) {
		session_free(e, s);
		return;
	}
	s->ending = true;
	bfd_session_event(e, s, BFD_EV_DISABLE, now);
	bfd_timer_set(&e->timers, &s->end,
		      now + s->params.multiplier * (uint64_t)max32(s->tx_us, s->remote_rx_us));
}

void bfd_engine_disable(struct bfd_engine *e, bool disable, uint64_t now)
{
	struct bfd_session *s;

	if (e->disabled == disable)
		return;
	e->disabled = disable;
	list_for_each(s, &e->sessions, struct bfd_session, node)
		if (!s->ending)
			bfd_session_event(e, s, disable ? BFD_EV_DISABLE : BFD_EV_ENABLE, now);
}

void bfd_engine_farewell(struct bfd_engine *e, uint64_t now)
{
	struct bfd_session *s;

	list_for_each(s, &e->sessions, struct bfd_session, node) {
		if (!s->remote_discr)
			continue;
		s->state = BFD_ADMIN_DOWN;
		s->diag = BFD_DIAG_ADMIN;
		s->polling = false;
		bfd_session_send(e, s, false);
	}
}

void bfd_engine_clear(struct bfd_engine *e)
{
	struct bfd_session *s;

	memset(&e->count, 0, sizeof(e->count));
	list_for_each(s, &e->sessions, struct bfd_session, node)
		memset(&s->count, 0, sizeof(s->count));
}

void bfd_engine_init(struct bfd_engine *e, const struct bfd_ops *ops)
{
	memset(e, 0, sizeof(*e));
	e->ops = *ops;
	list_init(&e->sessions);
}

void bfd_engine_fini(struct bfd_engine *e)
{
	while (!list_empty(&e->sessions))
		session_free(e, list_first(&e->sessions, struct bfd_session, node));
	hash_fini(&e->by_discr);
	hash_fini(&e->by_peer);
	bfd_timers_fini(&e->timers);
}
