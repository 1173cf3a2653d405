// SPDX-License-Identifier: GPL-2.0
/*
 * The host as next-hop tracking sees it: links, their addresses and VRFs, and the main table's
 * routes (nht.h, the feed). Says what is connected, and to which addresses we answer ourselves.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "rib/private.h"

struct host_addr {
	struct list node;
	struct prefix p;		/* with host bits */
};

struct host_link {
	struct hash_node node;		/* by ifindex */
	struct list vrf_node;		/* links of one VRF */
	struct nht_link link;
	uint32_t vrf;
	struct list addrs;
};

/* to which VRF a name belongs, whether the link exists or not */
struct host_port {
	struct hash_node node;
	char name[IF_NAMESIZE];
	uint32_t vrf;
};

struct host_vrf {
	struct hash_node node;
	uint32_t vrf;
	struct list links;
};

struct main_route {
	uint32_t metric;
	unsigned int n;
	struct nht_way ways[];
};

struct nht_host {
	struct nht *nht;
	struct hash links, ports, vrfs;
	struct trie main[AFI_MAX];	/* struct main_route * */
	struct list connected_subs;
	struct list main_subs;
	struct list link_subs;
};

/* ---- links by VRF ---- */

static bool match_vrf(const struct hash_node *n, const void *key)
{
	return hash_entry(n, struct host_vrf, node)->vrf == *(const uint32_t *)key;
}

static struct host_vrf *vrf_find(const struct nht_host *h, uint32_t vrf)
{
	struct hash_node *n = hash_find(&h->vrfs, hash_u64(vrf, 0), match_vrf, &vrf);

	return n ? hash_entry(n, struct host_vrf, node) : NULL;
}

static void vrf_enter(struct nht_host *h, struct host_link *l, uint32_t vrf)
{
	struct host_vrf *v = vrf_find(h, vrf);

	if (!v) {
		v = xcalloc(1, sizeof(*v));
		v->vrf = vrf;
		list_init(&v->links);
		hash_insert(&h->vrfs, &v->node, hash_u64(vrf, 0));
	}
	l->vrf = vrf;
	list_add_tail(&v->links, &l->vrf_node);
}

static void vrf_leave(struct nht_host *h, struct host_link *l)
{
	struct host_vrf *v = vrf_find(h, l->vrf);

	list_del(&l->vrf_node);
	if (v && list_empty(&v->links)) {
		hash_remove(&h->vrfs, &v->node);
		free(v);
	}
}

/* ---- ports ---- */

static bool match_port(const struct hash_node *n, const void *key)
{
	return !strcmp(hash_entry(n, struct host_port, node)->name, key);
}

static struct host_port *port_find(const struct nht_host *h, const char *name)
{
	struct hash_node *n = hash_find(&h->ports, hash_bytes(name, strlen(name), 0), match_port,
					name);

	return n ? hash_entry(n, struct host_port, node) : NULL;
}

static uint32_t port_vrf(const struct nht_host *h, const char *name)
{
	struct host_port *p = port_find(h, name);

	return p ? p->vrf : VRF_ID_GLOBAL;
}

/* ---- connected networks ---- */

static bool is_connected_net(const struct prefix *p)
{
	return !(p->addr.family == AF_INET6 && addr_is_link_local(&p->addr)) &&
	       !addr_is_loopback(&p->addr);
}

static void tell(struct nht_host *h, bool add, const struct host_link *l, const struct prefix *p)
{
	struct nht_connected_sub *s;
	struct prefix net = *p;

	if (!is_connected_net(p))
		return;
	prefix_mask(&net);
	list_for_each(s, &h->connected_subs, struct nht_connected_sub, node)
		s->change(s, add, l->vrf, &net, l->link.ifindex);
}

static void tell_all(struct nht_host *h, bool add, const struct host_link *l)
{
	struct host_addr *a;

	if (!l->link.up)
		return;
	list_for_each(a, &l->addrs, struct host_addr, node)
		tell(h, add, l, &a->p);
}

void nht_connected_subscribe(struct nht *nht, struct nht_connected_sub *s)
{
	struct nht_host *h = nht->host;
	struct hash_node *n;
	struct host_link *l;
	struct host_addr *a;
	struct prefix net;

	list_add_tail(&h->connected_subs, &s->node);
	for (n = hash_next(&h->links, NULL); n; n = hash_next(&h->links, n)) {
		l = hash_entry(n, struct host_link, node);
		if (!l->link.up)
			continue;
		list_for_each(a, &l->addrs, struct host_addr, node) {
			if (!is_connected_net(&a->p))
				continue;
			net = a->p;
			prefix_mask(&net);
			s->change(s, true, l->vrf, &net, l->link.ifindex);
		}
	}
}

void nht_connected_unsubscribe(struct nht_connected_sub *s)
{
	list_del(&s->node);
}

/* ---- links ---- */

static void tell_link(struct nht_host *h, const struct host_link *l, bool present)
{
	struct nht_link_sub *s, *tmp;

	list_for_each_safe(s, tmp, &h->link_subs, struct nht_link_sub, node)
		s->link(s, &l->link, present);
}

static void tell_addr(struct nht_host *h, const struct host_link *l, const struct prefix *p, bool add)
{
	struct nht_link_sub *s, *tmp;

	list_for_each_safe(s, tmp, &h->link_subs, struct nht_link_sub, node)
		s->addr(s, &l->link, p, add);
}

void nht_link_subscribe(struct nht *nht, struct nht_link_sub *s)
{
	struct nht_host *h = nht->host;
	struct hash_node *n;
	struct host_link *l;
	struct host_addr *a;

	list_add_tail(&h->link_subs, &s->node);
	for (n = hash_next(&h->links, NULL); n; n = hash_next(&h->links, n)) {
		l = hash_entry(n, struct host_link, node);
		s->link(s, &l->link, true);
		list_for_each(a, &l->addrs, struct host_addr, node)
			s->addr(s, &l->link, &a->p, true);
	}
}

void nht_link_unsubscribe(struct nht_link_sub *s)
{
	list_del(&s->node);
}

static bool match_link(const struct hash_node *n, const void *key)
{
	return hash_entry(n, struct host_link, node)->link.ifindex == *(const int *)key;
}

static struct host_link *link_find(const struct nht_host *h, int ifindex)
{
	struct hash_node *n = hash_find(&h->links, hash_u64(ifindex, 0), match_link, &ifindex);

	return n ? hash_entry(n, struct host_link, node) : NULL;
}

void nht_link_set(struct nht *nht, const struct nht_link *link)
{
	struct nht_host *h = nht->host;
	struct host_link *l = link_find(h, link->ifindex);
	uint32_t vrf = port_vrf(h, link->name), old_vrf = vrf;

	if (l) {
		if (!strcmp(l->link.name, link->name) && l->link.up == link->up && l->vrf == vrf)
			return;
		tell_all(h, false, l);
		old_vrf = l->vrf;
		vrf_leave(h, l);
	} else {
		l = xcalloc(1, sizeof(*l));
		list_init(&l->addrs);
		list_init(&l->vrf_node);
		l->link.ifindex = link->ifindex;
		hash_insert(&h->links, &l->node, hash_u64(link->ifindex, 0));
	}
	memcpy(l->link.name, link->name, sizeof(l->link.name));
	l->link.name[IF_NAMESIZE - 1] = 0;
	l->link.up = link->up;
	vrf_enter(h, l, vrf);
	tell_link(h, l, true);
	tell_all(h, true, l);
	nht_vrf_mark(nht, vrf);
	if (old_vrf != vrf)
		nht_vrf_mark(nht, old_vrf);
}

static void addrs_free(struct host_link *l)
{
	struct host_addr *a;

	while (!list_empty(&l->addrs)) {
		a = list_first(&l->addrs, struct host_addr, node);
		list_del(&a->node);
		free(a);
	}
}

void nht_link_del(struct nht *nht, int ifindex)
{
	struct nht_host *h = nht->host;
	struct host_link *l = link_find(h, ifindex);
	uint32_t vrf;

	if (!l)
		return;
	vrf = l->vrf;
	tell_all(h, false, l);
	tell_link(h, l, false);
	vrf_leave(h, l);
	addrs_free(l);
	hash_remove(&h->links, &l->node);
	free(l);
	nht_vrf_mark(nht, vrf);
}

void nht_port_vrf(struct nht *nht, const char *ifname, uint32_t vrf)
{
	struct nht_host *h = nht->host;
	struct host_port *p = port_find(h, ifname);
	const struct nht_link *l;
	struct nht_link same;

	if (p && !vrf) {
		hash_remove(&h->ports, &p->node);
		free(p);
	} else if (p) {
		p->vrf = vrf;
	} else if (vrf) {
		p = xcalloc(1, sizeof(*p));
		strncpy(p->name, ifname, sizeof(p->name) - 1);
		p->vrf = vrf;
		hash_insert(&h->ports, &p->node, hash_bytes(p->name, strlen(p->name), 0));
	}
	l = nht_link_by_name(nht, ifname);
	if (!l)
		return;
	same = *l;
	nht_link_set(nht, &same);
}

const struct nht_link *nht_link_by_index(const struct nht *nht, int ifindex)
{
	struct host_link *l = link_find(nht->host, ifindex);

	return l ? &l->link : NULL;
}

const struct nht_link *nht_link_by_name(const struct nht *nht, const char *name)
{
	struct host_vrf *v = vrf_find(nht->host, port_vrf(nht->host, name));
	struct hash_node *n;
	struct host_link *l;

	/* where it should be first: a VRF has few links */
	if (v)
		list_for_each(l, &v->links, struct host_link, vrf_node)
			if (!strcmp(l->link.name, name))
				return &l->link;
	for (n = hash_next(&nht->host->links, NULL); n; n = hash_next(&nht->host->links, n)) {
		l = hash_entry(n, struct host_link, node);
		if (!strcmp(l->link.name, name))
			return &l->link;
	}
	return NULL;
}

uint32_t nht_link_vrf(const struct nht *nht, int ifindex)
{
	struct host_link *l = link_find(nht->host, ifindex);

	return l ? l->vrf : VRF_ID_GLOBAL;
}

/* ---- addresses ---- */

static struct host_addr *addr_find(const struct host_link *l, const struct prefix *p)
{
	struct host_addr *a;

	list_for_each(a, &l->addrs, struct host_addr, node)
		if (prefix_eq(&a->p, p))
			return a;
	return NULL;
}

/* another address of the link is in the same network */
static bool net_shared(const struct host_link *l, const struct prefix *p)
{
	struct host_addr *a;

	list_for_each(a, &l->addrs, struct host_addr, node)
		if (a->p.len == p->len && prefix_contains_addr(p, &a->p.addr))
			return true;
	return false;
}

void nht_addr_add(struct nht *nht, int ifindex, const struct prefix *p)
{
	struct host_link *l = link_find(nht->host, ifindex);
	struct host_addr *a;
	bool shared;

	if (!l || addr_find(l, p))
		return;
	shared = net_shared(l, p);
	a = xcalloc(1, sizeof(*a));
	a->p = *p;
	list_add_tail(&l->addrs, &a->node);
	if (l->link.up && !shared)
		tell(nht->host, true, l, p);
	tell_addr(nht->host, l, p, true);
	nht_vrf_mark(nht, l->vrf);
}

void nht_addr_del(struct nht *nht, int ifindex, const struct prefix *p)
{
	struct host_link *l = link_find(nht->host, ifindex);
	struct host_addr *a = l ? addr_find(l, p) : NULL;

	if (!a)
		return;
	list_del(&a->node);
	free(a);
	if (l->link.up && !net_shared(l, p))
		tell(nht->host, false, l, p);
	tell_addr(nht->host, l, p, false);
	nht_vrf_mark(nht, l->vrf);
}

bool nht_own_address(const struct nht *nht, uint32_t vrf, const struct ip_addr *addr)
{
	struct host_vrf *v = vrf_find(nht->host, vrf);
	struct host_link *l;
	struct host_addr *a;

	if (v)
		list_for_each(l, &v->links, struct host_link, vrf_node)
			list_for_each(a, &l->addrs, struct host_addr, node)
				if (addr_eq(&a->p.addr, addr))
					return true;
	return false;
}

bool nht_connected(const struct nht *nht, uint32_t vrf, const struct ip_addr *addr, int *ifindex,
		   struct prefix *net)
{
	struct host_vrf *v = vrf_find(nht->host, vrf);
	struct host_link *l;
	struct host_addr *a;
	int best = -1;

	if (!v || (addr->family == AF_INET6 && addr_is_link_local(addr)))
		return false;
	list_for_each(l, &v->links, struct host_link, vrf_node) {
		if (!l->link.up)
			continue;
		list_for_each(a, &l->addrs, struct host_addr, node) {
			if (a->p.len <= best || !prefix_contains_addr(&a->p, addr))
				continue;
			best = a->p.len;
			*ifindex = l->link.ifindex;
			*net = a->p;
		}
	}
	if (best < 0)
		return false;
	prefix_mask(net);
	return true;
}

/* ---- the main table ---- */

static void main_changed(struct nht *nht, const struct prefix *p, const struct main_route *r)
{
	struct nht_main_sub *s, *tmp;

	nht_vrf_mark(nht, VRF_ID_GLOBAL);
	list_for_each_safe(s, tmp, &nht->host->main_subs, struct nht_main_sub, node)
		s->change(s, p, r ? r->ways : NULL, r ? r->n : 0);
}

static bool way_eq(const struct nht_way *a, const struct nht_way *b)
{
	return a->ifindex == b->ifindex && a->weight == b->weight && addr_eq(&a->gateway, &b->gateway);
}

static bool main_same(const struct main_route *r, const struct nht_way *ways, unsigned int n,
		      uint32_t metric)
{
	unsigned int i;

	for (i = 0; r->n == n && i < n && way_eq(&r->ways[i], &ways[i]); i++)
		;
	return r->n == n && i == n && r->metric == metric;
}

void nht_route_set(struct nht *nht, const struct prefix *p, const struct nht_way *ways, unsigned int n,
		   uint32_t metric)
{
	struct main_route **at, *now;
	bool created;

	if (n > NEXTHOP_MEMBERS_MAX)
		n = NEXTHOP_MEMBERS_MAX;
	at = trie_insert(&nht->host->main[family_afi(p->addr.family)], p, &created);
	if (!at || (!created && main_same(*at, ways, n, metric)))
		return;
	now = xcalloc(1, sizeof(*now) + n * sizeof(*ways));
	now->metric = metric;
	now->n = n;
	memcpy(now->ways, ways, n * sizeof(*ways));
	if (!created)
		free(*at);
	*at = now;
	main_changed(nht, p, now);
}

void nht_route_del(struct nht *nht, const struct prefix *p)
{
	struct trie *t = &nht->host->main[family_afi(p->addr.family)];
	struct main_route **r = trie_get(t, p);

	if (!r)
		return;
	free(*r);
	trie_remove(t, r);
	main_changed(nht, p, NULL);
}

bool nht_main_lookup(const struct nht *nht, const struct ip_addr *a, struct ip_addr *gateway,
		     int *ifindex, uint32_t *metric)
{
	struct main_route **at = trie_longest(&nht->host->main[family_afi(a->family)], a);
	const struct nht_way *first;

	if (!at)
		return false;
	first = &(*at)->ways[0];
	*gateway = addr_is_set(&first->gateway) ? first->gateway : *a;
	*ifindex = first->ifindex;
	*metric = (*at)->metric;
	return true;
}

unsigned int nht_main_route(const struct nht *nht, const struct ip_addr *a, struct prefix *p,
			    const struct nht_way **ways)
{
	struct trie *t = &nht->host->main[family_afi(a->family)];
	struct main_route **at = trie_longest(t, a);

	if (!at)
		return 0;
	*p = trie_prefix(t, at);
	*ways = (*at)->ways;
	return (*at)->n;
}

unsigned int nht_main_ways(const struct nht *nht, const struct prefix *p, const struct nht_way **ways)
{
	struct main_route **at = trie_get(&nht->host->main[family_afi(p->addr.family)], p);

	if (!at)
		return 0;
	*ways = (*at)->ways;
	return (*at)->n;
}

unsigned int nht_main_longest(const struct nht *nht, const struct prefix *p, struct prefix *match,
			      const struct nht_way **ways)
{
	const struct trie *t = &nht->host->main[family_afi(p->addr.family)];
	struct main_route **at = trie_longest(t, &p->addr);

	for (; at; at = trie_parent(t, at)) {
		*match = trie_prefix(t, at);
		if (match->len > p->len)
			continue;
		*ways = (*at)->ways;
		return (*at)->n;
	}
	return 0;
}

void nht_main_subscribe(struct nht *nht, struct nht_main_sub *s)
{
	struct main_route **at;
	struct prefix p;
	struct trie *t;
	int afi;

	list_add_tail(&nht->host->main_subs, &s->node);
	for (afi = 0; afi < AFI_MAX; afi++) {
		t = &nht->host->main[afi];
		for (at = trie_next(t, NULL); at; at = trie_next(t, at)) {
			p = trie_prefix(t, at);
			s->change(s, &p, (*at)->ways, (*at)->n);
		}
	}
}

void nht_main_unsubscribe(struct nht_main_sub *s)
{
	list_del(&s->node);
}

static void main_free(void *payload, void *arg)
{
	free(*(struct main_route **)payload);
}

/* ---- life ---- */

struct nht_host *nht_host_new(struct nht *nht)
{
	struct nht_host *h = xcalloc(1, sizeof(*h));

	h->nht = nht;
	list_init(&h->connected_subs);
	list_init(&h->main_subs);
	list_init(&h->link_subs);
	trie_init(&h->main[AFI4], AF_INET, sizeof(struct main_route *));
	trie_init(&h->main[AFI6], AF_INET6, sizeof(struct main_route *));
	return h;
}

void nht_host_free(struct nht_host *h)
{
	struct hash_node *n;

	while ((n = hash_drain(&h->links))) {
		addrs_free(hash_entry(n, struct host_link, node));
		free(hash_entry(n, struct host_link, node));
	}
	while ((n = hash_drain(&h->ports)))
		free(hash_entry(n, struct host_port, node));
	while ((n = hash_drain(&h->vrfs)))
		free(hash_entry(n, struct host_vrf, node));
	trie_fini(&h->main[AFI4], main_free, NULL);
	trie_fini(&h->main[AFI6], main_free, NULL);
	free(h);
}
