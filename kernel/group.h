/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: from a next hop to a way out. Private to the data plane.
 *
 * Implemented by: group.c. Called by: forward.c, mpls.c. Inside rcu_read_lock.
 */
#ifndef _L3VPN_GROUP_H
#define _L3VPN_GROUP_H

#include "nexthop.h"
#include "packet.h"
#include "send.h"

/* As l3vpn_way_of(), through groups too. */
void l3vpn_follow(const struct sk_buff *skb, struct l3vpn_pkt *pkt, const struct l3vpn_nh *nh,
		  struct l3vpn_way *way);

/*
 * Follow @nh through groups and at most one path to a way out: sets way->path, way->adj, way->nh.
 * @skb is hashed, into @pkt, when the first group is met.
 */
static inline void l3vpn_way_of(const struct sk_buff *skb, struct l3vpn_pkt *pkt,
				const struct l3vpn_nh *nh, struct l3vpn_way *way)
{
	const struct l3vpn_nh *via = nh;
	const struct l3vpn_nh_data *data = l3vpn_nh_rcu(nh);

	way->path = NULL;
	if (data->kind == L3VPN_NH_KIND_LABELLED) {
		way->path = &data->path;
		via = data->path.via;
		data = l3vpn_nh_rcu(via);
	}
	if (unlikely(data->kind == L3VPN_NH_KIND_GROUP)) {
		l3vpn_follow(skb, pkt, nh, way);
		return;
	}
	way->adj = data->kind == L3VPN_NH_KIND_ADJACENCY ? &data->adj : NULL;
	way->nh = via;
}

#endif /* _L3VPN_GROUP_H */
