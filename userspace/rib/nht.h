/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Next hops and their tracking. A struct nexthop is interned and reference counted: routes that
 * leave by the same way hold the same one. Tracking keeps its state; when that changes, the
 * tables decide again about the routes which use it, and its forwarding object (rib/fib.h) is
 * changed in place, however many routes stand behind it.
 *
 * What is reachable is told by host/ through the nht_* feed below, and by rib/lsp.h. Which link
 * belongs to which VRF is told by vrf/ (nht_port_vrf). Main thread only.
 */
#ifndef L3VPN_RIB_NHT_H
#define L3VPN_RIB_NHT_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/hash.h"
#include "lib/list.h"
#include "lib/prefix.h"
#include "rib/list.h"

struct fib_nh;
struct nht;
struct nht_neighbor;
struct nht_watched;

#define VRF_ID_GLOBAL	0
#define NEXTHOP_MEMBERS_MAX 64

enum nexthop_kind {
	NEXTHOP_PE,		/* remote PE in the global table: needs a label-switched path or a tunnel to addr */
	/* neighbour addr in VRF vrf, on port ifname or (ifname empty) found by lookup: connected
	 * first, then recursively through the VRF's table if recursive
	 */
	NEXTHOP_GATEWAY,
	NEXTHOP_DEVICE,		/* on-link out of port ifname of VRF vrf */
	NEXTHOP_VRF,		/* look up in VRF vrf */
	NEXTHOP_BLACKHOLE,
	NEXTHOP_UNREACHABLE,
	NEXTHOP_GROUP,		/* several of PE, GATEWAY, DEVICE with weights */
	/* kept by the module itself (connected, receive): never programmed as a route; imported
	 * elsewhere it counts as VRF vrf
	 */
	NEXTHOP_LOCAL,
	/* router addr of the global table that is sent labelled packets (RFC 8277's next hop): its adjacency when
	 * it is on a connected network or ifname is given, else by label-switched path to it
	 */
	NEXTHOP_LABELLED,
};

enum nexthop_reason {
	NH_OK,
	NH_NO_LSP,		/* no label-switched path for this FEC */
	NH_LSP_DOWN,		/* there is one, but its way out is down or unknown */
	NH_TUNNEL_SOURCE,	/* a tunnel (rib/soft.h), but our end of it is no address of ours */
	NH_TUNNEL_ROUTE,	/* a tunnel, but no route to its far end that it may take */
	NH_TRANSPORT_POLICY,	/* there are paths, but of kinds that the transport policy does not name */
	NH_NO_ROUTE,		/* gateway not on a connected network (nor reached recursively) */
	NH_PORT_ABSENT,		/* no such link, or it is not in this VRF */
	NH_PORT_DOWN,
	NH_RECURSION,		/* recursion through itself, or too deep */
	NH_OWN_ADDRESS,		/* the address is our own */
	NH_VRF_ABSENT,
	NH_NO_MEMBER,		/* no member of the group is usable */
	NH_LOWER_LSP,		/* there is a path, but none to the router that it leads to */
	NH_LABEL_STACK,		/* there is a path, but with more labels than can be pushed */
	NH_NEIGHBOR_DOWN,	/* the neighbour, or the remote PE, was lost (rib/liveness.h) */
};
const char *nexthop_reason_str(enum nexthop_reason r);

/* GATEWAY: usable only while the neighbour has not been lost (rib/liveness.h) */
struct nexthop_live {
	uint32_t interval_us;		/* 0: nobody asks */
	uint8_t multiplier;
	bool multihop;
	struct ip_addr local;		/* multihop; family 0: by route */
};

struct nexthop_key {
	uint8_t kind;			/* enum nexthop_kind */
	bool recursive;			/* GATEWAY without ifname */
	uint16_t policy;		/* PE: of rib/transport.h */
	uint32_t vrf;			/* VRF id; 0 global */
	struct ip_addr addr;
	char ifname[IF_NAMESIZE];
	struct nexthop_live live;
};

struct nexthop_member {
	struct nexthop *nh;
	uint16_t weight;		/* 1.. */
	bool backup;
};

struct nexthop {
	struct hash_node node;
	struct nexthop_key key;
	uint32_t refs;
	uint8_t reason;			/* enum nexthop_reason; usable when NH_OK */
	bool reachable;			/* PE: there is an IP route to it, with transport or without */
	uint32_t metric;		/* interior cost to it; 0 when unknown or connected */
	struct fib_nh *fib;		/* forwarding object, made at the first use by a route, else NULL */
	/*
	 * RIB_OF_NEXTHOP: those whose net has a route by another next hop, and the others, which no change of metric
	 * concerns. In each, the number of the first to be decided again after a change; 0: none
	 */
	struct rib_list contested, routes;
	uint32_t todo_contested, todo;
	struct list watchers;		/* struct nexthop_watch.node */
	/* the rest is nht's */
	struct list dirty;
	struct list vrf_node;		/* next hops of one VRF */
	struct nexthop *via;		/* recursion; a reference */
	struct nexthop_dep *deps;	/* watches of via or of the members */
	struct ip_addr gateway;		/* resolved adjacency of GATEWAY */
	int ifindex;
	struct nht_watched *watched;	/* when key.live asks */
	struct nht_neighbor *neighbor;	/* LABELLED, out of an interface whose neighbours are watched */
	uint16_t n_members;
	struct nexthop_member *members;	/* GROUP */
};

static inline bool nexthop_usable(const struct nexthop *nh)
{
	return nh->reason == NH_OK;
}

/*
 * What a reflector asks of a next hop (RFC 4271 9.1.2.1): an IP route to it. It carries no packets, so that it needs
 * no transport.
 */
static inline bool nexthop_reachable(const struct nexthop *nh)
{
	return nh->reason == NH_OK || nh->reachable;
}

/* Returns a reference. State is right at once (resolved synchronously). */
struct nexthop *nexthop_get(struct nht *nht, const struct nexthop_key *key);
struct nexthop *nexthop_group_get(struct nht *nht, const struct nexthop_member *m, unsigned int n);
struct nexthop *nexthop_pe(struct nht *nht, const struct ip_addr *addr, uint16_t policy);
struct nexthop *nexthop_labelled(struct nht *nht, const struct ip_addr *addr, const char *ifname /* or NULL */);
struct nexthop *nexthop_gateway(struct nht *nht, uint32_t vrf, const struct ip_addr *addr,
				const char *ifname /* or NULL */);
struct nexthop *nexthop_gateway_live(struct nht *nht, uint32_t vrf, const struct ip_addr *addr,
				     const char *ifname /* or NULL */, const struct nexthop_live *live);
struct nexthop *nexthop_vrf(struct nht *nht, uint32_t vrf);
struct nexthop *nexthop_ref(struct nexthop *nh);
/* a reference to its forwarding object, made if need be (for routes and for label entries) */
struct fib_nh *nexthop_fib_use(struct nht *nht, struct nexthop *nh);
void nexthop_put(struct nht *nht, struct nexthop *nh);	/* NULL is fine */
/* "via 10.1.1.2 dev ce1", "pe 10.0.0.2", "vrf 3", "blackhole" */
const char *nexthop_str(const struct nexthop *nh, char *buf, size_t size);
/* walk of all next hops for show, in no order; NULL starts; nothing may change between calls */
struct nexthop *nexthop_next(struct nht *nht, const struct nexthop *nh);

/* A watcher hears of every change of usability, metric or way. */
struct nexthop_watch {
	struct list node;
	void (*change)(struct nexthop_watch *w, struct nexthop *nh);
};
void nexthop_watch(struct nexthop *nh, struct nexthop_watch *w);
void nexthop_unwatch(struct nexthop_watch *w);

/* ---- the feed: host/ calls these; each is idempotent ---- */
struct nht_link {
	int ifindex;
	char name[IF_NAMESIZE];
	bool up;			/* administratively and operationally */
};
void nht_link_set(struct nht *nht, const struct nht_link *link);	/* new, changed or renamed */
void nht_link_del(struct nht *nht, int ifindex);
/* interface address with its host bits and prefix length */
void nht_addr_add(struct nht *nht, int ifindex, const struct prefix *p);
void nht_addr_del(struct nht *nht, int ifindex, const struct prefix *p);
/*
 * Routes of the main table: give the interior metric towards a next hop, the way of an LSP whose
 * gateway is not on a connected network, and the FECs that LDP follows.
 */
struct nht_way {
	struct ip_addr gateway;		/* family 0: on-link */
	int ifindex;
	uint16_t weight;		/* 1..256 */
};

/* adds or replaces; @n: 1..NEXTHOP_MEMBERS_MAX, of more the first ones count */
void nht_route_set(struct nht *nht, const struct prefix *p, const struct nht_way *ways, unsigned int n,
		   uint32_t metric);
void nht_route_del(struct nht *nht, const struct prefix *p);

/* ---- vrf/ calls these ---- */
/* the link of that name (present now, later, or made again) belongs to VRF vrf; 0: to none */
void nht_port_vrf(struct nht *nht, const char *ifname, uint32_t vrf);

/* ---- what others may ask ---- */
const struct nht_link *nht_link_by_index(const struct nht *nht, int ifindex);
const struct nht_link *nht_link_by_name(const struct nht *nht, const char *name);
uint32_t nht_link_vrf(const struct nht *nht, int ifindex);
bool nht_own_address(const struct nht *nht, uint32_t vrf, const struct ip_addr *a);
/* the connected network (and the link) that contains an address in a VRF; false: none that is up */
bool nht_connected(const struct nht *nht, uint32_t vrf, const struct ip_addr *a, int *ifindex,
		   struct prefix *net);

/* Connected networks of a VRF (one call per {vrf, network, link}); link-local is never told. */
struct nht_connected_sub {
	struct list node;
	void (*change)(struct nht_connected_sub *s, bool add, uint32_t vrf, const struct prefix *net,
		       int ifindex);
};
/* is told what there is at once */
void nht_connected_subscribe(struct nht *nht, struct nht_connected_sub *s);
void nht_connected_unsubscribe(struct nht_connected_sub *s);

/* Links and their addresses (with host bits), of all VRFs, as the feed tells them. */
struct nht_link_sub {
	struct list node;
	/* @present false: it has gone, and its addresses with it, untold; *link is as it was */
	void (*link)(struct nht_link_sub *s, const struct nht_link *link, bool present);
	void (*addr)(struct nht_link_sub *s, const struct nht_link *link, const struct prefix *p, bool add);
};
/* is told what there is at once */
void nht_link_subscribe(struct nht *nht, struct nht_link_sub *s);
void nht_link_unsubscribe(struct nht_link_sub *s);

/*
 * Routes of the main table, the kernel's own connected ones among them (their way has no gateway).
 * @n 0: the route has gone; @ways is valid during the call.
 */
struct nht_main_sub {
	struct list node;
	void (*change)(struct nht_main_sub *s, const struct prefix *p, const struct nht_way *ways,
		       unsigned int n);
};
/* is told what there is at once */
void nht_main_subscribe(struct nht *nht, struct nht_main_sub *s);
void nht_main_unsubscribe(struct nht_main_sub *s);
/* the ways of exactly this prefix; 0: no such route. Valid until the route changes. */
unsigned int nht_main_ways(const struct nht *nht, const struct prefix *p, const struct nht_way **ways);
/* likewise of the longest route that contains @p, which may be @p's own: *match */
unsigned int nht_main_longest(const struct nht *nht, const struct prefix *p, struct prefix *match,
			      const struct nht_way **ways);

/* ---- neighbours whose liveness counts for all that leads over them; interval_us 0: no longer ---- */

/* routers of the core that are the next ones behind this interface, as paths come to lead there */
void nht_live_interface(struct nht *nht, const char *ifname, const struct nexthop_live *live);
/* a remote PE */
void nht_live_pe(struct nht *nht, const struct ip_addr *pe, const struct nexthop_live *live);

#endif
