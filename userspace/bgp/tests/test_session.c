// SPDX-License-Identifier: GPL-2.0
/* rooms: lib rib policy bgp */
/*
 * Sessions in worker threads, against each other over the loopback, and against a hand-made
 * peer whose every octet the test chooses:
 *
 *      A: workers, 127.0.0.1  <--TCP-->  B: workers, 127.0.0.2      (one main loop for both)
 *
 * Both ends have a listening socket as listen.c would keep it. Waits are for conditions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "bgp/attr.h"
#include "bgp/worker.h"
#include "lib/log.h"
#include "lib/mem.h"

struct end {
	struct bgp_session *s;
	struct bgp_up up;
	unsigned int ups, downs, refreshes, routes, eors, drained, messages;
	struct bgp_down down;
	enum bgp_refresh refresh[8];	/* the last ones, and how many routes had come before */
	unsigned int refresh_at[8];
	int listen_fd;
	uv_poll_t poll;
	bool slow;		/* the main thread is busy: each update takes it a while */
};

static struct bgp_workers *ws;
static uint16_t port;
static uv_timer_t tick;

static void on_up(void *o, const struct bgp_up *up)
{
	struct end *e = o;

	e->up = *up;
	e->ups++;
}

static void on_down(void *o, const struct bgp_down *down)
{
	struct end *e = o;

	e->down = *down;
	e->downs++;
}

static void on_update(void *o, const struct bgp_update *u)
{
	struct end *e = o;

	for (unsigned int i = 0; i < u->parts; i++)
		e->routes += u->part[i].count;
	for (int f = 0; f < BGP_FAMILIES; f++)
		e->eors += u->eor[f];
	e->messages++;
	if (e->slow)
		usleep(200);
}

static void on_refresh(void *o, enum bgp_family f, enum bgp_refresh what)
{
	struct end *e = o;

	e->refresh[e->refreshes % 8] = what;
	e->refresh_at[e->refreshes % 8] = e->routes;
	e->refreshes++;
}

static void on_drained(void *o)
{
	struct end *e = o;

	e->drained++;
}

static const struct bgp_session_ops ops = {
	.up = on_up, .down = on_down, .update = on_update, .refresh = on_refresh,
	.drained = on_drained,
};

static void on_tick(uv_timer_t *t)
{
}

/* Runs the loop until *count is at least @want, or fails after 20 s. */
static void wait_for(const unsigned int *count, unsigned int want, const char *what)
{
	uint64_t end = bgp_now_ms() + 20000;

	while (*(volatile const unsigned int *)count < want) {
		if (bgp_now_ms() > end)
			fail_msg("%s: %u of %u after 20 s", what, *count, want);
		uv_run(uv_default_loop(), UV_RUN_ONCE);
	}
}


static struct bgp_session_conf conf_of(const char *name, const char *self, const char *peer)
{
	struct bgp_session_conf c = { .port = port, .local_as = 65000, .remote_as = 65000,
				      .hold = 9, .connect_retry = 1 };

	snprintf(c.name, sizeof(c.name), "%s", name);
	addr_parse(self, &c.source);
	addr_parse(peer, &c.peer.addr);
	c.local_id = addr_to_v4(&c.source);
	c.caps.as4 = true;
	c.caps.as = 65000;
	c.caps.refresh = true;
	c.caps.enhanced_refresh = true;
	c.caps.extended = true;
	c.caps.any_family = true;
	c.caps.family[BGP_VPNV4] = true;
	c.caps.family[BGP_VPNV6] = true;
	return c;
}

/* One socket on any address serves both ends: whom it is for tells the peer's address. */
static struct end *ends[2];

static void on_shared(uv_poll_t *poll, int status, int events)
{
	struct tcp_endpoint from;
	int fd;

	while ((fd = tcp_accept(((struct end *)poll->data)->listen_fd, &from)) >= 0) {
		struct end *e = ends[from.addr.b[3] == 1];

		if (e && e->s)
			bgp_session_accept(e->s, fd);
		else
			close(fd);
	}
}

static struct end listener;

static int setup(void **state)
{
	unsigned int seed = (unsigned int)getpid();

	log_init("test", LOG_TARGET_NONE, LOG_LEVEL_DEBUG);
	do {
		port = (uint16_t)(20000 + rand_r(&seed) % 30000);
		listener.listen_fd = tcp_listen(AF_INET, port, "");
	} while (listener.listen_fd < 0);
	uv_poll_init(uv_default_loop(), &listener.poll, listener.listen_fd);
	listener.poll.data = &listener;
	uv_poll_start(&listener.poll, UV_READABLE, on_shared);
	uv_timer_init(uv_default_loop(), &tick);
	uv_timer_start(&tick, on_tick, 20, 20);
	ws = bgp_workers_new(uv_default_loop(), 2, &ops);
	return ws ? 0 : -1;
}

static int teardown(void **state)
{
	uv_timer_stop(&tick);
	uv_close((uv_handle_t *)&tick, NULL);
	uv_poll_stop(&listener.poll);
	uv_close((uv_handle_t *)&listener.poll, NULL);
	for (int i = 0; i < 2; i++) {
		/* of a test that failed */
		if (ends[i] && ends[i]->s)
			bgp_session_free(ends[i]->s, BGP_CEASE_DECONFIGURED);
	}
	bgp_workers_free(ws);
	uv_run(uv_default_loop(), UV_RUN_DEFAULT);
	close(listener.listen_fd);
	return uv_loop_close(uv_default_loop());
}

/* Ends outlive a test that fails: what it left is ended by the next one, or by teardown. */
static struct end pool[2];

static void make(struct end *e, const struct bgp_session_conf *c, int which)
{
	if (e->s)
		bgp_session_free(e->s, BGP_CEASE_DECONFIGURED);
	memset(e, 0, sizeof(*e));
	e->s = bgp_session_new(ws, c, e);
	assert_non_null(e->s);
	ends[which] = e;
}

static void unmake(struct end *e)
{
	if (e->s)
		bgp_session_free(e->s, BGP_CEASE_DECONFIGURED);
	e->s = NULL;
}

static void pair(struct end *a, struct end *b, void (*tune)(struct bgp_session_conf *a,
							    struct bgp_session_conf *b))
{
	struct bgp_session_conf ca = conf_of("A", "127.0.0.1", "127.0.0.2");
	struct bgp_session_conf cb = conf_of("B", "127.0.0.2", "127.0.0.1");

	if (tune)
		tune(&ca, &cb);
	make(a, &ca, 0);
	make(b, &cb, 1);
	bgp_session_start(a->s);
	bgp_session_start(b->s);
}

/* Both connect at once, again and again: whatever collides, one session remains and stays. */
static void both_active(void **state)
{
	for (int round = 0; round < 20; round++) {
		struct bgp_session_info ia, ib;
		struct end *a = &pool[0], *b = &pool[1];

		pair(a, b, NULL);
		wait_for(&a->ups, 1, "A up");
		wait_for(&b->ups, 1, "B up");
		/* a flap would show as a further up or a down while this goes through */
		bgp_session_refresh(a->s, BGP_VPNV4);
		bgp_session_refresh(b->s, BGP_VPNV6);
		wait_for(&b->refreshes, 1, "refresh at B");
		wait_for(&a->refreshes, 1, "refresh at A");
		bgp_session_info(a->s, &ia);
		bgp_session_info(b->s, &ib);
		assert_int_equal(ia.state, BGP_ESTABLISHED);
		assert_int_equal(ib.state, BGP_ESTABLISHED);
		assert_int_equal(ia.local_port, ib.remote_port);
		assert_int_equal(ia.remote_port, ib.local_port);
		unmake(a);
		wait_for(&b->downs, 1, "B down");
		assert_false(b->down.lost);
		unmake(b);
	}
}

static void one_delays(struct bgp_session_conf *a, struct bgp_session_conf *b)
{
	a->delay_open = 15;
	b->passive = true;
}

static void one_delays_passively(struct bgp_session_conf *a, struct bgp_session_conf *b)
{
	a->delay_open = 15;
	a->passive = true;
}

static void both_delay(struct bgp_session_conf *a, struct bgp_session_conf *b)
{
	a->delay_open = b->delay_open = 1;
}

static uint64_t time_to_come_up(void (*tune)(struct bgp_session_conf *a, struct bgp_session_conf *b))
{
	struct end *a = &pool[0], *b = &pool[1];
	uint64_t begin = bgp_now_ms(), took;
	struct bgp_session_info i;

	pair(a, b, tune);
	wait_for(&a->ups, 1, "A up");
	wait_for(&b->ups, 1, "B up");
	took = bgp_now_ms() - begin;
	bgp_session_refresh(a->s, BGP_VPNV4);
	wait_for(&b->refreshes, 1, "refresh at B");
	bgp_session_info(a->s, &i);
	assert_int_equal(i.state, BGP_ESTABLISHED);
	assert_int_equal(a->downs + b->downs, 0);
	unmake(a);
	wait_for(&b->downs, 1, "B down");
	unmake(b);
	return took;
}

/* DelayOpen (RFC 4271 8.1.1): the OPEN of a peer that does not wait is answered; two that wait both say theirs then. */
static void delayed_open(void **state)
{
	for (int i = 0; i < 5; i++) {
		assert_true(time_to_come_up(one_delays) < 10000);
		assert_true(time_to_come_up(one_delays_passively) < 10000);
	}
	assert_in_range(time_to_come_up(both_delay), 1000, 10000);
}

static void two_as_numbers(struct bgp_session_conf *a, struct bgp_session_conf *b)
{
	a->local_as = 64999;
	a->second_as = 65000;
	a->remote_as = 65001;
	b->local_as = b->caps.as = 65001;
	b->passive = true;
}

/* The peer wants the second AS number of ours, or the first (RFC 7705 section 3.3). */
static void either_as(void **state)
{
	static const uint32_t wanted[] = { 65000, 64999 };

	for (int i = 0; i < 2; i++) {
		struct bgp_session_conf ca = conf_of("A", "127.0.0.1", "127.0.0.2");
		struct bgp_session_conf cb = conf_of("B", "127.0.0.2", "127.0.0.1");
		struct end *a = &pool[0], *b = &pool[1];

		two_as_numbers(&ca, &cb);
		cb.remote_as = wanted[i];
		make(a, &ca, 0);
		make(b, &cb, 1);
		bgp_session_start(a->s);
		bgp_session_start(b->s);
		wait_for(&a->ups, 1, "A up");
		wait_for(&b->ups, 1, "B up");
		assert_int_equal(a->up.as, wanted[i]);
		assert_int_equal(b->up.peer.as, wanted[i]);
		unmake(a);
		unmake(b);
	}
}

static void one_passive(struct bgp_session_conf *a, struct bgp_session_conf *b)
{
	b->passive = true;
}

static void stop_and_start(void **state)
{
	struct end *a = &pool[0], *b = &pool[1];

	pair(a, b, one_passive);
	wait_for(&b->ups, 1, "B up");
	wait_for(&a->ups, 1, "A up");
	assert_int_equal(a->up.agreed.hold, 9);
	assert_true(a->up.agreed.family[BGP_VPNV4] && !a->up.agreed.family[BGP_IPV4]);
	bgp_session_stop(a->s, BGP_CEASE_SHUTDOWN);
	wait_for(&b->downs, 1, "B down");
	assert_non_null(strstr(b->down.why, "Administrative Shutdown"));
	assert_false(b->down.lost);
	assert_null(strchr(b->down.why, '"'));
	bgp_session_start(a->s);
	wait_for(&a->ups, 2, "A up again");
	wait_for(&b->ups, 2, "B up again");
	/* reset comes back by itself */
	bgp_session_reset(b->s, BGP_CEASE_RESET);
	wait_for(&a->downs, 2, "A down");
	assert_non_null(strstr(a->down.why, "Administrative Reset"));
	wait_for(&a->ups, 3, "A up after a reset");
	/* gone without a word: the other one may keep our routes */
	bgp_session_abandon(a->s);
	wait_for(&b->downs, 3, "B sees the connection break");
	assert_true(b->down.lost);
	unmake(a);
	unmake(b);
}

static void both_graceful(struct bgp_session_conf *a, struct bgp_session_conf *b)
{
	one_passive(a, b);
	a->caps.gr = b->caps.gr = true;
	a->caps.gr_notify = b->caps.gr_notify = true;
}

/* RFC 8538, 9003: who ends a session and who hears of it agree on whether routes are kept; reasons arrive. */
static void kinds_of_end(void **state)
{
	static const struct {
		uint8_t subcode;
		bool graceful, lost;
	} resets[] = {
		{ BGP_CEASE_RESET, false, false }, { BGP_CEASE_RESET, true, true }, { BGP_CEASE_CONFIG, false, true },
		{ BGP_CEASE_BFD_DOWN, false, false },
	};
	struct end *a = &pool[0], *b = &pool[1];
	struct bgp_cease c = { .subcode = BGP_CEASE_SHUTDOWN };

	for (int notify = 0; notify < 2; notify++) {
		pair(a, b, notify ? both_graceful : one_passive);
		for (unsigned int i = 0; i < ARRAY_SIZE(resets); i++) {
			struct bgp_cease r = { .subcode = resets[i].subcode, .graceful = resets[i].graceful };

			wait_for(&b->ups, i + 1, "B up");
			wait_for(&a->ups, i + 1, "A up");
			assert_int_equal(a->up.agreed.gr_notify, notify);
			bgp_session_reset_with(a->s, &r);
			wait_for(&a->downs, i + 1, "A down");
			wait_for(&b->downs, i + 1, "B down");
			assert_int_equal(a->down.lost, notify && resets[i].lost);
			assert_int_equal(b->down.lost, notify && resets[i].lost);
		}
		wait_for(&b->ups, ARRAY_SIZE(resets) + 1, "B up");
		wait_for(&a->ups, ARRAY_SIZE(resets) + 1, "A up");
		bgp_cease_reason(&c, "back at six");
		bgp_session_stop_with(a->s, &c);
		wait_for(&b->downs, ARRAY_SIZE(resets) + 1, "B down");
		wait_for(&a->downs, ARRAY_SIZE(resets) + 1, "A down");
		assert_false(a->down.lost || b->down.lost);
		assert_string_equal(b->down.why, notify ?
			"received Cease/Hard Reset, Cease/Administrative Shutdown: \"back at six\"" :
			"received Cease/Administrative Shutdown: \"back at six\"");
		assert_string_equal(a->down.why + strlen("sent"), b->down.why + strlen("received"));
		unmake(a);
		unmake(b);
	}
}

static void wrong_as(struct bgp_session_conf *a, struct bgp_session_conf *b)
{
	one_passive(a, b);
	a->remote_as = 65009;
}

static void refused_open(void **state)
{
	struct bgp_session_info i = { 0 };
	uint64_t end = bgp_now_ms() + 20000;
	struct end *a = &pool[0], *b = &pool[1];

	pair(a, b, wrong_as);
	while (!strstr(i.last_error, "Bad Peer AS") && bgp_now_ms() < end) {
		uv_run(uv_default_loop(), UV_RUN_ONCE);
		bgp_session_info(b->s, &i);
	}
	assert_non_null(strstr(i.last_error, "Bad Peer AS"));
	assert_int_equal(a->ups + b->ups, 0);
	unmake(a);
	unmake(b);
}

static void with_password(struct bgp_session_conf *a, struct bgp_session_conf *b)
{
	one_passive(a, b);
	strcpy(a->sock.password, "sesame");
	strcpy(b->sock.password, "sesame");
}

/* RFC 2385: keys on both sides; and with another key no connection, for a reason that can be told. */
static void md5(void **state)
{
	struct tcp_md5_drops before, after;
	struct ip_addr one, two;
	struct end *a = &pool[0], *b = &pool[1];

	addr_parse("127.0.0.1", &one);
	addr_parse("127.0.0.2", &two);
	assert_int_equal(tcp_md5(listener.listen_fd, &one, "sesame"), 0);
	pair(a, b, with_password);
	wait_for(&a->ups, 1, "up with MD5");
	unmake(a);
	wait_for(&b->downs, 1, "B down");
	unmake(b);
	assert_int_equal(tcp_md5(listener.listen_fd, &one, "another"), 0);
	assert_true(tcp_md5_drops(&before));
	pair(a, b, with_password);
	for (int i = 0; i < 60; i++)
		uv_run(uv_default_loop(), UV_RUN_ONCE);
	assert_int_equal(a->ups, 0);
	assert_true(tcp_md5_drops(&after));
	assert_true(after.wrong > before.wrong);
	assert_int_equal(after.unexpected, before.unexpected);
	unmake(a);
	unmake(b);
	assert_int_equal(tcp_md5(listener.listen_fd, &one, ""), 0);
	assert_int_equal(tcp_md5(listener.listen_fd, &one, ""), 0);
}

static void gtsm(struct bgp_session_conf *a, struct bgp_session_conf *b)
{
	one_passive(a, b);
	a->sock.ttl = 255;
	a->sock.min_ttl = 255;
	b->sock = a->sock;
}

static void gtsm_short(struct bgp_session_conf *a, struct bgp_session_conf *b)
{
	gtsm(a, b);
	a->sock.ttl = 1;	/* B wants 255 */
}

static void ttl_security(void **state)
{
	struct end *a = &pool[0], *b = &pool[1];

	pair(a, b, gtsm);
	wait_for(&a->ups, 1, "up with GTSM");
	unmake(a);
	wait_for(&b->downs, 1, "B down");
	unmake(b);
	pair(a, b, gtsm_short);
	for (int i = 0; i < 60; i++)
		uv_run(uv_default_loop(), UV_RUN_ONCE);
	/* what came before the socket was accepted may count, what follows does not: B stays down */
	assert_int_equal(b->ups, 0);
	unmake(a);
	unmake(b);
}

/* ---- a hand-made peer on 127.0.0.3 ---- */

static int raw_connect(void)
{
	struct tcp_options none = { 0 };
	struct tcp_endpoint to = { 0 };
	struct ip_addr from;
	int fd;

	addr_parse("127.0.0.1", &to.addr);
	addr_parse("127.0.0.1", &from);
	fd = tcp_connect(&to, port, &from, &none);
	assert_true(fd >= 0);
	return fd;
}

/* Reads until a message of @type is there; its body into @body. */
static size_t raw_expect(int fd, enum bgp_msg_type want, uint8_t *body)
{
	static uint8_t m[2 * 65536];
	uint64_t end = bgp_now_ms() + 20000;
	size_t have = 0;

	while (bgp_now_ms() < end) {
		struct cursor in = cursor_make(m, have), b;
		struct bgp_notification err;
		enum bgp_msg_type type;
		ssize_t n;

		if (bgp_frame_next(&in, true, &type, &b, &err) == BGP_FRAME_OK) {
			if (type == want) {
				memcpy(body, b.at, cursor_left(&b));
				return cursor_left(&b);
			}
			memmove(m, in.at, cursor_left(&in));
			have = cursor_left(&in);
			continue;
		}
		uv_run(uv_default_loop(), UV_RUN_ONCE);
		n = recv(fd, m + have, sizeof(m) - have, MSG_DONTWAIT);
		if (n == 0)
			fail_msg("closed while waiting for message %d", want);
		if (n > 0)
			have += (size_t)n;
	}
	fail_msg("no message %d", want);
	return 0;
}

static void raw_send(int fd, const struct buf *b)
{
	size_t at = 0;

	while (at < b->len) {
		ssize_t n = send(fd, b->data + at, b->len - at, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0)
			at += (size_t)n;
		else
			uv_run(uv_default_loop(), UV_RUN_ONCE);
	}
}

/* what is different in the next OPEN: RFC 7313's capability is there */
static bool raw_enhanced;
static bool raw_plain;		/* the session itself does not offer RFC 8654 */

static void raw_open(struct buf *b, uint16_t hold)
{
	struct bgp_open o = { .as = 65000, .hold = hold, .id = 0x7f000063 };

	o.caps = conf_of("", "127.0.0.1", "127.0.0.1").caps;
	o.caps.enhanced_refresh = raw_enhanced;
	bgp_open_encode(b, &o);
}

/* A passive session at our side, and a connection to it that is in OpenSent there. */
static int raw_begin(struct end *e)
{
	struct bgp_session_conf c = conf_of("raw", "127.0.0.2", "127.0.0.1");
	uint8_t body[BGP_MAX_LEN];
	struct bgp_session_info i = { 0 };
	int fd;

	c.passive = true;
	c.caps.extended = !raw_plain;
	make(e, &c, 1);
	ends[0] = NULL;
	bgp_session_start(e->s);
	while (i.state != BGP_ACTIVE) {
		uv_run(uv_default_loop(), UV_RUN_ONCE);
		bgp_session_info(e->s, &i);
	}
	fd = raw_connect();
	raw_expect(fd, BGP_OPEN, body);
	return fd;
}

static void raw_up(int fd, struct end *e, uint16_t hold)
{
	uint8_t body[BGP_MAX_LEN];
	struct buf b;

	buf_init(&b);
	raw_open(&b, hold);
	bgp_keepalive_encode(&b);
	raw_send(fd, &b);
	raw_expect(fd, BGP_KEEPALIVE, body);
	wait_for(&e->ups, 1, "up");
	buf_free(&b);
}

static void notified(int fd, uint8_t code, uint8_t subcode)
{
	uint8_t body[BGP_MAX_LEN];
	size_t len = raw_expect(fd, BGP_NOTIFICATION, body);

	assert_true(len >= 2);
	assert_int_equal(body[0], code);
	assert_int_equal(body[1], subcode);
}

static void answers(void **state)
{
	static const uint8_t junk[BGP_HEADER_LEN] = { 1, 2, 3 };
	struct end *e = &pool[1];
	struct buf b;
	int fd;

	buf_init(&b);
	/* no marker */
	fd = raw_begin(e);
	buf_bytes(&b, junk, sizeof(junk));
	raw_send(fd, &b);
	notified(fd, BGP_ERR_HEADER, BGP_HDR_NOT_SYNC);
	close(fd);
	unmake(e);
	/* KEEPALIVE where an OPEN belongs */
	fd = raw_begin(e);
	buf_rewind(&b, 0);
	bgp_keepalive_encode(&b);
	raw_send(fd, &b);
	notified(fd, BGP_ERR_FSM, BGP_FSM_IN_OPENSENT);
	close(fd);
	unmake(e);
	/* a second OPEN in OpenConfirm */
	fd = raw_begin(e);
	buf_rewind(&b, 0);
	raw_open(&b, 90);
	raw_open(&b, 90);
	raw_send(fd, &b);
	notified(fd, BGP_ERR_FSM, BGP_FSM_IN_OPENCONFIRM);
	close(fd);
	unmake(e);
	/* an UPDATE that cannot be read */
	fd = raw_begin(e);
	raw_up(fd, e, 90);
	buf_rewind(&b, 0);
	{
		size_t at = bgp_msg_begin(&b, BGP_UPDATE);

		buf_u16(&b, 99);
		buf_u16(&b, 0);
		bgp_msg_end(&b, at);
	}
	raw_send(fd, &b);
	notified(fd, BGP_ERR_UPDATE, BGP_UPD_MALFORMED_LIST);
	wait_for(&e->downs, 1, "down");
	close(fd);
	unmake(e);
	buf_free(&b);
}

/* Hold time: keepalives come at a third of it, and silence ends the session. */
static void hold_timer(void **state)
{
	uint8_t body[BGP_MAX_LEN];
	struct end *e = &pool[1];
	uint64_t start;
	int fd = raw_begin(e);

	raw_up(fd, e, 3);
	assert_int_equal(e->up.agreed.hold, 3);
	start = bgp_now_ms();
	raw_expect(fd, BGP_KEEPALIVE, body);
	assert_in_range(bgp_now_ms() - start, 500, 2500);
	notified(fd, BGP_ERR_HOLD, 0);
	assert_in_range(bgp_now_ms() - start, 2500, 6000);
	wait_for(&e->downs, 1, "down");
	close(fd);
	unmake(e);
}

/* An UPDATE with @n VPNv4 routes, the first of which ends with @from. */
static void put_routes(struct buf *b, unsigned int from, unsigned int n)
{
	static const uint8_t attrs[] = { 0x40, 1, 1, 0, 0x40, 2, 0, 0x40, 5, 4, 0, 0, 0, 100 };
	size_t at = bgp_msg_begin(b, BGP_UPDATE), len, mp;
	struct ip_addr nh;

	addr_parse("10.0.0.2", &nh);
	buf_u16(b, 0);
	len = b->len;
	buf_u16(b, 0);
	mp = bgp_mp_reach_begin(b, BGP_VPNV4, &nh, NULL);
	for (; n--; from++) {
		uint8_t octets[4] = { 10, (uint8_t)(from >> 16), (uint8_t)(from >> 8), (uint8_t)from };
		struct bgp_nlri nlri = { .label = 100 };

		nlri.prefix = prefix_make(AF_INET, octets, 32);
		bgp_nlri_encode(b, BGP_VPNV4, &nlri, 0);
	}
	bgp_mp_end(b, mp);
	buf_bytes(b, attrs, sizeof(attrs));
	buf_patch_u16(b, len, (uint16_t)(b->len - len - 2));
	bgp_msg_end(b, at);
}

/* RFC 7313: the marks come in their place among the updates, from a peer with the capability only. */
static void refresh_marks(void **state)
{
	struct end *e = &pool[1];
	struct buf b;
	int fd;

	buf_init(&b);
	for (int enhanced = 0; enhanced < 2; enhanced++) {
		fd = raw_begin(e);
		raw_enhanced = enhanced;
		raw_up(fd, e, 90);
		raw_enhanced = false;
		assert_int_equal(e->up.agreed.enhanced_refresh, enhanced);
		buf_rewind(&b, 0);
		bgp_refresh_encode(&b, BGP_VPNV4, BGP_REFRESH_BEGIN);
		put_routes(&b, 0, 3);
		bgp_refresh_encode(&b, BGP_VPNV4, BGP_REFRESH_END);
		bgp_refresh_encode(&b, BGP_IPV4, BGP_REFRESH_REQUEST);	/* not negotiated */
		bgp_refresh_encode(&b, BGP_VPNV4, 9);
		put_routes(&b, 3, 1);
		bgp_refresh_encode(&b, BGP_VPNV6, BGP_REFRESH_REQUEST);
		raw_send(fd, &b);
		wait_for(&e->refreshes, enhanced ? 3 : 1, "refreshes");
		assert_int_equal(e->routes, 4);
		assert_int_equal(e->refreshes, enhanced ? 3 : 1);
		assert_int_equal(e->refresh[e->refreshes - 1], BGP_REFRESH_REQUEST);
		assert_int_equal(e->refresh_at[e->refreshes - 1], 4);
		if (enhanced) {
			assert_int_equal(e->refresh[0], BGP_REFRESH_BEGIN);
			assert_int_equal(e->refresh_at[0], 0);
			assert_int_equal(e->refresh[1], BGP_REFRESH_END);
			assert_int_equal(e->refresh_at[1], 3);
		}
		/* one of the wrong length comes back whole, to whom that error says something */
		buf_rewind(&b, 0);
		{
			uint8_t body[BGP_MAX_LEN];
			size_t at = bgp_msg_begin(&b, BGP_ROUTE_REFRESH), len;

			buf_u32(&b, 0x00010180);
			buf_u8(&b, 7);
			bgp_msg_end(&b, at);
			raw_send(fd, &b);
			len = raw_expect(fd, BGP_NOTIFICATION, body);
			assert_int_equal(len, 2 + (enhanced ? b.len : 2));
			assert_int_equal(body[0], enhanced ? BGP_ERR_REFRESH : BGP_ERR_HEADER);
			assert_int_equal(body[1], enhanced ? BGP_REFRESH_BAD_LENGTH : BGP_HDR_BAD_LENGTH);
			assert_memory_equal(body + 2, b.data + (enhanced ? 0 : 16), len - 2);
		}
		wait_for(&e->downs, 1, "down");
		close(fd);
		unmake(e);
	}
	buf_free(&b);
}

/*
 * RFC 8654: extended messages, one after the other and in pieces of every kind, between short ones; then one that is
 * longer than an offer of ours allows.
 */
static void extended_messages(void **state)
{
	static const unsigned int routes[] = { 1, 4000, 3, 3200, 4050, 250, 300, 4080, 1 };
	struct end *e = &pool[1];
	unsigned int want = 0;
	struct buf b;
	int fd;

	buf_init(&b);
	fd = raw_begin(e);
	raw_up(fd, e, 90);
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		put_routes(&b, 0, routes[i]);
		want += routes[i];
	}
	for (size_t at = 0, piece = 1; at < b.len; at += piece, piece = piece * 7 % 65537) {
		size_t left = b.len - at;
		struct buf part = { .data = b.data + at, .len = left < piece ? left : piece };

		raw_send(fd, &part);
		for (int i = 0; i < 3; i++)
			uv_run(uv_default_loop(), UV_RUN_NOWAIT);
	}
	wait_for(&e->routes, want, "routes");
	assert_int_equal(e->routes, want);
	assert_int_equal(e->messages, ARRAY_SIZE(routes));
	buf_rewind(&b, 0);
	{
		size_t at = bgp_msg_begin(&b, BGP_OPEN);

		for (int i = 0; i < 4097 - BGP_HEADER_LEN; i++)
			buf_u8(&b, 0);
		bgp_msg_end(&b, at);
	}
	raw_send(fd, &b);
	notified(fd, BGP_ERR_HEADER, BGP_HDR_BAD_LENGTH);
	wait_for(&e->downs, 1, "down");
	close(fd);
	unmake(e);
	/* not offered: not taken, though the peer offers it */
	raw_plain = true;
	fd = raw_begin(e);
	raw_up(fd, e, 90);
	raw_plain = false;
	assert_false(e->up.agreed.extended);
	buf_rewind(&b, 0);
	put_routes(&b, 0, 250);
	assert_in_range(b.len, 4000, BGP_MAX_LEN);
	put_routes(&b, 0, 262);
	raw_send(fd, &b);
	notified(fd, BGP_ERR_HEADER, BGP_HDR_BAD_LENGTH);
	wait_for(&e->downs, 1, "down");
	assert_int_equal(e->routes, 250);
	close(fd);
	unmake(e);
	buf_free(&b);
}

/*
 * More than the queue holds, while the main thread is slow: reading stops, the queue stays
 * bounded, the session stays up, and every route arrives.
 */
static void back_pressure(void **state)
{
	unsigned int sent = 0, messages = 3000, most = 0;
	struct bgp_session_info i;
	struct end *e = &pool[1];
	struct buf b;
	int fd = raw_begin(e);

	raw_up(fd, e, 90);
	e->slow = true;
	buf_init(&b);
	for (unsigned int m = 0; m < messages; m++, sent += 200) {
		put_routes(&b, sent, 200);
		raw_send(fd, &b);
		buf_rewind(&b, 0);
		bgp_session_info(e->s, &i);
		most = i.queued_in > most ? (unsigned int)i.queued_in : most;
	}
	wait_for(&e->routes, sent, "routes");
	assert_int_equal(e->routes, sent);
	assert_int_equal(e->downs, 0);
	/* what one read may add on top: 64 KiB of messages, parsed */
	assert_in_range(most, 1, BGP_RX_HIGH + (2u << 20));
	bgp_session_info(e->s, &i);
	assert_int_equal(i.queued_in, 0);
	buf_free(&b);
	close(fd);
	wait_for(&e->downs, 1, "down");
	assert_true(e->down.lost);
	unmake(e);
}

/* One that ends with a full queue: the worker has ended it before the queue is dropped, and is asked nothing. */
static void freed_full(void **state)
{
	uint64_t end = bgp_now_ms() + 20000;
	struct bgp_session_info i = { 0 };
	struct end *e = &pool[1];
	struct buf b;
	size_t at = 0;
	ssize_t n;
	int fd = raw_begin(e);

	raw_up(fd, e, 90);
	buf_init(&b);
	put_routes(&b, 0, 200);
	/* the loop does not run: nothing is taken */
	while (i.queued_in < 2 * BGP_RX_LOW) {
		assert_true(bgp_now_ms() < end);
		n = send(fd, b.data + at, b.len - at, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0)
			usleep(1000);
		else
			at = (at + (size_t)n) % b.len;
		bgp_session_info(e->s, &i);
	}
	buf_free(&b);
	unmake(e);
	usleep(100000);
	for (unsigned int turn = 0; turn < 50; turn++) {
		uv_run(uv_default_loop(), UV_RUN_NOWAIT);
		usleep(1000);
	}
	assert_int_equal(e->routes + e->downs, 0);
	close(fd);
}

/* A peer that takes nothing: the queue says so, and when it takes again, drained is told. */
static void outbound_queue(void **state)
{
	uint8_t chunk[19 * 2000], junk[65536];
	uint64_t end = bgp_now_ms() + 20000;
	struct bgp_session_info i;
	struct bgp_out *out;
	struct buf b;
	struct end *e = &pool[1];
	int fd = raw_begin(e);

	raw_up(fd, e, 90);
	buf_init_fixed(&b, chunk, sizeof(chunk));
	while (sizeof(chunk) - b.len >= 19)
		bgp_keepalive_encode(&b);
	out = bgp_out_new(b.data, b.len, 2000);
	while (bgp_session_send(e->s, out))
		assert_true(bgp_now_ms() < end);
	bgp_out_put(out);
	bgp_session_info(e->s, &i);
	assert_true(i.queued_out >= BGP_TX_HIGH);
	while (!e->drained && bgp_now_ms() < end) {
		if (recv(fd, junk, sizeof(junk), MSG_DONTWAIT) <= 0)
			uv_run(uv_default_loop(), UV_RUN_ONCE);
		else
			uv_run(uv_default_loop(), UV_RUN_NOWAIT);
	}
	assert_int_equal(e->drained, 1);
	unmake(e);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_active), cmocka_unit_test(delayed_open), cmocka_unit_test(either_as),
		cmocka_unit_test(stop_and_start),
		cmocka_unit_test(kinds_of_end),
		cmocka_unit_test(refused_open), cmocka_unit_test(md5),
		cmocka_unit_test(ttl_security), cmocka_unit_test(answers),
		cmocka_unit_test(hold_timer), cmocka_unit_test(refresh_marks), cmocka_unit_test(extended_messages),
		cmocka_unit_test(back_pressure), cmocka_unit_test(freed_full),
		cmocka_unit_test(outbound_queue),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
