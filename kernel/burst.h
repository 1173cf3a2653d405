/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: packets gathered, so that their look-ups wait for memory together.
 *
 * Implemented by: burst.c (data plane). Called by: receive.c; forward.c and route.c keep the sign.
 *
 * Where a namespace has so many routes that they do not stay in the processor's caches, a look-up is
 * mostly waiting. Packets that come in are then put aside, on their CPU, until L3VPN_FIB_BULK are there or
 * the softirq that received them ends; their routes are fetched all at once (l3vpn_fib_lookup*_bulk()), and
 * then each goes its usual way, which finds the caches warm. Nothing is kept of what was found: a packet is
 * judged by the routes of the moment at which it goes on.
 */
#ifndef _L3VPN_BURST_H
#define _L3VPN_BURST_H

#include <linux/skbuff.h>
#include "fib.h"
#include "l3vpn.h"

/* Routes of a namespace, IPv4 and IPv6 of all VRFs together, from which on it has bursts; a parameter of the module. */
extern unsigned int l3vpn_burst_routes;

enum l3vpn_burst {
	L3VPN_BURST_GO,		/* on its way, now */
	L3VPN_BURST_TAKEN,	/* put aside: comes to the port's rx_handler again */
	L3VPN_BURST_PASS,	/* has been there: the stack is to have it */
};

/**
 * struct l3vpn_found - what the first look-up of a packet found ahead of it
 * @fib:	where it was looked up; NULL: it was not
 * @leaf:	what was found
 */
struct l3vpn_found {
	const struct l3vpn_fib *fib;
	struct l3vpn_leaf leaf;
};

/*
 * @skb came to a port's rx_handler, which owns it alone and has not changed it. *@found is set when it goes on
 * after it was put aside, and valid until it has gone. Inside rcu_read_lock, bottom halves off.
 */
enum l3vpn_burst l3vpn_burst_take(struct sk_buff *skb, const struct l3vpn_found **found);

/* Under ln->lock, or at the start of the namespace: routes have come or gone. */
static inline void l3vpn_burst_suit(struct l3vpn_net *ln)
{
	bool many = ln->route_count[0] + ln->route_count[1] >= READ_ONCE(l3vpn_burst_routes);

	if (ln->bursts != many)
		WRITE_ONCE(ln->bursts, many);
}

int l3vpn_burst_init(void);

/* No port is left. */
void l3vpn_burst_exit(void);

#endif /* _L3VPN_BURST_H */
