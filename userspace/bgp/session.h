/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A BGP session: it lives in a worker thread, which connects, runs the state machine and all
 * timers, reads, parses and writes. The main thread gives orders and hears of events; neither
 * waits for the other.
 *
 *   main thread --orders--> worker: FSM, timers, sockets, parser --events, updates--> main thread
 *
 * What a peer sends waits in a queue of bounded size a session: when it is full the worker stops
 * reading that socket. Keepalives go out meanwhile, and the hold timer does not run out while
 * unread bytes are there. All functions here are for the main thread.
 */
#ifndef L3VPN_BGP_SESSION_H
#define L3VPN_BGP_SESSION_H

#include <stdatomic.h>
#include <uv.h>

#include "bgp/cease.h"
#include "bgp/fsm.h"
#include "bgp/open.h"
#include "lib/tcp.h"
#include "bgp/update.h"

#define BGP_SESSION_NAME 80

struct bgp_session;
struct bgp_workers;

struct bgp_session_conf {
	char name[BGP_SESSION_NAME];	/* for the log: "10.0.0.2", "10.1.1.2 vrf RED" */
	struct tcp_endpoint peer;
	struct ip_addr source;		/* family 0: any */
	uint16_t port;
	struct tcp_options sock;
	bool passive;
	uint32_t local_as;
	uint32_t second_as;		/* ours too, tried when the peer does not want the first; 0: none */
	uint32_t local_id;		/* host order */
	uint32_t remote_as;
	uint16_t hold, connect_retry;	/* seconds */
	uint16_t delay_open;		/* seconds before OPEN is sent, 0: at once (RFC 4271 8.1.1) */
	uint16_t keepalive;		/* seconds, 0: a third of the hold time */
	struct bgp_caps caps;		/* what we offer */
};

struct bgp_up {
	struct bgp_agreed agreed;
	struct bgp_open peer;		/* the peer's OPEN */
	struct tcp_endpoint local;
	uint32_t as;			/* ours, that the peer agreed to */
};

struct bgp_down {
	/* the connection broke, or a NOTIFICATION leaves that open (RFC 8538): RFC 4724 4.2 applies */
	bool lost;
	char why[BGP_WHY_MAX];
};

/* What the main thread hears of a session; @owner is the argument of bgp_session_new(). */
struct bgp_session_ops {
	void (*up)(void *owner, const struct bgp_up *up);
	void (*down)(void *owner, const struct bgp_down *down);
	void (*update)(void *owner, const struct bgp_update *u);
	/* ROUTE-REFRESH, in its place among the updates; BEGIN and END only where RFC 7313 is agreed on */
	void (*refresh)(void *owner, enum bgp_family f, enum bgp_refresh what);
	/* what was queued for sending went below the low mark, after it was above the high one */
	void (*drained)(void *owner);
};

enum bgp_counter {
	BGP_COUNT_OPEN, BGP_COUNT_UPDATE, BGP_COUNT_NOTIFICATION, BGP_COUNT_KEEPALIVE,
	BGP_COUNT_REFRESH, BGP_COUNTERS,
};

/* For show. */
struct bgp_session_info {
	enum bgp_state state;
	/* uv_hrtime() / 1e6 of the last change to or from Established; 0: never was */
	uint64_t since_ms;
	uint32_t established;		/* how often */
	uint32_t connect_retries;	/* ConnectRetryCounter */
	uint64_t in[BGP_COUNTERS], out[BGP_COUNTERS];
	uint64_t malformed[BGP_RESET + 1];	/* fields, by outcome */
	size_t queued_in, queued_out;	/* octets */
	char last_error[BGP_WHY_MAX];
	struct bgp_up up;		/* valid while Established */
	uint16_t local_port, remote_port;
};

struct bgp_workers *bgp_workers_new(uv_loop_t *loop, unsigned int n,
				    const struct bgp_session_ops *ops);
/* Every session must be freed before; waits for the threads. Run the loop once more after. */
void bgp_workers_free(struct bgp_workers *ws);

/* Stopped at first. NULL without memory. */
struct bgp_session *bgp_session_new(struct bgp_workers *ws, const struct bgp_session_conf *conf,
				    void *owner);
/* No event comes any more. Ends a running session with Cease/@subcode. */
void bgp_session_free(struct bgp_session *s, uint8_t subcode);
void bgp_session_start(struct bgp_session *s);
/* ManualStop with Cease/@subcode, or with all that a Cease can say. Down is told if it was up. */
void bgp_session_stop(struct bgp_session *s, uint8_t subcode);
void bgp_session_stop_with(struct bgp_session *s, const struct bgp_cease *c);
/* Ends it likewise and lets it start again by itself. */
void bgp_session_reset(struct bgp_session *s, uint8_t subcode);
void bgp_session_reset_with(struct bgp_session *s, const struct bgp_cease *c);
/* Dies without a word: the peer sees the connection break (RFC 4724: our process goes away). */
void bgp_session_abandon(struct bgp_session *s);
/* Asks the peer to tell all routes of a family again; nothing happens unless it is Established. */
void bgp_session_refresh(struct bgp_session *s, enum bgp_family f);
/* What the next OPEN offers. */
void bgp_session_set_caps(struct bgp_session *s, const struct bgp_caps *caps);
/* A connection that the peer opened; the fd is the session's from here on. */
void bgp_session_accept(struct bgp_session *s, int fd);
void bgp_session_info(struct bgp_session *s, struct bgp_session_info *info);

/* ---- sending: whole messages, encoded once, shared by sessions ---- */

struct bgp_out {
	atomic_uint refs;
	uint8_t counter;	/* enum bgp_counter: what they are */
	uint32_t messages;
	uint32_t len;
	uint8_t data[];
};

/* Copies; NULL without memory. The caller holds the reference. They are UPDATEs: else set counter. */
struct bgp_out *bgp_out_new(const void *data, size_t len, uint32_t messages);
struct bgp_out *bgp_out_get(struct bgp_out *o);
void bgp_out_put(struct bgp_out *o);

/*
 * Queues messages; takes no reference from the caller. Between the session's going down and the
 * main thread's hearing of it they are dropped. False: the queue is above its high mark now;
 * stop until drained().
 */
bool bgp_session_send(struct bgp_session *s, struct bgp_out *o);
bool bgp_session_congested(struct bgp_session *s);

#endif
