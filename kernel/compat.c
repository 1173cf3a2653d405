// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn: what compat-include/ needs that cannot be inline.
 */
#include <linux/atomic.h>
#include <linux/netlink.h>

#ifdef L3VPN_COMPAT_EXTACK_SIZE
#define L3VPN_COMPAT_EXTACK_BUFFERS	256U

char *l3vpn_compat_extack_buffer(void)
{
	static char buffers[L3VPN_COMPAT_EXTACK_BUFFERS][L3VPN_COMPAT_EXTACK_SIZE];
	static atomic_t turn;

	return buffers[(unsigned int)atomic_inc_return(&turn) % L3VPN_COMPAT_EXTACK_BUFFERS];
}
#endif
