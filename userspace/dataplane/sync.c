// SPDX-License-Identifier: GPL-2.0
/*
 * dataplane/sync.c: the synchroniser's life: what the forwarder held at start is adopted, its going and
 * coming back is followed, refusals are retried with growing pauses, what nobody wants is swept.
 */
#include "dataplane/sync_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/mem.h"

#define SWEEP_QUIET_MS	500
#define LOG_REFUSALS	8		/* lines between two retries */

/* ---- refusals ---- */

void sync_refusal(struct dp_sync *s, const struct dp_op *op)
{
	char buf[160];

	s->refused++;
	dp_op_str(op, buf, sizeof(buf));
	snprintf(s->last_refusal, sizeof(s->last_refusal), "%.110s: %.80s", buf,
		 op->why ? op->why : strerror(op->error));
	if (op->error == ENOSPC)	/* a full table is told once, when it becomes full */
		log_debug("dataplane", "refused: %s", s->last_refusal);
	else if (s->refused % 1024 <= LOG_REFUSALS)
		log_warn("dataplane", "refused: %s", s->last_refusal);
	if (!timer_running(&s->retry))
		timer_start(&s->retry, s->retry_ms);
}

uint32_t sync_failed(const struct dp_sync *s)
{
	const struct sync_label *sl;
	const struct sync_nh *sn;
	uint32_t n = s->failed_routes + s->nh_dead_n + sync_ports_failed(s);
	struct dp_expect endpoints;

	sync_endpoint_expect(s, &endpoints);
	n += endpoints.failed;
	list_for_each(sn, &s->failed_nhs, struct sync_nh, failed)
		n++;
	list_for_each(sl, &s->failed_labels, struct sync_label, failed)
		n++;
	return n;
}

static void retry_due(struct timer *t)
{
	struct dp_sync *s = container_of(t, struct dp_sync, retry);
	bool any;

	if (!s->present || !s->started)
		return;
	any = sync_port_retry(s);
	any |= sync_endpoint_retry(s);
	if (!any && !s->failed_routes && !s->nh_dead_n && list_empty(&s->failed_nhs) &&
	    list_empty(&s->failed_labels)) {
		s->retry_ms = RETRY_MIN_MS;
		return;
	}
	sync_fib_retry(s);
	s->retry_ms = s->retry_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : s->retry_ms * 2;
	timer_start(&s->retry, s->retry_ms);
}

void sync_retry_soon(struct dp_sync *s)
{
	s->retry_ms = RETRY_MIN_MS;
	timer_start(&s->retry, s->retry_ms);
}

/* ---- programming everything ---- */

static bool program_job(struct job *job, unsigned int budget)
{
	struct dp_sync *s = container_of(job, struct dp_sync, program);
	struct sync_walk *w = &s->walk;
	struct sync_vrf *sv;
	struct fib_dest dest;
	struct vrf *v;

	while (budget) {
		v = vrf_find(s->env.vrfs, w->vrf);
		sv = v ? sync_vrf_by_id(s, v->id) : NULL;
		while (sv && w->afi < AFI_MAX && budget) {
			w->prefix.addr.family = afi_family(w->afi);
			if (!fib_route_next(s->fib, sv->id, &w->prefix, w->first, &dest)) {
				w->afi++;
				w->first = true;
				memset(&w->prefix, 0, sizeof(w->prefix));
				continue;
			}
			w->first = false;
			if (dest.nh)
				window_route(s, &sv->table[w->afi], &w->prefix, &dest);
			budget--;
		}
		if (!budget)
			return true;
		v = vrf_after(s->env.vrfs, w->vrf);
		if (!v) {
			s->programming = false;
			return false;
		}
		snprintf(w->vrf, sizeof(w->vrf), "%s", v->name);
		w->afi = 0;
		w->first = true;
		memset(&w->prefix, 0, sizeof(w->prefix));
		budget--;
	}
	return true;
}

void sync_program_all(struct dp_sync *s)
{
	if (!s->present || !s->started)
		return;
	sync_port_program(s);
	sync_endpoint_program(s);
	sync_fib_program(s);
	memset(&s->walk, 0, sizeof(s->walk));
	s->walk.first = true;
	s->walk.afi = AFI_MAX;
	s->programming = true;
	job_schedule(&s->program);
}

static bool flush_job(struct job *job, unsigned int budget)
{
	(void)budget;
	window_flush(container_of(job, struct dp_sync, flush));
	return false;
}

/* ---- adoption ---- */

static bool adopt_row(void *arg, const struct dp_row *row)
{
	struct dp_sync *s = arg;

	if (row->kind == DP_QUERY_VRFS)
		vrf_reserve_id(s->env.vrfs, row->vrf.name, row->vrf.id);
	else if (row->kind == DP_QUERY_NHS && !row->kernel)
		sync_adopt_nh(s, &row->nh);
	return true;
}

static void adopt_done(void *arg, int error, const char *why);

static const struct dp_dump_ops adopt_ops = { .row = adopt_row, .done = adopt_done };

static void adopt_end(struct dp_sync *s)
{
	int err = s->p->ops->epoch_begin(s->p, &s->epoch);

	if (err) {
		log_err("dataplane", "cannot open an epoch: %s", strerror(err));
		s->adopt_failed = true;
		return;
	}
	s->adopted = s->started = true;
	sync_program_all(s);
}

static void adopt_done(void *arg, int error, const char *why)
{
	struct dp_sync *s = arg;

	if (error == ECANCELED)
		return;
	if (error && error != EINTR) {
		log_err("dataplane", "cannot read what the forwarder holds: %s", why);
		s->adopt_failed = true;
		return;
	}
	if (!--s->adopting)
		adopt_end(s);
}

static void adopt(struct dp_sync *s, const struct dp_info *info)
{
	struct dp_query vrfs = { .kind = DP_QUERY_VRFS }, nhs = { .kind = DP_QUERY_NHS };

	s->preserved[AFI4] = info->vrfs && (info->routes4 || info->labels);
	s->preserved[AFI6] = info->vrfs && (info->routes6 || info->labels);
	s->preserved_labels = info->labels;
	if (info->vrfs)
		log_notice("dataplane", "the forwarder holds %u VRFs, %llu routes, %u labels: kept",
			   info->vrfs, (unsigned long long)(info->routes4 + info->routes6),
			   info->labels);
	s->adopting = 2;
	if (!s->p->ops->dump(s->p, &vrfs, &adopt_ops, s) ||
	    !s->p->ops->dump(s->p, &nhs, &adopt_ops, s))
		s->adopt_failed = true;
}

/* ---- the forwarder ---- */

static void on_ready(void *arg)
{
	struct dp_sync *s = arg;
	struct dp_info info;
	int err = s->p->ops->info(s->p, &info);

	if (err) {
		log_err("dataplane", "cannot ask the forwarder: %s", strerror(err));
		s->adopt_failed |= !s->adopted;
		return;
	}
	s->present = true;
	if (!s->adopted) {
		s->instance = info.instance;
		adopt(s, &info);
		return;
	}
	log_notice("dataplane", "the forwarder is back%s: programming everything",
		   info.instance != s->instance ? ", and empty" : "");
	if (info.instance != s->instance) {
		s->reloads++;
		s->sweep_done = true;		/* nothing is left to sweep */
		s->preserved[AFI4] = s->preserved[AFI6] = s->preserved_labels = false;
	}
	s->instance = info.instance;
	s->p->ops->epoch_begin(s->p, &s->epoch);
	s->retry_ms = RETRY_MIN_MS;
	sync_program_all(s);
}

static void on_gone(void *arg)
{
	struct dp_sync *s = arg;

	s->present = false;
	if (s->on_packet)
		s->on_packet(s->on_packet_arg, NULL);
	s->on_packet = NULL;
	window_drop(s);
	job_cancel(&s->program);
	s->programming = false;
	audit_stop(s);
	sync_port_lost(s);
	sync_endpoint_lost(s);
	sync_fib_lost(s);
}

static void on_event(void *arg, const struct dp_event *event)
{
	struct dp_sync *s = arg;

	if (s->started)
		sync_port_event(s, event);
}

static void on_lost(void *arg)
{
	struct dp_sync *s = arg;

	sync_retry_soon(s);
	dp_sync_audit(s);
}

static void on_drop(void *arg, const struct dp_drop *drop)
{
	struct dp_sync *s = arg;

	if (s->on_drop)
		s->on_drop(s->on_drop_arg, drop);
}

static void on_packet(void *arg, const struct dp_packet *packet)
{
	struct dp_sync *s = arg;

	if (s->on_packet)
		s->on_packet(s->on_packet_arg, packet);
}

/* ---- sweep ---- */

static void sweep_done(void *arg, int error, uint64_t swept)
{
	struct dp_sync *s = arg;
	struct hash_node *n;

	if (error == ECANCELED)
		return;
	s->sweep_running = false;
	if (error) {
		log_err("dataplane", "sweep: %s", strerror(error));
		timer_start(&s->sweep_timer, RETRY_MAX_MS);
		return;
	}
	s->sweep_done = true;
	s->swept += swept;
	log_notice("dataplane", "swept %llu objects that nobody wants any more",
		   (unsigned long long)swept);
	while ((n = hash_drain(&s->adopted_nhs))) {
		struct sync_adopted *a = hash_entry(n, struct sync_adopted, node);

		dp_nh_free(a->nh);
		free(a);
	}
	dp_sync_audit(s);
}

static void sweep_due(struct timer *t)
{
	struct dp_sync *s = container_of(t, struct dp_sync, sweep_timer);

	if (s->sweep_done || s->sweep_running || !s->present)
		return;
	if (s->windowed || s->in_flight || s->programming || s->sweep_seen != s->changes ||
	    jobs_pending(s->env.jobs)) {
		s->sweep_seen = s->changes;
		timer_start(&s->sweep_timer, SWEEP_QUIET_MS);
		return;
	}
	s->sweep_running = true;
	s->p->ops->sweep(s->p, s->epoch, 0, sweep_done, s);
}

void dp_sync_restart_done(struct dp_sync *s)
{
	if (s->sweep_wanted)
		return;
	s->sweep_wanted = true;
	timer_start(&s->sweep_timer, SWEEP_QUIET_MS);
}

/* ---- what others ask ---- */

bool dp_sync_adopted(const struct dp_sync *s, bool *failed)
{
	*failed = s->adopt_failed;
	return s->adopted;
}

bool dp_sync_preserved(const struct dp_sync *s, uint8_t family)
{
	return s->present && s->preserved[family_afi(family)];
}

bool dp_sync_preserved_labels(const struct dp_sync *s)
{
	return s->present && s->preserved_labels;
}

bool dp_sync_idle(const struct dp_sync *s)
{
	return s->present && !s->windowed && !s->in_flight && !s->programming && !sync_failed(s);
}

bool dp_sync_settled(const struct dp_sync *s)
{
	return s->present && !s->windowed && !s->in_flight && !s->programming;
}

struct dp_provider *dp_sync_provider(const struct dp_sync *s)
{
	return s->p;
}

void dp_sync_summary(const struct dp_sync *s, struct dp_summary *sum)
{
	memset(sum, 0, sizeof(*sum));
	sum->provider = s->p->ops->name;
	sum->present = s->present;
	sum->programming = s->programming;
	sum->sweep_pending = !s->sweep_done;
	sum->swept = s->swept;
	sum->backlog = s->windowed + s->in_flight;
	sum->requests = s->requests;
	sum->refused = s->refused;
	sum->failed = sync_failed(s);
	memcpy(sum->last_refusal, s->last_refusal, sizeof(sum->last_refusal));
	sum->audit = s->audit ? DP_AUDIT_RUNNING : s->audit_state;
	sum->audits = s->audits;
	sum->audit_mends = s->audit_mends;
	sum->audit_time_us = s->audit_time_us;
	sum->reloads = s->reloads;
}

static void expect_routes(const struct dp_sync *s, const struct sync_table *t, struct dp_expect *e)
{
	struct hash_node *n;
	struct fib_dest dest;

	e->count = t->count;
	e->digest = t->digest;
	for (n = hash_next(&t->refused, NULL); n; n = hash_next(&t->refused, n)) {
		const struct sync_refused *r = hash_entry(n, struct sync_refused, node);

		if (!fib_route_get(s->fib, t->vrf->id, &r->prefix, &dest) || !dest.nh)
			continue;
		e->count--;
		e->digest -= sync_route_digest(t->vrf->id, &r->prefix, &dest);
		e->failed++;
	}
}

void dp_sync_expect(const struct dp_sync *s, uint8_t object, uint32_t vrf, struct dp_expect *e)
{
	const struct sync_vrf *sv = sync_vrf_by_id(s, vrf);
	const struct sync_port *sp;
	uint32_t id;

	memset(e, 0, sizeof(*e));
	switch (object) {
	case L3VPN_OBJECT_VRF:
		for (id = 0; id < s->vrfs_size; id++)
			e->count += s->vrfs[id] && s->vrfs[id]->held;
		break;
	case L3VPN_OBJECT_PORT:
		list_for_each(sp, &s->ports, struct sync_port, node)
			e->count += sp->ok;
		break;
	case L3VPN_OBJECT_ENDPOINT:
		sync_endpoint_expect(s, e);
		break;
	case L3VPN_OBJECT_NH:
		e->count = s->nh_count;
		e->digest = s->nh_digest;
		break;
	case L3VPN_OBJECT_LABEL:
		e->count = s->label_count;
		e->digest = s->label_digest;
		break;
	case L3VPN_OBJECT_ROUTE4:
	case L3VPN_OBJECT_ROUTE6:
		if (sv)
			expect_routes(s, &sv->table[object == L3VPN_OBJECT_ROUTE4 ? AFI4 : AFI6], e);
		break;
	}
}

int dp_sync_route_refused(const struct dp_sync *s, uint32_t vrf, const struct prefix *p,
			  char *why, size_t len)
{
	const struct sync_vrf *sv = sync_vrf_by_id(s, vrf);
	const struct sync_table *t = sv ? &sv->table[family_afi(p->addr.family)] : NULL;
	const struct sync_refused *r = t ? sync_refused_find(t, p) : NULL;

	if (!r)
		return 0;
	snprintf(why, len, "%s", t->why[0] ? t->why : strerror(r->error));
	return r->error;
}

void dp_sync_on_drop(struct dp_sync *s, void (*fn)(void *arg, const struct dp_drop *drop), void *arg)
{
	bool was = s->on_drop, is = fn;

	s->on_drop = fn;
	s->on_drop_arg = arg;
	if (was != is)
		s->p->ops->drops(s->p, is);
}

int dp_sync_trace(struct dp_sync *s, const struct dp_trace *trace,
		  void (*fn)(void *arg, const struct dp_packet *packet), void *arg, char *why, size_t len)
{
	int err = s->p->ops->trace(s->p, trace, why, len);

	s->on_packet = trace && !err ? fn : NULL;
	s->on_packet_arg = arg;
	return err;
}

const char *dp_audit_state_str(enum dp_audit_state state)
{
	static const char *const names[] = {
		[DP_AUDIT_NEVER] = "none yet", [DP_AUDIT_EQUAL] = "equal",
		[DP_AUDIT_RUNNING] = "running", [DP_AUDIT_MENDED] = "mended",
		[DP_AUDIT_FAILED] = "failed",
	};

	return names[state];
}

/* ---- clear ---- */

static void clear_done(void *arg, int error, uint64_t swept)
{
	struct dp_sync *s = arg;

	if (error)
		log_warn("dataplane", "forwarding was not taken away: %s", strerror(error));
	else
		log_notice("dataplane", "forwarding was taken away: %llu objects",
			   (unsigned long long)swept);
	if (!error) {
		sync_port_lost(s);
		sync_endpoint_lost(s);
	}
	s->on_clear(s->on_clear_arg);
}

void dp_sync_clear(struct dp_sync *s, void (*done)(void *arg), void *arg)
{
	s->on_clear = done;
	s->on_clear_arg = arg;
	s->started = false;
	window_drop(s);
	job_cancel(&s->program);
	timer_stop(&s->retry);
	timer_stop(&s->sweep_timer);
	audit_stop(s);
	timer_stop(&s->audit_timer);
	s->p->ops->epoch_begin(s->p, &s->epoch);
	s->p->ops->sweep(s->p, s->epoch, 0, clear_done, s);
}

/* ---- life ---- */

struct dp_sync *dp_sync_new(const struct dp_sync_env *env, char *why, size_t why_len)
{
	struct dp_sync *s = xcalloc(1, sizeof(*s));
	struct dp_listener listener = {
		.ready = on_ready, .gone = on_gone, .event = on_event, .lost = on_lost,
		.drop = on_drop, .packet = on_packet, .arg = s,
	};

	s->env = *env;
	s->p = env->provider;
	s->fib = rib_fib(env->rib);
	s->nh_next = 1;
	s->window_no = 1;
	s->retry_ms = RETRY_MIN_MS;
	hash_init(&s->adopted_nhs);
	list_init(&s->dirty_tables);
	job_init(&s->flush, env->jobs, "dataplane flush", flush_job);
	job_init(&s->program, env->jobs, "dataplane program", program_job);
	timer_init(&s->retry, env->jobs, retry_due);
	timer_init(&s->audit_timer, env->jobs, audit_due);
	timer_init(&s->sweep_timer, env->jobs, sweep_due);
	if (s->p->ops->open(s->p, env->loop, &listener, why, why_len)) {
		s->p->ops->close(s->p);
		free(s);
		return NULL;
	}
	sync_port_start(s);
	sync_endpoint_start(s);
	sync_fib_start(s);
	if (env->audit_seconds)
		timer_start(&s->audit_timer, env->audit_seconds * 1000ull);
	return s;
}

void dp_sync_free(struct dp_sync *s)
{
	if (s->present && s->started)
		window_flush(s);
	s->closing = true;
	audit_stop(s);
	timer_stop(&s->retry);
	timer_stop(&s->audit_timer);
	timer_stop(&s->sweep_timer);
	job_cancel(&s->program);
	s->p->ops->close(s->p);
	window_free(s);
	sync_fib_stop(s);
	sync_endpoint_stop(s);
	sync_port_stop(s);
	free(s);
}
