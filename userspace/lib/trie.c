// SPDX-License-Identifier: GPL-2.0
/*
 * Path-compressed binary trie (trie.h).
 *
 * A node stands for a prefix. Nodes with a payload are the prefixes of the map; the others join
 * two branches and always have both children. A child's prefix lies within its parent's, in the
 * half that its first further bit says. The payload lies in front of its node in one object.
 *
 * Nodes refer to each other by number: 0 is none, even ones are joins, odd ones have room for a payload.
 */
#include "lib/trie.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

struct trie_node {
	uint32_t child[2];
	uint32_t parent;
	uint8_t len;
	bool data;		/* is in the map */
	bool room;		/* has a payload in front */
	uint8_t spare;
	uint8_t key[];		/* 4 or 16 octets */
};

/* ---- numbers ---- */

static uint32_t place_ref(uint32_t i)
{
	return i << 1 | 1;
}

static uint32_t join_ref(uint32_t i)
{
	return (i + 1) << 1;
}

static struct trie_node *at(const struct trie *t, uint32_t ref)
{
	const struct trie_pool *pool = t->pool;

	if (ref & 1)
		return (struct trie_node *)((char *)slab_at(&pool->places, ref >> 1) + pool->payload);
	return ref ? slab_at(&pool->joins, (ref >> 1) - 1) : NULL;
}

static struct trie_node *child(const struct trie *t, const struct trie_node *n, unsigned int i)
{
	return at(t, n->child[i]);
}

static struct trie_node *up_of(const struct trie *t, const struct trie_node *n)
{
	return at(t, n->parent);
}

/* where the number of a node stands: in its parent, or in the trie */
static uint32_t *slot_of(struct trie *t, const struct trie_node *n)
{
	struct trie_node *up = up_of(t, n);

	return up ? &up->child[child(t, up, 1) == n] : &t->root;
}

static uint32_t ref_of(const struct trie *t, const struct trie_node *n)
{
	return *slot_of((struct trie *)t, n);
}

static void *payload_of(const struct trie *t, const struct trie_node *n)
{
	return n ? (char *)n - t->pool->payload : NULL;
}

static struct trie_node *node_of(const struct trie *t, const void *payload)
{
	return (struct trie_node *)((char *)payload + t->pool->payload);
}

uint32_t trie_id(const struct trie *t, const void *payload)
{
	return ref_of(t, node_of(t, payload)) >> 1;
}

void *trie_by_id(const struct trie_pool *pool, uint32_t id)
{
	return slab_at(&pool->places, id);
}

static unsigned int bit_at(const uint8_t *key, unsigned int i)
{
	return key[i / 8] >> (7 - (i & 7)) & 1;
}

/* leading bits that are equal, at most max */
static unsigned int common_bits(const uint8_t *a, const uint8_t *b, unsigned int max)
{
	unsigned int i = 0, n;
	uint8_t x;

	for (; i < max; i += 8) {
		x = a[i / 8] ^ b[i / 8];
		if (x) {
			n = i + __builtin_clz(x) - 24;
			return n < max ? n : max;
		}
	}
	return max;
}

static bool covers(const struct trie_node *n, const uint8_t *key, unsigned int len)
{
	unsigned int whole = n->len / 8, rest = n->len & 7;

	if (n->len > len || memcmp(n->key, key, whole))
		return false;
	return !rest || !((n->key[whole] ^ key[whole]) & (0xff00 >> rest) & 0xff);
}

static uint32_t node_new(const struct trie *t, const uint8_t *key, unsigned int len, bool room)
{
	unsigned int octets = addr_octets(t->pool->family), i = len / 8;
	uint32_t ref = room ? place_ref(slab_alloc(&t->pool->places)) : join_ref(slab_alloc(&t->pool->joins));
	struct trie_node *n = at(t, ref);

	memcpy(n->key, key, octets);
	if (i < octets) {
		n->key[i] &= (uint8_t)(0xff00 >> (len & 7));
		memset(n->key + i + 1, 0, octets - i - 1);
	}
	n->len = len;
	n->room = room;
	return ref;
}

static void node_free(const struct trie *t, uint32_t ref)
{
	if (ref & 1)
		slab_free(&t->pool->places, ref >> 1);
	else
		slab_free(&t->pool->joins, (ref >> 1) - 1);
}

/* ---- life ---- */

void trie_pool_init(struct trie_pool *pool, uint8_t family, size_t payload, unsigned int align)
{
	size_t node = offsetof(struct trie_node, key) + addr_octets(family);

	pool->family = family;
	pool->payload = (payload + align - 1) & ~(size_t)(align - 1);
	slab_init(&pool->places, pool->payload + node, align);
	slab_init(&pool->joins, node, 4);
}

void trie_pool_fini(struct trie_pool *pool)
{
	slab_fini(&pool->places);
	slab_fini(&pool->joins);
}

void trie_init_in(struct trie *t, struct trie_pool *pool)
{
	memset(t, 0, sizeof(*t));
	t->pool = pool;
}

void trie_init(struct trie *t, uint8_t family, size_t payload)
{
	trie_init_in(t, xmalloc(sizeof(*t->pool)));
	trie_pool_init(t->pool, family, payload, 8);
	t->own = true;
}

void trie_fini(struct trie *t, void (*release)(void *payload, void *arg), void *arg)
{
	uint32_t ref = t->root, up;
	struct trie_node *n;

	while (ref) {
		n = at(t, ref);
		if (n->child[0] || n->child[1]) {
			ref = n->child[n->child[0] ? 0 : 1];
			continue;
		}
		up = n->parent;
		*slot_of(t, n) = 0;
		if (n->data && release)
			release(payload_of(t, n), arg);
		node_free(t, ref);
		ref = up;
	}
	t->root = 0;
	t->count = 0;
	if (t->own) {
		trie_pool_fini(t->pool);
		free(t->pool);
		t->pool = NULL;
		t->own = false;
	}
}

/* ---- the map ---- */

/* Down by the bits that tell branches apart; whether the others are equal is compared once, at the end. */
static struct trie_node *find(const struct trie *t, const struct prefix *p)
{
	struct trie_node *n = at(t, t->root);

	if (p->addr.family != t->pool->family)
		return NULL;
	while (n && n->len < p->len)
		n = child(t, n, bit_at(p->addr.b, n->len));
	return n && n->len == p->len && covers(n, p->addr.b, p->len) ? n : NULL;
}

void *trie_get(const struct trie *t, const struct prefix *p)
{
	struct trie_node *n = find(t, p);

	return n && n->data ? payload_of(t, n) : NULL;
}

/* @ref becomes a child of @parent, or the root, where *slot stands */
static void place(struct trie *t, uint32_t parent, uint32_t *slot, uint32_t ref)
{
	*slot = ref;
	at(t, ref)->parent = parent;
}

static void adopt(struct trie *t, uint32_t parent, uint32_t ref)
{
	struct trie_node *up = at(t, parent), *n = at(t, ref);

	if (!n)
		return;
	up->child[bit_at(n->key, up->len)] = ref;
	n->parent = parent;
}

/* a joining node becomes a prefix of the map; its number from then on */
static uint32_t promote(struct trie *t, uint32_t ref, uint32_t *slot)
{
	struct trie_node *n = at(t, ref);
	uint32_t full;

	if (n->room) {
		memset(payload_of(t, n), 0, t->pool->payload);
		return ref;
	}
	full = node_new(t, n->key, n->len, true);
	place(t, n->parent, slot, full);
	adopt(t, full, n->child[0]);
	adopt(t, full, n->child[1]);
	node_free(t, ref);
	return full;
}

/* Where a prefix has its place, or would have it. */
struct spot {
	uint32_t parent;	/* 0: it is the root's place */
	uint32_t *slot;
	uint32_t ref;		/* *slot: the prefix's node, or one that leaves its way; 0: nothing */
	unsigned int common;	/* leading bits that the node has in common with the prefix */
};

/*
 * Down by the bits that tell branches apart, to a node that tells how many of the others were right, and up again to
 * where the first of them was wrong: keys are compared once, and not at every node.
 */
static struct spot find_spot(struct trie *t, const struct prefix *p)
{
	struct spot s = { .slot = &t->root };
	struct trie_node *n = NULL;

	for (; *s.slot; s.slot = &n->child[bit_at(p->addr.b, n->len)]) {
		s.parent = s.ref;
		s.ref = *s.slot;
		n = at(t, s.ref);
		if (n->len >= p->len)
			break;
	}
	if (!n)
		return s;
	s.common = common_bits(n->key, p->addr.b, n->len < p->len ? n->len : p->len);
	if (s.common == n->len && n->len < p->len) {
		s.parent = s.ref;
		s.ref = 0;
		return s;
	}
	while (s.parent && at(t, s.parent)->len > s.common) {
		s.ref = s.parent;
		s.parent = at(t, s.ref)->parent;
	}
	n = at(t, s.parent);
	s.slot = n ? &n->child[bit_at(p->addr.b, n->len)] : &t->root;
	return s;
}

static uint32_t insert_at(struct trie *t, const struct prefix *p, const struct spot *s)
{
	uint32_t fresh = node_new(t, p->addr.b, p->len, true), join;

	if (s->ref && s->common < p->len) {
		join = node_new(t, p->addr.b, s->common, false);
		place(t, s->parent, s->slot, join);
		adopt(t, join, s->ref);
		adopt(t, join, fresh);
		return fresh;
	}
	place(t, s->parent, s->slot, fresh);
	adopt(t, fresh, s->ref);
	return fresh;
}

void *trie_insert(struct trie *t, const struct prefix *p, bool *created)
{
	struct trie_node *n;
	struct spot spot;

	*created = false;
	if (p->addr.family != t->pool->family || p->len > addr_bits(t->pool->family))
		return NULL;
	spot = find_spot(t, p);
	n = at(t, spot.ref);
	if (n && n->len == p->len && spot.common == p->len) {
		if (n->data)
			return payload_of(t, n);
		n = at(t, promote(t, spot.ref, spot.slot));
	} else {
		n = at(t, insert_at(t, p, &spot));
	}
	n->data = true;
	t->count++;
	*created = true;
	return payload_of(t, n);
}

/* takes a node with at most one child out */
static void splice_out(struct trie *t, struct trie_node *n)
{
	uint32_t *slot = slot_of(t, n), ref = *slot, below = n->child[0] ? n->child[0] : n->child[1];

	if (below)
		at(t, below)->parent = n->parent;
	*slot = below;
	node_free(t, ref);
}

void trie_remove(struct trie *t, void *payload)
{
	struct trie_node *n = node_of(t, payload), *up = up_of(t, n);

	n->data = false;
	t->count--;
	if (n->child[0] && n->child[1])
		return;
	splice_out(t, n);
	if (up && !up->data && !(up->child[0] && up->child[1]))
		splice_out(t, up);
}

void *trie_longest(const struct trie *t, const struct ip_addr *a)
{
	struct trie_node *n = at(t, t->root), *best = NULL;

	if (a->family != t->pool->family)
		return NULL;
	while (n && covers(n, a->b, addr_bits(t->pool->family))) {
		if (n->data)
			best = n;
		if (n->len == addr_bits(t->pool->family))
			break;
		n = child(t, n, bit_at(a->b, n->len));
	}
	return payload_of(t, best);
}

void *trie_parent(const struct trie *t, const void *payload)
{
	struct trie_node *n = up_of(t, node_of(t, payload));

	while (n && !n->data)
		n = up_of(t, n);
	return payload_of(t, n);
}

struct prefix trie_prefix(const struct trie *t, const void *payload)
{
	const struct trie_node *n = node_of(t, payload);
	struct prefix p = { .addr = addr_make(t->pool->family, n->key), .len = n->len };

	return p;
}

/* next node behind the whole subtree of n, in order */
static struct trie_node *behind(const struct trie *t, struct trie_node *n)
{
	struct trie_node *up;

	for (; (up = up_of(t, n)); n = up)
		if (up->child[1] && child(t, up, 1) != n)
			return child(t, up, 1);
	return NULL;
}

static struct trie_node *preorder(const struct trie *t, struct trie_node *n)
{
	if (n->child[0])
		return child(t, n, 0);
	return n->child[1] ? child(t, n, 1) : behind(t, n);
}

static struct trie_node *first_data(const struct trie *t, struct trie_node *n)
{
	while (n && !n->data)
		n = preorder(t, n);
	return n;
}

void *trie_next(const struct trie *t, const void *payload)
{
	struct trie_node *n = payload ? preorder(t, node_of(t, payload)) : at(t, t->root);

	return payload_of(t, first_data(t, n));
}

void *trie_after(const struct trie *t, const struct prefix *p)
{
	struct trie_node *n = at(t, t->root), *next;
	unsigned int common;

	if (p->addr.family != t->pool->family)
		return NULL;
	while (n) {
		common = common_bits(n->key, p->addr.b, n->len < p->len ? n->len : p->len);
		if (common < n->len) {
			/* p covers n, or they part at bit common: n lies behind p or in front of it */
			if (common == p->len || !bit_at(p->addr.b, common))
				return payload_of(t, first_data(t, n));
			return payload_of(t, first_data(t, behind(t, n)));
		}
		if (n->len == p->len)
			return payload_of(t, first_data(t, preorder(t, n)));
		next = child(t, n, bit_at(p->addr.b, n->len));
		if (!next) {
			if (!bit_at(p->addr.b, n->len) && n->child[1])
				return payload_of(t, first_data(t, child(t, n, 1)));
			return payload_of(t, first_data(t, behind(t, n)));
		}
		n = next;
	}
	return NULL;
}

void *trie_first_within(const struct trie *t, const struct prefix *p)
{
	struct trie_node *n = at(t, t->root);

	if (p->addr.family != t->pool->family)
		return NULL;
	while (n && n->len < p->len) {
		if (!covers(n, p->addr.b, p->len))
			return NULL;
		n = child(t, n, bit_at(p->addr.b, n->len));
	}
	if (!n || common_bits(n->key, p->addr.b, p->len) < p->len)
		return NULL;
	return payload_of(t, first_data(t, n));
}

void *trie_next_within(const struct trie *t, const void *payload, const struct prefix *p)
{
	struct trie_node *n = first_data(t, preorder(t, node_of(t, payload)));

	if (!n || n->len < p->len || common_bits(n->key, p->addr.b, p->len) < p->len)
		return NULL;
	return payload_of(t, n);
}
