/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The engine in a thread of its own, with sockets, so that no pause of the main thread costs a session.
 *
 *   main thread --bfd_io_want()..., under the lock--> engine <--packets, timers-- thread
 *        ^                                              |
 *        +---- reports (queue, uv_async) ---------------+---- flip(): forwarding, at once
 *
 * The lock is held for one packet or one timer at a time; the main thread holds it for one call. What forwarding is
 * told, it is told by the BFD thread in the order of events, under the lock.
 */
#ifndef L3VPN_BFD_IO_H
#define L3VPN_BFD_IO_H

#include <uv.h>

#include "bfd/engine.h"

struct bfd_io;

struct bfd_report {
	struct bfd_report *next;
	struct liveness_key key;
	enum bfd_state was, state;
	enum liveness_state liveness;
	uint8_t diag, remote_diag;
	uint32_t flipped;		/* next hops of forwarding that were told */
};

struct bfd_io_options {
	uv_loop_t *loop;
	/* on the main thread; the report is the callee's to copy */
	void (*report)(void *arg, const struct bfd_report *r);
	void *arg;
	/* on the BFD thread: these next hops are down, or no longer; NULL: nobody is told */
	void (*flip)(void *arg, const uint32_t *ids, unsigned int n, bool down);
	void *flip_arg;
};

/* Starts the thread. NULL with words in @why. */
struct bfd_io *bfd_io_new(const struct bfd_io_options *opt, char *why, size_t len);
/* Neighbours are told that it is the administrator's will; forwarding stays as it is. Run the loop once more. */
void bfd_io_free(struct bfd_io *io);

/* @device: of the VRF; "" in the global table */
void bfd_io_want(struct bfd_io *io, const struct liveness_key *key, const char *device,
		 const struct liveness_params *params);
void bfd_io_drop(struct bfd_io *io, const struct liveness_key *key);
void bfd_io_adjacency(struct bfd_io *io, const struct liveness_key *key, uint32_t id, bool leads);
void bfd_io_disable(struct bfd_io *io, bool disable);
void bfd_io_clear(struct bfd_io *io);

/* A session as it is, for show. */
struct bfd_info {
	struct liveness_key key;
	struct liveness_params params;
	enum bfd_state state, remote_state;
	enum liveness_state liveness;
	uint8_t diag, remote_diag, remote_mult;
	uint32_t discr, remote_discr;
	uint32_t desired_tx_us, required_rx_us, remote_tx_us, remote_rx_us;
	uint64_t tx_interval_us, detection_us;	/* as negotiated */
	uint64_t state_us, quiet_us;		/* since the state began, since the last packet taken */
	bool polling, remote_demand, remote_cpi, ending;
	uint16_t port;				/* source port, 0: no socket */
	unsigned int next_hops;
	struct bfd_counters count;
};
/* malloc'ed, by key; the number in *n. @none (or NULL): packets of no session */
struct bfd_info *bfd_io_snapshot(struct bfd_io *io, unsigned int *n, struct bfd_counters *none);

#endif
