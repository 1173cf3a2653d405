/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Network layer reachability information on the wire: IPv4 and IPv6 prefixes (RFC 4271 4.3,
 * RFC 4760 section 5), with a label (RFC 8277), VPN ones with label and RD (RFC 4364 4.3.4, RFC 4659), route
 * target memberships (RFC 4684 section 4); each with a path identifier in front where that is agreed on (RFC 7911).
 */
#ifndef L3VPN_BGP_NLRI_H
#define L3VPN_BGP_NLRI_H

#include "bgp/wire.h"
#include "lib/buf.h"
#include "lib/cursor.h"
#include "lib/prefix.h"

#define BGP_NLRI_MAX 32		/* octets of the longest: VPNv6 /128 with a path identifier */

/* A membership: of all route targets that begin with these bits, in this origin AS. */
struct bgp_rtc {
	uint32_t as;		/* host order */
	uint8_t rt[8];		/* extended community as on the wire; bits behind len cleared */
	uint8_t len;		/* bits of AS and rt together: 32..96, or 0: every target of every AS */
};

struct bgp_nlri {
	union {
		struct prefix prefix;	/* host bits cleared */
		struct bgp_rtc rtc;	/* BGP_RTC alone */
	};
	uint8_t rd[8];		/* as on the wire; zero outside the VPN families */
	uint32_t label;		/* 20 bits; meaningless in a withdrawal and in families without */
	uint32_t path_id;	/* host order; 0 where none is agreed on */
};

#define BGP_NLRI_WITHDRAW	0x1	/* write it as a withdrawal */
#define BGP_NLRI_PATH_ID	0x2	/* with path identifier (struct bgp_agreed: addpath_rx, addpath_tx) */

/*
 * Reads one NLRI; of @flags BGP_NLRI_PATH_ID counts. Exactly one label is there (RFC 8277 2.2: its S bit is
 * ignored, the multiple labels capability is not advertised, so that what a peer puts behind it is
 * prefix); in a withdrawal its value is ignored (2.4). False: the field is syntactically
 * incorrect (RFC 7606 5.3).
 */
bool bgp_nlri_decode(struct cursor *c, enum bgp_family f, unsigned int flags, struct bgp_nlri *n);
/* A whole field of them: how many there are, or false: syntactically incorrect; then reads them, *count into @out. */
bool bgp_nlri_count(struct cursor c, enum bgp_family f, unsigned int flags, uint32_t *count);
void bgp_nlri_read(struct cursor c, enum bgp_family f, unsigned int flags, struct bgp_nlri *out);
/* Appends one; as a withdrawal it has 0x800000 in the label's place (RFC 8277 2.4). */
void bgp_nlri_encode(struct buf *b, enum bgp_family f, const struct bgp_nlri *n, unsigned int flags);
/* Octets that bgp_nlri_encode() appends. */
size_t bgp_nlri_size(enum bgp_family f, const struct bgp_nlri *n, unsigned int flags);

#endif
