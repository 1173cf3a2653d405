/* SPDX-License-Identifier: GPL-2.0 */
/*
 * "administrator:number", the six octets that route distinguishers (RFC 4364 4.2) and route
 * targets (RFC 4360 4, RFC 5668) have in common, in three types.
 */
#ifndef L3VPN_VRF_ADMIN_H
#define L3VPN_VRF_ADMIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum admin_type {
	ADMIN_AS2 = 0,		/* AS number of 2 octets, number of 4 */
	ADMIN_IPV4 = 1,		/* IPv4 address, number of 2 */
	ADMIN_AS4 = 2,		/* AS number of 4 octets, number of 2 */
};

bool admin_parse(const char *s, uint8_t *type, uint8_t octets[6]);
const char *admin_str(uint8_t type, const uint8_t octets[6], char *buf, size_t size);

#endif
