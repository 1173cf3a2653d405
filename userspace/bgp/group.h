/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Update groups: families of peers that are told the same things in the same words. A group
 * hears of a table's changes through the table's feed, works out what to say about each net and to whom,
 * remembers what it said, and encodes each message once for all of its members that it is for.
 *
 *   rib table --rib_sub--> feed --> group: pending nets -> policy (out.c) -> audience -> pack -> members
 *
 * group.c: feeds, groups and their members. tell.c: a group's work. move.c: members that go over. Private to them and
 * audience.c, said.c, out*.c, reflect.c, rtc.c, pack.c and policy.c. Main thread only.
 */
#ifndef L3VPN_BGP_GROUP_H
#define L3VPN_BGP_GROUP_H

#include "bgp/attr.h"
#include "bgp/audience.h"
#include "bgp/peer.h"
#include "bgp/said.h"

/* What makes peers alike. Zeroed whole: compared as octets. */
struct bgp_group_key {
	struct ip_addr nexthop;		/* next hop self */
	struct ip_addr nexthop_ll;
	bool as4;
	bool extended;			/* messages may be that long (RFC 8654) */
	bool internal;
	bool several;			/* several paths of a net (RFC 7911) */
	uint32_t vrf;
	/* labelled unicast and VPN */
	bool client;			/* internal: of ours as reflector */
	bool v6_next_hop;		/* RFC 8950 */
	/* what others told goes out with next hop and label as they came; else with ours, which VPN routes have not */
	bool unchanged;
	struct policy *policy;		/* NULL: none. The group has a reference */
	bool mute;			/* RFC 8212: nothing is told */
	bool maintenance;		/* RFC 8326: what is told bears the mark */
	/* external */
	uint32_t own_as;		/* ours, as the members know it */
	bool real_as;			/* the real one stands behind it (RFC 7705) */
	uint32_t peer_as;		/* the members', where it matters: as_override, remove_private */
	bool as_override;
	uint8_t remove_private;		/* enum bgp_private */
	bool send_community, send_extended;
	uint8_t site[8];		/* what has this site of origin is not told */
	bool originate;			/* a default route, by originate_policy (a reference, or NULL) */
	struct policy *originate_policy;
};

/* What is to be said, between policy and packing. */
struct bgp_saying {
	struct attrs *attrs;		/* borrowed from said; NULL: withdrawal */
	const struct bgp_audience *to;
	uint32_t next;			/* pack.c: 1 + index of the next one in the same run */
	struct bgp_nlri nlri;
};

#define BGP_OUT_CACHE 256

struct bgp_group {
	struct list node;		/* in feed */
	struct bgp_feed *feed;
	uint32_t index;			/* from 1, never used again: for show */
	struct bgp_group_key key;
	struct list members;		/* struct bgp_peer_family.member */
	struct list arriving, leaving;	/* struct bgp_move: members that come from, or go to, another group */
	struct bgp_peer_family **by_number;
	uint32_t numbers;
	struct bgp_bits present;	/* members that are told now */
	struct bgp_bits constrained;	/* of them: only what they want (RFC 4684) */
	uint32_t n_constrained;
	struct bgp_interest interest;
	struct bgp_audiences audiences;
	struct job job;
	bool walked;			/* the table's first walk is over */
	struct rib_cursor cursor;
	struct bgp_said_table said;
	struct vec pending;		/* numbers of nets; the last comes first */
	uint32_t n_pending;
	struct bgp_saying *sayings;	/* of the slice under way */
	uint32_t n_sayings, room_sayings;
	struct bgp_out_cache {
		struct attrs *in, *out;	/* references; in as the policy left it; out NULL: not to be announced */
		const struct rib_source *source;	/* and its router id, where @in is reflected; else NULL */
		uint32_t router_id;
		bool self, med_set;
	} cache[BGP_OUT_CACHE];
	struct bgp_group_whom {
		struct attrs *attrs;	/* reference */
		const struct bgp_audience *to;
		uint16_t but;
		bool had, valid;
	} whom[BGP_OUT_CACHE];		/* audience.c's answers, until a member or an interest changes */
	uint64_t messages;		/* encoded, for show */
};

/* Members that go from one group to another; move.c. */
struct bgp_move {
	struct list to_node, from_node;
	struct bgp_group *from, *to;
	bool sure;			/* what @from said they were told: they are not just being told it */
	uint32_t at;			/* of nets with a lower number the new group tells them, of others the old */
	uint32_t n;
	struct bgp_peer_family **member;
	struct bgp_bits was, now;	/* their numbers in both */
};

/* A table's changes, for all groups that speak of it. */
struct bgp_feed {
	struct list node;		/* in bgp.feeds */
	struct bgp *bgp;
	enum bgp_family family;
	struct rib_table *table;
	struct rib_sub sub;
	struct list groups;
	struct list ended;		/* groups without members, being freed in slices */
};

/* ---- tell.c ---- */
bool bgp_group_work(struct job *job, unsigned int budget);
void bgp_group_mark(struct bgp_group *g, struct rib_net *net);	/* schedules */
/* members or what they want changed: who hears of what is worked out anew */
void bgp_group_audience_changed(struct bgp_group *g);
/* tells a member everything that was said so far, or takes it back where it does not want it any more */
void bgp_group_sync(struct bgp_peer_family *pf);
/* ... of what carries the route target alone */
void bgp_group_sync_target(struct bgp_peer_family *pf, const uint8_t rt[8], uint8_t bits);

/* Who hears of a route with these attributes; with @had, who may have. NULL: nobody. */
const struct bgp_audience *bgp_group_audience(struct bgp_group *g, struct attrs *a, uint16_t but, bool had);
/* of @a those who are not in @b */
const struct bgp_audience *bgp_group_except(struct bgp_group *g, const struct bgp_audience *a,
					    const struct bgp_bits *b);
/* to be told with the next hand-over; @path NULL: that it is withdrawn */
void bgp_group_say(struct bgp_group *g, const struct bgp_audience *to, const struct rib_net *net,
		   const struct bgp_said_path *path, uint32_t path_id);
void bgp_group_hand_over(struct bgp_group *g);

/* ---- group.c ---- */
/* a member's number is free again */
void bgp_group_number_free(struct bgp_group *g, struct bgp_peer_family *pf, uint16_t number);
/* ends a group that nobody needs any more */
void bgp_group_check(struct bgp_group *g);

/* ---- move.c ---- */
/* @pf is a member of its new group, and still has a number in the old one (old_number). */
void bgp_move_begin(struct bgp_peer_family *pf, struct bgp_group *from, bool sure);
void bgp_move_end(struct bgp_peer_family *pf);		/* all has been told */
void bgp_move_drop(struct bgp_peer_family *pf);		/* ... or nothing can be told any more */
bool bgp_moves_work(struct bgp_group *g);		/* a slice of all that arrive; true: more to do */
bool bgp_move_congested(const struct bgp_group *g);	/* somebody who leaves takes nothing now */
const struct bgp_audience *bgp_move_reach(struct bgp_group *g, const struct bgp_audience *to, uint32_t net);

/* does this member hear of it? */
bool bgp_group_hears(struct bgp_group *g, struct attrs *a, uint16_t but, uint16_t number);

/* A route on its way out: what the policy left of it, and what is to be said. */
struct bgp_outgoing {
	struct policy_result p;
	bool self;			/* our address as next hop; else p.attrs has it */
	uint32_t label;
};

/* ---- out.c: what is told ---- */
/* Attributes and label for the group's members, with a reference, or NULL: not announced to them. */
struct attrs *bgp_out_attrs(struct bgp_group *g, const struct rib_route *r, uint32_t *label);
/* default-originate: is the net told whether there is a route or not, and with which attributes? */
bool bgp_out_originates(const struct bgp_group *g, const struct rib_net *net);
struct attrs *bgp_out_default(struct bgp_group *g);
/* Why the group's members are not told, static text; NULL: they are. For show. */
const char *bgp_out_refusal(struct bgp_group *g, const struct rib_route *r);
/*
 * Of a VPN net whose best is not for the group: the best of our own, or NULL. A VRF exports under an RD that other PEs
 * use too, and theirs is better (best external).
 */
struct rib_route *bgp_out_external(const struct bgp_group *g, const struct rib_net *net);
/* ... of memberships; out_rtc.c */
struct attrs *bgp_out_rtc(struct bgp_group *g, const struct rib_route *r);
/* the path with our AS in front, what stays with us, the next hop: unset when it is ours */
struct attrs *bgp_out_rewrite(struct bgp_group *g, const struct attrs_builder *in, const struct bgp_outgoing *o);
/* ---- reflect.c: what a peer told; the route's source is a peer's ---- */
/* may the group's members hear of it? (RFC 4456 section 6) */
bool bgp_passes(const struct bgp_group *g, const struct rib_route *r);
/* ... as a reflector passes it on, from internal peers to internal ones */
bool bgp_reflected(const struct bgp_group *g, const struct rib_route *r);
/* can this next hop be said to the group as it is? */
bool bgp_sayable(const struct bgp_group *g, const struct ip_addr *nexthop);
/* bgp_out_rewrite(), with ORIGINATOR_ID and CLUSTER_LIST where it is reflected */
struct attrs *bgp_pass_on(struct bgp_group *g, const struct rib_route *r, const struct bgp_outgoing *o);

/* RFC 1997, and sites of origin */
bool bgp_out_forbidden(const struct bgp_group *g, const struct attrs *a);
void bgp_out_cache_clear(struct bgp_group *g);
/* Next hops of what goes to this peer; false: it cannot be told anything of the family. */
bool bgp_out_nexthop(const struct bgp_peer *p, enum bgp_family f, struct ip_addr *nexthop,
		     struct ip_addr *nexthop_ll);

/* ---- rtc.c: does the peer say what it wants? and has it said so? ---- */
bool bgp_rtc_constrains(const struct bgp_peer *p, enum bgp_family f);
bool bgp_rtc_may_tell(const struct bgp_peer *p, enum bgp_family f);
/* a member came: what it wants, into its group */
void bgp_rtc_joined(struct bgp_peer_family *pf);
/* its group gets to know what it wants */
void bgp_rtc_interest(struct bgp_peer_family *pf);

/* ---- maintenance.c: interned with the mark of RFC 8326, and to an internal peer with the least preference ---- */
struct attrs *bgp_maintenance_out(const struct bgp_group *g, struct attrs_builder *b);

/* ---- pack.c: sayings into messages; what has equal attributes and audience shares them ---- */
void bgp_pack(struct bgp_group *g, struct bgp_saying *s, uint32_t n);
/* End-of-RIB for one member, RFC 4724 section 2. */
void bgp_pack_eor(struct bgp_peer_family *pf);
/* Begin or end of what a refresh tells again, RFC 7313; nothing to a peer that does not know it. */
void bgp_pack_refresh(struct bgp_peer_family *pf, enum bgp_refresh what);

#endif
