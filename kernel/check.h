/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: may this IP packet be forwarded at all (RFC 1812 section 5, RFC 4291 section 2.5, RFC 6890)?
 * Private to the data plane.
 *
 * Implemented by: check.c; here is the short answer that nearly every packet gets. Called by:
 * receive.c, mpls.c, forward.c. skb->data is at the IP header, the network header set to it.
 */
#ifndef _L3VPN_CHECK_H
#define _L3VPN_CHECK_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <net/ip.h>
#include "l3vpn.h"
#include "packet.h"

/*
 * Check the IP header, cut padding off. skb->protocol tells the version. 0, or the reason to drop;
 * L3VPN_DROP_MULTICAST and _MARTIAN may still be served on a customer port (receive.c). Header
 * pointers taken before are stale after it.
 */
enum l3vpn_drop l3vpn_check_header(struct sk_buff *skb);

/* Of a packet that passed l3vpn_check_header(): 0, MULTICAST, or MARTIAN (:: and link-local). */
enum l3vpn_drop l3vpn_check_unicast(const struct sk_buff *skb);

/* Both. */
enum l3vpn_drop l3vpn_check_ip_slow(struct sk_buff *skb);

/* Unicast, and none of this host, this network or loopback; false says nothing. */
static __always_inline bool l3vpn_usual_addr4(__be32 addr)
{
	u8 first = ntohl(addr) >> 24;

	return (u8)(first - 1) < 223 && first != 127;
}

/* Global unicast or unique local; false says nothing. */
static __always_inline bool l3vpn_usual_addr6(const struct in6_addr *addr)
{
	u8 first = addr->s6_addr[0];

	return (first & 0xe0) == 0x20 || (first & 0xfe) == 0xfc;
}

/*
 * Is the header linear and without fault, the packet as long as it says, both addresses unicast,
 * and are there no options? False says nothing: ask the others.
 */
static __always_inline bool l3vpn_usual4(const struct sk_buff *skb)
{
	const struct iphdr *iph = (const struct iphdr *)skb->data;

	return skb_headlen(skb) >= sizeof(*iph) && *skb->data == 0x45 &&
	       ntohs(iph->tot_len) == skb->len &&
	       l3vpn_usual_addr4(iph->saddr) && l3vpn_usual_addr4(iph->daddr) &&
	       !ip_fast_csum(iph, 5);
}

static __always_inline bool l3vpn_usual6(const struct sk_buff *skb)
{
	const struct ipv6hdr *ip6h = (const struct ipv6hdr *)skb->data;

	return skb_headlen(skb) >= sizeof(*ip6h) && *skb->data >> 4 == 6 &&
	       ntohs(ip6h->payload_len) + sizeof(*ip6h) == skb->len &&
	       l3vpn_usual_addr6(&ip6h->saddr) && l3vpn_usual_addr6(&ip6h->daddr);
}

/* May @skb be forwarded? As l3vpn_check_ip_slow(). */
static __always_inline enum l3vpn_drop l3vpn_check_ip(struct sk_buff *skb)
{
	if (likely(l3vpn_is_ipv4(skb) ? l3vpn_usual4(skb) : l3vpn_usual6(skb)))
		return 0;
	return l3vpn_check_ip_slow(skb);
}

#endif /* _L3VPN_CHECK_H */
