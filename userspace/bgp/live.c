// SPDX-License-Identifier: GPL-2.0
/*
 * BFD of a neighbour (rib/liveness.h; RFC 5882 section 10.1): its loss ends the session with Cease/BFD Down (RFC 9384).
 * What its administrator does is no loss. With strict-mode there is no session before BFD is up.
 */
#include "bgp/event.h"
#include "bgp/peer.h"
#include "lib/mem.h"

static bool multihop(const struct bgp_peer_conf *c, bool internal)
{
	return internal ? !c->bfd_single : c->multihop || c->ttl_security > 1;
}

static bool wanted(const struct bgp_peer *p)
{
	return p->conf.bfd_interval_us && !p->conf.shutdown;
}

bool bgp_live_may_start(const struct bgp_peer *p)
{
	if (p->conf.shutdown || p->limited)
		return false;
	return !wanted(p) || !p->conf.bfd_strict || liveness_state(&p->live) == LIVENESS_UP;
}

static void on_change(struct liveness_watch *w, enum liveness_state state, const char *why)
{
	struct bgp_peer *p = container_of(w, struct bgp_peer, live);

	if (!p->session)
		return;
	if (state == LIVENESS_DOWN)
		bgp_happened(LOG_LEVEL_NOTICE, p->name, "BFD down: %s", why ? why : "no reason told");
	if (state == LIVENESS_UP && p->conf.bfd_strict && bgp_live_may_start(p))
		bgp_session_start(p->session);
	else if (state == LIVENESS_DOWN && p->conf.bfd_strict)
		bgp_session_stop(p->session, BGP_CEASE_BFD_DOWN);
	else if (state == LIVENESS_DOWN)
		bgp_session_reset(p->session, BGP_CEASE_BFD_DOWN);
}

void bgp_live_apply(struct bgp_peer *p)
{
	struct liveness *l = rib_liveness(p->bgp->env.rib);
	const struct bgp_peer_conf *c = &p->conf;
	const struct liveness_params params = { .interval_us = c->bfd_interval_us, .multiplier = c->bfd_multiplier };
	struct liveness_key key = liveness_key(p->vrf_id, multihop(c, bgp_peer_internal(p)), &c->peer.addr, &c->source,
					       c->peer.ifname);

	p->live.change = on_change;
	if (!wanted(p))
		liveness_unwatch(l, &p->live);
	else
		liveness_watch(l, &p->live, &key, &params);
}

void bgp_live_end(struct bgp_peer *p)
{
	liveness_unwatch(rib_liveness(p->bgp->env.rib), &p->live);
}
