// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn: FIB entries that the module keeps by itself: claims, shadows, and what the FIB shows.
 */
#include <linux/slab.h>

#include "kept.h"
#include "l3vpn.h"
#include "nexthop.h"
#include "object.h"
#include "route.h"
#include "vrf.h"

/**
 * struct l3vpn_claim - one device's wish for one prefix
 * @node:	in kept->claims, best first
 * @owned:	in keeper->claims
 * @kept:	the prefix
 * @nh:		where it should lead; referenced
 * @rank:	enum l3vpn_claim_rank
 * @seen:	made again in this round
 */
struct l3vpn_claim {
	struct list_head node;
	struct list_head owned;
	struct l3vpn_kept *kept;
	struct l3vpn_nh *nh;
	u8 rank;
	bool seen;
};

void l3vpn_keeper_init(struct l3vpn_keeper *keeper, bool of_vrf)
{
	INIT_LIST_HEAD(&keeper->claims);
	INIT_LIST_HEAD(&keeper->pending);
	keeper->open = false;
	keeper->of_vrf = of_vrf;
}

void l3vpn_kept_begin(struct l3vpn_keeper *keeper)
{
	struct l3vpn_claim *claim;

	list_for_each_entry(claim, &keeper->claims, owned)
		claim->seen = false;
}

struct l3vpn_kept *l3vpn_kept_find(struct l3vpn_vrf *vrf, int v6, struct l3vpn_key key, u8 plen)
{
	struct l3vpn_kept *kept;

	list_for_each_entry(kept, &vrf->kept, node) {
		if (kept->v6 == v6 && kept->plen == plen && kept->key.hi == key.hi &&
		    kept->key.lo == key.lo)
			return kept;
	}
	return NULL;
}

/* Make the FIB show the best claim. 0 or -ENOMEM; a route of user space goes into the shadow. */
static int l3vpn_kept_show(struct l3vpn_vrf *vrf, struct l3vpn_kept *kept)
{
	struct l3vpn_claim *best = list_first_entry(&kept->claims, struct l3vpn_claim, node);
	struct l3vpn_fib *fib = l3vpn_vrf_fib(vrf, kept->v6);
	struct l3vpn_leaf leaf = l3vpn_leaf_make(best->nh, 0);
	struct l3vpn_leaf old;
	int ret;

	leaf.word |= L3VPN_LEAF_KERNEL;
	ret = l3vpn_fib_insert(fib, kept->key, kept->plen, leaf, 0, &old);
	if (ret < 0)
		return ret;
	if (ret == 1 && !l3vpn_leaf_kernel(old)) {
		kept->shadow = old;
		kept->shadowed = true;
	}
	return 0;
}

/* The last claim is gone: bring the shadow back, or leave nothing. */
static void l3vpn_kept_end_one(struct l3vpn_vrf *vrf, struct l3vpn_kept *kept)
{
	struct l3vpn_fib *fib = l3vpn_vrf_fib(vrf, kept->v6);
	struct l3vpn_leaf old;

	list_del(&kept->node);
	if (!kept->shadowed) {
		if (l3vpn_leaf_kernel(l3vpn_fib_find(fib, kept->key, kept->plen)))
			l3vpn_fib_remove(fib, kept->key, kept->plen, 0, &old);
	} else if (l3vpn_fib_insert(fib, kept->key, kept->plen, kept->shadow, 0, &old) < 0) {
		/* No memory: the route is lost, and the digest tells user space so. */
		l3vpn_fib_remove(fib, kept->key, kept->plen, 0, &old);
		l3vpn_route_uncount(vrf, kept->v6, kept->key, kept->plen, kept->shadow);
	}
	l3vpn_object_gone(L3VPN_COUNT_KEPT);
	kfree(kept);
}

/*
 * No memory to show the next best claim: show nothing, rather than lead to a next hop that nobody
 * claims any more. A shadow is lost too, and the digest tells user space so.
 */
static void l3vpn_kept_lose(struct l3vpn_vrf *vrf, struct l3vpn_kept *kept)
{
	struct l3vpn_leaf old;

	l3vpn_fib_remove(l3vpn_vrf_fib(vrf, kept->v6), kept->key, kept->plen, 0, &old);
	if (!kept->shadowed)
		return;
	kept->shadowed = false;
	l3vpn_route_uncount(vrf, kept->v6, kept->key, kept->plen, kept->shadow);
}

static void l3vpn_claim_free(struct l3vpn_vrf *vrf, struct l3vpn_claim *claim)
{
	l3vpn_nh_put(vrf->ln, claim->nh);
	l3vpn_object_gone(L3VPN_COUNT_CLAIM);
	kfree(claim);
}

static void l3vpn_claim_end(struct l3vpn_vrf *vrf, struct l3vpn_claim *claim)
{
	struct l3vpn_kept *kept = claim->kept;
	bool was_best = list_first_entry(&kept->claims, struct l3vpn_claim, node) == claim;

	list_del(&claim->owned);
	list_del(&claim->node);
	if (list_empty(&kept->claims))
		l3vpn_kept_end_one(vrf, kept);
	else if (was_best && l3vpn_kept_show(vrf, kept) < 0)
		l3vpn_kept_lose(vrf, kept);
	l3vpn_claim_free(vrf, claim);
}

/* Behind all that are as good or better. */
static void l3vpn_claim_insert(struct l3vpn_kept *kept, struct l3vpn_claim *claim)
{
	struct l3vpn_claim *other;

	list_for_each_entry(other, &kept->claims, node) {
		if (other->rank > claim->rank) {
			list_add_tail(&claim->node, &other->node);
			return;
		}
	}
	list_add_tail(&claim->node, &kept->claims);
}

static struct l3vpn_kept *l3vpn_kept_get(struct l3vpn_vrf *vrf, int v6, struct l3vpn_key key,
					 u8 plen)
{
	struct l3vpn_kept *kept = l3vpn_kept_find(vrf, v6, key, plen);

	if (kept)
		return kept;
	kept = kzalloc(sizeof(*kept), GFP_KERNEL_ACCOUNT);
	if (!kept)
		return NULL;
	INIT_LIST_HEAD(&kept->claims);
	kept->key = key;
	kept->plen = plen;
	kept->v6 = v6;
	list_add_tail(&kept->node, &vrf->kept);
	l3vpn_object_born(L3VPN_COUNT_KEPT);
	return kept;
}

static struct l3vpn_claim *l3vpn_claim_find(struct l3vpn_keeper *keeper, int v6,
					    struct l3vpn_key key, u8 plen, u8 rank,
					    const struct l3vpn_nh *nh)
{
	struct l3vpn_claim *claim;

	list_for_each_entry(claim, &keeper->claims, owned) {
		const struct l3vpn_kept *kept = claim->kept;

		if (claim->nh == nh && claim->rank == rank && kept->v6 == v6 &&
		    kept->plen == plen && kept->key.hi == key.hi && kept->key.lo == key.lo)
			return claim;
	}
	return NULL;
}

int l3vpn_kept_claim(struct l3vpn_vrf *vrf, struct l3vpn_keeper *keeper, int v6,
		     struct l3vpn_key key, u8 plen, enum l3vpn_claim_rank rank,
		     struct l3vpn_nh *nh)
{
	struct l3vpn_claim *claim = l3vpn_claim_find(keeper, v6, key, plen, rank, nh);
	struct l3vpn_kept *kept;
	int err;

	lockdep_assert_held(&vrf->ln->lock);
	if (claim) {
		claim->seen = true;
		return 0;
	}
	claim = kzalloc(sizeof(*claim), GFP_KERNEL_ACCOUNT);
	if (!claim)
		return -ENOMEM;
	kept = l3vpn_kept_get(vrf, v6, key, plen);
	if (!kept) {
		kfree(claim);
		return -ENOMEM;
	}
	l3vpn_object_born(L3VPN_COUNT_CLAIM);
	l3vpn_nh_hold(nh);
	claim->kept = kept;
	claim->nh = nh;
	claim->rank = rank;
	claim->seen = true;
	l3vpn_claim_insert(kept, claim);
	list_add_tail(&claim->owned, &keeper->claims);

	if (list_first_entry(&kept->claims, struct l3vpn_claim, node) != claim)
		return 0;
	err = l3vpn_kept_show(vrf, kept);
	if (!err)
		return 0;

	/* The FIB is as it was: take the claim back without touching it. */
	list_del(&claim->owned);
	list_del(&claim->node);
	if (list_empty(&kept->claims)) {
		list_del(&kept->node);
		l3vpn_object_gone(L3VPN_COUNT_KEPT);
		kfree(kept);
	}
	l3vpn_claim_free(vrf, claim);
	return err;
}

void l3vpn_kept_end(struct l3vpn_vrf *vrf, struct l3vpn_keeper *keeper)
{
	struct l3vpn_claim *claim, *next;

	lockdep_assert_held(&vrf->ln->lock);
	list_for_each_entry_safe(claim, next, &keeper->claims, owned) {
		if (!claim->seen)
			l3vpn_claim_end(vrf, claim);
	}
	l3vpn_route_flush_retired(vrf);
}
