// SPDX-License-Identifier: GPL-2.0
/*
 * TCP sockets for protocols; contracts in tcp.h.
 */
#include "lib/tcp.h"

#include <errno.h>
#include <linux/in6.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* The two headers of the C library that have these clash with <linux/tcp.h>. */
#ifndef SOL_TCP
#define SOL_TCP 6
#endif
#ifndef SOL_IP
#define SOL_IP 0
#endif
#ifndef SOL_IPV6
#define SOL_IPV6 41
#endif
#define OPT_IP_TTL 2
#define OPT_IP_TOS 1
#define OPT_IP_MINTTL 21
#define OPT_IPV6_UNICAST_HOPS 16
#define OPT_IPV6_V6ONLY 26
#define OPT_IPV6_TCLASS 67
#define OPT_IPV6_MINHOPCOUNT 73
#define DSCP_CS6 0xc0
#define LISTEN_BACKLOG 4096	/* clients of a reflector may come all at once; a lost SYN comes again after seconds */
#define NETSTAT_LINE 8192

static socklen_t to_sockaddr(const struct ip_addr *a, uint16_t port, const char *ifname,
			     struct sockaddr_storage *ss)
{
	memset(ss, 0, sizeof(*ss));
	if (a->family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)ss;

		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		memcpy(&in->sin_addr, a->b, 4);
		return sizeof(*in);
	}
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	memcpy(&in6->sin6_addr, a->b, 16);
	if (ifname && ifname[0] && addr_is_link_local(a))
		in6->sin6_scope_id = if_nametoindex(ifname);
	return sizeof(*in6);
}

static bool from_sockaddr(const struct sockaddr_storage *ss, struct tcp_endpoint *e, uint16_t *port)
{
	memset(e, 0, sizeof(*e));
	if (ss->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)ss;

		e->addr = addr_make(AF_INET, &in->sin_addr);
		*port = ntohs(in->sin_port);
		return true;
	}
	if (ss->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;

		e->addr = addr_make(AF_INET6, &in6->sin6_addr);
		*port = ntohs(in6->sin6_port);
		if (in6->sin6_scope_id && addr_is_link_local(&e->addr) &&
		    !if_indextoname(in6->sin6_scope_id, e->ifname))
			e->ifname[0] = '\0';
		return true;
	}
	return false;
}

static int set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int bind_device(int fd, const char *device)
{
	if (!device[0])
		return 0;
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device)) < 0)
		return -errno;
	return 0;
}

int tcp_md5(int fd, const struct ip_addr *peer, const char *password)
{
	struct sockaddr_storage ss;
	struct tcp_md5sig md5 = { 0 };
	size_t len = strlen(password);

	if (len > sizeof(md5.tcpm_key))
		return -EINVAL;
	to_sockaddr(peer, 0, NULL, &ss);
	memcpy(&md5.tcpm_addr, &ss, sizeof(ss));
	md5.tcpm_keylen = (uint16_t)len;
	memcpy(md5.tcpm_key, password, len);
	if (setsockopt(fd, SOL_TCP, TCP_MD5SIG, &md5, sizeof(md5)) < 0)
		return len == 0 && errno == ENOENT ? 0 : -errno;
	return 0;
}

#define BLANKS "\n "

/* Names in one line, values in the next: "TcpExt: A B", "TcpExt: 1 2". */
static uint64_t counter(char *names, char *values, const char *wanted)
{
	char *n_at, *v_at, *name = strtok_r(names, BLANKS, &n_at), *value = strtok_r(values, BLANKS, &v_at);

	while (name && value) {
		if (!strcmp(name, wanted))
			return strtoull(value, NULL, 10);
		name = strtok_r(NULL, BLANKS, &n_at);
		value = strtok_r(NULL, BLANKS, &v_at);
	}
	return 0;
}

static uint64_t counter_of(const char *names, const char *values, const char *wanted)
{
	char n[NETSTAT_LINE], v[NETSTAT_LINE];

	snprintf(n, sizeof(n), "%s", names);
	snprintf(v, sizeof(v), "%s", values);
	return counter(n, v, wanted);
}

bool tcp_md5_drops(struct tcp_md5_drops *d)
{
	FILE *f = fopen("/proc/thread-self/net/netstat", "re");
	char names[NETSTAT_LINE], values[NETSTAT_LINE];
	bool told = false;

	if (!f)
		return false;
	while (!told && fgets(names, sizeof(names), f) && fgets(values, sizeof(values), f))
		told = !strncmp(names, "TcpExt:", 7);
	fclose(f);
	if (!told)
		return false;
	d->wrong = counter_of(names, values, "TCPMD5Failure");
	d->missing = counter_of(names, values, "TCPMD5NotFound");
	d->unexpected = counter_of(names, values, "TCPMD5Unexpected");
	return true;
}

int tcp_adopt(int fd, uint8_t family, const struct tcp_options *o)
{
	bool v4 = family == AF_INET;
	int err;

	err = set_int(fd, SOL_TCP, TCP_NODELAY, 1);
	if (!err)
		err = v4 ? set_int(fd, SOL_IP, OPT_IP_TOS, DSCP_CS6) :
			   set_int(fd, SOL_IPV6, OPT_IPV6_TCLASS, DSCP_CS6);
	if (!err && o->ttl)
		err = v4 ? set_int(fd, SOL_IP, OPT_IP_TTL, o->ttl) :
			   set_int(fd, SOL_IPV6, OPT_IPV6_UNICAST_HOPS, o->ttl);
	if (!err && o->min_ttl)
		err = v4 ? set_int(fd, SOL_IP, OPT_IP_MINTTL, o->min_ttl) :
			   set_int(fd, SOL_IPV6, OPT_IPV6_MINHOPCOUNT, o->min_ttl);
	return err;
}

static int prepare(int fd, const struct tcp_endpoint *peer, const struct ip_addr *source,
		   const struct tcp_options *o)
{
	struct sockaddr_storage ss;
	socklen_t len;
	int err;

	err = bind_device(fd, o->device);
	if (!err)
		err = tcp_adopt(fd, peer->addr.family, o);
	if (!err && o->password[0])
		err = tcp_md5(fd, &peer->addr, o->password);
	if (err || !source || !addr_is_set(source))
		return err;
	if (source->family != peer->addr.family)
		return -EAFNOSUPPORT;
	len = to_sockaddr(source, 0, peer->ifname, &ss);
	return bind(fd, (struct sockaddr *)&ss, len) < 0 ? -errno : 0;
}

int tcp_connect(const struct tcp_endpoint *peer, uint16_t port, const struct ip_addr *source,
		const struct tcp_options *o)
{
	int fd = socket(peer->addr.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_storage ss;
	socklen_t len;
	int err;

	if (fd < 0)
		return -errno;
	err = prepare(fd, peer, source, o);
	if (!err) {
		len = to_sockaddr(&peer->addr, port, peer->ifname, &ss);
		if (connect(fd, (struct sockaddr *)&ss, len) < 0 && errno != EINPROGRESS)
			err = -errno;
	}
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

int tcp_error(int fd)
{
	socklen_t len = sizeof(int);
	int err = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
		return errno;
	return err;
}

int tcp_listen(uint8_t family, uint16_t port, const char *device)
{
	struct ip_addr any = { .family = family };
	struct sockaddr_storage ss;
	socklen_t len;
	int fd, err;

	fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	err = set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (!err && family == AF_INET6)
		err = set_int(fd, SOL_IPV6, OPT_IPV6_V6ONLY, 1);
	/* SYN-ACKs must pass a peer's GTSM before the connection is ours to tune. */
	if (!err)
		err = family == AF_INET ? set_int(fd, SOL_IP, OPT_IP_TTL, 255) :
					  set_int(fd, SOL_IPV6, OPT_IPV6_UNICAST_HOPS, 255);
	if (!err)
		err = bind_device(fd, device);
	len = to_sockaddr(&any, port, NULL, &ss);
	if (!err && bind(fd, (struct sockaddr *)&ss, len) < 0)
		err = -errno;
	if (!err && listen(fd, LISTEN_BACKLOG) < 0)
		err = -errno;
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

int tcp_accept(int listen_fd, struct tcp_endpoint *peer)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	uint16_t port;
	int fd;

	fd = accept4(listen_fd, (struct sockaddr *)&ss, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!from_sockaddr(&ss, peer, &port)) {
		close(fd);
		return -EAFNOSUPPORT;
	}
	return fd;
}

bool tcp_exhausted(int err)
{
	return err == EMFILE || err == ENFILE || err == ENOBUFS || err == ENOMEM;
}

bool tcp_local(int fd, struct tcp_endpoint *local, uint16_t *port)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	return getsockname(fd, (struct sockaddr *)&ss, &len) == 0 && from_sockaddr(&ss, local, port);
}

bool tcp_remote(int fd, struct tcp_endpoint *remote, uint16_t *port)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	return getpeername(fd, (struct sockaddr *)&ss, &len) == 0 && from_sockaddr(&ss, remote, port);
}

int tcp_waiting(int fd)
{
	int n = 0;

	return ioctl(fd, FIONREAD, &n) < 0 ? 0 : n;
}
