// SPDX-License-Identifier: GPL-2.0
/*
 * decap: labelled packets are taken out of UDP (RFC 7510) or GRE (RFC 4023, 2784, 2890).
 *
 * Only frames that come in by a core port get here, so a tunnel inside a tunnel is never opened: what was in the
 * first one is looked up by its labels, and goes to the stack or out, not back to the receive handler. All that is
 * not to an endpoint goes to the stack untouched.
 *
 * ICMP errors about outer packets are heard here on their way to the stack: no socket would (peer.c).
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_vlan.h>
#include <linux/udp.h>
#include <net/gso.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ip_tunnels.h>
#include <net/ipv6.h>
#include "burst.h"
#include "decap.h"
#include "endpoint.h"
#include "packet.h"
#include "peer.h"
#include "send.h"

#define DEFRAG_USER	0x6c337670	/* of fragments that wait for their rest; the kernel's own users are small */
#define FLAG_CHECKSUM	0x8000
#define FLAG_KEY	0x2000
#define FLAG_SEQUENCE	0x1000
#define FLAGS_REFUSED	0x4c07	/* RFC 2784 section 2.3: bits 1, 4, 5; version */
#define OPTION_LEN	4
#define GSO_OF_OUTER	(SKB_GSO_UDP_L4 | SKB_GSO_UDP | SKB_GSO_FRAGLIST)

struct gre_base {
	__be16 flags;
	__be16 protocol;
};

/**
 * struct outer - what is known of an outer header
 * @ln:		namespace
 * @in:		port it came in by
 * @ep:		endpoint that it is to
 * @saddr:	source, IPv4 in the first word
 * @daddr:	destination, likewise
 * @family:	AF_INET or AF_INET6
 * @proto:	IPPROTO_UDP or IPPROTO_GRE, or anything else that is not for us
 * @len:	of the IP header
 * @ecn:	INET_ECN_*
 * @fragment:	IPv4: it is one
 * @total:	octets from the IP header on, as it says itself
 */
struct outer {
	struct l3vpn_net *ln;
	struct l3vpn_port *in;
	struct l3vpn_endpoint *ep;
	struct in6_addr saddr;
	struct in6_addr daddr;
	u8 family;
	u8 proto;
	u8 len;
	u8 ecn;
	bool fragment;
	u32 total;
};

static rx_handler_result_t outer_drop(struct sk_buff *skb, const struct outer *outer, enum l3vpn_drop reason)
{
	struct l3vpn_record *record L3VPN_SEE = NULL;
	struct l3vpn_counters *c = this_cpu_ptr(outer->ep->counters);
	struct l3vpn_pkt pkt;

	__skb_push(skb, skb->data - skb_network_header(skb));
	l3vpn_pkt_init(&pkt, skb, outer->in, NULL, NULL);
	record = l3vpn_see_receive(skb, &pkt);
	l3vpn_count_rx(outer->in->counters, pkt.segments, skb->len);
	u64_stats_update_begin(&c->syncp);
	u64_stats_inc(&c->drops);
	u64_stats_update_end(&c->syncp);
	return l3vpn_pkt_drop(skb, &pkt, reason);
}

static u8 encap_of(u8 proto)
{
	return proto == IPPROTO_UDP ? L3VPN_ENCAP_UDP : L3VPN_ENCAP_GRE;
}

/* An endpoint that @outer is to, for this destination port (0: any, or GRE). */
static struct l3vpn_endpoint *find(const struct outer *outer, u16 dport)
{
	struct l3vpn_endpoint *ep;

	hlist_for_each_entry_rcu(ep, l3vpn_endpoint_bucket(outer->ln, outer->family, &outer->daddr), node) {
		if (ep->key.family == outer->family && ep->key.encap == encap_of(outer->proto) &&
		    (!dport || ep->key.dport == dport) && ipv6_addr_equal(&ep->key.addr, &outer->daddr) &&
		    l3vpn_endpoint_is_local(outer->ln, ep))
			return ep;
	}
	return NULL;
}

/* Is the address of @outer that of some endpoint? The quick answer for nearly all packets. */
static bool known(const struct outer *outer)
{
	struct l3vpn_endpoint *ep;

	hlist_for_each_entry_rcu(ep, l3vpn_endpoint_bucket(outer->ln, outer->family, &outer->daddr), node) {
		if (ep->key.family == outer->family && ipv6_addr_equal(&ep->key.addr, &outer->daddr))
			return true;
	}
	return false;
}

/* Path MTU */

/* An error about too big a packet quotes one from @src to @dst: is it ours? */
static void learn(const struct outer *outer, const void *src, const void *dst, u8 proto, u32 mtu)
{
	struct l3vpn_peer *peer;

	if (proto != IPPROTO_UDP && proto != IPPROTO_GRE)
		return;
	if (memcmp(src, &outer->daddr, outer->family == AF_INET ? 4 : 16))
		return;
	peer = l3vpn_peer_find(outer->ln, outer->family, dst);
	if (peer && mtu)
		l3vpn_peer_learn_mtu(peer, mtu);
}

static void hear_icmp4(const struct sk_buff *skb, const struct outer *outer)
{
	struct {
		struct icmphdr icmp;
		struct iphdr ip;
	} buffer;

	BUILD_BUG_ON(sizeof(buffer) != sizeof(struct icmphdr) + sizeof(struct iphdr));
	if (skb_copy_bits(skb, outer->len, &buffer, sizeof(buffer)) ||
	    buffer.icmp.type != ICMP_DEST_UNREACH || buffer.icmp.code != ICMP_FRAG_NEEDED)
		return;
	if (outer->fragment || outer->total > skb->len || outer->total < outer->len + sizeof(buffer) ||
	    csum_fold(skb_checksum(skb, outer->len, outer->total - outer->len, 0)))
		return;
	learn(outer, &buffer.ip.saddr, &buffer.ip.daddr, buffer.ip.protocol, ntohs(buffer.icmp.un.frag.mtu));
}

static void hear_icmp6(const struct sk_buff *skb, const struct outer *outer)
{
	struct {
		struct icmp6hdr icmp;
		struct ipv6hdr ip;
	} buffer;
	unsigned int len = outer->total - outer->len;

	BUILD_BUG_ON(sizeof(buffer) != sizeof(struct icmp6hdr) + sizeof(struct ipv6hdr));
	if (skb_copy_bits(skb, outer->len, &buffer, sizeof(buffer)) || buffer.icmp.icmp6_type != ICMPV6_PKT_TOOBIG)
		return;
	if (outer->total > skb->len || len < sizeof(buffer) ||
	    csum_ipv6_magic(&outer->saddr, &outer->daddr, len, IPPROTO_ICMPV6,
			    skb_checksum(skb, outer->len, len, 0)))
		return;
	learn(outer, &buffer.ip.saddr, &buffer.ip.daddr, buffer.ip.nexthdr, ntohl(buffer.icmp.icmp6_mtu));
}

/* What is inside */

/* How far behind skb->data the label stack ends; 0: it does not. */
static unsigned int stack_end(const struct sk_buff *skb)
{
	unsigned int n;

	for (n = 0; n <= L3VPN_STACK_MAX; n++) {
		__be32 buffer, *lse = skb_header_pointer(skb, n * L3VPN_LSE_LEN, sizeof(buffer), &buffer);

		if (!lse)
			return 0;
		if (*lse & htonl(L3VPN_LSE_BOTTOM))
			return (n + 1) * L3VPN_LSE_LEN;
	}
	return 0;
}

/*
 * A GSO packet is measured and cut by its transport header, and that was the tunnel's, or what it came with. False:
 * there is none where it has to be.
 */
static bool find_transport(struct sk_buff *skb)
{
	unsigned int offset = stack_end(skb);
	__be16 fragment = 0;
	u8 proto;
	int at;

	if (!offset || !pskb_may_pull(skb, offset + sizeof(struct ipv6hdr)))
		return false;
	if (skb->data[offset] >> 4 == 4) {
		at = offset + (skb->data[offset] & 0xf) * 4;
	} else if (skb->data[offset] >> 4 == 6) {
		proto = ((struct ipv6hdr *)(skb->data + offset))->nexthdr;
		at = ipv6_skip_exthdr(skb, offset + sizeof(struct ipv6hdr), &proto, &fragment);
	} else {
		return false;
	}
	if (at < 0 || !pskb_may_pull(skb, at + sizeof(struct udphdr)))
		return false;
	skb_set_transport_header(skb, at);
	return true;
}

/*
 * Congestion experienced in the outer header (RFC 6040 section 4.2): the IP packet below the labels is told, or,
 * where it cannot be, dropped.
 */
static enum l3vpn_drop hand_down_ce(struct sk_buff *skb)
{
	unsigned int offset = stack_end(skb);
	u8 *first;

	if (!offset || skb->len < offset + sizeof(struct iphdr) ||
	    skb_ensure_writable(skb, offset + sizeof(struct iphdr)))
		return L3VPN_DROP_TUNNEL_ECN;
	first = skb->data + offset;
	if (*first >> 4 == 4)
		return IP_ECN_set_ce((struct iphdr *)first) ? 0 : L3VPN_DROP_TUNNEL_ECN;
	if (*first >> 4 != 6)
		return L3VPN_DROP_TUNNEL_ECN;
	return IP6_ECN_set_ce(skb, (struct ipv6hdr *)first) ? 0 : L3VPN_DROP_TUNNEL_ECN;
}

/* The outer headers are off, skb->data is behind them; the network header still at the outer IP header. */
static rx_handler_result_t inner(struct sk_buff *skb, const struct outer *outer)
{
	struct l3vpn_record *record L3VPN_SEE = NULL;
	unsigned int all = skb->len + skb->data - skb_network_header(skb);
	enum l3vpn_drop reason;
	struct l3vpn_pkt pkt;

	if (iptunnel_pull_offloads(skb))
		return outer_drop(skb, outer, L3VPN_DROP_NO_MEMORY);
	if (unlikely(skb_is_gso(skb)) && !find_transport(skb))
		return outer_drop(skb, outer, L3VPN_DROP_TUNNEL_PAYLOAD);
	if (unlikely(outer->ecn == INET_ECN_CE)) {
		reason = hand_down_ce(skb);
		if (reason)
			return outer_drop(skb, outer, reason);
	}
	skb->protocol = htons(ETH_P_MPLS_UC);
	__vlan_hwaccel_clear_tag(skb);		/* a priority tag, which means nothing further on */
	skb_clear_hash(skb);
	l3vpn_pkt_init(&pkt, skb, outer->in, NULL, NULL);
	record = l3vpn_see_decap(skb, &pkt, outer->ep->key.encap, &outer->saddr, outer->family);
	skb_reset_network_header(skb);
	l3vpn_count_rx(outer->in->counters, pkt.segments, all);
	l3vpn_count_rx(outer->ep->counters, pkt.segments, all);
	return l3vpn_mpls_receive(skb, &pkt, outer->ep->scopes);
}

/* Checksums are sums of 16-bit words from skb->data on: it is at the UDP header. */
static bool udp_checksum_wrong(struct sk_buff *skb, const struct udphdr *uh, const struct outer *outer)
{
	if (outer->family == AF_INET)
		return skb_checksum_validate_zero_check(skb, IPPROTO_UDP, uh->check, inet_compute_pseudo);
	return skb_checksum_validate_zero_check(skb, IPPROTO_UDP, uh->check, ip6_compute_pseudo);
}

/* skb->data is at the UDP header, which is linear. */
static rx_handler_result_t open_udp(struct sk_buff *skb, const struct outer *outer)
{
	const struct udphdr *uh = (const struct udphdr *)skb->data;
	unsigned int len = ntohs(uh->len);

	if (len < sizeof(*uh) || len > skb->len || pskb_trim_rcsum(skb, len))
		return outer_drop(skb, outer, L3VPN_DROP_TUNNEL_HEADER);
	uh = (const struct udphdr *)skb->data;
	if (!uh->check ? outer->ep->checksum : udp_checksum_wrong(skb, uh, outer))
		return outer_drop(skb, outer, L3VPN_DROP_TUNNEL_CHECKSUM);
	if (len < sizeof(*uh) + L3VPN_LSE_LEN)
		return outer_drop(skb, outer, L3VPN_DROP_TUNNEL_PAYLOAD);
	skb_pull_rcsum(skb, sizeof(*uh));
	return inner(skb, outer);
}

/* skb->data is at the GRE header. */
static rx_handler_result_t open_gre(struct sk_buff *skb, const struct outer *outer)
{
	unsigned int len = sizeof(struct gre_base);
	const struct gre_base *gre;
	u16 flags;

	if (!pskb_may_pull(skb, len))
		return outer_drop(skb, outer, L3VPN_DROP_TUNNEL_HEADER);
	gre = (const struct gre_base *)skb->data;
	flags = ntohs(gre->flags);
	if (flags & FLAGS_REFUSED)
		return outer_drop(skb, outer, L3VPN_DROP_TUNNEL_HEADER);
	if (gre->protocol != htons(ETH_P_MPLS_UC))
		return outer_drop(skb, outer, L3VPN_DROP_TUNNEL_PAYLOAD);
	len += (!!(flags & FLAG_CHECKSUM) + !!(flags & FLAG_KEY) + !!(flags & FLAG_SEQUENCE)) * OPTION_LEN;
	if (!pskb_may_pull(skb, len))
		return outer_drop(skb, outer, L3VPN_DROP_TUNNEL_HEADER);
	if (flags & FLAG_CHECKSUM && skb_checksum_simple_validate(skb))
		return outer_drop(skb, outer, L3VPN_DROP_TUNNEL_CHECKSUM);
	if (skb->len < len + L3VPN_LSE_LEN)
		return outer_drop(skb, outer, L3VPN_DROP_TUNNEL_PAYLOAD);
	skb_pull_rcsum(skb, len);
	return inner(skb, outer);
}

/* The IP header is linear, checked and as long as it says; skb->data is at it. */
static rx_handler_result_t open_outer(struct sk_buff *skb, const struct outer *outer)
{
	skb_pull_rcsum(skb, outer->len);
	return outer->proto == IPPROTO_UDP ? open_udp(skb, outer) : open_gre(skb, outer);
}

/*
 * GRO has put outer packets of one flow together, and they are to be opened one by one. To the stack goes none of
 * them: by its queue it would come to the receive handler again, which could open what was inside.
 */
static rx_handler_result_t open_each(struct sk_buff *skb, const struct outer *outer)
{
	struct sk_buff *segs, *next;

	memset(skb->cb, 0, sizeof(skb->cb));
	segs = __skb_gso_segment(skb, 0, false);
	if (IS_ERR_OR_NULL(segs))
		return outer_drop(skb, outer, IS_ERR(segs) ? L3VPN_DROP_NO_MEMORY : L3VPN_DROP_TUNNEL_HEADER);
	consume_skb(skb);
	skb_list_walk_safe(segs, segs, next) {
		skb_mark_not_on_list(segs);
		__skb_pull(segs, skb_network_offset(segs));
		switch (open_outer(segs, outer)) {
		case RX_HANDLER_ANOTHER:	/* another device: of a VRF */
			netif_rx(segs);
			break;
		case RX_HANDLER_PASS:
			l3vpn_drop(outer->ln, segs, L3VPN_DROP_LABEL_PAYLOAD, NULL, outer->in);
			break;
		default:
			break;
		}
	}
	return RX_HANDLER_CONSUMED;
}

static rx_handler_result_t open_any(struct sk_buff *skb, const struct outer *outer)
{
	if (unlikely(skb_is_gso(skb) && skb_shinfo(skb)->gso_type & GSO_OF_OUTER))
		return open_each(skb, outer);
	return open_outer(skb, outer);
}

/* The port that a UDP packet is to; 0: there is none. GRE: 0. */
static u16 dport_of(const struct sk_buff *skb, const struct outer *outer, unsigned int offset)
{
	struct udphdr buffer;
	const struct udphdr *uh;

	if (outer->proto != IPPROTO_UDP)
		return 0;
	uh = skb_header_pointer(skb, offset, sizeof(buffer), &buffer);
	return uh ? ntohs(uh->dest) : 0;
}

/* Sets outer->ep. False: it is not for us. */
static bool is_for_us(const struct sk_buff *skb, struct outer *outer, unsigned int offset)
{
	u16 dport = dport_of(skb, outer, offset);

	if (outer->proto == IPPROTO_UDP && !dport)
		return false;
	outer->ep = find(outer, dport);
	return outer->ep;
}

/* IPv4 */

static bool parse4(const struct sk_buff *skb, struct outer *outer)
{
	struct iphdr buffer;
	const struct iphdr *iph = skb_header_pointer(skb, 0, sizeof(buffer), &buffer);

	if (!iph || iph->version != 4 || iph->ihl < 5)
		return false;
	memset(&outer->saddr, 0, sizeof(outer->saddr));
	memset(&outer->daddr, 0, sizeof(outer->daddr));
	outer->saddr.s6_addr32[0] = iph->saddr;
	outer->daddr.s6_addr32[0] = iph->daddr;
	outer->family = AF_INET;
	outer->proto = iph->protocol;
	outer->len = iph->ihl * 4;
	outer->ecn = iph->tos & INET_ECN_MASK;
	outer->fragment = ip_is_fragment(iph);
	outer->total = ntohs(iph->tot_len);
	return true;
}

/*
 * A fragment: of what, is told by the first alone. What may be for an endpoint, from a source that it accepts,
 * waits for the rest of it here. NULL: it waits, or is gone.
 */
static struct sk_buff *defragment(struct sk_buff *skb, const struct outer *outer)
{
	const struct l3vpn_endpoint *ep = find(outer, 0);

	if (!ep || !l3vpn_endpoint_accepts(outer->ln, ep, &outer->saddr))
		return skb;
	if (!pskb_may_pull(skb, outer->len) || ip_fast_csum(ip_hdr(skb), ip_hdr(skb)->ihl))
		return skb;
	return ip_check_defrag(outer->ln->net, skb, DEFRAG_USER);
}

/* The header is as it has to be, and skb->len what it says. */
static bool header4_good(struct sk_buff *skb)
{
	const struct iphdr *iph;
	unsigned int len;

	if (!pskb_may_pull(skb, sizeof(*iph)))
		return false;
	iph = ip_hdr(skb);
	len = ntohs(iph->tot_len);
	return iph->ihl == 5 && len >= sizeof(*iph) && len <= skb->len && !ip_fast_csum(iph, 5) &&
	       !ipv4_is_multicast(iph->saddr) && !ipv4_is_loopback(iph->saddr) && !ipv4_is_zeronet(iph->saddr) &&
	       !pskb_trim_rcsum(skb, len);
}

static rx_handler_result_t decap4(struct sk_buff **pskb, struct outer *outer)
{
	struct sk_buff *skb = *pskb;

	if (!parse4(skb, outer) || !known(outer))
		return RX_HANDLER_PASS;
	if (outer->proto == IPPROTO_ICMP)
		hear_icmp4(skb, outer);
	if (outer->proto != IPPROTO_UDP && outer->proto != IPPROTO_GRE)
		return RX_HANDLER_PASS;
	if (unlikely(outer->fragment)) {
		skb = skb_share_check(skb, GFP_ATOMIC);
		if (skb)
			skb = defragment(skb, outer);
		if (!skb)
			return RX_HANDLER_CONSUMED;
		*pskb = skb;
		if (!parse4(skb, outer) || outer->fragment)
			return RX_HANDLER_PASS;
	}
	if (!is_for_us(skb, outer, outer->len))
		return RX_HANDLER_PASS;
	skb = skb_share_check(skb, GFP_ATOMIC);
	if (unlikely(!skb)) {
		l3vpn_drop_count(outer->ln, L3VPN_DROP_NO_MEMORY, NULL, outer->in);
		return RX_HANDLER_CONSUMED;
	}
	*pskb = skb;
	if (!l3vpn_endpoint_accepts(outer->ln, outer->ep, &outer->saddr))
		return outer_drop(skb, outer, L3VPN_DROP_TUNNEL_SOURCE);
	if (!header4_good(skb) ||
	    (outer->proto == IPPROTO_UDP && !pskb_may_pull(skb, outer->len + sizeof(struct udphdr))))
		return outer_drop(skb, outer, L3VPN_DROP_TUNNEL_HEADER);
	return open_any(skb, outer);
}

/* IPv6 */

static bool parse6(const struct sk_buff *skb, struct outer *outer)
{
	struct ipv6hdr buffer;
	const struct ipv6hdr *ip6h = skb_header_pointer(skb, 0, sizeof(buffer), &buffer);

	if (!ip6h || ip6h->version != 6)
		return false;
	outer->saddr = ip6h->saddr;
	outer->daddr = ip6h->daddr;
	outer->family = AF_INET6;
	outer->proto = ip6h->nexthdr;
	outer->len = sizeof(*ip6h);
	outer->ecn = ipv6_get_dsfield(ip6h) & INET_ECN_MASK;
	outer->total = sizeof(*ip6h) + ntohs(ip6h->payload_len);
	return true;
}

/*
 * Extension headers, of which none is taken: if what is behind them is to an endpoint, the reason to drop it, and
 * outer->ep is set. A fragment of UDP that is not the first may be anybody's, and goes to the stack, where it waits
 * in vain for the first one if that was to an endpoint.
 */
static enum l3vpn_drop extensions6(const struct sk_buff *skb, struct outer *outer)
{
	u8 proto = outer->proto;
	__be16 fragment = 0;
	int at = ipv6_skip_exthdr(skb, sizeof(struct ipv6hdr), &proto, &fragment);
	bool cut = false;

	if (at < 0)
		return 0;
	if (proto == NEXTHDR_FRAGMENT) {	/* not the first: the header itself names what it is of */
		struct frag_hdr buffer, *fh = skb_header_pointer(skb, at, sizeof(buffer), &buffer);

		proto = fh ? fh->nexthdr : NEXTHDR_NONE;
		cut = true;
	}
	if (proto != IPPROTO_UDP && proto != IPPROTO_GRE)
		return 0;
	outer->proto = proto;
	if (cut && proto == IPPROTO_UDP)
		return 0;
	if (!is_for_us(skb, outer, at))
		return 0;
	return cut || fragment ? L3VPN_DROP_TUNNEL_FRAGMENT : L3VPN_DROP_TUNNEL_HEADER;
}

static bool header6_good(struct sk_buff *skb)
{
	const struct ipv6hdr *ip6h;
	unsigned int len;

	if (!pskb_may_pull(skb, sizeof(*ip6h)))
		return false;
	ip6h = ipv6_hdr(skb);
	len = ntohs(ip6h->payload_len);
	return len && sizeof(*ip6h) + len <= skb->len && !ipv6_addr_is_multicast(&ip6h->saddr) &&
	       !ipv6_addr_loopback(&ip6h->saddr) && !pskb_trim_rcsum(skb, sizeof(*ip6h) + len);
}

static rx_handler_result_t decap6(struct sk_buff **pskb, struct outer *outer)
{
	struct sk_buff *skb = *pskb;
	enum l3vpn_drop reason = 0;

	if (!parse6(skb, outer) || !known(outer))
		return RX_HANDLER_PASS;
	if (outer->proto == IPPROTO_ICMPV6)
		hear_icmp6(skb, outer);
	if (ipv6_ext_hdr(outer->proto)) {
		reason = extensions6(skb, outer);
		if (!reason)
			return RX_HANDLER_PASS;
	} else if ((outer->proto != IPPROTO_UDP && outer->proto != IPPROTO_GRE) || !is_for_us(skb, outer, outer->len)) {
		return RX_HANDLER_PASS;
	}
	skb = skb_share_check(skb, GFP_ATOMIC);
	if (unlikely(!skb)) {
		l3vpn_drop_count(outer->ln, L3VPN_DROP_NO_MEMORY, NULL, outer->in);
		return RX_HANDLER_CONSUMED;
	}
	*pskb = skb;
	if (!l3vpn_endpoint_accepts(outer->ln, outer->ep, &outer->saddr))
		return outer_drop(skb, outer, L3VPN_DROP_TUNNEL_SOURCE);
	if (reason)
		return outer_drop(skb, outer, reason);
	if (!header6_good(skb) ||
	    (outer->proto == IPPROTO_UDP && !pskb_may_pull(skb, outer->len + sizeof(struct udphdr))))
		return outer_drop(skb, outer, L3VPN_DROP_TUNNEL_HEADER);
	return open_any(skb, outer);
}

rx_handler_result_t l3vpn_decap(struct sk_buff **pskb, struct l3vpn_port *in)
{
	struct outer outer = { .ln = in->ln, .in = in };
	struct sk_buff *skb = *pskb;

	/* to the stack, out of a label that said so: not to be opened again */
	if (l3vpn_burst_is_passing(skb))
		return RX_HANDLER_PASS;
	if (skb->pkt_type != PACKET_HOST || (skb_vlan_tag_present(skb) && skb_vlan_tag_get_id(skb)))
		return RX_HANDLER_PASS;
	switch (skb->protocol) {
	case htons(ETH_P_IP):
		return decap4(pskb, &outer);
	case htons(ETH_P_IPV6):
		return decap6(pskb, &outer);
	default:
		return RX_HANDLER_PASS;
	}
}
