/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The label space: the numbers 0..1048575, which of them are taken, and what stands at each. A number is
 * taken while something stands there or while it is reserved; finding the next free one costs three
 * words, however many are taken. 150 kB, and 8 kB for each 1,024 numbers in use. Main thread only.
 */
#ifndef L3VPN_LABELS_SPACE_H
#define L3VPN_LABELS_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#define LABEL_SPACE	(1u << 20)

struct label_space;

struct label_space *label_space_new(void);
/* what still stands in it is the caller's */
void label_space_free(struct label_space *s);

/* what stands at @label, below LABEL_SPACE; NULL: nothing */
void *label_space_get(const struct label_space *s, uint32_t label);
/* @what NULL takes it out */
void label_space_put(struct label_space *s, uint32_t label, void *what);
/* the first thing behind @label; -1: from the start; NULL: no more */
void *label_space_after(const struct label_space *s, int64_t label);

/* Counts: a number is reserved as long as it has been more often than released. */
void label_space_reserve(struct label_space *s, uint32_t label);
void label_space_release(struct label_space *s, uint32_t label);
bool label_space_reserved(const struct label_space *s, uint32_t label);

/* The first free number from @at to @to, else from @from on; -1: all are taken. @from <= @at <= @to + 1. */
int64_t label_space_next(const struct label_space *s, uint32_t from, uint32_t to, uint32_t at);
/* numbers taken from @from to @to */
uint32_t label_space_taken(const struct label_space *s, uint32_t from, uint32_t to);

#endif
