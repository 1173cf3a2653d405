/* SPDX-License-Identifier: GPL-2.0 */
/* Before Linux 6.12 this header was <asm/unaligned.h>. */
#ifndef _L3VPN_COMPAT_LINUX_UNALIGNED_H
#define _L3VPN_COMPAT_LINUX_UNALIGNED_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#include <asm/unaligned.h>
#else
#include_next <linux/unaligned.h>
#endif

#endif /* _L3VPN_COMPAT_LINUX_UNALIGNED_H */
