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
#include "fib_node.h"
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
	l3vpn_fib_flush(&fib);
	while (churn.naive.count && !ret) {
		ret = churn_remove(&churn, churn.naive.entry[0].key, churn.naive.entry[0].plen);
		if (!ret && churn.naive.count % 64 == 0)
			ret = churn_check_walk(&churn);
	}
	l3vpn_fib_flush(&fib);
	if (!ret && (fib.root || fib.dflt.word || fib.leaves || fib.bytes))
		ret = CHURN_FAIL("emptied, but %u leaves and %" PRIu64 " octets are left",
				 fib.leaves, fib.bytes);
	l3vpn_fib_destroy(&fib, NULL, NULL);
	shim_grace_period();
	free(churn.naive.entry);
	return ret;
}

static void count_release(struct l3vpn_leaf leaf, void *arg)
{
	*(u64 *)arg += l3vpn_leaf_label(leaf);
}

static int destroy_releases_all(u64 seed)
{
	struct churn churn = { .random = seed, .wide = true, .shape = 1 };
	struct l3vpn_fib fib = {};
	u64 sum = 0, released = 0;
	unsigned int i;

	for (i = 0; i < 5000; i++) {
		struct l3vpn_leaf old = {};
		int ret = l3vpn_fib_insert(&fib, churn_key(&churn), i % 129, churn_leaf(i), 0, &old);

		if (ret < 0)
			return ret;
		sum += i - l3vpn_leaf_label(old);
		if (i % 512 == 511)
			l3vpn_fib_flush(&fib);
	}
	l3vpn_fib_destroy(&fib, count_release, &released);
	shim_grace_period();
	return released == sum && !fib.root && !fib.dflt.word && !fib.retired ? 0 :
		CHURN_FAIL("released %" PRIu64 " of %" PRIu64, released, sum);
}

/* A node that a reader stands in stays readable until the grace period, whatever becomes of it. */
static int node_outlives_change(void)
{
	struct l3vpn_key key = l3vpn_key4(htobe32(0x0a000000));
	const struct l3vpn_fib_node *held;
	struct l3vpn_fib fib = {};
	int ret = 0;

	l3vpn_fib_insert(&fib, key, 8, churn_leaf(7), 0, NULL);
	held = fib.root;
	l3vpn_fib_insert(&fib, l3vpn_key4(htobe32(0x0b000000)), 8, churn_leaf(8), 0, NULL);
	l3vpn_fib_remove(&fib, key, 8, 0, NULL);
	l3vpn_fib_flush(&fib);
	if (held == fib.root || l3vpn_leaf_label(node_leaves(held)[0]) != 7)
		ret = CHURN_FAIL("a held node changed");
	if (!l3vpn_leaf_none(l3vpn_fib_lookup4(&fib, htobe32(0x0a010203))))
		ret = CHURN_FAIL("a removed prefix is found");
	shim_grace_period();
	l3vpn_fib_destroy(&fib, NULL, NULL);
	return ret;
}

/* The module's own leaf yields to nobody, a full index takes no new prefix but replaces. */
static int flags_hold(void)
{
	struct l3vpn_key key = l3vpn_key4(htobe32(0x0a000000));
	struct l3vpn_leaf own = churn_leaf(0), old;
	struct l3vpn_fib fib = {};
	unsigned int plen;
	int ret = 0;

	own.word |= L3VPN_LEAF_KERNEL;
	for (plen = 0; plen <= 32 && !ret; plen += 8) {
		l3vpn_fib_insert(&fib, key, plen, own, 0, NULL);
		if (l3vpn_fib_insert(&fib, key, plen, churn_leaf(1), L3VPN_FIB_YIELD, NULL) != -EBUSY ||
		    l3vpn_fib_find(&fib, key, plen).word != own.word)
			ret = CHURN_FAIL("the module's own /%u was replaced", plen);
		if (l3vpn_fib_remove(&fib, key, plen, L3VPN_FIB_YIELD, NULL) != -EBUSY ||
		    l3vpn_fib_find(&fib, key, plen).word != own.word)
			ret = CHURN_FAIL("the module's own /%u was removed", plen);
		if (l3vpn_fib_insert(&fib, key, plen, churn_leaf(2), L3VPN_FIB_FULL, &old) != 1 ||
		    old.word != own.word)
			ret = CHURN_FAIL("a full index did not replace its /%u", plen);
		l3vpn_fib_remove(&fib, key, plen, 0, NULL);
		if (l3vpn_fib_insert(&fib, key, plen, own, L3VPN_FIB_FULL, NULL) != -ENOSPC || fib.leaves)
			ret = CHURN_FAIL("a full index took a /%u", plen);
	}
	l3vpn_fib_destroy(&fib, NULL, NULL);
	shim_grace_period();
	return ret;
}

static int leaf_packs(void)
{
	const struct l3vpn_nh *nh = (void *)0x3fffffffffc0UL;
	struct l3vpn_leaf leaf = l3vpn_leaf_make(nh, 7);

	if (!l3vpn_leaf_can(nh) || l3vpn_leaf_can(NULL) || l3vpn_leaf_can((void *)0x1020UL) ||
	    l3vpn_leaf_can((void *)0x400000000000UL))
		return CHURN_FAIL("next hops that fit are others");
	if (l3vpn_leaf_nh(leaf) != nh || l3vpn_leaf_labelled(leaf) || l3vpn_leaf_kernel(leaf) ||
	    !l3vpn_leaf_stamped(leaf, 3) || l3vpn_leaf_stamped(leaf, 4) ||
	    !l3vpn_leaf_same(leaf, l3vpn_leaf_make(nh, 1)))
		return CHURN_FAIL("a leaf says other than it was told");
	return 0;
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
		for (m = 0; dice >= mix[m].share; m++)
			dice -= mix[m].share;
		/* two thirds of the space, /10 by /10 */
		z = churn_random(&churn) >> 32;
		z = (z & 0x003fffff) | (z >> 22) * 683 / 1024 << 22;
		ret = l3vpn_fib_insert(&fib, l3vpn_key4(htobe32((u32)z)), mix[m].plen,
				       churn_leaf(fib.leaves), 0, NULL);
		if (fib.leaves % 4096 == 0) {
			l3vpn_fib_flush(&fib);
			shim_grace_period();
		}
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	ns = (b.tv_sec - a.tv_sec) * 1e9 + (b.tv_nsec - a.tv_nsec);
	printf("# 1,000,000 IPv4 routes: %.1f MB, %.0f ns an insertion\n", fib.bytes / 1e6, ns / 1e6);
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (i = 0; i < 4000000; i++)
		sum += l3vpn_leaf_label(l3vpn_fib_lookup4(&fib, htobe32((u32)churn_random(&churn))));
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

	if (l3vpn_fib_init())
		return 1;
	printf("TAP version 13\n1..21\n# seed %" PRIu64 "\n", seed);
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
	result(node_outlives_change(), "a node outlives its change until the grace period");
	result(flags_hold(), "full, and the module's own");
	result(leaf_packs(), "a leaf in a word");
	result(weight(seed), "a million IPv4 routes in 32 MB");
	l3vpn_fib_exit();
	return failures ? 1 : 0;
}
