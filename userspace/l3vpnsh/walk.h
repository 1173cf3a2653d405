/* SPDX-License-Identifier: GPL-2.0 */
/*
 * walk - the words of a line along the schema: what they mean, and what may come next.
 *
 * The same walk serves carrying out, completion and help, so that these cannot disagree. It needs the schema alone;
 * live values are asked for by who calls (struct live).
 */
#ifndef L3VPNSH_WALK_H
#define L3VPNSH_WALK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "l3vpnsh/schema.h"
#include "l3vpnsh/words.h"

/* Something that may stand next on the line. */
struct cand {
	char *text;		/* a word, or a placeholder "<...>" */
	char *help;
	bool value;		/* a placeholder: never completed */
};

/* A value may stand next: the leaf, and the data path of the list or leaf-list whose existing entries name it. */
struct live {
	const struct lysc_node *leaf;
	char *path;		/* NULL: none */
};

struct cands {
	struct cand *v;
	size_t n;
	struct live *live;
	size_t n_live;
	bool end;		/* the line may end here */
};

void cands_add(struct cands *c, const char *text, const char *help, bool value);
void cands_free(struct cands *c);

struct walk_error {
	int word;		/* index of the word at fault; the number of words: after the last */
	bool unknown;		/* that word is none of the schema here (rather than a bad value, or missing words) */
	char path[256];		/* schema path of where it happened */
	char reason[512];
};

/* ---- configuration ---- */

/* A place in the configuration: a schema node and the data path of its instance; node NULL: the top. */
struct level {
	const struct lysc_node *node;
	char *path;
};

struct config_line {
	char *text;		/* in full, as text form: a mode's line, what is in it on the next; `no` where del */
	struct level level;	/* if enters: the mode the line opens */
	bool enters;
};

/*
 * Walks a configuration line (without a leading `no`, which del tells) from a level. Fills line (may
 * be NULL; free with config_line_free), or err. With cands, the words are those before the one being
 * typed, and what fits next is added.
 */
bool config_walk(const struct schema *s, const struct level *at, bool del, const struct words *w, int first,
		 struct config_line *line, struct cands *cands, struct walk_error *err);
void config_line_free(struct config_line *line);
/* The level that the lines of a context (separated by newlines, from the top) lead to. Free level->path. */
bool config_level(const struct schema *s, const char *context, struct level *level);

/* ---- operational commands ---- */

struct exec_line {
	const struct command *command;
	json_t *params;		/* its input */
	int rest;		/* index of the first word after the command's own words */
};

bool exec_walk(const struct schema *s, unsigned int where, const struct words *w, int first, struct exec_line *line,
	       struct cands *cands, struct walk_error *err);
void exec_line_free(struct exec_line *line);

#endif
