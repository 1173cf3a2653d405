// SPDX-License-Identifier: GPL-2.0
/*
 * Update groups: feeds of tables, groups, and members that come and go. What a group does is in tell.c. Contracts in
 * group.h and peer.h.
 */
#include "bgp/event.h"
#include "bgp/group.h"
#include "bgp/path.h"

#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/mem.h"

#define SLOW_MS 1000		/* a wait for a member that is told of */

/* ---- feeds ---- */

static void feed_change(struct rib_sub *sub, struct rib_net *net)
{
	struct bgp_feed *feed = container_of(sub, struct bgp_feed, sub);
	struct bgp_group *g;

	list_for_each(g, &feed->groups, struct bgp_group, node)
		bgp_group_mark(g, net);
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
	feed->sub.at_once = true;
	list_init(&feed->groups);
	list_init(&feed->ended);
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
	if (!list_empty(&feed->groups) || !list_empty(&feed->ended))
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

/* There may be no route, and so no net to walk over. */
static void mark_default(struct bgp_group *g)
{
	const struct prefix p = { .addr.family = rib_table_family(g->feed->table) };
	struct rib_net *net;

	if (!g->key.originate)
		return;
	net = rib_net_take(g->feed->table, NULL, &p);
	bgp_group_mark(g, net);
	rib_net_release(net);
}

static struct bgp_group *group_get(struct bgp_feed *feed, const struct bgp_group_key *key)
{
	struct bgp_group *g = group_find(feed, key);

	if (g)
		return g;
	g = xcalloc(1, sizeof(*g));
	g->feed = feed;
	g->index = ++feed->bgp->groups_made;
	g->key = *key;
	policy_ref(key->policy);
	policy_ref(key->originate_policy);
	list_init(&g->members);
	list_init(&g->arriving);
	list_init(&g->leaving);
	said_init(&g->said, feed->table, key->several);
	vec_init(&g->pending, sizeof(uint32_t));
	/* paths that are not the best are told too */
	feed->sub.all_paths |= key->several;
	interest_init(&g->interest);
	job_init(&g->job, feed->bgp->env.jobs, "BGP updates", bgp_group_work);
	list_add_tail(&feed->groups, &g->node);
	mark_default(g);
	return g;
}

static void group_free(struct bgp_group *g)
{
	struct bgp_feed *feed = g->feed;

	job_cancel(&g->job);
	said_free(&g->said);
	list_del(&g->node);
	free(g);
	feed_put(feed);
}

static bool free_some(struct job *job, unsigned int budget)
{
	struct bgp_group *g = container_of(job, struct bgp_group, job);

	if (said_free_some(&g->said, budget * 4))
		return true;
	group_free(g);
	return false;
}

/*
 * Without members it says nothing any more. What it remembers of a table that stays is given back in slices; a
 * VRF's table may go at once.
 */
static void group_end(struct bgp_group *g)
{
	struct bgp_feed *feed = g->feed;

	job_cancel(&g->job);
	bgp_out_cache_clear(g);
	interest_free(&g->interest);
	bgp_group_audience_changed(g);
	bits_free(&g->present);
	bits_free(&g->constrained);
	policy_put(g->key.policy);
	policy_put(g->key.originate_policy);
	free(g->by_number);
	vec_fini(&g->pending);
	free(g->sayings);
	if (rib_table_kind(feed->table) == RIB_TABLE_VRF) {
		group_free(g);
		return;
	}
	list_del(&g->node);
	list_add_tail(&feed->ended, &g->node);
	job_init(&g->job, feed->bgp->env.jobs, "BGP updates, freed", free_some);
	job_schedule(&g->job);
}

void bgp_groups_end(struct bgp *b)
{
	struct bgp_feed *feed, *tmp;
	struct bgp_group *g, *next;

	list_for_each_safe(feed, tmp, &b->feeds, struct bgp_feed, node)
		list_for_each_safe(g, next, &feed->ended, struct bgp_group, node) {
			bool last = g->node.next == &feed->ended;

			group_free(g);
			if (last)
				break;
		}
}

static void key_of_labelled(const struct bgp_peer_family *pf, struct bgp_group_key *key)
{
	const struct bgp_family_conf *c = &pf->peer->conf.af[pf->family];

	key->client = c->route_reflector_client;
	key->v6_next_hop = pf->peer->info.agreed.v6_next_hop[pf->family];
	key->unchanged = key->internal ? !c->next_hop_self : c->next_hop_unchanged;
}

/* What is told to another AS alone. */
static void key_of_external(const struct bgp_peer_family *pf, struct bgp_group_key *key)
{
	const struct bgp_peer *p = pf->peer;
	const struct bgp_family_conf *c = &p->conf.af[pf->family];

	key->own_as = bgp_peer_as(p);
	key->real_as = key->own_as != p->bgp->as && !p->conf.local_replace;
	key->as_override = c->as_override;
	key->remove_private = c->remove_private;
	if (key->as_override || key->remove_private != BGP_PRIVATE_STAY)
		key->peer_as = p->conf.remote_as;
	key->send_community = c->send_community;
	key->send_extended = c->send_extended;
}

/* False: it cannot be told anything of the family. */
static bool key_of(const struct bgp_peer_family *pf, struct bgp_group_key *key)
{
	const struct bgp_peer *p = pf->peer;
	const struct bgp_family_conf *c = &p->conf.af[pf->family];

	memset(key, 0, sizeof(*key));
	if (!bgp_out_nexthop(p, pf->family, &key->nexthop, &key->nexthop_ll))
		return false;
	key->as4 = p->info.agreed.as4;
	key->extended = p->info.agreed.extended;
	key->internal = bgp_peer_internal(p);
	key->vrf = p->vrf_id;
	key->several = p->info.agreed.addpath_tx[pf->family];
	key->policy = pf->out;
	key->mute = bgp_policy_missing(pf, true);
	key->maintenance = p->conf.maintenance && pf->family != BGP_RTC;
	memcpy(key->site, c->site, sizeof(key->site));
	key->originate = c->originate;
	key->originate_policy = pf->originate;
	if (!key->internal)
		key_of_external(pf, key);
	if (bgp_family_labelled(pf->family))
		key_of_labelled(pf, key);
	else if (pf->family == BGP_RTC)
		key->client = p->conf.af[BGP_RTC].route_reflector_client;
	return true;
}

/* the lowest number that is free */
static bool number_member(struct bgp_group *g, struct bgp_peer_family *pf)
{
	uint32_t i;

	for (i = 0; i < g->numbers && g->by_number[i]; i++)
		;
	if (i == BGP_MEMBERS_MAX)
		return false;
	if (i == g->numbers) {
		g->numbers = g->numbers ? g->numbers * 2 : 8;
		g->by_number = xrealloc(g->by_number, g->numbers * sizeof(*g->by_number));
		memset(g->by_number + i, 0, (g->numbers - i) * sizeof(*g->by_number));
	}
	g->by_number[i] = pf;
	pf->number = (uint16_t)i;
	return true;
}

static void tell_newcomer(struct bgp_group *g, struct bgp_peer_family *pf)
{
	bits_set(&g->present, pf->number);
	bgp_group_audience_changed(g);
	if (bits_test(&g->constrained, pf->number))
		bgp_rtc_joined(pf);
	else if (g->said.n)
		bgp_group_sync(pf);
	job_schedule(&g->job);
}

/* A member of the group, who is told nothing yet. False: it has no room. */
static bool admit(struct bgp_group *g, struct bgp_peer_family *pf)
{
	if (!number_member(g, pf)) {
		bgp_happened(LOG_LEVEL_ERR, pf->peer->name,
			     "nothing is announced of %s: its update group has %u members", bgp_family_name(pf->family),
			     BGP_MEMBERS_MAX);
		return false;
	}
	pf->group = g;
	pf->syncing = false;
	pf->walking = false;
	rib_target_walk_init(&pf->targets, g->feed->table);
	list_add_tail(&g->members, &pf->member);
	if (bgp_rtc_constrains(pf->peer, pf->family)) {
		bits_set(&g->constrained, pf->number);
		g->n_constrained++;
	}
	return true;
}

static void join(struct bgp_peer_family *pf)
{
	struct bgp_peer *p = pf->peer;
	struct bgp_group_key key;
	struct bgp_feed *feed;
	struct bgp_group *g;

	if (!key_of(pf, &key)) {
		bgp_happened(LOG_LEVEL_WARNING, p->name, "nothing is announced of %s: no next hop of ours fits",
			     bgp_family_name(pf->family));
		return;
	}
	feed = feed_get(p->bgp, pf->family, pf->source.table);
	if (!feed)
		return;
	g = group_get(feed, &key);
	if (!admit(g, pf))
		return;
	pf->needs_eor = true;
	if (bgp_rtc_may_tell(p, pf->family))
		tell_newcomer(g, pf);
}

void bgp_groups_open(struct bgp_peer *p)
{
	for (int f = 0; f < BGP_FAMILIES; f++) {
		struct bgp_peer_family *pf = &p->family[f];

		if (pf->group && !bits_test(&pf->group->present, pf->number))
			tell_newcomer(pf->group, pf);
	}
}

void bgp_groups_interest(struct bgp_peer *p, const uint8_t rt[8], uint8_t bits, bool wants)
{
	for (int f = 0; f < BGP_FAMILIES; f++) {
		struct bgp_peer_family *pf = &p->family[f];
		struct bgp_group *g = pf->group;

		if (!g || !bgp_family_vpn(f) || !bits_test(&g->present, pf->number))
			continue;
		interest_set(&g->interest, pf->number, rt, bits, wants);
		bgp_group_audience_changed(g);
		bgp_group_sync_target(pf, rt, bits);
	}
}

void bgp_groups_join(struct bgp_peer *p)
{
	for (int f = 0; f < BGP_FAMILIES; f++) {
		if (p->family[f].active && !p->family[f].group && bgp_restart_may_tell(p->bgp, f))
			join(&p->family[f]);
	}
}

void bgp_group_number_free(struct bgp_group *g, struct bgp_peer_family *pf, uint16_t number)
{
	g->by_number[number] = NULL;
	bits_clear(&g->present, number);
	if (bits_test(&g->constrained, number)) {
		bits_clear(&g->constrained, number);
		g->n_constrained--;
		interest_forget(&g->interest, number);
	}
	said_forget_member(&g->said, number, &pf->source);
	bgp_group_audience_changed(g);
}

void bgp_group_check(struct bgp_group *g)
{
	if (list_empty(&g->members) && list_empty(&g->leaving))
		group_end(g);
}

static void leave(struct bgp_peer_family *pf)
{
	struct bgp_group *g = pf->group;

	if (pf->move)
		bgp_move_drop(pf);
	list_del(&pf->member);
	rib_target_walk_end(&pf->targets);
	pf->group = NULL;
	pf->syncing = false;
	pf->walking = false;
	pf->refreshing = false;
	pf->refresh_later = false;
	pf->needs_eor = false;
	if (!list_empty(&g->members) || !list_empty(&g->leaving))
		bgp_group_number_free(g, pf, pf->number);
	bgp_group_check(g);
}

/* Its groups wait for it: told when that is over, and was long. */
void bgp_groups_slow(struct bgp_peer *p)
{
	if (!p->slow_since)
		p->slow_since = clock_us();
}

static void slow_over(struct bgp_peer *p)
{
	uint64_t ms = p->slow_since ? (clock_us() - p->slow_since) / 1000 : 0;

	p->slow_since = 0;
	if (ms >= SLOW_MS)
		bgp_happened(LOG_LEVEL_NOTICE, p->name, "took no data: its update groups waited %u.%u s for it",
			     (unsigned int)(ms / 1000), (unsigned int)(ms / 100 % 10));
}

void bgp_groups_leave(struct bgp_peer *p)
{
	slow_over(p);
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
	pf->refresh_later = pf->needs_eor || pf->move;
	if (pf->refresh_later)
		return;
	bgp_pack_refresh(pf, BGP_REFRESH_BEGIN);
	pf->refreshing = true;
	bgp_group_sync(pf);
}

void bgp_groups_drained(struct bgp_peer *p)
{
	slow_over(p);
	for (int f = 0; f < BGP_FAMILIES; f++) {
		struct bgp_peer_family *pf = &p->family[f];

		if (pf->group)
			job_schedule(&pf->group->job);
		if (pf->move)
			job_schedule(&pf->move->from->job);
	}
}

/* Every net is judged again; only what differs from what was said is told. */
static void walk_again(struct bgp_group *g)
{
	g->walked = false;
	memset(&g->cursor, 0, sizeof(g->cursor));
	mark_default(g);
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

void bgp_groups_policy(struct bgp *b, struct policy *changed)
{
	struct bgp_feed *feed;
	struct bgp_group *g;

	list_for_each(feed, &b->feeds, struct bgp_feed, node) {
		list_for_each(g, &feed->groups, struct bgp_group, node) {
			if (g->key.policy != changed && g->key.originate_policy != changed)
				continue;
			bgp_out_cache_clear(g);
			walk_again(g);
		}
	}
}

static void rekey(struct bgp_group *g, const struct bgp_group_key *key)
{
	policy_ref(key->policy);
	policy_ref(key->originate_policy);
	policy_put(g->key.policy);
	policy_put(g->key.originate_policy);
	g->key = *key;
	bgp_out_cache_clear(g);
	walk_again(g);
}

/* Over to another group, while the session lasts. */
static bool go_over(struct bgp_peer_family *pf, const struct bgp_group_key *key)
{
	struct bgp_group *from = pf->group, *to = group_get(from->feed, key);
	bool present = bits_test(&from->present, pf->number), sure = !pf->syncing && !pf->walking;

	pf->old_number = pf->number;
	list_del(&pf->member);
	rib_target_walk_end(&pf->targets);
	pf->group = NULL;
	if (!admit(to, pf)) {
		pf->group = from;
		list_add_tail(&from->members, &pf->member);
		return false;
	}
	if (!present) {
		/* it was told nothing so far */
		bgp_group_number_free(from, pf, pf->old_number);
		bgp_group_check(from);
		return true;
	}
	bits_set(&to->present, pf->number);
	if (bits_test(&to->constrained, pf->number))
		bgp_rtc_interest(pf);
	bgp_group_audience_changed(to);
	bgp_move_begin(pf, from, sure);
	return true;
}

bool bgp_groups_moved(struct bgp_peer_family *pf)
{
	struct bgp_group *g = pf->group;
	struct bgp_group_key key;

	if (!g || !key_of(pf, &key) || !memcmp(&g->key, &key, sizeof(key)))
		return true;
	if (pf->move)
		return false;
	/* alone, and there is no other yet: the group itself says other things from now on */
	if (pf->member.next == pf->member.prev && list_empty(&g->leaving) && !group_find(g->feed, &key)) {
		rekey(g, &key);
		return true;
	}
	return go_over(pf, &key);
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
	return pf->group ? pf->group->said.told : 0;
}

struct rib_net *bgp_advertised_walk(const struct bgp_peer_family *pf, struct bgp_advertised *at)
{
	struct bgp_group *g = pf->group;
	struct bgp_said_path scratch;
	const struct bgp_said_path *path;
	uint32_t n;

	for (; g && at->net < g->said.n; at->net++, at->path = 0) {
		const struct bgp_said *s = said_get(&g->said, at->net);

		if (!s->attrs)
			continue;
		path = said_paths(&g->said, s, &scratch, &n);
		while (at->path < n) {
			const struct bgp_said_path *p = &path[at->path++];

			if (!bgp_group_hears(g, p->attrs, p->but, pf->number))
				continue;
			at->attrs = p->attrs;
			at->label = p->label;
			at->path_id = g->said.several ? p->id : 0;
			return rib_net_by_id(g->said.table, at->net);
		}
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
