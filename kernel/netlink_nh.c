// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn: NH_NEW, NH_DEL, NH_GET, NH_STATE.
 */
#include <linux/rtnetlink.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "event.h"
#include "group.h"
#include "netlink.h"
#include "nexthop.h"
#include "nexthop_ctl.h"
#include "peer.h"
#include "tunnel.h"
#include "vrf.h"

const struct nla_policy l3vpn_nh_new_policy[L3VPN_NH_CHECKSUM + 1] = {
	[L3VPN_NH_ID]		= NLA_POLICY_FULL_RANGE(NLA_U32, &l3vpn_range_nh),
	[L3VPN_NH_KIND]		= NLA_POLICY_RANGE(NLA_U8, L3VPN_NH_KIND_ADJACENCY,
						   L3VPN_NH_KIND_MAX),
	[L3VPN_NH_IFINDEX]	= NLA_POLICY_MIN(NLA_S32, 1),
	[L3VPN_NH_GATEWAY]	= { .type = NLA_BINARY, .len = 16 },
	[L3VPN_NH_VIA]		= NLA_POLICY_FULL_RANGE(NLA_U32, &l3vpn_range_nh),
	[L3VPN_NH_LABELS]	= { .type = NLA_BINARY, .len = L3VPN_LABELS_MAX * sizeof(u32) },
	[L3VPN_NH_MEMBERS]	= { .type = NLA_BINARY,
				    .len = L3VPN_GROUP_MAX * sizeof(struct l3vpn_nh_member) },
	[L3VPN_NH_VRF]		= NLA_POLICY_FULL_RANGE(NLA_U32, &l3vpn_range_vrf),
	[L3VPN_NH_ENCAP]	= NLA_POLICY_RANGE(NLA_U8, L3VPN_ENCAP_UDP, L3VPN_ENCAP_MAX),
	[L3VPN_NH_LOCAL]	= { .type = NLA_BINARY, .len = 16 },
	[L3VPN_NH_REMOTE]	= { .type = NLA_BINARY, .len = 16 },
	[L3VPN_NH_DPORT]	= NLA_POLICY_MIN(NLA_U16, 1),
	[L3VPN_NH_CHECKSUM]	= NLA_POLICY_MAX(NLA_U8, 1),
};

const struct nla_policy l3vpn_nh_key_policy[L3VPN_NH_ID + 1] = {
	[L3VPN_NH_ID]		= NLA_POLICY_FULL_RANGE(NLA_U32, &l3vpn_range_nh),
};

const struct nla_policy l3vpn_nh_state_policy[L3VPN_NH_DOWN + 1] = {
	[L3VPN_NH_ID]		= NLA_POLICY_FULL_RANGE(NLA_U32, &l3vpn_range_nh),
	[L3VPN_NH_DOWN]		= NLA_POLICY_RANGE(NLA_U8, 0, 1),
};

#define L3VPN_MEMBER_FLAGS (L3VPN_MEMBER_FLAG_BACKUP | L3VPN_MEMBER_FLAG_ONWARD | L3VPN_MEMBER_FLAG_LOCAL)

/* Which attributes a kind needs, and which it allows besides. */
static const struct {
	u32 need;
	u32 allow;
} l3vpn_nh_kinds[L3VPN_NH_KIND_MAX + 1] = {
	[L3VPN_NH_KIND_ADJACENCY] = { BIT(L3VPN_NH_IFINDEX), BIT(L3VPN_NH_GATEWAY) },
	[L3VPN_NH_KIND_LABELLED] = { BIT(L3VPN_NH_VIA) | BIT(L3VPN_NH_LABELS), 0 },
	[L3VPN_NH_KIND_EGRESS] = { BIT(L3VPN_NH_VIA) | BIT(L3VPN_NH_LABELS), 0 },
	[L3VPN_NH_KIND_GROUP] = { BIT(L3VPN_NH_MEMBERS), 0 },
	[L3VPN_NH_KIND_VRF] = { BIT(L3VPN_NH_VRF), 0 },
	[L3VPN_NH_KIND_TUNNEL] = { BIT(L3VPN_NH_ENCAP) | BIT(L3VPN_NH_LOCAL) | BIT(L3VPN_NH_REMOTE),
				   BIT(L3VPN_NH_DPORT) | BIT(L3VPN_NH_CHECKSUM) },
};

static const char * const l3vpn_nh_attrs[L3VPN_NH_CHECKSUM + 1] = {
	[L3VPN_NH_IFINDEX]	= "interface index",
	[L3VPN_NH_GATEWAY]	= "gateway",
	[L3VPN_NH_VIA]		= "via",
	[L3VPN_NH_LABELS]	= "labels",
	[L3VPN_NH_MEMBERS]	= "members",
	[L3VPN_NH_VRF]		= "VRF",
	[L3VPN_NH_ENCAP]	= "encapsulation",
	[L3VPN_NH_LOCAL]	= "local address",
	[L3VPN_NH_REMOTE]	= "remote address",
	[L3VPN_NH_DPORT]	= "destination port",
	[L3VPN_NH_CHECKSUM]	= "checksum",
};

static int l3vpn_nh_attrs_check(struct genl_info *info, u8 kind)
{
	int attr;

	for (attr = L3VPN_NH_IFINDEX; attr <= L3VPN_NH_CHECKSUM; attr++) {
		bool need = l3vpn_nh_kinds[kind].need & BIT(attr);
		bool allow = need || (l3vpn_nh_kinds[kind].allow & BIT(attr));

		if (need && !info->attrs[attr])
			return l3vpn_nl_missing(info, attr, l3vpn_nh_attrs[attr]);
		if (!allow && info->attrs[attr]) {
			NL_SET_BAD_ATTR(info->extack, info->attrs[attr]);
			NL_SET_ERR_MSG_FMT(info->extack, "this kind of next hop has no %s",
					   l3vpn_nh_attrs[attr]);
			return -EINVAL;
		}
	}
	return 0;
}

static int l3vpn_nh_parse_gateway(struct genl_info *info, struct l3vpn_nh_spec *spec)
{
	struct nlattr *nla = info->attrs[L3VPN_NH_GATEWAY];

	if (!nla)
		return 0;
	spec->gw = nla_data(nla);
	spec->gw_len = nla_len(nla);
	if (spec->gw_len == 4 || spec->gw_len == 16)
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, nla, "a gateway has 4 or 16 octets");
	return -EINVAL;
}

static int l3vpn_nh_parse_labels(struct genl_info *info, struct l3vpn_nh_spec *spec)
{
	struct nlattr *nla = info->attrs[L3VPN_NH_LABELS];
	u32 i;

	if (!nla)
		return 0;
	if (nla_len(nla) % sizeof(u32)) {
		NL_SET_ERR_MSG_ATTR(info->extack, nla, "labels have 4 octets each");
		return -EINVAL;
	}
	spec->labels = nla_data(nla);
	spec->label_count = nla_len(nla) / sizeof(u32);
	if (spec->kind == L3VPN_NH_KIND_EGRESS && spec->label_count != 1) {
		NL_SET_ERR_MSG_ATTR(info->extack, nla, "an egress has one label");
		return -EINVAL;
	}
	for (i = 0; i < spec->label_count; i++) {
		if (spec->labels[i] <= L3VPN_LABEL_MAX && spec->labels[i] != MPLS_LABEL_IMPLNULL)
			continue;
		NL_SET_BAD_ATTR(info->extack, nla);
		NL_SET_ERR_MSG_FMT(info->extack, "label %u: %u cannot be pushed", i,
				   spec->labels[i]);
		return -EINVAL;
	}
	return 0;
}

static int l3vpn_nh_parse_members(struct genl_info *info, struct l3vpn_nh_spec *spec)
{
	struct nlattr *nla = info->attrs[L3VPN_NH_MEMBERS];
	const char *why;
	u32 i;

	if (!nla)
		return 0;
	if (!nla_len(nla) || nla_len(nla) % sizeof(*spec->members)) {
		NL_SET_ERR_MSG_ATTR(info->extack, nla, "members have 8 octets each, and there is one");
		return -EINVAL;
	}
	spec->members = nla_data(nla);
	spec->member_count = nla_len(nla) / sizeof(*spec->members);
	for (i = 0; i < spec->member_count; i++) {
		why = NULL;
		if (!spec->members[i].nh || spec->members[i].nh > L3VPN_NH_ID_MAX)
			why = "next hop id out of range";
		else if (!spec->members[i].weight)
			why = "weight is zero";
		else if (spec->members[i].flags & ~L3VPN_MEMBER_FLAGS)
			why = "unknown flag";
		else if ((spec->members[i].flags & L3VPN_MEMBER_FLAG_ONWARD) &&
			 spec->members[i].flags != (L3VPN_MEMBER_FLAG_BACKUP | L3VPN_MEMBER_FLAG_ONWARD))
			why = "onward is for a backup";
		if (!why)
			continue;
		NL_SET_BAD_ATTR(info->extack, nla);
		NL_SET_ERR_MSG_FMT(info->extack, "member %u: %s", i, why);
		return -EINVAL;
	}
	return 0;
}

static int l3vpn_nh_parse_tunnel(struct genl_info *info, struct l3vpn_nh_spec *spec)
{
	struct nlattr **attrs = info->attrs;
	int err;

	if (spec->kind != L3VPN_NH_KIND_TUNNEL)
		return 0;
	spec->encap = nla_get_u8(attrs[L3VPN_NH_ENCAP]);
	err = l3vpn_nl_udp_alone(info, L3VPN_NH_DPORT, spec->encap);
	if (!err)
		err = l3vpn_nl_udp_alone(info, L3VPN_NH_CHECKSUM, spec->encap);
	if (!err)
		err = l3vpn_nl_end_address(info, L3VPN_NH_LOCAL);
	if (!err)
		err = l3vpn_nl_end_address(info, L3VPN_NH_REMOTE);
	if (err)
		return err;
	spec->end_len = nla_len(attrs[L3VPN_NH_LOCAL]);
	spec->local = nla_data(attrs[L3VPN_NH_LOCAL]);
	spec->remote = nla_data(attrs[L3VPN_NH_REMOTE]);
	if (nla_len(attrs[L3VPN_NH_REMOTE]) != spec->end_len) {
		NL_SET_ERR_MSG_ATTR(info->extack, attrs[L3VPN_NH_REMOTE],
				    "local and remote address are of two families");
		return -EINVAL;
	}
	if (!memcmp(spec->local, spec->remote, spec->end_len)) {
		NL_SET_ERR_MSG_ATTR(info->extack, attrs[L3VPN_NH_REMOTE],
				    "local and remote address are the same");
		return -EINVAL;
	}
	if (spec->encap != L3VPN_ENCAP_UDP)
		return 0;
	spec->dport = attrs[L3VPN_NH_DPORT] ? nla_get_u16(attrs[L3VPN_NH_DPORT]) : L3VPN_UDP_PORT_MPLS;
	spec->checksum = attrs[L3VPN_NH_CHECKSUM] ? nla_get_u8(attrs[L3VPN_NH_CHECKSUM]) :
						    spec->end_len == 16;
	return 0;
}

static int l3vpn_nh_parse(struct genl_info *info, struct l3vpn_nh_spec *spec)
{
	int err;

	err = l3vpn_nl_check(info->nlhdr, info->extack);
	if (err)
		return err;
	if (!info->attrs[L3VPN_NH_ID])
		return l3vpn_nl_missing(info, L3VPN_NH_ID, "next hop id");
	if (!info->attrs[L3VPN_NH_KIND])
		return l3vpn_nl_missing(info, L3VPN_NH_KIND, "kind of next hop");
	spec->id = nla_get_u32(info->attrs[L3VPN_NH_ID]);
	spec->kind = nla_get_u8(info->attrs[L3VPN_NH_KIND]);

	err = l3vpn_nh_attrs_check(info, spec->kind);
	if (!err)
		err = l3vpn_nh_parse_gateway(info, spec);
	if (!err)
		err = l3vpn_nh_parse_labels(info, spec);
	if (!err)
		err = l3vpn_nh_parse_members(info, spec);
	if (!err)
		err = l3vpn_nh_parse_tunnel(info, spec);
	if (err)
		return err;
	if (info->attrs[L3VPN_NH_IFINDEX])
		spec->ifindex = nla_get_s32(info->attrs[L3VPN_NH_IFINDEX]);
	if (info->attrs[L3VPN_NH_VIA])
		spec->via = nla_get_u32(info->attrs[L3VPN_NH_VIA]);
	if (info->attrs[L3VPN_NH_VRF])
		spec->vrf = nla_get_u32(info->attrs[L3VPN_NH_VRF]);
	return 0;
}

static int l3vpn_adj_fill(struct sk_buff *skb, const struct l3vpn_adj *adj)
{
	if (nla_put_s32(skb, L3VPN_NH_IFINDEX, adj->ifindex))
		return -EMSGSIZE;
	if (!adj->gw_family)
		return 0;
	return nla_put(skb, L3VPN_NH_GATEWAY, adj->gw_family == AF_INET ? 4 : 16, &adj->gw6);
}

static int l3vpn_path_fill(struct sk_buff *skb, const struct l3vpn_path *path)
{
	u32 labels[L3VPN_LABELS_MAX];
	int i;

	for (i = 0; i < path->count; i++)
		labels[i] = l3vpn_path_label(path, i);
	if (nla_put_u32(skb, L3VPN_NH_VIA, path->via->id))
		return -EMSGSIZE;
	return nla_put(skb, L3VPN_NH_LABELS, path->count * sizeof(u32), labels);
}

static int l3vpn_group_fill(struct sk_buff *skb, const struct l3vpn_group *group)
{
	struct l3vpn_nh_member *to;
	struct nlattr *nla;
	int i;

	nla = nla_reserve(skb, L3VPN_NH_MEMBERS, group->count * sizeof(*to));
	if (!nla)
		return -EMSGSIZE;
	to = nla_data(nla);
	for (i = 0; i < group->count; i++) {
		const struct l3vpn_group_member *from = &group->member[group->order[i]];

		to[i].nh = from->nh->id;
		to[i].weight = from->weight;
		to[i].flags = l3vpn_member_flags(from);
	}
	return nla_put_u64_64bit(skb, L3VPN_NH_IN_USE, l3vpn_group_in_use_rcu(group), L3VPN_NH_PAD);
}

static int l3vpn_tunnel_fill(struct sk_buff *skb, const struct l3vpn_tunnel *tunnel)
{
	unsigned int len = tunnel->family == AF_INET ? 4 : 16;
	struct dst_entry *dst;
	u32 mtu;

	rcu_read_lock();
	dst = l3vpn_tunnel_route(tunnel, 0);
	mtu = dst ? l3vpn_tunnel_path_mtu(tunnel, dst) : 0;
	rcu_read_unlock();
	if (nla_put_u8(skb, L3VPN_NH_ENCAP, tunnel->encap) ||
	    nla_put(skb, L3VPN_NH_LOCAL, len, &tunnel->local) ||
	    nla_put(skb, L3VPN_NH_REMOTE, len, &tunnel->peer->key.addr) ||
	    nla_put_u32(skb, L3VPN_NH_PATH_MTU, mtu))
		return -EMSGSIZE;
	if (tunnel->encap != L3VPN_ENCAP_UDP)
		return 0;
	if (nla_put_u16(skb, L3VPN_NH_DPORT, tunnel->dport))
		return -EMSGSIZE;
	return nla_put_u8(skb, L3VPN_NH_CHECKSUM, tunnel->checksum);
}

int l3vpn_nh_fill(struct sk_buff *skb, struct l3vpn_net *ln, struct l3vpn_nh *nh)
{
	const struct l3vpn_nh_data *data = l3vpn_nh_data(ln, nh);
	struct l3vpn_tally_sum tally;
	bool resolved;
	int err = 0;

	rcu_read_lock();
	resolved = l3vpn_nh_resolved(nh);
	rcu_read_unlock();

	if (nla_put_u32(skb, L3VPN_NH_ID, nh->id) ||
	    nla_put_u8(skb, L3VPN_NH_KIND, data->kind) ||
	    nla_put_u8(skb, L3VPN_NH_RESOLVED, resolved) ||
	    nla_put_u8(skb, L3VPN_NH_DOWN, !!READ_ONCE(nh->down)) ||
	    nla_put_u32(skb, L3VPN_NH_REFS, nh->refs))
		return -EMSGSIZE;

	switch (data->kind) {
	case L3VPN_NH_KIND_ADJACENCY:
		err = l3vpn_adj_fill(skb, &data->adj);
		break;
	case L3VPN_NH_KIND_LABELLED:
	case L3VPN_NH_KIND_EGRESS:
		err = l3vpn_path_fill(skb, &data->path);
		break;
	case L3VPN_NH_KIND_GROUP:
		rcu_read_lock();
		err = l3vpn_group_fill(skb, &data->group);
		rcu_read_unlock();
		break;
	case L3VPN_NH_KIND_VRF:
		err = nla_put_u32(skb, L3VPN_NH_VRF, data->vrf_id);
		break;
	case L3VPN_NH_KIND_TUNNEL:
		err = l3vpn_tunnel_fill(skb, &data->tunnel);
		break;
	}
	if (err || data->kind == L3VPN_NH_KIND_GROUP)
		return err ? -EMSGSIZE : 0;
	tally = l3vpn_tally_read(nh->tally);
	return l3vpn_stats_fill(skb, L3VPN_NH_STATS,
				&(struct l3vpn_stats){ .tx_packets = tally.packets,
						       .tx_bytes = tally.bytes },
				&(struct l3vpn_stats){ .tx_packets = nh->base.packets,
						       .tx_bytes = nh->base.bytes });
}

static int l3vpn_nh_answer(struct genl_info *info, struct l3vpn_net *ln, struct l3vpn_nh *nh)
{
	struct sk_buff *msg;
	void *hdr;

	msg = l3vpn_reply_start(info, L3VPN_CMD_NH_GET, NLMSG_DEFAULT_SIZE, &hdr);
	if (!msg)
		return -ENOMEM;
	return l3vpn_reply_send(info, msg, hdr, l3vpn_nh_fill(msg, ln, nh));
}

int l3vpn_nl_nh_new(struct sk_buff *skb, struct genl_info *info)
{
	struct l3vpn_net *ln = l3vpn_net(genl_info_net(info));
	struct l3vpn_nh_spec spec = {};
	int err, made;

	err = l3vpn_nh_parse(info, &spec);
	if (err)
		return err;

	rtnl_lock();
	mutex_lock(&ln->lock);
	err = l3vpn_nh_set(ln, &spec, info->nlhdr->nlmsg_flags, &made, info->extack);
	if (!err) {
		struct l3vpn_nh *nh = l3vpn_nh_find(ln, spec.id);

		if (made >= 0)
			l3vpn_event_nh(ln, nh, made ? L3VPN_EVENT_NEW : L3VPN_EVENT_CHANGE);
		if (info->nlhdr->nlmsg_flags & NLM_F_ECHO)
			l3vpn_nh_answer(info, ln, nh);
	}
	mutex_unlock(&ln->lock);
	rtnl_unlock();
	return err;
}

/* Under ln->lock. The next hop that the request names; ERR_PTR with extack set. */
static struct l3vpn_nh *l3vpn_nh_named(struct l3vpn_net *ln, struct genl_info *info)
{
	struct nlattr *id = info->attrs[L3VPN_NH_ID];
	struct l3vpn_nh *nh;

	if (!id)
		return ERR_PTR(l3vpn_nl_missing(info, L3VPN_NH_ID, "next hop id"));
	nh = l3vpn_nh_find(ln, nla_get_u32(id));
	if (nh)
		return nh;
	NL_SET_ERR_MSG_ATTR(info->extack, id, "no such next hop");
	return ERR_PTR(-ENOENT);
}

int l3vpn_nl_nh_del(struct sk_buff *skb, struct genl_info *info)
{
	struct l3vpn_net *ln = l3vpn_net(genl_info_net(info));
	struct l3vpn_nh *nh;
	int err;

	err = l3vpn_nl_check(info->nlhdr, info->extack);
	if (err)
		return err;

	mutex_lock(&ln->lock);
	nh = l3vpn_nh_named(ln, info);
	if (IS_ERR(nh)) {
		err = PTR_ERR(nh);
	} else if (nh->refs) {
		NL_SET_ERR_MSG_FMT(info->extack, "%u routes, labels or next hops still refer to it",
				   nh->refs);
		err = -EBUSY;
	} else {
		l3vpn_event_nh(ln, nh, L3VPN_EVENT_DEL);
		l3vpn_nh_end(ln, nh);
	}
	mutex_unlock(&ln->lock);
	return err;
}

int l3vpn_nl_nh_get(struct sk_buff *skb, struct genl_info *info)
{
	struct l3vpn_net *ln = l3vpn_net(genl_info_net(info));
	struct l3vpn_nh *nh;
	int err;

	err = l3vpn_nl_check(info->nlhdr, info->extack);
	if (err)
		return err;

	mutex_lock(&ln->lock);
	nh = l3vpn_nh_named(ln, info);
	err = IS_ERR(nh) ? PTR_ERR(nh) : l3vpn_nh_answer(info, ln, nh);
	mutex_unlock(&ln->lock);
	return err;
}

int l3vpn_nl_nh_state(struct sk_buff *skb, struct genl_info *info)
{
	struct l3vpn_net *ln = l3vpn_net(genl_info_net(info));
	struct nlattr *id = info->attrs[L3VPN_NH_ID];
	bool down, known = true, was = false;
	struct l3vpn_nh *nh;
	int err;

	err = l3vpn_nl_check(info->nlhdr, info->extack);
	if (err)
		return err;
	if (!id)
		return l3vpn_nl_missing(info, L3VPN_NH_ID, "next hop id");
	if (!info->attrs[L3VPN_NH_DOWN])
		return l3vpn_nl_missing(info, L3VPN_NH_DOWN, "state");
	down = nla_get_u8(info->attrs[L3VPN_NH_DOWN]);

	rcu_read_lock();
	nh = l3vpn_nh_find(ln, nla_get_u32(id));
	if (nh) {
		was = READ_ONCE(nh->down);
		known = l3vpn_nh_state(ln, nh, down);
	}
	rcu_read_unlock();
	if (!nh) {
		NL_SET_ERR_MSG_ATTR(info->extack, id, "no such next hop");
		return -ENOENT;
	}
	if (!known) {
		NL_SET_ERR_MSG_ATTR(info->extack, id, "this kind of next hop cannot be down");
		return -EINVAL;
	}
	if (was == down)
		return 0;
	mutex_lock(&ln->lock);		/* what follows may wait for a bulk; the packets do not */
	nh = l3vpn_nh_find(ln, nla_get_u32(id));
	if (nh)
		l3vpn_event_nh(ln, nh, L3VPN_EVENT_CHANGE);
	mutex_unlock(&ln->lock);
	return 0;
}

struct l3vpn_nh_dump {
	unsigned long next;
};

int l3vpn_nl_nh_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct l3vpn_net *ln = l3vpn_net(sock_net(skb->sk));
	struct l3vpn_nh_dump *ctx = (void *)cb->ctx;
	struct nlattr **attrs = l3vpn_dump_attrs(cb);
	struct l3vpn_nh *nh;
	unsigned long id;

	BUILD_BUG_ON(sizeof(*ctx) > sizeof(cb->ctx));
	mutex_lock(&ln->lock);
	xa_for_each_start(&ln->nhs, id, nh, ctx->next) {
		void *hdr;

		if (attrs[L3VPN_NH_ID] && nla_get_u32(attrs[L3VPN_NH_ID]) != id)
			continue;
		hdr = l3vpn_dump_put(skb, cb, L3VPN_CMD_NH_GET);
		if (!hdr)
			break;
		if (l3vpn_nh_fill(skb, ln, nh)) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
	}
	ctx->next = nh ? id : ULONG_MAX;
	mutex_unlock(&ln->lock);
	return skb->len;
}
