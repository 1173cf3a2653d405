/* SPDX-License-Identifier: GPL-2.0 */
/* fixture - the schema from the files of this tree, for the shell's unit tests. */
#ifndef L3VPNSH_TESTS_FIXTURE_H
#define L3VPNSH_TESTS_FIXTURE_H

#include "l3vpnsh/schema.h"
#include "l3vpnsh/walk.h"

/* The real modules, and test-exec.yang beside them. Aborts when they do not compile. */
struct schema *fixture_schema(void);
/* The candidate of that text; NULL: none. */
const struct cand *fixture_cand(const struct cands *c, const char *text);

#endif
