/* SPDX-License-Identifier: GPL-2.0 */
/*
 * batch - lines of configuration in a script, gathered and sent together.
 *
 * The daemon takes or refuses an edit as a whole, on a copy of the candidate: line by line, a long script would cost
 * the square of its length. A terminal sends each line at once.
 */
#ifndef L3VPNSH_BATCH_H
#define L3VPNSH_BATCH_H

#include "l3vpnsh/shell.h"

/* Takes a line that was walked from the level of context. false: an earlier line was refused, and said so. */
bool batch_add(struct shell *sh, const char *context, const struct config_line *line);
/* Sends what was gathered. false: a line was refused; the error names it. */
bool batch_flush(struct shell *sh);

#endif
