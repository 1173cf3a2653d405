// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn: from what user space asks for to a snapshot of a next hop, and back to nothing.
 *
 * The rules of nexthop.h (what may be behind what) are enforced here, for a new next hop and for
 * one that is replaced under those that refer to it.
 */
#include <linux/inetdevice.h>
#include <linux/slab.h>
#include <net/ipv6.h>

#include "neigh.h"
#include "nexthop.h"
#include "nexthop_ctl.h"
#include "object.h"
#include "peer.h"
#include "port.h"
#include "port_ctl.h"
#include "tunnel.h"
#include "vrf.h"

static void l3vpn_nh_data_free(struct work_struct *work)
{
	struct l3vpn_nh_data *data =
		container_of(to_rcu_work(work), struct l3vpn_nh_data, free);

	if (data->kind == L3VPN_NH_KIND_ADJACENCY && data->adj.port) {
		l3vpn_neigh_detach(&data->adj);
		l3vpn_port_put(data->adj.port);
	}
	if (data->kind == L3VPN_NH_KIND_TUNNEL)
		l3vpn_tunnel_detach(&data->tunnel);
	l3vpn_object_gone(L3VPN_COUNT_NH_DATA);
	kfree(data);
}

static struct l3vpn_nh_data *l3vpn_nh_data_alloc(u8 kind, u32 members, gfp_t gfp)
{
	struct l3vpn_nh_data *data;
	size_t size = sizeof(*data);

	size = max(size, offsetof(struct l3vpn_nh_data, group.member) +
			 members * sizeof(struct l3vpn_group_member));
	data = kzalloc(size, gfp | __GFP_ACCOUNT);
	if (!data)
		return NULL;
	data->kind = kind;
	INIT_RCU_WORK(&data->free, l3vpn_nh_data_free);
	l3vpn_object_born(L3VPN_COUNT_NH_DATA);
	return data;
}

void l3vpn_nh_data_release(struct l3vpn_net *ln, struct l3vpn_nh_data *data)
{
	int i;

	switch (data->kind) {
	case L3VPN_NH_KIND_LABELLED:
		data->path.via->via_refs--;
		l3vpn_nh_put(ln, data->path.via);
		break;
	case L3VPN_NH_KIND_EGRESS:
		data->path.via->egress_refs--;
		l3vpn_nh_put(ln, data->path.via);
		break;
	case L3VPN_NH_KIND_GROUP:
		for (i = 0; i < data->group.count; i++) {
			data->group.member[i].nh->member_refs--;
			l3vpn_nh_put(ln, data->group.member[i].nh);
		}
		break;
	case L3VPN_NH_KIND_VRF:
		if (data->vrf)
			data->vrf->refs--;
		break;
	case L3VPN_NH_KIND_TUNNEL:
		l3vpn_peer_put(ln, data->tunnel.peer);
		break;
	}
	queue_rcu_work(l3vpn_wq, &data->free);
}

static int l3vpn_gateway_check(const struct l3vpn_nh_spec *spec, struct netlink_ext_ack *extack)
{
	if (spec->gw_len == 4) {
		__be32 gw = *(const __be32 *)spec->gw;

		if (ipv4_is_zeronet(gw) || ipv4_is_multicast(gw) || ipv4_is_lbcast(gw) ||
		    ipv4_is_loopback(gw)) {
			NL_SET_ERR_MSG(extack, "gateway is not a unicast address of a neighbour");
			return -EINVAL;
		}
	} else if (spec->gw_len == 16) {
		int type = ipv6_addr_type(spec->gw);

		if (!(type & IPV6_ADDR_UNICAST) || (type & (IPV6_ADDR_LOOPBACK | IPV6_ADDR_MAPPED))) {
			NL_SET_ERR_MSG(extack, "gateway is not a unicast address of a neighbour");
			return -EINVAL;
		}
	}
	return 0;
}

static struct l3vpn_nh_data *l3vpn_adj_make(struct l3vpn_port *port, const void *gw, u8 gw_len)
{
	struct l3vpn_nh_data *data = l3vpn_nh_data_alloc(L3VPN_NH_KIND_ADJACENCY, 0, GFP_KERNEL);
	int err;

	if (!data)
		return NULL;
	data->adj.ifindex = port->dev->ifindex;
	data->adj.port = port;
	if (gw_len == 4)
		data->adj.gw_family = AF_INET;
	else if (gw_len == 16)
		data->adj.gw_family = AF_INET6;
	if (gw_len)
		memcpy(&data->adj.gw6, gw, gw_len);

	err = l3vpn_neigh_attach(&data->adj);
	if (err) {
		l3vpn_object_gone(L3VPN_COUNT_NH_DATA);
		kfree(data);
		return NULL;
	}
	l3vpn_port_get(port);
	return data;
}

static struct l3vpn_nh_data *l3vpn_build_adj(struct l3vpn_net *ln,
					     const struct l3vpn_nh_spec *spec,
					     struct netlink_ext_ack *extack)
{
	struct l3vpn_port *port = xa_load(&ln->ports, spec->ifindex);
	struct l3vpn_nh_data *data;
	int err;

	if (!port) {
		NL_SET_ERR_MSG(extack, "interface is not a port");
		return ERR_PTR(-ENODEV);
	}
	err = l3vpn_gateway_check(spec, extack);
	if (err)
		return ERR_PTR(err);
	data = l3vpn_adj_make(port, spec->gw, spec->gw_len);
	return data ? data : ERR_PTR(-ENOMEM);
}

/* Packets leave by it: nothing more is behind. */
static bool l3vpn_kind_is_exit(u8 kind)
{
	return kind == L3VPN_NH_KIND_ADJACENCY || kind == L3VPN_NH_KIND_TUNNEL;
}

/* It may be behind an egress, by itself or as a member of a group. */
static bool l3vpn_kind_is_path(u8 kind)
{
	return l3vpn_kind_is_exit(kind) || kind == L3VPN_NH_KIND_LABELLED ||
	       kind == L3VPN_NH_KIND_UNREACHABLE;
}

static bool l3vpn_kind_is_member(u8 kind)
{
	return l3vpn_kind_is_path(kind) || kind == L3VPN_NH_KIND_EGRESS || kind == L3VPN_NH_KIND_VRF;
}

/* Every member of @group is of a kind that @may. */
static bool l3vpn_group_all(struct l3vpn_net *ln, const struct l3vpn_group *group, bool (*may)(u8 kind))
{
	int i;

	for (i = 0; i < group->count; i++) {
		if (!may(l3vpn_nh_data(ln, group->member[i].nh)->kind))
			return false;
	}
	return true;
}

/* May @data be behind what allows kinds that @may, and groups of these? */
static bool l3vpn_may_follow(struct l3vpn_net *ln, const struct l3vpn_nh_data *data, bool (*may)(u8 kind))
{
	return may(data->kind) ||
	       (data->kind == L3VPN_NH_KIND_GROUP && l3vpn_group_all(ln, &data->group, may));
}

static bool l3vpn_group_has(const struct l3vpn_group *group, const struct l3vpn_nh *nh)
{
	int i;

	for (i = 0; i < group->count; i++) {
		if (group->member[i].nh == nh)
			return true;
	}
	return false;
}

/* LABELLED and EGRESS. */
static struct l3vpn_nh_data *l3vpn_build_path(struct l3vpn_net *ln,
					      const struct l3vpn_nh_spec *spec,
					      const struct l3vpn_nh *self,
					      struct netlink_ext_ack *extack)
{
	bool egress = spec->kind == L3VPN_NH_KIND_EGRESS;
	struct l3vpn_nh *via = l3vpn_nh_find(ln, spec->via);
	struct l3vpn_nh_data *data, *behind;
	int i;

	if (!via) {
		NL_SET_ERR_MSG(extack, "via: no such next hop");
		return ERR_PTR(-ENOENT);
	}
	behind = l3vpn_nh_data(ln, via);
	if (via == self || (self && behind->kind == L3VPN_NH_KIND_GROUP &&
			    l3vpn_group_has(&behind->group, self))) {
		NL_SET_ERR_MSG(extack, "via: the path would lead back to itself");
		return ERR_PTR(-ELOOP);
	}
	if (!l3vpn_may_follow(ln, behind, egress ? l3vpn_kind_is_path : l3vpn_kind_is_exit)) {
		if (egress)
			NL_SET_ERR_MSG(extack, "via: no way to a PE");
		else
			NL_SET_ERR_MSG(extack, "via: neither an adjacency nor a tunnel nor a group of these");
		return ERR_PTR(-EINVAL);
	}

	data = l3vpn_nh_data_alloc(spec->kind, 0, GFP_KERNEL);
	if (!data)
		return ERR_PTR(-ENOMEM);
	data->path.via = via;
	data->path.id = spec->id;
	data->path.count = spec->label_count;
	for (i = 0; i < spec->label_count; i++)
		data->path.lse[i] = cpu_to_be32(spec->labels[i] << MPLS_LS_LABEL_SHIFT);
	l3vpn_nh_hold(via);
	if (egress)
		via->egress_refs++;
	else
		via->via_refs++;
	return data;
}

/* Each of the members [from, to) gets its share of 31 bits, by weight; the last one gets the rest. */
static void l3vpn_group_bounds(struct l3vpn_group *group, int from, int to)
{
	u64 total = 0, sum = 0;
	int i;

	for (i = from; i < to; i++)
		total += group->member[i].weight;
	for (i = from; i < to; i++) {
		sum += group->member[i].weight;
		group->member[i].bound = div64_u64(sum << 31, total) - 1;
	}
}

static int l3vpn_group_member_check(struct l3vpn_net *ln, const struct l3vpn_nh_spec *spec,
				    const struct l3vpn_nh *self, u32 i,
				    struct netlink_ext_ack *extack)
{
	struct l3vpn_nh *nh = l3vpn_nh_find(ln, spec->members[i].nh);
	struct l3vpn_nh_data *data;
	u32 j;

	if (!nh) {
		NL_SET_ERR_MSG_FMT(extack, "member %u: no next hop %u", i, spec->members[i].nh);
		return -ENOENT;
	}
	if (nh == self) {
		NL_SET_ERR_MSG_FMT(extack, "member %u: the group itself", i);
		return -ELOOP;
	}
	for (j = 0; j < i; j++) {
		if (spec->members[j].nh == spec->members[i].nh) {
			NL_SET_ERR_MSG_FMT(extack, "member %u: the same next hop as member %u", i, j);
			return -EINVAL;
		}
	}
	data = l3vpn_nh_data(ln, nh);
	if (!l3vpn_kind_is_member(data->kind)) {
		NL_SET_ERR_MSG_FMT(extack, "member %u: of a kind that cannot be in a group", i);
		return -EINVAL;
	}
	if (self && self->via_refs && !l3vpn_kind_is_exit(data->kind)) {
		bool loop = data->kind == L3VPN_NH_KIND_LABELLED && data->path.via == self;

		NL_SET_ERR_MSG_FMT(extack, "member %u: no adjacency, no tunnel, but paths lead to this group", i);
		return loop ? -ELOOP : -EINVAL;
	}
	if (self && self->egress_refs && !l3vpn_kind_is_path(data->kind)) {
		bool loop = data->kind == L3VPN_NH_KIND_EGRESS && data->path.via == self;

		NL_SET_ERR_MSG_FMT(extack, "member %u: no way to a PE, but egresses lead to this group", i);
		return loop ? -ELOOP : -EINVAL;
	}
	return 0;
}

static struct l3vpn_nh_data *l3vpn_build_group(struct l3vpn_net *ln,
					       const struct l3vpn_nh_spec *spec,
					       const struct l3vpn_nh *self,
					       struct netlink_ext_ack *extack)
{
	struct l3vpn_nh_data *data;
	struct l3vpn_group *group;
	u32 i, active = 0, at[2];
	int err;

	for (i = 0; i < spec->member_count; i++) {
		err = l3vpn_group_member_check(ln, spec, self, i, extack);
		if (err)
			return ERR_PTR(err);
		if (!(spec->members[i].flags & L3VPN_MEMBER_FLAG_BACKUP))
			active++;
	}
	if (!active) {
		NL_SET_ERR_MSG(extack, "members: all are backups");
		return ERR_PTR(-EINVAL);
	}

	data = l3vpn_nh_data_alloc(L3VPN_NH_KIND_GROUP, spec->member_count, GFP_KERNEL);
	if (!data)
		return ERR_PTR(-ENOMEM);
	group = &data->group;
	group->count = spec->member_count;
	group->active = active;
	at[0] = 0;
	at[1] = active;
	for (i = 0; i < spec->member_count; i++) {
		const struct l3vpn_nh_member *from = &spec->members[i];
		bool backup = from->flags & L3VPN_MEMBER_FLAG_BACKUP;
		u32 to = at[backup]++;

		group->order[i] = to;
		group->member[to].nh = l3vpn_nh_find(ln, from->nh);
		group->member[to].weight = from->weight;
		group->member[to].backup = backup;
		group->member[to].onward = from->flags & L3VPN_MEMBER_FLAG_ONWARD;
		group->member[to].local = from->flags & L3VPN_MEMBER_FLAG_LOCAL;
		group->member[to].nh->member_refs++;
		l3vpn_nh_hold(group->member[to].nh);
	}
	l3vpn_group_bounds(group, 0, active);
	l3vpn_group_bounds(group, active, group->count);
	return data;
}

static struct l3vpn_nh_data *l3vpn_build_vrf(struct l3vpn_net *ln,
					     const struct l3vpn_nh_spec *spec,
					     struct netlink_ext_ack *extack)
{
	struct l3vpn_vrf *vrf = l3vpn_vrf_find(ln, spec->vrf);
	struct l3vpn_nh_data *data;

	if (!vrf) {
		NL_SET_ERR_MSG(extack, "no such VRF");
		return ERR_PTR(-ENOENT);
	}
	data = l3vpn_nh_data_alloc(L3VPN_NH_KIND_VRF, 0, GFP_KERNEL);
	if (!data)
		return ERR_PTR(-ENOMEM);
	data->vrf = vrf;
	data->vrf_id = vrf->id;
	vrf->refs++;
	return data;
}

/* The ends have been checked (netlink_nh.c); whether there is a route shows with each packet. */
static struct l3vpn_nh_data *l3vpn_build_tunnel(struct l3vpn_net *ln, const struct l3vpn_nh_spec *spec)
{
	u8 family = spec->end_len == 4 ? AF_INET : AF_INET6;
	struct l3vpn_tunnel *tunnel;
	struct l3vpn_nh_data *data;

	data = l3vpn_nh_data_alloc(L3VPN_NH_KIND_TUNNEL, 0, GFP_KERNEL);
	if (!data)
		return ERR_PTR(-ENOMEM);
	tunnel = &data->tunnel;
	tunnel->ln = ln;
	tunnel->id = spec->id;
	tunnel->encap = spec->encap;
	tunnel->family = family;
	tunnel->checksum = spec->checksum;
	tunnel->dport = spec->dport;
	memcpy(&tunnel->local, spec->local, spec->end_len);
	tunnel->peer = l3vpn_peer_get(ln, family, spec->remote);
	if (!tunnel->peer)
		goto err_data;
	if (l3vpn_tunnel_attach(tunnel))
		goto err_peer;
	return data;

err_peer:
	l3vpn_peer_put(ln, tunnel->peer);
err_data:
	l3vpn_object_gone(L3VPN_COUNT_NH_DATA);
	kfree(data);
	return ERR_PTR(-ENOMEM);
}

/* Does @group, that paths or egresses lead to or not, allow a member of this kind? */
static bool l3vpn_group_allows(const struct l3vpn_nh *group, u8 kind)
{
	if (group->via_refs)
		return l3vpn_kind_is_exit(kind);
	return group->egress_refs ? l3vpn_kind_is_path(kind) : l3vpn_kind_is_member(kind);
}

/*
 * @self, of another kind so far, becomes of kind @kind: do those next hops that refer to it allow
 * that? Rare but for the way to a PE, which is in no group, so a walk over all of them serves.
 */
static int l3vpn_users_check(struct l3vpn_net *ln, const struct l3vpn_nh *self, u8 kind,
			     struct netlink_ext_ack *extack)
{
	struct l3vpn_nh *user;
	unsigned long id;

	if (self->egress_refs && !l3vpn_kind_is_path(kind) && kind != L3VPN_NH_KIND_GROUP) {
		NL_SET_ERR_MSG(extack, "kind: egresses lead here and do not allow it");
		return -EBUSY;
	}
	if (!self->member_refs && !self->via_refs)
		return 0;
	xa_for_each(&ln->nhs, id, user) {
		const struct l3vpn_nh_data *data = l3vpn_nh_data(ln, user);

		if (data->kind == L3VPN_NH_KIND_LABELLED && data->path.via == self &&
		    !l3vpn_kind_is_exit(kind) && kind != L3VPN_NH_KIND_GROUP) {
			NL_SET_ERR_MSG_FMT(extack, "kind: path %u leads here and does not allow it",
					   user->id);
			return -EBUSY;
		}
		if (data->kind == L3VPN_NH_KIND_GROUP && l3vpn_group_has(&data->group, self) &&
		    !l3vpn_group_allows(user, kind)) {
			NL_SET_ERR_MSG_FMT(extack, "kind: group %u has it and does not allow it",
					   user->id);
			return -EBUSY;
		}
	}
	return 0;
}

struct l3vpn_nh_data *l3vpn_nh_build(struct l3vpn_net *ln, const struct l3vpn_nh_spec *spec,
				     const struct l3vpn_nh *self,
				     struct netlink_ext_ack *extack)
{
	struct l3vpn_nh_data *data;

	if (self && self->refs && l3vpn_nh_data(ln, self)->kind != spec->kind) {
		int err = l3vpn_users_check(ln, self, spec->kind, extack);

		if (err)
			return ERR_PTR(err);
	}

	switch (spec->kind) {
	case L3VPN_NH_KIND_ADJACENCY:
		return l3vpn_build_adj(ln, spec, extack);
	case L3VPN_NH_KIND_LABELLED:
	case L3VPN_NH_KIND_EGRESS:
		return l3vpn_build_path(ln, spec, self, extack);
	case L3VPN_NH_KIND_GROUP:
		return l3vpn_build_group(ln, spec, self, extack);
	case L3VPN_NH_KIND_VRF:
		return l3vpn_build_vrf(ln, spec, extack);
	case L3VPN_NH_KIND_TUNNEL:
		return l3vpn_build_tunnel(ln, spec);
	default:
		data = l3vpn_nh_data_alloc(spec->kind, 0, GFP_KERNEL);
		return data ? data : ERR_PTR(-ENOMEM);
	}
}

struct l3vpn_nh_data *l3vpn_nh_build_connected(struct l3vpn_port *port)
{
	return l3vpn_adj_make(port, NULL, 0);
}

/* What @data is when it leads nowhere any more: same configuration, no port, no VRF. */
struct l3vpn_nh_data *l3vpn_nh_build_dead(const struct l3vpn_nh_data *data)
{
	struct l3vpn_nh_data *dead;

	dead = l3vpn_nh_data_alloc(data->kind, 0, GFP_KERNEL | __GFP_NOFAIL);
	if (data->kind == L3VPN_NH_KIND_ADJACENCY) {
		dead->adj.ifindex = data->adj.ifindex;
		dead->adj.gw_family = data->adj.gw_family;
		dead->adj.gw6 = data->adj.gw6;
	} else {
		dead->vrf_id = data->vrf_id;
	}
	return dead;
}
