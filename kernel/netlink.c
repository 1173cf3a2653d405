// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn: the generic netlink family: its commands, and helpers that they share.
 */
#include <linux/bitmap.h>
#include <linux/module.h>
#include <linux/rtnetlink.h>
#include <net/genetlink.h>

#include "l3vpn.h"
#include "netlink.h"

/* Commands that change something: privilege in the user namespace that owns the network namespace. */
#define L3VPN_CHANGE	GENL_UNS_ADMIN_PERM

#define L3VPN_POLICY(p)	.policy = (p), .maxattr = ARRAY_SIZE(p) - 1

struct netlink_range_validation l3vpn_range_vrf = {
	.min = 1,
	.max = L3VPN_VRF_ID_MAX,
};

struct netlink_range_validation l3vpn_range_nh = {
	.min = 1,
	.max = L3VPN_NH_ID_MAX,
};

struct netlink_range_validation l3vpn_range_flowlabel = {
	.max = L3VPN_FLOWLABEL_MAX,
};

struct netlink_range_validation l3vpn_range_label = {
	.min = L3VPN_LABEL_MIN,
	.max = L3VPN_LABEL_MAX,
};

static const struct genl_ops l3vpn_ops[] = {
	{
		.cmd = L3VPN_CMD_INFO_GET,
		.doit = l3vpn_nl_info_get,
	}, {
		.cmd = L3VPN_CMD_VRF_NEW,
		.flags = L3VPN_CHANGE,
		.doit = l3vpn_nl_vrf_new,
		L3VPN_POLICY(l3vpn_vrf_new_policy),
	}, {
		.cmd = L3VPN_CMD_VRF_DEL,
		.flags = L3VPN_CHANGE,
		.doit = l3vpn_nl_vrf_del,
		L3VPN_POLICY(l3vpn_vrf_key_policy),
	}, {
		.cmd = L3VPN_CMD_VRF_GET,
		.doit = l3vpn_nl_vrf_get,
		.start = l3vpn_nl_dump_start,
		.dumpit = l3vpn_nl_vrf_dump,
		L3VPN_POLICY(l3vpn_vrf_key_policy),
	}, {
		.cmd = L3VPN_CMD_PORT_NEW,
		.flags = L3VPN_CHANGE,
		.doit = l3vpn_nl_port_new,
		L3VPN_POLICY(l3vpn_port_new_policy),
	}, {
		.cmd = L3VPN_CMD_PORT_DEL,
		.flags = L3VPN_CHANGE,
		.doit = l3vpn_nl_port_del,
		L3VPN_POLICY(l3vpn_port_del_policy),
	}, {
		.cmd = L3VPN_CMD_PORT_GET,
		.doit = l3vpn_nl_port_get,
		.start = l3vpn_nl_dump_start,
		.dumpit = l3vpn_nl_port_dump,
		L3VPN_POLICY(l3vpn_port_get_policy),
	}, {
		.cmd = L3VPN_CMD_NH_NEW,
		.flags = L3VPN_CHANGE,
		.doit = l3vpn_nl_nh_new,
		L3VPN_POLICY(l3vpn_nh_new_policy),
	}, {
		.cmd = L3VPN_CMD_NH_DEL,
		.flags = L3VPN_CHANGE,
		.doit = l3vpn_nl_nh_del,
		L3VPN_POLICY(l3vpn_nh_key_policy),
	}, {
		.cmd = L3VPN_CMD_NH_GET,
		.doit = l3vpn_nl_nh_get,
		.start = l3vpn_nl_dump_start,
		.dumpit = l3vpn_nl_nh_dump,
		L3VPN_POLICY(l3vpn_nh_key_policy),
	}, {
		.cmd = L3VPN_CMD_NH_STATE,
		.flags = L3VPN_CHANGE,
		.doit = l3vpn_nl_nh_state,
		L3VPN_POLICY(l3vpn_nh_state_policy),
	}, {
		.cmd = L3VPN_CMD_ROUTE_ADD,
		.flags = L3VPN_CHANGE,
		.doit = l3vpn_nl_route_add,
		L3VPN_POLICY(l3vpn_route_set_policy),
	}, {
		.cmd = L3VPN_CMD_ROUTE_DEL,
		.flags = L3VPN_CHANGE,
		.doit = l3vpn_nl_route_del,
		L3VPN_POLICY(l3vpn_route_set_policy),
	}, {
		.cmd = L3VPN_CMD_ROUTE_GET,
		.doit = l3vpn_nl_route_get,
		.start = l3vpn_nl_route_dump_start,
		.dumpit = l3vpn_nl_route_dump,
		L3VPN_POLICY(l3vpn_route_get_policy),
	}, {
		.cmd = L3VPN_CMD_LABEL_ADD,
		.flags = L3VPN_CHANGE,
		.doit = l3vpn_nl_label_add,
		L3VPN_POLICY(l3vpn_label_set_policy),
	}, {
		.cmd = L3VPN_CMD_LABEL_DEL,
		.flags = L3VPN_CHANGE,
		.doit = l3vpn_nl_label_del,
		L3VPN_POLICY(l3vpn_label_set_policy),
	}, {
		.cmd = L3VPN_CMD_LABEL_GET,
		.doit = l3vpn_nl_label_get,
		.start = l3vpn_nl_dump_start,
		.dumpit = l3vpn_nl_label_dump,
		L3VPN_POLICY(l3vpn_label_get_policy),
	}, {
		.cmd = L3VPN_CMD_EPOCH_BEGIN,
		.flags = L3VPN_CHANGE,
		.doit = l3vpn_nl_epoch_begin,
	}, {
		.cmd = L3VPN_CMD_EPOCH_SWEEP,
		.flags = L3VPN_CHANGE,
		.doit = l3vpn_nl_epoch_sweep,
		L3VPN_POLICY(l3vpn_epoch_sweep_policy),
	}, {
		.cmd = L3VPN_CMD_TABLE_GET,
		.start = l3vpn_nl_dump_start,
		.dumpit = l3vpn_nl_table_dump,
		L3VPN_POLICY(l3vpn_table_get_policy),
	}, {
		.cmd = L3VPN_CMD_DROP_GET,
		.start = l3vpn_nl_drop_dump_start,
		.dumpit = l3vpn_nl_drop_dump,
	}, {
		.cmd = L3VPN_CMD_STATS_CLEAR,
		.flags = L3VPN_CHANGE,
		.doit = l3vpn_nl_stats_clear,
		L3VPN_POLICY(l3vpn_clear_policy),
	}, {
		.cmd = L3VPN_CMD_TRACE_SET,
		.flags = L3VPN_CHANGE,
		.doit = l3vpn_nl_trace_set,
		L3VPN_POLICY(l3vpn_trace_policy),
	}, {
		.cmd = L3VPN_CMD_TRACE_DEL,
		.flags = L3VPN_CHANGE,
		.doit = l3vpn_nl_trace_del,
	}, {
		.cmd = L3VPN_CMD_ENDPOINT_NEW,
		.flags = L3VPN_CHANGE,
		.doit = l3vpn_nl_endpoint_new,
		L3VPN_POLICY(l3vpn_endpoint_new_policy),
	}, {
		.cmd = L3VPN_CMD_ENDPOINT_DEL,
		.flags = L3VPN_CHANGE,
		.doit = l3vpn_nl_endpoint_del,
		L3VPN_POLICY(l3vpn_endpoint_key_policy),
	}, {
		.cmd = L3VPN_CMD_ENDPOINT_GET,
		.doit = l3vpn_nl_endpoint_get,
		.start = l3vpn_nl_endpoint_dump_start,
		.dumpit = l3vpn_nl_endpoint_dump,
		L3VPN_POLICY(l3vpn_endpoint_key_policy),
	},
};

static const struct genl_multicast_group l3vpn_groups[] = {
	[L3VPN_GROUP_EVENTS] = { .name = L3VPN_MCGRP_EVENTS },
	[L3VPN_GROUP_DROPS] = { .name = L3VPN_MCGRP_DROPS, .flags = GENL_MCAST_CAP_NET_ADMIN },
	[L3VPN_GROUP_PACKETS] = { .name = L3VPN_MCGRP_PACKETS, .flags = GENL_MCAST_CAP_NET_ADMIN },
};

struct genl_family l3vpn_family __ro_after_init = {
	.name		= L3VPN_GENL_NAME,
	.version	= L3VPN_GENL_VERSION,
	.module		= THIS_MODULE,
	.netnsok	= true,
	.parallel_ops	= true,
	.ops		= l3vpn_ops,
	.n_ops		= ARRAY_SIZE(l3vpn_ops),
	/* The core's own check of flags knows none of CREATE, EXCL and REPLACE: l3vpn_nl_check does it. */
	.resv_start_op	= L3VPN_CMD_MAX + 1,
	.mcgrps		= l3vpn_groups,
	.n_mcgrps	= ARRAY_SIZE(l3vpn_groups),
};

/* Set while the family's multicast groups exist. */
static bool l3vpn_groups_up;

bool l3vpn_has_listeners(struct l3vpn_net *ln, enum l3vpn_mcgrp group)
{
	return READ_ONCE(l3vpn_groups_up) && genl_has_listeners(&l3vpn_family, ln->net, group);
}

#define L3VPN_NL_FLAGS	(NLM_F_REQUEST | NLM_F_ACK | NLM_F_ECHO | NLM_F_CREATE | NLM_F_EXCL | \
			 NLM_F_REPLACE)

int l3vpn_nl_check(const struct nlmsghdr *nlh, struct netlink_ext_ack *extack)
{
	const struct genlmsghdr *hdr = nlmsg_data(nlh);
	DECLARE_BITMAP(seen, 64);
	const struct nlattr *nla;
	int rem;

	if (nlh->nlmsg_flags & ~L3VPN_NL_FLAGS) {
		NL_SET_ERR_MSG(extack, "unknown flags in the netlink header");
		return -EINVAL;
	}
	if (hdr->reserved) {
		NL_SET_ERR_MSG(extack, "reserved field of the generic netlink header is not zero");
		return -EINVAL;
	}
	bitmap_zero(seen, 64);
	nlmsg_for_each_attr(nla, nlh, GENL_HDRLEN, rem) {
		if (nla_type(nla) >= 64 || !__test_and_set_bit(nla_type(nla), seen))
			continue;
		NL_SET_ERR_MSG_ATTR(extack, nla, "attribute comes twice");
		return -EINVAL;
	}
	return 0;
}

int l3vpn_nl_check_empty(const struct nlmsghdr *nlh, struct netlink_ext_ack *extack)
{
	if (nlmsg_attrlen(nlh, GENL_HDRLEN) > 0) {
		NL_SET_ERR_MSG(extack, "this command takes no attributes");
		return -EINVAL;
	}
	return l3vpn_nl_check(nlh, extack);
}

int l3vpn_nl_missing(struct genl_info *info, int attr, const char *name)
{
	NL_SET_ERR_ATTR_MISS(info->extack, NULL, attr);
	NL_SET_ERR_MSG_FMT(info->extack, "%s is missing", name);
	return -EINVAL;
}

int l3vpn_nl_dump_start(struct netlink_callback *cb)
{
	return l3vpn_nl_check(cb->nlh, cb->extack);
}

struct sk_buff *l3vpn_reply_start(struct genl_info *info, u8 cmd, size_t size, void **hdr)
{
	struct sk_buff *msg = genlmsg_new(size, GFP_KERNEL);

	if (!msg)
		return NULL;
	*hdr = genlmsg_put_reply(msg, info, &l3vpn_family, 0, cmd);
	if (*hdr)
		return msg;
	nlmsg_free(msg);
	return NULL;
}

int l3vpn_reply_send(struct genl_info *info, struct sk_buff *msg, void *hdr, int err)
{
	if (err) {
		nlmsg_free(msg);
		return err;
	}
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);
}

int l3vpn_reply_done(struct genl_info *info, u8 cmd, int attr, u32 done)
{
	struct sk_buff *msg;
	void *hdr;

	if (!(info->nlhdr->nlmsg_flags & NLM_F_ECHO))
		return 0;
	msg = l3vpn_reply_start(info, cmd, nla_total_size(sizeof(u32)), &hdr);
	/* What was asked for is done, whether it can be told or not. */
	if (!msg)
		return 0;
	l3vpn_reply_send(info, msg, hdr, nla_put_u32(msg, attr, done));
	return 0;
}

void *l3vpn_dump_put(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd)
{
	return genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, &l3vpn_family,
			   NLM_F_MULTI, cmd);
}

int l3vpn_stats_fill(struct sk_buff *skb, int attr, const struct l3vpn_stats *sum,
		     const struct l3vpn_stats *base)
{
	struct nlattr *nest = nla_nest_start(skb, attr);

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u64_64bit(skb, L3VPN_STATS_RX_PACKETS, sum->rx_packets - base->rx_packets,
			      L3VPN_STATS_PAD) ||
	    nla_put_u64_64bit(skb, L3VPN_STATS_RX_BYTES, sum->rx_bytes - base->rx_bytes,
			      L3VPN_STATS_PAD) ||
	    nla_put_u64_64bit(skb, L3VPN_STATS_TX_PACKETS, sum->tx_packets - base->tx_packets,
			      L3VPN_STATS_PAD) ||
	    nla_put_u64_64bit(skb, L3VPN_STATS_TX_BYTES, sum->tx_bytes - base->tx_bytes,
			      L3VPN_STATS_PAD) ||
	    nla_put_u64_64bit(skb, L3VPN_STATS_DROPS, sum->drops - base->drops,
			      L3VPN_STATS_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int l3vpn_netlink_init(void)
{
	int err;

	BUILD_BUG_ON(sizeof(struct l3vpn_route4) != 16);
	BUILD_BUG_ON(sizeof(struct l3vpn_route6) != 28);
	BUILD_BUG_ON(sizeof(struct l3vpn_label) != 20);
	BUILD_BUG_ON(sizeof(struct l3vpn_nh_member) != 8);
	BUILD_BUG_ON(sizeof(struct l3vpn_source) != 20);

	err = genl_register_family(&l3vpn_family);
	if (!err)
		WRITE_ONCE(l3vpn_groups_up, true);
	return err;
}

void l3vpn_netlink_exit(void)
{
	/* Senders of samples are inside RCU; senders of events hold RTNL, or are commands. */
	rtnl_lock();
	WRITE_ONCE(l3vpn_groups_up, false);
	rtnl_unlock();
	synchronize_net();
	genl_unregister_family(&l3vpn_family);
}
