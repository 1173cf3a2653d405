/* SPDX-License-Identifier: GPL-2.0 */
/* complete - what may stand next on a line: for the tab key, for `?`, for help; with live values from the daemon. */
#ifndef L3VPNSH_COMPLETE_H
#define L3VPNSH_COMPLETE_H

#include "l3vpnsh/shell.h"

#define COMPLETE_VALUES_MAX 500		/* live values asked for and shown */

/* A line up to the cursor: what may follow or stand for its last word; only what begins as that word does. */
void complete_line(struct shell *sh, const char *line, struct cands *cands);
/* Help on the shell itself and the commands of this mode. */
void complete_help(struct shell *sh);
/* Lines of `?` through fn, in order. */
void complete_lines(struct shell *sh, const char *line, void (*fn)(const char *text, void *arg), void *arg);

/*
 * Names found in a configuration (RFC 7951 JSON) below a data path: keys of a list, values of a
 * leaf-list, or of leaf `leaf`. Predicates of the path choose entries. Returns how many went to fn.
 */
size_t complete_collect(const json_t *config, const char *path, const char *leaf,
			void (*fn)(const char *value, void *arg), void *arg);

/*
 * libcli's own function, whose place this takes: it knows fixed words and optional arguments alone. Interposed by the
 * dynamic linker, because libcli has no hook here.
 */
void cli_get_completions(struct cli_def *cli, const char *command, char lastchar, struct cli_comphelp *comphelp);

#endif
