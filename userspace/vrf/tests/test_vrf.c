// SPDX-License-Identifier: GPL-2.0
/* rooms: lib conf rib labels vrf */
/* The pipes between VRF tables and VPN tables: import, export, labels, leaks; net.h draws it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "vrf/tests/net.h"

static int setup(void **unused)
{
	net_up();
	return 0;
}

static int teardown(void **unused)
{
	net_down();
	return 0;
}

static void text_of_rd_and_rt(void **unused)
{
	static const struct {
		const char *text;
		uint8_t octets[8];
		const char *again;
	} good[] = {
		{ "65000:1", { 0, 0, 0xfd, 0xe8, 0, 0, 0, 1 }, "65000:1" },
		{ "0:4294967295", { 0, 0, 0, 0, 255, 255, 255, 255 }, "0:4294967295" },
		{ "10.0.0.1:65535", { 0, 1, 10, 0, 0, 1, 255, 255 }, "10.0.0.1:65535" },
		{ "4200000000:7", { 0, 2, 0xfa, 0x56, 0xea, 0, 0, 7 }, "4200000000:7" },
		{ "65000L:7", { 0, 2, 0, 0, 0xfd, 0xe8, 0, 7 }, "65000L:7" },
	};
	static const char *const bad[] = { "", ":", "1:", ":1", "1:4294967296", "4294967296:1",
					   "4200000000:65536", "10.0.0.1:65536", "10.0.0:1", "x:1",
					   "1:1 ", "-1:1", "01:1", "1:+1", "10.0.0.256:1" };
	char buf[RD_STRLEN];
	struct rd rd;
	struct rt rt;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(rd_parse(good[i].text, &rd));
		assert_memory_equal(rd.b, good[i].octets, 8);
		assert_string_equal(rd_str(&rd, buf), good[i].again);
		assert_true(rt_parse(good[i].text, &rt));
		assert_int_equal(rt.b[0], good[i].octets[1]);
		assert_int_equal(rt.b[1], 2);
		assert_memory_equal(rt.b + 2, good[i].octets + 2, 6);
		assert_string_equal(rt_str(&rt, buf), good[i].again);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_false(rd_parse(bad[i], &rd));
		assert_false(rt_parse(bad[i], &rt));
	}
}

static void imported_by_route_target(void **unused)
{
	struct rib_source rr;
	struct fib_dest d;

	session(&rr, NULL, "rr");
	vpn_announce(&rr, "65000:9", "10.9.0.0/16", 500, "65000:100", NULL);
	vpn_announce(&rr, "65000:9", "10.8.0.0/16", 501, "65000:200", "65000:100");
	vpn_announce(&rr, "65000:9", "10.7.0.0/16", 502, "65000:300", NULL);
	settle();
	assert_true(vrf_fib("RED", "10.9.0.0/16", &d));
	assert_int_equal(d.label, 500);
	assert_int_equal(d.nh->kind, FIB_NH_LABELLED);
	assert_int_equal(d.nh->labels[0], 77);
	assert_false(vrf_fib("BLUE", "10.9.0.0/16", &d));
	assert_true(vrf_fib("RED", "10.8.0.0/16", &d));
	assert_true(vrf_fib("BLUE", "10.8.0.0/16", &d));
	assert_int_equal(rec.n_routes, 3);
	/* the RT is typed after the route came: no clear, no waiting for the peer */
	targets("BLUE", false, "65000:200", "65000:300");
	settle();
	assert_true(vrf_fib("BLUE", "10.7.0.0/16", &d));
	targets("BLUE", false, "65000:300", NULL);
	settle();
	assert_false(vrf_fib("BLUE", "10.8.0.0/16", &d));
	assert_true(vrf_fib("BLUE", "10.7.0.0/16", &d));
	/* another set of RTs from the peer, another label */
	vpn_announce(&rr, "65000:9", "10.9.0.0/16", 600, "65000:300", NULL);
	settle();
	assert_false(vrf_fib("RED", "10.9.0.0/16", &d));
	assert_true(vrf_fib("BLUE", "10.9.0.0/16", &d));
	assert_int_equal(d.label, 600);
	/* a VRF made later gets what is there */
	vrf_make("GREEN", "4200000000:3", "65000:300");
	settle();
	assert_true(vrf_fib("GREEN", "10.9.0.0/16", &d));
	vrf_del(env.vrfs, vrf_find(env.vrfs, "GREEN"));
	settle();
	vpn_withdraw(&rr, "65000:9", "10.9.0.0/16");
	settle();
	assert_false(vrf_fib("BLUE", "10.9.0.0/16", &d));
	rib_source_flush(&rr, NULL);
	settle();
	assert_int_equal(rec.n_routes, 0);
	assert_int_equal(rib_table_nets(rib_table_vpn(env.rib, AF_INET)), 0);
}

/* nothing imported ever comes back into the VPN table, nor into the VRF it came from */
static void pipes_do_not_loop(void **unused)
{
	struct rib_source rr, ce;
	struct rib_route *r;

	session(&rr, NULL, "rr");
	session(&ce, "RED", "ce-r1");
	targets("BLUE", false, "65000:200", "65000:100");
	targets("RED", false, "65000:200", "65000:100");
	targets("BLUE", true, "65000:200", "65000:100");
	vpn_announce(&rr, "65000:9", "10.9.0.0/16", 500, "65000:100", NULL);
	ce_announce(&ce, "10.50.0.0/16", "10.1.0.2");
	settle();
	assert_non_null(vrf_best("RED", "10.9.0.0/16"));
	assert_non_null(vrf_best("BLUE", "10.9.0.0/16"));
	assert_null(vpn_best("65000:1", "10.9.0.0/16"));
	assert_null(vpn_best("10.0.0.1:2", "10.9.0.0/16"));
	r = vrf_best("RED", "10.50.0.0/16");
	assert_ptr_equal(r->source, &ce);
	assert_null(r->next);
	r = vrf_best("BLUE", "10.50.0.0/16");
	assert_true(r->flags & RIB_ROUTE_IMPORTED);
	assert_null(vpn_best("10.0.0.1:2", "10.50.0.0/16"));
	rib_source_flush_now(&ce);
	rib_source_flush_now(&rr);
	settle();
}

static void exported_after_the_label_is_acknowledged(void **unused)
{
	static const uint8_t red[8] = { 0, 2, 0xfd, 0xe8, 0, 0, 0, 100 };
	struct rib_source ce;
	struct rib_route *r;
	uint32_t label;

	session(&ce, "RED", "ce-r1");
	assert_int_equal(rec.n_labels, 0);
	ce_announce(&ce, "10.50.0.0/16", "10.1.0.2");
	jobs_run(env.jobs, 0);
	assert_int_equal(rec.n_labels, 1);
	assert_null(vpn_best("65000:1", "10.50.0.0/16"));
	settle();
	r = vpn_best("65000:1", "10.50.0.0/16");
	assert_non_null(r);
	label = r->label;
	assert_int_equal(label, rec.labels[0]->label);
	assert_int_equal(rec.labels[0]->action, FIB_LABEL_POP_VRF);
	assert_true(attrs_has_ext(r->attrs, red));
	assert_int_equal(r->attrs->f.nexthop.family, 0);
	/* a second one shares the VRF's label */
	ce_announce(&ce, "10.51.0.0/16", "10.1.0.2");
	settle();
	assert_int_equal(vpn_best("65000:1", "10.51.0.0/16")->label, label);
	/* another RD: the same label under it */
	struct rd rd = RD("65000:11");

	vrf_set_rd(env.vrfs, vrf_find(env.vrfs, "RED"), &rd);
	settle();
	assert_null(vpn_best("65000:1", "10.51.0.0/16"));
	assert_int_equal(vpn_best("65000:11", "10.51.0.0/16")->label, label);
	/* withdrawn first; the entry goes later */
	rib_source_flush_now(&ce);
	settle();
	assert_int_equal(rib_table_nets(rib_table_vpn(env.rib, AF_INET)), 0);
	assert_int_equal(rec.n_labels, 1);
	timers_advance(env.jobs, LABELS_LINGER_MS + 1000);
	assert_int_equal(rec.n_labels, 0);
}

/* what a CE says about route targets counts for nothing */
static void route_targets_of_a_ce_are_dropped(void **unused)
{
	struct rt blue = RT("65000:200");
	struct rib_source ce;
	struct attrs_builder b;
	struct ip_addr g = A("10.1.0.2");
	struct prefix p = P("10.50.0.0/16");
	struct rib_path path = { .label = RIB_LABEL_NONE };
	struct rib_route *r;

	session(&ce, "RED", "ce-r1");
	memset(&b, 0, sizeof(b));
	b.part[ATTRS_EXT].data = blue.b;
	b.part[ATTRS_EXT].len = 8;
	path.attrs = attrs_intern(&b);
	path.nh = nexthop_gateway(nht, ce.vrf, &g, NULL);
	rib_announce(&ce, NULL, &p, &path);
	attrs_put(path.attrs);
	nexthop_put(nht, path.nh);
	settle();
	r = vpn_best("65000:1", "10.50.0.0/16");
	assert_non_null(r);
	assert_false(attrs_has_ext(r->attrs, blue.b));
	assert_null(vrf_best("BLUE", "10.50.0.0/16"));
	rib_source_flush_now(&ce);
	settle();
}

static struct rib_source conn;

static void connected_on(const char *vrf, const char *prefix)
{
	struct vrf *v = vrf_find(env.vrfs, vrf);
	struct nexthop_key key = { .kind = NEXTHOP_LOCAL, .vrf = v->id };
	struct prefix p = P(prefix);
	struct rib_path path = { .label = RIB_LABEL_NONE, .nh = nexthop_get(nht, &key) };

	memset(&conn, 0, sizeof(conn));
	conn.proto = &test_connected;
	conn.name = "connected";
	conn.table = v->af[AFI4].table;
	conn.is_local = true;
	conn.vrf = v->id;
	rib_source_init(&conn);
	rib_announce(&conn, NULL, &p, &path);
	nexthop_put(nht, path.nh);
}

static void label_modes(void **unused)
{
	struct vrf *red = vrf_find(env.vrfs, "RED");
	struct rib_source r1, r2;
	struct fib_label *l;
	uint32_t a, b, c;

	session(&r1, "RED", "ce-r1");
	session(&r2, "RED", "ce-r2");
	vrf_set_redistribute(env.vrfs, red, AF_INET, true, false);
	connected_on("RED", "10.1.0.0/24");
	vrf_set_label_mode(env.vrfs, red, LABEL_MODE_CE);
	ce_announce(&r1, "10.50.0.0/16", "10.1.0.2");
	ce_announce(&r1, "10.51.0.0/16", "10.1.0.2");
	ce_announce(&r2, "10.52.0.0/16", "10.1.0.3");
	settle();
	/* two CEs on one port: a label each, popped and forwarded without lookup */
	a = vpn_best("65000:1", "10.50.0.0/16")->label;
	b = vpn_best("65000:1", "10.52.0.0/16")->label;
	c = vpn_best("65000:1", "10.1.0.0/24")->label;
	assert_int_equal(vpn_best("65000:1", "10.51.0.0/16")->label, a);
	assert_true(a != b && b != c && a != c);
	l = fib_label_find(rib_fib(env.rib), b);
	assert_int_equal(l->action, FIB_LABEL_POP_NH);
	/* and behind the CE, a look-up */
	assert_int_equal(l->nh->kind, FIB_NH_GROUP);
	assert_int_equal(l->nh->n_members, 2);
	assert_int_equal(l->nh->members[0].nh->kind, FIB_NH_ADJACENCY);
	assert_int_equal(l->nh->members[0].nh->ifindex, 2);
	assert_int_equal(addr_to_v4(&l->nh->members[0].nh->gateway), 0x0a010003);
	assert_int_equal(l->nh->members[1].nh->kind, FIB_NH_VRF);
	assert_int_equal(l->nh->members[1].nh->vrf, red->id);
	assert_true(l->nh->members[1].backup);
	/* a connected route needs a lookup: the VRF's label */
	assert_int_equal(fib_label_find(rib_fib(env.rib), c)->action, FIB_LABEL_POP_VRF);
	/* it is not programmed as a route: the module keeps it by itself */
	struct fib_dest d;

	assert_false(vrf_fib("RED", "10.1.0.0/24", &d));

	vrf_set_label_mode(env.vrfs, red, LABEL_MODE_PREFIX);
	settle();
	assert_true(vpn_best("65000:1", "10.50.0.0/16")->label !=
		    vpn_best("65000:1", "10.51.0.0/16")->label);
	l = fib_label_find(rib_fib(env.rib), vpn_best("65000:1", "10.51.0.0/16")->label);
	assert_int_equal(l->action, FIB_LABEL_POP_NH);
	assert_int_equal(vpn_best("65000:1", "10.1.0.0/24")->label, c);
	rib_source_flush_now(&r1);
	rib_source_flush_now(&r2);
	rib_source_flush_now(&conn);
	settle();
}

static void aggregates(void **unused)
{
	struct vrf_aggregate a[2] = { { .prefix = P("10.50.0.0/16") },
				      { .prefix = P("10.60.0.0/16"), .summary_only = true } };
	struct vrf *red = vrf_find(env.vrfs, "RED");
	struct vrf_export_state st;
	struct rib_source ce;
	struct fib_label *l;
	struct fib_dest d;

	session(&ce, "RED", "ce-r1");
	targets("BLUE", false, "65000:200", "65000:100");
	vrf_set_label_mode(env.vrfs, red, LABEL_MODE_CE);
	vrf_set_aggregates(env.vrfs, red, AF_INET, a, 2);
	settle();
	assert_null(vrf_best("RED", "10.50.0.0/16"));
	ce_announce(&ce, "10.50.7.0/24", "10.1.0.2");
	ce_announce(&ce, "10.60.7.0/24", "10.1.0.2");
	settle();
	/* looked up at the egress, while its parts go to the CE without lookup */
	l = fib_label_find(rib_fib(env.rib), vpn_best("65000:1", "10.50.0.0/16")->label);
	assert_int_equal(l->action, FIB_LABEL_POP_VRF);
	l = fib_label_find(rib_fib(env.rib), vpn_best("65000:1", "10.50.7.0/24")->label);
	assert_int_equal(l->action, FIB_LABEL_POP_NH);
	assert_true(vrf_fib("RED", "10.50.0.0/16", &d));
	assert_int_equal(d.nh->kind, FIB_NH_BLACKHOLE);
	assert_true(vrf_fib("BLUE", "10.50.0.0/16", &d));
	assert_int_equal(d.nh->kind, FIB_NH_VRF);
	/* summary-only */
	assert_non_null(vpn_best("65000:1", "10.60.0.0/16"));
	assert_null(vpn_best("65000:1", "10.60.7.0/24"));
	assert_false(vrf_export_state(red, vrf_best("RED", "10.60.7.0/24")->net, &st));
	assert_non_null(strstr(st.why, "summary-only"));
	a[1].summary_only = false;
	vrf_set_aggregates(env.vrfs, red, AF_INET, a, 2);
	settle();
	assert_non_null(vpn_best("65000:1", "10.60.7.0/24"));
	assert_non_null(vpn_best("65000:1", "10.60.0.0/16"));
	/* the last part goes, and the aggregate with it */
	ce_withdraw(&ce, "10.50.7.0/24");
	settle();
	assert_null(vpn_best("65000:1", "10.50.0.0/16"));
	vrf_set_aggregates(env.vrfs, red, AF_INET, a, 1);
	settle();
	assert_null(vpn_best("65000:1", "10.60.0.0/16"));
	assert_non_null(vpn_best("65000:1", "10.60.7.0/24"));
	rib_source_flush_now(&ce);
	settle();
}

static unsigned int withdrawn;
static bool saw_unprogrammed;

/* what a BGP speaker would send: never a withdrawal, never a label that is not programmed */
static void on_vpn_change(struct rib_sub *sub, struct rib_net *net)
{
	struct rib_route *r = rib_best(net);
	struct fib_label *l = r ? fib_label_find(rib_fib(env.rib), r->label) : NULL;

	withdrawn += !r;
	saw_unprogrammed |= !l || !l->programmed;
}

static void mode_switch_makes_before_it_breaks(void **unused)
{
	static const enum label_mode modes[] = { LABEL_MODE_CE, LABEL_MODE_PREFIX, LABEL_MODE_VRF,
						 LABEL_MODE_PREFIX, LABEL_MODE_CE, LABEL_MODE_VRF };
	struct rib_sub sub = { .name = "test", .change = on_vpn_change };
	struct vrf *red = vrf_find(env.vrfs, "RED");
	struct rib_source ce;
	uint32_t before, first;
	char text[32];
	unsigned int i;

	session(&ce, "RED", "ce-r1");
	for (i = 0; i < 50; i++) {
		snprintf(text, sizeof(text), "10.50.%u.0/24", i);
		ce_announce(&ce, text, i % 2 ? "10.1.0.2" : "10.1.0.3");
	}
	settle();
	withdrawn = 0;
	saw_unprogrammed = false;
	assert_true(rib_subscribe(rib_table_vpn(env.rib, AF_INET), &sub, false));
	first = vpn_best("65000:1", "10.50.7.0/24")->label;
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		before = vpn_best("65000:1", "10.50.7.0/24")->label;
		vrf_set_label_mode(env.vrfs, red, modes[i]);
		jobs_run(env.jobs, 0);
		/* not acknowledged: the old one is announced still, unless the new one lingered */
		settle();
		assert_true(vpn_best("65000:1", "10.50.7.0/24")->label != before);
		/* what is on its way with the old label finds it */
		assert_non_null(fib_label_find(rib_fib(env.rib), before));
		if (i % 2)
			timers_advance(env.jobs, LABELS_LINGER_MS + 1000);
		settle();
	}
	/* back in the first mode: the same label as at first */
	assert_int_equal(vpn_best("65000:1", "10.50.7.0/24")->label, first);
	assert_int_equal(withdrawn, 0);
	assert_false(saw_unprogrammed);
	rib_unsubscribe(&sub);
	rib_source_flush_now(&ce);
	settle();
}

/* two VRFs of this PE share an RT: straight to the CE, or a lookup in the other VRF */
static void local_leak(void **unused)
{
	struct vrf *red = vrf_find(env.vrfs, "RED");
	struct rib_source ce, rr;
	struct fib_dest d;
	struct rib_route *r;

	session(&ce, "RED", "ce-r1");
	session(&rr, NULL, "rr");
	targets("BLUE", false, "65000:200", "65000:100");
	vrf_set_redistribute(env.vrfs, red, AF_INET, true, false);
	connected_on("RED", "10.1.0.0/24");
	ce_announce(&ce, "10.50.0.0/16", "10.1.0.2");
	settle();
	assert_true(vrf_fib("BLUE", "10.50.0.0/16", &d));
	assert_int_equal(d.nh->kind, FIB_NH_ADJACENCY);
	assert_int_equal(d.nh->ifindex, 2);
	assert_int_equal(d.label, FIB_LABEL_NONE);
	assert_true(vrf_fib("BLUE", "10.1.0.0/24", &d));
	assert_int_equal(d.nh->kind, FIB_NH_VRF);
	assert_int_equal(d.nh->vrf, red->id);
	/* one way: RED does not import BLUE */
	assert_null(vrf_best("RED", "10.2.0.0/24"));
	/* against the same prefix from another PE, what a CE of ours says wins as external */
	vpn_announce(&rr, "65000:9", "10.50.0.0/16", 500, "65000:100", NULL);
	settle();
	r = vrf_best("BLUE", "10.50.0.0/16");
	assert_int_equal(r->nh->key.kind, NEXTHOP_GATEWAY);
	assert_int_equal(r->next->reason, RIB_LOST_EBGP);
	ce_withdraw(&ce, "10.50.0.0/16");
	settle();
	assert_true(vrf_fib("BLUE", "10.50.0.0/16", &d));
	assert_int_equal(d.label, 500);
	/* the VRF behind the leak is deleted */
	vrf_set_port(env.vrfs, "ce1", NULL);
	rib_source_flush_now(&conn);
	vrf_del(env.vrfs, red);
	settle();
	assert_false(vrf_fib("BLUE", "10.1.0.0/24", &d));
	rib_source_flush_now(&rr);
	settle();
}

static void not_eligible_without_transport(void **unused)
{
	struct lsp_path path = { .owner = RIB_PROTO_STATIC, .name = "p", .weight = 1 };
	struct prefix fec = P("10.0.0.9/32"), p = P("10.9.0.0/16");
	struct rd rd = RD("65000:9");
	struct rib_source rr;
	struct rib_net *net;
	struct fib_dest d;

	session(&rr, NULL, "rr");
	lsp_withdraw(nht, &fec, RIB_PROTO_STATIC, "p");
	vpn_announce(&rr, "65000:9", "10.9.0.0/16", 500, "65000:100", NULL);
	settle();
	assert_false(vrf_fib("RED", "10.9.0.0/16", &d));
	net = rib_find(rib_table_vpn(env.rib, AF_INET), &rd, &p);
	assert_null(rib_best(net));
	assert_int_equal(rib_routes(net)->reason, RIB_LOST_NEXTHOP);
	assert_int_equal(rib_routes(net)->nh->reason, NH_NO_LSP);
	path.gateway = A("192.168.0.2");
	lsp_announce(nht, &fec, &path);
	settle();
	/* implicit null: the VPN label alone */
	assert_true(vrf_fib("RED", "10.9.0.0/16", &d));
	assert_int_equal(d.nh->kind, FIB_NH_LABELLED);
	assert_int_equal(d.nh->n_labels, 0);
	assert_int_equal(d.label, 500);
	rib_source_flush_now(&rr);
	settle();
}

/* each VRF by its own policy, changed while routes are there */
static void transport_by_the_policy_of_the_vrf(void **unused)
{
	struct transport_policy ldp = { .name = "ldp", .order = { 1, { RIB_PROTO_LDP } }, .max_paths = 8 };
	struct lsp_path path = { .owner = RIB_PROTO_LDP, .name = "p", .weight = 1, .n_labels = 1, .labels = { 99 } };
	uint16_t id = transport_policy_set(nht, &ldp);
	struct prefix fec = P("10.0.0.9/32");
	struct rib_source rr;
	struct fib_dest d;

	session(&rr, NULL, "rr");
	vpn_announce(&rr, "65000:9", "10.9.0.0/16", 500, "65000:100", NULL);
	settle();
	assert_true(vrf_fib("RED", "10.9.0.0/16", &d));
	vrf_set_transport(env.vrfs, vrf_find(env.vrfs, "RED"), id);
	settle();
	assert_false(vrf_fib("RED", "10.9.0.0/16", &d));
	path.gateway = A("192.168.0.2");
	lsp_announce(nht, &fec, &path);
	settle();
	assert_true(vrf_fib("RED", "10.9.0.0/16", &d));
	assert_int_equal(d.nh->kind, FIB_NH_LABELLED);
	assert_int_equal(d.nh->labels[0], 99);
	vrf_set_transport(env.vrfs, vrf_find(env.vrfs, "RED"), TRANSPORT_DEFAULT);
	settle();
	assert_true(vrf_fib("RED", "10.9.0.0/16", &d));
	assert_int_equal(d.nh->kind, FIB_NH_GROUP);
	assert_true(d.nh->members[1].backup);
	lsp_withdraw(nht, &fec, RIB_PROTO_LDP, "p");
	rib_source_flush_now(&rr);
	settle();
}

#define VRFS	8
#define ROUTES	60
#define RTS	6

/* many RTs, overlapping and one-way, against a naive reading of the sets */
static void random_targets(void **unused)
{
	unsigned int seed = getenv("SEED") ? (unsigned int)atoi(getenv("SEED")) : (unsigned int)time(NULL);
	unsigned int import[VRFS] = { 0 }, route[ROUTES] = { 0 }, i, k, round, n;
	char name[32], rd[32], prefix[32], a[32], b[32];
	struct rt rts[RTS];
	struct rib_source rr;
	struct vrf *v;
	struct fib_dest d;

	print_message("SEED=%u\n", seed);
	srand(seed);
	session(&rr, NULL, "rr");
	for (i = 0; i < VRFS; i++) {
		snprintf(name, sizeof(name), "V%u", i);
		snprintf(rd, sizeof(rd), "65000:%u", 1000 + i);
		vrf_make(name, rd, "65000:999");
	}
	for (round = 0; round < 400; round++) {
		if (rand() % 4) {
			i = rand() % ROUTES;
			snprintf(prefix, sizeof(prefix), "10.%u.0.0/16", i);
			snprintf(rd, sizeof(rd), "65000:%u", 2000 + i % 3);
			if (rand() % 4) {
				k = rand() % RTS;
				n = rand() % RTS;
				snprintf(a, sizeof(a), "65000:%u", 3000 + k);
				snprintf(b, sizeof(b), "65000:%u", 3000 + n);
				vpn_announce(&rr, rd, prefix, 16 + rand() % 1000, a, b);
				route[i] = 1u << k | 1u << n;
			} else {
				vpn_withdraw(&rr, rd, prefix);
				route[i] = 0;
			}
		} else {
			i = rand() % VRFS;
			import[i] = rand() % (1 << RTS);
			for (k = 0, n = 0; k < RTS; k++) {
				snprintf(a, sizeof(a), "65000:%u", 3000 + k);
				if (import[i] & 1u << k)
					rts[n++] = RT(a);
			}
			snprintf(name, sizeof(name), "V%u", i);
			vrf_set_targets(env.vrfs, vrf_find(env.vrfs, name), AF_INET, false, rts, n);
		}
		if (round % 5)
			continue;
		settle();
		for (i = 0; i < VRFS; i++) {
			snprintf(name, sizeof(name), "V%u", i);
			v = vrf_find(env.vrfs, name);
			for (k = 0, n = 0; k < ROUTES; k++) {
				snprintf(prefix, sizeof(prefix), "10.%u.0.0/16", k);
				assert_int_equal(vrf_fib(name, prefix, &d),
						 !!(import[i] & route[k]));
				n += !!(import[i] & route[k]);
			}
			assert_int_equal(rib_table_routes(v->af[AFI4].table), n);
		}
	}
	rib_source_flush(&rr, NULL);
	settle();
	assert_int_equal(rec.n_routes, 0);
}

static void ids_are_kept(void **unused)
{
	vrf_reserve_id(env.vrfs, "OLD", 4);
	vrf_reserve_id(env.vrfs, "OLDER", 3);
	assert_int_equal(vrf_add(env.vrfs, "NEW")->id, 5);
	assert_int_equal(vrf_add(env.vrfs, "OLD")->id, 4);
	assert_int_equal(vrf_add(env.vrfs, "OLDER")->id, 3);
	assert_null(vrf_add(env.vrfs, "OLD"));
	assert_ptr_equal(vrf_by_id(env.vrfs, 4), vrf_find(env.vrfs, "OLD"));
	assert_string_equal(vrf_next(env.vrfs, NULL)->name, "BLUE");
	assert_string_equal(vrf_after(env.vrfs, "C")->name, "NEW");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_of_rd_and_rt),
		cmocka_unit_test_setup_teardown(imported_by_route_target, setup, teardown),
		cmocka_unit_test_setup_teardown(pipes_do_not_loop, setup, teardown),
		cmocka_unit_test_setup_teardown(exported_after_the_label_is_acknowledged, setup,
						teardown),
		cmocka_unit_test_setup_teardown(route_targets_of_a_ce_are_dropped, setup, teardown),
		cmocka_unit_test_setup_teardown(label_modes, setup, teardown),
		cmocka_unit_test_setup_teardown(aggregates, setup, teardown),
		cmocka_unit_test_setup_teardown(mode_switch_makes_before_it_breaks, setup, teardown),
		cmocka_unit_test_setup_teardown(local_leak, setup, teardown),
		cmocka_unit_test_setup_teardown(not_eligible_without_transport, setup, teardown),
		cmocka_unit_test_setup_teardown(transport_by_the_policy_of_the_vrf, setup, teardown),
		cmocka_unit_test_setup_teardown(random_targets, setup, teardown),
		cmocka_unit_test_setup_teardown(ids_are_kept, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
