// SPDX-License-Identifier: GPL-2.0
/* rooms: lib conf rib labels ldp */
/*
 * A whole router whose neighbour, in an operational session, sends anything. The first octet says how the stream is cut
 * into pieces. When the session is over nothing of the neighbour is left.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ldp/private.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "rib/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct ldp_conn {
	struct ldp_session *session;
};

static struct rib_env env;
static struct ldp *ldp;
static struct ldp_conn conn;
static const struct ldp_id us = { .lsr = { 1, 1, 1, 1 } }, them = { .lsr = { 2, 2, 2, 2 } };

static void net_listen(void *arg, uint8_t family, int ifindex, bool on)
{
}

static void net_hello_link(void *arg, uint8_t family, int ifindex, const void *data, size_t len)
{
}

static void net_hello_targeted(void *arg, const struct ip_addr *from, const struct ip_addr *to, const void *data,
			       size_t len)
{
}

static void net_family(void *arg, uint8_t family, bool on)
{
}

static void net_key(void *arg, const struct ip_addr *peer, const char *password)
{
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
	return true;
}

/* what goes out must be LDP itself */
static void net_send(struct ldp_conn *c, const void *data, size_t len)
{
	const uint8_t *at = data;
	struct ldp_fault f;
	struct ldp_pdu pdu;
	struct ldp_msg m;

	while (len) {
		if (ldp_pdu_read(at, len, LDP_PDU_DEFAULT, &pdu, &f) != LDP_OK || !ldp_id_eq(&pdu.id, &us))
			abort();
		at += pdu.size;
		len -= pdu.size;
		while (cursor_left(&pdu.body))
			if (ldp_msg_read(&pdu.body, &m, &f) != LDP_OK)
				abort();
	}
}

static size_t net_queued(const struct ldp_conn *c)
{
	return 0;
}

static void net_close(struct ldp_conn *c)
{
	c->session = NULL;
}

static const struct ldp_net net = {
	.listen = net_listen, .hello_link = net_hello_link, .hello_targeted = net_hello_targeted,
	.family = net_family, .key = net_key, .connect = net_connect, .owner = net_owner, .min_ttl = net_min_ttl,
	.send = net_send, .queued = net_queued, .close = net_close,
};

static struct fib_sub acks;
static struct fib_label *pending[1024];
static unsigned int n_pending;

static void on_nh(struct fib_sub *s, enum fib_op op, struct fib_nh *nh)
{
}

static void on_route(struct fib_sub *s, enum fib_op op, uint32_t vrf, const struct prefix *p,
		     const struct fib_dest *old, const struct fib_dest *now)
{
}

static void on_label(struct fib_sub *s, enum fib_op op, struct fib_label *l)
{
	unsigned int i;

	for (i = 0; i < n_pending && pending[i] != l; i++)
		;
	if (op == FIB_DEL && i < n_pending)
		pending[i] = pending[--n_pending];
	else if (op != FIB_DEL && i == n_pending && n_pending < ARRAY_SIZE(pending))
		pending[n_pending++] = l;
}

static void settle(void)
{
	struct fib_label *l;
	int i;

	for (i = 0; i < 3; i++) {
		jobs_run(env.jobs, 0);
		while (n_pending) {
			l = pending[--n_pending];
			fib_label_acked(rib_fib(env.rib), l, l->seq, 0);
		}
	}
}

static void setup(void)
{
	struct nht_link k0 = { .ifindex = 1, .name = "k0", .up = true };
	struct nht_way way = { .ifindex = 1, .weight = 1 };
	struct ldp_options opt = { 0 };
	struct ldp_settings s;
	struct prefix p;

	log_init("fuzz", LOG_TARGET_NONE, LOG_LEVEL_ERR);
	env.jobs = jobs_new(NULL);
	env.rib = rib_new(env.jobs);
	acks = (struct fib_sub){ .nh = on_nh, .route = on_route, .label = on_label };
	fib_subscribe(rib_fib(env.rib), &acks);
	env.labels = labels_new(env.jobs, rib_fib(env.rib));
	nht_link_set(rib_nht(env.rib), &k0);
	prefix_parse_host("10.0.0.1/24", &p);
	nht_addr_add(rib_nht(env.rib), 1, &p);
	addr_parse("10.0.0.2", &way.gateway);
	prefix_parse_host("3.3.3.3/32", &p);
	nht_route_set(rib_nht(env.rib), &p, &way, 1, 1);
	ldp = ldp_new(&env, &opt, &net, NULL);
	ldp_settings_init(&s);
	s.on = true;
	memcpy(s.router_id, us.lsr, 4);
	s.family[AFI4].on = true;
	addr_parse("1.1.1.1", &s.family[AFI4].transport);
	s.ifaces = xcalloc(1, sizeof(*s.ifaces));
	s.n_ifaces = 1;
	strcpy(s.ifaces[0].name, "k0");
	s.ifaces[0].family[AFI4] = true;
	s.ifaces[0].interval = 5;
	s.ifaces[0].holdtime = LDP_HOLD_INFINITE;
	ldp_apply(ldp, &s);
}

static void put(struct buf *b, uint16_t type)
{
	struct ldp_init i = { .params = { .version = 1, .keepalive = 60000, .max_pdu = 4096, .receiver = us } };
	struct ldp_hello h = { .hold = LDP_HOLD_INFINITE };
	struct ldp_writer w;

	addr_parse("2.2.2.2", &h.transport);
	ldp_pdu_begin(&w, b, &them);
	ldp_msg_begin(&w, type, 1);
	if (type == LDP_MSG_HELLO)
		ldp_put_hello(&w, &h);
	else if (type == LDP_MSG_INIT)
		ldp_put_init(&w, &i);
	ldp_msg_end(&w);
	ldp_pdu_end(&w);
}

static void open_session(void)
{
	struct ldp_net_hello from = { .family = AF_INET, .ifindex = 1, .multicast = true, .ttl = 1 };
	struct ip_addr local, remote;
	struct buf b;

	addr_parse("10.0.0.2", &from.from);
	addr_parse("1.1.1.1", &local);
	addr_parse("2.2.2.2", &remote);
	buf_init(&b);
	put(&b, LDP_MSG_HELLO);
	ldp_net_hello(ldp, &from, b.data, b.len);
	buf_rewind(&b, 0);
	if (!ldp_net_accepted(ldp, &conn, &local, &remote))
		abort();
	put(&b, LDP_MSG_INIT);
	put(&b, LDP_MSG_KEEPALIVE);
	ldp_net_received(conn.session, b.data, b.len);
	buf_free(&b);
	if (!conn.session || conn.session->state != LDP_OPERATIONAL)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t at, n;
	int afi;

	if (!ldp)
		setup();
	if (!size)
		return 0;
	open_session();
	settle();
	for (at = 1; at < size && conn.session; at += n) {
		n = data[0] ? data[0] : size - at;
		if (n > size - at)
			n = size - at;
		ldp_net_received(conn.session, data + at, n);
		if (data[0] & 1)
			settle();
	}
	settle();
	ldp_clear(ldp, NULL);
	settle();
	timers_advance(env.jobs, 200);
	/* own network and the one route */
	for (afi = 0; afi < AFI_MAX; afi++)
		if (ldp->fecs[afi].count != (afi == AFI4 ? 2 : 0) || ldp->addresses.count)
			abort();
	return 0;
}
