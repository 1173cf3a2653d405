// SPDX-License-Identifier: GPL-2.0
/* What a group said (said.h). */
#include "bgp/said.h"

#include <stdlib.h>
#include <string.h>

void said_init(struct bgp_said_table *t, const struct rib_table *table, bool several)
{
	*t = (struct bgp_said_table){ .table = table, .several = several };
	vec_init(&t->said, sizeof(struct bgp_said));
}

struct bgp_said *said_at(struct bgp_said_table *t, uint32_t id)
{
	if (id >= t->n)
		t->n = id + 1;
	return vec_at(&t->said, id);
}

void said_hold(struct bgp_said_table *t, struct bgp_said *s, struct rib_net *net)
{
	if (s->held)
		return;
	s->held = true;
	rib_net_hold(net);
}

void said_release(struct bgp_said_table *t, uint32_t id)
{
	struct bgp_said *s = said_get(t, id);

	if (!s->held || s->attrs || s->pending)
		return;
	memset(s, 0, sizeof(*s));
	rib_net_release(rib_net_by_id(t->table, id));
}

static void let_go(struct bgp_said_table *t, struct bgp_said *s)
{
	if (!t->several) {
		attrs_put(s->attrs);
		return;
	}
	for (uint32_t i = 0; s->paths && i < s->paths->n; i++)
		attrs_put(s->paths->path[i].attrs);
	free(s->paths);
}

bool said_free_some(struct bgp_said_table *t, unsigned int budget)
{
	while (t->n && budget--) {
		struct bgp_said *s = said_get(t, --t->n);

		if (!s->held)
			continue;
		let_go(t, s);
		memset(s, 0, sizeof(*s));
		rib_net_release(rib_net_by_id(t->table, t->n));
	}
	if (t->n)
		return true;
	vec_fini(&t->said);
	t->told = 0;
	return false;
}

void said_free(struct bgp_said_table *t)
{
	while (said_free_some(t, UINT32_MAX))
		;
}

static void forget_net(struct bgp_said_table *t, struct bgp_said *s, uint32_t member)
{
	if (!t->several) {
		s->but = s->but == member + 1 ? 0 : s->but;
		return;
	}
	for (uint32_t k = 0; s->paths && k < s->paths->n; k++)
		if (s->paths->path[k].but == member + 1)
			s->paths->path[k].but = 0;
}

/*
 * By its routes, or by all that was said: what is less. A net whose route of that member has gone already is
 * pending, and who gets the number meanwhile is not told of it, as it is then taken to be.
 */
void said_forget_member(struct bgp_said_table *t, uint32_t member, const struct rib_source *source)
{
	const struct rib *rib = rib_table_rib(t->table);
	const struct rib_route *r;

	if (source->count > t->n / 16) {
		for (uint32_t i = 0; i < t->n; i++)
			forget_net(t, said_get(t, i), member);
		return;
	}
	for (r = rib_list_first(rib, &source->routes); r; r = rib_list_next(rib, r, RIB_OF_SOURCE))
		if (rib_net_id(r->net) < t->n)
			forget_net(t, said_get(t, rib_net_id(r->net)), member);
}

const struct bgp_said_path *said_paths(const struct bgp_said_table *t, const struct bgp_said *s,
				       struct bgp_said_path *scratch, uint32_t *n)
{
	if (t->several) {
		*n = s->paths ? s->paths->n : 0;
		return s->paths ? s->paths->path : NULL;
	}
	*n = s->attrs ? 1 : 0;
	*scratch = (struct bgp_said_path){ .attrs = s->attrs, .label = s->label, .but = s->but };
	return scratch;
}
