// SPDX-License-Identifier: GPL-2.0
/*
 * check: the whole answer to "may this IP packet be forwarded at all"; see check.h.
 */
#include <net/addrconf.h>
#include <net/ipv6.h>
#include "check.h"

/* Source routes (RFC 791) would go around the index: refused as RFC 7126 recommends. */
static bool has_source_route(const struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);
	const u8 *option = (const u8 *)(iph + 1);
	int left = iph->ihl * 4 - sizeof(*iph);

	while (left > 0 && *option != IPOPT_END) {
		int len = *option == IPOPT_NOOP ? 1 : left > 1 ? option[1] : 0;

		if (*option == IPOPT_SSRR || *option == IPOPT_LSRR)
			return true;
		if (len < (*option == IPOPT_NOOP ? 1 : 2) || len > left)
			return true;	/* malformed */
		option += len;
		left -= len;
	}
	return false;
}

static enum l3vpn_drop check_ipv4(struct sk_buff *skb)
{
	const struct iphdr *iph;
	u32 len;

	if (!pskb_may_pull(skb, sizeof(*iph)))
		return L3VPN_DROP_HEADER;
	iph = ip_hdr(skb);
	if (iph->version != 4 || iph->ihl < 5 || !pskb_may_pull(skb, iph->ihl * 4))
		return L3VPN_DROP_HEADER;
	iph = ip_hdr(skb);
	if (ip_fast_csum(iph, iph->ihl))
		return L3VPN_DROP_HEADER;
	len = ntohs(iph->tot_len);
	if (unlikely(!len && skb_is_gso(skb)))
		len = skb->len;		/* BIG TCP */
	if (len > skb->len || len < iph->ihl * 4)
		return L3VPN_DROP_HEADER;
	if (pskb_trim_rcsum(skb, len))
		return L3VPN_DROP_NO_MEMORY;
	iph = ip_hdr(skb);
	if (unlikely(iph->ihl > 5) && has_source_route(skb))
		return L3VPN_DROP_HEADER;
	if (unlikely(ipv4_is_zeronet(iph->saddr) || ipv4_is_loopback(iph->saddr) ||
		     ipv4_is_multicast(iph->saddr) || ipv4_is_lbcast(iph->saddr) ||
		     ipv4_is_zeronet(iph->daddr) || ipv4_is_loopback(iph->daddr)))
		return L3VPN_DROP_MARTIAN;
	return 0;
}

static enum l3vpn_drop check_ipv6(struct sk_buff *skb)
{
	const struct ipv6hdr *ip6h;
	u32 len;

	if (!pskb_may_pull(skb, sizeof(*ip6h)))
		return L3VPN_DROP_HEADER;
	ip6h = ipv6_hdr(skb);
	if (ip6h->version != 6)
		return L3VPN_DROP_HEADER;
	len = ntohs(ip6h->payload_len) + sizeof(*ip6h);
	if (unlikely(!ip6h->payload_len && skb_is_gso(skb)))
		len = skb->len;		/* BIG TCP */
	if (len > skb->len)
		return L3VPN_DROP_HEADER;
	if (pskb_trim_rcsum(skb, len))
		return L3VPN_DROP_NO_MEMORY;
	ip6h = ipv6_hdr(skb);
	if (unlikely(ipv6_addr_is_multicast(&ip6h->saddr) || ipv6_addr_loopback(&ip6h->saddr) ||
		     ipv6_addr_loopback(&ip6h->daddr) || ipv6_addr_any(&ip6h->daddr) ||
		     ipv6_addr_v4mapped(&ip6h->saddr) || ipv6_addr_v4mapped(&ip6h->daddr)))
		return L3VPN_DROP_MARTIAN;
	return 0;
}

enum l3vpn_drop l3vpn_check_header(struct sk_buff *skb)
{
	return l3vpn_is_ipv4(skb) ? check_ipv4(skb) : check_ipv6(skb);
}

/* :: may be heard (neighbour discovery), never forwarded; multicast is the customer port's. */
enum l3vpn_drop l3vpn_check_unicast(const struct sk_buff *skb)
{
	if (l3vpn_is_ipv4(skb))
		return ipv4_is_multicast(ip_hdr(skb)->daddr) || ipv4_is_lbcast(ip_hdr(skb)->daddr) ?
		       L3VPN_DROP_MULTICAST : 0;
	if (ipv6_addr_is_multicast(&ipv6_hdr(skb)->daddr))
		return L3VPN_DROP_MULTICAST;
	if (ipv6_addr_any(&ipv6_hdr(skb)->saddr) ||
	    ipv6_addr_type(&ipv6_hdr(skb)->daddr) & IPV6_ADDR_LINKLOCAL)
		return L3VPN_DROP_MARTIAN;
	return 0;
}

enum l3vpn_drop l3vpn_check_ip_slow(struct sk_buff *skb)
{
	enum l3vpn_drop reason = l3vpn_check_header(skb);

	return reason ? reason : l3vpn_check_unicast(skb);
}
