/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A PE without a kernel for the tests of this room and those above.
 *
 *   ce-r1 10.1.0.2 --- ce1 10.1.0.1 [RED]               core0 192.168.0.1 --- P --- PE 10.0.0.9
 *   ce-r2 10.1.0.3 --/              [BLUE] ce2 10.2.0.1 --- ce-b
 */
#ifndef L3VPN_VRF_TESTS_NET_H
#define L3VPN_VRF_TESTS_NET_H

#include "labels/labels.h"
#include "lib/log.h"
#include "rib/lsp.h"
#include "rib/tests/recorder.h"
#include "rib/transport.h"
#include "vrf/vrf.h"

static const struct rib_proto test_bgp = { .id = RIB_PROTO_BGP, .name = "bgp", .code = 'B' };
static const struct rib_proto test_static = { .id = RIB_PROTO_STATIC, .name = "static",
					      .code = 'S' };
static const struct rib_proto test_connected = { .id = RIB_PROTO_CONNECTED, .name = "connected",
						 .code = 'C' };

static struct rib_env env;
static struct nht *nht;
static struct recorder rec;

static inline struct prefix P(const char *s)
{
	struct prefix p;

	assert_true(prefix_parse(s, &p));
	return p;
}

static inline struct ip_addr A(const char *s)
{
	struct ip_addr a;

	assert_true(addr_parse(s, &a));
	return a;
}

static inline struct rt RT(const char *s)
{
	struct rt rt;

	assert_true(rt_parse(s, &rt));
	return rt;
}

static inline struct rd RD(const char *s)
{
	struct rd rd;

	assert_true(rd_parse(s, &rd));
	return rd;
}

/* everything that is under way comes to rest, labels acknowledged */
static inline void settle(void)
{
	unsigned int i;

	for (i = 0; i < 20; i++) {
		jobs_run(env.jobs, 0);
		rec_ack(&rec);
	}
}

static inline void link_on(int ifindex, const char *name, const char *addr)
{
	struct nht_link l = { .ifindex = ifindex, .up = true };
	struct prefix p;

	strcpy(l.name, name);
	nht_link_set(nht, &l);
	assert_true(prefix_parse_host(addr, &p));
	nht_addr_add(nht, ifindex, &p);
}

static inline void targets(const char *vrf, bool export, const char *a, const char *b)
{
	struct rt rt[2];
	unsigned int n = 0;

	if (a)
		rt[n++] = RT(a);
	if (b)
		rt[n++] = RT(b);
	vrf_set_targets(env.vrfs, vrf_find(env.vrfs, vrf), AF_INET, export, rt, n);
}

static inline struct vrf *vrf_make(const char *name, const char *rd, const char *rt)
{
	struct vrf *v = vrf_add(env.vrfs, name);
	struct rd r = RD(rd);

	vrf_set_family(env.vrfs, v, AF_INET, true);
	vrf_set_rd(env.vrfs, v, &r);
	targets(name, true, rt, NULL);
	targets(name, false, rt, NULL);
	return v;
}

static inline void net_up(void)
{
	struct lsp_path path = { .owner = RIB_PROTO_STATIC, .name = "p", .weight = 1, .n_labels = 1,
				 .labels = { 77 } };
	struct prefix fec;

	log_init("test", LOG_TARGET_NONE, LOG_LEVEL_DEBUG);
	memset(&env, 0, sizeof(env));
	env.jobs = jobs_new(NULL);
	env.rib = rib_new(env.jobs);
	nht = rib_nht(env.rib);
	rec_start(&rec, rib_fib(env.rib));
	env.labels = labels_new(env.jobs, rib_fib(env.rib));
	env.vrfs = vrfs_new(&env);
	vrf_make("RED", "65000:1", "65000:100");
	vrf_make("BLUE", "10.0.0.1:2", "65000:200");
	vrf_set_port(env.vrfs, "ce1", vrf_find(env.vrfs, "RED"));
	vrf_set_port(env.vrfs, "ce2", vrf_find(env.vrfs, "BLUE"));
	link_on(1, "core0", "192.168.0.1/24");
	link_on(2, "ce1", "10.1.0.1/24");
	link_on(3, "ce2", "10.2.0.1/24");
	fec = P("10.0.0.9/32");
	path.gateway = A("192.168.0.2");
	lsp_announce(nht, &fec, &path);
}

/* the recorder fails the test if anything is left in forwarding */
static inline void net_down(void)
{
	struct prefix fec = P("10.0.0.9/32");

	vrfs_free(env.vrfs);
	lsp_withdraw(nht, &fec, RIB_PROTO_STATIC, "p");
	settle();
	labels_free(env.labels);
	rec_end(&rec);
	rib_free(env.rib);
	jobs_free(env.jobs);
	assert_int_equal(attrs_count(), 0);
}

/* a session with a CE of a VRF, or (vrf NULL) with a route reflector */
static inline void session(struct rib_source *s, const char *vrf, const char *name)
{
	struct vrf *v = vrf ? vrf_find(env.vrfs, vrf) : NULL;

	memset(s, 0, sizeof(*s));
	s->proto = &test_bgp;
	s->name = name;
	s->table = v ? v->af[AFI4].table : rib_table_vpn(env.rib, AF_INET);
	s->distance = v ? RIB_DISTANCE_EBGP : RIB_DISTANCE_IBGP;
	s->is_bgp = true;
	s->is_ibgp = !v;
	s->vrf = v ? v->id : 0;
	rib_source_init(s);
}

static inline void vpn_announce(struct rib_source *s, const char *rd, const char *prefix,
				uint32_t label, const char *rt1, const char *rt2)
{
	struct rd r = RD(rd);
	struct prefix p = P(prefix);
	struct ip_addr pe = A("10.0.0.9");
	struct rib_path path = { .label = label, .nh = nexthop_pe(nht, &pe, TRANSPORT_DEFAULT) };
	struct attrs_builder b;
	struct rt rt[2];

	memset(&b, 0, sizeof(b));
	rt[0] = RT(rt1);
	if (rt2)
		rt[1] = RT(rt2);
	b.part[ATTRS_EXT].data = rt[0].b;
	b.part[ATTRS_EXT].len = rt2 ? 16 : 8;
	b.f.nexthop = pe;
	path.attrs = attrs_intern(&b);
	rib_announce(s, &r, &p, &path);
	attrs_put(path.attrs);
	nexthop_put(nht, path.nh);
}

static inline void vpn_withdraw(struct rib_source *s, const char *rd, const char *prefix)
{
	struct rd r = RD(rd);
	struct prefix p = P(prefix);

	rib_withdraw(s, &r, &p, 0);
}

static inline void ce_announce(struct rib_source *s, const char *prefix, const char *gw)
{
	struct prefix p = P(prefix);
	struct ip_addr g = A(gw);
	struct rib_path path = { .label = RIB_LABEL_NONE,
				 .nh = nexthop_gateway(nht, s->vrf, &g, NULL) };
	struct attrs_builder b;

	memset(&b, 0, sizeof(b));
	b.f.nexthop = g;
	path.attrs = attrs_intern(&b);
	rib_announce(s, NULL, &p, &path);
	attrs_put(path.attrs);
	nexthop_put(nht, path.nh);
}

static inline void ce_withdraw(struct rib_source *s, const char *prefix)
{
	struct prefix p = P(prefix);

	rib_withdraw(s, NULL, &p, 0);
}

/* the best route of a VPN table, or of a VRF's (rd NULL) */
static inline struct rib_route *vpn_best(const char *rd, const char *prefix)
{
	struct rd r = RD(rd);
	struct prefix p = P(prefix);
	struct rib_net *net = rib_find(rib_table_vpn(env.rib, AF_INET), &r, &p);

	return net ? rib_best(net) : NULL;
}

static inline struct rib_route *vrf_best(const char *vrf, const char *prefix)
{
	struct prefix p = P(prefix);
	struct rib_net *net = rib_find(vrf_find(env.vrfs, vrf)->af[AFI4].table, NULL, &p);

	return net ? rib_best(net) : NULL;
}

static inline bool vrf_fib(const char *vrf, const char *prefix, struct fib_dest *d)
{
	struct prefix p = P(prefix);

	return fib_route_get(rib_fib(env.rib), vrf_find(env.vrfs, vrf)->id, &p, d);
}

#endif
