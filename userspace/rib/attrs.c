// SPDX-License-Identifier: GPL-2.0
/* Interning of path attributes (attrs.h). */
#include "rib/attrs.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

enum { SEG_SET = 1, SEG_SEQUENCE = 2, SEG_CONFED_SEQUENCE = 3, SEG_CONFED_SET = 4 };

static struct hash interned = HASH_INIT;

uint32_t attrs_count(void)
{
	return interned.count;
}

static unsigned int element_size(enum attrs_part part)
{
	switch (part) {
	case ATTRS_COMMUNITY:
	case ATTRS_CLUSTERS:
		return 4;
	case ATTRS_EXT:
		return 8;
	case ATTRS_LARGE:
		return 12;
	default:
		return 1;
	}
}

static bool is_sorted_part(enum attrs_part part)
{
	return part == ATTRS_COMMUNITY || part == ATTRS_EXT || part == ATTRS_LARGE;
}

static int cmp4(const void *a, const void *b)
{
	return memcmp(a, b, 4);
}

static int cmp8(const void *a, const void *b)
{
	return memcmp(a, b, 8);
}

static int cmp12(const void *a, const void *b)
{
	return memcmp(a, b, 12);
}

/* sorts n octets of elements in place, drops duplicates; returns the octets left */
static size_t canonical(uint8_t *data, size_t len, unsigned int size)
{
	size_t n = len / size, i, out = 1;

	if (n < 2)
		return len;
	qsort(data, n, size, size == 4 ? cmp4 : size == 8 ? cmp8 : cmp12);
	for (i = 1; i < n; i++) {
		if (!memcmp(data + i * size, data + (out - 1) * size, size))
			continue;
		if (i != out)
			memcpy(data + out * size, data + i * size, size);
		out++;
	}
	return out * size;
}

static uint32_t read32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return ntohl(v);
}

/* length as the decision counts it; false: the path does not parse */
static bool path_facts(const uint8_t *p, size_t len, uint16_t *length, uint32_t *first)
{
	unsigned int total = 0;
	size_t at = 0;

	*first = 0;
	while (at < len) {
		if (len - at < 2 || !p[at + 1] || (len - at - 2) / 4 < p[at + 1])
			return false;
		switch (p[at]) {
		case SEG_SEQUENCE:
			if (!total)
				*first = read32(p + at + 2);
			total += p[at + 1];
			break;
		case SEG_SET:
			total++;
			break;
		case SEG_CONFED_SEQUENCE:
		case SEG_CONFED_SET:
			break;
		default:
			return false;
		}
		at += 2 + p[at + 1] * 4u;
	}
	*length = total;
	return true;
}

static bool match_attrs(const struct hash_node *n, const void *key)
{
	const struct attrs *a = hash_entry(n, struct attrs, node), *b = key;

	return !memcmp(&a->f, &b->f, sizeof(a->f)) &&
	       !memcmp(a->part_end, b->part_end, sizeof(a->part_end)) &&
	       !memcmp(a->data, b->data, a->part_end[ATTRS_PARTS - 1]);
}

struct attrs *attrs_intern(const struct attrs_builder *b)
{
	size_t total = 0, at = 0, len;
	struct hash_node *found;
	struct attrs *a;
	uint32_t hash;
	int i;

	for (i = 0; i < ATTRS_PARTS; i++) {
		if (b->part[i].len % element_size(i))
			return NULL;
		total += b->part[i].len;
	}
	if (total > 0xffff)
		return NULL;
	a = xcalloc(1, sizeof(*a) + total);
	a->f = b->f;
	for (i = 0; i < ATTRS_PARTS; i++) {
		len = b->part[i].len;
		if (len)
			memcpy(a->data + at, b->part[i].data, len);
		if (is_sorted_part(i))
			len = canonical(a->data + at, len, element_size(i));
		at += len;
		a->part_end[i] = at;
	}
	if (!path_facts(a->data, a->part_end[ATTRS_AS_PATH], &a->path_length, &a->neighbour_as)) {
		free(a);
		return NULL;
	}
	hash = hash_bytes(&a->f, sizeof(a->f), hash_bytes(a->part_end, sizeof(a->part_end), 0));
	hash = hash_bytes(a->data, at, hash);
	found = hash_find(&interned, hash, match_attrs, a);
	if (found) {
		free(a);
		return attrs_get(hash_entry(found, struct attrs, node));
	}
	if (at < total)
		a = xrealloc(a, sizeof(*a) + at);
	a->refs = 1;
	hash_insert(&interned, &a->node, hash);
	return a;
}

void attrs_put(struct attrs *a)
{
	if (!a || --a->refs)
		return;
	hash_remove(&interned, &a->node);
	free(a);
}

void attrs_to_builder(const struct attrs *a, struct attrs_builder *b)
{
	int i;

	memset(b, 0, sizeof(*b));
	memcpy(&b->f, &a->f, sizeof(b->f));
	for (i = 0; i < ATTRS_PARTS; i++)
		b->part[i].data = attrs_part(a, i, &b->part[i].len);
}

unsigned int attrs_path_count(const struct attrs *a, uint32_t as)
{
	unsigned int count = 0, i;
	uint16_t len, at = 0;
	const uint8_t *p = attrs_part(a, ATTRS_AS_PATH, &len);

	for (; at < len; at += 2 + p[at + 1] * 4)
		for (i = 0; i < p[at + 1]; i++)
			count += read32(p + at + 2 + i * 4) == as;
	return count;
}

bool attrs_has_ext(const struct attrs *a, const uint8_t ext[8])
{
	uint16_t len;
	const uint8_t *p = attrs_part(a, ATTRS_EXT, &len);

	return len && bsearch(ext, p, len / 8, 8, cmp8);
}

uint32_t attrs_local_pref(const struct attrs *a)
{
	return a && a->f.flags & ATTRS_HAS_LOCAL_PREF ? a->f.local_pref : ATTRS_LOCAL_PREF_DEFAULT;
}

const char *attrs_path_str(const struct attrs *a, char *buf, size_t size)
{
	static const char *const open[] = { "", "{", "", "(", "[" };
	static const char *const close[] = { "", "}", "", ")", "]" };
	size_t used = 0;
	uint16_t len, at = 0;
	const uint8_t *p = attrs_part(a, ATTRS_AS_PATH, &len);
	unsigned int i;

	buf[0] = 0;
	for (; at < len; at += 2 + p[at + 1] * 4) {
		for (i = 0; i < p[at + 1] && used < size; i++)
			used += snprintf(buf + used, size - used, "%s%s%u", used && !i ? " " : "",
					 i ? " " : open[p[at]], read32(p + at + 2 + i * 4));
		if (used < size)
			used += snprintf(buf + used, size - used, "%s", close[p[at]]);
	}
	return buf;
}
