// SPDX-License-Identifier: GPL-2.0
/*
 * mpls: labelled packets from core ports (RFC 3031, 3032): pop into a VRF, pop and forward without
 * a look-up (RFC 4364 section 4.3.2), swap, penultimate-hop pop, explicit null (RFC 4182), entropy
 * labels below a label that ends here (RFC 6790).
 *
 * TTL and traffic class: from label to label the uniform model of RFC 3443: what is popped hands its TTL
 * down, and never raises the one below; a swap copies the traffic class. From the last label to the IP
 * header the model of the VRF (qos.h). Forwarding decreases the TTL, once.
 */
#include <linux/if_ether.h>
#include <net/ip.h>
#include <net/mpls.h>
#include "check.h"
#include "encap.h"
#include "group.h"
#include "icmp.h"
#include "ilm.h"
#include "label.h"
#include "packet.h"
#include "qos.h"
#include "send.h"

#define LABEL_IPV4_NULL		0
#define LABEL_IPV6_NULL		2
#define LABEL_IMPLICIT_NULL	3
#define LABEL_ELI		7
#define NULLS_MAX		4	/* explicit nulls on top of one stack */
#define LSE_TC_AND_BOTTOM	(7U << L3VPN_LSE_TC_SHIFT | L3VPN_LSE_BOTTOM)
#define HEADERS_MAX		(L3VPN_STACK_KEPT * L3VPN_LSE_LEN + sizeof(struct ipv6hdr))
#define TC_CONTROL		6	/* of ICMP errors: internetwork control, as in their DSCP */

static __always_inline bool is_null(u32 lse)
{
	u32 label = l3vpn_lse_label(lse);

	return label == LABEL_IPV4_NULL || label == LABEL_IPV6_NULL;
}

/* Entry number @n of the stack at skb->data, into @lse; false: there is none. */
static bool stack_entry(const struct sk_buff *skb, unsigned int n, u32 *lse)
{
	__be32 buffer;
	const __be32 *p = skb_header_pointer(skb, n * L3VPN_LSE_LEN, sizeof(buffer), &buffer);

	if (!p)
		return false;
	*lse = ntohl(*p);
	return true;
}

/* A stack of more than one entry, the first of which is kept. */
static noinline void keep_more(const struct sk_buff *skb, struct l3vpn_pkt *pkt)
{
	const __be32 *lse = (const __be32 *)skb->data;
	unsigned int n;

	for (n = 1; n < L3VPN_STACK_KEPT && (n + 1) * L3VPN_LSE_LEN <= skb_headlen(skb);) {
		pkt->stack[n] = lse[n];
		if (lse[n++] & htonl(L3VPN_LSE_BOTTOM))
			break;
	}
	pkt->stack_len = n;
}

/*
 * Keep for ICMP errors what the stack is now. Makes it linear, with the IP header below, where it is
 * short enough for that. False: there is not even one entry.
 */
static __always_inline bool keep_stack(struct sk_buff *skb, struct l3vpn_pkt *pkt)
{
	if (unlikely(skb->len < L3VPN_LSE_LEN || !pskb_may_pull(skb, min_t(unsigned int, skb->len, HEADERS_MAX))))
		return false;
	pkt->stack[0] = *(const __be32 *)skb->data;
	pkt->stack_len = 1;
	if (!(pkt->stack[0] & htonl(L3VPN_LSE_BOTTOM)))
		keep_more(skb, pkt);
	return true;
}

static __always_inline void pop(struct sk_buff *skb)
{
	if (unlikely(skb->ip_summed == CHECKSUM_COMPLETE))
		skb_pull_rcsum(skb, L3VPN_LSE_LEN);
	else
		__skb_pull(skb, L3VPN_LSE_LEN);
	skb_reset_network_header(skb);
}

/* What is under the bottom of the stack becomes the packet; its header is linear, not checked. */
static noinline bool uncover(struct sk_buff *skb)
{
	if (!pskb_may_pull(skb, 1))
		return false;
	switch (skb->data[0] >> 4) {
	case 4:
		skb->protocol = htons(ETH_P_IP);
		return pskb_may_pull(skb, sizeof(struct iphdr));
	case 6:
		skb->protocol = htons(ETH_P_IPV6);
		return pskb_may_pull(skb, sizeof(struct ipv6hdr));
	}
	return false;
}

/* As uncover(), and may the packet be forwarded? 0, or the reason to drop it. */
static __always_inline enum l3vpn_drop uncover_checked(struct sk_buff *skb)
{
	if (likely(l3vpn_usual4(skb))) {
		skb->protocol = htons(ETH_P_IP);
		return 0;
	}
	if (likely(l3vpn_usual6(skb))) {
		skb->protocol = htons(ETH_P_IPV6);
		return 0;
	}
	return uncover(skb) ? l3vpn_check_ip_slow(skb) : L3VPN_DROP_LABEL_PAYLOAD;
}

/* Hand the TTL of the label down to the IP header that lay under it. */
static __always_inline bool hand_down_ttl(struct sk_buff *skb, u8 ttl)
{
	if (l3vpn_ip_ttl(skb) <= ttl)
		return true;
	if (skb_cow_head(skb, 0))
		return false;
	l3vpn_ip_set_ttl(skb, ttl);
	return true;
}

static bool hand_down_ttl_to_label(struct sk_buff *skb, u8 ttl)
{
	__be32 *lse;

	if (!pskb_may_pull(skb, L3VPN_LSE_LEN) || skb_cow_head(skb, 0))
		return false;
	lse = (__be32 *)skb->data;
	if (l3vpn_lse_ttl(ntohl(*lse)) > ttl)
		*lse = (*lse & htonl(~0xffU)) | htonl(ttl);
	if (skb->ip_summed == CHECKSUM_COMPLETE)
		skb->ip_summed = CHECKSUM_NONE;
	return true;
}

/*
 * skb->data is at an entry that ends here, and more follow. Where those are an indicator and an
 * entropy label (RFC 6790 section 4.1), pop down to the latter: *@lse. An indicator on top of a stack
 * is not for us: no protocol of ours says that it may come under implicit null (section 4.3).
 */
static bool pop_to_entropy(struct sk_buff *skb, u32 *lse)
{
	u32 eli, el;

	if (!stack_entry(skb, 1, &eli) || l3vpn_lse_label(eli) != LABEL_ELI ||
	    (eli & L3VPN_LSE_BOTTOM) || !stack_entry(skb, 2, &el) ||
	    !pskb_may_pull(skb, 3 * L3VPN_LSE_LEN))
		return false;
	pop(skb);
	pop(skb);
	*lse = el;
	return true;
}

/* What the last label, @lse, says to the IP packet below, @tc being that of the outermost. */
static __always_inline bool hand_down(struct sk_buff *skb, const struct l3vpn_vrf *vrf, u32 lse, u8 tc)
{
	if (likely(!l3vpn_qos_pop_differs(&vrf->qos)))
		return hand_down_ttl(skb, l3vpn_lse_ttl(lse));
	return l3vpn_qos_pop(skb, &vrf->qos, l3vpn_lse_ttl(lse), tc);
}

/*
 * Pop: VRF and next hop labels. skb->data is at the entry, which is @lse; @tc: of the stack's
 * outermost entry.
 */
static __always_inline rx_handler_result_t dispose(struct sk_buff *skb, struct l3vpn_pkt *pkt,
						   const struct l3vpn_ilm *ilm, u32 lse, u8 tc)
{
	enum l3vpn_drop reason;
	u32 bottom;

	pkt->vrf = ilm->vrf;
	pkt->entry = ilm->vrf;
	if (unlikely(!(lse & L3VPN_LSE_BOTTOM)) &&
	    !(pop_to_entropy(skb, &bottom) && (bottom & L3VPN_LSE_BOTTOM)))
		return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_LABEL_STACK);
	pop(skb);
	reason = uncover_checked(skb);
	if (unlikely(reason))
		return l3vpn_pkt_drop(skb, pkt, reason);
	if (unlikely(!hand_down(skb, ilm->vrf, lse, tc)))
		return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_NO_MEMORY);
	if (ilm->action == L3VPN_LABEL_ACTION_POP_VRF)
		return l3vpn_route(skb, pkt);
	if (unlikely(READ_ONCE(pkt->vrf->dying)))
		return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_NO_VRF);
	pkt->hops++;
	pkt->pinned = true;
	l3vpn_count_entry(skb, pkt);
	return l3vpn_to_nh(skb, pkt, ilm->nh);
}

/*
 * What @skb, whose top entry is at skb->data and goes, has below it. Returns where the IP packet
 * starts behind skb->data; 0: the stack does not end.
 */
static unsigned int stack_below(const struct sk_buff *skb, struct l3vpn_stack *stack)
{
	unsigned int n;
	u32 lse;

	for (n = 0; n <= L3VPN_STACK_MAX && stack_entry(skb, n, &lse); n++) {
		if (n)
			stack->lse[n - 1] = htonl(lse);
		if (lse & L3VPN_LSE_BOTTOM) {
			stack->count = n;
			return (n + 1) * L3VPN_LSE_LEN;
		}
	}
	return 0;
}

/*
 * An error about a packet that we switch: we may not know the way back to its sender, the end of
 * its path does; so it goes on along the path (RFC 3032 section 2.3.2), under the labels that it
 * came with, their TTLs fresh.
 */
static rx_handler_result_t swap_error(struct sk_buff *skb, struct l3vpn_pkt *pkt,
				      const struct l3vpn_way *way, enum l3vpn_icmp_error what,
				      enum l3vpn_drop reason)
{
	struct l3vpn_icmp_ask ask = { .what = what };
	struct l3vpn_stack stack;
	unsigned int offset = stack_below(skb, &stack), i;
	struct sk_buff *icmp;

	if (!offset)
		return l3vpn_pkt_drop(skb, pkt, reason);
	ask.mtu = l3vpn_way_room(way, stack.count);
	ask.room = ask.mtu;
	ask.headroom = LL_MAX_HEADER + offset + (L3VPN_LABELS_MAX + 1) * L3VPN_LSE_LEN;
	icmp = l3vpn_icmp_make(skb, offset, pkt, &ask);
	if (icmp) {
		stack.ttl = L3VPN_TTL_DEFAULT;
		stack.tc = TC_CONTROL;
		for (i = 0; i < stack.count; i++)
			stack.lse[i] |= htonl(L3VPN_TTL_DEFAULT);
		l3vpn_send_restacked(icmp, pkt, way, &stack);
	}
	return l3vpn_pkt_drop(skb, pkt, reason);
}

/*
 * The labels of @skb, @offset octets, come off, and go on every piece of the packet below. @reason: it is unfit for
 * that.
 */
static rx_handler_result_t swap_in_pieces(struct sk_buff *skb, struct l3vpn_pkt *pkt,
					  const struct l3vpn_way *way, struct l3vpn_stack *stack,
					  unsigned int offset, enum l3vpn_drop reason)
{
	u32 below;

	if (!pskb_may_pull(skb, offset))
		return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_NO_MEMORY);
	skb_pull_rcsum(skb, offset);
	skb_reset_network_header(skb);
	if (!uncover(skb) || l3vpn_check_ip(skb))
		return l3vpn_pkt_drop(skb, pkt, reason);
	if (!way->has_inner) {			/* penultimate hop: the TTL is handed down */
		if (!stack->count) {
			if (!hand_down_ttl(skb, stack->ttl))
				return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_NO_MEMORY);
		} else {
			below = ntohl(stack->lse[0]);
			if (l3vpn_lse_ttl(below) > stack->ttl)
				stack->lse[0] = htonl((below & ~0xffU) | stack->ttl);
		}
	}
	l3vpn_cut_restacked(skb, pkt, way, stack);
	return RX_HANDLER_CONSUMED;
}

/*
 * A packet that we switch is too big for its way: IPv4 that may be cut is (RFC 3032 section 3.4),
 * the sender of anything else is told.
 */
static rx_handler_result_t swap_too_big(struct sk_buff *skb, struct l3vpn_pkt *pkt,
					const struct l3vpn_way *way, u32 lse)
{
	struct l3vpn_stack stack = { .ttl = l3vpn_lse_ttl(lse) - 1, .tc = l3vpn_lse_tc(lse) };
	unsigned int offset = stack_below(skb, &stack);
	struct iphdr buffer;
	const struct iphdr *iph = offset ? skb_header_pointer(skb, offset, sizeof(buffer), &buffer) : NULL;

	if (!iph || iph->version != 4 || iph->frag_off & htons(IP_DF) ||
	    l3vpn_way_room(way, stack.count) < IPV4_MIN_MTU)
		return swap_error(skb, pkt, way, L3VPN_ICMP_TOO_BIG, L3VPN_DROP_MTU);
	return swap_in_pieces(skb, pkt, way, &stack, offset, L3VPN_DROP_MTU);
}

/* A GSO packet that goes into a tunnel, which takes its segments alone. They fit. */
static rx_handler_result_t swap_segments(struct sk_buff *skb, struct l3vpn_pkt *pkt,
					 const struct l3vpn_way *way, u32 lse)
{
	struct l3vpn_stack stack = { .ttl = l3vpn_lse_ttl(lse) - 1, .tc = l3vpn_lse_tc(lse) };
	unsigned int offset = stack_below(skb, &stack);

	if (!offset)
		return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_LABEL_STACK);
	return swap_in_pieces(skb, pkt, way, &stack, offset, L3VPN_DROP_LABEL_PAYLOAD);
}

/* Penultimate hop: the entry goes, and nothing comes in its place but the labels of a path. */
static enum l3vpn_drop pop_penultimate(struct sk_buff *skb, u32 lse, u8 ttl)
{
	pop(skb);
	if (!(lse & L3VPN_LSE_BOTTOM))
		return hand_down_ttl_to_label(skb, ttl) ? 0 : L3VPN_DROP_LABEL_STACK;
	if (!uncover(skb))
		return L3VPN_DROP_LABEL_PAYLOAD;
	return hand_down_ttl(skb, ttl) ? 0 : L3VPN_DROP_NO_MEMORY;
}

/*
 * A GSO packet that comes with labels, as a guest may send it by a virtual device, does not say where the packet
 * is that has to be cut: mpls_gso goes by the inner header.
 */
static bool find_gso_payload(struct sk_buff *skb)
{
	struct l3vpn_stack stack;
	unsigned int offset = stack_below(skb, &stack);
	const u8 *first;
	u8 buffer;

	first = offset ? skb_header_pointer(skb, offset, sizeof(buffer), &buffer) : NULL;
	if (!first)
		return false;
	skb_set_inner_protocol(skb, htons(*first >> 4 == 4 ? ETH_P_IP : ETH_P_IPV6));
	skb_set_inner_network_header(skb, offset);
	return true;
}

/* @way has ended at no adjacency: 0 where it is a tunnel with a route, else the reason to drop the packet. */
static noinline enum l3vpn_drop into_tunnel(const struct sk_buff *skb, struct l3vpn_pkt *pkt, struct l3vpn_way *way)
{
	if (l3vpn_way_into_tunnel(skb, pkt, way))
		return way->dst ? 0 : L3VPN_DROP_TUNNEL_ROUTE;
	return l3vpn_nh_rcu(way->nh)->kind == L3VPN_NH_KIND_BLACKHOLE ? L3VPN_DROP_BLACKHOLE :
									 L3VPN_DROP_UNREACHABLE;
}

/* Swap, or pop as penultimate hop. skb->data is at the entry, which is @lse. */
static rx_handler_result_t swap_label(struct sk_buff *skb, struct l3vpn_pkt *pkt,
				      const struct l3vpn_ilm *ilm, u32 lse)
{
	struct l3vpn_way way = {
		.has_inner = ilm->out_label != LABEL_IMPLICIT_NULL,
		.inner = htonl(ilm->out_label << L3VPN_LSE_LABEL_SHIFT),
	};
	u8 ttl = l3vpn_lse_ttl(lse);
	enum l3vpn_drop reason;

	l3vpn_way_of(skb, pkt, ilm->nh, &way);
	l3vpn_see_way(pkt, ilm->nh, &way);
	if (unlikely(!way.adj)) {
		reason = into_tunnel(skb, pkt, &way);
		if (reason)
			return l3vpn_pkt_drop(skb, pkt, reason);
	}
	if (unlikely(ttl <= 1))
		return swap_error(skb, pkt, &way, L3VPN_ICMP_TIME_EXCEEDED, L3VPN_DROP_TTL);
	if (unlikely(skb_is_gso(skb)) && !find_gso_payload(skb))
		return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_LABEL_STACK);
	if (unlikely(!l3vpn_way_fits(skb, &way, L3VPN_LSE_LEN, way.has_inner || way.path ||
				     !(lse & L3VPN_LSE_BOTTOM))))
		return swap_too_big(skb, pkt, &way, lse);
	if (unlikely(!way.adj) && skb_is_gso(skb))
		return swap_segments(skb, pkt, &way, lse);
	ttl--;
	if (way.has_inner) {
		if (unlikely(skb_cow_head(skb, 0)))
			return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_NO_MEMORY);
		*(__be32 *)skb->data = way.inner | htonl((lse & LSE_TC_AND_BOTTOM) | ttl);
		way.has_inner = false;
	} else {
		reason = pop_penultimate(skb, lse, ttl);
		if (unlikely(reason))
			return l3vpn_pkt_drop(skb, pkt, reason);
	}
	l3vpn_send_labelled(skb, pkt, &way, ttl, l3vpn_lse_tc(lse));
	return RX_HANDLER_CONSUMED;
}

/* The bottom of the stack was an explicit null: the packet is for the global table. */
static rx_handler_result_t explicit_null(struct sk_buff *skb, struct l3vpn_pkt *pkt, u32 lse)
{
	bool v4 = l3vpn_lse_label(lse) == LABEL_IPV4_NULL;

	if (!uncover(skb) || v4 != l3vpn_is_ipv4(skb))
		return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_LABEL_PAYLOAD);
	if (!hand_down_ttl(skb, l3vpn_lse_ttl(lse)))
		return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_NO_MEMORY);
	return RX_HANDLER_PASS;		/* skb->protocol is an IP one now */
}

/*
 * Explicit nulls on top of the stack (RFC 3032 section 2.1, RFC 4182), the first of which is @*lse: pop
 * them. True: the packet goes on, @*lse being the entry at skb->data. False: *@done says how it ended.
 */
static noinline bool pop_nulls(struct sk_buff *skb, struct l3vpn_pkt *pkt, u32 *lse,
			       rx_handler_result_t *done)
{
	enum l3vpn_drop reason = L3VPN_DROP_LABEL_STACK;
	unsigned int nulls;
	u32 bottom;

	for (nulls = 0; nulls < NULLS_MAX; nulls++) {
		bottom = *lse;
		if (!(*lse & L3VPN_LSE_BOTTOM))
			pop_to_entropy(skb, &bottom);
		pop(skb);
		if (bottom & L3VPN_LSE_BOTTOM) {
			*done = explicit_null(skb, pkt, *lse);
			return false;
		}
		if (!hand_down_ttl_to_label(skb, l3vpn_lse_ttl(*lse)))
			break;
		*lse = ntohl(*(__be32 *)skb->data);
		if (!l3vpn_lse_ttl(*lse)) {
			reason = L3VPN_DROP_TTL;
			break;
		}
		if (!is_null(*lse))
			return true;
	}
	*done = l3vpn_pkt_drop(skb, pkt, reason);
	return false;
}

rx_handler_result_t l3vpn_mpls_receive(struct sk_buff *skb, struct l3vpn_pkt *pkt, u64 scopes)
{
	rx_handler_result_t done;
	struct l3vpn_ilm *ilm;
	u32 lse;
	u8 tc;

	if (unlikely(!keep_stack(skb, pkt)))
		return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_LABEL_STACK);
	lse = ntohl(*(__be32 *)skb->data);
	tc = l3vpn_lse_tc(lse);
	if (unlikely(!l3vpn_lse_ttl(lse)))
		return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_TTL);
	if (unlikely(is_null(lse)) && !pop_nulls(skb, pkt, &lse, &done))
		return done;
	ilm = l3vpn_label_lookup_rcu(&pkt->ln->labels, l3vpn_lse_label(lse));
	if (unlikely(!ilm))
		return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_LABEL_UNKNOWN);
	if (unlikely(!(scopes >> ilm->scope & 1)))
		return l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_LABEL_SCOPE);
	l3vpn_see_label(pkt, ilm);
	l3vpn_ilm_count(pkt->ln, ilm, pkt->segments, skb->len);
	if (ilm->action == L3VPN_LABEL_ACTION_SWAP)
		return swap_label(skb, pkt, ilm, lse);
	return dispose(skb, pkt, ilm, lse, tc);
}
