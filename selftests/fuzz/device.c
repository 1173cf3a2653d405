// SPDX-License-Identifier: GPL-2.0
/*
 * packet_fuzz: devices of kind "fuzzport": Ethernet devices whose transmit function is the judge.
 *
 * What a device can offload follows from the last digit of its name: 0 all that there is, 1 nothing,
 * 2 checksums and fragments in pages, others everything but GSO under labels. Its MAC address
 * is 02:00:00:00:<letter>:<digit>, so that runs are alike.
 */
#include <linux/etherdevice.h>
#include <linux/if_arp.h>
#include <linux/module.h>
#include <net/rtnetlink.h>

#include "fuzz.h"

static struct rtnl_link_ops fuzz_link_ops;

struct fuzz_device {
	enum fuzz_domain domain;
	enum fuzz_kind kind;
};

static netdev_tx_t fuzz_xmit(struct sk_buff *skb, struct net_device *dev)
{
	dev_sw_netstats_tx_add(dev, 1, skb->len);
	fuzz_judge_sent(skb, dev);
	consume_skb(skb);
	return NETDEV_TX_OK;
}

static int fuzz_dev_init(struct net_device *dev)
{
	dev->tstats = netdev_alloc_pcpu_stats(struct pcpu_sw_netstats);
	return dev->tstats ? 0 : -ENOMEM;
}

static void fuzz_dev_free(struct net_device *dev)
{
	free_percpu(dev->tstats);
	dev->tstats = NULL;
}

static const struct net_device_ops fuzz_device_ops = {
	.ndo_init		= fuzz_dev_init,
	.ndo_start_xmit		= fuzz_xmit,
	.ndo_get_stats64	= dev_get_tstats64,
	.ndo_set_mac_address	= eth_mac_addr,
	.ndo_validate_addr	= eth_validate_addr,
};

static void fuzz_dev_setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &fuzz_device_ops;
	dev->priv_destructor = fuzz_dev_free;
	dev->needs_free_netdev = true;
	dev->priv_flags |= IFF_NO_QUEUE | IFF_LIVE_ADDR_CHANGE;
	dev->max_mtu = ETH_MAX_MTU;
	dev->min_mtu = 68;
}

static void set_features(struct net_device *dev, char digit)
{
	netdev_features_t all = NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HW_CSUM | NETIF_F_GSO_SOFTWARE |
				NETIF_F_HIGHDMA;

	if (digit == '1')
		return;
	if (digit == '2')
		all = NETIF_F_SG | NETIF_F_HW_CSUM;
	dev->features |= all;
	dev->hw_features |= all;
	if (digit == '0')
		dev->mpls_features |= all;
}

static int fuzz_newlink(L3VPN_COMPAT_NEWLINK_ARGS)
{
	struct fuzz_device *priv = netdev_priv(dev);
	size_t len = strlen(dev->name);
	char letter = dev->name[0], digit = dev->name[len - 1];
	u8 address[ETH_ALEN] = { 2, 0, 0, 0, letter, digit };

	switch (letter) {
	case 'a':
		priv->domain = FUZZ_A;
		priv->kind = FUZZ_CUSTOMER;
		break;
	case 'b':
		priv->domain = FUZZ_B;
		priv->kind = FUZZ_CUSTOMER;
		break;
	case 'c':
		priv->domain = FUZZ_GLOBAL;
		priv->kind = FUZZ_CORE;
		break;
	case 'g':
		priv->domain = FUZZ_GLOBAL;
		priv->kind = FUZZ_HOST;
		break;
	default:
		return -EINVAL;
	}
	set_features(dev, digit);
	eth_hw_addr_set(dev, address);
	return register_netdevice(dev);
}

static struct rtnl_link_ops fuzz_link_ops = {
	.kind		= "fuzzport",
	.priv_size	= sizeof(struct fuzz_device),
	.setup		= fuzz_dev_setup,
	.newlink	= fuzz_newlink,
};

enum fuzz_domain fuzz_device_domain(const struct net_device *dev, enum fuzz_kind *kind)
{
	const struct rtnl_link_ops *ops = READ_ONCE(dev->rtnl_link_ops);

	if (ops == &fuzz_link_ops) {
		const struct fuzz_device *priv = netdev_priv(dev);

		*kind = priv->kind;
		return priv->domain;
	}
	*kind = FUZZ_LOCAL;
	if (!ops || strcmp(ops->kind, "l3vpn"))
		return FUZZ_NOBODY;
	switch (dev->name[0]) {
	case 'R':
	case 'G':
		return FUZZ_A;
	case 'B':
	case 'P':
		return FUZZ_B;
	}
	return FUZZ_NOBODY;
}

u64 fuzz_device_refused(const struct net_device *dev)
{
	struct rtnl_link_stats64 stats;

	dev_get_stats((struct net_device *)dev, &stats);
	return stats.tx_dropped + stats.rx_dropped + stats.rx_nohandler;
}

int fuzz_device_register(void)
{
	return rtnl_link_register(&fuzz_link_ops);
}

void fuzz_device_unregister(void)
{
	rtnl_link_unregister(&fuzz_link_ops);
}
