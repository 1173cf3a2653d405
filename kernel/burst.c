// SPDX-License-Identifier: GPL-2.0
/*
 * burst: packets gathered, so that their look-ups wait for memory together; see burst.h. Port, VRF and label are
 * looked up anew when a packet goes on.
 */
#include <linux/cpuhotplug.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <net/mpls.h>
#include "burst.h"
#include "fib.h"
#include "ilm.h"
#include "label.h"
#include "packet.h"
#include "receive.h"

unsigned int l3vpn_burst_routes = 8192;
module_param_named(burst_routes, l3vpn_burst_routes, uint, 0644);
MODULE_PARM_DESC(burst_routes,
		 "routes of a network namespace from which on packets are put aside, so that their look-ups wait for memory together; asked when routes change (default 8192; 0: always)");

#define AHEAD	6	/* packets, until a fetch that one of them began is done */

struct burst {
	unsigned int count;
	bool running;				/* what comes meanwhile is not put aside */
	struct sk_buff *passing;		/* about to come to its rx_handler, on its way to the stack */
	struct sk_buff *skb[L3VPN_FIB_BULK];
	struct l3vpn_port *in[L3VPN_FIB_BULK];	/* while running; NULL: its term is over */
	u32 term[L3VPN_FIB_BULK];		/* of the port that it came in by */
	struct l3vpn_fib_ask ask[L3VPN_FIB_BULK];
	struct tasklet_struct tasklet;
};

static struct burst __percpu *bursts;
static int hotplug;

/* The VRF of a labelled packet's only label, behind which its IP header is; NULL: it is another packet. */
static const struct l3vpn_vrf *label_vrf(const struct sk_buff *skb, const struct l3vpn_port *in)
{
	const struct l3vpn_ilm *ilm;
	u32 lse;

	if (skb_headlen(skb) < L3VPN_LSE_LEN)
		return NULL;
	lse = ntohl(*(__be32 *)skb->data);
	ilm = l3vpn_label_lookup_rcu(&in->ln->labels, l3vpn_lse_label(lse));
	if (!ilm || ilm->action != L3VPN_LABEL_ACTION_POP_VRF || !(lse & L3VPN_LSE_BOTTOM))
		return NULL;
	return ilm->vrf;
}

/*
 * Ask what the first look-up of @skb will ask, or nothing where a glance does not tell. All of it is looked at again
 * with care afterwards.
 */
static __always_inline void ask_for(struct l3vpn_fib_ask *ask, const struct sk_buff *skb,
				    const struct l3vpn_port *in)
{
	bool customer = in->kind == L3VPN_PORT_KIND_CUSTOMER;
	const struct l3vpn_vrf *vrf = customer ? rcu_dereference(in->vrf) : label_vrf(skb, in);
	unsigned int offset = customer ? 0 : L3VPN_LSE_LEN;
	const u8 *ip = skb->data + offset;

	ask->fib = NULL;
	if (!vrf || skb_headlen(skb) < offset + sizeof(struct iphdr))
		return;
	if (*ip >> 4 != 6)
		l3vpn_fib_ask4(ask, &vrf->fib4, ((const struct iphdr *)ip)->daddr);
	else if (skb_headlen(skb) >= offset + sizeof(struct ipv6hdr))
		l3vpn_fib_ask6(ask, &vrf->fib6, &((const struct ipv6hdr *)ip)->daddr);
}

/* The newest packet asks. If the one AHEAD before it asks the same index, which thus is there, its node is fetched. */
static __always_inline void ask_newest(struct burst *burst, const struct sk_buff *skb, const struct l3vpn_port *in)
{
	struct l3vpn_fib_ask *ask = &burst->ask[burst->count];

	ask_for(ask, skb, in);
	if (burst->count >= AHEAD && ask->fib && ask[-AHEAD].fib == ask->fib)
		l3vpn_fib_ask_ahead(ask - AHEAD);
}

/* Does the label of @skb still lead to the VRF that was asked? */
static __always_inline bool asks_label_vrf(const struct l3vpn_fib_ask *ask, const struct sk_buff *skb,
					   const struct l3vpn_port *in)
{
	const struct l3vpn_vrf *vrf = ask->fib ? label_vrf(skb, in) : NULL;

	return vrf && (ask->fib == &vrf->fib4 || ask->fib == &vrf->fib6);
}

/*
 * A port's term, which is still the same, keeps the VRF that was asked, as in->vrf would: until the end of this RCU
 * section at least. A label may lead to another VRF now, and that one may be gone.
 */
static void look_up(struct burst *burst)
{
	struct l3vpn_port *in;
	unsigned int i;

	for (i = 0; i < burst->count; i++) {
		in = l3vpn_port_of(burst->skb[i]->dev);
		if (unlikely(in && READ_ONCE(in->term) != burst->term[i]))
			in = NULL;
		burst->in[i] = in;
		if (unlikely(!in || (in->kind != L3VPN_PORT_KIND_CUSTOMER &&
				     !asks_label_vrf(&burst->ask[i], burst->skb[i], in))))
			burst->ask[i].fib = NULL;
	}
	l3vpn_fib_lookup_bulk(burst->ask, burst->count);
}

/*
 * The stack gets what the rx_handler passes to it as if nothing had been between: taps and filters at
 * ingress have seen the packet, unless it is another device's now.
 */
static void to_stack(struct burst *burst, struct sk_buff *skb, struct l3vpn_port *in, rx_handler_result_t result)
{
	if (result == RX_HANDLER_PASS) {
#ifdef CONFIG_NET_CLS_ACT
		skb->tc_skip_classify = 1;
#endif
		burst->passing = skb;
	}
	netif_receive_skb_core(skb);
	burst->passing = NULL;
}

static void go_on(struct burst *burst, unsigned int packet)
{
	struct l3vpn_port *in = burst->in[packet];
	struct sk_buff *skb = burst->skb[packet];
	struct net_device *dev = skb->dev;
	rx_handler_result_t result;

	if (unlikely(!in)) {
		l3vpn_drop(l3vpn_net(dev_net(dev)), skb, L3VPN_DROP_PORT_DOWN, NULL, NULL);
	} else {
		result = l3vpn_receive_again(skb, in, &burst->ask[packet]);
		if (unlikely(result != RX_HANDLER_CONSUMED))
			to_stack(burst, skb, in, result);
	}
	dev_put(dev);
}

static void run(struct burst *burst)
{
	unsigned int i;

	rcu_read_lock();
	burst->running = true;
	look_up(burst);
	for (i = 0; i < burst->count; i++)
		go_on(burst, i);
	burst->count = 0;
	burst->running = false;
	rcu_read_unlock();
}

/* Also on another CPU, for one that has gone. */
static void run_tasklet(struct tasklet_struct *tasklet)
{
	struct burst *burst = from_tasklet(burst, tasklet, tasklet);

	if (burst->count)
		run(burst);
}

/*
 * May @skb wait? Not if a generic XDP program would see it once more, nor with a socket that somebody found for it, who
 * counts on this RCU section.
 */
static bool may_wait(struct sk_buff *skb, const struct l3vpn_port *in)
{
	if (in->kind == L3VPN_PORT_KIND_CUSTOMER && !rcu_access_pointer(in->vrf))
		return false;
	return !rcu_access_pointer(skb->dev->xdp_prog) && !skb_sk_is_prefetched(skb) && !skb_dst(skb);
}

bool l3vpn_burst_is_passing(const struct sk_buff *skb)
{
	struct burst *burst = this_cpu_ptr(bursts);

	if (likely(burst->passing != skb))
		return false;
	burst->passing = NULL;
	return true;
}

enum l3vpn_burst l3vpn_burst_take(struct sk_buff *skb, const struct l3vpn_port *in)
{
	struct burst *burst = this_cpu_ptr(bursts);

	if (l3vpn_burst_is_passing(skb))
		return L3VPN_BURST_PASS;
	if (burst->running || !(READ_ONCE(in->ln->bursts) & L3VPN_BURST_ON) || !may_wait(skb, in))
		return L3VPN_BURST_GO;
	dev_hold(skb->dev);
	/* pairs with l3vpn_port_begin_term(): a new term has no VRF that the old one had */
	burst->term[burst->count] = smp_load_acquire(&in->term);
	ask_newest(burst, skb, in);
	burst->skb[burst->count++] = skb;
	if (burst->count == 1)
		tasklet_schedule(&burst->tasklet);
	else if (burst->count == L3VPN_FIB_BULK)
		run(burst);
	return L3VPN_BURST_TAKEN;
}

/* A CPU comes up: what it left behind is another's tasklet, which must have ended. */
static int cpu_prepare(unsigned int cpu)
{
	struct burst *burst = per_cpu_ptr(bursts, cpu);

	while (READ_ONCE(burst->count))
		msleep(20);
	tasklet_unlock_wait(&burst->tasklet);
	return 0;
}

int l3vpn_burst_init(void)
{
	int cpu;

	bursts = alloc_percpu(struct burst);
	if (!bursts)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		tasklet_setup(&per_cpu_ptr(bursts, cpu)->tasklet, run_tasklet);
	hotplug = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "net/l3vpn:prepare", cpu_prepare, NULL);
	if (hotplug > 0)
		return 0;
	free_percpu(bursts);
	return hotplug;
}

void l3vpn_burst_exit(void)
{
	int cpu;

	cpuhp_remove_state_nocalls(hotplug);
	for_each_possible_cpu(cpu)
		tasklet_kill(&per_cpu_ptr(bursts, cpu)->tasklet);
	free_percpu(bursts);
}
