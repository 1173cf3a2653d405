// SPDX-License-Identifier: GPL-2.0
/*
 * forward: look up, choose, hand on. A packet that has entered a VRF (by a port, a label, a local
 * socket) is looked up in the VRF's index; the route's next hop is followed through groups and
 * paths (group.c) to an adjacency (send.c), to the stack (receive.c), or into another VRF.
 *
 * The slow answers to user space (which route, which member) run through the same functions.
 */
#include <linux/rcupdate.h>
#include "burst.h"
#include "check.h"
#include "encap.h"
#include "forward.h"
#include "group.h"
#include "icmp.h"
#include "impose.h"
#include "packet.h"
#include "send.h"

static struct l3vpn_leaf lookup(const struct l3vpn_vrf *vrf, const struct sk_buff *skb)
{
	if (l3vpn_is_ipv4(skb))
		return l3vpn_fib_lookup4(&vrf->fib4, ip_hdr(skb)->daddr);
	return l3vpn_fib_lookup6(&vrf->fib6, &ipv6_hdr(skb)->daddr);
}

struct l3vpn_leaf l3vpn_forward_lookup_rcu(const struct l3vpn_flow *flow, struct l3vpn_vrf **vrf)
{
	unsigned int hops;

	for (hops = 1; hops <= L3VPN_VRF_HOPS_MAX; hops++) {
		const struct l3vpn_nh_data *data;
		struct l3vpn_leaf leaf;

		if (flow->family == AF_INET)
			leaf = l3vpn_fib_lookup4(&(*vrf)->fib4, flow->daddr.s6_addr32[0]);
		else
			leaf = l3vpn_fib_lookup6(&(*vrf)->fib6, &flow->daddr);
		if (l3vpn_leaf_none(leaf))
			return leaf;
		data = l3vpn_nh_rcu(l3vpn_leaf_nh(leaf));
		if (data->kind != L3VPN_NH_KIND_VRF || !data->vrf)
			return leaf;
		*vrf = data->vrf;
	}
	return (struct l3vpn_leaf){};
}

/* Packets */

void l3vpn_count_entry(const struct sk_buff *skb, const struct l3vpn_pkt *pkt)
{
	l3vpn_count_rx(pkt->vrf->counters, pkt->segments, skb->len);
}

static void count_exit(const struct sk_buff *skb, const struct l3vpn_pkt *pkt)
{
	l3vpn_count_tx(pkt->vrf->counters, pkt->segments, skb->len);
}

static rx_handler_result_t refuse(struct sk_buff *skb, struct l3vpn_pkt *pkt,
				  enum l3vpn_icmp_error what, enum l3vpn_drop reason)
{
	l3vpn_icmp_error(skb, pkt, what, 0);
	return l3vpn_pkt_drop(skb, pkt, reason);
}

/* RECEIVE met elsewhere than in the index: only what the index calls local is for us. */
static bool is_local(const struct sk_buff *skb, const struct l3vpn_vrf *vrf)
{
	struct l3vpn_leaf leaf = lookup(vrf, skb);

	return !l3vpn_leaf_none(leaf) && l3vpn_nh_rcu(l3vpn_leaf_nh(leaf))->kind == L3VPN_NH_KIND_RECEIVE;
}

/* Sources that may be heard on the link, and by local sockets, but not forwarded. */
static __always_inline bool source_stays(const struct sk_buff *skb)
{
	return ipv6_hdr(skb)->saddr.s6_addr[0] == 0xfe &&
	       ipv6_addr_type(&ipv6_hdr(skb)->saddr) & IPV6_ADDR_LINKLOCAL;
}

/* A label of one VRF does not lead to another's port, wherever its next hop has been moved to. */
static __always_inline bool way_strays(const struct l3vpn_pkt *pkt, const struct l3vpn_way *way)
{
	const struct l3vpn_port *out = way->adj->port;

	return pkt->pinned && out && out->kind == L3VPN_PORT_KIND_CUSTOMER &&
	       rcu_access_pointer(out->vrf) != pkt->vrf;
}

static rx_handler_result_t enter_vrf(struct sk_buff *skb, struct l3vpn_pkt *pkt,
				     struct l3vpn_vrf *vrf)
{
	if (!vrf)
		return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_NO_VRF);
	if (pkt->hops >= L3VPN_VRF_HOPS_MAX)
		return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_VRF_LOOP);
	count_exit(skb, pkt);
	pkt->vrf = vrf;
	pkt->pinned = false;
	return l3vpn_route(skb, pkt);
}

static rx_handler_result_t to_tunnel(struct sk_buff *skb, struct l3vpn_pkt *pkt, const struct l3vpn_way *way)
{
	bool v4 = l3vpn_is_ipv4(skb);

	if (!v4 && source_stays(skb))
		return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_MARTIAN);
	if (pkt->in && l3vpn_ip_ttl(skb) <= 1)
		return refuse(skb, pkt, L3VPN_ICMP_TIME_EXCEEDED, L3VPN_DROP_TTL);
	if (!way->dst)
		return refuse(skb, pkt, v4 ? L3VPN_ICMP_NET_UNREACHABLE : L3VPN_ICMP_HOST_UNREACHABLE,
			      L3VPN_DROP_TUNNEL_ROUTE);
	l3vpn_send_ip(skb, pkt, way);
	return RX_HANDLER_CONSUMED;
}

/* To a next hop that is no adjacency, but a tunnel, the end or another VRF. */
static noinline rx_handler_result_t to_end(struct sk_buff *skb, struct l3vpn_pkt *pkt,
					   struct l3vpn_way *way)
{
	const struct l3vpn_nh_data *data = l3vpn_nh_rcu(way->nh);

	if (l3vpn_way_into_tunnel(skb, pkt, way))
		return to_tunnel(skb, pkt, way);
	l3vpn_tally_add(data->tally, pkt->segments, skb->len);
	switch (data->kind) {
	case L3VPN_NH_KIND_VRF:
		return enter_vrf(skb, pkt, data->vrf);
	case L3VPN_NH_KIND_RECEIVE:
		if (!is_local(skb, pkt->vrf))
			return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_NOT_FOR_HOST);
		count_exit(skb, pkt);
		return l3vpn_to_stack(skb, pkt);
	case L3VPN_NH_KIND_HOST:
		count_exit(skb, pkt);
		return l3vpn_to_host(skb, pkt);
	case L3VPN_NH_KIND_GROUP:
		return refuse(skb, pkt, L3VPN_ICMP_HOST_UNREACHABLE, L3VPN_DROP_CORE_LOOP);
	case L3VPN_NH_KIND_BLACKHOLE:
		return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_BLACKHOLE);
	default:
		return refuse(skb, pkt, L3VPN_ICMP_HOST_UNREACHABLE, L3VPN_DROP_UNREACHABLE);
	}
}

static __always_inline rx_handler_result_t to_nh(struct sk_buff *skb, struct l3vpn_pkt *pkt,
						 const struct l3vpn_nh *nh, bool has_inner,
						 u32 label, bool v4)
{
	struct l3vpn_way way L3VPN_UNINITIALIZED;

	way.has_inner = has_inner;
	way.inner = htonl(label << L3VPN_LSE_LABEL_SHIFT);
	l3vpn_way_of(skb, pkt, nh, &way);
	l3vpn_see_way(pkt, nh, &way);
	if (unlikely(!way.adj))
		return to_end(skb, pkt, &way);
	if (!v4 && unlikely(source_stays(skb)))
		return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_MARTIAN);
	if (unlikely(way_strays(pkt, &way)))
		return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_UNREACHABLE);
	if (unlikely(pkt->in && (v4 ? ip_hdr(skb)->ttl : ipv6_hdr(skb)->hop_limit) <= 1))
		return refuse(skb, pkt, L3VPN_ICMP_TIME_EXCEEDED, L3VPN_DROP_TTL);
	if (unlikely(!l3vpn_send_usual(skb, pkt, &way)))
		l3vpn_send_ip(skb, pkt, &way);
	return RX_HANDLER_CONSUMED;
}

rx_handler_result_t l3vpn_to_nh(struct sk_buff *skb, struct l3vpn_pkt *pkt,
				const struct l3vpn_nh *nh)
{
	return to_nh(skb, pkt, nh, false, 0, l3vpn_is_ipv4(skb));
}

static __always_inline rx_handler_result_t route(struct sk_buff *skb, struct l3vpn_pkt *pkt, bool v4)
{
	const struct l3vpn_vrf *vrf = pkt->vrf;
	struct l3vpn_leaf leaf;

	if (unlikely(READ_ONCE(vrf->dying)))
		return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_NO_VRF);
	pkt->hops++;
	l3vpn_count_entry(skb, pkt);
	if (unlikely(pkt->found && pkt->found->fib == (v4 ? &vrf->fib4 : &vrf->fib6)))
		leaf = l3vpn_fib_told(pkt->found);
	else
		leaf = v4 ? l3vpn_fib_lookup4(&vrf->fib4, ip_hdr(skb)->daddr) :
			    l3vpn_fib_lookup6(&vrf->fib6, &ipv6_hdr(skb)->daddr);
	l3vpn_see_route(skb, pkt, leaf);
	if (unlikely(l3vpn_leaf_none(leaf)))
		return refuse(skb, pkt, L3VPN_ICMP_NET_UNREACHABLE, L3VPN_DROP_NO_ROUTE);
	return to_nh(skb, pkt, l3vpn_leaf_nh(leaf), l3vpn_leaf_labelled(leaf), l3vpn_leaf_label(leaf),
		     v4);
}

rx_handler_result_t l3vpn_route(struct sk_buff *skb, struct l3vpn_pkt *pkt)
{
	if (l3vpn_is_ipv4(skb))
		return route(skb, pkt, true);
	return route(skb, pkt, false);
}

void l3vpn_forward(struct sk_buff *skb, struct l3vpn_vrf *vrf, struct l3vpn_port *in)
{
	struct l3vpn_pkt pkt = { .ln = vrf->ln, .vrf = vrf, .entry = vrf, .in = in,
				 .segments = l3vpn_segments(skb) };
	struct l3vpn_record *record L3VPN_SEE = l3vpn_see_receive(skb, &pkt);
	enum l3vpn_drop reason = l3vpn_check_ip(skb);

	if (reason)
		l3vpn_pkt_drop(skb, &pkt, reason);
	else if (l3vpn_route(skb, &pkt) != RX_HANDLER_CONSUMED)
		netif_rx(skb);
}
