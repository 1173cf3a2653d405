/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: from an adjacency to a link layer header, by the kernel's neighbours. What is written in
 * front of a packet is read from the neighbour entry and the device as they are now, so changes of
 * either need no notice here.
 *
 * Implemented by: neigh.c (data plane).
 * Called by: nexthop.c (attach, detach), group.c (which member of a group is dead).
 */
#ifndef _L3VPN_NEIGH_H
#define _L3VPN_NEIGH_H

#include <linux/skbuff.h>
#include <net/neighbour.h>
#include "nexthop.h"

/*
 * Under RTNL and ln->lock, before the snapshot that embeds @adj is published; may sleep. Makes
 * @adj->rewrite where that serves, and starts resolution. @adj->port is set. 0 or -ENOMEM.
 */
int l3vpn_neigh_attach(struct l3vpn_adj *adj);

/*
 * A grace period after the snapshot was unpublished (or it never was): releases what attach took,
 * neighbour references included. Process context; @adj->port->dev is still referenced.
 */
void l3vpn_neigh_detach(struct l3vpn_adj *adj);

/*
 * Inside rcu_read_lock, any context. True: packets can leave now: the device runs, has a carrier,
 * and the gateway is resolved (an adjacency without gateway: the device's state alone).
 */
bool l3vpn_adj_resolved(const struct l3vpn_adj *adj);

/*
 * Inside rcu_read_lock, bottom halves off. As l3vpn_adj_resolved(), and where the gateway is not, it
 * is asked for: who prefers another way meanwhile need do nothing to have this one back.
 */
bool l3vpn_adj_ready(const struct l3vpn_adj *adj);

/*
 * Inside rcu_read_lock. True: the port is gone or down, or the neighbour was asked for in vain. A
 * neighbour that is being asked for is not dead.
 */
bool l3vpn_adj_dead(const struct l3vpn_adj *adj);

#endif /* _L3VPN_NEIGH_H */
