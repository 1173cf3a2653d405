/* SPDX-License-Identifier: GPL-2.0 */
/* random_tree - configurations made at random from the schema alone, for round trips. */
#ifndef CONF_TESTS_RANDOM_TREE_H
#define CONF_TESTS_RANDOM_TREE_H

#include <libyang/libyang.h>
#include <stdint.h>

struct random_source {
	uint64_t state;
};

/* RANDOM_SEED of the environment, or the clock; printed. */
void random_seed(struct random_source *r);
uint32_t random_below(struct random_source *r, uint32_t n);
/*
 * A tree that has what is mandatory, types right, and no more: leafrefs may dangle. density: chance of an
 * optional node, of 100.
 */
struct lyd_node *random_tree(const struct ly_ctx *ctx, struct random_source *r, unsigned int density);

#endif
