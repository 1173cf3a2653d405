/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: what becomes of single packets, for the operator: hooks of the data path, and traces of the
 * packets that match a filter.
 *
 * Implemented by: trace.c (the hooks), netlink_trace.c (filters come and go).
 * Called by: receive.c, mpls.c, forward.c, send.c, encap.c, decap.c, icmp.c, drop.c.
 *
 * A hook is a static key: while no trace is armed in any namespace and no tracepoint is on it is a
 * no-operation, or, on kernels without jump labels (User Mode Linux), a load and a test. A packet
 * that matches gets a record from the heap (pkt->record), which the hooks fill; when the function
 * that took the packet in returns, the record is sent to multicast group "packets" and freed. At
 * most L3VPN_TRACE_RATE records a second in a namespace are made.
 */
#ifndef _L3VPN_TRACE_H
#define _L3VPN_TRACE_H

#include <linux/in6.h>
#include <linux/jump_label.h>
#include <linux/skbuff.h>
#include <linux/l3vpn.h>

#include "fib.h"

#define L3VPN_TRACE_RATE	100

struct l3vpn_ilm;
struct l3vpn_net;
struct l3vpn_nh;
struct l3vpn_pkt;
struct l3vpn_port;
struct l3vpn_record;
struct l3vpn_vrf;
struct l3vpn_way;

/**
 * struct l3vpn_trace - an armed filter; of a namespace, by RCU in ln->trace
 * @vrf:	packets that are in this VRF at some time; 0: any
 * @ifindex:	packets that came in by this port; 0: any
 * @family:	AF_INET, AF_INET6, or 0 where no prefix is given
 * @protocol:	IP protocol; -1: any
 * @saddr:	IPv4 in the first word; network byte order
 * @splen:	length; -1: any source
 * @daddr:	likewise
 * @dplen:	likewise
 * @limited:	@left counts
 * @left:	records still to be sent
 * @lost:	packets that matched and had no record: rate, memory, a listener too slow
 * @tokens:	records still allowed in this second
 * @second:	the second, in jiffies / HZ, for which @tokens counts
 * @portid:	of the netlink socket that armed it, and with which it ends
 */
struct l3vpn_trace {
	u32 vrf;
	int ifindex;
	u8 family;
	s16 protocol;
	struct in6_addr saddr;
	s16 splen;
	struct in6_addr daddr;
	s16 dplen;
	bool limited;
	atomic_t left;
	atomic_t lost;
	atomic_t tokens;
	unsigned long second;
	u32 portid;
};

DECLARE_STATIC_KEY_FALSE(l3vpn_watched);

/* trace.c: softirq, inside rcu_read_lock. */
struct l3vpn_record *l3vpn_record_receive(const struct sk_buff *skb, struct l3vpn_pkt *pkt);
struct l3vpn_record *l3vpn_record_decap(const struct sk_buff *skb, struct l3vpn_pkt *pkt, u8 encap,
					const struct in6_addr *saddr, u8 family);
void l3vpn_record_encap(const struct l3vpn_pkt *pkt, const struct l3vpn_way *way);
void l3vpn_record_label(const struct l3vpn_pkt *pkt, const struct l3vpn_ilm *ilm);
void l3vpn_record_route(const struct sk_buff *skb, const struct l3vpn_pkt *pkt,
			struct l3vpn_leaf leaf);
void l3vpn_record_way(const struct l3vpn_pkt *pkt, const struct l3vpn_nh *nh,
		      const struct l3vpn_way *way);
void l3vpn_record_send(const struct sk_buff *skb, const struct l3vpn_pkt *pkt,
		       const struct l3vpn_port *out);
void l3vpn_record_icmp(const struct sk_buff *icmp, const struct l3vpn_pkt *pkt);
void l3vpn_record_drop(const struct l3vpn_pkt *pkt, enum l3vpn_drop reason);
void l3vpn_watch_drop(enum l3vpn_drop reason, const struct l3vpn_vrf *vrf,
		      const struct l3vpn_port *port);
void l3vpn_record_end(struct l3vpn_record *record);

/*
 * The hooks. l3vpn_see_receive() answers with pkt->record, which is NULL for all but few packets; a
 * variable that is declared L3VPN_SEE and takes it has the record sent where it goes out of scope.
 */
static __always_inline struct l3vpn_record *l3vpn_see_receive(const struct sk_buff *skb,
							      struct l3vpn_pkt *pkt)
{
	return static_branch_unlikely(&l3vpn_watched) ? l3vpn_record_receive(skb, pkt) : NULL;
}

/*
 * As l3vpn_see_receive(), of a packet that was taken out of a tunnel: skb->data is at the label stack,
 * skb->protocol says so, and the network header is still at the outer IP header.
 */
static __always_inline struct l3vpn_record *l3vpn_see_decap(const struct sk_buff *skb, struct l3vpn_pkt *pkt,
							    u8 encap, const struct in6_addr *saddr, u8 family)
{
	if (!static_branch_unlikely(&l3vpn_watched))
		return NULL;
	return l3vpn_record_decap(skb, pkt, encap, saddr, family);
}

static __always_inline void l3vpn_see_end(struct l3vpn_record **record)
{
	if (unlikely(*record))
		l3vpn_record_end(*record);
}

#define L3VPN_SEE __attribute__((__cleanup__(l3vpn_see_end)))

#define L3VPN_SEE_HOOK(call) do {						\
	if (static_branch_unlikely(&l3vpn_watched))				\
		call;								\
} while (0)

#define l3vpn_see_label(pkt, ilm)	L3VPN_SEE_HOOK(l3vpn_record_label(pkt, ilm))
#define l3vpn_see_route(skb, pkt, leaf)	L3VPN_SEE_HOOK(l3vpn_record_route(skb, pkt, leaf))
#define l3vpn_see_way(pkt, nh, way)	L3VPN_SEE_HOOK(l3vpn_record_way(pkt, nh, way))
#define l3vpn_see_encap(pkt, way)	L3VPN_SEE_HOOK(l3vpn_record_encap(pkt, way))
#define l3vpn_see_send(skb, pkt, out)	L3VPN_SEE_HOOK(l3vpn_record_send(skb, pkt, out))
#define l3vpn_see_icmp(icmp, pkt)	L3VPN_SEE_HOOK(l3vpn_record_icmp(icmp, pkt))
#define l3vpn_see_drop(pkt, reason)	L3VPN_SEE_HOOK(l3vpn_record_drop(pkt, reason))
#define l3vpn_see_dropped(reason, vrf, port)	\
	L3VPN_SEE_HOOK(l3vpn_watch_drop(reason, vrf, port))

/* netlink_trace.c: module init and exit, a namespace's init and exit. Process context. */
int l3vpn_trace_init(void);
void l3vpn_trace_exit(void);
void l3vpn_trace_net_init(struct l3vpn_net *ln);
void l3vpn_trace_net_exit(struct l3vpn_net *ln);

#endif /* _L3VPN_TRACE_H */
