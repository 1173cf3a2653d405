// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn: INFO_GET, TABLE_GET, DROP_GET, STATS_CLEAR: what concerns whole tables. Epochs are in
 * netlink_epoch.c.
 */
#include <net/genetlink.h>
#include <net/sock.h>

#include "endpoint.h"
#include "ilm.h"
#include "label.h"
#include "netlink.h"
#include "nexthop.h"
#include "object.h"
#include "port.h"
#include "vrf.h"

#define L3VPN_VERSION	"0.1"

const struct nla_policy l3vpn_table_get_policy[L3VPN_TABLE_VRF + 1] = {
	[L3VPN_TABLE_KIND]	= NLA_POLICY_RANGE(NLA_U8, L3VPN_OBJECT_VRF, L3VPN_OBJECT_ENDPOINT),
	[L3VPN_TABLE_VRF]	= { .type = NLA_U32 },
};

#define L3VPN_CLEAR_MASK	(BIT(L3VPN_OBJECT_UNSPEC) | BIT(L3VPN_OBJECT_VRF) | \
				 BIT(L3VPN_OBJECT_PORT) | BIT(L3VPN_OBJECT_NH) | \
				 BIT(L3VPN_OBJECT_LABEL) | BIT(L3VPN_OBJECT_ENDPOINT))

const struct nla_policy l3vpn_clear_policy[L3VPN_CLEAR_KINDS + 1] = {
	[L3VPN_CLEAR_KINDS]	= NLA_POLICY_MASK(NLA_U32, L3VPN_CLEAR_MASK),
};

static int l3vpn_info_fill(struct sk_buff *msg, const struct l3vpn_net *ln)
{
	if (l3vpn_nla_put_u64(msg, L3VPN_INFO_INSTANCE, l3vpn_instance) ||
	    nla_put_u32(msg, L3VPN_INFO_EPOCH, ln->epoch) ||
	    nla_put_u32(msg, L3VPN_INFO_VRFS, ln->vrf_count) ||
	    nla_put_u32(msg, L3VPN_INFO_PORTS, ln->port_count) ||
	    nla_put_u32(msg, L3VPN_INFO_NHS, ln->nh_count) ||
	    l3vpn_nla_put_u64(msg, L3VPN_INFO_ROUTES4, ln->route_count[0]) ||
	    l3vpn_nla_put_u64(msg, L3VPN_INFO_ROUTES6, ln->route_count[1]) ||
	    nla_put_u32(msg, L3VPN_INFO_LABELS, ln->label_count) ||
	    nla_put_string(msg, L3VPN_INFO_VERSION, L3VPN_VERSION) ||
	    l3vpn_nla_put_u64(msg, L3VPN_INFO_LABELS_UNCOUNTED,
			      l3vpn_tally_read(ln->uncounted).packets -
			      ln->uncounted_base.packets) ||
	    nla_put_u32(msg, L3VPN_INFO_ENDPOINTS, ln->endpoint_count))
		return -EMSGSIZE;
	return 0;
}

int l3vpn_nl_info_get(struct sk_buff *skb, struct genl_info *info)
{
	struct l3vpn_net *ln = l3vpn_net(genl_info_net(info));
	struct sk_buff *msg;
	void *hdr;
	int err;

	err = l3vpn_nl_check_empty(info->nlhdr, info->extack);
	if (err)
		return err;
	msg = l3vpn_reply_start(info, L3VPN_CMD_INFO_GET, NLMSG_DEFAULT_SIZE, &hdr);
	if (!msg)
		return -ENOMEM;
	mutex_lock(&ln->lock);
	err = l3vpn_info_fill(msg, ln);
	mutex_unlock(&ln->lock);
	return l3vpn_reply_send(info, msg, hdr, err);
}

/**
 * struct l3vpn_table - one answer of TABLE_GET
 * @kind:	enum l3vpn_object
 * @vrf:	ROUTE4, ROUTE6: VRF id; else 0
 * @count:	objects made by user space
 * @digest:	their digest; for VRF and PORT there is none
 */
struct l3vpn_table {
	u8 kind;
	u32 vrf;
	u64 count;
	u64 digest;
};

/* 0, or -EMSGSIZE. A table that the request does not ask for is no answer, and 0. */
static int l3vpn_table_tell(struct sk_buff *skb, struct netlink_callback *cb,
			    const struct l3vpn_table *table)
{
	struct nlattr **attrs = l3vpn_dump_attrs(cb);
	bool routes = table->kind == L3VPN_OBJECT_ROUTE4 || table->kind == L3VPN_OBJECT_ROUTE6;
	bool digest = table->kind != L3VPN_OBJECT_VRF && table->kind != L3VPN_OBJECT_PORT;
	void *hdr;

	if (attrs[L3VPN_TABLE_KIND] && nla_get_u8(attrs[L3VPN_TABLE_KIND]) != table->kind)
		return 0;
	if (attrs[L3VPN_TABLE_VRF] &&
	    (!routes || nla_get_u32(attrs[L3VPN_TABLE_VRF]) != table->vrf))
		return 0;

	hdr = l3vpn_dump_put(skb, cb, L3VPN_CMD_TABLE_GET);
	if (!hdr)
		return -EMSGSIZE;
	if (nla_put_u8(skb, L3VPN_TABLE_KIND, table->kind) ||
	    (routes && nla_put_u32(skb, L3VPN_TABLE_VRF, table->vrf)) ||
	    nla_put_u64_64bit(skb, L3VPN_TABLE_COUNT, table->count, L3VPN_TABLE_PAD) ||
	    (digest && nla_put_u64_64bit(skb, L3VPN_TABLE_DIGEST, table->digest,
					 L3VPN_TABLE_PAD))) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

#define L3VPN_GLOBAL_TABLES	5

static void l3vpn_table_global(const struct l3vpn_net *ln, u32 i, struct l3vpn_table *table)
{
	const struct l3vpn_table tables[L3VPN_GLOBAL_TABLES] = {
		{ .kind = L3VPN_OBJECT_VRF, .count = ln->vrf_count },
		{ .kind = L3VPN_OBJECT_PORT, .count = ln->port_count },
		{ .kind = L3VPN_OBJECT_NH, .count = ln->nh_count, .digest = ln->nh_digest },
		{ .kind = L3VPN_OBJECT_LABEL, .count = ln->label_count,
		  .digest = ln->label_digest },
		{ .kind = L3VPN_OBJECT_ENDPOINT, .count = ln->endpoint_count,
		  .digest = ln->endpoint_digest },
	};

	*table = tables[i];
}

/**
 * struct l3vpn_table_dump - where a dump stands
 * @vrf:	VRF id that comes next, once the global tables were told
 * @global:	global tables told
 * @v6:		of that VRF, IPv4's was told
 */
struct l3vpn_table_dump {
	unsigned long vrf;
	u32 global;
	u32 v6;
};

/* Under ln->lock. */
static void l3vpn_table_dump_vrfs(struct l3vpn_net *ln, struct sk_buff *skb,
				  struct netlink_callback *cb, struct l3vpn_table_dump *ctx)
{
	struct l3vpn_vrf *vrf;
	unsigned long id;

	xa_for_each_start(&ln->vrfs, id, vrf, ctx->vrf) {
		if (ctx->vrf != id)
			ctx->v6 = 0;
		ctx->vrf = id;
		for (; ctx->v6 < 2; ctx->v6++) {
			const struct l3vpn_table table = {
				.kind = ctx->v6 ? L3VPN_OBJECT_ROUTE6 : L3VPN_OBJECT_ROUTE4,
				.vrf = vrf->id,
				.count = vrf->routes[ctx->v6],
				.digest = vrf->digest[ctx->v6],
			};

			if (l3vpn_table_tell(skb, cb, &table))
				return;
		}
		ctx->vrf = id + 1;
		ctx->v6 = 0;
	}
	ctx->vrf = ULONG_MAX;
}

int l3vpn_nl_table_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct l3vpn_net *ln = l3vpn_net(sock_net(skb->sk));
	struct l3vpn_table_dump *ctx = (void *)cb->ctx;
	struct l3vpn_table table;

	BUILD_BUG_ON(sizeof(*ctx) > sizeof(cb->ctx));
	mutex_lock(&ln->lock);
	for (; ctx->global < L3VPN_GLOBAL_TABLES; ctx->global++) {
		l3vpn_table_global(ln, ctx->global, &table);
		if (l3vpn_table_tell(skb, cb, &table))
			goto out;
	}
	l3vpn_table_dump_vrfs(ln, skb, cb, ctx);
out:
	mutex_unlock(&ln->lock);
	return skb->len;
}

struct l3vpn_drop_dump {
	u32 next;
};

int l3vpn_nl_drop_dump_start(struct netlink_callback *cb)
{
	return l3vpn_nl_check_empty(cb->nlh, cb->extack);
}

int l3vpn_nl_drop_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct l3vpn_net *ln = l3vpn_net(sock_net(skb->sk));
	struct l3vpn_drop_dump *ctx = (void *)cb->ctx;

	BUILD_BUG_ON(sizeof(*ctx) > sizeof(cb->ctx));
	mutex_lock(&ln->lock);
	for (; ctx->next < L3VPN_DROP_REASON_MAX; ctx->next++) {
		u8 reason = ctx->next + 1;
		void *hdr = l3vpn_dump_put(skb, cb, L3VPN_CMD_DROP_GET);

		if (!hdr)
			break;
		if (nla_put_u8(skb, L3VPN_DROP_REASON, reason) ||
		    nla_put_u64_64bit(skb, L3VPN_DROP_PACKETS,
				      l3vpn_drops_sum(ln, reason) - ln->drop_base[reason],
				      L3VPN_DROP_ATTR_PAD)) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
	}
	mutex_unlock(&ln->lock);
	return skb->len;
}

/* Under ln->lock. Counters themselves are never written: their readers subtract a base. */
static int l3vpn_stats_clear(struct l3vpn_net *ln, u32 kinds)
{
	struct l3vpn_endpoint *ep;
	struct l3vpn_port *port;
	struct l3vpn_nh *nh;
	struct l3vpn_vrf *vrf;
	unsigned long id;
	u32 i;

	if (kinds & BIT(L3VPN_OBJECT_UNSPEC)) {
		for (i = 0; i <= L3VPN_DROP_REASON_MAX; i++)
			ln->drop_base[i] = l3vpn_drops_sum(ln, i);
	}
	if (kinds & BIT(L3VPN_OBJECT_VRF)) {
		xa_for_each(&ln->vrfs, id, vrf)
			l3vpn_counters_sum(vrf->counters, &vrf->base);
	}
	if (kinds & BIT(L3VPN_OBJECT_PORT)) {
		xa_for_each(&ln->ports, id, port)
			l3vpn_counters_sum(port->counters, &port->base);
	}
	if (kinds & BIT(L3VPN_OBJECT_NH)) {
		xa_for_each(&ln->nhs, id, nh)
			nh->base = l3vpn_tally_read(nh->tally);
	}
	if (kinds & BIT(L3VPN_OBJECT_ENDPOINT)) {
		xa_for_each(&ln->endpoints, id, ep)
			l3vpn_counters_sum(ep->counters, &ep->base);
	}
	if (kinds & BIT(L3VPN_OBJECT_LABEL)) {
		ln->uncounted_base = l3vpn_tally_read(ln->uncounted);
		return l3vpn_ilm_tally_clear(ln);
	}
	return 0;
}

int l3vpn_nl_stats_clear(struct sk_buff *skb, struct genl_info *info)
{
	struct l3vpn_net *ln = l3vpn_net(genl_info_net(info));
	u32 kinds = L3VPN_CLEAR_MASK;
	int err;

	err = l3vpn_nl_check(info->nlhdr, info->extack);
	if (err)
		return err;
	if (info->attrs[L3VPN_CLEAR_KINDS])
		kinds = nla_get_u32(info->attrs[L3VPN_CLEAR_KINDS]);

	mutex_lock(&ln->lock);
	err = l3vpn_stats_clear(ln, kinds);
	mutex_unlock(&ln->lock);
	if (err)
		NL_SET_ERR_MSG(info->extack, "not all labels are cleared: no memory");
	return err;
}
