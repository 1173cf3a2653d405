// SPDX-License-Identifier: GPL-2.0
/*
 * Listening sockets: one for each VRF and address family that has peers. A VRF's device may come
 * later than its peers, or be made again under the same name: sockets are bound to the device
 * that is there, and looked after by a timer. TCP MD5 keys of peers lie on the listening
 * sockets too, since the handshake must be signed already. Contracts in peer.h.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bgp/peer.h"
#include "lib/log.h"
#include "lib/mem.h"

#define CHECK_MS 2000
#define ACCEPT_BURST 64

struct bgp_listener {
	struct list node;
	struct bgp *bgp;
	char vrf[VRF_NAME_MAX];
	uint8_t family;
	uint16_t port;
	unsigned int ifindex;	/* of the VRF's device when bound; 0 in the default VRF */
	int fd;			/* -1: not open */
	int err;		/* last refusal, told once */
	int full;		/* errno with which connections cannot be taken now, 0: they can; told once */
	bool wanted;
	uv_poll_t *poll;
};

/* RFC 4486: who is not wanted hears so. What does not fit the socket's empty buffer at once is not said. */
static void reject(int fd)
{
	struct bgp_notification n;
	uint8_t mem[BGP_HEADER_LEN + 2];
	struct buf b;

	bgp_notification_set(&n, BGP_ERR_CEASE, BGP_CEASE_REJECTED, NULL, 0);
	buf_init_fixed(&b, mem, sizeof(mem));
	bgp_notification_encode(&b, &n);
	if (send(fd, b.data, b.len, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
		shutdown(fd, SHUT_WR);
	close(fd);
}

/* Nothing is left for one more connection: it waits for the next check, and the loop does not spin about it. */
static void rest(struct bgp_listener *l, int err)
{
	if (!tcp_exhausted(err))
		return;
	if (err != l->full)
		log_err("bgp", "connections%s%s cannot be taken: %s", l->vrf[0] ? " in VRF " : "", l->vrf,
			strerror(err));
	l->full = err;
	uv_poll_stop(l->poll);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct bgp_listener *l = poll->data;
	char text[ADDR_STRLEN];

	for (int i = 0; i < ACCEPT_BURST; i++) {
		struct tcp_endpoint from;
		struct bgp_peer *p;
		int fd = tcp_accept(l->fd, &from);

		if (fd < 0) {
			rest(l, -fd);
			return;
		}
		l->full = 0;
		p = bgp_peer_find(l->bgp, l->vrf, &from);
		if (p && p->session && !p->conf.shutdown) {
			bgp_session_accept(p->session, fd);
			continue;
		}
		log_info("bgp", "connection from %s%s%s refused: %s", addr_str(&from.addr, text),
			 l->vrf[0] ? " in VRF " : "", l->vrf, p ? "the neighbor is shut down" : "no such neighbor");
		reject(fd);
	}
}

static void free_handle(uv_handle_t *h)
{
	free(h);
}

static void listener_close(struct bgp_listener *l)
{
	if (l->fd < 0)
		return;
	uv_poll_stop(l->poll);
	uv_close((uv_handle_t *)l->poll, free_handle);
	close(l->fd);
	l->poll = NULL;
	l->fd = -1;
	l->full = 0;
}

static void set_keys(struct bgp_listener *l)
{
	struct bgp_peer *p;
	int err;

	if (l->fd < 0)
		return;
	list_for_each(p, &l->bgp->peers, struct bgp_peer, node) {
		if (strcmp(p->conf.vrf, l->vrf) || p->conf.peer.addr.family != l->family)
			continue;
		err = tcp_md5(l->fd, &p->conf.peer.addr, p->conf.password);
		if (err && p->conf.password[0])
			log_err("bgp", "%s: no MD5 key on the listening socket: %s", p->name,
				strerror(-err));
	}
}

static void listener_open(struct bgp_listener *l)
{
	unsigned int ifindex = l->vrf[0] ? if_nametoindex(l->vrf) : 0;
	int fd;

	if (l->fd >= 0 && (ifindex != l->ifindex || l->port != l->bgp->listen_port))
		listener_close(l);
	if (l->fd >= 0 || (l->vrf[0] && !ifindex))
		return;
	l->port = l->bgp->listen_port;
	fd = tcp_listen(l->family, l->port, l->vrf);
	if (fd < 0) {
		if (fd != l->err)
			log_err("bgp", "cannot listen on port %u%s%s for %s: %s", l->port,
				l->vrf[0] ? " in VRF " : "", l->vrf,
				l->family == AF_INET ? "IPv4" : "IPv6", strerror(-fd));
		l->err = fd;
		return;
	}
	l->poll = xcalloc(1, sizeof(*l->poll));
	if (uv_poll_init(l->bgp->opt.loop, l->poll, fd)) {
		free(l->poll);
		l->poll = NULL;
		close(fd);
		return;
	}
	l->err = 0;
	l->fd = fd;
	l->ifindex = ifindex;
	l->poll->data = l;
	set_keys(l);
	uv_poll_start(l->poll, UV_READABLE, on_ready);
}

static struct bgp_listener *listener_get(struct bgp *b, const char *vrf, uint8_t family)
{
	struct bgp_listener *l;

	list_for_each(l, &b->listeners, struct bgp_listener, node) {
		if (l->family == family && !strcmp(l->vrf, vrf))
			return l;
	}
	l = xcalloc(1, sizeof(*l));
	l->bgp = b;
	l->family = family;
	l->fd = -1;
	snprintf(l->vrf, sizeof(l->vrf), "%s", vrf);
	list_add_tail(&b->listeners, &l->node);
	return l;
}

static void check_fn(struct timer *t)
{
	struct bgp *b = container_of(t, struct bgp, listen_timer);
	struct bgp_listener *l;

	list_for_each(l, &b->listeners, struct bgp_listener, node) {
		listener_open(l);
		if (l->full && l->fd >= 0)
			uv_poll_start(l->poll, UV_READABLE, on_ready);
	}
	bgp_md5_check(b);
	timer_start(&b->listen_timer, CHECK_MS);
}

void bgp_listen_update(struct bgp *b)
{
	struct bgp_listener *l, *tmp;
	struct bgp_peer *p;

	list_for_each(l, &b->listeners, struct bgp_listener, node)
		l->wanted = false;
	list_for_each(p, &b->peers, struct bgp_peer, node)
		listener_get(b, p->conf.vrf, p->conf.peer.addr.family)->wanted = true;
	list_for_each_safe(l, tmp, &b->listeners, struct bgp_listener, node) {
		if (l->wanted) {
			listener_open(l);
			set_keys(l);
			continue;
		}
		listener_close(l);
		list_del(&l->node);
		free(l);
	}
	if (!b->listen_timer.fn)
		timer_init(&b->listen_timer, b->env.jobs, check_fn);
	if (list_empty(&b->listeners))
		timer_stop(&b->listen_timer);
	else if (!timer_running(&b->listen_timer))
		timer_start(&b->listen_timer, CHECK_MS);
}

void bgp_listen_stop(struct bgp *b)
{
	struct bgp_listener *l, *tmp;

	if (b->listen_timer.fn)
		timer_stop(&b->listen_timer);
	list_for_each_safe(l, tmp, &b->listeners, struct bgp_listener, node) {
		listener_close(l);
		list_del(&l->node);
		free(l);
	}
}
