// SPDX-License-Identifier: GPL-2.0
/*
 * change - the difference between two configuration trees, and telling subscribers: see change.h.
 *
 * Two trees that follow each other are mostly alike and in the same order, so a node's counterpart is looked
 * for at the place after the last one first; only then is it searched.
 */
#include <stdlib.h>
#include <string.h>

#include "conf/change.h"
#include "conf/schema.h"
#include "lib/log.h"
#include "lib/mem.h"

struct event {
	enum conf_op op;
	const struct lyd_node *old, *now;
};

struct events {
	struct event *e;
	size_t count, size;
};

static bool same_instance(const struct lyd_node *a, const struct lyd_node *b)
{
	return a->schema == b->schema && a->hash == b->hash && lyd_compare_single(a, b, 0) == LY_SUCCESS;
}

/* The instance of a among siblings; *hint remembers where to look first. */
static const struct lyd_node *counterpart(const struct lyd_node *a, const struct lyd_node *siblings,
					  const struct lyd_node **hint)
{
	struct lyd_node *found = NULL;

	if (!siblings)
		return NULL;
	if (a->schema->nodetype == LYS_LEAF) {
		lyd_find_sibling_val(siblings, a->schema, NULL, 0, &found);
		return found;
	}
	if (*hint && same_instance(a, *hint))
		found = (struct lyd_node *)*hint;
	else
		lyd_find_sibling_first(siblings, a, &found);
	if (found)
		*hint = found->next;
	return found;
}

static bool counts(const struct lyd_node *node, bool set_only)
{
	return node->schema && (set_only ? conf_is_set(node) : true);
}

/* n-th next instance of the same ordered list has to be at the same place. */
static bool same_order(const struct lyd_node *a, const struct lyd_node *b)
{
	const struct lysc_node *schema = a->schema;

	for (a = a->prev; a->next && a->schema == schema; a = a->prev) {
		b = b->prev;
		if (!b->next || b->schema != schema)
			return false;
	}
	b = b->prev;
	return !b->next || b->schema != schema;
}

static bool siblings_equal(const struct lyd_node *a, const struct lyd_node *b, bool set_only)
{
	const struct lyd_node *node, *other, *hint = b;
	size_t in_a = 0, in_b = 0;

	LY_LIST_FOR(a, node) {
		if (!counts(node, set_only))
			continue;
		in_a++;
		other = counterpart(node, b, &hint);
		if (!other || !counts(other, set_only) || !conf_equal(node, other, set_only))
			return false;
		if (lysc_is_userordered(node->schema) && !same_order(node, other))
			return false;
	}
	LY_LIST_FOR(b, node)
		in_b += counts(node, set_only);
	return in_a == in_b;
}

bool conf_equal(const struct lyd_node *a, const struct lyd_node *b, bool set_only)
{
	if (a->schema->nodetype & (LYS_LEAF | LYS_LEAFLIST))
		return !strcmp(lyd_get_value(a), lyd_get_value(b));
	return siblings_equal(lyd_child(a), lyd_child(b), set_only);
}

bool conf_trees_equal(const struct lyd_node *a, const struct lyd_node *b, bool set_only)
{
	return siblings_equal(a, b, set_only);
}

/* ---- subscribers ---- */

static void add_event(struct events *list, const struct lyd_node *old, const struct lyd_node *now)
{
	if (list->count == list->size) {
		list->size = list->size ? 2 * list->size : 16;
		list->e = xrealloc(list->e, list->size * sizeof(*list->e));
	}
	list->e[list->count++] = (struct event){
		.op = !old ? CONF_ADD : !now ? CONF_DEL : CONF_MOD, .old = old, .now = now
	};
}

/* Instance of the subscriber's node itself. Either may be NULL. */
static void compare(struct events *list, const struct lyd_node *old, const struct lyd_node *now)
{
	if (old && !conf_is_set(old) && old->schema->nodetype == LYS_CONTAINER)
		old = NULL;
	if (now && !conf_is_set(now) && now->schema->nodetype == LYS_CONTAINER)
		now = NULL;
	if (!old && !now)
		return;
	if (old && now && conf_equal(old, now, false) &&
	    !(lysc_is_userordered(old->schema) && !same_order(old, now)))
		return;
	add_event(list, old, now);
}

/* Is schema the target, or above it? */
static bool leads_to(const struct lysc_node *schema, const struct lysc_node *target)
{
	while (target && target != schema)
		target = lysc_data_parent(target);
	return target != NULL;
}

static void collect(struct events *list, const struct lysc_node *target, const struct lyd_node *old,
		    const struct lyd_node *now)
{
	const struct lyd_node *node, *other, *hint = old;

	LY_LIST_FOR(now, node) {
		if (!node->schema || !leads_to(node->schema, target))
			continue;
		other = counterpart(node, old, &hint);
		if (node->schema == target)
			compare(list, other, node);
		else
			collect(list, target, other ? lyd_child(other) : NULL, lyd_child(node));
	}
	hint = now;
	LY_LIST_FOR(old, node) {
		if (!node->schema || !leads_to(node->schema, target) || counterpart(node, now, &hint))
			continue;
		if (node->schema == target)
			compare(list, node, NULL);
		else
			collect(list, target, lyd_child(node), NULL);
	}
}

static void tell(const struct conf_sub *s, const struct event *e)
{
	static const char *const names[] = { "add", "delete", "modify" };
	char path[256];

	if (!lyd_path(e->now ? e->now : e->old, LYD_PATH_STD, path, sizeof(path)))
		path[0] = 0;
	log_debug("conf", "%s: %s %s", s->sub.name, names[e->op], path);
	s->sub.change(e->op, e->old, e->now, s->sub.arg);
}

static int by_prio(const void *a, const void *b)
{
	const struct conf_sub *x = *(const struct conf_sub *const *)a, *y = *(const struct conf_sub *const *)b;

	if (x->sub.prio != y->sub.prio)
		return x->sub.prio < y->sub.prio ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

void conf_dispatch(const struct conf_sub *subs, const struct lyd_node *old, const struct lyd_node *now)
{
	const struct conf_sub **sorted, *s;
	struct events *events;
	size_t n = 0;

	for (s = subs; s; s = s->next)
		n += s->sub.change != NULL;
	if (!n)
		return;
	sorted = xcalloc(n, sizeof(*sorted));
	events = xcalloc(n, sizeof(*events));
	n = 0;
	for (s = subs; s; s = s->next) {
		if (s->sub.change)
			sorted[n++] = s;
	}
	qsort(sorted, n, sizeof(*sorted), by_prio);
	for (size_t i = 0; i < n; i++)
		collect(&events[i], sorted[i]->schema, old, now);
	for (size_t i = n; i-- > 0;) {
		for (size_t k = events[i].count; k-- > 0;) {
			if (events[i].e[k].op == CONF_DEL)
				tell(sorted[i], &events[i].e[k]);
		}
	}
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < events[i].count; k++) {
			if (events[i].e[k].op != CONF_DEL)
				tell(sorted[i], &events[i].e[k]);
		}
		free(events[i].e);
	}
	free(events);
	free(sorted);
}
