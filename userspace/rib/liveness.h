/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Is a neighbour alive: where those who want to know meet the one who finds out (bfd/). RFC 5882.
 *
 *      static, bgp, core next hops --watch--> target --want--> provider (bfd/)
 *                                  <-change--        <-report--
 *
 * Any number of watches of one {peer, local, interface, VRF} share one target, which gets the most demanding of their
 * settings. Without a provider nothing is ever known. Forwarding learns of a loss straight from the provider: it is
 * told which next hops of forwarding lead to which target (liveness_adjacency()). Main thread only.
 */
#ifndef L3VPN_RIB_LIVENESS_H
#define L3VPN_RIB_LIVENESS_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/list.h"
#include "lib/prefix.h"

struct liveness;
struct liveness_target;
struct nht;

enum liveness_state {
	LIVENESS_UNKNOWN,	/* never heard of, or taken down by an administrator: no reason to do anything */
	LIVENESS_UP,
	LIVENESS_DOWN,		/* was up, and was lost */
};

/* liveness_key() makes it: it is compared as octets. */
struct liveness_key {
	uint32_t vrf;			/* 0: global */
	bool multihop;
	struct ip_addr peer;
	struct ip_addr local;		/* multihop: family 0: by route; else none: the neighbour's network tells */
	char ifname[IF_NAMESIZE];	/* of a link-local peer, else empty */
};

/* @local and @ifname may be NULL; what does not count is left out. */
struct liveness_key liveness_key(uint32_t vrf, bool multihop, const struct ip_addr *peer, const struct ip_addr *local,
				 const char *ifname);

struct liveness_params {
	uint32_t interval_us;		/* wanted between two packets, both ways */
	uint8_t multiplier;		/* so many lost in a row: down */
	bool passive;			/* says nothing before the neighbour does; when all who watch want it */
};

struct liveness_watch {
	struct list node;
	struct liveness_target *target;	/* NULL: not watching */
	struct liveness_params params;
	bool pe;			/* of a remote PE: what forwarding has for it goes by this, see liveness_pe() */
	/* the state changed; it must not end other watches of the same target */
	void (*change)(struct liveness_watch *w, enum liveness_state state, const char *why);
};

/*
 * @w is zeroed with @change (and @pe) set, or has been here before: then it moves, or gets other settings. No call
 * comes from within.
 */
void liveness_watch(struct liveness *l, struct liveness_watch *w, const struct liveness_key *key,
		    const struct liveness_params *params);
void liveness_unwatch(struct liveness *l, struct liveness_watch *w);	/* fine when not watching */
enum liveness_state liveness_state(const struct liveness_watch *w);

/* ---- forwarding's side: adjacencies and ways to remote PEs that it holds, by id ---- */

/* acknowledged, as it is now: again after it was lost */
void liveness_adjacency(struct liveness *l, uint32_t id, int ifindex, const struct ip_addr *gateway);
/* likewise the way to a remote PE, whatever it is */
void liveness_pe(struct liveness *l, uint32_t id, const struct ip_addr *pe);
void liveness_adjacency_gone(struct liveness *l, uint32_t id);		/* of both */

/* ---- the provider's side ---- */

struct liveness_provider {
	/* wanted with these settings, or (NULL) no more */
	void (*want)(void *arg, const struct liveness_key *key, const struct liveness_params *params);
	/* next hop @id of forwarding leads to the neighbour (again), or no more */
	void (*adjacency)(void *arg, const struct liveness_key *key, uint32_t id, bool leads);
	void *arg;
};

/* Is told what is wanted at once. NULL: it goes. */
void liveness_provide(struct liveness *l, const struct liveness_provider *p);
void liveness_report(struct liveness *l, const struct liveness_key *key, enum liveness_state state, const char *why);

/* ---- the room's own ---- */
struct liveness *liveness_new(struct nht *nht);
void liveness_free(struct liveness *l);

#endif
