// SPDX-License-Identifier: GPL-2.0
/* client - the client side of the management protocol: see client.h. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/mem.h"
#include "mgmt/client.h"

#define LINE_MAX_BYTES (256u << 20)	/* a longer answer is not one */

struct mgmt_client {
	int fd;
	json_int_t next_id;
	char *in;
	size_t in_len, in_size;
	size_t used;		/* bytes of in that the last line took */
};

static void fail(struct mgmt_client_error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void fail(struct mgmt_client_error *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return;
	*err = (struct mgmt_client_error){ .code = code };
	va_start(ap, fmt);
	vsnprintf(err->reason, sizeof(err->reason), fmt, ap);
	va_end(ap);
}

struct mgmt_client *mgmt_client_open(const char *path, struct mgmt_client_error *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct mgmt_client *c;
	int fd;

	path = path ? path : MGMT_SOCKET;
	if (strlen(path) >= sizeof(addr.sun_path)) {
		fail(err, 0, "%s: too long for a socket's path", path);
		return NULL;
	}
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		fail(err, 0, "no daemon answers at %s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	c = xcalloc(1, sizeof(*c));
	c->fd = fd;
	c->next_id = 1;
	return c;
}

void mgmt_client_close(struct mgmt_client *c)
{
	if (!c)
		return;
	close(c->fd);
	free(c->in);
	free(c);
}

int mgmt_client_fd(const struct mgmt_client *c)
{
	return c->fd;
}

/* One more read into the buffer. */
static bool fill(struct mgmt_client *c, struct mgmt_client_error *err)
{
	ssize_t n;

	if (c->in_len == c->in_size) {
		if (c->in_size >= LINE_MAX_BYTES) {
			fail(err, 0, "the daemon's answer is too long");
			return false;
		}
		c->in_size = c->in_size ? 2 * c->in_size : 65536;
		c->in = xrealloc(c->in, c->in_size);
	}
	n = recv(c->fd, c->in + c->in_len, c->in_size - c->in_len, 0);
	if (n > 0)
		c->in_len += n;
	else if (n == 0 || errno != EINTR)
		fail(err, 0, "the daemon closed the connection%s%s", n ? ": " : "", n ? strerror(errno) : "");
	return n > 0 || (n < 0 && errno == EINTR);
}

/* Sends all; while the daemon does not read, what it says is read, so that the two cannot wait for each other. */
static bool send_all(struct mgmt_client *c, const char *s, size_t len, struct mgmt_client_error *err)
{
	while (len) {
		struct pollfd p = { .fd = c->fd, .events = POLLIN | POLLOUT };
		ssize_t n;

		if (poll(&p, 1, -1) < 0 && errno != EINTR) {
			fail(err, 0, "poll: %s", strerror(errno));
			return false;
		}
		if ((p.revents & (POLLIN | POLLHUP | POLLERR)) && !fill(c, err))
			return false;
		if (!(p.revents & POLLOUT))
			continue;
		n = send(c->fd, s, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EINTR && errno != EAGAIN) {
			fail(err, 0, "the daemon closed the connection: %s", strerror(errno));
			return false;
		}
		if (n > 0) {
			s += n;
			len -= n;
		}
	}
	return true;
}

static bool send_call(struct mgmt_client *c, json_int_t id, const char *method, json_t *params,
		      struct mgmt_client_error *err)
{
	json_t *doc = json_pack("{s:s,s:I,s:s,s:o}", "jsonrpc", "2.0", "id", id, "method", method, "params",
				params ? params : json_object());
	char *line = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	bool ok = false;

	json_decref(doc);
	if (!line)
		fail(err, 0, "the call is not JSON: text that is not UTF-8?");
	else
		ok = send_all(c, line, strlen(line), err) && send_all(c, "\n", 1, err);
	free(line);
	return ok;
}

static void send_cancel(struct mgmt_client *c, json_int_t id)
{
	char *line = xasprintf("{\"jsonrpc\":\"2.0\",\"method\":\"cancel\",\"params\":{\"id\":%lld}}\n", (long long)id);

	send_all(c, line, strlen(line), NULL);
	free(line);
}

/* The next line, NUL for its end; NULL: the connection is lost. *stop: interrupted reads are reported (*woken). */
static char *next_line(struct mgmt_client *c, const volatile sig_atomic_t *stop, bool *woken,
		       struct mgmt_client_error *err)
{
	size_t seen = 0;
	char *end;

	*woken = false;
	if (c->used) {
		memmove(c->in, c->in + c->used, c->in_len - c->used);
		c->in_len -= c->used;
		c->used = 0;
	}
	while (!(end = c->in_len > seen ? memchr(c->in + seen, '\n', c->in_len - seen) : NULL)) {
		struct pollfd p = { .fd = c->fd, .events = POLLIN };

		seen = c->in_len;
		if (stop && *stop) {
			*woken = true;
			return NULL;
		}
		/* the timeout closes the gap between the look at *stop and the wait */
		if (poll(&p, 1, stop ? 200 : -1) <= 0)
			continue;
		if (!fill(c, err))
			return NULL;
	}
	*end = 0;
	c->used = end - c->in + 1;
	return c->in;
}

static void read_error(const json_t *error, struct mgmt_client_error *err)
{
	const json_t *data = json_object_get(error, "data");
	const char *reason = json_string_value(json_object_get(data, "reason"));
	const char *path = json_string_value(json_object_get(data, "path"));

	if (!reason)
		reason = json_string_value(json_object_get(error, "message"));
	fail(err, json_integer_value(json_object_get(error, "code")), "%s", reason ? reason : "refused");
	if (!err)
		return;
	err->line = json_integer_value(json_object_get(data, "line"));
	snprintf(err->path, sizeof(err->path), "%s", path ? path : "");
}

/* Rows of the call; false: the caller has enough. */
static bool give_rows(const json_t *params, mgmt_client_row row, void *arg)
{
	const json_t *rows = json_object_get(params, "rows");
	json_t *one;
	size_t i;

	json_array_foreach(rows, i, one) {
		if (!row(one, arg))
			return false;
	}
	return true;
}

json_t *mgmt_call(struct mgmt_client *c, const char *method, json_t *params, mgmt_client_row row, void *arg,
		  const volatile sig_atomic_t *stop, struct mgmt_client_error *err)
{
	json_int_t id = c->next_id++;
	bool cancelled = false, woken;
	json_t *doc, *result;
	char *line;

	if (!send_call(c, id, method, params, err))
		return NULL;
	for (;;) {
		line = next_line(c, cancelled ? NULL : stop, &woken, err);
		if (woken) {
			cancelled = true;
			send_cancel(c, id);
			continue;
		}
		if (!line)
			return NULL;
		doc = json_loads(line, 0, NULL);
		if (!doc) {
			fail(err, 0, "the daemon's answer is not JSON");
			return NULL;
		}
		if (json_integer_value(json_object_get(doc, "id")) == id)
			break;
		params = json_object_get(doc, "params");
		if (row && !cancelled && json_integer_value(json_object_get(params, "id")) == id &&
		    !give_rows(params, row, arg)) {
			cancelled = true;
			send_cancel(c, id);
		}
		json_decref(doc);
	}
	result = json_incref(json_object_get(doc, "result"));
	if (!result)
		read_error(json_object_get(doc, "error"), err);
	json_decref(doc);
	return result;
}
