/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: from a tunnel to the wire: outer headers. Private to the data plane.
 *
 * Implemented by: encap.c. Called by: forward.c, mpls.c, send.c, fragment.c. Softirq, inside rcu_read_lock.
 */
#ifndef _L3VPN_ENCAP_H
#define _L3VPN_ENCAP_H

#include <linux/skbuff.h>
#include "packet.h"
#include "send.h"

/*
 * @way has ended at no adjacency: is it a tunnel? Then @way->tunnel and @way->dst are set, the latter to NULL where
 * there is no route that it may take. skb->data is at the IP header or label stack, for the flow's hash.
 */
bool l3vpn_way_into_tunnel(const struct sk_buff *skb, struct l3vpn_pkt *pkt, struct l3vpn_way *way);

/* Octets in front of the outermost label, link layer header included. */
unsigned int l3vpn_encap_headroom(const struct l3vpn_way *way);

/* The largest labelled packet that fits into the tunnel, labels included; 0: none. */
u32 l3vpn_encap_mtu(const struct l3vpn_way *way);

/*
 * Send the labelled packet @skb (data and network header at the stack, headroom there and writable, no GSO packet,
 * no checksum left to be made) by the tunnel of @way, whose route is there. Consumes @skb.
 */
void l3vpn_encap(struct sk_buff *skb, const struct l3vpn_pkt *pkt, const struct l3vpn_way *way);

#endif /* _L3VPN_ENCAP_H */
