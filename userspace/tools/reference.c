// SPDX-License-Identifier: GPL-2.0
/*
 * reference - the reference manual, in reStructuredText, from the schema: what can be configured, mode by mode,
 * and the operational
 * commands with their arguments and columns. Run by scripts/gen-config-doc; arguments: the YANG files of the
 * commands.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/schema.h"
#include "lib/mem.h"

static const struct ly_ctx *ctx;

/* ---- words ---- */

static char *add(char *a, const char *b)
{
	char *s = xasprintf("%s%s%s", a, *a && *b ? " " : "", b);

	free(a);
	return s;
}

static char *upper(const char *name)
{
	char *s = xstrdup(name);

	for (char *p = s; *p; p++)
		*p = toupper((unsigned char)*p);
	return s;
}

static const char *extension(const struct lysc_node *node, const char *name)
{
	LY_ARRAY_COUNT_TYPE i;

	LY_ARRAY_FOR(node->exts, i) {
		if (!strcmp(node->exts[i].def->module->name, "l3vpn-ext") && !strcmp(node->exts[i].def->name, name))
			return node->exts[i].argument ? node->exts[i].argument : "";
	}
	return NULL;
}

static char *add_keyword(char *s, const struct lysc_node *node)
{
	const struct conf_look *look = conf_look(node);

	for (unsigned int i = 0; i < look->words; i++)
		s = add(s, look->word[i]);
	return s;
}

static const struct lysc_type *type_of(const struct lysc_node *leaf)
{
	return leaf->nodetype == LYS_LEAF ? ((const struct lysc_node_leaf *)leaf)->type :
					    ((const struct lysc_node_leaflist *)leaf)->type;
}

/* What stands for the value: the choices of an enumeration, or the name in capitals. */
static char *add_value(char *s, const struct lysc_node *leaf)
{
	const struct lysc_type_enum *en = (const struct lysc_type_enum *)type_of(leaf);
	LY_ARRAY_COUNT_TYPE i;
	char *value;

	if (conf_is_type(leaf, LY_TYPE_EMPTY))
		return s;
	if (!conf_is_type(leaf, LY_TYPE_ENUM)) {
		value = upper(leaf->name);
	} else {
		value = xstrdup("{ ");
		LY_ARRAY_FOR(en->enums, i) {
			char *longer = xasprintf("%s%s%s", value, i ? " | " : "", en->enums[i].name);

			free(value);
			value = longer;
		}
		value = add(value, "}");
	}
	s = add(s, value);
	free(value);
	return s;
}

/* Keyword, keys, positional leaves. */
static char *add_head(char *s, const struct lysc_node *node)
{
	const struct lysc_node *child = NULL;

	s = add_keyword(s, node);
	while ((child = conf_schema_next(ctx, node, child))) {
		if (lysc_is_key(child) || conf_look(child)->positional)
			s = add_value(s, child);
	}
	return s;
}

static void heading(const char *text, char underline)
{
	printf("\n%s\n", text);
	for (size_t n = strlen(text); n; n--)
		putchar(underline);
	printf("\n\n");
}

/* Text of YANG, its line breaks and indentation made blanks. */
static void paragraph(const char *indent, const char *text)
{
	bool blank = false;

	if (!text)
		return;
	printf("%s", indent);
	for (; *text; text++) {
		if (isspace((unsigned char)*text)) {
			blank = true;
			continue;
		}
		if (blank)
			putchar(' ');
		blank = false;
		if (*text == '*' || *text == '`' || *text == '|' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
	printf("\n");
}

/* ---- leaves ---- */

static void enum_help(const struct lysc_node *leaf)
{
	const struct lysc_type_enum *en = (const struct lysc_type_enum *)type_of(leaf);
	LY_ARRAY_COUNT_TYPE i;

	if (!conf_is_type(leaf, LY_TYPE_ENUM))
		return;
	LY_ARRAY_FOR(en->enums, i) {
		if (en->enums[i].dsc) {
			printf("\n   ``%s``: ", en->enums[i].name);
			paragraph("", en->enums[i].dsc);
		}
	}
}

/* Type, default, units, whether it is needed. */
static void facts(const struct lysc_node *leaf)
{
	const struct lysc_node_leaf *one = (const struct lysc_node_leaf *)leaf;
	const char *units = leaf->nodetype == LYS_LEAF ? one->units : NULL;
	char expect[512];

	if (!conf_is_type(leaf, LY_TYPE_EMPTY) && !conf_is_type(leaf, LY_TYPE_ENUM)) {
		conf_describe(leaf, expect, sizeof(expect));
		printf("   Value: %s%s%s.\n", expect, units ? ", in " : "", units ? units : "");
	}
	if (leaf->nodetype == LYS_LEAF && one->dflt)
		printf("   Default: %s.\n", lyd_value_get_canonical(ctx, one->dflt));
	if (leaf->flags & LYS_MAND_TRUE)
		printf("   Mandatory.\n");
	if (leaf->nodetype == LYS_LEAFLIST)
		printf("   May be given several times.\n");
	if (conf_look(leaf)->secret)
		printf("   Shown masked.\n");
	enum_help(leaf);
}

static void doc_leaf(const char *prefix, const struct lysc_node *leaf)
{
	char *s = xstrdup(prefix);

	s = add_keyword(s, leaf);
	s = add_value(s, leaf);
	printf("``%s``\n", s);
	paragraph("   ", leaf->dsc);
	facts(leaf);
	printf("\n");
	free(s);
}

/* Keys and positional leaves of a list or container, which its heading shows. */
static void head_facts(const struct lysc_node *node)
{
	const struct lysc_node *child = NULL;

	while ((child = conf_schema_next(ctx, node, child))) {
		if (!lysc_is_key(child) && !conf_look(child)->positional)
			continue;
		printf("``%s``\n", child->name);
		paragraph("   ", child->dsc);
		facts(child);
		printf("\n");
	}
}

/* ---- modes ---- */

static void doc_children(const char *prefix, const struct lysc_node *parent);

/* An entry that is one line. */
static void doc_list_line(const char *prefix, const struct lysc_node *list)
{
	const struct lysc_node *child = NULL;
	char *s = add_head(xstrdup(prefix), list);

	while ((child = conf_schema_next(ctx, list, child))) {
		char *option = xstrdup("[");
		bool needed = child->flags & LYS_MAND_TRUE;

		if (!(child->nodetype & (LYS_LEAF | LYS_LEAFLIST)) || lysc_is_key(child) ||
		    conf_look(child)->positional) {
			free(option);
			continue;
		}
		free(option);
		option = add_value(add_keyword(xstrdup(""), child), child);
		if (!needed) {
			char *bracket = xasprintf("[%s]", option);

			free(option);
			option = bracket;
		}
		s = add(s, option);
		free(option);
	}
	printf("``%s``\n", s);
	paragraph("   ", list->dsc ? list->dsc : "An entry.");
	child = NULL;
	while ((child = conf_schema_next(ctx, list, child))) {
		if (!(child->nodetype & (LYS_LEAF | LYS_LEAFLIST)))
			continue;
		printf("\n   ``%s``: ", child->name);
		paragraph("", child->dsc ? child->dsc : "-");
		facts(child);
	}
	printf("\n");
	free(s);
}

static void doc_container(const char *prefix, const struct lysc_node *node)
{
	char *s = add_head(xstrdup(prefix), node);
	const struct lysc_node *child = NULL;
	bool positional = false;

	while ((child = conf_schema_next(ctx, node, child)))
		positional |= conf_look(child)->positional;
	if (positional || (node->flags & LYS_PRESENCE)) {
		printf("``%s``\n", s);
		paragraph("   ", node->dsc ? node->dsc : "Its words alone.");
		printf("\n");
		head_facts(node);
	}
	free(s);
	s = add_keyword(xstrdup(prefix), node);
	doc_children(s, node);
	free(s);
}

static void doc_children(const char *prefix, const struct lysc_node *parent)
{
	const struct lysc_node *child = NULL;

	while ((child = conf_schema_next(ctx, parent, child))) {
		if (lysc_is_key(child) || conf_look(child)->positional || conf_look(child)->mode)
			continue;
		if (child->nodetype & (LYS_LEAF | LYS_LEAFLIST))
			doc_leaf(prefix, child);
		else if (child->nodetype == LYS_LIST)
			doc_list_line(prefix, child);
		else
			doc_container(prefix, child);
	}
}

/* Sections for the modes below parent; path: the lines that lead to it. */
static void doc_modes(const char *path, const char *prefix, const struct lysc_node *parent)
{
	const struct lysc_node *child = NULL;

	while ((child = conf_schema_next(ctx, parent, child))) {
		char *line, *here;

		if (!(child->nodetype & (LYS_CONTAINER | LYS_LIST)))
			continue;
		if (!conf_look(child)->mode) {
			line = add_keyword(xstrdup(prefix), child);
			doc_modes(path, line, child);
			free(line);
			continue;
		}
		line = add_head(xstrdup(prefix), child);
		here = xasprintf("%s%s%s", path, *path ? " > " : "", line);
		heading(here, '~');
		paragraph("", child->dsc);
		printf("%s", child->dsc ? "\n" : "");
		head_facts(child);
		doc_children("", child);
		doc_modes(here, "", child);
		free(here);
		free(line);
	}
}

/* ---- operational commands ---- */

static void doc_argument(const struct lysc_node *leaf)
{
	printf("``%s``\n", leaf->name);
	paragraph("   ", leaf->dsc);
	facts(leaf);
	printf("\n");
}

static void doc_columns(const struct lysc_node *rpc)
{
	const struct lysc_node *node = NULL, *leaf;

	while ((node = lys_getnext(node, rpc, NULL, LYS_GETNEXT_OUTPUT))) {
		if (node->nodetype != LYS_LIST)
			continue;
		printf("Columns:");
		for (leaf = NULL; (leaf = lys_getnext(leaf, node, NULL, LYS_GETNEXT_OUTPUT));)
			printf(" ``%s``", leaf->name);
		printf("\n\n");
	}
}

/* As it is typed: l3:command with arguments behind, or l3:form as it is. */
static const char *typed(const struct lysc_node *rpc)
{
	return extension(rpc, "command") ?: extension(rpc, "form");
}

static void doc_rpc(const struct lysc_node *rpc)
{
	const char *words = typed(rpc);
	const struct lysc_node *leaf = NULL;
	char *s;

	if (!words)
		return;
	s = xstrdup(words);
	while (extension(rpc, "command") && (leaf = lys_getnext(leaf, rpc, NULL, 0))) {
		char *argument = extension(leaf, "positional") ? xstrdup("") : xstrdup(leaf->name), *shown;

		argument = add_value(argument, leaf);
		shown = leaf->flags & LYS_MAND_TRUE ? xstrdup(argument) : xasprintf("[%s]", argument);
		s = add(s, shown);
		free(argument);
		free(shown);
	}
	heading(words, '~');
	printf("``%s``\n\n", s);
	paragraph("", rpc->dsc ? rpc->dsc : "");
	printf("\n");
	for (leaf = NULL; (leaf = lys_getnext(leaf, rpc, NULL, 0));)
		doc_argument(leaf);
	if (!extension(rpc, "text"))
		doc_columns(rpc);
	free(s);
}

static int by_command(const void *a, const void *b)
{
	const struct lysc_node *x = *(const struct lysc_node *const *)a, *y = *(const struct lysc_node *const *)b;
	const char *p = typed(x), *q = typed(y);

	return strcmp(p ? p : "", q ? q : "");
}

static void doc_rpcs(void)
{
	const struct lysc_node **rpcs = NULL, *rpc;
	const struct lys_module *mod;
	uint32_t idx = 0;
	size_t n = 0;

	while ((mod = ly_ctx_get_module_iter(ctx, &idx))) {
		if (!mod->implemented || !mod->compiled)
			continue;
		LY_LIST_FOR((const struct lysc_node *)mod->compiled->rpcs, rpc) {
			rpcs = xrealloc(rpcs, (n + 1) * sizeof(*rpcs));
			rpcs[n++] = rpc;
		}
	}
	if (n)
		qsort(rpcs, n, sizeof(*rpcs), by_command);
	for (size_t i = 0; i < n; i++)
		doc_rpc(rpcs[i]);
	free(rpcs);
}

int main(int argc, char **argv)
{
	struct conf_error err = { 0 };
	struct ly_ctx *made = conf_schema_new(&err);

	ctx = made;
	for (int i = 1; made && i < argc; i++) {
		if (lys_parse_path(made, argv[i], LYS_IN_YANG, NULL) != LY_SUCCESS) {
			conf_error_ly(&err, made, "does not compile");
			fprintf(stderr, "%s: %s\n", argv[i], err.reason);
			return 1;
		}
	}
	if (!made) {
		fprintf(stderr, "%s: %s\n", err.path, err.reason);
		return 1;
	}
	printf(".. SPDX-License-Identifier: GPL-2.0\n.. Generated from the YANG schema by scripts/gen-config-doc: do not edit.\n");
	heading("Reference manual", '=');
	printf("Configuration\n-------------\n\n"
	       "Capitals stand for a value, ``[ ]`` for what may be left out, ``{ | }`` for a choice. A heading is the line\n"
	       "that opens a block (a mode of the shell), ``>`` leads into the blocks inside it. ``no`` before a line\n"
	       "removes what it sets.\n\n");
	doc_children("", NULL);
	doc_modes("", "", NULL);
	heading("Operational commands", '-');
	doc_rpcs();
	conf_schema_free(made);
	return 0;
}
