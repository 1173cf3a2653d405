/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A forwarding plane for tests: subscribes to fib.h, keeps what it was told, and fails the test
 * when an event could not be programmed as it came (a reference to what is not there, a deletion
 * of what is referred to, an addition twice).
 */
#ifndef L3VPN_RIB_TESTS_RECORDER_H
#define L3VPN_RIB_TESTS_RECORDER_H

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "rib/fib.h"

struct rec_nh {
	struct fib_nh *nh;
	struct fib_nh *refs[FIB_MEMBERS_MAX + 1];
	unsigned int n_refs;
};

struct rec_route {
	uint32_t vrf;
	struct prefix p;
	struct fib_dest dest;
};

struct recorder {
	struct fib_sub sub;
	struct fib *fib;
	bool auto_ack;
	int refuse;			/* errno for labels, 0 acknowledges */
	struct rec_nh *nhs;
	unsigned int n_nhs;
	struct rec_route *routes;
	unsigned int n_routes;
	struct fib_label *labels[4096];
	struct fib_nh *label_nh[4096];
	unsigned int n_labels;
	unsigned int nh_events, route_events, label_events;
};

static inline struct rec_nh *rec_nh(struct recorder *r, const struct fib_nh *nh)
{
	for (unsigned int i = 0; i < r->n_nhs; i++)
		if (r->nhs[i].nh == nh)
			return &r->nhs[i];
	return NULL;
}

static inline void rec_fill(struct recorder *r, struct rec_nh *n)
{
	n->n_refs = 0;
	if (n->nh->via)
		n->refs[n->n_refs++] = n->nh->via;
	for (unsigned int i = 0; i < n->nh->n_members; i++)
		n->refs[n->n_refs++] = n->nh->members[i].nh;
	for (unsigned int i = 0; i < n->n_refs; i++)
		assert_non_null(rec_nh(r, n->refs[i]));
}

static inline void rec_on_nh(struct fib_sub *s, enum fib_op op, struct fib_nh *nh)
{
	struct recorder *r = container_of(s, struct recorder, sub);
	struct rec_nh *n = rec_nh(r, nh);

	r->nh_events++;
	if (op == FIB_ADD) {
		assert_null(n);
		r->nhs = xrealloc(r->nhs, (r->n_nhs + 1) * sizeof(*r->nhs));
		n = &r->nhs[r->n_nhs++];
		n->nh = nh;
		rec_fill(r, n);
		return;
	}
	assert_non_null(n);
	if (op == FIB_REPLACE) {
		rec_fill(r, n);
		return;
	}
	for (unsigned int i = 0; i < r->n_nhs; i++)
		for (unsigned int k = 0; k < r->nhs[i].n_refs; k++)
			assert_ptr_not_equal(r->nhs[i].refs[k], nh);
	for (unsigned int i = 0; i < r->n_routes; i++)
		assert_ptr_not_equal(r->routes[i].dest.nh, nh);
	for (unsigned int i = 0; i < r->n_labels; i++)
		assert_ptr_not_equal(r->label_nh[i], nh);
	*n = r->nhs[--r->n_nhs];
}

static inline struct rec_route *rec_route(struct recorder *r, uint32_t vrf, const struct prefix *p)
{
	for (unsigned int i = 0; i < r->n_routes; i++)
		if (r->routes[i].vrf == vrf && prefix_eq(&r->routes[i].p, p))
			return &r->routes[i];
	return NULL;
}

static inline void rec_on_route(struct fib_sub *s, enum fib_op op, uint32_t vrf,
				const struct prefix *p, const struct fib_dest *old,
				const struct fib_dest *now)
{
	struct recorder *r = container_of(s, struct recorder, sub);
	struct rec_route *x = rec_route(r, vrf, p);

	r->route_events++;
	assert_int_equal(!x, op == FIB_ADD);
	assert_int_equal(!old->nh, op == FIB_ADD);
	assert_int_equal(!now->nh, op == FIB_DEL);
	if (x)
		assert_ptr_equal(x->dest.nh, old->nh);
	if (op == FIB_DEL) {
		*x = r->routes[--r->n_routes];
		return;
	}
	assert_non_null(rec_nh(r, now->nh));
	if (!x) {
		r->routes = xrealloc(r->routes, (r->n_routes + 1) * sizeof(*r->routes));
		x = &r->routes[r->n_routes++];
		x->vrf = vrf;
		x->p = *p;
	}
	x->dest = *now;
}

static inline void rec_on_label(struct fib_sub *s, enum fib_op op, struct fib_label *l)
{
	struct recorder *r = container_of(s, struct recorder, sub);
	unsigned int i;

	r->label_events++;
	for (i = 0; i < r->n_labels && r->labels[i] != l; i++)
		;
	assert_int_equal(i == r->n_labels, op == FIB_ADD);
	if (op == FIB_DEL) {
		r->labels[i] = r->labels[--r->n_labels];
		r->label_nh[i] = r->label_nh[r->n_labels];
		return;
	}
	if (l->nh)
		assert_non_null(rec_nh(r, l->nh));
	assert_true(r->n_labels < 4096);
	r->labels[i] = l;
	r->label_nh[i] = l->nh;
	r->n_labels += op == FIB_ADD;
}

/* answers every label that waits */
static inline void rec_ack(struct recorder *r)
{
	for (unsigned int i = 0; i < r->n_labels; i++)
		if (!r->labels[i]->programmed && !r->labels[i]->err)
			fib_label_acked(r->fib, r->labels[i], r->labels[i]->seq, r->refuse);
}

static inline void rec_start(struct recorder *r, struct fib *fib)
{
	memset(r, 0, sizeof(*r));
	r->fib = fib;
	r->sub.nh = rec_on_nh;
	r->sub.route = rec_on_route;
	r->sub.label = rec_on_label;
	fib_subscribe(fib, &r->sub);
}

/* everything told must have been told away */
static inline void rec_end(struct recorder *r)
{
	assert_int_equal(r->n_routes, 0);
	assert_int_equal(r->n_labels, 0);
	assert_int_equal(r->n_nhs, 0);
	fib_unsubscribe(&r->sub);
	free(r->nhs);
	free(r->routes);
}

#endif
