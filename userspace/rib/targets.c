// SPDX-License-Identifier: GPL-2.0
/*
 * VPN routes by route target (targets.h). Attributes are in the index while a route of a VPN table has them: one
 * entry for each of their route targets, or one for none at all.
 */
#include "rib/targets.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "rib/private.h"

/* a route target, and who carries it */
struct target {
	struct hash_node node;
	uint8_t rt[8];			/* zero: none */
	uint32_t n;
	struct list carriers;		/* struct carrier.node */
};

struct carrier {
	struct list node;
	struct target *target;
	struct attrs *attrs;
};

struct targets {
	struct hash hash;
	struct list walks;
};

struct targets *targets_new(void)
{
	struct targets *ts = xcalloc(1, sizeof(*ts));

	list_init(&ts->walks);
	return ts;
}

void targets_free(struct targets *ts)
{
	hash_fini(&ts->hash);
	free(ts);
}

static bool match(const struct hash_node *n, const void *key)
{
	return !memcmp(hash_entry(n, struct target, node)->rt, key, 8);
}

static struct target *find(const struct targets *ts, const uint8_t rt[8])
{
	struct hash_node *n = hash_find(&ts->hash, hash_bytes(rt, 8, 0), match, rt);

	return n ? hash_entry(n, struct target, node) : NULL;
}

static void carry(struct targets *ts, struct carrier *c, struct attrs *a, const uint8_t rt[8])
{
	struct target *t = find(ts, rt);

	if (!t) {
		t = xcalloc(1, sizeof(*t));
		memcpy(t->rt, rt, 8);
		list_init(&t->carriers);
		hash_insert(&ts->hash, &t->node, hash_bytes(rt, 8, 0));
	}
	t->n++;
	c->target = t;
	c->attrs = a;
	list_add_tail(&t->carriers, &c->node);
}

static void uncarry(struct targets *ts, struct carrier *c)
{
	struct target *t = c->target;

	list_del(&c->node);
	if (--t->n)
		return;
	hash_remove(&ts->hash, &t->node);
	free(t);
}

/* entries of these attributes: at least one */
static unsigned int carriers_of(const struct attrs *a)
{
	uint16_t len, at;
	const uint8_t *ext = attrs_part(a, ATTRS_EXT, &len);
	unsigned int n = 0;

	for (at = 0; at < len; at += 8)
		n += attrs_is_target(ext + at);
	return n ? n : 1;
}

static void enter(struct targets *ts, struct attrs *a)
{
	static const uint8_t none[8];
	unsigned int n = carriers_of(a), i = 0;
	uint16_t len, at;
	const uint8_t *ext = attrs_part(a, ATTRS_EXT, &len);
	struct carrier *c = xcalloc(n, sizeof(*c));

	a->carriers = c;
	for (at = 0; at < len; at += 8)
		if (attrs_is_target(ext + at))
			carry(ts, &c[i++], a, ext + at);
	if (!i)
		carry(ts, &c[0], a, none);
}

static void leave(struct targets *ts, struct attrs *a)
{
	struct carrier *c = a->carriers;
	unsigned int n = carriers_of(a), i;

	a->carriers = NULL;
	for (i = 0; i < n; i++)
		uncarry(ts, &c[i]);
	free(c);
}

void targets_link(struct rib *rib, struct rib_route *r)
{
	struct attrs *a = r->attrs;

	if (!a || r->source->table->kind != RIB_TABLE_VPN)
		return;
	if (rib_list_empty(&a->routes))
		enter(rib->targets, a);
	route_link(rib, &a->routes, r, RIB_OF_ATTRS);
}

void targets_unlink(struct rib *rib, struct rib_route *r)
{
	struct rib_target_walk *w;
	struct attrs *a = r->attrs;

	if (!a || r->source->table->kind != RIB_TABLE_VPN)
		return;
	list_for_each(w, &rib->targets->walks, struct rib_target_walk, node)
		if (w->route == r->number) {
			w->route = r->link[RIB_OF_ATTRS].next;
			w->at += !w->route;
		}
	route_unlink(rib, &a->routes, r, RIB_OF_ATTRS);
	if (rib_list_empty(&a->routes))
		leave(rib->targets, a);
}

/* ---- walks ---- */

void rib_target_walk_init(struct rib_target_walk *w, const struct rib_table *t)
{
	memset(w, 0, sizeof(*w));
	w->table = t;
	list_add_tail(&t->rib->targets->walks, &w->node);
}

void rib_target_walk_add(struct rib_target_walk *w, const uint8_t target[8])
{
	static const uint8_t none[8];
	struct target *t = find(w->table->rib->targets, target ? target : none);
	struct carrier *c;

	if (!t)
		return;
	if (w->n + t->n > w->size) {
		w->size = (w->n + t->n) * 2;
		w->attrs = xrealloc(w->attrs, w->size * sizeof(struct attrs *));
	}
	list_for_each(c, &t->carriers, struct carrier, node)
		w->attrs[w->n++] = attrs_get(c->attrs);
}

static void forget(struct rib_target_walk *w)
{
	for (; w->n; w->n--)
		attrs_put(w->attrs[w->n - 1]);
	free(w->attrs);
	w->attrs = NULL;
	w->at = w->size = w->route = 0;
}

struct rib_route *rib_target_walk_next_route(struct rib_target_walk *w)
{
	struct rib *rib = w->table->rib;
	struct rib_route *r;

	while (w->at < w->n) {
		if (!w->route)
			w->route = w->attrs[w->at]->routes.first;
		r = route_at(rib, w->route);
		w->route = r ? r->link[RIB_OF_ATTRS].next : 0;
		w->at += !w->route;
		if (r && r->source->table == w->table)
			return r;
	}
	forget(w);
	return NULL;
}

struct rib_net *rib_target_walk_next(struct rib_target_walk *w)
{
	struct rib_route *r = rib_target_walk_next_route(w);

	return r ? r->net : NULL;
}

void rib_target_walk_end(struct rib_target_walk *w)
{
	forget(w);
	list_del(&w->node);
}

uint32_t rib_target_attrs(struct rib *rib, const uint8_t target[8])
{
	struct target *t = find(rib->targets, target);

	return t ? t->n : 0;
}
