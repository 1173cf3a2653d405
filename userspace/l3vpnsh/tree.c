// SPDX-License-Identifier: GPL-2.0
/*
 * tree - libcli: the commands of every mode, generated from the schema, and the way from libcli to the shell.
 *
 * libcli gives line editing, history, the prompt, modes, the choice of a command by the (shortened)
 * first word, and the pipeline of filters. What its static tree cannot hold is built on top of it:
 *  - its commands are fixed words, and nothing but optional arguments follows them: a list's keys are
 *    path elements of any value, with further words after them. So its tree holds the first word of
 *    every line a mode knows, and the rest of the line is walked along the schema (walk.c).
 *  - a mode knows the first words of the modes around it too, so that pasted text may go on there.
 *  - it splits lines without keeping backslashes and offsets: lines are split again (words.c).
 *  - completion and help know no live values: complete.c takes the place of its function.
 *  - its filters search for strings: pipe.c has others.
 *  - its own errors name neither path nor alternatives: when it reports one, the line is walked to
 *    say more (output.c).
 *  - Ctrl-Z leaves configuration without asking: the session is kept, `configure` goes on with it.
 * Its limits stay: 4095 characters and 127 words a line; a list whose l3:keyword is empty could not
 * be reached; a ? at the end of a line is help, never text.
 */
#include <stdlib.h>
#include <string.h>

#include "l3vpnsh/complete.h"
#include "l3vpnsh/output.h"
#include "l3vpnsh/pipe.h"
#include "l3vpnsh/shell.h"
#include "lib/mem.h"

/* Schema nodes that are modes; the mode's number for libcli is MODE_CONFIG + 1 + the index. */
static struct {
	const struct lysc_node **v;
	size_t n;
} modes;

static void print_help(const char *text, void *arg)
{
	out_line(arg, "%s", text);
}

/* The last word is a `?` that libcli passed on. */
static bool asks_help(const char *line, size_t len)
{
	return len && line[len - 1] == '?' && shell.interactive && (len == 1 || line[len - 2] == ' ');
}

static int dispatch(struct cli_def *cli, const char *command, char *argv[], int argc)
{
	struct shell *sh = &shell;
	const char *line;
	size_t len;
	bool ok;

	if (sh->configuring && cli->mode == MODE_EXEC && sh->context) {
		/* Ctrl-Z */
		free(sh->context);
		free(sh->level.path);
		sh->context = NULL;
		sh->level = (struct level){ NULL, NULL };
		sh->configuring = false;
		out_note(sh, "The changes are kept: 'configure' goes on with them, 'abort' there forgets them.");
	}
	sh->running = true;
	tty_command();
	out_begin(sh);
	if (stage_count(cli->pipeline->cmdline) != cli->pipeline->num_stages) {
		ok = out_error(sh, "quotes and | do not fit together; put what has a | in it between quotes");
	} else {
		line = stage_get(cli->pipeline->cmdline, 0, &len);
		if (asks_help(line, len)) {
			char *start = xstrndup(line, len - 1);

			complete_lines(sh, start, print_help, sh);
			free(start);
			ok = true;
		} else {
			ok = shell_line(sh, line, len);
		}
	}
	out_end(sh);
	sh->running = false;
	sh->json = false;
	tty_edit();
	tree_set_mode(sh);
	if (sh->quit)
		return CLI_QUIT;
	return ok ? CLI_OK : CLI_ERROR;
}

/* Registers the first word of a keyword sequence for a mode, once. */
static void add_word(struct cli_def *cli, int mode, const char *words, const char *help)
{
	char *word = xstrndup(words, strcspn(words, " "));
	bool more = words[strlen(word)] == ' ';
	struct cli_command *c;

	for (c = cli->commands; c; c = c->next)
		if (c->mode == mode && c->command_type == CLI_REGULAR_COMMAND && !strcmp(c->command, word))
			break;
	if (!c && *word)
		cli_register_command(cli, NULL, word, dispatch, PRIVILEGE_UNPRIVILEGED, mode, more ? "" : help);
	free(word);
}

static void add_children(struct cli_def *cli, const struct schema *s, int mode, const struct lysc_node *parent)
{
	const struct lysc_node *child = NULL;

	while ((child = config_next(s, parent, child)))
		if (!node_is_key(child) && !node_ext(child, "positional"))
			add_word(cli, mode, node_keyword(child), node_help(child));
}

static void add_commands(struct cli_def *cli, const struct schema *s, int mode, unsigned int where)
{
	for (size_t i = 0; i < s->n_commands; i++)
		if (s->commands[i].where & where)
			add_word(cli, mode, s->commands[i].words, node_help(s->commands[i].rpc));
}

/* The mode of a schema node: its own commands, those of the nodes around it, those of configuration. */
static void add_mode(struct cli_def *cli, const struct schema *s, int mode, const struct lysc_node *node)
{
	for (; node; node = lysc_data_parent(node))
		add_children(cli, s, mode, node);
	add_children(cli, s, mode, NULL);
	add_commands(cli, s, mode, IN_CONFIGURE);
	add_word(cli, mode, "!", "Close this block.");
}

static void find_modes(const struct schema *s, const struct lysc_node *parent)
{
	const struct lysc_node *child = NULL;

	while ((child = config_next(s, parent, child))) {
		if (!(child->nodetype & (LYS_CONTAINER | LYS_LIST)))
			continue;
		if (node_ext(child, "mode")) {
			modes.v = xrealloc(modes.v, (modes.n + 1) * sizeof(*modes.v));
			modes.v[modes.n++] = child;
		}
		find_modes(s, child);
	}
}

struct cli_def *tree_new(struct shell *sh)
{
	struct cli_def *cli = cli_init();

	if (!cli)
		return NULL;
	free(modes.v);
	memset(&modes, 0, sizeof(modes));
	cli_unregister_all_commands(cli);
	pipe_register(cli);
	cli_telnet_protocol(cli, 0);
	cli_set_promptchar(cli, "# ");
	cli_print_callback(cli, out_libcli);
	add_commands(cli, sh->schema, MODE_EXEC, IN_EXEC);
	add_word(cli, MODE_EXEC, "!", "A comment.");
	find_modes(sh->schema, NULL);
	add_mode(cli, sh->schema, MODE_CONFIG, NULL);
	for (size_t i = 0; i < modes.n; i++)
		add_mode(cli, sh->schema, MODE_CONFIG + 1 + i, modes.v[i]);
	return cli;
}

void tree_set_mode(struct shell *sh)
{
	int mode = MODE_EXEC;
	char text[80];

	cli_set_hostname(sh->cli, *sh->hostname ? sh->hostname : "l3vpn");
	if (sh->configuring) {
		mode = MODE_CONFIG;
		for (size_t i = 0; i < modes.n; i++)
			if (modes.v[i] == sh->level.node)
				mode = MODE_CONFIG + 1 + i;
	}
	cli_set_configmode(sh->cli, mode, NULL);
	if (!sh->configuring) {
		cli_set_modestring(sh->cli, NULL);
		return;
	}
	if (sh->level.node)
		snprintf(text, sizeof(text), "(config-%s)", node_ext(sh->level.node, "mode") ?: sh->level.node->name);
	else
		snprintf(text, sizeof(text), "(config)");
	cli_set_modestring(sh->cli, text);
}
