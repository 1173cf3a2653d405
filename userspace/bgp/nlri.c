// SPDX-License-Identifier: GPL-2.0
/*
 * NLRI on the wire; contracts in nlri.h.
 */
#include "bgp/nlri.h"

#include <string.h>

#define RTC_AS_BITS 32
#define RTC_BITS 96

/* bits in front of the prefix: label, and RD */
static inline unsigned int head_bits(enum bgp_family f)
{
	if (bgp_family_vpn(f))
		return 24 + 64;
	return bgp_family_lu(f) ? 24 : 0;
}

/*
 * Octets that the NLRI at the cursor occupies; 0: it is none, or cut off. A membership's default has no AS, all others
 * have all of it (RFC 4684 section 4).
 */
static inline __attribute__((always_inline)) size_t measure(const uint8_t *p, const uint8_t *end, enum bgp_family f,
							    unsigned int flags)
{
	size_t head = flags & BGP_NLRI_PATH_ID ? 5 : 1, left = (size_t)(end - p), size;
	unsigned int least = head_bits(f), most = least + (bgp_family_afi(f) == BGP_AFI_IPV4 ? 32 : 128), bits;

	if (left < head)
		return 0;
	bits = p[head - 1];
	if (f == BGP_RTC) {
		least = bits ? RTC_AS_BITS : 0;
		most = RTC_BITS;
	}
	size = head + (bits + 7) / 8;
	return bits < least || bits > most || left < size ? 0 : size;
}

static inline uint32_t load32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* up to 16 octets, without a call: most prefixes are short */
static inline __attribute__((always_inline)) void copy(uint8_t *to, const uint8_t *from, unsigned int n)
{
	if (n >= 8) {
		memcpy(to, from, 8);
		to += 8;
		from += 8;
		n -= 8;
	}
	if (n >= 8) {
		memcpy(to, from, 8);
		return;
	}
	if (n & 4) {
		memcpy(to, from, 4);
		to += 4;
		from += 4;
	}
	if (n & 2) {
		memcpy(to, from, 2);
		to += 2;
		from += 2;
	}
	if (n & 1)
		*to = *from;
}

static void read_rtc(const uint8_t *p, unsigned int bits, struct bgp_rtc *r)
{
	unsigned int rt = bits - RTC_AS_BITS, octets = (rt + 7) / 8;

	if (!bits)
		return;
	r->as = load32(p);
	copy(r->rt, p + 4, octets);
	if (rt % 8)
		r->rt[octets - 1] &= (uint8_t)(0xff00 >> rt % 8);
	r->len = (uint8_t)bits;
}

/* One that measure() has measured. */
static inline __attribute__((always_inline)) const uint8_t *read_one(const uint8_t *p, enum bgp_family f,
								     unsigned int flags, struct bgp_nlri *n)
{
	unsigned int bits, octets;

	memset(n, 0, sizeof(*n));
	if (flags & BGP_NLRI_PATH_ID) {
		n->path_id = load32(p);
		p += 4;
	}
	bits = *p++;
	if (f == BGP_RTC) {
		read_rtc(p, bits, &n->rtc);
		return p + (bits + 7) / 8;
	}
	bits -= head_bits(f);
	if (bgp_family_labelled(f)) {
		n->label = load32(p - 1) >> 4 & 0xfffff;
		p += 3;
	}
	if (bgp_family_vpn(f)) {
		memcpy(n->rd, p, sizeof(n->rd));
		p += sizeof(n->rd);
	}
	octets = (bits + 7) / 8;
	n->prefix.addr.family = bgp_family_afi(f) == BGP_AFI_IPV4 ? AF_INET : AF_INET6;
	n->prefix.len = (uint8_t)bits;
	copy(n->prefix.addr.b, p, octets);
	if (bits % 8)
		n->prefix.addr.b[octets - 1] &= (uint8_t)(0xff00 >> bits % 8);
	return p + octets;
}

bool bgp_nlri_decode(struct cursor *c, enum bgp_family f, unsigned int flags, struct bgp_nlri *n)
{
	if (!measure(c->at, c->end, f, flags))
		return false;
	c->at = read_one(c->at, f, flags, n);
	return true;
}

/* With constants for @f and @flags, so that their loops have no question but those of each NLRI. */
static inline __attribute__((always_inline)) bool count_all(struct cursor c, enum bgp_family f, unsigned int flags,
							    uint32_t *count)
{
	uint32_t n = 0;
	size_t size;

	for (; c.at < c.end; c.at += size, n++) {
		size = measure(c.at, c.end, f, flags);
		if (!size)
			return false;
	}
	*count = n;
	return true;
}

static inline __attribute__((always_inline)) void read_all(struct cursor c, enum bgp_family f, unsigned int flags,
							   struct bgp_nlri *out)
{
	while (c.at < c.end)
		c.at = read_one(c.at, f, flags, out++);
}

bool bgp_nlri_count(struct cursor c, enum bgp_family f, unsigned int flags, uint32_t *count)
{
	if (f == BGP_VPNV4 && !(flags & BGP_NLRI_PATH_ID))
		return count_all(c, BGP_VPNV4, 0, count);
	if (f == BGP_IPV4 && !(flags & BGP_NLRI_PATH_ID))
		return count_all(c, BGP_IPV4, 0, count);
	return count_all(c, f, flags, count);
}

void bgp_nlri_read(struct cursor c, enum bgp_family f, unsigned int flags, struct bgp_nlri *out)
{
	if (f == BGP_VPNV4 && !(flags & BGP_NLRI_PATH_ID))
		read_all(c, BGP_VPNV4, 0, out);
	else if (f == BGP_IPV4 && !(flags & BGP_NLRI_PATH_ID))
		read_all(c, BGP_IPV4, 0, out);
	else
		read_all(c, f, flags, out);
}

static void rtc_encode(struct buf *b, const struct bgp_rtc *r)
{
	buf_u8(b, r->len);
	if (!r->len)
		return;
	buf_u32(b, r->as);
	buf_bytes(b, r->rt, (r->len - RTC_AS_BITS + 7u) / 8);
}

void bgp_nlri_encode(struct buf *b, enum bgp_family f, const struct bgp_nlri *n, unsigned int flags)
{
	if (flags & BGP_NLRI_PATH_ID)
		buf_u32(b, n->path_id);
	if (f == BGP_RTC) {
		rtc_encode(b, &n->rtc);
		return;
	}
	buf_u8(b, (uint8_t)(n->prefix.len + head_bits(f)));
	if (bgp_family_labelled(f))
		buf_u24(b, flags & BGP_NLRI_WITHDRAW ? 0x800000 : n->label << 4 | 1);
	if (bgp_family_vpn(f))
		buf_bytes(b, n->rd, sizeof(n->rd));
	buf_bytes(b, n->prefix.addr.b, (n->prefix.len + 7u) / 8);
}

size_t bgp_nlri_size(enum bgp_family f, const struct bgp_nlri *n, unsigned int flags)
{
	size_t id = flags & BGP_NLRI_PATH_ID ? 4 : 0;

	if (f == BGP_RTC)
		return id + 1 + (n->rtc.len + 7u) / 8;
	return id + 1 + head_bits(f) / 8 + (n->prefix.len + 7u) / 8;
}
