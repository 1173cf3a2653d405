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

static u64 l3vpn_route_digest(const struct l3vpn_vrf *vrf, int v6, struct l3vpn_key key,
			      const struct l3vpn_leaf *leaf)
{
	return l3vpn_digest_route(v6, vrf->id, key, leaf->plen, leaf->nh->id,
				  l3vpn_leaf_label(leaf));
}

static void l3vpn_route_count(struct l3vpn_vrf *vrf, int v6, struct l3vpn_key key,
			      const struct l3vpn_leaf *leaf)
{
	vrf->routes[v6]++;
	vrf->ln->route_count[v6]++;
	vrf->digest[v6] += l3vpn_route_digest(vrf, v6, key, leaf);
	l3vpn_nh_hold(leaf->nh);
}

void l3vpn_route_uncount(struct l3vpn_vrf *vrf, int v6, struct l3vpn_key key,
			 const struct l3vpn_leaf *leaf)
{
	vrf->routes[v6]--;
	vrf->ln->route_count[v6]--;
	vrf->digest[v6] -= l3vpn_route_digest(vrf, v6, key, leaf);
	l3vpn_nh_put(vrf->ln, leaf->nh);
}

struct l3vpn_leaf *l3vpn_route_find(struct l3vpn_vrf *vrf, int v6, struct l3vpn_key key, u8 plen)
{
	struct l3vpn_leaf *leaf = l3vpn_fib_find(l3vpn_vrf_fib(vrf, v6), key, plen);
	struct l3vpn_kept *kept;

	if (!leaf || !leaf->kernel)
		return leaf;
	kept = l3vpn_kept_find(vrf, v6, key, plen);
	return kept && kept->shadowed ? &kept->shadow : NULL;
}

/* Put @leaf into the FIB, or into the shadow of what the module keeps there. */
static int l3vpn_route_put(struct l3vpn_vrf *vrf, int v6, struct l3vpn_key key,
			   const struct l3vpn_leaf *leaf)
{
	struct l3vpn_fib *fib = l3vpn_vrf_fib(vrf, v6);
	struct l3vpn_leaf *there = l3vpn_fib_find(fib, key, leaf->plen);
	struct l3vpn_leaf old;
	int ret;

	if (there && there->kernel) {
		struct l3vpn_kept *kept = l3vpn_kept_find(vrf, v6, key, leaf->plen);

		kept->shadow = *leaf;
		kept->shadowed = true;
		return 0;
	}
	ret = l3vpn_fib_insert(fib, key, leaf->plen, leaf, &old);
	return ret < 0 ? ret : 0;
}

int l3vpn_route_add(struct l3vpn_vrf *vrf, int v6, struct l3vpn_key key, u8 plen,
		    struct l3vpn_nh *nh, u32 label)
{
	struct l3vpn_leaf *there = l3vpn_route_find(vrf, v6, key, plen);
	struct l3vpn_leaf leaf = {
		.nh = nh,
		.plen = plen,
		.labelled = label != L3VPN_LABEL_NONE,
		.epoch = vrf->ln->epoch,
	};
	struct l3vpn_leaf old;
	int err;

	lockdep_assert_held(&vrf->ln->lock);
	leaf.label = leaf.labelled ? label : 0;
	if (there) {
		if (there->nh == nh && l3vpn_leaf_label(there) == label) {
			there->epoch = vrf->ln->epoch;
			return 0;
		}
		old = *there;
	} else if (vrf->limit[v6] && vrf->routes[v6] >= vrf->limit[v6]) {
		return -ENOSPC;
	}

	err = l3vpn_route_put(vrf, v6, key, &leaf);
	if (err)
		return err;
	l3vpn_route_count(vrf, v6, key, &leaf);
	if (there)
		l3vpn_route_uncount(vrf, v6, key, &old);
	return 0;
}

int l3vpn_route_del(struct l3vpn_vrf *vrf, int v6, struct l3vpn_key key, u8 plen)
{
	struct l3vpn_fib *fib = l3vpn_vrf_fib(vrf, v6);
	struct l3vpn_leaf *there = l3vpn_fib_find(fib, key, plen);
	struct l3vpn_leaf old;

	lockdep_assert_held(&vrf->ln->lock);
	if (!there)
		return -ENOENT;
	if (there->kernel) {
		struct l3vpn_kept *kept = l3vpn_kept_find(vrf, v6, key, plen);

		if (!kept || !kept->shadowed)
			return -ENOENT;
		old = kept->shadow;
		kept->shadowed = false;
	} else if (l3vpn_fib_remove(fib, key, plen, &old)) {
		return -ENOENT;
	}
	l3vpn_route_uncount(vrf, v6, key, &old);
	return 0;
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

static int l3vpn_sweep_one(struct l3vpn_key key, struct l3vpn_leaf *leaf, void *arg)
{
	struct l3vpn_sweep *sweep = arg;

	if (leaf->kernel || (!sweep->all && leaf->epoch == sweep->epoch))
		return 0;
	if (sweep->count == L3VPN_SWEEP_BATCH)
		return 1;
	sweep->found[sweep->count].key = key;
	sweep->found[sweep->count].plen = leaf->plen;
	sweep->count++;
	return 0;
}

static u32 l3vpn_sweep_shadows(struct l3vpn_vrf *vrf, int v6, bool all)
{
	struct l3vpn_kept *kept;
	u32 swept = 0;

	list_for_each_entry(kept, &vrf->kept, node) {
		if (kept->v6 != v6 || !kept->shadowed ||
		    (!all && kept->shadow.epoch == vrf->ln->epoch))
			continue;
		kept->shadowed = false;
		l3vpn_route_uncount(vrf, v6, kept->key, &kept->shadow);
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
	l3vpn_limit_update(vrf);
	return swept;
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
