// SPDX-License-Identifier: GPL-2.0
/*
 * What peers announce, into the tables: VPN routes towards the VPN tables, labelled unicast into its own, CE
 * routes into their VRF's. Loops are refused here (RFC 4271 9.1.2, RFC 4456 8). Contracts in peer.h.
 */
#include <string.h>

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

static void withdraw_all(struct bgp_peer_family *pf, const struct bgp_routes *r)
{
	bool vpn = bgp_family_vpn(r->family);

	for (uint32_t i = 0; i < r->count; i++) {
		const struct bgp_nlri *n = &r->nlri[i];
		struct rd rd;

		if (r->family == BGP_RTC) {
			membership(pf, n, NULL);
			continue;
		}
		memcpy(rd.b, n->rd, sizeof(rd.b));
		rib_withdraw(&pf->source, vpn ? &rd : NULL, &n->prefix, n->path_id);
	}
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

static const char *refusal(const struct bgp_peer *p, const struct attrs *a)
{
	struct bgp *b = p->bgp;

	if (attrs_path_count(a, b->as))
		return "our AS is in the path";
	if (a->f.flags & ATTRS_HAS_ORIGINATOR && a->f.originator_id == b->id)
		return "we are its originator";
	if (in_cluster_list(a, b->cluster_id))
		return "we are in its cluster list";
	if (!bgp_peer_internal(p) && addr_is_set(&a->f.nexthop) &&
	    nht_own_address(rib_nht(b->env.rib), p->vrf_id, &a->f.nexthop))
		return "its next hop is ours";
	return NULL;
}

static struct nexthop *path_nexthop(const struct bgp_peer *p, const struct bgp_routes *r)
{
	struct nht *nht = rib_nht(p->bgp->env.rib);
	const char *ifname = p->conf.peer.ifname[0] ? p->conf.peer.ifname : NULL;

	if (r->family == BGP_RTC)
		return nexthop_ref(bgp_rtc_nexthop(p->bgp->rtc));
	if (bgp_family_vpn(r->family))
		return nexthop_pe(nht, &r->nexthop, TRANSPORT_DEFAULT);
	if (bgp_family_lu(r->family))
		return nexthop_labelled(nht, &r->nexthop,
					addr_is_link_local(&r->nexthop) && r->nexthop.family == AF_INET6 ?
					ifname : NULL);
	if (addr_is_link_local(&r->nexthop) && r->nexthop.family == AF_INET6)
		return nexthop_gateway(nht, p->vrf_id, &r->nexthop, ifname);
	return nexthop_gateway(nht, p->vrf_id, &r->nexthop, NULL);
}

/* A label that can be pushed, or implicit null: what else is reserved has another meaning (RFC 3032, 7274). */
static bool label_fits(const struct bgp_peer *p, const struct bgp_routes *r, const struct bgp_nlri *n)
{
	char text[PREFIX_STRLEN];

	if (!bgp_family_lu(r->family) || n->label >= 16 || n->label == LABEL_IMPLICIT_NULL || n->label == 0 ||
	    n->label == 2)
		return true;
	log_err("bgp", "%s: %s withdrawn: label %u is reserved", p->name, prefix_str(&n->prefix, text), n->label);
	return false;
}

static void announce_all(struct bgp_peer_family *pf, const struct bgp_update *u,
			 const struct bgp_routes *r)
{
	struct bgp_peer *p = pf->peer;
	bool vpn = bgp_family_vpn(r->family);
	struct attrs_builder builder = u->attrs;
	struct rib_path path = { 0 };
	const char *why;

	builder.f.nexthop = r->nexthop;
	builder.f.nexthop_ll = r->nexthop_ll;
	path.attrs = attrs_intern(&builder);
	why = path.attrs ? refusal(p, path.attrs) : "attributes are too long to keep";
	if (why) {
		log_debug("bgp", "%s: %u routes refused: %s", p->name, r->count, why);
		attrs_put(path.attrs);
		withdraw_all(pf, r);
		return;
	}
	path.nh = path_nexthop(p, r);
	path.label = RIB_LABEL_NONE;
	for (uint32_t i = 0; i < r->count; i++) {
		const struct bgp_nlri *n = &r->nlri[i];
		struct rd rd;

		path.path_id = n->path_id;
		if (r->family == BGP_RTC) {
			membership(pf, n, &path);
			continue;
		}
		memcpy(rd.b, n->rd, sizeof(rd.b));
		if (!label_fits(p, r, n)) {
			rib_withdraw(&pf->source, NULL, &n->prefix, n->path_id);
			continue;
		}
		path.label = bgp_family_labelled(r->family) ? n->label : RIB_LABEL_NONE;
		rib_announce(&pf->source, vpn ? &rd : NULL, &n->prefix, &path);
	}
	nexthop_put(rib_nht(p->bgp->env.rib), path.nh);
	attrs_put(path.attrs);
}

void bgp_in_update(struct bgp_peer *p, const struct bgp_update *u)
{
	for (unsigned int i = 0; i < u->parts; i++) {
		const struct bgp_routes *r = &u->part[i];
		struct bgp_peer_family *pf = &p->family[r->family];

		if (!pf->active || pf->disabled)
			continue;
		if (r->withdraw)
			withdraw_all(pf, r);
		else
			announce_all(pf, u, r);
	}
	for (int f = 0; f < BGP_FAMILIES; f++) {
		struct bgp_peer_family *pf = &p->family[f];

		if (u->eor[f] && pf->active) {
			log_info("bgp", "%s: End-of-RIB of %s", p->name, bgp_family_name(f));
			pf->eor_received = true;
			if (f == BGP_RTC)
				bgp_rtc_complete(p);
			bgp_helper_eor(pf);
			bgp_restart_check(p->bgp);
		}
		if (u->disabled[f] && pf->active && !pf->disabled) {
			log_err("bgp", "%s: %s disabled: its NLRI cannot be read", p->name,
				bgp_family_name(f));
			pf->disabled = true;
			rib_source_flush(&pf->source, NULL);
			bgp_restart_check(p->bgp);
		}
	}
}
