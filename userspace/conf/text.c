// SPDX-License-Identifier: GPL-2.0
/*
 * text - text form to tree: see text.h for the grammar. The opposite is print.c.
 *
 * A line is read word by word while descending through schema and tree together. The tree node is NULL where a `no`
 * line passes through what is not there: then the rest of the line is only checked.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/schema.h"
#include "conf/text.h"
#include "lib/mem.h"

#define WORDS_MAX 128
#define DEPTH_MAX 32

struct word {
	const char *s;
	bool quoted;		/* never a keyword */
};

/* An open block. */
struct frame {
	struct lyd_node *node;
	const struct lysc_node *schema;
	int indent;		/* of its opening line; -1: from the context, which "!" does not close */
	int body;		/* of its first line inside; -1: none yet */
};

struct reader {
	const struct ly_ctx *ctx;
	struct lyd_node **tree;
	struct conf_error *err;
	unsigned int line;
	int indent;			/* of the current line; -1 in the context */
	bool negate;
	struct frame frame[DEPTH_MAX];
	unsigned int depth;
	struct word word[WORDS_MAX];
	unsigned int words, at;
	char *buf;			/* the words' text */
};

/* Where the reader stands within a line. */
struct place {
	struct lyd_node *node;			/* NULL: top level, or not there (negate) */
	const struct lysc_node *schema;		/* NULL: top level */
	bool inline_;				/* reached on this line: more leaves may follow */
	bool fresh;				/* made by this line */
};

/* Fails at a schema node. */
#define refuse(r, schema, ...)						\
	({								\
		conf_error((r)->err, NULL, __VA_ARGS__);		\
		conf_error_schema((r)->err, schema);			\
		false;							\
	})

/* ---- words ---- */

/* Takes one word from *p into *out, both advanced. */
static bool take_word(struct reader *r, const char **p, char **out)
{
	struct word *w = &r->word[r->words];
	const char *s = *p;
	char *d = *out;

	if (r->words == WORDS_MAX)
		return refuse(r, NULL, "more than %d words on a line", WORDS_MAX);
	w->s = d;
	w->quoted = *s == '"';
	if (!w->quoted) {
		while (*s && *s != ' ' && *s != '\t' && *s != '\r')
			*d++ = *s++;
	} else {
		for (s++; *s != '"'; s++) {
			if (!*s)
				return refuse(r, NULL, "a quote is not closed");
			if (*s == '\\') {
				s++;
				if (!*s || !strchr("\"\\nt", *s))
					return refuse(r, NULL, "unknown escape after \\");
				*d++ = *s == 'n' ? '\n' : *s == 't' ? '\t' : *s;
				continue;
			}
			*d++ = *s;
		}
		s++;
		if (*s && *s != ' ' && *s != '\t' && *s != '\r')
			return refuse(r, NULL, "a blank is missing after a quote");
	}
	*d++ = 0;
	r->words++;
	*p = s;
	*out = d;
	return true;
}

/* Blanks at the start of a line, in columns: a tab goes to the next multiple of 8. */
static const char *skip_indent(const char *s, int *indent)
{
	*indent = 0;
	for (; *s == ' ' || *s == '\t'; s++)
		*indent = *s == '\t' ? (*indent | 7) + 1 : *indent + 1;
	return s;
}

/* Splits the rest of a line into words. */
static bool split_line(struct reader *r, const char *p)
{
	char *out;
	bool ok = true;

	free(r->buf);
	r->buf = out = xmalloc(strlen(p) + 2);
	r->words = r->at = 0;
	while (ok) {
		while (*p == ' ' || *p == '\t' || *p == '\r')
			p++;
		if (!*p)
			break;
		ok = take_word(r, &p, &out);
	}
	return ok;
}

/* Well-formed UTF-8 (RFC 3629) without control characters but tab and carriage return. */
static bool is_text(const char *str)
{
	const unsigned char *s = (const unsigned char *)str;

	while (*s) {
		unsigned int more = *s >= 0xf0 ? 3 : *s >= 0xe0 ? 2 : *s >= 0xc0 ? 1 : 0;
		uint32_t c = more ? *s & (0x3f >> more) : *s;
		static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };

		if ((*s < ' ' && *s != '\t' && *s != '\r') || *s == 0x7f || (*s >= 0x80 && *s < 0xc0) || *s > 0xf4)
			return false;
		s++;
		for (unsigned int i = 0; i < more; i++, s++) {
			if ((*s & 0xc0) != 0x80)
				return false;
			c = c << 6 | (*s & 0x3f);
		}
		if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) || (c & 0xfffe) == 0xfffe)
			return false;
	}
	return true;
}

static bool left(const struct reader *r)
{
	return r->at < r->words;
}

static const char *next_word(struct reader *r)
{
	return r->word[r->at++].s;
}

/* ---- matching ---- */

static bool keyword_matches(const struct reader *r, const struct conf_look *look)
{
	if (r->at + look->words > r->words)
		return false;
	for (unsigned int i = 0; i < look->words; i++) {
		const struct word *w = &r->word[r->at + i];

		if (w->quoted || strcmp(w->s, look->word[i]))
			return false;
	}
	return true;
}

static bool value_fits(const struct reader *r, const struct lysc_node *schema, const char *value)
{
	LY_ERR rc = lyd_value_validate(NULL, schema, value, strlen(value), NULL, NULL, NULL);

	return rc == LY_SUCCESS || rc == LY_EINCOMPLETE;
}

/* Without a keyword a list or leaf-list is known by its first value. */
static bool bare_matches(const struct reader *r, const struct lysc_node *schema)
{
	const struct lysc_node *first = schema;

	if (schema->nodetype == LYS_LIST)
		first = lysc_node_child(schema);
	return first && (first->nodetype & (LYS_LEAF | LYS_LEAFLIST)) && left(r) &&
	       value_fits(r, first, r->word[r->at].s);
}

/* The child whose keyword is the longest that the words continue with; NULL: none. */
static const struct lysc_node *match(const struct reader *r, const struct lysc_node *parent)
{
	const struct lysc_node *child = NULL, *best = NULL;
	int best_words = -1;

	while ((child = conf_schema_next(r->ctx, parent, child))) {
		const struct conf_look *look = conf_look(child);

		if (lysc_is_key(child) || (int)look->words <= best_words || !keyword_matches(r, look))
			continue;
		if (!look->words && !bare_matches(r, child))
			continue;
		best = child;
		best_words = look->words;
	}
	return best;
}

/* ---- tree ---- */

static struct lyd_node *siblings(struct reader *r, const struct place *at)
{
	if (!at->schema)
		return *r->tree;
	return at->node ? lyd_child(at->node) : NULL;
}

static struct lyd_node *find(struct reader *r, const struct place *at, const struct lysc_node *schema,
			     const char *key_or_value)
{
	struct lyd_node *node = NULL, *first = siblings(r, at);

	if (first)
		lyd_find_sibling_val(first, schema, key_or_value, 0, &node);
	return node;
}

static void mark(struct reader *r, struct lyd_node *node)
{
	node->priv = (void *)(uintptr_t)r->line;
}

/* A node just made at the top has to be linked by us. */
static bool attach(struct reader *r, const struct place *at, struct lyd_node *node, LY_ERR rc)
{
	if (rc != LY_SUCCESS)
		return conf_error_ly(r->err, r->ctx, "cannot be set");
	mark(r, node);
	if (!at->schema && lyd_insert_sibling(*r->tree, node, r->tree) != LY_SUCCESS) {
		lyd_free_tree(node);
		return conf_error_ly(r->err, r->ctx, "cannot be set");
	}
	return true;
}

static void drop(struct reader *r, struct lyd_node *node)
{
	if (*r->tree == node)
		*r->tree = node->next;
	lyd_free_tree(node);
}

static bool check_value(struct reader *r, const struct lysc_node *schema, const char *value)
{
	char expect[256];

	if (conf_look(schema)->secret && !strcmp(value, CONF_MASK))
		return refuse(r, schema, "a masked value cannot be set: give the secret itself");
	if (value_fits(r, schema, value))
		return true;
	conf_describe(schema, expect, sizeof(expect));
	return refuse(r, schema, "%s \"%s\" is not %s", schema->name, value, expect);
}

static bool set_leaf(struct reader *r, const struct place *at, const struct lysc_node *schema, const char *value)
{
	struct lyd_node *node = find(r, at, schema, NULL);
	LY_ERR rc;

	if (!check_value(r, schema, value))
		return false;
	if (!node) {
		rc = lyd_new_term(at->node, schema->module, schema->name, value, 0, &node);
		return attach(r, at, node, rc);
	}
	rc = lyd_change_term(node, value);
	if (rc != LY_SUCCESS && rc != LY_EEXIST && rc != LY_ENOT)
		return conf_error_ly(r->err, r->ctx, "cannot be set");
	mark(r, node);
	return true;
}

/* `no` with the value given: it has to be the one that is set. */
static bool same_value(struct reader *r, const struct lysc_node *schema, const struct lyd_node *node, const char *value)
{
	if (!check_value(r, schema, value))
		return false;
	if (!node || lyd_value_compare((const struct lyd_node_term *)node, value, strlen(value)) == LY_SUCCESS)
		return true;
	ly_err_clean((struct ly_ctx *)r->ctx, NULL);
	if (conf_look(schema)->secret)
		return refuse(r, schema, "%s is another", schema->name);
	return refuse(r, schema, "%s is \"%s\", not \"%s\"", schema->name, lyd_get_value(node), value);
}

/* ---- one node of a line ---- */

static bool do_leaf(struct reader *r, const struct place *at, const struct lysc_node *schema)
{
	struct lyd_node *node;
	const char *value = NULL;

	if (conf_is_type(schema, LY_TYPE_EMPTY)) {
		value = "";
	} else if (conf_is_type(schema, LY_TYPE_BOOL)) {
		bool said = left(r) && (!strcmp(r->word[r->at].s, "true") || !strcmp(r->word[r->at].s, "false"));

		value = said ? next_word(r) : r->negate ? NULL : "true";
	} else if (left(r)) {
		value = next_word(r);
	}
	if (!r->negate) {
		if (!value)
			return refuse(r, schema, "the line is incomplete: a value of %s is missing", schema->name);
		return set_leaf(r, at, schema, value);
	}
	node = find(r, at, schema, NULL);
	if (value && *value && !same_value(r, schema, node, value))
		return false;
	if (node)
		drop(r, node);
	return true;
}

static bool drop_all(struct reader *r, const struct place *at, const struct lysc_node *schema)
{
	struct lyd_node *node;

	while ((node = find(r, at, schema, NULL)))
		drop(r, node);
	return true;
}

/* *replaced: the leaf-list whose old values this line has already dropped. */
static bool do_leaflist(struct reader *r, const struct place *at, const struct lysc_node *schema,
			const struct lysc_node **replaced)
{
	struct lyd_node *node;
	const char *value;
	LY_ERR rc;

	if (!left(r)) {
		if (r->negate)
			return drop_all(r, at, schema);
		return refuse(r, schema, "the line is incomplete: a value of %s is missing", schema->name);
	}
	value = next_word(r);
	if (!check_value(r, schema, value))
		return false;
	/* the values of an ordered leaf-list within one line are all of them */
	if (!r->negate && at->inline_ && lysc_is_userordered(schema) && *replaced != schema &&
	    at->schema->nodetype == LYS_LIST && !conf_look(at->schema)->mode) {
		drop_all(r, at, schema);
		*replaced = schema;
	}
	node = find(r, at, schema, value);
	if (r->negate) {
		if (node)
			drop(r, node);
		return true;
	}
	if (node) {
		mark(r, node);
		return true;
	}
	rc = lyd_new_term(at->node, schema->module, schema->name, value, 0, &node);
	return attach(r, at, node, rc);
}

/* Keys as words -> predicate of lyd_find_sibling_val. */
static bool read_keys(struct reader *r, const struct lysc_node *list, const char **key, char **predicate)
{
	const struct lysc_node *leaf;
	unsigned int n = 0;

	*predicate = xstrdup("");
	for (leaf = lysc_node_child(list); leaf && lysc_is_key(leaf); leaf = leaf->next) {
		char quote, *longer;

		if (n == CONF_KEYS_MAX)
			return refuse(r, list, "more than %d keys", CONF_KEYS_MAX);
		if (!left(r))
			return refuse(r, list, "the line is incomplete: %s is missing", leaf->name);
		key[n] = next_word(r);
		if (!check_value(r, leaf, key[n]))
			return false;
		quote = strchr(key[n], '\'') ? '"' : '\'';
		if (strchr(key[n], quote))
			return refuse(r, leaf, "%s must not have both kinds of quotes", leaf->name);
		longer = xasprintf("%s[%s=%c%s%c]", *predicate, leaf->name, quote, key[n], quote);
		free(*predicate);
		*predicate = longer;
		n++;
	}
	return true;
}

static bool do_list(struct reader *r, struct place *at, const struct lysc_node *schema)
{
	const char *key[CONF_KEYS_MAX] = { NULL };
	struct lyd_node *node;
	char *predicate = NULL;
	bool fresh = false, ok;

	ok = read_keys(r, schema, key, &predicate);
	node = ok ? find(r, at, schema, predicate) : NULL;
	free(predicate);
	if (!ok)
		return false;
	if (!node && !r->negate) {
		LY_ERR rc = lyd_new_list(at->node, schema->module, schema->name, 0, &node, key[0], key[1], key[2],
					 key[3], key[4], key[5], key[6], key[7]);

		if (!attach(r, at, node, rc))
			return false;
		fresh = true;
	}
	*at = (struct place){ .node = node, .schema = schema, .inline_ = true, .fresh = fresh };
	return true;
}

static bool do_container(struct reader *r, struct place *at, const struct lysc_node *schema)
{
	struct lyd_node *node = find(r, at, schema, NULL);
	bool fresh = !node;

	if (!node && !r->negate) {
		LY_ERR rc = lyd_new_inner(at->node, schema->module, schema->name, 0, &node);

		if (!attach(r, at, node, rc))
			return false;
	}
	*at = (struct place){ .node = node, .schema = schema, .inline_ = true, .fresh = fresh };
	return true;
}

/* Positional leaves after a container or list; *taken tells whether there was one. */
static bool do_positional(struct reader *r, const struct place *at, bool *taken)
{
	const struct lysc_node *leaf = NULL;

	while ((leaf = conf_schema_next(r->ctx, at->schema, leaf))) {
		if (!conf_look(leaf)->positional || lysc_is_key(leaf))
			continue;
		if (!left(r)) {
			if ((leaf->flags & LYS_MAND_TRUE) && at->fresh && !r->negate && r->indent >= 0)
				return refuse(r, leaf, "the line is incomplete: %s is missing", leaf->name);
			return true;
		}
		if (!r->word[r->at].quoted && match(r, at->schema))
			return true;
		*taken = true;
		if (!r->negate) {
			if (!set_leaf(r, at, leaf, next_word(r)))
				return false;
		} else if (!same_value(r, leaf, find(r, at, leaf, NULL), next_word(r))) {
			return false;
		}
	}
	return true;
}

/* ---- lines ---- */

static bool push(struct reader *r, const struct place *at)
{
	if (r->depth == DEPTH_MAX)
		return refuse(r, at->schema, "blocks are nested deeper than %d", DEPTH_MAX);
	r->frame[r->depth++] = (struct frame){
		.node = at->node, .schema = at->schema, .indent = r->indent, .body = -1
	};
	return true;
}

/* The words after "no" ended at a container or list entry: it goes. */
static bool negate_inner(struct reader *r, struct place *at)
{
	if (at->node)
		drop(r, at->node);
	return true;
}

static bool unknown(struct reader *r, const struct place *at, bool more)
{
	if (more)
		return refuse(r, at->schema, "\"%s\" is one word too many, or unknown here", r->word[r->at].s);
	return refuse(r, at->schema, "\"%s\" is unknown here", r->word[r->at].s);
}

/* A container or list was reached: is the line complete, and does it open a block? *done then. */
static bool reached(struct reader *r, struct place *at, bool *done)
{
	const struct lysc_node *schema = at->schema;
	bool positional = false;

	if (!do_positional(r, at, &positional))
		return false;
	*done = !left(r);
	if (!*done)
		return true;
	if (r->negate)
		return negate_inner(r, at);
	if (conf_look(schema)->mode)
		return push(r, at);
	if (schema->nodetype == LYS_LIST || positional || (schema->flags & LYS_PRESENCE))
		return true;
	return refuse(r, schema, "the line is incomplete after \"%s\"", r->word[r->words - 1].s);
}

/* Reads the words from r->at on, standing at a place. */
static bool do_words(struct reader *r, struct place at)
{
	const struct lysc_node *replaced = NULL;
	bool leaf_seen = false, done = false, ok = false;

	while (!done) {
		const struct lysc_node *child = match(r, at.schema);

		if (!child || (leaf_seen && (!at.inline_ || r->negate)))
			return unknown(r, &at, leaf_seen);
		r->at += conf_look(child)->words;
		switch (child->nodetype) {
		case LYS_CONTAINER:
			ok = do_container(r, &at, child) && reached(r, &at, &done);
			replaced = NULL;
			leaf_seen = false;
			break;
		case LYS_LIST:
			ok = do_list(r, &at, child) && reached(r, &at, &done);
			replaced = NULL;
			leaf_seen = false;
			break;
		case LYS_LEAF:
			ok = do_leaf(r, &at, child);
			done = !left(r);
			leaf_seen = true;
			break;
		default:
			ok = do_leaflist(r, &at, child, &replaced);
			done = !left(r);
			leaf_seen = true;
			break;
		}
		if (!ok)
			return false;
	}
	return true;
}

/* Closes the blocks that this line's indentation ends. */
static void dedent(struct reader *r, int indent)
{
	while (r->depth) {
		struct frame *f = &r->frame[r->depth - 1];

		if (f->indent < 0 || indent > f->indent)
			break;
		/* a block whose first line is not deeper than its own has no indentation to go by */
		if (indent == f->indent && f->body <= f->indent)
			break;
		r->depth--;
	}
	if (r->depth && r->frame[r->depth - 1].body < 0)
		r->frame[r->depth - 1].body = indent;
}

/* "!" closes the innermost block that stands at its indentation, and those deeper. */
static void bang(struct reader *r, int indent)
{
	while (r->depth && r->frame[r->depth - 1].indent > indent)
		r->depth--;
	if (r->depth && r->frame[r->depth - 1].indent == indent)
		r->depth--;
}

/* What closes blocks; true: the line is done with. */
static bool control_line(struct reader *r)
{
	const char *first = r->word[0].s;

	if (r->words != 1 || r->word[0].quoted)
		return false;
	if (!strcmp(first, "end") || !strcmp(first, "root")) {
		r->depth = 0;
		return true;
	}
	if (!strcmp(first, "exit")) {
		if (r->depth)
			r->depth--;
		return true;
	}
	return false;
}

static struct place place_of(const struct reader *r)
{
	const struct frame *f = r->depth ? &r->frame[r->depth - 1] : NULL;

	return (struct place){ .node = f ? f->node : NULL, .schema = f ? f->schema : NULL };
}

static bool do_line(struct reader *r, const char *line)
{
	unsigned int depth;
	const char *s;
	int indent;

	r->negate = false;
	if (!is_text(line))
		return refuse(r, place_of(r).schema, "a byte that is not text (UTF-8)");
	s = skip_indent(line, &indent);
	if (*s == '!' || *s == '#') {
		if (s[0] == '!' && !s[1 + strspn(s + 1, " \t\r")])
			bang(r, indent);
		return true;
	}
	if (!split_line(r, s))
		return false;
	if (!r->words)
		return true;
	if (r->indent >= 0)
		r->indent = indent;
	if (control_line(r))
		return true;
	dedent(r, indent);
	if (!r->word[0].quoted && !strcmp(r->word[0].s, "no")) {
		r->negate = true;
		r->at = 1;
		if (!left(r))
			return refuse(r, place_of(r).schema, "the line is incomplete after \"no\"");
	}
	/* what does not fit here may fit in a block around */
	depth = r->depth;
	while (depth && !match(r, r->frame[depth - 1].schema))
		depth--;
	if (depth || match(r, NULL))
		r->depth = depth;
	/* a frame is never removed by its own line: what `no` removes is below the innermost frame left */
	return do_words(r, place_of(r));
}

static bool do_lines(struct reader *r, const char *text)
{
	bool ok = true;

	while (ok && *text) {
		size_t len = strcspn(text, "\n");
		char *line = xstrndup(text, len);

		r->line++;
		ok = do_line(r, line);
		free(line);
		text += len;
		text += *text == '\n';
	}
	return ok;
}

/* The lines that open the frames. */
static char *context_of(const struct reader *r)
{
	char *text = xstrdup("");

	for (unsigned int i = 0; i < r->depth; i++) {
		char *line = conf_text_opener(r->frame[i].node, i ? r->frame[i - 1].schema : NULL);
		char *longer = xasprintf("%s%s%s", text, i ? "\n" : "", line);

		free(line);
		free(text);
		text = longer;
	}
	return text;
}

bool conf_text_apply(const struct ly_ctx *ctx, struct lyd_node **tree, const char *context, const char *text,
		     char **new_context, struct conf_error *err)
{
	struct reader r = { .ctx = ctx, .tree = tree, .err = err, .indent = -1 };
	bool ok = true;

	if (context) {
		ok = do_lines(&r, context);
		r.line = 0;
	}
	for (unsigned int i = 0; i < r.depth; i++)
		r.frame[i].indent = -1;
	r.indent = 0;
	ok = ok && do_lines(&r, text);
	if (ok && new_context)
		*new_context = context_of(&r);
	if (!ok && err)
		err->line = r.line;
	free(r.buf);
	return ok;
}
