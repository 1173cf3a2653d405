/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One TCP connection of a session and its run of the state machine; private to conn.c (events,
 * actions, collisions) and io.c (bytes in and out). All in the session's worker thread.
 */
#ifndef L3VPN_BGP_CONN_H
#define L3VPN_BGP_CONN_H

#include "bgp/worker.h"

/* A message on its way out. */
struct bgp_tx {
	struct bgp_tx *next;
	struct bgp_out *out;
	bool counted;			/* in bgp_session.queued_out */
};

struct bgp_conn {
	struct bgp_session *s;
	enum bgp_state state;
	int fd;				/* -1: none */
	bool connecting;		/* our own attempt is not through yet */
	bool incoming;			/* the peer opened it */
	uv_poll_t *poll;		/* NULL while there is no fd */
	int polled;			/* events asked for */
	bool in_rx;			/* io.c reads from it: dying waits */
	bool dead;
	/* deadlines in ms of bgp_now_ms(), 0: not running */
	uint64_t retry_at, hold_at, keepalive_at, send_hold_at;
	uint64_t delay_at;		/* the DelayOpenTimer: connected in Connect or Active */
	uint32_t as;			/* ours, of the OPEN that was sent */
	struct bgp_open peer;		/* valid from OpenConfirm on */
	struct bgp_agreed agreed;
	struct bgp_notification err;	/* what the next NOTIFY action sends */
	char why[BGP_WHY_MAX];		/* why it ends, for log and show */
	bool lost;			/* ends without NOTIFICATION */
	bool hard;			/* ends for good (RFC 8538) */
	bool collided;			/* ends because the peer has, or wants, another one */
	struct bgp_tx *tx, **tx_last;
	size_t tx_offset;		/* of the first, sent already */
	uint8_t *rx;			/* a message that is not all here yet */
	size_t rx_len, rx_room;
};

/* io.c */
/* Takes over a connected, or connecting, socket. False: it cannot be polled; closed. */
bool bgp_conn_open(struct bgp_conn *c, int fd, bool connecting);
/* Closes the socket; what is queued goes out if it fits the socket's buffer. */
void bgp_conn_close(struct bgp_conn *c);
/* Asks the poll for what is wanted now. */
void bgp_conn_poll(struct bgp_conn *c);
void bgp_conn_queue(struct bgp_conn *c, struct bgp_out *out, bool counted);
/* Writes what waits, unless the socket is known to be full. */
void bgp_conn_push(struct bgp_conn *c);
/* Encodes and queues one of the small messages. */
void bgp_conn_say(struct bgp_conn *c, void (*encode)(struct buf *b, const void *arg),
		  const void *arg, enum bgp_counter counter);
/* Forgets what waits, but the rest of a message that is on the wire in part. */
void bgp_conn_cut(struct bgp_conn *c);

/* conn.c, for io.c */
/* It is connected. */
void bgp_conn_connected(struct bgp_conn *c, enum bgp_event ev);
void bgp_conn_event(struct bgp_conn *c, enum bgp_event ev);
void bgp_conn_message(struct bgp_conn *c, enum bgp_msg_type type, struct cursor body);
/* The error that the event about to come sends, and why. */
void bgp_conn_error(struct bgp_conn *c, uint8_t code, uint8_t subcode, const void *data,
		    size_t len);
void bgp_conn_why(struct bgp_conn *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Hands parsed updates to the main thread. */
void bgp_session_flush(struct bgp_session *s);
/* Frees connections that died, arms the timer: after every entry into the session. */
void bgp_session_settle(struct bgp_session *s);

#endif
