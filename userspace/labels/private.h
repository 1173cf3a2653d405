/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of this room share. */
#ifndef L3VPN_LABELS_PRIVATE_H
#define L3VPN_LABELS_PRIVATE_H

#include "labels/labels.h"
#include "labels/space.h"
#include "lib/jobs.h"

struct pool {
	uint32_t from, to, next;	/* 0, 0: none of its own */
	struct list waiting;		/* struct label_user.node: the range is exhausted */
	bool exhausted;			/* said so */
};

struct labels {
	struct jobs *jobs;
	struct fib *fib;
	struct pool pool[LABEL_POOLS];
	uint64_t holddown_us;
	struct hash by_key;		/* all but static ones */
	struct label_space *space;	/* struct label_binding * */
	struct list claimants;		/* struct label_claimant.node */
	struct list reserved;		/* struct reservation.node, by name */
	uint64_t *kernel;		/* bit: Linux's own MPLS table holds it; NULL: none ever */
	struct list lingering;		/* struct label_binding.all, by end */
	struct list quarantined;	/* likewise */
	struct list held;		/* the others */
	uint32_t count;			/* bindings in all */
	struct timer expiry, save;
	char *path;			/* store.c's from here on */
	int journal;			/* the file, to append to; -1: none */
	uint32_t lines;			/* of bindings in it */
	bool unwritten;			/* said that it cannot be written */
};

#define LABELS_SAVE_MS	1000

/* a reason why it was taken has gone: if it was the last, the first of those who wait may ask again */
void label_number_freed(struct labels *l, uint32_t label);

/* reserve.c */
void labels_reserved_free(struct labels *l);

struct label_binding *label_by_number(const struct labels *l, uint32_t label);
/* a binding without user, in state RESERVED, instead of others with that label or key; false: no such label */
bool label_restore(struct labels *l, uint32_t label, const struct label_key *key);

/* store.c: before anybody hears of the label of @b */
void labels_append(struct labels *l, const struct label_binding *b);
void labels_journal_close(struct labels *l);
void labels_on_save(struct timer *t);

#endif
