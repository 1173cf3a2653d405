// SPDX-License-Identifier: GPL-2.0
/* rooms: lib conf rib labels ldp */
/* Bindings: used, withdrawn, released, asked for; filters; targets; what a neighbour's settings do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ldp/tests/hand.h"

static void binding_is_used_and_answered(void **unused)
{
	const struct list *paths;
	struct ldp_msg m;
	struct prefix fec = P("3.3.3.3/32");
	struct lsp *lsp;

	open_session();
	labelled(LDP_MSG_MAPPING, "3.3.3.3/32", 333);
	paths = lsp_paths(nht, &fec);
	assert_non_null(paths);
	lsp = list_first(paths, struct lsp, node);
	assert_int_equal(lsp->path.owner, RIB_PROTO_LDP);
	assert_int_equal(lsp->path.labels[0], 333);
	/* another label: the first is released (appendix A.1.2, LMp.10a) */
	buf_rewind(&conn.out, 0);
	labelled(LDP_MSG_MAPPING, "3.3.3.3/32", 334);
	assert_true(was_sent(LDP_MSG_RELEASE, "3.3.3.3/32", &m));
	assert_int_equal(m.label, 333);
	/* withdrawn: released, and out of use; one that we do not have is answered as well */
	buf_rewind(&conn.out, 0);
	labelled(LDP_MSG_WITHDRAW, "3.3.3.3/32", 334);
	assert_true(was_sent(LDP_MSG_RELEASE, "3.3.3.3/32", &m));
	assert_int_equal(m.label, 334);
	assert_null(lsp_paths(nht, &fec));
	buf_rewind(&conn.out, 0);
	labelled(LDP_MSG_WITHDRAW, "7.7.7.7/32", 5000);
	assert_true(was_sent(LDP_MSG_RELEASE, "7.7.7.7/32", &m));
}

static void withdraws_by_wildcard(void **unused)
{
	static const char *const kinds[] = { "\x01", "\x05\x02\x02\x00\x01" };
	static const uint8_t lens[] = { 1, 5 };
	struct prefix fec = P("3.3.3.3/32");
	struct ldp_msg m;
	int i;

	open_session();
	for (i = 0; i < 2; i++) {
		labelled(LDP_MSG_MAPPING, "3.3.3.3/32", 333);
		assert_int_equal(fec_find(ldp, &fec)->n_way, 1);
		buf_rewind(&conn.out, 0);
		begin(LDP_MSG_WITHDRAW);
		raw_tlv(0x0100, kinds[i], lens[i]);
		send_it();
		assert_true(was_sent(LDP_MSG_RELEASE, NULL, &m));
		assert_int_equal(fec_find(ldp, &fec)->n_way, 0);
	}
	/* of the other family */
	labelled(LDP_MSG_MAPPING, "3.3.3.3/32", 333);
	begin(LDP_MSG_WITHDRAW);
	raw_tlv(0x0100, "\x05\x02\x02\x00\x02", 5);
	send_it();
	assert_int_equal(fec_find(ldp, &fec)->n_way, 1);
}

/* our label stays until it is released by who was told of it, and comes back while it is still held */
static void label_is_held_until_released(void **unused)
{
	struct nht_way way = { .ifindex = 1, .weight = 1, .gateway = A("10.0.0.2") };
	struct prefix fec = P("3.3.3.3/32");
	struct ldp_msg m;
	uint32_t label;

	open_session();
	label = fec_find(ldp, &fec)->label;
	assert_true(label >= LABEL_MIN && label != LDP_LABEL_NONE);
	nht_route_del(nht, &fec);
	settle();
	assert_true(was_sent(LDP_MSG_WITHDRAW, "3.3.3.3/32", &m));
	assert_int_equal(m.label, label);
	assert_non_null(fec_find(ldp, &fec)->user.binding);
	labelled(LDP_MSG_RELEASE, "3.3.3.3/32", label);
	assert_null(fec_find(ldp, &fec));
	nht_route_set(nht, &fec, &way, 1, 10);
	settle();
	buf_rewind(&conn.out, 0);
	nht_route_del(nht, &fec);
	settle();
	nht_route_set(nht, &fec, &way, 1, 10);
	settle();
	/* the release that answers the withdrawal is not one of what was advertised since */
	labelled(LDP_MSG_RELEASE, "3.3.3.3/32", label);
	assert_int_equal(fec_find(ldp, &fec)->label, label);
	assert_int_equal(fec_find(ldp, &fec)->bind[0].flags & BIND_RELEASED, 0);
}

static void requests_are_answered(void **unused)
{
	struct ldp_fec_elem e = { .prefix = P("3.3.3.3/32") };
	struct ldp_msg m;

	open_session();
	begin(LDP_MSG_REQUEST);
	ldp_put_fec(&w, &e);
	send_it();
	assert_true(was_sent(LDP_MSG_MAPPING, "3.3.3.3/32", &m));
	assert_int_equal(m.request_id, 77);
	buf_rewind(&conn.out, 0);
	e.prefix = P("8.8.8.8/32");
	begin(LDP_MSG_REQUEST);
	ldp_put_fec(&w, &e);
	send_it();
	told(LDP_NO_ROUTE, false);
	/* RFC 5918: all of them, then the end */
	begin(LDP_MSG_REQUEST);
	raw_tlv(0x0100, "\x05\x02\x02\x00\x01", 5);
	send_it();
	assert_true(was_sent(LDP_MSG_MAPPING, "3.3.3.3/32", &m));
	assert_true(was_sent(LDP_MSG_MAPPING, "10.0.0.0/24", &m));
	assert_int_equal(m.label, LDP_LABEL_IMPLICIT);
	assert_true(was_sent(LDP_MSG_NOTIFICATION, NULL, &m));
	assert_int_equal(m.status, LDP_END_OF_LIB);
}

static void nulls_and_filters(void **unused)
{
	struct ldp_settings s = settings();
	struct prefix p = P("10.0.0.0/8"), fec = P("3.3.3.3/32");
	struct ldp_msg m;

	open_session();
	s.family[AFI4].explicit_null = true;
	ldp_filter_add(&s.family[AFI4].advertise, &p);
	apply(s);
	assert_true(was_sent(LDP_MSG_MAPPING, "10.0.0.0/24", &m));
	assert_int_equal(m.label, LDP_LABEL_NULL4);
	assert_true(was_sent(LDP_MSG_WITHDRAW, "3.3.3.3/32", &m));
	/* what is not accepted is released, and asked for again when it is */
	labelled(LDP_MSG_MAPPING, "3.3.3.3/32", 333);
	buf_rewind(&conn.out, 0);
	s = settings();
	ldp_filter_add(&s.family[AFI4].accept, &p);
	apply(s);
	assert_true(was_sent(LDP_MSG_RELEASE, "3.3.3.3/32", &m));
	assert_int_equal(fec_find(ldp, &fec)->n_way, 0);
	buf_rewind(&conn.out, 0);
	labelled(LDP_MSG_MAPPING, "3.3.3.3/32", 335);
	assert_true(was_sent(LDP_MSG_RELEASE, "3.3.3.3/32", &m));
	buf_rewind(&conn.out, 0);
	apply(settings());
	assert_true(was_sent(LDP_MSG_REQUEST, NULL, &m));
}

/* RFC 5283: a FEC without a route of its own goes where the route goes that contains it, and is passed on */
static void longest_match(void **unused)
{
	struct nht_way way = { .ifindex = 1, .weight = 1, .gateway = A("10.0.0.2") };
	struct prefix wide = P("9.0.0.0/8"), fec = P("9.9.9.9/32"), any = P("0.0.0.0/0");
	struct ldp_settings s = settings();
	struct ldp_msg m;

	open_session();
	nht_route_set(nht, &any, &way, 1, 1);
	labelled(LDP_MSG_MAPPING, "9.9.9.9/32", 999);
	assert_null(lsp_paths(nht, &fec));
	s.longest_match = true;
	apply(s);
	/* the default route does not count */
	assert_null(lsp_paths(nht, &fec));
	nht_route_set(nht, &wide, &way, 1, 1);
	buf_rewind(&conn.out, 0);
	settle();
	assert_int_equal(fec_find(ldp, &fec)->way[0].label, 999);
	assert_true(was_sent(LDP_MSG_MAPPING, "9.9.9.9/32", &m));
	assert_true(m.label >= LABEL_MIN);
	/* ordered: with the label from behind, its own goes */
	labelled(LDP_MSG_WITHDRAW, "9.9.9.9/32", 999);
	assert_true(was_sent(LDP_MSG_WITHDRAW, "9.9.9.9/32", &m));
	labelled(LDP_MSG_MAPPING, "9.9.9.9/32", 998);
	assert_int_equal(fec_find(ldp, &fec)->n_way, 1);
	nht_route_del(nht, &wide);
	settle();
	assert_int_equal(fec_find(ldp, &fec)->n_way, 0);
}

static void allocation_is_limited(void **unused)
{
	struct nht_way way = { .ifindex = 1, .weight = 1, .gateway = A("10.0.0.2") };
	struct prefix net4 = P("3.3.4.0/24"), host = P("3.3.3.3/32"), any = P("0.0.0.0/0"), within = P("3.3.4.0/22");
	struct ldp_settings s = settings();

	within.len = 22;
	prefix_mask(&within);
	nht_route_set(nht, &net4, &way, 1, 1);
	nht_route_set(nht, &any, &way, 1, 1);
	open_session();
	assert_int_not_equal(fec_find(ldp, &net4)->label, LDP_LABEL_NONE);
	assert_int_equal(fec_find(ldp, &any)->label, LDP_LABEL_NONE);
	s.family[AFI4].host_routes = true;
	apply(s);
	assert_int_equal(fec_find(ldp, &net4)->label, LDP_LABEL_NONE);
	assert_int_not_equal(fec_find(ldp, &host)->label, LDP_LABEL_NONE);
	s = settings();
	s.family[AFI4].default_route = true;
	ldp_filter_add(&s.family[AFI4].allocate, &within);
	ldp_filter_add(&s.family[AFI4].allocate, &any);
	apply(s);
	assert_int_not_equal(fec_find(ldp, &any)->label, LDP_LABEL_NONE);
	/* a label that comes in for what has none of ours is used all the same */
	s = settings();
	s.family[AFI4].host_routes = true;
	apply(s);
	labelled(LDP_MSG_MAPPING, "3.3.4.0/24", 444);
	assert_int_equal(fec_find(ldp, &net4)->n_way, 1);
}

/* both are found by Hellos that ask, from where it is allowed */
static void targeted_hellos(void **unused)
{
	struct ldp_net_hello from = { .family = AF_INET, .ifindex = 1, .ttl = 250, .from = A("2.2.2.2"),
				      .to = A("1.1.1.1") };
	struct ldp_hello h = { .hold = 90, .flags = LDP_HELLO_TARGETED | LDP_HELLO_REQUEST, .transport = A("2.2.2.2") };
	struct prefix elsewhere = P("4.0.0.0/8"), there = P("2.0.0.0/8");
	struct ldp_neighbor_info info;
	struct ldp_settings s;
	int i;

	for (i = 0; i < 3; i++) {
		s = settings();
		if (i)
			ldp_filter_add(&s.family[AFI4].targeted_from, i == 1 ? &elsewhere : &there);
		apply(s);
		begin(LDP_MSG_HELLO);
		ldp_put_hello(&w, &h);
		finish_pdu();
		hellos = 0;
		ldp_net_hello(ldp, &from, out.data, out.len);
		buf_free(&out);
		assert_int_equal(ldp_neighbor_next(ldp, NULL, &info), i == 2);
		assert_int_equal(hellos, i == 2);
	}
	/* the address is another router's now */
	assert_string_equal(info.id, "2.2.2.2");
	buf_init(&out);
	ldp_pdu_begin(&w, &out, &(struct ldp_id){ .lsr = { 7, 7, 7, 7 } });
	ldp_msg_begin(&w, LDP_MSG_HELLO, 1);
	ldp_put_hello(&w, &h);
	finish_pdu();
	ldp_net_hello(ldp, &from, out.data, out.len);
	buf_free(&out);
	assert_true(ldp_neighbor_next(ldp, NULL, &info));
	assert_string_equal(info.id, "7.7.7.7");
	/* no longer allowed: it goes */
	apply(settings());
	assert_false(ldp_neighbor_next(ldp, NULL, &info));
}

static void gtsm_and_password(void **unused)
{
	struct ldp_settings s = settings();

	hello(LDP_HELLO_GTSM);
	accepted();
	min_ttl = 0;
	send_init(init_of());
	assert_int_equal(min_ttl, 255);
	s.neighbors = xcalloc(1, sizeof(*s.neighbors));
	s.n_neighbors = 1;
	memcpy(s.neighbors[0].lsr, them.lsr, 4);
	strcpy(s.neighbors[0].password, "secret");
	s.neighbors[0].ttl_disable = true;
	apply(s);
	assert_true(conn.closed);
	assert_string_equal(key, "secret");
	accepted();
	min_ttl = 0;
	send_init(init_of());
	assert_int_equal(min_ttl, 0);
	assert_true(conn.session->password);
}

/* a neighbour that begins anew has lost the session that we believe in */
static void new_session_replaces_the_old(void **unused)
{
	struct ip_addr local = A("1.1.1.1"), remote = A("2.2.2.2");
	struct ldp_conn second = { 0 };
	struct ldp_init i = init_of();

	open_session();
	buf_init(&second.out);
	assert_true(ldp_net_accepted(ldp, &second, &local, &remote));
	assert_false(conn.closed);
	begin(LDP_MSG_INIT);
	ldp_put_init(&w, &i);
	finish_pdu();
	ldp_net_received(second.session, out.data, out.len);
	buf_free(&out);
	assert_true(conn.closed);
	assert_int_equal(conn.out.len, 0);
	assert_int_equal(second.session->state, LDP_OPENREC);
	ldp_clear(ldp, NULL);
	assert_true(second.closed);
	buf_free(&second.out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(binding_is_used_and_answered), T(withdraws_by_wildcard),
		T(label_is_held_until_released), T(requests_are_answered), T(nulls_and_filters),
		T(longest_match), T(allocation_is_limited), T(targeted_hellos),
		T(gtsm_and_password), T(new_session_replaces_the_old),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
