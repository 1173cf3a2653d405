/* SPDX-License-Identifier: GPL-2.0 */
/* "implicit-null", "explicit-null" or a number: an outgoing label as configured (RFC 3032). */
#ifndef L3VPN_STATIC_OUT_LABEL_H
#define L3VPN_STATIC_OUT_LABEL_H

#include <stdbool.h>
#include <stdint.h>

/* explicit-null is 0 towards IPv4 next hops, 2 towards IPv6 ones */
bool out_label_parse(const char *s, uint8_t family, uint32_t *label);

#endif
