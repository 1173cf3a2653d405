/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: how many objects of each sort exist, over all namespaces: zero when the module is
 * unloaded, or something was leaked and the module says so.
 *
 * Implemented by: main.c (control plane). Any context.
 */
#ifndef _L3VPN_OBJECT_H
#define _L3VPN_OBJECT_H

#include <linux/atomic.h>
#include <linux/types.h>
#include <linux/workqueue.h>

enum l3vpn_count {
	L3VPN_COUNT_VRF,
	L3VPN_COUNT_PORT,
	L3VPN_COUNT_NH,
	L3VPN_COUNT_NH_DATA,
	L3VPN_COUNT_ILM,
	L3VPN_COUNT_KEPT,
	L3VPN_COUNT_CLAIM,
	L3VPN_COUNT_PEER,
	L3VPN_COUNT_ENDPOINT,
	L3VPN_COUNT_MAX
};

extern atomic_t l3vpn_counts[L3VPN_COUNT_MAX];

static inline void l3vpn_object_born(enum l3vpn_count what)
{
	atomic_inc(&l3vpn_counts[what]);
}

static inline void l3vpn_object_gone(enum l3vpn_count what)
{
	atomic_dec(&l3vpn_counts[what]);
}

/* Random, new whenever the module is loaded. */
extern u64 l3vpn_instance;

/* Serves what must be released in process context after a grace period. */
extern struct workqueue_struct *l3vpn_wq;

#endif /* _L3VPN_OBJECT_H */
