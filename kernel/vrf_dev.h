/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: the VRF's net_device: making, finding and ending it.
 *
 * Implemented by: vrf_dev.c (the device), vrf.c (the VRF in it), vrf_rule.c (FIB rules); all control
 * plane.
 */
#ifndef _L3VPN_VRF_DEV_H
#define _L3VPN_VRF_DEV_H

#include <linux/netlink.h>
#include "l3vpn.h"
#include "vrf.h"

/* Tables chosen by the module: this, plus the VRF id. */
#define L3VPN_TABLE_BASE	0x4c000000U

/**
 * struct l3vpn_vrf_request - a VRF as user space asks for it
 * @name:	device name
 * @id:		0: any
 * @table:	0: any
 */
struct l3vpn_vrf_request {
	const char *name;
	u32 id;
	u32 table;
};

/* Under RTNL. Make the device and bring it up. ERR_PTR with extack set. (vrf_dev.c) */
struct l3vpn_vrf *l3vpn_vrf_create(struct l3vpn_net *ln, const struct l3vpn_vrf_request *req,
				   struct netlink_ext_ack *extack);

/* Under RTNL. Two-phase: unpublish now, unregister with @kill (unregister_netdevice_many). (vrf_dev.c) */
void l3vpn_vrf_destroy(struct l3vpn_vrf *vrf, struct list_head *kill);

/*
 * Under RTNL. Give the VRF its id, table and place in the namespace; @vrf->id and @vrf->table are
 * what was asked for, 0 for any. (vrf.c)
 */
int l3vpn_vrf_publish(struct l3vpn_vrf *vrf, struct netlink_ext_ack *extack);

/*
 * Under RTNL, not ln->lock. No packet may enter any more: ports are released, labels removed, next
 * hops into it killed, routes dropped. Idempotent. (vrf.c)
 */
void l3vpn_vrf_unpublish(struct l3vpn_vrf *vrf);

/* Under RTNL. Is something that user space must delete first (ports, labels, next hops)? (vrf.c) */
bool l3vpn_vrf_is_used(struct l3vpn_vrf *vrf);

/*
 * Under RTNL. The FIB rules that send lookups of sockets and packets of a layer 3 master to its
 * table, and end there: "l3mdev" and, behind it, "l3mdev unreachable". Installed with the
 * namespace's first VRF, removed at unload. (vrf_rule.c)
 */
int l3vpn_vrf_rules_install(struct l3vpn_net *ln);
void l3vpn_vrf_rules_remove(struct l3vpn_net *ln);

/* Module init and exit: the link kind. Exit deletes every VRF device. */
int l3vpn_vrf_dev_init(void);
void l3vpn_vrf_dev_exit(void);

#endif /* _L3VPN_VRF_DEV_H */
