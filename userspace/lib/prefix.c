// SPDX-License-Identifier: GPL-2.0
/* IPv4 and IPv6 addresses and prefixes (prefix.h). */
#include "lib/prefix.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "lib/hash.h"

bool addr_parse(const char *s, struct ip_addr *a)
{
	struct ip_addr r = { 0 };

	r.family = strchr(s, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(r.family, s, r.b) != 1)
		return false;
	*a = r;
	return true;
}

struct ip_addr addr_make(uint8_t family, const void *octets)
{
	struct ip_addr a = { .family = family };

	memcpy(a.b, octets, addr_octets(family));
	return a;
}

struct ip_addr addr_v4(uint32_t v)
{
	uint32_t n = htonl(v);

	return addr_make(AF_INET, &n);
}

uint32_t addr_to_v4(const struct ip_addr *a)
{
	uint32_t n;

	memcpy(&n, a->b, sizeof(n));
	return ntohl(n);
}

const char *addr_str(const struct ip_addr *a, char buf[ADDR_STRLEN])
{
	if (!addr_octets(a->family) || !inet_ntop(a->family, a->b, buf, ADDR_STRLEN))
		strcpy(buf, "-");
	return buf;
}

int addr_cmp(const struct ip_addr *a, const struct ip_addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->b, b->b, addr_octets(a->family));
}

uint32_t addr_hash(const struct ip_addr *a, uint32_t seed)
{
	return hash_bytes(a->b, addr_octets(a->family), seed ^ a->family);
}

bool addr_is_link_local(const struct ip_addr *a)
{
	if (a->family == AF_INET6)
		return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
	return a->family == AF_INET && a->b[0] == 169 && a->b[1] == 254;
}

bool addr_is_multicast(const struct ip_addr *a)
{
	if (a->family == AF_INET6)
		return a->b[0] == 0xff;
	return a->family == AF_INET && (a->b[0] & 0xf0) == 0xe0;
}

bool addr_is_loopback(const struct ip_addr *a)
{
	static const uint8_t loop[16] = { [15] = 1 };

	if (a->family == AF_INET6)
		return !memcmp(a->b, loop, 16);
	return a->family == AF_INET && a->b[0] == 127;
}

bool addr_is_unspecified(const struct ip_addr *a)
{
	static const uint8_t zero[16];

	return a->family && !memcmp(a->b, zero, addr_octets(a->family));
}

void prefix_mask(struct prefix *p)
{
	unsigned int octets = addr_octets(p->addr.family), i = p->len / 8;

	if (i >= octets)
		return;
	p->addr.b[i] &= (uint8_t)(0xff00 >> (p->len & 7));
	memset(p->addr.b + i + 1, 0, octets - i - 1);
}

bool prefix_parse_host(const char *s, struct prefix *p)
{
	const char *slash = strchr(s, '/');
	char text[ADDR_STRLEN];
	struct prefix r = { 0 };
	unsigned int len = 0;
	const char *d;

	if (!slash) {
		if (!addr_parse(s, &r.addr))
			return false;
		r.len = addr_bits(r.addr.family);
		*p = r;
		return true;
	}
	if ((size_t)(slash - s) >= sizeof(text))
		return false;
	memcpy(text, s, slash - s);
	text[slash - s] = 0;
	if (!addr_parse(text, &r.addr) || !slash[1])
		return false;
	for (d = slash + 1; *d; d++) {
		if (*d < '0' || *d > '9' || len > 99 || (d > slash + 1 && len == 0))
			return false;
		len = len * 10 + (*d - '0');
	}
	if (len > addr_bits(r.addr.family))
		return false;
	r.len = len;
	*p = r;
	return true;
}

bool prefix_parse(const char *s, struct prefix *p)
{
	struct prefix r, masked;

	if (!strchr(s, '/') || !prefix_parse_host(s, &r))
		return false;
	masked = r;
	prefix_mask(&masked);
	if (!addr_eq(&masked.addr, &r.addr))
		return false;
	*p = r;
	return true;
}

struct prefix prefix_make(uint8_t family, const void *octets, uint8_t len)
{
	struct prefix p = { .addr = addr_make(family, octets), .len = len };

	prefix_mask(&p);
	return p;
}

struct prefix prefix_host(const struct ip_addr *a)
{
	struct prefix p = { .addr = *a, .len = addr_bits(a->family) };

	return p;
}

const char *prefix_str(const struct prefix *p, char buf[PREFIX_STRLEN])
{
	char a[ADDR_STRLEN];

	snprintf(buf, PREFIX_STRLEN, "%s/%u", addr_str(&p->addr, a), p->len);
	return buf;
}

int prefix_cmp(const struct prefix *a, const struct prefix *b)
{
	int d = addr_cmp(&a->addr, &b->addr);

	return d ? d : (int)a->len - (int)b->len;
}

uint32_t prefix_hash(const struct prefix *p, uint32_t seed)
{
	return addr_hash(&p->addr, seed * 131 + p->len);
}

bool prefix_contains_addr(const struct prefix *p, const struct ip_addr *a)
{
	unsigned int whole = p->len / 8, rest = p->len & 7;

	if (p->addr.family != a->family || memcmp(p->addr.b, a->b, whole))
		return false;
	return !rest || !((p->addr.b[whole] ^ a->b[whole]) & (0xff00 >> rest) & 0xff);
}

bool prefix_contains(const struct prefix *p, const struct prefix *more)
{
	return p->len <= more->len && prefix_contains_addr(p, &more->addr);
}
