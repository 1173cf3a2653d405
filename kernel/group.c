// SPDX-License-Identifier: GPL-2.0
/*
 * group: from a next hop to a way out: which member of a group a flow takes, which backup when that
 * one cannot forward. What makes a member unable to is looked at for each packet, so a failure
 * takes effect with the next packet, however many routes lead there.
 */
#include <linux/rcupdate.h>
#include "flow.h"
#include "forward.h"
#include "group.h"
#include "neigh.h"

#define REHASHES	4	/* further tries for a member that can forward, before they are counted */

static bool nh_dead(const struct l3vpn_nh *nh)
{
	const struct l3vpn_nh_data *data = l3vpn_nh_rcu(nh);
	unsigned int i;

	if (data->kind == L3VPN_NH_KIND_LABELLED)
		data = l3vpn_nh_rcu(data->path.via);
	if (data->kind == L3VPN_NH_KIND_ADJACENCY)
		return l3vpn_adj_dead(&data->adj);
	if (data->kind != L3VPN_NH_KIND_GROUP)
		return false;
	for (i = 0; i < data->group.count; i++) {	/* a path's group: of adjacencies alone */
		const struct l3vpn_nh_data *member = l3vpn_nh_rcu(data->group.member[i].nh);

		if (member->kind != L3VPN_NH_KIND_ADJACENCY || !l3vpn_adj_dead(&member->adj))
			return false;
	}
	return true;
}

static u32 rehash(u32 hash)
{
	hash ^= hash >> 16;
	hash *= 0x7feb352d;
	hash ^= hash >> 15;
	hash *= 0x846ca68b;
	return hash ^ hash >> 16;
}

/*
 * A member of @n from @member on that can forward: by hash threshold, and when that one cannot, by
 * further hashes, so that its share goes to all others and theirs stays where it is. NULL: none can.
 */
static const struct l3vpn_nh *choose_among(const struct l3vpn_group_member *member, unsigned int n,
					   u32 hash)
{
	unsigned int i, try;

	for (try = 0; try <= REHASHES && n; try++) {
		for (i = 0; i < n - 1 && hash >> 1 > member[i].bound; i++)
			;
		if (!nh_dead(member[i].nh))
			return member[i].nh;
		hash = rehash(hash);
	}
	for (i = 0; i < n; i++)
		if (!nh_dead(member[i].nh))
			return member[i].nh;
	return NULL;
}

static const struct l3vpn_nh *choose(const struct l3vpn_group *group, u32 hash)
{
	const struct l3vpn_nh *nh = choose_among(group->member, group->active, hash);

	if (!nh)
		nh = choose_among(group->member + group->active, group->count - group->active, hash);
	return nh ? nh : group->member[0].nh;
}

/*
 * Follow @nh through groups and at most one path. @skb, when not NULL, is hashed when the first
 * group is met, and @hash then keeps it (*@hashed).
 */
static void follow(const struct l3vpn_nh *nh, const struct sk_buff *skb, u32 *hash, bool *hashed,
		   struct l3vpn_way *way)
{
	const struct l3vpn_nh_data *data;
	u32 spread = 0;

	way->path = NULL;
	way->adj = NULL;
	for (;;) {
		data = l3vpn_nh_rcu(nh);
		switch (data->kind) {
		case L3VPN_NH_KIND_GROUP:
			if (!*hashed) {
				*hash = l3vpn_flow_hash_skb(skb);
				*hashed = true;
			}
			/* a group behind a group must not repeat its choice */
			spread = spread ? rehash(spread + 1) : *hash;
			nh = choose(&data->group, spread);
			continue;
		case L3VPN_NH_KIND_LABELLED:
			way->path = &data->path;
			nh = data->path.via;
			continue;
		case L3VPN_NH_KIND_ADJACENCY:
			way->adj = &data->adj;
			fallthrough;
		default:
			way->nh = nh;
			return;
		}
	}
}

void l3vpn_follow(const struct sk_buff *skb, struct l3vpn_pkt *pkt, const struct l3vpn_nh *nh,
		  struct l3vpn_way *way)
{
	follow(nh, skb, &pkt->hash, &pkt->hashed, way);
}

const struct l3vpn_nh *l3vpn_forward_member_rcu(const struct l3vpn_nh *nh, u32 hash)
{
	struct l3vpn_way way = {};
	bool hashed = true;

	follow(nh, NULL, &hash, &hashed, &way);
	return way.nh;
}
