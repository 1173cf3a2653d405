/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * l3vpn: the contract between the forwarding module and user space.
 *
 * Generic netlink family "l3vpn". Every object lives in one network namespace: that of the
 * socket which speaks. All commands that change anything need CAP_NET_ADMIN in the user
 * namespace that owns this network namespace; GET commands need no privilege, but for
 * L3VPN_CMD_DROP_GET's packet samples (multicast group "drops"), which need it too.
 *
 * Byte order: addresses and prefixes are in network byte order; every other number is in host
 * byte order. A label is its 20-bit value, 0..1048575, never a whole label stack entry.
 *
 * Objects, and what refers to what (an object that is referred to cannot be deleted: EBUSY):
 *
 *      port (customer) --> VRF --> FIB: route {prefix, next hop, VPN label} --+
 *      port (core) ------> label entry --> VRF | next hop --------------------+--> next hop
 *      next hop: adjacency or tunnel <-- labelled path <-- group
 *      endpoint: what comes by a core port to it is taken out of UDP or GRE, and has its labels looked at
 *
 * Commands and their attributes (R required, O optional, K answer only):
 *
 *   INFO_GET                   K: L3VPN_INFO_*
 *   VRF_NEW    L3VPN_VRF_*     R NAME  O ID TABLE LIMIT4 LIMIT6 WARN4 WARN6   create, or change the limits,
 *                              O TTL_MODEL TC_MODEL DSCP_TC TC_DSCP         models and maps
 *   VRF_DEL                    R ID or NAME
 *   VRF_GET                    O ID or NAME, or dump
 *   PORT_NEW   L3VPN_PORT_*    R IFINDEX KIND  R VRF (customer)     bind, re-bind, or change the guards
 *       customer                 O RPF4 RPF6 OPTIONS
 *       core                     O SCOPES MPLS_MTU
 *   PORT_DEL                   R IFINDEX
 *   PORT_GET                   O IFINDEX, or dump (O VRF filters)
 *   NH_NEW     L3VPN_NH_*      R ID KIND, and by kind:              create or replace in place
 *       ADJACENCY                R IFINDEX  O GATEWAY (4 or 16 octets; none: on-link destination)
 *       LABELLED                 R VIA LABELS
 *       GROUP                    R MEMBERS
 *       VRF                      R VRF
 *       TUNNEL                   R ENCAP LOCAL REMOTE  O DPORT CHECKSUM (UDP alone)
 *       RECEIVE HOST BLACKHOLE UNREACHABLE   nothing more
 *   NH_DEL                     R ID
 *   NH_GET                     O ID, or dump
 *   NH_STATE                   R ID DOWN                            said to be down, or up again
 *   ROUTE_ADD  L3VPN_ROUTE_*   R VRF, and one or both of RECORDS4 RECORDS6
 *   ROUTE_DEL                  R VRF, and one or both of RECORDS4 RECORDS6 (only prefix and length count)
 *   ROUTE_GET                  dump: R VRF FAMILY
 *                              do:   R VRF, and DST4 or DST6: the longest match, as the data path sees it
 *                                    O SRC4 or SRC6, PROTO, SPORT, DPORT, FLOWLABEL: and the member of a
 *                                    group it takes
 *   LABEL_ADD  L3VPN_LABEL_*   R RECORDS
 *   LABEL_DEL                  R RECORDS (only the label counts)
 *   LABEL_GET                  O LABEL, or dump
 *   ENDPOINT_NEW L3VPN_ENDPOINT_*  R ENCAP ADDRESS  O DPORT CHECKSUM SCOPES PEERS SOURCES   create or
 *                              replace; what is not given is as in a new one
 *   ENDPOINT_DEL               R ENCAP ADDRESS  O DPORT
 *   ENDPOINT_GET               R ENCAP ADDRESS  O DPORT; or dump, without attributes
 *   EPOCH_BEGIN L3VPN_EPOCH_*  K EPOCH
 *   EPOCH_SWEEP                R EPOCH  O KINDS   K SWEPT
 *   TABLE_GET  L3VPN_TABLE_*   dump; O KIND VRF filter
 *   DROP_GET   L3VPN_DROP_*    dump: packets per reason
 *   STATS_CLEAR L3VPN_CLEAR_*  O KINDS (all when absent)
 *   TRACE_SET  L3VPN_TRACE_*   O VRF IFINDEX SRC SRC_PLEN DST DST_PLEN PROTOCOL COUNT: tell of packets
 *                              that match all of these, in multicast group "packets", until the
 *                              socket that asked is closed; one at a time: others' is EBUSY
 *   TRACE_DEL
 *
 * Records travel packed in one attribute (at most 65,531 octets: 4,095 IPv4 routes). A message
 * is validated whole before anything of it is done: one bad record refuses the message, nothing
 * changes, and extack says "record N: reason" (N counts from 0 in its attribute). Adding what is
 * there replaces it; deleting what is not there is ENOENT unless L3VPN_*_FLAG_IDEMPOTENT. Only
 * lack of memory (ENOMEM) or a limit (ENOSPC) stops midway; extack then says "K of M records are
 * in", and so does the K of the extack cookie (u64) where the kernel delivers one. With
 * NLM_F_ECHO a success answers with *_DONE, and of a VRF, port or next hop with the object.
 *
 * NLM_F_EXCL: what is there is EEXIST. NLM_F_REPLACE without NLM_F_CREATE: what is not there is
 * ENOENT. Otherwise NEW and ADD create or replace, with or without NLM_F_CREATE.
 *
 * User space's route of a prefix that the module keeps by itself (connected, receive) is taken,
 * counted and dumped, but forwards nothing until the module gives its own up. Where a device is
 * unregistered, released from its master, moved to another VRF, or a VRF device deleted with "ip
 * link del", references do not help: adjacencies by that port and next hops into that VRF stay with
 * their configuration and forward nothing (RESOLVED 0) until they are programmed again; labels of
 * that VRF are removed.
 *
 * Epochs: every object made by user space is stamped with the namespace's current epoch when it
 * is created, replaced, or programmed again with the same content. EPOCH_BEGIN raises the epoch;
 * EPOCH_SWEEP with that same number removes what still has an older stamp, in an order that
 * references allow (endpoints, labels, routes, next hops, ports, VRFs). Entries that the module keeps by
 * itself (connected, receive) have no stamp, and are neither swept nor counted in a digest.
 *
 * NH_STATE is state, not configuration: no digest knows it, and NH_NEW leaves it as it is. It bears
 * the epoch in which it was said last: a sweep of next hops ends a DOWN that the new epoch has not
 * repeated, so that no next hop stays down for a daemon that has forgotten it.
 */
#ifndef _UAPI_LINUX_L3VPN_H
#define _UAPI_LINUX_L3VPN_H

#include <linux/types.h>

#define L3VPN_GENL_NAME		"l3vpn"
#define L3VPN_GENL_VERSION	1
#define L3VPN_MCGRP_EVENTS	"events"	/* L3VPN_CMD_EVENT */
#define L3VPN_MCGRP_DROPS	"drops"		/* L3VPN_CMD_DROP_SAMPLE */
#define L3VPN_MCGRP_PACKETS	"packets"	/* L3VPN_CMD_TRACE_PACKET */

#define L3VPN_LINK_KIND		"l3vpn"		/* IFLA_INFO_KIND of a VRF device */

#define L3VPN_LABEL_NONE	0xffffffffU	/* a route without a VPN label */
#define L3VPN_LABEL_MAX		1048575U
#define L3VPN_LABELS_MAX	8		/* labels that one labelled path may push */
#define L3VPN_GROUP_MAX		64		/* members of a group */
#define L3VPN_VRF_GLOBAL	0		/* VRF id of the global table; has no device, no FIB here */
#define L3VPN_VRF_ID_MAX	0x000fffffU
#define L3VPN_NH_ID_MAX		0x7fffffffU	/* above: next hops that the module keeps by itself */
#define L3VPN_NH_ID_RECEIVE	0x80000001U	/* what is to the VRF itself */
#define L3VPN_NH_ID_UNREACHABLE	0x80000002U
#define L3VPN_NH_ID_BLACKHOLE	0x80000003U
#define L3VPN_NH_ID_CONNECTED	0x80000100U	/* + the port's ifindex: neighbours on the port */
#define L3VPN_FLOWLABEL_MAX	0x000fffffU
#define L3VPN_VRF_HOPS_MAX	4		/* VRFs that one packet may cross */
#define L3VPN_DSCP_COUNT	64		/* DSCPs (RFC 2474) */
#define L3VPN_TC_COUNT		8		/* traffic classes of a label (RFC 5462) */
#define L3VPN_MPLS_MTU_MIN	104		/* octets: IPv4's 68 under L3VPN_LABELS_MAX + 1 labels */
#define L3VPN_MPLS_MTU_MAX	65535
#define L3VPN_UDP_PORT_MPLS	6635		/* MPLS over UDP (RFC 7510) */
#define L3VPN_SOURCES_MAX	64		/* source prefixes of an endpoint */

enum l3vpn_cmd {
	L3VPN_CMD_UNSPEC,
	L3VPN_CMD_INFO_GET,
	L3VPN_CMD_VRF_NEW,
	L3VPN_CMD_VRF_DEL,
	L3VPN_CMD_VRF_GET,
	L3VPN_CMD_PORT_NEW,
	L3VPN_CMD_PORT_DEL,
	L3VPN_CMD_PORT_GET,
	L3VPN_CMD_NH_NEW,
	L3VPN_CMD_NH_DEL,
	L3VPN_CMD_NH_GET,
	L3VPN_CMD_ROUTE_ADD,
	L3VPN_CMD_ROUTE_DEL,
	L3VPN_CMD_ROUTE_GET,
	L3VPN_CMD_LABEL_ADD,
	L3VPN_CMD_LABEL_DEL,
	L3VPN_CMD_LABEL_GET,
	L3VPN_CMD_EPOCH_BEGIN,
	L3VPN_CMD_EPOCH_SWEEP,
	L3VPN_CMD_TABLE_GET,
	L3VPN_CMD_DROP_GET,
	L3VPN_CMD_STATS_CLEAR,
	L3VPN_CMD_EVENT,		/* multicast only */
	L3VPN_CMD_DROP_SAMPLE,		/* multicast only */
	L3VPN_CMD_NH_STATE,
	L3VPN_CMD_TRACE_SET,
	L3VPN_CMD_TRACE_DEL,
	L3VPN_CMD_TRACE_PACKET,		/* multicast only */
	L3VPN_CMD_ENDPOINT_NEW,
	L3VPN_CMD_ENDPOINT_DEL,
	L3VPN_CMD_ENDPOINT_GET,
	__L3VPN_CMD_MAX
};
#define L3VPN_CMD_MAX (__L3VPN_CMD_MAX - 1)

/* Kinds of object; a bit mask of (1 << kind) where *_KINDS is asked. */
enum l3vpn_object {
	L3VPN_OBJECT_UNSPEC,
	L3VPN_OBJECT_VRF,
	L3VPN_OBJECT_PORT,
	L3VPN_OBJECT_NH,
	L3VPN_OBJECT_ROUTE4,
	L3VPN_OBJECT_ROUTE6,
	L3VPN_OBJECT_LABEL,
	L3VPN_OBJECT_ADDR,		/* events only */
	L3VPN_OBJECT_NEIGH,		/* events only */
	L3VPN_OBJECT_ENDPOINT,
	__L3VPN_OBJECT_MAX
};
#define L3VPN_OBJECT_MAX (__L3VPN_OBJECT_MAX - 1)

/* INFO_GET */
enum {
	L3VPN_INFO_UNSPEC,
	L3VPN_INFO_INSTANCE,		/* u64, random, new whenever the module is loaded */
	L3VPN_INFO_EPOCH,		/* u32, current */
	L3VPN_INFO_VRFS,		/* u32, present */
	L3VPN_INFO_PORTS,		/* u32 */
	L3VPN_INFO_NHS,			/* u32, made by user space */
	L3VPN_INFO_ROUTES4,		/* u64, all VRFs, made by user space */
	L3VPN_INFO_ROUTES6,		/* u64 */
	L3VPN_INFO_LABELS,		/* u32 */
	L3VPN_INFO_VERSION,		/* string, of the module */
	L3VPN_INFO_LABELS_UNCOUNTED,	/* u64, packets that their label's counter lacks: no memory */
	L3VPN_INFO_ENDPOINTS,		/* u32 */
	__L3VPN_INFO_MAX
};
#define L3VPN_INFO_MAX (__L3VPN_INFO_MAX - 1)

/* Packets and octets; nested in *_STATS. Octets count from the layer 3 header (label stack included). */
enum {
	L3VPN_STATS_UNSPEC,
	L3VPN_STATS_RX_PACKETS,		/* u64 */
	L3VPN_STATS_RX_BYTES,		/* u64 */
	L3VPN_STATS_TX_PACKETS,		/* u64 */
	L3VPN_STATS_TX_BYTES,		/* u64 */
	L3VPN_STATS_DROPS,		/* u64, packets */
	L3VPN_STATS_PAD,
	__L3VPN_STATS_MAX
};
#define L3VPN_STATS_MAX (__L3VPN_STATS_MAX - 1)

/* What labels and the IP packet below them tell each other (RFC 3270 section 2.6, RFC 3443). */
enum l3vpn_model {
	L3VPN_MODEL_UNSPEC,
	L3VPN_MODEL_UNIFORM,		/* one value: labels take the packet's, the packet takes theirs */
	L3VPN_MODEL_PIPE,		/* the packet keeps its own; the labels' counts at the egress */
	L3VPN_MODEL_SHORT_PIPE,		/* the packet keeps its own, which counts at the egress */
};

enum {
	L3VPN_VRF_UNSPEC,
	L3VPN_VRF_ID,			/* u32, 1..L3VPN_VRF_ID_MAX; chosen by the module when absent */
	L3VPN_VRF_NAME,			/* string, the device's name */
	L3VPN_VRF_IFINDEX,		/* s32, answer only */
	L3VPN_VRF_TABLE,		/* u32, kernel table of local sockets; chosen when absent */
	L3VPN_VRF_LIMIT4,		/* u32, most IPv4 routes; 0 no limit (default) */
	L3VPN_VRF_LIMIT6,		/* u32 */
	L3VPN_VRF_STATS,		/* nest, answer only */
	L3VPN_VRF_ROUTES4,		/* u32, answer only, made by user space */
	L3VPN_VRF_ROUTES6,		/* u32, answer only */
	L3VPN_VRF_PORTS,		/* u32, answer only */
	L3VPN_VRF_WARN4,		/* u32, IPv4 routes from which on there is a warning; 0 none (default) */
	L3VPN_VRF_WARN6,		/* u32 */
	L3VPN_VRF_LEVEL4,		/* u8, enum l3vpn_level, answer only */
	L3VPN_VRF_LEVEL6,		/* u8, answer only */
	L3VPN_VRF_TTL_MODEL,		/* u8, enum l3vpn_model: UNIFORM (default), or PIPE: labels start at 255 */
	L3VPN_VRF_TC_MODEL,		/* u8, enum l3vpn_model; default SHORT_PIPE */
	L3VPN_VRF_DSCP_TC,		/* binary, 64 octets: TC of labels by the packet's DSCP; default DSCP / 8 */
	L3VPN_VRF_TC_DSCP,		/* binary, 8 octets: DSCP by TC, TC_MODEL UNIFORM alone; default TC * 8 */
	__L3VPN_VRF_MAX
};
#define L3VPN_VRF_MAX (__L3VPN_VRF_MAX - 1)

/*
 * How full a table is. Rises as soon as the count of routes reaches WARN or LIMIT; falls only when it is
 * below that by more than a sixteenth (at least one route), or zero: what flaps is told once.
 */
enum l3vpn_level {
	L3VPN_LEVEL_NORMAL,
	L3VPN_LEVEL_WARNING,		/* WARN was reached */
	L3VPN_LEVEL_FULL,		/* LIMIT was reached: further routes are ENOSPC */
};

enum l3vpn_port_kind {
	L3VPN_PORT_KIND_UNSPEC,
	L3VPN_PORT_KIND_CUSTOMER,	/* in one VRF; labelled packets are dropped */
	L3VPN_PORT_KIND_CORE,		/* accepts labels; all else goes to the kernel's stack untouched */
};

enum {
	L3VPN_PORT_UNSPEC,
	L3VPN_PORT_IFINDEX,		/* s32 */
	L3VPN_PORT_KIND,		/* u8, enum l3vpn_port_kind */
	L3VPN_PORT_VRF,			/* u32, VRF id; customer ports only */
	L3VPN_PORT_NAME,		/* string, answer only */
	L3VPN_PORT_STATS,		/* nest, answer only */
	L3VPN_PORT_CARRIER,		/* u8, 0 or 1, answer only: running and operationally up */
	L3VPN_PORT_RPF4,		/* u8, enum l3vpn_rpf; a new port: OFF; absent: as it is */
	L3VPN_PORT_RPF6,		/* u8, likewise */
	L3VPN_PORT_OPTIONS,		/* u32, IPv4 packets with options taken in a second; new: UNLIMITED */
	L3VPN_PORT_SCOPES,		/* u64, mask of 1 << scope: labels that are accepted; new: all */
	/* Octets of a labelled packet, labels included; the device's MTU holds too. */
	L3VPN_PORT_MPLS_MTU,		/* u32, core ports: 0 none of its own (default), or L3VPN_MPLS_MTU_MIN.._MAX */
	__L3VPN_PORT_MAX
};
#define L3VPN_PORT_MAX (__L3VPN_PORT_MAX - 1)

/*
 * Reverse path check of a customer port's packets (RFC 3704), by the longest match of the source in the port's
 * VRF, through VRF next hops. Never passes: no match, blackhole, unreachable, an address of the VRF
 * itself. The default route is no match but in *_DEFAULT. Link-local sources are not checked.
 */
enum l3vpn_rpf {
	L3VPN_RPF_OFF,
	L3VPN_RPF_STRICT,		/* it leads, by any member of a group, out of this very port */
	L3VPN_RPF_LOOSE,		/* there is one */
	L3VPN_RPF_STRICT_DEFAULT,
	L3VPN_RPF_LOOSE_DEFAULT,
	__L3VPN_RPF_MAX
};
#define L3VPN_RPF_MAX (__L3VPN_RPF_MAX - 1)

#define L3VPN_OPTIONS_UNLIMITED	0xffffffffU	/* L3VPN_PORT_OPTIONS; 0 drops them all */

enum l3vpn_nh_kind {
	L3VPN_NH_KIND_UNSPEC,
	L3VPN_NH_KIND_ADJACENCY,	/* a neighbour on a device */
	L3VPN_NH_KIND_LABELLED,		/* push labels, then an adjacency, a tunnel, or a group of these */
	L3VPN_NH_KIND_GROUP,		/* weighted members, backups */
	L3VPN_NH_KIND_VRF,		/* look up again in that VRF */
	L3VPN_NH_KIND_RECEIVE,		/* to local sockets of the VRF */
	L3VPN_NH_KIND_HOST,		/* to the stack, in the global table */
	L3VPN_NH_KIND_BLACKHOLE,	/* drop in silence */
	L3VPN_NH_KIND_UNREACHABLE,	/* drop, ICMP destination unreachable */
	/*
	 * Labelled packets in UDP or GRE, to a far router by the kernel's main table, in the global table: never out
	 * by a customer port. A packet without any label has no business there and is dropped as UNREACHABLE.
	 */
	L3VPN_NH_KIND_TUNNEL,
	/*
	 * Under a VPN label, to the PE that gave it: LABELS has this one, VIA is the way to the PE. A packet that has
	 * a label from its route or from what was swapped already has no business there and is dropped as UNREACHABLE.
	 */
	L3VPN_NH_KIND_EGRESS,
	__L3VPN_NH_KIND_MAX
};
#define L3VPN_NH_KIND_MAX (__L3VPN_NH_KIND_MAX - 1)

/* What carries labelled packets over a core that knows no labels. */
enum l3vpn_encap {
	L3VPN_ENCAP_UNSPEC,
	L3VPN_ENCAP_UDP,		/* RFC 7510 */
	L3VPN_ENCAP_GRE,		/* RFC 4023, 4797; the header of RFC 2784, no options */
	__L3VPN_ENCAP_MAX
};
#define L3VPN_ENCAP_MAX (__L3VPN_ENCAP_MAX - 1)

enum {
	L3VPN_NH_UNSPEC,
	L3VPN_NH_ID,			/* u32, 1..L3VPN_NH_ID_MAX */
	L3VPN_NH_KIND,			/* u8, enum l3vpn_nh_kind */
	L3VPN_NH_IFINDEX,		/* s32, a port (customer or core) */
	L3VPN_NH_GATEWAY,		/* binary, 4 or 16 octets; IPv6 may serve IPv4 routes (RFC 8950) */
	/*
	 * u32, next hop id: ADJACENCY, TUNNEL, or GROUP of these; of an EGRESS also LABELLED, UNREACHABLE, or GROUP
	 * that has no EGRESS and no VRF
	 */
	L3VPN_NH_VIA,
	/* No label at all: a path whose outermost label is implicit null. An EGRESS has one. */
	L3VPN_NH_LABELS,		/* binary, array of u32, outermost first, 0..L3VPN_LABELS_MAX of them */
	L3VPN_NH_MEMBERS,		/* binary, array of struct l3vpn_nh_member */
	L3VPN_NH_VRF,			/* u32, VRF id */
	L3VPN_NH_RESOLVED,		/* u8, answer only: 1 when packets can leave now */
	L3VPN_NH_REFS,			/* u32, answer only: objects that refer to it */
	/*
	 * u8, ADJACENCY, LABELLED, GROUP, TUNNEL, EGRESS or UNREACHABLE: 1: said to be down. A group passes over a
	 * member that is, or that leads by one that is, while another can forward; what has no choice uses it.
	 */
	L3VPN_NH_DOWN,
	L3VPN_NH_IN_USE,		/* u64, answer only, GROUP: bit i: member i takes flows now */
	L3VPN_NH_PAD,
	L3VPN_NH_STATS,			/* nest, answer only; not of a GROUP. TX_*: packets that left by it */
	L3VPN_NH_ENCAP,			/* u8, enum l3vpn_encap; TUNNEL, as all below */
	L3VPN_NH_LOCAL,			/* binary, 4 or 16 octets: outer source, an address of the global table */
	L3VPN_NH_REMOTE,		/* binary, of the same family: outer destination, unicast */
	L3VPN_NH_DPORT,			/* u16, 1..65535, UDP: destination port; default L3VPN_UDP_PORT_MPLS */
	/* RFC 7510 section 3, 3.1: with IPv6 no checksum is for networks of one administration. */
	L3VPN_NH_CHECKSUM,		/* u8, UDP: 1: with a checksum; default 0 with IPv4, 1 with IPv6 */
	L3VPN_NH_PATH_MTU,		/* u32, answer only: octets of an outer packet that fits now; 0: no route */
	__L3VPN_NH_MAX
};
#define L3VPN_NH_MAX (__L3VPN_NH_MAX - 1)

#define L3VPN_MEMBER_FLAG_BACKUP 1	/* used only while no other member can forward */
/*
 * With BACKUP, of what leads into the core: packets that came from the core may take it too. User space has seen to it
 * that it does not send them back.
 */
#define L3VPN_MEMBER_FLAG_ONWARD 2
/* Not for packets that came from the core: of a site's two PEs each would send the other what is the other's share. */
#define L3VPN_MEMBER_FLAG_LOCAL 4

struct l3vpn_nh_member {
	__u32 nh;			/* ADJACENCY, TUNNEL, LABELLED, EGRESS, VRF or UNREACHABLE, not a GROUP */
	__u16 weight;			/* 1..65535 */
	__u16 flags;			/* L3VPN_MEMBER_FLAG_* */
};

/* A route: "prefix goes to next hop nh, under VPN label label". */
struct l3vpn_route4 {
	__be32 prefix;			/* host bits zero */
	__u32 nh;
	__u32 label;			/* L3VPN_LABEL_NONE, or 0..L3VPN_LABEL_MAX; 3 is refused */
	__u8 plen;			/* 0..32 */
	__u8 flags;			/* 0 */
	__u16 reserved;			/* 0 */
};

struct l3vpn_route6 {
	__u8 prefix[16];
	__u32 nh;
	__u32 label;
	__u8 plen;			/* 0..128 */
	__u8 flags;			/* 0 */
	__u16 reserved;			/* 0 */
};

#define L3VPN_ROUTE_FLAG_IDEMPOTENT	1	/* ROUTE_DEL: what is not there is no error */

enum {
	L3VPN_ROUTE_UNSPEC,
	L3VPN_ROUTE_VRF,		/* u32 */
	L3VPN_ROUTE_FAMILY,		/* u8, AF_INET or AF_INET6 */
	L3VPN_ROUTE_RECORDS4,		/* binary, array of struct l3vpn_route4 */
	L3VPN_ROUTE_RECORDS6,		/* binary, array of struct l3vpn_route6 */
	L3VPN_ROUTE_FLAGS,		/* u32, L3VPN_ROUTE_FLAG_* */
	L3VPN_ROUTE_DONE,		/* u32, records done */
	L3VPN_ROUTE_DST4,		/* be32 */
	L3VPN_ROUTE_DST6,		/* binary, 16 */
	L3VPN_ROUTE_SRC4,		/* be32 */
	L3VPN_ROUTE_SRC6,		/* binary, 16 */
	L3VPN_ROUTE_PROTO,		/* u8, IP protocol */
	L3VPN_ROUTE_SPORT,		/* be16 */
	L3VPN_ROUTE_DPORT,		/* be16 */
	L3VPN_ROUTE_MEMBER,		/* u32, answer: id of the leaf next hop that this flow takes */
	L3VPN_ROUTE_MATCH_VRF,		/* u32, answer: VRF of the matching route, behind VRF next hops */
	L3VPN_ROUTE_KERNEL,		/* u8, answer: 1 when the module keeps this route by itself */
	L3VPN_ROUTE_FLOWLABEL,		/* u32, 0..L3VPN_FLOWLABEL_MAX: IPv6 flow label */
	__L3VPN_ROUTE_MAX
};
#define L3VPN_ROUTE_MAX (__L3VPN_ROUTE_MAX - 1)

enum l3vpn_label_action {
	L3VPN_LABEL_ACTION_UNSPEC,
	L3VPN_LABEL_ACTION_POP_VRF,	/* pop, look the packet up in VRF vrf */
	L3VPN_LABEL_ACTION_POP_NH,	/* pop, bottom of stack, forward to nh; no IP lookup; vrf owns it */
	L3VPN_LABEL_ACTION_SWAP,	/* swap for out_label, forward to nh; out_label 3: pop (PHP) */
};

#define L3VPN_SCOPE_MAX		63	/* what a scope means is user space's business */

struct l3vpn_label {
	__u32 label;			/* 16..L3VPN_LABEL_MAX */
	__u8 action;			/* enum l3vpn_label_action */
	__u8 flags;			/* 0 */
	__u8 scope;			/* 0..L3VPN_SCOPE_MAX: core ports whose SCOPES lack it refuse it */
	__u8 reserved;			/* 0 */
	__u32 vrf;			/* POP_VRF, POP_NH: VRF id; SWAP: 0 */
	__u32 nh;			/* POP_NH, SWAP: next hop id; POP_VRF: 0 */
	__u32 out_label;		/* SWAP: 0..L3VPN_LABEL_MAX; else L3VPN_LABEL_NONE */
};

#define L3VPN_LABEL_FLAG_IDEMPOTENT	1	/* LABEL_DEL: what is not there is no error */

enum {
	L3VPN_LABEL_UNSPEC,
	L3VPN_LABEL_RECORDS,		/* binary, array of struct l3vpn_label */
	L3VPN_LABEL_FLAGS,		/* u32, L3VPN_LABEL_FLAG_* */
	L3VPN_LABEL_DONE,		/* u32, records done */
	L3VPN_LABEL_LABEL,		/* u32 */
	L3VPN_LABEL_STATS,		/* nest, answer only: RX_* are packets that arrived with it */
	__L3VPN_LABEL_ATTR_MAX
};
#define L3VPN_LABEL_ATTR_MAX (__L3VPN_LABEL_ATTR_MAX - 1)

/* Sources of an endpoint. */
struct l3vpn_source {
	__u8 prefix[16];		/* of the endpoint's family; IPv4 in the first four octets; host bits zero */
	__u8 plen;			/* 0..32, or 0..128 */
	__u8 reserved[3];		/* 0 */
};

/*
 * An endpoint of tunnels: packets to it that come by a core port, from a source that it accepts, are
 * taken out of UDP or GRE. What comes from elsewhere is never taken out of anything: not from a customer
 * port, not from a device that is no port, not from inside another tunnel. While ADDRESS is no address of the
 * global table, nothing is. ENCAP, ADDRESS and DPORT are its key.
 */
enum {
	L3VPN_ENDPOINT_UNSPEC,
	L3VPN_ENDPOINT_ENCAP,		/* u8, enum l3vpn_encap */
	L3VPN_ENDPOINT_ADDRESS,		/* binary, 4 or 16 octets, unicast */
	L3VPN_ENDPOINT_DPORT,		/* u16, 1..65535, UDP: destination port; default L3VPN_UDP_PORT_MPLS */
	/* A checksum that is there is always checked. */
	L3VPN_ENDPOINT_CHECKSUM,	/* u8, UDP: 1: none is refused; default 0 with IPv4, 1 with IPv6 (RFC 6935) */
	L3VPN_ENDPOINT_SCOPES,		/* u64, mask of 1 << scope: labels that are accepted; default all */
	L3VPN_ENDPOINT_PEERS,		/* u8, 1 (default): from every address that is REMOTE of a TUNNEL */
	L3VPN_ENDPOINT_SOURCES,		/* binary, array of struct l3vpn_source: from these prefixes too */
	L3VPN_ENDPOINT_LOCAL,		/* u8, answer only: 1: ADDRESS is an address of the global table now */
	L3VPN_ENDPOINT_STATS,		/* nest, answer only: RX_* as they came, outer header included; DROPS */
	__L3VPN_ENDPOINT_MAX
};
#define L3VPN_ENDPOINT_MAX (__L3VPN_ENDPOINT_MAX - 1)

enum {
	L3VPN_EPOCH_UNSPEC,
	L3VPN_EPOCH_EPOCH,		/* u32 */
	L3VPN_EPOCH_KINDS,		/* u32, mask of 1 << enum l3vpn_object; all when absent */
	L3VPN_EPOCH_SWEPT,		/* u64, answer: objects removed */
	__L3VPN_EPOCH_MAX
};
#define L3VPN_EPOCH_MAX (__L3VPN_EPOCH_MAX - 1)

/* TABLE_GET: one answer for each table: VRF, PORT, NH, LABEL and ENDPOINT once, ROUTE4 and ROUTE6 for each VRF. */
enum {
	L3VPN_TABLE_UNSPEC,
	L3VPN_TABLE_KIND,		/* u8, enum l3vpn_object */
	L3VPN_TABLE_VRF,		/* u32; ROUTE4 and ROUTE6 only */
	L3VPN_TABLE_COUNT,		/* u64, objects made by user space */
	L3VPN_TABLE_DIGEST,		/* u64, see below; NH, ROUTE4, ROUTE6, LABEL, ENDPOINT */
	L3VPN_TABLE_PAD,
	__L3VPN_TABLE_MAX
};
#define L3VPN_TABLE_MAX (__L3VPN_TABLE_MAX - 1)

/* Why a packet was dropped. Values are stable; new ones go to the end. */
enum l3vpn_drop {
	L3VPN_DROP_UNSPEC,
	L3VPN_DROP_NO_ROUTE,		/* no match in the VRF (ICMP unreachable is sent) */
	L3VPN_DROP_UNREACHABLE,		/* unreachable next hop (ICMP unreachable is sent) */
	L3VPN_DROP_BLACKHOLE,		/* blackhole next hop */
	L3VPN_DROP_TTL,			/* TTL or hop limit ran out (ICMP time exceeded is sent) */
	L3VPN_DROP_MTU,			/* too big for the way out (ICMP is sent where it may be) */
	L3VPN_DROP_HEADER,		/* truncated or malformed IP header, bad checksum or version */
	L3VPN_DROP_MARTIAN,		/* source or destination that may not be forwarded */
	L3VPN_DROP_NOT_FOR_HOST,	/* to an address of the box that is not this VRF's, or may not be heard */
	L3VPN_DROP_LABEL_ON_CUSTOMER,	/* labelled packet on a customer port */
	L3VPN_DROP_LABEL_UNKNOWN,	/* no entry, or a reserved label not served */
	L3VPN_DROP_LABEL_STACK,		/* truncated stack, no bottom, deeper than can be handled */
	L3VPN_DROP_LABEL_PAYLOAD,	/* what is under the last label is neither IPv4 nor IPv6 */
	L3VPN_DROP_VLAN,		/* a tag that belongs to no port */
	L3VPN_DROP_PROTOCOL,		/* an ethertype that a customer port does not serve */
	L3VPN_DROP_NEIGHBOUR,		/* neighbour unresolved, dead, or queue full */
	L3VPN_DROP_PORT_DOWN,		/* way out is down or gone */
	L3VPN_DROP_VRF_LOOP,		/* more than L3VPN_VRF_HOPS_MAX VRFs */
	L3VPN_DROP_NO_MEMORY,		/* the packet could not be made writable or bigger */
	L3VPN_DROP_MULTICAST,		/* multicast or broadcast that is not served */
	L3VPN_DROP_NO_VRF,		/* VRF going away */
	L3VPN_DROP_CORE_LOOP,		/* from the core, and only a backup into the core is left */
	L3VPN_DROP_RPF,			/* source that the port's reverse path check refuses */
	L3VPN_DROP_OPTIONS,		/* IPv4 options beyond what the port takes in a second */
	L3VPN_DROP_LABEL_SCOPE,		/* label that this core port does not accept */
	L3VPN_DROP_OTHER_HOST,		/* a frame to another station's address */
	L3VPN_DROP_TUNNEL_ROUTE,	/* no route to a tunnel's far end, or one by a customer port */
	L3VPN_DROP_TUNNEL_HEADER,	/* to an endpoint: outer header malformed, or with what is not taken there */
	L3VPN_DROP_TUNNEL_CHECKSUM,	/* to an endpoint: checksum wrong, or none where there must be one */
	L3VPN_DROP_TUNNEL_SOURCE,	/* to an endpoint: from a source that it does not accept */
	L3VPN_DROP_TUNNEL_PAYLOAD,	/* to an endpoint: no MPLS unicast packet in it */
	L3VPN_DROP_TUNNEL_FRAGMENT,	/* to an endpoint: an IPv6 fragment */
	L3VPN_DROP_TUNNEL_ECN,		/* congestion experienced, and the packet inside cannot be told (RFC 6040) */
	__L3VPN_DROP_REASON_MAX
};
#define L3VPN_DROP_REASON_MAX (__L3VPN_DROP_REASON_MAX - 1)

/* DROP_GET (REASON, PACKETS) and DROP_SAMPLE (all but PACKETS; at most 100 a second). */
enum {
	L3VPN_DROP_ATTR_UNSPEC,
	L3VPN_DROP_REASON,		/* u8, enum l3vpn_drop */
	L3VPN_DROP_PACKETS,		/* u64 */
	L3VPN_DROP_IFINDEX,		/* s32, port it came in by; 0 local */
	L3VPN_DROP_VRF,			/* u32; L3VPN_VRF_GLOBAL when not known yet */
	L3VPN_DROP_PROTO,		/* be16, ethertype */
	L3VPN_DROP_LENGTH,		/* u32, octets from the layer 3 header */
	L3VPN_DROP_PACKET,		/* binary, the first 128 octets from the layer 3 header at most */
	L3VPN_DROP_ATTR_PAD,
	__L3VPN_DROP_ATTR_MAX
};
#define L3VPN_DROP_ATTR_MAX (__L3VPN_DROP_ATTR_MAX - 1)

/* Where a traced packet went. */
enum l3vpn_verdict {
	L3VPN_VERDICT_UNSPEC,
	L3VPN_VERDICT_SENT,		/* out by a port; it may wait for its neighbour there */
	L3VPN_VERDICT_STACK,		/* to the kernel's stack: local sockets, ARP, a core port's plain IP */
	L3VPN_VERDICT_HOST,		/* to the stack in the global table, by a next hop of kind HOST */
	L3VPN_VERDICT_DROPPED,		/* all of it, or one of its fragments or segments */
};

enum l3vpn_step {
	L3VPN_STEP_UNSPEC,
	L3VPN_STEP_LABEL,		/* detail: enum l3vpn_label_action; vrf, nh, label, out_label */
	L3VPN_STEP_LOOKUP,		/* vrf, family, prefix, plen, nh (0: no match), label */
	L3VPN_STEP_NH,			/* detail: enum l3vpn_nh_kind; nh; one step for each of the chain */
	L3VPN_STEP_SEND,		/* ifindex */
	L3VPN_STEP_ICMP,		/* an error was made: vrf, family, detail: type, plen: code */
	L3VPN_STEP_ENCAP,		/* detail: enum l3vpn_encap; nh, family, prefix: REMOTE, ifindex: way out */
	L3VPN_STEP_DECAP,		/* detail: enum l3vpn_encap; family, prefix: the tunnel's source */
};

struct l3vpn_trace_step {
	__u8 kind;			/* enum l3vpn_step; what it does not name is zero, labels NONE */
	__u8 family;
	__u8 plen;
	__u8 detail;
	__u32 vrf;			/* where the packet was */
	__u32 nh;
	__u32 label;
	__u32 out_label;
	__s32 ifindex;
	__u8 prefix[16];		/* IPv4 in the first four octets */
};

/* TRACE_SET (the first eight), TRACE_PACKET (VRF, IFINDEX, and from PROTO on; at most 100 a second). */
enum {
	L3VPN_TRACE_UNSPEC,
	L3VPN_TRACE_VRF,		/* u32; asked: in it at any time; told: in it when it came, 0 unknown */
	L3VPN_TRACE_IFINDEX,		/* s32, port it came in by; told: 0 local */
	L3VPN_TRACE_SRC,		/* binary, 4 or 16 octets, of the IP header below all labels */
	L3VPN_TRACE_SRC_PLEN,		/* u8 */
	L3VPN_TRACE_DST,		/* binary */
	L3VPN_TRACE_DST_PLEN,		/* u8 */
	L3VPN_TRACE_PROTOCOL,		/* u8, IP protocol */
	L3VPN_TRACE_COUNT,		/* u32, so many packets and no more */
	L3VPN_TRACE_PROTO,		/* be16, ethertype */
	L3VPN_TRACE_LENGTH,		/* u32, octets from the layer 3 header */
	L3VPN_TRACE_PACKET,		/* binary, the first 128 octets of it at most, as it came */
	L3VPN_TRACE_STEPS,		/* binary, array of struct l3vpn_trace_step */
	L3VPN_TRACE_VERDICT,		/* u8, enum l3vpn_verdict */
	L3VPN_TRACE_REASON,		/* u8, enum l3vpn_drop; DROPPED only */
	L3VPN_TRACE_SENT,		/* u32, packets that left: fragments and segments one by one */
	L3VPN_TRACE_OUT_PROTO,		/* be16, ethertype of the first that left */
	L3VPN_TRACE_OUT_LENGTH,		/* u32 */
	L3VPN_TRACE_OUT_PACKET,		/* binary, the first 128 octets at most, as it left */
	L3VPN_TRACE_LEFT,		/* u32, where COUNT was given: packets still to come */
	L3VPN_TRACE_LOST,		/* u32, packets that matched since the last told, and were not told */
	__L3VPN_TRACE_MAX
};
#define L3VPN_TRACE_MAX (__L3VPN_TRACE_MAX - 1)

enum {
	L3VPN_CLEAR_UNSPEC,
	L3VPN_CLEAR_KINDS,		/* u32, mask of 1 << enum l3vpn_object; bit 0 means drop reasons */
	__L3VPN_CLEAR_MAX
};
#define L3VPN_CLEAR_MAX (__L3VPN_CLEAR_MAX - 1)

enum l3vpn_event {
	L3VPN_EVENT_NEW = 1,
	L3VPN_EVENT_CHANGE,
	L3VPN_EVENT_DEL,
	L3VPN_EVENT_LEVEL,		/* of a VRF's table, see FAMILY and the nest's LEVEL4 or LEVEL6 */
};

/* EVENT: WHAT and OBJECT, then the nest of that object as its GET answers it. */
enum {
	L3VPN_EVENT_UNSPEC,
	L3VPN_EVENT_WHAT,		/* u8, enum l3vpn_event */
	L3VPN_EVENT_OBJECT,		/* u8, enum l3vpn_object */
	L3VPN_EVENT_VRF,		/* nest of L3VPN_VRF_* */
	L3VPN_EVENT_PORT,		/* nest of L3VPN_PORT_* */
	L3VPN_EVENT_NH,			/* nest of L3VPN_NH_* */
	L3VPN_EVENT_IFINDEX,		/* s32; ADDR and NEIGH */
	L3VPN_EVENT_ADDRESS,		/* binary, 4 or 16 octets; ADDR and NEIGH */
	L3VPN_EVENT_PLEN,		/* u8; ADDR */
	L3VPN_EVENT_REACHABLE,		/* u8; NEIGH: 0 or 1 */
	L3VPN_EVENT_FAMILY,		/* u8; LEVEL: AF_INET or AF_INET6 */
	L3VPN_EVENT_ENDPOINT,		/* nest of L3VPN_ENDPOINT_* */
	__L3VPN_EVENT_MAX
};
#define L3VPN_EVENT_MAX (__L3VPN_EVENT_MAX - 1)

/*
 * Digests. The digest of a table is the sum, modulo 2^64, of the digests of the objects in it
 * that user space made; order does not matter and a removal is a subtraction. The digest of an
 * object folds 32-bit words, each the numeric value of a field (an address as big-endian words):
 *   ROUTE4: vrf, prefix, plen, nh, label
 *   ROUTE6: vrf, prefix word 0..3, plen, nh, label
 *   LABEL:  label, action, vrf, nh, out_label, scope
 *   NH:     id, kind, then by kind ADJACENCY: ifindex, gateway octets (0, 4, 16), its words
 *           LABELLED, EGRESS: via, number of labels, the labels   GROUP: for each member nh, weight, flags
 *           VRF: vrf   TUNNEL: encap, octets of an address (4, 16), LOCAL's words, REMOTE's words, dport
 *           (0 with GRE), checksum
 *   ENDPOINT: encap, octets of ADDRESS (4, 16), its words, dport (0 with GRE), checksum, upper half of
 *           scopes, lower half, peers, number of sources, for each its words (1 or 4, by family) and plen
 */
static inline __u64 l3vpn_digest_start(__u32 object)
{
	return 0x6c3376706e000000ULL + object;
}

static inline __u64 l3vpn_digest_word(__u64 h, __u32 word)
{
	h ^= word;
	h += 0x9e3779b97f4a7c15ULL;
	h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9ULL;
	h = (h ^ (h >> 27)) * 0x94d049bb133111ebULL;
	return h ^ (h >> 31);
}

#endif /* _UAPI_LINUX_L3VPN_H */
