/* SPDX-License-Identifier: GPL-2.0 */
/*
 * IPv4 and IPv6 addresses and prefixes. Addresses are in network byte order; an IPv4 address
 * occupies the first four octets and the other twelve are zero, so that structs compare whole.
 */
#ifndef L3VPN_LIB_PREFIX_H
#define L3VPN_LIB_PREFIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct ip_addr {
	uint8_t family;			/* AF_INET, AF_INET6; 0: none */
	uint8_t b[16];
};

struct prefix {
	struct ip_addr addr;
	uint8_t len;			/* 0..32 or 0..128; host bits are zero unless said otherwise */
};

#define ADDR_STRLEN	46
#define PREFIX_STRLEN	50

/* index of per-family arrays */
enum afi { AFI4, AFI6, AFI_MAX };

static inline enum afi family_afi(uint8_t family)
{
	return family == AF_INET6 ? AFI6 : AFI4;
}

static inline uint8_t afi_family(enum afi afi)
{
	return afi == AFI6 ? AF_INET6 : AF_INET;
}

/* octets and bits of an address of @family */
static inline unsigned int addr_octets(uint8_t family)
{
	return family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
}

static inline unsigned int addr_bits(uint8_t family)
{
	return addr_octets(family) * 8;
}

static inline bool addr_is_set(const struct ip_addr *a)
{
	return a->family != 0;
}

/* "10.1.2.3" or "2001:db8::1"; false and *a untouched when it is neither */
bool addr_parse(const char *s, struct ip_addr *a);
/* network byte order octets -> address; @family decides how many are read */
struct ip_addr addr_make(uint8_t family, const void *octets);
struct ip_addr addr_v4(uint32_t host_order);
uint32_t addr_to_v4(const struct ip_addr *a);		/* host order */
const char *addr_str(const struct ip_addr *a, char buf[ADDR_STRLEN]);
/* order: family, then octets */
int addr_cmp(const struct ip_addr *a, const struct ip_addr *b);
uint32_t addr_hash(const struct ip_addr *a, uint32_t seed);
bool addr_is_link_local(const struct ip_addr *a);	/* fe80::/10; 169.254.0.0/16 */
bool addr_is_multicast(const struct ip_addr *a);
bool addr_is_loopback(const struct ip_addr *a);
bool addr_is_unspecified(const struct ip_addr *a);	/* 0.0.0.0, :: */

static inline bool addr_eq(const struct ip_addr *a, const struct ip_addr *b)
{
	return addr_cmp(a, b) == 0;
}

/*
 * prefix_parse() wants "address/length" with host bits zero; prefix_parse_host() takes host bits
 * (an interface address) and a bare address as a host prefix. false and *p untouched when bad.
 */
bool prefix_parse(const char *s, struct prefix *p);
bool prefix_parse_host(const char *s, struct prefix *p);
struct prefix prefix_make(uint8_t family, const void *octets, uint8_t len);	/* masks */
struct prefix prefix_host(const struct ip_addr *a);	/* /32 or /128 */
const char *prefix_str(const struct prefix *p, char buf[PREFIX_STRLEN]);
void prefix_mask(struct prefix *p);			/* clears the host bits */
/* order of walks and of output: family, octets, then the shorter first */
int prefix_cmp(const struct prefix *a, const struct prefix *b);
uint32_t prefix_hash(const struct prefix *p, uint32_t seed);
/* a prefix contains itself; never across families */
bool prefix_contains(const struct prefix *p, const struct prefix *more);
bool prefix_contains_addr(const struct prefix *p, const struct ip_addr *a);

static inline bool prefix_eq(const struct prefix *a, const struct prefix *b)
{
	return prefix_cmp(a, b) == 0;
}

#endif
