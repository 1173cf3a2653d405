/* SPDX-License-Identifier: GPL-2.0 */
/* Sockets of BFD: RFC 5881 sections 4 and 5, RFC 5883. Any thread. */
#ifndef L3VPN_BFD_SOCKET_H
#define L3VPN_BFD_SOCKET_H

#include <stdint.h>

#include "lib/prefix.h"

#define BFD_RX_MAX 512			/* a control packet has at most 255 octets */

/* What came in; ttl -1: not told. */
struct bfd_datagram {
	struct ip_addr from, to;
	int ifindex;			/* scope of a link-local sender, or by which it came */
	int ttl;
	uint8_t data[BFD_RX_MAX];
	size_t len;
};

/* All return a descriptor or -errno. @device: VRF's device or interface, "" for none. */
int bfd_socket_rx(uint8_t family, bool multihop, const char *device);
/* bound to @local (family 0: any) and to *port, or (0) to one of 49152..65535 that is free: told in *port */
int bfd_socket_tx(const struct ip_addr *local, uint8_t family, const char *device, uint16_t *port);

/* 0, or -errno; @ifindex: of a link-local peer */
int bfd_socket_send(int fd, const struct ip_addr *to, int ifindex, bool multihop, const void *data, size_t len);
/* false: nothing (more) there */
bool bfd_socket_receive(int fd, struct bfd_datagram *d);

#endif
