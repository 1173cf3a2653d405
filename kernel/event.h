/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: what happens to devices, neighbours and objects, and telling it to multicast group
 * "events".
 *
 * Implemented by: event.c (control plane).
 */
#ifndef _L3VPN_EVENT_H
#define _L3VPN_EVENT_H

#include <linux/l3vpn.h>
#include <linux/types.h>

struct l3vpn_endpoint;
struct l3vpn_net;
struct l3vpn_nh;
struct l3vpn_port;
struct l3vpn_vrf;

/* Under RTNL; process context, not ln->lock. Nobody listens: no work. */
void l3vpn_event_vrf(struct l3vpn_vrf *vrf, enum l3vpn_event what);
void l3vpn_event_port(struct l3vpn_port *port, enum l3vpn_event what);

/* Under ln->lock. @v6: of which table the level has changed. */
void l3vpn_event_level(struct l3vpn_vrf *vrf, int v6);

/* Under ln->lock. */
void l3vpn_event_nh(struct l3vpn_net *ln, struct l3vpn_nh *nh, enum l3vpn_event what);
void l3vpn_event_endpoint(struct l3vpn_net *ln, struct l3vpn_endpoint *ep, enum l3vpn_event what);

/* Any context that @gfp allows. @addr: 4 or 16 octets. */
void l3vpn_event_addr(struct l3vpn_net *ln, enum l3vpn_event what, int ifindex, const void *addr,
		      int len, u8 plen, gfp_t gfp);
void l3vpn_event_neigh(struct l3vpn_net *ln, int ifindex, const void *addr, int len,
		       bool reachable);

/* Module init and exit: notifiers of devices, addresses and neighbours. */
int l3vpn_event_init(void);
void l3vpn_event_exit(void);

#endif /* _L3VPN_EVENT_H */
