// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn_bench.ko: packets as a network card would hand them up, as fast as this CPU can.
 *
 * Write "DEVICE COUNT SPREAD HEX" to /sys/module/l3vpn_bench/parameters/run: COUNT times, a fresh
 * skb with the frame HEX (from its destination MAC on) goes to netif_receive_skb() as received by
 * DEVICE of the writer's network namespace. SPREAD (a power of two, 1: none) packets in turn have
 * different IPv4 destinations: the address in the frame plus 0, 1, .. times 256. Reading run gives
 * the nanoseconds that all of it took, per thousand packets.
 *
 * Not pktgen: that keeps a reference to each skb, so whatever modifies the packet has to copy it.
 */
#include <linux/etherdevice.h>
#include <linux/kernel.h>
#include <linux/ip.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/nsproxy.h>
#include <net/checksum.h>
#include <net/net_namespace.h>

#define BATCH		64
#define FRAME_MAX	1514
#define COUNT_MAX	100000000

struct job {
	struct net_device *dev;
	unsigned int count;
	unsigned int spread;
	unsigned int len;
	int ip;			/* offset of the IPv4 header, negative: none */
	u8 frame[FRAME_MAX];
};

static DEFINE_MUTEX(bench_lock);	/* protects what follows */
static struct job job;
static u64 picoseconds;			/* per packet, of the last run */

static void feed_one(const struct job *j, unsigned int i)
{
	struct sk_buff *skb = netdev_alloc_skb(j->dev, j->len);

	if (!skb)
		return;		/* the sink's count tells */
	skb_put_data(skb, j->frame, j->len);
	if (j->spread > 1) {
		struct iphdr *iph = (struct iphdr *)(skb->data + j->ip);
		__be32 daddr = htonl(ntohl(iph->daddr) + ((i & (j->spread - 1)) << 8));

		csum_replace4(&iph->check, iph->daddr, daddr);
		iph->daddr = daddr;
	}
	skb->protocol = eth_type_trans(skb, j->dev);
	netif_receive_skb(skb);
}

static u64 feed(const struct job *j)
{
	unsigned int i = 0;
	ktime_t start;

	start = ktime_get();
	while (i < j->count) {
		unsigned int end = min(i + BATCH, j->count);

		local_bh_disable();
		for (; i < end; i++)
			feed_one(j, i);
		local_bh_enable();
		cond_resched();
	}
	return ktime_to_ns(ktime_sub(ktime_get(), start));
}

/* Where the IPv4 header is: behind the link layer header and any labels. */
static int find_ip(const struct job *j)
{
	unsigned int at = ETH_HLEN;

	if (j->frame[12] == 0x88 && j->frame[13] == 0x47)
		do
			at += 4;
		while (at + 4 <= j->len && !(j->frame[at - 2] & 1));
	return at + sizeof(struct iphdr) <= j->len && j->frame[at] >> 4 == 4 ? (int)at : -1;
}

static int run_set(const char *value, const struct kernel_param *kp)
{
	char name[IFNAMSIZ];
	int at = 0, err = -EINVAL;
	size_t digits;

	if (!capable(CAP_NET_ADMIN))
		return -EPERM;
	mutex_lock(&bench_lock);
	if (sscanf(value, "%15s %u %u %n", name, &job.count, &job.spread, &at) != 3 || !at)
		goto out;
	digits = strcspn(value + at, "\n");
	job.len = digits / 2;
	if (digits % 2 || job.len < ETH_ZLEN || job.len > FRAME_MAX || !job.count ||
	    job.count > COUNT_MAX || !is_power_of_2(job.spread) ||
	    hex2bin(job.frame, value + at, job.len))
		goto out;
	job.ip = find_ip(&job);
	if (job.spread > 1 && job.ip < 0)
		goto out;
	job.dev = dev_get_by_name(current->nsproxy->net_ns, name);
	err = -ENODEV;
	if (!job.dev)
		goto out;
	picoseconds = div_u64(feed(&job) * 1000, job.count);
	dev_put(job.dev);
	err = 0;
out:
	mutex_unlock(&bench_lock);
	return err;
}

static int run_get(char *buffer, const struct kernel_param *kp)
{
	return sprintf(buffer, "%llu\n", READ_ONCE(picoseconds));
}

static const struct kernel_param_ops run_ops = {
	.set = run_set,
	.get = run_get,
};

module_param_cb(run, &run_ops, NULL, 0600);
MODULE_PARM_DESC(run, "write: DEVICE COUNT SPREAD HEX; read: nanoseconds per 1000 packets");

static int __init bench_init(void)
{
	return 0;
}

static void __exit bench_exit(void)
{
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_DESCRIPTION("Packet generator for the l3vpn module's benchmark");
MODULE_LICENSE("GPL");
