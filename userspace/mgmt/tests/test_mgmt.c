// SPDX-License-Identifier: GPL-2.0
/* rooms: lib conf mgmt */
/*
 * The management server through its socket: configuration methods, rpc input checked by the schema, streams
 * with back pressure, topics, cancelling, bad lines.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "mgmt/client.h"
#include "mgmt/mgmt.h"
#include "mgmt/tests/harness.h"

static struct mgmt_client *open_client(struct harness *h)
{
	struct mgmt_client_error err;
	struct mgmt_client *c = mgmt_client_open(harness_socket(h), &err);

	if (!c)
		fail_msg("open: %s", err.reason);
	return c;
}

static json_t *call_ok(struct mgmt_client *c, const char *method, json_t *params)
{
	struct mgmt_client_error err = { 0 };
	json_t *result = mgmt_call(c, method, params, NULL, NULL, NULL, &err);

	if (!result)
		fail_msg("%s: %d line %u %s: %s", method, err.code, err.line, err.path, err.reason);
	return result;
}

static void call_done(struct mgmt_client *c, const char *method, json_t *params)
{
	json_decref(call_ok(c, method, params));
}

static struct mgmt_client_error call_refused(struct mgmt_client *c, const char *method, json_t *params, int code)
{
	struct mgmt_client_error err = { 0 };
	json_t *result = mgmt_call(c, method, params, NULL, NULL, NULL, &err);

	assert_null(result);
	if (err.code != code)
		fail_msg("%s: code %d, not %d: %s", method, err.code, code, err.reason);
	assert_true(err.reason[0]);
	return err;
}

static char *get_text(struct mgmt_client *c, const char *method, json_t *params)
{
	json_t *result = call_ok(c, method, params);
	char *text = xstrdup(json_string_value(json_object_get(result, "text")));

	json_decref(result);
	return text;
}

static void configure(void **state)
{
	struct harness *h = *state;
	struct mgmt_client *c = open_client(h);
	struct mgmt_client_error err;
	json_t *r;
	char *text;

	call_refused(c, "config.edit", json_pack("{s:s}", "text", "vrf RED"), MGMT_STATE);
	call_done(c, "config.open", NULL);
	call_refused(c, "config.open", NULL, MGMT_STATE);
	r = call_ok(c, "config.edit", json_pack("{s:s}", "text", "vrf RED"));
	assert_string_equal(json_string_value(json_object_get(r, "context")), "vrf RED");
	json_decref(r);
	r = call_ok(c, "config.edit", json_pack("{s:s,s:s}", "context", "vrf RED", "text", "rd 65000:1"));
	assert_string_equal(json_string_value(json_object_get(r, "context")), "vrf RED");
	json_decref(r);
	err = call_refused(c, "config.edit", json_pack("{s:s,s:s}", "context", "vrf RED", "text", "\n rd x"),
			   MGMT_REFUSED);
	assert_int_equal(err.line, 2);
	assert_string_equal(err.path, "/l3vpn:vrf/rd");
	text = get_text(c, "config.changes", NULL);
	assert_string_equal(text, "vrf RED\n rd 65000:1\n!\n");
	free(text);
	r = call_ok(c, "config.commit", json_pack("{s:s}", "comment", "first"));
	assert_true(json_is_true(json_object_get(r, "changed")));
	json_decref(r);
	text = get_text(c, "config.get", json_pack("{s:s}", "path", "/l3vpn:vrf[name='RED']"));
	assert_string_equal(text, "vrf RED\n rd 65000:1\n!\n");
	free(text);
	r = call_ok(c, "config.get", json_pack("{s:s}", "format", "json"));
	assert_int_equal(json_array_size(json_object_get(json_object_get(r, "json"), "l3vpn:vrf")), 1);
	json_decref(r);
	call_refused(c, "config.get", json_pack("{s:s}", "colour", "red"), MGMT_PARAMS);
	call_refused(c, "config.rollback", json_pack("{s:i}", "to", 40), MGMT_REFUSED);
	call_done(c, "config.rollback", json_pack("{s:i}", "to", 1));
	text = get_text(c, "config.differences", NULL);
	assert_string_equal(text, "- vrf RED\n-  rd 65000:1\n- !\n");
	free(text);
	call_done(c, "config.reset", NULL);
	r = call_ok(c, "config.history", NULL);
	assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(r, "commits"), 0),
							      "comment")), "first");
	json_decref(r);
	mgmt_client_close(c);
}

static void exclusive_is_released(void **state)
{
	struct harness *h = *state;
	struct mgmt_client *a = open_client(h), *b = open_client(h);

	call_done(a, "config.open", json_pack("{s:b}", "exclusive", 1));
	call_refused(b, "config.open", NULL, MGMT_STATE);
	mgmt_client_close(a);
	/* the server sees the connection end in its own time */
	for (;;) {
		struct mgmt_client_error err;
		json_t *r = mgmt_call(b, "config.open", NULL, NULL, NULL, NULL, &err);

		json_decref(r);
		if (r)
			break;
		assert_int_equal(err.code, MGMT_STATE);
	}
	mgmt_client_close(b);
}

static void others_committed(void **state)
{
	struct harness *h = *state;
	struct mgmt_client *a = open_client(h), *b = open_client(h);
	char *text;

	call_done(a, "config.open", NULL);
	call_done(b, "config.open", NULL);
	call_done(a, "config.edit", json_pack("{s:s}", "text", "vrf AA"));
	call_done(b, "config.edit", json_pack("{s:s}", "text", "vrf BB"));
	call_done(a, "config.commit", NULL);
	call_refused(b, "config.commit", NULL, MGMT_CHANGED);
	call_done(b, "config.commit", json_pack("{s:b}", "force", 1));
	text = get_text(b, "config.get", NULL);
	assert_non_null(strstr(text, "vrf AA\n"));
	assert_non_null(strstr(text, "vrf BB\n"));
	free(text);
	mgmt_client_close(a);
	mgmt_client_close(b);
}

static bool count_row(json_t *row, void *arg)
{
	assert_true(json_is_object(row));
	++*(int *)arg;
	return true;
}

static bool stop_at_10(json_t *row, void *arg)
{
	return ++*(int *)arg < 10;
}

/* More rows than a pipe holds: all come, in order; one that stops early leaves the connection usable. */
static void stream(void **state)
{
	struct harness *h = *state;
	struct mgmt_client *c = open_client(h);
	struct mgmt_client_error err = { 0 };
	json_t *r;
	int rows = 0;

	for (int i = 0; i < LOG_RING_LINES; i++)
		log_info("stream", "%0400d", i);
	r = mgmt_call(c, "show-log", json_pack("{s:i,s:s}", "last", 4096, "subsystem", "stream"), count_row, &rows,
		      NULL, &err);
	assert_non_null(r);
	assert_int_equal(rows, json_integer_value(json_object_get(r, "rows")));
	assert_true(rows > 4000);
	json_decref(r);
	rows = 0;
	r = mgmt_call(c, "show-log", json_pack("{s:i}", "last", 4096), stop_at_10, &rows, NULL, &err);
	assert_non_null(r);
	assert_int_equal(rows, 10);
	json_decref(r);
	call_done(c, "show-version", NULL);
	mgmt_client_close(c);
}

static int raw_connect(struct harness *h)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(addr.sun_path, harness_socket(h));
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static void nothing(struct mgmt *mgmt, struct conf *conf, void *arg)
{
}

/* A client that asks and never reads costs the server a bounded queue and nobody else anything. */
static void slow_reader(void **state)
{
	static const char ask[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"schema.get\"}\n";
	struct harness *h = *state;
	struct mgmt_client *c = open_client(h);
	int fd = raw_connect(h);
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	size_t sent = 0;

	/* write until the server stops reading: the socket stays full over several turns of its loop */
	for (int full = 0; full < 20;) {
		ssize_t n = send(fd, ask, sizeof(ask) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0) {
			sent += n;
			full = 0;
		} else {
			assert_int_equal(errno, EAGAIN);
			full += poll(&p, 1, 10) == 0;
			harness_run(h, nothing, NULL);
		}
		assert_true(sent < (8u << 20));
	}
	call_done(c, "show-version", NULL);
	close(fd);
	call_done(c, "show-version", NULL);
	mgmt_client_close(c);
}

static char *raw_ask(int fd, const char *line)
{
	static char buf[65536];
	size_t len = 0;

	assert_int_equal(send(fd, line, strlen(line), MSG_NOSIGNAL), strlen(line));
	while (!len || buf[len - 1] != '\n') {
		ssize_t n = recv(fd, buf + len, sizeof(buf) - 1 - len, 0);

		assert_true(n > 0);
		len += n;
	}
	buf[len] = 0;
	return buf;
}

static void bad_lines(void **state)
{
	static const struct {
		const char *line;
		int code;
	} bad[] = {
		{ "nonsense\n", MGMT_PARSE },
		{ "[1,2\n", MGMT_PARSE },
		{ "[]\n", MGMT_INVALID },
		{ "{}\n", MGMT_INVALID },
		{ "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"x\"}\n", MGMT_INVALID },
		{ "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"show-version\"}\n", MGMT_INVALID },
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"show-version\"}\n", MGMT_INVALID },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1}\n", MGMT_INVALID },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}\n", MGMT_INVALID },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"nope\"}\n", MGMT_NO_METHOD },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"show-log\",\"params\":[1]}\n", MGMT_PARAMS },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"show-log\",\"params\":{\"last\":0}}\n", MGMT_PARAMS },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"show-log\",\"params\":{\"last\":{}}}\n", MGMT_PARAMS },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"show-log\",\"params\":{\"fish\":1}}\n", MGMT_PARAMS },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"show-log\",\"params\":{\"level\":\"loud\"}}\n",
		  MGMT_PARAMS },
		{ "{\"jsonrpc\":\"2.0\",\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\"}\n", MGMT_PARSE },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}\n", MGMT_PARSE },
		/* the reader's complaint quotes the first octet of a character alone */
		{ "{\"_sonrpc\":\"\",\"id\\\xd9\x92mw\":4}}\n", MGMT_PARSE },
	};
	struct harness *h = *state;
	int fd = raw_connect(h);

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		json_t *doc = json_loads(raw_ask(fd, bad[i].line), 0, NULL);
		json_t *error = json_object_get(doc, "error");

		assert_non_null(error);
		if (json_integer_value(json_object_get(error, "code")) != bad[i].code)
			fail_msg("%s -> %s", bad[i].line, json_string_value(json_object_get(error, "message")));
		assert_true(strlen(json_string_value(json_object_get(error, "message"))) > 0);
		json_decref(doc);
	}
	assert_non_null(strstr(raw_ask(fd, "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"show-version\"}\r\n"),
			       "\"result\""));
	close(fd);
}

/* A client that says all and closes its side still gets its answers. */
static void half_close(void **state)
{
	struct harness *h = *state;
	int fd = raw_connect(h);
	char buf[4096];
	size_t len = 0;
	ssize_t n;

	n = strlen("{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"show-version\"}\n");
	assert_int_equal(send(fd, "{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"show-version\"}\n", n, 0), n);
	shutdown(fd, SHUT_WR);
	while ((n = recv(fd, buf + len, sizeof(buf) - 1 - len, 0)) > 0)
		len += n;
	buf[len] = 0;
	assert_int_equal(n, 0);
	assert_non_null(strstr(buf, "\"result\""));
	close(fd);
}

struct monitor {
	int seen;
	volatile sig_atomic_t stop;
};

static bool monitored(json_t *row, void *arg)
{
	struct monitor *m = arg;

	if (strstr(json_string_value(json_object_get(row, "line")), "tick"))
		m->seen++;
	log_info("tick", "tick %d", m->seen);
	return m->seen < 5;
}

static void tick(struct mgmt *mgmt, struct conf *conf, void *arg)
{
	*(bool *)arg = mgmt_wanted(mgmt, "monitor-log");
}

static void *ticker(void *arg)
{
	bool wanted = false;

	while (!wanted)
		harness_run(arg, tick, &wanted);
	log_info("tick", "tick first");
	return NULL;
}

static void topic(void **state)
{
	struct harness *h = *state;
	struct mgmt_client *c = open_client(h);
	struct mgmt_client_error err = { 0 };
	struct monitor m = { 0 };
	pthread_t t;
	bool wanted = true;
	json_t *r;

	pthread_create(&t, NULL, ticker, h);
	r = mgmt_call(c, "monitor-log", NULL, monitored, &m, &m.stop, &err);
	pthread_join(t, NULL);
	assert_non_null(r);
	assert_true(json_is_true(json_object_get(r, "cancelled")));
	assert_int_equal(m.seen, 5);
	json_decref(r);
	harness_run(h, tick, &wanted);
	assert_false(wanted);
	mgmt_client_close(c);
}

static void second_daemon(void **state)
{
	struct harness *h = *state;
	struct conf_error err = { 0 };
	uv_loop_t loop;
	struct conf *conf;
	struct mgmt *mgmt;
	struct conf_options opt = { .loop = &loop };

	uv_loop_init(&loop);
	conf = conf_new(&opt, &err);
	mgmt = mgmt_new(&loop, conf, &err);
	assert_false(mgmt_listen(mgmt, harness_socket(h), &err));
	assert_string_equal(err.reason, "another daemon answers there");
	mgmt_free(mgmt);
	conf_free(conf);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void socket_mode(void **state)
{
	struct stat st;

	assert_int_equal(stat(harness_socket(*state), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
}

/* ---- handlers of the test's own, on rpcs that no room below has taken ---- */

#define COUNT_TO 20000

struct counter {
	uv_timer_t *timer;
	struct mgmt_request *req;
	int next;
};

static int destroyed;

static void timer_closed(uv_handle_t *timer)
{
	free(timer);
}

static void counter_destroy(void *state)
{
	struct counter *c = state;

	__atomic_add_fetch(&destroyed, 1, __ATOMIC_SEQ_CST);
	if (c->timer) {
		c->timer->data = NULL;
		uv_close((uv_handle_t *)c->timer, timer_closed);
	}
}

/* Rows without end to their number: the cursor carries on where the pipe or the slice ended. */
static enum mgmt_next count(struct mgmt_request *req, void *arg)
{
	struct counter *c = mgmt_state(req, sizeof(*c), counter_destroy);

	while (c->next < COUNT_TO) {
		if (!mgmt_row(req, json_pack("{s:i,s:s}", "n", c->next++, "pad", "................................")))
			return MGMT_AGAIN;
	}
	mgmt_result(req, "last", json_integer(c->next - 1));
	return MGMT_DONE;
}

static void wake_up(uv_timer_t *timer)
{
	struct counter *c = timer->data;

	mgmt_resume(c->req);
}

/* Waits for something outside, as for an answer of the kernel. */
static enum mgmt_next wait(struct mgmt_request *req, void *arg)
{
	struct counter *c = mgmt_state(req, sizeof(*c), counter_destroy);
	const char *vrf = conf_str(mgmt_input(req), "vrf", NULL);

	if (c->next++)
		return mgmt_error(req, MGMT_NOT_FOUND, "/here", "waited for %s", vrf ? vrf : "none");
	c->req = req;
	c->timer = xcalloc(1, sizeof(*c->timer));
	c->timer->data = c;
	uv_timer_init(arg, c->timer);
	/* a client that names no VRF waits until it goes away */
	uv_timer_start(c->timer, wake_up, vrf ? 10 : 1000000, 0);
	return MGMT_WAIT;
}

static const char *counting, *waiting;

static const char *free_rpc(const struct lys_module *mod, const char *leaf)
{
	const struct lysc_node *rpc, *in;

	LY_LIST_FOR((const struct lysc_node *)mod->compiled->rpcs, rpc) {
		if (counting && !strcmp(rpc->name, counting))
			continue;
		if (!strncmp(rpc->name, "show-conf", 9) || !strncmp(rpc->name, "show-run", 8) ||
		    strstr(rpc->name, "-log") || !strcmp(rpc->name, "show-version"))
			continue;
		for (in = NULL; leaf && (in = lys_getnext(in, rpc, NULL, 0)) && strcmp(in->name, leaf);)
			;
		if ((!leaf && !lys_getnext(NULL, rpc, NULL, 0)) || (leaf && in && !(in->flags & LYS_MAND_TRUE)))
			return rpc->name;
	}
	fail_msg("no rpc is left for the test");
	return NULL;
}

static void add_handlers(struct mgmt *mgmt, struct conf *conf, uv_loop_t *loop)
{
	const struct lys_module *mod = ly_ctx_get_module_implemented(conf_ctx(conf), "l3vpn-exec");

	counting = NULL;
	counting = free_rpc(mod, NULL);
	waiting = free_rpc(mod, "vrf");
	mgmt_register(mgmt, counting, count, NULL);
	mgmt_register(mgmt, waiting, wait, loop);
}

static bool in_order(json_t *row, void *arg)
{
	int *next = arg;

	return json_integer_value(json_object_get(row, "n")) == (*next)++;
}

static void handlers(void **state)
{
	struct harness *h = *state;
	struct mgmt_client *c = open_client(h);
	struct mgmt_client_error err = { 0 };
	int next = 0, fd, gone;
	char *line;
	json_t *r;

	r = mgmt_call(c, counting, NULL, in_order, &next, NULL, &err);
	if (!r)
		fail_msg("%s: %s", counting, err.reason);
	assert_int_equal(next, COUNT_TO);
	assert_int_equal(json_integer_value(json_object_get(r, "rows")), COUNT_TO);
	assert_int_equal(json_integer_value(json_object_get(r, "last")), COUNT_TO - 1);
	json_decref(r);
	/* a VRF that is not configured is refused before the handler runs; the request above ends first */
	harness_run(h, nothing, NULL);
	gone = destroyed;
	call_refused(c, waiting, json_pack("{s:s}", "vrf", "RED"), MGMT_PARAMS);
	assert_int_equal(destroyed, gone);
	call_done(c, "config.open", NULL);
	call_done(c, "config.edit", json_pack("{s:s}", "text", "vrf RED"));
	call_done(c, "config.commit", NULL);
	err = call_refused(c, waiting, json_pack("{s:s}", "vrf", "RED"), MGMT_NOT_FOUND);
	assert_string_equal(err.reason, "waited for RED");
	assert_string_equal(err.path, "/here");
	/* a client that goes away ends what waits for it, and what streams to it */
	fd = raw_connect(h);
	harness_run(h, nothing, NULL);
	gone = destroyed;
	line = xasprintf("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\"}\n"
			 "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"%s\"}\n", waiting, counting);
	assert_int_equal(send(fd, line, strlen(line), 0), strlen(line));
	free(line);
	while (recv(fd, &(char){ 0 }, 1, 0) != 1)
		;
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger)), 0);
	close(fd);
	while (__atomic_load_n(&destroyed, __ATOMIC_SEQ_CST) != gone + 2)
		harness_run(h, nothing, NULL);
	mgmt_client_close(c);
}

static int start_handlers(void **state)
{
	*state = harness_start(add_handlers);
	return 0;
}

static int start(void **state)
{
	*state = harness_start(NULL);
	return 0;
}

static int stop(void **state)
{
	harness_stop(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(configure, start, stop),
		cmocka_unit_test_setup_teardown(exclusive_is_released, start, stop),
		cmocka_unit_test_setup_teardown(others_committed, start, stop),
		cmocka_unit_test_setup_teardown(stream, start, stop),
		cmocka_unit_test_setup_teardown(slow_reader, start, stop),
		cmocka_unit_test_setup_teardown(bad_lines, start, stop),
		cmocka_unit_test_setup_teardown(half_close, start, stop),
		cmocka_unit_test_setup_teardown(topic, start, stop),
		cmocka_unit_test_setup_teardown(handlers, start_handlers, stop),
		cmocka_unit_test_setup_teardown(second_daemon, start, stop),
		cmocka_unit_test_setup_teardown(socket_mode, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
