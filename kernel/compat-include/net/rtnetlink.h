/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The hook that makes a link takes its parameters in a struct since Linux 6.15.
 * L3VPN_COMPAT_NEWLINK_ARGS are its parameters, of which dev and extack are in all kernels.
 */
#ifndef _L3VPN_COMPAT_NET_RTNETLINK_H
#define _L3VPN_COMPAT_NET_RTNETLINK_H

#include_next <net/rtnetlink.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 15, 0)
#define L3VPN_COMPAT_NEWLINK_ARGS							\
	struct net *net, struct net_device *dev, struct nlattr *tb[],			\
	struct nlattr *data[], struct netlink_ext_ack *extack
#else
#define L3VPN_COMPAT_NEWLINK_ARGS							\
	struct net_device *dev, struct rtnl_newlink_params *params,			\
	struct netlink_ext_ack *extack
#endif

#endif /* _L3VPN_COMPAT_NET_RTNETLINK_H */
