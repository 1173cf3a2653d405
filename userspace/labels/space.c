// SPDX-License-Identifier: GPL-2.0
/* The label space (space.h): a bitmap of what is taken, two bitmaps of its full words, and pages of pointers. */
#include "labels/space.h"

#include <stdlib.h>

#include "lib/mem.h"

#define PAGE	1024u

struct page {
	uint32_t used;
	uint16_t reserved[PAGE];	/* how often */
	void *at[PAGE];
};

struct label_space {
	uint64_t taken[LABEL_SPACE / 64];
	uint64_t full[LABEL_SPACE / 64 / 64];		/* words of ->taken without a zero */
	uint64_t fuller[LABEL_SPACE / 64 / 64 / 64];	/* words of ->full without a zero */
	struct page *page[LABEL_SPACE / PAGE];
};

struct label_space *label_space_new(void)
{
	return xcalloc(1, sizeof(struct label_space));
}

void label_space_free(struct label_space *s)
{
	unsigned int i;

	for (i = 0; i < LABEL_SPACE / PAGE; i++)
		free(s->page[i]);
	free(s);
}

/* ---- the bitmaps ---- */

static bool bit(const uint64_t *map, uint32_t n)
{
	return map[n / 64] >> n % 64 & 1;
}

static void bit_set(uint64_t *map, uint32_t n, bool on)
{
	if (on)
		map[n / 64] |= 1ull << n % 64;
	else
		map[n / 64] &= ~(1ull << n % 64);
}

static void mark(struct label_space *s, uint32_t label, bool taken)
{
	bit_set(s->taken, label, taken);
	bit_set(s->full, label / 64, s->taken[label / 64] == UINT64_MAX);
	bit_set(s->fuller, label / 64 / 64, s->full[label / 64 / 64] == UINT64_MAX);
}

/* the first zero of @map's word of bit @n, from bit @n on; -1: none */
static int64_t zero_in_word(const uint64_t *map, uint32_t n)
{
	uint64_t zeros = ~map[n / 64] & ~0ull << n % 64;

	return zeros ? (int64_t)(n / 64 * 64) + __builtin_ctzll(zeros) : -1;
}

/* the first zero of ->taken from @n on; LABEL_SPACE: none */
static uint32_t zero_from(const struct label_space *s, uint32_t n)
{
	int64_t word, words;
	uint32_t top;

	if (n >= LABEL_SPACE)
		return LABEL_SPACE;
	word = zero_in_word(s->taken, n);
	if (word >= 0)
		return word;
	n = n / 64 + 1;
	if (n >= LABEL_SPACE / 64)
		return LABEL_SPACE;
	words = zero_in_word(s->full, n);
	for (top = n / 64 + 1; words < 0 && top < LABEL_SPACE / 64 / 64; top++)
		if (!bit(s->fuller, top))
			words = zero_in_word(s->full, top * 64);
	return words < 0 ? LABEL_SPACE : zero_in_word(s->taken, words * 64);
}

int64_t label_space_next(const struct label_space *s, uint32_t from, uint32_t to, uint32_t at)
{
	uint32_t label = zero_from(s, at);

	if (label <= to)
		return label;
	label = zero_from(s, from);
	return label < at && label <= to ? (int64_t)label : -1;
}

uint32_t label_space_taken(const struct label_space *s, uint32_t from, uint32_t to)
{
	uint32_t label, count = 0;

	for (label = from; label <= to;) {
		if (label % 64 || to - label < 63) {
			count += bit(s->taken, label++);
		} else {
			count += __builtin_popcountll(s->taken[label / 64]);
			label += 64;
		}
	}
	return count;
}

/* ---- what stands where ---- */

static struct page *page_make(struct label_space *s, uint32_t label)
{
	struct page **page = &s->page[label / PAGE];

	if (!*page)
		*page = xcalloc(1, sizeof(**page));
	return *page;
}

/* number @label of @page has gained (@by 1) or lost (-1) a reason to be taken */
static void page_count(struct label_space *s, struct page *page, uint32_t label, int by)
{
	page->used += by;
	mark(s, label, page->at[label % PAGE] || page->reserved[label % PAGE]);
	if (!page->used) {
		s->page[label / PAGE] = NULL;
		free(page);
	}
}

void *label_space_get(const struct label_space *s, uint32_t label)
{
	const struct page *page = label < LABEL_SPACE ? s->page[label / PAGE] : NULL;

	return page ? page->at[label % PAGE] : NULL;
}

void label_space_put(struct label_space *s, uint32_t label, void *what)
{
	struct page *page = page_make(s, label);
	void *old = page->at[label % PAGE];

	page->at[label % PAGE] = what;
	page_count(s, page, label, !!what - !!old);
}

void *label_space_after(const struct label_space *s, int64_t label)
{
	const struct page *page;
	uint32_t n;

	for (n = label + 1; n < LABEL_SPACE; n++) {
		page = s->page[n / PAGE];
		if (!page)
			n |= PAGE - 1;
		else if (page->at[n % PAGE])
			return page->at[n % PAGE];
	}
	return NULL;
}

void label_space_reserve(struct label_space *s, uint32_t label)
{
	struct page *page = page_make(s, label);

	page->reserved[label % PAGE]++;
	page_count(s, page, label, 1);
}

void label_space_release(struct label_space *s, uint32_t label)
{
	struct page *page = s->page[label / PAGE];

	page->reserved[label % PAGE]--;
	page_count(s, page, label, -1);
}

bool label_space_reserved(const struct label_space *s, uint32_t label)
{
	const struct page *page = label < LABEL_SPACE ? s->page[label / PAGE] : NULL;

	return page && page->reserved[label % PAGE];
}
