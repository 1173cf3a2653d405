// SPDX-License-Identifier: GPL-2.0
/*
 * Configuration: `router bgp` into the instance and its peers. A change of one neighbour touches
 * no other session; a change of our AS or identifier makes all sessions anew. Contracts in
 * peer.h; schema in conf/yang/l3vpn.yang.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/lu.h"
#include "bgp/peer.h"
#include "conf/conf.h"
#include "lib/log.h"
#include "lib/mem.h"

#define PRIO_GLOBAL 70
#define PRIO_NEIGHBOR 71
#define PRIO_LABELLED 71	/* like neighbors, behind the instance */

/* "fe80::1%port1" into an endpoint. */
static bool endpoint_parse(const char *s, struct tcp_endpoint *e)
{
	char addr[ADDR_STRLEN];
	const char *scope = strchr(s, '%');
	size_t len = scope ? (size_t)(scope - s) : strlen(s);

	memset(e, 0, sizeof(*e));
	if (len >= sizeof(addr))
		return false;
	memcpy(addr, s, len);
	addr[len] = '\0';
	if (!addr_parse(addr, &e->addr))
		return false;
	if (scope)
		snprintf(e->ifname, sizeof(e->ifname), "%s", scope + 1);
	return true;
}

static void read_families(const struct lyd_node *n, struct bgp_peer_conf *c)
{
	static const char *const names[BGP_FAMILIES] = {
		[BGP_IPV4] = "ipv4", [BGP_IPV6] = "ipv6",
		[BGP_VPNV4] = "vpnv4", [BGP_VPNV6] = "vpnv6",
		[BGP_LU4] = "ipv4-labeled", [BGP_LU6] = "ipv6-labeled",
		[BGP_RTC] = "ipv4-rt-filter",
	};

	for (int f = 0; f < BGP_FAMILIES; f++) {
		const struct lyd_node *family = conf_child(n, names[f]);
		struct bgp_family_conf *af = &c->af[f];

		af->on = family != NULL;
		af->addpath_receive = conf_exists(family, "additional-paths/receive");
		af->next_hop_self = conf_exists(family, "next-hop-self");
		af->next_hop_unchanged = conf_exists(family, "next-hop-unchanged");
		af->route_reflector_client = conf_exists(family, "route-reflector-client");
	}
}

static bool read_neighbor(const struct lyd_node *n, const char *vrf, struct bgp_peer_conf *c)
{
	struct tcp_endpoint source;
	const char *s;

	memset(c, 0, sizeof(*c));
	if (!endpoint_parse(conf_str(n, "address", ""), &c->peer))
		return false;
	snprintf(c->vrf, sizeof(c->vrf), "%s", vrf);
	c->remote_as = conf_u32(n, "remote-as", 0);
	s = conf_str(n, "update-source", NULL);
	if (s && endpoint_parse(s, &source))
		c->source = source.addr;
	snprintf(c->password, sizeof(c->password), "%s", conf_str(n, "password", ""));
	c->passive = conf_exists(n, "passive");
	c->ttl_security = (uint8_t)conf_u32(n, "ttl-security", 0);
	c->multihop = (uint8_t)conf_u32(n, "ebgp-multihop", 0);
	c->port = (uint16_t)conf_u32(n, "port", BGP_PORT);
	c->hold = (uint16_t)conf_u32(n, "timers/hold-time", 180);
	c->keepalive = (uint16_t)conf_u32(n, "timers/keepalive", 0);
	c->connect_retry = (uint16_t)conf_u32(n, "timers/connect-retry", 30);
	c->shutdown = conf_exists(n, "shutdown");
	if (conf_exists(n, "bfd/fast-detect")) {
		c->bfd_interval_us = conf_u32(n, "bfd/minimum-interval", 150) * 1000;
		c->bfd_multiplier = (uint8_t)conf_u32(n, "bfd/multiplier", 3);
		c->bfd_strict = conf_exists(n, "bfd/strict-mode");
		c->bfd_single = conf_exists(n, "bfd/single-hop");
	}
	snprintf(c->description, sizeof(c->description), "%s", conf_str(n, "description", ""));
	read_families(n, c);
	return true;
}

/* ---- validation: what the schema cannot say ---- */

static bool check_neighbor(const struct lyd_node *n, const char *vrf, uint32_t as,
			   struct conf_error *err)
{
	struct bgp_peer_conf c;
	const char *source = conf_str(n, "update-source", NULL);
	struct tcp_endpoint e;

	if (!read_neighbor(n, vrf, &c))
		return conf_error_node(err, n, "not an address");
	if (addr_is_link_local(&c.peer.addr) && c.peer.addr.family == AF_INET6 &&
	    !c.peer.ifname[0])
		return conf_error_node(err, n, "a link-local address needs %%INTERFACE");
	if (c.peer.ifname[0] && !addr_is_link_local(&c.peer.addr))
		return conf_error_node(err, n, "only a link-local address has an interface");
	if (source && (!endpoint_parse(source, &e) || e.addr.family != c.peer.addr.family))
		return conf_error_node(err, n, "update-source %s is not of the neighbor's family",
				       source);
	if (c.ttl_security && c.multihop)
		return conf_error_node(err, n, "ttl-security and ebgp-multihop exclude each other");
	if (c.multihop && c.remote_as == as)
		return conf_error_node(err, n, "ebgp-multihop is for a neighbor of another AS");
	if (vrf[0] && c.remote_as == as)
		return conf_error_node(err, n, "a CE in our own AS %u is not supported", as);
	for (int f = 0; f < BGP_FAMILIES; f++) {
		if (c.af[f].route_reflector_client && c.remote_as != as)
			return conf_error_node(err, n, "route-reflector-client is for a neighbor of our own AS");
		if (c.af[f].next_hop_unchanged && c.remote_as == as)
			return conf_error_node(err, n,
					       "next-hop-unchanged: a neighbor of our own AS is told the next hop anyway");
	}
	if (c.af[BGP_IPV6].on && c.peer.addr.family == AF_INET)
		return conf_error_node(err, n,
				       "IPv6 needs a session over IPv6: use the neighbor's IPv6 address");
	return true;
}

/* Two texts of one address would be two neighbours with one connection. */
static bool check_unique(const struct lyd_node *parent, struct conf_error *err)
{
	const struct lyd_node *n, *m;
	struct tcp_endpoint a, b;

	conf_for_each(n, parent, "neighbor") {
		if (!endpoint_parse(conf_str(n, "address", ""), &a))
			continue;
		for (m = conf_next(n); m; m = conf_next(m)) {
			if (endpoint_parse(conf_str(m, "address", ""), &b) &&
			    addr_eq(&a.addr, &b.addr) && !strcmp(a.ifname, b.ifname))
				return conf_error_node(err, m, "the same address as neighbor %s",
						       conf_str(n, "address", ""));
		}
	}
	return true;
}

static bool check_labelled(const struct lyd_node *n, uint8_t family, struct conf_error *err)
{
	static const char *const lists[] = { "network", "allocate-label/within" };
	const struct lyd_node *p;
	struct prefix prefix;

	for (unsigned int i = 0; n && i < 2; i++) {
		conf_for_each(p, n, lists[i]) {
			if (!prefix_parse(conf_value(p), &prefix))
				return conf_error_node(err, p, "%s is not a prefix, or has host bits", conf_value(p));
			if (prefix.addr.family != family)
				return conf_error_node(err, p, "%s is of the other family", conf_value(p));
		}
	}
	return true;
}

static bool validate(const struct lyd_node *candidate, struct conf_error *err, void *arg)
{
	const struct lyd_node *bgp = conf_top(candidate, "bgp"), *vrf, *n;
	uint32_t as = conf_u32(bgp, "as", 0);

	if (!bgp)
		return true;
	if (!check_unique(bgp, err) || !check_labelled(conf_child(bgp, "ipv4-labeled"), AF_INET, err) ||
	    !check_labelled(conf_child(bgp, "ipv6-labeled"), AF_INET6, err))
		return false;
	conf_for_each(n, bgp, "neighbor") {
		if (!check_neighbor(n, "", as, err))
			return false;
	}
	conf_for_each(vrf, bgp, "vrf") {
		if (!check_unique(vrf, err))
			return false;
		conf_for_each(n, vrf, "neighbor") {
			if (!check_neighbor(n, conf_str(vrf, "name", ""), as, err))
				return false;
		}
	}
	return true;
}

/* ---- changes ---- */

static void change_global(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now,
			  void *arg)
{
	struct bgp *b = arg;
	uint32_t as = b->as, id = b->id;
	bool was = b->configured;
	struct ip_addr a;

	if (op == CONF_DEL) {
		b->configured = false;
		return;
	}
	b->configured = true;
	b->as = conf_u32(now, "as", 0);
	if (addr_parse(conf_str(now, "router-id", ""), &a) && a.family == AF_INET)
		b->id = addr_to_v4(&a);
	b->listen_port = (uint16_t)conf_u32(now, "listen-port", BGP_PORT);
	b->gr_enabled = !conf_exists(now, "graceful-restart/disable");
	b->gr_time = (uint16_t)conf_u32(now, "graceful-restart/restart-time", 120);
	b->gr_deferral = (uint16_t)conf_u32(now, "graceful-restart/selection-deferral", 120);
	b->gr_stale = (uint16_t)conf_u32(now, "graceful-restart/stale-time", 300);
	if (!was && b->restarting)
		timer_start(&b->restart_timer, b->gr_deferral * 1000ull);
	if (was && (as != b->as || id != b->id))
		bgp_peers_restart(b);
	else if (was)
		bgp_peers_caps(b);
	bgp_listen_update(b);
}

static void change_neighbor(enum conf_op op, const struct lyd_node *old,
			    const struct lyd_node *now, void *arg)
{
	const struct lyd_node *n = now ? now : old;
	const struct lyd_node *parent = lyd_parent(n);
	const char *vrf = parent && !strcmp(LYD_NAME(parent), "vrf") ? conf_str(parent, "name", "") :
									"";
	struct bgp *b = arg;
	struct bgp_peer_conf c;
	struct bgp_peer *p;

	if (!read_neighbor(n, vrf, &c))
		return;
	p = bgp_peer_find(b, vrf, &c.peer);
	if (op == CONF_DEL && p)
		bgp_peer_remove(p);
	else if (op != CONF_DEL && p)
		bgp_peer_change(p, &c);
	else if (op != CONF_DEL)
		bgp_peer_add(b, &c);
	bgp_listen_update(b);
	bgp_restart_check(b);
}

static struct prefix *read_prefixes(const struct lyd_node *node, const char *list, unsigned int *n)
{
	struct prefix *all = NULL;
	const struct lyd_node *p;

	*n = 0;
	conf_for_each(p, node, list) {
		all = xrealloc(all, (*n + 1) * sizeof(*all));
		*n += prefix_parse(conf_value(p), &all[*n]);
	}
	return all;
}

static void change_labelled(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now, void *arg)
{
	struct bgp_lu_conf c = { 0 };

	if (op != CONF_DEL) {
		c.explicit_null = conf_exists(now, "explicit-null");
		c.all = conf_exists(now, "allocate-label/all");
		c.within = read_prefixes(now, "allocate-label/within", &c.n_within);
		c.networks = read_prefixes(now, "network", &c.n_networks);
	}
	bgp_lu_configure(arg, &c);
	free(c.within);
	free(c.networks);
}

void bgp_config_subscribe(struct bgp *b)
{
	const struct conf_subscriber lu4 = {
		.name = "bgp ipv4 labeled-unicast", .path = "/l3vpn:bgp/ipv4-labeled",
		.prio = PRIO_LABELLED, .change = change_labelled, .arg = b->lu[AFI4],
	};
	const struct conf_subscriber lu6 = {
		.name = "bgp ipv6 labeled-unicast", .path = "/l3vpn:bgp/ipv6-labeled",
		.prio = PRIO_LABELLED, .change = change_labelled, .arg = b->lu[AFI6],
	};
	const struct conf_subscriber global = {
		.name = "bgp", .path = "/l3vpn:bgp", .prio = PRIO_GLOBAL,
		.validate = validate, .change = change_global, .arg = b,
	};
	const struct conf_subscriber neighbor = {
		.name = "bgp neighbor", .path = "/l3vpn:bgp/neighbor", .prio = PRIO_NEIGHBOR,
		.change = change_neighbor, .arg = b,
	};
	const struct conf_subscriber ce = {
		.name = "bgp vrf neighbor", .path = "/l3vpn:bgp/vrf/neighbor",
		.prio = PRIO_NEIGHBOR, .change = change_neighbor, .arg = b,
	};

	if (!b->env.conf)
		return;
	conf_subscribe(b->env.conf, &global);
	conf_subscribe(b->env.conf, &lu4);
	conf_subscribe(b->env.conf, &lu6);
	conf_subscribe(b->env.conf, &neighbor);
	conf_subscribe(b->env.conf, &ce);
}
