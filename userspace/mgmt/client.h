/* SPDX-License-Identifier: GPL-2.0 */
/*
 * client - the client side of the management protocol (mgmt.h), blocking: for l3vpnsh, tests and other programs.
 * Needs lib and jansson alone. One connection; one call at a time; not for several threads.
 */
#ifndef MGMT_CLIENT_H
#define MGMT_CLIENT_H

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>

struct mgmt_client;

#define MGMT_SOCKET "/run/l3vpn/l3vpnd.sock"

struct mgmt_client_error {
	int code;		/* enum mgmt_code's values; 0: no answer (connection refused or lost) */
	unsigned int line;	/* of the text given, 0: none */
	char path[256];
	char reason[512];
};

/* path NULL: MGMT_SOCKET. NULL: err->reason says why. */
struct mgmt_client *mgmt_client_open(const char *path, struct mgmt_client_error *err);
void mgmt_client_close(struct mgmt_client *c);
int mgmt_client_fd(const struct mgmt_client *c);

/* One row of a stream, borrowed. false ends the stream early: the rest is cancelled. */
typedef bool (*mgmt_client_row)(json_t *row, void *arg);

/*
 * Calls method with params (reference taken; NULL: none), gives each row to row (may be NULL), returns the
 * result (a new reference) or
 * NULL with err filled. When *stop (may be NULL) becomes true in a signal handler, the call cancels its stream
 * and returns its result.
 */
json_t *mgmt_call(struct mgmt_client *c, const char *method, json_t *params, mgmt_client_row row, void *arg,
		  const volatile sig_atomic_t *stop, struct mgmt_client_error *err);

#endif
