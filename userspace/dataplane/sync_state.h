/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dataplane/sync_state.h: between the files of the synchroniser: sync.c (life, adoption, the
 * forwarder's coming and going), sync_window.c (changes to batches, acknowledgements), sync_fib.c
 * (next hops, routes, labels), sync_port.c (VRFs and ports), audit.c. Nobody else includes it.
 */
#ifndef L3VPN_DATAPLANE_SYNC_STATE_H
#define L3VPN_DATAPLANE_SYNC_STATE_H

#include "dataplane/sync.h"
#include "host/host.h"
#include "lib/hash.h"
#include "lib/jobs.h"
#include "lib/list.h"
#include "lib/trie.h"
#include "rib/fib.h"
#include "rib/soft.h"
#include "rib/table.h"
#include "vrf/vrf.h"

#define WINDOW_MAX	4096		/* requests of a batch */
#define RETRY_MIN_MS	50
#define RETRY_MAX_MS	30000

/**
 * struct sync_refused - a route that the forwarder refused
 * @removal:	window of the deletion that followed the refusal, 0: none did. An addition of an
 *		earlier window may have succeeded, but that deletion comes after it
 */
struct sync_refused {
	struct hash_node node;
	struct prefix prefix;
	uint64_t removal;
	int error;
};

/**
 * struct sync_table - one VRF and family
 * @count, @digest:	of what is wanted
 * @refused:		struct sync_refused by prefix
 * @window:		changes not submitted yet
 * @mixed:		the window has deletions
 * @dirty:		in sync.dirty_tables while there is a window
 */
struct sync_table {
	struct sync_vrf *vrf;
	uint8_t family;
	bool mixed;
	uint64_t count, digest;
	struct hash refused;
	char why[120];			/* of the last refusal */
	struct dp_batch *window;
	struct list dirty;
};

struct sync_vrf {
	struct vrf *vrf;		/* NULL: being deleted */
	uint32_t id;
	char name[VRF_NAME_MAX];
	bool held;			/* acknowledged */
	bool wanted;
	int error;
	uint32_t limit[AFI_MAX], warn[AFI_MAX];
	struct tunnel tunnel;
	uint64_t window;		/* window_no whose head has its VRF_NEW at @at */
	size_t at;
	struct sync_table table[AFI_MAX];
};

/* held: digest of the content that was acknowledged last; 0: none was */
struct sync_nh {
	struct fib_nh *nh;
	uint64_t held;
	int error;
	struct list failed;		/* in sync.failed_nhs */
};

struct sync_label {
	struct fib_label *label;
	uint64_t held;
	int error;
	struct list failed;
};

/**
 * struct sync_port - a port of the configuration
 * @ifindex:	device that it should be bound to; 0 none
 * @bound:	device that it was last bound to (or is being bound); 0 none
 * @gone:	not wanted any more, the unbinding is not acknowledged
 */
struct sync_port {
	struct list node;		/* in sync.ports */
	char name[IFNAMSIZ];
	char vrf[IFNAMSIZ];
	bool core;
	uint32_t mpls_mtu;
	bool gone;
	bool ok;
	int32_t ifindex;
	int32_t bound;
	bool bound_core;		/* as which kind */
	struct host_guard guard;
	int error;
	char why[120];
};

/**
 * struct sync_endpoint - one end of tunnels
 * @want:	NULL: none
 * @held:	acknowledged as it is wanted
 * @seen:	reported since an audit began
 */
struct sync_endpoint {
	struct dp_endpoint *want;
	bool held, seen;
	int error;
	char why[120];
};

/* A next hop that the forwarder held before: waits to be claimed by content. */
struct sync_adopted {
	struct hash_node node;		/* by dp_nh_content() */
	struct dp_nh *nh;
};

struct audit;

struct dp_sync {
	struct dp_sync_env env;
	struct dp_provider *p;
	struct fib *fib;
	struct fib_sub fib_sub;
	struct vrf_watch vrf_watch;
	struct host_listener host_listener;
	bool closing;
	/* the forwarder */
	bool present;			/* told ready, and not gone since */
	bool adopted, adopt_failed, started;
	int adopting;			/* dumps under way */
	bool preserved[AFI_MAX];
	bool preserved_labels;
	uint64_t instance;
	uint32_t epoch;
	uint32_t reloads;
	bool sweep_wanted, sweep_running, sweep_done;
	uint64_t swept;
	/* shadow */
	struct sync_vrf **vrfs;		/* by id */
	uint32_t vrfs_size;
	struct sync_nh **nhs;		/* by id */
	uint32_t nhs_size;
	uint32_t nh_next;		/* lowest id never given */
	uint8_t *nh_idle;		/* by id, enum sync_idle: each is in one of the lists below, once at most */
	uint32_t *nh_free;		/* ids whose deletion was acknowledged */
	uint32_t nh_free_n, nh_free_size;
	uint32_t *nh_dead;		/* ids whose deletion was refused: still referred to */
	uint32_t nh_dead_n, nh_dead_size;
	uint64_t nh_count, nh_digest;
	uint64_t label_count, label_digest;
	struct hash adopted_nhs;
	struct list ports;
	struct soft_sub soft_sub;
	struct sync_endpoint endpoint[SOFT_ENCAPS][AFI_MAX];
	struct list failed_nhs, failed_labels;
	uint32_t failed_routes, failed_vrfs;
	/* windows */
	struct dp_batch *head, *labels, *tail;
	struct list dirty_tables;
	struct job flush;
	uint64_t window_no;		/* of the window that is gathered now, from 1 */
	size_t windowed;
	uint64_t in_flight;		/* requests submitted and not acknowledged */
	uint64_t requests, refused;
	char last_refusal[200];
	uint64_t changes;		/* rises with every request */
	/* programming everything */
	struct job program;
	bool programming;
	struct sync_walk {
		char vrf[VRF_NAME_MAX];
		int afi;
		struct prefix prefix;
		bool first;
	} walk;
	struct timer retry;
	uint64_t retry_ms;
	struct timer audit_timer;
	struct audit *audit;
	enum dp_audit_state audit_state;
	uint64_t audits, audit_mends, audit_time_us;
	struct timer sweep_timer;
	uint64_t sweep_seen;		/* changes when the sweep last looked */
	void (*on_drop)(void *arg, const struct dp_drop *drop);
	void *on_drop_arg;
	void (*on_packet)(void *arg, const struct dp_packet *packet);
	void *on_packet_arg;
	void (*on_clear)(void *arg);
	void *on_clear_arg;
};

/* sync_window.c: requests go into the window; it is flushed by a job, or when full */
struct dp_op *window_head(struct dp_sync *s, enum dp_op_type type);
struct dp_op *window_tail(struct dp_sync *s, enum dp_op_type type);
void window_nh(struct dp_sync *s, const struct fib_nh *nh);
void window_nh_del(struct dp_sync *s, uint32_t id);
void window_route(struct dp_sync *s, struct sync_table *t, const struct prefix *p,
		  const struct fib_dest *dest);	/* dest NULL: delete */
void window_label(struct dp_sync *s, const struct fib_label *l);
void window_label_del(struct dp_sync *s, uint32_t label);
void window_flush(struct dp_sync *s);
void window_drop(struct dp_sync *s);		/* forget what was not submitted */
void window_free(struct dp_sync *s);

/* sync_fib.c */
void sync_fib_start(struct dp_sync *s);
void sync_fib_stop(struct dp_sync *s);
void sync_fib_program(struct dp_sync *s);	/* next hops and labels; routes by the walk */
void sync_fib_lost(struct dp_sync *s);		/* nothing is held any more */
void sync_fib_retry(struct dp_sync *s);
void sync_nh_acked(struct dp_sync *s, const struct dp_op *op);
void sync_nh_del_acked(struct dp_sync *s, const struct dp_op *op);
void sync_route_acked(struct dp_sync *s, const struct dp_op *op);
void sync_label_acked(struct dp_sync *s, const struct dp_op *op);
void sync_room(struct dp_sync *s, const struct sync_table *t);	/* there may be room for what was refused */
bool sync_nh_content(const struct fib_nh *nh, struct dp_nh *out,
		     struct l3vpn_nh_member members[L3VPN_GROUP_MAX]);
void sync_label_record(const struct fib_label *l, struct l3vpn_label *out);
uint64_t sync_route_digest(uint32_t vrf, const struct prefix *p, const struct fib_dest *dest);
void sync_adopt_nh(struct dp_sync *s, const struct dp_nh *nh);
struct sync_refused *sync_refused_find(const struct sync_table *t, const struct prefix *p);

/* sync_port.c */
void sync_port_start(struct dp_sync *s);
void sync_port_stop(struct dp_sync *s);
void sync_port_program(struct dp_sync *s);
void sync_port_lost(struct dp_sync *s);
bool sync_port_retry(struct dp_sync *s);	/* true: something was tried */
void sync_port_acked(struct dp_sync *s, const struct dp_op *op);
void sync_vrf_acked(struct dp_sync *s, const struct dp_op *op);
void sync_port_event(struct dp_sync *s, const struct dp_event *event);
/* Does the forwarder hold other settings than those wanted? Programs them again then. */
bool sync_vrf_mend(struct dp_sync *s, const struct dp_vrf *held);
bool sync_port_mend(struct dp_sync *s, const struct dp_port *held, const char **name);
struct sync_vrf *sync_vrf_by_id(const struct dp_sync *s, uint32_t id);
uint32_t sync_ports_failed(const struct dp_sync *s);

/* sync_endpoint.c */
void sync_endpoint_start(struct dp_sync *s);
void sync_endpoint_stop(struct dp_sync *s);
void sync_endpoint_program(struct dp_sync *s);
void sync_endpoint_lost(struct dp_sync *s);
bool sync_endpoint_retry(struct dp_sync *s);	/* true: something was tried */
void sync_endpoint_acked(struct dp_sync *s, const struct dp_op *op);
void sync_endpoint_expect(const struct dp_sync *s, struct dp_expect *e);
/* Is what the forwarder holds not as it is wanted? It is programmed, or taken away, then: *what says which. */
bool sync_endpoint_mend(struct dp_sync *s, const struct dp_endpoint *held, const char **what);
unsigned int sync_endpoint_missing(struct dp_sync *s);

/* audit.c */
void audit_start(struct dp_sync *s);
void audit_stop(struct dp_sync *s);
void audit_due(struct timer *t);

/* sync.c */
void sync_refusal(struct dp_sync *s, const struct dp_op *op);	/* counts, logs, asks for a retry */
void sync_retry_soon(struct dp_sync *s);
void sync_program_all(struct dp_sync *s);
uint32_t sync_failed(const struct dp_sync *s);

#endif
