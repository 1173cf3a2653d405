// SPDX-License-Identifier: GPL-2.0
/*
 * encap: the outer headers of a tunnel: MPLS in UDP (RFC 7510) or in GRE (RFC 4023), over IPv4 or IPv6. What has
 * them goes out as the namespace's own packets do: by netfilter and the route that was found (tunnel.c).
 */
#include <linux/if_ether.h>
#include <linux/udp.h>
#include <net/dst.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/udp.h>
#include "encap.h"
#include "flow.h"
#include "peer.h"
#include "port.h"
#include "tunnel.h"

#define SPORT_MIN	49152	/* RFC 7510 section 3: two bits set, 14 bits of entropy */
#define SPORT_BITS	14
#define OUTER_TTL	255

/* RFC 2784 without options */
struct gre_base {
	__be16 flags;
	__be16 protocol;
};

bool l3vpn_way_into_tunnel(const struct sk_buff *skb, struct l3vpn_pkt *pkt, struct l3vpn_way *way)
{
	const struct l3vpn_nh_data *data = l3vpn_nh_rcu(way->nh);

	if (data->kind != L3VPN_NH_KIND_TUNNEL)
		return false;
	if (!pkt->hashed) {
		pkt->hash = l3vpn_flow_hash_skb(skb);
		pkt->hashed = true;
	}
	way->tunnel = &data->tunnel;
	way->dst = l3vpn_tunnel_route(way->tunnel, pkt->hash);
	return true;
}

unsigned int l3vpn_encap_headroom(const struct l3vpn_way *way)
{
	return l3vpn_tunnel_overhead(way->tunnel) + LL_RESERVED_SPACE(way->dst->dev) + way->dst->header_len;
}

u32 l3vpn_encap_mtu(const struct l3vpn_way *way)
{
	u32 mtu = l3vpn_tunnel_path_mtu(way->tunnel, way->dst), used = l3vpn_tunnel_overhead(way->tunnel);

	return mtu > used ? mtu - used : 0;
}

/* Of a flow's hash, whose lowest bits have chosen among the routes: others. */
static u32 entropy(u32 hash, unsigned int bits)
{
	return hash * 0x9e3779b1U >> (32 - bits);
}

static void push_udp(struct sk_buff *skb, const struct l3vpn_tunnel *tunnel, u32 hash)
{
	struct udphdr *uh = __skb_push(skb, sizeof(*uh));

	skb_reset_transport_header(skb);
	uh->source = htons(SPORT_MIN | entropy(hash, SPORT_BITS));
	uh->dest = htons(tunnel->dport);
	uh->len = htons(skb->len);
	uh->check = 0;
	if (!tunnel->checksum)
		skb->ip_summed = CHECKSUM_NONE;
	else if (tunnel->family == AF_INET)
		udp_set_csum(false, skb, tunnel->local.s6_addr32[0], tunnel->peer->key.addr.s6_addr32[0], skb->len);
	else
		udp6_set_csum(false, skb, &tunnel->local, &tunnel->peer->key.addr, skb->len);
}

static void push_gre(struct sk_buff *skb)
{
	struct gre_base *gre = __skb_push(skb, sizeof(*gre));

	skb_reset_transport_header(skb);
	gre->flags = 0;
	gre->protocol = htons(ETH_P_MPLS_UC);
	skb->ip_summed = CHECKSUM_NONE;
}

static void push_ip4(struct sk_buff *skb, const struct l3vpn_tunnel *tunnel, u8 proto, u8 tos)
{
	struct iphdr *iph = __skb_push(skb, sizeof(*iph));

	skb_reset_network_header(skb);
	iph->version = 4;
	iph->ihl = 5;
	iph->tos = tos;
	iph->tot_len = htons(skb->len);
	iph->id = 0;			/* RFC 6864 section 4.1: never a fragment */
	iph->frag_off = htons(IP_DF);	/* RFC 4023 section 5.1 */
	iph->ttl = OUTER_TTL;
	iph->protocol = proto;
	iph->saddr = tunnel->local.s6_addr32[0];
	iph->daddr = tunnel->peer->key.addr.s6_addr32[0];
	ip_send_check(iph);
	skb->protocol = htons(ETH_P_IP);
	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
}

static void push_ip6(struct sk_buff *skb, const struct l3vpn_tunnel *tunnel, u8 proto, u8 tos, u32 hash)
{
	unsigned int len = skb->len;
	struct ipv6hdr *ip6h = __skb_push(skb, sizeof(*ip6h));

	skb_reset_network_header(skb);
	/* RFC 6438: for those who look at nothing else */
	ip6_flow_hdr(ip6h, tos, htonl(entropy(hash, 20) | 1));
	ip6h->payload_len = htons(len);
	ip6h->nexthdr = proto;
	ip6h->hop_limit = OUTER_TTL;
	ip6h->saddr = tunnel->local;
	ip6h->daddr = tunnel->peer->key.addr;
	skb->protocol = htons(ETH_P_IPV6);
	memset(IP6CB(skb), 0, sizeof(*IP6CB(skb)));
}

static void count(const struct sk_buff *skb, const struct l3vpn_pkt *pkt, const struct l3vpn_way *way,
		  const struct l3vpn_port *out)
{
	if (pkt->vrf)
		l3vpn_count_tx(pkt->vrf->counters, pkt->segments, skb->len);
	if (out)
		l3vpn_count_tx(out->counters, pkt->segments, skb->len);
	l3vpn_tunnel_count(way->tunnel, pkt->segments, skb->len);
	if (way->path)
		l3vpn_path_count(way->path, pkt->segments, skb->len);
}

void l3vpn_encap(struct sk_buff *skb, const struct l3vpn_pkt *pkt, const struct l3vpn_way *way)
{
	u8 tos = l3vpn_lse_tc(ntohl(*(__be32 *)skb->data)) << 5;	/* class selector (RFC 2474), not ECN-capable */
	bool udp = way->tunnel->encap == L3VPN_ENCAP_UDP;
	const struct l3vpn_port *out = l3vpn_port_of(way->dst->dev);
	u8 proto = udp ? IPPROTO_UDP : IPPROTO_GRE;
	struct net *net = pkt->ln->net;

	/* a packet of the provider's, of which nothing of a customer's mark, connection or socket's route is left */
	skb_scrub_packet(skb, true);
	skb_clear_hash(skb);
	skb->encapsulation = 0;
	if (udp)
		push_udp(skb, way->tunnel, pkt->hash);
	else
		push_gre(skb);
	if (way->tunnel->family == AF_INET)
		push_ip4(skb, way->tunnel, proto, tos);
	else
		push_ip6(skb, way->tunnel, proto, tos, pkt->hash);
	count(skb, pkt, way, out);
	l3vpn_see_encap(pkt, way);
	l3vpn_see_send(skb, pkt, out);
	skb_dst_set_noref(skb, way->dst);
	if (way->tunnel->family == AF_INET)
		ip_local_out(net, NULL, skb);
	else
		ip6_local_out(net, NULL, skb);
}
