/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dataplane/tests/record.h: a provider that is a small forwarder in memory and keeps a record of what it was
 * asked. It is as strict as the module: what refers to nothing is refused, what is referred to
 * cannot go. Tests make it refuse, forget, vanish and come back.
 */
#ifndef L3VPN_DATAPLANE_TESTS_RECORD_H
#define L3VPN_DATAPLANE_TESTS_RECORD_H

#include "dataplane/provider.h"
#include "lib/trie.h"

#define RECORD_VRFS	64
#define RECORD_NHS	256
#define RECORD_LABELS	256
#define RECORD_PORTS	64
#define RECORD_ENDPOINTS 8
#define RECORD_LINES	65536

struct record_route {
	uint32_t nh, label, epoch;
};

struct record {
	struct dp_provider base;
	uv_loop_t *loop;
	uv_idle_t idle;
	bool opened, present, tell_ready, tell_gone, held_back;
	struct dp_listener listener;
	struct dp_batch *first, **last;
	struct dp_dump *dumps;
	struct record_sweep *sweeps;
	uint64_t instance;
	uint32_t epoch;
	/* what it holds */
	struct {
		struct dp_vrf vrf;
		uint32_t epoch;
		struct trie route[2];
	} vrf[RECORD_VRFS];
	struct {
		struct dp_nh *nh;
		uint32_t epoch;
	} nh[RECORD_NHS];
	struct {
		struct l3vpn_label label;
		uint32_t epoch;
	} label[RECORD_LABELS];
	struct dp_port port[RECORD_PORTS];
	struct {
		struct dp_endpoint *ep;
		uint32_t epoch;
	} endpoint[RECORD_ENDPOINTS];
	/* how it refuses: @refuse says errno and words, or 0 */
	int (*refuse)(const struct dp_op *op, const char **why, void *arg);
	void *refuse_arg;
	/* what it was asked */
	char *line[RECORD_LINES];
	size_t n_lines;
	size_t n_batches;
};

struct record *record_new(void);
struct dp_provider *record_provider(struct record *r);
void record_free(struct record *r);	/* after the provider was closed and the loop ran */
void record_forget_lines(struct record *r);
/* index of the first line from @from on that contains @text, or -1 */
int record_find(const struct record *r, size_t from, const char *text);

/* All that it held is lost; it comes back at once (another instance). */
void record_reload(struct record *r);
void record_gone(struct record *r);
void record_back(struct record *r);
void record_hold(struct record *r, bool on);	/* keep batches unanswered */

size_t record_routes(const struct record *r, uint32_t vrf, uint8_t family);
struct record_route *record_route(struct record *r, uint32_t vrf, const char *prefix);
void record_drop_route(struct record *r, uint32_t vrf, const char *prefix);
void record_put_route(struct record *r, uint32_t vrf, const char *prefix, uint32_t nh, uint32_t label);
uint64_t record_digest(const struct record *r, uint32_t vrf, uint8_t family);
size_t record_nhs(const struct record *r);
size_t record_labels(const struct record *r);
size_t record_endpoints(const struct record *r);
/* Copies everything that @from holds into @to: a daemon that is restarted beside a module that stays. */
void record_take_over(struct record *to, struct record *from);

#endif
