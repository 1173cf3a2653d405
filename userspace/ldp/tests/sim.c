// SPDX-License-Identifier: GPL-2.0
/* Routers in memory: see sim.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "ldp/tests/sim.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "rib/lsp.h"
#include "rib/table.h"
#include "rib/tests/recorder.h"

#define STEP_MS 10
#define LOOPBACK_INDEX 100

unsigned int sim_random(struct sim *s, unsigned int below)
{
	return rand_r(&s->seed) % below;
}

static struct ip_addr addr_of(const char *fmt, int a, int b)
{
	char text[64];
	struct ip_addr out;

	snprintf(text, sizeof(text), fmt, a, b);
	assert_true(addr_parse(text, &out));
	return out;
}

static struct ip_addr loopback4(int n)
{
	return addr_of("1.1.1.%d", n + 1, 0);
}

static struct ip_addr loopback6(int n)
{
	return addr_of("2001:db8::%x", n + 1, 0);
}

struct prefix sim_fec(int n, int i)
{
	struct ip_addr a = i ? addr_of("1.1.%d.%d", i + 1, n + 1) : loopback4(n);

	return prefix_host(&a);
}

struct prefix sim_fec6(int n)
{
	struct ip_addr a = loopback6(n);

	return prefix_host(&a);
}

int sim_other_end(const struct sim_link *l, int n)
{
	return l->end[0] == n ? l->end[1] : l->end[1] == n ? l->end[0] : -1;
}

/* ---- packets and connections ---- */

struct packet {
	struct list node;
	struct timer due;
	struct sim *sim;
	int to;
	struct ldp_net_hello from;
	size_t len;
	uint8_t data[256];
};

enum chunk_kind { CHUNK_DATA, CHUNK_ACCEPT, CHUNK_CONNECTED, CHUNK_END };

struct chunk {
	struct list node;
	enum chunk_kind kind;
	size_t len;
	uint8_t data[];
};

struct ldp_conn {
	struct list node;
	struct sim_node *of;
	struct ldp_conn *peer;
	struct ldp_session *session;
	bool closed;			/* this end */
	bool told;			/* the other end will hear of it */
	struct ip_addr local, remote;
	struct list in;			/* struct chunk */
	struct timer due;
};

static bool link_works(const struct sim_link *l)
{
	return l->up && !l->silent;
}

/* is there a path at all? */
static bool connected(const struct sim *s, int a, int b)
{
	unsigned int seen = 1u << a, before = 0;
	int i, k;

	while (seen != before) {
		before = seen;
		for (i = 0; i < SIM_LINKS; i++)
			for (k = 0; k < 2; k++)
				if (link_works(&s->link[i]) && seen >> s->link[i].end[k] & 1)
					seen |= 1u << s->link[i].end[!k];
	}
	return seen >> b & 1;
}

static void push(struct ldp_conn *c, enum chunk_kind kind, const void *data, size_t len)
{
	struct chunk *k = xcalloc(1, sizeof(*k) + len);

	k->kind = kind;
	k->len = len;
	if (len)
		memcpy(k->data, data, len);
	list_add_tail(&c->in, &k->node);
	if (!timer_running(&c->due))
		timer_start(&c->due, 1 + sim_random(c->of->sim, 15));
}

static void deliver(struct ldp_conn *c, struct chunk *k)
{
	struct ldp_session *s = c->session;

	if (c->closed) {
		/* nobody is there: what comes is answered by a reset */
		if (!c->told && k->kind == CHUNK_DATA && !c->peer->closed) {
			c->told = true;
			push(c->peer, CHUNK_END, NULL, 0);
		}
		return;
	}
	switch (k->kind) {
	case CHUNK_ACCEPT:
		if (!c->of->alive || !ldp_net_accepted(c->of->ldp, c, &c->local, &c->remote)) {
			c->closed = c->told = true;
			push(c->peer, CHUNK_END, NULL, 0);
		}
		break;
	case CHUNK_CONNECTED:
		ldp_net_connected(s);
		break;
	case CHUNK_DATA:
		ldp_net_received(s, k->data, k->len);
		break;
	case CHUNK_END:
		c->closed = c->told = true;
		c->session = NULL;
		ldp_net_closed(s, "closed");
		break;
	}
}

static void conn_due(struct timer *t)
{
	struct ldp_conn *c = container_of(t, struct ldp_conn, due);
	struct sim *s = c->of->sim;
	struct chunk *k;

	if (!connected(s, c->of->n, c->peer->of->n)) {
		timer_start(t, 50);
		return;
	}
	k = list_first(&c->in, struct chunk, node);
	list_del(&k->node);
	deliver(c, k);
	free(k);
	if (!list_empty(&c->in))
		timer_start(t, sim_random(s, 4));
}

static struct ldp_conn *conn_new(struct sim_node *of, const struct ip_addr *local, const struct ip_addr *remote)
{
	struct ldp_conn *c = xcalloc(1, sizeof(*c));

	c->of = of;
	c->local = *local;
	c->remote = *remote;
	list_init(&c->in);
	timer_init(&c->due, of->sim->jobs, conn_due);
	list_add_tail(&of->sim->conns, &c->node);
	return c;
}

static struct ldp_conn *net_connect(void *arg, const struct ldp_net_tcp *t, struct ldp_session *session)
{
	struct sim_node *from = arg, *to = NULL;
	struct ldp_conn *a, *b;
	struct ip_addr l4, l6;
	int i;

	for (i = 0; i < SIM_NODES; i++) {
		l4 = loopback4(i);
		l6 = loopback6(i);
		if (addr_eq(&t->remote, &l4) || addr_eq(&t->remote, &l6))
			to = &from->sim->node[i];
	}
	if (!to)
		return NULL;
	a = conn_new(from, &t->local, &t->remote);
	b = conn_new(to, &t->remote, &t->local);
	a->peer = b;
	b->peer = a;
	a->session = session;
	push(b, CHUNK_ACCEPT, NULL, 0);
	if (to->alive)
		push(a, CHUNK_CONNECTED, NULL, 0);
	return a;
}

static void net_owner(struct ldp_conn *c, struct ldp_session *s)
{
	c->session = s;
}

static bool net_min_ttl(struct ldp_conn *c, uint8_t ttl)
{
	return true;
}

static void net_send(struct ldp_conn *c, const void *data, size_t len)
{
	assert_false(c->closed);
	push(c->peer, CHUNK_DATA, data, len);
}

static size_t net_queued(const struct ldp_conn *c)
{
	return 0;
}

static void net_close(struct ldp_conn *c)
{
	assert_false(c->closed);
	c->closed = true;
	c->session = NULL;
	if (c->of->sim->mute || c->peer->closed)
		return;
	c->told = true;
	push(c->peer, CHUNK_END, NULL, 0);
}

static void packet_due(struct timer *t)
{
	struct packet *p = container_of(t, struct packet, due);
	struct sim_node *to = &p->sim->node[p->to];

	list_del(&p->node);
	if (to->alive)
		ldp_net_hello(to->ldp, &p->from, p->data, p->len);
	free(p);
}

static void packet_send(struct sim *s, int to, const struct ldp_net_hello *from, const void *data, size_t len)
{
	struct packet *p = xcalloc(1, sizeof(*p));

	assert_true(len <= sizeof(p->data));
	p->sim = s;
	p->to = to;
	p->from = *from;
	p->len = len;
	memcpy(p->data, data, len);
	timer_init(&p->due, s->jobs, packet_due);
	list_add_tail(&s->packets, &p->node);
	timer_start(&p->due, 1 + sim_random(s, 20));
}

static void net_hello_link(void *arg, uint8_t family, int ifindex, const void *data, size_t len)
{
	struct sim_node *n = arg;
	struct sim_link *l = &n->sim->link[ifindex - 1];
	struct ldp_net_hello h = { .family = family, .ifindex = ifindex, .multicast = true, .ttl = 255 };

	if (!link_works(l))
		return;
	h.from = family == AF_INET ? addr_of("10.0.%d.%d", ifindex - 1, n->n + 1) :
				     addr_of("fe80::%x", n->n + 1, 0);
	packet_send(n->sim, sim_other_end(l, n->n), &h, data, len);
}

static void net_hello_targeted(void *arg, const struct ip_addr *from, const struct ip_addr *to, const void *data,
			       size_t len)
{
	struct sim_node *n = arg;
	struct ldp_net_hello h = { .family = to->family, .ifindex = 1, .ttl = 250, .from = *from, .to = *to };
	struct ip_addr lo;
	int i;

	for (i = 0; i < SIM_NODES; i++) {
		lo = to->family == AF_INET ? loopback4(i) : loopback6(i);
		if (addr_eq(to, &lo) && connected(n->sim, n->n, i))
			packet_send(n->sim, i, &h, data, len);
	}
}

static void net_nothing(void *arg, uint8_t family, int ifindex, bool on)
{
}

static void net_family(void *arg, uint8_t family, bool on)
{
}

static void net_key(void *arg, const struct ip_addr *peer, const char *password)
{
}

static const struct ldp_net sim_net = {
	.listen = net_nothing, .hello_link = net_hello_link, .hello_targeted = net_hello_targeted,
	.family = net_family, .key = net_key, .connect = net_connect, .owner = net_owner, .min_ttl = net_min_ttl,
	.send = net_send, .queued = net_queued, .close = net_close,
};

/* ---- interior routing ---- */

static void distances(const struct sim *s, int to, int dist[SIM_NODES])
{
	int i, k, round;

	for (i = 0; i < SIM_NODES; i++)
		dist[i] = i == to ? 0 : 1000;
	for (round = 0; round < SIM_NODES; round++)
		for (i = 0; i < SIM_LINKS; i++)
			for (k = 0; k < 2; k++)
				if (link_works(&s->link[i]) &&
				    dist[s->link[i].end[k]] > dist[s->link[i].end[!k]] + 1)
					dist[s->link[i].end[k]] = dist[s->link[i].end[!k]] + 1;
}

static unsigned int ways_to(const struct sim *s, int n, int to, uint8_t family, struct nht_way *ways)
{
	int dist[SIM_NODES], i, far;
	unsigned int made = 0;

	distances(s, to, dist);
	for (i = 0; dist[n] < 1000 && i < SIM_LINKS; i++) {
		far = sim_other_end(&s->link[i], n);
		if (far < 0 || !link_works(&s->link[i]) || dist[far] != dist[n] - 1)
			continue;
		ways[made++] = (struct nht_way){
			.ifindex = i + 1, .weight = 1,
			.gateway = family == AF_INET ? addr_of("10.0.%d.%d", i, far + 1) :
						       addr_of("fe80::%x", far + 1, 0),
		};
	}
	return made;
}

static void route(struct sim_node *n, const struct prefix *fec, const struct nht_way *ways, unsigned int count)
{
	if (count)
		nht_route_set(n->nht, fec, ways, count, 10);
	else
		nht_route_del(n->nht, fec);
}

static void igp_run(struct timer *t)
{
	struct sim_node *n = container_of(t, struct sim_node, igp);
	struct nht_way ways[SIM_LINKS];
	struct prefix fec;
	unsigned int made;
	int to, i;

	for (to = 0; to < SIM_NODES; to++) {
		if (to == n->n)
			continue;
		made = ways_to(n->sim, n->n, to, AF_INET, ways);
		for (i = 0; i < SIM_FECS; i++) {
			fec = sim_fec(to, i);
			route(n, &fec, ways, made);
		}
		made = ways_to(n->sim, n->n, to, AF_INET6, ways);
		fec = sim_fec6(to);
		route(n, &fec, ways, made);
	}
}

static void igp_later(struct sim *s, unsigned int least, unsigned int most)
{
	int i;

	for (i = 0; i < SIM_NODES; i++)
		timer_start(&s->node[i].igp, least + sim_random(s, most - least));
}

/* as the kernel does at once: ways over a link that is down go */
static void drop_ways(struct sim_node *n, int ifindex)
{
	const struct nht_way *have;
	struct nht_way ways[SIM_LINKS];
	struct prefix fec;
	unsigned int k, count, made;
	int to, i;

	for (to = 0; to < SIM_NODES; to++) {
		for (i = 0; i <= SIM_FECS; i++) {
			fec = i < SIM_FECS ? sim_fec(to, i) : sim_fec6(to);
			count = nht_main_ways(n->nht, &fec, &have);
			made = 0;
			for (k = 0; k < count; k++)
				if (have[k].ifindex != ifindex)
					ways[made++] = have[k];
			if (made != count)
				route(n, &fec, ways, made);
		}
	}
}

/* ---- routers ---- */

static void link_tell(struct sim_node *n, int link, bool up)
{
	struct nht_link l = { .ifindex = link + 1, .up = up };

	snprintf(l.name, sizeof(l.name), "k%d", link);
	nht_link_set(n->nht, &l);
}

static void address(struct sim_node *n, int ifindex, struct ip_addr a, uint8_t len)
{
	struct prefix p = { .addr = a, .len = len };

	nht_addr_add(n->nht, ifindex, &p);
}

static void node_host(struct sim_node *n)
{
	struct nht_link lo = { .ifindex = LOOPBACK_INDEX, .up = true, .name = "lo" };
	int i;

	nht_link_set(n->nht, &lo);
	for (i = 0; i < SIM_FECS; i++)
		address(n, LOOPBACK_INDEX, sim_fec(n->n, i).addr, 32);
	address(n, LOOPBACK_INDEX, loopback6(n->n), 128);
	for (i = 0; i < SIM_LINKS; i++) {
		if (sim_other_end(&n->sim->link[i], n->n) < 0)
			continue;
		link_tell(n, i, true);
		address(n, i + 1, addr_of("10.0.%d.%d", i, n->n + 1), 24);
		address(n, i + 1, addr_of("fe80::%x", n->n + 1, 0), 64);
	}
}

static void restart_over(void *arg)
{
	struct sim_node *n = arg;

	n->restarts_over++;
	labels_restart_done(n->env.labels);
}

struct ldp_settings sim_settings(int n)
{
	struct ldp_settings s;
	int i;

	ldp_settings_init(&s);
	s.on = true;
	memcpy(s.router_id, loopback4(n).b, 4);
	s.hello_interval = 1;
	s.hello_hold = 3;
	s.holdtime = 15;
	s.gr_reconnect = s.gr_liveness = s.gr_recovery = s.gr_holding = 60;
	s.family[AFI4].on = true;
	s.family[AFI4].transport = loopback4(n);
	s.family[AFI6].transport = loopback6(n);
	s.ifaces = xcalloc(SIM_LINKS, sizeof(*s.ifaces));
	for (i = 0; i < SIM_LINKS; i++) {
		snprintf(s.ifaces[i].name, sizeof(s.ifaces[i].name), "k%d", i);
		s.ifaces[i].family[AFI4] = s.ifaces[i].family[AFI6] = true;
		s.ifaces[i].interval = 1;
		s.ifaces[i].holdtime = 3;
	}
	s.n_ifaces = SIM_LINKS;
	return s;
}

void sim_node_start(struct sim *s, int i, bool kept)
{
	struct sim_node *n = &s->node[i];
	struct ldp_options opt = { .restarting = kept, .restart_done = restart_over, .arg = n };
	struct ldp_settings set = n->settings(i);

	n->ldp = ldp_new(&n->env, &opt, &sim_net, n);
	n->alive = true;
	ldp_apply(n->ldp, &set);
}

void sim_node_stop(struct sim *s, int i, bool silently)
{
	struct sim_node *n = &s->node[i];

	s->mute = silently;
	n->alive = false;
	ldp_free(n->ldp);
	n->ldp = NULL;
	s->mute = false;
}

void sim_apply(struct sim *s, int n, struct ldp_settings *set)
{
	ldp_apply(s->node[n].ldp, set);
}

static void node_new(struct sim *s, int i, struct ldp_settings (*settings)(int n))
{
	struct sim_node *n = &s->node[i];

	n->sim = s;
	n->n = i;
	n->settings = settings;
	n->env.jobs = s->jobs;
	n->env.rib = rib_new(s->jobs);
	n->nht = rib_nht(n->env.rib);
	n->rec = xcalloc(1, sizeof(*n->rec));
	rec_start(n->rec, rib_fib(n->env.rib));
	n->env.labels = labels_new(s->jobs, rib_fib(n->env.rib));
	timer_init(&n->igp, s->jobs, igp_run);
	node_host(n);
}

struct sim *sim_new(unsigned int seed, struct ldp_settings (*settings)(int n))
{
	static const struct sim_link links[SIM_LINKS] = {
		{ { 0, 1 } }, { { 1, 2 } }, { { 3, 4 } }, { { 4, 5 } }, { { 0, 3 } }, { { 1, 4 } }, { { 2, 5 } },
	};
	struct sim *s = xcalloc(1, sizeof(*s));
	int i;

	log_init("test", LOG_TARGET_NONE, LOG_LEVEL_DEBUG);
	s->seed = seed;
	s->jobs = jobs_new(NULL);
	list_init(&s->conns);
	list_init(&s->packets);
	memcpy(s->link, links, sizeof(links));
	for (i = 0; i < SIM_LINKS; i++)
		s->link[i].up = true;
	for (i = 0; i < SIM_NODES; i++)
		node_new(s, i, settings ? settings : sim_settings);
	igp_later(s, 0, 200);
	for (i = 0; i < SIM_NODES; i++)
		sim_node_start(s, i, false);
	return s;
}

static void node_free(struct sim_node *n)
{
	struct prefix fec;

	/* paths of LDP must have gone with it */
	assert_false(lsp_next_fec(n->nht, AF_INET, NULL, &fec));
	assert_false(lsp_next_fec(n->nht, AF_INET6, NULL, &fec));
	jobs_run(n->sim->jobs, 0);
	labels_free(n->env.labels);
	jobs_run(n->sim->jobs, 0);
	rec_end(n->rec);
	rib_free(n->env.rib);
	free(n->rec);
}

void sim_free(struct sim *s)
{
	struct ldp_conn *c;
	struct packet *p;
	int i;

	for (i = 0; i < SIM_NODES; i++) {
		if (s->node[i].alive)
			sim_node_stop(s, i, true);
		timer_stop(&s->node[i].igp);
	}
	while (!list_empty(&s->conns)) {
		c = list_first(&s->conns, struct ldp_conn, node);
		while (!list_empty(&c->in)) {
			struct chunk *k = list_first(&c->in, struct chunk, node);

			list_del(&k->node);
			free(k);
		}
		timer_stop(&c->due);
		list_del(&c->node);
		free(c);
	}
	while (!list_empty(&s->packets)) {
		p = list_first(&s->packets, struct packet, node);
		timer_stop(&p->due);
		list_del(&p->node);
		free(p);
	}
	for (i = 0; i < SIM_NODES; i++)
		node_free(&s->node[i]);
	jobs_free(s->jobs);
	free(s);
}

/* ---- time, and what happens in it ---- */

static void step(struct sim *s)
{
	int i;

	timers_advance(s->jobs, STEP_MS);
	s->now_ms += STEP_MS;
	jobs_run(s->jobs, 0);
	for (i = 0; i < SIM_NODES; i++)
		if (sim_random(s, 3))
			rec_ack(s->node[i].rec);
	jobs_run(s->jobs, 0);
	sim_check(s);
}

void sim_run(struct sim *s, unsigned int ms)
{
	unsigned int i;

	for (i = 0; i < ms; i += STEP_MS)
		step(s);
}

bool sim_until(struct sim *s, unsigned int ms, bool (*what)(struct sim *s))
{
	unsigned int i;

	for (i = 0; i < ms; i += STEP_MS) {
		if (what(s))
			return true;
		step(s);
	}
	return what(s);
}

void sim_link_set(struct sim *s, int link, bool up)
{
	struct sim_link *l = &s->link[link];
	int k;

	if (l->up == up)
		return;
	l->up = up;
	for (k = 0; k < 2; k++) {
		link_tell(&s->node[l->end[k]], link, up);
		if (!up)
			drop_ways(&s->node[l->end[k]], link + 1);
	}
	igp_later(s, 10, 300);
}

void sim_link_silent(struct sim *s, int link, bool silent)
{
	s->link[link].silent = silent;
	igp_later(s, 1000, 3000);
}
