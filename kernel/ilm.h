/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: one entry of the label table (RFC 3031: incoming label map).
 *
 * Implemented by: ilm.c (control plane).
 * Read by: the data path (mpls.c), by way of l3vpn_label_lookup_rcu().
 */
#ifndef _L3VPN_ILM_H
#define _L3VPN_ILM_H

#include <linux/rcupdate.h>
#include "l3vpn.h"
#include "stats.h"

struct l3vpn_vrf;
struct l3vpn_nh;

/**
 * struct l3vpn_ilm - a label entry; immutable once published, but for @stamp and @base
 * @vrf:	POP_VRF: where to look up. POP_NH: VRF that owns the label. SWAP: NULL
 * @nh:		POP_NH, SWAP: referenced; else NULL. Any kind may be met here: the data path drops
 *		what makes no sense for a labelled packet
 * @label:	the incoming label, L3VPN_LABEL 16..MAX
 * @out_label:	SWAP: 0..L3VPN_LABEL_MAX; 3 means pop (penultimate hop popping). Else NONE
 * @stamp:	epoch; under ln->lock
 * @action:	enum l3vpn_label_action
 * @scope:	0..L3VPN_SCOPE_MAX: core ports without it in their scopes refuse the label
 * @counters:	taken over by an entry that replaces this one
 * @base:	what LABEL_GET subtracts; under ln->lock
 * @own_counters: @counters are freed with this entry; under ln->lock
 * @rcu:	frees
 */
struct l3vpn_ilm {
	struct l3vpn_vrf *vrf;
	struct l3vpn_nh *nh;
	u32 label;
	u32 out_label;
	u32 stamp;
	u8 action;
	u8 scope;
	bool own_counters;
	struct l3vpn_label_counters __percpu *counters;
	u64 base_packets;
	u64 base_bytes;
	struct rcu_head rcu;
};

/* All under ln->lock; extack may be NULL. Records have been checked by the caller (netlink_label.c). */

/* Create, replace, or refresh the stamp. 0, -ENOMEM. */
int l3vpn_ilm_add(struct l3vpn_net *ln, const struct l3vpn_label *rec);

/* 0, -ENOENT. */
int l3vpn_ilm_del(struct l3vpn_net *ln, u32 label);

/* Remove all whose @vrf is @vrf; every entry where @vrf is NULL. Returns the number. */
u32 l3vpn_ilm_flush(struct l3vpn_net *ln, const struct l3vpn_vrf *vrf);

/* Remove what has a stamp older than the current epoch. Returns the number. */
u32 l3vpn_ilm_sweep(struct l3vpn_net *ln);

#endif /* _L3VPN_ILM_H */
