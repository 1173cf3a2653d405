/* SPDX-License-Identifier: GPL-2.0 */
/* A dump finds its request's attributes in one struct or, since Linux 6.7, in another. */
#ifndef _L3VPN_COMPAT_NET_GENETLINK_H
#define _L3VPN_COMPAT_NET_GENETLINK_H

#include_next <net/genetlink.h>
#include <linux/version.h>

static inline struct nlattr **l3vpn_compat_dump_attrs(struct netlink_callback *cb)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
	return genl_dumpit_info(cb)->attrs;
#else
	return genl_info_dump(cb)->attrs;
#endif
}

#endif /* _L3VPN_COMPAT_NET_GENETLINK_H */
