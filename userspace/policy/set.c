// SPDX-License-Identifier: GPL-2.0
/* Sets of prefixes and of expressions over AS paths; contracts in set.h. Communities are in set_community.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "policy/set_private.h"

#define PATH_TEXT (11 * 16384 + 16)	/* the longest path that attributes hold, as text */

/* What is within a prefix: lengths from ge to le. */
struct lengths {
	uint8_t ge, le;
};

const char *set_kind_name(enum set_kind kind)
{
	static const char *const names[SET_KINDS] = {
		"prefix-set", "as-path-set", "community-set", "extcommunity-set", "large-community-set",
	};

	return names[kind];
}

/* ---- prefixes ---- */

/* `ge` alone: up to the longest; `le` alone: from the prefix's own; neither: exactly it. */
static bool read_prefix(struct set *s, const struct lyd_node *n, struct conf_error *err)
{
	const char *text = conf_str(n, "prefix", "");
	struct lengths l, *slot;
	struct prefix p;
	bool created;

	if (!prefix_parse(text, &p))
		return conf_error_node(err, n, "%s is not a prefix, or has host bits", text);
	l.ge = (uint8_t)conf_u32(n, "ge", p.len);
	l.le = (uint8_t)conf_u32(n, "le", conf_exists(n, "ge") ? addr_bits(p.addr.family) : p.len);
	if (l.ge < p.len || l.le < l.ge || l.le > addr_bits(p.addr.family))
		return conf_error_node(err, n, "%s has lengths %u to %u, not %u to %u", text, p.len,
				       addr_bits(p.addr.family), l.ge, l.le);
	slot = trie_insert(&s->prefixes[family_afi(p.addr.family)], &p, &created);
	if (!created)
		return conf_error_node(err, n, "%s is there twice", text);
	*slot = l;
	s->n++;
	return true;
}

static bool read_prefixes(struct set *s, const struct lyd_node *entry, struct conf_error *err)
{
	const struct lyd_node *n;

	for (int afi = 0; afi < AFI_MAX; afi++)
		trie_init(&s->prefixes[afi], afi_family(afi), sizeof(struct lengths));
	conf_for_each(n, entry, "prefix") {
		if (!read_prefix(s, n, err))
			return false;
	}
	return true;
}

bool set_has_prefix(const struct set *s, const struct prefix *p)
{
	const struct trie *t;

	if (!s || s->kind != SET_PREFIX)
		return false;
	t = &s->prefixes[family_afi(p->addr.family)];
	for (const struct lengths *l = trie_longest(t, &p->addr); l; l = trie_parent(t, l)) {
		if (trie_prefix(t, l).len <= p->len && p->len >= l->ge && p->len <= l->le)
			return true;
	}
	return false;
}

/* ---- AS paths ---- */

/* `_` is a border: begin, end, a blank, or what encloses sets. */
static char *expression(const char *s)
{
	static const char border[] = "(^|[ ,{}()]|$)";
	char *out = xcalloc(1, strlen(s) * sizeof(border) + 1), *d = out;
	bool bracket = false;

	for (; *s; s++) {
		bracket = *s == '[' ? true : *s == ']' ? false : bracket;
		if (*s == '_' && !bracket) {
			memcpy(d, border, sizeof(border) - 1);
			d += sizeof(border) - 1;
		} else {
			*d++ = *s;
		}
	}
	return out;
}

/* An expression that refers back takes time without bound on a path that a peer chooses. */
static bool refers_back(const char *s)
{
	for (; *s; s++) {
		if (*s == '\\' && *++s >= '1' && *s <= '9')
			return true;
		if (!*s)
			break;
	}
	return false;
}

static bool read_path(struct set *s, const char *text, char *why, size_t size)
{
	char *posix;
	int rc;

	if (refers_back(text)) {
		snprintf(why, size, "it refers back, which is not supported");
		return false;
	}
	s->regex = xrealloc(s->regex, (s->n + 1) * sizeof(*s->regex));
	posix = expression(text);
	rc = regcomp(&s->regex[s->n], posix, REG_EXTENDED | REG_NOSUB);
	free(posix);
	if (rc) {
		regerror(rc, &s->regex[s->n], why, size);
		return false;
	}
	s->n++;
	return true;
}

static bool read_paths(struct set *s, const struct lyd_node *entry, struct conf_error *err)
{
	const struct lyd_node *n;
	char why[128];

	s->memo = xcalloc(SET_MEMO, sizeof(*s->memo));
	conf_for_each(n, entry, "ios-regex") {
		if (!read_path(s, conf_value(n), why, sizeof(why)))
			return conf_error_node(err, n, "%s is no expression: %s", conf_value(n), why);
	}
	return true;
}

static bool path_fits(const struct set *s, const struct attrs *a)
{
	static char text[PATH_TEXT];

	attrs_path_str(a, text, sizeof(text));
	for (unsigned int i = 0; i < s->n; i++) {
		if (!regexec(&s->regex[i], text, 0, NULL, 0))
			return true;
	}
	return false;
}

bool set_has_path(struct set *s, struct attrs *a)
{
	unsigned int slot = (unsigned int)(((uintptr_t)a >> 5) % SET_MEMO);

	if (!s || s->kind != SET_AS_PATH)
		return false;
	if (s->memo[slot].attrs != a) {
		attrs_put(s->memo[slot].attrs);
		s->memo[slot].attrs = attrs_get(a);
		s->memo[slot].has = path_fits(s, a);
	}
	return s->memo[slot].has;
}

/* ---- all kinds ---- */

struct set *set_new(enum set_kind kind, const struct lyd_node *entry, struct conf_error *err)
{
	struct set *s = xcalloc(1, sizeof(*s));
	bool ok;

	s->kind = kind;
	if (kind == SET_PREFIX)
		ok = read_prefixes(s, entry, err);
	else if (kind == SET_AS_PATH)
		ok = read_paths(s, entry, err);
	else
		ok = set_read_communities(s, entry, err);
	if (ok)
		return s;
	set_free(s);
	return NULL;
}

struct set *set_of_text(enum set_kind kind, const char *text, char *why, size_t size)
{
	struct set *s = xcalloc(1, sizeof(*s));
	bool ok = false;

	s->kind = kind;
	snprintf(why, size, "it is no community of this kind, or a number is out of range");
	if (kind == SET_AS_PATH) {
		s->memo = xcalloc(SET_MEMO, sizeof(*s->memo));
		ok = read_path(s, text, why, size);
	} else if (kind != SET_PREFIX) {
		ok = set_read_community(s, text);
	}
	if (ok)
		return s;
	set_free(s);
	return NULL;
}

void set_free(struct set *s)
{
	if (!s)
		return;
	if (s->kind == SET_PREFIX) {
		for (int afi = 0; afi < AFI_MAX; afi++)
			trie_fini(&s->prefixes[afi], NULL, NULL);
	}
	for (unsigned int i = 0; s->kind == SET_AS_PATH && i < s->n; i++)
		regfree(&s->regex[i]);
	for (unsigned int i = 0; s->memo && i < SET_MEMO; i++)
		attrs_put(s->memo[i].attrs);
	free(s->memo);
	free(s->regex);
	set_free_communities(s);
	free(s);
}
