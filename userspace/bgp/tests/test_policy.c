// SPDX-License-Identifier: GPL-2.0
/* rooms: lib conf rib policy labels vrf bgp */
/*
 * Policies of neighbours, inwards and outwards, from configuration to tables and to what peers are told: that another
 * AS needs them (RFC 8212), what a change does, what refused routes leave behind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bgp/tests/pe.h"

#define ALL "route-policy ALL\n statement 10\n  action accept\n !\n!\n"
#define CE(address, as, more) \
	"  neighbor " address "\n   remote-as " #as "\n   address-family ipv4 unicast\n" more "   !\n  !\n"
#define RED(more) "router bgp 65000\n router-id 10.0.0.1\n vrf RED\n  address-family ipv4 unicast\n  !\n" more " !\n!\n"
#define BOTH "    route-policy in ALL\n    route-policy out ALL\n"
#define WITH(out) "    route-policy in ALL\n    route-policy out " out "\n"

static int setup(void **unused)
{
	pe_up();
	return 0;
}

static int teardown(void **unused)
{
	pe_down();
	return 0;
}

static void up(const char *ce)
{
	session_up(peer("RED", ce), "10.1.1.1");
}

static void without_policy_nothing(void **unused)
{
	struct bgp_peer_family *pf;

	take(ALL RED(CE("10.1.1.2", 65010, "") CE("10.1.1.3", 65011, BOTH)));
	up("10.1.1.2");
	up("10.1.1.3");
	ce_tells("10.1.1.2", "10.10.0.0/16");
	ce_tells("10.1.1.3", "10.11.0.0/16");
	pf = &peer("RED", "10.1.1.2")->family[BGP_IPV4];
	assert_null(red_best("10.10.0.0/16"));
	assert_non_null(red_best("10.11.0.0/16"));
	assert_int_equal(pf->refused[BGP_REFUSED_NO_POLICY], 1);
	assert_true(bgp_policy_missing(pf, false) && bgp_policy_missing(pf, true));
	assert_int_equal(bgp_family_advertised(pf), 0);
	/* the marker comes all the same */
	assert_true(pf->eor_sent);
	/* one direction alone */
	take(RED(CE("10.1.1.2", 65010, "    route-policy out ALL\n")));
	assert_string_equal(path_told("10.1.1.2", "10.11.0.0/16"), "65000 65011");
	ce_tells("10.1.1.2", "10.10.0.0/16");
	assert_null(red_best("10.10.0.0/16"));
	take("router bgp 65000\n bgp unsafe-ebgp-policy\n!\n");
	ce_tells("10.1.1.2", "10.10.0.0/16");
	assert_non_null(red_best("10.10.0.0/16"));
	assert_string_equal(path_told("10.1.1.3", "10.10.0.0/16"), "65000 65010");
	/* what was told is taken back */
	take("router bgp 65000\n vrf RED\n  neighbor 10.1.1.2\n   address-family ipv4 unicast\n    no route-policy out\n");
	assert_string_equal(path_told("10.1.1.2", "10.11.0.0/16"), "65000 65011");
	take("router bgp 65000\n no bgp unsafe-ebgp-policy\n!\n");
	assert_null(ce_told("10.1.1.2", "10.11.0.0/16"));
	assert_int_equal(bgp_family_advertised(pf), 0);
}

/* Our own AS needs none. */
static void internal_peers_are_free(void **unused)
{
	const struct telling internal = {
		.prefix = "10.20.0.0/16", .nexthop = "192.168.0.2", .rd = "65000:2", .label = 100,
	};
	const struct telling external = {
		.prefix = "10.30.0.0/16", .nexthop = "192.168.0.3", .rd = "65000:3", .label = 100, .path = PATH(65003),
	};

	take("router bgp 65000\n router-id 10.0.0.1\n neighbor 192.168.0.2\n  remote-as 65000\n"
	     "  address-family vpnv4 unicast\n  !\n !\n"
	     " neighbor 192.168.0.3\n  remote-as 65003\n  address-family vpnv4 unicast\n  !\n !\n!\n");
	session_up(peer("", "192.168.0.2"), "192.168.0.1");
	session_up(peer("", "192.168.0.3"), "192.168.0.1");
	tell(peer("", "192.168.0.2"), BGP_VPNV4, &internal);
	tell(peer("", "192.168.0.3"), BGP_VPNV4, &external);
	assert_int_equal(peer("", "192.168.0.2")->family[BGP_VPNV4].source.count, 1);
	assert_int_equal(peer("", "192.168.0.3")->family[BGP_VPNV4].source.count, 0);
	assert_int_equal(peer("", "192.168.0.3")->family[BGP_VPNV4].refused[BGP_REFUSED_NO_POLICY], 1);
}

static void inwards(void **unused)
{
	struct bgp_refusal why;
	struct bgp_peer_family *pf;
	char text[PREFIX_STRLEN];

	take(ALL "prefix-set SITE\n prefix 10.10.0.0/16 le 24\n!\n"
	     "community-set LOW\n community 65010:80\n!\n"
	     "route-policy IN\n statement 10\n  match community matches-any LOW\n  match prefix-set SITE\n"
	     "  set local-preference 80\n  action accept\n !\n"
	     " statement 20\n  match prefix-set SITE\n  set med +5\n  action accept\n !\n!\n"
	     RED(CE("10.1.1.2", 65010, "    route-policy in IN\n    route-policy out ALL\n")));
	up("10.1.1.2");
	pf = &peer("RED", "10.1.1.2")->family[BGP_IPV4];
	ce_tells_path("10.1.1.2", "10.10.1.0/24", PATH(65010), PATH(COMMUNITY(65010, 80)));
	ce_tells("10.1.1.2", "10.10.2.0/24");
	ce_tells("10.1.1.2", "10.99.0.0/16");
	assert_int_equal(red_best("10.10.1.0/24")->attrs->f.local_pref, 80);
	assert_int_equal(red_best("10.10.2.0/24")->attrs->f.med, 5);
	assert_null(red_best("10.99.0.0/16"));
	assert_int_equal(pf->refused[BGP_REFUSED_POLICY], 1);
	assert_true(bgp_refusal_at(pf, 0, &why));
	assert_string_equal(prefix_str(&why.prefix, text), "10.99.0.0/16");
	assert_int_equal(why.why, BGP_REFUSED_POLICY);
	assert_false(bgp_refusal_at(pf, 1, &why));
	/* what was taken and is not any more goes */
	take("prefix-set SITE\n no prefix 10.10.0.0/16\n prefix 10.10.2.0/24\n!\n");
	ce_tells("10.1.1.2", "10.10.1.0/24");
	assert_null(red_best("10.10.1.0/24"));
	/* an address as next hop */
	take("route-policy IN\n statement 20\n  set next-hop 10.1.1.9\n");
	ce_tells("10.1.1.2", "10.10.2.0/24");
	assert_int_equal(red_best("10.10.2.0/24")->nh->key.addr.b[3], 9);
	refuse("route-policy IN\n statement 20\n  set next-hop self\n", "for what goes out");
}

static void refusals_by_reason(void **unused)
{
	const struct telling ours = { .prefix = "10.2.0.0/16", .nexthop = "10.1.1.1", .path = PATH(65010) };
	struct bgp_peer_family *pf;
	struct bgp_refusal why;

	take(ALL RED(CE("10.1.1.2", 65010, BOTH)));
	up("10.1.1.2");
	pf = &peer("RED", "10.1.1.2")->family[BGP_IPV4];
	ce_tells_path("10.1.1.2", "10.1.0.0/16", PATH(65010, 65000), NULL);
	tell(pf->peer, BGP_IPV4, &ours);
	assert_int_equal(pf->refused[BGP_REFUSED_LOOP], 1);
	assert_int_equal(pf->refused[BGP_REFUSED_NEXT_HOP], 1);
	assert_true(bgp_refusal_at(pf, 0, &why));
	assert_int_equal(why.why, BGP_REFUSED_NEXT_HOP);
	assert_true(bgp_refusal_at(pf, 1, &why));
	assert_int_equal(why.why, BGP_REFUSED_LOOP);
	/* the ring is bounded, the counters go on */
	for (int i = 0; i < 2 * BGP_REFUSED_KEPT; i++)
		ce_tells_path("10.1.1.2", "10.1.0.0/16", PATH(65010, 65000), NULL);
	assert_int_equal(pf->refused[BGP_REFUSED_LOOP], 2 * BGP_REFUSED_KEPT + 1);
	assert_true(bgp_refusal_at(pf, BGP_REFUSED_KEPT - 1, &why));
	assert_false(bgp_refusal_at(pf, BGP_REFUSED_KEPT, &why));
	session_down(pf->peer);
	up("10.1.1.2");
	assert_int_equal(pf->refused[BGP_REFUSED_LOOP], 0);
	assert_false(bgp_refusal_at(pf, 0, &why));
}

static void outwards(void **unused)
{
	struct attrs *a;

	take(ALL "prefix-set SOME\n prefix 10.10.1.0/24\n!\n"
	     "route-policy OUT\n statement 10\n  match prefix-set SOME\n  set as-path prepend own-as 2\n  set med 7\n"
	     "  action accept\n !\n!\n"
	     RED(CE("10.1.1.2", 65010, BOTH)
		 CE("10.1.1.3", 65011, WITH("OUT")) CE("10.1.1.4", 65012, BOTH)));
	up("10.1.1.2");
	up("10.1.1.3");
	up("10.1.1.4");
	ce_tells("10.1.1.2", "10.10.1.0/24");
	ce_tells("10.1.1.2", "10.10.2.0/24");
	assert_string_equal(path_told("10.1.1.3", "10.10.1.0/24"), "65000 65000 65000 65010");
	a = ce_told("10.1.1.3", "10.10.1.0/24");
	assert_true(a->f.flags & ATTRS_HAS_MED);
	assert_int_equal(a->f.med, 7);
	assert_null(ce_told("10.1.1.3", "10.10.2.0/24"));
	assert_string_equal(path_told("10.1.1.4", "10.10.1.0/24"), "65000 65010");
	assert_non_null(ce_told("10.1.1.4", "10.10.2.0/24"));
	/* its own routes are not told back to it */
	assert_null(ce_told("10.1.1.2", "10.10.1.0/24"));
	/* a set changes: what differs is told */
	take("prefix-set SOME\n no prefix 10.10.1.0/24\n prefix 10.10.2.0/24\n!\n");
	assert_null(ce_told("10.1.1.3", "10.10.1.0/24"));
	assert_string_equal(path_told("10.1.1.3", "10.10.2.0/24"), "65000 65000 65000 65010");
	/* another policy by name, and none */
	take(RED(CE("10.1.1.3", 65011, "    route-policy out ALL\n")));
	assert_string_equal(path_told("10.1.1.3", "10.10.1.0/24"), "65000 65010");
	assert_true(peer("RED", "10.1.1.3")->family[BGP_IPV4].group == peer("RED", "10.1.1.4")->family[BGP_IPV4].group);
}

/* `set next-hop` towards CEs */
static void next_hops_outwards(void **unused)
{
	struct ip_addr nexthop, ll;
	char text[ADDR_STRLEN];
	struct bgp_peer *p;

	take(ALL "route-policy OUT\n statement 10\n  set next-hop 10.1.1.77\n  action accept\n !\n!\n"
	     RED(CE("10.1.1.2", 65010, BOTH) CE("10.1.1.3", 65011, WITH("OUT"))));
	up("10.1.1.2");
	up("10.1.1.3");
	ce_tells("10.1.1.2", "10.10.1.0/24");
	p = peer("RED", "10.1.1.3");
	bgp_advertised_nexthop(&p->family[BGP_IPV4], ce_told("10.1.1.3", "10.10.1.0/24"), &nexthop, &ll);
	assert_string_equal(addr_str(&nexthop, text), "10.1.1.77");
	take("route-policy OUT\n statement 10\n  set next-hop unchanged\n");
	bgp_advertised_nexthop(&p->family[BGP_IPV4], ce_told("10.1.1.3", "10.10.1.0/24"), &nexthop, &ll);
	assert_string_equal(addr_str(&nexthop, text), "10.1.1.2");
	take("route-policy OUT\n statement 10\n  set next-hop self\n");
	bgp_advertised_nexthop(&p->family[BGP_IPV4], ce_told("10.1.1.3", "10.10.1.0/24"), &nexthop, &ll);
	assert_string_equal(addr_str(&nexthop, text), "10.1.1.1");
}

/* A policy is shared; who else has it hears of its change, who has not does not. */
static void deleted_policies(void **unused)
{
	take(ALL "route-policy OTHER\n statement 10\n  action accept\n !\n!\n"
	     RED(CE("10.1.1.2", 65010, BOTH) CE("10.1.1.3", 65011, WITH("OTHER"))));
	up("10.1.1.2");
	up("10.1.1.3");
	ce_tells("10.1.1.2", "10.10.1.0/24");
	refuse("no route-policy OTHER\n", "is not configured");
	assert_non_null(ce_told("10.1.1.3", "10.10.1.0/24"));
	/* policy and its use go at once */
	take("no route-policy OTHER\nrouter bgp 65000\n vrf RED\n  neighbor 10.1.1.3\n   address-family ipv4 unicast\n"
	     "    no route-policy out\n");
	assert_null(ce_told("10.1.1.3", "10.10.1.0/24"));
}

static uint32_t taken(const char *ce)
{
	return peer("RED", ce)->family[BGP_IPV4].source.count;
}

static void tells_many(const char *ce, unsigned int first, unsigned int n)
{
	char text[32];

	for (unsigned int i = first; i < first + n; i++) {
		snprintf(text, sizeof(text), "10.20.%u.0/24", i);
		ce_tells(ce, text);
	}
}

static void set_limit(const char *text)
{
	char *all = xasprintf("router bgp 65000\n vrf RED\n  neighbor 10.1.1.2\n   address-family ipv4 unicast\n"
			      "    no maximum-prefix\n    %s\n", text);

	take(all);
	free(all);
}

static void limits(void **unused)
{
	struct bgp_peer_family *pf;
	struct bgp_peer *p;

	take(ALL RED(CE("10.1.1.2", 65010, BOTH "    maximum-prefix 10 50 discard-extra\n")));
	up("10.1.1.2");
	p = peer("RED", "10.1.1.2");
	pf = &p->family[BGP_IPV4];
	tells_many("10.1.1.2", 0, 4);
	assert_false(pf->limit_warned);
	tells_many("10.1.1.2", 4, 1);
	assert_true(pf->limit_warned);
	tells_many("10.1.1.2", 5, 10);
	assert_int_equal(taken("10.1.1.2"), 10);
	assert_int_equal(pf->refused[BGP_REFUSED_LIMIT], 5);
	assert_true(pf->limit_over && !p->limited);
	/* one that is there may change; one that goes makes room */
	ce_tells_path("10.1.1.2", "10.20.3.0/24", PATH(65010, 7), NULL);
	assert_int_equal(red_best("10.20.3.0/24")->attrs->path_length, 2);
	tell(p, BGP_IPV4, &(struct telling){ .prefix = "10.20.3.0/24", .withdraw = true });
	tells_many("10.1.1.2", 14, 1);
	assert_non_null(red_best("10.20.14.0/24"));
	assert_int_equal(taken("10.1.1.2"), 10);
	set_limit("maximum-prefix 12 warning-only");
	tells_many("10.1.1.2", 0, 20);
	assert_int_equal(taken("10.1.1.2"), 20);
	assert_true(pf->limit_over && !p->limited);
	/* what is there already is too much */
	set_limit("maximum-prefix 15");
	assert_true(p->limited);
	tells_many("10.1.1.2", 30, 1);
	assert_null(red_best("10.20.30.0/24"));
	session_down(p);
	assert_int_equal(taken("10.1.1.2"), 0);
	bgp_limit_clear(p);
	assert_false(p->limited);
	up("10.1.1.2");
	tells_many("10.1.1.2", 0, 15);
	assert_false(p->limited);
	tells_many("10.1.1.2", 15, 3);
	assert_true(p->limited);
	assert_int_equal(taken("10.1.1.2"), 15);
	session_down(p);
	/* by itself, after a while */
	set_limit("maximum-prefix 5 restart 2");
	assert_false(p->limited);
	up("10.1.1.2");
	tells_many("10.1.1.2", 0, 6);
	assert_true(p->limited);
	session_down(p);
	timers_advance(env.jobs, 119000);
	assert_true(p->limited);
	timers_advance(env.jobs, 2000);
	assert_false(p->limited);
	refuse("router bgp 65000\n vrf RED\n  neighbor 10.1.1.2\n   address-family ipv4 unicast\n"
	       "    maximum-prefix 5 warning-only\n", "exclude each other");
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(without_policy_nothing),
		test(internal_peers_are_free),
		test(inwards),
		test(refusals_by_reason),
		test(outwards),
		test(next_hops_outwards),
		test(deleted_policies),
		test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
