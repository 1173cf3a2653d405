// SPDX-License-Identifier: GPL-2.0
/* match - see match.h. */
#include "l3vpnsh/match.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/mem.h"

#define KEYWORD_MAX 64

/* The k-th word of a keyword sequence into buf; false when it has fewer. */
static bool keyword_at(const char *words, int k, char buf[KEYWORD_MAX])
{
	size_t len;

	for (;;) {
		words += strspn(words, " ");
		len = strcspn(words, " ");
		if (!len)
			return false;
		if (!k--)
			break;
		words += len;
	}
	snprintf(buf, KEYWORD_MAX, "%.*s", (int)len, words);
	return true;
}

/* Adds the words at position k of the items alive: help is the item's where the word is its last. */
static void add_next(const struct item *items, const bool *alive, size_t n, int k, struct cands *cands)
{
	char word[KEYWORD_MAX], more[KEYWORD_MAX];

	for (size_t i = 0; cands && i < n; i++) {
		bool last;

		if (!alive[i] || !keyword_at(items[i].words, k, word))
			continue;
		last = !keyword_at(items[i].words, k + 1, more);
		cands_add(cands, word, last ? items[i].help : "", false);
	}
}

static bool seen_before(const struct item *items, const bool *alive, size_t i, int k, const char *word)
{
	char other[KEYWORD_MAX];

	while (i-- > 0)
		if (alive[i] && keyword_at(items[i].words, k, other) && !strcasecmp(other, word))
			return true;
	return false;
}

/*
 * Keeps alive the items whose word at position k the typed one fits best; how many distinct keywords these are. Where
 * that is more than one, err->reason names them.
 */
static int narrow(const struct item *items, bool *alive, size_t n, int k, const char *typed, struct walk_error *err)
{
	char word[KEYWORD_MAX];
	int best = 0, distinct = 0;
	size_t used, size = sizeof(err->reason);

	for (size_t i = 0; i < n; i++)
		if (alive[i] && keyword_at(items[i].words, k, word) && word_match(typed, word) > best)
			best = word_match(typed, word);
	used = snprintf(err->reason, size, "'%s' may be", typed);
	for (size_t i = 0; i < n; i++) {
		alive[i] = best && alive[i] && keyword_at(items[i].words, k, word) && word_match(typed, word) == best;
		if (!alive[i] || seen_before(items, alive, i, k, word))
			continue;
		if (used < size)
			used += snprintf(err->reason + used, size - used, "%s %s", distinct ? "," : "", word);
		distinct++;
	}
	return distinct;
}

static bool find_complete(const struct item *items, const bool *alive, size_t n, int k, size_t *which)
{
	char word[KEYWORD_MAX];

	for (size_t i = 0; i < n; i++) {
		if (!alive[i] || keyword_at(items[i].words, k, word))
			continue;
		*which = i;
		return true;
	}
	return false;
}

enum match match_items(const struct item *items, size_t n, const struct words *w, int first, size_t *which, int *used,
		       struct cands *cands, struct walk_error *err)
{
	bool *alive = xcalloc(n + 1, sizeof(*alive)), *next = xcalloc(n + 1, sizeof(*next));
	enum match result = MATCH_UNKNOWN;
	bool complete = false;
	int k = 0, fits;

	memset(alive, true, n);
	for (;; k++) {
		complete = k && find_complete(items, alive, n, k, which);
		if (first + k >= w->n) {
			add_next(items, alive, n, k, cands);
			result = complete ? MATCH_ONE : MATCH_SHORT;
			break;
		}
		memcpy(next, alive, n);
		fits = w->v[first + k].quoted ? 0 : narrow(items, next, n, k, w->v[first + k].text, err);
		if (!fits) {
			result = complete ? MATCH_ONE : MATCH_UNKNOWN;
			break;
		}
		if (fits > 1) {
			result = complete ? MATCH_ONE : MATCH_AMBIGUOUS;
			break;
		}
		memcpy(alive, next, n);
	}
	*used = k;
	free(alive);
	free(next);
	return result;
}
