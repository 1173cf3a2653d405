/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Label manager: who has which label, from when on and how long.
 *
 *      wanted --(kernel acknowledged)--> programmed --(last user gone)--> lingering
 *        --(linger over: entry removed from forwarding)--> quarantined --(hold-down over)--> free
 *
 * Labels are keyed by what they are for, so that asking again (after a mode switched back, after a
 * restart) gives the same label; keys and labels are kept in a file. A label is exported only
 * when programmed; nothing is programmed that nobody asked for. RFC 3031, 3032, 4364 section 5.
 * Main thread only.
 */
#ifndef L3VPN_LABELS_LABELS_H
#define L3VPN_LABELS_LABELS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/hash.h"
#include "lib/list.h"
#include "lib/prefix.h"
#include "rib/fib.h"

struct jobs;
struct labels;

#define LABEL_MIN	16u
#define LABEL_MAX	1048575u
#define LABELS_DYNAMIC_MIN	100000u	/* unless configured */
#define LABELS_HOLDDOWN_DEFAULT	60	/* seconds of quarantine */
#define LABELS_LINGER_MS	20000	/* between the withdrawal and the removal from forwarding: peers
					 * that are slow to follow an UPDATE still send with the label
					 */

enum label_owner {
	LABEL_OWNER_VRF,
	LABEL_OWNER_CE,
	LABEL_OWNER_PREFIX,
	LABEL_OWNER_STATIC,
	LABEL_OWNER_LDP,
	LABEL_OWNER_LU,			/* labelled unicast, RFC 8277 */
	LABEL_OWNER_EXTERNAL,		/* of best external routes: the CE's, or the prefix's; it leads nowhere else */
};

/*
 * From where labels are given out, by their owners. A pool without a range of its own is part of the
 * dynamic one, except that static labels, which the operator chooses, may then be any.
 */
enum label_pool { LABEL_POOL_DYNAMIC, LABEL_POOL_STATIC, LABEL_POOL_VPN, LABEL_POOL_LDP, LABEL_POOLS };

/*
 * What a label belongs to, by its owner: forwarding takes a labelled packet from a core port only if the port
 * accepts its scope (conf: interface, label accept). 3..63 are free for further protocols and for single peers.
 */
enum label_scope { LABEL_SCOPE_TRANSPORT, LABEL_SCOPE_VPN, LABEL_SCOPE_LDP };
#define LABEL_SCOPE_ALL	UINT64_MAX	/* the mask of all of them, given out or not */

enum label_state {
	LABEL_WANTED,
	LABEL_PROGRAMMED,
	LABEL_LINGERING,
	LABEL_QUARANTINED,
	LABEL_RESERVED,		/* named by the file of the daemon before, not asked for yet */
};

/* What a label is for. Octets that do not matter are zero. */
struct label_key {
	uint8_t owner;			/* enum label_owner */
	char vrf[32];			/* VRF name; "" for the global table */
	char ifname[16];		/* CE, EXTERNAL: port, may be empty */
	struct prefix prefix;		/* of a CE: its host prefix; PREFIX, LU, LDP: the prefix, the FEC */
};

/* how the label forwards; may change while the label stays */
struct label_action {
	uint8_t action;			/* enum fib_label_action */
	uint32_t vrf;
	struct fib_nh *nh;		/* borrowed; POP_NH, SWAP */
	uint32_t out_label;		/* SWAP */
};

struct label_binding {
	struct hash_node node;
	struct list all;
	struct label_key key;
	uint32_t label;
	uint8_t state;			/* enum label_state */
	uint32_t refs;
	uint64_t until_us;		/* end of lingering or quarantine */
	struct fib_label fib;
	struct list users;		/* struct label_user.node */
	struct labels *labels;
};

/*
 * One who asked; embedded, label_user_init() once. ready(): the label is programmed (not called
 * when it was so at the request: see label_is_ready()). retry(): there was none, now ask again.
 */
struct label_user {
	struct list node;
	struct label_binding *binding;	/* NULL: none */
	void (*ready)(struct label_user *u);
	void (*retry)(struct label_user *u);
	void (*failed)(struct label_user *u, int err);	/* kernel refused; may be NULL */
};

static inline void label_user_init(struct label_user *u)
{
	list_init(&u->node);
	u->binding = NULL;
}

struct labels *labels_new(struct jobs *jobs, struct fib *fib);
void labels_free(struct labels *l);

/* dynamic range and hold-down; labels outside stay until they are released. false: bad range */
bool labels_configure(struct labels *l, uint32_t from, uint32_t to, uint32_t holddown_s);
/* a range of its own for a pool but the dynamic one; 0, 0: none. They should not overlap. */
bool labels_configure_pool(struct labels *l, enum label_pool pool, uint32_t from, uint32_t to);

/*
 * Numbers that somebody else holds: never given out nor claimed while they are reserved. What stands there already
 * stays, and is logged. LABELS_KERNEL is the name of single numbers in Linux's own MPLS table. labels_reserve():
 * false: no range, or the name stands already.
 */
#define LABELS_KERNEL	"kernel"
bool labels_reserve(struct labels *l, const char *name, uint32_t from, uint32_t to);
void labels_unreserve(struct labels *l, const char *name);
void label_reserve_kernel(struct labels *l, uint32_t label, bool held);
/* who holds it, or NULL */
const char *label_reserved_by(const struct labels *l, uint32_t label);

/*
 * Restart: labels_load() reads the file (absent: nothing) and reserves what it names;
 * labels_restart_done() sends to quarantine what nobody asked for again. A label is in the file before
 * label_request() returns, so that a crash at any time loses none. labels_save() writes the file anew.
 * @path is copied. false: the file exists but could not be understood (*why says it), and is left.
 */
bool labels_load(struct labels *l, const char *path, char *why, size_t size);
void labels_restart_done(struct labels *l);
bool labels_save(struct labels *l);

/*
 * Gets the label of @key for @u (which must hold none), making it if need be, and sets how it
 * forwards. false when the range is exhausted (logged once): @u waits in a queue, and its retry()
 * is called when a label has become free, unless label_release() came before.
 */
bool label_request(struct labels *l, struct label_user *u, const struct label_key *key,
		   const struct label_action *action);
/* u gives it up, or leaves the queue */
void label_release(struct labels *l, struct label_user *u);
/* the way changed: same label, entry replaced in place (make before break in the kernel) */
void label_update(struct labels *l, struct label_binding *b, const struct label_action *action);
static inline bool label_is_ready(const struct label_user *u)
{
	return u->binding && u->binding->state == LABEL_PROGRAMMED;
}

/*
 * A label chosen by the operator (static ILM); NULL: taken, reserved, quarantined, or outside the static range
 * (*why says by what)
 */
struct label_binding *label_claim(struct labels *l, uint32_t label, const struct label_key *key,
				  const struct label_action *action, char *why, size_t size);
void label_unclaim(struct labels *l, struct label_binding *b);
/*
 * Who was refused a label may wait for it: retry() comes once, when the number is free. Embedded; list_init() its node
 * once. Waiting again for another label is fine.
 */
struct label_claimant {
	struct list node;
	uint32_t label;
	void (*retry)(struct label_claimant *c);
};
void label_claim_wait(struct labels *l, struct label_claimant *c, uint32_t label);
static inline void label_claim_forget(struct label_claimant *c)
{
	list_del(&c->node);
}

/* the VRF goes away: entries that linger for it are removed from forwarding now */
void labels_drop_vrf(struct labels *l, const char *vrf);

/* walks for show: ascending by label; resumable */
struct label_binding *labels_after(struct labels *l, int64_t label);	/* -1: the first */
const char *label_state_str(enum label_state s);
enum label_scope label_scope(const struct label_key *k);
const char *label_scope_str(uint8_t scope);
const char *label_pool_str(enum label_pool p);
const char *label_key_str(const struct label_key *k, char *buf, size_t size);
struct labels_stats {
	uint32_t used, lingering, quarantined, reserved, waiting;
	struct { uint32_t from, to, taken, waiting; } pool[LABEL_POOLS];	/* 0, 0: none of its own */
};
void labels_stats(const struct labels *l, struct labels_stats *s);
/* Reservations by name, then those of the kernel by number: resumable; false: no more. All zero begins. */
struct labels_reserved {
	char name[32];
	uint32_t from, to;
};
bool labels_reserved_next(const struct labels *l, struct labels_reserved *at);

#endif
