/* SPDX-License-Identifier: GPL-2.0 */
/* harness - a daemon's configuration and management server on a thread of its own, for tests. */
#ifndef MGMT_TESTS_HARNESS_H
#define MGMT_TESTS_HARNESS_H

#include "mgmt/mgmt.h"

struct harness;

/*
 * setup (may be NULL) registers the test's handlers before the configuration starts; it runs in the caller's
 * thread.
 */
struct harness *harness_start(void (*setup)(struct mgmt *mgmt, struct conf *conf, uv_loop_t *loop));
void harness_stop(struct harness *h);
const char *harness_socket(const struct harness *h);
const char *harness_dir(const struct harness *h);
/* Runs fn on the loop's thread and waits for it. */
void harness_run(struct harness *h, void (*fn)(struct mgmt *mgmt, struct conf *conf, void *arg), void *arg);

#endif
