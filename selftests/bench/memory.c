// SPDX-License-Identifier: GPL-2.0
/*
 * Kernel memory of routes and VRFs, all told (slab, vmalloc, per-CPU), by the difference of before and after. Run by
 * scripts/bench memory, in a guest with a dummy ours0 (192.0.2.1/24).
 *
 * usage: memory [ROUTES [VRFS]]
 *
 * Routes are in random order and have the prefix lengths of real tables (routes.h); the next hops are PES labelled
 * paths. Each case is taken out again, and what is then left is told. A VRF has ten routes; the memory of as many
 * dummy devices, which is that of a net_device with its IPv4 and IPv6 state, is told beside.
 */
#include "client.h"
#include "memory.h"
#include "routes.h"

#define PES		100
#define ROUTES_EACH	10

static void route_put(struct dp_batch **b, uint32_t vrf, bool v6, const struct route *r, bool del, uint32_t nh,
		      uint32_t label)
{
	struct dp_op *op;

	if (v6) {
		uint64_t hi = htobe64(r->hi), lo = htobe64(r->lo);

		op = add(b, del ? DP_OP_ROUTE6_DEL : DP_OP_ROUTE6_ADD);
		memcpy(op->r6.prefix, &hi, 8);
		memcpy(op->r6.prefix + 8, &lo, 8);
		op->r6.plen = r->plen;
		op->r6.nh = del ? 0 : nh;
		op->r6.label = del ? L3VPN_LABEL_NONE : label;
	} else {
		op = add(b, del ? DP_OP_ROUTE4_DEL : DP_OP_ROUTE4_ADD);
		op->r4.prefix = htonl(r->hi >> 32);
		op->r4.plen = r->plen;
		op->r4.nh = del ? 0 : nh;
		op->r4.label = del ? L3VPN_LABEL_NONE : label;
	}
	op->table = vrf;
	if ((*b)->n == BATCH) {
		provider->ops->submit(provider, *b);
		*b = NULL;
	}
}

static void finish(struct dp_batch *b, size_t count)
{
	if (b)
		provider->ops->submit(provider, b);
	run_until(count);
}

static void routes(bool v6, const struct route *r, size_t count, bool each, bool del)
{
	struct dp_batch *b = NULL;
	size_t i;

	for (i = 0; i < count; i++)
		route_put(&b, VRF, v6, &r[i], del, NH + 1 + i % PES,
			  16 + (each ? i % 1000000 : i % PES));
	finish(b, count);
}

static void paths(void)
{
	struct dp_batch *b = NULL;
	struct dp_op *op;
	uint32_t i;

	for (i = 0; i < PES; i++) {
		struct dp_nh nh = {
			.id = NH + 1 + i, .kind = L3VPN_NH_KIND_LABELLED, .via = NH, .n_labels = 1,
			.labels = { 100000 + i },
		};

		op = add(&b, DP_OP_NH_NEW);
		op->nh = dp_nh_copy(&nh);
	}
	finish(b, PES);
}

static void bench_routes(bool v6, size_t count, bool each)
{
	struct route *r = routes_make(v6, count, 1 + v6, false);
	long before, with, after;

	if (!r)
		die("no memory");
	before = memory_settled_kb();
	routes(v6, r, count, each, false);
	with = memory_settled_kb();
	routes(v6, r, count, each, true);
	after = memory_settled_kb();
	free(r);
	printf("{\"case\": \"memory-ipv%c-label-per-%s\", \"routes\": %zu, \"kernel_mb\": %.2f, "
	       "\"octets_per_route\": %.1f, \"left_mb\": %.2f}\n", v6 ? '6' : '4', each ? "route" : "vrf", count,
	       (with - before) / 1024.0, (with - before) * 1024.0 / count, (after - before) / 1024.0);
	fflush(stdout);
}

static void vrfs(size_t count, bool del)
{
	struct dp_batch *b = NULL;
	struct dp_op *op;
	size_t i, k;

	for (i = 0; i < count; i++) {
		op = add(&b, del ? DP_OP_VRF_DEL : DP_OP_VRF_NEW);
		op->vrf.id = VRF + 1 + i;
		snprintf(op->vrf.name, sizeof(op->vrf.name), "v%u", (unsigned int)i);
	}
	finish(b, count);
	if (del)
		return;
	b = NULL;
	for (i = 0; i < count; i++) {
		for (k = 0; k < ROUTES_EACH; k++) {
			struct route r = { .hi = (uint64_t)(10u << 24 | i << 12 | k << 8) << 32, .plen = 24 };

			route_put(&b, VRF + 1 + i, false, &r, false, NH + 1 + i % PES, 16 + i);
		}
	}
	finish(b, count * ROUTES_EACH);
}

static void dummies(size_t count, bool del)
{
	FILE *f = popen("ip -batch -", "w");
	size_t i;

	if (!f)
		die("ip");
	for (i = 0; i < count; i++)
		fprintf(f, del ? "link del d%zu\n" : "link add d%zu type dummy\nlink set d%zu up\n", i, i);
	if (pclose(f))
		die("ip -batch");
}

static void bench_vrfs(size_t count)
{
	long before = memory_settled_kb(), with, dummy, start;

	vrfs(count, false);
	with = memory_settled_kb() - before;
	vrfs(count, true);
	start = memory_settled_kb();
	dummies(count, false);
	dummy = memory_settled_kb() - start;
	dummies(count, true);
	printf("{\"case\": \"memory-vrfs\", \"vrfs\": %zu, \"routes_each\": %u, \"kernel_mb\": %.2f, "
	       "\"dummies_mb\": %.2f, \"above_dummies_mb\": %.2f, \"left_mb\": %.2f}\n", count, ROUTES_EACH,
	       with / 1024.0, dummy / 1024.0, (with - dummy) / 1024.0, (start - before) / 1024.0);
}

int main(int argc, char **argv)
{
	size_t count = argc > 1 ? strtoul(argv[1], NULL, 0) : 1000000;
	size_t n_vrfs = argc > 2 ? strtoul(argv[2], NULL, 0) : 4000;

	if (!count || n_vrfs > 65000) {
		fprintf(stderr, "usage: memory [ROUTES [VRFS (to 65000)]]\n");
		return 2;
	}
	loop = uv_default_loop();
	ours_setup();
	paths();
	bench_routes(false, count, false);
	bench_routes(false, count, true);
	bench_routes(true, count, false);
	bench_routes(true, count, true);
	if (n_vrfs)
		bench_vrfs(n_vrfs);
	provider->ops->close(provider);
	uv_run(loop, UV_RUN_DEFAULT);
	return 0;
}
