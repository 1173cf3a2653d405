/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The OPEN message (RFC 4271 4.2, 6.2), its capabilities (RFC 5492), and what two OPENs
 * agree on. No state; the session keeps the results.
 */
#ifndef L3VPN_BGP_OPEN_H
#define L3VPN_BGP_OPEN_H

#include "bgp/msg.h"
#include "bgp/wire.h"

/* Capabilities as one side states them. */
struct bgp_caps {
	bool as4;			/* RFC 6793 */
	uint32_t as;			/* valid with as4 */
	bool refresh;			/* RFC 2918 */
	bool enhanced_refresh;		/* RFC 7313 */
	bool extended;			/* RFC 8654: takes messages of up to 65,535 octets */
	bool any_family;		/* a multiprotocol capability of any kind was there */
	bool family[BGP_FAMILIES];	/* RFC 4760 */
	bool v6_next_hop[BGP_FAMILIES];	/* RFC 8950: IPv4 families over an IPv6 next hop */
	bool gr;			/* RFC 4724 */
	bool gr_restarting;		/* the R bit */
	bool gr_notify;			/* the N bit, RFC 8538 */
	uint16_t gr_time;		/* restart time, seconds */
	bool gr_family[BGP_FAMILIES];
	bool gr_forwarding[BGP_FAMILIES]; /* the F bit */
	/* RFC 7911: able to take, and to send, several paths to a destination */
	bool addpath_rx[BGP_FAMILIES];
	bool addpath_tx[BGP_FAMILIES];
};

struct bgp_open {
	uint32_t as;		/* four octets when the capability is there */
	uint16_t as2;		/* My Autonomous System, as written */
	uint16_t hold;
	uint32_t id;		/* host order */
	struct bgp_caps caps;
};

/* What a session needs of its configuration to judge a peer's OPEN. */
struct bgp_open_expect {
	uint32_t local_as;
	uint32_t local_id;	/* host order */
	uint32_t remote_as;
};

/* What both sides agreed on. */
struct bgp_agreed {
	uint16_t hold;		/* seconds, 0: no keepalives */
	bool as4;
	bool refresh, enhanced_refresh;
	bool extended;		/* messages may go out that long (RFC 8654) */
	bool family[BGP_FAMILIES];
	bool v6_next_hop[BGP_FAMILIES];
	bool gr;		/* both know RFC 4724 */
	bool gr_notify;		/* ... and RFC 8538: after a NOTIFICATION routes are kept as well */
	/* NLRI carry path identifiers: those that come, those that go (RFC 7911) */
	bool addpath_rx[BGP_FAMILIES];
	bool addpath_tx[BGP_FAMILIES];
};

void bgp_open_encode(struct buf *b, const struct bgp_open *o);
/*
 * False with *err filled: what the NOTIFICATION says. Unknown capabilities are ignored; a
 * capability whose inside is wrong is ignored as if it were not there.
 */
bool bgp_open_decode(struct cursor body, const struct bgp_open_expect *expect, struct bgp_open *o,
		     struct bgp_notification *err);

/* Hold time is the smaller one; everything else is what both stated. */
void bgp_agree(const struct bgp_open *ours, const struct bgp_open *theirs, struct bgp_agreed *a);

#endif
