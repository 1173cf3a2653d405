// SPDX-License-Identifier: GPL-2.0
/* Policies that choose among the paths to a remote PE (transport.h). */
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
	.n = 5,
	.kinds = { RIB_PROTO_STATIC, RIB_PROTO_LDP, RIB_PROTO_BGP, RIB_PROTO_UDP, RIB_PROTO_GRE },
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

const struct transport_order *transport_order_of(const struct nht *nht, const struct ip_addr *pe, uint16_t policy)
{
	return order_for(transport_policy_by_id(nht, policy), pe);
}

const char *transport_kind_str(uint8_t kind)
{
	static const char *const names[RIB_PROTO_MAX] = {
		[RIB_PROTO_STATIC] = "static", [RIB_PROTO_LDP] = "ldp", [RIB_PROTO_BGP] = "bgp",
		[RIB_PROTO_UDP] = "udp", [RIB_PROTO_GRE] = "gre",
	};

	return kind < RIB_PROTO_MAX && names[kind] ? names[kind] : "?";
}

/* ---- the choice ---- */

static void take(struct transport_choice *c, const struct lsp *lsp, bool backup)
{
	if (c->n == ARRAY_SIZE(c->path))
		return;
	c->path[c->n].lsp = lsp;
	c->path[c->n++].backup = backup;
}

/* Of what keeps paths from being used, the first found in the order of preference is told. */
static void refuse(struct transport_choice *c, enum nexthop_reason reason)
{
	if (c->reason == NH_NO_LSP || c->reason == NH_TRANSPORT_POLICY)
		c->reason = reason;
}

struct chooser {
	const struct nht *nht;
	const struct ip_addr *pe;
	const struct lsp_chain *chain;
	const struct list *paths;	/* NULL: no label-switched ones */
	unsigned int max;
	bool below;			/* something leads over the choice */
	struct transport_choice *c;
};

/* A path to a router over the router's other paths is none beside them, and nothing to lead over. */
static bool needless(const struct chooser *x, const struct lsp *lsp)
{
	return lsp->path.recursive && addr_eq(&lsp->path.gateway, x->pe) && (x->below || x->c->n);
}

/* The usable label-switched paths of one kind. */
static void take_lsps(const struct chooser *x, uint8_t kind, bool backup)
{
	unsigned int carrying = 0;
	enum nexthop_reason reason;
	const struct lsp *lsp;

	if (!x->paths)
		return;
	list_for_each(lsp, x->paths, struct lsp, node) {
		if (lsp->path.owner != kind)
			continue;
		reason = needless(x, lsp) ? NH_RECURSION : lsp_reason(x->nht, lsp, x->chain);
		if (reason != NH_OK)
			refuse(x->c, reason);
		if (reason != NH_OK || (!lsp->path.backup && carrying == x->max))
			continue;
		carrying += !lsp->path.backup;
		take(x->c, lsp, backup || lsp->path.backup);
	}
}

static void take_tunnel(const struct chooser *x, enum soft_encap encap, bool backup)
{
	enum nexthop_reason reason = soft_path(x->nht, encap, x->pe, &x->c->soft[encap]);

	if (reason == NH_OK)
		take(x->c, &x->c->soft[encap], backup);
	else if (reason != NH_NO_LSP)
		refuse(x->c, reason);
}

static enum soft_encap encap_of(uint8_t kind)
{
	return kind == RIB_PROTO_UDP ? SOFT_UDP : kind == RIB_PROTO_GRE ? SOFT_GRE : 0;
}

/* Is there any way at all, of whichever kind? */
static bool covered(const struct nht *nht, const struct ip_addr *pe, struct lsp *scratch)
{
	return soft_path(nht, SOFT_UDP, pe, scratch) != NH_NO_LSP ||
	       soft_path(nht, SOFT_GRE, pe, scratch) != NH_NO_LSP;
}

static void choose(struct chooser *x, const struct transport_order *order)
{
	struct prefix fec = prefix_host(x->pe);
	struct transport_choice *c = x->c;
	unsigned int i, kinds = 0, before;
	enum soft_encap encap;

	x->paths = lsp_paths(x->nht, &fec);
	c->n = 0;
	c->reason = x->paths || covered(x->nht, x->pe, &c->soft[0]) ? NH_TRANSPORT_POLICY : NH_NO_LSP;
	for (i = 0; i < order->n && kinds < 2; i++) {
		before = c->n;
		encap = encap_of(order->kinds[i]);
		if (encap)
			take_tunnel(x, encap, kinds);
		else
			take_lsps(x, order->kinds[i], kinds);
		kinds += c->n > before;
	}
	if (c->n)
		c->reason = NH_OK;
}

void transport_choose(const struct nht *nht, const struct ip_addr *pe, uint16_t policy,
		      struct transport_choice *choice)
{
	const struct transport_policy *p = transport_policy_by_id(nht, policy);
	struct chooser x = { .nht = nht, .pe = pe, .c = choice, .max = p ? p->max_paths : FIB_MEMBERS_MAX };

	choose(&x, order_for(p, pe));
}

void transport_choose_below(const struct nht *nht, const struct ip_addr *router, const struct lsp_chain *chain,
			    struct transport_choice *choice)
{
	struct chooser x = { .nht = nht, .pe = router, .c = choice, .max = FIB_MEMBERS_MAX, .chain = chain,
			     .below = true };

	choose(&x, &default_order);
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
