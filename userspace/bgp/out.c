// SPDX-License-Identifier: GPL-2.0
/*
 * Outbound policy: which best routes a group's members are told, and with which attributes.
 * RFC 4271 5.1 and 9.1.3, RFC 1997; RFC 8277 section 4. Reflection is in reflect.c. Contracts in group.h.
 */
#include <string.h>

#include "bgp/group.h"
#include "bgp/lu.h"
#include "bgp/path.h"
#include "rib/paths.h"

#define NO_EXPORT 0xffffff01u
#define NO_ADVERTISE 0xffffff02u
#define NO_EXPORT_SUBCONFED 0xffffff03u

static bool has_community(const struct attrs *a, uint32_t community)
{
	uint16_t len;
	const uint8_t *p = attrs_part(a, ATTRS_COMMUNITY, &len);

	for (; len >= 4; p += 4, len -= 4) {
		if (((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]) ==
		    community)
			return true;
	}
	return false;
}

/* It comes from the very site that the group's members are at (RFC 4364 section 7). */
static bool from_there(const struct bgp_group *g, const struct attrs *a)
{
	static const uint8_t none[8];

	return memcmp(g->key.site, none, sizeof(none)) && attrs_has_ext(a, g->key.site);
}

bool bgp_out_forbidden(const struct bgp_group *g, const struct attrs *a)
{
	if (from_there(g, a))
		return true;
	if (has_community(a, NO_ADVERTISE))
		return true;
	return !g->key.internal &&
	       (has_community(a, NO_EXPORT) || has_community(a, NO_EXPORT_SUBCONFED));
}

/* What of a VRF's table goes to its CEs. */
static bool wanted_in_vrf(const struct bgp_group *g, const struct rib_route *r)
{
	const struct bgp *b = g->feed->bgp;
	const struct vrf *v = vrf_by_id(b->env.vrfs, g->key.vrf);
	enum afi afi = family_afi(rib_table_family(g->feed->table));

	return v && vrf_announces(&v->af[afi], r->net, NULL);
}

/* By a peer. What is not, in a table of labelled routes, is our own, with a label of ours. */
static bool is_told(const struct rib_route *r)
{
	return r->source->proto == &bgp_proto && !r->source->is_local;
}

/* Is it for the group's members at all, whatever is said of it? */
static bool wanted(const struct bgp_group *g, const struct rib_route *r)
{
	if (!bgp_family_labelled(g->feed->family))
		return wanted_in_vrf(g, r);
	if (bgp_family_vpn(g->feed->family) && r->label == RIB_LABEL_NONE)
		return false;
	return !is_told(r) || bgp_passes(g, r);
}

static bool is_own(const struct rib_route *r, const void *unused)
{
	return !is_told(r);
}

struct rib_route *bgp_out_external(const struct bgp_group *g, const struct rib_net *net)
{
	struct rib_route *r;

	if (!bgp_family_vpn(g->feed->family) || !rib_routes(net)->next)
		return NULL;
	return rib_net_rank(net, &r, 1, is_own, NULL) ? r : NULL;
}

/* The path for another AS: without what is private, with our AS in front. */
static void external_path(const struct bgp_group *g, struct bgp_path *p)
{
	const struct bgp_group_key *k = &g->key;

	bgp_path_remove_private(p, k->remove_private, k->peer_as);
	if (k->as_override)
		bgp_path_override(p, k->peer_as, k->own_as);
	if (k->real_as)
		bgp_path_prepend(p, g->feed->bgp->as);
	bgp_path_prepend(p, k->own_as);
}

/* What is ours alone goes, and communities, unless they are wanted. */
static void to_external(const struct bgp_group *g, struct attrs_builder *b, bool med_set)
{
	b->f.flags &= (uint8_t)~(ATTRS_HAS_LOCAL_PREF | ATTRS_HAS_ORIGINATOR);
	b->f.local_pref = 0;
	b->f.originator_id = 0;
	b->part[ATTRS_CLUSTERS].len = 0;
	/* a MED that another AS gave is not for the next one (RFC 4271 5.1.4) */
	if (b->part[ATTRS_AS_PATH].len && !med_set) {
		b->f.flags &= (uint8_t)~ATTRS_HAS_MED;
		b->f.med = 0;
	}
	if (!g->key.send_community)
		b->part[ATTRS_COMMUNITY].len = b->part[ATTRS_LARGE].len = 0;
	/* route targets and the like stay with the provider */
	if (!bgp_family_vpn(g->feed->family) && !g->key.send_extended)
		b->part[ATTRS_EXT].len = 0;
}

struct attrs *bgp_out_rewrite(struct bgp_group *g, const struct attrs_builder *in, const struct bgp_outgoing *o)
{
	struct attrs_builder b = *in;
	struct bgp_path path;

	if (!bgp_path_load(&path, b.part[ATTRS_AS_PATH].data, b.part[ATTRS_AS_PATH].len))
		return NULL;
	/* next hop self: the group's, see bgp_out_nexthop() */
	if (o->self)
		memset(&b.f.nexthop, 0, sizeof(b.f.nexthop));
	memset(&b.f.nexthop_ll, 0, sizeof(b.f.nexthop_ll));
	if (!g->key.internal) {
		to_external(g, &b, o->p.med_set);
		external_path(g, &path);
		b.part[ATTRS_AS_PATH].data = path.b;
		b.part[ATTRS_AS_PATH].len = path.len;
	} else {
		b.f.local_pref = b.f.flags & ATTRS_HAS_LOCAL_PREF ? b.f.local_pref : ATTRS_LOCAL_PREF_DEFAULT;
		b.f.flags |= ATTRS_HAS_LOCAL_PREF;
	}
	return g->key.maintenance ? bgp_maintenance_out(g, &b) : attrs_intern(&b);
}

/* ---- policy ---- */

static enum policy_route_type type_of(const struct rib_route *r)
{
	const struct rib_source *s = rib_route_peer(r);

	return s->is_local ? POLICY_LOCAL : s->is_ibgp ? POLICY_INTERNAL : POLICY_EXTERNAL;
}

/* False: not to be told. */
static bool pass_policy(struct bgp_group *g, const struct rib_route *r, struct policy_result *out)
{
	struct bgp *b = g->feed->bgp;
	const struct prefix prefix = rib_net_prefix(r->net);
	const struct policy_route route = {
		.attrs = r->attrs ? r->attrs : b->plain, .prefix = &prefix, .rd = rib_net_rd(r->net),
		.type = type_of(r), .own_as = g->key.internal ? b->as : g->key.own_as,
	};

	if (g->key.policy)
		return policy_run(g->key.policy, &route, out);
	memset(out, 0, sizeof(*out));
	out->attrs = attrs_get(route.attrs);
	return true;
}

/* ---- next hop and label ---- */

/* Our address as next hop, or the route's? What has none has ours. */
static bool says_self(const struct bgp_group *g, const struct rib_route *r, const struct bgp_outgoing *o)
{
	if (o->p.next_hop == POLICY_NEXT_HOP_SELF || !addr_is_set(&o->p.attrs->f.nexthop))
		return true;
	if (o->p.next_hop != POLICY_NEXT_HOP_KEEP)
		return false;
	return !bgp_family_labelled(g->feed->family) || !is_told(r) || !g->key.unchanged;
}

/*
 * Next hop and label that go together. With another next hop than ours the label stays as it came, unless it is ours
 * anyway; VPN routes of others have no label of ours, which would have to be swapped (RFC 4364 section 10 b).
 */
static bool fill_next_hop(struct bgp_group *g, const struct rib_route *r, struct bgp_outgoing *o)
{
	enum afi afi = family_afi(rib_table_family(g->feed->table));
	bool told = is_told(r);

	o->label = r->label;
	o->self = says_self(g, r, o);
	if (!o->self && !bgp_sayable(g, &o->p.attrs->f.nexthop))
		return false;
	if (bgp_family_vpn(g->feed->family))
		return !told || !o->self;
	if (bgp_family_lu(g->feed->family) && (o->self || !told))
		return bgp_lu_label(g->feed->bgp->lu[afi], r->net, &o->label);
	return true;
}

/* ---- all of it ---- */

static struct attrs *words(struct bgp_group *g, const struct rib_route *r, const struct bgp_outgoing *o)
{
	struct bgp_out_cache *c = &g->cache[((uintptr_t)o->p.attrs >> 5) % BGP_OUT_CACHE];
	const struct rib_source *source = bgp_reflected(g, r) ? r->source : NULL;
	uint32_t router_id = source ? source->router_id : 0;

	if (c->in == o->p.attrs && c->source == source && c->router_id == router_id && c->self == o->self &&
	    c->med_set == o->p.med_set)
		return c->out ? attrs_get(c->out) : NULL;
	attrs_put(c->in);
	attrs_put(c->out);
	c->in = attrs_get(o->p.attrs);
	c->source = source;
	c->router_id = router_id;
	c->self = o->self;
	c->med_set = o->p.med_set;
	c->out = bgp_pass_on(g, r, o);
	return c->out ? attrs_get(c->out) : NULL;
}

struct attrs *bgp_out_attrs(struct bgp_group *g, const struct rib_route *r, uint32_t *label)
{
	struct bgp_outgoing o;
	struct attrs *out = NULL;

	if (g->feed->family == BGP_RTC)
		return bgp_out_rtc(g, r);
	if (g->key.mute || !wanted(g, r) || (r->attrs && bgp_out_forbidden(g, r->attrs)))
		return NULL;
	if (!pass_policy(g, r, &o.p))
		return NULL;
	if (fill_next_hop(g, r, &o))
		out = words(g, r, &o);
	*label = o.label;
	attrs_put(o.p.attrs);
	return out;
}

/* ---- default-originate ---- */

bool bgp_out_originates(const struct bgp_group *g, const struct rib_net *net)
{
	return g->key.originate && !rib_net_prefix(net).len;
}

struct attrs *bgp_out_default(struct bgp_group *g)
{
	struct attrs_builder b = { .f.origin = ORIGIN_IGP };
	const struct prefix prefix = { .addr.family = rib_table_family(g->feed->table) };
	struct bgp_outgoing o = { .self = true };
	struct policy_route route = {
		.attrs = attrs_intern(&b), .prefix = &prefix, .type = POLICY_LOCAL, .own_as = g->key.own_as,
	};
	struct attrs *out = NULL;

	if (!g->key.originate_policy)
		o.p.attrs = attrs_get(route.attrs);
	if (!g->key.mute && (o.p.attrs || policy_run(g->key.originate_policy, &route, &o.p))) {
		attrs_to_builder(o.p.attrs, &b);
		o.p.med_set = true;
		o.self = o.p.next_hop != POLICY_NEXT_HOP_ADDRESS;
		out = o.self || bgp_sayable(g, &b.f.nexthop) ? bgp_out_rewrite(g, &b, &o) : NULL;
	}
	attrs_put(o.p.attrs);
	attrs_put(route.attrs);
	return out;
}

/* ... where wanted() says no */
static const char *unwanted(const struct bgp_group *g, const struct rib_route *r)
{
	const struct vrf *v = vrf_by_id(g->feed->bgp->env.vrfs, g->key.vrf);
	const char *why = "its VRF is gone";

	if (bgp_family_labelled(g->feed->family))
		return r->label == RIB_LABEL_NONE ? "it has no label" :
						    "told by an internal neighbor: for clients alone";
	if (v)
		vrf_announces(&v->af[family_afi(rib_table_family(g->feed->table))], r->net, &why);
	return why;
}

const char *bgp_out_refusal(struct bgp_group *g, const struct rib_route *r)
{
	const char *why = NULL;
	struct bgp_outgoing o;

	if (g->feed->family == BGP_RTC)
		return NULL;
	if (g->key.mute)
		return "there is no policy for it";
	if (!wanted(g, r))
		return unwanted(g, r);
	if (r->attrs && from_there(g, r->attrs))
		return "it comes from the site that it would go to";
	if (r->attrs && bgp_out_forbidden(g, r->attrs))
		return "its community forbids it";
	if (!pass_policy(g, r, &o.p))
		return "rejected by policy";
	if (!fill_next_hop(g, r, &o))
		why = "there is no next hop and label to go with it";
	attrs_put(o.p.attrs);
	return why;
}

void bgp_out_cache_clear(struct bgp_group *g)
{
	for (unsigned int i = 0; i < BGP_OUT_CACHE; i++) {
		attrs_put(g->cache[i].in);
		attrs_put(g->cache[i].out);
		g->cache[i].in = NULL;
		g->cache[i].out = NULL;
	}
}

/* An address of the link that the session runs over, for IPv6 next hops (RFC 2545 section 3). */
bool bgp_out_nexthop(const struct bgp_peer *p, enum bgp_family f, struct ip_addr *nexthop,
		     struct ip_addr *nexthop_ll)
{
	const struct ip_addr *local = &p->info.local.addr;
	bool v4 = bgp_family_afi(f) == BGP_AFI_IPV4;

	memset(nexthop_ll, 0, sizeof(*nexthop_ll));
	*nexthop = *local;
	if (local->family == AF_INET)
		/* RFC 4659 3.2.1.2, RFC 4798: mapped, for VPN-IPv6 and labelled IPv6; plain IPv6 has no use for it */
		return v4 || bgp_family_labelled(f);
	if (v4 && !p->info.agreed.v6_next_hop[f]) {
		/* a peer that does not know RFC 8950: our identifier is our IPv4 address */
		*nexthop = addr_v4(p->bgp->id);
		return bgp_family_vpn(f);
	}
	if (addr_is_link_local(local))
		*nexthop_ll = *local;
	return true;
}
