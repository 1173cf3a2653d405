/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which paths carry VPN traffic to a remote PE: label-switched ones (rib/lsp.h, by the protocol that found them) and
 * tunnels (rib/soft.h). A policy names kinds in the order of preference, for all PEs and, where wanted, for single
 * ones. The first kind that has a usable path carries; the next one that has stands behind it as backup, in forwarding
 * itself. So a path of a better kind that comes up takes over without loss (make before break), and one that fails is
 * replaced at once. A kind that is not named is never used. Main thread only.
 */
#ifndef L3VPN_RIB_TRANSPORT_H
#define L3VPN_RIB_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/prefix.h"
#include "rib/fib.h"
#include "rib/lsp.h"
#include "rib/nht.h"
#include "rib/proto.h"
#include "rib/soft.h"

#define TRANSPORT_NAME_MAX	32
#define TRANSPORT_DEFAULT	0	/* of whoever names none: static, LDP, BGP, UDP, GRE; all paths */

struct transport_order {
	uint8_t n;
	uint8_t kinds[RIB_PROTO_MAX];	/* enum rib_proto_id, the preferred one first */
};

struct transport_peer {
	struct ip_addr addr;		/* of the remote PE */
	struct transport_order order;
};

struct transport_policy {
	char name[TRANSPORT_NAME_MAX];
	struct transport_order order;
	uint16_t max_paths;		/* 1..FIB_MEMBERS_MAX: of one kind, those that are not backups */
	unsigned int n_peers;
	struct transport_peer *peers;
};

/* the paths that are used, the carrying ones first; not to be copied: a tunnel's @lsp is in @soft */
struct transport_choice {
	enum nexthop_reason reason;	/* NH_OK: there is one */
	unsigned int n;
	struct {
		const struct lsp *lsp;
		bool backup;
	} path[FIB_MEMBERS_MAX];
	struct lsp soft[SOFT_ENCAPS];	/* by encapsulation */
};

/*
 * Adds, or replaces the one of that name; next hops that use it are looked at again. @policy is copied. Its id, from 1
 * on, is the same as long as the daemon runs.
 */
uint16_t transport_policy_set(struct nht *nht, const struct transport_policy *policy);
/* Who still uses it goes on by it; a new one of that name takes its place. */
void transport_policy_del(struct nht *nht, const char *name);
/* 0: no such policy, or @name is NULL */
uint16_t transport_policy_id(const struct nht *nht, const char *name);
/* NULL: the default one, or none */
const struct transport_policy *transport_policy_by_id(const struct nht *nht, uint16_t id);

/* the kinds that @policy names for @pe */
const struct transport_order *transport_order_of(const struct nht *nht, const struct ip_addr *pe, uint16_t policy);

const char *transport_kind_str(uint8_t kind);	/* as in the configuration */

void transport_choose(const struct nht *nht, const struct ip_addr *pe, uint16_t policy,
		      struct transport_choice *choice);

#endif
