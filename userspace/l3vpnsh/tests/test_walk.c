// SPDX-License-Identifier: GPL-2.0
/* Lines along the real schema: what they mean, what is wrong with them, what may come next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "l3vpnsh/tests/fixture.h"

static struct schema *schema;

/* Walks line in context; the result in line, err and (the last word open: cands) as config_walk does. */
static bool walk(const char *context, const char *text, struct config_line *line, struct cands *cands,
		 struct walk_error *err)
{
	struct level at;
	struct words w;
	bool del, ok;

	assert_true(config_level(schema, context, &at));
	words_split(text, strlen(text), &w);
	del = w.n && !strcmp(w.v[0].text, "no");
	ok = config_walk(schema, &at, del, &w, del, line, cands, err);
	words_free(&w);
	free(at.path);
	return ok;
}

/* The line is good and is, in full, `full`; mode: what it opens, NULL: nothing. */
static void good(const char *context, const char *text, const char *full, const char *mode)
{
	struct config_line line;
	struct walk_error err;

	if (!walk(context, text, &line, NULL, &err))
		fail_msg("'%s': %s: %s", text, err.path, err.reason);
	assert_string_equal(line.text, full);
	assert_int_equal(line.enters, mode != NULL);
	if (mode)
		assert_string_equal(line.level.path, mode);
	config_line_free(&line);
}

static void bad(const char *context, const char *text, int word, const char *path, const char *reason)
{
	struct config_line line;
	struct walk_error err;

	assert_false(walk(context, text, &line, NULL, &err));
	if (!strstr(err.reason, reason))
		fail_msg("'%s' said '%s', not '%s'", text, err.reason, reason);
	assert_string_equal(err.path, path);
	assert_int_equal(err.word, word);
}

static void lines(void **state)
{
	good("", "hostname PE1", "hostname PE1", NULL);
	good("", "vrf RED", "vrf RED", "/l3vpn:vrf[name='RED']");
	good("", "vrf RED rd 65000:1", "vrf RED\nrd 65000:1", NULL);
	good("vrf RED", "rd 65000:1", "rd 65000:1", NULL);
	good("vrf RED", "addr ipv4 uni", "address-family ipv4 unicast", "/l3vpn:vrf[name='RED']/ipv4");
	good("vrf RED\naddress-family ipv4 unicast", "imp route 1:1", "import route-target 1:1", NULL);
	good("vrf RED", "label mode per-ce", "label mode per-ce", NULL);
	good("vrf RED", "description Customer RED site 1", "description \"Customer RED site 1\"", NULL);
	good("vrf RED", "description \"Customer  RED\"", "description \"Customer  RED\"", NULL);
	good("", "router bgp 65000", "router bgp 65000", "/l3vpn:bgp");
	good("", "router bgp", "router bgp", "/l3vpn:bgp");
	good("router bgp 65000", "neighbor 192.0.2.9 remote-as 65000", "neighbor 192.0.2.9\nremote-as 65000", NULL);
	good("router bgp 65000", "neighbor 192.0.2.9", "neighbor 192.0.2.9",
	     "/l3vpn:bgp/neighbor[address='192.0.2.9']");
	good("router bgp 65000\nneighbor 192.0.2.9", "timers connect-retry 2 hold 30",
	     "timers connect-retry 2 hold-time 30", NULL);
	good("router bgp 65000\nneighbor 192.0.2.9", "passive", "passive", NULL);
	good("router bgp 65000\nneighbor 192.0.2.9", "passive false", "passive false", NULL);
	good("router bgp 65000\nneighbor 192.0.2.9", "no shutdown", "no shutdown", NULL);
	good("router bgp 65000", "neighbor 192.0.2.9 shutdown", "neighbor 192.0.2.9\nshutdown", NULL);
	/* a value that stands alone may be left out, as in what the daemon prints */
	good("router bgp 65000\nneighbor 192.0.2.9", "local-as 64999 no-prepend", "local-as 64999 no-prepend", NULL);
	good("router bgp 65000\nneighbor 192.0.2.9", "local-as replace-as", "local-as replace-as", NULL);
	good("router bgp 65000\nneighbor 192.0.2.9\naddress-family vpnv4 unicast", "maximum-prefix 100 80",
	     "maximum-prefix 100 80", NULL);
	good("router bgp 65000\nneighbor 192.0.2.9\naddress-family vpnv4 unicast", "maximum-prefix 100 restart 5",
	     "maximum-prefix 100 restart 5", NULL);
	good("router bgp 65000\nneighbor 192.0.2.9\naddress-family vpnv4 unicast", "maximum-prefix discard-extra",
	     "maximum-prefix discard-extra", NULL);
	good("mpls", "label range dynamic 1000 2000 hold-down 3",
	     "label range dynamic 1000 2000\nlabel hold-down 3", NULL);
	good("mpls\nstatic lsp 192.0.2.2/32", "path 10.0.0.1 out-label 1002 weight 5 interface eth0",
	     "path 10.0.0.1 out-label 1002 weight 5 interface eth0", NULL);
	good("", "interface eth0", "interface eth0", "/l3vpn:interface[name='eth0']");
	good("interface eth0", "vrf RED", "vrf RED", NULL);
	good("interface eth0", "arp 10.0.0.1 00:11:22:33:44:55", "arp 10.0.0.1 00:11:22:33:44:55", NULL);
	good("", "router static vrf RED route 10.0.0.0/8", "router static\nvrf RED\nroute 10.0.0.0/8",
	     "/l3vpn:static/vrf[name='RED']/route[prefix='10.0.0.0/8']");
}

static void removals(void **state)
{
	good("", "no vrf RED", "no vrf RED", NULL);
	good("vrf RED", "no rd", "no rd", NULL);
	good("", "no router bgp", "no router bgp", NULL);
	good("interface eth0", "no arp 10.0.0.1", "no arp 10.0.0.1", NULL);
	good("", "no vrf RED rd", "vrf RED\nno rd", NULL);
	good("vrf RED\naddress-family ipv4 unicast", "no import route-target 1:1",
	     "no import route-target 1:1", NULL);
	bad("", "no vrf", 2, "/l3vpn:vrf/name", "missing");
}

static void errors(void **state)
{
	bad("", "vfr RED", 0, "/", "unknown word 'vfr'");
	bad("vrf RED", "rd nonsense", 1, "/l3vpn:vrf/rd", "nonsense");
	bad("vrf RED", "rd", 1, "/l3vpn:vrf/rd", "missing");
	bad("vrf RED", "address-family ipv5 unicast", 1, "/l3vpn:vrf", "unknown word 'ipv5'");
	bad("vrf RED", "rd 1:1 rd2", 2, "/l3vpn:vrf", "unknown word 'rd2'");
	bad("", "router", 1, "/", "not complete");
	bad("", "interface", 1, "/l3vpn:interface/name", "missing");
	bad("", "router bgp 0", 2, "/l3vpn:bgp/as", "");
	bad("", "interface a/b", 1, "/l3vpn:interface/name", "");
	bad("router bgp 1\nneighbor 10.0.0.1", "pass x", 0, "/l3vpn:bgp/neighbor", "'pass' may be password, passive");
}

static void contexts(void **state)
{
	struct level at;

	assert_true(config_level(schema, "router bgp\nvrf RED\nneighbor fe80::1%eth0", &at));
	assert_string_equal(at.path, "/l3vpn:bgp/vrf[name='RED']/neighbor[address='fe80::1%eth0']");
	assert_string_equal(at.node->name, "neighbor");
	free(at.path);
	assert_true(config_level(schema, "", &at));
	assert_null(at.node);
	assert_false(config_level(schema, "vrf RED\nrd 1:1", &at));
	assert_false(config_level(schema, "nonsense", &at));
}

static void what_follows(void **state)
{
	struct cands c = {};
	const struct cand *cand;

	walk("", "", NULL, &c, NULL);
	cand = fixture_cand(&c, "vrf");
	assert_non_null(cand);
	assert_non_null(strstr(cand->help, "routing and forwarding table"));
	assert_non_null(fixture_cand(&c, "router"));
	assert_null(fixture_cand(&c, "rd"));
	assert_false(c.end);
	cands_free(&c);

	walk("", "router", NULL, &c, NULL);
	assert_int_equal(c.n, 2);
	assert_non_null(fixture_cand(&c, "bgp"));
	assert_non_null(fixture_cand(&c, "static"));
	cands_free(&c);

	walk("vrf RED", "label mode", NULL, &c, NULL);
	assert_int_equal(c.n, 3);
	assert_non_null(strstr(fixture_cand(&c, "per-ce")->help, "CE next hop"));
	assert_false(c.end);
	cands_free(&c);

	walk("", "vrf", NULL, &c, NULL);
	assert_true(c.v[0].value);
	assert_int_equal(c.n_live, 1);
	assert_string_equal(c.live[0].path, "/l3vpn:vrf");
	assert_string_equal(c.live[0].leaf->name, "name");
	cands_free(&c);

	walk("", "vrf RED", NULL, &c, NULL);
	assert_true(c.end);
	assert_non_null(fixture_cand(&c, "rd"));
	cands_free(&c);

	walk("mpls\nstatic lsp 192.0.2.2/32", "path 10.0.0.1", NULL, &c, NULL);
	assert_non_null(fixture_cand(&c, "out-label"));
	assert_null(fixture_cand(&c, "next-hop"));
	cands_free(&c);

	walk("mpls\nstatic lsp 192.0.2.2/32", "path 10.0.0.1 out-label", NULL, &c, NULL);
	assert_non_null(fixture_cand(&c, "<16-1048575>"));
	assert_non_null(fixture_cand(&c, "implicit-null"));
	cands_free(&c);
}

static bool run(const char *text, unsigned int where, struct exec_line *line, struct cands *cands,
		struct walk_error *err)
{
	struct words w;
	bool ok;

	words_split(text, strlen(text), &w);
	ok = exec_walk(schema, where, &w, 0, line, cands, err);
	words_free(&w);
	return ok;
}

static void command(const char *text, const char *rpc, const char *params)
{
	struct exec_line line;
	struct walk_error err;
	char *json;

	if (!run(text, IN_EXEC, &line, NULL, &err))
		fail_msg("'%s': %s", text, err.reason);
	assert_string_equal(line.command->rpc->name, rpc);
	json = json_dumps(line.params, JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(json, params);
	free(json);
	exec_line_free(&line);
}

static void no_command(const char *text, int word, const char *reason)
{
	struct walk_error err;

	assert_false(run(text, IN_EXEC, NULL, NULL, &err));
	if (!strstr(err.reason, reason))
		fail_msg("'%s' said '%s', not '%s'", text, err.reason, reason);
	assert_int_equal(err.word, word);
}

static void commands(void **state)
{
	command("probe bgp", "probe-bgp", "{}");
	command("prob b neigh", "probe-neighbors", "{}");
	command("probe bgp neighbors 10.0.0.1 vrf RED", "probe-neighbors",
		"{\"address\":\"10.0.0.1\",\"vrf\":\"RED\"}");
	command("probe bgp neighbors vrf RED 10.0.0.1", "probe-neighbors",
		"{\"address\":\"10.0.0.1\",\"vrf\":\"RED\"}");
	command("probe bgp neighbors detail depth 3", "probe-neighbors", "{\"depth\":3,\"detail\":[null]}");
	command("probe bgp neighbors 10.0.0.1 routes", "probe-routes", "{\"address\":\"10.0.0.1\"}");
	command("probe bgp neighbors 10.0.0.1 vrf RED routes 10.0.0.0/8 longer", "probe-routes",
		"{\"address\":\"10.0.0.1\",\"longer\":[null],\"prefix\":\"10.0.0.0/8\",\"vrf\":\"RED\"}");
	command("probe bgp neighbors routes 10.0.0.1", "probe-routes", "{\"address\":\"10.0.0.1\"}");
	command("probe explain prefix 10.0.0.0/8 vrf RED", "probe-explain",
		"{\"prefix\":\"10.0.0.0/8\",\"vrf\":\"RED\"}");
	command("exec vrf RED -- ip -br address", "exec",
		"{\"command\":[\"ip\",\"-br\",\"address\"],\"vrf\":\"RED\"}");
	command("ping 10.0.0.1 count 3", "ping", "{\"address\":\"10.0.0.1\",\"count\":3}");
	command("show configuration diff", "show-configuration-differences", "{}");
	command("commit confirm", "commit-confirm", "{}");
	no_command("probe nothing", 1, "unknown word 'nothing'");
	no_command("probe explain vrf RED", 4, "prefix is missing");
	no_command("probe bgp neighbors 10.0.0.300", 3, "10.0.0.300");
	no_command("probe bgp neighbors depth 10", 4, "");
	no_command("probe bgp neighbors routes", 4, "address is missing");
	no_command("probe bgp neighbors 10.0.0.1 depth 3 routes", 6, "'depth' does not go with 'routes'");
	no_command("probe routes 10.0.0.1", 1, "unknown word 'routes'");
	no_command("ping -f", 1, "");
	no_command("commit", 1, "not complete");
	no_command("no vrf RED", 0, "unknown word");
}

static void command_follows(void **state)
{
	struct cands c = {};

	run("probe bgp neighbors", IN_EXEC, NULL, &c, NULL);
	assert_true(c.end);
	assert_non_null(fixture_cand(&c, "<address>"));
	assert_non_null(fixture_cand(&c, "vrf"));
	assert_non_null(fixture_cand(&c, "detail"));
	cands_free(&c);

	run("probe bgp neighbors 10.0.0.1 routes", IN_EXEC, NULL, &c, NULL);
	assert_true(c.end);
	assert_non_null(fixture_cand(&c, "longer"));
	assert_null(fixture_cand(&c, "depth"));
	cands_free(&c);

	run("probe bgp", IN_EXEC, NULL, &c, NULL);
	assert_true(c.end);
	assert_non_null(fixture_cand(&c, "neighbors"));
	cands_free(&c);

	run("probe explain vrf", IN_EXEC, NULL, &c, NULL);
	assert_false(c.end);
	assert_int_equal(c.n_live, 1);
	assert_string_equal(c.live[0].leaf->name, "vrf");
	cands_free(&c);

	run("probe explain vrf RED", IN_EXEC, NULL, &c, NULL);
	assert_false(c.end);
	assert_int_equal(c.n, 1);
	cands_free(&c);
}

static int setup(void **state)
{
	schema = fixture_schema();
	return 0;
}

static int teardown(void **state)
{
	schema_free(schema);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(removals),
		cmocka_unit_test(errors),
		cmocka_unit_test(contexts),
		cmocka_unit_test(what_follows),
		cmocka_unit_test(commands),
		cmocka_unit_test(command_follows),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
