// SPDX-License-Identifier: GPL-2.0
/*
 * Graceful restart (RFC 3478). Ours: forwarding went on while no daemon ran, and the label manager kept FECs and their
 * labels. A FEC's entry is left as it is until a neighbour has told the label for it again; then it is programmed, with
 * the label that it had, and advertised. When all neighbours told everything (End-of-LIB), or the holding time is
 * over, the rest is decided without them. Theirs: what a neighbour told is kept, as stale, until it is back and has
 * told it again, or the time is over.
 */
#include "ldp/private.h"
#include "lib/log.h"
#include "lib/mem.h"

#define SETTLE_MS 100

/* ---- our restart ---- */

static void finish(struct ldp *l, const char *why)
{
	timer_stop(&l->holding);
	timer_stop(&l->settle);
	if (!l->restarting)
		return;
	l->restarting = false;
	if (l->running) {
		log_notice("ldp", "graceful restart is over: %s", why);
		fec_mark_all(l);
	}
	/* what is decided now goes to forwarding before the rest of it is swept */
	timer_start(&l->settle, SETTLE_MS);
}

/* Every interface that has LDP has found its neighbours, and they told all. One that restarts too is not waited for. */
static bool complete(const struct ldp *l)
{
	const struct ldp_peer *p;
	int afi;

	if (list_empty(&l->peers) || jobs_clock_us(l->env.jobs) < l->quiet_us)
		return false;
	list_for_each(p, &l->peers, struct ldp_peer, node) {
		if (!peer_up(p))
			return false;
		if (p->recovering)
			continue;
		for (afi = 0; afi < AFI_MAX; afi++)
			if (p->family[afi] && !p->end_of_lib[afi])
				return false;
	}
	return true;
}

static void on_settle(struct timer *t)
{
	struct ldp *l = container_of(t, struct ldp, settle);

	if (l->restarting) {
		if (complete(l))
			finish(l, "every neighbor told its labels");
		else
			timer_start(t, SETTLE_MS);
		return;
	}
	if (jobs_pending(l->env.jobs) || (l->opt.settled && !l->opt.settled(l->opt.arg))) {
		timer_start(t, SETTLE_MS);
		return;
	}
	if (l->opt.restart_done)
		l->opt.restart_done(l->opt.arg);
}

static void on_holding(struct timer *t)
{
	finish(container_of(t, struct ldp, holding), "the holding time is over");
}

void restart_begin(struct ldp *l)
{
	timer_init(&l->holding, l->env.jobs, on_holding);
	timer_init(&l->settle, l->env.jobs, on_settle);
	l->restarting = l->opt.restarting;
}

/* Neighbours whose Hellos have not come yet are not known: they get the time of three Hellos. */
void restart_configured(struct ldp *l)
{
	uint32_t ms = l->set.gr_holding * 1000u;

	if (!l->restarting)
		return;
	if (!l->set.graceful) {
		finish(l, "it is not configured");
		return;
	}
	l->quiet_us = jobs_clock_us(l->env.jobs) + l->set.hello_interval * 1000000ull;
	l->holding_ends_us = jobs_clock_us(l->env.jobs) + ms * 1000ull;
	timer_start(&l->holding, ms);
	timer_start(&l->settle, SETTLE_MS);
}

void restart_stop(struct ldp *l)
{
	timer_stop(&l->holding);
	timer_stop(&l->settle);
}

uint32_t restart_recovery_ms(const struct ldp_peer *p)
{
	const struct ldp *l = p->ldp;
	uint64_t now = jobs_clock_us(l->env.jobs);

	if (!l->set.graceful)
		return 0;
	if (l->restarting)
		return l->holding_ends_us > now ? (l->holding_ends_us - now) / 1000 : 0;
	/* the session alone was lost: labels and forwarding stand as they were */
	return p->sessions ? l->set.gr_holding * 1000u : 0;
}

void restart_check(struct ldp *l)
{
	if (l->restarting && l->running && !timer_running(&l->settle))
		timer_start(&l->settle, SETTLE_MS);
}

/* ---- a neighbour's restart ---- */

static void give_up(struct ldp_peer *p, const char *why)
{
	bool up = peer_up(p);

	timer_stop(&p->gr_timer);
	if (p->gr == LDP_GR_NONE)
		return;
	log_notice("ldp", "%s: its stale labels are removed: %s", p->name, why);
	p->gr = LDP_GR_NONE;
	if (up) {
		fec_sweep(p, FEC_DROP_STALE);
		return;
	}
	fec_sweep(p, FEC_FORGET);
	peer_forget_addresses(p);
	peer_update(p);
}

static void on_gr(struct timer *t)
{
	struct ldp_peer *p = container_of(t, struct ldp_peer, gr_timer);

	give_up(p, p->gr == LDP_GR_AWAY ? "it did not come back in time" : "it did not tell them again in time");
}

/* It has told nothing for so long that there is nothing more; or it knows no End-of-LIB. */
static void on_silence(struct timer *t)
{
	struct ldp_peer *p = container_of(t, struct ldp_peer, lib_timer);

	p->end_of_lib[AFI4] = p->end_of_lib[AFI6] = true;
	restart_helper_told(p);
}

void restart_helper_heard(struct ldp_peer *p)
{
	if (timer_running(&p->lib_timer))
		timer_start(&p->lib_timer, LDP_LIB_MS);
}

void restart_helper_init(struct ldp_peer *p)
{
	timer_init(&p->gr_timer, p->ldp->env.jobs, on_gr);
	timer_init(&p->lib_timer, p->ldp->env.jobs, on_silence);
}

void restart_helper_stop(struct ldp_peer *p)
{
	timer_stop(&p->lib_timer);
	timer_stop(&p->gr_timer);
	p->gr = LDP_GR_NONE;
}

bool restart_helper_down(struct ldp_peer *p, bool lost)
{
	uint32_t ms = p->reconnect_ms, most = p->ldp->set.gr_liveness * 1000u;

	timer_stop(&p->lib_timer);
	if (!lost || !p->graceful || !p->ldp->set.graceful || !ms || !p->ldp->running) {
		restart_helper_stop(p);
		return false;
	}
	p->gr = LDP_GR_AWAY;
	if (ms > most)
		ms = most;
	log_notice("ldp", "%s: its labels are kept for %u seconds", p->name, ms / 1000);
	timer_start(&p->gr_timer, ms);
	return true;
}

void restart_helper_init_msg(struct ldp_peer *p, const struct ldp_msg *init)
{
	p->graceful = init->have & LDP_HAVE_FT && init->ft_flags & LDP_FT_LEARN;
	p->reconnect_ms = p->graceful ? init->ft_reconnect_ms : 0;
	p->recovery_ms = p->graceful ? init->ft_recovery_ms : 0;
	/* at its first session with us it tells this only when it restarts (RFC 3478 section 2) */
	p->recovering = p->recovery_ms && !p->sessions;
}

void restart_helper_up(struct ldp_peer *p)
{
	uint32_t ms = p->recovery_ms, most = p->ldp->set.gr_recovery * 1000u;

	timer_start(&p->lib_timer, LDP_LIB_MS);
	if (p->gr == LDP_GR_NONE)
		return;
	if (!p->graceful || !ms) {
		give_up(p, "it did not keep its forwarding state");
		return;
	}
	p->gr = LDP_GR_RECOVERING;
	/* addresses that it has no more are not told as withdrawn: it tells all that it has */
	timer_start(&p->gr_timer, ms < most ? ms : most);
}

void restart_helper_told(struct ldp_peer *p)
{
	timer_stop(&p->lib_timer);
	if (p->gr == LDP_GR_RECOVERING)
		give_up(p, "it told all its labels");
	restart_check(p->ldp);
}

const char *restart_helper_str(const struct ldp_peer *p)
{
	static const char *const names[] = { [LDP_GR_NONE] = "helper", [LDP_GR_AWAY] = "stale",
					     [LDP_GR_RECOVERING] = "recovering" };

	return p->gr == LDP_GR_NONE && !(p->graceful && p->ldp->set.graceful) ? "no" : names[p->gr];
}
