// SPDX-License-Identifier: GPL-2.0
/*
 * Import: VPN table -> VRF tables (RFC 4364 section 4.3). One subscription per VPN table serves
 * all VRFs: the route targets of a route's best path lead through the index to the VRFs that
 * import it. What was exported from a VRF never comes back into it, and an imported route is
 * never exported again: pipes do not loop.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "vrf/private.h"

/* a VPN net and the pipes that imported it; holds the net */
struct import_entry {
	struct rib_net *net;
	unsigned int n;
	struct vrf_import *imp[];
};

struct matched {
	struct vpn_import *im;
	const struct rib_route *best;
	struct vrf_import **imp;
	unsigned int n, size;
	struct vrf_import *few[16];
};

/* by the number of the net: dense, and growing it is a copy of pointers, not a rehash */
static struct import_entry *entry_find(const struct vpn_import *im, const struct rib_net *net)
{
	uint32_t id = rib_net_id(net);

	return id < im->size ? im->entries[id] : NULL;
}

static void entry_insert(struct vpn_import *im, struct import_entry *e)
{
	uint32_t id = rib_net_id(e->net), size = im->size ? im->size : 64;

	while (size <= id)
		size *= 2;
	if (size > im->size) {
		im->entries = xrealloc(im->entries, size * sizeof(*im->entries));
		memset(im->entries + im->size, 0, (size - im->size) * sizeof(*im->entries));
		im->size = size;
	}
	im->entries[id] = e;
	im->count++;
}

/* each pipe once, however many of its RTs match */
static void on_match(void *member, const struct rt *rt, void *arg)
{
	struct vrf_import *imp = member;
	struct matched *m = arg;

	if (imp->stamp == m->im->stamp || m->best->source->vrf == imp->af->vrf->id)
		return;
	imp->stamp = m->im->stamp;
	if (m->n == m->size) {
		m->size *= 2;
		if (m->imp == m->few) {
			m->imp = xmalloc(m->size * sizeof(*m->imp));
			memcpy(m->imp, m->few, sizeof(m->few));
		} else {
			m->imp = xrealloc(m->imp, m->size * sizeof(*m->imp));
		}
	}
	m->imp[m->n++] = imp;
}

/* The way to a remote PE that the VRF's own transport policy finds. A reference. */
static struct nexthop *import_nexthop(const struct vrf_import *imp, struct nexthop *nh)
{
	uint16_t policy = imp->af->vrf->transport;

	if (nh->key.kind != NEXTHOP_PE || nh->key.policy == policy)
		return nexthop_ref(nh);
	return nexthop_pe(rib_nht(rib_table_rib(imp->source.table)), &nh->key.addr, policy);
}

static void announce(struct vrf_import *imp, struct rib_net *net, const struct rib_route *best)
{
	struct rib_path path = {
		.attrs = best->attrs,
		.nh = import_nexthop(imp, best->nh),
		.path_id = rib_net_id(net),
		.label = best->label,
		.metric = best->metric,
		.flags = RIB_ROUTE_IMPORTED,
		.origin = net,
		.peer = best->source,
	};
	struct prefix p = rib_net_prefix(net);

	rib_announce(&imp->source, NULL, &p, &path);
	nexthop_put(rib_nht(rib_table_rib(imp->source.table)), path.nh);
}

static void withdraw(struct vrf_import *imp, struct rib_net *net)
{
	struct prefix p = rib_net_prefix(net);

	rib_withdraw(&imp->source, NULL, &p, rib_net_id(net));
}

static void entry_free(struct vpn_import *im, struct import_entry *e)
{
	struct rib_net *net = e->net;

	im->entries[rib_net_id(net)] = NULL;
	free(e);
	rib_net_release(net);
	if (!--im->count) {
		free(im->entries);
		im->entries = NULL;
		im->size = 0;
	}
}

static void entry_replace(struct vpn_import *im, struct rib_net *net, struct import_entry *old,
			  const struct matched *m)
{
	struct import_entry *e;

	if (m->n) {
		rib_net_hold(net);
		e = xmalloc(sizeof(*e) + m->n * sizeof(e->imp[0]));
		e->net = net;
		e->n = m->n;
		memcpy(e->imp, m->imp, m->n * sizeof(e->imp[0]));
		if (old)
			entry_free(im, old);
		entry_insert(im, e);
	} else if (old) {
		entry_free(im, old);
	}
}

static void on_change(struct rib_sub *sub, struct rib_net *net)
{
	struct vpn_import *im = container_of(sub, struct vpn_import, sub);
	struct import_entry *e = entry_find(im, net);
	struct matched m = { .im = im, .best = rib_best(net), .size = ARRAY_SIZE(m.few) };
	unsigned int i;
	bool same;

	m.imp = m.few;
	im->stamp++;
	if (m.best)
		rt_index_match(&im->index, m.best->attrs, on_match, &m);
	same = e && e->n == m.n;
	for (i = 0; e && i < e->n; i++) {
		if (e->imp[i]->stamp != im->stamp)
			withdraw(e->imp[i], net);
		same &= i < m.n && e->imp[i] == m.imp[i];
	}
	for (i = 0; i < m.n; i++)
		announce(m.imp[i], net, m.best);
	if (!same)
		entry_replace(im, net, e, &m);
	if (m.imp != m.few)
		free(m.imp);
}

/* What has a route target that somebody imports since just now. */
static bool walk_targets(struct job *job, unsigned int budget)
{
	struct vpn_import *im = container_of(job, struct vpn_import, walk_job);
	struct rib_net *net;

	for (; budget; budget--) {
		net = rib_target_walk_next(&im->walk);
		if (!net)
			return false;
		rib_touch(&im->sub, net);
	}
	return true;
}

void vpn_import_start(struct vrfs *vs, uint8_t family)
{
	struct vpn_import *im = &vs->import[family_afi(family)];

	im->vrfs = vs;
	rt_index_init(&im->index);
	im->sub.name = "vpn import";
	im->sub.change = on_change;
	rib_subscribe(rib_table_vpn(vs->env.rib, family), &im->sub, true);
	rib_target_walk_init(&im->walk, im->sub.table);
	job_init(&im->walk_job, vs->env.jobs, "vpn import by route target", walk_targets);
}

void vpn_import_stop(struct vpn_import *im)
{
	uint32_t i;

	job_cancel(&im->walk_job);
	rib_target_walk_end(&im->walk);
	rib_unsubscribe(&im->sub);
	for (i = 0; i < im->size; i++)
		if (im->entries[i])
			entry_free(im, im->entries[i]);
	rt_index_fini(&im->index);
}

struct vrf_import *import_new(struct vrfs *vs, struct vrf_af *af)
{
	struct vrf_import *imp = xcalloc(1, sizeof(*imp));

	imp->af = af;
	imp->source.proto = &vpn_proto;
	imp->source.table = af->table;
	imp->source.name = "vpn";
	imp->source.distance = RIB_DISTANCE_IBGP;
	imp->source.is_bgp = true;
	imp->source.is_ibgp = true;
	imp->source.vrf = af->vrf->id;
	rib_source_init(&imp->source);
	return imp;
}

static void forget(struct vpn_import *im, struct rib_net *net, struct vrf_import *imp)
{
	struct import_entry *e = entry_find(im, net);
	unsigned int i;

	for (i = 0; e && i < e->n; i++) {
		if (e->imp[i] != imp)
			continue;
		e->imp[i] = e->imp[--e->n];
		if (!e->n)
			entry_free(im, e);
		return;
	}
}

void import_free(struct vrfs *vs, struct vrf_import *imp)
{
	struct vpn_import *im = &vs->import[family_afi(imp->af->family)];
	struct rib *rib = rib_table_rib(imp->source.table);
	struct rib_route *r;
	struct rib_net *net;
	unsigned int i;

	for (i = 0; i < imp->af->import.n; i++)
		rt_index_del(&im->index, &imp->af->import.rt[i], imp);
	while ((r = rib_list_first(rib, &imp->source.routes))) {
		net = rib_route_origin(r);
		rib_net_hold(net);
		withdraw(imp, net);
		forget(im, net, imp);
		rib_net_release(net);
	}
	rib_source_flush_now(&imp->source);
	free(imp);
}

static void touch_imported(struct vpn_import *im, struct vrf_import *imp)
{
	struct rib *rib = rib_table_rib(imp->source.table);
	struct rib_route *r;

	for (r = rib_list_first(rib, &imp->source.routes); r; r = rib_list_next(rib, r, RIB_OF_SOURCE))
		rib_touch(&im->sub, rib_route_origin(r));
}

void import_again(struct vrfs *vs, struct vrf_import *imp)
{
	touch_imported(&vs->import[family_afi(imp->af->family)], imp);
}

static bool set_has(const struct rt_set *s, const struct rt *rt)
{
	unsigned int i;

	for (i = 0; i < s->n; i++)
		if (!rt_cmp(&s->rt[i], rt))
			return true;
	return false;
}

void vrf_imports(struct vrfs *vs, void (*fn)(void *arg, const struct rt *rt), void *arg)
{
	rt_index_walk(&vs->import[AFI4].index, fn, arg);
	rt_index_walk(&vs->import[AFI6].index, fn, arg);
}

void import_targets(struct vrfs *vs, struct vrf_import *imp, const struct rt_set *old)
{
	struct vpn_import *im = &vs->import[family_afi(imp->af->family)];
	const struct rt_set *now = &imp->af->import;
	bool fewer = false;
	unsigned int i;

	for (i = 0; i < old->n; i++) {
		if (set_has(now, &old->rt[i]))
			continue;
		rt_index_del(&im->index, &old->rt[i], imp);
		fewer = true;
	}
	for (i = 0; i < now->n; i++) {
		if (set_has(old, &now->rt[i]))
			continue;
		rt_index_add(&im->index, &now->rt[i], imp);
		rib_target_walk_add(&im->walk, now->rt[i].b);
		job_schedule(&im->walk_job);
	}
	if (fewer)
		touch_imported(im, imp);
}
