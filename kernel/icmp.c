// SPDX-License-Identifier: GPL-2.0
/*
 * icmp: ICMP and ICMPv6 errors of the data path (RFC 792, 1812, 4443), with the label stack that the
 * packet came with (RFC 4884, 4950).
 *
 * The kernel's own icmp_send() wants a route on the packet and the packet's device to be in the
 * right VRF; neither holds here, so errors are made by hand, sent from an address of the port, or
 * of the VRF, and looked up in the VRF by which the packet came. Where the VRF has no address, IPv4
 * errors come from 192.0.0.8 (RFC 7600); IPv6 has no such address, and there any global one of the
 * router itself serves (RFC 4443 section 2.2, RFC 7404): a sender that is never told the path MTU is worse off.
 * Local sockets are told by the kernel's functions, because their packets do carry a route.
 *
 * Rate (RFC 1812 section 4.3.2.8, RFC 4443 section 2.4 (f)): SOURCE_RATE a second for each source
 * address, in buckets by a hash that nobody outside can guess, and GROUP_RATE for each VRF: however
 * many sources a customer makes up, it gets no more, and takes little from any other's bucket. At
 * a P router, which knows no VRF, the label at the bottom of the stack stands for it.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/inetdevice.h>
#include <linux/jhash.h>
#include <linux/pkt_sched.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <net/addrconf.h>
#include <net/dst_metadata.h>
#include <net/icmp.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>
#include "bucket.h"
#include "forward.h"
#include "icmp.h"
#include "packet.h"

#define SOURCE_RATE	100	/* errors a second */
#define SOURCE_BURST	50
#define GROUP_RATE	1000
#define GROUP_BURST	200
#define BUCKETS		256
#define ERROR4_MAX	576	/* octets of an ICMP error, RFC 1812 section 4.3.2.3 */
#define ERROR6_MAX	IPV6_MIN_MTU
#define ERROR_MIN	256	/* below: no link that IP could use */
#define QUOTE_MIN	128	/* octets quoted where an extension follows, RFC 4884 section 3 */
#define EXT_VERSION	2
#define EXT_CLASS_MPLS	1	/* RFC 4950 */
#define EXT_TYPE_STACK	1
#define TOS_CONTROL	0xc0	/* internetwork control, RFC 1812 section 4.3.2.5 */
#define ERROR_TTL	255

/**
 * struct l3vpn_icmp - of a namespace
 * @seed:	of the hashes
 * @source:	by VRF (or label) and source address
 * @label:	by the label at the bottom of the stack, of packets that are switched
 */
struct l3vpn_icmp {
	u32 seed;
	struct l3vpn_bucket source[BUCKETS];
	struct l3vpn_bucket label[BUCKETS];
};

int l3vpn_icmp_net_init(struct l3vpn_net *ln)
{
	unsigned int i;

	ln->icmp = kvmalloc(sizeof(*ln->icmp), GFP_KERNEL_ACCOUNT);
	if (!ln->icmp)
		return -ENOMEM;
	ln->icmp->seed = get_random_u32();
	for (i = 0; i < BUCKETS; i++) {
		l3vpn_bucket_init(&ln->icmp->source[i], SOURCE_BURST);
		l3vpn_bucket_init(&ln->icmp->label[i], GROUP_BURST);
	}
	return 0;
}

void l3vpn_icmp_net_exit(struct l3vpn_net *ln)
{
	kvfree(ln->icmp);
	ln->icmp = NULL;
}

void l3vpn_icmp_vrf_init(struct l3vpn_vrf *vrf)
{
	l3vpn_bucket_init(&vrf->icmp, GROUP_BURST);
}

static bool rate_allows(const struct l3vpn_pkt *pkt, u32 source)
{
	struct l3vpn_icmp *icmp = pkt->ln->icmp;
	struct l3vpn_bucket *group;
	u32 id;

	if (pkt->entry) {
		id = pkt->entry->id;
		group = &pkt->entry->icmp;
	} else {
		id = pkt->stack_len ? ntohl(pkt->stack[pkt->stack_len - 1]) >> L3VPN_LSE_LABEL_SHIFT : 0;
		group = &icmp->label[jhash_1word(id, icmp->seed) % BUCKETS];
	}
	return l3vpn_bucket_take(&icmp->source[jhash_2words(source, id, icmp->seed) % BUCKETS],
				 SOURCE_RATE, SOURCE_BURST) &&
	       l3vpn_bucket_take(group, GROUP_RATE, GROUP_BURST);
}

/* May an error about the IPv4 packet @offset behind skb->data be sent (RFC 1812 section 4.3.2.7)? */
static bool allowed4(const struct sk_buff *skb, unsigned int offset, const struct iphdr *iph)
{
	const u8 *type;
	u8 buffer;

	if (iph->frag_off & htons(IP_OFFSET))
		return false;
	if (ipv4_is_zeronet(iph->saddr) || ipv4_is_loopback(iph->saddr) ||
	    ipv4_is_multicast(iph->saddr) || ipv4_is_lbcast(iph->saddr) ||
	    ipv4_is_multicast(iph->daddr) || ipv4_is_lbcast(iph->daddr))
		return false;
	if (iph->protocol != IPPROTO_ICMP)
		return true;
	type = skb_header_pointer(skb, offset + iph->ihl * 4, sizeof(buffer), &buffer);
	if (!type)
		return false;
	switch (*type) {
	case ICMP_DEST_UNREACH:
	case ICMP_SOURCE_QUENCH:
	case ICMP_REDIRECT:
	case ICMP_TIME_EXCEEDED:
	case ICMP_PARAMETERPROB:
		return false;
	}
	return *type <= NR_ICMP_TYPES;
}

/* The same for IPv6 (RFC 4443 section 2.4 (e)). */
static bool allowed6(const struct sk_buff *skb, unsigned int offset, const struct ipv6hdr *ip6h)
{
	int at = offset + sizeof(*ip6h);
	__be16 fragment = 0;
	u8 proto = ip6h->nexthdr;
	const u8 *type;
	u8 buffer;

	if (ipv6_addr_any(&ip6h->saddr) || ipv6_addr_is_multicast(&ip6h->saddr) ||
	    ipv6_addr_loopback(&ip6h->saddr) || ipv6_addr_is_multicast(&ip6h->daddr) ||
	    ipv6_addr_type(&ip6h->saddr) & IPV6_ADDR_LINKLOCAL)
		return false;
	at = ipv6_skip_exthdr(skb, at, &proto, &fragment);
	if (at < 0 || fragment & htons(IP6_OFFSET))
		return false;
	if (proto != IPPROTO_ICMPV6)
		return true;
	type = skb_header_pointer(skb, at, sizeof(buffer), &buffer);
	return type && (*type & ICMPV6_INFOMSG_MASK) && *type != NDISC_REDIRECT;
}

/* Where errors about @pkt come from: the port if it is in the packet's VRF, else the VRF. */
static const struct net_device *source_dev(const struct l3vpn_pkt *pkt)
{
	if (!pkt->entry || rcu_access_pointer(pkt->in->vrf) == pkt->entry)
		return pkt->in->dev;
	return pkt->entry->dev;
}

static unsigned int extension_len(const struct l3vpn_pkt *pkt)
{
	return pkt->stack_len ? 8 + pkt->stack_len * L3VPN_LSE_LEN : 0;
}

/* RFC 4884 section 7, RFC 4950 section 3: header, one object, the stack as it was received. */
static void put_extension(struct sk_buff *icmp, const struct l3vpn_pkt *pkt)
{
	unsigned int len = extension_len(pkt);
	u8 *ext = skb_put(icmp, len);

	ext[0] = EXT_VERSION << 4;
	ext[1] = 0;
	ext[2] = 0;
	ext[3] = 0;
	ext[4] = (len - 4) >> 8;
	ext[5] = len - 4;
	ext[6] = EXT_CLASS_MPLS;
	ext[7] = EXT_TYPE_STACK;
	memcpy(ext + 8, pkt->stack, pkt->stack_len * L3VPN_LSE_LEN);
	*(__sum16 *)(ext + 2) = ip_compute_csum(ext, len);
}

/*
 * Append what is quoted of the packet @offset behind skb->data, at most @room octets with the
 * extension. Returns the length of the quotation where an extension follows, in octets, else 0.
 */
static unsigned int put_quotation(struct sk_buff *icmp, const struct sk_buff *skb,
				  unsigned int offset, const struct l3vpn_pkt *pkt,
				  unsigned int room, bool extend)
{
	unsigned int len = skb->len - offset, ext = extend ? extension_len(pkt) : 0, padded;
	u8 *to;

	len = min(len, ext ? (room - ext) & ~7U : room);
	padded = ext ? max_t(unsigned int, ALIGN(len, 8), QUOTE_MIN) : len;
	to = skb_put(icmp, padded);
	memset(to + len, 0, padded - len);
	if (skb_copy_bits(skb, offset, to, len))
		memset(to, 0, len);
	if (ext)
		put_extension(icmp, pkt);
	return ext ? padded : 0;
}

static struct sk_buff *make4(const struct sk_buff *skb, unsigned int offset,
			     const struct iphdr *orig, const struct l3vpn_pkt *pkt,
			     const struct l3vpn_icmp_ask *ask)
{
	unsigned int room = min_t(u32, ERROR4_MAX, ask->room);
	struct sk_buff *icmp = alloc_skb(ask->headroom + room, GFP_ATOMIC);
	struct icmphdr *icmph;
	struct iphdr *iph;
	unsigned int quoted;

	if (!icmp)
		return NULL;
	skb_reserve(icmp, ask->headroom);
	icmp->protocol = htons(ETH_P_IP);
	skb_reset_network_header(icmp);
	iph = skb_put_zero(icmp, sizeof(*iph));
	skb_set_transport_header(icmp, sizeof(*iph));
	icmph = skb_put_zero(icmp, sizeof(*icmph));
	quoted = put_quotation(icmp, skb, offset, pkt, room - sizeof(*iph) - sizeof(*icmph), true);
	switch (ask->what) {
	case L3VPN_ICMP_NET_UNREACHABLE:
		icmph->type = ICMP_DEST_UNREACH;
		icmph->code = ICMP_NET_UNREACH;
		break;
	case L3VPN_ICMP_HOST_UNREACHABLE:
		icmph->type = ICMP_DEST_UNREACH;
		icmph->code = ICMP_HOST_UNREACH;
		break;
	case L3VPN_ICMP_TIME_EXCEEDED:
		icmph->type = ICMP_TIME_EXCEEDED;
		icmph->code = ICMP_EXC_TTL;
		break;
	case L3VPN_ICMP_TOO_BIG:
		icmph->type = ICMP_DEST_UNREACH;
		icmph->code = ICMP_FRAG_NEEDED;
		icmph->un.frag.mtu = htons(ask->mtu);
		break;
	}
	icmph->un.reserved[1] = quoted / 4;	/* RFC 4884 section 4.1: in 32-bit words */
	icmph->checksum = ip_compute_csum(icmph, icmp->len - sizeof(*iph));

	iph->version = 4;
	iph->ihl = 5;
	iph->tos = TOS_CONTROL;
	iph->tot_len = htons(icmp->len);
	iph->frag_off = htons(IP_DF);
	iph->ttl = ERROR_TTL;
	iph->protocol = IPPROTO_ICMP;
	iph->daddr = orig->saddr;
	iph->saddr = inet_select_addr(source_dev(pkt), orig->saddr, RT_SCOPE_LINK);
	if (!iph->saddr)
		iph->saddr = htonl(INADDR_DUMMY);
	ip_send_check(iph);
	return icmp;
}

static void set_type6(struct icmp6hdr *icmph, enum l3vpn_icmp_error what, u32 mtu)
{
	switch (what) {
	case L3VPN_ICMP_NET_UNREACHABLE:
		icmph->icmp6_type = ICMPV6_DEST_UNREACH;
		icmph->icmp6_code = ICMPV6_NOROUTE;
		break;
	case L3VPN_ICMP_HOST_UNREACHABLE:
		icmph->icmp6_type = ICMPV6_DEST_UNREACH;
		icmph->icmp6_code = ICMPV6_ADDR_UNREACH;
		break;
	case L3VPN_ICMP_TIME_EXCEEDED:
		icmph->icmp6_type = ICMPV6_TIME_EXCEED;
		icmph->icmp6_code = ICMPV6_EXC_HOPLIMIT;
		break;
	case L3VPN_ICMP_TOO_BIG:
		icmph->icmp6_type = ICMPV6_PKT_TOOBIG;
		icmph->icmp6_mtu = htonl(mtu);
		break;
	}
}

/* A global address of the routing domain that @dev is in; @dev's own are preferred. */
static bool global_source6(struct net *net, const struct net_device *dev,
			   const struct in6_addr *dest, struct in6_addr *source)
{
	return !ipv6_dev_get_saddr(net, dev, dest, 0, source) &&
	       !(ipv6_addr_type(source) & (IPV6_ADDR_LINKLOCAL | IPV6_ADDR_LOOPBACK));
}

static struct sk_buff *make6(const struct sk_buff *skb, unsigned int offset,
			     const struct ipv6hdr *orig, const struct l3vpn_pkt *pkt,
			     const struct l3vpn_icmp_ask *ask)
{
	unsigned int room = min_t(u32, ERROR6_MAX, ask->room);
	struct in6_addr source, dest = orig->saddr;
	struct icmp6hdr *icmph;
	struct ipv6hdr *ip6h;
	struct sk_buff *icmp;
	unsigned int quoted, len;

	if (!global_source6(pkt->ln->net, source_dev(pkt), &dest, &source) &&
	    !global_source6(pkt->ln->net, pkt->ln->net->loopback_dev, &dest, &source))
		return NULL;
	icmp = alloc_skb(ask->headroom + room, GFP_ATOMIC);
	if (!icmp)
		return NULL;
	skb_reserve(icmp, ask->headroom);
	icmp->protocol = htons(ETH_P_IPV6);
	skb_reset_network_header(icmp);
	ip6h = skb_put_zero(icmp, sizeof(*ip6h));
	skb_set_transport_header(icmp, sizeof(*ip6h));
	icmph = skb_put_zero(icmp, sizeof(*icmph));
	/* packet too big has no room for the length of a quotation */
	quoted = put_quotation(icmp, skb, offset, pkt, room - sizeof(*ip6h) - sizeof(*icmph),
			       ask->what != L3VPN_ICMP_TOO_BIG);
	set_type6(icmph, ask->what, ask->mtu);
	if (quoted)
		icmph->icmp6_dataun.un_data8[0] = quoted / 8;	/* in 64-bit words */
	len = icmp->len - sizeof(*ip6h);

	ip6_flow_hdr(ip6h, TOS_CONTROL, 0);
	ip6h->payload_len = htons(len);
	ip6h->nexthdr = IPPROTO_ICMPV6;
	ip6h->hop_limit = ERROR_TTL;
	ip6h->saddr = source;
	ip6h->daddr = dest;
	icmph->icmp6_cksum = csum_ipv6_magic(&ip6h->saddr, &ip6h->daddr, len, IPPROTO_ICMPV6,
					     csum_partial(icmph, len, 0));
	return icmp;
}

struct sk_buff *l3vpn_icmp_make(struct sk_buff *skb, unsigned int offset, struct l3vpn_pkt *pkt,
				const struct l3vpn_icmp_ask *ask)
{
	struct sk_buff *icmp = NULL;
	u8 buffer, *first = skb_header_pointer(skb, offset, sizeof(buffer), &buffer);

	if (!first || skb->pkt_type != PACKET_HOST || ask->room < ERROR_MIN)
		return NULL;
	if (*first >> 4 == 4) {
		struct iphdr copy, *iph = skb_header_pointer(skb, offset, sizeof(copy), &copy);

		if (iph && iph->ihl >= 5 && allowed4(skb, offset, iph) &&
		    (ask->what != L3VPN_ICMP_TOO_BIG || iph->frag_off & htons(IP_DF)) &&
		    rate_allows(pkt, (__force u32)iph->saddr))
			icmp = make4(skb, offset, iph, pkt, ask);
	} else if (*first >> 4 == 6) {
		struct ipv6hdr copy, *ip6h = skb_header_pointer(skb, offset, sizeof(copy), &copy);

		if (ip6h && allowed6(skb, offset, ip6h) &&
		    rate_allows(pkt, ipv6_addr_hash(&ip6h->saddr)))
			icmp = make6(skb, offset, ip6h, pkt, ask);
	}
	l3vpn_see_icmp(icmp, pkt);
	if (icmp) {
		icmp->priority = TC_PRIO_CONTROL;
		icmp->dev = pkt->in->dev;
	}
	return icmp;
}

/* What an IP packet is of ICMP; else the type of the message. */
enum {
	ICMP_NONE = -1,
	ICMP_REST = -2,		/* a fragment behind the first, or too short to tell */
};

static int icmp_type4(const struct sk_buff *skb)
{
	const u8 *type;
	u8 buffer;

	if (ip_hdr(skb)->protocol != IPPROTO_ICMP)
		return ICMP_NONE;
	if (ip_hdr(skb)->frag_off & htons(IP_OFFSET))
		return ICMP_REST;
	type = skb_header_pointer(skb, ip_hdr(skb)->ihl * 4, sizeof(buffer), &buffer);
	return type ? *type : ICMP_REST;
}

static int icmp_type6(const struct sk_buff *skb)
{
	u8 proto = ipv6_hdr(skb)->nexthdr, buffer;
	__be16 fragment = 0;
	const u8 *type;
	int at = ipv6_skip_exthdr(skb, sizeof(struct ipv6hdr), &proto, &fragment);

	if (at < 0 || fragment & htons(IP6_OFFSET))	/* of what, is not told */
		return ICMP_REST;
	if (proto != IPPROTO_ICMPV6)
		return ICMP_NONE;
	type = skb_header_pointer(skb, at, sizeof(buffer), &buffer);
	return type ? *type : ICMP_REST;
}

/*
 * An answer or an error of the kernel's own ICMP, whole or in fragments: no socket waits to be told, and the socket
 * through which the kernel would tell it is the one that is sending it right now.
 */
static bool is_icmp_answer(const struct sk_buff *skb)
{
	bool v4 = l3vpn_is_ipv4(skb);
	int type = v4 ? icmp_type4(skb) : icmp_type6(skb);

	if (type < 0)
		return type == ICMP_REST;
	if (v4)
		return type != ICMP_ECHO && type != ICMP_TIMESTAMP && type != ICMP_EXT_ECHO;
	return !(type & ICMPV6_INFOMSG_MASK) || type == ICMPV6_ECHO_REPLY || type == ICMPV6_EXT_ECHO_REPLY;
}

/* To a local socket, whose packet carries its route. */
static void tell_socket(struct sk_buff *skb, enum l3vpn_icmp_error what, u32 mtu)
{
	bool v4 = l3vpn_is_ipv4(skb);

	if (is_icmp_answer(skb)) {
		if (what == L3VPN_ICMP_TOO_BIG)
			skb_dst_update_pmtu_no_confirm(skb, mtu);
		return;
	}
	switch (what) {
	case L3VPN_ICMP_NET_UNREACHABLE:
	case L3VPN_ICMP_HOST_UNREACHABLE:
		if (v4)
			icmp_ndo_send(skb, ICMP_DEST_UNREACH,
				      what == L3VPN_ICMP_NET_UNREACHABLE ? ICMP_NET_UNREACH :
				      ICMP_HOST_UNREACH, 0);
		else
			icmpv6_ndo_send(skb, ICMPV6_DEST_UNREACH,
					what == L3VPN_ICMP_NET_UNREACHABLE ? ICMPV6_NOROUTE :
					ICMPV6_ADDR_UNREACH, 0);
		break;
	case L3VPN_ICMP_TOO_BIG:
		skb_dst_update_pmtu_no_confirm(skb, mtu);
		if (v4)
			icmp_ndo_send(skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, htonl(mtu));
		else
			icmpv6_ndo_send(skb, ICMPV6_PKT_TOOBIG, 0, mtu);
		break;
	case L3VPN_ICMP_TIME_EXCEEDED:
		break;		/* the TTL of local packets is not decreased */
	}
}

/* Spoofed: an error would make our own sockets believe that their packets met with it. */
static bool from_ourselves(const struct sk_buff *skb, const struct l3vpn_vrf *vrf)
{
	struct l3vpn_leaf leaf;

	if (l3vpn_is_ipv4(skb))
		leaf = l3vpn_fib_lookup4(&vrf->fib4, ip_hdr(skb)->saddr);
	else
		leaf = l3vpn_fib_lookup6(&vrf->fib6, &ipv6_hdr(skb)->saddr);
	return !l3vpn_leaf_none(leaf) && l3vpn_nh_rcu(l3vpn_leaf_nh(leaf))->kind == L3VPN_NH_KIND_RECEIVE;
}

void l3vpn_icmp_error(struct sk_buff *skb, struct l3vpn_pkt *pkt, enum l3vpn_icmp_error what,
		      u32 mtu)
{
	const struct l3vpn_icmp_ask ask = {
		.what = what,
		.mtu = mtu,
		.room = U32_MAX,
		.headroom = LL_MAX_HEADER + (L3VPN_LABELS_MAX + 1) * L3VPN_LSE_LEN,
	};
	struct sk_buff *icmp;

	if (!pkt->in) {
		if (skb_valid_dst(skb))
			tell_socket(skb, what, mtu);
		return;
	}
	if (from_ourselves(skb, pkt->entry))
		return;
	icmp = l3vpn_icmp_make(skb, 0, pkt, &ask);
	if (icmp)
		l3vpn_forward(icmp, pkt->entry, NULL);
}
