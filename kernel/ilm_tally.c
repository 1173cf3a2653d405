// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn: how many packets came with a label. A router may have a million labels and packets for a
 * few thousand of them, and a counter on each CPU costs more than the entry: so the first packet
 * takes one, from a pool that a work keeps filled; where the pool is empty, from what the kernel
 * can give without waiting. A packet that finds none is counted in ln->uncounted, which INFO_GET
 * tells, and the next one tries again.
 *
 * The pool belongs to the module, and its memory to no control group. It is as large as the number of
 * labels lets one expect, and at most POOL_MAX.
 */
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "ilm.h"
#include "label.h"
#include "object.h"

#define POOL_MAX	2048

static DEFINE_SPINLOCK(l3vpn_pool_lock);	/* the two below; BH */
static struct l3vpn_tally __percpu *l3vpn_pool[POOL_MAX];
static unsigned int l3vpn_pool_n;

static void l3vpn_pool_work(struct work_struct *work);
static DECLARE_WORK(l3vpn_pool_job, l3vpn_pool_work);

static unsigned int l3vpn_pool_want(void)
{
	return min(atomic_read(&l3vpn_counts[L3VPN_COUNT_ILM]), POOL_MAX);
}

/* Any context. NULL: the pool is empty. */
static struct l3vpn_tally __percpu *l3vpn_pool_pop(void)
{
	struct l3vpn_tally __percpu *tally = NULL;

	spin_lock_bh(&l3vpn_pool_lock);
	if (l3vpn_pool_n)
		tally = l3vpn_pool[--l3vpn_pool_n];
	spin_unlock_bh(&l3vpn_pool_lock);
	return tally;
}

/* Any context. False: the pool is full. @tally is all zero. */
static bool l3vpn_pool_push(struct l3vpn_tally __percpu *tally)
{
	bool room;

	spin_lock_bh(&l3vpn_pool_lock);
	room = l3vpn_pool_n < POOL_MAX;
	if (room)
		l3vpn_pool[l3vpn_pool_n++] = tally;
	spin_unlock_bh(&l3vpn_pool_lock);
	return room;
}

static void l3vpn_pool_work(struct work_struct *work)
{
	struct l3vpn_tally __percpu *tally;

	while (READ_ONCE(l3vpn_pool_n) < l3vpn_pool_want()) {
		tally = l3vpn_tally_alloc(GFP_KERNEL);
		if (!tally)
			return;
		if (!l3vpn_pool_push(tally)) {
			free_percpu(tally);
			return;
		}
		cond_resched();
	}
	while (READ_ONCE(l3vpn_pool_n) > l3vpn_pool_want()) {
		tally = l3vpn_pool_pop();
		if (!tally)
			return;
		free_percpu(tally);
		cond_resched();
	}
}

void l3vpn_ilm_pool_adjust(void)
{
	unsigned int n = READ_ONCE(l3vpn_pool_n), want = l3vpn_pool_want();

	if (n < DIV_ROUND_UP(want, 2) || n > 2 * want)
		queue_work(l3vpn_wq, &l3vpn_pool_job);
}

void l3vpn_ilm_pool_exit(void)
{
	struct l3vpn_tally __percpu *tally;

	cancel_work_sync(&l3vpn_pool_job);
	while ((tally = l3vpn_pool_pop()))
		free_percpu(tally);
}

static struct l3vpn_tally __percpu *l3vpn_pool_take(void)
{
	struct l3vpn_tally __percpu *tally = l3vpn_pool_pop();

	l3vpn_ilm_pool_adjust();
	return tally ? tally : l3vpn_tally_alloc(GFP_NOWAIT | __GFP_NOWARN);
}

void l3vpn_ilm_count_first(struct l3vpn_net *ln, struct l3vpn_ilm *ilm, u32 packets, u32 bytes)
{
	struct l3vpn_tally __percpu *tally, *fresh;

	for (;;) {
		tally = READ_ONCE(ilm->tally);
		if (tally == L3VPN_ILM_REPLACED) {
			struct l3vpn_ilm *now = l3vpn_label_lookup_rcu(&ln->labels, ilm->label);

			if (!now || now == ilm)
				break;	/* gone, or about to be replaced on another CPU */
			ilm = now;
			continue;
		}
		if (!tally) {
			fresh = l3vpn_pool_take();
			if (!fresh)
				break;
			tally = cmpxchg(&ilm->tally, NULL, fresh);
			if (tally) {	/* another CPU was first, or replaced the entry */
				if (!l3vpn_pool_push(fresh))
					free_percpu(fresh);
				continue;
			}
			tally = fresh;
		}
		l3vpn_tally_add(tally, packets, bytes);
		return;
	}
	l3vpn_tally_add(ln->uncounted, packets, bytes);
}

/* Under ln->lock: what came since the entry, or the first that it replaced, was made. */
static struct l3vpn_tally_sum l3vpn_ilm_sum(const struct l3vpn_ilm *ilm)
{
	const struct l3vpn_tally __percpu *tally = READ_ONCE(ilm->tally);

	return tally ? l3vpn_tally_read(tally) : (struct l3vpn_tally_sum){};
}

struct l3vpn_tally_sum l3vpn_ilm_tally(struct l3vpn_net *ln, const struct l3vpn_ilm *ilm)
{
	const struct l3vpn_tally_sum *base = xa_load(&ln->label_bases, ilm->label);
	struct l3vpn_tally_sum sum = l3vpn_ilm_sum(ilm);

	if (base) {
		sum.packets -= base->packets;
		sum.bytes -= base->bytes;
	}
	return sum;
}

int l3vpn_ilm_tally_clear(struct l3vpn_net *ln)
{
	struct l3vpn_tally_sum sum, *base;
	struct l3vpn_ilm *ilm;
	u32 i;

	for (i = 0; (ilm = l3vpn_label_next(&ln->labels, i)); i = ilm->label + 1) {
		sum = l3vpn_ilm_sum(ilm);
		if (!sum.packets)
			continue;
		base = xa_load(&ln->label_bases, ilm->label);
		if (!base) {
			base = kmalloc(sizeof(*base), GFP_KERNEL_ACCOUNT);
			if (!base)
				return -ENOMEM;
			if (xa_is_err(xa_store(&ln->label_bases, ilm->label, base, GFP_KERNEL))) {
				kfree(base);
				return -ENOMEM;
			}
		}
		*base = sum;
		cond_resched();
	}
	return 0;
}

void l3vpn_ilm_tally_forget(struct l3vpn_net *ln, u32 label)
{
	if (!xa_empty(&ln->label_bases))
		kfree(xa_erase(&ln->label_bases, label));
}
