// SPDX-License-Identifier: GPL-2.0
/*
 * log - messages and the ring of the last of them: see log.h.
 *
 * One mutex protects the ring, the sequence number and the order of lines on the target. Level and target are
 * atomics, so that a message below the level costs a load.
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/mem.h"

static struct {
	pthread_mutex_t lock;
	struct log_line *ring;		/* LOG_RING_LINES, made with the first line; line seq is at seq % size */
	uint64_t seq;			/* of the newest line */
	void (*wake)(void *arg);
	void *wake_arg;
} state = { .lock = PTHREAD_MUTEX_INITIALIZER };

static _Atomic int current_level = LOG_LEVEL_NOTICE;
static _Atomic int current_target = LOG_TARGET_STDERR;
static bool journal;

static const char *const level_names[] = {
	[LOG_LEVEL_ERR] = "err",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_NOTICE] = "notice",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

void log_init(const char *program, enum log_target target, enum log_level level)
{
	journal = getenv("JOURNAL_STREAM") != NULL;
	if (target == LOG_TARGET_SYSLOG)
		openlog(program, LOG_PID, LOG_DAEMON);
	atomic_store(&current_target, target);
	atomic_store(&current_level, level);
}

void log_set_level(enum log_level level)
{
	atomic_store(&current_level, level);
}

enum log_level log_get_level(void)
{
	return atomic_load_explicit(&current_level, memory_order_relaxed);
}

const char *log_level_name(enum log_level level)
{
	if (level < LOG_LEVEL_ERR || level > LOG_LEVEL_DEBUG)
		return "?";
	return level_names[level];
}

bool log_level_parse(const char *name, enum log_level *level)
{
	for (int i = LOG_LEVEL_ERR; i <= LOG_LEVEL_DEBUG; i++) {
		if (!strcmp(level_names[i], name)) {
			*level = i;
			return true;
		}
	}
	return false;
}

/* Caller holds the lock. */
static void emit(const struct log_line *line)
{
	struct tm tm;
	time_t sec = line->time_ms / 1000;

	switch (atomic_load(&current_target)) {
	case LOG_TARGET_SYSLOG:
		syslog(line->level, "%s: %s", line->subsystem, line->text);
		break;
	case LOG_TARGET_STDERR:
		if (journal) {
			fprintf(stderr, "<%d>%s: %s\n", line->level, line->subsystem, line->text);
			break;
		}
		gmtime_r(&sec, &tm);
		fprintf(stderr, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ %s %s: %s\n", tm.tm_year + 1900,
			tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
			(int)(line->time_ms % 1000), log_level_name(line->level), line->subsystem, line->text);
		break;
	}
}

/* One message is one line of ASCII: other bytes, which a peer may have sent, become '?'. */
static void clean(char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s < ' ' || (unsigned char)*s >= 0x7f)
			*s = '?';
	}
}

void log_write(enum log_level level, const char *subsystem, const char *fmt, ...)
{
	struct log_line line = { .level = level };
	struct timespec now;
	va_list ap;

	if ((int)level > atomic_load_explicit(&current_level, memory_order_relaxed))
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	line.time_ms = now.tv_sec * 1000LL + now.tv_nsec / 1000000;
	snprintf(line.subsystem, sizeof(line.subsystem), "%s", subsystem);
	va_start(ap, fmt);
	vsnprintf(line.text, sizeof(line.text), fmt, ap);
	va_end(ap);
	clean(line.text);

	pthread_mutex_lock(&state.lock);
	if (!state.ring)
		state.ring = calloc(LOG_RING_LINES, sizeof(*state.ring));
	if (state.ring) {
		line.seq = ++state.seq;
		state.ring[line.seq % LOG_RING_LINES] = line;
	}
	emit(&line);
	if (state.wake)
		state.wake(state.wake_arg);
	pthread_mutex_unlock(&state.lock);
}

bool log_read(uint64_t seq, struct log_line *line)
{
	bool found = false;

	pthread_mutex_lock(&state.lock);
	if (state.seq > LOG_RING_LINES && seq <= state.seq - LOG_RING_LINES)
		seq = state.seq - LOG_RING_LINES + 1;
	if (!seq)
		seq = 1;
	if (seq <= state.seq) {
		*line = state.ring[seq % LOG_RING_LINES];
		found = true;
	}
	pthread_mutex_unlock(&state.lock);
	return found;
}

uint64_t log_last(void)
{
	uint64_t seq;

	pthread_mutex_lock(&state.lock);
	seq = state.seq;
	pthread_mutex_unlock(&state.lock);
	return seq;
}

void log_listen(void (*wake)(void *arg), void *arg)
{
	pthread_mutex_lock(&state.lock);
	state.wake = wake;
	state.wake_arg = arg;
	pthread_mutex_unlock(&state.lock);
}
