/* SPDX-License-Identifier: GPL-2.0 */
/*
 * VRFs: made from configuration, with their tables, and the pipes between them and the VPN
 * tables (vrf/import.c, vrf/export.c). RFC 4364, 4659.
 *
 *   CE routes, static, connected -> VRF table --export: RD, RTs, label--> VPN table -> BGP
 *   BGP -> VPN table --import: RT index--> VRF tables -> forwarding, BGP towards CEs
 */
#ifndef L3VPN_VRF_VRF_H
#define L3VPN_VRF_VRF_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/hash.h"
#include "lib/list.h"
#include "rib/paths.h"
#include "rib/proto.h"
#include "rib/table.h"
#include "vrf/rd.h"
#include "vrf/rt.h"
#include "vrf/tunnel.h"

#define VRF_NAME_MAX 16			/* of the device, with the terminating zero */

struct conf;
struct labels;
struct vrfs;

enum label_mode { LABEL_MODE_VRF, LABEL_MODE_CE, LABEL_MODE_PREFIX };
const char *label_mode_str(enum label_mode m);

struct rt_set {
	struct rt *rt;
	unsigned int n;			/* sorted, no duplicates */
};

struct vrf_export;
struct vrf_import;
struct vrf_summary;

/* an aggregate: announced while there is a more specific route */
struct vrf_aggregate {
	struct prefix prefix;
	bool summary_only;		/* the more specific ones are not announced then */
	bool active;			/* there is one now */
};

extern const struct rib_proto vpn_proto;	/* start and stop are vrfs_new() and vrfs_free() */

/* one address family of a VRF */
struct vrf_af {
	struct vrf *vrf;
	uint8_t family;
	bool configured;
	struct rib_table *table;	/* always there */
	struct rt_set import, export;
	uint32_t limit;			/* most routes in forwarding; 0 none */
	uint32_t warn;			/* routes from which on there is a warning; 0 none */
	bool redistribute_connected;
	bool redistribute_static;
	bool best_external;		/* our own best is exported though another PE's is better */
	struct prefix *networks;	/* announced when there is a route to exactly this; sorted */
	unsigned int n_networks;
	struct vrf_aggregate *aggregates;
	unsigned int n_aggregates;
	struct vrf_summary *summary;	/* NULL without aggregates; private, like the pipes */
	struct vrf_export *exporter;
	struct vrf_import *importer;
};

struct vrf {
	struct list node;		/* in vrfs, by name */
	uint32_t id;			/* 1..; the module's VRF id too */
	char name[VRF_NAME_MAX];
	bool has_rd;
	struct rd rd;
	enum label_mode label_mode;
	uint16_t transport;		/* policy of rib/transport.h for what is imported */
	struct tunnel_settings tunnel_own;	/* as configured for this VRF */
	struct tunnel tunnel;			/* what follows from that and from what is said for all */
	struct vrf_af af[AFI_MAX];
	void *dp;			/* dataplane's */
};

/* start (subscribes to the configuration), find, walk */
struct vrfs *vrfs_new(const struct rib_env *env);
void vrfs_free(struct vrfs *vs);
struct vrf *vrf_find(const struct vrfs *vs, const char *name);
struct vrf *vrf_by_id(const struct vrfs *vs, uint32_t id);
struct vrf *vrf_next(const struct vrfs *vs, const struct vrf *v);	/* by name; NULL starts */
struct vrf *vrf_after(const struct vrfs *vs, const char *name);		/* resumable; "" starts */
uint32_t vrf_count(const struct vrfs *vs);
const struct rt_index *vrfs_rt_index(const struct vrfs *vs, uint8_t family);
/*
 * A VPN route under a reserved label is never imported: implicit or explicit null names no VRF at the other end, where
 * a customer's packets would come out of the path as packets of the provider's own network.
 */
bool vrf_can_import(const struct rib_route *r);

/*
 * Before configuration is loaded: the module (kept over a daemon's restart) has a VRF of this name
 * with this id; the VRF gets the same id when it is configured.
 */
void vrf_reserve_id(struct vrfs *vs, const char *name, uint32_t id);
/* Likewise before: the file that keeps the numbers of automatic route distinguishers. False: *why says why. */
bool vrfs_load_numbers(struct vrfs *vs, const char *path, char *why, size_t size);

/*
 * Watchers: dataplane programs the device, bgp opens its listener. ADD comes before any route of
 * the VRF, DEL after all of them are gone from its tables and from forwarding.
 */
/* every route target that a VRF imports, of either family, perhaps more than once; in no order */
void vrf_imports(struct vrfs *vs, void (*fn)(void *arg, const struct rt *rt), void *arg);

/*
 * Hears that a VRF begins to import a route target that none of that family did, or that the last one ceases to. The
 * index knows already. What there is at the beginning is in vrfs_rt_index().
 */
struct vrf_import_watch {
	struct list node;
	void (*change)(struct vrf_import_watch *w, uint8_t family, const struct rt *rt, bool imported);
};
void vrf_imports_watch(struct vrfs *vs, struct vrf_import_watch *w);
void vrf_imports_unwatch(struct vrf_import_watch *w);

enum vrf_event { VRF_ADD, VRF_CHANGE, VRF_DEL };
struct vrf_watch {
	struct list node;
	void (*event)(struct vrf_watch *w, enum vrf_event e, struct vrf *v);
};
void vrf_watch(struct vrfs *vs, struct vrf_watch *w);	/* told what there is at once */
void vrf_unwatch(struct vrf_watch *w);

/* Direct interface of the configuration glue (vrf/config.c) and of tests. Each applies the difference. */
struct vrf *vrf_add(struct vrfs *vs, const char *name);
void vrf_del(struct vrfs *vs, struct vrf *v);
void vrf_set_rd(struct vrfs *vs, struct vrf *v, const struct rd *rd);	/* NULL: none */
void vrf_set_targets(struct vrfs *vs, struct vrf *v, uint8_t family, bool export, const struct rt *rt,
		     unsigned int n);
void vrf_set_label_mode(struct vrfs *vs, struct vrf *v, enum label_mode mode);
void vrf_set_transport(struct vrfs *vs, struct vrf *v, uint16_t policy);
void vrf_set_redistribute(struct vrfs *vs, struct vrf *v, uint8_t family, bool connected, bool static_);
void vrf_set_best_external(struct vrfs *vs, struct vrf *v, uint8_t family, bool on);
/* unless it is called: one path, and a backup */
void vrf_set_multipath(struct vrfs *vs, struct vrf *v, uint8_t family, const struct rib_multipath *m);
/*
 * @limit: prefixes that may be in the table, 0: any number. Of what would be imported that comes last stays out, with
 * all of its paths, until there is room; what does not come by VPN is always in the table, and counts. Forwarding has
 * the same limit, for all routes alike.
 */
void vrf_set_limit(struct vrfs *vs, struct vrf *v, uint8_t family, uint32_t limit, uint32_t warn);
void vrf_set_tunnel(struct vrfs *vs, struct vrf *v, const struct tunnel_settings *own);
void vrf_set_tunnel_all(struct vrfs *vs, const struct tunnel_settings *all);	/* for every VRF */
/* an address family is configured or not: an unconfigured one neither imports nor exports */
void vrf_set_family(struct vrfs *vs, struct vrf *v, uint8_t family, bool configured);
/* the port of that name is this VRF's; v NULL: no VRF's */
void vrf_set_port(struct vrfs *vs, const char *ifname, struct vrf *v);

/*
 * Is the best route of this net one that other PEs and CEs are told of: learned from a CE,
 * imported (CEs alone), redistributed, or a network; and not refused by forwarding for want of
 * room? *why (may be NULL): why not, static text.
 */
bool vrf_announces(const struct vrf_af *af, const struct rib_net *net, const char **why);
/* likewise of any route, were it the best */
bool vrf_announces_route(const struct vrf_af *af, const struct rib_route *r, const char **why);
void vrf_set_networks(struct vrfs *vs, struct vrf *v, uint8_t family, const struct prefix *p,
		      unsigned int n);
void vrf_set_aggregates(struct vrfs *vs, struct vrf *v, uint8_t family,
			const struct vrf_aggregate *a, unsigned int n);

/* How a route of a VRF is exported now, for show and explain; false: it is not, *why says why. */
struct vrf_export_state {
	const struct rib_route *route;	/* the one: the best, or the best external */
	uint32_t label;			/* FIB_LABEL_NONE while none is programmed */
	const char *why;		/* static text */
};
/* VPN nets that the VRF does not import for want of room; and is this one of them? */
uint32_t vrf_refused_imports(const struct vrf_af *af);
bool vrf_import_refused(const struct vrf_af *af, const struct rib_net *net);
bool vrf_export_state(const struct vrf *v, const struct rib_net *net, struct vrf_export_state *st);

#endif
