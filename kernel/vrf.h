/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: a VRF: a net_device that is an L3 master, and two FIBs.
 *
 * Implemented by: vrf.c, vrf_dev.c (control plane).
 * Read by: the data path (@fib4, @fib6, @counters, @dev, @qos).
 *
 * Lives in the private area of its net_device. The data path finds it by a port, a label entry or
 * a next hop inside rcu_read_lock; the device is unregistered (which waits for a grace period)
 * only after those have been unpublished, so a reader never sees it freed.
 */
#ifndef _L3VPN_VRF_H
#define _L3VPN_VRF_H

#include <linux/list.h>
#include <linux/netdevice.h>
#include "bucket.h"
#include "fib.h"
#include "kept.h"
#include "l3vpn.h"
#include "qos.h"
#include "stats.h"

/**
 * struct l3vpn_vrf - see above
 * @dev:	its device; the device's memory holds this struct
 * @ln:		namespace
 * @fib4:	IPv4; a leaf that the module keeps is l3vpn_leaf_kernel()
 * @fib6:	IPv6
 * @counters:	RX: packets that entered the VRF (from ports, labels, local sockets, other VRFs);
 *		TX: packets that left it (forwarded or delivered); drops
 * @id:		VRF id, 1..L3VPN_VRF_ID_MAX
 * @table:	kernel table of local sockets
 * @dying:	no packet may enter any more: drop with L3VPN_DROP_NO_VRF; READ_ONCE
 * @qos:	what labels and IP headers tell each other (qos.h)
 * @base:	what VRF_GET subtracts; under ln->lock
 * @limit:	most routes of user space, [0] IPv4, [1] IPv6; 0: no limit; under ln->lock
 * @warn:	routes from which on there is a warning; 0: none; under ln->lock
 * @level:	enum l3vpn_level (limit.h); under ln->lock
 * @routes:	routes of user space; under ln->lock
 * @digest:	sum of their digests; under ln->lock
 * @refs:	label entries and next hops that point here; under ln->lock
 * @ports:	number of ports; under ln->lock
 * @kept:	entries that the module keeps (kept.h); under ln->lock
 * @keeper:	those that follow the addresses of @dev itself
 * @stamp:	epoch; under ln->lock
 * @user:	made by netlink: swept by epochs (one made by "ip link add" is not)
 * @icmp:	rate limit of ICMP errors
 * @extack:	while the device is being registered: where a refusal tells why; under RTNL
 */
struct l3vpn_vrf {
	struct net_device *dev;
	struct l3vpn_net *ln;
	struct l3vpn_fib fib4;
	struct l3vpn_fib fib6;
	struct l3vpn_counters __percpu *counters;
	u32 id;
	u32 table;
	bool dying;
	struct l3vpn_qos qos;

	struct l3vpn_stats base;
	u32 limit[2];
	u32 warn[2];
	u8 level[2];
	u32 routes[2];
	u64 digest[2];
	u32 refs;
	u32 ports;
	struct list_head kept;
	struct l3vpn_keeper keeper;
	u32 stamp;
	bool user;
	struct l3vpn_bucket icmp;
	struct netlink_ext_ack *extack;
};

/* Any context that keeps @dev alive: @dev is one of our VRF devices. */
bool l3vpn_vrf_dev_is(const struct net_device *dev);

/* The VRF of a VRF device. */
static inline struct l3vpn_vrf *l3vpn_vrf_of(const struct net_device *dev)
{
	return netdev_priv(dev);
}

/* Inside rcu_read_lock, or under RTNL or ln->lock. NULL: no such VRF. */
struct l3vpn_vrf *l3vpn_vrf_find(struct l3vpn_net *ln, u32 id);

#endif /* _L3VPN_VRF_H */
