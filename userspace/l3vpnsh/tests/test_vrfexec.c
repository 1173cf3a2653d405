// SPDX-License-Identifier: GPL-2.0
/* Sockets of a program are bound to a device: in a network namespace of its own, to its loopback. Needs root. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "l3vpnsh/vrfexec.h"

/* 0: the socket is bound to the device. */
static int bound(int family, int type, const char *device)
{
	char name[16] = "";
	socklen_t len = sizeof(name);
	int fd = socket(family, type, 0);

	if (fd < 0)
		return errno == EAFNOSUPPORT ? 0 : 1;
	if (getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &len))
		return 2;
	return strcmp(name, device) ? 3 : 0;
}

static int in_child(void)
{
	char reason[512];

	if (unshare(CLONE_NEWNET)) {
		perror("unshare");
		return 10;
	}
	if (!vrfexec_enter("lo", reason, sizeof(reason))) {
		fprintf(stderr, "%s\n", reason);
		return 11;
	}
	return bound(AF_INET, SOCK_STREAM, "lo") ?: bound(AF_INET, SOCK_DGRAM, "lo") ?:
	       bound(AF_INET6, SOCK_STREAM, "lo");
}

static void binds_sockets(void **state)
{
	int status;
	pid_t pid;

	if (geteuid()) {
		print_message("not root: BPF programs cannot be loaded\n");
		skip();
	}
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(in_child());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	vrfexec_clean();
	/* this process is not bound */
	assert_int_equal(bound(AF_INET, SOCK_STREAM, ""), 0);
}

static void names_what_is_missing(void **state)
{
	char reason[512] = "";

	assert_false(vrfexec_enter("no-such-device", reason, sizeof(reason)));
	assert_non_null(strstr(reason, "no-such-device"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(binds_sockets),
		cmocka_unit_test(names_what_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
