/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: the generic netlink family: what its files share.
 *
 * Implemented by: netlink.c (family, helpers), netlink_vrf.c, netlink_port.c, netlink_nh.c,
 * netlink_route.c, netlink_label.c, netlink_endpoint.c, netlink_table.c, netlink_trace.c; all control plane.
 *
 * Commands run in parallel (no genl_mutex): those that touch devices take RTNL, then ln->lock; all
 * others ln->lock alone. Every refusal sets extack. Dumps keep their place in cb->ctx by the id,
 * prefix or label that comes next: what is made or removed meanwhile is seen or not, all else is
 * seen exactly once.
 */
#ifndef _L3VPN_NETLINK_H
#define _L3VPN_NETLINK_H

#include <net/genetlink.h>
#include "l3vpn.h"

struct l3vpn_endpoint;
struct l3vpn_ilm;
struct l3vpn_nh;
struct l3vpn_port;
struct l3vpn_vrf;

enum l3vpn_mcgrp {
	L3VPN_GROUP_EVENTS,
	L3VPN_GROUP_DROPS,
	L3VPN_GROUP_PACKETS,
};

extern struct genl_family l3vpn_family;

/* Any context. False while the family is not registered. */
bool l3vpn_has_listeners(struct l3vpn_net *ln, enum l3vpn_mcgrp group);

/* Module init and exit. No command runs any more when exit returns, and no event is sent. */
int l3vpn_netlink_init(void);
void l3vpn_netlink_exit(void);

/*
 * The first thing of every command and dump: 0, or -EINVAL where a flag is unknown, a reserved field
 * not zero, or an attribute comes twice.
 */
int l3vpn_nl_check(const struct nlmsghdr *nlh, struct netlink_ext_ack *extack);

/* The same for commands without attributes, which the core does not look at: any is refused. */
int l3vpn_nl_check_empty(const struct nlmsghdr *nlh, struct netlink_ext_ack *extack);

/* -EINVAL with extack set, for attribute @attr that is missing. */
int l3vpn_nl_missing(struct genl_info *info, int attr, const char *name);

/* An answer to @info; NULL: no memory. l3vpn_reply_send sends it, or frees it where @err. */
struct sk_buff *l3vpn_reply_start(struct genl_info *info, u8 cmd, size_t size, void **hdr);
int l3vpn_reply_send(struct genl_info *info, struct sk_buff *msg, void *hdr, int err);

/* NLM_F_ECHO: tell how many records were done. */
int l3vpn_reply_done(struct genl_info *info, u8 cmd, int attr, u32 done);

/* The attributes of a dump's request. */
static inline struct nlattr **l3vpn_dump_attrs(struct netlink_callback *cb)
{
	return l3vpn_compat_dump_attrs(cb);
}

/* The start of one answer of a dump; NULL: the message is full. */
void *l3vpn_dump_put(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd);

/* An u64 without padding: user space copies it out. */
static inline int l3vpn_nla_put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put(skb, attr, sizeof(value), &value);
}

/* A nest of L3VPN_STATS_*, @base subtracted; 0 or -EMSGSIZE. */
int l3vpn_stats_fill(struct sk_buff *skb, int attr, const struct l3vpn_stats *sum,
		     const struct l3vpn_stats *base);

/* The attributes of one object. Under ln->lock. 0 or -EMSGSIZE. */
int l3vpn_vrf_fill(struct sk_buff *skb, struct l3vpn_vrf *vrf);
int l3vpn_port_fill(struct sk_buff *skb, struct l3vpn_port *port);
int l3vpn_nh_fill(struct sk_buff *skb, struct l3vpn_net *ln, struct l3vpn_nh *nh);
int l3vpn_endpoint_fill(struct sk_buff *skb, struct l3vpn_net *ln, struct l3vpn_endpoint *ep);

/*
 * netlink_endpoint.c: -EINVAL with extack set where attribute @attr is there, and @encap is not UDP; where
 * attribute @attr, which is there, is no address that a tunnel can have.
 */
int l3vpn_nl_udp_alone(struct genl_info *info, int attr, u8 encap);
int l3vpn_nl_end_address(struct genl_info *info, int attr);

/* The lowest label that may have an entry: those below are reserved (RFC 3032 section 2.1). */
#define L3VPN_LABEL_MIN		16

/* Ranges that policies share; never written. */
extern struct netlink_range_validation l3vpn_range_vrf;
extern struct netlink_range_validation l3vpn_range_nh;
extern struct netlink_range_validation l3vpn_range_label;
extern struct netlink_range_validation l3vpn_range_flowlabel;

/* Policies: one for each command, indexed by attribute. */
extern const struct nla_policy l3vpn_vrf_new_policy[L3VPN_VRF_TC_DSCP + 1];
extern const struct nla_policy l3vpn_vrf_key_policy[L3VPN_VRF_NAME + 1];
extern const struct nla_policy l3vpn_port_new_policy[L3VPN_PORT_MPLS_MTU + 1];
extern const struct nla_policy l3vpn_port_del_policy[L3VPN_PORT_IFINDEX + 1];
extern const struct nla_policy l3vpn_port_get_policy[L3VPN_PORT_VRF + 1];
extern const struct nla_policy l3vpn_nh_new_policy[L3VPN_NH_CHECKSUM + 1];
extern const struct nla_policy l3vpn_nh_key_policy[L3VPN_NH_ID + 1];
extern const struct nla_policy l3vpn_nh_state_policy[L3VPN_NH_DOWN + 1];
extern const struct nla_policy l3vpn_route_set_policy[L3VPN_ROUTE_FLAGS + 1];
extern const struct nla_policy l3vpn_route_get_policy[L3VPN_ROUTE_FLOWLABEL + 1];
extern const struct nla_policy l3vpn_label_set_policy[L3VPN_LABEL_FLAGS + 1];
extern const struct nla_policy l3vpn_label_get_policy[L3VPN_LABEL_LABEL + 1];
extern const struct nla_policy l3vpn_endpoint_new_policy[L3VPN_ENDPOINT_SOURCES + 1];
extern const struct nla_policy l3vpn_endpoint_key_policy[L3VPN_ENDPOINT_DPORT + 1];
extern const struct nla_policy l3vpn_epoch_sweep_policy[L3VPN_EPOCH_KINDS + 1];
extern const struct nla_policy l3vpn_table_get_policy[L3VPN_TABLE_VRF + 1];
extern const struct nla_policy l3vpn_clear_policy[L3VPN_CLEAR_KINDS + 1];
extern const struct nla_policy l3vpn_trace_policy[L3VPN_TRACE_COUNT + 1];

/* Commands, dumps, and what checks a dump's request. */
int l3vpn_nl_info_get(struct sk_buff *skb, struct genl_info *info);
int l3vpn_nl_vrf_new(struct sk_buff *skb, struct genl_info *info);
int l3vpn_nl_vrf_del(struct sk_buff *skb, struct genl_info *info);
int l3vpn_nl_vrf_get(struct sk_buff *skb, struct genl_info *info);
int l3vpn_nl_vrf_dump(struct sk_buff *skb, struct netlink_callback *cb);
int l3vpn_nl_port_new(struct sk_buff *skb, struct genl_info *info);
int l3vpn_nl_port_del(struct sk_buff *skb, struct genl_info *info);
int l3vpn_nl_port_get(struct sk_buff *skb, struct genl_info *info);
int l3vpn_nl_port_dump(struct sk_buff *skb, struct netlink_callback *cb);
int l3vpn_nl_nh_new(struct sk_buff *skb, struct genl_info *info);
int l3vpn_nl_nh_del(struct sk_buff *skb, struct genl_info *info);
int l3vpn_nl_nh_get(struct sk_buff *skb, struct genl_info *info);
int l3vpn_nl_nh_state(struct sk_buff *skb, struct genl_info *info);
int l3vpn_nl_nh_dump(struct sk_buff *skb, struct netlink_callback *cb);
int l3vpn_nl_route_add(struct sk_buff *skb, struct genl_info *info);
int l3vpn_nl_route_del(struct sk_buff *skb, struct genl_info *info);
int l3vpn_nl_route_get(struct sk_buff *skb, struct genl_info *info);
int l3vpn_nl_route_dump_start(struct netlink_callback *cb);
int l3vpn_nl_route_dump(struct sk_buff *skb, struct netlink_callback *cb);
int l3vpn_nl_label_add(struct sk_buff *skb, struct genl_info *info);
int l3vpn_nl_label_del(struct sk_buff *skb, struct genl_info *info);
int l3vpn_nl_label_get(struct sk_buff *skb, struct genl_info *info);
int l3vpn_nl_label_dump(struct sk_buff *skb, struct netlink_callback *cb);
int l3vpn_nl_endpoint_new(struct sk_buff *skb, struct genl_info *info);
int l3vpn_nl_endpoint_del(struct sk_buff *skb, struct genl_info *info);
int l3vpn_nl_endpoint_get(struct sk_buff *skb, struct genl_info *info);
int l3vpn_nl_endpoint_dump_start(struct netlink_callback *cb);
int l3vpn_nl_endpoint_dump(struct sk_buff *skb, struct netlink_callback *cb);
int l3vpn_nl_epoch_begin(struct sk_buff *skb, struct genl_info *info);
int l3vpn_nl_epoch_sweep(struct sk_buff *skb, struct genl_info *info);
int l3vpn_nl_table_dump(struct sk_buff *skb, struct netlink_callback *cb);
int l3vpn_nl_drop_dump_start(struct netlink_callback *cb);
int l3vpn_nl_drop_dump(struct sk_buff *skb, struct netlink_callback *cb);
int l3vpn_nl_stats_clear(struct sk_buff *skb, struct genl_info *info);
int l3vpn_nl_trace_set(struct sk_buff *skb, struct genl_info *info);
int l3vpn_nl_trace_del(struct sk_buff *skb, struct genl_info *info);

/* The check of dumps that need no attribute. */
int l3vpn_nl_dump_start(struct netlink_callback *cb);

#endif /* _L3VPN_NETLINK_H */
