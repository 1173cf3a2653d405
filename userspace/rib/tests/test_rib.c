// SPDX-License-Identifier: GPL-2.0
/* rooms: lib rib */
/*
 * Attributes, tables, best path, subscriptions, next hops and forwarding objects.
 *
 *   pe 10.0.0.9 --LSP--> core0/core1 (global)        ce1: 10.1.1.1/24 in VRF 1
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "rib/lsp.h"
#include "rib/table.h"
#include "rib/transport.h"
#include "rib/tests/recorder.h"

static const struct rib_proto bgp = { .id = RIB_PROTO_BGP, .name = "bgp", .code = 'B' };
static const struct rib_proto stat = { .id = RIB_PROTO_STATIC, .name = "static", .code = 'S' };

static struct jobs *jobs;
static struct rib *rib;
static struct nht *nht;
static struct recorder rec;

static struct prefix P(const char *s)
{
	struct prefix p;

	assert_true(prefix_parse(s, &p));
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
	struct prefix p;

	assert_true(prefix_parse_host(s, &p));
	nht_addr_add(nht, ifindex, &p);
}

static void lsp_on(const char *fec, const char *gw, uint32_t label, bool backup)
{
	struct lsp_path path = { .owner = RIB_PROTO_STATIC, .gateway = A(gw), .weight = 1,
				 .backup = backup, .n_labels = 1, .labels = { label } };
	struct prefix f = P(fec);

	strcpy(path.name, gw);
	lsp_announce(nht, &f, &path);
}

static int setup(void **unused)
{
	jobs = jobs_new(NULL);
	rib = rib_new(jobs);
	nht = rib_nht(rib);
	rec_start(&rec, rib_fib(rib));
	rib_table_new(rib, "RED", RIB_TABLE_VRF, AF_INET, 1);
	nht_port_vrf(nht, "ce1", 1);
	link_up(10, "core0", true);
	addr_on(10, "192.168.0.1/24");
	link_up(11, "core1", true);
	addr_on(11, "192.168.1.1/24");
	link_up(12, "ce1", true);
	addr_on(12, "10.1.1.1/24");
	return 0;
}

static int teardown(void **unused)
{
	struct prefix f = P("10.0.0.9/32");

	lsp_withdraw(nht, &f, RIB_PROTO_STATIC, "192.168.0.2");
	lsp_withdraw(nht, &f, RIB_PROTO_STATIC, "192.168.1.2");
	rib_table_free(rib_table_find(rib, 1, AF_INET));
	jobs_run(jobs, 0);
	rec_end(&rec);
	rib_free(rib);
	jobs_free(jobs);
	assert_int_equal(attrs_count(), 0);
	return 0;
}

static void source_make(struct rib_source *s, const struct rib_proto *proto, const char *name,
			uint8_t distance)
{
	memset(s, 0, sizeof(*s));
	s->proto = proto;
	s->name = name;
	s->table = rib_table_find(rib, 1, AF_INET);
	s->distance = distance;
	s->is_bgp = proto == &bgp;
	s->is_local = !s->is_bgp;
	rib_source_init(s);
}

/* as_path: ASs, 0 ends */
static struct attrs *attrs_make(uint32_t local_pref, uint32_t med, const uint32_t *as_path)
{
	struct attrs_builder b;
	uint8_t path[2 + 4 * 8];
	unsigned int n = 0;
	uint32_t as;

	memset(&b, 0, sizeof(b));
	for (; as_path && as_path[n]; n++) {
		as = htonl(as_path[n]);
		memcpy(path + 2 + 4 * n, &as, 4);
	}
	path[0] = 2;
	path[1] = n;
	b.part[ATTRS_AS_PATH].data = path;
	b.part[ATTRS_AS_PATH].len = n ? 2 + 4 * n : 0;
	b.f.flags = ATTRS_HAS_LOCAL_PREF | ATTRS_HAS_MED;
	b.f.local_pref = local_pref;
	b.f.med = med;
	return attrs_intern(&b);
}

static void attrs_are_interned(void **unused)
{
	static const uint8_t ext1[] = { 0, 2, 0, 1, 0, 0, 0, 2,  0, 2, 0, 1, 0, 0, 0, 1 };
	static const uint8_t ext2[] = { 0, 2, 0, 1, 0, 0, 0, 1,  0, 2, 0, 1, 0, 0, 0, 2,
					0, 2, 0, 1, 0, 0, 0, 1 };
	static const uint8_t bad_path[] = { 2, 3, 0, 0, 0, 1 };
	static const uint8_t path[] = { 2, 2, 0, 0, 0, 7, 0, 1, 0, 0,  1, 2, 0, 0, 0, 7, 0, 0, 0, 9 };
	struct attrs_builder b;
	struct attrs *x, *y;
	char buf[64];

	memset(&b, 0, sizeof(b));
	b.part[ATTRS_EXT].data = ext1;
	b.part[ATTRS_EXT].len = sizeof(ext1);
	x = attrs_intern(&b);
	b.part[ATTRS_EXT].data = ext2;
	b.part[ATTRS_EXT].len = sizeof(ext2);
	y = attrs_intern(&b);
	assert_ptr_equal(x, y);
	assert_true(attrs_has_ext(x, ext1));
	b.part[ATTRS_EXT].len = 9;
	assert_null(attrs_intern(&b));
	attrs_put(x);
	attrs_put(y);
	memset(&b, 0, sizeof(b));
	b.part[ATTRS_AS_PATH].data = bad_path;
	b.part[ATTRS_AS_PATH].len = sizeof(bad_path);
	assert_null(attrs_intern(&b));
	b.part[ATTRS_AS_PATH].data = path;
	b.part[ATTRS_AS_PATH].len = sizeof(path);
	x = attrs_intern(&b);
	assert_int_equal(x->path_length, 3);
	assert_int_equal(x->neighbour_as, 7);
	assert_int_equal(attrs_path_count(x, 7), 2);
	assert_string_equal(attrs_path_str(x, buf, sizeof(buf)), "7 65536 {7 9}");
	attrs_to_builder(x, &b);
	y = attrs_intern(&b);
	assert_ptr_equal(x, y);
	attrs_put(x);
	attrs_put(y);
	assert_int_equal(attrs_count(), 0);
}

#define N 7

/* whatever the order of arrival, withdrawal and return, the same route is the best */
static void best_does_not_depend_on_order(void **unused)
{
	static const char *const names[N] = { "p0", "p1", "p2", "p3", "p4", "p5", "p6" };
	unsigned int seed = getenv("SEED") ? (unsigned int)atoi(getenv("SEED")) : (unsigned int)time(NULL);
	struct ip_addr gw = A("10.1.1.2");
	struct nexthop *nh = nexthop_gateway(nht, 1, &gw, NULL);
	struct prefix p = P("10.9.0.0/16");
	struct rib_source s[N];
	struct attrs *a[N];
	struct rib_path path;
	unsigned int round, i, k, winner, step;
	struct rib_net *net;

	print_message("SEED=%u\n", seed);
	srand(seed);
	assert_true(nexthop_usable(nh));
	for (round = 0; round < 300; round++) {
		for (i = 0; i < N; i++) {
			uint32_t as[] = { 100 + rand() % 2, 200, 300, 0 };

			as[1 + rand() % 3] = 0;
			source_make(&s[i], &bgp, names[i], RIB_DISTANCE_EBGP);
			s[i].is_ibgp = rand() % 2;
			s[i].router_id = rand() % 3;
			s[i].peer = addr_v4(rand() % 100);
			a[i] = attrs_make(100 + rand() % 2, rand() % 3, as);
		}
		winner = N;
		for (step = 0; step < 8; step++) {
			for (i = 0; i < N; i++) {
				k = rand() % N;
				path = (struct rib_path){ .attrs = a[k], .nh = nh,
							  .label = RIB_LABEL_NONE };
				if (rand() % 3)
					rib_announce(&s[k], NULL, &p, &path);
				else
					rib_withdraw(&s[k], NULL, &p, 0);
			}
			for (i = 0; i < N; i++) {
				k = (i + step) % N;
				path = (struct rib_path){ .attrs = a[k], .nh = nh,
							  .label = RIB_LABEL_NONE };
				rib_announce(&s[k], NULL, &p, &path);
			}
			net = rib_find(s[0].table, NULL, &p);
			assert_non_null(rib_best(net));
			k = rib_best(net)->source - s;
			if (winner == N)
				winner = k;
			assert_int_equal(k, winner);
		}
		for (i = 0; i < N; i++) {
			rib_source_flush_now(&s[i]);
			attrs_put(a[i]);
		}
		assert_null(rib_find(s[0].table, NULL, &p));
	}
	nexthop_put(nht, nh);
}

static struct rib_source ruled[2];

/* from two external peers, the second one first */
static void announce_ruled(const struct prefix *p, struct nexthop *nh, int first, const bool has_med[2],
			   const uint32_t med[2], const uint32_t neighbour[2])
{
	for (int i = 0; i < 2; i++) {
		int k = i ? !first : first;
		const uint32_t as[2] = { neighbour[k] };
		struct attrs *a = attrs_make(100, med[k], as), *b;
		struct attrs_builder builder;
		struct rib_path path = { .nh = nh, .label = RIB_LABEL_NONE };

		attrs_to_builder(a, &builder);
		builder.f.flags = has_med[k] ? builder.f.flags | ATTRS_HAS_MED : builder.f.flags & ~ATTRS_HAS_MED;
		b = attrs_intern(&builder);
		path.attrs = b;
		rib_announce(&ruled[k], NULL, p, &path);
		attrs_put(a);
		attrs_put(b);
	}
}

static const struct rib_source *winner(const struct prefix *p)
{
	return rib_best(rib_find(ruled[0].table, NULL, p))->source;
}

static void rules_may_be_chosen(void **unused)
{
	static const uint32_t zero[2], same[2] = { 1, 1 }, other[2] = { 1, 2 }, med[2] = { 5, 0 }, meds[2] = { 9, 5 };
	static const bool both[2] = { true, true }, one[2] = { true, false };
	const struct decision_rules old = { .compare_router_id = true };
	struct ip_addr gw = A("10.1.1.2");
	struct nexthop *nh = nexthop_gateway(nht, 1, &gw, NULL);
	struct prefix p = P("10.9.0.0/16");

	for (int k = 0; k < 2; k++) {
		source_make(&ruled[k], &bgp, k ? "b" : "a", RIB_DISTANCE_EBGP);
		ruled[k].router_id = k + 1;
		ruled[k].peer = addr_v4(k + 1);
	}
	/* alike but for the router id: the one that is best already stays it, when that is the rule */
	announce_ruled(&p, nh, 1, both, zero, same);
	assert_ptr_equal(winner(&p), &ruled[0]);
	rib_source_flush_now(&ruled[0]);
	rib_set_rules(rib, &(struct decision_rules){ .compare_router_id = false });
	announce_ruled(&p, nh, 1, both, zero, same);
	assert_ptr_equal(winner(&p), &ruled[1]);
	assert_int_equal(rib_best(rib_find(ruled[0].table, NULL, &p))->next->reason, RIB_LOST_AGE);
	/* it goes and comes back: then the other one is older */
	rib_withdraw(&ruled[1], NULL, &p, 0);
	announce_ruled(&p, nh, 0, both, zero, same);
	assert_ptr_equal(winner(&p), &ruled[0]);
	/* internal ones are not kept for being older */
	rib_source_flush_now(&ruled[0]);
	rib_source_flush_now(&ruled[1]);
	ruled[0].is_ibgp = ruled[1].is_ibgp = true;
	announce_ruled(&p, nh, 1, both, zero, same);
	assert_ptr_equal(winner(&p), &ruled[0]);
	rib_source_flush_now(&ruled[0]);
	rib_source_flush_now(&ruled[1]);
	ruled[0].is_ibgp = ruled[1].is_ibgp = false;
	rib_set_rules(rib, &old);
	/* MEDs of different neighbours: everything that is there is decided again */
	announce_ruled(&p, nh, 0, both, meds, other);
	assert_ptr_equal(winner(&p), &ruled[0]);
	rib_set_rules(rib, &(struct decision_rules){ .compare_router_id = true, .always_compare_med = true });
	jobs_run(jobs, 0);
	assert_ptr_equal(winner(&p), &ruled[1]);
	rib_set_rules(rib, &old);
	jobs_run(jobs, 0);
	assert_ptr_equal(winner(&p), &ruled[0]);
	/* none is the least, or the greatest */
	announce_ruled(&p, nh, 0, one, med, same);
	assert_ptr_equal(winner(&p), &ruled[1]);
	rib_set_rules(rib, &(struct decision_rules){ .compare_router_id = true, .missing_med_worst = true });
	jobs_run(jobs, 0);
	assert_ptr_equal(winner(&p), &ruled[0]);
	rib_set_rules(rib, &old);
	jobs_run(jobs, 0);
	rib_source_flush_now(&ruled[0]);
	rib_source_flush_now(&ruled[1]);
	nexthop_put(nht, nh);
}

/* each row: two routes that differ in one thing; the first wins for the reason given */
static void each_step_decides(void **unused)
{
	static const struct {
		uint32_t pref[2], med[2], path[2][4];
		bool ibgp[2];
		uint32_t id[2];
		uint8_t distance[2];
		enum rib_reason reason;
	} rows[] = {
		{ { 200, 100 }, { 9, 0 }, { { 1, 2 }, { 1 } }, { 1, 0 }, { 9, 1 }, { 20, 20 },
		  RIB_LOST_LOCAL_PREF },
		{ { 100, 100 }, { 9, 0 }, { { 1 }, { 1, 2 } }, { 1, 0 }, { 9, 1 }, { 20, 20 },
		  RIB_LOST_AS_PATH },
		{ { 100, 100 }, { 1, 2 }, { { 1 }, { 1 } }, { 1, 0 }, { 9, 1 }, { 20, 20 },
		  RIB_LOST_MED },
		{ { 100, 100 }, { 2, 1 }, { { 1 }, { 2 } }, { 0, 1 }, { 9, 1 }, { 20, 20 },
		  RIB_LOST_EBGP },
		{ { 100, 100 }, { 2, 1 }, { { 1 }, { 2 } }, { 0, 0 }, { 1, 9 }, { 20, 20 },
		  RIB_LOST_ROUTER_ID },
		{ { 100, 100 }, { 1, 1 }, { { 1 }, { 1 } }, { 0, 0 }, { 1, 1 }, { 20, 20 },
		  RIB_LOST_PEER },
	};
	struct ip_addr gw = A("10.1.1.2");
	struct nexthop *nh = nexthop_gateway(nht, 1, &gw, NULL);
	struct prefix p = P("10.9.0.0/16");
	struct rib_source s[2], st;
	struct rib_path path;
	struct rib_route *r;
	struct attrs *a;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (int k = 1; k >= 0; k--) {
			source_make(&s[k], &bgp, k ? "b" : "a", rows[i].distance[k]);
			s[k].is_ibgp = rows[i].ibgp[k];
			s[k].router_id = rows[i].id[k];
			s[k].peer = addr_v4(k + 1);
			a = attrs_make(rows[i].pref[k], rows[i].med[k], rows[i].path[k]);
			path = (struct rib_path){ .attrs = a, .nh = nh, .label = RIB_LABEL_NONE };
			rib_announce(&s[k], NULL, &p, &path);
			attrs_put(a);
		}
		r = rib_best(rib_find(s[0].table, NULL, &p));
		assert_ptr_equal(r->source, &s[0]);
		assert_int_equal(r->next->reason, rows[i].reason);
		/* a static route beats them all by distance */
		source_make(&st, &stat, "static", RIB_DISTANCE_STATIC);
		path = (struct rib_path){ .nh = nh, .label = RIB_LABEL_NONE };
		rib_announce(&st, NULL, &p, &path);
		r = rib_best(rib_find(s[0].table, NULL, &p));
		assert_ptr_equal(r->source, &st);
		assert_int_equal(r->next->reason, RIB_LOST_DISTANCE);
		rib_source_flush_now(&st);
		rib_source_flush_now(&s[0]);
		rib_source_flush_now(&s[1]);
	}
	nexthop_put(nht, nh);
}

static unsigned int changes, idles;
static struct rib_net *last_net;

static void on_change(struct rib_sub *sub, struct rib_net *net)
{
	changes++;
	last_net = net;
}

static void on_idle(struct rib_sub *sub)
{
	idles++;
}

static void subscribers_hear_once(void **unused)
{
	struct rib_sub sub = { .name = "test", .change = on_change, .idle = on_idle }, late = sub;
	struct ip_addr gw = A("10.1.1.2");
	struct nexthop *nh = nexthop_gateway(nht, 1, &gw, NULL);
	struct rib_path path = { .nh = nh, .label = RIB_LABEL_NONE };
	struct prefix p = P("10.9.0.0/16"), q;
	struct rib_source s;
	unsigned int i;

	source_make(&s, &stat, "static", 1);
	assert_true(rib_subscribe(s.table, &sub, true));
	jobs_run(jobs, 0);
	changes = idles = 0;
	for (i = 0; i < 5; i++) {
		path.metric = i;
		rib_announce(&s, NULL, &p, &path);
	}
	assert_int_equal(changes, 0);
	jobs_run(jobs, 0);
	assert_int_equal(changes, 1);
	assert_int_equal(idles, 1);
	rib_announce(&s, NULL, &p, &path);
	jobs_run(jobs, 0);
	assert_int_equal(changes, 1);
	/* a net withdrawn before its turn is still there to be looked at */
	path.metric = 9;
	rib_announce(&s, NULL, &p, &path);
	rib_withdraw(&s, NULL, &p, 0);
	assert_non_null(rib_find(s.table, NULL, &p));
	jobs_run(jobs, 0);
	assert_int_equal(changes, 2);
	assert_null(rib_find(s.table, NULL, &p));
	/* many, and a late subscriber that is told everything while things change */
	for (i = 0; i < 2000; i++) {
		q = (struct prefix){ .addr = addr_v4(0x0a000000 + (i << 8)), .len = 24 };
		rib_announce(&s, NULL, &q, &path);
	}
	assert_true(rib_subscribe(s.table, &late, true));
	changes = 0;
	jobs_run(jobs, 0);
	assert_int_equal(changes, 4000);
	assert_int_equal(rib_table_nets(s.table), 2000);
	assert_int_equal(rib_table_max_id(s.table), 2000);
	rib_source_stale(&s);
	for (i = 0; i < 500; i++) {
		q = (struct prefix){ .addr = addr_v4(0x0a000000 + (i << 8)), .len = 24 };
		rib_announce(&s, NULL, &q, &path);
	}
	changes = 0;
	rib_source_sweep(&s, NULL);
	jobs_run(jobs, 0);
	assert_int_equal(s.count, 500);
	assert_int_equal(changes, 3000);
	/* a mark made while a sweep waits is not for it: 100 are refreshed, 400 go, 100 are stale again */
	rib_source_stale(&s);
	for (i = 0; i < 100; i++) {
		q = (struct prefix){ .addr = addr_v4(0x0a000000 + (i << 8)), .len = 24 };
		rib_announce(&s, NULL, &q, &path);
	}
	rib_source_sweep(&s, NULL);
	rib_source_stale(&s);
	jobs_run(jobs, 0);
	assert_int_equal(s.count, 100);
	assert_true(rib_route_stale(rib_routes(rib_find(s.table, NULL, &q))));
	rib_announce(&s, NULL, &q, &path);
	assert_false(rib_route_stale(rib_routes(rib_find(s.table, NULL, &q))));
	rib_source_sweep(&s, NULL);
	jobs_run(jobs, 0);
	assert_int_equal(s.count, 1);
	rib_source_flush(&s, NULL);
	assert_false(rib_source_idle(&s));
	rib_unsubscribe(&late);
	jobs_run(jobs, 0);
	assert_true(rib_source_idle(&s));
	assert_int_equal(rib_table_nets(s.table), 0);
	rib_unsubscribe(&sub);
	nexthop_put(nht, nh);
}

static unsigned int count_within(const struct rib_table *t, const struct rd *rd, const char *prefix)
{
	struct prefix p = P(prefix), last = { 0 };
	struct rib_cursor c = { 0 };
	struct rib_net *net;
	unsigned int n = 0;

	for (; (net = rib_walk_within(t, rd, &p, &c)); n++) {
		struct prefix q = rib_net_prefix(net);

		assert_true(prefix_contains(&p, &q));
		assert_true(!rd || !memcmp(rib_net_rd(net), rd, sizeof(*rd)));
		assert_true(!n || !rd || prefix_cmp(&last, &q) < 0);
		last = q;
	}
	return n;
}

/* what is within a prefix, of one RD and of all, while nets go; and the same in a table without RDs */
static void walks_within(void **unused)
{
	static const char *const prefixes[] = {
		"10.0.0.0/8", "10.9.0.0/16", "10.9.1.0/24", "10.9.1.1/32", "10.10.0.0/16", "11.0.0.0/8",
	};
	struct rib_table *t = rib_table_vpn(rib, AF_INET);
	struct ip_addr pe = A("10.0.0.9");
	struct nexthop *nh = nexthop_pe(nht, &pe, TRANSPORT_DEFAULT);
	struct rib_path path = { .nh = nh, .label = 500 };
	struct rib_source s = { .proto = &bgp, .table = t, .name = "rr", .is_bgp = true }, ce;
	struct rib_cursor c = { 0 };
	struct rd rd[3] = { { { 0, 0, 0, 1 } }, { { 0, 0, 0, 2 } }, { { 0, 0, 0, 3 } } };
	struct prefix p;
	struct rib_net *net;
	unsigned int i, j, n = 0;

	assert_int_equal(count_within(t, NULL, "0.0.0.0/0"), 0);
	rib_source_init(&s);
	source_make(&ce, &bgp, "ce", 20);
	for (i = 0; i < ARRAY_SIZE(prefixes); i++) {
		p = P(prefixes[i]);
		/* the second RD has nothing within 10.9.0.0/16 */
		for (j = 0; j < 3; j++)
			if (j != 1 || i >= 4)
				rib_announce(&s, &rd[j], &p, &path);
		rib_announce(&ce, NULL, &p, &path);
	}
	assert_int_equal(count_within(t, NULL, "0.0.0.0/0"), 14);
	assert_int_equal(count_within(t, NULL, "10.9.0.0/16"), 6);
	assert_int_equal(count_within(t, &rd[2], "10.9.0.0/16"), 3);
	assert_int_equal(count_within(t, &rd[1], "10.9.0.0/16"), 0);
	assert_int_equal(count_within(t, &rd[1], "0.0.0.0/0"), 2);
	assert_int_equal(count_within(ce.table, NULL, "10.9.0.0/16"), 3);
	assert_int_equal(count_within(ce.table, NULL, "12.0.0.0/8"), 0);
	p = P("10.9.0.0/16");
	for (; (net = rib_walk_within(t, NULL, &p, &c)); n++) {
		struct prefix q = rib_net_prefix(net);

		rib_withdraw(&s, rib_net_rd(net), &q, 0);
	}
	assert_int_equal(n, 6);
	assert_int_equal(count_within(t, NULL, "0.0.0.0/0"), 8);
	rib_source_flush_now(&s);
	rib_source_flush_now(&ce);
	nexthop_put(nht, nh);
}

/* a source's routes, while some go and some are announced again */
static void source_walks(void **unused)
{
	struct ip_addr gw = A("10.1.1.2");
	struct nexthop *nh = nexthop_gateway(nht, 1, &gw, NULL);
	struct rib_path path = { .nh = nh, .label = RIB_LABEL_NONE };
	struct rib_source_walk w, all;
	struct rib_source ce, other;
	struct rib_route *r;
	unsigned int i, n = 0;
	struct prefix p;

	source_make(&ce, &bgp, "ce", 20);
	source_make(&other, &bgp, "other", 20);
	for (i = 0; i < 32; i++) {
		const uint8_t octets[4] = { 20, (uint8_t)i };

		p = prefix_make(AF_INET, octets, 16);
		rib_announce(&ce, NULL, &p, &path);
		rib_announce(&other, NULL, &p, &path);
	}
	rib_source_walk_init(&w, &ce);
	rib_source_walk_init(&all, &ce);
	for (; (r = rib_source_walk_next(&w, rib)); n++) {
		assert_ptr_equal(r->source, &ce);
		p = rib_net_prefix(r->net);
		p.addr.b[1] ^= 1;
		/* of each pair the second goes before its turn comes */
		rib_withdraw(&ce, NULL, &p, 0);
	}
	assert_int_equal(n, 16);
	rib_source_walk_end(&w);
	/* one that is announced again and again has an end nevertheless */
	for (n = 0; (r = rib_source_walk_next(&all, rib)); n++) {
		p = rib_net_prefix(r->net);
		rib_announce(&ce, NULL, &p, &path);
	}
	assert_int_equal(n, 64);
	rib_source_walk_end(&all);
	rib_source_flush_now(&ce);
	rib_source_flush_now(&other);
	nexthop_put(nht, nh);
}

static void vpn_table_walks_in_order(void **unused)
{
	struct rib_table *t = rib_table_vpn(rib, AF_INET);
	struct ip_addr pe = A("10.0.0.9");
	struct nexthop *nh = nexthop_pe(nht, &pe, TRANSPORT_DEFAULT);
	struct rib_path path = { .nh = nh, .label = 500 };
	struct prefix p = P("10.9.0.0/16");
	struct rib_cursor c = { 0 };
	struct rib_source s = { .proto = &bgp, .table = t, .name = "rr", .is_bgp = true };
	struct rd rd = { { 0 } };
	unsigned int i, seen = 0;
	struct rib_net *net;

	rib_source_init(&s);
	for (i = 0; i < 64; i++) {
		rd.b[7] = i * 37 % 64;
		rib_announce(&s, &rd, &p, &path);
	}
	while ((net = rib_walk(t, &c))) {
		assert_int_equal(rib_net_rd(net)->b[7], seen);
		assert_null(rib_best(net));
		if (seen++ % 2)
			rib_withdraw(&s, rib_net_rd(net), &p, 0);
	}
	assert_int_equal(seen, 64);
	memset(&c, 0, sizeof(c));
	for (seen = 0; (net = rib_walk_prefix(t, &p, &c)); seen++)
		assert_int_equal(rib_net_rd(net)->b[7], seen * 2);
	assert_int_equal(seen, 32);
	rib_source_flush_now(&s);
	assert_int_equal(rib_table_nets(t), 0);
	nexthop_put(nht, nh);
}

static void ldp_on(const char *fec, const char *gw, uint32_t label)
{
	struct lsp_path path = { .owner = RIB_PROTO_LDP, .gateway = A(gw), .weight = 1,
				 .n_labels = 1, .labels = { label } };
	struct prefix f = P(fec);

	strcpy(path.name, gw);
	lsp_announce(nht, &f, &path);
}

/* a static and an LDP path to one PE: each policy sees what it names, in its order */
static void policies_choose_among_kinds(void **unused)
{
	struct ip_addr pe = A("10.0.0.9"), other = A("10.0.0.8");
	struct transport_peer peer = { pe, { 1, { RIB_PROTO_BGP } } };
	struct transport_policy ldp = { .name = "ldp", .order = { 1, { RIB_PROTO_LDP } }, .max_paths = 1 };
	struct prefix f = P("10.0.0.9/32");
	struct nexthop *any, *by_ldp, *none;
	struct fib_nh *obj, *ldp_obj;
	uint16_t id;

	id = transport_policy_set(nht, &ldp);
	assert_int_equal(transport_policy_id(nht, "ldp"), id);
	assert_int_equal(transport_policy_id(nht, "nothing"), TRANSPORT_DEFAULT);
	any = nexthop_pe(nht, &pe, TRANSPORT_DEFAULT);
	by_ldp = nexthop_pe(nht, &pe, id);
	assert_ptr_not_equal(any, by_ldp);
	obj = nexthop_fib_use(nht, any);
	ldp_obj = nexthop_fib_use(nht, by_ldp);
	lsp_on("10.0.0.9/32", "192.168.0.2", 77, false);
	jobs_run(jobs, 0);
	assert_int_equal(any->reason, NH_OK);
	assert_int_equal(obj->kind, FIB_NH_LABELLED);
	assert_int_equal(by_ldp->reason, NH_TRANSPORT_POLICY);
	assert_int_equal(ldp_obj->kind, FIB_NH_UNREACHABLE);
	ldp_on("10.0.0.9/32", "192.168.1.2", 88);
	ldp_on("10.0.0.9/32", "192.168.0.2", 89);
	jobs_run(jobs, 0);
	/* the static one carries, LDP's stand behind it */
	assert_int_equal(obj->kind, FIB_NH_GROUP);
	assert_int_equal(obj->n_members, 3);
	assert_int_equal(obj->members[0].nh->labels[0], 77);
	assert_false(obj->members[0].backup);
	assert_true(obj->members[1].backup && obj->members[2].backup);
	/* one path at most, and none that is static */
	assert_int_equal(ldp_obj->kind, FIB_NH_LABELLED);
	assert_int_equal(ldp_obj->labels[0], 89);
	lsp_withdraw(nht, &f, RIB_PROTO_STATIC, "192.168.0.2");
	jobs_run(jobs, 0);
	assert_int_equal(obj->n_members, 2);
	assert_false(obj->members[0].backup || obj->members[1].backup);
	/* this PE by paths that are not there, all others by LDP */
	ldp.n_peers = 1;
	ldp.peers = &peer;
	assert_int_equal(transport_policy_set(nht, &ldp), id);
	jobs_run(jobs, 0);
	assert_int_equal(by_ldp->reason, NH_TRANSPORT_POLICY);
	assert_int_equal(any->reason, NH_OK);
	/* gone by name, it holds for those who have it */
	transport_policy_del(nht, "ldp");
	assert_int_equal(transport_policy_id(nht, "ldp"), TRANSPORT_DEFAULT);
	ldp.n_peers = 0;
	assert_int_equal(transport_policy_set(nht, &ldp), id);
	jobs_run(jobs, 0);
	assert_int_equal(by_ldp->reason, NH_OK);
	none = nexthop_pe(nht, &other, id);
	assert_int_equal(none->reason, NH_NO_LSP);
	nexthop_put(nht, none);
	lsp_withdraw(nht, &f, RIB_PROTO_LDP, "192.168.0.2");
	lsp_withdraw(nht, &f, RIB_PROTO_LDP, "192.168.1.2");
	jobs_run(jobs, 0);
	fib_nh_put(rib_fib(rib), obj);
	fib_nh_put(rib_fib(rib), ldp_obj);
	nexthop_put(nht, any);
	nexthop_put(nht, by_ldp);
}

/* transport comes, doubles, is lost link by link: the routes keep one object */
static void remote_pe_follows_its_lsps(void **unused)
{
	struct ip_addr pe = A("10.0.0.9");
	struct nexthop *nh = nexthop_pe(nht, &pe, TRANSPORT_DEFAULT);
	struct rib_path path = { .nh = nh, .label = 500 };
	struct rib_source s;
	struct rec_route *r;
	struct fib_nh *obj;
	struct prefix p;
	unsigned int i, events;

	assert_int_equal(nh->reason, NH_NO_LSP);
	source_make(&s, &bgp, "vpn", 20);
	for (i = 0; i < 1000; i++) {
		p = (struct prefix){ .addr = addr_v4(0x0a000000 + (i << 8)), .len = 24 };
		rib_announce(&s, NULL, &p, &path);
	}
	assert_int_equal(rec.n_routes, 0);
	assert_int_equal(rib_routes(rib_find(s.table, NULL, &p))->reason, RIB_LOST_NEXTHOP);
	lsp_on("10.0.0.9/32", "192.168.0.2", 77, false);
	jobs_run(jobs, 0);
	assert_int_equal(rec.n_routes, 1000);
	r = rec_route(&rec, 1, &p);
	assert_int_equal(r->dest.label, 500);
	obj = r->dest.nh;
	assert_int_equal(obj->kind, FIB_NH_LABELLED);
	assert_int_equal(obj->labels[0], 77);
	assert_int_equal(obj->via->ifindex, 10);

	events = rec.route_events;
	lsp_on("10.0.0.9/32", "192.168.1.2", 88, false);
	jobs_run(jobs, 0);
	assert_int_equal(obj->kind, FIB_NH_GROUP);
	assert_int_equal(obj->n_members, 2);
	link_up(10, "core0", false);
	jobs_run(jobs, 0);
	assert_int_equal(obj->kind, FIB_NH_LABELLED);
	assert_int_equal(obj->labels[0], 88);
	assert_int_equal(rec.route_events, events);
	nht_link_del(nht, 11);
	/* the shared object is told first, then the routes go */
	jobs_run(jobs, 0);
	assert_int_equal(nh->reason, NH_LSP_DOWN);
	assert_int_equal(rec.n_routes, 0);
	link_up(21, "core1", true);
	addr_on(21, "192.168.1.1/24");
	jobs_run(jobs, 0);
	assert_int_equal(rec.n_routes, 1000);
	assert_int_equal(rec_route(&rec, 1, &p)->dest.nh->via->ifindex, 21);
	rib_source_flush_now(&s);
	nexthop_put(nht, nh);
}

static void gateways_in_a_vrf(void **unused)
{
	struct ip_addr gw = A("10.1.1.2"), far = A("10.77.0.1"), own = A("10.1.1.1");
	struct nexthop *nh = nexthop_gateway(nht, 1, &gw, NULL);
	struct nexthop *rec_nh_ = nexthop_gateway(nht, 1, &far, NULL);
	struct nexthop *me = nexthop_gateway(nht, 1, &own, NULL);
	struct nexthop *other = nexthop_gateway(nht, 2, &gw, NULL);
	struct rib_path path = { .nh = nh, .label = RIB_LABEL_NONE };
	struct prefix p = P("10.77.0.0/16"), q = P("10.88.0.0/16"), self = P("10.77.0.0/24");
	struct fib_dest d;
	struct rib_source s;

	assert_int_equal(nh->reason, NH_OK);
	assert_int_equal(me->reason, NH_OWN_ADDRESS);
	assert_int_equal(other->reason, NH_NO_ROUTE);
	assert_int_equal(rec_nh_->reason, NH_NO_ROUTE);
	source_make(&s, &stat, "static", 1);
	path.nh = rec_nh_;
	rib_announce(&s, NULL, &q, &path);
	assert_false(fib_route_get(rib_fib(rib), 1, &q, &d));
	path.nh = nh;
	rib_announce(&s, NULL, &p, &path);
	jobs_run(jobs, 0);
	assert_true(fib_route_get(rib_fib(rib), 1, &q, &d));
	assert_int_equal(d.nh->kind, FIB_NH_ADJACENCY);
	assert_int_equal(d.nh->ifindex, 12);
	assert_true(addr_eq(&d.nh->gateway, &gw));
	/* a more specific route to the gateway through the gateway itself changes nothing */
	path.nh = rec_nh_;
	rib_announce(&s, NULL, &self, &path);
	assert_false(jobs_run(jobs, 2000));
	rib_withdraw(&s, NULL, &self, 0);
	jobs_run(jobs, 0);
	assert_true(fib_route_get(rib_fib(rib), 1, &q, &d));
	/* link-local: the same address is ours on another port, and the CE's on this one */
	struct ip_addr ll = A("fe80::1");
	struct nexthop *local = nexthop_gateway(nht, 1, &ll, "ce1");

	nht_port_vrf(nht, "ce3", 1);
	link_up(14, "ce3", true);
	addr_on(14, "fe80::1/64");
	jobs_run(jobs, 0);
	assert_int_equal(local->reason, NH_OK);
	assert_int_equal(local->ifindex, 12);
	nexthop_put(nht, local);
	/* the port moves to another VRF: nothing of VRF 1 goes out of it */
	nht_port_vrf(nht, "ce1", 2);
	jobs_run(jobs, 0);
	assert_int_equal(nh->reason, NH_NO_ROUTE);
	assert_int_equal(other->reason, NH_OK);
	assert_int_equal(rec.n_routes, 0);
	nht_port_vrf(nht, "ce1", 1);
	jobs_run(jobs, 0);
	assert_int_equal(rec.n_routes, 2);
	rib_source_flush_now(&s);
	nexthop_put(nht, nh);
	nexthop_put(nht, rec_nh_);
	nexthop_put(nht, me);
	nexthop_put(nht, other);
}

static void group_of_gateways(void **unused)
{
	struct ip_addr a = A("10.1.1.2"), b = A("10.2.2.2");
	struct nexthop_member m[2] = { { .weight = 1 }, { .weight = 3 } };
	struct prefix p = P("10.77.0.0/16");
	struct rib_path path = { .label = RIB_LABEL_NONE };
	struct fib_dest d;
	struct rib_source s;

	m[0].nh = nexthop_gateway(nht, 1, &a, NULL);
	m[1].nh = nexthop_gateway(nht, 1, &b, NULL);
	path.nh = nexthop_group_get(nht, m, 2);
	source_make(&s, &stat, "static", 1);
	rib_announce(&s, NULL, &p, &path);
	assert_true(fib_route_get(rib_fib(rib), 1, &p, &d));
	assert_int_equal(d.nh->n_members, 1);
	nht_port_vrf(nht, "ce2", 1);
	link_up(13, "ce2", true);
	addr_on(13, "10.2.2.1/24");
	jobs_run(jobs, 0);
	assert_int_equal(d.nh->n_members, 2);
	assert_int_equal(d.nh->members[1].weight, 3);
	link_up(12, "ce1", false);
	link_up(13, "ce2", false);
	jobs_run(jobs, 0);
	assert_false(fib_route_get(rib_fib(rib), 1, &p, &d));
	rib_source_flush_now(&s);
	nexthop_put(nht, path.nh);
	nexthop_put(nht, m[0].nh);
	nexthop_put(nht, m[1].nh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attrs_are_interned),
		cmocka_unit_test_setup_teardown(best_does_not_depend_on_order, setup, teardown),
		cmocka_unit_test_setup_teardown(each_step_decides, setup, teardown),
		cmocka_unit_test_setup_teardown(rules_may_be_chosen, setup, teardown),
		cmocka_unit_test_setup_teardown(subscribers_hear_once, setup, teardown),
		cmocka_unit_test_setup_teardown(vpn_table_walks_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(walks_within, setup, teardown),
		cmocka_unit_test_setup_teardown(source_walks, setup, teardown),
		cmocka_unit_test_setup_teardown(remote_pe_follows_its_lsps, setup, teardown),
		cmocka_unit_test_setup_teardown(policies_choose_among_kinds, setup, teardown),
		cmocka_unit_test_setup_teardown(gateways_in_a_vrf, setup, teardown),
		cmocka_unit_test_setup_teardown(group_of_gateways, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
