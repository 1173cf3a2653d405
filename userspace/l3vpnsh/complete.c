// SPDX-License-Identifier: GPL-2.0
/*
 * complete - see complete.h.
 *
 * libcli completes from its tree of fixed words and from the optional arguments of a command. The schema needs more:
 * words after values, any number of arguments, values from the daemon, help for each. So libcli's
 * cli_get_completions(), which its line editor calls through the dynamic linker, is replaced here. Where that
 * is not possible (a libcli linked statically, or built with -Bsymbolic) the tab key does nothing and `?` still works,
 * because libcli then runs the line with the `?` as its last word and tree.c sees it.
 */
#include "l3vpnsh/complete.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "l3vpnsh/output.h"
#include "l3vpnsh/pipe.h"
#include "lib/mem.h"

#define HELP_COLUMN 24

/* ---- live values ---- */

struct collector {
	const char *leaf;
	void (*fn)(const char *value, void *arg);
	void *arg;
	size_t n;
};

static void collect_value(struct collector *c, const json_t *value)
{
	char text[32];

	if (c->n >= COMPLETE_VALUES_MAX)
		return;
	if (json_is_integer(value)) {
		snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(value));
		c->fn(text, c->arg);
		c->n++;
	} else if (json_is_string(value)) {
		c->fn(json_string_value(value), c->arg);
		c->n++;
	}
}

/* A member by its name, with or without the module's prefix. */
static const json_t *member(const json_t *object, const char *name)
{
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return NULL;
	json_object_foreach((json_t *)object, key, value) {
		const char *colon = strchr(key, ':');

		if (!strcmp(key, name) || (colon && !strcmp(colon + 1, name)))
			return value;
	}
	return NULL;
}

/* Whether an entry has the values that predicates "[name='RED'][...]" ask for. */
static bool entry_fits(const json_t *entry, const char *predicates, size_t len)
{
	const char *end = predicates + len;

	while (predicates < end && *predicates == '[') {
		size_t name_len = strcspn(predicates + 1, "=");
		char quote = predicates[name_len + 2], name[64];
		const char *value = predicates + name_len + 3, *stop = strchr(value, quote);
		const json_t *have;
		char number[32];
		const char *text;

		if (!stop || stop > end)
			return false;
		snprintf(name, sizeof(name), "%.*s", (int)name_len, predicates + 1);
		have = member(entry, name);
		snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(have));
		text = json_is_integer(have) ? number : json_string_value(have);
		if (!text || strlen(text) != (size_t)(stop - value) || strncmp(text, value, stop - value))
			return false;
		predicates = stop + 2;
	}
	return true;
}

/* Length of a path's first step, whose predicates may hold slashes. */
static size_t step_length(const char *path)
{
	char quote = 0;
	size_t i;

	for (i = 0; path[i] && (quote || path[i] != '/'); i++) {
		if (quote)
			quote = path[i] == quote ? 0 : quote;
		else if (path[i] == '\'' || path[i] == '"')
			quote = path[i];
	}
	return i;
}

static void collect(struct collector *c, const json_t *value, const char *path);

static void collect_each(struct collector *c, const json_t *value, const char *path, const char *predicates, size_t len)
{
	size_t i;
	json_t *entry;

	if (!json_is_array(value)) {
		collect(c, value, path);
		return;
	}
	json_array_foreach((json_t *)value, i, entry)
		if (entry_fits(entry, predicates, len))
			collect(c, entry, path);
}

static void collect(struct collector *c, const json_t *value, const char *path)
{
	size_t len, name_len;
	char name[64];
	const char *colon;

	while (*path == '/')
		path++;
	if (!value)
		return;
	if (!*path) {
		collect_value(c, json_is_object(value) ? member(value, c->leaf) : value);
		return;
	}
	len = step_length(path);
	name_len = strcspn(path, "[/");
	colon = memchr(path, ':', name_len);
	if (colon) {
		name_len -= colon + 1 - path;
		snprintf(name, sizeof(name), "%.*s", (int)name_len, colon + 1);
	} else {
		snprintf(name, sizeof(name), "%.*s", (int)name_len, path);
	}
	collect_each(c, member(value, name), path + len, path + strcspn(path, "["), len - strcspn(path, "["));
}

size_t complete_collect(const json_t *config, const char *path, const char *leaf,
			void (*fn)(const char *value, void *arg), void *arg)
{
	struct collector c = { .leaf = leaf, .fn = fn, .arg = arg };

	collect(&c, config, path);
	return c.n;
}

struct values {
	struct cands *cands;
	const char *help;
	const char *leaf;
	size_t n;
};

static void add_live(const char *value, void *arg)
{
	struct values *v = arg;
	char *quoted = word_quote(value);

	cands_add(v->cands, quoted, "", false);
	free(quoted);
}

static bool row_live(json_t *row, void *arg)
{
	struct values *v = arg;
	json_t *value = json_object_get(row, v->leaf);
	struct collector c = { .fn = add_live, .arg = v };

	collect_value(&c, value ?: json_object_iter_value(json_object_iter(row)));
	return ++v->n < COMPLETE_VALUES_MAX;
}

/* Where the values of a leaf come from: l3:source, or what a leafref points to. malloc'ed, NULL: nowhere. */
static char *source_of(const struct lysc_node *leaf)
{
	const char *source = node_ext(leaf, "source");
	const struct lysc_type *type = leaf->nodetype == LYS_LEAFLIST ?
		((const struct lysc_node_leaflist *)leaf)->type : ((const struct lysc_node_leaf *)leaf)->type;
	const char *path;

	if (source)
		return xstrdup(source);
	if (type->basetype != LY_TYPE_LEAFREF)
		return NULL;
	path = lyxp_get_expr(((const struct lysc_type_leafref *)type)->path);
	return path && *path == '/' ? xstrdup(path) : NULL;
}

static void add_live_values(struct shell *sh, struct cands *cands)
{
	json_t *config = NULL;

	for (size_t i = 0; i < cands->n_live; i++) {
		struct live *live = &cands->live[i];
		struct values v = { .cands = cands, .leaf = live->leaf->name };
		char *source = source_of(live->leaf);
		struct mgmt_client_error err;

		if (source && *source != '/')
			json_decref(shell_call(sh, source, NULL, row_live, &v, &err));
		if (!config)
			config = config_json(sh);
		if (source && *source == '/')
			complete_collect(config, source, v.leaf, add_live, &v);
		if (live->path)
			complete_collect(config, live->path, v.leaf, add_live, &v);
		free(source);
	}
	json_decref(config);
}

/* ---- candidates of a line ---- */

static int by_text(const void *a, const void *b)
{
	const struct cand *x = a, *y = b;

	/* placeholders first, then words */
	if (x->value != y->value)
		return y->value - x->value;
	return strcasecmp(x->text, y->text);
}

/* Keeps what begins as the word being typed. A placeholder stands for anything. */
static void keep_matching(struct cands *cands, const char *typed)
{
	size_t kept = 0;

	for (size_t i = 0; i < cands->n; i++) {
		struct cand *c = &cands->v[i];

		if (!*typed || c->value || !strncasecmp(c->text, typed, strlen(typed))) {
			cands->v[kept++] = *c;
			continue;
		}
		free(c->text);
		free(c->help);
	}
	cands->n = kept;
}

void complete_line(struct shell *sh, const char *line, struct cands *cands)
{
	int n = stage_count(line) - 1;
	char *typed = NULL;
	const char *stage;
	struct words w;
	size_t len;

	stage = stage_get(line, n, &len);
	/* the blank at the end tells that the last word is whole */
	if (line[0] && line[strlen(line) - 1] == ' ' && len)
		len++;
	words_split(stage, len, &w);
	if (w.open && w.n) {
		typed = w.v[--w.n].text;
		w.open = false;
	}
	if (n)
		pipe_cands(&w, cands);
	else
		shell_cands(sh, &w, typed, cands);
	add_live_values(sh, cands);
	keep_matching(cands, typed ?: "");
	qsort(cands->v, cands->n, sizeof(*cands->v), by_text);
	if (typed)
		cands->end = false;
	free(typed);
	words_free(&w);
}

/* A description on one line: its first sentence. malloc'ed. */
static char *brief(const char *help)
{
	char *text = xstrdup(help), *out = text;

	for (const char *p = text; *p; p++) {
		bool blank = *p == '\n' || *p == ' ';

		if (blank && out > text && out[-1] == '.' && p[1] >= 'A' && p[1] <= 'Z')
			break;
		if (!blank || (out > text && out[-1] != ' '))
			*out++ = blank ? ' ' : *p;
	}
	*out = '\0';
	return text;
}

void complete_lines(struct shell *sh, const char *line, void (*fn)(const char *text, void *arg), void *arg)
{
	struct cands cands = {};

	complete_line(sh, line, &cands);
	for (size_t i = 0; i < cands.n; i++) {
		char *help = brief(cands.v[i].help);
		char *text = xasprintf("  %-*s %s", HELP_COLUMN - 3, cands.v[i].text, help);

		for (size_t end = strlen(text); end && text[end - 1] == ' ';)
			text[--end] = '\0';
		fn(text, arg);
		free(text);
		free(help);
	}
	if (cands.end)
		fn("  <cr>", arg);
	cands_free(&cands);
}

static void help_line(const char *text, void *arg)
{
	out_line(arg, "%s", text);
}

void complete_help(struct shell *sh)
{
	out_line(sh, "Type ? for what may come next, tab to complete. Words may be shortened while unambiguous.");
	out_line(sh, "After a command: | include RE, | exclude RE, | begin RE, | count, | json, | save FILE.");
	out_line(sh, "%s", "");
	complete_lines(sh, "", help_line, sh);
}

/* ---- libcli ---- */

static void comphelp_line(const char *text, void *arg)
{
	cli_add_comphelp_entry(arg, text);
}

/* libcli replaces what is after the last blank or |: a value with a blank in it cannot be completed by it. */
static bool can_complete(const struct cand *c, const char *command)
{
	return !strpbrk(c->text, " |") && strlen(command) + strlen(c->text) + 2 < CLI_MAX_LINE_LENGTH;
}

static bool is_word(const struct cand *c, const char *command)
{
	return !c->value && can_complete(c, command);
}

/* One word of the schema, which has help as live values have not, and nothing was typed of it. */
static bool alone_unasked(const struct cands *cands, const char *command)
{
	size_t len = strlen(command), words = 0, schema = 0;

	for (size_t i = 0; i < cands->n; i++) {
		words += is_word(&cands->v[i], command);
		schema += is_word(&cands->v[i], command) && cands->v[i].help[0];
	}
	return words == 1 && schema == 1 && (!len || command[len - 1] == ' ');
}

__attribute__((visibility("default")))
void cli_get_completions(struct cli_def *cli, const char *command, char lastchar, struct cli_comphelp *comphelp)
{
	struct shell *sh = &shell;
	struct cands cands = {};
	size_t words = 0;

	/* libcli leaves a pointer to a freed pipeline here after an empty line */
	cli->pipeline = NULL;
	if (lastchar == '?') {
		complete_lines(sh, command, comphelp_line, comphelp);
		return;
	}
	complete_line(sh, command, &cands);
	for (size_t i = 0; i < cands.n; i++)
		words += is_word(&cands.v[i], command);
	/*
	 * A placeholder is shown (at the second tab) where nothing is to be completed, and beside a word of the schema
	 * that would be taken for the only answer though nothing of it was typed.
	 */
	for (size_t i = 0; i < cands.n; i++)
		if (cands.v[i].value ? !words || alone_unasked(&cands, command) : is_word(&cands.v[i], command))
			cli_add_comphelp_entry(comphelp, cands.v[i].text);
	cands_free(&cands);
}
