/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the engine needs of a network, and what it is told by one. net_uv.c does it with sockets; tests in memory.
 * A connection is one opaque pointer, the network's; the engine hangs its own (struct ldp_session) on it.
 */
#ifndef L3VPN_LDP_NET_H
#define L3VPN_LDP_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/prefix.h"

struct ldp;
struct ldp_conn;
struct ldp_session;

struct ldp_net_tcp {
	struct ip_addr local, remote;
	const char *password;		/* "": none */
	uint8_t min_ttl;		/* 0: any */
};

struct ldp_net {
	/* Hellos of this family come in on this link (joined), or no longer. */
	void (*listen)(void *arg, uint8_t family, int ifindex, bool on);
	/* a Hello to all routers on a link */
	void (*hello_link)(void *arg, uint8_t family, int ifindex, const void *data, size_t len);
	void (*hello_targeted)(void *arg, const struct ip_addr *from, const struct ip_addr *to,
			       const void *data, size_t len);
	/* opens what a family needs: UDP and listening TCP sockets; or closes it */
	void (*family)(void *arg, uint8_t family, bool on);
	/* a peer's key on the listening socket; "" removes it */
	void (*key)(void *arg, const struct ip_addr *peer, const char *password);
	/* NULL: it failed at once; else ldp_net_connected() or ldp_net_closed() follows, never before it returned */
	struct ldp_conn *(*connect)(void *arg, const struct ldp_net_tcp *tcp, struct ldp_session *s);
	void (*owner)(struct ldp_conn *c, struct ldp_session *s);	/* of an accepted one */
	/* least TTL of an accepted one; false: cannot be done */
	bool (*min_ttl)(struct ldp_conn *c, uint8_t ttl);
	/* takes all of it; how much waits is told by queued() */
	void (*send)(struct ldp_conn *c, const void *data, size_t len);
	size_t (*queued)(const struct ldp_conn *c);
	/* What is queued still goes out if the peer takes it soon. No call about it follows. */
	void (*close)(struct ldp_conn *c);
};

/* ---- what the network tells ---- */

struct ldp_net_hello {
	uint8_t family;
	int ifindex;
	bool multicast;
	uint8_t ttl;			/* hop limit it came with */
	struct ip_addr from, to;
};
void ldp_net_hello(struct ldp *l, const struct ldp_net_hello *from, const void *data, size_t len);
void ldp_net_connected(struct ldp_session *s);
/* A connection came in. False: not wanted, close it; else owner() was called. */
bool ldp_net_accepted(struct ldp *l, struct ldp_conn *c, const struct ip_addr *local, const struct ip_addr *remote);
/* The session may be gone when it returns, and then the connection has been closed. */
void ldp_net_received(struct ldp_session *s, const void *data, size_t len);
void ldp_net_drained(struct ldp_session *s);		/* queued() is low again */
/* the connection has gone: close() must not be called; @why e.g. "Connection refused" */
void ldp_net_closed(struct ldp_session *s, const char *why);

#endif
