// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn: the digest of a next hop, as the uapi header defines it.
 */
#include "digest.h"
#include "endpoint.h"
#include "nexthop.h"
#include "nexthop_ctl.h"
#include "peer.h"

static u64 l3vpn_digest_adj(u64 h, const struct l3vpn_adj *adj)
{
	int i;

	h = l3vpn_digest_word(h, adj->ifindex);
	switch (adj->gw_family) {
	case AF_INET:
		h = l3vpn_digest_word(h, 4);
		return l3vpn_digest_word(h, be32_to_cpu(adj->gw4));
	case AF_INET6:
		h = l3vpn_digest_word(h, 16);
		for (i = 0; i < 4; i++)
			h = l3vpn_digest_word(h, be32_to_cpu(adj->gw6.s6_addr32[i]));
		return h;
	default:
		return l3vpn_digest_word(h, 0);
	}
}

static u64 l3vpn_digest_addr(u64 h, u8 family, const struct in6_addr *addr)
{
	int i;

	for (i = 0; i < (family == AF_INET ? 1 : 4); i++)
		h = l3vpn_digest_word(h, be32_to_cpu(addr->s6_addr32[i]));
	return h;
}

static u64 l3vpn_digest_tunnel(u64 h, const struct l3vpn_tunnel *tunnel)
{
	h = l3vpn_digest_word(h, tunnel->encap);
	h = l3vpn_digest_word(h, tunnel->family == AF_INET ? 4 : 16);
	h = l3vpn_digest_addr(h, tunnel->family, &tunnel->local);
	h = l3vpn_digest_addr(h, tunnel->family, &tunnel->peer->key.addr);
	h = l3vpn_digest_word(h, tunnel->dport);
	return l3vpn_digest_word(h, tunnel->checksum);
}

u64 l3vpn_digest_endpoint(const struct l3vpn_endpoint *ep)
{
	u64 h = l3vpn_digest_start(L3VPN_OBJECT_ENDPOINT);
	u32 i;

	h = l3vpn_digest_word(h, ep->key.encap);
	h = l3vpn_digest_word(h, ep->key.family == AF_INET ? 4 : 16);
	h = l3vpn_digest_addr(h, ep->key.family, &ep->key.addr);
	h = l3vpn_digest_word(h, ep->key.dport);
	h = l3vpn_digest_word(h, ep->checksum);
	h = l3vpn_digest_word(h, ep->scopes >> 32);
	h = l3vpn_digest_word(h, (u32)ep->scopes);
	h = l3vpn_digest_word(h, ep->peers);
	h = l3vpn_digest_word(h, ep->source_count);
	for (i = 0; i < ep->source_count; i++) {
		struct in6_addr prefix;

		memcpy(&prefix, ep->source[i].prefix, sizeof(prefix));
		h = l3vpn_digest_addr(h, ep->key.family, &prefix);
		h = l3vpn_digest_word(h, ep->source[i].plen);
	}
	return h;
}

u64 l3vpn_digest_nh(u32 id, const struct l3vpn_nh_data *data)
{
	u64 h = l3vpn_digest_start(L3VPN_OBJECT_NH);
	int i;

	h = l3vpn_digest_word(h, id);
	h = l3vpn_digest_word(h, data->kind);
	switch (data->kind) {
	case L3VPN_NH_KIND_ADJACENCY:
		return l3vpn_digest_adj(h, &data->adj);
	case L3VPN_NH_KIND_LABELLED:
	case L3VPN_NH_KIND_EGRESS:
		h = l3vpn_digest_word(h, data->path.via->id);
		h = l3vpn_digest_word(h, data->path.count);
		for (i = 0; i < data->path.count; i++)
			h = l3vpn_digest_word(h, l3vpn_path_label(&data->path, i));
		return h;
	case L3VPN_NH_KIND_GROUP:
		for (i = 0; i < data->group.count; i++) {
			const struct l3vpn_group_member *m =
				&data->group.member[data->group.order[i]];

			h = l3vpn_digest_word(h, m->nh->id);
			h = l3vpn_digest_word(h, m->weight);
			h = l3vpn_digest_word(h, l3vpn_member_flags(m));
		}
		return h;
	case L3VPN_NH_KIND_VRF:
		return l3vpn_digest_word(h, data->vrf_id);
	case L3VPN_NH_KIND_TUNNEL:
		return l3vpn_digest_tunnel(h, &data->tunnel);
	default:
		return h;
	}
}
