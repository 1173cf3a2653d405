/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: from a next hop to a way out. Private to the data plane.
 *
 * Implemented by: group.c. Called by: forward.c, mpls.c; netlink_nh.c. Inside rcu_read_lock.
 */
#ifndef _L3VPN_GROUP_H
#define _L3VPN_GROUP_H

#include "nexthop.h"
#include "packet.h"
#include "send.h"

/* As l3vpn_way_of(), through groups too. */
void l3vpn_follow(const struct sk_buff *skb, struct l3vpn_pkt *pkt, const struct l3vpn_nh *nh,
		  struct l3vpn_way *way);

/* Any context. Bit i: member i, in user space's order, takes flows now. */
u64 l3vpn_group_in_use_rcu(const struct l3vpn_group *group);

/*
 * Follow @nh through groups, at most one egress and at most one path to a way out: sets way->path, way->egress,
 * way->adj, way->nh; with an egress also way->inner and way->has_inner, which have been set before.
 * @skb is hashed, into @pkt, when the first group is met. way->nh of kind GROUP: no member may take
 * this packet, drop with L3VPN_DROP_CORE_LOOP.
 */
static inline void l3vpn_way_of(const struct sk_buff *skb, struct l3vpn_pkt *pkt,
				const struct l3vpn_nh *nh, struct l3vpn_way *way)
{
	const struct l3vpn_nh *via = nh;
	const struct l3vpn_nh_data *data = l3vpn_nh_rcu(nh);

	way->path = NULL;
	way->egress = NULL;
	if (data->kind == L3VPN_NH_KIND_LABELLED) {
		way->path = &data->path;
		via = data->path.via;
		data = l3vpn_nh_rcu(via);
	}
	if (unlikely(data->kind == L3VPN_NH_KIND_GROUP || data->kind == L3VPN_NH_KIND_EGRESS)) {
		l3vpn_follow(skb, pkt, nh, way);
		return;
	}
	way->adj = data->kind == L3VPN_NH_KIND_ADJACENCY ? &data->adj : NULL;
	way->nh = via;
}

#endif /* _L3VPN_GROUP_H */
