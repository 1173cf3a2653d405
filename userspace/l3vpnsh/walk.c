// SPDX-License-Identifier: GPL-2.0
/*
 * walk - configuration lines along the schema: see walk.h. Operational commands are exec_walk.c.
 *
 * The form of a line is the text form's (conf.h): keywords of containers and lists, a list's keys, positional leaves,
 * then `name value` of leaves. After a leaf the line may go on with its siblings, or with those of the containers and
 * lists around it that are no modes.
 */
#include "l3vpnsh/walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "l3vpnsh/match.h"
#include "lib/mem.h"

#define FRAMES_MAX 32

struct walker {
	const struct schema *schema;
	const struct words *words;
	int at;			/* next word */
	bool del;
	struct cands *cands;
	struct walk_error *err;
	char *text;		/* the line in full so far */
	bool new_line;		/* a mode was opened: what follows stands on a line of its own */
	/* from the level the line is typed in down to where it is; the paths are owned but the first */
	struct level frame[FRAMES_MAX];
	char *prefix[FRAMES_MAX];	/* owned: words of the text's last line that lead to the frame */
	int depth;
	bool leaf_done;		/* a leaf was walked: the line no longer opens a mode */
};

void cands_add(struct cands *c, const char *text, const char *help, bool value)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++) {
		if (strcmp(c->v[i].text, text))
			continue;
		if (!*c->v[i].help && *help) {
			free(c->v[i].help);
			c->v[i].help = xstrdup(help);
		}
		return;
	}
	c->v = xrealloc(c->v, (c->n + 1) * sizeof(*c->v));
	c->v[c->n++] = (struct cand){ .text = xstrdup(text), .help = xstrdup(help), .value = value };
}

void cands_free(struct cands *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->v[i].text);
		free(c->v[i].help);
	}
	for (size_t i = 0; i < c->n_live; i++)
		free(c->live[i].path);
	free(c->v);
	free(c->live);
	memset(c, 0, sizeof(*c));
}

static struct level *top(struct walker *k)
{
	return &k->frame[k->depth];
}

/* Where it happened; the reason is there. */
static bool fail_at(struct walker *k, const struct lysc_node *node)
{
	k->err->word = k->at;
	if (!node)
		snprintf(k->err->path, sizeof(k->err->path), "/");
	else
		lysc_path(node, LYSC_PATH_DATA, k->err->path, sizeof(k->err->path));
	return false;
}

static bool fail(struct walker *k, const struct lysc_node *node, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(k->err->reason, sizeof(k->err->reason), fmt, ap);
	va_end(ap);
	return fail_at(k, node);
}

/* The last line of the text so far, NULL when what follows stands on a line of its own. */
static char *last_line(const struct walker *k)
{
	const char *last = k->text && !k->new_line ? strrchr(k->text, '\n') : NULL;

	if (!k->text || k->new_line)
		return NULL;
	return xstrdup(last ? last + 1 : k->text);
}

static void append(struct walker *k, const char *word, bool quote)
{
	char *add = quote ? word_quote(word) : xstrdup(word);
	char *text = k->text ? xasprintf("%s%c%s", k->text, k->new_line ? '\n' : ' ', add) : xstrdup(add);

	k->new_line = false;
	free(add);
	free(k->text);
	k->text = text;
}

/* Data path of a child: the module's name where it changes. */
static char *child_path(const struct level *parent, const struct lysc_node *child)
{
	const char *base = parent->path ?: "";

	if (!parent->node || parent->node->module != child->module)
		return xasprintf("%s/%s:%s", base, child->module->name, child->name);
	return xasprintf("%s/%s", base, child->name);
}

struct word_help {
	struct cands *cands;
};

static void add_word(const char *word, const char *help, void *arg)
{
	cands_add(((struct word_help *)arg)->cands, word, help, false);
}

/* What may stand for the value of a leaf; path: of the list or leaf-list whose entries are possible values. */
static void add_value(struct walker *k, const struct lysc_node *leaf, char *path)
{
	struct word_help to = { k->cands };
	char *placeholder;

	if (!k->cands) {
		free(path);
		return;
	}
	placeholder = value_placeholder(leaf);
	if (placeholder)
		cands_add(k->cands, placeholder, node_help(leaf), true);
	free(placeholder);
	value_words(leaf, add_word, &to);
	k->cands->live = xrealloc(k->cands->live, (k->cands->n_live + 1) * sizeof(*k->cands->live));
	k->cands->live[k->cands->n_live++] = (struct live){ .leaf = leaf, .path = path };
}

/* Takes one value, checked, from the line; *value is borrowed from the words. */
static bool take_value(struct walker *k, const struct lysc_node *leaf, const char **value)
{
	char reason[400];

	*value = k->words->v[k->at].text;
	if (!value_check(k->schema, leaf, *value, reason, sizeof(reason)))
		return fail(k, leaf, "%s", reason);
	append(k, *value, true);
	k->at++;
	return true;
}

/* The rest of the line as one value: words between single blanks. */
static bool take_rest(struct walker *k, const struct lysc_node *leaf)
{
	char reason[400], *value = xstrdup(k->words->v[k->at].text);
	int last = k->words->n;
	bool ok;

	for (int i = k->at + 1; i < last; i++) {
		char *more = xasprintf("%s %s", value, k->words->v[i].text);

		free(value);
		value = more;
	}
	ok = value_check(k->schema, leaf, value, reason, sizeof(reason)) || fail(k, leaf, "%s", reason);
	if (ok) {
		append(k, value, true);
		k->at = last;
	}
	free(value);
	return ok;
}

/* What follows a boolean is its value, or may become it; another word is the next leaf's: the boolean stands alone. */
static bool says_boolean(const struct walker *k)
{
	const char *word = k->at < k->words->n ? k->words->v[k->at].text : "true";

	return !strcmp(word, "true") || !strcmp(word, "false");
}

static bool walk_leaf(struct walker *k, const struct lysc_node *leaf)
{
	const char *value;

	k->leaf_done = true;
	if (node_is_flag(leaf) || (node_is_boolean(leaf) && !says_boolean(k)))
		return true;
	if (k->at == k->words->n) {
		add_value(k, leaf, leaf->nodetype == LYS_LEAFLIST ? child_path(top(k), leaf) : NULL);
		if (k->cands) {
			k->cands->end = k->del || node_is_boolean(leaf);
			return false;
		}
		return k->del || node_is_boolean(leaf) ||
		       fail(k, leaf, "the value of '%s' is missing", node_keyword(leaf));
	}
	if (node_takes_rest(leaf) && !k->words->v[k->at].quoted)
		return take_rest(k, leaf);
	return take_value(k, leaf, &value);
}

/* Is the next word the whole name of what is in the container or list? Then no value stands there, as in the text. */
static bool names_child(const struct walker *k, const struct lysc_node *node)
{
	const struct word *w = &k->words->v[k->at];
	const struct lysc_node *child = NULL;

	if (w->quoted)
		return false;
	while ((child = config_next(k->schema, node, child))) {
		const char *keyword = node_keyword(child);
		size_t len = strcspn(keyword, " ");

		if (!node_is_key(child) && !node_ext(child, "positional") && len && strlen(w->text) == len &&
		    !strncmp(keyword, w->text, len))
			return true;
	}
	return false;
}

/* Values that stand without a name: list keys, then positional leaves. path: grows by the keys' predicates. */
static bool walk_values(struct walker *k, const struct lysc_node *node, char **path)
{
	const struct lysc_node *child = NULL;
	bool list = node->nodetype == LYS_LIST;
	char *list_path = xstrdup(*path);
	bool ok = true;

	while (ok && (child = config_next(k->schema, node, child))) {
		bool key = list && node_is_key(child);
		const char *value;
		char *more;

		if (!key && !(child->nodetype == LYS_LEAF && node_ext(child, "positional")))
			continue;
		if (k->at == k->words->n) {
			/* a positional leaf may be set already: the daemon knows */
			if (!key && (k->del || !k->cands))
				break;
			add_value(k, child, key ? xstrdup(list_path) : NULL);
			ok = false;
			if (!k->cands)
				fail(k, child, "%s is missing", child->name);
			break;
		}
		if (!key && names_child(k, node))
			break;
		ok = take_value(k, child, &value);
		if (!ok || !key)
			continue;
		more = strchr(value, '\'') ? xasprintf("%s[%s=\"%s\"]", *path, child->name, value) :
					     xasprintf("%s[%s='%s']", *path, child->name, value);
		free(*path);
		*path = more;
	}
	free(list_path);
	return ok;
}

static bool walk_inner(struct walker *k, const struct lysc_node *node)
{
	char *path = child_path(top(k), node);

	if (k->depth + 1 == FRAMES_MAX) {
		free(path);
		return fail(k, node, "the line goes too deep");
	}
	if (!walk_values(k, node, &path)) {
		free(path);
		return false;
	}
	k->frame[++k->depth] = (struct level){ .node = node, .path = path };
	k->new_line = node_ext(node, "mode");
	k->prefix[k->depth] = last_line(k);
	return true;
}

/* Children of a level that a keyword names. */
static size_t items_of(struct walker *k, const struct lysc_node *parent, struct item **items)
{
	const struct lysc_node *child = NULL;
	size_t n = 0;

	*items = NULL;
	while ((child = config_next(k->schema, parent, child))) {
		if (node_is_key(child) || node_ext(child, "positional") || !*node_keyword(child))
			continue;
		*items = xrealloc(*items, (n + 1) * sizeof(**items));
		(*items)[n++] = (struct item){ node_keyword(child), node_help(child), child };
	}
	return n;
}

/* A frame that the line may go on in after what is in it: not the level typed in, and no mode. */
static bool may_leave(const struct walker *k)
{
	return k->depth > 0 && !node_ext(k->frame[k->depth].node, "mode");
}

static enum match match_here(struct walker *k, const struct lysc_node **found)
{
	struct item *items;
	size_t n = items_of(k, top(k)->node, &items), which = 0;
	int used = 0;
	enum match result = match_items(items, n, k->words, k->at, &which, &used, k->cands, k->err);

	if (result == MATCH_ONE) {
		*found = items[which].what;
		append(k, items[which].words, false);
		k->at += used;
	} else if (result == MATCH_AMBIGUOUS) {
		k->at += used;
		fail_at(k, top(k)->node);
	} else if (result == MATCH_SHORT) {
		k->at = k->words->n;
		fail(k, top(k)->node, "the line is not complete");
	} else {
		k->at += used;
		fail(k, top(k)->node, "unknown word '%s'", k->words->v[k->at].text);
	}
	free(items);
	return result;
}

static void pop(struct walker *k)
{
	free(k->frame[k->depth].path);
	free(k->prefix[k->depth]);
	k->depth--;
}

/* The line goes on around the innermost frame: in text form that is another line. */
static void leave(struct walker *k)
{
	pop(k);
	k->new_line = true;
	if (k->prefix[k->depth])
		append(k, k->prefix[k->depth], false);
}

/* One keyword sequence with its values. */
static bool walk_one(struct walker *k)
{
	const struct lysc_node *node = NULL;
	enum match result;
	int first = k->at;
	bool del = k->del;

	while ((result = match_here(k, &node)) == MATCH_UNKNOWN && !del && may_leave(k) && k->at == first)
		leave(k);
	if (result != MATCH_ONE) {
		k->err->unknown = result == MATCH_UNKNOWN;
		return false;
	}
	if (node->nodetype & (LYS_LEAF | LYS_LEAFLIST))
		return walk_leaf(k, node);
	k->leaf_done = false;
	return walk_inner(k, node);
}

/* At the end of the words: the children of where the line is, and of what is around it. */
static void add_followers(struct walker *k)
{
	int depth = k->depth;

	if (!k->cands)
		return;
	k->cands->end = k->words->n > 0;
	for (;; depth--) {
		struct item *items;
		size_t n = items_of(k, k->frame[depth].node, &items), which;
		struct walk_error ignored;
		int used;

		match_items(items, n, k->words, k->words->n, &which, &used, k->cands, &ignored);
		free(items);
		if (!depth || node_ext(k->frame[depth].node, "mode"))
			break;
	}
}

static void finish(struct walker *k, struct config_line *line)
{
	struct level *end = top(k);

	if (!line)
		return;
	line->text = k->text;
	k->text = NULL;
	if (k->del && line->text) {
		char *last = strrchr(line->text, '\n');
		int keep = last ? last + 1 - line->text : 0;
		char *text = xasprintf("%.*sno %s", keep, line->text, line->text + keep);

		free(line->text);
		line->text = text;
	}
	if (!k->del && k->depth > 0 && !k->leaf_done && node_ext(end->node, "mode")) {
		line->enters = true;
		line->level = *end;
		end->path = NULL;
	}
}

bool config_walk(const struct schema *s, const struct level *at, bool del, const struct words *w, int first,
		 struct config_line *line, struct cands *cands, struct walk_error *err)
{
	struct walk_error ignored;
	struct walker k = { .schema = s, .words = w, .at = first, .del = del, .cands = cands, .err = err ?: &ignored };
	bool ok = true;

	memset(k.err, 0, sizeof(*k.err));
	if (line)
		memset(line, 0, sizeof(*line));
	k.frame[0] = *at;
	while (ok && k.at < w->n)
		ok = walk_one(&k);
	if (ok) {
		add_followers(&k);
		if (cands)
			cands->end = cands->end && w->n > first;
		finish(&k, line);
	}
	while (k.depth > 0)
		pop(&k);
	free(k.text);
	return ok;
}

void config_line_free(struct config_line *line)
{
	free(line->text);
	free(line->level.path);
	memset(line, 0, sizeof(*line));
}

bool config_level(const struct schema *s, const char *context, struct level *level)
{
	struct level at = { NULL, NULL };

	while (context && *context) {
		size_t len = strcspn(context, "\n");
		struct config_line line;
		struct words w;
		bool ok;

		words_split(context, len, &w);
		ok = !w.n || config_walk(s, &at, false, &w, 0, &line, NULL, NULL);
		if (ok && w.n) {
			free(at.path);
			at = line.level;
			memset(&line.level, 0, sizeof(line.level));
			ok = line.enters;
			config_line_free(&line);
		}
		words_free(&w);
		if (!ok) {
			free(at.path);
			return false;
		}
		context += len + (context[len] == '\n');
	}
	*level = at;
	return true;
}
