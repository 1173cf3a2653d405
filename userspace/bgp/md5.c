// SPDX-License-Identifier: GPL-2.0
/*
 * Passwords that differ (RFC 2385): the kernel drops what is signed wrongly and tells nobody but its counters, which
 * are the same for all VRFs. While they grow, neighbours without a session are those whom it may be about: it is said
 * once for each, until its session has been there. Contracts in peer.h.
 */
#include "bgp/event.h"
#include "bgp/peer.h"

#include <string.h>

enum {
	WRONG = 1,
	MISSING = 2,
	UNEXPECTED = 4,
};

static bool waits(const struct bgp_peer *p)
{
	return !p->up && !p->conf.shutdown && !p->limited && p->session;
}

/* Why @n segments may have been dropped, once for each reason. */
static void tell(struct bgp_peer *p, uint64_t n, uint8_t reason, const char *text)
{
	if (!n || p->md5_told & reason)
		return;
	p->md5_told |= reason;
	bgp_happened(LOG_LEVEL_WARNING, p->name, "no session, and %llu TCP segments %s", (unsigned long long)n, text);
}

static void look_at(struct bgp_peer *p, const struct tcp_md5_drops *since, const struct tcp_md5_drops *now)
{
	if (!waits(p))
		return;
	if (!p->conf.password[0]) {
		tell(p, now->unexpected - since->unexpected, UNEXPECTED,
		     "with an MD5 signature were dropped: has the neighbor a password?");
		return;
	}
	tell(p, now->wrong - since->wrong, WRONG,
	     "were dropped for a wrong MD5 signature: is the password the same on both sides?");
	/* a host that refuses connections does not sign that */
	tell(p, now->missing - since->missing, MISSING,
	     "without MD5 signature were dropped: has the neighbor a password, does BGP run there?");
}

void bgp_md5_check(struct bgp *b)
{
	struct tcp_md5_drops now;
	struct bgp_peer *p;
	bool any = false;

	list_for_each(p, &b->peers, struct bgp_peer, node) {
		any |= waits(p);
		if (p->up)
			p->md5_told = 0;
	}
	if (!any || !tcp_md5_drops(&now)) {
		b->md5_known = false;
		return;
	}
	if (b->md5_known && memcmp(&now, &b->md5_drops, sizeof(now))) {
		list_for_each(p, &b->peers, struct bgp_peer, node)
			look_at(p, &b->md5_drops, &now);
	}
	b->md5_known = true;
	b->md5_drops = now;
}
