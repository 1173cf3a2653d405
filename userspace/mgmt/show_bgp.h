/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of `show bgp` share: words of a row, the choice of neighbours, filters, and the stream of a table's
 * routes. Private to mgmt/show_bgp*.c. Main thread only.
 */
#ifndef L3VPN_MGMT_SHOW_BGP_H
#define L3VPN_MGMT_SHOW_BGP_H

#include "bgp/peer.h"
#include "mgmt/show.h"
#include "policy/set.h"

/* ---- show_bgp.c: words ---- */
void bgp_put(json_t *row, const char *column, const char *value);	/* nothing where there is none */
void bgp_put_number(json_t *row, const char *column, uint64_t value);
#define BGP_PEER_TEXT 80
const char *bgp_peer_text(const struct bgp_peer *p, char *buf, size_t size);
const char *bgp_peer_state(const struct bgp_peer *p, const struct bgp_session_info *i);
/* Is it what `neighbor` and `vrf` of the input say? */
bool bgp_chosen(const struct lyd_node *in, const struct bgp_peer *p);
/* "00:12:45", "3d04h" */
#define BGP_AGO_TEXT 24
const char *bgp_ago(uint64_t seconds, char *buf, size_t size);

/* ---- show_bgp_filter.c: which routes; all that is given has to hold ---- */
struct bgp_filter {
	bool has_rd, has_prefix, longer, has_target, has_neighbor;
	bool lookup;			/* the prefix was given as an address: the longest match */
	struct rd rd;
	struct prefix prefix;
	uint8_t target[8];
	struct tcp_endpoint neighbor;
	struct set *community, *large, *path;	/* NULL: any */
};

/* False: the request was refused. */
bool bgp_filter_read(struct mgmt_request *req, uint8_t family, struct bgp_filter *f);
void bgp_filter_free(struct bgp_filter *f);
/* All but RD and prefix, which the walk sees to. */
bool bgp_filter_takes(const struct bgp_filter *f, const struct rib_route *r);

/* ---- show_bgp_route.c ---- */
/*
 * What is said of a route (the @n-th of its net, from 1), or of the net itself (@r NULL, before its routes; not where
 * an index leads to single routes). False: that was enough for now.
 */
typedef bool (*bgp_say)(struct mgmt_request *req, const struct show_env *env, struct rib_net *net,
			const struct rib_route *r, unsigned int n);
/*
 * Streams a table's routes in slices, by the index that fits the filter, which is read at the first call; @source: of
 * it alone, or NULL. To be returned by the handler; the request's state is the stream's.
 */
enum mgmt_next bgp_stream(struct mgmt_request *req, const struct show_env *env, struct rib_table *t,
			  const struct rib_source *source, bgp_say say);
/* The family that the input names with its neighbour, or the first one; NULL: refused. */
struct bgp_peer_family *bgp_find_family(struct mgmt_request *req, const struct show_env *env);
void bgp_put_net(json_t *row, const struct rib_net *net);
void bgp_put_attrs(json_t *row, const struct attrs *a);
json_t *bgp_route_row(const struct rib_net *net, const struct rib_route *r);
/* of labelled unicast, of the best: the label of ours, or why there is none; NULL: not such a route */
const char *bgp_local_label(const struct show_env *env, const struct rib_net *net, const struct rib_route *r, char *buf,
			    size_t size);
void show_bgp_route_register(struct mgmt *mgmt, const struct show_env *env);

/* ---- show_bgp_words.c: attributes as text; @buf is cut with "..." ---- */
#define BGP_WORDS 4096
const char *bgp_targets_text(const struct attrs *a, char *buf, size_t size);
const char *bgp_communities_text(const struct attrs *a, char *buf, size_t size);
const char *bgp_large_text(const struct attrs *a, char *buf, size_t size);
/* all but route targets; "SoO:65000:1", others as 0x and 16 digits */
const char *bgp_ext_text(const struct attrs *a, char *buf, size_t size);
const char *bgp_clusters_text(const struct attrs *a, char *buf, size_t size);
const char *bgp_origin_text(const struct attrs *a);
/* "65000:2:65000:1/96": origin AS, route target, bits */
const char *bgp_membership_text(const struct prefix *p, char *buf, size_t size);
/* the route target alone, or what there is of it */
const char *bgp_wanted_text(const struct prefix *p, char *buf, size_t size);

/* ---- show_bgp_neighbor.c ---- */
void show_bgp_neighbor_register(struct mgmt *mgmt, const struct show_env *env);

/* ---- show_bgp_event.c ---- */
void show_bgp_event_register(struct mgmt *mgmt, const struct show_env *env);

/* ---- show_bgp_detail.c ---- */
bool bgp_say_detail(struct mgmt_request *req, const struct show_env *env, struct rib_net *net,
		    const struct rib_route *r, unsigned int n);

#endif
