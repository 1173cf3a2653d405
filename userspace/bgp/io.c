// SPDX-License-Identifier: GPL-2.0
/*
 * Bytes of a BGP connection: readiness, framing, the queue of what goes out. Contracts in
 * conn.h. Sockets do not block; a session whose parsed updates the main thread has not taken
 * is not read (TCP then holds the peer back).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bgp/conn.h"
#include "lib/mem.h"

#define IOV_BATCH 64
#define SEND_HOLD_MS 480000

static void on_ready(uv_poll_t *poll, int status, int events);

static void free_handle(uv_handle_t *h)
{
	free(h);
}

bool bgp_conn_open(struct bgp_conn *c, int fd, bool connecting)
{
	c->poll = xcalloc(1, sizeof(*c->poll));
	if (uv_poll_init(&c->s->w->loop, c->poll, fd)) {
		free(c->poll);
		c->poll = NULL;
		close(fd);
		return false;
	}
	c->poll->data = c;
	c->fd = fd;
	c->connecting = connecting;
	c->polled = 0;
	bgp_conn_poll(c);
	return true;
}

void bgp_conn_poll(struct bgp_conn *c)
{
	int want = 0;

	if (c->fd < 0)
		return;
	if (c->connecting) {
		want = UV_WRITABLE;
	} else {
		if (!(c->s->paused && c->state == BGP_ESTABLISHED))
			want |= UV_READABLE;
		if (c->tx)
			want |= UV_WRITABLE;
	}
	if (want == c->polled)
		return;
	c->polled = want;
	if (want)
		uv_poll_start(c->poll, want, on_ready);
	else
		uv_poll_stop(c->poll);
}

static void tx_drop(struct bgp_conn *c, struct bgp_tx *t)
{
	if (t->counted)
		atomic_fetch_sub(&c->s->queued_out, t->out->len);
	bgp_out_put(t->out);
	free(t);
}

void bgp_conn_cut(struct bgp_conn *c)
{
	struct bgp_tx *t = c->tx, *next;

	if (t && c->tx_offset) {
		/* Only the messages of this chunk that have begun must end: cut at a boundary. */
		next = t->next;
		t->next = NULL;
		c->tx_last = &t->next;
		t = next;
	} else {
		c->tx = NULL;
		c->tx_last = &c->tx;
	}
	for (; t; t = next) {
		next = t->next;
		tx_drop(c, t);
	}
}

/* What of a message is here waits for what is not: a connection that has nothing to wait for has no memory for it. */
static void keep_rest(struct bgp_conn *c, struct cursor rest)
{
	size_t len = cursor_left(&rest);

	if (!len) {
		free(c->rx);
		c->rx = NULL;
		c->rx_room = 0;
	} else if (len > c->rx_room) {
		c->rx = xrealloc(c->rx, len);
		c->rx_room = len;
	}
	c->rx_len = len;
	if (len)
		memcpy(c->rx, rest.at, len);
}

/* RFC 9687: a peer that takes nothing for that long is gone: eight minutes, or twice the hold time. */
static uint64_t send_hold_ms(const struct bgp_conn *c)
{
	uint64_t twice = 2000ull * c->agreed.hold;

	return twice > SEND_HOLD_MS ? twice : SEND_HOLD_MS;
}

/* Writes what the socket takes; false: the connection broke. */
static bool tx_flush(struct bgp_conn *c)
{
	struct bgp_session *s = c->s;

	while (c->tx) {
		struct iovec iov[IOV_BATCH];
		size_t offset = c->tx_offset;
		int n = 0;
		ssize_t sent;

		for (struct bgp_tx *t = c->tx; t && n < IOV_BATCH; t = t->next, n++) {
			iov[n].iov_base = t->out->data + offset;
			iov[n].iov_len = t->out->len - offset;
			offset = 0;
		}
		struct msghdr msg = { .msg_iov = iov, .msg_iovlen = (size_t)n };

		sent = sendmsg(c->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0)
			return errno == EAGAIN || errno == EINTR;
		c->tx_offset += (size_t)sent;
		while (c->tx && c->tx_offset >= c->tx->out->len) {
			struct bgp_tx *t = c->tx;

			c->tx_offset -= t->out->len;
			c->tx = t->next;
			if (!c->tx)
				c->tx_last = &c->tx;
			tx_drop(c, t);
		}
		c->send_hold_at = c->tx ? bgp_now_ms() + send_hold_ms(c) : 0;
	}
	if (atomic_load(&s->queued_out) < BGP_TX_LOW && atomic_exchange(&s->want_drained, false))
		bgp_report_post(s, bgp_report_new(s, BGP_REPORT_DRAINED));
	return true;
}

void bgp_conn_close(struct bgp_conn *c)
{
	uint8_t junk[4096];
	struct bgp_tx *t;

	if (c->fd >= 0) {
		if (!c->connecting && c->tx)
			tx_flush(c);
		uv_poll_stop(c->poll);
		uv_close((uv_handle_t *)c->poll, free_handle);
		c->poll = NULL;
		shutdown(c->fd, SHUT_WR);
		/* Unread bytes would turn the close into a reset that overtakes the NOTIFICATION. */
		for (int i = 0; i < 64 && recv(c->fd, junk, sizeof(junk), MSG_DONTWAIT) > 0; i++)
			;
		close(c->fd);
		c->fd = -1;
	}
	while ((t = c->tx)) {
		c->tx = t->next;
		tx_drop(c, t);
	}
	c->tx_last = &c->tx;
	c->tx_offset = 0;
	keep_rest(c, cursor_make(NULL, 0));
	c->connecting = false;
	c->hold_at = 0;
	c->keepalive_at = 0;
	c->send_hold_at = 0;
	c->delay_at = 0;
}

void bgp_conn_queue(struct bgp_conn *c, struct bgp_out *out, bool counted)
{
	struct bgp_tx *t = xcalloc(1, sizeof(*t));

	t->out = out;
	t->counted = counted;
	*c->tx_last = t;
	c->tx_last = &t->next;
	if (!c->send_hold_at)
		c->send_hold_at = bgp_now_ms() + send_hold_ms(c);
}

void bgp_conn_say(struct bgp_conn *c, void (*encode)(struct buf *b, const void *arg),
		  const void *arg, enum bgp_counter counter)
{
	uint8_t mem[BGP_MAX_LEN];
	struct bgp_out *out;
	struct buf b;

	if (c->fd < 0)
		return;
	buf_init_fixed(&b, mem, sizeof(mem));
	encode(&b, arg);
	if (b.full)
		return;
	out = bgp_out_new(b.data, b.len, 1);
	if (!out)
		return;
	atomic_fetch_add(&c->s->out[counter], 1);
	bgp_conn_queue(c, out, false);
	tx_flush(c);
	bgp_conn_poll(c);
}

static void failed(struct bgp_conn *c, const char *what, int err)
{
	bgp_conn_why(c, "%s: %s", what, err ? strerror(err) : "closed by the peer");
	c->lost = true;
	bgp_conn_event(c, BGP_EV_TCP_FAILS);
}

void bgp_conn_push(struct bgp_conn *c)
{
	if (c->fd < 0 || c->connecting || !c->tx || c->polled & UV_WRITABLE)
		return;
	if (!tx_flush(c))
		failed(c, "write", errno);
	if (!c->dead)
		bgp_conn_poll(c);
}

static void connected(struct bgp_conn *c)
{
	int err = tcp_error(c->fd);

	if (err) {
		failed(c, "connect", err);
		return;
	}
	c->connecting = false;
	bgp_conn_connected(c, BGP_EV_TCP_ACKED);
	if (!c->dead)
		bgp_conn_poll(c);
}

/* Carves messages off what was read; the rest waits in c->rx. */
static void rx_frames(struct bgp_conn *c, struct cursor in)
{
	struct bgp_notification err;
	enum bgp_msg_type type;
	struct cursor body;

	while (!c->dead && c->fd >= 0) {
		switch (bgp_frame_next(&in, c->s->conf.caps.extended, &type, &body, &err)) {
		case BGP_FRAME_OK:
			bgp_conn_message(c, type, body);
			continue;
		case BGP_FRAME_MORE:
			keep_rest(c, in);
			return;
		case BGP_FRAME_ERROR:
			bgp_conn_error(c, err.code, err.subcode, err.data, err.len);
			bgp_conn_event(c, BGP_EV_HEADER_ERR);
			return;
		}
	}
}

static void readable(struct bgp_conn *c)
{
	struct bgp_worker *w = c->s->w;
	ssize_t n;

	if (c->rx_len)
		memcpy(w->rx, c->rx, c->rx_len);
	n = recv(c->fd, w->rx + c->rx_len, sizeof(w->rx) - c->rx_len, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		failed(c, "read", n < 0 ? errno : 0);
		return;
	}
	c->in_rx = true;
	w->now_ms = bgp_now_ms();
	rx_frames(c, cursor_make(w->rx, c->rx_len + (size_t)n));
	c->in_rx = false;
	bgp_session_flush(c->s);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct bgp_conn *c = poll->data;
	struct bgp_session *s = c->s;

	if (c->connecting) {
		connected(c);
	} else if (status < 0) {
		/* libuv says EBADF of whatever befell the socket; the socket knows better */
		int err = tcp_error(c->fd);

		failed(c, "connection", err ? err : ENOTCONN);
	} else {
		if (events & UV_WRITABLE && !tx_flush(c))
			failed(c, "write", errno);
		else if (events & UV_READABLE)
			readable(c);
		if (!c->dead)
			bgp_conn_poll(c);
	}
	bgp_session_settle(s);
}
