/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which VPN routes of neighbours are kept: those with a route target that a VRF imports, or all of them where others
 * may need them of us (RFC 4364 section 4.3.3). What is not kept is refused (BGP_REFUSED_TARGETS), and asked for again
 * by route refresh (RFC 2918) when a VRF begins to import its route target. What nobody imports any more goes, in
 * slices. Main thread only.
 *
 * A neighbour that cannot refresh keeps all that it tells: nothing could bring it back.
 * One that has RT-Constrain (RFC 4684) withdraws by itself what nobody imports, and tells what somebody does.
 */
#ifndef L3VPN_BGP_RETAIN_H
#define L3VPN_BGP_RETAIN_H

#include "bgp/nlri.h"
#include "rib/attrs.h"

struct bgp;
struct bgp_peer;
struct bgp_peer_family;
struct bgp_retain;

/* Why routes of a neighbour's family are kept. */
enum bgp_kept {
	BGP_KEPT_IMPORTED,		/* those alone that a VRF imports */
	BGP_KEPT_CONFIGURED,		/* all: `retain route-target all` */
	BGP_KEPT_CLIENT,		/* all: there is a client that they may be reflected to */
	BGP_KEPT_EXTERNAL,		/* all: there is a neighbour of another AS that they may be passed on to */
	BGP_KEPT_NO_REFRESH,		/* all: this neighbour cannot refresh */
};

struct bgp_retain *bgp_retain_new(struct bgp *b);
void bgp_retain_free(struct bgp_retain *r);

/* `retain route-target all` of a VPN family is there, or not */
void bgp_retain_configure(struct bgp *b, enum bgp_family f, bool all);
/* Neighbours came, went or changed. */
void bgp_retain_check(struct bgp *b);

/* Is it kept, as its policy left it? What is not VPN is. */
bool bgp_retain_takes(const struct bgp_peer_family *pf, struct attrs *a);
/* It was not: what would make us need it is remembered. */
void bgp_retain_missed(struct bgp_peer_family *pf, const struct attrs *a);
/* Nothing was missed: a session begins, or the peer goes. */
void bgp_retain_forget(struct bgp_peer_family *pf);

enum bgp_kept bgp_retain_why(const struct bgp_peer_family *pf);
const char *bgp_kept_str(enum bgp_kept k);

#endif
