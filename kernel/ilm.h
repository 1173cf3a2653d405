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

/* In place of a tally: the entry was replaced before any packet came, count at its successor. */
#define L3VPN_ILM_REPLACED	((struct l3vpn_tally __percpu *)1)

/**
 * struct l3vpn_ilm - a label entry; immutable once published, but for @stamp and @tally
 * @vrf:	POP_VRF: where to look up. POP_NH: VRF that owns the label. SWAP: NULL
 * @nh:		POP_NH, SWAP: referenced; else NULL. Any kind may be met here: the data path drops
 *		what makes no sense for a labelled packet
 * @label:	the incoming label, L3VPN_LABEL 16..MAX
 * @out_label:	SWAP: 0..L3VPN_LABEL_MAX; 3 means pop (penultimate hop popping). Else NONE
 * @stamp:	epoch; under ln->lock
 * @action:	enum l3vpn_label_action
 * @scope:	0..L3VPN_SCOPE_MAX: core ports without it in their scopes refuse the label
 * @own_tally:	@tally is freed with this entry; under ln->lock
 * @tally:	packets that came with it: made by the first of them (NULL before), taken over by an
 *		entry that replaces this one; READ_ONCE, cmpxchg
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
	bool own_tally;
	struct l3vpn_tally __percpu *tally;
	struct rcu_head rcu;
};

/* ilm_tally.c: @ilm has no tally yet, or was replaced; see l3vpn_ilm_count(). */
void l3vpn_ilm_count_first(struct l3vpn_net *ln, struct l3vpn_ilm *ilm, u32 packets, u32 bytes);

/* Inside rcu_read_lock, bottom halves off: count what came with the label of @ilm. */
static inline void l3vpn_ilm_count(struct l3vpn_net *ln, struct l3vpn_ilm *ilm, u32 packets,
				   u32 bytes)
{
	struct l3vpn_tally __percpu *tally = READ_ONCE(ilm->tally);

	if (unlikely((unsigned long)tally <= (unsigned long)L3VPN_ILM_REPLACED))
		l3vpn_ilm_count_first(ln, ilm, packets, bytes);
	else
		l3vpn_tally_add(tally, packets, bytes);
}

/* ilm_tally.c, under ln->lock. What LABEL_GET tells: packets since the last clear. */
struct l3vpn_tally_sum l3vpn_ilm_tally(struct l3vpn_net *ln, const struct l3vpn_ilm *ilm);

/* ilm_tally.c, under ln->lock. From now on all labels count from zero. 0, or -ENOMEM: some do not. */
int l3vpn_ilm_tally_clear(struct l3vpn_net *ln);

/* ilm_tally.c, under ln->lock. Label @label ends: so does what was subtracted for it. */
void l3vpn_ilm_tally_forget(struct l3vpn_net *ln, u32 label);

/* ilm_tally.c: the number of entries has changed; any context. */
void l3vpn_ilm_pool_adjust(void);

/* ilm_tally.c: module exit, no entry left. Process context. */
void l3vpn_ilm_pool_exit(void);

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
