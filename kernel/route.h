/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: routes of user space in a VRF: counts, limits, digests and references around the FIB.
 *
 * Implemented by: route.c (control plane). All under ln->lock, process context, may sleep.
 *
 * @v6 is 0 for IPv4 and 1 for IPv6 throughout; it indexes vrf->routes and its like. Callers that
 * change routes call l3vpn_route_flush_retired() once at the end of a batch.
 */
#ifndef _L3VPN_ROUTE_H
#define _L3VPN_ROUTE_H

#include "burst.h"
#include "fib.h"
#include "l3vpn.h"
#include "vrf.h"

static inline struct l3vpn_fib *l3vpn_vrf_fib(struct l3vpn_vrf *vrf, int v6)
{
	return v6 ? &vrf->fib6 : &vrf->fib4;
}

/* L3VPN_LABEL_NONE or the label. */
static inline u32 l3vpn_route_label(struct l3vpn_leaf leaf)
{
	return l3vpn_leaf_labelled(leaf) ? l3vpn_leaf_label(leaf) : L3VPN_LABEL_NONE;
}

/* User space's route of exactly this prefix, shadowed or not. */
struct l3vpn_leaf l3vpn_route_find(struct l3vpn_vrf *vrf, int v6, struct l3vpn_key key, u8 plen);

/* Create, replace, or refresh the stamp. 0, -ENOMEM, -ENOSPC (the VRF's limit). */
int l3vpn_route_add(struct l3vpn_vrf *vrf, int v6, struct l3vpn_key key, u8 plen,
		    struct l3vpn_nh *nh, u32 label);

/* 0, -ENOENT. */
int l3vpn_route_del(struct l3vpn_vrf *vrf, int v6, struct l3vpn_key key, u8 plen);

/* A route of user space is no longer anywhere: uncount it and drop its reference. */
void l3vpn_route_uncount(struct l3vpn_vrf *vrf, int v6, struct l3vpn_key key, u8 plen,
			 struct l3vpn_leaf leaf);

/*
 * An epoch has begun: leaves have room for L3VPN_LEAF_STAMPS different stamps, so those that would
 * now pass for new become the oldest that can still be told. Walks all routes, when it must.
 */
void l3vpn_route_age(struct l3vpn_net *ln);

/* Remove what has an older stamp. Returns the number. */
u32 l3vpn_route_sweep(struct l3vpn_vrf *vrf, int v6);

/* Remove all routes of user space. */
void l3vpn_route_flush(struct l3vpn_vrf *vrf);

static inline void l3vpn_route_flush_retired(struct l3vpn_vrf *vrf)
{
	l3vpn_fib_flush(&vrf->fib4);
	l3vpn_fib_flush(&vrf->fib6);
	l3vpn_burst_suit(vrf->ln);
}

#endif /* _L3VPN_ROUTE_H */
