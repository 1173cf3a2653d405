/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A load of VPN routes for BGP speakers: sessions that announce and sessions that verify, many in one process.
 *
 * Every route is a function of its number, so that a receiver knows what each has to look like and nothing has to be
 * exchanged: bgp_load_routes.c. One thread, one poll(); what is announced is encoded before the clock starts.
 * RFC 4271, 4364, 4456 (what a reflector adds), 4684, 4760, 5492, 6793, 8277.
 */
#ifndef L3VPN_BENCH_BGP_LOAD_H
#define L3VPN_BENCH_BGP_LOAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_AS		65000		/* of all routes' RDs and RTs */
#define MESSAGE_MAX	4096
#define MESSAGE_HEAD	19
#define VARIANTS	200		/* of a route's attributes: MED 0 (none) to 199 */
#define SAID_MAX	8		/* announcements of a session that stand */
#define OWNER_NONE	0xffff
#define RD_BLOCKS	50		/* RDs of different prefixes, then the same ones again */

enum { MSG_OPEN = 1, MSG_UPDATE, MSG_NOTIFICATION, MSG_KEEPALIVE, MSG_REFRESH };
enum { SAFI_VPN = 128, SAFI_RTC = 132 };

/* Set once, before the first route. */
struct plan {
	uint32_t routes;
	uint32_t per_set;		/* routes of one attribute set, neighbours in number */
	uint32_t rds;			/* route i has RD 65000:(1 + i / (routes / rds)) */
	uint32_t rd_base;		/* added to the number of every RD, and of the RT that goes with it */
	uint32_t rts;			/* 0: an RT for each RD and one for each set; else set s has RT s % rts alone */
	uint32_t hop_base, hops;	/* host order: set s has hop_base + s % hops; 0: the announcer itself */
	/* of every route: who announced it last, with which variant of the attributes */
	uint16_t *owner;		/* index of a session, or OWNER_NONE */
	uint8_t *variant;
};

struct session;

extern struct plan plan;
extern struct session *sessions;		/* by their index */

/* Whole messages that are sent as they are. */
struct block {
	struct block *next;
	size_t len, size;
	uint32_t messages;
	uint8_t data[];
};

struct session {
	char name[24];
	uint16_t index;
	struct in_addr local, peer;
	uint16_t port;
	uint32_t as;
	uint32_t id;			/* host order */
	uint16_t hold;			/* seconds */
	bool rtc;			/* RT-Constrain is offered */
	bool client;			/* what it gets is reflected: ORIGINATOR_ID and CLUSTER_LIST are there */
	bool listen_only;		/* reads nothing (a peer that stands still) */
	/* the connection */
	int fd;				/* -1: none */
	bool established, connecting;
	double retry_at, keepalive_at, heard_at;
	uint8_t *in;
	size_t in_len;
	struct block *out, **out_last;
	size_t out_at;			/* sent of the first block */
	uint32_t connects, downs;
	char closed[96];		/* why the last connection ended */
	/* what it announces: said again when the peer asks for it (RFC 2918), or when the session comes up again */
	struct said { uint32_t first, n; uint8_t variant; } said[SAID_MAX];
	unsigned int n_said;
	uint32_t rtc_first, rtc_n;
	bool rtc_said;
	/* what it sent, since "mark" */
	double sent_first, sent_last;
	uint64_t updates_out, octets_out;
	/* what it received, since "mark" but for seen and count */
	uint8_t *seen;			/* of every route: 0 absent, else 1 + variant */
	uint32_t count[VARIANTS + 1];	/* routes by what seen says of them */
	double first, last;		/* routes announced or withdrawn */
	uint64_t updates, octets, announced, withdrawn, again, stray, eor, rtc_in, refresh;
	double eor_at;
	double gap;			/* the longest time between two messages of the peer */
	uint64_t wrong;
	char failure[160];		/* the first thing that was wrong */
};

/* ---- bgp_load_routes.c ---- */
/* Announcements of routes [first, first + n) as session s has them. plan.owner and plan.variant say so from now on. */
struct block *routes_announce(const struct session *s, uint32_t first, uint32_t n, uint8_t variant);
struct block *routes_withdraw(const struct session *s, uint32_t first, uint32_t n);
/* Memberships in RTs 65000:(first + 1) to 65000:(first + n), or their end, and End-of-RIB of RT-Constrain. */
struct block *rtc_announce(const struct session *s, uint32_t first, uint32_t n, bool withdraw);
struct block *end_of_rib(void);
/* An UPDATE's body, without the header. What is wrong in it is counted and said in s. */
void routes_receive(struct session *s, const uint8_t *body, size_t len, double now);

struct block *block_new(size_t size);

/* ---- bgp_load_session.c ---- */
double now_s(void);			/* CLOCK_MONOTONIC */
void session_setup(struct session *s);
void session_send(struct session *s, struct block *b);		/* takes b */
/* what poll() has to wait for */
short session_events(const struct session *s);
void session_io(struct session *s, short revents);
/* keepalives, hold time, new connections: every 100 ms or more often */
void session_tick(struct session *s);
/* ends the connection: with a Cease, or as a process that dies does */
void session_end(struct session *s, bool cease);
/* announces again all that stands; memberships too when @memberships */
void session_say_again(struct session *s, bool memberships);
void session_mark(struct session *s);

#endif
