// SPDX-License-Identifier: GPL-2.0
/*
 * xmit: what becomes of a frame that a driver has refused; see xmit.h.
 */
#include "xmit.h"

void l3vpn_xmit_refused(struct sk_buff *skb, struct net_device *dev)
{
	dev_core_stats_tx_dropped_inc(dev);
	kfree_skb(skb);
}
