/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Label-switched paths by FEC. Protocols (static now, LDP later) announce paths; rib/nht.c
 * resolves a remote PE only through paths whose FEC is exactly its host prefix. RFC 3031, 8277.
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
	uint8_t n_labels;		/* outermost first; 0: implicit null */
	uint32_t labels[LSP_LABELS_MAX];
	/* a tunnel of rib/soft.h: the kernel's main table leads to its far end */
	uint8_t encap;			/* enum soft_encap; 0: none */
	struct ip_addr local;		/* our end */
	uint16_t dport;			/* UDP */
};

/* As held. Order within a FEC: by owner, then name. */
struct lsp {
	struct list node;
	struct lsp_path path;
	bool usable;			/* way out known and up */
	int ifindex;			/* resolved, 0 when not usable */
	struct ip_addr gateway;
	uint64_t since_us;
};

/* Adds, or replaces the path of the same owner and name. A label 3 alone is no label. */
void lsp_announce(struct nht *nht, const struct prefix *fec, const struct lsp_path *path);
void lsp_withdraw(struct nht *nht, const struct prefix *fec, uint8_t owner, const char *name);

/* the paths of a FEC: list of struct lsp, or NULL */
const struct list *lsp_paths(const struct nht *nht, const struct prefix *fec);
/* next FEC behind @after (NULL: the first of that family): resumable; false at the end */
bool lsp_next_fec(const struct nht *nht, uint8_t family, const struct prefix *after, struct prefix *fec);

#endif
