/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: packets gathered, so that their look-ups wait for memory together.
 *
 * Implemented by: burst.c (data plane). Called by: receive.c; forward.c and route.c keep the sign.
 *
 * Where a namespace has so many routes that they do not stay in the processor's caches, a look-up is
 * mostly waiting. Packets that come in are then put aside, on their CPU, until L3VPN_FIB_BULK are there or
 * a tasklet runs, which the first of them schedules: after the network's softirq, usually at once, and on a machine
 * with too much to do when ksoftirqd comes to it. Their destinations are looked up all at once
 * (l3vpn_fib_lookup_bulk()), and then each goes its usual way, which takes the answer for its first look-up if that
 * is in the same index.
 *
 * A packet that waits holds its device, and nothing else. One whose port has left its VRF or has gone meanwhile
 * is dropped.
 */
#ifndef _L3VPN_BURST_H
#define _L3VPN_BURST_H

#include <linux/skbuff.h>
#include "fib.h"
#include "l3vpn.h"

struct l3vpn_port;

/* Routes of a namespace, IPv4 and IPv6 of all VRFs together, from which on it has bursts; a parameter of the module. */
extern unsigned int l3vpn_burst_routes;

enum l3vpn_burst {
	L3VPN_BURST_GO,		/* on its way, now */
	L3VPN_BURST_TAKEN,	/* put aside: l3vpn_receive_again() */
	L3VPN_BURST_PASS,	/* has been there: the stack is to have it */
};

#define L3VPN_BURST_ON		1	/* packets are put aside */
#define L3VPN_BURST_EVER	2	/* they have been: some may wait, or be on their way to the stack */

/*
 * @skb came to the rx_handler of @in, which owns it alone and has not changed it; ln->bursts is not 0. Inside
 * rcu_read_lock, bottom halves off.
 */
enum l3vpn_burst l3vpn_burst_take(struct sk_buff *skb, const struct l3vpn_port *in);

/* Bottom halves off. Is @skb on its way to the stack, and was at the rx_handler before? Answers so once. */
bool l3vpn_burst_is_passing(const struct sk_buff *skb);

/* Under ln->lock, or at the start of the namespace: routes have come or gone. */
static inline void l3vpn_burst_suit(struct l3vpn_net *ln)
{
	bool many = ln->route_count[0] + ln->route_count[1] >= READ_ONCE(l3vpn_burst_routes);
	u8 bursts = many ? L3VPN_BURST_ON | L3VPN_BURST_EVER : ln->bursts & L3VPN_BURST_EVER;

	if (ln->bursts != bursts)
		WRITE_ONCE(ln->bursts, bursts);
}

int l3vpn_burst_init(void);

/* No port is left. */
void l3vpn_burst_exit(void);

#endif /* _L3VPN_BURST_H */
