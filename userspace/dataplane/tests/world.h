/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The synchroniser above a forwarder in memory:
 *
 *      VRF tables (rib) --> fib --> sync --> record
 */
#ifndef L3VPN_DATAPLANE_TESTS_WORLD_H
#define L3VPN_DATAPLANE_TESTS_WORLD_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "dataplane/sync.h"
#include "dataplane/tests/record.h"
#include "labels/labels.h"
#include "lib/jobs.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "rib/fib.h"
#include "rib/table.h"
#include "vrf/vrf.h"

#define VRFS_MAX	4
#define PATIENCE_MS	10000

static const struct rib_proto test_proto = { .id = RIB_PROTO_STATIC, .name = "test", .code = 'S' };

struct world {
	uv_loop_t loop;
	struct jobs *jobs;
	struct rib *rib;
	struct labels *labels;
	struct vrfs *vrfs;
	struct record *record;
	struct dp_sync *sync;
	struct vrf *vrf[VRFS_MAX];
	struct rib_source source[VRFS_MAX][2];
	uv_timer_t tick;
	bool over;
};

/* ---- the world ---- */

static inline void on_tick(uv_timer_t *timer)
{
	((struct world *)timer->data)->over = true;
}

typedef bool (*condition)(struct world *w);

/* Runs the loop until @cond holds; fails the test when it does not. */
static inline void until(struct world *w, condition cond, const char *what)
{
	w->over = false;
	uv_timer_start(&w->tick, on_tick, PATIENCE_MS, 0);
	while (!cond(w) && !w->over)
		uv_run(&w->loop, UV_RUN_ONCE);
	uv_timer_stop(&w->tick);
	if (w->over)
		fail_msg("in vain: %s", what);
}

static inline bool adopted(struct world *w)
{
	bool failed;

	return dp_sync_adopted(w->sync, &failed) || failed;
}

static inline bool settled(struct world *w)
{
	return !jobs_pending(w->jobs) && dp_sync_settled(w->sync);
}

static inline bool idle(struct world *w)
{
	return !jobs_pending(w->jobs) && dp_sync_idle(w->sync);
}

static inline bool swept(struct world *w)
{
	struct dp_summary sum;

	dp_sync_summary(w->sync, &sum);
	return !sum.sweep_pending && sum.audit != DP_AUDIT_RUNNING && sum.audits;
}

static uint64_t audits_seen;

static inline bool audited(struct world *w)
{
	struct dp_summary sum;

	dp_sync_summary(w->sync, &sum);
	return sum.audits > audits_seen && sum.audit != DP_AUDIT_RUNNING && settled(w);
}

static inline struct world *world_new(struct record *from)
{
	struct world *w = xcalloc(1, sizeof(*w));
	struct dp_sync_env env;
	struct rib_env renv;
	char why[128];

	assert_int_equal(uv_loop_init(&w->loop), 0);
	uv_timer_init(&w->loop, &w->tick);
	w->tick.data = w;
	w->jobs = jobs_new(&w->loop);
	w->rib = rib_new(w->jobs);
	w->labels = labels_new(w->jobs, rib_fib(w->rib));
	renv = (struct rib_env){ .jobs = w->jobs, .rib = w->rib, .labels = w->labels };
	w->vrfs = vrfs_new(&renv);
	w->record = record_new();
	if (from)
		record_take_over(w->record, from);
	env = (struct dp_sync_env){
		.loop = &w->loop, .jobs = w->jobs, .rib = w->rib, .vrfs = w->vrfs,
		.provider = record_provider(w->record),
	};
	w->sync = dp_sync_new(&env, why, sizeof(why));
	assert_non_null(w->sync);
	until(w, adopted, "what the forwarder holds is read");
	return w;
}

static inline void add_vrf(struct world *w, int i, const char *name)
{
	int f;

	w->vrf[i] = vrf_add(w->vrfs, name);
	for (f = 0; f < 2; f++) {
		w->source[i][f] = (struct rib_source){
			.proto = &test_proto, .table = w->vrf[i]->af[f].table, .name = "test",
			.distance = 1, .is_local = true, .vrf = w->vrf[i]->id,
		};
		rib_source_init(&w->source[i][f]);
	}
}

static inline void del_vrf(struct world *w, int i)
{
	rib_source_flush_now(&w->source[i][0]);
	rib_source_flush_now(&w->source[i][1]);
	vrf_del(w->vrfs, w->vrf[i]);
	w->vrf[i] = NULL;
}

static inline void world_free(struct world *w)
{
	struct record *r = w->record;
	int i;

	dp_sync_free(w->sync);
	for (i = 0; i < VRFS_MAX; i++)
		if (w->vrf[i])
			del_vrf(w, i);
	while (jobs_run(w->jobs, 0))
		;
	vrfs_free(w->vrfs);
	labels_free(w->labels);
	rib_free(w->rib);
	jobs_free(w->jobs);
	uv_close((uv_handle_t *)&w->tick, NULL);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&w->loop), 0);
	record_free(r);
	free(w);
}

/* A link in VRF @i with the address A.B.C.1/24, so that gateways A.B.C.x are neighbours. */
static inline void add_port(struct world *w, int i, int ifindex, const char *name, const char *address)
{
	struct nht *nht = rib_nht(w->rib);
	struct nht_link link = { .ifindex = ifindex, .up = true };
	struct prefix p;

	snprintf(link.name, sizeof(link.name), "%s", name);
	assert_true(prefix_parse_host(address, &p));
	nht_port_vrf(nht, name, w->vrf[i]->id);
	nht_link_set(nht, &link);
	nht_addr_add(nht, ifindex, &p);
}

static inline void announce(struct world *w, int i, const char *prefix, const char *gateway)
{
	struct nht *nht = rib_nht(w->rib);
	struct nexthop_key hole = { .kind = NEXTHOP_BLACKHOLE };
	struct rib_path path = { .label = RIB_LABEL_NONE };
	struct ip_addr gw;
	struct prefix p;

	assert_true(prefix_parse(prefix, &p));
	if (gateway) {
		assert_true(addr_parse(gateway, &gw));
		path.nh = nexthop_gateway(nht, w->vrf[i]->id, &gw, NULL);
	} else {
		path.nh = nexthop_get(nht, &hole);
	}
	rib_announce(&w->source[i][family_afi(p.addr.family)], NULL, &p, &path);
	nexthop_put(nht, path.nh);
}

static inline void withdraw(struct world *w, int i, const char *prefix)
{
	struct prefix p;

	assert_true(prefix_parse(prefix, &p));
	rib_withdraw(&w->source[i][family_afi(p.addr.family)], NULL, &p, 0);
}

/* What the tables want is what the forwarder holds, route by route, and the digests agree. */
static inline void check_equal(struct world *w)
{
	struct fib *fib = rib_fib(w->rib);
	struct record_route *held;
	struct dp_expect e;
	struct fib_dest dest;
	char buf[PREFIX_STRLEN];
	struct prefix p;
	size_t n;
	int i, f;

	for (i = 0; i < VRFS_MAX; i++)
		for (f = 0; w->vrf[i] && f < 2; f++) {
			memset(&p, 0, sizeof(p));
			p.addr.family = afi_family(f);
			for (n = 0; fib_route_next(fib, w->vrf[i]->id, &p, n == 0, &dest); n++) {
				held = record_route(w->record, w->vrf[i]->id, prefix_str(&p, buf));
				if (!held || held->nh != dest.nh->id || held->label != dest.label)
					fail_msg("%s %s: %s", w->vrf[i]->name, buf,
						 held ? "differs" : "is missing");
			}
			assert_int_equal(n, record_routes(w->record, w->vrf[i]->id, afi_family(f)));
			dp_sync_expect(w->sync, f ? L3VPN_OBJECT_ROUTE6 : L3VPN_OBJECT_ROUTE4,
				       w->vrf[i]->id, &e);
			assert_int_equal(e.count, n);
			assert_true(e.digest == record_digest(w->record, w->vrf[i]->id, afi_family(f)));
		}
	dp_sync_expect(w->sync, L3VPN_OBJECT_NH, 0, &e);
	assert_int_equal(e.count, record_nhs(w->record));
}

#endif
