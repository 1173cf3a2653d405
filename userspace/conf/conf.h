/* SPDX-License-Identifier: GPL-2.0 */
/*
 * conf - the configuration: a tree that the YANG schema (conf/yang/l3vpn.yang) describes, on libyang.
 *
 * There is one running tree. A client edits a candidate; a commit validates it as a whole, makes it the running
 * tree, tells the subscribers exactly what differs, and writes history and start-up file. Nothing is half
 * applied: what is refused changes nothing and says what, where (line, path) and why.
 *
 *   store.c      running tree, candidates, commit, confirm, rollback      history.c   snapshots on disk
 *   change.c     the difference between two trees, subscribers            value.c     reading a tree
 *   text.c       text form -> tree      print.c   tree -> text form, changes between two trees as text
 *   schema.c     the schema, its extensions (l3vpn-ext.yang), how a node is written
 *
 * Everything here runs on the main thread.
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <libyang/libyang.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct conf;
struct conf_candidate;

/* Why something was refused. line is 0 where there is no text; path is a schema or data path, may be empty. */
enum conf_refusal {
	CONF_REFUSED,		/* the configuration is wrong */
	CONF_LOCKED,		/* not now: somebody else has it, or nothing to confirm */
	CONF_CHANGED,		/* others committed meanwhile */
	CONF_FAILED,		/* disk, memory */
};

struct conf_error {
	enum conf_refusal kind;
	unsigned int line;
	char path[256];
	char reason[512];
};

/* Fills all but the line, which it leaves. err may be NULL. Always returns false: `return conf_error(...)`. */
bool conf_error(struct conf_error *err, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same with the path of a node of the candidate. */
bool conf_error_node(struct conf_error *err, const struct lyd_node *node, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- subscribers: how a room learns its configuration ---- */

enum conf_op { CONF_ADD, CONF_DEL, CONF_MOD };

struct conf_subscriber {
	const char *name;	/* for the log */
	/*
	 * Schema path of a list, container, leaf or leaf-list, with the module's prefix on the first node only:
	 * "/l3vpn:vrf", "/l3vpn:bgp/neighbor". A list below a list is fine: each entry of each.
	 */
	const char *path;
	int prio;
	/*
	 * May refuse a candidate; gets its first top-level node (NULL: empty configuration), complete and valid to
	 * the schema, defaults included. It must not keep the tree and must change nothing. May be NULL.
	 */
	bool (*validate)(const struct lyd_node *candidate, struct conf_error *err, void *arg);
	/*
	 * One instance of path differs: ADD (old NULL), DEL (now NULL) or MOD (something in it or below it differs,
	 * or, in an ordered-by-user list, its place). The instance compares with defaults: a default made
	 * explicit is no difference. A container without presence counts as there when something in it is set.
	 * Both trees live until the call returns: keep no pointer into them, with one exception: conf_running()
	 * stays until the next commit. It cannot refuse: what can be refused is refused in validate. May be NULL.
	 */
	void (*change)(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now, void *arg);
	void *arg;
};

/*
 * On a commit: schema validation, every validate(); then all DEL by descending prio (entries in reverse order), then
 * ADD and MOD by ascending prio (entries in the tree's order). conf_running() is already the new tree meanwhile.
 * Suggested prios: system 10, mpls/labels 20, vrf 30, interface 40, static lsp 50, static 60, bgp 70.
 * The struct is copied. Subscribe before conf_start(). A path that the schema lacks is a bug: aborts.
 */
void conf_subscribe(struct conf *conf, const struct conf_subscriber *sub);

/* ---- reading a tree: rel is a path of child names below node, "timers/hold-time", without keys ---- */

/*
 * The value of a leaf: set, or the schema's default, or dflt when neither is there or node is NULL.
 * The string lives as long as the tree.
 */
const char *conf_str(const struct lyd_node *node, const char *rel, const char *dflt);
uint32_t conf_u32(const struct lyd_node *node, const char *rel, uint32_t dflt);	/* any unsigned type that fits */
bool conf_bool(const struct lyd_node *node, const char *rel, bool dflt);	/* leaf of type boolean; empty: true */
bool conf_exists(const struct lyd_node *node, const char *rel);	/* set explicitly, or a container with presence */
/* Child of that name (first entry of a list or leaf-list), or NULL. */
const struct lyd_node *conf_child(const struct lyd_node *node, const char *rel);
const char *conf_value(const struct lyd_node *leaf);	/* canonical text of a leaf or leaf-list entry */
/* Top-level node of a tree by name; "bgp" finds the container, "vrf" the first entry of the list. */
const struct lyd_node *conf_top(const struct lyd_node *tree, const char *name);
/* The entry of list `name` below node (or among the tree's top nodes with conf_top_entry) whose first key is key. */
const struct lyd_node *conf_entry(const struct lyd_node *node, const char *name, const char *key);
const struct lyd_node *conf_top_entry(const struct lyd_node *tree, const char *name, const char *key);
/* The next entry of the same list or leaf-list, or NULL. */
const struct lyd_node *conf_next(const struct lyd_node *entry);

/* for each entry of list or leaf-list rel below node */
#define conf_for_each(entry, node, rel) \
	for ((entry) = conf_child(node, rel); (entry); (entry) = conf_next(entry))
/* for each entry of a top-level list */
#define conf_for_each_top(entry, tree, name) \
	for ((entry) = conf_top(tree, name); (entry); (entry) = conf_next(entry))

/* ---- life ---- */

struct conf_options {
	uv_loop_t *loop;	/* for the timer of commit confirmed */
	const char *state_dir;	/* history lives in STATE_DIR/commits, made when missing; NULL: none is kept */
	const char *file;	/* start-up file in text form; may not exist yet; NULL: none */
};

/* NULL: no memory, state_dir unusable, or the built-in schema does not compile; err says. */
struct conf *conf_new(const struct conf_options *opt, struct conf_error *err);
/* Adds a module to the schema (mgmt's RPCs). Before conf_start(). */
bool conf_add_module(struct conf *conf, const char *name, const char *text, struct conf_error *err);
/*
 * Loads the start-up file, as a whole, through validation and subscribers. false: refused, err has line, path and
 * reason, and the running configuration is empty; no file is an empty configuration and no error.
 */
bool conf_start(struct conf *conf, struct conf_error *err);
/* Closes its timer on the loop: run the loop once more before closing it. No subscriber is called. */
void conf_free(struct conf *conf);

const struct ly_ctx *conf_ctx(const struct conf *conf);
const struct lyd_node *conf_running(const struct conf *conf);	/* NULL: empty */
/* Texts of all modules of the schema, for clients that build on it: calls fn for each. */
void conf_schema_each(const struct conf *conf, void (*fn)(const char *name, const char *text, void *arg), void *arg);

/* ---- candidates ---- */

/*
 * A private copy of the running configuration; exclusive: as long as it lives nobody else may commit.
 * NULL: refused (somebody holds it exclusively). owner is for messages and history.
 */
struct conf_candidate *conf_candidate_open(struct conf *conf, const char *owner, bool exclusive,
					   struct conf_error *err);
void conf_candidate_close(struct conf_candidate *cand);
void conf_candidate_reset(struct conf_candidate *cand);		/* forgets its edits: running again */
const struct lyd_node *conf_candidate_tree(const struct conf_candidate *cand);
bool conf_candidate_changed(const struct conf_candidate *cand);

/*
 * Lines of text form into the candidate. context: NULL, or the lines that open the modes the text stands in,
 * separated by newlines, as conf_edit gave them before. All lines are taken, or none (false, err->line counts
 * from 1 in text).
 * new_context: if not NULL, receives the modes open after the last line (malloc'ed, "" at the top).
 * Values are checked against their types at once; what spans nodes is left to validation.
 */
bool conf_edit(struct conf_candidate *cand, const char *context, const char *text, char **new_context,
	       struct conf_error *err);
/* The whole configuration anew from text or JSON (RFC 7951). */
bool conf_replace_text(struct conf_candidate *cand, const char *text, struct conf_error *err);
bool conf_replace_json(struct conf_candidate *cand, const char *json, struct conf_error *err);
bool conf_merge_json(struct conf_candidate *cand, const char *json, struct conf_error *err);
/* By data path, "/l3vpn:vrf[name='RED']/rd"; value NULL for a container, list entry or empty leaf. */
bool conf_set(struct conf_candidate *cand, const char *path, const char *value, struct conf_error *err);
bool conf_delete(struct conf_candidate *cand, const char *path, struct conf_error *err);

bool conf_validate(struct conf_candidate *cand, struct conf_error *err);

struct conf_commit {
	uint64_t confirm_ms;	/* not 0: rolled back by itself unless confirmed within */
	const char *comment;	/* may be NULL */
	bool force;		/* others committed since its edits began: put its own changes onto theirs */
};

/*
 * false: refused, nothing changed. On success the candidate is a copy of the new running. id: number of the
 * commit (0 when nothing differed).
 * A commit by anyone but the owner of an unconfirmed one is refused; by its owner it confirms it.
 * An unconfirmed commit is not written to the start-up file: a daemon that dies meanwhile starts with the old.
 */
bool conf_commit(struct conf_candidate *cand, const struct conf_commit *how, uint64_t *id,
		 struct conf_error *err);
bool conf_confirm(struct conf *conf, struct conf_error *err);	/* anyone may */
uint64_t conf_confirm_left_ms(const struct conf *conf);		/* 0: nothing waits */
/* Called when an unconfirmed commit was rolled back; one listener. */
void conf_on_rollback(struct conf *conf, void (*fn)(uint64_t id, void *arg), void *arg);

/* ---- history: the newest CONF_HISTORY commits ---- */

#define CONF_HISTORY 50

struct conf_commit_info {
	uint64_t id;
	int64_t time;		/* seconds since 1970 */
	char owner[64];
	char comment[128];
};

/* The n-th commit back: 0 is the newest. false: there is none. */
bool conf_history(const struct conf *conf, unsigned int n, struct conf_commit_info *info);
/* The candidate becomes the configuration as it was before the newest n commits; 0 is the running one. */
bool conf_rollback(struct conf_candidate *cand, unsigned int n, struct conf_error *err);

/* ---- printing: all return malloc'ed text ---- */

#define CONF_PRINT_SECRETS 1	/* passwords in clear; without it "********", which no edit accepts back */

/* path: NULL for all, or a data path of the subtree wanted (NULL is returned when it is not there). */
char *conf_text(const struct lyd_node *tree, const char *path, unsigned int flags);
char *conf_json(const struct lyd_node *tree, unsigned int flags);
/*
 * The lines, `no` lines included, that lead from one tree to the other: what `show configuration` shows in a
 * session.
 */
char *conf_changes_text(const struct lyd_node *from, const struct lyd_node *to, unsigned int flags);
/* Both text forms compared: lines with "+ ", "- " and, for the modes around them, "  ". Empty when equal. */
char *conf_differences(const struct lyd_node *from, const struct lyd_node *to, unsigned int flags);

/* The tree before the newest n commits (0: running); caller frees with lyd_free_all; false: there is none. */
bool conf_history_tree(const struct conf *conf, unsigned int n, struct lyd_node **tree, struct conf_error *err);

#endif
