// SPDX-License-Identifier: GPL-2.0
/*
 * fragment: IPv4 packets that are too big for the way out, labels included, and may be cut
 * (RFC 791): before labels go on, or, where they are switched, with the stack taken off and put on
 * every piece (RFC 3032 section 3.4). The kernel's ip_do_fragment() does the cutting; it takes what
 * it needs to know from a route, so it gets a stand-in on the stack, which also carries our state
 * to the pieces.
 */
#include <net/dst.h>
#include <net/ip.h>
#include <net/route.h>
#include "packet.h"
#include "send.h"

/**
 * struct cut - the stand-in route
 * @rt: what ip_do_fragment() and the pieces' skb_dst() see
 * @pkt: the packet that is being cut
 * @way: its way out
 * @stack: what every piece gets on top before the labels of @way; NULL: an IP packet
 */
struct cut {
	struct rtable rt;
	struct l3vpn_pkt *pkt;
	const struct l3vpn_way *way;
	const struct l3vpn_stack *stack;
};

static unsigned int cut_mtu(const struct dst_entry *dst)
{
	return dst->dev->mtu;
}

static struct dst_ops l3vpn_cut_ops = {
	.family	= AF_INET,
	.mtu	= cut_mtu,
};

static int send_piece(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	const struct cut *cut = container_of(skb_rtable(skb), struct cut, rt);

	skb_dst_drop(skb);	/* not referenced: forgets it */
	if (cut->stack)
		l3vpn_send_restacked(skb, cut->pkt, cut->way, cut->stack);
	else
		l3vpn_send_ip(skb, cut->pkt, cut->way);
	return 0;
}

void l3vpn_fragment(struct sk_buff *skb, struct l3vpn_pkt *pkt, const struct l3vpn_way *way,
		    const struct l3vpn_stack *stack, u32 mtu)
{
	struct cut cut = { .pkt = pkt, .way = way, .stack = stack };

	/* A fragment that ends behind 65,535: the offsets of its pieces would begin anew at 0 (RFC 791 section 3.2). */
	if ((ntohs(ip_hdr(skb)->frag_off) & IP_OFFSET) * 8 + ntohs(ip_hdr(skb)->tot_len) > IP_MAX_MTU) {
		l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_HEADER);
		return;
	}
	/*
	 * A list of skbs, of which one was pulled in part, shares that one's data with whoever has a clone of the
	 * packet: the kernel would write the header of a piece into what was pulled.
	 */
	if (skb_has_frag_list(skb) && skb_linearize(skb)) {
		l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_NO_MEMORY);
		return;
	}
	/* not dst_init(): its arguments differ between kernels, and nobody counts references */
	dst_init_metrics(&cut.rt.dst, dst_default_metrics.metrics, true);
	cut.rt.dst.ops = &l3vpn_cut_ops;
	cut.rt.dst.flags = DST_NOCOUNT;
	cut.rt.dst.dev = l3vpn_way_dev(way);
	skb_dst_drop(skb);
	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	IPCB(skb)->frag_max_size = mtu;
	/* for options that belong into the first piece only (RFC 791 section 3.1) */
	IPCB(skb)->opt.optlen = ip_hdr(skb)->ihl * 4 - sizeof(struct iphdr);
	/* at least the header's bytes are changed in place, and the pieces copy them */
	if (skb_cow_head(skb, LL_RESERVED_SPACE(cut.rt.dst.dev))) {
		l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_NO_MEMORY);
		return;
	}
	skb_dst_set_noref(skb, &cut.rt.dst);
	/* what it could not make for want of memory it has freed, and all that was to follow */
	if (ip_do_fragment(pkt->ln->net, NULL, skb, send_piece)) {
		l3vpn_see_drop(pkt, L3VPN_DROP_NO_MEMORY);
		l3vpn_drop_count(pkt->ln, L3VPN_DROP_NO_MEMORY, pkt->vrf, pkt->in);
	}
}
