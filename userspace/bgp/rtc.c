// SPDX-License-Identifier: GPL-2.0
/* Route target constraint (rtc.h). */
#include "bgp/event.h"
#include "bgp/rtc.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/group.h"
#include "lib/mem.h"

#define WAIT_MS 60000		/* RFC 4684 section 6 */

struct prefix bgp_rtc_prefix(const struct bgp_rtc *m)
{
	uint8_t octets[16] = { 0 };
	uint32_t as = htonl(m->as);

	if (m->len) {
		memcpy(octets, &as, 4);
		memcpy(octets + 4, m->rt, 8);
	}
	return prefix_make(AF_INET6, octets, m->len);
}

void bgp_rtc_of_prefix(struct bgp_nlri *n)
{
	const struct prefix p = n->prefix;
	struct bgp_rtc m = { .len = p.len };
	uint32_t as;

	memcpy(&as, p.addr.b, 4);
	m.as = ntohl(as);
	memcpy(m.rt, p.addr.b + 4, 8);
	n->rtc = m;
}

/* ---- what a peer wants ---- */

struct said {
	struct hash_node node;
	struct prefix prefix;
};

struct wanted {
	struct hash_node node;
	uint8_t rt[8];
	uint8_t bits;
	uint32_t n;		/* memberships that say so, of different ASes */
};

struct target {
	uint8_t rt[8];
	uint8_t bits;
};

static uint32_t membership_hash(const struct prefix *p)
{
	return hash_bytes(p->addr.b, sizeof(p->addr.b), p->len);
}

static bool match_said(const struct hash_node *n, const void *key)
{
	const struct prefix *a = &hash_entry(n, struct said, node)->prefix, *b = key;

	return a->len == b->len && !memcmp(a->addr.b, b->addr.b, sizeof(a->addr.b));
}

static bool match_wanted(const struct hash_node *n, const void *key)
{
	const struct wanted *w = hash_entry(n, struct wanted, node);
	const struct target *t = key;

	return w->bits == t->bits && !memcmp(w->rt, t->rt, sizeof(w->rt));
}

static struct target target_of(const struct bgp_rtc *m)
{
	struct target t = { .bits = m->len > 32 ? m->len - 32 : 0 };

	if (t.bits)
		memcpy(t.rt, m->rt, sizeof(t.rt));
	return t;
}

static void want(struct bgp_peer *p, const struct target *t)
{
	uint32_t hash = hash_bytes(t->rt, sizeof(t->rt), t->bits);
	struct hash_node *found = hash_find(&p->rtc.targets, hash, match_wanted, t);
	struct wanted *w;

	if (found) {
		hash_entry(found, struct wanted, node)->n++;
		return;
	}
	w = xcalloc(1, sizeof(*w));
	memcpy(w->rt, t->rt, sizeof(w->rt));
	w->bits = t->bits;
	w->n = 1;
	hash_insert(&p->rtc.targets, &w->node, hash);
	if (p->rtc.complete)
		bgp_groups_interest(p, t->rt, t->bits, true);
}

static void unwant(struct bgp_peer *p, const struct target *t)
{
	uint32_t hash = hash_bytes(t->rt, sizeof(t->rt), t->bits);
	struct hash_node *found = hash_find(&p->rtc.targets, hash, match_wanted, t);
	struct wanted *w = found ? hash_entry(found, struct wanted, node) : NULL;

	if (!w || --w->n)
		return;
	hash_remove(&p->rtc.targets, &w->node);
	free(w);
	if (p->rtc.complete)
		bgp_groups_interest(p, t->rt, t->bits, false);
}

void bgp_rtc_announced(struct bgp_peer *p, const struct bgp_rtc *m)
{
	struct prefix prefix = bgp_rtc_prefix(m);
	uint32_t hash = membership_hash(&prefix);
	struct target t = target_of(m);
	struct said *s;

	if (hash_find(&p->rtc.said, hash, match_said, &prefix))
		return;
	s = xcalloc(1, sizeof(*s));
	s->prefix = prefix;
	hash_insert(&p->rtc.said, &s->node, hash);
	want(p, &t);
}

void bgp_rtc_withdrawn(struct bgp_peer *p, const struct bgp_rtc *m)
{
	struct prefix prefix = bgp_rtc_prefix(m);
	struct hash_node *found = hash_find(&p->rtc.said, membership_hash(&prefix), match_said, &prefix);
	struct target t = target_of(m);

	if (!found)
		return;
	hash_remove(&p->rtc.said, found);
	free(hash_entry(found, struct said, node));
	unwant(p, &t);
}

static void forget(struct bgp_peer *p)
{
	struct hash_node *n;

	while ((n = hash_drain(&p->rtc.said)))
		free(hash_entry(n, struct said, node));
	while ((n = hash_drain(&p->rtc.targets)))
		free(hash_entry(n, struct wanted, node));
	p->rtc.complete = false;
	timer_stop(&p->rtc.timer);
}

static void wait_over(struct timer *t)
{
	struct bgp_peer *p = container_of(t, struct bgp_peer, rtc.timer);

	bgp_happened(LOG_LEVEL_NOTICE, p->name,
		     "no End-of-RIB of route target memberships: VPN routes go out by what it said so far");
	bgp_rtc_complete(p);
}

void bgp_rtc_init(struct bgp_peer *p)
{
	hash_init(&p->rtc.said);
	hash_init(&p->rtc.targets);
	timer_init(&p->rtc.timer, p->bgp->env.jobs, wait_over);
}

/*
 * A peer that restarts may tell its memberships only when it has heard End-of-RIB from everybody: VPN routes that
 * waited for them would be waited for in turn. It gets them by what it wanted before.
 */
void bgp_rtc_up(struct bgp_peer *p)
{
	if (p->family[BGP_RTC].stale && p->info.peer.caps.gr_restarting) {
		bgp_happened(LOG_LEVEL_INFO, p->name,
			     "it restarted: VPN routes go by the route target memberships of before");
		p->rtc.complete = true;
		return;
	}
	forget(p);
	if (!p->family[BGP_RTC].active)
		return;
	bgp_happened(LOG_LEVEL_INFO, p->name, "VPN routes wait for its route target memberships");
	timer_start(&p->rtc.timer, WAIT_MS);
}

void bgp_rtc_down(struct bgp_peer *p)
{
	if (!p->family[BGP_RTC].stale)
		forget(p);
	p->rtc.complete = false;
	timer_stop(&p->rtc.timer);
}

void bgp_rtc_complete(struct bgp_peer *p)
{
	if (p->rtc.complete)
		return;
	timer_stop(&p->rtc.timer);
	p->rtc.complete = true;
	bgp_groups_open(p);
}

/* A membership that the table does not have from this peer any more. */
static bool dropped(const struct bgp_peer *p, const struct prefix *prefix)
{
	const struct rib_source *source = &p->family[BGP_RTC].source;
	struct rib_net *net = rib_find(source->table, NULL, prefix);

	for (struct rib_route *r = net ? rib_routes(net) : NULL; r; r = r->next)
		if (r->source == source)
			return false;
	return true;
}

void bgp_rtc_again(struct bgp_peer *p)
{
	struct prefix *gone = xcalloc(p->rtc.said.count + 1, sizeof(*gone));
	const struct hash_node *n;
	uint32_t count = 0;

	for (n = hash_next(&p->rtc.said, NULL); n; n = hash_next(&p->rtc.said, n))
		if (dropped(p, &hash_entry(n, struct said, node)->prefix))
			gone[count++] = hash_entry(n, struct said, node)->prefix;
	while (count) {
		struct bgp_nlri m = { .prefix = gone[--count] };

		bgp_rtc_of_prefix(&m);
		bgp_rtc_withdrawn(p, &m.rtc);
	}
	free(gone);
}

uint32_t bgp_rtc_count(const struct bgp_peer *p)
{
	return p->rtc.said.count;
}

bool bgp_rtc_asks(const struct bgp_peer *p)
{
	return p->family[BGP_RTC].active && !p->conf.af[BGP_RTC].originate;
}

bool bgp_rtc_constrains(const struct bgp_peer *p, enum bgp_family f)
{
	return bgp_family_vpn(f) && p->family[BGP_RTC].active;
}

bool bgp_rtc_may_tell(const struct bgp_peer *p, enum bgp_family f)
{
	return !bgp_rtc_constrains(p, f) || p->rtc.complete;
}

void bgp_rtc_interest(struct bgp_peer_family *pf)
{
	const struct hash *targets = &pf->peer->rtc.targets;
	const struct hash_node *n;

	for (n = hash_next(targets, NULL); n; n = hash_next(targets, n)) {
		const struct wanted *w = hash_entry(n, struct wanted, node);

		interest_set(&pf->group->interest, pf->number, w->rt, w->bits, true);
	}
}

void bgp_rtc_joined(struct bgp_peer_family *pf)
{
	const struct bgp_peer *p = pf->peer;
	struct bgp_group *g = pf->group;
	const struct hash_node *n;

	for (n = hash_next(&p->rtc.targets, NULL); n; n = hash_next(&p->rtc.targets, n)) {
		const struct wanted *w = hash_entry(n, struct wanted, node);

		interest_set(&g->interest, pf->number, w->rt, w->bits, true);
		bgp_group_sync_target(pf, w->rt, w->bits);
	}
	bgp_group_audience_changed(g);
}

/* ---- what our VRFs want ---- */

struct announcing {
	struct bgp_rtc_own *own;
	struct attrs *attrs;
};

static void announce(void *arg, const struct rt *rt)
{
	const struct announcing *a = arg;
	struct bgp_rtc m = { .as = a->own->bgp->as, .len = 96 };
	struct rib_path path = { .attrs = a->attrs, .nh = a->own->nh, .label = RIB_LABEL_NONE };
	struct prefix p;

	memcpy(m.rt, rt->b, sizeof(m.rt));
	p = bgp_rtc_prefix(&m);
	rib_announce(&a->own->source, NULL, &p, &path);
}

/* Everything anew: what is still wanted stays as it is, the rest is swept. */
static bool announce_all(struct job *job, unsigned int budget)
{
	struct bgp_rtc_own *own = container_of(job, struct bgp_rtc_own, job);
	struct attrs_builder b;
	struct announcing a = { .own = own };

	memset(&b, 0, sizeof(b));
	b.f.origin = ORIGIN_IGP;
	a.attrs = attrs_intern(&b);
	rib_source_stale(&own->source);
	vrf_imports(own->bgp->env.vrfs, announce, &a);
	rib_source_sweep(&own->source, NULL);
	attrs_put(a.attrs);
	return false;
}

void bgp_rtc_changed(struct bgp_rtc_own *own)
{
	job_schedule(&own->job);
}

struct nexthop *bgp_rtc_nexthop(const struct bgp_rtc_own *own)
{
	return own->nh;
}

struct bgp_rtc_own *bgp_rtc_new(struct bgp *b)
{
	struct bgp_rtc_own *own = xcalloc(1, sizeof(*own));
	const struct nexthop_key key = { .kind = NEXTHOP_LOCAL };

	own->bgp = b;
	own->nh = nexthop_get(rib_nht(b->env.rib), &key);
	own->source.proto = &bgp_proto;
	own->source.table = rib_table_memberships(b->env.rib);
	own->source.name = "vrf imports";
	own->source.is_bgp = true;
	own->source.is_local = true;
	rib_source_init(&own->source);
	job_init(&own->job, b->env.jobs, "route target memberships", announce_all);
	return own;
}

void bgp_rtc_free(struct bgp_rtc_own *own)
{
	job_cancel(&own->job);
	rib_source_flush_now(&own->source);
	nexthop_put(rib_nht(own->bgp->env.rib), own->nh);
	free(own);
}
