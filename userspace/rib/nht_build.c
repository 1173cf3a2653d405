// SPDX-License-Identifier: GPL-2.0
/* Next hops as forwarding gets them (fib.h): each has one object, which changes in place. */
#include <string.h>

#include "lib/mem.h"
#include "rib/private.h"
#include "rib/transport.h"

struct build {
	struct fib_nh spec;
	struct fib_member members[FIB_MEMBERS_MAX];
};

static struct fib_nh *way_tunnel(struct fib *fib, const struct lsp_way *way)
{
	struct fib_nh t = { .encap = way->encap, .local = way->local, .gateway = way->gateway, .dport = way->dport,
			    .checksum = way->checksum };

	return fib_nh_tunnel(fib, &t);
}

/* What is there already is not there twice: paths of two kinds may come down to the same. */
static void build_way(struct fib *fib, struct build *b, const struct lsp_way *way, bool backup)
{
	struct fib_nh *out = way->encap ? way_tunnel(fib, way) :
			     fib_nh_adjacency(fib, way->ifindex, &way->gateway);
	struct fib_nh *nh = fib_nh_labelled(fib, out, way->labels, way->n_labels);
	unsigned int i;

	fib_nh_put(fib, out);
	for (i = 0; i < b->spec.n_members && b->members[i].nh != nh; i++)
		;
	if (i < b->spec.n_members || i == ARRAY_SIZE(b->members)) {
		fib_nh_put(fib, nh);
		return;
	}
	b->members[b->spec.n_members++] = (struct fib_member){
		.nh = nh, .weight = way->weight, .backup = backup || way->backup,
	};
}

static void build_path(struct nht *nht, struct build *b, const struct lsp *lsp, bool backup)
{
	struct lsp_way ways[FIB_MEMBERS_MAX];
	unsigned int i, n = lsp_ways(nht, lsp, ways, ARRAY_SIZE(ways));

	for (i = 0; i < n; i++)
		build_way(nht->rib->fib, b, &ways[i], backup);
}

/* one path: the object is that path itself; several, or a lone backup's group: a group */
static void build_pe(struct nht *nht, const struct nexthop *nh, struct build *b)
{
	struct fib *fib = nht->rib->fib;
	struct transport_choice choice;
	struct fib_nh *only;
	unsigned int i;

	nexthop_choose(nht, nh, &choice);
	for (i = 0; i < choice.n; i++)
		build_path(nht, b, choice.path[i].lsp, choice.path[i].backup);
	/* it was usable when it was looked at last, and will be looked at again */
	if (!b->spec.n_members)
		return;
	b->spec.kind = FIB_NH_GROUP;
	if (b->spec.n_members > 1)
		return;
	only = b->members[0].nh;
	b->spec.kind = FIB_NH_LABELLED;
	b->spec.n_members = 0;
	b->spec.via = fib_nh_ref(only->via);
	b->spec.n_labels = only->n_labels;
	memcpy(b->spec.labels, only->labels, sizeof(only->labels));
	fib_nh_put(fib, only);
}

static void build_adjacency(const struct nexthop *nh, struct build *b)
{
	b->spec.kind = FIB_NH_ADJACENCY;
	b->spec.ifindex = nh->ifindex;
	b->spec.gateway = nh->gateway;
}

static void build_group(struct nht *nht, const struct nexthop *nh, struct build *b)
{
	struct nexthop *m;
	unsigned int i;

	b->spec.kind = FIB_NH_GROUP;
	for (i = 0; i < nh->n_members; i++) {
		m = nh->members[i].nh;
		if (!nexthop_usable(m) || (m->key.kind != NEXTHOP_GATEWAY &&
					   m->key.kind != NEXTHOP_DEVICE))
			continue;
		b->members[b->spec.n_members++] = (struct fib_member){
			.nh = fib_nh_adjacency(nht->rib->fib, m->ifindex, &m->gateway),
			.weight = nh->members[i].weight,
			.backup = nh->members[i].backup,
		};
	}
	if (!b->spec.n_members)
		b->spec.kind = FIB_NH_UNREACHABLE;
}

/* Backups that no other member is left to precede are what there is. */
static void promote_backups(struct build *b)
{
	unsigned int i;

	for (i = 0; i < b->spec.n_members; i++)
		if (!b->members[i].backup)
			return;
	for (i = 0; i < b->spec.n_members; i++)
		b->members[i].backup = false;
}

static void build(struct nht *nht, const struct nexthop *nh, struct build *b)
{
	memset(b, 0, sizeof(*b));
	b->spec.kind = FIB_NH_UNREACHABLE;
	if (!nexthop_usable(nh))
		return;
	switch (nh->key.kind) {
	case NEXTHOP_PE:
		build_pe(nht, nh, b);
		break;
	case NEXTHOP_GROUP:
		build_group(nht, nh, b);
		break;
	case NEXTHOP_LABELLED:
		if (nh->ifindex)
			build_adjacency(nh, b);
		else
			build_pe(nht, nh, b);
		break;
	case NEXTHOP_GATEWAY:
	case NEXTHOP_DEVICE:
		build_adjacency(nh, b);
		break;
	case NEXTHOP_VRF:
	case NEXTHOP_LOCAL:
		b->spec.kind = FIB_NH_VRF;
		b->spec.vrf = nh->key.vrf;
		break;
	case NEXTHOP_BLACKHOLE:
		b->spec.kind = FIB_NH_BLACKHOLE;
		break;
	default:
		break;
	}
	promote_backups(b);
	if (b->spec.n_members)
		b->spec.members = b->members;
}

static void build_end(struct nht *nht, struct build *b)
{
	unsigned int i;

	for (i = 0; i < b->spec.n_members; i++)
		fib_nh_put(nht->rib->fib, b->members[i].nh);
	fib_nh_put(nht->rib->fib, b->spec.via);
}

struct fib_nh *nexthop_fib_use(struct nht *nht, struct nexthop *nh)
{
	struct build b;

	if (nh->fib)
		return fib_nh_ref(nh->fib);
	build(nht, nh, &b);
	nh->fib = fib_nh_tracked(nht->rib->fib, &b.spec, nh);
	build_end(nht, &b);
	return nh->fib;
}

void nexthop_fib_refresh(struct nht *nht, struct nexthop *nh)
{
	struct build b;

	if (!nh->fib)
		return;
	build(nht, nh, &b);
	fib_nh_replace(nht->rib->fib, nh->fib, &b.spec);
	build_end(nht, &b);
}
