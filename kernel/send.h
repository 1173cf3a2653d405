/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: from a chosen next hop to the wire: MTU, TTL, labels, link layer header.
 *
 * Implemented by: send.c (data plane). Called by: forward.c, mpls.c. Softirq, inside rcu_read_lock.
 */
#ifndef _L3VPN_SEND_H
#define _L3VPN_SEND_H

#include <linux/skbuff.h>
#include "nexthop.h"
#include "packet.h"

#define L3VPN_STACK_MAX	32	/* entries between a label that is swapped and the IP packet */

/**
 * struct l3vpn_way - the way out that a packet takes
 * @adj:	the adjacency; NULL: the choice ended at another kind
 * @tunnel:	the tunnel; valid where @adj is NULL, once l3vpn_way_into_tunnel() has said so
 * @dst:	its route for this packet, valid likewise; NULL: there is none
 * @path:	labels to push on top of @inner, or NULL
 * @egress:	what @inner is from, or NULL: it is the route's
 * @nh:		handle of what was chosen last: the adjacency, the tunnel, or what is neither
 * @inner:	label stack entry to push first, network byte order, label alone; valid when @has_inner
 * @has_inner:	see @inner
 */
struct l3vpn_way {
	const struct l3vpn_adj *adj;
	const struct l3vpn_tunnel *tunnel;
	struct dst_entry *dst;
	const struct l3vpn_path *path;
	const struct l3vpn_path *egress;
	const struct l3vpn_nh *nh;
	__be32 inner;
	bool has_inner;
};

/**
 * struct l3vpn_stack - labels that a switched packet keeps, below those of its way
 * @count:	of @lse
 * @ttl:	of the labels of the way
 * @tc:		of them
 * @lse:	outermost first, network byte order, bottom of stack set in the last
 */
struct l3vpn_stack {
	u8 count;
	u8 ttl;
	u8 tc;
	__be32 lse[L3VPN_STACK_MAX];
};

/* The device that a packet leaves by: @way has an adjacency that is usable, or a tunnel with a route. */
struct net_device *l3vpn_way_dev(const struct l3vpn_way *way);

/*
 * Send an IP packet (skb->protocol, network header and data at it) of pkt->vrf: TTL is decreased if it
 * came in by a port; labels take TTL and TC by the model of that VRF. Consumes @skb.
 */
void l3vpn_send_ip(struct sk_buff *skb, struct l3vpn_pkt *pkt, const struct l3vpn_way *way);

/*
 * Can @skb, with the labels of @way but @less octets, pass the MTU of the way out? @labelled: there will
 * be a label on it then.
 */
bool l3vpn_way_fits(const struct sk_buff *skb, const struct l3vpn_way *way, unsigned int less,
		    bool labelled);

/* The largest IP packet that fits there under the labels of @way and @below more; 0: none. */
u32 l3vpn_way_room(const struct l3vpn_way *way, unsigned int below);

/*
 * Send what is left of a labelled packet (skb->data at it): @ttl and @tc go into the labels pushed.
 * With nothing pushed and skb->protocol an IP one, the IP header has been set right by the caller,
 * who has also asked l3vpn_way_fits().
 */
void l3vpn_send_labelled(struct sk_buff *skb, struct l3vpn_pkt *pkt, const struct l3vpn_way *way,
			 u8 ttl, u8 tc);

/*
 * Put @stack on the IP packet @skb, and send it as l3vpn_send_labelled() does. An IP header that no
 * label of @stack covers has been set right by the caller. Consumes @skb.
 */
void l3vpn_send_restacked(struct sk_buff *skb, struct l3vpn_pkt *pkt, const struct l3vpn_way *way,
			  const struct l3vpn_stack *stack);

/*
 * The IPv4 packet @skb, whose label stack was taken off, too big for the way out: cut, and sent with
 * @stack on every piece. A GSO packet is segmented before. Its header has been checked. Consumes @skb.
 */
void l3vpn_cut_restacked(struct sk_buff *skb, struct l3vpn_pkt *pkt, const struct l3vpn_way *way,
			 const struct l3vpn_stack *stack);

/*
 * fragment.c: IPv4 packet too big for @mtu, not DF: send it in pieces, each with @stack on it (NULL:
 * none was there). Consumes @skb.
 */
void l3vpn_fragment(struct sk_buff *skb, struct l3vpn_pkt *pkt, const struct l3vpn_way *way,
		    const struct l3vpn_stack *stack, u32 mtu);

#endif /* _L3VPN_SEND_H */
