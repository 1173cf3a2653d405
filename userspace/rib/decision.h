/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Choice of the best route of a prefix, by elimination as RFC 4271 9.1.2.2 states it, so that the
 * result depends on the set of candidates and never on their order of arrival, but where RFC 5004 wants that:
 *
 *   eligible (in tables of VPN and of labelled routes: transport before an IP route alone); administrative distance;
 *   then among BGP paths (CE-learned and imported alike):
 *   local preference, locally originated, AS path length, origin, MED among paths of one
 *   neighbouring AS, eBGP over iBGP, interior metric, fresh over stale, among external ones the one that is the best
 *   already (RFC 5004, if so ruled), router id or originator id (RFC 4456), cluster list length, peer address, path id;
 *   among others: metric, then path id.
 */
#ifndef L3VPN_RIB_DECISION_H
#define L3VPN_RIB_DECISION_H

#include <stdbool.h>

struct rib_route;

/* What an operator may choose. All false: RFC 4271 with RFC 5004. */
struct decision_rules {
	bool compare_router_id;		/* RFC 5004 is not followed: the best is no better for being so already */
	bool always_compare_med;	/* of different neighbouring ASes too */
	bool missing_med_worst;		/* an absent MED is the greatest, not 0 */
};

enum rib_reason {
	RIB_BEST,			/* is the best */
	RIB_LOST_NEXTHOP,		/* next hop not usable: struct nexthop.reason says why */
	RIB_LOST_STALE,			/* a stale route lost against a fresh one of equal merit */
	RIB_LOST_DISTANCE,
	RIB_LOST_LOCAL_PREF,
	RIB_LOST_LOCAL,			/* the other one originates here */
	RIB_LOST_AS_PATH,
	RIB_LOST_ORIGIN,
	RIB_LOST_MED,
	RIB_LOST_EBGP,
	RIB_LOST_METRIC,
	RIB_LOST_AGE,			/* the other one is the best since before (RFC 5004) */
	RIB_LOST_ROUTER_ID,
	RIB_LOST_CLUSTERS,
	RIB_LOST_PEER,
	RIB_LOST_PATH_ID,
	RIB_REASON_MAX
};
const char *rib_reason_str(enum rib_reason r);

/*
 * Chooses among n routes; writes the reason of each into it; returns the best or NULL if none is
 * eligible. Total: two different routes never tie (path id and peer address are last).
 */
struct rib_route *decision_select(struct rib_route **routes, unsigned int n);

#endif
