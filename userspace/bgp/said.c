// SPDX-License-Identifier: GPL-2.0
/* What a group said (said.h). */
#include "bgp/said.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

struct bgp_said *said_at(struct bgp_said_table *t, uint32_t id)
{
	uint32_t n = t->n ? t->n : 64;

	if (id < t->n)
		return &t->said[id];
	/* by halves: doubling would leave up to half of it unused */
	while (n <= id)
		n += n / 2;
	t->said = xrealloc(t->said, n * sizeof(*t->said));
	memset(t->said + t->n, 0, (n - t->n) * sizeof(*t->said));
	t->n = n;
	return &t->said[id];
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
	struct bgp_said *s = &t->said[id];

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

void said_free(struct bgp_said_table *t)
{
	for (uint32_t i = 0; i < t->n; i++) {
		if (!t->said[i].held)
			continue;
		let_go(t, &t->said[i]);
		rib_net_release(rib_net_by_id(t->table, i));
	}
	free(t->said);
	t->said = NULL;
	t->n = 0;
	t->told = 0;
}

void said_forget_member(struct bgp_said_table *t, uint32_t member)
{
	for (uint32_t i = 0; i < t->n; i++) {
		struct bgp_said *s = &t->said[i];

		if (t->several) {
			for (uint32_t k = 0; s->paths && k < s->paths->n; k++)
				if (s->paths->path[k].but == member + 1)
					s->paths->path[k].but = 0;
		} else if (s->but == member + 1) {
			s->but = 0;
		}
	}
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
