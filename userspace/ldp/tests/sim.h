/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Routers that speak LDP, in memory and in simulated time: each has its own tables, label manager, forwarding (the
 * recorder) and engine; between them links, an interior routing protocol that is slow in its own way at each, and TCP
 * that delivers in order, late, and not while there is no path.
 *
 *      0 --- 1 --- 2        links 0: 0-1, 1: 1-2, 2: 3-4, 3: 4-5, 4: 0-3, 5: 1-4, 6: 2-5
 *      |     |     |        router n: 1.1.1.(n+1); its link k has ifindex k + 1 and 10.0.k.(n+1)/24
 *      3 --- 4 --- 5        and fe80::(n+1)
 */
#ifndef L3VPN_LDP_TESTS_SIM_H
#define L3VPN_LDP_TESTS_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "ldp/private.h"

#define SIM_NODES 6
#define SIM_LINKS 7
#define SIM_FECS 3		/* host routes of each router */

struct recorder;

struct sim_link {
	int end[2];
	bool up;		/* both ends know when it is not */
	bool silent;		/* it loses everything, and nobody is told */
};

struct sim_node {
	struct sim *sim;
	int n;
	bool alive;
	struct rib_env env;
	struct nht *nht;
	struct recorder *rec;
	struct ldp *ldp;
	struct ldp_settings (*settings)(int n);
	struct timer igp;
	bool kept;		/* the engine that starts next finds forwarding as it was */
	unsigned int restarts_over;
	char labels_file[64];
};

struct sim {
	struct jobs *jobs;
	struct sim_link link[SIM_LINKS];
	struct sim_node node[SIM_NODES];
	struct list conns, packets;
	unsigned int seed;
	bool mute;		/* a router dies: its connections end without a word */
	uint64_t now_ms;
	unsigned int checks;	/* invariants looked at */
};

/* settings of a router; NULL: IPv4 alone on every link */
struct sim *sim_new(unsigned int seed, struct ldp_settings (*settings)(int n));
/* fails the test when anything is left anywhere */
void sim_free(struct sim *s);
unsigned int sim_random(struct sim *s, unsigned int below);

/* time passes, invariants hold after every step */
void sim_run(struct sim *s, unsigned int ms);
/* until what, at most ms; false: not within */
bool sim_until(struct sim *s, unsigned int ms, bool (*what)(struct sim *s));

void sim_link_set(struct sim *s, int link, bool up);
void sim_link_silent(struct sim *s, int link, bool silent);
/* the engine dies; with or without closing its connections; forwarding and labels stay */
void sim_node_stop(struct sim *s, int n, bool silently);
void sim_node_start(struct sim *s, int n, bool kept);
void sim_apply(struct sim *s, int n, struct ldp_settings *set);
struct ldp_settings sim_settings(int n);

struct prefix sim_fec(int n, int i);	/* 0: its transport address */
struct prefix sim_fec6(int n);
int sim_other_end(const struct sim_link *l, int n);	/* -1: the link is not router n's */
struct ldp_peer *sim_peer(struct sim *s, int n, int other);
bool sim_up(struct sim *s, int n, int other);

/* Labels mean to their receivers what they mean to their senders, and what was advertised is in forwarding. */
void sim_check(struct sim *s);
/* every route has a label-switched path along all its ways, to the end, without a loop */
bool sim_converged(struct sim *s);
/* of what is forwarded and why, without the numbers of labels */
uint64_t sim_digest(struct sim *s);

#endif
