// SPDX-License-Identifier: GPL-2.0
/*
 * Worker threads and the queues between them and the main thread; contracts in session.h and
 * worker.h. Orders and reports keep their order within a session.
 */
#include "bgp/worker.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/mem.h"

#define DRAIN_SLICE_MS 10

uint64_t bgp_now_ms(void)
{
	return uv_hrtime() / 1000000;
}

/* ---- worker side ---- */

struct bgp_report *bgp_report_new(struct bgp_session *s, enum bgp_report_type type)
{
	struct bgp_report *r = xcalloc(1, sizeof(*r));

	r->type = type;
	r->session = s;
	return r;
}

void bgp_report_post(struct bgp_session *s, struct bgp_report *r)
{
	struct bgp_workers *ws = s->w->ws;

	pthread_mutex_lock(&ws->lock);
	*ws->last = r;
	ws->last = &r->next;
	pthread_mutex_unlock(&ws->lock);
	uv_async_send(ws->wake);
}

static void on_orders(uv_async_t *async)
{
	struct bgp_worker *w = async->data;
	struct bgp_order *o, *next;

	pthread_mutex_lock(&w->lock);
	o = w->first;
	w->first = NULL;
	w->last = &w->first;
	pthread_mutex_unlock(&w->lock);
	for (; o; o = next) {
		next = o->next;
		if (o->type == BGP_ORDER_EXIT)
			uv_close((uv_handle_t *)&w->wake, NULL);
		else
			bgp_session_order(o->session, o);
		free(o);
	}
	bgp_worker_send(w);
}

static void *run(void *arg)
{
	struct bgp_worker *w = arg;
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	uv_loop_close(&w->loop);
	return NULL;
}

/* ---- main side ---- */

static void order_post(struct bgp_worker *w, struct bgp_order *o)
{
	pthread_mutex_lock(&w->lock);
	*w->last = o;
	w->last = &o->next;
	pthread_mutex_unlock(&w->lock);
	uv_async_send(&w->wake);
}

static void order(struct bgp_session *s, enum bgp_order_type type)
{
	struct bgp_order *o = xcalloc(1, sizeof(*o));

	o->type = type;
	o->session = s;
	order_post(s->w, o);
}

static void order_end(struct bgp_session *s, enum bgp_order_type type, const struct bgp_cease *c)
{
	struct bgp_order *o = xcalloc(1, sizeof(*o));

	o->type = type;
	o->session = s;
	o->cease = xmemdup(c, sizeof(*c));
	order_post(s->w, o);
}

/* false: there is more of it, and the time is over */
static bool deliver_updates(struct bgp_workers *ws, struct bgp_report *r, uint64_t end)
{
	struct bgp_session *s = r->session;
	size_t memory = r->batch.octets, before;
	const struct bgp_update *u;

	while (s->owner && (u = r->batch.first)) {
		r->batch.first = u->next;
		ws->ops->update(s->owner, u);
		if (r->batch.first && bgp_now_ms() >= end)
			return false;
	}
	bgp_batch_free(&r->batch);
	before = atomic_fetch_sub(&s->queued_in, memory);
	/* without an owner its end is ordered, and the session may be gone before another order is read */
	if (s->owner && before >= BGP_RX_LOW && before - memory < BGP_RX_LOW)
		order(s, BGP_ORDER_RESUME);
	return true;
}

static void session_gone(struct bgp_session *s)
{
	s->w->ws->sessions--;
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* false: not all of it before @end, ms */
static bool deliver(struct bgp_workers *ws, struct bgp_report *r, uint64_t end)
{
	struct bgp_session *s = r->session;

	switch (r->type) {
	case BGP_REPORT_UP:
		s->epoch_main = r->epoch;
		if (s->owner)
			ws->ops->up(s->owner, &r->up);
		break;
	case BGP_REPORT_DOWN:
		if (s->owner)
			ws->ops->down(s->owner, &r->down);
		break;
	case BGP_REPORT_UPDATES:
		return deliver_updates(ws, r, end);
	case BGP_REPORT_REFRESH:
		if (s->owner)
			ws->ops->refresh(s->owner, r->refresh.family, r->refresh.what);
		break;
	case BGP_REPORT_DRAINED:
		if (s->owner)
			ws->ops->drained(s->owner);
		break;
	case BGP_REPORT_FREED:
		session_gone(s);
		break;
	}
	return true;
}

/* The first one, which stays where it is; NULL: there is none. */
static struct bgp_report *report_first(struct bgp_workers *ws)
{
	struct bgp_report *r;

	pthread_mutex_lock(&ws->lock);
	r = ws->first;
	pthread_mutex_unlock(&ws->lock);
	return r;
}

static void report_done(struct bgp_workers *ws, struct bgp_report *r)
{
	pthread_mutex_lock(&ws->lock);
	ws->first = r->next;
	if (!ws->first)
		ws->last = &ws->first;
	pthread_mutex_unlock(&ws->lock);
	free(r);
}

/* In slices: what is left waits for the loop's next turn. */
static void on_reports(uv_async_t *async)
{
	struct bgp_workers *ws = async->data;
	uint64_t end = bgp_now_ms() + DRAIN_SLICE_MS;
	struct bgp_report *r;

	while ((r = report_first(ws))) {
		if (deliver(ws, r, end))
			report_done(ws, r);
		if (bgp_now_ms() >= end) {
			uv_async_send(ws->wake);
			return;
		}
	}
}

static bool worker_start(struct bgp_workers *ws, struct bgp_worker *w)
{
	w->ws = ws;
	w->last = &w->first;
	pthread_mutex_init(&w->lock, NULL);
	if (uv_loop_init(&w->loop))
		return false;
	uv_async_init(&w->loop, &w->wake, on_orders);
	w->wake.data = w;
	return pthread_create(&w->thread, NULL, run, w) == 0;
}

struct bgp_workers *bgp_workers_new(uv_loop_t *loop, unsigned int n,
				    const struct bgp_session_ops *ops)
{
	struct bgp_workers *ws = xcalloc(1, sizeof(*ws));

	ws->loop = loop;
	ws->ops = ops;
	ws->last = &ws->first;
	pthread_mutex_init(&ws->lock, NULL);
	ws->wake = xcalloc(1, sizeof(*ws->wake));
	ws->wake->data = ws;
	uv_async_init(loop, ws->wake, on_reports);
	ws->worker = xcalloc(n, sizeof(*ws->worker));
	while (ws->n < n && worker_start(ws, &ws->worker[ws->n]))
		ws->n++;
	if (ws->n == n)
		return ws;
	log_err("bgp", "only %u of %u worker threads could be started", ws->n, n);
	bgp_workers_free(ws);
	return NULL;
}

static void free_handle(uv_handle_t *h)
{
	free(h);
}

void bgp_workers_free(struct bgp_workers *ws)
{
	struct bgp_report *r;

	for (unsigned int i = 0; i < ws->n; i++) {
		struct bgp_order *o = xcalloc(1, sizeof(*o));

		o->type = BGP_ORDER_EXIT;
		order_post(&ws->worker[i], o);
	}
	for (unsigned int i = 0; i < ws->n; i++) {
		pthread_join(ws->worker[i].thread, NULL);
		pthread_mutex_destroy(&ws->worker[i].lock);
	}
	while ((r = ws->first)) {
		deliver(ws, r, UINT64_MAX);
		report_done(ws, r);
	}
	for (unsigned int i = 0; i < ws->n; i++)
		bgp_blocks_free(&ws->worker[i].spare);
	uv_close((uv_handle_t *)ws->wake, free_handle);
	pthread_mutex_destroy(&ws->lock);
	free(ws->worker);
	free(ws);
}

struct bgp_session *bgp_session_new(struct bgp_workers *ws, const struct bgp_session_conf *conf,
				    void *owner)
{
	struct bgp_session *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->w = &ws->worker[ws->next++ % ws->n];
	s->conf = *conf;
	s->owner = owner;
	pthread_mutex_init(&s->lock, NULL);
	bgp_session_init(s);
	ws->sessions++;
	return s;
}

void bgp_session_free(struct bgp_session *s, uint8_t subcode)
{
	s->owner = NULL;
	order_end(s, BGP_ORDER_FREE, &(struct bgp_cease){ .subcode = subcode });
}

void bgp_session_start(struct bgp_session *s)
{
	order(s, BGP_ORDER_START);
}

void bgp_session_stop(struct bgp_session *s, uint8_t subcode)
{
	bgp_session_stop_with(s, &(struct bgp_cease){ .subcode = subcode });
}

void bgp_session_stop_with(struct bgp_session *s, const struct bgp_cease *c)
{
	order_end(s, BGP_ORDER_STOP, c);
}

void bgp_session_reset(struct bgp_session *s, uint8_t subcode)
{
	bgp_session_reset_with(s, &(struct bgp_cease){ .subcode = subcode });
}

void bgp_session_reset_with(struct bgp_session *s, const struct bgp_cease *c)
{
	order_end(s, BGP_ORDER_RESET, c);
}

void bgp_session_abandon(struct bgp_session *s)
{
	order(s, BGP_ORDER_ABANDON);
}

void bgp_session_refresh(struct bgp_session *s, enum bgp_family f)
{
	struct bgp_order *o = xcalloc(1, sizeof(*o));

	o->type = BGP_ORDER_REFRESH;
	o->session = s;
	o->family = f;
	order_post(s->w, o);
}

void bgp_session_set_caps(struct bgp_session *s, const struct bgp_caps *caps)
{
	struct bgp_order *o = xcalloc(1, sizeof(*o));

	o->type = BGP_ORDER_CAPS;
	o->session = s;
	o->caps = *caps;
	order_post(s->w, o);
}

void bgp_session_accept(struct bgp_session *s, int fd)
{
	struct bgp_order *o = xcalloc(1, sizeof(*o));

	o->type = BGP_ORDER_ACCEPT;
	o->session = s;
	o->fd = fd;
	order_post(s->w, o);
}

void bgp_session_info(struct bgp_session *s, struct bgp_session_info *info)
{
	memset(info, 0, sizeof(*info));
	info->state = atomic_load(&s->state);
	info->connect_retries = atomic_load(&s->connect_retries);
	info->queued_in = atomic_load(&s->queued_in);
	info->queued_out = atomic_load(&s->queued_out);
	for (int i = 0; i < BGP_COUNTERS; i++) {
		info->in[i] = atomic_load(&s->in[i]);
		info->out[i] = atomic_load(&s->out[i]);
	}
	for (int i = 0; i <= BGP_RESET; i++)
		info->malformed[i] = atomic_load(&s->malformed[i]);
	pthread_mutex_lock(&s->lock);
	info->since_ms = s->since_ms;
	info->established = s->established;
	info->up = s->up;
	info->local_port = s->local_port;
	info->remote_port = s->remote_port;
	memcpy(info->last_error, s->last_error, sizeof(info->last_error));
	pthread_mutex_unlock(&s->lock);
}

/* ---- outbound messages ---- */

struct bgp_out *bgp_out_new(const void *data, size_t len, uint32_t messages)
{
	struct bgp_out *o = malloc(sizeof(*o) + len);

	if (!o)
		return NULL;
	atomic_init(&o->refs, 1);
	o->counter = BGP_COUNT_UPDATE;
	o->messages = messages;
	o->len = (uint32_t)len;
	memcpy(o->data, data, len);
	return o;
}

struct bgp_out *bgp_out_get(struct bgp_out *o)
{
	atomic_fetch_add_explicit(&o->refs, 1, memory_order_relaxed);
	return o;
}

void bgp_out_put(struct bgp_out *o)
{
	if (o && atomic_fetch_sub_explicit(&o->refs, 1, memory_order_acq_rel) == 1)
		free(o);
}

bool bgp_session_congested(struct bgp_session *s)
{
	if (atomic_load(&s->queued_out) < BGP_TX_HIGH)
		return false;
	atomic_store(&s->want_drained, true);
	/* it may have drained before the mark was set */
	return atomic_load(&s->queued_out) >= BGP_TX_LOW;
}

bool bgp_session_send(struct bgp_session *s, struct bgp_out *out)
{
	struct bgp_order *o = xcalloc(1, sizeof(*o));

	o->type = BGP_ORDER_SEND;
	o->session = s;
	o->send.out = bgp_out_get(out);
	o->send.epoch = s->epoch_main;
	atomic_fetch_add(&s->queued_out, out->len);
	order_post(s->w, o);
	return !bgp_session_congested(s);
}
