// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn: what happens to devices, neighbours and objects, and telling it to multicast group
 * "events".
 *
 * Exit: unregistering the device notifier replays NETDEV_UNREGISTER for every device, so that every
 * port is unbound by the same code that serves a device which really goes away.
 */
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <net/genetlink.h>
#include <net/neighbour.h>
#include <net/netevent.h>

#include "addr.h"
#include "event.h"
#include "netlink.h"
#include "nexthop_ctl.h"
#include "port.h"
#include "port_ctl.h"
#include "vrf.h"

static struct sk_buff *l3vpn_event_start(struct l3vpn_net *ln, enum l3vpn_event what,
					 enum l3vpn_object object, void **hdr, gfp_t gfp)
{
	struct sk_buff *msg;

	if (!l3vpn_has_listeners(ln, L3VPN_GROUP_EVENTS))
		return NULL;
	msg = genlmsg_new(NLMSG_DEFAULT_SIZE, gfp);
	if (!msg)
		return NULL;
	*hdr = genlmsg_put(msg, 0, 0, &l3vpn_family, 0, L3VPN_CMD_EVENT);
	if (*hdr && !nla_put_u8(msg, L3VPN_EVENT_WHAT, what) &&
	    !nla_put_u8(msg, L3VPN_EVENT_OBJECT, object))
		return msg;
	nlmsg_free(msg);
	return NULL;
}

static void l3vpn_event_send(struct l3vpn_net *ln, struct sk_buff *msg, void *hdr, gfp_t gfp)
{
	genlmsg_end(msg, hdr);
	genlmsg_multicast_netns(&l3vpn_family, ln->net, msg, 0, L3VPN_GROUP_EVENTS, gfp);
}

void l3vpn_event_vrf(struct l3vpn_vrf *vrf, enum l3vpn_event what)
{
	struct l3vpn_net *ln = vrf->ln;
	struct sk_buff *msg;
	struct nlattr *nest;
	void *hdr;
	int err;

	msg = l3vpn_event_start(ln, what, L3VPN_OBJECT_VRF, &hdr, GFP_KERNEL);
	if (!msg)
		return;
	nest = nla_nest_start(msg, L3VPN_EVENT_VRF);
	mutex_lock(&ln->lock);
	err = nest ? l3vpn_vrf_fill(msg, vrf) : -EMSGSIZE;
	mutex_unlock(&ln->lock);
	if (err) {
		nlmsg_free(msg);
		return;
	}
	nla_nest_end(msg, nest);
	l3vpn_event_send(ln, msg, hdr, GFP_KERNEL);
}

void l3vpn_event_port(struct l3vpn_port *port, enum l3vpn_event what)
{
	struct l3vpn_net *ln = port->ln;
	struct sk_buff *msg;
	struct nlattr *nest;
	void *hdr;
	int err;

	msg = l3vpn_event_start(ln, what, L3VPN_OBJECT_PORT, &hdr, GFP_KERNEL);
	if (!msg)
		return;
	nest = nla_nest_start(msg, L3VPN_EVENT_PORT);
	mutex_lock(&ln->lock);
	err = nest ? l3vpn_port_fill(msg, port) : -EMSGSIZE;
	mutex_unlock(&ln->lock);
	if (err) {
		nlmsg_free(msg);
		return;
	}
	nla_nest_end(msg, nest);
	l3vpn_event_send(ln, msg, hdr, GFP_KERNEL);
}

void l3vpn_event_level(struct l3vpn_vrf *vrf, int v6)
{
	struct l3vpn_net *ln = vrf->ln;
	struct sk_buff *msg;
	struct nlattr *nest;
	void *hdr;

	msg = l3vpn_event_start(ln, L3VPN_EVENT_LEVEL, L3VPN_OBJECT_VRF, &hdr, GFP_KERNEL);
	if (!msg)
		return;
	nest = nla_nest_start(msg, L3VPN_EVENT_VRF);
	if (!nest || l3vpn_vrf_fill(msg, vrf)) {
		nlmsg_free(msg);
		return;
	}
	nla_nest_end(msg, nest);
	if (nla_put_u8(msg, L3VPN_EVENT_FAMILY, v6 ? AF_INET6 : AF_INET)) {
		nlmsg_free(msg);
		return;
	}
	l3vpn_event_send(ln, msg, hdr, GFP_KERNEL);
}

void l3vpn_event_nh(struct l3vpn_net *ln, struct l3vpn_nh *nh, enum l3vpn_event what)
{
	struct sk_buff *msg;
	struct nlattr *nest;
	void *hdr;

	msg = l3vpn_event_start(ln, what, L3VPN_OBJECT_NH, &hdr, GFP_KERNEL);
	if (!msg)
		return;
	nest = nla_nest_start(msg, L3VPN_EVENT_NH);
	if (!nest || l3vpn_nh_fill(msg, ln, nh)) {
		nlmsg_free(msg);
		return;
	}
	nla_nest_end(msg, nest);
	l3vpn_event_send(ln, msg, hdr, GFP_KERNEL);
}

void l3vpn_event_endpoint(struct l3vpn_net *ln, struct l3vpn_endpoint *ep, enum l3vpn_event what)
{
	struct sk_buff *msg;
	struct nlattr *nest;
	void *hdr;

	msg = l3vpn_event_start(ln, what, L3VPN_OBJECT_ENDPOINT, &hdr, GFP_KERNEL);
	if (!msg)
		return;
	nest = nla_nest_start(msg, L3VPN_EVENT_ENDPOINT);
	if (!nest || l3vpn_endpoint_fill(msg, ln, ep)) {
		nlmsg_free(msg);
		return;
	}
	nla_nest_end(msg, nest);
	l3vpn_event_send(ln, msg, hdr, GFP_KERNEL);
}

void l3vpn_event_addr(struct l3vpn_net *ln, enum l3vpn_event what, int ifindex, const void *addr,
		      int len, u8 plen, gfp_t gfp)
{
	struct sk_buff *msg;
	void *hdr;

	msg = l3vpn_event_start(ln, what, L3VPN_OBJECT_ADDR, &hdr, gfp);
	if (!msg)
		return;
	if (nla_put_s32(msg, L3VPN_EVENT_IFINDEX, ifindex) ||
	    nla_put(msg, L3VPN_EVENT_ADDRESS, len, addr) ||
	    nla_put_u8(msg, L3VPN_EVENT_PLEN, plen)) {
		nlmsg_free(msg);
		return;
	}
	l3vpn_event_send(ln, msg, hdr, gfp);
}

void l3vpn_event_neigh(struct l3vpn_net *ln, int ifindex, const void *addr, int len,
		       bool reachable)
{
	struct sk_buff *msg;
	void *hdr;

	msg = l3vpn_event_start(ln, L3VPN_EVENT_CHANGE, L3VPN_OBJECT_NEIGH, &hdr, GFP_ATOMIC);
	if (!msg)
		return;
	if (nla_put_s32(msg, L3VPN_EVENT_IFINDEX, ifindex) ||
	    nla_put(msg, L3VPN_EVENT_ADDRESS, len, addr) ||
	    nla_put_u8(msg, L3VPN_EVENT_REACHABLE, reachable)) {
		nlmsg_free(msg);
		return;
	}
	l3vpn_event_send(ln, msg, hdr, GFP_ATOMIC);
}

/* Under RTNL. */
static void l3vpn_port_event(struct l3vpn_port *port, unsigned long event)
{
	switch (event) {
	case NETDEV_UNREGISTER:
		l3vpn_port_unbind(port);
		break;
	case NETDEV_UP:
	case NETDEV_DOWN:
		mutex_lock(&port->ln->lock);
		l3vpn_addr_sync_port(port);
		mutex_unlock(&port->ln->lock);
		l3vpn_event_port(port, L3VPN_EVENT_CHANGE);
		break;
	case NETDEV_CHANGE:
	case NETDEV_CHANGENAME:
		l3vpn_event_port(port, L3VPN_EVENT_CHANGE);
		break;
	}
}

static void l3vpn_vrf_event(struct l3vpn_vrf *vrf, unsigned long event)
{
	switch (event) {
	case NETDEV_REGISTER:
		l3vpn_event_vrf(vrf, L3VPN_EVENT_NEW);
		break;
	case NETDEV_UNREGISTER:
		l3vpn_event_vrf(vrf, L3VPN_EVENT_DEL);
		break;
	case NETDEV_CHANGENAME:
		l3vpn_event_vrf(vrf, L3VPN_EVENT_CHANGE);
		break;
	}
}

static int l3vpn_netdev_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct l3vpn_port *port = l3vpn_port_of(dev);

	if (port)
		l3vpn_port_event(port, event);
	else if (l3vpn_vrf_dev_is(dev))
		l3vpn_vrf_event(l3vpn_vrf_of(dev), event);
	return NOTIFY_DONE;
}

/* Atomic context. */
static int l3vpn_netevent(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct neighbour *neigh = ptr;
	struct l3vpn_net *ln;

	if (event != NETEVENT_NEIGH_UPDATE)
		return NOTIFY_DONE;
	if (neigh->tbl->family != AF_INET && neigh->tbl->family != AF_INET6)
		return NOTIFY_DONE;

	ln = l3vpn_net(dev_net(neigh->dev));
	rcu_read_lock();
	if (l3vpn_port_of(neigh->dev))
		l3vpn_event_neigh(ln, neigh->dev->ifindex, neigh->primary_key,
				  neigh->tbl->key_len, READ_ONCE(neigh->nud_state) & NUD_VALID);
	rcu_read_unlock();
	return NOTIFY_DONE;
}

static struct notifier_block l3vpn_netdev_notifier = {
	.notifier_call = l3vpn_netdev_event,
};

static struct notifier_block l3vpn_netevent_notifier = {
	.notifier_call = l3vpn_netevent,
};

int l3vpn_event_init(void)
{
	int err;

	err = register_netdevice_notifier(&l3vpn_netdev_notifier);
	if (err)
		return err;
	err = l3vpn_addr_init();
	if (err)
		goto err_netdev;
	err = register_netevent_notifier(&l3vpn_netevent_notifier);
	if (err)
		goto err_addr;
	return 0;

err_addr:
	l3vpn_addr_exit();
err_netdev:
	unregister_netdevice_notifier(&l3vpn_netdev_notifier);
	return err;
}

void l3vpn_event_exit(void)
{
	unregister_netevent_notifier(&l3vpn_netevent_notifier);
	l3vpn_addr_exit();
	unregister_netdevice_notifier(&l3vpn_netdev_notifier);
}
