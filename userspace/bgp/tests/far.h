/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Peers at the other end of real sessions over the loopback: 127.0.0.2, .3, ... to the PE (pe.h) at 127.0.0.1. Each
 * keeps what it was told, as any speaker would, and counts what it cost to tell it.
 */
#ifndef L3VPN_BGP_TESTS_FAR_H
#define L3VPN_BGP_TESTS_FAR_H

#include <unistd.h>

#include "bgp/attr.h"
#include "bgp/tests/pe.h"
#include "bgp/worker.h"

#define FARS 6
#define FAR_ROUTES 4096

struct far_route {
	bool there;
	uint32_t label, med, local_pref;
	uint16_t path_length;
	struct ip_addr nexthop;
};

struct far {
	struct bgp_session *s;
	struct ip_addr self;
	unsigned int ups, downs, eors, refreshes;
	char why[BGP_WHY_MAX];			/* it went down last */
	unsigned int announced, withdrawn;	/* NLRI, since the test set them to 0 */
	struct far_route route[FAR_ROUTES];	/* by third and fourth octet of 10.20.x.y/32 and so on */
};

static struct far far[FARS];
static struct bgp_workers *far_workers;
static uv_poll_t far_poll;
static int far_fd;
static uint16_t far_port;
static bool far_constrained;		/* those who are made speak RFC 4684 too */
static bool far_keeps;			/* ... and RFC 4724 */

static inline unsigned int far_index(const struct prefix *p)
{
	return (p->addr.b[2] << 8 | p->addr.b[3]) % FAR_ROUTES;
}

static inline void far_up(void *o, const struct bgp_up *up)
{
	((struct far *)o)->ups++;
}

static inline void far_down(void *o, const struct bgp_down *down)
{
	struct far *f = o;

	f->downs++;
	snprintf(f->why, sizeof(f->why), "%s", down->why);
	memset(f->route, 0, sizeof(f->route));
}

static inline void far_update(void *o, const struct bgp_update *u)
{
	struct far *f = o;

	for (unsigned int i = 0; i < u->parts; i++) {
		const struct bgp_routes *part = &u->part[i];

		for (uint32_t k = 0; k < part->count; k++) {
			struct far_route *r = &f->route[far_index(&part->nlri[k].prefix)];

			if (part->family != BGP_VPNV4)
				continue;
			memset(r, 0, sizeof(*r));
			f->announced += !part->withdraw;
			f->withdrawn += part->withdraw;
			if (part->withdraw)
				continue;
			r->there = true;
			r->label = part->nlri[k].label;
			r->med = u->attrs.f.med;
			r->local_pref = u->attrs.f.local_pref;
			r->path_length = u->attrs.part[ATTRS_AS_PATH].len / 4;
			r->nexthop = part->nexthop;
		}
	}
	for (int family = 0; family < BGP_FAMILIES; family++)
		f->eors += u->eor[family];
}

static inline void far_refresh(void *o, enum bgp_family family, enum bgp_refresh what)
{
	((struct far *)o)->refreshes += what == BGP_REFRESH_REQUEST;
}

static inline void far_drained(void *o)
{
}

static const struct bgp_session_ops far_ops = {
	.up = far_up, .down = far_down, .update = far_update, .refresh = far_refresh, .drained = far_drained,
};

static inline void far_accept(uv_poll_t *poll, int status, int events)
{
	struct tcp_endpoint from, local;
	uint16_t port;
	int fd;

	while ((fd = tcp_accept(far_fd, &from)) >= 0) {
		struct far *f = tcp_local(fd, &local, &port) && local.addr.b[3] - 2u < FARS ?
					&far[local.addr.b[3] - 2] : NULL;

		if (f && f->s)
			bgp_session_accept(f->s, fd);
		else
			close(fd);
	}
}

/* The loop and all jobs, until @done holds; fails after 20 s. */
static inline void run_until(bool (*done)(void), const char *what)
{
	uint64_t end = bgp_now_ms() + 20000;

	while (!done()) {
		if (bgp_now_ms() > end)
			fail_msg("%s: not within 20 s", what);
		jobs_run(env.jobs, 0);
		rec_ack(&rec);
		if (!uv_run(&loop, UV_RUN_NOWAIT) || !jobs_pending(env.jobs))
			usleep(500);
	}
}

/* long enough for what should not come */
static inline void run_on(unsigned int ms)
{
	uint64_t end = bgp_now_ms() + ms;

	while (bgp_now_ms() < end) {
		jobs_run(env.jobs, 0);
		uv_run(&loop, UV_RUN_NOWAIT);
		usleep(500);
	}
}

static inline void fars_up(void)
{
	unsigned int seed = (unsigned int)getpid();

	memset(far, 0, sizeof(far));
	do {
		far_port = (uint16_t)(20000 + rand_r(&seed) % 30000);
		far_fd = tcp_listen(AF_INET, far_port, "");
	} while (far_fd < 0);
	uv_poll_init(&loop, &far_poll, far_fd);
	uv_poll_start(&far_poll, UV_READABLE, far_accept);
	far_workers = bgp_workers_new(&loop, 1, &far_ops);
	assert_non_null(far_workers);
}

static inline struct bgp_caps far_caps(uint32_t as, bool restarting)
{
	struct bgp_caps c = { .as4 = true, .as = as, .refresh = true, .any_family = true };

	c.family[BGP_VPNV4] = true;
	c.family[BGP_RTC] = far_constrained;
	c.gr = far_keeps;
	c.gr_restarting = restarting;
	c.gr_time = 60;
	for (int f = 0; f < BGP_FAMILIES; f++)
		c.gr_family[f] = c.gr_forwarding[f] = far_keeps && c.family[f];
	return c;
}

/* Waits for the PE; a VPN-IPv4 session. */
static inline void far_make(unsigned int i, uint32_t as)
{
	struct bgp_session_conf c = { .port = far_port, .local_as = as, .remote_as = 65000, .hold = 30,
				      .connect_retry = 1, .passive = true };

	snprintf(c.name, sizeof(c.name), "far %u", i);
	far[i].self = addr_v4(0x7f000002 + i);
	c.source = far[i].self;
	c.peer.addr = addr_v4(0x7f000001);
	c.local_id = 0x0a010002 + i;
	c.caps = far_caps(as, false);
	far[i].s = bgp_session_new(far_workers, &c, &far[i]);
	assert_non_null(far[i].s);
	bgp_session_start(far[i].s);
}

/* It announces a prefix under 65000:8, with these extended communities. */
static inline void far_tell(struct far *f, const char *prefix, const uint8_t *ext, uint8_t ext_len)
{
	static const uint8_t path_and_origin[] = { 0x40, 1, 1, 0, 0x40, 2, 0, 0x40, 5, 4, 0, 0, 0, 100 };
	const struct ip_addr nexthop = { .family = AF_INET, .b = { 192, 168, 0, 2 } };
	struct bgp_nlri n = { .label = 100 };
	uint8_t mem[256];
	struct bgp_out *out;
	size_t start, at, mp;
	struct rd rd;
	struct buf b;

	n.prefix = P(prefix);
	assert_true(rd_parse("65000:8", &rd));
	memcpy(n.rd, rd.b, sizeof(n.rd));
	buf_init_fixed(&b, mem, sizeof(mem));
	start = bgp_msg_begin(&b, BGP_UPDATE);
	buf_u16(&b, 0);
	at = b.len;
	buf_u16(&b, 0);
	mp = bgp_mp_reach_begin(&b, BGP_VPNV4, &nexthop, NULL);
	bgp_nlri_encode(&b, BGP_VPNV4, &n, 0);
	bgp_mp_end(&b, mp);
	buf_bytes(&b, path_and_origin, sizeof(path_and_origin));
	if (ext_len) {
		buf_u8(&b, BGP_FLAG_OPTIONAL | BGP_FLAG_TRANSITIVE);
		buf_u8(&b, BGP_ATTR_EXT_COMMUNITIES);
		buf_u8(&b, ext_len);
		buf_bytes(&b, ext, ext_len);
	}
	buf_patch_u16(&b, at, (uint16_t)(b.len - at - 2));
	bgp_msg_end(&b, start);
	out = bgp_out_new(b.data, b.len, 1);
	bgp_session_send(f->s, out);
	bgp_out_put(out);
}

static inline void fars_down(void)
{
	for (int i = 0; i < FARS; i++) {
		if (far[i].s)
			bgp_session_free(far[i].s, BGP_CEASE_DECONFIGURED);
	}
	uv_poll_stop(&far_poll);
	uv_close((uv_handle_t *)&far_poll, NULL);
	bgp_workers_free(far_workers);
	uv_run(&loop, UV_RUN_NOWAIT);
	close(far_fd);
}

#endif
