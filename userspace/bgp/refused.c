// SPDX-License-Identifier: GPL-2.0
/* Routes that were not taken: counters by reason, and a ring of the last ones. Contracts in peer.h. */
#include <stdlib.h>
#include <string.h>

#include "bgp/peer.h"
#include "lib/mem.h"

struct bgp_refusals {
	unsigned int next, n;
	struct bgp_refusal kept[BGP_REFUSED_KEPT];
};

const char *bgp_refused_str(enum bgp_refused why)
{
	static const char *const texts[BGP_REFUSALS] = {
		[BGP_REFUSED_LOOP] = "our AS is in its path",
		[BGP_REFUSED_ORIGINATOR] = "we are its originator",
		[BGP_REFUSED_CLUSTER] = "we are in its cluster list",
		[BGP_REFUSED_NEXT_HOP] = "its next hop is ours",
		[BGP_REFUSED_LABEL] = "its label is reserved",
		[BGP_REFUSED_LENGTH] = "its attributes are too long to keep",
		[BGP_REFUSED_SITE] = "it comes from the site itself",
		[BGP_REFUSED_TARGETS] = "its route targets are imported nowhere",
		[BGP_REFUSED_LIMIT] = "the maximum of routes is reached",
		[BGP_REFUSED_POLICY] = "rejected by policy",
		[BGP_REFUSED_NO_POLICY] = "there is no policy for it",
	};

	return texts[why];
}

void bgp_refuse(struct bgp_peer_family *pf, enum bgp_refused why, const struct rd *rd, const struct prefix *p)
{
	struct bgp_refusals *r = pf->last_refused;
	struct bgp_refusal *e;

	pf->refused[why]++;
	if (!r)
		r = pf->last_refused = xcalloc(1, sizeof(*r));
	e = &r->kept[r->next];
	r->next = (r->next + 1) % BGP_REFUSED_KEPT;
	r->n += r->n < BGP_REFUSED_KEPT;
	memset(e, 0, sizeof(*e));
	if (rd)
		e->rd = *rd;
	e->prefix = *p;
	e->why = why;
	e->when = clock_seconds();
}

bool bgp_refusal_at(const struct bgp_peer_family *pf, unsigned int i, struct bgp_refusal *out)
{
	const struct bgp_refusals *r = pf->last_refused;

	if (!r || i >= r->n)
		return false;
	*out = r->kept[(r->next + BGP_REFUSED_KEPT - 1 - i) % BGP_REFUSED_KEPT];
	return true;
}

void bgp_refusals_forget(struct bgp_peer_family *pf)
{
	memset(pf->refused, 0, sizeof(pf->refused));
	free(pf->last_refused);
	pf->last_refused = NULL;
}
