// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn: ROUTE_GET: what a flow would meet (do), and the routes of a VRF (dump).
 *
 * A dump sends user space's routes first, sorted by prefix, each message as full of records as it
 * gets; then those that the module keeps by itself, marked so.
 */
#include <net/genetlink.h>
#include <net/sock.h>

#include "forward.h"
#include "kept.h"
#include "netlink.h"
#include "nexthop.h"
#include "route.h"
#include "vrf.h"

const struct nla_policy l3vpn_route_get_policy[L3VPN_ROUTE_FLOWLABEL + 1] = {
	[L3VPN_ROUTE_VRF]	= NLA_POLICY_FULL_RANGE(NLA_U32, &l3vpn_range_vrf),
	[L3VPN_ROUTE_FAMILY]	= NLA_POLICY_RANGE(NLA_U8, AF_INET, AF_INET6),
	[L3VPN_ROUTE_DST4]	= { .type = NLA_U32 },
	[L3VPN_ROUTE_DST6]	= NLA_POLICY_EXACT_LEN(16),
	[L3VPN_ROUTE_SRC4]	= { .type = NLA_U32 },
	[L3VPN_ROUTE_SRC6]	= NLA_POLICY_EXACT_LEN(16),
	[L3VPN_ROUTE_PROTO]	= { .type = NLA_U8 },
	[L3VPN_ROUTE_SPORT]	= { .type = NLA_U16 },
	[L3VPN_ROUTE_DPORT]	= { .type = NLA_U16 },
	[L3VPN_ROUTE_FLOWLABEL]	= NLA_POLICY_FULL_RANGE(NLA_U32, &l3vpn_range_flowlabel),
};

/* Writes one record at @to, which has room for it; returns its size. */
static u32 l3vpn_record_put(void *to, int v6, struct l3vpn_key key, u8 plen,
			    struct l3vpn_leaf leaf)
{
	struct l3vpn_route4 rec4 = {
		.nh = l3vpn_leaf_nh(leaf)->id,
		.label = l3vpn_route_label(leaf),
		.plen = plen,
	};
	struct l3vpn_route6 rec6 = {
		.nh = l3vpn_leaf_nh(leaf)->id,
		.label = l3vpn_route_label(leaf),
		.plen = plen,
	};

	if (v6) {
		l3vpn_key_to6(key, rec6.prefix);
		memcpy(to, &rec6, sizeof(rec6));
		return sizeof(rec6);
	}
	rec4.prefix = l3vpn_key_to4(key);
	memcpy(to, &rec4, sizeof(rec4));
	return sizeof(rec4);
}

/* The flow that a request asks about. 0, or -EINVAL with extack set. */
static int l3vpn_flow_parse(struct genl_info *info, struct l3vpn_flow *flow)
{
	struct nlattr **attrs = info->attrs;
	bool v4 = attrs[L3VPN_ROUTE_DST4] || attrs[L3VPN_ROUTE_SRC4];
	bool v6 = attrs[L3VPN_ROUTE_DST6] || attrs[L3VPN_ROUTE_SRC6];

	if (v4 && v6) {
		NL_SET_ERR_MSG(info->extack, "IPv4 and IPv6 addresses in one request");
		return -EINVAL;
	}
	if (attrs[L3VPN_ROUTE_FAMILY]) {
		NL_SET_ERR_MSG_ATTR(info->extack, attrs[L3VPN_ROUTE_FAMILY],
				    "the destination tells the family");
		return -EINVAL;
	}
	if (attrs[L3VPN_ROUTE_DST4]) {
		flow->family = AF_INET;
		flow->daddr.s6_addr32[0] = nla_get_be32(attrs[L3VPN_ROUTE_DST4]);
		if (attrs[L3VPN_ROUTE_SRC4])
			flow->saddr.s6_addr32[0] = nla_get_be32(attrs[L3VPN_ROUTE_SRC4]);
	} else if (attrs[L3VPN_ROUTE_DST6]) {
		flow->family = AF_INET6;
		flow->daddr = nla_get_in6_addr(attrs[L3VPN_ROUTE_DST6]);
		if (attrs[L3VPN_ROUTE_SRC6])
			flow->saddr = nla_get_in6_addr(attrs[L3VPN_ROUTE_SRC6]);
	} else {
		return l3vpn_nl_missing(info, L3VPN_ROUTE_DST4, "destination");
	}
	if (attrs[L3VPN_ROUTE_FLOWLABEL]) {
		if (flow->family != AF_INET6) {
			NL_SET_ERR_MSG_ATTR(info->extack, attrs[L3VPN_ROUTE_FLOWLABEL],
					    "IPv4 has no flow label");
			return -EINVAL;
		}
		flow->label = nla_get_u32(attrs[L3VPN_ROUTE_FLOWLABEL]);
	}
	if (attrs[L3VPN_ROUTE_PROTO])
		flow->proto = nla_get_u8(attrs[L3VPN_ROUTE_PROTO]);
	if (attrs[L3VPN_ROUTE_SPORT])
		flow->sport = nla_get_be16(attrs[L3VPN_ROUTE_SPORT]);
	if (attrs[L3VPN_ROUTE_DPORT])
		flow->dport = nla_get_be16(attrs[L3VPN_ROUTE_DPORT]);
	return 0;
}

/* The address's first @plen bits. */
static struct l3vpn_key l3vpn_flow_prefix(const struct l3vpn_flow *flow, u8 plen)
{
	struct l3vpn_key key;

	key = flow->family == AF_INET ? l3vpn_key4(flow->daddr.s6_addr32[0]) :
					l3vpn_key6(&flow->daddr);
	if (plen <= 64) {
		key.lo = 0;
		key.hi = plen ? key.hi & (~0ULL << (64 - plen)) : 0;
	} else if (plen < 128) {
		key.lo &= ~0ULL << (128 - plen);
	}
	return key;
}

/* Under ln->lock. */
static int l3vpn_flow_answer(struct l3vpn_net *ln, struct genl_info *info, struct sk_buff *msg,
			     const struct l3vpn_flow *flow)
{
	u32 id = nla_get_u32(info->attrs[L3VPN_ROUTE_VRF]);
	struct l3vpn_vrf *vrf = l3vpn_vrf_find(ln, id);
	int v6 = flow->family == AF_INET6;
	struct l3vpn_leaf leaf;
	const struct l3vpn_nh *member;
	u8 rec[sizeof(struct l3vpn_route6)];
	int err, plen;
	u32 len;

	if (!vrf) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[L3VPN_ROUTE_VRF], "no such VRF");
		return -ENOENT;
	}
	rcu_read_lock();
	leaf = l3vpn_forward_lookup_rcu(flow, &vrf);
	if (l3vpn_leaf_none(leaf)) {
		rcu_read_unlock();
		NL_SET_ERR_MSG(info->extack, "no route");
		return -ENETUNREACH;
	}
	member = l3vpn_forward_member_rcu(l3vpn_leaf_nh(leaf), l3vpn_flow_hash(flow));
	plen = l3vpn_fib_match(l3vpn_vrf_fib(vrf, v6), l3vpn_flow_prefix(flow, v6 ? 128 : 32),
			       v6 ? 128 : 32);
	len = l3vpn_record_put(rec, v6, l3vpn_flow_prefix(flow, plen), plen, leaf);
	err = nla_put_u32(msg, L3VPN_ROUTE_VRF, id) ||
	      nla_put_u32(msg, L3VPN_ROUTE_MATCH_VRF, vrf->id) ||
	      nla_put_u8(msg, L3VPN_ROUTE_FAMILY, flow->family) ||
	      nla_put(msg, v6 ? L3VPN_ROUTE_RECORDS6 : L3VPN_ROUTE_RECORDS4, len, rec) ||
	      (member && nla_put_u32(msg, L3VPN_ROUTE_MEMBER, member->id)) ||
	      nla_put_u8(msg, L3VPN_ROUTE_KERNEL, l3vpn_leaf_kernel(leaf));
	rcu_read_unlock();
	return err ? -EMSGSIZE : 0;
}

int l3vpn_nl_route_get(struct sk_buff *skb, struct genl_info *info)
{
	struct l3vpn_net *ln = l3vpn_net(genl_info_net(info));
	struct l3vpn_flow flow = {};
	struct sk_buff *msg;
	void *hdr;
	int err;

	err = l3vpn_nl_check(info->nlhdr, info->extack);
	if (err)
		return err;
	if (!info->attrs[L3VPN_ROUTE_VRF])
		return l3vpn_nl_missing(info, L3VPN_ROUTE_VRF, "VRF");
	err = l3vpn_flow_parse(info, &flow);
	if (err)
		return err;

	msg = l3vpn_reply_start(info, L3VPN_CMD_ROUTE_GET, NLMSG_DEFAULT_SIZE, &hdr);
	if (!msg)
		return -ENOMEM;
	mutex_lock(&ln->lock);
	err = l3vpn_flow_answer(ln, info, msg, &flow);
	mutex_unlock(&ln->lock);
	return l3vpn_reply_send(info, msg, hdr, err);
}

/**
 * struct l3vpn_route_dump - where a dump stands
 * @cursor:	in the FIB, of user space's routes
 * @vrf:	VRF id
 * @skip:	kept entries told already
 * @v6:		family
 * @kept:	user space's routes have all been told
 * @done:	everything has
 */
struct l3vpn_route_dump {
	struct l3vpn_fib_cursor cursor;
	u32 vrf;
	u32 skip;
	u8 v6;
	bool kept;
	bool done;
};

int l3vpn_nl_route_dump_start(struct netlink_callback *cb)
{
	struct l3vpn_route_dump *ctx = (void *)cb->ctx;
	struct nlattr **attrs = l3vpn_dump_attrs(cb);
	int attr, err;

	BUILD_BUG_ON(sizeof(*ctx) > sizeof(cb->ctx));
	err = l3vpn_nl_check(cb->nlh, cb->extack);
	if (err)
		return err;
	if (!attrs[L3VPN_ROUTE_VRF] || !attrs[L3VPN_ROUTE_FAMILY]) {
		NL_SET_ERR_MSG(cb->extack, "a dump of routes needs VRF and family");
		return -EINVAL;
	}
	for (attr = L3VPN_ROUTE_DST4; attr <= L3VPN_ROUTE_FLOWLABEL; attr++) {
		if (!attrs[attr])
			continue;
		NL_SET_ERR_MSG_ATTR(cb->extack, attrs[attr], "not for a dump");
		return -EINVAL;
	}
	switch (nla_get_u8(attrs[L3VPN_ROUTE_FAMILY])) {
	case AF_INET:
		break;
	case AF_INET6:
		ctx->v6 = 1;
		break;
	default:
		NL_SET_ERR_MSG_ATTR(cb->extack, attrs[L3VPN_ROUTE_FAMILY], "neither IPv4 nor IPv6");
		return -EINVAL;
	}
	ctx->vrf = nla_get_u32(attrs[L3VPN_ROUTE_VRF]);
	return 0;
}

/**
 * struct l3vpn_page - one message being filled with records
 * @skb:	message
 * @nla:	the attribute that holds them
 * @vrf:	VRF
 * @v6:		family
 */
struct l3vpn_page {
	struct sk_buff *skb;
	struct nlattr *nla;
	struct l3vpn_vrf *vrf;
	int v6;
};

/* 0, or 1 where the message is full. */
static int l3vpn_page_put(struct l3vpn_page *page, struct l3vpn_key key, u8 plen,
			  struct l3vpn_leaf leaf)
{
	u32 size = page->v6 ? sizeof(struct l3vpn_route6) : sizeof(struct l3vpn_route4);

	if (skb_tailroom(page->skb) < size || page->nla->nla_len + size > U16_MAX)
		return 1;
	l3vpn_record_put(skb_put(page->skb, size), page->v6, key, plen, leaf);
	page->nla->nla_len += size;
	return 0;
}

static int l3vpn_page_user(struct l3vpn_key key, u8 plen, struct l3vpn_leaf leaf, void *arg)
{
	struct l3vpn_page *page = arg;
	struct l3vpn_kept *kept;

	if (!l3vpn_leaf_kernel(leaf))
		return l3vpn_page_put(page, key, plen, leaf);
	kept = l3vpn_kept_find(page->vrf, page->v6, key, plen);
	return kept && kept->shadowed ? l3vpn_page_put(page, key, plen, kept->shadow) : 0;
}

/* 0 when all were told, 1 when there are more. */
static int l3vpn_page_kept(struct l3vpn_page *page, u32 *skip)
{
	struct l3vpn_fib *fib = l3vpn_vrf_fib(page->vrf, page->v6);
	struct l3vpn_kept *kept;
	u32 i = 0;

	list_for_each_entry(kept, &page->vrf->kept, node) {
		struct l3vpn_leaf leaf = {};

		if (i++ < *skip)
			continue;
		if (kept->v6 == page->v6)
			leaf = l3vpn_fib_find(fib, kept->key, kept->plen);
		if (l3vpn_leaf_kernel(leaf) && l3vpn_page_put(page, kept->key, kept->plen, leaf))
			return 1;
		*skip = i;
	}
	return 0;
}

/* One answer. 0, or -EMSGSIZE where the message has no room for it. */
static int l3vpn_route_dump_page(struct sk_buff *skb, struct netlink_callback *cb,
				 struct l3vpn_vrf *vrf)
{
	struct l3vpn_route_dump *ctx = (void *)cb->ctx;
	struct l3vpn_page page = { .skb = skb, .vrf = vrf, .v6 = ctx->v6 };
	void *hdr = l3vpn_dump_put(skb, cb, L3VPN_CMD_ROUTE_GET);
	int more;

	if (!hdr)
		return -EMSGSIZE;
	if (nla_put_u32(skb, L3VPN_ROUTE_VRF, ctx->vrf) ||
	    nla_put_u8(skb, L3VPN_ROUTE_FAMILY, ctx->v6 ? AF_INET6 : AF_INET) ||
	    nla_put_u8(skb, L3VPN_ROUTE_KERNEL, ctx->kept))
		goto full;
	page.nla = nla_reserve(skb, ctx->v6 ? L3VPN_ROUTE_RECORDS6 : L3VPN_ROUTE_RECORDS4, 0);
	if (!page.nla)
		goto full;

	if (ctx->kept) {
		more = l3vpn_page_kept(&page, &ctx->skip);
		ctx->done = !more;
	} else {
		more = l3vpn_fib_walk(l3vpn_vrf_fib(vrf, ctx->v6), &ctx->cursor, l3vpn_page_user,
				      &page);
		ctx->kept = !more;
	}
	if (page.nla->nla_len == NLA_HDRLEN) {
		genlmsg_cancel(skb, hdr);
		return more ? -EMSGSIZE : 0;
	}
	genlmsg_end(skb, hdr);
	return 0;

full:
	genlmsg_cancel(skb, hdr);
	return -EMSGSIZE;
}

int l3vpn_nl_route_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct l3vpn_net *ln = l3vpn_net(sock_net(skb->sk));
	struct l3vpn_route_dump *ctx = (void *)cb->ctx;
	struct l3vpn_vrf *vrf;

	mutex_lock(&ln->lock);
	vrf = l3vpn_vrf_find(ln, ctx->vrf);
	if (!vrf) {
		mutex_unlock(&ln->lock);
		return skb->len ? skb->len : -ENOENT;
	}
	while (!ctx->done) {
		if (l3vpn_route_dump_page(skb, cb, vrf))
			break;
	}
	mutex_unlock(&ln->lock);
	return skb->len;
}
