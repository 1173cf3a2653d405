// SPDX-License-Identifier: GPL-2.0
/*
 * Configuration: `router bgp` into the instance and its peers. A change of one neighbour touches
 * no other session; a change of our AS or identifier makes all sessions anew. Contracts in
 * peer.h; schema in conf/yang/l3vpn.yang.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/inherit.h"
#include "bgp/lu.h"
#include "bgp/path.h"
#include "bgp/peer.h"
#include "conf/conf.h"
#include "lib/log.h"
#include "lib/mem.h"

#define PRIO_GLOBAL 70
#define PRIO_NEIGHBOR 71
#define PRIO_LABELLED 71	/* like neighbors, behind the instance */
#define PRIO_MEMBERS 72		/* behind neighbors and groups */

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

static const char *const family_names[BGP_FAMILIES] = {
	[BGP_IPV4] = "ipv4", [BGP_IPV6] = "ipv6",
	[BGP_VPNV4] = "vpnv4", [BGP_VPNV6] = "vpnv6",
	[BGP_LU4] = "ipv4-labeled", [BGP_LU6] = "ipv6-labeled",
	[BGP_RTC] = "ipv4-rt-filter",
};

/* A CE exchanges plain routes, a peer of the provider's the others. */
static bool family_fits(enum bgp_family f, const char *vrf)
{
	bool plain = f == BGP_IPV4 || f == BGP_IPV6;

	return plain == !!vrf[0];
}

/* A leaf of a family: "vpnv4/next-hop-self". */
struct rel {
	char s[64];
};

static const char *rel_of(struct rel *r, enum bgp_family f, const char *leaf)
{
	snprintf(r->s, sizeof(r->s), "%s/%s", family_names[f], leaf);
	return r->s;
}

static uint8_t read_private(const char *s)
{
	static const char *const names[] = { "none", "leading", "all", "entire-aspath" };
	uint8_t i = 0;

	while (i < BGP_PRIVATE_ENTIRE && strcmp(names[i], s))
		i++;
	return strcmp(names[i], s) ? BGP_PRIVATE_STAY : i;
}

/* What is told to, and taken from, another AS alone. */
static void read_external(const struct inherit *i, enum bgp_family f, struct bgp_family_conf *af)
{
	struct rel r;

	af->as_override = inherit_flag(i, rel_of(&r, f, "as-override"));
	af->remove_private = read_private(inherit_str(i, rel_of(&r, f, "remove-private-as"), "none"));
	af->send_community = inherit_flag(i, rel_of(&r, f, "send-community-ebgp"));
	af->send_extended = inherit_flag(i, rel_of(&r, f, "send-extended-community-ebgp"));
	af->allowas_in = (uint8_t)inherit_u32(i, rel_of(&r, f, "allowas-in"), 0);
}

/* False: the site of origin is none. */
static bool read_site(const struct inherit *i, enum bgp_family f, struct bgp_family_conf *af)
{
	const char *site;
	struct rel r;
	struct rt rt;

	site = inherit_str(i, rel_of(&r, f, "site-of-origin"), NULL);
	if (!site)
		return true;
	if (!rt_parse(site, &rt))
		return false;
	memcpy(af->site, rt.b, sizeof(af->site));
	af->site[1] = 3;
	return true;
}

static void read_limit(const struct inherit *i, enum bgp_family f, struct bgp_limit *l)
{
	struct rel r;

	l->most = inherit_u32(i, rel_of(&r, f, "maximum-prefix/limit"), 0);
	if (!l->most)
		return;
	l->threshold = (uint8_t)inherit_u32(i, rel_of(&r, f, "maximum-prefix/threshold"), 75);
	l->warning_only = inherit_flag(i, rel_of(&r, f, "maximum-prefix/warning-only"));
	l->discard_extra = inherit_flag(i, rel_of(&r, f, "maximum-prefix/discard-extra"));
	l->restart = (uint16_t)inherit_u32(i, rel_of(&r, f, "maximum-prefix/restart"), 0);
}

/* A policy is word enough, unless it is said not to be. */
static void read_originate(const struct inherit *i, enum bgp_family f, struct bgp_family_conf *af)
{
	const char *policy;
	struct rel r;

	policy = inherit_str(i, rel_of(&r, f, "default-originate-policy"), "");
	snprintf(af->originate_policy, sizeof(af->originate_policy), "%s", policy);
	af->originate = inherit_exists(i, rel_of(&r, f, "default-originate")) ? inherit_flag(i, r.s) : policy[0];
}

static void read_family(const struct inherit *i, enum bgp_family f, struct bgp_family_conf *af)
{
	struct rel r;

	af->on = inherit_exists(i, family_names[f]);
	af->addpath_receive = inherit_flag(i, rel_of(&r, f, "additional-paths/receive"));
	af->addpath_send = inherit_flag(i, rel_of(&r, f, "additional-paths/send"));
	af->next_hop_self = inherit_flag(i, rel_of(&r, f, "next-hop-self"));
	af->next_hop_unchanged = inherit_flag(i, rel_of(&r, f, "next-hop-unchanged"));
	af->route_reflector_client = inherit_flag(i, rel_of(&r, f, "route-reflector-client"));
	read_external(i, f, af);
	read_site(i, f, af);
	read_limit(i, f, &af->limit);
	read_originate(i, f, af);
	snprintf(af->policy_in, sizeof(af->policy_in), "%s", inherit_str(i, rel_of(&r, f, "policy-in"), ""));
	snprintf(af->policy_out, sizeof(af->policy_out), "%s", inherit_str(i, rel_of(&r, f, "policy-out"), ""));
}

static void read_session(const struct inherit *i, struct bgp_peer_conf *c)
{
	const char *s = inherit_str(i, "update-source", NULL);
	struct tcp_endpoint source;

	c->remote_as = inherit_u32(i, "remote-as", 0);
	c->local_as = inherit_u32(i, "local-as/as", 0);
	if (c->local_as) {
		c->local_no_prepend = inherit_flag(i, "local-as/no-prepend");
		c->local_replace = inherit_flag(i, "local-as/replace-as");
		c->local_dual = inherit_flag(i, "local-as/dual-as");
	}
	if (s && endpoint_parse(s, &source))
		c->source = source.addr;
	snprintf(c->password, sizeof(c->password), "%s", inherit_str(i, "password", ""));
	c->passive = inherit_flag(i, "passive");
	c->ttl_security = (uint8_t)inherit_u32(i, "ttl-security", 0);
	c->multihop = (uint8_t)inherit_u32(i, "ebgp-multihop", 0);
	c->port = (uint16_t)inherit_u32(i, "port", BGP_PORT);
	c->hold = (uint16_t)inherit_u32(i, "timers/hold-time", 180);
	c->keepalive = (uint16_t)inherit_u32(i, "timers/keepalive", 0);
	c->connect_retry = (uint16_t)inherit_u32(i, "timers/connect-retry", 30);
	c->delay_open = (uint16_t)inherit_u32(i, "timers/delay-open", 0);
	c->maintenance = inherit_flag(i, "graceful-maintenance");
	c->shutdown = inherit_flag(i, "shutdown");
	snprintf(c->shutdown_reason, sizeof(c->shutdown_reason), "%s", inherit_str(i, "shutdown-reason", ""));
	snprintf(c->description, sizeof(c->description), "%s", inherit_str(i, "description", ""));
}

static void read_bfd(const struct inherit *i, struct bgp_peer_conf *c)
{
	if (!inherit_flag(i, "bfd/fast-detect"))
		return;
	c->bfd_interval_us = inherit_u32(i, "bfd/minimum-interval", 150) * 1000;
	c->bfd_multiplier = (uint8_t)inherit_u32(i, "bfd/multiplier", 3);
	c->bfd_strict = inherit_flag(i, "bfd/strict-mode");
	c->bfd_single = inherit_flag(i, "bfd/single-hop");
}

/* The VRF of a neighbor, "" of one of the provider's own. */
static const char *vrf_of(const struct lyd_node *n)
{
	const struct lyd_node *parent = lyd_parent(n);

	return parent && !strcmp(LYD_NAME(parent), "vrf") ? conf_str(parent, "name", "") : "";
}

/* What is said of a neighbor in all, zeroed whole before. False: its address is none. */
static bool read_neighbor(const struct inherit *i, struct bgp_peer_conf *c)
{
	const struct lyd_node *n = i->node[0];

	memset(c, 0, sizeof(*c));
	if (!endpoint_parse(conf_str(n, "address", ""), &c->peer))
		return false;
	snprintf(c->vrf, sizeof(c->vrf), "%s", vrf_of(n));
	read_session(i, c);
	read_bfd(i, c);
	for (int f = 0; f < BGP_FAMILIES; f++) {
		if (family_fits(f, c->vrf))
			read_family(i, f, &c->af[f]);
	}
	return true;
}

/* ---- validation: what the schema cannot say ---- */

static bool check_address(const struct inherit *i, const struct bgp_peer_conf *c, struct conf_error *err)
{
	const struct lyd_node *n = i->node[0];
	const char *source = inherit_str(i, "update-source", NULL);
	bool link_local = c->peer.addr.family == AF_INET6 && addr_is_link_local(&c->peer.addr);
	struct tcp_endpoint e;

	if (link_local && !c->peer.ifname[0])
		return conf_error_node(err, n, "a link-local address needs %%INTERFACE");
	if (c->peer.ifname[0] && !link_local)
		return conf_error_node(err, n, "only a link-local address has an interface");
	if (source && (!endpoint_parse(source, &e) || e.addr.family != c->peer.addr.family))
		return conf_error_node(err, n, "update-source %s is not of the neighbor's family", source);
	if (c->af[BGP_IPV6].on && c->peer.addr.family == AF_INET)
		return conf_error_node(err, n, "IPv6 needs a session over IPv6: use the neighbor's IPv6 address");
	return true;
}

static bool check_session(const struct inherit *i, const struct bgp_peer_conf *c, uint32_t as, struct conf_error *err)
{
	const struct lyd_node *n = i->node[0];

	if (!c->remote_as)
		return conf_error_node(err, n, "remote-as is missing, here and in a neighbor-group that is used");
	if (c->ttl_security && c->multihop)
		return conf_error_node(err, n, "ttl-security and ebgp-multihop exclude each other");
	if (c->multihop && c->remote_as == as)
		return conf_error_node(err, n, "ebgp-multihop is for a neighbor of another AS");
	if (c->local_as && (c->remote_as == as || c->remote_as == c->local_as))
		return conf_error_node(err, n, "local-as is for a neighbor of another AS");
	if (c->local_as == as)
		return conf_error_node(err, n, "local-as %u is our AS", as);
	if (c->vrf[0] && c->remote_as == as)
		return conf_error_node(err, n, "a CE in our own AS %u is not supported", as);
	if (inherit_flag(i, "bfd/strict-mode") && !c->bfd_interval_us)
		return conf_error_node(err, n, "strict-mode goes with bfd fast-detect");
	if (inherit_flag(i, "bfd/single-hop") && !c->bfd_interval_us)
		return conf_error_node(err, n, "single-hop goes with bfd fast-detect");
	return true;
}

static bool check_family(const struct inherit *i, const struct bgp_peer_conf *c, enum bgp_family f, uint32_t as,
			 struct conf_error *err)
{
	const struct bgp_family_conf *af = &c->af[f];
	const struct lyd_node *n = i->node[0];
	struct bgp_family_conf scratch;

	if (!family_fits(f, c->vrf) && inherit_exists(i, family_names[f]))
		return conf_error_node(err, n, "its neighbor-group has address family %s, which %s", bgp_family_name(f),
				       c->vrf[0] ? "a neighbor in a VRF cannot have" : "is for neighbors in VRFs");
	if (af->route_reflector_client && c->remote_as != as)
		return conf_error_node(err, n, "route-reflector-client is for a neighbor of our own AS");
	if (af->next_hop_unchanged && c->remote_as == as)
		return conf_error_node(err, n,
				       "next-hop-unchanged: a neighbor of our own AS is told the next hop anyway");
	if ((af->as_override || af->remove_private != BGP_PRIVATE_STAY) && c->remote_as == as)
		return conf_error_node(err, n, "as-override and remove-private-as are for a neighbor of another AS");
	if (af->limit.warning_only + af->limit.discard_extra + !!af->limit.restart > 1)
		return conf_error_node(err, n, "maximum-prefix: warning-only, discard-extra and restart exclude each other");
	if (!read_site(i, f, &scratch))
		return conf_error_node(err, n, "site-of-origin: a number is out of range");
	if (f == BGP_RTC && (af->policy_in[0] || af->policy_out[0]))
		return conf_error_node(err, n, "there are no policies for memberships of route targets");
	if (af->next_hop_self && af->next_hop_unchanged)
		return conf_error_node(err, n, "next-hop-self and next-hop-unchanged exclude each other");
	return true;
}

/* What comes in keeps its next hop, or gets an address. */
static bool check_policies(const struct inherit *i, const struct bgp_peer_conf *c, struct conf_error *err)
{
	const struct lyd_node *top = i->node[0];

	while (lyd_parent(top))
		top = lyd_parent(top);
	for (int f = 0; f < BGP_FAMILIES; f++) {
		if (c->af[f].policy_in[0] && policy_sets_own_next_hop(lyd_first_sibling(top), c->af[f].policy_in))
			return conf_error_node(err, i->node[0],
					       "route-policy %s sets the next hop to self or unchanged, which is for what goes out",
					       c->af[f].policy_in);
	}
	return true;
}

static bool check_neighbor(const struct lyd_node *n, uint32_t as, struct conf_error *err)
{
	struct bgp_peer_conf c;
	struct inherit i;

	if (!inherit_resolve(n, &i, err))
		return false;
	if (!read_neighbor(&i, &c))
		return conf_error_node(err, n, "not an address");
	if (!check_address(&i, &c, err) || !check_session(&i, &c, as, err))
		return false;
	for (int f = 0; f < BGP_FAMILIES; f++) {
		if (!check_family(&i, &c, f, as, err))
			return false;
	}
	return check_policies(&i, &c, err);
}

static bool check_groups(const struct lyd_node *bgp, struct conf_error *err)
{
	const struct lyd_node *n;
	struct inherit i;

	conf_for_each(n, bgp, "neighbor-group") {
		if (!inherit_resolve(n, &i, err))
			return false;
	}
	return true;
}

struct address {
	struct tcp_endpoint e;
	const struct lyd_node *node;
};

static int address_cmp(const void *a, const void *b)
{
	const struct address *x = a, *y = b;
	int d = addr_cmp(&x->e.addr, &y->e.addr);

	return d ? d : strcmp(x->e.ifname, y->e.ifname);
}

/* Two texts of one address would be two neighbours with one connection. */
static bool check_unique(const struct lyd_node *parent, struct conf_error *err)
{
	const struct lyd_node *node;
	struct address *all;
	unsigned int n = 0;
	bool ok = true;

	conf_for_each(node, parent, "neighbor")
		n++;
	all = xcalloc(n + 1, sizeof(*all));
	n = 0;
	conf_for_each(node, parent, "neighbor") {
		all[n].node = node;
		n += endpoint_parse(conf_str(node, "address", ""), &all[n].e);
	}
	qsort(all, n, sizeof(*all), address_cmp);
	for (unsigned int i = 1; ok && i < n; i++) {
		if (!address_cmp(&all[i - 1], &all[i]))
			ok = conf_error_node(err, all[i].node, "the same address as neighbor %s",
					     conf_str(all[i - 1].node, "address", ""));
	}
	free(all);
	return ok;
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

static bool check_neighbors(const struct lyd_node *parent, uint32_t as, struct conf_error *err)
{
	const struct lyd_node *n;

	if (!check_unique(parent, err))
		return false;
	conf_for_each(n, parent, "neighbor") {
		if (!check_neighbor(n, as, err))
			return false;
	}
	return true;
}

static bool validate(const struct lyd_node *candidate, struct conf_error *err, void *arg)
{
	const struct lyd_node *bgp = conf_top(candidate, "bgp"), *vrf;
	uint32_t as = conf_u32(bgp, "as", 0);

	if (!bgp)
		return true;
	if (!check_labelled(conf_child(bgp, "ipv4-labeled"), AF_INET, err) ||
	    !check_labelled(conf_child(bgp, "ipv6-labeled"), AF_INET6, err))
		return false;
	if (!check_groups(bgp, err) || !check_neighbors(bgp, as, err))
		return false;
	conf_for_each(vrf, bgp, "vrf") {
		if (!check_neighbors(vrf, as, err))
			return false;
	}
	return true;
}

/* ---- changes ---- */

static void read_rules(const struct lyd_node *bgp, struct decision_rules *rules)
{
	memset(rules, 0, sizeof(*rules));
	rules->compare_router_id = conf_exists(bgp, "bestpath/compare-routerid");
	rules->always_compare_med = conf_exists(bgp, "bestpath/med-always");
	rules->missing_med_worst = conf_exists(bgp, "bestpath/med-missing-as-worst");
}

static void change_global(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now,
			  void *arg)
{
	struct bgp *b = arg;
	uint32_t as = b->as, id = b->id, cluster = b->cluster_id;
	bool was = b->configured, unsafe = b->unsafe_ebgp;
	struct decision_rules rules;
	struct ip_addr a;

	if (op == CONF_DEL) {
		b->configured = false;
		return;
	}
	b->configured = true;
	b->as = conf_u32(now, "as", 0);
	if (addr_parse(conf_str(now, "router-id", ""), &a) && a.family == AF_INET)
		b->id = addr_to_v4(&a);
	rib_set_router_id(b->env.rib, b->id);
	b->cluster_id = b->id;
	if (addr_parse(conf_str(now, "cluster-id", ""), &a) && a.family == AF_INET)
		b->cluster_id = addr_to_v4(&a);
	read_rules(now, &rules);
	rib_set_rules(b->env.rib, &rules);
	b->unsafe_ebgp = conf_exists(now, "unsafe-ebgp-policy");
	b->listen_port = (uint16_t)conf_u32(now, "listen-port", BGP_PORT);
	b->gr_enabled = !conf_exists(now, "graceful-restart/disable");
	b->gr_time = (uint16_t)conf_u32(now, "graceful-restart/restart-time", 120);
	b->gr_deferral = (uint16_t)conf_u32(now, "graceful-restart/selection-deferral", 120);
	b->gr_stale = (uint16_t)conf_u32(now, "graceful-restart/stale-time", 300);
	if (!was && b->restarting)
		timer_start(&b->restart_timer, b->gr_deferral * 1000ull);
	bgp_rtc_changed(b->rtc);
	if (was && (as != b->as || id != b->id || cluster != b->cluster_id))
		bgp_peers_restart(b);
	else if (was)
		bgp_peers_caps(b);
	if (was && unsafe != b->unsafe_ebgp)
		bgp_policies_again(b);
	bgp_listen_update(b);
}

struct bgp_peer *bgp_config_peer(struct bgp *b, const struct lyd_node *neighbor)
{
	struct tcp_endpoint e;

	if (!endpoint_parse(conf_str(neighbor, "address", ""), &e))
		return NULL;
	return bgp_peer_find(b, vrf_of(neighbor), &e);
}

static void neighbor_gone(struct bgp *b, const struct lyd_node *n)
{
	struct bgp_peer *p = bgp_config_peer(b, n);

	if (p)
		bgp_peer_remove(p);
}

/* Makes the peer what is said of it now; nothing happens when that is what it is. */
static void neighbor_apply(struct bgp *b, const struct lyd_node *n)
{
	struct bgp_peer_conf c;
	struct bgp_peer *p;
	struct inherit i;

	if (!inherit_resolve(n, &i, NULL) || !read_neighbor(&i, &c))
		return;
	p = bgp_peer_find(b, c.vrf, &c.peer);
	if (p)
		bgp_peer_change(p, &c);
	else
		bgp_peer_add(b, &c);
}

static void change_neighbor(enum conf_op op, const struct lyd_node *old,
			    const struct lyd_node *now, void *arg)
{
	struct bgp *b = arg;

	if (op == CONF_DEL)
		neighbor_gone(b, old);
	else
		neighbor_apply(b, now);
	bgp_listen_update(b);
	bgp_restart_check(b);
}

static void change_group(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now, void *arg)
{
	struct bgp *b = arg;

	b->groups_changed = true;
}

static void apply_all(struct bgp *b, const struct lyd_node *parent)
{
	const struct lyd_node *n;

	conf_for_each(n, parent, "neighbor")
		neighbor_apply(b, n);
}

/* Behind all other changes: neighbors that did not change themselves, but the groups that they use did. */
static void change_members(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now, void *arg)
{
	struct bgp *b = arg;
	const struct lyd_node *vrf;

	if (now && b->groups_changed) {
		apply_all(b, now);
		conf_for_each(vrf, now, "vrf")
			apply_all(b, vrf);
		bgp_listen_update(b);
		bgp_restart_check(b);
	}
	b->groups_changed = false;
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

static void change_vpn(struct bgp *b, enum bgp_family f, const struct lyd_node *now)
{
	bgp_retain_configure(b, f, now && !strcmp(conf_str(now, "retain-route-target", ""), "all"));
}

static void change_vpnv4(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now, void *arg)
{
	change_vpn(arg, BGP_VPNV4, op == CONF_DEL ? NULL : now);
}

static void change_vpnv6(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now, void *arg)
{
	change_vpn(arg, BGP_VPNV6, op == CONF_DEL ? NULL : now);
}

void bgp_config_subscribe(struct bgp *b)
{
	const struct conf_subscriber vpn4 = {
		.name = "bgp vpnv4", .path = "/l3vpn:bgp/vpnv4", .prio = PRIO_NEIGHBOR,
		.change = change_vpnv4, .arg = b,
	};
	const struct conf_subscriber vpn6 = {
		.name = "bgp vpnv6", .path = "/l3vpn:bgp/vpnv6", .prio = PRIO_NEIGHBOR,
		.change = change_vpnv6, .arg = b,
	};
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

	const struct conf_subscriber group = {
		.name = "bgp neighbor-group", .path = "/l3vpn:bgp/neighbor-group", .prio = PRIO_NEIGHBOR,
		.change = change_group, .arg = b,
	};
	const struct conf_subscriber members = {
		.name = "bgp neighbors of groups", .path = "/l3vpn:bgp", .prio = PRIO_MEMBERS,
		.change = change_members, .arg = b,
	};

	if (!b->env.conf)
		return;
	conf_subscribe(b->env.conf, &global);
	conf_subscribe(b->env.conf, &vpn4);
	conf_subscribe(b->env.conf, &vpn6);
	conf_subscribe(b->env.conf, &lu4);
	conf_subscribe(b->env.conf, &lu6);
	conf_subscribe(b->env.conf, &neighbor);
	conf_subscribe(b->env.conf, &ce);
	conf_subscribe(b->env.conf, &group);
	conf_subscribe(b->env.conf, &members);
}
