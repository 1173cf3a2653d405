// SPDX-License-Identifier: GPL-2.0
/* rooms: lib conf rib labels vrf host dataplane */
/*
 * The synchroniser against a forwarder in memory: order, packing, refusals, audit, loss of the
 * forwarder, adoption after a restart, and random churn compared with what the tables want.
 *
 *      VRF tables (rib) --> fib --> sync --> record
 */
#include "dataplane/tests/world.h"

/* ---- tests ---- */

static void order(void **state)
{
	struct world *w = world_new(NULL);
	int vrf, nh, route;

	(void)state;
	add_vrf(w, 0, "RED");
	add_port(w, 0, 7, "ce1", "10.0.0.1/24");
	announce(w, 0, "10.1.0.0/16", "10.0.0.2");
	until(w, idle, "all is programmed");
	vrf = record_find(w->record, 0, "vrf new");
	nh = record_find(w->record, 0, "next-hop new");
	route = record_find(w->record, 0, "route add");
	assert_true(vrf >= 0 && nh > vrf && route > nh);
	check_equal(w);
	record_forget_lines(w->record);
	withdraw(w, 0, "10.1.0.0/16");
	until(w, idle, "all is removed");
	route = record_find(w->record, 0, "route delete");
	nh = record_find(w->record, 0, "next-hop delete");
	assert_true(route >= 0 && nh > route);
	assert_int_equal(record_routes(w->record, w->vrf[0]->id, AF_INET), 0);
	world_free(w);
}

static void packed(void **state)
{
	struct world *w = world_new(NULL);
	char prefix[32];
	int i, n = 20000;

	(void)state;
	add_vrf(w, 0, "RED");
	add_vrf(w, 1, "BLUE");
	until(w, idle, "the VRFs are there");
	record_forget_lines(w->record);
	for (i = 0; i < n; i++) {
		snprintf(prefix, sizeof(prefix), "10.%d.%d.0/24", i / 256, i % 256);
		announce(w, i % 2, prefix, NULL);
	}
	until(w, idle, "all is programmed");
	check_equal(w);
	/* two VRFs in turn: still thousands in a batch */
	print_message("%d routes in %zu batches\n", n, w->record->n_batches);
	assert_true(w->record->n_batches < 20);
	world_free(w);
}

static void last_word(void **state)
{
	struct world *w = world_new(NULL);

	(void)state;
	add_vrf(w, 0, "RED");
	add_port(w, 0, 7, "ce1", "10.0.0.1/24");
	announce(w, 0, "10.9.0.0/16", "10.0.0.2");
	until(w, idle, "the VRF is there");
	record_forget_lines(w->record);
	announce(w, 0, "10.1.0.0/16", NULL);
	withdraw(w, 0, "10.1.0.0/16");
	announce(w, 0, "10.2.0.0/16", NULL);
	withdraw(w, 0, "10.2.0.0/16");
	announce(w, 0, "10.2.0.0/16", "10.0.0.2");
	until(w, idle, "all is programmed");
	assert_true(record_find(w->record, 0, "route add vrf 1 10.1.0.0/16") < 0);
	assert_true(record_find(w->record, 0, "route delete vrf 1 10.2.0.0/16") < 0);
	assert_true(record_find(w->record, 0, "route add vrf 1 10.2.0.0/16") >= 0);
	check_equal(w);
	world_free(w);
}

static int refuse_prefix(const struct dp_op *op, const char **why, void *arg)
{
	char buf[256];

	if (op->type != DP_OP_ROUTE4_ADD || !strstr(dp_op_str(op, buf, sizeof(buf)), arg))
		return 0;
	*why = "the table is full";
	return ENOSPC;
}

static void refused_route(void **state)
{
	struct world *w = world_new(NULL);
	struct dp_summary sum;
	struct dp_expect e;
	struct prefix p;
	char why[64];

	(void)state;
	add_vrf(w, 0, "RED");
	w->record->refuse = refuse_prefix;
	w->record->refuse_arg = "10.2.0.0/16";
	announce(w, 0, "10.1.0.0/16", NULL);
	announce(w, 0, "10.2.0.0/16", NULL);
	announce(w, 0, "10.3.0.0/16", NULL);
	until(w, settled, "all is answered");
	dp_sync_summary(w->sync, &sum);
	assert_int_equal(sum.failed, 1);
	assert_non_null(strstr(sum.last_refusal, "the table is full"));
	assert_int_equal(record_routes(w->record, w->vrf[0]->id, AF_INET), 2);
	assert_true(prefix_parse("10.2.0.0/16", &p));
	assert_int_equal(dp_sync_route_refused(w->sync, w->vrf[0]->id, &p, why, sizeof(why)), ENOSPC);
	assert_string_equal(why, "the table is full");
	/* what is expected leaves it out, so that the audit finds nothing to mend */
	dp_sync_expect(w->sync, L3VPN_OBJECT_ROUTE4, w->vrf[0]->id, &e);
	assert_int_equal(e.count, 2);
	assert_true(e.digest == record_digest(w->record, w->vrf[0]->id, AF_INET));
	w->record->refuse = NULL;
	until(w, idle, "it is tried again");
	check_equal(w);
	world_free(w);
}

static int refuse_when_full(const struct dp_op *op, const char **why, void *arg)
{
	struct world *w = arg;

	if (op->type != DP_OP_ROUTE4_ADD || record_routes(w->record, op->table, AF_INET) < 2)
		return 0;
	*why = "full";
	return ENOSPC;
}

static bool two_held_one_refused(struct world *w)
{
	struct dp_summary sum;

	dp_sync_summary(w->sync, &sum);
	return settled(w) && sum.failed == 1 && record_routes(w->record, w->vrf[0]->id, AF_INET) == 2;
}

/* How many nets are said to have found no room. */
static int refused_nets(struct world *w)
{
	struct rib_cursor c = { 0 };
	struct rib_net *net;
	int n = 0;

	while ((net = rib_walk(w->vrf[0]->af[AFI4].table, &c)))
		n += rib_net_refused(net);
	return n;
}

/* Beyond the limit nothing is tried in vain; a route that goes lets another in, and so does a higher limit. */
static void limit(void **state)
{
	struct world *w = world_new(NULL);
	struct dp_summary sum;
	char prefix[32];
	int i;

	(void)state;
	add_vrf(w, 0, "RED");
	vrf_set_limit(w->vrfs, w->vrf[0], AF_INET, 2, 1);
	w->record->refuse = refuse_when_full;
	w->record->refuse_arg = w;
	for (i = 1; i <= 4; i++) {
		snprintf(prefix, sizeof(prefix), "10.%d.0.0/16", i);
		announce(w, 0, prefix, NULL);
	}
	until(w, settled, "all is answered");
	dp_sync_summary(w->sync, &sum);
	assert_int_equal(sum.failed, 2);
	assert_int_equal(sum.refused, 2);
	assert_int_equal(record_routes(w->record, w->vrf[0]->id, AF_INET), 2);
	assert_int_equal(refused_nets(w), 2);
	w->over = false;
	uv_timer_start(&w->tick, on_tick, 1000, 0);	/* several retries are due in it */
	while (!w->over)
		uv_run(&w->loop, UV_RUN_ONCE);
	dp_sync_summary(w->sync, &sum);
	assert_int_equal(sum.refused, 2);
	for (i = 1; i <= 4; i++) {
		snprintf(prefix, sizeof(prefix), "10.%d.0.0/16", i);
		if (record_route(w->record, w->vrf[0]->id, prefix))
			break;
	}
	withdraw(w, 0, prefix);
	until(w, two_held_one_refused, "one comes in for the one that goes");
	dp_sync_summary(w->sync, &sum);
	assert_int_equal(sum.refused, 2);
	w->record->refuse = NULL;
	vrf_set_limit(w->vrfs, w->vrf[0], AF_INET, 3, 3);
	until(w, idle, "a higher limit takes all");
	assert_int_equal(refused_nets(w), 0);
	check_equal(w);
	world_free(w);
}

/* A refused change must not leave the old way in force. */
static void refused_change(void **state)
{
	struct world *w = world_new(NULL);

	(void)state;
	add_vrf(w, 0, "RED");
	add_port(w, 0, 7, "ce1", "10.0.0.1/24");
	announce(w, 0, "10.2.0.0/16", "10.0.0.2");
	until(w, idle, "it is programmed");
	w->record->refuse = refuse_prefix;
	w->record->refuse_arg = "10.2.0.0/16";
	announce(w, 0, "10.2.0.0/16", NULL);
	until(w, settled, "all is answered");
	assert_null(record_route(w->record, w->vrf[0]->id, "10.2.0.0/16"));
	w->record->refuse = NULL;
	until(w, idle, "it is tried again");
	check_equal(w);
	world_free(w);
}

static int refuse_once(const struct dp_op *op, const char **why, void *arg)
{
	bool *done = arg;

	if (op->type != DP_OP_ROUTE4_ADD || *done)
		return 0;
	*done = true;
	*why = "only once";
	return ENOMEM;
}

/* The first of three additions in flight is refused: what follows it must not lose the last. */
static void refused_late(void **state)
{
	static const char *const gateways[] = { NULL, "10.0.0.2", NULL };
	struct world *w = world_new(NULL);
	bool done = false;
	size_t i;

	(void)state;
	add_vrf(w, 0, "RED");
	add_port(w, 0, 7, "ce1", "10.0.0.1/24");
	announce(w, 0, "10.8.0.0/16", NULL);
	announce(w, 0, "10.9.0.0/16", "10.0.0.2");
	until(w, idle, "the VRF and the next hops are there");
	w->record->refuse = refuse_once;
	w->record->refuse_arg = &done;
	for (i = 0; i < ARRAY_SIZE(gateways); i++) {
		announce(w, 0, "10.2.0.0/16", gateways[i]);
		while (jobs_run(w->jobs, 0))
			;
	}
	until(w, idle, "all is programmed");
	assert_true(done);
	check_equal(w);
	world_free(w);
}

static int refuse_adjacency(const struct dp_op *op, const char **why, void *arg)
{
	if (op->type != DP_OP_NH_NEW || op->nh->kind != L3VPN_NH_KIND_ADJACENCY)
		return 0;
	*why = "interface is not a port";
	return EINVAL;
}

static void refused_next_hop(void **state)
{
	struct world *w = world_new(NULL);

	(void)state;
	add_vrf(w, 0, "RED");
	add_port(w, 0, 7, "ce1", "10.0.0.1/24");
	w->record->refuse = refuse_adjacency;
	announce(w, 0, "10.1.0.0/16", "10.0.0.2");
	announce(w, 0, "10.2.0.0/16", "10.0.0.2");
	announce(w, 0, "10.3.0.0/16", NULL);
	until(w, settled, "all is answered");
	assert_int_equal(record_routes(w->record, w->vrf[0]->id, AF_INET), 1);
	w->record->refuse = NULL;
	until(w, idle, "it is tried again, and what refers to it");
	check_equal(w);
	world_free(w);
}

static struct dp_nh *held_nh(struct world *w, const char *gateway)
{
	struct ip_addr a;
	unsigned int i;

	addr_parse(gateway, &a);
	for (i = 0; i < RECORD_NHS; i++)
		if (w->record->nh[i].nh && addr_eq(&w->record->nh[i].nh->gateway, &a))
			return dp_nh_copy(w->record->nh[i].nh);
	return NULL;
}

/* An id that is free already, and that the audit finds in the forwarder and deletes, is free once. */
static void id_is_free_once(void **state)
{
	struct world *w = world_new(NULL);
	struct dp_summary sum;
	struct dp_nh *old;

	(void)state;
	add_vrf(w, 0, "RED");
	add_port(w, 0, 7, "ce1", "10.0.0.1/24");
	announce(w, 0, "10.1.0.0/16", "10.0.0.2");
	until(w, idle, "all is programmed");
	dp_sync_restart_done(w->sync);
	until(w, swept, "the sweep and the audit behind it");
	old = held_nh(w, "10.0.0.2");
	assert_non_null(old);
	withdraw(w, 0, "10.1.0.0/16");
	until(w, idle, "its next hop is gone");
	assert_null(w->record->nh[old->id].nh);
	w->record->nh[old->id].nh = old;
	dp_sync_summary(w->sync, &sum);
	audits_seen = sum.audits;
	dp_sync_audit(w->sync);
	until(w, audited, "an audit");
	until(w, idle, "it is deleted");
	announce(w, 0, "10.2.0.0/16", "10.0.0.3");
	announce(w, 0, "10.3.0.0/16", "10.0.0.4");
	until(w, idle, "all is programmed");
	assert_int_not_equal(record_route(w->record, w->vrf[0]->id, "10.2.0.0/16")->nh,
			     record_route(w->record, w->vrf[0]->id, "10.3.0.0/16")->nh);
	check_equal(w);
	world_free(w);
}

static void audit_mends(void **state)
{
	struct world *w = world_new(NULL);
	struct record_route *route;
	struct dp_summary sum;
	char prefix[32];
	int i;

	(void)state;
	add_vrf(w, 0, "RED");
	add_port(w, 0, 7, "ce1", "10.0.0.1/24");
	for (i = 0; i < 1000; i++) {
		snprintf(prefix, sizeof(prefix), "10.1.%d.%d/32", i / 256, i % 256);
		announce(w, 0, prefix, i % 2 ? NULL : "10.0.0.2");
	}
	announce(w, 0, "2001:db8:1::/48", NULL);
	until(w, idle, "all is programmed");
	dp_sync_restart_done(w->sync);
	until(w, swept, "the sweep and the audit behind it");
	record_forget_lines(w->record);

	/* nothing differs: nothing is done */
	dp_sync_summary(w->sync, &sum);
	assert_int_equal(sum.audit, DP_AUDIT_EQUAL);
	audits_seen = sum.audits;
	dp_sync_audit(w->sync);
	until(w, audited, "an audit");
	assert_int_equal(w->record->n_lines, 0);

	/* one gone, one changed, one that nobody wanted: exactly these are mended */
	record_drop_route(w->record, w->vrf[0]->id, "10.1.0.7/32");
	route = record_route(w->record, w->vrf[0]->id, "10.1.0.9/32");
	assert_non_null(route);
	route->label = 4711;
	record_put_route(w->record, w->vrf[0]->id, "10.77.0.0/16", route->nh, L3VPN_LABEL_NONE);
	record_drop_route(w->record, w->vrf[0]->id, "2001:db8:1::/48");
	dp_sync_summary(w->sync, &sum);
	audits_seen = sum.audits;
	dp_sync_audit(w->sync);
	until(w, audited, "an audit");
	check_equal(w);
	dp_sync_summary(w->sync, &sum);
	assert_int_equal(sum.audit_mends, 4);
	assert_int_equal(w->record->n_lines, 4);
	assert_true(record_find(w->record, 0, "route add vrf 1 10.1.0.7/32") >= 0);
	assert_true(record_find(w->record, 0, "route add vrf 1 10.1.0.9/32") >= 0);
	assert_true(record_find(w->record, 0, "route delete vrf 1 10.77.0.0/16") >= 0);
	assert_true(record_find(w->record, 0, "route add vrf 1 2001:db8:1::/48") >= 0);
	world_free(w);
}

static void audit_mends_settings(void **state)
{
	struct world *w = world_new(NULL);
	struct tunnel_settings own, all;
	struct dp_summary sum;
	struct dp_vrf *held;
	int made;

	(void)state;
	tunnel_settings_init(&own);
	all = own;
	all.dscp_tc[46] = 3;
	own.model = TUNNEL_PIPE;
	vrf_set_tunnel_all(w->vrfs, &all);
	add_vrf(w, 0, "RED");
	vrf_set_tunnel(w->vrfs, w->vrf[0], &own);
	until(w, idle, "all is programmed");
	dp_sync_restart_done(w->sync);
	until(w, swept, "the sweep and the audit behind it");

	/* it never was anything else in between */
	made = record_find(w->record, 0, "vrf new 1 RED");
	assert_true(made >= 0);
	assert_int_equal(record_find(w->record, made + 1, "vrf new 1 RED"), -1);
	held = &w->record->vrf[0].vrf;
	assert_int_equal(held->ttl_model, L3VPN_MODEL_PIPE);
	assert_int_equal(held->tc_model, L3VPN_MODEL_PIPE);
	assert_int_equal(held->dscp_tc[46], 3);
	assert_int_equal(held->tc_dscp[5], 40);

	/* the same again is no request; one thing that differs is one */
	record_forget_lines(w->record);
	vrf_set_tunnel(w->vrfs, w->vrf[0], &own);
	vrf_set_tunnel_all(w->vrfs, &all);
	until(w, idle, "nothing is to be done");
	assert_int_equal(w->record->n_lines, 0);
	own.tc_dscp[5] = 46;
	vrf_set_tunnel(w->vrfs, w->vrf[0], &own);
	until(w, idle, "the map is programmed");
	assert_int_equal(w->record->n_lines, 1);
	assert_int_equal(held->tc_dscp[5], 46);

	/* changed by somebody else */
	record_forget_lines(w->record);
	held->tc_model = L3VPN_MODEL_UNIFORM;
	held->dscp_tc[0] = 7;
	dp_sync_summary(w->sync, &sum);
	audits_seen = sum.audits;
	dp_sync_audit(w->sync);
	until(w, audited, "an audit");
	dp_sync_summary(w->sync, &sum);
	assert_int_equal(sum.audit_mends, 1);
	assert_int_equal(w->record->n_lines, 1);
	assert_int_equal(held->tc_model, L3VPN_MODEL_PIPE);
	assert_int_equal(held->dscp_tc[0], 0);
	world_free(w);
}

/* ---- labels ---- */

static int label_acks, label_error;

static void on_label_acked(struct fib_label *l, int err, void *arg)
{
	label_acks++;
	label_error = err;
}

static bool label_programmed(struct world *w)
{
	return label_acks > 0 && idle(w);
}

static void label_acknowledged(void **state)
{
	struct world *w = world_new(NULL);
	struct fib_label l = {
		.label = 100000, .action = FIB_LABEL_POP_VRF, .out_label = FIB_LABEL_NONE,
		.acked = on_label_acked,
	};

	(void)state;
	label_acks = 0;
	add_vrf(w, 0, "RED");
	l.vrf = w->vrf[0]->id;
	record_hold(w->record, true);
	assert_true(fib_label_set(rib_fib(w->rib), &l));
	while (jobs_run(w->jobs, 0))
		;
	uv_run(&w->loop, UV_RUN_NOWAIT);
	assert_int_equal(label_acks, 0);	/* submitted is not programmed */
	assert_false(l.programmed);
	record_hold(w->record, false);
	until(w, label_programmed, "the label is acknowledged");
	assert_int_equal(label_error, 0);
	assert_true(l.programmed);
	assert_int_equal(record_labels(w->record), 1);

	/* the forwarder loses everything: the label is told as lost, and acknowledged again */
	label_acks = 0;
	record_reload(w->record);
	until(w, label_programmed, "the label is acknowledged again");
	assert_int_equal(record_labels(w->record), 1);
	fib_label_del(rib_fib(w->rib), &l);
	until(w, idle, "it is gone");
	assert_int_equal(record_labels(w->record), 0);
	world_free(w);
}

/* ---- the forwarder goes and comes ---- */

static bool present(struct world *w)
{
	struct dp_summary sum;

	dp_sync_summary(w->sync, &sum);
	return sum.present;
}

static bool absent(struct world *w)
{
	return !present(w);
}

static void reload(void **state)
{
	struct world *w = world_new(NULL);
	char prefix[32];
	int i;

	(void)state;
	add_vrf(w, 0, "RED");
	add_vrf(w, 1, "BLUE");
	add_port(w, 0, 7, "ce1", "10.0.0.1/24");
	for (i = 0; i < 3000; i++) {
		snprintf(prefix, sizeof(prefix), "10.%d.%d.0/24", 1 + i / 256, i % 256);
		announce(w, i % 2, prefix, i % 4 ? NULL : w->vrf[i % 2] == w->vrf[0] ? "10.0.0.2" : NULL);
	}
	announce(w, 1, "2001:db8::/32", NULL);
	until(w, idle, "all is programmed");
	record_gone(w->record);
	until(w, absent, "its absence is noticed");
	/* changes meanwhile are not lost */
	withdraw(w, 0, "10.1.0.0/24");
	announce(w, 1, "10.99.0.0/16", NULL);
	record_back(w->record);
	until(w, present, "it is back");
	until(w, idle, "all is programmed again");
	check_equal(w);
	assert_non_null(record_route(w->record, w->vrf[1]->id, "10.99.0.0/16"));
	world_free(w);
}

static void adoption(void **state)
{
	struct world *a = world_new(NULL), *b;
	uint32_t blue, nh;
	struct record_route *route;

	(void)state;
	add_vrf(a, 0, "GREEN");
	add_vrf(a, 1, "BLUE");
	add_port(a, 1, 7, "ce1", "10.0.0.1/24");
	announce(a, 0, "10.5.0.0/16", NULL);
	announce(a, 1, "10.1.0.0/16", "10.0.0.2");
	announce(a, 1, "10.2.0.0/16", "10.0.0.3");
	announce(a, 1, "2001:db8::/32", NULL);
	until(a, idle, "all is programmed");
	blue = a->vrf[1]->id;
	nh = record_route(a->record, blue, "10.2.0.0/16")->nh;

	/* another daemon, the same forwarder: GREEN is configured no more, 10.1.0.0/16 is not learned again */
	b = world_new(a->record);
	assert_true(dp_sync_preserved(b->sync, AF_INET));
	assert_true(dp_sync_preserved(b->sync, AF_INET6));
	add_vrf(b, 0, "RED");
	add_vrf(b, 1, "BLUE");
	assert_int_equal(b->vrf[1]->id, blue);
	assert_int_not_equal(b->vrf[0]->id, blue);
	add_port(b, 1, 7, "ce1", "10.0.0.1/24");
	announce(b, 1, "10.2.0.0/16", "10.0.0.3");
	announce(b, 1, "2001:db8::/32", NULL);
	until(b, idle, "all is programmed");
	route = record_route(b->record, blue, "10.2.0.0/16");
	assert_non_null(route);
	assert_int_equal(route->nh, nh);	/* the same content has the same id: nothing moved */
	assert_non_null(record_route(b->record, blue, "10.1.0.0/16"));	/* not swept yet */
	dp_sync_restart_done(b->sync);
	until(b, swept, "the sweep");
	assert_null(record_route(b->record, blue, "10.1.0.0/16"));
	check_equal(b);
	world_free(b);
	world_free(a);
}

/* ---- churn ---- */

static int refuse_some(const struct dp_op *op, const char **why, void *arg)
{
	if (op->type != DP_OP_ROUTE4_ADD && op->type != DP_OP_ROUTE6_ADD && op->type != DP_OP_NH_NEW)
		return 0;
	*why = "by chance";
	return rand_r(arg) % 8 ? 0 : ENOMEM;
}

static void churn(void **state)
{
	const char *fixed = getenv("SEED");
	unsigned int seed = fixed ? strtoul(fixed, NULL, 0) : (unsigned int)time(NULL), chance;
	struct world *w = world_new(NULL);
	struct dp_summary sum;
	char prefix[48], gw[16];
	int i, round, v, kind;

	(void)state;
	print_message("seed %u\n", seed);
	chance = seed;
	for (i = 0; i < 3; i++) {
		static const char *const names[] = { "RED", "BLUE", "GREEN" };
		char address[32], port[16];

		add_vrf(w, i, names[i]);
		snprintf(port, sizeof(port), "ce%d", i);
		snprintf(address, sizeof(address), "10.0.%d.1/24", i);
		add_port(w, i, 10 + i, port, address);
	}
	w->record->refuse_arg = &chance;
	for (round = 0; round < 60; round++) {
		w->record->refuse = round % 3 ? refuse_some : NULL;
		for (i = 0; i < 200; i++) {
			v = rand_r(&seed) % 3;
			kind = rand_r(&seed) % 4;
			if (rand_r(&seed) % 4)
				snprintf(prefix, sizeof(prefix), "10.%d.%d.0/24", 1 + rand_r(&seed) % 4,
					 rand_r(&seed) % 64);
			else
				snprintf(prefix, sizeof(prefix), "2001:db8:%x::/48",
					 rand_r(&seed) % 64);
			snprintf(gw, sizeof(gw), "10.0.%d.%d", v, 2 + rand_r(&seed) % 20);
			if (!kind)
				withdraw(w, v, prefix);
			else
				announce(w, v, prefix, kind > 2 || strchr(prefix, ':') ? NULL : gw);
			if (rand_r(&seed) % 16 == 0)
				uv_run(&w->loop, UV_RUN_NOWAIT);
		}
		if (round == 30) {
			record_gone(w->record);
			until(w, absent, "its absence is noticed");
			record_back(w->record);
			until(w, present, "it is back");
		}
	}
	w->record->refuse = NULL;
	until(w, idle, "calm");
	check_equal(w);
	/* it was lost once: there is nothing to sweep, and the audit finds nothing to mend */
	dp_sync_summary(w->sync, &sum);
	assert_int_equal(sum.reloads, 1);
	assert_false(sum.sweep_pending);
	audits_seen = sum.audits;
	dp_sync_audit(w->sync);
	until(w, audited, "an audit");
	dp_sync_summary(w->sync, &sum);
	assert_int_equal(sum.audit, DP_AUDIT_EQUAL);
	check_equal(w);
	world_free(w);
}

static void vrf_comes_and_goes(void **state)
{
	struct world *w = world_new(NULL);

	(void)state;
	add_vrf(w, 0, "RED");
	announce(w, 0, "10.1.0.0/16", NULL);
	until(w, idle, "it is programmed");
	record_forget_lines(w->record);
	del_vrf(w, 0);
	until(w, idle, "it is gone");
	assert_true(record_find(w->record, 0, "vrf delete") > record_find(w->record, 0, "route delete"));
	add_vrf(w, 0, "RED");
	announce(w, 0, "10.2.0.0/16", NULL);
	until(w, idle, "it is there again");
	check_equal(w);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order), cmocka_unit_test(packed), cmocka_unit_test(last_word),
		cmocka_unit_test(refused_route), cmocka_unit_test(limit),
		cmocka_unit_test(refused_change), cmocka_unit_test(refused_late), cmocka_unit_test(refused_next_hop),
		cmocka_unit_test(id_is_free_once),
		cmocka_unit_test(audit_mends),
		cmocka_unit_test(audit_mends_settings),
		cmocka_unit_test(label_acknowledged), cmocka_unit_test(reload),
		cmocka_unit_test(adoption), cmocka_unit_test(churn),
		cmocka_unit_test(vrf_comes_and_goes),
	};

	log_init("test_sync", LOG_TARGET_NONE, LOG_LEVEL_DEBUG);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
