/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Route targets: extended communities of subtype 2 (RFC 4360 section 4, RFC 5668), their text, and
 * the index from a route target to the VRF tables that import it.
 */
#ifndef L3VPN_VRF_RT_H
#define L3VPN_VRF_RT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/hash.h"
#include "rib/attrs.h"

#define RT_STRLEN 32

struct rt {
	uint8_t b[8];
};

/* forms as of rd_parse(); types 0x00, 0x01, 0x02, subtype 2 */
bool rt_parse(const char *s, struct rt *rt);
const char *rt_str(const struct rt *rt, char buf[RT_STRLEN]);
int rt_cmp(const struct rt *a, const struct rt *b);
bool rt_is_target(const uint8_t ext[8]);	/* is that extended community a route target? */

/* Index: RT -> members. A member is an opaque pointer (an importing VRF table). */
struct rt_index {
	struct hash hash;
};

void rt_index_init(struct rt_index *ix);
void rt_index_fini(struct rt_index *ix);
/* true: it is the first member of that RT, or was the last one */
bool rt_index_add(struct rt_index *ix, const struct rt *rt, void *member);
bool rt_index_del(struct rt_index *ix, const struct rt *rt, void *member);
/* calls fn once for each {RT of @attrs, member}: a member with several matching RTs more than once */
void rt_index_match(const struct rt_index *ix, const struct attrs *attrs,
		    void (*fn)(void *member, const struct rt *rt, void *arg), void *arg);
/* every RT that has a member */
void rt_index_walk(const struct rt_index *ix, void (*fn)(void *arg, const struct rt *rt), void *arg);
bool rt_index_imported(const struct rt_index *ix, const struct rt *rt);
/* has any RT of @attrs a member? */
bool rt_index_wants(const struct rt_index *ix, const struct attrs *attrs);

#endif
