/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sessions of BFD: RFC 5880 (asynchronous mode; a neighbour's demand mode is honoured, ours is never asked for), 5881,
 * 5883. The engine knows neither sockets nor clock: packets come in by bfd_engine_receive() and go out by
 * ops->send(), and everyone says what time it is (microseconds), so that tests run it in simulated time.
 *
 *   packet.c  octets         fsm.c     state machine      timers.c  what is due next
 *   engine.c  sessions, what they send and when           receive.c what comes in (RFC 5880 section 6.8.6)
 *   io.c      its thread and sockets                      bfd.c     clients (rib/liveness.h), configuration
 *
 * Not thread-safe: io.c holds its lock around every call, and ops are called under it.
 */
#ifndef L3VPN_BFD_ENGINE_H
#define L3VPN_BFD_ENGINE_H

#include "bfd/packet.h"
#include "bfd/timers.h"
#include "lib/hash.h"
#include "lib/list.h"
#include "rib/liveness.h"

#define BFD_LATE_US	20000u		/* a timer that is served so late tells nothing of the neighbour */
#define BFD_SLOW_US	1000000u	/* between packets at least while a session is not up: 6.8.3 */

struct bfd_session;

struct bfd_ops {
	/* false: it could not go out */
	bool (*send)(void *arg, struct bfd_session *s, const uint8_t packet[BFD_PACKET_LEN]);
	/* state, or what clients make of it, changed; @was is the state before */
	void (*changed)(void *arg, struct bfd_session *s, enum bfd_state was);
	void (*opened)(void *arg, struct bfd_session *s);
	void (*closing)(void *arg, struct bfd_session *s);
	uint32_t (*random)(void *arg);
	void *arg;
};

struct bfd_counters {
	uint64_t in, out, send_failed;
	uint64_t ups, downs;
	uint64_t discards[BFD_DISCARDS];
};

struct bfd_session {
	struct hash_node by_discr, by_peer;
	struct list node;			/* in engine.sessions */
	struct liveness_key key;
	struct liveness_params params;
	void *io;				/* io.c's */
	/* state variables of 6.8.1 */
	enum bfd_state state, remote_state;
	enum liveness_state liveness;
	uint8_t diag, remote_diag;
	uint32_t discr, remote_discr;
	/* what we announce; while a poll is under way what still holds (6.8.3) is in tx_us and rx_us */
	uint32_t desired_tx_us, required_rx_us;
	uint32_t tx_us, rx_us;
	uint32_t remote_tx_us, remote_rx_us;
	uint8_t remote_mult;
	bool remote_demand, remote_cpi;
	bool polling, poll_again;		/* again: something changed while a poll was under way */
	bool forgiven;				/* the detection time ran out, but we came late */
	bool ending;				/* nobody wants it: says so for a while, then goes */
	struct bfd_timer tx, detect, end;
	uint64_t sent_us;			/* when the last periodic packet went out */
	uint64_t since_us;			/* state */
	uint64_t received_us;			/* last packet taken */
	struct bfd_counters count;
	/* next hops of forwarding that lead to the neighbour: io.c's */
	uint32_t *ids;
	unsigned int n_ids;
};

struct bfd_engine {
	struct bfd_ops ops;
	struct list sessions;
	struct hash by_discr, by_peer;
	struct bfd_timers timers;
	uint32_t n_sessions;
	bool disabled;				/* all are administratively down */
	struct bfd_counters count;		/* packets of no session */
};

/* Where a packet came from. */
struct bfd_rx {
	struct ip_addr from, to;
	uint32_t vrf;
	const char *ifname;			/* that it came by, for link-local peers; NULL: not known */
	bool multihop;
	int ttl;				/* -1: not known */
};

void bfd_engine_init(struct bfd_engine *e, const struct bfd_ops *ops);
void bfd_engine_fini(struct bfd_engine *e);		/* at once: says nothing to the neighbours */

/* adds, or changes the settings */
struct bfd_session *bfd_engine_want(struct bfd_engine *e, const struct liveness_key *key,
				    const struct liveness_params *params, uint64_t now);
/* administratively down, then gone */
void bfd_engine_drop(struct bfd_engine *e, struct bfd_session *s, uint64_t now);
void bfd_engine_disable(struct bfd_engine *e, bool disable, uint64_t now);	/* all of them, and those to come */
/* tells every neighbour once that the session is administratively down, whatever its state; for the end */
void bfd_engine_farewell(struct bfd_engine *e, uint64_t now);
struct bfd_session *bfd_engine_find(const struct bfd_engine *e, const struct liveness_key *key);

enum bfd_discard bfd_engine_receive(struct bfd_engine *e, const struct bfd_rx *rx, const void *data, size_t len,
				    uint64_t now);
/* does what is due; when to come again (UINT64_MAX: not by itself) */
uint64_t bfd_engine_run(struct bfd_engine *e, uint64_t now);
uint64_t bfd_engine_due(const struct bfd_engine *e);
void bfd_engine_clear(struct bfd_engine *e);		/* counters */

/* ---- what follows from a session's variables, for show too ---- */

/* 6.8.7: between two periodic packets, before jitter; 0: none are sent */
uint64_t bfd_tx_interval(const struct bfd_session *s);
uint64_t bfd_detection_time(const struct bfd_session *s);	/* 6.8.4; 0: nothing was heard yet */

/* ---- between engine.c and receive.c ---- */
void bfd_session_event(struct bfd_engine *e, struct bfd_session *s, enum bfd_event ev, uint64_t now);
void bfd_session_send(struct bfd_engine *e, struct bfd_session *s, bool final);
void bfd_session_poll_done(struct bfd_session *s);	/* an answer came */
/* when the next periodic packet goes out, after something that it depends on may have changed */
void bfd_session_schedule(struct bfd_engine *e, struct bfd_session *s, uint64_t now);
struct bfd_session *bfd_session_by_discr(const struct bfd_engine *e, uint32_t discr);
uint32_t bfd_peer_hash(uint32_t vrf, bool multihop, const struct ip_addr *peer);

#endif
