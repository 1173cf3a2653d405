/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An AS path on its way: what is done to it before it is told to another AS, or when it came in under another AS number
 * of ours. Segments as in rib/attrs.h, AS numbers of four octets. No state, no allocation.
 */
#ifndef L3VPN_BGP_PATH_H
#define L3VPN_BGP_PATH_H

#include <stdbool.h>
#include <stdint.h>

#define BGP_PATH_MAX	4096	/* octets of a path that is taken up */

/* Room for what is prepended. */
struct bgp_path {
	uint16_t len;
	uint8_t b[BGP_PATH_MAX + 64];
};

/* Which private AS numbers go (RFC 6996: 64512 to 65534, 4200000000 to 4294967294). */
enum bgp_private {
	BGP_PRIVATE_STAY,
	BGP_PRIVATE_LEADING,		/* those before the first one that is not private */
	BGP_PRIVATE_ALL,		/* every one */
	BGP_PRIVATE_ENTIRE,		/* every one, of a path that has no other */
};

/* False: longer than BGP_PATH_MAX. */
bool bgp_path_load(struct bgp_path *p, const uint8_t *octets, uint16_t len);
/* In front; not more often than there is room for: 8 times. */
void bgp_path_prepend(struct bgp_path *p, uint32_t as);
/* @as becomes @ours wherever it stands. */
void bgp_path_override(struct bgp_path *p, uint32_t as, uint32_t ours);
/* @keep is never taken out: the neighbour finds its loops by it. */
void bgp_path_remove_private(struct bgp_path *p, enum bgp_private how, uint32_t keep);

#endif
