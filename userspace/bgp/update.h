/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The UPDATE message read: path attributes and NLRI become a struct bgp_update that a worker
 * hands to the main thread. What a malformed field causes is decided where it is read, in the
 * words of RFC 7606. RFC 4271 4.3 and 6.3, 4456, 4724 (End-of-RIB), 4760, 6793, 7606, 8950.
 * Any thread; no state but the arguments.
 */
#ifndef L3VPN_BGP_UPDATE_H
#define L3VPN_BGP_UPDATE_H

#include "bgp/batch.h"
#include "bgp/msg.h"
#include "bgp/nlri.h"
#include "rib/attrs.h"

/* RFC 7606 section 2, from weakest to strongest. */
enum bgp_outcome {
	BGP_ACCEPT,
	BGP_DISCARD,		/* the attribute is dropped, the UPDATE counts */
	BGP_WITHDRAW,		/* its routes are withdrawn */
	BGP_DISABLE,		/* the family is ignored from now on */
	BGP_RESET,		/* NOTIFICATION, the session ends */
};

/* What the reader must know of the session. */
struct bgp_decode {
	bool as4;			/* AS numbers have four octets (RFC 6793) */
	bool internal;			/* iBGP */
	uint32_t peer_as;		/* an external peer's path must begin with it */
	bool family[BGP_FAMILIES];	/* negotiated and not disabled */
	bool v6_next_hop[BGP_FAMILIES];
	bool addpath[BGP_FAMILIES];	/* NLRI carry path identifiers (RFC 7911) */
	/* Told of every malformed field; @attr 0: not an attribute. May be NULL. */
	void (*report)(void *arg, enum bgp_outcome outcome, uint8_t attr, const char *why);
	void *arg;
};

/* Routes of one family that one field of the message lists. */
struct bgp_routes {
	enum bgp_family family;
	bool withdraw;			/* also set by treat-as-withdraw */
	struct ip_addr nexthop;
	struct ip_addr nexthop_ll;	/* link-local companion, or family 0 */
	uint32_t count;
	struct bgp_nlri *nlri;
};

#define BGP_UPDATE_PARTS 4		/* withdrawn routes, NLRI, MP_REACH, MP_UNREACH */

struct bgp_update {
	enum bgp_outcome outcome;
	bool eor[BGP_FAMILIES];		/* it is an End-of-RIB marker */
	bool disabled[BGP_FAMILIES];	/* to be disabled: BGP_DISABLE */
	struct attrs_builder attrs;	/* points into the batch; next hops are in the parts */
	struct bgp_batch *own;		/* of bgp_update_decode() */
	struct bgp_update *next;	/* in its batch */
	unsigned int parts;
	struct bgp_routes part[];
};

/* Room for one with all parts that it may have. */
union bgp_update_room {
	struct bgp_update u;
	uint8_t octets[sizeof(struct bgp_update) + BGP_UPDATE_PARTS * sizeof(struct bgp_routes)];
};

/*
 * Reads what follows the header into @batch. NULL: no memory, or the session must end and *err says what
 * is sent (err->code 0: no memory). It lives as long as its batch, to which it is not added.
 */
struct bgp_update *bgp_update_read(const struct bgp_decode *d, struct cursor body, struct bgp_batch *batch,
				   struct bgp_notification *err);
/* Likewise, alone: freed with bgp_update_free(). */
struct bgp_update *bgp_update_decode(const struct bgp_decode *d, struct cursor body,
				     struct bgp_notification *err);
void bgp_update_free(struct bgp_update *u);

const char *bgp_outcome_name(enum bgp_outcome o);
const char *bgp_attr_name(uint8_t code);

#endif
