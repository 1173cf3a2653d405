/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: FIB entries that the module keeps by itself: connected prefixes and local addresses.
 *
 * Implemented by: kept.c (control plane). Called by: addr.c (which entries there should be),
 * route.c (user space's route of a prefix that is kept lives on in its shadow).
 *
 * Several devices may ask for the same prefix: each asks by a claim, and the best claim (local
 * address before connected, then the oldest) is what the FIB shows. A route of user space for the
 * same prefix is shadowed meanwhile: it stays counted and dumped, and comes back with the last
 * claim's end. Everything here runs under ln->lock and may sleep.
 */
#ifndef _L3VPN_KEPT_H
#define _L3VPN_KEPT_H

#include <linux/list.h>
#include <linux/types.h>
#include "fib.h"

struct l3vpn_net;
struct l3vpn_vrf;
struct l3vpn_nh;

enum l3vpn_claim_rank {
	L3VPN_CLAIM_RECEIVE,
	L3VPN_CLAIM_CONNECTED,
};

/**
 * struct l3vpn_keeper - embedded in whatever has addresses: a port, a VRF
 * @claims:	its claims; under ln->lock
 * @pending:	in ln->addr_pending; under ln->addr_lock
 * @open:	may be put into ln->addr_pending; under ln->addr_lock
 * @of_vrf:	embedded in a VRF, else in a port; constant
 */
struct l3vpn_keeper {
	struct list_head claims;
	struct list_head pending;
	bool open;
	bool of_vrf;
};

/**
 * struct l3vpn_kept - one prefix of one VRF that somebody claims
 * @node:	in vrf->kept
 * @claims:	best first; never empty outside of kept.c
 * @key:	prefix
 * @plen:	its length
 * @v6:		0 IPv4, 1 IPv6
 * @shadowed:	@shadow is valid
 * @shadow:	user space's route of the same prefix; holds its reference of the next hop
 */
struct l3vpn_kept {
	struct list_head node;
	struct list_head claims;
	struct l3vpn_key key;
	u8 plen;
	u8 v6;
	bool shadowed;
	struct l3vpn_leaf shadow;
};

void l3vpn_keeper_init(struct l3vpn_keeper *keeper, bool of_vrf);

/*
 * A round over all addresses of @keeper's device: begin, claim each, end. What was claimed before
 * and not in this round is given up. A claim that finds no memory is reported (-ENOMEM) and absent.
 */
void l3vpn_kept_begin(struct l3vpn_keeper *keeper);
int l3vpn_kept_claim(struct l3vpn_vrf *vrf, struct l3vpn_keeper *keeper, int v6,
		     struct l3vpn_key key, u8 plen, enum l3vpn_claim_rank rank,
		     struct l3vpn_nh *nh);
void l3vpn_kept_end(struct l3vpn_vrf *vrf, struct l3vpn_keeper *keeper);

/* Give up all claims of @keeper. */
static inline void l3vpn_kept_release(struct l3vpn_vrf *vrf, struct l3vpn_keeper *keeper)
{
	l3vpn_kept_begin(keeper);
	l3vpn_kept_end(vrf, keeper);
}

/* NULL: nobody claims this prefix. */
struct l3vpn_kept *l3vpn_kept_find(struct l3vpn_vrf *vrf, int v6, struct l3vpn_key key, u8 plen);

#endif /* _L3VPN_KEPT_H */
