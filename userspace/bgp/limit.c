// SPDX-License-Identifier: GPL-2.0
/*
 * How many routes of a neighbour's family are taken (maximum-prefix): a warning at the threshold; at the limit the
 * session ends with a Cease that says family and limit (RFC 4486 section 4), or more is refused, or there is another
 * warning. Counted are the routes that the table has. Contracts in peer.h.
 */
#include "bgp/event.h"
#include "bgp/peer.h"
#include "lib/mem.h"

#define MINUTE_MS 60000ull

static const struct bgp_limit *limit_of(const struct bgp_peer_family *pf)
{
	return &pf->peer->conf.af[pf->family].limit;
}

static bool has_route(const struct bgp_peer_family *pf, const struct rd *rd, const struct prefix *p, uint32_t path_id)
{
	struct rib_net *net = rib_find(pf->source.table, rd, p);

	for (struct rib_route *r = net ? rib_routes(net) : NULL; r; r = r->next) {
		if (r->source == &pf->source && r->path_id == path_id)
			return true;
	}
	return false;
}

static void end_session(struct bgp_peer_family *pf)
{
	const struct bgp_limit *l = limit_of(pf);
	uint16_t afi = bgp_family_afi(pf->family);
	struct bgp_peer *p = pf->peer;
	struct bgp_cease c = {
		.subcode = BGP_CEASE_MAX_PREFIX, .len = 7,
		.data = { (uint8_t)(afi >> 8), (uint8_t)afi, bgp_family_safi(pf->family), (uint8_t)(l->most >> 24),
			  (uint8_t)(l->most >> 16), (uint8_t)(l->most >> 8), (uint8_t)l->most },
	};

	if (l->restart)
		bgp_happened(LOG_LEVEL_ERR, p->name, "%s: more than %u routes: the session ends, for %u minutes",
			     bgp_family_name(pf->family), l->most, l->restart);
	else
		bgp_happened(LOG_LEVEL_ERR, p->name, "%s: more than %u routes: the session ends, until `clear bgp`",
			     bgp_family_name(pf->family), l->most);
	p->limited = true;
	if (l->restart)
		timer_start(&p->limit_timer, l->restart * MINUTE_MS);
	if (p->session)
		bgp_session_stop_with(p->session, &c);
}

/* Once, until it is below again. */
static void say_over(struct bgp_peer_family *pf, const char *what)
{
	if (!pf->limit_over)
		bgp_happened(LOG_LEVEL_ERR, pf->peer->name, "%s: more than %u routes: %s", bgp_family_name(pf->family),
			     limit_of(pf)->most, what);
	pf->limit_over = true;
}

bool bgp_limit_takes(struct bgp_peer_family *pf, const struct rd *rd, const struct prefix *p, uint32_t path_id)
{
	const struct bgp_limit *l = limit_of(pf);

	if (!l->most || pf->source.count < l->most || has_route(pf, rd, p, path_id))
		return true;
	if (l->warning_only) {
		say_over(pf, "all are taken");
		return true;
	}
	if (l->discard_extra)
		say_over(pf, "more are refused");
	else
		end_session(pf);
	return false;
}

void bgp_limit_look(struct bgp_peer_family *pf)
{
	const struct bgp_limit *l = limit_of(pf);
	uint64_t warn = (uint64_t)l->most * l->threshold;

	if (!l->most)
		return;
	if (pf->source.count < l->most)
		pf->limit_over = false;
	if (pf->source.count * 100ull < warn || !pf->source.count) {
		pf->limit_warned = false;
	} else if (!pf->limit_warned) {
		pf->limit_warned = true;
		bgp_happened(LOG_LEVEL_WARNING, pf->peer->name, "%s: %u routes, of at most %u",
			     bgp_family_name(pf->family), pf->source.count, l->most);
	}
}

void bgp_limit_changed(struct bgp_peer_family *pf)
{
	const struct bgp_limit *l = limit_of(pf);

	pf->limit_over = false;
	pf->limit_warned = false;
	if (pf->peer->limited)
		bgp_limit_clear(pf->peer);
	/* what was over the old one may fit the new one */
	if (pf->refused[BGP_REFUSED_LIMIT])
		bgp_policy_again(pf);
	bgp_limit_look(pf);
	if (!l->most || pf->source.count <= l->most)
		return;
	if (l->warning_only || l->discard_extra)
		say_over(pf, "those that are there stay");
	else
		end_session(pf);
}

/* ---- the session that is kept down ---- */

static void restart(struct timer *t)
{
	struct bgp_peer *p = container_of(t, struct bgp_peer, limit_timer);

	bgp_happened(LOG_LEVEL_NOTICE, p->name, "the session may start again");
	bgp_limit_clear(p);
}

void bgp_limit_init(struct bgp_peer *p)
{
	timer_init(&p->limit_timer, p->bgp->env.jobs, restart);
}

void bgp_limit_end(struct bgp_peer *p)
{
	timer_stop(&p->limit_timer);
	p->limited = false;
}

void bgp_limit_clear(struct bgp_peer *p)
{
	if (!p->limited)
		return;
	bgp_limit_end(p);
	if (p->session && bgp_live_may_start(p))
		bgp_session_start(p->session);
}
