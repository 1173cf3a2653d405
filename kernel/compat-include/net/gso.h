/* SPDX-License-Identifier: GPL-2.0 */
/* Before Linux 6.5 what is in this header was in <linux/netdevice.h> and <linux/skbuff.h>. */
#ifndef _L3VPN_COMPAT_NET_GSO_H
#define _L3VPN_COMPAT_NET_GSO_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#include <linux/netdevice.h>
#else
#include_next <net/gso.h>
#endif

#endif /* _L3VPN_COMPAT_NET_GSO_H */
