/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Label-switched paths by FEC. Protocols (static, LDP, BGP's labelled unicast) announce paths; rib/nht.c
 * resolves a remote PE only through paths whose FEC is exactly its host prefix. RFC 3031, 8277.
 *
 * A recursive path leads to a router that may be far away, whose own paths it takes, by the default transport
 * policy: those labels go outside of its own. What forwarding gets is flat (lsp_ways()); when a lower path
 * changes, everything above it is worked out again. No path leads through itself.
 */
#ifndef L3VPN_RIB_LSP_H
#define L3VPN_RIB_LSP_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/list.h"
#include "lib/prefix.h"
#include "rib/proto.h"

struct nht;

#define LSP_LABELS_MAX	7		/* under them goes the VPN label */
#define LABEL_IMPLICIT_NULL 3

struct lsp_path {
	uint8_t owner;			/* enum rib_proto_id */
	char name[64];			/* unique within FEC and owner */
	struct ip_addr gateway;		/* next router; family 0: on-link on ifname; far end of a tunnel */
	char ifname[IF_NAMESIZE];	/* empty: found by the gateway */
	uint16_t weight;		/* 1.. */
	bool backup;
	bool recursive;			/* gateway may be remote: by its own paths unless it is connected */
	uint8_t n_labels;		/* outermost first; 0: implicit null */
	uint32_t labels[LSP_LABELS_MAX];
	/* a tunnel of rib/soft.h: the kernel's main table leads to its far end */
	uint8_t encap;			/* enum soft_encap; 0: none */
	struct ip_addr local;		/* our end */
	uint16_t dport;			/* UDP */
	bool checksum;			/* UDP: with a checksum */
};

/* As held. Order within a FEC: by owner, then name. */
struct lsp {
	struct list node;
	struct prefix fec;
	struct lsp_path path;
	bool usable;			/* way out known and up */
	uint8_t reason;			/* enum nexthop_reason: NH_OK when usable */
	int ifindex;			/* resolved, 0 when not usable, or by other paths */
	struct ip_addr gateway;
	uint64_t since_us;
	struct list via_node;		/* recursive: among those of the same gateway; lsp.c's */
	struct list dirty;		/* lsp.c's */
	struct nht_neighbor *neighbor;	/* the next router, where it is watched; lsp.c's */
};

/* One way of a path down to the wire. */
struct lsp_way {
	int ifindex;
	struct ip_addr gateway;
	uint8_t encap;			/* not 0: gateway is the far end of a tunnel, as in struct lsp_path */
	struct ip_addr local;
	uint16_t dport;
	bool checksum;
	uint16_t weight;
	bool backup;
	uint8_t n_labels;		/* outermost first */
	uint32_t labels[LSP_LABELS_MAX];
};

/* Adds, or replaces the path of the same owner and name. A label 3 alone is no label. */
void lsp_announce(struct nht *nht, const struct prefix *fec, const struct lsp_path *path);
void lsp_withdraw(struct nht *nht, const struct prefix *fec, uint8_t owner, const char *name);

/* the ways of a usable path, at most @max; 0: it is not usable */
unsigned int lsp_ways(const struct nht *nht, const struct lsp *lsp, struct lsp_way *ways, unsigned int max);

/* the paths of a FEC: list of struct lsp, or NULL */
const struct list *lsp_paths(const struct nht *nht, const struct prefix *fec);
/* next FEC behind @after (NULL: the first of that family): resumable; false at the end */
bool lsp_next_fec(const struct nht *nht, uint8_t family, const struct prefix *after, struct prefix *fec);

#endif
