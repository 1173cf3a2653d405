// SPDX-License-Identifier: GPL-2.0
/* rooms: lib conf rib policy labels vrf bgp */
/* The listening socket when nothing is left for one more connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bgp/tests/pe.h"
#include "lib/tcp.h"

#define CHECK_MS 2000		/* as listen.c */

static struct rlimit files;

static int setup(void **unused)
{
	pe_up();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	return 0;
}

static int teardown(void **unused)
{
	setrlimit(RLIMIT_NOFILE, &files);
	pe_down();
	return 0;
}

/* the files that are open stay, and there are no more */
static void no_more_files(void)
{
	struct rlimit none = files;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	none.rlim_cur = (rlim_t)fd;
	assert_int_equal(close(fd), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
}

/* How often the loop finds something to do in so many milliseconds. */
static unsigned int turns_in(uint64_t ms)
{
	uint64_t end = uv_hrtime() / 1000000 + ms;
	unsigned int turns = 0;

	for (; uv_hrtime() / 1000000 < end; turns++) {
		struct pollfd p = { .fd = uv_backend_fd(&loop), .events = POLLIN };

		poll(&p, 1, 20);
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	return turns;
}

static uint16_t free_port(void)
{
	unsigned int seed = (unsigned int)getpid();
	uint16_t port;
	int fd;

	do {
		port = (uint16_t)(20000 + rand_r(&seed) % 10000);
		fd = tcp_listen(AF_INET, port, "");
	} while (fd < 0);
	close(fd);
	return port;
}

static void listen_on(uint16_t port)
{
	char *text = xasprintf("router bgp 65000\n router-id 10.0.0.1\n listen-port %u\n neighbor 192.168.0.2\n  passive\n"
			       "  remote-as 65000\n  address-family vpnv4 unicast\n !\n !\n!\n", port);

	take(text);
	free(text);
}

static void a_connection_waits_for_a_file(void **unused)
{
	const struct tcp_options plain = { 0 };
	struct tcp_endpoint to = { .addr = addr_v4(0x7f000001) };
	struct ip_addr from = addr_v4(0x7f000009);
	uint16_t port = free_port();
	uint8_t said[64];
	int fd;

	listen_on(port);
	fd = tcp_connect(&to, port, &from, &plain);
	assert_true(fd >= 0);
	no_more_files();
	assert_in_range(turns_in(400), 1, 60);
	/* still none when it looks again */
	timers_advance(env.jobs, CHECK_MS);
	assert_in_range(turns_in(400), 1, 60);
	assert_int_equal(recv(fd, said, sizeof(said), MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	timers_advance(env.jobs, CHECK_MS);
	turns_in(100);
	/* no such neighbor: Cease, Connection Rejected */
	assert_int_equal(recv(fd, said, sizeof(said), MSG_DONTWAIT), 21);
	assert_int_equal(said[18], 3);
	assert_int_equal(said[19], 6);
	assert_int_equal(said[20], 5);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_connection_waits_for_a_file, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
