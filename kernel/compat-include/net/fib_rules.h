/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Since Linux 6.15 the functions that add and delete FIB rules take the namespace; before, they
 * find it by the skb's socket.
 */
#ifndef _L3VPN_COMPAT_NET_FIB_RULES_H
#define _L3VPN_COMPAT_NET_FIB_RULES_H

#include_next <net/fib_rules.h>
#include <linux/version.h>

/* Under RTNL. */
static inline int l3vpn_compat_fib_rule(struct net *net, struct sk_buff *skb, struct nlmsghdr *nlh,
					bool add)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 15, 0)
	int err;

	skb->sk = net->rtnl;
	err = add ? fib_nl_newrule(skb, nlh, NULL) : fib_nl_delrule(skb, nlh, NULL);
	skb->sk = NULL;
	return err;
#else
	return add ? fib_newrule(net, skb, nlh, NULL, true) :
		     fib_delrule(net, skb, nlh, NULL, true);
#endif
}

#endif /* _L3VPN_COMPAT_NET_FIB_RULES_H */
