/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is not learned from a neighbour: connected networks, static routes of VRFs, static
 * label-switched paths and static label switching entries. Each is a protocol (rib/proto.h).
 *
 *   connected.c  networks of the ports, told by next-hop tracking -> VRF tables
 *   route.c      `router static`                                  -> VRF tables
 *   lsp.c        `mpls` / `static lsp`                            -> LSPs by FEC
 *   xconnect.c   `mpls` / `static cross-connect`                  -> label entries (swap, PHP)
 */
#ifndef L3VPN_STATIC_STATIC_H
#define L3VPN_STATIC_STATIC_H

#include "rib/proto.h"

extern const struct rib_proto connected_proto;
extern const struct rib_proto static_proto;
extern const struct rib_proto static_lsp_proto;
extern const struct rib_proto static_xconnect_proto;

#endif
