// SPDX-License-Identifier: GPL-2.0
/*
 * trace: one packet's way, written down step by step. Everything here is off the fast path: the
 * static key in front of each hook (trace.h) is off unless somebody watches.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/slab.h>
#include <net/genetlink.h>
#include <net/mpls.h>

#include "flow.h"
#include "forward.h"
#include "ilm.h"
#include "netlink.h"
#include "nexthop.h"
#include "packet.h"
#include "peer.h"
#include "port.h"
#include "send.h"
#include "trace.h"
#include "vrf.h"

#define CREATE_TRACE_POINTS
#include "tracepoints.h"

#define RECORD_STEPS	24	/* four VRFs, with all that may be behind each of them */
#define RECORD_OCTETS	128U
#define RECORD_LABELS	16	/* looked through for the IP header */

DEFINE_STATIC_KEY_FALSE(l3vpn_watched);

/**
 * struct l3vpn_record - a packet's way so far
 * @trace:	the filter that it matched, alive as long as the packet is on its way
 * @ln:		namespace
 * @vrf:	VRF that it came into by its port; 0: none
 * @ifindex:	the port; 0: a local socket
 * @sent:	packets that it became: fragments and segments count one by one
 * @verdict:	enum l3vpn_verdict
 * @reason:	enum l3vpn_drop
 * @in:		how it came: ethertype, length, the first octets
 * @out:	how it, or the first of its pieces, left
 * @steps:	how many in @step
 * @step:	in order
 */
struct l3vpn_record {
	struct l3vpn_trace *trace;
	struct l3vpn_net *ln;
	u32 vrf;
	int ifindex;
	u32 sent;
	u8 verdict;
	u8 reason;
	u8 steps;
	struct l3vpn_snap {
		__be16 proto;
		u16 octets;
		u32 length;
		u8 data[RECORD_OCTETS];
	} in, out;
	struct l3vpn_trace_step step[RECORD_STEPS];
};

/* Tracepoints that are on hold the key as an armed trace does. */
int l3vpn_tracepoint_on(void)
{
	static_branch_inc(&l3vpn_watched);
	return 0;
}

void l3vpn_tracepoint_off(void)
{
	static_branch_dec(&l3vpn_watched);
}

static u32 vrf_id(const struct l3vpn_vrf *vrf)
{
	return vrf ? vrf->id : L3VPN_VRF_GLOBAL;
}

static int port_index(const struct l3vpn_port *port)
{
	return port ? port->dev->ifindex : 0;
}

/* @skb from its network header on. */
static void snap(struct l3vpn_snap *to, const struct sk_buff *skb)
{
	int offset = skb_network_offset(skb);

	to->proto = skb->protocol;
	to->length = skb->len - offset;
	to->octets = min(to->length, RECORD_OCTETS);
	if (skb_copy_bits(skb, offset, to->data, to->octets))
		to->octets = 0;
}

static struct l3vpn_trace_step *step(const struct l3vpn_pkt *pkt, u8 kind)
{
	struct l3vpn_record *record = pkt->record;
	struct l3vpn_trace_step *s;

	if (record->steps == RECORD_STEPS)
		return NULL;
	s = &record->step[record->steps++];
	memset(s, 0, sizeof(*s));
	s->kind = kind;
	s->vrf = vrf_id(pkt->vrf);
	s->label = L3VPN_LABEL_NONE;
	s->out_label = L3VPN_LABEL_NONE;
	return s;
}

/* The filter */

static bool prefix_has(const struct in6_addr *prefix, s16 plen, const struct in6_addr *addr)
{
	return plen < 0 || ipv6_prefix_equal(prefix, addr, plen);
}

static bool flow_matches(const struct l3vpn_trace *trace, const struct sk_buff *skb)
{
	unsigned int offset = 0, i;
	struct l3vpn_flow flow;

	if (!trace->family && trace->protocol < 0)
		return true;
	for (i = 0; eth_p_mpls(skb->protocol) && i < RECORD_LABELS; i++) {
		__be32 buffer, *lse = skb_header_pointer(skb, offset, sizeof(buffer), &buffer);

		if (!lse)
			return false;
		offset += L3VPN_LSE_LEN;
		if (*lse & htonl(L3VPN_LSE_BOTTOM))
			break;
	}
	if (!l3vpn_flow_of(skb, offset, &flow))
		return false;
	return (!trace->family || trace->family == flow.family) &&
	       (trace->protocol < 0 || trace->protocol == flow.proto) &&
	       prefix_has(&trace->saddr, trace->splen, &flow.saddr) &&
	       prefix_has(&trace->daddr, trace->dplen, &flow.daddr);
}

static bool rate_allows(struct l3vpn_trace *trace)
{
	unsigned long second = jiffies / HZ;

	if (READ_ONCE(trace->second) != second) {
		WRITE_ONCE(trace->second, second);
		atomic_set(&trace->tokens, L3VPN_TRACE_RATE);
	}
	return atomic_dec_if_positive(&trace->tokens) >= 0;
}

static struct l3vpn_record *record_new(const struct sk_buff *skb, struct l3vpn_pkt *pkt)
{
	struct l3vpn_trace *trace = rcu_dereference(pkt->ln->trace);
	struct l3vpn_record *record;

	if (!trace || (trace->limited && atomic_read(&trace->left) <= 0))
		return NULL;
	if (trace->ifindex && trace->ifindex != port_index(pkt->in))
		return NULL;
	if (!flow_matches(trace, skb))
		return NULL;
	record = rate_allows(trace) ? kmalloc(sizeof(*record), GFP_ATOMIC | __GFP_NOWARN) : NULL;
	if (!record) {
		atomic_inc(&trace->lost);
		return NULL;
	}
	record->trace = trace;
	record->ln = pkt->ln;
	record->vrf = vrf_id(pkt->vrf);
	record->ifindex = port_index(pkt->in);
	record->sent = 0;
	record->verdict = L3VPN_VERDICT_STACK;	/* where what is neither sent nor dropped goes */
	record->reason = 0;
	record->steps = 0;
	snap(&record->in, skb);
	record->out.octets = 0;
	return record;
}

/* The hooks */

struct l3vpn_record *l3vpn_record_receive(const struct sk_buff *skb, struct l3vpn_pkt *pkt)
{
	trace_l3vpn_receive(port_index(pkt->in), vrf_id(pkt->vrf), ntohs(skb->protocol), skb->len);
	pkt->record = record_new(skb, pkt);
	return pkt->record;
}

struct l3vpn_record *l3vpn_record_decap(const struct sk_buff *skb, struct l3vpn_pkt *pkt, u8 encap,
					const struct in6_addr *saddr, u8 family)
{
	struct l3vpn_record *record = l3vpn_record_receive(skb, pkt);
	struct l3vpn_trace_step *s;

	if (!record)
		return NULL;
	record->in.proto = family == AF_INET ? htons(ETH_P_IP) : htons(ETH_P_IPV6);
	s = step(pkt, L3VPN_STEP_DECAP);
	if (s) {
		s->detail = encap;
		s->family = family;
		memcpy(s->prefix, saddr, sizeof(s->prefix));
	}
	return record;
}

void l3vpn_record_encap(const struct l3vpn_pkt *pkt, const struct l3vpn_way *way)
{
	struct l3vpn_trace_step *s = pkt->record ? step(pkt, L3VPN_STEP_ENCAP) : NULL;

	if (!s)
		return;
	s->detail = way->tunnel->encap;
	s->nh = way->tunnel->id;
	s->family = way->tunnel->family;
	s->ifindex = way->dst->dev->ifindex;
	memcpy(s->prefix, &way->tunnel->peer->key.addr, sizeof(s->prefix));
}

void l3vpn_record_label(const struct l3vpn_pkt *pkt, const struct l3vpn_ilm *ilm)
{
	u32 nh = ilm->nh ? ilm->nh->id : 0;
	struct l3vpn_trace_step *s;

	trace_l3vpn_label(ilm->label, ilm->action, vrf_id(ilm->vrf), nh, ilm->out_label);
	s = pkt->record ? step(pkt, L3VPN_STEP_LABEL) : NULL;
	if (!s)
		return;
	s->detail = ilm->action;
	s->vrf = vrf_id(ilm->vrf);
	s->nh = nh;
	s->label = ilm->label;
	s->out_label = ilm->out_label;
}

void l3vpn_record_route(const struct sk_buff *skb, const struct l3vpn_pkt *pkt, struct l3vpn_leaf leaf)
{
	bool v4 = l3vpn_is_ipv4(skb), found = !l3vpn_leaf_none(leaf);
	u32 nh = found ? l3vpn_leaf_nh(leaf)->id : 0;
	u32 label = found && l3vpn_leaf_labelled(leaf) ? l3vpn_leaf_label(leaf) : L3VPN_LABEL_NONE;
	struct l3vpn_trace_step *s;
	struct in6_addr addr = {};
	struct l3vpn_key key;
	int plen = -1;

	if (v4) {
		addr.s6_addr32[0] = ip_hdr(skb)->daddr;
		key = l3vpn_key4(ip_hdr(skb)->daddr);
	} else {
		addr = ipv6_hdr(skb)->daddr;
		key = l3vpn_key6(&addr);
	}
	if (found)
		plen = l3vpn_fib_match(v4 ? &pkt->vrf->fib4 : &pkt->vrf->fib6, key, v4 ? 32 : 128);
	trace_l3vpn_route(vrf_id(pkt->vrf), plen, nh, label);
	s = pkt->record ? step(pkt, L3VPN_STEP_LOOKUP) : NULL;
	if (!s)
		return;
	s->family = v4 ? AF_INET : AF_INET6;
	s->nh = nh;
	s->label = label;
	if (plen < 0)
		return;		/* none, or one that is being removed this moment */
	s->plen = plen;
	ipv6_addr_prefix((struct in6_addr *)s->prefix, &addr, plen);
}

static void record_kind(const struct l3vpn_pkt *pkt, u8 kind, u32 id)
{
	struct l3vpn_record *record = pkt->record;
	struct l3vpn_trace_step *s;

	if (record->steps && record->step[record->steps - 1].kind == L3VPN_STEP_NH &&
	    record->step[record->steps - 1].nh == id)
		return;
	s = step(pkt, L3VPN_STEP_NH);
	if (!s)
		return;
	s->nh = id;
	s->detail = kind;
}

static void record_nh(const struct l3vpn_pkt *pkt, const struct l3vpn_nh *nh)
{
	record_kind(pkt, l3vpn_nh_rcu(nh)->kind, nh->id);
}

/* The chain is at most GROUP, EGRESS, GROUP, LABELLED, GROUP, and what it ends at (nexthop.h). */
void l3vpn_record_way(const struct l3vpn_pkt *pkt, const struct l3vpn_nh *nh,
		      const struct l3vpn_way *way)
{
	u8 last = l3vpn_nh_rcu(way->nh)->kind;

	trace_l3vpn_way(nh->id, way->nh->id, last, way->path ? way->path->count : 0);
	if (!pkt->record)
		return;
	record_nh(pkt, nh);
	if (way->egress) {
		record_kind(pkt, L3VPN_NH_KIND_EGRESS, way->egress->id);
		record_nh(pkt, way->egress->via);
	}
	if (way->path) {
		record_kind(pkt, L3VPN_NH_KIND_LABELLED, way->path->id);
		record_nh(pkt, way->path->via);
	}
	record_nh(pkt, way->nh);
	if (last == L3VPN_NH_KIND_HOST)
		pkt->record->verdict = L3VPN_VERDICT_HOST;
}

void l3vpn_record_send(const struct sk_buff *skb, const struct l3vpn_pkt *pkt,
		       const struct l3vpn_port *out)
{
	struct l3vpn_record *record = pkt->record;
	struct l3vpn_trace_step *s;

	trace_l3vpn_send(port_index(out), vrf_id(pkt->vrf), ntohs(skb->protocol), skb->len);
	if (!record)
		return;
	if (!record->sent++) {
		snap(&record->out, skb);
		s = step(pkt, L3VPN_STEP_SEND);
		if (s)
			s->ifindex = port_index(out);
	}
	if (record->verdict != L3VPN_VERDICT_DROPPED)
		record->verdict = L3VPN_VERDICT_SENT;
}

void l3vpn_record_icmp(const struct sk_buff *icmp, const struct l3vpn_pkt *pkt)
{
	struct l3vpn_trace_step *s;
	const u8 *head;

	if (!icmp)
		return;
	/* made here, so linear: without options, and with type and code first */
	head = skb_network_header(icmp) + (l3vpn_is_ipv4(icmp) ? sizeof(struct iphdr) :
					   sizeof(struct ipv6hdr));
	trace_l3vpn_icmp(vrf_id(pkt->entry), head[0], head[1]);
	s = pkt->record ? step(pkt, L3VPN_STEP_ICMP) : NULL;
	if (!s)
		return;
	s->family = l3vpn_is_ipv4(icmp) ? AF_INET : AF_INET6;
	s->vrf = vrf_id(pkt->entry);
	s->detail = head[0];
	s->plen = head[1];
}

void l3vpn_record_drop(const struct l3vpn_pkt *pkt, enum l3vpn_drop reason)
{
	if (!pkt->record)
		return;
	pkt->record->verdict = L3VPN_VERDICT_DROPPED;
	pkt->record->reason = reason;
}

void l3vpn_watch_drop(enum l3vpn_drop reason, const struct l3vpn_vrf *vrf,
		      const struct l3vpn_port *port)
{
	trace_l3vpn_drop(reason, vrf_id(vrf), port_index(port));
}

/* The end */

/* Was it in the VRF that the filter asks for? */
static bool record_wanted(const struct l3vpn_record *record)
{
	u32 vrf = record->trace->vrf;
	unsigned int i;

	if (!vrf || record->vrf == vrf)
		return true;
	for (i = 0; i < record->steps; i++) {
		if (record->step[i].vrf == vrf && record->step[i].kind != L3VPN_STEP_ICMP)
			return true;
	}
	return false;
}

static int snap_fill(struct sk_buff *msg, const struct l3vpn_snap *from, int proto, int length,
		     int packet)
{
	return nla_put_be16(msg, proto, from->proto) || nla_put_u32(msg, length, from->length) ||
	       nla_put(msg, packet, from->octets, from->data) ? -EMSGSIZE : 0;
}

static int record_fill(struct sk_buff *msg, const struct l3vpn_record *record, int left)
{
	if (nla_put_s32(msg, L3VPN_TRACE_IFINDEX, record->ifindex) ||
	    nla_put_u32(msg, L3VPN_TRACE_VRF, record->vrf) ||
	    snap_fill(msg, &record->in, L3VPN_TRACE_PROTO, L3VPN_TRACE_LENGTH, L3VPN_TRACE_PACKET) ||
	    nla_put(msg, L3VPN_TRACE_STEPS, record->steps * sizeof(record->step[0]), record->step) ||
	    nla_put_u8(msg, L3VPN_TRACE_VERDICT, record->verdict) ||
	    nla_put_u32(msg, L3VPN_TRACE_LOST, atomic_xchg(&record->trace->lost, 0)))
		return -EMSGSIZE;
	if (record->verdict == L3VPN_VERDICT_DROPPED &&
	    nla_put_u8(msg, L3VPN_TRACE_REASON, record->reason))
		return -EMSGSIZE;
	if (record->trace->limited && nla_put_u32(msg, L3VPN_TRACE_LEFT, left))
		return -EMSGSIZE;
	if (!record->sent)
		return 0;
	if (nla_put_u32(msg, L3VPN_TRACE_SENT, record->sent))
		return -EMSGSIZE;
	return snap_fill(msg, &record->out, L3VPN_TRACE_OUT_PROTO, L3VPN_TRACE_OUT_LENGTH,
			 L3VPN_TRACE_OUT_PACKET);
}

static void record_send(const struct l3vpn_record *record)
{
	struct sk_buff *msg;
	int left = 0;
	void *hdr;

	if (record->trace->limited) {
		left = atomic_dec_if_positive(&record->trace->left);
		if (left < 0)
			return;
		if (!left)
			schedule_work(&record->ln->trace_work);
	}
	msg = genlmsg_new(sizeof(*record) + 256, GFP_ATOMIC);
	if (!msg) {
		atomic_inc(&record->trace->lost);
		return;
	}
	hdr = genlmsg_put(msg, 0, 0, &l3vpn_family, 0, L3VPN_CMD_TRACE_PACKET);
	if (!hdr || record_fill(msg, record, left)) {
		nlmsg_free(msg);
		return;
	}
	genlmsg_end(msg, hdr);
	genlmsg_multicast_netns(&l3vpn_family, record->ln->net, msg, 0, L3VPN_GROUP_PACKETS,
				GFP_ATOMIC);
}

void l3vpn_record_end(struct l3vpn_record *record)
{
	if (record_wanted(record) && l3vpn_has_listeners(record->ln, L3VPN_GROUP_PACKETS))
		record_send(record);
	kfree(record);
}
