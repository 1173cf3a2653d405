// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn: what a port asks of its device: that it can be one, and that it is a slave of the VRF's.
 */
#include <linux/if_arp.h>
#include <linux/if_macvlan.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <net/addrconf.h>
#include <net/if_inet6.h>

#include "port_ctl.h"
#include "vrf.h"

static const char *l3vpn_port_dev_reason(const struct net_device *dev)
{
	if (dev->flags & IFF_LOOPBACK)
		return "a loopback device cannot be a port";
	if (l3vpn_vrf_dev_is(dev) || netif_is_l3_master(dev))
		return "a VRF device cannot be a port";
	if (dev->type != ARPHRD_ETHER)
		return "only a device with Ethernet headers can be a port";
	return NULL;
}

static const char *l3vpn_port_dev_busy(const struct net_device *dev)
{
	if (netif_is_bridge_port(dev))
		return "device is a member of a bridge";
	if (netif_is_lag_port(dev))
		return "device is a member of a bond or team";
	if (netif_is_ovs_port(dev))
		return "device is a port of an Open vSwitch";
	if (netif_is_macvlan_port(dev))
		return "device is the parent of a macvlan";
	if (netif_is_l3_slave(dev))
		return "device belongs to another kind of VRF";
	if (netdev_master_upper_dev_get((struct net_device *)dev))
		return "device has another master";
	if (rtnl_dereference(dev->rx_handler))
		return "device is taken by another receive handler (bridge, bond, macvlan, ipvlan, ...)";
	return NULL;
}

int l3vpn_port_dev_check(const struct net_device *dev, struct netlink_ext_ack *extack)
{
	const char *why;

	ASSERT_RTNL();
	why = l3vpn_port_dev_reason(dev);
	if (why) {
		NL_SET_ERR_MSG_FMT(extack, "%s", why);
		return -EINVAL;
	}
	why = l3vpn_port_dev_busy(dev);
	if (why) {
		NL_SET_ERR_MSG_FMT(extack, "%s", why);
		return -EBUSY;
	}
	return 0;
}

/*
 * The kernel drops a device's addresses and routes when its layer 3 master changes, and makes the
 * routes again, now in the master's table, when it comes up. While the returned value is not given
 * back, IPv6 keeps the addresses that were configured, as IPv4 always does (unless the administrator
 * forbade that by net.ipv6.conf.all.keep_addr_on_down < 0).
 */
static int l3vpn_keep_addrs(struct net_device *dev)
{
	struct inet6_dev *idev = __in6_dev_get(dev);
	int was = 0;

	if (idev) {
		was = idev->cnf.keep_addr_on_down;
		WRITE_ONCE(idev->cnf.keep_addr_on_down, 1);
	}
	return was;
}

static void l3vpn_keep_addrs_end(struct net_device *dev, int was)
{
	struct inet6_dev *idev = __in6_dev_get(dev);

	if (idev)
		WRITE_ONCE(idev->cnf.keep_addr_on_down, was);
}

static int l3vpn_port_dev_cycle(struct net_device *dev, struct netlink_ext_ack *extack)
{
	unsigned int flags = dev->flags;
	int err;

	if (!netif_running(dev))
		return 0;
	err = dev_change_flags(dev, flags & ~IFF_UP, extack);
	if (err)
		return err;
	return dev_change_flags(dev, flags, extack);
}

int l3vpn_port_dev_link(struct net_device *dev, struct l3vpn_vrf *vrf,
			struct netlink_ext_ack *extack)
{
	int was, err;

	ASSERT_RTNL();
	was = l3vpn_keep_addrs(dev);
	dev->priv_flags |= IFF_L3MDEV_SLAVE;
	err = netdev_master_upper_dev_link(dev, vrf->dev, NULL, NULL, extack);
	if (err) {
		dev->priv_flags &= ~IFF_L3MDEV_SLAVE;
		goto out;
	}
	err = l3vpn_port_dev_cycle(dev, extack);
	if (err) {
		netdev_upper_dev_unlink(dev, vrf->dev);
		dev->priv_flags &= ~IFF_L3MDEV_SLAVE;
	}
out:
	l3vpn_keep_addrs_end(dev, was);
	return err;
}

void l3vpn_port_dev_unlink(struct net_device *dev, struct l3vpn_vrf *vrf)
{
	int was;

	ASSERT_RTNL();
	was = l3vpn_keep_addrs(dev);
	/*
	 * The stock vrf module, if it is there, releases every layer 3 slave that is unregistered,
	 * whatever kind of master it has: then it was first.
	 */
	if (netdev_master_upper_dev_get(dev) == vrf->dev)
		netdev_upper_dev_unlink(dev, vrf->dev);
	dev->priv_flags &= ~IFF_L3MDEV_SLAVE;
	if (dev->reg_state == NETREG_REGISTERED && l3vpn_port_dev_cycle(dev, NULL))
		netdev_warn(dev, "l3vpn: did not come up again\n");
	l3vpn_keep_addrs_end(dev, was);
}

int l3vpn_port_dev_rest(struct net_device *dev, struct l3vpn_port_rest *rest,
			struct netlink_ext_ack *extack)
{
	int err = 0;

	ASSERT_RTNL();
	rest->flags = dev->flags;
	rest->keep = l3vpn_keep_addrs(dev);
	if (netif_running(dev))
		err = dev_change_flags(dev, dev->flags & ~IFF_UP, extack);
	if (err)
		l3vpn_keep_addrs_end(dev, rest->keep);
	return err;
}

void l3vpn_port_dev_wake(struct net_device *dev, const struct l3vpn_port_rest *rest)
{
	ASSERT_RTNL();
	if ((rest->flags & IFF_UP) && dev_change_flags(dev, rest->flags, NULL))
		netdev_warn(dev, "l3vpn: did not come up again\n");
	l3vpn_keep_addrs_end(dev, rest->keep);
}
