// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn: the addresses of ports and VRF devices, and the FIB entries that follow them.
 *
 *   IPv4: the address: RECEIVE. Its prefix, while the device is up: connected. The prefix's all-ones
 *	address (not in /31 and /32): RECEIVE, which is what the kernel's stack makes of it: it is
 *	never forwarded as a directed broadcast (RFC 2644). The all-zero address is a host's, as it
 *	is for the stack since Linux 5.14.
 *   IPv6: the address and its subnet-router anycast address (RFC 4291 section 2.6.1; not in /127
 *	and /128): RECEIVE. Its prefix, while the device is up: connected. Link-local and multicast
 *	addresses have no entry: receive.c knows them, for they belong to a port and not to a VRF.
 *   A VRF device has no link: the rest of its prefix is unreachable.
 *
 * IPv4's notifier and the device notifier run under RTNL and act at once. IPv6's is atomic: it puts
 * the keeper on a list, which a work serves.
 */
#include <linux/inetdevice.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/addrconf.h>
#include <net/if_inet6.h>

#include "addr.h"
#include "event.h"
#include "kept.h"
#include "nexthop.h"
#include "port.h"
#include "route.h"
#include "vrf.h"

/* A copy of what matters of an IPv6 address: claims sleep, the list's lock spins. */
struct l3vpn_addr6 {
	struct in6_addr addr;
	u8 plen;
	bool noprefix;
};

struct l3vpn_round {
	struct l3vpn_vrf *vrf;
	struct l3vpn_keeper *keeper;
	struct l3vpn_nh *connected;	/* NULL while the device is down */
	const char *name;
};

static struct l3vpn_key l3vpn_key_mask(struct l3vpn_key key, u8 plen)
{
	if (plen == 0)
		return (struct l3vpn_key){};
	if (plen <= 64) {
		key.hi &= ~0ULL << (64 - plen);
		key.lo = 0;
	} else if (plen < 128) {
		key.lo &= ~0ULL << (128 - plen);
	}
	return key;
}

static void l3vpn_round_claim(const struct l3vpn_round *round, int v6, struct l3vpn_key key,
			      u8 plen, enum l3vpn_claim_rank rank, struct l3vpn_nh *nh)
{
	int err = l3vpn_kept_claim(round->vrf, round->keeper, v6, key, plen, rank, nh);

	if (err)
		net_warn_ratelimited("l3vpn: %s: no memory to follow an address\n", round->name);
}

static void l3vpn_round_receive(const struct l3vpn_round *round, int v6, struct l3vpn_key key)
{
	l3vpn_round_claim(round, v6, key, v6 ? 128 : 32, L3VPN_CLAIM_RECEIVE,
			  round->vrf->ln->nh_receive);
}

static void l3vpn_round_ifa(const struct l3vpn_round *round, const struct in_ifaddr *ifa)
{
	u8 plen = ifa->ifa_prefixlen;
	__be32 net = ifa->ifa_address & ifa->ifa_mask;

	l3vpn_round_receive(round, 0, l3vpn_key4(ifa->ifa_local));
	if (plen == 32 && ifa->ifa_address == ifa->ifa_local)
		return;
	if (plen < 31) {
		l3vpn_round_receive(round, 0, l3vpn_key4(net | ~ifa->ifa_mask));
		if (ifa->ifa_broadcast && ifa->ifa_broadcast != htonl(INADDR_BROADCAST))
			l3vpn_round_receive(round, 0, l3vpn_key4(ifa->ifa_broadcast));
	}
	if (round->connected && plen && !(ifa->ifa_flags & IFA_F_NOPREFIXROUTE))
		l3vpn_round_claim(round, 0, l3vpn_key4(net), plen, L3VPN_CLAIM_CONNECTED,
				  round->connected);
}

static void l3vpn_round_ifp(const struct l3vpn_round *round, const struct l3vpn_addr6 *a)
{
	struct l3vpn_key key = l3vpn_key6(&a->addr);

	l3vpn_round_receive(round, 1, key);
	if (a->plen >= 128 || !a->plen)
		return;
	key = l3vpn_key_mask(key, a->plen);
	if (a->plen < 127)
		l3vpn_round_receive(round, 1, key);
	if (round->connected && !a->noprefix)
		l3vpn_round_claim(round, 1, key, a->plen, L3VPN_CLAIM_CONNECTED,
				  round->connected);
}

/* Copies at most @max addresses into @to; returns how many there are. */
static u32 l3vpn_addr6_copy(struct inet6_dev *idev, struct l3vpn_addr6 *to, u32 max)
{
	struct inet6_ifaddr *ifp;
	u32 n = 0;

	read_lock_bh(&idev->lock);
	list_for_each_entry(ifp, &idev->addr_list, if_list) {
		if (ipv6_addr_type(&ifp->addr) & (IPV6_ADDR_LINKLOCAL | IPV6_ADDR_LOOPBACK))
			continue;
		if (ifp->flags & IFA_F_DADFAILED)
			continue;
		if (n < max) {
			to[n].addr = ifp->addr;
			to[n].plen = ifp->prefix_len;
			to[n].noprefix = ifp->flags & IFA_F_NOPREFIXROUTE;
		}
		n++;
	}
	read_unlock_bh(&idev->lock);
	return n;
}

static void l3vpn_round_v6(const struct l3vpn_round *round, struct inet6_dev *idev)
{
	struct l3vpn_addr6 *addrs = NULL;
	u32 max = 0, n, i;

	while ((n = l3vpn_addr6_copy(idev, addrs, max)) > max) {
		kvfree(addrs);
		max = n + 4;
		addrs = kvmalloc_array(max, sizeof(*addrs), GFP_KERNEL);
		if (!addrs) {
			net_warn_ratelimited("l3vpn: %s: no memory to follow addresses\n",
					     round->name);
			return;
		}
	}
	for (i = 0; i < n; i++)
		l3vpn_round_ifp(round, &addrs[i]);
	kvfree(addrs);
}

static void l3vpn_addr_round(const struct l3vpn_round *round, struct net_device *dev)
{
	struct in_device *in_dev = __in_dev_get_rtnl(dev);
	struct inet6_dev *idev = __in6_dev_get(dev);
	const struct in_ifaddr *ifa;

	l3vpn_kept_begin(round->keeper);
	if (in_dev) {
		in_dev_for_each_ifa_rtnl(ifa, in_dev)
			l3vpn_round_ifa(round, ifa);
	}
	if (idev)
		l3vpn_round_v6(round, idev);
	l3vpn_kept_end(round->vrf, round->keeper);
}

void l3vpn_addr_sync_port(struct l3vpn_port *port)
{
	struct l3vpn_round round = {
		.vrf = rtnl_dereference(port->vrf),
		.keeper = &port->keeper,
		.connected = (port->dev->flags & IFF_UP) ? port->connected : NULL,
		.name = port->dev->name,
	};

	if (round.vrf)
		l3vpn_addr_round(&round, port->dev);
}

void l3vpn_addr_sync_vrf(struct l3vpn_vrf *vrf)
{
	struct l3vpn_round round = {
		.vrf = vrf,
		.keeper = &vrf->keeper,
		.connected = vrf->ln->nh_unreachable,
		.name = vrf->dev->name,
	};

	if (!vrf->dying)
		l3vpn_addr_round(&round, vrf->dev);
}

void l3vpn_addr_open(struct l3vpn_net *ln, struct l3vpn_keeper *keeper)
{
	spin_lock_bh(&ln->addr_lock);
	keeper->open = true;
	spin_unlock_bh(&ln->addr_lock);
}

void l3vpn_addr_close(struct l3vpn_net *ln, struct l3vpn_keeper *keeper)
{
	spin_lock_bh(&ln->addr_lock);
	keeper->open = false;
	list_del_init(&keeper->pending);
	spin_unlock_bh(&ln->addr_lock);
}

/*
 * Closing a keeper needs RTNL, which is held here: what was taken off the list stays alive until
 * its round is over.
 */
static void l3vpn_addr_work(struct work_struct *work)
{
	struct l3vpn_net *ln = container_of(work, struct l3vpn_net, addr_work);
	struct l3vpn_keeper *keeper;

	rtnl_lock();
	for (;;) {
		spin_lock_bh(&ln->addr_lock);
		keeper = list_first_entry_or_null(&ln->addr_pending, struct l3vpn_keeper, pending);
		if (keeper)
			list_del_init(&keeper->pending);
		spin_unlock_bh(&ln->addr_lock);
		if (!keeper)
			break;

		mutex_lock(&ln->lock);
		if (keeper->of_vrf)
			l3vpn_addr_sync_vrf(container_of(keeper, struct l3vpn_vrf, keeper));
		else
			l3vpn_addr_sync_port(container_of(keeper, struct l3vpn_port, keeper));
		mutex_unlock(&ln->lock);
	}
	rtnl_unlock();
}

static void l3vpn_addr_defer(struct l3vpn_net *ln, struct l3vpn_keeper *keeper)
{
	spin_lock_bh(&ln->addr_lock);
	if (keeper->open && list_empty(&keeper->pending)) {
		list_add_tail(&keeper->pending, &ln->addr_pending);
		schedule_work(&ln->addr_work);
	}
	spin_unlock_bh(&ln->addr_lock);
}

static int l3vpn_inetaddr_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	const struct in_ifaddr *ifa = ptr;
	struct net_device *dev = ifa->ifa_dev->dev;
	struct l3vpn_net *ln = l3vpn_net(dev_net(dev));
	struct l3vpn_port *port = l3vpn_port_of(dev);
	__be32 addr = ifa->ifa_local;

	if (event != NETDEV_UP && event != NETDEV_DOWN)
		return NOTIFY_DONE;
	if (!port && !l3vpn_vrf_dev_is(dev))
		return NOTIFY_DONE;

	mutex_lock(&ln->lock);
	if (port)
		l3vpn_addr_sync_port(port);
	else
		l3vpn_addr_sync_vrf(l3vpn_vrf_of(dev));
	mutex_unlock(&ln->lock);

	l3vpn_event_addr(ln, event == NETDEV_UP ? L3VPN_EVENT_NEW : L3VPN_EVENT_DEL, dev->ifindex,
			 &addr, sizeof(addr), ifa->ifa_prefixlen, GFP_KERNEL);
	return NOTIFY_DONE;
}

/* Atomic context. */
static int l3vpn_inet6addr_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	const struct inet6_ifaddr *ifp = ptr;
	struct net_device *dev = ifp->idev->dev;
	struct l3vpn_net *ln = l3vpn_net(dev_net(dev));
	struct l3vpn_port *port;
	bool ours = false;

	if (event != NETDEV_UP && event != NETDEV_DOWN)
		return NOTIFY_DONE;

	rcu_read_lock();
	port = l3vpn_port_of(dev);
	if (port) {
		l3vpn_addr_defer(ln, &port->keeper);
		ours = true;
	} else if (l3vpn_vrf_dev_is(dev)) {
		l3vpn_addr_defer(ln, &l3vpn_vrf_of(dev)->keeper);
		ours = true;
	}
	rcu_read_unlock();

	if (ours)
		l3vpn_event_addr(ln, event == NETDEV_UP ? L3VPN_EVENT_NEW : L3VPN_EVENT_DEL,
				 dev->ifindex, &ifp->addr, sizeof(ifp->addr), ifp->prefix_len,
				 GFP_ATOMIC);
	return NOTIFY_DONE;
}

static struct notifier_block l3vpn_inetaddr_notifier = {
	.notifier_call = l3vpn_inetaddr_event,
};

static struct notifier_block l3vpn_inet6addr_notifier = {
	.notifier_call = l3vpn_inet6addr_event,
};

void l3vpn_addr_net_init(struct l3vpn_net *ln)
{
	spin_lock_init(&ln->addr_lock);
	INIT_LIST_HEAD(&ln->addr_pending);
	INIT_WORK(&ln->addr_work, l3vpn_addr_work);
}

void l3vpn_addr_net_exit(struct l3vpn_net *ln)
{
	cancel_work_sync(&ln->addr_work);
}

int l3vpn_addr_init(void)
{
	int err;

	err = register_inetaddr_notifier(&l3vpn_inetaddr_notifier);
	if (err)
		return err;
	err = register_inet6addr_notifier(&l3vpn_inet6addr_notifier);
	if (err)
		unregister_inetaddr_notifier(&l3vpn_inetaddr_notifier);
	return err;
}

void l3vpn_addr_exit(void)
{
	unregister_inet6addr_notifier(&l3vpn_inet6addr_notifier);
	unregister_inetaddr_notifier(&l3vpn_inetaddr_notifier);
}
