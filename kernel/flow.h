/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: which flow a packet belongs to. Implemented by: flow.c (data plane). Softirq.
 */
#ifndef _L3VPN_FLOW_H
#define _L3VPN_FLOW_H

#include <linux/skbuff.h>
#include "forward.h"

/* The flow of the IP packet whose header starts @offset behind skb->data; false: it is none. */
bool l3vpn_flow_of(const struct sk_buff *skb, unsigned int offset, struct l3vpn_flow *flow);

/*
 * The hash of a packet: skb->protocol tells whether skb->data is at an IP header or at a label
 * stack. Under a stack the IP packet below it counts, and where there is none the labels.
 */
u32 l3vpn_flow_hash_skb(const struct sk_buff *skb);

#endif /* _L3VPN_FLOW_H */
