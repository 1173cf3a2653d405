// SPDX-License-Identifier: GPL-2.0
/*
 * fib: all leaves in order, from anywhere on; and the end of an index. See fib.h.
 */
#include "fib_node.h"

/* @key with the @n low bits of @value at bit @off on; those behind bit 127 are zero. */
static struct l3vpn_key key_with(struct l3vpn_key key, unsigned int off, unsigned int n, u64 value)
{
	unsigned int end = off + n;

	if (!n)
		return key;
	if (end <= 64) {
		key.hi |= value << (64 - end);
	} else if (end > 128) {
		key.lo |= value >> (end - 128);
	} else {
		if (off < 64)
			key.hi |= value >> (end - 64);
		key.lo |= value << (128 - end);
	}
	return key;
}

typedef int walk_fn(struct l3vpn_key key, u8 plen, struct l3vpn_leaf leaf, void *arg);

struct walk {
	struct l3vpn_fib_cursor *cursor;
	walk_fn *fn;
	void *arg;
};

static int walk_leaf(const struct walk *walk, struct l3vpn_key key, u8 plen,
		     struct l3vpn_leaf leaf)
{
	int ret;

	if (l3vpn_leaf_none(leaf))
		return 0;
	ret = walk->fn(key, plen, leaf, walk->arg);
	if (!ret) {
		walk->cursor->key = key;
		walk->cursor->plen = plen;
		walk->cursor->started = true;
	}
	return ret;
}

/* One node of the way down: the next thing to look at is (@chunk, @rel), rel 7 being the child. */
struct step {
	const struct l3vpn_fib_node *node;
	struct l3vpn_key key;
	u8 chunk;
	u8 rel;
};

static void step_init(struct step *step, const struct l3vpn_fib_node *node, struct l3vpn_key above)
{
	unsigned int level = node_level(node->path), skip = node_skip(node->path);

	step->node = node;
	step->key = key_with(above, (level - skip) * STRIDE, skip * STRIDE, node_bits(node->path));
	step->chunk = 0;
	step->rel = 1;
}

/*
 * Set @step of the node it stands on to the first thing behind @cursor. Returns true when that
 * is a child which the cursor's prefix lies below: seek there too.
 */
static bool step_seek(struct step *step, const struct l3vpn_fib_cursor *cursor)
{
	unsigned int off = node_level(step->node->path) * STRIDE;
	struct l3vpn_key to = key_mask(cursor->key, off);

	if (step->key.hi != to.hi || step->key.lo != to.lo) {
		if (step->key.hi < to.hi || (step->key.hi == to.hi && step->key.lo < to.lo))
			step->chunk = BIT(STRIDE);	/* wholly before the cursor */
		return false;
	}
	if (cursor->plen <= off)
		return false;
	step->chunk = key_chunk(cursor->key, off / STRIDE, true);
	step->rel = min_t(unsigned int, cursor->plen - off, STRIDE) + 1;
	return cursor->plen > off + STRIDE;
}

/* The leaf at (@step->chunk, @step->rel), if a prefix starts there and is present. */
static struct l3vpn_leaf step_leaf(const struct step *step)
{
	unsigned int pos;

	if (step->chunk & (BIT(STRIDE - step->rel) - 1))
		return (struct l3vpn_leaf){};
	pos = leaf_pos(step->chunk, step->rel);
	if (!leaf_present(step->node, pos))
		return (struct l3vpn_leaf){};
	return leaf_read(&node_leaves(step->node)[leaf_index(step->node, pos)]);
}

static const struct l3vpn_fib_node *step_kid(const struct step *step)
{
	if (!(step->node->kids >> step->chunk & 1))
		return NULL;
	return rcu_dereference_raw(step->node->kid[kid_index(step->node, step->chunk)]);
}

/* A trie under @above, behind @from where that is not NULL. */
static int walk_trie(const struct walk *walk, const struct l3vpn_fib_node *node,
		     struct l3vpn_key above, const struct l3vpn_fib_cursor *from)
{
	struct step steps[LEVELS], *step = steps;
	bool seek = from;
	int ret;

	if (!node)
		return 0;
	step_init(step, node, above);
	if (seek)
		seek = step_seek(step, from);
	for (;;) {
		unsigned int off = node_level(step->node->path) * STRIDE;
		struct l3vpn_key key;

		if (step->chunk >= BIT(STRIDE)) {
			if (step == steps)
				return 0;
			step--;
			continue;
		}
		key = key_with(step->key, off, STRIDE, step->chunk);
		if (step->rel <= STRIDE) {
			u8 plen = off + step->rel;

			ret = walk_leaf(walk, key, plen, step_leaf(step));
			step->rel++;
			if (ret)
				return ret;
			continue;
		}
		node = step_kid(step);
		step->chunk++;
		step->rel = 1;
		if (node) {
			step_init(++step, node, key);
			if (seek)
				seek = step_seek(step, from);
		} else {
			seek = false;
		}
	}
}

/* One slot of the table: the short prefixes that start here, then what is longer. */
static int walk_slot(const struct walk *walk, const struct l3vpn_fib_top *top, unsigned int slot,
		     const struct l3vpn_fib_cursor *from)
{
	struct l3vpn_fib_node *shorts = rcu_dereference_raw(top->shorts);
	struct l3vpn_key key = slot_key(slot);
	unsigned int plen = 1;
	int ret;

	if (slot)
		plen = TOP_BITS - (ffs(slot) - 1);
	if (from && plen <= from->plen)
		plen = from->plen + 1;
	/* Nothing short covers this slot, so nothing short starts here. */
	if (l3vpn_leaf_none(leaf_read(&top->slot[slot].leaf)))
		plen = TOP_BITS + 1;
	for (; plen <= TOP_BITS; plen++) {
		ret = walk_leaf(walk, key, plen, trie_find(shorts, key, plen));
		if (ret)
			return ret;
	}
	return walk_trie(walk, rcu_dereference_raw(top->slot[slot].node), key,
			 from && from->plen > TOP_BITS ? from : NULL);
}

int l3vpn_fib_walk(const struct l3vpn_fib *fib, struct l3vpn_fib_cursor *cursor, walk_fn *fn,
		   void *arg)
{
	struct walk walk = { .cursor = cursor, .fn = fn, .arg = arg };
	void *root = rcu_dereference_raw(fib->root);
	struct l3vpn_fib_cursor at = *cursor;
	const struct l3vpn_fib_cursor *from = at.started && at.plen ? &at : NULL;
	struct l3vpn_fib_top *top = root_top(root);
	unsigned int slot;
	int ret;

	if (!at.started) {
		ret = walk_leaf(&walk, (struct l3vpn_key){}, 0, leaf_read(&fib->dflt));
		if (ret)
			return ret;
	}
	if (!top)
		return walk_trie(&walk, root, (struct l3vpn_key){}, from);
	for (slot = from ? key_slot(at.key) : 0; slot < TOP_SLOTS; slot++) {
		ret = walk_slot(&walk, top, slot, from);
		if (ret)
			return ret;
		from = NULL;
	}
	return 0;
}

struct release {
	void (*release)(struct l3vpn_leaf leaf, void *arg);
	void *arg;
};

static int release_leaf(struct l3vpn_key key, u8 plen, struct l3vpn_leaf leaf, void *arg)
{
	struct release *release = arg;

	release->release(leaf, release->arg);
	return 0;
}

void l3vpn_fib_destroy(struct l3vpn_fib *fib,
		       void (*release)(struct l3vpn_leaf leaf, void *arg), void *arg)
{
	void *root = rcu_dereference_protected(fib->root, true);
	struct release how = { .release = release, .arg = arg };
	struct l3vpn_fib_cursor cursor = {};
	struct l3vpn_fib_top *top = root_top(root);

	if (release)
		l3vpn_fib_walk(fib, &cursor, release_leaf, &how);
	RCU_INIT_POINTER(fib->root, NULL);
	if (top)
		top_free(top);
	else if (root)
		free_tree(root);
	fib->dflt.word = 0;
	retire_flush(fib);
	fib->leaves = 0;
	fib->starved = 0;
	fib->bytes = 0;
}
