// SPDX-License-Identifier: GPL-2.0
/*
 * Peers: from configuration to a session and to the sources of its routes; the instance's
 * start and end. Contracts in peer.h and bgp.h.
 */
#include "bgp/event.h"
#include "bgp/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/lu.h"
#include "lib/mem.h"

#define GRAVE_MS 500

static struct bgp_options options;
static struct bgp *instance;

void bgp_set_options(const struct bgp_options *opt)
{
	options = *opt;
}

struct bgp *bgp_instance(void)
{
	return instance;
}

bool bgp_peer_internal(const struct bgp_peer *p)
{
	return p->conf.remote_as == p->bgp->as;
}

uint32_t bgp_peer_as(const struct bgp_peer *p)
{
	if (p->up && p->info.as)
		return p->info.as;
	return p->conf.local_as ? p->conf.local_as : p->bgp->as;
}

/* ---- order of peers ---- */

static int endpoint_cmp(const struct tcp_endpoint *a, const struct tcp_endpoint *b)
{
	int d = addr_cmp(&a->addr, &b->addr);

	return d ? d : strcmp(a->ifname, b->ifname);
}

static int peer_cmp(const struct bgp_peer *p, const char *vrf, const struct tcp_endpoint *e)
{
	int d = strcmp(p->conf.vrf, vrf);

	return d ? d : endpoint_cmp(&p->conf.peer, e);
}

struct peer_key {
	const char *vrf;
	const struct tcp_endpoint *e;
};

static uint32_t key_hash(const char *vrf, const struct tcp_endpoint *e)
{
	uint32_t h = hash_bytes(vrf, strlen(vrf), e->addr.family);

	h = hash_bytes(e->ifname, strlen(e->ifname), h);
	return hash_bytes(e->addr.b, addr_octets(e->addr.family), h);
}

static bool match_key(const struct hash_node *n, const void *key)
{
	const struct peer_key *k = key;

	return !peer_cmp(hash_entry(n, struct bgp_peer, by_address), k->vrf, k->e);
}

struct bgp_peer *bgp_peer_find(struct bgp *b, const char *vrf, const struct tcp_endpoint *e)
{
	const struct peer_key key = { vrf, e };
	struct hash_node *n = hash_find(&b->by_address, key_hash(vrf, e), match_key, &key);

	return n ? hash_entry(n, struct bgp_peer, by_address) : NULL;
}

struct bgp_peer *bgp_peer_next(struct bgp *b, const struct bgp_peer *p)
{
	struct list *n = p ? p->node.next : b->peers.next;

	return n == &b->peers ? NULL : list_entry(n, struct bgp_peer, node);
}

struct bgp_peer *bgp_peer_walk(struct bgp *b, struct bgp_peer_cursor *at)
{
	struct bgp_peer *p;

	list_for_each(p, &b->peers, struct bgp_peer, node) {
		if (at->started && peer_cmp(p, at->vrf, &at->peer) <= 0)
			continue;
		at->started = true;
		memcpy(at->vrf, p->conf.vrf, sizeof(at->vrf));
		at->peer = p->conf.peer;
		return p;
	}
	return NULL;
}

static void insert(struct bgp *b, struct bgp_peer *p)
{
	struct list *at = b->peers.prev;

	/* configurations are sorted more often than not */
	while (at != &b->peers && peer_cmp(list_entry(at, struct bgp_peer, node), p->conf.vrf, &p->conf.peer) > 0)
		at = at->prev;
	list_add(at, &p->node);
	hash_insert(&b->by_address, &p->by_address, key_hash(p->conf.vrf, &p->conf.peer));
}

static void take_out(struct bgp *b, struct bgp_peer *p)
{
	list_del(&p->node);
	hash_remove(&b->by_address, &p->by_address);
}

/* ---- sessions ---- */

/* RFC 5082; RFC 4271 leaves the TTL of external sessions to practice: 1 unless multihop. */
static void session_ttl(const struct bgp_peer *p, struct tcp_options *o)
{
	if (p->conf.ttl_security) {
		o->ttl = 255;
		o->min_ttl = (uint8_t)(256 - p->conf.ttl_security);
	} else if (!bgp_peer_internal(p)) {
		o->ttl = p->conf.multihop ? p->conf.multihop : 1;
	}
}

void bgp_peer_caps(const struct bgp_peer *p, struct bgp_caps *c)
{
	struct bgp *b = p->bgp;

	memset(c, 0, sizeof(*c));
	c->as4 = true;
	c->as = p->conf.local_as ? p->conf.local_as : b->as;
	c->refresh = true;
	c->enhanced_refresh = true;
	c->extended = true;
	c->gr = b->gr_enabled;
	c->gr_time = b->gr_time;
	c->gr_restarting = b->restarting;
	c->gr_notify = b->gr_enabled;
	for (int f = 0; f < BGP_FAMILIES; f++) {
		uint8_t af = bgp_family_afi(f) == BGP_AFI_IPV4 ? AF_INET : AF_INET6;

		if (!p->conf.af[f].on)
			continue;
		c->any_family = true;
		c->family[f] = true;
		c->v6_next_hop[f] = af == AF_INET && p->conf.peer.addr.family == AF_INET6 && f != BGP_RTC;
		c->addpath_rx[f] = p->conf.af[f].addpath_receive;
		c->addpath_tx[f] = p->conf.af[f].addpath_send;
		c->gr_family[f] = true;
		/* While we did not restart, forwarding outlives a session as it is. */
		c->gr_forwarding[f] = !b->restarting ||
			(b->opt.forwarding_kept && b->opt.forwarding_kept(b->opt.arg, af));
	}
}

static void session_open(struct bgp_peer *p)
{
	struct bgp_session_conf c = {
		.peer = p->conf.peer,
		.source = p->conf.source,
		.port = p->conf.port,
		.passive = p->conf.passive,
		.local_as = p->conf.local_as ? p->conf.local_as : p->bgp->as,
		.second_as = p->conf.local_dual ? p->bgp->as : 0,
		.local_id = p->bgp->id,
		.remote_as = p->conf.remote_as,
		.hold = p->conf.hold,
		.keepalive = p->conf.keepalive,
		.connect_retry = p->conf.connect_retry,
		.delay_open = p->conf.delay_open,
	};

	memcpy(c.name, p->name, sizeof(c.name));
	memcpy(c.sock.device, p->conf.vrf, sizeof(p->conf.vrf));
	memcpy(c.sock.password, p->conf.password, sizeof(c.sock.password));
	session_ttl(p, &c.sock);
	bgp_peer_caps(p, &c.caps);
	bgp_limit_end(p);
	p->session = bgp_session_new(p->bgp->workers, &c, p);
	if (!p->session) {
		bgp_happened(LOG_LEVEL_ERR, p->name, "no memory for a session");
		return;
	}
	if (bgp_live_may_start(p))
		bgp_session_start(p->session);
}

static void went_down(struct bgp_peer *p, bool lost)
{
	if (!p->up)
		return;
	p->up = false;
	bgp_groups_leave(p);
	for (int f = 0; f < BGP_FAMILIES; f++) {
		p->family[f].active = false;
		p->family[f].disabled = false;
		p->family[f].eor_sent = false;
		bgp_refresh_stop(&p->family[f]);
	}
	bgp_helper_down(p, lost);
	bgp_rtc_down(p);
	bgp_restart_check(p->bgp);
}

static void session_close(struct bgp_peer *p, uint8_t subcode)
{
	/* RFC 8538: it comes back, and neither forgets the other's routes */
	bool back = subcode == BGP_CEASE_CONFIG && p->up && p->info.agreed.gr_notify;

	if (p->session)
		bgp_session_free(p->session, subcode);
	p->session = NULL;
	went_down(p, back);
}

/* ---- sources ---- */

static struct rib_table *family_table(const struct bgp_peer *p, enum bgp_family f)
{
	uint8_t af = bgp_family_afi(f) == BGP_AFI_IPV4 ? AF_INET : AF_INET6;

	if (f == BGP_RTC)
		return rib_table_memberships(p->bgp->env.rib);
	if (bgp_family_vpn(f))
		return rib_table_vpn(p->bgp->env.rib, af);
	if (bgp_family_lu(f))
		return rib_table_labelled(p->bgp->env.rib, af);
	return rib_table_find(p->bgp->env.rib, p->vrf_id, af);
}

static void source_make(struct bgp_peer *p, enum bgp_family f)
{
	struct bgp_peer_family *pf = &p->family[f];
	struct rib_table *t = family_table(p, f);
	bool internal = bgp_peer_internal(p);

	if (pf->has_source || !p->conf.af[f].on)
		return;
	if (!t) {
		bgp_happened(LOG_LEVEL_ERR, p->name, "no table for %s", bgp_family_name(f));
		return;
	}
	memset(&pf->source, 0, sizeof(pf->source));
	pf->source.proto = &bgp_proto;
	pf->source.table = t;
	pf->source.name = p->name;
	pf->source.is_bgp = true;
	pf->source.is_ibgp = internal;
	pf->source.distance = internal ? RIB_DISTANCE_IBGP : RIB_DISTANCE_EBGP;
	pf->source.peer = p->conf.peer.addr;
	pf->source.vrf = p->vrf_id;
	rib_source_init(&pf->source);
	pf->has_source = true;
}

static void sources_make(struct bgp_peer *p)
{
	for (int f = 0; f < BGP_FAMILIES; f++)
		source_make(p, f);
}

static void sources_flush(struct bgp_peer *p)
{
	for (int f = 0; f < BGP_FAMILIES; f++) {
		if (p->family[f].has_source)
			rib_source_flush_now(&p->family[f].source);
		p->family[f].stale = false;
	}
	bgp_rtc_down(p);
	timer_stop(&p->gr_timer);
}

static void forget_refused(struct bgp_peer *p)
{
	for (int f = 0; f < BGP_FAMILIES; f++) {
		bgp_refusals_forget(&p->family[f]);
		bgp_retain_forget(&p->family[f]);
	}
}

static bool sources_idle(const struct bgp_peer *p)
{
	for (int f = 0; f < BGP_FAMILIES; f++) {
		if (p->family[f].has_source && !rib_source_idle(&p->family[f].source))
			return false;
	}
	return true;
}

static void grave_fn(struct timer *t)
{
	bgp_graves_check(container_of(t, struct bgp, grave_timer));
}

void bgp_graves_check(struct bgp *b)
{
	struct bgp_peer *p, *tmp;

	list_for_each_safe(p, tmp, &b->graves, struct bgp_peer, node) {
		if (!sources_idle(p))
			continue;
		list_del(&p->node);
		free(p);
	}
	if (!list_empty(&b->graves))
		timer_start(&b->grave_timer, GRAVE_MS);
}

/* ---- what configuration asks for ---- */

static void name_peer(struct bgp_peer *p)
{
	char addr[ADDR_STRLEN];
	const char *scope = p->conf.peer.ifname;

	addr_str(&p->conf.peer.addr, addr);
	snprintf(p->name, sizeof(p->name), "%s%s%s%s%s", p->conf.vrf[0] ? p->conf.vrf : "",
		 p->conf.vrf[0] ? " " : "", addr, scope[0] ? "%" : "", scope);
}

void bgp_peer_add(struct bgp *b, const struct bgp_peer_conf *conf)
{
	struct bgp_peer *p = xcalloc(1, sizeof(*p));
	struct vrf *v;

	p->bgp = b;
	p->conf = *conf;
	name_peer(p);
	if (conf->vrf[0]) {
		v = vrf_find(b->env.vrfs, conf->vrf);
		if (!v) {
			bgp_happened(LOG_LEVEL_ERR, p->name, "there is no VRF %s", conf->vrf);
			free(p);
			return;
		}
		p->vrf_id = v->id;
	}
	for (int f = 0; f < BGP_FAMILIES; f++) {
		p->family[f].peer = p;
		p->family[f].family = f;
		list_init(&p->family[f].member);
		bgp_refresh_init(&p->family[f]);
	}
	bgp_helper_init(p);
	bgp_limit_init(p);
	bgp_rtc_init(p);
	insert(b, p);
	bgp_policy_bind(p);
	sources_make(p);
	bgp_live_apply(p);
	bgp_retain_check(b);
	session_open(p);
}

void bgp_peer_remove(struct bgp_peer *p)
{
	struct bgp *b = p->bgp;

	bgp_live_end(p);
	session_close(p, BGP_CEASE_DECONFIGURED);
	sources_flush(p);
	bgp_limit_end(p);
	bgp_policy_unbind(p);
	forget_refused(p);
	take_out(b, p);
	p->dying = true;
	bgp_retain_check(b);
	list_add_tail(&b->graves, &p->node);
	bgp_graves_check(b);
}

/* True when both lead to the same session. */
static bool same_session(const struct bgp_peer_conf *a, const struct bgp_peer_conf *b)
{
	if (memcmp(a, b, offsetof(struct bgp_peer_conf, af)))
		return false;
	for (int f = 0; f < BGP_FAMILIES; f++) {
		if (memcmp(&a->af[f], &b->af[f], offsetof(struct bgp_family_conf, next_hop_self)))
			return false;
	}
	return true;
}

/* What differs of one family; false: the session has to be made anew. */
static bool family_change(struct bgp_peer_family *pf, const struct bgp_family_conf *old)
{
	const struct bgp_family_conf *now = &pf->peer->conf.af[pf->family];

	if (!memcmp(old, now, sizeof(*now)))
		return true;
	if (memcmp(&old->limit, &now->limit, sizeof(now->limit)))
		bgp_limit_changed(pf);
	if (memcmp(old->site, now->site,
		   offsetof(struct bgp_family_conf, limit) - offsetof(struct bgp_family_conf, site)))
		bgp_policy_again(pf);
	if (pf->has_source && old->route_reflector_client != now->route_reflector_client)
		bgp_groups_again(pf->peer->bgp, pf->source.table);
	return bgp_groups_moved(pf);
}

static void shut_down(struct bgp_peer *p)
{
	struct bgp_cease c = { .subcode = BGP_CEASE_SHUTDOWN };

	bgp_cease_reason(&c, p->conf.shutdown_reason);
	bgp_session_stop_with(p->session, &c);
}

void bgp_peer_change(struct bgp_peer *p, const struct bgp_peer_conf *conf)
{
	struct bgp *b = p->bgp;
	struct bgp_peer_conf old = p->conf;
	bool stays = true;

	if (!memcmp(&old, conf, sizeof(old)))
		return;
	bgp_retain_check(b);
	if (old.remote_as != conf->remote_as) {
		/* other facts for the decision: other sources */
		bgp_peer_remove(p);
		bgp_peer_add(b, conf);
		return;
	}
	if (!same_session(&old, conf)) {
		if (p->up)
			bgp_happened(LOG_LEVEL_NOTICE, p->name, "its configuration changed: the session starts anew");
		session_close(p, BGP_CEASE_CONFIG);
		p->conf = *conf;
		bgp_policy_bind(p);
		for (int f = 0; f < BGP_FAMILIES; f++) {
			if (old.af[f].on && !conf->af[f].on && p->family[f].has_source)
				rib_source_flush_now(&p->family[f].source);
		}
		sources_make(p);
		bgp_live_apply(p);
		session_open(p);
		return;
	}
	p->conf = *conf;
	bgp_policy_bind(p);
	for (int f = 0; f < BGP_FAMILIES; f++) {
		stays &= family_change(&p->family[f], &old.af[f]);
		if (old.maintenance != conf->maintenance)
			stays &= bgp_groups_moved(&p->family[f]);
	}
	if (old.maintenance != conf->maintenance)
		bgp_maintenance_changed(p);
	bgp_live_apply(p);
	if (!p->session)
		return;
	if (p->up && memcmp(old.af, conf->af, sizeof(old.af)))
		bgp_policy_warn(p);
	if (!stays)
		bgp_session_reset(p->session, BGP_CEASE_CONFIG);
	if (conf->shutdown && !old.shutdown)
		shut_down(p);
	else if (bgp_live_may_start(p) && (old.shutdown || old.bfd_strict))
		bgp_session_start(p->session);		/* one that runs goes on */
}

void bgp_peers_restart(struct bgp *b)
{
	struct bgp_peer *p, *tmp;
	struct list all;

	/* Whether a peer is internal may change with our AS: anew from its configuration. */
	list_init(&all);
	list_splice_tail(&all, &b->peers);
	list_for_each_safe(p, tmp, &all, struct bgp_peer, node) {
		struct bgp_peer_conf conf = p->conf;

		bgp_peer_remove(p);
		bgp_peer_add(b, &conf);
	}
}

void bgp_peers_caps(struct bgp *b)
{
	struct bgp_caps caps;
	struct bgp_peer *p;

	list_for_each(p, &b->peers, struct bgp_peer, node) {
		if (!p->session)
			continue;
		bgp_peer_caps(p, &caps);
		bgp_session_set_caps(p->session, &caps);
	}
}

/* ---- what sessions report ---- */

static void on_up(void *owner, const struct bgp_up *up)
{
	struct bgp_peer *p = owner;

	p->up = true;
	p->info = *up;
	for (int f = 0; f < BGP_FAMILIES; f++) {
		struct bgp_peer_family *pf = &p->family[f];

		pf->active = up->agreed.family[f] && pf->has_source;
		pf->eor_received = false;
		pf->eor_sent = false;
		bgp_refusals_forget(pf);
		bgp_retain_forget(pf);
		if (pf->has_source && !pf->source.count)
			pf->source.router_id = up->peer.id;
	}
	bgp_policy_warn(p);
	bgp_helper_up(p);
	bgp_rtc_up(p);
	bgp_groups_join(p);
	bgp_restart_check(p->bgp);
}

static void on_down(void *owner, const struct bgp_down *down)
{
	struct bgp_peer *p = owner;

	memcpy(p->last_down, down->why, sizeof(p->last_down));
	went_down(p, down->lost);
}

static void on_update(void *owner, const struct bgp_update *u)
{
	bgp_in_update(owner, u);
}

static void on_refresh(void *owner, enum bgp_family f, enum bgp_refresh what)
{
	struct bgp_peer *p = owner;

	if (what != BGP_REFRESH_REQUEST)
		bgp_refresh_received(&p->family[f], what);
	else if (p->family[f].active)
		bgp_groups_refresh(&p->family[f]);
}

static void on_drained(void *owner)
{
	bgp_groups_drained(owner);
}

const struct bgp_session_ops bgp_peer_ops = {
	.up = on_up,
	.down = on_down,
	.update = on_update,
	.refresh = on_refresh,
	.drained = on_drained,
};

/* ---- the instance ---- */

static void on_vrf(struct vrf_watch *w, enum vrf_event e, struct vrf *v)
{
	struct bgp *b = container_of(w, struct bgp, vrf_watch);

	if (e == VRF_CHANGE)
		bgp_groups_vrf_changed(b, v);
	bgp_rtc_changed(b->rtc);
	if (e != VRF_CHANGE)
		bgp_listen_update(b);
}

static void *start(const struct rib_env *env)
{
	struct bgp *b = xcalloc(1, sizeof(*b));

	b->env = *env;
	b->opt = options;
	list_init(&b->peers);
	list_init(&b->graves);
	list_init(&b->feeds);
	list_init(&b->listeners);
	timer_init(&b->grave_timer, env->jobs, grave_fn);
	b->workers = bgp_workers_new(b->opt.loop, b->opt.workers ? b->opt.workers : 1,
				     &bgp_peer_ops);
	if (!b->workers) {
		free(b);
		return NULL;
	}
	instance = b;
	bgp_policies_start(b);
	b->lu[AFI4] = bgp_lu_new(b, AF_INET);
	b->lu[AFI6] = bgp_lu_new(b, AF_INET6);
	b->rtc = bgp_rtc_new(b);
	b->retain = bgp_retain_new(b);
	bgp_restart_begin(b);
	bgp_config_subscribe(b);
	b->vrf_watch.event = on_vrf;
	vrf_watch(env->vrfs, &b->vrf_watch);
	return b;
}

/*
 * With graceful restart the peers see their connections break, and keep our routes for whom
 * comes next; without it they get a Cease.
 */
static void stop(void *inst)
{
	struct bgp *b = inst;
	struct bgp_peer *p, *tmp;

	vrf_unwatch(&b->vrf_watch);
	bgp_listen_stop(b);
	bgp_restart_stop(b);
	list_for_each_safe(p, tmp, &b->peers, struct bgp_peer, node) {
		if (p->session && b->gr_enabled)
			bgp_session_abandon(p->session);
		bgp_live_end(p);
		session_close(p, BGP_CEASE_SHUTDOWN);
		sources_flush(p);
		bgp_limit_end(p);
		bgp_policy_unbind(p);
		forget_refused(p);
		take_out(b, p);
		list_add_tail(&b->graves, &p->node);
	}
	timer_stop(&b->grave_timer);
	bgp_lu_free(b->lu[AFI4]);
	bgp_lu_free(b->lu[AFI6]);
	bgp_groups_end(b);
	bgp_rtc_free(b->rtc);
	bgp_retain_free(b->retain);
	bgp_policies_stop(b);
	bgp_workers_free(b->workers);
	hash_fini(&b->by_address);
	list_for_each_safe(p, tmp, &b->graves, struct bgp_peer, node) {
		list_del(&p->node);
		/* an imported copy may still refer to a source of it: those go with the tables */
		if (sources_idle(p))
			free(p);
	}
	instance = NULL;
	free(b);
}

const struct rib_proto bgp_proto = {
	.id = RIB_PROTO_BGP,
	.name = "bgp",
	.code = 'B',
	.start = start,
	.stop = stop,
};
