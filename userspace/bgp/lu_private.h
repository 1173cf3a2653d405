/* SPDX-License-Identifier: GPL-2.0 */
/* What lu.c and lu_network.c share. */
#ifndef L3VPN_BGP_LU_PRIVATE_H
#define L3VPN_BGP_LU_PRIVATE_H

#include "bgp/lu.h"
#include "bgp/peer.h"
#include "labels/labels.h"
#include "lib/trie.h"
#include "rib/lsp.h"

struct bgp_lu {
	struct bgp *bgp;
	uint8_t family;
	struct rib_table *table;
	struct rib_sub sub;
	struct hash entries;		/* struct bgp_lu_entry, by net */
	bool explicit_null;
	bool all;			/* allocate-label */
	unsigned int n_within;
	struct prefix *within;
	/* lu_network.c */
	struct rib_source source;
	struct trie networks;		/* struct lu_network * */
	struct attrs *attrs;		/* of our networks */
	uint16_t policy;		/* of rib/transport.h: paths that are not BGP's */
	struct nht_main_sub main_sub;
	struct nht_connected_sub connected_sub;
};

struct bgp_lu_entry {
	struct hash_node node;
	struct bgp_lu *lu;
	struct rib_net *net;		/* held */
	struct label_user user;
	bool waiting;			/* for a label: the range is exhausted */
	bool has_path;
	struct lsp_path path;		/* as announced */
};

void bgp_lu_networks_start(struct bgp_lu *lu);
void bgp_lu_networks_stop(struct bgp_lu *lu);
void bgp_lu_networks_set(struct bgp_lu *lu, const struct prefix *networks, unsigned int n);

#endif
