// SPDX-License-Identifier: GPL-2.0
/* The ring of events: contracts in event.h. */
#include "bgp/event.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LOOK_BACK 16		/* entries that a repetition is looked for in */

static struct {
	pthread_mutex_t lock;
	uint64_t last;		/* seq of the newest */
	struct bgp_happening ring[BGP_HAPPENINGS];
} events = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int64_t now_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct bgp_happening *slot(uint64_t seq)
{
	return &events.ring[seq % BGP_HAPPENINGS];
}

/* The newest entry of that neighbour, if it says the same; NULL: it is news. */
static struct bgp_happening *repeated(const char *name, const char *text)
{
	for (uint64_t seq = events.last; seq && seq + LOOK_BACK > events.last; seq--) {
		struct bgp_happening *h = slot(seq);

		if (!strcmp(h->name, name))
			return strcmp(h->text, text) ? NULL : h;
	}
	return NULL;
}

static void remember(enum log_level level, const char *name, const char *text)
{
	int64_t now = now_ms(CLOCK_REALTIME);
	struct bgp_happening *h;
	char cut[BGP_HAPPENING_TEXT];

	snprintf(cut, sizeof(cut), "%.*s", BGP_HAPPENING_TEXT - 1, text);
	pthread_mutex_lock(&events.lock);
	h = repeated(name, cut);
	if (h) {
		h->times++;
	} else {
		h = slot(++events.last);
		memset(h, 0, sizeof(*h));
		h->seq = events.last;
		h->time_ms = now;
		h->mono_ms = (uint64_t)now_ms(CLOCK_MONOTONIC);
		h->times = 1;
		h->level = level;
		snprintf(h->name, sizeof(h->name), "%.*s", BGP_HAPPENING_NAME - 1, name);
		memcpy(h->text, cut, sizeof(h->text));
	}
	h->last_ms = now;
	pthread_mutex_unlock(&events.lock);
}

void bgp_happened(enum log_level level, const char *name, const char *fmt, ...)
{
	char text[LOG_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_write(level, "bgp", "%s%s%s", name ? name : "", name ? ": " : "", text);
	if (level <= LOG_LEVEL_INFO)
		remember(level, name ? name : "", text);
}

bool bgp_happening_read(uint64_t seq, struct bgp_happening *h)
{
	uint64_t first;
	bool there;

	pthread_mutex_lock(&events.lock);
	first = events.last >= BGP_HAPPENINGS ? events.last - BGP_HAPPENINGS + 1 : 1;
	if (seq < first)
		seq = first;
	there = seq <= events.last;
	if (there)
		*h = *slot(seq);
	pthread_mutex_unlock(&events.lock);
	return there;
}

uint64_t bgp_happening_last(void)
{
	uint64_t last;

	pthread_mutex_lock(&events.lock);
	last = events.last;
	pthread_mutex_unlock(&events.lock);
	return last;
}
