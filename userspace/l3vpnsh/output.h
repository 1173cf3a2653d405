/* SPDX-License-Identifier: GPL-2.0 */
/*
 * output - lines to the operator: through libcli's filters, a pager on a terminal; errors; the terminal's modes.
 */
#ifndef L3VPNSH_OUTPUT_H
#define L3VPNSH_OUTPUT_H

#include "l3vpnsh/shell.h"

/* A line of output, through the pipes. */
void out_line(struct shell *sh, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* What is printed so far becomes visible. */
void out_flush(void);
/*
 * An error: to stderr, with script and line before it; the command has failed. Returns false.
 */
bool out_error(struct shell *sh, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A remark of the shell, not part of a command's output: terminals only. */
void out_note(struct shell *sh, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* libcli's print callback. */
void out_libcli(struct cli_def *cli, const char *text);

/* Lines of a page, 0: no pager. Set before the terminal's size is asked: a choice of the operator. */
void out_set_page(unsigned int lines);
/* A command begins: its first page does. */
void out_begin(struct shell *sh);
void out_end(struct shell *sh);

/* ---- the terminal ---- */

/* Remembers the terminal's modes; they come back at exit. false: stdin and stdout are no terminal. */
bool tty_init(void);
/* Line editing: libcli sees every key. */
void tty_edit(void);
/* A command runs: Ctrl-C interrupts it; what is typed ahead waits. */
void tty_command(void);
/* A program has the terminal as it was before the shell. */
void tty_program(void);
/* A yes or no from the terminal; false where there is none. */
bool tty_confirm(const char *question);

#endif
