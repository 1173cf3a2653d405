// SPDX-License-Identifier: GPL-2.0
/* VRFs: their making, settings and end (vrf.h). Configuration is read in config.c. */
#include "vrf/vrf.h"

#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "vrf/private.h"

#define VRF_ID_LAST	0xfffffu	/* L3VPN_VRF_ID_MAX */

static const struct rib_multipath multipath_default = { .ebgp = 1, .ibgp = 1, .backup = true };

const struct rib_proto vpn_proto = { .id = RIB_PROTO_VPN, .name = "vpn", .code = 'V' };

struct reserved_id {
	struct hash_node node;
	uint32_t id;
	char name[VRF_NAME_MAX];
};

const char *label_mode_str(enum label_mode m)
{
	return m == LABEL_MODE_CE ? "per-ce" : m == LABEL_MODE_PREFIX ? "per-prefix" : "per-vrf";
}

/* ---- finding ---- */

/* struct vrf as the hash tables of this room see it */
struct vrf_slot {
	struct vrf v;
	struct hash_node name_node, id_node;
};

static bool match_name(const struct hash_node *n, const void *key)
{
	return !strcmp(hash_entry(n, struct vrf_slot, name_node)->v.name, key);
}

static bool match_id(const struct hash_node *n, const void *key)
{
	return hash_entry(n, struct vrf_slot, id_node)->v.id == *(const uint32_t *)key;
}

static bool match_reserved(const struct hash_node *n, const void *key)
{
	return !strcmp(hash_entry(n, struct reserved_id, node)->name, key);
}

static uint32_t name_hash(const char *name)
{
	return hash_bytes(name, strlen(name), 0);
}

struct vrf *vrf_find(const struct vrfs *vs, const char *name)
{
	struct hash_node *n = hash_find(&vs->by_name, name_hash(name), match_name, name);

	return n ? &hash_entry(n, struct vrf_slot, name_node)->v : NULL;
}

struct vrf *vrf_by_id(const struct vrfs *vs, uint32_t id)
{
	struct hash_node *n = hash_find(&vs->by_id, hash_u64(id, 0), match_id, &id);

	return n ? &hash_entry(n, struct vrf_slot, id_node)->v : NULL;
}

struct vrf *vrf_next(const struct vrfs *vs, const struct vrf *v)
{
	struct list *next = v ? v->node.next : vs->vrfs.next;

	return next == &vs->vrfs ? NULL : list_entry(next, struct vrf, node);
}

struct vrf *vrf_after(const struct vrfs *vs, const char *name)
{
	struct vrf *v = vrf_find(vs, name);

	if (v)
		return vrf_next(vs, v);
	list_for_each(v, &vs->vrfs, struct vrf, node)
		if (strcmp(v->name, name) > 0)
			return v;
	return NULL;
}

uint32_t vrf_count(const struct vrfs *vs)
{
	return vs->n;
}

const struct rt_index *vrfs_rt_index(const struct vrfs *vs, uint8_t family)
{
	return &vs->import[family_afi(family)].index;
}

/* ---- ids ---- */

static struct reserved_id *reserved_find(const struct vrfs *vs, const char *name)
{
	struct hash_node *n = hash_find(&vs->reserved, name_hash(name), match_reserved, name);

	return n ? hash_entry(n, struct reserved_id, node) : NULL;
}

void vrf_reserve_id(struct vrfs *vs, const char *name, uint32_t id)
{
	struct reserved_id *r = reserved_find(vs, name);

	if (!id || id > VRF_ID_LAST || strlen(name) >= VRF_NAME_MAX)
		return;
	if (!r) {
		r = xcalloc(1, sizeof(*r));
		strcpy(r->name, name);
		hash_insert(&vs->reserved, &r->node, name_hash(name));
	}
	r->id = id;
}

static bool id_reserved(const struct vrfs *vs, uint32_t id)
{
	struct hash_node *n;

	for (n = hash_next(&vs->reserved, NULL); n; n = hash_next(&vs->reserved, n))
		if (hash_entry(n, struct reserved_id, node)->id == id)
			return true;
	return false;
}

static uint32_t id_take(struct vrfs *vs, const char *name)
{
	struct reserved_id *r = reserved_find(vs, name);
	uint32_t id;

	if (r) {
		id = r->id;
		hash_remove(&vs->reserved, &r->node);
		free(r);
		if (!vrf_by_id(vs, id))
			return id;
	}
	do {
		id = vs->next_id++;
		if (vs->next_id > VRF_ID_LAST)
			vs->next_id = 1;
	} while (vrf_by_id(vs, id) || id_reserved(vs, id));
	return id;
}

bool vrfs_load_numbers(struct vrfs *vs, const char *path, char *why, size_t size)
{
	return vrf_numbers_load(vs->numbers, path, why, size);
}

/* ---- watchers ---- */

void vrf_event(struct vrfs *vs, enum vrf_event e, struct vrf *v)
{
	struct vrf_watch *w, *tmp;

	list_for_each_safe(w, tmp, &vs->watches, struct vrf_watch, node)
		w->event(w, e, v);
}

void vrf_watch(struct vrfs *vs, struct vrf_watch *w)
{
	struct vrf *v;

	list_add_tail(&vs->watches, &w->node);
	for (v = vrf_next(vs, NULL); v; v = vrf_next(vs, v))
		w->event(w, VRF_ADD, v);
}

void vrf_unwatch(struct vrf_watch *w)
{
	list_del(&w->node);
}

/* ---- life of a VRF ---- */

static void link_by_name(struct vrfs *vs, struct vrf *v)
{
	struct list *at;

	for (at = vs->vrfs.prev; at != &vs->vrfs; at = at->prev)
		if (strcmp(list_entry(at, struct vrf, node)->name, v->name) < 0)
			break;
	list_add(at, &v->node);
}

struct vrf *vrf_add(struct vrfs *vs, const char *name)
{
	struct vrf_slot *slot;
	struct vrf_af *af;
	struct vrf *v;
	int i;

	if (vrf_find(vs, name) || strlen(name) >= VRF_NAME_MAX)
		return NULL;
	slot = xcalloc(1, sizeof(*slot));
	v = &slot->v;
	strcpy(v->name, name);
	v->id = id_take(vs, name);
	hash_insert(&vs->by_name, &slot->name_node, name_hash(name));
	hash_insert(&vs->by_id, &slot->id_node, hash_u64(v->id, 0));
	link_by_name(vs, v);
	vs->n++;
	for (i = 0; i < AFI_MAX; i++) {
		af = &v->af[i];
		af->vrf = v;
		af->family = afi_family(i);
		af->table = rib_table_new(vs->env.rib, name, RIB_TABLE_VRF, af->family, v->id);
		af->importer = import_new(vs, af);
		af->exporter = export_new(vs, af);
		vrf_set_multipath(vs, v, af->family, &multipath_default);
	}
	tunnel_settings_init(&v->tunnel_own);
	tunnel_resolve(&v->tunnel_own, &vs->tunnel_all, &v->tunnel);
	vrf_event(vs, VRF_ADD, v);
	/* addresses of the VRF's own device are connected networks of it */
	nht_port_vrf(vs->nht, name, v->id);
	return v;
}

void vrf_del(struct vrfs *vs, struct vrf *v)
{
	struct vrf_slot *slot = container_of(v, struct vrf_slot, v);
	struct vrf_af *af;
	int i;

	nht_port_vrf(vs->nht, v->name, VRF_ID_GLOBAL);
	for (i = 0; i < AFI_MAX; i++) {
		af = &v->af[i];
		summary_free(vs, af);
		export_free(af->exporter);
		import_free(vs, af->importer);
		rib_table_free(af->table);
		af->exporter = NULL;
		af->importer = NULL;
		af->table = NULL;
	}
	labels_drop_vrf(vs->env.labels, v->name);
	vrf_event(vs, VRF_DEL, v);
	hash_remove(&vs->by_name, &slot->name_node);
	hash_remove(&vs->by_id, &slot->id_node);
	list_del(&v->node);
	vs->n--;
	for (i = 0; i < AFI_MAX; i++) {
		free(v->af[i].import.rt);
		free(v->af[i].export.rt);
		free(v->af[i].networks);
	}
	free(slot);
}

/* ---- settings ---- */

void vrf_set_rd(struct vrfs *vs, struct vrf *v, const struct rd *rd)
{
	int i;

	if (v->has_rd == !!rd && (!rd || !rd_cmp(&v->rd, rd)))
		return;
	v->has_rd = rd;
	memset(&v->rd, 0, sizeof(v->rd));
	if (rd)
		v->rd = *rd;
	for (i = 0; i < AFI_MAX; i++)
		export_rd_changed(v->af[i].exporter);
	vrf_event(vs, VRF_CHANGE, v);
}

static int cmp_rt(const void *a, const void *b)
{
	return rt_cmp(a, b);
}

static struct rt_set set_make(const struct rt *rt, unsigned int n)
{
	struct rt_set s = { 0 };
	unsigned int i;

	if (!n)
		return s;
	s.rt = xmemdup(rt, n * sizeof(*rt));
	qsort(s.rt, n, sizeof(*rt), cmp_rt);
	for (i = 0; i < n; i++)
		if (!s.n || rt_cmp(&s.rt[s.n - 1], &s.rt[i]))
			s.rt[s.n++] = s.rt[i];
	return s;
}

static bool set_eq(const struct rt_set *a, const struct rt_set *b)
{
	return a->n == b->n && (!a->n || !memcmp(a->rt, b->rt, a->n * sizeof(*a->rt)));
}

void vrf_set_targets(struct vrfs *vs, struct vrf *v, uint8_t family, bool export,
		     const struct rt *rt, unsigned int n)
{
	struct vrf_af *af = &v->af[family_afi(family)];
	struct rt_set *set = export ? &af->export : &af->import, old = *set;
	struct rt_set now = set_make(rt, n);

	if (set_eq(&old, &now)) {
		free(now.rt);
		return;
	}
	*set = now;
	if (export)
		export_again(af->exporter);
	else
		import_targets(vs, af->importer, &old);
	free(old.rt);
	vrf_event(vs, VRF_CHANGE, v);
}

void vrf_set_family(struct vrfs *vs, struct vrf *v, uint8_t family, bool configured)
{
	struct vrf_af *af = &v->af[family_afi(family)];

	if (af->configured == configured)
		return;
	af->configured = configured;
	export_again(af->exporter);
	vrf_event(vs, VRF_CHANGE, v);
}

void vrf_set_label_mode(struct vrfs *vs, struct vrf *v, enum label_mode mode)
{
	int i;

	if (v->label_mode == mode)
		return;
	v->label_mode = mode;
	for (i = 0; i < AFI_MAX; i++)
		export_again(v->af[i].exporter);
	vrf_event(vs, VRF_CHANGE, v);
}

void vrf_set_transport(struct vrfs *vs, struct vrf *v, uint16_t policy)
{
	int i;

	if (v->transport == policy)
		return;
	v->transport = policy;
	for (i = 0; i < AFI_MAX; i++)
		import_again(vs, v->af[i].importer);
}

void vrf_set_redistribute(struct vrfs *vs, struct vrf *v, uint8_t family, bool connected,
			  bool static_)
{
	struct vrf_af *af = &v->af[family_afi(family)];

	if (af->redistribute_connected == connected && af->redistribute_static == static_)
		return;
	af->redistribute_connected = connected;
	af->redistribute_static = static_;
	export_again(af->exporter);
	vrf_event(vs, VRF_CHANGE, v);
}

static int cmp_prefix(const void *a, const void *b)
{
	return prefix_cmp(a, b);
}

void vrf_set_networks(struct vrfs *vs, struct vrf *v, uint8_t family, const struct prefix *p,
		      unsigned int n)
{
	struct vrf_af *af = &v->af[family_afi(family)];
	struct prefix *now = n ? xmemdup(p, n * sizeof(*p)) : NULL;
	unsigned int i;
	bool same = n == af->n_networks;

	if (n)
		qsort(now, n, sizeof(*now), cmp_prefix);
	for (i = 0; same && i < n; i++)
		same = prefix_eq(&now[i], &af->networks[i]);
	if (same) {
		free(now);
		return;
	}
	free(af->networks);
	af->networks = now;
	af->n_networks = n;
	export_again(af->exporter);
	vrf_event(vs, VRF_CHANGE, v);
}

void vrf_set_best_external(struct vrfs *vs, struct vrf *v, uint8_t family, bool on)
{
	struct vrf_af *af = &v->af[family_afi(family)];

	if (af->best_external == on)
		return;
	af->best_external = on;
	export_again(af->exporter);
}

void vrf_set_multipath(struct vrfs *vs, struct vrf *v, uint8_t family, const struct rib_multipath *m)
{
	struct vrf_af *af = &v->af[family_afi(family)];

	const struct rib_multipath *was = rib_table_multipath(af->table);
	bool labels = was->backup != m->backup || was->ebgp != m->ebgp || was->eibgp != m->eibgp;

	rib_table_set_multipath(af->table, m);
	import_paths(vs, af->importer, m);
	/* labels of CEs lead elsewhere now */
	if (labels && v->label_mode != LABEL_MODE_VRF)
		export_again(af->exporter);
}

void vrf_set_limit(struct vrfs *vs, struct vrf *v, uint8_t family, uint32_t limit,
		   uint32_t warn)
{
	struct vrf_af *af = &v->af[family_afi(family)];

	if (af->limit == limit && af->warn == warn)
		return;
	af->limit = limit;
	af->warn = warn;
	room_changed(af->importer);
	vrf_event(vs, VRF_CHANGE, v);
}

static void tunnel_update(struct vrfs *vs, struct vrf *v)
{
	struct tunnel now;

	tunnel_resolve(&v->tunnel_own, &vs->tunnel_all, &now);
	if (!memcmp(&now, &v->tunnel, sizeof(now)))
		return;
	v->tunnel = now;
	vrf_event(vs, VRF_CHANGE, v);
}

void vrf_set_tunnel(struct vrfs *vs, struct vrf *v, const struct tunnel_settings *own)
{
	v->tunnel_own = *own;
	tunnel_update(vs, v);
}

void vrf_set_tunnel_all(struct vrfs *vs, const struct tunnel_settings *all)
{
	struct vrf *v;

	if (!memcmp(all, &vs->tunnel_all, sizeof(*all)))
		return;
	vs->tunnel_all = *all;
	for (v = vrf_next(vs, NULL); v; v = vrf_next(vs, v))
		tunnel_update(vs, v);
}

void vrf_set_port(struct vrfs *vs, const char *ifname, struct vrf *v)
{
	nht_port_vrf(vs->nht, ifname, v ? v->id : VRF_ID_GLOBAL);
}

static bool is_wanted(const struct vrf_af *af, const struct rib_route *r)
{
	struct prefix p;

	if (r->flags & (RIB_ROUTE_IMPORTED | RIB_ROUTE_NETWORK))
		return true;
	if (r->source->proto->id == RIB_PROTO_CONNECTED && af->redistribute_connected)
		return true;
	if (r->source->proto->id == RIB_PROTO_STATIC && af->redistribute_static)
		return true;
	if (r->source->is_bgp)
		return true;
	p = rib_net_prefix(r->net);
	return af->n_networks && bsearch(&p, af->networks, af->n_networks, sizeof(p), cmp_prefix);
}

bool vrf_announces(const struct vrf_af *af, const struct rib_net *net, const char **why)
{
	const struct rib_route *best = rib_best(net);

	if (best)
		return vrf_announces_route(af, best, why);
	if (why)
		*why = "no usable route";
	return false;
}

bool vrf_announces_route(const struct vrf_af *af, const struct rib_route *r, const char **why)
{
	bool yes = is_wanted(af, r);
	struct prefix p;

	if (!yes && why)
		*why = "not redistributed";
	if (yes && rib_net_refused(r->net)) {
		yes = false;
		if (why)
			*why = "forwarding has no room for it";
	}
	if (yes && af->summary && !(r->flags & RIB_ROUTE_NETWORK)) {
		p = rib_net_prefix(r->net);
		yes = !summary_silences(af, &p);
		if (!yes && why)
			*why = "an aggregate stands for it (summary-only)";
	}
	return yes;
}

/* ---- life ---- */

struct vrfs *vrfs_new(const struct rib_env *env)
{
	struct vrfs *vs = xcalloc(1, sizeof(*vs));

	vs->env = *env;
	vs->nht = rib_nht(env->rib);
	vs->next_id = 1;
	list_init(&vs->vrfs);
	list_init(&vs->watches);
	list_init(&vs->import_watches);
	tunnel_settings_init(&vs->tunnel_all);
	vs->numbers = vrf_numbers_new();
	vpn_import_start(vs, AF_INET);
	vpn_import_start(vs, AF_INET6);
	if (env->conf) {
		transport_config_subscribe(vs);
		vrf_config_subscribe(vs);
	}
	return vs;
}

void vrfs_free(struct vrfs *vs)
{
	struct hash_node *n;

	if (!vs)
		return;
	while (!list_empty(&vs->vrfs))
		vrf_del(vs, list_first(&vs->vrfs, struct vrf, node));
	vpn_import_stop(&vs->import[AFI4]);
	vpn_import_stop(&vs->import[AFI6]);
	while ((n = hash_drain(&vs->reserved)))
		free(hash_entry(n, struct reserved_id, node));
	vrf_numbers_free(vs->numbers);
	hash_fini(&vs->by_name);
	hash_fini(&vs->by_id);
	free(vs);
}
