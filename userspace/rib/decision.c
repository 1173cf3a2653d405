// SPDX-License-Identifier: GPL-2.0
/*
 * Choice of the best route (decision.h): each step keeps the candidates that are best by one
 * criterion and writes into the others by which they lost.
 */
#include "rib/decision.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "rib/table.h"

static const char *const reason_names[RIB_REASON_MAX] = {
	[RIB_BEST] = "best",
	[RIB_LOST_NEXTHOP] = "next hop not usable",
	[RIB_LOST_STALE] = "stale",
	[RIB_LOST_DISTANCE] = "higher distance",
	[RIB_LOST_LOCAL_PREF] = "lower local preference",
	[RIB_LOST_LOCAL] = "not originated here",
	[RIB_LOST_AS_PATH] = "longer AS path",
	[RIB_LOST_ORIGIN] = "higher origin",
	[RIB_LOST_MED] = "higher MED",
	[RIB_LOST_EBGP] = "internal",
	[RIB_LOST_METRIC] = "higher metric",
	[RIB_LOST_AGE] = "newer",
	[RIB_LOST_ROUTER_ID] = "higher router id",
	[RIB_LOST_CLUSTERS] = "longer cluster list",
	[RIB_LOST_PEER] = "higher peer address",
	[RIB_LOST_PATH_ID] = "higher path id",
};

const char *rib_reason_str(enum rib_reason r)
{
	return (unsigned int)r < RIB_REASON_MAX ? reason_names[r] : "?";
}

/* a criterion: the smaller is better */
typedef uint32_t (*criterion)(const struct rib_route *r);

/* what was imported, and what a CE told us by BGP, compete as BGP paths */
static bool is_bgp_path(const struct rib_route *r)
{
	return r->flags & RIB_ROUTE_IMPORTED || r->source->is_bgp;
}

static uint32_t c_distance(const struct rib_route *r)
{
	return is_bgp_path(r) ? RIB_DISTANCE_EBGP : r->source->distance;
}

static uint32_t c_local_pref(const struct rib_route *r)
{
	return UINT32_MAX - attrs_local_pref(r->attrs);
}

static uint32_t c_not_local(const struct rib_route *r)
{
	return r->flags & RIB_ROUTE_IMPORTED || !r->source->is_local;
}

static uint32_t c_path_length(const struct rib_route *r)
{
	return r->attrs ? r->attrs->path_length : 0;
}

static uint32_t c_origin(const struct rib_route *r)
{
	return r->attrs ? r->attrs->f.origin : 0;
}

static uint32_t c_internal(const struct rib_route *r)
{
	return rib_route_peer(r)->is_ibgp;
}

static uint32_t c_nexthop_metric(const struct rib_route *r)
{
	return r->nh->metric;
}

static uint32_t c_router_id(const struct rib_route *r)
{
	if (r->attrs && r->attrs->f.flags & ATTRS_HAS_ORIGINATOR)
		return r->attrs->f.originator_id;
	return rib_route_peer(r)->router_id;
}

static uint32_t c_clusters(const struct rib_route *r)
{
	uint16_t len = 0;

	if (r->attrs)
		attrs_part(r->attrs, ATTRS_CLUSTERS, &len);
	return len;
}

static uint32_t c_metric(const struct rib_route *r)
{
	return r->metric;
}

static uint32_t c_stale(const struct rib_route *r)
{
	return rib_route_stale(r);
}

static unsigned int keep_smallest(struct rib_route **c, unsigned int n, criterion f,
				  enum rib_reason lost)
{
	unsigned int i, out = 0;
	uint32_t best = UINT32_MAX, v;

	for (i = 0; i < n; i++) {
		v = f(c[i]);
		if (v < best)
			best = v;
	}
	for (i = 0; i < n; i++) {
		if (f(c[i]) == best)
			c[out++] = c[i];
		else
			c[i]->reason = lost;
	}
	return out;
}

static uint32_t med_of(const struct decision_rules *rules, const struct attrs *a)
{
	return a->f.flags & ATTRS_HAS_MED || !rules->missing_med_worst ? a->f.med : UINT32_MAX;
}

/* RFC 4271 9.1.2.2 c: among paths of the same neighbouring AS alone, unless ruled otherwise */
static bool loses_by_med(const struct decision_rules *rules, const struct attrs *a, const struct attrs *other)
{
	return a && other && (rules->always_compare_med || a->neighbour_as == other->neighbour_as) &&
	       med_of(rules, other) < med_of(rules, a);
}

static unsigned int keep_med(struct rib_route **c, unsigned int n, const struct decision_rules *rules)
{
	unsigned int i, k, out = 0;

	for (i = 0; i < n; i++)
		for (k = 0; k < n && c[i]->reason != RIB_LOST_MED; k++)
			if (loses_by_med(rules, c[i]->attrs, c[k]->attrs))
				c[i]->reason = RIB_LOST_MED;
	for (i = 0; i < n; i++)
		if (c[i]->reason != RIB_LOST_MED)
			c[out++] = c[i];
	return out;
}

/* RFC 5004: of external ones, as all are by then or none, the one that was the best already */
static unsigned int keep_incumbent(struct rib_route **c, unsigned int n, struct rib_route *incumbent)
{
	unsigned int i;

	for (i = 0; i < n && c[i] != incumbent; i++)
		;
	if (i == n || rib_route_peer(incumbent)->is_ibgp)
		return n;
	for (i = 0; i < n; i++)
		if (c[i] != incumbent)
			c[i]->reason = RIB_LOST_AGE;
	c[0] = incumbent;
	return 1;
}

static int cmp_rd(const struct rib_route *a, const struct rib_route *b)
{
	const struct rib_net *x = rib_route_origin(a), *y = rib_route_origin(b);

	if (!x || !y)
		return !!x - !!y;
	return memcmp(rib_net_rd(x), rib_net_rd(y), sizeof(struct rd));
}

/* peer address, then where it was imported from, path id, and the source's name */
static int cmp_last(const struct rib_route *a, const struct rib_route *b, enum rib_reason *lost)
{
	const struct rib_source *x = rib_route_peer(a), *y = rib_route_peer(b);
	int d = addr_cmp(&x->peer, &y->peer);

	*lost = RIB_LOST_PEER;
	if (d)
		return d;
	*lost = RIB_LOST_PATH_ID;
	d = cmp_rd(a, b);
	if (d)
		return d;
	if (a->path_id != b->path_id)
		return a->path_id < b->path_id ? -1 : 1;
	d = (int)x->proto->id - (int)y->proto->id;
	return d ? d : strcmp(x->name, y->name);
}

static struct rib_route *keep_last(struct rib_route **c, unsigned int n)
{
	struct rib_route *best = c[0];
	enum rib_reason lost;
	unsigned int i;

	for (i = 1; i < n; i++) {
		if (cmp_last(best, c[i], &lost) < 0) {
			c[i]->reason = lost;
		} else {
			best->reason = lost;
			best = c[i];
		}
	}
	best->reason = RIB_BEST;
	return best;
}

struct step {
	criterion f;		/* NULL: by the reason, RIB_LOST_MED or RIB_LOST_AGE */
	enum rib_reason lost;
};

static const struct step bgp_steps[] = {
	{ c_local_pref, RIB_LOST_LOCAL_PREF },
	{ c_not_local, RIB_LOST_LOCAL },
	{ c_path_length, RIB_LOST_AS_PATH },
	{ c_origin, RIB_LOST_ORIGIN },
	{ NULL, RIB_LOST_MED },
	{ c_internal, RIB_LOST_EBGP },
	{ c_nexthop_metric, RIB_LOST_METRIC },
	{ c_stale, RIB_LOST_STALE },
	{ NULL, RIB_LOST_AGE },
	{ c_router_id, RIB_LOST_ROUTER_ID },
	{ c_clusters, RIB_LOST_CLUSTERS },
};

static const struct step plain_steps[] = {
	{ c_metric, RIB_LOST_METRIC },
};

/*
 * Those whose next hop carries packets; in a VPN table, where there are none, those that an IP route leads to:
 * enough to reflect them. A VRF's own table never takes such a route for its best.
 */
static unsigned int keep_eligible(struct rib_route **routes, unsigned int n)
{
	enum rib_table_kind kind = n ? rib_table_kind(rib_net_table(routes[0]->net)) : RIB_TABLE_GLOBAL;
	bool passes = kind == RIB_TABLE_VPN || kind == RIB_TABLE_LABELLED;
	unsigned int i, carrying = 0, out = 0;

	for (i = 0; i < n; i++)
		carrying += nexthop_usable(routes[i]->nh);
	for (i = 0; i < n; i++) {
		routes[i]->reason = RIB_BEST;
		if (nexthop_usable(routes[i]->nh) || (passes && !carrying && nexthop_reachable(routes[i]->nh)))
			routes[out++] = routes[i];
		else
			routes[i]->reason = RIB_LOST_NEXTHOP;
	}
	return out;
}

/* The route that was chosen before, NULL: none of them. */
static struct rib_route *incumbent_of(struct rib_route **routes, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (routes[i]->reason == RIB_BEST)
			return routes[i];
	return NULL;
}

static unsigned int take_step(struct rib_route **routes, unsigned int n, const struct step *s,
			      const struct decision_rules *rules, struct rib_route *incumbent)
{
	if (s->f)
		return keep_smallest(routes, n, s->f, s->lost);
	if (s->lost == RIB_LOST_MED)
		return keep_med(routes, n, rules);
	return rules->compare_router_id ? n : keep_incumbent(routes, n, incumbent);
}

struct rib_route *decision_select(struct rib_route **routes, unsigned int n)
{
	struct rib_route *incumbent = incumbent_of(routes, n);
	const struct decision_rules *rules;
	unsigned int out = keep_eligible(routes, n), steps;
	const struct step *s;

	if (out < 2)
		return out ? routes[0] : NULL;
	rules = rib_rules(rib_table_rib(rib_net_table(routes[0]->net)));
	out = keep_smallest(routes, out, c_distance, RIB_LOST_DISTANCE);
	if (out > 1) {
		s = is_bgp_path(routes[0]) ? bgp_steps : plain_steps;
		steps = s == bgp_steps ? ARRAY_SIZE(bgp_steps) : ARRAY_SIZE(plain_steps);
		for (; steps && out > 1; s++, steps--)
			out = take_step(routes, out, s, rules, incumbent);
	}
	return out > 1 ? keep_last(routes, out) : routes[0];
}
