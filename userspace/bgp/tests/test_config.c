// SPDX-License-Identifier: GPL-2.0
/* rooms: lib conf rib policy labels vrf bgp */
/*
 * Configuration of neighbours: what neighbor-groups give and what a neighbour says itself, what a change of a group
 * changes, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bgp/inherit.h"
#include "bgp/peer.h"
#include "conf/conf.h"
#include "labels/labels.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "rib/tests/recorder.h"

static uv_loop_t loop;
static struct rib_env env;
static struct recorder rec;
static struct bgp *bgp;

static int setup(void **unused)
{
	struct bgp_options opt = { .loop = &loop, .workers = 1 };
	const struct conf_options copt = { .loop = &loop };
	struct conf_error err;

	log_init("test", LOG_TARGET_NONE, LOG_LEVEL_DEBUG);
	assert_int_equal(uv_loop_init(&loop), 0);
	env.jobs = jobs_new(NULL);
	env.conf = conf_new(&copt, &err);
	assert_non_null(env.conf);
	env.rib = rib_new(env.jobs);
	rec_start(&rec, rib_fib(env.rib));
	env.labels = labels_new(env.jobs, rib_fib(env.rib));
	assert_true(labels_configure(env.labels, 24000, 24999, 60));
	env.vrfs = vrfs_new(&env);
	bgp_set_options(&opt);
	bgp = bgp_proto.start(&env);
	assert_non_null(bgp);
	assert_true(conf_start(env.conf, &err));
	return 0;
}

static int teardown(void **unused)
{
	bgp_proto.stop(bgp);
	vrfs_free(env.vrfs);
	jobs_run(env.jobs, 0);
	labels_free(env.labels);
	jobs_run(env.jobs, 0);
	rec_end(&rec);
	rib_free(env.rib);
	jobs_free(env.jobs);
	conf_free(env.conf);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	return 0;
}

/* NULL: committed; else why not */
static const char *edit(const char *text)
{
	static struct conf_error err;
	struct conf_commit how = { 0 };
	struct conf_candidate *cand = conf_candidate_open(env.conf, "test", false, &err);
	uint64_t id;
	bool ok;

	assert_non_null(cand);
	ok = conf_edit(cand, NULL, text, NULL, &err) && conf_commit(cand, &how, &id, &err);
	conf_candidate_close(cand);
	jobs_run(env.jobs, 0);
	uv_run(&loop, UV_RUN_NOWAIT);
	return ok ? NULL : err.reason;
}

static void take(const char *text)
{
	const char *why = edit(text);

	if (why)
		fail_msg("refused: %s", why);
}

static void refuse(const char *text, const char *part)
{
	const char *why = edit(text);

	if (!why)
		fail_msg("taken: %s", text);
	if (!strstr(why, part))
		fail_msg("refused with \"%s\" in place of \"%s\"", why, part);
}

static struct bgp_peer *peer(const char *vrf, const char *address)
{
	struct tcp_endpoint e = { 0 };
	struct bgp_peer *p;

	assert_true(addr_parse(address, &e.addr));
	p = bgp_peer_find(bgp, vrf, &e);
	assert_non_null(p);
	return p;
}

#define BASE \
	"vrf RED\n rd 65000:1\n address-family ipv4 unicast\n!\n" \
	"router bgp 65000\n" \
	" router-id 10.0.0.1\n" \
	" neighbor-group ALL\n" \
	"  timers hold-time 30\n" \
	"  passive\n" \
	"  port 1179\n" \
	" !\n" \
	" neighbor-group RR\n" \
	"  use neighbor-group ALL\n" \
	"  remote-as 65000\n" \
	"  timers hold-time 60\n" \
	"  description \"a reflector\"\n" \
	"  address-family vpnv4 unicast\n" \
	"   route-reflector-client\n" \
	"   next-hop-self\n" \
	"  !\n" \
	" !\n" \
	" neighbor 10.0.0.2\n" \
	"  use neighbor-group RR\n" \
	" !\n" \
	" neighbor 10.0.0.3\n" \
	"  use neighbor-group RR\n" \
	"  timers hold-time 90\n" \
	"  passive false\n" \
	"  address-family vpnv4 unicast\n" \
	"   next-hop-self false\n" \
	"  !\n" \
	"  address-family vpnv6 unicast\n" \
	"  !\n" \
	" !\n" \
	" neighbor 10.0.0.4\n" \
	"  remote-as 65000\n" \
	" !\n"

static void values_come_from_groups(void **unused)
{
	const struct bgp_peer_conf *c;

	take(BASE);
	c = &peer("", "10.0.0.2")->conf;
	assert_int_equal(c->remote_as, 65000);
	assert_int_equal(c->hold, 60);
	assert_int_equal(c->port, 1179);
	assert_int_equal(c->connect_retry, 30);
	assert_true(c->passive);
	assert_string_equal(c->description, "a reflector");
	assert_true(c->af[BGP_VPNV4].on && c->af[BGP_VPNV4].route_reflector_client && c->af[BGP_VPNV4].next_hop_self);
	assert_false(c->af[BGP_VPNV6].on);
	c = &peer("", "10.0.0.3")->conf;
	assert_int_equal(c->hold, 90);
	assert_int_equal(c->port, 1179);
	assert_false(c->passive);
	assert_true(c->af[BGP_VPNV4].route_reflector_client);
	assert_false(c->af[BGP_VPNV4].next_hop_self);
	assert_true(c->af[BGP_VPNV6].on);
	c = &peer("", "10.0.0.4")->conf;
	assert_int_equal(c->hold, 180);
	assert_int_equal(c->port, 179);
	assert_false(c->af[BGP_VPNV4].on);
}

static void a_group_changes_its_members_alone(void **unused)
{
	struct bgp_session *two, *three, *four;

	take(BASE);
	two = peer("", "10.0.0.2")->session;
	three = peer("", "10.0.0.3")->session;
	four = peer("", "10.0.0.4")->session;
	/* nothing of a session */
	take("router bgp 65000\n neighbor-group RR\n  description other\n");
	assert_string_equal(peer("", "10.0.0.3")->conf.description, "other");
	take("router bgp 65000\n neighbor-group RR\n  address-family vpnv4 unicast\n   no next-hop-self\n");
	assert_false(peer("", "10.0.0.2")->conf.af[BGP_VPNV4].next_hop_self);
	assert_ptr_equal(peer("", "10.0.0.2")->session, two);
	assert_ptr_equal(peer("", "10.0.0.3")->session, three);
	/* 10.0.0.3 says another hold time itself; the group's group is hidden by the group */
	take("router bgp 65000\n neighbor-group RR\n  timers hold-time 45\n");
	assert_int_equal(peer("", "10.0.0.2")->conf.hold, 45);
	assert_int_equal(peer("", "10.0.0.3")->conf.hold, 90);
	assert_ptr_equal(peer("", "10.0.0.3")->session, three);
	take("router bgp 65000\n neighbor-group ALL\n  timers hold-time 33\n");
	assert_int_equal(peer("", "10.0.0.2")->conf.hold, 45);
	take("router bgp 65000\n neighbor-group RR\n  no timers hold-time\n");
	assert_int_equal(peer("", "10.0.0.2")->conf.hold, 33);
	assert_ptr_equal(peer("", "10.0.0.4")->session, four);
	/* what a neighbour takes back is the group's again */
	take("router bgp 65000\n neighbor 10.0.0.3\n  no timers hold-time\n  no passive\n");
	assert_int_equal(peer("", "10.0.0.3")->conf.hold, 33);
	assert_true(peer("", "10.0.0.3")->conf.passive);
	/* all at once: the group goes and its members say it themselves */
	take("router bgp 65000\n no neighbor-group RR\n"
	       " neighbor 10.0.0.2\n  use neighbor-group ALL\n  remote-as 65001\n !\n"
	       " neighbor 10.0.0.3\n  no use neighbor-group\n  remote-as 65000\n !\n");
	assert_int_equal(peer("", "10.0.0.2")->conf.remote_as, 65001);
	assert_int_equal(peer("", "10.0.0.2")->conf.hold, 33);
	assert_int_equal(peer("", "10.0.0.3")->conf.hold, 180);
}

static void a_ce_uses_groups_too(void **unused)
{
	const struct tcp_endpoint ce = { .addr = { .family = AF_INET, .b = { 10, 1, 1, 2 } } };

	take(BASE
	       " neighbor-group CE\n  use neighbor-group ALL\n  remote-as 65010\n  address-family ipv4 unicast\n  !\n !\n"
	       " vrf RED\n  neighbor 10.1.1.2\n   use neighbor-group CE\n  !\n !\n");
	assert_int_equal(peer("RED", "10.1.1.2")->conf.remote_as, 65010);
	assert_int_equal(peer("RED", "10.1.1.2")->conf.hold, 30);
	assert_true(peer("RED", "10.1.1.2")->conf.af[BGP_IPV4].on);
	take("router bgp 65000\n neighbor-group ALL\n  timers hold-time 33\n");
	assert_int_equal(peer("RED", "10.1.1.2")->conf.hold, 33);
	take("router bgp 65000\n vrf RED\n  no neighbor 10.1.1.2\n");
	assert_null(bgp_peer_find(bgp, "RED", &ce));
}

static void what_is_refused(void **unused)
{
	take(BASE);
	refuse("router bgp 65000\n neighbor 10.0.0.5\n", "remote-as is missing");
	refuse("router bgp 65000\n neighbor 10.0.0.5\n  use neighbor-group ALL\n", "remote-as is missing");
	refuse("router bgp 65000\n neighbor 10.0.0.4\n  use neighbor-group NONE\n", "NONE is not configured");
	refuse("router bgp 65000\n neighbor-group ALL\n  use neighbor-group NONE\n", "NONE is not configured");
	refuse("router bgp 65000\n neighbor-group ALL\n  use neighbor-group RR\n", "used by a group");
	refuse("router bgp 65000\n neighbor-group ALL\n  use neighbor-group ALL\n", "used by a group");
	refuse("router bgp 65000\n neighbor-group X\n  use neighbor-group RR\n  !\n"
	       " neighbor 10.0.0.4\n  use neighbor-group X\n", "used by a group");
	refuse("router bgp 65000\n no neighbor-group RR\n", "RR is not configured");
	refuse("router bgp 65000\n neighbor-group RR\n  remote-as 65001\n", "of our own AS");
	refuse("router bgp 65000\n neighbor-group RR\n  bfd strict-mode\n", "bfd fast-detect");
	refuse("router bgp 65000\n neighbor-group RR\n  ebgp-multihop 3\n", "of another AS");
	refuse("router bgp 65000\n vrf RED\n  neighbor 10.1.1.2\n   remote-as 65010\n   use neighbor-group RR\n",
	       "a neighbor in a VRF cannot have");
	refuse("router bgp 65000\n neighbor 2001:db8::1\n  remote-as 1\n  !\n neighbor 2001:DB8::1\n  remote-as 1\n",
	       "the same address");
	assert_int_equal(peer("", "10.0.0.2")->conf.hold, 60);
}

struct rows {
	char text[4096];
};

static void add_row(const char *rel, const struct lyd_node *leaf, const char *value, const struct lyd_node *from,
		    void *arg)
{
	struct rows *r = arg;
	size_t n = strlen(r->text);

	snprintf(r->text + n, sizeof(r->text) - n, "%s=%s<%s\n", rel, value,
		 from ? conf_str(from, "name", conf_str(from, "address", "?")) : "-");
}

static void all_of_it_is_told(void **unused)
{
	const struct lyd_node *n;
	struct rows r = { "" };
	struct inherit i;

	take(BASE);
	n = conf_entry(conf_top(conf_running(env.conf), "bgp"), "neighbor", "10.0.0.3");
	assert_true(inherit_resolve(n, &i, NULL));
	inherit_each(&i, add_row, &r);
	assert_non_null(strstr(r.text, "remote-as=65000<RR\n"));
	assert_non_null(strstr(r.text, "timers/hold-time=90<10.0.0.3\n"));
	assert_non_null(strstr(r.text, "port=1179<ALL\n"));
	assert_non_null(strstr(r.text, "timers/connect-retry=30<-\n"));
	assert_non_null(strstr(r.text, "vpnv4/next-hop-self=false<10.0.0.3\n"));
	assert_non_null(strstr(r.text, "vpnv4/route-reflector-client=true<RR\n"));
	assert_null(strstr(r.text, "ipv4-labeled"));
}

/* Each change has to find every neighbour's group and its peer without a search over all. */
static void many_members(void **unused)
{
	static const unsigned int many = 1000;
	char *text = xstrdup(BASE);

	for (unsigned int i = 0; i < many; i++) {
		char *more = xasprintf("%s neighbor 10.9.%u.%u\n  use neighbor-group RR\n !\n", text, i / 250,
				       i % 250 + 1);

		free(text);
		text = more;
	}
	take(text);
	free(text);
	take("router bgp 65000\n neighbor-group RR\n  description changed\n");
	assert_string_equal(peer("", "10.9.3.250")->conf.description, "changed");
	assert_int_equal(peer("", "10.9.0.1")->conf.hold, 60);
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(values_come_from_groups),
		test(a_group_changes_its_members_alone),
		test(a_ce_uses_groups_too),
		test(what_is_refused),
		test(all_of_it_is_told),
		test(many_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
