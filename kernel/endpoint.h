/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: endpoints of tunnels: addresses of the global table at which labelled packets are taken out of UDP or
 * GRE, and from whom.
 *
 * Implemented by: endpoint.c (control plane, and the look-up). Read by: decap.c (data plane).
 *
 * Found by address in a hash table; an endpoint is immutable once published, but for @stamp, @base and @known:
 * replacing it publishes another one, which takes its counters over.
 */
#ifndef _L3VPN_ENDPOINT_H
#define _L3VPN_ENDPOINT_H

#include <linux/in6.h>
#include <linux/list.h>
#include <linux/netlink.h>
#include <linux/rcupdate.h>
#include <linux/types.h>
#include "l3vpn.h"

/**
 * struct l3vpn_endpoint_key - what tells endpoints apart
 * @addr:	network byte order; IPv4 in the first word, the others zero
 * @family:	AF_INET or AF_INET6
 * @encap:	enum l3vpn_encap
 * @dport:	UDP: destination port, host byte order; GRE: 0
 */
struct l3vpn_endpoint_key {
	struct in6_addr addr;
	u8 family;
	u8 encap;
	u16 dport;
};

/**
 * struct l3vpn_endpoint - see above
 * @node:	in ln->endpoint_hash, by address
 * @key:	see there
 * @index:	in ln->endpoints: the order of dumps
 * @stamp:	epoch; under ln->lock
 * @checksum:	UDP without a checksum is refused
 * @peers:	sources that are far ends of tunnels (peer.h) are accepted
 * @own_counters: @counters are freed with it; under ln->lock
 * @scopes:	labels of these scopes are accepted
 * @known:	whether @key.addr is an address of the global table, in bit 0, and the generation of the kernel's
 *		routes for which that holds, above it; READ_ONCE
 * @counters:	RX: packets taken out; drops
 * @base:	what ENDPOINT_GET subtracts; under ln->lock
 * @rcu:	frees
 * @source_count: of @source
 * @source:	prefixes from which packets are accepted too
 */
struct l3vpn_endpoint {
	struct hlist_node node;
	struct l3vpn_endpoint_key key;
	u32 index;
	u32 stamp;
	bool checksum;
	bool peers;
	bool own_counters;
	u64 scopes;
	u64 known;
	struct l3vpn_counters __percpu *counters;
	struct l3vpn_stats base;
	struct rcu_head rcu;
	u32 source_count;
	struct l3vpn_source source[];
};

/**
 * struct l3vpn_endpoint_spec - an endpoint as user space asks for it; borrowed pointers, checked
 * @key:	which one
 * @checksum:	as in struct l3vpn_endpoint, like all below
 */
struct l3vpn_endpoint_spec {
	struct l3vpn_endpoint_key key;
	bool checksum;
	bool peers;
	u64 scopes;
	u32 source_count;
	const struct l3vpn_source *sources;
};

/* Inside rcu_read_lock: where endpoints of address @addr are, if there are any. */
struct hlist_head *l3vpn_endpoint_bucket(struct l3vpn_net *ln, u8 family, const void *addr);

/* Inside rcu_read_lock: is the endpoint's address one of the global table now? */
bool l3vpn_endpoint_is_local(struct l3vpn_net *ln, struct l3vpn_endpoint *ep);

/* Inside rcu_read_lock: may a packet from @saddr, of the endpoint's family, be taken out? */
bool l3vpn_endpoint_accepts(struct l3vpn_net *ln, const struct l3vpn_endpoint *ep, const void *saddr);

/* All below under ln->lock. NULL: no such endpoint. */
struct l3vpn_endpoint *l3vpn_endpoint_find(struct l3vpn_net *ln, const struct l3vpn_endpoint_key *key);

/* Create or replace by NLM_F_* @flags. *@made as in l3vpn_nh_set(). 0, or -errno with extack set. */
int l3vpn_endpoint_set(struct l3vpn_net *ln, const struct l3vpn_endpoint_spec *spec, u16 flags, int *made,
		       struct netlink_ext_ack *extack);

/* Nothing is taken out there from now on. */
void l3vpn_endpoint_end(struct l3vpn_net *ln, struct l3vpn_endpoint *ep);

/* Remove what has a stamp older than the current epoch; all. Return the number. */
u32 l3vpn_endpoint_sweep(struct l3vpn_net *ln);
u32 l3vpn_endpoint_flush(struct l3vpn_net *ln);

#endif /* _L3VPN_ENDPOINT_H */
