/* SPDX-License-Identifier: GPL-2.0 */
/* Route distinguishers of types 0, 1 and 2: text and wire. RFC 4364 section 4.2. */
#ifndef L3VPN_VRF_RD_H
#define L3VPN_VRF_RD_H

#include <stdbool.h>

#include "rib/table.h"

#define RD_STRLEN 32

/*
 * "65000:1" (type 0: AS of two octets, number of four), "10.0.0.1:7" (type 1), "4200000000:7" or
 * "65000L:7" (type 2: AS of four octets, number of two). false and *rd untouched when malformed.
 */
bool rd_parse(const char *s, struct rd *rd);
const char *rd_str(const struct rd *rd, char buf[RD_STRLEN]);	/* parses back to the same octets */
int rd_cmp(const struct rd *a, const struct rd *b);

#endif
