// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn: the VRF's net_device: a layer 3 master that sockets bind to.
 *
 * Towards the stack it is what the kernel calls an l3mdev: packets that come in by a slave, or that
 * the module hands over, are heard by sockets bound to the VRF; a lookup from such a socket goes to
 * the VRF's kernel table. That table has the connected routes of the slaves (the kernel puts them
 * there) and, set by the administrator or the daemon, a default to this device; what is sent by the
 * device is then looked up in the module's FIB.
 */
#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/rtnetlink.h>
#include <net/addrconf.h>
#include <net/dst_metadata.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>
#include <net/ndisc.h>
#include <net/route.h>
#include <net/rtnetlink.h>

#include "forward.h"
#include "icmp.h"
#include "object.h"
#include "port_ctl.h"
#include "route.h"
#include "vrf.h"
#include "vrf_dev.h"

static struct rtnl_link_ops l3vpn_link_ops;

/* Sending */

/* The stack's own address in this VRF: loop the packet back into the stack. Keeps the dst. */
static void l3vpn_vrf_loop(struct sk_buff *skb, struct net_device *dev)
{
	skb_orphan(skb);
	skb_dst_force(skb);
	/* Taps have seen it on its way out. */
	skb->pkt_type = PACKET_LOOPBACK;
	skb->protocol = eth_type_trans(skb, dev);
	netif_rx(skb);
}

static bool l3vpn_vrf_is_local(const struct sk_buff *skb)
{
	const struct dst_entry *dst = skb_dst(skb);

	if (!skb_valid_dst(skb))
		return false;	/* none, or a tunnel's metadata */
	if (skb->protocol == htons(ETH_P_IP))
		return dst->ops->family == AF_INET && skb_rtable(skb)->rt_type == RTN_LOCAL;
	return dst->ops->family == AF_INET6 && container_of(dst, struct rt6_info, dst)->rt6i_flags & RTF_LOCAL;
}

/* Inside rcu_read_lock_bh, which is not the lock that the data path's pointers ask for. */
static netdev_tx_t l3vpn_vrf_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct l3vpn_vrf *vrf = l3vpn_vrf_of(dev);

	if (skb->protocol != htons(ETH_P_IP) && skb->protocol != htons(ETH_P_IPV6)) {
		l3vpn_drop(vrf->ln, skb, L3VPN_DROP_PROTOCOL, vrf, NULL);
		return NETDEV_TX_OK;
	}
	if (l3vpn_vrf_is_local(skb)) {
		l3vpn_vrf_loop(skb, dev);
		return NETDEV_TX_OK;
	}
	/* A packet socket may send less than it says. */
	if (skb_network_offset(skb) < 0 || skb_network_offset(skb) > skb->len) {
		skb_reset_network_header(skb);
		l3vpn_drop(vrf->ln, skb, L3VPN_DROP_HEADER, vrf, NULL);
		return NETDEV_TX_OK;
	}
	if (!pskb_may_pull(skb, skb_network_offset(skb))) {
		l3vpn_drop(vrf->ln, skb, L3VPN_DROP_HEADER, vrf, NULL);
		return NETDEV_TX_OK;
	}
	__skb_pull(skb, skb_network_offset(skb));
	rcu_read_lock();
	l3vpn_forward(skb, vrf, NULL);
	rcu_read_unlock();
	return NETDEV_TX_OK;
}

/* Receiving, as a layer 3 master */

static struct sk_buff *l3vpn_vrf_rcv4(struct net_device *dev, struct sk_buff *skb)
{
	skb->dev = dev;
	skb->skb_iif = dev->ifindex;
	IPCB(skb)->flags |= IPSKB_L3SLAVE;
	if (skb->pkt_type == PACKET_LOOPBACK)
		skb->pkt_type = PACKET_HOST;
	return skb;
}

/* The route that the VRF's own table has for a packet that came in by @iif; a reference for the caller, or NULL. */
static struct rt6_info *l3vpn_vrf_rt6(struct sk_buff *skb, struct net_device *dev, int iif, int flags)
{
	const struct ipv6hdr *ip6 = ipv6_hdr(skb);
	struct net *net = dev_net(dev);
	struct flowi6 fl6 = {
		.flowi6_iif	= iif,
		.flowi6_mark	= skb->mark,
		.flowi6_proto	= ip6->nexthdr,
		.daddr		= ip6->daddr,
		.saddr		= ip6->saddr,
		.flowlabel	= ip6_flowinfo(ip6),
	};
	struct fib6_table *table = fib6_get_table(net, l3vpn_vrf_of(dev)->table);
	struct rt6_info *rt;

	if (!table)
		return NULL;
	rt = ip6_pol_route(net, table, iif, &fl6, skb, RT6_LOOKUP_F_HAS_SADDR | flags);
	if (rt != net->ipv6.ip6_null_entry)
		return rt;
	dst_release(&rt->dst);
	return NULL;
}

/*
 * Link-local and multicast destinations are of a port: the route is looked up with the port's index,
 * before the VRF's hides it.
 */
static void l3vpn_vrf_strict_dst(struct sk_buff *skb, struct net_device *dev, int iif)
{
	struct rt6_info *rt = l3vpn_vrf_rt6(skb, dev, iif, RT6_LOOKUP_F_IFACE);

	skb_dst_drop(skb);
	if (rt)
		skb_dst_set(skb, &rt->dst);
}

/*
 * An echo request from a link-local source to any other address of the VRF: the kernel answers by the
 * port that the route's idev names, and that would be the one with the address, or whichever port of the
 * VRF comes first (RFC 4291 section 2.5.6: the source means something on its own link only). Nothing
 * keeps the route longer than the packet, so it is on no list of the kernel's.
 */
static void l3vpn_vrf_echo_dst(struct sk_buff *skb, struct net_device *dev, struct net_device *port)
{
	struct rt6_info *found = l3vpn_vrf_rt6(skb, dev, port->ifindex, 0);
	struct rt6_info *rt = NULL;

	if (!found)
		return;
	if (found->rt6i_flags & RTF_LOCAL)
		rt = ip6_dst_alloc(dev_net(dev), port, 0);
	if (rt) {
		rt->rt6i_idev = in6_dev_get(port);
		rt->rt6i_flags = found->rt6i_flags;
		rt->rt6i_dst = found->rt6i_dst;
		rt->dst.input = found->dst.input;
		skb_dst_drop(skb);
		if (rt->rt6i_idev)
			skb_dst_set(skb, &rt->dst);
		else
			dst_release(&rt->dst);
	}
	dst_release(&found->dst);
}

/* The ICMPv6 type of a packet without extension headers, 0 (reserved, RFC 4443) when it has none. */
static u8 l3vpn_icmp6_type(struct sk_buff *skb)
{
	const struct ipv6hdr *ip6 = ipv6_hdr(skb);
	const u8 *type;
	u8 buf;

	if (ip6->nexthdr != IPPROTO_ICMPV6)
		return 0;
	type = skb_header_pointer(skb, sizeof(*ip6), sizeof(buf), &buf);
	return type ? *type : 0;
}

static struct sk_buff *l3vpn_vrf_rcv6(struct net_device *dev, struct sk_buff *skb)
{
	bool strict = rt6_need_strict(&ipv6_hdr(skb)->daddr);
	bool loop = skb->pkt_type == PACKET_LOOPBACK;
	struct net_device *port = skb->dev;
	u8 type = l3vpn_icmp6_type(skb);
	int iif = skb->skb_iif;

	/* Neighbour discovery stays with its port. */
	if (loop || type < NDISC_ROUTER_SOLICITATION || type > NDISC_REDIRECT) {
		skb->dev = dev;
		skb->skb_iif = dev->ifindex;
		IP6CB(skb)->flags |= IP6SKB_L3SLAVE;
	}
	if (loop)
		skb->pkt_type = PACKET_HOST;
	else if (strict)
		l3vpn_vrf_strict_dst(skb, dev, iif);
	else if (type == ICMPV6_ECHO_REQUEST && ipv6_addr_type(&ipv6_hdr(skb)->saddr) & IPV6_ADDR_LINKLOCAL)
		l3vpn_vrf_echo_dst(skb, dev, port);
	return skb;
}

static struct sk_buff *l3vpn_vrf_l3_rcv(struct net_device *dev, struct sk_buff *skb, u16 proto)
{
	switch (proto) {
	case AF_INET:
		return l3vpn_vrf_rcv4(dev, skb);
	case AF_INET6:
		return l3vpn_vrf_rcv6(dev, skb);
	}
	return skb;
}

static u32 l3vpn_vrf_fib_table(const struct net_device *dev)
{
	return l3vpn_vrf_of(dev)->table;
}

static const struct l3mdev_ops l3vpn_l3mdev_ops = {
	.l3mdev_fib_table	= l3vpn_vrf_fib_table,
	.l3mdev_l3_rcv		= l3vpn_vrf_l3_rcv,
};

/* The device */

static void l3vpn_vrf_stats64(struct net_device *dev, struct rtnl_link_stats64 *stats)
{
	struct l3vpn_stats sum;

	l3vpn_counters_sum(l3vpn_vrf_of(dev)->counters, &sum);
	stats->rx_packets = sum.rx_packets;
	stats->rx_bytes = sum.rx_bytes;
	stats->tx_packets = sum.tx_packets;
	stats->tx_bytes = sum.tx_bytes;
	stats->rx_dropped = sum.drops;
}

static int l3vpn_vrf_add_slave(struct net_device *dev, struct net_device *port_dev,
			       struct netlink_ext_ack *extack)
{
	const struct l3vpn_port_request req = {
		.vrf = l3vpn_vrf_of(dev),
		.kind = L3VPN_PORT_KIND_CUSTOMER,
	};

	return l3vpn_port_bind(req.vrf->ln, port_dev, &req, extack);
}

static int l3vpn_vrf_del_slave(struct net_device *dev, struct net_device *port_dev)
{
	struct l3vpn_port *port = l3vpn_port_of(port_dev);

	if (!port || rtnl_dereference(port->vrf) != l3vpn_vrf_of(dev))
		return -EINVAL;
	l3vpn_port_unbind(port);
	return 0;
}

/* Frees what init made; the last reader of the device is gone. */
static void l3vpn_vrf_free(struct net_device *dev)
{
	struct l3vpn_vrf *vrf = l3vpn_vrf_of(dev);

	l3vpn_fib_destroy(&vrf->fib4, NULL, NULL);
	l3vpn_fib_destroy(&vrf->fib6, NULL, NULL);
	free_percpu(vrf->counters);
	vrf->counters = NULL;
	l3vpn_object_gone(L3VPN_COUNT_VRF);
}

static int l3vpn_vrf_init(struct net_device *dev)
{
	struct l3vpn_vrf *vrf = l3vpn_vrf_of(dev);
	struct l3vpn_net *ln = l3vpn_net(dev_net(dev));
	int err;

	vrf->dev = dev;
	vrf->ln = ln;
	INIT_LIST_HEAD(&vrf->kept);
	l3vpn_icmp_vrf_init(vrf);
	l3vpn_keeper_init(&vrf->keeper, true);
	l3vpn_qos_init(&vrf->qos);
	vrf->counters = l3vpn_counters_alloc();
	if (!vrf->counters)
		return -ENOMEM;
	l3vpn_object_born(L3VPN_COUNT_VRF);

	err = l3vpn_vrf_rules_install(ln);
	if (!err)
		err = l3vpn_vrf_publish(vrf, vrf->extack);
	vrf->extack = NULL;
	if (err) {
		l3vpn_vrf_free(dev);
		return err;
	}
	netif_keep_dst(dev);
	dev->flags = IFF_MASTER | IFF_NOARP;
	return 0;
}

static void l3vpn_vrf_uninit(struct net_device *dev)
{
	l3vpn_vrf_unpublish(l3vpn_vrf_of(dev));
}

static const struct net_device_ops l3vpn_vrf_ops = {
	.ndo_init		= l3vpn_vrf_init,
	.ndo_uninit		= l3vpn_vrf_uninit,
	.ndo_start_xmit		= l3vpn_vrf_xmit,
	.ndo_set_mac_address	= eth_mac_addr,
	.ndo_get_stats64	= l3vpn_vrf_stats64,
	.ndo_add_slave		= l3vpn_vrf_add_slave,
	.ndo_del_slave		= l3vpn_vrf_del_slave,
};

bool l3vpn_vrf_dev_is(const struct net_device *dev)
{
	return dev->netdev_ops == &l3vpn_vrf_ops;
}

static void l3vpn_vrf_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info)
{
	strscpy(info->driver, L3VPN_LINK_KIND, sizeof(info->driver));
}

static const struct ethtool_ops l3vpn_ethtool_ops = {
	.get_drvinfo	= l3vpn_vrf_drvinfo,
};

static void l3vpn_vrf_dev_setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &l3vpn_vrf_ops;
	dev->l3mdev_ops = &l3vpn_l3mdev_ops;
	dev->ethtool_ops = &l3vpn_ethtool_ops;
	dev->needs_free_netdev = true;
	dev->priv_destructor = l3vpn_vrf_free;
	eth_hw_addr_random(dev);

	l3vpn_compat_dev_lltx_local(dev);
	dev->features |= NETIF_F_VLAN_CHALLENGED | NETIF_F_GSO_SOFTWARE | NETIF_F_RXCSUM |
			 NETIF_F_HW_CSUM | NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HIGHDMA;
	dev->hw_features = dev->features;
	dev->hw_enc_features = dev->features;
	dev->priv_flags |= IFF_L3MDEV_MASTER | IFF_NO_QUEUE | IFF_NO_RX_HANDLER |
			   IFF_LIVE_ADDR_CHANGE;

	/* The way out has an MTU; the VRF has none of its own. */
	dev->min_mtu = IPV6_MIN_MTU;
	dev->max_mtu = IP6_MAX_MTU;
	dev->mtu = dev->max_mtu;
}

static int l3vpn_vrf_register(struct net_device *dev, struct netlink_ext_ack *extack)
{
	struct l3vpn_vrf *vrf = l3vpn_vrf_of(dev);
	int err;

	vrf->extack = extack;
	err = register_netdevice(dev);
	vrf->extack = NULL;
	return err;
}

/* "ip link add NAME type l3vpn" */
static int l3vpn_vrf_newlink(L3VPN_COMPAT_NEWLINK_ARGS)
{
	return l3vpn_vrf_register(dev, extack);
}

static void l3vpn_vrf_dellink(struct net_device *dev, struct list_head *kill)
{
	l3vpn_vrf_destroy(l3vpn_vrf_of(dev), kill);
}

static struct rtnl_link_ops l3vpn_link_ops = {
	.kind		= L3VPN_LINK_KIND,
	.priv_size	= sizeof(struct l3vpn_vrf),
	.setup		= l3vpn_vrf_dev_setup,
	.newlink	= l3vpn_vrf_newlink,
	.dellink	= l3vpn_vrf_dellink,
};

struct l3vpn_vrf *l3vpn_vrf_create(struct l3vpn_net *ln, const struct l3vpn_vrf_request *req,
				   struct netlink_ext_ack *extack)
{
	struct net_device *dev;
	struct l3vpn_vrf *vrf;
	int err;

	ASSERT_RTNL();
	dev = alloc_netdev(sizeof(*vrf), req->name, NET_NAME_USER, l3vpn_vrf_dev_setup);
	if (!dev)
		return ERR_PTR(-ENOMEM);
	dev_net_set(dev, ln->net);
	dev->rtnl_link_ops = &l3vpn_link_ops;
	vrf = l3vpn_vrf_of(dev);
	vrf->id = req->id;
	vrf->table = req->table;

	err = l3vpn_vrf_register(dev, extack);
	if (err) {
		free_netdev(dev);
		return ERR_PTR(err);
	}
	err = dev_open(dev, extack);
	if (err) {
		l3vpn_vrf_destroy(vrf, NULL);
		return ERR_PTR(err);
	}
	return vrf;
}

void l3vpn_vrf_destroy(struct l3vpn_vrf *vrf, struct list_head *kill)
{
	l3vpn_vrf_unpublish(vrf);
	unregister_netdevice_queue(vrf->dev, kill);
}

int l3vpn_vrf_dev_init(void)
{
	return rtnl_link_register(&l3vpn_link_ops);
}

void l3vpn_vrf_dev_exit(void)
{
	rtnl_link_unregister(&l3vpn_link_ops);
}
