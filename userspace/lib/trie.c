// SPDX-License-Identifier: GPL-2.0
/*
 * Path-compressed binary trie (trie.h).
 *
 * A node stands for a prefix. Nodes with a payload are the prefixes of the map; the others join
 * two branches and always have both children. A child's prefix lies within its parent's, in the
 * half that its first further bit says. The payload lies in front of its node in one allocation.
 */
#include "lib/trie.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

struct trie_node {
	struct trie_node *child[2];
	struct trie_node *parent;
	uint8_t len;
	bool data;		/* is in the map */
	bool room;		/* was allocated with a payload in front */
	uint8_t spare;
	uint8_t key[];		/* 4 or 16 octets */
};

static void *payload_of(const struct trie *t, const struct trie_node *n)
{
	return n ? (char *)n - t->payload : NULL;
}

static struct trie_node *node_of(const struct trie *t, const void *payload)
{
	return (struct trie_node *)((char *)payload + t->payload);
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

static struct trie_node *node_new(const struct trie *t, const uint8_t *key, unsigned int len,
				  bool room)
{
	unsigned int octets = addr_octets(t->family), i = len / 8;
	size_t front = room ? t->payload : 0;
	char *mem = xcalloc(1, front + offsetof(struct trie_node, key) + octets);
	struct trie_node *n = (struct trie_node *)(mem + front);

	memcpy(n->key, key, octets);
	if (i < octets) {
		n->key[i] &= (uint8_t)(0xff00 >> (len & 7));
		memset(n->key + i + 1, 0, octets - i - 1);
	}
	n->len = len;
	n->room = room;
	return n;
}

static void node_free(const struct trie *t, struct trie_node *n)
{
	free((char *)n - (n->room ? t->payload : 0));
}

void trie_init(struct trie *t, uint8_t family, size_t payload)
{
	memset(t, 0, sizeof(*t));
	t->family = family;
	t->payload = (payload + 7) & ~(size_t)7;
}

void trie_fini(struct trie *t, void (*release)(void *payload, void *arg), void *arg)
{
	struct trie_node *n = t->root, *up;

	while (n) {
		if (n->child[0]) {
			n = n->child[0];
		} else if (n->child[1]) {
			n = n->child[1];
		} else {
			up = n->parent;
			if (up)
				up->child[up->child[1] == n] = NULL;
			if (n->data && release)
				release(payload_of(t, n), arg);
			node_free(t, n);
			n = up;
		}
	}
	t->root = NULL;
	t->count = 0;
}

static struct trie_node *find(const struct trie *t, const struct prefix *p)
{
	struct trie_node *n = t->root;

	if (p->addr.family != t->family)
		return NULL;
	while (n && covers(n, p->addr.b, p->len)) {
		if (n->len == p->len)
			return n;
		n = n->child[bit_at(p->addr.b, n->len)];
	}
	return NULL;
}

void *trie_get(const struct trie *t, const struct prefix *p)
{
	struct trie_node *n = find(t, p);

	return n && n->data ? payload_of(t, n) : NULL;
}

/* puts @n where *slot points; what was there is returned */
static struct trie_node *place(struct trie *t, struct trie_node *parent, struct trie_node **slot,
			       struct trie_node *n)
{
	struct trie_node *was = *slot;

	*slot = n;
	n->parent = parent;
	return was;
}

static void adopt(struct trie_node *parent, struct trie_node *child)
{
	if (!child)
		return;
	parent->child[bit_at(child->key, parent->len)] = child;
	child->parent = parent;
}

/* a joining node becomes a prefix of the map */
static struct trie_node *promote(struct trie *t, struct trie_node *n, struct trie_node **slot)
{
	struct trie_node *full;

	if (n->room) {
		memset(payload_of(t, n), 0, t->payload);
		return n;
	}
	full = node_new(t, n->key, n->len, true);
	place(t, n->parent, slot, full);
	adopt(full, n->child[0]);
	adopt(full, n->child[1]);
	node_free(t, n);
	return full;
}

void *trie_insert(struct trie *t, const struct prefix *p, bool *created)
{
	struct trie_node **slot = &t->root, *parent = NULL, *n, *fresh, *join;
	unsigned int common = 0;

	*created = false;
	if (p->addr.family != t->family || p->len > addr_bits(t->family))
		return NULL;
	while ((n = *slot)) {
		common = common_bits(n->key, p->addr.b, n->len < p->len ? n->len : p->len);
		if (common < n->len)
			break;
		if (n->len == p->len) {
			if (n->data)
				return payload_of(t, n);
			fresh = promote(t, n, slot);
			goto done;
		}
		parent = n;
		slot = &n->child[bit_at(p->addr.b, n->len)];
	}
	fresh = node_new(t, p->addr.b, p->len, true);
	if (!n) {
		place(t, parent, slot, fresh);
	} else if (common == p->len) {
		place(t, parent, slot, fresh);
		adopt(fresh, n);
	} else {
		join = node_new(t, p->addr.b, common, false);
		place(t, parent, slot, join);
		adopt(join, n);
		adopt(join, fresh);
	}
done:
	fresh->data = true;
	t->count++;
	*created = true;
	return payload_of(t, fresh);
}

/* takes a node with at most one child out */
static void splice_out(struct trie *t, struct trie_node *n)
{
	struct trie_node *child = n->child[0] ? n->child[0] : n->child[1], *up = n->parent;

	if (child)
		child->parent = up;
	if (up)
		up->child[up->child[1] == n] = child;
	else
		t->root = child;
	node_free(t, n);
}

void trie_remove(struct trie *t, void *payload)
{
	struct trie_node *n = node_of(t, payload), *up = n->parent;

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
	struct trie_node *n = t->root, *best = NULL;

	if (a->family != t->family)
		return NULL;
	while (n && covers(n, a->b, addr_bits(t->family))) {
		if (n->data)
			best = n;
		if (n->len == addr_bits(t->family))
			break;
		n = n->child[bit_at(a->b, n->len)];
	}
	return payload_of(t, best);
}

void *trie_parent(const struct trie *t, const void *payload)
{
	struct trie_node *n = node_of(t, payload)->parent;

	while (n && !n->data)
		n = n->parent;
	return payload_of(t, n);
}

struct prefix trie_prefix(const struct trie *t, const void *payload)
{
	const struct trie_node *n = node_of(t, payload);
	struct prefix p = { .addr = addr_make(t->family, n->key), .len = n->len };

	return p;
}

/* next node behind the whole subtree of n, in order */
static struct trie_node *behind(struct trie_node *n)
{
	struct trie_node *up;

	for (; (up = n->parent); n = up)
		if (up->child[0] == n && up->child[1])
			return up->child[1];
	return NULL;
}

static struct trie_node *preorder(struct trie_node *n)
{
	if (n->child[0])
		return n->child[0];
	return n->child[1] ? n->child[1] : behind(n);
}

static struct trie_node *first_data(struct trie_node *n)
{
	while (n && !n->data)
		n = preorder(n);
	return n;
}

void *trie_next(const struct trie *t, const void *payload)
{
	struct trie_node *n = payload ? preorder(node_of(t, payload)) : t->root;

	return payload_of(t, first_data(n));
}

void *trie_after(const struct trie *t, const struct prefix *p)
{
	struct trie_node *n = t->root, *next;
	unsigned int common;

	if (p->addr.family != t->family)
		return NULL;
	while (n) {
		common = common_bits(n->key, p->addr.b, n->len < p->len ? n->len : p->len);
		if (common < n->len) {
			/* p covers n, or they part at bit common: n lies behind p or in front of it */
			if (common == p->len || !bit_at(p->addr.b, common))
				return payload_of(t, first_data(n));
			return payload_of(t, first_data(behind(n)));
		}
		if (n->len == p->len)
			return payload_of(t, first_data(preorder(n)));
		next = n->child[bit_at(p->addr.b, n->len)];
		if (!next) {
			if (!bit_at(p->addr.b, n->len) && n->child[1])
				return payload_of(t, first_data(n->child[1]));
			return payload_of(t, first_data(behind(n)));
		}
		n = next;
	}
	return NULL;
}

void *trie_first_within(const struct trie *t, const struct prefix *p)
{
	struct trie_node *n = t->root;

	if (p->addr.family != t->family)
		return NULL;
	while (n && n->len < p->len) {
		if (!covers(n, p->addr.b, p->len))
			return NULL;
		n = n->child[bit_at(p->addr.b, n->len)];
	}
	if (!n || common_bits(n->key, p->addr.b, p->len) < p->len)
		return NULL;
	return payload_of(t, first_data(n));
}

void *trie_next_within(const struct trie *t, const void *payload, const struct prefix *p)
{
	struct trie_node *n = first_data(preorder(node_of(t, payload)));

	if (!n || n->len < p->len || common_bits(n->key, p->addr.b, p->len) < p->len)
		return NULL;
	return payload_of(t, n);
}
