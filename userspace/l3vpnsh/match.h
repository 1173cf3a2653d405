/* SPDX-License-Identifier: GPL-2.0 */
/*
 * match - which of several things, each named by one or more keywords, the next words of a line name.
 */
#ifndef L3VPNSH_MATCH_H
#define L3VPNSH_MATCH_H

#include "l3vpnsh/walk.h"

struct item {
	const char *words;	/* "address-family ipv4 unicast" */
	const char *help;	/* of the item; shown at its last word */
	const void *what;
};

enum match {
	MATCH_ONE,		/* *which, after *used words */
	MATCH_UNKNOWN,		/* word *used of them is none of the keywords */
	MATCH_AMBIGUOUS,	/* word *used may be several; err->reason names them */
	MATCH_SHORT,		/* the words end within a keyword sequence */
};

/*
 * Matches words first.. against n items; each word may be shortened while it stays unambiguous, and a whole word
 * wins over beginnings. The longest sequence wins. Adds to cands (may be NULL) what may follow where the words end.
 */
enum match match_items(const struct item *items, size_t n, const struct words *w, int first, size_t *which, int *used,
		       struct cands *cands, struct walk_error *err);

#endif
