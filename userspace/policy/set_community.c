// SPDX-License-Identifier: GPL-2.0
/*
 * Sets of communities: entries as ranges of their parts; contracts in set.h. RFC 1997, 4360, 5668, 7999 (BLACKHOLE),
 * 8092, 8326 (GRACEFUL_SHUTDOWN).
 */
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "policy/set_private.h"

#define EXT_TARGET 2	/* subtypes */
#define EXT_ORIGIN 3
#define EXT_AS2 0	/* types, transitive */
#define EXT_ADDRESS 1
#define EXT_AS4 2

static const struct {
	const char *name;
	uint32_t value;
} well_known[] = {
	{ "graceful-shutdown", 0xffff0000 },
	{ "blackhole", 0xffff029a },
	{ "no-export", 0xffffff01 },
	{ "no-advertise", 0xffffff02 },
	{ "local-as", 0xffffff03 },
};

static uint32_t read32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void write32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static unsigned int element_size(enum set_kind kind)
{
	return kind == SET_COMMUNITY ? 4 : kind == SET_EXT ? 8 : 12;
}

/* ---- text ---- */

static bool read_number(const char **s, uint32_t max, uint32_t *v)
{
	unsigned long long n;
	char *end;

	if (**s < '0' || **s > '9')
		return false;
	n = strtoull(*s, &end, 10);
	if (n > max)
		return false;
	*v = (uint32_t)n;
	*s = end;
	return true;
}

/* NUMBER, * or [A..B] */
static bool read_part(const char **s, uint32_t max, uint32_t *low, uint32_t *high)
{
	if (**s == '*') {
		++*s;
		*low = 0;
		*high = max;
		return true;
	}
	if (**s != '[') {
		if (!read_number(s, max, low))
			return false;
		*high = *low;
		return true;
	}
	++*s;
	if (!read_number(s, max, low) || strncmp(*s, "..", 2))
		return false;
	*s += 2;
	if (!read_number(s, max, high) || **s != ']' || *high < *low)
		return false;
	++*s;
	return true;
}

static bool read_parts(const char *s, unsigned int parts, const uint32_t *max, struct pattern *p)
{
	for (unsigned int i = 0; i < parts; i++) {
		if (i && *s++ != ':')
			return false;
		if (!read_part(&s, max[i], &p->low[i], &p->high[i]))
			return false;
	}
	return !*s;
}

static bool read_community(const char *s, struct pattern *p)
{
	static const uint32_t max[] = { 0xffff, 0xffff };

	for (unsigned int i = 0; i < ARRAY_SIZE(well_known); i++) {
		if (strcmp(s, well_known[i].name))
			continue;
		p->low[0] = p->high[0] = well_known[i].value >> 16;
		p->low[1] = p->high[1] = well_known[i].value & 0xffff;
		return true;
	}
	return read_parts(s, 2, max, p);
}

static bool read_large(const char *s, struct pattern *p)
{
	static const uint32_t max[] = { UINT32_MAX, UINT32_MAX, UINT32_MAX };

	return read_parts(s, 3, max, p);
}

/* ADDRESS:NUMBER, or AS:NUMBER, of which one at most needs four octets */
static bool read_ext(const char *s, uint8_t subtype, struct pattern *p)
{
	static const uint32_t max[] = { UINT32_MAX, UINT32_MAX };
	const char *colon = strchr(s, ':');
	struct ip_addr a;
	char text[16];

	p->subtype = subtype;
	if (!colon)
		return false;
	if (memchr(s, '.', (size_t)(colon - s)) && *s != '[') {
		if ((size_t)(colon - s) >= sizeof(text))
			return false;
		memcpy(text, s, (size_t)(colon - s));
		text[colon - s] = '\0';
		if (!addr_parse(text, &a) || a.family != AF_INET)
			return false;
		p->address = true;
		p->low[0] = p->high[0] = addr_to_v4(&a);
		s = colon + 1;
		return read_part(&s, 0xffff, &p->low[1], &p->high[1]) && !*s;
	}
	if (!read_parts(s, 2, max, p))
		return false;
	return p->high[0] != p->low[0] || p->high[0] <= 0xffff || p->high[1] != p->low[1] || p->high[1] <= 0xffff;
}

/* ---- elements ---- */

/* Parts of a community on the wire; false: of another form than the pattern's. */
static bool split(enum set_kind kind, const struct pattern *p, const uint8_t *e, uint32_t part[PATTERN_PARTS])
{
	bool address = kind == SET_EXT && e[0] == EXT_ADDRESS;

	part[2] = 0;
	if (kind == SET_COMMUNITY) {
		part[0] = read32(e) >> 16;
		part[1] = read32(e) & 0xffff;
		return true;
	}
	if (kind == SET_LARGE) {
		for (int i = 0; i < 3; i++)
			part[i] = read32(e + 4 * i);
		return true;
	}
	if (e[1] != p->subtype || e[0] > EXT_AS4 || p->address != address)
		return false;
	if (e[0] == EXT_AS2) {
		part[0] = (uint32_t)e[2] << 8 | e[3];
		part[1] = read32(e + 4);
	} else {
		part[0] = read32(e + 2);
		part[1] = (uint32_t)e[6] << 8 | e[7];
	}
	return true;
}

static bool fits(enum set_kind kind, const struct pattern *p, const uint8_t *e)
{
	uint32_t part[PATTERN_PARTS];

	if (!split(kind, p, e, part))
		return false;
	for (int i = 0; i < PATTERN_PARTS; i++) {
		if (part[i] < p->low[i] || part[i] > p->high[i])
			return false;
	}
	return true;
}

static bool is_single(const struct pattern *p)
{
	return !memcmp(p->low, p->high, sizeof(p->low));
}

static void join_ext(const struct pattern *p, uint8_t *e)
{
	bool wide = p->low[0] > 0xffff;

	e[0] = p->address ? EXT_ADDRESS : wide ? EXT_AS4 : EXT_AS2;
	e[1] = p->subtype;
	if (e[0] == EXT_AS2) {
		e[2] = (uint8_t)(p->low[0] >> 8);
		e[3] = (uint8_t)p->low[0];
		write32(e + 4, p->low[1]);
	} else {
		write32(e + 2, p->low[0]);
		e[6] = (uint8_t)(p->low[1] >> 8);
		e[7] = (uint8_t)p->low[1];
	}
}

static void join(enum set_kind kind, const struct pattern *p, uint8_t *e)
{
	if (kind == SET_COMMUNITY)
		write32(e, p->low[0] << 16 | p->low[1]);
	else if (kind == SET_EXT)
		join_ext(p, e);
	else
		for (int i = 0; i < 3; i++)
			write32(e + 4 * i, p->low[i]);
}

/* ---- the set ---- */

static bool read_one(enum set_kind kind, const char *leaf, const char *text, struct pattern *p)
{
	if (kind == SET_COMMUNITY)
		return read_community(text, p);
	if (kind == SET_LARGE)
		return read_large(text, p);
	return read_ext(text, strcmp(leaf, "soo") ? EXT_TARGET : EXT_ORIGIN, p);
}

static bool read_leaf(struct set *s, const struct lyd_node *entry, const char *leaf, struct conf_error *err)
{
	const struct lyd_node *n;

	conf_for_each(n, entry, leaf) {
		struct pattern p = { .subtype = 0 };

		if (!read_one(s->kind, leaf, conf_value(n), &p))
			return conf_error_node(err, n, "%s is no community of this kind, or a number is out of range",
					       conf_value(n));
		s->pattern = xrealloc(s->pattern, (s->n + 1) * sizeof(*s->pattern));
		s->pattern[s->n++] = p;
		s->single &= is_single(&p);
		s->subtypes |= 1u << p.subtype;
	}
	return true;
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

static int (*compare(enum set_kind kind))(const void *, const void *)
{
	return kind == SET_COMMUNITY ? cmp4 : kind == SET_EXT ? cmp8 : cmp12;
}

/* Single entries become elements, to be found by bisection; those that are none stay patterns, in front. */
static void split_singles(struct set *s)
{
	unsigned int size = element_size(s->kind), singles = 0;

	s->elements = xcalloc(s->n + 1, size);
	for (unsigned int i = 0; i < s->n; i++) {
		if (is_single(&s->pattern[i]))
			join(s->kind, &s->pattern[i], s->elements + size * singles++);
	}
	s->elements_len = (uint16_t)(singles * size);
	qsort(s->elements, singles, size, compare(s->kind));
}

bool set_read_communities(struct set *s, const struct lyd_node *entry, struct conf_error *err)
{
	bool ok;

	s->single = true;
	if (s->kind == SET_EXT)
		ok = read_leaf(s, entry, "rt", err) && read_leaf(s, entry, "soo", err);
	else
		ok = read_leaf(s, entry, s->kind == SET_COMMUNITY ? "community" : "large-community", err);
	if (!ok)
		return false;
	if (s->n > UINT16_MAX / 12)
		return conf_error_node(err, entry, "more than %d communities", UINT16_MAX / 12);
	split_singles(s);
	return true;
}

bool set_read_community(struct set *s, const char *text)
{
	struct pattern p = { .subtype = 0 };

	if (!read_one(s->kind, "rt", text, &p))
		return false;
	s->pattern = xmemdup(&p, sizeof(p));
	s->n = 1;
	s->single = is_single(&p);
	s->subtypes = 1u << p.subtype;
	split_singles(s);
	return true;
}

const char *set_community_name(uint32_t community)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(well_known); i++) {
		if (well_known[i].value == community)
			return well_known[i].name;
	}
	return NULL;
}

void set_free_communities(struct set *s)
{
	free(s->pattern);
	free(s->elements);
}

bool set_has(const struct set *s, const uint8_t *element)
{
	unsigned int size;

	if (!s || s->kind < SET_COMMUNITY)
		return false;
	size = element_size(s->kind);
	if (bsearch(element, s->elements, s->elements_len / size, size, compare(s->kind)))
		return true;
	for (unsigned int i = 0; !s->single && i < s->n; i++) {
		if (fits(s->kind, &s->pattern[i], element))
			return true;
	}
	return false;
}

static bool every(const struct set *s, const uint8_t *elements, uint16_t len)
{
	unsigned int size = element_size(s->kind);

	for (unsigned int i = 0; i < s->n; i++) {
		uint16_t at = 0;

		while (at < len && !fits(s->kind, &s->pattern[i], elements + at))
			at += size;
		if (at >= len)
			return false;
	}
	return s->n > 0;
}

bool set_matches(const struct set *s, enum set_how how, const uint8_t *elements, uint16_t len)
{
	unsigned int size;

	if (!s || s->kind < SET_COMMUNITY)
		return false;
	if (how == SET_EVERY)
		return every(s, elements, len);
	size = element_size(s->kind);
	for (uint16_t at = 0; at < len; at += size) {
		bool has = set_has(s, elements + at);

		if (has && how == SET_ANY)
			return true;
		if (!has && how == SET_WITHIN)
			return false;
	}
	return how == SET_WITHIN && len;
}

const uint8_t *set_elements(const struct set *s, uint16_t *len)
{
	*len = 0;
	if (!s || s->kind < SET_COMMUNITY || !s->single)
		return NULL;
	*len = s->elements_len;
	return s->elements;
}

uint32_t set_subtypes(const struct set *s)
{
	return s && s->kind == SET_EXT ? s->subtypes : 0;
}
