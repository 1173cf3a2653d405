// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn: FIB rules of a namespace that has VRFs.
 *
 *   1000	l3mdev			a socket or packet of a layer 3 master looks in its table
 *   1001	l3mdev unreachable	and nowhere else: never a fall-through into the main table
 *
 * The first is the one that the stock vrf module adds too, so it may be there. The second serves
 * every layer 3 master of the namespace, whoever made it.
 */
#include <linux/fib_rules.h>
#include <linux/ipv6.h>
#include <linux/rtnetlink.h>
#include <net/fib_rules.h>
#include <net/netlink.h>

#include "l3vpn.h"
#include "vrf_dev.h"

#define L3VPN_RULE_PRIORITY	1000

static const struct {
	u8 family;
	u8 action;
	u32 priority;
} l3vpn_rules[] = {
	{ AF_INET,  FR_ACT_TO_TBL,	L3VPN_RULE_PRIORITY },
	{ AF_INET,  FR_ACT_UNREACHABLE,	L3VPN_RULE_PRIORITY + 1 },
	{ AF_INET6, FR_ACT_TO_TBL,	L3VPN_RULE_PRIORITY },
	{ AF_INET6, FR_ACT_UNREACHABLE,	L3VPN_RULE_PRIORITY + 1 },
};

static int l3vpn_vrf_rule(struct net *net, int i, bool add)
{
	struct fib_rule_hdr *frh;
	struct nlmsghdr *nlh;
	struct sk_buff *skb;
	int err = -EMSGSIZE;

	if (l3vpn_rules[i].family == AF_INET6 && !ipv6_mod_enabled())
		return -EAFNOSUPPORT;

	skb = nlmsg_new(sizeof(*frh) + nla_total_size(1) * 2 + nla_total_size(4), GFP_KERNEL);
	if (!skb)
		return -ENOMEM;
	nlh = nlmsg_put(skb, 0, 0, add ? RTM_NEWRULE : RTM_DELRULE, sizeof(*frh), 0);
	if (!nlh)
		goto out;
	nlh->nlmsg_flags |= NLM_F_EXCL;
	frh = nlmsg_data(nlh);
	memset(frh, 0, sizeof(*frh));
	frh->family = l3vpn_rules[i].family;
	frh->action = l3vpn_rules[i].action;
	if (nla_put_u8(skb, FRA_PROTOCOL, RTPROT_KERNEL) ||
	    nla_put_u8(skb, FRA_L3MDEV, 1) ||
	    nla_put_u32(skb, FRA_PRIORITY, l3vpn_rules[i].priority))
		goto out;
	nlmsg_end(skb, nlh);

	err = l3vpn_compat_fib_rule(net, skb, nlh, add);
out:
	nlmsg_free(skb);
	return err;
}

int l3vpn_vrf_rules_install(struct l3vpn_net *ln)
{
	int i, err;

	ASSERT_RTNL();
	for (i = 0; i < ARRAY_SIZE(l3vpn_rules); i++) {
		if (ln->rules & BIT(i))
			continue;
		err = l3vpn_vrf_rule(ln->net, i, true);
		if (!err)
			ln->rules |= BIT(i);
		else if (err != -EEXIST && err != -EAFNOSUPPORT)
			return err;
	}
	return 0;
}

void l3vpn_vrf_rules_remove(struct l3vpn_net *ln)
{
	int i;

	ASSERT_RTNL();
	for (i = ARRAY_SIZE(l3vpn_rules) - 1; i >= 0; i--) {
		if ((ln->rules & BIT(i)) && ln->net->rtnl)
			l3vpn_vrf_rule(ln->net, i, false);
	}
	ln->rules = 0;
}
