/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random churn on a trie and on the naive reference, compared after each step. Shared by the
 * user-space test and the test module; the includer has fib.h, naive.h and a CHURN_FAIL(fmt, ...)
 * that reports.
 */
#ifndef _SELFTESTS_FIB_CHURN_H
#define _SELFTESTS_FIB_CHURN_H

struct churn {
	struct l3vpn_fib *fib;
	struct naive naive;
	u64 random;
	bool wide;			/* IPv6 */
	unsigned int most;		/* entries */
	unsigned int shape;		/* 0: dense, 1: scattered, 2: nested, 3: a few long chains */
};

static inline u64 churn_random(struct churn *churn)
{
	u64 z = churn->random += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static inline struct l3vpn_key churn_key(struct churn *churn)
{
	struct l3vpn_key key = { .hi = churn_random(churn), .lo = churn_random(churn) };
	unsigned int keep;

	switch (churn->shape) {
	case 0:		/* differ in eight bits somewhere */
		keep = churn->wide ? 40 : 16;
		key.hi = 0x20010db800000000ULL | (key.hi & 0xff) << (56 - keep);
		key.lo &= 0x8000000000000003ULL;
		break;
	case 2:		/* ones from the left: every prefix covers the next */
		keep = key.lo % 128;
		key.hi = keep >= 64 ? ~0ULL : ~(~0ULL >> keep);
		key.lo = keep <= 64 ? 0 : ~(~0ULL >> (keep - 64));
		break;
	case 3:		/* zero but for the last bits */
		key.hi = churn->wide ? key.hi & 1 : (key.hi & 3) << 32;
		key.lo &= 0xf;
		break;
	}
	if (!churn->wide) {
		key.hi &= 0xffffffff00000000ULL;
		key.lo = 0;
	}
	return key;
}

/* Some next hop, of which nobody makes use. */
static inline struct l3vpn_leaf churn_leaf(u32 label)
{
	struct l3vpn_leaf leaf = l3vpn_leaf_make((void *)(PAGE_OFFSET + L3VPN_NH_ALIGN), 0);

	leaf.word |= L3VPN_LEAF_LABELLED | (label & L3VPN_LEAF_LABEL);
	return leaf;
}

static inline struct l3vpn_leaf churn_lookup(struct churn *churn, struct l3vpn_key key)
{
	struct in6_addr addr6;

	if (!churn->wide)
		return l3vpn_fib_lookup4(churn->fib, l3vpn_key_to4(key));
	l3vpn_key_to6(key, &addr6);
	return l3vpn_fib_lookup6(churn->fib, &addr6);
}

static inline int churn_check_lookup(struct churn *churn, struct l3vpn_key key)
{
	const struct naive_entry *want = naive_lookup(&churn->naive, key);
	struct l3vpn_leaf got;
	int ret = 0, plen;

	rcu_read_lock();
	got = churn_lookup(churn, key);
	plen = l3vpn_fib_match(churn->fib, key, churn->wide ? 128 : 32);
	if (!want != l3vpn_leaf_none(got))
		ret = CHURN_FAIL("lookup: a match is %s", want ? "missing" : "wrong");
	else if (want && l3vpn_leaf_label(got) != want->label)
		ret = CHURN_FAIL("lookup: label %u instead of %u, of length %u",
				 l3vpn_leaf_label(got), want->label, want->plen);
	else if (plen != (want ? (int)want->plen : -1))
		ret = CHURN_FAIL("match: length %d instead of %u", plen, want ? want->plen : 0);
	rcu_read_unlock();
	return ret;
}

/* Many at once find what each alone finds, in an index of its own: every fifth in an empty one. */
static inline int churn_check_bulk(struct churn *churn)
{
	static const struct l3vpn_fib empty;
	struct l3vpn_fib_ask ask[L3VPN_FIB_BULK];
	struct in6_addr addr6[L3VPN_FIB_BULK];
	struct l3vpn_leaf one, many;
	__be32 addr4[L3VPN_FIB_BULK];
	unsigned int i, n = churn_random(churn) % (L3VPN_FIB_BULK + 1);
	int ret = 0;

	rcu_read_lock();
	for (i = 0; i < n; i++) {
		const struct l3vpn_fib *in = i % 5 == 4 ? &empty : churn->fib;
		struct l3vpn_key key = churn_key(churn);

		addr4[i] = l3vpn_key_to4(key);
		l3vpn_key_to6(key, &addr6[i]);
		if (churn->wide)
			l3vpn_fib_ask6(&ask[i], in, &addr6[i]);
		else
			l3vpn_fib_ask4(&ask[i], in, addr4[i]);
		if (i % 7 == 6)
			ask[i].fib = NULL;
	}
	l3vpn_fib_lookup_bulk(ask, n);
	for (i = 0; i < n && !ret; i++) {
		if (!ask[i].fib)
			continue;
		one = churn->wide ? l3vpn_fib_lookup6(ask[i].fib, &addr6[i]) :
				    l3vpn_fib_lookup4(ask[i].fib, addr4[i]);
		many = l3vpn_fib_told(&ask[i]);
		if (one.word != many.word)
			ret = CHURN_FAIL("bulk: %u of %u differs", i, n);
		if (ask[i].fib == &empty)
			continue;
		many = churn->wide ? l3vpn_fib_lookup6_longer(churn->fib, &addr6[i]) :
				     l3vpn_fib_lookup4_longer(churn->fib, addr4[i]);
		if (l3vpn_fib_match(churn->fib, churn->wide ? l3vpn_key6(&addr6[i]) :
				    l3vpn_key4(addr4[i]), churn->wide ? 128 : 32) > 0 ?
		    one.word != many.word : !l3vpn_leaf_none(many))
			ret = CHURN_FAIL("longer: %u of %u differs", i, n);
	}
	rcu_read_unlock();
	return ret;
}

static inline int churn_insert(struct churn *churn, struct l3vpn_key key, unsigned int plen)
{
	struct naive_entry *was = naive_find(&churn->naive, key, plen);
	u32 label = churn_random(churn) & L3VPN_LEAF_LABEL;
	unsigned int flags = churn_random(churn) % 16 ? 0 : L3VPN_FIB_FULL;
	struct l3vpn_leaf old = {};
	int ret;

	l3vpn_fib_prefetch(churn->fib, key, 0);
	l3vpn_fib_prefetch(churn->fib, key, 1);
	ret = l3vpn_fib_insert(churn->fib, key, plen, churn_leaf(label), flags, &old);
	if (ret == -ENOMEM)
		return was ? CHURN_FAIL("insert: replacing needed memory") : 0;
	if (flags && !was)
		return ret == -ENOSPC ? 0 : CHURN_FAIL("insert: full, but returned %d", ret);
	if (ret != !!was)
		return CHURN_FAIL("insert: returned %d", ret);
	if (was && l3vpn_leaf_label(old) != was->label)
		return CHURN_FAIL("insert: the old leaf is wrong");
	naive_insert(&churn->naive, key, plen, label);
	return 0;
}

static inline int churn_remove(struct churn *churn, struct l3vpn_key key, unsigned int plen)
{
	struct naive_entry *was = naive_find(&churn->naive, key, plen);
	struct l3vpn_leaf old = {};
	int ret = l3vpn_fib_remove(churn->fib, key, plen, 0, &old);

	if (ret != (was ? 0 : -ENOENT))
		return CHURN_FAIL("remove: returned %d", ret);
	if (!was)
		return 0;
	if (l3vpn_leaf_label(old) != was->label)
		return CHURN_FAIL("remove: the old leaf is wrong");
	naive_remove(&churn->naive, was);
	return 0;
}

struct churn_walk {
	struct churn *churn;
	struct l3vpn_key key;
	int plen;
	unsigned int seen;
	unsigned int stop_at;		/* stop before this one; 0: never */
};

static inline int churn_walk_leaf(struct l3vpn_key key, u8 plen, struct l3vpn_leaf leaf, void *arg)
{
	struct churn_walk *walk = arg;
	const struct naive_entry *want = naive_next(&walk->churn->naive, walk->key, walk->plen);

	if (!want || !naive_equal(want->key, key) || want->plen != plen ||
	    want->label != l3vpn_leaf_label(leaf))
		return CHURN_FAIL("walk: entry %u is not the next one", walk->seen);
	if (walk->stop_at && !--walk->stop_at)
		return 1;
	walk->key = key;
	walk->plen = plen;
	walk->seen++;
	return 0;
}

/* All of it, stopping now and then; sorted; each exactly once; found by exact match too. */
static inline int churn_check_walk(struct churn *churn)
{
	struct churn_walk walk = { .churn = churn, .plen = -1 };
	struct l3vpn_fib_cursor cursor = {};
	unsigned int i;
	int ret;

	do {
		walk.stop_at = churn_random(churn) % 8;
		ret = l3vpn_fib_walk(churn->fib, &cursor, churn_walk_leaf, &walk);
		if (ret < 0)
			return ret;
	} while (ret);
	if (walk.seen != churn->naive.count || walk.seen != churn->fib->leaves)
		return CHURN_FAIL("walk: %u of %u entries, the trie counts %u", walk.seen,
				  churn->naive.count, churn->fib->leaves);
	for (i = 0; i < churn->naive.count; i++) {
		const struct naive_entry *e = &churn->naive.entry[i];
		struct l3vpn_leaf leaf = l3vpn_fib_find(churn->fib, e->key, e->plen);

		if (l3vpn_leaf_none(leaf) || l3vpn_leaf_label(leaf) != e->label)
			return CHURN_FAIL("find: entry %u is missing or wrong", i);
	}
	return 0;
}

/* One step: mostly insertions while it grows, mostly removals while it shrinks. */
static inline int churn_step(struct churn *churn, bool grow)
{
	unsigned int width = churn->wide ? 128 : 32;
	struct l3vpn_key key = churn_key(churn);
	unsigned int plen = churn_random(churn) % (width + 1);
	u64 dice = churn_random(churn) % 16;
	int ret;

	if (dice < (grow ? 12 : 4)) {
		ret = churn->naive.count < churn->most ? churn_insert(churn, key, plen) : 0;
	} else if (dice < 15 && churn->naive.count) {
		const struct naive_entry *e;

		e = &churn->naive.entry[churn_random(churn) % churn->naive.count];
		key = e->key;
		ret = churn_remove(churn, e->key, e->plen);
	} else {
		ret = churn_remove(churn, key, plen);
	}
	if (!ret)
		ret = churn_check_lookup(churn, key);
	if (!ret)
		ret = churn_check_lookup(churn, churn_key(churn));
	if (!ret && dice == 15)
		ret = churn_check_bulk(churn);
	return ret;
}

#endif /* _SELFTESTS_FIB_CHURN_H */
