/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: the label table, an array indexed by label (RFC 3031: the ILM).
 *
 * Implemented by: label.c (data plane): the array alone. Entries are made, referenced and freed
 * by ilm.c (control plane), which is the only writer.
 *
 * The array is sized by its content: an empty table costs next to nothing, and entries are found
 * in at most two dependent loads. Writers hold ln->lock; readers are inside rcu_read_lock.
 */
#ifndef _L3VPN_LABEL_H
#define _L3VPN_LABEL_H

#include <linux/compiler.h>
#include <linux/rcupdate.h>
#include <linux/types.h>
#include <linux/l3vpn.h>

struct l3vpn_ilm;			/* ilm.h */

#define L3VPN_LABEL_PAGE_BITS	10
#define L3VPN_LABEL_PAGES	(1U << (20 - L3VPN_LABEL_PAGE_BITS))

#define L3VPN_LABEL_PAGE_ENTRIES (1U << L3VPN_LABEL_PAGE_BITS)

/**
 * struct l3vpn_label_page - entries of L3VPN_LABEL_PAGE_BITS bits of label; private to label.c
 * @rcu: frees
 * @used: entries present; writers only
 * @entry: by the low bits of the label
 */
struct l3vpn_label_page {
	struct rcu_head rcu;
	unsigned int used;
	struct l3vpn_ilm __rcu *entry[L3VPN_LABEL_PAGE_ENTRIES];
};

/**
 * struct l3vpn_label_table - embedded in struct l3vpn_net
 * @pages:	array of L3VPN_LABEL_PAGES page pointers, NULL until the first entry; RCU
 */
struct l3vpn_label_table {
	struct l3vpn_label_page __rcu * __rcu *pages;
};

/* Process context. Init makes an empty table and cannot fail. */
void l3vpn_label_init(struct l3vpn_label_table *lt);

/* Process context, no entries left, no readers left: frees the array. */
void l3vpn_label_destroy(struct l3vpn_label_table *lt);

/* Inside rcu_read_lock. NULL: no entry. @label is 0..L3VPN_LABEL_MAX. */
static inline struct l3vpn_ilm *l3vpn_label_lookup_rcu(const struct l3vpn_label_table *lt, u32 label)
{
	struct l3vpn_label_page __rcu **pages = rcu_dereference(lt->pages);
	struct l3vpn_label_page *page;

	if (unlikely(!pages || label > L3VPN_LABEL_MAX))
		return NULL;
	page = rcu_dereference(pages[label >> L3VPN_LABEL_PAGE_BITS]);
	return page ? rcu_dereference(page->entry[label & (L3VPN_LABEL_PAGE_ENTRIES - 1)]) : NULL;
}

/* Under ln->lock. NULL: no entry. */
struct l3vpn_ilm *l3vpn_label_find(const struct l3vpn_label_table *lt, u32 label);

/*
 * Under ln->lock, may sleep. Publishes @ilm (not NULL) at @label; *@old is what was there, or NULL:
 * the caller frees it after a grace period. 0, or -ENOMEM (nothing changed). Cannot fail where an
 * entry is there already.
 */
int l3vpn_label_set(struct l3vpn_label_table *lt, u32 label, struct l3vpn_ilm *ilm,
		    struct l3vpn_ilm **old);

/* Under ln->lock. Unpublishes; returns what was there (caller frees after a grace period) or NULL. */
struct l3vpn_ilm *l3vpn_label_clear(struct l3vpn_label_table *lt, u32 label);

/* Under ln->lock. The first entry at @label or above; NULL: none. Restartable by its label + 1. */
struct l3vpn_ilm *l3vpn_label_next(const struct l3vpn_label_table *lt, u32 label);

#endif /* _L3VPN_LABEL_H */
