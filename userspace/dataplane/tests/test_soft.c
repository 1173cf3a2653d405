// SPDX-License-Identifier: GPL-2.0
/* rooms: lib conf rib labels vrf host dataplane */
/*
 * Tunnels in the forwarder: next hops of kind tunnel, and endpoints: made, moved, refused, audited, lost with the
 * forwarder, adopted by the next daemon.
 */
#include "dataplane/tests/world.h"
#include "rib/soft.h"

static void tunnels(struct world *w, enum soft_encap encap, const char *source, const char *destination)
{
	struct soft_config c = { .port = encap == SOFT_UDP ? SOFT_UDP_PORT : 0, .scopes = 2 };
	struct prefix to;

	if (!source) {
		soft_set(rib_nht(w->rib), encap, NULL);
		return;
	}
	assert_true(addr_parse(source, &c.source[strchr(source, ':') ? AFI6 : AFI4]));
	if (destination) {
		assert_true(prefix_parse(destination, &to));
		c.destinations = &to;
		c.n = 1;
	}
	soft_set(rib_nht(w->rib), encap, &c);
}

/* A core with our address 192.0.2.1, and a route to 192.0.2.9 */
static void core(struct world *w)
{
	struct nht_link lo = { .ifindex = 1, .name = "lo", .up = true };
	struct nht_link eth = { .ifindex = 3, .name = "eth0", .up = true };
	struct nht_way way = { .ifindex = 3, .weight = 1 };
	struct nht *nht = rib_nht(w->rib);
	struct prefix p;

	nht_link_set(nht, &lo);
	nht_link_set(nht, &eth);
	assert_true(prefix_parse_host("192.0.2.1/32", &p));
	nht_addr_add(nht, 1, &p);
	assert_true(addr_parse("198.51.100.2", &way.gateway));
	assert_true(prefix_parse("192.0.2.0/24", &p));
	nht_route_set(nht, &p, &way, 1, 0);
}

static void to_pe(struct world *w, const char *prefix, const char *pe, uint32_t label)
{
	struct rib_path path = { .label = label };
	struct ip_addr a;
	struct prefix p;

	assert_true(addr_parse(pe, &a));
	assert_true(prefix_parse(prefix, &p));
	path.nh = nexthop_pe(rib_nht(w->rib), &a, 0);
	rib_announce(&w->source[0][family_afi(p.addr.family)], NULL, &p, &path);
	nexthop_put(rib_nht(w->rib), path.nh);
}

static const struct dp_nh *tunnel_held(const struct world *w)
{
	int i;

	for (i = 0; i < RECORD_NHS; i++)
		if (w->record->nh[i].nh && w->record->nh[i].nh->kind == L3VPN_NH_KIND_TUNNEL)
			return w->record->nh[i].nh;
	return NULL;
}

static void next_hops(void **state)
{
	struct world *w = world_new(NULL), *next;
	const struct dp_nh *t;
	uint32_t id, leaf;

	add_vrf(w, 0, "RED");
	core(w);
	tunnels(w, SOFT_UDP, "192.0.2.1", "192.0.2.0/24");
	to_pe(w, "10.1.0.0/16", "192.0.2.9", 500);
	until(w, idle, "all is programmed");
	t = tunnel_held(w);
	assert_non_null(t);
	assert_int_equal(t->encap, L3VPN_ENCAP_UDP);
	assert_int_equal(t->dport, 6635);
	assert_int_equal(t->gateway.b[3], 9);
	assert_int_equal(t->local.b[3], 1);
	id = record_route(w->record, w->vrf[0]->id, "10.1.0.0/16")->nh;
	assert_int_equal(w->record->nh[id].nh->kind, L3VPN_NH_KIND_LABELLED);
	assert_int_equal(w->record->nh[id].nh->via, t->id);
	check_equal(w);
	leaf = t->id;

	/* the next daemon finds the same content under the same numbers */
	next = world_new(w->record);
	add_vrf(next, 0, "RED");
	core(next);
	tunnels(next, SOFT_UDP, "192.0.2.1", "192.0.2.0/24");
	to_pe(next, "10.1.0.0/16", "192.0.2.9", 500);
	until(next, idle, "all is programmed");
	assert_int_equal(tunnel_held(next)->id, leaf);
	check_equal(next);

	/* another encapsulation is another tunnel, made before the old one goes */
	record_forget_lines(next->record);
	tunnels(next, SOFT_GRE, "192.0.2.1", "192.0.2.0/24");
	tunnels(next, SOFT_UDP, NULL, NULL);
	until(next, idle, "all is programmed");
	assert_int_equal(tunnel_held(next)->encap, L3VPN_ENCAP_GRE);
	assert_true(record_find(next->record, 0, "tunnel gre to 192.0.2.9") >= 0);
	assert_true(record_find(next->record, 0, "tunnel gre to 192.0.2.9") <
		    record_find(next->record, 0, "next-hop delete"));
	assert_int_equal(record_find(next->record, 0, "route"), -1);
	check_equal(next);
	world_free(next);
	world_free(w);
}

static bool reloaded(struct world *w)
{
	struct dp_summary sum;

	dp_sync_summary(w->sync, &sum);
	return sum.reloads && idle(w);
}

static int refuse_endpoints(const struct dp_op *op, const char **why, void *arg)
{
	*why = "the port is taken";
	return op->type == DP_OP_ENDPOINT_NEW ? EADDRINUSE : 0;
}

static void endpoints_follow_the_configuration(void **state)
{
	struct world *w = world_new(NULL);
	struct dp_port_state st;
	const struct dp_endpoint *ep;
	struct dp_expect e;

	tunnels(w, SOFT_UDP, "192.0.2.1", "192.0.2.0/24");
	tunnels(w, SOFT_GRE, "2001:db8::1", "2001:db8::/32");
	until(w, idle, "both are made");
	assert_int_equal(record_endpoints(w->record), 2);
	ep = w->record->endpoint[0].ep;
	assert_int_equal(ep->encap, L3VPN_ENCAP_UDP);
	assert_int_equal(ep->n_sources, 1);
	assert_int_equal(ep->sources[0].len, 24);
	assert_int_equal(ep->scopes, 2);
	dp_sync_expect(w->sync, L3VPN_OBJECT_ENDPOINT, 0, &e);
	assert_int_equal(e.count, 2);

	/* the same again is no request; another source is made before the old one goes */
	record_forget_lines(w->record);
	tunnels(w, SOFT_UDP, "192.0.2.1", "192.0.2.0/24");
	until(w, idle, "nothing to do");
	assert_int_equal(w->record->n_lines, 0);
	tunnels(w, SOFT_UDP, "192.0.2.2", "192.0.2.0/24");
	until(w, idle, "it has moved");
	assert_int_equal(w->record->n_lines, 2);
	assert_int_equal(record_find(w->record, 0, "endpoint new udp 192.0.2.2"), 0);
	assert_int_equal(record_find(w->record, 0, "endpoint delete udp 192.0.2.1"), 1);
	/* there and back at once */
	tunnels(w, SOFT_UDP, NULL, NULL);
	tunnels(w, SOFT_UDP, "192.0.2.2", "192.0.2.0/24");
	until(w, idle, "it is there again");
	assert_int_equal(record_endpoints(w->record), 2);

	/* refused: said, and tried again until it is taken */
	w->record->refuse = refuse_endpoints;
	tunnels(w, SOFT_UDP, "192.0.2.3", NULL);
	until(w, settled, "it is refused");
	assert_true(dp_sync_endpoint(w->sync, L3VPN_ENCAP_UDP, AF_INET, &st));
	assert_false(st.bound);
	assert_int_equal(st.error, EADDRINUSE);
	assert_string_equal(st.why, "the port is taken");
	w->record->refuse = NULL;
	until(w, idle, "it is taken");
	assert_true(dp_sync_endpoint(w->sync, L3VPN_ENCAP_UDP, AF_INET, &st));
	assert_true(st.bound);

	/* the forwarder loses all */
	record_reload(w->record);
	until(w, reloaded, "all is programmed again");
	assert_int_equal(record_endpoints(w->record), 2);
	tunnels(w, SOFT_UDP, NULL, NULL);
	tunnels(w, SOFT_GRE, NULL, NULL);
	until(w, idle, "all are gone");
	assert_int_equal(record_endpoints(w->record), 0);
	assert_false(dp_sync_endpoint(w->sync, L3VPN_ENCAP_UDP, AF_INET, &st));
	world_free(w);
}

static void endpoints_are_audited_and_swept(void **state)
{
	struct world *w = world_new(NULL), *next;
	struct dp_endpoint stranger = { .encap = L3VPN_ENCAP_GRE };
	struct dp_summary sum;

	tunnels(w, SOFT_UDP, "192.0.2.1", "192.0.2.0/24");
	tunnels(w, SOFT_GRE, "192.0.2.1", "192.0.2.0/24");
	until(w, idle, "both are made");

	/* the next daemon wants one of them */
	next = world_new(w->record);
	tunnels(next, SOFT_UDP, "192.0.2.1", "192.0.2.0/24");
	until(next, idle, "it is made");
	assert_int_equal(record_endpoints(next->record), 2);
	dp_sync_restart_done(next->sync);
	until(next, swept, "the sweep");
	assert_int_equal(record_endpoints(next->record), 1);

	/* one changed, one made by somebody else */
	next->record->endpoint[0].ep->scopes = 7;
	assert_true(addr_parse("192.0.2.77", &stranger.address));
	next->record->endpoint[5].ep = dp_endpoint_copy(&stranger);
	dp_sync_summary(next->sync, &sum);
	audits_seen = sum.audits;
	dp_sync_audit(next->sync);
	until(next, audited, "an audit");
	assert_int_equal(record_endpoints(next->record), 1);
	assert_int_equal(next->record->endpoint[0].ep->scopes, 2);
	dp_sync_summary(next->sync, &sum);
	assert_int_equal(sum.audit_mends, 2);

	/* one lost */
	dp_endpoint_free(next->record->endpoint[0].ep);
	next->record->endpoint[0].ep = NULL;
	audits_seen = sum.audits;
	dp_sync_audit(next->sync);
	until(next, audited, "an audit");
	assert_int_equal(record_endpoints(next->record), 1);
	world_free(next);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(next_hops),
		cmocka_unit_test(endpoints_follow_the_configuration),
		cmocka_unit_test(endpoints_are_audited_and_swept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
