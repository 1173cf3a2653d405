/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the engine's files share.
 *
 *   struct ldp --> interfaces, targets --> adjacencies <-- peers --> session --> connection
 *              --> FECs (trie) --> bindings by peer, ways in use, our label
 *
 * A FEC is there as long as it has a route, or a binding (received, sent, or not released yet) of some peer. What
 * changes about it only marks it; a job decides about it anew (fec.c) and marks the peers that have to be told
 * (out.c). So each is decided once, however many events there were.
 */
#ifndef L3VPN_LDP_PRIVATE_H
#define L3VPN_LDP_PRIVATE_H

#include <net/if.h>

#include "labels/labels.h"
#include "ldp/ldp.h"
#include "ldp/net.h"
#include "ldp/settings.h"
#include "ldp/wire.h"
#include "lib/hash.h"
#include "lib/jobs.h"
#include "lib/list.h"
#include "lib/trie.h"
#include "rib/nht.h"

#define LDP_HOLD_INFINITE	0xffff
#define LDP_HOLD_LINK		15	/* what 0 means (RFC 5036 section 3.5.2) */
#define LDP_HOLD_TARGETED	45
#define LDP_OPENING_MS		15000	/* for each step until a session is operational */
#define LDP_NEIGHBORS_MAX	1024
#define LDP_FECS_MAX		500000	/* of one peer; what it advertises beyond is released */
#define LDP_ADDRESSES_MAX	4096	/* of one peer */
#define LDP_TARGETS_MAX		1024	/* that asked */
#define LDP_UNSENT_MAX		(16u << 20)	/* octets that a peer may leave unread */
#define LDP_LIB_MS		60000	/* of silence (RFC 5919 section 4.1) */
#define LDP_WAYS_MAX		NEXTHOP_MEMBERS_MAX

/* ---- discovery ---- */

struct ldp_iface {
	struct list node;
	struct ldp *ldp;
	struct ldp_iface_settings set;
	int ifindex;			/* 0: no such link */
	bool up;			/* link is up */
	bool active[AFI_MAX];		/* Hellos go */
	unsigned int addresses[AFI_MAX];	/* that Hellos may come from */
	struct list adjs;		/* struct ldp_adj.place */
	struct timer hello;
};

struct ldp_target {
	struct list node;
	struct ldp *ldp;
	struct ip_addr addr;
	bool configured;		/* else it asked, and was accepted */
	struct ldp_adj *adj;
	struct timer hello;
};

struct ldp_adj {
	struct list place;		/* of its interface */
	struct list node;		/* of its peer */
	struct ldp_peer *peer;
	struct ldp_iface *iface;	/* link */
	struct ldp_target *target;	/* targeted */
	uint8_t family;
	bool gtsm, dual_stack;
	struct ip_addr source, transport;
	uint16_t hold;			/* negotiated, seconds */
	uint32_t config_seq;
	struct timer expiry;
};

/* ---- neighbours ---- */

enum ldp_state { LDP_NON_EXISTENT, LDP_CONNECTING, LDP_INITIALIZED, LDP_OPENSENT, LDP_OPENREC, LDP_OPERATIONAL,
		 LDP_STATES };

struct ldp_session {
	struct ldp *ldp;
	struct ldp_peer *peer;		/* NULL: accepted, not known yet whose */
	struct ldp_conn *conn;
	struct list node;		/* of those not known yet */
	uint8_t state;			/* enum ldp_state */
	bool active;
	bool gone;			/* closed while its input is being read */
	bool lost;			/* not ended by either side's will: see restart.c */
	bool reading;
	struct ip_addr local, remote;
	uint16_t keepalive, max_pdu;	/* negotiated; before: what RFC 5036 says */
	bool gtsm, password;
	struct buf in;			/* of a PDU that is not whole */
	struct timer expiry;		/* KeepAlive Timer; before: of the opening */
	struct timer keepalive_out;
	bool sent;			/* since keepalive_out was started */
	bool choked;			/* so much waits to be sent that it ends */
};

struct ldp_address {
	struct hash_node node;
	struct list of_peer;
	struct ldp_peer *peer;
	struct ip_addr addr;
	int ifindex;			/* of a link-local one; else 0 */
};

enum ldp_gr { LDP_GR_NONE, LDP_GR_AWAY, LDP_GR_RECOVERING };

struct ldp_peer {
	struct list node;		/* by LSR Id */
	struct ldp *ldp;
	struct ldp_id id;
	uint16_t index;			/* in ldp->peer_at */
	char name[24];
	struct list adjs;
	struct ldp_session *session;	/* NULL: none */
	struct timer retry;
	uint32_t backoff;		/* seconds of the next delay after a refusal */
	uint32_t failures;		/* connections that failed in a row */
	bool mismatch_told, noncompliant;
	bool family_wait;		/* retry waits for Hellos of the preferred family alone */
	struct ip_addr keyed[AFI_MAX];	/* whose MD5 key lies on the listening socket */
	uint64_t since_us;		/* of its first adjacency */

	/* of the session that is operational, or that was: see restart.c */
	uint32_t caps;			/* LDP_HAVE_CAP_* that it has on */
	bool family[AFI_MAX];		/* bindings are exchanged */
	bool graceful, recovering;	/* as its Initialization said; recovering: it restarted itself */
	uint32_t reconnect_ms, recovery_ms;
	uint8_t gr;			/* enum ldp_gr */
	struct timer gr_timer;
	struct list addresses;		/* struct ldp_address */
	unsigned int n_addresses;

	/* out.c: FECs of which it may have to be told */
	struct ldp_fec **queue;
	uint32_t queued, queue_size;	/* entries, room */
	uint32_t queue_at;		/* the first that is left */
	struct job job;
	bool lib_told, end_of_lib[AFI_MAX];
	struct timer lib_timer;		/* it has been silent: that was all (RFC 5919 section 4.1) */
	bool overfull;			/* said so */
	uint32_t received, advertised;	/* bindings */
	uint64_t up_us, pdus_in, pdus_out, sessions, faults;
	char last_error[160];
};

static inline bool peer_up(const struct ldp_peer *p)
{
	return p->session && p->session->state == LDP_OPERATIONAL;
}

/* its bindings count: there is a session, or it is expected back */
static inline bool peer_usable(const struct ldp_peer *p)
{
	return peer_up(p) || p->gr != LDP_GR_NONE;
}

/* ---- FECs ---- */

#define BIND_STALE	0x01		/* received by a session that has gone */
#define BIND_QUEUED	0x02		/* in the peer's queue */
#define BIND_RELEASED	0x04		/* the peer does not want what we sent */
#define BIND_ASKED	0x08		/* by a Label Request that has its answer to come */

struct ldp_bind {
	uint16_t peer;			/* ldp->peer_at[] */
	uint8_t flags;
	uint8_t withdrawn;		/* withdrawals that it has not answered */
	uint32_t received;		/* LDP_LABEL_NONE: none */
	uint32_t sent;			/* likewise */
};

struct ldp_way {
	struct ip_addr gateway;
	int ifindex;
	uint32_t label;
	uint16_t weight;
	uint16_t peer;
};

struct ldp_fec {
	struct ldp *ldp;
	struct list dirty;
	struct label_user user;
	uint32_t label;			/* what we advertise; LDP_LABEL_NONE: nothing */
	uint16_t n_bind;
	uint8_t n_way;
	uint8_t afi;
	bool routed, egress;
	bool wanted;			/* has, or should have, a label of ours other than null */
	bool waiting;			/* for that to be programmed */
	struct ldp_bind *bind;
	struct ldp_way *way;		/* as forwarding and rib/lsp.h were told */
};

struct ldp {
	struct rib_env env;
	struct ldp_options opt;
	struct nht *nht;
	struct fib *fib;
	const struct ldp_net *net;
	void *net_arg;
	struct ldp_settings set;
	bool running;			/* configured */
	struct ldp_id id;
	uint32_t config_seq, msg_id;
	struct list ifaces, targets, peers, openings;
	unsigned int n_peers, n_openings;
	struct ldp_peer **peer_at;
	unsigned int peer_room;
	struct hash addresses;		/* of peers: struct ldp_address */
	struct list own;		/* our addresses: struct own_address, own.c */
	struct nht_main_sub main_sub;
	struct nht_connected_sub connected_sub;
	struct nht_link_sub link_sub;
	struct trie connected[AFI_MAX];	/* own networks: uint32_t, how many links */
	struct trie fecs[AFI_MAX];	/* struct ldp_fec */
	struct list dirty;		/* struct ldp_fec.dirty */
	uint32_t waiting;		/* FECs whose label is not programmed yet */
	struct job job;
	/* our own restart, restart.c */
	bool restarting;
	struct timer holding, settle;
	uint64_t holding_ends_us, quiet_us;
};

/* engine.c */
struct ldp *ldp_new(const struct rib_env *env, const struct ldp_options *opt, const struct ldp_net *net,
		    void *net_arg);
void ldp_free(struct ldp *l);
/* takes what *s holds; off: everything goes */
void ldp_apply(struct ldp *l, struct ldp_settings *s);
const struct ldp_neighbor_settings *ldp_neighbor_settings(const struct ldp *l, const struct ldp_peer *p);
bool ldp_id_eq(const struct ldp_id *a, const struct ldp_id *b);

/* disc.c */
void disc_init(struct ldp *l);
void disc_stop(struct ldp *l);
void disc_apply(struct ldp *l);		/* interfaces and targets as configured */
void disc_announce(struct ldp *l);	/* Hellos now: the configuration changed */
void adj_free(struct ldp_adj *a);	/* without a word to the peer */
/* gtsm by an adjacency of the family; link: there is one by basic discovery */
bool adj_any(const struct ldp_peer *p, uint8_t family, bool *gtsm, bool *link);
const struct ldp_adj *adj_of_family(const struct ldp_peer *p, uint8_t family);

/* own.c */
void own_addr(struct ldp *l, const struct nht_link *link, const struct ip_addr *a, bool add);
/* the link has gone, or may be in another VRF */
void own_link(struct ldp *l, const struct nht_link *link, bool present);
void own_stop(struct ldp *l);
/* on that link, from which Hellos of the family may come */
unsigned int own_count(const struct ldp *l, int ifindex, uint8_t family);
/* sends our addresses of what families the peer has; after the session came up */
void own_tell_all(struct ldp_peer *p);

/* peer.c */
struct ldp_peer *peer_find(const struct ldp *l, const struct ldp_id *id);
struct ldp_peer *peer_get(struct ldp *l, const struct ldp_id *id);	/* NULL: too many */
void peer_free(struct ldp_peer *p);
/* adjacencies or settings changed: looks whether a session is wanted, and over what */
void peer_update(struct ldp_peer *p);
/* a route came or moved: who could not be connected to may be reached now */
void peer_route_changed(struct ldp *l, const struct prefix *p);
/* the last adjacency of its session's family has gone: the session goes */
void peer_adj_lost(struct ldp_peer *p, const char *why);
void peer_session_up(struct ldp_session *s);
/* @refused: its parameters; the session's memory is the caller's */
void peer_session_down(struct ldp_session *s, bool refused, bool lost, const char *why);
const char *peer_password(const struct ldp_peer *p);
uint8_t peer_min_ttl(const struct ldp_peer *p, uint8_t family);
uint16_t peer_keepalive(const struct ldp_peer *p);
struct ldp_peer *peer_by_address(const struct ldp *l, const struct ip_addr *a, int ifindex);
void peer_forget_addresses(struct ldp_peer *p);
void peer_learn_link_local(struct ldp_peer *p);
bool peer_add_address(struct ldp_peer *p, const struct ip_addr *a, int ifindex);
bool peer_del_address(struct ldp_peer *p, const struct ip_addr *a);

/* session.c */
struct ldp_session *session_new(struct ldp *l, struct ldp_peer *p, bool active);
/* with a NOTIFICATION of @status (LDP_SUCCESS: none); frees it, or does so when its input is read */
void session_close(struct ldp_session *s, const struct ldp_fault *f, const char *why);
void session_fault(struct ldp_session *s, uint32_t status, const char *why);
void session_notify(struct ldp_session *s, const struct ldp_fault *f);
void session_send(struct ldp_session *s, struct buf *b);	/* whole PDUs; b is emptied */
const char *session_state_str(uint8_t state);
uint16_t session_room(const struct ldp_session *s);		/* octets of a PDU behind its length */

/* in.c: one message of an operational session; false: the session has gone */
bool in_message(struct ldp_session *s, const struct ldp_msg *m);

/* out.c */
void out_init(struct ldp_peer *p);
void out_stop(struct ldp_peer *p);			/* forgets the queue */
void out_fec(struct ldp_peer *p, struct ldp_fec *f);	/* it may have to be told something */
void out_everything(struct ldp_peer *p, bool again);	/* all FECs; @again: also what it has been told */
void out_release(struct ldp_peer *p, const struct ldp_fec_elem *e, uint32_t label, uint32_t status);
void out_request_all(struct ldp_peer *p, uint8_t family);
void out_answer(struct ldp_peer *p, struct ldp_fec *f, uint32_t request);
void out_keepalive(struct ldp_session *s);
void out_resume(struct ldp_peer *p);
void out_idle(struct ldp *l);				/* FECs are decided: what we have may be all */
/* the label that the peer should have been told; LDP_LABEL_NONE: none */
uint32_t out_wanted(const struct ldp_peer *p, const struct ldp_fec *f, const struct prefix *fec);

/* fec.c */
void fec_init(struct ldp *l);
void fec_stop(struct ldp *l);
struct ldp_fec *fec_find(const struct ldp *l, const struct prefix *p);
struct ldp_fec *fec_get(struct ldp *l, const struct prefix *p);
struct prefix fec_prefix(const struct ldp_fec *f);
void fec_mark(struct ldp_fec *f);
void fec_mark_all(struct ldp *l);
struct ldp_bind *fec_bind(const struct ldp_fec *f, const struct ldp_peer *p);
struct ldp_bind *fec_bind_get(struct ldp_fec *f, const struct ldp_peer *p);
/* the binding may say nothing any more; the FEC may go by the job */
void fec_bind_check(struct ldp_fec *f, struct ldp_bind *b);
void fec_received(struct ldp_peer *p, const struct prefix *fec, uint32_t label);
/* @label LDP_LABEL_NONE: any */
void fec_withdrawn(struct ldp_peer *p, const struct ldp_fec_elem *e, uint32_t label);
void fec_released(struct ldp_peer *p, const struct ldp_fec_elem *e, uint32_t label);
/* FECs whose way may lead by the peer are decided about again */
void fec_mark_peer(struct ldp_peer *p);
/* releases what the peer advertised and the settings do not accept any more */
void fec_drop_refused(struct ldp_peer *p);
/* bindings of a peer: forgotten with all that it was told; kept as stale; the stale ones forgotten */
enum fec_sweep { FEC_FORGET, FEC_KEEP_STALE, FEC_DROP_STALE };
void fec_sweep(struct ldp_peer *p, enum fec_sweep how);

/* restart.c */
void restart_begin(struct ldp *l);
void restart_stop(struct ldp *l);
void restart_configured(struct ldp *l);
uint32_t restart_recovery_ms(const struct ldp_peer *p);	/* Recovery Time to be told to it now */
void restart_check(struct ldp *l);			/* a peer came up or told all */
void restart_helper_init(struct ldp_peer *p);
bool restart_helper_down(struct ldp_peer *p, bool lost);	/* true: its bindings are kept */
void restart_helper_init_msg(struct ldp_peer *p, const struct ldp_msg *init);
void restart_helper_up(struct ldp_peer *p);
void restart_helper_told(struct ldp_peer *p);		/* End-of-LIB of all families */
void restart_helper_heard(struct ldp_peer *p);		/* a label, before the End-of-LIB */
void restart_helper_stop(struct ldp_peer *p);
const char *restart_helper_str(const struct ldp_peer *p);

#endif
