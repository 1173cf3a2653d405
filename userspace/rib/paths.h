/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which routes of a VRF's net carry its packets: the best; those that are as good as it by the table's rules of
 * multipath; and one behind them, which takes over in forwarding itself when they are lost (PIC). What they are follows
 * from the routes alone, so it is worked out when it is asked for, and nothing is kept. Main thread only.
 */
#ifndef L3VPN_RIB_PATHS_H
#define L3VPN_RIB_PATHS_H

#include <stdbool.h>
#include <stdint.h>

#include "rib/table.h"

#define RIB_PATHS_MAX 64

/* Rules of one table. Only a VRF's has any: elsewhere the best is alone. */
struct rib_multipath {
	uint8_t ebgp, ibgp;		/* most paths, from CEs or from PEs, as the best is; 0 and 1: it alone */
	uint8_t eibgp;			/* above 1: most paths of both kinds together, instead */
	bool unequal;			/* interior metrics of what came from PEs may differ */
	bool relax;			/* AS paths may differ, as long as they are of one length */
	bool backup;			/* the next best by another next hop stands behind them */
};

/*
 * As good as the best: of the same local preference, AS path (see relax), origin and MED, and, unless unequal, with the
 * same interior metric; and not by the same next hop under the same label as one that is there already.
 */
struct rib_paths {
	unsigned int n;			/* 0: no best */
	struct rib_route *path[RIB_PATHS_MAX];	/* the best first */
	struct rib_route *backup;	/* NULL: none */
};

enum rib_role { RIB_ROLE_NONE, RIB_ROLE_BEST, RIB_ROLE_MULTIPATH, RIB_ROLE_BACKUP };

void rib_net_paths(const struct rib_net *net, struct rib_paths *p);
/* of the net's routes: what this one is for */
enum rib_role rib_route_role(const struct rib_route *r);
const char *rib_role_str(enum rib_role role);

/*
 * Where a label leads that is popped and forwarded without a look-up, for a route that leaves by a port of ours: by it
 * and those beside it, and behind them, where the table has backups, by a look-up in the VRF, which knows the backup.
 * @alone: by it and nothing else. A reference.
 */
struct fib_nh *rib_label_way(struct rib_route *r, bool alone);

/* What is in the table is looked at again, in slices. */
void rib_table_set_multipath(struct rib_table *t, const struct rib_multipath *m);
const struct rib_multipath *rib_table_multipath(const struct rib_table *t);

/*
 * The eligible routes of a net, best first, at most @max (1..): each is the best of those behind it. @may (may be NULL)
 * leaves out the others.
 */
unsigned int rib_net_rank(const struct rib_net *net, struct rib_route **rank, unsigned int max,
			  bool (*may)(const struct rib_route *r, const void *arg), const void *arg);

/*
 * Is what a PE announces of @a preferred over @b by whoever hears both? By what is announced alone, so that both PEs
 * say the same, and not both for equals: packets that PEs pass on in this order never come back. @own: our router id,
 * for what we announce ourselves.
 */
bool rib_route_outranks(const struct rib_route *a, const struct rib_route *b, uint32_t own);

#endif
