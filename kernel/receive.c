// SPDX-License-Identifier: GPL-2.0
/*
 * receive: what comes in by a port, and what goes to local sockets.
 *
 * A customer can address nothing of the provider: only what the index of its VRF calls local, ARP
 * and neighbour discovery for such addresses, the port's own link-local addresses, and the
 * link-local multicast protocols listed below reach the kernel's stack, with the port as the
 * device, whose VRF the stack then knows. All else is forwarded by the index or dropped by name
 * (RFC 1812 section 5.3, RFC 4291 section 2.5, RFC 6890).
 */
#include <linux/etherdevice.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_arp.h>
#include <linux/if_vlan.h>
#include <linux/igmp.h>
#include <linux/inetdevice.h>
#include <linux/udp.h>
#include <net/addrconf.h>
#include <net/arp.h>
#include <net/ip_fib.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>
#include <net/route.h>
#include "burst.h"
#include "check.h"
#include "decap.h"
#include "forward.h"
#include "guard.h"
#include "packet.h"
#include "receive.h"

#define PROTO_OSPF	89	/* RFC 2328, 5340 */
#define PROTO_VRRP	112	/* RFC 5798 */
#define PORT_RIP	520	/* RFC 2453 */
#define PORT_RIPNG	521	/* RFC 2080 */

/* To the stack */

/*
 * May a local socket answer this source? It must have a route in the VRF by which it came, that is
 * not the box itself, and be no address of the global table: the answer would go there. An ICMP
 * error (@error) is not answered, and comes from routers of which the VRF knows nothing, P routers
 * among them: only the box itself cannot have sent it.
 */
static bool source_plausible(const struct sk_buff *skb, const struct l3vpn_pkt *pkt, bool error)
{
	struct l3vpn_leaf leaf;
	bool global;
	u8 kind;

	if (l3vpn_is_ipv4(skb)) {
		leaf = l3vpn_fib_lookup4(&pkt->entry->fib4, ip_hdr(skb)->saddr);
		/* by table: an address may be local in a VRF and in the global table */
		global = inet_addr_type_table(pkt->ln->net, ip_hdr(skb)->saddr,
					      RT_TABLE_LOCAL) != RTN_UNICAST;
	} else {
		const struct in6_addr *saddr = &ipv6_hdr(skb)->saddr;
		struct net_device *dev;

		if (ipv6_addr_type(saddr) & IPV6_ADDR_LINKLOCAL)
			return pkt->in && pkt->in->kind == L3VPN_PORT_KIND_CUSTOMER;
		leaf = l3vpn_fib_lookup6(&pkt->entry->fib6, saddr);
		dev = ipv6_dev_find(pkt->ln->net, saddr, NULL);
		global = dev && !l3mdev_master_ifindex_rcu(dev);
	}
	if (global || l3vpn_leaf_none(leaf))
		return error && !global;
	kind = l3vpn_nh_rcu(l3vpn_leaf_nh(leaf))->kind;
	if (error)
		return kind != L3VPN_NH_KIND_RECEIVE;
	return kind != L3VPN_NH_KIND_RECEIVE && kind != L3VPN_NH_KIND_BLACKHOLE &&
	       kind != L3VPN_NH_KIND_UNREACHABLE;
}

/*
 * An ICMP error tells a host about a packet that it sent (RFC 1122 section 3.2.2, RFC 4443 section
 * 2.4), so what it quotes comes from the address that it goes to. The stack does not look, and its
 * TCP finds the socket without asking for the VRF: a customer could quote a connection of the
 * global table.
 */
enum quotation {
	QUOTES_NOTHING,		/* no ICMP error */
	QUOTES_RECEIVER,
	QUOTES_OTHERS,		/* or too short to tell, whether it is one at all included */
};

static enum quotation quotation4(const struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb), *quoted;
	unsigned int at = iph->ihl * 4;
	const struct icmphdr *icmph;
	struct icmphdr buffer;
	struct iphdr copy;

	if (iph->protocol != IPPROTO_ICMP || iph->frag_off & htons(IP_OFFSET))
		return QUOTES_NOTHING;
	icmph = skb_header_pointer(skb, at, sizeof(buffer), &buffer);
	if (!icmph)
		return QUOTES_OTHERS;
	if (!icmp_is_err(icmph->type))
		return QUOTES_NOTHING;
	quoted = skb_header_pointer(skb, at + sizeof(buffer), sizeof(copy), &copy);
	return quoted && quoted->saddr == iph->daddr ? QUOTES_RECEIVER : QUOTES_OTHERS;
}

static enum quotation quotation6(const struct sk_buff *skb)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb), *quoted;
	const struct icmp6hdr *icmp;
	struct icmp6hdr buffer;
	struct ipv6hdr copy;
	__be16 fragment = 0;
	u8 proto = ip6h->nexthdr;
	int at = ipv6_skip_exthdr(skb, sizeof(*ip6h), &proto, &fragment);

	if (at < 0)
		return QUOTES_OTHERS;
	if (proto != IPPROTO_ICMPV6 || fragment & htons(IP6_OFFSET))
		return QUOTES_NOTHING;
	icmp = skb_header_pointer(skb, at, sizeof(buffer), &buffer);
	if (!icmp)
		return QUOTES_OTHERS;
	if (icmp->icmp6_type & ICMPV6_INFOMSG_MASK)
		return QUOTES_NOTHING;
	quoted = skb_header_pointer(skb, at + sizeof(buffer), sizeof(copy), &copy);
	return quoted && ipv6_addr_equal(&quoted->saddr, &ip6h->daddr) ? QUOTES_RECEIVER : QUOTES_OTHERS;
}

static enum quotation quotation(const struct sk_buff *skb)
{
	return l3vpn_is_ipv4(skb) ? quotation4(skb) : quotation6(skb);
}

/* Give @skb a link layer header of @dev's own, for taps there. */
static bool fake_mac_header(struct sk_buff *skb, const struct net_device *dev)
{
	struct ethhdr *eth;

	if (skb_cow_head(skb, ETH_HLEN))
		return false;
	skb_push(skb, ETH_HLEN);
	skb_reset_mac_header(skb);
	eth = eth_hdr(skb);
	ether_addr_copy(eth->h_dest, dev->dev_addr);
	ether_addr_copy(eth->h_source, dev->dev_addr);
	eth->h_proto = skb->protocol;
	skb_pull(skb, ETH_HLEN);
	skb_reset_network_header(skb);
	skb_reset_mac_len(skb);
	return true;
}

static rx_handler_result_t requeue(struct sk_buff *skb, struct l3vpn_pkt *pkt,
				   struct net_device *dev)
{
	if (!fake_mac_header(skb, dev))
		return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_NO_MEMORY);
	skb_dst_drop(skb);
	nf_reset_ct(skb);	/* what a local socket sends from one VRF begins anew in another */
	skb->dev = dev;
	skb->pkt_type = PACKET_HOST;
	skb->encapsulation = 0;
	return RX_HANDLER_ANOTHER;
}

rx_handler_result_t l3vpn_to_stack(struct sk_buff *skb, struct l3vpn_pkt *pkt)
{
	if (pkt->in) {
		enum quotation quotes = quotation(skb);

		if (!source_plausible(skb, pkt, quotes != QUOTES_NOTHING))
			return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_MARTIAN);
		if (quotes == QUOTES_OTHERS)
			return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_NOT_FOR_HOST);
	} else if (skb->skb_iif == pkt->vrf->dev->ifindex) {
		/* the stack had it, does not call it local, and routed it back: no end but its TTL's */
		return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_NOT_FOR_HOST);
	}
	if (pkt->in && skb->dev == pkt->in->dev &&
	    rcu_access_pointer(pkt->in->vrf) == pkt->vrf)
		return RX_HANDLER_PASS;
	return requeue(skb, pkt, pkt->vrf->dev);
}

rx_handler_result_t l3vpn_to_host(struct sk_buff *skb, struct l3vpn_pkt *pkt)
{
	return requeue(skb, pkt, pkt->ln->net->loopback_dev);
}

/* Customer ports */

static bool is_receive4(const struct l3vpn_vrf *vrf, __be32 addr)
{
	struct l3vpn_leaf leaf = l3vpn_fib_lookup4(&vrf->fib4, addr);

	return !l3vpn_leaf_none(leaf) && l3vpn_nh_rcu(l3vpn_leaf_nh(leaf))->kind == L3VPN_NH_KIND_RECEIVE;
}

/*
 * ARP (RFC 826) for this VRF's own addresses, or an announcement (RFC 5227) of somebody else's: the
 * stack would answer for any address of the box.
 */
static rx_handler_result_t receive_arp(struct sk_buff *skb, struct l3vpn_pkt *pkt)
{
	const struct net_device *dev = skb->dev;
	__be32 sip, tip;
	const u8 *p;

	if (!pskb_may_pull(skb, arp_hdr_len(skb->dev)))
		return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_HEADER);
	p = (const u8 *)(arp_hdr(skb) + 1);
	memcpy(&sip, p + dev->addr_len, sizeof(sip));
	memcpy(&tip, p + 2 * dev->addr_len + sizeof(sip), sizeof(tip));
	if (is_receive4(pkt->vrf, tip) || (sip == tip && !is_receive4(pkt->vrf, sip)))
		return RX_HANDLER_PASS;
	return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_NOT_FOR_HOST);
}

static bool udp_dport_is(const struct sk_buff *skb, int offset, u16 port)
{
	struct udphdr buffer;
	const struct udphdr *uh = skb_header_pointer(skb, offset, sizeof(buffer), &buffer);

	return uh && uh->dest == htons(port);
}

/* IGMP, OSPF, VRRP and RIP to 224.0.0.0/24. */
static bool multicast4_served(const struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);

	if (!ipv4_is_local_multicast(iph->daddr))
		return false;
	switch (iph->protocol) {
	case IPPROTO_IGMP:
	case PROTO_OSPF:
	case PROTO_VRRP:
		return true;
	case IPPROTO_UDP:
		return !ip_is_fragment(iph) && udp_dport_is(skb, iph->ihl * 4, PORT_RIP);
	}
	return false;
}

static bool icmp6_served(const struct sk_buff *skb, int offset)
{
	struct icmp6hdr buffer;
	const struct icmp6hdr *icmp = skb_header_pointer(skb, offset, sizeof(buffer), &buffer);

	if (!icmp)
		return false;
	switch (icmp->icmp6_type) {
	case ICMPV6_MGM_QUERY:
	case ICMPV6_MGM_REPORT:
	case ICMPV6_MGM_REDUCTION:
	case ICMPV6_MLD2_REPORT:
	case NDISC_ROUTER_SOLICITATION:
	case NDISC_ROUTER_ADVERTISEMENT:
	case NDISC_NEIGHBOUR_SOLICITATION:
	case NDISC_NEIGHBOUR_ADVERTISEMENT:
		return true;
	}
	return false;
}

/* Neighbour discovery, MLD, OSPFv3, VRRP and RIPng to ff02::/16. */
static bool multicast6_served(const struct sk_buff *skb)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);
	__be16 fragment = 0;
	u8 proto = ip6h->nexthdr;
	int offset;

	if (IPV6_ADDR_MC_SCOPE(&ip6h->daddr) != IPV6_ADDR_SCOPE_LINKLOCAL)
		return false;
	offset = ipv6_skip_exthdr(skb, sizeof(*ip6h), &proto, &fragment);
	if (offset < 0)
		return false;
	if (proto == NEXTHDR_FRAGMENT) {	/* not the first: the header itself names it */
		struct frag_hdr buffer, *fh;

		fh = skb_header_pointer(skb, offset, sizeof(buffer), &buffer);
		return fh && fh->nexthdr == PROTO_OSPF;
	}
	switch (proto) {
	case PROTO_OSPF:
	case PROTO_VRRP:
		return true;
	case IPPROTO_UDP:
		return !fragment && udp_dport_is(skb, offset, PORT_RIPNG);
	case IPPROTO_ICMPV6:
		return !fragment && icmp6_served(skb, offset);
	}
	return false;
}

static rx_handler_result_t receive_multicast(struct sk_buff *skb, struct l3vpn_pkt *pkt)
{
	if (l3vpn_is_ipv4(skb) ? multicast4_served(skb) : multicast6_served(skb))
		return RX_HANDLER_PASS;
	return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_MULTICAST);
}

/* What is not the usual unicast packet. */
static noinline rx_handler_result_t receive_unusual(struct sk_buff *skb, struct l3vpn_pkt *pkt)
{
	enum l3vpn_drop reason = l3vpn_check_header(skb);

	if (unlikely(reason))
		return l3vpn_pkt_drop(skb, pkt, reason);
	reason = l3vpn_check_unicast(skb);
	if (likely(!reason)) {
		if (unlikely(skb->pkt_type != PACKET_HOST))	/* RFC 1812 section 5.3.4 */
			return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_MULTICAST);
		reason = l3vpn_guard(skb, pkt->in, pkt->vrf);
		if (unlikely(reason))
			return l3vpn_pkt_drop(skb, pkt, reason);
		return l3vpn_route(skb, pkt);
	}
	if (reason == L3VPN_DROP_MULTICAST)
		return receive_multicast(skb, pkt);
	/* to the port's own link-local address, or from :: to anybody */
	if (skb->pkt_type != PACKET_HOST || l3vpn_is_ipv4(skb))
		return l3vpn_pkt_drop(skb, pkt, reason);
	if (!(ipv6_addr_type(&ipv6_hdr(skb)->daddr) & IPV6_ADDR_LINKLOCAL))
		return l3vpn_pkt_drop(skb, pkt, reason);
	if (!ipv6_chk_addr(pkt->ln->net, &ipv6_hdr(skb)->daddr, skb->dev, 1))
		return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_NOT_FOR_HOST);
	if (!(ipv6_addr_type(&ipv6_hdr(skb)->saddr) & IPV6_ADDR_LINKLOCAL) &&
	    !ipv6_addr_any(&ipv6_hdr(skb)->saddr) && !source_plausible(skb, pkt, false))
		return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_MARTIAN);
	if (quotation(skb) == QUOTES_OTHERS)
		return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_NOT_FOR_HOST);
	reason = l3vpn_guard(skb, pkt->in, pkt->vrf);
	if (reason)
		return l3vpn_pkt_drop(skb, pkt, reason);
	return RX_HANDLER_PASS;
}

/* A tag that no VLAN device took means no port of ours; a priority tag means nothing. */
static bool foreign_tag(struct sk_buff *skb)
{
	if (eth_type_vlan(skb->protocol))
		return true;
	if (!skb_vlan_tag_present(skb))
		return false;
	if (skb_vlan_tag_get_id(skb))
		return true;
	__vlan_hwaccel_clear_tag(skb);
	return false;
}

static noinline rx_handler_result_t receive_other(struct sk_buff *skb, struct l3vpn_pkt *pkt)
{
	if (foreign_tag(skb))
		return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_VLAN);
	switch (skb->protocol) {
	case htons(ETH_P_IP):
	case htons(ETH_P_IPV6):
		return receive_unusual(skb, pkt);
	case htons(ETH_P_ARP):
		return receive_arp(skb, pkt);
	case htons(ETH_P_MPLS_UC):
	case htons(ETH_P_MPLS_MC):
		return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_LABEL_ON_CUSTOMER);
	default:
		return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_PROTOCOL);
	}
}

static __always_inline bool usual(const struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		return l3vpn_usual4(skb);
	return skb->protocol == htons(ETH_P_IPV6) && l3vpn_usual6(skb);
}

/* Nobody's business here. */
static noinline rx_handler_result_t other_host(struct sk_buff *skb, struct l3vpn_port *in)
{
	l3vpn_drop(in->ln, skb, L3VPN_DROP_OTHER_HOST, NULL, in);
	return RX_HANDLER_CONSUMED;
}

/* A packet that others see too, of which there was no memory for a copy: it is freed already. */
static noinline rx_handler_result_t not_cloned(struct l3vpn_port *in)
{
	l3vpn_drop_count(in->ln, L3VPN_DROP_NO_MEMORY, NULL, in);
	return RX_HANDLER_CONSUMED;
}

/* @skb is ours alone, as it came in. @found: ahead of its first look-up, or NULL. */
static __always_inline rx_handler_result_t receive_customer(struct sk_buff *skb, struct l3vpn_port *in,
							    const struct l3vpn_fib_ask *found)
{
	struct l3vpn_record *record L3VPN_SEE = NULL;
	struct l3vpn_pkt pkt L3VPN_UNINITIALIZED;
	enum l3vpn_drop reason;

	l3vpn_pkt_init(&pkt, skb, in, rcu_dereference(in->vrf), found);
	record = l3vpn_see_receive(skb, &pkt);
	l3vpn_count_rx(in->counters, pkt.segments, skb->len);
	if (unlikely(!pkt.vrf || READ_ONCE(pkt.vrf->dying)))
		return l3vpn_pkt_drop(skb, &pkt, L3VPN_DROP_NO_VRF);
	if (unlikely(skb->pkt_type != PACKET_HOST || skb_vlan_tag_present(skb) || !usual(skb)))
		return receive_other(skb, &pkt);
	reason = l3vpn_guard(skb, in, pkt.vrf);
	if (unlikely(reason))
		return l3vpn_pkt_drop(skb, &pkt, reason);
	return l3vpn_route(skb, &pkt);
}

rx_handler_result_t l3vpn_receive_customer(struct sk_buff **pskb)
{
	struct sk_buff *skb = *pskb;
	struct l3vpn_port *in;

	if (unlikely(skb->pkt_type == PACKET_LOOPBACK))
		return RX_HANDLER_PASS;		/* our own multicast, heard by ourselves */
	in = rcu_dereference(skb->dev->rx_handler_data);
	if (unlikely(skb->pkt_type == PACKET_OTHERHOST))
		return other_host(skb, in);
	skb = skb_share_check(skb, GFP_ATOMIC);
	if (unlikely(!skb))
		return not_cloned(in);
	*pskb = skb;
	if (READ_ONCE(in->ln->bursts)) {
		switch (l3vpn_burst_take(skb, in)) {
		case L3VPN_BURST_TAKEN:
			return RX_HANDLER_CONSUMED;
		case L3VPN_BURST_PASS:
			return RX_HANDLER_PASS;
		case L3VPN_BURST_GO:
			break;
		}
	}
	return receive_customer(skb, in, NULL);
}

/* Core ports */

static __always_inline rx_handler_result_t receive_core(struct sk_buff *skb, struct l3vpn_port *in,
							const struct l3vpn_fib_ask *found)
{
	struct l3vpn_record *record L3VPN_SEE = NULL;
	struct l3vpn_pkt pkt L3VPN_UNINITIALIZED;

	l3vpn_pkt_init(&pkt, skb, in, NULL, found);
	record = l3vpn_see_receive(skb, &pkt);
	l3vpn_count_rx(pkt.in->counters, pkt.segments, skb->len);
	if (unlikely(skb_vlan_tag_present(skb)) && foreign_tag(skb))
		return l3vpn_pkt_drop(skb, &pkt, L3VPN_DROP_VLAN);
	if (unlikely(skb->pkt_type != PACKET_HOST))
		return l3vpn_pkt_drop(skb, &pkt, L3VPN_DROP_MULTICAST);
	return l3vpn_mpls_receive(skb, &pkt, READ_ONCE(in->scopes));
}

rx_handler_result_t l3vpn_receive_core(struct sk_buff **pskb)
{
	struct sk_buff *skb = *pskb;
	struct l3vpn_port *in;

	if (skb->protocol != htons(ETH_P_MPLS_UC) || skb->pkt_type == PACKET_LOOPBACK) {
		in = rcu_dereference(skb->dev->rx_handler_data);
		return READ_ONCE(in->ln->endpoint_count) ? l3vpn_decap(pskb, in) : RX_HANDLER_PASS;
	}
	in = rcu_dereference(skb->dev->rx_handler_data);
	if (unlikely(skb->pkt_type == PACKET_OTHERHOST))
		return other_host(skb, in);
	skb = skb_share_check(skb, GFP_ATOMIC);
	if (unlikely(!skb))
		return not_cloned(in);
	*pskb = skb;
	if (READ_ONCE(in->ln->bursts) && l3vpn_burst_take(skb, in) == L3VPN_BURST_TAKEN)
		return RX_HANDLER_CONSUMED;
	return receive_core(skb, in, NULL);
}

/* Both */

rx_handler_result_t l3vpn_receive_again(struct sk_buff *skb, struct l3vpn_port *in,
					const struct l3vpn_fib_ask *found)
{
	if (in->kind == L3VPN_PORT_KIND_CUSTOMER)
		return receive_customer(skb, in, found);
	return receive_core(skb, in, found);
}
