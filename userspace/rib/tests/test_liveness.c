// SPDX-License-Identifier: GPL-2.0
/* rooms: lib rib */
/*
 * rib/liveness.h: watches that share a target, what the provider is told, and what a loss means for next hops, paths
 * and remote PEs.
 *
 *   core0 192.168.0.1/24 -- 192.168.0.2     core1 192.168.1.1/24 -- 192.168.1.2     ce0 (VRF 1) 10.0.0.1/24 -- 10.0.0.2
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/jobs.h"
#include "rib/liveness.h"
#include "rib/lsp.h"
#include "rib/table.h"

static struct jobs *jobs;
static struct rib *rib;
static struct nht *nht;
static struct liveness *live;

/* what the provider was told last */
static struct {
	unsigned int wants, ends, leads, leads_no;
	struct liveness_key key;
	struct liveness_params params;
	uint32_t id;
} told;

static void on_want(void *arg, const struct liveness_key *key, const struct liveness_params *params)
{
	told.key = *key;
	if (params)
		told.params = *params;
	told.wants += params != NULL;
	told.ends += params == NULL;
}

static void on_adjacency(void *arg, const struct liveness_key *key, uint32_t id, bool leads)
{
	told.key = *key;
	told.id = id;
	told.leads += leads;
	told.leads_no += !leads;
}

struct client {
	struct liveness_watch watch;
	unsigned int calls;
	enum liveness_state state;
};

static void on_change(struct liveness_watch *w, enum liveness_state state, const char *why)
{
	struct client *c = (struct client *)w;

	c->calls++;
	c->state = state;
}

static struct ip_addr A(const char *s)
{
	struct ip_addr a;

	assert_true(addr_parse(s, &a));
	return a;
}

static void link_on(int ifindex, const char *name, const char *addr)
{
	struct nht_link l = { .ifindex = ifindex, .up = true };
	struct prefix p;

	strcpy(l.name, name);
	nht_link_set(nht, &l);
	assert_true(prefix_parse_host(addr, &p));
	nht_addr_add(nht, ifindex, &p);
}

static int setup(void **state)
{
	static const struct liveness_provider provider = { .want = on_want, .adjacency = on_adjacency };

	memset(&told, 0, sizeof(told));
	jobs = jobs_new(NULL);
	rib = rib_new(jobs);
	nht = rib_nht(rib);
	live = rib_liveness(rib);
	nht_port_vrf(nht, "ce0", 1);
	link_on(1, "core0", "192.168.0.1/24");
	link_on(2, "core1", "192.168.1.1/24");
	link_on(3, "ce0", "10.0.0.1/24");
	jobs_run(jobs, 0);
	liveness_provide(live, &provider);
	return 0;
}

static int teardown(void **state)
{
	jobs_run(jobs, 0);
	rib_free(rib);
	jobs_free(jobs);
	return 0;
}

static struct liveness_params P(uint32_t ms, uint8_t mult, bool passive)
{
	return (struct liveness_params){ .interval_us = ms * 1000, .multiplier = mult, .passive = passive };
}

static struct liveness_key single(uint32_t vrf, const char *peer)
{
	struct ip_addr a = A(peer);

	return liveness_key(vrf, false, &a, NULL, NULL);
}

static void report(const struct liveness_key *key, enum liveness_state state)
{
	liveness_report(live, key, state, "test");
	jobs_run(jobs, 0);
}

static void one_target_for_all(void **state)
{
	struct client a = { .watch.change = on_change }, b = { .watch.change = on_change };
	struct liveness_key key = single(1, "10.0.0.2"), other = single(2, "10.0.0.2");
	struct liveness_params p = P(300, 5, true), q = P(50, 7, false);

	liveness_watch(live, &a.watch, &key, &p);
	assert_int_equal(told.wants, 1);
	assert_int_equal(told.params.interval_us, 300000);
	assert_true(told.params.passive);
	liveness_watch(live, &b.watch, &key, &q);
	/* the most demanding of both */
	assert_int_equal(told.wants, 2);
	assert_int_equal(told.params.interval_us, 50000);
	assert_int_equal(told.params.multiplier, 5);
	assert_false(told.params.passive);
	report(&other, LIVENESS_UP);		/* another VRF's */
	assert_int_equal(a.calls, 0);
	report(&key, LIVENESS_UP);
	report(&key, LIVENESS_UP);
	report(&key, LIVENESS_DOWN);
	assert_int_equal(a.calls, 2);
	assert_int_equal(b.calls, 2);
	assert_int_equal(b.state, LIVENESS_DOWN);
	assert_int_equal(liveness_state(&a.watch), LIVENESS_DOWN);
	/* other settings: the target stays, and its state */
	q = P(100, 3, false);
	liveness_watch(live, &b.watch, &key, &q);
	assert_int_equal(told.wants, 3);
	assert_int_equal(told.ends, 0);
	assert_int_equal(liveness_state(&b.watch), LIVENESS_DOWN);
	liveness_unwatch(live, &b.watch);
	assert_int_equal(told.params.interval_us, 300000);
	liveness_unwatch(live, &b.watch);
	assert_int_equal(told.ends, 0);
	/* moves to another one */
	liveness_watch(live, &a.watch, &other, &p);
	assert_int_equal(told.ends, 1);
	assert_int_equal(liveness_state(&a.watch), LIVENESS_UNKNOWN);
	liveness_unwatch(live, &a.watch);
	assert_int_equal(told.ends, 2);
}

static void what_counts_of_a_key(void **state)
{
	struct ip_addr peer = A("10.0.0.2"), local = A("10.0.0.1"), ll = A("fe80::2");
	struct liveness_key a = liveness_key(1, false, &peer, &local, "ce0"), b = single(1, "10.0.0.2");
	struct liveness_key c = liveness_key(1, false, &ll, NULL, "ce0"), d = liveness_key(1, false, &ll, NULL, "ce1");

	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_not_equal(memcmp(&c, &d, sizeof(c)), 0);
	a = liveness_key(1, true, &peer, &local, "ce0");
	b = liveness_key(1, true, &peer, NULL, NULL);
	assert_int_not_equal(memcmp(&a, &b, sizeof(a)), 0);
	assert_int_equal(a.ifname[0], 0);
}

static void provider_that_comes_late(void **state)
{
	static const struct liveness_provider provider = { .want = on_want, .adjacency = on_adjacency };
	struct client a = { .watch.change = on_change };
	struct liveness_key key = single(1, "10.0.0.2");
	struct ip_addr gateway = A("10.0.0.2");
	struct liveness_params p = P(50, 3, false);

	liveness_provide(live, NULL);
	liveness_watch(live, &a.watch, &key, &p);
	liveness_adjacency(live, 7, 3, &gateway);
	assert_int_equal(told.wants + told.leads, 0);
	liveness_provide(live, &provider);
	assert_int_equal(told.wants, 1);
	assert_int_equal(told.leads, 1);
	assert_int_equal(told.id, 7);
	liveness_unwatch(live, &a.watch);
}

static void next_hops_of_forwarding(void **state)
{
	struct client a = { .watch.change = on_change };
	struct liveness_key key = single(1, "10.0.0.2");
	struct ip_addr gateway = A("10.0.0.2"), other = A("10.0.0.3");
	struct liveness_params p = P(50, 3, false);

	liveness_watch(live, &a.watch, &key, &p);
	liveness_adjacency(live, 7, 1, &gateway);	/* that address, but in the global table */
	liveness_adjacency(live, 8, 3, &other);
	assert_int_equal(told.leads, 0);
	liveness_adjacency(live, 9, 3, &gateway);
	assert_int_equal(told.leads, 1);
	liveness_adjacency(live, 9, 3, &gateway);	/* again: it may have been lost */
	assert_int_equal(told.leads, 2);
	liveness_adjacency(live, 9, 3, &other);		/* the id leads elsewhere now */
	assert_int_equal(told.leads_no, 1);
	liveness_adjacency(live, 9, 3, &gateway);
	liveness_adjacency_gone(live, 9);
	assert_int_equal(told.leads_no, 2);
	liveness_adjacency_gone(live, 9);
	assert_int_equal(told.leads_no, 2);
	liveness_unwatch(live, &a.watch);
}

/* The way to a remote PE, whatever it is, goes by the session that was asked for of that PE, and by no other. */
static void ways_to_a_remote_pe(void **state)
{
	const struct nexthop_live ask = { .interval_us = 50000, .multiplier = 3 }, no = { 0 };
	struct client peer = { .watch.change = on_change };
	struct ip_addr pe = A("192.0.2.9"), other = A("192.0.2.8");
	struct liveness_key key = liveness_key(0, true, &pe, NULL, NULL);
	struct liveness_params p = P(50, 3, false);

	/* a BGP peer of that address alone is not it */
	liveness_watch(live, &peer.watch, &key, &p);
	liveness_pe(live, 20, &pe);
	liveness_pe(live, 21, &other);
	assert_int_equal(told.leads, 0);
	nht_live_pe(nht, &pe, &ask);
	assert_int_equal(told.leads, 1);
	assert_int_equal(told.id, 20);
	assert_memory_equal(&told.key, &key, sizeof(key));
	liveness_pe(live, 22, &pe);		/* by another policy */
	assert_int_equal(told.leads, 2);
	assert_int_equal(told.id, 22);
	liveness_adjacency(live, 20, 3, &pe);	/* an adjacency of that number now */
	assert_int_equal(told.leads, 2);
	assert_int_equal(told.leads_no, 1);
	nht_live_pe(nht, &pe, &no);
	assert_int_equal(told.leads_no, 2);
	assert_int_equal(told.id, 22);
	assert_int_equal(told.ends, 0);
	liveness_unwatch(live, &peer.watch);
	assert_int_equal(told.ends, 1);
	nht_live_pe(nht, &pe, &ask);
	assert_int_equal(told.leads, 3);
	assert_int_equal(told.id, 22);
	nht_live_pe(nht, &pe, &no);
	assert_int_equal(told.ends, 2);
}

static void next_hop_that_asks(void **state)
{
	const struct nexthop_live ask = { .interval_us = 50000, .multiplier = 3 };
	struct ip_addr gateway = A("10.0.0.2");
	struct nexthop *asks = nexthop_gateway_live(nht, 1, &gateway, NULL, &ask);
	struct nexthop *not = nexthop_gateway(nht, 1, &gateway, NULL);
	struct liveness_key key = single(1, "10.0.0.2");

	assert_ptr_not_equal(asks, not);
	assert_int_equal(told.wants, 1);
	assert_true(nexthop_usable(asks));	/* not heard of: no reason to do anything */
	report(&key, LIVENESS_UP);
	assert_true(nexthop_usable(asks));
	report(&key, LIVENESS_DOWN);
	assert_int_equal(asks->reason, NH_NEIGHBOR_DOWN);
	assert_true(nexthop_usable(not));
	report(&key, LIVENESS_UNKNOWN);
	assert_true(nexthop_usable(asks));
	nexthop_put(nht, asks);
	assert_int_equal(told.ends, 1);
	nexthop_put(nht, not);
}

static const struct lsp *path_of(const char *fec, const char *name)
{
	struct prefix p;
	const struct lsp *lsp;

	assert_true(prefix_parse_host(fec, &p));
	list_for_each(lsp, lsp_paths(nht, &p), struct lsp, node)
		if (!strcmp(lsp->path.name, name))
			return lsp;
	fail();
	return NULL;
}

static void path(const char *fec, const char *gateway, bool backup)
{
	struct lsp_path path = { .owner = RIB_PROTO_STATIC, .gateway = A(gateway), .weight = 1, .backup = backup,
				 .n_labels = 1, .labels = { 100 } };
	struct prefix p;

	assert_true(prefix_parse_host(fec, &p));
	strcpy(path.name, gateway);
	lsp_announce(nht, &p, &path);
	jobs_run(jobs, 0);
}

static void routers_of_the_core(void **state)
{
	const struct nexthop_live ask = { .interval_us = 50000, .multiplier = 3 }, no = { 0 };
	struct ip_addr pe_addr = A("192.0.2.9");
	struct nexthop *pe = nexthop_pe(nht, &pe_addr, 0);
	struct liveness_key key = single(0, "192.168.0.2");
	struct prefix fec;

	path("192.0.2.9/32", "192.168.0.2", false);
	path("192.0.2.9/32", "192.168.1.2", true);
	assert_int_equal(told.wants, 0);
	nht_live_interface(nht, "core0", &ask);
	jobs_run(jobs, 0);
	/* paths that are there already, and that interface's alone */
	assert_int_equal(told.wants, 1);
	assert_memory_equal(&told.key, &key, sizeof(key));
	report(&key, LIVENESS_UP);
	assert_true(path_of("192.0.2.9/32", "192.168.0.2")->usable);
	report(&key, LIVENESS_DOWN);
	assert_int_equal(path_of("192.0.2.9/32", "192.168.0.2")->reason, NH_NEIGHBOR_DOWN);
	assert_true(path_of("192.0.2.9/32", "192.168.1.2")->usable);
	assert_true(nexthop_usable(pe));
	/* the session goes on while nothing leads there: it has to find out when the router is back */
	assert_int_equal(told.ends, 0);
	assert_true(prefix_parse_host("192.0.2.9/32", &fec));
	lsp_withdraw(nht, &fec, RIB_PROTO_STATIC, "192.168.1.2");
	jobs_run(jobs, 0);
	assert_false(nexthop_usable(pe));
	report(&key, LIVENESS_UP);
	assert_true(nexthop_usable(pe));
	report(&key, LIVENESS_DOWN);
	/* no longer wanted: no longer a reason */
	nht_live_interface(nht, "core0", &no);
	jobs_run(jobs, 0);
	assert_int_equal(told.ends, 1);
	assert_true(nexthop_usable(pe));
	nexthop_put(nht, pe);
	lsp_withdraw(nht, &fec, RIB_PROTO_STATIC, "192.168.0.2");
}

static void labelled_next_hop_on_a_link(void **state)
{
	const struct nexthop_live ask = { .interval_us = 50000, .multiplier = 3 };
	struct ip_addr gateway = A("192.168.0.2");
	struct liveness_key key = single(0, "192.168.0.2");
	struct nexthop *nh;

	nht_live_interface(nht, "core0", &ask);
	nh = nexthop_labelled(nht, &gateway, NULL);
	assert_int_equal(told.wants, 1);
	report(&key, LIVENESS_UP);
	report(&key, LIVENESS_DOWN);
	assert_int_equal(nh->reason, NH_NEIGHBOR_DOWN);
	report(&key, LIVENESS_UP);
	assert_true(nexthop_usable(nh));
	nexthop_put(nht, nh);
	assert_int_equal(told.ends, 1);
}

static void remote_pe(void **state)
{
	const struct nexthop_live ask = { .interval_us = 50000, .multiplier = 3, .multihop = true }, no = { 0 };
	struct ip_addr addr = A("192.0.2.9");
	struct nexthop *pe = nexthop_pe(nht, &addr, 0);
	struct liveness_key key = liveness_key(0, true, &addr, NULL, NULL);
	struct prefix fec;

	path("192.0.2.9/32", "192.168.0.2", false);
	assert_true(nexthop_usable(pe));
	nht_live_pe(nht, &addr, &ask);
	assert_int_equal(told.wants, 1);
	assert_true(told.key.multihop);
	report(&key, LIVENESS_UP);
	assert_true(nexthop_usable(pe));
	report(&key, LIVENESS_DOWN);
	assert_int_equal(pe->reason, NH_NEIGHBOR_DOWN);
	report(&key, LIVENESS_UP);
	assert_true(nexthop_usable(pe));
	report(&key, LIVENESS_DOWN);
	nht_live_pe(nht, &addr, &no);
	jobs_run(jobs, 0);
	assert_true(nexthop_usable(pe));
	nexthop_put(nht, pe);
	assert_true(prefix_parse_host("192.0.2.9/32", &fec));
	lsp_withdraw(nht, &fec, RIB_PROTO_STATIC, "192.168.0.2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_target_for_all, setup, teardown),
		cmocka_unit_test_setup_teardown(what_counts_of_a_key, setup, teardown),
		cmocka_unit_test_setup_teardown(provider_that_comes_late, setup, teardown),
		cmocka_unit_test_setup_teardown(next_hops_of_forwarding, setup, teardown),
		cmocka_unit_test_setup_teardown(ways_to_a_remote_pe, setup, teardown),
		cmocka_unit_test_setup_teardown(next_hop_that_asks, setup, teardown),
		cmocka_unit_test_setup_teardown(routers_of_the_core, setup, teardown),
		cmocka_unit_test_setup_teardown(labelled_next_hop_on_a_link, setup, teardown),
		cmocka_unit_test_setup_teardown(remote_pe, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
