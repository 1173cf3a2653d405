/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of this room share: the pipes of one VRF's address family. */
#ifndef L3VPN_VRF_PRIVATE_H
#define L3VPN_VRF_PRIVATE_H

#include "labels/labels.h"
#include "rib/targets.h"
#include "vrf/vrf.h"

struct import_entry;

/* the import of all VRFs from one VPN table (import.c) */
struct vpn_import {
	struct vrfs *vrfs;
	struct rib_sub sub;
	struct rt_index index;		/* RT -> struct vrf_import */
	struct rib_target_walk walk;	/* of what has a route target that is imported since just now */
	struct job walk_job;
	uint32_t *who;			/* by number of the VPN net: who imported it; import.c knows how to read it */
	uint32_t size, count;
	struct import_entry **many;	/* of nets that several imported */
	uint32_t n_many, n_free_many, *free_many;
	uint32_t stamp;			/* of one look at one net */
	uint32_t path_stamp;		/* of one of its routes */
};

struct vrfs {
	struct rib_env env;
	struct nht *nht;
	struct list vrfs;		/* by name */
	struct hash by_name, by_id;
	struct hash reserved;		/* ids that the module's VRFs have already */
	uint32_t next_id, n;
	struct list watches, import_watches;
	struct tunnel_settings tunnel_all;
	struct vpn_import import[AFI_MAX];
};

struct vrf_import {
	struct vrf_af *af;
	struct vrfs *vrfs;
	struct rib_source source;	/* announces into the VRF's table */
	uint8_t paths;			/* of one VPN net: for multipath */
	bool backup;			/* and one more */
	uint32_t stamp, path_stamp;	/* of the last look at a net, and at a route, that it imports */
	unsigned int at;		/* place among the importers of that net */
};

struct vrf_export {
	struct vrf_af *af;
	struct vrfs *vrfs;
	struct rib_source source;	/* announces into the VPN table */
	struct rib_sub sub;		/* of the VRF's table */
	struct hash entries;		/* net of the VRF's table -> struct export_entry */
	struct rd rd;			/* under which the routes are announced now */
	struct nexthop *into_vrf;	/* look up in the VRF */
	const struct attrs *cache_in;	/* the last translation; cache_in is a reference */
	struct attrs *cache_out;
};

void vpn_import_start(struct vrfs *vs, uint8_t family);
void vpn_import_stop(struct vpn_import *im);
struct vrf_import *import_new(struct vrfs *vs, struct vrf_af *af);
void import_free(struct vrfs *vs, struct vrf_import *imp);
/* the RTs of the pipe change from @old to af->import */
void import_targets(struct vrfs *vs, struct vrf_import *imp, const struct rt_set *old);
/* how many paths of a VPN net the VRF can use */
void import_paths(struct vrfs *vs, struct vrf_import *imp, const struct rib_multipath *m);
void import_again(struct vrfs *vs, struct vrf_import *imp);	/* what was imported, by another transport policy */

struct vrf_export *export_new(struct vrfs *vs, struct vrf_af *af);
void export_free(struct vrf_export *ex);
void export_again(struct vrf_export *ex);	/* RTs, label mode or what is announced changed */
void export_rd_changed(struct vrf_export *ex);

/* aggregate.c */
void summary_free(struct vrfs *vs, struct vrf_af *af);
/* within an aggregate that silences the more specific? */
bool summary_silences(const struct vrf_af *af, const struct prefix *p);

/* transport.c */
void transport_config_subscribe(struct vrfs *vs);

void vrf_config_subscribe(struct vrfs *vs);
void vrf_event(struct vrfs *vs, enum vrf_event e, struct vrf *v);

#endif
