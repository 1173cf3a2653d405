// SPDX-License-Identifier: GPL-2.0
/*
 * `mpls` / `transport`: tunnels through a core without labels (rib/soft.h); `mpls` / `tunnel-policy`: which paths VRFs
 * use (rib/transport.h, private.h).
 */
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "lib/mem.h"
#include "rib/soft.h"
#include "rib/transport.h"
#include "vrf/private.h"

/* ---- policies ---- */

static uint8_t kind_of(const char *s)
{
	static const struct {
		const char *name;
		uint8_t kind;
	} kinds[] = {
		{ "ldp", RIB_PROTO_LDP }, { "bgp", RIB_PROTO_BGP }, { "udp", RIB_PROTO_UDP },
		{ "gre", RIB_PROTO_GRE },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(s, kinds[i].name))
			return kinds[i].kind;
	return RIB_PROTO_STATIC;
}

static struct transport_order order_of(const struct lyd_node *node)
{
	struct transport_order o = { 0 };
	const struct lyd_node *n;

	conf_for_each(n, node, "transport")
		o.kinds[o.n++] = kind_of(conf_value(n));
	return o;
}

static void on_policy(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now,
		      void *arg)
{
	struct vrfs *vs = arg;
	struct nht *nht = vs->nht;
	struct transport_policy p = { .max_paths = conf_u32(now, "maximum-paths", FIB_MEMBERS_MAX) };
	const struct lyd_node *n;

	if (op == CONF_DEL) {
		transport_policy_del(nht, conf_str(old, "name", ""));
		return;
	}
	strncpy(p.name, conf_str(now, "name", ""), sizeof(p.name) - 1);
	p.order = order_of(now);
	conf_for_each(n, now, "peer") {
		p.peers = xrealloc(p.peers, (p.n_peers + 1) * sizeof(*p.peers));
		p.peers[p.n_peers].order = order_of(n);
		p.n_peers += addr_parse(conf_str(n, "address", ""), &p.peers[p.n_peers].addr);
	}
	transport_policy_set(nht, &p);
	free(p.peers);
}

/* ---- tunnels ---- */

static enum soft_encap encap_of(const struct lyd_node *node)
{
	return strcmp(conf_str(node, "encapsulation", ""), "gre") ? SOFT_UDP : SOFT_GRE;
}

static uint64_t scopes_of(const struct lyd_node *node)
{
	const struct lyd_node *n;
	uint64_t scopes = 0;

	conf_for_each(n, node, "label-accept")
		scopes |= !strcmp(conf_value(n), "vpn") ? 1ull << LABEL_SCOPE_VPN :
			  1ull << LABEL_SCOPE_TRANSPORT | 1ull << LABEL_SCOPE_LDP;
	return scopes ? scopes : 1ull << LABEL_SCOPE_VPN;
}

static void sources_of(const struct lyd_node *node, struct ip_addr source[AFI_MAX])
{
	const struct lyd_node *n;
	struct ip_addr a;

	conf_for_each(n, node, "source")
		if (addr_parse(conf_value(n), &a))
			source[family_afi(a.family)] = a;
}

static enum soft_from from_of(const char *s)
{
	return !strcmp(s, "any") ? SOFT_FROM_ANY : !strcmp(s, "peer") ? SOFT_FROM_PEERS : SOFT_FROM_DESTINATIONS;
}

static void on_tunnels(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now, void *arg)
{
	struct vrfs *vs = arg;
	enum soft_encap encap = encap_of(now ? now : old);
	struct soft_config c = { .scopes = scopes_of(now) };
	const struct lyd_node *n;

	if (op == CONF_DEL) {
		soft_set(vs->nht, encap, NULL);
		return;
	}
	sources_of(now, c.source);
	c.port = encap == SOFT_UDP ? conf_u32(now, "port", SOFT_UDP_PORT) : 0;
	c.by_default_route = conf_exists(now, "allow-default-route");
	c.from = from_of(conf_str(now, "source-check", ""));
	c.zero_checksum = conf_exists(now, "zero-checksum");
	conf_for_each(n, now, "destination") {
		c.destinations = xrealloc(c.destinations, (c.n + 1) * sizeof(*c.destinations));
		c.n += prefix_parse(conf_value(n), &c.destinations[c.n]);
	}
	soft_set(vs->nht, encap, &c);
	free(c.destinations);
}

static bool sources_valid(const struct lyd_node *node, struct ip_addr source[AFI_MAX], struct conf_error *err)
{
	const struct lyd_node *n;
	struct ip_addr a, *to;

	conf_for_each(n, node, "source") {
		if (!addr_parse(conf_value(n), &a) || addr_is_unspecified(&a) || addr_is_multicast(&a) ||
		    addr_is_link_local(&a))
			return conf_error_node(err, n, "%s cannot be the source of a tunnel", conf_value(n));
		to = &source[family_afi(a.family)];
		if (to->family)
			return conf_error_node(err, n, "one source of each family");
		*to = a;
	}
	return true;
}

static bool tunnels_validate(const struct lyd_node *tree, struct conf_error *err, void *arg)
{
	const struct lyd_node *mpls = conf_top(tree, "mpls"), *node, *n;
	struct ip_addr source[AFI_MAX];
	struct prefix p;

	if (!mpls)
		return true;
	conf_for_each(node, mpls, "transport") {
		memset(source, 0, sizeof(source));
		if (!sources_valid(node, source, err))
			return false;
		conf_for_each(n, node, "destination") {
			if (!prefix_parse(conf_value(n), &p))
				return conf_error_node(err, n, "%s is not a prefix, or has host bits", conf_value(n));
			if (!source[family_afi(p.addr.family)].family)
				return conf_error_node(err, n, "there is no source of that family");
		}
	}
	return true;
}

void transport_config_subscribe(struct vrfs *vs)
{
	struct conf_subscriber tunnels = { .name = "tunnels", .path = "/l3vpn:mpls/transport", .prio = 25,
					   .validate = tunnels_validate, .change = on_tunnels, .arg = vs };
	struct conf_subscriber sub = { .name = "tunnel policies", .path = "/l3vpn:mpls/tunnel-policy",
				       .prio = 25, .change = on_policy, .arg = vs };

	conf_subscribe(vs->env.conf, &tunnels);
	conf_subscribe(vs->env.conf, &sub);
}
