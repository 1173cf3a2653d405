// SPDX-License-Identifier: GPL-2.0
/*
 * Outbound policy of labelled unicast: our address with our label, or next hop and label as they came (RFC 8277
 * section 4). Contracts in group.h.
 */
#include "bgp/group.h"
#include "bgp/lu.h"

static enum afi afi_of(const struct bgp_group *g)
{
	return family_afi(rib_table_family(g->feed->table));
}

struct attrs *bgp_out_lu(struct bgp_group *g, const struct rib_route *r, uint32_t *label)
{
	bool self = r->source->is_local || !g->key.unchanged;

	if ((!r->source->is_local && !bgp_passes(g, r)) || bgp_out_forbidden(g, r->attrs))
		return NULL;
	if (self && !bgp_lu_label(g->feed->bgp->lu[afi_of(g)], r->net, label))
		return NULL;
	if (!self && !bgp_sayable(g, &r->attrs->f.nexthop))
		return NULL;
	if (!self)
		*label = r->label;
	return bgp_pass_on(g, r, self);
}
