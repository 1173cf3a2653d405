// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions and their connections in the worker: events into the state machine's table, its
 * actions, timers, collisions (RFC 4271 6.8, RFC 6286), orders of the main thread. Contracts in
 * worker.h and conn.h.
 *
 * A session has a primary connection, which exists from start to stop, and for a while a
 * second one, when the peer connects while ours is under way. Each runs the state machine; when
 * one of two dies the other is, or becomes, the primary.
 */
#include "bgp/conn.h"
#include "bgp/event.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/mem.h"

#define IDLE_HOLD_MIN 1000		/* ms */
#define IDLE_HOLD_LOST 100		/* after a connection that merely broke */
#define IDLE_HOLD_MAX 10000
#define LOCAL_RETRY 2000			/* ms, when connecting fails at our side at once */
#define STABLE_MS 60000			/* up that long: the next pause is the least again */
#define COMPLAINTS 20
#define COMPLAINTS_MS 10000
#define DUMP_MS 10000
#define DUMP_LINE 192			/* octets: a line of the log holds twice as many, and what they are */

void bgp_conn_why(struct bgp_conn *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->why, sizeof(c->why), fmt, ap);
	va_end(ap);
}

void bgp_conn_error(struct bgp_conn *c, uint8_t code, uint8_t subcode, const void *data, size_t len)
{
	bgp_notification_set(&c->err, code, subcode, data, len);
	bgp_conn_why(c, "sent %s", bgp_notification_name(code, subcode));
	c->hard = false;
}

static void cease(struct bgp_conn *c, const struct bgp_cease *how)
{
	char text[BGP_WHY_MAX - 8];

	bgp_cease_notification(&c->err, how, c->agreed.gr_notify);
	bgp_notification_describe(&c->err, text, sizeof(text));
	bgp_conn_why(c, "sent %s", text);
	c->hard = bgp_notification_hard(&c->err);
}

static struct bgp_conn *conn_new(struct bgp_session *s)
{
	struct bgp_conn *c = xcalloc(1, sizeof(*c));

	c->s = s;
	c->fd = -1;
	c->tx_last = &c->tx;
	return c;
}

static struct bgp_conn *other_conn(struct bgp_conn *c)
{
	struct bgp_conn *o = c->s->conn[c->s->conn[0] == c];

	return o && !o->dead ? o : NULL;
}

static void set_state(struct bgp_conn *c, enum bgp_state next, enum bgp_event ev)
{
	struct bgp_session *s = c->s;
	struct bgp_conn *o = other_conn(c);
	enum bgp_state shown = next;

	if (c->state == next)
		return;
	log_debug("bgp", "%s: %s -> %s%s (%s)", s->conf.name, bgp_state_name(c->state),
		  bgp_state_name(next), c->incoming ? ", incoming" : "", bgp_event_name(ev));
	c->state = next;
	if (o && o->state > shown)
		shown = o->state;
	atomic_store(&s->state, (int)shown);
}

/* ---- what is said ---- */

static void encode_open(struct buf *b, const void *arg)
{
	bgp_open_encode(b, arg);
}

static void encode_keepalive(struct buf *b, const void *arg)
{
	bgp_keepalive_encode(b);
}

static void encode_notification(struct buf *b, const void *arg)
{
	bgp_notification_encode(b, arg);
}

static void encode_refresh(struct buf *b, const void *arg)
{
	const enum bgp_family *f = arg;

	bgp_refresh_encode(b, *f, BGP_REFRESH_REQUEST);
}

static uint32_t our_as(const struct bgp_session *s)
{
	return s->second ? s->conf.second_as : s->conf.local_as;
}

static struct bgp_open our_open(const struct bgp_conn *c)
{
	const struct bgp_session *s = c->s;
	struct bgp_open o = {
		.as = c->as,
		.hold = s->conf.hold,
		.id = s->conf.local_id,
		.caps = s->conf.caps,
	};

	o.caps.as = c->as;
	return o;
}

static void send_notification(struct bgp_conn *c)
{
	char text[BGP_WHY_MAX];

	if (!c->err.code)
		return;
	bgp_notification_describe(&c->err, text, sizeof(text));
	bgp_happened(LOG_LEVEL_NOTICE, c->s->conf.name, "sending NOTIFICATION %u/%u: %s", c->err.code, c->err.subcode,
		     text);
	bgp_conn_cut(c);
	bgp_conn_say(c, encode_notification, &c->err, BGP_COUNT_NOTIFICATION);
}

/* ---- complaints ---- */

/* A peer that does one thing wrong does it a million times: the log bears COMPLAINTS of them each COMPLAINTS_MS. */
static bool may_complain(struct bgp_session *s)
{
	uint64_t now = bgp_now_ms();

	if (!s->complaints_at || now - s->complaints_at >= COMPLAINTS_MS) {
		if (s->hidden)
			bgp_happened(LOG_LEVEL_WARNING, s->conf.name, "%u more complaints of the kind were not logged",
				     s->hidden);
		s->complaints_at = now;
		s->complaints = 0;
		s->hidden = 0;
	}
	if (s->complaints == COMPLAINTS) {
		s->hidden++;
		return false;
	}
	s->complaints++;
	return true;
}

static void report_malformed(void *arg, enum bgp_outcome outcome, uint8_t attr, const char *why)
{
	struct bgp_session *s = arg;

	if (outcome <= BGP_RESET)
		atomic_fetch_add(&s->malformed[outcome], 1);
	if (!may_complain(s))
		return;
	bgp_happened(LOG_LEVEL_WARNING, s->conf.name, "malformed UPDATE: %s%s%s: %s", attr ? bgp_attr_name(attr) : "",
		     attr ? ": " : "", why, bgp_outcome_name(outcome));
}

/* ---- actions ---- */

static void remember_error(struct bgp_conn *c)
{
	struct bgp_session *s = c->s;

	if (!c->why[0])
		return;
	pthread_mutex_lock(&s->lock);
	snprintf(s->last_error, sizeof(s->last_error), "%s", c->why);
	pthread_mutex_unlock(&s->lock);
}

static void do_connect(struct bgp_conn *c)
{
	struct bgp_session *s = c->s;
	int fd = tcp_connect(&s->conf.peer, s->conf.port, &s->conf.source, &s->conf.sock);

	c->incoming = false;
	if (fd < 0) {
		/* our own side is not ready: a device or an address that is about to come */
		bgp_conn_why(c, "connect: %s", strerror(-fd));
		remember_error(c);
		c->retry_at = bgp_now_ms() + LOCAL_RETRY;
		set_state(c, BGP_ACTIVE, BGP_EV_TCP_FAILS);
		return;
	}
	if (!bgp_conn_open(c, fd, true))
		set_state(c, BGP_ACTIVE, BGP_EV_TCP_FAILS);
}

static uint64_t keepalive_ms(const struct bgp_conn *c)
{
	uint64_t third = c->agreed.hold * 1000ull / 3, own = c->s->conf.keepalive * 1000ull;

	return own && own < third ? own : third;
}

static void do_keepalive(struct bgp_conn *c)
{
	bgp_conn_say(c, encode_keepalive, NULL, BGP_COUNT_KEEPALIVE);
	c->keepalive_at = c->agreed.hold ? bgp_now_ms() + keepalive_ms(c) : 0;
}

static void note_ports(struct bgp_conn *c, struct bgp_up *up)
{
	struct bgp_session *s = c->s;
	struct tcp_endpoint remote;
	uint16_t lport = 0, rport = 0;

	tcp_local(c->fd, &up->local, &lport);
	tcp_remote(c->fd, &remote, &rport);
	s->local_port = lport;
	s->remote_port = rport;
}

static void decode_as_agreed(struct bgp_conn *c)
{
	struct bgp_session *s = c->s;
	struct bgp_decode *d = &s->decode;

	memset(d, 0, sizeof(*d));
	d->as4 = c->agreed.as4;
	d->internal = c->as == s->conf.remote_as;
	d->peer_as = s->conf.remote_as;
	d->report = report_malformed;
	d->arg = s;
	for (int f = 0; f < BGP_FAMILIES; f++) {
		d->family[f] = c->agreed.family[f];
		d->v6_next_hop[f] = c->agreed.v6_next_hop[f];
		d->addpath[f] = c->agreed.addpath_rx[f];
	}
}

static void do_up(struct bgp_conn *c)
{
	struct bgp_session *s = c->s;
	struct bgp_report *r = bgp_report_new(s, BGP_REPORT_UP);

	s->epoch++;
	s->up_at = bgp_now_ms();
	decode_as_agreed(c);
	r->up.agreed = c->agreed;
	r->up.peer = c->peer;
	r->up.as = c->as;
	r->epoch = s->epoch;
	pthread_mutex_lock(&s->lock);
	note_ports(c, &r->up);
	s->up = r->up;
	s->since_ms = s->up_at;
	s->established++;
	s->last_error[0] = '\0';
	pthread_mutex_unlock(&s->lock);
	bgp_happened(LOG_LEVEL_NOTICE, s->conf.name, "established");
	bgp_report_post(s, r);
}

static void do_down(struct bgp_conn *c)
{
	struct bgp_session *s = c->s;
	struct bgp_report *r;

	bgp_session_flush(s);
	r = bgp_report_new(s, BGP_REPORT_DOWN);
	/* RFC 8538 section 4: both who sends a NOTIFICATION and who receives it */
	r->down.lost = c->lost || (c->agreed.gr_notify && !c->hard);
	memcpy(r->down.why, c->why, sizeof(r->down.why));
	if (bgp_now_ms() - s->up_at > STABLE_MS)
		s->idle_hold = IDLE_HOLD_MIN;
	pthread_mutex_lock(&s->lock);
	s->since_ms = bgp_now_ms();
	pthread_mutex_unlock(&s->lock);
	s->paused = false;
	bgp_happened(LOG_LEVEL_NOTICE, s->conf.name, "down: %s", c->why[0] ? c->why : "no reason told");
	bgp_report_post(s, r);
}

/* The pause grows with every fall for a fault of the session, not for one of the network. */
static void start_idle_hold(struct bgp_session *s, bool lost)
{
	if (!s->enabled)
		return;
	if (lost) {
		s->idle_hold_at = bgp_now_ms() + IDLE_HOLD_LOST;
		return;
	}
	s->idle_hold_at = bgp_now_ms() + s->idle_hold;
	s->idle_hold = s->idle_hold * 2 < IDLE_HOLD_MAX ? s->idle_hold * 2 : IDLE_HOLD_MAX;
}

static uint64_t now_ms(const struct bgp_conn *c)
{
	return c->in_rx ? c->s->w->now_ms : bgp_now_ms();
}

static void perform(struct bgp_conn *c, uint32_t do_)
{
	struct bgp_session *s = c->s;
	struct bgp_open ours;

	if (do_ & BGP_DO_NOTIFY_ERR)
		send_notification(c);
	if (do_ & BGP_DO_DOWN)
		do_down(c);
	if (do_ & BGP_DO_DROP) {
		remember_error(c);
		bgp_conn_close(c);
		memset(&c->err, 0, sizeof(c->err));
	}
	if (do_ & BGP_DO_RETRY_ZERO)
		atomic_store(&s->connect_retries, 0);
	if (do_ & BGP_DO_RETRY_INC)
		atomic_fetch_add(&s->connect_retries, 1);
	if (do_ & BGP_DO_RETRY_STOP)
		c->retry_at = 0;
	if (do_ & BGP_DO_RETRY_START)
		c->retry_at = bgp_now_ms() + s->conf.connect_retry * 1000ull;
	if (do_ & BGP_DO_CONNECT)
		do_connect(c);
	if (do_ & BGP_DO_DELAY)
		c->delay_at = bgp_now_ms() + s->conf.delay_open * 1000ull;
	if (do_ & BGP_DO_OPEN) {
		c->delay_at = 0;
		c->why[0] = '\0';
		c->lost = false;
		c->hard = false;
		c->collided = false;
		c->as = our_as(s);
		ours = our_open(c);
		bgp_conn_say(c, encode_open, &ours, BGP_COUNT_OPEN);
	}
	if (do_ & BGP_DO_HOLD_LARGE)
		c->hold_at = bgp_now_ms() + BGP_OPEN_HOLD * 1000ull;
	if (do_ & BGP_DO_KEEPALIVE)
		do_keepalive(c);
	if (do_ & BGP_DO_HOLD)
		c->hold_at = c->agreed.hold ? now_ms(c) + c->agreed.hold * 1000ull : 0;
	if (do_ & BGP_DO_UP)
		do_up(c);
}

/* A connection came to rest without a socket: the other one carries on, or the pause begins. */
static void came_to_rest(struct bgp_conn *c, uint32_t actions)
{
	bool fell = actions & BGP_DO_DOWN;	/* from Established */
	struct bgp_session *s = c->s;

	if (other_conn(c)) {
		c->dead = true;
		atomic_store(&s->state, (int)other_conn(c)->state);
		if (s->conn[0] == c) {
			s->conn[0] = s->conn[1];
			s->conn[1] = c;
		}
	} else if (c->state == BGP_IDLE && c->collided && s->enabled) {
		/* the winner is under way to us: wait for it, without the pause */
		c->collided = false;
		bgp_conn_event(c, BGP_EV_DAMPED_START_PASSIVE);
	} else if (c->state == BGP_IDLE && actions & BGP_DO_IDLE_HOLD) {
		start_idle_hold(s, c->lost && fell);
	}
}

void bgp_conn_event(struct bgp_conn *c, enum bgp_event ev)
{
	struct bgp_rule rule = bgp_fsm_rule(c->state, ev);
	enum bgp_state was = c->state;

	if (c->dead)
		return;
	if (rule.actions & BGP_DO_NOTIFY_FSM) {
		uint8_t sub = was == BGP_OPENSENT ? BGP_FSM_IN_OPENSENT :
			      was == BGP_OPENCONFIRM ? BGP_FSM_IN_OPENCONFIRM :
						       BGP_FSM_IN_ESTABLISHED;

		bgp_conn_error(c, BGP_ERR_FSM, sub, NULL, 0);
		rule.actions = (rule.actions & ~BGP_DO_NOTIFY_FSM) | BGP_DO_NOTIFY_ERR;
	}
	/* The state first: connecting may fail at once and change it again. */
	set_state(c, rule.next, ev);
	perform(c, rule.actions);
	if (c->fd < 0 && was != c->state && (c->state == BGP_IDLE ||
					     (c->state == BGP_ACTIVE && was > BGP_ACTIVE)))
		came_to_rest(c, rule.actions);
	if (rule.actions & BGP_DO_RESTART)
		bgp_conn_event(c, c->s->conf.passive ? BGP_EV_DAMPED_START_PASSIVE :
						       BGP_EV_DAMPED_START);
}

void bgp_conn_connected(struct bgp_conn *c, enum bgp_event ev)
{
	bgp_conn_event(c, c->s->conf.delay_open ? BGP_EV_TCP_DELAYED : ev);
}

/* ---- messages ---- */

/* RFC 4271 6.8, RFC 6286 2.3: false: @c lost and is gone. */
static bool resolve_collision(struct bgp_conn *c)
{
	struct bgp_session *s = c->s;
	struct bgp_conn *o = other_conn(c), *loser;
	bool we_win;

	if (!o)
		return true;
	if (o->state == BGP_CONNECT || o->state == BGP_ACTIVE) {
		/* this one is ahead: our own attempt is not needed */
		bgp_conn_close(o);
		set_state(o, BGP_IDLE, BGP_EV_COLLISION);
		came_to_rest(o, 0);
		return true;
	}
	if (o->state == BGP_ESTABLISHED && o->agreed.gr) {
		/* RFC 4724 4.2: the peer restarted before we saw its old connection break */
		bgp_conn_why(o, "the peer opened a new connection");
		o->lost = true;
		bgp_conn_event(o, BGP_EV_TCP_FAILS);
		return true;
	}
	/* In OpenSent too: this OPEN told the peer's identifier, which is all that is needed. */
	if (o->state == BGP_ESTABLISHED) {
		loser = c;
	} else {
		we_win = s->conf.local_id > c->peer.id ||
			 (s->conf.local_id == c->peer.id && s->conf.local_as > c->peer.as);
		/* the connection that the larger identifier opened stays */
		loser = c->incoming == we_win ? c : o;
	}
	bgp_conn_error(loser, BGP_ERR_CEASE, BGP_CEASE_COLLISION, NULL, 0);
	loser->collided = true;
	bgp_conn_event(loser, BGP_EV_COLLISION);
	return loser != c;
}

static void got_open(struct bgp_conn *c, struct cursor body)
{
	struct bgp_session *s = c->s;
	struct bgp_open_expect expect = {
		.local_as = c->delay_at ? our_as(s) : c->as,
		.local_id = s->conf.local_id,
		.remote_as = s->conf.remote_as,
	};
	struct bgp_notification err;
	bool delayed = c->delay_at;
	struct bgp_open ours;

	if (c->state != BGP_OPENSENT && !delayed) {
		bgp_conn_event(c, BGP_EV_OPEN);
		return;
	}
	if (!bgp_open_decode(body, &expect, &c->peer, &err)) {
		bgp_conn_error(c, err.code, err.subcode, err.data, err.len);
		if (err.subcode == BGP_OPEN_BAD_PEER_AS)
			bgp_conn_why(c, "peer says AS %u, configured is %u", c->peer.as,
				     s->conf.remote_as);
		bgp_conn_event(c, BGP_EV_OPEN_ERR);
		return;
	}
	c->as = expect.local_as;
	ours = our_open(c);
	bgp_agree(&ours, &c->peer, &c->agreed);
	if (resolve_collision(c))
		bgp_conn_event(c, delayed ? BGP_EV_OPEN_DELAYED : BGP_EV_OPEN);
}

static void got_notification(struct bgp_conn *c, struct cursor body)
{
	struct bgp_notification n;
	char text[BGP_WHY_MAX - 10];

	if (!bgp_notification_decode(body, &n))
		return;
	bgp_notification_describe(&n, text, sizeof(text));
	bgp_happened(LOG_LEVEL_NOTICE, c->s->conf.name, "received NOTIFICATION %u/%u: %s", n.code, n.subcode, text);
	bgp_conn_why(c, "received %s", text);
	c->hard = bgp_notification_hard(&n);
	/* it expects the other of our AS numbers (RFC 7705 section 3.3) */
	if (n.code == BGP_ERR_OPEN && n.subcode == BGP_OPEN_BAD_PEER_AS && c->s->conf.second_as)
		c->s->second = !c->s->second;
	c->collided = n.code == BGP_ERR_CEASE && n.subcode == BGP_CEASE_COLLISION &&
		      c->state < BGP_ESTABLISHED;
	if (n.code != BGP_ERR_OPEN || n.subcode != BGP_OPEN_BAD_VERSION)
		bgp_conn_event(c, BGP_EV_NOTIF);
	else
		bgp_conn_event(c, c->delay_at ? BGP_EV_NOTIF_VERSION_DELAYED : BGP_EV_NOTIF_VERSION);
}

/* The whole of a malformed UPDATE, as it came, for whoever is to find out why (RFC 7606 section 6): once in DUMP_MS. */
static void dump(struct bgp_session *s, struct cursor body)
{
	const uint8_t *p = body.at - BGP_HEADER_LEN;
	size_t len = cursor_left(&body) + BGP_HEADER_LEN, at = 0, line, n = (len + DUMP_LINE - 1) / DUMP_LINE;
	char hex[2 * DUMP_LINE + 1];
	uint64_t now = bgp_now_ms();

	if (log_get_level() < LOG_LEVEL_DEBUG || (s->dump_at && now - s->dump_at < DUMP_MS))
		return;
	s->dump_at = now;
	for (size_t i = 1; i <= n; i++) {
		for (line = 0; line < DUMP_LINE && at < len; line++, at++)
			snprintf(hex + 2 * line, 3, "%02x", p[at]);
		log_debug("bgp", "%s: malformed UPDATE, part %zu of %zu: %s", s->conf.name, i, n, hex);
	}
}

static void got_update(struct bgp_conn *c, struct cursor body)
{
	struct bgp_session *s = c->s;
	struct bgp_notification err;
	struct bgp_update *u;

	if (c->state != BGP_ESTABLISHED) {
		bgp_conn_event(c, BGP_EV_UPDATE);
		return;
	}
	u = bgp_update_read(&s->decode, body, &s->batch, &err);
	if (u ? u->outcome != BGP_ACCEPT : err.code)
		dump(s, body);
	if (!u && err.code) {
		bgp_conn_error(c, err.code, err.subcode, err.data, err.len);
		bgp_conn_event(c, BGP_EV_UPDATE_ERR);
		return;
	}
	if (!u) {
		bgp_conn_error(c, BGP_ERR_CEASE, BGP_CEASE_RESOURCES, NULL, 0);
		bgp_conn_event(c, BGP_EV_AUTO_STOP);
		return;
	}
	for (int f = 0; u->outcome == BGP_DISABLE && f < BGP_FAMILIES; f++)
		s->decode.family[f] &= !u->disabled[f];
	bgp_batch_add(&s->batch, u);
	bgp_conn_event(c, BGP_EV_UPDATE);
}

static void got_refresh(struct bgp_conn *c, struct cursor body)
{
	struct bgp_session *s = c->s;
	struct bgp_notification err;
	enum bgp_refresh what;
	struct bgp_report *r;
	enum bgp_family f;
	bool known;

	if (c->state != BGP_ESTABLISHED) {
		bgp_conn_event(c, BGP_EV_REFRESH);
		return;
	}
	if (!bgp_refresh_decode(body, &f, &what, &known, &err)) {
		/* that error is RFC 7313's own */
		if (!c->agreed.enhanced_refresh)
			bgp_notification_set(&err, BGP_ERR_HEADER, BGP_HDR_BAD_LENGTH, err.data + 16, 2);
		bgp_conn_error(c, err.code, err.subcode, err.data, err.len);
		bgp_conn_event(c, BGP_EV_UPDATE_ERR);
		return;
	}
	known = known && c->agreed.family[f] &&
		(what == BGP_REFRESH_REQUEST ? c->agreed.refresh : c->agreed.enhanced_refresh);
	if (known) {
		bgp_session_flush(s);
		r = bgp_report_new(s, BGP_REPORT_REFRESH);
		r->refresh.family = f;
		r->refresh.what = what;
		bgp_report_post(s, r);
	} else if (may_complain(s)) {
		bgp_happened(LOG_LEVEL_WARNING, s->conf.name,
			     "ROUTE-REFRESH ignored: its family or subtype %u was not agreed on", (unsigned int)what);
	}
	bgp_conn_event(c, BGP_EV_REFRESH);
}

void bgp_conn_message(struct bgp_conn *c, enum bgp_msg_type type, struct cursor body)
{
	static const uint8_t counter[] = {
		[BGP_OPEN] = BGP_COUNT_OPEN, [BGP_UPDATE] = BGP_COUNT_UPDATE,
		[BGP_NOTIFICATION] = BGP_COUNT_NOTIFICATION, [BGP_KEEPALIVE] = BGP_COUNT_KEEPALIVE,
		[BGP_ROUTE_REFRESH] = BGP_COUNT_REFRESH,
	};

	atomic_fetch_add(&c->s->in[counter[type]], 1);
	switch (type) {
	case BGP_OPEN:
		got_open(c, body);
		break;
	case BGP_UPDATE:
		got_update(c, body);
		break;
	case BGP_NOTIFICATION:
		got_notification(c, body);
		break;
	case BGP_KEEPALIVE:
		bgp_conn_event(c, BGP_EV_KEEPALIVE);
		break;
	case BGP_ROUTE_REFRESH:
		got_refresh(c, body);
		break;
	}
}

void bgp_session_flush(struct bgp_session *s)
{
	struct bgp_report *r;
	size_t queued;

	if (!s->batch.first) {
		/* what could not be read left pieces */
		bgp_batch_free(&s->batch);
		return;
	}
	r = bgp_report_new(s, BGP_REPORT_UPDATES);
	r->batch = s->batch;
	queued = atomic_fetch_add(&s->queued_in, s->batch.octets) + s->batch.octets;
	bgp_batch_init(&s->batch, &s->w->spare);
	if (queued > BGP_RX_HIGH)
		s->paused = true;
	bgp_report_post(s, r);
}

/* ---- timers ---- */

static void conn_timers(struct bgp_conn *c, uint64_t now)
{
	if (!c->dead && c->retry_at && now >= c->retry_at) {
		c->retry_at = 0;
		if (c->state == BGP_ACTIVE && c->s->conf.passive)
			c->retry_at = 0;	/* passive: waits for the peer, however long */
		else
			bgp_conn_event(c, BGP_EV_CONNECT_RETRY);
	}
	if (!c->dead && c->delay_at && now >= c->delay_at) {
		c->delay_at = 0;
		bgp_conn_event(c, BGP_EV_DELAY_OPEN);
	}
	if (!c->dead && c->keepalive_at && now >= c->keepalive_at)
		bgp_conn_event(c, BGP_EV_KEEPALIVE_TIMER);
	if (!c->dead && c->send_hold_at && now >= c->send_hold_at) {
		c->send_hold_at = 0;
		bgp_conn_error(c, BGP_ERR_SEND_HOLD, 0, NULL, 0);
		bgp_conn_event(c, BGP_EV_SEND_HOLD);
	}
	if (!c->dead && c->hold_at && now >= c->hold_at) {
		if (c->s->paused && tcp_waiting(c->fd) > 0) {
			/* it is us who do not read */
			c->hold_at = now + c->agreed.hold * 1000ull;
			return;
		}
		c->hold_at = 0;
		bgp_conn_error(c, BGP_ERR_HOLD, 0, NULL, 0);
		bgp_conn_event(c, BGP_EV_HOLD);
	}
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return !a ? b : !b ? a : a < b ? a : b;
}

static void on_timer(uv_timer_t *timer);

static void arm(struct bgp_session *s)
{
	uint64_t at = s->idle_hold_at, now = bgp_now_ms();

	for (int i = 0; i < 2; i++) {
		struct bgp_conn *c = s->conn[i];

		if (!c)
			continue;
		at = sooner(at, sooner(sooner(c->retry_at, c->hold_at),
				       sooner(c->keepalive_at, c->send_hold_at)));
		at = sooner(at, c->delay_at);
	}
	uv_timer_stop(&s->timer);
	if (at) {
		uv_update_time(&s->w->loop);
		uv_timer_start(&s->timer, on_timer, at > now ? at - now : 0, 0);
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct bgp_session *s = timer->data;
	uint64_t now = bgp_now_ms();

	if (s->idle_hold_at && now >= s->idle_hold_at) {
		s->idle_hold_at = 0;
		bgp_conn_event(s->conn[0], BGP_EV_IDLE_HOLD);
	}
	for (int i = 0; i < 2; i++) {
		struct bgp_conn *c = s->conn[i];

		if (c)
			conn_timers(c, now);
	}
	bgp_session_settle(s);
}

/* ---- orders ---- */

static void stop_conn(struct bgp_conn *c, const struct bgp_cease *how, enum bgp_event ev)
{
	if (!c || c->dead)
		return;
	if (c->state >= BGP_OPENSENT)
		cease(c, how);
	bgp_conn_event(c, ev);
}

/* The second one first, so that the primary comes to rest alone. */
static void stop(struct bgp_session *s, const struct bgp_cease *how, enum bgp_event ev)
{
	struct bgp_conn *second = s->conn[1], *primary = s->conn[0];

	if (ev == BGP_EV_MANUAL_STOP) {
		s->enabled = false;
		s->idle_hold_at = 0;
	}
	stop_conn(second, how, ev);
	stop_conn(primary, how, ev);
}

static void accept_fd(struct bgp_session *s, int fd)
{
	struct bgp_conn *c = s->conn[0];

	if (!s->enabled || c->state == BGP_IDLE || (s->conn[1] && !s->conn[1]->dead) ||
	    tcp_adopt(fd, s->conf.peer.addr.family, &s->conf.sock)) {
		log_debug("bgp", "%s: connection refused in state %s", s->conf.name,
			  bgp_state_name(c->state));
		close(fd);
		return;
	}
	/* one that waits before it says OPEN has its connection already */
	if (c->state != BGP_ACTIVE || c->fd >= 0) {
		c = conn_new(s);
		c->state = BGP_ACTIVE;
		s->conn[1] = c;
	}
	c->incoming = true;
	if (bgp_conn_open(c, fd, false))
		bgp_conn_connected(c, BGP_EV_TCP_CONFIRMED);
	else if (c == s->conn[1])
		c->dead = true;
}

static void abandon(struct bgp_session *s)
{
	s->enabled = false;
	s->idle_hold_at = 0;
	for (int i = 1; i >= 0; i--) {
		if (s->conn[i] && !s->conn[i]->dead && s->conn[i]->state != BGP_IDLE) {
			s->conn[i]->lost = true;
			bgp_conn_why(s->conn[i], "left without NOTIFICATION");
			bgp_conn_cut(s->conn[i]);
			bgp_conn_event(s->conn[i], s->conn[i]->state >= BGP_OPENSENT ?
							   BGP_EV_TCP_FAILS : BGP_EV_MANUAL_STOP);
			if (s->conn[i]->state != BGP_IDLE && !s->conn[i]->dead)
				bgp_conn_event(s->conn[i], BGP_EV_MANUAL_STOP);
		}
	}
}

static void timer_closed(uv_handle_t *h)
{
	struct bgp_session *s = h->data;

	bgp_report_post(s, bgp_report_new(s, BGP_REPORT_FREED));
}

static void free_session(struct bgp_session *s, const struct bgp_cease *how)
{
	stop(s, how, BGP_EV_MANUAL_STOP);
	s->freeing = true;
	bgp_session_settle(s);
	bgp_conn_close(s->conn[0]);
	free(s->conn[0]);
	s->conn[0] = NULL;
	bgp_session_flush(s);
	if (!s->timer.loop)
		uv_timer_init(&s->w->loop, &s->timer);
	s->timer.data = s;
	uv_close((uv_handle_t *)&s->timer, timer_closed);
}

static void start(struct bgp_session *s)
{
	if (s->enabled)
		return;
	s->enabled = true;
	bgp_conn_event(s->conn[0], s->conf.passive ? BGP_EV_MANUAL_START_PASSIVE :
						     BGP_EV_MANUAL_START);
}

static void send_out(struct bgp_session *s, struct bgp_order *o)
{
	struct bgp_conn *c = s->conn[0];

	if (c && c->state == BGP_ESTABLISHED && o->send.epoch == s->epoch) {
		atomic_fetch_add(&s->out[o->send.out->counter], o->send.out->messages);
		bgp_conn_queue(c, o->send.out, true);
		if (!s->sending) {
			s->sending = true;
			s->sending_next = s->w->sending;
			s->w->sending = s;
		}
		return;
	}
	atomic_fetch_sub(&s->queued_out, o->send.out->len);
	bgp_out_put(o->send.out);
}

static void ask_refresh(struct bgp_session *s, enum bgp_family f)
{
	struct bgp_conn *c = s->conn[0];

	if (c->state == BGP_ESTABLISHED && c->agreed.refresh && c->agreed.family[f])
		bgp_conn_say(c, encode_refresh, &f, BGP_COUNT_REFRESH);
}

static void resume(struct bgp_session *s)
{
	s->paused = atomic_load(&s->queued_in) > BGP_RX_HIGH;
	for (int i = 0; i < 2; i++) {
		if (s->conn[i])
			bgp_conn_poll(s->conn[i]);
	}
}

void bgp_session_order(struct bgp_session *s, struct bgp_order *o)
{
	if (!s->timer.loop) {
		uv_timer_init(&s->w->loop, &s->timer);
		s->timer.data = s;
	}
	switch (o->type) {
	case BGP_ORDER_START:
		start(s);
		break;
	case BGP_ORDER_STOP:
		stop(s, o->cease, BGP_EV_MANUAL_STOP);
		free(o->cease);
		break;
	case BGP_ORDER_RESET:
		stop(s, o->cease, BGP_EV_AUTO_STOP);
		free(o->cease);
		s->idle_hold = IDLE_HOLD_MIN;
		break;
	case BGP_ORDER_ABANDON:
		abandon(s);
		break;
	case BGP_ORDER_CAPS:
		s->conf.caps = o->caps;
		break;
	case BGP_ORDER_ACCEPT:
		accept_fd(s, o->fd);
		break;
	case BGP_ORDER_SEND:
		send_out(s, o);
		return;
	case BGP_ORDER_RESUME:
		resume(s);
		break;
	case BGP_ORDER_REFRESH:
		ask_refresh(s, o->family);
		break;
	case BGP_ORDER_FREE:
		free_session(s, o->cease);
		free(o->cease);
		return;
	case BGP_ORDER_EXIT:
		break;
	}
	bgp_session_settle(s);
}

/* A session that an order freed is still there: its timer closes after the turn. */
void bgp_worker_send(struct bgp_worker *w)
{
	struct bgp_session *s;

	while ((s = w->sending)) {
		w->sending = s->sending_next;
		s->sending = false;
		if (s->freeing)
			continue;
		bgp_conn_push(s->conn[0]);
		bgp_session_settle(s);
	}
}

void bgp_session_init(struct bgp_session *s)
{
	s->conn[0] = conn_new(s);
	s->idle_hold = IDLE_HOLD_MIN;
	bgp_batch_init(&s->batch, &s->w->spare);
}

void bgp_session_settle(struct bgp_session *s)
{
	struct bgp_conn *c = s->conn[1];

	if (c && c->dead && !c->in_rx) {
		s->conn[1] = NULL;
		bgp_conn_close(c);
		free(c);
	}
	if (!s->freeing)
		arm(s);
}
