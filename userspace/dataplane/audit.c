// SPDX-License-Identifier: GPL-2.0
/*
 * dataplane/audit.c: does the forwarder hold what was acknowledged? Counts and digests of every table are
 * compared; a table that differs is read, and exactly the difference is mended and logged.
 *
 *      TABLES --differs--> read table --> compare in slices: missing, wrong --> program; extra --> delete
 *
 * It looks only while nothing is on its way, and starts over when something changed meanwhile: then
 * the counts are of two different moments. Before the sweep after a start old state is expected.
 */
#include "dataplane/sync_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/mem.h"

#define AGAIN_MS	1000
#define LOG_MENDS	16		/* lines for each table */

/* A table that differs. */
struct audit_table {
	struct audit_table *next;
	uint8_t object;
	uint32_t vrf;
};

struct audit_route {
	uint32_t nh;
	uint32_t label;
};

/**
 * struct audit - one run
 * @changes:	of the synchroniser when the counts were asked for
 * @todo:	tables that differ; the first is being worked on
 * @held:	routes that the forwarder reported, by prefix; those compared are taken out
 * @seen:	next hops or labels reported, by id or label
 */
struct audit {
	struct dp_sync *s;
	struct dp_dump *dump;
	struct job job;
	uint64_t changes;
	struct audit_table *todo;
	bool comparing, extras;
	struct trie held;
	struct prefix at;
	bool first;
	uint8_t *seen;
	uint32_t seen_size;
	uint64_t mended;
	unsigned int lines;
};

static void audit_again(struct dp_sync *s, uint64_t ms)
{
	if (!s->closing)
		timer_start(&s->audit_timer, ms);
}

static void audit_free(struct audit *a)
{
	struct audit_table *t;

	job_cancel(&a->job);
	if (a->dump)
		a->s->p->ops->dump_cancel(a->dump);
	while ((t = a->todo)) {
		a->todo = t->next;
		free(t);
	}
	trie_fini(&a->held, NULL, NULL);
	free(a->seen);
	a->s->audit = NULL;
	free(a);
}

static void audit_end(struct audit *a, enum dp_audit_state state)
{
	struct dp_sync *s = a->s;

	s->audit_state = state;
	s->audit_mends += a->mended;
	s->audits++;
	s->audit_time_us = clock_us();
	if (a->mended)
		log_warn("dataplane", "audit: %llu objects mended",
			 (unsigned long long)a->mended);
	audit_free(a);
	audit_again(s, s->env.audit_seconds ? s->env.audit_seconds * 1000ull : RETRY_MAX_MS);
}

static void mend(struct audit *a, const char *what, const char *object)
{
	a->mended++;
	if (++a->lines <= LOG_MENDS)
		log_warn("dataplane", "audit: %s was %s", object, what);
	else if (a->lines == LOG_MENDS + 1)
		log_warn("dataplane", "audit: and more in that table");
}

static void table_next(struct audit *a);

/* ---- routes ---- */

static void route_str(const struct audit *a, const struct prefix *p, char *buf, size_t len)
{
	const struct sync_vrf *sv = sync_vrf_by_id(a->s, a->todo->vrf);
	char pb[PREFIX_STRLEN];

	snprintf(buf, len, "vrf %s route %s", sv ? sv->name : "?", prefix_str(p, pb));
}

/* What is wanted against what is held. Returns false when all is compared. */
static bool routes_compare(struct audit *a, struct sync_table *t, unsigned int budget)
{
	struct audit_route *r;
	struct fib_dest dest;
	char buf[96];

	while (budget--) {
		if (!fib_route_next(a->s->fib, t->vrf->id, &a->at, a->first, &dest))
			return false;
		a->first = false;
		r = trie_get(&a->held, &a->at);
		if (dest.nh && (!r || r->nh != dest.nh->id || r->label != dest.label) &&
		    !sync_refused_find(t, &a->at)) {
			route_str(a, &a->at, buf, sizeof(buf));
			mend(a, r ? "wrong" : "missing", buf);
			window_route(a->s, t, &a->at, &dest);
		}
		if (r && dest.nh)
			trie_remove(&a->held, r);
	}
	return true;
}

/* What is left is wanted by nobody, unless it came to be wanted since. */
static bool routes_extras(struct audit *a, struct sync_table *t, unsigned int budget)
{
	struct fib_dest dest;
	struct prefix p;
	void *r;
	char buf[96];

	while (budget--) {
		r = trie_next(&a->held, NULL);
		if (!r)
			return false;
		p = trie_prefix(&a->held, r);
		trie_remove(&a->held, r);
		if (fib_route_get(a->s->fib, t->vrf->id, &p, &dest) && dest.nh)
			continue;
		route_str(a, &p, buf, sizeof(buf));
		mend(a, "extra", buf);
		window_route(a->s, t, &p, NULL);
	}
	return true;
}

static bool routes_job(struct audit *a, unsigned int budget)
{
	struct sync_vrf *sv = sync_vrf_by_id(a->s, a->todo->vrf);
	struct sync_table *t;

	if (!sv || !sv->wanted)
		return false;
	t = &sv->table[a->todo->object == L3VPN_OBJECT_ROUTE4 ? AFI4 : AFI6];
	if (!a->extras) {
		if (routes_compare(a, t, budget))
			return true;
		a->extras = true;
	}
	return routes_extras(a, t, budget);
}

/* ---- next hops and labels ---- */

static void seen_set(struct audit *a, uint32_t n)
{
	uint32_t size;

	if (n / 8 >= a->seen_size) {
		size = n / 4 + 64;
		a->seen = xrealloc(a->seen, size);
		memset(a->seen + a->seen_size, 0, size - a->seen_size);
		a->seen_size = size;
	}
	a->seen[n / 8] |= 1 << n % 8;
}

static bool seen_get(const struct audit *a, uint32_t n)
{
	return n / 8 < a->seen_size && a->seen[n / 8] & 1 << n % 8;
}

static void nh_row(struct audit *a, const struct dp_nh *nh)
{
	struct dp_sync *s = a->s;
	struct sync_nh *sn = nh->id < s->nhs_size ? s->nhs[nh->id] : NULL;
	char buf[48];

	snprintf(buf, sizeof(buf), "next hop %u", nh->id);
	if (!sn) {
		mend(a, "extra", buf);
		window_nh_del(s, nh->id);
		return;
	}
	seen_set(a, nh->id);
	if (sn->held == dp_digest_nh(nh))
		return;
	mend(a, "wrong", buf);
	window_nh(s, sn->nh);
}

static void label_row(struct audit *a, const struct l3vpn_label *held)
{
	struct fib_label *l = fib_label_find(a->s->fib, held->label);
	struct sync_label *sl = l ? l->dp : NULL;
	char buf[48];

	snprintf(buf, sizeof(buf), "label %u", held->label);
	if (!sl) {
		mend(a, "extra", buf);
		window_label_del(a->s, held->label);
		return;
	}
	seen_set(a, held->label);
	if (sl->held == dp_digest_label(held))
		return;
	mend(a, "wrong", buf);
	window_label(a->s, l);
}

static void endpoint_row(struct audit *a, const struct dp_endpoint *held)
{
	char addr[ADDR_STRLEN], buf[96];
	const char *what;

	if (a->s->changes != a->changes || !sync_endpoint_mend(a->s, held, &what))
		return;
	snprintf(buf, sizeof(buf), "%s endpoint %s", dp_encap_str(held->encap), addr_str(&held->address, addr));
	mend(a, what, buf);
	a->changes = a->s->changes;
}

/* Settings of VRFs and ports have no digest: each is compared, unless something changed meanwhile. */
static void settings_row(struct audit *a, const struct dp_row *row)
{
	const char *port = "";
	char buf[48];

	if (a->s->changes != a->changes)
		return;
	if (row->kind == DP_QUERY_VRFS) {
		if (!sync_vrf_mend(a->s, &row->vrf))
			return;
		snprintf(buf, sizeof(buf), "vrf %s", row->vrf.name);
	} else {
		if (!sync_port_mend(a->s, &row->port, &port))
			return;
		snprintf(buf, sizeof(buf), "port %s", port);
	}
	mend(a, "wrong", buf);
	a->changes = a->s->changes;	/* that was ourselves */
}

static void missing(struct audit *a)
{
	struct dp_sync *s = a->s;
	struct sync_label *sl;
	struct fib_label *l;
	char buf[48];
	uint32_t id;

	for (id = 1; a->todo->object == L3VPN_OBJECT_NH && id < s->nhs_size; id++)
		if (s->nhs[id] && s->nhs[id]->held && !seen_get(a, id)) {
			snprintf(buf, sizeof(buf), "next hop %u", id);
			mend(a, "missing", buf);
			window_nh(s, s->nhs[id]->nh);
		}
	if (a->todo->object == L3VPN_OBJECT_ENDPOINT && a->changes == s->changes) {
		for (id = sync_endpoint_missing(s); id; id--)
			mend(a, "missing", "endpoint");
		a->changes = s->changes;
	}
	if (a->todo->object != L3VPN_OBJECT_LABEL)
		return;
	for (l = fib_label_next(s->fib, NULL); l; l = fib_label_next(s->fib, l)) {
		sl = l->dp;
		if (sl && sl->held && !seen_get(a, l->label)) {
			snprintf(buf, sizeof(buf), "label %u", l->label);
			mend(a, "missing", buf);
			window_label(s, l);
		}
	}
}

/* ---- one table ---- */

static bool table_row(void *arg, const struct dp_row *row)
{
	struct audit *a = arg;
	struct audit_route *r;
	struct prefix p;
	bool created;

	if (row->kernel)
		return true;
	switch (row->kind) {
	case DP_QUERY_ROUTES4:
		p = prefix_make(AF_INET, &row->r4.prefix, row->r4.plen);
		r = trie_insert(&a->held, &p, &created);
		*r = (struct audit_route){ row->r4.nh, row->r4.label };
		break;
	case DP_QUERY_ROUTES6:
		p = prefix_make(AF_INET6, row->r6.prefix, row->r6.plen);
		r = trie_insert(&a->held, &p, &created);
		*r = (struct audit_route){ row->r6.nh, row->r6.label };
		break;
	case DP_QUERY_NHS:
		nh_row(a, &row->nh);
		break;
	case DP_QUERY_LABELS:
		label_row(a, &row->label);
		break;
	case DP_QUERY_VRFS:
	case DP_QUERY_PORTS:
		settings_row(a, row);
		break;
	case DP_QUERY_ENDPOINTS:
		endpoint_row(a, &row->endpoint);
		break;
	default:
		break;
	}
	return true;
}

static bool table_job(struct job *job, unsigned int budget)
{
	struct audit *a = container_of(job, struct audit, job);
	struct audit_table *t = a->todo;

	if (t->object == L3VPN_OBJECT_ROUTE4 || t->object == L3VPN_OBJECT_ROUTE6) {
		if (routes_job(a, budget))
			return true;
	} else {
		missing(a);
	}
	a->todo = t->next;
	free(t);
	table_next(a);
	return false;
}

static void table_done(void *arg, int error, const char *why)
{
	struct audit *a = arg;

	a->dump = NULL;
	if (error == ECANCELED || error == ENODEV) {
		audit_end(a, DP_AUDIT_FAILED);
		return;
	}
	if (error) {
		log_warn("dataplane", "audit: cannot read a table: %s", why);
		audit_end(a, DP_AUDIT_FAILED);
		return;
	}
	job_schedule(&a->job);
}

static const struct dp_dump_ops table_ops = { .row = table_row, .done = table_done };

static void table_next(struct audit *a)
{
	struct dp_query q = { 0 };

	if (!a->todo) {
		audit_end(a, a->mended ? DP_AUDIT_MENDED : DP_AUDIT_EQUAL);
		return;
	}
	a->lines = 0;
	a->extras = false;
	a->first = true;
	memset(&a->at, 0, sizeof(a->at));
	if (a->seen)
		memset(a->seen, 0, a->seen_size);
	trie_fini(&a->held, NULL, NULL);
	q.vrf = a->todo->vrf;
	switch (a->todo->object) {
	case L3VPN_OBJECT_ROUTE4:
		q.kind = DP_QUERY_ROUTES4;
		a->at.addr.family = AF_INET;
		break;
	case L3VPN_OBJECT_ROUTE6:
		q.kind = DP_QUERY_ROUTES6;
		a->at.addr.family = AF_INET6;
		break;
	case L3VPN_OBJECT_NH:
		q.kind = DP_QUERY_NHS;
		break;
	case L3VPN_OBJECT_VRF:
		q.kind = DP_QUERY_VRFS;
		break;
	case L3VPN_OBJECT_PORT:
		q.kind = DP_QUERY_PORTS;
		break;
	case L3VPN_OBJECT_ENDPOINT:
		q.kind = DP_QUERY_ENDPOINTS;
		break;
	default:
		q.kind = DP_QUERY_LABELS;
	}
	trie_init(&a->held, a->at.addr.family ? a->at.addr.family : AF_INET,
		  sizeof(struct audit_route));
	a->dump = a->s->p->ops->dump(a->s->p, &q, &table_ops, a);
	if (!a->dump)
		audit_end(a, DP_AUDIT_FAILED);
}

/* ---- counts and digests ---- */

static void todo_first(struct audit *a, uint8_t object)
{
	struct audit_table *t = xcalloc(1, sizeof(*t));

	t->object = object;
	t->next = a->todo;
	a->todo = t;
}

static bool tables_row(void *arg, const struct dp_row *row)
{
	struct audit *a = arg;
	struct audit_table *t, **last;
	struct dp_expect e;

	if (row->object == L3VPN_OBJECT_VRF || row->object == L3VPN_OBJECT_PORT)
		return true;	/* their coming and going is told by events; settings: tables_done() */
	dp_sync_expect(a->s, row->object, row->table, &e);
	if (row->count == e.count && row->digest == e.digest)
		return true;
	t = xcalloc(1, sizeof(*t));
	t->object = row->object;
	t->vrf = row->table;
	/* next hops first: routes refer to them */
	for (last = &a->todo; *last && t->object != L3VPN_OBJECT_NH; last = &(*last)->next)
		;
	t->next = *last;
	*last = t;
	return true;
}

static void tables_done(void *arg, int error, const char *why)
{
	struct audit *a = arg;
	struct dp_sync *s = a->s;

	a->dump = NULL;
	if (error == ECANCELED || error == ENODEV) {
		audit_end(a, DP_AUDIT_FAILED);
		return;
	}
	if (error == EINTR || a->changes != s->changes || s->in_flight) {
		audit_free(a);
		audit_again(s, AGAIN_MS);
		return;
	}
	if (error) {
		log_warn("dataplane", "audit: cannot ask for counts: %s", why);
		audit_end(a, DP_AUDIT_FAILED);
		return;
	}
	todo_first(a, L3VPN_OBJECT_PORT);
	todo_first(a, L3VPN_OBJECT_VRF);
	table_next(a);
}

static const struct dp_dump_ops tables_ops = { .row = tables_row, .done = tables_done };

void audit_start(struct dp_sync *s)
{
	struct dp_query q = { .kind = DP_QUERY_TABLES };
	struct audit *a;

	if (s->audit || s->closing || !s->present || !s->sweep_done)
		return;
	if (s->windowed || s->in_flight || s->programming) {
		audit_again(s, AGAIN_MS);
		return;
	}
	a = xcalloc(1, sizeof(*a));
	a->s = s;
	a->changes = s->changes;
	trie_init(&a->held, AF_INET, sizeof(struct audit_route));
	job_init(&a->job, s->env.jobs, "dataplane audit", table_job);
	s->audit = a;
	a->dump = s->p->ops->dump(s->p, &q, &tables_ops, a);
	if (!a->dump)
		audit_end(a, DP_AUDIT_FAILED);
}

void audit_stop(struct dp_sync *s)
{
	if (s->audit)
		audit_free(s->audit);
}

void audit_due(struct timer *t)
{
	struct dp_sync *s = container_of(t, struct dp_sync, audit_timer);

	audit_start(s);
	if (!s->audit && !timer_running(&s->audit_timer))
		audit_again(s, s->env.audit_seconds ? s->env.audit_seconds * 1000ull :
			    RETRY_MAX_MS);
}

void dp_sync_audit(struct dp_sync *s)
{
	audit_start(s);
}
