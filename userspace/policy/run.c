// SPDX-License-Identifier: GPL-2.0
/* Evaluation of policies; contracts in policy.h. RFC 4271 5.1, 9.1; RFC 1997, 4360, 8092. */
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "policy/private.h"

#define PART_MAX 65535
#define SEGMENT_SEQUENCE 2
#define SEGMENT_MAX 255

/* A route under way: what statements have changed so far. Parts that changed lie in the scratch. */
struct work {
	const struct policy_route *r;
	struct attrs_builder b;
	struct policy_result out;
	bool changed, failed;
};

static uint8_t scratch[ATTRS_PARTS][PART_MAX];

static const enum attrs_part part_of[STATEMENT_ASKS] = { ATTRS_COMMUNITY, ATTRS_EXT, ATTRS_LARGE };
static const uint8_t size_of[STATEMENT_ASKS] = { 4, 8, 12 };

/* ---- conditions ---- */

static bool compare(const struct comparison *c, bool there, uint32_t v)
{
	if (!c->has_eq && !c->has_ge && !c->has_le)
		return true;
	return there && (!c->has_eq || v == c->eq) && (!c->has_ge || v >= c->ge) && (!c->has_le || v <= c->le);
}

static bool communities_match(const struct conditions *m, const struct attrs *a)
{
	for (int k = 0; k < STATEMENT_ASKS; k++) {
		uint16_t len;
		const uint8_t *p = attrs_part(a, part_of[k], &len);

		for (int how = SET_ANY; how <= SET_WITHIN; how++) {
			const struct named_set *s = m->ask[k].set[how];

			if (s && !set_matches(s->set, how, p, len))
				return false;
		}
	}
	return true;
}

static bool rd_matches(const struct conditions *m, const struct rd *rd)
{
	for (unsigned int i = 0; rd && i < m->n_rds; i++) {
		if (!memcmp(&m->rds[i], rd, sizeof(*rd)))
			return true;
	}
	return !m->n_rds;
}

static bool next_hop_matches(const struct named_set *s, const struct ip_addr *a)
{
	struct prefix p;

	if (!s)
		return true;
	p = prefix_host(a);
	return addr_is_set(a) && set_has_prefix(s->set, &p);
}

/* What costs little first. */
static bool matches(const struct conditions *m, const struct policy_route *r)
{
	struct attrs *a = r->attrs;
	bool med = a->f.flags & ATTRS_HAS_MED;

	return (!m->has_type || m->type == r->type) && (!m->has_origin || m->origin == a->f.origin) &&
	       (!m->family || m->family == r->prefix->addr.family) && compare(&m->path_length, true, a->path_length) &&
	       compare(&m->med, med, a->f.med) && compare(&m->local_pref, true, attrs_local_pref(a)) &&
	       rd_matches(m, r->rd) && (!m->prefix || set_has_prefix(m->prefix->set, r->prefix)) &&
	       next_hop_matches(m->next_hop, &a->f.nexthop) && communities_match(m, a) &&
	       (!m->path || set_has_path(m->path->set, a));
}

/* ---- changes ---- */

/* The part as it is now, in the scratch, where it may be changed. */
static uint8_t *writable(struct work *w, enum attrs_part part)
{
	if (w->b.part[part].data != scratch[part]) {
		if (w->b.part[part].len)
			memcpy(scratch[part], w->b.part[part].data, w->b.part[part].len);
		w->b.part[part].data = scratch[part];
	}
	w->changed = true;
	return scratch[part];
}

static void delete_from(struct work *w, unsigned int k, const struct set *s)
{
	enum attrs_part part = part_of[k];
	uint16_t size = size_of[k], out = 0, len = w->b.part[part].len;
	uint8_t *p = writable(w, part);

	for (uint16_t at = 0; at < len; at += size) {
		if (set_has(s, p + at))
			continue;
		memmove(p + out, p + at, size);
		out += size;
	}
	w->b.part[part].len = out;
}

/* Extended communities of the set's own subtypes alone: a new set of route targets leaves a site of origin. */
static void clear(struct work *w, unsigned int k, const struct set *s)
{
	uint32_t subtypes = set_subtypes(s);
	uint16_t out = 0, len = w->b.part[part_of[k]].len;
	uint8_t *p = writable(w, part_of[k]);

	for (uint16_t at = 0; part_of[k] == ATTRS_EXT && at < len; at += 8) {
		if (p[at] <= 2 && p[at + 1] < 32 && subtypes & 1u << p[at + 1])
			continue;
		memmove(p + out, p + at, 8);
		out += 8;
	}
	w->b.part[part_of[k]].len = out;
}

/* Sorting and doubles are attrs_intern()'s. */
static void add_to(struct work *w, unsigned int k, const struct set *s)
{
	enum attrs_part part = part_of[k];
	uint16_t more, len = w->b.part[part].len;
	const uint8_t *e = set_elements(s, &more);
	uint8_t *p = writable(w, part);

	if (len + more > PART_MAX) {
		w->failed = true;
		return;
	}
	if (more)
		memcpy(p + len, e, more);
	w->b.part[part].len = len + more;
}

static void change_communities(struct work *w, unsigned int k, const struct community_change *c)
{
	if (c->delete_all) {
		writable(w, part_of[k]);
		w->b.part[part_of[k]].len = 0;
	}
	if (c->del)
		delete_from(w, k, c->del->set);
	if (c->replace) {
		clear(w, k, c->replace->set);
		add_to(w, k, c->replace->set);
	}
	if (c->add)
		add_to(w, k, c->add->set);
}

static void prepend_one(struct work *w, uint32_t as)
{
	uint16_t len = w->b.part[ATTRS_AS_PATH].len;
	uint8_t *p = writable(w, ATTRS_AS_PATH);
	bool join = len >= 2 && p[0] == SEGMENT_SEQUENCE && p[1] < SEGMENT_MAX;
	unsigned int grow = join ? 4 : 6;

	if (len + grow > PART_MAX) {
		w->failed = true;
		return;
	}
	if (join) {
		memmove(p + 6, p + 2, len - 2u);
		p[1]++;
	} else {
		memmove(p + 6, p, len);
		p[0] = SEGMENT_SEQUENCE;
		p[1] = 1;
	}
	p[2] = (uint8_t)(as >> 24);
	p[3] = (uint8_t)(as >> 16);
	p[4] = (uint8_t)(as >> 8);
	p[5] = (uint8_t)as;
	w->b.part[ATTRS_AS_PATH].len = (uint16_t)(len + grow);
}

static void prepend(struct work *w, const struct changes *c)
{
	uint32_t as = c->prepend == PREPEND_AS ? c->prepend_as :
		      c->prepend == PREPEND_OWN ? w->r->own_as : w->r->attrs->neighbour_as;

	/* a route of our own has no most recent AS */
	for (unsigned int i = 0; as && i < c->prepend_count; i++)
		prepend_one(w, as);
}

static void change_med(struct work *w, const struct changes *c)
{
	uint32_t med = w->b.f.flags & ATTRS_HAS_MED ? w->b.f.med : 0;

	if (c->med_change == MED_SET)
		med = c->med;
	else if (c->med_change == MED_ADD)
		med = med > UINT32_MAX - c->med ? UINT32_MAX : med + c->med;
	else
		med = med < c->med ? 0 : med - c->med;
	w->b.f.med = med;
	w->b.f.flags |= ATTRS_HAS_MED;
	w->out.med_set = true;
	w->changed = true;
}

static void change_next_hop(struct work *w, const struct changes *c)
{
	w->out.next_hop = c->next_hop;
	w->b.f.nexthop = c->next_hop == POLICY_NEXT_HOP_ADDRESS ? c->address : w->r->attrs->f.nexthop;
	if (c->next_hop == POLICY_NEXT_HOP_ADDRESS)
		memset(&w->b.f.nexthop_ll, 0, sizeof(w->b.f.nexthop_ll));
	w->changed = true;
}

static void change(struct work *w, const struct changes *c)
{
	if (c->has_local_pref) {
		w->b.f.local_pref = c->local_pref;
		w->b.f.flags |= ATTRS_HAS_LOCAL_PREF;
		w->changed = true;
	}
	if (c->has_origin) {
		w->b.f.origin = c->origin;
		w->changed = true;
	}
	if (c->med_change != MED_KEEP)
		change_med(w, c);
	if (c->next_hop != POLICY_NEXT_HOP_KEEP)
		change_next_hop(w, c);
	if (c->prepend != PREPEND_NONE)
		prepend(w, c);
	for (unsigned int k = 0; k < STATEMENT_ASKS; k++)
		change_communities(w, k, &c->community[k]);
}

/* ---- a policy ---- */

static bool finish(struct work *w, struct policy_result *out)
{
	struct attrs *a;

	/* what exceeds any message is as good as refused */
	if (w->failed)
		return false;
	a = w->changed ? attrs_intern(&w->b) : attrs_get(w->r->attrs);
	if (!a)
		return false;
	*out = w->out;
	out->attrs = a;
	return true;
}

static bool run(const struct program *g, const struct policy_route *r, struct policy_result *out)
{
	struct work w = { .r = r };

	attrs_to_builder(r->attrs, &w.b);
	for (unsigned int i = 0; i < g->n; i++) {
		const struct statement *s = &g->statement[i];

		if (!matches(&s->match, r))
			continue;
		if (s->action == POLICY_REJECT)
			return false;
		change(&w, &s->set);
		if (s->action == POLICY_ACCEPT)
			return finish(&w, out);
	}
	return false;
}

static void memo_clear(struct policy_memo *m)
{
	attrs_put(m->in);
	if (m->accepted)
		attrs_put(m->out.attrs);
	memset(m, 0, sizeof(*m));
}

void policy_forget(struct policy *p)
{
	for (unsigned int i = 0; p->memo && i < POLICY_MEMO; i++)
		memo_clear(&p->memo[i]);
	free(p->memo);
	p->memo = NULL;
}

static struct policy_memo *remember(struct policy *p, const struct policy_route *r)
{
	uint8_t family = r->prefix->addr.family;
	struct policy_memo *m;

	if (!p->memo)
		p->memo = xcalloc(POLICY_MEMO, sizeof(*p->memo));
	m = &p->memo[((uintptr_t)r->attrs >> 5) % POLICY_MEMO];
	if (m->in == r->attrs && m->own_as == r->own_as && m->type == r->type && m->family == family)
		return m;
	memo_clear(m);
	m->in = attrs_get(r->attrs);
	m->own_as = r->own_as;
	m->type = (uint8_t)r->type;
	m->family = family;
	m->accepted = run(p->program, r, &m->out);
	return m;
}

bool policy_run(struct policy *p, const struct policy_route *r, struct policy_result *out)
{
	const struct policy_memo *m;

	if (!p->program)
		return false;
	if (p->program->by_prefix)
		return run(p->program, r, out);
	m = remember(p, r);
	if (!m->accepted)
		return false;
	*out = m->out;
	attrs_get(out->attrs);
	return true;
}

bool policy_by_prefix(const struct policy *p)
{
	return p->program && p->program->by_prefix;
}
