// SPDX-License-Identifier: GPL-2.0
/*
 * Export: VRF table -> VPN table, with RD, route targets and label (RFC 4364 sections 4.3, 5).
 *
 * A route is announced once its label is programmed. When another label is wanted (mode or way
 * changed) the old one stays announced and forwarding until the new one is programmed; then the
 * new one is announced, and the old one released, which lingers before it is removed.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "vrf/private.h"

struct export_entry {
	struct hash_node node;
	struct vrf_export *ex;
	struct rib_net *net;		/* of the VRF's table; held */
	struct label_user *now;		/* announced with, or NULL */
	struct label_user *next;	/* asked for, waited for, or NULL */
};

/* users live apart from the entry: it passes them from next to now */
struct export_user {
	struct label_user user;
	struct export_entry *entry;
};

static bool match_entry(const struct hash_node *n, const void *key)
{
	return hash_entry(n, struct export_entry, node)->net == key;
}

static struct export_entry *entry_find(const struct vrf_export *ex, const struct rib_net *net)
{
	struct hash_node *n = hash_find(&ex->entries, hash_ptr(net), match_entry, net);

	return n ? hash_entry(n, struct export_entry, node) : NULL;
}

/* ---- label users ---- */

static void touch(struct label_user *u)
{
	struct export_entry *e = container_of(u, struct export_user, user)->entry;

	rib_touch(&e->ex->sub, e->net);
}

static struct label_user *user_new(struct export_entry *e)
{
	struct export_user *u = xcalloc(1, sizeof(*u));

	u->entry = e;
	u->user.ready = touch;
	u->user.retry = touch;
	label_user_init(&u->user);
	return &u->user;
}

static void user_drop(struct export_entry *e, struct label_user **u)
{
	if (!*u)
		return;
	label_release(e->ex->vrfs->env.labels, *u);
	free(container_of(*u, struct export_user, user));
	*u = NULL;
}

/* ---- which label ---- */

static bool has_way_of_its_own(const struct rib_route *r, enum label_mode mode)
{
	if (r->flags & RIB_ROUTE_NETWORK)
		return false;
	return r->nh->key.kind == NEXTHOP_GATEWAY ||
	       (mode == LABEL_MODE_PREFIX && r->nh->key.kind == NEXTHOP_GROUP);
}

/*
 * Connected routes, aggregates and whatever has no CE as next hop need a lookup at the egress:
 * they share the VRF's label in every mode.
 */
static void want_label(const struct export_entry *e, const struct rib_route *best,
		       struct label_key *key, struct label_action *action)
{
	const struct vrf *v = e->ex->af->vrf;
	enum label_mode mode = v->label_mode;

	memset(key, 0, sizeof(*key));
	memset(action, 0, sizeof(*action));
	strcpy(key->vrf, v->name);
	action->vrf = v->id;
	if (mode == LABEL_MODE_VRF || !has_way_of_its_own(best, mode)) {
		key->owner = LABEL_OWNER_VRF;
		action->action = FIB_LABEL_POP_VRF;
		return;
	}
	action->action = FIB_LABEL_POP_NH;
	action->nh = nexthop_fib_use(e->ex->vrfs->nht, best->nh);
	if (mode == LABEL_MODE_CE) {
		key->owner = LABEL_OWNER_CE;
		key->prefix = prefix_host(&best->nh->key.addr);
		memcpy(key->ifname, best->nh->key.ifname, sizeof(key->ifname));
	} else {
		key->owner = LABEL_OWNER_PREFIX;
		key->prefix = rib_net_prefix(e->net);
	}
}

static bool user_serves(const struct label_user *u, const struct label_key *key)
{
	const struct label_key *k;

	if (!u || !u->binding)
		return false;
	k = &u->binding->key;
	return k->owner == key->owner && prefix_eq(&k->prefix, &key->prefix) &&
	       !strcmp(k->ifname, key->ifname) && !strcmp(k->vrf, key->vrf);
}

/* true when the label to announce with is programmed: it is in e->now then */
static bool get_label(struct export_entry *e, const struct rib_route *best)
{
	struct labels *labels = e->ex->vrfs->env.labels;
	struct label_user *old = NULL;
	struct label_action action;
	struct label_key key;

	want_label(e, best, &key, &action);
	if (user_serves(e->now, &key)) {
		label_update(labels, e->now->binding, &action);
		user_drop(e, &e->next);
	} else {
		if (user_serves(e->next, &key)) {
			label_update(labels, e->next->binding, &action);
		} else {
			/* asked for before the other is given up: the same CE's label survives */
			old = e->next;
			e->next = user_new(e);
			label_request(labels, e->next, &key, &action);
			user_drop(e, &old);
		}
	}
	fib_nh_put(rib_fib(e->ex->vrfs->env.rib), action.nh);
	return !e->next || label_is_ready(e->next);
}

/* ---- attributes ---- */

/* what a CE says about route targets counts for nothing */
static struct attrs *export_attrs(struct vrf_export *ex, const struct attrs *in)
{
	const struct rt_set *rts = &ex->af->export;
	struct attrs_builder b;
	struct attrs *out;
	const uint8_t *ext = NULL;
	uint16_t len = 0, at, n = 0;
	uint8_t *all;

	if (in)
		ext = attrs_part(in, ATTRS_EXT, &len);
	if (len + rts->n * 8 > 0xffff)
		return NULL;
	all = xmalloc(len + rts->n * 8 + 1);
	for (at = 0; at < len; at += 8) {
		if (rt_is_target(ext + at))
			continue;
		memcpy(all + n, ext + at, 8);
		n += 8;
	}
	if (rts->n)
		memcpy(all + n, rts->rt, rts->n * 8);
	n += rts->n * 8;
	if (in) {
		attrs_to_builder(in, &b);
	} else {
		memset(&b, 0, sizeof(b));
		b.f.origin = ORIGIN_INCOMPLETE;
	}
	memset(&b.f.nexthop, 0, sizeof(b.f.nexthop));
	memset(&b.f.nexthop_ll, 0, sizeof(b.f.nexthop_ll));
	b.part[ATTRS_EXT].data = all;
	b.part[ATTRS_EXT].len = n;
	out = attrs_intern(&b);
	free(all);
	return out;
}

static void cache_drop(struct vrf_export *ex)
{
	attrs_put((struct attrs *)ex->cache_in);
	attrs_put(ex->cache_out);
	ex->cache_in = NULL;
	ex->cache_out = NULL;
}

/* borrowed; routes of one UPDATE come one after another */
static struct attrs *attrs_for(struct vrf_export *ex, struct attrs *in)
{
	if (ex->cache_out && ex->cache_in == in)
		return ex->cache_out;
	cache_drop(ex);
	ex->cache_in = in ? attrs_get(in) : NULL;
	ex->cache_out = export_attrs(ex, in);
	return ex->cache_out;
}

/* ---- announcing ---- */

static void unannounce(struct export_entry *e)
{
	struct prefix p = rib_net_prefix(e->net);

	rib_withdraw(&e->ex->source, &e->ex->rd, &p, 0);
}

/* the withdrawal is on its way before the label lingers, and long before that is removed */
static void entry_free(struct export_entry *e)
{
	struct vrf_export *ex = e->ex;
	struct rib_net *net = e->net;

	unannounce(e);
	user_drop(e, &e->next);
	user_drop(e, &e->now);
	hash_remove(&ex->entries, &e->node);
	free(e);
	rib_net_release(net);
}

static struct export_entry *entry_get(struct vrf_export *ex, struct rib_net *net)
{
	struct export_entry *e = entry_find(ex, net);

	if (e)
		return e;
	e = xcalloc(1, sizeof(*e));
	e->ex = ex;
	e->net = net;
	rib_net_hold(net);
	hash_insert(&ex->entries, &e->node, hash_ptr(net));
	return e;
}

static struct nexthop *nexthop_for(struct vrf_export *ex, const struct rib_route *best)
{
	bool lookup = best->nh->key.kind == NEXTHOP_LOCAL || best->flags & RIB_ROUTE_NETWORK;

	return lookup ? ex->into_vrf : best->nh;
}

static void announce(struct export_entry *e, const struct rib_route *best)
{
	struct vrf_export *ex = e->ex;
	struct attrs *attrs = attrs_for(ex, best->attrs);
	struct prefix p = rib_net_prefix(e->net);
	struct rib_path path = {
		.attrs = attrs,
		.nh = nexthop_for(ex, best),
		.label = (e->next ? e->next : e->now)->binding->label,
		.metric = best->metric,
	};
	char text[PREFIX_STRLEN];

	if (attrs) {
		rib_announce(&ex->source, &ex->rd, &p, &path);
	} else {
		log_err("vrf", "%s: %s is not exported: its attributes are too long",
			ex->af->vrf->name, prefix_str(&p, text));
		unannounce(e);
	}
	/* announced with the new one: the old one has done its work */
	if (e->next) {
		user_drop(e, &e->now);
		e->now = e->next;
		e->next = NULL;
	}
}

static bool exportable(const struct vrf_export *ex, const struct rib_net *net, const char **why)
{
	const struct rib_route *best = rib_best(net);

	if (!best)
		*why = "no usable route";
	else if (best->flags & RIB_ROUTE_IMPORTED)
		*why = "imported: not exported again";
	else if (!ex->af->configured)
		*why = "address family is not configured";
	else if (!ex->af->vrf->has_rd)
		*why = "the VRF has no route distinguisher";
	else if (!ex->af->export.n)
		*why = "the VRF exports no route target";
	else
		return vrf_announces(ex->af, net, why);
	return false;
}

static void on_change(struct rib_sub *sub, struct rib_net *net)
{
	struct vrf_export *ex = container_of(sub, struct vrf_export, sub);
	struct export_entry *e;
	const char *why;

	if (!exportable(ex, net, &why)) {
		e = entry_find(ex, net);
		if (e)
			entry_free(e);
		return;
	}
	e = entry_get(ex, net);
	if (get_label(e, rib_best(net)))
		announce(e, rib_best(net));
}

bool vrf_export_state(const struct vrf *v, const struct rib_net *net, struct vrf_export_state *st)
{
	const struct vrf_af *af = &v->af[family_afi(rib_table_family(rib_net_table(net)))];
	struct export_entry *e;

	st->label = FIB_LABEL_NONE;
	st->why = NULL;
	if (!exportable(af->exporter, net, &st->why))
		return false;
	e = entry_find(af->exporter, net);
	if (!e || !e->now) {
		if (e && e->next && !e->next->binding)
			st->why = "label range is exhausted";
		else
			st->why = "label is not acknowledged by forwarding yet";
		return false;
	}
	st->label = e->now->binding->label;
	return true;
}

/* ---- life ---- */

void export_again(struct vrf_export *ex)
{
	cache_drop(ex);
	if (rib_table_nets(ex->af->table))
		rib_refresh(&ex->sub);
}

void export_rd_changed(struct vrf_export *ex)
{
	rib_source_flush_now(&ex->source);
	ex->rd = ex->af->vrf->rd;
	export_again(ex);
}

struct vrf_export *export_new(struct vrfs *vs, struct vrf_af *af)
{
	struct vrf_export *ex = xcalloc(1, sizeof(*ex));

	ex->af = af;
	ex->vrfs = vs;
	ex->source.proto = &vpn_proto;
	ex->source.table = rib_table_vpn(vs->env.rib, af->family);
	ex->source.name = af->vrf->name;
	ex->source.distance = RIB_DISTANCE_EBGP;
	ex->source.is_bgp = true;
	ex->source.vrf = af->vrf->id;
	rib_source_init(&ex->source);
	ex->into_vrf = nexthop_vrf(vs->nht, af->vrf->id);
	ex->sub.name = "vpn export";
	ex->sub.change = on_change;
	rib_subscribe(af->table, &ex->sub, false);
	return ex;
}

void export_free(struct vrf_export *ex)
{
	struct hash_node *n;

	while ((n = hash_next(&ex->entries, NULL)))
		entry_free(hash_entry(n, struct export_entry, node));
	rib_unsubscribe(&ex->sub);
	rib_source_flush_now(&ex->source);
	/* imported copies elsewhere still look at the facts of the source until they are gone */
	rib_sub_drain(&ex->vrfs->import[family_afi(ex->af->family)].sub);
	cache_drop(ex);
	nexthop_put(ex->vrfs->nht, ex->into_vrf);
	free(ex);
}
