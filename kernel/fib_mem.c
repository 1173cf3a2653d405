// SPDX-License-Identifier: GPL-2.0
/*
 * fib: memory of nodes: caches of their own sizes, and what was unlinked, handed to RCU in batches.
 * See fib_node.h. All but the RCU callback belongs to writers.
 */
#include "fib_node.h"

#define RETIRED_MAX	60
#define TOP_ROOM	5

struct l3vpn_fib_retired {
	struct rcu_head rcu;
	unsigned int count;
	struct l3vpn_fib_node *node[RETIRED_MAX];
};

/* Entries (children and leaves) that a node of each size has room for. */
static const u8 size_entries[] = {
	1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 60, 76, 92, 124, 156,
	ENTRIES_MAX,
};

#define SIZES	(sizeof(size_entries) / sizeof(size_entries[0]))

static struct kmem_cache *size_cache[SIZES];
static u8 size_of[ENTRIES_MAX + 1];	/* by the number of entries */

static size_t size_octets(unsigned int size)
{
	return sizeof(struct l3vpn_fib_node) + size_entries[size] * sizeof(u64);
}

void l3vpn_fib_exit(void)
{
	unsigned int i;

	rcu_barrier();
	for (i = 0; i < SIZES; i++) {
		kmem_cache_destroy(size_cache[i]);
		size_cache[i] = NULL;
	}
}

int l3vpn_fib_init(void)
{
	static char name[SIZES][24];
	unsigned int i, n = 0;

	for (i = 0; i < SIZES; i++) {
		snprintf(name[i], sizeof(name[i]), "l3vpn_fib_%zu", size_octets(i));
		size_cache[i] = kmem_cache_create(name[i], size_octets(i), sizeof(u64), 0, NULL);
		if (!size_cache[i]) {
			l3vpn_fib_exit();
			return -ENOMEM;
		}
		while (n <= size_entries[i])
			size_of[n++] = i;
	}
	return 0;
}

/*
 * A table's node has room for a few entries from its start: most get them, and every size that nodes
 * of an IPv4 table grow out of leaves slabs behind that hold little.
 */
static unsigned int size_for(u64 path, unsigned int entries)
{
	return size_of[node_level(path) == TOP_LEVEL ? max_t(unsigned int, entries, TOP_ROOM) : entries];
}

static unsigned int node_size(const struct l3vpn_fib_node *node)
{
	return size_for(node->path, node_nkids(node) + node_nleaves(node));
}

void node_free(struct l3vpn_fib_node *node)
{
	kmem_cache_free(size_cache[node_size(node)], node);
}

struct l3vpn_fib_node *node_alloc(struct fresh *fresh, u64 path, unsigned int nkids,
				  unsigned int nleaves)
{
	unsigned int size = size_for(path, nkids + nleaves);
	struct l3vpn_fib_node *node = kmem_cache_alloc(size_cache[size], fresh->gfp);

	if (node) {
		node->path = path;
		/* so that it can be freed before it is filled in */
		node->kids = nkids ? ~0ULL >> (64 - nkids) : 0;
		node->longs = nleaves ? ~0ULL >> (nleaves < 64 ? 64 - nleaves : 0) : 0;
		node->shorts = nleaves > 64 ? ~0ULL >> (128 - nleaves) : 0;
		fresh->node[fresh->count++] = node;
		fresh->fib->bytes += size_octets(size);
	}
	return node;
}

void fresh_abort(struct fresh *fresh)
{
	while (fresh->count) {
		struct l3vpn_fib_node *node = fresh->node[--fresh->count];

		fresh->fib->bytes -= size_octets(node_size(node));
		node_free(node);
	}
}

static void retired_free(struct rcu_head *rcu)
{
	struct l3vpn_fib_retired *retired = container_of(rcu, struct l3vpn_fib_retired, rcu);

	while (retired->count)
		node_free(retired->node[--retired->count]);
	kfree(retired);
}

void retire_flush(struct l3vpn_fib *fib)
{
	struct l3vpn_fib_retired *retired = fib->retired;

	fib->retired = NULL;
	if (retired)
		call_rcu(&retired->rcu, retired_free);
}

void retire_node(struct l3vpn_fib *fib, struct l3vpn_fib_node *node)
{
	struct l3vpn_fib_retired *retired = fib->retired;

	fib->bytes -= size_octets(node_size(node));
	if (!retired) {
		retired = kmalloc(sizeof(*retired), GFP_KERNEL | __GFP_NOWARN);
		if (!retired) {
			synchronize_rcu();
			node_free(node);
			return;
		}
		retired->count = 0;
		fib->retired = retired;
	}
	retired->node[retired->count++] = node;
	if (retired->count == RETIRED_MAX)
		retire_flush(fib);
}

void retire_tree(struct l3vpn_fib *fib, struct l3vpn_fib_node *node)
{
	unsigned int i, nkids = node_nkids(node);

	for (i = 0; i < nkids; i++)	/* at most LEVELS deep */
		retire_tree(fib, rcu_dereference_protected(node->kid[i], true));
	retire_node(fib, node);
}

void free_tree(struct l3vpn_fib_node *node)
{
	unsigned int i, nkids = node_nkids(node);

	for (i = 0; i < nkids; i++)	/* at most LEVELS deep */
		free_tree(rcu_dereference_protected(node->kid[i], true));
	node_free(node);
}
