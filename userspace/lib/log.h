/* SPDX-License-Identifier: GPL-2.0 */
/*
 * log - one line a message, with a level and a subsystem, to where the daemon runs: a terminal, syslog, or
 * the journal (a stderr that systemd reads gets "<N>" prefixes). The last lines stay in a ring for `show log`.
 *
 * Every function may be called from any thread, except log_init() and log_listen() (main thread).
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include <stdbool.h>
#include <stdint.h>

/* The values are syslog's. */
enum log_level {
	LOG_LEVEL_ERR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

enum log_target {
	LOG_TARGET_STDERR,	/* with time and level; "<N>" when stderr is the journal ($JOURNAL_STREAM) */
	LOG_TARGET_SYSLOG,	/* daemon facility */
	LOG_TARGET_NONE,	/* the ring alone */
};

#define LOG_RING_LINES 4096
#define LOG_TEXT_MAX 512	/* a longer message is cut */
#define LOG_SUBSYSTEM_MAX 16

struct log_line {
	uint64_t seq;		/* from 1, without holes */
	int64_t time_ms;	/* since 1970, UTC */
	enum log_level level;
	char subsystem[LOG_SUBSYSTEM_MAX];
	char text[LOG_TEXT_MAX];
};

/* Before it is called messages go to stderr at level NOTICE. */
void log_init(const char *program, enum log_target target, enum log_level level);
void log_set_level(enum log_level level);
enum log_level log_get_level(void);
const char *log_level_name(enum log_level level);
/* "err" "warning" "notice" "info" "debug"; false: no such level */
bool log_level_parse(const char *name, enum log_level *level);

void log_write(enum log_level level, const char *subsystem, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define log_err(subsystem, ...) log_write(LOG_LEVEL_ERR, subsystem, __VA_ARGS__)
#define log_warn(subsystem, ...) log_write(LOG_LEVEL_WARNING, subsystem, __VA_ARGS__)
#define log_notice(subsystem, ...) log_write(LOG_LEVEL_NOTICE, subsystem, __VA_ARGS__)
#define log_info(subsystem, ...) log_write(LOG_LEVEL_INFO, subsystem, __VA_ARGS__)
/* arguments are not evaluated below the level */
#define log_debug(subsystem, ...)						\
	do {									\
		if (log_get_level() >= LOG_LEVEL_DEBUG)				\
			log_write(LOG_LEVEL_DEBUG, subsystem, __VA_ARGS__);	\
	} while (0)

/* The first line in the ring with a seq of at least @seq; false: none. */
bool log_read(uint64_t seq, struct log_line *line);
uint64_t log_last(void);	/* seq of the newest line, 0 when there is none */

/*
 * @wake is called after each line, in the thread that wrote it and under the log's lock: it may do no more than
 * wake the main loop (uv_async_send) and must not log. One listener; NULL removes it, and it is not running then.
 */
void log_listen(void (*wake)(void *arg), void *arg);

/* Text of the version built: lib/version.c */
extern const char l3vpn_version[];

#endif
