// SPDX-License-Identifier: GPL-2.0
/*
 * endpoint: where tunnels end: made, replaced, found, ended.
 *
 * An endpoint may be there before its address is, and after: whether the address is one of the global table is
 * looked up when the kernel's routes have changed since it was last asked, so no event has to come in order. An
 * address of a VRF is none.
 */
#include <linux/inetdevice.h>
#include <linux/jhash.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <net/addrconf.h>
#include <net/ip_fib.h>
#include <net/ipv6.h>
#include <net/route.h>

#include "digest.h"
#include "endpoint.h"
#include "object.h"
#include "peer.h"

#define NOT_KNOWN	(~0ULL)

static unsigned int bucket_of(u8 family, const void *addr)
{
	u32 hash = family == AF_INET ? jhash(addr, 4, 0) : jhash(addr, 16, 0);

	return hash % L3VPN_ENDPOINT_BUCKETS;
}

struct hlist_head *l3vpn_endpoint_bucket(struct l3vpn_net *ln, u8 family, const void *addr)
{
	return &ln->endpoint_hash[bucket_of(family, addr)];
}

static bool is_local(struct net *net, const struct l3vpn_endpoint_key *key)
{
	if (key->family == AF_INET)
		return inet_addr_type_table(net, key->addr.s6_addr32[0], RT_TABLE_LOCAL) == RTN_LOCAL;
	return ipv6_chk_addr_and_flags(net, &key->addr, net->loopback_dev, false, 0, 0);
}

bool l3vpn_endpoint_is_local(struct l3vpn_net *ln, struct l3vpn_endpoint *ep)
{
	u32 now = ep->key.family == AF_INET ? rt_genid_ipv4(ln->net) : rt_genid_ipv6(ln->net);
	u64 known = READ_ONCE(ep->known);

	if (unlikely(known >> 1 != now)) {
		known = (u64)now << 1 | is_local(ln->net, &ep->key);
		WRITE_ONCE(ep->known, known);
	}
	return known & 1;
}

bool l3vpn_endpoint_accepts(struct l3vpn_net *ln, const struct l3vpn_endpoint *ep, const void *saddr)
{
	u32 i;

	if (ep->peers && l3vpn_peer_find(ln, ep->key.family, saddr))
		return true;
	for (i = 0; i < ep->source_count; i++) {
		const struct l3vpn_source *source = &ep->source[i];

		if (ep->key.family == AF_INET ?
		    !((*(const __be32 *)saddr ^ *(const __be32 *)source->prefix) &
		      inet_make_mask(source->plen)) :
		    ipv6_prefix_equal(saddr, (const struct in6_addr *)source->prefix, source->plen))
			return true;
	}
	return false;
}

struct l3vpn_endpoint *l3vpn_endpoint_find(struct l3vpn_net *ln, const struct l3vpn_endpoint_key *key)
{
	struct l3vpn_endpoint *ep;

	hlist_for_each_entry_rcu(ep, l3vpn_endpoint_bucket(ln, key->family, &key->addr), node,
				 lockdep_is_held(&ln->lock)) {
		if (ep->key.family == key->family && ep->key.encap == key->encap &&
		    ep->key.dport == key->dport && ipv6_addr_equal(&ep->key.addr, &key->addr))
			return ep;
	}
	return NULL;
}

static void endpoint_free(struct rcu_head *rcu)
{
	struct l3vpn_endpoint *ep = container_of(rcu, struct l3vpn_endpoint, rcu);

	if (ep->own_counters)
		free_percpu(ep->counters);
	l3vpn_object_gone(L3VPN_COUNT_ENDPOINT);
	kfree(ep);
}

static struct l3vpn_endpoint *endpoint_new(const struct l3vpn_endpoint_spec *spec)
{
	struct l3vpn_endpoint *ep;

	ep = kzalloc(struct_size(ep, source, spec->source_count), GFP_KERNEL_ACCOUNT);
	if (!ep)
		return NULL;
	ep->key = spec->key;
	ep->checksum = spec->checksum;
	ep->peers = spec->peers;
	ep->scopes = spec->scopes;
	ep->known = NOT_KNOWN;
	ep->source_count = spec->source_count;
	memcpy(ep->source, spec->sources, spec->source_count * sizeof(ep->source[0]));
	l3vpn_object_born(L3VPN_COUNT_ENDPOINT);
	return ep;
}

static int endpoint_create(struct l3vpn_net *ln, struct l3vpn_endpoint *ep)
{
	int err;

	ep->counters = l3vpn_counters_alloc();
	if (!ep->counters)
		return -ENOMEM;
	ep->own_counters = true;
	err = xa_alloc(&ln->endpoints, &ep->index, ep, xa_limit_31b, GFP_KERNEL);
	if (err)
		return err;
	WRITE_ONCE(ln->endpoint_count, ln->endpoint_count + 1);
	hlist_add_head_rcu(&ep->node, l3vpn_endpoint_bucket(ln, ep->key.family, &ep->key.addr));
	return 0;
}

/* @ep takes the place of @old, which is there. */
static void endpoint_replace(struct l3vpn_net *ln, struct l3vpn_endpoint *old, struct l3vpn_endpoint *ep)
{
	ep->index = old->index;
	ep->base = old->base;
	ep->counters = old->counters;
	ep->own_counters = true;
	old->own_counters = false;
	xa_store(&ln->endpoints, ep->index, ep, GFP_KERNEL);	/* in place of another: needs no memory */
	hlist_replace_rcu(&old->node, &ep->node);
	ln->endpoint_digest -= l3vpn_digest_endpoint(old);
	call_rcu(&old->rcu, endpoint_free);
}

int l3vpn_endpoint_set(struct l3vpn_net *ln, const struct l3vpn_endpoint_spec *spec, u16 flags, int *made,
		       struct netlink_ext_ack *extack)
{
	struct l3vpn_endpoint *old = l3vpn_endpoint_find(ln, &spec->key), *ep;
	int err;

	if (!old && (flags & NLM_F_REPLACE) && !(flags & NLM_F_CREATE)) {
		NL_SET_ERR_MSG(extack, "no such endpoint to replace");
		return -ENOENT;
	}
	if (old && (flags & NLM_F_EXCL)) {
		NL_SET_ERR_MSG(extack, "endpoint exists");
		return -EEXIST;
	}
	ep = endpoint_new(spec);
	if (!ep)
		return -ENOMEM;
	if (old && l3vpn_digest_endpoint(old) == l3vpn_digest_endpoint(ep)) {
		endpoint_free(&ep->rcu);
		old->stamp = ln->epoch;
		*made = -1;
		return 0;
	}
	if (old) {
		endpoint_replace(ln, old, ep);
	} else {
		err = endpoint_create(ln, ep);
		if (err) {
			endpoint_free(&ep->rcu);
			return err;
		}
	}
	ep->stamp = ln->epoch;
	ln->endpoint_digest += l3vpn_digest_endpoint(ep);
	*made = !old;
	return 0;
}

void l3vpn_endpoint_end(struct l3vpn_net *ln, struct l3vpn_endpoint *ep)
{
	hlist_del_rcu(&ep->node);
	xa_erase(&ln->endpoints, ep->index);
	WRITE_ONCE(ln->endpoint_count, ln->endpoint_count - 1);
	ln->endpoint_digest -= l3vpn_digest_endpoint(ep);
	call_rcu(&ep->rcu, endpoint_free);
}

static u32 end_all(struct l3vpn_net *ln, bool stale_alone)
{
	struct l3vpn_endpoint *ep;
	unsigned long index;
	u32 ended = 0;

	xa_for_each(&ln->endpoints, index, ep) {
		if (stale_alone && ep->stamp == ln->epoch)
			continue;
		l3vpn_endpoint_end(ln, ep);
		ended++;
	}
	return ended;
}

u32 l3vpn_endpoint_sweep(struct l3vpn_net *ln)
{
	return end_all(ln, true);
}

u32 l3vpn_endpoint_flush(struct l3vpn_net *ln)
{
	return end_all(ln, false);
}
