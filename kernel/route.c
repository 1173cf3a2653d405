// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn: routes of user space in a VRF: counts, limits, digests and references around the FIB.
 *
 * Where the module keeps the same prefix by itself (kept.c), the route lives in the shadow of that
 * entry: it counts like any other, but forwards nothing until the entry is given up.
 */
#include <linux/sched.h>
#include <linux/slab.h>

#include "digest.h"
#include "kept.h"
#include "limit.h"
#include "nexthop.h"
#include "route.h"

static u64 l3vpn_route_digest(const struct l3vpn_vrf *vrf, int v6, struct l3vpn_key key, u8 plen,
			      struct l3vpn_leaf leaf)
{
	return l3vpn_digest_route(v6, vrf->id, key, plen, l3vpn_leaf_nh(leaf)->id,
				  l3vpn_route_label(leaf));
}

static void l3vpn_route_count(struct l3vpn_vrf *vrf, int v6, struct l3vpn_key key, u8 plen,
			      struct l3vpn_leaf leaf)
{
	vrf->routes[v6]++;
	vrf->ln->route_count[v6]++;
	vrf->digest[v6] += l3vpn_route_digest(vrf, v6, key, plen, leaf);
	l3vpn_nh_hold(l3vpn_leaf_nh(leaf));
}

void l3vpn_route_uncount(struct l3vpn_vrf *vrf, int v6, struct l3vpn_key key, u8 plen,
			 struct l3vpn_leaf leaf)
{
	vrf->routes[v6]--;
	vrf->ln->route_count[v6]--;
	vrf->digest[v6] -= l3vpn_route_digest(vrf, v6, key, plen, leaf);
	l3vpn_nh_put(vrf->ln, l3vpn_leaf_nh(leaf));
}

struct l3vpn_leaf l3vpn_route_find(struct l3vpn_vrf *vrf, int v6, struct l3vpn_key key, u8 plen)
{
	struct l3vpn_leaf leaf = l3vpn_fib_find(l3vpn_vrf_fib(vrf, v6), key, plen);
	struct l3vpn_kept *kept;

	if (!l3vpn_leaf_kernel(leaf))
		return leaf;
	kept = l3vpn_kept_find(vrf, v6, key, plen);
	return kept && kept->shadowed ? kept->shadow : (struct l3vpn_leaf){};
}

/* The module keeps this prefix by itself: @leaf goes into the shadow. As l3vpn_fib_insert(). */
static int l3vpn_route_shadow(struct l3vpn_kept *kept, struct l3vpn_leaf leaf, bool full,
			      struct l3vpn_leaf *old)
{
	bool was = kept->shadowed;

	if (was)
		*old = kept->shadow;
	else if (full)
		return -ENOSPC;
	kept->shadow = leaf;
	kept->shadowed = true;
	return was;
}

int l3vpn_route_add(struct l3vpn_vrf *vrf, int v6, struct l3vpn_key key, u8 plen,
		    struct l3vpn_nh *nh, u32 label)
{
	bool full = vrf->limit[v6] && vrf->routes[v6] >= vrf->limit[v6];
	struct l3vpn_leaf leaf = l3vpn_leaf_make(nh, vrf->ln->epoch), old;
	int ret;

	lockdep_assert_held(&vrf->ln->lock);
	if (label != L3VPN_LABEL_NONE)
		leaf.word |= L3VPN_LEAF_LABELLED | label;
	ret = l3vpn_fib_insert(l3vpn_vrf_fib(vrf, v6), key, plen, leaf,
			       L3VPN_FIB_YIELD | (full ? L3VPN_FIB_FULL : 0), &old);
	if (ret == -EBUSY)
		ret = l3vpn_route_shadow(l3vpn_kept_find(vrf, v6, key, plen), leaf, full, &old);
	if (ret < 0)
		return ret;
	if (ret && l3vpn_leaf_same(old, leaf))
		return 0;
	l3vpn_route_count(vrf, v6, key, plen, leaf);
	if (ret)
		l3vpn_route_uncount(vrf, v6, key, plen, old);
	return 0;
}

int l3vpn_route_del(struct l3vpn_vrf *vrf, int v6, struct l3vpn_key key, u8 plen)
{
	struct l3vpn_leaf old;
	int ret;

	lockdep_assert_held(&vrf->ln->lock);
	ret = l3vpn_fib_remove(l3vpn_vrf_fib(vrf, v6), key, plen, L3VPN_FIB_YIELD, &old);
	if (ret == -EBUSY) {
		struct l3vpn_kept *kept = l3vpn_kept_find(vrf, v6, key, plen);

		ret = -ENOENT;
		if (kept && kept->shadowed) {
			old = kept->shadow;
			kept->shadowed = false;
			ret = 0;
		}
	}
	if (!ret)
		l3vpn_route_uncount(vrf, v6, key, plen, old);
	return ret;
}

/* A batch of prefixes found by a walk, removed after it: the walk itself changes nothing. */
#define L3VPN_SWEEP_BATCH	64

struct l3vpn_sweep {
	struct {
		struct l3vpn_key key;
		u8 plen;
	} found[L3VPN_SWEEP_BATCH];
	u32 count;
	u32 epoch;
	bool all;
};

static int l3vpn_sweep_one(struct l3vpn_key key, u8 plen, struct l3vpn_leaf leaf, void *arg)
{
	struct l3vpn_sweep *sweep = arg;

	if (l3vpn_leaf_kernel(leaf) || (!sweep->all && l3vpn_leaf_stamped(leaf, sweep->epoch)))
		return 0;
	if (sweep->count == L3VPN_SWEEP_BATCH)
		return 1;
	sweep->found[sweep->count].key = key;
	sweep->found[sweep->count].plen = plen;
	sweep->count++;
	return 0;
}

static u32 l3vpn_sweep_shadows(struct l3vpn_vrf *vrf, int v6, bool all)
{
	struct l3vpn_kept *kept;
	u32 swept = 0;

	list_for_each_entry(kept, &vrf->kept, node) {
		if (kept->v6 != v6 || !kept->shadowed ||
		    (!all && l3vpn_leaf_stamped(kept->shadow, vrf->ln->epoch)))
			continue;
		kept->shadowed = false;
		l3vpn_route_uncount(vrf, v6, kept->key, kept->plen, kept->shadow);
		swept++;
	}
	return swept;
}

static u32 l3vpn_route_sweep_some(struct l3vpn_vrf *vrf, int v6, bool all)
{
	struct l3vpn_fib *fib = l3vpn_vrf_fib(vrf, v6);
	struct l3vpn_fib_cursor cursor = {};
	struct l3vpn_sweep *sweep;
	u32 swept, i;
	int more;

	swept = l3vpn_sweep_shadows(vrf, v6, all);
	sweep = kmalloc(sizeof(*sweep), GFP_KERNEL | __GFP_NOFAIL);
	sweep->epoch = vrf->ln->epoch;
	sweep->all = all;
	do {
		sweep->count = 0;
		more = l3vpn_fib_walk(fib, &cursor, l3vpn_sweep_one, sweep);
		for (i = 0; i < sweep->count; i++) {
			l3vpn_route_del(vrf, v6, sweep->found[i].key, sweep->found[i].plen);
			swept++;
		}
		l3vpn_fib_flush(fib);
		cond_resched();
	} while (more);
	kfree(sweep);
	l3vpn_burst_suit(vrf->ln);
	l3vpn_limit_update(vrf);
	return swept;
}

struct l3vpn_aging {
	struct l3vpn_fib *fib;
	u32 epoch;
};

static struct l3vpn_leaf l3vpn_leaf_aged(struct l3vpn_leaf leaf, u32 epoch)
{
	if (l3vpn_leaf_stamped(leaf, epoch)) {
		leaf.word &= ~L3VPN_LEAF_STAMP;
		leaf.word |= (u64)((epoch + 1) % L3VPN_LEAF_STAMPS) << L3VPN_LEAF_STAMP_SHIFT;
	}
	return leaf;
}

static int l3vpn_age_one(struct l3vpn_key key, u8 plen, struct l3vpn_leaf leaf, void *arg)
{
	struct l3vpn_leaf aged, old;
	struct l3vpn_aging *aging = arg;

	cond_resched();
	if (l3vpn_leaf_kernel(leaf))
		return 0;
	aged = l3vpn_leaf_aged(leaf, aging->epoch);
	if (aged.word != leaf.word)
		l3vpn_fib_insert(aging->fib, key, plen, aged, 0, &old);	/* needs no memory */
	return 0;
}

void l3vpn_route_age(struct l3vpn_net *ln)
{
	struct l3vpn_kept *kept;
	struct l3vpn_vrf *vrf;
	unsigned long id;
	int v6;

	lockdep_assert_held(&ln->lock);
	if (ln->epoch - ln->oldest < L3VPN_LEAF_STAMPS)
		return;
	xa_for_each(&ln->vrfs, id, vrf) {
		for (v6 = 0; v6 < 2; v6++) {
			struct l3vpn_aging aging = { l3vpn_vrf_fib(vrf, v6), ln->epoch };
			struct l3vpn_fib_cursor cursor = {};

			l3vpn_fib_walk(aging.fib, &cursor, l3vpn_age_one, &aging);
			cond_resched();
		}
		list_for_each_entry(kept, &vrf->kept, node)
			kept->shadow = l3vpn_leaf_aged(kept->shadow, ln->epoch);
	}
	ln->oldest = ln->epoch + 1 - L3VPN_LEAF_STAMPS;
}

u32 l3vpn_route_sweep(struct l3vpn_vrf *vrf, int v6)
{
	if (!vrf->routes[v6])
		return 0;
	return l3vpn_route_sweep_some(vrf, v6, false);
}

void l3vpn_route_flush(struct l3vpn_vrf *vrf)
{
	int v6;

	for (v6 = 0; v6 < 2; v6++) {
		if (vrf->routes[v6])
			l3vpn_route_sweep_some(vrf, v6, true);
		WARN_ON_ONCE(vrf->routes[v6] || vrf->digest[v6]);
	}
}
