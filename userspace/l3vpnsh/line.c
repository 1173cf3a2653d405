// SPDX-License-Identifier: GPL-2.0
/*
 * line - what one typed line is: a command, or configuration; see shell.h.
 *
 * While configuring, a first word that is wholly a command's is that command; else it is
 * configuration of the mode it is typed in; else the beginning of a command; else configuration of
 * one of the modes around, which are left then.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "l3vpnsh/batch.h"
#include "l3vpnsh/complete.h"
#include "l3vpnsh/output.h"
#include "l3vpnsh/shell.h"
#include "lib/mem.h"

struct shell shell;

/* A command may begin with this word; whole: it is one of a command's first words in full. */
static bool is_command_word(const struct shell *sh, const char *word, bool whole)
{
	unsigned int where = sh->configuring ? IN_CONFIGURE : IN_EXEC;

	for (size_t i = 0; i < sh->schema->n_commands; i++) {
		const struct command *cmd = &sh->schema->commands[i];
		char first[64];
		int match;

		if (!(cmd->where & where))
			continue;
		snprintf(first, sizeof(first), "%.*s", (int)strcspn(cmd->words, " "), cmd->words);
		match = word_match(word, first);
		if (whole ? match == 2 : match > 0)
			return true;
	}
	return false;
}

static bool explain(struct shell *sh, const struct walk_error *err)
{
	if (*err->path && strcmp(err->path, "/"))
		return out_error(sh, "%s: %s", err->path, err->reason);
	return out_error(sh, "%s", err->reason);
}

static bool run_exec(struct shell *sh, unsigned int where, const struct words *w, int first)
{
	struct exec_line line;
	struct walk_error err;
	bool ok;

	if (!exec_walk(sh->schema, where, w, first, &line, NULL, &err))
		return explain(sh, &err);
	ok = shell_command(sh, &line, w);
	exec_line_free(&line);
	return ok;
}

/* The context without its innermost mode; NULL when there is none. malloc'ed. */
static char *context_up(const char *context)
{
	const char *last = strrchr(context, '\n');

	if (!*context)
		return NULL;
	return last ? xstrndup(context, last - context) : xstrdup("");
}

/* Tries the line in the modes around that of the session. false: it fits in none. */
static bool edit_around(struct shell *sh, const struct words *w, bool del, bool *ok)
{
	char *context = context_up(sh->context), *up;
	bool fits = false;

	for (; context && !fits; free(context), context = up) {
		struct config_line line;
		struct walk_error err;
		struct level at;

		up = context_up(context);
		if (!config_level(sh->schema, context, &at))
			continue;
		fits = config_walk(sh->schema, &at, del, w, del, &line, NULL, &err);
		if (fits) {
			*ok = config_edit(sh, context, &line);
			config_line_free(&line);
		} else if (!(err.unknown && err.word == del)) {
			fits = true;
			*ok = explain(sh, &err);
		}
		free(at.path);
	}
	free(context);
	return fits;
}

static bool run_configuration(struct shell *sh, const struct words *w)
{
	bool del = word_match(w->v[0].text, "no") == 2, ok;
	struct config_line line;
	struct walk_error err;

	if (!del && is_command_word(sh, w->v[0].text, true))
		return run_exec(sh, IN_CONFIGURE, w, 0);
	if (del && w->n == 1)
		return out_error(sh, "'no' needs the line that it removes");
	if (config_walk(sh->schema, &sh->level, del, w, del, &line, NULL, &err)) {
		ok = config_edit(sh, sh->context, &line);
		config_line_free(&line);
		return ok;
	}
	if (!(err.unknown && err.word == del))
		return explain(sh, &err);
	if (!del && is_command_word(sh, w->v[0].text, false))
		return run_exec(sh, IN_CONFIGURE, w, 0);
	if (edit_around(sh, w, del, &ok))
		return ok;
	return explain(sh, &err);
}

/* `do`, with the rest of the line as if typed outside of configuration. */
static bool is_do(const struct shell *sh, const struct words *w)
{
	return sh->configuring && w->n && word_match(w->v[0].text, "do") == 2;
}

bool shell_line(struct shell *sh, const char *text, size_t len)
{
	struct words w;
	bool ok = true;

	words_split(text, len, &w);
	if (!w.n || *w.v[0].text == '#') {
		ok = true;
	} else if (*w.v[0].text == '!') {
		/* alone it closes a block of configuration, else it begins a comment */
		if (w.n == 1 && !w.v[0].text[1] && sh->configuring && *sh->context)
			ok = config_exit(sh);
	} else if (w.unbalanced) {
		ok = out_error(sh, "a quote is not closed");
	} else if (is_do(sh, &w)) {
		ok = run_exec(sh, IN_EXEC, &w, 1);
	} else if (sh->configuring) {
		ok = run_configuration(sh, &w);
	} else {
		ok = run_exec(sh, IN_EXEC, &w, 0);
	}
	words_free(&w);
	return ok;
}

void shell_diagnose(struct shell *sh, const char *text, size_t len)
{
	struct walk_error err;
	struct words w;
	bool ok;

	words_split(text, len, &w);
	if (sh->configuring && !is_command_word(sh, w.n ? w.v[0].text : "", false))
		ok = config_walk(sh->schema, &sh->level, false, &w, 0, NULL, NULL, &err);
	else
		ok = exec_walk(sh->schema, sh->configuring ? IN_CONFIGURE : IN_EXEC, &w, 0, NULL, NULL, &err);
	/* the command itself is good: several words begin like that, or libcli cannot place what is after a pipe */
	if (ok && sh->configuring && !is_command_word(sh, w.v[0].text, true))
		out_error(sh, "%s: more than one word begins like that", w.v[0].text);
	else if (ok)
		out_error(sh, "unknown after |: include, exclude, begin, count, json or save is expected");
	else
		explain(sh, &err);
	words_free(&w);
}

/* Something there begins as the word being typed (NULL: none yet). */
static bool any_fits(const struct cands *cands, const char *typed)
{
	for (size_t i = 0; i < cands->n; i++)
		if (!typed || cands->v[i].value || !strncasecmp(cands->v[i].text, typed, strlen(typed)))
			return true;
	return false;
}

void shell_cands(struct shell *sh, const struct words *w, const char *typed, struct cands *cands)
{
	bool del = sh->configuring && w->n && word_match(w->v[0].text, "no") == 2;

	if (is_do(sh, w)) {
		exec_walk(sh->schema, IN_EXEC, w, 1, NULL, cands, NULL);
		return;
	}
	if (!sh->configuring) {
		exec_walk(sh->schema, IN_EXEC, w, 0, NULL, cands, NULL);
		return;
	}
	if (del || !w->n || !is_command_word(sh, w->v[0].text, true))
		config_walk(sh->schema, &sh->level, del, w, del, NULL, cands, NULL);
	if (!del && (!w->n || !cands->n))
		exec_walk(sh->schema, IN_CONFIGURE, w, 0, NULL, cands, NULL);
	/* nothing here: perhaps a line of the modes around */
	for (char *context = context_up(sh->context), *up; context; free(context), context = up) {
		struct level at;

		up = context_up(context);
		if (any_fits(cands, typed) || (w->n <= del && !typed) || !config_level(sh->schema, context, &at))
			continue;
		config_walk(sh->schema, &at, del, w, del, NULL, cands, NULL);
		free(at.path);
	}
}

bool shell_command(struct shell *sh, const struct exec_line *line, const struct words *w)
{
	static const struct {
		const char *rpc;
		bool (*run)(struct shell *sh, const struct exec_line *line);
	} programs[] = {
		{ "ping", program_ping },
		{ "traceroute", program_traceroute },
		{ "exec", program_exec },
	};
	const char *rpc = line->command->rpc->name;
	bool known, ok;

	if (!batch_flush(sh))
		return false;
	if (!line->command->local)
		return oper_run(sh, line->command, line->params);
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		if (!strcmp(rpc, programs[i].rpc))
			return programs[i].run(sh, line);
	if (!strcmp(rpc, "show-tech-support"))
		return oper_tech_support(sh);
	if (!strcmp(rpc, "exit") && !sh->configuring)
		return sh->quit = true;
	if (!strcmp(rpc, "quit") || !strcmp(rpc, "logout"))
		return sh->quit = true;
	if (!strcmp(rpc, "help")) {
		complete_help(sh);
		return true;
	}
	if (!strcmp(rpc, "history")) {
		for (int i = 0; i < MAX_HISTORY && sh->cli->history[i]; i++)
			out_line(sh, "%3d  %s", i + 1, sh->cli->history[i]);
		return true;
	}
	if (!strcmp(rpc, "terminal-length")) {
		out_set_page(json_integer_value(json_object_get(line->params, "lines")));
		return true;
	}
	ok = config_command(sh, line, &known);
	return known ? ok : out_error(sh, "%s: the shell does not have it", line->command->words);
}
