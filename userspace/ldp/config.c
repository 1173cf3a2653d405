// SPDX-License-Identifier: GPL-2.0
/* `mpls` / `ldp`: the whole of it is read anew after each change (settings.h), and the engine finds what differs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "ldp/net_uv.h"
#include "ldp/private.h"
#include "lib/log.h"
#include "lib/mem.h"

#define PRIO 65			/* behind interfaces and static paths */

struct ldp_room {
	struct ldp *ldp;
	struct ldp_uv *net;
};

static struct ldp_options options;

void ldp_set_options(const struct ldp_options *opt)
{
	options = *opt;
}

/* ---- reading ---- */

static void read_filter(const struct lyd_node *n, const char *name, struct ldp_filter *f)
{
	const struct lyd_node *e;
	struct prefix p;

	conf_for_each(e, n, name)
		if (prefix_parse(conf_value(e), &p))
			ldp_filter_add(f, &p);
}

static void read_family(const struct lyd_node *n, const char *router_id, uint8_t family, struct ldp_family_settings *f)
{
	const struct lyd_node *e;
	struct ip_addr a;

	f->on = true;
	addr_parse(conf_str(n, "transport-address", router_id), &f->transport);
	if (!n)
		return;
	f->targeted_accept = conf_exists(n, "targeted-accept");
	read_filter(n, "targeted-accept-from", &f->targeted_from);
	conf_for_each(e, n, "targeted") {
		if (!addr_parse(conf_str(e, "address", ""), &a) || a.family != family)
			continue;
		f->targets = xrealloc(f->targets, (f->n_targets + 1) * sizeof(a));
		f->targets[f->n_targets++] = a;
	}
	f->host_routes = conf_exists(n, "allocate-host-routes");
	f->default_route = conf_exists(n, "default-route");
	f->explicit_null = conf_exists(n, "explicit-null");
	read_filter(n, "allocate-for", &f->allocate);
	read_filter(n, "advertise-for", &f->advertise);
	read_filter(n, "accept-for", &f->accept);
}

static void read_neighbor(const struct lyd_node *n, struct ldp_settings *s)
{
	struct ldp_neighbor_settings *to;
	const char *ttl = conf_str(n, "ttl-security", NULL);
	struct ip_addr a;

	if (!addr_parse(conf_str(n, "lsr-id", ""), &a))
		return;
	s->neighbors = xrealloc(s->neighbors, (s->n_neighbors + 1) * sizeof(*to));
	to = &s->neighbors[s->n_neighbors++];
	memset(to, 0, sizeof(*to));
	memcpy(to->lsr, a.b, 4);
	snprintf(to->password, sizeof(to->password), "%s", conf_str(n, "password", ""));
	to->holdtime = conf_u32(n, "session-holdtime", 0);
	to->ttl_disable = ttl && !strcmp(ttl, "disable");
	to->ttl_hops = ttl && !to->ttl_disable ? atoi(ttl) : 0;
	read_filter(n, "advertise-for", &to->advertise);
	read_filter(n, "accept-for", &to->accept);
}

static void read_iface(const struct lyd_node *n, struct ldp_settings *s)
{
	struct ldp_iface_settings *to;

	s->ifaces = xrealloc(s->ifaces, (s->n_ifaces + 1) * sizeof(*to));
	to = &s->ifaces[s->n_ifaces++];
	memset(to, 0, sizeof(*to));
	snprintf(to->name, sizeof(to->name), "%s", conf_str(n, "name", ""));
	to->family[AFI4] = conf_exists(n, "ipv4");
	to->family[AFI6] = conf_exists(n, "ipv6");
	if (!to->family[AFI4] && !to->family[AFI6])
		to->family[AFI4] = to->family[AFI6] = true;
	to->interval = conf_u32(n, "hello/interval", s->hello_interval);
	to->holdtime = conf_u32(n, "hello/holdtime", s->hello_hold);
}

static void read_timers(const struct lyd_node *n, struct ldp_settings *s)
{
	s->graceful = conf_exists(n, "graceful-restart");
	s->gr_reconnect = conf_u32(n, "graceful-restart/reconnect-timeout", s->gr_reconnect);
	s->gr_holding = conf_u32(n, "graceful-restart/forwarding-state-holdtime", s->gr_holding);
	s->gr_liveness = conf_u32(n, "graceful-restart/neighbor-liveness", s->gr_liveness);
	s->gr_recovery = conf_u32(n, "graceful-restart/maximum-recovery", s->gr_recovery);
	s->hello_interval = conf_u32(n, "discovery/hello/interval", s->hello_interval);
	s->hello_hold = conf_u32(n, "discovery/hello/holdtime", s->hello_hold);
	s->targeted_interval = conf_u32(n, "discovery/targeted-hello/interval", s->targeted_interval);
	s->targeted_hold = conf_u32(n, "discovery/targeted-hello/holdtime", s->targeted_hold);
	s->holdtime = conf_u32(n, "session/holdtime", s->holdtime);
	s->backoff_initial = conf_u32(n, "session/backoff/initial", s->backoff_initial);
	s->backoff_maximum = conf_u32(n, "session/backoff/maximum", s->backoff_maximum);
}

static void read_all(const struct lyd_node *n, struct ldp_settings *s)
{
	bool v4 = conf_exists(n, "ipv4"), v6 = conf_exists(n, "ipv6");
	const char *router_id = conf_str(n, "router-id", "");
	const struct lyd_node *e;
	struct ip_addr a;

	ldp_settings_init(s);
	if (!addr_parse(router_id, &a))
		return;
	s->on = true;
	memcpy(s->router_id, a.b, 4);
	s->ordered = !strcmp(conf_str(n, "control", "independent"), "ordered");
	s->longest_match = conf_exists(n, "longest-match");
	s->prefer_ipv4 = !strcmp(conf_str(n, "transport-preference", "ipv6"), "ipv4");
	read_timers(n, s);
	if (v4 || !v6)
		read_family(conf_child(n, "ipv4"), router_id, AF_INET, &s->family[AFI4]);
	if (v6)
		read_family(conf_child(n, "ipv6"), "", AF_INET6, &s->family[AFI6]);
	conf_for_each(e, n, "neighbor")
		read_neighbor(e, s);
	conf_for_each(e, n, "interface")
		read_iface(e, s);
}

static void on_change(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now, void *arg)
{
	struct ldp_room *r = arg;
	struct ldp_settings s;

	ldp_settings_init(&s);
	if (op != CONF_DEL)
		read_all(now, &s);
	ldp_apply(r->ldp, &s);
}

/* ---- what the schema cannot say ---- */

static bool filter_valid(const struct lyd_node *n, const char *name, struct conf_error *err)
{
	const struct lyd_node *e;
	struct prefix p;

	conf_for_each(e, n, name)
		if (!prefix_parse(conf_value(e), &p))
			return conf_error_node(err, e, "%s is not a prefix, or has host bits", conf_value(e));
	return true;
}

static bool filters_valid(const struct lyd_node *n, struct conf_error *err)
{
	return filter_valid(n, "targeted-accept-from", err) && filter_valid(n, "allocate-for", err) &&
	       filter_valid(n, "advertise-for", err) && filter_valid(n, "accept-for", err);
}

static bool address_valid(const struct lyd_node *n, const char *rel, uint8_t family, struct conf_error *err)
{
	const char *text = conf_str(n, rel, NULL);
	struct ip_addr a;

	if (!text)
		return true;
	if (!addr_parse(text, &a) || a.family != family)
		return conf_error_node(err, n, "%s is not an address of this family", text);
	if (addr_is_unspecified(&a) || addr_is_multicast(&a) || addr_is_loopback(&a) ||
	    (family == AF_INET6 && addr_is_link_local(&a)))
		return conf_error_node(err, n, "%s is not the address of a router", text);
	return true;
}

static bool family_valid(const struct lyd_node *n, uint8_t family, struct conf_error *err)
{
	const struct lyd_node *e;

	if (!n)
		return true;
	conf_for_each(e, n, "targeted")
		if (!address_valid(e, "address", family, err))
			return false;
	return address_valid(n, "transport-address", family, err) && filters_valid(n, err);
}

static bool validate(const struct lyd_node *tree, struct conf_error *err, void *arg)
{
	const struct lyd_node *mpls = conf_top(tree, "mpls"), *n = mpls ? conf_child(mpls, "ldp") : NULL, *e;

	if (!n || !conf_exists(mpls, "ldp"))
		return true;
	if (!address_valid(n, "router-id", AF_INET, err) ||
	    !family_valid(conf_child(n, "ipv4"), AF_INET, err) || !family_valid(conf_child(n, "ipv6"), AF_INET6, err))
		return false;
	conf_for_each(e, n, "neighbor")
		if (!filters_valid(e, err))
			return false;
	return true;
}

/* ---- life ---- */

static void *room_start(const struct rib_env *env)
{
	struct ldp_room *r = xcalloc(1, sizeof(*r));
	struct conf_subscriber sub = { .name = "ldp", .path = "/l3vpn:mpls/ldp", .prio = PRIO, .validate = validate,
				       .change = on_change, .arg = r };

	r->net = ldp_uv_new(options.loop, env->jobs);
	r->ldp = ldp_new(env, &options, &ldp_uv_net, r->net);
	ldp_uv_bind(r->net, r->ldp);
	conf_subscribe(env->conf, &sub);
	return r;
}

static void room_stop(void *instance)
{
	struct ldp_room *r = instance;

	ldp_free(r->ldp);
	ldp_uv_free(r->net);
	free(r);
}

struct ldp *ldp_engine(void *instance)
{
	struct ldp_room *r = instance;

	return r->ldp;
}

const struct rib_proto ldp_proto = {
	.id = RIB_PROTO_LDP,
	.name = "ldp",
	.code = 'L',
	.start = room_start,
	.stop = room_stop,
};
