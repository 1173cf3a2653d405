/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pipe - what may stand after a |: filters of libcli that replace its own, which search for strings,
 * not expressions, and lose backslashes.
 */
#ifndef L3VPNSH_PIPE_H
#define L3VPNSH_PIPE_H

#include "l3vpnsh/shell.h"

void pipe_register(struct cli_def *cli);
/* What may follow in a stage after |. */
void pipe_cands(const struct words *w, struct cands *cands);
/* The name of a stage's filter, whole; NULL: unknown or ambiguous. */
const char *pipe_name(const char *typed);

#endif
