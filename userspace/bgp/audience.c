// SPDX-License-Identifier: GPL-2.0
/* Sets of members, and what route targets they want (audience.h). */
#include "bgp/audience.h"

#include <stdlib.h>
#include <string.h>

#include "lib/list.h"
#include "lib/mem.h"

/* ---- bits ---- */

static void bits_room(struct bgp_bits *b, uint32_t words)
{
	if (words <= b->n)
		return;
	b->word = xrealloc(b->word, words * sizeof(*b->word));
	memset(b->word + b->n, 0, (words - b->n) * sizeof(*b->word));
	b->n = words;
}

void bits_set(struct bgp_bits *b, uint32_t i)
{
	bits_room(b, i / 64 + 1);
	b->word[i / 64] |= 1ull << (i & 63);
}

void bits_clear(struct bgp_bits *b, uint32_t i)
{
	if (i / 64 < b->n)
		b->word[i / 64] &= ~(1ull << (i & 63));
}

bool bits_test(const struct bgp_bits *b, uint32_t i)
{
	return i / 64 < b->n && b->word[i / 64] >> (i & 63) & 1;
}

static void bits_or(struct bgp_bits *b, const struct bgp_bits *more)
{
	bits_room(b, more->n);
	for (uint32_t i = 0; i < more->n; i++)
		b->word[i] |= more->word[i];
}

void bits_free(struct bgp_bits *b)
{
	free(b->word);
	b->word = NULL;
	b->n = 0;
}

/* ---- audiences ---- */

static bool match(const struct hash_node *n, const void *key)
{
	const struct bgp_audience *a = hash_entry(n, struct bgp_audience, node);
	const struct bgp_bits *b = key;

	return a->n == b->n && !memcmp(a->word, b->word, a->n * sizeof(*a->word));
}

const struct bgp_audience *audience_intern(struct bgp_audiences *as, const struct bgp_bits *b)
{
	struct bgp_bits trimmed = *b;
	struct bgp_audience *a;
	struct hash_node *found;
	uint32_t hash;

	while (trimmed.n && !trimmed.word[trimmed.n - 1])
		trimmed.n--;
	if (!trimmed.n)
		return NULL;
	hash = hash_bytes(trimmed.word, trimmed.n * sizeof(*trimmed.word), 0);
	found = hash_find(&as->hash, hash, match, &trimmed);
	if (found)
		return hash_entry(found, struct bgp_audience, node);
	a = xcalloc(1, sizeof(*a) + trimmed.n * sizeof(*a->word));
	a->n = trimmed.n;
	memcpy(a->word, trimmed.word, trimmed.n * sizeof(*a->word));
	hash_insert(&as->hash, &a->node, hash);
	return a;
}

void audiences_clear(struct bgp_audiences *as)
{
	struct hash_node *n;

	while ((n = hash_drain(&as->hash)))
		free(hash_entry(n, struct bgp_audience, node));
}

/* ---- interest ---- */

struct wish {
	struct hash_node node;		/* of 64 bits */
	struct list range;		/* of fewer */
	uint8_t rt[8];
	uint8_t bits;
	struct bgp_bits want, had;
	struct wish *idle;		/* the next one that nobody wants, in a sweep */
};

void interest_init(struct bgp_interest *in)
{
	hash_init(&in->exact);
	list_init(&in->ranges);
}

static void wish_free(struct wish *w)
{
	bits_free(&w->want);
	bits_free(&w->had);
	free(w);
}

void interest_free(struct bgp_interest *in)
{
	struct wish *w, *tmp;
	struct hash_node *n;

	while ((n = hash_drain(&in->exact)))
		wish_free(hash_entry(n, struct wish, node));
	list_for_each_safe(w, tmp, &in->ranges, struct wish, range) {
		list_del(&w->range);
		wish_free(w);
	}
}

static bool match_wish(const struct hash_node *n, const void *rt)
{
	return !memcmp(hash_entry(n, struct wish, node)->rt, rt, 8);
}

static struct wish *wish_exact(const struct bgp_interest *in, const uint8_t rt[8])
{
	struct hash_node *n = hash_find(&in->exact, hash_bytes(rt, 8, 0), match_wish, rt);

	return n ? hash_entry(n, struct wish, node) : NULL;
}

static struct wish *wish_get(struct bgp_interest *in, const uint8_t rt[8], uint8_t bits)
{
	struct wish *w;

	if (bits == 64) {
		w = wish_exact(in, rt);
		if (w)
			return w;
	} else {
		list_for_each(w, &in->ranges, struct wish, range)
			if (w->bits == bits && !memcmp(w->rt, rt, 8))
				return w;
	}
	w = xcalloc(1, sizeof(*w));
	memcpy(w->rt, rt, 8);
	w->bits = bits;
	if (bits == 64)
		hash_insert(&in->exact, &w->node, hash_bytes(rt, 8, 0));
	else
		list_add_tail(&in->ranges, &w->range);
	return w;
}

void interest_set(struct bgp_interest *in, uint32_t member, const uint8_t rt[8], uint8_t bits, bool wants)
{
	struct wish *w = wish_get(in, rt, bits);

	bits_set(&w->had, member);
	if (wants)
		bits_set(&w->want, member);
	else
		bits_clear(&w->want, member);
}

/* had becomes what is wanted, or nothing at all */
static void let_go(struct wish *w, uint32_t member, bool all)
{
	if (all)
		bits_clear(&w->want, member);
	if (!bits_test(&w->want, member))
		bits_clear(&w->had, member);
}

static bool wish_idle(const struct wish *w)
{
	for (uint32_t i = 0; i < w->had.n; i++)
		if (w->had.word[i])
			return false;
	return true;
}

/* the table may shrink when something is removed: nothing is while it is walked */
static void sweep(struct bgp_interest *in, uint32_t member, bool all)
{
	struct wish *w, *tmp, *idle = NULL;
	struct hash_node *n;

	for (n = hash_next(&in->exact, NULL); n; n = hash_next(&in->exact, n)) {
		w = hash_entry(n, struct wish, node);
		let_go(w, member, all);
		if (!wish_idle(w))
			continue;
		w->idle = idle;
		idle = w;
	}
	for (; idle; idle = tmp) {
		tmp = idle->idle;
		hash_remove(&in->exact, &idle->node);
		wish_free(idle);
	}
	list_for_each_safe(w, tmp, &in->ranges, struct wish, range) {
		let_go(w, member, all);
		if (!wish_idle(w))
			continue;
		list_del(&w->range);
		wish_free(w);
	}
}

void interest_settle(struct bgp_interest *in, uint32_t member)
{
	sweep(in, member, false);
}

void interest_forget(struct bgp_interest *in, uint32_t member)
{
	sweep(in, member, true);
}

static bool covers(const struct wish *w, const uint8_t rt[8])
{
	unsigned int whole = w->bits / 8, rest = w->bits & 7;

	if (memcmp(w->rt, rt, whole))
		return false;
	return !rest || !((w->rt[whole] ^ rt[whole]) >> (8 - rest));
}

static void wish_in(const struct wish *w, bool had, struct bgp_bits *out)
{
	bits_or(out, &w->want);
	if (had)
		bits_or(out, &w->had);
}

void interest_in(const struct bgp_interest *in, const struct attrs *a, bool had, struct bgp_bits *out)
{
	uint16_t len = 0, at;
	const uint8_t *ext = a ? attrs_part(a, ATTRS_EXT, &len) : NULL;
	struct wish *w;

	list_for_each(w, &in->ranges, struct wish, range)
		if (!w->bits)
			wish_in(w, had, out);
	for (at = 0; at < len; at += 8) {
		if (!attrs_is_target(ext + at))
			continue;
		w = wish_exact(in, ext + at);
		if (w)
			wish_in(w, had, out);
		list_for_each(w, &in->ranges, struct wish, range)
			if (w->bits && covers(w, ext + at))
				wish_in(w, had, out);
	}
}
