/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: counters per CPU, drop reasons and drop samples.
 *
 * Implemented by: stats.c, drop.c (control plane).
 * Called by: the data path (l3vpn_count_*, l3vpn_drop), netlink (sums, clear).
 *
 * Writers run with bottom halves off, each on its own CPU's counter; readers sum all CPUs under
 * the sequence count. Clearing never writes to a CPU's counter: it moves a base that readers
 * subtract.
 */
#ifndef _L3VPN_STATS_H
#define _L3VPN_STATS_H

#include <linux/percpu.h>
#include <linux/skbuff.h>
#include <linux/u64_stats_sync.h>
#include <linux/l3vpn.h>

struct l3vpn_net;
struct l3vpn_vrf;
struct l3vpn_port;

/* Of a VRF or a port, on one CPU. Octets count from the layer 3 header, label stack included. */
struct l3vpn_counters {
	u64_stats_t rx_packets;
	u64_stats_t rx_bytes;
	u64_stats_t tx_packets;
	u64_stats_t tx_bytes;
	u64_stats_t drops;
	struct u64_stats_sync syncp;
};

/* Of a label entry or a next hop, on one CPU: packets that came with it, or left by it. */
struct l3vpn_tally {
	u64_stats_t packets;
	u64_stats_t bytes;
	struct u64_stats_sync syncp;
};

/* Of a namespace, on one CPU: packets dropped, by enum l3vpn_drop. */
struct l3vpn_drop_counters {
	u64_stats_t packets[L3VPN_DROP_REASON_MAX + 1];
	struct u64_stats_sync syncp;
};

/* A sum over all CPUs, or a base to subtract. */
struct l3vpn_stats {
	u64 rx_packets;
	u64 rx_bytes;
	u64 tx_packets;
	u64 tx_bytes;
	u64 drops;
};

/* The sum of a tally over all CPUs, or a base to subtract. */
struct l3vpn_tally_sum {
	u64 packets;
	u64 bytes;
};

/* Bottom halves off. @packets is 1, or the number of segments of a GSO packet. */
static inline void l3vpn_count_rx(struct l3vpn_counters __percpu *pcpu, u32 packets, u32 bytes)
{
	struct l3vpn_counters *c = this_cpu_ptr(pcpu);

	u64_stats_update_begin(&c->syncp);
	u64_stats_add(&c->rx_packets, packets);
	u64_stats_add(&c->rx_bytes, bytes);
	u64_stats_update_end(&c->syncp);
}

static inline void l3vpn_count_tx(struct l3vpn_counters __percpu *pcpu, u32 packets, u32 bytes)
{
	struct l3vpn_counters *c = this_cpu_ptr(pcpu);

	u64_stats_update_begin(&c->syncp);
	u64_stats_add(&c->tx_packets, packets);
	u64_stats_add(&c->tx_bytes, bytes);
	u64_stats_update_end(&c->syncp);
}

static inline void l3vpn_tally_add(struct l3vpn_tally __percpu *pcpu, u32 packets, u32 bytes)
{
	struct l3vpn_tally *c = this_cpu_ptr(pcpu);

	u64_stats_update_begin(&c->syncp);
	u64_stats_add(&c->packets, packets);
	u64_stats_add(&c->bytes, bytes);
	u64_stats_update_end(&c->syncp);
}

/**
 * l3vpn_drop() - the one place where a packet ends
 * @ln:		namespace
 * @skb:	consumed; its network header is at the layer 3 header or label stack
 * @reason:	why
 * @vrf:	VRF whose counter takes it, NULL when not known yet
 * @port:	port it came in by, NULL for local packets
 *
 * Counts by reason, at @vrf and at @port, sends a sample to multicast group "drops" if somebody
 * listens and the rate allows, and frees @skb. Any context inside rcu_read_lock with bottom
 * halves off. ICMP errors are the caller's work, before this call (icmp.h).
 */
void l3vpn_drop(struct l3vpn_net *ln, struct sk_buff *skb, enum l3vpn_drop reason,
		const struct l3vpn_vrf *vrf, const struct l3vpn_port *port);

/* The same for a packet that the kernel has freed already: it is counted, nobody gets a sample. */
void l3vpn_drop_count(struct l3vpn_net *ln, enum l3vpn_drop reason, const struct l3vpn_vrf *vrf,
		      const struct l3vpn_port *port);

/* Process context. Sum over all CPUs, nothing subtracted. */
void l3vpn_counters_sum(const struct l3vpn_counters __percpu *pcpu, struct l3vpn_stats *sum);
struct l3vpn_tally_sum l3vpn_tally_read(const struct l3vpn_tally __percpu *pcpu);
u64 l3vpn_drops_sum(const struct l3vpn_net *ln, enum l3vpn_drop reason);

/* Process context, may sleep: allocate counters, their sequence counts initialised; NULL: ENOMEM. */
struct l3vpn_counters __percpu *l3vpn_counters_alloc(void);
struct l3vpn_drop_counters __percpu *l3vpn_drop_counters_alloc(void);

/* Any context that @gfp allows; NULL: no memory. Ended by free_percpu(), in any context. */
struct l3vpn_tally __percpu *l3vpn_tally_alloc(gfp_t gfp);

#endif /* _L3VPN_STATS_H */
