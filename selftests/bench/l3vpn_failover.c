// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn_failover.ko: a steady stream of packets, and when the first one leaves by another device.
 *
 * Write "IN PRIMARY BACKUP PERIOD SPREAD HEX" to /sys/module/l3vpn_failover/parameters/feed: every
 * PERIOD nanoseconds (as near as the timer gets) a fresh skb with the IPv4 frame HEX is handed up as
 * received by device IN of the writer's network namespace, its destination address raised by 256
 * times a number below SPREAD (a power of two) that jumps about. Taps on PRIMARY and BACKUP see what
 * leaves. Write "stop" to end it.
 *
 * Write anything to mark just before causing a failure: it takes the time. Reading mark gives five
 * numbers of what has been since: nanoseconds to the first packet out of BACKUP (0: none yet), packets
 * out of PRIMARY after the mark, out of BACKUP, packets fed, and those of them that left nowhere.
 */
#include <linux/etherdevice.h>
#include <linux/hrtimer.h>
#include <linux/ip.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/nsproxy.h>
#include <linux/spinlock.h>
#include <net/checksum.h>
#include <net/net_namespace.h>

#define FRAME_MAX	256
#define PERIOD_MIN	5000	/* nanoseconds */

struct tap {
	struct packet_type type;
	u64 packets;		/* since the mark; under count_lock */
	ktime_t first;		/* of them; under count_lock */
};

static DEFINE_MUTEX(feed_lock);		/* protects what follows, but for what says otherwise */
static DEFINE_SPINLOCK(count_lock);	/* taken with bottom halves off */
static struct net_device *in;
static struct tap primary, backup;
static struct hrtimer timer;
static ktime_t period;
static unsigned int spread;
static unsigned int len;
static u8 frame[FRAME_MAX];
static bool running;
static u32 turn;			/* the timer's */
static ktime_t mark;			/* under count_lock */
static u64 fed;				/* since the mark; under count_lock */

static int tap_rcv(struct sk_buff *skb, struct net_device *dev, struct packet_type *type,
		   struct net_device *orig_dev)
{
	struct tap *tap = container_of(type, struct tap, type);

	if (skb->pkt_type == PACKET_OUTGOING) {
		spin_lock_bh(&count_lock);
		if (!tap->packets++)
			tap->first = ktime_get();
		spin_unlock_bh(&count_lock);
	}
	kfree_skb(skb);
	return 0;
}

static void feed_one(void)
{
	struct sk_buff *skb = netdev_alloc_skb(in, len);
	struct iphdr *iph;
	__be32 daddr;

	if (!skb)
		return;
	skb_put_data(skb, frame, len);
	iph = (struct iphdr *)(skb->data + ETH_HLEN);
	daddr = htonl(ntohl(iph->daddr) + ((turn++ * 0x9e3779b1U >> 8 & (spread - 1)) << 8));
	csum_replace4(&iph->check, iph->daddr, daddr);
	iph->daddr = daddr;
	skb->protocol = eth_type_trans(skb, in);
	spin_lock_bh(&count_lock);
	fed++;
	spin_unlock_bh(&count_lock);
	netif_receive_skb(skb);
}

static enum hrtimer_restart tick(struct hrtimer *t)
{
	feed_one();
	hrtimer_forward_now(t, period);
	return HRTIMER_RESTART;
}

static void tap_open(struct tap *tap, struct net_device *dev)
{
	tap->type = (struct packet_type){
		.type = htons(ETH_P_ALL), .dev = dev, .func = tap_rcv,
	};
	dev_add_pack(&tap->type);
}

static void tap_close(struct tap *tap)
{
	dev_remove_pack(&tap->type);
	dev_put(tap->type.dev);
}

static void stop(void)
{
	if (!running)
		return;
	hrtimer_cancel(&timer);
	tap_close(&primary);
	tap_close(&backup);
	dev_put(in);
	running = false;
}

static int start(const char *value)
{
	char name[3][IFNAMSIZ];
	struct net_device *dev[3];
	unsigned int ns, i;
	size_t digits;
	int at = 0;

	if (sscanf(value, "%15s %15s %15s %u %u %n", name[0], name[1], name[2], &ns, &spread, &at) != 5 ||
	    !at)
		return -EINVAL;
	digits = strcspn(value + at, "\n");
	len = digits / 2;
	if (digits % 2 || len < ETH_ZLEN || len > FRAME_MAX || ns < PERIOD_MIN ||
	    !is_power_of_2(spread) || hex2bin(frame, value + at, len) ||
	    frame[ETH_HLEN] != 0x45)
		return -EINVAL;
	for (i = 0; i < 3; i++) {
		dev[i] = dev_get_by_name(current->nsproxy->net_ns, name[i]);
		if (!dev[i]) {
			while (i--)
				dev_put(dev[i]);
			return -ENODEV;
		}
	}
	in = dev[0];
	period = ns_to_ktime(ns);
	tap_open(&primary, dev[1]);
	tap_open(&backup, dev[2]);
	running = true;
	hrtimer_start(&timer, period, HRTIMER_MODE_REL_SOFT);
	return 0;
}

static int feed_set(const char *value, const struct kernel_param *kp)
{
	int err = 0;

	if (!capable(CAP_NET_ADMIN))
		return -EPERM;
	mutex_lock(&feed_lock);
	stop();
	if (!sysfs_streq(value, "stop"))
		err = start(value);
	mutex_unlock(&feed_lock);
	return err;
}

static const struct kernel_param_ops feed_ops = { .set = feed_set };

static int mark_set(const char *value, const struct kernel_param *kp)
{
	spin_lock_bh(&count_lock);
	primary.packets = 0;
	backup.packets = 0;
	fed = 0;
	mark = ktime_get();
	spin_unlock_bh(&count_lock);
	return 0;
}

static int mark_get(char *buffer, const struct kernel_param *kp)
{
	u64 to_first, late, served, all;

	spin_lock_bh(&count_lock);
	to_first = backup.packets ? ktime_to_ns(ktime_sub(backup.first, mark)) : 0;
	late = primary.packets;
	served = backup.packets;
	all = fed;
	spin_unlock_bh(&count_lock);
	return sprintf(buffer, "%llu %llu %llu %llu %lld\n", to_first, late, served, all,
		       (s64)(all - late - served));
}

static const struct kernel_param_ops mark_ops = { .set = mark_set, .get = mark_get };

module_param_cb(feed, &feed_ops, NULL, 0200);
MODULE_PARM_DESC(feed, "IN PRIMARY BACKUP PERIOD SPREAD HEX, or stop");
module_param_cb(mark, &mark_ops, NULL, 0600);
MODULE_PARM_DESC(mark, "write: now; read: ns to the first packet out of BACKUP, packets by PRIMARY, BACKUP, fed, nowhere");

static int __init failover_init(void)
{
	hrtimer_init(&timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_SOFT);
	timer.function = tick;
	return 0;
}

static void __exit failover_exit(void)
{
	stop();
}

module_init(failover_init);
module_exit(failover_exit);
MODULE_DESCRIPTION("Measures how soon a backup is used, for the l3vpn module's benchmark");
MODULE_LICENSE("GPL");
