/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For whom a message of an update group is: sets of its members, interned, so that what is for the same members shares
 * messages; and what route targets members want to hear of (RFC 4684 section 6). Private to the group's files. Main
 * thread only.
 */
#ifndef L3VPN_BGP_AUDIENCE_H
#define L3VPN_BGP_AUDIENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/hash.h"
#include "lib/list.h"
#include "rib/attrs.h"

#define BGP_MEMBERS_MAX 65535

/* Bits by number of member, growing; absent words are zero. */
struct bgp_bits {
	uint64_t *word;
	uint32_t n;
};

void bits_set(struct bgp_bits *b, uint32_t i);
void bits_clear(struct bgp_bits *b, uint32_t i);
bool bits_test(const struct bgp_bits *b, uint32_t i);
void bits_free(struct bgp_bits *b);

struct bgp_audience {
	struct hash_node node;
	uint32_t n;		/* words; at least 1, the last one is not zero */
	uint64_t word[];
};

static inline bool audience_has(const struct bgp_audience *a, uint32_t i)
{
	return a && i / 64 < a->n && a->word[i / 64] >> (i & 63) & 1;
}

/* All sets that a group speaks of, until audiences_clear(). */
struct bgp_audiences {
	struct hash hash;
};

/* NULL: nobody */
const struct bgp_audience *audience_intern(struct bgp_audiences *as, const struct bgp_bits *b);
void audiences_clear(struct bgp_audiences *as);

/*
 * Which member wants which route targets. A target is the first @bits (0..64) of an extended community: 0 is all of
 * them, and what has none. @had is true until interest_settle(): who ceased to want something is still to be told
 * that it goes.
 */
struct bgp_interest {
	struct hash exact;		/* of 64 bits */
	struct list ranges;		/* of fewer */
};

void interest_init(struct bgp_interest *in);
void interest_free(struct bgp_interest *in);
void interest_set(struct bgp_interest *in, uint32_t member, const uint8_t rt[8], uint8_t bits, bool wants);
/* what it ceased to want has been taken back */
void interest_settle(struct bgp_interest *in, uint32_t member);
void interest_forget(struct bgp_interest *in, uint32_t member);
/* adds to *out those who want a route with these attributes; with @had also those who did */
void interest_in(const struct bgp_interest *in, const struct attrs *a, bool had, struct bgp_bits *out);

#endif
