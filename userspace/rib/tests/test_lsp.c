// SPDX-License-Identifier: GPL-2.0
/* rooms: lib rib */
/*
 * Paths that lead over other paths (RFC 8277 over static ones): what reaches forwarding is flat.
 *
 *   core0 192.168.0.1/24 --- 192.168.0.2 ... abr 10.0.0.3 ... pe 10.0.0.4
 *   core1 192.168.1.1/24 --- 192.168.1.2
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rib/lsp.h"
#include "rib/table.h"
#include "rib/transport.h"
#include "rib/tests/recorder.h"

#define ORDERS 200
#define ABR "10.0.0.3"
#define PE "10.0.0.4"

static struct jobs *jobs;
static struct rib *rib;
static struct nht *nht;
static struct recorder rec;

static struct ip_addr A(const char *s)
{
	struct ip_addr a;

	assert_true(addr_parse(s, &a));
	return a;
}

static struct prefix host(const char *s)
{
	struct ip_addr a = A(s);

	return prefix_host(&a);
}

static void link_up(int ifindex, const char *name, const char *addr, bool up)
{
	struct nht_link l = { .ifindex = ifindex, .up = up };
	struct prefix p;

	strcpy(l.name, name);
	nht_link_set(nht, &l);
	assert_true(prefix_parse_host(addr, &p));
	nht_addr_add(nht, ifindex, &p);
}

static void links(bool first, bool second)
{
	link_up(10, "core0", "192.168.0.1/24", first);
	link_up(11, "core1", "192.168.1.1/24", second);
}

static int setup(void **unused)
{
	jobs = jobs_new(NULL);
	rib = rib_new(jobs);
	nht = rib_nht(rib);
	rec_start(&rec, rib_fib(rib));
	links(true, true);
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

static void announce(uint8_t owner, const char *fec, const char *gateway, unsigned int n, uint32_t label)
{
	struct lsp_path path = { .owner = owner, .gateway = A(gateway), .weight = 1,
				 .recursive = owner == RIB_PROTO_BGP, .n_labels = n };
	struct prefix f = host(fec);
	unsigned int i;

	for (i = 0; i < n; i++)
		path.labels[i] = label + i;
	snprintf(path.name, sizeof(path.name), "%s", owner == RIB_PROTO_BGP ? "best" : gateway);
	lsp_announce(nht, &f, &path);
}

static void withdraw(uint8_t owner, const char *fec, const char *gateway)
{
	struct prefix f = host(fec);

	lsp_withdraw(nht, &f, owner, owner == RIB_PROTO_BGP ? "best" : gateway);
}

static struct nexthop *pe(const char *s)
{
	struct ip_addr a = A(s);

	return nexthop_pe(nht, &a, TRANSPORT_DEFAULT);
}

static void expect(struct nexthop *nh, const char *want)
{
	char text[512];

	jobs_run(jobs, 0);
	assert_int_equal(nh->reason, NH_OK);
	assert_string_equal(fib_nh_str(nh->fib, text, sizeof(text)), want);
}

static void labels_go_below_those_of_the_lower_path(void **unused)
{
	struct nht_way way = { .ifindex = 10, .gateway = A("192.168.0.2"), .weight = 1 };
	struct nexthop *nh = pe(PE);
	struct fib_nh *fib = nexthop_fib_use(nht, nh);
	struct prefix abr = host(ABR);
	unsigned int events;

	announce(RIB_PROTO_BGP, PE, ABR, 1, 24000);
	jobs_run(jobs, 0);
	assert_int_equal(nh->reason, NH_LOWER_LSP);
	announce(RIB_PROTO_STATIC, ABR, "192.168.0.2", 1, 1003);
	expect(nh, "via 192.168.0.2 ifindex 10 labels 1003/24000");
	/* as far as that router is: nothing is known of what is behind it */
	nht_route_set(nht, &abr, &way, 1, 30);
	jobs_run(jobs, 0);
	assert_int_equal(nh->metric, 30);
	nht_route_del(nht, &abr);
	/* another lower path beside it, equal: both carry */
	announce(RIB_PROTO_STATIC, ABR, "192.168.1.2", 1, 2003);
	expect(nh, "group {via 192.168.0.2 ifindex 10 labels 1003/24000 weight 1} "
		   "{via 192.168.1.2 ifindex 11 labels 2003/24000 weight 1}");
	/* the lower path changes: the PE's object does, and no other; the parts come and go with it */
	events = rec.route_events;
	links(false, true);
	expect(nh, "via 192.168.1.2 ifindex 11 labels 2003/24000");
	links(true, true);
	withdraw(RIB_PROTO_STATIC, ABR, "192.168.1.2");
	expect(nh, "via 192.168.0.2 ifindex 10 labels 1003/24000");
	announce(RIB_PROTO_STATIC, ABR, "192.168.0.2", 0, 0);
	expect(nh, "via 192.168.0.2 ifindex 10 labels 24000");
	assert_int_equal(rec.route_events, events);
	withdraw(RIB_PROTO_STATIC, ABR, "192.168.0.2");
	jobs_run(jobs, 0);
	assert_int_equal(nh->reason, NH_LOWER_LSP);
	assert_int_equal(nh->fib->kind, FIB_NH_UNREACHABLE);
	withdraw(RIB_PROTO_BGP, PE, ABR);
	jobs_run(jobs, 0);
	assert_int_equal(nh->reason, NH_NO_LSP);
	fib_nh_put(rib_fib(rib), fib);
	nexthop_put(nht, nh);
}

static void connected_router_needs_no_lower_path(void **unused)
{
	struct nexthop *nh = pe(PE);
	struct fib_nh *fib = nexthop_fib_use(nht, nh);

	announce(RIB_PROTO_BGP, PE, "192.168.0.2", 1, 24000);
	expect(nh, "via 192.168.0.2 ifindex 10 labels 24000");
	links(false, true);
	jobs_run(jobs, 0);
	assert_false(nexthop_usable(nh));
	links(true, true);
	/* implicit null: nothing at all */
	announce(RIB_PROTO_BGP, PE, "192.168.0.2", 1, LABEL_IMPLICIT_NULL);
	expect(nh, "via 192.168.0.2 ifindex 10");
	withdraw(RIB_PROTO_BGP, PE, "");
	fib_nh_put(rib_fib(rib), fib);
	nexthop_put(nht, nh);
}

/* A router tells its own address, with itself as next hop: its other paths are what leads there. */
static void path_to_itself_takes_the_others(void **unused)
{
	struct nexthop *nh = pe(PE), *r;
	struct fib_nh *fib = nexthop_fib_use(nht, nh), *fr;
	struct ip_addr a = A(PE);

	announce(RIB_PROTO_BGP, PE, PE, 1, LABEL_IMPLICIT_NULL);
	jobs_run(jobs, 0);
	assert_int_equal(nh->reason, NH_RECURSION);
	announce(RIB_PROTO_LDP, PE, "192.168.0.2", 1, 300);
	/* by BGP it is the same way once more: not a backup of itself */
	expect(nh, "via 192.168.0.2 ifindex 10 labels 300");
	announce(RIB_PROTO_BGP, PE, PE, 1, 24000);
	expect(nh, "via 192.168.0.2 ifindex 10 labels 300");
	/* nor what the label of that very path is pushed under */
	r = nexthop_labelled(nht, &a, NULL);
	fr = nexthop_fib_use(nht, r);
	expect(r, "via 192.168.0.2 ifindex 10 labels 300");
	fib_nh_put(rib_fib(rib), fr);
	nexthop_put(nht, r);
	withdraw(RIB_PROTO_LDP, PE, "192.168.0.2");
	jobs_run(jobs, 0);
	assert_int_equal(nh->reason, NH_RECURSION);
	withdraw(RIB_PROTO_BGP, PE, "");
	fib_nh_put(rib_fib(rib), fib);
	nexthop_put(nht, nh);
}

static void no_path_leads_through_itself(void **unused)
{
	struct nexthop *a = pe("10.0.0.5"), *b = pe("10.0.0.6");
	struct fib_nh *fa = nexthop_fib_use(nht, a), *fb = nexthop_fib_use(nht, b);

	announce(RIB_PROTO_BGP, "10.0.0.5", "10.0.0.6", 1, 500);
	announce(RIB_PROTO_BGP, "10.0.0.6", "10.0.0.5", 1, 600);
	jobs_run(jobs, 0);
	assert_int_equal(a->reason, NH_RECURSION);
	assert_int_equal(b->reason, NH_RECURSION);
	announce(RIB_PROTO_STATIC, "10.0.0.6", "192.168.0.2", 1, 1006);
	expect(a, "via 192.168.0.2 ifindex 10 labels 1006/500");
	/* its own backup would lead through a, which leads through it: found to be longer, yet no loop */
	expect(b, "group {via 192.168.0.2 ifindex 10 labels 1006 weight 1} "
		  "{via 192.168.0.2 ifindex 10 labels 1006/500/600 weight 1 backup}");
	withdraw(RIB_PROTO_STATIC, "10.0.0.6", "192.168.0.2");
	jobs_run(jobs, 0);
	assert_int_equal(a->reason, NH_RECURSION);
	assert_int_equal(b->reason, NH_RECURSION);
	withdraw(RIB_PROTO_BGP, "10.0.0.5", "");
	withdraw(RIB_PROTO_BGP, "10.0.0.6", "");
	fib_nh_put(rib_fib(rib), fa);
	fib_nh_put(rib_fib(rib), fb);
	nexthop_put(nht, a);
	nexthop_put(nht, b);
}

static void depth_and_labels_are_bounded(void **unused)
{
	struct nexthop *nh = pe("10.0.1.6");
	char fec[32], via[32];
	int i;

	announce(RIB_PROTO_STATIC, "10.0.1.1", "192.168.0.2", LSP_LABELS_MAX - 1, 1000);
	announce(RIB_PROTO_BGP, "10.0.1.6", "10.0.1.1", 2, 24000);
	jobs_run(jobs, 0);
	assert_int_equal(nh->reason, NH_LABEL_STACK);
	announce(RIB_PROTO_BGP, "10.0.1.6", "10.0.1.1", 1, 24000);
	jobs_run(jobs, 0);
	assert_int_equal(nh->reason, NH_OK);
	/* 1 <- 2 <- 3 <- 4 <- 5 <- 6: five over a static one */
	announce(RIB_PROTO_STATIC, "10.0.1.1", "192.168.0.2", 0, 0);
	for (i = 2; i <= 6; i++) {
		snprintf(fec, sizeof(fec), "10.0.1.%d", i);
		snprintf(via, sizeof(via), "10.0.1.%d", i - 1);
		announce(RIB_PROTO_BGP, fec, via, 0, 0);
	}
	jobs_run(jobs, 0);
	assert_int_equal(nh->reason, NH_RECURSION);
	announce(RIB_PROTO_BGP, "10.0.1.6", "10.0.1.4", 0, 0);
	jobs_run(jobs, 0);
	assert_int_equal(nh->reason, NH_OK);
	withdraw(RIB_PROTO_STATIC, "10.0.1.1", "192.168.0.2");
	for (i = 2; i <= 6; i++) {
		snprintf(fec, sizeof(fec), "10.0.1.%d", i);
		withdraw(RIB_PROTO_BGP, fec, "");
	}
	nexthop_put(nht, nh);
}

static void router_is_connected_or_has_a_path(void **unused)
{
	struct ip_addr near = A("192.168.0.2"), far = A(ABR), own = A("192.168.0.1");
	struct nexthop *n = nexthop_labelled(nht, &near, NULL), *f = nexthop_labelled(nht, &far, NULL);
	struct nexthop *o = nexthop_labelled(nht, &own, NULL);
	struct fib_nh *fn = nexthop_fib_use(nht, n), *ff = nexthop_fib_use(nht, f);

	assert_int_equal(o->reason, NH_OWN_ADDRESS);
	expect(n, "via 192.168.0.2 ifindex 10");
	assert_int_equal(f->reason, NH_NO_LSP);
	announce(RIB_PROTO_STATIC, ABR, "192.168.1.2", 1, 1003);
	expect(f, "via 192.168.1.2 ifindex 11 labels 1003");
	links(true, false);
	jobs_run(jobs, 0);
	assert_int_equal(f->reason, NH_LSP_DOWN);
	withdraw(RIB_PROTO_STATIC, ABR, "192.168.1.2");
	fib_nh_put(rib_fib(rib), fn);
	fib_nh_put(rib_fib(rib), ff);
	nexthop_put(nht, n);
	nexthop_put(nht, f);
	nexthop_put(nht, o);
}

/* ---- whatever the order of events, the end is the same ---- */

static void event(unsigned int i)
{
	switch (i) {
	case 0:
		announce(RIB_PROTO_STATIC, ABR, "192.168.0.2", 1, 1003);
		break;
	case 1:
		announce(RIB_PROTO_LDP, ABR, "192.168.1.2", 1, 2003);
		break;
	case 2:
		announce(RIB_PROTO_BGP, "10.0.0.5", ABR, 1, 500);
		break;
	case 3:
		announce(RIB_PROTO_BGP, PE, "10.0.0.5", 1, 400);
		break;
	case 4:
		announce(RIB_PROTO_BGP, ABR, PE, 1, 300);
		break;
	case 5:
		links(false, true);
		break;
	default:
		links(true, true);
		break;
	}
}

static void order_of_events_does_not_matter(void **unused)
{
	static const char *const routers[] = { ABR, PE, "10.0.0.5" };
	char first[3][512] = { "" }, text[512];
	unsigned int order, i, k, done, seed = 1;
	struct nexthop *nh[3];
	struct fib_nh *fib[3];

	for (i = 0; i < 3; i++) {
		nh[i] = pe(routers[i]);
		fib[i] = nexthop_fib_use(nht, nh[i]);
	}
	for (order = 0; order < ORDERS; order++) {
		for (done = 0; done != 0x7f;) {
			i = (unsigned int)rand_r(&seed) % 7;
			/* the link comes back last of its own two */
			if (done & 1u << i || (i == 6 && !(done & 1u << 5)))
				continue;
			done |= 1u << i;
			event(i);
			if (rand_r(&seed) % 2)
				jobs_run(jobs, 0);
		}
		jobs_run(jobs, 0);
		for (k = 0; k < 3; k++) {
			assert_int_equal(nh[k]->reason, NH_OK);
			fib_nh_str(nh[k]->fib, text, sizeof(text));
			if (!order)
				strcpy(first[k], text);
			assert_string_equal(text, first[k]);
		}
		withdraw(RIB_PROTO_STATIC, ABR, "192.168.0.2");
		withdraw(RIB_PROTO_LDP, ABR, "192.168.1.2");
		for (k = 0; k < 3; k++)
			withdraw(RIB_PROTO_BGP, routers[k], "");
		jobs_run(jobs, 0);
		for (k = 0; k < 3; k++)
			assert_int_equal(nh[k]->reason, NH_NO_LSP);
	}
	assert_non_null(strstr(first[1], "labels 1003/500/400"));
	for (i = 0; i < 3; i++) {
		fib_nh_put(rib_fib(rib), fib[i]);
		nexthop_put(nht, nh[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(labels_go_below_those_of_the_lower_path, setup, teardown),
		cmocka_unit_test_setup_teardown(connected_router_needs_no_lower_path, setup, teardown),
		cmocka_unit_test_setup_teardown(path_to_itself_takes_the_others, setup, teardown),
		cmocka_unit_test_setup_teardown(no_path_leads_through_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(depth_and_labels_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(router_is_connected_or_has_a_path, setup, teardown),
		cmocka_unit_test_setup_teardown(order_of_events_does_not_matter, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
