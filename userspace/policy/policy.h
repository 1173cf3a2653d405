/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Route policies: statements in order of their numbers, each with conditions that all have to hold, changes, and what
 * happens then. Compiled when the configuration changes; evaluated without allocation as long as no attribute changes.
 *
 *      conf: prefix-set, ..., route-policy --> struct policy --policy_run()--> refused, or attributes
 *                                                  |
 *                                                  +--policy_watch: it says something else now
 *
 * Conditions look at the route as it came, whatever statements before have set. A route that no statement accepts is
 * refused. A policy keeps its address while anybody holds it; one that is not configured any more refuses everything.
 * Main thread only.
 */
#ifndef L3VPN_POLICY_POLICY_H
#define L3VPN_POLICY_POLICY_H

#include "lib/list.h"
#include "rib/table.h"

struct conf;
struct jobs;
struct policies;
struct policy;

/* ---- the instance ---- */

/* Subscribes to the configuration (may be NULL). */
struct policies *policies_new(struct conf *conf, struct jobs *jobs);
/* Every policy must have been put back before. */
void policies_free(struct policies *ps);

/* A reference to the policy of that name; NULL: none is configured. */
struct policy *policy_get(struct policies *ps, const char *name);
struct policy *policy_ref(struct policy *p);	/* NULL is fine, here and below */
void policy_put(struct policy *p);
const char *policy_name(const struct policy *p);

/* Hears, once for each, of policies which say something else than before: they or a set of theirs changed. */
struct policy_watch {
	struct list node;
	void (*changed)(struct policy_watch *w, struct policy *p);
};
void policy_watch(struct policies *ps, struct policy_watch *w);
void policy_unwatch(struct policy_watch *w);

/* ---- evaluation ---- */

enum policy_route_type { POLICY_LOCAL, POLICY_INTERNAL, POLICY_EXTERNAL };	/* how it came in */

struct policy_route {
	struct attrs *attrs;		/* borrowed, not NULL; its next hop is the one that `next-hop` asks about */
	const struct prefix *prefix;	/* never looked at when !policy_by_prefix(); its family always is */
	const struct rd *rd;		/* NULL: none */
	enum policy_route_type type;
	uint32_t own_as;		/* for `prepend own-as` */
};

enum policy_next_hop {
	POLICY_NEXT_HOP_KEEP,		/* nothing is said */
	POLICY_NEXT_HOP_SELF,
	POLICY_NEXT_HOP_UNCHANGED,
	POLICY_NEXT_HOP_ADDRESS,	/* it is in the attributes */
};

struct policy_result {
	struct attrs *attrs;		/* a reference; the route's own when nothing changed */
	enum policy_next_hop next_hop;
	bool med_set;			/* the MED is the policy's, not the route's */
};

/* True: accepted, *out is filled. False: refused, *out is untouched. */
bool policy_run(struct policy *p, const struct policy_route *r, struct policy_result *out);
/* False: prefix and RD do not matter, so that routes with equal attributes fare equally. */
bool policy_by_prefix(const struct policy *p);

/* ---- for validation, on a tree: does the policy of that name set the next hop to self or unchanged? ---- */
struct lyd_node;
bool policy_sets_own_next_hop(const struct lyd_node *tree, const char *name);

#endif
