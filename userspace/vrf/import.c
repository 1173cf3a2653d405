// SPDX-License-Identifier: GPL-2.0
/*
 * Import: VPN table -> VRF tables (RFC 4364 section 4.3). One subscription per VPN table serves
 * all VRFs: the route targets of a route lead through the index to the VRFs that
 * import it. What was exported from a VRF never comes back into it, and an imported route is
 * never exported again: pipes do not loop.
 *
 * Of a net a VRF takes the best route that carries one of its targets, and of the next ones as many as multipath and
 * backup can use: what leads to the same PE under the same label, as two reflectors tell it, is there once. In the
 * VRF's table they are told apart by slot and number of the VPN net; slot 0 is the best. An importer without slots
 * wants the net, and has no room for it (room.c).
 */
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "rib/paths.h"
#include "vrf/private.h"

/* path id in the VRF's table: slot and number of the VPN net */
#define SLOT_SHIFT	26
#define SLOTS_MAX	(1u << (32 - SLOT_SHIFT))

/*
 * Who imported a net, and into how many slots, in four octets: there are a million nets, and most have one importer.
 * MANY: the number of an entry.
 */
#define WHO_MANY	0x80000000u
#define WHO_VRF		0x000fffffu	/* id; 0: nobody */
#define WHO_SLOTS	20		/* shift */

struct importer {
	struct vrf_import *imp;
	unsigned int slots;
};

struct import_entry {
	unsigned int n;
	struct importer by[];
};

/* what one look at a net finds */
struct pick {
	struct vrf_import *imp;
	const struct rib_route *r;
	unsigned int slot;
};

struct look {
	struct vpn_import *im;
	const struct rib_route *r;	/* the one that is matched now */
	struct importer *by;
	struct pick *pick;
	unsigned int n, size, n_picks, picks_size;
	struct importer few_by[16];
	struct pick few_picks[32];
};

/* ---- who imported what ---- */

static struct import_entry **many_at(const struct vpn_import *im, uint32_t number)
{
	return slab_at(&im->many, number);
}

static void who_clear(struct vpn_import *im, uint32_t *who)
{
	uint32_t number = *who & ~WHO_MANY;

	if (*who & WHO_MANY) {
		free(*many_at(im, number));
		slab_free(&im->many, number);
	}
	*who = 0;
}

static uint32_t many_take(struct vpn_import *im, struct import_entry *e)
{
	uint32_t number = slab_alloc(&im->many);

	*many_at(im, number) = e;
	return number | WHO_MANY;
}

static uint32_t who_of(const struct vpn_import *im, uint32_t id)
{
	return id < im->who.room ? *(uint32_t *)vec_get(&im->who, id) : 0;
}

/* The importers of a net: borrowed until who_set(); @one is room for a single one. */
static const struct importer *who_get(const struct vpn_import *im, uint32_t id, struct importer *one,
				      unsigned int *n)
{
	uint32_t who = who_of(im, id);
	const struct vrf *v;

	*n = 0;
	if (who & WHO_MANY) {
		const struct import_entry *e = *many_at(im, who & ~WHO_MANY);

		*n = e->n;
		return e->by;
	}
	v = who ? vrf_by_id(im->vrfs, who & WHO_VRF) : NULL;
	if (v) {
		one->imp = v->af[family_afi(rib_table_family(im->sub.table))].importer;
		one->slots = who >> WHO_SLOTS;
		*n = 1;
	}
	return one;
}

/* the net is held while somebody has it */
static void who_set(struct vpn_import *im, struct rib_net *net, const struct importer *by, unsigned int n)
{
	uint32_t *who = vec_at(&im->who, rib_net_id(net));
	bool had = *who;
	struct import_entry *e;

	if (n > 1) {
		e = xmalloc(sizeof(*e) + n * sizeof(e->by[0]));
		e->n = n;
		memcpy(e->by, by, n * sizeof(e->by[0]));
		who_clear(im, who);
		*who = many_take(im, e);
	} else if (n) {
		who_clear(im, who);
		*who = by->imp->af->vrf->id | by->slots << WHO_SLOTS;
	} else {
		who_clear(im, who);
	}
	if (n && !had) {
		im->count++;
		rib_net_hold(net);
	} else if (!n && had) {
		if (!--im->count)
			vec_fini(&im->who);
		rib_net_release(net);
	}
}

/* ---- one look at one net ---- */

static void grow(void *few, void **array, unsigned int n, unsigned int *size, size_t octets)
{
	if (n < *size)
		return;
	*size *= 2;
	if (*array == few) {
		*array = xmalloc(*size * octets);
		memcpy(*array, few, n * octets);
	} else {
		*array = xrealloc(*array, *size * octets);
	}
}

/* A further way for this VRF? The last of its slots is for the backup, and that is by another PE. */
static bool is_further(const struct look *l, const struct vrf_import *imp, unsigned int slots)
{
	bool multipath = slots < imp->paths;
	unsigned int i;

	for (i = 0; i < l->n_picks; i++)
		if (l->pick[i].imp == imp && l->pick[i].r->nh == l->r->nh &&
		    (!multipath || imp->paths == 1 || l->pick[i].r->label == l->r->label))
			return false;
	return true;
}

/* each pipe once, however many of its RTs match */
static void on_match(void *member, const struct rt *rt, void *arg)
{
	struct vrf_import *imp = member;
	struct look *l = arg;
	struct importer *by;

	if (imp->path_stamp == l->im->path_stamp || l->r->source->vrf == imp->af->vrf->id)
		return;
	imp->path_stamp = l->im->path_stamp;
	if (imp->stamp != l->im->stamp) {
		imp->stamp = l->im->stamp;
		imp->at = l->n;
		grow(l->few_by, (void **)&l->by, l->n, &l->size, sizeof(*l->by));
		l->by[l->n++] = (struct importer){ .imp = imp };
	}
	by = &l->by[imp->at];
	if (by->slots >= (unsigned int)imp->paths + imp->backup || (by->slots && !is_further(l, imp, by->slots)))
		return;
	grow(l->few_picks, (void **)&l->pick, l->n_picks, &l->picks_size, sizeof(*l->pick));
	l->pick[l->n_picks++] = (struct pick){ .imp = imp, .r = l->r, .slot = by->slots++ };
}

/* The way to a remote PE that the VRF's own transport policy finds. A reference. */
static struct nexthop *import_nexthop(const struct vrf_import *imp, struct nexthop *nh)
{
	uint16_t policy = imp->af->vrf->transport;

	if (nh->key.kind != NEXTHOP_PE || nh->key.policy == policy)
		return nexthop_ref(nh);
	return nexthop_pe(rib_nht(rib_table_rib(imp->source.table)), &nh->key.addr, policy);
}

static void announce(const struct pick *pick, struct rib_net *net)
{
	struct vrf_import *imp = pick->imp;
	struct rib_path path = {
		.attrs = pick->r->attrs,
		.nh = import_nexthop(imp, pick->r->nh),
		.path_id = rib_net_id(net) | pick->slot << SLOT_SHIFT,
		.label = pick->r->label,
		.metric = pick->r->metric,
		.flags = RIB_ROUTE_IMPORTED,
		.origin = net,
		.peer = pick->r->source,
	};
	struct prefix p = rib_net_prefix(net);

	rib_announce(&imp->source, NULL, &p, &path);
	nexthop_put(rib_nht(rib_table_rib(imp->source.table)), path.nh);
}

static void withdraw(struct vrf_import *imp, struct rib_net *net, unsigned int from, unsigned int to)
{
	struct prefix p = rib_net_prefix(net);

	for (; from < to; from++)
		rib_withdraw(&imp->source, NULL, &p, rib_net_id(net) | from << SLOT_SHIFT);
}

static bool countable(const struct rib_net *net)
{
	static bool said;

	if (rib_net_id(net) >> SLOT_SHIFT == 0)
		return true;
	if (!said)
		log_err("vrf", "more than %u VPN prefixes: further ones are not imported", 1u << SLOT_SHIFT);
	said = true;
	return false;
}

bool vrf_can_import(const struct rib_route *r)
{
	return r->label >= LABEL_MIN;
}

static void match_routes(struct look *l, struct rib_net *net)
{
	struct rib_route *rank[SLOTS_MAX];
	unsigned int i, n;

	if (!l->im->index.hash.count || !countable(net))
		return;
	n = rib_net_rank(net, rank, SLOTS_MAX, NULL, NULL);
	for (i = 0; i < n; i++) {
		if (!vrf_can_import(rank[i]))
			continue;
		l->r = rank[i];
		l->im->path_stamp++;
		rt_index_match(&l->im->index, rank[i]->attrs, on_match, l);
	}
}

static bool same_importers(const struct importer *a, unsigned int n, const struct look *l)
{
	unsigned int i;

	if (n != l->n)
		return false;
	for (i = 0; i < n; i++)
		if (a[i].imp != l->by[i].imp || a[i].slots != l->by[i].slots)
			return false;
	return true;
}

static unsigned int slots_of(const struct importer *by, unsigned int n, const struct vrf_import *imp)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (by[i].imp == imp)
			return by[i].slots;
	return 0;
}

/* Where there is no room for what was not there: no slots. */
static void find_room(struct look *l, const struct rib_net *net, const struct importer *old, unsigned int n)
{
	const struct prefix p = rib_net_prefix(net);
	unsigned int i;

	for (i = 0; i < l->n; i++) {
		if (slots_of(old, n, l->by[i].imp) || room_for(l->by[i].imp, &p))
			continue;
		l->by[i].slots = 0;
		room_refused(l->by[i].imp, rib_net_id(net));
	}
}

/* @old: what it was until now */
static void settle(struct look *l, struct rib_net *net, const struct importer *old, unsigned int n)
{
	unsigned int i, now;

	for (i = 0; i < l->n_picks; i++)
		if (l->by[l->pick[i].imp->at].slots)
			announce(&l->pick[i], net);
	for (i = 0; i < n; i++) {
		bool wants = old[i].imp->stamp == l->im->stamp;

		now = wants ? l->by[old[i].imp->at].slots : 0;
		withdraw(old[i].imp, net, now, old[i].slots);
		if (!old[i].slots && (now || !wants))
			room_settled(old[i].imp, rib_net_id(net));
	}
}

void import_look(struct vpn_import *im, struct rib_net *net)
{
	struct look l = { .im = im, .size = ARRAY_SIZE(l.few_by), .picks_size = ARRAY_SIZE(l.few_picks) };
	const struct importer *old;
	struct importer one;
	unsigned int n;

	l.by = l.few_by;
	l.pick = l.few_picks;
	im->stamp++;
	match_routes(&l, net);
	old = who_get(im, rib_net_id(net), &one, &n);
	find_room(&l, net, old, n);
	settle(&l, net, old, n);
	if (!same_importers(old, n, &l))
		who_set(im, net, l.by, l.n);
	if (l.by != l.few_by)
		free(l.by);
	if (l.pick != l.few_picks)
		free(l.pick);
}

static void on_change(struct rib_sub *sub, struct rib_net *net)
{
	import_look(container_of(sub, struct vpn_import, sub), net);
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

/* nobody imports anything, and nobody had this: a reflector without VRFs */
static bool concerns(struct rib_sub *sub, const struct rib_net *net)
{
	const struct vpn_import *im = container_of(sub, struct vpn_import, sub);

	return im->index.hash.count || who_of(im, rib_net_id(net));
}

void vpn_import_start(struct vrfs *vs, uint8_t family)
{
	struct vpn_import *im = &vs->import[family_afi(family)];

	im->vrfs = vs;
	rt_index_init(&im->index);
	vec_init(&im->who, sizeof(uint32_t));
	slab_init(&im->many, sizeof(struct import_entry *), sizeof(void *));
	im->sub.name = "vpn import";
	im->sub.all_paths = true;
	im->sub.change = on_change;
	im->sub.filter = concerns;
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
	for (i = 0; i < im->who.room; i++)
		if (who_of(im, i))
			who_set(im, rib_net_by_id(im->sub.table, i), NULL, 0);
	vec_fini(&im->who);
	slab_fini(&im->many);
	rt_index_fini(&im->index);
}

/* ---- which route targets are imported ---- */

void vrf_imports_watch(struct vrfs *vs, struct vrf_import_watch *w)
{
	list_add_tail(&vs->import_watches, &w->node);
}

void vrf_imports_unwatch(struct vrf_import_watch *w)
{
	list_del(&w->node);
}

static void tell_watches(const struct vrf_import *imp, const struct rt *rt, bool imported)
{
	struct vrf_import_watch *w, *tmp;

	list_for_each_safe(w, tmp, &imp->vrfs->import_watches, struct vrf_import_watch, node)
		w->change(w, imp->af->family, rt, imported);
}

static void begin_target(struct vrf_import *imp, const struct rt *rt)
{
	struct vpn_import *im = &imp->vrfs->import[family_afi(imp->af->family)];

	if (rt_index_add(&im->index, rt, imp))
		tell_watches(imp, rt, true);
}

static void end_target(struct vrf_import *imp, const struct rt *rt)
{
	struct vpn_import *im = &imp->vrfs->import[family_afi(imp->af->family)];
	const struct rt gone = *rt;

	if (rt_index_del(&im->index, rt, imp))
		tell_watches(imp, &gone, false);
}

/* ---- pipes ---- */

struct vrf_import *import_new(struct vrfs *vs, struct vrf_af *af)
{
	struct vrf_import *imp = xcalloc(1, sizeof(*imp));

	imp->af = af;
	imp->vrfs = vs;
	imp->source.proto = &vpn_proto;
	imp->source.table = af->table;
	imp->source.name = "vpn";
	imp->source.distance = RIB_DISTANCE_IBGP;
	imp->source.is_bgp = true;
	imp->source.is_ibgp = true;
	imp->source.vrf = af->vrf->id;
	imp->paths = 1;
	rib_source_init(&imp->source);
	room_init(imp);
	return imp;
}

/* the pipe has nothing of this net any more */
static void forget(struct vpn_import *im, struct rib_net *net, const struct vrf_import *imp)
{
	struct importer one, *left;
	unsigned int i, n, out = 0;
	const struct importer *by = who_get(im, rib_net_id(net), &one, &n);

	left = xmalloc((n + 1) * sizeof(*left));
	for (i = 0; i < n; i++)
		if (by[i].imp != imp)
			left[out++] = by[i];
	if (out < n)
		who_set(im, net, left, out);
	free(left);
}

void import_free(struct vrfs *vs, struct vrf_import *imp)
{
	struct vpn_import *im = &vs->import[family_afi(imp->af->family)];
	struct rib *rib = rib_table_rib(imp->source.table);
	struct rib_route *r;
	struct rib_net *net;
	unsigned int i;
	uint32_t id;

	for (i = 0; i < imp->af->import.n; i++)
		end_target(imp, &imp->af->import.rt[i]);
	while ((r = rib_list_first(rib, &imp->source.routes))) {
		net = rib_route_origin(r);
		rib_net_hold(net);
		withdraw(imp, net, r->path_id >> SLOT_SHIFT, (r->path_id >> SLOT_SHIFT) + 1);
		forget(im, net, imp);
		rib_net_release(net);
	}
	while (room_next(imp, 0, &id)) {
		room_settled(imp, id);
		forget(im, rib_net_by_id(im->sub.table, id), imp);
	}
	room_end(imp);
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

void import_paths(struct vrfs *vs, struct vrf_import *imp, const struct rib_multipath *m)
{
	unsigned int paths = 1;

	paths = m->ebgp > paths ? m->ebgp : paths;
	paths = m->ibgp > paths ? m->ibgp : paths;
	paths = m->eibgp > paths ? m->eibgp : paths;
	if (paths >= SLOTS_MAX)
		paths = SLOTS_MAX - 1;
	if (imp->paths == paths && imp->backup == m->backup)
		return;
	imp->paths = paths;
	imp->backup = m->backup;
	import_again(vs, imp);
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
		end_target(imp, &old->rt[i]);
		fewer = true;
	}
	for (i = 0; i < now->n; i++) {
		if (set_has(old, &now->rt[i]))
			continue;
		begin_target(imp, &now->rt[i]);
		rib_target_walk_add(&im->walk, now->rt[i].b);
		job_schedule(&im->walk_job);
	}
	if (!fewer)
		return;
	touch_imported(im, imp);
	room_again(imp);
}
