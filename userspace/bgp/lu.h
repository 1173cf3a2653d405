/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Labelled unicast (RFC 8277): what becomes of the table's best routes, for one family.
 *
 *      received --> path to the prefix (rib/lsp.h): the label over whatever leads to the next hop
 *      received, and allocate-label covers it --> label of ours that is swapped for the received one
 *      network, an address of ours or connected --> no label: implicit or explicit null is announced
 *      network, a route of the main table --> label of ours that leads to its path, or is popped
 *
 * A label belongs to the prefix: it stays the same over changes of the route. It is announced when forwarding has it;
 * after a withdrawal it lingers and rests as any other (labels/labels.h). Main thread only.
 */
#ifndef L3VPN_BGP_LU_H
#define L3VPN_BGP_LU_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/prefix.h"
#include "rib/table.h"

struct bgp;
struct bgp_lu;

/* `address-family ... labeled-unicast` of the instance */
struct bgp_lu_conf {
	bool explicit_null;		/* in place of implicit null */
	bool all;			/* allocate-label: every received route gets a label of ours */
	unsigned int n_within;		/* ... or those within these */
	struct prefix *within;
	unsigned int n_networks;
	struct prefix *networks;
};

struct bgp_lu *bgp_lu_new(struct bgp *b, uint8_t family);
void bgp_lu_free(struct bgp_lu *lu);
/* copied */
void bgp_lu_configure(struct bgp_lu *lu, const struct bgp_lu_conf *conf);

/*
 * The label under which a net's best route goes out with our address as next hop. False: there is none (yet); when that
 * changes bgp_groups_net_changed() is called. Brings the net's label to what its best route is now.
 */
bool bgp_lu_label(struct bgp_lu *lu, struct rib_net *net, uint32_t *label);
/* likewise, for show: changes nothing; @why may be NULL */
bool bgp_lu_label_get(const struct bgp_lu *lu, const struct rib_net *net, uint32_t *label, const char **why);

#endif
