// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn: module init and exit.
 *
 * Init is linear, exit is its mirror image. Who may hold a reference when exit begins, and what
 * ends it:
 *
 *   netlink commands and dumps   genl_unregister_family waits for commands; a dump pins the module
 *   VRF devices                  rtnl_link_unregister deletes them (two phases: unpublished first,
 *                                freed after the device's last reference is gone)
 *   ports, rx_handlers           unregistering the netdevice notifier replays NETDEV_UNREGISTER for
 *                                every device, which unbinds its port
 *   softirq readers              every unbinding waits (synchronize_net)
 *   packets put aside            the tasklets end (tasklet_kill)
 *   address work                 cancelled at the namespace's exit, after its notifiers are gone
 *   next hops, labels            freed at the namespace's exit, when nothing refers to them
 *   RCU callbacks, released work rcu_barrier, then flush of l3vpn_wq, then rcu_barrier for what the
 *                                work freed by RCU
 *
 * Then no object may be left: the counts are checked and told.
 */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/workqueue.h>

#include <linux/l3vpn.h>
#include <net/genetlink.h>
#include <net/rtnetlink.h>

#include "burst.h"
#include "event.h"
#include "fib.h"
#include "ilm.h"
#include "netlink.h"
#include "netns.h"
#include "object.h"
#include "trace.h"
#include "vrf_dev.h"

unsigned int l3vpn_net_id;
u64 l3vpn_instance;
struct workqueue_struct *l3vpn_wq;
atomic_t l3vpn_counts[L3VPN_COUNT_MAX];

static const char * const l3vpn_count_names[L3VPN_COUNT_MAX] = {
	[L3VPN_COUNT_VRF]	= "VRFs",
	[L3VPN_COUNT_PORT]	= "ports",
	[L3VPN_COUNT_NH]	= "next hops",
	[L3VPN_COUNT_NH_DATA]	= "next hop snapshots",
	[L3VPN_COUNT_ILM]	= "label entries",
	[L3VPN_COUNT_KEPT]	= "kept prefixes",
	[L3VPN_COUNT_CLAIM]	= "claims",
	[L3VPN_COUNT_PEER]	= "peers",
	[L3VPN_COUNT_ENDPOINT]	= "endpoints",
};

static void l3vpn_settle(void)
{
	rcu_barrier();
	flush_workqueue(l3vpn_wq);
	rcu_barrier();
}

static void l3vpn_counts_check(void)
{
	int i;

	for (i = 0; i < L3VPN_COUNT_MAX; i++) {
		int n = atomic_read(&l3vpn_counts[i]);

		WARN(n, "l3vpn: %d %s left at unload\n", n, l3vpn_count_names[i]);
	}
}

static int __init l3vpn_init(void)
{
	int err;

	l3vpn_instance = get_random_u64();

	err = l3vpn_fib_init();
	if (err)
		return err;
	l3vpn_wq = alloc_workqueue("l3vpn", WQ_UNBOUND, 0);
	if (!l3vpn_wq) {
		l3vpn_fib_exit();
		return -ENOMEM;
	}

	err = register_pernet_subsys(&l3vpn_net_ops);
	if (err)
		goto err_wq;

	err = l3vpn_burst_init();
	if (err)
		goto err_pernet;

	err = l3vpn_event_init();
	if (err)
		goto err_burst;

	err = l3vpn_vrf_dev_init();
	if (err)
		goto err_event;

	err = l3vpn_trace_init();
	if (err)
		goto err_vrf_dev;

	err = l3vpn_netlink_init();
	if (err)
		goto err_trace;

	pr_info("l3vpn: loaded\n");
	return 0;

err_trace:
	l3vpn_trace_exit();
err_vrf_dev:
	l3vpn_vrf_dev_exit();
err_event:
	l3vpn_event_exit();
err_burst:
	l3vpn_burst_exit();
err_pernet:
	unregister_pernet_subsys(&l3vpn_net_ops);
	l3vpn_settle();
err_wq:
	destroy_workqueue(l3vpn_wq);
	l3vpn_fib_exit();
	return err;
}

static void __exit l3vpn_exit(void)
{
	l3vpn_netlink_exit();
	l3vpn_trace_exit();
	l3vpn_vrf_dev_exit();
	l3vpn_event_exit();
	l3vpn_burst_exit();
	unregister_pernet_subsys(&l3vpn_net_ops);
	l3vpn_settle();
	l3vpn_ilm_pool_exit();
	destroy_workqueue(l3vpn_wq);
	l3vpn_fib_exit();
	l3vpn_counts_check();
	pr_info("l3vpn: unloaded\n");
}

module_init(l3vpn_init);
module_exit(l3vpn_exit);

MODULE_DESCRIPTION("BGP/MPLS layer 3 VPN forwarding");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1");
MODULE_ALIAS_GENL_FAMILY(L3VPN_GENL_NAME);
MODULE_ALIAS_RTNL_LINK(L3VPN_LINK_KIND);
