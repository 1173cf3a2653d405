// SPDX-License-Identifier: GPL-2.0
/*
 * dataplane/sync_window.c: changes are gathered, put in order, submitted; acknowledgements go back
 * to whom they concern.
 *
 * A flush submits: head (VRFs, ports, next hops, in the order they came), then the routes of each table,
 * then labels, then tail (next hops, ports and VRFs that go). Within a table the last change of a
 * prefix counts; deletions and additions are kept apart, so that they travel packed.
 */
#include "dataplane/sync_state.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/mem.h"

static void batch_done(struct dp_batch *b)
{
	struct dp_sync *s = b->arg;
	size_t i;

	s->in_flight -= b->n;
	for (i = 0; i < b->n && !s->closing; i++) {
		const struct dp_op *op = &b->ops[i];

		if (op->error && op->error != ENODEV && op->error != ECANCELED)
			sync_refusal(s, op);
		else if (op->error && s->present)
			sync_refusal(s, op);
		switch ((enum dp_op_type)op->type) {
		case DP_OP_VRF_NEW:
		case DP_OP_VRF_DEL:
			sync_vrf_acked(s, op);
			break;
		case DP_OP_PORT_NEW:
		case DP_OP_PORT_DEL:
			sync_port_acked(s, op);
			break;
		case DP_OP_ENDPOINT_NEW:
		case DP_OP_ENDPOINT_DEL:
			sync_endpoint_acked(s, op);
			break;
		case DP_OP_NH_NEW:
			sync_nh_acked(s, op);
			break;
		case DP_OP_NH_DEL:
			sync_nh_del_acked(s, op);
			break;
		case DP_OP_ROUTE4_ADD:
		case DP_OP_ROUTE6_ADD:
			sync_route_acked(s, op);
			break;
		case DP_OP_LABEL_ADD:
			sync_label_acked(s, op);
			break;
		case DP_OP_ROUTE4_DEL:
		case DP_OP_ROUTE6_DEL:
		case DP_OP_LABEL_DEL:
			break;
		}
	}
	dp_batch_free(b);
}

static struct dp_op *window_add(struct dp_sync *s, struct dp_batch **b, enum dp_op_type type)
{
	struct dp_op *op;

	if (!*b)
		*b = dp_batch_new(batch_done, s);
	op = *b ? dp_batch_add(*b, type) : NULL;
	if (!op) {
		log_err("dataplane", "no memory for a request (%s): left to the audit",
			dp_op_name(type));
		return NULL;
	}
	s->windowed++;
	s->changes++;
	job_schedule(&s->flush);
	return op;
}

struct dp_op *window_head(struct dp_sync *s, enum dp_op_type type)
{
	/* what goes must be gone before a VRF, port or endpoint of the same number or address comes */
	if (s->tail && (type == DP_OP_VRF_NEW || type == DP_OP_PORT_NEW || type == DP_OP_ENDPOINT_NEW))
		window_flush(s);
	return window_add(s, &s->head, type);
}

struct dp_op *window_tail(struct dp_sync *s, enum dp_op_type type)
{
	return window_add(s, &s->tail, type);
}

void window_nh(struct dp_sync *s, const struct fib_nh *nh)
{
	struct l3vpn_nh_member members[L3VPN_GROUP_MAX];
	struct dp_nh content, *copy;
	struct dp_op *op;

	if (!sync_nh_content(nh, &content, members))
		return;
	copy = dp_nh_copy(&content);
	op = copy ? window_head(s, DP_OP_NH_NEW) : NULL;
	if (op)
		op->nh = copy;
	else
		dp_nh_free(copy);
}

void window_nh_del(struct dp_sync *s, uint32_t id)
{
	struct dp_nh nh = { .id = id }, *copy = dp_nh_copy(&nh);
	struct dp_op *op = copy ? window_tail(s, DP_OP_NH_DEL) : NULL;

	if (op)
		op->nh = copy;
	else
		dp_nh_free(copy);
}

void window_route(struct dp_sync *s, struct sync_table *t, const struct prefix *p,
		  const struct fib_dest *dest)
{
	bool v4 = t->family == AF_INET;
	struct dp_op *op;

	op = window_add(s, &t->window, dest ? (v4 ? DP_OP_ROUTE4_ADD : DP_OP_ROUTE6_ADD) :
			(v4 ? DP_OP_ROUTE4_DEL : DP_OP_ROUTE6_DEL));
	if (!op)
		return;
	if (!list_linked(&t->dirty))
		list_add_tail(&s->dirty_tables, &t->dirty);
	op->table = t->vrf->id;
	if (!dest)
		t->mixed = true;
	if (v4) {
		memcpy(&op->r4.prefix, p->addr.b, 4);
		op->r4.plen = p->len;
		op->r4.nh = dest ? dest->nh->id : 0;
		op->r4.label = dest ? dest->label : L3VPN_LABEL_NONE;
	} else {
		memcpy(op->r6.prefix, p->addr.b, 16);
		op->r6.plen = p->len;
		op->r6.nh = dest ? dest->nh->id : 0;
		op->r6.label = dest ? dest->label : L3VPN_LABEL_NONE;
	}
	if (t->window->n >= WINDOW_MAX)
		window_flush(s);
}

void window_label(struct dp_sync *s, const struct fib_label *l)
{
	struct dp_op *op = window_add(s, &s->labels, DP_OP_LABEL_ADD);

	if (!op)
		return;
	sync_label_record(l, &op->label);
	op->cookie = (void *)(uintptr_t)l->seq;
}

void window_label_del(struct dp_sync *s, uint32_t label)
{
	struct dp_op *op = window_add(s, &s->labels, DP_OP_LABEL_DEL);

	if (!op)
		return;
	op->label.label = label;
	op->label.out_label = L3VPN_LABEL_NONE;
}

/* By prefix, then by age (cookie holds the place in the window). */
static int route_cmp(const void *a, const void *b)
{
	const struct dp_op *x = a, *y = b;
	bool v4 = x->type == DP_OP_ROUTE4_ADD || x->type == DP_OP_ROUTE4_DEL;
	int d;

	d = v4 ? memcmp(&x->r4.prefix, &y->r4.prefix, 4) : memcmp(x->r6.prefix, y->r6.prefix, 16);
	if (!d)
		d = v4 ? x->r4.plen - y->r4.plen : x->r6.plen - y->r6.plen;
	if (!d)
		d = (uintptr_t)x->cookie < (uintptr_t)y->cookie ? -1 : 1;
	return d;
}

static bool route_same(const struct dp_op *x, const struct dp_op *y)
{
	if (x->type == DP_OP_ROUTE4_ADD || x->type == DP_OP_ROUTE4_DEL)
		return x->r4.prefix == y->r4.prefix && x->r4.plen == y->r4.plen;
	return x->r6.plen == y->r6.plen && !memcmp(x->r6.prefix, y->r6.prefix, 16);
}

/* The last word about each prefix, deletions before additions. */
static void routes_order(struct dp_sync *s, struct dp_batch *b)
{
	size_t i, n = 0, dels = 0;
	struct dp_op *tmp;

	for (i = 0; i < b->n; i++)
		b->ops[i].cookie = (void *)(uintptr_t)i;
	qsort(b->ops, b->n, sizeof(*b->ops), route_cmp);
	for (i = 0; i < b->n; i++) {
		if (n && route_same(&b->ops[n - 1], &b->ops[i]))
			b->ops[n - 1] = b->ops[i];
		else
			b->ops[n++] = b->ops[i];
	}
	s->windowed -= b->n - n;
	b->n = n;
	tmp = malloc(n * sizeof(*tmp));
	if (!tmp)
		return;		/* as it is: right, only less packed */
	for (i = 0; i < n; i++)
		if (b->ops[i].type == DP_OP_ROUTE4_DEL || b->ops[i].type == DP_OP_ROUTE6_DEL)
			tmp[dels++] = b->ops[i];
	for (i = 0; i < n; i++)
		if (b->ops[i].type == DP_OP_ROUTE4_ADD || b->ops[i].type == DP_OP_ROUTE6_ADD)
			tmp[dels++] = b->ops[i];
	memcpy(b->ops, tmp, n * sizeof(*tmp));
	free(tmp);
}

/* Routes know their window, so that an answer can be told to be older than a later change. */
static void routes_stamp(struct dp_sync *s, struct dp_batch *b)
{
	size_t i;

	for (i = 0; b && i < b->n; i++)
		b->ops[i].cookie = (void *)(uintptr_t)s->window_no;
}

static void submit(struct dp_sync *s, struct dp_batch **window)
{
	struct dp_batch *b = *window;

	if (!b)
		return;
	*window = NULL;
	s->windowed -= b->n;
	s->in_flight += b->n;
	s->requests += b->n;
	s->p->ops->submit(s->p, b);
}

void window_flush(struct dp_sync *s)
{
	struct sync_table *t, *tmp;

	if (!s->present || !s->started) {
		window_drop(s);
		return;
	}
	submit(s, &s->head);
	list_for_each_safe(t, tmp, &s->dirty_tables, struct sync_table, dirty) {
		list_del(&t->dirty);
		if (t->mixed)
			routes_order(s, t->window);
		t->mixed = false;
		routes_stamp(s, t->window);
		submit(s, &t->window);
	}
	submit(s, &s->labels);
	submit(s, &s->tail);
	s->window_no++;
}

static void forget(struct dp_sync *s, struct dp_batch **window)
{
	if (!*window)
		return;
	s->windowed -= (*window)->n;
	dp_batch_free(*window);
	*window = NULL;
}

/* The forwarder is away: all that is wanted is programmed from the tables when it is back. */
void window_drop(struct dp_sync *s)
{
	struct sync_table *t, *tmp;

	forget(s, &s->head);
	list_for_each_safe(t, tmp, &s->dirty_tables, struct sync_table, dirty) {
		list_del(&t->dirty);
		t->mixed = false;
		forget(s, &t->window);
	}
	forget(s, &s->labels);
	forget(s, &s->tail);
}

void window_free(struct dp_sync *s)
{
	window_drop(s);
	job_cancel(&s->flush);
}
