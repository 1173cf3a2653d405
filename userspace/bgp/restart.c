// SPDX-License-Identifier: GPL-2.0
/*
 * Graceful restart, RFC 4724 and 4781. Ours: after a restart of the daemon nothing is announced
 * until every peer that was there told all it knows (End-of-RIB), or the deferral ends; then
 * the tables are complete, what is stale in forwarding may go, and peers get what we have. The
 * peers': their routes are kept, as stale, until they are back or the time is over.
 * Contracts in peer.h.
 */
#include "bgp/peer.h"
#include "lib/log.h"
#include "lib/mem.h"

#define SETTLE_MS 100
#define FIRST_LOOK_MS 1000
#define DEFERRAL_MS 120000

/* ---- our restart ---- */

static void finish(struct bgp *b, const char *why)
{
	struct bgp_peer *p;

	timer_stop(&b->restart_timer);
	timer_stop(&b->settle_timer);
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
		if (p->conf.shutdown)
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
	b->restarting = b->opt.restarting;
	/*
	 * The configuration, which may say another time, restarts the first; without peers in it
	 * the second ends the restart.
	 */
	if (b->restarting) {
		timer_start(&b->restart_timer, DEFERRAL_MS);
		timer_start(&b->settle_timer, FIRST_LOOK_MS);
	}
}

void bgp_restart_stop(struct bgp *b)
{
	timer_stop(&b->restart_timer);
	timer_stop(&b->settle_timer);
}

/* ---- a peer's restart ---- */

static void drop_stale(struct bgp_peer *p, const char *why)
{
	for (int f = 0; f < BGP_FAMILIES; f++) {
		struct bgp_peer_family *pf = &p->family[f];

		if (!pf->stale)
			continue;
		log_notice("bgp", "%s: stale routes of %s removed: %s", p->name,
			   bgp_family_name(f), why);
		pf->stale = false;
		rib_source_sweep(&pf->source, NULL);
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

void bgp_helper_down(struct bgp_peer *p, bool lost)
{
	const struct bgp_caps *c = &p->info.peer.caps;
	bool keep = lost && p->bgp->gr_enabled && p->info.agreed.gr, any = false;

	for (int f = 0; f < BGP_FAMILIES; f++) {
		struct bgp_peer_family *pf = &p->family[f];

		if (!pf->has_source)
			continue;
		if (keep && c->gr_family[f] && p->info.agreed.family[f]) {
			/* what was stale already: RFC 4724 4.2, consecutive restarts */
			if (pf->stale)
				rib_source_sweep(&pf->source, NULL);
			rib_source_stale(&pf->source);
			pf->stale = true;
			any = true;
		} else {
			pf->stale = false;
			rib_source_flush(&pf->source, NULL);
		}
	}
	if (!any) {
		timer_stop(&p->gr_timer);
		return;
	}
	log_notice("bgp", "%s: its routes are kept for %u seconds", p->name, c->gr_time);
	timer_start(&p->gr_timer, c->gr_time * 1000ull);
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
			log_notice("bgp", "%s: did not keep its %s forwarding state", p->name,
				   bgp_family_name(f));
			pf->stale = false;
			rib_source_sweep(&pf->source, NULL);
		} else {
			any = true;
		}
	}
	timer_stop(&p->gr_timer);
	if (any)
		timer_start(&p->gr_timer, p->bgp->gr_stale * 1000ull);
}

void bgp_helper_eor(struct bgp_peer_family *pf)
{
	if (!pf->stale)
		return;
	pf->stale = false;
	rib_source_sweep(&pf->source, NULL);
}
