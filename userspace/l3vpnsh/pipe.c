// SPDX-License-Identifier: GPL-2.0
/* pipe - see pipe.h. */
#include "l3vpnsh/pipe.h"

#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "l3vpnsh/output.h"
#include "lib/mem.h"

#define EXPRESSION_HELP "Extended regular expression, to the end."

enum kind {
	PIPE_INCLUDE,
	PIPE_EXCLUDE,
	PIPE_BEGIN,
	PIPE_COUNT,
	PIPE_JSON,
	PIPE_SAVE,
};

static const struct pipe_kind {
	const char *name, *help, *argument, *argument_help;
} kinds[] = {
	[PIPE_INCLUDE] = { "include", "Lines that match.", "<expression>", EXPRESSION_HELP },
	[PIPE_EXCLUDE] = { "exclude", "Lines that do not match.", "<expression>", EXPRESSION_HELP },
	[PIPE_BEGIN] = { "begin", "From the first line that matches.", "<expression>", EXPRESSION_HELP },
	[PIPE_COUNT] = { "count", "The number of lines.", NULL, NULL },
	[PIPE_JSON] = { "json", "JSON instead of a table.", NULL, NULL },
	[PIPE_SAVE] = { "save", "Into a file, in place of what it holds.", "<file>", "Name of the file." },
};

struct pipe {
	enum kind kind;
	regex_t re;
	bool begun;
	unsigned long long count;
	FILE *file;
	char *name;
};

const char *pipe_name(const char *typed)
{
	const char *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!word_match(typed, kinds[i].name))
			continue;
		if (found)
			return NULL;
		found = kinds[i].name;
	}
	return found;
}

static void pipe_free(struct pipe *p)
{
	if (p->kind <= PIPE_BEGIN)
		regfree(&p->re);
	free(p->name);
	free(p);
}

/* All lines have passed. What follows in the pipeline sees the count as a line. */
static void pipe_close(struct cli_def *cli, struct pipe *p)
{
	struct shell *sh = &shell;

	if (p->kind == PIPE_COUNT && cli->filters) {
		struct cli_filter *self = cli->filters;
		bool was = sh->running;

		sh->running = true;
		cli->filters = self->next;
		cli_print(cli, "%llu", p->count);
		cli->filters = self;
		sh->running = was;
	} else if (p->kind == PIPE_SAVE) {
		bool bad = ferror(p->file);

		if (fclose(p->file) || bad)
			out_error(sh, "%s: %s", p->name, strerror(errno));
	}
	pipe_free(p);
}

/* libcli: CLI_OK lets the line pass, CLI_ERROR holds it back; string NULL ends. */
static int pipe_line(struct cli_def *cli, const char *string, void *data)
{
	struct pipe *p = data;

	if (!string) {
		pipe_close(cli, p);
		return CLI_OK;
	}
	switch (p->kind) {
	case PIPE_INCLUDE:
		return regexec(&p->re, string, 0, NULL, 0) ? CLI_ERROR : CLI_OK;
	case PIPE_EXCLUDE:
		return regexec(&p->re, string, 0, NULL, 0) ? CLI_OK : CLI_ERROR;
	case PIPE_BEGIN:
		p->begun = p->begun || !regexec(&p->re, string, 0, NULL, 0);
		return p->begun ? CLI_OK : CLI_ERROR;
	case PIPE_COUNT:
		p->count++;
		return CLI_ERROR;
	case PIPE_SAVE:
		fprintf(p->file, "%s\n", string);
		return CLI_ERROR;
	case PIPE_JSON:
		break;
	}
	return CLI_OK;
}

static bool pipe_open(struct shell *sh, struct pipe *p, const char *argument)
{
	const char *name = kinds[p->kind].name;
	char reason[128];
	int rc;

	if (!kinds[p->kind].argument) {
		if (*argument)
			return out_error(sh, "| %s takes no argument", name);
		sh->json |= p->kind == PIPE_JSON;
		return true;
	}
	if (!*argument)
		return out_error(sh, "| %s %s: the argument is missing", name, kinds[p->kind].argument);
	p->name = xstrdup(argument);
	if (p->kind == PIPE_SAVE) {
		p->file = fopen(argument, "w");
		return p->file || out_error(sh, "%s: %s", argument, strerror(errno));
	}
	rc = regcomp(&p->re, argument, REG_EXTENDED | REG_NOSUB);
	if (!rc)
		return true;
	regerror(rc, &p->re, reason, sizeof(reason));
	return out_error(sh, "| %s %s: %s", name, argument, reason);
}

/* The argument of the stage that is being set up: the raw rest of it, or what its quotes hold. malloc'ed. */
static char *stage_argument(struct cli_def *cli)
{
	size_t len = 0, at;
	const char *stage = stage_get(cli->pipeline->cmdline, cli->pipeline->current_stage->stage_num, &len);
	struct words w;
	char *argument;

	if (!stage)
		return xstrdup("");
	words_split(stage, len, &w);
	at = w.n > 1 ? w.v[1].at : len;
	argument = w.n == 2 && w.v[1].quoted ? xstrdup(w.v[1].text) : xstrndup(stage + at, len - at);
	words_free(&w);
	return argument;
}

static int pipe_init(struct cli_def *cli, int argc, char **argv, struct cli_filter *filter)
{
	const char *name = argc > 0 ? pipe_name(argv[0]) : NULL;
	struct pipe *p;
	char *argument;
	bool ok;

	if (!name)
		return CLI_ERROR;
	p = xcalloc(1, sizeof(*p));
	while (strcmp(kinds[p->kind].name, name))
		p->kind++;
	argument = stage_argument(cli);
	ok = pipe_open(&shell, p, argument);
	free(argument);
	if (!ok) {
		free(p->name);
		free(p);
		filter->filter = NULL;
		return CLI_ERROR;
	}
	filter->filter = pipe_line;
	filter->data = p;
	return CLI_OK;
}

void pipe_register(struct cli_def *cli)
{
	cli_unregister_all_filters(cli);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		cli_register_filter(cli, kinds[i].name, pipe_init, pipe_line, PRIVILEGE_UNPRIVILEGED, MODE_ANY,
				    kinds[i].help);
}

void pipe_cands(const struct words *w, struct cands *cands)
{
	const char *name;

	if (!w->n) {
		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
			cands_add(cands, kinds[i].name, kinds[i].help, false);
		return;
	}
	name = pipe_name(w->v[0].text);
	for (size_t i = 0; name && i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(kinds[i].name, name))
			continue;
		if (kinds[i].argument && w->n == 1)
			cands_add(cands, kinds[i].argument, kinds[i].argument_help, true);
		else
			cands->end = true;
	}
}
