// SPDX-License-Identifier: GPL-2.0
/*
 * tunnel: the way to a tunnel's far end. Routes are those of the kernel's main table, so they follow the IGP,
 * whoever runs it; they are kept, a few for each tunnel by the flow's hash, as long as the kernel says that they
 * hold. A route with several ways is thus shared by flows, whatever the kernel's own policy hashes.
 *
 * An outer packet is the provider's: it never leaves by a VRF, nor by a device that belongs to one (RFC 4364 section
 * 13.1 the other way round). That is looked at when the route is looked up, and again for each packet, since a
 * device may be given to a customer any time.
 */
#include <linux/netdevice.h>
#include <linux/slab.h>
#include <net/flow.h>
#include <net/ip6_fib.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/route.h>

#include "l3vpn.h"
#include "peer.h"
#include "tunnel.h"

#define SPORT_MIN	49152	/* RFC 7510 section 3 */

static void hop_free(struct rcu_head *rcu)
{
	struct l3vpn_tunnel_hop *hop = container_of(rcu, struct l3vpn_tunnel_hop, rcu);

	dst_release(hop->dst);
	kfree(hop);
}

int l3vpn_tunnel_attach(struct l3vpn_tunnel *tunnel)
{
	tunnel->routes = kzalloc(sizeof(*tunnel->routes), GFP_KERNEL_ACCOUNT);
	return tunnel->routes ? 0 : -ENOMEM;
}

void l3vpn_tunnel_detach(struct l3vpn_tunnel *tunnel)
{
	unsigned int i;

	for (i = 0; i < L3VPN_TUNNEL_WAYS; i++) {
		struct l3vpn_tunnel_hop *hop = rcu_dereference_protected(tunnel->routes->hop[i], true);

		if (hop)
			hop_free(&hop->rcu);
	}
	kfree(tunnel->routes);
}

/* May an outer packet leave by @dev? */
static bool leaves_by(const struct net_device *dev)
{
	return !netif_is_l3_slave(dev) && !netif_is_l3_master(dev) && !(dev->flags & IFF_LOOPBACK);
}

static struct dst_entry *look_up4(const struct l3vpn_tunnel *tunnel, unsigned int way)
{
	struct flowi4 fl4 = {
		.daddr = tunnel->peer->key.addr.s6_addr32[0],
		.saddr = tunnel->local.s6_addr32[0],
		.flowi4_proto = tunnel->encap == L3VPN_ENCAP_UDP ? IPPROTO_UDP : IPPROTO_GRE,
		.flowi4_multipath_hash = way + 1,
	};
	struct rtable *rt;

	if (inet_addr_type_table(tunnel->ln->net, fl4.saddr, RT_TABLE_LOCAL) != RTN_LOCAL)
		return NULL;
	if (tunnel->encap == L3VPN_ENCAP_UDP) {
		fl4.fl4_sport = htons(SPORT_MIN + way);
		fl4.fl4_dport = htons(tunnel->dport);
	}
	rt = ip_route_output_key(tunnel->ln->net, &fl4);
	if (IS_ERR(rt))
		return NULL;
	if (rt->rt_type == RTN_UNICAST)
		return &rt->dst;
	ip_rt_put(rt);
	return NULL;
}

static struct dst_entry *look_up6(const struct l3vpn_tunnel *tunnel, unsigned int way)
{
	struct net *net = tunnel->ln->net;
	struct flowi6 fl6 = {
		.daddr = tunnel->peer->key.addr,
		.saddr = tunnel->local,
		.flowi6_proto = tunnel->encap == L3VPN_ENCAP_UDP ? IPPROTO_UDP : IPPROTO_GRE,
		/* compared with upper bounds of 31 bits, so it has to be spread over them */
		.mp_hash = (way * 0x9e3779b1U >> 1) | 1,
	};
	struct dst_entry *dst;

	if (!ipv6_chk_addr_and_flags(net, &tunnel->local, net->loopback_dev, false, 0, 0))
		return NULL;
	if (tunnel->encap == L3VPN_ENCAP_UDP) {
		fl6.fl6_sport = htons(SPORT_MIN + way);
		fl6.fl6_dport = htons(tunnel->dport);
	}
	dst = ip6_dst_lookup_flow(net, NULL, &fl6, NULL);
	return IS_ERR(dst) ? NULL : dst;
}

static bool holds(const struct l3vpn_tunnel_hop *hop)
{
	return hop && dst_check(hop->dst, hop->cookie);
}

static noinline struct l3vpn_tunnel_hop *renew(const struct l3vpn_tunnel *tunnel, unsigned int way)
{
	struct l3vpn_tunnel_hop *hop, *old;
	struct dst_entry *dst;

	dst = tunnel->family == AF_INET ? look_up4(tunnel, way) : look_up6(tunnel, way);
	if (!dst)
		return NULL;
	hop = leaves_by(dst->dev) ? kmalloc(sizeof(*hop), GFP_ATOMIC | __GFP_NOWARN) : NULL;
	if (!hop) {
		dst_release(dst);
		return NULL;
	}
	hop->dst = dst;
	hop->cookie = tunnel->family == AF_INET6 ? rt6_get_cookie((struct rt6_info *)dst) : 0;
	old = unrcu_pointer(xchg(&tunnel->routes->hop[way], RCU_INITIALIZER(hop)));
	if (old)
		call_rcu(&old->rcu, hop_free);
	return hop;
}

struct dst_entry *l3vpn_tunnel_route(const struct l3vpn_tunnel *tunnel, u32 hash)
{
	unsigned int way = hash % L3VPN_TUNNEL_WAYS;
	struct l3vpn_tunnel_hop *hop = rcu_dereference(tunnel->routes->hop[way]);

	if (unlikely(!holds(hop))) {
		hop = renew(tunnel, way);
		if (!hop)
			return NULL;
	}
	return likely(leaves_by(hop->dst->dev)) ? hop->dst : NULL;
}

u32 l3vpn_tunnel_path_mtu(const struct l3vpn_tunnel *tunnel, const struct dst_entry *dst)
{
	return min_t(u32, min_t(u32, dst_mtu(dst), l3vpn_peer_mtu(tunnel->peer)), IP_MAX_MTU);
}

bool l3vpn_tunnel_resolved(const struct l3vpn_tunnel *tunnel)
{
	struct dst_entry *dst = l3vpn_tunnel_route(tunnel, 0);

	return dst && netif_running(dst->dev) && netif_carrier_ok(dst->dev);
}
