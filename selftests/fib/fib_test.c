// SPDX-License-Identifier: GPL-2.0
/*
 * kernel/fib.c in user space, under ASan and UBSan: random churn against a naive reference, lack
 * of memory at every allocation, leaves held over a change, what it weighs. TAP output.
 *
 * usage: fib_test [SEED]
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include "fib.h"
#include "naive.h"

#define CHURN_FAIL(...) (printf("# "), printf(__VA_ARGS__), printf("\n"), -EINVAL)
#include "churn.h"

long shim_fail_after = -1;
struct rcu_head *shim_pending;

static unsigned int test_number, failures;

static void result(int ret, const char *name)
{
	test_number++;
	if (ret)
		failures++;
	printf("%sok %u - %s\n", ret ? "not " : "", test_number, name);
	fflush(stdout);
}

static int churn_run(u64 seed, bool wide, unsigned int shape, unsigned int most, unsigned int steps,
		     bool starve)
{
	struct l3vpn_fib fib = {};
	struct churn churn = {
		.fib = &fib, .random = seed, .wide = wide, .most = most, .shape = shape,
	};
	unsigned int i;
	int ret = 0;

	churn.naive.entry = calloc(most, sizeof(*churn.naive.entry));
	for (i = 0; i < steps && !ret; i++) {
		if (starve)
			shim_fail_after = churn_random(&churn) % 4;
		ret = churn_step(&churn, i / 512 % 3 < 2);
		shim_fail_after = -1;
		if (!ret && i % 256 == 255)
			ret = churn_check_walk(&churn);
		if (i % 64 == 63) {
			l3vpn_fib_flush(&fib);
			shim_grace_period();
		}
	}
	while (churn.naive.count && !ret) {
		ret = churn_remove(&churn, churn.naive.entry[0].key, churn.naive.entry[0].plen);
		if (!ret && churn.naive.count % 64 == 0)
			ret = churn_check_walk(&churn);
	}
	if (!ret && (fib.root || fib.dflt || fib.leaves || fib.bytes))
		ret = CHURN_FAIL("emptied, but %u leaves and %" PRIu64 " octets are left",
				 fib.leaves, fib.bytes);
	l3vpn_fib_destroy(&fib, NULL, NULL);
	shim_grace_period();
	free(churn.naive.entry);
	return ret;
}

static void count_release(const struct l3vpn_leaf *leaf, void *arg)
{
	*(u64 *)arg += leaf->label;
}

static int destroy_releases_all(u64 seed)
{
	struct churn churn = { .random = seed, .wide = true, .shape = 1 };
	struct l3vpn_fib fib = {};
	u64 sum = 0, released = 0;
	unsigned int i;

	for (i = 0; i < 5000; i++) {
		struct l3vpn_leaf leaf = { .label = i }, old = {};
		int ret = l3vpn_fib_insert(&fib, churn_key(&churn), i % 129, &leaf, &old);

		if (ret < 0)
			return ret;
		sum += i - old.label;
	}
	l3vpn_fib_destroy(&fib, count_release, &released);
	shim_grace_period();
	return released == sum && !fib.root && !fib.dflt && !fib.retired ? 0 :
		CHURN_FAIL("released %" PRIu64 " of %" PRIu64, released, sum);
}

/* What a reader found stays readable until the grace period, whatever becomes of the prefix. */
static int leaf_outlives_change(void)
{
	struct l3vpn_leaf leaf = { .label = 7 }, other = { .label = 8 };
	struct l3vpn_key key = l3vpn_key4(htobe32(0x0a000000));
	const struct l3vpn_leaf *held, *now;
	struct l3vpn_fib fib = {};
	int ret = 0;

	l3vpn_fib_insert(&fib, key, 8, &leaf, NULL);
	held = l3vpn_fib_lookup4(&fib, htobe32(0x0a010203));
	l3vpn_fib_insert(&fib, key, 8, &other, NULL);
	now = l3vpn_fib_lookup4(&fib, htobe32(0x0a010203));
	if (held->label != 7 || now->label != 8)
		ret = CHURN_FAIL("a held leaf changed");
	l3vpn_fib_remove(&fib, key, 8, NULL);
	l3vpn_fib_flush(&fib);
	if (held->label != 7 || now->label != 8)
		ret = CHURN_FAIL("a held leaf changed");
	shim_grace_period();
	l3vpn_fib_destroy(&fib, NULL, NULL);
	return ret;
}

/* Prefix lengths /8 to /32 of a full Internet table, per thousand. */
static const struct { unsigned int plen, share; } mix[] = {
	{ 12, 1 }, { 14, 2 }, { 15, 3 }, { 16, 14 }, { 17, 9 }, { 18, 15 }, { 19, 26 }, { 20, 46 },
	{ 21, 54 }, { 22, 115 }, { 23, 105 }, { 24, 605 }, { 32, 5 },
};

static int weight(u64 seed)
{
	struct churn churn = { .random = seed };
	struct l3vpn_fib fib = {};
	struct timespec a, b;
	volatile u32 sum = 0;
	unsigned int i, m;
	double ns;
	int ret = 0;

	clock_gettime(CLOCK_MONOTONIC, &a);
	while (fib.leaves < 1000000 && ret >= 0) {
		u64 z = churn_random(&churn);
		unsigned int dice = z % 1000;
		struct l3vpn_leaf leaf = { .label = fib.leaves, .labelled = 1 };

		for (m = 0; dice >= mix[m].share; m++)
			dice -= mix[m].share;
		/* two thirds of the space, /10 by /10 */
		z = churn_random(&churn) >> 32;
		z = (z & 0x003fffff) | (z >> 22) * 683 / 1024 << 22;
		ret = l3vpn_fib_insert(&fib, l3vpn_key4(htobe32((u32)z)), mix[m].plen, &leaf, NULL);
		if (fib.leaves % 4096 == 0) {
			l3vpn_fib_flush(&fib);
			shim_grace_period();
		}
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	ns = (b.tv_sec - a.tv_sec) * 1e9 + (b.tv_nsec - a.tv_nsec);
	printf("# 1,000,000 IPv4 routes: %.1f MB, %.0f ns an insertion\n", fib.bytes / 1e6, ns / 1e6);
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (i = 0; i < 4000000; i++) {
		const struct l3vpn_leaf *leaf;

		leaf = l3vpn_fib_lookup4(&fib, htobe32((u32)churn_random(&churn)));
		sum += leaf ? leaf->label : 0;
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	ns = (b.tv_sec - a.tv_sec) * 1e9 + (b.tv_nsec - a.tv_nsec);
	printf("# lookup of a random address: %.1f ns\n", ns / 4e6);
	if (fib.bytes > 32000000)
		ret = CHURN_FAIL("more than 32 MB");
	l3vpn_fib_destroy(&fib, NULL, NULL);
	shim_grace_period();
	return ret < 0 ? ret : 0;
}

int main(int argc, char **argv)
{
	static const char * const shapes[] = { "dense", "scattered", "nested", "chained" };
	u64 seed = argc > 1 ? strtoull(argv[1], NULL, 0) : (u64)time(NULL);
	unsigned int shape, wide;
	char name[80];

	printf("TAP version 13\n1..19\n# seed %" PRIu64 "\n", seed);
	for (wide = 0; wide < 2; wide++) {
		for (shape = 0; shape < 4; shape++) {
			snprintf(name, sizeof(name), "churn IPv%c %s", wide ? '6' : '4',
				 shapes[shape]);
			result(churn_run(seed, wide, shape, 400, 20000, false), name);
			snprintf(name, sizeof(name), "churn IPv%c %s, memory short",
				 wide ? '6' : '4', shapes[shape]);
			result(churn_run(seed + 1, wide, shape, 200, 5000, true), name);
		}
	}
	result(destroy_releases_all(seed), "destroy releases every leaf");
	result(leaf_outlives_change(), "a leaf outlives its prefix until the grace period");
	result(weight(seed), "a million IPv4 routes in 32 MB");
	return failures ? 1 : 0;
}
