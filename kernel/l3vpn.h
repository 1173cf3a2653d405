/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: what all files of the module share: contexts, locks, and the namespace's root object.
 *
 * Implemented by: main.c, netns.c (control plane).
 * Read by: everything.
 *
 * Contexts and locks
 *   RTNL                 devices, their addresses, masters and rx_handlers. Taken before ln->lock.
 *   ln->lock (mutex)     every control object of the namespace: VRF list, ports, next hops,
 *                        routes, labels, epoch, digests. "Under the lock" below means this one.
 *   RCU                  the data path reads VRFs, ports, FIBs, labels and next hop snapshots
 *                        in softirq (rx_handler, ndo_start_xmit) inside rcu_read_lock. It takes
 *                        none of the locks above, writes to nothing but counters per CPU and
 *                        the rewrite cache of an adjacency (neigh.h), and never sleeps.
 *
 * Lifetime: an object is unpublished under the lock, and freed (or its references dropped) after
 * a grace period; what an object points to is referenced by it, and so outlives its last reader.
 * Device references are released after synchronize_net, never from an RCU callback.
 *
 * No file includes a .c file's private structures; headers are self-contained.
 */
#ifndef _L3VPN_L3VPN_H
#define _L3VPN_L3VPN_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/rcupdate.h>
#include <linux/rhashtable-types.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <linux/l3vpn.h>

#include "label.h"
#include "stats.h"

#define L3VPN_ENDPOINT_BUCKETS	64

struct l3vpn_icmp;
struct l3vpn_trace;

/**
 * struct l3vpn_net - everything of the module in one network namespace
 * @net:	the namespace; valid from init to exit of the pernet operations
 * @lock:	see the top of this file
 * @vrfs:	VRF id to struct l3vpn_vrf; written under RTNL and @lock
 * @ports:	ifindex to struct l3vpn_port; written under RTNL and @lock
 * @nhs:	next hop id to struct l3vpn_nh, those of user space; under @lock
 * @labels:	label table; written under @lock, read under RCU
 * @label_bases: label to struct l3vpn_tally_sum, what LABEL_GET subtracts; under @lock
 * @peers:	far ends of tunnels (peer.h); written under @lock, read under RCU
 * @endpoints:	endpoints of tunnels (endpoint.h), in the order in which they were made; under @lock
 * @endpoint_hash: the same by address; written under @lock, read under RCU
 * @uncounted:	labelled packets that their label's counter lacks (ilm_tally.c)
 * @uncounted_base: what INFO_GET subtracts; under @lock
 * @drops:	packets per reason, per CPU (stats.h)
 * @drop_base:	what DROP_GET subtracts; under @lock
 * @epoch:	current epoch, starts at 1; under @lock
 * @oldest:	no route has the stamp of an epoch before this one; under @lock
 * @vrf_count:	number of VRFs; under @lock
 * @port_count:	number of ports; under @lock
 * @nh_count:	next hops made by user space; under @lock
 * @label_count: label entries; under @lock
 * @endpoint_count: endpoints; written under @lock, READ_ONCE by the data path
 * @route_count: routes made by user space in all VRFs, [0] IPv4, [1] IPv6; under @lock
 * @bursts:	whether packets are put aside to be looked up together (burst.h); READ_ONCE
 * @nh_digest:	sum of the digests of user space's next hops; under @lock
 * @label_digest: sum of the digests of the label entries; under @lock
 * @endpoint_digest: sum of the digests of the endpoints; under @lock
 * @nh_receive:	built-in next hop RECEIVE, for local addresses
 * @nh_unreachable: built-in next hop UNREACHABLE
 * @nh_blackhole: built-in next hop BLACKHOLE
 * @addr_lock:	protects @addr_pending; BH
 * @addr_pending: keepers whose IPv6 addresses changed (kept.h), by @keeper->pending
 * @addr_work:	serves @addr_pending: the notifier of IPv6 addresses may not sleep (addr.c)
 * @rules:	which l3mdev FIB rules are ours (vrf_rule.c); under RTNL
 * @icmp:	rate limits of ICMP errors (icmp.c)
 * @trace:	which packets are traced (trace.h), NULL: none; RCU, written under @lock
 * @trace_work:	ends it when its packets have been told
 * @sample_tokens: drop samples still allowed in this second
 * @sample_second: the second, in jiffies / HZ, for which @sample_tokens counts
 */
struct l3vpn_net {
	struct net *net;
	struct mutex lock;		/* every control object, see above */
	struct xarray vrfs;
	struct xarray ports;
	struct xarray nhs;
	struct l3vpn_label_table labels;
	struct xarray label_bases;
	struct rhashtable peers;
	struct xarray endpoints;
	struct hlist_head endpoint_hash[L3VPN_ENDPOINT_BUCKETS];
	struct l3vpn_tally __percpu *uncounted;
	struct l3vpn_tally_sum uncounted_base;
	struct l3vpn_drop_counters __percpu *drops;
	u64 drop_base[L3VPN_DROP_REASON_MAX + 1];
	u32 epoch;
	u32 oldest;
	u32 vrf_count;
	u32 port_count;
	u32 nh_count;
	u32 label_count;
	u32 endpoint_count;
	u64 route_count[2];
	u8 bursts;
	u64 nh_digest;
	u64 label_digest;
	u64 endpoint_digest;
	struct l3vpn_nh *nh_receive;
	struct l3vpn_nh *nh_unreachable;
	struct l3vpn_nh *nh_blackhole;
	spinlock_t addr_lock;		/* addr_pending */
	struct list_head addr_pending;
	struct work_struct addr_work;
	u8 rules;
	struct l3vpn_icmp *icmp;
	struct l3vpn_trace __rcu *trace;
	struct work_struct trace_work;
	atomic_t sample_tokens;
	unsigned long sample_second;
};

extern unsigned int l3vpn_net_id;

/* Any context in which @net cannot go away. */
static inline struct l3vpn_net *l3vpn_net(const struct net *net)
{
	return net_generic(net, l3vpn_net_id);
}

#endif /* _L3VPN_L3VPN_H */
