// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn: a VRF: its identity, its place in the namespace, and how it goes away.
 */
#include <linux/rtnetlink.h>
#include <linux/slab.h>

#include "addr.h"
#include "event.h"
#include "ilm.h"
#include "nexthop_ctl.h"
#include "object.h"
#include "port.h"
#include "port_ctl.h"
#include "route.h"
#include "vrf.h"
#include "vrf_dev.h"

struct l3vpn_vrf *l3vpn_vrf_find(struct l3vpn_net *ln, u32 id)
{
	return xa_load(&ln->vrfs, id);
}

static bool l3vpn_table_is_taken(struct l3vpn_net *ln, u32 table)
{
	struct l3vpn_vrf *vrf;
	unsigned long id;

	xa_for_each(&ln->vrfs, id, vrf) {
		if (vrf->table == table)
			return true;
	}
	return false;
}

static int l3vpn_vrf_number(struct l3vpn_net *ln, struct l3vpn_vrf *vrf,
			    struct netlink_ext_ack *extack)
{
	int err;

	if (vrf->id) {
		err = xa_insert(&ln->vrfs, vrf->id, vrf, GFP_KERNEL);
		if (err == -EBUSY) {
			NL_SET_ERR_MSG(extack, "VRF id is in use");
			err = -EEXIST;
		}
		return err;
	}
	err = xa_alloc(&ln->vrfs, &vrf->id, vrf, XA_LIMIT(1, L3VPN_VRF_ID_MAX), GFP_KERNEL);
	if (err == -EBUSY) {
		NL_SET_ERR_MSG(extack, "no VRF id is free");
		err = -ENOSPC;
	}
	return err;
}

int l3vpn_vrf_publish(struct l3vpn_vrf *vrf, struct netlink_ext_ack *extack)
{
	struct l3vpn_net *ln = vrf->ln;
	int err;

	ASSERT_RTNL();
	mutex_lock(&ln->lock);
	if (vrf->table && l3vpn_table_is_taken(ln, vrf->table)) {
		NL_SET_ERR_MSG(extack, "another VRF has this table");
		err = -EEXIST;
		goto out;
	}
	err = l3vpn_vrf_number(ln, vrf, extack);
	if (err)
		goto out;
	if (!vrf->table && l3vpn_table_is_taken(ln, L3VPN_TABLE_BASE + vrf->id)) {
		NL_SET_ERR_MSG(extack, "another VRF has the table that goes with this id");
		xa_erase(&ln->vrfs, vrf->id);
		err = -EEXIST;
		goto out;
	}
	if (!vrf->table)
		vrf->table = L3VPN_TABLE_BASE + vrf->id;
	vrf->stamp = ln->epoch;
	vrf->dying = false;
	ln->vrf_count++;
	l3vpn_addr_open(ln, &vrf->keeper);
out:
	mutex_unlock(&ln->lock);
	return err;
}

bool l3vpn_vrf_is_used(struct l3vpn_vrf *vrf)
{
	bool used;

	mutex_lock(&vrf->ln->lock);
	used = vrf->refs || vrf->ports;
	mutex_unlock(&vrf->ln->lock);
	return used;
}

void l3vpn_vrf_unpublish(struct l3vpn_vrf *vrf)
{
	struct l3vpn_net *ln = vrf->ln;
	struct l3vpn_port *port;
	unsigned long ifindex;

	ASSERT_RTNL();
	if (vrf->dying)
		return;
	WRITE_ONCE(vrf->dying, true);

	if (vrf->ports) {
		xa_for_each(&ln->ports, ifindex, port) {
			if (rtnl_dereference(port->vrf) == vrf)
				l3vpn_port_unbind(port);
		}
	}

	mutex_lock(&ln->lock);
	l3vpn_addr_close(ln, &vrf->keeper);
	l3vpn_kept_release(vrf, &vrf->keeper);
	l3vpn_ilm_flush(ln, vrf);
	l3vpn_nh_kill_vrf(ln, vrf);
	l3vpn_route_flush(vrf);
	WARN_ON_ONCE(vrf->refs || vrf->ports || !list_empty(&vrf->kept));
	xa_erase(&ln->vrfs, vrf->id);
	ln->vrf_count--;
	mutex_unlock(&ln->lock);
}
