// SPDX-License-Identifier: GPL-2.0
/*
 * Routes per second into the module, by the daemon's own provider (dataplane/genl.c), against the same
 * routes into a stock VRF over rtnetlink, 1,000 messages a send. Run by scripts/bench program, in a guest where
 *
 *      ours0 (a dummy, 192.0.2.1/24)     core port of the module, the routes' way out
 *      stock0 (a dummy, 192.0.2.1/24)    in the stock VRF with table 500
 *
 * are there. Both sides take every acknowledgement. Rounds take turns; medians count.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <libmnl/libmnl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "dataplane/provider.h"
#include "lib/jobs.h"
#include "lib/mem.h"

#define VRF		1
#define NH		1
#define TABLE		500
#define BATCH		4096	/* requests a batch, as the synchroniser's */
#define MESSAGES	1000	/* a send, over rtnetlink */
#define ROUNDS_MAX	32
#define SPACE		(126u << 16)	/* /24 in 1.0.0.0 to 126.255.255.0 */

static uv_loop_t *loop;
static struct dp_provider *provider;
static bool ready;
static size_t acked, failed;

static void die(const char *what)
{
	fprintf(stderr, "program: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The i-th prefix: a permutation, so that all differ and neighbours are far apart. */
static uint32_t prefix_of(uint32_t i)
{
	return htonl(((1u << 16) + (uint32_t)(i * 2654435761ull % SPACE)) << 8);
}

/* ---- ours ---- */

static void on_ready(void *arg)
{
	ready = true;
}

static void on_nothing(void *arg)
{
}

static void on_event(void *arg, const struct dp_event *event)
{
}

static void on_drop(void *arg, const struct dp_drop *drop)
{
}

static void on_done(struct dp_batch *b)
{
	size_t i;

	acked += b->n;
	for (i = 0; i < b->n; i++)
		if (b->ops[i].error) {
			if (!failed++)
				fprintf(stderr, "program: refused: %s\n", b->ops[i].why);
		}
	dp_batch_free(b);
}

static void run_until(size_t count)
{
	while (acked < count)
		uv_run(loop, UV_RUN_ONCE);
	acked = 0;
	if (failed)
		exit(1);
}

static struct dp_op *add(struct dp_batch **b, enum dp_op_type type)
{
	struct dp_op *op;

	if (!*b)
		*b = dp_batch_new(on_done, NULL);
	op = *b ? dp_batch_add(*b, type) : NULL;
	if (!op)
		die("no memory");
	return op;
}

static void ours_setup(void)
{
	static const struct dp_listener listener = {
		.ready = on_ready, .gone = on_nothing, .event = on_event, .lost = on_nothing,
		.drop = on_drop,
	};
	int ifindex = if_nametoindex("ours0");
	struct dp_nh nh = { .id = NH, .kind = L3VPN_NH_KIND_ADJACENCY, .ifindex = ifindex };
	struct dp_batch *b = NULL;
	struct dp_op *op;
	char why[128];

	provider = dp_genl_new();
	if (provider->ops->open(provider, loop, &listener, why, sizeof(why))) {
		fprintf(stderr, "program: %s\n", why);
		exit(1);
	}
	while (!ready)
		uv_run(loop, UV_RUN_NOWAIT);
	op = add(&b, DP_OP_VRF_NEW);
	op->vrf.id = VRF;
	strcpy(op->vrf.name, "RED");
	op = add(&b, DP_OP_PORT_NEW);
	op->port = (struct dp_port){ .ifindex = ifindex, .kind = L3VPN_PORT_KIND_CORE };
	nh.gateway.family = AF_INET;
	inet_pton(AF_INET, "192.0.2.2", nh.gateway.b);
	op = add(&b, DP_OP_NH_NEW);
	op->nh = dp_nh_copy(&nh);
	provider->ops->submit(provider, b);
	run_until(3);
}

static double ours(uint32_t count, bool del)
{
	uint64_t start = clock_us();
	struct dp_batch *b = NULL;
	struct dp_op *op;
	uint32_t i;

	for (i = 0; i < count; i++) {
		op = add(&b, del ? DP_OP_ROUTE4_DEL : DP_OP_ROUTE4_ADD);
		op->table = VRF;
		op->r4.prefix = prefix_of(i);
		op->r4.plen = 24;
		op->r4.nh = del ? 0 : NH;
		op->r4.label = L3VPN_LABEL_NONE;
		if (b->n == BATCH || i + 1 == count) {
			provider->ops->submit(provider, b);
			b = NULL;
		}
	}
	run_until(count);
	return (clock_us() - start) / 1e6;
}

/* ---- stock ---- */

static void stock_message(struct mnl_nlmsg_batch *batch, uint32_t i, bool del, int ifindex)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(mnl_nlmsg_batch_current(batch));
	struct rtmsg *rtm;

	nlh->nlmsg_type = del ? RTM_DELROUTE : RTM_NEWROUTE;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | (del ? 0 : NLM_F_CREATE | NLM_F_EXCL);
	nlh->nlmsg_seq = i + 1;
	rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = AF_INET;
	rtm->rtm_dst_len = 24;
	rtm->rtm_protocol = RTPROT_STATIC;
	rtm->rtm_type = RTN_UNICAST;
	rtm->rtm_scope = RT_SCOPE_UNIVERSE;
	mnl_attr_put_u32(nlh, RTA_TABLE, TABLE);
	mnl_attr_put_u32(nlh, RTA_DST, prefix_of(i));
	mnl_attr_put_u32(nlh, RTA_OIF, ifindex);
	mnl_attr_put_u32(nlh, RTA_GATEWAY, inet_addr("192.0.2.2"));
	if (!mnl_nlmsg_batch_next(batch))
		die("a message too many");
}

static void stock_acks(struct mnl_socket *nl, uint32_t count)
{
	static char buf[65536];
	int len;

	while (count) {
		const struct nlmsghdr *nlh = (void *)buf;

		len = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		if (len < 0)
			die("stock: receive");
		for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
			const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);

			if (nlh->nlmsg_type != NLMSG_ERROR)
				continue;
			errno = -err->error;
			if (err->error)
				die("stock: refused");
			count--;
		}
	}
}

static double stock(uint32_t count, bool del)
{
	static char buf[MESSAGES * 128 + 65536];
	struct mnl_socket *nl = mnl_socket_open(NETLINK_ROUTE);
	struct mnl_nlmsg_batch *batch;
	int size = 8 << 20, on = 1, ifindex = if_nametoindex("stock0");
	uint64_t start;
	uint32_t i, n;

	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0)
		die("stock: socket");
	setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	mnl_socket_setsockopt(nl, NETLINK_CAP_ACK, &on, sizeof(on));
	start = clock_us();
	for (i = 0; i < count; i += n) {
		batch = mnl_nlmsg_batch_start(buf, MESSAGES * 128);
		for (n = 0; n < MESSAGES && i + n < count; n++)
			stock_message(batch, i + n, del, ifindex);
		if (mnl_socket_sendto(nl, mnl_nlmsg_batch_head(batch), mnl_nlmsg_batch_size(batch)) < 0)
			die("stock: send");
		mnl_nlmsg_batch_stop(batch);
		stock_acks(nl, n);
	}
	mnl_socket_close(nl);
	return (clock_us() - start) / 1e6;
}

/* ---- report ---- */

static int cmp(const void *a, const void *b)
{
	return *(const double *)a < *(const double *)b ? -1 : *(const double *)a > *(const double *)b;
}

static double median(double *v, int n)
{
	qsort(v, n, sizeof(*v), cmp);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static void report(const char *name, uint32_t count, int rounds, double *our, double *theirs)
{
	double o = median(our, rounds), t = median(theirs, rounds);
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	printf("{\"case\": \"%s\", \"routes\": %u, \"rounds\": %d, \"seconds\": %.4f, \"stock_seconds\": %.4f, "
	       "\"ours_routes_per_s\": %.0f, \"stock_routes_per_s\": %.0f, \"vs_stock\": %.2f, \"peak_mb\": %.1f}\n",
	       name, count, rounds, o, t, count / o, count / t, t / o, ru.ru_maxrss / 1024.0);
}

int main(int argc, char **argv)
{
	static double t[4][ROUNDS_MAX];
	uint32_t count = argc > 1 ? strtoul(argv[1], NULL, 0) : 200000;
	int rounds = argc > 2 ? atoi(argv[2]) : 5, i;

	if (!count || count > SPACE || rounds < 1 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: program [ROUTES (to %u) [ROUNDS (to %d)]]\n", SPACE, ROUNDS_MAX);
		return 2;
	}
	loop = uv_default_loop();
	ours_setup();
	for (i = 0; i < rounds; i++) {
		t[0][i] = ours(count, false);
		t[1][i] = stock(count, false);
		t[2][i] = ours(count, true);
		t[3][i] = stock(count, true);
		fprintf(stderr, "# round %d: add %.3f %.3f delete %.3f %.3f\n", i + 1, t[0][i], t[1][i], t[2][i],
			t[3][i]);
	}
	report("program-add", count, rounds, t[0], t[1]);
	report("program-delete", count, rounds, t[2], t[3]);
	provider->ops->close(provider);
	uv_run(loop, UV_RUN_DEFAULT);
	return 0;
}
