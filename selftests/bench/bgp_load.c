// SPDX-License-Identifier: GPL-2.0
/*
 * The load tool: commands on standard input, one JSON object a line on standard output for each of them, in order.
 *
 *   plan ROUTES PER_SET RDS RTS [RD_BASE]     first of all; RTS 0, RD_BASE: see bgp_load.h
 *   nexthops BASE N                           next hops of attribute sets: BASE and on, N of them; else the announcer
 *   session NAME LOCAL PEER PORT AS HOLD [rtc] [client] [stand]   the router id is LOCAL; client: receives what is
 *                                             reflected; stand: never reads
 *   up SECONDS                                waits until every session is established
 *   announce NAME FIRST COUNT [VARIANT]       starts to send; VARIANT (0): other attributes for the same routes
 *   withdraw NAME FIRST COUNT
 *   eor NAME                                  End-of-RIB of VPN-IPv4
 *   rtc NAME FIRST COUNT, unrtc NAME FIRST COUNT   RT memberships
 *   have NAME COUNT SECONDS [VARIANT]         waits until it has COUNT routes (of that variant)
 *   sent NAME SECONDS                         waits until all that it has to say is in the socket
 *   idle SECONDS                              goes on reading and sending for that long
 *   end NAME, kill NAME                       the session ends: with a Cease, or with a reset; it comes up again, and
 *                                             announces again what stands
 *   forget NAME                               nothing stands any more: without a word to the peer
 *   mark                                      counters and times start anew
 *   stats NAME, clock
 *
 * A wait that takes too long answers "timeout": true. Times are CLOCK_MONOTONIC, in seconds.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bgp_load.h"

#define SESSIONS_MAX	1024
#define WORDS		10

struct session *sessions;
static unsigned int n_sessions;

/* What the answer to the last command waits for. */
static struct {
	enum { WAIT_NONE, WAIT_UP, WAIT_HAVE, WAIT_SENT, WAIT_IDLE } kind;
	struct session *s;
	uint32_t n;
	unsigned int variant;		/* 0: any, else 1 + variant */
	double until;
} waiting;

static void refuse(const char *line, const char *why)
{
	fprintf(stderr, "bgp_load: \"%s\": %s\n", line, why);
	exit(2);
}

static uint32_t number(const char *word)
{
	char *end;
	unsigned long v = strtoul(word ? word : "", &end, 10);

	if (!word || end == word || *end || v > UINT32_MAX)
		refuse(word ? word : "", "not a number");
	return v;
}

static struct session *named(const char *name)
{
	for (unsigned int i = 0; name && i < n_sessions; i++)
		if (!strcmp(sessions[i].name, name))
			return &sessions[i];
	refuse(name ? name : "", "no such session");
	return NULL;
}

static void print_stats(const struct session *s, bool timeout)
{
	printf("{\"session\": \"%s\", \"time\": %.6f, \"timeout\": %s, \"established\": %s, \"downs\": %u, \"closed\": \"%s\", ",
	       s->name, now_s(), timeout ? "true" : "false", s->established ? "true" : "false", s->downs, s->closed);
	printf("\"sent_first\": %.6f, \"sent_last\": %.6f, \"updates_out\": %llu, \"octets_out\": %llu, \"pending\": %s, ",
	       s->sent_first, s->sent_last, (unsigned long long)s->updates_out, (unsigned long long)s->octets_out,
	       s->out ? "true" : "false");
	printf("\"routes\": %u, \"first\": %.6f, \"last\": %.6f, \"updates\": %llu, \"octets\": %llu, ",
	       plan.routes - s->count[0], s->first, s->last, (unsigned long long)s->updates,
	       (unsigned long long)s->octets);
	printf("\"announced\": %llu, \"withdrawn\": %llu, \"again\": %llu, \"stray\": %llu, \"eor\": %llu, \"eor_at\": %.6f, ",
	       (unsigned long long)s->announced, (unsigned long long)s->withdrawn, (unsigned long long)s->again,
	       (unsigned long long)s->stray, (unsigned long long)s->eor, s->eor_at);
	printf("\"rtc\": %llu, \"refresh\": %llu, \"gap\": %.6f, \"wrong\": %llu, \"failure\": \"%s\"}\n",
	       (unsigned long long)s->rtc_in, (unsigned long long)s->refresh, s->gap, (unsigned long long)s->wrong,
	       s->failure);
}

static void answer(bool timeout)
{
	printf("{\"time\": %.6f, \"timeout\": %s}\n", now_s(), timeout ? "true" : "false");
}

/* ---- commands ---- */

static void do_plan(char **w)
{
	plan.routes = number(w[1]);
	plan.per_set = number(w[2]);
	plan.rds = number(w[3]);
	plan.rts = number(w[4]);
	plan.rd_base = w[5] ? number(w[5]) : 0;
	if (!plan.routes || !plan.per_set || !plan.rds ||
	    (plan.routes / plan.rds + 1) * (plan.rds < RD_BLOCKS ? plan.rds : RD_BLOCKS) > 200u << 16)
		refuse(w[0], "out of range");
	plan.owner = malloc(plan.routes * sizeof(*plan.owner));
	plan.variant = calloc(plan.routes, 1);
	if (!plan.owner || !plan.variant)
		abort();
	memset(plan.owner, 0xff, plan.routes * sizeof(*plan.owner));
	answer(false);
}

static void do_nexthops(char **w)
{
	struct in_addr base;

	if (!w[1] || !inet_aton(w[1], &base))
		refuse(w[0], "no address");
	plan.hop_base = ntohl(base.s_addr);
	plan.hops = number(w[2]);
	answer(false);
}

static void do_session(char **w)
{
	struct session *s = &sessions[n_sessions];

	if (n_sessions == SESSIONS_MAX || !plan.routes || !w[6])
		refuse(w[0], "too many, too early, or words are missing");
	snprintf(s->name, sizeof(s->name), "%s", w[1]);
	s->index = n_sessions++;
	if (!inet_aton(w[2], &s->local) || !inet_aton(w[3], &s->peer))
		refuse(w[2], "no address");
	s->id = ntohl(s->local.s_addr);
	s->port = number(w[4]);
	s->as = number(w[5]);
	s->hold = number(w[6]);
	for (int i = 7; i < WORDS && w[i]; i++) {
		s->rtc |= !strcmp(w[i], "rtc");
		s->client |= !strcmp(w[i], "client");
		s->listen_only |= !strcmp(w[i], "stand");
	}
	session_setup(s);
	answer(false);
}

/* A withdrawal ends what stands within its range; what it would cut in two is refused. */
static void remember(struct session *s, uint32_t first, uint32_t n, uint8_t variant, bool withdraw)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < s->n_said; i++) {
		const struct said *one = &s->said[i];
		bool within = one->first >= first && one->first + one->n <= first + n;

		if (!within && one->first < first + n && first < one->first + one->n)
			refuse(s->name, "a range that overlaps with an earlier one in part");
		if (!within)
			s->said[kept++] = *one;
	}
	s->n_said = kept;
	if (withdraw)
		return;
	if (kept == SAID_MAX)
		refuse(s->name, "too many announcements");
	s->said[s->n_said++] = (struct said){ .first = first, .n = n, .variant = variant };
}

static void do_routes(char **w)
{
	struct session *s = named(w[1]);
	uint32_t first = number(w[2]), n = number(w[3]), variant = w[4] ? number(w[4]) : 0;
	bool rtc = !strcmp(w[0], "rtc"), unrtc = !strcmp(w[0], "unrtc");

	if (rtc || unrtc) {
		s->rtc_said = rtc;
		s->rtc_first = first;
		s->rtc_n = n;
		session_send(s, rtc_announce(s, first, n, unrtc));
	} else {
		if (first > plan.routes || n > plan.routes - first || variant >= VARIANTS)
			refuse(w[0], "out of range");
		remember(s, first, n, variant, !strcmp(w[0], "withdraw"));
		session_send(s, !strcmp(w[0], "withdraw") ? routes_withdraw(s, first, n) :
			     routes_announce(s, first, n, variant));
	}
	answer(false);
}

static void do_wait(char **w)
{
	double seconds;

	if (!strcmp(w[0], "up") || !strcmp(w[0], "idle")) {
		waiting.kind = w[0][0] == 'u' ? WAIT_UP : WAIT_IDLE;
		seconds = w[1] ? atof(w[1]) : 0;
	} else if (!strcmp(w[0], "sent")) {
		waiting.kind = WAIT_SENT;
		waiting.s = named(w[1]);
		seconds = w[2] ? atof(w[2]) : 0;
	} else {
		waiting.kind = WAIT_HAVE;
		waiting.s = named(w[1]);
		waiting.n = number(w[2]);
		seconds = w[3] ? atof(w[3]) : 0;
		waiting.variant = w[3] && w[4] ? 1 + number(w[4]) : 0;
		if (waiting.variant > VARIANTS)
			refuse(w[4], "out of range");
	}
	waiting.until = now_s() + seconds;
}

static void do_small(char **w)
{
	if (!strcmp(w[0], "mark")) {
		for (unsigned int i = 0; i < n_sessions; i++)
			session_mark(&sessions[i]);
		answer(false);
	} else if (!strcmp(w[0], "clock")) {
		answer(false);
	} else if (!strcmp(w[0], "stats")) {
		print_stats(named(w[1]), false);
	} else if (!strcmp(w[0], "eor")) {
		session_send(named(w[1]), end_of_rib());
		answer(false);
	} else if (!strcmp(w[0], "forget")) {
		struct session *s = named(w[1]);

		s->n_said = 0;
		s->rtc_said = false;
		answer(false);
	} else if (!strcmp(w[0], "end") || !strcmp(w[0], "kill")) {
		session_end(named(w[1]), w[0][0] == 'e');
		answer(false);
	} else {
		refuse(w[0], "no such command");
	}
}

static void command(char *line)
{
	static const struct { const char *name; void (*fn)(char **w); } table[] = {
		{ "plan", do_plan }, { "nexthops", do_nexthops }, { "session", do_session },
		{ "announce", do_routes }, { "withdraw", do_routes },
		{ "rtc", do_routes }, { "unrtc", do_routes }, { "up", do_wait }, { "have", do_wait },
		{ "sent", do_wait }, { "idle", do_wait },
	};
	char *w[WORDS + 1] = { NULL }, *save = NULL;

	for (int i = 0; i < WORDS && (w[i] = strtok_r(i ? NULL : line, " \t\r", &save)); i++)
		;
	if (!w[0])
		return;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (!strcmp(table[i].name, w[0])) {
			table[i].fn(w);
			return;
		}
	}
	do_small(w);
}

/* ---- waiting ---- */

static bool all_up(void)
{
	for (unsigned int i = 0; i < n_sessions; i++)
		if (!sessions[i].established)
			return false;
	return true;
}

static bool have(const struct session *s)
{
	return (waiting.variant ? s->count[waiting.variant] : plan.routes - s->count[0]) == waiting.n;
}

static void check_waiting(void)
{
	struct session *s = waiting.s;
	bool done, late = now_s() >= waiting.until;

	switch (waiting.kind) {
	case WAIT_NONE:
		return;
	case WAIT_UP:
		done = all_up();
		break;
	case WAIT_HAVE:
		done = have(s);
		break;
	case WAIT_SENT:
		done = !s->out;
		break;
	default:
		done = late;
	}
	if (!done && !late)
		return;
	if (waiting.kind == WAIT_HAVE || waiting.kind == WAIT_SENT)
		print_stats(s, !done);
	else
		answer(!done);
	waiting.kind = WAIT_NONE;
}

/* ---- the loop ---- */

static char text[65536];
static size_t text_len;

/* Lines that are there, one by one while nothing is waited for; false: no more will come. */
static bool input(bool readable)
{
	ssize_t n = readable ? read(0, text + text_len, sizeof(text) - 1 - text_len) : -1;
	char *end;

	if (readable && n <= 0)
		return false;
	if (n > 0)
		text_len += n;
	while (waiting.kind == WAIT_NONE && (end = memchr(text, '\n', text_len))) {
		size_t used = end + 1 - text;

		*end = '\0';
		command(text);
		text_len -= used;
		memmove(text, end + 1, text_len);
	}
	return true;
}

int main(void)
{
	static struct pollfd fds[SESSIONS_MAX + 1];
	double tick = 0;

	sessions = calloc(SESSIONS_MAX, sizeof(*sessions));
	if (!sessions)
		abort();
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (;;) {
		fds[0] = (struct pollfd){ .fd = waiting.kind == WAIT_NONE ? 0 : -1, .events = POLLIN };
		for (unsigned int i = 0; i < n_sessions; i++)
			fds[1 + i] = (struct pollfd){ .fd = sessions[i].fd, .events = session_events(&sessions[i]) };
		if (poll(fds, 1 + n_sessions, 20) < 0 && errno != EINTR)
			abort();
		for (unsigned int i = 0; i < n_sessions; i++)
			if (fds[1 + i].revents)
				session_io(&sessions[i], fds[1 + i].revents);
		if (now_s() >= tick) {
			tick = now_s() + 0.02;
			for (unsigned int i = 0; i < n_sessions; i++)
				session_tick(&sessions[i]);
		}
		check_waiting();
		if (!input(fds[0].revents))
			return 0;
	}
}
