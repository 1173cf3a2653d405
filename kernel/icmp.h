/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: ICMP and ICMPv6 errors, made in the VRF that they belong to (RFC 792, 1812, 4443, 4884,
 * 4950, 3032 section 2.3).
 *
 * Implemented by: icmp.c (data plane). Called by: forward.c, mpls.c, send.c.
 */
#ifndef _L3VPN_ICMP_H
#define _L3VPN_ICMP_H

#include <linux/skbuff.h>
#include "l3vpn.h"

struct l3vpn_pkt;
struct l3vpn_vrf;

enum l3vpn_icmp_error {
	L3VPN_ICMP_NET_UNREACHABLE,
	L3VPN_ICMP_HOST_UNREACHABLE,
	L3VPN_ICMP_TIME_EXCEEDED,
	L3VPN_ICMP_TOO_BIG,		/* IPv4: only where DF is set */
};

/**
 * struct l3vpn_icmp_ask - for an error
 * @what:	error
 * @mtu:	largest IP packet, TOO_BIG only
 * @room:	the error itself shall be no longer
 * @headroom:	octets left in front of it
 */
struct l3vpn_icmp_ask {
	enum l3vpn_icmp_error what;
	u32 mtu;
	u32 room;
	unsigned int headroom;
};

/* Namespace set-up: rate limits. Process context. 0 or -ENOMEM. */
int l3vpn_icmp_net_init(struct l3vpn_net *ln);
void l3vpn_icmp_net_exit(struct l3vpn_net *ln);

/* The rate limit of a new VRF. */
void l3vpn_icmp_vrf_init(struct l3vpn_vrf *vrf);

/*
 * Tell the sender of the IP packet @skb (skb->data and network header at it, as it was received)
 * what became of it, where that is allowed and the rate is kept. From a port: an error sent in
 * pkt->entry; from a local socket: an error to that socket. @mtu: largest IP packet, TOO_BIG only.
 * Does not consume @skb; the caller drops it. Softirq, inside rcu_read_lock.
 */
void l3vpn_icmp_error(struct sk_buff *skb, struct l3vpn_pkt *pkt, enum l3vpn_icmp_error what,
		      u32 mtu);

/*
 * For a packet that is switched by labels: the error alone, to be sent on along the packet's own
 * path (RFC 3032 section 2.3.2). @offset: where, behind skb->data, the IP packet starts. NULL: none
 * to be sent. skb->data of the result is at its IP header, skb->protocol is set.
 */
struct sk_buff *l3vpn_icmp_make(struct sk_buff *skb, unsigned int offset, struct l3vpn_pkt *pkt,
				const struct l3vpn_icmp_ask *ask);

#endif /* _L3VPN_ICMP_H */
