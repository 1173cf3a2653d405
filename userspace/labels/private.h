/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of this room share. */
#ifndef L3VPN_LABELS_PRIVATE_H
#define L3VPN_LABELS_PRIVATE_H

#include "labels/labels.h"
#include "lib/jobs.h"
#include "lib/trie.h"

struct labels {
	struct jobs *jobs;
	struct fib *fib;
	uint32_t from, to, next, in_range;
	uint64_t holddown_us;
	struct hash by_key;		/* all but static ones */
	struct trie by_label;		/* label as an IPv4 host -> struct label_binding * */
	struct list lingering;		/* struct label_binding.all, by end */
	struct list quarantined;	/* likewise */
	struct list held;		/* the others */
	struct list waiting;		/* struct label_user.node: range exhausted */
	bool exhausted;			/* said so */
	struct timer expiry, save;
	char *path;
};

#define LABELS_SAVE_MS	1000

struct label_binding *label_by_number(const struct labels *l, uint32_t label);
/* a binding without user, in state RESERVED; false: label or key are there already */
bool label_restore(struct labels *l, uint32_t label, const struct label_key *key);
void labels_changed(struct labels *l);
void labels_on_save(struct timer *t);

#endif
