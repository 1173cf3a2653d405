// SPDX-License-Identifier: GPL-2.0
/* rooms: lib conf rib policy labels vrf bgp */
/*
 * Which VPN routes of neighbours are kept (retain.h): those that VRFs import, whatever the order in which imports,
 * sessions and routes come and go; what comes back when it is asked for, over real sessions; when all are kept.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bgp/tests/far.h"

#define PE2 "192.168.0.2"
#define PE3 "192.168.0.3"

/* 65000:1 is RED's; 65000:2, :3 nobody's at first */
static const uint8_t t1[8] = { 0, 2, 0xfd, 0xe8, 0, 0, 0, 1 }, t2[8] = { 0, 2, 0xfd, 0xe8, 0, 0, 0, 2 };
static const uint8_t t12[16] = { 0, 2, 0xfd, 0xe8, 0, 0, 0, 1, 0, 2, 0xfd, 0xe8, 0, 0, 0, 2 };
static const uint8_t t23[16] = { 0, 2, 0xfd, 0xe8, 0, 0, 0, 2, 0, 2, 0xfd, 0xe8, 0, 0, 0, 3 };

/* An LSP to the other PEs. */
static void reach(const char *pe)
{
	struct lsp_path path = { .owner = RIB_PROTO_STATIC, .name = "p", .weight = 1, .n_labels = 1, .labels = { 77 } };
	struct prefix fec;

	assert_true(addr_parse(pe, &path.gateway));
	fec = prefix_host(&path.gateway);
	lsp_announce(rib_nht(env.rib), &fec, &path);
}

static int setup(void **unused)
{
	pe_up();
	reach(PE2);
	reach(PE3);
	fars_up();
	far_constrained = false;
	return 0;
}

static int teardown(void **unused)
{
	/* what was imported goes before those who told it */
	take("no router bgp\n");
	bgp_groups_end(bgp);
	fars_down();
	pe_down();
	return 0;
}

#define NEIGHBOR(address, more) \
	" neighbor " address "\n  remote-as 65000\n  address-family vpnv4 unicast\n" more "  !\n !\n"
#define BGP(more) "router bgp 65000\n router-id 10.0.0.1\n listen-port 1790\n" more "!\n"
#define BLUE(rt) "vrf BLUE\n rd 65000:2\n address-family ipv4 unicast\n  import route-target " rt "\n !\n!\n"

static void start(const char *text)
{
	take(text);
	session_up(peer("", PE2), "192.168.0.1");
}

static void pe_tells(const char *pe, const char *prefix, const uint8_t *ext, uint16_t len)
{
	const struct telling t = {
		.prefix = prefix, .nexthop = pe, .rd = "65000:9", .label = 100, .ext = ext, .ext_len = len,
	};

	tell(peer("", pe), BGP_VPNV4, &t);
}

static struct bgp_peer_family *vpn(const char *pe)
{
	return &peer("", pe)->family[BGP_VPNV4];
}

static uint32_t refused(const char *pe)
{
	return vpn(pe)->refused[BGP_REFUSED_TARGETS];
}

static bool kept(const char *prefix)
{
	return vpn_best("65000:9", prefix);
}

static struct rib_route *blue_best(const char *prefix)
{
	return best_in(vrf_find(env.vrfs, "BLUE")->af[AFI4].table, NULL, prefix);
}

static void what_is_imported(void **unused)
{
	struct bgp_refusal r;

	start(BGP(NEIGHBOR(PE2, "")));
	pe_tells(PE2, "10.1.0.0/16", t1, 8);
	pe_tells(PE2, "10.2.0.0/16", t2, 8);
	pe_tells(PE2, "10.12.0.0/16", t12, 16);
	pe_tells(PE2, "10.23.0.0/16", t23, 16);
	pe_tells(PE2, "10.4.0.0/16", NULL, 0);
	assert_true(kept("10.1.0.0/16") && kept("10.12.0.0/16"));
	assert_false(kept("10.2.0.0/16") || kept("10.23.0.0/16") || kept("10.4.0.0/16"));
	assert_non_null(red_best("10.12.0.0/16"));
	assert_int_equal(refused(PE2), 3);
	assert_true(bgp_refusal_at(vpn(PE2), 2, &r));
	assert_int_equal(r.why, BGP_REFUSED_TARGETS);
	assert_int_equal(bgp_retain_why(vpn(PE2)), BGP_KEPT_IMPORTED);

	/* the same prefix with another target: the one that was kept is gone */
	pe_tells(PE2, "10.1.0.0/16", t2, 8);
	assert_false(kept("10.1.0.0/16"));
	assert_null(red_best("10.1.0.0/16"));
	pe_tells(PE2, "10.1.0.0/16", t1, 8);
	assert_non_null(red_best("10.1.0.0/16"));
}

/* The targets that count are those that the policy leaves. */
static void what_a_policy_makes_of_it(void **unused)
{
	start("extcommunity-set ONE\n rt 65000:1\n!\nroute-policy P\n statement 10\n  match prefix-set P2\n"
	      "  set extcommunity replace ONE\n  action accept\n !\n statement 20\n  action accept\n !\n!\n"
	      "prefix-set P2\n prefix 10.2.0.0/16\n!\n"
	      BGP(NEIGHBOR(PE2, "   route-policy in P\n")));
	pe_tells(PE2, "10.2.0.0/16", t2, 8);
	pe_tells(PE2, "10.3.0.0/16", t2, 8);
	assert_non_null(red_best("10.2.0.0/16"));
	assert_false(kept("10.3.0.0/16"));
	assert_int_equal(refused(PE2), 1);
}

/* ---- imports that go ---- */

static void an_import_goes(void **unused)
{
	char text[32];

	take(BLUE("65000:2"));
	start(BGP(NEIGHBOR(PE2, "")));
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "10.20.%d.%d/32", i / 256, i % 256);
		pe_tells(PE2, text, i % 2 ? t2 : t1, 8);
	}
	pe_tells(PE2, "10.12.0.0/16", t12, 16);
	assert_int_equal(vpn(PE2)->source.count, 1001);
	take("no vrf BLUE\n");
	assert_int_equal(vpn(PE2)->source.count, 501);
	assert_int_equal(refused(PE2), 500);
	assert_non_null(red_best("10.12.0.0/16"));
	assert_non_null(red_best("10.20.0.2/32"));
}

/* What another VRF imports too stays; what we export ourselves is not told by anybody. */
static void who_else_has_it(void **unused)
{
	take(BLUE("65000:1"));
	take(BLUE("65000:3"));
	start(BGP(NEIGHBOR(PE2, "")
		  " bgp unsafe-ebgp-policy\n vrf RED\n  neighbor 10.1.1.2\n   remote-as 65010\n"
		  "   address-family ipv4 unicast\n   !\n  !\n !\n"));
	session_up(peer("RED", "10.1.1.2"), "10.1.1.1");
	ce_tells("10.1.1.2", "10.5.0.0/16");
	pe_tells(PE2, "10.1.0.0/16", t1, 8);
	assert_non_null(vpn_best("65000:1", "10.5.0.0/16"));
	take("vrf RED\n address-family ipv4 unicast\n  no import route-target 65000:1\n !\n!\n");
	assert_true(kept("10.1.0.0/16"));
	assert_int_equal(refused(PE2), 0);
	take("vrf BLUE\n address-family ipv4 unicast\n  no import route-target 65000:1\n !\n!\n");
	assert_false(kept("10.1.0.0/16"));
	assert_int_equal(refused(PE2), 1);
	assert_non_null(vpn_best("65000:1", "10.5.0.0/16"));
}

/* ... and comes again before anything was dropped: nothing is missing, nobody is asked */
static void an_import_goes_and_comes(void **unused)
{
	struct vrf *v;
	struct rt rt;

	start(BGP(NEIGHBOR(PE2, "")));
	pe_tells(PE2, "10.1.0.0/16", t1, 8);
	v = vrf_find(env.vrfs, "RED");
	assert_true(rt_parse("65000:1", &rt));
	vrf_set_targets(env.vrfs, v, AF_INET, false, NULL, 0);
	vrf_set_targets(env.vrfs, v, AF_INET, false, &rt, 1);
	settle();
	assert_non_null(red_best("10.1.0.0/16"));
	assert_int_equal(refused(PE2), 0);
	assert_null(vpn(PE2)->missed);
}

/* Routes that are kept over a neighbour's restart go like others; what it tells when it is back is judged anew. */
static void a_neighbor_restarts(void **unused)
{
	const struct bgp_down lost = { .lost = true, .why = "test" };
	struct bgp_peer *p;

	start(BGP(NEIGHBOR(PE2, "")));
	p = peer("", PE2);
	p->info.agreed.gr = true;
	p->info.peer.caps.gr = true;
	p->info.peer.caps.gr_time = 100;
	p->info.peer.caps.gr_family[BGP_VPNV4] = true;
	pe_tells(PE2, "10.1.0.0/16", t1, 8);
	pe_tells(PE2, "10.2.0.0/16", t2, 8);
	bgp_peer_ops.down(p, &lost);
	settle();
	assert_non_null(red_best("10.1.0.0/16"));
	take(BLUE("65000:2"));
	take("vrf RED\n address-family ipv4 unicast\n  no import route-target 65000:1\n !\n!\n");
	assert_false(kept("10.1.0.0/16"));
	session_up(p, "192.168.0.1");
	pe_tells(PE2, "10.1.0.0/16", t1, 8);
	pe_tells(PE2, "10.2.0.0/16", t2, 8);
	assert_false(kept("10.1.0.0/16"));
	assert_non_null(blue_best("10.2.0.0/16"));
	assert_int_equal(refused(PE2), 1);
}

/* ---- all of them ---- */

static void all_of_them(void **unused)
{
	take(BGP(NEIGHBOR(PE2, "") NEIGHBOR(PE3, "")));
	start(BGP(" address-family vpnv4 unicast\n  retain route-target all\n !\n"));
	session_up(peer("", PE3), "192.168.0.1");
	assert_int_equal(bgp_retain_why(vpn(PE2)), BGP_KEPT_CONFIGURED);
	pe_tells(PE2, "10.1.0.0/16", t1, 8);
	pe_tells(PE2, "10.2.0.0/16", t2, 8);
	pe_tells(PE2, "10.4.0.0/16", NULL, 0);
	assert_true(kept("10.1.0.0/16") && kept("10.2.0.0/16") && kept("10.4.0.0/16"));
	take("router bgp 65000\n no address-family vpnv4 unicast\n!\n");
	assert_true(kept("10.1.0.0/16"));
	assert_false(kept("10.2.0.0/16") || kept("10.4.0.0/16"));
	assert_int_equal(refused(PE2), 2);

	/* a client needs them all, whoever told them; so does a neighbour of another AS */
	take(BGP(NEIGHBOR(PE3, "   route-reflector-client\n")));
	assert_int_equal(bgp_retain_why(vpn(PE2)), BGP_KEPT_CLIENT);
	pe_tells(PE2, "10.2.0.0/16", t2, 8);
	assert_true(kept("10.2.0.0/16"));
	take("router bgp 65000\n no neighbor " PE3 "\n!\n");
	assert_false(kept("10.2.0.0/16"));
	assert_true(kept("10.1.0.0/16"));
	take("router bgp 65000\n neighbor 192.168.0.4\n  remote-as 65009\n"
	     "  address-family vpnv4 unicast\n  !\n !\n!\n");
	assert_int_equal(bgp_retain_why(vpn(PE2)), BGP_KEPT_EXTERNAL);
	take("router bgp 65000\n no neighbor 192.168.0.4\n!\n");
	assert_int_equal(bgp_retain_why(vpn(PE2)), BGP_KEPT_IMPORTED);
	/* the other family is another matter */
	take(BGP(" address-family vpnv6 unicast\n  retain route-target all\n !\n"));
	assert_int_equal(bgp_retain_why(vpn(PE2)), BGP_KEPT_IMPORTED);
}

/* What cannot be asked for again is kept. */
static void no_refresh(void **unused)
{
	start(BGP(NEIGHBOR(PE2, "") NEIGHBOR(PE3, "")));
	session_up(peer("", PE3), "192.168.0.1");
	peer("", PE2)->info.agreed.refresh = false;
	assert_int_equal(bgp_retain_why(vpn(PE2)), BGP_KEPT_NO_REFRESH);
	pe_tells(PE2, "10.2.0.0/16", t2, 8);
	pe_tells(PE3, "10.3.0.0/16", t2, 8);
	assert_true(kept("10.2.0.0/16"));
	assert_false(kept("10.3.0.0/16"));
	take(BLUE("65000:2"));
	assert_non_null(blue_best("10.2.0.0/16"));
	take("no vrf BLUE\n");
	assert_true(kept("10.2.0.0/16"));
}

/* Who hears what we import withdraws by itself what is imported no more, but not what the other family imports. */
static void constrained(void **unused)
{
	start(BGP(" neighbor " PE2 "\n  remote-as 65000\n  address-family vpnv4 unicast\n  !\n"
		  "  address-family ipv4 rt-filter\n  !\n !\n"));
	assert_true(bgp_rtc_asks(peer("", PE2)));
	take(BLUE("65000:2"));
	pe_tells(PE2, "10.2.0.0/16", t2, 8);
	assert_non_null(blue_best("10.2.0.0/16"));
	take("no vrf BLUE\n");
	assert_true(kept("10.2.0.0/16"));
	take(BLUE("65000:2"));
	assert_non_null(blue_best("10.2.0.0/16"));
	assert_int_equal(refused(PE2), 0);
	take("vrf BLUE\n address-family ipv4 unicast\n  no import route-target 65000:2\n !\n"
	     " address-family ipv6 unicast\n  import route-target 65000:2\n !\n!\n");
	/* the membership did not change: nothing would be withdrawn, nor told again when it is imported */
	assert_false(kept("10.2.0.0/16"));
	assert_int_equal(refused(PE2), 1);
	pe_tells(PE2, "10.4.0.0/16", t23 + 8, 8);
	take(BLUE("65000:3"));		/* asked */
	assert_false(vpn(PE2)->missed_needed);
	take(BLUE("65000:2"));		/* to be asked a while later */
	assert_true(vpn(PE2)->missed_needed);
	/* what comes nevertheless */
	take("no vrf BLUE\n");
	pe_tells(PE2, "10.3.0.0/16", t2, 8);
	assert_false(kept("10.3.0.0/16"));
	assert_int_equal(refused(PE2), 3);
}

/*
 * Who is told the default membership tells all and withdraws nothing by itself; it is told and taken back while the
 * session lasts, beside what VRFs import.
 */
static void default_membership(void **unused)
{
	const char *own = "0:fde8:2:fde8:0:1::/96";	/* 65000's, of 65000:1 */
	struct bgp_peer *p;

	start(BGP(" neighbor " PE2 "\n  remote-as 65000\n  address-family vpnv4 unicast\n  !\n"
		  "  address-family ipv4 rt-filter\n  !\n !\n"));
	p = peer("", PE2);
	assert_non_null(told(p, BGP_RTC, own));
	assert_null(told(p, BGP_RTC, "::/0"));
	take(BGP(" neighbor " PE2 "\n  address-family ipv4 rt-filter\n   default-originate\n  !\n !\n"));
	assert_non_null(told(p, BGP_RTC, "::/0"));
	assert_non_null(told(p, BGP_RTC, own));
	assert_true(p->up);
	assert_false(bgp_rtc_asks(p));
	take(BLUE("65000:2"));
	pe_tells(PE2, "10.2.0.0/16", t2, 8);
	assert_non_null(blue_best("10.2.0.0/16"));
	take("no vrf BLUE\n");
	assert_false(kept("10.2.0.0/16"));
	take("router bgp 65000\n neighbor " PE2 "\n  address-family ipv4 rt-filter\n   no default-originate\n");
	assert_null(told(p, BGP_RTC, "::/0"));
	assert_non_null(told(p, BGP_RTC, own));
	assert_true(bgp_rtc_asks(p));
}

/* ---- asking ---- */

static struct rib_source *far_source(unsigned int i)
{
	char text[16];

	snprintf(text, sizeof(text), "127.0.0.%u", i + 2);
	return &vpn(text)->source;
}

static uint32_t far_refused(unsigned int i)
{
	char text[16];

	snprintf(text, sizeof(text), "127.0.0.%u", i + 2);
	return refused(text);
}

static void far_start(unsigned int n)
{
	take(BGP(""));
	for (unsigned int i = 0; i < n; i++) {
		char *text = xasprintf("router bgp 65000\n neighbor 127.0.0.%u\n  remote-as 65000\n  port %u\n"
				       "  update-source 127.0.0.1\n  timers connect-retry 1\n"
				       "  address-family vpnv4 unicast\n  !\n !\n!\n", i + 2, far_port);

		far_make(i, 65000);
		take(text);
		free(text);
	}
}

static bool first_up(void)
{
	return far[0].ups && far[1].ups;
}

static void tell_all(unsigned int i)
{
	char text[32];

	snprintf(text, sizeof(text), "10.%u.1.0/24", i);
	far_tell(&far[i], text, t1, 8);
	snprintf(text, sizeof(text), "10.%u.2.0/24", i);
	far_tell(&far[i], text, i ? t1 : t2, 8);
	snprintf(text, sizeof(text), "10.%u.3.0/24", i);
	far_tell(&far[i], text, i ? t1 : t23, i ? 8 : 16);
}

static bool first_judged(void)
{
	return far_source(0)->count == 1 && far_refused(0) == 2 && far_source(1)->count == 3;
}

static bool first_asked(void)
{
	return far[0].refreshes;
}

static bool second_of_first_is_there(void)
{
	return far_source(0)->count == 3;
}

/* Only who told some of what is imported now is asked; it comes, and into the VRF. Not more often than every 5 s. */
static void asked_for_again(void **unused)
{
	far_start(2);
	run_until(first_up, "sessions");
	tell_all(0);
	tell_all(1);
	run_until(first_judged, "routes");
	take(BLUE("65000:4"));
	run_on(100);
	assert_int_equal(far[0].refreshes + far[1].refreshes, 0);
	take("vrf BLUE\n address-family ipv4 unicast\n  import route-target 65000:2\n !\n!\n");
	run_until(first_asked, "refresh");
	tell_all(0);
	run_until(second_of_first_is_there, "routes");
	settle();
	assert_non_null(blue_best("10.0.2.0/24"));
	assert_int_equal(far[1].refreshes, 0);

	/* what it told of us is remembered though all was kept: another VRF's import of it needs nothing */
	take("vrf GREEN\n rd 65000:3\n address-family ipv4 unicast\n  import route-target 65000:2\n !\n!\n");
	run_on(100);
	assert_int_equal(far[0].refreshes, 1);
	take("no vrf BLUE\nno vrf GREEN\n");
	run_on(100);
	assert_int_equal(far_source(0)->count, 1);
	take(BLUE("65000:2"));
	run_on(100);
	assert_int_equal(far[0].refreshes, 1);
	timers_advance(env.jobs, 5000);
	run_on(200);
	assert_int_equal(far[0].refreshes, 2);
	tell_all(0);
	run_until(second_of_first_is_there, "routes again");
	settle();
	assert_non_null(blue_best("10.0.3.0/24"));
}

static bool all_of_first_is_there(void)
{
	return far_source(0)->count == 4;
}

/* A client comes: all neighbours are asked for what was not kept, routes without a target among them. */
static void asked_for_all(void **unused)
{
	far_start(2);
	run_until(first_up, "sessions");
	tell_all(0);
	far_tell(&far[0], "10.9.0.0/24", NULL, 0);
	tell_all(1);
	run_on(200);
	assert_int_equal(far_refused(0), 3);
	take(BGP(NEIGHBOR(PE2, "   route-reflector-client\n")));
	run_until(first_asked, "refresh");
	assert_int_equal(far[1].refreshes, 0);
	tell_all(0);
	far_tell(&far[0], "10.9.0.0/24", NULL, 0);
	run_until(all_of_first_is_there, "routes");
}

/* The session that ends before it was asked tells all anyway; a neighbour that goes is not asked. */
static void not_asked_twice(void **unused)
{
	start(BGP(NEIGHBOR(PE2, "")));
	pe_tells(PE2, "10.2.0.0/16", t2, 8);
	take(BLUE("65000:2"));		/* asked now */
	pe_tells(PE2, "10.23.0.0/16", t23 + 8, 8);
	take("vrf BLUE\n address-family ipv4 unicast\n  import route-target 65000:3\n !\n!\n");
	assert_true(vpn(PE2)->missed_needed);
	session_down(peer("", PE2));
	session_up(peer("", PE2), "192.168.0.1");
	assert_false(vpn(PE2)->missed_needed);
	pe_tells(PE2, "10.23.0.0/16", t23 + 8, 8);
	pe_tells(PE2, "10.5.0.0/16", (const uint8_t[]){ 0, 2, 0xfd, 0xe8, 0, 0, 0, 5 }, 8);
	take("vrf BLUE\n address-family ipv4 unicast\n  import route-target 65000:5\n !\n!\n");
	assert_true(vpn(PE2)->missed_needed);
	take(BGP("") "router bgp 65000\n no neighbor " PE2 "\n!\n");
	timers_advance(env.jobs, 5000);
	settle();
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(what_is_imported),
		test(what_a_policy_makes_of_it),
		test(an_import_goes),
		test(who_else_has_it),
		test(an_import_goes_and_comes),
		test(a_neighbor_restarts),
		test(all_of_them),
		test(no_refresh),
		test(constrained),
		test(default_membership),
		test(asked_for_again),
		test(asked_for_all),
		test(not_asked_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
