// SPDX-License-Identifier: GPL-2.0
/*
 * print - tree to text form (text.h has the grammar), and the difference of two trees as text.
 *
 * Both walk the schema's order. Entries of a list whose order means nothing are sorted, so that equal configurations
 * have equal text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/change.h"
#include "conf/conf.h"
#include "conf/schema.h"
#include "conf/text.h"
#include "lib/mem.h"

enum style {
	STYLE_TEXT,
	STYLE_CHANGES,		/* lines that lead from one tree to the other */
	STYLE_DIFF,		/* "- " and "+ " */
};

struct printer {
	FILE *out;
	unsigned int flags;
	enum style style;
	const char *mark;		/* before each line */
	const struct lyd_node *only;	/* print this subtree and what encloses it, or NULL: all */
};

/* One sibling to be printed. */
struct item {
	const struct lyd_node *node;
	unsigned int place;		/* of its schema node among its siblings */
	unsigned int index;		/* its own place */
};

struct items {
	struct item *item;
	size_t count;
};

/* ---- words ---- */

static char *join(const char *a, const char *b)
{
	return xasprintf("%s%s%s", a, *a && *b ? " " : "", b);
}

/* a is freed, b too when own_b */
static char *add(char *a, char *b)
{
	char *s = join(a, b);

	free(a);
	free(b);
	return s;
}

static char *quote(const char *value, bool force)
{
	size_t len = strlen(value);
	char *s, *d;

	if (!force && len && !strpbrk(value, " \t\n\r\"\\!#"))
		return xstrdup(value);
	s = d = xmalloc(2 * len + 3);
	*d++ = '"';
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			*d++ = '\\';
		else if (*value == '\n' || *value == '\t')
			*d++ = '\\';
		*d++ = *value == '\n' ? 'n' : *value == '\t' ? 't' : *value;
	}
	*d++ = '"';
	*d = 0;
	return s;
}

static char *keyword(const struct lysc_node *schema)
{
	const struct conf_look *look = conf_look(schema);
	char *s = xstrdup("");

	for (unsigned int i = 0; i < look->words; i++)
		s = add(s, xstrdup(look->word[i]));
	return s;
}

/* Could the parser take the value for the start of a sibling's keyword? */
static bool like_keyword(const struct lyd_node *leaf)
{
	const struct lysc_node *parent = lysc_data_parent(leaf->schema), *sib = NULL;
	const char *value = lyd_get_value(leaf);

	while ((sib = conf_schema_next(LYD_CTX(leaf), parent, sib))) {
		const struct conf_look *look = conf_look(sib);

		if (look->words && !strcmp(look->word[0], value))
			return true;
	}
	return false;
}

static char *value_of(const struct printer *p, const struct lyd_node *leaf)
{
	const struct conf_look *look = conf_look(leaf->schema);

	if (conf_is_type(leaf->schema, LY_TYPE_EMPTY))
		return xstrdup("");
	if (conf_is_type(leaf->schema, LY_TYPE_BOOL) && !look->positional)
		return xstrdup(strcmp(lyd_get_value(leaf), "true") ? "false" : "");
	if (p && look->secret && !(p->flags & CONF_PRINT_SECRETS))
		return xstrdup(CONF_MASK);
	return quote(lyd_get_value(leaf), look->positional && like_keyword(leaf));
}

/* Keyword and keys. */
static char *head(const struct lyd_node *node)
{
	char *s = keyword(node->schema);
	const struct lyd_node *key;

	if (node->schema->nodetype != LYS_LIST)
		return s;
	LY_LIST_FOR(lyd_child(node), key) {
		if (!key->schema || !lysc_is_key(key->schema))
			break;
		s = add(s, quote(lyd_get_value(key), false));
	}
	return s;
}

static const struct lyd_node *set_child(const struct lyd_node *node, const struct lysc_node *schema)
{
	struct lyd_node *child = NULL;

	if (lyd_child(node))
		lyd_find_sibling_val(lyd_child(node), schema, NULL, 0, &child);
	return child && conf_is_set(child) ? child : NULL;
}

/* The positional leaves that can stand without their names: those before the first that is not set. */
static char *positionals(const struct printer *p, const struct lyd_node *node)
{
	const struct lysc_node *leaf = NULL;
	char *s = xstrdup("");

	while ((leaf = conf_schema_next(LYD_CTX(node), node->schema, leaf))) {
		const struct lyd_node *child;

		if (!conf_look(leaf)->positional || lysc_is_key(leaf))
			continue;
		child = set_child(node, leaf);
		if (!child)
			break;
		s = add(s, value_of(p, child));
	}
	return s;
}

/* Is this leaf printed by positionals() of its parent? */
static bool stands_in_head(const struct lyd_node *leaf)
{
	const struct lyd_node *parent = lyd_parent(leaf);
	const struct lysc_node *schema = NULL;

	if (!parent || !conf_look(leaf->schema)->positional)
		return false;
	while ((schema = conf_schema_next(LYD_CTX(leaf), parent->schema, schema)) && schema != leaf->schema) {
		if (conf_look(schema)->positional && !lysc_is_key(schema) && !set_child(parent, schema))
			return false;
	}
	return true;
}

static void line(const struct printer *p, unsigned int indent, const char *prefix, const char *text)
{
	fprintf(p->out, "%s%*s%s%s%s\n", p->mark, indent, "", prefix, *prefix && *text ? " " : "", text);
}

/* line() of a text that is freed */
static void put(const struct printer *p, unsigned int indent, const char *prefix, char *text)
{
	line(p, indent, prefix, text);
	free(text);
}

/* ---- siblings in printing order ---- */

static int compare_keys(const struct lyd_node *a, const struct lyd_node *b)
{
	int d = 0;

	if (a->schema->nodetype == LYS_LEAFLIST)
		return strverscmp(lyd_get_value(a), lyd_get_value(b));
	if (a->schema->nodetype != LYS_LIST)
		return 0;
	a = lyd_child(a);
	b = lyd_child(b);
	for (; !d && a && b && a->schema && lysc_is_key(a->schema); a = a->next, b = b->next)
		d = strverscmp(lyd_get_value(a), lyd_get_value(b));
	return d;
}

static int compare_items(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int d;

	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	d = lysc_is_userordered(x->node->schema) ? 0 : compare_keys(x->node, y->node);
	if (d)
		return d;
	return x->index < y->index ? -1 : x->index > y->index;
}

static unsigned int place_of(const struct lysc_node *schema)
{
	const struct lysc_node *parent = lysc_data_parent(schema), *sib = NULL;
	unsigned int place = 0;

	while ((sib = conf_schema_next(schema->module->ctx, parent, sib)) && sib != schema)
		place++;
	return place;
}

/* Siblings that are set, but keys and what the opening line shows. */
static struct items sorted(const struct lyd_node *first)
{
	const struct lysc_node *last = NULL;
	struct items list = { NULL, 0 };
	const struct lyd_node *node;
	unsigned int place = 0;
	size_t n = 0;

	LY_LIST_FOR(first, node)
		n++;
	list.item = xcalloc(n + 1, sizeof(*list.item));
	LY_LIST_FOR(first, node) {
		if (!node->schema || lysc_is_key(node->schema) || !conf_is_set(node) || stands_in_head(node))
			continue;
		if (node->schema != last)
			place = place_of(last = node->schema);
		list.item[list.count] = (struct item){ .node = node, .place = place, .index = list.count };
		list.count++;
	}
	qsort(list.item, list.count, sizeof(*list.item), compare_items);
	return list;
}

/* ---- a tree ---- */

static void print_node(const struct printer *p, const struct lyd_node *node, unsigned int indent, const char *prefix);
static void print_siblings(const struct printer *p, const struct lyd_node *first, unsigned int indent,
			   const char *prefix);

static bool above_or_same(const struct lyd_node *a, const struct lyd_node *b)
{
	while (b && b != a)
		b = lyd_parent(b);
	return b != NULL;
}

static void print_list_line(const struct printer *p, const struct lyd_node *node, unsigned int indent,
			    const char *prefix)
{
	char *start = head(node), *text = add(xstrdup(start), positionals(p, node)), *deeper = join(prefix, start);
	struct items list = sorted(lyd_child(node));

	for (size_t i = 0; i < list.count; i++) {
		const struct lyd_node *child = list.item[i].node;

		if (!(child->schema->nodetype & (LYS_LEAF | LYS_LEAFLIST)))
			continue;
		text = add(text, keyword(child->schema));
		text = add(text, value_of(p, child));
	}
	put(p, indent, prefix, text);
	for (size_t i = 0; i < list.count; i++) {
		const struct lyd_node *child = list.item[i].node;

		if (!(child->schema->nodetype & (LYS_LEAF | LYS_LEAFLIST)))
			print_node(p, child, indent, deeper);
	}
	free(list.item);
	free(deeper);
	free(start);
}

static void print_node(const struct printer *p, const struct lyd_node *node, unsigned int indent, const char *prefix)
{
	const struct lysc_node *schema = node->schema;
	char *deeper, *value;

	if (schema->nodetype & (LYS_LEAF | LYS_LEAFLIST)) {
		put(p, indent, prefix, add(keyword(schema), value_of(p, node)));
		return;
	}
	if (conf_look(schema)->mode) {
		put(p, indent, prefix, add(head(node), positionals(p, node)));
		print_siblings(p, lyd_child(node), indent + 1, "");
		line(p, indent, "", "!");
		return;
	}
	if (schema->nodetype == LYS_LIST) {
		print_list_line(p, node, indent, prefix);
		return;
	}
	value = positionals(p, node);
	if (*value || (schema->flags & LYS_PRESENCE))
		put(p, indent, prefix, add(keyword(schema), xstrdup(value)));
	free(value);
	value = keyword(schema);
	deeper = join(prefix, value);
	print_siblings(p, lyd_child(node), indent, deeper);
	free(deeper);
	free(value);
}

static void print_siblings(const struct printer *p, const struct lyd_node *first, unsigned int indent,
			   const char *prefix)
{
	struct items list = sorted(first);

	for (size_t i = 0; i < list.count; i++) {
		const struct lyd_node *node = list.item[i].node;

		if (!p->only || above_or_same(node, p->only) || above_or_same(p->only, node))
			print_node(p, node, indent, prefix);
	}
	free(list.item);
}

char *conf_text_opener(const struct lyd_node *node, const struct lysc_node *above)
{
	char *s = head(node);

	for (node = lyd_parent(node); node && node->schema != above; node = lyd_parent(node))
		s = add(head(node), s);
	return s;
}

char *conf_text(const struct lyd_node *tree, const char *path, unsigned int flags)
{
	struct printer p = { .flags = flags, .style = STYLE_TEXT, .mark = "" };
	struct lyd_node *node = NULL;
	size_t size;
	char *s = NULL;

	if (path) {
		if (!tree || lyd_find_path(tree, path, 0, &node) != LY_SUCCESS || !conf_is_set(node)) {
			if (tree)
				ly_err_clean((struct ly_ctx *)LYD_CTX(tree), NULL);
			return NULL;
		}
		p.only = node;
	}
	p.out = open_memstream(&s, &size);
	if (!p.out)
		return NULL;
	print_siblings(&p, lyd_first_sibling(tree), 0, "");
	fclose(p.out);
	return s;
}

/* ---- two trees ---- */

static void diff_siblings(const struct printer *p, const struct lyd_node *from, const struct lyd_node *to,
			  unsigned int indent, const char *prefix);

static void print_marked(const struct printer *p, const char *mark, const struct lyd_node *node, unsigned int indent,
			 const char *prefix)
{
	struct printer marked = *p;

	if (p->style == STYLE_DIFF)
		marked.mark = mark;
	print_node(&marked, node, indent, prefix);
}

static void removed(const struct printer *p, const struct lyd_node *node, unsigned int indent, const char *prefix)
{
	char *no, *text;

	if (p->style == STYLE_DIFF) {
		print_marked(p, "- ", node, indent, prefix);
		return;
	}
	no = join("no", prefix);
	text = head(node);
	if (node->schema->nodetype == LYS_LEAFLIST)
		text = add(text, quote(lyd_get_value(node), false));
	put(p, indent, no, text);
	free(no);
}

static void added(const struct printer *p, const struct lyd_node *node, unsigned int indent, const char *prefix)
{
	print_marked(p, "+ ", node, indent, prefix);
}

/* STYLE_CHANGES: positional leaves that are gone are removed by name. */
static void removed_positionals(const struct printer *p, const struct lyd_node *from, const struct lyd_node *to,
				unsigned int indent, const char *prefix)
{
	const struct lyd_node *leaf;
	char *no;

	if (p->style != STYLE_CHANGES)
		return;
	LY_LIST_FOR(lyd_child(from), leaf) {
		if (!conf_look(leaf->schema)->positional || lysc_is_key(leaf->schema) || !stands_in_head(leaf) ||
		    !conf_is_set(leaf) || set_child(to, leaf->schema))
			continue;
		no = join("no", prefix);
		put(p, indent, no, keyword(leaf->schema));
		free(no);
	}
}

static void diff_mode(const struct printer *p, const struct lyd_node *from, const struct lyd_node *to,
		      unsigned int indent, const char *prefix)
{
	struct printer show = *p;
	char *old, *now;

	/* a difference is seen in clear, and shown as the flags say */
	show.flags |= CONF_PRINT_SECRETS;
	old = positionals(&show, from);
	now = positionals(&show, to);
	if (p->style == STYLE_CHANGES) {
		if (!strcmp(old, now))
			put(p, indent, prefix, head(to));
		else
			put(p, indent, prefix, add(head(to), positionals(p, to)));
	} else if (strcmp(old, now)) {
		show = *p;
		show.mark = "- ";
		put(&show, indent, prefix, add(head(from), positionals(p, from)));
		show.mark = "+ ";
		put(&show, indent, prefix, add(head(to), positionals(p, to)));
	} else {
		put(p, indent, prefix, add(head(to), positionals(p, to)));
	}
	free(old);
	free(now);
	removed_positionals(p, from, to, indent + 1, "");
	diff_siblings(p, lyd_child(from), lyd_child(to), indent + 1, "");
	line(p, indent, "", "!");
}

static void diff_container(const struct printer *p, const struct lyd_node *from, const struct lyd_node *to,
			   unsigned int indent, const char *prefix)
{
	char *word = keyword(to->schema), *deeper = join(prefix, word), *old = positionals(p, from);
	char *now = positionals(p, to);

	if (strcmp(old, now)) {
		struct printer show = *p;

		show.mark = p->style == STYLE_DIFF ? "- " : "";
		if (p->style == STYLE_DIFF && *old)
			line(&show, indent, deeper, old);
		show.mark = p->style == STYLE_DIFF ? "+ " : "";
		if (*now)
			line(&show, indent, deeper, now);
		removed_positionals(p, from, to, indent, deeper);
	}
	diff_siblings(p, lyd_child(from), lyd_child(to), indent, deeper);
	free(word);
	free(deeper);
	free(old);
	free(now);
}

/* The same instance in both trees. */
static void diff_node(const struct printer *p, const struct lyd_node *from, const struct lyd_node *to,
		      unsigned int indent, const char *prefix)
{
	if (conf_equal(from, to, true))
		return;
	if (conf_look(to->schema)->mode) {
		diff_mode(p, from, to, indent, prefix);
	} else if (to->schema->nodetype == LYS_CONTAINER) {
		diff_container(p, from, to, indent, prefix);
	} else {
		if (p->style == STYLE_DIFF || to->schema->nodetype == LYS_LIST)
			removed(p, from, indent, prefix);
		added(p, to, indent, prefix);
	}
}

static size_t run_of(const struct items *list, size_t at)
{
	size_t n = at;

	while (n < list->count && list->item[n].place == list->item[at].place)
		n++;
	return n - at;
}

/*
 * Instances of one ordered-by-user list, *i and *k at their starts. Same instances in the same order: each by
 * itself; else all go and all come, because text has no way to move one.
 */
static void diff_ordered(const struct printer *p, const struct items *a, size_t *i, const struct items *b, size_t *k,
			 unsigned int indent, const char *prefix)
{
	size_t na = run_of(a, *i), nb = run_of(b, *k);
	bool same = na == nb;

	for (size_t n = 0; same && n < na; n++)
		same = !compare_keys(a->item[*i + n].node, b->item[*k + n].node);
	for (size_t n = 0; n < na; n++) {
		if (same)
			diff_node(p, a->item[*i + n].node, b->item[*k + n].node, indent, prefix);
		else
			removed(p, a->item[*i + n].node, indent, prefix);
	}
	for (size_t n = 0; !same && n < nb; n++)
		added(p, b->item[*k + n].node, indent, prefix);
	*i += na;
	*k += nb;
}

/* A positional leaf of this kind is set among siblings. */
static bool set_among(const struct lyd_node *siblings, const struct lysc_node *schema)
{
	struct lyd_node *node = NULL;

	if (!siblings || schema->nodetype != LYS_LEAF || !conf_look(schema)->positional)
		return false;
	lyd_find_sibling_val(siblings, schema, NULL, 0, &node);
	return node && conf_is_set(node);
}

static void diff_siblings(const struct printer *p, const struct lyd_node *from, const struct lyd_node *to,
			  unsigned int indent, const char *prefix)
{
	struct items a = sorted(from), b = sorted(to);
	size_t i = 0, k = 0;

	while (i < a.count || k < b.count) {
		const struct item *x = i < a.count ? &a.item[i] : NULL, *y = k < b.count ? &b.item[k] : NULL;
		int d;

		if (!x || !y)
			d = x ? -1 : 1;
		else if (x->place != y->place)
			d = x->place < y->place ? -1 : 1;
		else
			d = lysc_is_userordered(x->node->schema) ? 0 : compare_keys(x->node, y->node);
		if (d < 0) {
			/* what moved into the opening line is said there */
			if (p->style != STYLE_CHANGES || !set_among(to, x->node->schema))
				removed(p, x->node, indent, prefix);
			i++;
		} else if (d > 0) {
			added(p, b.item[k++].node, indent, prefix);
		} else if (lysc_is_userordered(x->node->schema)) {
			diff_ordered(p, &a, &i, &b, &k, indent, prefix);
		} else {
			diff_node(p, x->node, y->node, indent, prefix);
			i++;
			k++;
		}
	}
	free(a.item);
	free(b.item);
}

static char *diff(enum style style, const struct lyd_node *from, const struct lyd_node *to, unsigned int flags)
{
	struct printer p = { .flags = flags, .style = style, .mark = style == STYLE_DIFF ? "  " : "" };
	size_t size;
	char *s = NULL;

	p.out = open_memstream(&s, &size);
	if (!p.out)
		return NULL;
	diff_siblings(&p, lyd_first_sibling(from), lyd_first_sibling(to), 0, "");
	fclose(p.out);
	return s;
}

char *conf_changes_text(const struct lyd_node *from, const struct lyd_node *to, unsigned int flags)
{
	return diff(STYLE_CHANGES, from, to, flags);
}

char *conf_differences(const struct lyd_node *from, const struct lyd_node *to, unsigned int flags)
{
	return diff(STYLE_DIFF, from, to, flags);
}

/* ---- JSON ---- */

static void mask(struct lyd_node *first)
{
	struct lyd_node *node, *next;

	LY_LIST_FOR_SAFE(first, next, node) {
		if (!node->schema)
			continue;
		if (node->schema->nodetype & (LYS_CONTAINER | LYS_LIST)) {
			mask(lyd_child(node));
		} else if (conf_look(node->schema)->secret && lyd_change_term(node, CONF_MASK) != LY_SUCCESS) {
			ly_err_clean((struct ly_ctx *)LYD_CTX(node), NULL);
			lyd_free_tree(node);
		}
	}
}

char *conf_json(const struct lyd_node *tree, unsigned int flags)
{
	struct lyd_node *copy = NULL;
	char *s = NULL;

	if (!tree)
		return xstrdup("{}\n");
	if (!(flags & CONF_PRINT_SECRETS)) {
		if (lyd_dup_siblings(tree, NULL, LYD_DUP_RECURSIVE | LYD_DUP_WITH_FLAGS, &copy) != LY_SUCCESS)
			return NULL;
		mask(copy);
		tree = copy;
	}
	if (lyd_print_mem(&s, tree, LYD_JSON, LYD_PRINT_WITHSIBLINGS | LYD_PRINT_WD_EXPLICIT) != LY_SUCCESS)
		s = NULL;
	lyd_free_all(copy);
	return s ? s : xstrdup("{}\n");
}
