/* SPDX-License-Identifier: GPL-2.0 */
/* refs - leafrefs to the names of top-level lists (interface -> VRF), checked with an index. Internal to conf. */
#ifndef CONF_REFS_H
#define CONF_REFS_H

#include "conf/conf.h"

struct conf_refs;

/*
 * Takes the check of these leafrefs over from libyang, whose search is linear for each of them: thousands of
 * ports in thousands
 * of VRFs would hold up every commit for seconds. Leafrefs of rpcs stay libyang's. When all modules are loaded.
 */
struct conf_refs *conf_refs_new(const struct ly_ctx *ctx);
void conf_refs_free(struct conf_refs *refs);
/* Every such leafref of the tree names an entry that is there. */
bool conf_refs_check(const struct conf_refs *refs, const struct lyd_node *tree, struct conf_error *err);

#endif
