/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Soft transport: labelled packets to remote PEs inside UDP (RFC 7510) or GRE (RFC 4023), over a core that knows
 * no labels. What is configured here, by kind, gives two things:
 *
 *      paths      to every PE within the destinations, while our end is an address of ours and the main table
 *                 has a route to the PE; chosen among other kinds by rib/transport.h
 *      endpoints  one for each kind and source: where dataplane/ has tunnelled packets taken in, and from whom
 *
 * Paths are not kept: soft_path() says what there is now, and next-hop tracking asks again when routes, addresses
 * or this configuration change. Main thread only.
 */
#ifndef L3VPN_RIB_SOFT_H
#define L3VPN_RIB_SOFT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/list.h"
#include "lib/prefix.h"
#include "rib/lsp.h"
#include "rib/nht.h"

/* values as enum l3vpn_encap of the uapi */
enum soft_encap { SOFT_UDP = 1, SOFT_GRE, SOFT_ENCAPS };

#define SOFT_UDP_PORT	6635		/* RFC 7510 section 8 */

/* Whose packets are taken in. */
enum soft_from {
	SOFT_FROM_DESTINATIONS,		/* from within the destinations */
	SOFT_FROM_PEERS,		/* from those that a tunnel leads to */
	SOFT_FROM_ANY,
};

struct soft_config {
	struct ip_addr source[AFI_MAX];	/* our ends; family 0: none of that family */
	uint16_t port;			/* UDP: sent to and listened on; else 0 */
	bool by_default_route;		/* a default route is route enough */
	uint8_t from;			/* enum soft_from */
	bool zero_checksum;		/* UDP over IPv6 without a checksum (RFC 6935, 6936) */
	uint64_t scopes;		/* of labels taken in: mask of 1 << enum label_scope */
	unsigned int n;
	struct prefix *destinations;	/* PEs that are reached */
};

/* @config NULL: none any more. It is copied. */
void soft_set(struct nht *nht, enum soft_encap encap, const struct soft_config *config);
/* NULL: not configured. Valid until it is set again. */
const struct soft_config *soft_get(const struct nht *nht, enum soft_encap encap);

/*
 * The tunnel to a PE as @out, owned by RIB_PROTO_UDP or RIB_PROTO_GRE. NH_NO_LSP: the configuration does not cover
 * that PE; otherwise @out is filled, and usable when NH_OK.
 */
enum nexthop_reason soft_path(const struct nht *nht, enum soft_encap encap, const struct ip_addr *pe,
			      struct lsp *out);

/* Hears that some configuration changed. */
struct soft_sub {
	struct list node;
	void (*change)(struct soft_sub *s);
};
void soft_subscribe(struct nht *nht, struct soft_sub *s);
void soft_unsubscribe(struct soft_sub *s);

/* do packets of that kind and family have a checksum of their own, and must they? */
bool soft_checksum(const struct soft_config *c, enum soft_encap encap, uint8_t family);

const char *soft_encap_str(uint8_t encap);	/* "udp", "gre" */

#endif
