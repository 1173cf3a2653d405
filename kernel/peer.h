/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: the far ends of tunnels, by address: which sources an endpoint may trust, and what is known
 * of the path to them.
 *
 * Implemented by: peer.c. Made and ended by nexthop_build.c under ln->lock; read by the data path
 * (tunnel.c, decap.c) inside rcu_read_lock.
 */
#ifndef _L3VPN_PEER_H
#define _L3VPN_PEER_H

#include <linux/in6.h>
#include <linux/rcupdate.h>
#include <linux/rhashtable-types.h>
#include <linux/types.h>

struct l3vpn_net;

/**
 * struct l3vpn_peer_key - an address
 * @addr:	network byte order; IPv4 in the first word, the others zero
 * @family:	AF_INET or AF_INET6
 */
struct l3vpn_peer_key {
	struct in6_addr addr;
	u32 family;
};

/**
 * struct l3vpn_peer - see above
 * @node:	in ln->peers
 * @key:	its address
 * @refs:	snapshots of next hops that lead to it; under ln->lock
 * @mtu:	octets of an outer packet that the path takes, as an ICMP error has said; 0: nothing is known;
 *		READ_ONCE
 * @mtu_until:	jiffies up to which @mtu counts; READ_ONCE
 * @rcu:	frees
 */
struct l3vpn_peer {
	struct rhash_head node;
	struct l3vpn_peer_key key;
	u32 refs;
	u32 mtu;
	unsigned long mtu_until;
	struct rcu_head rcu;
};

/* Inside rcu_read_lock. @addr: 4 or 16 octets by @family. NULL: no tunnel leads there. */
struct l3vpn_peer *l3vpn_peer_find(struct l3vpn_net *ln, u8 family, const void *addr);

/* Under ln->lock, may sleep: the peer of that address, referenced; NULL: no memory. */
struct l3vpn_peer *l3vpn_peer_get(struct l3vpn_net *ln, u8 family, const void *addr);

/* Under ln->lock. Freed a grace period after the last reference. */
void l3vpn_peer_put(struct l3vpn_net *ln, struct l3vpn_peer *peer);

/* Inside rcu_read_lock. A router on the way says that packets to @peer may have @mtu octets (RFC 1191, 8201). */
void l3vpn_peer_learn_mtu(struct l3vpn_peer *peer, u32 mtu);

/* Inside rcu_read_lock. What is known of it; U32_MAX: nothing. */
u32 l3vpn_peer_mtu(const struct l3vpn_peer *peer);

/* A namespace's init and exit. Process context. 0 or -errno. */
int l3vpn_peer_net_init(struct l3vpn_net *ln);
void l3vpn_peer_net_exit(struct l3vpn_net *ln);

#endif /* _L3VPN_PEER_H */
