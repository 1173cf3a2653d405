// SPDX-License-Identifier: GPL-2.0
/* rooms: lib rib */
/*
 * Tunnels to remote PEs (rib/soft.h): when there is one, what is told when there is none, and their place among the
 * other kinds of transport.
 *
 *   192.0.2.1 (lo) -- core0 192.168.0.1/24 -- 192.168.0.2 ... pe 192.0.2.9
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "rib/lsp.h"
#include "rib/soft.h"
#include "rib/table.h"
#include "rib/transport.h"
#include "rib/tests/recorder.h"

static struct jobs *jobs;
static struct rib *rib;
static struct nht *nht;
static struct recorder rec;

static struct prefix P(const char *s)
{
	struct prefix p;

	assert_true(prefix_parse_host(s, &p));
	return p;
}

static struct ip_addr A(const char *s)
{
	struct ip_addr a;

	assert_true(addr_parse(s, &a));
	return a;
}

static void link_up(int ifindex, const char *name, bool up)
{
	struct nht_link l = { .ifindex = ifindex, .up = up };

	strcpy(l.name, name);
	nht_link_set(nht, &l);
}

static void addr_on(int ifindex, const char *s)
{
	struct prefix p = P(s);

	nht_addr_add(nht, ifindex, &p);
}

static void addr_off(int ifindex, const char *s)
{
	struct prefix p = P(s);

	nht_addr_del(nht, ifindex, &p);
}

/* @gateway NULL: no such route any more */
static void route(const char *prefix, const char *gateway, int ifindex)
{
	struct nht_way way = { .ifindex = ifindex, .weight = 1 };
	struct prefix p = P(prefix);

	if (!gateway) {
		nht_route_del(nht, &p);
		return;
	}
	way.gateway = A(gateway);
	nht_route_set(nht, &p, &way, 1, 20);
}

/* @destination NULL: none any more */
static void tunnels(enum soft_encap encap, const char *destination, bool by_default_route)
{
	struct soft_config c = { .port = encap == SOFT_UDP ? SOFT_UDP_PORT : 0, .n = 2,
				 .by_default_route = by_default_route, .scopes = 2 };
	struct prefix to[2];

	if (!destination) {
		soft_set(nht, encap, NULL);
		return;
	}
	c.source[AFI4] = A("192.0.2.1");
	c.source[AFI6] = A("2001:db8::1");
	to[0] = P(destination);
	to[1] = P("2001:db8::/32");
	c.destinations = to;
	soft_set(nht, encap, &c);
}

static void lsp(uint8_t owner, uint32_t label)
{
	struct lsp_path path = { .owner = owner, .name = "p", .gateway = A("192.168.0.2"), .weight = 1,
				 .n_labels = 1, .labels = { label } };
	struct prefix fec = P("192.0.2.9/32");

	if (label)
		lsp_announce(nht, &fec, &path);
	else
		lsp_withdraw(nht, &fec, owner, "p");
}

static int setup(void **unused)
{
	jobs = jobs_new(NULL);
	rib = rib_new(jobs);
	nht = rib_nht(rib);
	rec_start(&rec, rib_fib(rib));
	nht_port_vrf(nht, "ce1", 1);
	link_up(1, "lo", true);
	addr_on(1, "192.0.2.1/32");
	addr_on(1, "2001:db8::1/128");
	link_up(10, "core0", true);
	addr_on(10, "192.168.0.1/24");
	link_up(12, "ce1", true);
	return 0;
}

static int teardown(void **unused)
{
	jobs_run(jobs, 0);
	rec_end(&rec);
	rib_free(rib);
	jobs_free(jobs);
	return 0;
}

static enum nexthop_reason now(struct nexthop *nh)
{
	jobs_run(jobs, 0);
	return nh->reason;
}

/* what a tunnel needs, taken away and given back one by one; each lack has its own word */
static void needs_of_a_tunnel(void **unused)
{
	struct ip_addr pe = A("192.0.2.9");
	struct nexthop *nh = nexthop_pe(nht, &pe, TRANSPORT_DEFAULT);
	struct fib_nh *obj = nexthop_fib_use(nht, nh);
	char text[128];

	assert_int_equal(nh->reason, NH_NO_LSP);
	tunnels(SOFT_UDP, "192.0.2.0/24", false);
	assert_int_equal(now(nh), NH_TUNNEL_ROUTE);
	route("192.0.2.9/32", "192.168.0.2", 10);
	assert_int_equal(now(nh), NH_OK);
	assert_int_equal(nh->metric, 20);
	assert_int_equal(obj->kind, FIB_NH_LABELLED);
	assert_int_equal(obj->n_labels, 0);
	assert_int_equal(obj->via->kind, FIB_NH_TUNNEL);
	assert_int_equal(obj->via->encap, SOFT_UDP);
	assert_int_equal(obj->via->dport, 6635);
	assert_true(addr_eq(&obj->via->gateway, &pe));
	assert_string_equal(fib_nh_str(obj, text, sizeof(text)), "udp tunnel to 192.0.2.9");
	addr_off(1, "192.0.2.1/32");
	assert_int_equal(now(nh), NH_TUNNEL_SOURCE);
	assert_int_equal(obj->kind, FIB_NH_UNREACHABLE);
	addr_on(1, "192.0.2.1/32");
	assert_int_equal(now(nh), NH_OK);
	tunnels(SOFT_UDP, "192.0.3.0/24", false);
	assert_int_equal(now(nh), NH_NO_LSP);
	tunnels(SOFT_UDP, "192.0.2.9/32", false);
	assert_int_equal(now(nh), NH_OK);
	link_up(10, "core0", false);
	assert_int_equal(now(nh), NH_TUNNEL_ROUTE);
	link_up(10, "core0", true);
	assert_int_equal(now(nh), NH_OK);
	/* a route into a VRF may come back through the tunnel itself */
	route("192.0.2.9/32", "192.168.0.2", 12);
	assert_int_equal(now(nh), NH_TUNNEL_ROUTE);
	route("192.0.2.9/32", NULL, 0);
	/* the default route only where that is said */
	route("0.0.0.0/0", "192.168.0.2", 10);
	assert_int_equal(now(nh), NH_TUNNEL_ROUTE);
	tunnels(SOFT_UDP, "192.0.2.9/32", true);
	assert_int_equal(now(nh), NH_OK);
	tunnels(SOFT_UDP, NULL, false);
	assert_int_equal(now(nh), NH_NO_LSP);
	route("0.0.0.0/0", NULL, 0);
	fib_nh_put(rib_fib(rib), obj);
	nexthop_put(nht, nh);
}

static void ipv6_core(void **unused)
{
	struct ip_addr pe = A("2001:db8::9");
	struct nexthop *nh = nexthop_pe(nht, &pe, TRANSPORT_DEFAULT);
	struct fib_nh *obj = nexthop_fib_use(nht, nh);

	tunnels(SOFT_GRE, "192.0.2.0/24", false);
	route("2001:db8::9/128", "fe80::2", 10);
	assert_int_equal(now(nh), NH_OK);
	assert_int_equal(obj->via->encap, SOFT_GRE);
	assert_int_equal(obj->via->dport, 0);
	assert_true(addr_eq(&obj->via->gateway, &pe));
	assert_int_equal(obj->via->local.family, AF_INET6);
	tunnels(SOFT_GRE, NULL, false);
	assert_int_equal(now(nh), NH_NO_LSP);
	fib_nh_put(rib_fib(rib), obj);
	nexthop_put(nht, nh);
}

/* the first kind that can carries, the next one stands behind it in forwarding itself */
static void kinds_stand_behind_each_other(void **unused)
{
	struct transport_policy p = { .name = "gre", .max_paths = 64,
				      .order = { 2, { RIB_PROTO_GRE, RIB_PROTO_STATIC } } };
	struct ip_addr pe = A("192.0.2.9");
	struct nexthop *any = nexthop_pe(nht, &pe, TRANSPORT_DEFAULT), *by;
	struct fib_nh *obj = nexthop_fib_use(nht, any), *own;

	by = nexthop_pe(nht, &pe, transport_policy_set(nht, &p));
	own = nexthop_fib_use(nht, by);
	route("192.0.2.9/32", "192.168.0.2", 10);
	tunnels(SOFT_UDP, "192.0.2.0/24", false);
	assert_int_equal(now(by), NH_TRANSPORT_POLICY);
	tunnels(SOFT_GRE, "192.0.2.0/24", false);
	assert_int_equal(now(by), NH_OK);
	assert_int_equal(own->kind, FIB_NH_LABELLED);
	assert_int_equal(own->via->encap, SOFT_GRE);
	/* of all, UDP before GRE */
	assert_int_equal(obj->kind, FIB_NH_GROUP);
	assert_int_equal(obj->n_members, 2);
	assert_int_equal(obj->members[0].nh->via->encap, SOFT_UDP);
	assert_true(obj->members[1].backup && obj->members[1].nh->via->encap == SOFT_GRE);
	/* a label-switched path comes before both, and two kinds are enough */
	lsp(RIB_PROTO_STATIC, 77);
	jobs_run(jobs, 0);
	assert_int_equal(obj->n_members, 2);
	assert_int_equal(obj->members[0].nh->labels[0], 77);
	assert_true(obj->members[1].backup && obj->members[1].nh->via->encap == SOFT_UDP);
	assert_int_equal(own->members[0].nh->via->encap, SOFT_GRE);
	assert_true(own->members[1].backup && own->members[1].nh->labels[0] == 77);
	/* and for this PE alone the other way round */
	p.n_peers = 1;
	p.peers = &(struct transport_peer){ pe, { 2, { RIB_PROTO_STATIC, RIB_PROTO_GRE } } };
	transport_policy_set(nht, &p);
	jobs_run(jobs, 0);
	assert_int_equal(own->members[0].nh->labels[0], 77);
	assert_true(own->members[1].backup && own->members[1].nh->via->encap == SOFT_GRE);
	lsp(RIB_PROTO_STATIC, 0);
	tunnels(SOFT_UDP, NULL, false);
	tunnels(SOFT_GRE, NULL, false);
	assert_int_equal(now(any), NH_NO_LSP);
	assert_int_equal(now(by), NH_NO_LSP);
	fib_nh_put(rib_fib(rib), obj);
	fib_nh_put(rib_fib(rib), own);
	nexthop_put(nht, any);
	nexthop_put(nht, by);
}

/* ---- the order of events never matters ---- */

enum { EVENTS = 8, ROUNDS = 200 };

static void happen(unsigned int event, bool on)
{
	switch (event) {
	case 0:
		route("192.0.2.9/32", on ? "192.168.0.2" : NULL, 10);
		break;
	case 1:
		route("192.0.2.0/24", on ? "192.168.0.2" : NULL, 10);
		break;
	case 2:
		link_up(10, "core0", on);
		break;
	case 3:
		tunnels(SOFT_UDP, on ? "192.0.2.0/24" : NULL, false);
		break;
	case 4:
		tunnels(SOFT_GRE, on ? "192.0.0.0/8" : NULL, true);
		break;
	case 5:
		lsp(RIB_PROTO_LDP, on ? 99 : 0);
		break;
	case 6:
		(on ? addr_on : addr_off)(1, "192.0.2.1/32");
		break;
	default:
		lsp(RIB_PROTO_STATIC, on ? 77 : 0);
	}
}

/* from any state, in any order, with the work done between or not: the same in the end */
static void any_order(void **unused)
{
	unsigned int seed = getenv("SEED") ? (unsigned int)atoi(getenv("SEED")) : (unsigned int)time(NULL);
	struct ip_addr pe = A("192.0.2.9");
	struct nexthop *nh = nexthop_pe(nht, &pe, TRANSPORT_DEFAULT);
	struct fib_nh *obj = nexthop_fib_use(nht, nh);
	char want[512], got[512];
	unsigned int round, i, e, done, on, turn, reason;

	print_message("SEED=%u\n", seed);
	srand(seed);
	for (round = 0; round < ROUNDS; round++) {
		on = rand() % (1u << EVENTS);
		for (turn = 0; turn < 2; turn++) {
			for (i = 0; i < 20; i++)
				happen(rand() % EVENTS, rand() % 2);
			for (done = 0; done != (1u << EVENTS) - 1;) {
				e = rand() % EVENTS;
				if (done >> e & 1)
					continue;
				happen(e, on >> e & 1);
				done |= 1u << e;
				if (rand() % 3)
					jobs_run(jobs, 0);
			}
			jobs_run(jobs, 0);
			fib_nh_str(obj, got, sizeof(got));
			if (turn) {
				assert_string_equal(got, want);
				assert_int_equal(nh->reason, reason);
			}
			strcpy(want, got);
			reason = nh->reason;
			assert_int_equal(nh->reason == NH_OK, obj->kind != FIB_NH_UNREACHABLE);
		}
	}
	for (e = 0; e < EVENTS; e++)
		happen(e, false);
	jobs_run(jobs, 0);
	fib_nh_put(rib_fib(rib), obj);
	nexthop_put(nht, nh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(needs_of_a_tunnel, setup, teardown),
		cmocka_unit_test_setup_teardown(ipv6_core, setup, teardown),
		cmocka_unit_test_setup_teardown(kinds_stand_behind_each_other, setup, teardown),
		cmocka_unit_test_setup_teardown(any_order, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
