// SPDX-License-Identifier: GPL-2.0
/* Update groups as show sees them: contracts in look.h. */
#include "bgp/look.h"

#include <string.h>

#include "bgp/group.h"

/* Nothing of the net is told to this member: the first reason there is. */
static const char *untold(struct bgp_group *g, const struct bgp_peer_family *pf, struct rib_net *net)
{
	struct rib_route *best = rib_best(net);
	const char *why;

	if (!best)
		return "no path can be used";
	if (best->source == &pf->source && !g->key.several)
		return "the best path is its own";
	why = bgp_out_refusal(g, best);
	if (why)
		return why;
	if (!bits_test(&g->present, pf->number))
		return "waits for its route target memberships";
	if (bits_test(&g->constrained, pf->number) && g->walked && !g->n_pending && !pf->syncing && !pf->walking)
		return "it asked for none of its route targets";
	return "about to be told";
}

static void tell_of(struct bgp_group *g, const struct bgp_peer_family *pf, struct rib_net *net,
		    void (*fn)(const struct bgp_told *told, void *arg), void *arg)
{
	struct bgp_told told = { .to = pf };
	const struct bgp_said_path *path = NULL;
	struct bgp_said_path scratch;
	uint32_t n = 0, id = rib_net_id(net);
	bool any = false;

	if (id < g->said.n && said_get(&g->said, id)->attrs)
		path = said_paths(&g->said, said_get(&g->said, id), &scratch, &n);
	for (uint32_t i = 0; i < n; i++) {
		if (!bgp_group_hears(g, path[i].attrs, path[i].but, pf->number))
			continue;
		any = true;
		told.attrs = path[i].attrs;
		told.label = path[i].label;
		told.path_id = g->said.several ? path[i].id : 0;
		fn(&told, arg);
	}
	if (any)
		return;
	told.why = untold(g, pf, net);
	fn(&told, arg);
}

void bgp_told_each(struct bgp *b, struct rib_net *net, void (*fn)(const struct bgp_told *told, void *arg), void *arg)
{
	struct bgp_peer_family *pf;
	struct bgp_feed *feed;
	struct bgp_group *g;

	list_for_each(feed, &b->feeds, struct bgp_feed, node) {
		if (feed->table != rib_net_table(net))
			continue;
		list_for_each(g, &feed->groups, struct bgp_group, node)
			list_for_each(pf, &g->members, struct bgp_peer_family, member)
				tell_of(g, pf, net, fn, arg);
	}
}

static void fill(struct bgp_group *g, struct bgp_group_info *i)
{
	struct bgp_peer_family *pf;

	memset(i, 0, sizeof(*i));
	i->index = g->index;
	i->family = g->feed->family;
	i->vrf = g->key.vrf;
	i->policy = g->key.policy ? policy_name(g->key.policy) : NULL;
	i->nexthop = g->key.nexthop;
	i->internal = g->key.internal;
	i->client = g->key.client;
	i->several = g->key.several;
	i->as4 = g->key.as4;
	i->unchanged = g->key.unchanged;
	i->mute = g->key.mute;
	i->walking = !g->walked;
	i->told = g->said.told;
	i->pending = g->n_pending;
	i->messages = g->messages;
	list_for_each(pf, &g->members, struct bgp_peer_family, member) {
		i->members++;
		i->waiting += bgp_session_congested(pf->peer->session);
	}
}

bool bgp_group_walk(const struct bgp *b, uint32_t behind, struct bgp_group_info *info)
{
	struct bgp_group *g, *next = NULL;
	struct bgp_feed *feed;

	list_for_each(feed, &b->feeds, struct bgp_feed, node) {
		list_for_each(g, &feed->groups, struct bgp_group, node) {
			if (g->index > behind && (!next || g->index < next->index))
				next = g;
		}
	}
	if (next)
		fill(next, info);
	return next;
}

const struct bgp_peer_family *bgp_group_member(const struct bgp *b, uint32_t index, const struct bgp_peer_family *pf)
{
	struct bgp_feed *feed;
	struct bgp_group *g;
	struct list *n;

	list_for_each(feed, &b->feeds, struct bgp_feed, node) {
		list_for_each(g, &feed->groups, struct bgp_group, node) {
			if (g->index != index)
				continue;
			n = pf ? pf->member.next : g->members.next;
			return n == &g->members ? NULL : list_entry(n, struct bgp_peer_family, member);
		}
	}
	return NULL;
}

uint32_t bgp_group_of(const struct bgp_peer_family *pf)
{
	return pf->group ? pf->group->index : 0;
}
