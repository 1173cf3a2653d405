// SPDX-License-Identifier: GPL-2.0
/*
 * What peers announce, into the tables: VPN routes towards the VPN tables, labelled unicast into its own, CE
 * routes into their VRF's. Loops are refused here (RFC 4271 9.1.2, RFC 4456 8). Contracts in peer.h.
 */
#include <string.h>

#include "bgp/event.h"
#include "bgp/path.h"
#include "bgp/peer.h"
#include "lib/log.h"
#include "rib/lsp.h"
#include "rib/transport.h"

/* RFC 4684; @path NULL: withdrawn */
static void membership(struct bgp_peer_family *pf, const struct bgp_nlri *n, const struct rib_path *path)
{
	struct prefix p = bgp_rtc_prefix(&n->rtc);

	if (path) {
		rib_announce(&pf->source, NULL, &p, path);
		bgp_rtc_announced(pf->peer, &n->rtc);
	} else {
		rib_withdraw(&pf->source, NULL, &p, n->path_id);
		bgp_rtc_withdrawn(pf->peer, &n->rtc);
	}
}

static void withdraw(struct bgp_peer_family *pf, const struct bgp_nlri *n)
{
	struct rd rd;

	if (pf->family == BGP_RTC)
		return membership(pf, n, NULL);
	memcpy(rd.b, n->rd, sizeof(rd.b));
	rib_withdraw(&pf->source, bgp_family_vpn(pf->family) ? &rd : NULL, &n->prefix, n->path_id);
}

static void withdraw_all(struct bgp_peer_family *pf, const struct bgp_routes *r)
{
	for (uint32_t i = 0; i < r->count; i++)
		withdraw(pf, &r->nlri[i]);
}

static bool in_cluster_list(const struct attrs *a, uint32_t id)
{
	uint16_t len;
	const uint8_t *p = attrs_part(a, ATTRS_CLUSTERS, &len);

	for (; len >= 4; p += 4, len -= 4) {
		if (((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]) == id)
			return true;
	}
	return false;
}

/* Our AS is in the path more often than is allowed, or the one by which the peer knows us, but for where we put it. */
static bool looped(const struct bgp_peer_family *pf, const struct attrs *a)
{
	const struct bgp_peer *p = pf->peer;
	unsigned int allowed = p->conf.af[pf->family].allowas_in, known = 0;
	uint32_t as = bgp_peer_as(p);

	if (as != p->bgp->as) {
		known = attrs_path_count(a, as);
		if (!p->conf.local_no_prepend)
			known--;
	}
	return attrs_path_count(a, p->bgp->as) > allowed || known > allowed;
}

/* What the attributes alone decide; BGP_REFUSALS: nothing. */
static enum bgp_refused refusal(const struct bgp_peer_family *pf, const struct attrs *a)
{
	const struct bgp_peer *p = pf->peer;
	struct bgp *b = p->bgp;

	if (looped(pf, a))
		return BGP_REFUSED_LOOP;
	if (a->f.flags & ATTRS_HAS_ORIGINATOR && a->f.originator_id == b->id)
		return BGP_REFUSED_ORIGINATOR;
	if (in_cluster_list(a, b->cluster_id))
		return BGP_REFUSED_CLUSTER;
	if (!bgp_peer_internal(p) && addr_is_set(&a->f.nexthop) &&
	    nht_own_address(rib_nht(b->env.rib), p->vrf_id, &a->f.nexthop))
		return BGP_REFUSED_NEXT_HOP;
	return BGP_REFUSALS;
}

static struct nexthop *path_nexthop(const struct bgp_peer *p, enum bgp_family f, const struct ip_addr *nexthop)
{
	struct nht *nht = rib_nht(p->bgp->env.rib);
	bool link_local = nexthop->family == AF_INET6 && addr_is_link_local(nexthop);
	const char *ifname = link_local && p->conf.peer.ifname[0] ? p->conf.peer.ifname : NULL;

	if (f == BGP_RTC)
		return nexthop_ref(bgp_rtc_nexthop(p->bgp->rtc));
	if (bgp_family_vpn(f))
		return nexthop_pe(nht, nexthop, TRANSPORT_DEFAULT);
	if (bgp_family_lu(f))
		return nexthop_labelled(nht, nexthop, ifname);
	return nexthop_gateway(nht, p->vrf_id, nexthop, ifname);
}

/* A label that can be pushed, or implicit null: what else is reserved has another meaning (RFC 3032, 7274). */
static bool label_fits(const struct bgp_peer *p, enum bgp_family f, const struct bgp_nlri *n)
{
	char text[PREFIX_STRLEN];

	if (!bgp_family_lu(f) || n->label >= 16 || n->label == LABEL_IMPLICIT_NULL || n->label == 0 || n->label == 2)
		return true;
	bgp_happened(LOG_LEVEL_ERR, p->name, "%s refused: label %u is reserved", prefix_str(&n->prefix, text),
		     n->label);
	return false;
}

/* Routes that came together, and what the policy makes of them: of all alike, or of each. */
struct arrival {
	struct bgp_peer_family *pf;
	struct attrs *attrs;		/* as they came */
	bool each;			/* the policy asks for prefixes */
	enum bgp_refused why;		/* BGP_REFUSALS: taken */
	struct attrs *taken;		/* reference, of the last one that was taken; NULL: none yet */
	struct nexthop *nh;		/* reference, its next hop */
};

static void judge(struct arrival *a, const struct rd *rd, const struct prefix *prefix)
{
	struct bgp_peer *p = a->pf->peer;
	const struct policy_route route = {
		.attrs = a->attrs, .prefix = prefix, .rd = rd, .own_as = bgp_peer_as(p),
		.type = bgp_peer_internal(p) ? POLICY_INTERNAL : POLICY_EXTERNAL,
	};
	struct policy_result result = { .attrs = NULL };

	a->why = BGP_REFUSALS;
	if (bgp_policy_missing(a->pf, false))
		a->why = BGP_REFUSED_NO_POLICY;
	else if (!a->pf->in)
		result.attrs = attrs_get(a->attrs);
	else if (!policy_run(a->pf->in, &route, &result))
		a->why = BGP_REFUSED_POLICY;
	if (!result.attrs)
		return;
	if (!bgp_retain_takes(a->pf, result.attrs)) {
		bgp_retain_missed(a->pf, result.attrs);
		attrs_put(result.attrs);
		a->why = BGP_REFUSED_TARGETS;
		return;
	}
	if (a->pf->family != BGP_RTC)
		result.attrs = bgp_maintenance_in(p, result.attrs);
	if (!a->nh || !addr_eq(&result.attrs->f.nexthop, &a->taken->f.nexthop)) {
		nexthop_put(rib_nht(p->bgp->env.rib), a->nh);
		a->nh = path_nexthop(p, a->pf->family, &result.attrs->f.nexthop);
	}
	attrs_put(a->taken);
	a->taken = result.attrs;
}

static void arrival_end(struct arrival *a)
{
	if (a->nh)
		nexthop_put(rib_nht(a->pf->peer->bgp->env.rib), a->nh);
	attrs_put(a->taken);
	attrs_put(a->attrs);
}

static void refuse(struct arrival *a, const struct bgp_nlri *n, enum bgp_refused why)
{
	struct bgp_peer_family *pf = a->pf;
	struct prefix p = pf->family == BGP_RTC ? bgp_rtc_prefix(&n->rtc) : n->prefix;
	struct rd rd;

	memcpy(rd.b, n->rd, sizeof(rd.b));
	bgp_refuse(pf, why, &rd, &p);
	withdraw(pf, n);
}

static void arrive(struct arrival *a, const struct bgp_nlri *n)
{
	struct bgp_peer_family *pf = a->pf;
	struct rib_path path = { .path_id = n->path_id, .label = RIB_LABEL_NONE };
	const struct rd *nlri_rd;
	struct rd rd;

	memcpy(rd.b, n->rd, sizeof(rd.b));
	nlri_rd = bgp_family_vpn(pf->family) ? &rd : NULL;
	if (a->each)
		judge(a, nlri_rd, &n->prefix);
	if (a->why != BGP_REFUSALS)
		return refuse(a, n, a->why);
	if (!label_fits(pf->peer, pf->family, n))
		return refuse(a, n, BGP_REFUSED_LABEL);
	path.attrs = a->taken;
	path.nh = a->nh;
	if (pf->family == BGP_RTC)
		return membership(pf, n, &path);
	if (!bgp_limit_takes(pf, nlri_rd, &n->prefix, n->path_id))
		return refuse(a, n, BGP_REFUSED_LIMIT);
	if (bgp_family_labelled(pf->family))
		path.label = n->label;
	rib_announce(&pf->source, nlri_rd, &n->prefix, &path);
}

#define EXT_MAX 2048		/* octets of extended communities, with a site of origin among them */

/* What is put onto routes as they come in. */
struct additions {
	struct bgp_path path;
	uint8_t ext[EXT_MAX];
};

/* The site of origin takes the place of any that is there; false: there is no room. */
static bool add_site(const uint8_t site[8], struct attrs_builder *b, uint8_t ext[EXT_MAX])
{
	const uint8_t *p = b->part[ATTRS_EXT].data;
	uint16_t len = b->part[ATTRS_EXT].len, n = 8;

	if (len + 8 > EXT_MAX)
		return false;
	memcpy(ext, site, 8);
	for (; len >= 8; p += 8, len -= 8) {
		if (bgp_is_site(p))
			continue;
		memcpy(ext + n, p, 8);
		n += 8;
	}
	b->part[ATTRS_EXT].data = ext;
	b->part[ATTRS_EXT].len = n;
	return true;
}

/* RFC 7705 section 3.1: the AS by which the peer knows us is in front of what it tells. */
static bool add_local_as(const struct bgp_peer *p, struct attrs_builder *b, struct bgp_path *path)
{
	if (!bgp_path_load(path, b->part[ATTRS_AS_PATH].data, b->part[ATTRS_AS_PATH].len))
		return false;
	bgp_path_prepend(path, bgp_peer_as(p));
	b->part[ATTRS_AS_PATH].data = path->b;
	b->part[ATTRS_AS_PATH].len = path->len;
	return true;
}

static bool add_ours(const struct bgp_peer_family *pf, struct attrs_builder *b, struct additions *room)
{
	static const uint8_t none[8];
	const struct bgp_peer *p = pf->peer;
	const struct bgp_family_conf *c = &p->conf.af[pf->family];

	if (memcmp(c->site, none, sizeof(none)) && !add_site(c->site, b, room->ext))
		return false;
	return p->conf.local_no_prepend || bgp_peer_as(p) == p->bgp->as || add_local_as(p, b, &room->path);
}

/* It went round: what the neighbour tells has the mark already that is put onto what its site tells. */
static bool from_site(const struct bgp_peer_family *pf, const struct attrs_builder *b)
{
	const uint8_t *site = pf->peer->conf.af[pf->family].site, *p = b->part[ATTRS_EXT].data;

	if (!bgp_is_site(site))
		return false;
	for (uint16_t left = b->part[ATTRS_EXT].len; left >= 8; p += 8, left -= 8) {
		if (!memcmp(p, site, 8))
			return true;
	}
	return false;
}

static void announce_all(struct bgp_peer_family *pf, const struct bgp_update *u, const struct bgp_routes *r)
{
	static struct additions room;
	struct attrs_builder builder = u->attrs;
	struct arrival a = { .pf = pf };

	if (!r->count)
		return;
	builder.f.nexthop = r->nexthop;
	builder.f.nexthop_ll = r->nexthop_ll;
	a.attrs = add_ours(pf, &builder, &room) ? attrs_intern(&builder) : NULL;
	a.why = a.attrs ? refusal(pf, a.attrs) : BGP_REFUSED_LENGTH;
	if (a.why == BGP_REFUSALS && from_site(pf, &u->attrs))
		a.why = BGP_REFUSED_SITE;
	a.each = a.why == BGP_REFUSALS && pf->in && policy_by_prefix(pf->in);
	if (a.why == BGP_REFUSALS && !a.each)
		judge(&a, NULL, &r->nlri[0].prefix);
	if (a.why != BGP_REFUSALS)
		log_debug("bgp", "%s: %u routes refused: %s", pf->peer->name, r->count, bgp_refused_str(a.why));
	for (uint32_t i = 0; i < r->count && !pf->peer->limited; i++)
		arrive(&a, &r->nlri[i]);
	arrival_end(&a);
}

void bgp_in_update(struct bgp_peer *p, const struct bgp_update *u)
{
	for (unsigned int i = 0; i < u->parts; i++) {
		const struct bgp_routes *r = &u->part[i];
		struct bgp_peer_family *pf = &p->family[r->family];

		if (!pf->active || pf->disabled || p->limited)
			continue;
		if (r->withdraw)
			withdraw_all(pf, r);
		else
			announce_all(pf, u, r);
		bgp_limit_look(pf);
	}
	for (int f = 0; f < BGP_FAMILIES; f++) {
		struct bgp_peer_family *pf = &p->family[f];

		if (u->eor[f] && pf->active) {
			bgp_happened(LOG_LEVEL_INFO, p->name, "End-of-RIB of %s", bgp_family_name(f));
			pf->eor_received = true;
			if (f == BGP_RTC)
				bgp_rtc_complete(p);
			bgp_helper_eor(pf);
			bgp_restart_check(p->bgp);
		}
		if (u->disabled[f] && pf->active && !pf->disabled) {
			bgp_happened(LOG_LEVEL_ERR, p->name, "%s disabled: its NLRI cannot be read",
				     bgp_family_name(f));
			pf->disabled = true;
			rib_source_flush(&pf->source, bgp_swept);
			bgp_restart_check(p->bgp);
		}
	}
}
