// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn: PORT_NEW, PORT_DEL, PORT_GET.
 */
#include <linux/rtnetlink.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "netlink.h"
#include "port.h"
#include "port_ctl.h"
#include "vrf.h"

const struct nla_policy l3vpn_port_new_policy[L3VPN_PORT_MPLS_MTU + 1] = {
	[L3VPN_PORT_IFINDEX]	= NLA_POLICY_MIN(NLA_S32, 1),
	[L3VPN_PORT_KIND]	= NLA_POLICY_RANGE(NLA_U8, L3VPN_PORT_KIND_CUSTOMER,
						   L3VPN_PORT_KIND_CORE),
	[L3VPN_PORT_VRF]	= NLA_POLICY_FULL_RANGE(NLA_U32, &l3vpn_range_vrf),
	[L3VPN_PORT_RPF4]	= NLA_POLICY_MAX(NLA_U8, L3VPN_RPF_MAX),
	[L3VPN_PORT_RPF6]	= NLA_POLICY_MAX(NLA_U8, L3VPN_RPF_MAX),
	[L3VPN_PORT_OPTIONS]	= { .type = NLA_U32 },
	[L3VPN_PORT_SCOPES]	= { .type = NLA_U64 },
	[L3VPN_PORT_MPLS_MTU]	= { .type = NLA_U32 },
};

const struct nla_policy l3vpn_port_del_policy[L3VPN_PORT_IFINDEX + 1] = {
	[L3VPN_PORT_IFINDEX]	= NLA_POLICY_MIN(NLA_S32, 1),
};

const struct nla_policy l3vpn_port_get_policy[L3VPN_PORT_VRF + 1] = {
	[L3VPN_PORT_IFINDEX]	= NLA_POLICY_MIN(NLA_S32, 1),
	[L3VPN_PORT_VRF]	= NLA_POLICY_FULL_RANGE(NLA_U32, &l3vpn_range_vrf),
};

/* What guards the port. 0 or -EMSGSIZE. */
static int l3vpn_port_fill_guards(struct sk_buff *skb, const struct l3vpn_port *port)
{
	if (port->kind == L3VPN_PORT_KIND_CORE)
		return l3vpn_nla_put_u64(skb, L3VPN_PORT_SCOPES, port->scopes);
	if (nla_put_u8(skb, L3VPN_PORT_RPF4, port->rpf[0]) ||
	    nla_put_u8(skb, L3VPN_PORT_RPF6, port->rpf[1]) ||
	    nla_put_u32(skb, L3VPN_PORT_OPTIONS, port->options))
		return -EMSGSIZE;
	return 0;
}

int l3vpn_port_fill(struct sk_buff *skb, struct l3vpn_port *port)
{
	struct l3vpn_stats sum;
	struct l3vpn_vrf *vrf;

	l3vpn_counters_sum(port->counters, &sum);
	vrf = rcu_dereference_protected(port->vrf, lockdep_is_held(&port->ln->lock));
	if (nla_put_s32(skb, L3VPN_PORT_IFINDEX, port->dev->ifindex) ||
	    nla_put_u8(skb, L3VPN_PORT_KIND, port->kind) ||
	    (vrf && nla_put_u32(skb, L3VPN_PORT_VRF, vrf->id)) ||
	    nla_put_string(skb, L3VPN_PORT_NAME, port->dev->name) ||
	    l3vpn_stats_fill(skb, L3VPN_PORT_STATS, &sum, &port->base) ||
	    nla_put_u8(skb, L3VPN_PORT_CARRIER, l3vpn_port_carrier(port)) ||
	    l3vpn_port_fill_guards(skb, port))
		return -EMSGSIZE;
	if (port->kind == L3VPN_PORT_KIND_CORE &&
	    nla_put_u32(skb, L3VPN_PORT_MPLS_MTU, port->mpls_mtu == U32_MAX ? 0 : port->mpls_mtu))
		return -EMSGSIZE;
	return 0;
}

static int l3vpn_port_answer(struct genl_info *info, struct l3vpn_port *port)
{
	struct sk_buff *msg;
	void *hdr;
	int err;

	msg = l3vpn_reply_start(info, L3VPN_CMD_PORT_GET, NLMSG_DEFAULT_SIZE, &hdr);
	if (!msg)
		return -ENOMEM;
	mutex_lock(&port->ln->lock);
	err = l3vpn_port_fill(msg, port);
	mutex_unlock(&port->ln->lock);
	return l3vpn_reply_send(info, msg, hdr, err);
}

/* The guards that the request names, into @req. */
static void l3vpn_port_guards(struct genl_info *info, struct l3vpn_port_request *req)
{
	struct nlattr **attrs = info->attrs;

	if (attrs[L3VPN_PORT_RPF4]) {
		req->set |= L3VPN_PORT_SET_RPF4;
		req->rpf[0] = nla_get_u8(attrs[L3VPN_PORT_RPF4]);
	}
	if (attrs[L3VPN_PORT_RPF6]) {
		req->set |= L3VPN_PORT_SET_RPF6;
		req->rpf[1] = nla_get_u8(attrs[L3VPN_PORT_RPF6]);
	}
	if (attrs[L3VPN_PORT_OPTIONS]) {
		req->set |= L3VPN_PORT_SET_OPTIONS;
		req->options = nla_get_u32(attrs[L3VPN_PORT_OPTIONS]);
	}
	if (attrs[L3VPN_PORT_SCOPES]) {
		req->set |= L3VPN_PORT_SET_SCOPES;
		req->scopes = nla_get_u64(attrs[L3VPN_PORT_SCOPES]);
	}
}

/* -EINVAL where the request names a guard that this kind of port does not have. */
static int l3vpn_port_guards_check(struct genl_info *info)
{
	static const u8 customer[] = { L3VPN_PORT_RPF4, L3VPN_PORT_RPF6, L3VPN_PORT_OPTIONS };
	u32 i;

	if (nla_get_u8(info->attrs[L3VPN_PORT_KIND]) == L3VPN_PORT_KIND_CUSTOMER) {
		if (!info->attrs[L3VPN_PORT_SCOPES])
			return 0;
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[L3VPN_PORT_SCOPES],
				    "a customer port accepts no labels at all");
		return -EINVAL;
	}
	for (i = 0; i < ARRAY_SIZE(customer); i++) {
		if (!info->attrs[customer[i]])
			continue;
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[customer[i]],
				    "only a customer port checks sources and options");
		return -EINVAL;
	}
	return 0;
}

/*
 * Above the device's MTU it may be: the device's rules then, and may be raised later. 0: no limit of
 * its own. It stays above what the smallest IPv4 MTU (RFC 791) needs under the deepest stack.
 */
static int l3vpn_port_mpls_mtu(struct genl_info *info, u32 *mpls_mtu)
{
	struct nlattr *attr = info->attrs[L3VPN_PORT_MPLS_MTU];
	u32 mtu;

	if (!attr)
		return 0;
	if (nla_get_u8(info->attrs[L3VPN_PORT_KIND]) != L3VPN_PORT_KIND_CORE) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "a customer port carries no labels: no MPLS MTU");
		return -EINVAL;
	}
	mtu = nla_get_u32(attr);
	if (mtu && (mtu < L3VPN_MPLS_MTU_MIN || mtu > L3VPN_MPLS_MTU_MAX)) {
		NL_SET_BAD_ATTR(info->extack, attr);
		NL_SET_ERR_MSG_FMT(info->extack, "an MPLS MTU is %u to %u octets, or 0: the device's MTU",
				   L3VPN_MPLS_MTU_MIN, L3VPN_MPLS_MTU_MAX);
		return -ERANGE;
	}
	*mpls_mtu = mtu ? mtu : U32_MAX;
	return 0;
}

static int l3vpn_port_new_locked(struct l3vpn_net *ln, struct genl_info *info)
{
	struct nlattr *vrf_attr = info->attrs[L3VPN_PORT_VRF];
	struct l3vpn_port_request req = {
		.kind = nla_get_u8(info->attrs[L3VPN_PORT_KIND]),
		.user = true,
		.flags = info->nlhdr->nlmsg_flags,
	};
	struct net_device *dev;
	int err;

	dev = __dev_get_by_index(ln->net, nla_get_s32(info->attrs[L3VPN_PORT_IFINDEX]));
	if (!dev) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[L3VPN_PORT_IFINDEX],
				    "no such device in this network namespace");
		return -ENODEV;
	}
	if (vrf_attr) {
		req.vrf = l3vpn_vrf_find(ln, nla_get_u32(vrf_attr));
		if (!req.vrf) {
			NL_SET_ERR_MSG_ATTR(info->extack, vrf_attr, "no such VRF");
			return -ENOENT;
		}
	}
	l3vpn_port_guards(info, &req);
	err = l3vpn_port_mpls_mtu(info, &req.mpls_mtu);
	if (err)
		return err;
	err = l3vpn_port_bind(ln, dev, &req, info->extack);
	if (err)
		return err;
	if (info->nlhdr->nlmsg_flags & NLM_F_ECHO)
		l3vpn_port_answer(info, l3vpn_port_of(dev));
	return 0;
}

int l3vpn_nl_port_new(struct sk_buff *skb, struct genl_info *info)
{
	struct l3vpn_net *ln = l3vpn_net(genl_info_net(info));
	int err;

	err = l3vpn_nl_check(info->nlhdr, info->extack);
	if (err)
		return err;
	if (!info->attrs[L3VPN_PORT_IFINDEX])
		return l3vpn_nl_missing(info, L3VPN_PORT_IFINDEX, "interface index");
	if (!info->attrs[L3VPN_PORT_KIND])
		return l3vpn_nl_missing(info, L3VPN_PORT_KIND, "kind of port");
	if (nla_get_u8(info->attrs[L3VPN_PORT_KIND]) == L3VPN_PORT_KIND_CUSTOMER) {
		if (!info->attrs[L3VPN_PORT_VRF])
			return l3vpn_nl_missing(info, L3VPN_PORT_VRF, "VRF of a customer port");
	} else if (info->attrs[L3VPN_PORT_VRF]) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[L3VPN_PORT_VRF],
				    "a core port has no VRF");
		return -EINVAL;
	}
	err = l3vpn_port_guards_check(info);
	if (err)
		return err;

	rtnl_lock();
	err = l3vpn_port_new_locked(ln, info);
	rtnl_unlock();
	return err;
}

/* Under RTNL. The port that the request names; ERR_PTR with extack set. */
static struct l3vpn_port *l3vpn_port_named(struct l3vpn_net *ln, struct genl_info *info)
{
	struct nlattr *ifindex = info->attrs[L3VPN_PORT_IFINDEX];
	struct l3vpn_port *port;

	if (!ifindex)
		return ERR_PTR(l3vpn_nl_missing(info, L3VPN_PORT_IFINDEX, "interface index"));
	port = xa_load(&ln->ports, nla_get_s32(ifindex));
	if (port)
		return port;
	NL_SET_ERR_MSG_ATTR(info->extack, ifindex, "no such port");
	return ERR_PTR(-ENOENT);
}

int l3vpn_nl_port_del(struct sk_buff *skb, struct genl_info *info)
{
	struct l3vpn_net *ln = l3vpn_net(genl_info_net(info));
	struct l3vpn_port *port;
	int err;

	err = l3vpn_nl_check(info->nlhdr, info->extack);
	if (err)
		return err;

	rtnl_lock();
	port = l3vpn_port_named(ln, info);
	if (IS_ERR(port)) {
		err = PTR_ERR(port);
	} else if (l3vpn_port_is_used(port)) {
		NL_SET_ERR_MSG(info->extack, "next hops still refer to the port");
		err = -EBUSY;
	} else {
		l3vpn_port_unbind(port);
	}
	rtnl_unlock();
	return err;
}

int l3vpn_nl_port_get(struct sk_buff *skb, struct genl_info *info)
{
	struct l3vpn_net *ln = l3vpn_net(genl_info_net(info));
	struct l3vpn_port *port;
	int err;

	err = l3vpn_nl_check(info->nlhdr, info->extack);
	if (err)
		return err;

	rtnl_lock();
	port = l3vpn_port_named(ln, info);
	err = IS_ERR(port) ? PTR_ERR(port) : l3vpn_port_answer(info, port);
	rtnl_unlock();
	return err;
}

struct l3vpn_port_dump {
	unsigned long next;
};

/* Under ln->lock: does the request ask for @port? */
static bool l3vpn_port_wanted(const struct l3vpn_port *port, struct nlattr **attrs)
{
	const struct l3vpn_vrf *vrf;

	vrf = rcu_dereference_protected(port->vrf, lockdep_is_held(&port->ln->lock));
	if (attrs[L3VPN_PORT_IFINDEX] &&
	    nla_get_s32(attrs[L3VPN_PORT_IFINDEX]) != port->dev->ifindex)
		return false;
	return !attrs[L3VPN_PORT_VRF] || (vrf && nla_get_u32(attrs[L3VPN_PORT_VRF]) == vrf->id);
}

int l3vpn_nl_port_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct l3vpn_net *ln = l3vpn_net(sock_net(skb->sk));
	struct l3vpn_port_dump *ctx = (void *)cb->ctx;
	struct nlattr **attrs = l3vpn_dump_attrs(cb);
	struct l3vpn_port *port;
	unsigned long ifindex;

	BUILD_BUG_ON(sizeof(*ctx) > sizeof(cb->ctx));
	mutex_lock(&ln->lock);
	xa_for_each_start(&ln->ports, ifindex, port, ctx->next) {
		void *hdr;

		if (!l3vpn_port_wanted(port, attrs))
			continue;
		hdr = l3vpn_dump_put(skb, cb, L3VPN_CMD_PORT_GET);
		if (!hdr)
			break;
		if (l3vpn_port_fill(skb, port)) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
	}
	ctx->next = port ? ifindex : ULONG_MAX;
	mutex_unlock(&ln->lock);
	return skb->len;
}
