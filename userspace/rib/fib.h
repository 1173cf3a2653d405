/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What forwarding should hold: the desired state that dataplane/ programs.
 *
 *      route {vrf, prefix} --> fib_nh (shared) --> fib_nh     label entry --> fib_nh | vrf
 *
 * Subscribers are called in an order that may be programmed as it comes: an object is told (ADD)
 * before anything that refers to it, and (DEL) only after the last reference was told away.
 * REPLACE keeps the identity: everything behind it changes with this one event.
 * Main thread only; calls are synchronous and must not change the rib.
 */
#ifndef L3VPN_RIB_FIB_H
#define L3VPN_RIB_FIB_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/hash.h"
#include "lib/list.h"
#include "lib/prefix.h"

struct fib;
struct fib_nh;
struct nexthop;

#define FIB_LABEL_NONE	0xffffffffu	/* same as L3VPN_LABEL_NONE */
#define FIB_LABELS_MAX	8
#define FIB_MEMBERS_MAX	64

enum fib_op { FIB_ADD, FIB_REPLACE, FIB_DEL };

/* values as enum l3vpn_nh_kind of the uapi */
enum fib_nh_kind {
	FIB_NH_ADJACENCY = 1,
	FIB_NH_LABELLED,
	FIB_NH_GROUP,
	FIB_NH_VRF,
	FIB_NH_RECEIVE,
	FIB_NH_HOST,
	FIB_NH_BLACKHOLE,
	FIB_NH_UNREACHABLE,
	FIB_NH_TUNNEL,
	FIB_NH_EGRESS,
};

struct fib_member {
	struct fib_nh *nh;
	uint16_t weight;
	bool backup;
	bool onward;			/* of a backup into the core: packets from the core may take it too */
	bool local;			/* packets from the core do not take it */
};

struct fib_nh {
	struct hash_node node;		/* by content; fib's */
	struct list all;		/* fib's */
	uint32_t refs;			/* fib's */
	bool tracked;			/* stands for one next hop: changes in place, also its kind */
	struct nexthop *owner;		/* of a tracked one, NULL when that is gone; fib's */
	uint8_t kind;			/* enum fib_nh_kind */
	uint32_t id;			/* dataplane's: 0 until it chose one; never changes afterwards */
	void *dp;			/* dataplane's */
	int ifindex;			/* ADJACENCY */
	struct ip_addr gateway;		/* ADJACENCY; family 0: on-link destination; TUNNEL: far end */
	struct ip_addr local;		/* TUNNEL: our end */
	uint8_t encap;			/* TUNNEL: enum soft_encap */
	uint16_t dport;			/* TUNNEL over UDP */
	bool checksum;			/* TUNNEL over UDP: with a checksum */
	uint32_t vrf;			/* VRF: daemon's VRF id */
	struct fib_nh *via;		/* LABELLED: an ADJACENCY or TUNNEL; EGRESS: the way to a PE */
	uint8_t n_labels;		/* LABELLED, outermost first; may be 0. EGRESS: 1 */
	uint32_t labels[FIB_LABELS_MAX];
	uint16_t n_members;		/* GROUP */
	struct fib_member *members;
};

/* Where a route goes. nh NULL: nothing should be programmed. */
struct fib_dest {
	struct fib_nh *nh;
	uint32_t label;			/* VPN label, FIB_LABEL_NONE without */
	bool refused;			/* forwarding has no room for it: see fib_route_refused() */
};

/* values as enum l3vpn_label_action */
enum fib_label_action { FIB_LABEL_POP_VRF = 1, FIB_LABEL_POP_NH, FIB_LABEL_SWAP };

/*
 * A label entry. Owner (labels/, static/) fills it and calls fib_label_set(); dataplane/ answers
 * each ADD and REPLACE with fib_label_acked() once the kernel has it (err 0) or refused it (errno).
 */
struct fib_label {
	struct hash_node node;		/* by label; fib's */
	struct list all;		/* fib's, ascending order is not kept */
	uint32_t label;			/* 16.. */
	uint8_t action;			/* enum fib_label_action */
	uint8_t scope;			/* 0..63: ports that do not accept it refuse the label */
	uint32_t vrf;			/* POP_VRF, POP_NH */
	struct fib_nh *nh;		/* POP_NH, SWAP; a reference */
	uint32_t out_label;		/* SWAP: 3 pops; else FIB_LABEL_NONE */
	bool programmed;		/* acknowledged as it is now */
	int err;			/* last refusal */
	uint32_t seq;			/* raised with each set; an ack of an older one counts for nothing */
	void *dp;			/* dataplane's */
	void (*acked)(struct fib_label *l, int err, void *arg);
	void *arg;
};

/* ---- owner's side ---- */
/* Adds or replaces after the owner changed the fields; false: another owner's entry has this label. */
bool fib_label_set(struct fib *fib, struct fib_label *l);
void fib_label_del(struct fib *fib, struct fib_label *l);	/* the owner may free it on return */
struct fib_label *fib_label_find(const struct fib *fib, uint32_t label);

/* next hops by content: a reference; equal content gives the same object */
struct fib_nh *fib_nh_adjacency(struct fib *fib, int ifindex, const struct ip_addr *gateway);
/* @t: encap, local, gateway, dport and checksum count */
struct fib_nh *fib_nh_tunnel(struct fib *fib, const struct fib_nh *t);
struct fib_nh *fib_nh_labelled(struct fib *fib, struct fib_nh *via, const uint32_t *labels, unsigned int n);
/* @label: a VPN label, @pe: the tracked object of the remote PE that gave it */
struct fib_nh *fib_nh_egress(struct fib *fib, struct fib_nh *pe, uint32_t label);
/* members: no two of one object; an EGRESS is no member where an EGRESS leads to the group */
struct fib_nh *fib_nh_group(struct fib *fib, const struct fib_member *m, unsigned int n);
struct fib_nh *fib_nh_vrf(struct fib *fib, uint32_t vrf);
struct fib_nh *fib_nh_special(struct fib *fib, enum fib_nh_kind kind);	/* BLACKHOLE, UNREACHABLE, .. */
struct fib_nh *fib_nh_ref(struct fib_nh *nh);
void fib_nh_put(struct fib *fib, struct fib_nh *nh);		/* NULL is fine */
const char *fib_nh_str(const struct fib_nh *nh, char *buf, size_t size);

/* ---- dataplane's side ---- */
struct fib_sub {
	struct list node;
	void (*nh)(struct fib_sub *s, enum fib_op op, struct fib_nh *nh);
	/* ADD: old->nh is NULL; DEL: now->nh is NULL. Objects of *old live until the call returns. */
	void (*route)(struct fib_sub *s, enum fib_op op, uint32_t vrf, const struct prefix *p,
		      const struct fib_dest *old, const struct fib_dest *now);
	void (*label)(struct fib_sub *s, enum fib_op op, struct fib_label *l);
};
void fib_subscribe(struct fib *fib, struct fib_sub *s);		/* walk by yourself for what there is */
void fib_unsubscribe(struct fib_sub *s);
/*
 * The kernel holds the label as it was at seq (err 0) or refused it. A programmed entry that got
 * lost (module reloaded) is told by fib_label_lost(); set programmed again by an ack.
 */
void fib_label_acked(struct fib *fib, struct fib_label *l, uint32_t seq, int err);
void fib_label_lost(struct fib *fib, struct fib_label *l);

/* Walks of what is desired. Next hops come in an order in which they may be programmed. */
struct fib_nh *fib_nh_next(struct fib *fib, const struct fib_nh *nh);	/* NULL starts; not resumable */
struct fib_label *fib_label_next(struct fib *fib, const struct fib_label *l);
/* next route of a VRF behind *p (p->addr.family set, *first true: from the start); resumable */
bool fib_route_next(struct fib *fib, uint32_t vrf, struct prefix *p, bool first, struct fib_dest *dest);
bool fib_route_get(struct fib *fib, uint32_t vrf, const struct prefix *p, struct fib_dest *dest);
/*
 * Forwarding has no room for a route, or has it after all. What does not forward is not announced: subscribers
 * of the table are told of the route again.
 */
void fib_route_refused(struct fib *fib, uint32_t vrf, const struct prefix *p, bool refused);
uint32_t fib_nh_count(const struct fib *fib);

#endif
