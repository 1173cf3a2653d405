/* SPDX-License-Identifier: GPL-2.0 */
/* What set.c and set_community.c share. */
#ifndef L3VPN_POLICY_SET_PRIVATE_H
#define L3VPN_POLICY_SET_PRIVATE_H

#include <regex.h>

#include "lib/trie.h"
#include "policy/set.h"

#define SET_MEMO 256		/* paths whose answer is remembered */
#define PATTERN_PARTS 3

/* One entry of a set of communities: ranges of the parts; equal ends where one number was said. */
struct pattern {
	uint32_t low[PATTERN_PARTS], high[PATTERN_PARTS];
	uint8_t subtype;	/* of extended ones; else 0 */
	bool address;		/* extended: the first part is an IPv4 address */
};

struct set_memo {
	struct attrs *attrs;	/* reference, or NULL */
	bool has;
};

struct set {
	enum set_kind kind;
	struct trie prefixes[AFI_MAX];
	unsigned int n;
	/* as-path-set */
	regex_t *regex;
	struct set_memo *memo;	/* SET_MEMO of them */
	/* communities */
	struct pattern *pattern;
	uint8_t *elements;	/* of patterns that are single ones */
	uint16_t elements_len;
	bool single;		/* all are */
	uint32_t subtypes;
};

/* set_community.c: entries of one of the three kinds */
bool set_read_communities(struct set *s, const struct lyd_node *entry, struct conf_error *err);
bool set_read_community(struct set *s, const char *text);
void set_free_communities(struct set *s);

#endif
