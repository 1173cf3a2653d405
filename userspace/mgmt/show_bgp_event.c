// SPDX-License-Identifier: GPL-2.0
/* show bgp events: what happened to sessions and their routes, oldest first. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bgp/event.h"
#include "mgmt/show_bgp.h"

struct event_cursor {
	bool begun;
	uint64_t seq;		/* the next one */
	uint64_t end;		/* the last one that was there at the beginning */
};

static void put_time(json_t *row, const char *column, int64_t ms)
{
	char text[64], zone[16];
	time_t s = (time_t)(ms / 1000);
	struct tm tm;

	localtime_r(&s, &tm);
	strftime(text, sizeof(text) - 24, "%Y-%m-%d %H:%M:%S", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	snprintf(text + strlen(text), sizeof(text) - strlen(text), ".%03u%s", (unsigned int)(ms % 1000), zone);
	bgp_put(row, column, text);
}

/* "RED 10.1.1.2" is a neighbour of a VRF. */
static void split_name(const char *name, const char **vrf, size_t *len, const char **neighbor)
{
	const char *blank = strrchr(name, ' ');

	*vrf = blank ? name : "";
	*len = blank ? (size_t)(blank - name) : 0;
	*neighbor = blank ? blank + 1 : name;
}

static bool wanted(const struct lyd_node *in, const struct bgp_happening *h)
{
	const char *want = conf_str(in, "neighbor", NULL), *want_vrf = conf_str(in, "vrf", NULL), *vrf, *neighbor;
	size_t len;

	split_name(h->name, &vrf, &len, &neighbor);
	if (want && strcmp(want, neighbor))
		return false;
	return !want_vrf || (strlen(want_vrf) == len && !strncmp(want_vrf, vrf, len));
}

static json_t *event_row(const struct bgp_happening *h)
{
	json_t *row = json_object();
	const char *vrf, *neighbor;
	char text[BGP_HAPPENING_NAME];
	size_t len;

	split_name(h->name, &vrf, &len, &neighbor);
	put_time(row, "time", h->time_ms);
	snprintf(text, sizeof(text), "%llu.%03u", (unsigned long long)(h->mono_ms / 1000),
		 (unsigned int)(h->mono_ms % 1000));
	bgp_put(row, "clock", text);
	bgp_put(row, "neighbor", neighbor);
	snprintf(text, sizeof(text), "%.*s", (int)len, vrf);
	bgp_put(row, "vrf", text);
	bgp_put(row, "event", h->text);
	if (h->times > 1) {
		bgp_put_number(row, "times", h->times);
		put_time(row, "last-time", h->last_ms);
	}
	return row;
}

/* The number of the first of the newest @n that are wanted. */
static uint64_t first_of(const struct lyd_node *in, uint64_t n)
{
	uint64_t seq = bgp_happening_last();
	struct bgp_happening h;

	for (; seq > 1 && n; seq--) {
		if (!bgp_happening_read(seq, &h) || h.seq != seq)
			return h.seq;
		n -= wanted(in, &h);
		if (!n)
			return seq;
	}
	return seq;
}

static enum mgmt_next show_events(struct mgmt_request *req, void *arg)
{
	struct event_cursor *c = mgmt_state(req, sizeof(*c), NULL);
	const struct lyd_node *in = mgmt_input(req);
	struct bgp_happening h;

	if (!c->begun) {
		c->begun = true;
		c->end = bgp_happening_last();
		c->seq = conf_str(in, "last", NULL) ? first_of(in, conf_u32(in, "last", 1)) : 1;
	}
	while (bgp_happening_read(c->seq, &h) && h.seq <= c->end) {
		c->seq = h.seq + 1;
		if (wanted(in, &h) && !mgmt_row(req, event_row(&h)))
			return MGMT_AGAIN;
	}
	return MGMT_DONE;
}

void show_bgp_event_register(struct mgmt *mgmt, const struct show_env *env)
{
	mgmt_register(mgmt, "show-bgp-events", show_events, (void *)env);
}
