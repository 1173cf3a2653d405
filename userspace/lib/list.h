/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Intrusive circular doubly linked list. A head and an unlinked node both point to themselves,
 * so that list_del() on an unlinked node is harmless and list_linked() answers truly.
 */
#ifndef L3VPN_LIB_LIST_H
#define L3VPN_LIB_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *prev;
};

#define LIST_INIT(name) { &(name), &(name) }

#define list_entry(node, type, member) \
	((type *)((char *)(node) - offsetof(type, member)))

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

/* true when @node is on a list (it must have been through list_init() or list_add*() once) */
static inline bool list_linked(const struct list *node)
{
	return node->next != node;
}

static inline void list_insert(struct list *node, struct list *prev, struct list *next)
{
	node->prev = prev;
	node->next = next;
	prev->next = node;
	next->prev = node;
}

static inline void list_add(struct list *head, struct list *node)
{
	list_insert(node, head, head->next);
}

static inline void list_add_tail(struct list *head, struct list *node)
{
	list_insert(node, head->prev, head);
}

/* unlinks and leaves @node as an unlinked node */
static inline void list_del(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* moves all of @from to the end of @to; @from is empty afterwards */
static inline void list_splice_tail(struct list *to, struct list *from)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

#define list_first(head, type, member) list_entry((head)->next, type, member)

#define list_for_each(pos, head, type, member) \
	for (pos = list_entry((head)->next, type, member); &pos->member != (head); \
	     pos = list_entry(pos->member.next, type, member))

/* like list_for_each(); the loop may unlink and free pos (but not tmp) */
#define list_for_each_safe(pos, tmp, head, type, member) \
	for (pos = list_entry((head)->next, type, member), \
	     tmp = list_entry(pos->member.next, type, member); &pos->member != (head); \
	     pos = tmp, tmp = list_entry(tmp->member.next, type, member))

#endif
