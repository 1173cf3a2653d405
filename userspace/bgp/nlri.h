/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Network layer reachability information on the wire: IPv4 and IPv6 prefixes (RFC 4271 4.3,
 * RFC 4760 section 5), with a label (RFC 8277), and VPN ones with label and RD (RFC 4364 4.3.4, RFC 4659).
 */
#ifndef L3VPN_BGP_NLRI_H
#define L3VPN_BGP_NLRI_H

#include "bgp/wire.h"
#include "lib/buf.h"
#include "lib/cursor.h"
#include "lib/prefix.h"

#define BGP_NLRI_MAX 28		/* octets of the longest: VPNv6 /128 */

struct bgp_nlri {
	struct prefix prefix;	/* host bits cleared */
	uint8_t rd[8];		/* as on the wire; zero outside the VPN families */
	uint32_t label;		/* 20 bits; meaningless in a withdrawal and in families without */
};

/*
 * Reads one NLRI. Exactly one label is there (RFC 8277 2.2: its S bit is ignored, the multiple
 * labels capability is not advertised, so that what a peer puts behind it is prefix); in a
 * withdrawal its value is ignored (2.4). False: the field
 * is syntactically incorrect (RFC 7606 5.3).
 */
bool bgp_nlri_decode(struct cursor *c, enum bgp_family f, struct bgp_nlri *n);
/* Appends one; @withdraw writes 0x800000 in the label's place (RFC 8277 2.4). */
void bgp_nlri_encode(struct buf *b, enum bgp_family f, const struct bgp_nlri *n, bool withdraw);
/* Octets that bgp_nlri_encode() appends. */
size_t bgp_nlri_size(enum bgp_family f, const struct bgp_nlri *n);

#endif
