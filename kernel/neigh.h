/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: from an adjacency to a link layer header, by the kernel's neighbours. What is written in
 * front of a packet is read from the neighbour entry and the device as they are now, so changes of
 * either need no notice here.
 *
 * Implemented by: neigh.c (data plane); what every packet needs is inline here.
 * Called by: nexthop.c (attach, detach), group.c (which member of a group is dead).
 */
#ifndef _L3VPN_NEIGH_H
#define _L3VPN_NEIGH_H

#include <linux/etherdevice.h>
#include <linux/skbuff.h>
#include <net/neighbour.h>
#include "nexthop.h"
#include "xmit.h"

/**
 * struct l3vpn_rewrite - of an adjacency with a gateway; private to neigh.c and this header
 * @neigh: its neighbour entry, referenced; RCU, exchanged by whoever finds it dead
 */
struct l3vpn_rewrite {
	struct neighbour __rcu *neigh;
};

/*
 * Under RTNL and ln->lock, before the snapshot that embeds @adj is published; may sleep. Makes
 * @adj->rewrite where that serves, and starts resolution. @adj->port is set. 0 or -ENOMEM.
 */
int l3vpn_neigh_attach(struct l3vpn_adj *adj);

/*
 * A grace period after the snapshot was unpublished (or it never was): releases what attach took,
 * neighbour references included. Process context; @adj->port->dev is still referenced.
 */
void l3vpn_neigh_detach(struct l3vpn_adj *adj);

/*
 * Inside rcu_read_lock, any context. True: packets can leave now: the device runs, has a carrier,
 * and the gateway is resolved (an adjacency without gateway: the device's state alone).
 */
bool l3vpn_adj_resolved(const struct l3vpn_adj *adj);

/*
 * Inside rcu_read_lock, bottom halves off. As l3vpn_adj_resolved(), and where the gateway is not, it
 * is asked for: who prefers another way meanwhile need do nothing to have this one back.
 */
bool l3vpn_adj_ready(const struct l3vpn_adj *adj);

/*
 * Inside rcu_read_lock. True: the port is gone or down, or the neighbour was asked for in vain. A
 * neighbour that is being asked for is not dead.
 */
bool l3vpn_adj_dead(const struct l3vpn_adj *adj);

/* The neighbour of an adjacency without gateway, or of one whose entry is dead. NULL: none. */
struct neighbour *l3vpn_neigh_find(const struct l3vpn_adj *adj, const struct sk_buff *skb);

/*
 * The neighbour that @adj leads to for the IP packet @skb, or for anything where the adjacency has
 * a gateway; no reference, valid inside this RCU section. NULL: there is none.
 */
static __always_inline struct neighbour *l3vpn_neigh_of(const struct l3vpn_adj *adj,
							const struct sk_buff *skb)
{
	struct neighbour *neigh;

	if (likely(adj->rewrite)) {
		neigh = rcu_dereference(adj->rewrite->neigh);
		if (likely(neigh && !READ_ONCE(neigh->dead)))
			return neigh;
	}
	return l3vpn_neigh_find(adj, skb);
}

/* @neigh is FAILED: was it asked for in vain? Asks again then, at most once a second. */
bool l3vpn_neigh_in_vain(struct neighbour *neigh);

/* @neigh was asked for in vain. */
static __always_inline bool l3vpn_neigh_failed(struct neighbour *neigh)
{
	return unlikely(READ_ONCE(neigh->nud_state) & NUD_FAILED) && l3vpn_neigh_in_vain(neigh);
}

/* Of a device that has another link layer header than Ethernet's. */
void l3vpn_neigh_send_other(struct sk_buff *skb, struct net_device *dev, struct neighbour *neigh);

static __always_inline void l3vpn_push_ethernet(struct sk_buff *skb, const struct net_device *dev,
						struct neighbour *neigh)
{
	struct ethhdr *eth = __skb_push(skb, ETH_HLEN);
	unsigned int seq;

	do {
		seq = read_seqbegin(&neigh->ha_lock);
		ether_addr_copy(eth->h_dest, neigh->ha);
	} while (read_seqretry(&neigh->ha_lock, seq));
	ether_addr_copy(eth->h_source, dev->dev_addr);
	eth->h_proto = skb->protocol;
}

/*
 * Put the link layer header on and queue @skb (data and network header at the layer 3 header,
 * enough room, header writable) on @dev, or have it wait for the neighbour. Consumes @skb.
 */
static __always_inline void l3vpn_neigh_send(struct sk_buff *skb, struct net_device *dev,
					     struct neighbour *neigh)
{
	skb->dev = dev;
	if (unlikely(neigh_event_send(neigh, skb)))
		return;		/* it waits */
	if (unlikely(!dev->header_ops || dev->header_ops->create != eth_header)) {
		l3vpn_neigh_send_other(skb, dev, neigh);
		return;
	}
	l3vpn_push_ethernet(skb, dev, neigh);
	l3vpn_xmit(skb);
}

#endif /* _L3VPN_NEIGH_H */
