// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn: counters per CPU: allocation and sums. The writers are inline in stats.h.
 */
#include <linux/log2.h>

#include "l3vpn.h"
#include "stats.h"

struct l3vpn_counters __percpu *l3vpn_counters_alloc(void)
{
	struct l3vpn_counters __percpu *pcpu;
	int cpu;

	pcpu = alloc_percpu_gfp(struct l3vpn_counters, GFP_KERNEL_ACCOUNT);
	if (!pcpu)
		return NULL;
	for_each_possible_cpu(cpu)
		u64_stats_init(&per_cpu_ptr(pcpu, cpu)->syncp);
	return pcpu;
}

struct l3vpn_tally __percpu *l3vpn_tally_alloc(gfp_t gfp)
{
	struct l3vpn_tally __percpu *pcpu;
	int cpu;

	/* aligned to its size: never on two cache lines */
	pcpu = (struct l3vpn_tally __percpu *)__alloc_percpu_gfp(sizeof(*pcpu),
								 roundup_pow_of_two(sizeof(*pcpu)),
								 gfp);
	if (!pcpu)
		return NULL;
	for_each_possible_cpu(cpu)
		u64_stats_init(&per_cpu_ptr(pcpu, cpu)->syncp);
	return pcpu;
}

struct l3vpn_drop_counters __percpu *l3vpn_drop_counters_alloc(void)
{
	struct l3vpn_drop_counters __percpu *pcpu;
	int cpu;

	pcpu = alloc_percpu_gfp(struct l3vpn_drop_counters, GFP_KERNEL_ACCOUNT);
	if (!pcpu)
		return NULL;
	for_each_possible_cpu(cpu)
		u64_stats_init(&per_cpu_ptr(pcpu, cpu)->syncp);
	return pcpu;
}

void l3vpn_counters_sum(const struct l3vpn_counters __percpu *pcpu, struct l3vpn_stats *sum)
{
	int cpu;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		const struct l3vpn_counters *c = per_cpu_ptr(pcpu, cpu);
		struct l3vpn_stats s;
		unsigned int start;

		do {
			start = u64_stats_fetch_begin(&c->syncp);
			s.rx_packets = u64_stats_read(&c->rx_packets);
			s.rx_bytes = u64_stats_read(&c->rx_bytes);
			s.tx_packets = u64_stats_read(&c->tx_packets);
			s.tx_bytes = u64_stats_read(&c->tx_bytes);
			s.drops = u64_stats_read(&c->drops);
		} while (u64_stats_fetch_retry(&c->syncp, start));

		sum->rx_packets += s.rx_packets;
		sum->rx_bytes += s.rx_bytes;
		sum->tx_packets += s.tx_packets;
		sum->tx_bytes += s.tx_bytes;
		sum->drops += s.drops;
	}
}

struct l3vpn_tally_sum l3vpn_tally_read(const struct l3vpn_tally __percpu *pcpu)
{
	struct l3vpn_tally_sum sum = {};
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct l3vpn_tally *c = per_cpu_ptr(pcpu, cpu);
		u64 packets, bytes;
		unsigned int start;

		do {
			start = u64_stats_fetch_begin(&c->syncp);
			packets = u64_stats_read(&c->packets);
			bytes = u64_stats_read(&c->bytes);
		} while (u64_stats_fetch_retry(&c->syncp, start));

		sum.packets += packets;
		sum.bytes += bytes;
	}
	return sum;
}

u64 l3vpn_drops_sum(const struct l3vpn_net *ln, enum l3vpn_drop reason)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct l3vpn_drop_counters *c = per_cpu_ptr(ln->drops, cpu);
		unsigned int start;
		u64 n;

		do {
			start = u64_stats_fetch_begin(&c->syncp);
			n = u64_stats_read(&c->packets[reason]);
		} while (u64_stats_fetch_retry(&c->syncp, start));
		sum += n;
	}
	return sum;
}
