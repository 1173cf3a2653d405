/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: a port: a device bound to one VRF (customer), or a device that accepts labels (core).
 *
 * Implemented by: port.c (control plane).
 * Read by: the data path: rcu_dereference(skb->dev->rx_handler_data) is the struct l3vpn_port.
 *
 * Its kind never changes. @vrf is switched in place under RTNL, so that a port moves from one VRF
 * to another with no moment in which the kernel's own stack hears it. Freed (and the device
 * released) in process context, after the rx_handler was unregistered and the last snapshot of an
 * adjacency that names it is gone.
 */
#ifndef _L3VPN_PORT_H
#define _L3VPN_PORT_H

#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/netdevice.h>
#include "kept.h"
#include "l3vpn.h"
#include "stats.h"

struct l3vpn_vrf;
struct l3vpn_nh;

/**
 * struct l3vpn_port - see above
 * @dev:	the device; referenced
 * @ln:		namespace
 * @vrf:	customer: its VRF (RCU), NULL while it is being unbound: drop with
 *		L3VPN_DROP_NO_VRF. Core: always NULL
 * @mpls_mtu:	core: most octets of a labelled packet, labels included; U32_MAX: the device's MTU
 *		alone counts; READ_ONCE
 * @counters:	RX: packets that came in; TX: packets sent out by the module; drops of what came in
 * @kind:	enum l3vpn_port_kind
 * @guarded:	customer: some check of guard.h is on; READ_ONCE
 * @rpf:	customer: enum l3vpn_rpf, [0] IPv4, [1] IPv6; READ_ONCE
 * @scopes:	core: labels of these scopes are accepted; READ_ONCE
 * @term:	its time in this VRF or in the core: another one for each, of all ports; READ_ONCE
 * @options:	customer: IPv4 packets with options taken in a second; READ_ONCE
 * @options_left: of them, in this second
 * @options_second: this second, in jiffies / HZ
 * @base:	what PORT_GET subtracts; under ln->lock
 * @connected:	the module's next hop for what is on link here (ADJACENCY without gateway); customer
 * @adjs:	adjacencies on this port by nh->port_node; under ln->lock
 * @stamp:	epoch; under ln->lock
 * @user:	made by netlink: swept by epochs (one made by "master" is not)
 * @keeper:	entries that follow the addresses of @dev (kept.h)
 * @ref:	the binding itself, and each snapshot of an adjacency
 */
struct l3vpn_port {
	struct net_device *dev;
	netdevice_tracker dev_tracker;
	struct l3vpn_net *ln;
	struct l3vpn_vrf __rcu *vrf;
	struct l3vpn_counters __percpu *counters;
	u8 kind;
	bool guarded;
	u8 rpf[2];
	u64 scopes;
	u32 mpls_mtu;
	u32 term;

	u32 options;
	atomic_t options_left;
	unsigned long options_second;
	struct l3vpn_stats base;
	struct l3vpn_nh *connected;
	struct list_head adjs;
	u32 stamp;
	bool user;
	struct l3vpn_keeper keeper;
	refcount_t ref;
};

/* Most octets of a packet that leaves by @port, from its layer 3 header or outermost label. */
static inline u32 l3vpn_port_mtu(const struct l3vpn_port *port, bool labelled)
{
	u32 mtu = READ_ONCE(port->dev->mtu);

	return labelled ? min(mtu, READ_ONCE(port->mpls_mtu)) : mtu;
}

/* Under RTNL or inside rcu_read_lock. NULL: @dev is no port of ours. */
struct l3vpn_port *l3vpn_port_of(const struct net_device *dev);

/* Packets can leave by @port: it is there (may be NULL), runs and has a carrier. */
static inline bool l3vpn_port_usable(const struct l3vpn_port *port)
{
	return port && (READ_ONCE(port->dev->state) &
			(BIT(__LINK_STATE_START) | BIT(__LINK_STATE_NOCARRIER))) ==
		       BIT(__LINK_STATE_START);
}

#endif /* _L3VPN_PORT_H */
