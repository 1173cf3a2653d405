// SPDX-License-Identifier: GPL-2.0
/* Route targets and their index (rt.h). */
#include "vrf/rt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "vrf/admin.h"

#define SUBTYPE_TARGET 0x02

bool rt_parse(const char *s, struct rt *rt)
{
	struct rt r;

	if (!admin_parse(s, &r.b[0], r.b + 2))
		return false;
	r.b[1] = SUBTYPE_TARGET;
	*rt = r;
	return true;
}

const char *rt_str(const struct rt *rt, char buf[RT_STRLEN])
{
	return admin_str(rt->b[0], rt->b + 2, buf, RT_STRLEN);
}

int rt_cmp(const struct rt *a, const struct rt *b)
{
	return memcmp(a->b, b->b, sizeof(a->b));
}

bool rt_is_target(const uint8_t ext[8])
{
	return attrs_is_target(ext);
}

struct entry {
	struct hash_node node;
	struct rt rt;
	unsigned int n;
	void **members;
};

static bool match(const struct hash_node *n, const void *key)
{
	return !memcmp(hash_entry(n, struct entry, node)->rt.b, key, 8);
}

static struct entry *find(const struct rt_index *ix, const uint8_t *rt, uint32_t hash)
{
	struct hash_node *n = hash_find(&ix->hash, hash, match, rt);

	return n ? hash_entry(n, struct entry, node) : NULL;
}

static uint32_t rt_hash(const uint8_t *rt)
{
	return hash_bytes(rt, 8, 0);
}

void rt_index_init(struct rt_index *ix)
{
	hash_init(&ix->hash);
}

void rt_index_fini(struct rt_index *ix)
{
	struct hash_node *n;
	struct entry *e;

	while ((n = hash_drain(&ix->hash))) {
		e = hash_entry(n, struct entry, node);
		free(e->members);
		free(e);
	}
}

bool rt_index_add(struct rt_index *ix, const struct rt *rt, void *member)
{
	uint32_t hash = rt_hash(rt->b);
	struct entry *e = find(ix, rt->b, hash);
	unsigned int i;

	if (!e) {
		e = xcalloc(1, sizeof(*e));
		e->rt = *rt;
		hash_insert(&ix->hash, &e->node, hash);
	}
	for (i = 0; i < e->n; i++)
		if (e->members[i] == member)
			return false;
	e->members = xrealloc(e->members, (e->n + 1) * sizeof(*e->members));
	e->members[e->n++] = member;
	return e->n == 1;
}

bool rt_index_del(struct rt_index *ix, const struct rt *rt, void *member)
{
	struct entry *e = find(ix, rt->b, rt_hash(rt->b));
	unsigned int i;

	if (!e)
		return false;
	for (i = 0; i < e->n; i++) {
		if (e->members[i] != member)
			continue;
		e->members[i] = e->members[--e->n];
		break;
	}
	if (e->n)
		return false;
	hash_remove(&ix->hash, &e->node);
	free(e->members);
	free(e);
	return true;
}

void rt_index_match(const struct rt_index *ix, const struct attrs *attrs,
		    void (*fn)(void *member, const struct rt *rt, void *arg), void *arg)
{
	uint16_t len, at;
	const uint8_t *ext;
	struct entry *e;
	unsigned int i;

	if (!attrs)
		return;
	ext = attrs_part(attrs, ATTRS_EXT, &len);
	for (at = 0; at < len; at += 8) {
		if (!rt_is_target(ext + at))
			continue;
		e = find(ix, ext + at, rt_hash(ext + at));
		for (i = 0; e && i < e->n; i++)
			fn(e->members[i], &e->rt, arg);
	}
}

void rt_index_walk(const struct rt_index *ix, void (*fn)(void *arg, const struct rt *rt), void *arg)
{
	struct hash_node *n;

	for (n = hash_next(&ix->hash, NULL); n; n = hash_next(&ix->hash, n))
		fn(arg, &hash_entry(n, struct entry, node)->rt);
}

bool rt_index_imported(const struct rt_index *ix, const struct rt *rt)
{
	return find(ix, rt->b, rt_hash(rt->b));
}

bool rt_index_wants(const struct rt_index *ix, const struct attrs *attrs)
{
	uint16_t len, at;
	const uint8_t *ext = attrs_part(attrs, ATTRS_EXT, &len);

	for (at = 0; at < len; at += 8)
		if (rt_is_target(ext + at) && find(ix, ext + at, rt_hash(ext + at)))
			return true;
	return false;
}
