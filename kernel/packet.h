/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: one packet on its way through the data path. Private to the data plane: receive.c,
 * mpls.c, forward.c, group.c, send.c, fragment.c, encap.c, decap.c, flow.c, icmp.c.
 *
 * A packet's state lives on the stack of the function that took it in. Everything here runs inside
 * rcu_read_lock with bottom halves off.
 */
#ifndef _L3VPN_PACKET_H
#define _L3VPN_PACKET_H

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <net/ip.h>
#include "l3vpn.h"
#include "port.h"
#include "trace.h"
#include "vrf.h"

#define L3VPN_STACK_KEPT	8	/* labels of a received stack that ICMP errors can show */

/* Fields of a label stack entry (RFC 3032), host byte order. */
#define L3VPN_LSE_LABEL_SHIFT	12
#define L3VPN_LSE_TC_SHIFT	9
#define L3VPN_LSE_BOTTOM	0x100
#define L3VPN_LSE_LEN		4
#define L3VPN_TTL_DEFAULT	255

/**
 * struct l3vpn_pkt - what is known of a packet
 * @ln:		namespace
 * @vrf:	VRF it is in; NULL: none yet, or a label swap
 * @entry:	VRF by which it came in, where its source is to be found: ICMP errors go there
 * @record:	what becomes of it is written down there; NULL: not (trace.h)
 * @in:		port it came in by; NULL: made by a local socket
 * @found:	what its first look-up found ahead of it (burst.h); NULL: it is to be looked up
 * @hash:	of its flow, valid when @hashed
 * @hashed:	see @hash
 * @segments:	packets that it counts as: 1, or those of a GSO packet
 * @pinned:	to a next hop by its label, without a look-up: may not leave by another VRF's port
 * @hops:	VRFs entered so far
 * @stack_len:	number of entries in @stack
 * @stack:	the label stack it came with, outermost first, network byte order
 */
struct l3vpn_pkt {
	struct l3vpn_net *ln;
	struct l3vpn_vrf *vrf;
	struct l3vpn_vrf *entry;
	struct l3vpn_port *in;
	struct l3vpn_record *record;
	const struct l3vpn_fib_ask *found;
	u32 segments;
	u32 hash;
	bool hashed;
	bool pinned;
	u8 hops;
	u8 stack_len;
	__be32 stack[L3VPN_STACK_KEPT];
};

static inline u32 l3vpn_segments(const struct sk_buff *skb)
{
	return likely(!skb_is_gso(skb)) ? 1 : max_t(u32, skb_shinfo(skb)->gso_segs, 1);
}

/*
 * Of a variable that l3vpn_pkt_init() sets: kernels that clear all variables on the stack (INIT_STACK_ALL_ZERO,
 * Debian's do) would clear the label stack too, for every packet.
 */
#define L3VPN_UNINITIALIZED __attribute__((__uninitialized__))

/* @skb came in by @in, in @vrf (NULL: not known yet). @found as in the struct. */
static inline void l3vpn_pkt_init(struct l3vpn_pkt *pkt, const struct sk_buff *skb,
				  struct l3vpn_port *in, struct l3vpn_vrf *vrf,
				  const struct l3vpn_fib_ask *found)
{
	pkt->segments = l3vpn_segments(skb);
	pkt->ln = in->ln;
	pkt->in = in;
	pkt->record = NULL;
	pkt->found = found;
	pkt->vrf = vrf;
	pkt->entry = vrf;
	pkt->hashed = false;
	pkt->pinned = false;
	pkt->hops = 0;
	pkt->stack_len = 0;
}

static inline u32 l3vpn_lse_label(u32 lse)
{
	return lse >> L3VPN_LSE_LABEL_SHIFT;
}

static inline u8 l3vpn_lse_tc(u32 lse)
{
	return lse >> L3VPN_LSE_TC_SHIFT & 7;
}

static inline u8 l3vpn_lse_ttl(u32 lse)
{
	return lse;
}

static inline bool l3vpn_is_ipv4(const struct sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_IP);
}

/* TTL or hop limit of an IP packet. */
static inline u8 l3vpn_ip_ttl(const struct sk_buff *skb)
{
	return l3vpn_is_ipv4(skb) ? ip_hdr(skb)->ttl : ipv6_hdr(skb)->hop_limit;
}

/* DSCP of an IP packet (RFC 2474). */
static inline u8 l3vpn_ip_dscp(const struct sk_buff *skb)
{
	return l3vpn_is_ipv4(skb) ? ip_hdr(skb)->tos >> 2 :
				    ntohs(*(__be16 *)ipv6_hdr(skb)) >> 6 & 0x3f;
}

/* Set it, with IPv4's checksum. The header is writable. */
static inline void l3vpn_ip_set_ttl(struct sk_buff *skb, u8 ttl)
{
	if (l3vpn_is_ipv4(skb)) {
		struct iphdr *iph = ip_hdr(skb);

		csum_replace2(&iph->check, htons(iph->ttl << 8), htons(ttl << 8));
		iph->ttl = ttl;
	} else {
		ipv6_hdr(skb)->hop_limit = ttl;
		skb_forward_csum(skb);
	}
}

static inline rx_handler_result_t l3vpn_pkt_drop(struct sk_buff *skb, const struct l3vpn_pkt *pkt,
						 enum l3vpn_drop reason)
{
	l3vpn_see_drop(pkt, reason);
	l3vpn_drop(pkt->ln, skb, reason, pkt->vrf, pkt->in);
	return RX_HANDLER_CONSUMED;
}

/*
 * receive.c: hand an IP packet that the VRF's FIB calls local to the sockets of pkt->vrf. The
 * result is what an rx_handler has to return; where there is none, l3vpn_forward() requeues.
 */
rx_handler_result_t l3vpn_to_stack(struct sk_buff *skb, struct l3vpn_pkt *pkt);

/* receive.c: likewise to the global table's stack. The source may be anything. */
rx_handler_result_t l3vpn_to_host(struct sk_buff *skb, struct l3vpn_pkt *pkt);

/* forward.c: enter pkt->vrf and look @skb's destination up. */
rx_handler_result_t l3vpn_route(struct sk_buff *skb, struct l3vpn_pkt *pkt);

/* forward.c: send an IP packet to @nh, whatever its kind. pkt->vrf has been entered. */
rx_handler_result_t l3vpn_to_nh(struct sk_buff *skb, struct l3vpn_pkt *pkt,
				const struct l3vpn_nh *nh);

/* forward.c: count @skb in at pkt->vrf. */
void l3vpn_count_entry(const struct sk_buff *skb, const struct l3vpn_pkt *pkt);

/*
 * mpls.c: a labelled packet that came in by a core port, in a frame of ethertype 0x8847 or in a tunnel; skb->data
 * and network header at the label stack. Labels of @scopes, a mask, are accepted.
 */
rx_handler_result_t l3vpn_mpls_receive(struct sk_buff *skb, struct l3vpn_pkt *pkt, u64 scopes);

#endif /* _L3VPN_PACKET_H */
