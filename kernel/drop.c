// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn: the one place where a packet ends: counted by reason, sampled for whoever listens.
 */
#include <linux/jiffies.h>
#include <net/genetlink.h>

#include "l3vpn.h"
#include "netlink.h"
#include "port.h"
#include "stats.h"
#include "trace.h"
#include "vrf.h"

#define L3VPN_SAMPLES_PER_SECOND	100
#define L3VPN_SAMPLE_OCTETS		128U

static bool l3vpn_sample_allowed(struct l3vpn_net *ln)
{
	unsigned long second = jiffies / HZ;

	if (READ_ONCE(ln->sample_second) != second) {
		WRITE_ONCE(ln->sample_second, second);
		atomic_set(&ln->sample_tokens, L3VPN_SAMPLES_PER_SECOND);
	}
	return atomic_dec_if_positive(&ln->sample_tokens) >= 0;
}

static int l3vpn_sample_fill(struct sk_buff *msg, const struct sk_buff *skb,
			     enum l3vpn_drop reason, const struct l3vpn_vrf *vrf,
			     const struct l3vpn_port *port)
{
	int offset = skb_network_offset(skb);
	u32 len = skb->len - offset;
	u32 part = min(len, L3VPN_SAMPLE_OCTETS);
	struct nlattr *nla;

	if (nla_put_u8(msg, L3VPN_DROP_REASON, reason) ||
	    nla_put_s32(msg, L3VPN_DROP_IFINDEX, port ? port->dev->ifindex : 0) ||
	    nla_put_u32(msg, L3VPN_DROP_VRF, vrf ? vrf->id : L3VPN_VRF_GLOBAL) ||
	    nla_put_be16(msg, L3VPN_DROP_PROTO, skb->protocol) ||
	    nla_put_u32(msg, L3VPN_DROP_LENGTH, len))
		return -EMSGSIZE;

	nla = nla_reserve(msg, L3VPN_DROP_PACKET, part);
	if (!nla)
		return -EMSGSIZE;
	return skb_copy_bits(skb, offset, nla_data(nla), part);
}

static void l3vpn_sample(struct l3vpn_net *ln, const struct sk_buff *skb, enum l3vpn_drop reason,
			 const struct l3vpn_vrf *vrf, const struct l3vpn_port *port)
{
	struct sk_buff *msg;
	void *hdr;

	if (!l3vpn_sample_allowed(ln))
		return;
	msg = genlmsg_new(64 + L3VPN_SAMPLE_OCTETS, GFP_ATOMIC);
	if (!msg)
		return;
	hdr = genlmsg_put(msg, 0, 0, &l3vpn_family, 0, L3VPN_CMD_DROP_SAMPLE);
	if (!hdr || l3vpn_sample_fill(msg, skb, reason, vrf, port)) {
		nlmsg_free(msg);
		return;
	}
	genlmsg_end(msg, hdr);
	genlmsg_multicast_netns(&l3vpn_family, ln->net, msg, 0, L3VPN_GROUP_DROPS, GFP_ATOMIC);
}

static void l3vpn_count_drop(struct l3vpn_counters __percpu *pcpu)
{
	struct l3vpn_counters *c = this_cpu_ptr(pcpu);

	u64_stats_update_begin(&c->syncp);
	u64_stats_inc(&c->drops);
	u64_stats_update_end(&c->syncp);
}

void l3vpn_drop_count(struct l3vpn_net *ln, enum l3vpn_drop reason, const struct l3vpn_vrf *vrf,
		      const struct l3vpn_port *port)
{
	struct l3vpn_drop_counters *c = this_cpu_ptr(ln->drops);

	u64_stats_update_begin(&c->syncp);
	u64_stats_inc(&c->packets[reason]);
	u64_stats_update_end(&c->syncp);

	l3vpn_see_dropped(reason, vrf, port);
	if (vrf)
		l3vpn_count_drop(vrf->counters);
	if (port)
		l3vpn_count_drop(port->counters);
}

void l3vpn_drop(struct l3vpn_net *ln, struct sk_buff *skb, enum l3vpn_drop reason,
		const struct l3vpn_vrf *vrf, const struct l3vpn_port *port)
{
	l3vpn_drop_count(ln, reason, vrf, port);
	if (l3vpn_has_listeners(ln, L3VPN_GROUP_DROPS))
		l3vpn_sample(ln, skb, reason, vrf, port);
	kfree_skb(skb);
}
