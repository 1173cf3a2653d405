// SPDX-License-Identifier: GPL-2.0
/* value - reading a configuration tree: the accessors of conf.h. They change nothing. */
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/schema.h"

static bool named(const char *want, size_t len, const char *name)
{
	return !strncmp(want, name, len) && !name[len];
}

static const struct lyd_node *find_child(const struct lyd_node *node, const char *name, size_t len)
{
	const struct lyd_node *child;

	LY_LIST_FOR(lyd_child(node), child) {
		if (child->schema && named(name, len, child->schema->name))
			return child;
	}
	return NULL;
}

const struct lyd_node *conf_child(const struct lyd_node *node, const char *rel)
{
	while (node) {
		size_t len = strcspn(rel, "/");

		node = find_child(node, rel, len);
		if (!rel[len])
			break;
		rel += len + 1;
	}
	return node;
}

const struct lyd_node *conf_top(const struct lyd_node *tree, const char *name)
{
	const struct lyd_node *node;

	LY_LIST_FOR(lyd_first_sibling(tree), node) {
		if (node->schema && !strcmp(node->schema->name, name))
			return node;
	}
	return NULL;
}

const struct lyd_node *conf_next(const struct lyd_node *entry)
{
	const struct lysc_node *schema = entry->schema;

	for (entry = entry->next; entry; entry = entry->next) {
		if (entry->schema == schema)
			return entry;
	}
	return NULL;
}

static const struct lyd_node *keyed(const struct lyd_node *entry, const char *key)
{
	for (; entry; entry = conf_next(entry)) {
		const struct lyd_node *first = entry->schema->nodetype == LYS_LIST ? lyd_child(entry) : entry;

		if (first && !strcmp(lyd_get_value(first), key))
			return entry;
	}
	return NULL;
}

const struct lyd_node *conf_entry(const struct lyd_node *node, const char *name, const char *key)
{
	return keyed(conf_child(node, name), key);
}

const struct lyd_node *conf_top_entry(const struct lyd_node *tree, const char *name, const char *key)
{
	return keyed(conf_top(tree, name), key);
}

const char *conf_value(const struct lyd_node *leaf)
{
	return leaf ? lyd_get_value(leaf) : NULL;
}

/* The schema's default of the leaf at rel below a node in which it has no instance. */
static const char *schema_default(const struct lyd_node *node, const char *rel)
{
	const struct lysc_node *schema = node->schema;
	const struct lysc_node_leaf *leaf;

	while (schema) {
		const struct lysc_node *parent = schema;
		size_t len = strcspn(rel, "/");

		for (schema = NULL; (schema = lys_getnext(schema, parent, NULL, 0));) {
			if (named(rel, len, schema->name))
				break;
		}
		if (!rel[len])
			break;
		rel += len + 1;
	}
	if (!schema || schema->nodetype != LYS_LEAF)
		return NULL;
	leaf = (const struct lysc_node_leaf *)schema;
	return leaf->dflt ? lyd_value_get_canonical(LYD_CTX(node), leaf->dflt) : NULL;
}

const char *conf_str(const struct lyd_node *node, const char *rel, const char *dflt)
{
	const struct lyd_node *leaf = conf_child(node, rel);
	const char *value = NULL;

	if (leaf)
		value = lyd_get_value(leaf);
	else if (node)
		value = schema_default(node, rel);
	return value ? value : dflt;
}

uint32_t conf_u32(const struct lyd_node *node, const char *rel, uint32_t dflt)
{
	const char *value = conf_str(node, rel, NULL);
	unsigned long long n;
	char *end;

	if (!value || !*value)
		return dflt;
	n = strtoull(value, &end, 10);
	return *end || n > UINT32_MAX ? dflt : n;
}

bool conf_bool(const struct lyd_node *node, const char *rel, bool dflt)
{
	const struct lyd_node *leaf = conf_child(node, rel);
	const char *value;

	if (leaf && conf_is_type(leaf->schema, LY_TYPE_EMPTY))
		return true;
	value = conf_str(node, rel, NULL);
	return value ? !strcmp(value, "true") : dflt;
}

bool conf_exists(const struct lyd_node *node, const char *rel)
{
	const struct lyd_node *child = conf_child(node, rel);

	return child && conf_is_set(child);
}
