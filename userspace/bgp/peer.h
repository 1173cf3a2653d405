/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The BGP instance and its peers, as the main thread has them. Shared by the files of this room
 * that run there, and read by mgmt/show_bgp.c. Main thread only.
 */
#ifndef L3VPN_BGP_PEER_H
#define L3VPN_BGP_PEER_H

#include "bgp/bgp.h"
#include "bgp/session.h"
#include "lib/jobs.h"
#include "lib/list.h"
#include "bgp/retain.h"
#include "bgp/rtc.h"
#include "policy/policy.h"
#include "rib/liveness.h"
#include "rib/table.h"
#include "rib/targets.h"
#include "vrf/vrf.h"

struct bgp_group;

#define BGP_POLICY_NAME 64

/* What configuration says of one family of a neighbour, group.h and in.c act on it. */
struct bgp_family_conf {
	/* what OPEN offers: a change makes the session anew */
	bool on;
	bool addpath_receive, addpath_send;	/* RFC 7911 */
	/* what the peer is told, and how: a change moves it to another update group (bgp_group_key) */
	bool next_hop_self;		/* internal: our address as next hop, our label */
	bool next_hop_unchanged;	/* external: next hop and label as they came */
	bool route_reflector_client;	/* a client of ours as reflector (RFC 4456) */
	char policy_out[BGP_POLICY_NAME];
	bool as_override;		/* its AS in paths becomes ours */
	uint8_t remove_private;		/* enum bgp_private */
	bool send_community;		/* external: communities, large ones too */
	bool send_extended;		/* ... extended ones, where the family is not VPN */
	bool originate;			/* a default route or membership, whether there is one or not */
	char originate_policy[BGP_POLICY_NAME];
	/* ... and what of its routes is taken */
	uint8_t site[8];		/* site of origin (RFC 4364 7), zero: none */
	/* what of its routes is taken: a change asks it for all of them again */
	char policy_in[BGP_POLICY_NAME];
	uint8_t allowas_in;		/* so often may our AS be in a path */
	/* how many of them: limit.c */
	struct bgp_limit {
		uint32_t most;		/* 0: any number */
		uint16_t restart;	/* minutes after which the session comes back, 0: not by itself */
		uint8_t threshold;	/* percent of them, for a warning */
		bool warning_only, discard_extra;
	} limit;
};

/*
 * What configuration says of a neighbour. Zeroed whole before filling: compared as octets.
 */
struct bgp_peer_conf {
	char vrf[VRF_NAME_MAX];		/* empty: the provider's own */
	struct tcp_endpoint peer;
	uint32_t remote_as;
	uint32_t local_as;		/* another AS number of ours (RFC 7705), 0: none */
	bool local_no_prepend;		/* ... it is not in front of what the peer tells */
	bool local_replace;		/* ... our real one is not behind it in what the peer is told */
	bool local_dual;		/* ... the peer may take either for ours */
	struct ip_addr source;
	char password[TCP_PASSWORD_MAX + 1];
	bool passive;
	uint8_t ttl_security;		/* hops, 0: off */
	uint8_t multihop;		/* hops, 0: off */
	uint16_t port;
	uint16_t hold, keepalive, connect_retry, delay_open;
	struct bgp_family_conf af[BGP_FAMILIES];
	/* a change of what follows leaves the session alone */
	bool maintenance;		/* RFC 8326: what either side tells is the last to be used */
	bool shutdown;
	char shutdown_reason[BGP_REASON_MAX + 1];
	char description[256];
	uint32_t bfd_interval_us;	/* 0: no BFD */
	uint8_t bfd_multiplier;
	bool bfd_strict, bfd_single;
};

struct bgp_peer;

/* Why a route that a peer announced is not in the table. */
enum bgp_refused {
	BGP_REFUSED_LOOP,		/* our AS is in the path (RFC 4271 9.1.2) */
	BGP_REFUSED_ORIGINATOR,		/* we brought it in (RFC 4456 8) */
	BGP_REFUSED_CLUSTER,		/* we reflected it */
	BGP_REFUSED_NEXT_HOP,		/* its next hop is an address of ours */
	BGP_REFUSED_LABEL,		/* its label is reserved */
	BGP_REFUSED_LENGTH,		/* its attributes are too long to keep */
	BGP_REFUSED_SITE,		/* it comes from the neighbour's own site (RFC 4364 7) */
	BGP_REFUSED_TARGETS,		/* nobody here imports its route targets */
	BGP_REFUSED_LIMIT,		/* there are as many as may be */
	BGP_REFUSED_POLICY,
	BGP_REFUSED_NO_POLICY,		/* RFC 8212 */
	BGP_REFUSALS
};

/* One family of a peer. */
struct bgp_peer_family {
	struct bgp_peer *peer;
	enum bgp_family family;
	bool active;			/* negotiated, and the session is up */
	bool disabled;			/* RFC 7606, until the session ends */
	struct rib_source source;	/* valid when has_source */
	bool has_source;
	bool stale;			/* routes kept over the peer's restart (RFC 4724 4.2) */
	bool eor_received;
	bool eor_sent;
	/* the peer's refresh (RFC 7313), refresh.c */
	bool refreshing_in;
	uint8_t marks;			/* of stale routes, not swept yet: at most BGP_MARKS_MAX */
	struct timer refresh_timer;
	struct policy *in, *out, *originate;	/* references, NULL: none; policy.c */
	uint32_t refused[BGP_REFUSALS];	/* routes since the session came up, by reason; refused.c */
	struct bgp_refusals *last_refused;	/* NULL: none so far */
	bool limit_warned, limit_over;	/* it was said */
	uint8_t *missed;		/* retain.c: route targets of what was not kept; NULL: all was */
	bool missed_needed;		/* ... and it is to be asked for again */
	/* outbound, group.c */
	struct bgp_group *group;	/* NULL: nothing is sent */
	struct list member;		/* in group */
	uint16_t number;		/* in group */
	struct bgp_move *move;		/* it comes from another group, where it has ... */
	uint16_t old_number;
	bool needs_eor;
	bool syncing;			/* is told what the group sent before it came */
	bool refreshing;		/* ... between the marks of RFC 7313 */
	bool refresh_later;		/* asked for, behind End-of-RIB */
	bool walking;			/* ... what has route targets that it (no longer) wants since just now */
	uint32_t sync_at;
	struct rib_target_walk targets;
};

struct bgp_peer {
	struct list node;		/* in bgp.peers */
	struct hash_node by_address;
	struct bgp *bgp;
	char name[BGP_SESSION_NAME];
	struct bgp_peer_conf conf;
	uint32_t vrf_id;		/* 0: the provider's own */
	struct bgp_session *session;
	bool up;
	struct bgp_up info;		/* valid when up */
	char last_down[BGP_WHY_MAX];
	struct liveness_watch live;	/* BFD, live.c */
	struct bgp_peer_family family[BGP_FAMILIES];
	struct bgp_rtc_wants rtc;
	struct timer gr_timer;		/* restart time, then what is left of the stale path time */
	uint64_t stale_since;		/* jobs_clock_us(), while any family has routes that are kept */
	bool limited;			/* no session: it told more routes than are taken; limit.c */
	struct timer limit_timer;
	uint64_t slow_since;		/* clock_us(); 0: it takes what it is told */
	uint8_t md5_told;		/* reasons why its password may be wrong, since it was up last; md5.c */
	bool dying;			/* waits until tables let go of its sources */
};

struct bgp_listener;

struct bgp {
	struct rib_env env;
	struct bgp_options opt;
	bool configured;		/* router bgp is there */
	bool groups_changed;		/* a neighbor-group did, in the commit under way */
	uint32_t as;
	uint32_t id;			/* host order */
	uint32_t cluster_id;		/* host order; RFC 4456 section 7 */
	uint16_t listen_port;
	bool unsafe_ebgp;		/* RFC 8212 is not followed: no policy is every route */
	struct policy_watch policy_watch;
	struct attrs *plain;		/* of routes that have none */
	bool gr_enabled;
	uint16_t gr_time, gr_deferral, gr_stale;	/* seconds */
	struct bgp_workers *workers;
	struct list peers;		/* struct bgp_peer, provider's first, by VRF and address */
	struct hash by_address;		/* the same, by {VRF, address} */
	struct list graves;		/* removed peers whose sources are still referred to */
	struct timer grave_timer;
	struct list feeds;		/* group.c */
	uint32_t groups_made;
	struct list listeners;		/* listen.c */
	struct timer listen_timer;
	bool md5_known;			/* md5.c: what follows was read, while a session was missing */
	struct tcp_md5_drops md5_drops;
	struct vrf_watch vrf_watch;
	struct bgp_lu *lu[AFI_MAX];	/* lu.c */
	struct bgp_rtc_own *rtc;
	struct bgp_retain *retain;
	/* restart.c */
	bool restarting;
	struct timer restart_timer;	/* the deferral's end */
	struct timer settle_timer;
	bool memberships_known;		/* while restarting: they are told already */
	struct timer memberships_timer;
};

/* The one instance, NULL when not started. */
struct bgp *bgp_instance(void);

/* ---- peer.c ---- */
bool bgp_peer_internal(const struct bgp_peer *p);
/* our AS as the peer knows it: of the session, or as it will be */
uint32_t bgp_peer_as(const struct bgp_peer *p);
struct bgp_peer *bgp_peer_find(struct bgp *b, const char *vrf, const struct tcp_endpoint *e);
/* In order; NULL starts. */
struct bgp_peer *bgp_peer_next(struct bgp *b, const struct bgp_peer *p);
/* Resumable: the first behind {vrf, address}; the position is kept in *at. Zero it first. */
struct bgp_peer_cursor {
	bool started;
	char vrf[VRF_NAME_MAX];
	struct tcp_endpoint peer;
};
struct bgp_peer *bgp_peer_walk(struct bgp *b, struct bgp_peer_cursor *at);
/* What its OPEN offers. */
void bgp_peer_caps(const struct bgp_peer *p, struct bgp_caps *c);
void bgp_peer_add(struct bgp *b, const struct bgp_peer_conf *conf);
void bgp_peer_change(struct bgp_peer *p, const struct bgp_peer_conf *conf);
void bgp_peer_remove(struct bgp_peer *p);
/* New sessions for all, after a change of what they all depend on. */
void bgp_peers_restart(struct bgp *b);
void bgp_peers_caps(struct bgp *b);		/* the next OPENs differ (graceful restart) */
void bgp_graves_check(struct bgp *b);
extern const struct bgp_session_ops bgp_peer_ops;

/* ---- live.c ---- */
void bgp_live_apply(struct bgp_peer *p);	/* watches, or not, as its configuration says */
void bgp_live_end(struct bgp_peer *p);
bool bgp_live_may_start(const struct bgp_peer *p);

/* ---- in.c: what peers announce, into tables ---- */
/* a site of origin: RFC 4360 section 5, of any of the three forms */
static inline bool bgp_is_site(const uint8_t ext[8])
{
	return ext[0] <= 2 && ext[1] == 3;
}

void bgp_in_update(struct bgp_peer *p, const struct bgp_update *u);

/* ---- policy.c: which routes are taken and told ---- */
void bgp_policies_start(struct bgp *b);
void bgp_policies_stop(struct bgp *b);
/* The policies that its configuration names; puts back those that it had. */
void bgp_policy_bind(struct bgp_peer *p);
void bgp_policy_unbind(struct bgp_peer *p);
/* RFC 8212: a peer of another AS with which nothing is exchanged for want of a policy */
bool bgp_policy_missing(const struct bgp_peer_family *pf, bool out);
/* Says in the log what is missing, when a session came up. */
void bgp_policy_warn(const struct bgp_peer *p);
/* All of a family is asked for again: what is taken of it changed. */
void bgp_policy_again(struct bgp_peer_family *pf);
/* Everything may be told or taken otherwise: the instance's own settings changed. */
void bgp_policies_again(struct bgp *b);

/* ---- refused.c: what was not taken, and why ---- */
/* The last ones of a family, the newest first. */
#define BGP_REFUSED_KEPT 64
struct bgp_refusal {
	struct rd rd;			/* zero outside the VPN families */
	struct prefix prefix;
	enum bgp_refused why;
	uint32_t when;			/* clock_seconds() */
};
void bgp_refuse(struct bgp_peer_family *pf, enum bgp_refused why, const struct rd *rd, const struct prefix *p);
const char *bgp_refused_str(enum bgp_refused why);
/* The i-th of them; false: there are not so many. */
bool bgp_refusal_at(const struct bgp_peer_family *pf, unsigned int i, struct bgp_refusal *out);
void bgp_refusals_forget(struct bgp_peer_family *pf);	/* and the counters */

/* ---- limit.c: how many routes ---- */
void bgp_limit_init(struct bgp_peer *p);
void bgp_limit_end(struct bgp_peer *p);		/* nothing is kept down any more, nothing is started */
/* May this one be announced? False: it is refused, and the session may be about to end. */
bool bgp_limit_takes(struct bgp_peer_family *pf, const struct rd *rd, const struct prefix *p, uint32_t path_id);
void bgp_limit_look(struct bgp_peer_family *pf);	/* after routes came or went: the warning */
void bgp_limit_changed(struct bgp_peer_family *pf);	/* its configuration did */
/* A session that is kept down for too many routes starts again. */
void bgp_limit_clear(struct bgp_peer *p);

/* ---- restart.c: RFC 4724 on both sides ---- */
void bgp_restart_begin(struct bgp *b);		/* at start */
/* while we restart, routes are not told before the end, and memberships not before others' are known */
bool bgp_restart_may_tell(const struct bgp *b, enum bgp_family f);
void bgp_restart_check(struct bgp *b);		/* an End-of-RIB came, a peer changed */
void bgp_restart_stop(struct bgp *b);
void bgp_helper_down(struct bgp_peer *p, bool lost);
void bgp_helper_up(struct bgp_peer *p);
void bgp_helper_eor(struct bgp_peer_family *pf);
void bgp_helper_init(struct bgp_peer *p);

/* Marks that may wait for their sweep: the table counts to 15 (rib_source_stale()), and a sweep may be under way. */
#define BGP_MARKS_MAX 7
/* purged() of a peer's source */
void bgp_swept(struct rib_source *s);

/* ---- maintenance.c: RFC 8326 ---- */
/*
 * What becomes of a route after its policy: the least preference when an external peer marked it, or the session is
 * under maintenance, which marks it as well. Takes a reference to @a and returns one.
 */
struct attrs *bgp_maintenance_in(const struct bgp_peer *p, struct attrs *a);
void bgp_maintenance_changed(struct bgp_peer *p);	/* what it tells is asked for again */

/* ---- refresh.c: RFC 7313 as receiver ---- */
void bgp_refresh_init(struct bgp_peer_family *pf);
void bgp_refresh_received(struct bgp_peer_family *pf, enum bgp_refresh what);	/* BEGIN or END */
void bgp_refresh_stop(struct bgp_peer_family *pf);		/* the session is down */

/* ---- group.c: what goes out ---- */
void bgp_groups_join(struct bgp_peer *p);	/* every active family that may be told now */
void bgp_groups_leave(struct bgp_peer *p);
void bgp_groups_end(struct bgp *b);		/* all have left: nothing is left to jobs */
/* The family's configuration changed: it is told what differs. False: only a new session can be told rightly. */
bool bgp_groups_moved(struct bgp_peer_family *pf);
/* A policy says something else: the groups that speak by it look at everything again. */
void bgp_groups_policy(struct bgp *b, struct policy *changed);
/* All of a table is judged again for all of its groups: what a source's routes may be told to changed. */
void bgp_groups_again(struct bgp *b, struct rib_table *t);
void bgp_groups_refresh(struct bgp_peer_family *pf);	/* ROUTE-REFRESH: all of it again */
void bgp_groups_drained(struct bgp_peer *p);
void bgp_groups_slow(struct bgp_peer *p);		/* its queue is full */
/* it has said what it wants, or the wait for that is over */
void bgp_groups_open(struct bgp_peer *p);
/* it wants the routes with that route target, or not any more; @bits of it count, 0..64 */
void bgp_groups_interest(struct bgp_peer *p, const uint8_t rt[8], uint8_t bits, bool wants);
void bgp_groups_vrf_changed(struct bgp *b, const struct vrf *v);
/* what is said of a net may differ though its best route does not: its label came, or another one */
void bgp_groups_net_changed(struct bgp *b, struct rib_net *net);
uint32_t bgp_family_advertised(const struct bgp_peer_family *pf);
/* Resumable walk of what a peer's family was told: zero it first; NULL: no more. */
struct bgp_advertised {
	uint32_t net, path;		/* where it is */
	struct attrs *attrs;		/* borrowed */
	uint32_t label;
	uint32_t path_id;		/* 0 unless several paths are told */
};
struct rib_net *bgp_advertised_walk(const struct bgp_peer_family *pf, struct bgp_advertised *at);
/* The next hop that goes with it; *ll may be unset. */
void bgp_advertised_nexthop(const struct bgp_peer_family *pf, const struct attrs *attrs, struct ip_addr *nexthop,
			    struct ip_addr *ll);

/* ---- listen.c ---- */
void bgp_listen_update(struct bgp *b);		/* peers or port changed */
void bgp_listen_stop(struct bgp *b);

/* ---- md5.c ---- */
void bgp_md5_check(struct bgp *b);		/* every few seconds */

/* ---- config.c ---- */
void bgp_config_subscribe(struct bgp *b);
struct lyd_node;
/* The peer that a neighbor of the running configuration is, NULL: none yet. */
struct bgp_peer *bgp_config_peer(struct bgp *b, const struct lyd_node *neighbor);

#endif
