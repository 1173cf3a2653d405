// SPDX-License-Identifier: GPL-2.0
/* refs - leafrefs to the names of top-level lists (RFC 7950 9.9), checked with an index: see refs.h. */
#include <stdlib.h>
#include <string.h>

#include "conf/refs.h"
#include "conf/schema.h"
#include "lib/mem.h"

struct ref {
	const struct lysc_node *leaf;
	const struct lysc_node *list;	/* whose first key it names */
	struct ref *next;
};

struct conf_refs {
	struct ref *refs;
};

/* The names of one list's entries, sorted. */
struct names {
	const char **name;
	size_t count;
};

/* prefixes are our modules' names; what cannot be resolved so stays with libyang */
static const struct lysc_node *target_of(const struct ly_ctx *ctx, const struct lysc_type_leafref *type)
{
	const char *path = lyxp_get_expr(type->path);
	const struct lysc_node *target = path && *path == '/' ? lys_find_path(ctx, NULL, path, 0) : NULL;

	ly_err_clean((struct ly_ctx *)ctx, NULL);
	return target;
}

static void take_over(const struct ly_ctx *ctx, struct conf_refs *refs, const struct lysc_node *leaf)
{
	struct lysc_type_leafref *type = (struct lysc_type_leafref *)((const struct lysc_node_leaf *)leaf)->type;
	const struct lysc_node *target = target_of(ctx, type);
	struct ref *ref;

	if (!target || !type->require_instance || !target->parent || target->parent->nodetype != LYS_LIST ||
	    target->parent->parent || lysc_node_child(target->parent) != target)
		return;
	type->require_instance = 0;
	ref = xcalloc(1, sizeof(*ref));
	ref->leaf = leaf;
	ref->list = target->parent;
	ref->next = refs->refs;
	refs->refs = ref;
}

static void walk(const struct ly_ctx *ctx, const struct lysc_node *parent, struct conf_refs *refs)
{
	const struct lysc_node *node = NULL;

	while ((node = conf_schema_next(ctx, parent, node))) {
		if (node->nodetype & (LYS_CONTAINER | LYS_LIST))
			walk(ctx, node, refs);
		else if (node->nodetype == LYS_LEAF && conf_is_type(node, LY_TYPE_LEAFREF))
			take_over(ctx, refs, node);
	}
}

struct conf_refs *conf_refs_new(const struct ly_ctx *ctx)
{
	struct conf_refs *refs = xcalloc(1, sizeof(*refs));

	walk(ctx, NULL, refs);
	return refs;
}

void conf_refs_free(struct conf_refs *refs)
{
	struct ref *ref;

	if (!refs)
		return;
	while ((ref = refs->refs)) {
		refs->refs = ref->next;
		free(ref);
	}
	free(refs);
}

/* ---- a tree ---- */

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static struct names names_of(const struct lyd_node *tree, const struct lysc_node *list)
{
	struct names names = { NULL, 0 };
	const struct lyd_node *node;
	size_t size = 0;

	LY_LIST_FOR(tree, node) {
		if (node->schema != list)
			continue;
		if (names.count == size) {
			size = size ? 2 * size : 64;
			names.name = xrealloc(names.name, size * sizeof(*names.name));
		}
		names.name[names.count++] = lyd_get_value(lyd_child(node));
	}
	if (names.count)
		qsort(names.name, names.count, sizeof(*names.name), compare);
	return names;
}

static bool known(const struct names *names, const char *name)
{
	return names->count && bsearch(&name, names->name, names->count, sizeof(*names->name), compare);
}

static bool leads_to(const struct lysc_node *schema, const struct lysc_node *leaf)
{
	while (leaf && leaf != schema)
		leaf = lysc_data_parent(leaf);
	return leaf != NULL;
}

static bool check(const struct ref *ref, const struct names *names, const struct lyd_node *first,
		  struct conf_error *err)
{
	const struct lyd_node *node;

	LY_LIST_FOR(first, node) {
		if (node->schema == ref->leaf) {
			if (!known(names, lyd_get_value(node)))
				return conf_error_node(err, node, "%s \"%s\" is not configured", ref->list->name,
						       lyd_get_value(node));
		} else if (leads_to(node->schema, ref->leaf) && !check(ref, names, lyd_child(node), err)) {
			return false;
		}
	}
	return true;
}

bool conf_refs_check(const struct conf_refs *refs, const struct lyd_node *tree, struct conf_error *err)
{
	bool ok = true;

	for (const struct ref *ref = refs->refs; ok && ref; ref = ref->next) {
		struct names names = names_of(tree, ref->list);

		ok = check(ref, &names, tree, err);
		free(names.name);
	}
	return ok;
}
