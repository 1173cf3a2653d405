// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn: one namespace's state.
 *
 * When a namespace goes away, its devices go first (VRF devices by dellink, ports by
 * NETDEV_UNREGISTER): by the time the exit below runs, no packet and no VRF is left in it, only
 * next hops and label entries that user space made.
 */
#include <linux/rtnetlink.h>
#include <linux/slab.h>

#include "addr.h"
#include "burst.h"
#include "endpoint.h"
#include "icmp.h"
#include "ilm.h"
#include "l3vpn.h"
#include "netns.h"
#include "nexthop.h"
#include "nexthop_ctl.h"
#include "object.h"
#include "peer.h"
#include "trace.h"
#include "vrf_dev.h"

static int __net_init l3vpn_net_init(struct net *net)
{
	struct l3vpn_net *ln = l3vpn_net(net);
	int err;

	ln->net = net;
	ln->epoch = 1;
	l3vpn_burst_suit(ln);
	ln->oldest = 1;
	mutex_init(&ln->lock);
	xa_init_flags(&ln->vrfs, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	xa_init_flags(&ln->ports, XA_FLAGS_ACCOUNT);
	xa_init_flags(&ln->nhs, XA_FLAGS_ACCOUNT);
	xa_init_flags(&ln->label_bases, XA_FLAGS_ACCOUNT);
	xa_init_flags(&ln->endpoints, XA_FLAGS_ALLOC | XA_FLAGS_ACCOUNT);
	l3vpn_label_init(&ln->labels);
	l3vpn_addr_net_init(ln);
	l3vpn_trace_net_init(ln);

	ln->drops = l3vpn_drop_counters_alloc();
	if (!ln->drops)
		return -ENOMEM;

	err = -ENOMEM;
	ln->uncounted = l3vpn_tally_alloc(GFP_KERNEL_ACCOUNT);
	if (!ln->uncounted)
		goto err_drops;

	err = l3vpn_nh_net_init(ln);
	if (err)
		goto err_uncounted;

	err = l3vpn_icmp_net_init(ln);
	if (err)
		goto err_nh;

	err = l3vpn_peer_net_init(ln);
	if (err)
		goto err_icmp;
	return 0;

err_icmp:
	l3vpn_icmp_net_exit(ln);
err_nh:
	l3vpn_nh_net_exit(ln);
err_uncounted:
	free_percpu(ln->uncounted);
err_drops:
	free_percpu(ln->drops);
	return err;
}

static void __net_exit l3vpn_net_exit(struct net *net)
{
	struct l3vpn_net *ln = l3vpn_net(net);

	l3vpn_addr_net_exit(ln);
	l3vpn_trace_net_exit(ln);

	mutex_lock(&ln->lock);
	l3vpn_endpoint_flush(ln);
	l3vpn_ilm_flush(ln, NULL);
	l3vpn_nh_flush(ln);
	mutex_unlock(&ln->lock);

	WARN_ON(!xa_empty(&ln->vrfs));
	WARN_ON(!xa_empty(&ln->ports));
	l3vpn_nh_net_exit(ln);
	rtnl_lock();
	l3vpn_vrf_rules_remove(ln);
	rtnl_unlock();
}

/*
 * What was freed by RCU or by work must be gone before the namespace's memory is, and routes that tunnels held,
 * which the work gives back to RCU, before the kernel's own tables.
 */
static void __net_exit l3vpn_net_exit_batch(struct list_head *nets)
{
	struct net *net;

	rcu_barrier();
	flush_workqueue(l3vpn_wq);
	rcu_barrier();

	list_for_each_entry(net, nets, exit_list) {
		struct l3vpn_net *ln = l3vpn_net(net);

		l3vpn_peer_net_exit(ln);
		l3vpn_icmp_net_exit(ln);
		l3vpn_label_destroy(&ln->labels);
		xa_destroy(&ln->vrfs);
		xa_destroy(&ln->ports);
		xa_destroy(&ln->nhs);
		xa_destroy(&ln->label_bases);
		xa_destroy(&ln->endpoints);
		free_percpu(ln->uncounted);
		free_percpu(ln->drops);
	}
}

struct pernet_operations l3vpn_net_ops = {
	.init		= l3vpn_net_init,
	.exit		= l3vpn_net_exit,
	.exit_batch	= l3vpn_net_exit_batch,
	.id		= &l3vpn_net_id,
	.size		= sizeof(struct l3vpn_net),
};
