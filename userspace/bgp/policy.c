// SPDX-License-Identifier: GPL-2.0
/*
 * Policies of neighbours: which ones are in force, that a neighbour of another AS needs them (RFC 8212), and what has
 * to be done when one changes: the routes of who is under it are asked for again (RFC 2918), the groups that speak by
 * it look at their table again. Contracts in peer.h.
 */
#include <string.h>

#include "bgp/event.h"
#include "bgp/group.h"
#include "bgp/peer.h"
#include "lib/mem.h"

void bgp_policy_bind(struct bgp_peer *p)
{
	struct policies *all = p->bgp->env.policies;

	for (int f = 0; f < BGP_FAMILIES; f++) {
		struct bgp_peer_family *pf = &p->family[f];
		const struct bgp_family_conf *c = &p->conf.af[f];
		struct policy *in = pf->in, *out = pf->out, *originate = pf->originate;

		pf->in = c->policy_in[0] ? policy_get(all, c->policy_in) : NULL;
		pf->out = c->policy_out[0] ? policy_get(all, c->policy_out) : NULL;
		pf->originate = c->originate_policy[0] ? policy_get(all, c->originate_policy) : NULL;
		policy_put(in);
		policy_put(out);
		policy_put(originate);
	}
}

void bgp_policy_unbind(struct bgp_peer *p)
{
	for (int f = 0; f < BGP_FAMILIES; f++) {
		struct bgp_peer_family *pf = &p->family[f];

		policy_put(pf->in);
		policy_put(pf->out);
		policy_put(pf->originate);
		pf->in = pf->out = pf->originate = NULL;
	}
}

/* Of route targets that are wanted there is no policy (RFC 4684). */
bool bgp_policy_missing(const struct bgp_peer_family *pf, bool out)
{
	if (bgp_peer_internal(pf->peer) || pf->peer->bgp->unsafe_ebgp || pf->family == BGP_RTC)
		return false;
	return !(out ? pf->out : pf->in);
}

void bgp_policy_warn(const struct bgp_peer *p)
{
	for (int f = 0; f < BGP_FAMILIES; f++) {
		const struct bgp_peer_family *pf = &p->family[f];

		if (!pf->active)
			continue;
		if (bgp_policy_missing(pf, false))
			bgp_happened(LOG_LEVEL_WARNING, p->name,
				     "%s: its routes are refused: another AS needs a route-policy in (RFC 8212)",
				     bgp_family_name(f));
		if (bgp_policy_missing(pf, true))
			bgp_happened(LOG_LEVEL_WARNING, p->name,
				     "%s: nothing is announced: another AS needs a route-policy out (RFC 8212)",
				     bgp_family_name(f));
	}
}

void bgp_policy_again(struct bgp_peer_family *pf)
{
	struct bgp_peer *p = pf->peer;

	if (!pf->active)
		return;
	if (p->info.agreed.refresh) {
		bgp_happened(LOG_LEVEL_INFO, p->name, "what is taken of %s changed: asked for it again",
			     bgp_family_name(pf->family));
		bgp_session_refresh(p->session, pf->family);
		return;
	}
	bgp_happened(LOG_LEVEL_NOTICE, p->name,
		     "the session starts anew: its routes are needed again, and it cannot refresh them");
	bgp_session_reset(p->session, BGP_CEASE_CONFIG);
}

void bgp_policies_again(struct bgp *b)
{
	struct bgp_peer *p;

	list_for_each(p, &b->peers, struct bgp_peer, node) {
		bool stays = true;

		if (bgp_peer_internal(p))
			continue;
		for (int f = 0; f < BGP_FAMILIES; f++) {
			if (!p->family[f].in)
				bgp_policy_again(&p->family[f]);
			stays &= bgp_groups_moved(&p->family[f]);
		}
		if (!stays && p->session)
			bgp_session_reset(p->session, BGP_CEASE_CONFIG);
		if (p->up)
			bgp_policy_warn(p);
	}
}

static void on_policy(struct policy_watch *w, struct policy *changed)
{
	struct bgp *b = container_of(w, struct bgp, policy_watch);
	struct bgp_peer *p;

	list_for_each(p, &b->peers, struct bgp_peer, node) {
		for (int f = 0; f < BGP_FAMILIES; f++) {
			if (p->family[f].in == changed)
				bgp_policy_again(&p->family[f]);
		}
	}
	bgp_groups_policy(b, changed);
}

void bgp_policies_start(struct bgp *b)
{
	struct attrs_builder plain;

	memset(&plain, 0, sizeof(plain));
	plain.f.origin = ORIGIN_INCOMPLETE;
	b->plain = attrs_intern(&plain);
	b->policy_watch.changed = on_policy;
	list_init(&b->policy_watch.node);
	if (b->env.policies)
		policy_watch(b->env.policies, &b->policy_watch);
}

void bgp_policies_stop(struct bgp *b)
{
	policy_unwatch(&b->policy_watch);
	attrs_put(b->plain);
	b->plain = NULL;
}
