// SPDX-License-Identifier: GPL-2.0
/* rooms: lib conf rib labels ldp */
/*
 * One router against a neighbour that is played by hand, octet by octet: how each fault is answered (RFC 5036 section
 * 3.5.1.2 and those after it), the session's state machine, bindings, requests, releases, capabilities.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ldp/private.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "rib/lsp.h"
#include "rib/table.h"
#include "rib/tests/recorder.h"

/* we: 1.1.1.1, k0 10.0.0.1/24; the neighbour: 2.2.2.2 at 10.0.0.2, so that it connects to us */
static struct rib_env env;
static struct nht *nht;
static struct recorder rec;
static struct ldp *ldp;
static const struct ldp_id us = { .lsr = { 1, 1, 1, 1 } }, them = { .lsr = { 2, 2, 2, 2 } };

struct ldp_conn {
	struct ldp_session *session;
	bool closed;
	struct buf out;			/* what we sent */
};
static struct ldp_conn conn;
static unsigned int hellos;
static char key[LDP_PASSWORD_MAX + 1];
static uint8_t min_ttl;

static void net_listen(void *arg, uint8_t family, int ifindex, bool on)
{
}

static void net_hello_link(void *arg, uint8_t family, int ifindex, const void *data, size_t len)
{
	hellos++;
}

static void net_hello_targeted(void *arg, const struct ip_addr *from, const struct ip_addr *to, const void *data,
			       size_t len)
{
	hellos++;
}

static void net_family(void *arg, uint8_t family, bool on)
{
}

static void net_key(void *arg, const struct ip_addr *peer, const char *password)
{
	snprintf(key, sizeof(key), "%s", password);
}

static struct ldp_conn *net_connect(void *arg, const struct ldp_net_tcp *tcp, struct ldp_session *s)
{
	return NULL;
}

static void net_owner(struct ldp_conn *c, struct ldp_session *s)
{
	c->session = s;
}

static bool net_min_ttl(struct ldp_conn *c, uint8_t ttl)
{
	min_ttl = ttl;
	return true;
}

static void net_send(struct ldp_conn *c, const void *data, size_t len)
{
	buf_bytes(&c->out, data, len);
}

static size_t net_queued(const struct ldp_conn *c)
{
	return 0;
}

static void net_close(struct ldp_conn *c)
{
	c->closed = true;
	c->session = NULL;
}

static const struct ldp_net net = {
	.listen = net_listen, .hello_link = net_hello_link, .hello_targeted = net_hello_targeted,
	.family = net_family, .key = net_key, .connect = net_connect, .owner = net_owner, .min_ttl = net_min_ttl,
	.send = net_send, .queued = net_queued, .close = net_close,
};

static struct ip_addr A(const char *s)
{
	struct ip_addr a;

	assert_true(addr_parse(s, &a));
	return a;
}

static struct prefix P(const char *s)
{
	struct prefix p;

	assert_true(prefix_parse_host(s, &p));
	return p;
}

static void settle(void)
{
	int i;

	for (i = 0; i < 5; i++) {
		jobs_run(env.jobs, 0);
		rec_ack(&rec);
	}
}

static struct ldp_settings settings(void)
{
	struct ldp_settings s;

	ldp_settings_init(&s);
	s.on = true;
	memcpy(s.router_id, us.lsr, 4);
	s.family[AFI4].on = true;
	s.family[AFI4].transport = A("1.1.1.1");
	s.ifaces = xcalloc(1, sizeof(*s.ifaces));
	s.n_ifaces = 1;
	strcpy(s.ifaces[0].name, "k0");
	s.ifaces[0].family[AFI4] = true;
	s.ifaces[0].interval = 5;
	s.ifaces[0].holdtime = 15;
	return s;
}

static void apply(struct ldp_settings s)
{
	ldp_apply(ldp, &s);
	settle();
}

static int setup(void **unused)
{
	struct nht_link k0 = { .ifindex = 1, .name = "k0", .up = true };
	struct nht_way way = { .ifindex = 1, .weight = 1, .gateway = A("10.0.0.2") };
	struct ldp_options opt = { 0 };
	struct prefix p = P("10.0.0.1/24");

	log_init("test", LOG_TARGET_NONE, LOG_LEVEL_DEBUG);
	memset(&env, 0, sizeof(env));
	env.jobs = jobs_new(NULL);
	env.rib = rib_new(env.jobs);
	nht = rib_nht(env.rib);
	rec_start(&rec, rib_fib(env.rib));
	env.labels = labels_new(env.jobs, rib_fib(env.rib));
	nht_link_set(nht, &k0);
	nht_addr_add(nht, 1, &p);
	p = P("3.3.3.3/32");
	nht_route_set(nht, &p, &way, 1, 10);
	memset(&conn, 0, sizeof(conn));
	buf_init(&conn.out);
	hellos = 0;
	ldp = ldp_new(&env, &opt, &net, NULL);
	apply(settings());
	return 0;
}

static int teardown(void **unused)
{
	ldp_free(ldp);
	buf_free(&conn.out);
	settle();
	labels_free(env.labels);
	settle();
	rec_end(&rec);
	rib_free(env.rib);
	jobs_free(env.jobs);
	return 0;
}

/* ---- the neighbour ---- */

static struct buf out;
static struct ldp_writer w;

static void begin(uint16_t type)
{
	buf_init(&out);
	ldp_pdu_begin(&w, &out, &them);
	ldp_msg_begin(&w, type, 77);
}

static void raw_tlv(uint16_t type, const void *data, uint16_t len)
{
	buf_u16(&out, type);
	buf_u16(&out, len);
	buf_bytes(&out, data, len);
}

static void finish_pdu(void)
{
	ldp_msg_end(&w);
	ldp_pdu_end(&w);
}

static void deliver(void)
{
	assert_non_null(conn.session);
	ldp_net_received(conn.session, out.data, out.len);
	buf_free(&out);
	settle();
}

static void send_it(void)
{
	finish_pdu();
	deliver();
}

static void hello(uint16_t flags)
{
	struct ldp_net_hello from = { .family = AF_INET, .ifindex = 1, .multicast = true, .ttl = 1,
				      .from = A("10.0.0.2"), .to = A("224.0.0.2") };
	struct ldp_hello h = { .hold = 15, .flags = flags, .transport = A("2.2.2.2"), .config_seq = 1 };

	begin(LDP_MSG_HELLO);
	ldp_put_hello(&w, &h);
	finish_pdu();
	ldp_net_hello(ldp, &from, out.data, out.len);
	buf_free(&out);
}

static void accepted(void)
{
	struct ip_addr local = A("1.1.1.1"), remote = A("2.2.2.2");

	conn.closed = false;
	buf_rewind(&conn.out, 0);
	assert_true(ldp_net_accepted(ldp, &conn, &local, &remote));
}

static struct ldp_init init_of(void)
{
	return (struct ldp_init){ .params = { .version = 1, .keepalive = 30, .max_pdu = 4096, .receiver = us } };
}

static void send_init(struct ldp_init i)
{
	begin(LDP_MSG_INIT);
	ldp_put_init(&w, &i);
	send_it();
}

static void send_keepalive(void)
{
	begin(LDP_MSG_KEEPALIVE);
	send_it();
}

static void open_session(void)
{
	struct ip_addr addr = A("10.0.0.2");

	hello(0);
	accepted();
	send_init(init_of());
	send_keepalive();
	assert_int_equal(conn.session->state, LDP_OPERATIONAL);
	begin(LDP_MSG_ADDRESS);
	ldp_put_addresses(&w, AF_INET, &addr, 1);
	send_it();
	buf_rewind(&conn.out, 0);
}

static void labelled(uint16_t type, const char *fec, uint32_t label)
{
	struct ldp_fec_elem e = { .prefix = P(fec) };

	begin(type);
	ldp_put_fec(&w, &e);
	if (label != LDP_LABEL_NONE)
		ldp_put_label(&w, label);
	send_it();
}

/* the @n-th message that we sent since; false: no more */
static bool sent(unsigned int n, struct ldp_msg *m)
{
	struct ldp_fault f;
	struct ldp_pdu pdu;
	size_t at = 0;

	while (ldp_pdu_read(conn.out.data + at, conn.out.len - at, 4096, &pdu, &f) == LDP_OK) {
		at += pdu.size;
		assert_true(ldp_id_eq(&pdu.id, &us));
		while (ldp_msg_read(&pdu.body, m, &f) == LDP_OK)
			if (!n--)
				return true;
		assert_int_equal(f.status, 0);
	}
	assert_int_equal(at, conn.out.len);
	return false;
}

/* a message of the type, and for the FEC where one is named */
static bool was_sent(uint16_t type, const char *fec, struct ldp_msg *m)
{
	struct ldp_fec_elem e;
	struct prefix p = { 0 };
	unsigned int n;

	if (fec)
		p = P(fec);
	for (n = 0; sent(n, m); n++) {
		struct cursor c = m->fec;

		if (m->type == type && (!fec || (ldp_fec_next(&c, &e) && prefix_eq(&e.prefix, &p))))
			return true;
	}
	return false;
}

static void told(uint32_t status, bool fatal)
{
	struct ldp_msg m;
	unsigned int n;

	for (n = 0; sent(n, &m); n++)
		if (m.type == LDP_MSG_NOTIFICATION && m.status == status)
			break;
	if (m.type != LDP_MSG_NOTIFICATION || m.status != status)
		fail_msg("%s was not sent", ldp_status_str(status));
	assert_int_equal(m.status_fatal, fatal);
	assert_int_equal(conn.closed, fatal);
	buf_rewind(&conn.out, 0);
}

/* ---- faults ---- */

static void bad_identifier(void **unused)
{
	struct ldp_id other = { .lsr = { 9, 9, 9, 9 } };

	open_session();
	buf_init(&out);
	ldp_pdu_begin(&w, &out, &other);
	ldp_msg_begin(&w, LDP_MSG_KEEPALIVE, 1);
	send_it();
	told(LDP_BAD_LDP_ID, true);
}

static void bad_version(void **unused)
{
	open_session();
	begin(LDP_MSG_KEEPALIVE);
	finish_pdu();
	out.data[1] = 2;
	deliver();
	told(LDP_BAD_VERSION, true);
}

static void bad_pdu_length(void **unused)
{
	open_session();
	begin(LDP_MSG_KEEPALIVE);
	finish_pdu();
	buf_patch_u16(&out, 2, 13);
	deliver();
	told(LDP_BAD_PDU_LENGTH, true);
	open_session();
	begin(LDP_MSG_KEEPALIVE);
	finish_pdu();
	buf_patch_u16(&out, 2, 4097);
	deliver();
	told(LDP_BAD_PDU_LENGTH, true);
}

static void unknown_message(void **unused)
{
	open_session();
	begin(0x0555);
	send_it();
	told(LDP_UNKNOWN_MESSAGE, false);
	begin(0x8555);
	send_it();
	assert_int_equal(conn.out.len, 0);
	assert_false(conn.closed);
}

static void bad_message_length(void **unused)
{
	open_session();
	begin(LDP_MSG_KEEPALIVE);
	finish_pdu();
	buf_patch_u16(&out, 12, 5);
	deliver();
	told(LDP_BAD_MESSAGE_LENGTH, true);
	open_session();
	begin(LDP_MSG_KEEPALIVE);
	finish_pdu();
	buf_patch_u16(&out, 12, 3);
	deliver();
	told(LDP_BAD_MESSAGE_LENGTH, true);
}

static void unknown_tlv(void **unused)
{
	struct ldp_msg m;

	open_session();
	begin(LDP_MSG_KEEPALIVE);
	raw_tlv(0x0999, "abcd", 4);
	send_it();
	assert_true(was_sent(LDP_MSG_NOTIFICATION, NULL, &m));
	/* RFC 5561 section 8: it comes back */
	assert_true(m.have & LDP_HAVE_RETURNED);
	assert_int_equal(m.status_msg_id, 77);
	assert_int_equal(m.status_msg_type, LDP_MSG_KEEPALIVE);
	told(LDP_UNKNOWN_TLV, false);
	begin(LDP_MSG_KEEPALIVE);
	raw_tlv(0x8999, "abcd", 4);
	send_it();
	assert_int_equal(conn.out.len, 0);
}

static void bad_tlv_length(void **unused)
{
	open_session();
	begin(LDP_MSG_KEEPALIVE);
	buf_u16(&out, 0x8999);
	buf_u16(&out, 5);
	buf_u32(&out, 0);
	send_it();
	told(LDP_BAD_TLV_LENGTH, true);
}

static void malformed_tlv(void **unused)
{
	static const struct { uint8_t len, tlv[12]; } bad[] = {
		{ 4, { 2, 0, 1, 33 } },			/* prefix longer than an address */
		{ 5, { 2, 0, 1, 16, 10 } },		/* not all of it */
		{ 3, { 2, 0, 1 } },
		{ 5, { 1, 2, 0, 1, 0 } },		/* wildcard and something else */
	};
	struct ldp_fec_elem e = { .prefix = P("5.5.5.5/32") };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		open_session();
		begin(LDP_MSG_WITHDRAW);
		raw_tlv(0x0100, bad[i].tlv, bad[i].len);
		send_it();
		told(LDP_MALFORMED_TLV, true);
	}
	/* labels that nobody may advertise */
	for (i = 0; i < 16; i++) {
		if (i == LDP_LABEL_NULL4 || i == LDP_LABEL_IMPLICIT)
			continue;
		open_session();
		begin(LDP_MSG_MAPPING);
		ldp_put_fec(&w, &e);
		ldp_put_label(&w, i);
		send_it();
		told(LDP_MALFORMED_TLV, true);
	}
	open_session();
	begin(LDP_MSG_MAPPING);
	ldp_put_fec(&w, &e);
	ldp_put_label(&w, 1u << 20);
	send_it();
	told(LDP_MALFORMED_TLV, true);
}

static void missing_parameters(void **unused)
{
	struct ldp_fec_elem e = { .prefix = P("5.5.5.5/32") };

	open_session();
	begin(LDP_MSG_MAPPING);
	ldp_put_fec(&w, &e);
	send_it();
	told(LDP_MISSING_PARAMETERS, false);
	begin(LDP_MSG_ADDRESS);
	send_it();
	told(LDP_MISSING_PARAMETERS, false);
}

static void unknown_fec(void **unused)
{
	open_session();
	begin(LDP_MSG_MAPPING);
	raw_tlv(0x0100, "\x80\x00\x01\x08\x0a", 5);	/* a pseudowire */
	ldp_put_label(&w, 100);
	send_it();
	told(LDP_UNKNOWN_FEC, false);
	/* RFC 5036 section 3.4.1: a wildcard is for withdrawals and releases */
	begin(LDP_MSG_MAPPING);
	raw_tlv(0x0100, "\x01", 1);
	ldp_put_label(&w, 100);
	send_it();
	told(LDP_UNKNOWN_FEC, false);
	/* RFC 5918 section 4: a type that has no typed wildcard */
	begin(LDP_MSG_WITHDRAW);
	raw_tlv(0x0100, "\x05\x01\x00", 3);
	send_it();
	told(LDP_UNKNOWN_FEC, false);
}

static void unsupported_family(void **unused)
{
	open_session();
	begin(LDP_MSG_MAPPING);
	raw_tlv(0x0100, "\x02\x00\x03\x00", 4);
	ldp_put_label(&w, 100);
	send_it();
	told(LDP_UNSUPPORTED_FAMILY, false);
	begin(LDP_MSG_ADDRESS);
	raw_tlv(0x0101, "\x00\x10", 2);
	send_it();
	told(LDP_UNSUPPORTED_FAMILY, false);
}

static void no_hello(void **unused)
{
	accepted();
	send_init(init_of());
	told(LDP_NO_HELLO, true);
	/* it means another router than we are */
	hello(0);
	accepted();
	send_init((struct ldp_init){ .params = { .version = 1, .keepalive = 30, .receiver = them } });
	told(LDP_NO_HELLO, true);
}

static void refused_parameters(void **unused)
{
	struct ldp_init i = init_of();

	hello(0);
	accepted();
	i.params.keepalive = 0;
	send_init(i);
	told(LDP_REJECTED_KEEPALIVE, true);
	accepted();
	i = init_of();
	i.params.version = 2;
	send_init(i);
	told(LDP_BAD_VERSION, true);
	accepted();
	i = init_of();
	begin(LDP_MSG_INIT);
	ldp_put_init(&w, &i);
	raw_tlv(0x0501, "\0\0\0\0", 4);		/* ATM */
	send_it();
	told(LDP_REJECTED_LABEL_RANGE, true);
}

static void unsupported_capability(void **unused)
{
	struct ldp_init i = init_of();

	hello(0);
	accepted();
	begin(LDP_MSG_INIT);
	ldp_put_init(&w, &i);
	raw_tlv(0x0777, "\x80", 1);
	send_it();
	/* RFC 5561 section 6: said, and then the session does not come up */
	assert_true(conn.closed);
	told(LDP_SHUTDOWN, true);
	accepted();
	begin(LDP_MSG_INIT);
	ldp_put_init(&w, &i);
	raw_tlv(0x8777, "\x80", 1);
	send_it();
	assert_false(conn.closed);
	send_keepalive();
	assert_int_equal(conn.session->state, LDP_OPERATIONAL);
	/* in a Capability message it does no harm */
	begin(LDP_MSG_CAPABILITY);
	raw_tlv(0x0777, "\x80", 1);
	send_it();
	told(LDP_UNSUPPORTED_CAPABILITY, false);
}

static void capability_twice(void **unused)
{
	struct ldp_init i = init_of();

	hello(0);
	accepted();
	begin(LDP_MSG_INIT);
	ldp_put_init(&w, &i);
	raw_tlv(0x8506, "\x80", 1);
	send_it();
	told(LDP_MALFORMED_TLV, true);
}

static void keepalive_expires(void **unused)
{
	open_session();
	hello(0);
	timers_advance(env.jobs, 12000);
	hello(0);
	timers_advance(env.jobs, 12000);
	hello(0);
	assert_false(conn.closed);
	timers_advance(env.jobs, 7000);
	told(LDP_KEEPALIVE_EXPIRED, true);
}

static void hold_expires(void **unused)
{
	open_session();
	timers_advance(env.jobs, 14000);
	assert_false(conn.closed);
	timers_advance(env.jobs, 2000);
	told(LDP_HOLD_EXPIRED, true);
}

static void machine_refuses(void **unused)
{
	/* before an Initialization nothing else may come; not even what may be ignored later */
	hello(0);
	accepted();
	send_keepalive();
	told(LDP_SHUTDOWN, true);
	accepted();
	send_init(init_of());
	begin(0x8555);
	send_it();
	told(LDP_SHUTDOWN, true);
	accepted();
	send_init(init_of());
	send_init(init_of());
	told(LDP_SHUTDOWN, true);
	accepted();
	timers_advance(env.jobs, 10000);
	hello(0);
	timers_advance(env.jobs, 6000);
	told(LDP_KEEPALIVE_EXPIRED, true);
}

static void shutdown_is_answered(void **unused)
{
	struct ldp_fault f = { .status = LDP_SHUTDOWN };

	open_session();
	begin(LDP_MSG_NOTIFICATION);
	ldp_put_status(&w, &f);
	send_it();
	told(LDP_SHUTDOWN, true);
}

/* what is in a PDU behind a message that has no serious fault is heard */
static void reading_goes_on(void **unused)
{
	struct ldp_fec_elem e = { .prefix = P("3.3.3.3/32") };
	struct prefix fec = e.prefix;

	open_session();
	begin(0x0555);
	ldp_msg_end(&w);
	ldp_msg_begin(&w, LDP_MSG_MAPPING, 2);
	ldp_put_fec(&w, &e);
	ldp_put_label(&w, 333);
	send_it();
	told(LDP_UNKNOWN_MESSAGE, false);
	assert_int_equal(fec_find(ldp, &fec)->n_way, 1);
}

/* octet by octet, and all at once, are the same */
static void streams_in_pieces(void **unused)
{
	struct ldp_fec_elem e = { .prefix = P("3.3.3.3/32") };
	struct prefix fec = e.prefix;
	size_t i;

	open_session();
	begin(LDP_MSG_MAPPING);
	ldp_put_fec(&w, &e);
	ldp_put_label(&w, 333);
	finish_pdu();
	for (i = 0; i < out.len; i++)
		ldp_net_received(conn.session, out.data + i, 1);
	buf_free(&out);
	settle();
	assert_int_equal(fec_find(ldp, &fec)->way[0].label, 333);
}

/* ---- bindings ---- */

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

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(bad_identifier), T(bad_version), T(bad_pdu_length), T(unknown_message), T(bad_message_length),
		T(unknown_tlv), T(bad_tlv_length), T(malformed_tlv), T(missing_parameters), T(unknown_fec),
		T(unsupported_family), T(no_hello), T(refused_parameters), T(unsupported_capability),
		T(capability_twice), T(keepalive_expires), T(hold_expires), T(machine_refuses),
		T(shutdown_is_answered), T(reading_goes_on), T(streams_in_pieces), T(binding_is_used_and_answered),
		T(withdraws_by_wildcard), T(label_is_held_until_released), T(requests_are_answered),
		T(nulls_and_filters), T(longest_match), T(allocation_is_limited), T(targeted_hellos), T(gtsm_and_password), T(new_session_replaces_the_old),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
