/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: how full the tables of a VRF are, and telling when that changes.
 *
 * Implemented by: limit.c (control plane). The limit itself is kept by route.c.
 */
#ifndef _L3VPN_LIMIT_H
#define _L3VPN_LIMIT_H

struct l3vpn_vrf;

/* Under ln->lock, after a batch of changes: events for the levels that have changed. */
void l3vpn_limit_update(struct l3vpn_vrf *vrf);

/* Under ln->lock: limits or warnings were set, what was reached before counts no more. */
void l3vpn_limit_reset(struct l3vpn_vrf *vrf);

#endif /* _L3VPN_LIMIT_H */
