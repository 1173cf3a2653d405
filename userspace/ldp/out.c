// SPDX-License-Identifier: GPL-2.0
/*
 * What a neighbour is told of FECs. Each peer has a queue of FECs about which it may have to be told something; what it
 * is, is found out when its turn comes: the label that it should have, against the one that it was told last. So
 * however often a FEC changed meanwhile, the peer hears of what is now. As many messages as fit go into one PDU; the
 * queue rests while the connection has enough to do. RFC 5036 section 3.5.7 to 3.5.11, RFC 5918, RFC 5919.
 */
#include <stdlib.h>
#include <string.h>

#include "ldp/private.h"
#include "lib/log.h"
#include "lib/mem.h"

#define QUEUED_HIGH (256 * 1024)	/* octets that wait in the connection */
#define MSG_MAX 64			/* octets of the longest message here */
#define WITHDRAWN_MAX 255

uint32_t out_wanted(const struct ldp_peer *p, const struct ldp_fec *f, const struct prefix *fec)
{
	const struct ldp_neighbor_settings *n;

	if (f->label == LDP_LABEL_NONE || !peer_up(p) || !p->family[f->afi])
		return LDP_LABEL_NONE;
	n = ldp_neighbor_settings(p->ldp, p);
	if (!ldp_filter_match(&p->ldp->set.family[f->afi].advertise, fec) ||
	    (n && !ldp_filter_match(&n->advertise, fec)))
		return LDP_LABEL_NONE;
	return f->label;
}

static void push(struct ldp_peer *p, struct ldp_fec *f, struct ldp_bind *b)
{
	if (b->flags & BIND_QUEUED)
		return;
	b->flags |= BIND_QUEUED;
	if (p->queued == p->queue_size && p->queue_at) {
		p->queued -= p->queue_at;
		memmove(p->queue, p->queue + p->queue_at, p->queued * sizeof(struct ldp_fec *));
		p->queue_at = 0;
	}
	if (p->queued == p->queue_size) {
		p->queue_size = p->queue_size ? p->queue_size * 2 : 64;
		p->queue = xrealloc(p->queue, p->queue_size * sizeof(struct ldp_fec *));
	}
	p->queue[p->queued++] = f;
	job_schedule(&p->job);
}

void out_fec(struct ldp_peer *p, struct ldp_fec *f)
{
	struct prefix fec = fec_prefix(f);
	struct ldp_bind *b = fec_bind(f, p);
	uint32_t want;

	if (!peer_up(p))
		return;
	want = out_wanted(p, f, &fec);
	if (want == (b ? b->sent : LDP_LABEL_NONE) && !(b && b->flags & BIND_ASKED))
		return;
	push(p, f, b ? b : fec_bind_get(f, p));
}

void out_everything(struct ldp_peer *p, bool again)
{
	struct ldp *l = p->ldp;
	struct ldp_bind *b;
	struct ldp_fec *f;
	int afi;

	for (afi = 0; afi < AFI_MAX; afi++) {
		for (f = trie_next(&l->fecs[afi], NULL); f; f = trie_next(&l->fecs[afi], f)) {
			b = again ? fec_bind(f, p) : NULL;
			if (b && b->sent != LDP_LABEL_NONE)
				b->flags |= BIND_ASKED;
			out_fec(p, f);
		}
	}
	if (again)
		p->lib_told = false;
	job_schedule(&p->job);
}

/* ---- messages ---- */

/* Closes a PDU that would grow over what the session allows. */
static void make_room(struct ldp_writer *w, const struct ldp_peer *p)
{
	if (w->b->len - w->pdu - LDP_PDU_HEAD + MSG_MAX <= session_room(p->session))
		return;
	ldp_pdu_end(w);
	ldp_pdu_begin(w, w->b, &p->ldp->id);
}

static void put_message(struct ldp_writer *w, const struct ldp_peer *p, uint16_t type, const struct ldp_fec_elem *e,
			uint32_t label)
{
	make_room(w, p);
	ldp_msg_begin(w, type, ++p->ldp->msg_id);
	ldp_put_fec(w, e);
	if (label != LDP_LABEL_NONE)
		ldp_put_label(w, label);
	ldp_msg_end(w);
}

static void put_fec(struct ldp_writer *w, struct ldp_peer *p, struct ldp_fec *f)
{
	struct ldp_bind *b = fec_bind(f, p);
	struct ldp_fec_elem e = { .prefix = fec_prefix(f) };
	uint32_t want = out_wanted(p, f, &e.prefix);
	bool again;

	again = b->flags & BIND_ASKED && want != LDP_LABEL_NONE;
	b->flags &= ~(BIND_QUEUED | BIND_ASKED);
	if (want != b->sent && b->sent != LDP_LABEL_NONE) {
		/* what it has released already it need not give back */
		if (!(b->flags & BIND_RELEASED)) {
			put_message(w, p, LDP_MSG_WITHDRAW, &e, b->sent);
			b->withdrawn += b->withdrawn < WITHDRAWN_MAX;
		}
		p->advertised--;
		b->sent = LDP_LABEL_NONE;
	}
	if (want != b->sent || again) {
		put_message(w, p, LDP_MSG_MAPPING, &e, want);
		p->advertised += b->sent == LDP_LABEL_NONE;
		b->sent = want;
		b->flags &= ~BIND_RELEASED;
	}
	fec_bind_check(f, b);
	if (!f->wanted && f->user.binding)
		fec_mark(f);		/* its label may go now */
}

/* RFC 5919 section 4: for each family, also where it has none */
static void put_end_of_lib(struct ldp_writer *w, struct ldp_peer *p)
{
	struct ldp_fault f = { .status = LDP_END_OF_LIB };
	struct ldp_fec_elem e = { .wildcard = true, .typed = true };
	int afi;

	for (afi = 0; afi < AFI_MAX; afi++) {
		if (!p->family[afi])
			continue;
		e.prefix.addr.family = afi_family(afi);
		make_room(w, p);
		ldp_msg_begin(w, LDP_MSG_NOTIFICATION, ++p->ldp->msg_id);
		ldp_put_status(w, &f);
		ldp_put_fec(w, &e);
		ldp_msg_end(w);
	}
}

static bool is_complete(const struct ldp_peer *p)
{
	const struct ldp *l = p->ldp;

	return !p->lib_told && p->queue_at == p->queued && list_empty(&l->dirty) && !l->waiting && !l->restarting;
}

static void finish(struct ldp_writer *w, const struct ldp_peer *p, struct buf *b)
{
	/* the last PDU may be empty */
	if (b->len - w->pdu <= LDP_PDU_HEAD + 6u)
		buf_rewind(b, w->pdu);
	else
		ldp_pdu_end(w);
	session_send(p->session, b);
	buf_free(b);
}

static bool run(struct job *job, unsigned int budget)
{
	struct ldp_peer *p = container_of(job, struct ldp_peer, job);
	struct ldp_writer w;
	struct buf b;

	if (!peer_up(p) || p->ldp->net->queued(p->session->conn) > QUEUED_HIGH)
		return false;
	buf_init(&b);
	ldp_pdu_begin(&w, &b, &p->ldp->id);
	while (budget-- && p->queue_at < p->queued)
		put_fec(&w, p, p->queue[p->queue_at++]);
	if (is_complete(p)) {
		p->lib_told = true;
		if (p->caps & LDP_HAVE_CAP_UNREC)
			put_end_of_lib(&w, p);
	}
	if (p->queue_at == p->queued)
		p->queue_at = p->queued = 0;
	finish(&w, p, &b);
	return p->queued;
}

void out_resume(struct ldp_peer *p)
{
	if (p->queued)
		job_schedule(&p->job);
}

void out_idle(struct ldp *l)
{
	struct ldp_peer *p;

	list_for_each(p, &l->peers, struct ldp_peer, node)
		if (peer_up(p) && !p->lib_told)
			job_schedule(&p->job);
}

/* one message at once, before what is queued */
static void send_one(struct ldp_peer *p, uint16_t type, const struct ldp_fec_elem *e, uint32_t label, uint32_t request,
		     uint32_t status)
{
	struct ldp_fault f = { .status = status };
	struct ldp_writer w;
	struct buf b;

	buf_init(&b);
	ldp_pdu_begin(&w, &b, &p->ldp->id);
	ldp_msg_begin(&w, type, ++p->ldp->msg_id);
	if (e)
		ldp_put_fec(&w, e);
	if (label != LDP_LABEL_NONE)
		ldp_put_label(&w, label);
	if (request)
		ldp_put_request_id(&w, request);
	if (status)
		ldp_put_status(&w, &f);
	ldp_msg_end(&w);
	ldp_pdu_end(&w);
	session_send(p->session, &b);
	buf_free(&b);
}

void out_release(struct ldp_peer *p, const struct ldp_fec_elem *e, uint32_t label, uint32_t status)
{
	if (peer_up(p))
		send_one(p, LDP_MSG_RELEASE, e, label, 0, status);
}

void out_request_all(struct ldp_peer *p, uint8_t family)
{
	struct ldp_fec_elem e = { .wildcard = true, .typed = true, .prefix.addr.family = family };

	send_one(p, LDP_MSG_REQUEST, &e, LDP_LABEL_NONE, 0, 0);
}

void out_answer(struct ldp_peer *p, struct ldp_fec *f, uint32_t request)
{
	struct ldp_fec_elem e = { .prefix = fec_prefix(f) };
	uint32_t want = out_wanted(p, f, &e.prefix);
	struct ldp_bind *b = fec_bind_get(f, p);

	/* a withdrawal of another label goes first, by the queue */
	if (want == LDP_LABEL_NONE || (b->sent != LDP_LABEL_NONE && b->sent != want)) {
		b->flags |= BIND_ASKED;
		push(p, f, b);
		return;
	}
	send_one(p, LDP_MSG_MAPPING, &e, want, request, 0);
	p->advertised += b->sent == LDP_LABEL_NONE;
	b->sent = want;
	b->flags &= ~BIND_RELEASED;
}

void out_keepalive(struct ldp_session *s)
{
	struct ldp_writer w;
	struct buf b;

	buf_init(&b);
	ldp_pdu_begin(&w, &b, &s->ldp->id);
	ldp_msg_begin(&w, LDP_MSG_KEEPALIVE, ++s->ldp->msg_id);
	ldp_msg_end(&w);
	ldp_pdu_end(&w);
	session_send(s, &b);
	buf_free(&b);
}

void out_init(struct ldp_peer *p)
{
	job_init(&p->job, p->ldp->env.jobs, "ldp-out", run);
}

void out_stop(struct ldp_peer *p)
{
	struct ldp_bind *b;

	job_cancel(&p->job);
	for (; p->queue_at < p->queued; p->queue_at++) {
		b = fec_bind(p->queue[p->queue_at], p);
		b->flags &= ~(BIND_QUEUED | BIND_ASKED);
		fec_bind_check(p->queue[p->queue_at], b);
	}
	p->queue_at = p->queued = 0;
}
