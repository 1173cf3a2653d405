// SPDX-License-Identifier: GPL-2.0
/*
 * Graceful shutdown of sessions (RFC 8326): before a link is taken out of service its routes are told as the last
 * ones to be used, so that traffic has gone elsewhere when the session ends. Contracts in peer.h and group.h.
 */
#include <stdlib.h>
#include <string.h>

#include "bgp/group.h"
#include "lib/log.h"
#include "lib/mem.h"

static const uint8_t mark[4] = { 0xff, 0xff, 0, 0 };	/* GRACEFUL_SHUTDOWN */

static bool marked(const uint8_t *communities, uint16_t len)
{
	for (; len >= 4; communities += 4, len -= 4) {
		if (!memcmp(communities, mark, 4))
			return true;
	}
	return false;
}

/* The same with the mark, and the least preference where @lower; without memory, or room, for the mark: without it. */
static struct attrs *intern_marked(struct attrs_builder *b, bool lower)
{
	uint16_t len = b->part[ATTRS_COMMUNITY].len;
	uint8_t *all = NULL;
	struct attrs *a;

	if (lower) {
		b->f.flags |= ATTRS_HAS_LOCAL_PREF;
		b->f.local_pref = 0;
	}
	if (!marked(b->part[ATTRS_COMMUNITY].data, len) && len <= UINT16_MAX - 4) {
		all = xmalloc(len + 4u);
		if (len)
			memcpy(all, b->part[ATTRS_COMMUNITY].data, len);
		memcpy(all + len, mark, 4);
		b->part[ATTRS_COMMUNITY].data = all;
		b->part[ATTRS_COMMUNITY].len = len + 4;
	}
	a = attrs_intern(b);
	free(all);
	return a;
}

struct attrs *bgp_maintenance_in(const struct bgp_peer *p, struct attrs *a)
{
	struct attrs_builder b;
	const uint8_t *all;
	struct attrs *out;
	uint16_t len;

	if (!p->conf.maintenance && bgp_peer_internal(p))
		return a;
	all = attrs_part(a, ATTRS_COMMUNITY, &len);
	if (!p->conf.maintenance && !marked(all, len))
		return a;
	attrs_to_builder(a, &b);
	out = intern_marked(&b, true);
	if (!out)
		return a;
	attrs_put(a);
	return out;
}

struct attrs *bgp_maintenance_out(const struct bgp_group *g, struct attrs_builder *b)
{
	return intern_marked(b, g->key.internal);
}

void bgp_maintenance_changed(struct bgp_peer *p)
{
	log_notice("bgp", "%s: graceful maintenance %s", p->name, p->conf.maintenance ? "begins" : "is over");
	for (int f = 0; f < BGP_FAMILIES; f++) {
		struct bgp_peer_family *pf = &p->family[f];

		/* a session that cannot refresh is not reset for this: it is about to end, or to be used again */
		if (pf->active && p->info.agreed.refresh)
			bgp_session_refresh(p->session, pf->family);
		else if (pf->active)
			log_notice("bgp", "%s: what it told before stays as it is: it cannot refresh its routes",
				   p->name);
	}
}
