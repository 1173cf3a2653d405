/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is said of a neighbour, by itself or by the neighbor-groups that it uses: a leaf that it lacks comes from its
 * group, and from the group's own group after that. Only what was typed counts; a schema's default comes last.
 */
#ifndef L3VPN_BGP_INHERIT_H
#define L3VPN_BGP_INHERIT_H

#include "conf/conf.h"

#define INHERIT_DEPTH 3		/* neighbour, group, group of the group */

/* Borrowed from a tree; valid as long as that. */
struct inherit {
	unsigned int n;
	const struct lyd_node *node[INHERIT_DEPTH];	/* the neighbour first */
};

/* The group of that name, NULL: none. @bgp: the instance's container. */
const struct lyd_node *inherit_group(const struct lyd_node *bgp, const char *name);
/*
 * @node: a neighbour of the provider's or of a VRF, or a group. False: a group is not configured, or groups use each
 * other deeper than INHERIT_DEPTH; *err says it.
 */
bool inherit_resolve(const struct lyd_node *node, struct inherit *i, struct conf_error *err);

/* rel: as in conf.h. The node that counts, if any says it; *from (may be NULL): the neighbour or group which does. */
const struct lyd_node *inherit_find(const struct inherit *i, const char *rel, const struct lyd_node **from);
bool inherit_exists(const struct inherit *i, const char *rel);
const char *inherit_str(const struct inherit *i, const char *rel, const char *dflt);
uint32_t inherit_u32(const struct inherit *i, const char *rel, uint32_t dflt);
bool inherit_flag(const struct inherit *i, const char *rel);	/* a boolean or empty leaf; absent: false */

/*
 * Calls @fn for every leaf that a neighbour has, in the schema's order: what it is, with defaults. @from: the neighbour
 * or group that says it, NULL: the schema.
 */
void inherit_each(const struct inherit *i,
		  void (*fn)(const char *rel, const struct lyd_node *leaf, const char *value,
			     const struct lyd_node *from, void *arg),
		  void *arg);

#endif
