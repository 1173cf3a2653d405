/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Route target constraint (RFC 4684): memberships say who wants which route targets.
 *
 * What peers say is in the table of memberships (rib_table_memberships()), keyed by {origin AS, route target} as a
 * prefix of 32 and up to 64 bits more; its best routes are told on as other routes are. What a peer itself said
 * decides, in its update groups, which VPN routes it hears of. What our own VRFs import is announced there by us.
 * Main thread only.
 */
#ifndef L3VPN_BGP_RTC_H
#define L3VPN_BGP_RTC_H

#include "bgp/nlri.h"
#include "lib/hash.h"
#include "lib/jobs.h"
#include "rib/table.h"

struct bgp;
struct bgp_peer;
struct bgp_peer_family;

/* What a peer said since its session came up. */
struct bgp_rtc_wants {
	struct hash said;		/* memberships, whole */
	struct hash targets;		/* of them: what matters for VPN routes, whatever the AS */
	bool complete;			/* End-of-RIB, or the wait for it is over: VPN routes may go out */
	struct timer timer;		/* RFC 4684 section 6: not longer than this is waited */
};

/* Our own part: what the VRFs import. */
struct bgp_rtc_own {
	struct bgp *bgp;
	struct rib_source source;
	struct job job;
	struct nexthop *nh;
};

struct prefix bgp_rtc_prefix(const struct bgp_rtc *m);
/* @n has the prefix in it: it becomes the membership */
void bgp_rtc_of_prefix(struct bgp_nlri *n);

struct bgp_rtc_own *bgp_rtc_new(struct bgp *b);
void bgp_rtc_free(struct bgp_rtc_own *own);
/* a VRF's imports changed, or our AS */
void bgp_rtc_changed(struct bgp_rtc_own *own);
/* the next hop of memberships, which carries nothing and so is always usable; borrowed */
struct nexthop *bgp_rtc_nexthop(const struct bgp_rtc_own *own);

/* ---- what a peer wants ---- */
void bgp_rtc_init(struct bgp_peer *p);
/* with a session it begins anew, unless what was said before is kept (RFC 4724): behind bgp_helper_up() and _down() */
void bgp_rtc_up(struct bgp_peer *p);
void bgp_rtc_down(struct bgp_peer *p);
void bgp_rtc_announced(struct bgp_peer *p, const struct bgp_rtc *m);
void bgp_rtc_withdrawn(struct bgp_peer *p, const struct bgp_rtc *m);
void bgp_rtc_complete(struct bgp_peer *p);	/* End-of-RIB of memberships */
/* memberships were dropped from the table, not withdrawn: what is left counts */
void bgp_rtc_again(struct bgp_peer *p);
/* how many it has said: for show */
uint32_t bgp_rtc_count(const struct bgp_peer *p);
/* are our memberships all that it is told, so that it tells us what is imported, and withdraws what is not? */
bool bgp_rtc_asks(const struct bgp_peer *p);

#endif
