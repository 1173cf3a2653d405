// SPDX-License-Identifier: GPL-2.0
/* show_log - show log, monitor log, show version. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libyang/version.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "mgmt/server.h"

/* The wake-up of monitor log: written to by any thread, read by the loop. Lives while somebody listens. */
struct log_topic {
	struct mgmt *mgmt;
	uv_async_t async;
	uint64_t seq;		/* the next line to publish */
};

struct log_cursor {
	uint64_t seq;		/* the next line to show */
	uint64_t last;
};

/* UTC, milliseconds, level, subsystem. */
static json_t *format(const struct log_line *line)
{
	char text[LOG_TEXT_MAX + 96];
	time_t sec = line->time_ms / 1000;
	struct tm tm;

	gmtime_r(&sec, &tm);
	snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ %s %s: %s", tm.tm_year + 1900,
		 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(line->time_ms % 1000),
		 log_level_name(line->level), line->subsystem, line->text);
	return json_pack("{s:s}", "line", text);
}

static bool wanted(const struct log_line *line, enum log_level level, const char *subsystem)
{
	return line->level <= level && (!subsystem || !strcmp(subsystem, line->subsystem));
}

/* Where the newest `last` lines that are wanted begin. */
static uint64_t first_wanted(uint32_t last, enum log_level level, const char *subsystem)
{
	uint64_t seq = log_last() + 1;
	struct log_line line;

	while (last && seq > 1 && log_read(seq - 1, &line) && line.seq == seq - 1) {
		seq--;
		last -= wanted(&line, level, subsystem);
	}
	return seq;
}

static enum mgmt_next show_log(struct mgmt_request *req, void *arg)
{
	struct log_cursor *cur = mgmt_state(req, sizeof(*cur), NULL);
	const struct lyd_node *in = mgmt_input(req);
	const char *subsystem = conf_str(in, "subsystem", NULL);
	enum log_level level = LOG_LEVEL_DEBUG;
	struct log_line line;

	log_level_parse(conf_str(in, "level", "debug"), &level);
	if (!cur->seq) {
		cur->last = log_last();
		cur->seq = first_wanted(conf_u32(in, "last", 200), level, subsystem);
	}
	while (cur->seq <= cur->last && log_read(cur->seq, &line) && line.seq <= cur->last) {
		cur->seq = line.seq + 1;
		if (wanted(&line, level, subsystem) && !mgmt_row(req, format(&line)))
			return MGMT_AGAIN;
	}
	return MGMT_DONE;
}

/* ---- monitor log ---- */

static void publish(uv_async_t *async)
{
	struct log_topic *topic = async->data;
	struct log_line line;

	while (log_read(topic->seq, &line)) {
		topic->seq = line.seq + 1;
		mgmt_publish(topic->mgmt, "monitor-log", format(&line));
	}
}

static void wake(void *arg)
{
	uv_async_send(arg);
}

static void topic_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void listeners(bool any, void *arg)
{
	static struct log_topic *topic;
	struct mgmt *mgmt = arg;

	if (any) {
		topic = xcalloc(1, sizeof(*topic));
		topic->mgmt = mgmt;
		topic->seq = log_last() + 1;
		topic->async.data = topic;
		uv_async_init(mgmt->loop, &topic->async, publish);
		log_listen(wake, &topic->async);
	} else {
		log_listen(NULL, NULL);
		uv_close((uv_handle_t *)&topic->async, topic_closed);
	}
}

/* ---- version ---- */

static enum mgmt_next show_version(struct mgmt_request *req, void *arg)
{
	static time_t started;
	struct timespec now;
	struct utsname uts;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!req) {
		started = now.tv_sec;
		return MGMT_DONE;
	}
	mgmt_result(req, "version", json_string(l3vpn_version));
	mgmt_result(req, "pid", json_integer(getpid()));
	mgmt_result(req, "uptime", json_integer(now.tv_sec - started));
	mgmt_result(req, "libyang", json_string(LY_VERSION));
	if (uname(&uts) == 0)
		mgmt_result(req, "kernel", json_string(uts.release));
	return MGMT_DONE;
}

void show_log_register(struct mgmt *mgmt)
{
	show_version(NULL, NULL);	/* the clock starts */
	mgmt_register(mgmt, "show-log", show_log, NULL);
	mgmt_topic(mgmt, "monitor-log", listeners, mgmt);
	mgmt_register(mgmt, "show-version", show_version, NULL);
}
