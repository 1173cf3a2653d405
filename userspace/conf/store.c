// SPDX-License-Identifier: GPL-2.0
/*
 * store - the running configuration, candidates, commit, confirm and rollback: see conf.h.
 *
 * The running tree is validated and has its defaults. A candidate that was edited owns a tree without defaults,
 * so that what an
 * operator set is all that is in it; validation works on a copy, and the copy becomes the running tree.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conf/change.h"
#include "conf/conf.h"
#include "conf/history.h"
#include "conf/refs.h"
#include "conf/schema.h"
#include "conf/text.h"
#include "lib/log.h"
#include "lib/mem.h"

/* A running tree, now or once; candidates hold the one they started from. */
struct snapshot {
	unsigned int refs;
	struct lyd_node *tree;
};

struct module {
	char *name, *text;
	struct module *next;
};

struct conf {
	struct ly_ctx *ctx;
	uv_timer_t timer;		/* of the unconfirmed commit */
	uv_loop_t *loop;
	char *file;
	struct module *modules;		/* added to the built-in ones */
	struct conf_sub *subs;
	struct conf_refs *refs;		/* from conf_start() on */
	unsigned int sub_count;
	struct snapshot *running;
	struct conf_history *history;
	struct conf_candidate *exclusive;
	struct snapshot *fallback;	/* not NULL: a commit waits for confirmation */
	struct conf_candidate *fallback_by;	/* NULL: its session is gone */
	char fallback_owner[64];
	uint64_t fallback_id;
	uint64_t deadline;		/* loop time, ms */
	void (*on_rollback)(uint64_t id, void *arg);
	void *on_rollback_arg;
};

struct conf_candidate {
	struct conf *conf;
	char owner[64];
	struct snapshot *base;
	struct lyd_node *tree;		/* when edited */
	bool edited;
	bool lines;			/* priv of its nodes are lines of the text it was loaded from */
};

static struct snapshot *snapshot_new(struct lyd_node *tree)
{
	struct snapshot *s = xcalloc(1, sizeof(*s));

	s->refs = 1;
	s->tree = tree;
	return s;
}

static struct snapshot *snapshot_get(struct snapshot *s)
{
	s->refs++;
	return s;
}

static void snapshot_put(struct snapshot *s)
{
	if (s && --s->refs == 0) {
		lyd_free_all(s->tree);
		free(s);
	}
}

static bool refused(struct conf_error *err, enum conf_refusal kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static bool refused(struct conf_error *err, enum conf_refusal kind, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return false;
	*err = (struct conf_error){ .kind = kind };
	va_start(ap, fmt);
	vsnprintf(err->reason, sizeof(err->reason), fmt, ap);
	va_end(ap);
	return false;
}

/* ---- trees ---- */

static void strip_defaults(struct lyd_node **first)
{
	struct lyd_node *node, *next;

	LY_LIST_FOR_SAFE(*first, next, node) {
		if (node->schema->nodetype & (LYS_LEAF | LYS_LEAFLIST)) {
			if (!(node->flags & LYD_DEFAULT))
				continue;
			if (*first == node)
				*first = next;
			lyd_free_tree(node);
		} else {
			struct lyd_node *child = lyd_child(node);

			if (child)
				strip_defaults(&child);
		}
	}
}

/*
 * A copy of a whole tree. libyang's own would look for the right place of each top-level node, which is quadratic in
 * thousands of VRFs; here they stay in the order that they had.
 */
static bool dup_tree(const struct lyd_node *tree, struct lyd_node **copy, struct conf_error *err)
{
	const struct lyd_node *node;
	struct lyd_node *dup;

	*copy = NULL;
	LY_LIST_FOR(lyd_first_sibling(tree), node) {
		if (lyd_dup_single(node, NULL, LYD_DUP_RECURSIVE | LYD_DUP_WITH_FLAGS, &dup) != LY_SUCCESS) {
			lyd_free_all(*copy);
			*copy = NULL;
			return refused(err, CONF_FAILED, "no memory for the configuration");
		}
		if (*copy) {
			/* the first one's prev is the last; the last one's next is NULL */
			dup->prev = (*copy)->prev;
			dup->prev->next = dup;
			(*copy)->prev = dup;
		} else {
			*copy = dup;
		}
	}
	return true;
}

/* A copy to edit: what was set, and no defaults. */
static bool edit_copy(const struct lyd_node *tree, struct lyd_node **copy, struct conf_error *err)
{
	if (!dup_tree(tree, copy, err))
		return false;
	strip_defaults(copy);
	return true;
}

static const struct lyd_node *tree_of(const struct conf_candidate *cand)
{
	return cand->edited ? cand->tree : cand->conf->running->tree;
}

/* The line that set the node an error is about, or what is around it. */
static unsigned int line_of(const struct conf_candidate *cand, const char *path)
{
	struct lyd_node *node = NULL;
	LY_ERR rc;

	if (!cand->lines || !cand->tree || path[0] != '/')
		return 0;
	rc = lyd_find_path(cand->tree, path, 0, &node);
	ly_err_clean(cand->conf->ctx, NULL);
	if (rc != LY_SUCCESS && rc != LY_EINCOMPLETE)
		return 0;
	while (node && !node->priv)
		node = lyd_parent(node);
	return node ? (uintptr_t)node->priv : 0;
}

/* Schema and subscribers agree: *valid is a tree of its own, with defaults. */
static bool build(struct conf *conf, const struct lyd_node *tree, struct lyd_node **valid, struct conf_error *err)
{
	struct conf_sub *s;

	if (!dup_tree(tree, valid, err))
		return false;
	if (lyd_validate_all(valid, conf->ctx, LYD_VALIDATE_NO_STATE, NULL) != LY_SUCCESS) {
		conf_error_ly(err, conf->ctx, "the configuration is not valid");
		if (err)
			err->line = 0;	/* of no text */
		goto no;
	}
	*valid = lyd_first_sibling(*valid);
	if (!conf_refs_check(conf->refs, *valid, err))
		goto no;
	for (s = conf->subs; s; s = s->next) {
		if (s->sub.validate && !s->sub.validate(*valid, err, s->sub.arg))
			goto no;
	}
	return true;
no:
	lyd_free_all(*valid);
	*valid = NULL;
	return false;
}

static bool build_candidate(struct conf_candidate *cand, const struct lyd_node *tree, struct lyd_node **valid,
			    struct conf_error *err)
{
	struct conf_error scratch;

	err = err ? err : &scratch;
	*err = (struct conf_error){ 0 };
	if (build(cand->conf, tree, valid, err))
		return true;
	err->line = line_of(cand, err->path);
	return false;
}

/* ---- life ---- */

struct conf *conf_new(const struct conf_options *opt, struct conf_error *err)
{
	struct conf *conf = xcalloc(1, sizeof(*conf));

	if (err)
		*err = (struct conf_error){ 0 };
	conf->ctx = conf_schema_new(err);
	conf->history = conf->ctx ? conf_history_open(opt->state_dir, err) : NULL;
	if (!conf->history) {
		conf_schema_free(conf->ctx);
		free(conf);
		return NULL;
	}
	conf->loop = opt->loop;
	conf->file = opt->file ? xstrdup(opt->file) : NULL;
	conf->running = snapshot_new(NULL);
	uv_timer_init(conf->loop, &conf->timer);
	conf->timer.data = conf;
	return conf;
}

static void closed(uv_handle_t *handle)
{
	free(handle->data);
}

void conf_free(struct conf *conf)
{
	struct conf_sub *s;
	struct module *m;

	if (!conf)
		return;
	while ((s = conf->subs)) {
		conf->subs = s->next;
		free(s);
	}
	while ((m = conf->modules)) {
		conf->modules = m->next;
		free(m->name);
		free(m->text);
		free(m);
	}
	snapshot_put(conf->running);
	snapshot_put(conf->fallback);
	conf_history_close(conf->history);
	conf_refs_free(conf->refs);
	conf_schema_free(conf->ctx);
	free(conf->file);
	uv_close((uv_handle_t *)&conf->timer, closed);
}

bool conf_add_module(struct conf *conf, const char *name, const char *text, struct conf_error *err)
{
	struct module *m, **end = &conf->modules;

	if (err)
		*err = (struct conf_error){ 0 };
	if (!conf_schema_add(conf->ctx, name, text, err))
		return false;
	m = xcalloc(1, sizeof(*m));
	m->name = xstrdup(name);
	m->text = xstrdup(text);
	while (*end)
		end = &(*end)->next;
	*end = m;
	return true;
}

void conf_schema_each(const struct conf *conf, void (*fn)(const char *name, const char *text, void *arg), void *arg)
{
	const char *name, *text;

	for (size_t i = 0; conf_schema_text(i, &name, &text); i++)
		fn(name, text, arg);
	for (const struct module *m = conf->modules; m; m = m->next)
		fn(m->name, m->text, arg);
}

void conf_subscribe(struct conf *conf, const struct conf_subscriber *sub)
{
	struct conf_sub *s = xcalloc(1, sizeof(*s)), **end = &conf->subs;

	s->sub = *sub;
	s->order = conf->sub_count++;
	s->schema = lys_find_path(conf->ctx, NULL, sub->path, 0);
	if (!s->schema) {
		log_err("conf", "%s subscribes to %s, which the schema does not have", sub->name, sub->path);
		abort();
	}
	while (*end)
		end = &(*end)->next;
	*end = s;
}

const struct ly_ctx *conf_ctx(const struct conf *conf)
{
	return conf->ctx;
}

const struct lyd_node *conf_running(const struct conf *conf)
{
	return conf->running->tree;
}

/* ---- commit ---- */

/* The valid tree, which is taken, becomes the running one and everybody is told. */
static void apply(struct conf *conf, struct lyd_node *valid)
{
	struct snapshot *old = conf->running;

	conf->running = snapshot_new(valid);
	conf_dispatch(conf->subs, old->tree, valid);
	snapshot_put(old);
}

static bool record(struct conf *conf, const struct lyd_node *tree, const char *owner, const char *comment,
		   uint64_t *id, struct conf_error *err)
{
	struct conf_commit_info info = { .time = time(NULL) };
	char *text = conf_text(tree, NULL, CONF_PRINT_SECRETS);
	bool ok;

	if (!text)
		return refused(err, CONF_FAILED, "no memory for the text");
	snprintf(info.owner, sizeof(info.owner), "%s", owner);
	snprintf(info.comment, sizeof(info.comment), "%s", comment ? comment : "");
	ok = conf_history_add(conf->history, &info, text, err);
	free(text);
	*id = info.id;
	return ok;
}

static bool write_startup(struct conf *conf, const struct lyd_node *tree, struct conf_error *err)
{
	char *text;
	bool ok;

	if (!conf->file)
		return true;
	text = conf_text(tree, NULL, CONF_PRINT_SECRETS);
	if (!text)
		return refused(err, CONF_FAILED, "no memory for the text");
	ok = conf_write_file(conf->file, text, err);
	free(text);
	return ok;
}

static void end_confirm(struct conf *conf)
{
	uv_timer_stop(&conf->timer);
	snapshot_put(conf->fallback);
	conf->fallback = NULL;
	conf->fallback_by = NULL;
}

static void roll_back(uv_timer_t *timer)
{
	struct conf *conf = timer->data;
	struct snapshot *fallback = conf->fallback;
	uint64_t unconfirmed = conf->fallback_id, id;
	struct conf_error err = { 0 };
	char comment[128];
	struct lyd_node *tree;

	log_warn("conf", "commit %" PRIu64 " by %s was not confirmed: back to the configuration before it", unconfirmed,
		 conf->fallback_owner);
	/* it ran before: valid by then, and a refusal now would leave what nobody confirmed */
	if (!dup_tree(fallback->tree, &tree, &err)) {
		log_err("conf", "rollback of commit %" PRIu64 ": %s; trying again", unconfirmed, err.reason);
		uv_timer_start(&conf->timer, roll_back, 1000, 0);
		return;
	}
	snprintf(comment, sizeof(comment), "rollback of commit %" PRIu64 ", not confirmed", unconfirmed);
	if (!record(conf, tree, "l3vpnd", comment, &id, &err))
		log_err("conf", "history: %s: %s", err.path, err.reason);
	end_confirm(conf);
	apply(conf, tree);
	if (conf->on_rollback)
		conf->on_rollback(unconfirmed, conf->on_rollback_arg);
}

static void begin_confirm(struct conf *conf, struct conf_candidate *cand, struct snapshot *before, uint64_t id,
			  uint64_t ms)
{
	if (!conf->fallback)
		conf->fallback = snapshot_get(before);
	conf->fallback_by = cand;
	conf->fallback_id = id;
	snprintf(conf->fallback_owner, sizeof(conf->fallback_owner), "%s", cand->owner);
	uv_update_time(conf->loop);
	conf->deadline = uv_now(conf->loop) + ms;
	uv_timer_start(&conf->timer, roll_back, ms, 0);
}

bool conf_confirm(struct conf *conf, struct conf_error *err)
{
	if (!conf->fallback)
		return refused(err, CONF_LOCKED, "no commit waits for confirmation");
	if (!write_startup(conf, conf->running->tree, err))
		return false;
	log_notice("conf", "commit %" PRIu64 " is confirmed", conf->fallback_id);
	end_confirm(conf);
	return true;
}

uint64_t conf_confirm_left_ms(const struct conf *conf)
{
	uint64_t now = uv_now(conf->loop);

	if (!conf->fallback)
		return 0;
	return conf->deadline > now ? conf->deadline - now : 1;
}

void conf_on_rollback(struct conf *conf, void (*fn)(uint64_t id, void *arg), void *arg)
{
	conf->on_rollback = fn;
	conf->on_rollback_arg = arg;
}

/* Others committed since: this candidate's own changes onto theirs. */
static bool rebase(struct conf_candidate *cand, struct lyd_node **tree, struct conf_error *err)
{
	struct conf *conf = cand->conf;
	char *changes = conf_changes_text(cand->base->tree, cand->tree, CONF_PRINT_SECRETS);
	bool ok;

	if (!changes || !edit_copy(conf->running->tree, tree, err)) {
		free(changes);
		return refused(err, CONF_FAILED, "no memory for the configuration");
	}
	ok = conf_text_apply(conf->ctx, tree, NULL, changes, NULL, err);
	free(changes);
	if (!ok) {
		lyd_free_all(*tree);
		*tree = NULL;
		err->line = 0;
	}
	return ok;
}

static bool may_commit(struct conf_candidate *cand, const struct conf_commit *how, struct conf_error *err)
{
	struct conf *conf = cand->conf;

	if (conf->exclusive && conf->exclusive != cand)
		return refused(err, CONF_LOCKED, "%s holds the configuration exclusively", conf->exclusive->owner);
	if (conf->fallback && conf->fallback_by != cand)
		return refused(err, CONF_LOCKED, "commit %" PRIu64 " by %s waits for confirmation", conf->fallback_id,
			       conf->fallback_owner);
	if (cand->edited && cand->base != conf->running && !how->force)
		return refused(err, CONF_CHANGED,
			       "others committed since these changes were begun; commit force puts these onto theirs");
	return true;
}

/* valid is taken. */
static bool commit_valid(struct conf_candidate *cand, const struct conf_commit *how, struct lyd_node *valid,
			 uint64_t *id, struct conf_error *err)
{
	struct conf *conf = cand->conf;
	struct snapshot *before = conf->running;

	if (!record(conf, valid, cand->owner, how->comment, id, err)) {
		lyd_free_all(valid);
		return false;
	}
	if (!how->confirm_ms && !write_startup(conf, valid, err)) {
		conf_history_undo(conf->history);
		lyd_free_all(valid);
		return false;
	}
	if (how->confirm_ms)
		begin_confirm(conf, cand, before, *id, how->confirm_ms);
	else if (conf->fallback)
		end_confirm(conf);
	log_notice("conf", "commit %" PRIu64 " by %s%s", *id, cand->owner,
		   how->confirm_ms ? ", to be confirmed" : "");
	apply(conf, valid);
	return true;
}

bool conf_commit(struct conf_candidate *cand, const struct conf_commit *how, uint64_t *id, struct conf_error *err)
{
	static const struct conf_commit plain;
	struct conf *conf = cand->conf;
	struct lyd_node *rebased = NULL, *valid;
	struct conf_error scratch;
	uint64_t number = 0;
	bool ok = true;

	how = how ? how : &plain;
	err = err ? err : &scratch;
	*err = (struct conf_error){ 0 };
	if (!may_commit(cand, how, err))
		return false;
	if (cand->edited && cand->base != conf->running && !rebase(cand, &rebased, err))
		return false;
	ok = build_candidate(cand, rebased ? rebased : tree_of(cand), &valid, err);
	lyd_free_all(rebased);
	if (!ok)
		return false;
	if (conf_trees_equal(conf->running->tree, valid, true)) {
		lyd_free_all(valid);
		if (conf->fallback && !how->confirm_ms)
			ok = conf_confirm(conf, err);
	} else {
		ok = commit_valid(cand, how, valid, &number, err);
	}
	if (!ok)
		return false;
	conf_candidate_reset(cand);
	if (id)
		*id = number;
	return true;
}

bool conf_start(struct conf *conf, struct conf_error *err)
{
	struct conf_candidate *cand;
	struct lyd_node *valid = NULL;
	char *text = NULL, *last;
	bool missing = true, ok;
	uint64_t id;

	if (err)
		*err = (struct conf_error){ 0 };
	if (!conf->refs)
		conf->refs = conf_refs_new(conf->ctx);
	if (conf->file) {
		text = conf_read_file(conf->file, &missing, err);
		if (!text && !missing)
			return false;
	}
	if (err)
		*err = (struct conf_error){ 0 };
	cand = conf_candidate_open(conf, "l3vpnd", false, err);
	ok = cand && conf_replace_text(cand, text ? text : "", err) &&
	     build_candidate(cand, tree_of(cand), &valid, err);
	conf_candidate_close(cand);
	free(text);
	if (!ok)
		return false;
	text = conf_text(valid, NULL, CONF_PRINT_SECRETS);
	last = conf_history_count(conf->history) ? conf_history_text(conf->history, 0, NULL) : NULL;
	if (!last || !text || strcmp(last, text))
		ok = record(conf, valid, "l3vpnd", "start", &id, err);
	free(last);
	free(text);
	if (!ok) {
		lyd_free_all(valid);
		return false;
	}
	apply(conf, valid);
	return true;
}

/* ---- candidates ---- */

struct conf_candidate *conf_candidate_open(struct conf *conf, const char *owner, bool exclusive,
					   struct conf_error *err)
{
	struct conf_candidate *cand;

	if (err)
		*err = (struct conf_error){ 0 };
	if (conf->exclusive) {
		refused(err, CONF_LOCKED, "%s holds the configuration exclusively", conf->exclusive->owner);
		return NULL;
	}
	cand = xcalloc(1, sizeof(*cand));
	cand->conf = conf;
	snprintf(cand->owner, sizeof(cand->owner), "%s", owner);
	cand->base = snapshot_get(conf->running);
	if (exclusive)
		conf->exclusive = cand;
	return cand;
}

void conf_candidate_close(struct conf_candidate *cand)
{
	if (!cand)
		return;
	if (cand->conf->exclusive == cand)
		cand->conf->exclusive = NULL;
	if (cand->conf->fallback_by == cand)
		cand->conf->fallback_by = NULL;
	lyd_free_all(cand->tree);
	snapshot_put(cand->base);
	free(cand);
}

void conf_candidate_reset(struct conf_candidate *cand)
{
	lyd_free_all(cand->tree);
	cand->tree = NULL;
	cand->edited = false;
	cand->lines = false;
	snapshot_put(cand->base);
	cand->base = snapshot_get(cand->conf->running);
}

const struct lyd_node *conf_candidate_tree(const struct conf_candidate *cand)
{
	return tree_of(cand);
}

bool conf_candidate_changed(const struct conf_candidate *cand)
{
	return cand->edited && !conf_trees_equal(cand->base->tree, cand->tree, true);
}

/* The tree is taken; an untouched candidate begins with what runs now. */
static void take(struct conf_candidate *cand, struct lyd_node *tree, bool lines)
{
	if (!cand->edited)
		conf_candidate_reset(cand);
	lyd_free_all(cand->tree);
	cand->tree = lyd_first_sibling(tree);
	cand->edited = true;
	cand->lines = lines;
}

static bool start_edit(struct conf_candidate *cand, struct lyd_node **copy, struct conf_error *err)
{
	if (err)
		*err = (struct conf_error){ 0 };
	return edit_copy(tree_of(cand), copy, err);
}

bool conf_edit(struct conf_candidate *cand, const char *context, const char *text, char **new_context,
	       struct conf_error *err)
{
	struct lyd_node *copy;

	if (!start_edit(cand, &copy, err))
		return false;
	if (!conf_text_apply(cand->conf->ctx, &copy, context, text, new_context, err)) {
		lyd_free_all(copy);
		return false;
	}
	take(cand, copy, false);
	return true;
}

bool conf_replace_text(struct conf_candidate *cand, const char *text, struct conf_error *err)
{
	struct lyd_node *tree = NULL;

	if (err)
		*err = (struct conf_error){ 0 };
	if (!conf_text_apply(cand->conf->ctx, &tree, NULL, text, NULL, err)) {
		lyd_free_all(tree);
		return false;
	}
	take(cand, tree, true);
	return true;
}

static bool has_mask(const struct lyd_node *first, struct conf_error *err)
{
	const struct lyd_node *node;

	LY_LIST_FOR(first, node) {
		if (node->schema->nodetype & (LYS_CONTAINER | LYS_LIST)) {
			if (has_mask(lyd_child(node), err))
				return true;
		} else if (conf_look(node->schema)->secret && !strcmp(lyd_get_value(node), CONF_MASK)) {
			conf_error_node(err, node, "a masked value cannot be set: give the secret itself");
			return true;
		}
	}
	return false;
}

static bool parse_json(struct conf *conf, const char *json, struct lyd_node **tree, struct conf_error *err)
{
	json_error_t where;
	json_t *doc;

	*tree = NULL;
	if (err)
		*err = (struct conf_error){ 0 };
	/* libyang takes a text that ends too early for a whole one */
	doc = json_loads(json, JSON_REJECT_DUPLICATES, &where);
	json_decref(doc);
	if (!doc) {
		conf_error(err, NULL, "not JSON: %s", where.text);
		if (err)
			err->line = where.line;
		return false;
	}
	if (lyd_parse_data_mem(conf->ctx, json, LYD_JSON, LYD_PARSE_ONLY | LYD_PARSE_STRICT | LYD_PARSE_NO_STATE, 0,
			       tree) != LY_SUCCESS) {
		conf_error_ly(err, conf->ctx, "not a configuration in JSON");
		lyd_free_all(*tree);
		return false;
	}
	if (has_mask(*tree, err)) {
		lyd_free_all(*tree);
		return false;
	}
	return true;
}

bool conf_replace_json(struct conf_candidate *cand, const char *json, struct conf_error *err)
{
	struct lyd_node *tree;

	if (!parse_json(cand->conf, json, &tree, err))
		return false;
	take(cand, tree, false);
	return true;
}

bool conf_merge_json(struct conf_candidate *cand, const char *json, struct conf_error *err)
{
	struct lyd_node *tree, *copy;

	if (!parse_json(cand->conf, json, &tree, err))
		return false;
	if (!edit_copy(tree_of(cand), &copy, err)) {
		lyd_free_all(tree);
		return false;
	}
	if (tree && lyd_merge_siblings(&copy, tree, LYD_MERGE_DESTRUCT) != LY_SUCCESS) {
		lyd_free_all(copy);
		return conf_error_ly(err, cand->conf->ctx, "cannot be merged");
	}
	take(cand, copy, false);
	return true;
}

bool conf_set(struct conf_candidate *cand, const char *path, const char *value, struct conf_error *err)
{
	struct lyd_node *copy, *made = NULL;
	const struct ly_ctx *ctx = cand->conf->ctx;

	if (!start_edit(cand, &copy, err))
		return false;
	if (lyd_new_path(copy, ctx, path, value, LYD_NEW_PATH_UPDATE, &made) != LY_SUCCESS) {
		conf_error_ly(err, ctx, "cannot be set");
		if (err)
			snprintf(err->path, sizeof(err->path), "%s", path);
		lyd_free_all(copy);
		return false;
	}
	if (!copy)
		copy = made;
	copy = lyd_first_sibling(copy);
	if (has_mask(copy, err)) {
		lyd_free_all(copy);
		return false;
	}
	take(cand, copy, false);
	return true;
}

bool conf_delete(struct conf_candidate *cand, const char *path, struct conf_error *err)
{
	struct lyd_node *copy, *node = NULL;

	if (!start_edit(cand, &copy, err))
		return false;
	if (!copy || lyd_find_path(copy, path, 0, &node) != LY_SUCCESS || lysc_is_key(node->schema)) {
		ly_err_clean(cand->conf->ctx, NULL);
		lyd_free_all(copy);
		return conf_error(err, path, "there is nothing to delete at this path");
	}
	if (node == copy)
		copy = node->next;
	lyd_free_tree(node);
	take(cand, copy, false);
	return true;
}

bool conf_validate(struct conf_candidate *cand, struct conf_error *err)
{
	struct lyd_node *valid;

	if (!build_candidate(cand, tree_of(cand), &valid, err))
		return false;
	lyd_free_all(valid);
	return true;
}

/* ---- history ---- */

bool conf_history(const struct conf *conf, unsigned int n, struct conf_commit_info *info)
{
	const struct conf_commit_info *found = conf_history_get(conf->history, n);

	if (found)
		*info = *found;
	return found != NULL;
}

bool conf_history_tree(const struct conf *conf, unsigned int n, struct lyd_node **tree, struct conf_error *err)
{
	char *text;
	bool ok;

	*tree = NULL;
	if (err)
		*err = (struct conf_error){ 0 };
	if (!n)
		return edit_copy(conf->running->tree, tree, err);
	text = conf_history_text(conf->history, n, err);
	if (!text)
		return false;
	ok = conf_text_apply(conf->ctx, tree, NULL, text, NULL, err);
	free(text);
	if (!ok) {
		lyd_free_all(*tree);
		*tree = NULL;
	}
	return ok;
}

bool conf_rollback(struct conf_candidate *cand, unsigned int n, struct conf_error *err)
{
	struct lyd_node *tree;

	if (!conf_history_tree(cand->conf, n, &tree, err))
		return false;
	take(cand, tree, false);
	return true;
}
