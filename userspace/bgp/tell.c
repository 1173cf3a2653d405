// SPDX-License-Identifier: GPL-2.0
/*
 * A group's work, in slices: nets that are pending are compared with what was said of them, and the difference is
 * told to those whom it is for. Contracts in group.h.
 *
 * What is pending is a list of nets without doubles, and what to say is worked out when it is said: so a peer that
 * takes nothing costs a bounded list, and then hears the last word only. A member that comes when the group has
 * spoken already is told what was said from the memory of the group, while the group goes on; so is one that wants
 * more or less than before.
 */
#include <stdlib.h>
#include <string.h>

#include "bgp/group.h"
#include "lib/mem.h"

#define SLICE 1024		/* nets in one slice: enough to fill messages */
#define PATHS_MAX 64		/* of a net, told to one that takes several */

/* ---- for whom ---- */

static const struct bgp_audience *work_out(struct bgp_group *g, const struct attrs *a, uint16_t but, bool had)
{
	struct bgp_bits whom = { 0 }, wants = { 0 };
	const struct bgp_audience *to;

	for (uint32_t i = 0; i < g->present.n; i++)
		for (uint64_t w = g->present.word[i]; w; w &= w - 1)
			bits_set(&whom, i * 64 + (uint32_t)__builtin_ctzll(w));
	if (g->n_constrained) {
		interest_in(&g->interest, a, had, &wants);
		for (uint32_t i = 0; i < whom.n; i++)
			whom.word[i] &= ~(i < g->constrained.n ? g->constrained.word[i] : 0) |
					(i < wants.n ? wants.word[i] : 0);
	}
	if (but)
		bits_clear(&whom, but - 1u);
	to = audience_intern(&g->audiences, &whom);
	bits_free(&whom);
	bits_free(&wants);
	return to;
}

const struct bgp_audience *bgp_group_audience(struct bgp_group *g, struct attrs *a, uint16_t but, bool had)
{
	/* without constraints attributes do not matter */
	struct attrs *key = g->n_constrained ? a : NULL;
	struct bgp_group_whom *w = &g->whom[(((uintptr_t)key >> 5) + but * 7u + had) % BGP_OUT_CACHE];

	if (w->valid && w->attrs == key && w->but == but && w->had == had)
		return w->to;
	attrs_put(w->attrs);
	w->attrs = key ? attrs_get(key) : NULL;
	w->but = but;
	w->had = had;
	w->to = work_out(g, a, but, had);
	w->valid = true;
	return w->to;
}

bool bgp_group_hears(struct bgp_group *g, struct attrs *a, uint16_t but, uint16_t number)
{
	return audience_has(bgp_group_audience(g, a, but, false), number);
}

const struct bgp_audience *bgp_group_except(struct bgp_group *g, const struct bgp_audience *a,
					    const struct bgp_bits *b)
{
	struct bgp_bits bits = { 0 };
	const struct bgp_audience *to;

	if (!a)
		return NULL;
	bits.n = a->n;
	bits.word = xmemdup(a->word, a->n * sizeof(*a->word));
	for (uint32_t i = 0; i < a->n && i < b->n; i++)
		bits.word[i] &= ~b->word[i];
	to = audience_intern(&g->audiences, &bits);
	bits_free(&bits);
	return to;
}

static const struct bgp_audience *except(struct bgp_group *g, const struct bgp_audience *a,
					 const struct bgp_audience *b)
{
	const struct bgp_bits bits = { .word = b ? (uint64_t *)b->word : NULL, .n = b ? b->n : 0 };

	if (a == b)
		return NULL;
	return b ? bgp_group_except(g, a, &bits) : a;
}

static const struct bgp_audience *alone(struct bgp_group *g, const struct bgp_peer_family *pf)
{
	struct bgp_bits bits = { 0 };
	const struct bgp_audience *to;

	bits_set(&bits, pf->number);
	to = audience_intern(&g->audiences, &bits);
	bits_free(&bits);
	return to;
}

void bgp_group_audience_changed(struct bgp_group *g)
{
	for (unsigned int i = 0; i < BGP_OUT_CACHE; i++)
		attrs_put(g->whom[i].attrs);
	memset(g->whom, 0, sizeof(g->whom));
	audiences_clear(&g->audiences);
}

/* ---- saying ---- */

static void say(struct bgp_group *g, const struct bgp_audience *to, const struct rib_net *net, struct attrs *attrs,
		uint32_t label, uint32_t path_id)
{
	const struct rd *rd = rib_net_rd(net);
	struct bgp_saying *w;

	to = bgp_move_reach(g, to, rib_net_id(net));
	if (!to)
		return;
	if (g->n_sayings == g->room_sayings) {
		g->room_sayings = g->room_sayings ? g->room_sayings * 2 : 2 * SLICE;
		g->sayings = xrealloc(g->sayings, g->room_sayings * sizeof(*g->sayings));
	}
	w = &g->sayings[g->n_sayings++];
	memset(w, 0, sizeof(*w));
	w->attrs = attrs;
	w->to = to;
	w->nlri.prefix = rib_net_prefix(net);
	w->nlri.label = label;
	w->nlri.path_id = path_id;
	if (rd)
		memcpy(w->nlri.rd, rd->b, sizeof(w->nlri.rd));
	if (g->feed->family == BGP_RTC)
		bgp_rtc_of_prefix(&w->nlri);
}

void bgp_group_say(struct bgp_group *g, const struct bgp_audience *to, const struct rib_net *net,
		   const struct bgp_said_path *path, uint32_t path_id)
{
	say(g, to, net, path ? path->attrs : NULL, path ? path->label : 0, path_id);
}

void bgp_group_hand_over(struct bgp_group *g)
{
	bgp_pack(g, g->sayings, g->n_sayings);
	g->n_sayings = 0;
	if (g->audiences.hash.count > 4096)
		bgp_group_audience_changed(g);
}

/*
 * 1 + number of the member that told it, who knows it already; 0: none. Memberships go back to clients (RFC 4684
 * 3.2).
 */
static uint16_t told_by(const struct bgp_group *g, const struct rib_route *r)
{
	const struct bgp_peer_family *pf;

	if (r->source->proto != &bgp_proto || r->source->is_local || (g->feed->family == BGP_RTC && g->key.client))
		return 0;
	pf = container_of(r->source, struct bgp_peer_family, source);
	if (pf->move && pf->move->from == g)
		return (uint16_t)(pf->old_number + 1);
	return pf->group == g ? (uint16_t)(pf->number + 1) : 0;
}

/* ---- one path of a net: what is said instead of what was said ---- */

static bool same_path(const struct bgp_said_path *a, const struct bgp_said_path *b)
{
	return a->attrs == b->attrs && a->label == b->label;
}

/* @was and @now may be NULL. */
static void tell_path(struct bgp_group *g, const struct rib_net *net, const struct bgp_said_path *was,
		      const struct bgp_said_path *now)
{
	const struct bgp_audience *before, *after;

	if (was && now && same_path(was, now) && was->but == now->but)
		return;
	before = was ? bgp_group_audience(g, was->attrs, was->but, true) : NULL;
	after = now ? bgp_group_audience(g, now->attrs, now->but, false) : NULL;
	g->said.told += !!now - !!was;
	if (was)
		say(g, except(g, before, after), net, NULL, 0, was->id);
	if (now)
		say(g, was && same_path(was, now) ? except(g, after, before) : after, net, now->attrs, now->label,
		    now->id);
}

static void decide_one(struct bgp_group *g, uint32_t id)
{
	struct bgp_said *s = said_get(&g->said, id);
	struct rib_net *net = rib_net_by_id(g->said.table, id);
	struct rib_route *r = rib_best(net);
	struct bgp_said_path was = { .attrs = s->attrs, .label = s->label, .but = s->but }, now = { 0 };

	now.label = RIB_LABEL_NONE;
	if (bgp_out_originates(g, net)) {
		r = NULL;
		now.attrs = bgp_out_default(g);
	} else if (r) {
		now.attrs = bgp_out_attrs(g, r, &now.label);
	}
	if (r && !now.attrs) {
		r = bgp_out_external(g, net);
		now.attrs = r ? bgp_out_attrs(g, r, &now.label) : NULL;
	}
	if (now.attrs && r)
		now.but = told_by(g, r);
	tell_path(g, net, was.attrs ? &was : NULL, now.attrs ? &now : NULL);
	s->attrs = now.attrs;
	s->label = now.label;
	s->but = now.but;
	/* withdrawals need no attributes, and what is announced has a reference in @s */
	attrs_put(was.attrs);
}

/* what may be told of a net, by path identifier: all that could carry or reflect; at most PATHS_MAX */
static uint32_t collect(struct bgp_group *g, struct rib_net *net, struct bgp_said_path *path)
{
	uint32_t n = 0;

	if (bgp_out_originates(g, net)) {
		path[0] = (struct bgp_said_path){ .attrs = bgp_out_default(g), .label = RIB_LABEL_NONE };
		path[0].id = UINT32_MAX;
		return !!path[0].attrs;
	}
	for (struct rib_route *r = rib_routes(net); r && n < PATHS_MAX; r = r->next) {
		if (r->reason == RIB_LOST_NEXTHOP)
			continue;
		path[n].label = RIB_LABEL_NONE;
		path[n].attrs = bgp_out_attrs(g, r, &path[n].label);
		if (!path[n].attrs)
			continue;
		path[n].id = r->number;
		path[n].but = told_by(g, r);
		n++;
	}
	return n;
}

static const struct bgp_said_path *by_id(const struct bgp_said_path *path, uint32_t n, uint32_t id)
{
	for (uint32_t i = 0; i < n; i++)
		if (path[i].id == id)
			return &path[i];
	return NULL;
}

static void decide_several(struct bgp_group *g, uint32_t id)
{
	struct rib_net *net = rib_net_by_id(g->said.table, id);
	struct bgp_said *s = said_get(&g->said, id);
	struct bgp_said_path now[PATHS_MAX], scratch;
	uint32_t n = collect(g, net, now), n_was, i;
	const struct bgp_said_path *was = said_paths(&g->said, s, &scratch, &n_was);
	struct bgp_said_paths *kept = NULL;

	for (i = 0; i < n_was; i++)
		if (!by_id(now, n, was[i].id))
			tell_path(g, net, &was[i], NULL);
	for (i = 0; i < n; i++)
		tell_path(g, net, by_id(was, n_was, now[i].id), &now[i]);
	if (n) {
		kept = xmalloc(sizeof(*kept) + n * sizeof(kept->path[0]));
		kept->n = n;
		memcpy(kept->path, now, n * sizeof(kept->path[0]));
	}
	for (i = 0; i < n_was; i++)
		attrs_put(was[i].attrs);
	free(s->paths);
	s->paths = kept;
}

static void decide(struct bgp_group *g, uint32_t id)
{
	said_get(&g->said, id)->pending = false;
	if (g->said.several)
		decide_several(g, id);
	else
		decide_one(g, id);
	said_release(&g->said, id);
}

void bgp_group_mark(struct bgp_group *g, struct rib_net *net)
{
	uint32_t id = rib_net_id(net);
	struct bgp_said *s = said_at(&g->said, id);

	job_schedule(&g->job);
	if (s->pending)
		return;
	said_hold(&g->said, s, net);
	s->pending = true;
	*(uint32_t *)vec_at(&g->pending, g->n_pending++) = id;
}

/* ---- one member is told what was said before, or what it wants since just now ---- */

void bgp_group_sync(struct bgp_peer_family *pf)
{
	pf->syncing = true;
	pf->sync_at = 0;
	job_schedule(&pf->group->job);
}

void bgp_group_sync_target(struct bgp_peer_family *pf, const uint8_t rt[8], uint8_t bits)
{
	if (pf->syncing && !pf->sync_at)
		return;
	if (bits == 64) {
		rib_target_walk_add(&pf->targets, rt);
		pf->walking = true;
		job_schedule(&pf->group->job);
	} else {
		bgp_group_sync(pf);
	}
}

static void tell_member(struct bgp_group *g, struct bgp_peer_family *pf, uint32_t id)
{
	const struct bgp_said *s = said_get(&g->said, id);
	struct bgp_said_path scratch;
	const struct bgp_said_path *path;
	uint32_t n;

	if (!s->attrs)
		return;
	path = said_paths(&g->said, s, &scratch, &n);
	for (uint32_t i = 0; i < n; i++) {
		struct rib_net *net = rib_net_by_id(g->said.table, id);

		if (audience_has(bgp_group_audience(g, path[i].attrs, path[i].but, false), pf->number))
			say(g, alone(g, pf), net, path[i].attrs, path[i].label, path[i].id);
		else if (g->n_constrained &&
			 audience_has(bgp_group_audience(g, path[i].attrs, path[i].but, true), pf->number))
			say(g, alone(g, pf), net, NULL, 0, path[i].id);
	}
}

/* A slice; true: there is more to say now. */
static bool sync_member(struct bgp_group *g, struct bgp_peer_family *pf)
{
	uint32_t end = pf->sync_at + SLICE < g->said.n ? pf->sync_at + SLICE : g->said.n;

	while (pf->sync_at < end)
		tell_member(g, pf, pf->sync_at++);
	bgp_group_hand_over(g);
	pf->syncing = pf->sync_at < g->said.n;
	return pf->syncing;
}

static bool walk_member(struct bgp_group *g, struct bgp_peer_family *pf)
{
	struct rib_net *net;

	for (unsigned int i = 0; i < SLICE; i++) {
		net = rib_target_walk_next(&pf->targets);
		if (!net) {
			pf->walking = false;
			break;
		}
		if (rib_net_id(net) < g->said.n)
			tell_member(g, pf, rib_net_id(net));
	}
	bgp_group_hand_over(g);
	return pf->walking;
}

static bool catch_up(struct bgp_group *g, struct bgp_peer_family *pf)
{
	bool more = false;

	if (!(pf->syncing || pf->walking) || bgp_session_congested(pf->peer->session))
		return false;
	if (pf->syncing)
		more = sync_member(g, pf);
	else
		more = walk_member(g, pf);
	if (pf->syncing || pf->walking)
		return true;
	if (pf->refreshing)
		bgp_pack_refresh(pf, BGP_REFRESH_END);
	pf->refreshing = false;
	/* what it does not want any more has been taken back */
	if (bits_test(&g->constrained, pf->number)) {
		interest_settle(&g->interest, pf->number);
		bgp_group_audience_changed(g);
	}
	return more;
}

/* ---- a slice ---- */

static bool congested(struct bgp_group *g)
{
	struct bgp_peer_family *pf;
	bool any = bgp_move_congested(g);

	list_for_each(pf, &g->members, struct bgp_peer_family, member) {
		if (!bgp_session_congested(pf->peer->session))
			continue;
		any = true;
		bgp_groups_slow(pf->peer);
	}
	return any;
}

static void tell_eors(struct bgp_group *g)
{
	struct bgp_peer_family *pf;

	if (!g->walked || g->n_pending)
		return;
	list_for_each(pf, &g->members, struct bgp_peer_family, member) {
		if (!pf->needs_eor || pf->syncing || pf->walking || pf->move || !bits_test(&g->present, pf->number))
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

	/* it says nothing, and nothing of what it said is left to be taken back */
	if (g->key.mute && !g->said.told) {
		g->walked = true;
		return;
	}
	for (unsigned int i = 0; i < SLICE; i++) {
		net = rib_walk(g->feed->table, &g->cursor);
		if (!net) {
			g->walked = true;
			return;
		}
		bgp_group_mark(g, net);
	}
}

bool bgp_group_work(struct job *job, unsigned int budget)
{
	struct bgp_group *g = container_of(job, struct bgp_group, job);
	struct bgp_peer_family *pf;
	bool more = false;
	uint32_t n, from;

	list_for_each(pf, &g->members, struct bgp_peer_family, member)
		more |= catch_up(g, pf);
	if (congested(g))
		return more;
	if (!g->walked)
		walk_some(g);
	n = g->n_pending < SLICE ? g->n_pending : SLICE;
	from = g->n_pending - n;
	for (uint32_t i = 0; i < n; i++)
		decide(g, *(uint32_t *)vec_get(&g->pending, from + i));
	g->n_pending = from;
	bgp_group_hand_over(g);
	more |= bgp_moves_work(g);
	tell_eors(g);
	if (!g->n_pending && g->walked) {
		bgp_out_cache_clear(g);
		bgp_group_audience_changed(g);
		vec_fini(&g->pending);
	}
	return more || g->n_pending || !g->walked;
}
