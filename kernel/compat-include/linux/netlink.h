/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Before Linux 6.2 an extended acknowledgement had no room for a formatted message, only a pointer
 * to a constant one. The text then lies in one of many static buffers, taken in turn: the kernel
 * copies it into the acknowledgement as soon as the command returns.
 */
#ifndef _L3VPN_COMPAT_LINUX_NETLINK_H
#define _L3VPN_COMPAT_LINUX_NETLINK_H

#include_next <linux/netlink.h>

#ifndef NL_SET_ERR_MSG_FMT
#define L3VPN_COMPAT_EXTACK_SIZE	80

char *l3vpn_compat_extack_buffer(void);

#define NL_SET_ERR_MSG_FMT(extack, fmt, args...) do {					\
	struct netlink_ext_ack *__extack = (extack);					\
											\
	if (__extack) {									\
		char *__buf = l3vpn_compat_extack_buffer();				\
											\
		scnprintf(__buf, L3VPN_COMPAT_EXTACK_SIZE, fmt, ##args);		\
		__extack->_msg = __buf;							\
	}										\
} while (0)
#endif

#endif /* _L3VPN_COMPAT_LINUX_NETLINK_H */
