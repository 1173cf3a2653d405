// SPDX-License-Identifier: GPL-2.0
/* The engine's thread and sockets (io.h). */
#include "bfd/io.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "bfd/socket.h"
#include "lib/jobs.h"
#include "lib/log.h"
#include "lib/mem.h"

#define LOOK_US		1000000u	/* devices that came, went, or were made again; ports that were taken */
#define EVENTS		32
#define BURST		64		/* packets of one socket in a row */
#define ROUNDS		8		/* of reading, before timers get their turn */
#define KINDS		4		/* IPv4, IPv6, each single hop and multihop */

struct door;

/* A socket that receives. */
struct rx {
	struct door *door;
	uint8_t family;
	bool multihop;
	unsigned int users;		/* sessions */
	int fd;				/* -1: not open */
	int err;			/* why not, told once */
};

/* The sockets of a VRF. Once made it stays: an event may still name it. */
struct door {
	struct list node;
	uint32_t vrf;
	char device[IF_NAMESIZE];
	unsigned int ifindex;		/* of the device, when the sockets were opened */
	struct rx rx[KINDS];
};

/* What the io part knows of a session. */
struct way {
	struct door *door;
	int fd;				/* -1: not open */
	uint16_t port;
	bool down;			/* forwarding was told so */
	uint32_t flipped;
};

struct bfd_io {
	struct bfd_io_options opt;
	pthread_t thread;
	pthread_mutex_t lock;		/* everything below */
	struct bfd_engine engine;
	struct list doors;
	struct bfd_report *reports, **reports_last;
	bool stopping;
	uint64_t look_us;
	uint8_t pool[256];		/* of random octets */
	unsigned int pool_left;
	/* set before the thread starts */
	int epoll, timer, wake;
	uv_async_t *async;
};

/* ---- sockets ---- */

static struct door *door_get(struct bfd_io *io, uint32_t vrf, const char *device)
{
	struct door *d;
	int i;

	list_for_each(d, &io->doors, struct door, node)
		if (d->vrf == vrf) {
			snprintf(d->device, sizeof(d->device), "%s", device);
			return d;
		}
	d = xcalloc(1, sizeof(*d));
	d->vrf = vrf;
	snprintf(d->device, sizeof(d->device), "%s", device);
	for (i = 0; i < KINDS; i++)
		d->rx[i] = (struct rx){ .door = d, .family = i & 1 ? AF_INET6 : AF_INET, .multihop = i & 2, .fd = -1 };
	list_add_tail(&io->doors, &d->node);
	return d;
}

static struct rx *rx_of(struct door *d, const struct liveness_key *key)
{
	return &d->rx[(key->peer.family == AF_INET6) + 2 * key->multihop];
}

static void rx_close(struct rx *r)
{
	if (r->fd >= 0)
		close(r->fd);		/* and out of the epoll set */
	r->fd = -1;
}

static void rx_open(struct bfd_io *io, struct rx *r)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = r };
	int fd = bfd_socket_rx(r->family, r->multihop, r->door->device);

	if (fd < 0) {
		if (fd != r->err)
			log_err("bfd", "UDP port %d%s%s: %s", r->multihop ? BFD_PORT_MULTI : BFD_PORT_SINGLE,
				r->door->device[0] ? " of VRF " : "", r->door->device, strerror(-fd));
		r->err = fd;
		return;
	}
	r->err = 0;
	r->fd = fd;
	epoll_ctl(io->epoll, EPOLL_CTL_ADD, fd, &ev);
}

/* sockets follow their device, which may be made again under the same name */
static void door_look(struct bfd_io *io, struct door *d)
{
	unsigned int ifindex = d->device[0] ? if_nametoindex(d->device) : 0;
	int i;

	for (i = 0; i < KINDS; i++) {
		if (ifindex != d->ifindex || !d->rx[i].users)
			rx_close(&d->rx[i]);
		if (d->rx[i].users && d->rx[i].fd < 0 && (ifindex || !d->device[0]))
			rx_open(io, &d->rx[i]);
	}
	d->ifindex = ifindex;
}

static void way_close(struct way *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

/* In a VRF the device is the VRF's; a link-local peer's interface goes into the address. */
static int way_open(struct bfd_session *s, struct way *w)
{
	w->fd = bfd_socket_tx(&s->key.local, s->key.peer.family, w->door->device, &w->port);
	return w->fd < 0 ? w->fd : 0;
}

/* ---- the engine's hands ---- */

static bool op_send(void *arg, struct bfd_session *s, const uint8_t packet[BFD_PACKET_LEN])
{
	struct way *w = s->io;
	int err = w->fd < 0 ? way_open(s, w) : 0;

	if (!err)
		err = bfd_socket_send(w->fd, &s->key.peer, s->key.ifname[0] ? (int)if_nametoindex(s->key.ifname) : 0,
				      s->key.multihop, packet, BFD_PACKET_LEN);
	/* its device or address may be another one by now */
	if (err && err != -EAGAIN && err != -ENOBUFS)
		way_close(w);
	return !err;
}

static void flip(struct bfd_io *io, struct bfd_session *s, bool down)
{
	struct way *w = s->io;

	w->flipped = 0;
	if (w->down == down)
		return;
	w->down = down;
	if (!io->opt.flip || !s->n_ids)
		return;
	io->opt.flip(io->opt.flip_arg, s->ids, s->n_ids, down);
	w->flipped = s->n_ids;
}

static void op_changed(void *arg, struct bfd_session *s, enum bfd_state was)
{
	struct bfd_io *io = arg;
	struct bfd_report *r;
	struct way *w = s->io;

	flip(io, s, s->liveness == LIVENESS_DOWN);
	r = xcalloc(1, sizeof(*r));
	*r = (struct bfd_report){ .key = s->key, .was = was, .state = s->state, .liveness = s->liveness,
				  .diag = s->diag, .remote_diag = s->remote_diag, .flipped = w->flipped };
	*io->reports_last = r;
	io->reports_last = &r->next;
	uv_async_send(io->async);
}

static void op_opened(void *arg, struct bfd_session *s)
{
	struct bfd_io *io = arg;
	struct way *w = xcalloc(1, sizeof(*w));

	w->fd = -1;
	list_for_each(w->door, &io->doors, struct door, node)
		if (w->door->vrf == s->key.vrf)
			break;
	s->io = w;
	if (!rx_of(w->door, &s->key)->users++)
		door_look(io, w->door);
}

static void op_closing(void *arg, struct bfd_session *s)
{
	struct bfd_io *io = arg;
	struct way *w = s->io;

	flip(io, s, false);
	way_close(w);
	if (!--rx_of(w->door, &s->key)->users)
		door_look(io, w->door);
	free(w);
}

static uint32_t op_random(void *arg)
{
	struct bfd_io *io = arg;
	uint32_t r;

	if (io->pool_left < sizeof(r)) {
		if (getrandom(io->pool, sizeof(io->pool), 0) != sizeof(io->pool)) {
			log_err("bfd", "getrandom: %s", strerror(errno));
			abort();
		}
		io->pool_left = sizeof(io->pool);
	}
	io->pool_left -= sizeof(r);
	memcpy(&r, io->pool + io->pool_left, sizeof(r));
	return r;
}

/* ---- the thread ---- */

static void read_socket(struct bfd_io *io, struct rx *r)
{
	char name[IF_NAMESIZE];
	struct bfd_datagram d;
	struct bfd_rx rx;
	int i;

	for (i = 0; i < BURST && r->fd >= 0 && bfd_socket_receive(r->fd, &d); i++) {
		rx = (struct bfd_rx){ .from = d.from, .to = d.to, .vrf = r->door->vrf, .multihop = r->multihop,
				      .ttl = d.ttl };
		if (d.from.family == AF_INET6 && addr_is_link_local(&d.from) &&
		    d.ifindex != (int)r->door->ifindex)
			rx.ifname = if_indextoname(d.ifindex, name);
		bfd_engine_receive(&io->engine, &rx, d.data, d.len, clock_us());
	}
}

/*
 * What has come in counts before what has run out: a thread that slept too long must not blame the neighbour. The
 * lock is let go between two rounds.
 */
static void read_all(struct bfd_io *io, int timeout)
{
	struct epoll_event ev[EVENTS];
	int i, n, round;
	uint64_t count;

	for (round = 0; round < ROUNDS; round++) {
		n = epoll_wait(io->epoll, ev, EVENTS, round ? 0 : timeout);
		if (n <= 0)
			return;
		pthread_mutex_lock(&io->lock);
		for (i = 0; i < n; i++) {
			if (ev[i].data.ptr)
				read_socket(io, ev[i].data.ptr);
			else if (read(io->timer, &count, sizeof(count)) < 0 &&
				 read(io->wake, &count, sizeof(count)) < 0)
				continue;
		}
		pthread_mutex_unlock(&io->lock);
	}
}

static void arm(struct bfd_io *io, uint64_t due)
{
	struct itimerspec at = { .it_value = { .tv_sec = due / 1000000, .tv_nsec = due % 1000000 * 1000 } };

	timerfd_settime(io->timer, TFD_TIMER_ABSTIME, &at, NULL);
}

static void look_at_doors(struct bfd_io *io, uint64_t now)
{
	struct door *d;

	if (now < io->look_us)
		return;
	io->look_us = now + LOOK_US;
	list_for_each(d, &io->doors, struct door, node)
		door_look(io, d);
}

/* Before everything else that runs here: a packet that goes out late is a neighbour's loss. */
static void hurry(void)
{
	const struct sched_param first = { .sched_priority = 1 };
	int err = pthread_setschedparam(pthread_self(), SCHED_RR, &first);

	if (err)
		log_notice("bfd", "no real-time scheduling for BFD's thread (%s): a busy host may cost sessions",
			   strerror(err));
}

static void *run(void *arg)
{
	struct bfd_io *io = arg;
	uint64_t now, due;
	bool stopping;

	pthread_setname_np(pthread_self(), "bfd");
	hurry();
	do {
		read_all(io, -1);
		pthread_mutex_lock(&io->lock);
		now = clock_us();
		look_at_doors(io, now);
		due = bfd_engine_run(&io->engine, now);
		/* without sessions it sleeps until there are some */
		if (io->engine.n_sessions && io->look_us < due)
			due = io->look_us;
		stopping = io->stopping;
		if (due != UINT64_MAX)
			arm(io, due);
		pthread_mutex_unlock(&io->lock);
	} while (!stopping);
	return NULL;
}

static void wake(struct bfd_io *io)
{
	uint64_t one = 1;

	if (write(io->wake, &one, sizeof(one)) < 0)
		log_err("bfd", "eventfd: %s", strerror(errno));
}

/* ---- the main thread ---- */

static void on_async(uv_async_t *async)
{
	struct bfd_io *io = async->data;
	struct bfd_report *r, *next;

	if (!io)
		return;
	pthread_mutex_lock(&io->lock);
	r = io->reports;
	io->reports = NULL;
	io->reports_last = &io->reports;
	pthread_mutex_unlock(&io->lock);
	for (; r; r = next) {
		next = r->next;
		io->opt.report(io->opt.arg, r);
		free(r);
	}
}

void bfd_io_want(struct bfd_io *io, const struct liveness_key *key, const char *device,
		 const struct liveness_params *params)
{
	pthread_mutex_lock(&io->lock);
	door_get(io, key->vrf, device);
	bfd_engine_want(&io->engine, key, params, clock_us());
	pthread_mutex_unlock(&io->lock);
	wake(io);
}

void bfd_io_drop(struct bfd_io *io, const struct liveness_key *key)
{
	struct bfd_session *s;

	pthread_mutex_lock(&io->lock);
	s = bfd_engine_find(&io->engine, key);
	if (s)
		bfd_engine_drop(&io->engine, s, clock_us());
	pthread_mutex_unlock(&io->lock);
	wake(io);
}

/* false: it was not known */
static bool id_forget(struct bfd_session *s, uint32_t id)
{
	unsigned int i;

	for (i = 0; i < s->n_ids && s->ids[i] != id; i++)
		;
	if (i == s->n_ids)
		return false;
	s->ids[i] = s->ids[--s->n_ids];
	return true;
}

void bfd_io_adjacency(struct bfd_io *io, const struct liveness_key *key, uint32_t id, bool leads)
{
	struct bfd_session *s;
	struct way *w;
	bool known;

	pthread_mutex_lock(&io->lock);
	s = bfd_engine_find(&io->engine, key);
	if (s) {
		w = s->io;
		known = id_forget(s, id);
		if (leads) {
			s->ids = xrealloc(s->ids, (s->n_ids + 1) * sizeof(*s->ids));
			s->ids[s->n_ids++] = id;
		}
		/* what no longer leads there is not down because of it */
		if (w->down && io->opt.flip && (leads || known))
			io->opt.flip(io->opt.flip_arg, &id, 1, leads);
	}
	pthread_mutex_unlock(&io->lock);
}

void bfd_io_disable(struct bfd_io *io, bool disable)
{
	pthread_mutex_lock(&io->lock);
	bfd_engine_disable(&io->engine, disable, clock_us());
	pthread_mutex_unlock(&io->lock);
	wake(io);
}

void bfd_io_clear(struct bfd_io *io)
{
	pthread_mutex_lock(&io->lock);
	bfd_engine_clear(&io->engine);
	pthread_mutex_unlock(&io->lock);
}

static void info_of(const struct bfd_session *s, uint64_t now, struct bfd_info *i)
{
	const struct way *w = s->io;

	*i = (struct bfd_info){
		.key = s->key, .params = s->params, .state = s->state, .remote_state = s->remote_state,
		.liveness = s->liveness, .diag = s->diag, .remote_diag = s->remote_diag,
		.remote_mult = s->remote_mult, .discr = s->discr, .remote_discr = s->remote_discr,
		.desired_tx_us = s->desired_tx_us, .required_rx_us = s->required_rx_us,
		.remote_tx_us = s->remote_tx_us, .remote_rx_us = s->remote_rx_us,
		.tx_interval_us = bfd_tx_interval(s), .detection_us = bfd_detection_time(s),
		.state_us = now - s->since_us, .quiet_us = s->received_us ? now - s->received_us : 0,
		.polling = s->polling, .remote_demand = s->remote_demand, .remote_cpi = s->remote_cpi,
		.ending = s->ending, .port = w->fd >= 0 ? w->port : 0, .next_hops = s->n_ids, .count = s->count,
	};
}

static int info_cmp(const void *a, const void *b)
{
	const struct liveness_key *x = &((const struct bfd_info *)a)->key, *y = &((const struct bfd_info *)b)->key;
	int d = x->vrf != y->vrf ? (x->vrf > y->vrf) - (x->vrf < y->vrf) : addr_cmp(&x->peer, &y->peer);

	d = d ? d : x->multihop - y->multihop;
	d = d ? d : addr_cmp(&x->local, &y->local);
	return d ? d : strcmp(x->ifname, y->ifname);
}

struct bfd_info *bfd_io_snapshot(struct bfd_io *io, unsigned int *n, struct bfd_counters *none)
{
	struct bfd_info *all;
	struct bfd_session *s;
	uint64_t now;

	pthread_mutex_lock(&io->lock);
	all = xcalloc(io->engine.n_sessions + 1, sizeof(*all));
	now = clock_us();
	*n = 0;
	list_for_each(s, &io->engine.sessions, struct bfd_session, node)
		info_of(s, now, &all[(*n)++]);
	if (none)
		*none = io->engine.count;
	pthread_mutex_unlock(&io->lock);
	qsort(all, *n, sizeof(*all), info_cmp);
	return all;
}

/* ---- life ---- */

static bool open_events(struct bfd_io *io)
{
	struct epoll_event ev = { .events = EPOLLIN };

	io->epoll = epoll_create1(EPOLL_CLOEXEC);
	io->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	io->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return io->epoll >= 0 && io->timer >= 0 && io->wake >= 0 &&
	       !epoll_ctl(io->epoll, EPOLL_CTL_ADD, io->timer, &ev) &&
	       !epoll_ctl(io->epoll, EPOLL_CTL_ADD, io->wake, &ev);
}

static void close_events(struct bfd_io *io)
{
	int fds[] = { io->epoll, io->timer, io->wake };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static void async_freed(uv_handle_t *h)
{
	free(h);
}

/* who holds it runs as urgently as who waits for it */
static void lock_init(pthread_mutex_t *lock)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(lock, &attr);
	pthread_mutexattr_destroy(&attr);
}

struct bfd_io *bfd_io_new(const struct bfd_io_options *opt, char *why, size_t len)
{
	struct bfd_io *io = xcalloc(1, sizeof(*io));
	const struct bfd_ops ops = { .send = op_send, .changed = op_changed, .opened = op_opened,
				     .closing = op_closing, .random = op_random, .arg = io };
	sigset_t all, old;
	int err;

	io->opt = *opt;
	list_init(&io->doors);
	io->reports_last = &io->reports;
	lock_init(&io->lock);
	bfd_engine_init(&io->engine, &ops);
	if (!open_events(io)) {
		snprintf(why, len, "no events: %s", strerror(errno));
		close_events(io);
		free(io);
		return NULL;
	}
	io->async = xcalloc(1, sizeof(*io->async));
	io->async->data = io;
	uv_async_init(opt->loop, io->async, on_async);
	uv_unref((uv_handle_t *)io->async);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&io->thread, NULL, run, io);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err) {
		snprintf(why, len, "no thread: %s", strerror(err));
		uv_close((uv_handle_t *)io->async, async_freed);
		close_events(io);
		free(io);
		return NULL;
	}
	return io;
}

void bfd_io_free(struct bfd_io *io)
{
	struct bfd_report *r;
	struct door *d;
	int i;

	pthread_mutex_lock(&io->lock);
	io->stopping = true;
	io->opt.flip = NULL;		/* forwarding goes on as it is */
	bfd_engine_farewell(&io->engine, clock_us());
	pthread_mutex_unlock(&io->lock);
	wake(io);
	pthread_join(io->thread, NULL);
	io->async->data = NULL;
	bfd_engine_fini(&io->engine);
	uv_close((uv_handle_t *)io->async, async_freed);
	while ((r = io->reports)) {
		io->reports = r->next;
		free(r);
	}
	while (!list_empty(&io->doors)) {
		d = list_first(&io->doors, struct door, node);
		for (i = 0; i < KINDS; i++)
			rx_close(&d->rx[i]);
		list_del(&d->node);
		free(d);
	}
	close_events(io);
	pthread_mutex_destroy(&io->lock);
	free(io);
}
