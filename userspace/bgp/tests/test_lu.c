// SPDX-License-Identifier: GPL-2.0
/* rooms: lib conf rib policy labels vrf bgp */
/*
 * Labelled unicast without sessions: paths, labels and networks of one family (bgp/lu.h), and what a group would
 * be told of them (bgp/group.h).
 *
 *   192.168.0.1/24 core0 --- 192.168.0.2 ... 10.0.0.3 (next hop of what peers tell) ... 10.0.0.4
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "bgp/group.h"
#include "bgp/lu.h"
#include "labels/labels.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "rib/lsp.h"
#include "rib/tests/recorder.h"

#define ORDERS 200
#define NET "10.0.0.4/32"
#define OWN "10.0.0.1/32"

static struct jobs *jobs;
static struct rib *rib;
static struct nht *nht;
static struct recorder rec;
static struct bgp bgp;
static struct bgp_lu *lu;
static struct bgp_peer internal, external;

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

static void peer_make(struct bgp_peer *p, const char *name, bool ibgp)
{
	struct bgp_peer_family *pf = &p->family[BGP_LU4];

	memset(p, 0, sizeof(*p));
	p->bgp = &bgp;
	pf->peer = p;
	pf->family = BGP_LU4;
	pf->source.proto = &bgp_proto;
	pf->source.table = rib_table_labelled(rib, AF_INET);
	pf->source.name = name;
	pf->source.is_bgp = true;
	pf->source.is_ibgp = ibgp;
	pf->source.distance = ibgp ? RIB_DISTANCE_IBGP : RIB_DISTANCE_EBGP;
	pf->source.router_id = 0x0a000063;
	rib_source_init(&pf->source);
}

static void configure(bool all, bool explicit_null, const char *network)
{
	struct prefix p = P(network ? network : OWN);
	struct bgp_lu_conf c = { .all = all, .explicit_null = explicit_null, .n_networks = !!network, .networks = &p };

	bgp_lu_configure(lu, &c);
}

static void core_up(bool up)
{
	struct nht_link l = { .ifindex = 10, .name = "core0", .up = up };
	struct prefix p;

	nht_link_set(nht, &l);
	assert_true(prefix_parse_host("192.168.0.1/24", &p));
	nht_addr_add(nht, 10, &p);
}

static void settle(void)
{
	jobs_run(jobs, 0);
	rec_ack(&rec);
	jobs_run(jobs, 0);
}

static int setup(void **unused)
{
	log_init("test", LOG_TARGET_NONE, LOG_LEVEL_DEBUG);
	jobs = jobs_new(NULL);
	rib = rib_new(jobs);
	nht = rib_nht(rib);
	rec_start(&rec, rib_fib(rib));
	memset(&bgp, 0, sizeof(bgp));
	bgp.env = (struct rib_env){ .jobs = jobs, .rib = rib, .labels = labels_new(jobs, rib_fib(rib)) };
	bgp.as = 65000;
	bgp.id = bgp.cluster_id = 0x0a000001;
	list_init(&bgp.feeds);
	assert_true(labels_configure(bgp.env.labels, 24000, 24999, 60));
	lu = bgp.lu[AFI4] = bgp_lu_new(&bgp, AF_INET);
	peer_make(&internal, "internal", true);
	peer_make(&external, "external", false);
	core_up(true);
	return 0;
}

static int teardown(void **unused)
{
	rib_source_flush_now(&internal.family[BGP_LU4].source);
	rib_source_flush_now(&external.family[BGP_LU4].source);
	jobs_run(jobs, 0);
	bgp_lu_free(lu);
	labels_free(bgp.env.labels);
	jobs_run(jobs, 0);
	rec_end(&rec);
	rib_free(rib);
	jobs_free(jobs);
	assert_int_equal(attrs_count(), 0);
	return 0;
}

/* next hop @nh, from AS 65001 */
static void announce(struct bgp_peer *from, const char *prefix, const char *nh, uint32_t label)
{
	static const uint8_t as[] = { 2, 1, 0, 0, 0xfd, 0xe9 };
	struct rib_source *s = &from->family[BGP_LU4].source;
	struct attrs_builder b;
	struct rib_path path = { .label = label };
	struct ip_addr a = A(nh);
	struct prefix p = P(prefix);

	memset(&b, 0, sizeof(b));
	b.f.nexthop = a;
	b.part[ATTRS_AS_PATH].data = as;
	b.part[ATTRS_AS_PATH].len = sizeof(as);
	path.attrs = attrs_intern(&b);
	path.nh = nexthop_labelled(nht, &a, NULL);
	rib_announce(s, NULL, &p, &path);
	nexthop_put(nht, path.nh);
	attrs_put(path.attrs);
}

static void withdraw(struct bgp_peer *from, const char *prefix)
{
	struct prefix p = P(prefix);

	rib_withdraw(&from->family[BGP_LU4].source, NULL, &p, 0);
}

static void static_lsp(const char *fec, uint32_t label)
{
	struct lsp_path path = { .owner = RIB_PROTO_STATIC, .name = "s", .gateway = A("192.168.0.2"), .weight = 1,
				 .n_labels = 1, .labels = { label } };
	struct prefix f = P(fec);

	if (label)
		lsp_announce(nht, &f, &path);
	else
		lsp_withdraw(nht, &f, RIB_PROTO_STATIC, "s");
}

static void main_route(const char *prefix, const char *gateway)
{
	struct nht_way way = { .ifindex = 10, .weight = 1 };
	struct prefix p = P(prefix);

	if (gateway)
		way.gateway = A(gateway);
	nht_route_set(nht, &p, &way, 1, 20);
}

static struct rib_net *net_of(const char *prefix)
{
	struct prefix p = P(prefix);

	return rib_find(rib_table_labelled(rib, AF_INET), NULL, &p);
}

/* the label that would be announced with our address, or UINT32_MAX and why not */
static uint32_t label_of(const char *prefix, const char **why)
{
	uint32_t label;

	*why = "no such route";
	if (!net_of(prefix) || !bgp_lu_label_get(lu, net_of(prefix), &label, why))
		return UINT32_MAX;
	return label;
}

static const char *entry_of(uint32_t label, char *buf, size_t size)
{
	const struct fib_label *f = fib_label_find(rib_fib(rib), label);
	char way[256];

	if (!f || f->action != FIB_LABEL_SWAP)
		return f ? "no swap" : "none";
	snprintf(buf, size, "%u %s", f->out_label, fib_nh_str(f->nh, way, sizeof(way)));
	return buf;
}

static const char *paths_of(const char *prefix, char *buf, size_t size)
{
	struct prefix p = P(prefix);
	const struct list *paths = lsp_paths(nht, &p);
	struct lsp *lsp;
	size_t n = 0;

	buf[0] = 0;
	if (paths)
		list_for_each(lsp, paths, struct lsp, node)
			n += snprintf(buf + n, size - n, "%s%u:%d", n ? " " : "",
				      lsp->path.n_labels ? lsp->path.labels[0] : LABEL_IMPLICIT_NULL, lsp->usable);
	return buf;
}

static void received_route(void **unused)
{
	const char *why;
	uint32_t label;
	char text[300];

	announce(&internal, NET, "10.0.0.3", 500);
	settle();
	/* nothing leads to the next hop: no path, and it says so */
	assert_null(rib_best(net_of(NET)));
	assert_string_equal(paths_of(NET, text, sizeof(text)), "");
	static_lsp("10.0.0.3/32", 1003);
	settle();
	assert_string_equal(paths_of(NET, text, sizeof(text)), "500:1");
	assert_int_equal(label_of(NET, &why), UINT32_MAX);
	assert_string_equal(why, "allocate-label does not cover it");
	/* from here on with a label of ours: programmed before it is said */
	configure(true, false, NULL);
	jobs_run(jobs, 0);
	assert_int_equal(label_of(NET, &why), UINT32_MAX);
	assert_string_equal(why, "label is not acknowledged by forwarding yet");
	rec_ack(&rec);
	label = label_of(NET, &why);
	assert_in_range(label, 24000, 24999);
	assert_string_equal(entry_of(label, text, sizeof(text)), "500 via 192.168.0.2 ifindex 10 labels 1003");
	/* another label, another lower path: the same label of ours */
	announce(&internal, NET, "10.0.0.3", 501);
	static_lsp("10.0.0.3/32", 1004);
	settle();
	assert_int_equal(label_of(NET, &why), label);
	assert_string_equal(entry_of(label, text, sizeof(text)), "501 via 192.168.0.2 ifindex 10 labels 1004");
	/* an external neighbour on the link tells it too, and is better */
	announce(&external, NET, "192.168.0.2", LABEL_IMPLICIT_NULL);
	settle();
	assert_int_equal(label_of(NET, &why), label);
	assert_string_equal(entry_of(label, text, sizeof(text)), "3 via 192.168.0.2 ifindex 10");
	withdraw(&external, NET);
	settle();
	withdraw(&internal, NET);
	settle();
	assert_string_equal(paths_of(NET, text, sizeof(text)), "");
	/* who still sends with it is served until it lingered long enough */
	assert_string_equal(entry_of(label, text, sizeof(text)), "501 via 192.168.0.2 ifindex 10 labels 1004");
	timers_advance(jobs, LABELS_LINGER_MS + 1);
	assert_string_equal(entry_of(label, text, sizeof(text)), "none");
	/* and rests: what comes back gets the same, nobody else does */
	announce(&internal, "10.0.0.5/32", "10.0.0.3", 600);
	announce(&internal, NET, "10.0.0.3", 502);
	settle();
	assert_int_equal(label_of(NET, &why), label);
	assert_int_not_equal(label_of("10.0.0.5/32", &why), label);
	static_lsp("10.0.0.3/32", 0);
	settle();
	assert_int_equal(label_of(NET, &why), UINT32_MAX);
	assert_string_equal(why, "no usable route");
}

static void networks(void **unused)
{
	const char *why;
	uint32_t label;
	struct prefix p;
	char text[300];

	configure(false, false, OWN);
	settle();
	assert_null(net_of(OWN));
	/* an address of ours */
	assert_true(prefix_parse_host(OWN, &p));
	nht_addr_add(nht, 10, &p);
	settle();
	assert_int_equal(label_of(OWN, &why), LABEL_IMPLICIT_NULL);
	configure(false, true, OWN);
	settle();
	assert_int_equal(label_of(OWN, &why), 0);
	nht_addr_del(nht, 10, &p);
	settle();
	assert_null(net_of(OWN));
	/* a route of the main table: popped and sent on ... */
	configure(false, false, NET);
	settle();
	assert_null(net_of(NET));
	main_route(NET, "192.168.0.2");
	settle();
	label = label_of(NET, &why);
	assert_in_range(label, 24000, 24999);
	assert_string_equal(entry_of(label, text, sizeof(text)), "3 via 192.168.0.2 ifindex 10");
	/* ... by another protocol's path when there is one */
	static_lsp(NET, 1004);
	settle();
	assert_int_equal(label_of(NET, &why), label);
	assert_string_equal(entry_of(label, text, sizeof(text)), "3 via 192.168.0.2 ifindex 10 labels 1004");
	/* told to us too, it stays our own, and no path of BGP's leads to it */
	announce(&external, NET, "192.168.0.2", 700);
	settle();
	assert_string_equal(paths_of(NET, text, sizeof(text)), "1004:1");
	static_lsp(NET, 0);
	settle();
	assert_string_equal(entry_of(label, text, sizeof(text)), "3 via 192.168.0.2 ifindex 10");
	/* a network that we are connected to: whoever is next to us pops */
	configure(false, false, "192.168.0.0/24");
	main_route("192.168.0.0/24", NULL);
	settle();
	assert_int_equal(label_of("192.168.0.0/24", &why), LABEL_IMPLICIT_NULL);
	/* taken out of the configuration: what was received counts again, without a label of ours */
	assert_string_equal(paths_of(NET, text, sizeof(text)), "700:1");
	assert_int_equal(label_of(NET, &why), UINT32_MAX);
	nht_route_del(nht, &(struct prefix){ .addr = A("10.0.0.4"), .len = 32 });
	p = P("192.168.0.0/24");
	nht_route_del(nht, &p);
	settle();
	assert_null(net_of("192.168.0.0/24"));
}

static void range_is_exhausted(void **unused)
{
	const char *why;
	char text[300];

	assert_true(labels_configure(bgp.env.labels, 24000, 24000, 60));
	configure(true, false, NULL);
	announce(&external, NET, "192.168.0.2", 700);
	announce(&external, "10.0.0.5/32", "192.168.0.2", 701);
	settle();
	assert_int_equal(label_of(NET, &why), 24000);
	assert_int_equal(label_of("10.0.0.5/32", &why), UINT32_MAX);
	assert_string_equal(why, "label range is exhausted");
	/* forwarding to it does not depend on that */
	assert_string_equal(paths_of("10.0.0.5/32", text, sizeof(text)), "701:1");
	withdraw(&external, NET);
	settle();
	timers_advance(jobs, LABELS_LINGER_MS + 1);
	timers_advance(jobs, 61000);
	settle();
	assert_int_equal(label_of("10.0.0.5/32", &why), 24000);
	assert_true(labels_configure(bgp.env.labels, 24000, 24999, 60));
}

/* ---- what goes out ---- */

static struct attrs *told(const char *prefix, struct bgp_group_key key, uint32_t *label)
{
	struct bgp_feed feed = { .bgp = &bgp, .family = BGP_LU4, .table = rib_table_labelled(rib, AF_INET) };
	struct bgp_group *g = xcalloc(1, sizeof(*g));
	struct attrs *a;

	g->feed = &feed;
	g->key = key;
	g->key.own_as = bgp.as;
	*label = RIB_LABEL_NONE;
	a = bgp_out_attrs(g, rib_best(net_of(prefix)), label);
	bgp_out_cache_clear(g);
	free(g);
	return a;
}

static void out_external(void **unused)
{
	const struct bgp_group_key self = { 0 }, as_it_is = { .unchanged = true };
	uint32_t label, ours;
	struct attrs *a;
	char text[64];
	const char *why;

	static_lsp("10.0.0.3/32", 1003);
	announce(&internal, NET, "10.0.0.3", 500);
	settle();
	/* without a label of ours there is nothing to say with our address */
	assert_null(told(NET, self, &label));
	a = told(NET, as_it_is, &label);
	assert_int_equal(label, 500);
	assert_string_equal(addr_str(&a->f.nexthop, text), "10.0.0.3");
	assert_string_equal(attrs_path_str(a, text, sizeof(text)), "65000 65001");
	attrs_put(a);
	configure(true, false, NULL);
	assert_null(told(NET, self, &label));
	settle();
	ours = label_of(NET, &why);
	a = told(NET, self, &label);
	assert_int_equal(label, ours);
	assert_false(addr_is_set(&a->f.nexthop));
	attrs_put(a);
}

static void out_internal(void **unused)
{
	const struct bgp_group_key plain = { .internal = true, .unchanged = true }, self = { .internal = true },
				   client = { .internal = true, .unchanged = true, .client = true };
	uint32_t label;
	struct attrs *a;
	const uint8_t *clusters;
	uint16_t len;
	char text[64];

	configure(true, false, NULL);
	static_lsp("10.0.0.3/32", 1003);
	announce(&external, NET, "192.168.0.2", 700);
	announce(&internal, "10.0.0.5/32", "10.0.0.3", 500);
	settle();
	/* from another AS: next hop and label as they came, or ours */
	a = told(NET, plain, &label);
	assert_int_equal(label, 700);
	assert_string_equal(addr_str(&a->f.nexthop, text), "192.168.0.2");
	assert_int_equal(a->f.local_pref, 100);
	assert_false(a->f.flags & ATTRS_HAS_ORIGINATOR);
	attrs_put(a);
	a = told(NET, self, &label);
	assert_in_range(label, 24000, 24999);
	attrs_put(a);
	/* from our own AS: to nobody of it but by reflection */
	assert_null(told("10.0.0.5/32", plain, &label));
	assert_null(told("10.0.0.5/32", self, &label));
	a = told("10.0.0.5/32", client, &label);
	assert_int_equal(label, 500);
	assert_string_equal(addr_str(&a->f.nexthop, text), "10.0.0.3");
	assert_int_equal(a->f.originator_id, 0x0a000063);
	clusters = attrs_part(a, ATTRS_CLUSTERS, &len);
	assert_int_equal(len, 4);
	assert_memory_equal(clusters, "\x0a\x00\x00\x01", 4);
	attrs_put(a);
	internal.conf.af[BGP_LU4].route_reflector_client = true;
	a = told("10.0.0.5/32", plain, &label);
	assert_int_equal(label, 500);
	attrs_put(a);
}

/* ---- whatever the order of events, the end is the same ---- */

static void event(unsigned int i)
{
	switch (i) {
	case 0:
		static_lsp("10.0.0.3/32", 1003);
		break;
	case 1:
		announce(&internal, NET, "10.0.0.3", 500);
		break;
	case 2:
		announce(&internal, "10.0.0.3/32", "10.0.0.3", 3);
		break;
	case 3:
		announce(&external, NET, "10.0.0.5", 701);
		break;
	case 4:
		announce(&internal, "10.0.0.5/32", "10.0.0.3", 502);
		break;
	case 5:
		configure(true, false, "10.0.0.6/32");
		break;
	case 6:
		main_route("10.0.0.6/32", "192.168.0.2");
		break;
	case 7:
		core_up(false);
		break;
	default:
		core_up(true);
		break;
	}
}

static void state(char *buf, size_t size)
{
	static const char *const all[] = { NET, "10.0.0.3/32", "10.0.0.5/32", "10.0.0.6/32" };
	size_t n = 0, i;
	const char *why;
	char text[300];

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		n += snprintf(buf + n, size - n, "%s paths %s", all[i], paths_of(all[i], text, sizeof(text)));
		n += snprintf(buf + n, size - n, " entry %s\n", entry_of(label_of(all[i], &why), text, sizeof(text)));
		assert_true(n < size);
	}
}

static void order_of_events_does_not_matter(void **unused)
{
	char first[2048] = "", now[2048];
	unsigned int order, i, done, seed = 1;

	for (order = 0; order < ORDERS; order++) {
		setup(NULL);
		for (done = 0; done != 0x1ff;) {
			i = (unsigned int)rand_r(&seed) % 9;
			if (done & 1u << i || (i == 8 && !(done & 1u << 7)))
				continue;
			done |= 1u << i;
			event(i);
			if (rand_r(&seed) % 3 == 0)
				jobs_run(jobs, 0);
			if (rand_r(&seed) % 3 == 0)
				rec_ack(&rec);
			if (rand_r(&seed) % 8 == 0)
				timers_advance(jobs, (unsigned int)rand_r(&seed) % 90000);
		}
		settle();
		state(now, sizeof(now));
		if (!order)
			strcpy(first, now);
		assert_string_equal(now, first);
		teardown(NULL);
	}
	assert_non_null(strstr(first, NET " paths 701:1 entry 701 via 192.168.0.2 ifindex 10 labels 1003/502"));
	assert_non_null(strstr(first, "10.0.0.6/32 paths  entry 3 via 192.168.0.2 ifindex 10"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(received_route, setup, teardown),
		cmocka_unit_test_setup_teardown(networks, setup, teardown),
		cmocka_unit_test_setup_teardown(range_is_exhausted, setup, teardown),
		cmocka_unit_test_setup_teardown(out_external, setup, teardown),
		cmocka_unit_test_setup_teardown(out_internal, setup, teardown),
		cmocka_unit_test(order_of_events_does_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
