// SPDX-License-Identifier: GPL-2.0
/*
 * host/host.c: the host room's life, its listeners, and what others may ask. See host.h.
 */
#include "host/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/mem.h"

/* ---- listeners ---- */

void tell_link(struct host *h, enum host_event what, const struct link *l)
{
	struct host_listener *at;

	for (at = h->listeners; at; at = at->next)
		if (at->link && !at->fresh)
			at->link(at->arg, what, &l->pub);
}

void tell_addr(struct host *h, enum host_event what, const struct link *l, const struct host_addr *a)
{
	struct host_listener *at;

	for (at = h->listeners; at; at = at->next)
		if (at->addr && !at->fresh)
			at->addr(at->arg, what, &l->pub, a);
}

void tell_port(struct host *h, enum host_event what, const struct port *p)
{
	struct host_listener *at;

	for (at = h->listeners; at; at = at->next)
		if (at->port && !at->fresh)
			at->port(at->arg, what, &p->pub);
}

static bool tell_job(struct job *job, unsigned int budget)
{
	struct host *h = container_of(job, struct host, tell);
	struct host_listener *at;
	size_t i, k;

	(void)budget;
	for (at = h->listeners; at; at = at->next) {
		if (!at->fresh)
			continue;
		at->fresh = false;
		for (i = 0; i < h->n_links; i++) {
			if (at->link)
				at->link(at->arg, HOST_NEW, &h->links[i]->pub);
			for (k = 0; at->addr && k < h->links[i]->n_addrs; k++)
				at->addr(at->arg, HOST_NEW, &h->links[i]->pub, &h->links[i]->addrs[k]);
		}
		for (i = 0; at->port && i < h->n_ports; i++)
			at->port(at->arg, HOST_NEW, &h->ports[i]->pub);
	}
	return false;
}

void host_listen(struct host *h, struct host_listener *listener)
{
	listener->fresh = true;
	listener->next = h->listeners;
	h->listeners = listener;
	job_schedule(&h->tell);
}

void host_unlisten(struct host *h, struct host_listener *listener)
{
	struct host_listener **at;

	for (at = &h->listeners; *at; at = &(*at)->next)
		if (*at == listener) {
			*at = listener->next;
			return;
		}
}

/* ---- reconciliation ---- */

static bool work_job(struct job *job, unsigned int budget)
{
	struct host *h = container_of(job, struct host, work);
	struct vrfdev *v;
	struct port *p;

	while (!list_empty(&h->dirty_vrfdevs) && budget) {
		v = list_first(&h->dirty_vrfdevs, struct vrfdev, dirty);
		list_del(&v->dirty);
		vrfdev_reconcile(h, v);
		budget -= budget > 8 ? 8 : budget;	/* a request costs far more than most jobs' items */
	}
	while (!list_empty(&h->dirty_ports) && budget) {
		p = list_first(&h->dirty_ports, struct port, dirty);
		list_del(&p->dirty);
		port_reconcile(h, p);
		budget -= budget > 8 ? 8 : budget;
	}
	return !list_empty(&h->dirty_vrfdevs) || !list_empty(&h->dirty_ports);
}

void retry_later(struct host *h)
{
	if (!timer_running(&h->retry) && !h->closing)
		timer_start(&h->retry, h->retry_ms);
}

static void retry_due(struct timer *t)
{
	struct host *h = container_of(t, struct host, retry);
	struct vrfdev *v;
	bool any = false;
	size_t i;

	list_for_each(v, &h->vrfdevs, struct vrfdev, node)
		if (v->failed) {
			any = true;
			vrfdev_dirty(h, v);
		}
	for (i = 0; i < h->n_ports; i++)
		if (h->ports[i]->failed) {
			any = true;
			port_dirty(h, h->ports[i]);
		}
	h->retry_ms = !any ? RETRY_MIN_MS :
		      h->retry_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : h->retry_ms * 2;
	if (any)
		timer_start(&h->retry, h->retry_ms);
}

/* ---- what others ask ---- */

const struct host_link *host_link_by_name(const struct host *h, const char *name)
{
	struct link *l = link_named(h, name);

	return l ? &l->pub : NULL;
}

const struct host_link *host_link_by_index(const struct host *h, int32_t ifindex)
{
	struct link *l = link_find(h, ifindex);

	return l ? &l->pub : NULL;
}

const char *host_link_name(const struct host *h, int32_t ifindex, char buf[IFNAMSIZ])
{
	struct link *l = link_find(h, ifindex);

	if (l)
		snprintf(buf, IFNAMSIZ, "%s", l->pub.name);
	else
		snprintf(buf, IFNAMSIZ, "if%d", ifindex);
	return buf;
}

const struct host_link *host_link_after(const struct host *h, int32_t ifindex)
{
	size_t lo = 0, hi = h->n_links;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (h->links[mid]->pub.ifindex <= ifindex)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < h->n_links ? &h->links[lo]->pub : NULL;
}

const struct host_port *host_port_after(const struct host *h, const char *name)
{
	size_t lo = 0, hi = h->n_ports;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (strcmp(h->ports[mid]->pub.name, name) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < h->n_ports ? &h->ports[lo]->pub : NULL;
}

const struct host_port *host_port_by_name(const struct host *h, const char *name)
{
	struct port *p = port_named(h, name);

	return p ? &p->pub : NULL;
}

const struct host_addr *host_link_addr(const struct host *h, int32_t ifindex, size_t index)
{
	const struct link *l = link_find(h, ifindex);

	return l && index < l->n_addrs ? &l->addrs[index] : NULL;
}

/* ---- life ---- */

static void host_release(struct host *h)
{
	watch_stop(h);
	free(h);
}

struct host *host_new(uv_loop_t *loop, struct jobs *jobs, struct conf *conf, struct nht *nht,
		      struct labels *labels, char *why, size_t why_len)
{
	struct host *h = xcalloc(1, sizeof(*h));

	h->loop = loop;
	h->jobs = jobs;
	h->conf = conf;
	h->nht = nht;
	h->labels = labels;
	h->retry_ms = RETRY_MIN_MS;
	list_init(&h->vrfdevs);
	list_init(&h->dirty_ports);
	list_init(&h->dirty_vrfdevs);
	hash_init(&h->names);
	job_init(&h->tell, jobs, "host tell", tell_job);
	job_init(&h->work, jobs, "host reconcile", work_job);
	timer_init(&h->retry, jobs, retry_due);
	if (!watch_start(h, why, why_len)) {
		host_release(h);
		return NULL;
	}
	port_subscribe(h);
	vrfdev_subscribe(h);
	return h;
}

static void host_closed(uv_handle_t *handle)
{
	host_release(handle->data);
}

void host_free(struct host *h)
{
	h->closing = true;
	job_cancel(&h->tell);
	job_cancel(&h->work);
	timer_stop(&h->retry);
	timer_stop(&h->resync);
	vrfdevs_free(h);
	ports_free(h);
	h->n_ports = 0;
	uv_close((uv_handle_t *)&h->poll, host_closed);
}
