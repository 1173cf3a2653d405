// SPDX-License-Identifier: GPL-2.0
/*
 * The desired state of forwarding (fib.h). References keep the order safe: an object is told when
 * its first reference is made, and told away when the last one is gone.
 */
#include "rib/fib.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "rib/private.h"
#include "rib/soft.h"

/* the ways to a PE are below the labels that it gave, and these below groups of several PEs */
enum { LEVEL_LEAF, LEVEL_LABELLED, LEVEL_PATHS, LEVEL_EGRESS, LEVEL_GROUP, LEVELS };

struct fib {
	struct rib *rib;
	struct hash by_content;
	struct list nhs[LEVELS];	/* struct fib_nh.all: what is in a level refers to lower ones */
	uint32_t n_nhs;
	struct hash by_label;
	struct list labels;
	struct list subs;
};

/* ---- next hops ---- */

static unsigned int level_of(const struct fib_nh *nh)
{
	switch (nh->kind) {
	case FIB_NH_GROUP:
		return nh->tracked ? LEVEL_PATHS : LEVEL_GROUP;
	case FIB_NH_EGRESS:
		return LEVEL_EGRESS;
	default:
		return nh->kind == FIB_NH_LABELLED ? LEVEL_LABELLED : LEVEL_LEAF;
	}
}

static bool same_content(const struct fib_nh *a, const struct fib_nh *b)
{
	unsigned int i;

	if (a->kind != b->kind || a->ifindex != b->ifindex || !addr_eq(&a->gateway, &b->gateway) ||
	    a->vrf != b->vrf || a->via != b->via || a->encap != b->encap ||
	    a->dport != b->dport || a->checksum != b->checksum || !addr_eq(&a->local, &b->local) ||
	    a->n_labels != b->n_labels ||
	    a->n_members != b->n_members ||
	    memcmp(a->labels, b->labels, a->n_labels * sizeof(a->labels[0])))
		return false;
	for (i = 0; i < a->n_members; i++)
		if (a->members[i].nh != b->members[i].nh ||
		    a->members[i].weight != b->members[i].weight ||
		    a->members[i].backup != b->members[i].backup ||
		    a->members[i].onward != b->members[i].onward ||
		    a->members[i].local != b->members[i].local)
			return false;
	return true;
}

static bool match_content(const struct hash_node *n, const void *key)
{
	return same_content(hash_entry(n, struct fib_nh, node), key);
}

static uint32_t content_hash(const struct fib_nh *nh)
{
	uint32_t h = hash_u64((uint64_t)nh->kind << 32 | (uint32_t)nh->ifindex, nh->vrf);
	unsigned int i;

	h = addr_hash(&nh->gateway, h);
	h = addr_hash(&nh->local, h ^ (uint32_t)nh->encap << 16 ^ nh->dport);
	h = hash_u64((uintptr_t)nh->via, h);
	h = hash_bytes(nh->labels, nh->n_labels * sizeof(nh->labels[0]), h);
	for (i = 0; i < nh->n_members; i++)
		h = hash_u64((uintptr_t)nh->members[i].nh, h ^ nh->members[i].weight);
	return h;
}

static void tell_nh(struct fib *fib, enum fib_op op, struct fib_nh *nh)
{
	struct fib_sub *s;

	list_for_each(s, &fib->subs, struct fib_sub, node)
		s->nh(s, op, nh);
}

/* takes the content of @spec with references of its own */
static void content_take(struct fib_nh *nh, const struct fib_nh *spec)
{
	unsigned int i;

	nh->kind = spec->kind;
	nh->ifindex = spec->ifindex;
	nh->gateway = spec->gateway;
	nh->local = spec->local;
	nh->encap = spec->encap;
	nh->dport = spec->dport;
	nh->checksum = spec->checksum;
	nh->vrf = spec->vrf;
	nh->via = spec->via ? fib_nh_ref(spec->via) : NULL;
	nh->n_labels = spec->n_labels;
	memcpy(nh->labels, spec->labels, sizeof(nh->labels));
	nh->n_members = spec->n_members;
	nh->members = NULL;
	if (spec->n_members)
		nh->members = xmemdup(spec->members, spec->n_members * sizeof(*spec->members));
	for (i = 0; i < nh->n_members; i++)
		fib_nh_ref(nh->members[i].nh);
}

static void content_drop(struct fib *fib, struct fib_nh *via, struct fib_member *members,
			 unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		fib_nh_put(fib, members[i].nh);
	free(members);
	fib_nh_put(fib, via);
}

static struct fib_nh *nh_new(struct fib *fib, const struct fib_nh *spec, bool tracked)
{
	struct fib_nh *nh = xcalloc(1, sizeof(*nh));

	content_take(nh, spec);
	nh->tracked = tracked;
	nh->refs = 1;
	list_init(&nh->all);
	list_add_tail(&fib->nhs[level_of(nh)], &nh->all);
	fib->n_nhs++;
	return nh;
}

static struct fib_nh *nh_by_content(struct fib *fib, const struct fib_nh *spec)
{
	uint32_t hash = content_hash(spec);
	struct hash_node *n = hash_find(&fib->by_content, hash, match_content, spec);
	struct fib_nh *nh;

	if (n)
		return fib_nh_ref(hash_entry(n, struct fib_nh, node));
	nh = nh_new(fib, spec, false);
	hash_insert(&fib->by_content, &nh->node, hash);
	tell_nh(fib, FIB_ADD, nh);
	return nh;
}

struct fib_nh *fib_nh_adjacency(struct fib *fib, int ifindex, const struct ip_addr *gateway)
{
	struct fib_nh spec = { .kind = FIB_NH_ADJACENCY, .ifindex = ifindex };

	if (gateway)
		spec.gateway = *gateway;
	return nh_by_content(fib, &spec);
}

struct fib_nh *fib_nh_tunnel(struct fib *fib, const struct fib_nh *t)
{
	struct fib_nh spec = { .kind = FIB_NH_TUNNEL, .encap = t->encap, .local = t->local,
			       .gateway = t->gateway, .dport = t->dport, .checksum = t->checksum };

	return nh_by_content(fib, &spec);
}

struct fib_nh *fib_nh_labelled(struct fib *fib, struct fib_nh *via, const uint32_t *labels,
			       unsigned int n)
{
	struct fib_nh spec = { .kind = FIB_NH_LABELLED, .via = via, .n_labels = n };

	memcpy(spec.labels, labels, n * sizeof(*labels));
	return nh_by_content(fib, &spec);
}

struct fib_nh *fib_nh_egress(struct fib *fib, struct fib_nh *pe, uint32_t label)
{
	struct fib_nh spec = { .kind = FIB_NH_EGRESS, .via = pe, .n_labels = 1, .labels = { label } };

	return nh_by_content(fib, &spec);
}

struct fib_nh *fib_nh_group(struct fib *fib, const struct fib_member *m, unsigned int n)
{
	struct fib_nh spec = { .kind = FIB_NH_GROUP, .n_members = n,
			       .members = (struct fib_member *)m };

	return nh_by_content(fib, &spec);
}

struct fib_nh *fib_nh_vrf(struct fib *fib, uint32_t vrf)
{
	struct fib_nh spec = { .kind = FIB_NH_VRF, .vrf = vrf };

	return nh_by_content(fib, &spec);
}

struct fib_nh *fib_nh_special(struct fib *fib, enum fib_nh_kind kind)
{
	struct fib_nh spec = { .kind = kind };

	return nh_by_content(fib, &spec);
}

struct fib_nh *fib_nh_tracked(struct fib *fib, const struct fib_nh *spec, struct nexthop *owner)
{
	struct fib_nh *nh = nh_new(fib, spec, true);

	nh->owner = owner;
	tell_nh(fib, FIB_ADD, nh);
	return nh;
}

void fib_nh_replace(struct fib *fib, struct fib_nh *nh, const struct fib_nh *spec)
{
	struct fib_member *members = nh->members;
	unsigned int n = nh->n_members;
	struct fib_nh *via = nh->via;

	if (same_content(nh, spec))
		return;
	content_take(nh, spec);
	list_del(&nh->all);
	list_add_tail(&fib->nhs[level_of(nh)], &nh->all);
	tell_nh(fib, FIB_REPLACE, nh);
	content_drop(fib, via, members, n);
}

struct fib_nh *fib_nh_ref(struct fib_nh *nh)
{
	nh->refs++;
	return nh;
}

void fib_nh_put(struct fib *fib, struct fib_nh *nh)
{
	if (!nh || --nh->refs)
		return;
	if (nh->owner)
		nh->owner->fib = NULL;
	if (!nh->tracked)
		hash_remove(&fib->by_content, &nh->node);
	list_del(&nh->all);
	fib->n_nhs--;
	tell_nh(fib, FIB_DEL, nh);
	content_drop(fib, nh->via, nh->members, nh->n_members);
	free(nh);
}

static size_t add_labels(const struct fib_nh *nh, char *buf, size_t size, size_t used)
{
	unsigned int i;

	for (i = 0; i < nh->n_labels && used < size; i++)
		used += snprintf(buf + used, size - used, "%s%u", i ? "/" : " labels ",
				 nh->labels[i]);
	return used;
}

const char *fib_nh_str(const struct fib_nh *nh, char *buf, size_t size)
{
	char addr[ADDR_STRLEN];
	size_t used = 0;
	unsigned int i;

	switch (nh->kind) {
	case FIB_NH_ADJACENCY:
		if (addr_is_set(&nh->gateway))
			snprintf(buf, size, "via %s ifindex %d", addr_str(&nh->gateway, addr),
				 nh->ifindex);
		else
			snprintf(buf, size, "on-link ifindex %d", nh->ifindex);
		break;
	case FIB_NH_TUNNEL:
		snprintf(buf, size, "%s tunnel to %s", soft_encap_str(nh->encap), addr_str(&nh->gateway, addr));
		break;
	case FIB_NH_LABELLED:
		fib_nh_str(nh->via, buf, size);
		add_labels(nh, buf, size, strlen(buf));
		break;
	case FIB_NH_EGRESS:
		used = snprintf(buf, size, "vpn label %u ", nh->labels[0]);
		if (used < size)
			fib_nh_str(nh->via, buf + used, size - used);
		break;
	case FIB_NH_GROUP:
		used = snprintf(buf, size, "group");
		for (i = 0; i < nh->n_members && used + 4 < size; i++) {
			used += snprintf(buf + used, size - used, " {");
			fib_nh_str(nh->members[i].nh, buf + used, size - used);
			used += strlen(buf + used);
			if (used < size)
				used += snprintf(buf + used, size - used, " weight %u%s}",
						 nh->members[i].weight,
						 nh->members[i].backup ? " backup" : "");
		}
		break;
	case FIB_NH_VRF:
		snprintf(buf, size, "vrf %u", nh->vrf);
		break;
	case FIB_NH_RECEIVE:
		snprintf(buf, size, "receive");
		break;
	case FIB_NH_HOST:
		snprintf(buf, size, "host");
		break;
	case FIB_NH_BLACKHOLE:
		snprintf(buf, size, "blackhole");
		break;
	default:
		snprintf(buf, size, "unreachable");
		break;
	}
	return buf;
}

struct fib_nh *fib_nh_next(struct fib *fib, const struct fib_nh *nh)
{
	unsigned int level = 0;

	if (nh) {
		level = level_of(nh);
		if (nh->all.next != &fib->nhs[level])
			return list_entry(nh->all.next, struct fib_nh, all);
		level++;
	}
	for (; level < LEVELS; level++)
		if (!list_empty(&fib->nhs[level]))
			return list_first(&fib->nhs[level], struct fib_nh, all);
	return NULL;
}

uint32_t fib_nh_count(const struct fib *fib)
{
	return fib->n_nhs;
}

/* ---- labels ---- */

static bool match_label(const struct hash_node *n, const void *key)
{
	return hash_entry(n, struct fib_label, node)->label == *(const uint32_t *)key;
}

struct fib_label *fib_label_find(const struct fib *fib, uint32_t label)
{
	struct hash_node *n = hash_find(&fib->by_label, hash_u64(label, 0), match_label, &label);

	return n ? hash_entry(n, struct fib_label, node) : NULL;
}

static void tell_label(struct fib *fib, enum fib_op op, struct fib_label *l)
{
	struct fib_sub *s;

	list_for_each(s, &fib->subs, struct fib_sub, node)
		s->label(s, op, l);
}

bool fib_label_set(struct fib *fib, struct fib_label *l)
{
	struct fib_label *there = fib_label_find(fib, l->label);

	if (there && there != l)
		return false;
	l->programmed = false;
	l->err = 0;
	l->seq++;
	if (!there) {
		hash_insert(&fib->by_label, &l->node, hash_u64(l->label, 0));
		list_init(&l->all);
		list_add_tail(&fib->labels, &l->all);
	}
	tell_label(fib, there ? FIB_REPLACE : FIB_ADD, l);
	return true;
}

void fib_label_del(struct fib *fib, struct fib_label *l)
{
	if (fib_label_find(fib, l->label) != l)
		return;
	hash_remove(&fib->by_label, &l->node);
	list_del(&l->all);
	l->programmed = false;
	tell_label(fib, FIB_DEL, l);
}

void fib_label_acked(struct fib *fib, struct fib_label *l, uint32_t seq, int err)
{
	if (seq != l->seq)
		return;
	l->programmed = !err;
	l->err = err;
	if (l->acked)
		l->acked(l, err, l->arg);
}

void fib_label_lost(struct fib *fib, struct fib_label *l)
{
	l->programmed = false;
}

struct fib_label *fib_label_next(struct fib *fib, const struct fib_label *l)
{
	struct list *next = l ? l->all.next : fib->labels.next;

	return next == &fib->labels ? NULL : list_entry(next, struct fib_label, all);
}

/* ---- routes ---- */

static struct rib_vrf_net *vrf_net(struct rib_net *net)
{
	return container_of(net, struct rib_vrf_net, net);
}

bool fib_net_shared(const struct rib_net *net)
{
	const struct fib_nh *nh = container_of(net, const struct rib_vrf_net, net)->fib.nh;

	return nh && !nh->tracked;
}

void fib_net_update(struct rib_net *net)
{
	struct fib *fib = net_table(net)->rib->fib;
	struct rib_vrf_net *vn = vrf_net(net);
	struct fib_dest now = fib_dest_of(net), old = vn->fib;
	struct fib_sub *s;
	enum fib_op op;
	struct prefix p;

	now.refused = now.nh && old.refused;	/* until the answer to the change */
	if (!old.nh)
		old.label = FIB_LABEL_NONE;
	if (now.nh == old.nh && now.label == old.label) {
		fib_nh_put(fib, now.nh);
		return;
	}
	vn->fib = now;
	op = !old.nh ? FIB_ADD : now.nh ? FIB_REPLACE : FIB_DEL;
	p = rib_net_prefix(net);
	list_for_each(s, &fib->subs, struct fib_sub, node)
		s->route(s, op, net_table(net)->vrf, &p, &old, &now);
	fib_nh_put(fib, old.nh);
}

bool fib_route_get(struct fib *fib, uint32_t vrf, const struct prefix *p, struct fib_dest *dest)
{
	struct rib_table *t = rib_table_find(fib->rib, vrf, p->addr.family);
	struct rib_net *net = t && t->kind == RIB_TABLE_VRF ? rib_find(t, NULL, p) : NULL;

	if (!net || !vrf_net(net)->fib.nh)
		return false;
	*dest = vrf_net(net)->fib;
	return true;
}

bool fib_route_next(struct fib *fib, uint32_t vrf, struct prefix *p, bool first,
		    struct fib_dest *dest)
{
	struct rib_table *t = rib_table_find(fib->rib, vrf, p->addr.family);
	struct rib_vrf_net *vn;

	if (!t || t->kind != RIB_TABLE_VRF)
		return false;
	vn = first ? trie_next(&t->shelf.nets, NULL) : trie_after(&t->shelf.nets, p);
	while (vn && !vn->fib.nh)
		vn = trie_next(&t->shelf.nets, vn);
	if (!vn)
		return false;
	*p = rib_net_prefix(&vn->net);
	*dest = vn->fib;
	return true;
}

void fib_route_refused(struct fib *fib, uint32_t vrf, const struct prefix *p, bool refused)
{
	struct rib_table *t = rib_table_find(fib->rib, vrf, p->addr.family);
	struct rib_net *net = t && t->kind == RIB_TABLE_VRF ? rib_find(t, NULL, p) : NULL;

	if (!net || !vrf_net(net)->fib.nh || vrf_net(net)->fib.refused == refused)
		return;
	vrf_net(net)->fib.refused = refused;
	rib_notify(net, true);
}

bool rib_net_refused(const struct rib_net *net)
{
	return net_table(net)->kind == RIB_TABLE_VRF &&
	       container_of(net, const struct rib_vrf_net, net)->fib.refused;
}

/* ---- life ---- */

void fib_subscribe(struct fib *fib, struct fib_sub *s)
{
	list_add_tail(&fib->subs, &s->node);
}

void fib_unsubscribe(struct fib_sub *s)
{
	list_del(&s->node);
}

struct fib *fib_new(struct rib *rib)
{
	struct fib *fib = xcalloc(1, sizeof(*fib));
	unsigned int i;

	fib->rib = rib;
	for (i = 0; i < LEVELS; i++)
		list_init(&fib->nhs[i]);
	list_init(&fib->labels);
	list_init(&fib->subs);
	return fib;
}

void fib_free(struct fib *fib)
{
	if (!fib)
		return;
	hash_fini(&fib->by_content);
	hash_fini(&fib->by_label);
	free(fib);
}
