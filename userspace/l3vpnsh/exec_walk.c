// SPDX-License-Identifier: GPL-2.0
/*
 * exec_walk - operational commands along the schema: see walk.h.
 *
 * The words of l3:command, then the input leaves: positional ones by value in schema order, the others as NAME VALUE in
 * any order. A leaf-list takes the rest of the line. A leaf with l3:instead turns the command into another one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "l3vpnsh/match.h"
#include "lib/mem.h"

struct args {
	const struct schema *schema;
	const struct command *command;
	const struct words *words;
	int at;
	json_t *params;
	struct cands *cands;
	struct walk_error *err;
};

/* Where it happened; the reason is there. */
static bool fail_at(struct args *a, const struct lysc_node *node)
{
	a->err->word = a->at;
	if (node)
		lysc_path(node, LYSC_PATH_DATA, a->err->path, sizeof(a->err->path));
	return false;
}

static bool fail(struct args *a, const struct lysc_node *node, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(a->err->reason, sizeof(a->err->reason), fmt, ap);
	va_end(ap);
	return fail_at(a, node);
}

static const struct lysc_node *input_next(const struct args *a, const struct lysc_node *last)
{
	return lys_getnext(last, a->command->rpc, NULL, 0);
}

/* The next positional leaf without a value; NULL: none. */
static const struct lysc_node *positional(const struct args *a)
{
	const struct lysc_node *leaf = NULL;

	while ((leaf = input_next(a, leaf)))
		if (node_ext(leaf, "positional") && !json_object_get(a->params, leaf->name))
			return leaf;
	return NULL;
}

/* RFC 7951: numbers of up to 32 bits are numbers, empty is [null], the rest are strings. */
static json_t *value_json(const struct schema *s, const struct lysc_node *leaf, const char *value)
{
	const struct lysc_type *type = NULL;
	const char *canonical = NULL;
	json_t *json;

	lyd_value_validate(s->ctx, leaf, value, strlen(value), NULL, &type, &canonical);
	switch (type ? type->basetype : LY_TYPE_STRING) {
	case LY_TYPE_UINT8:
	case LY_TYPE_UINT16:
	case LY_TYPE_UINT32:
		json = json_integer(strtoll(canonical ?: value, NULL, 10));
		break;
	case LY_TYPE_BOOL:
		json = json_boolean(!strcmp(value, "true"));
		break;
	default:
		json = json_string(value);
	}
	if (canonical)
		lydict_remove(s->ctx, canonical);
	return json;
}

static bool set_value(struct args *a, const struct lysc_node *leaf)
{
	const char *value = a->words->v[a->at].text;
	char reason[400];
	json_t *json;

	if (!value_check(a->schema, leaf, value, reason, sizeof(reason)))
		return fail(a, leaf, "%s", reason);
	json = value_json(a->schema, leaf, value);
	if (!json)
		return fail(a, leaf, "the value is not UTF-8");
	a->at++;
	if (leaf->nodetype == LYS_LEAFLIST) {
		json_t *array = json_object_get(a->params, leaf->name);

		if (!array)
			json_object_set_new(a->params, leaf->name, array = json_array());
		json_array_append_new(array, json);
	} else {
		json_object_set_new(a->params, leaf->name, json);
	}
	return true;
}

static void add_word(const char *word, const char *help, void *arg)
{
	cands_add(arg, word, help, false);
}

static void add_value(struct cands *c, const struct lysc_node *leaf)
{
	char *placeholder = value_placeholder(leaf);

	if (placeholder)
		cands_add(c, placeholder, node_help(leaf), true);
	free(placeholder);
	value_words(leaf, add_word, c);
	c->live = xrealloc(c->live, (c->n_live + 1) * sizeof(*c->live));
	c->live[c->n_live++] = (struct live){ .leaf = leaf };
}

/* The line is another command's from here on: what was said so far has to make sense there too. */
static bool turn_into(struct args *a, const struct lysc_node *leaf, const char *rpc)
{
	const struct command *other = schema_command(a->schema, rpc);
	const char *name;
	json_t *value;

	if (!other)
		return fail(a, leaf, "there is no command %s", rpc);
	a->command = other;
	json_object_foreach(a->params, name, value) {
		const struct lysc_node *takes = NULL;

		while ((takes = input_next(a, takes)) && strcmp(takes->name, name))
			;
		if (takes)
			continue;
		a->at--;
		return fail(a, leaf, "'%s' does not go with '%s'", name, node_keyword(leaf));
	}
	return true;
}

/* After the keyword of a leaf. */
static bool named_value(struct args *a, const struct lysc_node *leaf)
{
	const char *instead = node_ext(leaf, "instead");

	if (instead)
		return turn_into(a, leaf, instead);
	if (node_is_flag(leaf)) {
		json_object_set_new(a->params, leaf->name, json_pack("[n]"));
		return true;
	}
	if (a->at == a->words->n) {
		if (!a->cands)
			return fail(a, leaf, "the value of '%s' is missing", node_keyword(leaf));
		add_value(a->cands, leaf);
		return false;
	}
	if (leaf->nodetype != LYS_LEAFLIST)
		return set_value(a, leaf);
	while (a->at < a->words->n)
		if (!set_value(a, leaf))
			return false;
	if (a->cands)
		add_value(a->cands, leaf);
	return true;
}

static size_t named_items(const struct args *a, struct item **items)
{
	const struct lysc_node *leaf = NULL;
	size_t n = 0;

	*items = NULL;
	while ((leaf = input_next(a, leaf))) {
		if (node_ext(leaf, "positional") || json_object_get(a->params, leaf->name))
			continue;
		*items = xrealloc(*items, (n + 1) * sizeof(**items));
		(*items)[n++] = (struct item){ node_keyword(leaf), node_help(leaf), leaf };
	}
	return n;
}

/* One argument. A whole keyword wins over a value, a value over the beginning of a keyword. */
static bool walk_arg(struct args *a)
{
	const struct lysc_node *pos = positional(a), *leaf = NULL;
	const char *word = a->words->v[a->at].text;
	struct item *items;
	size_t n = named_items(a, &items), which = 0;
	int used = 0;
	enum match result;

	result = match_items(items, n, a->words, a->at, &which, &used, NULL, a->err);
	if (result == MATCH_ONE && (!pos || word_match(word, node_keyword(items[which].what)) == 2))
		leaf = items[which].what;
	free(items);
	if (leaf) {
		a->at += used;
		return named_value(a, leaf);
	}
	if (pos)
		return set_value(a, pos);
	if (result == MATCH_AMBIGUOUS)
		return fail_at(a, a->command->rpc);
	a->err->unknown = true;
	return fail(a, a->command->rpc, "unknown word '%s'", word);
}

static bool mandatory(const struct lysc_node *leaf)
{
	if (leaf->nodetype == LYS_LEAFLIST)
		return ((const struct lysc_node_leaflist *)leaf)->min > 0;
	return leaf->flags & LYS_MAND_TRUE;
}

static const struct lysc_node *missing(const struct args *a)
{
	const struct lysc_node *leaf = NULL;

	while ((leaf = input_next(a, leaf)))
		if (mandatory(leaf) && !json_object_get(a->params, leaf->name))
			return leaf;
	return NULL;
}

static void add_args(struct args *a)
{
	const struct lysc_node *pos = positional(a);
	struct item *items;
	size_t n = named_items(a, &items), which;
	int used;

	if (pos)
		add_value(a->cands, pos);
	match_items(items, n, a->words, a->words->n, &which, &used, a->cands, a->err);
	free(items);
	a->cands->end = !missing(a);
}

static bool walk_args(struct args *a)
{
	const struct lysc_node *leaf;

	while (a->at < a->words->n)
		if (!walk_arg(a))
			return false;
	if (a->cands) {
		add_args(a);
		return true;
	}
	leaf = missing(a);
	if (!leaf)
		return true;
	return fail(a, leaf, "%s is missing: %s", node_keyword(leaf), node_help(leaf));
}

static size_t command_items(const struct schema *s, unsigned int where, struct item **items)
{
	size_t n = 0;

	*items = xcalloc(s->n_commands + 1, sizeof(**items));
	for (size_t i = 0; i < s->n_commands; i++)
		if (s->commands[i].where & where)
			(*items)[n++] = (struct item){ s->commands[i].words, node_help(s->commands[i].rpc),
						       &s->commands[i] };
	return n;
}

bool exec_walk(const struct schema *s, unsigned int where, const struct words *w, int first, struct exec_line *line,
	       struct cands *cands, struct walk_error *err)
{
	struct walk_error ignored;
	struct args a = { .schema = s, .words = w, .cands = cands, .err = err ?: &ignored };
	struct item *items;
	size_t n = command_items(s, where, &items), which = 0;
	enum match result;
	int used = 0;
	bool ok;

	memset(a.err, 0, sizeof(*a.err));
	if (line)
		memset(line, 0, sizeof(*line));
	result = match_items(items, n, w, first, &which, &used, cands, a.err);
	a.at = first + used;
	if (result == MATCH_ONE)
		a.command = items[which].what;
	free(items);
	if (!a.command) {
		a.err->unknown = result == MATCH_UNKNOWN;
		if (result == MATCH_SHORT)
			return fail(&a, NULL, "the command is not complete") || cands;
		if (result == MATCH_AMBIGUOUS)
			return fail_at(&a, NULL);
		return fail(&a, NULL, "unknown word '%s'", w->v[a.at].text);
	}
	a.params = json_object();
	ok = walk_args(&a);
	if (ok && line) {
		line->command = a.command;
		line->rest = first + used;
		line->params = a.params;
	} else {
		json_decref(a.params);
	}
	return ok;
}

void exec_line_free(struct exec_line *line)
{
	json_decref(line->params);
	memset(line, 0, sizeof(*line));
}
