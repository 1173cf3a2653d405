// SPDX-License-Identifier: GPL-2.0
/*
 * group: from a next hop to a way out: which member of a group a flow takes, and which backup when
 * that one cannot forward (PIC core and edge, fast reroute).
 *
 * What makes a member unable is looked at for each packet, where it is true: the port, its carrier,
 * the neighbour entry, the state that user space has set. So a failure takes effect with the next
 * packet, without a message and however many routes lead there; and a member that comes back is
 * used again with the first packet that it can send at once, not earlier.
 *
 * RFC 2992 (hash threshold) for the shares. A member that fails is replaced by hashing again, so
 * that its flows go to all others by their weights, and theirs stay where they are.
 */
#include <linux/rcupdate.h>
#include "flow.h"
#include "forward.h"
#include "group.h"
#include "neigh.h"
#include "tunnel.h"

#define REHASHES	8	/* further tries for a member that can forward, before they are counted */

/* How much is asked of a member, from best to worst. */
enum ask {
	ASK_READY,		/* packets can leave at once, and nobody said that it is down */
	ASK_HOPE,		/* not known to be dead: packets wait for the neighbour */
	ASK_ANYTHING,		/* likewise, though it was said to be down */
	ASKS
};

static bool adj_can(const struct l3vpn_adj *adj, enum ask ask)
{
	return ask == ASK_READY ? l3vpn_adj_ready(adj) : !l3vpn_adj_dead(adj);
}

/*
 * To what nothing is behind. A tunnel can forward where there is a route to its far end; who answers on the
 * way there is not known.
 */
static bool end_can(const struct l3vpn_nh_data *data, enum ask ask)
{
	switch (data->kind) {
	case L3VPN_NH_KIND_ADJACENCY:
		return adj_can(&data->adj, ask);
	case L3VPN_NH_KIND_TUNNEL:
		return l3vpn_tunnel_resolved(&data->tunnel);
	case L3VPN_NH_KIND_VRF:
		return data->vrf;
	default:
		return data->kind != L3VPN_NH_KIND_UNREACHABLE;
	}
}

static bool said_down(const struct l3vpn_nh *nh, enum ask ask)
{
	return ask != ASK_ANYTHING && READ_ONCE(nh->down);
}

/* A group behind a path: adjacencies and tunnels alone. */
static bool any_end_can(const struct l3vpn_group *group, enum ask ask)
{
	unsigned int i;

	for (i = 0; i < group->count; i++) {
		const struct l3vpn_nh *nh = group->member[i].nh;

		if (!said_down(nh, ask) && end_can(l3vpn_nh_rcu(nh), ask))
			return true;
	}
	return false;
}

/* A path, or what nothing is behind. */
static bool path_can(const struct l3vpn_nh *nh, enum ask ask)
{
	const struct l3vpn_nh_data *data = l3vpn_nh_rcu(nh);

	if (said_down(nh, ask))
		return false;
	if (data->kind == L3VPN_NH_KIND_LABELLED) {
		nh = data->path.via;
		data = l3vpn_nh_rcu(nh);
		if (said_down(nh, ask))
			return false;
	}
	return data->kind == L3VPN_NH_KIND_GROUP ? any_end_can(&data->group, ask) : end_can(data, ask);
}

/* A group behind an egress. */
static bool any_path_can(const struct l3vpn_group *group, enum ask ask)
{
	unsigned int i;

	for (i = 0; i < group->count; i++) {
		if (path_can(group->member[i].nh, ask))
			return true;
	}
	return false;
}

/* Can a member forward? */
static bool nh_can(const struct l3vpn_nh *nh, enum ask ask)
{
	const struct l3vpn_nh_data *data = l3vpn_nh_rcu(nh);

	if (likely(data->kind != L3VPN_NH_KIND_EGRESS))
		return path_can(nh, ask);
	if (said_down(nh, ask) || said_down(data->path.via, ask))
		return false;
	nh = data->path.via;
	data = l3vpn_nh_rcu(nh);
	return data->kind == L3VPN_NH_KIND_GROUP ? any_path_can(&data->group, ask) : path_can(nh, ask);
}

/* To what nothing is behind: is it into the core? A tunnel always is. */
static bool exit_is_core(const struct l3vpn_nh_data *data)
{
	return data->kind == L3VPN_NH_KIND_TUNNEL ||
	       (data->kind == L3VPN_NH_KIND_ADJACENCY && data->adj.port &&
		data->adj.port->kind == L3VPN_PORT_KIND_CORE);
}

/* Does a member lead into the core, by any way? */
static bool leads_to_core(const struct l3vpn_nh *nh)
{
	const struct l3vpn_nh_data *data = l3vpn_nh_rcu(nh);
	unsigned int i;

	if (data->kind == L3VPN_NH_KIND_EGRESS)
		return true;
	if (data->kind == L3VPN_NH_KIND_LABELLED)
		data = l3vpn_nh_rcu(data->path.via);
	if (data->kind == L3VPN_NH_KIND_GROUP) {
		for (i = 0; i < data->group.count; i++) {
			if (exit_is_core(l3vpn_nh_rcu(data->group.member[i].nh)))
				return true;
		}
		return false;
	}
	return exit_is_core(data);
}

static u32 rehash(u32 hash)
{
	hash ^= hash >> 16;
	hash *= 0x7feb352d;
	hash ^= hash >> 15;
	hash *= 0x846ca68b;
	return hash ^ hash >> 16;
}

/* What a choice is among, and for whom. */
struct choice {
	const struct l3vpn_group *group;
	u32 hash;
	bool from_core;		/* no local member, and no backup into the core but those that lead onward */
};

static bool may_take(const struct choice *c, const struct l3vpn_group_member *member, enum ask ask)
{
	if (!nh_can(member->nh, ask))
		return false;
	return !c->from_core || (!member->local && (!member->backup || member->onward ||
						    !leads_to_core(member->nh)));
}

/* A member from @from on, @n in all, that can forward; NULL: none can. */
static const struct l3vpn_nh *choose_among(const struct choice *c, unsigned int from,
					   unsigned int n, enum ask ask)
{
	const struct l3vpn_group_member *member = c->group->member + from;
	u32 hash = c->hash;
	unsigned int i, try;

	if (!n)
		return NULL;
	for (try = 0; try <= REHASHES; try++) {
		for (i = 0; i < n - 1 && hash >> 1 > member[i].bound; i++)
			;
		if (likely(may_take(c, &member[i], ask)))
			return member[i].nh;
		hash = rehash(hash);
	}
	for (i = 0; i < n; i++)
		if (may_take(c, &member[i], ask))
			return member[i].nh;
	return NULL;
}

/* The only member that is no backup, where it can send at once: flows need not be told apart. Else NULL. */
static const struct l3vpn_nh *lone(const struct l3vpn_group *group, bool from_core)
{
	const struct choice c = { .group = group, .from_core = from_core };

	return group->active == 1 && may_take(&c, &group->member[0], ASK_READY) ? group->member[0].nh : NULL;
}

/* A member of @group; NULL: only those are left that a packet from the core may not take. */
static const struct l3vpn_nh *choose(const struct l3vpn_group *group, u32 hash, bool from_core)
{
	const struct choice c = { .group = group, .hash = hash, .from_core = from_core };
	const struct l3vpn_nh *nh;
	enum ask ask;
	unsigned int i;

	for (ask = ASK_READY; ask < ASKS; ask++) {
		nh = choose_among(&c, 0, group->active, ask);
		if (!nh)
			nh = choose_among(&c, group->active, group->count - group->active, ask);
		if (nh)
			return nh;
	}
	for (i = 0; from_core && i < group->count; i++)
		if (nh_can(group->member[i].nh, ASK_ANYTHING))
			return NULL;
	return group->member[0].nh;
}

/*
 * @hash: of the flow; with @skb it is made, in @pkt, when the first group is met.
 *
 * A packet that came into a VRF from the core may leave into the core again, as a hub's VRF wants,
 * but not by a backup of the group that its route or label leads to: the PE that is the backup may
 * have sent it here as its own backup. Unless user space knows that it does not, and has said so (onward). Nor by a
 * member that is for others alone (local): a site's other PE, which shares its packets with us.
 * Where the packet has its VPN label, from the route or an egress, or the group is behind a path, all members lead to
 * the one PE that gave the label, so backups are other ways to it.
 */
static void follow(const struct sk_buff *skb, struct l3vpn_pkt *pkt, u32 hash,
		   const struct l3vpn_nh *nh, struct l3vpn_way *way)
{
	bool from_core = pkt && pkt->vrf && pkt->in && pkt->in->kind == L3VPN_PORT_KIND_CORE;
	const struct l3vpn_nh_data *data;
	const struct l3vpn_nh *member;
	bool again = false, core;

	way->path = NULL;
	way->egress = NULL;
	way->adj = NULL;
	for (;;) {
		way->nh = nh;
		data = l3vpn_nh_rcu(nh);
		switch (data->kind) {
		case L3VPN_NH_KIND_GROUP:
			core = from_core && !way->path && !way->has_inner;
			member = lone(&data->group, core);
			if (likely(member)) {
				nh = member;
				continue;
			}
			if (pkt && !pkt->hashed) {
				pkt->hash = l3vpn_flow_hash_skb(skb);
				pkt->hashed = true;
			}
			if (again)	/* a group behind a group must not repeat its choice */
				hash = rehash(hash + 1);
			else if (pkt)
				hash = pkt->hash;
			again = true;
			member = choose(&data->group, hash, core);
			if (!member)
				return;
			nh = member;
			continue;
		case L3VPN_NH_KIND_EGRESS:
			if (way->has_inner)
				return;		/* two labels for two PEs */
			if (pkt)
				l3vpn_tally_add(data->tally, pkt->segments, skb->len);
			way->egress = &data->path;
			way->inner = data->path.lse[0];
			way->has_inner = true;
			nh = data->path.via;
			continue;
		case L3VPN_NH_KIND_LABELLED:
			way->path = &data->path;
			nh = data->path.via;
			continue;
		case L3VPN_NH_KIND_ADJACENCY:
			way->adj = &data->adj;
			fallthrough;
		default:
			return;
		}
	}
}

void l3vpn_follow(const struct sk_buff *skb, struct l3vpn_pkt *pkt, const struct l3vpn_nh *nh,
		  struct l3vpn_way *way)
{
	follow(skb, pkt, 0, nh, way);
}

const struct l3vpn_nh *l3vpn_forward_member_rcu(const struct l3vpn_nh *nh, u32 hash)
{
	struct l3vpn_way way = {};

	follow(NULL, NULL, hash, nh, &way);
	return way.nh;
}

u64 l3vpn_group_in_use_rcu(const struct l3vpn_group *group)
{
	unsigned int i, backup;
	enum ask ask;
	u64 mask = 0;

	for (ask = ASK_READY; ask < ASKS; ask++) {
		for (backup = 0; backup < 2; backup++) {
			for (i = 0; i < group->count; i++) {
				const struct l3vpn_group_member *m = &group->member[group->order[i]];

				if (m->backup == backup && nh_can(m->nh, ask))
					mask |= BIT_ULL(i);
			}
			if (mask)
				return mask;
		}
	}
	return 0;
}
