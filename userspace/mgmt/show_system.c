// SPDX-License-Identifier: GPL-2.0
/*
 * mgmt/show_system.c: what the daemon costs, and whether it is always there when it is asked: `show system`,
 * `clear system`.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/jobs.h"
#include "lib/pulse.h"
#include "mgmt/show.h"
#include "rib/attrs.h"

/* Octets that are resident now; 0 where /proc does not tell. */
static uint64_t resident(void)
{
	unsigned long all, pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f)
		return 0;
	if (fscanf(f, "%lu %lu", &all, &pages) != 2)
		pages = 0;
	fclose(f);
	return (uint64_t)pages * sysconf(_SC_PAGESIZE);
}

static double seconds(const struct timeval *t)
{
	return t->tv_sec + t->tv_usec / 1e6;
}

static void tell_turn(struct mgmt_request *req, const char *name, const char *cpu_name, const struct pulse_turn *t)
{
	mgmt_result(req, name, json_integer(t->us));
	mgmt_result(req, cpu_name, json_integer(t->cpu_us));
}

static enum mgmt_next show_system(struct mgmt_request *req, void *arg)
{
	const struct show_env *env = arg;
	struct pulse_told told;
	struct rusage used;
	const char *job;
	uint64_t us;

	getrusage(RUSAGE_SELF, &used);
	mgmt_result(req, "memory", json_integer(resident()));
	mgmt_result(req, "memory-peak", json_integer((json_int_t)used.ru_maxrss * 1024));
	mgmt_result(req, "cpu-user", json_real(seconds(&used.ru_utime)));
	mgmt_result(req, "cpu-system", json_real(seconds(&used.ru_stime)));
	if (env->pulse) {
		pulse_tell(env->pulse, &told);
		mgmt_result(req, "turns", json_integer(told.turns));
		mgmt_result(req, "turns-slow", json_integer(told.slow));
		tell_turn(req, "turn-longest", "turn-longest-cpu", &told.longest);
		tell_turn(req, "turn-longest-minute", "turn-longest-minute-cpu", &told.minute);
	}
	us = jobs_longest_us(env->jobs, &job);
	mgmt_result(req, "job-longest", json_integer(us));
	mgmt_result(req, "job-longest-name", json_string(job));
	mgmt_result(req, "attribute-sets", json_integer(attrs_count()));
	return MGMT_DONE;
}

static enum mgmt_next clear_system(struct mgmt_request *req, void *arg)
{
	const struct show_env *env = arg;

	if (env->pulse)
		pulse_clear(env->pulse);
	jobs_longest_clear(env->jobs);
	return MGMT_DONE;
}

void show_system_register(struct mgmt *mgmt, const struct show_env *env)
{
	mgmt_register(mgmt, "show-system", show_system, (void *)env);
	mgmt_register(mgmt, "clear-system", clear_system, (void *)env);
}
