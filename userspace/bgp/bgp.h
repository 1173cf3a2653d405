/* SPDX-License-Identifier: GPL-2.0 */
/*
 * BGP: the protocol as the daemon sees it (rib/proto.h), with what the daemon tells it before.
 *
 *   wire  msg  cease  open  nlri  attr  encode  update   the format: no state, any thread
 *   fsm  sock  session  worker  conn  io            sessions: worker threads
 *   peer  in  group  restart  refresh  listen  md5  peers and tables: main thread
 *   policy  limit  refused  retain                  what is taken and told, what was not: main thread
 *   config  inherit                                 what is configured, neighbor-groups: main thread
 *   live                                          BFD of neighbours: main thread
 *   group  tell  move  said  audience  pack  out      update groups: main thread
 *   maintenance                                   sessions that are about to end: main thread
 *   reflect                                       what peers told, passed on: main thread
 *   lu  lu_network                                  labelled unicast: main thread
 *
 * RFC 1997, 2385, 2545, 2918, 4271, 4360, 4364, 4456, 4486,
 * 4659, 4684, 4724, 4760, 4781, 4798, 5004, 5082, 5492, 5668, 6286, 6608,
 * 6793, 7313, 7606, 7607, 7911, 8092,
 * 8212, 8326,
 * 8277 (one label), 8538, 8654, 8950, 9003, 9072, 9384, 9687.
 */
#ifndef L3VPN_BGP_BGP_H
#define L3VPN_BGP_BGP_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "rib/proto.h"

struct bgp;

/* Set once, before bgp_proto.start(); copied. Main thread. */
struct bgp_options {
	uv_loop_t *loop;
	unsigned int workers;		/* threads; at least 1 */
	/*
	 * This process follows one whose forwarding state is still there: the R bit is set, and
	 * nothing is announced until the peers have told all they know (RFC 4724 4.1).
	 */
	bool restarting;
	/* The F bit of a family: forwarding really holds its state. NULL: never. */
	bool (*forwarding_kept)(void *arg, uint8_t family /* AF_INET, AF_INET6 */);
	/* Everything that tables want is in forwarding, labels included. NULL: always. */
	bool (*settled)(void *arg);
	/* Restart is over (at once when there was none to wait for): what is stale may go. */
	void (*restart_done)(void *arg);
	void *arg;
};

void bgp_set_options(const struct bgp_options *opt);

extern const struct rib_proto bgp_proto;

#endif
