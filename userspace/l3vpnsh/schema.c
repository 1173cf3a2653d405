// SPDX-License-Identifier: GPL-2.0
/*
 * schema - see schema.h. The commands of the shell itself are l3vpnsh.yang, whose text is made part of the program
 * here, as the daemon does with its modules.
 */
#include "l3vpnsh/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

#define SHELL_MODULE "l3vpnsh"

extern const char shell_yang[], shell_yang_end[];
__asm__(".section .rodata\n"
	".global shell_yang\n"
	"shell_yang:\n"
	".incbin \"" SRC_DIR "/l3vpnsh/yang/l3vpnsh.yang\"\n"
	".global shell_yang_end\n"
	"shell_yang_end:\n"
	".byte 0\n"
	".previous\n");

struct schema *schema_new(void)
{
	return xcalloc(1, sizeof(struct schema));
}

void schema_free(struct schema *s)
{
	if (!s)
		return;
	ly_ctx_destroy(s->ctx);
	for (size_t i = 0; i < s->n_texts; i++) {
		free(s->texts[i].name);
		free(s->texts[i].text);
	}
	free(s->texts);
	free(s->commands);
	free(s);
}

void schema_add(struct schema *s, const char *name, const char *text)
{
	s->texts = xrealloc(s->texts, (s->n_texts + 1) * sizeof(*s->texts));
	s->texts[s->n_texts].name = xstrdup(name);
	s->texts[s->n_texts++].text = xstrdup(text);
}

/* libyang asks for a module by its name. */
static LY_ERR schema_import(const char *mod, const char *rev, const char *submod, const char *subrev, void *arg,
			    LYS_INFORMAT *format, const char **data, void (**free_data)(void *, void *))
{
	struct schema *s = arg;

	for (size_t i = 0; !submod && i < s->n_texts; i++) {
		if (strcmp(s->texts[i].name, mod))
			continue;
		*format = LYS_IN_YANG;
		*data = s->texts[i].text;
		*free_data = NULL;
		return LY_SUCCESS;
	}
	return LY_ENOTFOUND;
}

static unsigned int where_of(const struct lysc_node *rpc)
{
	const char *in = node_ext(rpc, "in");

	if (!in)
		/* looking is allowed everywhere; what acts needs `do` while configuring */
		return !strncmp(node_ext(rpc, "command"), "show ", 5) ? IN_EXEC | IN_CONFIGURE : IN_EXEC;
	if (!strcmp(in, "any"))
		return IN_EXEC | IN_CONFIGURE;
	return !strcmp(in, "configure") ? IN_CONFIGURE : IN_EXEC;
}

static void add_commands(struct schema *s, const struct lys_module *module)
{
	const struct lysc_node_action *rpc;

	if (!module->implemented || !module->compiled)
		return;
	for (rpc = module->compiled->rpcs; rpc; rpc = (const struct lysc_node_action *)rpc->next) {
		struct command *cmd;
		const char *words = node_ext(&rpc->node, "command");

		if (!words && !node_ext(&rpc->node, "form"))
			continue;
		s->commands = xrealloc(s->commands, (s->n_commands + 1) * sizeof(*s->commands));
		cmd = &s->commands[s->n_commands++];
		cmd->rpc = &rpc->node;
		cmd->words = words;
		cmd->where = words ? where_of(&rpc->node) : 0;
		cmd->local = !strcmp(module->name, SHELL_MODULE);
		cmd->text = node_ext(&rpc->node, "text");
		cmd->topic = node_ext(&rpc->node, "topic");
	}
}

bool schema_build(struct schema *s, char *reason, size_t size)
{
	const struct lys_module *module;
	uint32_t i = 0;
	const uint16_t options = LY_CTX_NO_YANGLIBRARY | LY_CTX_DISABLE_SEARCHDIRS | LY_CTX_DISABLE_SEARCHDIR_CWD;

	ly_log_options(LY_LOSTORE_LAST);
	if (ly_ctx_new(NULL, options, &s->ctx)) {
		snprintf(reason, size, "the YANG library does not start");
		return false;
	}
	schema_add(s, SHELL_MODULE, shell_yang);
	ly_ctx_set_module_imp_clb(s->ctx, schema_import, s);
	for (size_t t = 0; t < s->n_texts; t++) {
		if (ly_ctx_load_module(s->ctx, s->texts[t].name, NULL, NULL))
			continue;
		if (!ly_ctx_get_module_implemented(s->ctx, s->texts[t].name)) {
			snprintf(reason, size, "module %s: %s", s->texts[t].name, ly_errmsg(s->ctx) ?: "not valid");
			return false;
		}
	}
	while ((module = ly_ctx_get_module_iter(s->ctx, &i)))
		add_commands(s, module);
	return true;
}

const struct command *schema_command(const struct schema *s, const char *rpc)
{
	for (size_t i = 0; i < s->n_commands; i++)
		if (!strcmp(s->commands[i].rpc->name, rpc))
			return &s->commands[i];
	return NULL;
}

const char *node_ext(const struct lysc_node *node, const char *name)
{
	LY_ARRAY_COUNT_TYPE u;

	LY_ARRAY_FOR(node->exts, u) {
		const struct lysc_ext_instance *ext = &node->exts[u];
		const char *module = ext->def->module->name;

		if (!strcmp(ext->def->name, name) && (!strcmp(module, "l3vpn-ext") || !strcmp(module, SHELL_MODULE)))
			return ext->argument ?: "";
	}
	return NULL;
}

const char *node_keyword(const struct lysc_node *node)
{
	return node_ext(node, "keyword") ?: node->name;
}

const char *node_help(const struct lysc_node *node)
{
	return node->dsc ?: "";
}

bool node_is_key(const struct lysc_node *node)
{
	return node->nodetype == LYS_LEAF && (node->flags & LYS_KEY);
}

static const struct lysc_type *type_of(const struct lysc_node *node)
{
	const struct lysc_type *type = node->nodetype == LYS_LEAFLIST ?
		((const struct lysc_node_leaflist *)node)->type : ((const struct lysc_node_leaf *)node)->type;

	if (type->basetype == LY_TYPE_LEAFREF)
		type = ((const struct lysc_type_leafref *)type)->realtype;
	return type;
}

bool node_takes_rest(const struct lysc_node *node)
{
	const struct lysc_type *type = type_of(node);

	return node->nodetype == LYS_LEAF && !node_is_key(node) && type->basetype == LY_TYPE_STRING &&
	       !((const struct lysc_type_str *)type)->patterns && !node_ext(node, "positional");
}

bool node_is_flag(const struct lysc_node *node)
{
	return type_of(node)->basetype == LY_TYPE_EMPTY;
}

bool node_is_boolean(const struct lysc_node *node)
{
	return type_of(node)->basetype == LY_TYPE_BOOL;
}

const struct lysc_node *config_next(const struct schema *s, const struct lysc_node *parent,
				    const struct lysc_node *last)
{
	const struct lys_module *module;
	uint32_t i = 0;

	if (parent) {
		while ((last = lys_getnext(last, parent, NULL, 0)) && !(last->flags & LYS_CONFIG_W))
			;
		return last;
	}
	while ((module = ly_ctx_get_module_iter(s->ctx, &i))) {
		const struct lysc_node *node = NULL;

		if (!module->implemented || !module->compiled || (last && module != last->module))
			continue;
		node = last;
		last = NULL;
		while ((node = lys_getnext(node, NULL, module->compiled, 0)))
			if (node->nodetype & (LYS_CONTAINER | LYS_LIST | LYS_LEAF | LYS_LEAFLIST) &&
			    node->flags & LYS_CONFIG_W)
				return node;
	}
	return NULL;
}

bool value_check(const struct schema *s, const struct lysc_node *leaf, const char *value, char *reason, size_t size)
{
	LY_ERR rc = lyd_value_validate(s->ctx, leaf, value, strlen(value), NULL, NULL, NULL);
	const char *message;

	if (!rc || rc == LY_EINCOMPLETE)
		return true;
	message = ly_errmsg(s->ctx) ?: "the value does not fit";
	/* the schema's own messages say what is expected, but not what was typed */
	if (strstr(message, value))
		snprintf(reason, size, "%s", message);
	else
		snprintf(reason, size, "'%s': %s", value, message);
	ly_err_clean(s->ctx, NULL);
	return false;
}

static size_t range_text(const struct lysc_range *range, char *buf, size_t size)
{
	size_t used = 0;
	LY_ARRAY_COUNT_TYPE u;

	LY_ARRAY_FOR(range->parts, u) {
		const struct lysc_range_part *part = &range->parts[u];

		if (part->min_u64 == part->max_u64)
			used += snprintf(buf + used, size - used, "%s%llu", u ? "|" : "",
					 (unsigned long long)part->min_u64);
		else
			used += snprintf(buf + used, size - used, "%s%llu-%llu", u ? "|" : "",
					 (unsigned long long)part->min_u64, (unsigned long long)part->max_u64);
		if (used >= size - 1)
			break;
	}
	return used;
}

static char *type_placeholder(const struct lysc_type *type, const char *name)
{
	static const char *const most[] = {
		[LY_TYPE_UINT8] = "255", [LY_TYPE_UINT16] = "65535", [LY_TYPE_UINT32] = "4294967295",
		[LY_TYPE_UINT64] = "18446744073709551615",
	};
	char text[160];

	switch (type->basetype) {
	case LY_TYPE_ENUM:
	case LY_TYPE_BOOL:
	case LY_TYPE_EMPTY:
		return NULL;
	case LY_TYPE_UINT8:
	case LY_TYPE_UINT16:
	case LY_TYPE_UINT32:
	case LY_TYPE_UINT64:
		if (((const struct lysc_type_num *)type)->range)
			range_text(((const struct lysc_type_num *)type)->range, text, sizeof(text));
		else
			snprintf(text, sizeof(text), "0-%s", most[type->basetype]);
		return xasprintf("<%s>", text);
	case LY_TYPE_UNION: {
		const struct lysc_type_union *of = (const struct lysc_type_union *)type;
		LY_ARRAY_COUNT_TYPE u;

		LY_ARRAY_FOR(of->types, u) {
			char *found = type_placeholder(of->types[u], name);

			if (found)
				return found;
		}
		return NULL;
	}
	default:
		return xasprintf("<%s>", name);
	}
}

char *value_placeholder(const struct lysc_node *leaf)
{
	return type_placeholder(type_of(leaf), leaf->name);
}

static void type_words(const struct lysc_type *type, void (*fn)(const char *, const char *, void *), void *arg)
{
	LY_ARRAY_COUNT_TYPE u;

	if (type->basetype == LY_TYPE_ENUM) {
		const struct lysc_type_enum *enums = (const struct lysc_type_enum *)type;

		LY_ARRAY_FOR(enums->enums, u)
			fn(enums->enums[u].name, enums->enums[u].dsc ?: "", arg);
	} else if (type->basetype == LY_TYPE_BOOL) {
		fn("true", "", arg);
		fn("false", "", arg);
	} else if (type->basetype == LY_TYPE_UNION) {
		const struct lysc_type_union *of = (const struct lysc_type_union *)type;

		LY_ARRAY_FOR(of->types, u)
			type_words(of->types[u], fn, arg);
	}
}

void value_words(const struct lysc_node *leaf, void (*fn)(const char *word, const char *help, void *arg), void *arg)
{
	type_words(type_of(leaf), fn, arg);
}
