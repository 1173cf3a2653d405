/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: what comes in by a port.
 *
 * Implemented by: receive.c (data plane). Registered by: port.c (control plane).
 *
 * rx_handlers, softirq, inside rcu_read_lock; skb->dev->rx_handler_data is the struct l3vpn_port.
 * A customer port passes to the kernel's stack, inside its VRF, only packets to a receive entry of
 * this VRF, ARP, and the listed link-local and multicast protocols: this closes the hole of the
 * kernel's "0: lookup local" rule without moving it. A core port takes packets of ethertype 0x8847
 * and passes all else untouched.
 */
#ifndef _L3VPN_RECEIVE_H
#define _L3VPN_RECEIVE_H

#include <linux/netdevice.h>

rx_handler_result_t l3vpn_receive_customer(struct sk_buff **pskb);
rx_handler_result_t l3vpn_receive_core(struct sk_buff **pskb);

struct l3vpn_fib_ask;
struct l3vpn_port;

/*
 * burst.c: @skb was taken from the rx_handler of @in, which still is what it was. @found: ahead of its first look-up.
 * As an rx_handler; the pointer to the packet stays.
 */
rx_handler_result_t l3vpn_receive_again(struct sk_buff *skb, struct l3vpn_port *in,
					const struct l3vpn_fib_ask *found);

#endif /* _L3VPN_RECEIVE_H */
