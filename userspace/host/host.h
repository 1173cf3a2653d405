/* SPDX-License-Identifier: GPL-2.0 */
/*
 * host/host.h: the Linux host as the daemon sees and sets it (libnl-3, libnl-route-3).
 *
 * In: links, addresses, neighbours and the main table's routes of this network namespace; they
 * feed next-hop tracking (rib/nht.h) and the connected routes of VRFs; the labels of Linux's own MPLS
 * table, which the label manager reserves. Out: what configuration
 * says about interfaces (addresses, static ARP and ND, up or down), what VRF devices need
 * (loopback addresses, default routes of their kernel tables), and the order of the kernel's
 * rules.
 *
 * How it works: the wanted state of each interface is kept, the kernel's state is followed by
 * multicast, and whenever either changes the interface is reconciled: what lacks is added, what
 * host/ itself added and is wanted no more is removed. What others put there is left alone.
 * A refusal is retried with growing pauses, and shown. Nothing here knows the forwarder: dataplane/
 * listens (host_listen) and binds ports; a customer port's addresses are set only once the link's
 * master is its VRF's device, so that they never appear in the global table.
 *
 * Main thread only. Pointers handed out are valid until the loop runs again.
 */
#ifndef L3VPN_HOST_HOST_H
#define L3VPN_HOST_HOST_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "lib/prefix.h"

struct conf;
struct host;
struct jobs;
struct labels;
struct nht;

/** struct host_link - a network device of this namespace */
struct host_link {
	int32_t ifindex;
	int32_t master;			/* ifindex; 0 none */
	uint32_t flags;			/* IFF_* */
	uint32_t mtu;
	char name[IFNAMSIZ];
	char kind[16];			/* "veth", "vlan", "l3vpn", ...; empty for hardware */
	uint8_t mac[8];
	uint8_t mac_len;		/* 0: has none, or not an Ethernet one */
	bool up;			/* IFF_UP */
	bool carrier;			/* IFF_RUNNING: up and operational */
};

/** struct host_addr - an address in the kernel, whoever set it */
struct host_addr {
	struct prefix prefix;		/* the address with its length; host bits kept */
	bool ours;			/* set by this daemon, or found as configured */
	bool tentative;			/* IPv6: duplicate address detection runs or failed */
};

/* values as enum l3vpn_rpf */
enum host_rpf { HOST_RPF_OFF, HOST_RPF_STRICT, HOST_RPF_LOOSE, HOST_RPF_STRICT_DEFAULT, HOST_RPF_LOOSE_DEFAULT };
#define HOST_OPTIONS_UNLIMITED	0xffffffffu

/** struct host_guard - what an interface takes in */
struct host_guard {
	uint8_t rpf[2];			/* customer: enum host_rpf, IPv4 and IPv6 */
	uint32_t options;		/* customer: IPv4 packets with options in a second */
	uint64_t scopes;		/* core: mask of 1 << enum label_scope */
};

/**
 * struct host_port - an interface in the configuration
 * @vrf:	name; empty: not a customer port
 * @ifindex:	0: no such device now
 * @why:	last refusal in words; empty: none
 */
struct host_port {
	char name[IFNAMSIZ];
	char vrf[IFNAMSIZ];
	bool core;			/* the core's: takes in tunnels, and labels by guard.scopes */
	uint32_t mpls_mtu;		/* octets, labels included; 0: the device's MTU alone counts */
	bool shutdown;
	int32_t ifindex;
	char why[96];
	struct host_guard guard;
};

enum host_event { HOST_NEW = 1, HOST_CHANGE, HOST_DEL };

/**
 * struct host_listener - who wants to hear; any member may be NULL
 *
 * After host_listen() everything present is told as HOST_NEW, from the loop.
 * link(): a rename comes as HOST_DEL under the old name, HOST_NEW under the new one.
 * port(): configuration of an interface changed, or its device appeared or went (ifindex).
 *	HOST_DEL: no more in the configuration.
 */
struct host_listener {
	struct host_listener *next;	/* host's own */
	bool fresh;			/* host's own: not told yet what there is */
	void (*link)(void *arg, enum host_event what, const struct host_link *link);
	void (*addr)(void *arg, enum host_event what, const struct host_link *link,
		     const struct host_addr *addr);
	void (*port)(void *arg, enum host_event what, const struct host_port *port);
	void *arg;
};

/*
 * Open netlink, subscribe to the configuration's interfaces and VRF loopbacks, and read the
 * kernel's state in before it returns. NULL with words in @why.
 */
struct host *host_new(uv_loop_t *loop, struct jobs *jobs, struct conf *conf, struct nht *nht,
		      struct labels *labels, char *why, size_t why_len);

/*
 * Stop following. Addresses, routes and VRF defaults stay, and so does the order of the rules
 * while a VRF device is there: forwarding goes on without the daemon, and so must isolation.
 * The loop must run once more.
 */
void host_free(struct host *host);

void host_listen(struct host *host, struct host_listener *listener);
void host_unlisten(struct host *host, struct host_listener *listener);

/*
 * A VRF's device is there, with this kernel table: set up, given its routes (default to the device, and
 * unreachable behind that, both families) and loopback addresses. While any VRF is there the kernel's
 * `local` rule stands at priority 32765, behind the l3mdev rule (1000); it returns to 0 after the last.
 */
void host_vrf_add(struct host *host, const char *name, uint32_t table);
void host_vrf_del(struct host *host, const char *name);

const struct host_link *host_link_by_name(const struct host *host, const char *name);
const struct host_link *host_link_by_index(const struct host *host, int32_t ifindex);
const char *host_link_name(const struct host *host, int32_t ifindex, char buf[IFNAMSIZ]);

/* In order; resumable: the first behind @name or @ifindex ("" or 0 to begin); NULL: no more. */
const struct host_link *host_link_after(const struct host *host, int32_t ifindex);
const struct host_port *host_port_after(const struct host *host, const char *name);
const struct host_port *host_port_by_name(const struct host *host, const char *name);

/* Addresses of a link; index counts from 0; NULL: no more. */
const struct host_addr *host_link_addr(const struct host *host, int32_t ifindex, size_t index);

#endif
