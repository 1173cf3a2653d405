// SPDX-License-Identifier: GPL-2.0
/* random_tree - see random_tree.h. Values come from a pool of awkward texts; the type decides which fit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conf/schema.h"
#include "conf/tests/random_tree.h"
#include "lib/mem.h"

static const char *const pool[] = {
	"10.0.0.1", "192.0.2.77", "255.255.255.255", "0.0.0.0", "10.0.0.0/8", "192.0.2.1/32", "0.0.0.0/0",
	"2001:db8::1", "fe80::1%eth0", "::", "2001:db8::/32", "::/0", "2001:db8::1/128",
	"65000:1", "10.0.0.1:7", "4200000000:12", "0:0",
	"02:00:00:00:00:01", "aA:Bb:cc:dd:ee:ff",
	"RED", "BLUE", "eth0", "eth0.100", "no", "exit", "end", "root", "true", "false", "rd", "vrf", "interface",
	"maximum", "description", "two words", "a \"quoted\" word", "back\\slash", "it's", "!", "#hash", "! bang",
	" leading", "trailing ", "tab\there", "line\nbreak", "\xc3\xa9t\xc3\xa9", "\xf0\x9f\x8c\x8d", "-", "x!y",
	"implicit-null", "explicit-null", "per-vrf", "per-ce", "connected", "static", "rx", "any", "allow-default",
	"transport", "vpn", "uniform", "pipe", "peer", "udp", "gre", "ipv4", "ipv6", "ordered",
	"65000:1:2", "65000:*:[1..9]", "65000:*", "igp", "incomplete", "internal", "external", "accept", "reject", "next",
	"+10", "self", "unchanged", "none", "backup", "all",
};

void random_seed(struct random_source *r)
{
	const char *env = getenv("RANDOM_SEED");
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	r->state = env ? strtoull(env, NULL, 0) : (uint64_t)now.tv_sec * 1000003 + now.tv_nsec;
	printf("RANDOM_SEED=%llu\n", (unsigned long long)r->state);
	fflush(stdout);
}

/* splitmix64 */
uint32_t random_below(struct random_source *r, uint32_t n)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return ((z ^ (z >> 31)) >> 11) % n;
}

static bool fits(const struct lysc_node *leaf, const char *value)
{
	LY_ERR rc = lyd_value_validate(NULL, leaf, value, strlen(value), NULL, NULL, NULL);

	return rc == LY_SUCCESS || rc == LY_EINCOMPLETE;
}

/* A value that the leaf takes, in buf. */
static const char *random_value(struct random_source *r, const struct lysc_node *leaf, char *buf, size_t size)
{
	static const uint32_t limits[] = { 8, 100, 5000, 70000, 1000000, UINT32_MAX };

	if (conf_is_type(leaf, LY_TYPE_EMPTY))
		return "";
	for (int try = 0; try < 2000; try++) {
		if (random_below(r, 3))
			snprintf(buf, size, "%s", pool[random_below(r, ARRAY_SIZE(pool))]);
		else
			snprintf(buf, size, "%u", random_below(r, limits[random_below(r, ARRAY_SIZE(limits))]));
		if (fits(leaf, buf))
			return buf;
	}
	fprintf(stderr, "no value of the pool fits %s\n", leaf->name);
	abort();
}

static void fill(const struct ly_ctx *ctx, struct random_source *r, unsigned int density, struct lyd_node *parent,
		 const struct lysc_node *schema, struct lyd_node **top);

static void attach(struct lyd_node *parent, struct lyd_node *node, struct lyd_node **top)
{
	if (!parent)
		lyd_insert_sibling(*top, node, top);
}

static void add_term(struct random_source *r, struct lyd_node *parent, const struct lysc_node *leaf,
		     struct lyd_node **top)
{
	struct lyd_node *node = NULL, *first = parent ? lyd_child(parent) : *top;
	char buf[64];
	const char *value = random_value(r, leaf, buf, sizeof(buf));

	if (first && lyd_find_sibling_val(first, leaf, leaf->nodetype == LYS_LEAFLIST ? value : NULL, 0, &node) ==
	    LY_SUCCESS)
		return;
	if (lyd_new_term(parent, leaf->module, leaf->name, value, 0, &node) != LY_SUCCESS)
		abort();
	attach(parent, node, top);
}

static void add_entry(const struct ly_ctx *ctx, struct random_source *r, unsigned int density,
		      struct lyd_node *parent, const struct lysc_node *list, struct lyd_node **top)
{
	char key[4][64] = { "" };
	const struct lysc_node *leaf = lysc_node_child(list);
	struct lyd_node *node, *same = NULL, *first = parent ? lyd_child(parent) : *top;

	for (int i = 0; i < 4 && leaf && lysc_is_key(leaf); i++, leaf = leaf->next)
		do {
			random_value(r, leaf, key[i], sizeof(key[i]));
		} while (strchr(key[i], '\'') && strchr(key[i], '"'));
	if (lyd_new_list(parent, list->module, list->name, 0, &node, key[0], key[1], key[2], key[3]) != LY_SUCCESS)
		abort();
	/* a new one may be the twin of an older */
	for (same = first; same; same = same->next) {
		if (same != node && same->schema == list && lyd_compare_single(same, node, 0) == LY_SUCCESS) {
			lyd_free_tree(node);
			return;
		}
	}
	attach(parent, node, top);
	fill(ctx, r, density, node, list, top);
}

static void fill(const struct ly_ctx *ctx, struct random_source *r, unsigned int density, struct lyd_node *parent,
		 const struct lysc_node *schema, struct lyd_node **top)
{
	const struct lysc_node *child = NULL;
	struct lyd_node *node;

	while ((child = conf_schema_next(ctx, schema, child))) {
		bool wanted = random_below(r, 100) < density;

		if (lysc_is_key(child))
			continue;
		switch (child->nodetype) {
		case LYS_LEAF:
			if (wanted || (child->flags & LYS_MAND_TRUE))
				add_term(r, parent, child, top);
			break;
		case LYS_LEAFLIST:
			for (int n = wanted ? 1 + random_below(r, 4) : 0; n > 0; n--)
				add_term(r, parent, child, top);
			break;
		case LYS_LIST:
			for (int n = wanted ? 1 + random_below(r, 4) : 0; n > 0; n--)
				add_entry(ctx, r, density, parent, child, top);
			break;
		default:
			if (!wanted)
				break;
			if (lyd_new_inner(parent, child->module, child->name, 0, &node) != LY_SUCCESS)
				abort();
			attach(parent, node, top);
			fill(ctx, r, density, node, child, top);
			break;
		}
	}
}

struct lyd_node *random_tree(const struct ly_ctx *ctx, struct random_source *r, unsigned int density)
{
	struct lyd_node *top = NULL;

	fill(ctx, r, density, NULL, NULL, &top);
	return top ? lyd_first_sibling(top) : NULL;
}
