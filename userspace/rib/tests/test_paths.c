// SPDX-License-Identifier: GPL-2.0
/* rooms: lib rib */
/*
 * Multipath and backups of a VRF's routes, the forwarding objects that they share, and what an interior metric touches.
 *
 *   PEs 10.0.0.1 .. 10.0.0.4 --LSPs over core0--      ce1: 10.1.1.1/24, CEs .2 .. .5 in VRF 1
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
#include "rib/paths.h"
#include "rib/transport.h"
#include "rib/tests/recorder.h"

#define PES 4
#define OWN 100			/* our router id; that of PE n is 10 n, of CE n 1000 + n */

static const struct rib_proto bgp = { .id = RIB_PROTO_BGP, .name = "bgp", .code = 'B' };
static const struct rib_proto vpn = { .id = RIB_PROTO_VPN, .name = "vpn", .code = 'V' };
static const struct rib_proto stat = { .id = RIB_PROTO_STATIC, .name = "static", .code = 'S' };

static struct jobs *jobs;
static struct rib *rib;
static struct nht *nht;
static struct rib_table *red;
static struct recorder rec;
static struct rib_source import, pe[PES + 1], ce[6];
static char names[16][16];

static struct prefix P(const char *s)
{
	struct prefix p;

	assert_true(prefix_parse_host(s, &p));
	return p;
}

static struct ip_addr address(const char *net, unsigned int n)
{
	struct ip_addr a;
	char text[32];

	snprintf(text, sizeof(text), "%s.%u", net, n);
	assert_true(addr_parse(text, &a));
	return a;
}

static void settle(void)
{
	jobs_run(jobs, 0);
}

static void link_up(int ifindex, const char *name, const char *addr)
{
	struct nht_link l = { .ifindex = ifindex, .up = true };
	struct prefix p = P(addr);

	strcpy(l.name, name);
	nht_link_set(nht, &l);
	nht_addr_add(nht, ifindex, &p);
}

static void lsp_to(unsigned int n, bool up)
{
	struct lsp_path path = { .owner = RIB_PROTO_STATIC, .name = "p", .gateway = address("192.168.0", 2),
				 .weight = 1, .n_labels = 1, .labels = { 900 + n } };
	struct ip_addr a = address("10.0.0", n);
	struct prefix fec = prefix_host(&a);

	if (up)
		lsp_announce(nht, &fec, &path);
	else
		lsp_withdraw(nht, &fec, RIB_PROTO_STATIC, "p");
}

static void metric_to(unsigned int n, uint32_t metric)
{
	struct nht_way way = { .gateway = address("192.168.0", 2), .ifindex = 1, .weight = 1 };
	struct ip_addr a = address("10.0.0", n);
	struct prefix p = prefix_host(&a);

	nht_route_set(nht, &p, &way, 1, metric);
}

static void source_make(struct rib_source *s, const struct rib_proto *proto, const char *name, struct rib_table *t)
{
	memset(s, 0, sizeof(*s));
	s->proto = proto;
	s->name = name;
	s->table = t;
	s->distance = proto == &stat ? RIB_DISTANCE_STATIC : RIB_DISTANCE_EBGP;
	s->is_bgp = proto != &stat;
	s->vrf = rib_table_vrf(t);
	rib_source_init(s);
}

static int setup(void **unused)
{
	unsigned int i;

	jobs = jobs_new(NULL);
	rib = rib_new(jobs);
	nht = rib_nht(rib);
	rib_set_router_id(rib, OWN);
	rec_start(&rec, rib_fib(rib));
	red = rib_table_new(rib, "RED", RIB_TABLE_VRF, AF_INET, 1);
	rib_table_set_multipath(red, &(struct rib_multipath){ .backup = true });
	nht_port_vrf(nht, "ce1", 1);
	link_up(1, "core0", "192.168.0.1/24");
	link_up(2, "ce1", "10.1.1.1/24");
	source_make(&import, &vpn, "vpn", red);
	for (i = 1; i <= PES; i++) {
		lsp_to(i, true);
		metric_to(i, 10);
		snprintf(names[i], sizeof(names[i]), "pe%u", i);
		source_make(&pe[i], &bgp, names[i], rib_table_vpn(rib, AF_INET));
		pe[i].is_ibgp = true;
		pe[i].router_id = 10 * i;
		pe[i].peer = address("10.0.0", i);
	}
	for (i = 2; i <= 5; i++) {
		snprintf(names[8 + i], sizeof(names[8 + i]), "ce%u", i);
		source_make(&ce[i], &bgp, names[8 + i], red);
		ce[i].router_id = 1000 + i;
		ce[i].peer = address("10.1.1", i);
	}
	settle();
	return 0;
}

static int teardown(void **unused)
{
	unsigned int i;

	rib_source_flush_now(&import);
	for (i = 2; i <= 5; i++)
		rib_source_flush_now(&ce[i]);
	for (i = 1; i <= PES; i++) {
		rib_source_flush_now(&pe[i]);
		lsp_to(i, false);
	}
	rib_table_free(red);
	settle();
	rec_end(&rec);
	rib_free(rib);
	jobs_free(jobs);
	assert_int_equal(attrs_count(), 0);
	return 0;
}

struct what {
	uint32_t local_pref, med, as, label;	/* 0: 100, none, 65001, 500 + PE */
};

static struct attrs *attrs_make(struct what w)
{
	uint8_t path[6] = { 2, 1, 0, 0, 0xfd, 0xe9 };
	struct attrs_builder b;

	memset(&b, 0, sizeof(b));
	if (w.as) {
		path[4] = w.as >> 8;
		path[5] = w.as;
	}
	b.part[ATTRS_AS_PATH].data = path;
	b.part[ATTRS_AS_PATH].len = sizeof(path);
	b.f.flags = ATTRS_HAS_LOCAL_PREF;
	b.f.local_pref = w.local_pref ? w.local_pref : 100;
	if (w.med) {
		b.f.flags |= ATTRS_HAS_MED;
		b.f.med = w.med;
	}
	return attrs_intern(&b);
}

/* as import makes them; @id tells several of one PE apart */
static void from_pe_id(const char *prefix, unsigned int n, struct what w, uint32_t id)
{
	struct rd rd = { { 0, 0, 0, 1, 0, 0, 0, n } };
	struct ip_addr a = address("10.0.0", n);
	struct prefix p = P(prefix);
	struct rib_path path = { .nh = nexthop_pe(nht, &a, TRANSPORT_DEFAULT), .label = w.label ? w.label : 500 + n,
				 .attrs = attrs_make(w) };

	rib_announce(&pe[n], &rd, &p, &path);
	path.origin = rib_find(rib_table_vpn(rib, AF_INET), &rd, &p);
	path.peer = &pe[n];
	path.flags = RIB_ROUTE_IMPORTED;
	path.path_id = n + 16 * id;
	rib_announce(&import, NULL, &p, &path);
	attrs_put(path.attrs);
	nexthop_put(nht, path.nh);
}

static void from_pe(const char *prefix, unsigned int n, struct what w)
{
	from_pe_id(prefix, n, w, 0);
}

static void from_ce(const char *prefix, unsigned int n, struct what w)
{
	struct ip_addr a = address("10.1.1", n);
	struct prefix p = P(prefix);
	struct rib_path path = { .nh = nexthop_gateway(nht, 1, &a, NULL), .label = RIB_LABEL_NONE,
				 .attrs = attrs_make(w) };

	rib_announce(&ce[n], NULL, &p, &path);
	attrs_put(path.attrs);
	nexthop_put(nht, path.nh);
}

static void no_more(struct rib_source *s, const char *prefix, uint32_t id)
{
	struct prefix p = P(prefix);

	assert_true(rib_withdraw(s, NULL, &p, id));
}

static struct fib_dest dest(const char *prefix)
{
	struct fib_dest d = { .label = FIB_LABEL_NONE };
	struct prefix p = P(prefix);

	fib_route_get(rib_fib(rib), 1, &p, &d);
	return d;
}

/* "501 502 +504": VPN labels, CEs as "ce2"; "+" a backup, "!" one that leads onward, "~" not for the core */
static const char *ways(const char *prefix)
{
	static char buf[256];
	struct fib_dest d = dest(prefix);
	size_t used = 0;
	unsigned int i;

	buf[0] = 0;
	if (d.nh && d.nh->kind != FIB_NH_GROUP) {
		if (d.nh->kind == FIB_NH_ADJACENCY)
			snprintf(buf, sizeof(buf), "ce%u", d.nh->gateway.b[3]);
		else
			snprintf(buf, sizeof(buf), "%u", d.label);
		return buf;
	}
	for (i = 0; d.nh && i < d.nh->n_members; i++) {
		const struct fib_member *m = &d.nh->members[i];

		used += sprintf(buf + used, "%s%s", i ? " " : "",
				m->local ? "~" : m->onward ? "!" : m->backup ? "+" : "");
		if (m->nh->kind == FIB_NH_EGRESS)
			used += sprintf(buf + used, "%u", m->nh->labels[0]);
		else if (m->nh->kind == FIB_NH_ADJACENCY)
			used += sprintf(buf + used, "ce%u", m->nh->gateway.b[3]);
		else
			used += sprintf(buf + used, "?");
	}
	return buf;
}

static void rules(struct rib_multipath m)
{
	rib_table_set_multipath(red, &m);
	settle();
}

static void one_path_and_a_backup(void **unused)
{
	struct fib_dest d;

	from_pe("10.9.0.0/16", 1, (struct what){ 0 });
	assert_string_equal(ways("10.9.0.0/16"), "501");
	from_pe("10.9.0.0/16", 2, (struct what){ 0 });
	assert_string_equal(ways("10.9.0.0/16"), "501 +502");
	/* the better one comes: they change places */
	from_pe("10.9.0.0/16", 3, (struct what){ .local_pref = 200 });
	assert_string_equal(ways("10.9.0.0/16"), "503 +501");
	d = dest("10.9.0.0/16");
	assert_int_equal(d.label, FIB_LABEL_NONE);
	assert_ptr_equal(d.nh->members[0].nh->via->owner->fib, d.nh->members[0].nh->via);
	no_more(&import, "10.9.0.0/16", 3);
	assert_string_equal(ways("10.9.0.0/16"), "501 +502");
	no_more(&import, "10.9.0.0/16", 1);
	assert_string_equal(ways("10.9.0.0/16"), "502");
	/* without backups */
	from_pe("10.9.0.0/16", 1, (struct what){ 0 });
	rules((struct rib_multipath){ 0 });
	assert_string_equal(ways("10.9.0.0/16"), "501");
	rules((struct rib_multipath){ .backup = true });
	assert_string_equal(ways("10.9.0.0/16"), "501 +502");
	/* the same PE once more is no backup */
	no_more(&import, "10.9.0.0/16", 2);
	from_pe_id("10.9.0.0/16", 1, (struct what){ .label = 700 }, 1);
	assert_string_equal(ways("10.9.0.0/16"), "501");
}

static void equal_paths_of_pes(void **unused)
{
	unsigned int i;

	rules((struct rib_multipath){ .ibgp = 3 });
	for (i = PES; i; i--)
		from_pe("10.9.0.0/16", i, (struct what){ 0 });
	assert_string_equal(ways("10.9.0.0/16"), "501 502 503");
	rules((struct rib_multipath){ .ibgp = 3, .backup = true });
	assert_string_equal(ways("10.9.0.0/16"), "501 502 503 +504");
	rules((struct rib_multipath){ .ibgp = 64, .backup = true });
	assert_string_equal(ways("10.9.0.0/16"), "501 502 503 504");
	/* up to the interior metric */
	metric_to(2, 5);
	settle();
	assert_string_equal(ways("10.9.0.0/16"), "502 +501");
	metric_to(4, 5);
	settle();
	assert_string_equal(ways("10.9.0.0/16"), "502 504 +501");
	rules((struct rib_multipath){ .ibgp = 64, .unequal = true });
	assert_string_equal(ways("10.9.0.0/16"), "501 502 503 504");
	/* MED, local preference and AS path still count */
	from_pe("10.9.0.0/16", 3, (struct what){ .med = 7 });
	assert_string_equal(ways("10.9.0.0/16"), "501 502 504");
	from_pe("10.9.0.0/16", 3, (struct what){ .as = 65002 });
	assert_string_equal(ways("10.9.0.0/16"), "501 502 504");
	rules((struct rib_multipath){ .ibgp = 64, .unequal = true, .relax = true });
	assert_string_equal(ways("10.9.0.0/16"), "501 502 503 504");
	from_pe("10.9.0.0/16", 3, (struct what){ .local_pref = 99 });
	assert_string_equal(ways("10.9.0.0/16"), "501 502 504");
	/* two labels of one PE are two paths, one told twice is one */
	from_pe_id("10.9.0.0/16", 1, (struct what){ .label = 700 }, 1);
	from_pe_id("10.9.0.0/16", 1, (struct what){ 0 }, 2);
	assert_string_equal(ways("10.9.0.0/16"), "501 700 502 504");
	/* what CEs say is another matter */
	from_ce("10.9.0.0/16", 2, (struct what){ 0 });
	from_ce("10.9.0.0/16", 3, (struct what){ 0 });
	assert_string_equal(ways("10.9.0.0/16"), "ce2");
}

static void equal_paths_of_ces_and_pes(void **unused)
{
	from_ce("10.9.0.0/16", 2, (struct what){ 0 });
	from_ce("10.9.0.0/16", 3, (struct what){ 0 });
	from_pe("10.9.0.0/16", 1, (struct what){ 0 });
	from_pe("10.9.0.0/16", 2, (struct what){ 0 });
	assert_string_equal(ways("10.9.0.0/16"), "ce2 +ce3");
	rules((struct rib_multipath){ .ebgp = 8, .backup = true });
	/* PE 1 has the lower router id: it is the one to pass packets on to us, not we to it */
	assert_string_equal(ways("10.9.0.0/16"), "ce2 ce3 +501");
	rib_set_router_id(rib, 5);
	rules((struct rib_multipath){ .ebgp = 8 });
	rules((struct rib_multipath){ .ebgp = 8, .backup = true });
	assert_string_equal(ways("10.9.0.0/16"), "ce2 ce3 !501");
	rib_set_router_id(rib, OWN);
	rules((struct rib_multipath){ .eibgp = 3, .backup = true });
	assert_string_equal(ways("10.9.0.0/16"), "~501 ce2 ce3 +502");
	rules((struct rib_multipath){ .eibgp = 8, .backup = true });
	assert_string_equal(ways("10.9.0.0/16"), "~501 ~502 ce2 ce3");
	/* the nearest of those from PEs */
	metric_to(1, 7);
	settle();
	assert_string_equal(ways("10.9.0.0/16"), "~501 ce2 ce3 +502");
	rules((struct rib_multipath){ .eibgp = 8, .unequal = true });
	assert_string_equal(ways("10.9.0.0/16"), "~501 ~502 ce2 ce3");
	no_more(&ce[2], "10.9.0.0/16", 0);
	no_more(&ce[3], "10.9.0.0/16", 0);
	rules((struct rib_multipath){ .eibgp = 8, .backup = true });
	assert_string_equal(ways("10.9.0.0/16"), "501 +502");
}

/* Who prefers whom is known to both: packets go on from the better to the worse, never both ways. */
static void onward_is_one_way(void **unused)
{
	struct prefix p = P("10.9.0.0/16");
	struct rib_net *net;
	struct rib_route *a, *b;

	from_ce("10.9.0.0/16", 2, (struct what){ .local_pref = 200 });
	from_pe("10.9.0.0/16", 1, (struct what){ 0 });
	assert_string_equal(ways("10.9.0.0/16"), "ce2 !501");
	net = rib_find(red, NULL, &p);
	a = rib_best(net);
	b = a->next;
	assert_true(rib_route_outranks(a, b, OWN));
	assert_false(rib_route_outranks(b, a, OWN));
	from_pe("10.9.0.0/16", 1, (struct what){ .local_pref = 200 });
	assert_string_equal(ways("10.9.0.0/16"), "ce2 +501");
	assert_true(rib_route_outranks(b, a, OWN));
	from_pe("10.9.0.0/16", 1, (struct what){ .local_pref = 200, .med = 1 });
	assert_string_equal(ways("10.9.0.0/16"), "ce2 !501");
	/* a backup at this router is no matter of the core; imported ways before it neither */
	from_ce("10.9.0.0/16", 3, (struct what){ .local_pref = 199 });
	no_more(&import, "10.9.0.0/16", 1);
	assert_string_equal(ways("10.9.0.0/16"), "ce2 +ce3");
}

static void static_before_a_pe(void **unused)
{
	struct ip_addr a = address("10.1.1", 4), b = address("10.1.1", 5);
	struct nexthop_member m[2] = { { .nh = nexthop_gateway(nht, 1, &a, NULL), .weight = 3 },
				       { .nh = nexthop_gateway(nht, 1, &b, NULL), .weight = 1 } };
	struct rib_path path = { .label = RIB_LABEL_NONE };
	struct nht_link l = { .ifindex = 2, .name = "ce1" };
	struct prefix p = P("10.9.0.0/16");
	static struct rib_source s;

	source_make(&s, &stat, "static", red);
	from_pe("10.9.0.0/16", 1, (struct what){ 0 });
	path.nh = nexthop_group_get(nht, m, 2);
	rib_announce(&s, NULL, &p, &path);
	assert_string_equal(ways("10.9.0.0/16"), "ce4 ce5 !501");
	assert_int_equal(dest("10.9.0.0/16").nh->members[0].weight, 3);
	nexthop_put(nht, path.nh);
	/* it has said itself what stands behind it */
	m[1].backup = true;
	path.nh = nexthop_group_get(nht, m, 2);
	rib_announce(&s, NULL, &p, &path);
	assert_string_equal(ways("10.9.0.0/16"), "ce4 +ce5");
	nexthop_put(nht, path.nh);
	/* the port is lost: its next hops change in place, then the route */
	nht_link_set(nht, &l);
	settle();
	assert_string_equal(ways("10.9.0.0/16"), "501");
	l.up = true;
	nht_link_set(nht, &l);
	settle();
	assert_string_equal(ways("10.9.0.0/16"), "ce4 +ce5");
	path.nh = nexthop_get(nht, &(struct nexthop_key){ .kind = NEXTHOP_BLACKHOLE });
	rib_announce(&s, NULL, &p, &path);
	assert_int_equal(dest("10.9.0.0/16").nh->kind, FIB_NH_BLACKHOLE);
	nexthop_put(nht, path.nh);
	rib_source_flush_now(&s);
	nexthop_put(nht, m[0].nh);
	nexthop_put(nht, m[1].nh);
}

#define MANY 1000

static const char *nth(unsigned int i)
{
	static char text[32];

	snprintf(text, sizeof(text), "10.%u.%u.0/24", 20 + i / 256, i % 256);
	return text;
}

static void objects_are_shared(void **unused)
{
	unsigned int i, nhs, events, routes;
	struct fib_nh *group, *way;

	for (i = 0; i < MANY; i++) {
		from_pe(nth(i), 1, (struct what){ .local_pref = 200 });
		from_pe(nth(i), 2, (struct what){ 0 });
	}
	group = dest(nth(0)).nh;
	nhs = fib_nh_count(rib_fib(rib));
	assert_true(nhs < 16);
	for (i = 0; i < MANY; i++)
		assert_ptr_equal(dest(nth(i)).nh, group);
	way = group->members[0].nh->via;
	/* the PE is lost and comes back: one object, whatever the number of routes, which follow later */
	events = rec.nh_events;
	routes = rec.route_events;
	lsp_to(1, false);
	jobs_run(jobs, 1);
	assert_int_equal(way->kind, FIB_NH_UNREACHABLE);
	assert_in_range(rec.nh_events - events, 1, 3);
	settle();
	assert_string_equal(ways(nth(7)), "502");
	assert_int_equal(rec.route_events - routes, MANY);
	lsp_to(1, true);
	settle();
	assert_string_equal(ways(nth(7)), "501 +502");
	assert_int_equal(fib_nh_count(rib_fib(rib)), nhs);
}

static unsigned int heard;

static void on_change(struct rib_sub *sub, struct rib_net *net)
{
	heard++;
}

/* A metric decides among routes of several next hops alone: whatever has no choice is not looked at. */
static void metric_touches_what_has_a_choice(void **unused)
{
	static struct rib_sub sub = { .name = "test", .all_paths = true, .change = on_change };
	unsigned int i;

	for (i = 0; i < MANY; i++)
		from_pe(nth(i), 1, (struct what){ 0 });
	for (i = 0; i < 10; i++)
		from_pe(nth(i * 7), 2, (struct what){ 0 });
	/* told by two reflectors: no choice either */
	from_pe_id(nth(3), 1, (struct what){ 0 }, 1);
	settle();
	assert_true(rib_subscribe(red, &sub, false));
	heard = 0;
	metric_to(1, 11);
	settle();
	assert_int_equal(heard, 10);
	assert_string_equal(ways(nth(7)), "502 +501");
	metric_to(1, 9);
	settle();
	assert_int_equal(heard, 20);
	assert_string_equal(ways(nth(7)), "501 +502");
	/* the choice goes, and comes while a walk is under way */
	no_more(&import, nth(7), 2);
	heard = 0;
	metric_to(1, 12);
	from_pe(nth(500), 2, (struct what){ 0 });
	settle();
	assert_string_equal(ways(nth(500)), "502 +501");
	assert_string_equal(ways(nth(7)), "501");
	assert_int_equal(heard, 12);	/* 9, the withdrawn, the new one for itself and for the metric */
	/* usability concerns all */
	heard = 0;
	lsp_to(1, false);
	settle();
	assert_in_range(heard, MANY, MANY + 1);		/* two routes of one net may be decided in two slices */
	assert_string_equal(ways(nth(7)), "");
	assert_string_equal(ways(nth(500)), "502");
	lsp_to(1, true);
	metric_to(1, 1);
	settle();
	assert_string_equal(ways(nth(7)), "501");
	assert_string_equal(ways(nth(500)), "501 +502");
	rib_unsubscribe(&sub);
}

/* What forwarding is told depends on the routes, never on the order in which they came. */
static void any_order(void **unused)
{
	unsigned int seed = getenv("SEED") ? (unsigned int)atoi(getenv("SEED")) : (unsigned int)time(NULL);
	unsigned int round, i, k, n, order[16];
	struct rib_multipath m;
	char first[256];
	struct what w[9];

	print_message("SEED=%u\n", seed);
	srand(seed);
	for (round = 0; round < 300; round++) {
		m = (struct rib_multipath){ .ebgp = rand() % 4, .ibgp = rand() % 4 };
		m.eibgp = rand() % 3 ? 0 : rand() % 5;
		m.unequal = rand() % 2;
		m.relax = rand() % 2;
		m.backup = rand() % 2;
		rules(m);
		for (i = 1; i <= PES; i++)
			metric_to(i, rand() % 3);
		settle();
		for (i = 0; i < 8; i++) {
			w[i].local_pref = rand() % 3 ? 0 : 101;
			w[i].med = rand() % 2;
			w[i].as = rand() % 2 ? 0 : 65002;
			w[i].label = 800 + rand() % 2;
			order[i] = i;
		}
		for (k = 0; k < 5; k++) {
			for (i = 0; i < 8; i++) {
				n = i + rand() % (8 - i);
				if (order[n] < 4)
					from_ce("10.9.0.0/16", 2 + order[n], w[order[n]]);
				else
					from_pe("10.9.0.0/16", order[n] - 3, w[order[n]]);
				seed = order[i];
				order[i] = order[n];
				order[n] = seed;
			}
			settle();
			if (!k)
				strcpy(first, ways("10.9.0.0/16"));
			assert_string_equal(ways("10.9.0.0/16"), first);
			rib_source_flush_now(&import);
			for (i = 2; i <= 5; i++)
				rib_source_flush_now(&ce[i]);
			assert_string_equal(ways("10.9.0.0/16"), "");
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_path_and_a_backup, setup, teardown),
		cmocka_unit_test_setup_teardown(equal_paths_of_pes, setup, teardown),
		cmocka_unit_test_setup_teardown(equal_paths_of_ces_and_pes, setup, teardown),
		cmocka_unit_test_setup_teardown(onward_is_one_way, setup, teardown),
		cmocka_unit_test_setup_teardown(static_before_a_pe, setup, teardown),
		cmocka_unit_test_setup_teardown(objects_are_shared, setup, teardown),
		cmocka_unit_test_setup_teardown(metric_touches_what_has_a_choice, setup, teardown),
		cmocka_unit_test_setup_teardown(any_order, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
