/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of this room share and nobody else sees. */
#ifndef L3VPN_RIB_PRIVATE_H
#define L3VPN_RIB_PRIVATE_H

#include "lib/trie.h"
#include "rib/fib.h"
#include "rib/lsp.h"
#include "rib/paths.h"
#include "rib/table.h"

struct rib_repath;
struct targets;

struct rib {
	struct jobs *jobs;
	struct slab routes, imported;	/* route.c */
	struct targets *targets;
	struct list source_walks;	/* struct rib_source_walk */
	struct nht *nht;
	struct fib *fib;
	struct liveness *liveness;
	struct rib_table *vpn[AFI_MAX];
	struct rib_table *labelled[AFI_MAX];
	struct rib_table *memberships;
	struct hash tables;		/* VRF and global tables, by {vrf, family} */
	uint32_t router_id;		/* ours, 0: none yet */
	struct decision_rules rules;
	struct redecide *redecide;
};

/* redecide.c */
struct redecide *redecide_new(struct rib *rib);
void redecide_free(struct redecide *r);
void redecide_all(struct redecide *r);

/* The nets of one route distinguisher, or of the whole table where there is none. */
struct rib_shelf {
	struct rib_table *table;
	struct rd rd;
	uint32_t number;		/* in rib_shelves */
	struct trie nets;		/* payload: struct rib_net, or struct rib_vrf_net */
};

/* There are as many as prefixes: numbers in place of pointers. */

struct rib_net {
	uint32_t first;			/* number of its first route, 0: none; the others by their next */
	uint32_t shelf;			/* number */
	uint32_t id;
	uint16_t dirty;			/* bits of the subscribers in whose queue it is */
	uint16_t holds;
};

_Static_assert(sizeof(struct rib_net) == 16, "there are as many as prefixes");

/* in VRF tables: what forwarding was told */
struct rib_vrf_net {
	struct rib_net net;
	struct fib_dest fib;
};

struct rib_imported {
	struct rib_route route;
	struct rib_net *origin;
	struct rib_source *peer;
};

struct rib_table {
	struct hash_node node;
	struct rib *rib;
	char *name;
	enum rib_table_kind kind;
	uint8_t family;
	uint32_t vrf;
	struct rib_shelf shelf;		/* but in VPN tables */
	struct trie shelves;		/* VPN: RD as a prefix of 64 bits -> struct rib_shelf */
	struct rib_shelf *recent;	/* VPN: the one that was asked for last, or NULL: RDs come in runs */
	struct trie_pool pool;		/* the nets of all shelves */
	uint32_t nets, routes, prefixes;	/* prefixes: nets that have routes */
	void (*fewer)(void *arg);
	void *fewer_arg;
	struct list subs;
	uint16_t sub_bits;
	struct rib_multipath multipath;
	struct rib_repath *repath;	/* under way, or NULL */
};

/* table.c: struct rib_shelf *, by number, of every rib of this process */
extern struct slab rib_shelves;

static inline struct rib_shelf *net_shelf(const struct rib_net *net)
{
	return *(struct rib_shelf **)slab_at(&rib_shelves, net->shelf);
}

static inline struct rib_table *net_table(const struct rib_net *net)
{
	return net_shelf(net)->table;
}

/* route.c: memory and lists of routes */
void routes_start(struct rib *rib);
void routes_stop(struct rib *rib);
struct rib_route *route_alloc(struct rib *rib, bool imported);
void route_release(struct rib *rib, struct rib_route *r);
struct rib_route *route_at(const struct rib *rib, uint32_t number);	/* 0: NULL */
/* to the end of the list */
void route_link(struct rib *rib, struct rib_list *l, struct rib_route *r, enum rib_list_kind kind);
void route_unlink(struct rib *rib, struct rib_list *l, struct rib_route *r, enum rib_list_kind kind);

/* source.c: a route is about to leave its source's list, or its place in it */
void source_walks_pass(struct rib *rib, const struct rib_route *r);

/* targets.c: a route got, or is about to lose, its attributes */
struct targets *targets_new(void);
void targets_free(struct targets *ts);
void targets_link(struct rib *rib, struct rib_route *r);
void targets_unlink(struct rib *rib, struct rib_route *r);

/* sub.c: queue the net for every subscriber that wants to know */
void rib_notify(struct rib_net *net, bool best_changed);
void rib_subs_end(struct rib_table *t);

/* table.c */
void rib_net_decide(struct rib_net *net, const struct rib_route *changed);
void rib_net_maybe_free(struct rib_net *net);
void rib_route_remove(struct rib_route *r);

/* fib.c */
struct fib *fib_new(struct rib *rib);
void fib_free(struct fib *fib);
/* what carries the packets of a VRF net changed, or may have: tell forwarding what to do instead */
void fib_net_update(struct rib_net *net);
/* forwarding was told of several ways for it */
bool fib_net_shared(const struct rib_net *net);

/* dest.c: where a VRF net's packets are to go; the object comes with a reference */
struct fib_dest fib_dest_of(struct rib_net *net);

/* paths.c */
void rib_repath_end(struct rib_table *t);
/*
 * Objects that change in place: @spec has kind and the fields of that kind; its via and members
 * are borrowed. refs starts with one.
 */
struct fib_nh *fib_nh_tracked(struct fib *fib, const struct fib_nh *spec, struct nexthop *owner);
void fib_nh_replace(struct fib *fib, struct fib_nh *nh, const struct fib_nh *spec);

/* nht.c */
struct nexthop_dep {
	struct nexthop_watch watch;
	struct nht *nht;
	struct nexthop *nh;		/* whose state depends on what is watched */
};
struct nht *nht_new(struct rib *rib);
void nht_free(struct nht *nht);
/* the best route of a VRF's prefix changed: recursion may lead elsewhere */
void nht_table_changed(struct nht *nht, uint32_t vrf, const struct prefix *p);
void nexthop_mark(struct nht *nht, struct nexthop *nh);

struct transport_choice;
/* the paths to a PE, or to a router that takes labels */
void nexthop_choose(const struct nht *nht, const struct nexthop *nh, struct transport_choice *choice);

/* nht_build.c: brings its object, if it has one, to what it is now */
void nexthop_fib_refresh(struct nht *nht, struct nexthop *nh);

/* nht_host.c: links, addresses, main table */
struct nht_host;
struct nht_host *nht_host_new(struct nht *nht);
void nht_host_free(struct nht_host *h);
/* main table's longest match */
bool nht_main_lookup(const struct nht *nht, const struct ip_addr *a, struct ip_addr *gateway,
		     int *ifindex, uint32_t *metric);
/* ... and the route itself: its ways, 0 without one; valid until it changes */
unsigned int nht_main_route(const struct nht *nht, const struct ip_addr *a, struct prefix *p,
			    const struct nht_way **ways);

/* lsp.c */
struct lsp_table;
struct lsp_table *lsp_table_new(struct nht *nht);
void lsp_table_free(struct lsp_table *t);
/* a link or address of the global table changed: which paths have a way out is found anew */
void lsp_resolve_all(struct nht *nht);
/* paths that lead over others which changed are worked out again */
void lsp_resolve_dirty(struct nht *nht);
/* A path within those that lead over it, for not to lead through itself. */
struct lsp_chain {
	const struct lsp_chain *up;
	const struct lsp *lsp;
};
/* NH_OK: it can forward, being one of those that @chain (may be NULL) leads over */
enum nexthop_reason lsp_reason(const struct nht *nht, const struct lsp *lsp, const struct lsp_chain *chain);

/* soft.c */
struct soft;
struct soft *soft_new(void);
void soft_free(struct soft *s);

/* nht_live.c: what liveness means for next hops and paths */
struct nht_live;
struct nht_live *nht_live_new(struct nht *nht);
void nht_live_free(struct nht_live *l);
/* the neighbour of a next hop whose key asks for it */
struct nht_watched *nht_watched_new(struct nht *nht, struct nexthop *nh);
void nht_watched_free(struct nht *nht, struct nht_watched *w);	/* NULL is fine, here and below */
bool nht_watched_down(const struct nht_watched *w);
/* A reference; NULL: neighbours behind that interface are not watched. */
struct nht_neighbor *nht_neighbor_hold(struct nht *nht, int ifindex, const struct ip_addr *addr);
void nht_neighbor_put(struct nht *nht, struct nht_neighbor *n);
bool nht_neighbor_down(const struct nht_neighbor *n);
bool nht_live_pe_down(const struct nht *nht, const struct ip_addr *pe);

/* transport.c */
struct transports;
struct transports *transports_new(void);
void transports_free(struct transports *t);
unsigned int transport_policies(const struct nht *nht);	/* ids 1.. of them were ever given out */
/* by the default policy, for what leads over the choice: the paths of @chain, or (NULL) labels of its own */
void transport_choose_below(const struct nht *nht, const struct ip_addr *router, const struct lsp_chain *chain,
			    struct transport_choice *choice);

struct nht_vrf {
	struct hash_node node;
	uint32_t vrf;
	struct list nexthops;		/* struct nexthop.vrf_node */
	unsigned int recursive;		/* how many of them may recurse */
};

struct nht {
	struct rib *rib;
	struct hash nexthops;
	struct hash vrfs;		/* struct nht_vrf: next hops by VRF */
	struct list dirty;		/* struct nexthop.dirty */
	bool lsps_dirty;
	struct job job;
	struct nht_host *host;
	struct lsp_table *lsps;
	struct transports *transports;
	struct soft *soft;
	struct nht_live *live;
};

/* marks the next hops that a change of links or addresses of this VRF can touch */
void nht_vrf_mark(struct nht *nht, uint32_t vrf);
/* ... the remote PE, or the router that takes labels, of that address */
void nht_pe_mark(struct nht *nht, const struct ip_addr *addr);
/* ... the remote PEs that are reached by that policy */
void nht_policy_mark(struct nht *nht, uint16_t policy);
/* ... all remote PEs and routers that take labels, and what their paths lead over */
void nht_pes_mark(struct nht *nht);

#endif
