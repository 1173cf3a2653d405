// SPDX-License-Identifier: GPL-2.0
/* Labelled unicast: paths and labels of the best routes (lu.h). Networks of our own are in lu_network.c. */
#include "bgp/lu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/lu_private.h"
#include "lib/mem.h"

#define PATH_NAME "best"

static struct nht *nht_of(const struct bgp_lu *lu)
{
	return rib_nht(lu->bgp->env.rib);
}

/* ---- entries: nets that have a path or a label ---- */

static bool match_net(const struct hash_node *n, const void *net)
{
	return hash_entry(n, struct bgp_lu_entry, node)->net == net;
}

static struct bgp_lu_entry *entry_find(const struct bgp_lu *lu, const struct rib_net *net)
{
	struct hash_node *n = hash_find(&lu->entries, hash_ptr(net), match_net, net);

	return n ? hash_entry(n, struct bgp_lu_entry, node) : NULL;
}

static void on_ready(struct label_user *u)
{
	struct bgp_lu_entry *e = container_of(u, struct bgp_lu_entry, user);

	bgp_groups_net_changed(e->lu->bgp, e->net);
}

static void on_retry(struct label_user *u)
{
	struct bgp_lu_entry *e = container_of(u, struct bgp_lu_entry, user);

	e->waiting = false;
	rib_touch(&e->lu->sub, e->net);
}

static struct bgp_lu_entry *entry_get(struct bgp_lu *lu, struct rib_net *net)
{
	struct bgp_lu_entry *e = entry_find(lu, net);

	if (e)
		return e;
	e = xcalloc(1, sizeof(*e));
	e->lu = lu;
	e->net = net;
	label_user_init(&e->user);
	e->user.ready = on_ready;
	e->user.retry = on_retry;
	rib_net_hold(net);
	hash_insert(&lu->entries, &e->node, hash_ptr(net));
	return e;
}

/* ---- the path ---- */

static void path_drop(struct bgp_lu_entry *e)
{
	struct prefix fec = rib_net_prefix(e->net);

	if (e->has_path)
		lsp_withdraw(nht_of(e->lu), &fec, RIB_PROTO_BGP, PATH_NAME);
	e->has_path = false;
}

static void path_set(struct bgp_lu_entry *e, const struct rib_route *best)
{
	struct prefix fec = rib_net_prefix(e->net);
	struct lsp_path path;

	memset(&path, 0, sizeof(path));
	path.owner = RIB_PROTO_BGP;
	strcpy(path.name, PATH_NAME);
	path.gateway = best->nh->key.addr;
	memcpy(path.ifname, best->nh->key.ifname, sizeof(path.ifname));
	path.recursive = !path.ifname[0];
	path.weight = 1;
	path.n_labels = 1;
	path.labels[0] = best->label;
	if (e->has_path && !memcmp(&e->path, &path, sizeof(path)))
		return;
	e->path = path;
	e->has_path = true;
	lsp_announce(nht_of(e->lu), &fec, &path);
}

/* ---- the label ---- */

static bool covers(const struct bgp_lu *lu, const struct rib_net *net)
{
	struct prefix p = rib_net_prefix(net);
	unsigned int i;

	for (i = 0; i < lu->n_within; i++)
		if (prefix_contains(&lu->within[i], &p))
			return true;
	return lu->all;
}

/* The best, if it can carry packets: one that only an IP route leads to is reflected, and no more. */
static const struct rib_route *usable(const struct rib_net *net)
{
	const struct rib_route *best = rib_best(net);

	return best && nexthop_usable(best->nh) ? best : NULL;
}

static bool received(const struct rib_route *r)
{
	return !r->source->is_local;
}

/* an address of ours, or a network that we are connected to: no label leads on */
static bool ends_here(const struct rib_route *r)
{
	return r->nh->key.kind == NEXTHOP_LOCAL;
}

static bool wants_label(const struct bgp_lu *lu, const struct rib_route *best)
{
	return received(best) ? covers(lu, best->net) : !ends_here(best);
}

static void label_drop(struct bgp_lu_entry *e)
{
	label_release(e->lu->bgp->env.labels, &e->user);
	e->waiting = false;
}

static void label_set(struct bgp_lu_entry *e, const struct rib_route *best)
{
	struct labels *labels = e->lu->bgp->env.labels;
	struct label_key key = { .owner = LABEL_OWNER_LU, .prefix = rib_net_prefix(e->net) };
	struct label_action action = { .action = FIB_LABEL_SWAP, .out_label = best->label };

	if (e->waiting)
		return;
	action.nh = nexthop_fib_use(nht_of(e->lu), best->nh);
	if (e->user.binding)
		label_update(labels, e->user.binding, &action);
	else
		e->waiting = !label_request(labels, &e->user, &key, &action);
	fib_nh_put(rib_fib(e->lu->bgp->env.rib), action.nh);
}

/* ---- a net as a whole ---- */

static void entry_free(struct bgp_lu_entry *e)
{
	struct rib_net *net = e->net;

	path_drop(e);
	label_drop(e);
	hash_remove(&e->lu->entries, &e->node);
	free(e);
	rib_net_release(net);
}

static struct bgp_lu_entry *update(struct bgp_lu *lu, struct rib_net *net)
{
	const struct rib_route *best = usable(net);
	bool path = best && received(best), label = best && wants_label(lu, best);
	struct bgp_lu_entry *e = path || label ? entry_get(lu, net) : entry_find(lu, net);

	if (!e)
		return NULL;
	if (label)
		label_set(e, best);
	if (path)
		path_set(e, best);
	if (!path)
		path_drop(e);
	if (!label)
		label_drop(e);
	if (path || label)
		return e;
	entry_free(e);
	return NULL;
}

/* The best may be the same as before, and carry packets now, or no more. */
static void on_change(struct rib_sub *sub, struct rib_net *net)
{
	struct bgp_lu *lu = container_of(sub, struct bgp_lu, sub);
	bool had = entry_find(lu, net);

	if (had != !!update(lu, net))
		bgp_groups_net_changed(lu->bgp, net);
}

static bool state(const struct bgp_lu *lu, const struct rib_net *net, const struct bgp_lu_entry *e, uint32_t *label,
		  const char **why)
{
	const struct rib_route *best = usable(net);

	*why = NULL;
	if (!best)
		*why = "no usable route";
	else if (!received(best) && ends_here(best))
		*label = !lu->explicit_null ? LABEL_IMPLICIT_NULL : lu->family == AF_INET ? 0 : 2;
	else if (!wants_label(lu, best))
		*why = "allocate-label does not cover it";
	else if (!e || e->waiting || !e->user.binding)
		*why = "label range is exhausted";
	else if (!label_is_ready(&e->user))
		*why = "label is not acknowledged by forwarding yet";
	else
		*label = e->user.binding->label;
	return !*why;
}

bool bgp_lu_label(struct bgp_lu *lu, struct rib_net *net, uint32_t *label)
{
	const char *why;

	return state(lu, net, update(lu, net), label, &why);
}

bool bgp_lu_label_get(const struct bgp_lu *lu, const struct rib_net *net, uint32_t *label, const char **why)
{
	const char *ignored;

	return state(lu, net, entry_find(lu, net), label, why ? why : &ignored);
}

/* ---- configuration and life ---- */

/* Everything is judged again: by the table's subscription, and by what is said to peers. */
static void judge_all(struct bgp_lu *lu)
{
	struct rib_cursor at = { 0 };
	struct rib_net *net;

	while ((net = rib_walk(lu->table, &at))) {
		rib_net_hold(net);
		update(lu, net);
		bgp_groups_net_changed(lu->bgp, net);
		rib_net_release(net);
	}
}

void bgp_lu_configure(struct bgp_lu *lu, const struct bgp_lu_conf *conf)
{
	lu->explicit_null = conf->explicit_null;
	lu->all = conf->all;
	free(lu->within);
	lu->n_within = conf->n_within;
	lu->within = conf->n_within ? xmemdup(conf->within, conf->n_within * sizeof(*conf->within)) : NULL;
	bgp_lu_networks_set(lu, conf->networks, conf->n_networks);
	judge_all(lu);
}

struct bgp_lu *bgp_lu_new(struct bgp *b, uint8_t family)
{
	struct bgp_lu *lu = xcalloc(1, sizeof(*lu));

	lu->bgp = b;
	lu->family = family;
	lu->table = rib_table_labelled(b->env.rib, family);
	lu->sub.name = "labelled unicast";
	lu->sub.change = on_change;
	lu->sub.all_paths = true;
	rib_subscribe(lu->table, &lu->sub, true);
	bgp_lu_networks_start(lu);
	return lu;
}

void bgp_lu_free(struct bgp_lu *lu)
{
	struct hash_node *n;

	bgp_lu_networks_stop(lu);
	rib_unsubscribe(&lu->sub);
	while ((n = hash_next(&lu->entries, NULL)))
		entry_free(hash_entry(n, struct bgp_lu_entry, node));
	hash_fini(&lu->entries);
	free(lu->within);
	free(lu);
}
