/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Before Linux 6.12 "transmits without a lock" and "stays in its namespace" were features of a
 * device; since then they are fields, the second of which was renamed later (Kbuild looks).
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

#endif /* _L3VPN_COMPAT_LINUX_NETDEVICE_H */
