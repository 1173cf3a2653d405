// SPDX-License-Identifier: GPL-2.0
/* rooms: lib conf */
/*
 * The text form. Random trees made from the schema survive text and JSON; the changes between any two lead from
 * one to the other; what is wrong is refused with its line, path and reason.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "conf/change.h"
#include "conf/conf.h"
#include "conf/schema.h"
#include "conf/tests/random_tree.h"
#include "conf/text.h"
#include "lib/mem.h"

#define ROUNDS 300

static struct ly_ctx *ctx;
static struct random_source source;

static struct lyd_node *parse(const char *text)
{
	struct conf_error err = { 0 };
	struct lyd_node *tree = NULL;

	if (!conf_text_apply(ctx, &tree, NULL, text, NULL, &err))
		fail_msg("line %u, %s: %s\n%s", err.line, err.path, err.reason, text);
	return tree;
}

static void check_same(const struct lyd_node *a, const struct lyd_node *b, const char *text)
{
	if (!conf_trees_equal(a, b, true)) {
		char *x = conf_text(a, NULL, CONF_PRINT_SECRETS), *y = conf_text(b, NULL, CONF_PRINT_SECRETS);

		fail_msg("trees differ\n---- wanted\n%s---- got\n%s---- by\n%s", x, y, text);
	}
}

static void round_trip_text(void **unused)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct lyd_node *tree = random_tree(ctx, &source, 20 + random_below(&source, 70));
		char *text = conf_text(tree, NULL, CONF_PRINT_SECRETS), *again;
		struct lyd_node *copy = parse(text);

		check_same(tree, copy, text);
		again = conf_text(copy, NULL, CONF_PRINT_SECRETS);
		assert_string_equal(text, again);
		free(again);
		free(text);
		lyd_free_all(copy);
		lyd_free_all(tree);
	}
}

/* Without indentation, "!" alone tells where a block ends. */
static void round_trip_flat(void **unused)
{
	for (int i = 0; i < ROUNDS / 3; i++) {
		struct lyd_node *tree = random_tree(ctx, &source, 50), *copy;
		char *text = conf_text(tree, NULL, CONF_PRINT_SECRETS), *d = text;
		bool start = true;

		for (const char *s = text; *s; s++) {
			if (start && *s == ' ')
				continue;
			start = *s == '\n';
			*d++ = *s;
		}
		*d = 0;
		copy = parse(text);
		check_same(tree, copy, text);
		free(text);
		lyd_free_all(copy);
		lyd_free_all(tree);
	}
}

static void round_trip_json(void **unused)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct lyd_node *tree = random_tree(ctx, &source, 20 + random_below(&source, 70)), *copy = NULL;
		char *json = conf_json(tree, CONF_PRINT_SECRETS);

		assert_int_equal(lyd_parse_data_mem(ctx, json, LYD_JSON, LYD_PARSE_ONLY | LYD_PARSE_STRICT, 0, &copy),
				 LY_SUCCESS);
		check_same(tree, copy, json);
		free(json);
		lyd_free_all(copy);
		lyd_free_all(tree);
	}
}

/* From any tree to any other: related ones (one grown from the other's text) and unrelated ones. */
static void changes_lead_over(void **unused)
{
	struct conf_error err = { 0 };

	for (int i = 0; i < ROUNDS; i++) {
		struct lyd_node *from = random_tree(ctx, &source, 60), *to = random_tree(ctx, &source, 60);
		char *changes, *diff;

		if (i & 1)
			lyd_merge_siblings(&to, from, 0);
		changes = conf_changes_text(from, to, CONF_PRINT_SECRETS);
		diff = conf_differences(from, to, CONF_PRINT_SECRETS);
		assert_int_equal(!*diff, conf_trees_equal(from, to, true));
		assert_int_equal(!*changes, !*diff);
		if (!conf_text_apply(ctx, &from, NULL, changes, NULL, &err))
			fail_msg("line %u, %s: %s\n%s", err.line, err.path, err.reason, changes);
		check_same(to, from, changes);
		free(changes);
		free(diff);
		lyd_free_all(from);
		lyd_free_all(to);
	}
}

static void secrets_are_masked(void **unused)
{
	struct conf_error err = { 0 };
	struct lyd_node *tree = parse("router bgp 1\n router-id 1.1.1.1\n neighbor 2.2.2.2\n  remote-as 2\n"
				      "  password hunter2\n");
	struct lyd_node *other = parse("router bgp 1\n router-id 1.1.1.1\n neighbor 2.2.2.2\n  remote-as 2\n"
				       "  password hunter3\n");
	char *text = conf_text(tree, NULL, 0), *json = conf_json(tree, 0), *diff = conf_differences(tree, other, 0);
	char *changes = conf_changes_text(tree, other, 0), *clear = conf_text(tree, NULL, CONF_PRINT_SECRETS);
	struct lyd_node *copy = NULL;

	assert_null(strstr(text, "hunter"));
	assert_null(strstr(json, "hunter"));
	assert_null(strstr(diff, "hunter"));
	assert_null(strstr(changes, "hunter"));
	assert_non_null(strstr(diff, "password"));
	assert_non_null(strstr(changes, "password"));
	assert_non_null(strstr(clear, "password hunter2\n"));
	/* and the mask is no password */
	assert_false(conf_text_apply(ctx, &copy, NULL, text, NULL, &err));
	assert_int_equal(err.line, 5);
	assert_string_equal(err.path, "/l3vpn:bgp/neighbor/password");
	lyd_free_all(copy);
	lyd_free_all(tree);
	lyd_free_all(other);
	free(text);
	free(json);
	free(diff);
	free(changes);
	free(clear);
}

struct refusal {
	const char *text;
	unsigned int line;
	const char *path;
	const char *reason;	/* part of it */
};

static const struct refusal refusals[] = {
	{ "fish", 1, "", "\"fish\" is unknown here" },
	{ "vrf RED\n rd 1:1\n fish 7\n", 3, "/l3vpn:vrf", "\"fish\" is unknown here" },
	{ "vrf", 1, "/l3vpn:vrf", "name is missing" },
	{ "vrf THIS-NAME-IS-TOO-LONG", 1, "/l3vpn:vrf/name", "is not " },
	{ "vrf RED\n rd nonsense", 2, "/l3vpn:vrf/rd", "rd \"nonsense\" is not " },
	{ "vrf RED\n rd", 2, "/l3vpn:vrf/rd", "a value of rd is missing" },
	{ "vrf RED\n rd 1:1 1:2", 2, "/l3vpn:vrf", "one word too many" },
	{ "vrf RED\n label mode sometimes", 2, "/l3vpn:vrf/label-mode", "one of per-vrf, per-ce, per-prefix" },
	{ "vrf RED\n address-family ipv4", 2, "/l3vpn:vrf", "\"address-family\" is unknown here" },
	{ "interface eth0\n arp 10.0.0.1", 2, "/l3vpn:interface/arp/mac", "mac is missing" },
	{ "interface eth0\n ipv4 address 10.0.0.300/24", 2, "/l3vpn:interface/ipv4-address", "is not " },
	{ "mpls\n label hold-down 86401", 2, "/l3vpn:mpls/label/hold-down", "a number 0..86400" },
	{ "mpls\n label", 2, "/l3vpn:mpls/label", "incomplete after \"label\"" },
	{ "router bgp", 1, "/l3vpn:bgp/as", "as is missing" },
	{ "router bgp 0", 1, "/l3vpn:bgp/as", "a number 1..4294967294" },
	{ "router bgp 1\n neighbor 1.1.1.1\n  timers hold-time 2\n", 3, "/l3vpn:bgp/neighbor/timers/hold-time",
	  "a number 0 or 3..65535" },
	{ "vrf \"RED", 1, "", "a quote is not closed" },
	{ "vrf \"RED\"x", 1, "", "a blank is missing after a quote" },
	{ "vrf RED\n description \"a\\qb\"", 2, "", "unknown escape" },
	{ "vrf RED\n description \xff\xfe", 2, "/l3vpn:vrf", "a byte that is not text" },
	{ "vrf RED\n description a\x01z", 2, "/l3vpn:vrf", "a byte that is not text" },
	{ "no", 1, "", "incomplete after \"no\"" },
	{ "no vrf", 1, "/l3vpn:vrf", "name is missing" },
	{ "vrf RED\n rd 1:1\n no rd 2:2", 3, "/l3vpn:vrf/rd", "rd is \"1:1\", not \"2:2\"" },
	{ "vrf RED\n rd 1:1\n no rd 1:1 x", 3, "/l3vpn:vrf", "one word too many" },
	{ "router bgp 7\n!\nno router bgp 8", 3, "/l3vpn:bgp/as", "as is \"7\", not \"8\"" },
	{ "\"vrf\" RED", 1, "", "unknown here" },
};

static void refused_with_a_reason(void **unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		const struct refusal *r = &refusals[i];
		struct conf_error err = { 0 };
		struct lyd_node *tree = NULL;

		if (conf_text_apply(ctx, &tree, NULL, r->text, NULL, &err))
			fail_msg("accepted: %s", r->text);
		if (err.line != r->line || strcmp(err.path, r->path) || !strstr(err.reason, r->reason))
			fail_msg("%s\n-> line %u, \"%s\": %s", r->text, err.line, err.path, err.reason);
		assert_null(ly_err_first(ctx));
		lyd_free_all(tree);
	}
}

static void check_text(const char *given, const char *wanted)
{
	struct lyd_node *tree = parse(given);
	char *text = conf_text(tree, NULL, CONF_PRINT_SECRETS);

	assert_string_equal(text, wanted);
	free(text);
	lyd_free_all(tree);
}

static void forms(void **unused)
{
	/* a whole path on one line; "no"; comments; blanks; tabs; carriage returns */
	check_text("vrf RED rd 1:1\r\n\t\r\n! comment \"\n# other\nvrf RED\n\tdescription x\n!\n",
		   "vrf RED\n description x\n rd 1:1\n!\n");
	check_text("vrf RED\nrd 1:1\nno rd\nvrf BLUE\nno vrf RED\n", "vrf BLUE\n!\n");
	/* indentation ends a block, "!" or not, and a block may be empty */
	check_text("router bgp 1\n router-id 1.1.1.1\n vrf RED\n  neighbor 1.1.1.1\n   remote-as 3\n"
		   " vrf BLUE\nvrf RED\n",
		   "vrf RED\n!\nrouter bgp 1\n router-id 1.1.1.1\n vrf BLUE\n !\n vrf RED\n  neighbor 1.1.1.1\n"
		   "   remote-as 3\n  !\n !\n!\n");
	check_text("router bgp 1\nvrf RED\nexit\nlisten-port 1790\nend\nvrf RED\n",
		   "vrf RED\n!\nrouter bgp 1\n listen-port 1790\n vrf RED\n !\n!\n");
	/* several leaves of one entry; an ordered leaf-list is replaced by a line, and only by a line that has it */
	check_text("mpls static lsp 10.0.0.1/32\npath 10.1.1.1 out-label 100 out-label 200\npath 10.1.1.1 weight 3\n",
		   "mpls\n static lsp 10.0.0.1/32\n  path 10.1.1.1 out-label 100 out-label 200 weight 3\n !\n!\n");
	check_text("mpls static lsp 10.0.0.1/32\npath 10.1.1.1 out-label 100 out-label 200\n"
		   "path 10.1.1.1 out-label 300\n",
		   "mpls\n static lsp 10.0.0.1/32\n  path 10.1.1.1 out-label 300\n !\n!\n");
	check_text("interface e\n ipv4 address 10.0.0.1/8\n ipv4 address 10.0.0.2/8\n",
		   "interface e\n ipv4 address 10.0.0.1/8\n ipv4 address 10.0.0.2/8\n!\n");
	/* positional leaves by name */
	check_text("mpls label range dynamic maximum 200000", "mpls\n label range dynamic maximum 200000\n!\n");
	check_text("mpls label range dynamic 500 200000\nno mpls label range dynamic minimum",
		   "mpls\n label range dynamic maximum 200000\n!\n");
	/* lists whose order means nothing are sorted as people count */
	check_text("vrf R10\n!\nvrf R9\n!\n", "vrf R9\n!\nvrf R10\n!\n");
	check_text("vrf R\n description \"no \\\"\\\\ \\n\"\n", "vrf R\n description \"no \\\"\\\\ \\n\"\n!\n");
}

static void context_follows(void **unused)
{
	static const struct {
		const char *line, *context;
	} steps[] = {
		{ "router bgp 65000", "router bgp" },
		{ "router-id 1.1.1.1", "router bgp" },
		{ "vrf \"RED\"", "router bgp\nvrf RED" },
		{ "address-family ipv4 unicast", "router bgp\nvrf RED\naddress-family ipv4 unicast" },
		{ "network 10.0.0.0/8", "router bgp\nvrf RED\naddress-family ipv4 unicast" },
		{ "!", "router bgp\nvrf RED\naddress-family ipv4 unicast" },
		{ "exit", "router bgp\nvrf RED" },
		{ "neighbor 1.1.1.1", "router bgp\nvrf RED\nneighbor 1.1.1.1" },
		{ "neighbor 2.2.2.2", "router bgp\nvrf RED\nneighbor 2.2.2.2" },
		{ "mpls", "mpls" },
		{ "static lsp 1.1.1.1/32", "mpls\nstatic lsp 1.1.1.1/32" },
		{ "end", "" },
	};
	struct conf_error err = { 0 };
	struct lyd_node *tree = NULL;
	char *context = xstrdup("");

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		char *next = NULL;

		if (!conf_text_apply(ctx, &tree, context, steps[i].line, &next, &err))
			fail_msg("%s: %s: %s", steps[i].line, err.path, err.reason);
		assert_string_equal(next, steps[i].context);
		free(context);
		context = next;
	}
	free(context);
	lyd_free_all(tree);
}

static int start(void **unused)
{
	struct conf_error err = { 0 };

	random_seed(&source);
	ctx = conf_schema_new(&err);
	if (!ctx)
		fprintf(stderr, "%s: %s\n", err.path, err.reason);
	return ctx ? 0 : -1;
}

static int stop(void **unused)
{
	conf_schema_free(ctx);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),
		cmocka_unit_test(context_follows),
		cmocka_unit_test(refused_with_a_reason),
		cmocka_unit_test(secrets_are_masked),
		cmocka_unit_test(round_trip_text),
		cmocka_unit_test(round_trip_flat),
		cmocka_unit_test(round_trip_json),
		cmocka_unit_test(changes_lead_over),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
