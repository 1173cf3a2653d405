// SPDX-License-Identifier: GPL-2.0
/*
 * Graceful restart, RFC 4724, 4781 and 8538. Ours: after a restart of the daemon nothing is announced
 * until every peer that was there told all it knows (End-of-RIB), or the deferral ends; then
 * the tables are complete, what is stale in forwarding may go, and peers get what we have. The
 * peers': their routes are kept, as stale, until they are back or the time is over.
 * Contracts in peer.h.
 */
#include "bgp/event.h"
#include "bgp/peer.h"
#include "lib/log.h"
#include "lib/mem.h"

#define SETTLE_MS 100
#define FIRST_LOOK_MS 1000
#define DEFERRAL_MS 120000
#define MEMBERSHIPS_MS 30000	/* less than others wait for them (RFC 4684 section 6) */

/* ---- our restart ---- */

static bool passes_memberships_on(const struct bgp *b)
{
	struct bgp_peer *p;

	list_for_each(p, &b->peers, struct bgp_peer, node)
		if (p->conf.af[BGP_RTC].on && (p->conf.af[BGP_RTC].route_reflector_client || !bgp_peer_internal(p)))
			return true;
	return false;
}

/* All that we pass on was told. */
static bool memberships_complete(const struct bgp *b)
{
	struct bgp_peer *p;

	if (!passes_memberships_on(b))
		return !list_empty(&b->peers);
	list_for_each(p, &b->peers, struct bgp_peer, node) {
		const struct bgp_peer_family *pf = &p->family[BGP_RTC];

		if (p->conf.shutdown || !p->conf.af[BGP_RTC].on)
			continue;
		if (!p->up)
			return false;
		if (pf->active && !pf->eor_received && !p->info.peer.caps.gr_restarting)
			return false;
	}
	return true;
}

/*
 * Memberships are no routes that forwarding follows, and peers tell us no VPN routes before they have ours: they
 * do not wait for the end of the restart, but for each other.
 */
static void tell_memberships(struct bgp *b)
{
	struct bgp_peer *p;

	timer_stop(&b->memberships_timer);
	b->memberships_known = true;
	list_for_each(p, &b->peers, struct bgp_peer, node)
		if (p->up)
			bgp_groups_join(p);
}

static void memberships_fn(struct timer *t)
{
	tell_memberships(container_of(t, struct bgp, memberships_timer));
}

bool bgp_restart_may_tell(const struct bgp *b, enum bgp_family f)
{
	return !b->restarting || (f == BGP_RTC && b->memberships_known);
}

static void finish(struct bgp *b, const char *why)
{
	struct bgp_peer *p;

	timer_stop(&b->restart_timer);
	timer_stop(&b->settle_timer);
	timer_stop(&b->memberships_timer);
	b->restarting = false;
	log_notice("bgp", "graceful restart is over: %s", why);
	bgp_peers_caps(b);
	list_for_each(p, &b->peers, struct bgp_peer, node) {
		if (p->up)
			bgp_groups_join(p);
	}
	if (b->opt.restart_done)
		b->opt.restart_done(b->opt.arg);
}

/* All told us everything. A peer that restarts itself is not waited for (RFC 4724 4.1). */
static bool complete(const struct bgp *b)
{
	struct bgp_peer *p;

	list_for_each(p, &b->peers, struct bgp_peer, node) {
		if (p->conf.shutdown || p->limited)
			continue;
		if (!p->up)
			return false;
		if (!p->info.agreed.gr || p->info.peer.caps.gr_restarting)
			continue;
		for (int f = 0; f < BGP_FAMILIES; f++) {
			const struct bgp_peer_family *pf = &p->family[f];

			if (pf->active && !pf->disabled && !pf->eor_received)
				return false;
		}
	}
	return true;
}

/* Peers are complete: exports and forwarding follow; then it is over. */
static void settle_fn(struct timer *t)
{
	struct bgp *b = container_of(t, struct bgp, settle_timer);

	if (!b->restarting || !complete(b))
		return;
	if (jobs_pending(b->env.jobs) || (b->opt.settled && !b->opt.settled(b->opt.arg)))
		timer_start(&b->settle_timer, SETTLE_MS);
	else
		finish(b, "every peer told its routes");
}

void bgp_restart_check(struct bgp *b)
{
	if (b->restarting && !b->memberships_known && memberships_complete(b))
		tell_memberships(b);
	if (b->restarting && !timer_running(&b->settle_timer) && complete(b))
		timer_start(&b->settle_timer, SETTLE_MS);
}

static void deferral_fn(struct timer *t)
{
	struct bgp *b = container_of(t, struct bgp, restart_timer);

	if (b->restarting)
		finish(b, "not every peer came back in time");
}

void bgp_restart_begin(struct bgp *b)
{
	timer_init(&b->restart_timer, b->env.jobs, deferral_fn);
	timer_init(&b->settle_timer, b->env.jobs, settle_fn);
	timer_init(&b->memberships_timer, b->env.jobs, memberships_fn);
	b->restarting = b->opt.restarting;
	/*
	 * The configuration, which may say another time, restarts the first; without peers in it
	 * the second ends the restart.
	 */
	if (b->restarting) {
		timer_start(&b->restart_timer, DEFERRAL_MS);
		timer_start(&b->settle_timer, FIRST_LOOK_MS);
		timer_start(&b->memberships_timer, MEMBERSHIPS_MS);
	}
}

void bgp_restart_stop(struct bgp *b)
{
	timer_stop(&b->restart_timer);
	timer_stop(&b->settle_timer);
	timer_stop(&b->memberships_timer);
}

/* ---- a peer's restart ---- */

static void drop_stale(struct bgp_peer *p, const char *why)
{
	for (int f = 0; f < BGP_FAMILIES; f++) {
		struct bgp_peer_family *pf = &p->family[f];

		if (!pf->stale)
			continue;
		bgp_happened(LOG_LEVEL_NOTICE, p->name, "stale routes of %s removed: %s", bgp_family_name(f), why);
		pf->stale = false;
		rib_source_sweep(&pf->source, bgp_swept);
	}
}

static void gr_fn(struct timer *t)
{
	struct bgp_peer *p = container_of(t, struct bgp_peer, gr_timer);

	drop_stale(p, p->up ? "the stale path time is over" : "the restart time is over");
}

void bgp_helper_init(struct bgp_peer *p)
{
	timer_init(&p->gr_timer, p->bgp->env.jobs, gr_fn);
}

/* Milliseconds that stale routes may still be kept (RFC 8538 4.1), however often the peer comes and goes. */
static uint64_t stale_left_ms(const struct bgp_peer *p)
{
	uint64_t gone = (jobs_clock_us(p->bgp->env.jobs) - p->stale_since) / 1000, most = p->bgp->gr_stale * 1000ull;

	return gone < most ? most - gone : 0;
}

/* What is stale already goes at a further restart (RFC 4724 4.2), unless RFC 8538 was agreed on (its section 4.1). */
static void mark(struct bgp_peer_family *pf)
{
	if ((pf->stale && !pf->peer->info.agreed.gr_notify) || pf->marks == BGP_MARKS_MAX)
		rib_source_sweep(&pf->source, bgp_swept);
	rib_source_stale(&pf->source);
	pf->marks++;
}

static bool any_stale(const struct bgp_peer *p)
{
	for (int f = 0; f < BGP_FAMILIES; f++)
		if (p->family[f].stale)
			return true;
	return false;
}

void bgp_helper_down(struct bgp_peer *p, bool lost)
{
	const struct bgp_caps *c = &p->info.peer.caps;
	bool keep = lost && p->bgp->gr_enabled && p->info.agreed.gr, any = false;
	uint64_t ms = c->gr_time * 1000ull;

	if (!any_stale(p))
		p->stale_since = jobs_clock_us(p->bgp->env.jobs);
	for (int f = 0; f < BGP_FAMILIES; f++) {
		struct bgp_peer_family *pf = &p->family[f];

		if (!pf->has_source)
			continue;
		if (keep && c->gr_family[f] && p->info.agreed.family[f]) {
			mark(pf);
			pf->stale = true;
			any = true;
		} else {
			pf->stale = false;
			rib_source_flush(&pf->source, bgp_swept);
		}
	}
	if (!any) {
		timer_stop(&p->gr_timer);
		return;
	}
	if (ms > stale_left_ms(p))
		ms = stale_left_ms(p);
	bgp_happened(LOG_LEVEL_NOTICE, p->name, "its routes are kept for %u seconds", (unsigned int)(ms / 1000));
	timer_start(&p->gr_timer, ms);
}

void bgp_helper_up(struct bgp_peer *p)
{
	const struct bgp_caps *c = &p->info.peer.caps;
	bool any = false;

	for (int f = 0; f < BGP_FAMILIES; f++) {
		struct bgp_peer_family *pf = &p->family[f];

		if (!pf->stale)
			continue;
		if (!pf->active || !c->gr || !c->gr_family[f] || !c->gr_forwarding[f]) {
			bgp_happened(LOG_LEVEL_NOTICE, p->name, "did not keep its %s forwarding state",
				     bgp_family_name(f));
			pf->stale = false;
			rib_source_sweep(&pf->source, bgp_swept);
		} else {
			any = true;
		}
	}
	timer_stop(&p->gr_timer);
	if (any)
		timer_start(&p->gr_timer, stale_left_ms(p));
}

void bgp_helper_eor(struct bgp_peer_family *pf)
{
	if (!pf->stale)
		return;
	pf->stale = false;
	rib_source_sweep(&pf->source, bgp_swept);
}
