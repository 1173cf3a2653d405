/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A PE without sockets: configuration makes peers, whose sessions a test brings up by hand; what they tell goes in by
 * updates, what they are told is read from the memory of their groups.
 *
 *   ce 10.1.1.2, .3, .4 --- red 10.1.1.1/24 [RED]        core0 192.168.0.1/24 --- 192.168.0.2, .3 (the provider's)
 */
#ifndef L3VPN_BGP_TESTS_PE_H
#define L3VPN_BGP_TESTS_PE_H

#include <stdio.h>

#include "bgp/group.h"
#include "bgp/peer.h"
#include "conf/conf.h"
#include "labels/labels.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "rib/lsp.h"
#include "rib/tests/recorder.h"
#include "vrf/rd.h"

static uv_loop_t loop;
static struct rib_env env;
static struct recorder rec;
static struct bgp *bgp;

static inline struct prefix P(const char *s)
{
	struct prefix p;

	assert_true(prefix_parse(s, &p));
	return p;
}

/* everything under way comes to rest */
static inline void settle(void)
{
	for (int i = 0; i < 4; i++) {
		jobs_run(env.jobs, 0);
		rec_ack(&rec);
		uv_run(&loop, UV_RUN_NOWAIT);
	}
}

/* NULL: committed; else why not */
static inline const char *edit(const char *text)
{
	static struct conf_error err;
	struct conf_commit how = { 0 };
	struct conf_candidate *cand = conf_candidate_open(env.conf, "test", false, &err);
	uint64_t id;
	bool ok;

	assert_non_null(cand);
	ok = conf_edit(cand, NULL, text, NULL, &err) && conf_commit(cand, &how, &id, &err);
	conf_candidate_close(cand);
	settle();
	return ok ? NULL : err.reason;
}

static inline void take(const char *text)
{
	const char *why = edit(text);

	if (why)
		fail_msg("refused: %s: %s", why, text);
}

static inline void refuse(const char *text, const char *part)
{
	const char *why = edit(text);

	if (!why)
		fail_msg("taken: %s", text);
	if (!strstr(why, part))
		fail_msg("refused with \"%s\" in place of \"%s\"", why, part);
}

static inline void link_up(int ifindex, const char *name, const char *address)
{
	struct nht_link l = { .ifindex = ifindex, .up = true };
	struct prefix p;

	snprintf(l.name, sizeof(l.name), "%s", name);
	nht_link_set(rib_nht(env.rib), &l);
	assert_true(prefix_parse_host(address, &p));
	nht_addr_add(rib_nht(env.rib), ifindex, &p);
}

static inline void pe_up(void)
{
	struct bgp_options opt = { .loop = &loop, .workers = 1 };
	const struct conf_options copt = { .loop = &loop };
	const struct nht_way way = { .ifindex = 10, .weight = 1 };
	struct conf_error err;
	struct prefix core;

	log_init("test", LOG_TARGET_NONE, LOG_LEVEL_DEBUG);
	assert_int_equal(uv_loop_init(&loop), 0);
	env.jobs = jobs_new(NULL);
	env.conf = conf_new(&copt, &err);
	assert_non_null(env.conf);
	env.rib = rib_new(env.jobs);
	rec_start(&rec, rib_fib(env.rib));
	env.labels = labels_new(env.jobs, rib_fib(env.rib));
	assert_true(labels_configure(env.labels, 24000, 24999, 60));
	env.policies = policies_new(env.conf, env.jobs);
	env.vrfs = vrfs_new(&env);
	bgp_set_options(&opt);
	bgp = bgp_proto.start(&env);
	assert_non_null(bgp);
	assert_true(conf_start(env.conf, &err));
	link_up(10, "core0", "192.168.0.1/24");
	core = P("192.168.0.0/24");
	nht_route_set(rib_nht(env.rib), &core, &way, 1, 0);
	take("vrf RED\n rd 65000:1\n address-family ipv4 unicast\n  import route-target 65000:1\n"
	     "  export route-target 65000:1\n !\n!\ninterface red\n vrf RED\n!\n");
	link_up(11, "red", "10.1.1.1/24");
	vrf_set_port(env.vrfs, "red", vrf_find(env.vrfs, "RED"));
	settle();
}

static inline void pe_down(void)
{
	bgp_proto.stop(bgp);
	settle();
	vrfs_free(env.vrfs);
	policies_free(env.policies);
	settle();
	labels_free(env.labels);
	settle();
	rec_end(&rec);
	rib_free(env.rib);
	jobs_free(env.jobs);
	conf_free(env.conf);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_int_equal(attrs_count(), 0);
}

static inline struct bgp_peer *peer(const char *vrf, const char *address)
{
	struct tcp_endpoint e = { 0 };
	struct bgp_peer *p;

	assert_true(addr_parse(address, &e.addr));
	p = bgp_peer_find(bgp, vrf, &e);
	assert_non_null(p);
	return p;
}

/* The session comes up, with the families that are configured; @local: our address; @as: our AS in it, 0: as usual. */
static inline void session_up_as(struct bgp_peer *p, const char *local, uint32_t as)
{
	struct bgp_up up;

	memset(&up, 0, sizeof(up));
	for (int f = 0; f < BGP_FAMILIES; f++)
		up.agreed.family[f] = p->conf.af[f].on;
	up.agreed.as4 = true;
	up.as = as;
	up.agreed.refresh = true;
	up.peer.id = addr_to_v4(&p->conf.peer.addr);
	up.peer.as = p->conf.remote_as;
	assert_true(addr_parse(local, &up.local.addr));
	bgp_peer_ops.up(p, &up);
	settle();
}

static inline void session_up(struct bgp_peer *p, const char *local)
{
	session_up_as(p, local, 0);
}

static inline void session_down(struct bgp_peer *p)
{
	const struct bgp_down down = { .why = "test" };

	bgp_peer_ops.down(p, &down);
	settle();
}

/* ---- what peers tell ---- */

#define PATH(...) ((const uint32_t[]){ __VA_ARGS__, 0 })
#define COMMUNITY(a, b) ((uint32_t)(a) << 16 | (b))

struct telling {
	const char *prefix, *nexthop;
	const char *rd;			/* VPN */
	uint32_t label;
	const uint32_t *path, *communities;	/* ended by 0 */
	const uint8_t *ext;
	uint16_t ext_len;
	bool has_med, has_local_pref;
	uint32_t med, local_pref;
	bool withdraw;
};

static inline uint16_t put32s(uint8_t *b, const uint32_t *v)
{
	uint16_t n = 0;

	for (; v && *v; v++, n += 4) {
		b[n] = (uint8_t)(*v >> 24);
		b[n + 1] = (uint8_t)(*v >> 16);
		b[n + 2] = (uint8_t)(*v >> 8);
		b[n + 3] = (uint8_t)*v;
	}
	return n;
}

static inline void tell(struct bgp_peer *p, enum bgp_family f, const struct telling *t)
{
	uint8_t path[1024], communities[256];
	struct bgp_nlri n = { .label = t->label };
	union bgp_update_room room;
	struct bgp_update *u = &room.u;
	struct rd rd;

	memset(&room, 0, sizeof(room));
	n.prefix = P(t->prefix);
	if (t->rd) {
		assert_true(rd_parse(t->rd, &rd));
		memcpy(n.rd, rd.b, sizeof(n.rd));
	}
	u->parts = 1;
	u->part[0].family = f;
	u->part[0].withdraw = t->withdraw;
	u->part[0].count = 1;
	u->part[0].nlri = &n;
	if (t->nexthop)
		assert_true(addr_parse(t->nexthop, &u->part[0].nexthop));
	u->attrs.f.flags = (t->has_med ? ATTRS_HAS_MED : 0) | (t->has_local_pref ? ATTRS_HAS_LOCAL_PREF : 0);
	u->attrs.f.med = t->med;
	u->attrs.f.local_pref = t->local_pref;
	path[0] = BGP_AS_SEQUENCE;
	u->attrs.part[ATTRS_AS_PATH].len = put32s(path + 2, t->path);
	path[1] = (uint8_t)(u->attrs.part[ATTRS_AS_PATH].len / 4);
	if (path[1]) {
		u->attrs.part[ATTRS_AS_PATH].len += 2;
		u->attrs.part[ATTRS_AS_PATH].data = path;
	}
	u->attrs.part[ATTRS_COMMUNITY].len = put32s(communities, t->communities);
	u->attrs.part[ATTRS_COMMUNITY].data = communities;
	u->attrs.part[ATTRS_EXT].data = t->ext;
	u->attrs.part[ATTRS_EXT].len = t->ext_len;
	bgp_in_update(p, u);
	settle();
}

/* a CE's route; NULL: a path of its own AS alone, no communities */
static inline void ce_tells_path(const char *ce, const char *prefix, const uint32_t *path, const uint32_t *communities)
{
	const uint32_t own[] = { peer("RED", ce)->conf.remote_as, 0 };
	const struct telling t = {
		.prefix = prefix, .nexthop = ce, .path = path ? path : own, .communities = communities,
	};

	tell(peer("RED", ce), BGP_IPV4, &t);
}

static inline void ce_tells(const char *ce, const char *prefix)
{
	ce_tells_path(ce, prefix, NULL, NULL);
}

/* ---- what is there then ---- */

static inline struct rib_route *best_in(struct rib_table *t, const char *rd_text, const char *prefix)
{
	struct prefix p = P(prefix);
	struct rib_net *net;
	struct rd rd;

	if (rd_text)
		assert_true(rd_parse(rd_text, &rd));
	net = rib_find(t, rd_text ? &rd : NULL, &p);
	return net ? rib_best(net) : NULL;
}

static inline struct rib_route *red_best(const char *prefix)
{
	return best_in(vrf_find(env.vrfs, "RED")->af[AFI4].table, NULL, prefix);
}

static inline struct rib_route *vpn_best(const char *rd, const char *prefix)
{
	return best_in(rib_table_vpn(env.rib, AF_INET), rd, prefix);
}

/* What a peer was told of a prefix; borrowed; NULL: nothing. */
static inline struct attrs *told(struct bgp_peer *p, enum bgp_family f, const char *prefix)
{
	struct prefix want = P(prefix), is;
	struct bgp_advertised at = { 0 };
	struct rib_net *net;

	while ((net = bgp_advertised_walk(&p->family[f], &at))) {
		is = rib_net_prefix(net);
		if (prefix_eq(&is, &want))
			return at.attrs;
	}
	return NULL;
}

static inline struct attrs *ce_told(const char *ce, const char *prefix)
{
	return told(peer("RED", ce), BGP_IPV4, prefix);
}

/* "65000 65010", or "-" where nothing was told */
static inline const char *path_told(const char *ce, const char *prefix)
{
	static char text[256];
	struct attrs *a = ce_told(ce, prefix);

	return a ? attrs_path_str(a, text, sizeof(text)) : "-";
}

#endif
