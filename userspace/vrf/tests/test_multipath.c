// SPDX-License-Identifier: GPL-2.0
/* rooms: lib conf rib labels vrf */
/*
 * Several paths of one VPN prefix, under one route distinguisher and under several: what a VRF imports of them, and how
 * they forward together. The network is that of net.h, with PEs 10.0.0.1 .. 10.0.0.4 beside it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "vrf/tests/net.h"

#define PES 4

static struct rib_source pe[PES + 1];
static char names[PES + 1][8];

static void lsp_to(unsigned int n, bool up)
{
	struct lsp_path path = { .owner = RIB_PROTO_STATIC, .name = "p", .weight = 1, .n_labels = 1,
				 .labels = { 900 + n } };
	struct prefix fec = { .addr = addr_v4(0x0a000000 + n), .len = 32 };

	path.gateway = A("192.168.0.2");
	if (up)
		lsp_announce(nht, &fec, &path);
	else
		lsp_withdraw(nht, &fec, RIB_PROTO_STATIC, "p");
}

static int setup(void **unused)
{
	unsigned int i;

	net_up();
	for (i = 1; i <= PES; i++) {
		lsp_to(i, true);
		snprintf(names[i], sizeof(names[i]), "pe%u", i);
		session(&pe[i], NULL, names[i]);
		pe[i].router_id = i;
		pe[i].peer = addr_v4(0x0a000000 + i);
	}
	settle();
	return 0;
}

static int teardown(void **unused)
{
	unsigned int i;

	for (i = 1; i <= PES; i++)
		rib_source_flush_now(&pe[i]);
	settle();
	for (i = 1; i <= PES; i++)
		lsp_to(i, false);
	net_down();
	return 0;
}

struct what {
	const char *rd, *rt;		/* NULL: 65000:100 */
	unsigned int pe;		/* 0: that of the session */
	uint32_t label, local_pref, id;	/* 0: 500 + PE, 100 */
};

static void from_pe(unsigned int n, const char *prefix, struct what w)
{
	struct rd rd = RD(w.rd);
	struct prefix p = P(prefix);
	struct rt rt = RT(w.rt ? w.rt : "65000:100");
	struct ip_addr a = addr_v4(0x0a000000 + (w.pe ? w.pe : n));
	struct rib_path path = { .label = w.label ? w.label : 500 + (w.pe ? w.pe : n), .path_id = w.id,
				 .nh = nexthop_pe(nht, &a, TRANSPORT_DEFAULT) };
	struct attrs_builder b;

	memset(&b, 0, sizeof(b));
	b.part[ATTRS_EXT].data = rt.b;
	b.part[ATTRS_EXT].len = 8;
	b.f.nexthop = a;
	b.f.flags = ATTRS_HAS_LOCAL_PREF;
	b.f.local_pref = w.local_pref ? w.local_pref : 100;
	path.attrs = attrs_intern(&b);
	rib_announce(&pe[n], &rd, &p, &path);
	attrs_put(path.attrs);
	nexthop_put(nht, path.nh);
}

static void gone(unsigned int n, const char *prefix, const char *rd_text, uint32_t id)
{
	struct rd rd = RD(rd_text);
	struct prefix p = P(prefix);

	assert_true(rib_withdraw(&pe[n], &rd, &p, id));
}

static void rules(const char *vrf, struct rib_multipath m)
{
	vrf_set_multipath(env.vrfs, vrf_find(env.vrfs, vrf), AF_INET, &m);
	settle();
}

/* "501 502 +504": VPN labels of the ways in order, "+" a backup, "~" not for the core, "ce" an adjacency */
static const char *ways(const char *vrf, const char *prefix)
{
	static char buf[256];
	struct fib_dest d;
	size_t used = 0;
	unsigned int i;

	buf[0] = 0;
	if (!vrf_fib(vrf, prefix, &d))
		return buf;
	if (d.nh->kind != FIB_NH_GROUP) {
		snprintf(buf, sizeof(buf), d.nh->kind == FIB_NH_ADJACENCY ? "ce" : "%u", d.label);
		return buf;
	}
	for (i = 0; i < d.nh->n_members; i++) {
		used += sprintf(buf + used, "%s%s", i ? " " : "",
				d.nh->members[i].local ? "~" : d.nh->members[i].backup ? "+" : "");
		if (d.nh->members[i].nh->kind == FIB_NH_EGRESS)
			used += sprintf(buf + used, "%u", d.nh->members[i].nh->labels[0]);
		else
			used += sprintf(buf + used, "ce");
	}
	return buf;
}

static unsigned int routes(const char *vrf)
{
	return rib_table_routes(vrf_find(env.vrfs, vrf)->af[AFI4].table);
}

/* one RD for each PE, or one for the VPN: the same comes out */
static void one_rd_or_several(void **unused)
{
	static const char *const rds[2][2] = { { "65000:31", "65000:32" }, { "65000:31", "65000:31" } };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		from_pe(1, "10.9.0.0/16", (struct what){ rds[i][0] });
		settle();
		assert_string_equal(ways("RED", "10.9.0.0/16"), "501");
		from_pe(2, "10.9.0.0/16", (struct what){ rds[i][1] });
		settle();
		assert_string_equal(ways("RED", "10.9.0.0/16"), "501 +502");
		assert_int_equal(routes("RED"), 2);
		rules("RED", (struct rib_multipath){ .ibgp = 2 });
		assert_string_equal(ways("RED", "10.9.0.0/16"), "501 502");
		rules("RED", (struct rib_multipath){ .backup = true });
		/* the better one changes, the best is lost */
		from_pe(2, "10.9.0.0/16", (struct what){ rds[i][1], .local_pref = 101 });
		settle();
		assert_string_equal(ways("RED", "10.9.0.0/16"), "502 +501");
		gone(2, "10.9.0.0/16", rds[i][1], 0);
		settle();
		assert_string_equal(ways("RED", "10.9.0.0/16"), "501");
		/* PE 1 has no transport: what is left carries */
		from_pe(2, "10.9.0.0/16", (struct what){ rds[i][1] });
		lsp_to(1, false);
		settle();
		assert_string_equal(ways("RED", "10.9.0.0/16"), "502");
		lsp_to(1, true);
		settle();
		assert_string_equal(ways("RED", "10.9.0.0/16"), "501 +502");
		gone(1, "10.9.0.0/16", rds[i][0], 0);
		gone(2, "10.9.0.0/16", rds[i][1], 0);
		settle();
		assert_string_equal(ways("RED", "10.9.0.0/16"), "");
		assert_int_equal(routes("RED"), 0);
	}
}

/* as many as can be used, and what two reflectors tell once */
static void no_more_than_needed(void **unused)
{
	unsigned int i;

	for (i = 1; i <= 3; i++)
		from_pe(i, "10.9.0.0/16", (struct what){ "65000:31" });
	/* the other reflector, with PE 1 as originator */
	pe[4].router_id = 1;
	from_pe(4, "10.9.0.0/16", (struct what){ "65000:31", .pe = 1 });
	settle();
	assert_int_equal(routes("RED"), 2);
	rules("RED", (struct rib_multipath){ .ibgp = 3 });
	assert_int_equal(routes("RED"), 3);
	assert_string_equal(ways("RED", "10.9.0.0/16"), "501 502 503");
	rules("RED", (struct rib_multipath){ .ibgp = 2, .backup = true });
	assert_int_equal(routes("RED"), 3);
	assert_string_equal(ways("RED", "10.9.0.0/16"), "501 502 +503");
	rules("RED", (struct rib_multipath){ 0 });
	assert_int_equal(routes("RED"), 1);
	/* of two reflectors one goes: nothing happens to forwarding */
	i = rec.route_events;
	gone(1, "10.9.0.0/16", "65000:31", 0);
	settle();
	assert_string_equal(ways("RED", "10.9.0.0/16"), "501");
	assert_int_equal(rec.route_events, i);
	/* add-path: two labels of one PE, and the place of the backup is for another PE */
	from_pe(1, "10.9.0.0/16", (struct what){ "65000:31", .label = 601, .local_pref = 200 });
	from_pe(1, "10.9.0.0/16", (struct what){ "65000:31", .label = 602, .local_pref = 200, .id = 7 });
	from_pe(1, "10.9.0.0/16", (struct what){ "65000:31", .label = 603, .local_pref = 200, .id = 8 });
	rules("RED", (struct rib_multipath){ .ibgp = 2, .backup = true });
	assert_string_equal(ways("RED", "10.9.0.0/16"), "601 602 +502");
	assert_int_equal(routes("RED"), 3);
	gone(1, "10.9.0.0/16", "65000:31", 0);
	gone(1, "10.9.0.0/16", "65000:31", 8);
	settle();
	assert_string_equal(ways("RED", "10.9.0.0/16"), "602 +502");
}

/* each path by its own targets */
static void paths_with_different_targets(void **unused)
{
	from_pe(1, "10.9.0.0/16", (struct what){ "65000:31", "65000:100" });
	from_pe(2, "10.9.0.0/16", (struct what){ "65000:31", "65000:200" });
	from_pe(3, "10.9.0.0/16", (struct what){ "65000:31", "65000:300" });
	settle();
	assert_string_equal(ways("RED", "10.9.0.0/16"), "501");
	assert_string_equal(ways("BLUE", "10.9.0.0/16"), "502");
	targets("BLUE", false, "65000:200", "65000:100");
	settle();
	assert_string_equal(ways("BLUE", "10.9.0.0/16"), "501 +502");
	targets("BLUE", false, "65000:300", NULL);
	settle();
	assert_string_equal(ways("BLUE", "10.9.0.0/16"), "503");
	assert_string_equal(ways("RED", "10.9.0.0/16"), "501");
	targets("RED", false, NULL, NULL);
	settle();
	assert_string_equal(ways("RED", "10.9.0.0/16"), "");
	assert_int_equal(routes("RED"), 0);
}

/* The site's other PE announces under our RD: our own route is the best of the net, theirs the backup. */
static void backup_under_our_own_rd(void **unused)
{
	static struct rib_source ce;

	session(&ce, "RED", "ce-r1");
	ce_announce(&ce, "10.9.0.0/16", "10.1.0.2");
	from_pe(1, "10.9.0.0/16", (struct what){ "65000:1" });
	settle();
	assert_string_equal(ways("RED", "10.9.0.0/16"), "ce +501");
	ce_withdraw(&ce, "10.9.0.0/16");
	settle();
	assert_string_equal(ways("RED", "10.9.0.0/16"), "501");
	ce_announce(&ce, "10.9.0.0/16", "10.1.0.2");
	settle();
	gone(1, "10.9.0.0/16", "65000:1", 0);
	settle();
	assert_string_equal(ways("RED", "10.9.0.0/16"), "ce");
	rib_source_flush_now(&ce);
	settle();
}

static struct rib_route *exported(const char *prefix)
{
	struct rd rd = RD("65000:1");
	struct prefix p = P(prefix);
	struct rib_net *net = rib_find(rib_table_vpn(env.rib, AF_INET), &rd, &p);
	struct rib_route *r;

	for (r = net ? rib_routes(net) : NULL; r; r = r->next)
		if (r->source->vrf == vrf_find(env.vrfs, "RED")->id)
			return r;
	return NULL;
}

static struct fib_label *label_of(const char *prefix)
{
	struct rib_route *r = exported(prefix);
	struct fib_label *l;

	assert_non_null(r);
	l = fib_label_find(rib_fib(env.rib), r->label);
	assert_non_null(l);
	assert_true(l->programmed);
	return l;
}

static unsigned int heard;

static void on_vpn(struct rib_sub *sub, struct rib_net *net)
{
	heard++;
}

/* Our own best is announced beside a better one of another PE, under any RD; its label leads to the CE. */
static void best_external(void **unused)
{
	static const char *const rds[2] = { "65000:31", "65000:1" };
	static struct rib_sub sub = { .name = "test", .change = on_vpn };
	struct vrf *red = vrf_find(env.vrfs, "RED");
	static struct rib_source ce;
	uint32_t external;
	unsigned int i;

	session(&ce, "RED", "ce-r1");
	for (i = 0; i < 2; i++) {
		ce_announce(&ce, "10.9.0.0/16", "10.1.0.2");
		from_pe(1, "10.9.0.0/16", (struct what){ rds[i], .local_pref = 200 });
		settle();
		assert_string_equal(ways("RED", "10.9.0.0/16"), "501 +ce");
		assert_null(exported("10.9.0.0/16"));
		assert_true(rib_subscribe(rib_table_vpn(env.rib, AF_INET), &sub, false));
		heard = 0;
		vrf_set_best_external(env.vrfs, red, AF_INET, true);
		settle();
		/* peers are told also where it is not the best under its RD */
		assert_int_equal(heard, 1);
		external = label_of("10.9.0.0/16")->label;
		assert_int_equal(label_of("10.9.0.0/16")->action, FIB_LABEL_POP_NH);
		assert_int_equal(label_of("10.9.0.0/16")->nh->kind, FIB_NH_ADJACENCY);
		assert_int_equal(addr_to_v4(&label_of("10.9.0.0/16")->nh->gateway), 0x0a010002);
		/* it is the best: with the VRF's label, and the other one is on its way out */
		gone(1, "10.9.0.0/16", rds[i], 0);
		settle();
		assert_string_equal(ways("RED", "10.9.0.0/16"), "ce");
		assert_int_equal(label_of("10.9.0.0/16")->action, FIB_LABEL_POP_VRF);
		assert_non_null(fib_label_find(rib_fib(env.rib), external));
		from_pe(1, "10.9.0.0/16", (struct what){ rds[i], .local_pref = 200 });
		settle();
		assert_int_equal(label_of("10.9.0.0/16")->label, external);
		/* only what leaves by a port of ours */
		ce_withdraw(&ce, "10.9.0.0/16");
		heard = 0;
		settle();
		assert_null(exported("10.9.0.0/16"));
		assert_int_equal(heard, 1);
		ce_announce(&ce, "10.9.0.0/16", "10.1.0.2");
		settle();
		assert_non_null(exported("10.9.0.0/16"));
		heard = 0;
		vrf_set_best_external(env.vrfs, red, AF_INET, false);
		settle();
		assert_null(exported("10.9.0.0/16"));
		assert_int_equal(heard, 1);
		rib_unsubscribe(&sub);
		gone(1, "10.9.0.0/16", rds[i], 0);
		ce_withdraw(&ce, "10.9.0.0/16");
		settle();
	}
	/* another RD while it is announced under the shared one */
	vrf_set_best_external(env.vrfs, red, AF_INET, true);
	ce_announce(&ce, "10.9.0.0/16", "10.1.0.2");
	from_pe(1, "10.9.0.0/16", (struct what){ "65000:1", .local_pref = 200 });
	settle();
	assert_true(rib_subscribe(rib_table_vpn(env.rib, AF_INET), &sub, false));
	heard = 0;
	vrf_set_rd(env.vrfs, red, &(struct rd){ { 0, 0, 0, 9, 0, 0, 0, 9 } });
	settle();
	assert_null(exported("10.9.0.0/16"));
	assert_int_equal(heard, 2);
	rib_unsubscribe(&sub);
	rib_source_flush_now(&ce);
	settle();
}

/* the ways that a label of a CE, or of a prefix, has */
static void labels_of_ces_with_several_ways(void **unused)
{
	struct vrf *red = vrf_find(env.vrfs, "RED");
	static struct rib_source r1, r2;
	struct fib_label *l;

	session(&r1, "RED", "ce-r1");
	session(&r2, "RED", "ce-r2");
	vrf_set_label_mode(env.vrfs, red, LABEL_MODE_PREFIX);
	ce_announce(&r1, "10.9.0.0/16", "10.1.0.2");
	settle();
	l = label_of("10.9.0.0/16");
	assert_int_equal(l->nh->n_members, 2);
	rules("RED", (struct rib_multipath){ .ebgp = 2, .backup = true });
	ce_announce(&r2, "10.9.0.0/16", "10.1.0.3");
	settle();
	assert_ptr_equal(label_of("10.9.0.0/16"), l);
	assert_int_equal(l->nh->n_members, 3);
	assert_int_equal(l->nh->members[2].nh->kind, FIB_NH_VRF);
	/* what is the core's is no way for what came from there */
	rules("RED", (struct rib_multipath){ .eibgp = 4, .backup = true });
	from_pe(1, "10.9.0.0/16", (struct what){ "65000:31" });
	settle();
	assert_string_equal(ways("RED", "10.9.0.0/16"), "~501 ce ce");
	assert_int_equal(l->nh->n_members, 3);
	/* of a CE each: several of them need a look-up */
	vrf_set_label_mode(env.vrfs, red, LABEL_MODE_CE);
	settle();
	assert_int_equal(label_of("10.9.0.0/16")->action, FIB_LABEL_POP_VRF);
	ce_withdraw(&r2, "10.9.0.0/16");
	settle();
	assert_int_equal(label_of("10.9.0.0/16")->action, FIB_LABEL_POP_NH);
	assert_int_equal(label_of("10.9.0.0/16")->nh->n_members, 2);
	rules("RED", (struct rib_multipath){ 0 });
	assert_int_equal(label_of("10.9.0.0/16")->nh->kind, FIB_NH_ADJACENCY);
	rib_source_flush_now(&r1);
	rib_source_flush_now(&r2);
	settle();
}

/* the VRF goes while it has several paths of what others have too */
static void vrf_goes(void **unused)
{
	targets("BLUE", false, "65000:100", NULL);
	from_pe(1, "10.9.0.0/16", (struct what){ "65000:31" });
	from_pe(2, "10.9.0.0/16", (struct what){ "65000:31" });
	from_pe(3, "10.8.0.0/16", (struct what){ "65000:31" });
	settle();
	assert_string_equal(ways("BLUE", "10.9.0.0/16"), "501 +502");
	vrf_set_port(env.vrfs, "ce1", NULL);
	vrf_del(env.vrfs, vrf_find(env.vrfs, "RED"));
	settle();
	assert_string_equal(ways("BLUE", "10.9.0.0/16"), "501 +502");
	gone(1, "10.9.0.0/16", "65000:31", 0);
	settle();
	assert_string_equal(ways("BLUE", "10.9.0.0/16"), "502");
	assert_int_equal(routes("BLUE"), 2);
}

#define VRFS	4
#define RDS	3
#define RTS	3
#define IDS	2

struct path {
	uint32_t local_pref;		/* 0: not announced; no two alike */
	unsigned int rt, pe, label;
};

static struct path told[RDS][PES][IDS];
static unsigned int import[VRFS];
static struct rib_multipath used[VRFS];

/* how many slots of this RD the VRF takes: read off the rules */
static unsigned int wanted(unsigned int v, unsigned int rd)
{
	unsigned int paths = used[v].ibgp > 1 ? used[v].ibgp : 1, max = paths + used[v].backup, n = 0, i, k, j;
	const struct path *taken[16], *best, *p;
	uint32_t below = UINT32_MAX;
	bool fits;

	while (n < max) {
		best = NULL;
		for (i = 0; i < PES; i++)
			for (k = 0; k < IDS; k++) {
				p = &told[rd][i][k];
				if (p->local_pref && p->local_pref < below &&
				    (!best || p->local_pref > best->local_pref))
					best = p;
			}
		if (!best)
			break;
		below = best->local_pref;
		fits = import[v] & 1u << best->rt;
		for (j = 0; j < n && fits; j++)
			fits = taken[j]->pe != best->pe ||
			       (paths > 1 && n < paths && taken[j]->label != best->label);
		if (fits)
			taken[n++] = best;
	}
	return n;
}

static void random_paths(void **unused)
{
	unsigned int seed = getenv("SEED") ? (unsigned int)atoi(getenv("SEED")) : (unsigned int)time(NULL);
	unsigned int round, i, k, v, n, rd, pref = 1;
	char name[16], text[16], rt[16];
	struct rt rts[RTS];
	struct path *p;

	print_message("SEED=%u\n", seed);
	srand(seed);
	memset(told, 0, sizeof(told));
	memset(import, 0, sizeof(import));
	for (v = 0; v < VRFS; v++) {
		snprintf(name, sizeof(name), "V%u", v);
		snprintf(text, sizeof(text), "65000:%u", 1000 + v);
		vrf_make(name, text, "65000:999");
		used[v] = (struct rib_multipath){ .backup = true };
	}
	for (round = 0; round < 2000; round++) {
		v = rand() % VRFS;
		snprintf(name, sizeof(name), "V%u", v);
		rd = rand() % RDS;
		i = rand() % PES;
		k = rand() % IDS;
		p = &told[rd][i][k];
		snprintf(text, sizeof(text), "65000:%u", 2000 + rd);
		switch (rand() % 6) {
		case 0:
			import[v] = rand() % (1 << RTS);
			for (n = 0, k = 0; k < RTS; k++) {
				snprintf(rt, sizeof(rt), "65000:%u", 3000 + k);
				if (import[v] & 1u << k)
					rts[n++] = RT(rt);
			}
			vrf_set_targets(env.vrfs, vrf_find(env.vrfs, name), AF_INET, false, rts, n);
			break;
		case 1:
			used[v] = (struct rib_multipath){ .ibgp = rand() % 4, .backup = rand() % 2 };
			vrf_set_multipath(env.vrfs, vrf_find(env.vrfs, name), AF_INET, &used[v]);
			break;
		case 2:
			if (p->local_pref)
				gone(i + 1, "10.9.0.0/16", text, k);
			p->local_pref = 0;
			break;
		default:
			*p = (struct path){ pref++, rand() % RTS, 1 + rand() % PES, 500 + rand() % 3 };
			snprintf(rt, sizeof(rt), "65000:%u", 3000 + p->rt);
			from_pe(i + 1, "10.9.0.0/16", (struct what){ text, rt, p->pe, p->label, p->local_pref, k });
		}
		if (round % 3)
			continue;
		settle();
		for (v = 0; v < VRFS; v++) {
			snprintf(name, sizeof(name), "V%u", v);
			for (rd = 0, n = 0; rd < RDS; rd++)
				n += wanted(v, rd);
			assert_int_equal(routes(name), n);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_rd_or_several, setup, teardown),
		cmocka_unit_test_setup_teardown(no_more_than_needed, setup, teardown),
		cmocka_unit_test_setup_teardown(paths_with_different_targets, setup, teardown),
		cmocka_unit_test_setup_teardown(backup_under_our_own_rd, setup, teardown),
		cmocka_unit_test_setup_teardown(best_external, setup, teardown),
		cmocka_unit_test_setup_teardown(labels_of_ces_with_several_ways, setup, teardown),
		cmocka_unit_test_setup_teardown(vrf_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(random_paths, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
