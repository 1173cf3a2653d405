// SPDX-License-Identifier: GPL-2.0
/*
 * icmp: ICMP and ICMPv6 errors of the data path (RFC 792, 1812, 4443), with the label stack that the
 * packet came with (RFC 4884, 4950).
 *
 * The kernel's own icmp_send() wants a route on the packet and the packet's device to be in the
 * right VRF; neither holds here, so errors are made by hand, sent from an address of the port, or
 * of the VRF, or else from 192.0.0.8 (RFC 7600), and looked up in the VRF by which the packet came.
 * Local sockets are told by the kernel's functions, because their packets do carry a route.
 *
 * Rate: L3VPN_ICMP_RATE a second for each of a number of buckets by VRF and source address, so that one
 * customer's flood takes no other's errors away.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/inetdevice.h>
#include <linux/jhash.h>
#include <linux/jiffies.h>
#include <linux/pkt_sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <net/addrconf.h>
#include <net/dst_metadata.h>
#include <net/icmp.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>
#include "forward.h"
#include "icmp.h"
#include "packet.h"

#define RATE		100	/* tokens a second */
#define BURST		50
#define BUCKETS		256
#define ERROR4_MAX	576	/* octets of an ICMP error, RFC 1812 section 4.3.2.3 */
#define ERROR6_MAX	IPV6_MIN_MTU
#define QUOTE_MIN	128	/* octets quoted where an extension follows, RFC 4884 section 3 */
#define EXT_VERSION	2
#define EXT_CLASS_MPLS	1	/* RFC 4950 */
#define EXT_TYPE_STACK	1
#define TOS_CONTROL	0xc0	/* internetwork control, RFC 1812 section 4.3.2.5 */
#define ERROR_TTL	255

/**
 * struct bucket - of tokens
 * @lock:	softirq
 * @stamp:	jiffies at which @tokens was true
 * @tokens:	in units of 1 / HZ
 */
struct bucket {
	spinlock_t lock;	/* protects the others */
	unsigned long stamp;
	u32 tokens;
};

struct l3vpn_icmp {
	struct bucket bucket[BUCKETS];
};

int l3vpn_icmp_net_init(struct l3vpn_net *ln)
{
	unsigned int i;

	ln->icmp = kvmalloc(sizeof(*ln->icmp), GFP_KERNEL_ACCOUNT);
	if (!ln->icmp)
		return -ENOMEM;
	for (i = 0; i < BUCKETS; i++) {
		spin_lock_init(&ln->icmp->bucket[i].lock);
		ln->icmp->bucket[i].stamp = jiffies;
		ln->icmp->bucket[i].tokens = BURST * HZ;
	}
	return 0;
}

void l3vpn_icmp_net_exit(struct l3vpn_net *ln)
{
	kvfree(ln->icmp);
	ln->icmp = NULL;
}

static bool rate_allows(const struct l3vpn_pkt *pkt, u32 source)
{
	u32 hash = jhash_2words(source, pkt->entry ? pkt->entry->id : L3VPN_VRF_GLOBAL, 0);
	struct bucket *bucket = &pkt->ln->icmp->bucket[hash % BUCKETS];
	unsigned long elapsed;
	bool allowed;

	spin_lock(&bucket->lock);
	elapsed = min(jiffies - bucket->stamp, (unsigned long)HZ);
	bucket->stamp = jiffies;
	bucket->tokens = min_t(u32, bucket->tokens + elapsed * RATE, BURST * HZ);
	allowed = bucket->tokens >= HZ;
	if (allowed)
		bucket->tokens -= HZ;
	spin_unlock(&bucket->lock);
	return allowed;
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
			     enum l3vpn_icmp_error what, u32 mtu, unsigned int headroom)
{
	struct sk_buff *icmp = alloc_skb(headroom + ERROR4_MAX, GFP_ATOMIC);
	struct icmphdr *icmph;
	struct iphdr *iph;
	unsigned int quoted;

	if (!icmp)
		return NULL;
	skb_reserve(icmp, headroom);
	icmp->protocol = htons(ETH_P_IP);
	skb_reset_network_header(icmp);
	iph = skb_put_zero(icmp, sizeof(*iph));
	skb_set_transport_header(icmp, sizeof(*iph));
	icmph = skb_put_zero(icmp, sizeof(*icmph));
	quoted = put_quotation(icmp, skb, offset, pkt, ERROR4_MAX - sizeof(*iph) - sizeof(*icmph),
			       true);
	switch (what) {
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
		icmph->un.frag.mtu = htons(mtu);
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

static struct sk_buff *make6(const struct sk_buff *skb, unsigned int offset,
			     const struct ipv6hdr *orig, const struct l3vpn_pkt *pkt,
			     enum l3vpn_icmp_error what, u32 mtu, unsigned int headroom)
{
	struct in6_addr source, dest = orig->saddr;
	struct icmp6hdr *icmph;
	struct ipv6hdr *ip6h;
	struct sk_buff *icmp;
	unsigned int quoted, len;

	if (ipv6_dev_get_saddr(pkt->ln->net, source_dev(pkt), &dest, 0, &source) ||
	    ipv6_addr_type(&source) & IPV6_ADDR_LINKLOCAL)
		return NULL;
	icmp = alloc_skb(headroom + ERROR6_MAX, GFP_ATOMIC);
	if (!icmp)
		return NULL;
	skb_reserve(icmp, headroom);
	icmp->protocol = htons(ETH_P_IPV6);
	skb_reset_network_header(icmp);
	ip6h = skb_put_zero(icmp, sizeof(*ip6h));
	skb_set_transport_header(icmp, sizeof(*ip6h));
	icmph = skb_put_zero(icmp, sizeof(*icmph));
	/* packet too big has no room for the length of a quotation */
	quoted = put_quotation(icmp, skb, offset, pkt, ERROR6_MAX - sizeof(*ip6h) - sizeof(*icmph),
			       what != L3VPN_ICMP_TOO_BIG);
	set_type6(icmph, what, mtu);
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
				enum l3vpn_icmp_error what, u32 mtu, unsigned int headroom)
{
	struct sk_buff *icmp = NULL;
	u8 buffer, *first = skb_header_pointer(skb, offset, sizeof(buffer), &buffer);

	if (!first || skb->pkt_type != PACKET_HOST)
		return NULL;
	headroom += LL_MAX_HEADER;
	if (*first >> 4 == 4) {
		struct iphdr copy, *iph = skb_header_pointer(skb, offset, sizeof(copy), &copy);

		if (iph && iph->ihl >= 5 && allowed4(skb, offset, iph) &&
		    (what != L3VPN_ICMP_TOO_BIG || iph->frag_off & htons(IP_DF)) &&
		    rate_allows(pkt, (__force u32)iph->saddr))
			icmp = make4(skb, offset, iph, pkt, what, mtu, headroom);
	} else if (*first >> 4 == 6) {
		struct ipv6hdr copy, *ip6h = skb_header_pointer(skb, offset, sizeof(copy), &copy);

		if (ip6h && allowed6(skb, offset, ip6h) &&
		    rate_allows(pkt, ipv6_addr_hash(&ip6h->saddr)))
			icmp = make6(skb, offset, ip6h, pkt, what, mtu, headroom);
	}
	if (icmp) {
		icmp->priority = TC_PRIO_CONTROL;
		icmp->dev = pkt->in->dev;
	}
	return icmp;
}

/* To a local socket, whose packet carries its route. */
static void tell_socket(struct sk_buff *skb, enum l3vpn_icmp_error what, u32 mtu)
{
	bool v4 = l3vpn_is_ipv4(skb);

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
	const struct l3vpn_leaf *leaf;

	if (l3vpn_is_ipv4(skb))
		leaf = l3vpn_fib_lookup4(&vrf->fib4, ip_hdr(skb)->saddr);
	else
		leaf = l3vpn_fib_lookup6(&vrf->fib6, &ipv6_hdr(skb)->saddr);
	return leaf && l3vpn_nh_rcu(leaf->nh)->kind == L3VPN_NH_KIND_RECEIVE;
}

void l3vpn_icmp_error(struct sk_buff *skb, struct l3vpn_pkt *pkt, enum l3vpn_icmp_error what,
		      u32 mtu)
{
	struct sk_buff *icmp;

	if (!pkt->in) {
		if (skb_valid_dst(skb))
			tell_socket(skb, what, mtu);
		return;
	}
	if (from_ourselves(skb, pkt->entry))
		return;
	icmp = l3vpn_icmp_make(skb, 0, pkt, what, mtu, (L3VPN_LABELS_MAX + 1) * L3VPN_LSE_LEN);
	if (icmp)
		l3vpn_forward(icmp, pkt->entry, NULL);
}
