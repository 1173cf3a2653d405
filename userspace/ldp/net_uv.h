/* SPDX-License-Identifier: GPL-2.0 */
/* struct ldp_net (net.h) with sockets on a libuv loop. */
#ifndef L3VPN_LDP_NET_UV_H
#define L3VPN_LDP_NET_UV_H

#include "ldp/net.h"

struct jobs;
struct ldp_uv;
struct uv_loop_s;

extern const struct ldp_net ldp_uv_net;		/* its arg: what ldp_uv_new() returned */

struct ldp_uv *ldp_uv_new(struct uv_loop_s *loop, struct jobs *jobs);
/* the engine that is told; before anything is opened */
void ldp_uv_bind(struct ldp_uv *n, struct ldp *ldp);
/* when the engine is gone; its handles close on the loop */
void ldp_uv_free(struct ldp_uv *n);

#endif
