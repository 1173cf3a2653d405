/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The reference that the trie is compared with: an unsorted array, searched from end to end. Used
 * in user space and in the kernel, so it allocates nothing: the array is the caller's.
 */
#ifndef _SELFTESTS_FIB_NAIVE_H
#define _SELFTESTS_FIB_NAIVE_H

struct naive_entry {
	struct l3vpn_key key;
	unsigned int plen;
	u32 label;
};

struct naive {
	struct naive_entry *entry;
	unsigned int count;
};

static inline struct l3vpn_key naive_mask(struct l3vpn_key key, unsigned int plen)
{
	unsigned int bit;

	for (bit = plen; bit < 128; bit++) {
		if (bit < 64)
			key.hi &= ~(1ULL << (63 - bit));
		else
			key.lo &= ~(1ULL << (127 - bit));
	}
	return key;
}

static inline bool naive_equal(struct l3vpn_key a, struct l3vpn_key b)
{
	return a.hi == b.hi && a.lo == b.lo;
}

static inline struct naive_entry *naive_find(const struct naive *naive, struct l3vpn_key key,
					     unsigned int plen)
{
	unsigned int i;

	key = naive_mask(key, plen);
	for (i = 0; i < naive->count; i++)
		if (naive->entry[i].plen == plen && naive_equal(naive->entry[i].key, key))
			return &naive->entry[i];
	return NULL;
}

static inline const struct naive_entry *naive_lookup(const struct naive *naive,
						     struct l3vpn_key key)
{
	const struct naive_entry *best = NULL;
	unsigned int i;

	for (i = 0; i < naive->count; i++) {
		const struct naive_entry *e = &naive->entry[i];

		if ((!best || e->plen > best->plen) && naive_equal(naive_mask(key, e->plen), e->key))
			best = e;
	}
	return best;
}

/* The caller has room for one more. Returns 1 when it replaced, 0 when it is new. */
static inline int naive_insert(struct naive *naive, struct l3vpn_key key, unsigned int plen,
			       u32 label)
{
	struct naive_entry *e = naive_find(naive, key, plen);
	int replaced = e != NULL;

	if (!e)
		e = &naive->entry[naive->count++];
	e->key = naive_mask(key, plen);
	e->plen = plen;
	e->label = label;
	return replaced;
}

static inline void naive_remove(struct naive *naive, struct naive_entry *e)
{
	*e = naive->entry[--naive->count];
}

/* The first entry in walking order behind (@key, @plen); of all, where @plen is negative. */
static inline const struct naive_entry *naive_next(const struct naive *naive, struct l3vpn_key key,
						   int plen)
{
	const struct naive_entry *next = NULL;
	unsigned int i;

	for (i = 0; i < naive->count; i++) {
		const struct naive_entry *e = &naive->entry[i];
		bool behind = plen < 0 || e->key.hi > key.hi ||
			      (e->key.hi == key.hi && e->key.lo > key.lo) ||
			      (naive_equal(e->key, key) && (int)e->plen > plen);

		if (!behind)
			continue;
		if (!next || e->key.hi < next->key.hi ||
		    (e->key.hi == next->key.hi && e->key.lo < next->key.lo) ||
		    (naive_equal(e->key, next->key) && e->plen < next->plen))
			next = e;
	}
	return next;
}

#endif /* _SELFTESTS_FIB_NAIVE_H */
