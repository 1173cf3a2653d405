// SPDX-License-Identifier: GPL-2.0
/*
 * packet_fuzz: right frames, for the addresses and labels of packets.py's network: IPv4 with options and
 * fragments, IPv6 with extension headers, UDP, TCP, ICMP and its errors with their quotations, ARP, neighbour
 * discovery, and label stacks, in tunnels too.
 */
#include <linux/etherdevice.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_arp.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ip6_checksum.h>
#include <net/mpls.h>
#include <net/ndisc.h>

#include "fuzz.h"

#define ROUTES_FIRST	64	/* 10.64.0.0/16, 2001:db8:40::/48 .. */
#define ROUTES		24
#define LABEL_ENTRIES	24
#define DEPTH_MAX	12

static void put8(struct fuzz_frame *f, u8 v)
{
	if (f->len < FUZZ_FRAME_MAX)
		f->data[f->len++] = v;
}

static void put16(struct fuzz_frame *f, u16 v)
{
	put8(f, v >> 8);
	put8(f, v);
}

static void put32(struct fuzz_frame *f, u32 v)
{
	put16(f, v >> 16);
	put16(f, v);
}

static void put_random(struct fuzz_rand *r, struct fuzz_frame *f, u32 n)
{
	u32 v;

	n = min_t(u32, n, FUZZ_FRAME_MAX - f->len);
	for (; n >= sizeof(v); n -= sizeof(v), f->len += sizeof(v)) {
		v = fuzz_next(r);
		memcpy(f->data + f->len, &v, sizeof(v));
	}
	while (n--)
		put8(f, fuzz_next(r));
}

static void set16(struct fuzz_frame *f, u32 at, u16 v)
{
	f->data[at] = v >> 8;
	f->data[at + 1] = v;
}

/* Addresses */

static u32 address4(struct fuzz_rand *r, bool source)
{
	static const u32 known[] = {
		0x0a010001, 0x0a010002, 0x0a010003,	/* a0, b0: ours, a neighbour, one who is silent */
		0x0a020001, 0x0a020002,			/* a1, b1 */
		0x0a0200ff, 0x0affffff,
		0xc0000201, 0xc0000202, 0xc0000205,	/* the core's */
		0xc6336401, 0xc6336402,			/* the global table's */
		0xcb007101, 0xcb007102,			/* through next hop HOST */
		0xe0000001, 0xe0000005, 0xe0000009, 0xef010203,
		0xffffffff, 0, 0x7f000001, 0x7fffffff, 0xa9fe0001, 0xc0000008,
	};
	u32 pick = fuzz_below(r, 100);

	if (pick < (source ? 15 : 70))
		return 0x0a000000 | (ROUTES_FIRST + fuzz_below(r, ROUTES)) << 16 | (fuzz_next(r) & 0xffff);
	if (pick < 75 && source)
		return 0x0a010002 + 0x10000 * fuzz_below(r, 2);
	if (pick < 97)
		return fuzz_pick(r, known);
	return fuzz_next(r);
}

static void address6(struct fuzz_rand *r, bool source, struct in6_addr *a)
{
	static const u8 known[][16] = {
		{ 0x20, 0x01, 0x0d, 0xb8, 0, 1, [15] = 1 }, { 0x20, 0x01, 0x0d, 0xb8, 0, 1, [15] = 2 },
		{ 0x20, 0x01, 0x0d, 0xb8, 0, 1, [15] = 3 }, { 0x20, 0x01, 0x0d, 0xb8, 0, 2, [15] = 1 },
		{ 0x20, 0x01, 0x0d, 0xb8, 0, 0x0c, [15] = 1 }, { 0x20, 0x01, 0x0d, 0xb8, 0, 0x99, [15] = 1 },
		{ 0x20, 0x01, 0x0d, 0xb8, 0, 0xcb, [15] = 1 },
		{ 0xff, 0x02, [15] = 1 }, { 0xff, 0x02, [15] = 2 }, { 0xff, 0x02, [15] = 5 },
		{ 0xff, 0x02, [15] = 9 }, { 0xff, 0x02, [11] = 1, 0xff, 0, 0, 1 },
		{ 0xff, 0x05, [15] = 2 }, { [15] = 0 }, { [15] = 1 },
		{ [10] = 0xff, 0xff, 10, 1, 0, 2 }, { 0xfe, 0x80, [15] = 2 },
		{ 0xfe, 0x80, [11] = 0xff, 0xfe, 0, 'a', '0' },
	};
	u32 pick = fuzz_below(r, 100);

	memset(a, 0, sizeof(*a));
	if (pick < (source ? 15 : 70)) {
		a->s6_addr32[0] = htonl(0x20010db8);
		a->s6_addr32[1] = htonl((ROUTES_FIRST + fuzz_below(r, ROUTES)) << 16 |
					(fuzz_next(r) & 0xffff));
		a->s6_addr32[3] = htonl(fuzz_next(r));
	} else if (pick < 75 && source) {
		memcpy(a, known[1], 16);
		a->s6_addr[5] += fuzz_below(r, 2);
	} else if (pick < 98) {
		memcpy(a, fuzz_pick(r, known), 16);
	} else {
		a->s6_addr32[0] = htonl(fuzz_next(r));
		a->s6_addr32[1] = htonl(fuzz_next(r));
		a->s6_addr32[2] = htonl(fuzz_next(r));
		a->s6_addr32[3] = htonl(fuzz_next(r));
	}
}

static u32 payload_len(struct fuzz_rand *r)
{
	static const u16 edges[] = { 520, 548, 556, 572, 580, 600, 1208, 1232, 1240, 1260, 1280, 1420,
				     1440, 1452, 1460, 1472, 1480 };
	u32 pick = fuzz_below(r, 100);

	if (pick < 55)
		return fuzz_below(r, 80);
	if (pick < 80)
		return fuzz_pick(r, edges) + fuzz_below(r, 24) - 12;
	if (pick < 96)
		return fuzz_below(r, 1500);
	return fuzz_below(r, 9000);
}

/* Transport */

static void put_quotation(struct fuzz_rand *r, struct fuzz_frame *f, bool v6)
{
	struct in6_addr a;
	u32 i;

	if (v6) {
		put32(f, 6 << 28);
		put16(f, 8 + fuzz_below(r, 64));
		put8(f, fuzz_percent(r, 50) ? IPPROTO_UDP : IPPROTO_ICMPV6);
		put8(f, 64);
		for (i = 0; i < 2; i++) {
			address6(r, !i, &a);
			memcpy(f->data + f->len, &a, 16);
			f->len += 16;
		}
	} else {
		put8(f, 0x45);
		put8(f, 0);
		put16(f, 28 + fuzz_below(r, 64));
		put32(f, 0x10000);
		put8(f, 64);
		put8(f, fuzz_percent(r, 50) ? IPPROTO_UDP : IPPROTO_ICMP);
		put16(f, 0);
		put32(f, address4(r, true));
		put32(f, address4(r, false));
	}
	put_random(r, f, 8 + fuzz_below(r, 200));
}

static void put_icmp(struct fuzz_rand *r, struct fuzz_frame *f, bool v6)
{
	static const u8 errors4[] = { ICMP_DEST_UNREACH, ICMP_SOURCE_QUENCH, ICMP_REDIRECT,
				      ICMP_TIME_EXCEEDED, ICMP_PARAMETERPROB };
	bool error = fuzz_percent(r, 40);

	if (error)
		put8(f, v6 ? 1 + fuzz_below(r, 4) : fuzz_pick(r, errors4));
	else
		put8(f, fuzz_percent(r, 90) ? (v6 ? ICMPV6_ECHO_REQUEST : ICMP_ECHO) : fuzz_next(r));
	put8(f, fuzz_percent(r, 90) ? fuzz_below(r, 6) : fuzz_next(r));
	put16(f, 0);
	put32(f, fuzz_percent(r, 80) ? fuzz_below(r, 2000) : fuzz_next(r));
	if (error)
		put_quotation(r, f, v6);
	else
		put_random(r, f, payload_len(r));
}

static void put_ndisc(struct fuzz_rand *r, struct fuzz_frame *f)
{
	struct in6_addr a;

	put8(f, NDISC_ROUTER_SOLICITATION + fuzz_below(r, 5));
	put8(f, 0);
	put16(f, 0);
	put32(f, fuzz_next(r));
	address6(r, false, &a);
	memcpy(f->data + f->len, &a, 16);
	f->len += 16;
	if (fuzz_percent(r, 70)) {
		put8(f, 1 + fuzz_below(r, 3));
		put8(f, fuzz_below(r, 8) ? 1 : fuzz_below(r, 4));
		put_random(r, f, 6);
	}
}

static void put_udp(struct fuzz_rand *r, struct fuzz_frame *f)
{
	static const u16 ports[] = { 53, 520, 521, 646, 1701, 3784, 4789, 6635, 33434 };
	u32 len = payload_len(r);

	put16(f, fuzz_next(r));
	put16(f, fuzz_percent(r, 50) ? fuzz_pick(r, ports) : fuzz_next(r));
	put16(f, 8 + len);
	put16(f, 0);
	put_random(r, f, len);
}

static void put_tcp(struct fuzz_rand *r, struct fuzz_frame *f)
{
	u32 options = fuzz_below(r, 11);

	put16(f, fuzz_next(r));
	put16(f, fuzz_percent(r, 50) ? 179 : fuzz_next(r));
	put32(f, fuzz_next(r));
	put32(f, fuzz_next(r));
	put8(f, (5 + options) << 4);
	put8(f, fuzz_percent(r, 70) ? 0x10 : fuzz_next(r));
	put16(f, fuzz_next(r));
	put32(f, 0);
	put_random(r, f, options * 4);
	put_random(r, f, payload_len(r));
}

static void put_l4(struct fuzz_rand *r, struct fuzz_frame *f, u8 proto, bool v6)
{
	f->l4 = f->len;
	f->proto = proto;
	switch (proto) {
	case IPPROTO_UDP:
		put_udp(r, f);
		break;
	case IPPROTO_TCP:
		put_tcp(r, f);
		break;
	case IPPROTO_ICMP:
		put_icmp(r, f, false);
		break;
	case IPPROTO_ICMPV6:
		if (fuzz_percent(r, 25))
			put_ndisc(r, f);
		else
			put_icmp(r, f, v6);
		break;
	default:
		put_random(r, f, payload_len(r));
	}
}

static u8 some_proto(struct fuzz_rand *r, u8 icmp)
{
	static const u8 others[] = { IPPROTO_IGMP, 89, 112, IPPROTO_ESP, IPPROTO_SCTP, IPPROTO_IPIP,
				     IPPROTO_IPV6, IPPROTO_GRE, IPPROTO_MPLS, IPPROTO_NONE };
	u32 pick = fuzz_below(r, 100);

	if (pick < 40)
		return IPPROTO_UDP;
	if (pick < 65)
		return IPPROTO_TCP;
	if (pick < 90)
		return icmp;
	return fuzz_pick(r, others);
}

/* The transport checksum, where there is one to set: neighbour discovery is not heard without. */
static void fix_l4(struct fuzz_frame *f, u32 pseudo, u32 len)
{
	u32 field, fold;
	__sum16 sum;

	switch (f->proto) {
	case IPPROTO_ICMP:
		pseudo = 0;
		fallthrough;
	case IPPROTO_ICMPV6:
		field = 2;
		break;
	case IPPROTO_TCP:
		field = 16;
		break;
	case IPPROTO_UDP:
		field = 6;
		break;
	default:
		return;
	}
	if (len < field + 2)
		return;
	set16(f, f->l4 + field, 0);
	fold = (__force u32)csum_partial(f->data + f->l4, len, (__force __wsum)pseudo);
	sum = csum_fold((__force __wsum)fold);
	memcpy(f->data + f->l4 + field, &sum, 2);
}

/* IPv4 */

void fuzz_fix_ipv4(struct fuzz_frame *f, u32 ip)
{
	struct iphdr *iph = (struct iphdr *)(f->data + ip);

	if (ip + sizeof(*iph) > f->len || iph->ihl < 5 || ip + iph->ihl * 4 > f->len)
		return;
	iph->check = 0;
	iph->check = ip_fast_csum(iph, iph->ihl);
}

static void put_options(struct fuzz_rand *r, struct fuzz_frame *f)
{
	static const u8 kinds[] = { IPOPT_RR, IPOPT_TIMESTAMP, IPOPT_LSRR, IPOPT_SSRR, IPOPT_RA, IPOPT_SEC,
				    IPOPT_SID, 0x9e };
	u32 end = f->len + 4 * (1 + fuzz_below(r, 10));

	while (f->len < end) {
		u32 left = end - f->len, len;

		if (left < 3 || fuzz_percent(r, 20)) {
			put8(f, fuzz_percent(r, 70) ? IPOPT_NOOP : IPOPT_END);
			continue;
		}
		len = fuzz_percent(r, 95) ? min(left, 3 + fuzz_below(r, 12)) : fuzz_below(r, 60);
		put8(f, fuzz_pick(r, kinds));
		put8(f, len);
		put8(f, fuzz_percent(r, 80) ? 4 : fuzz_next(r));
		if (len > 3)
			put_random(r, f, min(len - 3, end - f->len));
	}
}

static u8 some_ttl(struct fuzz_rand *r)
{
	static const u8 ttls[] = { 0, 1, 2, 3, 64, 128, 255 };

	return fuzz_percent(r, 75) ? 64 : fuzz_pick(r, ttls);
}

static void put_ipv4(struct fuzz_rand *r, struct fuzz_frame *f)
{
	bool fragment = fuzz_percent(r, 10);
	struct iphdr *iph;
	u32 ip = f->len;
	u16 frag = 0;

	f->ip = ip;
	if (fuzz_percent(r, 40))
		frag |= IP_DF;
	if (fragment)
		frag = (fuzz_percent(r, 70) ? IP_MF : 0) |
		       (fuzz_percent(r, 50) ? fuzz_below(r, 400) : 0);
	put8(f, 0x45);
	put8(f, fuzz_percent(r, 50) ? 0 : fuzz_next(r));
	put16(f, 0);
	put16(f, fragment ? fuzz_below(r, 4) : fuzz_next(r));
	put16(f, frag);
	put8(f, some_ttl(r));
	put8(f, some_proto(r, IPPROTO_ICMP));
	put16(f, 0);
	put32(f, address4(r, true));
	put32(f, address4(r, false));
	if (fuzz_percent(r, 8)) {
		put_options(r, f);
		f->data[ip] = 0x40 | (f->len - ip) / 4;
	}
	put_l4(r, f, f->data[ip + 9], false);
	if (fragment && (frag & IP_MF))		/* all but the last are multiples of eight */
		f->len -= (f->len - f->l4) & 7;
	set16(f, ip + 2, f->len - ip);
	iph = (struct iphdr *)(f->data + ip);
	if (!fragment)
		fix_l4(f, (__force u32)csum_tcpudp_nofold(iph->saddr, iph->daddr, f->len - f->l4,
							  f->proto, 0), f->len - f->l4);
	fuzz_fix_ipv4(f, ip);
}

/* IPv6 */

static void put_extensions(struct fuzz_rand *r, struct fuzz_frame *f, u32 next_at, u8 proto)
{
	static const u8 kinds[] = { NEXTHDR_HOP, NEXTHDR_ROUTING, NEXTHDR_FRAGMENT, NEXTHDR_DEST,
				    NEXTHDR_AUTH };
	u32 i, n = fuzz_percent(r, 80) ? 1 + fuzz_below(r, 3) : fuzz_below(r, 9);

	for (i = 0; i < n; i++) {
		u8 kind = fuzz_pick(r, kinds), units = fuzz_percent(r, 80) ? 0 : fuzz_below(r, 4);
		u32 at = f->len;

		f->data[next_at] = kind;
		next_at = at;
		put8(f, 0);
		if (kind == NEXTHDR_FRAGMENT) {
			put8(f, 0);
			put16(f, (fuzz_percent(r, 50) ? 0 : fuzz_below(r, 200) << 3) | fuzz_below(r, 2));
			put32(f, fuzz_below(r, 4));
			continue;
		}
		put8(f, kind == NEXTHDR_AUTH ? units + 1 : units);
		if (kind == NEXTHDR_ROUTING) {
			put8(f, fuzz_percent(r, 50) ? 4 : fuzz_below(r, 5));
			put8(f, fuzz_below(r, 3));
			put_random(r, f, 4 + units * 8);
		} else if (kind == NEXTHDR_AUTH) {
			put_random(r, f, 10 + units * 4);
		} else {	/* PadN, or something to look at */
			u32 len = 4 + units * 8;

			put8(f, fuzz_percent(r, 70) ? 1 : fuzz_next(r));
			put8(f, len);
			put_random(r, f, len);
		}
	}
	f->data[next_at] = proto;
}

static void put_ipv6(struct fuzz_rand *r, struct fuzz_frame *f)
{
	u8 proto = some_proto(r, IPPROTO_ICMPV6);
	u32 ip = f->len, i;
	struct ipv6hdr *h;
	struct in6_addr a;

	f->ip = ip;
	put32(f, 6 << 28 | (fuzz_percent(r, 50) ? 0 : fuzz_next(r) & 0x0fffffff));
	put16(f, 0);
	put8(f, proto);
	put8(f, some_ttl(r));
	for (i = 0; i < 2; i++) {
		address6(r, !i, &a);
		memcpy(f->data + f->len, &a, 16);
		f->len += 16;
	}
	if (fuzz_percent(r, 12))
		put_extensions(r, f, ip + 6, proto);
	put_l4(r, f, proto, true);
	if (proto == IPPROTO_ICMPV6 && f->data[f->l4] >= NDISC_ROUTER_SOLICITATION &&
	    f->data[f->l4] <= NDISC_REDIRECT)
		f->data[ip + 7] = 255;
	set16(f, ip + 4, f->len - ip - sizeof(*h));
	h = (struct ipv6hdr *)(f->data + ip);
	fix_l4(f, ~(__force u32)csum_unfold(csum_ipv6_magic(&h->saddr, &h->daddr, f->len - f->l4, proto, 0)) &
	       0xffff, f->len - f->l4);
}

static void put_ip(struct fuzz_rand *r, struct fuzz_frame *f)
{
	if (f->data[f->len - 1] == (ETH_P_IPV6 & 0xff))
		put_ipv6(r, f);
	else
		put_ipv4(r, f);
}

/* Others */

static void put_arp(struct fuzz_rand *r, struct fuzz_frame *f)
{
	put16(f, ARPHRD_ETHER);
	put16(f, ETH_P_IP);
	put16(f, 0x0604);
	put16(f, 1 + fuzz_below(r, 2));
	put8(f, 6);
	put_random(r, f, 5);
	put32(f, address4(r, true));
	put_random(r, f, 6);
	put32(f, address4(r, false));
	put_random(r, f, fuzz_below(r, 20));
}

static u32 some_label(struct fuzz_rand *r)
{
	static const u16 bases[] = { 1000, 2000, 3000 };
	u32 pick = fuzz_below(r, 100);

	if (pick < 85)
		return fuzz_pick(r, bases) + fuzz_below(r, LABEL_ENTRIES);
	if (pick < 95)
		return fuzz_below(r, 16);
	return fuzz_next(r) & 0xfffff;
}

static void put_entry(struct fuzz_rand *r, struct fuzz_frame *f, u32 label, bool bottom)
{
	put32(f, label << MPLS_LS_LABEL_SHIFT | fuzz_below(r, 8) << MPLS_LS_TC_SHIFT |
		 bottom << MPLS_LS_S_SHIFT | some_ttl(r));
}

static void put_labels(struct fuzz_rand *r, struct fuzz_frame *f)
{
	u32 depth = fuzz_percent(r, 70) ? 1 : 1 + fuzz_below(r, fuzz_percent(r, 80) ? 4 : DEPTH_MAX), i;
	u32 nulls = fuzz_percent(r, 10) ? 1 + fuzz_below(r, 5) : 0;
	bool v6 = fuzz_percent(r, 40);

	for (i = 0; i < nulls + depth; i++) {
		bool bottom = i + 1 == nulls + depth;
		u32 label = i < nulls ? 2 * fuzz_below(r, 2) : some_label(r);
		bool entropy = fuzz_percent(r, 8);

		put_entry(r, f, label, bottom && !entropy);
		if (entropy) {
			put_entry(r, f, MPLS_LABEL_ENTROPY, false);
			put_entry(r, f, 16 + fuzz_below(r, 1048560), bottom);
		}
	}
	if (fuzz_percent(r, 3))		/* a pseudowire's control word, or nothing */
		put_random(r, f, fuzz_below(r, 60));
	else if (v6)
		put_ipv6(r, f);
	else
		put_ipv4(r, f);
}

/* Tunnels */

static void put_outer4(struct fuzz_rand *r, struct fuzz_frame *f, u8 proto)
{
	static const u8 end[] = FUZZ_END4;
	u32 source = fuzz_percent(r, 85) ? 0xc0000202 : address4(r, true), i;

	put8(f, 0x45);
	put8(f, fuzz_percent(r, 80) ? 0 : fuzz_next(r));
	put16(f, 0);
	put16(f, fuzz_next(r));
	put16(f, IP_DF);
	put8(f, some_ttl(r));
	put8(f, proto);
	put16(f, 0);
	put32(f, source);
	for (i = 0; i < sizeof(end); i++)
		put8(f, end[i]);
}

static void put_outer6(struct fuzz_rand *r, struct fuzz_frame *f, u8 proto)
{
	static const u8 neighbour[16] = { 0x20, 0x01, 0x0d, 0xb8, 0, 0x0c, [15] = 2 }, end[16] = FUZZ_END6;
	struct in6_addr other;
	u32 i;

	address6(r, true, &other);
	put32(f, 6 << 28 | (fuzz_percent(r, 80) ? 0 : fuzz_next(r) & 0x0fffffff));
	put16(f, 0);
	put8(f, proto);
	put8(f, some_ttl(r));
	if (fuzz_percent(r, 85))
		memcpy(&other, neighbour, sizeof(neighbour));
	for (i = 0; i < 16; i++)
		put8(f, other.s6_addr[i]);
	for (i = 0; i < 16; i++)
		put8(f, end[i]);
}

static void put_gre(struct fuzz_rand *r, struct fuzz_frame *f)
{
	static const u16 odd[] = { 0x8000, 0x2000, 0x1000, 0x3000, 0xb000, 0x4000, 0x0800, 0x0001 };
	u16 flags = fuzz_percent(r, 80) ? 0 : fuzz_pick(r, odd);

	put16(f, flags);
	put16(f, fuzz_percent(r, 97) ? ETH_P_MPLS_UC : fuzz_next(r));
	for (; flags & 0xb000; flags &= flags - 1)
		put32(f, fuzz_next(r));
}

/* A label stack and more, in UDP or GRE, to the router's end of tunnels. */
static void put_tunnel(struct fuzz_rand *r, struct fuzz_frame *f, bool v6)
{
	u32 outer = f->len, udp = 0;
	bool gre = fuzz_percent(r, 40);

	f->tunnel = true;
	if (v6)
		put_outer6(r, f, gre ? IPPROTO_GRE : IPPROTO_UDP);
	else
		put_outer4(r, f, gre ? IPPROTO_GRE : IPPROTO_UDP);
	if (gre) {
		put_gre(r, f);
	} else {
		udp = f->len;
		put16(f, 0xc000 | fuzz_next(r));
		put16(f, fuzz_percent(r, 95) ? FUZZ_PORT : fuzz_next(r));
		put16(f, 0);
		put16(f, fuzz_percent(r, 92) ? 0 : fuzz_next(r));
	}
	put_labels(r, f);
	if (udp)
		set16(f, udp + 4, f->len - udp);
	set16(f, outer + (v6 ? 4 : 2), f->len - outer - (v6 ? sizeof(struct ipv6hdr) : 0));
	if (!v6)
		fuzz_fix_ipv4(f, outer);
}

static void put_mac(struct fuzz_rand *r, struct fuzz_frame *f, const struct net_device *dev)
{
	u32 pick = fuzz_below(r, 100);

	if (pick < 92)
		memcpy(f->data, dev->dev_addr, ETH_ALEN);
	else if (pick < 94)
		eth_broadcast_addr(f->data);
	else if (pick < 98)
		memcpy(f->data, fuzz_percent(r, 50) ? "\x33\x33\0\0\0\1" : "\1\0\x5e\0\0\5", ETH_ALEN);
	else
		memcpy(f->data, "\2\0\0\0zz", ETH_ALEN);
	memcpy(f->data + ETH_ALEN, "\6\0\0\0", 4);
	f->data[10] = dev->dev_addr[4];
	f->data[11] = dev->dev_addr[5];
	f->len = 2 * ETH_ALEN;
}

void fuzz_generate(struct fuzz_rand *r, const struct fuzz_target *target, struct fuzz_frame *f)
{
	static const u16 odd[] = { ETH_P_MPLS_UC, ETH_P_MPLS_MC, ETH_P_PAE, ETH_P_LLDP, ETH_P_PPP_SES, 0x0026 };
	u32 pick = fuzz_below(r, 100);
	u16 type;

	f->ip = 0;
	f->l4 = 0;
	f->proto = 0;
	f->tunnel = false;
	f->mutated = false;
	put_mac(r, f, target->dev);
	if (fuzz_percent(r, 4)) {
		put16(f, fuzz_percent(r, 80) ? ETH_P_8021Q : ETH_P_8021AD);
		put16(f, fuzz_percent(r, 50) ? 0 : fuzz_next(r));
	}
	if (target->kind == FUZZ_CORE && pick < 60)
		type = ETH_P_MPLS_UC;
	else if (pick < 3)
		type = fuzz_pick(r, odd);
	else if (pick < 7 && target->kind != FUZZ_LOCAL)
		type = ETH_P_ARP;
	else
		type = fuzz_percent(r, 60) ? ETH_P_IP : ETH_P_IPV6;
	put16(f, type);
	f->at = f->len;
	switch (type) {
	case ETH_P_MPLS_UC:
		put_labels(r, f);
		break;
	case ETH_P_ARP:
		put_arp(r, f);
		break;
	case ETH_P_IP:
	case ETH_P_IPV6:
		/* by customers' ports too, where nothing is ever taken out of them */
		if (fuzz_percent(r, target->kind == FUZZ_CORE ? 75 : 4))
			put_tunnel(r, f, type == ETH_P_IPV6);
		else
			put_ip(r, f);
		break;
	default:
		put_random(r, f, fuzz_below(r, 300));
	}
	if (f->len < ETH_ZLEN && fuzz_percent(r, 50))
		put_random(r, f, ETH_ZLEN - f->len);	/* padding, not all zero */
}
