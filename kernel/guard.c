// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn: what a customer port asks of an IP packet before it is looked up, and how that is set.
 */
#include <linux/atomic.h>
#include <linux/ip.h>
#include <linux/jiffies.h>
#include <linux/rtnetlink.h>

#include "guard.h"
#include "port_ctl.h"
#include "urpf.h"
#include "vrf.h"

void l3vpn_guard_init(struct l3vpn_port *port)
{
	port->guarded = false;
	port->rpf[0] = L3VPN_RPF_OFF;
	port->rpf[1] = L3VPN_RPF_OFF;
	port->scopes = ~0ULL;
	port->options = L3VPN_OPTIONS_UNLIMITED;
	atomic_set(&port->options_left, 0);
}

bool l3vpn_guard_set(struct l3vpn_port *port, const struct l3vpn_port_request *req)
{
	u8 rpf4 = req->set & L3VPN_PORT_SET_RPF4 ? req->rpf[0] : port->rpf[0];
	u8 rpf6 = req->set & L3VPN_PORT_SET_RPF6 ? req->rpf[1] : port->rpf[1];
	u32 options = req->set & L3VPN_PORT_SET_OPTIONS ? req->options : port->options;
	u64 scopes = req->set & L3VPN_PORT_SET_SCOPES ? req->scopes : port->scopes;
	bool changed = rpf4 != port->rpf[0] || rpf6 != port->rpf[1] ||
		       options != port->options || scopes != port->scopes;

	ASSERT_RTNL();
	mutex_lock(&port->ln->lock);
	WRITE_ONCE(port->rpf[0], rpf4);
	WRITE_ONCE(port->rpf[1], rpf6);
	WRITE_ONCE(port->options, options);
	WRITE_ONCE(port->scopes, scopes);
	WRITE_ONCE(port->guarded, rpf4 || rpf6 || options != L3VPN_OPTIONS_UNLIMITED);
	mutex_unlock(&port->ln->lock);
	return changed;
}

/* One of the packets with options that @in takes in this second. */
static bool options_allowed(struct l3vpn_port *in)
{
	u32 most = READ_ONCE(in->options);
	unsigned long second = jiffies / HZ;

	if (most == L3VPN_OPTIONS_UNLIMITED)
		return true;
	if (!most)
		return false;
	if (READ_ONCE(in->options_second) != second) {
		WRITE_ONCE(in->options_second, second);
		atomic_set(&in->options_left, min_t(u32, most, INT_MAX));
	}
	return atomic_dec_if_positive(&in->options_left) >= 0;
}

enum l3vpn_drop l3vpn_guard_check(const struct sk_buff *skb, struct l3vpn_port *in,
				  const struct l3vpn_vrf *vrf)
{
	bool v4 = skb->protocol == htons(ETH_P_IP);
	u8 rpf = READ_ONCE(in->rpf[!v4]);

	if (rpf != L3VPN_RPF_OFF && !l3vpn_urpf(skb, in, vrf, rpf))
		return L3VPN_DROP_RPF;
	if (v4 && ip_hdr(skb)->ihl > 5 && !options_allowed(in))
		return L3VPN_DROP_OPTIONS;
	return 0;
}
