// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn: TRACE_SET, TRACE_DEL: a namespace's trace of packets is armed and disarmed.
 *
 * One at a time, and it belongs to the netlink socket that armed it: with the socket it ends, as it does
 * when its packets have been told. Whoever may change the namespace may end it too.
 */
#include <linux/netlink.h>
#include <linux/slab.h>
#include <net/genetlink.h>
#include <net/ipv6.h>
#include <net/sock.h>

#include "netlink.h"
#include "trace.h"
#include "vrf.h"

const struct nla_policy l3vpn_trace_policy[L3VPN_TRACE_COUNT + 1] = {
	[L3VPN_TRACE_VRF]	= NLA_POLICY_FULL_RANGE(NLA_U32, &l3vpn_range_vrf),
	[L3VPN_TRACE_IFINDEX]	= NLA_POLICY_MIN(NLA_S32, 1),
	[L3VPN_TRACE_SRC]	= { .type = NLA_BINARY, .len = 16 },
	[L3VPN_TRACE_SRC_PLEN]	= NLA_POLICY_MAX(NLA_U8, 128),
	[L3VPN_TRACE_DST]	= { .type = NLA_BINARY, .len = 16 },
	[L3VPN_TRACE_DST_PLEN]	= NLA_POLICY_MAX(NLA_U8, 128),
	[L3VPN_TRACE_PROTOCOL]	= { .type = NLA_U8 },
	[L3VPN_TRACE_COUNT]	= NLA_POLICY_MIN(NLA_U32, 1),
};

/* Under ln->lock. No packet is on its way any more with the trace that was armed. */
static void l3vpn_trace_disarm(struct l3vpn_net *ln)
{
	struct l3vpn_trace *trace = rcu_dereference_protected(ln->trace,
							      lockdep_is_held(&ln->lock));

	if (!trace)
		return;
	RCU_INIT_POINTER(ln->trace, NULL);
	synchronize_net();
	static_branch_dec(&l3vpn_watched);
	kfree(trace);
}

static int l3vpn_trace_refuse(struct genl_info *info, int attr, const char *why)
{
	NL_SET_BAD_ATTR(info->extack, info->attrs[attr]);
	NL_SET_ERR_MSG_FMT(info->extack, "%s", why);
	return -EINVAL;
}

static int l3vpn_trace_prefix(struct genl_info *info, struct l3vpn_trace *trace, int attr,
			      int attr_plen, struct in6_addr *addr, s16 *plen)
{
	struct nlattr *nla = info->attrs[attr];
	struct in6_addr masked;
	u8 family;

	*plen = -1;
	if (!nla && info->attrs[attr_plen])
		return l3vpn_trace_refuse(info, attr_plen, "a length without its prefix");
	if (!nla)
		return 0;
	if (!info->attrs[attr_plen])
		return l3vpn_nl_missing(info, attr_plen, "length of the prefix");
	if (nla_len(nla) != 4 && nla_len(nla) != 16)
		return l3vpn_trace_refuse(info, attr, "a prefix has 4 or 16 octets");
	family = nla_len(nla) == 4 ? AF_INET : AF_INET6;
	if (trace->family && trace->family != family)
		return l3vpn_trace_refuse(info, attr, "source and destination are of two families");
	trace->family = family;
	*plen = nla_get_u8(info->attrs[attr_plen]);
	if (*plen > nla_len(nla) * 8)
		return l3vpn_trace_refuse(info, attr_plen, "a length of more than 32 for IPv4");
	memcpy(addr, nla_data(nla), nla_len(nla));
	ipv6_addr_prefix(&masked, addr, *plen);
	if (!ipv6_addr_equal(&masked, addr))
		return l3vpn_trace_refuse(info, attr, "bits behind the prefix are not zero");
	return 0;
}

static int l3vpn_trace_parse(struct genl_info *info, struct l3vpn_trace *trace)
{
	int err;

	err = l3vpn_trace_prefix(info, trace, L3VPN_TRACE_SRC, L3VPN_TRACE_SRC_PLEN,
				 &trace->saddr, &trace->splen);
	if (!err)
		err = l3vpn_trace_prefix(info, trace, L3VPN_TRACE_DST, L3VPN_TRACE_DST_PLEN,
					 &trace->daddr, &trace->dplen);
	if (err)
		return err;
	if (info->attrs[L3VPN_TRACE_VRF])
		trace->vrf = nla_get_u32(info->attrs[L3VPN_TRACE_VRF]);
	if (info->attrs[L3VPN_TRACE_IFINDEX])
		trace->ifindex = nla_get_s32(info->attrs[L3VPN_TRACE_IFINDEX]);
	trace->protocol = -1;
	if (info->attrs[L3VPN_TRACE_PROTOCOL])
		trace->protocol = nla_get_u8(info->attrs[L3VPN_TRACE_PROTOCOL]);
	if (info->attrs[L3VPN_TRACE_COUNT]) {
		u32 count = nla_get_u32(info->attrs[L3VPN_TRACE_COUNT]);

		trace->limited = true;
		atomic_set(&trace->left, min_t(u32, count, INT_MAX));
	}
	trace->portid = info->snd_portid;
	return 0;
}

/* Under ln->lock. May @trace be armed now? */
static int l3vpn_trace_check(struct l3vpn_net *ln, struct genl_info *info,
			     const struct l3vpn_trace *trace)
{
	const struct l3vpn_trace *old = rcu_dereference_protected(ln->trace,
								  lockdep_is_held(&ln->lock));

	if (old && old->portid != trace->portid) {
		NL_SET_ERR_MSG(info->extack, "another trace is armed");
		return -EBUSY;
	}
	if (trace->vrf && !l3vpn_vrf_find(ln, trace->vrf)) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[L3VPN_TRACE_VRF], "no such VRF");
		return -ENOENT;
	}
	if (trace->ifindex && !xa_load(&ln->ports, trace->ifindex)) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[L3VPN_TRACE_IFINDEX],
				    "interface is not a port");
		return -ENODEV;
	}
	return 0;
}

int l3vpn_nl_trace_set(struct sk_buff *skb, struct genl_info *info)
{
	struct l3vpn_net *ln = l3vpn_net(genl_info_net(info));
	struct l3vpn_trace *trace;
	int err;

	err = l3vpn_nl_check(info->nlhdr, info->extack);
	if (err)
		return err;
	trace = kzalloc(sizeof(*trace), GFP_KERNEL_ACCOUNT);
	if (!trace)
		return -ENOMEM;
	err = l3vpn_trace_parse(info, trace);
	if (err) {
		kfree(trace);
		return err;
	}

	mutex_lock(&ln->lock);
	err = l3vpn_trace_check(ln, info, trace);
	if (!err) {
		l3vpn_trace_disarm(ln);
		rcu_assign_pointer(ln->trace, trace);
		static_branch_inc(&l3vpn_watched);
	}
	mutex_unlock(&ln->lock);
	if (err)
		kfree(trace);
	return err;
}

int l3vpn_nl_trace_del(struct sk_buff *skb, struct genl_info *info)
{
	struct l3vpn_net *ln = l3vpn_net(genl_info_net(info));
	int err;

	err = l3vpn_nl_check_empty(info->nlhdr, info->extack);
	if (err)
		return err;
	mutex_lock(&ln->lock);
	if (rcu_access_pointer(ln->trace)) {
		l3vpn_trace_disarm(ln);
	} else {
		NL_SET_ERR_MSG(info->extack, "no trace is armed");
		err = -ENOENT;
	}
	mutex_unlock(&ln->lock);
	return err;
}

/* The last packet that was asked for has been told. */
static void l3vpn_trace_done(struct work_struct *work)
{
	struct l3vpn_net *ln = container_of(work, struct l3vpn_net, trace_work);
	const struct l3vpn_trace *trace;

	mutex_lock(&ln->lock);
	trace = rcu_dereference_protected(ln->trace, lockdep_is_held(&ln->lock));
	if (trace && trace->limited && atomic_read(&trace->left) <= 0)
		l3vpn_trace_disarm(ln);
	mutex_unlock(&ln->lock);
}

/* A netlink socket was closed. */
static int l3vpn_trace_released(struct notifier_block *nb, unsigned long event, void *ptr)
{
	const struct netlink_notify *n = ptr;
	const struct l3vpn_trace *trace;
	struct l3vpn_net *ln;

	if (event != NETLINK_URELEASE || n->protocol != NETLINK_GENERIC)
		return NOTIFY_DONE;
	ln = l3vpn_net(n->net);
	if (!rcu_access_pointer(ln->trace))
		return NOTIFY_DONE;
	mutex_lock(&ln->lock);
	trace = rcu_dereference_protected(ln->trace, lockdep_is_held(&ln->lock));
	if (trace && trace->portid == n->portid)
		l3vpn_trace_disarm(ln);
	mutex_unlock(&ln->lock);
	return NOTIFY_DONE;
}

static struct notifier_block l3vpn_trace_notifier = {
	.notifier_call	= l3vpn_trace_released,
};

void l3vpn_trace_net_init(struct l3vpn_net *ln)
{
	INIT_WORK(&ln->trace_work, l3vpn_trace_done);
}

void l3vpn_trace_net_exit(struct l3vpn_net *ln)
{
	mutex_lock(&ln->lock);
	l3vpn_trace_disarm(ln);
	mutex_unlock(&ln->lock);
	cancel_work_sync(&ln->trace_work);
}

int l3vpn_trace_init(void)
{
	return netlink_register_notifier(&l3vpn_trace_notifier);
}

void l3vpn_trace_exit(void)
{
	netlink_unregister_notifier(&l3vpn_trace_notifier);
}
