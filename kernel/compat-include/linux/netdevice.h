/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Before Linux 6.12 "transmits without a lock" and "stays in its namespace" were features of a
 * device; since then they are fields, the second of which was renamed later (Kbuild looks). Filters at
 * egress moved from the clsact qdisc's own field to tcx in 6.6.
 */
#ifndef _L3VPN_COMPAT_LINUX_NETDEVICE_H
#define _L3VPN_COMPAT_LINUX_NETDEVICE_H

#include_next <linux/netdevice.h>
#include <linux/version.h>

static inline void l3vpn_compat_dev_lltx_local(struct net_device *dev)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
	dev->features |= NETIF_F_LLTX | NETIF_F_NETNS_LOCAL;
#else
	dev->lltx = true;
#ifdef L3VPN_HAVE_NETNS_IMMUTABLE
	dev->netns_immutable = true;
#else
	dev->netns_local = true;
#endif
#endif
}

static inline bool l3vpn_compat_dev_is_lltx(const struct net_device *dev)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
	return dev->features & NETIF_F_LLTX;
#else
	return dev->lltx;
#endif
}

/* Inside rcu_read_lock: is there a netfilter hook, a tc filter or a tcx program at the egress of @dev? */
static inline bool l3vpn_compat_dev_has_egress(const struct net_device *dev)
{
#ifdef CONFIG_NETFILTER_EGRESS
	if (rcu_access_pointer(dev->nf_hooks_egress))
		return true;
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#ifdef CONFIG_NET_CLS_ACT
	if (rcu_access_pointer(dev->miniq_egress))
		return true;
#endif
#elif defined(CONFIG_NET_XGRESS)
	if (rcu_access_pointer(dev->tcx_egress))
		return true;
#endif
	return false;
}

#endif /* _L3VPN_COMPAT_LINUX_NETDEVICE_H */
