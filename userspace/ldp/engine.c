// SPDX-License-Identifier: GPL-2.0
/* Life of the engine, and new settings for it; contracts in private.h. */
#include <stdlib.h>
#include <string.h>

#include "ldp/private.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "rib/table.h"

/* ---- settings ---- */

void ldp_settings_init(struct ldp_settings *s)
{
	memset(s, 0, sizeof(*s));
	s->gr_reconnect = s->gr_liveness = s->gr_recovery = 120;
	s->gr_holding = s->holdtime = 180;
	s->hello_interval = 5;
	s->hello_hold = s->backoff_initial = 15;
	s->targeted_interval = 10;
	s->targeted_hold = 90;
	s->backoff_maximum = 120;
}

void ldp_settings_free(struct ldp_settings *s)
{
	unsigned int i;

	for (i = 0; i < AFI_MAX; i++) {
		free(s->family[i].targeted_from.p);
		free(s->family[i].targets);
		free(s->family[i].allocate.p);
		free(s->family[i].advertise.p);
		free(s->family[i].accept.p);
	}
	for (i = 0; i < s->n_neighbors; i++) {
		free(s->neighbors[i].advertise.p);
		free(s->neighbors[i].accept.p);
	}
	free(s->neighbors);
	free(s->ifaces);
	memset(s, 0, sizeof(*s));
}

bool ldp_filter_match(const struct ldp_filter *f, const struct prefix *p)
{
	unsigned int i;

	for (i = 0; i < f->n; i++)
		if (prefix_contains(&f->p[i], p))
			return true;
	return !f->n;
}

bool ldp_filter_eq(const struct ldp_filter *a, const struct ldp_filter *b)
{
	unsigned int i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++)
		if (!prefix_eq(&a->p[i], &b->p[i]))
			return false;
	return true;
}

void ldp_filter_add(struct ldp_filter *f, const struct prefix *p)
{
	f->p = xrealloc(f->p, (f->n + 1) * sizeof(*f->p));
	f->p[f->n++] = *p;
}

static const struct ldp_neighbor_settings *neighbor_of(const struct ldp_settings *s, const struct ldp_id *id)
{
	unsigned int i;

	for (i = 0; i < s->n_neighbors; i++)
		if (!memcmp(s->neighbors[i].lsr, id->lsr, 4))
			return &s->neighbors[i];
	return NULL;
}

const struct ldp_neighbor_settings *ldp_neighbor_settings(const struct ldp *l, const struct ldp_peer *p)
{
	return neighbor_of(&l->set, &p->id);
}

bool ldp_id_eq(const struct ldp_id *a, const struct ldp_id *b)
{
	return !memcmp(a->lsr, b->lsr, 4) && a->space == b->space;
}

/* ---- start and stop by configuration ---- */

static void go(struct ldp *l)
{
	int i;

	memcpy(l->id.lsr, l->set.router_id, 4);
	l->running = true;
	for (i = 0; i < AFI_MAX; i++)
		if (l->set.family[i].on)
			l->net->family(l->net_arg, afi_family(i), true);
	disc_init(l);
	disc_apply(l);
	fec_init(l);
	restart_configured(l);
}

/* @status: what neighbours are told; LDP_SUCCESS: nothing, so that they keep what we told them (RFC 3478) */
static void halt(struct ldp *l, uint32_t status)
{
	struct ldp_session *s;
	struct ldp_fault shutdown = { .status = status };
	struct ldp_peer *p;
	int i;

	if (!l->running)
		return;
	l->running = false;
	while (!list_empty(&l->openings)) {
		s = list_first(&l->openings, struct ldp_session, node);
		session_close(s, &shutdown, "LDP stops");
	}
	while (!list_empty(&l->peers)) {
		p = list_first(&l->peers, struct ldp_peer, node);
		if (p->session)
			session_close(p->session, &shutdown, "LDP stops");
		peer_free(p);
	}
	disc_stop(l);
	fec_stop(l);
	restart_stop(l);
	for (i = 0; i < AFI_MAX; i++)
		if (l->set.family[i].on)
			l->net->family(l->net_arg, afi_family(i), false);
}

/* Another identity, or other families: nothing of what was told stands. */
static bool must_begin_anew(const struct ldp_settings *a, const struct ldp_settings *b)
{
	int i;

	for (i = 0; i < AFI_MAX; i++)
		if (a->family[i].on != b->family[i].on ||
		    (a->family[i].on && !addr_eq(&a->family[i].transport, &b->family[i].transport)))
			return true;
	return a->on != b->on || memcmp(a->router_id, b->router_id, 4) || a->prefer_ipv4 != b->prefer_ipv4;
}

static const struct ldp_neighbor_settings no_neighbor;

static const struct ldp_neighbor_settings *or_none(const struct ldp_neighbor_settings *n)
{
	return n ? n : &no_neighbor;
}

static bool session_differs(const struct ldp_settings *a, const struct ldp_settings *b, const struct ldp_id *id)
{
	const struct ldp_neighbor_settings *na = or_none(neighbor_of(a, id)), *nb = or_none(neighbor_of(b, id));

	return strcmp(na->password, nb->password) || na->ttl_disable != nb->ttl_disable ||
	       na->ttl_hops != nb->ttl_hops ||
	       (na->holdtime ? na->holdtime : a->holdtime) != (nb->holdtime ? nb->holdtime : b->holdtime);
}

static bool accept_differs(const struct ldp_settings *a, const struct ldp_settings *b, const struct ldp_id *id)
{
	return !ldp_filter_eq(&a->family[AFI4].accept, &b->family[AFI4].accept) ||
	       !ldp_filter_eq(&a->family[AFI6].accept, &b->family[AFI6].accept) ||
	       !ldp_filter_eq(&or_none(neighbor_of(a, id))->accept, &or_none(neighbor_of(b, id))->accept);
}

/*
 * What it advertised is read again: what was released because nobody wanted it is known to it alone (RFC 5918 lets
 * us ask; without it a new session must do).
 */
static void learn_again(struct ldp_peer *p)
{
	int i;

	if (!(p->caps & LDP_HAVE_CAP_TYPED)) {
		session_fault(p->session, LDP_SHUTDOWN, "other labels are accepted now");
		return;
	}
	fec_drop_refused(p);
	for (i = 0; i < AFI_MAX; i++)
		if (p->family[i])
			out_request_all(p, afi_family(i));
}

static void apply_peers(struct ldp *l, const struct ldp_settings *old)
{
	struct ldp_peer *p, *tmp;

	list_for_each_safe(p, tmp, &l->peers, struct ldp_peer, node) {
		if (session_differs(old, &l->set, &p->id)) {
			p->backoff = 0;
			timer_stop(&p->retry);
			if (p->session)
				session_fault(p->session, LDP_SHUTDOWN, "its settings changed");
			peer_update(p);
			continue;
		}
		if (!peer_up(p))
			continue;
		if (accept_differs(old, &l->set, &p->id))
			learn_again(p);
		else
			out_everything(p, false);
	}
}

void ldp_apply(struct ldp *l, struct ldp_settings *s)
{
	struct ldp_settings old;
	bool anew = must_begin_anew(&l->set, s);

	if (anew)
		halt(l, LDP_SHUTDOWN);
	old = l->set;
	l->set = *s;
	memset(s, 0, sizeof(*s));
	l->config_seq++;
	if (anew && l->set.on) {
		go(l);
	} else if (l->running) {
		disc_apply(l);
		fec_mark_all(l);
		apply_peers(l, &old);
		disc_announce(l);
	}
	ldp_settings_free(&old);
}

/* ---- life ---- */

struct ldp *ldp_new(const struct rib_env *env, const struct ldp_options *opt, const struct ldp_net *net,
		    void *net_arg)
{
	struct ldp *l = xcalloc(1, sizeof(*l));

	l->env = *env;
	l->opt = *opt;
	l->net = net;
	l->net_arg = net_arg;
	l->nht = rib_nht(env->rib);
	l->fib = rib_fib(env->rib);
	list_init(&l->ifaces);
	list_init(&l->targets);
	list_init(&l->peers);
	list_init(&l->openings);
	list_init(&l->own);
	list_init(&l->dirty);
	trie_init(&l->connected[AFI4], AF_INET, sizeof(uint32_t));
	trie_init(&l->connected[AFI6], AF_INET6, sizeof(uint32_t));
	trie_init(&l->fecs[AFI4], AF_INET, sizeof(struct ldp_fec));
	trie_init(&l->fecs[AFI6], AF_INET6, sizeof(struct ldp_fec));
	ldp_settings_init(&l->set);
	/* another one than that of the daemon before: neighbours may try again at once (RFC 5036 section 3.5.2.1) */
	l->config_seq = clock_us() >> 10;
	restart_begin(l);
	return l;
}

void ldp_free(struct ldp *l)
{
	halt(l, l->set.graceful ? LDP_SUCCESS : LDP_SHUTDOWN);
	restart_stop(l);
	ldp_settings_free(&l->set);
	free(l->peer_at);
	hash_fini(&l->addresses);
	for (int afi = 0; afi < AFI_MAX; afi++) {
		trie_fini(&l->connected[afi], NULL, NULL);
		trie_fini(&l->fecs[afi], NULL, NULL);
	}
	free(l);
}
