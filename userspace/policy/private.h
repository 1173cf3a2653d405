/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of this room share: a policy as compiled. */
#ifndef L3VPN_POLICY_PRIVATE_H
#define L3VPN_POLICY_PRIVATE_H

#include "lib/hash.h"
#include "policy/policy.h"
#include "policy/set.h"

#define POLICY_MEMO 256

/* A set by name: stays while it is configured or a policy asks it; set NULL: not configured. */
struct named_set {
	struct hash_node node;		/* in policies.sets */
	struct policies *ps;
	enum set_kind kind;
	char *name;
	struct set *set;
	unsigned int refs;		/* of programs, and one of the configuration */
};

struct comparison {
	bool has_eq, has_ge, has_le;
	uint32_t eq, ge, le;
};

/* A community condition of one kind: sets or NULL, references */
struct ask {
	struct named_set *set[SET_WITHIN + 1];		/* by enum set_how */
};

enum { STATEMENT_ASKS = SET_KINDS - SET_COMMUNITY };

/* Everything that is set has to hold. */
struct conditions {
	struct named_set *prefix, *path, *next_hop;	/* references, or NULL */
	struct ask ask[STATEMENT_ASKS];			/* by kind - SET_COMMUNITY */
	struct comparison path_length, med, local_pref;
	bool has_origin, has_type;
	uint8_t origin, type;
	uint8_t family;					/* 0: any */
	unsigned int n_rds;
	struct rd *rds;
};

/* Applied in this order: delete, then replace, then add. */
struct community_change {
	bool delete_all;
	struct named_set *del, *replace, *add;		/* references, or NULL */
};

enum med_change { MED_KEEP, MED_SET, MED_ADD, MED_SUBTRACT };
enum prepend { PREPEND_NONE, PREPEND_AS, PREPEND_OWN, PREPEND_RECENT };

struct changes {
	bool has_local_pref, has_origin;
	uint8_t origin;
	uint32_t local_pref;
	enum med_change med_change;
	uint32_t med;
	enum policy_next_hop next_hop;
	struct ip_addr address;				/* POLICY_NEXT_HOP_ADDRESS */
	enum prepend prepend;
	uint32_t prepend_as;
	uint8_t prepend_count;
	struct community_change community[STATEMENT_ASKS];	/* by kind - SET_COMMUNITY */
};

enum policy_action { POLICY_ACCEPT, POLICY_REJECT, POLICY_NEXT };

struct statement {
	uint32_t number;
	struct conditions match;
	struct changes set;
	enum policy_action action;
};

struct program {
	bool by_prefix;
	unsigned int n;
	struct statement *statement;	/* by number */
};

/* What came of equal routes before. */
struct policy_memo {
	struct attrs *in;		/* reference, or NULL: empty */
	uint32_t own_as;
	uint8_t type, family;
	bool accepted;
	struct policy_result out;	/* a reference in it when accepted */
};

struct policy {
	struct hash_node node;		/* in policies.all */
	struct policies *ps;
	char *name;
	unsigned int refs;		/* of users, and one of the configuration */
	struct program *program;	/* NULL: not configured any more */
	struct policy_memo *memo;	/* POLICY_MEMO of them, NULL until needed */
	bool changed;			/* watchers have not heard yet */
};

struct policies {
	struct conf *conf;
	struct jobs *jobs;
	struct job job;			/* tells watchers */
	struct hash sets, all;
	struct list watches;
};

/* compile.c: NULL: *err says why. It takes references to named sets; one that is not there is empty. */
struct program *program_new(struct policies *ps, const struct lyd_node *entry, struct conf_error *err);
void program_free(struct program *g);
bool program_asks(const struct program *g, const struct named_set *s);

/* config.c */
struct named_set *named_set_get(struct policies *ps, enum set_kind kind, const char *name);
void named_set_put(struct named_set *s);

/* run.c */
void policy_forget(struct policy *p);	/* what came of routes before */

#endif
