/* SPDX-License-Identifier: GPL-2.0 */
/*
 * words - a typed line as words, and a line with pipes as stages.
 *
 * libcli splits lines too, but drops every backslash and forgets where a word began; the shell needs
 * both (regular expressions, the rest of a line as one value), so it splits again from the raw text.
 *
 * Words are separated by blanks. A word that begins with ' or " ends at the same quote; in "..." and outside of
 * quotes a backslash takes the next of \ " ' | or blank literally and is itself otherwise.
 */
#ifndef L3VPNSH_WORDS_H
#define L3VPNSH_WORDS_H

#include <stdbool.h>
#include <stddef.h>

struct word {
	char *text;		/* without quotes and escapes */
	size_t at;		/* offset of its first character (the quote, if quoted) in the line */
	bool quoted;
};

struct words {
	struct word *v;
	int n;
	bool open;		/* the line ends within the last word: it may still grow */
	bool unbalanced;	/* a quote is not closed */
};

/* Splits len characters of line, stopping at nothing: the caller has cut the stage. */
void words_split(const char *line, size_t len, struct words *w);
void words_free(struct words *w);

/* Length of the first stage of line: up to a | outside of quotes, or to its end. */
size_t stage_length(const char *line);
/* Number of stages, at least 1. */
int stage_count(const char *line);
/* The n-th stage (0: the command), trimmed of blanks, its length in *len; NULL when there is none. */
const char *stage_get(const char *line, int n, size_t *len);

/* text as one word of a line, in quotes where it needs them (malloc'ed). */
char *word_quote(const char *text);

/*
 * How well a typed word stands for a keyword, without regard to case: 2 whole, 1 beginning, 0 not.
 */
int word_match(const char *typed, const char *keyword);

#endif
