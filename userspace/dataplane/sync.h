/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dataplane/sync.h: keeps the forwarder equal to what the tables want.
 *
 *      rib/fib.h, vrf/, host/ --events--> windows --batches--> provider --acks--> shadow, labels
 *                                             ^                                     |
 *                                             +---- retry, audit, reload, sweep ----+
 *
 * Changes are gathered in a window and go out once a turn of the loop, ordered so that every object
 * is there before what refers to it: VRFs, ports, next hops; routes, table by table; labels;
 * then what is to be removed. Every table's count and digest is kept as the changes pass, and
 * compared with the forwarder's own from time to time (audit).
 *
 * Start: the forwarder's VRFs and next hops are read; VRFs keep their ids by name, next hops by
 * content, so that programming the same state again changes nothing. An epoch is opened; what it has
 * not touched is swept when dp_sync_restart_done() is called and all is programmed.
 *
 * Main thread only.
 */
#ifndef L3VPN_DATAPLANE_SYNC_H
#define L3VPN_DATAPLANE_SYNC_H

#include "dataplane/provider.h"

struct dp_sync;
struct host;
struct jobs;
struct rib;
struct vrfs;

#define DP_AUDIT_SECONDS	30

struct dp_sync_env {
	uv_loop_t *loop;
	struct jobs *jobs;
	struct rib *rib;
	struct vrfs *vrfs;
	struct host *host;		/* NULL: ports are not followed (tests) */
	struct dp_provider *provider;	/* taken over: closed by dp_sync_free(), also on failure */
	uint32_t audit_seconds;		/* 0: no audit by itself */
};

/* Opens the provider. NULL with words in @why. */
struct dp_sync *dp_sync_new(const struct dp_sync_env *env, char *why, size_t why_len);

/* Leaves forwarding as it is. The loop must run once more. */
void dp_sync_free(struct dp_sync *s);

/*
 * True once what the forwarder held at start is known: only then may the configuration be loaded (run the
 * loop until then). @failed: true when it could not be read; the daemon should give up.
 */
bool dp_sync_adopted(const struct dp_sync *s, bool *failed);

/* RFC 4724: were routes (or labels) of @family in the forwarder when this daemon started? */
bool dp_sync_preserved(const struct dp_sync *s, uint8_t family);
/* RFC 3478: label entries of any kind */
bool dp_sync_preserved_labels(const struct dp_sync *s);

/* Routing has converged after the start: sweep what nobody wanted again. Once. */
void dp_sync_restart_done(struct dp_sync *s);

/* Is everything that is wanted acknowledged (nothing in windows, batches, or refused)? */
bool dp_sync_idle(const struct dp_sync *s);

/* Is everything that is wanted answered, one way or the other? */
bool dp_sync_settled(const struct dp_sync *s);

/*
 * Take away everything that was programmed, by whomever: for a stop that shall leave nothing behind.
 * done() comes from the loop; nothing is programmed any more.
 */
void dp_sync_clear(struct dp_sync *s, void (*done)(void *arg), void *arg);

struct dp_provider *dp_sync_provider(const struct dp_sync *s);

/* An audit now, whether due or not. */
void dp_sync_audit(struct dp_sync *s);

enum dp_audit_state { DP_AUDIT_NEVER, DP_AUDIT_EQUAL, DP_AUDIT_RUNNING, DP_AUDIT_MENDED, DP_AUDIT_FAILED };
const char *dp_audit_state_str(enum dp_audit_state state);

/** struct dp_summary - the state of it all, for show */
struct dp_summary {
	const char *provider;
	bool present;			/* the forwarder is there */
	bool programming;		/* everything is programmed (again) */
	bool sweep_pending;		/* started; what was there before is still kept */
	uint64_t swept;
	size_t backlog;			/* requests in windows and batches */
	uint64_t requests, refused;	/* since start */
	uint32_t failed;		/* objects that are wanted and refused now */
	char last_refusal[200];
	enum dp_audit_state audit;
	uint64_t audits, audit_mends;	/* runs; objects mended */
	uint64_t audit_time_us;		/* clock_us() of the last end */
	uint32_t reloads;		/* times the forwarder came back empty */
};
void dp_sync_summary(const struct dp_sync *s, struct dp_summary *sum);

/* What the forwarder should report for a table: wanted, less what it refused. */
struct dp_expect {
	uint64_t count;
	uint64_t digest;
	uint32_t failed;
};
void dp_sync_expect(const struct dp_sync *s, uint8_t object, uint32_t vrf, struct dp_expect *e);

/** struct dp_port_state - a port as programmed; false: dataplane does not know it */
struct dp_port_state {
	bool bound;
	int error;
	char why[120];
};
bool dp_sync_port(const struct dp_sync *s, const char *ifname, struct dp_port_state *st);

/* ... and the end of tunnels of that encapsulation (enum l3vpn_encap) and family; false: none is wanted */
bool dp_sync_endpoint(const struct dp_sync *s, uint8_t encap, uint8_t family, struct dp_port_state *st);

/* Why a route is not in the forwarder: errno, or 0 when it is not refused. */
int dp_sync_route_refused(const struct dp_sync *s, uint32_t vrf, const struct prefix *p,
			  char *why, size_t len);

/* The samples of dropped packets; one listener. NULL fn: no more. */
void dp_sync_on_drop(struct dp_sync *s, void (*fn)(void *arg, const struct dp_drop *drop), void *arg);

/*
 * Traced packets to @fn, one listener; NULL @trace: no more. @packet NULL: forwarding went away, and the
 * trace with it. 0, or a positive errno with words in @why; no listener then.
 */
int dp_sync_trace(struct dp_sync *s, const struct dp_trace *trace,
		  void (*fn)(void *arg, const struct dp_packet *packet), void *arg, char *why, size_t len);

#endif
