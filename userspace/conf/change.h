/* SPDX-License-Identifier: GPL-2.0 */
/*
 * change - the difference between two configuration trees, and telling subscribers. Internal to conf.
 */
#ifndef CONF_CHANGE_H
#define CONF_CHANGE_H

#include "conf/conf.h"

struct conf_sub {
	struct conf_subscriber sub;
	const struct lysc_node *schema;
	unsigned int order;		/* of subscription: breaks ties of prio */
	struct conf_sub *next;
};

/*
 * Same values below both nodes. Values count, not whether they are defaults; in an ordered-by-user list places
 * count too. set_only: nodes that are only there by default are not looked at.
 */
bool conf_equal(const struct lyd_node *a, const struct lyd_node *b, bool set_only);
bool conf_trees_equal(const struct lyd_node *a, const struct lyd_node *b, bool set_only);

/* Calls change() of each for what differs between two validated trees, in the order that conf.h promises. */
void conf_dispatch(const struct conf_sub *subs, const struct lyd_node *old, const struct lyd_node *now);

#endif
