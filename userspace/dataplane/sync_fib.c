// SPDX-License-Identifier: GPL-2.0
/*
 * dataplane/sync_fib.c: what rib/fib.h wants, turned into requests; and what became of them.
 *
 * Next hops and labels have a shadow each (what was acknowledged last). Routes have none: their
 * count and digest follow the changes, and only the refused ones are kept.
 */
#include "dataplane/sync_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "rib/liveness.h"

/* ---- contents ---- */

/* False: it cannot be expressed (a part has no id, because there was no memory for it). */
bool sync_nh_content(const struct fib_nh *nh, struct dp_nh *out,
		     struct l3vpn_nh_member members[L3VPN_GROUP_MAX])
{
	unsigned int i;

	memset(out, 0, sizeof(*out));
	out->id = nh->id;
	out->kind = nh->kind;
	switch (nh->kind) {
	case FIB_NH_ADJACENCY:
		out->ifindex = nh->ifindex;
		out->gateway = nh->gateway;
		break;
	case FIB_NH_LABELLED:
	case FIB_NH_EGRESS:
		if (!nh->via || !nh->via->id)
			return false;
		out->via = nh->via->id;
		out->n_labels = nh->n_labels;
		memcpy(out->labels, nh->labels, nh->n_labels * sizeof(nh->labels[0]));
		break;
	case FIB_NH_GROUP:
		out->n_members = nh->n_members;
		out->members = members;
		memset(members, 0, nh->n_members * sizeof(*members));
		for (i = 0; i < nh->n_members; i++) {
			if (!nh->members[i].nh->id)
				return false;
			members[i].nh = nh->members[i].nh->id;
			members[i].weight = nh->members[i].weight;
			members[i].flags = (nh->members[i].backup ? L3VPN_MEMBER_FLAG_BACKUP : 0) |
					   (nh->members[i].onward ? L3VPN_MEMBER_FLAG_ONWARD : 0) |
					   (nh->members[i].local ? L3VPN_MEMBER_FLAG_LOCAL : 0);
		}
		break;
	case FIB_NH_VRF:
		out->vrf = nh->vrf;
		break;
	case FIB_NH_TUNNEL:
		out->encap = nh->encap;
		out->local = nh->local;
		out->gateway = nh->gateway;
		out->dport = nh->dport;
		out->checksum = nh->checksum;
		break;
	}
	return nh->id != 0;
}

void sync_label_record(const struct fib_label *l, struct l3vpn_label *out)
{
	memset(out, 0, sizeof(*out));
	out->label = l->label;
	out->action = l->action;
	out->scope = l->scope;
	out->vrf = l->action == FIB_LABEL_SWAP ? 0 : l->vrf;
	out->nh = l->action == FIB_LABEL_POP_VRF || !l->nh ? 0 : l->nh->id;
	out->out_label = l->action == FIB_LABEL_SWAP ? l->out_label : L3VPN_LABEL_NONE;
}

uint64_t sync_route_digest(uint32_t vrf, const struct prefix *p, const struct fib_dest *dest)
{
	struct l3vpn_route4 r4 = { .plen = p->len, .nh = dest->nh->id, .label = dest->label };
	struct l3vpn_route6 r6 = { .plen = p->len, .nh = dest->nh->id, .label = dest->label };

	if (p->addr.family == AF_INET) {
		memcpy(&r4.prefix, p->addr.b, 4);
		return dp_digest_route4(vrf, &r4);
	}
	memcpy(r6.prefix, p->addr.b, 16);
	return dp_digest_route6(vrf, &r6);
}

/* ---- next hops ---- */

void sync_adopt_nh(struct dp_sync *s, const struct dp_nh *nh)
{
	struct sync_adopted *a = xcalloc(1, sizeof(*a));

	a->nh = dp_nh_copy(nh);
	if (!a->nh) {
		free(a);
		return;
	}
	hash_insert(&s->adopted_nhs, &a->node, (uint32_t)dp_nh_content(nh));
	if (nh->id >= s->nh_next)
		s->nh_next = nh->id + 1;
}

static bool adopted_match(const struct hash_node *n, const void *key)
{
	return dp_nh_equal(hash_entry(n, struct sync_adopted, node)->nh, key);
}

/*
 * An id may be deleted twice, by the retry of a deletion that was refused and by the audit that finds it there
 * still: it is free once, or two next hops would share it. What the lists say of an id counts only while nh_idle
 * says the same.
 */
enum sync_idle { ID_USED, ID_FREE, ID_DEAD };

static void id_push(uint32_t **ids, uint32_t *n, uint32_t *size, uint32_t id)
{
	if (*n == *size) {
		*size = *size ? *size * 2 : 64;
		*ids = xrealloc(*ids, *size * sizeof(**ids));
	}
	(*ids)[(*n)++] = id;
}

static void id_free(struct dp_sync *s, uint32_t id)
{
	if (s->nh_idle[id] == ID_FREE)
		return;
	s->nh_idle[id] = ID_FREE;
	id_push(&s->nh_free, &s->nh_free_n, &s->nh_free_size, id);
}

static void id_dead(struct dp_sync *s, uint32_t id)
{
	if (s->nh_idle[id] != ID_USED)
		return;
	s->nh_idle[id] = ID_DEAD;
	id_push(&s->nh_dead, &s->nh_dead_n, &s->nh_dead_size, id);
}

/* 0: there is none */
static uint32_t id_take_free(struct dp_sync *s)
{
	uint32_t id;

	while (s->nh_free_n) {
		id = s->nh_free[--s->nh_free_n];
		if (s->nh_idle[id] == ID_FREE)
			return id;
	}
	return 0;
}

static uint32_t id_take_dead(struct dp_sync *s)
{
	uint32_t id;

	while (s->nh_dead_n) {
		id = s->nh_dead[--s->nh_dead_n];
		if (s->nh_idle[id] == ID_DEAD) {
			s->nh_idle[id] = ID_USED;
			return id;
		}
	}
	return 0;
}

/* The id that the forwarder has for this content, or one that is free. */
static uint32_t nh_id(struct dp_sync *s, const struct dp_nh *content)
{
	struct hash_node *n;
	struct sync_adopted *a;
	uint32_t id;

	n = hash_find(&s->adopted_nhs, (uint32_t)dp_nh_content(content), adopted_match, content);
	if (n) {
		a = hash_entry(n, struct sync_adopted, node);
		hash_remove(&s->adopted_nhs, n);
		id = a->nh->id;
		dp_nh_free(a->nh);
		free(a);
		return id;
	}
	id = id_take_free(s);
	return id ? id : s->nh_next++;
}

static void nh_add(struct dp_sync *s, struct fib_nh *nh)
{
	struct l3vpn_nh_member members[L3VPN_GROUP_MAX];
	struct sync_nh *sn = xcalloc(1, sizeof(*sn));
	struct dp_nh content;
	uint32_t size;

	nh->id = 1;		/* so that the content can be asked for: the id is no part of it */
	sync_nh_content(nh, &content, members);
	nh->id = nh_id(s, &content);
	sn->nh = nh;
	list_init(&sn->failed);
	nh->dp = sn;
	if (nh->id >= s->nhs_size) {
		size = nh->id * 2 + 64;
		s->nhs = xrealloc(s->nhs, size * sizeof(*s->nhs));
		memset(s->nhs + s->nhs_size, 0, (size - s->nhs_size) * sizeof(*s->nhs));
		s->nh_idle = xrealloc(s->nh_idle, size);
		memset(s->nh_idle + s->nhs_size, ID_USED, size - s->nhs_size);
		s->nhs_size = size;
	}
	s->nhs[nh->id] = sn;
	s->nh_idle[nh->id] = ID_USED;
}

static void nh_hold(struct dp_sync *s, struct sync_nh *sn, uint64_t digest)
{
	s->nh_count += (digest != 0) - (sn->held != 0);
	s->nh_digest += digest - sn->held;
	sn->held = digest;
}

static void nh_del(struct dp_sync *s, struct fib_nh *nh)
{
	struct sync_nh *sn = nh->dp;

	nh_hold(s, sn, 0);
	list_del(&sn->failed);
	s->nhs[nh->id] = NULL;
	free(sn);
	nh->dp = NULL;
	liveness_adjacency_gone(rib_liveness(s->env.rib), nh->id);
	window_nh_del(s, nh->id);
}

static void on_nh(struct fib_sub *sub, enum fib_op op, struct fib_nh *nh)
{
	struct dp_sync *s = container_of(sub, struct dp_sync, fib_sub);

	switch (op) {
	case FIB_ADD:
		nh_add(s, nh);
		window_nh(s, nh);
		break;
	case FIB_REPLACE:
		window_nh(s, nh);
		break;
	case FIB_DEL:
		nh_del(s, nh);
		break;
	}
}

/* whoever finds out that a neighbour was lost says so to forwarding by the ids of what leads to it */
static void tell_liveness(struct dp_sync *s, const struct dp_nh *nh, const struct nexthop *owner)
{
	struct liveness *l = rib_liveness(s->env.rib);

	if (nh->kind == L3VPN_NH_KIND_ADJACENCY && addr_is_set(&nh->gateway))
		liveness_adjacency(l, nh->id, nh->ifindex, &nh->gateway);
	else if (owner && owner->key.kind == NEXTHOP_PE)
		liveness_pe(l, nh->id, &owner->key.addr);
	else
		liveness_adjacency_gone(l, nh->id);
}

void sync_nh_acked(struct dp_sync *s, const struct dp_op *op)
{
	struct sync_nh *sn = op->nh->id < s->nhs_size ? s->nhs[op->nh->id] : NULL;

	if (!sn)
		return;		/* deleted meanwhile: the deletion is on its way behind this */
	sn->error = op->error;
	if (op->error) {
		if (!list_linked(&sn->failed))
			list_add_tail(&s->failed_nhs, &sn->failed);
		return;
	}
	list_del(&sn->failed);
	nh_hold(s, sn, dp_digest_nh(op->nh));
	tell_liveness(s, op->nh, sn->nh->owner);
}

void sync_nh_del_acked(struct dp_sync *s, const struct dp_op *op)
{
	uint32_t id = op->nh->id;

	if (id >= s->nhs_size || s->nhs[id])
		return;
	if (!op->error)
		id_free(s, id);
	else if (s->present)
		id_dead(s, id);
}

/* ---- routes ---- */

static bool refused_match(const struct hash_node *n, const void *key)
{
	return prefix_eq(&hash_entry(n, struct sync_refused, node)->prefix, key);
}

struct sync_refused *sync_refused_find(const struct sync_table *t, const struct prefix *p)
{
	struct hash_node *n = t->refused.count ? hash_find(&t->refused, prefix_hash(p, 0), refused_match, p) : NULL;

	return n ? hash_entry(n, struct sync_refused, node) : NULL;
}

/* How many more routes the forwarder takes, as far as its answers tell. */
static uint64_t table_room(const struct sync_table *t)
{
	uint64_t limit = t->vrf->limit[family_afi(t->family)];
	uint64_t held = t->count > t->refused.count ? t->count - t->refused.count : 0;

	if (!limit)
		return UINT64_MAX;
	return limit > held ? limit - held : 0;
}

void sync_room(struct dp_sync *s, const struct sync_table *t)
{
	/* a retry that is due soon is not put off by the next route that goes */
	if (t->refused.count && table_room(t) &&
	    (s->retry_ms != RETRY_MIN_MS || !timer_running(&s->retry)))
		sync_retry_soon(s);
}

static void refused_forget(struct dp_sync *s, struct sync_table *t, struct sync_refused *r)
{
	fib_route_refused(s->fib, t->vrf->id, &r->prefix, false);
	hash_remove(&t->refused, &r->node);
	free(r);
	s->failed_routes--;
}

static void on_route(struct fib_sub *sub, enum fib_op op, uint32_t vrf, const struct prefix *p,
		     const struct fib_dest *old, const struct fib_dest *now)
{
	struct dp_sync *s = container_of(sub, struct dp_sync, fib_sub);
	struct sync_vrf *sv = sync_vrf_by_id(s, vrf);
	struct sync_refused *r;
	struct sync_table *t;

	(void)op;
	if (!sv)
		return;		/* the global table is not the module's */
	t = &sv->table[family_afi(p->addr.family)];
	if (old && old->nh) {
		t->count--;
		t->digest -= sync_route_digest(vrf, p, old);
	}
	if (now && now->nh) {
		t->count++;
		t->digest += sync_route_digest(vrf, p, now);
		window_route(s, t, p, now);
		return;
	}
	r = sync_refused_find(t, p);
	if (r)
		refused_forget(s, t, r);
	window_route(s, t, p, NULL);
	if (!r)
		sync_room(s, t);
}

static struct prefix op_prefix(const struct dp_op *op)
{
	if (op->type == DP_OP_ROUTE4_ADD)
		return prefix_make(AF_INET, &op->r4.prefix, op->r4.plen);
	return prefix_make(AF_INET6, op->r6.prefix, op->r6.plen);
}

/*
 * A route that was refused is taken out, in case an older one of that prefix is there: what nobody
 * wants any more must not forward. Unless it changed meanwhile, and the change is on its way.
 */
static void route_refused(struct dp_sync *s, struct sync_table *t, const struct dp_op *op,
			  const struct prefix *p)
{
	uint32_t nh = op->type == DP_OP_ROUTE4_ADD ? op->r4.nh : op->r6.nh;
	uint32_t label = op->type == DP_OP_ROUTE4_ADD ? op->r4.label : op->r6.label;
	struct sync_refused *r;
	struct fib_dest now;

	if (!fib_route_get(s->fib, t->vrf->id, p, &now) || !now.nh)
		return;
	r = sync_refused_find(t, p);
	if (!r) {
		r = xcalloc(1, sizeof(*r));
		r->prefix = *p;
		hash_insert(&t->refused, &r->node, prefix_hash(p, 0));
		s->failed_routes++;
	}
	if (!r->removal && now.nh->id == nh && now.label == label) {
		r->removal = s->window_no;
		window_route(s, t, p, NULL);
	}
	r->error = op->error;
	fib_route_refused(s->fib, t->vrf->id, p, op->error == ENOSPC);
	snprintf(t->why, sizeof(t->why), "%s", op->why ? op->why : "");
}

void sync_route_acked(struct dp_sync *s, const struct dp_op *op)
{
	struct sync_vrf *sv = sync_vrf_by_id(s, op->table);
	struct sync_refused *r;
	struct sync_table *t;
	struct prefix p;

	if (!sv)
		return;
	t = &sv->table[op->type == DP_OP_ROUTE4_ADD ? AFI4 : AFI6];
	if (!op->error && !t->refused.count)
		return;
	p = op_prefix(op);
	if (op->error) {
		route_refused(s, t, op, &p);
		return;
	}
	r = sync_refused_find(t, &p);
	if (r && (uintptr_t)op->cookie >= r->removal)
		refused_forget(s, t, r);
}

/* ---- labels ---- */

static void label_hold(struct dp_sync *s, struct sync_label *sl, uint64_t digest)
{
	s->label_count += (digest != 0) - (sl->held != 0);
	s->label_digest += digest - sl->held;
	sl->held = digest;
}

static void on_label(struct fib_sub *sub, enum fib_op op, struct fib_label *l)
{
	struct dp_sync *s = container_of(sub, struct dp_sync, fib_sub);
	struct sync_label *sl = l->dp;

	if (op == FIB_DEL) {
		if (sl) {
			label_hold(s, sl, 0);
			list_del(&sl->failed);
			free(sl);
			l->dp = NULL;
		}
		window_label_del(s, l->label);
		return;
	}
	if (!sl) {
		sl = xcalloc(1, sizeof(*sl));
		sl->label = l;
		list_init(&sl->failed);
		l->dp = sl;
	}
	window_label(s, l);
}

void sync_label_acked(struct dp_sync *s, const struct dp_op *op)
{
	struct fib_label *l = fib_label_find(s->fib, op->label.label);
	struct sync_label *sl = l ? l->dp : NULL;
	uint32_t seq = (uintptr_t)op->cookie;

	if (!sl)
		return;
	if (!op->error)
		label_hold(s, sl, dp_digest_label(&op->label));
	if (seq != l->seq)
		return;		/* changed meanwhile: the newer one's answer counts */
	sl->error = op->error;
	if (!op->error)
		list_del(&sl->failed);
	else if (!list_linked(&sl->failed))
		list_add_tail(&s->failed_labels, &sl->failed);
	fib_label_acked(s->fib, l, seq, op->error);
}

/* ---- all of it ---- */

/* Before routes: what they refer to. Labels may follow at once, they refer to the same. */
void sync_fib_program(struct dp_sync *s)
{
	struct fib_nh *nh;
	struct fib_label *l;

	for (nh = fib_nh_next(s->fib, NULL); nh; nh = fib_nh_next(s->fib, nh))
		window_nh(s, nh);
	for (l = fib_label_next(s->fib, NULL); l; l = fib_label_next(s->fib, l))
		window_label(s, l);
}

void sync_fib_lost(struct dp_sync *s)
{
	struct fib_nh *nh;
	struct fib_label *l;
	uint32_t id;

	while ((id = id_take_dead(s)))
		id_free(s, id);
	for (nh = fib_nh_next(s->fib, NULL); nh; nh = fib_nh_next(s->fib, nh))
		if (nh->dp)
			nh_hold(s, nh->dp, 0);
	for (l = fib_label_next(s->fib, NULL); l; l = fib_label_next(s->fib, l)) {
		if (l->dp)
			label_hold(s, l->dp, 0);
		fib_label_lost(s->fib, l);
	}
}

static void routes_retry(struct dp_sync *s, struct sync_table *t)
{
	struct sync_refused *r, **gone = xcalloc(t->refused.count + 1, sizeof(struct sync_refused *));
	uint64_t room = table_room(t);
	struct hash_node *n;
	struct fib_dest now;
	uint32_t n_gone = 0;

	for (n = hash_next(&t->refused, NULL); n; n = hash_next(&t->refused, n)) {
		r = hash_entry(n, struct sync_refused, node);
		if (!fib_route_get(s->fib, t->vrf->id, &r->prefix, &now) || !now.nh)
			gone[n_gone++] = r;
		else if (r->error != ENOSPC)
			window_route(s, t, &r->prefix, &now);
		else if (room && room--)
			window_route(s, t, &r->prefix, &now);
	}
	while (n_gone)
		refused_forget(s, t, gone[--n_gone]);
	free(gone);
}

void sync_fib_retry(struct dp_sync *s)
{
	struct sync_label *sl;
	struct sync_nh *sn;
	uint32_t id;

	list_for_each(sn, &s->failed_nhs, struct sync_nh, failed)
		window_nh(s, sn->nh);
	while ((id = id_take_dead(s)))
		window_nh_del(s, id);
	for (id = 0; id < s->vrfs_size && s->failed_routes; id++)
		if (s->vrfs[id]) {
			routes_retry(s, &s->vrfs[id]->table[AFI4]);
			routes_retry(s, &s->vrfs[id]->table[AFI6]);
		}
	list_for_each(sl, &s->failed_labels, struct sync_label, failed)
		window_label(s, sl->label);
}

void sync_fib_start(struct dp_sync *s)
{
	struct fib_nh *nh;
	struct fib_label *l;

	list_init(&s->failed_nhs);
	list_init(&s->failed_labels);
	s->fib_sub.nh = on_nh;
	s->fib_sub.route = on_route;
	s->fib_sub.label = on_label;
	for (nh = fib_nh_next(s->fib, NULL); nh; nh = fib_nh_next(s->fib, nh))
		on_nh(&s->fib_sub, FIB_ADD, nh);
	for (l = fib_label_next(s->fib, NULL); l; l = fib_label_next(s->fib, l))
		on_label(&s->fib_sub, FIB_ADD, l);
	fib_subscribe(s->fib, &s->fib_sub);
}

void sync_fib_stop(struct dp_sync *s)
{
	struct hash_node *n;
	struct fib_label *l;
	struct sync_adopted *a;
	uint32_t id;

	fib_unsubscribe(&s->fib_sub);
	for (id = 0; id < s->nhs_size; id++)
		if (s->nhs[id]) {
			s->nhs[id]->nh->dp = NULL;
			free(s->nhs[id]);
		}
	free(s->nhs);
	free(s->nh_idle);
	free(s->nh_free);
	free(s->nh_dead);
	for (l = fib_label_next(s->fib, NULL); l; l = fib_label_next(s->fib, l)) {
		free(l->dp);
		l->dp = NULL;
	}
	while ((n = hash_drain(&s->adopted_nhs))) {
		a = hash_entry(n, struct sync_adopted, node);
		dp_nh_free(a->nh);
		free(a);
	}
	hash_fini(&s->adopted_nhs);
}
