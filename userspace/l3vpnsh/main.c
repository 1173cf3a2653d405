// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpnsh - the shell of l3vpnd. See shell.h for its parts.
 *
 *   l3vpnsh                       interactive on a terminal, else a script on standard input
 *   l3vpnsh -c CMD [-c CMD...]    these commands, one after the other
 *   l3vpnsh -f FILE               the lines of FILE
 *
 * A script ends at its first error; the exit status is 0 when there was none, 1 when there was, 2 for wrong usage.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "l3vpnsh/batch.h"
#include "l3vpnsh/output.h"
#include "l3vpnsh/shell.h"
#include "lib/log.h"
#include "lib/mem.h"

/* The first Ctrl-C ends what the command prints, a second one the shell. */
static void interrupted(int signo)
{
	if (shell.stop)
		_exit(130);
	shell.stop = 1;
}

static void usage(FILE *to)
{
	fputs("usage: l3vpnsh [--socket PATH] [-c COMMAND]... [-f FILE]\n"
	      "  -c, --command COMMAND  run it and leave; may be given more than once\n"
	      "  -f, --file FILE        run the lines of FILE and leave (-: standard input)\n"
	      "  -s, --socket PATH      of the daemon (" MGMT_SOCKET ")\n"
	      "  -V, --version          print the version\n"
	      "  -h, --help             this\n", to);
}

static bool load_schema(struct shell *sh)
{
	json_t *result = shell_call(sh, "schema.get", NULL, NULL, NULL, NULL), *module;
	char reason[512];
	size_t i;

	if (!result)
		return false;
	sh->schema = schema_new();
	json_array_foreach(json_object_get(result, "modules"), i, module) {
		const char *name = json_string_value(json_object_get(module, "name"));
		const char *text = json_string_value(json_object_get(module, "text"));

		if (name && text)
			schema_add(sh->schema, name, text);
	}
	json_decref(result);
	if (!schema_build(sh->schema, reason, sizeof(reason)))
		return out_error(sh, "the daemon's schema: %s", reason);
	return true;
}

/* One line of a script. */
static bool run_script_line(struct shell *sh, const char *line)
{
	int rc;

	line += strspn(line, " \t");
	if (!*line || *line == '#')
		return true;
	sh->failed = false;
	/* a comment may hold anything, quotes and pipes too */
	if (*line == '!' && line[1 + strspn(line + 1, " \t")])
		return true;
	rc = cli_run_command(sh->cli, line);
	out_flush();
	return (rc == CLI_OK || rc == CLI_QUIT) && !sh->failed;
}

static bool run_file(struct shell *sh, const char *name)
{
	FILE *f = strcmp(name, "-") ? fopen(name, "r") : stdin;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	bool ok = true;

	sh->script = strcmp(name, "-") ? name : "(standard input)";
	if (!f)
		return out_error(sh, "%s", strerror(errno));
	while (ok && !sh->quit && (len = getline(&line, &size, f)) > 0) {
		sh->line++;
		while (len && strchr("\r\n", line[len - 1]))
			line[--len] = '\0';
		ok = run_script_line(sh, line);
	}
	free(line);
	if (f != stdin)
		fclose(f);
	return ok;
}

static bool run_commands(struct shell *sh, char **commands, size_t n)
{
	bool ok = true;

	sh->script = "command";
	for (size_t i = 0; ok && i < n && !sh->quit; i++) {
		char *rest = commands[i], *line;

		sh->line = i + 1;
		/* a command may be several lines */
		while (ok && (line = strsep(&rest, "\n")))
			ok = run_script_line(sh, line);
	}
	return ok;
}

/* A script that ends while configuring has not done what it said, if anything is left uncommitted. */
static bool left_uncommitted(struct shell *sh)
{
	json_t *status;
	bool changed;

	if (!sh->configuring || sh->failed)
		return false;
	if (!batch_flush(sh))
		return true;
	status = shell_call(sh, "config.status", NULL, NULL, NULL, NULL);
	changed = json_is_true(json_object_get(status, "changed"));
	json_decref(status);
	if (changed)
		out_error(sh, "the end, with uncommitted changes: they are forgotten");
	return changed;
}

static int interactive(struct shell *sh)
{
	int fd = dup(STDIN_FILENO);

	sh->interactive = true;
	tree_set_mode(sh);
	tty_edit();
	/* libcli closes fd */
	cli_loop(sh->cli, fd);
	fputs("\r\n", stdout);
	out_flush();
	return 0;
}

static void watch_signals(void)
{
	/* without SA_RESTART, so that waiting ends */
	struct sigaction sa = { .sa_handler = interrupted };

	sigaction(SIGINT, &sa, NULL);
}

static int run(struct shell *sh, char **commands, size_t n, const char *file)
{
	bool ok = true;

	if (!n && !file && tty_init())
		return interactive(sh);
	if (n)
		ok = run_commands(sh, commands, n);
	if (ok && (file || !n) && !sh->quit) {
		sh->line = 0;
		ok = run_file(sh, file ?: "-");
	}
	if (left_uncommitted(sh))
		ok = false;
	return ok ? 0 : 1;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "command", required_argument, NULL, 'c' }, { "file", required_argument, NULL, 'f' },
		{ "socket", required_argument, NULL, 's' }, { "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' }, {},
	};
	struct shell *sh = &shell;
	const char *file = NULL;
	char **commands = NULL;
	size_t n = 0;
	int opt, status;

	while ((opt = getopt_long(argc, argv, "c:f:s:Vh", options, NULL)) != -1) {
		switch (opt) {
		case 'c':
			commands = xrealloc(commands, (n + 1) * sizeof(*commands));
			commands[n++] = optarg;
			break;
		case 'f':
			file = optarg;
			break;
		case 's':
			sh->socket = optarg;
			break;
		case 'V':
			printf("l3vpnsh %s\n", l3vpn_version);
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind < argc) {
		usage(stderr);
		return 2;
	}
	watch_signals();
	if (!load_schema(sh))
		return 1;
	config_hostname(sh);
	sh->cli = tree_new(sh);
	status = sh->cli ? run(sh, commands, n, file) : 1;
	mgmt_client_close(sh->client);
	cli_done(sh->cli);
	schema_free(sh->schema);
	free(sh->context);
	free(sh->level.path);
	free(commands);
	return status;
}
