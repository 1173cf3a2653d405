// SPDX-License-Identifier: GPL-2.0
/*
 * daemon/main.c: l3vpnd: makes the rooms, joins them, runs the loop, takes them down.
 *
 * Start: lock; rooms from the lowest up, each subscribing to the configuration; what the forwarder held is
 * adopted; then protocols, the start-up file, the management socket. Stop: SIGTERM or SIGINT:
 * forwarding is let go first and stays as it is (unless --clear-on-exit), then the rooms go from the highest
 * down. SIGHUP: the start-up file is read again and committed.
 */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "bfd/bfd.h"
#include "bgp/bgp.h"
#include "conf/conf.h"
#include "daemon/options.h"
#include "dataplane/flip.h"
#include "dataplane/sync.h"
#include "host/host.h"
#include "labels/config.h"
#include "labels/labels.h"
#include "ldp/ldp.h"
#include "lib/jobs.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/pulse.h"
#include "lib/slab.h"
#include "mgmt/mgmt.h"
#include "mgmt/show.h"
#include "policy/policy.h"
#include "rib/table.h"
#include "static/static.h"
#include "vrf/vrf.h"

#define RECLAIM_OCTETS	(2u << 20)	/* of memory that goes back at once: about a millisecond */
#define TRIM_MS		60000		/* from one look at what malloc() could give back to the next */
#define BUSY_MS		1000		/* ... while there is work */
#define STOP_MS		3000		/* for what is on its way to the forwarder */
#define CONFIG_MAX	(64 << 20)

struct daemon {
	struct options opt;
	uv_loop_t *loop;
	struct jobs *jobs;
	struct pulse *pulse;
	struct conf *conf;
	struct mgmt *mgmt;
	struct rib *rib;
	struct labels *labels;
	struct vrfs *vrfs;
	struct host *host;
	struct dp_sync *sync;
	struct bfd *bfd;
	struct dp_flip *flip;
	struct rib_env env;
	struct show_env show;
	void *protos[8];			/* as in protocols[] */
	uv_signal_t signals[3];
	struct timer nobody;
	struct job reclaim;
	struct timer trim;
	bool restarting, labels_kept, restart_over;
	bool bgp_over, ldp_over;		/* each has learned anew what the daemon before knew */
	bool stopping, stopped;
};

/* In the order of their start; stopped in reverse. */
static const struct rib_proto *const protocols[] = {
	&connected_proto, &static_lsp_proto, &static_xconnect_proto, &static_proto, &bgp_proto,
	&ldp_proto,
};

/* ---- between protocols and forwarding: RFC 4724, RFC 3478 ---- */

static bool forwarding_kept(void *arg, uint8_t family)
{
	const struct daemon *d = arg;

	return d->sync && dp_sync_preserved(d->sync, family);
}

static bool settled(void *arg)
{
	const struct daemon *d = arg;

	return !d->sync || dp_sync_settled(d->sync);
}

static void restart_check(struct daemon *d)
{
	if (d->restart_over || !d->bgp_over || !d->ldp_over)
		return;
	d->restart_over = true;
	labels_restart_done(d->labels);
	if (d->sync)
		dp_sync_restart_done(d->sync);
}

static void bgp_restart_done(void *arg)
{
	struct daemon *d = arg;

	d->bgp_over = true;
	restart_check(d);
}

static void ldp_restart_done(void *arg)
{
	struct daemon *d = arg;

	d->ldp_over = true;
	restart_check(d);
}

/* Nobody to wait for: nothing was kept over a restart, or the protocol is not configured at all. */
static void nobody(struct timer *t)
{
	struct daemon *d = container_of(t, struct daemon, nobody);
	const struct lyd_node *mpls = conf_top(conf_running(d->conf), "mpls");

	d->bgp_over |= !d->restarting || !conf_top(conf_running(d->conf), "bgp");
	d->ldp_over |= !d->labels_kept || !mpls || !conf_exists(mpls, "ldp");
	restart_check(d);
}

/* ---- start ---- */

static bool reclaim(struct job *job, unsigned int budget)
{
	return chunk_reclaim(RECLAIM_OCTETS);
}

static void memory_waits(void *arg)
{
	struct daemon *d = arg;

	job_schedule(&d->reclaim);
}

/*
 * Pages of free memory between what is in use go back to the kernel: malloc() itself gives back only what lies at the
 * end of an arena, and after a night's churn something that lives always lies behind. Only in idle moments.
 */
static void trim(struct timer *t)
{
	struct daemon *d = container_of(t, struct daemon, trim);
	bool busy = jobs_pending(d->jobs);

	if (!busy)
		malloc_trim(0);
	timer_start(t, busy ? BUSY_MS : TRIM_MS);
}

static bool start_tables(struct daemon *d)
{
	struct conf_options copt = {
		.loop = d->loop, .state_dir = d->opt.state, .file = d->opt.config,
	};
	struct conf_error err = { 0 };
	char path[600], why[256];

	d->jobs = jobs_new(d->loop);
	job_init(&d->reclaim, d->jobs, "memory", reclaim);
	chunk_reclaim_hook(memory_waits, d);
	timer_init(&d->trim, d->jobs, trim);
	timer_start(&d->trim, TRIM_MS);
	d->conf = conf_new(&copt, &err);
	if (!d->conf) {
		log_err("daemon", "configuration store: %s", err.reason);
		return false;
	}
	d->mgmt = mgmt_new(d->loop, d->conf, &err);
	if (!d->mgmt) {
		log_err("daemon", "management: %s", err.reason);
		return false;
	}
	d->rib = rib_new(d->jobs);
	d->labels = labels_new(d->jobs, rib_fib(d->rib));
	labels_config_subscribe(d->conf, d->labels);
	snprintf(path, sizeof(path), "%s/labels", d->opt.state);
	if (!labels_load(d->labels, path, why, sizeof(why))) {
		log_err("daemon", "%s: %s (move the file away to start with fresh labels)", path, why);
		return false;
	}
	d->env = (struct rib_env){
		.jobs = d->jobs, .conf = d->conf, .rib = d->rib, .policies = policies_new(d->conf, d->jobs),
		.labels = d->labels,
	};
	d->vrfs = vrfs_new(&d->env);
	snprintf(path, sizeof(path), "%s/vrf-numbers", d->opt.state);
	if (!vrfs_load_numbers(d->vrfs, path, why, sizeof(why))) {
		log_err("daemon", "%s (move the file away to number VRFs anew)", why);
		return false;
	}
	d->env.vrfs = d->vrfs;
	return true;
}

static bool start_forwarding(struct daemon *d)
{
	struct dp_sync_env env = {
		.loop = d->loop, .jobs = d->jobs, .rib = d->rib, .vrfs = d->vrfs,
		.audit_seconds = d->opt.audit_seconds,
	};
	bool failed = false;
	char why[256];

	d->host = host_new(d->loop, d->jobs, d->conf, rib_nht(d->rib), d->labels, why, sizeof(why));
	if (!d->host) {
		log_err("daemon", "%s", why);
		return false;
	}
	env.host = d->host;
	env.provider = strcmp(d->opt.provider, "none") ? dp_genl_new() : dp_none_new();
	d->sync = dp_sync_new(&env, why, sizeof(why));
	if (!d->sync) {
		log_err("daemon", "%s", why);
		return false;
	}
	while (!dp_sync_adopted(d->sync, &failed) && !failed)
		uv_run(d->loop, UV_RUN_ONCE);
	return !failed;
}

static bool start_bfd(struct daemon *d)
{
	struct bfd_options opt = { .loop = d->loop };
	char why[256];

	if (strcmp(d->opt.provider, "none")) {
		d->flip = dp_flip_new();
		opt.flip = dp_flip;
		opt.flip_arg = d->flip;
	}
	d->bfd = bfd_new(&d->env, &opt, why, sizeof(why));
	if (!d->bfd)
		log_err("daemon", "BFD: %s", why);
	return d->bfd;
}

static bool start_protocols(struct daemon *d)
{
	struct bgp_options bopt = {
		.loop = d->loop, .workers = d->opt.workers,
		.forwarding_kept = forwarding_kept, .settled = settled,
		.restart_done = bgp_restart_done, .arg = d,
	};
	struct ldp_options lopt = {
		.loop = d->loop, .settled = settled, .restart_done = ldp_restart_done, .arg = d,
	};
	size_t i;

	d->restarting = dp_sync_preserved(d->sync, AF_INET) || dp_sync_preserved(d->sync, AF_INET6);
	bopt.restarting = d->restarting;
	d->labels_kept = lopt.restarting = dp_sync_preserved_labels(d->sync);
	bgp_set_options(&bopt);
	ldp_set_options(&lopt);
	_Static_assert(ARRAY_SIZE(protocols) <= ARRAY_SIZE(d->protos), "room for each");
	for (i = 0; i < ARRAY_SIZE(protocols); i++) {
		d->protos[i] = protocols[i]->start(&d->env);
		if (!d->protos[i]) {
			log_err("daemon", "protocol %s does not start", protocols[i]->name);
			return false;
		}
	}
	return true;
}

static bool start_management(struct daemon *d)
{
	size_t i;
	struct conf_error err = { 0 };

	d->show = (struct show_env){
		.loop = d->loop, .conf = d->conf, .jobs = d->jobs, .pulse = d->pulse, .rib = d->rib,
		.labels = d->labels, .vrfs = d->vrfs, .host = d->host, .sync = d->sync,
		.bfd = bfd_io(d->bfd),
	};
	for (i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (protocols[i] == &bgp_proto)
			d->show.bgp = d->protos[i];
		if (protocols[i] == &ldp_proto)
			d->show.ldp = ldp_engine(d->protos[i]);
	}
	show_register(d->mgmt, &d->show);
	if (!conf_start(d->conf, &err)) {
		log_err("daemon", "%s:%u: %s%s%s: nothing of it is in force", d->opt.config, err.line,
			err.path, err.path[0] ? ": " : "", err.reason);
		return false;
	}
	if (!mgmt_listen(d->mgmt, d->opt.socket, &err)) {
		log_err("daemon", "%s: %s", d->opt.socket, err.reason);
		return false;
	}
	timer_init(&d->nobody, d->jobs, nobody);
	timer_start(&d->nobody, 1000);
	return true;
}

/* ---- signals ---- */

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t len = 0, n;

	if (!f)
		return NULL;
	do {
		text = xrealloc(text, len + 65537);
		n = fread(text + len, 1, 65536, f);
		len += n;
	} while (n && len < CONFIG_MAX);
	fclose(f);
	text[len] = '\0';
	return text;
}

static void reload(struct daemon *d)
{
	struct conf_commit how = { .comment = "start-up file read again" };
	struct conf_candidate *cand;
	struct conf_error err = { 0 };
	char *text = read_file(d->opt.config);
	uint64_t id = 0;

	if (!text) {
		log_err("daemon", "%s: %s", d->opt.config, strerror(errno));
		return;
	}
	cand = conf_candidate_open(d->conf, "SIGHUP", false, &err);
	if (cand && conf_replace_text(cand, text, &err) && conf_commit(cand, &how, &id, &err))
		log_notice("daemon", "%s was read again: %s", d->opt.config,
			   id ? "committed" : "nothing differs");
	else
		log_err("daemon", "%s:%u: %s%s%s: refused, nothing changed", d->opt.config, err.line,
			err.path, err.path[0] ? ": " : "", err.reason);
	if (cand)
		conf_candidate_close(cand);
	free(text);
}

static void cleared(void *arg)
{
	struct daemon *d = arg;

	d->stopped = true;
	uv_stop(d->loop);
}

static void on_signal(uv_signal_t *handle, int signum)
{
	struct daemon *d = handle->data;

	if (signum == SIGHUP) {
		reload(d);
		return;
	}
	if (d->stopping) {
		log_warn("daemon", "stopping at once");
		uv_stop(d->loop);
		return;
	}
	d->stopping = true;
	log_notice("daemon", "stopping: forwarding %s",
		   d->opt.clear_on_exit ? "is taken away" : "goes on");
	daemon_notify("STOPPING=1");
	if (d->opt.clear_on_exit)
		dp_sync_clear(d->sync, cleared, d);
	else
		uv_stop(d->loop);
}

static void signals_start(struct daemon *d)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
	size_t i;

	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		uv_signal_init(d->loop, &d->signals[i]);
		d->signals[i].data = d;
		uv_signal_start(&d->signals[i], on_signal, numbers[i]);
		uv_unref((uv_handle_t *)&d->signals[i]);
	}
}

/* ---- stop ---- */

static void drain(struct daemon *d)
{
	uint64_t end = clock_us() + STOP_MS * 1000ull;

	while (d->sync && !d->opt.clear_on_exit && !dp_sync_settled(d->sync) && clock_us() < end)
		uv_run(d->loop, UV_RUN_NOWAIT);
}

static void stop(struct daemon *d)
{
	size_t i;

	chunk_reclaim_hook(NULL, NULL);
	if (d->jobs) {
		job_cancel(&d->reclaim);
		timer_stop(&d->trim);
	}
	if (d->conf && d->sync)
		timer_stop(&d->nobody);
	if (d->mgmt)
		mgmt_free(d->mgmt);
	if (d->sync)
		dp_sync_free(d->sync);	/* from here on nothing reaches the forwarder */
	d->sync = NULL;
	if (d->bfd)
		bfd_free(d->bfd);
	dp_flip_free(d->flip);
	for (i = ARRAY_SIZE(protocols); i--;)
		if (d->protos[i])
			protocols[i]->stop(d->protos[i]);
	if (d->host)
		host_free(d->host);
	uv_run(d->loop, UV_RUN_NOWAIT);
	if (d->labels)
		labels_save(d->labels);
	if (d->vrfs)
		vrfs_free(d->vrfs);
	policies_free(d->env.policies);
	if (d->labels)
		labels_free(d->labels);
	if (d->rib)
		rib_free(d->rib);
	if (d->conf)
		conf_free(d->conf);
	if (d->jobs)
		jobs_free(d->jobs);
	pulse_free(d->pulse);
	for (i = 0; i < ARRAY_SIZE(d->signals); i++)
		if (d->signals[i].data)
			uv_close((uv_handle_t *)&d->signals[i], NULL);
	for (i = 0; i < 100 && uv_run(d->loop, UV_RUN_NOWAIT); i++)
		;
	if (uv_loop_close(d->loop))
		log_debug("daemon", "handles are left on the loop");
}

int main(int argc, char **argv)
{
	struct daemon d = { 0 };
	int status = 1;

	options_parse(&d.opt, argc, argv);
	/* to whoever started it, until it runs */
	log_init("l3vpnd", LOG_TARGET_STDERR, d.opt.level);
	daemon_raise_limits();
	if (!daemon_lock(d.opt.state) || !daemon_drop_privileges())
		return 1;
	timer_init(&d.nobody, NULL, nobody);
	d.loop = uv_default_loop();
	d.pulse = pulse_new(d.loop);
	signals_start(&d);
	if (start_tables(&d) && start_forwarding(&d) && start_bfd(&d) && start_protocols(&d) &&
	    start_management(&d)) {
		log_notice("daemon", "l3vpnd %s runs", l3vpn_version);
		daemon_notify("READY=1");
		if (!d.opt.foreground && !getenv("JOURNAL_STREAM"))
			log_init("l3vpnd", LOG_TARGET_SYSLOG, d.opt.level);
		uv_run(d.loop, UV_RUN_DEFAULT);
		drain(&d);
		status = 0;
	}
	stop(&d);
	return status;
}
