/* SPDX-License-Identifier: GPL-2.0 */
/*
 * table - rows of an operational command as a table, as lines of text, or as JSON. One row at a time: the first ones
 * (TABLE_SAMPLE, none of a topic) are held to find the widths of columns, then rows go out as they come.
 */
#ifndef L3VPNSH_TABLE_H
#define L3VPNSH_TABLE_H

#include <jansson.h>
#include <stdbool.h>

#include "l3vpnsh/schema.h"

#define TABLE_SAMPLE 64

struct table;

/* Prints a line; arg as given to table_new. */
typedef void (*table_line)(void *arg, const char *text);

struct table *table_new(const struct command *cmd, bool json, table_line line, void *arg);
void table_row(struct table *t, json_t *row);
/* The end: result has the scalar outputs; NULL: the command failed. Frees t. */
void table_end(struct table *t, json_t *result);

#endif
