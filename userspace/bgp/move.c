// SPDX-License-Identifier: GPL-2.0
/*
 * Members that go over to another group while their sessions last, because what they are told changed: those that
 * go from one group to another at the same time go together. Of the nets before a mark they belong to the new group
 * already, of those behind it still to the old one, whose member they stay until the mark is at the end; where the
 * mark passes, they are told the difference between what the one said and what the other says. Contracts in
 * group.h.
 */
#include <stdlib.h>
#include <string.h>

#include "bgp/group.h"
#include "lib/mem.h"

#define SLICE 1024

/* ---- who tells what ---- */

/* of @to those whom this group does not tell of the net any more, or not yet, are left out */
const struct bgp_audience *bgp_move_reach(struct bgp_group *g, const struct bgp_audience *to, uint32_t net)
{
	const struct bgp_move *m;

	list_for_each(m, &g->arriving, struct bgp_move, to_node) {
		if (net >= m->at)
			to = bgp_group_except(g, to, &m->now);
	}
	list_for_each(m, &g->leaving, struct bgp_move, from_node) {
		if (net < m->at)
			to = bgp_group_except(g, to, &m->was);
	}
	return to;
}

bool bgp_move_congested(const struct bgp_group *g)
{
	const struct bgp_move *m;

	list_for_each(m, &g->leaving, struct bgp_move, from_node) {
		for (uint32_t i = 0; i < m->n; i++) {
			if (bgp_session_congested(m->member[i]->peer->session))
				return true;
		}
	}
	return false;
}

/* ---- the difference ---- */

/*
 * Of those who are moving: whom the old group told of the path (@had: may have told), by their numbers in the new
 * one.
 */
static void told_before(const struct bgp_move *m, const struct bgp_said_path *path, bool had, struct bgp_bits *out)
{
	const struct bgp_audience *a = path ? bgp_group_audience(m->from, path->attrs, path->but, had) : NULL;

	for (uint32_t i = 0; a && i < m->n; i++) {
		if (audience_has(a, m->member[i]->old_number))
			bits_set(out, m->member[i]->number);
	}
}

static void told_now(const struct bgp_move *m, const struct bgp_said_path *path, struct bgp_bits *out)
{
	const struct bgp_audience *a = path ? bgp_group_audience(m->to, path->attrs, path->but, false) : NULL;

	for (uint32_t i = 0; a && i < m->n; i++) {
		if (audience_has(a, m->member[i]->number))
			bits_set(out, m->member[i]->number);
	}
}

static void without(struct bgp_bits *a, const struct bgp_bits *b)
{
	for (uint32_t i = 0; i < a->n && i < b->n; i++)
		a->word[i] &= ~b->word[i];
}

/* One path; @was and @now may be NULL. */
static void pass_path(const struct bgp_move *m, const struct rib_net *net, const struct bgp_said_path *was,
		      const struct bgp_said_path *now)
{
	struct bgp_bits before = { 0 }, certain = { 0 }, after = { 0 };

	told_before(m, was, true, &before);
	told_now(m, now, &after);
	if (m->sure && was && now && was->attrs == now->attrs && was->label == now->label)
		told_before(m, was, false, &certain);
	without(&before, &after);
	without(&after, &certain);
	bgp_group_say(m->to, audience_intern(&m->to->audiences, &before), net, NULL, was ? was->id : 0);
	bgp_group_say(m->to, audience_intern(&m->to->audiences, &after), net, now, now ? now->id : 0);
	bits_free(&before);
	bits_free(&certain);
	bits_free(&after);
}

static const struct bgp_said_path *by_id(const struct bgp_said_path *path, uint32_t n, uint32_t id)
{
	for (uint32_t i = 0; i < n; i++) {
		if (path[i].id == id)
			return &path[i];
	}
	return NULL;
}

static const struct bgp_said_path *paths_of(const struct bgp_group *g, uint32_t id, struct bgp_said_path *scratch,
					    uint32_t *n)
{
	*n = 0;
	if (id >= g->said.n || !said_get(&g->said, id)->attrs)
		return NULL;
	return said_paths(&g->said, said_get(&g->said, id), scratch, n);
}

static void pass_net(const struct bgp_move *m, uint32_t id)
{
	struct bgp_said_path one, other;
	const struct bgp_said_path *was, *now;
	const struct rib_net *net;
	uint32_t n_was, n_now;

	was = paths_of(m->from, id, &one, &n_was);
	now = paths_of(m->to, id, &other, &n_now);
	if (!n_was && !n_now)
		return;
	net = rib_net_by_id(m->to->said.table, id);
	for (uint32_t i = 0; i < n_was; i++) {
		if (!by_id(now, n_now, was[i].id))
			pass_path(m, net, &was[i], NULL);
	}
	for (uint32_t i = 0; i < n_now; i++)
		pass_path(m, net, by_id(was, n_was, now[i].id), &now[i]);
}

/* ---- life ---- */

static void move_free(struct bgp_move *m)
{
	list_del(&m->to_node);
	list_del(&m->from_node);
	bits_free(&m->was);
	bits_free(&m->now);
	free(m->member);
	free(m);
}

void bgp_move_drop(struct bgp_peer_family *pf)
{
	struct bgp_move *m = pf->move;
	uint32_t i = 0;

	pf->move = NULL;
	while (m->member[i] != pf)
		i++;
	m->member[i] = m->member[--m->n];
	bits_clear(&m->was, pf->old_number);
	bits_clear(&m->now, pf->number);
	bgp_group_number_free(m->from, pf, pf->old_number);
	if (!m->n) {
		struct bgp_group *from = m->from;

		move_free(m);
		bgp_group_check(from);
	}
}

static void finish(struct bgp_move *m)
{
	while (m->n > 1)
		bgp_move_end(m->member[0]);
	bgp_move_end(m->member[0]);
}

void bgp_move_end(struct bgp_peer_family *pf)
{
	bgp_move_drop(pf);
	if (pf->refreshing && !pf->syncing)
		bgp_pack_refresh(pf, BGP_REFRESH_END);
	pf->refreshing &= pf->syncing;
	if (pf->refresh_later && !pf->needs_eor)
		bgp_groups_refresh(pf);
}

static struct bgp_move *move_get(struct bgp_group *from, struct bgp_group *to, bool sure)
{
	struct bgp_move *m;

	list_for_each(m, &to->arriving, struct bgp_move, to_node) {
		if (m->from == from && !m->at && m->sure == sure)
			return m;
	}
	m = xcalloc(1, sizeof(*m));
	m->from = from;
	m->to = to;
	m->sure = sure;
	list_add_tail(&to->arriving, &m->to_node);
	list_add_tail(&from->leaving, &m->from_node);
	return m;
}

void bgp_move_begin(struct bgp_peer_family *pf, struct bgp_group *from, bool sure)
{
	struct bgp_move *m = move_get(from, pf->group, sure);

	m->member = xrealloc(m->member, (m->n + 1) * sizeof(*m->member));
	m->member[m->n++] = pf;
	bits_set(&m->was, pf->old_number);
	bits_set(&m->now, pf->number);
	pf->move = m;
	job_schedule(&m->to->job);
}

/* What the group says of the net is not up to date: it will be, before its work is done. */
static bool undecided(const struct bgp_group *g, uint32_t id)
{
	return id < g->said.n && said_get(&g->said, id)->pending;
}

/* A slice of one move; true: there is more to do now. */
static bool move_some(struct bgp_move *m)
{
	uint32_t last = m->from->said.n > m->to->said.n ? m->from->said.n : m->to->said.n;

	for (uint32_t i = 0; i < m->n; i++) {
		if (bgp_session_congested(m->member[i]->peer->session))
			return false;
	}
	for (unsigned int i = 0; i < SLICE && m->at < last && !undecided(m->to, m->at); i++) {
		m->at++;
		pass_net(m, m->at - 1);
	}
	bgp_group_hand_over(m->to);
	if (m->at < last)
		return true;
	finish(m);
	return false;
}

bool bgp_moves_work(struct bgp_group *g)
{
	struct bgp_move *m, *tmp;
	bool more = false;

	/* until it has looked at everything once, it does not know what it says */
	if (!g->walked)
		return false;
	list_for_each_safe(m, tmp, &g->arriving, struct bgp_move, to_node)
		more |= move_some(m);
	return more;
}
