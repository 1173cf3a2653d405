/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Routing tables. One for each VRF and family, one for each VPN family (keyed by route
 * distinguisher and prefix), one for each family of labelled unicast (RFC 8277), which is the global
 * table's, and one for each family of the global table.
 *
 *      protocol -- rib_source --> table: net {prefix} -> routes, best first --> rib_sub -- protocol
 *
 * A protocol announces through a source (one per session and family). Every change of a net
 * decides its best anew at once; subscribers hear of it later, from their own queue drained in
 * slices (lib/jobs.h), and look at the net's state then: they compare with what they did last.
 * A net stays alive while it has routes, waits in a queue, or is held. Main thread only.
 */
#ifndef L3VPN_RIB_TABLE_H
#define L3VPN_RIB_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/fifo.h"
#include "lib/jobs.h"
#include "lib/list.h"
#include "lib/prefix.h"
#include "rib/attrs.h"
#include "rib/decision.h"
#include "rib/nht.h"
#include "rib/proto.h"

struct rib;
struct rib_net;
struct rib_table;

/* Route distinguisher as on the wire (RFC 4364 4.2); text in vrf/rd.h. */
struct rd {
	uint8_t b[8];
};

enum rib_table_kind { RIB_TABLE_GLOBAL, RIB_TABLE_VRF, RIB_TABLE_VPN, RIB_TABLE_LABELLED, RIB_TABLE_MEMBERSHIPS };

#define RIB_LABEL_NONE	0x100000u	/* one more than the largest label */

#define RIB_ROUTE_IMPORTED	0x01	/* came in by VPN import: never exported again */
#define RIB_ROUTE_NETWORK	0x02	/* originated by a network or aggregate statement */

/* Where routes come from. Embedded in the protocol's object; rib_source_init() fills the list. */
struct rib_source {
	const struct rib_proto *proto;
	struct rib_table *table;
	const char *name;		/* "10.1.1.2", owned by the protocol */
	struct rib_list routes;		/* RIB_OF_SOURCE: stale ones first */
	uint32_t count;
	uint32_t refs;			/* imported copies that refer to it for comparison */
	/* facts for the decision; change them only while count is 0 */
	uint8_t distance;
	bool is_bgp;			/* compare as BGP paths */
	bool is_ibgp;
	bool is_local;			/* originated by this router (static, connected, network) */
	uint32_t router_id;		/* host order */
	struct ip_addr peer;
	uint32_t vrf;			/* VRF id that it belongs to; 0 none */
	/* sweep and flush, rib's */
	struct job job;
	uint8_t purge;
	uint8_t round;			/* raised by rib_source_stale() */
	uint8_t swept;			/* round when the last sweep was asked for */
	void (*purged)(struct rib_source *s);
};

/* What a protocol says about a prefix. References are borrowed: the table takes its own. */
struct rib_path {
	struct attrs *attrs;		/* may be NULL for protocols without attributes */
	struct nexthop *nh;		/* never NULL */
	uint32_t path_id;		/* distinguishes several of one source; 0 */
	/* VPN: label of the NLRI (the remote PE's for received routes, ours for exported ones); labelled
	 * unicast: what the next hop wants on top (3: nothing); or RIB_LABEL_NONE
	 */
	uint32_t label;
	uint32_t metric;		/* the protocol's own */
	uint8_t flags;			/* RIB_ROUTE_* */
	/* RIB_ROUTE_IMPORTED alone: what it is a copy of; both must be kept alive by the announcer */
	struct rib_net *origin;		/* net of the VPN table */
	struct rib_source *peer;	/* source of the original: its facts decide */
};

struct rib_route {
	struct rib_route *next;		/* in the net; the best is first when net has one */
	struct rib_net *net;
	struct rib_source *source;
	struct attrs *attrs;
	struct nexthop *nh;
	struct rib_link link[RIB_LISTS];
	uint32_t number;		/* no other route has it while this one is there */
	uint32_t path_id;
	uint32_t metric;
	uint32_t label : 21;		/* RIB_LABEL_NONE fits */
	uint32_t reason : 4;		/* enum rib_reason */
	uint32_t flags : 3;		/* RIB_ROUTE_* */
	uint32_t round : 4;		/* of the source when it was announced last */
	uint32_t when : 31;		/* jobs_seconds() of the last change */
	uint32_t contested : 1;		/* another route of the net has another next hop; rib's */
};

/* ---- sources ---- */
/* proto, table, name and the facts are set by the caller before */
void rib_source_init(struct rib_source *s);
/* Announce: adds or replaces the route of {source, rd, prefix, path_id}. rd NULL but for VPN tables. */
struct rib_route *rib_announce(struct rib_source *s, const struct rd *rd, const struct prefix *p,
			       const struct rib_path *path);
bool rib_withdraw(struct rib_source *s, const struct rd *rd, const struct prefix *p, uint32_t path_id);
/*
 * Graceful restart: makes all routes stale, in no time; what is announced again is fresh. Then
 * sweep. Not more than 15 times without a sweep that came to its end.
 */
void rib_source_stale(struct rib_source *s);
/* Remove in slices what is stale now, or everything that is there now; purged() (may be NULL) is called at the end. */
void rib_source_sweep(struct rib_source *s, void (*purged)(struct rib_source *s));
void rib_source_flush(struct rib_source *s, void (*purged)(struct rib_source *s));
/* at once, and cancels a running purge: the source may be freed if refs is 0 (else see rib_source_idle) */
void rib_source_flush_now(struct rib_source *s);
/* true when no route and no imported copy refers to the source: it may be freed */
bool rib_source_idle(const struct rib_source *s);

/* ---- routes and nets ---- */
struct rib_route *rib_best(const struct rib_net *net);		/* NULL: none is eligible */
struct rib_route *rib_routes(const struct rib_net *net);	/* all, by ->next */
/* kept over a restart of the peer, and not announced again yet */
static inline bool rib_route_stale(const struct rib_route *r)
{
	return r->round != (r->source->round & 15);
}

/* the source whose facts count in the decision: of the original for imported copies */
const struct rib_source *rib_route_peer(const struct rib_route *r);
/* the VPN net that an imported route was made from, else NULL */
struct rib_net *rib_route_origin(const struct rib_route *r);
struct prefix rib_net_prefix(const struct rib_net *net);
const struct rd *rib_net_rd(const struct rib_net *net);		/* NULL but in VPN tables */
struct rib_table *rib_net_table(const struct rib_net *net);
/* forwarding has no room for its best route (fib.h) */
bool rib_net_refused(const struct rib_net *net);
/* dense number, unique within the table while the net lives: index for bitmaps of subscribers */
uint32_t rib_net_id(const struct rib_net *net);
/* the net that has this number now; it must be there */
struct rib_net *rib_net_by_id(const struct rib_table *t, uint32_t id);
uint32_t rib_table_max_id(const struct rib_table *t);		/* all ids are below */
/* a held net is not freed though it has no routes (its id stays taken) */
void rib_net_hold(struct rib_net *net);
/* the net of a prefix, made where there is none, and held */
struct rib_net *rib_net_take(struct rib_table *t, const struct rd *rd, const struct prefix *p);
void rib_net_release(struct rib_net *net);

/* ---- tables ---- */
struct rib *rib_new(struct jobs *jobs);
void rib_free(struct rib *rib);			/* every table must be gone, or is freed with its routes */
struct nht *rib_nht(struct rib *rib);
struct fib *rib_fib(struct rib *rib);
struct liveness *rib_liveness(struct rib *rib);
struct jobs *rib_jobs(struct rib *rib);
/* our BGP identifier: what we announce is ranked by it where others' is by theirs (paths.h) */
/* How routes are compared; those of a new rib are {.compare_router_id}. Everything is decided again, in slices. */
void rib_set_rules(struct rib *rib, const struct decision_rules *rules);
const struct decision_rules *rib_rules(const struct rib *rib);
void rib_set_router_id(struct rib *rib, uint32_t id);
uint32_t rib_router_id(const struct rib *rib);
struct rib_table *rib_table_new(struct rib *rib, const char *name, enum rib_table_kind kind,
				uint8_t family, uint32_t vrf);
/* all sources must be flushed and all subscriptions ended before */
void rib_table_free(struct rib_table *t);
/* the table of a VRF, or of the global table (vrf 0), or NULL */
struct rib_table *rib_table_find(struct rib *rib, uint32_t vrf, uint8_t family);
struct rib_table *rib_table_vpn(struct rib *rib, uint8_t family);
struct rib_table *rib_table_labelled(struct rib *rib, uint8_t family);
/* route target memberships (RFC 4684): {origin AS, route target} as a prefix of 0, 32..96 bits in AF_INET6 */
struct rib_table *rib_table_memberships(struct rib *rib);
struct rib *rib_table_rib(const struct rib_table *t);
const char *rib_table_name(const struct rib_table *t);
enum rib_table_kind rib_table_kind(const struct rib_table *t);
uint8_t rib_table_family(const struct rib_table *t);
uint32_t rib_table_vrf(const struct rib_table *t);
uint32_t rib_table_nets(const struct rib_table *t);
uint32_t rib_table_routes(const struct rib_table *t);
uint32_t rib_table_prefixes(const struct rib_table *t);		/* that have routes, usable or not */
/* @fn (NULL: nobody) hears whenever there is a prefix less; it takes a note and touches no table */
void rib_table_watch_fewer(struct rib_table *t, void (*fn)(void *arg), void *arg);

/* ---- lookups and walks ---- */
struct rib_net *rib_find(const struct rib_table *t, const struct rd *rd, const struct prefix *p);
/* longest match with an eligible best; not for VPN tables */
struct rib_net *rib_lookup(const struct rib_table *t, const struct ip_addr *a);
/* is there an eligible route, not itself a network statement's or aggregate, strictly within @p? */
bool rib_has_more_specific(const struct rib_table *t, const struct prefix *p);
/* Resumable walk in order (RD, prefix): the cursor survives any change between calls. Zero it first. */
struct rib_cursor {
	bool started;
	struct rd rd;
	struct prefix prefix;
};
struct rib_net *rib_walk(const struct rib_table *t, struct rib_cursor *c);
/* all nets of one prefix in a VPN table, whatever RD: resumable likewise */
struct rib_net *rib_walk_prefix(const struct rib_table *t, const struct prefix *p, struct rib_cursor *c);

/* all nets within @p, those of one RD (NULL: of all; NULL in tables without): resumable likewise */
struct rib_net *rib_walk_within(const struct rib_table *t, const struct rd *rd, const struct prefix *p,
				struct rib_cursor *c);

/*
 * A source's routes, resumable: what goes meanwhile is left out, what is announced again may come twice.
 * The end is at the latest behind twice as many as there were at the beginning.
 */
struct rib_source_walk {
	struct list node;
	uint32_t route;			/* number of the next one, 0: no more */
	uint64_t left;
};
void rib_source_walk_init(struct rib_source_walk *w, const struct rib_source *s);
struct rib_route *rib_source_walk_next(struct rib_source_walk *w, const struct rib *rib);
void rib_source_walk_end(struct rib_source_walk *w);

/* ---- subscriptions ---- */
#define RIB_SUBS_MAX	16		/* per table */

struct rib_sub {
	/* set by the subscriber */
	const char *name;
	bool all_paths;			/* hear of changes of any route, not of the best alone */
	bool at_once;			/* change() takes a note and touches no table: called without a queue */
	bool (*filter)(struct rib_sub *sub, const struct rib_net *net);	/* may be NULL: false skips */
	void (*change)(struct rib_sub *sub, struct rib_net *net);	/* look at rib_best(net) */
	void (*idle)(struct rib_sub *sub);	/* may be NULL: the queue and the refresh came to an end */
	/* rib's */
	struct list node;
	struct rib_table *table;
	struct job job;
	uint8_t bit;
	bool refreshing, more;
	struct rib_cursor cursor;
	struct fifo queue;		/* numbers of nets */
};
/* false when the table has RIB_SUBS_MAX already; @refresh: be told everything there is */
bool rib_subscribe(struct rib_table *t, struct rib_sub *sub, bool refresh);
void rib_unsubscribe(struct rib_sub *sub);
/* tell everything (again): sliced; one that is running starts over behind its end */
void rib_refresh(struct rib_sub *sub);
/* handles what is in the queue now, not in slices: for the end of a VRF */
void rib_sub_drain(struct rib_sub *sub);
/* put one net into the queue again */
void rib_touch(struct rib_sub *sub, struct rib_net *net);
/* tell all subscribers of a net as if its best had changed */
void rib_tell(struct rib_net *net);

#endif
