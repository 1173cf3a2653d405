// SPDX-License-Identifier: GPL-2.0
/*
 * Which VPN routes are kept (retain.h).
 *
 * The verdict on a set of attributes is kept with it (attrs.imported), until any VRF begins or ceases to import
 * something: a route costs no look-up of its route targets. What was refused is remembered of each neighbour as a
 * filter of route targets (Bloom's, with one hash): only who told some of the new one is asked again, or, seldom, one
 * too many.
 */
#include "bgp/retain.h"

#include <stdlib.h>
#include <string.h>

#include "bgp/event.h"
#include "bgp/peer.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "vrf/rt.h"

#define MISSED_BITS	65536u
#define ASK_MS		5000	/* not more often: commits come one after another */

/* attrs.imported: what is known of each family, and when it was */
#define KNOWN(afi)	(1u << 2 * (afi))
#define IMPORTED(afi)	(2u << 2 * (afi))
#define STAMP		4	/* shift */

struct family {
	bool configured;
	enum bgp_kept why;
	struct rib_target_walk walk;	/* of what a VRF does not import any more */
	bool sweeping;			/* of the whole table */
	struct rib_cursor cursor;
};

struct bgp_retain {
	struct bgp *bgp;
	struct vrf_import_watch watch;
	uint32_t stamp;			/* 28 bits, never 0: of what is imported */
	struct family family[AFI_MAX];
	struct job check, drop, ask;
	struct timer again;		/* ask */
	bool asked;
	uint64_t asked_at;		/* jobs_clock_us() */
};

const char *bgp_kept_str(enum bgp_kept k)
{
	static const char *const texts[] = {
		[BGP_KEPT_IMPORTED] = "those that a VRF imports",
		[BGP_KEPT_CONFIGURED] = "all: retain route-target all",
		[BGP_KEPT_CLIENT] = "all: there are route reflector clients",
		[BGP_KEPT_EXTERNAL] = "all: there are neighbors of other ASes",
		[BGP_KEPT_NO_REFRESH] = "all: this neighbor cannot refresh its routes",
	};

	return texts[k];
}

static int afi_of(enum bgp_family f)
{
	return f == BGP_VPNV4 ? AFI4 : AFI6;
}

static enum bgp_family family_of(int afi)
{
	return afi == AFI4 ? BGP_VPNV4 : BGP_VPNV6;
}

/* ---- verdicts ---- */

static bool imported(const struct bgp_retain *r, int afi, struct attrs *a)
{
	if (a->imported >> STAMP != r->stamp)
		a->imported = r->stamp << STAMP;
	if (!(a->imported & KNOWN(afi))) {
		a->imported |= KNOWN(afi);
		if (rt_index_wants(vrfs_rt_index(r->bgp->env.vrfs, afi_family(afi)), a))
			a->imported |= IMPORTED(afi);
	}
	return a->imported & IMPORTED(afi);
}

enum bgp_kept bgp_retain_why(const struct bgp_peer_family *pf)
{
	const struct family *f = &pf->peer->bgp->retain->family[afi_of(pf->family)];

	if (f->why == BGP_KEPT_IMPORTED && !pf->peer->info.agreed.refresh)
		return BGP_KEPT_NO_REFRESH;
	return f->why;
}

bool bgp_retain_takes(const struct bgp_peer_family *pf, struct attrs *a)
{
	if (!bgp_family_vpn(pf->family) || bgp_retain_why(pf) != BGP_KEPT_IMPORTED)
		return true;
	return imported(pf->peer->bgp->retain, afi_of(pf->family), a);
}

/* ---- what was missed ---- */

static uint32_t missed_bit(const uint8_t rt[8])
{
	return hash_bytes(rt, 8, 1) % MISSED_BITS;
}

void bgp_retain_missed(struct bgp_peer_family *pf, const struct attrs *a)
{
	uint16_t len, at;
	const uint8_t *ext = attrs_part(a, ATTRS_EXT, &len);
	uint32_t bit;

	if (!pf->missed)
		pf->missed = xcalloc(1, MISSED_BITS / 8);
	for (at = 0; at < len; at += 8) {
		if (!attrs_is_target(ext + at))
			continue;
		bit = missed_bit(ext + at);
		pf->missed[bit / 8] |= 1u << bit % 8;
	}
}

void bgp_retain_forget(struct bgp_peer_family *pf)
{
	free(pf->missed);
	pf->missed = NULL;
	pf->missed_needed = false;
}

/* ---- asking again ---- */

static bool ask_all(struct job *job, unsigned int budget)
{
	struct bgp_retain *r = container_of(job, struct bgp_retain, ask);
	struct bgp_peer *p;

	r->asked = true;
	r->asked_at = jobs_clock_us(r->bgp->env.jobs);
	list_for_each(p, &r->bgp->peers, struct bgp_peer, node) {
		for (int afi = 0; afi < AFI_MAX; afi++) {
			struct bgp_peer_family *pf = &p->family[family_of(afi)];

			if (!pf->missed_needed)
				continue;
			pf->missed_needed = false;
			if (!pf->active || pf->disabled)
				continue;
			bgp_happened(LOG_LEVEL_INFO, p->name, "routes of %s are needed that were not kept: asked for them again",
				     bgp_family_name(pf->family));
			bgp_session_refresh(p->session, pf->family);
		}
	}
	return false;
}

static void again(struct timer *t)
{
	job_schedule(&container_of(t, struct bgp_retain, again)->ask);
}

/* Once for all that a commit, or several in a row, made necessary. */
static void ask_soon(struct bgp_retain *r)
{
	uint64_t since = (jobs_clock_us(r->bgp->env.jobs) - r->asked_at) / 1000;

	if (!r->asked || since >= ASK_MS)
		job_schedule(&r->ask);
	else if (!timer_running(&r->again))
		timer_start(&r->again, ASK_MS - since);
}

/* @rt NULL: anything */
static void ask_who_has(struct bgp_retain *r, int afi, const struct rt *rt)
{
	uint32_t bit = rt ? missed_bit(rt->b) : 0;
	struct bgp_peer *p;
	bool any = false;

	list_for_each(p, &r->bgp->peers, struct bgp_peer, node) {
		struct bgp_peer_family *pf = &p->family[family_of(afi)];

		if (!pf->missed || (rt && !(pf->missed[bit / 8] & 1u << bit % 8)))
			continue;
		pf->missed_needed = true;
		any = true;
	}
	if (any)
		ask_soon(r);
}

/* ---- what nobody imports any more ---- */

/* It hears of what we import, which nobody does there: it withdraws the route by itself. */
static bool goes_by_itself(const struct bgp_retain *r, const struct bgp_peer_family *pf, struct attrs *a)
{
	return pf->active && bgp_rtc_asks(pf->peer) && !imported(r, AFI4, a) && !imported(r, AFI6, a);
}

static void drop_route(struct bgp_retain *r, struct rib_route *route)
{
	struct rib_source *s = route->source;
	struct prefix p = rib_net_prefix(route->net);
	const struct rd rd = *rib_net_rd(route->net);
	struct bgp_peer_family *pf;

	if (s->proto != &bgp_proto || s->is_local)
		return;
	pf = container_of(s, struct bgp_peer_family, source);
	if (bgp_retain_takes(pf, route->attrs) || goes_by_itself(r, pf, route->attrs))
		return;
	bgp_retain_missed(pf, route->attrs);
	bgp_refuse(pf, BGP_REFUSED_TARGETS, &rd, &p);
	rib_withdraw(s, &rd, &p, route->path_id);
	bgp_limit_look(pf);
}

static void drop_net(struct bgp_retain *r, struct rib_net *net)
{
	struct rib_route *route, *next;

	rib_net_hold(net);
	for (route = rib_routes(net); route; route = next) {
		next = route->next;
		drop_route(r, route);
	}
	rib_net_release(net);
}

/* true: there is more */
static bool drop_of_family(struct bgp_retain *r, int afi, unsigned int *budget)
{
	struct family *f = &r->family[afi];
	struct rib_route *route;
	struct rib_net *net;

	for (; *budget; --*budget) {
		route = rib_target_walk_next_route(&f->walk);
		if (!route)
			break;
		drop_route(r, route);
	}
	for (; f->sweeping && *budget; --*budget) {
		net = rib_walk(rib_table_vpn(r->bgp->env.rib, afi_family(afi)), &f->cursor);
		f->sweeping = net;
		if (net)
			drop_net(r, net);
	}
	return !*budget;
}

static bool drop_some(struct job *job, unsigned int budget)
{
	struct bgp_retain *r = container_of(job, struct bgp_retain, drop);

	return drop_of_family(r, AFI4, &budget) || drop_of_family(r, AFI6, &budget);
}

static void on_target(struct vrf_import_watch *w, uint8_t family, const struct rt *rt, bool now)
{
	struct bgp_retain *r = container_of(w, struct bgp_retain, watch);
	int afi = family_afi(family);

	r->stamp = (r->stamp + 1) & (UINT32_MAX >> STAMP);
	r->stamp += !r->stamp;
	if (now) {
		ask_who_has(r, afi, rt);
	} else if (r->family[afi].why == BGP_KEPT_IMPORTED) {
		rib_target_walk_add(&r->family[afi].walk, rt->b);
		job_schedule(&r->drop);
	}
}

/* ---- all, or what is imported ---- */

static enum bgp_kept find_why(const struct bgp_retain *r, enum bgp_family f)
{
	enum bgp_kept why = BGP_KEPT_IMPORTED;
	const struct bgp_peer *p;

	if (r->family[afi_of(f)].configured)
		return BGP_KEPT_CONFIGURED;
	list_for_each(p, &r->bgp->peers, struct bgp_peer, node) {
		if (!p->conf.af[f].on)
			continue;
		if (p->conf.af[f].route_reflector_client)
			return BGP_KEPT_CLIENT;
		if (!bgp_peer_internal(p))
			why = BGP_KEPT_EXTERNAL;
	}
	return why;
}

static void check_family(struct bgp_retain *r, int afi)
{
	struct family *f = &r->family[afi];
	enum bgp_kept was = f->why;

	f->why = find_why(r, family_of(afi));
	if (f->why == was)
		return;
	log_info("bgp", "of routes of %s we keep %s", bgp_family_name(family_of(afi)), bgp_kept_str(f->why));
	if (was == BGP_KEPT_IMPORTED) {
		f->sweeping = false;
		ask_who_has(r, afi, NULL);
	} else if (f->why == BGP_KEPT_IMPORTED) {
		memset(&f->cursor, 0, sizeof(f->cursor));
		f->sweeping = true;
		job_schedule(&r->drop);
	}
}

static bool check(struct job *job, unsigned int budget)
{
	struct bgp_retain *r = container_of(job, struct bgp_retain, check);

	for (int afi = 0; afi < AFI_MAX; afi++)
		check_family(r, afi);
	return false;
}

void bgp_retain_check(struct bgp *b)
{
	job_schedule(&b->retain->check);
}

void bgp_retain_configure(struct bgp *b, enum bgp_family f, bool all)
{
	b->retain->family[afi_of(f)].configured = all;
	bgp_retain_check(b);
}

/* ---- life ---- */

struct bgp_retain *bgp_retain_new(struct bgp *b)
{
	struct bgp_retain *r = xcalloc(1, sizeof(*r));

	r->bgp = b;
	r->stamp = 1;
	for (int afi = 0; afi < AFI_MAX; afi++)
		rib_target_walk_init(&r->family[afi].walk, rib_table_vpn(b->env.rib, afi_family(afi)));
	job_init(&r->check, b->env.jobs, "which VPN routes are kept", check);
	job_init(&r->drop, b->env.jobs, "VPN routes that nobody imports", drop_some);
	job_init(&r->ask, b->env.jobs, "VPN routes asked for again", ask_all);
	timer_init(&r->again, b->env.jobs, again);
	r->watch.change = on_target;
	vrf_imports_watch(b->env.vrfs, &r->watch);
	return r;
}

void bgp_retain_free(struct bgp_retain *r)
{
	vrf_imports_unwatch(&r->watch);
	job_cancel(&r->check);
	job_cancel(&r->drop);
	job_cancel(&r->ask);
	timer_stop(&r->again);
	for (int afi = 0; afi < AFI_MAX; afi++)
		rib_target_walk_end(&r->family[afi].walk);
	free(r);
}
