/* SPDX-License-Identifier: GPL-2.0 */
/*
 * LDP, the Label Distribution Protocol: RFC 5036 (downstream unsolicited, liberal retention), 7552 (IPv6), 3478
 * (graceful restart), 5283, 5561, 5918, 5919, 6720.
 *
 *   wire.c     messages and TLVs                  disc.c      Hellos, adjacencies, interfaces, targets
 *   session.c  state machine of a session         peer.c      neighbours: who connects, when, over what
 *   in.c       messages of a session              out.c       what a neighbour is told, in PDUs
 *   fec.c      FECs: route, labels, forwarding    restart.c   graceful restart, ours and theirs
 *   own.c      our addresses                      engine.c    life, new settings
 *   config.c   configuration (settings.h)         net_uv.c    sockets (net.h)
 *
 * The engine knows no sockets: it sends and receives through struct ldp_net (net.h), so that tests run many of them in
 * simulated time. Main thread only.
 */
#ifndef L3VPN_LDP_LDP_H
#define L3VPN_LDP_LDP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/prefix.h"
#include "rib/proto.h"

struct ldp;
struct uv_loop_s;

struct ldp_options {
	struct uv_loop_s *loop;
	/* forwarding went on while no daemon ran, with what the daemon before had programmed */
	bool restarting;
	/* forwarding has what the tables say */
	bool (*settled)(void *arg);
	/* called once when the restart is over for LDP; not when !restarting */
	void (*restart_done)(void *arg);
	void *arg;
};
/* before ldp_proto.start() */
void ldp_set_options(const struct ldp_options *opt);

extern const struct rib_proto ldp_proto;
/* the engine of what ldp_proto.start() returned, for show */
struct ldp *ldp_engine(void *instance);

/* ---- for show; all strings are owned by the engine or constant ---- */

struct ldp_neighbor_info {
	char id[24];			/* LSR Id, with :SPACE where that is not 0 */
	const char *state, *graceful;
	bool session, active, operational;
	struct ip_addr local, remote;	/* of the session, or as they would be; family 0: not known yet */
	uint64_t up_us;			/* since when, 0: it is not */
	uint32_t received, advertised;
	uint16_t keepalive, max_pdu;	/* negotiated */
	bool gtsm, password;
	bool dynamic, typed, unrecognized, peer_graceful;	/* capabilities of the neighbour */
	bool end_of_lib[2];		/* received, by enum afi */
	bool family[2];			/* bindings exchanged */
	uint32_t reconnect_ms, recovery_ms;	/* as it announced */
	uint64_t pdus_in, pdus_out, sessions, faults;
	char adjacencies[160], last_error[160];
};
/* The neighbour behind @after (NULL: the first), by LSR Id; false: none. Resumable. */
bool ldp_neighbor_next(const struct ldp *l, const char *after, struct ldp_neighbor_info *info);
/* resets sessions: of one neighbour, or (NULL) of all; how many */
unsigned int ldp_clear(struct ldp *l, const char *id);

struct ldp_discovery_info {
	char source[64];
	bool targeted;
	uint8_t family;
	const char *state;
	char neighbor[24];		/* empty: nobody answers */
	struct ip_addr address, transport;
	uint32_t interval, hold, expires;	/* seconds */
};
/* the @n-th row; false: no more */
bool ldp_discovery_at(const struct ldp *l, unsigned int n, struct ldp_discovery_info *info);

struct ldp_binding_info {
	uint32_t label;
	char neighbor[24];
	bool in_use, stale;
};
struct ldp_way_info {
	struct ip_addr gateway;
	char ifname[16];
	uint32_t label;			/* LDP_LABEL_NONE: unlabelled */
	char neighbor[24];
};
struct ldp_fec_info {
	struct prefix fec;
	uint32_t in_label;		/* LDP_LABEL_NONE: none */
	const char *state;		/* of the local label; NULL: none */
	unsigned int advertised;	/* to so many */
	unsigned int n_remote, n_ways;
	struct ldp_binding_info remote[64];
	struct ldp_way_info way[64];
};
/* The FEC behind @after (NULL: the first of @family); false: none. Resumable. */
bool ldp_fec_after(const struct ldp *l, uint8_t family, const struct prefix *after, struct ldp_fec_info *info);

/* Parameters and totals as text: the @n-th; false: no more. */
bool ldp_parameter_at(const struct ldp *l, unsigned int n, const char **item, char *value, size_t size);

#endif
