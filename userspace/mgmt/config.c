// SPDX-License-Identifier: GPL-2.0
/*
 * config - the config.*, schema.* and session.* methods: see mgmt.h for what each takes and gives.
 *
 * They are answered at once. Each client has at most one candidate.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "mgmt/server.h"

#define CONFIRM_MAX 86400	/* seconds */

struct config_call {
	struct client *client;
	json_t *params;
	json_t **result;
	struct rpc_fault *fault;
};

struct method {
	const char *name;
	void (*call)(struct config_call *call);
	bool candidate;		/* needs one */
	const char *params;	/* their names, blanks around each */
};

/* ---- parameters ---- */

void config_fault(struct rpc_fault *fault, const struct conf_error *err)
{
	static const int codes[] = {
		[CONF_REFUSED] = MGMT_REFUSED,
		[CONF_LOCKED] = MGMT_STATE,
		[CONF_CHANGED] = MGMT_CHANGED,
		[CONF_FAILED] = MGMT_FAILED,
	};

	*fault = (struct rpc_fault){ .code = codes[err->kind], .line = err->line };
	snprintf(fault->path, sizeof(fault->path), "%s", err->path);
	snprintf(fault->reason, sizeof(fault->reason), "%s", err->reason);
}

static void give(struct config_call *call, json_t *result)
{
	if (result)
		*call->result = result;
	else
		rpc_fault(call->fault, MGMT_INTERNAL, "the answer is not text");
}

/* The outcome of something without a result. */
static void done(struct config_call *call, bool ok, const struct conf_error *err)
{
	if (ok)
		give(call, json_object());
	else
		config_fault(call->fault, err);
}

/* NULL: absent; one of another type is a fault. */
static const char *text_param(struct config_call *call, const char *name)
{
	json_t *value = json_object_get(call->params, name);

	if (value && !json_is_null(value) && !json_is_string(value))
		rpc_fault(call->fault, MGMT_PARAMS, "%s is a string", name);
	return json_string_value(value);
}

static const char *need_text(struct config_call *call, const char *name)
{
	const char *value = text_param(call, name);

	if (!value && !call->fault->code)
		rpc_fault(call->fault, MGMT_PARAMS, "%s is missing", name);
	return value;
}

static bool flag_param(struct config_call *call, const char *name)
{
	json_t *value = json_object_get(call->params, name);

	if (value && !json_is_null(value) && !json_is_boolean(value))
		rpc_fault(call->fault, MGMT_PARAMS, "%s is true or false", name);
	return json_is_true(value);
}

static json_int_t number_param(struct config_call *call, const char *name, json_int_t dflt, json_int_t max)
{
	json_t *value = json_object_get(call->params, name);

	if (!value || json_is_null(value))
		return dflt;
	if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > max)
		rpc_fault(call->fault, MGMT_PARAMS, "%s is a number 0..%" JSON_INTEGER_FORMAT, name, max);
	return json_integer_value(value);
}

static unsigned int print_flags(struct config_call *call)
{
	return flag_param(call, "secrets") ? CONF_PRINT_SECRETS : 0;
}

/* text is freed */
static void give_text(struct config_call *call, char *text)
{
	if (text)
		give(call, json_pack("{s:s}", "text", text));
	else
		rpc_fault(call->fault, MGMT_FAILED, "no memory for the text");
	free(text);
}

/* ---- methods ---- */

static void config_open(struct config_call *call)
{
	struct client *c = call->client;
	bool exclusive = flag_param(call, "exclusive");
	struct conf_error err = { 0 };

	if (call->fault->code)
		return;
	if (c->cand) {
		rpc_fault(call->fault, MGMT_STATE, "this session has a candidate already");
		return;
	}
	c->cand = conf_candidate_open(c->mgmt->conf, c->owner, exclusive, &err);
	done(call, c->cand != NULL, &err);
}

static void config_close(struct config_call *call)
{
	conf_candidate_close(call->client->cand);
	call->client->cand = NULL;
	give(call, json_object());
}

static void config_edit(struct config_call *call)
{
	const char *text = need_text(call, "text"), *context = text_param(call, "context");
	struct conf_error err = { 0 };
	char *opened = NULL;

	if (call->fault->code)
		return;
	if (conf_edit(call->client->cand, context, text, &opened, &err))
		give(call, json_pack("{s:s}", "context", opened));
	else
		config_fault(call->fault, &err);
	free(opened);
}

static void config_load(struct config_call *call)
{
	struct conf_candidate *cand = call->client->cand;
	const char *text = text_param(call, "text");
	json_t *json = json_object_get(call->params, "json");
	bool merge = flag_param(call, "merge"), ok;
	struct conf_error err = { 0 };
	char *dump;

	if (call->fault->code)
		return;
	if (!text == !json_is_object(json)) {
		rpc_fault(call->fault, MGMT_PARAMS, "either text or json, an object, is needed");
		return;
	}
	if (text) {
		ok = merge ? conf_edit(cand, NULL, text, NULL, &err) : conf_replace_text(cand, text, &err);
	} else {
		dump = json_dumps(json, JSON_COMPACT);
		ok = dump && (merge ? conf_merge_json(cand, dump, &err) : conf_replace_json(cand, dump, &err));
		err.line = 0;	/* the client's lines are not ours */
		free(dump);
	}
	done(call, ok, &err);
}

static void config_set(struct config_call *call)
{
	const char *path = need_text(call, "path"), *value = text_param(call, "value");
	struct conf_error err = { 0 };

	if (!call->fault->code)
		done(call, conf_set(call->client->cand, path, value, &err), &err);
}

static void config_delete(struct config_call *call)
{
	const char *path = need_text(call, "path");
	struct conf_error err = { 0 };

	if (!call->fault->code)
		done(call, conf_delete(call->client->cand, path, &err), &err);
}

static void config_validate(struct config_call *call)
{
	struct conf_error err = { 0 };

	done(call, conf_validate(call->client->cand, &err), &err);
}

static void config_reset(struct config_call *call)
{
	conf_candidate_reset(call->client->cand);
	give(call, json_object());
}

static void config_commit(struct config_call *call)
{
	struct conf_commit how = {
		.confirm_ms = 1000 * number_param(call, "confirmed", 0, CONFIRM_MAX),
		.comment = text_param(call, "comment"),
		.force = flag_param(call, "force"),
	};
	struct conf_error err = { 0 };
	uint64_t id = 0;

	if (call->fault->code)
		return;
	if (conf_commit(call->client->cand, &how, &id, &err))
		give(call, json_pack("{s:I,s:b}", "id", (json_int_t)id, "changed", id != 0));
	else
		config_fault(call->fault, &err);
}

static void config_confirm(struct config_call *call)
{
	struct conf_error err = { 0 };

	done(call, conf_confirm(call->client->mgmt->conf, &err), &err);
}

static void config_rollback(struct config_call *call)
{
	json_int_t to = number_param(call, "to", -1, CONF_HISTORY);
	struct conf_error err = { 0 };

	if (to < 0 && !call->fault->code)
		rpc_fault(call->fault, MGMT_PARAMS, "to is missing");
	if (!call->fault->code)
		done(call, conf_rollback(call->client->cand, to, &err), &err);
}

/* The tree that source and back name; *owned if it has to be freed. */
static const struct lyd_node *pick_tree(struct config_call *call, struct lyd_node **owned)
{
	const char *source = text_param(call, "source");
	json_int_t back = number_param(call, "back", 0, CONF_HISTORY);
	struct client *c = call->client;
	struct conf_error err = { 0 };

	*owned = NULL;
	if (call->fault->code)
		return NULL;
	if (back) {
		if (!conf_history_tree(c->mgmt->conf, back, owned, &err))
			config_fault(call->fault, &err);
		return *owned;
	}
	if (!source || !strcmp(source, "running"))
		return conf_running(c->mgmt->conf);
	if (strcmp(source, "candidate")) {
		rpc_fault(call->fault, MGMT_PARAMS, "source is running or candidate");
		return NULL;
	}
	if (!c->cand)
		rpc_fault(call->fault, MGMT_STATE, "this session has no candidate");
	return c->cand ? conf_candidate_tree(c->cand) : NULL;
}

static void config_get(struct config_call *call)
{
	const char *format = text_param(call, "format"), *path = text_param(call, "path");
	unsigned int flags = print_flags(call);
	struct lyd_node *owned;
	const struct lyd_node *tree = pick_tree(call, &owned);
	char *text;

	if (!call->fault->code && format && strcmp(format, "text") && strcmp(format, "json"))
		rpc_fault(call->fault, MGMT_PARAMS, "format is text or json");
	if (call->fault->code) {
		lyd_free_all(owned);
		return;
	}
	if (format && !strcmp(format, "json")) {
		text = conf_json(tree, flags);
		give(call, json_pack("{s:o}", "json", json_loads(text ? text : "{}", 0, NULL)));
		free(text);
	} else {
		text = conf_text(tree, path, flags);
		if (!text && path)
			rpc_fault(call->fault, MGMT_NOT_FOUND, "nothing is configured at %s", path);
		else
			give_text(call, text);
	}
	lyd_free_all(owned);
}

static void config_changes(struct config_call *call)
{
	unsigned int flags = print_flags(call);

	if (!call->fault->code)
		give_text(call, conf_changes_text(conf_running(call->client->mgmt->conf),
						  conf_candidate_tree(call->client->cand), flags));
}

static void config_differences(struct config_call *call)
{
	struct client *c = call->client;
	json_int_t back = number_param(call, "back", 0, CONF_HISTORY);
	unsigned int flags = print_flags(call);
	struct conf_error err = { 0 };
	struct lyd_node *before;

	if (call->fault->code)
		return;
	if (back) {
		if (!conf_history_tree(c->mgmt->conf, back, &before, &err)) {
			config_fault(call->fault, &err);
			return;
		}
		give_text(call, conf_differences(before, conf_running(c->mgmt->conf), flags));
		lyd_free_all(before);
	} else if (!c->cand) {
		rpc_fault(call->fault, MGMT_STATE, "this session has no candidate");
	} else {
		give_text(call, conf_differences(conf_running(c->mgmt->conf), conf_candidate_tree(c->cand), flags));
	}
}

static void config_history(struct config_call *call)
{
	struct conf_commit_info info;
	json_t *list = json_array();

	for (unsigned int n = 0; conf_history(call->client->mgmt->conf, n, &info); n++)
		json_array_append_new(list, json_pack("{s:I,s:I,s:s,s:s}", "id", (json_int_t)info.id, "time",
						      (json_int_t)info.time, "owner", info.owner, "comment",
						      info.comment));
	give(call, json_pack("{s:o}", "commits", list));
}

static void config_status(struct config_call *call)
{
	struct client *c = call->client;
	struct conf_commit_info info = { 0 };

	conf_history(c->mgmt->conf, 0, &info);
	give(call, json_pack("{s:b,s:b,s:I,s:I}", "open", c->cand != NULL, "changed",
			     c->cand && conf_candidate_changed(c->cand), "confirm_seconds",
			     (json_int_t)((conf_confirm_left_ms(c->mgmt->conf) + 999) / 1000), "id",
			     (json_int_t)info.id));
}

static void add_module(const char *name, const char *text, void *list)
{
	json_array_append_new(list, json_pack("{s:s,s:s}", "name", name, "text", text));
}

static void schema_get(struct config_call *call)
{
	json_t *list = json_array();

	conf_schema_each(call->client->mgmt->conf, add_module, list);
	give(call, json_pack("{s:o}", "modules", list));
}

static void session_get(struct config_call *call)
{
	struct client *c = call->client;
	char name[256] = "";

	gethostname(name, sizeof(name) - 1);
	give(call, json_pack("{s:s,s:i,s:s,s:s}", "version", l3vpn_version, "pid", (int)getpid(), "user", c->user,
			     "hostname", conf_value(conf_top(conf_running(c->mgmt->conf), "hostname")) ?: name));
}

static const struct method methods[] = {
	{ "config.open", config_open, false, " exclusive " },
	{ "config.close", config_close, true, "" },
	{ "config.edit", config_edit, true, " text context " },
	{ "config.load", config_load, true, " text json merge " },
	{ "config.set", config_set, true, " path value " },
	{ "config.delete", config_delete, true, " path " },
	{ "config.validate", config_validate, true, "" },
	{ "config.reset", config_reset, true, "" },
	{ "config.commit", config_commit, true, " confirmed comment force " },
	{ "config.confirm", config_confirm, false, "" },
	{ "config.rollback", config_rollback, true, " to " },
	{ "config.get", config_get, false, " source back format path secrets " },
	{ "config.changes", config_changes, true, " secrets " },
	{ "config.differences", config_differences, false, " back secrets " },
	{ "config.history", config_history, false, "" },
	{ "config.status", config_status, false, "" },
	{ "schema.get", schema_get, false, "" },
	{ "session.get", session_get, false, "" },
};

/* A misspelt parameter must not be overlooked. */
static bool params_known(const struct method *m, json_t *params, struct rpc_fault *fault)
{
	const char *name;
	json_t *value;

	json_object_foreach(params, name, value) {
		char *word = xasprintf(" %s ", name);
		bool known = strstr(m->params, word) != NULL;

		free(word);
		if (!known)
			return rpc_fault(fault, MGMT_PARAMS, "%s has no parameter \"%s\"", m->name, name);
	}
	return true;
}

bool config_call(struct client *c, const char *method, json_t *params, json_t **result, struct rpc_fault *fault)
{
	struct config_call call = { .client = c, .params = params, .result = result, .fault = fault };

	*fault = (struct rpc_fault){ 0 };
	*result = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		const struct method *m = &methods[i];

		if (strcmp(m->name, method))
			continue;
		if (!params_known(m, params, fault))
			return true;
		if (m->candidate && !c->cand)
			rpc_fault(fault, MGMT_STATE, "this session has no candidate: config.open first");
		else
			m->call(&call);
		return true;
	}
	return false;
}
