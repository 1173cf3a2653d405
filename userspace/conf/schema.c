// SPDX-License-Identifier: GPL-2.0
/*
 * schema - the built-in YANG modules (RFC 7950) and how each node of them is written: see schema.h.
 *
 * The module texts are part of the program, so that daemon and schema cannot disagree. What the extensions say of a
 * node is kept in the compiled node's private pointer.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/schema.h"
#include "lib/mem.h"

#define EMBED(symbol, file)						\
	extern const char symbol[];					\
	__asm__(".pushsection .rodata\n"				\
		".global " #symbol "\n"					\
		#symbol ":\n"						\
		".incbin \"" SRC_DIR "/conf/yang/" file "\"\n"		\
		".byte 0\n"						\
		".popsection\n")

EMBED(conf_yang_ext, "l3vpn-ext.yang");
EMBED(conf_yang_main, "l3vpn.yang");

static const struct {
	const char *name;
	const char *text;
} builtin[] = {
	{ "l3vpn-ext", conf_yang_ext },
	{ "l3vpn", conf_yang_main },
};

/* Looks of one context: a list, because compiled nodes have no destructor of ours. */
struct look_entry {
	struct conf_look look;
	const struct ly_ctx *ctx;
	struct look_entry *next;
};

static struct look_entry *looks;

/* ---- errors ---- */

bool conf_error(struct conf_error *err, const char *path, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return false;
	snprintf(err->path, sizeof(err->path), "%s", path ? path : "");
	va_start(ap, fmt);
	vsnprintf(err->reason, sizeof(err->reason), fmt, ap);
	va_end(ap);
	return false;
}

bool conf_error_node(struct conf_error *err, const struct lyd_node *node, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return false;
	err->path[0] = 0;
	if (node && !lyd_path(node, LYD_PATH_STD, err->path, sizeof(err->path)))
		err->path[0] = 0;
	va_start(ap, fmt);
	vsnprintf(err->reason, sizeof(err->reason), fmt, ap);
	va_end(ap);
	return false;
}

void conf_error_schema(struct conf_error *err, const struct lysc_node *node)
{
	if (!err)
		return;
	err->path[0] = 0;
	if (node && !lysc_path(node, LYSC_PATH_DATA, err->path, sizeof(err->path)))
		err->path[0] = 0;
}

/* The quoted text after mark in a libyang location: `Data location "/a:b", line number 3.` */
static bool quoted_after(const char *where, const char *mark, char *buf, size_t size)
{
	const char *p = where ? strcasestr(where, mark) : NULL;
	const char *end;

	if (!p)
		return false;
	p += strlen(mark);
	end = strstr(p, "\", ");
	if (!end)
		end = strrchr(p, '"');
	if (!end || end < p)
		return false;
	snprintf(buf, size, "%.*s", (int)(end - p), p);
	return true;
}

bool conf_error_ly(struct conf_error *err, const struct ly_ctx *ctx, const char *what)
{
	struct ly_err_item *item = ly_err_first(ctx);
	const char *line;

	if (err) {
		err->path[0] = 0;
		snprintf(err->reason, sizeof(err->reason), "%s", what);
		while (item && (item->level != LY_LLERR || !item->msg))
			item = item->next;
		if (item) {
			snprintf(err->reason, sizeof(err->reason), "%s", item->msg);
			if (!quoted_after(item->path, "data location \"", err->path, sizeof(err->path)))
				quoted_after(item->path, "schema location \"", err->path, sizeof(err->path));
			line = item->path ? strcasestr(item->path, "line number ") : NULL;
			if (line)
				err->line = strtoul(line + strlen("line number "), NULL, 10);
		}
	}
	ly_err_clean((struct ly_ctx *)ctx, NULL);
	return false;
}

/* ---- context ---- */

/* Imports come from the texts here alone, never from a directory. */
static LY_ERR import(const char *mod_name, const char *mod_rev, const char *submod_name, const char *submod_rev,
		     void *user_data, LYS_INFORMAT *format, const char **module_data,
		     ly_module_imp_data_free_clb *free_module_data)
{
	for (size_t i = 0; i < ARRAY_SIZE(builtin); i++) {
		if (!submod_name && !strcmp(builtin[i].name, mod_name)) {
			*format = LYS_IN_YANG;
			*module_data = builtin[i].text;
			*free_module_data = NULL;
			return LY_SUCCESS;
		}
	}
	return LY_ENOTFOUND;
}

bool conf_schema_add(struct ly_ctx *ctx, const char *name, const char *text, struct conf_error *err)
{
	if (lys_parse_mem(ctx, text, LYS_IN_YANG, NULL) != LY_SUCCESS) {
		conf_error_ly(err, ctx, "does not compile");
		if (err && !err->path[0])
			snprintf(err->path, sizeof(err->path), "%s.yang", name);
		return false;
	}
	return true;
}

struct ly_ctx *conf_schema_new(struct conf_error *err)
{
	struct ly_ctx *ctx;

	ly_log_options(LY_LOSTORE);
	if (ly_ctx_new(NULL, LY_CTX_NO_YANGLIBRARY | LY_CTX_DISABLE_SEARCHDIRS, &ctx) != LY_SUCCESS) {
		conf_error(err, NULL, "no memory for the schema");
		return NULL;
	}
	ly_ctx_set_module_imp_clb(ctx, import, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(builtin); i++) {
		if (!conf_schema_add(ctx, builtin[i].name, builtin[i].text, err)) {
			conf_schema_free(ctx);
			return NULL;
		}
	}
	return ctx;
}

void conf_schema_free(struct ly_ctx *ctx)
{
	struct look_entry **p = &looks, *e;

	if (!ctx)
		return;
	while ((e = *p)) {
		if (e->ctx != ctx) {
			p = &e->next;
			continue;
		}
		*p = e->next;
		free(e->look.text);
		free(e);
	}
	ly_ctx_destroy(ctx);
}

bool conf_schema_text(size_t i, const char **name, const char **text)
{
	if (i >= ARRAY_SIZE(builtin))
		return false;
	*name = builtin[i].name;
	*text = builtin[i].text;
	return true;
}

/* ---- looks ---- */

static void split(struct conf_look *look, const char *keyword)
{
	char *save = NULL;

	look->text = xstrdup(keyword);
	look->words = 0;
	for (char *w = strtok_r(look->text, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		if (look->words < CONF_KEYWORD_WORDS)
			look->word[look->words++] = w;
	}
}

static void read_extensions(struct conf_look *look, const struct lysc_node *node)
{
	const char *keyword = node->name;
	LY_ARRAY_COUNT_TYPE i;

	LY_ARRAY_FOR(node->exts, i) {
		const struct lysc_ext_instance *ext = &node->exts[i];

		if (strcmp(ext->def->module->name, "l3vpn-ext"))
			continue;
		if (!strcmp(ext->def->name, "keyword"))
			keyword = ext->argument ? ext->argument : "";
		else if (!strcmp(ext->def->name, "mode"))
			look->mode = ext->argument;
		else if (!strcmp(ext->def->name, "positional"))
			look->positional = true;
		else if (!strcmp(ext->def->name, "secret"))
			look->secret = true;
	}
	split(look, keyword);
}

const struct conf_look *conf_look(const struct lysc_node *node)
{
	struct look_entry *e = node->priv;

	if (!e) {
		e = xcalloc(1, sizeof(*e));
		e->ctx = node->module->ctx;
		e->next = looks;
		looks = e;
		read_extensions(&e->look, node);
		((struct lysc_node *)node)->priv = e;
	}
	return &e->look;
}

static bool is_config(const struct lysc_node *node)
{
	return (node->nodetype & (LYS_CONTAINER | LYS_LIST | LYS_LEAF | LYS_LEAFLIST)) &&
	       (node->flags & LYS_CONFIG_W);
}

const struct lysc_node *conf_schema_next(const struct ly_ctx *ctx, const struct lysc_node *parent,
					 const struct lysc_node *last)
{
	const struct lys_module *mod;
	uint32_t idx = 0;

	if (parent) {
		while ((last = lys_getnext(last, parent, NULL, 0)) && !is_config(last))
			;
		return last;
	}
	while ((mod = ly_ctx_get_module_iter(ctx, &idx))) {
		if (!mod->implemented || !mod->compiled || (last && last->module != mod))
			continue;
		while ((last = lys_getnext(last, NULL, mod->compiled, 0))) {
			if (is_config(last))
				return last;
		}
	}
	return NULL;
}

/* ---- types for people ---- */

static void append(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void append(char *buf, size_t size, const char *fmt, ...)
{
	size_t used = strlen(buf);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf + used, size - used, fmt, ap);
	va_end(ap);
}

static void describe_string(const struct lysc_type_str *str, char *buf, size_t size)
{
	LY_ARRAY_COUNT_TYPE i;

	LY_ARRAY_FOR(str->patterns, i) {
		if (str->patterns[i]->emsg) {
			append(buf, size, "%s", str->patterns[i]->emsg);
			return;
		}
	}
	append(buf, size, "text");
	if (str->length)
		append(buf, size, " of %llu to %llu characters",
		       (unsigned long long)str->length->parts[0].min_u64,
		       (unsigned long long)str->length->parts[LY_ARRAY_COUNT(str->length->parts) - 1].max_u64);
	if (str->patterns)
		append(buf, size, " that matches %s", str->patterns[0]->expr);
}

static void describe_number(const struct lysc_type_num *num, char *buf, size_t size)
{
	LY_ARRAY_COUNT_TYPE i;

	append(buf, size, "a number");
	if (!num->range)
		return;
	LY_ARRAY_FOR(num->range->parts, i) {
		const struct lysc_range_part *part = &num->range->parts[i];

		append(buf, size, "%s%lld", i ? " or " : " ", (long long)part->min_64);
		if (part->min_64 != part->max_64)
			append(buf, size, "..%lld", (long long)part->max_64);
	}
}

static void describe_type(const struct lysc_type *type, char *buf, size_t size)
{
	const struct lysc_type_union *un = (const void *)type;
	const struct lysc_type_enum *en = (const void *)type;
	LY_ARRAY_COUNT_TYPE i;

	switch (type->basetype) {
	case LY_TYPE_STRING:
		describe_string((const void *)type, buf, size);
		break;
	case LY_TYPE_ENUM:
		append(buf, size, "%s", LY_ARRAY_COUNT(en->enums) > 1 ? "one of " : "");
		LY_ARRAY_FOR(en->enums, i)
			append(buf, size, "%s%s", i ? ", " : "", en->enums[i].name);
		break;
	case LY_TYPE_UNION:
		LY_ARRAY_FOR(un->types, i) {
			append(buf, size, "%s", i ? ", or " : "");
			describe_type(un->types[i], buf, size);
		}
		break;
	case LY_TYPE_LEAFREF:
		describe_type(((const struct lysc_type_leafref *)type)->realtype, buf, size);
		break;
	case LY_TYPE_BOOL:
		append(buf, size, "true or false");
		break;
	case LY_TYPE_EMPTY:
		append(buf, size, "nothing");
		break;
	case LY_TYPE_UINT8: case LY_TYPE_UINT16: case LY_TYPE_UINT32: case LY_TYPE_UINT64:
	case LY_TYPE_INT8: case LY_TYPE_INT16: case LY_TYPE_INT32: case LY_TYPE_INT64:
		describe_number((const void *)type, buf, size);
		break;
	default:
		append(buf, size, "a value of another type");
		break;
	}
}

static const struct lysc_type *type_of(const struct lysc_node *node)
{
	return node->nodetype == LYS_LEAF ? ((const struct lysc_node_leaf *)node)->type :
					    ((const struct lysc_node_leaflist *)node)->type;
}

void conf_describe(const struct lysc_node *node, char *buf, size_t size)
{
	buf[0] = 0;
	describe_type(type_of(node), buf, size);
}

bool conf_is_type(const struct lysc_node *node, LY_DATA_TYPE type)
{
	return (node->nodetype & (LYS_LEAF | LYS_LEAFLIST)) && type_of(node)->basetype == type;
}

bool conf_is_np(const struct lysc_node *node)
{
	return node->nodetype == LYS_CONTAINER && !(node->flags & LYS_PRESENCE);
}

bool conf_is_set(const struct lyd_node *node)
{
	const struct lyd_node *child;

	if (!node->schema)
		return false;
	if (node->schema->nodetype & (LYS_LEAF | LYS_LEAFLIST))
		return !(node->flags & LYD_DEFAULT);
	if (!conf_is_np(node->schema))
		return true;
	LY_LIST_FOR(lyd_child(node), child) {
		if (conf_is_set(child))
			return true;
	}
	return false;
}
