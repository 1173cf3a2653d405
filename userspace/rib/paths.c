// SPDX-License-Identifier: GPL-2.0
/* Best, multipath and backup of a net (paths.h). */
#include "rib/paths.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "rib/private.h"

#define ROUTES_STACK 32

static const struct rib_multipath best_alone = { .ebgp = 1, .ibgp = 1 };

/* ---- ranking ---- */

/* the routes of a net, with the reasons that a decision among some of them would overwrite */
struct field {
	struct rib_route *stack[ROUTES_STACK], **route;
	uint8_t reason_stack[ROUTES_STACK], *reason;
	unsigned int n;
};

static void field_take(struct field *f, const struct rib_net *net)
{
	struct rib_route *r;
	unsigned int i;

	f->n = 0;
	for (r = rib_routes(net); r; r = r->next)
		f->n++;
	f->route = f->n > ROUTES_STACK ? xmalloc(f->n * sizeof(*f->route)) : f->stack;
	f->reason = f->n > ROUTES_STACK ? xmalloc(f->n) : f->reason_stack;
	for (i = 0, r = rib_routes(net); r; r = r->next, i++) {
		f->route[i] = r;
		f->reason[i] = r->reason;
	}
}

static void field_give_back(struct field *f, const struct rib_net *net)
{
	struct rib_route *r;
	unsigned int i;

	for (i = 0, r = rib_routes(net); r; r = r->next, i++)
		r->reason = f->reason[i];
	if (f->route != f->stack) {
		free(f->route);
		free(f->reason);
	}
}

/* the best of the first @n, which trade places */
static struct rib_route *field_select(struct field *f, unsigned int n)
{
	struct rib_route *order[ROUTES_STACK], **tmp = order, *best;

	if (n > ROUTES_STACK)
		tmp = xmalloc(n * sizeof(*tmp));
	memcpy(tmp, f->route, n * sizeof(*tmp));
	best = n ? decision_select(tmp, n) : NULL;
	if (tmp != order)
		free(tmp);
	return best;
}

static void field_drop(struct field *f, const struct rib_route *r)
{
	unsigned int i;

	for (i = 0; f->route[i] != r; i++)
		;
	f->route[i] = f->route[--f->n];
}

unsigned int rib_net_rank(const struct rib_net *net, struct rib_route **rank, unsigned int max,
			  bool (*may)(const struct rib_route *r, const void *arg), const void *arg)
{
	struct rib_route *best = rib_best(net);
	unsigned int out = 0, i;
	struct field f;

	if (best && !best->next) {
		rank[0] = best;
		return max && (!may || may(best, arg));
	}
	field_take(&f, net);
	for (i = 0; may && i < f.n;)
		if (may(f.route[i], arg))
			i++;
		else
			f.route[i] = f.route[--f.n];
	while (out < max) {
		best = field_select(&f, f.n);
		if (!best)
			break;
		rank[out++] = best;
		field_drop(&f, best);
	}
	field_give_back(&f, net);
	return out;
}

/* ---- multipath ---- */

static bool is_path(const struct rib_route *r)
{
	return (r->flags & RIB_ROUTE_IMPORTED || r->source->is_bgp) && !(r->flags & RIB_ROUTE_NETWORK);
}

static bool internal(const struct rib_route *r)
{
	return rib_route_peer(r)->is_ibgp;
}

/* Can it be one of several ways, each with its own label? */
static bool can_share(const struct rib_route *r)
{
	switch (r->nh->key.kind) {
	case NEXTHOP_PE:
		return r->label != RIB_LABEL_NONE && r->label != LABEL_IMPLICIT_NULL;
	case NEXTHOP_GATEWAY:
	case NEXTHOP_DEVICE:
	case NEXTHOP_GROUP:
	case NEXTHOP_VRF:
		return true;
	default:
		return false;
	}
}

static bool as_path_same(const struct rib_route *a, const struct rib_route *b)
{
	const uint8_t *x, *y;
	uint16_t m, n;

	if (a->attrs == b->attrs || !a->attrs || !b->attrs)
		return a->attrs == b->attrs;
	x = attrs_part(a->attrs, ATTRS_AS_PATH, &m);
	y = attrs_part(b->attrs, ATTRS_AS_PATH, &n);
	return m == n && !memcmp(x, y, n);
}

struct rules {
	const struct rib_multipath *m;
	const struct rib_route *best;
	unsigned int max;
	uint32_t metric;		/* of internal ones */
};

/* The reasons why @r lost say up to where it was as good as the best. */
static bool as_good(const struct rules *x, const struct rib_route *r)
{
	switch (r->reason) {
	case RIB_LOST_EBGP:
		/* they have not been compared with each other by metric */
		if (x->m->eibgp <= 1 || (!x->m->unequal && r->nh->metric != x->metric))
			return false;
		break;
	case RIB_LOST_METRIC:
		if (!x->m->unequal)
			return false;
		break;
	case RIB_LOST_STALE:
	case RIB_LOST_AGE:
	case RIB_LOST_ROUTER_ID:
	case RIB_LOST_CLUSTERS:
	case RIB_LOST_PEER:
	case RIB_LOST_PATH_ID:
		break;
	default:
		return false;
	}
	return is_path(r) && can_share(r) && (x->m->relax || as_path_same(r, x->best));
}

static struct rules rules_of(const struct rib_net *net, const struct rib_route *best)
{
	struct rules x = { .m = rib_table_multipath(net_table(net)), .best = best, .metric = UINT32_MAX };
	const struct rib_route *r;

	x.max = x.m->eibgp > 1 ? x.m->eibgp : internal(best) ? x.m->ibgp : x.m->ebgp;
	if (x.m->eibgp > 1)
		for (r = rib_routes(net); r; r = r->next)
			if (r->reason == RIB_LOST_EBGP && r->nh->metric < x.metric)
				x.metric = r->nh->metric;
	if (x.max > RIB_PATHS_MAX)
		x.max = RIB_PATHS_MAX;
	return x;
}

static bool there(const struct rib_paths *p, const struct rib_route *r)
{
	unsigned int i;

	for (i = 0; i < p->n; i++)
		if (p->path[i]->nh == r->nh && p->path[i]->label == r->label)
			return true;
	return false;
}

/* Which of too many does not depend on the order of their arrival. */
static bool as_good_and_new(const struct rib_route *r, const void *arg)
{
	return as_good(arg, r);
}

static void add_equals(const struct rib_net *net, struct rib_paths *p)
{
	const struct rules x = rules_of(net, p->path[0]);
	struct rib_route *rank[RIB_PATHS_MAX];
	unsigned int i, n;

	if (x.max < 2 || !is_path(p->path[0]) || rib_route_peer(p->path[0])->is_local)
		return;
	n = rib_net_rank(net, rank, RIB_PATHS_MAX, as_good_and_new, &x);
	for (i = 0; i < n && p->n < x.max; i++)
		if (!there(p, rank[i]))
			p->path[p->n++] = rank[i];
}

/* ---- backup ---- */

/* By another next hop than those that carry. */
static bool by_another(const struct rib_route *r, const void *arg)
{
	const struct rib_paths *p = arg;
	unsigned int i;

	for (i = 0; i < p->n; i++)
		if (p->path[i] == r || p->path[i]->nh == r->nh)
			return false;
	return can_share(r);
}

void rib_net_paths(const struct rib_net *net, struct rib_paths *p)
{
	struct rib_route *best = rib_best(net);

	p->n = 0;
	p->backup = NULL;
	if (!best)
		return;
	p->path[p->n++] = best;
	if (!best->next || !can_share(best))
		return;
	add_equals(net, p);
	if (rib_table_multipath(net_table(net))->backup && p->n < RIB_PATHS_MAX)
		rib_net_rank(net, &p->backup, 1, by_another, p);
}

enum rib_role rib_route_role(const struct rib_route *r)
{
	struct rib_paths p;
	unsigned int i;

	if (r->reason == RIB_BEST)
		return RIB_ROLE_BEST;
	rib_net_paths(r->net, &p);
	for (i = 0; i < p.n; i++)
		if (p.path[i] == r)
			return RIB_ROLE_MULTIPATH;
	return p.backup == r ? RIB_ROLE_BACKUP : RIB_ROLE_NONE;
}

const char *rib_role_str(enum rib_role role)
{
	static const char *const names[] = {
		[RIB_ROLE_NONE] = "", [RIB_ROLE_BEST] = "best", [RIB_ROLE_MULTIPATH] = "multipath",
		[RIB_ROLE_BACKUP] = "backup",
	};

	return (unsigned int)role < ARRAY_SIZE(names) ? names[role] : "";
}

/* ---- who passes on to whom ---- */

/* what differs decides, the smaller is preferred */
struct merit {
	uint32_t part[5];
};

static struct merit merit_of(const struct rib_route *r, uint32_t own)
{
	const struct attrs *a = r->attrs;
	struct merit m = { { UINT32_MAX - attrs_local_pref(a), a ? a->path_length : 0,
			     a ? a->f.origin : ORIGIN_INCOMPLETE, a ? a->f.med : 0, own } };

	if (!(r->flags & RIB_ROUTE_IMPORTED))
		return m;
	m.part[4] = a && a->f.flags & ATTRS_HAS_ORIGINATOR ? a->f.originator_id : rib_route_peer(r)->router_id;
	return m;
}

bool rib_route_outranks(const struct rib_route *a, const struct rib_route *b, uint32_t own)
{
	const struct merit x = merit_of(a, own), y = merit_of(b, own);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(x.part); i++)
		if (x.part[i] != y.part[i])
			return x.part[i] < y.part[i];
	return false;
}

/* ---- settings ---- */

const struct rib_multipath *rib_table_multipath(const struct rib_table *t)
{
	return t->kind == RIB_TABLE_VRF ? &t->multipath : &best_alone;
}

/* A walk of a table under new rules. */
struct rib_repath {
	struct job job;
	struct rib_table *table;
	struct rib_cursor cursor;
};

static bool repath(struct job *job, unsigned int budget)
{
	struct rib_repath *w = container_of(job, struct rib_repath, job);
	struct rib_net *net;

	for (; budget; budget--) {
		net = rib_walk(w->table, &w->cursor);
		if (!net) {
			w->table->repath = NULL;
			free(w);
			return false;
		}
		fib_net_update(net);
	}
	return true;
}

void rib_repath_end(struct rib_table *t)
{
	if (!t->repath)
		return;
	job_cancel(&t->repath->job);
	free(t->repath);
	t->repath = NULL;
}

void rib_table_set_multipath(struct rib_table *t, const struct rib_multipath *m)
{
	const struct rib_multipath *was = &t->multipath;

	if (was->ebgp == m->ebgp && was->ibgp == m->ibgp && was->eibgp == m->eibgp && was->unequal == m->unequal &&
	    was->relax == m->relax && was->backup == m->backup)
		return;
	t->multipath = *m;
	if (!t->nets)
		return;
	rib_repath_end(t);
	t->repath = xcalloc(1, sizeof(*t->repath));
	t->repath->table = t;
	job_init(&t->repath->job, t->rib->jobs, "multipath of a table", repath);
	job_schedule(&t->repath->job);
}
