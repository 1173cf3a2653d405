/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: next hops: an id-addressed handle, and the immutable snapshot of what it does now.
 *
 * Implemented by: nexthop.c (control plane). The rewrite cache in an adjacency is neigh.c's, the
 * choice of a group's member is group.c's (data plane).
 *
 * Routes, labels, groups and paths point to the handle; replacing a next hop publishes a new
 * snapshot in it, and touches none of them. Handle and snapshot are freed a grace period after the
 * last reference, the snapshot's own references (handles, device) after the same grace period.
 *
 * What may be met behind what is kept true by the control plane:
 *   group member: ADJACENCY, TUNNEL, LABELLED, EGRESS, VRF or UNREACHABLE.
 *   egress's via: ADJACENCY, TUNNEL, LABELLED, UNREACHABLE, or GROUP without EGRESS and VRF.
 *   path's via: ADJACENCY, TUNNEL, or GROUP whose members are all ADJACENCY or TUNNEL.
 *   So the longest chain is GROUP, EGRESS, GROUP, LABELLED, GROUP, ADJACENCY, and there is no loop. A route or a label
 *   may lead to any kind.
 */
#ifndef _L3VPN_NEXTHOP_H
#define _L3VPN_NEXTHOP_H

#include <linux/in6.h>
#include <linux/list.h>
#include <linux/netdevice.h>
#include <linux/rcupdate.h>
#include <linux/workqueue.h>
#include "l3vpn.h"

struct l3vpn_vrf;
struct l3vpn_port;
struct l3vpn_rewrite;			/* private to neigh.c */
struct l3vpn_peer;
struct l3vpn_tunnel_routes;		/* private to tunnel.c */
struct l3vpn_nh;

/**
 * struct l3vpn_adj - a neighbour on a device
 * @port:	the port; NULL: dead (device gone, or port unbound or moved): drop with
 *		L3VPN_DROP_PORT_DOWN. Its device is @port->dev, alive as long as this snapshot
 * @rewrite:	neigh.c's cache, made by l3vpn_neigh_attach(), NULL where it needs none
 * @ifindex:	as programmed
 * @gw_family:	AF_INET, AF_INET6 (may serve IPv4 packets, RFC 8950), 0: the packet's destination
 * @gw:		gateway, network byte order; IPv4 in the first word
 */
struct l3vpn_adj {
	struct l3vpn_port *port;
	struct l3vpn_rewrite *rewrite;
	int ifindex;
	u8 gw_family;
	union {
		__be32 gw4;
		struct in6_addr gw6;
	};
};

/**
 * struct l3vpn_tunnel - labelled packets in UDP or GRE, to a far router by the global table
 * @ln:		namespace
 * @peer:	the far end; referenced
 * @routes:	tunnel.c's cache, made by l3vpn_tunnel_attach()
 * @id:		the handle's
 * @local:	outer source, network byte order; IPv4 in the first word
 * @encap:	enum l3vpn_encap
 * @family:	AF_INET or AF_INET6, of both ends
 * @checksum:	UDP: with a checksum
 * @dport:	UDP: destination port, host byte order; GRE: 0
 */
struct l3vpn_tunnel {
	struct l3vpn_net *ln;
	struct l3vpn_peer *peer;
	struct l3vpn_tunnel_routes *routes;
	u32 id;
	struct in6_addr local;
	u8 encap;
	u8 family;
	bool checksum;
	u16 dport;
};

/**
 * struct l3vpn_path - push labels, then go on: kinds LABELLED and EGRESS
 * @via:	handle, referenced
 * @id:		the handle's
 * @count:	0..L3VPN_LABELS_MAX; 0: outermost label is implicit null, nothing to push; EGRESS: 1
 * @lse:	label stack entries, outermost first, network byte order; TC, S and TTL bits zero
 */
struct l3vpn_path {
	struct l3vpn_nh *via;
	u32 id;
	u8 count;
	__be32 lse[L3VPN_LABELS_MAX];
};

/**
 * struct l3vpn_group_member - of a group
 * @nh:		handle, referenced
 * @bound:	of the members that are no backups: upper bound (inclusive) of the flow hash, 31 bits,
 *		hash-threshold by weight; backups: of the backups among themselves
 * @weight:	1..65535
 * @backup:	used only while no other member can forward
 * @onward:	of a backup: also by packets that came from the core, into the core
 * @local:	not by packets that came from the core
 */
struct l3vpn_group_member {
	struct l3vpn_nh *nh;
	u32 bound;
	u16 weight;
	bool backup;
	bool onward;
	bool local;
};

/**
 * struct l3vpn_group - weighted members
 * @count:	members in all, 1..L3VPN_GROUP_MAX
 * @active:	the first @active members are no backups, the others are (the order of user space is
 *		kept within both, and @order restores it)
 * @order:	@order[i]: where member i of user space's array is
 * @member:	the members
 */
struct l3vpn_group {
	u8 count;
	u8 active;
	u8 order[L3VPN_GROUP_MAX];
	struct l3vpn_group_member member[];
};

/**
 * struct l3vpn_nh_data - a snapshot, immutable once published
 * @kind:	enum l3vpn_nh_kind
 * @tally:	the handle's (see there)
 * @vrf:	kind VRF: where to look up, NULL: it is gone, drop with L3VPN_DROP_NO_VRF
 * @vrf_id:	kind VRF: as programmed
 * @free:	frees it a grace period after it was replaced, in process context
 */
struct l3vpn_nh_data {
	u8 kind;
	struct l3vpn_tally __percpu *tally;
	struct rcu_work free;
	union {
		struct l3vpn_adj adj;
		struct l3vpn_path path;
		struct l3vpn_tunnel tunnel;
		struct {
			struct l3vpn_vrf *vrf;
			u32 vrf_id;
		};
		struct l3vpn_group group;	/* last: ends in an array */
	};
};

/**
 * struct l3vpn_nh - a handle
 * @data:	current snapshot, never NULL while something refers to the handle
 * @id:		1..L3VPN_NH_ID_MAX; above: the module's own
 * @down:	epoch in which user space said that it is down; 0: it is not. Written without a lock
 *		(l3vpn_nh_state()), read by group.c
 * @refs:	routes, labels, groups, paths (and the module's own uses); under ln->lock
 * @stamp:	epoch; under ln->lock
 * @via_refs:	how many of @refs are paths that go on here; under ln->lock
 * @egress_refs: likewise of egresses
 * @member_refs: likewise of groups that have it
 * @tally:	packets that left by it, whatever snapshot it had: ADJACENCY, TUNNEL and LABELLED what was sent,
 *		EGRESS what a group gave it, VRF, RECEIVE and HOST what was handed on, BLACKHOLE and UNREACHABLE
 *		what ended there;
 *		a GROUP counts nothing, its members do. Freed with the handle
 * @base:	what NH_GET subtracts; under ln->lock
 * @port_node:	in port->adjs, kind ADJACENCY; under ln->lock
 * @rcu:	frees
 */
struct l3vpn_nh {
	struct l3vpn_nh_data __rcu *data;
	u32 id;
	u32 down;
	u32 refs;
	u32 stamp;
	u32 via_refs;
	u32 egress_refs;
	u32 member_refs;
	struct l3vpn_tally __percpu *tally;
	struct l3vpn_tally_sum base;
	struct list_head port_node;
	struct rcu_head rcu;
};

/* Inside rcu_read_lock. Never NULL. */
static inline const struct l3vpn_nh_data *l3vpn_nh_rcu(const struct l3vpn_nh *nh)
{
	return rcu_dereference(nh->data);
}

/* Inside rcu_read_lock, bottom halves off: @packets leave by @adj, as @bytes from the layer 3 header. */
static inline void l3vpn_adj_count(const struct l3vpn_adj *adj, u32 packets, u32 bytes)
{
	l3vpn_tally_add(container_of(adj, struct l3vpn_nh_data, adj)->tally, packets, bytes);
}

/* Likewise by @tunnel, outer headers included. */
static inline void l3vpn_tunnel_count(const struct l3vpn_tunnel *tunnel, u32 packets, u32 bytes)
{
	l3vpn_tally_add(container_of(tunnel, struct l3vpn_nh_data, tunnel)->tally, packets, bytes);
}

/* Likewise under the labels of @path. */
static inline void l3vpn_path_count(const struct l3vpn_path *path, u32 packets, u32 bytes)
{
	l3vpn_tally_add(container_of(path, struct l3vpn_nh_data, path)->tally, packets, bytes);
}

/* Under ln->lock. NULL: no such next hop. Takes no reference. */
struct l3vpn_nh *l3vpn_nh_find(struct l3vpn_net *ln, u32 id);

/* Under ln->lock. */
void l3vpn_nh_hold(struct l3vpn_nh *nh);
void l3vpn_nh_put(struct l3vpn_net *ln, struct l3vpn_nh *nh);

#endif /* _L3VPN_NEXTHOP_H */
