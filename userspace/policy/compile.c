// SPDX-License-Identifier: GPL-2.0
/* From the configuration of one policy to its program (private.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "lib/mem.h"
#include "policy/private.h"

/* ---- conditions ---- */

static struct named_set *set_at(struct policies *ps, const struct lyd_node *n, const char *rel, enum set_kind kind)
{
	const char *name = conf_str(n, rel, NULL);

	return name ? named_set_get(ps, kind, name) : NULL;
}

static void read_comparison(const struct lyd_node *n, const char *rel, struct comparison *c)
{
	const struct lyd_node *at = conf_child(n, rel);

	c->has_eq = conf_exists(at, "eq");
	c->has_ge = conf_exists(at, "ge");
	c->has_le = conf_exists(at, "le");
	c->eq = conf_u32(at, "eq", 0);
	c->ge = conf_u32(at, "ge", 0);
	c->le = conf_u32(at, "le", 0);
}

static uint8_t read_origin(const char *s)
{
	return !strcmp(s, "igp") ? ORIGIN_IGP : !strcmp(s, "egp") ? ORIGIN_EGP : ORIGIN_INCOMPLETE;
}

static uint8_t read_type(const char *s)
{
	return !strcmp(s, "local") ? POLICY_LOCAL : !strcmp(s, "internal") ? POLICY_INTERNAL : POLICY_EXTERNAL;
}

static const char *const community_names[STATEMENT_ASKS] = { "community", "extcommunity", "large-community" };

static void read_asks(struct policies *ps, const struct lyd_node *match, struct conditions *m)
{
	static const char *const how[] = { "matches-any", "matches-every", "matches-within" };

	for (int k = 0; k < STATEMENT_ASKS; k++) {
		const struct lyd_node *at = conf_child(match, community_names[k]);

		for (int h = SET_ANY; h <= SET_WITHIN; h++)
			m->ask[k].set[h] = set_at(ps, at, how[h], SET_COMMUNITY + k);
	}
}

/* As vrf/rd.h has them, which is above this room: the text's forms are the schema's. */
static bool read_rd(const char *s, struct rd *rd)
{
	unsigned long long admin, number;
	const char *colon = strchr(s, ':');
	struct ip_addr a;
	char text[16];
	uint8_t *b = rd->b;

	if (!colon || (size_t)(colon - s) >= sizeof(text))
		return false;
	memcpy(text, s, (size_t)(colon - s));
	text[colon - s] = '\0';
	number = strtoull(colon + 1, NULL, 10);
	memset(rd, 0, sizeof(*rd));
	if (addr_parse(text, &a)) {
		b[1] = 1;
		memcpy(b + 2, a.b, 4);
		b[6] = (uint8_t)(number >> 8);
		b[7] = (uint8_t)number;
		return number <= 0xffff;
	}
	admin = strtoull(text, NULL, 10);
	if (admin > 0xffff) {
		b[1] = 2;
		for (int i = 0; i < 4; i++)
			b[2 + i] = (uint8_t)(admin >> (24 - 8 * i));
		b[6] = (uint8_t)(number >> 8);
		b[7] = (uint8_t)number;
		return admin <= UINT32_MAX && number <= 0xffff;
	}
	b[2] = (uint8_t)(admin >> 8);
	b[3] = (uint8_t)admin;
	for (int i = 0; i < 4; i++)
		b[4 + i] = (uint8_t)(number >> (24 - 8 * i));
	return number <= UINT32_MAX;
}

static bool read_rds(const struct lyd_node *match, struct conditions *m, struct conf_error *err)
{
	const struct lyd_node *n;

	conf_for_each(n, match, "rd") {
		m->rds = xrealloc(m->rds, (m->n_rds + 1) * sizeof(*m->rds));
		if (!read_rd(conf_value(n), &m->rds[m->n_rds]))
			return conf_error_node(err, n, "%s is no route distinguisher: a number is out of range",
					       conf_value(n));
		m->n_rds++;
	}
	return true;
}

static bool read_conditions(struct policies *ps, const struct lyd_node *n, struct conditions *m, struct conf_error *err)
{
	const struct lyd_node *match = conf_child(n, "match");
	const char *s;

	m->prefix = set_at(ps, match, "prefix-set", SET_PREFIX);
	m->path = set_at(ps, match, "as-path-set", SET_AS_PATH);
	m->next_hop = set_at(ps, match, "next-hop", SET_PREFIX);
	read_asks(ps, match, m);
	read_comparison(match, "as-path-length", &m->path_length);
	read_comparison(match, "med", &m->med);
	read_comparison(match, "local-preference", &m->local_pref);
	s = conf_str(match, "origin", NULL);
	m->has_origin = s != NULL;
	if (s)
		m->origin = read_origin(s);
	s = conf_str(match, "route-type", NULL);
	m->has_type = s != NULL;
	if (s)
		m->type = read_type(s);
	s = conf_str(match, "address-family", NULL);
	if (s)
		m->family = strcmp(s, "ipv6") ? AF_INET : AF_INET6;
	return read_rds(match, m, err);
}

/* ---- changes ---- */

static bool read_med(const struct lyd_node *set, struct changes *c, struct conf_error *err)
{
	const char *s = conf_str(set, "med", NULL);
	unsigned long long v;

	if (!s)
		return true;
	c->med_change = *s == '+' ? MED_ADD : *s == '-' ? MED_SUBTRACT : MED_SET;
	v = strtoull(s + (c->med_change != MED_SET), NULL, 10);
	if (v > UINT32_MAX)
		return conf_error_node(err, conf_child(set, "med"), "a MED is at most 4294967295");
	c->med = (uint32_t)v;
	return true;
}

static bool read_next_hop(const struct lyd_node *set, struct changes *c, struct conf_error *err)
{
	const char *s = conf_str(set, "next-hop", NULL);

	if (!s)
		return true;
	c->next_hop = !strcmp(s, "self") ? POLICY_NEXT_HOP_SELF :
		      !strcmp(s, "unchanged") ? POLICY_NEXT_HOP_UNCHANGED : POLICY_NEXT_HOP_ADDRESS;
	if (c->next_hop != POLICY_NEXT_HOP_ADDRESS)
		return true;
	if (!addr_parse(s, &c->address) || addr_is_unspecified(&c->address) || addr_is_multicast(&c->address) ||
	    addr_is_link_local(&c->address))
		return conf_error_node(err, conf_child(set, "next-hop"), "%s cannot be a next hop", s);
	return true;
}

static void read_prepend(const struct lyd_node *set, struct changes *c)
{
	const char *s = conf_str(set, "as-path-prepend/as", NULL);

	if (!s)
		return;
	c->prepend = !strcmp(s, "own-as") ? PREPEND_OWN : !strcmp(s, "most-recent") ? PREPEND_RECENT : PREPEND_AS;
	if (c->prepend == PREPEND_AS)
		c->prepend_as = conf_u32(set, "as-path-prepend/as", 0);
	c->prepend_count = (uint8_t)conf_u32(set, "as-path-prepend/count", 1);
}

/* A set that is to be added has to say each community in full. */
static bool check_single(const struct named_set *s, const struct lyd_node *at, const char *rel, struct conf_error *err)
{
	uint16_t len;

	if (!s || !s->set || set_elements(s->set, &len))
		return true;
	return conf_error_node(err, conf_child(at, rel), "%s %s has ranges or *: they cannot be added",
			       set_kind_name(s->kind), s->name);
}

static bool read_community_changes(struct policies *ps, const struct lyd_node *set, struct changes *c,
				   struct conf_error *err)
{
	for (int k = 0; k < STATEMENT_ASKS; k++) {
		const struct lyd_node *at = conf_child(set, community_names[k]);
		struct community_change *ch = &c->community[k];

		ch->delete_all = conf_exists(at, "delete-all");
		ch->del = set_at(ps, at, "delete", SET_COMMUNITY + k);
		ch->replace = set_at(ps, at, "replace", SET_COMMUNITY + k);
		ch->add = set_at(ps, at, "add", SET_COMMUNITY + k);
		if (!check_single(ch->replace, at, "replace", err) || !check_single(ch->add, at, "add", err))
			return false;
	}
	return true;
}

static bool read_changes(struct policies *ps, const struct lyd_node *n, struct changes *c, struct conf_error *err)
{
	const struct lyd_node *set = conf_child(n, "set");
	const char *s = conf_str(set, "origin", NULL);

	c->has_local_pref = conf_exists(set, "local-preference");
	c->local_pref = conf_u32(set, "local-preference", 0);
	c->has_origin = s != NULL;
	if (s)
		c->origin = read_origin(s);
	read_prepend(set, c);
	return read_med(set, c, err) && read_next_hop(set, c, err) && read_community_changes(ps, set, c, err);
}

/* ---- statements ---- */

static int by_number(const void *a, const void *b)
{
	const struct statement *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static bool read_statement(struct policies *ps, const struct lyd_node *n, struct statement *s, struct conf_error *err)
{
	const char *action = conf_str(n, "action", "");

	s->number = conf_u32(n, "number", 0);
	s->action = !strcmp(action, "accept") ? POLICY_ACCEPT : !strcmp(action, "next") ? POLICY_NEXT : POLICY_REJECT;
	return read_conditions(ps, n, &s->match, err) && read_changes(ps, n, &s->set, err);
}

struct program *program_new(struct policies *ps, const struct lyd_node *entry, struct conf_error *err)
{
	struct program *g = xcalloc(1, sizeof(*g));
	const struct lyd_node *n;

	conf_for_each(n, entry, "statement") {
		struct statement *s;

		g->statement = xrealloc(g->statement, (g->n + 1) * sizeof(*g->statement));
		s = &g->statement[g->n++];
		memset(s, 0, sizeof(*s));
		if (!read_statement(ps, n, s, err)) {
			program_free(g);
			return NULL;
		}
		g->by_prefix |= s->match.prefix || s->match.n_rds;
	}
	if (g->n)
		qsort(g->statement, g->n, sizeof(*g->statement), by_number);
	return g;
}

/* Calls @fn for every set that the statement names. */
static bool each_set(const struct statement *s, bool (*fn)(struct named_set *set, const void *arg), const void *arg)
{
	const struct conditions *m = &s->match;
	bool any = false;

	any |= m->prefix && fn(m->prefix, arg);
	any |= m->path && fn(m->path, arg);
	any |= m->next_hop && fn(m->next_hop, arg);
	for (int k = 0; k < STATEMENT_ASKS; k++) {
		const struct community_change *c = &s->set.community[k];

		for (int h = SET_ANY; h <= SET_WITHIN; h++)
			any |= m->ask[k].set[h] && fn(m->ask[k].set[h], arg);
		any |= c->del && fn(c->del, arg);
		any |= c->replace && fn(c->replace, arg);
		any |= c->add && fn(c->add, arg);
	}
	return any;
}

static bool is_it(struct named_set *set, const void *arg)
{
	return set == arg;
}

bool program_asks(const struct program *g, const struct named_set *s)
{
	for (unsigned int i = 0; i < g->n; i++) {
		if (each_set(&g->statement[i], is_it, s))
			return true;
	}
	return false;
}

static bool put_set(struct named_set *set, const void *arg)
{
	named_set_put(set);
	return false;
}

void program_free(struct program *g)
{
	if (!g)
		return;
	for (unsigned int i = 0; i < g->n; i++) {
		each_set(&g->statement[i], put_set, NULL);
		free(g->statement[i].match.rds);
	}
	free(g->statement);
	free(g);
}
