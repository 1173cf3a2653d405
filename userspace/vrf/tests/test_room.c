// SPDX-License-Identifier: GPL-2.0
/* rooms: lib conf rib policy labels vrf */
/* The most prefixes of a VRF, as import keeps to it: what comes last stays out, and comes in when there is room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "lib/mem.h"
#include "vrf/tests/net.h"

#define RED_RT "65000:100"
#define BLUE_RT "65000:200"
#define FAR "65000:9"

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

static struct vrf_af *af_of(const char *vrf)
{
	return &vrf_find(env.vrfs, vrf)->af[AFI4];
}

static void limit(const char *vrf, uint32_t most)
{
	vrf_set_limit(env.vrfs, vrf_find(env.vrfs, vrf), AF_INET, most, 0);
	settle();
}

static bool in_vrf(const char *vrf, const char *prefix)
{
	struct prefix p = P(prefix);
	struct rib_net *net = rib_find(af_of(vrf)->table, NULL, &p);

	return net && rib_routes(net);
}

static void several(struct rib_source *s, unsigned int from, unsigned int to, const char *rt)
{
	char prefix[32];

	for (; from < to; from++) {
		snprintf(prefix, sizeof(prefix), "10.100.%u.0/24", from);
		if (rt)
			vpn_announce(s, FAR, prefix, 100, rt, NULL);
		else
			vpn_withdraw(s, FAR, prefix);
	}
	settle();
}

static void what_comes_last_waits(void **unused)
{
	struct rib_source rr;

	session(&rr, NULL, "rr");
	limit("RED", 3);
	several(&rr, 0, 5, RED_RT);
	assert_int_equal(rib_table_prefixes(af_of("RED")->table), 3);
	assert_int_equal(vrf_refused_imports(af_of("RED")), 2);
	/* what is in may change */
	several(&rr, 0, 5, RED_RT);
	assert_int_equal(rib_table_prefixes(af_of("RED")->table), 3);
	several(&rr, 0, 1, NULL);
	assert_int_equal(rib_table_prefixes(af_of("RED")->table), 3);
	assert_int_equal(vrf_refused_imports(af_of("RED")), 1);
	/* one that waits goes */
	several(&rr, 1, 5, NULL);
	assert_int_equal(rib_table_prefixes(af_of("RED")->table), 0);
	assert_int_equal(vrf_refused_imports(af_of("RED")), 0);
	several(&rr, 0, 20, RED_RT);
	assert_int_equal(vrf_refused_imports(af_of("RED")), 17);
	limit("RED", 10);
	assert_int_equal(vrf_refused_imports(af_of("RED")), 10);
	/* fewer than there are: nothing is taken out */
	limit("RED", 5);
	assert_int_equal(rib_table_prefixes(af_of("RED")->table), 10);
	limit("RED", 0);
	assert_int_equal(rib_table_prefixes(af_of("RED")->table), 20);
	assert_int_equal(vrf_refused_imports(af_of("RED")), 0);
	/* the other VRF was not concerned */
	assert_int_equal(rib_table_prefixes(af_of("BLUE")->table), 0);
	rib_source_flush(&rr, NULL);
	settle();
}

/* A customer's own routes are in the table, whatever is there, and take the room of others. */
static void own_routes_count(void **unused)
{
	struct rib_source rr, ce;

	session(&rr, NULL, "rr");
	session(&ce, "RED", "ce");
	limit("RED", 2);
	several(&rr, 0, 2, RED_RT);
	ce_announce(&ce, "10.5.0.0/16", "10.1.0.2");
	settle();
	assert_true(in_vrf("RED", "10.5.0.0/16"));
	several(&rr, 0, 1, NULL);
	several(&rr, 2, 3, RED_RT);
	assert_int_equal(vrf_refused_imports(af_of("RED")), 1);
	/* the customer's prefix is there: other ways to it need no room */
	vpn_announce(&rr, FAR, "10.5.0.0/16", 100, RED_RT, NULL);
	settle();
	assert_int_equal(vrf_refused_imports(af_of("RED")), 1);
	ce_withdraw(&ce, "10.5.0.0/16");
	settle();
	assert_true(in_vrf("RED", "10.5.0.0/16"));
	vpn_withdraw(&rr, FAR, "10.5.0.0/16");
	settle();
	assert_int_equal(vrf_refused_imports(af_of("RED")), 0);
	assert_true(in_vrf("RED", "10.100.2.0/24"));
	rib_source_flush(&rr, NULL);
	settle();
}

/* What waits and is imported no more does not wait. */
static void imports_change(void **unused)
{
	struct rib_source rr;

	session(&rr, NULL, "rr");
	limit("RED", 1);
	several(&rr, 0, 3, RED_RT);
	several(&rr, 3, 6, BLUE_RT);
	assert_int_equal(vrf_refused_imports(af_of("RED")), 2);
	assert_int_equal(rib_table_prefixes(af_of("BLUE")->table), 3);
	targets("RED", false, RED_RT, BLUE_RT);
	settle();
	assert_int_equal(vrf_refused_imports(af_of("RED")), 5);
	targets("RED", false, BLUE_RT, NULL);
	settle();
	assert_int_equal(vrf_refused_imports(af_of("RED")), 2);
	assert_int_equal(rib_table_prefixes(af_of("RED")->table), 1);
	assert_true(in_vrf("RED", "10.100.3.0/24") || in_vrf("RED", "10.100.4.0/24") || in_vrf("RED", "10.100.5.0/24"));
	targets("RED", false, NULL, NULL);
	settle();
	assert_int_equal(vrf_refused_imports(af_of("RED")), 0);
	assert_int_equal(rib_table_prefixes(af_of("RED")->table), 0);
	/* the VRF goes while some wait, and comes again without a limit */
	targets("RED", false, RED_RT, NULL);
	settle();
	assert_int_equal(vrf_refused_imports(af_of("RED")), 2);
	vrf_del(env.vrfs, vrf_find(env.vrfs, "RED"));
	settle();
	vrf_make("RED", "65000:1", RED_RT);
	settle();
	assert_int_equal(rib_table_prefixes(af_of("RED")->table), 3);
	rib_source_flush(&rr, NULL);
	settle();
}

#define VRFS 4
#define ROUTES 120

static const char *vrf_name(unsigned int i)
{
	static char name[16];

	snprintf(name, sizeof(name), "V%u", i);
	return name;
}

static void check_vrf(unsigned int v, const uint8_t *route, const bool *own, uint32_t most, unsigned int import)
{
	unsigned int wanted = 0, there = 0, local = 0, waiting = 0;
	const struct vrf_af *af = af_of(vrf_name(v));
	char prefix[32];

	for (unsigned int i = 0; i < ROUTES; i++) {
		bool wants = route[i] && import & 1u << (route[i] - 1);

		snprintf(prefix, sizeof(prefix), "10.100.%u.0/24", i);
		local += own[i];
		wanted += wants;
		there += in_vrf(vrf_name(v), prefix);
		waiting += wants && !in_vrf(vrf_name(v), prefix);
		if (!wants && !own[i])
			assert_false(in_vrf(vrf_name(v), prefix));
		if (own[i])
			assert_true(in_vrf(vrf_name(v), prefix));
	}
	assert_int_equal(rib_table_prefixes(af->table), there);
	assert_true(vrf_refused_imports(af) >= waiting);
	if (!most || there < most) {
		assert_int_equal(vrf_refused_imports(af), 0);
		assert_int_equal(waiting, 0);
	}
}

/* against a naive reading, whatever comes and goes */
static void random_rooms(void **unused)
{
	unsigned int seed = getenv("SEED") ? (unsigned int)atoi(getenv("SEED")) : (unsigned int)time(NULL);
	unsigned int import[VRFS] = { 0 }, most[VRFS] = { 0 }, i, v, n;
	static bool own[VRFS][ROUTES];
	static uint8_t route[ROUTES];
	struct rib_source rr, ce[VRFS];
	char text[32], prefix[32];
	struct rt rts[3];

	print_message("SEED=%u\n", seed);
	srand(seed);
	memset(own, 0, sizeof(own));
	memset(route, 0, sizeof(route));
	session(&rr, NULL, "rr");
	for (v = 0; v < VRFS; v++) {
		snprintf(text, sizeof(text), "65000:%u", 1000 + v);
		vrf_make(vrf_name(v), text, "65000:999");
		session(&ce[v], vrf_name(v), "ce");
	}
	for (unsigned int round = 0; round < 2000; round++) {
		i = rand() % ROUTES;
		v = rand() % VRFS;
		snprintf(prefix, sizeof(prefix), "10.100.%u.0/24", i);
		switch (rand() % 12) {
		case 0:
			most[v] = rand() % 3 ? rand() % 60 : 0;
			vrf_set_limit(env.vrfs, vrf_find(env.vrfs, vrf_name(v)), AF_INET, most[v], 0);
			break;
		case 1:
			import[v] = rand() % 8;
			for (n = 0, i = 0; i < 3; i++) {
				snprintf(text, sizeof(text), "65000:%u", 3000 + i);
				if (import[v] & 1u << i)
					rts[n++] = RT(text);
			}
			vrf_set_targets(env.vrfs, vrf_find(env.vrfs, vrf_name(v)), AF_INET, false, rts, n);
			break;
		case 2:
		case 3:
			own[v][i] = !own[v][i];
			if (own[v][i])
				ce_announce(&ce[v], prefix, "10.1.0.2");
			else
				ce_withdraw(&ce[v], prefix);
			break;
		case 4:
		case 5:
			route[i] = 0;
			vpn_withdraw(&rr, FAR, prefix);
			break;
		default:
			route[i] = 1 + rand() % 3;
			snprintf(text, sizeof(text), "65000:%u", 3000 + route[i] - 1);
			vpn_announce(&rr, FAR, prefix, 16 + rand() % 1000, text, NULL);
		}
		if (round % 7)
			continue;
		settle();
		for (v = 0; v < VRFS; v++)
			check_vrf(v, route, own[v], most[v], import[v]);
	}
	for (v = 0; v < VRFS; v++)
		rib_source_flush(&ce[v], NULL);
	rib_source_flush(&rr, NULL);
	settle();
	for (v = 0; v < VRFS; v++) {
		assert_int_equal(rib_table_prefixes(af_of(vrf_name(v))->table), 0);
		assert_int_equal(vrf_refused_imports(af_of(vrf_name(v))), 0);
	}
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(what_comes_last_waits),
		test(own_routes_count),
		test(imports_change),
		test(random_rooms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
