// SPDX-License-Identifier: GPL-2.0
/*
 * Sources of routes (table.h): stale marks, and sweeps in slices. A source's list has its stale
 * routes in front, because whatever is announced moves to the end; so a sweep never looks at a
 * fresh one, and what is announced while it runs stays.
 */
#include <stddef.h>
#include <string.h>

#include "lib/mem.h"
#include "rib/private.h"

/* Was it stale when the sweep was asked for? Marks that were made since do not count. */
static bool to_sweep(const struct rib_source *s, const struct rib_route *r)
{
	return ((r->round - s->swept) & 15) > ((s->round - s->swept) & 15);
}

static bool sweep_some(struct job *job, unsigned int budget)
{
	struct rib_source *s = container_of(job, struct rib_source, job);
	void (*purged)(struct rib_source *s);
	struct rib_route *r;

	while ((r = rib_list_first(s->table->rib, &s->routes))) {
		if (!to_sweep(s, r))
			break;
		if (!budget--)
			return true;
		rib_route_remove(r);
	}
	purged = s->purged;
	s->purged = NULL;
	s->purge = 0;
	if (purged)
		purged(s);
	return false;
}

void rib_source_init(struct rib_source *s)
{
	memset(&s->routes, 0, sizeof(s->routes));
	s->count = 0;
	s->refs = 0;
	s->purge = 0;
	s->round = 0;
	s->swept = 0;
	s->purged = NULL;
	job_init(&s->job, s->table->rib->jobs, "sweep of routes", sweep_some);
}

void rib_source_stale(struct rib_source *s)
{
	s->round++;
}

void rib_source_sweep(struct rib_source *s, void (*purged)(struct rib_source *s))
{
	s->purge = 1;
	s->swept = s->round;
	s->purged = purged;
	job_schedule(&s->job);
}

void rib_source_flush(struct rib_source *s, void (*purged)(struct rib_source *s))
{
	rib_source_stale(s);
	rib_source_sweep(s, purged);
}

void rib_source_flush_now(struct rib_source *s)
{
	struct rib_route *r;

	job_cancel(&s->job);
	s->purge = 0;
	s->purged = NULL;
	/* the table has gone before an empty source at the end of a VRF */
	while (!rib_list_empty(&s->routes)) {
		r = rib_list_first(s->table->rib, &s->routes);
		rib_route_remove(r);
	}
}

bool rib_source_idle(const struct rib_source *s)
{
	return !s->count && !s->refs && !s->purge;
}

/* ---- walks ---- */

void source_walks_pass(struct rib *rib, const struct rib_route *r)
{
	struct rib_source_walk *w;

	list_for_each(w, &rib->source_walks, struct rib_source_walk, node) {
		if (w->route == r->number)
			w->route = r->link[RIB_OF_SOURCE].next;
	}
}

void rib_source_walk_init(struct rib_source_walk *w, const struct rib_source *s)
{
	w->route = s->routes.first;
	w->left = 2ull * s->count;
	list_add_tail(&s->table->rib->source_walks, &w->node);
}

struct rib_route *rib_source_walk_next(struct rib_source_walk *w, const struct rib *rib)
{
	struct rib_route *r = w->left ? route_at(rib, w->route) : NULL;

	if (!r)
		return NULL;
	w->left--;
	w->route = r->link[RIB_OF_SOURCE].next;
	return r;
}

void rib_source_walk_end(struct rib_source_walk *w)
{
	list_del(&w->node);
}
