/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mgmt/show.h: the operational commands of the rooms below mgmt. Each room has a mgmt/show_ROOM.c with one
 * show_ROOM_register() that calls mgmt_register() for its rpcs; show_register() (show.c) calls them
 * all, and is all that the daemon needs.
 */
#ifndef L3VPN_MGMT_SHOW_H
#define L3VPN_MGMT_SHOW_H

#include <uv.h>

#include "mgmt/mgmt.h"

struct bfd_io;
struct bgp;
struct dp_sync;
struct host;
struct jobs;
struct labels;
struct ldp;
struct pulse;
struct rib;
struct vrfs;

/* What handlers may read; all outlive mgmt. Handlers keep a copy or pick what they need. */
struct show_env {
	uv_loop_t *loop;
	struct conf *conf;
	struct jobs *jobs;
	struct pulse *pulse;		/* may be NULL */
	struct rib *rib;
	struct labels *labels;
	struct vrfs *vrfs;
	struct host *host;
	struct dp_sync *sync;
	struct bgp *bgp;		/* what bgp_proto.start() returned */
	struct ldp *ldp;
	struct bfd_io *bfd;
};

void show_register(struct mgmt *mgmt, const struct show_env *env);

/* Each in mgmt/show_ROOM.c; @env lives as long as @mgmt. */
void show_system_register(struct mgmt *mgmt, const struct show_env *env);
void show_host_register(struct mgmt *mgmt, const struct show_env *env);
void show_dataplane_register(struct mgmt *mgmt, const struct show_env *env);
void show_packets_register(struct mgmt *mgmt, const struct show_env *env);
void show_forwarding_register(struct mgmt *mgmt, const struct show_env *env);
void show_vrf_register(struct mgmt *mgmt, const struct show_env *env);
void show_rib_register(struct mgmt *mgmt, const struct show_env *env);
void show_labels_register(struct mgmt *mgmt, const struct show_env *env);
void show_transport_register(struct mgmt *mgmt, const struct show_env *env);
void explain_register(struct mgmt *mgmt, const struct show_env *env);
void show_bgp_register(struct mgmt *mgmt, const struct show_env *env);
void show_ldp_register(struct mgmt *mgmt, const struct show_env *env);
void show_bfd_register(struct mgmt *mgmt, const struct show_env *env);

#endif
