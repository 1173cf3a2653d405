// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn: ports: binding a device to a VRF or to the core, moving it, ending it.
 *
 * The receive handler is registered before the device becomes a slave and unregistered after it was
 * released, with port->vrf NULL in between: packets are dropped then, never heard by another table.
 */
#include <linux/rtnetlink.h>
#include <linux/slab.h>

#include "addr.h"
#include "event.h"
#include "guard.h"
#include "kept.h"
#include "nexthop_ctl.h"
#include "object.h"
#include "port.h"
#include "port_ctl.h"
#include "receive.h"
#include "vrf.h"

struct l3vpn_port *l3vpn_port_of(const struct net_device *dev)
{
	rx_handler_func_t *handler = rcu_dereference_rtnl(dev->rx_handler);

	if (handler != l3vpn_receive_customer && handler != l3vpn_receive_core)
		return NULL;
	return rcu_dereference_rtnl(dev->rx_handler_data);
}

bool l3vpn_port_carrier(const struct l3vpn_port *port)
{
	return netif_running(port->dev) && netif_oper_up(port->dev);
}

void l3vpn_port_get(struct l3vpn_port *port)
{
	refcount_inc(&port->ref);
}

void l3vpn_port_put(struct l3vpn_port *port)
{
	if (!refcount_dec_and_test(&port->ref))
		return;
	netdev_put(port->dev, &port->dev_tracker);
	free_percpu(port->counters);
	l3vpn_object_gone(L3VPN_COUNT_PORT);
	kfree(port);
}

/*
 * Under RTNL. What came in before, and waits (burst.h), does not go on. Who sees the new term sees what was written
 * before it.
 */
static void l3vpn_port_begin_term(struct l3vpn_port *port)
{
	static u32 terms;

	smp_store_release(&port->term, ++terms);	/* pairs with l3vpn_burst_take() */
}

static struct l3vpn_port *l3vpn_port_alloc(struct l3vpn_net *ln, struct net_device *dev, u8 kind)
{
	struct l3vpn_port *port = kzalloc(sizeof(*port), GFP_KERNEL_ACCOUNT);

	if (!port)
		return NULL;
	port->counters = l3vpn_counters_alloc();
	if (!port->counters) {
		kfree(port);
		return NULL;
	}
	port->dev = dev;
	port->ln = ln;
	port->kind = kind;
	l3vpn_guard_init(port);
	port->mpls_mtu = U32_MAX;
	INIT_LIST_HEAD(&port->adjs);
	l3vpn_keeper_init(&port->keeper, false);
	refcount_set(&port->ref, 1);
	l3vpn_port_begin_term(port);
	netdev_hold(dev, &port->dev_tracker, GFP_KERNEL);
	l3vpn_object_born(L3VPN_COUNT_PORT);
	return port;
}

/* User space's adjacencies by @port lead nowhere from now on; the module's own one stays. */
static void l3vpn_port_kill_adjs(struct l3vpn_port *port)
{
	struct l3vpn_nh *nh, *next;

	list_for_each_entry_safe(nh, next, &port->adjs, port_node)
		l3vpn_nh_kill(port->ln, nh);
}

bool l3vpn_port_is_used(struct l3vpn_port *port)
{
	bool used;

	mutex_lock(&port->ln->lock);
	used = !list_empty(&port->adjs);
	mutex_unlock(&port->ln->lock);
	return used;
}

/* Into @vrf: the device follows, then packets may enter, then the FIB has its addresses. */
static int l3vpn_port_enter(struct l3vpn_port *port, struct l3vpn_vrf *vrf,
			    struct netlink_ext_ack *extack)
{
	struct l3vpn_net *ln = port->ln;
	int err;

	err = l3vpn_port_dev_link(port->dev, vrf, extack);
	if (err)
		return err;

	mutex_lock(&ln->lock);
	rcu_assign_pointer(port->vrf, vrf);
	vrf->ports++;
	l3vpn_addr_open(ln, &port->keeper);
	l3vpn_addr_sync_port(port);
	mutex_unlock(&ln->lock);
	return 0;
}

/* Out of its VRF: no packet is on its way in or out by this port when it returns. */
static void l3vpn_port_leave(struct l3vpn_port *port)
{
	struct l3vpn_vrf *vrf = rtnl_dereference(port->vrf);
	struct l3vpn_net *ln = port->ln;

	mutex_lock(&ln->lock);
	RCU_INIT_POINTER(port->vrf, NULL);
	/* before the grace period: who still finds the old term may use the VRF until its RCU section ends */
	l3vpn_port_begin_term(port);
	l3vpn_addr_close(ln, &port->keeper);
	l3vpn_kept_release(vrf, &port->keeper);
	l3vpn_port_kill_adjs(port);
	vrf->ports--;
	mutex_unlock(&ln->lock);

	if (port->dev->reg_state == NETREG_REGISTERED)
		synchronize_net();
	l3vpn_port_dev_unlink(port->dev, vrf);
}

static void l3vpn_port_stamp(struct l3vpn_port *port, const struct l3vpn_port_request *req)
{
	if (!req->user)
		return;
	mutex_lock(&port->ln->lock);
	port->user = true;
	port->stamp = port->ln->epoch;
	mutex_unlock(&port->ln->lock);
}

/* Under RTNL. Returns whether anything is another way now. */
static bool l3vpn_port_settings(struct l3vpn_port *port, const struct l3vpn_port_request *req)
{
	if (!req->mpls_mtu || req->mpls_mtu == port->mpls_mtu)
		return false;
	WRITE_ONCE(port->mpls_mtu, req->mpls_mtu);
	return true;
}

/*
 * The device is down on its way: between two VRFs its addresses and routes would be in the global
 * table, and global traffic for the same addresses would leave by it.
 */
static int l3vpn_port_move(struct l3vpn_port *port, const struct l3vpn_port_request *req,
			   struct netlink_ext_ack *extack)
{
	struct l3vpn_vrf *was = rtnl_dereference(port->vrf);
	struct l3vpn_port_rest rest;
	int err;

	err = l3vpn_port_dev_rest(port->dev, &rest, extack);
	if (err)
		return err;
	if (was)
		l3vpn_port_leave(port);
	err = l3vpn_port_enter(port, req->vrf, extack);
	if (!err)
		l3vpn_guard_set(port, req);
	if (err && (!was || l3vpn_port_enter(port, was, NULL)))
		netdev_err(port->dev, "l3vpn: belongs to no VRF any more\n");
	l3vpn_port_dev_wake(port->dev, &rest);
	return err;
}

static int l3vpn_port_again(struct l3vpn_port *port, const struct l3vpn_port_request *req,
			    struct netlink_ext_ack *extack)
{
	bool changed = false;
	int err;

	if (req->flags & NLM_F_EXCL) {
		NL_SET_ERR_MSG(extack, "device is a port already");
		return -EEXIST;
	}
	if (port->kind != req->kind) {
		NL_SET_ERR_MSG(extack, "device is a port of the other kind: delete that first");
		return -EBUSY;
	}
	if (rtnl_dereference(port->vrf) != req->vrf) {
		err = l3vpn_port_move(port, req, extack);
		if (err)
			return err;
		changed = true;
	}
	changed |= l3vpn_port_settings(port, req);
	l3vpn_port_stamp(port, req);
	changed |= l3vpn_guard_set(port, req);
	if (changed)
		l3vpn_event_port(port, L3VPN_EVENT_CHANGE);
	return 0;
}

/* Into the tables and onto the device; not in a VRF yet. */
static int l3vpn_port_attach(struct l3vpn_port *port)
{
	struct l3vpn_net *ln = port->ln;
	struct net_device *dev = port->dev;
	int err = 0;

	mutex_lock(&ln->lock);
	if (port->kind == L3VPN_PORT_KIND_CUSTOMER) {
		port->connected = l3vpn_nh_connected(ln, port);
		if (!port->connected)
			err = -ENOMEM;
	}
	if (!err)
		err = xa_insert(&ln->ports, dev->ifindex, port, GFP_KERNEL);
	if (err && port->connected)
		l3vpn_nh_end(ln, port->connected);
	if (!err)
		ln->port_count++;
	mutex_unlock(&ln->lock);
	return err;
}

static void l3vpn_port_detach(struct l3vpn_port *port)
{
	struct l3vpn_net *ln = port->ln;

	mutex_lock(&ln->lock);
	xa_erase(&ln->ports, port->dev->ifindex);
	ln->port_count--;
	l3vpn_port_kill_adjs(port);
	if (port->connected)
		l3vpn_nh_end(ln, port->connected);
	mutex_unlock(&ln->lock);
}

int l3vpn_port_bind(struct l3vpn_net *ln, struct net_device *dev,
		    const struct l3vpn_port_request *req, struct netlink_ext_ack *extack)
{
	struct l3vpn_port *port = l3vpn_port_of(dev);
	int err;

	ASSERT_RTNL();
	if (port)
		return l3vpn_port_again(port, req, extack);
	if ((req->flags & NLM_F_REPLACE) && !(req->flags & NLM_F_CREATE)) {
		NL_SET_ERR_MSG(extack, "device is no port");
		return -ENOENT;
	}
	err = l3vpn_port_dev_check(dev, extack);
	if (err)
		return err;

	port = l3vpn_port_alloc(ln, dev, req->kind);
	if (!port)
		return -ENOMEM;
	l3vpn_guard_set(port, req);
	l3vpn_port_settings(port, req);
	err = netdev_rx_handler_register(dev, req->kind == L3VPN_PORT_KIND_CORE ?
					 l3vpn_receive_core : l3vpn_receive_customer, port);
	if (err) {
		NL_SET_ERR_MSG(extack, "device does not take a receive handler");
		goto err_free;
	}
	err = l3vpn_port_attach(port);
	if (err)
		goto err_handler;
	dev_disable_lro(dev);
	if (req->kind == L3VPN_PORT_KIND_CUSTOMER) {
		err = l3vpn_port_enter(port, req->vrf, extack);
		if (err)
			goto err_attach;
	}
	l3vpn_port_stamp(port, req);
	l3vpn_event_port(port, L3VPN_EVENT_NEW);
	return 0;

err_attach:
	l3vpn_port_detach(port);
err_handler:
	netdev_rx_handler_unregister(dev);
err_free:
	l3vpn_port_put(port);
	return err;
}

void l3vpn_port_unbind(struct l3vpn_port *port)
{
	ASSERT_RTNL();
	l3vpn_event_port(port, L3VPN_EVENT_DEL);
	if (rtnl_dereference(port->vrf))
		l3vpn_port_leave(port);
	l3vpn_port_detach(port);
	netdev_rx_handler_unregister(port->dev);
	l3vpn_port_put(port);
}
