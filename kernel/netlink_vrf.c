// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn: VRF_NEW, VRF_DEL, VRF_GET.
 */
#include <linux/rtnetlink.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "event.h"
#include "limit.h"
#include "netlink.h"
#include "vrf.h"
#include "vrf_dev.h"

const struct nla_policy l3vpn_vrf_new_policy[L3VPN_VRF_TC_DSCP + 1] = {
	[L3VPN_VRF_ID]		= NLA_POLICY_FULL_RANGE(NLA_U32, &l3vpn_range_vrf),
	[L3VPN_VRF_NAME]	= { .type = NLA_NUL_STRING, .len = IFNAMSIZ - 1 },
	[L3VPN_VRF_TABLE]	= NLA_POLICY_MIN(NLA_U32, 1),
	[L3VPN_VRF_LIMIT4]	= { .type = NLA_U32 },
	[L3VPN_VRF_LIMIT6]	= { .type = NLA_U32 },
	[L3VPN_VRF_WARN4]	= { .type = NLA_U32 },
	[L3VPN_VRF_WARN6]	= { .type = NLA_U32 },
	[L3VPN_VRF_TTL_MODEL]	= NLA_POLICY_RANGE(NLA_U8, L3VPN_MODEL_UNIFORM, L3VPN_MODEL_PIPE),
	[L3VPN_VRF_TC_MODEL]	= NLA_POLICY_RANGE(NLA_U8, L3VPN_MODEL_UNIFORM,
						   L3VPN_MODEL_SHORT_PIPE),
	[L3VPN_VRF_DSCP_TC]	= NLA_POLICY_EXACT_LEN(L3VPN_DSCP_COUNT),
	[L3VPN_VRF_TC_DSCP]	= NLA_POLICY_EXACT_LEN(L3VPN_TC_COUNT),
};

const struct nla_policy l3vpn_vrf_key_policy[L3VPN_VRF_NAME + 1] = {
	[L3VPN_VRF_ID]		= NLA_POLICY_FULL_RANGE(NLA_U32, &l3vpn_range_vrf),
	[L3VPN_VRF_NAME]	= { .type = NLA_NUL_STRING, .len = IFNAMSIZ - 1 },
};

int l3vpn_vrf_fill(struct sk_buff *skb, struct l3vpn_vrf *vrf)
{
	struct l3vpn_stats sum;

	l3vpn_counters_sum(vrf->counters, &sum);
	if (nla_put_u32(skb, L3VPN_VRF_ID, vrf->id) ||
	    nla_put_string(skb, L3VPN_VRF_NAME, vrf->dev->name) ||
	    nla_put_s32(skb, L3VPN_VRF_IFINDEX, vrf->dev->ifindex) ||
	    nla_put_u32(skb, L3VPN_VRF_TABLE, vrf->table) ||
	    nla_put_u32(skb, L3VPN_VRF_LIMIT4, vrf->limit[0]) ||
	    nla_put_u32(skb, L3VPN_VRF_LIMIT6, vrf->limit[1]) ||
	    l3vpn_stats_fill(skb, L3VPN_VRF_STATS, &sum, &vrf->base) ||
	    nla_put_u32(skb, L3VPN_VRF_ROUTES4, vrf->routes[0]) ||
	    nla_put_u32(skb, L3VPN_VRF_ROUTES6, vrf->routes[1]) ||
	    nla_put_u32(skb, L3VPN_VRF_PORTS, vrf->ports) ||
	    nla_put_u32(skb, L3VPN_VRF_WARN4, vrf->warn[0]) ||
	    nla_put_u32(skb, L3VPN_VRF_WARN6, vrf->warn[1]) ||
	    nla_put_u8(skb, L3VPN_VRF_LEVEL4, vrf->level[0]) ||
	    nla_put_u8(skb, L3VPN_VRF_LEVEL6, vrf->level[1]) ||
	    l3vpn_qos_fill(skb, &vrf->qos))
		return -EMSGSIZE;
	return 0;
}

static int l3vpn_vrf_answer(struct genl_info *info, struct l3vpn_vrf *vrf)
{
	struct sk_buff *msg;
	void *hdr;
	int err;

	msg = l3vpn_reply_start(info, L3VPN_CMD_VRF_GET, NLMSG_DEFAULT_SIZE, &hdr);
	if (!msg)
		return -ENOMEM;
	mutex_lock(&vrf->ln->lock);
	err = l3vpn_vrf_fill(msg, vrf);
	mutex_unlock(&vrf->ln->lock);
	return l3vpn_reply_send(info, msg, hdr, err);
}

/* Under RTNL. The VRF that the request names by id or name. ERR_PTR with extack set. */
static struct l3vpn_vrf *l3vpn_vrf_named(struct l3vpn_net *ln, struct genl_info *info)
{
	struct nlattr *id = info->attrs[L3VPN_VRF_ID], *name = info->attrs[L3VPN_VRF_NAME];
	struct l3vpn_vrf *vrf = NULL;
	struct net_device *dev;

	if (id) {
		vrf = l3vpn_vrf_find(ln, nla_get_u32(id));
	} else if (name) {
		dev = __dev_get_by_name(ln->net, nla_data(name));
		if (dev && l3vpn_vrf_dev_is(dev))
			vrf = l3vpn_vrf_of(dev);
	} else {
		return ERR_PTR(l3vpn_nl_missing(info, L3VPN_VRF_ID, "VRF id or name"));
	}
	if (!vrf) {
		NL_SET_ERR_MSG_ATTR(info->extack, id ? id : name, "no such VRF");
		return ERR_PTR(-ENOENT);
	}
	if (name && strcmp(vrf->dev->name, nla_data(name))) {
		NL_SET_ERR_MSG_ATTR(info->extack, name, "the VRF of this id has another name");
		return ERR_PTR(-ENOENT);
	}
	return vrf;
}

static void l3vpn_vrf_settings(struct l3vpn_vrf *vrf, struct genl_info *info)
{
	mutex_lock(&vrf->ln->lock);
	if (info->attrs[L3VPN_VRF_LIMIT4])
		vrf->limit[0] = nla_get_u32(info->attrs[L3VPN_VRF_LIMIT4]);
	if (info->attrs[L3VPN_VRF_LIMIT6])
		vrf->limit[1] = nla_get_u32(info->attrs[L3VPN_VRF_LIMIT6]);
	if (info->attrs[L3VPN_VRF_WARN4])
		vrf->warn[0] = nla_get_u32(info->attrs[L3VPN_VRF_WARN4]);
	if (info->attrs[L3VPN_VRF_WARN6])
		vrf->warn[1] = nla_get_u32(info->attrs[L3VPN_VRF_WARN6]);
	if (info->attrs[L3VPN_VRF_LIMIT4] || info->attrs[L3VPN_VRF_LIMIT6] ||
	    info->attrs[L3VPN_VRF_WARN4] || info->attrs[L3VPN_VRF_WARN6])
		l3vpn_limit_reset(vrf);
	l3vpn_qos_set(&vrf->qos, info);
	vrf->user = true;
	vrf->stamp = vrf->ln->epoch;
	mutex_unlock(&vrf->ln->lock);
}

static int l3vpn_vrf_change(struct l3vpn_vrf *vrf, struct genl_info *info)
{
	struct nlattr *id = info->attrs[L3VPN_VRF_ID], *table = info->attrs[L3VPN_VRF_TABLE];

	if (info->nlhdr->nlmsg_flags & NLM_F_EXCL) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[L3VPN_VRF_NAME],
				    "a VRF of this name exists");
		return -EEXIST;
	}
	if (id && nla_get_u32(id) != vrf->id) {
		NL_SET_BAD_ATTR(info->extack, id);
		NL_SET_ERR_MSG_FMT(info->extack, "the VRF of this name has id %u", vrf->id);
		return -EEXIST;
	}
	if (table && nla_get_u32(table) != vrf->table) {
		NL_SET_BAD_ATTR(info->extack, table);
		NL_SET_ERR_MSG_FMT(info->extack, "the VRF of this name has table %u", vrf->table);
		return -EEXIST;
	}
	l3vpn_vrf_settings(vrf, info);
	l3vpn_event_vrf(vrf, L3VPN_EVENT_CHANGE);
	return 0;
}

/* Tables that mean something to the kernel. */
static bool l3vpn_table_is_reserved(u32 table)
{
	return table >= RT_TABLE_COMPAT && table <= RT_TABLE_LOCAL;
}

static struct l3vpn_vrf *l3vpn_vrf_make(struct l3vpn_net *ln, struct genl_info *info)
{
	struct l3vpn_vrf_request req = {
		.name = nla_data(info->attrs[L3VPN_VRF_NAME]),
	};
	struct l3vpn_vrf *vrf;

	if ((info->nlhdr->nlmsg_flags & NLM_F_REPLACE) &&
	    !(info->nlhdr->nlmsg_flags & NLM_F_CREATE)) {
		NL_SET_ERR_MSG(info->extack, "no such VRF to change");
		return ERR_PTR(-ENOENT);
	}
	if (!dev_valid_name(req.name)) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[L3VPN_VRF_NAME],
				    "not a valid device name");
		return ERR_PTR(-EINVAL);
	}
	if (info->attrs[L3VPN_VRF_ID])
		req.id = nla_get_u32(info->attrs[L3VPN_VRF_ID]);
	if (info->attrs[L3VPN_VRF_TABLE])
		req.table = nla_get_u32(info->attrs[L3VPN_VRF_TABLE]);
	if (l3vpn_table_is_reserved(req.table)) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[L3VPN_VRF_TABLE],
				    "this table is the kernel's own");
		return ERR_PTR(-EINVAL);
	}

	vrf = l3vpn_vrf_create(ln, &req, info->extack);
	if (!IS_ERR(vrf))
		l3vpn_vrf_settings(vrf, info);
	return vrf;
}

static int l3vpn_vrf_new_locked(struct l3vpn_net *ln, struct genl_info *info)
{
	struct net_device *dev = __dev_get_by_name(ln->net, nla_data(info->attrs[L3VPN_VRF_NAME]));
	struct l3vpn_vrf *vrf;
	int err;

	if (dev && !l3vpn_vrf_dev_is(dev)) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[L3VPN_VRF_NAME],
				    "another kind of device has this name");
		return -EEXIST;
	}
	if (dev) {
		vrf = l3vpn_vrf_of(dev);
		err = l3vpn_vrf_change(vrf, info);
		if (err)
			return err;
	} else {
		vrf = l3vpn_vrf_make(ln, info);
		if (IS_ERR(vrf))
			return PTR_ERR(vrf);
	}
	if (info->nlhdr->nlmsg_flags & NLM_F_ECHO)
		l3vpn_vrf_answer(info, vrf);
	return 0;
}

int l3vpn_nl_vrf_new(struct sk_buff *skb, struct genl_info *info)
{
	struct l3vpn_net *ln = l3vpn_net(genl_info_net(info));
	int err;

	err = l3vpn_nl_check(info->nlhdr, info->extack);
	if (err)
		return err;
	if (!info->attrs[L3VPN_VRF_NAME])
		return l3vpn_nl_missing(info, L3VPN_VRF_NAME, "VRF name");
	err = l3vpn_qos_check(info);
	if (err)
		return err;

	rtnl_lock();
	err = l3vpn_vrf_new_locked(ln, info);
	rtnl_unlock();
	return err;
}

int l3vpn_nl_vrf_del(struct sk_buff *skb, struct genl_info *info)
{
	struct l3vpn_net *ln = l3vpn_net(genl_info_net(info));
	struct l3vpn_vrf *vrf;
	int err;

	err = l3vpn_nl_check(info->nlhdr, info->extack);
	if (err)
		return err;

	rtnl_lock();
	vrf = l3vpn_vrf_named(ln, info);
	if (IS_ERR(vrf)) {
		err = PTR_ERR(vrf);
	} else if (l3vpn_vrf_is_used(vrf)) {
		NL_SET_ERR_MSG(info->extack, "ports, labels or next hops still refer to the VRF");
		err = -EBUSY;
	} else {
		l3vpn_vrf_destroy(vrf, NULL);
	}
	rtnl_unlock();
	return err;
}

int l3vpn_nl_vrf_get(struct sk_buff *skb, struct genl_info *info)
{
	struct l3vpn_net *ln = l3vpn_net(genl_info_net(info));
	struct l3vpn_vrf *vrf;
	int err;

	err = l3vpn_nl_check(info->nlhdr, info->extack);
	if (err)
		return err;

	rtnl_lock();
	vrf = l3vpn_vrf_named(ln, info);
	err = IS_ERR(vrf) ? PTR_ERR(vrf) : l3vpn_vrf_answer(info, vrf);
	rtnl_unlock();
	return err;
}

struct l3vpn_vrf_dump {
	unsigned long next;
};

int l3vpn_nl_vrf_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct l3vpn_net *ln = l3vpn_net(sock_net(skb->sk));
	struct l3vpn_vrf_dump *ctx = (void *)cb->ctx;
	struct nlattr **attrs = l3vpn_dump_attrs(cb);
	struct l3vpn_vrf *vrf;
	unsigned long id;

	BUILD_BUG_ON(sizeof(*ctx) > sizeof(cb->ctx));
	mutex_lock(&ln->lock);
	xa_for_each_start(&ln->vrfs, id, vrf, ctx->next) {
		void *hdr;

		if ((attrs[L3VPN_VRF_ID] && nla_get_u32(attrs[L3VPN_VRF_ID]) != id) ||
		    (attrs[L3VPN_VRF_NAME] &&
		     strcmp(nla_data(attrs[L3VPN_VRF_NAME]), vrf->dev->name)))
			continue;
		hdr = l3vpn_dump_put(skb, cb, L3VPN_CMD_VRF_GET);
		if (!hdr)
			break;
		if (l3vpn_vrf_fill(skb, vrf)) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
	}
	ctx->next = vrf ? id : ULONG_MAX;
	mutex_unlock(&ln->lock);
	return skb->len;
}
