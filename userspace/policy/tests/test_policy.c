// SPDX-License-Identifier: GPL-2.0
/* rooms: lib conf rib policy */
/*
 * Route policies from configuration text to what becomes of a route: every condition, every change, sets of all kinds,
 * and who hears of what changes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "conf/conf.h"
#include "lib/jobs.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "policy/policy.h"

static uv_loop_t loop;
static struct jobs *jobs;
static struct conf *conf;
static struct policies *policies;
static struct policy_watch watch;
static char heard[256];

static void on_changed(struct policy_watch *w, struct policy *p)
{
	size_t n = strlen(heard);

	snprintf(heard + n, sizeof(heard) - n, "%s ", policy_name(p));
}

static int setup(void **unused)
{
	const struct conf_options opt = { .loop = &loop };
	struct conf_error err;

	log_init("test", LOG_TARGET_NONE, LOG_LEVEL_DEBUG);
	assert_int_equal(uv_loop_init(&loop), 0);
	jobs = jobs_new(NULL);
	conf = conf_new(&opt, &err);
	assert_non_null(conf);
	policies = policies_new(conf, jobs);
	watch.changed = on_changed;
	policy_watch(policies, &watch);
	heard[0] = '\0';
	assert_true(conf_start(conf, &err));
	return 0;
}

static int teardown(void **unused)
{
	policy_unwatch(&watch);
	policies_free(policies);
	assert_int_equal(attrs_count(), 0);
	conf_free(conf);
	jobs_free(jobs);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	return 0;
}

/* NULL: committed; else why not */
static const char *edit(const char *text)
{
	static struct conf_error err;
	struct conf_candidate *cand = conf_candidate_open(conf, "test", false, &err);
	struct conf_commit how = { 0 };
	uint64_t id;
	bool ok;

	assert_non_null(cand);
	ok = conf_edit(cand, NULL, text, NULL, &err) && conf_commit(cand, &how, &id, &err);
	conf_candidate_close(cand);
	jobs_run(jobs, 0);
	return ok ? NULL : err.reason;
}

static void take(const char *text)
{
	const char *why = edit(text);

	if (why)
		fail_msg("refused: %s: %s", why, text);
}

static void refuse(const char *text, const char *part)
{
	const char *why = edit(text);

	if (!why)
		fail_msg("taken: %s", text);
	if (!strstr(why, part))
		fail_msg("refused with \"%s\" in place of \"%s\"", why, part);
}

/* ---- routes ---- */

struct route {
	const char *prefix, *nexthop;
	const uint32_t *path;		/* one sequence, ended by 0 */
	const uint32_t *communities;	/* ended by 0 */
	const uint8_t *ext;
	uint16_t ext_len;
	const uint32_t *large;		/* threes */
	uint16_t n_large;
	bool has_med, has_local_pref;
	uint32_t med, local_pref;
	uint8_t origin;
	enum policy_route_type type;
	const uint8_t *rd;
};

static uint16_t put32(uint8_t *b, const uint32_t *v, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		b[4 * i] = (uint8_t)(v[i] >> 24);
		b[4 * i + 1] = (uint8_t)(v[i] >> 16);
		b[4 * i + 2] = (uint8_t)(v[i] >> 8);
		b[4 * i + 3] = (uint8_t)v[i];
	}
	return (uint16_t)(4 * n);
}

static unsigned int ended(const uint32_t *v)
{
	unsigned int n = 0;

	while (v && v[n])
		n++;
	return n;
}

static struct attrs *attrs_of(const struct route *r)
{
	uint8_t path[256], communities[256], large[256];
	struct attrs_builder b;
	struct attrs *a;

	memset(&b, 0, sizeof(b));
	b.f.origin = r->origin;
	b.f.flags = (r->has_med ? ATTRS_HAS_MED : 0) | (r->has_local_pref ? ATTRS_HAS_LOCAL_PREF : 0);
	b.f.med = r->med;
	b.f.local_pref = r->local_pref;
	if (r->nexthop)
		assert_true(addr_parse(r->nexthop, &b.f.nexthop));
	if (ended(r->path)) {
		path[0] = 2;
		path[1] = (uint8_t)ended(r->path);
		b.part[ATTRS_AS_PATH].len = 2 + put32(path + 2, r->path, ended(r->path));
		b.part[ATTRS_AS_PATH].data = path;
	}
	b.part[ATTRS_COMMUNITY].data = communities;
	b.part[ATTRS_COMMUNITY].len = put32(communities, r->communities, ended(r->communities));
	b.part[ATTRS_EXT].data = r->ext;
	b.part[ATTRS_EXT].len = r->ext_len;
	b.part[ATTRS_LARGE].data = large;
	b.part[ATTRS_LARGE].len = put32(large, r->large, 3u * r->n_large);
	a = attrs_intern(&b);
	assert_non_null(a);
	return a;
}

/* NULL: refused; else attributes with a reference. *how may be NULL. */
static struct attrs *run(const char *name, const struct route *r, struct policy_result *how)
{
	struct policy *p = policy_get(policies, name);
	struct policy_route in = { .attrs = attrs_of(r), .type = r->type, .own_as = 65000 };
	struct policy_result out;
	struct prefix prefix;
	struct rd rd;
	bool ok;

	assert_non_null(p);
	assert_true(prefix_parse(r->prefix ? r->prefix : "10.0.0.0/8", &prefix));
	in.prefix = &prefix;
	if (r->rd) {
		memcpy(rd.b, r->rd, sizeof(rd.b));
		in.rd = &rd;
	}
	ok = policy_run(p, &in, &out);
	attrs_put(in.attrs);
	policy_put(p);
	if (how && ok)
		*how = out;
	return ok ? out.attrs : NULL;
}

static bool accepts(const char *name, const struct route *r)
{
	struct attrs *a = run(name, r, NULL);

	attrs_put(a);
	return a;
}

static bool accepts_prefix(const char *name, const char *prefix)
{
	return accepts(name, &(struct route){ .prefix = prefix });
}

static bool accepts_path(const char *name, const uint32_t *path)
{
	return accepts(name, &(struct route){ .path = path });
}

#define PATH(...) ((const uint32_t[]){ __VA_ARGS__, 0 })

/* a policy P with one condition */
static void condition(const char *sets, const char *match)
{
	static const char form[] = "no route-policy P\n%sroute-policy P\n statement 10\n  match %s\n  action accept\n";
	char *text = xasprintf(form, sets, match);

	take(text);
	free(text);
}

static void prefixes(void **unused)
{
	condition("prefix-set S\n prefix 10.0.0.0/8\n prefix 10.1.0.0/16 le 24\n prefix 10.2.0.0/16 ge 24\n"
		  " prefix 192.0.2.0/24 ge 25 le 26\n prefix 0.0.0.0/0\n prefix 2001:db8::/32 ge 48 le 64\n!\n",
		  "prefix-set S");
	assert_true(accepts_prefix("P", "0.0.0.0/0"));
	assert_true(accepts_prefix("P", "10.0.0.0/8"));
	assert_false(accepts_prefix("P", "10.0.0.0/9"));
	assert_true(accepts_prefix("P", "10.1.0.0/16"));
	assert_true(accepts_prefix("P", "10.1.4.0/24"));
	assert_false(accepts_prefix("P", "10.1.4.0/25"));
	assert_false(accepts_prefix("P", "10.2.0.0/16"));
	assert_true(accepts_prefix("P", "10.2.0.0/24"));
	assert_true(accepts_prefix("P", "10.2.0.1/32"));
	assert_false(accepts_prefix("P", "192.0.2.0/24"));
	assert_true(accepts_prefix("P", "192.0.2.64/26"));
	assert_false(accepts_prefix("P", "192.0.2.64/27"));
	assert_false(accepts_prefix("P", "11.0.0.0/8"));
	assert_true(accepts_prefix("P", "2001:db8:1::/48"));
	assert_false(accepts_prefix("P", "2001:db8::/32"));
	assert_false(accepts_prefix("P", "::/0"));
	refuse("prefix-set S\n prefix 10.0.0.1/8\n", "host bits");
	refuse("prefix-set S\n prefix 10.3.0.0/16 ge 8\n", "lengths 16 to 32");
	refuse("prefix-set S\n prefix 10.3.0.0/16 ge 24 le 20\n", "lengths 16 to 32");
	refuse("prefix-set S\n prefix 10.3.0.0/16 le 33\n", "lengths 16 to 32");
	/* a shorter entry with lengths, below a longer one without */
	condition("no prefix-set S\nprefix-set S\n prefix 10.0.0.0/8 le 32\n prefix 10.1.0.0/16\n!\n", "prefix-set S");
	assert_true(accepts_prefix("P", "10.1.2.0/24"));
}

static void paths(void **unused)
{
	condition("as-path-set S\n ios-regex _65010$\n!\n", "as-path-set S");
	assert_true(accepts_path("P", PATH(65010)));
	assert_true(accepts_path("P", PATH(65001, 65010)));
	assert_false(accepts_path("P", PATH(65010, 65001)));
	assert_false(accepts_path("P", PATH(165010)));
	assert_false(accepts("P", &(struct route){ 0 }));
	condition("no as-path-set S\nas-path-set S\n ios-regex ^$\n ios-regex _65001_65002_\n!\n", "as-path-set S");
	assert_true(accepts("P", &(struct route){ 0 }));
	assert_true(accepts_path("P", PATH(1, 65001, 65002, 3)));
	assert_false(accepts_path("P", PATH(1, 65001, 3, 65002)));
	condition("no as-path-set S\nas-path-set S\n ios-regex ^65[0-9]+(_65001)*$\n!\n", "as-path-set S");
	assert_true(accepts_path("P", PATH(65999, 65001, 65001)));
	assert_false(accepts_path("P", PATH(65999, 65001, 65002)));
	/* more paths than answers are remembered for */
	for (uint32_t i = 1; i < 2000; i++)
		assert_int_equal(accepts_path("P", PATH(i, 65001)), i > 649 && i < 660);
	refuse("as-path-set S\n ios-regex \"(65\"\n", "no expression");
	refuse("as-path-set S\n ios-regex \"(6)\\\\1\"\n", "refers back");
	condition("", "as-path-length ge 2 le 3");
	assert_false(accepts_path("P", PATH(1)));
	assert_true(accepts_path("P", PATH(1, 2)));
	assert_true(accepts_path("P", PATH(1, 2, 3)));
	assert_false(accepts_path("P", PATH(1, 2, 3, 4)));
}

#define C(a, b) ((uint32_t)(a) << 16 | (b))

static bool accepts_communities(const uint32_t *c)
{
	return accepts("P", &(struct route){ .communities = c });
}

static void communities(void **unused)
{
	static const char sets[] =
		"community-set S\n community 65000:1\n community 65001:*\n community *:[100..199]\n"
		" community no-export\n!\ncommunity-set TWO\n community 65000:1\n community 65001:*\n!\n";

	condition(sets, "community matches-any S");
	assert_false(accepts_communities(NULL));
	assert_false(accepts_communities(PATH(C(65000, 2))));
	assert_true(accepts_communities(PATH(C(65000, 2), C(65000, 1))));
	assert_true(accepts_communities(PATH(C(65001, 9999))));
	assert_true(accepts_communities(PATH(C(7, 100))));
	assert_true(accepts_communities(PATH(C(7, 199))));
	assert_false(accepts_communities(PATH(C(7, 200))));
	assert_true(accepts_communities(PATH(0xffffff01)));
	condition(sets, "community matches-every TWO");
	assert_false(accepts_communities(PATH(C(65000, 1))));
	assert_false(accepts_communities(PATH(C(65001, 1), C(65001, 2))));
	assert_true(accepts_communities(PATH(C(65000, 1), C(65001, 2), C(9, 9))));
	condition(sets, "community matches-within TWO");
	assert_false(accepts_communities(NULL));
	assert_true(accepts_communities(PATH(C(65000, 1))));
	assert_false(accepts_communities(PATH(C(65000, 1), C(9, 9))));
	refuse("community-set S\n community 65536:1\n", "out of range");
	refuse("community-set S\n community 1:[9..3]\n", "out of range");
}

static const uint8_t rt_1[] = { 0, 2, 0xfd, 0xe8, 0, 0, 0, 1 };		/* 65000:1 */
static const uint8_t soo_1[] = { 0, 3, 0xfd, 0xe8, 0, 0, 0, 1 };
static const uint8_t rt_address[] = { 1, 2, 192, 0, 2, 1, 0, 7 };
static const uint8_t rt_wide[] = { 2, 2, 0, 3, 0, 0, 0, 7 };		/* 196608:7 */
static const uint8_t opaque[] = { 3, 2, 0xfd, 0xe8, 0, 0, 0, 1 };

static bool accepts_ext(const uint8_t *ext)
{
	return accepts("P", &(struct route){ .ext = ext, .ext_len = 8 });
}

static void extended_communities(void **unused)
{
	condition("extcommunity-set S\n rt 65000:1\n rt 192.0.2.1:7\n rt 196608:7\n!\n", "extcommunity matches-any S");
	assert_true(accepts_ext(rt_1));
	assert_false(accepts_ext(soo_1));
	assert_true(accepts_ext(rt_address));
	assert_true(accepts_ext(rt_wide));
	assert_false(accepts_ext(opaque));
	condition("no extcommunity-set S\nextcommunity-set S\n rt *:7\n soo 65000:[0..9]\n!\n",
		  "extcommunity matches-any S");
	assert_false(accepts_ext(rt_1));
	assert_true(accepts_ext(soo_1));
	assert_false(accepts_ext(rt_address));
	assert_true(accepts_ext(rt_wide));
	refuse("extcommunity-set S\n rt 70000:70000\n", "out of range");
	refuse("extcommunity-set S\n rt 192.0.2.1:70000\n", "out of range");
}

static void large_communities(void **unused)
{
	static const uint32_t one[] = { 4200000000u, 1, 2 }, other[] = { 4200000000u, 1, 3 };

	condition("large-community-set S\n large-community 4200000000:*:[0..2]\n!\n", "large-community matches-any S");
	assert_true(accepts("P", &(struct route){ .large = one, .n_large = 1 }));
	assert_false(accepts("P", &(struct route){ .large = other, .n_large = 1 }));
	refuse("large-community-set S\n large-community 4294967296:1:1\n", "out of range");
}

static void other_conditions(void **unused)
{
	static const uint8_t rd_1[] = { 0, 0, 0xfd, 0xe8, 0, 0, 0, 1 }, rd_2[] = { 0, 0, 0xfd, 0xe8, 0, 0, 0, 2 };

	condition("", "med ge 5 le 10");
	assert_false(accepts("P", &(struct route){ 0 }));
	assert_false(accepts("P", &(struct route){ .has_med = true, .med = 4 }));
	assert_true(accepts("P", &(struct route){ .has_med = true, .med = 10 }));
	condition("", "local-preference eq 100");
	assert_true(accepts("P", &(struct route){ 0 }));
	assert_false(accepts("P", &(struct route){ .has_local_pref = true, .local_pref = 200 }));
	condition("", "origin egp");
	assert_true(accepts("P", &(struct route){ .origin = ORIGIN_EGP }));
	assert_false(accepts("P", &(struct route){ 0 }));
	condition("", "route-type internal");
	assert_true(accepts("P", &(struct route){ .type = POLICY_INTERNAL }));
	assert_false(accepts("P", &(struct route){ .type = POLICY_EXTERNAL }));
	assert_false(accepts("P", &(struct route){ .type = POLICY_LOCAL }));
	condition("", "address-family ipv6");
	assert_true(accepts_prefix("P", "2001:db8::/32"));
	assert_false(accepts_prefix("P", "10.0.0.0/8"));
	condition("", "rd 65000:1");
	assert_true(accepts("P", &(struct route){ .rd = rd_1 }));
	assert_false(accepts("P", &(struct route){ .rd = rd_2 }));
	assert_false(accepts("P", &(struct route){ 0 }));
	condition("prefix-set NH\n prefix 192.0.2.0/24 le 32\n!\n", "next-hop NH");
	assert_true(accepts("P", &(struct route){ .nexthop = "192.0.2.9" }));
	assert_false(accepts("P", &(struct route){ .nexthop = "198.51.100.9" }));
	assert_false(accepts("P", &(struct route){ 0 }));
	/* all of them have to hold */
	condition("", "med ge 5\n  match origin igp\n  match route-type external");
	assert_true(accepts("P", &(struct route){ .has_med = true, .med = 5, .type = POLICY_EXTERNAL }));
	assert_false(accepts("P", &(struct route){ .has_med = true, .med = 5, .type = POLICY_INTERNAL }));
	assert_false(accepts("P", &(struct route){ .has_med = true, .med = 4, .type = POLICY_EXTERNAL }));
}

static void statements_are_in_order(void **unused)
{
	struct attrs *a;

	take("route-policy P\n statement 30\n  set local-preference 30\n  action accept\n !\n"
	     " statement 4\n  match med eq 4\n  set local-preference 4\n  action accept\n !\n"
	     " statement 20\n  match med eq 20\n  action reject\n !\n"
	     " statement 10\n  match med ge 10\n  set med +1\n  set origin egp\n  action next\n !\n!\n"
	     "route-policy NOTHING\n!\n");
	a = run("P", &(struct route){ 0 }, NULL);
	assert_int_equal(a->f.local_pref, 30);
	attrs_put(a);
	a = run("P", &(struct route){ .has_med = true, .med = 4 }, NULL);
	assert_int_equal(a->f.local_pref, 4);
	attrs_put(a);
	/* conditions see 20, not 21 */
	assert_false(accepts("P", &(struct route){ .has_med = true, .med = 20 }));
	a = run("P", &(struct route){ .has_med = true, .med = 19 }, NULL);
	assert_int_equal(a->f.med, 20);
	assert_int_equal(a->f.origin, ORIGIN_EGP);
	assert_int_equal(a->f.local_pref, 30);
	attrs_put(a);
	assert_false(accepts("NOTHING", &(struct route){ 0 }));
	refuse("route-policy P\n statement 50\n  match origin igp\n", "action");
}

/* What a policy that only sets makes of a route. */
static struct attrs *change(const char *set, const struct route *r, struct policy_result *how)
{
	char *text = xasprintf("no route-policy P\n"
			       "route-policy P\n statement 10\n  set %s\n  action accept\n !\n!\n", set);

	take(text);
	free(text);
	return run("P", r, how);
}

static void expect(struct attrs *a, const struct route *r)
{
	struct attrs *want = attrs_of(r);

	assert_ptr_equal(a, want);
	attrs_put(a);
	attrs_put(want);
}

static void numbers_change(void **unused)
{
	struct policy_result how;

	expect(change("local-preference 300", &(struct route){ 0 }, NULL),
	       &(struct route){ .has_local_pref = true, .local_pref = 300 });
	expect(change("origin incomplete", &(struct route){ 0 }, NULL), &(struct route){ .origin = ORIGIN_INCOMPLETE });
	expect(change("med 7", &(struct route){ .has_med = true, .med = 9 }, &how),
	       &(struct route){ .has_med = true, .med = 7 });
	assert_true(how.med_set);
	expect(change("med +7", &(struct route){ 0 }, NULL), &(struct route){ .has_med = true, .med = 7 });
	expect(change("med +7", &(struct route){ .has_med = true, .med = UINT32_MAX - 3 }, NULL),
	       &(struct route){ .has_med = true, .med = UINT32_MAX });
	expect(change("med -7", &(struct route){ .has_med = true, .med = 9 }, NULL),
	       &(struct route){ .has_med = true, .med = 2 });
	expect(change("med -7", &(struct route){ .has_med = true, .med = 3 }, NULL),
	       &(struct route){ .has_med = true });
	refuse("route-policy P\n statement 10\n  set med 4294967296\n", "at most");
	expect(change("next-hop 192.0.2.1", &(struct route){ .nexthop = "192.0.2.9" }, &how),
	       &(struct route){ .nexthop = "192.0.2.1" });
	assert_int_equal(how.next_hop, POLICY_NEXT_HOP_ADDRESS);
	expect(change("next-hop self", &(struct route){ .nexthop = "192.0.2.9" }, &how),
	       &(struct route){ .nexthop = "192.0.2.9" });
	assert_int_equal(how.next_hop, POLICY_NEXT_HOP_SELF);
	assert_false(how.med_set);
	assert_true(policy_sets_own_next_hop(conf_running(conf), "P"));
	expect(change("origin igp", &(struct route){ 0 }, &how), &(struct route){ 0 });
	assert_int_equal(how.next_hop, POLICY_NEXT_HOP_KEEP);
	assert_false(policy_sets_own_next_hop(conf_running(conf), "P"));
	refuse("route-policy P\n statement 10\n  set next-hop 224.0.0.1\n", "cannot be a next hop");
}

static void paths_grow(void **unused)
{
	uint32_t many[61] = { 0 };
	struct attrs *a;

	expect(change("as-path prepend 65009", &(struct route){ .path = PATH(1, 2) }, NULL),
	       &(struct route){ .path = PATH(65009, 1, 2) });
	expect(change("as-path prepend own-as 2", &(struct route){ .path = PATH(1) }, NULL),
	       &(struct route){ .path = PATH(65000, 65000, 1) });
	expect(change("as-path prepend most-recent 3", &(struct route){ .path = PATH(7, 1) }, NULL),
	       &(struct route){ .path = PATH(7, 7, 7, 7, 1) });
	expect(change("as-path prepend most-recent 3", &(struct route){ 0 }, NULL), &(struct route){ 0 });
	expect(change("as-path prepend 65009", &(struct route){ 0 }, NULL), &(struct route){ .path = PATH(65009) });
	/* a segment holds 255 */
	take("no route-policy P\nroute-policy P\n statement 1\n  set as-path prepend 1 32\n  action next\n !\n"
	     " statement 2\n  set as-path prepend 2 32\n  action next\n !\n"
	     " statement 3\n  set as-path prepend 3 32\n  action next\n !\n"
	     " statement 4\n  set as-path prepend 4 32\n  action next\n !\n"
	     " statement 5\n  set as-path prepend 5 32\n  action next\n !\n"
	     " statement 6\n  set as-path prepend 6 32\n  action next\n !\n"
	     " statement 7\n  set as-path prepend 7 32\n  action accept\n !\n!\n");
	for (int i = 0; i < 60; i++)
		many[i] = 9;
	a = run("P", &(struct route){ .path = many }, NULL);
	assert_int_equal(a->path_length, 60 + 7 * 32);
	assert_int_equal(attrs_path_count(a, 9), 60);
	assert_int_equal(attrs_path_count(a, 1), 32);
	assert_int_equal(a->neighbour_as, 7);
	attrs_put(a);
}

static void communities_change(void **unused)
{
	const struct route r = { .communities = PATH(C(65000, 1), C(65000, 2), C(65001, 3)) };
	uint8_t two[16], three[16];

	take("community-set ADD\n community 65009:9\n community 65000:1\n!\ncommunity-set DEL\n community 65000:*\n!\n"
	     "extcommunity-set RT\n rt 196608:7\n!\nextcommunity-set ANY\n rt *:*\n!\n"
	     "large-community-set L\n large-community 1:2:3\n!\n");
	expect(change("community add ADD", &r, NULL),
	       &(struct route){ .communities = PATH(C(65000, 1), C(65000, 2), C(65001, 3), C(65009, 9)) });
	expect(change("community replace ADD", &r, NULL),
	       &(struct route){ .communities = PATH(C(65000, 1), C(65009, 9)) });
	expect(change("community delete DEL", &r, NULL), &(struct route){ .communities = PATH(C(65001, 3)) });
	expect(change("community delete DEL\n  set community add ADD", &r, NULL),
	       &(struct route){ .communities = PATH(C(65000, 1), C(65001, 3), C(65009, 9)) });
	expect(change("community delete all", &r, NULL), &(struct route){ 0 });
	refuse("route-policy P\n statement 10\n  set community add DEL\n", "cannot be added");
	memcpy(two, rt_1, 8);
	memcpy(two + 8, soo_1, 8);
	memcpy(three, rt_wide, 8);
	memcpy(three + 8, soo_1, 8);
	expect(change("extcommunity replace RT", &(struct route){ .ext = two, .ext_len = 16 }, NULL),
	       &(struct route){ .ext = three, .ext_len = 16 });
	expect(change("extcommunity delete ANY", &(struct route){ .ext = two, .ext_len = 16 }, NULL),
	       &(struct route){ .ext = soo_1, .ext_len = 8 });
	expect(change("extcommunity delete ANY\n  set extcommunity add RT",
		      &(struct route){ .ext = two, .ext_len = 16 }, NULL),
	       &(struct route){ .ext = three, .ext_len = 16 });
	expect(change("large-community add L", &(struct route){ 0 }, NULL),
	       &(struct route){ .large = (const uint32_t[]){ 1, 2, 3 }, .n_large = 1 });
	/* what is there already is no change */
	expect(change("community add ADD", &(struct route){ .communities = PATH(C(65000, 1), C(65009, 9)) }, NULL),
	       &(struct route){ .communities = PATH(C(65000, 1), C(65009, 9)) });
}

/* More than fits attributes: refused, not cut. */
static void too_much(void **unused)
{
	char *text = xstrdup("community-set BIG\n");
	uint8_t *path = xcalloc(1, 60000);
	struct attrs_builder b = { 0 };
	struct policy_route in = { .own_as = 1 };
	struct policy_result out;
	struct prefix prefix;
	struct policy *p;

	for (int i = 0; i < 2000; i++) {
		char *more = xasprintf("%s community 1:%d\n", text, i);

		free(text);
		text = more;
	}
	take(text);
	free(text);
	take("route-policy P\n statement 10\n  set community add BIG\n  action accept\n !\n!\n");
	for (int i = 0; i < 58; i++) {
		path[i * 1022] = 2;
		path[i * 1022 + 1] = 255;
	}
	b.part[ATTRS_AS_PATH].data = path;
	b.part[ATTRS_AS_PATH].len = 58 * 1022;
	in.attrs = attrs_intern(&b);
	assert_true(prefix_parse("10.0.0.0/8", &prefix));
	in.prefix = &prefix;
	p = policy_get(policies, "P");
	assert_false(policy_run(p, &in, &out));
	policy_put(p);
	attrs_put(in.attrs);
	free(path);
}

static void who_hears_of_changes(void **unused)
{
	struct policy *a, *b;

	take("prefix-set S\n prefix 10.0.0.0/8\n!\nprefix-set T\n prefix 10.0.0.0/8\n!\n"
	     "route-policy A\n statement 1\n  match prefix-set S\n  action accept\n !\n!\n"
	     "route-policy B\n statement 1\n  match prefix-set T\n  action accept\n !\n!\n"
	     "route-policy D\n statement 1\n  action accept\n !\n!\n");
	a = policy_get(policies, "A");
	b = policy_get(policies, "B");
	assert_null(policy_get(policies, "C"));
	heard[0] = '\0';
	take("prefix-set S\n prefix 11.0.0.0/8\n");
	assert_string_equal(heard, "A ");
	assert_true(accepts_prefix("A", "11.0.0.0/8"));
	assert_false(accepts_prefix("B", "11.0.0.0/8"));
	heard[0] = '\0';
	take("route-policy B\n statement 1\n  match prefix-set S\n!\n"
	     "prefix-set S\n no prefix 11.0.0.0/8\n prefix 12.0.0.0/8\n");
	assert_true(!strcmp(heard, "A B ") || !strcmp(heard, "B A "));
	assert_true(accepts_prefix("B", "12.0.0.0/8"));
	heard[0] = '\0';
	take("router bgp 65000\n router-id 10.0.0.1\n!\nprefix-set T\n prefix 99.0.0.0/8\n");
	assert_string_equal(heard, "");
	/* the one that goes refuses everything, and may come back */
	take("no route-policy A\n");
	assert_string_equal(heard, "A ");
	assert_null(policy_get(policies, "A"));
	assert_string_equal(policy_name(a), "A");
	heard[0] = '\0';
	take("route-policy A\n statement 1\n  action accept\n !\n!\n");
	assert_string_equal(heard, "A ");
	assert_ptr_equal(policy_get(policies, "A"), a);
	policy_put(a);
	assert_true(policy_by_prefix(b));
	assert_false(policy_by_prefix(a));
	refuse("no prefix-set S\n", "is not configured");
	refuse("route-policy B\n statement 1\n  match prefix-set NONE\n", "is not configured");
	/* a set by another name in one commit with the policy that asks it */
	take("no prefix-set S\nroute-policy B\n statement 1\n  match prefix-set U\n !\n!\n"
	     "prefix-set U\n prefix 13.0.0.0/8\n!\n");
	assert_true(accepts_prefix("B", "13.0.0.0/8"));
	assert_false(accepts_prefix("B", "12.0.0.0/8"));
	policy_put(a);
	policy_put(b);
}

/* What was found out for attributes must not outlive a change of a set. */
static void nothing_is_remembered_too_long(void **unused)
{
	const struct route r = { .communities = PATH(C(1, 1)) };
	struct route external = { .communities = r.communities, .type = POLICY_EXTERNAL };

	take("community-set S\n community 1:1\n!\n"
	     "route-policy P\n statement 1\n  match community matches-any S\n  action accept\n !\n!\n");
	assert_true(accepts("P", &r));
	assert_true(accepts("P", &r));
	take("community-set S\n no community 1:1\n community 1:2\n");
	assert_false(accepts("P", &r));
	take("route-policy P\n statement 2\n  action accept\n");
	assert_true(accepts("P", &r));
	take("route-policy P\n statement 1\n  no match community\n  action reject\n");
	assert_false(accepts("P", &r));
	take("route-policy P\n no statement 1\n");
	assert_true(accepts("P", &r));
	/* types and families fare differently */
	take("route-policy P\n statement 2\n  match route-type external\n  match address-family ipv4\n");
	assert_false(accepts("P", &r));
	assert_true(accepts("P", &external));
	external.prefix = "2001:db8::/32";
	assert_false(accepts("P", &external));
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(prefixes),
		test(paths),
		test(communities),
		test(extended_communities),
		test(large_communities),
		test(other_conditions),
		test(statements_are_in_order),
		test(numbers_change),
		test(paths_grow),
		test(communities_change),
		test(too_much),
		test(who_hears_of_changes),
		test(nothing_is_remembered_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
