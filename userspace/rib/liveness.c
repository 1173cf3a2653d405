// SPDX-License-Identifier: GPL-2.0
/* Targets, who watches them, and which next hops of forwarding lead to them (liveness.h). */
#include "rib/liveness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/hash.h"
#include "lib/mem.h"
#include "rib/nht.h"

struct liveness_target {
	struct hash_node node;
	struct liveness_key key;
	struct liveness_params params;	/* as the provider was told */
	enum liveness_state state;
	bool pe;			/* somebody watches a remote PE */
	struct list watches;
};

/* A next hop of forwarding, by id. */
struct adjacency {
	struct hash_node node;
	uint32_t id;
	int ifindex;			/* 0: the way to a remote PE */
	struct ip_addr gateway;
};

struct liveness {
	struct nht *nht;
	struct hash targets;
	struct hash adjacencies;
	struct liveness_provider provider;	/* want NULL: there is none */
};

struct liveness_key liveness_key(uint32_t vrf, bool multihop, const struct ip_addr *peer, const struct ip_addr *local,
				 const char *ifname)
{
	struct liveness_key key;

	memset(&key, 0, sizeof(key));
	key.vrf = vrf;
	key.multihop = multihop;
	key.peer = addr_make(peer->family, peer->b);
	if (multihop && local && addr_is_set(local))
		key.local = addr_make(local->family, local->b);
	if (!multihop && ifname && peer->family == AF_INET6 && addr_is_link_local(peer))
		snprintf(key.ifname, sizeof(key.ifname), "%s", ifname);
	return key;
}

static bool match_target(const struct hash_node *n, const void *key)
{
	return !memcmp(&hash_entry(n, struct liveness_target, node)->key, key, sizeof(struct liveness_key));
}

static struct liveness_target *target_find(const struct liveness *l, const struct liveness_key *key)
{
	struct hash_node *n = hash_find(&l->targets, hash_bytes(key, sizeof(*key), 0), match_target, key);

	return n ? hash_entry(n, struct liveness_target, node) : NULL;
}

/* ---- next hops of forwarding ---- */

static bool leads_to(const struct liveness *l, const struct adjacency *a, const struct liveness_target *t)
{
	const struct liveness_key *key = &t->key;
	const struct nht_link *link;

	if (!a->ifindex)
		return t->pe && key->multihop && key->vrf == VRF_ID_GLOBAL && addr_eq(&a->gateway, &key->peer);
	if (key->multihop || !addr_eq(&a->gateway, &key->peer) || nht_link_vrf(l->nht, a->ifindex) != key->vrf)
		return false;
	link = key->ifname[0] ? nht_link_by_index(l->nht, a->ifindex) : NULL;
	return !key->ifname[0] || (link && !strcmp(link->name, key->ifname));
}

static void tell_adjacency(struct liveness *l, const struct adjacency *a, bool leads)
{
	struct hash_node *n;
	const struct liveness_target *t;

	if (!l->provider.want)
		return;
	for (n = hash_next(&l->targets, NULL); n; n = hash_next(&l->targets, n)) {
		t = hash_entry(n, struct liveness_target, node);
		if (addr_eq(&t->key.peer, &a->gateway) && (!leads || leads_to(l, a, t)))
			l->provider.adjacency(l->provider.arg, &t->key, a->id, leads);
	}
}

static bool match_id(const struct hash_node *n, const void *key)
{
	return hash_entry(n, struct adjacency, node)->id == *(const uint32_t *)key;
}

static struct adjacency *adjacency_find(const struct liveness *l, uint32_t id)
{
	struct hash_node *n = hash_find(&l->adjacencies, hash_u64(id, 0), match_id, &id);

	return n ? hash_entry(n, struct adjacency, node) : NULL;
}

void liveness_adjacency_gone(struct liveness *l, uint32_t id)
{
	struct adjacency *a = adjacency_find(l, id);

	if (!a)
		return;
	tell_adjacency(l, a, false);
	hash_remove(&l->adjacencies, &a->node);
	free(a);
}

void liveness_pe(struct liveness *l, uint32_t id, const struct ip_addr *pe)
{
	liveness_adjacency(l, id, 0, pe);
}

void liveness_adjacency(struct liveness *l, uint32_t id, int ifindex, const struct ip_addr *gateway)
{
	struct adjacency *a = adjacency_find(l, id);

	if (a && (a->ifindex != ifindex || !addr_eq(&a->gateway, gateway))) {
		liveness_adjacency_gone(l, id);
		a = NULL;
	}
	if (!a) {
		a = xcalloc(1, sizeof(*a));
		a->id = id;
		a->ifindex = ifindex;
		a->gateway = *gateway;
		hash_insert(&l->adjacencies, &a->node, hash_u64(id, 0));
	}
	tell_adjacency(l, a, true);
}

/* ---- who watches ---- */

/* the most demanding of what its watches want */
static struct liveness_params params_of(const struct liveness_target *t)
{
	struct liveness_params p = { .interval_us = UINT32_MAX, .multiplier = UINT8_MAX, .passive = true };
	const struct liveness_watch *w;

	list_for_each(w, &t->watches, struct liveness_watch, node) {
		if (w->params.interval_us < p.interval_us)
			p.interval_us = w->params.interval_us;
		if (w->params.multiplier < p.multiplier)
			p.multiplier = w->params.multiplier;
		p.passive &= w->params.passive;
	}
	return p;
}

static bool params_eq(const struct liveness_params *a, const struct liveness_params *b)
{
	return a->interval_us == b->interval_us && a->multiplier == b->multiplier && a->passive == b->passive;
}

static void want(struct liveness *l, struct liveness_target *t)
{
	struct hash_node *n;
	struct adjacency *a;

	if (!l->provider.want)
		return;
	l->provider.want(l->provider.arg, &t->key, &t->params);
	for (n = hash_next(&l->adjacencies, NULL); n; n = hash_next(&l->adjacencies, n)) {
		a = hash_entry(n, struct adjacency, node);
		if (leads_to(l, a, t))
			l->provider.adjacency(l->provider.arg, &t->key, a->id, true);
	}
}

/* Whether a remote PE is watched may have changed: what leads there does, or does no longer. */
static void pe_look(struct liveness *l, struct liveness_target *t)
{
	const struct liveness_watch *w;
	struct hash_node *n;
	struct adjacency *a;
	bool pe = false;

	list_for_each(w, &t->watches, struct liveness_watch, node)
		pe |= w->pe;
	if (pe == t->pe)
		return;
	t->pe = pe;
	for (n = hash_next(&l->adjacencies, NULL); n && l->provider.want; n = hash_next(&l->adjacencies, n)) {
		a = hash_entry(n, struct adjacency, node);
		if (!a->ifindex && addr_eq(&a->gateway, &t->key.peer))
			l->provider.adjacency(l->provider.arg, &t->key, a->id, leads_to(l, a, t));
	}
}

static void params_look(struct liveness *l, struct liveness_target *t)
{
	struct liveness_params p = params_of(t);

	if (params_eq(&p, &t->params))
		return;
	t->params = p;
	if (l->provider.want)
		l->provider.want(l->provider.arg, &t->key, &t->params);
}

void liveness_watch(struct liveness *l, struct liveness_watch *w, const struct liveness_key *key,
		    const struct liveness_params *params)
{
	struct liveness_target *t = target_find(l, key);
	bool created = !t;

	if (t && w->target == t) {
		w->params = *params;
		params_look(l, t);
		return;
	}
	liveness_unwatch(l, w);
	if (created) {
		t = xcalloc(1, sizeof(*t));
		t->key = *key;
		list_init(&t->watches);
		hash_insert(&l->targets, &t->node, hash_bytes(key, sizeof(*key), 0));
	}
	w->target = t;
	w->params = *params;
	list_add_tail(&t->watches, &w->node);
	if (created) {
		t->params = *params;
		t->pe = w->pe;
		want(l, t);
	} else {
		params_look(l, t);
		pe_look(l, t);
	}
}

void liveness_unwatch(struct liveness *l, struct liveness_watch *w)
{
	struct liveness_target *t = w->target;

	if (!t)
		return;
	w->target = NULL;
	list_del(&w->node);
	if (!list_empty(&t->watches)) {
		params_look(l, t);
		pe_look(l, t);
		return;
	}
	if (l->provider.want)
		l->provider.want(l->provider.arg, &t->key, NULL);
	hash_remove(&l->targets, &t->node);
	free(t);
}

enum liveness_state liveness_state(const struct liveness_watch *w)
{
	return w->target ? w->target->state : LIVENESS_UNKNOWN;
}

/* ---- the provider ---- */

void liveness_provide(struct liveness *l, const struct liveness_provider *p)
{
	struct hash_node *n;

	if (!p) {
		memset(&l->provider, 0, sizeof(l->provider));
		return;
	}
	l->provider = *p;
	for (n = hash_next(&l->targets, NULL); n; n = hash_next(&l->targets, n))
		want(l, hash_entry(n, struct liveness_target, node));
}

void liveness_report(struct liveness *l, const struct liveness_key *key, enum liveness_state state, const char *why)
{
	struct liveness_target *t = target_find(l, key);
	struct liveness_watch *w, *tmp;

	if (!t || t->state == state)
		return;
	t->state = state;
	list_for_each_safe(w, tmp, &t->watches, struct liveness_watch, node)
		w->change(w, state, why);
}

/* ---- life ---- */

struct liveness *liveness_new(struct nht *nht)
{
	struct liveness *l = xcalloc(1, sizeof(*l));

	l->nht = nht;
	return l;
}

void liveness_free(struct liveness *l)
{
	struct hash_node *n;
	struct liveness_target *t;

	while ((n = hash_drain(&l->targets))) {
		t = hash_entry(n, struct liveness_target, node);
		while (!list_empty(&t->watches)) {
			list_first(&t->watches, struct liveness_watch, node)->target = NULL;
			list_del(t->watches.next);
		}
		free(t);
	}
	while ((n = hash_drain(&l->adjacencies)))
		free(hash_entry(n, struct adjacency, node));
	hash_fini(&l->targets);
	hash_fini(&l->adjacencies);
	free(l);
}
