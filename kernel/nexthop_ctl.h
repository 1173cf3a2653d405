/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: next hops as the control plane makes, replaces and ends them. What the data path reads is
 * in nexthop.h.
 *
 * Implemented by: nexthop.c, nexthop_build.c (control plane).
 */
#ifndef _L3VPN_NEXTHOP_CTL_H
#define _L3VPN_NEXTHOP_CTL_H

#include <linux/netlink.h>
#include <linux/mpls.h>
#include "l3vpn.h"
#include "nexthop.h"

/**
 * struct l3vpn_nh_spec - a next hop as user space asks for it; borrowed pointers
 * @id:		1..L3VPN_NH_ID_MAX
 * @kind:	enum l3vpn_nh_kind
 * @gw_len:	0, 4 or 16
 * @ifindex:	ADJACENCY
 * @gw:		ADJACENCY, network byte order
 * @via:	LABELLED, EGRESS: id
 * @label_count: LABELLED: 0..L3VPN_LABELS_MAX; EGRESS: 1
 * @labels:	LABELLED, EGRESS: host byte order, each at most L3VPN_LABEL_MAX
 * @member_count: GROUP: 1..L3VPN_GROUP_MAX
 * @members:	GROUP: weight and flags have been checked
 * @vrf:	VRF: id
 * @encap:	TUNNEL: enum l3vpn_encap
 * @checksum:	TUNNEL: UDP with a checksum
 * @dport:	TUNNEL: UDP's, host byte order; GRE: 0
 * @end_len:	TUNNEL: 4 or 16, of both ends
 * @local:	TUNNEL: network byte order
 * @remote:	TUNNEL: likewise
 */
struct l3vpn_nh_spec {
	u32 id;
	u8 kind;
	u8 gw_len;
	int ifindex;
	const void *gw;
	u32 via;
	u32 label_count;
	const u32 *labels;
	u32 member_count;
	const struct l3vpn_nh_member *members;
	u32 vrf;
	u8 encap;
	bool checksum;
	u16 dport;
	u8 end_len;
	const void *local;
	const void *remote;
};

/* The label at position @i, outermost first. */
static inline u32 l3vpn_path_label(const struct l3vpn_path *path, int i)
{
	return be32_to_cpu(path->lse[i]) >> MPLS_LS_LABEL_SHIFT;
}

/* L3VPN_MEMBER_FLAG_* */
static inline u16 l3vpn_member_flags(const struct l3vpn_group_member *member)
{
	return (member->backup ? L3VPN_MEMBER_FLAG_BACKUP : 0) | (member->onward ? L3VPN_MEMBER_FLAG_ONWARD : 0) |
	       (member->local ? L3VPN_MEMBER_FLAG_LOCAL : 0);
}

/* Under ln->lock. The current snapshot. */
static inline struct l3vpn_nh_data *l3vpn_nh_data(const struct l3vpn_net *ln,
						  const struct l3vpn_nh *nh)
{
	return rcu_dereference_protected(nh->data, lockdep_is_held(&ln->lock));
}

/*
 * Under RTNL and ln->lock. A snapshot for @spec, referring to what it names, not yet published; an
 * ERR_PTR with extack set where it may not be. @self: the handle it is for, or NULL if that is new.
 */
struct l3vpn_nh_data *l3vpn_nh_build(struct l3vpn_net *ln, const struct l3vpn_nh_spec *spec,
				     const struct l3vpn_nh *self,
				     struct netlink_ext_ack *extack);

/* Under RTNL and ln->lock. For what is on link at @port; NULL: no memory. */
struct l3vpn_nh_data *l3vpn_nh_build_connected(struct l3vpn_port *port);

/* May sleep, never fails. ADJACENCY or VRF: what it is when its port or VRF is gone. */
struct l3vpn_nh_data *l3vpn_nh_build_dead(const struct l3vpn_nh_data *data);

/* Under ln->lock: drop the references that @data holds on other objects, and free it after readers. */
void l3vpn_nh_data_release(struct l3vpn_net *ln, struct l3vpn_nh_data *data);

/*
 * Under RTNL and ln->lock. Create or replace, by the netlink flags @flags (NLM_F_*). *@made: 1 new,
 * 0 replaced, -1 nothing changed but the stamp. 0, or -errno with extack set.
 */
int l3vpn_nh_set(struct l3vpn_net *ln, const struct l3vpn_nh_spec *spec, u16 flags, int *made,
		 struct netlink_ext_ack *extack);

/* Under ln->lock. Ends @nh, to which nothing refers. Frees after readers. */
void l3vpn_nh_end(struct l3vpn_net *ln, struct l3vpn_nh *nh);

/* Under RTNL and ln->lock. The module's own next hop for what is on link at @port; NULL: no memory. */
struct l3vpn_nh *l3vpn_nh_connected(struct l3vpn_net *ln, struct l3vpn_port *port);

/* Under ln->lock. Its port is gone or moved: no packet may take it until it is programmed again. */
void l3vpn_nh_kill(struct l3vpn_net *ln, struct l3vpn_nh *nh);

/* Under ln->lock. Next hops that lead into @vrf, which goes away: they drop from now on. */
void l3vpn_nh_kill_vrf(struct l3vpn_net *ln, struct l3vpn_vrf *vrf);

/* Under ln->lock, inside rcu_read_lock too. Packets can leave by it now. */
bool l3vpn_nh_resolved(const struct l3vpn_nh *nh);

/*
 * Inside rcu_read_lock, no lock needed: a failure must not wait for a bulk of routes. False: a kind
 * that no group can pass over.
 */
bool l3vpn_nh_state(struct l3vpn_net *ln, struct l3vpn_nh *nh, bool down);

/*
 * Under ln->lock. End what has an older stamp and is not referred to any more, and every state of
 * being down that is older than the epoch. Returns the number of next hops that ended.
 */
u32 l3vpn_nh_sweep(struct l3vpn_net *ln);

/* Under ln->lock, nothing but next hops refers to next hops: end all that user space made. */
void l3vpn_nh_flush(struct l3vpn_net *ln);

/* The built-in ones. Process context. */
int l3vpn_nh_net_init(struct l3vpn_net *ln);
void l3vpn_nh_net_exit(struct l3vpn_net *ln);

#endif /* _L3VPN_NEXTHOP_CTL_H */
