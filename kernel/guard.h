/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: what a customer port asks of an IP packet before it is looked up: that its source may come
 * from there (urpf.h), and that packets with IPv4 options do not come too fast.
 *
 * Implemented by: guard.c. Called by: receive.c (data path), port.c (settings).
 *
 * RFC 6178: which labels a packet gets does not depend on its options, and nothing on the way
 * through the VPN looks at them; all there is to decide is whether such a packet may come in.
 */
#ifndef _L3VPN_GUARD_H
#define _L3VPN_GUARD_H

#include <linux/compiler.h>
#include <linux/skbuff.h>
#include "port.h"

struct l3vpn_port_request;
struct l3vpn_vrf;

/* Nothing is guarded, every label is accepted. Before the port is published. */
void l3vpn_guard_init(struct l3vpn_port *port);

/* Under RTNL. Apply what @req asks for; true: something has changed. */
bool l3vpn_guard_set(struct l3vpn_port *port, const struct l3vpn_port_request *req);

/* Inside rcu_read_lock. As l3vpn_guard(), of a port that is guarded. */
enum l3vpn_drop l3vpn_guard_check(const struct sk_buff *skb, struct l3vpn_port *in,
				  const struct l3vpn_vrf *vrf);

/*
 * Inside rcu_read_lock: may @skb, an IP packet to a unicast address whose header is linear and
 * checked, come in by customer port @in of @vrf? 0, or the reason to drop it.
 */
static inline enum l3vpn_drop l3vpn_guard(const struct sk_buff *skb, struct l3vpn_port *in,
					  const struct l3vpn_vrf *vrf)
{
	return likely(!READ_ONCE(in->guarded)) ? 0 : l3vpn_guard_check(skb, in, vrf);
}

#endif /* _L3VPN_GUARD_H */
