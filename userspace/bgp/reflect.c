// SPDX-License-Identifier: GPL-2.0
/*
 * What a peer told, passed on with its next hop and label as they came: to internal peers as a route reflector does
 * (RFC 4456), to external ones that are told next hops unchanged (RFC 4364 section 10 c). Contracts in group.h.
 */
#include <string.h>

#include "bgp/group.h"
#include "lib/mem.h"

#define CLUSTERS_MAX 1024

static const struct bgp_peer_family *family_of(const struct rib_route *r)
{
	return container_of(r->source, struct bgp_peer_family, source);
}

bool bgp_reflected(const struct bgp_group *g, const struct rib_route *r)
{
	return g->key.internal && r->source->is_ibgp && r->source->proto == &bgp_proto && !r->source->is_local;
}

bool bgp_passes(const struct bgp_group *g, const struct rib_route *r)
{
	const struct bgp_peer_family *from = family_of(r);

	if (!bgp_reflected(g, r))
		return true;
	return g->key.client || from->peer->conf.af[from->family].route_reflector_client;
}

bool bgp_sayable(const struct bgp_group *g, const struct ip_addr *nexthop)
{
	if (!addr_is_set(nexthop) || addr_is_link_local(nexthop))
		return false;
	return nexthop->family == AF_INET || bgp_family_afi(g->feed->family) == BGP_AFI_IPV6 || g->key.v6_next_hop;
}

/* RFC 4456 section 8: who brought it into the AS, and by which reflectors; false: the list is too long. */
static bool reflect(const struct bgp_group *g, const struct rib_route *r, struct attrs_builder *b, uint8_t *clusters)
{
	uint32_t id = g->feed->bgp->cluster_id;
	uint16_t len = b->part[ATTRS_CLUSTERS].len;

	if (!(b->f.flags & ATTRS_HAS_ORIGINATOR)) {
		b->f.originator_id = r->source->router_id;
		b->f.flags |= ATTRS_HAS_ORIGINATOR;
	}
	if (len > CLUSTERS_MAX)
		return false;
	clusters[0] = (uint8_t)(id >> 24);
	clusters[1] = (uint8_t)(id >> 16);
	clusters[2] = (uint8_t)(id >> 8);
	clusters[3] = (uint8_t)id;
	if (len)
		memcpy(clusters + 4, b->part[ATTRS_CLUSTERS].data, len);
	b->part[ATTRS_CLUSTERS].data = clusters;
	b->part[ATTRS_CLUSTERS].len = len + 4;
	return true;
}

struct attrs *bgp_pass_on(struct bgp_group *g, const struct rib_route *r, const struct bgp_outgoing *o)
{
	uint8_t clusters[CLUSTERS_MAX + 4];
	struct attrs_builder b;

	attrs_to_builder(o->p.attrs, &b);
	if (bgp_reflected(g, r) && !reflect(g, r, &b, clusters))
		return NULL;
	return bgp_out_rewrite(g, &b, o);
}
