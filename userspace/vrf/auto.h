/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Automatic route distinguishers and targets: `rd auto`, `import route-target auto`, from what `router bgp` says and
 * what a VRF is numbered by. Main thread only.
 */
#ifndef L3VPN_VRF_AUTO_H
#define L3VPN_VRF_AUTO_H

#include "vrf/rd.h"
#include "vrf/rt.h"

struct lyd_node;

#define VRF_AUTO "auto"

/* ROUTER-ID:NUMBER, type 1 (RFC 4364 4.2). @router_id: host order */
struct rd auto_rd(uint32_t router_id, uint16_t number);
/* AS:VPN, type 0, or type 2 where the AS has four octets; false: the VPN's number does not fit in that, or is 0 */
bool auto_rt(uint32_t as, uint32_t vpn, struct rt *rt);
/* of `router bgp` in a tree; 0: there is none */
uint32_t auto_router_id(const struct lyd_node *tree);
uint32_t auto_as(const struct lyd_node *tree);

#endif
