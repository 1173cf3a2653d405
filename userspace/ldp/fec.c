// SPDX-License-Identifier: GPL-2.0
/*
 * FECs: what each is forwarded by, and which label of ours is advertised for it. Events mark a FEC; a job decides.
 *
 *      egress (own network)        implicit or explicit null is advertised, nothing is programmed
 *      a route to others           a label of ours; swapped for the labels that the next routers have advertised, one
 *                                  way each; while none has, packets that come with it are dropped
 *      no route                    nothing; what others advertise is kept (liberal retention)
 *
 * A label is advertised once forwarding has it, and given back when nobody may use it any more: withdrawn from all,
 * and released by all. RFC 5036 section 2.6, appendix A; RFC 5283.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ldp/private.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "rib/lsp.h"

struct prefix fec_prefix(const struct ldp_fec *f)
{
	return trie_prefix(&f->ldp->fecs[f->afi], f);
}

struct ldp_fec *fec_find(const struct ldp *l, const struct prefix *p)
{
	return trie_get(&l->fecs[family_afi(p->addr.family)], p);
}

static void on_ready(struct label_user *u);
static void on_retry(struct label_user *u);
static void on_failed(struct label_user *u, int err);

struct ldp_fec *fec_get(struct ldp *l, const struct prefix *p)
{
	struct ldp_fec *f;
	bool created;

	f = trie_insert(&l->fecs[family_afi(p->addr.family)], p, &created);
	if (created) {
		f->ldp = l;
		f->afi = family_afi(p->addr.family);
		f->label = LDP_LABEL_NONE;
		list_init(&f->dirty);
		label_user_init(&f->user);
		f->user.ready = on_ready;
		f->user.retry = on_retry;
		f->user.failed = on_failed;
	}
	return f;
}

void fec_mark(struct ldp_fec *f)
{
	if (!list_linked(&f->dirty))
		list_add_tail(&f->ldp->dirty, &f->dirty);
	job_schedule(&f->ldp->job);
}

void fec_mark_all(struct ldp *l)
{
	struct ldp_fec *f;
	int afi;

	for (afi = 0; afi < AFI_MAX; afi++)
		for (f = trie_next(&l->fecs[afi], NULL); f; f = trie_next(&l->fecs[afi], f))
			fec_mark(f);
}

static void on_ready(struct label_user *u)
{
	fec_mark(container_of(u, struct ldp_fec, user));
}

static void on_retry(struct label_user *u)
{
	fec_mark(container_of(u, struct ldp_fec, user));
}

static void on_failed(struct label_user *u, int err)
{
	struct ldp_fec *f = container_of(u, struct ldp_fec, user);

	/* the label manager has said so; nothing is advertised until it is programmed */
	fec_mark(f);
}

/* ---- bindings ---- */

struct ldp_bind *fec_bind(const struct ldp_fec *f, const struct ldp_peer *p)
{
	unsigned int i;

	for (i = 0; i < f->n_bind; i++)
		if (f->bind[i].peer == p->index)
			return &f->bind[i];
	return NULL;
}

struct ldp_bind *fec_bind_get(struct ldp_fec *f, const struct ldp_peer *p)
{
	struct ldp_bind *b = fec_bind(f, p);

	if (b)
		return b;
	f->bind = xrealloc(f->bind, (f->n_bind + 1u) * sizeof(*b));
	b = &f->bind[f->n_bind++];
	*b = (struct ldp_bind){ .peer = p->index, .received = LDP_LABEL_NONE, .sent = LDP_LABEL_NONE };
	return b;
}

void fec_bind_check(struct ldp_fec *f, struct ldp_bind *b)
{
	if (b->received != LDP_LABEL_NONE || b->sent != LDP_LABEL_NONE || b->withdrawn || b->flags & BIND_QUEUED)
		return;
	*b = f->bind[--f->n_bind];
	if (!f->n_bind) {
		free(f->bind);
		f->bind = NULL;
	}
	/* it may go; not under the feet of who walks the FECs */
	fec_mark(f);
}

static void set_received(struct ldp_peer *p, struct ldp_bind *b, uint32_t label)
{
	p->received += (label != LDP_LABEL_NONE) - (b->received != LDP_LABEL_NONE);
	b->received = label;
	b->flags &= ~BIND_STALE;
}

static bool accepted(const struct ldp_peer *p, const struct prefix *fec)
{
	const struct ldp_neighbor_settings *n = ldp_neighbor_settings(p->ldp, p);
	const struct ldp_family_settings *f = &p->ldp->set.family[family_afi(fec->addr.family)];

	return f->on && ldp_filter_match(&f->accept, fec) && (!n || ldp_filter_match(&n->accept, fec));
}

/* RFC 7552 section 7.2, and what is nobody's route */
static bool is_fec(const struct prefix *p)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (addr_is_loopback(&p->addr) || addr_is_multicast(&p->addr))
		return false;
	return p->addr.family == AF_INET || (!addr_is_link_local(&p->addr) &&
					     !(p->len >= 96 && !memcmp(p->addr.b, mapped, 12)));
}

void fec_received(struct ldp_peer *p, const struct prefix *fec, uint32_t label)
{
	struct ldp_fec_elem e = { .prefix = *fec };
	struct ldp_bind *b;
	struct ldp_fec *f;

	if (!is_fec(fec))
		return;
	f = fec_find(p->ldp, fec);
	b = f ? fec_bind(f, p) : NULL;
	if (!accepted(p, fec) || ((!b || b->received == LDP_LABEL_NONE) && p->received >= LDP_FECS_MAX)) {
		if (accepted(p, fec) && !p->overfull) {
			log_err("ldp", "%s: more than %u FECs: further ones are released", p->name, LDP_FECS_MAX);
			p->overfull = true;
		}
		out_release(p, &e, label, LDP_SUCCESS);
		return;
	}
	f = fec_get(p->ldp, fec);
	b = fec_bind_get(f, p);
	/* appendix A.1.2, LMp.10a; RFC 3478 section 3.3 (c): a stale one is just replaced */
	if (b->received != LDP_LABEL_NONE && b->received != label && !(b->flags & BIND_STALE))
		out_release(p, &e, b->received, LDP_SUCCESS);
	set_received(p, b, label);
	fec_mark(f);
}

static void withdrawn_one(struct ldp_peer *p, struct ldp_fec *f, uint32_t label)
{
	struct ldp_bind *b = fec_bind(f, p);

	if (!b || b->received == LDP_LABEL_NONE || (label != LDP_LABEL_NONE && b->received != label))
		return;
	set_received(p, b, LDP_LABEL_NONE);
	fec_mark(f);
	fec_bind_check(f, b);
}

static bool elem_family(const struct ldp_fec_elem *e, int afi)
{
	return !e->typed || family_afi(e->prefix.addr.family) == (enum afi)afi;
}

/* calls @fn for each FEC that the element means */
static void each(struct ldp_peer *p, const struct ldp_fec_elem *e, uint32_t label,
		 void (*fn)(struct ldp_peer *p, struct ldp_fec *f, uint32_t label))
{
	struct ldp *l = p->ldp;
	struct ldp_fec *f;
	int afi;

	if (!e->wildcard) {
		f = fec_find(l, &e->prefix);
		if (f)
			fn(p, f, label);
		return;
	}
	for (afi = 0; afi < AFI_MAX; afi++)
		for (f = trie_next(&l->fecs[afi], NULL); f && elem_family(e, afi);
		     f = trie_next(&l->fecs[afi], f))
			fn(p, f, label);
}

void fec_withdrawn(struct ldp_peer *p, const struct ldp_fec_elem *e, uint32_t label)
{
	each(p, e, label, withdrawn_one);
}

/* Releases answer withdrawals, in the order in which they were sent; one without says that the label is not wanted. */
static void released_one(struct ldp_peer *p, struct ldp_fec *f, uint32_t label)
{
	struct ldp_bind *b = fec_bind(f, p);

	if (!b)
		return;
	if (b->withdrawn) {
		b->withdrawn--;
		fec_mark(f);
		fec_bind_check(f, b);
	} else if (b->sent != LDP_LABEL_NONE && (label == LDP_LABEL_NONE || label == b->sent)) {
		b->flags |= BIND_RELEASED;
	}
}

void fec_released(struct ldp_peer *p, const struct ldp_fec_elem *e, uint32_t label)
{
	each(p, e, label, released_one);
}

static void sweep_one(struct ldp_peer *p, struct ldp_fec *f, struct ldp_bind *b, enum fec_sweep how)
{
	if (how != FEC_DROP_STALE) {
		if (b->sent != LDP_LABEL_NONE)
			p->advertised--;
		b->sent = LDP_LABEL_NONE;
		b->withdrawn = 0;
		b->flags &= BIND_STALE | BIND_QUEUED;
	}
	if (how == FEC_KEEP_STALE && b->received != LDP_LABEL_NONE)
		b->flags |= BIND_STALE;
	else if (how == FEC_FORGET || b->flags & BIND_STALE)
		set_received(p, b, LDP_LABEL_NONE);
	fec_mark(f);
	fec_bind_check(f, b);
}

void fec_sweep(struct ldp_peer *p, enum fec_sweep how)
{
	struct ldp *l = p->ldp;
	struct ldp_bind *b;
	struct ldp_fec *f;
	int afi;

	for (afi = 0; afi < AFI_MAX; afi++) {
		for (f = trie_next(&l->fecs[afi], NULL); f; f = trie_next(&l->fecs[afi], f)) {
			b = fec_bind(f, p);
			if (b)
				sweep_one(p, f, b, how);
		}
	}
}

void fec_mark_peer(struct ldp_peer *p)
{
	struct ldp *l = p->ldp;
	struct ldp_fec *f;
	int afi;

	for (afi = 0; p->received && afi < AFI_MAX; afi++)
		for (f = trie_next(&l->fecs[afi], NULL); f; f = trie_next(&l->fecs[afi], f))
			if (fec_bind(f, p))
				fec_mark(f);
}

void fec_drop_refused(struct ldp_peer *p)
{
	struct ldp *l = p->ldp;
	struct ldp_fec_elem e = { 0 };
	struct ldp_bind *b;
	struct ldp_fec *f;
	int afi;

	for (afi = 0; afi < AFI_MAX; afi++) {
		for (f = trie_next(&l->fecs[afi], NULL); f; f = trie_next(&l->fecs[afi], f)) {
			b = fec_bind(f, p);
			e.prefix = fec_prefix(f);
			if (!b || b->received == LDP_LABEL_NONE || accepted(p, &e.prefix))
				continue;
			out_release(p, &e, b->received, LDP_SUCCESS);
			set_received(p, b, LDP_LABEL_NONE);
			fec_mark(f);
			fec_bind_check(f, b);
		}
	}
}

/* ---- ways ---- */

static int way_cmp(const void *a, const void *b)
{
	const struct ldp_way *x = a, *y = b;
	int d = addr_cmp(&x->gateway, &y->gateway);

	return d ? d : x->ifindex - y->ifindex;
}

static bool way_same(const struct ldp_way *a, const struct ldp_way *b)
{
	return !way_cmp(a, b) && a->label == b->label && a->weight == b->weight && a->peer == b->peer;
}

static bool runs_on(const struct ldp *l, int ifindex)
{
	const struct ldp_iface *i;

	list_for_each(i, &l->ifaces, struct ldp_iface, node)
		if (i->ifindex == ifindex)
			return true;
	return false;
}

/* the ways of a route whose next router has advertised a label for the FEC */
static unsigned int ways_of(const struct ldp_fec *f, const struct nht_way *route, unsigned int n, struct ldp_way *out)
{
	const struct ldp *l = f->ldp;
	const struct ldp_bind *b;
	const struct ldp_peer *p;
	unsigned int i, made = 0;

	for (i = 0; i < n; i++) {
		if (!addr_is_set(&route[i].gateway) || !runs_on(l, route[i].ifindex))
			continue;
		p = peer_by_address(l, &route[i].gateway, route[i].ifindex);
		b = p ? fec_bind(f, p) : NULL;
		if (!b || b->received == LDP_LABEL_NONE)
			continue;
		out[made++] = (struct ldp_way){
			.gateway = route[i].gateway, .ifindex = route[i].ifindex, .label = b->received,
			.weight = route[i].weight, .peer = p->index,
		};
	}
	qsort(out, made, sizeof(*out), way_cmp);
	return made;
}

static void path_name(const struct ldp_way *w, char *buf, size_t size)
{
	char text[ADDR_STRLEN];

	snprintf(buf, size, "%s%%%d", addr_str(&w->gateway, text), w->ifindex);
}

static void announce(struct ldp *l, const struct prefix *fec, const struct ldp_way *w)
{
	const struct nht_link *link = nht_link_by_index(l->nht, w->ifindex);
	struct lsp_path path = { .owner = RIB_PROTO_LDP, .gateway = w->gateway, .weight = w->weight,
				 .n_labels = 1, .labels = { w->label } };

	path_name(w, path.name, sizeof(path.name));
	if (link)
		snprintf(path.ifname, sizeof(path.ifname), "%s", link->name);
	lsp_announce(l->nht, fec, &path);
}

static bool stands_in(const struct ldp_way *w, const struct ldp_way *all, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (!way_cmp(w, &all[i]))
			return true;
	return false;
}

/* To those who go into the path here: new ways come before old ones go. True: they are others than before. */
static bool ways_set(struct ldp_fec *f, const struct prefix *fec, const struct ldp_way *ways, unsigned int n)
{
	struct ldp_way *old = f->way;
	unsigned int i, n_old = f->n_way;
	char name[64];

	for (i = 0; i < n && i < n_old && way_same(&old[i], &ways[i]); i++)
		;
	if (i == n && n == n_old)
		return false;
	for (i = 0; i < n; i++)
		announce(f->ldp, fec, &ways[i]);
	for (i = 0; i < n_old; i++) {
		if (stands_in(&old[i], ways, n))
			continue;
		path_name(&old[i], name, sizeof(name));
		lsp_withdraw(f->ldp->nht, fec, RIB_PROTO_LDP, name);
	}
	free(old);
	f->way = n ? xmemdup(ways, n * sizeof(*ways)) : NULL;
	f->n_way = n;
	return true;
}

/* ---- our label ---- */

/* a reference */
static struct fib_nh *way_nh(struct fib *fib, const struct ldp_way *w, bool labelled)
{
	struct fib_nh *adj = fib_nh_adjacency(fib, w->ifindex, &w->gateway), *nh;

	if (!labelled || w->label == LDP_LABEL_IMPLICIT)
		return adj;
	nh = fib_nh_labelled(fib, adj, &w->label, 1);
	fib_nh_put(fib, adj);
	return nh;
}

/* one way: the label is swapped; several: it goes, and each way has its own (fib.h) */
static struct label_action action_of(const struct ldp_fec *f)
{
	struct label_action a = { .action = FIB_LABEL_SWAP, .out_label = LDP_LABEL_IMPLICIT };
	struct fib_member m[LDP_WAYS_MAX];
	struct fib *fib = f->ldp->fib;
	unsigned int i;

	if (!f->n_way) {
		a.nh = fib_nh_special(fib, FIB_NH_UNREACHABLE);
		return a;
	}
	if (f->n_way == 1) {
		a.out_label = f->way[0].label;
		a.nh = way_nh(fib, &f->way[0], false);
		return a;
	}
	for (i = 0; i < f->n_way; i++)
		m[i] = (struct fib_member){ .nh = way_nh(fib, &f->way[i], true), .weight = f->way[i].weight };
	a.nh = fib_nh_group(fib, m, f->n_way);
	for (i = 0; i < f->n_way; i++)
		fib_nh_put(fib, m[i].nh);
	return a;
}

static void label_program(struct ldp_fec *f, const struct prefix *fec)
{
	struct label_key key = { .owner = LABEL_OWNER_LDP, .prefix = *fec };
	struct label_action a = action_of(f);

	if (f->user.binding)
		label_update(f->ldp->env.labels, f->user.binding, &a);
	else
		label_request(f->ldp->env.labels, &f->user, &key, &a);
	fib_nh_put(f->ldp->fib, a.nh);
}

/* somebody may still send with our label */
static bool label_held(const struct ldp_fec *f)
{
	unsigned int i;

	for (i = 0; i < f->n_bind; i++)
		if (f->bind[i].withdrawn || f->bind[i].sent != LDP_LABEL_NONE)
			return true;
	return false;
}

static bool allocated(const struct ldp *l, const struct prefix *fec)
{
	const struct ldp_family_settings *s = &l->set.family[family_afi(fec->addr.family)];

	if (!s->on || (!fec->len && !s->default_route))
		return false;
	if (s->host_routes && fec->len != addr_bits(fec->addr.family))
		return false;
	return ldp_filter_match(&s->allocate, fec);
}

static bool on_link(const struct nht_way *w, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (!addr_is_set(&w[i].gateway))
			return true;
	return false;
}

/* ---- the decision ---- */

struct decision {
	bool routed, egress, exact;
	unsigned int n;			/* ways with a label */
	struct ldp_way way[LDP_WAYS_MAX];
};

static void look(const struct ldp_fec *f, const struct prefix *fec, struct decision *d)
{
	const struct ldp *l = f->ldp;
	const struct ldp_family_settings *s = &l->set.family[family_afi(fec->addr.family)];
	const struct nht_way *ways = NULL;
	struct prefix match = *fec;
	unsigned int n;

	d->routed = d->egress = false;
	d->exact = true;
	d->n = 0;
	if (!s->on || !is_fec(fec))
		return;
	n = nht_main_ways(l->nht, fec, &ways);
	d->egress = trie_get(&l->connected[family_afi(fec->addr.family)], fec) || on_link(ways, n);
	if (d->egress) {
		d->routed = true;
		return;
	}
	if (!n && l->set.longest_match) {
		n = nht_main_longest(l->nht, fec, &match, &ways);
		d->exact = false;
		if (!match.len && !s->default_route)
			n = 0;
	}
	d->routed = n;
	d->n = ways_of(f, ways, n, d->way);
}

/* Does the FEC have a label of ours, other than null? */
static bool wants_label(const struct ldp *l, const struct prefix *fec, const struct decision *d)
{
	if (!d->routed || d->egress || !allocated(l, fec))
		return false;
	return d->n || (d->exact && !l->set.ordered);
}

static uint32_t null_label(const struct ldp *l, const struct prefix *fec)
{
	if (!l->set.family[family_afi(fec->addr.family)].explicit_null)
		return LDP_LABEL_IMPLICIT;
	return fec->addr.family == AF_INET ? LDP_LABEL_NULL4 : LDP_LABEL_NULL6;
}

static void set_waiting(struct ldp_fec *f, bool waiting)
{
	f->ldp->waiting += waiting - f->waiting;
	f->waiting = waiting;
}

/*
 * While we restart, what forwarding holds for the label stands until a way is known: the label is not asked for, and so
 * not programmed anew.
 */
static void set_label(struct ldp_fec *f, const struct prefix *fec, const struct decision *d)
{
	struct ldp *l = f->ldp;
	bool wanted = wants_label(l, fec, d), defer = wanted && l->restarting && !d->n && !f->user.binding;

	f->label = LDP_LABEL_NONE;
	if (d->egress && allocated(l, fec))
		f->label = null_label(l, fec);
	if (wanted && !defer)
		label_program(f, fec);
	else if (f->user.binding && label_held(f))
		label_program(f, fec);
	if (wanted && label_is_ready(&f->user))
		f->label = f->user.binding->label;
	set_waiting(f, wanted && !defer && f->label == LDP_LABEL_NONE);
}

static void fec_free(struct ldp_fec *f)
{
	struct ldp *l = f->ldp;
	struct prefix p = fec_prefix(f);

	list_del(&f->dirty);
	label_release(l->env.labels, &f->user);
	ways_set(f, &p, NULL, 0);
	set_waiting(f, false);
	free(f->bind);
	trie_remove(&l->fecs[family_afi(p.addr.family)], f);
}

/* gives back the label, or all of it, where nothing holds it any more */
static void fec_check(struct ldp_fec *f)
{
	struct prefix p = fec_prefix(f);

	if (!f->wanted && !label_held(f))
		label_release(f->ldp->env.labels, &f->user);
	if (!f->routed && !f->n_bind && !f->user.binding && !list_linked(&f->dirty)) {
		if (nht_main_ways(f->ldp->nht, &p, &(const struct nht_way *){ NULL }))
			return;
		fec_free(f);
	}
}

static void decide(struct ldp_fec *f)
{
	struct prefix fec = fec_prefix(f);
	struct ldp *l = f->ldp;
	struct decision d;
	struct ldp_peer *p;

	look(f, &fec, &d);
	f->routed = d.routed;
	f->egress = d.egress;
	f->wanted = wants_label(l, &fec, &d);
	ways_set(f, &fec, d.way, d.n);
	set_label(f, &fec, &d);
	list_for_each(p, &l->peers, struct ldp_peer, node)
		out_fec(p, f);
	fec_check(f);
}

static bool run(struct job *job, unsigned int budget)
{
	struct ldp *l = container_of(job, struct ldp, job);
	struct ldp_fec *f;

	while (budget-- && !list_empty(&l->dirty)) {
		f = list_first(&l->dirty, struct ldp_fec, dirty);
		list_del(&f->dirty);
		decide(f);
	}
	if (!list_empty(&l->dirty))
		return true;
	out_idle(l);
	return false;
}

/* ---- routes ---- */

static void mark_within(struct ldp *l, const struct prefix *p)
{
	struct trie *t = &l->fecs[family_afi(p->addr.family)];
	struct ldp_fec *f;

	for (f = trie_first_within(t, p); f; f = trie_next_within(t, f, p))
		fec_mark(f);
}

static void on_route(struct nht_main_sub *s, const struct prefix *p, const struct nht_way *ways, unsigned int n)
{
	struct ldp *l = container_of(s, struct ldp, main_sub);
	struct ldp_fec *f = fec_find(l, p);

	if (!is_fec(p))
		return;
	if (n && !f)
		f = fec_get(l, p);
	if (f)
		fec_mark(f);
	if (n)
		peer_route_changed(l, p);
	/* RFC 5283 section 5 */
	if (l->set.longest_match)
		mark_within(l, p);
}

static void on_connected(struct nht_connected_sub *s, bool add, uint32_t vrf, const struct prefix *net, int ifindex)
{
	struct ldp *l = container_of(s, struct ldp, connected_sub);
	struct trie *t = &l->connected[family_afi(net->addr.family)];
	bool created;
	uint32_t *n;

	if (vrf != VRF_ID_GLOBAL || !is_fec(net))
		return;
	n = add ? trie_insert(t, net, &created) : trie_get(t, net);
	if (!n)
		return;
	*n += add ? 1 : -1;
	if (!*n)
		trie_remove(t, n);
	fec_mark(fec_get(l, net));
}

void fec_init(struct ldp *l)
{
	job_init(&l->job, l->env.jobs, "ldp", run);
	l->main_sub.change = on_route;
	l->connected_sub.change = on_connected;
	nht_connected_subscribe(l->nht, &l->connected_sub);
	nht_main_subscribe(l->nht, &l->main_sub);
}

void fec_stop(struct ldp *l)
{
	struct ldp_fec *f;
	int afi;

	nht_connected_unsubscribe(&l->connected_sub);
	nht_main_unsubscribe(&l->main_sub);
	job_cancel(&l->job);
	for (afi = 0; afi < AFI_MAX; afi++) {
		while ((f = trie_next(&l->fecs[afi], NULL)))
			fec_free(f);
		trie_fini(&l->connected[afi], NULL, NULL);
		trie_init(&l->connected[afi], afi_family(afi), sizeof(uint32_t));
	}
}
