/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mgmt/stream.h: what the forwarder holds, as rows of an answer: a provider's dump on one side, a
 * client that may be slow on the other. Between them a few rows are kept; when they are not taken, the
 * kernel's dump waits.
 */
#ifndef L3VPN_MGMT_STREAM_H
#define L3VPN_MGMT_STREAM_H

#include "dataplane/sync.h"
#include "mgmt/show.h"

#define STREAM_ROWS	128

struct stream;

/* @row becomes a row of the answer; NULL: left out. @arg: what stream_run() was given. */
typedef json_t *(*stream_row)(const struct stream *st, const struct dp_row *row);

/**
 * struct stream - the state of a handler (mgmt_state()) that answers with one dump after another
 * @step:	the caller's: which dump it is
 */
struct stream {
	struct mgmt_request *req;
	const struct show_env *env;
	stream_row to_row;
	struct dp_dump *dump;
	json_t *rows[STREAM_ROWS];
	unsigned int head, n;
	int step;
	bool dumping, done, waiting;
	int error;
	char why[120];
};

struct stream *stream_state(struct mgmt_request *req, const struct show_env *env);

/*
 * Streams the dump @query: to be called from the handler until it says MGMT_DONE; what it says is what
 * the handler returns. *@ended is set when this dump ended without error: the next may begin.
 */
enum mgmt_next stream_run(struct stream *st, const struct dp_query *query, stream_row to_row, bool *ended);

/* Words: where a next hop leads, names of VRFs. */
const char *stream_path(const struct show_env *env, uint32_t nh, char *buf, size_t len);
const char *stream_nh(const struct show_env *env, const struct dp_nh *nh, char *buf, size_t len);
const char *stream_vrf(const struct show_env *env, uint32_t id, char *buf, size_t len);
void stream_counters(json_t *row, const struct dp_stats *s);

#endif
