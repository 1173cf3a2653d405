/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lists of routes by number: a route is in three of them, and a link takes eight octets instead of
 * sixteen. Number 0 is none. Who adds and removes is rib alone (route.c); others walk. Main thread only.
 */
#ifndef L3VPN_RIB_LIST_H
#define L3VPN_RIB_LIST_H

#include <stdbool.h>
#include <stdint.h>

struct rib;
struct rib_route;

enum rib_list_kind {
	RIB_OF_SOURCE,		/* struct rib_source.routes */
	RIB_OF_NEXTHOP,		/* struct nexthop.routes */
	RIB_OF_ATTRS,		/* struct attrs.routes: those of the VPN tables */
	RIB_LISTS
};

struct rib_link {
	uint32_t next, prev;
};

struct rib_list {
	uint32_t first, last;
};

static inline bool rib_list_empty(const struct rib_list *l)
{
	return !l->first;
}

/* NULL: none */
struct rib_route *rib_list_first(const struct rib *rib, const struct rib_list *l);
struct rib_route *rib_list_next(const struct rib *rib, const struct rib_route *r, enum rib_list_kind kind);

#endif
