/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of this room share: the pipes of one VRF's address family. */
#ifndef L3VPN_VRF_PRIVATE_H
#define L3VPN_VRF_PRIVATE_H

#include "labels/labels.h"
#include "lib/slab.h"
#include "lib/vec.h"
#include "rib/targets.h"
#include "vrf/number.h"
#include "vrf/vrf.h"

struct import_entry;

/* the import of all VRFs from one VPN table (import.c) */
struct vpn_import {
	struct vrfs *vrfs;
	struct rib_sub sub;
	struct rt_index index;		/* RT -> struct vrf_import */
	struct rib_target_walk walk;	/* of what has a route target that is imported since just now */
	struct job walk_job;
	struct vec who;			/* by number of the VPN net: who imported it; import.c knows how to read it */
	uint32_t count;
	struct slab many;		/* struct import_entry *: of nets that several imported */
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
	/* of `router bgp`, 0: there is none; for automatic route distinguishers and targets */
	uint32_t router_id, as;
	struct vrf_numbers *numbers;
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
	/* what there is no room for (room.c) */
	struct vec refused;		/* words of bits, by number of the VPN net */
	uint32_t n_refused;
	uint32_t look_at;		/* number of the one to look at next */
	bool look_at_all;		/* room or not: some may not be wanted any more */
	bool full_said;
	struct job room_job;
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
/* decides on a net of the VPN table anew: who imports it */
void import_look(struct vpn_import *im, struct rib_net *net);
void import_again(struct vrfs *vs, struct vrf_import *imp);	/* what was imported, by another transport policy */

/* room.c: at most so many prefixes are in a VRF's table when one is imported */
void room_init(struct vrf_import *imp);
void room_end(struct vrf_import *imp);
/* may a net be imported of which nothing is in the table yet? */
bool room_for(const struct vrf_import *imp, const struct prefix *p);
/* it is not imported for want of room, or it is, or is not wanted any more */
void room_refused(struct vrf_import *imp, uint32_t id);
void room_settled(struct vrf_import *imp, uint32_t id);
/* the next refused one from number @from on; false: none */
bool room_next(const struct vrf_import *imp, uint32_t from, uint32_t *id);
void room_changed(struct vrf_import *imp);	/* the limit did */
void room_again(struct vrf_import *imp);	/* some may not be wanted any more */

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
