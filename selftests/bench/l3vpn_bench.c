// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn_bench.ko: packets as a network card would hand them up, as fast as this CPU can, and a device
 * that looks at what comes out.
 *
 * /proc/l3vpn_bench_destinations: what is written between open and close becomes the list of
 * destinations, 16 octets each (IPv4: the first four); an empty list: the address in the frame.
 *
 * Write "DEVICE FIRST COUNT HEX" to /sys/module/l3vpn_bench/parameters/run: packets number FIRST to
 * FIRST + COUNT - 1, each a fresh skb with the frame HEX (from its destination MAC on), go to
 * netif_receive_skb() as received by DEVICE of the writer's network namespace. Packet n has
 * destination n of the list (again from its start when it ends), and n in its last four octets.
 * Reading run gives the nanoseconds that all of it took, per thousand packets.
 *
 * ip link add NAME type l3vpn_sink: a device, without queue or lock, that counts and frees what is
 * sent by it. Write "DEVICE HEX" to parameters/expect: every SAMPLE-th frame has to be HEX but for
 * its destination address, which is the one of its number, its IPv4 checksum, which is to be right,
 * and its number. Reading expect gives "CHECKED WRONG", of all sinks since the last write.
 *
 * Not pktgen: that keeps a reference to each skb, so whatever modifies the packet has to copy it.
 */
#include <linux/etherdevice.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/nsproxy.h>
#include <linux/prefetch.h>
#include <linux/proc_fs.h>
#include <linux/uaccess.h>
#include <linux/version.h>
#include <linux/vmalloc.h>
#include <net/checksum.h>
#include <net/net_namespace.h>
#include <net/rtnetlink.h>
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#include <asm/unaligned.h>
#else
#include <linux/unaligned.h>
#endif

#define BATCH		64
#define SAMPLE		1000
#define FRAME_MAX	1514
#define COUNT_MAX	100000000
#define LIST_MAX	(32 << 20)

/**
 * struct frame - a template
 * @len:	octets
 * @ip:		offset of the IP header, behind the link layer header and any labels
 * @v6:		IPv6
 * @data:	the octets
 */
struct frame {
	unsigned int len;
	unsigned int ip;
	bool v6;
	u8 data[FRAME_MAX];
};

/* Of a sink; in the device's private area. */
struct sink {
	struct frame expect;
	bool armed;
	u64 packets;
	u64 bytes;
};

static DEFINE_MUTEX(bench_lock);	/* protects what follows; the list is read by sinks meanwhile */
static struct frame feeding;
static u64 picoseconds;			/* per packet, of the last run */
static u64 checked, wrong;		/* frames, by all sinks */
static u8 (*list)[16];
static size_t listed;			/* destinations in the list */
static size_t list_octets;

static const u8 *destination(u32 n)
{
	return listed ? list[n % listed] : NULL;
}

/*
 * The list is longer than caches are, and who forwards leaves the processor's own prefetcher no room: what waiting for
 * the list costs is nobody's.
 */
static __always_inline void fetch_destination(u32 n)
{
	const u8 *to = destination(n);

	if (to)
		prefetch(to);
}

/* Frames */

static void set_destination(struct sk_buff *skb, const struct frame *f, u32 n)
{
	const u8 *to = destination(n);
	__be32 addr;

	put_unaligned_be32(n, skb->data + f->len - 4);
	if (!to)
		return;
	if (f->v6) {
		memcpy(skb->data + f->ip + offsetof(struct ipv6hdr, daddr), to, 16);
	} else {
		struct iphdr *iph = (struct iphdr *)(skb->data + f->ip);

		memcpy(&addr, to, sizeof(addr));
		csum_replace4(&iph->check, iph->daddr, addr);
		iph->daddr = addr;
	}
}

static void feed_one(struct net_device *dev, u32 n)
{
	struct sk_buff *skb = netdev_alloc_skb(dev, feeding.len);

	if (!skb)
		return;		/* the sink's count tells */
	skb_put_data(skb, feeding.data, feeding.len);
	set_destination(skb, &feeding, n);
	fetch_destination(n + BATCH);
	skb->protocol = eth_type_trans(skb, dev);
	netif_receive_skb(skb);
}

static u64 feed(struct net_device *dev, u32 first, u32 count)
{
	u32 i = 0;
	ktime_t start;

	start = ktime_get();
	while (i < count) {
		u32 end = min(i + BATCH, count);

		local_bh_disable();
		for (; i < end; i++)
			feed_one(dev, first + i);
		local_bh_enable();
		cond_resched();
	}
	return ktime_to_ns(ktime_sub(ktime_get(), start));
}

/* @hex into @f; false: it is no frame with an IP packet without options. */
static bool frame_read(struct frame *f, const char *hex)
{
	size_t digits = strcspn(hex, "\n"), header;
	unsigned int at = ETH_HLEN;

	f->len = digits / 2;
	if (digits % 2 || f->len < ETH_ZLEN || f->len > FRAME_MAX || hex2bin(f->data, hex, f->len))
		return false;
	if (f->data[12] == 0x88 && f->data[13] == 0x47)
		do
			at += 4;
		while (at + 4 <= f->len && !(f->data[at - 2] & 1));
	f->ip = at;
	f->v6 = at < f->len && f->data[at] >> 4 == 6;
	header = f->v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
	return at + header + 4 <= f->len && (f->v6 || f->data[at] == 0x45);
}

static int run_set(const char *value, const struct kernel_param *kp)
{
	struct net_device *dev;
	char name[IFNAMSIZ];
	int at = 0, err = -EINVAL;
	u32 first, count;

	if (!capable(CAP_NET_ADMIN))
		return -EPERM;
	mutex_lock(&bench_lock);
	if (sscanf(value, "%15s %u %u %n", name, &first, &count, &at) != 3 || !at || !count ||
	    count > COUNT_MAX || !frame_read(&feeding, value + at))
		goto out;
	dev = dev_get_by_name(current->nsproxy->net_ns, name);
	err = -ENODEV;
	if (!dev)
		goto out;
	picoseconds = div_u64(feed(dev, first, count) * 1000, count);
	dev_put(dev);
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
MODULE_PARM_DESC(run, "write: DEVICE FIRST COUNT HEX; read: nanoseconds per 1000 packets");

/* The list */

static int list_open(struct inode *inode, struct file *file)
{
	mutex_lock(&bench_lock);
	listed = 0;
	list_octets = 0;
	if (!list)
		list = vmalloc(LIST_MAX);
	mutex_unlock(&bench_lock);
	return list ? 0 : -ENOMEM;
}

static ssize_t list_write(struct file *file, const char __user *from, size_t len, loff_t *pos)
{
	ssize_t ret = len;

	mutex_lock(&bench_lock);
	if (len > LIST_MAX - list_octets)
		ret = -ENOSPC;
	else if (copy_from_user((u8 *)list + list_octets, from, len))
		ret = -EFAULT;
	else
		list_octets += len;
	listed = list_octets / sizeof(*list);
	mutex_unlock(&bench_lock);
	return ret;
}

static const struct proc_ops list_ops = {
	.proc_open = list_open,
	.proc_write = list_write,
};

/* Sinks */

/* Is the frame what was expected? */
static bool as_expected(const struct sk_buff *skb, const struct frame *want)
{
	unsigned int at = want->v6 ? offsetof(struct ipv6hdr, daddr) : offsetof(struct iphdr, check);
	unsigned int behind = want->ip + (want->v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr));
	const u8 *to, *is = skb->data;
	u32 n;

	if (skb_is_nonlinear(skb) || skb->len != want->len)
		return false;
	n = get_unaligned_be32(is + want->len - 4);
	to = destination(n);
	if (memcmp(is, want->data, want->ip + at) ||
	    memcmp(is + behind, want->data + behind, want->len - 4 - behind))
		return false;
	if (want->v6) {
		at = want->ip + offsetof(struct ipv6hdr, daddr);
		return !memcmp(is + at, to ? to : want->data + at, 16);
	}
	at = want->ip + offsetof(struct iphdr, daddr);
	return !memcmp(is + at, to ? to : want->data + at, 4) &&
	       !memcmp(is + want->ip + offsetof(struct iphdr, saddr),
		       want->data + want->ip + offsetof(struct iphdr, saddr), 4) &&
	       !ip_fast_csum(is + want->ip, 5);
}

static netdev_tx_t sink_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct sink *sink = netdev_priv(dev);

	sink->bytes += skb->len;	/* one CPU feeds */
	if (unlikely(!(++sink->packets % SAMPLE)) && sink->armed) {
		checked++;
		wrong += !as_expected(skb, &sink->expect);
	}
	dev_kfree_skb(skb);
	return NETDEV_TX_OK;
}

static void sink_stats(struct net_device *dev, struct rtnl_link_stats64 *stats)
{
	const struct sink *sink = netdev_priv(dev);

	stats->tx_packets = sink->packets;
	stats->tx_bytes = sink->bytes;
}

static const struct net_device_ops sink_ops = {
	.ndo_start_xmit = sink_xmit,
	.ndo_get_stats64 = sink_stats,
	.ndo_set_mac_address = eth_mac_addr,
	.ndo_validate_addr = eth_validate_addr,
};

static void sink_setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &sink_ops;
	dev->needs_free_netdev = true;
	dev->priv_flags |= IFF_NO_QUEUE | IFF_LIVE_ADDR_CHANGE;
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
	dev->features |= NETIF_F_LLTX;
#else
	dev->lltx = true;
#endif
	eth_hw_addr_random(dev);
}

static struct rtnl_link_ops sink_link_ops = {
	.kind = "l3vpn_sink",
	.priv_size = sizeof(struct sink),
	.setup = sink_setup,
};

static int expect_set(const char *value, const struct kernel_param *kp)
{
	struct net_device *dev;
	char name[IFNAMSIZ];
	struct sink *sink;
	int at = 0, err = -EINVAL;

	if (!capable(CAP_NET_ADMIN))
		return -EPERM;
	if (sscanf(value, "%15s %n", name, &at) != 1 || !at)
		return -EINVAL;
	rtnl_lock();
	mutex_lock(&bench_lock);
	checked = 0;
	wrong = 0;
	dev = __dev_get_by_name(current->nsproxy->net_ns, name);
	if (dev && dev->netdev_ops == &sink_ops) {
		sink = netdev_priv(dev);
		sink->armed = frame_read(&sink->expect, value + at);
		err = sink->armed ? 0 : -EINVAL;
	}
	mutex_unlock(&bench_lock);
	rtnl_unlock();
	return err;
}

static int expect_get(char *buffer, const struct kernel_param *kp)
{
	return sprintf(buffer, "%llu %llu\n", READ_ONCE(checked), READ_ONCE(wrong));
}

static const struct kernel_param_ops expect_ops = {
	.set = expect_set,
	.get = expect_get,
};

module_param_cb(expect, &expect_ops, NULL, 0600);
MODULE_PARM_DESC(expect, "write: DEVICE HEX; read: frames checked and wrong");

static int __init bench_init(void)
{
	int err = rtnl_link_register(&sink_link_ops);

	if (err)
		return err;
	if (!proc_create("l3vpn_bench_destinations", 0200, NULL, &list_ops)) {
		rtnl_link_unregister(&sink_link_ops);
		return -ENOMEM;
	}
	return 0;
}

static void __exit bench_exit(void)
{
	remove_proc_entry("l3vpn_bench_destinations", NULL);
	rtnl_link_unregister(&sink_link_ops);
	vfree(list);
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_DESCRIPTION("Packet generator and sink for the l3vpn module's benchmark");
MODULE_LICENSE("GPL");
