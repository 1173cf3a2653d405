// SPDX-License-Identifier: GPL-2.0
/* Labels that others hold: by configuration, or in Linux's own MPLS table (labels.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "labels/private.h"
#include "lib/log.h"
#include "lib/mem.h"

struct reservation {
	struct list node;
	struct labels_reserved is;
};

static struct reservation *reservation_find(const struct labels *l, const char *name)
{
	struct reservation *r;

	list_for_each(r, &l->reserved, struct reservation, node)
		if (!strcmp(r->is.name, name))
			return r;
	return NULL;
}

static void reserve(struct labels *l, uint32_t label, const char *name)
{
	const struct label_binding *b = label_by_number(l, label);
	char key[128];

	if (b)
		log_warn("labels", "label %u is now held by %s, and %s for %s here", label, name,
			 label_state_str(b->state), label_key_str(&b->key, key, sizeof(key)));
	label_space_reserve(l->space, label);
}

static void unreserve(struct labels *l, uint32_t label)
{
	label_space_release(l->space, label);
	label_number_freed(l, label);
}

bool labels_reserve(struct labels *l, const char *name, uint32_t from, uint32_t to)
{
	struct reservation *r, *at;
	uint32_t label;

	if (from < LABEL_MIN || to > LABEL_MAX || from > to || !strcmp(name, LABELS_KERNEL) ||
	    reservation_find(l, name))
		return false;
	r = xcalloc(1, sizeof(*r));
	snprintf(r->is.name, sizeof(r->is.name), "%s", name);
	r->is.from = from;
	r->is.to = to;
	list_for_each(at, &l->reserved, struct reservation, node)
		if (strcmp(at->is.name, name) > 0)
			break;
	list_add_tail(&at->node, &r->node);	/* the head itself when no name is behind this one */
	for (label = from; label <= to; label++)
		reserve(l, label, name);
	return true;
}

void labels_unreserve(struct labels *l, const char *name)
{
	struct reservation *r = reservation_find(l, name);
	uint32_t label;

	if (!r)
		return;
	list_del(&r->node);
	for (label = r->is.from; label <= r->is.to; label++)
		unreserve(l, label);
	free(r);
}

static bool kernel_holds(const struct labels *l, uint32_t label)
{
	return l->kernel && l->kernel[label / 64] >> label % 64 & 1;
}

void label_reserve_kernel(struct labels *l, uint32_t label, bool held)
{
	if (label < LABEL_MIN || label > LABEL_MAX || kernel_holds(l, label) == held)
		return;
	if (!l->kernel)
		l->kernel = xcalloc(LABEL_SPACE / 64, sizeof(*l->kernel));
	l->kernel[label / 64] ^= 1ull << label % 64;
	if (held)
		reserve(l, label, LABELS_KERNEL);
	else
		unreserve(l, label);
}

const char *label_reserved_by(const struct labels *l, uint32_t label)
{
	struct reservation *r;

	if (!label_space_reserved(l->space, label))
		return NULL;
	list_for_each(r, &l->reserved, struct reservation, node)
		if (label >= r->is.from && label <= r->is.to)
			return r->is.name;
	return LABELS_KERNEL;
}

static bool kernel_next(const struct labels *l, uint32_t label, struct labels_reserved *at)
{
	for (; l->kernel && label < LABEL_SPACE; label++) {
		if (!kernel_holds(l, label))
			continue;
		snprintf(at->name, sizeof(at->name), "%s", LABELS_KERNEL);
		at->from = at->to = label;
		return true;
	}
	return false;
}

bool labels_reserved_next(const struct labels *l, struct labels_reserved *at)
{
	struct reservation *r;

	/* the kernel's come last, whatever the names */
	if (!strcmp(at->name, LABELS_KERNEL))
		return kernel_next(l, at->from + 1, at);
	list_for_each(r, &l->reserved, struct reservation, node) {
		if (strcmp(r->is.name, at->name) > 0) {
			*at = r->is;
			return true;
		}
	}
	return kernel_next(l, 0, at);
}

void labels_reserved_free(struct labels *l)
{
	struct reservation *r, *tmp;

	list_for_each_safe(r, tmp, &l->reserved, struct reservation, node)
		free(r);
	list_init(&l->reserved);
	free(l->kernel);
	l->kernel = NULL;
}
