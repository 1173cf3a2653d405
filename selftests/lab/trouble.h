/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Body of the two troublemakers, l3vpn_trouble.ko and stranger.ko: a module that does on request what scripts/vm must
 * notice. insmod l3vpn_trouble.ko what=KIND; the kinds are in the table at the end. selftests/lab/lab.py drives it.
 */
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

static char *what = "";
module_param(what, charp, 0444);
MODULE_PARM_DESC(what, "trouble to make: one of the kinds in trouble.h");

static DEFINE_SPINLOCK(first);
static DEFINE_SPINLOCK(second);
static struct net_device *leaked;
static struct task_struct *racers[2];
static unsigned long raced;
static void *volatile lost;

static void make_nothing(void)
{
}

static void make_oops(void)
{
	*(volatile int *)8 = 1;
}

static void make_warn(void)
{
	WARN(1, "a warning, as asked\n");
}

static void make_uaf(void)
{
	volatile char *p = kmalloc(64, GFP_KERNEL);

	if (!p)
		return;
	kfree((void *)p);
	pr_info("what is left there: %d\n", p[8]);
}

/* Takes two locks in one order and then in the other: no deadlock here, but lockdep must see the chance of one. */
static void make_lockdep(void)
{
	spin_lock(&first);
	spin_lock(&second);
	spin_unlock(&second);
	spin_unlock(&first);
	spin_lock(&second);
	spin_lock(&first);
	spin_unlock(&first);
	spin_unlock(&second);
}

static void make_sleep(void)
{
	rcu_read_lock();
	msleep(20);
	rcu_read_unlock();
}

static void setup(struct net_device *dev)
{
	dev->needs_free_netdev = false;
}

static const struct net_device_ops no_ops;

/* A device that somebody keeps: unloading waits for it, and the kernel says so after ten seconds. */
static void make_device(void)
{
	leaked = alloc_netdev(0, "leaked%d", NET_NAME_ENUM, setup);
	if (!leaked)
		return;
	leaked->netdev_ops = &no_ops;
	if (register_netdev(leaked)) {
		free_netdev(leaked);
		leaked = NULL;
		return;
	}
	dev_hold(leaked);
}

static int racer(void *unused)
{
	while (!kthread_should_stop()) {
		int i;

		for (i = 0; i < 1000; i++) {
			raced++;
			barrier();
		}
		cond_resched();
	}
	return 0;
}

/* Two threads on two processors, one plain counter. */
static void make_race(void)
{
	int i;

	for (i = 0; i < 2; i++) {
		racers[i] = kthread_create(racer, NULL, "racer%d", i);
		if (IS_ERR(racers[i])) {
			racers[i] = NULL;
			continue;
		}
		kthread_bind(racers[i], i);
		wake_up_process(racers[i]);
	}
}

static void make_leak(void)
{
	int i;

	for (i = 0; i < 16; i++)
		lost = kmalloc(200, GFP_KERNEL);
	lost = NULL;
}

static const struct {
	const char *kind;
	void (*make)(void);
} kinds[] = {
	{ "nothing", make_nothing },
	{ "oops", make_oops },
	{ "warn", make_warn },
	{ "uaf", make_uaf },
	{ "lockdep", make_lockdep },
	{ "sleep", make_sleep },
	{ "device", make_device },
	{ "race", make_race },
	{ "leak", make_leak },
};

static int __init trouble_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(kinds[i].kind, what))
			continue;
		kinds[i].make();
		return 0;
	}
	return -EINVAL;
}
module_init(trouble_init);

static void __exit trouble_exit(void)
{
	int i;

	for (i = 0; i < 2; i++) {
		if (racers[i])
			kthread_stop(racers[i]);
	}
	if (leaked) {
		unregister_netdev(leaked);
		free_netdev(leaked);
	}
}
module_exit(trouble_exit);

MODULE_LICENSE("GPL");
