// SPDX-License-Identifier: GPL-2.0
/*
 * Export: VRF table -> VPN table, with RD, route targets and label (RFC 4364 sections 4.3, 5).
 *
 * A route is announced once its label is programmed. When another label is wanted (mode or way
 * changed) the old one stays announced and forwarding until the new one is programmed; then the
 * new one is announced, and the old one released, which lingers before it is removed.
 *
 * Best external: where the best route came from another PE, the best one of our own is announced all the same, so that
 * others have a second way into the site. Its label leads to the CE and nowhere else: looked up in the VRF, the packet
 * would go back to the PE that had sent it here.
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
	bool external;			/* what is announced is not the best */
};

/* what of a net is exported */
struct exported {
	struct rib_route *r;		/* NULL: nothing */
	bool external;
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

/* ---- which route ---- */

/* It leaves by a port of ours, without a look-up. */
static bool is_external(const struct rib_route *r, const void *unused)
{
	if (r->flags & (RIB_ROUTE_IMPORTED | RIB_ROUTE_NETWORK))
		return false;
	return r->nh->key.kind == NEXTHOP_GATEWAY || r->nh->key.kind == NEXTHOP_DEVICE ||
	       r->nh->key.kind == NEXTHOP_GROUP;
}

static struct exported choose(const struct vrf_export *ex, const struct rib_net *net)
{
	struct exported x = { .r = rib_best(net) };

	if (!x.r || !(x.r->flags & RIB_ROUTE_IMPORTED) || !ex->af->best_external)
		return x;
	x.external = rib_net_rank(net, &x.r, 1, is_external, NULL);
	return x;
}

/* ---- which label ---- */

/* Out of it by several ports at once, or by several CEs? */
static bool has_several_ways(const struct rib_net *net)
{
	unsigned int i, n = 0;
	struct rib_paths p;

	rib_net_paths(net, &p);
	for (i = 0; i < p.n; i++)
		n += !(p.path[i]->flags & RIB_ROUTE_IMPORTED);
	return n > 1;
}

static bool has_way_of_its_own(const struct rib_route *r, enum label_mode mode)
{
	if (r->flags & RIB_ROUTE_NETWORK)
		return false;
	if (mode == LABEL_MODE_PREFIX)
		return r->nh->key.kind == NEXTHOP_GATEWAY || r->nh->key.kind == NEXTHOP_GROUP;
	return r->nh->key.kind == NEXTHOP_GATEWAY && !has_several_ways(r->net);
}

static void key_of_ce(const struct rib_route *r, struct label_key *key)
{
	key->prefix = prefix_host(&r->nh->key.addr);
	memcpy(key->ifname, r->nh->key.ifname, sizeof(key->ifname));
}

/*
 * Connected routes, aggregates, what has no CE as next hop, and several CEs need a lookup at the egress:
 * they share the VRF's label in every mode.
 */
static void want_label(const struct export_entry *e, const struct exported *x,
		       struct label_key *key, struct label_action *action)
{
	const struct vrf *v = e->ex->af->vrf;
	enum label_mode mode = v->label_mode;

	memset(key, 0, sizeof(*key));
	memset(action, 0, sizeof(*action));
	strcpy(key->vrf, v->name);
	action->vrf = v->id;
	if (!x->external && (mode == LABEL_MODE_VRF || !has_way_of_its_own(x->r, mode))) {
		key->owner = LABEL_OWNER_VRF;
		action->action = FIB_LABEL_POP_VRF;
		return;
	}
	action->action = FIB_LABEL_POP_NH;
	action->nh = rib_label_way(x->r, x->external);
	key->owner = x->external ? LABEL_OWNER_EXTERNAL : mode == LABEL_MODE_CE ? LABEL_OWNER_CE : LABEL_OWNER_PREFIX;
	if (key->owner != LABEL_OWNER_PREFIX && x->r->nh->key.kind == NEXTHOP_GATEWAY)
		key_of_ce(x->r, key);
	else
		key->prefix = rib_net_prefix(e->net);
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
static bool get_label(struct export_entry *e, const struct exported *x)
{
	struct labels *labels = e->ex->vrfs->env.labels;
	struct label_user *old = NULL;
	struct label_action action;
	struct label_key key;

	want_label(e, x, &key, &action);
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

/* Under an RD that is another PE's too, what is announced need not be the best of its net: peers are told of ours. */
static void tell(struct export_entry *e, bool external)
{
	struct prefix p = rib_net_prefix(e->net);
	struct rib_net *net = external || e->external ? rib_find(e->ex->source.table, &e->ex->rd, &p) : NULL;

	if (net)
		rib_tell(net);
	e->external = external;
}

static void unannounce(struct export_entry *e)
{
	struct prefix p = rib_net_prefix(e->net);

	if (rib_withdraw(&e->ex->source, &e->ex->rd, &p, 0))
		tell(e, false);
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

static struct nexthop *nexthop_for(struct vrf_export *ex, const struct rib_route *r)
{
	bool lookup = r->nh->key.kind == NEXTHOP_LOCAL || r->flags & RIB_ROUTE_NETWORK;

	return lookup ? ex->into_vrf : r->nh;
}

static void announce(struct export_entry *e, const struct exported *x)
{
	struct vrf_export *ex = e->ex;
	struct attrs *attrs = attrs_for(ex, x->r->attrs);
	struct prefix p = rib_net_prefix(e->net);
	struct rib_path path = {
		.attrs = attrs,
		.nh = nexthop_for(ex, x->r),
		.label = (e->next ? e->next : e->now)->binding->label,
		.metric = x->r->metric,
	};
	char text[PREFIX_STRLEN];

	if (attrs) {
		rib_announce(&ex->source, &ex->rd, &p, &path);
		tell(e, x->external);
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

static bool exportable(const struct vrf_export *ex, const struct exported *x, const char **why)
{
	if (!x->r)
		*why = "no usable route";
	else if (x->r->flags & RIB_ROUTE_IMPORTED)
		*why = "imported: not exported again";
	else if (!ex->af->configured)
		*why = "address family is not configured";
	else if (!ex->af->vrf->has_rd)
		*why = "the VRF has no route distinguisher";
	else if (!ex->af->export.n)
		*why = "the VRF exports no route target";
	else
		return vrf_announces_route(ex->af, x->r, why);
	return false;
}

static void on_change(struct rib_sub *sub, struct rib_net *net)
{
	struct vrf_export *ex = container_of(sub, struct vrf_export, sub);
	const struct exported x = choose(ex, net);
	struct export_entry *e;
	const char *why;

	if (!exportable(ex, &x, &why)) {
		e = entry_find(ex, net);
		if (e)
			entry_free(e);
		return;
	}
	e = entry_get(ex, net);
	if (get_label(e, &x))
		announce(e, &x);
}

bool vrf_export_state(const struct vrf *v, const struct rib_net *net, struct vrf_export_state *st)
{
	const struct vrf_af *af = &v->af[family_afi(rib_table_family(rib_net_table(net)))];
	const struct exported x = choose(af->exporter, net);
	struct export_entry *e;

	st->label = FIB_LABEL_NONE;
	st->why = NULL;
	st->route = x.r;
	if (!exportable(af->exporter, &x, &st->why))
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
	/* labels of CEs lead to all ways out of a net */
	ex->sub.all_paths = ex->af->best_external || ex->af->vrf->label_mode != LABEL_MODE_VRF;
	if (rib_table_nets(ex->af->table))
		rib_refresh(&ex->sub);
}

void export_rd_changed(struct vrf_export *ex)
{
	struct hash_node *n;

	for (n = hash_next(&ex->entries, NULL); n; n = hash_next(&ex->entries, n))
		if (hash_entry(n, struct export_entry, node)->external)
			unannounce(hash_entry(n, struct export_entry, node));
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
