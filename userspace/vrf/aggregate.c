// SPDX-License-Identifier: GPL-2.0
/*
 * Aggregates of a VRF: a route to nowhere for each while the VRF has a more specific route, for
 * other PEs and CEs to be told of (RFC 4271 section 9.2.2.2 without the AS set: the aggregate
 * originates here). What arrives for it is looked up in the VRF, like any packet.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "vrf/private.h"

static const struct rib_proto aggregate_proto = { .id = RIB_PROTO_VPN, .name = "aggregate",
						  .code = 'A' };

struct vrf_summary {
	struct vrfs *vrfs;
	struct vrf_af *af;
	struct rib_source source;
	struct rib_sub sub;
	struct nexthop *nowhere;
};

static void announce(struct vrf_summary *s, const struct vrf_aggregate *a)
{
	struct rib_path path = { .nh = s->nowhere, .label = RIB_LABEL_NONE,
				 .flags = RIB_ROUTE_NETWORK };

	rib_announce(&s->source, NULL, &a->prefix, &path);
}

static void look_again(struct vrf_summary *s, struct vrf_aggregate *a)
{
	bool active = rib_has_more_specific(s->af->table, &a->prefix);

	if (active == a->active)
		return;
	a->active = active;
	if (active)
		announce(s, a);
	else
		rib_withdraw(&s->source, NULL, &a->prefix, 0);
	if (!a->summary_only)
		return;
	/* the more specific ones are silenced, or heard again */
	export_again(s->af->exporter);
	vrf_event(s->vrfs, VRF_CHANGE, s->af->vrf);
}

static void on_change(struct rib_sub *sub, struct rib_net *net)
{
	struct vrf_summary *s = container_of(sub, struct vrf_summary, sub);
	struct prefix p = rib_net_prefix(net);
	unsigned int i;

	for (i = 0; i < s->af->n_aggregates; i++)
		if (p.len > s->af->aggregates[i].prefix.len &&
		    prefix_contains(&s->af->aggregates[i].prefix, &p))
			look_again(s, &s->af->aggregates[i]);
}

bool summary_silences(const struct vrf_af *af, const struct prefix *p)
{
	const struct vrf_aggregate *a;
	unsigned int i;

	for (i = 0; i < af->n_aggregates; i++) {
		a = &af->aggregates[i];
		if (a->active && a->summary_only && p->len > a->prefix.len &&
		    prefix_contains(&a->prefix, p))
			return true;
	}
	return false;
}

static struct vrf_summary *summary_new(struct vrfs *vs, struct vrf_af *af)
{
	struct nexthop_key key = { .kind = NEXTHOP_BLACKHOLE, .vrf = af->vrf->id };
	struct vrf_summary *s = xcalloc(1, sizeof(*s));

	s->vrfs = vs;
	s->af = af;
	s->source.proto = &aggregate_proto;
	s->source.table = af->table;
	s->source.name = "aggregate";
	s->source.distance = RIB_DISTANCE_IBGP;
	s->source.is_local = true;
	s->source.vrf = af->vrf->id;
	rib_source_init(&s->source);
	s->nowhere = nexthop_get(vs->nht, &key);
	s->sub.name = "aggregates";
	s->sub.change = on_change;
	rib_subscribe(af->table, &s->sub, false);
	return s;
}

void summary_free(struct vrfs *vs, struct vrf_af *af)
{
	struct vrf_summary *s = af->summary;

	free(af->aggregates);
	af->aggregates = NULL;
	af->n_aggregates = 0;
	af->summary = NULL;
	if (!s)
		return;
	rib_unsubscribe(&s->sub);
	rib_source_flush_now(&s->source);
	nexthop_put(vs->nht, s->nowhere);
	free(s);
}

static bool same(const struct vrf_af *af, const struct vrf_aggregate *a, unsigned int n)
{
	unsigned int i;

	if (af->n_aggregates != n)
		return false;
	for (i = 0; i < n; i++)
		if (!prefix_eq(&af->aggregates[i].prefix, &a[i].prefix) ||
		    af->aggregates[i].summary_only != a[i].summary_only)
			return false;
	return true;
}

void vrf_set_aggregates(struct vrfs *vs, struct vrf *v, uint8_t family,
			const struct vrf_aggregate *a, unsigned int n)
{
	struct vrf_af *af = &v->af[family_afi(family)];
	unsigned int i, k, n_old = af->n_aggregates;
	struct vrf_aggregate *old = af->aggregates;

	if (same(af, a, n))
		return;
	if (!n) {
		summary_free(vs, af);
	} else {
		if (!af->summary)
			af->summary = summary_new(vs, af);
		af->aggregates = xmemdup(a, n * sizeof(*a));
		af->n_aggregates = n;
		for (i = 0; i < n; i++) {
			af->aggregates[i].active = false;
			look_again(af->summary, &af->aggregates[i]);
		}
		for (k = 0; k < n_old; k++) {
			for (i = 0; i < n && !(af->aggregates[i].active &&
					       prefix_eq(&af->aggregates[i].prefix,
							 &old[k].prefix)); i++)
				;
			if (i == n)
				rib_withdraw(&af->summary->source, NULL, &old[k].prefix, 0);
		}
		free(old);
	}
	export_again(af->exporter);
	vrf_event(vs, VRF_CHANGE, v);
}
