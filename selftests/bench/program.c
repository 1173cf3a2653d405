// SPDX-License-Identifier: GPL-2.0
/*
 * Routes per second into the module, by the daemon's own provider (dataplane/genl.c), against the same
 * routes into a stock VRF over rtnetlink, 1,000 messages a send. Run by scripts/bench program, in a guest where
 *
 *      ours0 (a dummy, 192.0.2.1/24)     core port of the module, the routes' way out
 *      stock0 (a dummy, 192.0.2.1/24)    in the stock VRF with table 500
 *
 * are there. Ours have a VPN label, each its own; stock's are plain, which costs it less. Both sides take every
 * acknowledgement. Rounds take turns; medians count, and the median of the rounds' ratios. After the rounds the
 * module's memory is where it was before (slab, vmalloc and per-CPU), or the difference is told.
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

#include "client.h"
#include "memory.h"

#define TABLE		500
#define MESSAGES	1000	/* a send, over rtnetlink */
#define ROUNDS_MAX	32
#define SPACE		(126u << 16)	/* /24 in 1.0.0.0 to 126.255.255.0 */

/* The i-th prefix: a permutation, so that all differ and neighbours are far apart. */
static uint32_t prefix_of(uint32_t i)
{
	return htonl(((1u << 16) + (uint32_t)(i * 2654435761ull % SPACE)) << 8);
}

/* ---- ours ---- */

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
		op->r4.label = del ? L3VPN_LABEL_NONE : 16 + i % 1000000;
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

static void report(const char *name, uint32_t count, int rounds, double *our, double *theirs, long left_kb)
{
	double ratio[ROUNDS_MAX], o, t;
	struct rusage ru;
	int i;

	for (i = 0; i < rounds; i++)
		ratio[i] = theirs[i] / our[i];
	o = median(our, rounds);
	t = median(theirs, rounds);
	getrusage(RUSAGE_SELF, &ru);
	printf("{\"case\": \"%s\", \"routes\": %u, \"rounds\": %d, \"seconds\": %.4f, \"stock_seconds\": %.4f, "
	       "\"ours_routes_per_s\": %.0f, \"rtnetlink_routes_per_s\": %.0f, \"vs_rtnetlink\": %.2f, "
	       "\"peak_mb\": %.1f, \"memory_left_mb\": %.2f}\n",
	       name, count, rounds, o, t, count / o, count / t, median(ratio, rounds), ru.ru_maxrss / 1024.0,
	       left_kb / 1024.0);
}

int main(int argc, char **argv)
{
	static double t[4][ROUNDS_MAX];
	uint32_t count = argc > 1 ? strtoul(argv[1], NULL, 0) : 1000000;
	int rounds = argc > 2 ? atoi(argv[2]) : 3, i;
	long before, left;

	if (!count || count > SPACE || rounds < 1 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: program [ROUTES (to %u) [ROUNDS (to %d)]]\n", SPACE, ROUNDS_MAX);
		return 2;
	}
	loop = uv_default_loop();
	ours_setup();
	ours(1000, false);	/* what is made once */
	ours(1000, true);
	before = memory_settled_kb();
	for (i = 0; i < rounds; i++) {
		t[0][i] = ours(count, false);
		t[1][i] = stock(count, false);
		t[2][i] = ours(count, true);
		t[3][i] = stock(count, true);
		fprintf(stderr, "# round %d: add %.3f %.3f delete %.3f %.3f\n", i + 1, t[0][i], t[1][i], t[2][i],
			t[3][i]);
	}
	left = memory_settled_kb() - before;
	report("program-add", count, rounds, t[0], t[1], left);
	report("program-delete", count, rounds, t[2], t[3], left);
	provider->ops->close(provider);
	uv_run(loop, UV_RUN_DEFAULT);
	return 0;
}
