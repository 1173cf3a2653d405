// SPDX-License-Identifier: GPL-2.0
/*
 * From the routes that carry a net's packets (paths.h) to its entry in forwarding. One way: the next hop's own object
 * and the VPN label beside it, so that all routes by a PE share one object. Several, or a backup: a group, shared by
 * all routes with the same ways; each PE's member has the PE's own object behind its label, so that the loss of a PE is
 * a change of that one object.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "rib/paths.h"
#include "rib/private.h"

struct members {
	struct fib *fib;
	struct nht *nht;
	unsigned int n;
	struct fib_member m[FIB_MEMBERS_MAX];
};

static void members_put(struct members *g)
{
	unsigned int i;

	for (i = 0; i < g->n; i++)
		fib_nh_put(g->fib, g->m[i].nh);
}

/* @nh comes with a reference, which goes to the members */
static void add(struct members *g, struct fib_nh *nh, struct fib_member as)
{
	unsigned int i;

	for (i = 0; i < g->n && g->m[i].nh != nh; i++)
		;
	if (i < g->n || g->n == FIB_MEMBERS_MAX) {
		fib_nh_put(g->fib, nh);
		return;
	}
	as.nh = nh;
	g->m[g->n++] = as;
}

static void add_pe(struct members *g, const struct rib_route *r, struct fib_member as)
{
	struct fib_nh *pe = nexthop_fib_use(g->nht, r->nh);

	add(g, fib_nh_egress(g->fib, pe, r->label), as);
	fib_nh_put(g->fib, pe);
}

/* A route's own group: its members side by side with the others; those that cannot forward now may do so later. */
static void add_group(struct members *g, const struct nexthop *nh, bool backup)
{
	unsigned int i;

	for (i = 0; i < nh->n_members; i++) {
		const struct nexthop_member *m = &nh->members[i];

		if (m->nh->key.kind == NEXTHOP_GATEWAY || m->nh->key.kind == NEXTHOP_DEVICE)
			add(g, nexthop_fib_use(g->nht, m->nh),
			    (struct fib_member){ .weight = m->weight, .backup = backup || m->backup });
	}
}

static bool is_pe(const struct rib_route *r)
{
	return r->nh->key.kind == NEXTHOP_PE;
}

static void add_route(struct members *g, struct rib_route *r, struct fib_member as)
{
	if (is_pe(r))
		add_pe(g, r, as);
	else if (r->nh->key.kind == NEXTHOP_GROUP)
		add_group(g, r->nh, as.backup);
	else
		add(g, nexthop_fib_use(g->nht, r->nh), as);
}

/* Equal sets are one group, whatever their order. */
static int cmp_path(const void *a, const void *b)
{
	const struct rib_route *x = *(struct rib_route *const *)a, *y = *(struct rib_route *const *)b;
	int d = memcmp(&x->nh->key, &y->nh->key, sizeof(x->nh->key));

	if (d)
		return d;
	return x->label < y->label ? -1 : x->label > y->label;
}

/* Only local ways before a backup by a PE: packets from the core go on to that PE, if it does not send them back. */
static bool leads_onward(const struct rib *rib, const struct rib_paths *p)
{
	unsigned int i;

	if (!is_pe(p->backup))
		return false;
	for (i = 0; i < p->n; i++)
		if (p->path[i]->flags & RIB_ROUTE_IMPORTED ||
		    !rib_route_outranks(p->path[i], p->backup, rib->router_id))
			return false;
	return true;
}

/* Ways of our own beside ways by PEs: what comes from the core is for ours. */
static bool is_mixed(const struct rib_paths *p)
{
	unsigned int i, pes = 0;

	for (i = 0; i < p->n; i++)
		pes += is_pe(p->path[i]);
	return pes && pes < p->n;
}

/* A static route that names backups of its own has said what stands behind it. */
static bool has_backup(const struct members *g)
{
	unsigned int i;

	for (i = 0; i < g->n; i++)
		if (g->m[i].backup)
			return true;
	return false;
}

/* NULL: there is but one way after all */
static struct fib_nh *group_of(const struct rib *rib, struct rib_paths *p)
{
	struct members g = { .fib = rib->fib, .nht = rib->nht };
	struct fib_nh *nh = NULL;
	bool mixed = is_mixed(p);
	unsigned int i;

	qsort(p->path, p->n, sizeof(p->path[0]), cmp_path);
	for (i = 0; i < p->n; i++)
		add_route(&g, p->path[i], (struct fib_member){ .weight = 1, .local = mixed && is_pe(p->path[i]) });
	if (p->backup && !has_backup(&g))
		add_route(&g, p->backup,
			  (struct fib_member){ .weight = 1, .backup = true, .onward = leads_onward(rib, p) });
	if (g.n > 1 && !g.m[0].backup)
		nh = fib_nh_group(rib->fib, g.m, g.n);
	members_put(&g);
	return nh;
}

/* the ways of the net that are this router's own; @r is among them */
static void own_ways(struct members *g, struct rib_route *r)
{
	struct rib_paths p;
	unsigned int i;

	rib_net_paths(r->net, &p);
	qsort(p.path, p.n, sizeof(p.path[0]), cmp_path);
	for (i = 0; i < p.n; i++)
		if (!(p.path[i]->flags & RIB_ROUTE_IMPORTED))
			add_route(g, p.path[i], (struct fib_member){ .weight = 1 });
	if (!g->n)
		add_route(g, r, (struct fib_member){ .weight = 1 });
}

struct fib_nh *rib_label_way(struct rib_route *r, bool alone)
{
	const struct rib_table *t = net_table(r->net);
	struct members g = { .fib = t->rib->fib, .nht = t->rib->nht };
	struct fib_nh *nh;

	if (alone || !t->multipath.backup)
		return nexthop_fib_use(t->rib->nht, r->nh);
	own_ways(&g, r);
	add(&g, fib_nh_vrf(g.fib, t->vrf), (struct fib_member){ .weight = 1, .backup = true });
	nh = fib_nh_group(g.fib, g.m, g.n);
	members_put(&g);
	return nh;
}

struct fib_dest fib_dest_of(struct rib_net *net)
{
	const struct rib *rib = net_table(net)->rib;
	struct fib_dest d = { .label = FIB_LABEL_NONE };
	struct rib_route *best = rib_best(net);
	struct rib_paths p;

	if (!best || best->nh->key.kind == NEXTHOP_LOCAL)
		return d;
	rib_net_paths(net, &p);
	if (p.n > 1 || p.backup)
		d.nh = group_of(rib, &p);
	if (d.nh)
		return d;
	d.nh = nexthop_fib_use(rib->nht, best->nh);
	if (best->nh->key.kind == NEXTHOP_PE && best->label != RIB_LABEL_NONE &&
	    best->label != LABEL_IMPLICIT_NULL)
		d.label = best->label;
	return d;
}
