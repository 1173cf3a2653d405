/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Path attributes: immutable, interned, reference counted. Two routes with equal attributes hold
 * the same struct attrs, so equality is pointer equality.
 *
 * A struct attrs_builder is filled by anyone (any thread; it points to the caller's octets and
 * owns nothing); attrs_intern() copies it, main thread only. RFC 4271, 4360, 4456, 5701, 6793,
 * 8092. Wire numbers of more than one octet inside parts stay in network byte order.
 */
#ifndef L3VPN_RIB_ATTRS_H
#define L3VPN_RIB_ATTRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/hash.h"
#include "lib/prefix.h"
#include "rib/list.h"

enum attrs_origin { ORIGIN_IGP, ORIGIN_EGP, ORIGIN_INCOMPLETE };

/* Parts of variable length. Sorted and free of duplicates once interned: COMMUNITY, EXT, LARGE. */
enum attrs_part {
	ATTRS_AS_PATH,		/* segments {type 1, count 1, AS 4 each}: always the 4-octet form */
	ATTRS_COMMUNITY,	/* 4 octets each */
	ATTRS_EXT,		/* extended communities, 8 octets each; route targets are among them */
	ATTRS_LARGE,		/* 12 octets each */
	ATTRS_CLUSTERS,		/* cluster list, 4 octets each, in order */
	/* whole attributes {flags, type, length 2 (always extended), value}: optional transitive
	 * ones to pass on, ascending by type
	 */
	ATTRS_UNKNOWN,
	ATTRS_PARTS
};

#define ATTRS_HAS_MED		0x01
#define ATTRS_HAS_LOCAL_PREF	0x02
#define ATTRS_HAS_AGGREGATOR	0x04
#define ATTRS_ATOMIC_AGGREGATE	0x08
#define ATTRS_HAS_ORIGINATOR	0x10

#define ATTRS_LOCAL_PREF_DEFAULT 100

/* What is fixed in size. Zero it whole before filling: it is hashed and compared as octets. */
struct attrs_fixed {
	uint8_t origin;			/* enum attrs_origin */
	uint8_t flags;			/* ATTRS_HAS_*, ATTRS_ATOMIC_AGGREGATE */
	struct ip_addr nexthop;		/* family 0: the speaker itself (local route) */
	struct ip_addr nexthop_ll;	/* second, link-local next hop of an IPv6 pair, or family 0 */
	uint32_t med;			/* numbers in host order; zero when absent */
	uint32_t local_pref;
	uint32_t aggregator_as;
	uint32_t aggregator_addr;
	uint32_t originator_id;
};

struct carrier;

struct attrs {
	struct hash_node node;
	uint32_t refs;
	struct rib_list routes;		/* of the VPN tables, targets.c */
	uint32_t imported;		/* what bgp/retain.c found out about its route targets; 0: nothing yet */
	struct carrier *carriers;
	uint32_t neighbour_as;		/* first AS of the path, 0 when empty or a set comes first */
	uint16_t path_length;		/* as RFC 4271 9.1.2.2 a counts: a set is one; RFC 5065: confeds 0 */
	uint16_t part_end[ATTRS_PARTS];	/* in data */
	struct attrs_fixed f;
	uint8_t data[];
};

struct attrs_builder {
	struct attrs_fixed f;
	struct {
		const uint8_t *data;
		uint16_t len;
	} part[ATTRS_PARTS];
};

/*
 * Returns a reference to the one struct attrs with this content. NULL only if a part has a
 * length that is no multiple of its element, an AS path that does not parse, or all parts
 * together exceed 65,535 octets.
 */
struct attrs *attrs_intern(const struct attrs_builder *b);

static inline struct attrs *attrs_get(struct attrs *a)
{
	a->refs++;
	return a;
}

void attrs_put(struct attrs *a);		/* NULL is fine */
uint32_t attrs_count(void);			/* different ones alive */

static inline const uint8_t *attrs_part(const struct attrs *a, enum attrs_part part, uint16_t *len)
{
	uint16_t start = part ? a->part_end[part - 1] : 0;

	*len = a->part_end[part] - start;
	return a->data + start;
}

/* a builder that says the same; it points into @a, which must outlive it */
void attrs_to_builder(const struct attrs *a, struct attrs_builder *b);

/* times that @as occurs in the AS path (loop check) */
unsigned int attrs_path_count(const struct attrs *a, uint32_t as);
/* is that extended community a route target? RFC 4360 section 4, RFC 5668 */
static inline bool attrs_is_target(const uint8_t ext[8])
{
	return ext[0] <= 2 && ext[1] == 2;
}

bool attrs_has_ext(const struct attrs *a, const uint8_t ext[8]);
uint32_t attrs_local_pref(const struct attrs *a);	/* 100 when absent */

/* text of the AS path, "" when empty; truncated to size */
const char *attrs_path_str(const struct attrs *a, char *buf, size_t size);

#endif
