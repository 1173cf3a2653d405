// SPDX-License-Identifier: GPL-2.0
/* AS paths; contracts in path.h. */
#include <string.h>

#include "bgp/path.h"
#include "bgp/wire.h"

static uint32_t get(const uint8_t *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void put(uint8_t *b, uint32_t as)
{
	b[0] = (uint8_t)(as >> 24);
	b[1] = (uint8_t)(as >> 16);
	b[2] = (uint8_t)(as >> 8);
	b[3] = (uint8_t)as;
}

bool bgp_path_load(struct bgp_path *p, const uint8_t *octets, uint16_t len)
{
	if (len > BGP_PATH_MAX)
		return false;
	p->len = len;
	if (len)
		memcpy(p->b, octets, len);
	return true;
}

void bgp_path_prepend(struct bgp_path *p, uint32_t as)
{
	bool join = p->len >= 2 && p->b[0] == BGP_AS_SEQUENCE && p->b[1] < 255;
	unsigned int grow = join ? 4 : 6;

	if (p->len + grow > sizeof(p->b))
		return;
	if (join) {
		memmove(p->b + 6, p->b + 2, p->len - 2u);
		p->b[1]++;
	} else {
		memmove(p->b + 6, p->b, p->len);
		p->b[0] = BGP_AS_SEQUENCE;
		p->b[1] = 1;
	}
	put(p->b + 2, as);
	p->len = (uint16_t)(p->len + grow);
}

void bgp_path_override(struct bgp_path *p, uint32_t as, uint32_t ours)
{
	for (uint16_t at = 0; at < p->len; at += 2 + p->b[at + 1] * 4) {
		for (unsigned int i = 0; i < p->b[at + 1]; i++) {
			uint8_t *e = p->b + at + 2 + 4 * i;

			if (get(e) == as)
				put(e, ours);
		}
	}
}

static bool is_private(uint32_t as)
{
	return (as >= 64512 && as <= 65534) || (as >= 4200000000u && as <= 4294967294u);
}

static bool goes(uint32_t as, uint32_t keep)
{
	return is_private(as) && as != keep;
}

static bool all_go(const struct bgp_path *p, uint32_t keep)
{
	for (uint16_t at = 0; at < p->len; at += 2 + p->b[at + 1] * 4) {
		for (unsigned int i = 0; i < p->b[at + 1]; i++) {
			if (!goes(get(p->b + at + 2 + 4 * i), keep))
				return false;
		}
	}
	return true;
}

void bgp_path_remove_private(struct bgp_path *p, enum bgp_private how, uint32_t keep)
{
	uint16_t out = 0, next;
	bool stop = false;

	if (how == BGP_PRIVATE_STAY || (how == BGP_PRIVATE_ENTIRE && !all_go(p, keep)))
		return;
	for (uint16_t at = 0; at < p->len; at = next) {
		uint8_t type = p->b[at], count = p->b[at + 1], left = 0;
		uint16_t head = out;

		next = at + 2 + count * 4;
		out += 2;
		for (unsigned int i = 0; i < count; i++) {
			uint32_t as = get(p->b + at + 2 + 4 * i);

			stop |= how == BGP_PRIVATE_LEADING && !goes(as, keep);
			if (!stop && goes(as, keep))
				continue;
			put(p->b + out, as);
			out += 4;
			left++;
		}
		if (left) {
			p->b[head] = type;
			p->b[head + 1] = left;
		} else {
			out = head;
		}
	}
	p->len = out;
}
