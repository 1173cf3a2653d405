/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is to be seen of update groups, for show: who is told of a net and who is not, and why; the groups themselves.
 * Nothing here changes anything. Main thread only.
 */
#ifndef L3VPN_BGP_LOOK_H
#define L3VPN_BGP_LOOK_H

#include "bgp/peer.h"

/* A net towards a neighbour. */
struct bgp_told {
	const struct bgp_peer_family *to;
	const char *why;		/* it is not told: why; static text. NULL: it is */
	struct attrs *attrs;		/* borrowed; next hop unset: bgp_advertised_nexthop() */
	uint32_t label;
	uint32_t path_id;		/* 0 unless several paths are told */
};

/* Once for each neighbour of the net's table, and more than once where several paths are told. */
void bgp_told_each(struct bgp *b, struct rib_net *net, void (*fn)(const struct bgp_told *told, void *arg), void *arg);

struct bgp_group_info {
	uint32_t index;			/* no other group had it before */
	enum bgp_family family;
	uint32_t vrf;			/* id, 0: the provider's own */
	const char *policy;		/* NULL: none */
	struct ip_addr nexthop;		/* ours */
	bool internal, client, several, as4, unchanged, mute;
	bool walking;			/* looks at the whole table */
	uint32_t members, waiting;	/* waiting: of them, those whose queue is full */
	uint32_t told, pending;		/* paths; nets */
	uint64_t messages;		/* encoded */
};
/* Resumable, by index: the first one behind @behind (0 starts); false: no more. */
bool bgp_group_walk(const struct bgp *b, uint32_t behind, struct bgp_group_info *info);
/* The members of a group, in the order of their joining; NULL starts, and ends. */
const struct bgp_peer_family *bgp_group_member(const struct bgp *b, uint32_t index, const struct bgp_peer_family *pf);
/* The group of a neighbour's family, 0: none. */
uint32_t bgp_group_of(const struct bgp_peer_family *pf);

#endif
