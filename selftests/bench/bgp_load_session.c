// SPDX-License-Identifier: GPL-2.0
/*
 * A session of the load: connection, OPEN, keepalives, framing. It connects, the speaker under test listens. Whatever
 * ends a connection is kept as text; it connects again by itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bgp_load.h"

#define IN_SIZE		(256u << 10)
#define WRITE_MAX	(256u << 10)
#define RETRY_S		0.2
#define OPENING_MAX	8		/* queues of listeners are short, and who is dropped never hears of it */
#define OPENING_S	15		/* given to a session to come up */
#define AS_TRANS	23456

static unsigned int opening;		/* sessions that have a connection, or ask for one, and are not established */

double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void closed(struct session *s, const char *why)
{
	struct block *b;

	close(s->fd);
	s->fd = -1;
	opening -= !s->established;
	while ((b = s->out)) {
		s->out = b->next;
		free(b);
	}
	s->out_last = &s->out;
	s->out_at = 0;
	s->in_len = 0;
	s->downs += s->established;
	s->established = s->connecting = false;
	s->retry_at = now_s() + RETRY_S;
	snprintf(s->closed, sizeof(s->closed), "%s", why);
	memset(s->seen, 0, plan.routes);
	memset(s->count, 0, sizeof(s->count));
	s->count[0] = plan.routes;
}

void session_send(struct session *s, struct block *b)
{
	b->next = NULL;
	*s->out_last = b;
	s->out_last = &b->next;
}

void session_say_again(struct session *s, bool memberships)
{
	if (memberships && s->rtc_said)
		session_send(s, rtc_announce(s, s->rtc_first, s->rtc_n, false));
	for (unsigned int i = 0; i < s->n_said; i++)
		session_send(s, routes_announce(s, s->said[i].first, s->said[i].n, s->said[i].variant));
}

static uint8_t *message_head(uint8_t *p, uint8_t type)
{
	memset(p, 0xff, 16);
	p[16] = 0;
	p[17] = MESSAGE_HEAD;
	p[18] = type;
	return p + MESSAGE_HEAD;
}

static void send_keepalive(struct session *s)
{
	struct block *b = block_new(MESSAGE_HEAD);

	message_head(b->data, MSG_KEEPALIVE);
	b->len = MESSAGE_HEAD;
	session_send(s, b);
	s->keepalive_at = now_s() + s->hold / 3.0;
}

static uint8_t *capability(uint8_t *p, uint8_t code, uint8_t len, uint32_t value)
{
	*p++ = code;
	*p++ = len;
	for (; len; len--)
		*p++ = value >> (8 * (len - 1));
	return p;
}

static void send_open(struct session *s)
{
	struct block *b = block_new(128);
	uint8_t *p = message_head(b->data, MSG_OPEN), *params;
	uint32_t as = s->as > 65535 ? AS_TRANS : s->as;

	*p++ = 4;
	*p++ = as >> 8;
	*p++ = as;
	*p++ = s->hold >> 8;
	*p++ = s->hold;
	for (int shift = 24; shift >= 0; shift -= 8)
		*p++ = s->id >> shift;
	params = p;
	p += 3;
	p = capability(p, 1, 4, 1 << 16 | SAFI_VPN);
	if (s->rtc)
		p = capability(p, 1, 4, 1 << 16 | SAFI_RTC);
	p = capability(p, 2, 0, 0);
	p = capability(p, 65, 4, s->as);
	params[0] = p - params - 1;
	params[1] = 2;
	params[2] = p - params - 3;
	b->len = p - b->data;
	b->data[17] = b->len;
	session_send(s, b);
}

static void start(struct session *s)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr = s->local };
	int one = 1;

	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return;
	opening++;
	setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (bind(s->fd, (void *)&sa, sizeof(sa))) {
		closed(s, "bind");
		return;
	}
	sa.sin_addr = s->peer;
	sa.sin_port = htons(s->port);
	if (connect(s->fd, (void *)&sa, sizeof(sa)) && errno != EINPROGRESS) {
		closed(s, "connect");
		return;
	}
	s->connecting = true;
}

static void connected(struct session *s)
{
	socklen_t len = sizeof(int);
	int err = 0;

	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &err, &len) || err) {
		closed(s, strerror(err));
		return;
	}
	s->connecting = false;
	s->heard_at = now_s();
	s->keepalive_at = s->heard_at + s->hold;
	send_open(s);
}

short session_events(const struct session *s)
{
	if (s->connecting)
		return POLLOUT;
	return (s->listen_only ? 0 : POLLIN) | (s->out ? POLLOUT : 0);
}

static void write_some(struct session *s)
{
	struct block *b = s->out;
	size_t n = b->len - s->out_at;
	ssize_t done;

	done = send(s->fd, b->data + s->out_at, n < WRITE_MAX ? n : WRITE_MAX, MSG_NOSIGNAL);
	if (done < 0) {
		if (errno != EAGAIN && errno != EINTR)
			closed(s, strerror(errno));
		return;
	}
	if (b->messages) {
		s->sent_last = now_s();
		if (!s->sent_first)
			s->sent_first = s->sent_last;
	}
	s->octets_out += done;
	s->out_at += done;
	if (s->out_at < b->len)
		return;
	s->updates_out += b->messages;
	s->out = b->next;
	if (!s->out)
		s->out_last = &s->out;
	s->out_at = 0;
	free(b);
}

/* False: the connection ends. */
static bool message(struct session *s, const uint8_t *m, size_t len, double now)
{
	char why[64];

	if (s->established && now - s->heard_at > s->gap)
		s->gap = now - s->heard_at;
	s->heard_at = now;
	switch (m[18]) {
	case MSG_OPEN:
		send_keepalive(s);
		return true;
	case MSG_KEEPALIVE:
		if (!s->established) {
			s->established = true;
			opening--;
			if (s->connects++)
				session_say_again(s, true);
		}
		return true;
	case MSG_UPDATE:
		routes_receive(s, m + MESSAGE_HEAD, len - MESSAGE_HEAD, now);
		return true;
	case MSG_REFRESH:
		s->refresh++;
		if (len == MESSAGE_HEAD + 4 && m[MESSAGE_HEAD + 3] == SAFI_VPN)
			session_say_again(s, false);
		return true;
	}
	snprintf(why, sizeof(why), "%s %u/%u", m[18] == MSG_NOTIFICATION ? "NOTIFICATION" : "message of type", m[18] ==
		 MSG_NOTIFICATION ? m[19] : m[18], m[18] == MSG_NOTIFICATION ? m[20] : 0);
	closed(s, why);
	return false;
}

static void read_some(struct session *s)
{
	ssize_t n = recv(s->fd, s->in + s->in_len, IN_SIZE - s->in_len, 0);
	double now = now_s();
	size_t at = 0, len;

	if (n <= 0) {
		if (!n || (errno != EAGAIN && errno != EINTR))
			closed(s, n ? strerror(errno) : "closed by the peer");
		return;
	}
	s->in_len += n;
	s->octets += n;
	for (; s->in_len - at >= MESSAGE_HEAD; at += len) {
		len = s->in[at + 16] << 8 | s->in[at + 17];
		if (len < MESSAGE_HEAD || len > MESSAGE_MAX) {
			closed(s, "a message longer than 4,096 octets");
			return;
		}
		if (s->in_len - at < len)
			break;
		if (!message(s, s->in + at, len, now))
			return;
	}
	s->in_len -= at;
	memmove(s->in, s->in + at, s->in_len);
}

void session_io(struct session *s, short revents)
{
	if (s->fd >= 0 && s->connecting && revents)
		connected(s);
	else if (s->fd >= 0 && revents & POLLIN && !s->listen_only)
		read_some(s);
	if (s->fd >= 0 && revents & POLLOUT && s->out && !s->connecting)
		write_some(s);
	else if (s->fd >= 0 && revents & (POLLERR | POLLHUP) && !(revents & POLLIN))
		closed(s, "the connection broke");
}

void session_tick(struct session *s)
{
	double now = now_s();

	if (s->fd < 0) {
		if (now >= s->retry_at && opening < OPENING_MAX)
			start(s);
		return;
	}
	if (s->established && now >= s->keepalive_at)
		send_keepalive(s);
	if (!s->connecting && !s->listen_only && now - s->heard_at > (s->established ? s->hold : OPENING_S))
		closed(s, s->established ? "hold time expired" : "it does not come up");
}

void session_end(struct session *s, bool cease)
{
	struct linger reset = { .l_onoff = 1 };
	uint8_t m[MESSAGE_HEAD + 2], *p;

	if (s->fd < 0)
		return;
	if (cease) {
		p = message_head(m, MSG_NOTIFICATION);
		p[0] = 6;
		p[1] = 4;
		m[17] = sizeof(m);
		if (send(s->fd, m, sizeof(m), MSG_NOSIGNAL) < 0)
			cease = false;
	}
	if (!cease)
		setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	closed(s, "we ended it");
}

void session_mark(struct session *s)
{
	s->sent_first = s->sent_last = s->first = s->last = s->eor_at = s->gap = 0;
	s->updates_out = s->octets_out = s->updates = s->octets = s->announced = s->withdrawn = 0;
	s->again = s->stray = s->eor = s->rtc_in = s->refresh = 0;
}

void session_setup(struct session *s)
{
	s->fd = -1;
	s->out_last = &s->out;
	s->in = malloc(IN_SIZE);
	s->seen = calloc(plan.routes, 1);
	if (!s->in || !s->seen)
		abort();
	s->count[0] = plan.routes;
}
