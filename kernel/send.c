// SPDX-License-Identifier: GPL-2.0
/*
 * send: the last part of a packet's way: does it fit, is the way out up, decrease the TTL, push the
 * labels (RFC 3032; TTL and traffic class by the VRF's model, qos.h), hand it to the neighbour. One
 * skb_cow_head() makes room for all of it. What the usual packet needs is inline (impose.h).
 */
#include <linux/if_ether.h>
#include <linux/module.h>
#include <net/gso.h>
#include <net/ip.h>
#include <net/mpls.h>
#include "encap.h"
#include "icmp.h"
#include "impose.h"
#include "neigh.h"
#include "packet.h"
#include "send.h"

/* Labelled GSO packets that are switched, from one virtual device to a lesser one. */
MODULE_SOFTDEP("post: mpls_gso");

/* Is @skb, with @more octets of labels, small enough for @mtu? A GSO packet by its segments. */
static __always_inline bool fits(const struct sk_buff *skb, int mtu, int more)
{
	if (likely((int)skb->len + more <= mtu))
		return true;
	return skb_is_gso(skb) && mtu > more && skb_gso_validate_network_len(skb, mtu - more);
}

struct net_device *l3vpn_way_dev(const struct l3vpn_way *way)
{
	return way->adj ? way->adj->port->dev : way->dst->dev;
}

/* Octets in front of the outermost label of @way. */
static unsigned int way_headroom(const struct l3vpn_way *way)
{
	return way->adj ? LL_RESERVED_SPACE(way->adj->port->dev) : l3vpn_encap_headroom(way);
}

bool l3vpn_way_fits(const struct sk_buff *skb, const struct l3vpn_way *way, unsigned int less,
		    bool labelled)
{
	int more = way_labels(way) * L3VPN_LSE_LEN;
	const struct l3vpn_port *out;

	if (unlikely(!way->adj))
		return fits(skb, l3vpn_encap_mtu(way), more - (int)less);
	out = way->adj->port;
	return !out || fits(skb, l3vpn_port_mtu(out, labelled), more - (int)less);
}

u32 l3vpn_way_room(const struct l3vpn_way *way, unsigned int below)
{
	u32 used = (way_labels(way) + below) * L3VPN_LSE_LEN;
	u32 mtu;

	if (!way->adj)
		mtu = l3vpn_encap_mtu(way);
	else
		mtu = way->adj->port ? l3vpn_port_mtu(way->adj->port, used) : 0;
	return mtu > used ? mtu - used : 0;
}

static void cut_if_need_be(struct sk_buff *skb, struct l3vpn_pkt *pkt, const struct l3vpn_way *way,
			   const struct l3vpn_stack *stack)
{
	u32 room = l3vpn_way_room(way, stack->count);

	if (skb->len > room)
		l3vpn_fragment(skb, pkt, way, stack, room);
	else
		l3vpn_send_restacked(skb, pkt, way, stack);
}

/*
 * Segment in software what cannot be a GSO packet on its way on, and send each piece: under @stack,
 * or, if that is NULL, as the IP packet that it is.
 */
static void send_segments(struct sk_buff *skb, struct l3vpn_pkt *pkt, const struct l3vpn_way *way,
			  const struct l3vpn_stack *stack)
{
	struct sk_buff *segs, *next;

	memset(skb->cb, 0, sizeof(skb->cb));
	segs = __skb_gso_segment(skb, 0, false);
	if (IS_ERR_OR_NULL(segs)) {
		l3vpn_pkt_drop(skb, pkt, IS_ERR(segs) ? L3VPN_DROP_NO_MEMORY : L3VPN_DROP_HEADER);
		return;
	}
	consume_skb(skb);
	pkt->segments = 1;
	skb_list_walk_safe(segs, segs, next) {
		skb_mark_not_on_list(segs);
		/* a segment comes back with its link layer header in front */
		__skb_pull(segs, skb_network_offset(segs));
		if (stack)
			cut_if_need_be(segs, pkt, way, stack);
		else
			l3vpn_send_ip(segs, pkt, way);
	}
}

void l3vpn_cut_restacked(struct sk_buff *skb, struct l3vpn_pkt *pkt, const struct l3vpn_way *way,
			 const struct l3vpn_stack *stack)
{
	if (skb_is_gso(skb))
		send_segments(skb, pkt, way, stack);
	else
		cut_if_need_be(skb, pkt, way, stack);
}

/*
 * The pieces of a packet that GRO put together as a list have headers of their own: what is written
 * into the first one's (TTL) they would not get.
 */
static bool gso_is_list(const struct sk_buff *skb)
{
	return skb_shinfo(skb)->gso_type & SKB_GSO_FRAGLIST;
}

/*
 * Can @dev take this GSO packet under labels? Only if it segments by itself: the stack could do it
 * no better than we, and not without mpls_gso; and never if the inner headers are in use already.
 */
static bool gso_under_labels(const struct sk_buff *skb, const struct net_device *dev)
{
	return !skb->encapsulation &&
	       net_gso_ok(dev->features & dev->mpls_features, skb_shinfo(skb)->gso_type);
}

static void too_big(struct sk_buff *skb, struct l3vpn_pkt *pkt, const struct l3vpn_way *way, u32 mtu)
{
	if (l3vpn_is_ipv4(skb) && !(ip_hdr(skb)->frag_off & htons(IP_DF)) &&
	    mtu >= IPV4_MIN_MTU) {
		if (skb_is_gso(skb))
			send_segments(skb, pkt, way, NULL);
		else
			l3vpn_fragment(skb, pkt, way, NULL, mtu);
		return;
	}
	l3vpn_icmp_error(skb, pkt, L3VPN_ICMP_TOO_BIG, mtu);
	l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_MTU);
}

/*
 * RFC 1812 section 5.2.7.1: of a network on link the host is unreachable, of others the network; RFC 4443
 * section 3.1: a link-specific problem is an address that is unreachable.
 */
static void out_is_down(struct sk_buff *skb, struct l3vpn_pkt *pkt, const struct l3vpn_way *way)
{
	l3vpn_icmp_error(skb, pkt, l3vpn_is_ipv4(skb) && way->adj->gw_family ?
			 L3VPN_ICMP_NET_UNREACHABLE : L3VPN_ICMP_HOST_UNREACHABLE, 0);
	l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_PORT_DOWN);
}

/* No checksum of what is inside is left to whoever sends the outer packet: few devices would find it. */
static bool make_checksum(struct sk_buff *skb)
{
	return skb->ip_summed != CHECKSUM_PARTIAL || !skb_checksum_help(skb);
}

/* l3vpn_send_ip() by a tunnel, whose route is there. */
static noinline void tunnel_ip(struct sk_buff *skb, struct l3vpn_pkt *pkt, const struct l3vpn_way *way)
{
	unsigned int more = way_labels(way) * L3VPN_LSE_LEN;

	if (!more) {
		l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_UNREACHABLE);
		return;
	}
	if (!fits(skb, l3vpn_encap_mtu(way), more)) {
		too_big(skb, pkt, way, l3vpn_way_room(way, 0));
		return;
	}
	if (skb_is_gso(skb)) {
		send_segments(skb, pkt, way, NULL);
		return;
	}
	if (!make_checksum(skb) || skb_cow_head(skb, more + way_headroom(way))) {
		l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_NO_MEMORY);
		return;
	}
	label_ip(skb, pkt, way);
	l3vpn_encap(skb, pkt, way);
}

void l3vpn_send_ip(struct sk_buff *skb, struct l3vpn_pkt *pkt, const struct l3vpn_way *way)
{
	unsigned int more = way_labels(way) * L3VPN_LSE_LEN;
	struct neighbour *neigh;
	struct l3vpn_port *out;

	if (!way->adj) {
		tunnel_ip(skb, pkt, way);
		return;
	}
	out = way->adj->port;
	if (unlikely(!l3vpn_port_usable(out))) {
		out_is_down(skb, pkt, way);
		return;
	}
	if (unlikely(!may_leave(out, more))) {
		l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_UNREACHABLE);
		return;
	}
	if (unlikely(!fits(skb, l3vpn_port_mtu(out, more), more))) {
		too_big(skb, pkt, way, l3vpn_way_room(way, 0));
		return;
	}
	if (unlikely(skb_is_gso(skb)) &&
	    (gso_is_list(skb) || (more && !gso_under_labels(skb, out->dev)))) {
		send_segments(skb, pkt, way, NULL);
		return;
	}
	neigh = l3vpn_neigh_of(way->adj, skb);
	if (unlikely(!neigh || l3vpn_neigh_failed(neigh))) {
		l3vpn_icmp_error(skb, pkt, L3VPN_ICMP_HOST_UNREACHABLE, 0);
		l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_NEIGHBOUR);
		return;
	}
	if (unlikely(skb_cow_head(skb, more + LL_RESERVED_SPACE(out->dev)))) {
		l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_NO_MEMORY);
		return;
	}
	impose(skb, pkt, way, neigh);
}

/* Push the labels of @way, if it has any, on what is left of a labelled packet. */
static __always_inline void relabel(struct sk_buff *skb, const struct l3vpn_way *way, u8 ttl, u8 tc)
{
	bool bottom = !eth_p_mpls(skb->protocol);

	leave(skb);
	if (!way_labels(way))
		return;
	if (bottom)
		begin_labels(skb);
	push_labels(skb, way, ttl, tc, bottom);
}

/* l3vpn_send_labelled() by a tunnel, whose route is there; @skb is no GSO packet. */
static noinline void tunnel_labelled(struct sk_buff *skb, struct l3vpn_pkt *pkt, const struct l3vpn_way *way,
				     u8 ttl, u8 tc)
{
	unsigned int more = way_labels(way) * L3VPN_LSE_LEN;

	if (!more && !eth_p_mpls(skb->protocol)) {
		l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_UNREACHABLE);
		return;
	}
	if (!make_checksum(skb) || skb_cow_head(skb, more + way_headroom(way))) {
		l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_NO_MEMORY);
		return;
	}
	relabel(skb, way, ttl, tc);
	l3vpn_encap(skb, pkt, way);
}

void l3vpn_send_labelled(struct sk_buff *skb, struct l3vpn_pkt *pkt, const struct l3vpn_way *way,
			 u8 ttl, u8 tc)
{
	unsigned int more = way_labels(way) * L3VPN_LSE_LEN;
	struct neighbour *neigh;
	struct l3vpn_port *out;

	if (unlikely(!way->adj)) {
		tunnel_labelled(skb, pkt, way, ttl, tc);
		return;
	}
	out = way->adj->port;
	if (unlikely(!l3vpn_port_usable(out))) {
		l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_PORT_DOWN);
		return;
	}
	if (unlikely((more || eth_p_mpls(skb->protocol)) && !may_leave(out, true))) {
		l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_UNREACHABLE);
		return;
	}
	neigh = l3vpn_neigh_of(way->adj, skb);
	if (unlikely(!neigh || l3vpn_neigh_failed(neigh))) {
		l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_NEIGHBOUR);
		return;
	}
	if (unlikely(skb_cow_head(skb, more + LL_RESERVED_SPACE(out->dev)))) {
		l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_NO_MEMORY);
		return;
	}
	relabel(skb, way, ttl, tc);
	transmit(skb, pkt, way, neigh);
}

void l3vpn_send_restacked(struct sk_buff *skb, struct l3vpn_pkt *pkt, const struct l3vpn_way *way,
			  const struct l3vpn_stack *stack)
{
	unsigned int len = stack->count * L3VPN_LSE_LEN;

	if (len) {
		/* with room for the rest, so that there is one copy at most */
		if (skb_cow_head(skb, len + way_labels(way) * L3VPN_LSE_LEN + way_headroom(way))) {
			l3vpn_pkt_drop(skb, pkt, L3VPN_DROP_NO_MEMORY);
			return;
		}
		begin_labels(skb);
		memcpy(skb_push(skb, len), stack->lse, len);
		skb_reset_network_header(skb);
	}
	l3vpn_send_labelled(skb, pkt, way, stack->ttl, stack->tc);
}
