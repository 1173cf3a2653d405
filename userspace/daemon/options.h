/* SPDX-License-Identifier: GPL-2.0 */
/*
 * daemon/options.h: command line of l3vpnd, its lock, its privileges, and what it tells systemd.
 */
#ifndef L3VPN_DAEMON_OPTIONS_H
#define L3VPN_DAEMON_OPTIONS_H

#include <stdbool.h>

#include "lib/log.h"

struct options {
	const char *config;
	const char *socket;
	const char *state;
	const char *provider;
	unsigned int workers;
	unsigned int audit_seconds;
	bool foreground;
	bool clear_on_exit;
	enum log_level level;
};

/* Fills @opt; on --help, --version or a mistake it prints and exits. */
void options_parse(struct options *opt, int argc, char **argv);

/*
 * Makes the state directory and takes the lock in it, for the life of the process. false: said why on
 * the log (another daemon has it, and which).
 */
bool daemon_lock(const char *state_dir);

/* As many files as who started us allows: a session is one. */
void daemon_raise_limits(void);

/* Keeps only what the daemon needs of its capabilities. false: logged. */
bool daemon_drop_privileges(void);

/* sd_notify(3)'s protocol; nothing happens without $NOTIFY_SOCKET. */
void daemon_notify(const char *state);

#endif
