// SPDX-License-Identifier: GPL-2.0
/*
 * server - the daemon's own configuration and management, and nothing else, for tests of the shell: no routing, no
 * netlink, no privileges.
 *
 *   server SOCKET STATE_DIR [CONFIG_FILE]
 *
 * Ends with SIGTERM.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "conf/conf.h"
#include "lib/log.h"
#include "mgmt/mgmt.h"

static int complain(const char *what, const struct conf_error *err)
{
	fprintf(stderr, "server: %s: line %u: %s: %s\n", what, err->line, err->path, err->reason);
	return 1;
}

static void ended(uv_signal_t *handle, int signum)
{
	uv_stop(handle->loop);
}

int main(int argc, char **argv)
{
	uv_loop_t *loop = uv_default_loop();
	struct conf_options options = { .loop = loop };
	struct conf_error err = {};
	struct conf *conf;
	struct mgmt *mgmt;
	uv_signal_t term;

	if (argc < 3) {
		fprintf(stderr, "usage: server SOCKET STATE_DIR [CONFIG_FILE]\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	options.state_dir = argv[2];
	options.file = argc > 3 ? argv[3] : NULL;
	conf = conf_new(&options, &err);
	if (!conf)
		return complain("configuration", &err);
	mgmt = mgmt_new(loop, conf, &err);
	if (!mgmt)
		return complain("management", &err);
	show_conf_register(mgmt, conf);
	show_log_register(mgmt);
	if (!conf_start(conf, &err))
		return complain("start-up file", &err);
	if (!mgmt_listen(mgmt, argv[1], &err))
		return complain("socket", &err);
	uv_signal_init(loop, &term);
	uv_signal_start(&term, ended, SIGTERM);
	uv_run(loop, UV_RUN_DEFAULT);
	mgmt_free(mgmt);
	conf_free(conf);
	uv_close((uv_handle_t *)&term, NULL);
	uv_run(loop, UV_RUN_DEFAULT);
	return uv_loop_close(loop) ? 1 : 0;
}
