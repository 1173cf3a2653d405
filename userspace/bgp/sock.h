/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TCP sockets as BGP wants them: bound to a VRF's device, with TCP MD5 signatures (RFC 2385),
 * GTSM (RFC 5082), the right TTL, all without blocking. Stateless; any thread.
 */
#ifndef L3VPN_BGP_SOCK_H
#define L3VPN_BGP_SOCK_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/prefix.h"

#define BGP_PASSWORD_MAX 80

/* One end of a session: an address, and the scope of a link-local one. */
struct bgp_endpoint {
	struct ip_addr addr;
	char ifname[IFNAMSIZ];	/* scope of a link-local address, else empty */
};

struct bgp_sock_options {
	char device[IFNAMSIZ];	/* the VRF's device; empty: the default VRF */
	char password[BGP_PASSWORD_MAX + 1];	/* empty: none */
	uint8_t ttl;		/* of what we send; 0: the system's */
	uint8_t min_ttl;	/* least of what we accept; 0: any */
};

/*
 * Begins to connect; the fd, or -errno. It is connected, or failed, when it polls writable:
 * then ask bgp_sock_error(). @source.addr.family 0: any source.
 */
int bgp_sock_connect(const struct bgp_endpoint *peer, uint16_t port, const struct ip_addr *source,
		     const struct bgp_sock_options *o);
/* 0, or the errno with which connecting failed. */
int bgp_sock_error(int fd);

/* Listens on every address of @family in the VRF; the fd, or -errno. */
int bgp_sock_listen(uint8_t family, uint16_t port, const char *device);
/*
 * The next connection: its fd with *peer its address, or -errno (-EAGAIN: none now).
 */
int bgp_sock_accept(int listen_fd, struct bgp_endpoint *peer);
/* TTL and minimum TTL onto a connection that was accepted; 0 or -errno. */
int bgp_sock_adopt(int fd, uint8_t family, const struct bgp_sock_options *o);

/* The key for one peer on a socket; empty removes it. 0 or -errno. */
int bgp_sock_md5(int fd, const struct ip_addr *peer, const char *password);

/* Our address and the peer's address of a connection; false: not connected. */
bool bgp_sock_local(int fd, struct bgp_endpoint *local, uint16_t *port);
bool bgp_sock_remote(int fd, struct bgp_endpoint *remote, uint16_t *port);
/* Bytes that wait to be read. */
int bgp_sock_waiting(int fd);

#endif
