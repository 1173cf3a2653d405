// SPDX-License-Identifier: GPL-2.0
/* Label-switched paths by FEC, and whether each has a way out (lsp.h). */
#include "rib/lsp.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "rib/private.h"

struct fec {
	struct list paths;		/* struct lsp */
};

struct lsp_table {
	struct nht *nht;
	struct trie fecs[AFI_MAX];	/* payload: struct fec */
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
	return nht_connected(nht, VRF_ID_GLOBAL, &p->gateway, ifindex, &net) ||
	       nht_main_lookup(nht, &p->gateway, gateway, ifindex, &metric);
}

/* true when something about its way changed */
static bool resolve(const struct nht *nht, struct lsp *lsp)
{
	const struct nht_link *l = NULL;
	struct ip_addr gateway = { 0 };
	bool usable = false, changed;
	int ifindex = 0;

	if (find_link(nht, &lsp->path, &ifindex, &gateway)) {
		l = nht_link_by_index(nht, ifindex);
		usable = l && l->up && nht_link_vrf(nht, ifindex) == VRF_ID_GLOBAL;
	}
	if (!usable) {
		ifindex = 0;
		memset(&gateway, 0, sizeof(gateway));
	}
	changed = usable != lsp->usable || ifindex != lsp->ifindex ||
		  !addr_eq(&gateway, &lsp->gateway);
	lsp->usable = usable;
	lsp->ifindex = ifindex;
	lsp->gateway = gateway;
	return changed;
}

static void fec_changed(struct nht *nht, const struct prefix *fec)
{
	if (fec->len == addr_bits(fec->addr.family))
		nht_pe_mark(nht, &fec->addr);
}

static void path_copy(struct lsp_path *to, const struct lsp_path *from)
{
	*to = *from;
	if (to->n_labels == 1 && to->labels[0] == LABEL_IMPLICIT_NULL)
		to->n_labels = 0;
	if (!to->weight)
		to->weight = 1;
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
		list_insert(&at->node, before->prev, before);
	}
	path_copy(&at->path, path);
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
		list_del(&lsp->node);
		free(lsp);
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
	return t;
}

static void fec_release(void *payload, void *arg)
{
	struct fec *f = payload;
	struct lsp *lsp;

	while (!list_empty(&f->paths)) {
		lsp = list_first(&f->paths, struct lsp, node);
		list_del(&lsp->node);
		free(lsp);
	}
}

void lsp_table_free(struct lsp_table *t)
{
	trie_fini(&t->fecs[AFI4], fec_release, NULL);
	trie_fini(&t->fecs[AFI6], fec_release, NULL);
	free(t);
}
