/* SPDX-License-Identifier: GPL-2.0 */
/* LDP's configuration, as the engine takes it: read whole from the tree by config.c, or written by tests. */
#ifndef L3VPN_LDP_SETTINGS_H
#define L3VPN_LDP_SETTINGS_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/prefix.h"

#define LDP_PASSWORD_MAX 80

/* Prefixes that a FEC or an address must be within; none: anything goes. */
struct ldp_filter {
	struct prefix *p;
	unsigned int n;
};

struct ldp_family_settings {
	bool on;
	struct ip_addr transport;
	bool targeted_accept;
	struct ldp_filter targeted_from;
	struct ip_addr *targets;
	unsigned int n_targets;
	bool host_routes, default_route, explicit_null;
	struct ldp_filter allocate, advertise, accept;
};

struct ldp_neighbor_settings {
	uint8_t lsr[4];
	char password[LDP_PASSWORD_MAX + 1];
	uint16_t holdtime;		/* 0: as for all */
	bool ttl_disable;
	uint8_t ttl_hops;		/* 0: by RFC 6720 */
	struct ldp_filter advertise, accept;
};

struct ldp_iface_settings {
	char name[IF_NAMESIZE];
	bool family[AFI_MAX];
	uint16_t interval, holdtime;	/* seconds */
};

struct ldp_settings {
	bool on;
	uint8_t router_id[4];
	bool ordered, longest_match, prefer_ipv4;
	bool graceful;
	uint16_t gr_reconnect, gr_holding, gr_liveness, gr_recovery;	/* seconds */
	uint16_t hello_interval, hello_hold, targeted_interval, targeted_hold;
	uint16_t holdtime, backoff_initial, backoff_maximum;
	struct ldp_family_settings family[AFI_MAX];
	struct ldp_neighbor_settings *neighbors;
	unsigned int n_neighbors;
	struct ldp_iface_settings *ifaces;
	unsigned int n_ifaces;
};

/* the defaults of the schema, off */
void ldp_settings_init(struct ldp_settings *s);
void ldp_settings_free(struct ldp_settings *s);
bool ldp_filter_match(const struct ldp_filter *f, const struct prefix *p);
bool ldp_filter_eq(const struct ldp_filter *a, const struct ldp_filter *b);
void ldp_filter_add(struct ldp_filter *f, const struct prefix *p);

#endif
