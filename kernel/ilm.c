// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn: entries of the label table: make, replace, delete, sweep. The array is label.c's.
 */
#include <linux/sched.h>
#include <linux/slab.h>

#include "digest.h"
#include "ilm.h"
#include "label.h"
#include "nexthop.h"
#include "object.h"
#include "vrf.h"

static u64 l3vpn_ilm_digest(const struct l3vpn_ilm *ilm)
{
	return l3vpn_digest_label(ilm->label, ilm->action, ilm->vrf ? ilm->vrf->id : 0,
				  ilm->nh ? ilm->nh->id : 0, ilm->out_label, ilm->scope);
}

static void l3vpn_ilm_free(struct rcu_head *rcu)
{
	struct l3vpn_ilm *ilm = container_of(rcu, struct l3vpn_ilm, rcu);

	if (ilm->own_tally && ilm->tally != L3VPN_ILM_REPLACED)
		free_percpu(ilm->tally);
	l3vpn_object_gone(L3VPN_COUNT_ILM);
	kfree(ilm);
	l3vpn_ilm_pool_adjust();
}

/* @ilm is unpublished: drop its references, free it after its readers. */
static void l3vpn_ilm_release(struct l3vpn_net *ln, struct l3vpn_ilm *ilm)
{
	ln->label_digest -= l3vpn_ilm_digest(ilm);
	if (ilm->nh)
		l3vpn_nh_put(ln, ilm->nh);
	if (ilm->vrf)
		ilm->vrf->refs--;
	call_rcu(&ilm->rcu, l3vpn_ilm_free);
}

static bool l3vpn_ilm_same(const struct l3vpn_ilm *ilm, const struct l3vpn_label *rec)
{
	return ilm->action == rec->action && ilm->scope == rec->scope &&
	       ilm->out_label == rec->out_label &&
	       (ilm->vrf ? ilm->vrf->id : 0) == rec->vrf && (ilm->nh ? ilm->nh->id : 0) == rec->nh;
}

static struct l3vpn_ilm *l3vpn_ilm_make(struct l3vpn_net *ln, const struct l3vpn_label *rec,
					struct l3vpn_ilm *old)
{
	struct l3vpn_ilm *ilm = kzalloc(sizeof(*ilm), GFP_KERNEL_ACCOUNT);

	if (!ilm)
		return NULL;
	/* packets that still see @old: they count in what both share, or go on to @ilm */
	if (old)
		ilm->tally = cmpxchg(&old->tally, NULL, L3VPN_ILM_REPLACED);
	ilm->own_tally = true;
	ilm->label = rec->label;
	ilm->action = rec->action;
	ilm->scope = rec->scope;
	ilm->out_label = rec->out_label;
	ilm->stamp = ln->epoch;
	ilm->vrf = rec->vrf ? l3vpn_vrf_find(ln, rec->vrf) : NULL;
	ilm->nh = rec->nh ? l3vpn_nh_find(ln, rec->nh) : NULL;
	l3vpn_object_born(L3VPN_COUNT_ILM);
	l3vpn_ilm_pool_adjust();
	return ilm;
}

int l3vpn_ilm_add(struct l3vpn_net *ln, const struct l3vpn_label *rec)
{
	struct l3vpn_ilm *old = l3vpn_label_find(&ln->labels, rec->label);
	struct l3vpn_ilm *ilm;
	int err;

	lockdep_assert_held(&ln->lock);
	if (old && l3vpn_ilm_same(old, rec)) {
		old->stamp = ln->epoch;
		return 0;
	}

	ilm = l3vpn_ilm_make(ln, rec, old);
	if (!ilm)
		return -ENOMEM;
	err = l3vpn_label_set(&ln->labels, rec->label, ilm, &old);
	if (err) {
		l3vpn_ilm_free(&ilm->rcu);
		return err;
	}
	if (ilm->nh)
		l3vpn_nh_hold(ilm->nh);
	if (ilm->vrf)
		ilm->vrf->refs++;
	ln->label_digest += l3vpn_ilm_digest(ilm);
	if (old) {
		old->own_tally = false;
		l3vpn_ilm_release(ln, old);
	} else {
		ln->label_count++;
	}
	return 0;
}

int l3vpn_ilm_del(struct l3vpn_net *ln, u32 label)
{
	struct l3vpn_ilm *ilm;

	lockdep_assert_held(&ln->lock);
	ilm = l3vpn_label_clear(&ln->labels, label);
	if (!ilm)
		return -ENOENT;
	ln->label_count--;
	l3vpn_ilm_tally_forget(ln, label);
	l3vpn_ilm_release(ln, ilm);
	return 0;
}

u32 l3vpn_ilm_flush(struct l3vpn_net *ln, const struct l3vpn_vrf *vrf)
{
	struct l3vpn_ilm *ilm;
	u32 label = 0, flushed = 0;

	if (vrf && !vrf->refs)
		return 0;
	while ((ilm = l3vpn_label_next(&ln->labels, label))) {
		label = ilm->label + 1;
		if (vrf && ilm->vrf != vrf)
			continue;
		l3vpn_ilm_del(ln, ilm->label);
		flushed++;
		cond_resched();
	}
	return flushed;
}

u32 l3vpn_ilm_sweep(struct l3vpn_net *ln)
{
	struct l3vpn_ilm *ilm;
	u32 label = 0, swept = 0;

	while ((ilm = l3vpn_label_next(&ln->labels, label))) {
		label = ilm->label + 1;
		if (ilm->stamp == ln->epoch)
			continue;
		l3vpn_ilm_del(ln, ilm->label);
		swept++;
		cond_resched();
	}
	return swept;
}
