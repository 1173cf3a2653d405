// SPDX-License-Identifier: GPL-2.0
/*
 * Discovery: Hellos on links and to targets, and the adjacencies that those of others make (RFC 5036 section 2.4 and
 * 3.5.2, RFC 7552 sections 5 and 6.1.1, RFC 6720).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ldp/private.h"
#include "lib/log.h"
#include "lib/mem.h"

#define TTL_ONE_HOP 255

/* ---- adjacencies ---- */

static const char *adj_where(const struct ldp_adj *a, char buf[ADDR_STRLEN])
{
	return a->iface ? a->iface->set.name : addr_str(&a->target->addr, buf);
}

void adj_free(struct ldp_adj *a)
{
	timer_stop(&a->expiry);
	list_del(&a->place);
	list_del(&a->node);
	if (a->target)
		a->target->adj = NULL;
	free(a);
}

static void target_free(struct ldp_target *t);

static void adj_lost(struct ldp_adj *a, const char *why)
{
	struct ldp_peer *p = a->peer;
	struct ldp_target *t = a->target;
	char where[ADDR_STRLEN];

	log_notice("ldp", "%s: adjacency on %s lost: %s", p->name, adj_where(a, where), why);
	adj_free(a);
	if (t && !t->configured)
		target_free(t);
	peer_adj_lost(p, why);
}

static void expired(struct timer *t)
{
	adj_lost(container_of(t, struct ldp_adj, expiry), "hold time is over");
}

bool adj_any(const struct ldp_peer *p, uint8_t family, bool *gtsm, bool *link)
{
	const struct ldp_adj *a;
	bool any = false;

	*gtsm = *link = false;
	list_for_each(a, &p->adjs, struct ldp_adj, node) {
		if (a->family != family)
			continue;
		any = true;
		*link |= !!a->iface;
		*gtsm |= a->iface && a->gtsm;
	}
	return any;
}

const struct ldp_adj *adj_of_family(const struct ldp_peer *p, uint8_t family)
{
	const struct ldp_adj *a;

	list_for_each(a, &p->adjs, struct ldp_adj, node)
		if (a->family == family)
			return a;
	return NULL;
}

static uint16_t hold_of(uint16_t theirs, uint16_t ours, uint16_t dflt)
{
	if (!theirs)
		theirs = dflt;
	return theirs < ours ? theirs : ours;
}

/* ---- sending ---- */

static void hello_write(const struct ldp *l, struct buf *b, uint8_t family, uint16_t hold, uint16_t flags,
			uint32_t msg_id)
{
	struct ldp_hello h = {
		.hold = hold, .flags = flags, .transport = l->set.family[family_afi(family)].transport,
		.config_seq = l->config_seq,
	};
	struct ldp_writer w;

	if (l->set.family[AFI4].on && l->set.family[AFI6].on)
		h.transport_preference = l->set.prefer_ipv4 ? LDP_TR_IPV4 : LDP_TR_IPV6;
	ldp_pdu_begin(&w, b, &l->id);
	ldp_msg_begin(&w, LDP_MSG_HELLO, msg_id);
	ldp_put_hello(&w, &h);
	ldp_msg_end(&w);
	ldp_pdu_end(&w);
}

/* at most a third of the shortest hold time agreed on */
static uint32_t iface_interval(const struct ldp_iface *i)
{
	uint32_t interval = i->set.interval;
	const struct ldp_adj *a;

	if (interval > i->set.holdtime / 3u)
		interval = i->set.holdtime / 3u;
	list_for_each(a, &i->adjs, struct ldp_adj, place)
		if (interval > a->hold / 3u)
			interval = a->hold / 3u;
	return interval ? interval : 1;
}

static void iface_hello(struct ldp_iface *i)
{
	struct ldp *l = i->ldp;
	uint8_t mem[128];
	struct buf b;
	int afi;

	/* RFC 7552 section 6.1: IPv6 goes first */
	for (afi = AFI_MAX; afi-- > 0;) {
		if (!i->active[afi])
			continue;
		buf_init_fixed(&b, mem, sizeof(mem));
		hello_write(l, &b, afi_family(afi), i->set.holdtime, LDP_HELLO_GTSM, ++l->msg_id);
		l->net->hello_link(l->net_arg, afi_family(afi), i->ifindex, b.data, b.len);
	}
	if (i->active[AFI4] || i->active[AFI6])
		timer_start(&i->hello, iface_interval(i) * 1000ull);
}

static void iface_tick(struct timer *t)
{
	iface_hello(container_of(t, struct ldp_iface, hello));
}

static uint32_t target_interval(const struct ldp_target *t)
{
	const struct ldp_settings *s = &t->ldp->set;
	uint32_t interval = s->targeted_interval, hold = t->adj ? t->adj->hold : s->targeted_hold;

	if (interval > hold / 3)
		interval = hold / 3;
	return interval ? interval : 1;
}

static void target_hello(struct ldp_target *t)
{
	struct ldp *l = t->ldp;
	const struct ldp_family_settings *f = &l->set.family[family_afi(t->addr.family)];
	uint8_t mem[128];
	struct buf b;

	if (f->on) {
		buf_init_fixed(&b, mem, sizeof(mem));
		hello_write(l, &b, t->addr.family, l->set.targeted_hold,
			    LDP_HELLO_TARGETED | (t->configured ? LDP_HELLO_REQUEST : 0), ++l->msg_id);
		l->net->hello_targeted(l->net_arg, &f->transport, &t->addr, b.data, b.len);
	}
	timer_start(&t->hello, target_interval(t) * 1000ull);
}

static void target_tick(struct timer *t)
{
	target_hello(container_of(t, struct ldp_target, hello));
}

void disc_announce(struct ldp *l)
{
	struct ldp_iface *i;
	struct ldp_target *t;

	list_for_each(i, &l->ifaces, struct ldp_iface, node)
		iface_hello(i);
	list_for_each(t, &l->targets, struct ldp_target, node)
		target_hello(t);
}

/* ---- receiving ---- */

/* RFC 7552 section 6.1.1. false: the Hello counts for nothing. */
static bool preference_agrees(struct ldp *l, const struct ldp_id *id, const struct ldp_msg *m)
{
	uint8_t ours = l->set.prefer_ipv4 ? LDP_TR_IPV4 : LDP_TR_IPV6;
	struct ldp_peer *p;

	if (!l->set.family[AFI4].on || !l->set.family[AFI6].on || !(m->have & LDP_HAVE_DUAL_STACK) ||
	    m->transport_preference == ours)
		return true;
	p = peer_find(l, id);
	if (p && p->mismatch_told && !p->session)
		return false;
	log_err("ldp", "%u.%u.%u.%u: prefers another transport connection (%u) than we do (%u)", id->lsr[0],
		id->lsr[1], id->lsr[2], id->lsr[3], m->transport_preference, ours);
	if (p) {
		p->mismatch_told = true;
		if (p->session)
			session_fault(p->session, LDP_TRANSPORT_MISMATCH, "transport preference");
	}
	return false;
}

static struct ldp_iface *iface_by_index(const struct ldp *l, int ifindex)
{
	struct ldp_iface *i;

	list_for_each(i, &l->ifaces, struct ldp_iface, node)
		if (i->ifindex == ifindex)
			return i;
	return NULL;
}

static struct ldp_target *target_find(const struct ldp *l, const struct ip_addr *a)
{
	struct ldp_target *t;

	list_for_each(t, &l->targets, struct ldp_target, node)
		if (addr_eq(&t->addr, a))
			return t;
	return NULL;
}

static struct ldp_target *target_new(struct ldp *l, const struct ip_addr *a, bool configured)
{
	struct ldp_target *t = xcalloc(1, sizeof(*t));

	t->ldp = l;
	t->addr = *a;
	t->configured = configured;
	timer_init(&t->hello, l->env.jobs, target_tick);
	list_add_tail(&l->targets, &t->node);
	return t;
}

static void target_free(struct ldp_target *t)
{
	timer_stop(&t->hello);
	list_del(&t->node);
	free(t);
}

/* Is a targeted Hello from there acceptable? (RFC 5036 section 3.5.2.1) */
static struct ldp_target *target_accept(struct ldp *l, const struct ip_addr *from, const struct ldp_msg *m)
{
	const struct ldp_family_settings *f = &l->set.family[family_afi(from->family)];
	struct ldp_target *t = target_find(l, from);
	struct prefix host = prefix_host(from);
	unsigned int n = 0;

	if (t || !(m->hello_flags & LDP_HELLO_REQUEST))
		return t;
	if (!f->targeted_accept && !(f->targeted_from.n && ldp_filter_match(&f->targeted_from, &host)))
		return NULL;
	list_for_each(t, &l->targets, struct ldp_target, node)
		n++;
	if (l->n_peers >= LDP_NEIGHBORS_MAX || n >= LDP_TARGETS_MAX)
		return NULL;
	return target_new(l, from, false);
}

static struct ldp_adj *adj_find(const struct ldp_peer *p, const struct ldp_iface *i, const struct ldp_target *t,
				uint8_t family)
{
	struct ldp_adj *a;

	list_for_each(a, &p->adjs, struct ldp_adj, node)
		if (a->iface == i && a->target == t && a->family == family)
			return a;
	return NULL;
}

static struct ldp_adj *adj_new(struct ldp_peer *p, struct ldp_iface *i, struct ldp_target *t, uint8_t family)
{
	struct ldp_adj *a = xcalloc(1, sizeof(*a));

	a->peer = p;
	a->iface = i;
	a->target = t;
	a->family = family;
	timer_init(&a->expiry, p->ldp->env.jobs, expired);
	list_init(&a->place);
	if (i)
		list_add_tail(&i->adjs, &a->place);
	if (t)
		t->adj = a;
	if (list_empty(&p->adjs))
		p->since_us = jobs_clock_us(p->ldp->env.jobs);
	list_add_tail(&p->adjs, &a->node);
	return a;
}

/* What it says; true: about sessions it says something new. */
static bool adj_take(struct ldp_adj *a, const struct ldp_net_hello *from, const struct ldp_msg *m)
{
	const struct ldp_settings *s = &a->peer->ldp->set;
	const struct ip_addr *tr = a->family == AF_INET ? &m->transport4 : &m->transport6;
	struct ip_addr transport = addr_is_set(tr) ? *tr : from->from;
	bool dual = m->have & LDP_HAVE_DUAL_STACK, gtsm = m->hello_flags & LDP_HELLO_GTSM;
	bool changed = !addr_eq(&transport, &a->transport) || dual != a->dual_stack || gtsm != a->gtsm;

	a->source = from->from;
	a->transport = transport;
	a->dual_stack = dual;
	a->gtsm = gtsm;
	a->hold = a->iface ? hold_of(m->hello_hold, a->iface->set.holdtime, LDP_HOLD_LINK) :
			     hold_of(m->hello_hold, s->targeted_hold, LDP_HOLD_TARGETED);
	if (a->config_seq != m->config_seq) {
		/* RFC 5036 section 2.5.3: it has been reconfigured, so that another attempt is worth it */
		a->peer->backoff = 0;
		if (timer_running(&a->peer->retry) && a->config_seq)
			timer_start(&a->peer->retry, 0);
	}
	a->config_seq = m->config_seq;
	if (a->hold == LDP_HOLD_INFINITE)
		timer_stop(&a->expiry);
	else
		timer_start(&a->expiry, a->hold * 1000ull);
	return changed;
}

static bool link_hello_acceptable(const struct ldp_net_hello *from, const struct ldp_iface *i)
{
	if (!i || !i->active[family_afi(from->family)] || !from->multicast)
		return false;
	/* RFC 7552 sections 5.1 and 9 */
	return from->family == AF_INET || (from->ttl == TTL_ONE_HOP && addr_is_link_local(&from->from));
}

static bool transport_acceptable(const struct ldp_net_hello *from, const struct ldp_msg *m)
{
	const struct ip_addr *t = &m->transport6;

	if (from->family == AF_INET)
		return !addr_is_set(&m->transport4) ||
		       !(addr_is_multicast(&m->transport4) || addr_is_unspecified(&m->transport4));
	if (!addr_is_set(t))
		return true;
	return !addr_is_multicast(t) && !addr_is_unspecified(t) &&
	       !(m->hello_flags & LDP_HELLO_TARGETED && addr_is_link_local(t));
}

/* Another router answers there; the target itself stays. */
static void target_taken_over(struct ldp_target *t)
{
	struct ldp_peer *p = t->adj->peer;

	adj_free(t->adj);
	peer_adj_lost(p, "another router answers");
}

void ldp_net_hello(struct ldp *l, const struct ldp_net_hello *from, const void *data, size_t len)
{
	struct ldp_iface *i = NULL;
	struct ldp_target *t = NULL;
	struct ldp_fault fault;
	struct ldp_pdu pdu;
	struct ldp_msg m;
	struct ldp_peer *p;
	struct ldp_adj *a;
	char where[ADDR_STRLEN];
	bool is_new;

	if (!l->running || !l->set.family[family_afi(from->family)].on ||
	    ldp_pdu_read(data, len, LDP_PDU_DEFAULT, &pdu, &fault) != LDP_OK ||
	    ldp_msg_read(&pdu.body, &m, &fault) != LDP_OK || m.type != LDP_MSG_HELLO ||
	    ldp_id_eq(&pdu.id, &l->id) || !transport_acceptable(from, &m))
		return;
	if (!(m.hello_flags & LDP_HELLO_TARGETED)) {
		i = iface_by_index(l, from->ifindex);
		if (!link_hello_acceptable(from, i))
			return;
	} else if (from->multicast || nht_link_vrf(l->nht, from->ifindex) != VRF_ID_GLOBAL) {
		return;
	}
	if (!preference_agrees(l, &pdu.id, &m))
		return;
	if (m.hello_flags & LDP_HELLO_TARGETED) {
		t = target_accept(l, &from->from, &m);
		if (!t)
			return;
	}
	p = peer_get(l, &pdu.id);
	if (!p)
		return;
	if (t && t->adj && t->adj->peer != p)
		target_taken_over(t);
	a = adj_find(p, i, t, from->family);
	is_new = !a;
	if (is_new)
		a = adj_new(p, i, t, from->family);
	if (!adj_take(a, from, &m) && !is_new)
		return;
	if (is_new) {
		p->mismatch_told = false;
		if (peer_up(p)) {
			peer_learn_link_local(p);
			fec_mark_peer(p);
		}
		log_info("ldp", "%s: adjacency on %s", p->name, adj_where(a, where));
		/* so that it need not wait for ours */
		if (i)
			iface_hello(i);
		else
			target_hello(t);
	}
	peer_update(p);
}

/* ---- interfaces ---- */

static void iface_drop_adjs(struct ldp_iface *i, uint8_t family, const char *why)
{
	struct ldp_adj *a, *tmp;
	bool again = true;

	/* losing one may take the peer, and others of its adjacencies with it */
	while (again) {
		again = false;
		list_for_each_safe(a, tmp, &i->adjs, struct ldp_adj, place) {
			if (a->family != family)
				continue;
			adj_lost(a, why);
			again = true;
			break;
		}
	}
}

static void iface_check(struct ldp_iface *i)
{
	struct ldp *l = i->ldp;
	bool want, changed = false;
	int afi;

	for (afi = 0; afi < AFI_MAX; afi++) {
		want = i->up && i->set.family[afi] && l->set.family[afi].on && i->addresses[afi] &&
		       nht_link_vrf(l->nht, i->ifindex) == VRF_ID_GLOBAL;
		if (want == i->active[afi])
			continue;
		i->active[afi] = want;
		changed |= want;
		l->net->listen(l->net_arg, afi_family(afi), i->ifindex, want);
		if (!want)
			iface_drop_adjs(i, afi_family(afi), i->up ? "LDP stops there" : "link down");
	}
	if (changed)
		iface_hello(i);
	if (!i->active[AFI4] && !i->active[AFI6])
		timer_stop(&i->hello);
}

static void iface_off(struct ldp_iface *i)
{
	i->up = false;
	iface_check(i);
}

static void iface_free(struct ldp_iface *i)
{
	iface_off(i);
	timer_stop(&i->hello);
	list_del(&i->node);
	free(i);
}

static struct ldp_iface *iface_by_name(const struct ldp *l, const char *name)
{
	struct ldp_iface *i;

	list_for_each(i, &l->ifaces, struct ldp_iface, node)
		if (!strcmp(i->set.name, name))
			return i;
	return NULL;
}

/* a link Hello goes from an IPv4 address, or from a link-local one */
static void iface_count(struct ldp_iface *i)
{
	i->addresses[AFI4] = own_count(i->ldp, i->ifindex, AF_INET);
	i->addresses[AFI6] = own_count(i->ldp, i->ifindex, AF_INET6);
}

static void iface_set(struct ldp *l, const struct ldp_iface_settings *set)
{
	struct ldp_iface *i = iface_by_name(l, set->name);
	const struct nht_link *link = nht_link_by_name(l->nht, set->name);

	if (!i) {
		i = xcalloc(1, sizeof(*i));
		i->ldp = l;
		list_init(&i->adjs);
		timer_init(&i->hello, l->env.jobs, iface_tick);
		list_add_tail(&l->ifaces, &i->node);
	}
	i->set = *set;
	i->ifindex = link ? link->ifindex : 0;
	i->up = link && link->up;
	iface_count(i);
	iface_check(i);
}

static const struct ldp_iface_settings *settings_of(const struct ldp *l, const char *name)
{
	unsigned int n;

	for (n = 0; n < l->set.n_ifaces; n++)
		if (!strcmp(l->set.ifaces[n].name, name))
			return &l->set.ifaces[n];
	return NULL;
}

static bool target_configured(const struct ldp *l, const struct ip_addr *a)
{
	const struct ldp_family_settings *f = &l->set.family[family_afi(a->family)];
	unsigned int n;

	for (n = 0; f->on && n < f->n_targets; n++)
		if (addr_eq(&f->targets[n], a))
			return true;
	return false;
}

static bool target_wanted(const struct ldp *l, const struct ldp_target *t)
{
	const struct ldp_family_settings *f = &l->set.family[family_afi(t->addr.family)];
	struct prefix host = prefix_host(&t->addr);

	return target_configured(l, &t->addr) ||
	       (f->on && t->adj && (f->targeted_accept ||
				    (f->targeted_from.n && ldp_filter_match(&f->targeted_from, &host))));
}

static void targets_apply(struct ldp *l)
{
	const struct ldp_family_settings *f;
	struct ldp_target *t, *tmp;
	unsigned int n;
	int afi;

	list_for_each_safe(t, tmp, &l->targets, struct ldp_target, node) {
		if (target_wanted(l, t)) {
			t->configured = target_configured(l, &t->addr);
			continue;
		}
		t->configured = true;	/* so that it stays until here */
		if (t->adj)
			adj_lost(t->adj, "no longer wanted");
		target_free(t);
	}
	for (afi = 0; afi < AFI_MAX; afi++) {
		f = &l->set.family[afi];
		for (n = 0; f->on && n < f->n_targets; n++)
			if (!target_find(l, &f->targets[n]))
				target_hello(target_new(l, &f->targets[n], true));
	}
}

void disc_apply(struct ldp *l)
{
	struct ldp_iface *i, *tmp;
	unsigned int n;

	list_for_each_safe(i, tmp, &l->ifaces, struct ldp_iface, node)
		if (!settings_of(l, i->set.name))
			iface_free(i);
	for (n = 0; n < l->set.n_ifaces; n++)
		iface_set(l, &l->set.ifaces[n]);
	targets_apply(l);
}

/* ---- links and addresses of ours ---- */

static void on_addr(struct nht_link_sub *s, const struct nht_link *link, const struct prefix *p, bool add)
{
	struct ldp *l = container_of(s, struct ldp, link_sub);
	struct ldp_iface *i = iface_by_index(l, link->ifindex);

	own_addr(l, link, &p->addr, add);
	if (i) {
		iface_count(i);
		iface_check(i);
	}
}

static void on_link(struct nht_link_sub *s, const struct nht_link *link, bool present)
{
	struct ldp *l = container_of(s, struct ldp, link_sub);
	struct ldp_iface *i = iface_by_index(l, link->ifindex);

	own_link(l, link, present);
	/* gone, or renamed */
	if (i && (!present || strcmp(i->set.name, link->name))) {
		iface_off(i);
		i->ifindex = 0;
		i = NULL;
	}
	if (!present)
		return;
	i = iface_by_name(l, link->name);
	if (!i)
		return;
	if (i->ifindex && i->ifindex != link->ifindex)
		iface_off(i);
	i->ifindex = link->ifindex;
	i->up = link->up;
	iface_count(i);
	iface_check(i);
}

void disc_init(struct ldp *l)
{
	l->link_sub.link = on_link;
	l->link_sub.addr = on_addr;
	nht_link_subscribe(l->nht, &l->link_sub);
}

void disc_stop(struct ldp *l)
{
	struct ldp_iface *i, *itmp;
	struct ldp_target *t, *ttmp;

	nht_link_unsubscribe(&l->link_sub);
	list_for_each_safe(i, itmp, &l->ifaces, struct ldp_iface, node)
		iface_free(i);
	list_for_each_safe(t, ttmp, &l->targets, struct ldp_target, node)
		target_free(t);
	own_stop(l);
}

/* ---- for show ---- */

static void fill_adj(struct ldp_discovery_info *d, const struct ldp_adj *a)
{
	uint64_t now = jobs_clock_us(a->peer->ldp->env.jobs);

	d->state = "up";
	snprintf(d->neighbor, sizeof(d->neighbor), "%s", a->peer->name);
	d->address = a->source;
	d->transport = a->transport;
	d->hold = a->hold;
	if (timer_running(&a->expiry) && a->expiry.due_us > now)
		d->expires = (a->expiry.due_us - now) / 1000000;
}

/* the @n-th adjacency of the family; with none, row 0 says why */
static bool iface_row(const struct ldp_iface *i, enum afi afi, unsigned int *n, struct ldp_discovery_info *d)
{
	const struct ldp_adj *a;
	bool any = false;

	memset(d, 0, sizeof(*d));
	snprintf(d->source, sizeof(d->source), "%s", i->set.name);
	d->family = afi_family(afi);
	d->interval = iface_interval(i);
	list_for_each(a, &i->adjs, struct ldp_adj, place) {
		if (a->family != d->family)
			continue;
		any = true;
		if (*n == 0) {
			fill_adj(d, a);
			return true;
		}
		(*n)--;
	}
	if (any || !i->set.family[afi] || !i->ldp->set.family[afi].on)
		return false;
	d->state = !i->up ? "down" : !i->active[afi] ? "no-address" : "no-neighbor";
	return (*n)-- == 0;
}

bool ldp_discovery_at(const struct ldp *l, unsigned int n, struct ldp_discovery_info *d)
{
	const struct ldp_iface *i;
	const struct ldp_target *t;
	int afi;

	list_for_each(i, &l->ifaces, struct ldp_iface, node)
		for (afi = 0; afi < AFI_MAX; afi++)
			if (iface_row(i, afi, &n, d))
				return true;
	list_for_each(t, &l->targets, struct ldp_target, node) {
		if (n--)
			continue;
		memset(d, 0, sizeof(*d));
		addr_str(&t->addr, d->source);
		d->targeted = true;
		d->family = t->addr.family;
		d->interval = target_interval(t);
		d->state = "no-neighbor";
		if (t->adj)
			fill_adj(d, t->adj);
		return true;
	}
	return false;
}
