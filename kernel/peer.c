// SPDX-License-Identifier: GPL-2.0
/*
 * peer: the far ends of tunnels, by address.
 *
 * The path MTU that routers report about outer packets (RFC 1191, 8201) is kept here: the kernel's own table would
 * learn it from a socket, and tunnels have none. It counts for all ways to the peer, for MTU_AGE.
 */
#include <linux/jiffies.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>

#include "l3vpn.h"
#include "object.h"
#include "peer.h"

#define MTU_AGE		(10 * 60 * HZ)	/* RFC 1191 section 6.3 */
#define MTU_MIN4	552		/* as net.ipv4.route.min_pmtu: less is somebody's fancy */
#define MTU_MIN6	1280		/* RFC 8201 section 4 */

static const struct rhashtable_params params = {
	.key_len = sizeof(struct l3vpn_peer_key),
	.key_offset = offsetof(struct l3vpn_peer, key),
	.head_offset = offsetof(struct l3vpn_peer, node),
	.automatic_shrinking = true,
};

static void make_key(struct l3vpn_peer_key *key, u8 family, const void *addr)
{
	memset(key, 0, sizeof(*key));
	key->family = family;
	memcpy(&key->addr, addr, family == AF_INET ? 4 : 16);
}

struct l3vpn_peer *l3vpn_peer_find(struct l3vpn_net *ln, u8 family, const void *addr)
{
	struct l3vpn_peer_key key;

	make_key(&key, family, addr);
	return rhashtable_lookup(&ln->peers, &key, params);
}

struct l3vpn_peer *l3vpn_peer_get(struct l3vpn_net *ln, u8 family, const void *addr)
{
	struct l3vpn_peer *peer;

	lockdep_assert_held(&ln->lock);
	rcu_read_lock();
	peer = l3vpn_peer_find(ln, family, addr);
	rcu_read_unlock();
	if (peer) {
		peer->refs++;		/* it is not freed while we hold the lock */
		return peer;
	}
	peer = kzalloc(sizeof(*peer), GFP_KERNEL_ACCOUNT);
	if (!peer)
		return NULL;
	make_key(&peer->key, family, addr);
	peer->refs = 1;
	if (rhashtable_insert_fast(&ln->peers, &peer->node, params)) {
		kfree(peer);
		return NULL;
	}
	l3vpn_object_born(L3VPN_COUNT_PEER);
	return peer;
}

void l3vpn_peer_put(struct l3vpn_net *ln, struct l3vpn_peer *peer)
{
	lockdep_assert_held(&ln->lock);
	if (--peer->refs)
		return;
	rhashtable_remove_fast(&ln->peers, &peer->node, params);
	l3vpn_object_gone(L3VPN_COUNT_PEER);
	kfree_rcu(peer, rcu);
}

void l3vpn_peer_learn_mtu(struct l3vpn_peer *peer, u32 mtu)
{
	mtu = max_t(u32, mtu, peer->key.family == AF_INET ? MTU_MIN4 : MTU_MIN6);
	if (mtu >= l3vpn_peer_mtu(peer))
		return;		/* an increase is found out when this one's time is over */
	WRITE_ONCE(peer->mtu_until, jiffies + MTU_AGE);
	WRITE_ONCE(peer->mtu, mtu);
}

u32 l3vpn_peer_mtu(const struct l3vpn_peer *peer)
{
	u32 mtu = READ_ONCE(peer->mtu);

	return likely(!mtu) || time_after(jiffies, READ_ONCE(peer->mtu_until)) ? U32_MAX : mtu;
}

int l3vpn_peer_net_init(struct l3vpn_net *ln)
{
	return rhashtable_init(&ln->peers, &params);
}

void l3vpn_peer_net_exit(struct l3vpn_net *ln)
{
	rhashtable_destroy(&ln->peers);
}
