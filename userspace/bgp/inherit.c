// SPDX-License-Identifier: GPL-2.0
/* neighbor-group: contracts in inherit.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/inherit.h"

#define REL_MAX 128

const struct lyd_node *inherit_group(const struct lyd_node *bgp, const char *name)
{
	const struct lysc_node *list = bgp ? lys_find_child(bgp->schema, bgp->schema->module, "neighbor-group", 0,
							    LYS_LIST, 0) : NULL;
	struct lyd_node *found = NULL;
	char key[REL_MAX];

	if (!list || !lyd_child(bgp))
		return NULL;
	snprintf(key, sizeof(key), "[name='%s']", name);
	lyd_find_sibling_val(lyd_child(bgp), list, key, 0, &found);
	return found;
}

static const struct lyd_node *instance_of(const struct lyd_node *node)
{
	while (node && strcmp(LYD_NAME(node), "bgp"))
		node = lyd_parent(node);
	return node;
}

bool inherit_resolve(const struct lyd_node *node, struct inherit *i, struct conf_error *err)
{
	const struct lyd_node *bgp = instance_of(node), *use;

	i->n = 0;
	for (;;) {
		i->node[i->n++] = node;
		use = conf_child(node, "neighbor-group");
		if (!use)
			return true;
		if (i->n == INHERIT_DEPTH)
			return conf_error_node(err, use, "neighbor-group %s is used by a group that is used by a group",
					       conf_value(use));
		node = inherit_group(bgp, conf_value(use));
		if (!node)
			return conf_error_node(err, use, "neighbor-group %s is not configured", conf_value(use));
	}
}

const struct lyd_node *inherit_find(const struct inherit *i, const char *rel, const struct lyd_node **from)
{
	for (unsigned int k = 0; k < i->n; k++) {
		if (!conf_exists(i->node[k], rel))
			continue;
		if (from)
			*from = i->node[k];
		return conf_child(i->node[k], rel);
	}
	return NULL;
}

bool inherit_exists(const struct inherit *i, const char *rel)
{
	return inherit_find(i, rel, NULL) != NULL;
}

const char *inherit_str(const struct inherit *i, const char *rel, const char *dflt)
{
	const struct lyd_node *leaf = inherit_find(i, rel, NULL);

	return leaf ? conf_value(leaf) : conf_str(i->node[0], rel, dflt);
}

uint32_t inherit_u32(const struct inherit *i, const char *rel, uint32_t dflt)
{
	const struct lyd_node *from = i->node[0];

	inherit_find(i, rel, &from);
	return conf_u32(from, rel, dflt);
}

bool inherit_flag(const struct inherit *i, const char *rel)
{
	const struct lyd_node *from = NULL;

	return inherit_find(i, rel, &from) && conf_bool(from, rel, false);
}

/* ---- all of it ---- */

struct each {
	const struct inherit *i;
	void (*fn)(const char *rel, const struct lyd_node *leaf, const char *value, const struct lyd_node *from,
		   void *arg);
	void *arg;
};

static void each_leaf(const struct each *e, const char *rel)
{
	const struct lyd_node *from = NULL, *leaf = inherit_find(e->i, rel, &from);
	const char *value = leaf ? conf_value(leaf) : conf_str(e->i->node[0], rel, NULL);

	if (value)
		e->fn(rel, leaf, value, from, e->arg);
}

/* @at: a container or list whose children are told; @above: its path, with a slash at the end, or "" */
static void each_below(const struct each *e, const struct lysc_node *at, const char *above)
{
	const struct lysc_node *child = NULL;
	char rel[REL_MAX];

	while ((child = lys_getnext(child, at, NULL, 0))) {
		snprintf(rel, sizeof(rel), "%s%s", above, child->name);
		if (child->nodetype == LYS_LEAF && !lysc_is_key(child)) {
			each_leaf(e, rel);
		} else if (child->nodetype == LYS_CONTAINER &&
			   (!(child->flags & LYS_PRESENCE) || inherit_exists(e->i, rel))) {
			snprintf(rel, sizeof(rel), "%s%s/", above, child->name);
			each_below(e, child, rel);
		}
	}
}

void inherit_each(const struct inherit *i,
		  void (*fn)(const char *rel, const struct lyd_node *leaf, const char *value,
			     const struct lyd_node *from, void *arg),
		  void *arg)
{
	const struct each e = { .i = i, .fn = fn, .arg = arg };

	each_below(&e, i->node[0]->schema, "");
}
