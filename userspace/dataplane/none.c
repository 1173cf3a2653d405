// SPDX-License-Identifier: GPL-2.0
/*
 * dataplane/none.c: the provider of a route reflector: nothing forwards, everything is accepted.
 *
 * Requests are acknowledged from the loop and forgotten. It holds nothing: dumps are empty, and their counts are
 * not compared because no table is reported.
 */
#include "dataplane/provider.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/list.h"
#include "lib/mem.h"

struct none {
	struct dp_provider base;
	uv_idle_t idle;
	bool open, ready;
	struct dp_listener listener;
	struct dp_batch *first, **last;
	struct list dumps;
	struct list sweeps;
};

struct dp_dump {
	struct list node;
	const struct dp_dump_ops *ops;
	void *arg;
};

struct none_sweep {
	struct list node;
	void (*done)(void *arg, int error, uint64_t swept);
	void *arg;
};

static struct none *to_none(const struct dp_provider *p)
{
	return container_of(p, struct none, base);
}

static void none_work(uv_idle_t *idle)
{
	struct none *n = idle->data;
	struct none_sweep *sweep;
	struct dp_batch *b;
	struct dp_dump *d;

	uv_idle_stop(&n->idle);
	if (!n->ready) {
		n->ready = true;
		n->listener.ready(n->listener.arg);
	}
	while ((b = n->first)) {
		n->first = b->next;
		if (!n->first)
			n->last = &n->first;
		b->next = NULL;
		b->done(b);
	}
	while (!list_empty(&n->dumps)) {
		d = list_first(&n->dumps, struct dp_dump, node);
		list_del(&d->node);
		d->ops->done(d->arg, 0, "");
		free(d);
	}
	while (!list_empty(&n->sweeps)) {
		sweep = list_first(&n->sweeps, struct none_sweep, node);
		list_del(&sweep->node);
		sweep->done(sweep->arg, 0, 0);
		free(sweep);
	}
}

static int none_open(struct dp_provider *p, uv_loop_t *loop, const struct dp_listener *listener,
		     char *why, size_t why_len)
{
	struct none *n = to_none(p);

	(void)why;
	(void)why_len;
	n->listener = *listener;
	uv_idle_init(loop, &n->idle);
	n->idle.data = n;
	n->open = true;
	uv_idle_start(&n->idle, none_work);
	return 0;
}

static void none_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void none_close(struct dp_provider *p)
{
	struct none *n = to_none(p);
	struct dp_batch *b;
	struct dp_dump *d;
	size_t i;

	while ((b = n->first)) {
		n->first = b->next;
		for (i = 0; i < b->n; i++)
			dp_op_fail(&b->ops[i], ECANCELED, NULL);
		b->done(b);
	}
	while (!list_empty(&n->dumps)) {
		d = list_first(&n->dumps, struct dp_dump, node);
		list_del(&d->node);
		d->ops->done(d->arg, ECANCELED, "");
		free(d);
	}
	while (!list_empty(&n->sweeps)) {
		struct none_sweep *s = list_first(&n->sweeps, struct none_sweep, node);

		list_del(&s->node);
		s->done(s->arg, ECANCELED, 0);
		free(s);
	}
	if (n->open)
		uv_close((uv_handle_t *)&n->idle, none_closed);
	else
		free(n);
}

static void none_submit(struct dp_provider *p, struct dp_batch *batch)
{
	struct none *n = to_none(p);

	batch->next = NULL;
	*n->last = batch;
	n->last = &batch->next;
	uv_idle_start(&n->idle, none_work);
}

static size_t none_backlog(const struct dp_provider *p)
{
	const struct dp_batch *b;
	size_t n = 0;

	for (b = to_none(p)->first; b; b = b->next)
		n += b->n;
	return n;
}

static int none_info(struct dp_provider *p, struct dp_info *info)
{
	(void)p;
	memset(info, 0, sizeof(*info));
	return 0;
}

static int none_epoch_begin(struct dp_provider *p, uint32_t *epoch)
{
	(void)p;
	*epoch = 1;
	return 0;
}

static void none_sweep(struct dp_provider *p, uint32_t epoch, uint32_t kinds,
		       void (*done)(void *arg, int error, uint64_t swept), void *arg)
{
	struct none_sweep *s = xcalloc(1, sizeof(*s));

	(void)epoch;
	(void)kinds;
	s->done = done;
	s->arg = arg;
	list_add_tail(&to_none(p)->sweeps, &s->node);
	uv_idle_start(&to_none(p)->idle, none_work);
}

static struct dp_dump *none_dump(struct dp_provider *p, const struct dp_query *query,
				 const struct dp_dump_ops *ops, void *arg)
{
	struct dp_dump *d = xcalloc(1, sizeof(*d));

	(void)query;
	d->ops = ops;
	d->arg = arg;
	list_add_tail(&to_none(p)->dumps, &d->node);
	uv_idle_start(&to_none(p)->idle, none_work);
	return d;
}

static void none_dump_resume(struct dp_dump *dump)
{
	(void)dump;
}

static void none_dump_cancel(struct dp_dump *dump)
{
	list_del(&dump->node);
	free(dump);
}

static int none_lookup(struct dp_provider *p, struct dp_lookup *lookup)
{
	(void)p;
	(void)lookup;
	return ESRCH;
}

static int none_get(struct dp_provider *p, enum dp_query_kind kind, uint32_t id, struct dp_row *row)
{
	(void)p;
	(void)kind;
	(void)id;
	(void)row;
	return ENOENT;
}

static int none_nh_state(struct dp_provider *p, uint32_t id, bool down)
{
	return ENOENT;
}

static int none_clear(struct dp_provider *p, uint32_t kinds)
{
	(void)p;
	(void)kinds;
	return 0;
}

static int none_trace(struct dp_provider *p, const struct dp_trace *trace, char *why, size_t len)
{
	(void)p;
	if (!trace)
		return 0;
	snprintf(why, len, "nothing forwards here");
	return EOPNOTSUPP;
}

static int none_drops(struct dp_provider *p, bool on)
{
	(void)p;
	(void)on;
	return 0;
}

static const struct dp_provider_ops none_ops = {
	.name = "none",
	.open = none_open,
	.close = none_close,
	.submit = none_submit,
	.backlog = none_backlog,
	.info = none_info,
	.epoch_begin = none_epoch_begin,
	.sweep = none_sweep,
	.dump = none_dump,
	.dump_resume = none_dump_resume,
	.dump_cancel = none_dump_cancel,
	.lookup = none_lookup,
	.get = none_get,
	.nh_state = none_nh_state,
	.clear = none_clear,
	.drops = none_drops,
	.trace = none_trace,
};

struct dp_provider *dp_none_new(void)
{
	struct none *n = xcalloc(1, sizeof(*n));

	n->base.ops = &none_ops;
	n->last = &n->first;
	list_init(&n->dumps);
	list_init(&n->sweeps);
	return &n->base;
}
