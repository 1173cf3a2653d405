// SPDX-License-Identifier: GPL-2.0
/* rooms: lib conf rib policy labels vrf bgp */
/*
 * What members of update groups believe, told over real sessions: policies that change, members that go over to another
 * group while their sessions last, alone or together, while routes come and go. What a peer believes is compared with
 * what a peer that comes anew under the same policy would be told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bgp/tests/far.h"

#define ROUTES 3000
#define SOURCE "192.168.0.2"

static int setup(void **unused)
{
	pe_up();
	fars_up();
	return 0;
}

static int teardown(void **unused)
{
	bgp_groups_end(bgp);
	fars_down();
	pe_down();
	return 0;
}

static char *text_of(uint32_t i)
{
	static char text[32];

	snprintf(text, sizeof(text), "10.20.%u.%u/32", i >> 8, i & 255);
	return text;
}

/* added to what chooses a route's target */
static uint32_t shift;

static uint32_t target_of(uint32_t i)
{
	return (i + shift) % 3;
}

/* The source announces, or withdraws, one. */
static void source_says(uint32_t i, bool there, uint32_t med)
{
	struct bgp_peer *p = peer("", SOURCE);
	uint8_t target[8] = { 0, 2, 0xfd, 0xf1 };	/* 65009:0, :1, :2 in turn */
	struct bgp_nlri n = { .label = 100 + i };
	union bgp_update_room room;
	struct bgp_update *u = &room.u;
	struct rd rd;

	memset(&room, 0, sizeof(room));
	n.prefix = P(text_of(i));
	assert_true(rd_parse("65000:9", &rd));
	memcpy(n.rd, rd.b, sizeof(n.rd));
	u->parts = 1;
	u->part[0].family = BGP_VPNV4;
	u->part[0].withdraw = !there;
	u->part[0].count = 1;
	u->part[0].nlri = &n;
	assert_true(addr_parse(SOURCE, &u->part[0].nexthop));
	u->attrs.f.flags = ATTRS_HAS_MED | ATTRS_HAS_LOCAL_PREF;
	u->attrs.f.med = med;
	u->attrs.f.local_pref = 100;
	target[7] = (uint8_t)target_of(i);
	u->attrs.part[ATTRS_EXT].data = target;
	u->attrs.part[ATTRS_EXT].len = sizeof(target);
	bgp_in_update(p, u);
}

/* odd ones have MED 1, even ones 0 */
static void source_says_all(void)
{
	for (uint32_t i = 0; i < ROUTES; i++)
		source_says(i, true, i & 1);
}

static void neighbor(unsigned int i, const char *policy)
{
	char *text = xasprintf("router bgp 65000\n neighbor 127.0.0.%u\n  remote-as 65000\n  port %u\n"
			       "  update-source 127.0.0.1\n  timers connect-retry 1\n  address-family vpnv4 unicast\n"
			       "   route-reflector-client\n   %s\n  !\n !\n!\n", i + 2, far_port, policy);

	take(text);
	free(text);
}

static unsigned int wanted_ups;

static bool all_up(void)
{
	unsigned int ups = 0, eors = 0;

	for (int i = 0; i < FARS; i++) {
		ups += far[i].ups;
		eors += far[i].eors;
	}
	return ups >= wanted_ups && eors >= wanted_ups;
}

static bool ups_alone(void)
{
	unsigned int ups = 0;

	for (int i = 0; i < FARS; i++)
		ups += far[i].ups;
	return ups >= wanted_ups;
}

static void start(unsigned int n, const char *policy)
{
	take("router bgp 65000\n router-id 10.0.0.1\n listen-port 1790\n neighbor " SOURCE "\n  remote-as 65000\n"
	     "  address-family vpnv4 unicast\n   route-reflector-client\n  !\n !\n!\n"
	     "route-policy ALL\n statement 10\n  action accept\n !\n!\n"
	     "route-policy ODD\n statement 10\n  match med eq 1\n  action accept\n !\n!\n"
	     "route-policy EVEN\n statement 10\n  match med eq 0\n  action accept\n !\n!\n"
	     "route-policy RAISED\n statement 10\n  match med eq 1\n  set local-preference 200\n  action accept\n !\n"
	     " statement 20\n  action accept\n !\n!\n");
	session_up(peer("", SOURCE), "192.168.0.1");
	for (unsigned int i = 0; i < n; i++) {
		far_make(i, 65000);
		neighbor(i, policy);
	}
	wanted_ups = n;
	run_until(all_up, "sessions");
}

enum rule { RULE_ALL, RULE_ODD, RULE_EVEN, RULE_RAISED, RULE_NONE };

static bool believed_there(enum rule rule, uint32_t med)
{
	return rule == RULE_ALL || rule == RULE_RAISED || (rule == RULE_ODD && med == 1) || (rule == RULE_EVEN && !med);
}

/* by net: 0 none, else 1 + MED */
static uint8_t source_has[ROUTES];
static enum rule rule_of[FARS];
static unsigned int n_fars;

/* the route targets that everybody wants, 0 all of them: else those below */
static uint32_t constraint;

static bool believes(const struct far *f, enum rule rule)
{
	for (uint32_t i = 0; i < ROUTES; i++) {
		const struct far_route *r = &f->route[i];
		uint32_t med = source_has[i] - 1u;
		bool there = source_has[i] && believed_there(rule, med) && (!constraint || target_of(i) < constraint);

		if (r->there != there)
			return false;
		if (there && (r->label != 100 + i || r->med != med ||
			      r->local_pref != (rule == RULE_RAISED && med == 1 ? 200 : 100)))
			return false;
	}
	return true;
}

static bool all_believe(void)
{
	for (unsigned int i = 0; i < n_fars; i++) {
		if (!believes(&far[i], rule_of[i]))
			return false;
	}
	return true;
}

static void remember_all(void)
{
	for (uint32_t i = 0; i < ROUTES; i++)
		source_has[i] = 1 + (i & 1);
}

static void count_anew(void)
{
	for (int i = 0; i < FARS; i++)
		far[i].announced = far[i].withdrawn = 0;
}

static unsigned int resets(void)
{
	unsigned int n = 0;

	for (int i = 0; i < FARS; i++)
		n += far[i].downs;
	return n;
}

static void begin(unsigned int n, const char *policy, enum rule rule)
{
	memset(source_has, 0, sizeof(source_has));
	constraint = 0;
	n_fars = n;
	for (unsigned int i = 0; i < n; i++)
		rule_of[i] = rule;
	start(n, policy);
	source_says_all();
	remember_all();
	run_until(all_believe, "the first load");
	count_anew();
}

/* One of three goes to a policy that nobody has, then to one that another has, and back. */
static void one_member_goes_over(void **unused)
{
	begin(3, "route-policy out ALL", RULE_ALL);
	neighbor(1, "route-policy out ODD");
	rule_of[1] = RULE_ODD;
	run_until(all_believe, "ALL to ODD");
	run_on(50);
	/* what it believed already is not told again; others hear nothing */
	assert_int_equal(far[1].withdrawn, ROUTES / 2);
	assert_int_equal(far[1].announced, 0);
	assert_int_equal(far[0].announced + far[0].withdrawn + far[2].announced + far[2].withdrawn, 0);
	count_anew();
	neighbor(2, "route-policy out ODD");
	rule_of[2] = RULE_ODD;
	run_until(all_believe, "the other to ODD");
	assert_ptr_equal(peer("", "127.0.0.3")->family[BGP_VPNV4].group,
			 peer("", "127.0.0.4")->family[BGP_VPNV4].group);
	count_anew();
	neighbor(1, "route-policy out RAISED");
	rule_of[1] = RULE_RAISED;
	run_until(all_believe, "ODD to RAISED");
	run_on(50);
	assert_int_equal(far[1].announced, ROUTES);
	assert_int_equal(far[1].withdrawn, 0);
	count_anew();
	neighbor(1, "no route-policy out");
	neighbor(2, "route-policy out ALL");
	rule_of[1] = rule_of[2] = RULE_ALL;
	run_until(all_believe, "back");
	assert_int_equal(far[1].withdrawn + far[2].withdrawn, 0);
	assert_int_equal(far[1].announced, ROUTES / 2);
	assert_int_equal(resets(), 0);
}

/* A neighbor-group's policy changes: they go together, or the group itself does. */
static void all_members_go_over(void **unused)
{
	begin(FARS, "route-policy out EVEN", RULE_EVEN);
	for (int i = 0; i < FARS; i++)
		rule_of[i] = RULE_RAISED;
	for (int i = 0; i < FARS; i++)
		neighbor((unsigned int)i, "route-policy out RAISED");
	run_until(all_believe, "all to RAISED");
	run_on(50);
	for (int i = 0; i < FARS; i++)
		assert_int_equal(far[i].announced, ROUTES / 2);
	assert_int_equal(resets(), 0);
}

/* Routes come and go while members are on their way. */
static void while_routes_change(void **unused)
{
	static const char *const policies[] = {
		"route-policy out ALL", "route-policy out ODD", "route-policy out EVEN", "route-policy out RAISED",
	};
	unsigned int seed = 1;

	begin(4, "route-policy out ALL", RULE_ALL);
	for (int round = 0; round < 12; round++) {
		unsigned int who = rand_r(&seed) % 4, what = rand_r(&seed) % 4;

		neighbor(who, policies[what]);
		rule_of[who] = what;
		for (int k = 0; k < 200; k++) {
			uint32_t i = (uint32_t)rand_r(&seed) % ROUTES, med = rand_r(&seed) & 1;

			source_has[i] = rand_r(&seed) % 3 ? 1 + med : 0;
			source_says(i, source_has[i], med);
			if (!(k % 16))
				jobs_run(env.jobs, 1);
		}
		if (round & 1)
			run_until(all_believe, "in between");
	}
	run_until(all_believe, "at the end");
}

/* A session that ends while its peer is on its way, with and without others that go on. */
static void sessions_end_on_the_way(void **unused)
{
	begin(3, "route-policy out ALL", RULE_ALL);
	neighbor(0, "route-policy out ODD");
	neighbor(1, "route-policy out ODD");
	bgp_session_reset(far[0].s, BGP_CEASE_RESET);
	rule_of[0] = rule_of[1] = RULE_ODD;
	run_until(all_believe, "one lost on the way");
	neighbor(0, "route-policy out ALL");
	neighbor(1, "route-policy out EVEN");
	bgp_session_reset(far[0].s, BGP_CEASE_RESET);
	bgp_session_reset(far[1].s, BGP_CEASE_RESET);
	rule_of[0] = RULE_ALL;
	rule_of[1] = RULE_EVEN;
	run_until(all_believe, "both lost on the way");
	/* and whoever stays is right as well when routes change later */
	source_has[7] = 0;
	source_says(7, false, 0);
	run_until(all_believe, "afterwards");
}

/* A policy's content changes: its group alone speaks, and only of what differs. */
static void a_policy_changes(void **unused)
{
	begin(3, "route-policy out ALL", RULE_ALL);
	neighbor(2, "route-policy out ODD");
	rule_of[2] = RULE_ODD;
	run_until(all_believe, "ODD");
	count_anew();
	take("route-policy ODD\n statement 20\n  match med eq 0\n  action accept\n !\n!\n");
	rule_of[2] = RULE_ALL;
	run_until(all_believe, "ODD and the rest");
	run_on(50);
	assert_int_equal(far[2].announced, ROUTES / 2);
	assert_int_equal(far[0].announced + far[1].announced, 0);
	assert_int_equal(resets(), 0);
}

static bool refreshed(void)
{
	return far[0].refreshes && far[2].refreshes;
}

/* Inwards: those who are under it are asked for their routes again. */
static void refresh_of_who_uses_it(void **unused)
{
	begin(3, "route-policy in ALL", RULE_ALL);
	neighbor(1, "route-policy in ODD");
	run_on(50);
	assert_int_equal(far[1].refreshes, 1);
	assert_int_equal(far[0].refreshes + far[2].refreshes, 0);
	take("route-policy ALL\n statement 10\n  set local-preference 50\n !\n!\n");
	run_until(refreshed, "refresh");
	run_on(50);
	assert_int_equal(far[1].refreshes, 1);
	assert_int_equal(resets(), 0);
}

static void want(unsigned int who, uint32_t target, bool wants)
{
	struct bgp_rtc m = { .as = 65000, .len = 96, .rt = { 0, 2, 0xfd, 0xf1, 0, 0, 0, (uint8_t)target } };
	char address[16];

	snprintf(address, sizeof(address), "127.0.0.%u", who + 2);
	if (wants)
		bgp_rtc_announced(peer("", address), &m);
	else
		bgp_rtc_withdrawn(peer("", address), &m);
}

/* Routes get other route targets: who wants the new one hears of them, who wanted the old one that they are gone. */
static void routes_change_their_targets(void **unused)
{
	far_constrained = true;
	begin(0, "", RULE_ALL);
	n_fars = 2;
	constraint = 1;
	for (unsigned int i = 0; i < 2; i++) {
		far_make(i, 65000);
		neighbor(i, "route-policy out ALL\n  !\n  address-family ipv4 rt-filter");
		rule_of[i] = RULE_ALL;
	}
	wanted_ups = 2;
	run_until(ups_alone, "sessions");
	run_on(50);
	/* nothing goes out before they have said what they want */
	assert_int_equal(far[0].announced + far[1].announced, 0);
	for (unsigned int i = 0; i < 2; i++) {
		char address[16];

		snprintf(address, sizeof(address), "127.0.0.%u", i + 2);
		want(i, 0, true);
		bgp_rtc_complete(peer("", address));
	}
	run_until(all_believe, "one target");
	count_anew();
	shift = 1;
	source_says_all();
	run_until(all_believe, "other targets");
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(far[i].announced, ROUTES / 3);
		assert_int_equal(far[i].withdrawn, ROUTES / 3);
	}
	shift = 0;
	far_constrained = false;
}

/* Members that want some route targets alone (RFC 4684), and change their minds on the way. */
static void constrained_members_go_over(void **unused)
{
	far_constrained = true;
	begin(0, "", RULE_ALL);
	n_fars = 3;
	constraint = 2;
	for (unsigned int i = 0; i < 3; i++) {
		far_make(i, 65000);
		neighbor(i, "route-policy out ALL\n  !\n  address-family ipv4 rt-filter");
		rule_of[i] = RULE_ALL;
	}
	wanted_ups = 3;
	run_until(ups_alone, "sessions");
	for (unsigned int i = 0; i < 3; i++) {
		char address[16];

		snprintf(address, sizeof(address), "127.0.0.%u", i + 2);
		want(i, 0, true);
		want(i, 1, true);
		bgp_rtc_complete(peer("", address));
	}
	run_until(all_believe, "two targets");
	count_anew();
	neighbor(1, "route-policy out ODD");
	rule_of[1] = RULE_ODD;
	run_until(all_believe, "ALL to ODD");
	assert_int_equal(far[1].announced, 0);
	neighbor(2, "route-policy out ODD");
	rule_of[2] = RULE_ODD;
	for (unsigned int i = 0; i < 3; i++)
		want(i, 1, false);
	constraint = 1;
	run_until(all_believe, "one target, on the way");
	neighbor(1, "route-policy out EVEN");
	rule_of[1] = RULE_EVEN;
	for (unsigned int i = 0; i < 3; i++) {
		want(i, 1, true);
		want(i, 2, true);
	}
	constraint = 3;
	run_until(all_believe, "all targets, on the way");
	assert_int_equal(resets(), 0);
	far_constrained = false;
}

static bool first_down(void)
{
	return far[0].downs;
}

static unsigned int ups_before;

static bool first_up_again(void)
{
	return far[0].ups > ups_before;
}

/* The first one says all that it wants: targets below @most. */
static void says_what_it_wants(uint32_t most)
{
	struct bgp_peer *p = peer("", "127.0.0.2");
	union bgp_update_room room;
	struct bgp_update *u = &room.u;
	struct bgp_nlri n;

	for (uint32_t target = 0; target <= most; target++) {
		memset(&room, 0, sizeof(room));
		memset(&n, 0, sizeof(n));
		n.rtc = (struct bgp_rtc){ .as = 65000, .len = 96, .rt = { 0, 2, 0xfd, 0xf1 } };
		n.rtc.rt[7] = (uint8_t)target;
		u->parts = target < most;
		u->part[0].family = BGP_RTC;
		u->part[0].count = 1;
		u->part[0].nlri = &n;
		u->part[0].nexthop = addr_v4(0x7f000002);
		u->attrs.f.flags = ATTRS_HAS_LOCAL_PREF;
		u->eor[BGP_RTC] = target == most;
		bgp_in_update(p, u);
	}
}

static bool first_is_heard(void)
{
	return far[0].ups > ups_before && peer("", "127.0.0.2")->up;
}

static bool first_is_missed(void)
{
	return peer("", "127.0.0.2")->family[BGP_RTC].stale;
}

/*
 * It restarts, and says what it wants only when it has heard everybody: meanwhile it gets what it wanted before.
 * Afterwards what it wants no more is withdrawn.
 */
static void constrained_member_restarts(void **unused)
{
	struct bgp_caps caps;
	struct bgp_peer *p;

	far_constrained = true;
	far_keeps = true;
	caps = far_caps(65000, true);
	begin(0, "", RULE_ALL);
	n_fars = 1;
	far_make(0, 65000);
	neighbor(0, "route-policy out ALL\n  !\n  address-family ipv4 rt-filter");
	rule_of[0] = RULE_ALL;
	ups_before = 0;
	run_until(first_is_heard, "session");
	p = peer("", "127.0.0.2");
	says_what_it_wants(2);
	constraint = 2;
	run_until(all_believe, "two targets");
	ups_before = far[0].ups;
	bgp_session_abandon(far[0].s);
	run_until(first_is_missed, "it is missed");
	bgp_session_set_caps(far[0].s, &caps);
	bgp_session_start(far[0].s);
	run_until(first_is_heard, "it is back");
	run_until(all_believe, "what it wanted before");
	assert_true(p->family[BGP_RTC].stale);
	says_what_it_wants(1);
	constraint = 1;
	run_until(all_believe, "what it wants now");
	assert_false(p->family[BGP_RTC].stale);
	assert_int_equal(bgp_rtc_count(p), 1);
	/* who comes anew without having restarted says at once what it wants: nobody guesses */
	caps.gr_restarting = false;
	ups_before = far[0].ups;
	bgp_session_abandon(far[0].s);
	run_until(first_is_missed, "it is missed again");
	bgp_session_set_caps(far[0].s, &caps);
	bgp_session_start(far[0].s);
	run_until(first_is_heard, "it is back again");
	run_on(100);
	assert_int_equal(bgp_rtc_count(p), 0);
	assert_false(far[0].route[0].there);
	far_constrained = false;
	far_keeps = false;
}

/* Too many routes: the peer hears why its session ends, which stays down until somebody clears it. */
static void too_many(void **unused)
{
	struct bgp_peer *p;

	n_fars = 1;
	start(1, "maximum-prefix 3");
	p = peer("", "127.0.0.2");
	for (uint32_t i = 0; i < 3; i++)
		far_tell(&far[0], text_of(i), NULL, 0);
	run_on(100);
	assert_int_equal(p->family[BGP_VPNV4].source.count, 3);
	assert_int_equal(far[0].downs, 0);
	far_tell(&far[0], text_of(3), NULL, 0);
	run_until(first_down, "Cease");
	assert_non_null(strstr(far[0].why, "Maximum Number of Prefixes"));
	ups_before = far[0].ups;
	run_on(2500);
	assert_int_equal(far[0].ups, ups_before);
	assert_int_equal(p->family[BGP_VPNV4].source.count, 0);
	bgp_limit_clear(p);
	run_until(first_up_again, "up again");
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(one_member_goes_over),
		test(all_members_go_over),
		test(while_routes_change),
		test(sessions_end_on_the_way),
		test(a_policy_changes),
		test(refresh_of_who_uses_it),
		test(constrained_members_go_over),
		test(routes_change_their_targets),
		test(constrained_member_restarts),
		test(too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
