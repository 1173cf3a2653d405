// SPDX-License-Identifier: GPL-2.0
/*
 * neigh: from an adjacency to the wire, by the kernel's own neighbour entries (RFC 826, 4861).
 *
 * An adjacency with a gateway keeps a reference of the neighbour entry, so that the data path
 * needs no look-up; what it writes in front of a packet it reads from that entry and the device, so
 * it cannot be stale: nothing has to follow address changes. An entry that the kernel has given up
 * (flushed, device down) is replaced by the first packet that meets it. neigh_event_send() is called
 * for every packet: it marks the entry as used, has a STALE one probed, and lets packets wait in
 * the entry's queue while it is being resolved.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/slab.h>
#include <net/arp.h>
#include <net/ndisc.h>
#include "neigh.h"
#include "packet.h"
#include "port.h"
#include "send.h"

/* A neighbour entry with a reference, made if need be; NULL: none can be had. Any context. */
static struct neighbour *gateway_neigh(const struct l3vpn_adj *adj, struct net_device *dev)
{
	struct neighbour *neigh;

	if (adj->gw_family == AF_INET)
		neigh = __neigh_lookup_errno(&arp_tbl, &adj->gw4, dev);
	else
		neigh = __neigh_lookup_errno(&nd_tbl, &adj->gw6, dev);
	return IS_ERR(neigh) ? NULL : neigh;
}

int l3vpn_neigh_attach(struct l3vpn_adj *adj)
{
	struct l3vpn_rewrite *rewrite;
	struct neighbour *neigh;

	adj->rewrite = NULL;
	if (!adj->gw_family)
		return 0;
	rewrite = kzalloc(sizeof(*rewrite), GFP_KERNEL_ACCOUNT);
	if (!rewrite)
		return -ENOMEM;
	neigh = gateway_neigh(adj, adj->port->dev);
	RCU_INIT_POINTER(rewrite->neigh, neigh);
	adj->rewrite = rewrite;
	if (neigh && netif_running(adj->port->dev))
		neigh_event_send(neigh, NULL);
	return 0;
}

void l3vpn_neigh_detach(struct l3vpn_adj *adj)
{
	struct neighbour *neigh;

	if (!adj->rewrite)
		return;
	neigh = rcu_dereference_protected(adj->rewrite->neigh, true);
	if (neigh)
		neigh_release(neigh);
	kfree(adj->rewrite);
	adj->rewrite = NULL;
}

/* The entry that an adjacency holds is dead, or was never had: get the one of now. */
static struct neighbour *renew(const struct l3vpn_adj *adj)
{
	struct l3vpn_port *port = adj->port;
	struct neighbour *neigh, *old;

	if (!port)
		return NULL;
	neigh = gateway_neigh(adj, port->dev);
	if (!neigh)
		return NULL;
	old = unrcu_pointer(xchg(&adj->rewrite->neigh, RCU_INITIALIZER(neigh)));
	if (old)
		neigh_release(old);	/* freed by RCU: who still reads it may */
	return neigh;
}

static struct neighbour *onlink_neigh(struct net_device *dev, const struct sk_buff *skb)
{
	struct neighbour *neigh = NULL;

	if (skb->protocol == htons(ETH_P_IP)) {
		__be32 daddr = ip_hdr(skb)->daddr;

		neigh = __ipv4_neigh_lookup_noref(dev, (__force u32)daddr);
		if (!neigh)
			neigh = __neigh_create(&arp_tbl, &daddr, dev, false);
	} else if (skb->protocol == htons(ETH_P_IPV6)) {
		struct in6_addr daddr = ipv6_hdr(skb)->daddr;

		neigh = __ipv6_neigh_lookup_noref(dev, &daddr);
		if (!neigh)
			neigh = __neigh_create(&nd_tbl, &daddr, dev, false);
	}
	return IS_ERR(neigh) ? NULL : neigh;
}

struct neighbour *l3vpn_neigh_find(const struct l3vpn_adj *adj, const struct sk_buff *skb)
{
	return adj->rewrite ? renew(adj) : onlink_neigh(adj->port->dev, skb);
}

/*
 * Was @neigh, which is FAILED, asked for in vain? If not, it was deleted or fell silent, and has to
 * be asked for before anybody is told that it is unreachable.
 */
static bool asked_in_vain(const struct neighbour *neigh)
{
	return atomic_read(&neigh->probes) >= NEIGH_VAR(neigh->parms, UCAST_PROBES) +
	       NEIGH_VAR(neigh->parms, APP_PROBES) + NEIGH_VAR(neigh->parms, MCAST_PROBES);
}

/* Ask again for @neigh, which is FAILED; in vain at most once a second. */
static void ask_again(struct neighbour *neigh)
{
	if (!asked_in_vain(neigh) || time_after(jiffies, READ_ONCE(neigh->updated) + HZ))
		neigh_event_send(neigh, NULL);
}

bool l3vpn_neigh_in_vain(struct neighbour *neigh)
{
	if (!asked_in_vain(neigh))
		return false;
	ask_again(neigh);
	return true;
}

void l3vpn_neigh_send_other(struct sk_buff *skb, struct net_device *dev, struct neighbour *neigh)
{
	const struct l3vpn_port *out = l3vpn_port_of(dev);
	unsigned char ha[MAX_ADDR_LEN];

	neigh_ha_snapshot(ha, neigh, dev);
	if (dev_hard_header(skb, dev, ntohs(skb->protocol), ha, NULL, skb->len) >= 0)
		dev_queue_xmit(skb);
	else if (out)
		l3vpn_drop(out->ln, skb, L3VPN_DROP_NEIGHBOUR, NULL, NULL);
	else
		kfree_skb(skb);		/* the port was unbound this moment */
}

/*
 * A VLAN's carrier follows that of the device below by a work of the kernel's that may take its
 * time: look below.
 */
static bool port_usable(const struct l3vpn_port *port)
{
	if (!l3vpn_port_usable(port))
		return false;
	return !is_vlan_dev(port->dev) || netif_carrier_ok(vlan_dev_real_dev(port->dev));
}

static bool valid(const struct neighbour *neigh)
{
	return neigh && !READ_ONCE(neigh->dead) && (READ_ONCE(neigh->nud_state) & NUD_VALID);
}

bool l3vpn_adj_resolved(const struct l3vpn_adj *adj)
{
	if (!port_usable(adj->port))
		return false;
	return !adj->rewrite || valid(rcu_dereference(adj->rewrite->neigh));
}

/* Packets take other ways, so nobody else asks for the neighbour of @adj. Is it there? */
static bool revive(const struct l3vpn_adj *adj, struct neighbour *neigh)
{
	u8 state;

	if (!neigh || READ_ONCE(neigh->dead)) {
		neigh = renew(adj);
		if (!neigh)
			return false;
	}
	state = READ_ONCE(neigh->nud_state);
	if (state & NUD_FAILED)
		ask_again(neigh);
	else if (!(state & (NUD_VALID | NUD_INCOMPLETE)))
		neigh_event_send(neigh, NULL);
	return state & NUD_VALID;
}

bool l3vpn_adj_ready(const struct l3vpn_adj *adj)
{
	struct neighbour *neigh;

	if (unlikely(!port_usable(adj->port)))
		return false;
	if (!adj->rewrite)
		return true;
	neigh = rcu_dereference(adj->rewrite->neigh);
	return likely(valid(neigh)) || revive(adj, neigh);
}

bool l3vpn_adj_dead(const struct l3vpn_adj *adj)
{
	struct neighbour *neigh;

	if (!port_usable(adj->port))
		return true;
	if (!adj->rewrite)
		return false;
	neigh = rcu_dereference(adj->rewrite->neigh);
	return neigh && !READ_ONCE(neigh->dead) && (READ_ONCE(neigh->nud_state) & NUD_FAILED);
}
