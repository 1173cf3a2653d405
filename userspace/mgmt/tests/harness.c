// SPDX-License-Identifier: GPL-2.0
/* harness - see harness.h. The loop's thread owns conf and mgmt from the moment it starts. */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "mgmt/tests/harness.h"

struct harness {
	uv_loop_t loop;
	uv_async_t async;
	struct conf *conf;
	struct mgmt *mgmt;
	char dir[32], socket[64], file[64];
	pthread_t thread;
	sem_t done;
	void (*fn)(struct mgmt *mgmt, struct conf *conf, void *arg);
	void *arg;
};

static void call(uv_async_t *async)
{
	struct harness *h = async->data;
	void (*fn)(struct mgmt *mgmt, struct conf *conf, void *arg) = h->fn;

	if (fn) {
		h->fn = NULL;
		fn(h->mgmt, h->conf, h->arg);
		sem_post(&h->done);
	}
}

static void *run(void *arg)
{
	struct harness *h = arg;

	uv_run(&h->loop, UV_RUN_DEFAULT);
	return NULL;
}

static void must(bool ok, const struct conf_error *err)
{
	if (!ok) {
		fprintf(stderr, "harness: %s: %s\n", err->path, err->reason);
		abort();
	}
}

struct harness *harness_start(void (*setup)(struct mgmt *mgmt, struct conf *conf, uv_loop_t *loop))
{
	struct harness *h = xcalloc(1, sizeof(*h));
	struct conf_options opt = { .loop = &h->loop, .state_dir = h->dir, .file = h->file };
	struct conf_error err = { 0 };

	log_init("test", LOG_TARGET_NONE, LOG_LEVEL_DEBUG);
	strcpy(h->dir, "/tmp/l3vpn-mgmt-XXXXXX");
	must(mkdtemp(h->dir) != NULL, &err);
	snprintf(h->socket, sizeof(h->socket), "%s/sock", h->dir);
	snprintf(h->file, sizeof(h->file), "%s/l3vpn.conf", h->dir);
	uv_loop_init(&h->loop);
	h->async.data = h;
	uv_async_init(&h->loop, &h->async, call);
	sem_init(&h->done, 0, 0);
	h->conf = conf_new(&opt, &err);
	must(h->conf != NULL, &err);
	h->mgmt = mgmt_new(&h->loop, h->conf, &err);
	must(h->mgmt != NULL, &err);
	show_conf_register(h->mgmt, h->conf);
	show_log_register(h->mgmt);
	if (setup)
		setup(h->mgmt, h->conf, &h->loop);
	must(conf_start(h->conf, &err), &err);
	must(mgmt_listen(h->mgmt, h->socket, &err), &err);
	pthread_create(&h->thread, NULL, run, h);
	return h;
}

void harness_run(struct harness *h, void (*fn)(struct mgmt *mgmt, struct conf *conf, void *arg), void *arg)
{
	h->arg = arg;
	h->fn = fn;
	uv_async_send(&h->async);
	while (sem_wait(&h->done) < 0)
		;
}

static void stop(struct mgmt *mgmt, struct conf *conf, void *arg)
{
	struct harness *h = arg;

	mgmt_free(mgmt);
	conf_free(conf);
	uv_close((uv_handle_t *)&h->async, NULL);
}

void harness_stop(struct harness *h)
{
	char *cmd;

	harness_run(h, stop, h);
	pthread_join(h->thread, NULL);
	uv_loop_close(&h->loop);
	sem_destroy(&h->done);
	cmd = xasprintf("rm -rf '%s'", h->dir);
	if (system(cmd))
		fprintf(stderr, "harness: %s failed\n", cmd);
	free(cmd);
	free(h);
}

const char *harness_socket(const struct harness *h)
{
	return h->socket;
}

const char *harness_dir(const struct harness *h)
{
	return h->dir;
}
