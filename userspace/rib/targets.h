/* SPDX-License-Identifier: GPL-2.0 */
/*
 * VPN routes by route target (RFC 4364 section 4.3): route target -> attributes that carry it -> routes. Who begins or
 * ceases to care about a route target looks at its routes alone, whatever the tables hold beside. Main thread only.
 */
#ifndef L3VPN_RIB_TARGETS_H
#define L3VPN_RIB_TARGETS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/list.h"
#include "rib/attrs.h"

struct rib;
struct rib_net;
struct rib_route;
struct rib_table;

/*
 * A resumable walk over the nets of a table that have a route with one of some route targets; a net comes once for
 * each such route. Routes that appear meanwhile may be missed: their tables' subscribers hear of them.
 */
struct rib_target_walk {
	/* rib's */
	struct list node;
	const struct rib_table *table;
	struct attrs **attrs;		/* references */
	uint32_t n, at, size;
	uint32_t route;			/* number of the next one, 0: the next attributes' first */
};

void rib_target_walk_init(struct rib_target_walk *w, const struct rib_table *t);
/* @target: 8 octets as on the wire; any number of them, at any time. NULL: all routes without any. */
void rib_target_walk_add(struct rib_target_walk *w, const uint8_t target[8]);
/* NULL: the end; more may be added, then it goes on */
struct rib_net *rib_target_walk_next(struct rib_target_walk *w);
/* likewise: the route */
struct rib_route *rib_target_walk_next_route(struct rib_target_walk *w);
void rib_target_walk_end(struct rib_target_walk *w);

/* How many different attributes with routes carry it: for show. */
uint32_t rib_target_attrs(struct rib *rib, const uint8_t target[8]);

#endif
