/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: one namespace's state: made and torn down by the pernet operations.
 *
 * Implemented by: netns.c (control plane).
 */
#ifndef _L3VPN_NETNS_H
#define _L3VPN_NETNS_H

#include <net/net_namespace.h>

extern struct pernet_operations l3vpn_net_ops;

#endif /* _L3VPN_NETNS_H */
