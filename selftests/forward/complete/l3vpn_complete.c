// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn_complete: while it is loaded, what comes in by any device of any namespace has its checksum
 * done (CHECKSUM_COMPLETE), as some network adapters tell it: the sum over all that follows the
 * Ethernet header. Whoever then changes or takes off octets without counting them is found out by
 * the kernel ("hw csum failure").
 *
 * It looks at devices named "ce" and "core" alone, the ports of offload.py's routers.
 */
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/netfilter_netdev.h>
#include <linux/rtnetlink.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <net/net_namespace.h>

static unsigned long packets;
module_param(packets, ulong, 0444);
MODULE_PARM_DESC(packets, "how many had their checksum done");

/**
 * struct place - a hook
 * @list:	in places
 * @net:	namespace of the device, referenced
 * @dev:	device, referenced
 * @tracker:	of that reference
 * @ops:	what was registered
 */
struct place {
	struct list_head list;
	struct net *net;
	struct net_device *dev;
	netdevice_tracker tracker;
	struct nf_hook_ops ops;
};

static LIST_HEAD(places);

static unsigned int sum_up(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	if (skb_is_gso(skb) || skb->ip_summed == CHECKSUM_PARTIAL || skb_shared(skb))
		return NF_ACCEPT;
	skb->csum = skb_checksum(skb, 0, skb->len, 0);
	skb->ip_summed = CHECKSUM_COMPLETE;
	packets++;
	return NF_ACCEPT;
}

static int watch(struct net *net, struct net_device *dev)
{
	struct place *place = kzalloc(sizeof(*place), GFP_KERNEL);
	int err;

	if (!place)
		return -ENOMEM;
	place->ops.hook = sum_up;
	place->ops.pf = NFPROTO_NETDEV;
	place->ops.hooknum = NF_NETDEV_INGRESS;
	place->ops.dev = dev;
	err = nf_register_net_hook(net, &place->ops);
	if (err) {
		kfree(place);
		return err;
	}
	place->net = get_net(net);
	place->dev = dev;
	netdev_hold(dev, &place->tracker, GFP_KERNEL);
	list_add(&place->list, &places);
	return 0;
}

static void forget_all(void)
{
	struct place *place, *next;

	list_for_each_entry_safe(place, next, &places, list) {
		nf_unregister_net_hook(place->net, &place->ops);
		netdev_put(place->dev, &place->tracker);
		put_net(place->net);
		kfree(place);
	}
}

static int __init complete_init(void)
{
	struct net_device *dev;
	struct net *net;
	int err = 0;

	rtnl_lock();
	down_read(&net_rwsem);
	for_each_net(net)
		for_each_netdev(net, dev)
			if (!err && (!strcmp(dev->name, "ce") || !strcmp(dev->name, "core")))
				err = watch(net, dev);
	up_read(&net_rwsem);
	rtnl_unlock();
	if (err)
		forget_all();
	return err;
}

static void __exit complete_exit(void)
{
	forget_all();
}

module_init(complete_init);
module_exit(complete_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Complete checksums on receipt, for tests");
