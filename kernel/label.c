// SPDX-License-Identifier: GPL-2.0
/*
 * label: the label table (RFC 3031's incoming label map): a sparse array in two levels.
 *
 * See label.h for the contract. Page and directory come with the first entry that needs them; a
 * page that becomes empty is freed after a grace period, so that label blocks which moved away
 * leave nothing behind. Entries are ilm.c's.
 */
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include "label.h"

static unsigned int page_of(u32 label)
{
	return label >> L3VPN_LABEL_PAGE_BITS;
}

static unsigned int entry_of(u32 label)
{
	return label & (L3VPN_LABEL_PAGE_ENTRIES - 1);
}

void l3vpn_label_init(struct l3vpn_label_table *lt)
{
	RCU_INIT_POINTER(lt->pages, NULL);
}

void l3vpn_label_destroy(struct l3vpn_label_table *lt)
{
	struct l3vpn_label_page __rcu **pages = rcu_dereference_protected(lt->pages, true);
	unsigned int i;

	RCU_INIT_POINTER(lt->pages, NULL);
	for (i = 0; pages && i < L3VPN_LABEL_PAGES; i++)
		kfree(rcu_dereference_protected(pages[i], true));
	kfree(pages);
}

static struct l3vpn_label_page *writer_page(const struct l3vpn_label_table *lt, u32 label)
{
	struct l3vpn_label_page __rcu **pages = rcu_dereference_protected(lt->pages, true);

	if (!pages || label > L3VPN_LABEL_MAX)
		return NULL;
	return rcu_dereference_protected(pages[page_of(label)], true);
}

struct l3vpn_ilm *l3vpn_label_find(const struct l3vpn_label_table *lt, u32 label)
{
	struct l3vpn_label_page *page = writer_page(lt, label);

	return page ? rcu_dereference_protected(page->entry[entry_of(label)], true) : NULL;
}

static struct l3vpn_label_page *make_page(struct l3vpn_label_table *lt, u32 label)
{
	struct l3vpn_label_page __rcu **pages = rcu_dereference_protected(lt->pages, true);
	struct l3vpn_label_page *page;

	if (!pages) {
		pages = kcalloc(L3VPN_LABEL_PAGES, sizeof(*pages), GFP_KERNEL_ACCOUNT);
		if (!pages)
			return NULL;
		rcu_assign_pointer(lt->pages, pages);
	}
	page = kzalloc(sizeof(*page), GFP_KERNEL_ACCOUNT);
	if (page)
		rcu_assign_pointer(pages[page_of(label)], page);
	return page;
}

int l3vpn_label_set(struct l3vpn_label_table *lt, u32 label, struct l3vpn_ilm *ilm,
		    struct l3vpn_ilm **old)
{
	struct l3vpn_label_page *page = writer_page(lt, label);

	if (!page) {
		page = make_page(lt, label);
		if (!page)
			return -ENOMEM;
	}
	*old = rcu_dereference_protected(page->entry[entry_of(label)], true);
	rcu_assign_pointer(page->entry[entry_of(label)], ilm);
	if (!*old)
		page->used++;
	return 0;
}

struct l3vpn_ilm *l3vpn_label_clear(struct l3vpn_label_table *lt, u32 label)
{
	struct l3vpn_label_page __rcu **pages = rcu_dereference_protected(lt->pages, true);
	struct l3vpn_label_page *page = writer_page(lt, label);
	struct l3vpn_ilm *old;

	if (!page)
		return NULL;
	old = rcu_dereference_protected(page->entry[entry_of(label)], true);
	if (!old)
		return NULL;
	RCU_INIT_POINTER(page->entry[entry_of(label)], NULL);
	if (!--page->used) {
		RCU_INIT_POINTER(pages[page_of(label)], NULL);
		kfree_rcu(page, rcu);
	}
	return old;
}

struct l3vpn_ilm *l3vpn_label_next(const struct l3vpn_label_table *lt, u32 label)
{
	while (label <= L3VPN_LABEL_MAX) {
		struct l3vpn_label_page *page = writer_page(lt, label);
		unsigned int i;

		for (i = entry_of(label); page && i < L3VPN_LABEL_PAGE_ENTRIES; i++) {
			struct l3vpn_ilm *ilm = rcu_dereference_protected(page->entry[i], true);

			if (ilm)
				return ilm;
		}
		label = (page_of(label) + 1) << L3VPN_LABEL_PAGE_BITS;
	}
	return NULL;
}
