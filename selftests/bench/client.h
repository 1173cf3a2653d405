/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The daemon's own provider (dataplane/genl.c), driven by a benchmark: a VRF, a core port "ours0" and the next hop
 * behind it; batches, and their acknowledgements. Used by memory.c and program.c.
 */
#ifndef _SELFTESTS_BENCH_CLIENT_H
#define _SELFTESTS_BENCH_CLIENT_H

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/provider.h"
#include "lib/jobs.h"
#include "lib/mem.h"

#define VRF		1
#define NH		1
#define BATCH		4096	/* requests a batch, as the synchroniser's */

static uv_loop_t *loop;
static struct dp_provider *provider;
static bool ready;
static size_t acked, failed;

static void die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

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
				fprintf(stderr, "bench: refused: %s\n", b->ops[i].why);
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
		fprintf(stderr, "bench: %s\n", why);
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

#endif /* _SELFTESTS_BENCH_CLIENT_H */
