// SPDX-License-Identifier: GPL-2.0
/* rooms: lib vrf */
/* What follows from the models and maps of a VRF and of all: every combination, against the rules as words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "vrf/tunnel.h"

static const uint8_t said[] = { TUNNEL_UNSET, 0, 1 };

static struct tunnel_settings make(uint8_t model, uint8_t propagate)
{
	struct tunnel_settings s;

	tunnel_settings_init(&s);
	s.model = model;
	s.propagate = propagate;
	return s;
}

/* In the order in which they count: the VRF's ttl-propagate, its model, that of all, their model, yes. */
static uint8_t ttl_wanted(const struct tunnel_settings *own, const struct tunnel_settings *all)
{
	const struct tunnel_settings *const order[] = { own, all };
	int i;

	for (i = 0; i < 2; i++) {
		if (order[i]->propagate == 1 || (order[i]->propagate != 0 && order[i]->model == TUNNEL_UNIFORM))
			return TUNNEL_UNIFORM;
		if (order[i]->propagate == 0 || order[i]->model != TUNNEL_NONE)
			return TUNNEL_PIPE;
	}
	return TUNNEL_UNIFORM;
}

static void models(void **state)
{
	int own_model, all_model, a, b;
	struct tunnel t;

	for (own_model = TUNNEL_NONE; own_model <= TUNNEL_SHORT_PIPE; own_model++)
		for (all_model = TUNNEL_NONE; all_model <= TUNNEL_SHORT_PIPE; all_model++)
			for (a = 0; a < 3; a++)
				for (b = 0; b < 3; b++) {
					struct tunnel_settings own = make(own_model, said[a]);
					struct tunnel_settings all = make(all_model, said[b]);

					tunnel_resolve(&own, &all, &t);
					assert_int_equal(t.ttl_model, ttl_wanted(&own, &all));
					assert_int_equal(t.tc_model, own_model ? own_model :
							 all_model ? all_model : TUNNEL_SHORT_PIPE);
				}
}

static void maps(void **state)
{
	struct tunnel_settings own = make(TUNNEL_NONE, TUNNEL_UNSET), all = own;
	struct tunnel t;

	all.dscp_tc[46] = 3;
	all.dscp_tc[10] = 4;
	own.dscp_tc[46] = 0;
	own.tc_dscp[7] = 0;
	all.tc_dscp[7] = 63;
	all.tc_dscp[1] = 9;
	tunnel_resolve(&own, &all, &t);
	assert_int_equal(t.dscp_tc[46], 0);
	assert_int_equal(t.dscp_tc[10], 4);
	assert_int_equal(t.dscp_tc[0], 0);
	assert_int_equal(t.dscp_tc[63], 7);
	assert_int_equal(t.tc_dscp[7], 0);
	assert_int_equal(t.tc_dscp[1], 9);
	assert_int_equal(t.tc_dscp[5], 40);
}

static void names(void **state)
{
	assert_string_equal(tunnel_model_str(TUNNEL_UNIFORM), "uniform");
	assert_string_equal(tunnel_model_str(TUNNEL_SHORT_PIPE), "short-pipe");
	assert_string_equal(tunnel_model_str(9), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(models),
		cmocka_unit_test(maps),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
