/* SPDX-License-Identifier: GPL-2.0 */
/*
 * host/state.h: between the files of host/: host.c (life, listeners, lookups), watch.c (the kernel's state
 * comes in), port.c (configured interfaces), vrfdev.c (VRF devices, rules), request.c (what is
 * asked of the kernel). Nobody else includes it.
 */
#ifndef L3VPN_HOST_STATE_H
#define L3VPN_HOST_STATE_H

#include <netlink/netlink.h>

#include "conf/conf.h"
#include "host/host.h"
#include "lib/hash.h"
#include "lib/jobs.h"
#include "lib/list.h"
#include "lib/prefix.h"
#include "lib/trie.h"
#include "rib/nht.h"

#define RETRY_MIN_MS	100
#define RETRY_MAX_MS	30000

/** struct link - a device, with its addresses */
struct link {
	struct host_link pub;		/* first: a struct host_link * is a struct link * */
	struct hash_node by_name;
	struct host_addr *addrs;
	size_t n_addrs;
	bool seen;			/* while everything is read again */
};

struct static_neigh {
	struct ip_addr addr;
	uint8_t mac[6];
	bool set;
};

/**
 * struct port - an interface of the configuration
 * @addrs:	wanted, with host bits, in the order of the configuration
 * @failed:	what was asked last was refused: pub.why says it
 */
struct port {
	struct host_port pub;		/* first */
	struct prefix *addrs;
	size_t n_addrs;
	struct static_neigh *neighs;
	size_t n_neighs;
	bool failed;
	bool raise;			/* set up once: new device or new configuration */
	int32_t told;			/* ifindex that listeners know of */
	struct list dirty;		/* in host.dirty_ports: to be reconciled by the job */
};

/** struct vrfdev - a VRF's device; table 0: the forwarder does not have it (yet) */
struct vrfdev {
	struct list node;
	char name[IFNAMSIZ];
	uint32_t table;
	struct prefix *addrs;
	size_t n_addrs;
	bool configured;
	bool routes_set;
	bool failed;
	struct list dirty;		/* in host.dirty_vrfdevs */
};

struct host {
	uv_loop_t *loop;
	struct jobs *jobs;
	struct conf *conf;
	struct nht *nht;
	struct labels *labels;
	struct nl_sock *events, *requests;
	uv_poll_t poll;
	int handles;
	bool closing;
	struct link **links;		/* by ifindex */
	size_t n_links, links_size;
	struct hash names;
	struct port **ports;		/* by name */
	size_t n_ports, ports_size;
	struct list vrfdevs;
	struct list dirty_ports, dirty_vrfdevs;
	struct job work;		/* reconciles what is dirty */
	bool isolated;			/* the local rule is behind the l3mdev rule */
	struct trie routes[AFI_MAX];	/* main table: struct main_route *, by prefix (route.c) */
	struct trie mpls;		/* labels of Linux's own MPLS table (route.c) */
	struct host_listener *listeners;
	struct job tell;		/* the newly come listeners */
	struct timer retry;
	uint64_t retry_ms;
	struct timer resync;		/* events were lost */
};

/* watch.c */
bool watch_start(struct host *h, char *why, size_t len);
void watch_stop(struct host *h);
struct link *link_find(const struct host *h, int32_t ifindex);
struct link *link_named(const struct host *h, const char *name);
struct host_addr *link_addr_find(const struct link *l, const struct prefix *p);

/* route.c */
void routes_init(struct host *h);
void routes_fini(struct host *h);
void route_message(struct host *h, struct nlmsghdr *nlh);
bool routes_mpls(void);			/* this kernel has an MPLS table of its own */
void routes_reading(struct host *h);	/* everything is told anew from here on, */
void routes_read(struct host *h);	/* and until here: what was not told has gone */

/* host.c */
void tell_link(struct host *h, enum host_event what, const struct link *l);
void tell_addr(struct host *h, enum host_event what, const struct link *l, const struct host_addr *a);
void tell_port(struct host *h, enum host_event what, const struct port *p);
void retry_later(struct host *h);

/* port.c */
void port_subscribe(struct host *h);
struct port *port_named(const struct host *h, const char *name);
/* A device of that name came, went or changed: the job looks at what is configured for it. */
void port_link_changed(struct host *h, const char *name);
void port_dirty(struct host *h, struct port *p);
void port_reconcile(struct host *h, struct port *p);
void port_neigh_lost(struct host *h, const struct link *l, const struct ip_addr *a);
void ports_free(struct host *h);
bool addrs_have(const struct prefix *addrs, size_t n, const struct prefix *p);
/* guard.c; @tree: the whole configuration */
void guard_parse(const struct lyd_node *tree, const struct lyd_node *node, struct host_guard *out);
size_t addrs_parse(const struct lyd_node *node, const char *const rels[2], struct prefix **out);

/* vrfdev.c */
void vrfdev_subscribe(struct host *h);
struct vrfdev *vrfdev_named(const struct host *h, const char *name);
void vrfdev_dirty(struct host *h, struct vrfdev *v);
void vrfdev_reconcile(struct host *h, struct vrfdev *v);
void vrfdev_route_lost(struct host *h, uint32_t table);
void vrfdevs_free(struct host *h);

/* request.c: at once; 0 or a positive errno */
int request_link_up(struct host *h, const struct host_link *l, bool up);
int request_addr(struct host *h, int32_t ifindex, const struct prefix *p, bool add, bool nodad);
int request_neigh(struct host *h, int32_t ifindex, const struct ip_addr *a, const uint8_t mac[6], bool add);
int request_default(struct host *h, uint8_t family, uint32_t table, int32_t ifindex);
int request_local_rule(struct host *h, uint8_t family, uint32_t priority, bool add);
bool sysctl_write(const char *family, const char *dev, const char *name, const char *value);

#endif
