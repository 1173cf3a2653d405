// SPDX-License-Identifier: GPL-2.0
/* rooms: lib conf rib labels ldp */
/* Six routers in a ladder, in simulated time: sim.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ldp/tests/sim.h"
#include "lib/mem.h"

#define SEEDS 12		/* LDP_SEEDS: another number */

static struct ldp_settings dual_settings(int n)
{
	struct ldp_settings s = sim_settings(n);

	s.family[AFI6].on = true;
	return s;
}

static struct ldp_settings ordered_settings(int n)
{
	struct ldp_settings s = sim_settings(n);

	s.ordered = true;
	return s;
}

static struct ldp_settings graceful_settings(int n)
{
	struct ldp_settings s = dual_settings(n);

	s.graceful = true;
	return s;
}

static void converges(void **unused)
{
	struct sim *s = sim_new(1, NULL);

	assert_true(sim_until(s, 3000, sim_converged));
	assert_true(s->now_ms < 1500);
	sim_free(s);
}

static void converges_dual_stack(void **unused)
{
	struct sim *s = sim_new(2, dual_settings);

	assert_true(sim_until(s, 5000, sim_converged));
	assert_int_equal(sim_peer(s, 0, 1)->session->remote.family, AF_INET6);
	sim_free(s);
}

static void converges_ordered(void **unused)
{
	struct sim *s = sim_new(3, ordered_settings);

	assert_true(sim_until(s, 5000, sim_converged));
	sim_free(s);
}

/* liberal retention: what another neighbour has told is there when the routes move */
static void link_failure_needs_no_message(void **unused)
{
	struct sim *s = sim_new(4, NULL);
	struct prefix fec = sim_fec(1, 0);
	struct ldp_fec *f;

	assert_true(sim_until(s, 3000, sim_converged));
	f = fec_find(s->node[0].ldp, &fec);
	assert_int_equal(f->way[0].ifindex, 1);
	sim_link_set(s, 0, false);
	assert_false(sim_up(s, 0, 1));
	sim_run(s, 320);
	f = fec_find(s->node[0].ldp, &fec);
	assert_int_equal(f->n_way, 1);
	assert_int_equal(f->way[0].ifindex, 5);
	assert_true(sim_until(s, 1000, sim_converged));
	sim_free(s);
}

/* one random life: links fail openly and silently, routers restart, sessions are cleared; then all is well again */
static uint64_t disturbed(unsigned int seed, struct ldp_settings (*settings)(int n), unsigned int *checks)
{
	struct sim *s = sim_new(seed, settings);
	bool graceful = settings == graceful_settings;
	uint64_t digest;
	int i, k;

	for (i = 0; i < 25; i++) {
		k = sim_random(s, SIM_LINKS);
		switch (sim_random(s, 6)) {
		case 0:
		case 1:
			sim_link_set(s, k, !s->link[k].up);
			break;
		case 2:
			sim_link_silent(s, k, !s->link[k].silent);
			break;
		case 3:
			k = sim_random(s, SIM_NODES);
			sim_node_stop(s, k, sim_random(s, 2));
			sim_run(s, sim_random(s, 4000));
			sim_node_start(s, k, graceful);
			break;
		case 4:
			ldp_clear(s->node[sim_random(s, SIM_NODES)].ldp, NULL);
			break;
		default:
			break;
		}
		sim_run(s, 10 + sim_random(s, 2500));
	}
	for (i = 0; i < SIM_LINKS; i++) {
		sim_link_set(s, i, true);
		sim_link_silent(s, i, false);
	}
	/* stale labels, and what neighbours have not released yet, need their time */
	sim_run(s, 90000);
	if (!sim_converged(s))
		fail_msg("seed %u does not converge", seed);
	digest = sim_digest(s);
	*checks += s->checks;
	sim_free(s);
	return digest;
}

static void orders_never_matter(struct ldp_settings (*settings)(int n))
{
	const char *wanted = getenv("LDP_SEEDS");
	unsigned int seed, checks = 0, seeds = wanted ? atoi(wanted) : SEEDS;
	struct sim *s = sim_new(99, settings);
	uint64_t calm, digest;

	sim_run(s, 90000);
	assert_true(sim_converged(s));
	calm = sim_digest(s);
	sim_free(s);
	for (seed = 1; seed <= seeds; seed++) {
		digest = disturbed(seed, settings, &checks);
		if (digest != calm)
			fail_msg("seed %u: ends otherwise than without disturbance", seed);
	}
	print_message("%u orders, invariants looked at %u times\n", seeds, checks);
}

static void orders_independent(void **unused)
{
	orders_never_matter(sim_settings);
}

static void orders_ordered(void **unused)
{
	orders_never_matter(ordered_settings);
}

static void orders_dual_stack_graceful(void **unused)
{
	orders_never_matter(graceful_settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(converges),
		cmocka_unit_test(converges_dual_stack),
		cmocka_unit_test(converges_ordered),
		cmocka_unit_test(link_failure_needs_no_message),
		cmocka_unit_test(orders_independent),
		cmocka_unit_test(orders_ordered),
		cmocka_unit_test(orders_dual_stack_graceful),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
