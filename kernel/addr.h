/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: the addresses of ports and VRF devices, and the FIB entries that follow them.
 *
 * Implemented by: addr.c (control plane).
 */
#ifndef _L3VPN_ADDR_H
#define _L3VPN_ADDR_H

#include "l3vpn.h"

struct l3vpn_keeper;
struct l3vpn_port;
struct l3vpn_vrf;

/* Under RTNL and ln->lock. Claim what the device's addresses ask for now, give up all else. */
void l3vpn_addr_sync_port(struct l3vpn_port *port);
void l3vpn_addr_sync_vrf(struct l3vpn_vrf *vrf);

/* From now on, or no longer, may a notifier ask for @keeper's addresses to be read again. */
void l3vpn_addr_open(struct l3vpn_net *ln, struct l3vpn_keeper *keeper);
void l3vpn_addr_close(struct l3vpn_net *ln, struct l3vpn_keeper *keeper);

void l3vpn_addr_net_init(struct l3vpn_net *ln);
void l3vpn_addr_net_exit(struct l3vpn_net *ln);

/* Module init and exit: the notifiers. */
int l3vpn_addr_init(void);
void l3vpn_addr_exit(void);

#endif /* _L3VPN_ADDR_H */
