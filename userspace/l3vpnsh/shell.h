/* SPDX-License-Identifier: GPL-2.0 */
/*
 * shell - what the parts of l3vpnsh share.
 *
 *   main.c      options, scripts, start             tree.c      libcli: commands a mode, dispatch, libcli's limits
 *   schema.c    the YANG modules                    complete.c  completion, `?`, live values
 *   words.c match.c walk.c exec_walk.c  lines       line.c      one line: which command, or configuration
 *   output.c    output, errors, pager, terminal     config.c    configure, commit, rollback, load, show
 *   pipe.c      | include, | json, | save, ...      oper.c      commands of the daemon; table.c prints their rows
 *   batch.c     lines of a script, sent together
 *   program.c   ping, traceroute, exec; vrfexec.c binds their sockets
 *
 * One shell in a process (libcli's callbacks and signals have no better place): single-threaded.
 */
#ifndef L3VPNSH_SHELL_H
#define L3VPNSH_SHELL_H

#include <jansson.h>
#include <libcli.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

#include "l3vpnsh/schema.h"
#include "l3vpnsh/walk.h"
#include "mgmt/client.h"

struct shell {
	struct cli_def *cli;
	struct schema *schema;
	struct mgmt_client *client;
	const char *socket;		/* NULL: the default */
	char hostname[64];

	/* configuration session */
	bool configuring;		/* a candidate is open */
	char *context;			/* lines of the modes the next line stands in; "" at the top; NULL: exec mode */
	struct level level;		/* the same as a place */

	/* the line that runs */
	bool running;			/* within a command, as opposed to libcli's line editing and parsing */
	bool failed;			/* it printed an error */
	bool json;			/* | json */
	volatile sig_atomic_t stop;	/* interrupted, or the pager was left */
	bool quit;

	/* where lines come from: errors tell */
	bool interactive;
	const char *script;		/* name, NULL: a terminal */
	unsigned int line;
};

extern struct shell shell;

/* ---- line.c ---- */

/* Runs one line, without its pipes. false: it failed, and said so. */
bool shell_line(struct shell *sh, const char *text, size_t len);
/* Says what is wrong with a line that libcli could not place. */
void shell_diagnose(struct shell *sh, const char *text, size_t len);
/*
 * What may follow the words of a line before the one being typed (typed, NULL: nothing yet), of which only what begins
 * as it does is wanted: modes around are looked at where nothing nearer does.
 */
void shell_cands(struct shell *sh, const struct words *w, const char *typed, struct cands *cands);
/* Runs an operational command that was walked, local or of the daemon. */
bool shell_command(struct shell *sh, const struct exec_line *line, const struct words *w);

/* ---- tree.c ---- */

/* Makes libcli's instance, with the commands of every mode. NULL: no memory. */
struct cli_def *tree_new(struct shell *sh);
/* libcli's mode and prompt follow the shell's place. */
void tree_set_mode(struct shell *sh);

/* ---- config.c ---- */

/* A line of configuration, already walked from the level of context: into the candidate. */
bool config_edit(struct shell *sh, const char *context, const struct config_line *line);
/* One level up; at the top, out of configuration. */
bool config_exit(struct shell *sh);
/* The command named by a local rpc, if it is one of configuration; *known tells. */
bool config_command(struct shell *sh, const struct exec_line *line, bool *known);
/* Asks the daemon for its host name, which the prompt shows. */
void config_hostname(struct shell *sh);
/* The configuration (candidate while configuring), as JSON; NULL: not to be had. New reference. */
json_t *config_json(struct shell *sh);

/* ---- oper.c ---- */

bool oper_run(struct shell *sh, const struct command *cmd, json_t *params);
bool oper_tech_support(struct shell *sh);

/* ---- program.c ---- */

bool program_ping(struct shell *sh, const struct exec_line *line);
bool program_traceroute(struct shell *sh, const struct exec_line *line);
bool program_exec(struct shell *sh, const struct exec_line *line);

/* ---- calls ---- */

/* mgmt_call that opens the connection when there is none; the error is printed unless err is given. */
json_t *shell_call(struct shell *sh, const char *method, json_t *params, mgmt_client_row row, void *arg,
		   struct mgmt_client_error *err);
/* Prints why the daemon refused. Always false. */
bool shell_refused(struct shell *sh, const struct mgmt_client_error *err);

#endif
