/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Path attributes on the wire, as a table: one row for each that this speaker knows. Reading
 * serves update.c alone; writing (encode.c) serves outbound groups.
 */
#ifndef L3VPN_BGP_ATTR_H
#define L3VPN_BGP_ATTR_H

#include "bgp/update.h"
#include "lib/buf.h"

/* The state of reading one UPDATE. */
struct bgp_reader {
	const struct bgp_decode *d;
	struct bgp_update *u;
	struct bgp_batch *batch;
	struct bgp_notification *err;	/* code set: the session must end */
	uint32_t seen[8];		/* bitmap of attribute types */
	bool no_memory;
	bool other_attr;		/* one other than MP_UNREACH_NLRI */
	struct ip_addr nexthop;		/* NEXT_HOP */
	struct cursor as4_path;		/* AS4_PATH, to be merged */
	bool has_as4_path;
	uint32_t as4_aggregator_as, as4_aggregator_addr;
	bool has_as4_aggregator;
	int mp_reach;			/* its index in parts, or -1 */
	int mp_unreach;
};

static inline bool bgp_reader_saw(const struct bgp_reader *r, uint8_t code)
{
	return r->seen[code / 32] & 1u << code % 32;
}

void bgp_reader_fail(struct bgp_reader *r, enum bgp_outcome outcome, uint8_t attr, const char *why);
void bgp_reader_reset(struct bgp_reader *r, uint8_t attr, uint8_t subcode, const void *data,
		      size_t len, const char *why);
/* Memory of the batch; NULL sets no_memory. */
uint8_t *bgp_reader_alloc(struct bgp_reader *r, size_t len);
/* Reads a field of NLRI into a new part; its index, -1 without memory. *bad: incorrect syntax. */
int bgp_reader_routes(struct bgp_reader *r, enum bgp_family f, struct cursor c, bool withdraw,
		      bool *bad);

/* Reads one attribute; @all is the whole of it, header included. */
void bgp_attr_read(struct bgp_reader *r, uint8_t flags, uint8_t code, struct cursor value,
		   struct cursor all);
/* After the last attribute: merges the AS4 attributes (RFC 6793 4.2.3), checks the path. */
void bgp_attr_finish(struct bgp_reader *r);

/* ---- writing ---- */

struct bgp_encode {
	bool as4;		/* the peer reads four-octet AS numbers */
	bool internal;		/* iBGP: LOCAL_PREF goes out */
};

/*
 * All attributes of @a but NEXT_HOP and MP_REACH_NLRI. @plain_nexthop: an IPv4 next hop that
 * goes out as NEXT_HOP, or family 0.
 */
void bgp_attrs_encode(struct buf *b, const struct bgp_encode *e, const struct attrs *a,
		      const struct ip_addr *plain_nexthop);
/*
 * Opens MP_REACH_NLRI up to where its NLRI go; bgp_mp_end() closes either kind. The next hop
 * takes the form that the family wants: RFC 4364 4.3.2 (12 octets), RFC 4659 3.2.1 (24, 48),
 * RFC 8950, and ::ffff:a.b.c.d for IPv6 families over an IPv4 next hop; RFC 4684 section 7 (4, 16).
 */
size_t bgp_mp_reach_begin(struct buf *b, enum bgp_family f, const struct ip_addr *nexthop,
			  const struct ip_addr *nexthop_ll);
size_t bgp_mp_unreach_begin(struct buf *b, enum bgp_family f);
void bgp_mp_end(struct buf *b, size_t start);

#endif
