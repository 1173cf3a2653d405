// SPDX-License-Identifier: GPL-2.0
/*
 * config - configuration: the session with the daemon's candidate, and the commands that act on it.
 *
 * The daemon keeps the candidate and judges every line; the shell keeps the context: which modes
 * the next line stands in.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "l3vpnsh/batch.h"
#include "l3vpnsh/output.h"
#include "l3vpnsh/shell.h"
#include "lib/mem.h"

/* Of mgmt.h, which is the server's: enum mgmt_code. */
#define MGMT_CODE_NOT_FOUND 2
#define MGMT_CODE_CHANGED 4

/* Takes context (malloc'ed), and with it the place. */
static bool set_context(struct shell *sh, char *context)
{
	struct level level;

	if (!config_level(sh->schema, context, &level)) {
		free(context);
		return out_error(sh, "the daemon speaks of a mode that this shell does not know");
	}
	free(sh->context);
	free(sh->level.path);
	sh->context = context;
	sh->level = level;
	sh->configuring = true;
	return true;
}

static void leave(struct shell *sh)
{
	free(sh->context);
	free(sh->level.path);
	sh->context = NULL;
	sh->level = (struct level){ NULL, NULL };
	sh->configuring = false;
}

void config_hostname(struct shell *sh)
{
	struct mgmt_client_error err;
	json_t *result = shell_call(sh, "session.get", NULL, NULL, NULL, &err);

	if (result)
		snprintf(sh->hostname, sizeof(sh->hostname), "%s",
			 json_string_value(json_object_get(result, "hostname")) ?: "");
	json_decref(result);
}

static const char *source(const struct shell *sh)
{
	return sh->configuring ? "candidate" : "running";
}

json_t *config_json(struct shell *sh)
{
	struct mgmt_client_error err;
	json_t *result = shell_call(sh, "config.get", json_pack("{s:s,s:s}", "source", source(sh), "format", "json"),
				    NULL, NULL, &err);
	json_t *json = json_object_get(result, "json"), *config;

	/* the document itself, or its text */
	config = json_is_string(json) ? json_loads(json_string_value(json), 0, NULL) : json_incref(json);
	json_decref(result);
	return config;
}

bool config_edit(struct shell *sh, const char *context, const struct config_line *line)
{
	char *after = line->enters ? xasprintf("%s%s%s", context, *context ? "\n" : "", line->text) : xstrdup(context);
	json_t *result;

	if (!sh->interactive) {
		if (batch_add(sh, context, line))
			return set_context(sh, after);
		free(after);
		return false;
	}
	result = shell_call(sh, "config.edit", json_pack("{s:s,s:s}", "text", line->text, "context", context), NULL,
			    NULL, NULL);
	if (!result) {
		free(after);
		return false;
	}
	json_decref(result);
	return set_context(sh, after);
}

/* Ends the session; what was not committed is lost only when force. */
static bool close_session(struct shell *sh, bool force)
{
	json_t *result = shell_call(sh, "config.status", NULL, NULL, NULL, NULL);
	bool changed = json_is_true(json_object_get(result, "changed"));

	if (!result)
		return false;
	json_decref(result);
	if (changed && !force) {
		if (!sh->interactive)
			return out_error(sh, "there are uncommitted changes: 'commit' or 'abort' them");
		if (!tty_confirm("Uncommitted changes: forget them?")) {
			out_note(sh, "Still configuring: 'commit' makes them run.");
			return true;
		}
	}
	result = shell_call(sh, "config.close", NULL, NULL, NULL, NULL);
	if (!result)
		return false;
	json_decref(result);
	leave(sh);
	return true;
}

bool config_exit(struct shell *sh)
{
	char *last = strrchr(sh->context, '\n');

	if (!*sh->context)
		return close_session(sh, false);
	return set_context(sh, last ? xstrndup(sh->context, last - sh->context) : xstrdup(""));
}

static bool cmd_configure(struct shell *sh, json_t *params)
{
	bool exclusive = json_object_get(params, "exclusive");
	struct mgmt_client_error err;
	json_t *result = shell_call(sh, "config.status", NULL, NULL, NULL, &err);
	bool open = json_is_true(json_object_get(result, "open"));

	json_decref(result);
	if (open)
		return set_context(sh, xstrdup(""));
	result = shell_call(sh, "config.open", json_pack("{s:b}", "exclusive", exclusive), NULL, NULL, NULL);
	if (!result)
		return false;
	json_decref(result);
	return set_context(sh, xstrdup(""));
}

/* seconds 0: a plain commit. */
static bool commit(struct shell *sh, json_t *params, json_int_t seconds)
{
	json_t *ask = json_object(), *comment = json_object_get(params, "comment"), *result;
	struct mgmt_client_error err;

	if (seconds)
		json_object_set_new(ask, "confirmed", json_integer(seconds));
	if (comment)
		json_object_set(ask, "comment", comment);
	if (json_object_get(params, "force"))
		json_object_set_new(ask, "force", json_true());
	result = shell_call(sh, "config.commit", ask, NULL, NULL, &err);
	if (!result) {
		shell_refused(sh, &err);
		if (err.code == MGMT_CODE_CHANGED)
			out_note(sh, "'show differences' shows both; 'commit force' puts these changes onto theirs.");
		return false;
	}
	if (!json_is_true(json_object_get(result, "changed")))
		out_note(sh, "Nothing to commit.");
	else if (seconds)
		out_note(sh, "Commit %lld runs; it is rolled back in %lld seconds unless 'commit confirm' follows.",
			 (long long)json_integer_value(json_object_get(result, "id")), (long long)seconds);
	else
		out_note(sh, "Commit %lld runs.", (long long)json_integer_value(json_object_get(result, "id")));
	json_decref(result);
	config_hostname(sh);
	return true;
}

static bool cmd_commit(struct shell *sh, json_t *params)
{
	return commit(sh, params, 0);
}

static bool cmd_commit_confirmed(struct shell *sh, json_t *params)
{
	json_t *seconds = json_object_get(params, "seconds");

	return commit(sh, params, seconds ? json_integer_value(seconds) : 600);
}

/* A method without more to say than done. */
static bool simple(struct shell *sh, const char *method, json_t *params, const char *done)
{
	json_t *result = shell_call(sh, method, params, NULL, NULL, NULL);

	if (result)
		out_note(sh, "%s", done);
	json_decref(result);
	return result;
}

static bool cmd_commit_confirm(struct shell *sh, json_t *params)
{
	return simple(sh, "config.confirm", NULL, "Confirmed.");
}

static bool cmd_validate(struct shell *sh, json_t *params)
{
	return simple(sh, "config.validate", NULL, "The configuration is valid.");
}

static bool cmd_rollback(struct shell *sh, json_t *params)
{
	return simple(sh, "config.rollback", json_pack("{s:O}", "to", json_object_get(params, "commits")),
		      "Taken into this session: 'show differences' shows what it changes, 'commit' makes it run.") &&
	       set_context(sh, xstrdup(""));
}

static char *read_file(const char *name)
{
	FILE *f = fopen(name, "r");
	char *text = NULL;
	size_t size = 0;

	if (!f)
		return NULL;
	errno = 0;
	if (getdelim(&text, &size, '\0', f) < 0) {
		free(text);
		text = errno ? NULL : xstrdup("");
	}
	fclose(f);
	return text;
}

/* The text of a file as config.load takes it: {text} or {json}; NULL: said why not. */
static json_t *load_params(struct shell *sh, const char *name, const char *text)
{
	json_error_t where;
	json_t *value;

	if (text[strspn(text, " \t\r\n")] == '{') {
		value = json_loads(text, 0, &where);
		if (value)
			return json_pack("{s:o}", "json", value);
		out_error(sh, "%s:%d: %s", name, where.line, where.text);
		return NULL;
	}
	value = json_string(text);
	if (value)
		return json_pack("{s:o}", "text", value);
	out_error(sh, "%s: not UTF-8 text", name);
	return NULL;
}

static bool cmd_load(struct shell *sh, json_t *params)
{
	const char *name = json_string_value(json_object_get(params, "file"));
	struct mgmt_client_error err;
	char *text = read_file(name);
	json_t *ask, *result;

	if (!text)
		return out_error(sh, "%s: %s", name, strerror(errno));
	ask = load_params(sh, name, text);
	free(text);
	if (!ask)
		return false;
	json_object_set_new(ask, "merge", json_boolean(!json_object_get(params, "override")));
	result = shell_call(sh, "config.load", ask, NULL, NULL, &err);
	if (result) {
		json_decref(result);
		return true;
	}
	if (err.line)
		return out_error(sh, "%s:%u: %s%s%s", name, err.line, err.path, *err.path ? ": " : "", err.reason);
	return out_error(sh, "%s: %s%s%s", name, err.path, *err.path ? ": " : "", err.reason);
}

static void print_text(struct shell *sh, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		out_line(sh, "%.*s", (int)len, text);
		text += len + (text[len] == '\n');
	}
}

static bool print_result(struct shell *sh, json_t *result)
{
	json_t *json = json_object_get(result, "json");
	const char *text = json_string_value(json_object_get(result, "text"));
	char *dump = NULL;

	if (json)
		text = json_is_string(json) ? json_string_value(json) :
		       (dump = json_dumps(json, JSON_INDENT(2) | JSON_PRESERVE_ORDER));
	if (text)
		print_text(sh, text);
	free(dump);
	json_decref(result);
	return true;
}

static bool cmd_show(struct shell *sh, json_t *params)
{
	json_t *ask = json_pack("{s:s,s:s}", "source", "candidate", "format", sh->json ? "json" : "text"), *result;
	struct mgmt_client_error err;

	if (sh->level.path)
		json_object_set_new(ask, "path", json_string(sh->level.path));
	result = shell_call(sh, "config.get", ask, NULL, NULL, &err);
	if (!result)
		/* a mode just entered may hold nothing yet */
		return err.code == MGMT_CODE_NOT_FOUND || shell_refused(sh, &err);
	return print_result(sh, result);
}

static bool cmd_show_differences(struct shell *sh, json_t *params)
{
	json_t *result = shell_call(sh, "config.differences", NULL, NULL, NULL, NULL);

	return result && print_result(sh, result);
}

static bool cmd_exit(struct shell *sh, json_t *params)
{
	return config_exit(sh);
}

static bool cmd_end(struct shell *sh, json_t *params)
{
	return close_session(sh, false);
}

static bool cmd_abort(struct shell *sh, json_t *params)
{
	return close_session(sh, true);
}

static bool cmd_root(struct shell *sh, json_t *params)
{
	return set_context(sh, xstrdup(""));
}

bool config_command(struct shell *sh, const struct exec_line *line, bool *known)
{
	static const struct {
		const char *rpc;
		bool (*run)(struct shell *sh, json_t *params);
	} commands[] = {
		{ "abort", cmd_abort },
		{ "commit", cmd_commit },
		{ "commit-confirm", cmd_commit_confirm },
		{ "commit-confirmed", cmd_commit_confirmed },
		{ "configure", cmd_configure },
		{ "end", cmd_end },
		{ "exit", cmd_exit },
		{ "load", cmd_load },
		{ "rollback", cmd_rollback },
		{ "root", cmd_root },
		{ "show", cmd_show },
		{ "show-differences", cmd_show_differences },
		{ "validate", cmd_validate },
	};

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].rpc, line->command->rpc->name))
			continue;
		*known = true;
		return commands[i].run(sh, line->params);
	}
	*known = false;
	return false;
}
