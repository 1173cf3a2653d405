// SPDX-License-Identifier: GPL-2.0
/* Label-switched paths by FEC, and whether each has a way out (lsp.h). */
#include "rib/lsp.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "rib/private.h"
#include "rib/transport.h"

#define LOWER_MAX	4		/* paths below one another: more is a fault */

struct fec {
	struct list paths;		/* struct lsp */
};

/* the recursive paths that lead to one router */
struct router {
	struct hash_node node;
	struct ip_addr addr;
	struct list lsps;		/* struct lsp.via_node */
};

struct lsp_table {
	struct nht *nht;
	struct trie fecs[AFI_MAX];	/* payload: struct fec */
	struct hash routers;
	struct list dirty;		/* struct lsp.dirty */
};

static struct trie *fecs_of(const struct nht *nht, uint8_t family)
{
	return &nht->lsps->fecs[family_afi(family)];
}

static int lsp_order(const struct lsp_path *a, const struct lsp_path *b)
{
	return a->owner != b->owner ? (int)a->owner - (int)b->owner : strcmp(a->name, b->name);
}

/* a gateway that is not on a connected network is looked for in the main table */
static bool find_link(const struct nht *nht, const struct lsp_path *p, int *ifindex,
		      struct ip_addr *gateway)
{
	const struct nht_link *l;
	struct prefix net;
	uint32_t metric;

	*gateway = p->gateway;
	if (p->ifname[0]) {
		l = nht_link_by_name(nht, p->ifname);
		*ifindex = l ? l->ifindex : 0;
		return l;
	}
	if (nht_connected(nht, VRF_ID_GLOBAL, &p->gateway, ifindex, &net))
		return true;
	return !p->recursive && nht_main_lookup(nht, &p->gateway, gateway, ifindex, &metric);
}

/* ---- ways: down to the wire ---- */

/* The labels of what leads over it go below; false: they are too many. */
static bool way_under(struct lsp_way *way, const struct lsp *upper)
{
	uint32_t weight = (uint32_t)way->weight * upper->path.weight;

	if (way->n_labels + upper->path.n_labels > LSP_LABELS_MAX)
		return false;
	memcpy(way->labels + way->n_labels, upper->path.labels,
	       upper->path.n_labels * sizeof(upper->path.labels[0]));
	way->n_labels += upper->path.n_labels;
	way->weight = weight > UINT16_MAX ? UINT16_MAX : weight;
	way->backup |= upper->path.backup;
	return true;
}

static unsigned int way_direct(const struct lsp *lsp, struct lsp_way *way)
{
	memset(way, 0, sizeof(*way));
	way->ifindex = lsp->ifindex;
	way->gateway = lsp->path.encap ? lsp->path.gateway : lsp->gateway;
	way->encap = lsp->path.encap;
	way->local = lsp->path.local;
	way->dport = lsp->path.dport;
	way->checksum = lsp->path.checksum;
	way->weight = 1;
	way_under(way, lsp);
	return 1;
}

static bool in_chain(const struct lsp_chain *chain, const struct lsp *lsp)
{
	unsigned int depth;

	for (depth = 0; chain; chain = chain->up, depth++)
		if (chain->lsp == lsp || depth + 1 >= LOWER_MAX)
			return true;
	return false;
}

static unsigned int find_ways(const struct nht *nht, const struct lsp *lsp, const struct lsp_chain *chain,
			      struct lsp_way *ways, unsigned int max, enum nexthop_reason *reason)
{
	const struct lsp_chain here = { .up = chain, .lsp = lsp };
	struct transport_choice below;
	unsigned int i, k, found, n = 0;

	*reason = NH_OK;
	if (lsp->ifindex)
		return way_direct(lsp, ways);
	*reason = lsp->path.recursive ? NH_RECURSION : NH_LSP_DOWN;
	if (!lsp->path.recursive || in_chain(chain, lsp))
		return 0;
	transport_choose_below(nht, &lsp->path.gateway, &here, &below);
	*reason = below.reason == NH_OK ? NH_LABEL_STACK :
		  below.reason == NH_NO_LSP ? NH_LOWER_LSP : below.reason;
	for (i = 0; i < below.n && n < max; i++) {
		enum nexthop_reason ignored;

		found = n + find_ways(nht, below.path[i].lsp, &here, ways + n, max - n, &ignored);
		for (k = n; k < found; k++) {
			ways[n] = ways[k];
			ways[n].backup |= below.path[i].backup;
			n += way_under(&ways[n], lsp);
		}
	}
	if (n)
		*reason = NH_OK;
	return n;
}

unsigned int lsp_ways(const struct nht *nht, const struct lsp *lsp, struct lsp_way *ways, unsigned int max)
{
	enum nexthop_reason reason;

	return lsp->usable ? find_ways(nht, lsp, NULL, ways, max, &reason) : 0;
}

enum nexthop_reason lsp_reason(const struct nht *nht, const struct lsp *lsp, const struct lsp_chain *chain)
{
	enum nexthop_reason reason;
	struct lsp_way way;

	if (!chain || !lsp->path.recursive)
		return lsp->reason;
	find_ways(nht, lsp, chain, &way, 1, &reason);
	return reason;
}

/* ---- finding the way, and what depends on it ---- */

static bool match_router(const struct hash_node *n, const void *key)
{
	return addr_eq(&hash_entry(n, struct router, node)->addr, key);
}

static struct router *router_find(const struct nht *nht, const struct ip_addr *addr)
{
	struct hash_node *n = hash_find(&nht->lsps->routers, addr_hash(addr, 0), match_router, addr);

	return n ? hash_entry(n, struct router, node) : NULL;
}

static void via_leave(struct nht *nht, struct lsp *lsp)
{
	struct router *r = lsp->path.recursive ? router_find(nht, &lsp->path.gateway) : NULL;

	list_del(&lsp->via_node);
	if (!r || !list_empty(&r->lsps))
		return;
	hash_remove(&nht->lsps->routers, &r->node);
	free(r);
}

static void via_enter(struct nht *nht, struct lsp *lsp)
{
	struct router *r;

	if (!lsp->path.recursive)
		return;
	r = router_find(nht, &lsp->path.gateway);
	if (!r) {
		r = xcalloc(1, sizeof(*r));
		r->addr = lsp->path.gateway;
		list_init(&r->lsps);
		hash_insert(&nht->lsps->routers, &r->node, addr_hash(&r->addr, 0));
	}
	list_add_tail(&r->lsps, &lsp->via_node);
}

/* true when something about its way changed */
static bool resolve(struct nht *nht, struct lsp *lsp)
{
	struct nht_neighbor *neighbor = NULL;
	enum nexthop_reason reason = NH_LSP_DOWN;
	const struct nht_link *l = NULL;
	struct ip_addr gateway = { 0 };
	struct lsp_way way;
	int ifindex = 0;
	bool changed;

	if (find_link(nht, &lsp->path, &ifindex, &gateway)) {
		l = nht_link_by_index(nht, ifindex);
		if (l && l->up && nht_link_vrf(nht, ifindex) == VRF_ID_GLOBAL)
			reason = NH_OK;
	}
	if (reason == NH_OK)
		neighbor = nht_neighbor_hold(nht, ifindex, &gateway);
	nht_neighbor_put(nht, lsp->neighbor);
	lsp->neighbor = neighbor;
	if (nht_neighbor_down(neighbor))
		reason = NH_NEIGHBOR_DOWN;
	if (reason != NH_OK) {
		ifindex = 0;
		memset(&gateway, 0, sizeof(gateway));
	}
	changed = ifindex != lsp->ifindex || !addr_eq(&gateway, &lsp->gateway);
	lsp->ifindex = ifindex;
	lsp->gateway = gateway;
	if (lsp->path.recursive && !ifindex)
		find_ways(nht, lsp, NULL, &way, 1, &reason);
	changed |= reason != lsp->reason;
	lsp->reason = reason;
	lsp->usable = reason == NH_OK;
	return changed;
}

/* the paths that lead to @router are looked at before anything uses them again */
static void mark_upper(struct nht *nht, const struct ip_addr *router)
{
	struct router *r = router_find(nht, router);
	struct lsp *lsp;

	if (!r)
		return;
	list_for_each(lsp, &r->lsps, struct lsp, via_node)
		if (!list_linked(&lsp->dirty))
			list_add_tail(&nht->lsps->dirty, &lsp->dirty);
	job_schedule(&nht->job);
}

static void fec_changed(struct nht *nht, const struct prefix *fec)
{
	if (fec->len != addr_bits(fec->addr.family))
		return;
	nht_pe_mark(nht, &fec->addr);
	mark_upper(nht, &fec->addr);
}

/*
 * First everything that leads over what changed, and over that, is collected; what it then comes to depends on no
 * order. The next hops look again in any case: the ways may differ though the path is as usable as before.
 */
void lsp_resolve_dirty(struct nht *nht)
{
	struct list todo = LIST_INIT(todo);
	struct list *dirty = &nht->lsps->dirty;
	struct lsp *lsp;

	if (list_empty(dirty))
		return;
	list_for_each(lsp, dirty, struct lsp, dirty)
		if (lsp->fec.len == addr_bits(lsp->fec.addr.family))
			mark_upper(nht, &lsp->fec.addr);
	list_splice_tail(&todo, dirty);
	while (!list_empty(&todo)) {
		lsp = list_first(&todo, struct lsp, dirty);
		list_del(&lsp->dirty);
		resolve(nht, lsp);
		if (lsp->fec.len == addr_bits(lsp->fec.addr.family))
			nht_pe_mark(nht, &lsp->fec.addr);
	}
}

static void path_copy(struct lsp_path *to, const struct lsp_path *from)
{
	*to = *from;
	if (to->n_labels == 1 && to->labels[0] == LABEL_IMPLICIT_NULL)
		to->n_labels = 0;
	if (!to->weight)
		to->weight = 1;
}

static void lsp_free(struct nht *nht, struct lsp *lsp)
{
	list_del(&lsp->node);
	list_del(&lsp->dirty);
	via_leave(nht, lsp);
	nht_neighbor_put(nht, lsp->neighbor);
	free(lsp);
}

void lsp_announce(struct nht *nht, const struct prefix *fec, const struct lsp_path *path)
{
	struct trie *t = fecs_of(nht, fec->addr.family);
	struct lsp *lsp, *at = NULL;
	struct list *before;
	bool created;
	struct fec *f;
	int order = 1;

	f = trie_insert(t, fec, &created);
	if (created)
		list_init(&f->paths);
	before = &f->paths;
	list_for_each(lsp, &f->paths, struct lsp, node) {
		order = lsp_order(&lsp->path, path);
		if (order >= 0) {
			at = lsp;
			before = &lsp->node;
			break;
		}
	}
	if (!at || order) {
		at = xcalloc(1, sizeof(*at));
		at->fec = *fec;
		list_init(&at->via_node);
		list_init(&at->dirty);
		list_insert(&at->node, before->prev, before);
	}
	via_leave(nht, at);
	path_copy(&at->path, path);
	via_enter(nht, at);
	at->since_us = clock_us();
	resolve(nht, at);
	fec_changed(nht, fec);
}

void lsp_withdraw(struct nht *nht, const struct prefix *fec, uint8_t owner, const char *name)
{
	struct trie *t = fecs_of(nht, fec->addr.family);
	struct fec *f = trie_get(t, fec);
	struct lsp *lsp, *tmp;

	if (!f)
		return;
	list_for_each_safe(lsp, tmp, &f->paths, struct lsp, node) {
		if (lsp->path.owner != owner || strcmp(lsp->path.name, name))
			continue;
		lsp_free(nht, lsp);
		fec_changed(nht, fec);
	}
	if (list_empty(&f->paths))
		trie_remove(t, f);
}

const struct list *lsp_paths(const struct nht *nht, const struct prefix *fec)
{
	struct fec *f = trie_get(fecs_of(nht, fec->addr.family), fec);

	return f ? &f->paths : NULL;
}

bool lsp_next_fec(const struct nht *nht, uint8_t family, const struct prefix *after,
		  struct prefix *fec)
{
	struct trie *t = fecs_of(nht, family);
	struct fec *f = after ? trie_after(t, after) : trie_next(t, NULL);

	if (!f)
		return false;
	*fec = trie_prefix(t, f);
	return true;
}

void lsp_resolve_all(struct nht *nht)
{
	struct prefix fec;
	struct trie *t;
	struct lsp *lsp;
	struct fec *f;
	bool changed;
	int i;

	for (i = 0; i < AFI_MAX; i++) {
		t = &nht->lsps->fecs[i];
		for (f = trie_next(t, NULL); f; f = trie_next(t, f)) {
			changed = false;
			list_for_each(lsp, &f->paths, struct lsp, node)
				changed |= resolve(nht, lsp);
			fec = trie_prefix(t, f);
			if (changed)
				fec_changed(nht, &fec);
		}
	}
}

struct lsp_table *lsp_table_new(struct nht *nht)
{
	struct lsp_table *t = xcalloc(1, sizeof(*t));

	t->nht = nht;
	trie_init(&t->fecs[AFI4], AF_INET, sizeof(struct fec));
	trie_init(&t->fecs[AFI6], AF_INET6, sizeof(struct fec));
	list_init(&t->dirty);
	return t;
}

static void fec_release(void *payload, void *arg)
{
	struct fec *f = payload;
	struct lsp *lsp;

	while (!list_empty(&f->paths)) {
		lsp = list_first(&f->paths, struct lsp, node);
		lsp_free(arg, lsp);
	}
}

void lsp_table_free(struct lsp_table *t)
{
	trie_fini(&t->fecs[AFI4], fec_release, t->nht);
	trie_fini(&t->fecs[AFI6], fec_release, t->nht);
	hash_fini(&t->routers);
	free(t);
}
