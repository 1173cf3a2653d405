/* SPDX-License-Identifier: GPL-2.0 */
/*
 * text - the text form, both ways. Internal to conf; conf.h has what others may call.
 *
 * Grammar, generated from the schema:
 *   line     = ["no"] node...            words are separated by blanks; "..." quotes one
 *   list     = KEYWORD key...            container = KEYWORD            positional leaves follow
 *   leaf     = KEYWORD value             empty or true leaf = KEYWORD   leaf-list: one value each time
 * A list or container with l3:mode opens a block: the lines below it, indented deeper, up to "!" at its own
 * indentation. Text without indentation works as well: a line that does not fit in a block is tried in those
 * around it; "!" or "exit" closes one block, "end" or "root" all. A line that starts with "!" or "#" and goes on
 * is a comment. Other lists and containers are words on the line of what is below them; several leaves of the same
 * one may follow each other on the line.
 */
#ifndef CONF_TEXT_H
#define CONF_TEXT_H

#include "conf/conf.h"

#define CONF_MASK "********"

/*
 * Applies text to *tree, which is half changed when it returns false: work on a copy. context, new_context: see
 * conf_edit. Each node that a line sets has the line's number in its priv pointer.
 */
bool conf_text_apply(const struct ly_ctx *ctx, struct lyd_node **tree, const char *context, const char *text,
		     char **new_context, struct conf_error *err);

/* The line that opens the mode of node inside the mode of above (NULL: the top): keywords and keys. malloc'ed. */
char *conf_text_opener(const struct lyd_node *node, const struct lysc_node *above);

#endif
