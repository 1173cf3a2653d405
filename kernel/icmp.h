/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: ICMP and ICMPv6 errors, made in the VRF that they belong to (RFC 792, 1812, 4443, 4884,
 * 4950, 3032 section 2.3).
 *
 * Implemented by: icmp.c (data plane). Called by: forward.c, mpls.c, and vrf_dev.c where a local
 * socket's packet cannot leave.
 */
#ifndef _L3VPN_ICMP_H
#define _L3VPN_ICMP_H

#include <linux/skbuff.h>
#include "l3vpn.h"

struct l3vpn_vrf;
struct l3vpn_port;

/* Module and namespace set-up: rate limits. Process context. */
int l3vpn_icmp_net_init(struct l3vpn_net *ln);
void l3vpn_icmp_net_exit(struct l3vpn_net *ln);

#endif /* _L3VPN_ICMP_H */
