// SPDX-License-Identifier: GPL-2.0
/*
 * dataplane/tests/record.c: the forwarder in memory; see record.h.
 */
#include "dataplane/tests/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

struct dp_dump {
	struct dp_dump *next;
	struct dp_query query;
	const struct dp_dump_ops *ops;
	void *arg;
};

struct record_sweep {
	struct record_sweep *next;
	uint32_t epoch;
	void (*done)(void *arg, int error, uint64_t swept);
	void *arg;
};

static struct record *to_record(const struct dp_provider *p)
{
	return container_of(p, struct record, base);
}

static void work(uv_idle_t *idle);

static void kick(struct record *r)
{
	if (r->opened)
		uv_idle_start(&r->idle, work);
}

/* ---- what it holds ---- */

static int vrf_slot(const struct record *r, uint32_t id)
{
	int i;

	for (i = 0; id && i < RECORD_VRFS; i++)
		if (r->vrf[i].vrf.id == id)
			return i;
	return -1;
}

static bool nh_there(const struct record *r, uint32_t id)
{
	return id < RECORD_NHS && r->nh[id].nh;
}

static bool has_via(const struct dp_nh *nh)
{
	return nh->kind == L3VPN_NH_KIND_LABELLED || nh->kind == L3VPN_NH_KIND_EGRESS;
}

static bool nh_used(const struct record *r, uint32_t id)
{
	const struct record_route *route;
	int i, f;

	for (i = 0; i < RECORD_NHS; i++) {
		const struct dp_nh *nh = r->nh[i].nh;
		int m;

		if (nh && has_via(nh) && nh->via == id)
			return true;
		for (m = 0; nh && nh->kind == L3VPN_NH_KIND_GROUP && m < nh->n_members; m++)
			if (nh->members[m].nh == id)
				return true;
	}
	for (i = 0; i < RECORD_LABELS; i++)
		if (r->label[i].label.label && r->label[i].label.nh == id)
			return true;
	for (i = 0; i < RECORD_VRFS; i++)
		for (f = 0; r->vrf[i].vrf.id && f < 2; f++)
			for (route = trie_next(&r->vrf[i].route[f], NULL); route;
			     route = trie_next(&r->vrf[i].route[f], route))
				if (route->nh == id)
					return true;
	return false;
}

static int label_slot(const struct record *r, uint32_t label)
{
	int i;

	for (i = 0; i < RECORD_LABELS; i++)
		if (r->label[i].label.label == label)
			return i;
	return -1;
}

static void vrf_forget(struct record *r, int i)
{
	if (r->vrf[i].vrf.id) {
		trie_fini(&r->vrf[i].route[0], NULL, NULL);
		trie_fini(&r->vrf[i].route[1], NULL, NULL);
	}
	memset(&r->vrf[i], 0, sizeof(r->vrf[i]));
}

static int do_vrf(struct record *r, const struct dp_op *op)
{
	int i = vrf_slot(r, op->vrf.id), f;

	if (op->type == DP_OP_VRF_NEW) {
		for (f = 0; i < 0 && f < RECORD_VRFS; f++)
			if (!r->vrf[f].vrf.id) {
				i = f;
				trie_init(&r->vrf[i].route[0], AF_INET, sizeof(struct record_route));
				trie_init(&r->vrf[i].route[1], AF_INET6, sizeof(struct record_route));
			}
		if (i < 0)
			return ENOSPC;
		r->vrf[i].vrf = op->vrf;
		r->vrf[i].vrf.table = 1000 + op->vrf.id;
		r->vrf[i].epoch = r->epoch;
		return 0;
	}
	if (i < 0)
		return 0;
	if (r->vrf[i].route[0].count || r->vrf[i].route[1].count)
		return EBUSY;
	vrf_forget(r, i);
	return 0;
}

static int do_port(struct record *r, const struct dp_op *op)
{
	int i, slot = -1;

	for (i = 0; i < RECORD_PORTS; i++)
		if (r->port[i].ifindex == op->port.ifindex)
			slot = i;
	for (i = 0; slot < 0 && op->type == DP_OP_PORT_NEW && i < RECORD_PORTS; i++)
		if (!r->port[i].ifindex)
			slot = i;
	if (slot < 0)
		return 0;
	if (op->type == DP_OP_PORT_DEL) {
		memset(&r->port[slot], 0, sizeof(r->port[slot]));
		return 0;
	}
	if (op->port.kind == L3VPN_PORT_KIND_CUSTOMER && vrf_slot(r, op->port.vrf) < 0)
		return ENOENT;
	r->port[slot] = op->port;
	return 0;
}

static int endpoint_slot(const struct record *r, const struct dp_endpoint *ep)
{
	int i;

	for (i = 0; i < RECORD_ENDPOINTS; i++)
		if (r->endpoint[i].ep && dp_endpoint_same_place(r->endpoint[i].ep, ep))
			return i;
	return -1;
}

static int do_endpoint(struct record *r, const struct dp_op *op)
{
	int i = endpoint_slot(r, op->endpoint);

	if (op->type == DP_OP_ENDPOINT_DEL) {
		if (i < 0)
			return 0;
		dp_endpoint_free(r->endpoint[i].ep);
		r->endpoint[i].ep = NULL;
		return 0;
	}
	if (i < 0)
		for (i = 0; i < RECORD_ENDPOINTS && r->endpoint[i].ep; i++)
			;
	if (i == RECORD_ENDPOINTS)
		return ENOSPC;
	dp_endpoint_free(r->endpoint[i].ep);
	r->endpoint[i].ep = dp_endpoint_copy(op->endpoint);
	r->endpoint[i].epoch = r->epoch;
	return 0;
}

static int do_nh(struct record *r, const struct dp_op *op)
{
	const struct dp_nh *nh = op->nh;
	struct dp_nh *copy;
	int i;

	if (nh->id >= RECORD_NHS)
		return ENOSPC;
	if (op->type == DP_OP_NH_DEL) {
		if (!r->nh[nh->id].nh)
			return 0;
		if (nh_used(r, nh->id))
			return EBUSY;
		dp_nh_free(r->nh[nh->id].nh);
		r->nh[nh->id].nh = NULL;
		return 0;
	}
	if (has_via(nh) && !nh_there(r, nh->via))
		return ENOENT;
	for (i = 0; nh->kind == L3VPN_NH_KIND_GROUP && i < nh->n_members; i++)
		if (!nh_there(r, nh->members[i].nh))
			return ENOENT;
	if (nh->kind == L3VPN_NH_KIND_VRF && vrf_slot(r, nh->vrf) < 0)
		return ENOENT;
	copy = dp_nh_copy(nh);
	dp_nh_free(r->nh[nh->id].nh);
	r->nh[nh->id].nh = copy;
	r->nh[nh->id].epoch = r->epoch;
	return 0;
}

static int do_route(struct record *r, const struct dp_op *op)
{
	bool v4 = op->type == DP_OP_ROUTE4_ADD || op->type == DP_OP_ROUTE4_DEL;
	bool add = op->type == DP_OP_ROUTE4_ADD || op->type == DP_OP_ROUTE6_ADD;
	struct prefix p = v4 ? prefix_make(AF_INET, &op->r4.prefix, op->r4.plen) :
			  prefix_make(AF_INET6, op->r6.prefix, op->r6.plen);
	uint32_t nh = v4 ? op->r4.nh : op->r6.nh;
	struct record_route *route;
	int i = vrf_slot(r, op->table);
	struct trie *t;
	bool created;

	if (i < 0)
		return ENOENT;
	t = &r->vrf[i].route[v4 ? 0 : 1];
	if (!add) {
		route = trie_get(t, &p);
		if (route)
			trie_remove(t, route);
		return 0;
	}
	if (!nh_there(r, nh))
		return ENOENT;
	route = trie_insert(t, &p, &created);
	*route = (struct record_route){ nh, v4 ? op->r4.label : op->r6.label, r->epoch };
	return 0;
}

static int do_label(struct record *r, const struct dp_op *op)
{
	int i = label_slot(r, op->label.label);

	if (op->type == DP_OP_LABEL_DEL) {
		if (i >= 0)
			memset(&r->label[i], 0, sizeof(r->label[i]));
		return 0;
	}
	if (op->label.nh && !nh_there(r, op->label.nh))
		return ENOENT;
	if (op->label.vrf && vrf_slot(r, op->label.vrf) < 0)
		return ENOENT;
	if (i < 0)
		i = label_slot(r, 0);
	if (i < 0)
		return ENOSPC;
	r->label[i].label = op->label;
	r->label[i].epoch = r->epoch;
	return 0;
}

static int do_op(struct record *r, const struct dp_op *op, const char **why)
{
	int err;

	*why = NULL;
	err = r->refuse ? r->refuse(op, why, r->refuse_arg) : 0;
	if (err)
		return err;
	switch ((enum dp_op_type)op->type) {
	case DP_OP_VRF_NEW:
	case DP_OP_VRF_DEL:
		return do_vrf(r, op);
	case DP_OP_PORT_NEW:
	case DP_OP_PORT_DEL:
		return do_port(r, op);
	case DP_OP_NH_NEW:
	case DP_OP_NH_DEL:
		return do_nh(r, op);
	case DP_OP_ENDPOINT_NEW:
	case DP_OP_ENDPOINT_DEL:
		return do_endpoint(r, op);
	case DP_OP_LABEL_ADD:
	case DP_OP_LABEL_DEL:
		return do_label(r, op);
	default:
		return do_route(r, op);
	}
}

static void forget_all(struct record *r)
{
	int i;

	for (i = 0; i < RECORD_VRFS; i++)
		vrf_forget(r, i);
	for (i = 0; i < RECORD_NHS; i++) {
		dp_nh_free(r->nh[i].nh);
		r->nh[i].nh = NULL;
	}
	for (i = 0; i < RECORD_ENDPOINTS; i++) {
		dp_endpoint_free(r->endpoint[i].ep);
		r->endpoint[i].ep = NULL;
	}
	memset(r->label, 0, sizeof(r->label));
	memset(r->port, 0, sizeof(r->port));
}

/* ---- dumps ---- */

static void dump_routes(struct record *r, struct dp_dump *d)
{
	int i = vrf_slot(r, d->query.vrf), f = d->query.kind == DP_QUERY_ROUTES6;
	struct dp_row row = { .kind = d->query.kind, .table = d->query.vrf };
	struct record_route *route;
	struct prefix p;

	for (route = i < 0 ? NULL : trie_next(&r->vrf[i].route[f], NULL); route;
	     route = trie_next(&r->vrf[i].route[f], route)) {
		p = trie_prefix(&r->vrf[i].route[f], route);
		if (f) {
			row.r6 = (struct l3vpn_route6){ .plen = p.len, .nh = route->nh,
							.label = route->label };
			memcpy(row.r6.prefix, p.addr.b, 16);
		} else {
			row.r4 = (struct l3vpn_route4){ .plen = p.len, .nh = route->nh,
							.label = route->label };
			memcpy(&row.r4.prefix, p.addr.b, 4);
		}
		d->ops->row(d->arg, &row);
	}
}

static void table_row(struct dp_dump *d, uint8_t object, uint32_t vrf, uint64_t count, uint64_t digest)
{
	struct dp_row row = { .kind = DP_QUERY_TABLES, .table = vrf };

	row.object = object;
	row.count = count;
	row.digest = digest;
	d->ops->row(d->arg, &row);
}

static uint64_t routes_digest(const struct record *r, int slot, int f)
{
	const struct trie *t = &r->vrf[slot].route[f];
	const struct record_route *route;
	uint64_t sum = 0;

	for (route = trie_next(t, NULL); route; route = trie_next(t, route)) {
		struct prefix p = trie_prefix(t, route);
		struct l3vpn_route4 r4 = { .plen = p.len, .nh = route->nh, .label = route->label };
		struct l3vpn_route6 r6 = { .plen = p.len, .nh = route->nh, .label = route->label };

		memcpy(&r4.prefix, p.addr.b, 4);
		memcpy(r6.prefix, p.addr.b, 16);
		sum += f ? dp_digest_route6(r->vrf[slot].vrf.id, &r6) :
		       dp_digest_route4(r->vrf[slot].vrf.id, &r4);
	}
	return sum;
}

static void dump_tables(struct record *r, struct dp_dump *d)
{
	uint64_t nh_sum = 0, label_sum = 0, endpoint_sum = 0;
	int i, f;

	for (i = 0; i < RECORD_NHS; i++)
		nh_sum += r->nh[i].nh ? dp_digest_nh(r->nh[i].nh) : 0;
	for (i = 0; i < RECORD_LABELS; i++)
		label_sum += r->label[i].label.label ? dp_digest_label(&r->label[i].label) : 0;
	for (i = 0; i < RECORD_ENDPOINTS; i++)
		endpoint_sum += r->endpoint[i].ep ? dp_digest_endpoint(r->endpoint[i].ep) : 0;
	table_row(d, L3VPN_OBJECT_ENDPOINT, 0, record_endpoints(r), endpoint_sum);
	table_row(d, L3VPN_OBJECT_NH, 0, record_nhs(r), nh_sum);
	table_row(d, L3VPN_OBJECT_LABEL, 0, record_labels(r), label_sum);
	for (i = 0; i < RECORD_VRFS; i++)
		for (f = 0; r->vrf[i].vrf.id && f < 2; f++)
			table_row(d, f ? L3VPN_OBJECT_ROUTE6 : L3VPN_OBJECT_ROUTE4, r->vrf[i].vrf.id,
				  r->vrf[i].route[f].count, routes_digest(r, i, f));
}

static void dump_run(struct record *r, struct dp_dump *d)
{
	struct dp_row row;
	int i;

	for (i = 0; i < RECORD_VRFS && d->query.kind == DP_QUERY_VRFS; i++) {
		memset(&row, 0, sizeof(row));
		row.kind = DP_QUERY_VRFS;
		row.vrf = r->vrf[i].vrf;
		if (row.vrf.id)
			d->ops->row(d->arg, &row);
	}
	for (i = 0; i < RECORD_PORTS && d->query.kind == DP_QUERY_PORTS; i++) {
		memset(&row, 0, sizeof(row));
		row.kind = DP_QUERY_PORTS;
		row.port = r->port[i];
		if (row.port.ifindex)
			d->ops->row(d->arg, &row);
	}
	for (i = 0; i < RECORD_NHS && d->query.kind == DP_QUERY_NHS; i++) {
		memset(&row, 0, sizeof(row));
		row.kind = DP_QUERY_NHS;
		if (r->nh[i].nh) {
			row.nh = *r->nh[i].nh;
			d->ops->row(d->arg, &row);
		}
	}
	for (i = 0; i < RECORD_LABELS && d->query.kind == DP_QUERY_LABELS; i++) {
		memset(&row, 0, sizeof(row));
		row.kind = DP_QUERY_LABELS;
		row.label = r->label[i].label;
		if (row.label.label)
			d->ops->row(d->arg, &row);
	}
	for (i = 0; i < RECORD_ENDPOINTS && d->query.kind == DP_QUERY_ENDPOINTS; i++) {
		memset(&row, 0, sizeof(row));
		row.kind = DP_QUERY_ENDPOINTS;
		if (r->endpoint[i].ep) {
			row.endpoint = *r->endpoint[i].ep;
			d->ops->row(d->arg, &row);
		}
	}
	if (d->query.kind == DP_QUERY_ROUTES4 || d->query.kind == DP_QUERY_ROUTES6)
		dump_routes(r, d);
	if (d->query.kind == DP_QUERY_TABLES)
		dump_tables(r, d);
}

/* ---- the loop ---- */

static void note(struct record *r, const struct dp_op *op)
{
	char buf[256];

	if (r->n_lines == RECORD_LINES)
		return;
	dp_op_str(op, buf, sizeof(buf));
	r->line[r->n_lines++] = xstrdup(buf);
}

static void batch_run(struct record *r, struct dp_batch *b)
{
	const char *why;
	size_t i;
	int err;

	r->n_batches++;
	for (i = 0; i < b->n; i++) {
		note(r, &b->ops[i]);
		err = r->present ? do_op(r, &b->ops[i], &why) : ENODEV;
		if (err)
			dp_op_fail(&b->ops[i], err, r->present ? why : NULL);
	}
	b->done(b);
}

static uint64_t sweep_run(struct record *r, uint32_t epoch)
{
	struct record_route *route, *next;
	uint64_t n = 0;
	int i, f, round;

	for (i = 0; i < RECORD_LABELS; i++)
		if (r->label[i].label.label && r->label[i].epoch < epoch) {
			memset(&r->label[i], 0, sizeof(r->label[i]));
			n++;
		}
	for (i = 0; i < RECORD_VRFS; i++)
		for (f = 0; r->vrf[i].vrf.id && f < 2; f++)
			for (route = trie_next(&r->vrf[i].route[f], NULL); route; route = next) {
				next = trie_next(&r->vrf[i].route[f], route);
				if (route->epoch < epoch) {
					trie_remove(&r->vrf[i].route[f], route);
					n++;
				}
			}
	for (round = 0; round < 4; round++)
		for (i = 0; i < RECORD_NHS; i++)
			if (r->nh[i].nh && r->nh[i].epoch < epoch && !nh_used(r, i)) {
				dp_nh_free(r->nh[i].nh);
				r->nh[i].nh = NULL;
				n++;
			}
	for (i = 0; i < RECORD_ENDPOINTS; i++)
		if (r->endpoint[i].ep && r->endpoint[i].epoch < epoch) {
			dp_endpoint_free(r->endpoint[i].ep);
			r->endpoint[i].ep = NULL;
			n++;
		}
	for (i = 0; i < RECORD_VRFS; i++)
		if (r->vrf[i].vrf.id && r->vrf[i].epoch < epoch) {
			vrf_forget(r, i);
			n++;
		}
	return n;
}

static void work(uv_idle_t *idle)
{
	struct record *r = idle->data;
	struct record_sweep *sweep;
	struct dp_batch *b;
	struct dp_dump *d;

	uv_idle_stop(&r->idle);
	if (r->tell_gone) {
		r->tell_gone = false;
		r->listener.gone(r->listener.arg);
	}
	if (r->tell_ready) {
		r->tell_ready = false;
		r->listener.ready(r->listener.arg);
	}
	while (!r->held_back && (b = r->first)) {
		r->first = b->next;
		if (!r->first)
			r->last = &r->first;
		batch_run(r, b);
	}
	while (!r->held_back && (d = r->dumps)) {
		r->dumps = d->next;
		dump_run(r, d);
		d->ops->done(d->arg, r->present ? 0 : ENODEV, "");
		free(d);
	}
	while (!r->held_back && (sweep = r->sweeps)) {
		r->sweeps = sweep->next;
		sweep->done(sweep->arg, 0, sweep_run(r, sweep->epoch));
		free(sweep);
	}
}

/* ---- provider ---- */

static int op_open(struct dp_provider *p, uv_loop_t *loop, const struct dp_listener *listener,
		   char *why, size_t why_len)
{
	struct record *r = to_record(p);

	r->loop = loop;
	r->listener = *listener;
	uv_idle_init(loop, &r->idle);
	r->idle.data = r;
	r->opened = true;
	r->tell_ready = true;
	kick(r);
	return 0;
}

static void closed(uv_handle_t *handle)
{
	struct record *r = handle->data;

	r->opened = false;
}

static void op_close(struct dp_provider *p)
{
	struct record *r = to_record(p);
	struct record_sweep *sweep;
	struct dp_batch *b;
	struct dp_dump *d;

	r->held_back = false;
	while ((b = r->first)) {
		r->first = b->next;
		b->done(b);
	}
	r->last = &r->first;
	while ((d = r->dumps)) {
		r->dumps = d->next;
		d->ops->done(d->arg, ECANCELED, "");
		free(d);
	}
	while ((sweep = r->sweeps)) {
		r->sweeps = sweep->next;
		sweep->done(sweep->arg, ECANCELED, 0);
		free(sweep);
	}
	uv_close((uv_handle_t *)&r->idle, closed);
}

static void op_submit(struct dp_provider *p, struct dp_batch *batch)
{
	struct record *r = to_record(p);

	batch->next = NULL;
	*r->last = batch;
	r->last = &batch->next;
	kick(r);
}

static size_t op_backlog(const struct dp_provider *p)
{
	const struct dp_batch *b;
	size_t n = 0;

	for (b = to_record(p)->first; b; b = b->next)
		n += b->n;
	return n;
}

static int op_info(struct dp_provider *p, struct dp_info *info)
{
	struct record *r = to_record(p);
	int i;

	memset(info, 0, sizeof(*info));
	if (!r->present)
		return ENODEV;
	info->instance = r->instance;
	info->epoch = r->epoch;
	info->nhs = record_nhs(r);
	info->labels = record_labels(r);
	for (i = 0; i < RECORD_VRFS; i++) {
		info->vrfs += r->vrf[i].vrf.id != 0;
		info->routes4 += r->vrf[i].route[0].count;
		info->routes6 += r->vrf[i].route[1].count;
	}
	return 0;
}

static int op_epoch_begin(struct dp_provider *p, uint32_t *epoch)
{
	*epoch = ++to_record(p)->epoch;
	return 0;
}

static void op_sweep(struct dp_provider *p, uint32_t epoch, uint32_t kinds,
		     void (*done)(void *arg, int error, uint64_t swept), void *arg)
{
	struct record *r = to_record(p);
	struct record_sweep *sweep = xcalloc(1, sizeof(*sweep));

	sweep->epoch = epoch;
	sweep->done = done;
	sweep->arg = arg;
	sweep->next = r->sweeps;
	r->sweeps = sweep;
	kick(r);
}

static struct dp_dump *op_dump(struct dp_provider *p, const struct dp_query *query,
			       const struct dp_dump_ops *ops, void *arg)
{
	struct record *r = to_record(p);
	struct dp_dump *d = xcalloc(1, sizeof(*d)), **at;

	d->query = *query;
	d->ops = ops;
	d->arg = arg;
	for (at = &r->dumps; *at; at = &(*at)->next)
		;
	*at = d;
	kick(r);
	return d;
}

static void op_dump_resume(struct dp_dump *dump)
{
}

static struct record *the_record;	/* a cancelled dump does not know whose it is */

static void op_dump_cancel(struct dp_dump *dump)
{
	struct dp_dump **at;

	for (at = &the_record->dumps; *at && *at != dump; at = &(*at)->next)
		;
	if (*at)
		*at = dump->next;
	free(dump);
}

static int op_lookup(struct dp_provider *p, struct dp_lookup *lookup)
{
	return ESRCH;
}

static int op_get(struct dp_provider *p, enum dp_query_kind kind, uint32_t id, struct dp_row *row)
{
	struct record *r = to_record(p);
	int i = vrf_slot(r, id);

	memset(row, 0, sizeof(*row));
	if (kind == DP_QUERY_VRFS && i >= 0)
		row->vrf = r->vrf[i].vrf;
	else if (kind == DP_QUERY_NHS && nh_there(r, id))
		row->nh = *r->nh[id].nh;
	else
		return ENOENT;
	return 0;
}

static int op_nh_state(struct dp_provider *p, uint32_t id, bool down)
{
	return nh_there(to_record(p), id) ? 0 : ENOENT;
}

static int op_clear(struct dp_provider *p, uint32_t kinds)
{
	return 0;
}

static int op_trace(struct dp_provider *p, const struct dp_trace *trace, char *why, size_t len)
{
	(void)p;
	if (!trace)
		return 0;
	snprintf(why, len, "no packets here");
	return EOPNOTSUPP;
}

static int op_drops(struct dp_provider *p, bool on)
{
	return 0;
}

static const struct dp_provider_ops record_ops = {
	.name = "record",
	.open = op_open,
	.close = op_close,
	.submit = op_submit,
	.backlog = op_backlog,
	.info = op_info,
	.epoch_begin = op_epoch_begin,
	.sweep = op_sweep,
	.dump = op_dump,
	.dump_resume = op_dump_resume,
	.dump_cancel = op_dump_cancel,
	.lookup = op_lookup,
	.get = op_get,
	.nh_state = op_nh_state,
	.clear = op_clear,
	.drops = op_drops,
	.trace = op_trace,
};

/* ---- for tests ---- */

struct record *record_new(void)
{
	struct record *r = xcalloc(1, sizeof(*r));

	r->base.ops = &record_ops;
	r->last = &r->first;
	r->present = true;
	r->instance = 1;
	the_record = r;
	return r;
}

void record_free(struct record *r)
{
	forget_all(r);
	record_forget_lines(r);
	if (the_record == r)
		the_record = NULL;
	free(r);
}

uint64_t record_digest(const struct record *r, uint32_t vrf, uint8_t family)
{
	int i = vrf_slot(r, vrf);

	return i < 0 ? 0 : routes_digest(r, i, family == AF_INET6);
}

struct dp_provider *record_provider(struct record *r)
{
	return &r->base;
}

void record_forget_lines(struct record *r)
{
	while (r->n_lines)
		free(r->line[--r->n_lines]);
	r->n_batches = 0;
}

int record_find(const struct record *r, size_t from, const char *text)
{
	for (; from < r->n_lines; from++)
		if (strstr(r->line[from], text))
			return from;
	return -1;
}

void record_gone(struct record *r)
{
	forget_all(r);
	r->present = false;
	r->tell_gone = true;
	kick(r);
}

void record_back(struct record *r)
{
	r->present = true;
	r->instance++;
	r->tell_ready = true;
	kick(r);
}

void record_reload(struct record *r)
{
	record_gone(r);
	record_back(r);
}

void record_hold(struct record *r, bool on)
{
	r->held_back = on;
	kick(r);
}

static struct trie *table(const struct record *r, uint32_t vrf, uint8_t family)
{
	int i = vrf_slot(r, vrf);

	return i < 0 ? NULL : (struct trie *)&r->vrf[i].route[family == AF_INET6];
}

size_t record_routes(const struct record *r, uint32_t vrf, uint8_t family)
{
	struct trie *t = table(r, vrf, family);

	return t ? t->count : 0;
}

struct record_route *record_route(struct record *r, uint32_t vrf, const char *prefix)
{
	struct prefix p;
	struct trie *t;

	if (!prefix_parse(prefix, &p))
		return NULL;
	t = table(r, vrf, p.addr.family);
	return t ? trie_get(t, &p) : NULL;
}

void record_drop_route(struct record *r, uint32_t vrf, const char *prefix)
{
	struct record_route *route = record_route(r, vrf, prefix);
	struct prefix p;

	prefix_parse(prefix, &p);
	if (route)
		trie_remove(table(r, vrf, p.addr.family), route);
}

void record_put_route(struct record *r, uint32_t vrf, const char *prefix, uint32_t nh, uint32_t label)
{
	struct record_route *route;
	struct prefix p;
	bool created;

	prefix_parse(prefix, &p);
	route = trie_insert(table(r, vrf, p.addr.family), &p, &created);
	*route = (struct record_route){ nh, label, r->epoch };
}

size_t record_nhs(const struct record *r)
{
	size_t n = 0, i;

	for (i = 0; i < RECORD_NHS; i++)
		n += r->nh[i].nh != NULL;
	return n;
}

size_t record_labels(const struct record *r)
{
	size_t n = 0, i;

	for (i = 0; i < RECORD_LABELS; i++)
		n += r->label[i].label.label != 0;
	return n;
}

size_t record_endpoints(const struct record *r)
{
	size_t n = 0, i;

	for (i = 0; i < RECORD_ENDPOINTS; i++)
		n += r->endpoint[i].ep != NULL;
	return n;
}

void record_take_over(struct record *to, struct record *from)
{
	memcpy(to->vrf, from->vrf, sizeof(to->vrf));
	memcpy(to->nh, from->nh, sizeof(to->nh));
	memcpy(to->label, from->label, sizeof(to->label));
	memcpy(to->port, from->port, sizeof(to->port));
	memcpy(to->endpoint, from->endpoint, sizeof(to->endpoint));
	memset(from->endpoint, 0, sizeof(from->endpoint));
	to->epoch = from->epoch;
	to->instance = from->instance;
	memset(from->vrf, 0, sizeof(from->vrf));
	memset(from->nh, 0, sizeof(from->nh));
}
