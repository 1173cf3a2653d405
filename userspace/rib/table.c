// SPDX-License-Identifier: GPL-2.0
/*
 * Tables, nets and routes (table.h): finding and making nets, announcing, withdrawing, deciding.
 * Sources are in source.c, walks in walk.c, subscribers in sub.c.
 */
#include "rib/table.h"

#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "rib/liveness.h"
#include "rib/private.h"

#define DECIDE_STACK 32

/* ---- shelves ---- */

struct slab rib_shelves = { .size = sizeof(struct rib_shelf *) };

static void shelf_begin(struct rib_shelf *s, struct rib_table *t)
{
	s->table = t;
	s->number = slab_alloc(&rib_shelves);
	*(struct rib_shelf **)slab_at(&rib_shelves, s->number) = s;
	trie_init_in(&s->nets, &t->pool);
}

static void shelf_end(void *shelf, void *arg)
{
	slab_free(&rib_shelves, ((struct rib_shelf *)shelf)->number);
}

/* ---- nets ---- */

static size_t net_size(const struct rib_table *t)
{
	return t->kind == RIB_TABLE_VRF ? sizeof(struct rib_vrf_net) : sizeof(struct rib_net);
}

static struct prefix rd_prefix(const struct rd *rd)
{
	struct prefix p = { .addr.family = AF_INET6, .len = 64 };

	memcpy(p.addr.b, rd->b, sizeof(rd->b));
	return p;
}

static bool shelf_is_recent(const struct rib_table *t, const struct rd *rd)
{
	return t->recent && !memcmp(&t->recent->rd, rd, sizeof(*rd));
}

static struct rib_shelf *shelf_find(const struct rib_table *t, const struct rd *rd)
{
	struct prefix p;

	if (t->kind != RIB_TABLE_VPN)
		return (struct rib_shelf *)&t->shelf;
	if (shelf_is_recent(t, rd))
		return t->recent;
	p = rd_prefix(rd);
	return trie_get(&t->shelves, &p);
}

static struct rib_shelf *shelf_get(struct rib_table *t, const struct rd *rd)
{
	struct rib_shelf *s;
	struct prefix p;
	bool created;

	if (t->kind != RIB_TABLE_VPN)
		return &t->shelf;
	if (shelf_is_recent(t, rd))
		return t->recent;
	p = rd_prefix(rd);
	s = trie_insert(&t->shelves, &p, &created);
	if (created) {
		shelf_begin(s, t);
		s->rd = *rd;
	}
	t->recent = s;
	return s;
}

static struct rib_net *net_get(struct rib_table *t, const struct rd *rd, const struct prefix *p)
{
	struct rib_shelf *s = shelf_get(t, rd);
	struct rib_net *net;
	bool created;

	net = trie_insert(&s->nets, p, &created);
	if (created) {
		net->shelf = s->number;
		net->id = trie_id(&s->nets, net);
		t->nets++;
	}
	return net;
}

struct rib_net *rib_net_take(struct rib_table *t, const struct rd *rd, const struct prefix *p)
{
	struct rib_net *net = net_get(t, rd, p);

	rib_net_hold(net);
	return net;
}

void rib_net_maybe_free(struct rib_net *net)
{
	struct rib_shelf *s = net_shelf(net);
	struct rib_table *t = s->table;

	if (net->first || net->dirty || net->holds)
		return;
	trie_remove(&s->nets, net);
	t->nets--;
	if (t->kind == RIB_TABLE_VPN && !s->nets.count) {
		if (t->recent == s)
			t->recent = NULL;
		shelf_end(s, NULL);
		trie_remove(&t->shelves, s);
	}
}

struct rib_net *rib_find(const struct rib_table *t, const struct rd *rd, const struct prefix *p)
{
	struct rib_shelf *s = shelf_find(t, rd);

	return s ? trie_get(&s->nets, p) : NULL;
}

struct rib_net *rib_lookup(const struct rib_table *t, const struct ip_addr *a)
{
	struct rib_net *net = trie_longest(&t->shelf.nets, a);

	while (net && !rib_best(net))
		net = trie_parent(&t->shelf.nets, net);
	return net;
}

struct rib_route *rib_best(const struct rib_net *net)
{
	struct rib_route *r = rib_routes(net);

	return r && r->reason == RIB_BEST ? r : NULL;
}

struct rib_route *rib_routes(const struct rib_net *net)
{
	return route_at(net_table(net)->rib, net->first);
}

struct prefix rib_net_prefix(const struct rib_net *net)
{
	return trie_prefix(&net_shelf(net)->nets, net);
}

const struct rd *rib_net_rd(const struct rib_net *net)
{
	return net_table(net)->kind == RIB_TABLE_VPN ? &net_shelf(net)->rd : NULL;
}

struct rib_table *rib_net_table(const struct rib_net *net)
{
	return net_table(net);
}

uint32_t rib_net_id(const struct rib_net *net)
{
	return net->id;
}

struct rib_net *rib_net_by_id(const struct rib_table *t, uint32_t id)
{
	return trie_by_id(&t->pool, id);
}

uint32_t rib_table_max_id(const struct rib_table *t)
{
	return t->pool.places.high;
}

void rib_net_hold(struct rib_net *net)
{
	net->holds++;
}

void rib_net_release(struct rib_net *net)
{
	net->holds--;
	rib_net_maybe_free(net);
}

/* ---- routes ---- */

const struct rib_source *rib_route_peer(const struct rib_route *r)
{
	if (!(r->flags & RIB_ROUTE_IMPORTED))
		return r->source;
	return container_of(r, struct rib_imported, route)->peer;
}

struct rib_net *rib_route_origin(const struct rib_route *r)
{
	if (!(r->flags & RIB_ROUTE_IMPORTED))
		return NULL;
	return container_of(r, struct rib_imported, route)->origin;
}

static void net_unlink(struct rib_net *net, const struct rib_route *r)
{
	struct rib_route *before = rib_routes(net);

	if (before == r) {
		net->first = r->next ? r->next->number : 0;
		return;
	}
	while (before->next != r)
		before = before->next;
	before->next = r->next;
}

/* moves the chosen route to the front */
static void to_front(struct rib_net *net, struct rib_route *best)
{
	if (net->first == best->number)
		return;
	net_unlink(net, best);
	best->next = rib_routes(net);
	net->first = best->number;
}

static void tell_forwarding(struct rib_net *net, bool differs)
{
	struct rib_table *t = net_table(net);
	struct rib_route *first = rib_routes(net);
	struct prefix p;

	if (differs || (first && first->next) || fib_net_shared(net))
		fib_net_update(net);
	if (!differs)
		return;
	p = rib_net_prefix(net);
	nht_table_changed(t->rib->nht, t->vrf, &p);
}

/*
 * Chooses the best again. @changed: the route that was made or changed, or NULL. Subscribers to
 * the best hear of it when another route is the best, or the best itself is the one that changed.
 */
static void decide(struct rib_net *net, struct rib_route *old, const struct rib_route *changed)
{
	struct rib_route *stack[DECIDE_STACK], **all = stack, *r, *best;
	unsigned int n = 0;
	bool differs;

	for (r = rib_routes(net); r; r = r->next)
		n++;
	if (n > DECIDE_STACK)
		all = xmalloc(n * sizeof(*all));
	for (n = 0, r = rib_routes(net); r; r = r->next)
		all[n++] = r;
	best = n ? decision_select(all, n) : NULL;
	if (all != stack)
		free(all);
	if (best)
		to_front(net, best);
	differs = best != old || (best && best == changed);
	if (net_table(net)->kind == RIB_TABLE_VRF)
		tell_forwarding(net, differs);
	rib_notify(net, differs);
}

void rib_net_decide(struct rib_net *net, const struct rib_route *changed)
{
	decide(net, rib_best(net), changed);
}

static struct rib_route *route_find(struct rib_net *net, const struct rib_source *s,
				    uint32_t path_id)
{
	struct rib_route *r;

	for (r = rib_routes(net); r; r = r->next)
		if (r->source == s && r->path_id == path_id)
			return r;
	return NULL;
}

static struct rib_route *route_new(struct rib_source *s, struct rib_net *net,
				   const struct rib_path *path)
{
	bool imported = path->flags & RIB_ROUTE_IMPORTED;
	struct rib_route *r, *first = rib_routes(net);

	r = route_alloc(s->table->rib, imported);
	r->net = net;
	r->source = s;
	r->path_id = path->path_id;
	s->table->prefixes += !first;
	/* behind the best, so that rib_best() stays true until the decision */
	if (first && first->reason == RIB_BEST) {
		r->next = first->next;
		first->next = r;
	} else {
		r->next = first;
		net->first = r->number;
	}
	r->reason = RIB_LOST_PATH_ID;
	_Static_assert(RIB_REASON_MAX <= 16, "reason has four bits");
	s->count++;
	s->table->routes++;
	return r;
}

static bool route_same(const struct rib_route *r, const struct rib_path *path)
{
	if (r->attrs != path->attrs || r->nh != path->nh || r->label != path->label ||
	    r->metric != path->metric || r->flags != path->flags)
		return false;
	return !(path->flags & RIB_ROUTE_IMPORTED) ||
	       (rib_route_peer(r) == path->peer && rib_route_origin(r) == path->origin);
}

static void peer_set(struct rib_route *r, struct rib_source *peer, struct rib_net *origin)
{
	struct rib_imported *im = container_of(r, struct rib_imported, route);

	if (peer)
		peer->refs++;
	if (im->peer)
		im->peer->refs--;
	im->peer = peer;
	im->origin = origin;
}

static void set_attrs(struct rib *rib, struct rib_route *r, struct attrs *attrs)
{
	struct attrs *old = r->attrs;

	if (old == attrs)
		return;
	targets_unlink(rib, r);
	r->attrs = attrs ? attrs_get(attrs) : NULL;
	targets_link(rib, r);
	attrs_put(old);
}

static struct rib_list *nexthop_list(const struct rib_route *r)
{
	return r->contested ? &r->nh->contested : &r->nh->routes;
}

static void nexthop_leave(struct rib *rib, struct rib_route *r)
{
	uint32_t *todo = r->contested ? &r->nh->todo_contested : &r->nh->todo;

	if (*todo == r->number)
		*todo = r->link[RIB_OF_NEXTHOP].next;
	route_unlink(rib, nexthop_list(r), r, RIB_OF_NEXTHOP);
}

static void set_nexthop(struct rib *rib, struct rib_route *r, struct nexthop *nh)
{
	struct nexthop *old = r->nh;

	if (old == nh)
		return;
	if (old)
		nexthop_leave(rib, r);
	r->nh = nh ? nexthop_ref(nh) : NULL;
	if (nh)
		route_link(rib, nexthop_list(r), r, RIB_OF_NEXTHOP);
	nexthop_put(rib->nht, old);
}

/*
 * Which list of their next hops a net's routes are in: what is alone, or by the same next hop as all others, need not
 * be decided when an interior metric changes. Where a route changes lists, its net is decided anyway.
 */
static void contest(struct rib *rib, const struct rib_net *net)
{
	struct rib_route *first = rib_routes(net), *r;
	bool contested = false;

	for (r = first; r && !contested; r = r->next)
		contested = r->nh != first->nh;
	for (r = first; r; r = r->next) {
		if (r->contested == contested)
			continue;
		nexthop_leave(rib, r);
		r->contested = contested;
		route_link(rib, nexthop_list(r), r, RIB_OF_NEXTHOP);
	}
}

static void route_fill(struct rib_route *r, const struct rib_path *path)
{
	struct rib *rib = r->source->table->rib;

	set_attrs(rib, r, path->attrs);
	set_nexthop(rib, r, path->nh);
	r->label = path->label;
	r->metric = path->metric;
	r->flags = path->flags;
	r->round = r->source->round;
	r->when = jobs_seconds(rib->jobs);
	if (path->flags & RIB_ROUTE_IMPORTED)
		peer_set(r, path->peer, path->origin);
}

struct rib_route *rib_announce(struct rib_source *s, const struct rd *rd, const struct prefix *p,
			       const struct rib_path *path)
{
	struct rib_net *net = net_get(s->table, rd, p);
	struct rib_route *r = route_find(net, s, path->path_id), *old;

	if (r && (r->flags ^ path->flags) & RIB_ROUTE_IMPORTED) {
		rib_route_remove(r);
		net = net_get(s->table, rd, p);
		r = NULL;
	}
	/* fresh routes gather at the end: what a sweep has to look at is in front */
	if (r) {
		source_walks_pass(s->table->rib, r);
		route_unlink(s->table->rib, &s->routes, r, RIB_OF_SOURCE);
		route_link(s->table->rib, &s->routes, r, RIB_OF_SOURCE);
		if (route_same(r, path)) {
			if (rib_route_stale(r)) {
				r->round = s->round;
				/* being fresh decides between equals */
				if (r->next || net->first != r->number)
					rib_net_decide(net, NULL);
			}
			return r;
		}
	}
	old = rib_best(net);
	if (!r) {
		r = route_new(s, net, path);
		route_link(s->table->rib, &s->routes, r, RIB_OF_SOURCE);
	}
	route_fill(r, path);
	contest(s->table->rib, net);
	decide(net, old, r);
	return r;
}

void rib_route_remove(struct rib_route *r)
{
	struct rib_table *t = r->source->table;
	struct rib_net *net = r->net;
	struct rib_route *old = rib_best(net);

	net_unlink(net, r);
	source_walks_pass(t->rib, r);
	route_unlink(t->rib, &r->source->routes, r, RIB_OF_SOURCE);
	r->source->count--;
	t->routes--;
	if (!net->first) {
		t->prefixes--;
		if (t->fewer)
			t->fewer(t->fewer_arg);
	}
	net->holds++;
	contest(t->rib, net);
	decide(net, old, NULL);
	set_attrs(t->rib, r, NULL);
	set_nexthop(t->rib, r, NULL);
	if (r->flags & RIB_ROUTE_IMPORTED)
		peer_set(r, NULL, NULL);
	route_release(t->rib, r);
	rib_net_release(net);
}

bool rib_withdraw(struct rib_source *s, const struct rd *rd, const struct prefix *p,
		  uint32_t path_id)
{
	struct rib_net *net = rib_find(s->table, rd, p);
	struct rib_route *r = net ? route_find(net, s, path_id) : NULL;

	if (!r)
		return false;
	if (s->table->kind == RIB_TABLE_VPN)
		s->table->recent = net_shelf(net);
	rib_route_remove(r);
	return true;
}

/* ---- tables ---- */

struct table_key {
	uint32_t vrf;
	uint8_t family;
};

static bool match_table(const struct hash_node *n, const void *key)
{
	const struct rib_table *t = hash_entry(n, struct rib_table, node);
	const struct table_key *k = key;

	return t->vrf == k->vrf && t->family == k->family;
}

static uint32_t table_hash(uint32_t vrf, uint8_t family)
{
	return hash_u64((uint64_t)vrf << 8 | family, 0);
}

struct rib_table *rib_table_new(struct rib *rib, const char *name, enum rib_table_kind kind,
				uint8_t family, uint32_t vrf)
{
	struct rib_table *t = xcalloc(1, sizeof(*t));

	t->rib = rib;
	t->name = xstrdup(name);
	t->kind = kind;
	t->family = family;
	t->vrf = vrf;
	list_init(&t->subs);
	trie_pool_init(&t->pool, family, net_size(t), kind == RIB_TABLE_VRF ? 8 : 4);
	shelf_begin(&t->shelf, t);
	trie_init(&t->shelves, AF_INET6, sizeof(struct rib_shelf));
	if (kind == RIB_TABLE_VPN)
		rib->vpn[family_afi(family)] = t;
	else if (kind == RIB_TABLE_LABELLED)
		rib->labelled[family_afi(family)] = t;
	else if (kind == RIB_TABLE_MEMBERSHIPS)
		rib->memberships = t;
	else
		hash_insert(&rib->tables, &t->node, table_hash(vrf, family));
	/* next hops into this VRF work from now on */
	nht_vrf_mark(rib->nht, vrf);
	return t;
}

void rib_table_free(struct rib_table *t)
{
	struct rib_cursor c = { 0 };
	struct rib_net *net;

	if (!t)
		return;
	rib_subs_end(t);
	rib_repath_end(t);
	while ((net = rib_walk(t, &c))) {
		rib_net_hold(net);
		while (net->first)
			rib_route_remove(rib_routes(net));
		/* whoever still holds it would keep a pointer into a table that is gone */
		net->holds = 1;
		rib_net_release(net);
	}
	if (t->kind == RIB_TABLE_VPN)
		t->rib->vpn[family_afi(t->family)] = NULL;
	else if (t->kind == RIB_TABLE_LABELLED)
		t->rib->labelled[family_afi(t->family)] = NULL;
	else if (t->kind == RIB_TABLE_MEMBERSHIPS)
		t->rib->memberships = NULL;
	else
		hash_remove(&t->rib->tables, &t->node);
	nht_vrf_mark(t->rib->nht, t->vrf);
	trie_fini(&t->shelf.nets, NULL, NULL);
	shelf_end(&t->shelf, NULL);
	trie_fini(&t->shelves, shelf_end, NULL);
	trie_pool_fini(&t->pool);
	free(t->name);
	free(t);
}

struct rib_table *rib_table_find(struct rib *rib, uint32_t vrf, uint8_t family)
{
	struct table_key k = { vrf, family };
	struct hash_node *n = hash_find(&rib->tables, table_hash(vrf, family), match_table, &k);

	return n ? hash_entry(n, struct rib_table, node) : NULL;
}

struct rib_table *rib_table_vpn(struct rib *rib, uint8_t family)
{
	return rib->vpn[family_afi(family)];
}

struct rib_table *rib_table_labelled(struct rib *rib, uint8_t family)
{
	return rib->labelled[family_afi(family)];
}

struct rib_table *rib_table_memberships(struct rib *rib)
{
	return rib->memberships;
}

struct rib *rib_table_rib(const struct rib_table *t)
{
	return t->rib;
}

const char *rib_table_name(const struct rib_table *t)
{
	return t->name;
}

enum rib_table_kind rib_table_kind(const struct rib_table *t)
{
	return t->kind;
}

uint8_t rib_table_family(const struct rib_table *t)
{
	return t->family;
}

uint32_t rib_table_vrf(const struct rib_table *t)
{
	return t->vrf;
}

uint32_t rib_table_nets(const struct rib_table *t)
{
	return t->nets;
}

uint32_t rib_table_routes(const struct rib_table *t)
{
	return t->routes;
}

uint32_t rib_table_prefixes(const struct rib_table *t)
{
	return t->prefixes;
}

void rib_table_watch_fewer(struct rib_table *t, void (*fn)(void *arg), void *arg)
{
	t->fewer = fn;
	t->fewer_arg = arg;
}

struct rib *rib_new(struct jobs *jobs)
{
	struct rib *rib = xcalloc(1, sizeof(*rib));

	rib->jobs = jobs;
	rib->rules.compare_router_id = true;
	rib->redecide = redecide_new(rib);
	routes_start(rib);
	rib->targets = targets_new();
	list_init(&rib->source_walks);
	rib->fib = fib_new(rib);
	rib->nht = nht_new(rib);
	rib->liveness = liveness_new(rib->nht);
	rib_table_new(rib, "vpnv4", RIB_TABLE_VPN, AF_INET, 0);
	rib_table_new(rib, "vpnv6", RIB_TABLE_VPN, AF_INET6, 0);
	rib_table_new(rib, "ipv4 labeled-unicast", RIB_TABLE_LABELLED, AF_INET, 0);
	rib_table_new(rib, "ipv6 labeled-unicast", RIB_TABLE_LABELLED, AF_INET6, 0);
	rib_table_new(rib, "route target memberships", RIB_TABLE_MEMBERSHIPS, AF_INET6, 0);
	return rib;
}

void rib_free(struct rib *rib)
{
	struct hash_node *n;

	if (!rib)
		return;
	redecide_free(rib->redecide);
	rib_table_free(rib->vpn[AFI4]);
	rib_table_free(rib->vpn[AFI6]);
	rib_table_free(rib->labelled[AFI4]);
	rib_table_free(rib->labelled[AFI6]);
	rib_table_free(rib->memberships);
	while ((n = hash_next(&rib->tables, NULL)))
		rib_table_free(hash_entry(n, struct rib_table, node));
	nht_free(rib->nht);
	liveness_free(rib->liveness);
	fib_free(rib->fib);
	hash_fini(&rib->tables);
	targets_free(rib->targets);
	routes_stop(rib);
	free(rib);
}

struct nht *rib_nht(struct rib *rib)
{
	return rib->nht;
}

struct fib *rib_fib(struct rib *rib)
{
	return rib->fib;
}

struct liveness *rib_liveness(struct rib *rib)
{
	return rib->liveness;
}

struct jobs *rib_jobs(struct rib *rib)
{
	return rib->jobs;
}

void rib_set_rules(struct rib *rib, const struct decision_rules *rules)
{
	if (!memcmp(&rib->rules, rules, sizeof(*rules)))
		return;
	rib->rules = *rules;
	redecide_all(rib->redecide);
}

const struct decision_rules *rib_rules(const struct rib *rib)
{
	return &rib->rules;
}

void rib_set_router_id(struct rib *rib, uint32_t id)
{
	rib->router_id = id;
}

uint32_t rib_router_id(const struct rib *rib)
{
	return rib->router_id;
}
