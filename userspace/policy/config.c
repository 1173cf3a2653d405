// SPDX-License-Identifier: GPL-2.0
/*
 * Policies and sets by name, as the configuration has them; contracts in policy.h. A set that changes is compiled
 * alone: programs name it. Who watches hears later, once, by a job: many changes of one commit are one.
 */
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "lib/jobs.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "policy/private.h"

#define PRIO_SETS 62
#define PRIO_POLICIES 63

/* ---- names ---- */

struct set_key {
	enum set_kind kind;
	const char *name;
};

static uint32_t name_hash(const char *name, uint32_t seed)
{
	return hash_bytes(name, strlen(name), seed);
}

static bool match_set(const struct hash_node *n, const void *key)
{
	const struct named_set *s = hash_entry(n, struct named_set, node);
	const struct set_key *k = key;

	return s->kind == k->kind && !strcmp(s->name, k->name);
}

static bool match_policy(const struct hash_node *n, const void *name)
{
	return !strcmp(hash_entry(n, struct policy, node)->name, name);
}

static struct named_set *find_set(struct policies *ps, enum set_kind kind, const char *name)
{
	const struct set_key key = { kind, name };
	struct hash_node *n = hash_find(&ps->sets, name_hash(name, kind), match_set, &key);

	return n ? hash_entry(n, struct named_set, node) : NULL;
}

static struct policy *find_policy(struct policies *ps, const char *name)
{
	struct hash_node *n = hash_find(&ps->all, name_hash(name, 0), match_policy, name);

	return n ? hash_entry(n, struct policy, node) : NULL;
}

struct named_set *named_set_get(struct policies *ps, enum set_kind kind, const char *name)
{
	struct named_set *s = find_set(ps, kind, name);

	if (!s) {
		s = xcalloc(1, sizeof(*s));
		s->ps = ps;
		s->kind = kind;
		s->name = xstrdup(name);
		hash_insert(&ps->sets, &s->node, name_hash(name, kind));
	}
	s->refs++;
	return s;
}

void named_set_put(struct named_set *s)
{
	if (--s->refs)
		return;
	hash_remove(&s->ps->sets, &s->node);
	set_free(s->set);
	free(s->name);
	free(s);
}

struct policy *policy_ref(struct policy *p)
{
	if (p)
		p->refs++;
	return p;
}

struct policy *policy_get(struct policies *ps, const char *name)
{
	struct policy *p = find_policy(ps, name);

	return p && p->program ? policy_ref(p) : NULL;
}

void policy_put(struct policy *p)
{
	if (!p || --p->refs)
		return;
	hash_remove(&p->ps->all, &p->node);
	policy_forget(p);
	program_free(p->program);
	free(p->name);
	free(p);
}

const char *policy_name(const struct policy *p)
{
	return p ? p->name : "";
}

/* ---- watchers ---- */

void policy_watch(struct policies *ps, struct policy_watch *w)
{
	list_add_tail(&ps->watches, &w->node);
}

void policy_unwatch(struct policy_watch *w)
{
	list_del(&w->node);
}

/* One policy a call: what a watcher does for it may be much. */
static bool tell(struct job *job, unsigned int budget)
{
	struct policies *ps = container_of(job, struct policies, job);
	struct policy_watch *w;
	struct hash_node *n;

	for (n = hash_next(&ps->all, NULL); n; n = hash_next(&ps->all, n)) {
		struct policy *p = hash_entry(n, struct policy, node);

		if (!p->changed)
			continue;
		p->changed = false;
		policy_ref(p);
		list_for_each(w, &ps->watches, struct policy_watch, node)
			w->changed(w, p);
		policy_put(p);
		return true;
	}
	return false;
}

static void mark(struct policy *p)
{
	policy_forget(p);
	p->changed = true;
	if (p->ps->jobs)
		job_schedule(&p->ps->job);
}

/* ---- what is configured ---- */

static void set_changed(struct named_set *s)
{
	struct hash_node *n;

	for (n = hash_next(&s->ps->all, NULL); n; n = hash_next(&s->ps->all, n)) {
		struct policy *p = hash_entry(n, struct policy, node);

		if (p->program && program_asks(p->program, s))
			mark(p);
	}
}

static bool put_in_set(struct policies *ps, enum set_kind kind, const struct lyd_node *entry, struct conf_error *err)
{
	struct named_set *s = find_set(ps, kind, conf_str(entry, "name", ""));
	struct set *set = set_new(kind, entry, err);

	if (!set)
		return false;
	/* the configuration has one reference */
	if (!s || !s->set)
		s = named_set_get(ps, kind, conf_str(entry, "name", ""));
	set_free(s->set);
	s->set = set;
	set_changed(s);
	return true;
}

static void take_out_set(struct policies *ps, enum set_kind kind, const char *name)
{
	struct named_set *s = find_set(ps, kind, name);

	if (!s || !s->set)
		return;
	set_free(s->set);
	s->set = NULL;
	set_changed(s);
	named_set_put(s);
}

static bool put_in_policy(struct policies *ps, const struct lyd_node *entry, struct conf_error *err)
{
	const char *name = conf_str(entry, "name", "");
	struct program *g = program_new(ps, entry, err);
	struct policy *p = find_policy(ps, name);

	if (!g)
		return false;
	if (!p) {
		p = xcalloc(1, sizeof(*p));
		p->ps = ps;
		p->name = xstrdup(name);
		hash_insert(&ps->all, &p->node, name_hash(name, 0));
	}
	if (!p->program)
		p->refs++;
	program_free(p->program);
	p->program = g;
	mark(p);
	return true;
}

static void take_out_policy(struct policies *ps, const char *name)
{
	struct policy *p = find_policy(ps, name);

	if (!p || !p->program)
		return;
	program_free(p->program);
	p->program = NULL;
	mark(p);
	policy_put(p);
}

static bool load(struct policies *ps, const struct lyd_node *tree, struct conf_error *err)
{
	const struct lyd_node *n;

	for (int kind = 0; kind < SET_KINDS; kind++) {
		conf_for_each_top(n, tree, set_kind_name(kind)) {
			if (!put_in_set(ps, kind, n, err))
				return false;
		}
	}
	conf_for_each_top(n, tree, "route-policy") {
		if (!put_in_policy(ps, n, err))
			return false;
	}
	return true;
}

/* ---- the configuration's changes ---- */

/* Everything is compiled for a trial. */
static bool validate(const struct lyd_node *candidate, struct conf_error *err, void *arg)
{
	struct policies *trial = policies_new(NULL, NULL);
	bool ok = load(trial, candidate, err);

	policies_free(trial);
	return ok;
}

static void change_set(enum set_kind kind, enum conf_op op, const struct lyd_node *old, const struct lyd_node *now,
		       struct policies *ps)
{
	struct conf_error err = { 0 };

	if (op == CONF_DEL)
		take_out_set(ps, kind, conf_str(old, "name", ""));
	else if (!put_in_set(ps, kind, now, &err))
		log_err("policy", "%s %s: %s", set_kind_name(kind), conf_str(now, "name", ""), err.reason);
}

#define CHANGE_SET(function, kind)									\
	static void function(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now,	\
			     void *arg)									\
	{												\
		change_set(kind, op, old, now, arg);							\
	}

CHANGE_SET(change_prefix_set, SET_PREFIX)
CHANGE_SET(change_as_path_set, SET_AS_PATH)
CHANGE_SET(change_community_set, SET_COMMUNITY)
CHANGE_SET(change_ext_set, SET_EXT)
CHANGE_SET(change_large_set, SET_LARGE)

static void change_policy(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now, void *arg)
{
	struct conf_error err = { 0 };

	if (op == CONF_DEL)
		take_out_policy(arg, conf_str(old, "name", ""));
	else if (!put_in_policy(arg, now, &err))
		log_err("policy", "route-policy %s: %s", conf_str(now, "name", ""), err.reason);
}

static void subscribe(struct policies *ps)
{
	const struct conf_subscriber subs[] = {
		{ .name = "prefix-set", .path = "/l3vpn:prefix-set", .prio = PRIO_SETS, .change = change_prefix_set },
		{ .name = "as-path-set", .path = "/l3vpn:as-path-set", .prio = PRIO_SETS,
		  .change = change_as_path_set },
		{ .name = "community-set", .path = "/l3vpn:community-set", .prio = PRIO_SETS,
		  .change = change_community_set },
		{ .name = "extcommunity-set", .path = "/l3vpn:extcommunity-set", .prio = PRIO_SETS,
		  .change = change_ext_set },
		{ .name = "large-community-set", .path = "/l3vpn:large-community-set", .prio = PRIO_SETS,
		  .change = change_large_set },
		{ .name = "route-policy", .path = "/l3vpn:route-policy", .prio = PRIO_POLICIES,
		  .validate = validate, .change = change_policy },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(subs); i++) {
		struct conf_subscriber sub = subs[i];

		sub.arg = ps;
		conf_subscribe(ps->conf, &sub);
	}
}

struct policies *policies_new(struct conf *conf, struct jobs *jobs)
{
	struct policies *ps = xcalloc(1, sizeof(*ps));

	ps->conf = conf;
	ps->jobs = jobs;
	list_init(&ps->watches);
	if (jobs)
		job_init(&ps->job, jobs, "route policies", tell);
	if (conf)
		subscribe(ps);
	return ps;
}

void policies_free(struct policies *ps)
{
	struct hash_node *n;

	if (!ps)
		return;
	if (ps->jobs)
		job_cancel(&ps->job);
	while ((n = hash_next(&ps->all, NULL)))
		take_out_policy(ps, hash_entry(n, struct policy, node)->name);
	while ((n = hash_next(&ps->sets, NULL))) {
		struct named_set *s = hash_entry(n, struct named_set, node);

		take_out_set(ps, s->kind, s->name);
	}
	if (ps->jobs)
		job_cancel(&ps->job);
	hash_fini(&ps->all);
	hash_fini(&ps->sets);
	free(ps);
}

bool policy_sets_own_next_hop(const struct lyd_node *tree, const char *name)
{
	const struct lyd_node *n, *policy = conf_top_entry(tree, "route-policy", name);
	const char *s;

	conf_for_each(n, policy, "statement") {
		s = conf_str(n, "set/next-hop", "");
		if (!strcmp(s, "self") || !strcmp(s, "unchanged"))
			return true;
	}
	return false;
}
