// SPDX-License-Identifier: GPL-2.0
/*
 * How much a received route costs before any table hears of it: bgp-read ROUTES ROUTES-OF-A-MESSAGE
 *
 *   decode    UPDATEs read one after the other, and freed, in one thread
 *   session   through a session on the loopback: what the worker's thread takes, from the socket to the queue, and
 *             what the main thread takes to have them from the queue, look at each route, and free them
 *
 * VPNv4 /24 with a route target, from an internal peer. Prints one JSON object: CPU nanoseconds a route (of the thread,
 * so that a busy machine matters little), and octets of memory that a queued route occupies.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bgp/attr.h"
#include "bgp/worker.h"
#include "lib/log.h"
#include "lib/mem.h"

static unsigned int routes = 1000000, each = 10;
static struct buf wire;			/* all messages, one after the other */
static unsigned int seen, up;
static uint64_t looked;
static size_t most;
static struct bgp_session *session;
static uint16_t port;

static uint64_t cpu_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static uint64_t my_ns(void)
{
	return cpu_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* ---- what is sent ---- */

static void message(unsigned int from, unsigned int n)
{
	static const uint8_t attrs[] = {
		0x40, 1, 1, 0, 0x40, 2, 6, 2, 1, 0, 0, 0xfd, 0xe9, 0x40, 5, 4, 0, 0, 0, 100,
		0xc0, 16, 8, 0, 2, 0xfd, 0xe8, 0, 0, 0, 1,
	};
	size_t start = bgp_msg_begin(&wire, BGP_UPDATE), at, mp;
	struct ip_addr nh = addr_v4(0x0a000002);

	buf_u16(&wire, 0);
	at = wire.len;
	buf_u16(&wire, 0);
	mp = bgp_mp_reach_begin(&wire, BGP_VPNV4, &nh, NULL);
	for (unsigned int i = from; i < from + n; i++) {
		uint8_t octets[4] = { (uint8_t)(20 + (i >> 16)), (uint8_t)(i >> 8), (uint8_t)i, 0 };
		struct bgp_nlri nlri = { .label = 16 + i % 1000, .rd = { 0, 0, 0xfd, 0xe8 } };

		nlri.rd[6] = (uint8_t)(i % 1000 >> 8);
		nlri.rd[7] = (uint8_t)(i % 1000);
		nlri.prefix = prefix_make(AF_INET, octets, 24);
		bgp_nlri_encode(&wire, BGP_VPNV4, &nlri, 0);
	}
	bgp_mp_end(&wire, mp);
	buf_bytes(&wire, attrs, sizeof(attrs));
	buf_patch_u16(&wire, at, (uint16_t)(wire.len - at - 2));
	bgp_msg_end(&wire, start);
}

static void look(const struct bgp_update *u)
{
	for (unsigned int i = 0; i < u->parts; i++) {
		for (uint32_t j = 0; j < u->part[i].count; j++)
			looked += u->part[i].nlri[j].label + u->part[i].nlri[j].prefix.addr.b[1];
		seen += u->part[i].count;
	}
}

/* ---- decode ---- */

static double decode(void)
{
	struct bgp_decode d = { .as4 = true, .internal = true, .family = { [BGP_VPNV4] = true } };
	struct cursor in = cursor_make(wire.data, wire.len), body;
	struct bgp_notification err;
	enum bgp_msg_type type;
	uint64_t start = my_ns();

	while (bgp_frame_next(&in, true, &type, &body, &err) == BGP_FRAME_OK) {
		struct bgp_update *u = bgp_update_decode(&d, body, &err);

		if (!u)
			exit(1);
		look(u);
		bgp_update_free(u);
	}
	return (double)(my_ns() - start) / routes;
}

/* ---- session ---- */

static void on_up(void *o, const struct bgp_up *u)
{
	up = 1;
}

static void on_down(void *o, const struct bgp_down *d)
{
	fprintf(stderr, "bgp-read: session down: %s\n", d->why);
	exit(1);
}

static void on_update(void *o, const struct bgp_update *u)
{
	struct bgp_session_info i;

	if (!(seen % 8192)) {
		bgp_session_info(session, &i);
		most = i.queued_in > most ? i.queued_in : most;
	}
	look(u);
}

static void on_refresh(void *o, enum bgp_family f, enum bgp_refresh what)
{
}

static void on_drained(void *o)
{
}

static const struct bgp_session_ops ops = {
	.up = on_up, .down = on_down, .update = on_update, .refresh = on_refresh, .drained = on_drained,
};

/* The peer: says OPEN and KEEPALIVE, then all it has. */
static void *peer(void *arg)
{
	struct tcp_endpoint to = { .addr = addr_v4(0x7f000001) };
	struct bgp_open o = { .as = 65000, .id = 99, .caps = { .as4 = true, .as = 65000, .any_family = true } };
	struct ip_addr any = { 0 };
	struct tcp_options none = { 0 };
	uint8_t junk[4096];
	struct buf b;
	int fd = tcp_connect(&to, port, &any, &none);

	o.caps.family[BGP_VPNV4] = true;
	buf_init(&b);
	bgp_open_encode(&b, &o);
	bgp_keepalive_encode(&b);
	while (send(fd, b.data, b.len, MSG_NOSIGNAL) < 0)
		usleep(1000);
	while (!*(volatile unsigned int *)&up)
		usleep(1000);
	for (size_t at = 0; at < wire.len;) {
		ssize_t n = send(fd, wire.data + at, wire.len - at, MSG_NOSIGNAL);

		if (n > 0)
			at += (size_t)n;
		else
			usleep(100);
		while (recv(fd, junk, sizeof(junk), MSG_DONTWAIT) > 0)
			;
	}
	buf_free(&b);
	return NULL;
}

static int listen_fd;

static void on_accept(uv_poll_t *poll, int status, int events)
{
	struct tcp_endpoint from;
	int fd = tcp_accept(listen_fd, &from);

	if (fd >= 0)
		bgp_session_accept(session, fd);
}

static void through_session(double *worker_ns, double *main_ns)
{
	struct bgp_session_conf c = { .name = "peer", .local_as = 65000, .remote_as = 65000, .local_id = 1,
				      .passive = true, .connect_retry = 1, .hold = 90,
				      .caps = { .as4 = true, .as = 65000, .any_family = true, .extended = true } };
	uv_loop_t *loop = uv_default_loop();
	uint64_t start, worker_start;
	struct bgp_workers *ws;
	clockid_t clock;
	pthread_t thread;
	uv_poll_t poll;

	c.caps.family[BGP_VPNV4] = true;
	c.peer.addr = addr_v4(0x7f000001);
	for (port = 20000 + getpid() % 20000; (listen_fd = tcp_listen(AF_INET, port, "")) < 0; port++)
		;
	uv_poll_init(loop, &poll, listen_fd);
	uv_poll_start(&poll, UV_READABLE, on_accept);
	ws = bgp_workers_new(loop, 1, &ops);
	session = bgp_session_new(ws, &c, &c);
	bgp_session_start(session);
	pthread_getcpuclockid(ws->worker[0].thread, &clock);
	pthread_create(&thread, NULL, peer, NULL);
	while (!up)
		uv_run(loop, UV_RUN_ONCE);
	seen = 0;
	start = my_ns();
	worker_start = cpu_ns(clock);
	while (seen < routes)
		uv_run(loop, UV_RUN_ONCE);
	*main_ns = (double)(my_ns() - start) / routes;
	*worker_ns = (double)(cpu_ns(clock) - worker_start) / routes;
	pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
	double one, worker_ns, main_ns;

	routes = argc > 1 ? (unsigned int)atoi(argv[1]) : routes;
	each = argc > 2 ? (unsigned int)atoi(argv[2]) : each;
	log_init("bgp-read", LOG_TARGET_NONE, LOG_LEVEL_WARNING);
	buf_init(&wire);
	for (unsigned int i = 0; i < routes; i += each)
		message(i, routes - i < each ? routes - i : each);
	decode();
	one = decode();
	through_session(&worker_ns, &main_ns);
	printf("{\"routes\": %u, \"each\": %u, \"decode_ns\": %.1f, \"worker_ns\": %.1f, \"main_ns\": %.1f, \"queue_octets\": %zu}\n",
	       routes, each, one, worker_ns, main_ns, most);
	return 0;
}
