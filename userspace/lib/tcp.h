/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TCP sockets as routing protocols want them: bound to a VRF's device, with TCP MD5 signatures (RFC 2385),
 * GTSM (RFC 5082), the right TTL, all without blocking. Stateless; any thread.
 */
#ifndef L3VPN_LIB_TCP_H
#define L3VPN_LIB_TCP_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/prefix.h"

#define TCP_PASSWORD_MAX 80

/* One end of a session: an address, and the scope of a link-local one. */
struct tcp_endpoint {
	struct ip_addr addr;
	char ifname[IFNAMSIZ];	/* scope of a link-local address, else empty */
};

struct tcp_options {
	char device[IFNAMSIZ];	/* the VRF's device; empty: the default VRF */
	char password[TCP_PASSWORD_MAX + 1];	/* empty: none */
	uint8_t ttl;		/* of what we send; 0: the system's */
	uint8_t min_ttl;	/* least of what we accept; 0: any */
};

/*
 * Begins to connect; the fd, or -errno. It is connected, or failed, when it polls writable:
 * then ask tcp_error(). @source.addr.family 0: any source.
 */
int tcp_connect(const struct tcp_endpoint *peer, uint16_t port, const struct ip_addr *source,
		const struct tcp_options *o);
/* 0, or the errno with which connecting failed. */
int tcp_error(int fd);

/* Listens on every address of @family in the VRF; the fd, or -errno. */
int tcp_listen(uint8_t family, uint16_t port, const char *device);
/*
 * The next connection: its fd with *peer its address, or -errno (-EAGAIN: none now).
 */
int tcp_accept(int listen_fd, struct tcp_endpoint *peer);
/* What tcp_accept() failed with, positive: nothing is left for one more connection, and it would fail again at once. */
bool tcp_exhausted(int err);
/* TTL and minimum TTL onto a connection that was accepted; 0 or -errno. */
int tcp_adopt(int fd, uint8_t family, const struct tcp_options *o);

/* The key for one peer on a socket; empty removes it. 0 or -errno. */
int tcp_md5(int fd, const struct ip_addr *peer, const char *password);

/* Segments that this network namespace has dropped since it began, for their MD5 signatures. */
struct tcp_md5_drops {
	uint64_t wrong;
	uint64_t missing;	/* not signed, where there is a key */
	uint64_t unexpected;	/* signed, where there is none */
};

/* false: the system does not tell. It reads a file, some 100 us. */
bool tcp_md5_drops(struct tcp_md5_drops *d);

/* Our address and the peer's address of a connection; false: not connected. */
bool tcp_local(int fd, struct tcp_endpoint *local, uint16_t *port);
bool tcp_remote(int fd, struct tcp_endpoint *remote, uint16_t *port);
/* Bytes that wait to be read. */
int tcp_waiting(int fd);

#endif
