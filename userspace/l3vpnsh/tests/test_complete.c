// SPDX-License-Identifier: GPL-2.0
/* Completion and help of whole lines, and values found in a configuration. No daemon is reached. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "l3vpnsh/complete.h"
#include "l3vpnsh/tests/fixture.h"
#include "lib/mem.h"

static char *found;

static void note(const char *value, void *arg)
{
	char *longer = xasprintf("%s%s ", found ?: "", value);

	free(found);
	found = longer;
}

static void expect_values(const json_t *config, const char *path, const char *leaf, const char *values)
{
	free(found);
	found = NULL;
	complete_collect(config, path, leaf, note, NULL);
	assert_string_equal(found ?: "", values);
}

static void values(void **state)
{
	json_t *c = json_pack("{s[{ssss}{ss}]s{sis[{sss[{ss}]}{sss[{ss}{ss}]}]}s{s[{sss[{sss[ii]}]}]}}",
			      "l3vpn:vrf", "name", "RED", "rd", "1:1", "name", "BLUE",
			      "l3vpn:bgp", "as", 65000, "vrf", "name", "RED", "neighbor", "address", "10.0.0.1",
			      "name", "BLUE", "neighbor", "address", "10.0.0.2", "address", "10.0.0.3",
			      "l3vpn:mpls", "lsp", "fec", "10.0.0.0/8", "path", "next-hop", "1.1.1.1",
			      "out-label", 16, 17);

	assert_non_null(c);
	expect_values(c, "/l3vpn:vrf/name", "vrf", "RED BLUE ");
	expect_values(c, "/l3vpn:vrf/l3vpn:name", "vrf", "RED BLUE ");
	expect_values(c, "/l3vpn:vrf", "name", "RED BLUE ");
	expect_values(c, "/l3vpn:bgp/as", "x", "65000 ");
	expect_values(c, "/l3vpn:bgp/vrf[name='BLUE']/neighbor", "address", "10.0.0.2 10.0.0.3 ");
	expect_values(c, "/l3vpn:bgp/vrf[name='GREEN']/neighbor", "address", "");
	expect_values(c, "/l3vpn:mpls/lsp[fec='10.0.0.0/8']/path[next-hop='1.1.1.1']/out-label", "out-label", "16 17 ");
	expect_values(c, "/l3vpn:nothing/here", "x", "");
	expect_values(c, "/l3vpn:vrf[name='RED", "name", "");
	json_decref(c);
}

static void at(const char *context)
{
	free(shell.context);
	free(shell.level.path);
	shell.context = context ? xstrdup(context) : NULL;
	shell.level = (struct level){ NULL, NULL };
	shell.configuring = context;
	assert_true(config_level(shell.schema, context ?: "", &shell.level));
}

/* The candidates of a line, in order, separated by blanks. */
static void expect(const char *line, const char *all)
{
	struct cands c = {};
	char *text = xstrdup("");

	complete_line(&shell, line, &c);
	for (size_t i = 0; i < c.n; i++) {
		char *longer = xasprintf("%s%s ", text, c.v[i].text);

		free(text);
		text = longer;
	}
	assert_string_equal(text, all);
	free(text);
	cands_free(&c);
}

static void lines(void **state)
{
	at(NULL);
	expect("probe", "probe ");
	expect("probe ", "bgp explain ");
	expect("probe bgp ", "neighbors ");
	expect("prob b neighbors d", "<address> depth detail ");
	expect("conf", "configure ");
	expect("commit ", "confirm ");
	expect("show log | ", "begin count exclude include json save ");
	expect("show log | in", "include ");
	expect("show log | include ", "<expression> ");
	expect("show log level ", "debug err info notice warning ");
	at("");
	expect("ro", "rollback root route-policy router ");
	expect("vrf RED r", "rd ");
	expect("no ro", "route-policy router ");
	expect("do probe e", "explain ");
	at("vrf RED");
	expect("label mode per-", "per-ce per-prefix per-vrf ");
	expect("interf", "interface ");
	expect("no l", "label loopback ");
	expect("address-family ipv4 ", "unicast ");
}

static void line(const char *text, void *arg)
{
	note(text, NULL);
	note("|", NULL);
}

static void help(void **state)
{
	at(NULL);
	free(found);
	found = NULL;
	complete_lines(&shell, "probe bgp neighbors ", line, NULL);
	assert_non_null(strstr(found, "  <address>             One peer. |"));
	assert_non_null(strstr(found, "  detail                All of it. |"));
	assert_non_null(strstr(found, "  <cr> |"));
	free(found);
	found = NULL;
	at("vrf RED");
	complete_lines(&shell, "label mode ", line, NULL);
	assert_non_null(strstr(found, "per-ce                One label for each CE next hop; no lookup"));
	assert_null(strstr(found, "<cr>"));
}

/* libcli's editor asks through this very function. */
static void libcli_asks(void **state)
{
	struct cli_comphelp c = {};

	at("vrf RED");
	cli_get_completions(shell.cli, "label mode per-c", '\t', &c);
	assert_int_equal(c.num_entries, 1);
	assert_string_equal(c.entries[0], "per-ce");
	cli_free_comphelp(&c);
	memset(&c, 0, sizeof(c));
	/* the only word is not taken for the only answer */
	cli_get_completions(shell.cli, "rd ", '\t', &c);
	assert_int_equal(c.num_entries, 2);
	assert_string_equal(c.entries[0], "<rd>");
	assert_string_equal(c.entries[1], "auto");
	cli_free_comphelp(&c);
	memset(&c, 0, sizeof(c));
	cli_get_completions(shell.cli, "rd a", '\t', &c);
	assert_int_equal(c.num_entries, 1);
	assert_string_equal(c.entries[0], "auto");
	cli_free_comphelp(&c);
	memset(&c, 0, sizeof(c));
	cli_get_completions(shell.cli, "description ", '\t', &c);
	assert_int_equal(c.num_entries, 1);
	cli_free_comphelp(&c);
}

static int setup(void **state)
{
	/* values are asked of a daemon that is not there: the words of the schema remain */
	shell.socket = "/nonexistent/l3vpnd.sock";
	shell.schema = fixture_schema();
	shell.cli = tree_new(&shell);
	return shell.cli ? 0 : -1;
}

static int teardown(void **state)
{
	free(found);
	at(NULL);
	cli_done(shell.cli);
	schema_free(shell.schema);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(lines),
		cmocka_unit_test(help),
		cmocka_unit_test(libcli_asks),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
