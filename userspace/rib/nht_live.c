// SPDX-License-Identifier: GPL-2.0
/*
 * What a lost neighbour means for next hops and paths (rib/liveness.h, nht.h): next hops that ask for it, routers
 * behind interfaces of the core, remote PEs. Forwarding has passed over a lost one already when this hears of it;
 * here follow the choice of routes, and what is announced.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "rib/liveness.h"
#include "rib/private.h"

struct nht_watched {
	struct liveness_watch watch;
	struct nht *nht;
	struct nexthop *nh;
};

/* An interface whose neighbours are watched. */
struct live_interface {
	struct list node;
	char name[IF_NAMESIZE];
	struct nexthop_live live;
};

struct nht_neighbor {
	struct list node;
	struct liveness_watch watch;
	struct nht *nht;
	uint32_t refs;
	char ifname[IF_NAMESIZE];
	struct ip_addr addr;
};

struct live_pe {
	struct list node;
	struct liveness_watch watch;
	struct nht *nht;
	struct ip_addr addr;
};

struct nht_live {
	struct nht *nht;
	struct list interfaces, neighbors, pes;
};

static void watch(struct nht *nht, struct liveness_watch *w, const struct liveness_key *key,
		  const struct nexthop_live *live)
{
	const struct liveness_params params = { .interval_us = live->interval_us, .multiplier = live->multiplier };

	liveness_watch(nht->rib->liveness, w, key, &params);
}

static bool down(const struct liveness_watch *w)
{
	return liveness_state(w) == LIVENESS_DOWN;
}

/* ---- next hops ---- */

static void on_nexthop(struct liveness_watch *w, enum liveness_state state, const char *why)
{
	struct nht_watched *x = container_of(w, struct nht_watched, watch);

	nexthop_mark(x->nht, x->nh);
}

struct nht_watched *nht_watched_new(struct nht *nht, struct nexthop *nh)
{
	struct nht_watched *x = xcalloc(1, sizeof(*x));
	const struct nexthop_key *k = &nh->key;
	struct liveness_key key = liveness_key(k->vrf, k->live.multihop, &k->addr, &k->live.local, k->ifname);

	x->nht = nht;
	x->nh = nh;
	x->watch.change = on_nexthop;
	watch(nht, &x->watch, &key, &k->live);
	return x;
}

void nht_watched_free(struct nht *nht, struct nht_watched *x)
{
	if (!x)
		return;
	liveness_unwatch(nht->rib->liveness, &x->watch);
	free(x);
}

bool nht_watched_down(const struct nht_watched *x)
{
	return x && down(&x->watch);
}

/* ---- routers of the core ---- */

static struct live_interface *interface_find(const struct nht_live *l, const char *name)
{
	struct live_interface *i;

	list_for_each(i, &l->interfaces, struct live_interface, node)
		if (!strcmp(i->name, name))
			return i;
	return NULL;
}

static void on_neighbor(struct liveness_watch *w, enum liveness_state state, const char *why)
{
	struct nht_neighbor *n = container_of(w, struct nht_neighbor, watch);

	nht_vrf_mark(n->nht, VRF_ID_GLOBAL);
}

static void neighbor_watch(struct nht_neighbor *n, const struct nexthop_live *live)
{
	struct liveness_key key = liveness_key(VRF_ID_GLOBAL, false, &n->addr, NULL, n->ifname);

	watch(n->nht, &n->watch, &key, live);
}

struct nht_neighbor *nht_neighbor_hold(struct nht *nht, int ifindex, const struct ip_addr *addr)
{
	struct nht_live *l = nht->live;
	const struct nht_link *link;
	struct live_interface *i;
	struct nht_neighbor *n;

	if (list_empty(&l->interfaces) || !addr_is_set(addr))
		return NULL;
	link = nht_link_by_index(nht, ifindex);
	i = link ? interface_find(l, link->name) : NULL;
	if (!i)
		return NULL;
	list_for_each(n, &l->neighbors, struct nht_neighbor, node)
		if (!strcmp(n->ifname, link->name) && addr_eq(&n->addr, addr)) {
			n->refs++;
			return n;
		}
	n = xcalloc(1, sizeof(*n));
	n->nht = nht;
	n->refs = 1;
	n->addr = *addr;
	snprintf(n->ifname, sizeof(n->ifname), "%s", link->name);
	n->watch.change = on_neighbor;
	list_add_tail(&l->neighbors, &n->node);
	neighbor_watch(n, &i->live);
	return n;
}

void nht_neighbor_put(struct nht *nht, struct nht_neighbor *n)
{
	if (!n || --n->refs)
		return;
	liveness_unwatch(nht->rib->liveness, &n->watch);
	list_del(&n->node);
	free(n);
}

bool nht_neighbor_down(const struct nht_neighbor *n)
{
	return n && down(&n->watch);
}

void nht_live_interface(struct nht *nht, const char *ifname, const struct nexthop_live *live)
{
	struct nht_live *l = nht->live;
	struct live_interface *i = interface_find(l, ifname);
	struct nht_neighbor *n;

	if (!i && !live->interval_us)
		return;
	if (!i) {
		i = xcalloc(1, sizeof(*i));
		snprintf(i->name, sizeof(i->name), "%s", ifname);
		list_add_tail(&l->interfaces, &i->node);
	}
	i->live = *live;
	if (!live->interval_us) {
		list_del(&i->node);
		free(i);
	} else {
		list_for_each(n, &l->neighbors, struct nht_neighbor, node)
			if (!strcmp(n->ifname, ifname))
				neighbor_watch(n, live);
	}
	/* paths take their neighbours up, or let go of them, when they are looked at again */
	nht_vrf_mark(nht, VRF_ID_GLOBAL);
}

/* ---- remote PEs ---- */

static struct live_pe *pe_find(const struct nht_live *l, const struct ip_addr *addr)
{
	struct live_pe *p;

	list_for_each(p, &l->pes, struct live_pe, node)
		if (addr_eq(&p->addr, addr))
			return p;
	return NULL;
}

static void on_pe(struct liveness_watch *w, enum liveness_state state, const char *why)
{
	struct live_pe *p = container_of(w, struct live_pe, watch);

	nht_pe_mark(p->nht, &p->addr);
}

static void pe_free(struct live_pe *p)
{
	liveness_unwatch(p->nht->rib->liveness, &p->watch);
	list_del(&p->node);
	free(p);
}

void nht_live_pe(struct nht *nht, const struct ip_addr *pe, const struct nexthop_live *live)
{
	struct live_pe *p = pe_find(nht->live, pe);
	struct liveness_key key;

	if (!live->interval_us) {
		if (p)
			pe_free(p);
		nht_pe_mark(nht, pe);
		return;
	}
	if (!p) {
		p = xcalloc(1, sizeof(*p));
		p->nht = nht;
		p->addr = *pe;
		p->watch.change = on_pe;
		p->watch.pe = true;
		list_add_tail(&nht->live->pes, &p->node);
	}
	key = liveness_key(VRF_ID_GLOBAL, true, pe, &live->local, NULL);
	watch(nht, &p->watch, &key, live);
	nht_pe_mark(nht, pe);
}

bool nht_live_pe_down(const struct nht *nht, const struct ip_addr *pe)
{
	const struct live_pe *p = list_empty(&nht->live->pes) ? NULL : pe_find(nht->live, pe);

	return p && down(&p->watch);
}

/* ---- life ---- */

struct nht_live *nht_live_new(struct nht *nht)
{
	struct nht_live *l = xcalloc(1, sizeof(*l));

	l->nht = nht;
	list_init(&l->interfaces);
	list_init(&l->neighbors);
	list_init(&l->pes);
	return l;
}

void nht_live_free(struct nht_live *l)
{
	struct live_interface *i;
	struct nht_neighbor *n;

	while (!list_empty(&l->pes))
		pe_free(list_first(&l->pes, struct live_pe, node));
	while (!list_empty(&l->neighbors)) {
		n = list_first(&l->neighbors, struct nht_neighbor, node);
		liveness_unwatch(l->nht->rib->liveness, &n->watch);
		list_del(&n->node);
		free(n);
	}
	while (!list_empty(&l->interfaces)) {
		i = list_first(&l->interfaces, struct live_interface, node);
		list_del(&i->node);
		free(i);
	}
	free(l);
}
