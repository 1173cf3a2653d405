/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sets that statements of policies ask: prefixes, expressions over AS paths, communities of three kinds. Compiled from
 * one entry of the configuration's list, then immutable. Main thread only.
 *
 *   prefix-set           prefix, and the lengths within it (RFC 4271: of NLRI; also of next hops)
 *   as-path-set          POSIX extended expressions over the path's text, `_` standing for a border between numbers
 *   community-set        RFC 1997: NUMBER, *, or [A..B] for each half, or a well-known name
 *   extcommunity-set     RFC 4360: route targets and sites of origin, likewise
 *   large-community-set  RFC 8092, likewise for each of three parts
 */
#ifndef L3VPN_POLICY_SET_H
#define L3VPN_POLICY_SET_H

#include "conf/conf.h"
#include "rib/attrs.h"

enum set_kind { SET_PREFIX, SET_AS_PATH, SET_COMMUNITY, SET_EXT, SET_LARGE, SET_KINDS };

/* How a set of communities is asked. */
enum set_how {
	SET_ANY,		/* one of the route's is in the set */
	SET_EVERY,		/* each entry of the set fits one of the route's */
	SET_WITHIN,		/* all of the route's are in the set, and there is one */
};

struct set;

/* The list's name in the configuration: "prefix-set". */
const char *set_kind_name(enum set_kind kind);
/* NULL: *err says what is wrong with the entry. */
struct set *set_new(enum set_kind kind, const struct lyd_node *entry, struct conf_error *err);
/* One expression, or one entry of a set of communities (an extended one is a route target). NULL: @why tells. */
struct set *set_of_text(enum set_kind kind, const char *text, char *why, size_t size);
/* "no-export", or NULL: of RFC 1997 and others, host order */
const char *set_community_name(uint32_t community);
void set_free(struct set *s);		/* NULL is fine */

/* NULL for a set is one that is not there any more: nothing matches. */
bool set_has_prefix(const struct set *s, const struct prefix *p);
bool set_has_path(struct set *s, struct attrs *a);
/* @elements: as in attrs, of the set's kind */
bool set_matches(const struct set *s, enum set_how how, const uint8_t *elements, uint16_t len);
bool set_has(const struct set *s, const uint8_t *element);
/* The set's own elements, as in attrs, sorted; NULL, *len 0: none, or some entry is no single one. */
const uint8_t *set_elements(const struct set *s, uint16_t *len);
/* extcommunity-set: the subtypes (RFC 4360 section 4 and 5) that it has elements of, as 1 << subtype */
uint32_t set_subtypes(const struct set *s);

#endif
