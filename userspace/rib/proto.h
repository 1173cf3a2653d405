/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one struct of hooks behind which every protocol lives. The daemon keeps an array of
 * struct rib_proto, starts each, and stops them in reverse. Protocols never include each other;
 * they meet in tables (rib/table.h): announce through a rib_source, listen through a rib_sub.
 */
#ifndef L3VPN_RIB_PROTO_H
#define L3VPN_RIB_PROTO_H

#include <stddef.h>
#include <stdint.h>

struct conf;
struct jobs;
struct labels;
struct policies;
struct rib;
struct rib_route;
struct vrfs;

enum rib_proto_id {
	RIB_PROTO_CONNECTED,
	RIB_PROTO_STATIC,
	RIB_PROTO_LDP,
	RIB_PROTO_BGP,
	RIB_PROTO_VPN,		/* import and export between VRF and VPN tables */
	RIB_PROTO_UDP,		/* tunnels of rib/soft.h: owners of paths, not protocols */
	RIB_PROTO_GRE,
	RIB_PROTO_MAX
};

/* Administrative distances: lower wins. */
#define RIB_DISTANCE_CONNECTED	0
#define RIB_DISTANCE_STATIC	1
#define RIB_DISTANCE_EBGP	20
#define RIB_DISTANCE_IBGP	200

/* What a protocol may use; all outlive it. Main thread only. */
struct rib_env {
	struct jobs *jobs;
	struct conf *conf;
	struct rib *rib;
	struct policies *policies;
	struct labels *labels;
	struct vrfs *vrfs;
};

struct rib_proto {
	enum rib_proto_id id;
	const char *name;		/* "bgp", in show and logs */
	char code;			/* one letter in show route */

	/*
	 * Subscribes to its part of the configuration and returns the instance, or NULL after
	 * logging why. Configuration arrives later, by the subscriptions.
	 */
	void *(*start)(const struct rib_env *env);
	/* withdraws everything it announced and frees the instance */
	void (*stop)(void *instance);
	/* optional: one line about a route of this protocol for show and explain */
	const char *(*describe)(const struct rib_route *r, char *buf, size_t size);
};

#endif
