/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: the inline half of send.c: what nearly every packet goes through between its next hop and
 * the neighbour. Private to the data plane.
 *
 * Called by: send.c, for every packet; forward.c, for the usual one. Softirq, inside rcu_read_lock.
 */
#ifndef _L3VPN_IMPOSE_H
#define _L3VPN_IMPOSE_H

#include <linux/if_ether.h>
#include <net/ip.h>
#include <net/mpls.h>
#include "neigh.h"
#include "packet.h"
#include "qos.h"
#include "send.h"

static __always_inline unsigned int way_labels(const struct l3vpn_way *way)
{
	return (way->path ? way->path->count : 0) + way->has_inner;
}

/* The packet leaves its old life: what concerned the way in does not concern the way out. */
static __always_inline void leave(struct sk_buff *skb)
{
	skb_forward_csum(skb);
	skb_clear_tstamp(skb);
	skb_dst_drop(skb);
	skb->ignore_df = 0;
}

/* GSO and checksum offload find the packet below the labels by the inner header. */
static __always_inline void begin_labels(struct sk_buff *skb)
{
	skb_set_inner_protocol(skb, skb->protocol);
	skb_reset_inner_network_header(skb);
	skb->protocol = htons(ETH_P_MPLS_UC);
}

/* Push the labels of @way; there is room. @bottom: the first pushed is the bottom of the stack. */
static __always_inline void push_labels(struct sk_buff *skb, const struct l3vpn_way *way, u8 ttl,
					u8 tc, bool bottom)
{
	unsigned int count = way->path ? way->path->count : 0, i;
	__be32 rest = htonl((u32)tc << L3VPN_LSE_TC_SHIFT | ttl);
	__be32 *lse = __skb_push(skb, way_labels(way) * L3VPN_LSE_LEN);

	for (i = 0; i < count; i++)
		lse[i] = way->path->lse[i] | rest;
	if (way->has_inner)
		lse[i++] = way->inner | rest;
	if (bottom)
		lse[i - 1] |= htonl(L3VPN_LSE_BOTTOM);
	skb_reset_network_header(skb);
}

/*
 * Whatever routes and next hops say: a customer's packet goes into the core under labels only, where
 * a router would else look it up in the global table, and no label leaves to a customer.
 */
static __always_inline bool may_leave(const struct l3vpn_port *out, bool labelled)
{
	return labelled == (out->kind == L3VPN_PORT_KIND_CORE);
}

/* @skb is complete but for its link layer header. */
static __always_inline void transmit(struct sk_buff *skb, const struct l3vpn_pkt *pkt,
				     const struct l3vpn_way *way, struct neighbour *neigh)
{
	struct l3vpn_port *out = way->adj->port;

	if (pkt->vrf)
		l3vpn_count_tx(pkt->vrf->counters, pkt->segments, skb->len);
	l3vpn_count_tx(out->counters, pkt->segments, skb->len);
	l3vpn_adj_count(way->adj, pkt->segments, skb->len);
	if (way->path)
		l3vpn_path_count(way->path, pkt->segments, skb->len);
	l3vpn_see_send(skb, pkt, out);
	l3vpn_neigh_send(skb, out->dev, neigh);
}

/* There is room: the IP packet @skb takes its labels. */
static __always_inline void label_ip(struct sk_buff *skb, const struct l3vpn_pkt *pkt,
				     const struct l3vpn_way *way)
{
	u8 ttl, tc;

	leave(skb);
	ttl = l3vpn_ip_ttl(skb);
	if (pkt->in)
		l3vpn_ip_set_ttl(skb, --ttl);
	if (way_labels(way)) {
		tc = l3vpn_qos_push_tc(&pkt->vrf->qos, l3vpn_ip_dscp(skb));
		begin_labels(skb);
		push_labels(skb, way, l3vpn_qos_push_ttl(&pkt->vrf->qos, ttl), tc, true);
	}
}

/* There is room, and all has been checked: the IP packet @skb takes its labels and goes to @neigh. */
static __always_inline void impose(struct sk_buff *skb, const struct l3vpn_pkt *pkt,
				   const struct l3vpn_way *way, struct neighbour *neigh)
{
	label_ip(skb, pkt, way);
	transmit(skb, pkt, way, neigh);
}

/*
 * Send the IP packet @skb as l3vpn_send_ip() does, if it fits as it is, there is room in front of it, and
 * nothing is wrong with the way out. False: nothing was changed, ask l3vpn_send_ip().
 */
static __always_inline bool l3vpn_send_usual(struct sk_buff *skb, const struct l3vpn_pkt *pkt,
					     const struct l3vpn_way *way)
{
	unsigned int more = way_labels(way) * L3VPN_LSE_LEN;
	struct l3vpn_port *out = way->adj->port;
	struct neighbour *neigh;

	if (!l3vpn_port_usable(out) || !may_leave(out, more) || skb_is_gso(skb) ||
	    skb->len + more > l3vpn_port_mtu(out, more) || skb_header_cloned(skb) ||
	    skb_headroom(skb) < more + LL_RESERVED_SPACE(out->dev))
		return false;
	neigh = l3vpn_neigh_of(way->adj, skb);
	if (!neigh || READ_ONCE(neigh->nud_state) & NUD_FAILED)
		return false;
	impose(skb, pkt, way, neigh);
	return true;
}

#endif /* _L3VPN_IMPOSE_H */
