// SPDX-License-Identifier: GPL-2.0
/*
 * packet_fuzz: the judge. skb->mark names the packet and its domain; a packet made on the way (an ICMP
 * error, a socket's answer) has no mark and is laid to the packet being fed. Looked at, for each frame that a
 * device is to send, for each packet that the stack is given, and for each packet fed:
 *
 *   - A's packets leave by A's ports, or by a core port under a label of A's routes, in a tunnel or not; B's
 *     likewise; what is switched from core to core leaves by core ports; what has a label that nobody has leaves
 *     nowhere
 *   - no label leaves by a port that is not a core port
 *   - what leaves has right lengths and a right IPv4 checksum, our MAC address, and fits; a TTL below that with
 *     which it came; the octets that came in, but for what forwarding changes, in each fragment too
 *   - a packet is sent, or given to the stack, or dropped with a reason that was counted, or it waits for a
 *     neighbour; what is neither is lost; what waits is freed in the end (feed.c's unload, "outstanding")
 *   - somebody else's clone of a packet has the octets that it had (fuzz_judge_clone())
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/jhash.h>
#include <linux/module.h>
#include <linux/mpls.h>
#include <linux/slab.h>
#include <net/ip.h>
#include <net/ndisc.h>

#include "fuzz.h"
#include "vrf.h"

#define MARK_OURS	0x80000000U
#define MARK_DOMAIN	28
#define MARK_NUMBER	0x0fffffffU
#define HEAD_MAX	256	/* octets of a frame that are looked at for its headers */
#define DELIVERIES_MAX	4
#define REPORT_MAX	3600
#define SMALLEST_MTU	560	/* of all devices, less what labels may take */

enum count {
	FED, SENT_CUSTOMER, SENT_CORE, SENT_GLOBAL, SENT_UNMARKED, FRAGMENTS, GSO, COMPARED, TO_PORT, TO_VRF,
	TO_HOST, DROPPED, ERRORS, WAITED, REFUSED, OTHERS, CLONES, VIOLATIONS, COUNTS
};

static const char * const count_name[COUNTS] = {
	"fed", "sent_customer", "sent_core", "sent_global", "sent_unmarked", "fragments", "gso", "compared",
	"to_port", "to_vrf", "to_host", "dropped", "errors", "waited", "refused", "others", "clones",
	"violations"
};

static atomic64_t counts[COUNTS];
static atomic_t outstanding;		/* skbs with our destructor */

/* The packet being fed; of the CPU that feeds it alone. */
static struct {
	int cpu;			/* -1: none */
	struct sk_buff *skb;
	const struct fuzz_frame *f;
	struct l3vpn_net *ln;
	u64 number;
	enum fuzz_domain domain;
	enum fuzz_kind kind;
	u32 l3;				/* where the layer 3 header or label stack is */
	u32 ip;				/* where the IP header is, below the labels; 0: there is none */
	u32 partial;			/* where the checksum starts that is to be completed, 0: it is not */
	u32 partial_field;
	bool complete;			/* skb->csum was right */
	bool tagged;
	bool known;			/* of a type that the judge sees delivered */
	bool gso;
	bool shared;
	bool fed;			/* now softirqs run, the timers' too */
	bool freed;
	bool cut;			/* by a core port, a fragment */
	bool outer;			/* by a core port, to an endpoint's address, and looks like a tunnel's */
	bool host;			/* given to the global table by a route of its VRF */
	u32 sent;
	u32 delivered;
	u64 drops;			/* before, then of this packet */
	u8 other;			/* addressed to another host */
} cur = { .cpu = -1 };

static u8 *out;				/* a frame that leaves, flat; for the current packet */
static u64 refused_before;
static bool strict = true;
static DEFINE_SPINLOCK(report_lock);	/* protects the report */
static char report[REPORT_MAX + 300];
static u32 report_len;

static void count(enum count what)
{
	atomic64_inc(&counts[what]);
}

static bool is_current(void)
{
	return READ_ONCE(cur.cpu) == raw_smp_processor_id() && (in_softirq() || !preemptible());
}

static void violation(const char *what, const struct net_device *dev, const u8 *head, u32 len)
{
	unsigned long flags;

	count(VIOLATIONS);
	spin_lock_irqsave(&report_lock, flags);
	if (report_len < REPORT_MAX - 700) {
		report_len += scnprintf(report + report_len, 200, "%s: packet %llu, domain %d, kind %d, %s",
					what, is_current() ? cur.number : 0, is_current() ? cur.domain : 0,
					is_current() ? cur.kind : 0, dev ? dev->name : "-");
		if (is_current())
			report_len += scnprintf(report + report_len, 220, "\n in  %*phN",
						min(cur.f->len, 64U), cur.f->data);
		if (head)
			report_len += scnprintf(report + report_len, 220, "\n out %*phN", min(len, 64U), head);
		report[report_len++] = '\n';
		report[report_len] = 0;
	}
	spin_unlock_irqrestore(&report_lock, flags);
}

/* What is fed */

/* Will a core port that serves as such look into @skb? */
static bool is_for_router(const struct fuzz_target *target, const struct sk_buff *skb)
{
	const u8 *tag = cur.f->data + ETH_HLEN;

	if (target->kind != FUZZ_CORE || skb->pkt_type != PACKET_HOST)
		return false;
	if (cur.tagged)		/* one priority tag is taken off */
		return cur.l3 == ETH_HLEN + VLAN_HLEN && !(fuzz_get16(tag) & VLAN_VID_MASK) &&
		       !skb_vlan_tag_present(skb);
	return !(skb_vlan_tag_present(skb) && skb_vlan_tag_get_id(skb));
}

static void look_at_input(const struct fuzz_target *target, const struct sk_buff *skb)
{
	const struct fuzz_frame *f = cur.f;
	u32 bottom, at, labels = 0;
	u16 type;

	cur.domain = target->domain;
	cur.kind = target->kind;
	cur.ip = 0;
	cur.cut = false;
	cur.outer = false;
	cur.known = false;
	cur.l3 = fuzz_find_l3(f->data, f->len, &type);
	cur.tagged = cur.l3 != ETH_HLEN;
	if (!cur.l3)
		return;
	cur.known = type == ETH_P_IP || type == ETH_P_IPV6 || type == ETH_P_ARP || type == ETH_P_MPLS_UC;
	at = cur.l3;
	if (is_for_router(target, skb)) {
		cur.cut = fuzz_is_fragment(f->data, f->len, at, type);
		labels = fuzz_skip_outer(f->data, f->len, at, type, true);
	}
	if (labels) {
		cur.outer = true;
		at = labels;
		type = ETH_P_MPLS_UC;
	}
	if (type == ETH_P_MPLS_UC) {
		if (target->kind == FUZZ_CORE)
			cur.domain = fuzz_label_domain(f->data, f->len, at);
		at = fuzz_skip_labels(f->data, f->len, at, &bottom);
		if (!at)
			return;
	} else if (type != ETH_P_IP && type != ETH_P_IPV6) {
		return;
	}
	if (at + sizeof(struct iphdr) <= f->len && f->data[at] >> 4 == 4)
		cur.ip = at;
	else if (at + sizeof(struct ipv6hdr) <= f->len && f->data[at] >> 4 == 6)
		cur.ip = at;
}

static void freed(struct sk_buff *skb)
{
	if (is_current() && skb == cur.skb)
		cur.freed = true;
	atomic_dec(&outstanding);
	module_put(THIS_MODULE);
}

static u64 all_drops(void)
{
	u64 sum = 0;
	u32 i;

	if (!cur.ln)
		return 0;
	for (i = 0; i <= L3VPN_DROP_REASON_MAX; i++)
		sum += u64_stats_read(&this_cpu_ptr(cur.ln->drops)->packets[i]);
	return sum;
}

void fuzz_judge_begin(const struct fuzz_frame *f, const struct fuzz_target *target,
		      struct sk_buff *skb, u64 number, struct net_device *vrf, bool shared)
{
	cur.skb = skb;
	cur.f = f;
	cur.ln = vrf ? l3vpn_vrf_of(vrf)->ln : NULL;
	cur.number = number;
	look_at_input(target, skb);
	if (target->kind == FUZZ_LOCAL && skb_network_offset(skb) != cur.l3)
		cur.ip = 0;		/* a socket that says that it is elsewhere */
	cur.gso = skb_is_gso(skb);
	cur.partial = 0;
	if (skb->ip_summed == CHECKSUM_PARTIAL) {
		cur.partial = f->len - skb->len + skb_checksum_start_offset(skb);
		cur.partial_field = cur.partial + skb->csum_offset;
	}
	cur.complete = skb->ip_summed == CHECKSUM_COMPLETE;
	cur.shared = shared;
	cur.freed = false;
	cur.fed = false;
	cur.host = false;
	cur.sent = 0;
	cur.delivered = 0;
	cur.other = skb->pkt_type == PACKET_OTHERHOST || skb->pkt_type == PACKET_LOOPBACK;
	cur.drops = all_drops();
	skb->mark = MARK_OURS | cur.domain << MARK_DOMAIN | (number & MARK_NUMBER);
	if (!shared) {
		skb->destructor = freed;
		atomic_inc(&outstanding);
		__module_get(THIS_MODULE);
	}
	WRITE_ONCE(cur.cpu, smp_processor_id());
	count(FED);
}

void fuzz_judge_fed(void)
{
	cur.drops = all_drops() - cur.drops;
	cur.fed = true;
}

/* Has a device refused a packet, with a count of its own, since this was last asked? */
static bool kernel_refused(struct net *net)
{
	struct net_device *dev;
	enum fuzz_kind kind;
	u64 now = 0;
	bool more;

	rcu_read_lock();
	for_each_netdev_rcu(net, dev)
		if (fuzz_device_domain(dev, &kind) != FUZZ_NOBODY && kind != FUZZ_LOCAL)
			now += fuzz_device_refused(dev);
	rcu_read_unlock();
	more = now != refused_before;
	refused_before = now;
	return more;
}

/* Nothing came of it that was seen: why not? */
static void vanished(struct net *net)
{
	bool whole = !cur.gso && cur.f->len - cur.l3 <= SMALLEST_MTU;

	if (cur.drops) {
		count(DROPPED);
		if (cur.drops > 2 && whole && strict)
			violation("counted as dropped more than once", NULL, NULL, 0);
		return;
	}
	if (!cur.freed && !cur.shared) {
		count(WAITED);
		return;
	}
	if (cur.other) {
		count(OTHERS);
		return;
	}
	if (cur.cut) {
		count(WAITED);
		return;
	}
	if (!cur.ln || !strict) {
		count(REFUSED);
		return;
	}
	/* the pieces of a packet that was cut wait without it, and so does what a shared one was copied to */
	if (cur.shared || !whole) {
		count(WAITED);
		return;
	}
	/* what the kernel has no use for; a tag with nothing behind it, which it does not take off */
	if (((!cur.known || cur.tagged) && (cur.kind == FUZZ_CORE || cur.kind == FUZZ_HOST)) ||
	    (cur.tagged && (!cur.l3 || cur.f->len < cur.l3 + 2))) {
		count(OTHERS);
		return;
	}
	if (kernel_refused(net)) {
		count(REFUSED);
		return;
	}
	violation("neither sent, delivered, dropped nor waiting", NULL, NULL, 0);
}

void fuzz_judge_end(struct net *net)
{
	bool customer = cur.domain == FUZZ_A || cur.domain == FUZZ_B;

	if (!cur.sent && !cur.delivered)
		vanished(net);
	else if (strict && customer && cur.sent && cur.delivered && !cur.gso)
		violation("sent and delivered", NULL, NULL, 0);
	else if (strict && cur.sent == 1 && !cur.delivered && cur.drops && !cur.gso)
		violation("sent and counted as dropped", NULL, NULL, 0);
	if (cur.gso)
		count(GSO);
	WRITE_ONCE(cur.cpu, -1);
}

/* What leaves */

/* Link-local protocols of the kernel's own, and its timers' late ICMP errors. */
static bool kernels_own(const u8 *head, u32 at, u32 len, u16 type)
{
	const u8 *p = head + at;

	if (type == ETH_P_ARP)
		return true;
	if (type == ETH_P_MPLS_UC)
		type = at && *p >> 4 == 4 ? ETH_P_IP : ETH_P_IPV6;
	if (type == ETH_P_IP && at && at < len && at + (*p & 15) * 4 + 2 <= len) {
		u8 type4 = p[(p[0] & 15) * 4], code4 = p[(p[0] & 15) * 4 + 1];

		return p[9] == IPPROTO_IGMP ||
		       (p[9] == IPPROTO_ICMP && type4 == ICMP_TIME_EXCEEDED && code4 == ICMP_EXC_FRAGTIME);
	}
	if (type == ETH_P_IPV6 && at && at + 50 <= len) {
		if (p[6] == NEXTHDR_HOP)
			return p[40] == IPPROTO_ICMPV6;		/* MLD */
		if (p[6] != IPPROTO_ICMPV6)
			return false;
		return (p[40] >= NDISC_ROUTER_SOLICITATION && p[40] <= NDISC_REDIRECT) ||
		       (p[40] == ICMPV6_TIME_EXCEED && p[41] == ICMPV6_EXC_FRAGTIME);
	}
	return false;
}

static void check_domain(const struct net_device *dev, enum fuzz_domain domain, enum fuzz_kind to,
			 enum fuzz_domain to_domain, bool labelled, u32 label, const u8 *head, u32 len)
{
	bool customer = domain == FUZZ_A || domain == FUZZ_B;

	if (domain == FUZZ_NOBODY) {
		violation("nobody's packet leaves", dev, head, len);
		return;
	}
	switch (to) {
	case FUZZ_CUSTOMER:
		if (to_domain != domain)
			violation("leaves by another's port", dev, head, len);
		break;
	case FUZZ_CORE:
		if (customer && !labelled)
			violation("a customer's packet enters the core without a label", dev, head, len);
		else if (domain == FUZZ_A && (label < FUZZ_VPN_A || label >= FUZZ_VPN_B))
			violation("leaves under a label that is not A's", dev, head, len);
		else if (domain == FUZZ_B && (label < FUZZ_VPN_B || label >= FUZZ_VPN_END))
			violation("leaves under a label that is not B's", dev, head, len);
		break;
	default:
		if (domain != FUZZ_GLOBAL)
			violation("leaves by a port of the global table", dev, head, len);
	}
}

/* Lengths and checksum of the IP header at @at of @skb, of which @len octets are in @head; @padded: more may follow. */
static void check_ip(const struct sk_buff *skb, const struct net_device *dev, const u8 *head, u32 len,
		     u32 at, bool padded)
{
	const struct iphdr *iph = (const struct iphdr *)(head + at);
	u32 rest = skb->len - at;

	if (padded && iph->version == 4)
		rest = min_t(u32, rest, ntohs(iph->tot_len));
	else if (padded && at + sizeof(struct ipv6hdr) <= len)
		rest = min_t(u32, rest, ntohs(((const struct ipv6hdr *)iph)->payload_len) + sizeof(struct ipv6hdr));

	if (at + sizeof(*iph) > len) {
		violation("leaves without an IP header", dev, head, len);
	} else if (iph->version == 4) {
		if (iph->ihl < 5 || at + iph->ihl * 4 > len || ip_fast_csum(iph, iph->ihl))
			violation("leaves with a wrong IPv4 checksum", dev, head, len);
		else if (!skb_is_gso(skb) && ntohs(iph->tot_len) != rest)
			violation("leaves with a wrong IPv4 length", dev, head, len);
	} else if (iph->version == 6) {
		const struct ipv6hdr *ip6h = (const struct ipv6hdr *)iph;

		if (!skb_is_gso(skb) && ntohs(ip6h->payload_len) + sizeof(*ip6h) != rest)
			violation("leaves with a wrong IPv6 length", dev, head, len);
	} else {
		violation("leaves with no IP version", dev, head, len);
	}
}

/* What forwarding may change, as zero: TTL, DSCP, header checksum; of fragments what makes them so. */
static void mask_header(u8 *p, bool fragment)
{
	if (p[0] >> 4 == 4) {
		p[1] = 0;
		p[8] = 0;
		memset(p + 10, 0, 2);
		if (fragment) {
			p[0] = 0;
			memset(p + 2, 0, 2);
			memset(p + 6, 0, 2);
		}
	} else {
		p[0] &= 0xf0;
		p[1] &= 0x0f;
		p[7] = 0;
	}
}

static bool same_masked(const u8 *a, const u8 *b, u32 len, bool fragment)
{
	u8 x[40], y[40];

	memcpy(x, a, len);
	memcpy(y, b, len);
	mask_header(x, fragment);
	mask_header(y, fragment);
	return !memcmp(x, y, len);
}

/* The octets at @a, @skip octets into what came in behind @from, are those that came in? */
static bool same_octets(const u8 *a, u32 from, u32 len)
{
	const u8 *b = cur.f->data + from;
	u32 field = cur.partial_field;

	if (from + len > cur.f->len)
		return false;
	if (!cur.partial || field + 2 <= from || field >= from + len)
		return !memcmp(a, b, len);
	if (field > from && memcmp(a, b, field - from))
		return false;
	return field + 2 >= from + len ||
	       !memcmp(a + field + 2 - from, b + field + 2 - from, from + len - field - 2);
}

/* The frame in @out, whose IP header is at @at, against the current packet. */
static void compare(const struct net_device *dev, u32 len, u32 at)
{
	const u8 *in = cur.f->data + cur.ip, *p = out + at;
	u32 header_in, header, offset = 0, n = len - at;
	bool fragment = false;

	if (in[0] >> 4 != p[0] >> 4) {
		violation("another IP version leaves", dev, out, len);
		return;
	}
	if (in[0] >> 4 == 4) {
		header_in = (in[0] & 15) * 4;
		header = (p[0] & 15) * 4;
		fragment = fuzz_get16(in + 6) != fuzz_get16(p + 6) || fuzz_get16(in + 2) != fuzz_get16(p + 2);
		offset = (fuzz_get16(p + 6) & IP_OFFSET) - (fuzz_get16(in + 6) & IP_OFFSET);
		offset *= 8;
		if (p[8] > in[8] || (cur.kind == FUZZ_CUSTOMER && p[8] >= in[8]))
			violation("the TTL is not less than it was", dev, out, len);
	} else {
		header_in = header = sizeof(struct ipv6hdr);
		if (p[7] > in[7] || (cur.kind == FUZZ_CUSTOMER && p[7] >= in[7]))
			violation("the hop limit is not less than it was", dev, out, len);
	}
	if (fragment)
		count(FRAGMENTS);
	if (!fragment && header != header_in)
		violation("the header's length is another", dev, out, len);
	else if (!same_masked(in, p, fragment ? sizeof(struct iphdr) : min(header, 40U), fragment))
		violation("the header was changed", dev, out, len);
	else if (!same_octets(p + header, cur.ip + header_in + offset, n - header))
		violation("the payload was changed", dev, out, len);
	count(COMPARED);
}

/* Is @skb, to be sent, the current packet in whole or in part, to be compared octet by octet? */
static void check_current(struct sk_buff *skb, const struct net_device *dev, u32 at)
{
	cur.sent++;
	if (cur.gso || skb->len > FUZZ_FRAME_MAX || !cur.ip || !at || skb->len < at + sizeof(struct iphdr))
		return;
	if (cur.domain == FUZZ_GLOBAL || (cur.domain == FUZZ_TRANSIT && (cur.f->mutated || cur.ip != cur.f->ip)))
		return;		/* the kernel's own work, or nothing that we looked at */
	if (skb_copy_bits(skb, 0, out, skb->len)) {
		violation("cannot be read", dev, NULL, 0);
		return;
	}
	if (cur.f->data[cur.ip] >> 4 == 6 && skb->len < at + sizeof(struct ipv6hdr))
		return;
	compare(dev, skb->len, at);
}

void fuzz_judge_sent(struct sk_buff *skb, struct net_device *dev)
{
	bool marked = skb->mark & MARK_OURS, mine, labelled, tunnelled = false, whole = false;
	enum fuzz_domain domain, to_domain;
	u32 len = min_t(u32, skb->len, HEAD_MAX), at, bottom = 0, label = 0, labels;
	u8 head[HEAD_MAX];
	enum fuzz_kind to;
	u16 type;

	to_domain = fuzz_device_domain(dev, &to);
	if (skb_copy_bits(skb, 0, head, len)) {
		violation("cannot be read", dev, NULL, 0);
		return;
	}
	count(to == FUZZ_CUSTOMER ? SENT_CUSTOMER : to == FUZZ_CORE ? SENT_CORE : SENT_GLOBAL);
	at = fuzz_find_l3(head, len, &type);
	if (!at) {
		violation("too short a frame leaves", dev, head, len);
		return;
	}
	labelled = type == ETH_P_MPLS_UC || type == ETH_P_MPLS_MC;
	if (labelled && to != FUZZ_CORE)
		violation("a label leaves by a port that is not of the core", dev, head, len);
	/* a tunnel's outer packet is the provider's, and has no customer's mark */
	labels = to == FUZZ_CORE && !marked ? fuzz_skip_outer(head, len, at, type, false) : 0;
	if (labels) {
		tunnelled = true;
		labelled = true;
		at = labels;
	}
	if (labelled) {
		at = fuzz_skip_labels(head, len, at, &bottom);
		if (at)
			label = fuzz_get32(head + bottom) >> MPLS_LS_LABEL_SHIFT;
	}
	if (!marked) {
		count(SENT_UNMARKED);
		whole = tunnelled && is_current() && skb == cur.skb;
		if (!strict || !is_current() || (!whole && (cur.fed || kernels_own(head, at, len, type))))
			return;		/* not strict: what is no port now is the host's, who may answer */
		if (!whole)
			count(ERRORS);
	}
	mine = is_current() && (marked ? (skb->mark & MARK_NUMBER) == (cur.number & MARK_NUMBER) : whole);
	domain = marked ? skb->mark >> MARK_DOMAIN & 7 : cur.domain;
	if (!marked && cur.host && domain != FUZZ_NOBODY && to != FUZZ_CUSTOMER)
		return;			/* the host's answer: that is what the next hop HOST is for */
	if (labelled && !at && domain != FUZZ_TRANSIT)
		violation("a label stack without an end leaves", dev, head, len);
	check_domain(dev, domain, to, to_domain, labelled, label, head, len);
	if (memcmp(head + ETH_ALEN, dev->dev_addr, ETH_ALEN) && strict)
		violation("leaves with another's MAC address", dev, head, len);
	if (at && (type == ETH_P_IP || type == ETH_P_IPV6 || labelled) &&
	    (domain == FUZZ_A || domain == FUZZ_B || (!marked && !tunnelled) ||
	     (mine && !cur.f->mutated && cur.ip && cur.ip == cur.f->ip)))
		check_ip(skb, dev, head, len, at, domain == FUZZ_TRANSIT);
	if (strict && !skb_is_gso(skb) && skb->len - ETH_HLEN > dev->mtu && domain != FUZZ_GLOBAL)
		violation("is too big for the port", dev, head, len);
	if (mine)
		check_current(skb, dev, at);
}

/* What the stack is given */

static bool to_host_route(const struct sk_buff *skb)
{
	const u8 *p = skb->data;

	if (skb_headlen(skb) >= sizeof(struct iphdr) && p[0] >> 4 == 4)
		return fuzz_get32(p + 16) >> 8 == 0xcb0071;
	return skb_headlen(skb) >= sizeof(struct ipv6hdr) && fuzz_get32(p + 24) == 0x20010db8 &&
	       fuzz_get16(p + 28) == 0xcb;
}

static int delivered(struct sk_buff *skb, struct net_device *dev, struct packet_type *pt,
		     struct net_device *orig_dev)
{
	enum fuzz_domain domain = skb->mark >> MARK_DOMAIN & 7, to_domain;
	u32 len = min_t(u32, skb_headlen(skb), 64);
	enum fuzz_kind to;

	if (!(skb->mark & MARK_OURS))
		goto out;
	/* a priority tag around another tag, a device that is no port now: the kernel's own MPLS, which is off */
	if (skb->protocol == htons(ETH_P_MPLS_UC) && (!strict || (is_current() && cur.tagged)))
		goto out;
	to_domain = fuzz_device_domain(dev, &to);
	/* the endpoint is gone just now, or its address, or the port is none: an outer packet is the host's */
	if (!strict && to == FUZZ_CORE && is_current() && cur.outer)
		goto out;
	count(dev->flags & IFF_LOOPBACK ? TO_HOST : to == FUZZ_LOCAL ? TO_VRF : TO_PORT);
	if (domain == FUZZ_NOBODY || domain == FUZZ_TRANSIT) {
		violation("the stack is given what is not for it", dev, skb->data, len);
	} else if (dev->flags & IFF_LOOPBACK) {
		if (domain != FUZZ_GLOBAL && !to_host_route(skb))
			violation("the global stack is given a customer's packet", dev, skb->data, len);
	} else if (domain != to_domain) {
		violation("another's stack is given it", dev, skb->data, len);
	}
	if (is_current() && (skb->mark & MARK_NUMBER) == (cur.number & MARK_NUMBER)) {
		if (++cur.delivered == DELIVERIES_MAX)
			violation("delivered again and again", dev, skb->data, len);
		cur.host |= !!(dev->flags & IFF_LOOPBACK);
		if (cur.complete && skb->ip_summed == CHECKSUM_COMPLETE &&
		    csum_fold(skb_checksum(skb, 0, skb->len, 0)) != csum_fold(skb->csum))
			violation("the checksum of the packet was not kept", dev, skb->data, len);
	}
out:
	consume_skb(skb);
	return NET_RX_SUCCESS;
}

static struct packet_type deliver_ip __read_mostly = {
	.type = htons(ETH_P_IP), .func = delivered,
};
static struct packet_type deliver_ip6 __read_mostly = {
	.type = htons(ETH_P_IPV6), .func = delivered,
};
static struct packet_type deliver_arp __read_mostly = {
	.type = htons(ETH_P_ARP), .func = delivered,
};
static struct packet_type deliver_mpls __read_mostly = {
	.type = htons(ETH_P_MPLS_UC), .func = delivered,
};

/* Clones */

u32 fuzz_judge_sum(const struct sk_buff *skb)
{
	return (__force u32)csum_fold(skb_checksum(skb, 0, skb->len, 0));
}

void fuzz_judge_clone(const struct sk_buff *clone, u32 sum)
{
	u8 now[64];
	u32 len = min_t(u32, clone->len, sizeof(now));

	count(CLONES);
	if (cur.domain == FUZZ_GLOBAL)
		return;			/* the kernel's own way: it cuts lists of skbs where a clone still reads */
	if (fuzz_judge_sum(clone) == sum || skb_copy_bits(clone, 0, now, len))
		return;
	preempt_disable();
	WRITE_ONCE(cur.cpu, smp_processor_id());	/* it was the current one until now */
	violation("somebody else's clone was written to", NULL, now, len);
	WRITE_ONCE(cur.cpu, -1);
	preempt_enable();
}

/* For whoever runs it */

int fuzz_judge_counts(char *buffer)
{
	int len = 0;
	u32 i;

	for (i = 0; i < COUNTS; i++)
		len += scnprintf(buffer + len, PAGE_SIZE - len, "%s %lld\n", count_name[i],
				 atomic64_read(&counts[i]));
	return len + scnprintf(buffer + len, PAGE_SIZE - len, "outstanding %d\n", atomic_read(&outstanding));
}

int fuzz_judge_report(char *buffer)
{
	unsigned long flags;
	int len;

	spin_lock_irqsave(&report_lock, flags);
	len = scnprintf(buffer, PAGE_SIZE, "%s", report);
	spin_unlock_irqrestore(&report_lock, flags);
	return len;
}

void fuzz_judge_strict(bool is)
{
	strict = is;
}

u64 fuzz_judge_violations(void)
{
	return atomic64_read(&counts[VIOLATIONS]);
}

int fuzz_judge_init(void)
{
	out = kvmalloc(FUZZ_FRAME_MAX, GFP_KERNEL);
	if (!out)
		return -ENOMEM;
	dev_add_pack(&deliver_ip);
	dev_add_pack(&deliver_ip6);
	dev_add_pack(&deliver_arp);
	dev_add_pack(&deliver_mpls);
	return 0;
}

void fuzz_judge_exit(void)
{
	dev_remove_pack(&deliver_ip);
	dev_remove_pack(&deliver_ip6);
	dev_remove_pack(&deliver_arp);
	dev_remove_pack(&deliver_mpls);
	kvfree(out);
}
