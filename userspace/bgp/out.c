// SPDX-License-Identifier: GPL-2.0
/*
 * Outbound policy: which best routes a group's members are told, and with which attributes.
 * RFC 4271 5.1 and 9.1.3, RFC 1997. Labelled unicast is in out_lu.c, what stays as peers told it in
 * reflect.c. Contracts in group.h.
 */
#include <string.h>

#include "bgp/group.h"

#define NO_EXPORT 0xffffff01u
#define NO_ADVERTISE 0xffffff02u
#define NO_EXPORT_SUBCONFED 0xffffff03u
#define PATH_MAX_LEN 4096

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

bool bgp_out_forbidden(const struct bgp_group *g, const struct attrs *a)
{
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

/*
 * Of the VPN tables: what we export ourselves, with a label of ours; and what peers told, if it keeps their next hop and
 * label. With our own as next hop the label would have to be swapped (RFC 4364 section 10 b).
 */
static bool wanted_vpn(const struct bgp_group *g, const struct rib_route *r)
{
	if (r->label == RIB_LABEL_NONE)
		return false;
	if (r->source->proto->id == RIB_PROTO_VPN)
		return true;
	if (r->source->proto != &bgp_proto || !g->key.unchanged)
		return false;
	return bgp_passes(g, r) && bgp_sayable(g, &r->attrs->f.nexthop);
}

static bool wanted(const struct bgp_group *g, const struct rib_route *r)
{
	return bgp_family_vpn(g->feed->family) ? wanted_vpn(g, r) : wanted_in_vrf(g, r);
}

/* Our AS in front of the path; its length. */
static uint16_t prepend(uint8_t *out, const uint8_t *p, uint16_t len, uint32_t as)
{
	uint16_t n = 2;
	bool join = len >= 2 && p[0] == BGP_AS_SEQUENCE && p[1] < 255;

	out[0] = BGP_AS_SEQUENCE;
	out[1] = join ? (uint8_t)(p[1] + 1) : 1;
	out[n++] = (uint8_t)(as >> 24);
	out[n++] = (uint8_t)(as >> 16);
	out[n++] = (uint8_t)(as >> 8);
	out[n++] = (uint8_t)as;
	if (join) {
		p += 2;
		len -= 2;
	}
	if (len)
		memcpy(out + n, p, len);
	return n + len;
}

struct attrs *bgp_out_rewrite(struct bgp_group *g, const struct attrs_builder *in)
{
	uint8_t path[PATH_MAX_LEN + 8];
	struct attrs_builder b = *in;
	uint16_t len = b.part[ATTRS_AS_PATH].len;

	if (len > PATH_MAX_LEN)
		return NULL;
	/* next hop self: the group's, see bgp_out_nexthop() */
	memset(&b.f.nexthop, 0, sizeof(b.f.nexthop));
	memset(&b.f.nexthop_ll, 0, sizeof(b.f.nexthop_ll));
	if (g->key.internal) {
		b.f.local_pref = b.f.flags & ATTRS_HAS_LOCAL_PREF ? b.f.local_pref :
								     ATTRS_LOCAL_PREF_DEFAULT;
		b.f.flags |= ATTRS_HAS_LOCAL_PREF;
		return attrs_intern(&b);
	}
	b.part[ATTRS_AS_PATH].len = prepend(path, b.part[ATTRS_AS_PATH].data, len, g->feed->bgp->as);
	b.part[ATTRS_AS_PATH].data = path;
	b.f.flags &= (uint8_t)~(ATTRS_HAS_LOCAL_PREF | ATTRS_HAS_ORIGINATOR);
	b.f.local_pref = 0;
	b.f.originator_id = 0;
	b.part[ATTRS_CLUSTERS].len = 0;
	/* a MED that another AS gave is not for the next one (RFC 4271 5.1.4) */
	if (len) {
		b.f.flags &= (uint8_t)~ATTRS_HAS_MED;
		b.f.med = 0;
	}
	/* route targets and the like stay with the provider */
	if (!bgp_family_vpn(g->feed->family))
		b.part[ATTRS_EXT].len = 0;
	return attrs_intern(&b);
}

static struct attrs *rewrite(struct bgp_group *g, const struct rib_route *r)
{
	struct attrs_builder b;

	if (bgp_family_vpn(g->feed->family) && r->source->proto == &bgp_proto)
		return bgp_pass_on(g, r, false);
	memset(&b, 0, sizeof(b));
	b.f.origin = ORIGIN_INCOMPLETE;
	if (r->attrs)
		attrs_to_builder(r->attrs, &b);
	return bgp_out_rewrite(g, &b);
}

struct attrs *bgp_out_attrs(struct bgp_group *g, const struct rib_route *r, uint32_t *label)
{
	unsigned int slot = (unsigned int)(((uintptr_t)r->attrs >> 5) % BGP_OUT_CACHE);
	struct attrs *out;

	if (bgp_family_lu(g->feed->family))
		return bgp_out_lu(g, r, label);
	if (g->feed->family == BGP_RTC)
		return bgp_out_rtc(g, r);
	*label = r->label;
	if (!wanted(g, r) || (r->attrs && bgp_out_forbidden(g, r->attrs)))
		return NULL;
	if (!r->attrs)
		return rewrite(g, r);
	if (g->cache[slot].in != r->attrs || g->cache[slot].source != r->source ||
	    g->cache[slot].router_id != r->source->router_id) {
		out = rewrite(g, r);
		attrs_put(g->cache[slot].in);
		attrs_put(g->cache[slot].out);
		g->cache[slot].in = attrs_get(r->attrs);
		g->cache[slot].source = r->source;
		g->cache[slot].router_id = r->source->router_id;
		g->cache[slot].out = out;
	}
	out = g->cache[slot].out;
	return out ? attrs_get(out) : NULL;
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
