// SPDX-License-Identifier: GPL-2.0
/*
 * fib: the table in place of a large index's three upper levels. See fib_node.h.
 *
 * An index takes the other form by being built anew beside itself, from its own leaves, and then
 * published at once; readers go on in the old one, which RCU frees. That costs what inserting those
 * leaves costs, once in as many insertions or removals.
 */
#include "fib_node.h"

void slot_hide(struct l3vpn_fib_slot *slot)
{
	if (!slot)
		return;
	WRITE_ONCE(slot->shorts, 0);
	smp_wmb();	/* pairs with slot_tells(): before another node */
}

void slot_show(struct l3vpn_fib_slot *slot)
{
	const struct l3vpn_fib_node *node = slot ? rcu_dereference_protected(slot->node, true) : NULL;

	if (!node || node->kids || node_level(node->path) != TOP_LEVEL)
		return;
	smp_wmb();	/* with slot_tells(): a reader who has the node before sees that it has gone */
	WRITE_ONCE(slot->longs, node->longs);
	smp_store_release(&slot->shorts, node->shorts | SLOT_TELLS);	/* after ->longs */
}

void top_push(struct l3vpn_fib_top *top, struct l3vpn_key key, u8 plen)
{
	struct l3vpn_fib_node *shorts = rcu_dereference_protected(top->shorts, true);
	unsigned int slot = key_slot(key), end = slot + (1U << (TOP_BITS - plen));

	for (; slot < end; slot++)
		WRITE_ONCE(top->slot[slot].leaf.word, trie_match(shorts, slot_key(slot)).word);
}

void top_free(struct l3vpn_fib_top *top)
{
	struct l3vpn_fib_node *node;
	unsigned int i;

	for (i = 0; i < TOP_SLOTS; i++) {
		node = rcu_dereference_protected(top->slot[i].node, true);
		if (node)
			free_tree(node);
	}
	node = rcu_dereference_protected(top->shorts, true);
	if (node)
		free_tree(node);
	kvfree(top);
}

static void top_free_rcu(struct rcu_head *rcu)
{
	kvfree(container_of(rcu, struct l3vpn_fib_top, rcu));
}

/* Nobody can reach @top any more but readers that are in it. */
static void top_retire(struct l3vpn_fib *fib, struct l3vpn_fib_top *top)
{
	struct l3vpn_fib_node *node;
	unsigned int i;

	for (i = 0; i < TOP_SLOTS; i++) {
		node = rcu_dereference_protected(top->slot[i].node, true);
		if (node)
			retire_tree(fib, node);
	}
	node = rcu_dereference_protected(top->shorts, true);
	if (node)
		retire_tree(fib, node);
	fib->bytes -= sizeof(*top);
	call_rcu(&top->rcu, top_free_rcu);
}

/*
 * In order, and the tables' slots of short prefixes last: each is then written once. A leaf of the
 * default is not in here.
 */
static int copy_leaf(struct l3vpn_key key, u8 plen, struct l3vpn_leaf leaf, void *arg)
{
	struct l3vpn_fib *to = arg;
	int ret = plen ? l3vpn_fib_insert(to, key, plen, leaf, 0, NULL) : 0;

	if (to->leaves % 1024 == 0)
		cond_resched();
	return ret;
}

static int rebuild(struct l3vpn_fib *fib, bool table)
{
	void *root = rcu_dereference_protected(fib->root, true);
	struct l3vpn_fib_cursor cursor = {};
	struct l3vpn_fib copy = {};
	struct l3vpn_fib_top *top;
	u64 bytes;
	int err;

	if (table) {
		top = kvzalloc(sizeof(*top), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
		if (!top)
			return -ENOMEM;
		copy.bytes = sizeof(*top);
		RCU_INIT_POINTER(copy.root, (void *)((unsigned long)top | TOP_MARK));
	}
	err = l3vpn_fib_walk(fib, &cursor, copy_leaf, &copy);
	if (err) {
		l3vpn_fib_destroy(&copy, NULL, NULL);
		return err;
	}
	retire_flush(&copy);
	bytes = copy.bytes;
	rcu_assign_pointer(fib->root, rcu_dereference_protected(copy.root, true));
	top = root_top(root);
	if (top)
		top_retire(fib, top);
	else if (root)
		retire_tree(fib, root);
	fib->bytes = bytes;
	return 0;
}

void top_suit(struct l3vpn_fib *fib)
{
	bool table = fib_top(fib), want = table;

	if (fib->leaves >= L3VPN_FIB_TOP_GROW)
		want = true;
	else if (fib->leaves < L3VPN_FIB_TOP_SHRINK)
		want = false;
	if (want == table) {
		fib->starved = 0;
		return;
	}
	/* When there was no memory, try again after the size has changed by a quarter. */
	if (fib->starved && fib->leaves < fib->starved + fib->starved / 4 &&
	    fib->leaves > fib->starved - fib->starved / 4)
		return;
	fib->starved = rebuild(fib, want) ? fib->leaves : 0;
}
