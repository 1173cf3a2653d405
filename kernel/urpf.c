// SPDX-License-Identifier: GPL-2.0
/*
 * urpf: unicast reverse path check (RFC 3704): would an answer to this packet's source leave by the
 * port that it came in by (strict), or is there a way to it at all (loose)?
 *
 * Feasible, not best path alone: every member of a group counts, backups and those that are down
 * too, so that a site with two ports may send by either. Cost: a look-up in the VRF's index, and
 * one more for each VRF next hop on the way.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <net/ipv6.h>

#include "fib.h"
#include "l3vpn.h"
#include "nexthop.h"
#include "port.h"
#include "urpf.h"
#include "vrf.h"

/* Is an adjacency on @port behind @nh? Goes at most four deep (nexthop.h); behind an egress is no customer's port. */
static bool leads_out(const struct l3vpn_nh *nh, const struct l3vpn_port *port)
{
	const struct l3vpn_nh_data *data = l3vpn_nh_rcu(nh);
	unsigned int i;

	switch (data->kind) {
	case L3VPN_NH_KIND_ADJACENCY:
		return data->adj.port == port;
	case L3VPN_NH_KIND_LABELLED:
		return leads_out(data->path.via, port);
	case L3VPN_NH_KIND_GROUP:
		for (i = 0; i < data->group.count; i++)
			if (leads_out(data->group.member[i].nh, port))
				return true;
		return false;
	}
	return false;
}

static struct l3vpn_leaf lookup_source(const struct l3vpn_vrf *vrf, const struct sk_buff *skb,
				       bool by_default)
{
	if (skb->protocol == htons(ETH_P_IP))
		return by_default ? l3vpn_fib_lookup4(&vrf->fib4, ip_hdr(skb)->saddr) :
				    l3vpn_fib_lookup4_longer(&vrf->fib4, ip_hdr(skb)->saddr);
	return by_default ? l3vpn_fib_lookup6(&vrf->fib6, &ipv6_hdr(skb)->saddr) :
			    l3vpn_fib_lookup6_longer(&vrf->fib6, &ipv6_hdr(skb)->saddr);
}

static bool source_of_link(const struct sk_buff *skb)
{
	const struct in6_addr *saddr = &ipv6_hdr(skb)->saddr;

	return skb->protocol == htons(ETH_P_IPV6) &&
	       (ipv6_addr_any(saddr) || ipv6_addr_type(saddr) & IPV6_ADDR_LINKLOCAL);
}

bool l3vpn_urpf(const struct sk_buff *skb, const struct l3vpn_port *in, const struct l3vpn_vrf *vrf,
		u8 mode)
{
	bool strict = mode == L3VPN_RPF_STRICT || mode == L3VPN_RPF_STRICT_DEFAULT;
	bool by_default = mode == L3VPN_RPF_STRICT_DEFAULT || mode == L3VPN_RPF_LOOSE_DEFAULT;
	const struct l3vpn_nh_data *data;
	struct l3vpn_leaf leaf;
	unsigned int hops;

	if (source_of_link(skb))
		return true;
	for (hops = 0; vrf && hops < L3VPN_VRF_HOPS_MAX; hops++) {
		leaf = lookup_source(vrf, skb, by_default);
		if (l3vpn_leaf_none(leaf))
			return false;
		data = l3vpn_nh_rcu(l3vpn_leaf_nh(leaf));
		switch (data->kind) {
		case L3VPN_NH_KIND_VRF:
			vrf = data->vrf;
			continue;
		case L3VPN_NH_KIND_RECEIVE:
		case L3VPN_NH_KIND_BLACKHOLE:
		case L3VPN_NH_KIND_UNREACHABLE:
			return false;
		}
		return !strict || leads_out(l3vpn_leaf_nh(leaf), in);
	}
	return false;
}
