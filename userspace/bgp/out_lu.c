// SPDX-License-Identifier: GPL-2.0
/*
 * Outbound policy of labelled unicast: our address with our label, or next hop and label as they came (RFC 8277
 * section 4); reflection (RFC 4456). Contracts in group.h.
 */
#include <string.h>

#include "bgp/group.h"
#include "bgp/lu.h"
#include "lib/mem.h"

#define CLUSTERS_MAX 1024

static enum afi afi_of(const struct bgp_group *g)
{
	return family_afi(rib_table_family(g->feed->table));
}

static const struct bgp_peer *peer_of(const struct rib_route *r)
{
	return container_of(r->source, struct bgp_peer_family, source)->peer;
}

/* What an internal peer told goes to internal ones as a reflector passes it on (RFC 4456 section 6). */
static bool reflected(const struct bgp_group *g, const struct rib_route *r)
{
	return g->key.internal && r->source->is_ibgp;
}

static bool passes(const struct bgp_group *g, const struct rib_route *r)
{
	if (r->source->is_local || !reflected(g, r))
		return true;
	return g->key.client || peer_of(r)->conf.af[g->feed->family].route_reflector_client;
}

/* Can this next hop be said to the group as it is? */
static bool sayable(const struct bgp_group *g, const struct ip_addr *nexthop)
{
	if (!addr_is_set(nexthop) || addr_is_link_local(nexthop))
		return false;
	return nexthop->family == AF_INET || afi_of(g) == AFI6 || g->key.v6_next_hop;
}

/* RFC 4456 section 8: who brought it into the AS, and by which reflectors; false: the list is too long. */
static bool reflect(const struct bgp_group *g, const struct rib_route *r, struct attrs_builder *b, uint8_t *clusters)
{
	uint32_t id = g->feed->bgp->id;
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

/* @a, whose reference is taken, with this next hop */
static struct attrs *with_nexthop(struct attrs *a, const struct ip_addr *nexthop)
{
	struct attrs_builder b;
	struct attrs *out;

	if (!a)
		return NULL;
	attrs_to_builder(a, &b);
	b.f.nexthop = *nexthop;
	out = attrs_intern(&b);
	attrs_put(a);
	return out;
}

struct attrs *bgp_out_lu(struct bgp_group *g, const struct rib_route *r, uint32_t *label)
{
	bool self = r->source->is_local || g->key.self;
	uint8_t clusters[CLUSTERS_MAX + 4];
	struct attrs_builder b;
	struct attrs *out;

	if (!passes(g, r) || bgp_out_forbidden(g, r->attrs))
		return NULL;
	if (self && !bgp_lu_label(g->feed->bgp->lu[afi_of(g)], r->net, label))
		return NULL;
	if (!self && !sayable(g, &r->attrs->f.nexthop))
		return NULL;
	if (!self)
		*label = r->label;
	attrs_to_builder(r->attrs, &b);
	if (!r->source->is_local && reflected(g, r) && !reflect(g, r, &b, clusters))
		return NULL;
	out = bgp_out_rewrite(g, &b);
	return self ? out : with_nexthop(out, &r->attrs->f.nexthop);
}
