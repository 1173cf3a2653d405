// SPDX-License-Identifier: GPL-2.0
/*
 * Next hops: interning, finding their way, and what follows when it changes (nht.h).
 *
 * What can touch a next hop marks it; one job looks at the marked ones. Its forwarding object
 * changes first (one event, whatever number of routes), then the routes are decided in slices.
 */
#include "rib/nht.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "rib/private.h"
#include "rib/transport.h"

#define RECURSION_MAX 8

static const char *const reason_names[] = {
	[NH_OK] = "ok",
	[NH_NO_LSP] = "no label-switched path",
	[NH_LSP_DOWN] = "label-switched path has no way out",
	[NH_TUNNEL_SOURCE] = "the tunnel's source is no address of ours",
	[NH_TUNNEL_ROUTE] = "the tunnel has no route to its far end",
	[NH_TRANSPORT_POLICY] = "no path of a kind that the transport policy names",
	[NH_NO_ROUTE] = "no route to the gateway",
	[NH_PORT_ABSENT] = "port absent or of another VRF",
	[NH_PORT_DOWN] = "port down",
	[NH_RECURSION] = "recursion through itself",
	[NH_OWN_ADDRESS] = "address is our own",
	[NH_VRF_ABSENT] = "no such VRF",
	[NH_NO_MEMBER] = "no usable member",
	[NH_LOWER_LSP] = "no label-switched path to the router that the path leads to",
	[NH_LABEL_STACK] = "the path needs more labels than can be pushed",
	[NH_NEIGHBOR_DOWN] = "the neighbor was lost (BFD)",
};

const char *nexthop_reason_str(enum nexthop_reason r)
{
	return (unsigned int)r < ARRAY_SIZE(reason_names) ? reason_names[r] : "?";
}

/* ---- next hops of a VRF ---- */

static bool match_vrf(const struct hash_node *n, const void *key)
{
	return hash_entry(n, struct nht_vrf, node)->vrf == *(const uint32_t *)key;
}

static struct nht_vrf *nht_vrf_find(const struct nht *nht, uint32_t vrf)
{
	struct hash_node *n = hash_find(&nht->vrfs, hash_u64(vrf, 0), match_vrf, &vrf);

	return n ? hash_entry(n, struct nht_vrf, node) : NULL;
}

static bool may_recurse(const struct nexthop *nh)
{
	return nh->key.kind == NEXTHOP_GATEWAY && nh->key.recursive;
}

static void vrf_link(struct nht *nht, struct nexthop *nh)
{
	struct nht_vrf *v = nht_vrf_find(nht, nh->key.vrf);

	if (!v) {
		v = xcalloc(1, sizeof(*v));
		v->vrf = nh->key.vrf;
		list_init(&v->nexthops);
		hash_insert(&nht->vrfs, &v->node, hash_u64(v->vrf, 0));
	}
	list_add_tail(&v->nexthops, &nh->vrf_node);
	v->recursive += may_recurse(nh);
}

static void vrf_unlink(struct nht *nht, struct nexthop *nh)
{
	struct nht_vrf *v = nht_vrf_find(nht, nh->key.vrf);

	list_del(&nh->vrf_node);
	v->recursive -= may_recurse(nh);
	if (list_empty(&v->nexthops)) {
		hash_remove(&nht->vrfs, &v->node);
		free(v);
	}
}

void nexthop_mark(struct nht *nht, struct nexthop *nh)
{
	if (!list_linked(&nh->dirty))
		list_add_tail(&nht->dirty, &nh->dirty);
	job_schedule(&nht->job);
}

void nht_vrf_mark(struct nht *nht, uint32_t vrf)
{
	struct nht_vrf *v = nht_vrf_find(nht, vrf);
	struct nexthop *nh;

	if (vrf == VRF_ID_GLOBAL) {
		nht->lsps_dirty = true;
		job_schedule(&nht->job);
	}
	if (v)
		list_for_each(nh, &v->nexthops, struct nexthop, vrf_node)
			nexthop_mark(nht, nh);
}

void nht_table_changed(struct nht *nht, uint32_t vrf, const struct prefix *p)
{
	struct nht_vrf *v = nht_vrf_find(nht, vrf);
	struct nexthop *nh;

	if (!v || !v->recursive)
		return;
	list_for_each(nh, &v->nexthops, struct nexthop, vrf_node)
		if (may_recurse(nh) && prefix_contains_addr(p, &nh->key.addr))
			nexthop_mark(nht, nh);
}

/* ---- dependencies of groups and of recursion ---- */

static void on_dep(struct nexthop_watch *w, struct nexthop *of)
{
	struct nexthop_dep *d = container_of(w, struct nexthop_dep, watch);

	nexthop_mark(d->nht, d->nh);
}

static void depend(struct nht *nht, struct nexthop *nh, struct nexthop_dep *d, struct nexthop *of)
{
	d->nht = nht;
	d->nh = nh;
	d->watch.change = on_dep;
	list_init(&d->watch.node);
	nexthop_watch(of, &d->watch);
}

static void set_via(struct nht *nht, struct nexthop *nh, struct nexthop *via)
{
	struct nexthop *old = nh->via;

	if (old == via)
		return;
	if (old) {
		nexthop_unwatch(&nh->deps->watch);
		free(nh->deps);
		nh->deps = NULL;
	}
	nh->via = via ? nexthop_ref(via) : NULL;
	if (via) {
		nh->deps = xcalloc(1, sizeof(*nh->deps));
		depend(nht, nh, nh->deps, via);
	}
	nexthop_put(nht, old);
}

/* ---- finding the way ---- */

struct way {
	enum nexthop_reason reason;
	int ifindex;
	struct ip_addr gateway;
	uint32_t metric;
	struct nexthop *via;
	bool reachable;
};

static bool leads_to(const struct nexthop *from, const struct nexthop *nh)
{
	unsigned int depth;

	for (depth = 0; from; from = from->via, depth++)
		if (from == nh || depth > RECURSION_MAX)
			return true;
	return false;
}

/* the best-placed usable route of a net that does not itself depend on @nh */
static struct nexthop *via_of(struct rib_net *net, const struct nexthop *nh)
{
	struct rib_route *r;

	for (r = rib_routes(net); r; r = r->next)
		if (nexthop_usable(r->nh) && !leads_to(r->nh, nh) &&
		    (r->nh->key.kind == NEXTHOP_GATEWAY || r->nh->key.kind == NEXTHOP_DEVICE))
			return r->nh;
	return NULL;
}

/*
 * Through the longest match that has a route which does not itself depend on this next hop:
 * leaving those out is what keeps a route to its own gateway from coming and going for ever.
 */
static void find_recursive(struct nht *nht, const struct nexthop *nh, struct way *w)
{
	struct rib_table *t = rib_table_find(nht->rib, nh->key.vrf, nh->key.addr.family);
	struct rib_net *net = t ? trie_longest(&t->shelf.nets, &nh->key.addr) : NULL;
	struct nexthop *via = NULL;

	for (; net; net = trie_parent(&t->shelf.nets, net)) {
		via = via_of(net, nh);
		if (via)
			break;
		if (rib_routes(net) && leads_to(rib_routes(net)->nh, nh))
			w->reason = NH_RECURSION;
	}
	if (!via)
		return;
	w->reason = NH_OK;
	w->via = via;
	w->ifindex = via->ifindex;
	w->gateway = via->key.kind == NEXTHOP_DEVICE ? nh->key.addr : via->gateway;
	w->metric = via->metric;
}

static void find_port(struct nht *nht, const struct nexthop *nh, struct way *w)
{
	const struct nht_link *l = nht_link_by_name(nht, nh->key.ifname);

	w->reason = NH_PORT_ABSENT;
	if (!l || nht_link_vrf(nht, l->ifindex) != nh->key.vrf)
		return;
	w->reason = l->up ? NH_OK : NH_PORT_DOWN;
	w->ifindex = l->ifindex;
	w->gateway = nh->key.addr;
}

static void find_gateway(struct nht *nht, const struct nexthop *nh, struct way *w)
{
	struct prefix net;

	if (nh->key.ifname[0]) {
		find_port(nht, nh, w);
	} else if (nht_connected(nht, nh->key.vrf, &nh->key.addr, &w->ifindex, &net)) {
		w->reason = NH_OK;
		w->gateway = nh->key.addr;
	} else {
		w->reason = NH_NO_ROUTE;
		if (nh->key.recursive)
			find_recursive(nht, nh, w);
	}
	/* a link-local address may be ours on another link */
	if (w->reason == NH_OK && !addr_is_link_local(&nh->key.addr) &&
	    nht_own_address(nht, nh->key.vrf, &nh->key.addr))
		w->reason = NH_OWN_ADDRESS;
	else if (w->reason == NH_OK && nht_watched_down(nh->watched))
		w->reason = NH_NEIGHBOR_DOWN;
}

void nexthop_choose(const struct nht *nht, const struct nexthop *nh, struct transport_choice *choice)
{
	if (nh->key.kind == NEXTHOP_LABELLED)
		transport_choose_below(nht, &nh->key.addr, NULL, choice);
	else
		transport_choose(nht, &nh->key.addr, nh->key.policy, choice);
}

static void find_pe(struct nht *nht, const struct nexthop *nh, struct way *w)
{
	/* what is beyond the interior protocol costs as much as the router that leads there */
	const struct ip_addr *to = &nh->key.addr;
	struct transport_choice choice;
	struct ip_addr gateway;
	bool route;
	int ifindex;

	nexthop_choose(nht, nh, &choice);
	w->reason = choice.reason;
	if (nht_own_address(nht, VRF_ID_GLOBAL, &nh->key.addr))
		w->reason = NH_OWN_ADDRESS;
	else if (w->reason == NH_OK && nht_live_pe_down(nht, &nh->key.addr))
		w->reason = NH_NEIGHBOR_DOWN;
	if (choice.n && choice.path[0].lsp->path.recursive)
		to = &choice.path[0].lsp->path.gateway;
	route = nht_main_lookup(nht, to, &gateway, &ifindex, &w->metric);
	w->reachable = route && w->reason != NH_OWN_ADDRESS && w->reason != NH_NEIGHBOR_DOWN;
}

static void find_labelled(struct nht *nht, const struct nexthop *nh, struct way *w)
{
	struct prefix net;

	if (nh->key.ifname[0] || nht_connected(nht, VRF_ID_GLOBAL, &nh->key.addr, &w->ifindex, &net))
		find_gateway(nht, nh, w);
	else
		find_pe(nht, nh, w);
}

static void find_group(const struct nexthop *nh, struct way *w)
{
	unsigned int i;

	w->reason = NH_NO_MEMBER;
	for (i = 0; i < nh->n_members; i++)
		if (nexthop_usable(nh->members[i].nh))
			w->reason = NH_OK;
}

static struct way find_way(struct nht *nht, const struct nexthop *nh)
{
	struct way w = { .reason = NH_OK };

	switch (nh->key.kind) {
	case NEXTHOP_PE:
		find_pe(nht, nh, &w);
		break;
	case NEXTHOP_LABELLED:
		find_labelled(nht, nh, &w);
		break;
	case NEXTHOP_GATEWAY:
		find_gateway(nht, nh, &w);
		break;
	case NEXTHOP_DEVICE:
		find_port(nht, nh, &w);
		break;
	case NEXTHOP_VRF:
		if (!rib_table_find(nht->rib, nh->key.vrf, AF_INET) &&
		    !rib_table_find(nht->rib, nh->key.vrf, AF_INET6))
			w.reason = NH_VRF_ABSENT;
		break;
	case NEXTHOP_GROUP:
		find_group(nh, &w);
		break;
	default:
		break;
	}
	return w;
}

/* ---- changes ---- */

static void adopt_way(struct nht *nht, struct nexthop *nh, const struct way *w)
{
	nh->reason = w->reason;
	nh->reachable = w->reachable;
	nh->metric = w->metric;
	nh->ifindex = w->ifindex;
	nh->gateway = w->gateway;
	set_via(nht, nh, w->via);
}

/* the router behind the interface that a labelled next hop leaves by, where neighbours are watched */
static void follow_neighbor(struct nht *nht, struct nexthop *nh, struct way *w)
{
	struct nht_neighbor *was = nh->neighbor;

	if (nh->key.kind != NEXTHOP_LABELLED)
		return;
	nh->neighbor = w->ifindex ? nht_neighbor_hold(nht, w->ifindex, &w->gateway) : NULL;
	nht_neighbor_put(nht, was);
	if (w->reason == NH_OK && nht_neighbor_down(nh->neighbor))
		w->reason = NH_NEIGHBOR_DOWN;
}

static void look_again(struct nht *nht, struct nexthop *nh)
{
	struct way w = find_way(nht, nh);
	bool metric = w.metric != nh->metric, all;
	bool other = metric || w.reason != nh->reason || w.reachable != nh->reachable ||
		     w.ifindex != nh->ifindex || !addr_eq(&w.gateway, &nh->gateway) ||
		     nh->key.kind == NEXTHOP_PE || nh->key.kind == NEXTHOP_LABELLED;
	struct nexthop_watch *watch, *tmp;

	follow_neighbor(nht, nh, &w);
	all = (w.reason == NH_OK) != nexthop_usable(nh) || w.reachable != nh->reachable;
	adopt_way(nht, nh, &w);
	nexthop_fib_refresh(nht, nh);
	if (all)
		nh->todo = nh->routes.first;
	if (all || metric)
		nh->todo_contested = nh->contested.first;
	if (other)
		list_for_each_safe(watch, tmp, &nh->watchers, struct nexthop_watch, node)
			watch->change(watch, nh);
}

static bool decide_list(const struct rib *rib, uint32_t *todo, unsigned int *budget)
{
	struct rib_route *r;

	while (*todo) {
		if (!*budget)
			return true;
		--*budget;
		r = route_at(rib, *todo);
		*todo = r->link[RIB_OF_NEXTHOP].next;
		rib_net_decide(r->net, NULL);
	}
	return false;
}

/* those that have another way first */
static bool decide_some(const struct rib *rib, struct nexthop *nh, unsigned int *budget)
{
	return decide_list(rib, &nh->todo_contested, budget) || decide_list(rib, &nh->todo, budget);
}

static bool nht_work(struct job *job, unsigned int budget)
{
	struct nht *nht = container_of(job, struct nht, job);
	struct nexthop *nh;
	bool more;

	if (nht->lsps_dirty) {
		nht->lsps_dirty = false;
		lsp_resolve_all(nht);
	}
	lsp_resolve_dirty(nht);
	while (!list_empty(&nht->dirty)) {
		nh = nexthop_ref(list_first(&nht->dirty, struct nexthop, dirty));
		list_del(&nh->dirty);
		/* also when routes are left from before: it may have changed once more */
		look_again(nht, nh);
		more = decide_some(nht->rib, nh, &budget);
		if (more) {
			nexthop_mark(nht, nh);
			nexthop_put(nht, nh);
			return true;
		}
		nexthop_put(nht, nh);
		if (!budget || !--budget)
			return !list_empty(&nht->dirty);
	}
	return false;
}

/* @policy NULL: whichever */
static void pes_mark(struct nht *nht, const uint16_t *policy)
{
	struct nht_vrf *v = nht_vrf_find(nht, VRF_ID_GLOBAL);
	struct nexthop *nh;

	if (v)
		list_for_each(nh, &v->nexthops, struct nexthop, vrf_node)
			if ((nh->key.kind == NEXTHOP_PE && (!policy || nh->key.policy == *policy)) ||
			    (nh->key.kind == NEXTHOP_LABELLED && !policy))
				nexthop_mark(nht, nh);
}

void nht_policy_mark(struct nht *nht, uint16_t policy)
{
	pes_mark(nht, &policy);
}

void nht_pes_mark(struct nht *nht)
{
	nht->lsps_dirty = true;
	job_schedule(&nht->job);
	pes_mark(nht, NULL);
}

/* ---- interning ---- */

struct want {
	struct nexthop_key key;
	const struct nexthop_member *members;
	unsigned int n;
};

static bool match_nexthop(const struct hash_node *n, const void *key)
{
	const struct nexthop *nh = hash_entry(n, struct nexthop, node);
	const struct want *w = key;
	unsigned int i;

	if (memcmp(&nh->key, &w->key, sizeof(nh->key)) || nh->n_members != w->n)
		return false;
	for (i = 0; i < w->n; i++)
		if (nh->members[i].nh != w->members[i].nh ||
		    nh->members[i].weight != w->members[i].weight ||
		    nh->members[i].backup != w->members[i].backup)
			return false;
	return true;
}

static uint32_t want_hash(const struct want *w)
{
	uint32_t h = hash_bytes(&w->key, sizeof(w->key), w->n);
	unsigned int i;

	for (i = 0; i < w->n; i++)
		h = hash_u64((uintptr_t)w->members[i].nh, h ^ w->members[i].weight);
	return h;
}

static void want_mark(struct nht *nht, const struct want *w)
{
	struct hash_node *n = hash_find(&nht->nexthops, want_hash(w), match_nexthop, w);

	if (n)
		nexthop_mark(nht, hash_entry(n, struct nexthop, node));
}

void nht_pe_mark(struct nht *nht, const struct ip_addr *addr)
{
	unsigned int policy;
	struct want w;

	memset(&w, 0, sizeof(w));
	w.key.kind = NEXTHOP_LABELLED;
	w.key.addr = addr_make(addr->family, addr->b);
	want_mark(nht, &w);
	w.key.kind = NEXTHOP_PE;
	for (policy = 0; policy <= transport_policies(nht); policy++) {
		w.key.policy = policy;
		want_mark(nht, &w);
	}
}

static struct nexthop *intern(struct nht *nht, const struct want *w)
{
	uint32_t hash = want_hash(w);
	struct hash_node *n = hash_find(&nht->nexthops, hash, match_nexthop, w);
	struct nexthop *nh;
	struct way way;
	unsigned int i;

	if (n)
		return nexthop_ref(hash_entry(n, struct nexthop, node));
	nh = xcalloc(1, sizeof(*nh));
	memcpy(&nh->key, &w->key, sizeof(nh->key));
	nh->refs = 1;
	list_init(&nh->watchers);
	list_init(&nh->dirty);
	list_init(&nh->vrf_node);
	if (w->n) {
		nh->members = xmemdup(w->members, w->n * sizeof(*w->members));
		nh->n_members = w->n;
		nh->deps = xcalloc(w->n, sizeof(*nh->deps));
		for (i = 0; i < w->n; i++)
			depend(nht, nh, &nh->deps[i], nexthop_ref(w->members[i].nh));
	}
	hash_insert(&nht->nexthops, &nh->node, hash);
	vrf_link(nht, nh);
	if (nh->key.live.interval_us)
		nh->watched = nht_watched_new(nht, nh);
	way = find_way(nht, nh);
	follow_neighbor(nht, nh, &way);
	adopt_way(nht, nh, &way);
	return nh;
}

/* ::ffff:a.b.c.d is a.b.c.d: how an IPv4 core's PE looks in VPN-IPv6 (RFC 4659 section 3.2.1.2) */
static struct ip_addr unmapped(const struct ip_addr *a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (a->family == AF_INET6 && !memcmp(a->b, mapped, sizeof(mapped)))
		return addr_make(AF_INET, a->b + 12);
	return *a;
}

static void copy_live(struct nexthop_live *to, const struct nexthop_live *from)
{
	to->interval_us = from->interval_us;
	to->multiplier = from->multiplier;
	to->multihop = from->multihop;
	if (from->multihop && addr_is_set(&from->local))
		to->local = addr_make(from->local.family, from->local.b);
}

struct nexthop *nexthop_get(struct nht *nht, const struct nexthop_key *key)
{
	struct want w;

	/* the key is compared as octets: padding and what lies behind a name must be zero */
	memset(&w, 0, sizeof(w));
	w.key.kind = key->kind;
	w.key.vrf = key->kind == NEXTHOP_PE || key->kind == NEXTHOP_LABELLED ? VRF_ID_GLOBAL : key->vrf;
	if (key->kind == NEXTHOP_PE || key->kind == NEXTHOP_LABELLED) {
		w.key.addr = unmapped(&key->addr);
		w.key.policy = key->kind == NEXTHOP_PE ? key->policy : 0;
	} else if (key->kind == NEXTHOP_GATEWAY) {
		w.key.addr = addr_make(key->addr.family, key->addr.b);
	}
	if (key->kind == NEXTHOP_GATEWAY || key->kind == NEXTHOP_DEVICE || key->kind == NEXTHOP_LABELLED)
		snprintf(w.key.ifname, sizeof(w.key.ifname), "%s", key->ifname);
	w.key.recursive = key->kind == NEXTHOP_GATEWAY && !key->ifname[0] && key->recursive;
	if (key->kind == NEXTHOP_GATEWAY && key->live.interval_us)
		copy_live(&w.key.live, &key->live);
	return intern(nht, &w);
}

struct nexthop *nexthop_group_get(struct nht *nht, const struct nexthop_member *m, unsigned int n)
{
	struct want w;

	memset(&w, 0, sizeof(w));
	w.key.kind = NEXTHOP_GROUP;
	w.key.vrf = n ? m[0].nh->key.vrf : 0;
	w.members = m;
	w.n = n < NEXTHOP_MEMBERS_MAX ? n : NEXTHOP_MEMBERS_MAX;
	return intern(nht, &w);
}

struct nexthop *nexthop_pe(struct nht *nht, const struct ip_addr *addr, uint16_t policy)
{
	struct nexthop_key key = { .kind = NEXTHOP_PE, .addr = *addr, .policy = policy };

	return nexthop_get(nht, &key);
}

struct nexthop *nexthop_labelled(struct nht *nht, const struct ip_addr *addr, const char *ifname)
{
	struct nexthop_key key = { .kind = NEXTHOP_LABELLED, .addr = *addr };

	if (ifname)
		snprintf(key.ifname, sizeof(key.ifname), "%s", ifname);
	return nexthop_get(nht, &key);
}

struct nexthop *nexthop_gateway_live(struct nht *nht, uint32_t vrf, const struct ip_addr *addr,
				     const char *ifname, const struct nexthop_live *live)
{
	struct nexthop_key key = { .kind = NEXTHOP_GATEWAY, .vrf = vrf, .addr = *addr,
				   .recursive = !ifname };

	if (ifname)
		snprintf(key.ifname, sizeof(key.ifname), "%s", ifname);
	if (live)
		key.live = *live;
	return nexthop_get(nht, &key);
}

struct nexthop *nexthop_gateway(struct nht *nht, uint32_t vrf, const struct ip_addr *addr,
				const char *ifname)
{
	return nexthop_gateway_live(nht, vrf, addr, ifname, NULL);
}

struct nexthop *nexthop_vrf(struct nht *nht, uint32_t vrf)
{
	struct nexthop_key key = { .kind = NEXTHOP_VRF, .vrf = vrf };

	return nexthop_get(nht, &key);
}

struct nexthop *nexthop_ref(struct nexthop *nh)
{
	nh->refs++;
	return nh;
}

void nexthop_put(struct nht *nht, struct nexthop *nh)
{
	unsigned int i;

	if (!nh || --nh->refs)
		return;
	set_via(nht, nh, NULL);
	for (i = 0; i < nh->n_members; i++) {
		nexthop_unwatch(&nh->deps[i].watch);
		nexthop_put(nht, nh->members[i].nh);
	}
	while (!list_empty(&nh->watchers))
		list_del(nh->watchers.next);
	/* a label that lingers may still point to the object */
	if (nh->fib)
		nh->fib->owner = NULL;
	hash_remove(&nht->nexthops, &nh->node);
	vrf_unlink(nht, nh);
	list_del(&nh->dirty);
	nht_watched_free(nht, nh->watched);
	nht_neighbor_put(nht, nh->neighbor);
	free(nh->deps);
	free(nh->members);
	free(nh);
}

void nexthop_watch(struct nexthop *nh, struct nexthop_watch *w)
{
	list_add_tail(&nh->watchers, &w->node);
}

void nexthop_unwatch(struct nexthop_watch *w)
{
	list_del(&w->node);
}

struct nexthop *nexthop_next(struct nht *nht, const struct nexthop *nh)
{
	struct hash_node *n = hash_next(&nht->nexthops, nh ? &nh->node : NULL);

	return n ? hash_entry(n, struct nexthop, node) : NULL;
}

const char *nexthop_str(const struct nexthop *nh, char *buf, size_t size)
{
	char addr[ADDR_STRLEN];
	size_t used = 0;
	unsigned int i;

	switch (nh->key.kind) {
	case NEXTHOP_PE:
		snprintf(buf, size, "pe %s", addr_str(&nh->key.addr, addr));
		break;
	case NEXTHOP_LABELLED:
		snprintf(buf, size, "router %s%s%s", addr_str(&nh->key.addr, addr),
			 nh->key.ifname[0] ? " dev " : "", nh->key.ifname);
		break;
	case NEXTHOP_GATEWAY:
		snprintf(buf, size, "via %s%s%s", addr_str(&nh->key.addr, addr),
			 nh->key.ifname[0] ? " dev " : "", nh->key.ifname);
		break;
	case NEXTHOP_DEVICE:
		snprintf(buf, size, "dev %s", nh->key.ifname);
		break;
	case NEXTHOP_VRF:
		snprintf(buf, size, "vrf %u", nh->key.vrf);
		break;
	case NEXTHOP_BLACKHOLE:
		snprintf(buf, size, "blackhole");
		break;
	case NEXTHOP_LOCAL:
		snprintf(buf, size, "connected");
		break;
	case NEXTHOP_GROUP:
		for (i = 0; i < nh->n_members && used + 3 < size; i++) {
			used += snprintf(buf + used, size - used, "%s", i ? ", " : "");
			nexthop_str(nh->members[i].nh, buf + used, size - used);
			used += strlen(buf + used);
			if (nh->members[i].backup && used < size)
				used += snprintf(buf + used, size - used, " backup");
		}
		break;
	default:
		snprintf(buf, size, "unreachable");
		break;
	}
	return buf;
}

/* ---- life ---- */

struct nht *nht_new(struct rib *rib)
{
	struct nht *nht = xcalloc(1, sizeof(*nht));

	nht->rib = rib;
	list_init(&nht->dirty);
	job_init(&nht->job, rib->jobs, "next hops", nht_work);
	nht->host = nht_host_new(nht);
	nht->lsps = lsp_table_new(nht);
	nht->transports = transports_new();
	nht->soft = soft_new();
	nht->live = nht_live_new(nht);
	return nht;
}

void nht_free(struct nht *nht)
{
	if (!nht)
		return;
	job_cancel(&nht->job);
	lsp_table_free(nht->lsps);
	transports_free(nht->transports);
	soft_free(nht->soft);
	nht_live_free(nht->live);
	nht_host_free(nht->host);
	hash_fini(&nht->nexthops);
	hash_fini(&nht->vrfs);
	free(nht);
}
