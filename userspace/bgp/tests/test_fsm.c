// SPDX-License-Identifier: GPL-2.0
/* rooms: lib rib policy bgp */
/*
 * The state machine's table against RFC 4271 8.2.2, every state with every event. The expected
 * table is written down here once more, by state and kind of answer, not by the rows of fsm.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bgp/fsm.h"
#include "lib/mem.h"

static const enum bgp_event starts[] = {
	BGP_EV_MANUAL_START, BGP_EV_AUTO_START, BGP_EV_MANUAL_START_PASSIVE,
	BGP_EV_AUTO_START_PASSIVE, BGP_EV_DAMPED_START, BGP_EV_DAMPED_START_PASSIVE,
};

static const enum bgp_event messages[] = {
	BGP_EV_OPEN, BGP_EV_HEADER_ERR, BGP_EV_OPEN_ERR, BGP_EV_NOTIF_VERSION, BGP_EV_NOTIF,
	BGP_EV_KEEPALIVE, BGP_EV_UPDATE, BGP_EV_UPDATE_ERR, BGP_EV_REFRESH,
};

static bool ignored(enum bgp_state s, enum bgp_event e)
{
	struct bgp_rule r = bgp_fsm_rule(s, e);

	return r.next == s && !r.actions;
}

static bool is_start(enum bgp_event e)
{
	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		if (starts[i] == e)
			return true;
	}
	return false;
}

/* In Idle nothing counts but starts and the pause's end. */
static void idle(void **state)
{
	for (int e = 0; e < BGP_EVENTS; e++) {
		struct bgp_rule r = bgp_fsm_rule(BGP_IDLE, e);
		bool passive = e == BGP_EV_MANUAL_START_PASSIVE || e == BGP_EV_AUTO_START_PASSIVE ||
			       e == BGP_EV_DAMPED_START_PASSIVE;

		if (is_start(e)) {
			assert_int_equal(r.next, passive ? BGP_ACTIVE : BGP_CONNECT);
			assert_true(r.actions & BGP_DO_RETRY_START);
			assert_int_equal(!!(r.actions & BGP_DO_CONNECT), !passive);
			/* damping: the counter lives on */
			assert_int_equal(!!(r.actions & BGP_DO_RETRY_ZERO),
					 e != BGP_EV_DAMPED_START &&
					 e != BGP_EV_DAMPED_START_PASSIVE);
		} else if (e == BGP_EV_IDLE_HOLD) {
			assert_int_equal(r.next, BGP_IDLE);
			assert_int_equal(r.actions, BGP_DO_RESTART);
		} else {
			assert_true(ignored(BGP_IDLE, e));
		}
	}
}

static void starts_ignored_elsewhere(void **state)
{
	for (int s = BGP_CONNECT; s < BGP_STATES; s++) {
		for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
			assert_true(ignored(s, starts[i]));
		/* a further connection of the peer runs on its own (6.8) */
		assert_true(ignored(s, BGP_EV_TCP_VALID));
		assert_true(ignored(s, BGP_EV_TCP_INVALID));
	}
	for (int s = BGP_OPENSENT; s < BGP_STATES; s++) {
		assert_true(ignored(s, BGP_EV_TCP_ACKED));
		assert_true(ignored(s, BGP_EV_TCP_CONFIRMED));
	}
}

static void stops(void **state)
{
	for (int s = BGP_CONNECT; s < BGP_STATES; s++) {
		struct bgp_rule manual = bgp_fsm_rule(s, BGP_EV_MANUAL_STOP);
		struct bgp_rule automatic = bgp_fsm_rule(s, BGP_EV_AUTO_STOP);
		bool talking = s >= BGP_OPENSENT;

		assert_int_equal(manual.next, BGP_IDLE);
		assert_int_equal(automatic.next, BGP_IDLE);
		assert_int_equal(!!(manual.actions & BGP_DO_NOTIFY_ERR), talking);
		assert_int_equal(!!(automatic.actions & BGP_DO_NOTIFY_ERR), talking);
		assert_true(manual.actions & BGP_DO_RETRY_ZERO);
		assert_false(manual.actions & (BGP_DO_RETRY_INC | BGP_DO_IDLE_HOLD));
		assert_true(automatic.actions & BGP_DO_RETRY_INC);
		assert_true(automatic.actions & BGP_DO_IDLE_HOLD);
		assert_int_equal(!!(manual.actions & BGP_DO_DOWN), s == BGP_ESTABLISHED);
		assert_int_equal(!!(automatic.actions & BGP_DO_DOWN), s == BGP_ESTABLISHED);
	}
}

static void connecting(void **state)
{
	static const enum bgp_state before[] = { BGP_CONNECT, BGP_ACTIVE };

	for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
		struct bgp_rule r = bgp_fsm_rule(before[i], BGP_EV_TCP_ACKED);

		assert_int_equal(r.next, BGP_OPENSENT);
		assert_int_equal(r.actions, BGP_DO_RETRY_STOP | BGP_DO_OPEN | BGP_DO_HOLD_LARGE);
		r = bgp_fsm_rule(before[i], BGP_EV_TCP_CONFIRMED);
		assert_int_equal(r.next, BGP_OPENSENT);
		r = bgp_fsm_rule(before[i], BGP_EV_CONNECT_RETRY);
		assert_int_equal(r.next, BGP_CONNECT);
		assert_true(r.actions & BGP_DO_CONNECT && r.actions & BGP_DO_RETRY_START);
		for (size_t m = 0; m < ARRAY_SIZE(messages); m++) {
			r = bgp_fsm_rule(before[i], messages[m]);
			assert_int_equal(r.next, BGP_IDLE);
			assert_true(r.actions & BGP_DO_DROP);
			assert_false(r.actions & (BGP_DO_NOTIFY_ERR | BGP_DO_NOTIFY_FSM));
		}
	}
	assert_int_equal(bgp_fsm_rule(BGP_CONNECT, BGP_EV_TCP_FAILS).next, BGP_ACTIVE);
	assert_int_equal(bgp_fsm_rule(BGP_ACTIVE, BGP_EV_TCP_FAILS).next, BGP_IDLE);
	assert_int_equal(bgp_fsm_rule(BGP_OPENSENT, BGP_EV_TCP_FAILS).next, BGP_ACTIVE);
}

/* The one way up, and what each step does. */
static void way_up(void **state)
{
	struct bgp_rule r = bgp_fsm_rule(BGP_OPENSENT, BGP_EV_OPEN);

	assert_int_equal(r.next, BGP_OPENCONFIRM);
	assert_int_equal(r.actions, BGP_DO_RETRY_STOP | BGP_DO_KEEPALIVE | BGP_DO_HOLD);
	r = bgp_fsm_rule(BGP_OPENCONFIRM, BGP_EV_KEEPALIVE);
	assert_int_equal(r.next, BGP_ESTABLISHED);
	assert_int_equal(r.actions, BGP_DO_HOLD | BGP_DO_UP);
	for (int s = 0; s < BGP_STATES; s++) {
		for (int e = 0; e < BGP_EVENTS; e++) {
			r = bgp_fsm_rule(s, e);
			if (r.next == BGP_ESTABLISHED && s != BGP_ESTABLISHED) {
				assert_int_equal(s, BGP_OPENCONFIRM);
				assert_int_equal(e, BGP_EV_KEEPALIVE);
			}
			assert_int_equal(!!(r.actions & BGP_DO_UP),
					 s == BGP_OPENCONFIRM && e == BGP_EV_KEEPALIVE);
			/* routes go exactly when Established is left */
			assert_int_equal(!!(r.actions & BGP_DO_DOWN),
					 s == BGP_ESTABLISHED && r.next != BGP_ESTABLISHED);
			assert_true(!(r.actions & BGP_DO_DELIVER) || s == BGP_ESTABLISHED);
		}
	}
}

/* DelayOpen: connected, and nothing is said; then OPEN, because it is time or the peer said its own. */
static void delay_open(void **state)
{
	static const enum bgp_state waiting[] = { BGP_CONNECT, BGP_ACTIVE };

	for (size_t i = 0; i < ARRAY_SIZE(waiting); i++) {
		struct bgp_rule r = bgp_fsm_rule(waiting[i], BGP_EV_TCP_DELAYED);

		assert_int_equal(r.next, waiting[i]);
		assert_int_equal(r.actions, BGP_DO_RETRY_STOP | BGP_DO_DELAY);
		r = bgp_fsm_rule(waiting[i], BGP_EV_DELAY_OPEN);
		assert_int_equal(r.next, BGP_OPENSENT);
		assert_int_equal(r.actions, bgp_fsm_rule(waiting[i], BGP_EV_TCP_ACKED).actions);
		r = bgp_fsm_rule(waiting[i], BGP_EV_OPEN_DELAYED);
		assert_int_equal(r.next, BGP_OPENCONFIRM);
		assert_int_equal(r.actions, BGP_DO_RETRY_STOP | BGP_DO_OPEN | BGP_DO_KEEPALIVE | BGP_DO_HOLD);
		/* the counter does not count it */
		r = bgp_fsm_rule(waiting[i], BGP_EV_NOTIF_VERSION_DELAYED);
		assert_int_equal(r.next, BGP_IDLE);
		assert_false(r.actions & BGP_DO_RETRY_INC);
	}
	assert_true(ignored(BGP_IDLE, BGP_EV_DELAY_OPEN) && ignored(BGP_IDLE, BGP_EV_OPEN_DELAYED));
	for (int s = BGP_OPENSENT; s < BGP_STATES; s++) {
		assert_true(bgp_fsm_rule(s, BGP_EV_DELAY_OPEN).actions & BGP_DO_NOTIFY_FSM);
		assert_true(bgp_fsm_rule(s, BGP_EV_OPEN_DELAYED).actions & BGP_DO_NOTIFY_FSM);
		assert_true(ignored(s, BGP_EV_TCP_DELAYED));
	}
	for (int s = 0; s < BGP_STATES; s++) {
		for (int e = 0; e < BGP_EVENTS; e++)
			assert_int_equal(!!(bgp_fsm_rule(s, e).actions & BGP_DO_DELAY),
					 e == BGP_EV_TCP_DELAYED && (s == BGP_CONNECT || s == BGP_ACTIVE));
	}
}

/* What a talking connection answers to what does not belong. */
static void wrong_events(void **state)
{
	static const enum bgp_event fsm_error[][5] = {
		[BGP_OPENSENT] = { BGP_EV_CONNECT_RETRY, BGP_EV_KEEPALIVE, BGP_EV_UPDATE,
				   BGP_EV_UPDATE_ERR, BGP_EV_REFRESH },
		[BGP_OPENCONFIRM] = { BGP_EV_CONNECT_RETRY, BGP_EV_OPEN, BGP_EV_UPDATE,
				      BGP_EV_UPDATE_ERR, BGP_EV_REFRESH },
		[BGP_ESTABLISHED] = { BGP_EV_CONNECT_RETRY, BGP_EV_OPEN, BGP_EV_OPEN_ERR,
				      BGP_EV_IDLE_HOLD, BGP_EV_IDLE_HOLD },
	};
	static const enum bgp_event told[] = { BGP_EV_HOLD, BGP_EV_HEADER_ERR, BGP_EV_COLLISION };
	static const enum bgp_event silent[] = { BGP_EV_NOTIF, BGP_EV_NOTIF_VERSION };

	for (int s = BGP_OPENSENT; s < BGP_STATES; s++) {
		for (size_t i = 0; i < 5; i++) {
			struct bgp_rule r = bgp_fsm_rule(s, fsm_error[s][i]);

			assert_int_equal(r.next, BGP_IDLE);
			assert_true(r.actions & BGP_DO_NOTIFY_FSM);
			assert_true(r.actions & BGP_DO_DROP && r.actions & BGP_DO_RETRY_INC);
		}
		for (size_t i = 0; i < ARRAY_SIZE(told); i++) {
			struct bgp_rule r = bgp_fsm_rule(s, told[i]);

			assert_int_equal(r.next, BGP_IDLE);
			assert_true(r.actions & BGP_DO_NOTIFY_ERR && r.actions & BGP_DO_DROP);
		}
		for (size_t i = 0; i < ARRAY_SIZE(silent); i++) {
			struct bgp_rule r = bgp_fsm_rule(s, silent[i]);

			assert_int_equal(r.next, BGP_IDLE);
			assert_false(r.actions & (BGP_DO_NOTIFY_ERR | BGP_DO_NOTIFY_FSM));
		}
	}
	assert_true(bgp_fsm_rule(BGP_ESTABLISHED, BGP_EV_UPDATE_ERR).actions & BGP_DO_NOTIFY_ERR);
	assert_int_equal(bgp_fsm_rule(BGP_ESTABLISHED, BGP_EV_UPDATE).actions,
			 BGP_DO_HOLD | BGP_DO_DELIVER);
	assert_int_equal(bgp_fsm_rule(BGP_ESTABLISHED, BGP_EV_KEEPALIVE).actions, BGP_DO_HOLD);
	for (int s = BGP_OPENCONFIRM; s < BGP_STATES; s++)
		assert_int_equal(bgp_fsm_rule(s, BGP_EV_KEEPALIVE_TIMER).actions, BGP_DO_KEEPALIVE);
}

/* Whoever falls to Idle has closed, stopped the retry timer, and comes back or was stopped. */
static void falls_are_clean(void **state)
{
	for (int s = BGP_CONNECT; s < BGP_STATES; s++) {
		for (int e = 0; e < BGP_EVENTS; e++) {
			struct bgp_rule r = bgp_fsm_rule(s, e);

			if (r.next != BGP_IDLE)
				continue;
			assert_true(r.actions & BGP_DO_DROP);
			assert_true(r.actions & BGP_DO_RETRY_STOP);
			assert_true(e == BGP_EV_MANUAL_STOP || r.actions & BGP_DO_IDLE_HOLD);
		}
	}
}

static void names_and_bounds(void **state)
{
	for (int s = 0; s < BGP_STATES; s++)
		assert_string_not_equal(bgp_state_name(s), "unknown");
	assert_string_equal(bgp_state_name(BGP_STATES), "unknown");
	assert_string_equal(bgp_event_name(BGP_EVENTS), "unknown");
	assert_int_equal(bgp_fsm_rule(BGP_STATES, 1).next, BGP_IDLE);
	assert_int_equal(bgp_fsm_rule(BGP_ACTIVE, BGP_EVENTS).actions, 0);
}

/* RFC 9687 section 3: like the hold timer, with an error of its own. */
static void send_hold(void **state)
{
	for (int s = 0; s < BGP_STATES; s++) {
		struct bgp_rule hold = bgp_fsm_rule(s, BGP_EV_HOLD), send = bgp_fsm_rule(s, BGP_EV_SEND_HOLD);

		assert_int_equal(hold.actions, send.actions);
		assert_int_equal(hold.next, send.next);
	}
	assert_true(bgp_fsm_rule(BGP_ESTABLISHED, BGP_EV_SEND_HOLD).actions & BGP_DO_NOTIFY_ERR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(send_hold), cmocka_unit_test(idle), cmocka_unit_test(starts_ignored_elsewhere),
		cmocka_unit_test(stops), cmocka_unit_test(connecting), cmocka_unit_test(way_up),
		cmocka_unit_test(delay_open), cmocka_unit_test(wrong_events), cmocka_unit_test(falls_are_clean),
		cmocka_unit_test(names_and_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
