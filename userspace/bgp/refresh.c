// SPDX-License-Identifier: GPL-2.0
/*
 * Enhanced route refresh (RFC 7313), as receiver: between its two marks a peer tells all that it has of a family; what
 * it did not mention is gone. Contracts in peer.h; as sender, see group.c.
 */
#include "bgp/event.h"
#include "bgp/peer.h"
#include "lib/mem.h"

void bgp_swept(struct rib_source *s)
{
	struct bgp_peer_family *pf = container_of(s, struct bgp_peer_family, source);

	pf->marks = 0;
	if (pf->family == BGP_RTC)
		bgp_rtc_again(pf->peer);
}

static void end(struct bgp_peer_family *pf, const char *why)
{
	timer_stop(&pf->refresh_timer);
	pf->refreshing_in = false;
	bgp_happened(LOG_LEVEL_INFO, pf->peer->name, "refresh of %s is over%s", bgp_family_name(pf->family), why);
	rib_source_sweep(&pf->source, bgp_swept);
}

static void overdue(struct timer *t)
{
	struct bgp_peer_family *pf = container_of(t, struct bgp_peer_family, refresh_timer);

	if (pf->refreshing_in)
		end(pf, ": the peer did not say so within the stale path time");
}

void bgp_refresh_init(struct bgp_peer_family *pf)
{
	timer_init(&pf->refresh_timer, pf->peer->bgp->env.jobs, overdue);
}

/* Once more before the end: what came since the first time is what the peer has now; the time runs anew. */
static void begin(struct bgp_peer_family *pf)
{
	struct bgp_peer *p = pf->peer;

	if (p->info.peer.caps.gr && !pf->eor_received) {
		bgp_happened(LOG_LEVEL_ERR, p->name,
			     "beginning of a refresh of %s ignored: End-of-RIB did not come yet",
			     bgp_family_name(pf->family));
		return;
	}
	if (!pf->refreshing_in && pf->marks == BGP_MARKS_MAX) {
		bgp_happened(LOG_LEVEL_ERR, p->name,
			     "beginning of a refresh of %s ignored: too many, one after the other",
			     bgp_family_name(pf->family));
		return;
	}
	if (!pf->refreshing_in) {
		rib_source_stale(&pf->source);
		pf->marks++;
	}
	pf->refreshing_in = true;
	timer_start(&pf->refresh_timer, p->bgp->gr_stale * 1000ull);
	bgp_happened(LOG_LEVEL_INFO, p->name, "refresh of %s begins", bgp_family_name(pf->family));
}

void bgp_refresh_received(struct bgp_peer_family *pf, enum bgp_refresh what)
{
	/* nothing of a disabled family is known */
	if (!pf->active || pf->disabled || !pf->has_source)
		return;
	if (what == BGP_REFRESH_BEGIN)
		begin(pf);
	else if (pf->refreshing_in)
		end(pf, "");
	else
		bgp_happened(LOG_LEVEL_INFO, pf->peer->name, "end of a refresh of %s ignored: none is under way",
			     bgp_family_name(pf->family));
}

void bgp_refresh_stop(struct bgp_peer_family *pf)
{
	timer_stop(&pf->refresh_timer);
	pf->refreshing_in = false;
}
