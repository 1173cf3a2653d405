// SPDX-License-Identifier: GPL-2.0
/* Sockets of BFD (socket.h). */
#include "bfd/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bfd/packet.h"

#define TTL_MAX 255
#define DSCP_CS6 0xc0
#define PORT_FIRST 49152
#define PORT_TRIES 64

static socklen_t to_sockaddr(const struct ip_addr *a, uint8_t family, uint16_t port, int scope,
			     struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *s6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *s4 = (struct sockaddr_in *)ss;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = family;
	if (family == AF_INET) {
		s4->sin_port = htons(port);
		memcpy(&s4->sin_addr, a->b, 4);
		return sizeof(*s4);
	}
	s6->sin6_port = htons(port);
	s6->sin6_scope_id = scope;
	memcpy(&s6->sin6_addr, a->b, 16);
	return sizeof(*s6);
}

static bool set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

static int open_udp(uint8_t family, const char *device)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err;

	if (fd < 0)
		return -errno;
	if ((family == AF_INET6 && !set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)) ||
	    (device[0] && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, strlen(device)) < 0)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

static bool tell_all(int fd, uint8_t family)
{
	if (family == AF_INET)
		return set(fd, IPPROTO_IP, IP_PKTINFO, 1) && set(fd, IPPROTO_IP, IP_RECVTTL, 1);
	return set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) && set(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
}

int bfd_socket_rx(uint8_t family, bool multihop, const char *device)
{
	static const struct ip_addr any;
	struct sockaddr_storage ss;
	socklen_t len = to_sockaddr(&any, family, multihop ? BFD_PORT_MULTI : BFD_PORT_SINGLE, 0, &ss);
	int fd = open_udp(family, device), err;

	if (fd < 0)
		return fd;
	/* the same port is bound for each VRF; the most specific one receives */
	if (!set(fd, SOL_SOCKET, SO_REUSEADDR, 1) || !tell_all(fd, family) || bind(fd, (void *)&ss, len) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

static bool mark_control(int fd, uint8_t family)
{
	set(fd, SOL_SOCKET, SO_RCVBUF, 1);	/* nobody has anything to say to it */
	if (family == AF_INET)
		return set(fd, IPPROTO_IP, IP_TTL, TTL_MAX) && set(fd, IPPROTO_IP, IP_TOS, DSCP_CS6);
	return set(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, TTL_MAX) && set(fd, IPPROTO_IPV6, IPV6_TCLASS, DSCP_CS6);
}

static uint16_t random_port(void)
{
	uint16_t r;

	if (getrandom(&r, sizeof(r), 0) != sizeof(r))
		r = (uint16_t)getpid();
	return PORT_FIRST + r % (65536 - PORT_FIRST);
}

int bfd_socket_tx(const struct ip_addr *local, uint8_t family, const char *device, uint16_t *port)
{
	int fd = open_udp(family, device), i, err;
	struct sockaddr_storage ss;
	uint16_t try;
	socklen_t len;

	if (fd < 0)
		return fd;
	if (!mark_control(fd, family)) {
		err = -errno;
		close(fd);
		return err;
	}
	for (i = 0; i < PORT_TRIES; i++) {
		try = *port && !i ? *port : random_port();
		len = to_sockaddr(local, family, try, 0, &ss);
		if (bind(fd, (void *)&ss, len) == 0) {
			*port = try;
			return fd;
		}
		if (errno != EADDRINUSE)
			break;
	}
	err = -errno;
	close(fd);
	return err;
}

int bfd_socket_send(int fd, const struct ip_addr *to, int ifindex, bool multihop, const void *data, size_t len)
{
	struct sockaddr_storage ss;
	socklen_t alen = to_sockaddr(to, to->family, multihop ? BFD_PORT_MULTI : BFD_PORT_SINGLE, ifindex, &ss);

	return sendto(fd, data, len, 0, (void *)&ss, alen) < 0 ? -errno : 0;
}

static void read_control(struct msghdr *mh, struct bfd_datagram *d)
{
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
		const void *data = CMSG_DATA(c);

		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			const struct in_pktinfo *p4 = data;

			d->to = addr_make(AF_INET, &p4->ipi_addr);
			d->ifindex = p4->ipi_ifindex;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			const struct in6_pktinfo *p6 = data;

			d->to = addr_make(AF_INET6, &p6->ipi6_addr);
			d->ifindex = p6->ipi6_ifindex;
		} else if (c->cmsg_type == (c->cmsg_level == IPPROTO_IP ? IP_TTL : IPV6_HOPLIMIT)) {
			memcpy(&d->ttl, data, sizeof(d->ttl));
		}
	}
}

bool bfd_socket_receive(int fd, struct bfd_datagram *d)
{
	struct sockaddr_storage ss;
	const struct sockaddr_in6 *s6 = (const void *)&ss;
	const struct sockaddr_in *s4 = (const void *)&ss;
	uint8_t control[256];
	struct iovec iov = { .iov_base = d->data, .iov_len = sizeof(d->data) };
	struct msghdr mh = { .msg_name = &ss, .msg_namelen = sizeof(ss), .msg_iov = &iov, .msg_iovlen = 1,
			     .msg_control = control, .msg_controllen = sizeof(control) };
	ssize_t len = recvmsg(fd, &mh, MSG_DONTWAIT);

	if (len < 0)
		return false;
	memset(&d->to, 0, sizeof(d->to));
	d->ifindex = 0;
	d->ttl = -1;
	d->len = len;
	read_control(&mh, d);
	if (ss.ss_family == AF_INET6) {
		d->from = addr_make(AF_INET6, &s6->sin6_addr);
		if (s6->sin6_scope_id)
			d->ifindex = s6->sin6_scope_id;
	} else {
		d->from = addr_make(AF_INET, &s4->sin_addr);
	}
	return true;
}
