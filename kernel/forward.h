/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: look up, choose, send.
 *
 * Implemented by: forward.c, flow.c, group.c (data plane).
 * Called by: receive.c, mpls.c, vrf_dev.c (ndo_start_xmit), netlink_route.c (what would happen to
 * a flow).
 */
#ifndef _L3VPN_FORWARD_H
#define _L3VPN_FORWARD_H

#include <linux/in6.h>
#include <linux/skbuff.h>
#include "fib.h"
#include "l3vpn.h"
#include "nexthop.h"

struct l3vpn_vrf;
struct l3vpn_port;

/**
 * struct l3vpn_flow - what the choice of a group's member depends on
 * @family:	AF_INET or AF_INET6
 * @proto:	IP protocol (last next header)
 * @label:	IPv6 flow label; IPv4: zero
 * @sport:	ports of TCP, UDP, UDP-Lite, DCCP, SCTP; zero for others and for fragments
 * @dport:	likewise
 * @saddr:	IPv4 in the first word; network byte order
 * @daddr:	likewise
 */
struct l3vpn_flow {
	u8 family;
	u8 proto;
	u32 label;
	__be16 sport;
	__be16 dport;
	struct in6_addr saddr;
	struct in6_addr daddr;
};

/*
 * Look @skb up in @vrf and send it on its way: an IPv4 or IPv6 packet, skb->protocol set, network
 * header set and skb->data at it, no link layer header. @in: port it came in by, NULL: made here by
 * a local socket: the TTL is not decreased, an error goes to the socket, and @skb carries its dst
 * for that (drop it before sending). Consumes @skb. Inside
 * rcu_read_lock, bottom halves off.
 */
void l3vpn_forward(struct sk_buff *skb, struct l3vpn_vrf *vrf, struct l3vpn_port *in);

/* Pure. The data path uses the same function on the same fields. */
u32 l3vpn_flow_hash(const struct l3vpn_flow *flow);

/*
 * Inside rcu_read_lock, process context allowed. The longest match for flow->daddr in *@vrf, behind
 * VRF next hops: *@vrf becomes the VRF of the matching leaf. None: no match, or more than L3VPN_VRF_HOPS_MAX VRFs.
 */
struct l3vpn_leaf l3vpn_forward_lookup_rcu(const struct l3vpn_flow *flow, struct l3vpn_vrf **vrf);

/*
 * group.c, inside rcu_read_lock. The leaf that a packet of this hash takes behind @nh: follows groups and
 * paths down to the handle of an ADJACENCY, or returns @nh of any other kind.
 */
const struct l3vpn_nh *l3vpn_forward_member_rcu(const struct l3vpn_nh *nh, u32 hash);

#endif /* _L3VPN_FORWARD_H */
