/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What happened to sessions and their routes: each event is written to the log and remembered, so that the story of a
 * night can be read in the morning, whatever else the log had to say meanwhile. A ring of bounded size; what happens to
 * a neighbour again and again is one entry with a count. Every function may be called from any thread.
 */
#ifndef L3VPN_BGP_EVENT_H
#define L3VPN_BGP_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/log.h"

#define BGP_HAPPENINGS 4096	/* kept */
#define BGP_HAPPENING_TEXT 200	/* a longer text is cut here, not in the log */
#define BGP_HAPPENING_NAME 80	/* as struct bgp_session_conf: name */

struct bgp_happening {
	uint64_t seq;		/* from 1, without holes */
	int64_t time_ms;	/* since 1970, UTC; of the first time */
	int64_t last_ms;	/* ... of the last time */
	uint64_t mono_ms;	/* CLOCK_MONOTONIC, of the first time */
	uint32_t times;		/* 1, or more: nothing else happened to this neighbour in between */
	enum log_level level;
	char name[BGP_HAPPENING_NAME];	/* "10.0.0.2", "RED 10.1.1.2"; empty: to all */
	char text[BGP_HAPPENING_TEXT];
};

/* @name NULL: it is about all neighbours. Those of less weight than INFO are only logged. */
void bgp_happened(enum log_level level, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The first one in the ring with a seq of at least @seq; false: none. */
bool bgp_happening_read(uint64_t seq, struct bgp_happening *h);
uint64_t bgp_happening_last(void);	/* seq of the newest, 0: none */

#endif
