// SPDX-License-Identifier: GPL-2.0
/* Resumable walks of tables (table.h). */
#include <string.h>

#include "rib/private.h"

static struct prefix rd_prefix(const struct rd *rd)
{
	struct prefix p = { .addr.family = AF_INET6, .len = 64 };

	memcpy(p.addr.b, rd->b, sizeof(rd->b));
	return p;
}

static struct rib_net *found(struct rib_net *net, struct rib_cursor *c)
{
	c->started = true;
	c->rd = net_shelf(net)->rd;
	c->prefix = rib_net_prefix(net);
	return net;
}

struct rib_net *rib_walk(const struct rib_table *t, struct rib_cursor *c)
{
	struct rib_shelf *s;
	struct rib_net *net;
	struct prefix p;

	if (t->kind != RIB_TABLE_VPN) {
		net = c->started ? trie_after(&t->shelf.nets, &c->prefix) :
		      trie_next(&t->shelf.nets, NULL);
		return net ? found(net, c) : NULL;
	}
	if (c->started) {
		p = rd_prefix(&c->rd);
		s = trie_get(&t->shelves, &p);
		net = s ? trie_after(&s->nets, &c->prefix) : NULL;
		if (net)
			return found(net, c);
		s = trie_after(&t->shelves, &p);
	} else {
		s = trie_next(&t->shelves, NULL);
	}
	/* a shelf is never empty */
	return s ? found(trie_next(&s->nets, NULL), c) : NULL;
}

static struct rib_net *next_within(const struct rib_shelf *s, const struct prefix *p, const struct prefix *behind)
{
	struct rib_net *net = behind ? trie_after(&s->nets, behind) : trie_first_within(&s->nets, p);
	struct prefix q;

	if (!net)
		return NULL;
	q = trie_prefix(&s->nets, net);
	return prefix_contains(p, &q) ? net : NULL;
}

struct rib_net *rib_walk_within(const struct rib_table *t, const struct rd *rd, const struct prefix *p,
				struct rib_cursor *c)
{
	const struct rib_shelf *s = &t->shelf;
	struct rib_net *net = NULL;
	struct prefix key;

	if (t->kind != RIB_TABLE_VPN) {
		net = next_within(s, p, c->started ? &c->prefix : NULL);
		return net ? found(net, c) : NULL;
	}
	key = rd_prefix(c->started ? &c->rd : rd ? rd : &c->rd);
	s = c->started || rd ? trie_get(&t->shelves, &key) : trie_next(&t->shelves, NULL);
	if (s)
		net = next_within(s, p, c->started ? &c->prefix : NULL);
	if (!net && rd)
		return NULL;
	if (!s)
		s = trie_after(&t->shelves, &key);
	else if (!net)
		s = trie_next(&t->shelves, s);
	for (; !net && s; s = trie_next(&t->shelves, s))
		net = next_within(s, p, NULL);
	return net ? found(net, c) : NULL;
}

bool rib_has_more_specific(const struct rib_table *t, const struct prefix *p)
{
	const struct trie *nets = &t->shelf.nets;
	struct rib_net *net = trie_first_within(nets, p);
	struct rib_route *best;
	struct prefix q;

	for (; net; net = trie_next_within(nets, net, p)) {
		best = rib_best(net);
		if (!best || best->flags & RIB_ROUTE_NETWORK)
			continue;
		q = rib_net_prefix(net);
		if (q.len > p->len)
			return true;
	}
	return false;
}

struct rib_net *rib_walk_prefix(const struct rib_table *t, const struct prefix *p,
				struct rib_cursor *c)
{
	struct prefix rd = rd_prefix(&c->rd);
	struct rib_shelf *s;
	struct rib_net *net;

	s = c->started ? trie_after(&t->shelves, &rd) : trie_next(&t->shelves, NULL);
	for (; s; s = trie_next(&t->shelves, s)) {
		net = trie_get(&s->nets, p);
		if (net)
			return found(net, c);
	}
	return NULL;
}
