// SPDX-License-Identifier: GPL-2.0
/*
 * qos: the slower half of qos.h: disposition in all but the default model, and how user space sets and
 * sees the models and maps of a VRF.
 */
#include <net/dsfield.h>
#include <net/genetlink.h>
#include <net/inet_ecn.h>
#include "netlink.h"
#include "packet.h"
#include "qos.h"

#define DSCP_SHIFT	2	/* in TOS and traffic class; ECN is below */
#define MAP_WORD	8	/* entries of dscp_tc in one word */

/* The header is writable. */
static void set_dscp(struct sk_buff *skb, u8 dscp)
{
	if (l3vpn_is_ipv4(skb)) {
		ipv4_change_dsfield(ip_hdr(skb), INET_ECN_MASK, dscp << DSCP_SHIFT);
	} else {
		ipv6_change_dsfield(ipv6_hdr(skb), INET_ECN_MASK, dscp << DSCP_SHIFT);
		skb_forward_csum(skb);
	}
}

bool l3vpn_qos_pop(struct sk_buff *skb, const struct l3vpn_qos *qos, u8 ttl, u8 tc)
{
	u8 flags = READ_ONCE(qos->flags);
	bool lower = !(flags & L3VPN_QOS_TTL_PIPE) && l3vpn_ip_ttl(skb) > ttl;
	bool remark = (flags & L3VPN_QOS_TC_UNIFORM) &&
		      l3vpn_qos_map(qos, l3vpn_ip_dscp(skb)) != tc;

	if (flags & (L3VPN_QOS_TC_UNIFORM | L3VPN_QOS_TC_PIPE))
		skb->priority = tc;
	if (!lower && !remark)
		return true;
	if (skb_cow_head(skb, 0))
		return false;
	if (lower)
		l3vpn_ip_set_ttl(skb, ttl);
	if (remark)
		set_dscp(skb, READ_ONCE(qos->tc_dscp[tc]));
	return true;
}

/* RFC 2474 section 4.2.2: the class selectors. */
static void set_default_tc_dscp(u8 *map)
{
	unsigned int tc;

	for (tc = 0; tc < L3VPN_TC_COUNT; tc++)
		map[tc] = tc << 3;
}

static u32 map_word(const u8 *tc)
{
	u32 word = 0;
	unsigned int i;

	for (i = 0; i < MAP_WORD; i++)
		word |= (u32)tc[i] << i * 4;
	return word;
}

/* Returns whether @tc, L3VPN_DSCP_COUNT octets, differs from the DSCP's top three bits anywhere. */
static bool set_dscp_tc(struct l3vpn_qos *qos, const u8 *tc)
{
	bool differs = false;
	unsigned int dscp;

	for (dscp = 0; dscp < L3VPN_DSCP_COUNT; dscp++)
		differs |= tc[dscp] != dscp >> 3;
	for (dscp = 0; dscp < L3VPN_DSCP_COUNT; dscp += MAP_WORD)
		WRITE_ONCE(qos->dscp_tc[dscp / MAP_WORD], map_word(tc + dscp));
	return differs;
}

void l3vpn_qos_init(struct l3vpn_qos *qos)
{
	u8 tc[L3VPN_DSCP_COUNT];
	unsigned int dscp;

	qos->flags = 0;
	set_default_tc_dscp(qos->tc_dscp);
	for (dscp = 0; dscp < L3VPN_DSCP_COUNT; dscp++)
		tc[dscp] = dscp >> 3;
	set_dscp_tc(qos, tc);
}

static int check_map(struct genl_info *info, int kind, u8 max, const char *from, const char *to)
{
	struct nlattr *attr = info->attrs[kind];
	int i;

	if (!attr)
		return 0;
	for (i = 0; i < nla_len(attr); i++) {
		u8 value = ((u8 *)nla_data(attr))[i];

		if (value > max) {
			NL_SET_BAD_ATTR(info->extack, attr);
			NL_SET_ERR_MSG_FMT(info->extack, "%s %d: %s %u is above %u", from, i, to,
					   value, max);
			return -EINVAL;
		}
	}
	return 0;
}

int l3vpn_qos_check(struct genl_info *info)
{
	int err = check_map(info, L3VPN_VRF_DSCP_TC, L3VPN_TC_COUNT - 1, "DSCP", "TC");

	return err ? err : check_map(info, L3VPN_VRF_TC_DSCP, L3VPN_DSCP_COUNT - 1, "TC", "DSCP");
}

static u8 tc_model_flag(u8 model)
{
	switch (model) {
	case L3VPN_MODEL_UNIFORM:
		return L3VPN_QOS_TC_UNIFORM;
	case L3VPN_MODEL_PIPE:
		return L3VPN_QOS_TC_PIPE;
	}
	return 0;
}

void l3vpn_qos_set(struct l3vpn_qos *qos, struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	u8 flags = qos->flags;
	unsigned int tc;

	if (attrs[L3VPN_VRF_TC_DSCP]) {
		const u8 *dscp = nla_data(attrs[L3VPN_VRF_TC_DSCP]);

		for (tc = 0; tc < L3VPN_TC_COUNT; tc++)
			WRITE_ONCE(qos->tc_dscp[tc], dscp[tc]);
	}
	if (attrs[L3VPN_VRF_DSCP_TC]) {
		flags &= ~L3VPN_QOS_MAP;
		if (set_dscp_tc(qos, nla_data(attrs[L3VPN_VRF_DSCP_TC])))
			flags |= L3VPN_QOS_MAP;
	}
	if (attrs[L3VPN_VRF_TTL_MODEL]) {
		flags &= ~L3VPN_QOS_TTL_PIPE;
		if (nla_get_u8(attrs[L3VPN_VRF_TTL_MODEL]) == L3VPN_MODEL_PIPE)
			flags |= L3VPN_QOS_TTL_PIPE;
	}
	if (attrs[L3VPN_VRF_TC_MODEL]) {
		flags &= ~(L3VPN_QOS_TC_PIPE | L3VPN_QOS_TC_UNIFORM);
		flags |= tc_model_flag(nla_get_u8(attrs[L3VPN_VRF_TC_MODEL]));
	}
	WRITE_ONCE(qos->flags, flags);
}

int l3vpn_qos_fill(struct sk_buff *msg, const struct l3vpn_qos *qos)
{
	u8 tc_model = L3VPN_MODEL_SHORT_PIPE, dscp_tc[L3VPN_DSCP_COUNT];
	unsigned int dscp;

	if (qos->flags & L3VPN_QOS_TC_UNIFORM)
		tc_model = L3VPN_MODEL_UNIFORM;
	else if (qos->flags & L3VPN_QOS_TC_PIPE)
		tc_model = L3VPN_MODEL_PIPE;
	for (dscp = 0; dscp < L3VPN_DSCP_COUNT; dscp++)
		dscp_tc[dscp] = l3vpn_qos_map(qos, dscp);
	if (nla_put_u8(msg, L3VPN_VRF_TTL_MODEL, qos->flags & L3VPN_QOS_TTL_PIPE ?
		       L3VPN_MODEL_PIPE : L3VPN_MODEL_UNIFORM) ||
	    nla_put_u8(msg, L3VPN_VRF_TC_MODEL, tc_model) ||
	    nla_put(msg, L3VPN_VRF_DSCP_TC, sizeof(dscp_tc), dscp_tc) ||
	    nla_put(msg, L3VPN_VRF_TC_DSCP, sizeof(qos->tc_dscp), qos->tc_dscp))
		return -EMSGSIZE;
	return 0;
}
