// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn_fib_test.ko: kernel/fib.c inside the kernel: random churn against the naive reference,
 * and readers on every CPU that look up and walk while a writer changes the trie under them.
 * insmod fails (EINVAL, or what went wrong) when a test does; the log names it and the seed.
 *
 * Parameters: seed (0: random), steps (of churn for each family and shape), seconds (of readers).
 */
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include "fib.h"
#include "naive.h"

#define CHURN_FAIL(fmt, ...) (pr_err("l3vpn_fib_test: " fmt "\n", ##__VA_ARGS__), -EINVAL)
#include "churn.h"

static unsigned long seed;
module_param(seed, ulong, 0444);
static unsigned int steps = 5000;
module_param(steps, uint, 0444);
static unsigned int seconds = 2;
module_param(seconds, uint, 0444);

#define MOST	256

static int churn_run(bool wide, unsigned int shape)
{
	struct l3vpn_fib fib = {};
	struct churn churn = {
		.fib = &fib, .random = seed + shape, .wide = wide, .most = MOST, .shape = shape,
	};
	unsigned int i;
	int ret = 0;

	churn.naive.entry = kcalloc(MOST, sizeof(*churn.naive.entry), GFP_KERNEL);
	if (!churn.naive.entry)
		return -ENOMEM;
	for (i = 0; i < steps && !ret; i++) {
		rcu_read_lock();
		ret = i % 256 == 255 ? churn_check_walk(&churn) : 0;
		rcu_read_unlock();
		if (!ret)
			ret = churn_step(&churn, i / 512 % 3 < 2);
		if (i % 64 == 63)
			l3vpn_fib_flush(&fib);
		cond_resched();
	}
	l3vpn_fib_flush(&fib);
	while (churn.naive.count && !ret)
		ret = churn_remove(&churn, churn.naive.entry[0].key, churn.naive.entry[0].plen);
	l3vpn_fib_flush(&fib);
	if (!ret && (fib.root || fib.dflt.word || fib.leaves || fib.bytes))
		ret = CHURN_FAIL("emptied, but %u leaves and %llu octets are left", fib.leaves,
				 fib.bytes);
	l3vpn_fib_destroy(&fib, NULL, NULL);
	kfree(churn.naive.entry);
	return ret;
}

/*
 * Readers beside a writer. Whatever the writer does, 10.0.0.0/8 stays, and the label of each
 * leaf is its prefix length: so a lookup always matches, and never shows a torn leaf.
 */
struct reader {
	struct task_struct *task;
	struct l3vpn_fib *fib;
	u64 random;
	u64 lookups;
	u64 walked;
	int ret;
};

static int reader_leaf(struct l3vpn_key key, u8 plen, struct l3vpn_leaf leaf, void *arg)
{
	struct reader *reader = arg;

	reader->walked++;
	if (l3vpn_leaf_label(leaf) != plen)
		return CHURN_FAIL("reader: a walk met a torn leaf");
	return 0;
}

static bool reader_wrong(struct l3vpn_leaf leaf)
{
	u32 label = l3vpn_leaf_label(leaf);

	return l3vpn_leaf_none(leaf) || label < 8 || label > 32 ||
	       leaf.word != churn_leaf(label).word;
}

static int reader_run(void *data)
{
	struct reader *reader = data;
	struct churn churn = { .random = reader->random };

	while (!kthread_should_stop()) {
		struct l3vpn_fib_cursor cursor = {};
		unsigned int i;

		rcu_read_lock();
		for (i = 0; i < 64 && !reader->ret; i++) {
			u32 addr = 0x0a000000 | (churn_random(&churn) & 0x3ff);
			struct l3vpn_fib_ask ask[2];

			l3vpn_fib_ask4(&ask[0], reader->fib, cpu_to_be32(addr));
			l3vpn_fib_ask4(&ask[1], reader->fib, cpu_to_be32(addr));
			l3vpn_fib_lookup_bulk(ask, 2);
			if (reader_wrong(l3vpn_fib_lookup4(reader->fib, cpu_to_be32(addr))) ||
			    reader_wrong(l3vpn_fib_told(&ask[0])) || reader_wrong(l3vpn_fib_told(&ask[1])))
				reader->ret = CHURN_FAIL("reader: a lookup went wrong");
			reader->lookups++;
		}
		if (!reader->ret)
			reader->ret = l3vpn_fib_walk(reader->fib, &cursor, reader_leaf, reader);
		rcu_read_unlock();
		cond_resched();
	}
	return 0;
}

static int readers_write(struct l3vpn_fib *fib)
{
	unsigned long end = jiffies + seconds * HZ;
	struct churn churn = { .random = seed };
	int ret = 0;

	while (time_before(jiffies, end) && ret >= 0) {
		u64 z = churn_random(&churn);
		u8 plen = 9 + z % 24;
		struct l3vpn_key key = l3vpn_key4(cpu_to_be32(0x0a000000 | (z >> 32 & 0x3ff)));

		if (z & 0x80000000)
			ret = l3vpn_fib_insert(fib, key, plen, churn_leaf(plen), 0, NULL);
		else
			l3vpn_fib_remove(fib, key, plen, 0, NULL);
		if (!(z & 0xf0000))
			l3vpn_fib_flush(fib);
		cond_resched();
	}
	return ret < 0 ? ret : 0;
}

static int readers_test(void)
{
	struct l3vpn_fib fib = {};
	struct reader *reader;
	unsigned int i, n = num_online_cpus();
	u64 lookups = 0, walked = 0;
	int ret;

	reader = kcalloc(n, sizeof(*reader), GFP_KERNEL);
	if (!reader)
		return -ENOMEM;
	ret = l3vpn_fib_insert(&fib, l3vpn_key4(cpu_to_be32(0x0a000000)), 8, churn_leaf(8),
			       0, NULL);
	for (i = 0; i < n && !ret; i++) {
		reader[i].fib = &fib;
		reader[i].random = seed + i;
		reader[i].task = kthread_run(reader_run, &reader[i], "l3vpn_fib_test/%u", i);
		if (IS_ERR(reader[i].task)) {
			ret = PTR_ERR(reader[i].task);
			reader[i].task = NULL;
		}
	}
	if (!ret)
		ret = readers_write(&fib);
	for (i = 0; i < n; i++) {
		if (reader[i].task)
			kthread_stop(reader[i].task);
		if (!ret)
			ret = reader[i].ret;
		lookups += reader[i].lookups;
		walked += reader[i].walked;
	}
	pr_info("l3vpn_fib_test: %u readers: %llu lookups, %llu leaves walked\n", n, lookups, walked);
	if (!ret && (!lookups || !walked))
		ret = CHURN_FAIL("the readers read nothing");
	l3vpn_fib_destroy(&fib, NULL, NULL);
	kfree(reader);
	return ret;
}

static int __init fib_test_init(void)
{
	unsigned int shape;
	int ret = 0;

	ret = l3vpn_fib_init();
	if (ret)
		return ret;
	if (!seed)
		seed = get_random_u32();
	pr_info("l3vpn_fib_test: seed %lu\n", seed);
	for (shape = 0; shape < 8 && !ret; shape++) {
		ret = churn_run(shape & 1, shape >> 1);
		pr_info("l3vpn_fib_test: churn IPv%c shape %u: %s\n", shape & 1 ? '6' : '4',
			shape >> 1, ret ? "failed" : "ok");
	}
	if (!ret) {
		ret = readers_test();
		pr_info("l3vpn_fib_test: readers beside a writer: %s\n", ret ? "failed" : "ok");
	}
	if (ret)
		l3vpn_fib_exit();
	return ret;
}

static void __exit fib_test_exit(void)
{
	l3vpn_fib_exit();
}

module_init(fib_test_init);
module_exit(fib_test_exit);
MODULE_DESCRIPTION("Test of the l3vpn module's longest-prefix-match index");
MODULE_LICENSE("GPL");
