/* SPDX-License-Identifier: GPL-2.0 */
/* One router, and its neighbour played by hand, octet by octet. After cmocka's headers. */
#ifndef L3VPN_LDP_TESTS_HAND_H
#define L3VPN_LDP_TESTS_HAND_H

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

static inline void net_listen(void *arg, uint8_t family, int ifindex, bool on)
{
}

static inline void net_hello_link(void *arg, uint8_t family, int ifindex, const void *data, size_t len)
{
	hellos++;
}

static inline void net_hello_targeted(void *arg, const struct ip_addr *from, const struct ip_addr *to,
				      const void *data, size_t len)
{
	hellos++;
}

static inline void net_family(void *arg, uint8_t family, bool on)
{
}

static inline void net_key(void *arg, const struct ip_addr *peer, const char *password)
{
	snprintf(key, sizeof(key), "%s", password);
}

static inline struct ldp_conn *net_connect(void *arg, const struct ldp_net_tcp *tcp, struct ldp_session *s)
{
	return NULL;
}

static inline void net_owner(struct ldp_conn *c, struct ldp_session *s)
{
	c->session = s;
}

static inline bool net_min_ttl(struct ldp_conn *c, uint8_t ttl)
{
	min_ttl = ttl;
	return true;
}

static inline void net_send(struct ldp_conn *c, const void *data, size_t len)
{
	buf_bytes(&c->out, data, len);
}

static inline size_t net_queued(const struct ldp_conn *c)
{
	return 0;
}

static inline void net_close(struct ldp_conn *c)
{
	c->closed = true;
	c->session = NULL;
}

static const struct ldp_net net = {
	.listen = net_listen, .hello_link = net_hello_link, .hello_targeted = net_hello_targeted,
	.family = net_family, .key = net_key, .connect = net_connect, .owner = net_owner, .min_ttl = net_min_ttl,
	.send = net_send, .queued = net_queued, .close = net_close,
};

static inline struct ip_addr A(const char *s)
{
	struct ip_addr a;

	assert_true(addr_parse(s, &a));
	return a;
}

static inline struct prefix P(const char *s)
{
	struct prefix p;

	assert_true(prefix_parse_host(s, &p));
	return p;
}

static inline void settle(void)
{
	int i;

	for (i = 0; i < 5; i++) {
		jobs_run(env.jobs, 0);
		rec_ack(&rec);
	}
}

static inline struct ldp_settings settings(void)
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

static inline void apply(struct ldp_settings s)
{
	ldp_apply(ldp, &s);
	settle();
}

static inline int setup(void **unused)
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

static inline int teardown(void **unused)
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

static inline void begin(uint16_t type)
{
	buf_init(&out);
	ldp_pdu_begin(&w, &out, &them);
	ldp_msg_begin(&w, type, 77);
}

static inline void raw_tlv(uint16_t type, const void *data, uint16_t len)
{
	buf_u16(&out, type);
	buf_u16(&out, len);
	buf_bytes(&out, data, len);
}

static inline void finish_pdu(void)
{
	ldp_msg_end(&w);
	ldp_pdu_end(&w);
}

static inline void deliver(void)
{
	assert_non_null(conn.session);
	ldp_net_received(conn.session, out.data, out.len);
	buf_free(&out);
	settle();
}

static inline void send_it(void)
{
	finish_pdu();
	deliver();
}

static inline void hello(uint16_t flags)
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

static inline void accepted(void)
{
	struct ip_addr local = A("1.1.1.1"), remote = A("2.2.2.2");

	conn.closed = false;
	buf_rewind(&conn.out, 0);
	assert_true(ldp_net_accepted(ldp, &conn, &local, &remote));
}

static inline struct ldp_init init_of(void)
{
	return (struct ldp_init){ .params = { .version = 1, .keepalive = 30, .max_pdu = 4096, .receiver = us } };
}

static inline void send_init(struct ldp_init i)
{
	begin(LDP_MSG_INIT);
	ldp_put_init(&w, &i);
	send_it();
}

static inline void send_keepalive(void)
{
	begin(LDP_MSG_KEEPALIVE);
	send_it();
}

static inline void open_session(void)
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

static inline void labelled(uint16_t type, const char *fec, uint32_t label)
{
	struct ldp_fec_elem e = { .prefix = P(fec) };

	begin(type);
	ldp_put_fec(&w, &e);
	if (label != LDP_LABEL_NONE)
		ldp_put_label(&w, label);
	send_it();
}

/* the @n-th message that we sent since; false: no more */
static inline bool sent(unsigned int n, struct ldp_msg *m)
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
static inline bool was_sent(uint16_t type, const char *fec, struct ldp_msg *m)
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

static inline void told(uint32_t status, bool fatal)
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

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
