/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Worker threads of BGP and the two queues between them and the main thread; private to
 * session.c, conn.c and worker.c.
 *
 * Ownership: what is marked "worker" is touched by the session's thread alone; "main" by the
 * main thread alone; "lock" under bgp_session.lock; the rest never changes, or is atomic.
 */
#ifndef L3VPN_BGP_WORKER_H
#define L3VPN_BGP_WORKER_H

#include <pthread.h>

#include "bgp/session.h"

#define BGP_RX_BUFFER	(2u << 16)	/* the rest of an extended message, and as much again */
#define BGP_RX_HIGH	(4u << 20)	/* octets of parsed updates a session that stop its reading */
#define BGP_RX_LOW	(1u << 20)
#define BGP_TX_HIGH	(4u << 20)
#define BGP_TX_LOW	(1u << 20)

enum bgp_order_type {
	BGP_ORDER_START, BGP_ORDER_STOP, BGP_ORDER_RESET, BGP_ORDER_ABANDON, BGP_ORDER_CAPS,
	BGP_ORDER_ACCEPT, BGP_ORDER_SEND, BGP_ORDER_RESUME, BGP_ORDER_REFRESH,
	BGP_ORDER_FREE, BGP_ORDER_EXIT,
};

/* From the main thread to a worker. */
struct bgp_order {
	struct bgp_order *next;
	enum bgp_order_type type;
	struct bgp_session *session;
	union {
		struct bgp_cease *cease;	/* STOP, RESET, FREE: the order's */
		enum bgp_family family;
		int fd;
		struct bgp_caps caps;
		struct {
			struct bgp_out *out;
			uint32_t epoch;
		} send;
	};
};

enum bgp_report_type {
	BGP_REPORT_UP, BGP_REPORT_DOWN, BGP_REPORT_UPDATES, BGP_REPORT_REFRESH, BGP_REPORT_DRAINED,
	BGP_REPORT_FREED,
};

/* From a worker to the main thread. */
struct bgp_report {
	struct bgp_report *next;
	enum bgp_report_type type;
	struct bgp_session *session;
	union {
		struct {
			struct bgp_up up;
			uint32_t epoch;
		};
		struct bgp_down down;
		struct bgp_batch batch;
		struct {
			enum bgp_family family;
			enum bgp_refresh what;
		} refresh;
	};
};

struct bgp_worker {
	struct bgp_workers *ws;
	pthread_t thread;
	uv_loop_t loop;			/* worker */
	uv_async_t wake;
	pthread_mutex_t lock;		/* of the orders */
	struct bgp_order *first, **last;
	struct bgp_blocks spare;
	struct bgp_session *sending;	/* worker: those that the orders at hand give something to send */
	uint64_t now_ms;		/* worker: when octets came last; a message costs no look at the clock */
	uint8_t rx[BGP_RX_BUFFER];	/* worker */
};

struct bgp_workers {
	uv_loop_t *loop;		/* main */
	const struct bgp_session_ops *ops;
	uv_async_t *wake;		/* main; told by workers */
	pthread_mutex_t lock;		/* of the reports */
	struct bgp_report *first, **last;
	unsigned int n, next;		/* next: main, round robin of sessions */
	unsigned int sessions;		/* main: not yet freed */
	struct bgp_worker *worker;
};

struct bgp_conn;

struct bgp_session {
	struct bgp_worker *w;
	struct bgp_session_conf conf;	/* caps: worker; the rest never changes */
	void *owner;			/* main; NULL once freed */
	uint32_t epoch_main;		/* main: of the last UP that was told */
	/* worker */
	uv_timer_t timer;
	struct bgp_conn *conn[2];	/* [0]: the primary; [1]: a second one of the peer */
	bool enabled;			/* started, not stopped */
	bool paused;			/* main does not keep up: not reading */
	bool freeing;
	uint64_t idle_hold_at;		/* ms, 0: not running */
	uint32_t idle_hold;		/* ms, the next one */
	uint64_t up_at;			/* ms */
	uint32_t epoch;			/* number of times established */
	bool sending;			/* among bgp_worker.sending, by sending_next */
	struct bgp_session *sending_next;
	struct bgp_batch batch;		/* parsed, not yet handed over */
	bool second;			/* conf.second_as is ours for the next OPEN */
	struct bgp_decode decode;	/* how to read UPDATEs; a family that is disabled (RFC 7606) is off */
	/* complaints in the log: of those since then, told and not told */
	uint64_t complaints_at, dump_at;	/* ms */
	unsigned int complaints, hidden;
	/* atomic */
	atomic_size_t queued_in, queued_out;
	atomic_bool want_drained;
	atomic_uint_fast64_t in[BGP_COUNTERS], out[BGP_COUNTERS], malformed[BGP_RESET + 1];
	atomic_int state;
	atomic_uint connect_retries;
	pthread_mutex_t lock;
	/* lock */
	struct bgp_up up;
	uint64_t since_ms;
	uint32_t established;
	char last_error[BGP_WHY_MAX];
	uint16_t local_port, remote_port;
};

/* worker.c, for workers */
void bgp_report_post(struct bgp_session *s, struct bgp_report *r);
struct bgp_report *bgp_report_new(struct bgp_session *s, enum bgp_report_type type);
uint64_t bgp_now_ms(void);

/* conn.c, for worker.c: in the session's thread */
void bgp_session_init(struct bgp_session *s);
void bgp_session_order(struct bgp_session *s, struct bgp_order *o);
/* After orders: what they gave to send goes out at once, as far as the sockets take it. */
void bgp_worker_send(struct bgp_worker *w);

#endif
