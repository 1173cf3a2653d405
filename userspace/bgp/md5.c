// SPDX-License-Identifier: GPL-2.0
/*
 * Passwords that differ (RFC 2385): the kernel drops what is signed wrongly and tells nobody but its counters, which
 * are the same for all VRFs. While they grow, neighbours without a session are those whom it may be about: it is said
 * once for each, until its session has been there. Contracts in peer.h.
 */
#include "bgp/event.h"
#include "bgp/peer.h"

static bool waits(const struct bgp_peer *p)
{
	return !p->up && !p->conf.shutdown && !p->limited && p->session;
}

static void tell(struct bgp_peer *p, uint64_t wrong, uint64_t unexpected)
{
	uint64_t n = p->conf.password[0] ? wrong : unexpected;

	if (!n || p->md5_told)
		return;
	p->md5_told = true;
	bgp_happened(LOG_LEVEL_WARNING, p->name, "no session, and %llu TCP segments were dropped for %s",
		     (unsigned long long)n, p->conf.password[0] ?
		     "a wrong or missing MD5 signature: is the password the same on both sides?" :
		     "an MD5 signature that is not expected: has the neighbor a password?");
}

void bgp_md5_check(struct bgp *b)
{
	struct tcp_md5_drops now;
	struct bgp_peer *p;
	bool any = false;

	list_for_each(p, &b->peers, struct bgp_peer, node) {
		any |= waits(p);
		p->md5_told &= !p->up;
	}
	if (!any || !tcp_md5_drops(&now)) {
		b->md5_known = false;
		return;
	}
	if (b->md5_known && (now.wrong != b->md5_drops.wrong || now.unexpected != b->md5_drops.unexpected)) {
		list_for_each(p, &b->peers, struct bgp_peer, node)
			if (waits(p))
				tell(p, now.wrong - b->md5_drops.wrong, now.unexpected - b->md5_drops.unexpected);
	}
	b->md5_known = true;
	b->md5_drops = now;
}
