// SPDX-License-Identifier: GPL-2.0
/* Policies that choose among the label-switched paths to a remote PE (transport.h). */
#include "rib/transport.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "rib/private.h"

struct held {
	struct transport_policy policy;
	bool deleted;
};

struct transports {
	unsigned int n;
	struct held *held;		/* by id - 1 */
};

static const struct transport_order default_order = {
	.n = 3, .kinds = { RIB_PROTO_STATIC, RIB_PROTO_LDP, RIB_PROTO_BGP },
};

/* ---- policies ---- */

static struct held *held_find(const struct nht *nht, const char *name)
{
	struct transports *t = nht->transports;
	unsigned int i;

	for (i = 0; i < t->n; i++)
		if (!strcmp(t->held[i].policy.name, name))
			return &t->held[i];
	return NULL;
}

uint16_t transport_policy_set(struct nht *nht, const struct transport_policy *policy)
{
	struct held *h = held_find(nht, policy->name);
	struct transports *t = nht->transports;

	if (h) {
		free(h->policy.peers);
	} else {
		t->held = xrealloc(t->held, (t->n + 1) * sizeof(*t->held));
		h = &t->held[t->n++];
	}
	h->deleted = false;
	h->policy = *policy;
	h->policy.peers = xmemdup(policy->peers, policy->n_peers * sizeof(*policy->peers));
	nht_policy_mark(nht, h - t->held + 1);
	return h - t->held + 1;
}

void transport_policy_del(struct nht *nht, const char *name)
{
	struct held *h = held_find(nht, name);

	if (h)
		h->deleted = true;
}

uint16_t transport_policy_id(const struct nht *nht, const char *name)
{
	struct held *h = name ? held_find(nht, name) : NULL;

	return h && !h->deleted ? h - nht->transports->held + 1 : TRANSPORT_DEFAULT;
}

const struct transport_policy *transport_policy_by_id(const struct nht *nht, uint16_t id)
{
	return id && id <= nht->transports->n ? &nht->transports->held[id - 1].policy : NULL;
}

unsigned int transport_policies(const struct nht *nht)
{
	return nht->transports->n;
}

static const struct transport_order *order_for(const struct transport_policy *p,
					       const struct ip_addr *pe)
{
	unsigned int i;

	if (!p)
		return &default_order;
	for (i = 0; i < p->n_peers; i++)
		if (addr_eq(&p->peers[i].addr, pe))
			return &p->peers[i].order;
	return &p->order;
}

/* ---- the choice ---- */

static void take(struct transport_choice *c, const struct lsp *lsp, bool backup)
{
	if (c->n == ARRAY_SIZE(c->path))
		return;
	c->path[c->n].lsp = lsp;
	c->path[c->n++].backup = backup;
}

/* The usable paths of one kind, or none. */
static bool take_kind(struct transport_choice *c, const struct list *paths, uint8_t kind,
		      unsigned int max, bool backup)
{
	unsigned int before = c->n, carrying = 0;
	const struct lsp *lsp;

	list_for_each(lsp, paths, struct lsp, node) {
		if (lsp->path.owner != kind)
			continue;
		if (c->reason != NH_OK)
			c->reason = NH_LSP_DOWN;
		if (!lsp->usable || (!lsp->path.backup && carrying == max))
			continue;
		carrying += !lsp->path.backup;
		take(c, lsp, backup || lsp->path.backup);
	}
	if (c->n > before)
		c->reason = NH_OK;
	return c->n > before;
}

void transport_choose(const struct nht *nht, const struct ip_addr *pe, uint16_t policy,
		      struct transport_choice *choice)
{
	const struct transport_policy *p = transport_policy_by_id(nht, policy);
	const struct transport_order *order = order_for(p, pe);
	unsigned int i, max = p ? p->max_paths : FIB_MEMBERS_MAX, kinds = 0;
	struct prefix fec = prefix_host(pe);
	const struct list *paths = lsp_paths(nht, &fec);

	choice->n = 0;
	choice->reason = paths ? NH_TRANSPORT_POLICY : NH_NO_LSP;
	for (i = 0; paths && i < order->n && kinds < 2; i++)
		kinds += take_kind(choice, paths, order->kinds[i], max, kinds);
}

/* ---- life ---- */

struct transports *transports_new(void)
{
	return xcalloc(1, sizeof(struct transports));
}

void transports_free(struct transports *t)
{
	unsigned int i;

	for (i = 0; i < t->n; i++)
		free(t->held[i].policy.peers);
	free(t->held);
	free(t);
}
