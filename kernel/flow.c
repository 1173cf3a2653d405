// SPDX-License-Identifier: GPL-2.0
/*
 * flow: the hash that chooses a group's member. All packets of a flow get the same one, and so
 * does the answer to "which way would this flow take" (netlink), because both use
 * l3vpn_flow_hash() on the same fields. Fragments hash by addresses, protocol and flow label
 * (RFC 6437, 6438), for only the first one has ports.
 *
 * Under a label stack (RFC 4928, 6790, 7274): an entropy label, where there is one, is all that
 * counts; else the labels, but never the reserved ones, and the IP packet below the bottom where the
 * first nibble says that it is one.
 */
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/jhash.h>
#include <linux/net.h>
#include <linux/once.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/mpls.h>
#include "flow.h"
#include "packet.h"

#define LABELS_HASHED	16	/* how far down a label stack is looked at */
#define LABEL_ELI	7	/* entropy label indicator: the next one is an entropy label */
#define LABEL_XL	15	/* extension: the next one is reserved too, whatever its value */
#define LABEL_RESERVED	15	/* the last one */

static u32 l3vpn_flow_seed __read_mostly;

static u32 l3vpn_flow_key(void)
{
	net_get_random_once(&l3vpn_flow_seed, sizeof(l3vpn_flow_seed));
	return l3vpn_flow_seed;
}

u32 l3vpn_flow_hash(const struct l3vpn_flow *flow)
{
	u32 ports = (__force u32)flow->sport << 16 | (__force u32)flow->dport;
	u32 seed = l3vpn_flow_key() ^ flow->proto;
	u32 h;

	if (flow->family == AF_INET)
		return jhash_3words((__force u32)flow->saddr.s6_addr32[0],
				    (__force u32)flow->daddr.s6_addr32[0], ports, seed);
	h = jhash2((__force const u32 *)flow->saddr.s6_addr32, 4, seed);
	h = jhash2((__force const u32 *)flow->daddr.s6_addr32, 4, h);
	return jhash_2words(ports, flow->label, h);
}

static void flow_ports(const struct sk_buff *skb, unsigned int offset, struct l3vpn_flow *flow)
{
	__be16 buffer[2];
	const __be16 *ports;

	switch (flow->proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
	case IPPROTO_UDPLITE:
	case IPPROTO_DCCP:
		ports = skb_header_pointer(skb, offset, sizeof(buffer), buffer);
		if (ports) {
			flow->sport = ports[0];
			flow->dport = ports[1];
		}
	}
}

static bool flow_of_ipv4(const struct sk_buff *skb, unsigned int offset, struct l3vpn_flow *flow)
{
	struct iphdr buffer;
	const struct iphdr *iph = skb_header_pointer(skb, offset, sizeof(buffer), &buffer);

	if (!iph || iph->version != 4 || iph->ihl < 5)
		return false;
	flow->family = AF_INET;
	flow->proto = iph->protocol;
	flow->saddr.s6_addr32[0] = iph->saddr;
	flow->daddr.s6_addr32[0] = iph->daddr;
	if (!ip_is_fragment(iph))
		flow_ports(skb, offset + iph->ihl * 4, flow);
	return true;
}

static bool flow_of_ipv6(const struct sk_buff *skb, unsigned int offset, struct l3vpn_flow *flow)
{
	struct ipv6hdr buffer;
	const struct ipv6hdr *ip6h = skb_header_pointer(skb, offset, sizeof(buffer), &buffer);
	__be16 fragment = 0;
	int next = offset + sizeof(*ip6h);
	u8 proto;

	if (!ip6h || ip6h->version != 6)
		return false;
	proto = ip6h->nexthdr;
	flow->family = AF_INET6;
	flow->saddr = ip6h->saddr;
	flow->daddr = ip6h->daddr;
	flow->label = ntohl(ip6_flowlabel(ip6h));
	if (ipv6_ext_hdr(proto))
		next = ipv6_skip_exthdr(skb, next, &proto, &fragment);
	if (proto == NEXTHDR_FRAGMENT) {	/* not the first: the header itself names it */
		struct frag_hdr frag, *fh = skb_header_pointer(skb, next, sizeof(frag), &frag);

		proto = next >= 0 && fh ? fh->nexthdr : proto;
		fragment = htons(IP6_OFFSET);
	}
	flow->proto = proto;
	if (next >= 0 && !fragment)
		flow_ports(skb, next, flow);
	return true;
}

bool l3vpn_flow_of(const struct sk_buff *skb, unsigned int offset, struct l3vpn_flow *flow)
{
	const u8 *first;
	u8 buffer;

	memset(flow, 0, sizeof(*flow));
	first = skb_header_pointer(skb, offset, sizeof(buffer), &buffer);
	if (!first)
		return false;
	switch (*first >> 4) {
	case 4:
		return flow_of_ipv4(skb, offset, flow);
	case 6:
		return flow_of_ipv6(skb, offset, flow);
	}
	return false;
}

static u32 flow_hash_labels(const struct sk_buff *skb)
{
	u32 hash = l3vpn_flow_key(), lse = 0, label = 0, above;
	struct l3vpn_flow flow;
	unsigned int i;

	for (i = 0; i < LABELS_HASHED && !(lse & L3VPN_LSE_BOTTOM); i++) {
		__be32 buffer;
		const __be32 *p = skb_header_pointer(skb, i * L3VPN_LSE_LEN, sizeof(buffer), &buffer);

		if (!p)
			return hash;
		lse = ntohl(*p);
		above = label;
		label = l3vpn_lse_label(lse);
		if (above == LABEL_ELI)
			return jhash_1word(label, l3vpn_flow_key());
		if (label > LABEL_RESERVED && above != LABEL_XL)
			hash = jhash_1word(label, hash);
	}
	if ((lse & L3VPN_LSE_BOTTOM) && l3vpn_flow_of(skb, i * L3VPN_LSE_LEN, &flow))
		hash = jhash_1word(l3vpn_flow_hash(&flow), hash);
	return hash;
}

u32 l3vpn_flow_hash_skb(const struct sk_buff *skb)
{
	struct l3vpn_flow flow;

	if (eth_p_mpls(skb->protocol))
		return flow_hash_labels(skb);
	return l3vpn_flow_of(skb, 0, &flow) ? l3vpn_flow_hash(&flow) : 0;
}
