// SPDX-License-Identifier: GPL-2.0
/*
 * oper - operational commands of the daemon: calls, rows as tables or JSON, as they come.
 */
#include <stdlib.h>
#include <string.h>

#include "l3vpnsh/output.h"
#include "l3vpnsh/shell.h"
#include "l3vpnsh/table.h"
#include "lib/mem.h"

bool shell_refused(struct shell *sh, const struct mgmt_client_error *err)
{
	const char *reason = *err->reason ? err->reason : "refused without a reason";

	if (*err->path)
		return out_error(sh, "%s: %s", err->path, reason);
	return out_error(sh, "%s", reason);
}

json_t *shell_call(struct shell *sh, const char *method, json_t *params, mgmt_client_row row, void *arg,
		   struct mgmt_client_error *err)
{
	struct mgmt_client_error mine = {}, *why = err ?: &mine;
	json_t *result = NULL;

	memset(why, 0, sizeof(*why));
	if (!sh->client)
		sh->client = mgmt_client_open(sh->socket, why);
	if (sh->client)
		result = mgmt_call(sh->client, method, params, row, arg, &sh->stop, why);
	else
		json_decref(params);
	if (!result && !why->code && sh->client) {
		/* the connection is lost, and with it a session */
		mgmt_client_close(sh->client);
		sh->client = NULL;
		if (sh->configuring) {
			free(sh->context);
			free(sh->level.path);
			sh->context = NULL;
			sh->level = (struct level){ NULL, NULL };
			sh->configuring = false;
			out_error(sh, "the connection to the daemon is lost, and the uncommitted changes with it");
		}
	}
	if (!result && !err)
		shell_refused(sh, why);
	return result;
}

struct printing {
	struct shell *sh;
	struct table *table;
	bool topic;
};

static void print_line(void *arg, const char *text)
{
	struct printing *p = arg;

	out_line(p->sh, "%s", text);
}

static bool print_row(json_t *row, void *arg)
{
	struct printing *p = arg;

	table_row(p->table, row);
	if (p->topic)
		out_flush();
	return !p->sh->stop;
}

/* err is filled when the daemon refuses. */
static bool run(struct shell *sh, const struct command *cmd, json_t *params, struct mgmt_client_error *err)
{
	struct printing p = { .sh = sh, .topic = cmd->topic };
	json_t *result;

	p.table = table_new(cmd, sh->json, print_line, &p);
	result = shell_call(sh, cmd->rpc->name, json_incref(params), print_row, &p, err);
	table_end(p.table, result);
	json_decref(result);
	return result;
}

bool oper_run(struct shell *sh, const struct command *cmd, json_t *params)
{
	struct mgmt_client_error err;

	return run(sh, cmd, params, &err) || shell_refused(sh, &err);
}

static bool needs_argument(const struct command *cmd)
{
	const struct lysc_node *leaf = NULL;

	while ((leaf = lys_getnext(leaf, cmd->rpc, NULL, 0)))
		if (leaf->flags & LYS_MAND_TRUE)
			return true;
	return false;
}

/* What a session changed is not what runs. */
static bool of_session(const struct command *cmd)
{
	static const char *const names[] = { "show-configuration-candidate", "show-configuration-changes",
					     "show-configuration-differences" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(cmd->rpc->name, names[i]))
			return true;
	return false;
}

bool oper_tech_support(struct shell *sh)
{
	for (size_t i = 0; i < sh->schema->n_commands && !sh->stop; i++) {
		const struct command *cmd = &sh->schema->commands[i];
		struct mgmt_client_error err;
		json_t *none;

		if (cmd->local || cmd->topic || !cmd->words || strncmp(cmd->words, "show ", 5) ||
		    needs_argument(cmd) || of_session(cmd))
			continue;
		out_line(sh, "----- %s -----", cmd->words);
		none = json_object();
		/* that one cannot be shown belongs into the report, which goes on */
		if (!run(sh, cmd, none, &err))
			out_line(sh, "not to be had: %s%s%s", err.path, *err.path ? ": " : "", err.reason);
		json_decref(none);
		out_line(sh, "%s", "");
	}
	return true;
}
