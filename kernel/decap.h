/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: labelled packets are taken out of UDP or GRE at an endpoint (endpoint.h). Private to the data plane.
 *
 * Implemented by: decap.c. Called by: receive.c alone, for frames that come in by a core port: there is no other
 * way here, so nothing of a customer's is ever taken out.
 */
#ifndef _L3VPN_DECAP_H
#define _L3VPN_DECAP_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>

struct l3vpn_port;

/*
 * *@pskb, no labelled packet, came in by core port @in of a namespace that has endpoints. The result is what an
 * rx_handler has to return, *@pskb what it has to leave. Softirq, inside rcu_read_lock.
 */
rx_handler_result_t l3vpn_decap(struct sk_buff **pskb, struct l3vpn_port *in);

#endif /* _L3VPN_DECAP_H */
