// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn: EPOCH_BEGIN and EPOCH_SWEEP.
 *
 * A daemon that starts opens an epoch, programs all that it knows (what is there already with the
 * same content only gets a new stamp), and sweeps what it did not touch. Forwarding goes on all the
 * while.
 */
#include <linux/rtnetlink.h>
#include <net/genetlink.h>

#include "endpoint.h"
#include "event.h"
#include "ilm.h"
#include "netlink.h"
#include "nexthop_ctl.h"
#include "port.h"
#include "port_ctl.h"
#include "route.h"
#include "vrf.h"
#include "vrf_dev.h"

#define L3VPN_SWEEP_KINDS	(BIT(L3VPN_OBJECT_VRF) | BIT(L3VPN_OBJECT_PORT) | \
				 BIT(L3VPN_OBJECT_NH) | BIT(L3VPN_OBJECT_ROUTE4) | \
				 BIT(L3VPN_OBJECT_ROUTE6) | BIT(L3VPN_OBJECT_LABEL) | \
				 BIT(L3VPN_OBJECT_ENDPOINT))

const struct nla_policy l3vpn_epoch_sweep_policy[L3VPN_EPOCH_KINDS + 1] = {
	[L3VPN_EPOCH_EPOCH]	= { .type = NLA_U32 },
	[L3VPN_EPOCH_KINDS]	= NLA_POLICY_MASK(NLA_U32, L3VPN_SWEEP_KINDS),
};

int l3vpn_nl_epoch_begin(struct sk_buff *skb, struct genl_info *info)
{
	struct l3vpn_net *ln = l3vpn_net(genl_info_net(info));
	struct sk_buff *msg;
	void *hdr;
	int err;

	err = l3vpn_nl_check_empty(info->nlhdr, info->extack);
	if (err)
		return err;
	msg = l3vpn_reply_start(info, L3VPN_CMD_EPOCH_BEGIN, nla_total_size(sizeof(u32)), &hdr);
	if (!msg)
		return -ENOMEM;
	mutex_lock(&ln->lock);
	WRITE_ONCE(ln->epoch, ln->epoch + 1);	/* read without the lock by l3vpn_nh_state() */
	l3vpn_route_age(ln);
	err = nla_put_u32(msg, L3VPN_EPOCH_EPOCH, ln->epoch);
	mutex_unlock(&ln->lock);
	return l3vpn_reply_send(info, msg, hdr, err);
}

/* Under ln->lock. */
static u64 l3vpn_sweep_routes(struct l3vpn_net *ln, u32 kinds)
{
	struct l3vpn_vrf *vrf;
	unsigned long id;
	u64 swept = 0;

	xa_for_each(&ln->vrfs, id, vrf) {
		if (kinds & BIT(L3VPN_OBJECT_ROUTE4))
			swept += l3vpn_route_sweep(vrf, 0);
		if (kinds & BIT(L3VPN_OBJECT_ROUTE6))
			swept += l3vpn_route_sweep(vrf, 1);
	}
	return swept;
}

/* Under RTNL, as the next two. Stamps are written under RTNL too. */
static u64 l3vpn_sweep_ports(struct l3vpn_net *ln)
{
	struct l3vpn_port *port;
	unsigned long ifindex;
	u64 swept = 0;

	xa_for_each(&ln->ports, ifindex, port) {
		if (!port->user || port->stamp == ln->epoch || l3vpn_port_is_used(port))
			continue;
		l3vpn_port_unbind(port);
		swept++;
	}
	return swept;
}

static u64 l3vpn_sweep_vrfs(struct l3vpn_net *ln)
{
	struct l3vpn_vrf *vrf;
	unsigned long id;
	LIST_HEAD(kill);
	u64 swept = 0;

	xa_for_each(&ln->vrfs, id, vrf) {
		if (!vrf->user || vrf->stamp == ln->epoch || l3vpn_vrf_is_used(vrf))
			continue;
		l3vpn_vrf_destroy(vrf, &kill);
		swept++;
	}
	unregister_netdevice_many(&kill);
	return swept;
}

/* Under RTNL. */
static int l3vpn_sweep(struct l3vpn_net *ln, u32 epoch, u32 kinds, u64 *swept,
		       struct netlink_ext_ack *extack)
{
	mutex_lock(&ln->lock);
	if (epoch != ln->epoch) {
		NL_SET_ERR_MSG_FMT(extack, "the current epoch is %u", ln->epoch);
		mutex_unlock(&ln->lock);
		return -ESTALE;
	}
	if (kinds & BIT(L3VPN_OBJECT_ENDPOINT))
		*swept += l3vpn_endpoint_sweep(ln);
	if (kinds & BIT(L3VPN_OBJECT_LABEL))
		*swept += l3vpn_ilm_sweep(ln);
	*swept += l3vpn_sweep_routes(ln, kinds);
	if (kinds & BIT(L3VPN_OBJECT_ROUTE4) && kinds & BIT(L3VPN_OBJECT_ROUTE6))
		ln->oldest = ln->epoch;
	if (kinds & BIT(L3VPN_OBJECT_NH))
		*swept += l3vpn_nh_sweep(ln);
	mutex_unlock(&ln->lock);

	if (kinds & BIT(L3VPN_OBJECT_PORT))
		*swept += l3vpn_sweep_ports(ln);
	if (kinds & BIT(L3VPN_OBJECT_VRF))
		*swept += l3vpn_sweep_vrfs(ln);
	return 0;
}

int l3vpn_nl_epoch_sweep(struct sk_buff *skb, struct genl_info *info)
{
	struct l3vpn_net *ln = l3vpn_net(genl_info_net(info));
	u32 kinds = L3VPN_SWEEP_KINDS;
	struct sk_buff *msg;
	u64 swept = 0;
	void *hdr;
	int err;

	err = l3vpn_nl_check(info->nlhdr, info->extack);
	if (err)
		return err;
	if (!info->attrs[L3VPN_EPOCH_EPOCH])
		return l3vpn_nl_missing(info, L3VPN_EPOCH_EPOCH, "epoch");
	if (info->attrs[L3VPN_EPOCH_KINDS])
		kinds = nla_get_u32(info->attrs[L3VPN_EPOCH_KINDS]);

	msg = l3vpn_reply_start(info, L3VPN_CMD_EPOCH_SWEEP, NLMSG_DEFAULT_SIZE, &hdr);
	if (!msg)
		return -ENOMEM;
	rtnl_lock();
	err = l3vpn_sweep(ln, nla_get_u32(info->attrs[L3VPN_EPOCH_EPOCH]), kinds, &swept,
			  info->extack);
	rtnl_unlock();
	if (!err)
		err = l3vpn_nla_put_u64(msg, L3VPN_EPOCH_SWEPT, swept);
	return l3vpn_reply_send(info, msg, hdr, err);
}
