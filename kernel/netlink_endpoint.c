// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn: ENDPOINT_NEW, ENDPOINT_DEL, ENDPOINT_GET.
 */
#include <net/genetlink.h>
#include <net/ipv6.h>
#include <net/sock.h>

#include "endpoint.h"
#include "event.h"
#include "netlink.h"

const struct nla_policy l3vpn_endpoint_new_policy[L3VPN_ENDPOINT_SOURCES + 1] = {
	[L3VPN_ENDPOINT_ENCAP]	= NLA_POLICY_RANGE(NLA_U8, L3VPN_ENCAP_UDP, L3VPN_ENCAP_MAX),
	[L3VPN_ENDPOINT_ADDRESS] = { .type = NLA_BINARY, .len = 16 },
	[L3VPN_ENDPOINT_DPORT]	= NLA_POLICY_MIN(NLA_U16, 1),
	[L3VPN_ENDPOINT_CHECKSUM] = NLA_POLICY_MAX(NLA_U8, 1),
	[L3VPN_ENDPOINT_SCOPES]	= { .type = NLA_U64 },
	[L3VPN_ENDPOINT_PEERS]	= NLA_POLICY_MAX(NLA_U8, 1),
	[L3VPN_ENDPOINT_SOURCES] = { .type = NLA_BINARY,
				     .len = L3VPN_SOURCES_MAX * sizeof(struct l3vpn_source) },
};

const struct nla_policy l3vpn_endpoint_key_policy[L3VPN_ENDPOINT_DPORT + 1] = {
	[L3VPN_ENDPOINT_ENCAP]	= NLA_POLICY_RANGE(NLA_U8, L3VPN_ENCAP_UDP, L3VPN_ENCAP_MAX),
	[L3VPN_ENDPOINT_ADDRESS] = { .type = NLA_BINARY, .len = 16 },
	[L3VPN_ENDPOINT_DPORT]	= NLA_POLICY_MIN(NLA_U16, 1),
};

int l3vpn_nl_udp_alone(struct genl_info *info, int attr, u8 encap)
{
	if (encap == L3VPN_ENCAP_UDP || !info->attrs[attr])
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[attr], "GRE has neither ports nor a checksum here");
	return -EINVAL;
}

int l3vpn_nl_end_address(struct genl_info *info, int attr)
{
	struct nlattr *nla = info->attrs[attr];
	bool good = false;

	if (nla_len(nla) == 4) {
		__be32 addr = nla_get_in_addr(nla);

		good = !ipv4_is_zeronet(addr) && !ipv4_is_multicast(addr) && !ipv4_is_lbcast(addr) &&
		       !ipv4_is_loopback(addr) && !ipv4_is_linklocal_169(addr);
	} else if (nla_len(nla) == 16) {
		struct in6_addr addr = nla_get_in6_addr(nla);
		int type = ipv6_addr_type(&addr);

		good = (type & IPV6_ADDR_UNICAST) &&
		       !(type & (IPV6_ADDR_LOOPBACK | IPV6_ADDR_MAPPED | IPV6_ADDR_LINKLOCAL));
	} else {
		NL_SET_ERR_MSG_ATTR(info->extack, nla, "an address has 4 or 16 octets");
		return -EINVAL;
	}
	if (good)
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, nla, "no unicast address that a packet can cross a network with");
	return -EINVAL;
}

static int endpoint_parse_key(struct genl_info *info, struct l3vpn_endpoint_key *key)
{
	struct nlattr **attrs = info->attrs;
	int err;

	memset(key, 0, sizeof(*key));
	err = l3vpn_nl_check(info->nlhdr, info->extack);
	if (err)
		return err;
	if (!attrs[L3VPN_ENDPOINT_ENCAP])
		return l3vpn_nl_missing(info, L3VPN_ENDPOINT_ENCAP, "encapsulation");
	if (!attrs[L3VPN_ENDPOINT_ADDRESS])
		return l3vpn_nl_missing(info, L3VPN_ENDPOINT_ADDRESS, "address");
	err = l3vpn_nl_end_address(info, L3VPN_ENDPOINT_ADDRESS);
	if (err)
		return err;
	key->encap = nla_get_u8(attrs[L3VPN_ENDPOINT_ENCAP]);
	err = l3vpn_nl_udp_alone(info, L3VPN_ENDPOINT_DPORT, key->encap);
	if (err)
		return err;
	key->family = nla_len(attrs[L3VPN_ENDPOINT_ADDRESS]) == 4 ? AF_INET : AF_INET6;
	memcpy(&key->addr, nla_data(attrs[L3VPN_ENDPOINT_ADDRESS]), nla_len(attrs[L3VPN_ENDPOINT_ADDRESS]));
	if (key->encap == L3VPN_ENCAP_UDP)
		key->dport = attrs[L3VPN_ENDPOINT_DPORT] ? nla_get_u16(attrs[L3VPN_ENDPOINT_DPORT]) :
							   L3VPN_UDP_PORT_MPLS;
	return 0;
}

/* Why @source cannot be one; NULL: it can. */
static const char *source_fault(const struct l3vpn_source *source, u8 family)
{
	unsigned int bits = family == AF_INET ? 32 : 128;
	struct in6_addr prefix, masked;

	if (source->plen > bits)
		return "prefix length out of range";
	if (source->reserved[0] || source->reserved[1] || source->reserved[2])
		return "reserved octets are not zero";
	memcpy(&prefix, source->prefix, sizeof(prefix));
	ipv6_addr_prefix(&masked, &prefix, source->plen);
	return ipv6_addr_equal(&masked, &prefix) ? NULL : "host bits are not zero";
}

static int endpoint_parse_sources(struct genl_info *info, struct l3vpn_endpoint_spec *spec)
{
	struct nlattr *nla = info->attrs[L3VPN_ENDPOINT_SOURCES];
	const char *why;
	u32 i;

	if (!nla)
		return 0;
	if (nla_len(nla) % sizeof(*spec->sources)) {
		NL_SET_ERR_MSG_ATTR(info->extack, nla, "sources have 20 octets each");
		return -EINVAL;
	}
	spec->sources = nla_data(nla);
	spec->source_count = nla_len(nla) / sizeof(*spec->sources);
	for (i = 0; i < spec->source_count; i++) {
		why = source_fault(&spec->sources[i], spec->key.family);
		if (!why)
			continue;
		NL_SET_BAD_ATTR(info->extack, nla);
		NL_SET_ERR_MSG_FMT(info->extack, "source %u: %s", i, why);
		return -EINVAL;
	}
	return 0;
}

static int endpoint_parse(struct genl_info *info, struct l3vpn_endpoint_spec *spec)
{
	struct nlattr **attrs = info->attrs;
	int err;

	err = endpoint_parse_key(info, &spec->key);
	if (!err)
		err = l3vpn_nl_udp_alone(info, L3VPN_ENDPOINT_CHECKSUM, spec->key.encap);
	if (!err)
		err = endpoint_parse_sources(info, spec);
	if (err)
		return err;
	spec->checksum = attrs[L3VPN_ENDPOINT_CHECKSUM] ? nla_get_u8(attrs[L3VPN_ENDPOINT_CHECKSUM]) :
			 spec->key.encap == L3VPN_ENCAP_UDP && spec->key.family == AF_INET6;
	spec->scopes = attrs[L3VPN_ENDPOINT_SCOPES] ? nla_get_u64(attrs[L3VPN_ENDPOINT_SCOPES]) : ~0ULL;
	spec->peers = attrs[L3VPN_ENDPOINT_PEERS] ? nla_get_u8(attrs[L3VPN_ENDPOINT_PEERS]) : 1;
	if (spec->peers || spec->source_count)
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, attrs[L3VPN_ENDPOINT_PEERS],
			    "neither peers nor sources: nothing would be accepted");
	return -EINVAL;
}

int l3vpn_endpoint_fill(struct sk_buff *skb, struct l3vpn_net *ln, struct l3vpn_endpoint *ep)
{
	bool udp = ep->key.encap == L3VPN_ENCAP_UDP, local;
	struct l3vpn_stats sum;

	rcu_read_lock();
	local = l3vpn_endpoint_is_local(ln, ep);
	rcu_read_unlock();
	l3vpn_counters_sum(ep->counters, &sum);
	if (nla_put_u8(skb, L3VPN_ENDPOINT_ENCAP, ep->key.encap) ||
	    nla_put(skb, L3VPN_ENDPOINT_ADDRESS, ep->key.family == AF_INET ? 4 : 16, &ep->key.addr) ||
	    (udp && nla_put_u16(skb, L3VPN_ENDPOINT_DPORT, ep->key.dport)) ||
	    (udp && nla_put_u8(skb, L3VPN_ENDPOINT_CHECKSUM, ep->checksum)) ||
	    l3vpn_nla_put_u64(skb, L3VPN_ENDPOINT_SCOPES, ep->scopes) ||
	    nla_put_u8(skb, L3VPN_ENDPOINT_PEERS, ep->peers) ||
	    nla_put(skb, L3VPN_ENDPOINT_SOURCES, ep->source_count * sizeof(ep->source[0]), ep->source) ||
	    nla_put_u8(skb, L3VPN_ENDPOINT_LOCAL, local))
		return -EMSGSIZE;
	return l3vpn_stats_fill(skb, L3VPN_ENDPOINT_STATS, &sum, &ep->base);
}

static int endpoint_answer(struct genl_info *info, struct l3vpn_net *ln, struct l3vpn_endpoint *ep)
{
	struct sk_buff *msg;
	void *hdr;

	msg = l3vpn_reply_start(info, L3VPN_CMD_ENDPOINT_GET, NLMSG_DEFAULT_SIZE, &hdr);
	if (!msg)
		return -ENOMEM;
	return l3vpn_reply_send(info, msg, hdr, l3vpn_endpoint_fill(msg, ln, ep));
}

int l3vpn_nl_endpoint_new(struct sk_buff *skb, struct genl_info *info)
{
	struct l3vpn_net *ln = l3vpn_net(genl_info_net(info));
	struct l3vpn_endpoint_spec spec = {};
	int err, made;

	err = endpoint_parse(info, &spec);
	if (err)
		return err;
	mutex_lock(&ln->lock);
	err = l3vpn_endpoint_set(ln, &spec, info->nlhdr->nlmsg_flags, &made, info->extack);
	if (!err) {
		struct l3vpn_endpoint *ep = l3vpn_endpoint_find(ln, &spec.key);

		if (made >= 0)
			l3vpn_event_endpoint(ln, ep, made ? L3VPN_EVENT_NEW : L3VPN_EVENT_CHANGE);
		if (info->nlhdr->nlmsg_flags & NLM_F_ECHO)
			endpoint_answer(info, ln, ep);
	}
	mutex_unlock(&ln->lock);
	return err;
}

/* Under ln->lock. NULL, with extack set: there is none. */
static struct l3vpn_endpoint *endpoint_named(struct l3vpn_net *ln, struct genl_info *info,
					     const struct l3vpn_endpoint_key *key)
{
	struct l3vpn_endpoint *ep = l3vpn_endpoint_find(ln, key);

	if (!ep)
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[L3VPN_ENDPOINT_ADDRESS], "no such endpoint");
	return ep;
}

int l3vpn_nl_endpoint_del(struct sk_buff *skb, struct genl_info *info)
{
	struct l3vpn_net *ln = l3vpn_net(genl_info_net(info));
	struct l3vpn_endpoint_key key;
	struct l3vpn_endpoint *ep;
	int err;

	err = endpoint_parse_key(info, &key);
	if (err)
		return err;
	mutex_lock(&ln->lock);
	ep = endpoint_named(ln, info, &key);
	if (ep) {
		l3vpn_event_endpoint(ln, ep, L3VPN_EVENT_DEL);
		l3vpn_endpoint_end(ln, ep);
	}
	mutex_unlock(&ln->lock);
	return ep ? 0 : -ENOENT;
}

int l3vpn_nl_endpoint_get(struct sk_buff *skb, struct genl_info *info)
{
	struct l3vpn_net *ln = l3vpn_net(genl_info_net(info));
	struct l3vpn_endpoint_key key;
	struct l3vpn_endpoint *ep;
	int err;

	err = endpoint_parse_key(info, &key);
	if (err)
		return err;
	mutex_lock(&ln->lock);
	ep = endpoint_named(ln, info, &key);
	err = ep ? endpoint_answer(info, ln, ep) : -ENOENT;
	mutex_unlock(&ln->lock);
	return err;
}

struct l3vpn_endpoint_dump {
	unsigned long next;
};

int l3vpn_nl_endpoint_dump_start(struct netlink_callback *cb)
{
	return l3vpn_nl_check_empty(cb->nlh, cb->extack);
}

int l3vpn_nl_endpoint_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct l3vpn_net *ln = l3vpn_net(sock_net(skb->sk));
	struct l3vpn_endpoint_dump *ctx = (void *)cb->ctx;
	struct l3vpn_endpoint *ep;
	unsigned long index;

	BUILD_BUG_ON(sizeof(*ctx) > sizeof(cb->ctx));
	mutex_lock(&ln->lock);
	xa_for_each_start(&ln->endpoints, index, ep, ctx->next) {
		void *hdr = l3vpn_dump_put(skb, cb, L3VPN_CMD_ENDPOINT_GET);

		if (!hdr)
			break;
		if (l3vpn_endpoint_fill(skb, ln, ep)) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
	}
	ctx->next = ep ? index : ULONG_MAX;
	mutex_unlock(&ln->lock);
	return skb->len;
}
