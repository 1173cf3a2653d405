// SPDX-License-Identifier: GPL-2.0
/*
 * server - the Unix socket, its clients and their lines: see mgmt.h.
 *
 * Back pressure: a client whose answers pile up (WRITE_HIGH) is not read from, its handlers are not run and
 * topics drop rows for it, until it has read them down to WRITE_LOW.
 */
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "mgmt/server.h"

#define WRITE_HIGH (256u << 10)
#define WRITE_LOW (64u << 10)
#define CLIENTS_MAX 256

struct write {
	uv_write_t req;
	char *line;
};

/* ---- the end ---- */

static void maybe_gone(struct mgmt *mgmt)
{
	if (--mgmt->handles || !mgmt->closing)
		return;
	free(mgmt->path);
	free(mgmt);
}

static void client_closed(uv_handle_t *handle)
{
	struct client *c = handle->data;
	struct mgmt *mgmt = c->mgmt;

	free(c->in);
	free(c);
	maybe_gone(mgmt);
}

void client_close(struct client *c)
{
	if (uv_is_closing((uv_handle_t *)&c->pipe))
		return;
	c->closing = true;
	request_end_all(c);
	conf_candidate_close(c->cand);
	c->cand = NULL;
	list_del(&c->node);
	uv_close((uv_handle_t *)&c->pipe, client_closed);
}

/* ---- out ---- */

bool client_full(const struct client *c)
{
	return c->pipe.write_queue_size > WRITE_HIGH;
}

static void start_reading(struct client *c);

static void written(uv_write_t *req, int status)
{
	struct write *w = (struct write *)req;
	struct client *c = req->handle->data;

	free(w->line);
	free(w);
	if (status < 0 || (c->closing && !c->shutting)) {
		client_close(c);
	} else if (!c->closing && c->pipe.write_queue_size <= WRITE_LOW) {
		if (c->paused)
			start_reading(c);
		request_wake(c->mgmt);
	}
}

/* It is closed from the loop, because the caller may be a handler of its request. */
static void doom(struct client *c)
{
	c->closing = true;
	request_wake(c->mgmt);
}

void client_send(struct client *c, char *line)
{
	struct write *w;
	uv_buf_t buf;

	if (!line || c->closing) {
		free(line);
		doom(c);
		return;
	}
	w = xcalloc(1, sizeof(*w));
	w->line = line;
	buf = uv_buf_init(line, strlen(line));
	if (uv_write(&w->req, (uv_stream_t *)&c->pipe, &buf, 1, written) < 0) {
		free(line);
		free(w);
		doom(c);
	}
}

static void shut(uv_shutdown_t *req, int status)
{
	struct client *c = req->handle->data;

	free(req);
	client_close(c);
}

void client_idle(struct client *c)
{
	uv_shutdown_t *req;

	if (!c->eof || c->closing || !list_empty(&c->requests))
		return;
	req = xcalloc(1, sizeof(*req));
	if (uv_shutdown(req, (uv_stream_t *)&c->pipe, shut) < 0) {
		free(req);
		doom(c);
		return;
	}
	c->closing = c->shutting = true;
}

static void run_requests(uv_idle_t *idle)
{
	struct mgmt *mgmt = idle->data;
	struct client *c, *next;

	if (!request_run_all(mgmt))
		uv_idle_stop(idle);
	list_for_each_safe(c, next, &mgmt->clients, struct client, node) {
		/* one that is shutting down closes itself once all is written */
		if (c->closing && !c->shutting)
			client_close(c);
	}
}

void request_wake(struct mgmt *mgmt)
{
	if (!mgmt->closing)
		uv_idle_start(&mgmt->runner, run_requests);
}

/* ---- in ---- */

static void do_call(struct client *c, struct rpc_call *call)
{
	struct rpc_fault fault = { 0 };
	json_t *result = NULL;

	if (!strcmp(call->method, "cancel")) {
		const json_t *id = json_object_get(call->params, "id");
		bool found = id && request_cancel(c, id);

		if (call->id)
			client_send(c, rpc_result_line(call->id, json_pack("{s:b}", "found", found)));
		return;
	}
	if (!call->id) {
		rpc_fault(&fault, MGMT_INVALID, "a request needs an id");
		client_send(c, rpc_fault_line(NULL, &fault));
	} else if (!config_call(c, call->method, call->params, &result, &fault)) {
		request_start(c, call);
	} else if (fault.code) {
		client_send(c, rpc_fault_line(call->id, &fault));
	} else {
		client_send(c, rpc_result_line(call->id, result));
	}
}

static void do_line(struct client *c, const char *line, size_t len)
{
	struct rpc_fault fault;
	struct rpc_call call;

	while (len && (line[len - 1] == '\r' || line[len - 1] == ' '))
		len--;
	if (!len)
		return;
	if (rpc_decode(line, len, &call, &fault))
		do_call(c, &call);
	else
		client_send(c, rpc_fault_line(call.id, &fault));
	rpc_call_free(&call);
}

/* Whole lines in what was read; the rest is kept. */
static void do_input(struct client *c)
{
	size_t done = 0;
	char *end;

	while (c->in_len && !c->closing && !client_full(c) && (end = memchr(c->in + done, '\n', c->in_len - done))) {
		size_t len = end - (c->in + done);

		do_line(c, c->in + done, len);
		done += len + 1;
	}
	if (done) {
		memmove(c->in, c->in + done, c->in_len - done);
		c->in_len -= done;
	}
}

static void make_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct client *c = handle->data;

	if (c->in_len == c->in_size) {
		size_t size = c->in_size ? 2 * c->in_size : 4096;
		char *in = size <= RPC_LINE_MAX ? realloc(c->in, size) : NULL;

		if (!in) {
			*buf = uv_buf_init(NULL, 0);	/* read_some gets UV_ENOBUFS */
			return;
		}
		c->in = in;
		c->in_size = size;
	}
	*buf = uv_buf_init(c->in + c->in_len, c->in_size - c->in_len);
}

static void read_some(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct client *c = stream->data;
	struct rpc_fault fault;

	if (n == UV_ENOBUFS) {
		rpc_fault(&fault, MGMT_INVALID, "a line is longer than %u bytes", RPC_LINE_MAX);
		client_send(c, rpc_fault_line(NULL, &fault));
		uv_read_stop(stream);
		c->eof = true;
		request_end_all(c);
		client_idle(c);
		return;
	}
	if (n < 0) {
		uv_read_stop(stream);
		if (n != UV_EOF) {
			client_close(c);
			return;
		}
		c->eof = true;
		request_end_topics(c);
		client_idle(c);
		return;
	}
	c->in_len += n;
	do_input(c);
	if (!c->closing && client_full(c)) {
		c->paused = true;
		uv_read_stop(stream);
	}
}

static void start_reading(struct client *c)
{
	c->paused = false;
	do_input(c);
	if (c->closing || c->eof)
		return;
	if (client_full(c))
		c->paused = true;
	else
		uv_read_start((uv_stream_t *)&c->pipe, make_room, read_some);
}

/* ---- clients ---- */

static void identify(struct client *c)
{
	struct ucred cred = { 0 };
	socklen_t len = sizeof(cred);
	struct passwd pw, *found = NULL;
	char buf[1024];
	uv_os_fd_t fd;

	snprintf(c->user, sizeof(c->user), "unknown");
	if (uv_fileno((uv_handle_t *)&c->pipe, &fd) == 0 &&
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0) {
		if (getpwuid_r(cred.uid, &pw, buf, sizeof(buf), &found) == 0 && found)
			snprintf(c->user, sizeof(c->user), "%.47s", found->pw_name);
		else
			snprintf(c->user, sizeof(c->user), "uid-%u", cred.uid);
	}
	snprintf(c->owner, sizeof(c->owner), "%.40s (pid %d)", c->user, cred.pid);
}

static void connected(uv_stream_t *listener, int status)
{
	struct mgmt *mgmt = listener->data;
	struct client *c, *other;
	unsigned int n = 0;

	if (status < 0 || mgmt->closing)
		return;
	c = xcalloc(1, sizeof(*c));
	c->mgmt = mgmt;
	c->pipe.data = c;
	list_init(&c->requests);
	list_for_each(other, &mgmt->clients, struct client, node)
		n++;
	uv_pipe_init(mgmt->loop, &c->pipe, 0);
	mgmt->handles++;
	list_add_tail(&mgmt->clients, &c->node);
	if (uv_accept(listener, (uv_stream_t *)&c->pipe) < 0 || n >= CLIENTS_MAX) {
		log_warn("mgmt", "a client is turned away: %u are connected", n);
		client_close(c);
		return;
	}
	identify(c);
	start_reading(c);
}

/* ---- life ---- */

struct mgmt *mgmt_new(uv_loop_t *loop, struct conf *conf, struct conf_error *err)
{
	struct mgmt *mgmt;

	if (!conf_add_module(conf, "l3vpn-exec", mgmt_yang_exec, err))
		return NULL;
	mgmt = xcalloc(1, sizeof(*mgmt));
	mgmt->loop = loop;
	mgmt->conf = conf;
	list_init(&mgmt->clients);
	uv_pipe_init(loop, &mgmt->listener, 0);
	uv_idle_init(loop, &mgmt->runner);
	mgmt->listener.data = mgmt->runner.data = mgmt;
	mgmt->handles = 2;
	return mgmt;
}

/* Whether somebody answers at the address; a socket file that nobody serves is removed. */
static bool taken(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool answers;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	answers = fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0;
	if (!answers && errno == ECONNREFUSED)
		unlink(path);
	if (fd >= 0)
		close(fd);
	return answers;
}

bool mgmt_listen(struct mgmt *mgmt, const char *path, struct conf_error *err)
{
	struct sockaddr_un addr;
	mode_t mask;
	int rc;

	if (strlen(path) >= sizeof(addr.sun_path))
		return conf_error(err, path, "a socket's path has at most %zu bytes", sizeof(addr.sun_path) - 1);
	if (taken(path))
		return conf_error(err, path, "another daemon answers there");
	signal(SIGPIPE, SIG_IGN);	/* a client that left is an error of write */
	mask = umask(0117);
	rc = uv_pipe_bind(&mgmt->listener, path);
	umask(mask);
	if (rc == 0) {
		mgmt->path = xstrdup(path);
		rc = uv_listen((uv_stream_t *)&mgmt->listener, 64, connected);
	}
	if (rc < 0)
		return conf_error(err, path, "cannot listen: %s", uv_strerror(rc));
	return true;
}

static void handle_closed(uv_handle_t *handle)
{
	maybe_gone(handle->data);
}

void mgmt_free(struct mgmt *mgmt)
{
	if (!mgmt)
		return;
	while (!list_empty(&mgmt->clients))
		client_close(list_first(&mgmt->clients, struct client, node));
	request_free_rpcs(mgmt);
	mgmt->closing = true;
	/* libuv removes the socket's file when it closes a pipe that it bound */
	uv_close((uv_handle_t *)&mgmt->listener, handle_closed);
	uv_close((uv_handle_t *)&mgmt->runner, handle_closed);
}
