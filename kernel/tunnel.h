/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: the way to a tunnel's far end, by the kernel's main table, in the global table.
 *
 * Implemented by: tunnel.c (data plane). Called by: nexthop_build.c (attach, detach), nexthop.c, netlink_nh.c,
 * group.c (state), encap.c. The tunnel itself is struct l3vpn_tunnel in nexthop.h.
 */
#ifndef _L3VPN_TUNNEL_H
#define _L3VPN_TUNNEL_H

#include <linux/rcupdate.h>
#include <linux/types.h>
#include <net/dst.h>
#include "nexthop.h"

/* Ways that a tunnel's flows may take where the route has several. */
#define L3VPN_TUNNEL_WAYS	64

/**
 * struct l3vpn_tunnel_hop - a route that was looked up
 * @dst:	the route; referenced
 * @cookie:	with which IPv6's is asked whether it still holds
 * @rcu:	frees
 */
struct l3vpn_tunnel_hop {
	struct dst_entry *dst;
	u32 cookie;
	struct rcu_head rcu;
};

/**
 * struct l3vpn_tunnel_routes - of one tunnel
 * @hop:	by a flow's hash; RCU, exchanged by whoever finds one missing or stale
 */
struct l3vpn_tunnel_routes {
	struct l3vpn_tunnel_hop __rcu *hop[L3VPN_TUNNEL_WAYS];
};

/* Process context, before the snapshot that embeds @tunnel is published. 0 or -ENOMEM. */
int l3vpn_tunnel_attach(struct l3vpn_tunnel *tunnel);

/* A grace period after the snapshot was unpublished (or it never was). Process context. */
void l3vpn_tunnel_detach(struct l3vpn_tunnel *tunnel);

/*
 * Inside rcu_read_lock, any context: the route of a flow of hash @hash; valid inside this RCU section. NULL: there
 * is none, or one that no tunnel may take.
 */
struct dst_entry *l3vpn_tunnel_route(const struct l3vpn_tunnel *tunnel, u32 hash);

/* Inside rcu_read_lock. Octets of an outer packet that may leave by @dst, a route of @tunnel. */
u32 l3vpn_tunnel_path_mtu(const struct l3vpn_tunnel *tunnel, const struct dst_entry *dst);

/* Inside rcu_read_lock, any context. There is a route for some flow, by a device that runs and has a carrier. */
bool l3vpn_tunnel_resolved(const struct l3vpn_tunnel *tunnel);

/* Octets of the headers in front of the labels. */
static inline u32 l3vpn_tunnel_overhead(const struct l3vpn_tunnel *tunnel)
{
	return (tunnel->family == AF_INET ? 20 : 40) + (tunnel->encap == L3VPN_ENCAP_UDP ? 8 : 4);
}

#endif /* _L3VPN_TUNNEL_H */
