/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dataplane/provider.h: the seam between the daemon and whatever forwards.
 *
 * sync.c decides what forwarding should hold and turns the difference into batches; a provider
 * carries them out. Providers: genl (the kernel module), rtnl (Linux's main table), none (route
 * reflector: accepts everything, holds nothing), record (tests). They are interchangeable: sync.c
 * never asks which one it has.
 *
 * Threads: everything here runs on the main thread, on the loop given to open(). No function
 * blocks; where a request may take longer than a few milliseconds the answer comes by callback.
 * A callback is never made from inside the call that asked for it.
 *
 * Objects have the words, ids and byte order of uapi/linux/l3vpn.h.
 */
#ifndef L3VPN_DATAPLANE_PROVIDER_H
#define L3VPN_DATAPLANE_PROVIDER_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "lib/prefix.h"
#include "linux/l3vpn.h"

/** struct dp_stats - packets and octets of a VRF, port, next hop or label; zero where not counted */
struct dp_stats {
	uint64_t rx_packets;
	uint64_t rx_bytes;
	uint64_t tx_packets;
	uint64_t tx_bytes;
	uint64_t drops;
};

/** struct dp_vrf - a VRF device and its two FIBs */
struct dp_vrf {
	uint32_t id;			/* 1..L3VPN_VRF_ID_MAX; given by sync.c */
	char name[IFNAMSIZ];		/* of the device */
	uint32_t table;			/* kernel table of local sockets; 0 in a request: provider chooses */
	uint32_t limit4;		/* most routes; 0 no limit */
	uint32_t limit6;
	uint32_t warn4;			/* routes from which on there is a warning; 0 none */
	uint32_t warn6;
	uint8_t ttl_model;		/* enum l3vpn_model; 0 in a request: as it is, with all that follows */
	uint8_t tc_model;
	uint8_t dscp_tc[L3VPN_DSCP_COUNT];
	uint8_t tc_dscp[L3VPN_TC_COUNT];
};

/** struct dp_port - a device bound to a VRF, or to the core */
struct dp_port {
	int32_t ifindex;
	uint32_t vrf;			/* 0 for a core port */
	uint8_t kind;			/* enum l3vpn_port_kind */
	uint8_t rpf4, rpf6;		/* customer: enum l3vpn_rpf */
	uint32_t options;		/* customer: IPv4 packets with options in a second */
	uint64_t scopes;		/* core: mask of labels accepted */
	uint32_t mpls_mtu;		/* core: octets; 0 none of its own */
};

/**
 * struct dp_nh - a next hop, by value
 * @id:		1..L3VPN_NH_ID_MAX
 * @kind:	enum l3vpn_nh_kind; says which of the members below count
 * @members:	owned by whoever owns the struct (see dp_nh_copy(), dp_nh_clear())
 */
struct dp_nh {
	uint32_t id;
	uint8_t kind;
	uint8_t n_labels;		/* LABELLED; EGRESS: 1 */
	uint16_t n_members;		/* GROUP */
	int32_t ifindex;		/* ADJACENCY */
	struct ip_addr gateway;		/* ADJACENCY; family 0: on-link destination. TUNNEL: the far end */
	struct ip_addr local;		/* TUNNEL: our end */
	uint8_t encap;			/* TUNNEL: enum l3vpn_encap */
	uint16_t dport;			/* TUNNEL over UDP */
	bool checksum;			/* TUNNEL over UDP */
	uint32_t via;			/* LABELLED, EGRESS */
	uint32_t vrf;			/* VRF */
	uint32_t labels[L3VPN_LABELS_MAX];	/* LABELLED, EGRESS, outermost first */
	struct l3vpn_nh_member *members;	/* GROUP */
};

/**
 * struct dp_endpoint - where tunnelled packets are taken in; @encap, @address and @dport say which one it is
 * @sources:	owned by whoever owns the struct (see dp_endpoint_copy(), dp_endpoint_free())
 */
struct dp_endpoint {
	uint8_t encap;			/* enum l3vpn_encap */
	bool checksum;			/* UDP: none is refused */
	bool peers;			/* from the far ends of tunnels, besides @sources */
	uint16_t dport;			/* UDP */
	struct ip_addr address;		/* of this host */
	uint64_t scopes;		/* mask of labels accepted */
	unsigned int n_sources;
	struct prefix *sources;
};

enum dp_op_type {
	DP_OP_VRF_NEW = 1,		/* .vrf; create, or change limits */
	DP_OP_VRF_DEL,			/* .vrf.id */
	DP_OP_PORT_NEW,			/* .port; bind or re-bind */
	DP_OP_PORT_DEL,			/* .port.ifindex */
	DP_OP_NH_NEW,			/* .nh; create or replace in place */
	DP_OP_NH_DEL,			/* .nh->id */
	DP_OP_ENDPOINT_NEW,		/* .endpoint; create or replace in place */
	DP_OP_ENDPOINT_DEL,		/* .endpoint: which one it is; ENOENT is success */
	DP_OP_ROUTE4_ADD,		/* .table, .r4; add or replace */
	DP_OP_ROUTE4_DEL,		/* .table, .r4.prefix and .plen; ENOENT is success */
	DP_OP_ROUTE6_ADD,
	DP_OP_ROUTE6_DEL,
	DP_OP_LABEL_ADD,		/* .label */
	DP_OP_LABEL_DEL,		/* .label.label; ENOENT is success */
};

/**
 * struct dp_op - one request of a batch
 * @type:	enum dp_op_type
 * @error:	set by the provider before done(): 0, or a positive errno
 * @table:	VRF id of a route
 * @why:	set by the provider with @error: what refused it, in words; freed with the batch
 * @cookie:	the owner's; the provider leaves it alone
 */
struct dp_op {
	uint8_t type;
	int error;
	uint32_t table;
	char *why;
	void *cookie;
	union {
		struct dp_vrf vrf;
		struct dp_port port;
		struct dp_nh *nh;		/* owned by the batch */
		struct dp_endpoint *endpoint;	/* owned by the batch */
		struct l3vpn_route4 r4;
		struct l3vpn_route6 r6;
		struct l3vpn_label label;
	};
};

/**
 * struct dp_batch - requests that are carried out in order
 *
 * Requests are carried out in the order of the array; a failed one does not stop those behind it
 * (one that refers to what failed is refused by the forwarder, and says so). A request is acked
 * when it is in the forwarder, not when it was sent.
 *
 * Made by dp_batch_new(); belongs to the provider from submit() until @done, which gets it back
 * and calls dp_batch_free().
 */
struct dp_batch {
	struct dp_op *ops;
	size_t n;
	size_t size;
	void (*done)(struct dp_batch *batch);
	void *arg;
	struct dp_batch *next;		/* the provider's queue */
	size_t pos;			/* the provider's: first request not answered yet */
};

/* What dump() can be asked for. */
enum dp_query_kind {
	DP_QUERY_VRFS = 1,
	DP_QUERY_PORTS,
	DP_QUERY_NHS,
	DP_QUERY_ROUTES4,		/* .vrf */
	DP_QUERY_ROUTES6,		/* .vrf */
	DP_QUERY_LABELS,
	DP_QUERY_TABLES,		/* counts and digests */
	DP_QUERY_DROPS,
	DP_QUERY_ENDPOINTS,
};

struct dp_query {
	enum dp_query_kind kind;
	uint32_t vrf;
};

/** struct dp_row - one object that the forwarder holds; valid during the callback only */
struct dp_row {
	enum dp_query_kind kind;
	uint32_t table;			/* VRF id of a route */
	bool kernel;			/* kept by the forwarder itself: not ours to remove, in no digest */
	union {
		struct {
			struct dp_vrf vrf;
			int32_t vrf_ifindex;
			uint32_t vrf_routes4;
			uint32_t vrf_routes6;
			uint32_t vrf_ports;
			uint8_t vrf_level4;	/* enum l3vpn_level */
			uint8_t vrf_level6;
		};
		struct {
			struct dp_port port;
			char port_name[IFNAMSIZ];
			bool port_carrier;
		};
		struct {
			struct dp_nh nh;
			bool nh_resolved;
			bool nh_down;		/* said to be: see nh_state() */
			uint64_t nh_in_use;	/* GROUP: bit i: member i takes flows now */
			uint32_t nh_refs;
		};
		struct {
			struct dp_endpoint endpoint;
			bool endpoint_local;	/* its address is there: it takes in */
		};
		struct l3vpn_route4 r4;
		struct l3vpn_route6 r6;
		struct l3vpn_label label;
		struct {
			uint8_t object;		/* enum l3vpn_object; dp_row.table says which VRF */
			uint64_t count;
			uint64_t digest;
		};
		struct {
			uint8_t reason;		/* enum l3vpn_drop */
			uint64_t packets;
		};
	};
	struct dp_stats stats;		/* VRF, port, next hop (tx; not of a group), label and endpoint (rx) */
};

/**
 * struct dp_dump_ops - who asked for a dump
 * @row:	one object; false: cannot take it now, the same row comes again after dump_resume()
 * @done:	the last call; error 0, or a positive errno with words (EINTR: what was dumped changed
 *		so much meanwhile that rows may be missing). The dump is freed after it.
 */
struct dp_dump_ops {
	bool (*row)(void *arg, const struct dp_row *row);
	void (*done)(void *arg, int error, const char *why);
};

/** struct dp_info - the forwarder at large */
struct dp_info {
	uint64_t instance;		/* changes when the forwarder has lost everything */
	uint32_t epoch;
	uint32_t vrfs, ports, nhs, labels;
	uint64_t routes4, routes6;
	uint64_t uncounted;		/* packets that the counters of labels lack */
	char version[32];
};

/** struct dp_lookup - what a packet would take; in: vrf, dst, and optionally the flow */
struct dp_lookup {
	uint32_t vrf;
	struct ip_addr dst;
	struct ip_addr src;		/* family 0: no flow given */
	uint8_t proto;
	uint16_t sport, dport;		/* host byte order */
	uint32_t flow_label;		/* IPv6 */
	/* answer */
	struct prefix match;
	uint32_t match_vrf;		/* behind next hops that lead into another VRF */
	uint32_t nh;
	uint32_t label;			/* L3VPN_LABEL_NONE: none */
	uint32_t member;		/* leaf next hop; 0 unknown */
	bool kernel;			/* route that the forwarder keeps by itself */
};

/** struct dp_drop - one dropped packet, for "monitor drops" */
struct dp_drop {
	uint8_t reason;
	int32_t ifindex;
	uint32_t vrf;
	uint16_t proto;			/* ethertype, host byte order */
	uint32_t length;
	const uint8_t *packet;		/* first octets */
	size_t packet_len;
};

/**
 * struct dp_trace - which packets are to be traced: those that match all that is given
 * @vrf:	in this VRF at some time; 0: any
 * @ifindex:	came in by this port; 0: any
 * @src, @dst:	of the IP header below all labels; family 0: any
 * @protocol:	IP protocol; -1: any
 * @count:	so many packets; 0: without end
 */
struct dp_trace {
	uint32_t vrf;
	int32_t ifindex;
	struct prefix src, dst;
	int protocol;
	uint32_t count;
};

/** struct dp_snap - how a packet looked at one end of its way; @data: the first octets */
struct dp_snap {
	uint16_t proto;			/* ethertype, host byte order */
	uint32_t length;
	const uint8_t *data;
	size_t len;
};

/**
 * struct dp_packet - a traced packet's way; valid during the callback only
 * @ifindex:	port it came in by; 0: a local socket
 * @vrf:	in which it came; 0: not known then
 * @verdict:	enum l3vpn_verdict; @reason: enum l3vpn_drop
 * @sent:	packets that left; @out is the first of them
 * @last:	it is the last one that was asked for
 * @lost:	packets that matched since the one before, and are not told
 */
struct dp_packet {
	int32_t ifindex;
	uint32_t vrf;
	struct dp_snap in, out;
	uint8_t verdict, reason;
	uint32_t sent;
	const struct l3vpn_trace_step *steps;
	size_t n_steps;
	bool last;
	uint32_t lost;
};

/**
 * struct dp_event - an object changed in the forwarder, by whomever
 * @what:	enum l3vpn_event
 * @object:	enum l3vpn_object
 */
struct dp_event {
	uint8_t what;
	uint8_t object;
	struct dp_row row;		/* VRF, PORT, NH */
	uint8_t family;			/* LEVEL: AF_INET or AF_INET6 */
	int32_t ifindex;		/* ADDR, NEIGH */
	struct ip_addr address;
	uint8_t plen;
	bool reachable;
};

/** struct dp_listener - what the provider tells by itself; set by sync.c in open() */
struct dp_listener {
	/* The forwarder is there (again); everything it may hold is unknown: ask info(). */
	void (*ready)(void *arg);
	/* It went away (module unloaded). Queued batches come back with ENODEV before this. */
	void (*gone)(void *arg);
	void (*event)(void *arg, const struct dp_event *event);
	/* Events were lost (socket overrun): look at everything that matters again. */
	void (*lost)(void *arg);
	/* Only between drops(on) and drops(off). */
	void (*drop)(void *arg, const struct dp_drop *drop);
	/* Only while trace() is on. */
	void (*packet)(void *arg, const struct dp_packet *packet);
	void *arg;
};

struct dp_provider;
struct dp_dump;

/** struct dp_provider_ops - the table of functions that makes a provider */
struct dp_provider_ops {
	const char *name;

	/*
	 * Take up work on @loop; @listener stays valid until close(). Calls listener->ready from the
	 * loop once the forwarder is there. Returns 0, or a positive errno with words in @why.
	 * ENOENT: the forwarder is not present (the caller says what to do and gives up; a forwarder that
	 * goes away later is no error).
	 */
	int (*open)(struct dp_provider *p, uv_loop_t *loop, const struct dp_listener *listener,
		    char *why, size_t why_len);

	/*
	 * Ends every dump (done with ECANCELED) and batch (ECANCELED) and frees @p. Forwarding is
	 * left as it is. The loop must run once more for handles to close.
	 */
	void (*close)(struct dp_provider *p);

	/* Queue @batch. Any number may be queued; they are carried out in order. */
	void (*submit)(struct dp_provider *p, struct dp_batch *batch);

	/* Requests queued and not answered yet. */
	size_t (*backlog)(const struct dp_provider *p);

	/* At once; 0 or a positive errno (ENODEV: gone). */
	int (*info)(struct dp_provider *p, struct dp_info *info);
	int (*epoch_begin)(struct dp_provider *p, uint32_t *epoch);

	/*
	 * Remove what no epoch since @epoch has touched. @kinds: mask of 1 << enum l3vpn_object, 0: all.
	 * All batches submitted before are carried out first.
	 */
	void (*sweep)(struct dp_provider *p, uint32_t epoch, uint32_t kinds,
		      void (*done)(void *arg, int error, uint64_t swept), void *arg);

	/* Stream what the forwarder holds. The answer reflects at least all acked batches. */
	struct dp_dump *(*dump)(struct dp_provider *p, const struct dp_query *query,
				const struct dp_dump_ops *ops, void *arg);
	void (*dump_resume)(struct dp_dump *dump);
	/* No further callback is made for it, not even done. */
	void (*dump_cancel)(struct dp_dump *dump);

	/* Longest match as the data path sees it: 0, ESRCH no route, or another errno. At once. */
	int (*lookup)(struct dp_provider *p, struct dp_lookup *lookup);

	/*
	 * Next hop or VRF by id, at once: 0 or errno. @row's members belong to the provider until
	 * the next call.
	 */
	int (*get)(struct dp_provider *p, enum dp_query_kind kind, uint32_t id, struct dp_row *row);

	/*
	 * Say that a next hop is down, or up again: groups pass over what is down while another
	 * member can forward. At once: 0 or errno (ENOENT: none such, EINVAL: not of such a kind).
	 * It ends with the next hop, and with a sweep of an epoch that has not repeated it.
	 */
	int (*nh_state)(struct dp_provider *p, uint32_t id, bool down);

	/* Set counters to zero; @kinds as of L3VPN_CLEAR_KINDS, 0: all. */
	int (*clear)(struct dp_provider *p, uint32_t kinds);

	/* Samples of dropped packets to listener->drop; calls nest. */
	int (*drops)(struct dp_provider *p, bool on);

	/*
	 * Traced packets to listener->packet; NULL: no more. One trace at a time (EBUSY: somebody else's);
	 * it is over when the forwarder goes away. 0, or a positive errno with words in @why.
	 */
	int (*trace)(struct dp_provider *p, const struct dp_trace *trace, char *why, size_t len);
};

struct dp_provider {
	const struct dp_provider_ops *ops;
};

struct dp_provider *dp_genl_new(void);
struct dp_provider *dp_none_new(void);

/* Batches. dp_batch_add() gives a zeroed request of @type, or NULL on lack of memory. */
struct dp_batch *dp_batch_new(void (*done)(struct dp_batch *batch), void *arg);
struct dp_op *dp_batch_add(struct dp_batch *batch, enum dp_op_type type);
void dp_batch_free(struct dp_batch *batch);
void dp_op_fail(struct dp_op *op, int error, const char *why);

const char *dp_op_name(enum dp_op_type type);
char *dp_op_str(const struct dp_op *op, char *buf, size_t len);

/* Next hops by value. dp_nh_copy() gives a copy that dp_nh_free() ends; NULL: no memory. */
struct dp_nh *dp_nh_copy(const struct dp_nh *nh);
void dp_nh_free(struct dp_nh *nh);
bool dp_nh_equal(const struct dp_nh *a, const struct dp_nh *b);	/* all but the id */
uint64_t dp_nh_content(const struct dp_nh *nh);			/* hash of all but the id */
const char *dp_nh_kind_str(uint8_t kind);

/* Endpoints by value. dp_endpoint_copy(): NULL: no memory. */
struct dp_endpoint *dp_endpoint_copy(const struct dp_endpoint *ep);
void dp_endpoint_free(struct dp_endpoint *ep);
bool dp_endpoint_same_place(const struct dp_endpoint *a, const struct dp_endpoint *b);
bool dp_endpoint_equal(const struct dp_endpoint *a, const struct dp_endpoint *b);
const char *dp_encap_str(uint8_t encap);

/* Digests of one object, as the uapi header defines them. */
uint64_t dp_digest_route4(uint32_t vrf, const struct l3vpn_route4 *r);
uint64_t dp_digest_route6(uint32_t vrf, const struct l3vpn_route6 *r);
uint64_t dp_digest_label(const struct l3vpn_label *l);
uint64_t dp_digest_nh(const struct dp_nh *nh);
uint64_t dp_digest_endpoint(const struct dp_endpoint *ep);

/* Ports by value; of what guards them only what their kind has counts. */
bool dp_port_equal(const struct dp_port *a, const struct dp_port *b);
const char *dp_rpf_str(uint8_t rpf);
const char *dp_level_str(uint8_t level);

const char *dp_drop_str(uint8_t reason);
const char *dp_verdict_str(uint8_t verdict);
const char *dp_object_str(uint8_t object);

#endif
