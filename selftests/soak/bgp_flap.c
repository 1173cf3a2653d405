// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions that come and go: many VPN-IPv4 clients of one reflector in a process, and one that stays and is told all.
 *
 *   bgp_flap PEER SESSIONS ROUTES SEED
 *
 * Session i has address and router id 10.0.0.0 + 256 * (i / 250) + 1 + i % 250 and a hold time of 9 s. Four
 * neighbours in number share an RD and a route target; their prefixes ("slots") overlap by half, so that two announce
 * each. What they say of a slot differs in next hop, label, LOCAL_PREF and a community with its version: who is best is
 * a function of who is up. Every other session does graceful restart (RFC 4724), fifteen of sixteen RT-Constrain
 * (RFC 4684).
 *
 * Commands on standard input, one JSON object a line for each on standard output:
 *   flap SECONDS              sessions end (a closed or reset connection, a Cease, silence until the hold time is over)
 *                             and come back, withdraw and announce, at random
 *   settle COUNT SECONDS      COUNT of them, chosen at random, are up and say everything anew, the others are down for
 *                             good; waits until the receiver's table is what follows from that
 * A wait that takes too long answers "timeout": true. Times are CLOCK_MONOTONIC's.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define AS		65000
#define HOLD		9
#define RESTART		20		/* seconds, of graceful restart */
#define IN_SIZE		16384
#define MESSAGE_MAX	4096
#define HEAD		19
#define SESSIONS_MAX	1000
#define SLOTS_MAX	128
#define SHARING		4		/* sessions of one RD */
#define VERSIONS	200
#define TICK_MS		100
#define EVENTS_MAX	256
#define COMMANDS	UINT32_MAX	/* in place of a session's index */

enum { OPEN = 1, UPDATE, NOTIFICATION, KEEPALIVE };
enum state { DOWN, CONNECTING, OPENING, UP };
enum end { CLOSE, RESET, CEASE, SILENCE, ENDS };

struct session {
	unsigned int index;
	uint32_t id;			/* address and router id, host order */
	int fd;				/* -1: none */
	uint32_t awaited;		/* events of the socket that are asked for */
	enum state state;
	bool wanted, silent, was_up;
	double retry_at, keepalive_at, act_at;
	uint8_t *in;
	size_t in_len;
	uint8_t *out;			/* not yet sent */
	size_t out_len, out_size;
	uint8_t slot[SLOTS_MAX];	/* 0: withdrawn, else 1 + version */
};

static struct session *sessions, *receiver;
static unsigned int n_sessions, n_routes, n_slots;
static struct in_addr peer;
static int epoll_fd;
static double now;			/* seconds, CLOCK_MONOTONIC, since the last wait */
static uint64_t rng;
static bool flapping;
static uint32_t *cells;			/* the receiver's table: [group][slot]: 0 or (1 + session) << 8 | version */
static unsigned long ups, ended[ENDS], lost, hold_expired, changes, updates_in, wrong;
static char failure[160];

static void look_at_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	now = ts.tv_sec + ts.tv_nsec / 1e9;
}

static uint32_t below(uint32_t n)
{
	rng ^= rng >> 12;
	rng ^= rng << 25;
	rng ^= rng >> 27;
	return (uint32_t)((rng * 2685821657736338717ull) >> 33) % n;
}

/* seconds, at random */
static double within(double least, double most)
{
	return least + (most - least) * below(1000) / 1000;
}

static uint8_t *put16(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = v;
	return p + 2;
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
	return put16(put16(p, v >> 16), v);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

/* ---- what is announced ---- */

static unsigned int group_of(unsigned int session)
{
	return session / SHARING;
}

/* The number within the RD of a session's slot j. */
static unsigned int place_of(unsigned int session, unsigned int j)
{
	return (session % SHARING * n_routes / 2 + j) % n_slots;
}

static uint32_t route_target(unsigned int session)
{
	return 1 + group_of(session) % 32;
}

static uint32_t preference(unsigned int session, unsigned int version)
{
	return 100 + (session * 7 + version) % 3;
}

static uint32_t label_of(unsigned int session, unsigned int place)
{
	return 16 + session * SLOTS_MAX + place;
}

static uint8_t *put_nlri(uint8_t *p, unsigned int session, unsigned int place)
{
	uint32_t label = label_of(session, place);

	*p++ = 24 + 64 + 24;
	*p++ = label >> 12;
	*p++ = label >> 4;
	*p++ = (label << 4 & 0xff) | 1;
	p = put16(put16(p, 0), AS);
	p = put32(p, 1 + group_of(session));
	*p++ = 10;
	*p++ = 100 + place;
	*p++ = group_of(session);
	return p;
}

static uint8_t *put_head(uint8_t *p, uint8_t type)
{
	memset(p, 0xff, 16);
	p[18] = type;
	return p + HEAD;
}

static void queue(struct session *s, const uint8_t *octets, size_t len)
{
	if (s->out_len + len > s->out_size) {
		s->out_size = (s->out_len + len) * 2;
		s->out = realloc(s->out, s->out_size);
		if (!s->out)
			abort();
	}
	memcpy(s->out + s->out_len, octets, len);
	s->out_len += len;
}

static void send_message(struct session *s, uint8_t *m, const uint8_t *end)
{
	put16(m + 16, end - m);
	queue(s, m, end - m);
}

/* An UPDATE of attributes alone: from m + HEAD + 4 to end. */
static void send_update(struct session *s, uint8_t *m, const uint8_t *end)
{
	put_head(m, UPDATE);
	put16(m + HEAD, 0);
	put16(m + HEAD + 2, end - m - HEAD - 4);
	send_message(s, m, end);
}

static uint8_t *put_attribute(uint8_t *p, uint8_t flags, uint8_t code, uint8_t len)
{
	*p++ = flags;
	*p++ = code;
	*p++ = len;
	return p;
}

static void send_route(struct session *s, unsigned int j)
{
	unsigned int place = place_of(s->index, j), version = s->slot[j] - 1;
	uint8_t m[256], *p = m + HEAD + 4;

	if (!s->slot[j]) {
		p = put_attribute(p, 0x80, 15, 3 + 15);
		p = put16(p, 1);
		*p++ = 128;
		send_update(s, m, put_nlri(p, s->index, place));
		return;
	}
	p = put_attribute(p, 0x40, 1, 1);
	*p++ = 0;
	p = put_attribute(p, 0x40, 2, 0);
	p = put32(put_attribute(p, 0x40, 5, 4), preference(s->index, version));
	p = put32(put_attribute(p, 0xc0, 8, 4), AS << 16 | version);
	p = put_attribute(p, 0xc0, 16, 8);
	p = put32(put16(put16(p, 2), AS), route_target(s->index));
	p = put_attribute(p, 0x80, 14, 5 + 12 + 15);
	p = put16(p, 1);
	*p++ = 128;
	*p++ = 12;
	p = put32(put32(put32(p, 0), 0), s->id);
	*p++ = 0;
	send_update(s, m, put_nlri(p, s->index, place));
}

static bool constrains(const struct session *s)
{
	return s != receiver && s->index % 16;
}

static bool restarts(const struct session *s)
{
	return s != receiver && s->index % 2;
}

static void send_end_of_rib(struct session *s, uint8_t safi)
{
	uint8_t m[64], *p = put_attribute(m + HEAD + 4, 0x80, 15, 3);

	p = put16(p, 1);
	*p++ = safi;
	send_update(s, m, p);
}

static void send_membership(struct session *s)
{
	uint8_t m[128], *p = m + HEAD + 4;

	p = put_attribute(p, 0x40, 1, 1);
	*p++ = 0;
	p = put_attribute(p, 0x40, 2, 0);
	p = put32(put_attribute(p, 0x40, 5, 4), 100);
	p = put_attribute(p, 0x80, 14, 5 + 4 + 13);
	p = put16(p, 1);
	*p++ = 132;
	*p++ = 4;
	p = put32(p, s->id);
	*p++ = 0;
	*p++ = 96;
	p = put32(p, AS);
	p = put32(put16(put16(p, 2), AS), route_target(s->index));
	send_update(s, m, p);
	send_end_of_rib(s, 132);
}

static void send_all(struct session *s)
{
	for (unsigned int j = 0; s != receiver && j < n_routes; j++)
		if (s->slot[j])
			send_route(s, j);
	send_end_of_rib(s, 128);
}

/* ---- the connection ---- */

static uint8_t *put_capability(uint8_t *p, uint8_t code, uint8_t len)
{
	*p++ = code;
	*p++ = len;
	return p;
}

static void send_open(struct session *s)
{
	uint8_t m[128], *p = put_head(m, OPEN), *params;

	*p++ = 4;
	p = put16(put16(p, AS), HOLD);
	p = put32(p, s->id);
	params = p;
	p += 3;
	p = put32(put_capability(p, 1, 4), 1 << 16 | 128);
	if (constrains(s))
		p = put32(put_capability(p, 1, 4), 1 << 16 | 132);
	p = put_capability(p, 2, 0);
	p = put32(put_capability(p, 65, 4), AS);
	if (restarts(s)) {
		p = put16(put_capability(p, 64, 6), (s->was_up ? 0x8000 : 0) | RESTART);
		p = put32(p, 1 << 16 | 128 << 8 | 0x80);
	}
	params[0] = p - params - 1;
	params[1] = 2;
	params[2] = p - params - 3;
	send_message(s, m, p);
}

static void send_keepalive(struct session *s)
{
	uint8_t m[HEAD];

	send_message(s, m, put_head(m, KEEPALIVE));
	s->keepalive_at = now + HOLD / 3.0;
}

static void closed(struct session *s)
{
	close(s->fd);
	s->awaited = 0;
	if (s->state == UP && s == receiver) {
		wrong++;
		snprintf(failure, sizeof(failure), "the receiver's session ended");
	}
	s->fd = -1;
	s->was_up |= s->state == UP;
	s->state = DOWN;
	s->silent = false;
	s->in_len = s->out_len = 0;
	s->retry_at = now + within(0.3, flapping ? 8 : 1);
}

static void start(struct session *s)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(s->id) };
	int one = 1;

	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		abort();
	setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	s->state = CONNECTING;
	if (bind(s->fd, (void *)&sa, sizeof(sa))) {
		perror("bgp_flap: bind");
		exit(2);
	}
	sa.sin_addr = peer;
	sa.sin_port = htons(179);
	if (connect(s->fd, (void *)&sa, sizeof(sa)) && errno != EINPROGRESS)
		closed(s);
}

static void connected(struct session *s)
{
	socklen_t len = sizeof(int);
	int err = 0;

	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &err, &len) || err) {
		closed(s);
		return;
	}
	s->state = OPENING;
	s->keepalive_at = now + 60;
	send_open(s);
}

static void established(struct session *s)
{
	s->state = UP;
	s->act_at = now + within(1, 40);
	ups++;
	if (constrains(s))
		send_membership(s);
	send_all(s);
}

static void end_session(struct session *s, enum end how)
{
	struct linger reset = { .l_onoff = 1 };
	uint8_t m[HEAD + 2], *p = put_head(m, NOTIFICATION);

	ended[how]++;
	if (how == SILENCE) {
		s->silent = true;
		return;
	}
	*p++ = 6;
	*p++ = 4;
	put16(m + 16, p - m);
	/* one that stands in the middle of a message ends without words */
	if (how == CEASE && !s->out_len && send(s->fd, m, p - m, MSG_NOSIGNAL) < 0)
		how = RESET;
	if (how == RESET)
		setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	closed(s);
}

/* ---- what the receiver is told ---- */

static void is_wrong(const char *what, unsigned int session, unsigned int place)
{
	if (!wrong++)
		snprintf(failure, sizeof(failure), "%s (session %u, place %u)", what, session, place);
}

struct told {
	const uint8_t *value[33];
	size_t len[33];
};

static bool take_apart(const uint8_t *p, size_t len, struct told *t)
{
	memset(t, 0, sizeof(*t));
	while (len) {
		size_t head = p[0] & 0x10 ? 4 : 3, n;

		if (len < head)
			return false;
		n = head == 4 ? (size_t)p[2] << 8 | p[3] : p[2];
		if (len < head + n)
			return false;
		if (p[1] < 33) {
			t->value[p[1]] = p + head;
			t->len[p[1]] = n;
		}
		p += head + n;
		len -= head + n;
	}
	return true;
}

/* The cell of an NLRI, NULL: of none that exists. */
static uint32_t *cell_of(const uint8_t *p, unsigned int *place)
{
	unsigned int group = get32(p + 8) - 1;

	*place = p[13] - 100;
	if (p[0] != 112 || group > group_of(n_sessions - 1) || p[12] != 10 || *place >= n_slots ||
	    p[14] != (group & 0xff))
		return NULL;
	return &cells[group * n_slots + *place];
}

static bool announces(unsigned int session, unsigned int place)
{
	for (unsigned int j = 0; j < n_routes; j++)
		if (place_of(session, j) == place)
			return true;
	return false;
}

static void reached(const struct told *t)
{
	const uint8_t *p = t->value[14], *end = p + t->len[14];
	unsigned int session, version, place;
	uint32_t id, *cell;

	if (t->len[14] < 17 || t->len[5] != 4 || t->len[8] != 4 || t->len[9] != 4 || t->len[10] != 4 ||
	    t->len[16] != 8) {
		is_wrong("attributes are missing", 0, 0);
		return;
	}
	id = get32(p + 12);
	session = ((id >> 8 & 0xff) * 250) + (id & 0xff) - 1;
	version = get32(t->value[8]) & 0xffff;
	if (session >= n_sessions || sessions[session].id != id || get32(t->value[9]) != id || version >= VERSIONS ||
	    get32(t->value[5]) != preference(session, version) || get32(t->value[16] + 4) != route_target(session)) {
		is_wrong("attributes of nobody", session, 0);
		return;
	}
	for (p += 17; p + 15 <= end; p += 15) {
		cell = cell_of(p, &place);
		if (!cell || get32(p + 8) - 1 != group_of(session) || !announces(session, place) ||
		    (uint32_t)(p[1] << 12 | p[2] << 4 | p[3] >> 4) != label_of(session, place))
			is_wrong("a route that it never announced", session, place);
		else
			*cell = (session + 1) << 8 | version;
	}
	if (p != end)
		is_wrong("an odd MP_REACH_NLRI", session, 0);
}

static void unreached(const struct told *t)
{
	const uint8_t *p = t->value[15] + 3, *end = t->value[15] + t->len[15];
	unsigned int place;
	uint32_t *cell;

	for (; p + 15 <= end; p += 15) {
		cell = cell_of(p, &place);
		if (!cell)
			is_wrong("withdrawal of a route that nobody has", 0, place);
		else
			*cell = 0;
	}
	if (p != end)
		is_wrong("an odd MP_UNREACH_NLRI", 0, 0);
}

static void receive(const uint8_t *body, size_t len)
{
	struct told t;

	updates_in++;
	if (len < 4 || body[0] || body[1] || !take_apart(body + 4, len - 4, &t)) {
		is_wrong("an UPDATE that cannot be read", 0, 0);
		return;
	}
	if (t.value[15] && t.len[15] >= 3)
		unreached(&t);
	if (t.value[14])
		reached(&t);
}

/* ---- reading and writing ---- */

/* False: the connection is gone. */
static bool message(struct session *s, const uint8_t *m, size_t len)
{
	switch (m[18]) {
	case OPEN:
		send_keepalive(s);
		return true;
	case KEEPALIVE:
		if (s->state == OPENING)
			established(s);
		return true;
	case UPDATE:
		if (s == receiver)
			receive(m + HEAD, len - HEAD);
		return true;
	case NOTIFICATION:
		hold_expired += len > HEAD && m[HEAD] == 4;
		closed(s);
		return false;
	}
	return true;
}

static void read_some(struct session *s)
{
	ssize_t n = recv(s->fd, s->in + s->in_len, IN_SIZE - s->in_len, 0);
	size_t at = 0, len;

	if (n <= 0) {
		if (!n || (errno != EAGAIN && errno != EINTR)) {
			lost += s->state == UP && !s->silent;
			closed(s);
		}
		return;
	}
	s->in_len += n;
	for (; s->in_len - at >= HEAD; at += len) {
		len = s->in[at + 16] << 8 | s->in[at + 17];
		if (len < HEAD || len > MESSAGE_MAX) {
			is_wrong("a message's length", s->index, 0);
			closed(s);
			return;
		}
		if (s->in_len - at < len)
			break;
		if (!message(s, s->in + at, len))
			return;
	}
	s->in_len -= at;
	memmove(s->in, s->in + at, s->in_len);
}

static void write_some(struct session *s)
{
	ssize_t n = send(s->fd, s->out, s->out_len, MSG_NOSIGNAL);

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			closed(s);
		return;
	}
	s->out_len -= n;
	memmove(s->out, s->out + n, s->out_len);
}

/* After what may have changed it: sends what waits, and asks for what the socket has to tell. */
static void attend(struct session *s)
{
	struct epoll_event e = { .data.u32 = s->index };

	if (s->fd >= 0 && s->state != CONNECTING && s->out_len)
		write_some(s);
	e.events = s->state == CONNECTING ? EPOLLOUT : EPOLLIN | (s->out_len ? EPOLLOUT : 0);
	if (s->fd < 0 || e.events == s->awaited)
		return;
	if (epoll_ctl(epoll_fd, s->awaited ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, s->fd, &e))
		abort();
	s->awaited = e.events;
}

static void io(struct session *s, uint32_t events)
{
	if (s->fd >= 0 && s->state == CONNECTING)
		connected(s);
	else if (s->fd >= 0 && events & (EPOLLIN | EPOLLERR | EPOLLHUP))
		read_some(s);
	attend(s);
}

/* ---- what happens ---- */

static void change_routes(struct session *s)
{
	unsigned int version = below(VERSIONS), n = 1 + below(n_routes), j;

	for (; n; n--) {
		j = below(n_routes);
		s->slot[j] = below(4) ? 1 + version : 0;
		send_route(s, j);
	}
	changes++;
}

static void act(struct session *s)
{
	unsigned int what = below(8);

	s->act_at = now + within(1, 40);
	if (what >= ENDS || s->silent) {
		if (!s->silent)
			change_routes(s);
		return;
	}
	/* what it says after it has come back is not what it said before */
	for (unsigned int j = 0; j < n_routes; j++)
		if (!below(3))
			s->slot[j] = below(3) ? 1 + below(VERSIONS) : 0;
	end_session(s, what);
}

static void tick(struct session *s)
{
	if (s->fd < 0) {
		if (s->wanted && now >= s->retry_at)
			start(s);
		return;
	}
	if (!s->silent && now >= s->keepalive_at)
		send_keepalive(s);
	if (!s->wanted && !s->silent) {	/* it was on its way when it was told to end */
		closed(s);
		return;
	}
	if (flapping && s != receiver && s->state == UP && now >= s->act_at)
		act(s);
}

/* ---- waiting ---- */

static enum { NOTHING, FLAP, SETTLE } waiting;
static double until;

/* The best of a place: LOCAL_PREF, then the lowest BGP identifier (RFC 4271 9.1.2.2). */
static uint32_t expected(unsigned int group, unsigned int place)
{
	uint32_t best = 0, best_preference = 0;

	for (unsigned int i = group * SHARING; i < (group + 1) * SHARING && i < n_sessions; i++) {
		const struct session *s = &sessions[i];

		for (unsigned int j = 0; s->wanted && j < n_routes; j++) {
			unsigned int version = s->slot[j] - 1;

			if (place_of(i, j) != place || !s->slot[j] || preference(i, version) <= best_preference)
				continue;
			best = (i + 1) << 8 | version;
			best_preference = preference(i, version);
		}
	}
	return best;
}

static void compare(unsigned int *routes, unsigned int *differ, unsigned int *first)
{
	*routes = *differ = 0;
	for (unsigned int c = 0; c < (group_of(n_sessions - 1) + 1) * n_slots; c++) {
		uint32_t want = expected(c / n_slots, c % n_slots);

		*routes += cells[c] != 0;
		if (cells[c] != want && !(*differ)++)
			*first = c;
	}
}

static unsigned int count_up(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < n_sessions; i++)
		n += sessions[i].state == UP && !sessions[i].silent && !sessions[i].out_len;
	return n;
}

static unsigned int count_wanted(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < n_sessions; i++)
		n += sessions[i].wanted;
	return n;
}

static void answer(bool timeout)
{
	unsigned int routes, differ, first = 0;

	compare(&routes, &differ, &first);
	printf("{\"timeout\": %s, \"up\": %u, \"wanted\": %u, \"routes\": %u, \"differ\": %u, \"ups\": %lu, \"closed\": %lu, ",
	       timeout ? "true" : "false", count_up(), count_wanted(), routes, differ, ups, ended[CLOSE]);
	printf("\"reset\": %lu, \"ceased\": %lu, \"silent\": %lu, \"hold_expired\": %lu, \"lost\": %lu, \"changes\": %lu, ",
	       ended[RESET], ended[CEASE], ended[SILENCE], hold_expired, lost, changes);
	printf("\"updates_in\": %lu, \"wrong\": %lu, \"failure\": \"%s\"", updates_in, wrong, failure);
	if (differ)
		printf(", \"first\": \"RD %u place %u: session %d version %u instead of session %d version %u\"",
		       1 + first / n_slots, first % n_slots, (int)(cells[first] >> 8) - 1, cells[first] & 0xff,
		       (int)(expected(first / n_slots, first % n_slots) >> 8) - 1,
		       expected(first / n_slots, first % n_slots) & 0xff);
	printf("}\n");
	waiting = NOTHING;
}

static void check_waiting(void)
{
	unsigned int routes, differ, first;
	static double again;

	if (waiting == FLAP && now >= until) {
		flapping = false;
		answer(false);
	}
	if (waiting != SETTLE || now < again)
		return;
	again = now + 0.5;
	compare(&routes, &differ, &first);
	if (receiver->state == UP && !differ && count_up() == count_wanted())
		answer(false);
	else if (now >= until)
		answer(true);
}

/* Who stays says everything, in its first version. */
static void choose(unsigned int count)
{
	unsigned int left = n_sessions;

	for (unsigned int i = 0; i < n_sessions; i++, left--) {
		struct session *s = &sessions[i];

		s->wanted = below(left) < count;
		count -= s->wanted;
		for (unsigned int j = 0; s->wanted && j < n_routes; j++) {
			s->slot[j] = 1;
			if (s->state == UP && !s->silent)
				send_route(s, j);
		}
		if (!s->wanted && s->state == UP && !s->silent)
			end_session(s, below(ENDS));
	}
}

static void command(char *line)
{
	unsigned int count, seconds;

	if (sscanf(line, "flap %u", &seconds) == 1) {
		waiting = FLAP;
		flapping = true;
		for (unsigned int i = 0; i < n_sessions; i++)
			sessions[i].wanted = true;
	} else if (sscanf(line, "settle %u %u", &count, &seconds) == 2 && count <= n_sessions) {
		waiting = SETTLE;
		choose(count);
	} else {
		fprintf(stderr, "bgp_flap: no command: %s\n", line);
		exit(2);
	}
	until = now + seconds;
}

/* False: no more will come. */
static bool input(void)
{
	static char text[1024];
	static size_t len;
	ssize_t n = read(0, text + len, sizeof(text) - 1 - len);
	char *end;

	if (n <= 0)
		return false;
	len += n;
	end = memchr(text, '\n', len);
	if (!end)
		return true;
	*end = '\0';
	len = 0;	/* one command at a time: the next comes after the answer */
	command(text);
	return true;
}

static void setup(void)
{
	for (unsigned int i = 0; i <= n_sessions; i++) {
		struct session *s = &sessions[i];

		s->index = i;
		s->id = (10u << 24) + (i / 250 << 8) + 1 + i % 250;
		s->fd = -1;
		s->in = malloc(IN_SIZE);
		if (!s->in)
			abort();
		memset(s->slot, 1, n_routes);
	}
	receiver = &sessions[n_sessions];
	receiver->wanted = true;
}

/* Commands are read while none is under way. */
static void await_command(bool awaited)
{
	static bool was;
	struct epoll_event e = { .events = EPOLLIN, .data.u32 = COMMANDS };

	if (awaited != was && epoll_ctl(epoll_fd, awaited ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, 0, &e))
		abort();
	was = awaited;
}

static void ticks(void)
{
	static double next;

	if (now < next)
		return;
	next = now + TICK_MS / 1000.0;
	for (unsigned int i = 0; i <= n_sessions; i++) {
		tick(&sessions[i]);
		attend(&sessions[i]);
	}
	check_waiting();
}

/* What is asked for is told until it is taken: sockets and commands alike. */
static void run(void)
{
	struct epoll_event events[EVENTS_MAX];
	bool told;
	int n;

	for (;;) {
		await_command(waiting == NOTHING);
		n = epoll_wait(epoll_fd, events, EVENTS_MAX, TICK_MS);
		if (n < 0 && errno != EINTR)
			abort();
		look_at_clock();
		told = false;
		for (int i = 0; i < n; i++) {
			if (events[i].data.u32 == COMMANDS)
				told = true;
			else
				io(&sessions[events[i].data.u32], events[i].events);
		}
		ticks();
		if (told && !input())
			return;
	}
}

int main(int argc, char **argv)
{
	if (argc != 5 || !inet_aton(argv[1], &peer)) {
		fprintf(stderr, "usage: bgp_flap PEER SESSIONS ROUTES SEED\n");
		return 2;
	}
	n_sessions = atoi(argv[2]);
	n_routes = atoi(argv[3]);
	rng = strtoull(argv[4], NULL, 10) * 2 + 88172645463325252ull;
	n_slots = 2 * n_routes;
	if (!n_sessions || n_sessions > SESSIONS_MAX || n_routes < 2 || n_slots > SLOTS_MAX) {
		fprintf(stderr, "bgp_flap: out of range\n");
		return 2;
	}
	sessions = calloc(n_sessions + 1, sizeof(*sessions));
	cells = calloc((size_t)(group_of(n_sessions - 1) + 1) * n_slots, sizeof(*cells));
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!sessions || !cells || epoll_fd < 0)
		abort();
	setvbuf(stdout, NULL, _IOLBF, 0);
	look_at_clock();
	setup();
	run();
	return 0;
}
