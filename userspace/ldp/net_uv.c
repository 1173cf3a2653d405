// SPDX-License-Identifier: GPL-2.0
/*
 * The network of the engine, with sockets on the loop: for each family one UDP socket (Hellos to groups and to single
 * routers), one listening TCP socket, and a connection for each session. Contracts in net.h.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "ldp/net.h"
#include "ldp/net_uv.h"
#include "ldp/wire.h"
#include "lib/buf.h"
#include "lib/jobs.h"
#include "lib/list.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/tcp.h"

#define DSCP_CS6 0xc0
#define TTL_MAX 255
#define READ_MAX 65536
#define BURST 64
#define OPEN_RETRY_MS 5000
#define QUEUED_LOW (64 * 1024)
#define UNACKED_MS 15000	/* a peer that acknowledges nothing so long is gone: GTSM hides its resets */
#define LINGER_MS 15000		/* for our last words, when the session is over */
#define LINGERING_MAX 256

struct family {
	struct ldp_uv *net;
	uint8_t family;
	bool wanted;
	int udp, tcp;			/* -1: not open */
	int err;			/* last refusal, told once */
	uv_poll_t *udp_poll, *tcp_poll;
};

struct joined {
	struct list node;
	uint8_t family;
	int ifindex;
};

struct key {
	struct list node;
	struct ip_addr peer;
	char password[TCP_PASSWORD_MAX + 1];
};

struct ldp_uv {
	uv_loop_t *loop;
	struct jobs *jobs;
	struct ldp *ldp;
	struct family family[AFI_MAX];
	struct list joined, keys, lingering;
	unsigned int n_lingering;
	struct timer retry;
};

struct ldp_conn {
	struct ldp_uv *net;
	struct ldp_session *session;
	uv_poll_t poll;
	int fd;
	uint8_t family;
	bool connecting, high, shut;
	struct buf out;
	size_t out_at;
	struct list node;		/* of those that linger: they have no session */
	struct timer linger;
};

/* ---- UDP ---- */

static int set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int udp_options(int fd, uint8_t family)
{
	static const struct { int level, option, value; } v4[] = {
		{ IPPROTO_IP, IP_PKTINFO, 1 }, { IPPROTO_IP, IP_RECVTTL, 1 },
		{ IPPROTO_IP, IP_MULTICAST_TTL, 1 }, { IPPROTO_IP, IP_MULTICAST_LOOP, 0 },
		{ IPPROTO_IP, IP_MULTICAST_ALL, 0 }, { IPPROTO_IP, IP_TTL, TTL_MAX },
		{ IPPROTO_IP, IP_TOS, DSCP_CS6 },
	}, v6[] = {
		{ IPPROTO_IPV6, IPV6_V6ONLY, 1 }, { IPPROTO_IPV6, IPV6_RECVPKTINFO, 1 },
		{ IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1 }, { IPPROTO_IPV6, IPV6_MULTICAST_HOPS, TTL_MAX },
		{ IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0 }, { IPPROTO_IPV6, IPV6_UNICAST_HOPS, TTL_MAX },
		{ IPPROTO_IPV6, IPV6_TCLASS, DSCP_CS6 },
	};
	int err = set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	size_t i;

	for (i = 0; !err && i < ARRAY_SIZE(v4); i++)
		err = family == AF_INET ? set_int(fd, v4[i].level, v4[i].option, v4[i].value) :
					   set_int(fd, v6[i].level, v6[i].option, v6[i].value);
	return err;
}

static socklen_t to_sockaddr(const struct ip_addr *a, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *in = (struct sockaddr_in *)ss;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = a->family;
	if (a->family == AF_INET) {
		in->sin_port = htons(LDP_PORT);
		memcpy(&in->sin_addr, a->b, 4);
		return sizeof(*in);
	}
	in6->sin6_port = htons(LDP_PORT);
	memcpy(&in6->sin6_addr, a->b, 16);
	return sizeof(*in6);
}

static int udp_open(uint8_t family)
{
	struct ip_addr any = { .family = family };
	struct sockaddr_storage ss;
	socklen_t len = to_sockaddr(&any, &ss);
	int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	err = udp_options(fd, family);
	if (!err && bind(fd, (struct sockaddr *)&ss, len) < 0)
		err = -errno;
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

static void join(const struct family *f, int ifindex, bool on)
{
	static const uint8_t all_routers6[16] = { 0xff, 2, [15] = 2 };
	struct ip_mreqn m4 = { .imr_multiaddr.s_addr = htonl(INADDR_ALLRTRS_GROUP), .imr_ifindex = ifindex };
	struct ipv6_mreq m6 = { .ipv6mr_interface = ifindex };
	int r;

	if (f->udp < 0)
		return;
	memcpy(&m6.ipv6mr_multiaddr, all_routers6, 16);
	if (f->family == AF_INET)
		r = setsockopt(f->udp, IPPROTO_IP, on ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, &m4, sizeof(m4));
	else
		r = setsockopt(f->udp, IPPROTO_IPV6, on ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP, &m6, sizeof(m6));
	/* a link that is gone has left by itself; one that kept its number is in it already */
	if (r < 0 && on && errno != EADDRINUSE)
		log_err("ldp", "Hellos of link %d cannot be listened to: %s", ifindex, strerror(errno));
}

/* where it came from and went to, by the ancillary data */
static void read_control(struct msghdr *mh, struct ldp_net_hello *h)
{
	struct cmsghdr *c;
	int ttl;

	for (c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			const struct in_pktinfo *p = (const void *)CMSG_DATA(c);

			h->ifindex = p->ipi_ifindex;
			h->to = addr_make(AF_INET, &p->ipi_addr);
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			const struct in6_pktinfo *p = (const void *)CMSG_DATA(c);

			h->ifindex = p->ipi6_ifindex;
			h->to = addr_make(AF_INET6, &p->ipi6_addr);
		} else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) ||
			   (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT)) {
			memcpy(&ttl, CMSG_DATA(c), sizeof(ttl));
			h->ttl = ttl;
		}
	}
}

static void on_hello(uv_poll_t *poll, int status, int events)
{
	struct family *f = poll->data;
	uint8_t data[2048], control[256];
	struct sockaddr_storage ss;
	int i, udp = f->udp;

	for (i = 0; i < BURST && f->udp == udp; i++) {
		struct iovec iov = { .iov_base = data, .iov_len = sizeof(data) };
		struct msghdr mh = { .msg_name = &ss, .msg_namelen = sizeof(ss), .msg_iov = &iov, .msg_iovlen = 1,
				     .msg_control = control, .msg_controllen = sizeof(control) };
		struct ldp_net_hello h = { .family = f->family };
		ssize_t len = recvmsg(udp, &mh, MSG_DONTWAIT);

		if (len < 0)
			return;
		if (mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
			continue;
		read_control(&mh, &h);
		h.from = f->family == AF_INET ?
			 addr_make(AF_INET, &((struct sockaddr_in *)&ss)->sin_addr) :
			 addr_make(AF_INET6, &((struct sockaddr_in6 *)&ss)->sin6_addr);
		h.multicast = addr_is_multicast(&h.to);
		ldp_net_hello(f->net->ldp, &h, data, len);
	}
}

static void udp_send(const struct family *f, const struct ip_addr *from, int ifindex, const struct ip_addr *to,
		     const void *data, size_t len)
{
	uint8_t control[CMSG_SPACE(sizeof(struct in6_pktinfo))] = { 0 };
	struct sockaddr_storage ss;
	struct iovec iov = { .iov_base = (void *)data, .iov_len = len };
	struct msghdr mh = { .msg_name = &ss, .msg_namelen = to_sockaddr(to, &ss), .msg_iov = &iov, .msg_iovlen = 1,
			     .msg_control = control };
	struct in6_pktinfo p6 = { .ipi6_ifindex = ifindex };
	struct in_pktinfo p4 = { .ipi_ifindex = ifindex };
	bool v4 = f->family == AF_INET;
	struct cmsghdr *c;

	if (f->udp < 0)
		return;
	if (from) {
		memcpy(&p4.ipi_spec_dst, from->b, 4);
		memcpy(&p6.ipi6_addr, from->b, 16);
	}
	mh.msg_controllen = v4 ? CMSG_SPACE(sizeof(p4)) : CMSG_SPACE(sizeof(p6));
	c = CMSG_FIRSTHDR(&mh);
	c->cmsg_level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
	c->cmsg_type = v4 ? IP_PKTINFO : IPV6_PKTINFO;
	c->cmsg_len = v4 ? CMSG_LEN(sizeof(p4)) : CMSG_LEN(sizeof(p6));
	if (v4)
		memcpy(CMSG_DATA(c), &p4, sizeof(p4));
	else
		memcpy(CMSG_DATA(c), &p6, sizeof(p6));
	/* one that is lost is as good as one that was not sent: the next one follows */
	if (sendmsg(f->udp, &mh, MSG_DONTWAIT) < 0)
		log_debug("ldp", "Hello not sent on link %d: %s", ifindex, strerror(errno));
}

static void net_hello_link(void *arg, uint8_t family, int ifindex, const void *data, size_t len)
{
	static const uint8_t group4[4] = { 224, 0, 0, 2 }, group6[16] = { 0xff, 2, [15] = 2 };
	struct ldp_uv *n = arg;
	struct ip_addr to = addr_make(family, family == AF_INET ? group4 : group6);

	udp_send(&n->family[family_afi(family)], NULL, ifindex, &to, data, len);
}

static void net_hello_targeted(void *arg, const struct ip_addr *from, const struct ip_addr *to, const void *data,
			       size_t len)
{
	struct ldp_uv *n = arg;

	udp_send(&n->family[family_afi(to->family)], from, 0, to, data, len);
}

static void net_listen(void *arg, uint8_t family, int ifindex, bool on)
{
	struct ldp_uv *n = arg;
	struct joined *j, *tmp;

	if (on) {
		j = xcalloc(1, sizeof(*j));
		j->family = family;
		j->ifindex = ifindex;
		list_add_tail(&n->joined, &j->node);
	} else {
		list_for_each_safe(j, tmp, &n->joined, struct joined, node) {
			if (j->family != family || j->ifindex != ifindex)
				continue;
			list_del(&j->node);
			free(j);
		}
	}
	join(&n->family[family_afi(family)], ifindex, on);
}

/* ---- TCP ---- */

static void conn_freed(uv_handle_t *h)
{
	struct ldp_conn *c = h->data;

	buf_free(&c->out);
	free(c);
}

static void conn_end(struct ldp_conn *c)
{
	timer_stop(&c->linger);
	if (list_linked(&c->node)) {
		list_del(&c->node);
		c->net->n_lingering--;
	}
	uv_poll_stop(&c->poll);
	uv_close((uv_handle_t *)&c->poll, conn_freed);
	close(c->fd);
	c->fd = -1;
	c->session = NULL;
}

static void conn_failed(struct ldp_conn *c, const char *why)
{
	struct ldp_session *s = c->session;

	conn_end(c);
	if (s)
		ldp_net_closed(s, why);
}

static void on_conn(uv_poll_t *poll, int status, int events);

static void conn_watch(struct ldp_conn *c)
{
	bool write = c->connecting || c->out_at < c->out.len;

	uv_poll_start(&c->poll, (c->connecting ? 0 : UV_READABLE) | (write ? UV_WRITABLE : 0), on_conn);
}

/* Errors are found by reading: the engine is in the middle of something. */
static void conn_flush(struct ldp_conn *c)
{
	ssize_t n;

	while (c->out_at < c->out.len) {
		n = send(c->fd, c->out.data + c->out_at, c->out.len - c->out_at, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n <= 0)
			break;
		c->out_at += n;
	}
	if (c->out_at == c->out.len) {
		buf_rewind(&c->out, 0);
		c->out_at = 0;
	}
}

static size_t net_queued(const struct ldp_conn *c)
{
	return c->out.len - c->out_at;
}

static void conn_connected(struct ldp_conn *c)
{
	int err = tcp_error(c->fd);

	if (err) {
		conn_failed(c, strerror(err));
		return;
	}
	c->connecting = false;
	conn_watch(c);
	ldp_net_connected(c->session);
}

static void conn_read(struct ldp_conn *c)
{
	static uint8_t data[READ_MAX];
	ssize_t n = recv(c->fd, data, sizeof(data), MSG_DONTWAIT);

	if (n > 0)
		ldp_net_received(c->session, data, n);
	else if (!n)
		conn_failed(c, "the neighbor closed the connection");
	else if (errno != EAGAIN && errno != EINTR)
		conn_failed(c, strerror(errno));
}

static void on_linger(struct timer *t)
{
	conn_end(container_of(t, struct ldp_conn, linger));
}

/* Goes on until the peer has our last words and closes as well: a way that is back soon still carries them. */
static void conn_linger(struct ldp_conn *c)
{
	uint8_t rest[4096];
	ssize_t n = 1;
	int i;

	conn_flush(c);
	if (c->out_at == c->out.len && !c->shut) {
		shutdown(c->fd, SHUT_WR);
		c->shut = true;
	}
	for (i = 0; i < BURST && n > 0; i++)
		n = recv(c->fd, rest, sizeof(rest), MSG_DONTWAIT);
	if (!n || (n < 0 && errno != EAGAIN && errno != EINTR))
		conn_end(c);
	else
		conn_watch(c);
}

static void on_conn(uv_poll_t *poll, int status, int events)
{
	struct ldp_conn *c = poll->data;

	if (list_linked(&c->node)) {
		conn_linger(c);
		return;
	}
	if (c->connecting) {
		conn_connected(c);
		return;
	}
	if (events & UV_WRITABLE) {
		conn_flush(c);
		conn_watch(c);
		if (c->high && net_queued(c) < QUEUED_LOW) {
			c->high = false;
			ldp_net_drained(c->session);
		}
	}
	if (c->fd >= 0 && (events & UV_READABLE || status < 0))
		conn_read(c);
}

static struct ldp_conn *conn_new(struct ldp_uv *n, int fd, uint8_t family, bool connecting)
{
	struct ldp_conn *c = xcalloc(1, sizeof(*c));

	c->net = n;
	c->fd = fd;
	c->family = family;
	c->connecting = connecting;
	buf_init(&c->out);
	list_init(&c->node);
	timer_init(&c->linger, n->jobs, on_linger);
	set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKED_MS);
	if (uv_poll_init(n->loop, &c->poll, fd)) {
		free(c);
		close(fd);
		return NULL;
	}
	c->poll.data = c;
	conn_watch(c);
	return c;
}

static struct ldp_conn *net_connect(void *arg, const struct ldp_net_tcp *t, struct ldp_session *s)
{
	struct tcp_endpoint peer = { .addr = t->remote };
	struct tcp_options o = { .ttl = TTL_MAX, .min_ttl = t->min_ttl };
	struct ldp_conn *c;
	char text[ADDR_STRLEN];
	int fd;

	snprintf(o.password, sizeof(o.password), "%s", t->password);
	fd = tcp_connect(&peer, LDP_PORT, &t->local, &o);
	if (fd < 0) {
		log_info("ldp", "cannot connect to %s: %s", addr_str(&t->remote, text), strerror(-fd));
		return NULL;
	}
	c = conn_new(arg, fd, t->remote.family, true);
	if (c)
		c->session = s;
	return c;
}

static void net_owner(struct ldp_conn *c, struct ldp_session *s)
{
	c->session = s;
}

static bool net_min_ttl(struct ldp_conn *c, uint8_t ttl)
{
	struct tcp_options o = { .ttl = TTL_MAX, .min_ttl = ttl };

	return !tcp_adopt(c->fd, c->family, &o);
}

static void net_send(struct ldp_conn *c, const void *data, size_t len)
{
	buf_bytes(&c->out, data, len);
	conn_flush(c);
	c->high |= net_queued(c) > QUEUED_LOW;
	conn_watch(c);
}

static void net_close(struct ldp_conn *c)
{
	struct ldp_uv *n = c->net;

	c->session = NULL;
	if (c->connecting || n->n_lingering >= LINGERING_MAX) {
		conn_flush(c);
		conn_end(c);
		return;
	}
	list_add_tail(&n->lingering, &c->node);
	n->n_lingering++;
	timer_start(&c->linger, LINGER_MS);
	conn_linger(c);
}

static void unwatch(uv_poll_t **poll, int *fd);

/*
 * Nothing is left for one more connection: what cannot be taken would make the loop spin. The socket is opened anew
 * when it can be, and neighbours connect again.
 */
static void rest(struct family *f, int err)
{
	if (!tcp_exhausted(err))
		return;
	log_err("ldp", "connections cannot be taken: %s: it is tried again", strerror(err));
	unwatch(&f->tcp_poll, &f->tcp);
	timer_start(&f->net->retry, OPEN_RETRY_MS);
}

static void on_accept(uv_poll_t *poll, int status, int events)
{
	struct family *f = poll->data;
	struct tcp_options o = { .ttl = TTL_MAX };
	struct tcp_endpoint local, remote;
	struct ldp_conn *c;
	uint16_t port;
	int i, fd;

	for (i = 0; i < BURST && f->tcp >= 0; i++) {
		fd = tcp_accept(f->tcp, &remote);
		if (fd < 0) {
			rest(f, -fd);
			return;
		}
		if (tcp_adopt(fd, f->family, &o) || !tcp_local(fd, &local, &port)) {
			close(fd);
			continue;
		}
		c = conn_new(f->net, fd, f->family, false);
		if (c && !ldp_net_accepted(f->net->ldp, c, &local.addr, &remote.addr))
			conn_end(c);
	}
}

static void set_keys(const struct family *f)
{
	struct key *k;

	list_for_each(k, &f->net->keys, struct key, node)
		if (f->tcp >= 0 && k->peer.family == f->family)
			tcp_md5(f->tcp, &k->peer, k->password);
}

static void net_key(void *arg, const struct ip_addr *peer, const char *password)
{
	struct ldp_uv *n = arg;
	struct family *f = &n->family[family_afi(peer->family)];
	char text[ADDR_STRLEN];
	struct key *k, *found = NULL;
	int err;

	list_for_each(k, &n->keys, struct key, node)
		if (addr_eq(&k->peer, peer))
			found = k;
	if (found && !strcmp(found->password, password))
		return;
	if (!password[0]) {
		if (found)
			list_del(&found->node);
		free(found);
	} else if (!found) {
		found = xcalloc(1, sizeof(*found));
		found->peer = *peer;
		list_add_tail(&n->keys, &found->node);
	}
	if (password[0])
		snprintf(found->password, sizeof(found->password), "%s", password);
	if (f->tcp < 0)
		return;
	err = tcp_md5(f->tcp, peer, password);
	if (err && password[0])
		log_err("ldp", "%s: no MD5 key on the listening socket: %s", addr_str(peer, text), strerror(-err));
}

/* ---- families ---- */

static void handle_freed(uv_handle_t *h)
{
	free(h);
}

static uv_poll_t *watch(struct family *f, int fd, uv_poll_cb fn)
{
	uv_poll_t *poll = xcalloc(1, sizeof(*poll));

	if (uv_poll_init(f->net->loop, poll, fd)) {
		free(poll);
		return NULL;
	}
	poll->data = f;
	uv_poll_start(poll, UV_READABLE, fn);
	return poll;
}

static void unwatch(uv_poll_t **poll, int *fd)
{
	if (*poll) {
		uv_poll_stop(*poll);
		uv_close((uv_handle_t *)*poll, handle_freed);
	}
	if (*fd >= 0)
		close(*fd);
	*poll = NULL;
	*fd = -1;
}

static void family_open(struct family *f)
{
	struct joined *j;
	int fd = f->udp;

	if (fd < 0) {
		fd = f->udp = udp_open(f->family);
		if (fd >= 0) {
			f->udp_poll = watch(f, fd, on_hello);
			list_for_each(j, &f->net->joined, struct joined, node)
				if (j->family == f->family)
					join(f, j->ifindex, true);
		}
	}
	if (fd >= 0 && f->tcp < 0) {
		fd = f->tcp = tcp_listen(f->family, LDP_PORT, "");
		if (fd >= 0) {
			f->tcp_poll = watch(f, fd, on_accept);
			set_keys(f);
		}
	}
	if (fd < 0) {
		if (fd != f->err)
			log_err("ldp", "port %u cannot be opened for %s: %s: it is tried again", LDP_PORT,
				f->family == AF_INET ? "IPv4" : "IPv6", strerror(-fd));
		timer_start(&f->net->retry, OPEN_RETRY_MS);
	}
	f->err = fd < 0 ? fd : 0;
}

static void on_retry(struct timer *t)
{
	struct ldp_uv *n = container_of(t, struct ldp_uv, retry);
	int afi;

	for (afi = 0; afi < AFI_MAX; afi++)
		if (n->family[afi].wanted)
			family_open(&n->family[afi]);
}

static void net_family(void *arg, uint8_t family, bool on)
{
	struct ldp_uv *n = arg;
	struct family *f = &n->family[family_afi(family)];

	f->wanted = on;
	if (on) {
		family_open(f);
		return;
	}
	unwatch(&f->udp_poll, &f->udp);
	unwatch(&f->tcp_poll, &f->tcp);
}

const struct ldp_net ldp_uv_net = {
	.listen = net_listen, .hello_link = net_hello_link, .hello_targeted = net_hello_targeted,
	.family = net_family, .key = net_key, .connect = net_connect, .owner = net_owner, .min_ttl = net_min_ttl,
	.send = net_send, .queued = net_queued, .close = net_close,
};

/* ---- life ---- */

struct ldp_uv *ldp_uv_new(struct uv_loop_s *loop, struct jobs *jobs)
{
	struct ldp_uv *n = xcalloc(1, sizeof(*n));
	int afi;

	n->loop = loop;
	n->jobs = jobs;
	list_init(&n->lingering);
	list_init(&n->joined);
	list_init(&n->keys);
	timer_init(&n->retry, jobs, on_retry);
	for (afi = 0; afi < AFI_MAX; afi++)
		n->family[afi] = (struct family){ .net = n, .family = afi_family(afi), .udp = -1, .tcp = -1 };
	return n;
}

void ldp_uv_bind(struct ldp_uv *n, struct ldp *ldp)
{
	n->ldp = ldp;
}

void ldp_uv_free(struct ldp_uv *n)
{
	struct joined *j;
	struct key *k;

	timer_stop(&n->retry);
	while (!list_empty(&n->lingering))
		conn_end(list_first(&n->lingering, struct ldp_conn, node));
	net_family(n, AF_INET, false);
	net_family(n, AF_INET6, false);
	while (!list_empty(&n->joined)) {
		j = list_first(&n->joined, struct joined, node);
		list_del(&j->node);
		free(j);
	}
	while (!list_empty(&n->keys)) {
		k = list_first(&n->keys, struct key, node);
		list_del(&k->node);
		free(k);
	}
	free(n);
}
