/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: unicast reverse path check (RFC 3704, RFC 8704's feasible paths by groups and backups).
 *
 * Implemented by: urpf.c (data plane). Called by: guard.c.
 */
#ifndef _L3VPN_URPF_H
#define _L3VPN_URPF_H

#include <linux/skbuff.h>
#include <linux/types.h>

struct l3vpn_port;
struct l3vpn_vrf;

/*
 * Inside rcu_read_lock: does the source of @skb, which came in by @in of @vrf, pass @mode (enum
 * l3vpn_rpf, not OFF)? Link-local sources and :: pass: they are the link's business, and are never forwarded.
 */
bool l3vpn_urpf(const struct sk_buff *skb, const struct l3vpn_port *in, const struct l3vpn_vrf *vrf,
		u8 mode);

#endif /* _L3VPN_URPF_H */
