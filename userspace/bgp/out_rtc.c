// SPDX-License-Identifier: GPL-2.0
/*
 * Outbound policy of memberships (RFC 4684 section 3.2): a reflector tells its clients the best one even where it
 * came from that client, as its own; and others what a client says, if one does, for others know what they said. The
 * default membership of default-originate is no matter of a route (bgp_out_originates()).
 * Contracts in group.h.
 */
#include "bgp/group.h"
#include "lib/mem.h"

static const struct bgp_peer_family *family_of(const struct rib_route *r)
{
	return container_of(r->source, struct bgp_peer_family, source);
}

/* would an internal peer that is no client of ours be told what this one says? */
static bool for_others(const struct rib_route *r)
{
	if (r->source->is_local || !r->source->is_ibgp)
		return true;
	return family_of(r)->peer->conf.af[BGP_RTC].route_reflector_client;
}

static const struct rib_route *choose(const struct bgp_group *g, const struct rib_route *best)
{
	const struct rib_route *r;

	if (!g->key.internal || g->key.client || for_others(best))
		return best;
	for (r = rib_routes(best->net); r; r = r->next)
		if (for_others(r))
			return r;
	return NULL;
}

struct attrs *bgp_out_rtc(struct bgp_group *g, const struct rib_route *best)
{
	const struct rib_route *r = choose(g, best);
	struct bgp_outgoing o = { .self = true };
	struct attrs_builder b;
	struct attrs *a, *out;

	if (!r || bgp_out_forbidden(g, r->attrs))
		return NULL;
	o.p.attrs = r->attrs;
	a = bgp_pass_on(g, r, &o);
	if (!a || !g->key.client || r->source->is_local || !r->source->is_ibgp)
		return a;
	attrs_to_builder(a, &b);
	b.f.originator_id = g->feed->bgp->id;
	out = attrs_intern(&b);
	attrs_put(a);
	return out;
}
