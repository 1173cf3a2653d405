// SPDX-License-Identifier: GPL-2.0
/* Lines through libcli's pipeline with the shell's filters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "l3vpnsh/output.h"
#include "l3vpnsh/pipe.h"

static char text[4096];
static bool was_json;

/* A command that prints its own lines. */
static int source(struct cli_def *cli, const char *command, char *argv[], int argc)
{
	was_json = shell.json;
	shell.running = true;
	out_line(&shell, "10.1.0.0/16 via RED");
	out_line(&shell, "10.2.0.0/16 via BLUE");
	out_line(&shell, "10x2.0.0/16 via RED");
	shell.running = false;
	return CLI_OK;
}

static void gather(struct cli_def *cli, const char *line)
{
	snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s\n", line);
}

static int run(const char *line, const char *expected)
{
	int rc;

	*text = '\0';
	shell.failed = shell.json = false;
	rc = cli_run_command(shell.cli, line);
	assert_string_equal(text, expected);
	return rc;
}

static void filters(void **state)
{
	run("source", "10.1.0.0/16 via RED\n10.2.0.0/16 via BLUE\n10x2.0.0/16 via RED\n");
	run("source | include RED", "10.1.0.0/16 via RED\n10x2.0.0/16 via RED\n");
	run("source | include 10\\.2", "10.2.0.0/16 via BLUE\n");
	run("source | include 10.2", "10.2.0.0/16 via BLUE\n10x2.0.0/16 via RED\n");
	run("source | inc \"BLUE|x2\"", "10.2.0.0/16 via BLUE\n10x2.0.0/16 via RED\n");
	run("source | include via RED", "10.1.0.0/16 via RED\n10x2.0.0/16 via RED\n");
	run("source | exclude RED$", "10.2.0.0/16 via BLUE\n");
	run("source | begin BLUE", "10.2.0.0/16 via BLUE\n10x2.0.0/16 via RED\n");
	run("source | count", "3\n");
	run("source | include RED | count", "2\n");
	run("source | exclude x | include RED", "10.1.0.0/16 via RED\n");
}

static void json(void **state)
{
	run("source | json", "10.1.0.0/16 via RED\n10.2.0.0/16 via BLUE\n10x2.0.0/16 via RED\n");
	assert_true(was_json);
	run("source", "10.1.0.0/16 via RED\n10.2.0.0/16 via BLUE\n10x2.0.0/16 via RED\n");
	assert_false(was_json);
}

static void saves(void **state)
{
	char name[] = "/tmp/l3vpnsh-test-XXXXXX", line[128], read[256] = "";
	int fd = mkstemp(name);
	FILE *f;

	assert_true(fd >= 0);
	snprintf(line, sizeof(line), "source | include BLUE | save %s", name);
	run(line, "");
	f = fdopen(fd, "r");
	assert_non_null(f);
	assert_non_null(fgets(read, sizeof(read), f));
	assert_string_equal(read, "10.2.0.0/16 via BLUE\n");
	fclose(f);
	unlink(name);
}

static void refuses(void **state)
{
	assert_int_not_equal(run("source | include (", ""), CLI_OK);
	assert_true(shell.failed);
	assert_int_not_equal(run("source | include", ""), CLI_OK);
	assert_int_not_equal(run("source | count all", ""), CLI_OK);
	assert_int_not_equal(run("source | save /nonexistent/file", ""), CLI_OK);
	assert_true(shell.failed);
}

static int setup(void **state)
{
	shell.cli = cli_init();
	if (!shell.cli)
		return -1;
	cli_unregister_all_commands(shell.cli);
	pipe_register(shell.cli);
	cli_register_command(shell.cli, NULL, "source", source, PRIVILEGE_UNPRIVILEGED, MODE_ANY, NULL);
	cli_print_callback(shell.cli, gather);
	return 0;
}

static int teardown(void **state)
{
	cli_done(shell.cli);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filters),
		cmocka_unit_test(json),
		cmocka_unit_test(saves),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
