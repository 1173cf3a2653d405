// SPDX-License-Identifier: GPL-2.0
/*
 * Update groups: members come and go, nets change, slices of work are told. Contracts in
 * group.h and peer.h.
 *
 * What is pending is a list of nets without doubles, and what to say is worked out when it is
 * said: so a peer that takes nothing costs a bounded list, and then hears the last word only.
 * A member that comes when the group has spoken already is told what was said from the memory
 * of the group, while the group goes on.
 */
#include "bgp/group.h"

#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/mem.h"

#define SLICE 4096		/* nets in one slice: enough to fill messages */

/* ---- the memory of what was said ---- */

static struct bgp_said *said_at(struct bgp_group *g, uint32_t id)
{
	uint32_t n = g->n_said ? g->n_said : 64;

	if (id >= g->n_said) {
		while (n <= id)
			n *= 2;
		g->said = xrealloc(g->said, n * sizeof(*g->said));
		memset(g->said + g->n_said, 0, (n - g->n_said) * sizeof(*g->said));
		g->n_said = n;
	}
	return &g->said[id];
}

static void said_release(struct bgp_said *s)
{
	struct rib_net *net = s->net;

	if (!net || s->attrs || s->pending)
		return;
	memset(s, 0, sizeof(*s));
	rib_net_release(net);
}

static void mark_pending(struct bgp_group *g, struct rib_net *net)
{
	uint32_t id = rib_net_id(net);
	struct bgp_said *s = said_at(g, id);

	if (s->pending)
		return;
	if (!s->net) {
		rib_net_hold(net);
		s->net = net;
	}
	s->pending = true;
	if (g->n_pending == g->room) {
		g->room = g->room ? g->room * 2 : 256;
		g->pending = xrealloc(g->pending, g->room * sizeof(*g->pending));
	}
	g->pending[g->n_pending++] = id;
}

/* ---- one net: compare what is with what was said ---- */

static struct bgp_saying *say(struct bgp_group *g, const struct bgp_said *s, struct attrs *attrs)
{
	struct bgp_saying *w = &g->sayings[g->n_sayings++];
	const struct rd *rd = rib_net_rd(s->net);

	memset(w, 0, sizeof(*w));
	w->attrs = attrs;
	w->nlri.prefix = rib_net_prefix(s->net);
	w->nlri.label = s->label;
	if (rd)
		memcpy(w->nlri.rd, rd->b, sizeof(w->nlri.rd));
	return w;
}

static struct bgp_peer_family *member_of_source(struct bgp_group *g, const struct rib_route *r)
{
	struct bgp_peer_family *pf;

	if (r->source->proto != &bgp_proto || r->source->is_local)
		return NULL;
	pf = container_of(r->source, struct bgp_peer_family, source);
	return pf->group == g ? pf : NULL;
}

static void decide(struct bgp_group *g, uint32_t id)
{
	struct bgp_said *s = &g->said[id];
	struct rib_route *best = rib_best(s->net);
	uint32_t label = RIB_LABEL_NONE;
	struct attrs *now = best ? bgp_out_attrs(g, best, &label) : NULL;
	struct bgp_peer_family *but = now ? member_of_source(g, best) : NULL;
	struct bgp_saying *w;

	s->pending = false;
	if (!now) {
		if (s->attrs) {
			w = say(g, s, NULL);
			w->but = s->but;
			g->told--;
		}
		/* the reference is dropped: withdrawals need no attributes */
		attrs_put(s->attrs);
		s->attrs = NULL;
		s->but = NULL;
		said_release(s);
		return;
	}
	if (now == s->attrs && label == s->label && but == s->but) {
		attrs_put(now);
		return;
	}
	if (!s->attrs)
		g->told++;
	if (s->attrs && but && but != s->but) {
		/* it was told before; now the route is its own */
		w = say(g, s, NULL);
		w->only = but;
	}
	attrs_put(s->attrs);
	s->attrs = now;
	s->label = label;
	s->but = but;
	w = say(g, s, now);
	w->but = but;
}

/* ---- members ---- */

static bool congested(struct bgp_group *g)
{
	struct bgp_peer_family *pf;
	bool any = false;

	list_for_each(pf, &g->members, struct bgp_peer_family, member)
		any |= bgp_session_congested(pf->peer->session);
	return any;
}

/* A slice of what the group said, for one that came later. True: there is more to say now. */
static bool sync_member(struct bgp_group *g, struct bgp_peer_family *pf)
{
	if (bgp_session_congested(pf->peer->session))
		return false;
	g->n_sayings = 0;
	while (pf->sync_at < g->n_said && g->n_sayings < SLICE) {
		const struct bgp_said *s = &g->said[pf->sync_at++];

		if (s->attrs && s->but != pf)
			say(g, s, s->attrs)->only = pf;
	}
	bgp_pack(g, g->sayings, g->n_sayings);
	g->n_sayings = 0;
	if (pf->sync_at < g->n_said)
		return true;
	pf->syncing = false;
	if (pf->refreshing)
		bgp_pack_refresh(pf, BGP_REFRESH_END);
	pf->refreshing = false;
	return false;
}

static void tell_eors(struct bgp_group *g)
{
	struct bgp_peer_family *pf;

	if (!g->walked || g->n_pending)
		return;
	list_for_each(pf, &g->members, struct bgp_peer_family, member) {
		if (!pf->needs_eor || pf->syncing)
			continue;
		pf->needs_eor = false;
		bgp_pack_eor(pf);
		if (pf->refresh_later)
			bgp_groups_refresh(pf);
	}
}

static void walk_some(struct bgp_group *g)
{
	struct rib_net *net;

	for (unsigned int i = 0; i < SLICE; i++) {
		net = rib_walk(g->feed->table, &g->cursor);
		if (!net) {
			g->walked = true;
			return;
		}
		mark_pending(g, net);
	}
}

static bool group_job(struct job *job, unsigned int budget)
{
	struct bgp_group *g = container_of(job, struct bgp_group, job);
	struct bgp_peer_family *pf;
	uint32_t n;
	bool more = false;

	list_for_each(pf, &g->members, struct bgp_peer_family, member) {
		if (pf->syncing)
			more |= sync_member(g, pf);
	}
	if (congested(g))
		return more;
	if (!g->walked)
		walk_some(g);
	n = g->n_pending < SLICE ? g->n_pending : SLICE;
	g->n_sayings = 0;
	for (uint32_t i = 0; i < n; i++)
		decide(g, g->pending[g->n_pending - 1 - i]);
	g->n_pending -= n;
	bgp_pack(g, g->sayings, g->n_sayings);
	g->n_sayings = 0;
	tell_eors(g);
	if (!g->n_pending && g->walked)
		bgp_out_cache_clear(g);
	return more || g->n_pending || !g->walked;
}

/* ---- feeds ---- */

static void feed_change(struct rib_sub *sub, struct rib_net *net)
{
	struct bgp_feed *feed = container_of(sub, struct bgp_feed, sub);
	struct bgp_group *g;

	list_for_each(g, &feed->groups, struct bgp_group, node) {
		mark_pending(g, net);
		job_schedule(&g->job);
	}
}

void bgp_groups_net_changed(struct bgp *b, struct rib_net *net)
{
	struct bgp_feed *feed;

	list_for_each(feed, &b->feeds, struct bgp_feed, node) {
		if (feed->table == rib_net_table(net))
			feed_change(&feed->sub, net);
	}
}

static struct bgp_feed *feed_get(struct bgp *b, enum bgp_family f, struct rib_table *t)
{
	struct bgp_feed *feed;

	list_for_each(feed, &b->feeds, struct bgp_feed, node) {
		if (feed->table == t)
			return feed;
	}
	feed = xcalloc(1, sizeof(*feed));
	feed->bgp = b;
	feed->family = f;
	feed->table = t;
	feed->sub.name = "bgp";
	feed->sub.change = feed_change;
	list_init(&feed->groups);
	if (!rib_subscribe(t, &feed->sub, false)) {
		log_err("bgp", "table %s takes no more subscribers", rib_table_name(t));
		free(feed);
		return NULL;
	}
	list_add_tail(&b->feeds, &feed->node);
	return feed;
}

static void feed_put(struct bgp_feed *feed)
{
	if (!list_empty(&feed->groups))
		return;
	rib_unsubscribe(&feed->sub);
	list_del(&feed->node);
	free(feed);
}

/* ---- groups ---- */

static struct bgp_group *group_find(struct bgp_feed *feed, const struct bgp_group_key *key)
{
	struct bgp_group *g;

	list_for_each(g, &feed->groups, struct bgp_group, node) {
		if (memcmp(&g->key, key, sizeof(*key)) == 0)
			return g;
	}
	return NULL;
}

static struct bgp_group *group_get(struct bgp_feed *feed, const struct bgp_group_key *key)
{
	struct bgp_group *g = group_find(feed, key);

	if (g)
		return g;
	g = xcalloc(1, sizeof(*g));
	g->feed = feed;
	g->key = *key;
	list_init(&g->members);
	/* a net may need two sayings: one for the member that it came from */
	g->sayings = xcalloc(2 * SLICE, sizeof(*g->sayings));
	job_init(&g->job, feed->bgp->env.jobs, "BGP updates", group_job);
	list_add_tail(&feed->groups, &g->node);
	return g;
}

static void group_free(struct bgp_group *g)
{
	struct bgp_feed *feed = g->feed;

	job_cancel(&g->job);
	bgp_out_cache_clear(g);
	for (uint32_t i = 0; i < g->n_said; i++) {
		attrs_put(g->said[i].attrs);
		if (g->said[i].net)
			rib_net_release(g->said[i].net);
	}
	list_del(&g->node);
	free(g->said);
	free(g->pending);
	free(g->sayings);
	free(g);
	feed_put(feed);
}

static void key_of_labelled(const struct bgp_peer_family *pf, struct bgp_group_key *key)
{
	const struct bgp_family_conf *c = &pf->peer->conf.af[pf->family];

	key->client = c->route_reflector_client;
	key->v6_next_hop = pf->peer->info.agreed.v6_next_hop[pf->family];
	key->unchanged = key->internal ? !c->next_hop_self : c->next_hop_unchanged;
}

/* False: it cannot be told anything of the family. */
static bool key_of(const struct bgp_peer_family *pf, struct bgp_group_key *key)
{
	const struct bgp_peer *p = pf->peer;

	memset(key, 0, sizeof(*key));
	if (!bgp_out_nexthop(p, pf->family, &key->nexthop, &key->nexthop_ll))
		return false;
	key->as4 = p->info.agreed.as4;
	key->internal = bgp_peer_internal(p);
	key->vrf = p->vrf_id;
	if (bgp_family_labelled(pf->family))
		key_of_labelled(pf, key);
	return true;
}

static void join(struct bgp_peer_family *pf)
{
	struct bgp_peer *p = pf->peer;
	struct bgp_group_key key;
	struct bgp_feed *feed;
	struct bgp_group *g;

	if (!key_of(pf, &key)) {
		log_warn("bgp", "%s: nothing is announced of %s: no next hop of ours fits", p->name,
			 bgp_family_name(pf->family));
		return;
	}
	feed = feed_get(p->bgp, pf->family, pf->source.table);
	if (!feed)
		return;
	g = group_get(feed, &key);
	pf->group = g;
	pf->syncing = g->n_said > 0;
	pf->sync_at = 0;
	pf->needs_eor = true;
	list_add_tail(&g->members, &pf->member);
	job_schedule(&g->job);
}

void bgp_groups_join(struct bgp_peer *p)
{
	for (int f = 0; f < BGP_FAMILIES; f++) {
		if (p->family[f].active && !p->family[f].group)
			join(&p->family[f]);
	}
}

static void leave(struct bgp_peer_family *pf)
{
	struct bgp_group *g = pf->group;

	list_del(&pf->member);
	pf->group = NULL;
	pf->syncing = false;
	pf->refreshing = false;
	pf->refresh_later = false;
	pf->needs_eor = false;
	if (list_empty(&g->members)) {
		group_free(g);
		return;
	}
	/* everyone who is left was told its routes */
	for (uint32_t i = 0; i < g->n_said; i++) {
		if (g->said[i].but == pf)
			g->said[i].but = NULL;
	}
}

void bgp_groups_leave(struct bgp_peer *p)
{
	for (int f = 0; f < BGP_FAMILIES; f++) {
		if (p->family[f].group)
			leave(&p->family[f]);
	}
}

void bgp_groups_refresh(struct bgp_peer_family *pf)
{
	if (!pf->group)
		return;
	/* End-of-RIB goes first (RFC 7313 section 4) */
	pf->refresh_later = pf->needs_eor;
	if (pf->needs_eor)
		return;
	bgp_pack_refresh(pf, BGP_REFRESH_BEGIN);
	pf->refreshing = true;
	pf->syncing = true;
	pf->sync_at = 0;
	job_schedule(&pf->group->job);
}

void bgp_groups_drained(struct bgp_peer *p)
{
	for (int f = 0; f < BGP_FAMILIES; f++) {
		if (p->family[f].group)
			job_schedule(&p->family[f].group->job);
	}
}

/* Every net is judged again; only what differs from what was said is told. */
static void walk_again(struct bgp_group *g)
{
	g->walked = false;
	memset(&g->cursor, 0, sizeof(g->cursor));
	job_schedule(&g->job);
}

void bgp_groups_again(struct bgp *b, struct rib_table *t)
{
	struct bgp_feed *feed;
	struct bgp_group *g;

	list_for_each(feed, &b->feeds, struct bgp_feed, node) {
		if (feed->table != t)
			continue;
		list_for_each(g, &feed->groups, struct bgp_group, node)
			walk_again(g);
	}
}

bool bgp_groups_moved(struct bgp_peer_family *pf)
{
	struct bgp_group *g = pf->group;
	struct bgp_group_key key;

	if (!g || !key_of(pf, &key))
		return true;
	if (!memcmp(&g->key, &key, sizeof(key)))
		return true;
	/* others would hear what is not for them, or it would not hear what is to be taken back */
	if (pf->member.next != pf->member.prev || group_find(g->feed, &key))
		return false;
	g->key = key;
	bgp_out_cache_clear(g);
	walk_again(g);
	return true;
}

/* What the VRF redistributes may have changed: every net is judged again. */
void bgp_groups_vrf_changed(struct bgp *b, const struct vrf *v)
{
	struct bgp_feed *feed;
	struct bgp_group *g;

	list_for_each(feed, &b->feeds, struct bgp_feed, node) {
		if (rib_table_vrf(feed->table) != v->id || bgp_family_vpn(feed->family))
			continue;
		list_for_each(g, &feed->groups, struct bgp_group, node)
			walk_again(g);
	}
}

/* ---- for show ---- */

uint32_t bgp_family_advertised(const struct bgp_peer_family *pf)
{
	return pf->group ? pf->group->told : 0;
}

struct rib_net *bgp_advertised_walk(const struct bgp_peer_family *pf, uint32_t *at,
				    struct attrs **attrs, uint32_t *label)
{
	const struct bgp_group *g = pf->group;

	while (g && *at < g->n_said) {
		const struct bgp_said *s = &g->said[(*at)++];

		if (!s->attrs || s->but == pf)
			continue;
		*attrs = s->attrs;
		*label = s->label;
		return s->net;
	}
	return NULL;
}

void bgp_advertised_nexthop(const struct bgp_peer_family *pf, const struct attrs *attrs, struct ip_addr *nexthop,
			    struct ip_addr *ll)
{
	memset(nexthop, 0, sizeof(*nexthop));
	memset(ll, 0, sizeof(*ll));
	if (addr_is_set(&attrs->f.nexthop)) {
		*nexthop = attrs->f.nexthop;
	} else if (pf->group) {
		*nexthop = pf->group->key.nexthop;
		*ll = pf->group->key.nexthop_ll;
	}
}
