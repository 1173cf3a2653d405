// SPDX-License-Identifier: GPL-2.0
/*
 * packet_fuzz.ko: fuzz of the data path, from inside the kernel.
 *
 * In the writer's network namespace, parameters in /sys/module/packet_fuzz/parameters:
 *
 *   run      write "SEED FIRST COUNT": packets FIRST to FIRST + COUNT - 1 of SEED are made and fed, each into one of
 *            the devices that are there (device.c) or through a VRF's device. Packet N of a seed is the
 *            same whatever was fed before it, as long as the devices are the same.
 *   counts   read: what became of them, and the number of violations
 *   report   read: the first violations, with octets
 *   strict   0: devices and VRFs change while packets run: a packet's fate is not told, only its ways are judged
 *
 * The module cannot be unloaded while a packet that it made is alive.
 */
#include <linux/cpu.h>
#include <linux/etherdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/nsproxy.h>
#include <linux/rtnetlink.h>
#include <linux/sched/signal.h>
#include <net/net_namespace.h>

#include "fuzz.h"

#define TARGETS_MAX	64

static DEFINE_MUTEX(run_lock);	/* protects what follows, and judge.c's current packet */
static struct fuzz_target targets[TARGETS_MAX];
static u32 target_count;
static struct net_device *a_vrf;	/* one of @targets, or NULL */
static struct fuzz_frame frame;
static bool strict = true;

static void take_targets(struct net *net)
{
	struct net_device *dev;

	target_count = 0;
	a_vrf = NULL;
	rtnl_lock();
	for_each_netdev(net, dev) {
		struct fuzz_target *target = &targets[target_count];
		enum fuzz_kind kind;
		enum fuzz_domain domain = fuzz_device_domain(dev, &kind);

		if (domain == FUZZ_NOBODY || !netif_running(dev) || target_count == TARGETS_MAX)
			continue;
		netdev_hold(dev, &target->tracker, GFP_KERNEL);
		target->dev = dev;
		target->kind = kind;
		target->domain = domain;
		if (kind == FUZZ_LOCAL)
			a_vrf = dev;
		target_count++;
	}
	rtnl_unlock();
}

static void release_targets(void)
{
	while (target_count--)
		netdev_put(targets[target_count].dev, &targets[target_count].tracker);
	target_count = 0;
}

/* Into the stack, with a clone, or a second reference, in somebody else's hands if so chosen. */
static void feed(struct fuzz_rand *r, const struct fuzz_target *target, struct sk_buff *skb, u64 number)
{
	bool shared = target->kind != FUZZ_LOCAL && fuzz_percent(r, 4);
	struct sk_buff *clone = NULL;
	u32 sum = 0;

	if (!shared && fuzz_percent(r, 8)) {
		clone = skb_clone(skb, GFP_KERNEL);
		if (clone)
			sum = fuzz_judge_sum(clone);
	}
	if (shared)
		skb_get(skb);
	preempt_disable();
	local_bh_disable();
	fuzz_judge_begin(&frame, target, skb, number, a_vrf, shared);
	if (target->kind == FUZZ_LOCAL)
		dev_queue_xmit(skb);
	else
		netif_receive_skb(skb);
	fuzz_judge_fed();
	local_bh_enable();
	fuzz_judge_end(dev_net(target->dev));
	preempt_enable();
	if (clone) {
		fuzz_judge_clone(clone, sum);
		kfree_skb(clone);
	}
	if (shared)
		kfree_skb(skb);
}

/* Packet @number of @seed, and nothing of those before it. */
static int one(u64 seed, u64 number)
{
	struct fuzz_rand r = { .state = seed };
	const struct fuzz_target *target;
	struct sk_buff *skb;

	r.state = (u64)fuzz_next(&r) << 32 ^ number;
	r.state = (u64)fuzz_next(&r) << 32 ^ fuzz_next(&r);
	target = &targets[fuzz_below(&r, target_count)];
	if (target->kind == FUZZ_LOCAL && fuzz_percent(&r, 50))
		target = &targets[fuzz_below(&r, target_count)];
	fuzz_generate(&r, target, &frame);
	fuzz_mutate(&r, &frame);
	skb = fuzz_build(&r, target, &frame);
	if (!skb)
		return -ENOMEM;
	if (!netif_running(target->dev)) {
		kfree_skb(skb);
		return 0;
	}
	feed(&r, target, skb, number);
	return 0;
}

static int run_set(const char *value, const struct kernel_param *kp)
{
	u64 seed, first, count, n;
	int err = 0;

	if (!capable(CAP_NET_ADMIN))
		return -EPERM;
	if (sscanf(value, "%llu %llu %llu", &seed, &first, &count) != 3)
		return -EINVAL;
	if (mutex_lock_interruptible(&run_lock))
		return -EINTR;
	fuzz_judge_strict(strict);
	take_targets(current->nsproxy->net_ns);
	if (!target_count)
		err = -ENODEV;
	for (n = first; !err && n < first + count; n++) {
		err = one(seed, n);
		cond_resched();
		if (signal_pending(current))
			err = -EINTR;
	}
	release_targets();
	mutex_unlock(&run_lock);
	return err;
}

static int counts_get(char *buffer, const struct kernel_param *kp)
{
	return fuzz_judge_counts(buffer);
}

static int report_get(char *buffer, const struct kernel_param *kp)
{
	return fuzz_judge_report(buffer);
}

static const struct kernel_param_ops run_ops = { .set = run_set };
static const struct kernel_param_ops counts_ops = { .get = counts_get };
static const struct kernel_param_ops report_ops = { .get = report_get };

module_param_cb(run, &run_ops, NULL, 0200);
MODULE_PARM_DESC(run, "write: SEED FIRST COUNT");
module_param_cb(counts, &counts_ops, NULL, 0400);
MODULE_PARM_DESC(counts, "read: what became of the packets");
module_param_cb(report, &report_ops, NULL, 0400);
MODULE_PARM_DESC(report, "read: the first violations");
module_param(strict, bool, 0600);
MODULE_PARM_DESC(strict, "tell each packet's fate: nothing else changes meanwhile");

static int __init fuzz_init(void)
{
	int err = fuzz_judge_init();

	if (err)
		return err;
	err = fuzz_device_register();
	if (err)
		fuzz_judge_exit();
	return err;
}

static void __exit fuzz_exit(void)
{
	fuzz_device_unregister();
	fuzz_judge_exit();
}

module_init(fuzz_init);
module_exit(fuzz_exit);
MODULE_DESCRIPTION("Packet fuzzer for the l3vpn module's selftests");
MODULE_LICENSE("GPL");
