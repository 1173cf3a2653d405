// SPDX-License-Identifier: GPL-2.0
/*
 * request - operational commands: input checked against l3vpn-exec.yang, handlers run in slices, rows streamed
 * as fast as the client reads, topics. See mgmt.h for the handler's contract.
 *
 * Handlers run from the loop's idle phase alone, one slice after another, so that a table of any size holds up
 * neither the loop nor memory. Nothing that a handler may call frees a request.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "mgmt/server.h"

#define SLICE_NS 5000000ULL	/* a handler's turn */
#define BATCH_BYTES 16384	/* rows gathered to a line */

/* What answers an rpc. */
struct mgmt_rpc {
	const struct lysc_node *schema;
	mgmt_handler handler;		/* NULL: a topic */
	void *arg;
	void (*on_listeners)(bool any, void *arg);
	unsigned int listeners;
	struct mgmt_rpc *next;
};

struct mgmt_request {
	struct list node;		/* in client.requests */
	struct client *client;
	struct mgmt_rpc *rpc;
	json_t *id;
	struct lyd_node *input;
	enum { RUNNABLE, WAITING } status;
	uint64_t slice_end;		/* uv_hrtime */
	char *batch;			/* the line being made: rows without its end */
	size_t batch_len, batch_size;
	bool endless;			/* as a topic: ends with its client */
	uint64_t rows, lost;
	json_t *result;
	struct rpc_fault fault;		/* code 0: none */
	void *state;
	void (*destroy)(void *state);
};

/* ---- rpcs ---- */

static const struct lys_module *exec_module(const struct conf *conf)
{
	return ly_ctx_get_module_implemented(conf_ctx(conf), "l3vpn-exec");
}

static const struct lysc_node *find_rpc(const struct conf *conf, const char *name)
{
	const struct lys_module *mod = exec_module(conf);
	const struct lysc_node *rpc;

	LY_LIST_FOR((const struct lysc_node *)mod->compiled->rpcs, rpc) {
		if (!strcmp(rpc->name, name))
			return rpc;
	}
	return NULL;
}

static struct mgmt_rpc *registered(const struct mgmt *mgmt, const char *name)
{
	struct mgmt_rpc *rpc = mgmt->rpcs;

	while (rpc && strcmp(rpc->schema->name, name))
		rpc = rpc->next;
	return rpc;
}

static struct mgmt_rpc *add_rpc(struct mgmt *mgmt, const char *name, void *arg)
{
	struct mgmt_rpc *rpc = xcalloc(1, sizeof(*rpc));

	rpc->schema = find_rpc(mgmt->conf, name);
	if (!rpc->schema || registered(mgmt, name)) {
		log_err("mgmt", "rpc %s is %s", name, rpc->schema ? "registered twice" : "not in l3vpn-exec.yang");
		abort();
	}
	rpc->arg = arg;
	rpc->next = mgmt->rpcs;
	mgmt->rpcs = rpc;
	return rpc;
}

void mgmt_register(struct mgmt *mgmt, const char *rpc, mgmt_handler handler, void *arg)
{
	add_rpc(mgmt, rpc, arg)->handler = handler;
}

void mgmt_topic(struct mgmt *mgmt, const char *rpc, void (*on_listeners)(bool any, void *arg), void *arg)
{
	add_rpc(mgmt, rpc, arg)->on_listeners = on_listeners;
}

void request_free_rpcs(struct mgmt *mgmt)
{
	struct mgmt_rpc *rpc;

	while ((rpc = mgmt->rpcs)) {
		mgmt->rpcs = rpc->next;
		free(rpc);
	}
}

/* ---- input ---- */

/* The text of a JSON value as libyang wants it; NULL: no such value. Uses buf for numbers. */
static const char *value_text(const json_t *value, bool empty, char *buf, size_t size)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		return json_string_value(value);
	case JSON_INTEGER:
		snprintf(buf, size, "%lld", (long long)json_integer_value(value));
		return buf;
	case JSON_TRUE:
		return empty ? "" : "true";
	case JSON_FALSE:
		return empty ? NULL : "false";
	case JSON_NULL:
		return empty ? "" : NULL;
	case JSON_ARRAY:
		/* [null], RFC 7951's form of an empty leaf */
		return empty && json_array_size(value) == 1 && json_is_null(json_array_get(value, 0)) ? "" : NULL;
	default:
		return NULL;
	}
}

static bool ly_fault(struct rpc_fault *fault, const struct ly_ctx *ctx)
{
	struct ly_err_item *item = ly_err_first(ctx);
	struct conf_error err = { 0 };

	while (item && !item->msg)
		item = item->next;
	rpc_fault(fault, MGMT_PARAMS, "%s", item ? item->msg : "the schema refuses it");
	/* the same text with its path taken apart */
	if (item && item->path && strstr(item->path, "\"/")) {
		const char *p = strstr(item->path, "\"/") + 1;

		snprintf(err.path, sizeof(err.path), "%.*s", (int)strcspn(p, "\""), p);
		snprintf(fault->path, sizeof(fault->path), "%s", err.path);
	}
	ly_err_clean((struct ly_ctx *)ctx, NULL);
	return false;
}

static bool add_term(struct mgmt_request *req, const struct lysc_node *leaf, const json_t *value,
		     struct rpc_fault *fault)
{
	const struct lysc_node_leaf *one = (const struct lysc_node_leaf *)leaf;
	bool empty = leaf->nodetype == LYS_LEAF && one->type->basetype == LY_TYPE_EMPTY;
	char buf[32];
	const char *text = value_text(value, empty, buf, sizeof(buf));

	if (!text && empty && json_is_false(value))
		return true;	/* not said */
	if (!text) {
		rpc_fault(fault, MGMT_PARAMS, "%s has a value that is neither text nor a number", leaf->name);
		return false;
	}
	if (lyd_new_term(req->input, NULL, leaf->name, text, 0, NULL) != LY_SUCCESS)
		return ly_fault(fault, conf_ctx(req->client->mgmt->conf));
	return true;
}

static bool add_param(struct mgmt_request *req, const char *name, const json_t *value, struct rpc_fault *fault)
{
	const struct lysc_node *leaf = NULL;
	const json_t *item;
	size_t i;

	while ((leaf = lys_getnext(leaf, req->rpc->schema, NULL, 0)) && strcmp(leaf->name, name))
		;
	if (!leaf || !(leaf->nodetype & (LYS_LEAF | LYS_LEAFLIST))) {
		rpc_fault(fault, MGMT_PARAMS, "%s has no argument \"%s\"", req->rpc->schema->name, name);
		return false;
	}
	if (leaf->nodetype == LYS_LEAF || !json_is_array(value))
		return add_term(req, leaf, value, fault);
	json_array_foreach(value, i, item) {
		if (!add_term(req, leaf, item, fault))
			return false;
	}
	return true;
}

static bool make_input(struct mgmt_request *req, json_t *params, struct rpc_fault *fault)
{
	struct conf *conf = req->client->mgmt->conf;
	const char *name;
	json_t *value;

	if (lyd_new_inner(NULL, exec_module(conf), req->rpc->schema->name, 0, &req->input) != LY_SUCCESS)
		return ly_fault(fault, conf_ctx(conf));
	json_object_foreach(params, name, value) {
		if (!add_param(req, name, value, fault))
			return false;
	}
	if (lyd_validate_op(req->input, conf_running(conf), LYD_TYPE_RPC_YANG, NULL) != LY_SUCCESS)
		return ly_fault(fault, conf_ctx(conf));
	return true;
}

/* ---- life ---- */

static void tell_listeners(struct mgmt_rpc *rpc, bool more)
{
	bool edge = more ? rpc->listeners++ == 0 : --rpc->listeners == 0;

	if (edge && rpc->on_listeners)
		rpc->on_listeners(more, rpc->arg);
}

static void request_free(struct mgmt_request *req)
{
	list_del(&req->node);
	if (req->state) {
		if (req->destroy)
			req->destroy(req->state);
		free(req->state);
	}
	lyd_free_all(req->input);
	json_decref(req->id);
	json_decref(req->result);
	free(req->batch);
	free(req);
}

/* Not for one whose handler is running. */
static void request_end(struct mgmt_request *req)
{
	if (!req->rpc->handler)
		tell_listeners(req->rpc, false);
	request_free(req);
}

static void answer_fault(struct client *c, const json_t *id, const struct rpc_fault *fault)
{
	client_send(c, rpc_fault_line(id, fault));
}

void request_start(struct client *c, struct rpc_call *call)
{
	struct mgmt_rpc *rpc = registered(c->mgmt, call->method);
	struct mgmt_request *req;
	struct rpc_fault fault;

	if (!rpc) {
		rpc_fault(&fault, MGMT_NO_METHOD, "there is no method \"%s\"", call->method);
		answer_fault(c, call->id, &fault);
		return;
	}
	req = xcalloc(1, sizeof(*req));
	req->client = c;
	req->rpc = rpc;
	req->id = json_incref(call->id);
	req->result = json_object();
	list_add_tail(&c->requests, &req->node);
	if (!make_input(req, call->params, &fault)) {
		answer_fault(c, call->id, &fault);
		request_free(req);
		return;
	}
	if (!rpc->handler) {
		req->status = WAITING;
		tell_listeners(rpc, true);
		return;
	}
	request_wake(c->mgmt);
}

static void flush(struct mgmt_request *req)
{
	static const char end[] = "]}}\n";

	if (!req->batch)
		return;
	req->batch = xrealloc(req->batch, req->batch_len + sizeof(end));
	memcpy(req->batch + req->batch_len, end, sizeof(end));
	client_send(req->client, req->batch);
	req->batch = NULL;
	req->batch_len = req->batch_size = 0;
}

static void answer(struct mgmt_request *req, bool cancelled)
{
	flush(req);
	if (req->fault.code) {
		answer_fault(req->client, req->id, &req->fault);
		return;
	}
	json_object_set_new(req->result, "rows", json_integer(req->rows));
	if (cancelled)
		json_object_set_new(req->result, "cancelled", json_true());
	client_send(req->client, rpc_result_line(req->id, json_incref(req->result)));
}

bool request_cancel(struct client *c, const json_t *id)
{
	struct mgmt_request *req;

	list_for_each(req, &c->requests, struct mgmt_request, node) {
		if (json_equal(req->id, id)) {
			answer(req, true);
			request_end(req);
			return true;
		}
	}
	return false;
}

void request_end_all(struct client *c)
{
	while (!list_empty(&c->requests))
		request_end(list_first(&c->requests, struct mgmt_request, node));
}

void request_end_topics(struct client *c)
{
	struct mgmt_request *req, *tmp;

	list_for_each_safe(req, tmp, &c->requests, struct mgmt_request, node) {
		if (!req->rpc->handler || req->endless)
			request_end(req);
	}
}

/* ---- running ---- */

/* One slice; true: it is still runnable. */
static bool run(struct mgmt_request *req)
{
	enum mgmt_next next;

	req->slice_end = uv_hrtime() + SLICE_NS;
	/* a handler may resume its request before it returns MGMT_WAIT: that resume counts */
	req->status = WAITING;
	next = req->rpc->handler(req, req->rpc->arg);
	if (next == MGMT_DONE) {
		struct client *c = req->client;

		answer(req, false);
		request_end(req);
		client_idle(c);
		return false;
	}
	flush(req);
	if (next == MGMT_AGAIN)
		req->status = RUNNABLE;
	return req->status == RUNNABLE;
}

bool request_run_all(struct mgmt *mgmt)
{
	struct client *c, *next;
	struct mgmt_request *req, *tmp;
	bool more = false;

	list_for_each_safe(c, next, &mgmt->clients, struct client, node) {
		list_for_each_safe(req, tmp, &c->requests, struct mgmt_request, node) {
			if (req->status == RUNNABLE && !client_full(c) && !c->closing && run(req) && !client_full(c))
				more = true;
		}
	}
	return more;
}

void mgmt_resume(struct mgmt_request *req)
{
	req->status = RUNNABLE;
	request_wake(req->client->mgmt);
}

/* ---- for handlers ---- */

const struct lyd_node *mgmt_input(const struct mgmt_request *req)
{
	return req->input;
}

void mgmt_endless(struct mgmt_request *req)
{
	req->endless = true;
}

struct conf *mgmt_conf(const struct mgmt_request *req)
{
	return req->client->mgmt->conf;
}

struct conf_candidate *mgmt_candidate(const struct mgmt_request *req)
{
	return req->client->cand;
}

void *mgmt_state(struct mgmt_request *req, size_t size, void (*destroy)(void *state))
{
	if (!req->state) {
		req->state = xcalloc(1, size);
		req->destroy = destroy;
	}
	return req->state;
}

static void batch_add(struct mgmt_request *req, const char *text, size_t len)
{
	if (req->batch_len + len + 1 > req->batch_size) {
		req->batch_size = 2 * (req->batch_len + len + 256);
		req->batch = xrealloc(req->batch, req->batch_size);
	}
	memcpy(req->batch + req->batch_len, text, len);
	req->batch_len += len;
}

static void add_row_text(struct mgmt_request *req, const char *row)
{
	if (!req->batch) {
		char *id = json_dumps(req->id, JSON_COMPACT | JSON_ENCODE_ANY);
		char *start = xasprintf("{\"jsonrpc\":\"2.0\",\"method\":\"rows\",\"params\":{\"id\":%s,\"rows\":[",
					id ? id : "null");

		batch_add(req, start, strlen(start));
		free(start);
		free(id);
	} else {
		batch_add(req, ",", 1);
	}
	batch_add(req, row, strlen(row));
	req->rows++;
	if (req->batch_len >= BATCH_BYTES)
		flush(req);
}

bool mgmt_row(struct mgmt_request *req, json_t *row)
{
	char *text = row ? json_dumps(row, JSON_COMPACT) : NULL;

	if (text)
		add_row_text(req, text);
	else
		log_err("mgmt", "%s made a row that is not JSON", req->rpc->schema->name);
	free(text);
	json_decref(row);
	return !client_full(req->client) && uv_hrtime() < req->slice_end;
}

void mgmt_result(struct mgmt_request *req, const char *name, json_t *value)
{
	json_object_set_new(req->result, name, value);
}

enum mgmt_next mgmt_error(struct mgmt_request *req, enum mgmt_code code, const char *path, const char *fmt, ...)
{
	va_list ap;

	req->fault = (struct rpc_fault){ .code = code };
	snprintf(req->fault.path, sizeof(req->fault.path), "%s", path ? path : "");
	va_start(ap, fmt);
	vsnprintf(req->fault.reason, sizeof(req->fault.reason), fmt, ap);
	va_end(ap);
	return MGMT_DONE;
}

/* ---- topics ---- */

bool mgmt_wanted(const struct mgmt *mgmt, const char *rpc)
{
	const struct mgmt_rpc *r = registered(mgmt, rpc);

	return r && r->listeners;
}

static void publish_to(struct mgmt_request *req, json_t *row)
{
	char *text;

	if (client_full(req->client)) {
		req->lost++;
		return;
	}
	if (req->lost)
		json_object_set_new(row, "lost", json_integer(req->lost));
	text = json_dumps(row, JSON_COMPACT);
	if (req->lost)
		json_object_del(row, "lost");
	if (text) {
		add_row_text(req, text);
		flush(req);
		req->lost = 0;
	}
	free(text);
}

void mgmt_publish(struct mgmt *mgmt, const char *rpc, json_t *row)
{
	const struct mgmt_rpc *r = registered(mgmt, rpc);
	struct mgmt_request *req;
	struct client *c;

	if (r && r->listeners) {
		list_for_each(c, &mgmt->clients, struct client, node) {
			list_for_each(req, &c->requests, struct mgmt_request, node) {
				if (req->rpc == r)
					publish_to(req, row);
			}
		}
	}
	json_decref(row);
}
