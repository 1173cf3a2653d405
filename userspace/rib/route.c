// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of routes, and the lists that they are in (list.h). Imported ones are larger: they have a slab of
 * their own, and odd numbers.
 */
#include "rib/private.h"

void routes_start(struct rib *rib)
{
	slab_init(&rib->routes, sizeof(struct rib_route), 8);
	slab_init(&rib->imported, sizeof(struct rib_imported), 8);
}

void routes_stop(struct rib *rib)
{
	slab_fini(&rib->routes);
	slab_fini(&rib->imported);
}

/* numbers 2, 4, 6... and 3, 5, 7... */
struct rib_route *route_at(const struct rib *rib, uint32_t number)
{
	uint32_t i = (number >> 1) - 1;

	if (!number)
		return NULL;
	return slab_at(number & 1 ? &rib->imported : &rib->routes, i);
}

struct rib_route *route_alloc(struct rib *rib, bool imported)
{
	uint32_t i = slab_alloc(imported ? &rib->imported : &rib->routes), number = (i + 1) << 1 | imported;
	struct rib_route *r = route_at(rib, number);

	r->number = number;
	return r;
}

void route_release(struct rib *rib, struct rib_route *r)
{
	slab_free(r->number & 1 ? &rib->imported : &rib->routes, (r->number >> 1) - 1);
}

struct rib_route *rib_list_first(const struct rib *rib, const struct rib_list *l)
{
	return route_at(rib, l->first);
}

struct rib_route *rib_list_next(const struct rib *rib, const struct rib_route *r, enum rib_list_kind kind)
{
	return route_at(rib, r->link[kind].next);
}

void route_link(struct rib *rib, struct rib_list *l, struct rib_route *r, enum rib_list_kind kind)
{
	struct rib_route *last = route_at(rib, l->last);

	r->link[kind].prev = l->last;
	r->link[kind].next = 0;
	if (last)
		last->link[kind].next = r->number;
	else
		l->first = r->number;
	l->last = r->number;
}

void route_unlink(struct rib *rib, struct rib_list *l, struct rib_route *r, enum rib_list_kind kind)
{
	const struct rib_link at = r->link[kind];

	if (at.prev)
		route_at(rib, at.prev)->link[kind].next = at.next;
	else
		l->first = at.next;
	if (at.next)
		route_at(rib, at.next)->link[kind].prev = at.prev;
	else
		l->last = at.prev;
	r->link[kind] = (struct rib_link){ 0 };
}
