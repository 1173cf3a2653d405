// SPDX-License-Identifier: GPL-2.0
/*
 * Neighbours: from adjacencies to a session (RFC 5036 section 2.5.2, RFC 7552 section 6.1.1), who connects and when
 * again, whose an address is. Contracts in private.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ldp/private.h"
#include "lib/log.h"
#include "lib/mem.h"

#define FAMILY_WAIT_MS 10000	/* for Hellos of the family that both sides prefer */
#define CONNECT_RETRY_MAX 4	/* seconds; a daemon that starts again is back soon */
#define TTL_MAX 255

static int id_cmp(const struct ldp_id *a, const struct ldp_id *b)
{
	int d = memcmp(a->lsr, b->lsr, 4);

	return d ? d : (int)a->space - (int)b->space;
}

struct ldp_peer *peer_find(const struct ldp *l, const struct ldp_id *id)
{
	struct ldp_peer *p;

	list_for_each(p, &l->peers, struct ldp_peer, node)
		if (ldp_id_eq(&p->id, id))
			return p;
	return NULL;
}

static void on_retry(struct timer *t)
{
	peer_update(container_of(t, struct ldp_peer, retry));
}

static uint16_t take_index(struct ldp *l, struct ldp_peer *p)
{
	unsigned int i;

	for (i = 0; i < l->peer_room && l->peer_at[i]; i++)
		;
	if (i == l->peer_room) {
		l->peer_room += 16;
		l->peer_at = xrealloc(l->peer_at, l->peer_room * sizeof(struct ldp_peer *));
		memset(l->peer_at + i, 0, 16 * sizeof(struct ldp_peer *));
	}
	l->peer_at[i] = p;
	return i;
}

struct ldp_peer *peer_get(struct ldp *l, const struct ldp_id *id)
{
	struct ldp_peer *p = peer_find(l, id), *at;
	struct list *before = &l->peers;
	struct ip_addr a = addr_make(AF_INET, id->lsr);
	char text[ADDR_STRLEN];

	if (p || l->n_peers >= LDP_NEIGHBORS_MAX)
		return p;
	p = xcalloc(1, sizeof(*p));
	p->ldp = l;
	p->id = *id;
	p->index = take_index(l, p);
	snprintf(p->name, sizeof(p->name), id->space ? "%s:%u" : "%s", addr_str(&a, text), id->space);
	list_init(&p->adjs);
	list_init(&p->addresses);
	timer_init(&p->retry, l->env.jobs, on_retry);
	out_init(p);
	restart_helper_init(p);
	list_for_each(at, &l->peers, struct ldp_peer, node) {
		if (id_cmp(&at->id, id) > 0) {
			before = &at->node;
			break;
		}
	}
	list_insert(&p->node, before->prev, before);
	l->n_peers++;
	return p;
}

static void set_key(struct ldp_peer *p, uint8_t family, const struct ip_addr *transport)
{
	struct ip_addr *had = &p->keyed[family_afi(family)];
	const char *password = transport ? peer_password(p) : "";
	struct ldp *l = p->ldp;

	if (addr_is_set(had) && (!password[0] || !addr_eq(had, transport))) {
		l->net->key(l->net_arg, had, "");
		had->family = 0;
	}
	if (!password[0])
		return;
	*had = *transport;
	l->net->key(l->net_arg, had, password);
}

void peer_free(struct ldp_peer *p)
{
	struct ldp *l = p->ldp;

	while (!list_empty(&p->adjs))
		adj_free(list_first(&p->adjs, struct ldp_adj, node));
	set_key(p, AF_INET, NULL);
	set_key(p, AF_INET6, NULL);
	timer_stop(&p->retry);
	restart_helper_stop(p);
	out_stop(p);
	fec_sweep(p, FEC_FORGET);
	peer_forget_addresses(p);
	list_del(&p->node);
	l->peer_at[p->index] = NULL;
	l->n_peers--;
	free(p->queue);
	free(p);
}

/* ---- settings of a peer ---- */

const char *peer_password(const struct ldp_peer *p)
{
	const struct ldp_neighbor_settings *n = ldp_neighbor_settings(p->ldp, p);

	return n ? n->password : "";
}

uint16_t peer_keepalive(const struct ldp_peer *p)
{
	const struct ldp_neighbor_settings *n = ldp_neighbor_settings(p->ldp, p);

	return n && n->holdtime ? n->holdtime : p->ldp->set.holdtime;
}

uint8_t peer_min_ttl(const struct ldp_peer *p, uint8_t family)
{
	const struct ldp_neighbor_settings *n = ldp_neighbor_settings(p->ldp, p);
	bool gtsm, link;

	if (n && n->ttl_disable)
		return 0;
	if (n && n->ttl_hops)
		return TTL_MAX + 1 - n->ttl_hops;
	adj_any(p, family, &gtsm, &link);
	/* RFC 6720: where both offer it; RFC 7552 section 9: always, on a link */
	return family == AF_INET ? (gtsm ? TTL_MAX : 0) : (link ? TTL_MAX : 0);
}

/* ---- over which family, from where to where ---- */

static bool any_dual(const struct ldp_peer *p)
{
	const struct ldp_adj *a;

	list_for_each(a, &p->adjs, struct ldp_adj, node)
		if (a->dual_stack)
			return true;
	return false;
}

static bool both(const struct ldp *l)
{
	return l->set.family[AFI4].on && l->set.family[AFI6].on;
}

/* RFC 7552 section 6.1.1, rule 3: it speaks both, and does not say which it prefers */
static bool is_noncompliant(const struct ldp_peer *p)
{
	return both(p->ldp) && !any_dual(p) && adj_of_family(p, AF_INET) && adj_of_family(p, AF_INET6);
}

/* the adjacency that the session goes by; NULL: none yet */
static const struct ldp_adj *transport_adj(struct ldp_peer *p)
{
	const struct ldp_adj *v4 = adj_of_family(p, AF_INET), *v6 = adj_of_family(p, AF_INET6);
	const struct ldp_adj *preferred, *other;
	struct ldp *l = p->ldp;
	uint64_t waited;

	if (!both(l) || !any_dual(p))
		return v6 ? v6 : v4;
	preferred = l->set.prefer_ipv4 ? v4 : v6;
	other = l->set.prefer_ipv4 ? v6 : v4;
	if (preferred)
		return preferred;
	waited = (jobs_clock_us(l->env.jobs) - p->since_us) / 1000;
	if (waited >= FAMILY_WAIT_MS)
		return other;
	p->family_wait = true;
	timer_start(&p->retry, FAMILY_WAIT_MS - waited);
	return NULL;
}

static void retry_later(struct ldp_peer *p)
{
	uint32_t s = p->failures < 5 ? 1u << p->failures : CONNECT_RETRY_MAX;

	p->failures++;
	timer_start(&p->retry, (s < CONNECT_RETRY_MAX ? s : CONNECT_RETRY_MAX) * 1000);
}

static void peer_connect(struct ldp_peer *p, const struct ip_addr *local, const struct ip_addr *remote)
{
	struct ldp *l = p->ldp;
	struct ldp_net_tcp tcp = { .local = *local, .remote = *remote, .password = peer_password(p),
				   .min_ttl = peer_min_ttl(p, remote->family) };
	struct ldp_session *s = session_new(l, p, true);

	s->local = *local;
	s->remote = *remote;
	s->gtsm = tcp.min_ttl;
	s->password = tcp.password[0];
	p->session = s;
	s->conn = l->net->connect(l->net_arg, &tcp, s);
	if (!s->conn)
		ldp_net_closed(s, "cannot connect");
}

static void session_check(struct ldp_peer *p)
{
	const struct ldp_session *s = p->session;
	const struct ldp_adj *a;
	uint32_t status = LDP_HOLD_EXPIRED;
	const char *why = "no adjacency to its transport address is left";

	if (p->noncompliant) {
		session_fault(p->session, LDP_DUAL_STACK_NONCOMPLIANCE, "Hellos of both families without a preference");
		return;
	}
	list_for_each(a, &p->adjs, struct ldp_adj, node) {
		if (a->family != s->remote.family)
			continue;
		if (addr_eq(&a->transport, &s->remote))
			return;
		status = LDP_SHUTDOWN;
		why = "its transport address changed";
	}
	session_fault(p->session, status, why);
}

void peer_update(struct ldp_peer *p)
{
	struct ldp *l = p->ldp;
	const struct ip_addr *local;
	const struct ldp_adj *a;

	if (!l->running)
		return;
	if (is_noncompliant(p) && !p->noncompliant)
		log_err("ldp", "%s: sends Hellos of both families without a transport preference: no session",
			p->name);
	p->noncompliant = is_noncompliant(p);
	list_for_each(a, &p->adjs, struct ldp_adj, node)
		set_key(p, a->family, &a->transport);
	if (p->session) {
		session_check(p);
		return;
	}
	if (list_empty(&p->adjs)) {
		if (p->gr == LDP_GR_NONE)
			peer_free(p);
		return;
	}
	if (p->noncompliant || (timer_running(&p->retry) && !p->family_wait))
		return;
	p->family_wait = false;
	a = transport_adj(p);
	if (!a)
		return;
	timer_stop(&p->retry);
	local = &l->set.family[family_afi(a->family)].transport;
	if (addr_cmp(local, &a->transport) > 0)
		peer_connect(p, local, &a->transport);
}

void peer_route_changed(struct ldp *l, const struct prefix *route)
{
	const struct ldp_adj *a;
	struct ldp_peer *p;
	bool within;

	list_for_each(p, &l->peers, struct ldp_peer, node) {
		if (p->session || !p->failures || p->backoff || !timer_running(&p->retry))
			continue;
		within = false;
		list_for_each(a, &p->adjs, struct ldp_adj, node)
			within |= prefix_contains_addr(route, &a->transport);
		if (!within)
			continue;
		p->failures = 0;
		timer_start(&p->retry, 0);
	}
}

void peer_adj_lost(struct ldp_peer *p, const char *why)
{
	if (p->session && !adj_of_family(p, p->session->remote.family)) {
		/* RFC 5036 section 2.5.5 */
		p->session->lost = true;
		session_fault(p->session, LDP_HOLD_EXPIRED, why);
	}
	peer_update(p);
}

/* ---- a session came, or went ---- */

/* RFC 7552 section 7: which bindings are exchanged */
static void choose_families(struct ldp_peer *p)
{
	struct ldp *l = p->ldp;
	bool dual = any_dual(p);
	int afi;

	for (afi = 0; afi < AFI_MAX; afi++)
		p->family[afi] = l->set.family[afi].on &&
				 (!both(l) || dual || adj_of_family(p, afi_family(afi)));
}

void peer_session_up(struct ldp_session *s)
{
	struct ldp_peer *p = s->peer;
	char text[ADDR_STRLEN];

	p->backoff = 0;
	p->failures = 0;
	p->sessions++;
	p->up_us = jobs_clock_us(p->ldp->env.jobs);
	p->lib_told = p->overfull = false;
	p->end_of_lib[AFI4] = p->end_of_lib[AFI6] = false;
	choose_families(p);
	log_notice("ldp", "%s: session with %s is operational%s%s", p->name, addr_str(&s->remote, text),
		   s->password ? ", MD5" : "", s->gtsm ? ", GTSM" : "");
	restart_helper_up(p);
	peer_learn_link_local(p);
	own_tell_all(p);
	out_everything(p, false);
	restart_check(p->ldp);
}

void peer_session_down(struct ldp_session *s, bool refused, bool lost, const char *why)
{
	const struct ldp_settings *set = &s->ldp->set;
	bool operational = s->state == LDP_OPERATIONAL;
	struct ldp_peer *p = s->peer;

	p->session = NULL;
	p->family_wait = false;
	p->up_us = 0;
	snprintf(p->last_error, sizeof(p->last_error), "%s", why);
	if (operational || s->state != LDP_CONNECTING)
		log_notice("ldp", "%s: session ended (%s): %s", p->name, session_state_str(s->state), why);
	else
		log_info("ldp", "%s: cannot connect: %s", p->name, why);
	if (operational) {
		out_stop(p);
		if (restart_helper_down(p, lost)) {
			fec_sweep(p, FEC_KEEP_STALE);
		} else {
			fec_sweep(p, FEC_FORGET);
			peer_forget_addresses(p);
		}
	}
	if (refused) {
		p->backoff = p->backoff ? p->backoff * 2 : set->backoff_initial;
		if (p->backoff > set->backoff_maximum)
			p->backoff = set->backoff_maximum;
		timer_start(&p->retry, p->backoff * 1000ull);
	} else if (operational) {
		timer_start(&p->retry, 100);
	} else {
		retry_later(p);
	}
}

/* ---- whose an address is ---- */

static bool match_address(const struct hash_node *n, const void *key)
{
	return addr_eq(&hash_entry(n, struct ldp_address, node)->addr, key);
}

static struct ldp_address *address_of(const struct ldp_peer *p, const struct ip_addr *a, int ifindex)
{
	struct hash_node *n = hash_find(&p->ldp->addresses, addr_hash(a, 0), match_address, a);
	struct ldp_address *at;

	/* the same one of another peer has the same hash, and is in the same chain */
	for (; n; n = n->next) {
		at = hash_entry(n, struct ldp_address, node);
		if (at->peer == p && at->ifindex == ifindex && addr_eq(&at->addr, a))
			return at;
	}
	return NULL;
}

bool peer_add_address(struct ldp_peer *p, const struct ip_addr *a, int ifindex)
{
	struct ldp_address *at = address_of(p, a, ifindex);

	if (at || p->n_addresses >= LDP_ADDRESSES_MAX)
		return false;
	at = xcalloc(1, sizeof(*at));
	at->peer = p;
	at->addr = *a;
	at->ifindex = ifindex;
	hash_insert(&p->ldp->addresses, &at->node, addr_hash(a, 0));
	list_add_tail(&p->addresses, &at->of_peer);
	p->n_addresses++;
	return true;
}

static void address_free(struct ldp_address *at)
{
	at->peer->n_addresses--;
	hash_remove(&at->peer->ldp->addresses, &at->node);
	list_del(&at->of_peer);
	free(at);
}

bool peer_del_address(struct ldp_peer *p, const struct ip_addr *a)
{
	struct ldp_address *at = address_of(p, a, 0);

	if (at)
		address_free(at);
	return at;
}

void peer_forget_addresses(struct ldp_peer *p)
{
	while (!list_empty(&p->addresses))
		address_free(list_first(&p->addresses, struct ldp_address, of_peer));
}

static bool adjacent_on(const struct ldp_peer *p, int ifindex)
{
	const struct ldp_adj *a;

	list_for_each(a, &p->adjs, struct ldp_adj, node)
		if (a->iface && a->iface->ifindex == ifindex)
			return true;
	return false;
}

/* RFC 7552 section 8: a link-local next hop is whoever sends Hellos from it on that link */
void peer_learn_link_local(struct ldp_peer *p)
{
	const struct ldp_adj *a;

	list_for_each(a, &p->adjs, struct ldp_adj, node)
		if (a->iface && a->iface->ifindex && a->family == AF_INET6 && addr_is_link_local(&a->source))
			peer_add_address(p, &a->source, a->iface->ifindex);
}

struct ldp_peer *peer_by_address(const struct ldp *l, const struct ip_addr *a, int ifindex)
{
	bool near = false, here, local = a->family == AF_INET6 && addr_is_link_local(a);
	struct ldp_peer *best = NULL;
	struct ldp_address *at;
	struct hash_node *n;

	n = hash_find(&l->addresses, addr_hash(a, 0), match_address, a);
	/* several may claim it: whose Hellos come on that link, else the lowest LSR Id */
	for (; n; n = n->next) {
		at = hash_entry(n, struct ldp_address, node);
		if (!addr_eq(&at->addr, a) || !peer_usable(at->peer) || at->ifindex != (local ? ifindex : 0))
			continue;
		here = adjacent_on(at->peer, ifindex);
		if (!best || (here && !near) ||
		    (here == near && id_cmp(&at->peer->id, &best->id) < 0)) {
			best = at->peer;
			near = here;
		}
	}
	return best;
}

/* ---- for show ---- */

static void list_adjacencies(const struct ldp_peer *p, char *buf, size_t size)
{
	const struct ldp_adj *a;
	char text[ADDR_STRLEN];
	size_t len = 0;

	buf[0] = '\0';
	list_for_each(a, &p->adjs, struct ldp_adj, node) {
		const char *where = a->iface ? a->iface->set.name : addr_str(&a->target->addr, text);
		int n;

		if (len + strlen(where) + 4 > size)
			break;
		/* one of each family on the same link is one to the reader */
		if (a->iface && a->family == AF_INET6 && strstr(buf, where))
			continue;
		n = snprintf(buf + len, size - len, "%s%s", len ? ", " : "", where);
		len += n;
	}
}

static void fill(const struct ldp_peer *p, struct ldp_neighbor_info *i)
{
	const struct ldp_session *s = p->session;
	const struct ldp_adj *a;

	memset(i, 0, sizeof(*i));
	snprintf(i->id, sizeof(i->id), "%s", p->name);
	i->state = session_state_str(s ? s->state : LDP_NON_EXISTENT);
	i->graceful = restart_helper_str(p);
	i->session = s;
	i->operational = peer_up(p);
	if (s) {
		i->active = s->active;
		i->local = s->local;
		i->remote = s->remote;
		i->keepalive = s->keepalive;
		i->max_pdu = s->max_pdu;
		i->gtsm = s->gtsm;
		i->password = s->password;
	} else if (!list_empty(&p->adjs)) {
		a = list_first(&p->adjs, struct ldp_adj, node);
		i->remote = a->transport;
		i->local = p->ldp->set.family[family_afi(a->family)].transport;
		i->active = addr_cmp(&i->local, &i->remote) > 0;
	}
	i->up_us = p->up_us;
	i->received = p->received;
	i->advertised = p->advertised;
	i->dynamic = p->caps & LDP_HAVE_CAP_DYNAMIC;
	i->typed = p->caps & LDP_HAVE_CAP_TYPED;
	i->unrecognized = p->caps & LDP_HAVE_CAP_UNREC;
	i->peer_graceful = p->graceful;
	memcpy(i->end_of_lib, p->end_of_lib, sizeof(i->end_of_lib));
	memcpy(i->family, p->family, sizeof(i->family));
	i->reconnect_ms = p->reconnect_ms;
	i->recovery_ms = p->recovery_ms;
	i->pdus_in = p->pdus_in;
	i->pdus_out = p->pdus_out;
	i->sessions = p->sessions;
	i->faults = p->faults;
	list_adjacencies(p, i->adjacencies, sizeof(i->adjacencies));
	snprintf(i->last_error, sizeof(i->last_error), "%s", p->last_error);
}

static bool name_id(const char *name, struct ldp_id *id)
{
	unsigned int a, b, c, d, space = 0;

	if (sscanf(name, "%u.%u.%u.%u:%u", &a, &b, &c, &d, &space) < 4)
		return false;
	*id = (struct ldp_id){ .lsr = { a, b, c, d }, .space = space };
	return true;
}

bool ldp_neighbor_next(const struct ldp *l, const char *after, struct ldp_neighbor_info *info)
{
	const struct ldp_peer *p;
	struct ldp_id id;

	if (after && !name_id(after, &id))
		return false;
	list_for_each(p, &l->peers, struct ldp_peer, node) {
		if (after && id_cmp(&p->id, &id) <= 0)
			continue;
		fill(p, info);
		return true;
	}
	return false;
}

unsigned int ldp_clear(struct ldp *l, const char *id)
{
	struct ldp_peer *p, *tmp;
	unsigned int n = 0;

	list_for_each_safe(p, tmp, &l->peers, struct ldp_peer, node) {
		if (id && strcmp(id, p->name))
			continue;
		if (!p->session)
			continue;
		session_fault(p->session, LDP_SHUTDOWN, "cleared by the operator");
		n++;
	}
	return n;
}
