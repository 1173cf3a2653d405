// SPDX-License-Identifier: GPL-2.0
/*
 * A session: its state machine (RFC 5036 section 2.5.4), as a table, PDUs in and out, timers. What messages mean once
 * it is operational is in.c's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ldp/private.h"
#include "lib/log.h"
#include "lib/mem.h"

#define MAX_PDU 4096		/* what we propose */
#define OPENINGS_MAX 64		/* accepted connections of which nobody knows yet whose they are */

enum event { EV_CONNECTED, EV_INIT, EV_KEEPALIVE, EV_SHUTDOWN, EV_OTHER, EVENTS };

enum action { DO_NAK, DO_BEGIN, DO_ACCEPT, DO_AGREE, DO_UP, DO_MESSAGE, DO_CLOSE };

static const char *const state_names[LDP_STATES] = {
	[LDP_NON_EXISTENT] = "non-existent", [LDP_CONNECTING] = "connecting", [LDP_INITIALIZED] = "initialized",
	[LDP_OPENSENT] = "opensent", [LDP_OPENREC] = "openrec", [LDP_OPERATIONAL] = "operational",
};
static const char *const event_names[EVENTS] = {
	[EV_CONNECTED] = "connection", [EV_INIT] = "Initialization", [EV_KEEPALIVE] = "KeepAlive",
	[EV_SHUTDOWN] = "fatal Notification", [EV_OTHER] = "another message",
};

/* What is not here is DO_NAK: a Shutdown goes out and the connection is closed. */
static const struct transition {
	uint8_t action, next;
} table[LDP_STATES][EVENTS] = {
	[LDP_CONNECTING] = {
		[EV_CONNECTED] = { DO_BEGIN, LDP_OPENSENT },
	},
	[LDP_INITIALIZED] = {
		[EV_INIT] = { DO_ACCEPT, LDP_OPENREC },
		[EV_SHUTDOWN] = { DO_CLOSE, LDP_NON_EXISTENT },
	},
	[LDP_OPENSENT] = {
		[EV_INIT] = { DO_AGREE, LDP_OPENREC },
		[EV_SHUTDOWN] = { DO_CLOSE, LDP_NON_EXISTENT },
	},
	[LDP_OPENREC] = {
		[EV_KEEPALIVE] = { DO_UP, LDP_OPERATIONAL },
		[EV_SHUTDOWN] = { DO_CLOSE, LDP_NON_EXISTENT },
	},
	[LDP_OPERATIONAL] = {
		[EV_KEEPALIVE] = { DO_MESSAGE, LDP_OPERATIONAL },
		[EV_OTHER] = { DO_MESSAGE, LDP_OPERATIONAL },
		[EV_SHUTDOWN] = { DO_CLOSE, LDP_NON_EXISTENT },
	},
};

const char *session_state_str(uint8_t state)
{
	return state < LDP_STATES ? state_names[state] : "?";
}

static const char *who(const struct ldp_session *s, char buf[ADDR_STRLEN])
{
	return s->peer ? s->peer->name : addr_str(&s->remote, buf);
}

/* ---- life ---- */

static void on_expiry(struct timer *t)
{
	struct ldp_session *s = container_of(t, struct ldp_session, expiry);
	struct ldp_fault f = { .status = LDP_KEEPALIVE_EXPIRED };

	if (s->state == LDP_CONNECTING)
		f.status = LDP_SUCCESS;
	s->lost = true;
	if (s->choked)
		f.status = LDP_INTERNAL_ERROR;
	session_close(s, &f, s->choked ? "it does not read what it is sent" :
			     s->state == LDP_OPERATIONAL ? "KeepAlive timer expired" : "no answer in time");
}

static void on_keepalive(struct timer *t)
{
	struct ldp_session *s = container_of(t, struct ldp_session, keepalive_out);

	if (!s->sent)
		out_keepalive(s);
	s->sent = false;
	timer_start(t, s->keepalive * 1000ull / 3);
}

struct ldp_session *session_new(struct ldp *l, struct ldp_peer *p, bool active)
{
	struct ldp_session *s = xcalloc(1, sizeof(*s));

	s->ldp = l;
	s->peer = p;
	s->active = active;
	s->state = active ? LDP_CONNECTING : LDP_INITIALIZED;
	s->max_pdu = LDP_PDU_DEFAULT;
	list_init(&s->node);
	buf_init(&s->in);
	timer_init(&s->expiry, l->env.jobs, on_expiry);
	timer_init(&s->keepalive_out, l->env.jobs, on_keepalive);
	timer_start(&s->expiry, LDP_OPENING_MS);
	return s;
}

static void session_free(struct ldp_session *s)
{
	buf_free(&s->in);
	free(s);
}

/* out of every list and off its timers; the memory goes when nobody reads its input */
static void detach(struct ldp_session *s, bool refused, const char *why)
{
	struct ldp_peer *p = s->peer;

	timer_stop(&s->expiry);
	timer_stop(&s->keepalive_out);
	if (list_linked(&s->node)) {
		list_del(&s->node);
		s->ldp->n_openings--;
	}
	s->gone = true;
	if (p && p->session == s)
		peer_session_down(s, refused, s->lost, why);
	s->peer = NULL;
	if (!s->reading)
		session_free(s);
}

static bool is_refusal(uint32_t status)
{
	switch (status) {
	case LDP_NO_HELLO:
	case LDP_REJECTED_MODE:
	case LDP_REJECTED_PDU_LENGTH:
	case LDP_REJECTED_LABEL_RANGE:
	case LDP_REJECTED_KEEPALIVE:
	case LDP_BAD_LDP_ID:
	case LDP_UNSUPPORTED_CAPABILITY:
		return true;
	default:
		return false;
	}
}

void session_close(struct ldp_session *s, const struct ldp_fault *f, const char *why)
{
	struct ldp_fault told = *f;
	bool opening = s->state != LDP_OPERATIONAL && s->state != LDP_CONNECTING;

	if (told.status)
		session_notify(s, &told);
	/* RFC 5036 section 2.5.3: nothing but a Shutdown ends an opening for good */
	if (told.status && !ldp_status_fatal(told.status)) {
		told = (struct ldp_fault){ .status = LDP_SHUTDOWN };
		session_notify(s, &told);
	}
	s->ldp->net->close(s->conn);
	s->conn = NULL;
	detach(s, opening && is_refusal(f->status), why);
}

void session_fault(struct ldp_session *s, uint32_t status, const char *why)
{
	struct ldp_fault f = { .status = status };

	session_close(s, &f, why);
}

void ldp_net_closed(struct ldp_session *s, const char *why)
{
	s->conn = NULL;
	s->lost = true;
	detach(s, false, why);
}

/* ---- sending ---- */

uint16_t session_room(const struct ldp_session *s)
{
	return s->max_pdu;
}

void session_send(struct ldp_session *s, struct buf *b)
{
	if (!b->len || !s->conn)
		return;
	s->ldp->net->send(s->conn, b->data, b->len);
	s->sent = true;
	/* not here: whoever sends is in the middle of something */
	if (!s->choked && s->ldp->net->queued(s->conn) > LDP_UNSENT_MAX) {
		s->choked = true;
		timer_start(&s->expiry, 0);
	}
	if (s->peer)
		s->peer->pdus_out++;
	buf_rewind(b, 0);
}

void session_notify(struct ldp_session *s, const struct ldp_fault *f)
{
	char text[ADDR_STRLEN];
	struct ldp_writer w;
	struct buf b;

	if (s->state == LDP_CONNECTING)
		return;
	log_info("ldp", "%s: Notification sent: %s", who(s, text), ldp_status_str(f->status));
	if (s->peer)
		s->peer->faults++;
	buf_init(&b);
	ldp_pdu_begin(&w, &b, &s->ldp->id);
	ldp_msg_begin(&w, LDP_MSG_NOTIFICATION, ++s->ldp->msg_id);
	ldp_put_status(&w, f);
	ldp_msg_end(&w);
	ldp_pdu_end(&w);
	session_send(s, &b);
	buf_free(&b);
}

static void send_init(struct ldp_session *s)
{
	const struct ldp_settings *set = &s->ldp->set;
	struct ldp_init i = {
		.params = { .version = LDP_VERSION, .keepalive = peer_keepalive(s->peer), .max_pdu = MAX_PDU,
			    .receiver = s->peer->id },
		.graceful = set->graceful,
		.reconnect_ms = set->gr_reconnect * 1000u,
		.recovery_ms = restart_recovery_ms(s->peer),
	};
	struct ldp_writer w;
	struct buf b;

	buf_init(&b);
	ldp_pdu_begin(&w, &b, &s->ldp->id);
	ldp_msg_begin(&w, LDP_MSG_INIT, ++s->ldp->msg_id);
	ldp_put_init(&w, &i);
	ldp_msg_end(&w);
	ldp_pdu_end(&w);
	session_send(s, &b);
	buf_free(&b);
}

/* ---- Initialization ---- */

/* LDP_SUCCESS, or why its parameters are not acceptable (RFC 5036 section 3.5.3) */
static uint32_t params_check(const struct ldp_session *s, const struct ldp_msg *m)
{
	const struct ldp_session_params *p = &m->session;

	if (!ldp_id_eq(&p->receiver, &s->ldp->id))
		return LDP_NO_HELLO;
	if (p->version != LDP_VERSION)
		return LDP_BAD_VERSION;
	if (!p->keepalive)
		return LDP_REJECTED_KEEPALIVE;
	if (m->have & LDP_HAVE_ATM_FR)
		return LDP_REJECTED_LABEL_RANGE;
	return LDP_SUCCESS;
}

/* whose it is: by the LDP Identifier, and a Hello that names this transport address */
static uint32_t claim(struct ldp_session *s, const struct ldp_id *id)
{
	struct ldp_peer *p = peer_find(s->ldp, id);
	const struct ldp_adj *a;
	bool known = false;

	if (p)
		list_for_each(a, &p->adjs, struct ldp_adj, node)
			known |= addr_eq(&a->transport, &s->remote);
	if (!known || p->noncompliant)
		return LDP_NO_HELLO;
	if (p->session) {
		/* who connects anew has lost the old one */
		p->session->lost = true;
		session_fault(p->session, LDP_SUCCESS, "the neighbor opened another session");
	}
	list_del(&s->node);
	s->ldp->n_openings--;
	timer_stop(&p->retry);
	s->peer = p;
	p->session = s;
	s->password = peer_password(p)[0];
	s->gtsm = peer_min_ttl(p, s->remote.family);
	if (s->gtsm && !s->ldp->net->min_ttl(s->conn, peer_min_ttl(p, s->remote.family)))
		return LDP_INTERNAL_ERROR;
	return LDP_SUCCESS;
}

static uint32_t take_init(struct ldp_session *s, const struct ldp_msg *m, const struct ldp_id *id)
{
	uint16_t ours;
	uint32_t status = s->peer ? LDP_SUCCESS : claim(s, id);

	if (!status)
		status = params_check(s, m);
	if (status)
		return status;
	ours = peer_keepalive(s->peer);
	s->keepalive = m->session.keepalive < ours ? m->session.keepalive : ours;
	s->max_pdu = m->session.max_pdu <= 255 ? LDP_PDU_DEFAULT : m->session.max_pdu;
	if (s->max_pdu > MAX_PDU)
		s->max_pdu = MAX_PDU;
	s->peer->caps = m->have & LDP_HAVE_CAPS;
	restart_helper_init_msg(s->peer, m);
	return LDP_SUCCESS;
}

/* ---- the machine ---- */

static void enter(struct ldp_session *s, uint8_t state)
{
	char text[ADDR_STRLEN];

	log_debug("ldp", "%s: %s -> %s", who(s, text), state_names[s->state], state_names[state]);
	s->state = state;
	timer_start(&s->expiry, state == LDP_OPERATIONAL ? s->keepalive * 1000ull : LDP_OPENING_MS);
}

static void shutdown_received(struct ldp_session *s, const struct ldp_msg *m)
{
	struct ldp_fault f = { .status = s->state == LDP_OPERATIONAL ? LDP_SHUTDOWN : LDP_SUCCESS };
	bool refused = s->state != LDP_OPERATIONAL && is_refusal(m->status);
	char why[96];

	/* it lost us, as we might have lost it: nobody wants the session to end */
	s->lost |= m->status == LDP_HOLD_EXPIRED || m->status == LDP_KEEPALIVE_EXPIRED;
	snprintf(why, sizeof(why), "the neighbor says: %s", ldp_status_str(m->status));
	if (f.status)
		session_notify(s, &f);
	s->ldp->net->close(s->conn);
	s->conn = NULL;
	detach(s, refused, why);
}

static void operate(struct ldp_session *s)
{
	timer_start(&s->keepalive_out, s->keepalive * 1000ull / 3);
	peer_session_up(s);
}

static void step(struct ldp_session *s, enum event e, const struct ldp_msg *m, const struct ldp_id *id)
{
	const struct transition *t = &table[s->state][e];
	struct ldp_fault f = { .status = LDP_SHUTDOWN };
	char why[96];

	if (m) {
		f.msg_id = m->id;
		f.msg_type = m->type;
	}
	switch (t->action) {
	case DO_BEGIN:
		send_init(s);
		break;
	case DO_ACCEPT:
	case DO_AGREE:
		f.status = take_init(s, m, id);
		if (f.status) {
			session_close(s, &f, ldp_status_str(f.status));
			return;
		}
		if (t->action == DO_ACCEPT)
			send_init(s);
		out_keepalive(s);
		break;
	case DO_CLOSE:
		shutdown_received(s, m);
		return;
	case DO_UP:
		enter(s, t->next);
		operate(s);
		return;
	case DO_MESSAGE:
		in_message(s, m);
		return;
	default:
		snprintf(why, sizeof(why), "%s in state %s", event_names[e], state_names[s->state]);
		session_close(s, &f, why);
		return;
	}
	enter(s, t->next);
}

void ldp_net_connected(struct ldp_session *s)
{
	s->peer->failures = 0;
	step(s, EV_CONNECTED, NULL, NULL);
}

bool ldp_net_accepted(struct ldp *l, struct ldp_conn *c, const struct ip_addr *local, const struct ip_addr *remote)
{
	struct ldp_session *s;

	if (!l->running || l->n_openings >= OPENINGS_MAX)
		return false;
	s = session_new(l, NULL, false);
	s->conn = c;
	s->local = *local;
	s->remote = *remote;
	list_add_tail(&l->openings, &s->node);
	l->n_openings++;
	l->net->owner(c, s);
	return true;
}

void ldp_net_drained(struct ldp_session *s)
{
	if (s->peer)
		out_resume(s->peer);
}

/* ---- receiving ---- */

static enum event event_of(const struct ldp_msg *m)
{
	switch (m->type) {
	case LDP_MSG_INIT:
		return EV_INIT;
	case LDP_MSG_KEEPALIVE:
		return EV_KEEPALIVE;
	case LDP_MSG_NOTIFICATION:
		return m->status_fatal ? EV_SHUTDOWN : EV_OTHER;
	default:
		return EV_OTHER;
	}
}

/* false: the session has gone */
static bool faulty(struct ldp_session *s, const struct ldp_fault *f)
{
	char why[128];

	if (s->state == LDP_OPERATIONAL && !ldp_status_fatal(f->status)) {
		session_notify(s, f);
		return true;
	}
	snprintf(why, sizeof(why), "%s in a %s message", ldp_status_str(f->status), ldp_msg_str(f->msg_type));
	session_close(s, f, f->msg_type ? why : ldp_status_str(f->status));
	return false;
}

static bool pdu_in(struct ldp_session *s, const struct ldp_pdu *pdu)
{
	struct cursor body = pdu->body;
	struct ldp_fault f;
	struct ldp_msg m;

	if (s->peer) {
		s->peer->pdus_in++;
		if (!ldp_id_eq(&pdu->id, &s->peer->id)) {
			session_fault(s, LDP_BAD_LDP_ID, "a PDU of another LDP Identifier");
			return false;
		}
	}
	if (s->state == LDP_OPERATIONAL && !s->choked)
		timer_start(&s->expiry, s->keepalive * 1000ull);
	for (;;) {
		switch (ldp_msg_read(&body, &m, &f)) {
		case LDP_MORE:
			return true;
		case LDP_IGNORE:
			/* RFC 5036 section 2.5.3: until it is established the U bit counts for nothing */
			if (s->state == LDP_OPERATIONAL)
				break;
			m.type = 0;
			/* fall through */
		case LDP_OK:
			step(s, event_of(&m), &m, &pdu->id);
			break;
		case LDP_FAULT:
			if (!faulty(s, &f))
				return false;
			break;
		}
		if (s->gone)
			return false;
	}
}

void ldp_net_received(struct ldp_session *s, const void *data, size_t len)
{
	struct ldp_fault f;
	struct ldp_pdu pdu;
	enum ldp_parse r;
	size_t at = 0;

	s->reading = true;
	buf_bytes(&s->in, data, len);
	while (!s->gone) {
		r = ldp_pdu_read(s->in.data + at, s->in.len - at, s->max_pdu, &pdu, &f);
		if (r == LDP_MORE)
			break;
		if (r == LDP_FAULT) {
			faulty(s, &f);
			break;
		}
		pdu_in(s, &pdu);
		at += pdu.size;
	}
	s->reading = false;
	if (s->gone) {
		session_free(s);
		return;
	}
	if (at) {
		memmove(s->in.data, s->in.data + at, s->in.len - at);
		buf_rewind(&s->in, s->in.len - at);
	}
}
