/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: hand a complete frame to a device.
 *
 * Implemented by: xmit.c (data plane). Called by: neigh.h. Inside rcu_read_lock, bottom halves off.
 *
 * dev_queue_xmit() is right for every device. A virtual one, without queue and without transmit lock
 * (VLAN, bond, bridge, veth), has nobody to ask on the way to its driver, and gets an ordinary frame
 * from here without the detour, which costs as much as all our forwarding. As soon as there is
 * somebody (a qdisc, a filter at egress, a tap), or the frame needs more than to be handed over
 * (segmentation, a checksum, linearising, a tag), it goes the general way.
 *
 * Nothing here counts how deep devices are stacked (dev_xmit_recursion_inc() is not for modules): a frame that
 * comes back to us through a loop of devices does so through an ordinary dev_queue_xmit() of the VRF's device, or
 * through a queue of received packets, and TTL and the count of VRFs end it. The tracepoints net:net_dev_queue
 * and net:net_dev_xmit do not show frames that go this way; l3vpn's own do (tracepoints.h).
 */
#ifndef _L3VPN_XMIT_H
#define _L3VPN_XMIT_H

#include <linux/if_vlan.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <net/sch_generic.h>

/* The driver of @dev had no room for @skb: counted as dropped by @dev, and freed. */
void l3vpn_xmit_refused(struct sk_buff *skb, struct net_device *dev);

/* Is there nobody between a frame and the driver of @dev? */
static __always_inline bool l3vpn_xmit_is_direct(struct net_device *dev,
						 const struct netdev_queue *txq)
{
	return dev->real_num_tx_queues == 1 && l3vpn_compat_dev_is_lltx(dev) &&
	       !rcu_dereference(txq->qdisc)->enqueue && !l3vpn_compat_dev_has_egress(dev) &&
	       !dev_nit_active(dev) && !netif_xmit_stopped(txq);
}

/* Does @skb need nothing but to be handed over? Its dst has been dropped. */
static __always_inline bool l3vpn_xmit_is_plain(const struct sk_buff *skb)
{
	return skb->ip_summed != CHECKSUM_PARTIAL && !skb_is_nonlinear(skb) &&
	       !skb_is_gso(skb) && !skb_vlan_tag_present(skb) && !skb->sk && !skb_sec_path(skb);
}

/* Send @skb, from its link layer header on, by skb->dev, which is up. Consumes it. */
static __always_inline void l3vpn_xmit(struct sk_buff *skb)
{
	struct net_device *dev = skb->dev;
	struct netdev_queue *txq = netdev_get_tx_queue(dev, 0);

	if (unlikely(!l3vpn_xmit_is_plain(skb) || !l3vpn_xmit_is_direct(dev, txq))) {
		dev_queue_xmit(skb);
		return;
	}
	skb_reset_mac_header(skb);
	skb_set_queue_mapping(skb, 0);
#ifdef CONFIG_NET_CLS_ACT
	skb->tc_at_ingress = 0;
#endif
	if (unlikely(netdev_start_xmit(skb, dev, txq, false) == NETDEV_TX_BUSY))
		l3vpn_xmit_refused(skb, dev);
}

#endif /* _L3VPN_XMIT_H */
