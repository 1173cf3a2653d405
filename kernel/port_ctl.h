/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: ports as the control plane binds, moves and unbinds them. What the data path reads is in
 * port.h.
 *
 * Implemented by: port.c, port_dev.c (control plane).
 */
#ifndef _L3VPN_PORT_CTL_H
#define _L3VPN_PORT_CTL_H

#include <linux/netlink.h>
#include "port.h"

/* Which of a request's guards are asked for. */
#define L3VPN_PORT_SET_RPF4	BIT(0)
#define L3VPN_PORT_SET_RPF6	BIT(1)
#define L3VPN_PORT_SET_OPTIONS	BIT(2)
#define L3VPN_PORT_SET_SCOPES	BIT(3)

/**
 * struct l3vpn_port_request - how a device is to be a port
 * @vrf:	customer: its VRF; core: NULL
 * @kind:	enum l3vpn_port_kind
 * @user:	asked for by netlink: stamped, swept by epochs
 * @flags:	NLM_F_* of the request
 * @set:	mask of L3VPN_PORT_SET_*: which of those below count
 * @rpf:	enum l3vpn_rpf, [0] IPv4, [1] IPv6
 * @options:	IPv4 packets with options taken in a second
 * @scopes:	labels accepted
 * @mpls_mtu:	core: as in struct l3vpn_port; 0: leave it as it is
 */
struct l3vpn_port_request {
	struct l3vpn_vrf *vrf;
	u8 kind;
	bool user;
	u16 flags;
	u8 set;
	u8 rpf[2];
	u32 options;
	u64 scopes;
	u32 mpls_mtu;
};

/*
 * Under RTNL, not ln->lock. Bind @dev, or move it to another VRF; may take it down and up again.
 * 0, or -errno with extack set and everything as it was.
 */
int l3vpn_port_bind(struct l3vpn_net *ln, struct net_device *dev,
		    const struct l3vpn_port_request *req, struct netlink_ext_ack *extack);

/* Under RTNL, not ln->lock. Whatever refers to it: adjacencies by it are dead from now on. */
void l3vpn_port_unbind(struct l3vpn_port *port);

/* Under RTNL. Adjacencies by this port that user space made; nothing else refers to a port. */
bool l3vpn_port_is_used(struct l3vpn_port *port);

/* Running and operationally up. Under RTNL or RCU. */
bool l3vpn_port_carrier(const struct l3vpn_port *port);

/* The snapshot of an adjacency keeps its port. Put: process context. */
void l3vpn_port_get(struct l3vpn_port *port);
void l3vpn_port_put(struct l3vpn_port *port);

/* Under RTNL. @dev can be a port: 0, or -errno with the reason in extack. (port_dev.c) */
int l3vpn_port_dev_check(const struct net_device *dev, struct netlink_ext_ack *extack);

/*
 * Under RTNL, not ln->lock. Make @dev a slave of @vrf's device, or end that; the kernel's routes of
 * its addresses follow, and its IPv6 addresses stay. (port_dev.c)
 */
int l3vpn_port_dev_link(struct net_device *dev, struct l3vpn_vrf *vrf,
			struct netlink_ext_ack *extack);
void l3vpn_port_dev_unlink(struct net_device *dev, struct l3vpn_vrf *vrf);

/**
 * struct l3vpn_port_rest - a device that is down while it moves from one VRF to another
 * @flags:	what it had
 * @keep:	its keep_addr_on_down
 */
struct l3vpn_port_rest {
	unsigned int flags;
	int keep;
};

/*
 * Under RTNL, not ln->lock. Take @dev down if it is up, keeping its addresses; 0 or -errno, extack
 * set. After success the second brings it back to what it was. (port_dev.c)
 */
int l3vpn_port_dev_rest(struct net_device *dev, struct l3vpn_port_rest *rest,
			struct netlink_ext_ack *extack);
void l3vpn_port_dev_wake(struct net_device *dev, const struct l3vpn_port_rest *rest);

#endif /* _L3VPN_PORT_CTL_H */
