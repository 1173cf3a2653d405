// SPDX-License-Identifier: GPL-2.0
/* rooms: lib conf rib labels vrf static */
/*
 * From configuration text to tables, labels and forwarding: VRFs, static and connected routes,
 * LSPs and cross-connects; vrf/tests/net.h draws the PE.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "conf/conf.h"
#include "labels/config.h"
#include "static/static.h"
#include "vrf/tests/net.h"

static uv_loop_t loop;
static void *inst[4];
static const struct rib_proto *const protos[4] = { &connected_proto, &static_proto,
						   &static_lsp_proto, &static_xconnect_proto };

static const char *const base =
	"vrf RED\n rd 65000:1\n label mode per-ce\n address-family ipv4 unicast\n"
	"  import route-target 65000:100\n  export route-target 65000:100\n !\n!\n"
	"vrf BLUE\n rd 10.0.0.1:2\n address-family ipv4 unicast\n"
	"  import route-target 65000:100\n  import route-target 65000:200\n"
	"  export route-target 65000:200\n !\n!\n"
	"interface ce1\n vrf RED\n!\n"
	"interface ce2\n vrf BLUE\n!\n"
	"interface core0\n mpls\n!\n";

/* edits; NULL or the reason for which the commit was refused */
static const char *commit(const char *text)
{
	static struct conf_error err;
	struct conf_candidate *c;
	struct conf_commit how = { 0 };
	bool ok;

	memset(&err, 0, sizeof(err));
	c = conf_candidate_open(env.conf, "test", false, &err);
	assert_non_null(c);
	ok = conf_edit(c, NULL, text, NULL, &err) && conf_commit(c, &how, NULL, &err);
	conf_candidate_close(c);
	settle();
	return ok ? NULL : err.reason;
}

#define COMMIT(text) do {						\
	const char *why_ = commit(text);				\
	if (why_)							\
		fail_msg("%s", why_);					\
} while (0)

static int setup(void **unused)
{
	struct conf_options opt = { .loop = &loop };
	struct conf_error err;
	int i;

	log_init("test", LOG_TARGET_NONE, LOG_LEVEL_DEBUG);
	memset(&env, 0, sizeof(env));
	uv_loop_init(&loop);
	env.jobs = jobs_new(NULL);
	env.conf = conf_new(&opt, &err);
	assert_non_null(env.conf);
	env.rib = rib_new(env.jobs);
	nht = rib_nht(env.rib);
	rec_start(&rec, rib_fib(env.rib));
	env.labels = labels_new(env.jobs, rib_fib(env.rib));
	labels_config_subscribe(env.conf, env.labels);
	env.vrfs = vrfs_new(&env);
	for (i = 0; i < 4; i++)
		inst[i] = protos[i]->start(&env);
	assert_true(conf_start(env.conf, &err));
	link_on(1, "core0", "192.168.0.1/24");
	link_on(2, "ce1", "10.1.0.1/24");
	link_on(3, "ce2", "10.2.0.1/24");
	COMMIT(base);
	return 0;
}

static int teardown(void **unused)
{
	int i;

	for (i = 3; i >= 0; i--)
		protos[i]->stop(inst[i]);
	vrfs_free(env.vrfs);
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
	return 0;
}

static void settings_reach_the_vrf(void **unused)
{
	struct vrf *red = vrf_find(env.vrfs, "RED");
	struct labels_stats st;

	assert_non_null(red);
	assert_int_equal(red->label_mode, LABEL_MODE_CE);
	assert_true(red->has_rd && red->af[AFI4].configured && !red->af[AFI6].configured);
	assert_int_equal(red->af[AFI4].import.n, 1);
	assert_int_equal(vrf_find(env.vrfs, "BLUE")->af[AFI4].import.n, 2);
	COMMIT("mpls\n label range dynamic 5000 6000\n label hold-down 7\n");
	labels_stats(env.labels, &st);
	assert_int_equal(st.pool[LABEL_POOL_DYNAMIC].from, 5000);
	assert_int_equal(st.pool[LABEL_POOL_DYNAMIC].to, 6000);
	COMMIT("no vrf BLUE\nno interface ce2\n");
	assert_null(vrf_find(env.vrfs, "BLUE"));
	assert_non_null(strstr(commit("vrf GREEN\n rd 65000:1\n"), "same rd"));
	assert_null(vrf_find(env.vrfs, "GREEN"));
	assert_non_null(commit("vrf GREEN\n rd 65000:5000000000\n"));
}

static void connected_routes(void **unused)
{
	struct prefix p = P("10.1.0.0/24");
	struct nht_link down = { .ifindex = 2, .name = "ce1" };
	struct vrf_export_state st;
	struct rib_route *r = vrf_best("RED", "10.1.0.0/24");
	struct fib_dest d;

	assert_non_null(r);
	assert_int_equal(r->nh->key.kind, NEXTHOP_LOCAL);
	assert_false(vrf_fib("RED", "10.1.0.0/24", &d));
	assert_null(vpn_best("65000:1", "10.1.0.0/24"));
	assert_false(vrf_export_state(vrf_find(env.vrfs, "RED"), r->net, &st));
	assert_string_equal(st.why, "not redistributed");
	COMMIT("router bgp 65000\n router-id 10.0.0.1\n vrf RED\n  address-family ipv4 unicast\n"
	       "   redistribute connected\n");
	assert_non_null(vpn_best("65000:1", "10.1.0.0/24"));
	/* the other VRF of this PE that imports it looks it up here */
	assert_true(vrf_fib("BLUE", "10.1.0.0/24", &d));
	assert_int_equal(d.nh->kind, FIB_NH_VRF);
	nht_link_set(nht, &down);
	settle();
	assert_null(vrf_best("RED", "10.1.0.0/24"));
	assert_null(vpn_best("65000:1", "10.1.0.0/24"));
	assert_false(vrf_fib("BLUE", "10.1.0.0/24", &d));
	link_on(2, "ce1", "10.1.0.1/24");
	settle();
	/* the port goes over to the other VRF */
	COMMIT("interface ce1\n vrf BLUE\n");
	assert_null(rib_find(vrf_find(env.vrfs, "RED")->af[AFI4].table, NULL, &p));
	assert_non_null(vrf_best("BLUE", "10.1.0.0/24"));
}

static void static_routes(void **unused)
{
	struct fib_label *l;
	struct fib_dest d;
	uint32_t label;

	COMMIT("router static\n vrf RED\n  route 10.50.0.0/16\n   next-hop 10.1.0.2\n  !\n"
	       "  route 10.51.0.0/16\n   discard\n  !\n"
	       "  route 10.52.0.0/16\n   next-hop 10.50.7.7\n  !\n"
	       "  route 10.53.0.0/16\n   interface ce1\n  !\n"
	       "  route 10.54.0.0/16\n   next-hop 10.1.0.2 weight 2\n   next-hop 10.1.0.3\n  !\n"
	       "  route 10.56.0.0/16\n   next-hop 10.1.0.2 backup\n   next-hop 10.1.0.3\n  !\n"
	       "  route 10.55.0.0/16\n   next-hop 10.99.0.1\n");
	assert_true(vrf_fib("RED", "10.50.0.0/16", &d));
	assert_int_equal(d.nh->kind, FIB_NH_ADJACENCY);
	assert_int_equal(d.nh->ifindex, 2);
	assert_true(vrf_fib("RED", "10.51.0.0/16", &d));
	assert_int_equal(d.nh->kind, FIB_NH_BLACKHOLE);
	assert_true(vrf_fib("RED", "10.52.0.0/16", &d));
	assert_int_equal(addr_to_v4(&d.nh->gateway), 0x0a010002);
	assert_true(vrf_fib("RED", "10.53.0.0/16", &d));
	assert_false(addr_is_set(&d.nh->gateway));
	assert_true(vrf_fib("RED", "10.54.0.0/16", &d));
	assert_int_equal(d.nh->n_members, 2);
	assert_false(d.nh->members[0].backup || d.nh->members[1].backup);
	assert_true(vrf_fib("RED", "10.56.0.0/16", &d));
	assert_int_equal(d.nh->n_members, 2);
	assert_true(d.nh->members[0].backup && !d.nh->members[1].backup);
	assert_false(vrf_fib("RED", "10.55.0.0/16", &d));
	assert_null(vpn_best("65000:1", "10.50.0.0/16"));
	/* one of them by name, without redistribution */
	COMMIT("router bgp 65000\n router-id 10.0.0.1\n vrf RED\n  address-family ipv4 unicast\n"
	       "   network 10.50.0.0/16\n");
	assert_non_null(vpn_best("65000:1", "10.50.0.0/16"));
	assert_null(vpn_best("65000:1", "10.52.0.0/16"));
	COMMIT("router bgp 65000\n vrf RED\n  address-family ipv4 unicast\n   redistribute static\n"
	       "   no network 10.50.0.0/16\n");
	label = vpn_best("65000:1", "10.50.0.0/16")->label;
	l = fib_label_find(rib_fib(env.rib), label);
	assert_int_equal(l->action, FIB_LABEL_POP_NH);
	l = fib_label_find(rib_fib(env.rib), vpn_best("65000:1", "10.51.0.0/16")->label);
	assert_int_equal(l->action, FIB_LABEL_POP_VRF);
	assert_null(vpn_best("65000:1", "10.55.0.0/16"));
	/* another CE: another label, and never without */
	COMMIT("router static\n vrf RED\n  route 10.50.0.0/16\n   no next-hop 10.1.0.2\n"
	       "   next-hop 10.1.0.9\n");
	assert_true(vpn_best("65000:1", "10.50.0.0/16")->label != label);
	/* a higher distance is a route in waiting */
	COMMIT("router static\n vrf RED\n  route 10.50.0.0/16\n   distance 250\n");
	assert_int_equal(vrf_best("RED", "10.50.0.0/16")->source->distance, 250);
	assert_null(vrf_best("RED", "10.50.0.0/16")->next);
	COMMIT("no router static\nno router bgp 65000\n");
	assert_null(vrf_best("RED", "10.50.0.0/16"));
	assert_int_equal(rec.n_routes, 0);
}

static void bad_static_routes(void **unused)
{
	static const char *const bad[][2] = {
		{ "route 10.50.0.1/16\n   discard\n", "host bits" },
		{ "route 2001:db8::/32\n   next-hop 10.1.0.2\n", "IPv4 next hop" },
		{ "route 2001:db8::/32\n   next-hop fe80::1\n", "needs its interface" },
		{ "route 10.50.0.0/16\n   next-hop 224.0.0.1\n", "cannot be a next hop" },
		{ "route 10.50.0.0/16\n   next-hop 10.1.0.2\n   discard\n", "one of the three" },
	};
	char text[256];
	const char *why;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(text, sizeof(text), "router static\n vrf RED\n  %s", bad[i][0]);
		why = commit(text);
		if (!why || !strstr(why, bad[i][1]))
			fail_msg("%s: %s", bad[i][0], why ? why : "taken");
	}
	assert_int_equal(rec.n_routes, 0);
}

static void static_lsps(void **unused)
{
	struct rib_source rr;
	struct fib_dest d;

	session(&rr, NULL, "rr");
	vpn_announce(&rr, "65000:9", "10.9.0.0/16", 500, "65000:200", NULL);
	COMMIT("mpls\n static lsp 10.0.0.9/32\n  path 192.168.0.2 out-label 77\n");
	assert_true(vrf_fib("BLUE", "10.9.0.0/16", &d));
	assert_int_equal(d.nh->kind, FIB_NH_LABELLED);
	assert_int_equal(d.nh->labels[0], 77);
	/* backups alone are no backups */
	COMMIT("mpls\n static lsp 10.0.0.9/32\n  path 192.168.0.2 out-label 77 backup\n"
	       "  path 192.168.0.6 out-label 79 backup\n");
	assert_int_equal(d.nh->kind, FIB_NH_GROUP);
	assert_int_equal(d.nh->n_members, 2);
	assert_false(d.nh->members[0].backup || d.nh->members[1].backup);
	COMMIT("mpls\n no static lsp 10.0.0.9/32\n");
	COMMIT("mpls\n static lsp 10.0.0.9/32\n  path 192.168.0.2 out-label 77\n");
	assert_true(vrf_fib("BLUE", "10.9.0.0/16", &d));
	COMMIT("mpls\n static lsp 10.0.0.9/32\n  path 192.168.0.3 out-label 78 weight 3\n"
	       "  path 192.168.0.4 out-label implicit-null backup\n");
	assert_int_equal(d.nh->kind, FIB_NH_GROUP);
	assert_int_equal(d.nh->n_members, 3);
	assert_int_equal(d.nh->members[1].weight, 3);
	assert_true(d.nh->members[2].backup);
	assert_int_equal(d.nh->members[2].nh->n_labels, 0);
	assert_non_null(strstr(commit("mpls\n static lsp 10.0.0.9/32\n  path 192.168.0.5 "
				      "out-label implicit-null out-label 99\n"),
			       "stands alone"));
	COMMIT("mpls\n no static lsp 10.0.0.9/32\n");
	assert_false(vrf_fib("BLUE", "10.9.0.0/16", &d));
	rib_source_flush_now(&rr);
	settle();
}

static void cross_connects(void **unused)
{
	struct fib_label *l;

	COMMIT("mpls\n static cross-connect 200\n  next-hop 192.168.0.7\n  out-label 300\n !\n"
	       " static cross-connect 201\n  next-hop 192.168.0.8\n  out-label implicit-null\n");
	l = fib_label_find(rib_fib(env.rib), 200);
	assert_int_equal(l->action, FIB_LABEL_SWAP);
	assert_int_equal(l->out_label, 300);
	assert_int_equal(l->nh->kind, FIB_NH_ADJACENCY);
	assert_int_equal(l->nh->ifindex, 1);
	assert_int_equal(fib_label_find(rib_fib(env.rib), 201)->out_label, 3);
	assert_true(l->programmed);
	COMMIT("mpls\n static cross-connect 200\n  out-label 301\n  next-hop 192.168.0.9\n");
	assert_ptr_equal(fib_label_find(rib_fib(env.rib), 200), l);
	assert_int_equal(l->out_label, 301);
	assert_non_null(strstr(commit("mpls\n static cross-connect 100007\n  out-label 301\n"
				      "  next-hop 192.168.0.9\n"), "dynamic range"));
	COMMIT("mpls\n no static cross-connect 200\n");
	assert_null(fib_label_find(rib_fib(env.rib), 200));
	/* typed again at once: it is the same owner's */
	COMMIT("mpls\n static cross-connect 200\n  out-label 301\n  next-hop 192.168.0.9\n");
	assert_non_null(fib_label_find(rib_fib(env.rib), 200));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(settings_reach_the_vrf, setup, teardown),
		cmocka_unit_test_setup_teardown(connected_routes, setup, teardown),
		cmocka_unit_test_setup_teardown(static_routes, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_static_routes, setup, teardown),
		cmocka_unit_test_setup_teardown(static_lsps, setup, teardown),
		cmocka_unit_test_setup_teardown(cross_connects, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
