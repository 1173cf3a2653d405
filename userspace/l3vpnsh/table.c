// SPDX-License-Identifier: GPL-2.0
/* table - see table.h. */
#include "l3vpnsh/table.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

struct column {
	const struct lysc_node *leaf;
	char *title;
	size_t width;
	bool number;		/* to the right */
	bool used;		/* some row had a value */
	bool hidden;
};

struct table {
	const struct command *cmd;
	bool json, list;
	table_line line;
	void *arg;
	struct column *columns;
	size_t n_columns;
	const struct lysc_node **facts;	/* leaves beside the list */
	size_t n_facts;
	char ***sample;			/* cells of rows held back */
	size_t n_sample;
	bool header;			/* printed */
	unsigned long long rows;
};

/* Width in columns of a terminal: characters of UTF-8. */
static size_t width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

static bool is_number(const struct lysc_node *leaf)
{
	LY_DATA_TYPE type = ((const struct lysc_node_leaf *)leaf)->type->basetype;

	return leaf->nodetype == LYS_LEAF && type >= LY_TYPE_INT8 && type <= LY_TYPE_INT64 ? true :
	       leaf->nodetype == LYS_LEAF && type >= LY_TYPE_UINT8 && type <= LY_TYPE_UINT64;
}

static char *title_of(const struct lysc_node *leaf)
{
	const char *units = ((const struct lysc_node_leaf *)leaf)->units;
	char *title = units && strcmp(units, leaf->name) ? xasprintf("%s(%s)", leaf->name, units) : xstrdup(leaf->name);

	for (char *p = title; *p && *p != '('; p++)
		*p = toupper((unsigned char)*p);
	return title;
}

static void add_columns(struct table *t, const struct lysc_node *list)
{
	const struct lysc_node *leaf = NULL;

	while ((leaf = lys_getnext(leaf, list, NULL, LYS_GETNEXT_OUTPUT))) {
		struct column *c;

		if (!(leaf->nodetype & (LYS_LEAF | LYS_LEAFLIST)))
			continue;
		t->columns = xrealloc(t->columns, (t->n_columns + 1) * sizeof(*t->columns));
		c = &t->columns[t->n_columns++];
		*c = (struct column){ .leaf = leaf, .title = title_of(leaf), .number = is_number(leaf) };
		c->width = width(c->title);
	}
}

struct table *table_new(const struct command *cmd, bool json, table_line line, void *arg)
{
	struct table *t = xcalloc(1, sizeof(*t));
	const struct lysc_node *node = NULL;

	t->cmd = cmd;
	t->json = json;
	t->line = line;
	t->arg = arg;
	while ((node = lys_getnext(node, cmd->rpc, NULL, LYS_GETNEXT_OUTPUT))) {
		if (node->nodetype == LYS_LIST) {
			t->list = true;
			add_columns(t, node);
		} else if (node->nodetype & (LYS_LEAF | LYS_LEAFLIST)) {
			t->facts = xrealloc(t->facts, (t->n_facts + 1) * sizeof(*t->facts));
			t->facts[t->n_facts++] = node;
		}
	}
	return t;
}

/* A value as text (malloc'ed); dash for none. */
static char *cell(const json_t *value)
{
	char *text;

	switch (value ? json_typeof(value) : JSON_NULL) {
	case JSON_STRING:
		text = xstrdup(json_string_value(value));
		break;
	case JSON_INTEGER:
		text = xasprintf("%lld", (long long)json_integer_value(value));
		break;
	case JSON_REAL:
		text = xasprintf("%g", json_real_value(value));
		break;
	case JSON_TRUE:
		text = xstrdup("yes");
		break;
	case JSON_FALSE:
		text = xstrdup("no");
		break;
	case JSON_ARRAY:
		/* RFC 7951: [null] is a leaf of type empty */
		if (json_array_size(value) == 1 && json_is_null(json_array_get(value, 0)))
			return xstrdup("yes");
		text = NULL;
		for (size_t i = 0; i < json_array_size(value); i++) {
			char *one = cell(json_array_get(value, i));
			char *longer = text ? xasprintf("%s,%s", text, one) : xstrdup(one);

			free(one);
			free(text);
			text = longer;
		}
		break;
	default:
		text = NULL;
	}
	if (text && *text)
		return text;
	free(text);
	return xstrdup("-");
}

/* Cells, or titles where cells is NULL, as a line. */
static void print_cells(struct table *t, char **cells)
{
	size_t size = 1, used = 0;
	char *line;

	for (size_t i = 0; i < t->n_columns; i++)
		size += t->columns[i].width + strlen(cells ? cells[i] : t->columns[i].title) + 2;
	line = xmalloc(size);
	for (size_t i = 0; i < t->n_columns; i++) {
		struct column *c = &t->columns[i];
		const char *text = cells ? cells[i] : c->title;
		int pad = c->width > width(text) ? c->width - width(text) : 0;

		if (c->hidden)
			continue;
		used += sprintf(line + used, "%s%*s%s%*s", used ? "  " : "", c->number ? pad : 0, "", text,
				c->number ? 0 : pad, "");
	}
	while (used && line[used - 1] == ' ')
		line[--used] = '\0';
	line[used] = '\0';
	t->line(t->arg, line);
	free(line);
}

static void cells_free(struct table *t, char **cells)
{
	for (size_t i = 0; i < t->n_columns; i++)
		free(cells[i]);
	free(cells);
}

/*
 * Widths are settled: the title, and the rows held back. all: there are no more rows, and columns
 * without a value are left out.
 */
static void release(struct table *t, bool all)
{
	for (size_t i = 0; all && !t->header && i < t->n_columns; i++)
		t->columns[i].hidden = !t->columns[i].used;
	if (!t->header && t->n_columns && t->n_sample)
		print_cells(t, NULL);
	t->header = true;
	for (size_t i = 0; i < t->n_sample; i++) {
		print_cells(t, t->sample[i]);
		cells_free(t, t->sample[i]);
	}
	free(t->sample);
	t->sample = NULL;
	t->n_sample = 0;
}

static void json_line(struct table *t, const json_t *value, const char *before, const char *after)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_PRESERVE_ORDER);
	char *line = xasprintf("%s%s%s", before, text ?: "null", after);

	t->line(t->arg, line);
	free(line);
	free(text);
}

/* A comma stands before each row but the first, so that nothing has to be known of what comes. */
static void json_row(struct table *t, json_t *row)
{
	if (t->rows == 1)
		t->line(t->arg, t->n_facts ? "{\"rows\":[" : "[");
	json_line(t, row, t->rows == 1 ? " " : ",", "");
}

static char **row_cells(struct table *t, json_t *row)
{
	char **cells = xcalloc(t->n_columns + 1, sizeof(*cells));

	for (size_t i = 0; i < t->n_columns; i++) {
		struct column *c = &t->columns[i];

		cells[i] = cell(json_object_get(row, c->leaf->name));
		c->used |= strcmp(cells[i], "-") != 0;
		if (!t->header && width(cells[i]) > c->width)
			c->width = width(cells[i]);
	}
	return cells;
}

/* What a slow listener of a topic missed: mgmt.h. */
static void lost_rows(struct table *t, json_t *row)
{
	json_t *lost = json_object_get(row, "lost");
	char *line;

	if (!lost || json_object_size(row) != 1)
		return;
	line = xasprintf("... %lld rows lost: this terminal was too slow", (long long)json_integer_value(lost));
	t->line(t->arg, line);
	free(line);
}

void table_row(struct table *t, json_t *row)
{
	char **cells;

	t->rows++;
	if (t->json) {
		json_row(t, row);
		return;
	}
	if (t->cmd->topic)
		lost_rows(t, row);
	if (t->cmd->text) {
		const char *text = json_string_value(json_object_get(row, "line"));

		if (text)
			t->line(t->arg, text);
		return;
	}
	cells = row_cells(t, row);
	if (t->header) {
		print_cells(t, cells);
		cells_free(t, cells);
		return;
	}
	t->sample = xrealloc(t->sample, (t->n_sample + 1) * sizeof(*t->sample));
	t->sample[t->n_sample++] = cells;
	if (t->cmd->topic || t->n_sample == TABLE_SAMPLE)
		release(t, false);
}

static void end_json(struct table *t, json_t *result)
{
	json_t *facts = json_object();

	for (size_t i = 0; result && i < t->n_facts; i++) {
		json_t *value = json_object_get(result, t->facts[i]->name);

		if (value)
			json_object_set(facts, t->facts[i]->name, value);
	}
	if (!t->list) {
		json_line(t, facts, "", "");
	} else if (!t->n_facts) {
		t->line(t->arg, t->rows ? "]" : "[]");
	} else {
		if (!t->rows)
			t->line(t->arg, "{\"rows\":[");
		t->line(t->arg, "]");
		for (size_t i = 0; i < t->n_facts; i++) {
			char *before = xasprintf(",\"%s\":", t->facts[i]->name);

			json_line(t, json_object_get(facts, t->facts[i]->name) ?: json_null(), before, "");
			free(before);
		}
		t->line(t->arg, "}");
	}
	json_decref(facts);
}

static void end_facts(struct table *t, json_t *result)
{
	size_t most = 0;

	for (size_t i = 0; i < t->n_facts; i++)
		if (strlen(t->facts[i]->name) > most)
			most = strlen(t->facts[i]->name);
	for (size_t i = 0; result && i < t->n_facts; i++) {
		const char *units = ((const struct lysc_node_leaf *)t->facts[i])->units;
		json_t *value = json_object_get(result, t->facts[i]->name);
		char *text, *line;

		if (!value)
			continue;
		text = cell(value);
		line = xasprintf("%-*s  %s%s%s", (int)most, t->facts[i]->name, text, units ? " " : "", units ?: "");
		t->line(t->arg, line);
		free(line);
		free(text);
	}
}

void table_end(struct table *t, json_t *result)
{
	if (t->json) {
		/* a command refused has no document; one cut short has what came */
		if (result || t->rows)
			end_json(t, result);
	} else {
		release(t, true);
		end_facts(t, result);
	}
	for (size_t i = 0; i < t->n_columns; i++)
		free(t->columns[i].title);
	free(t->columns);
	free(t->facts);
	free(t);
}
