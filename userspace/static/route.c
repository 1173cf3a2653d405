// SPDX-License-Identifier: GPL-2.0
/*
 * Static routes of VRFs: next hops (several: weighted), a port, or discard. A next hop without a
 * port may lie behind another route of the VRF (recursion). A route stays in the table while its
 * next hop is not usable; it is not chosen then, and says why.
 */
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "static/static.h"
#include "vrf/vrf.h"

/* sources differ by distance, which is a fact of the source: those in use, per VRF */
struct static_source {
	struct list node;
	uint32_t vrf;
	struct rib_source source;
};

struct statics {
	struct rib_env env;
	struct nht *nht;
	struct list sources;
	struct vrf_watch watch;
};

static struct static_source *source_get(struct statics *st, struct vrf *v, uint8_t family,
					uint8_t distance, bool make)
{
	struct rib_table *table = v->af[family_afi(family)].table;
	struct static_source *s;

	list_for_each(s, &st->sources, struct static_source, node)
		if (s->source.table == table && s->source.distance == distance)
			return s;
	if (!make)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->vrf = v->id;
	s->source.proto = &static_proto;
	s->source.table = table;
	s->source.name = "static";
	s->source.distance = distance;
	s->source.is_local = true;
	s->source.vrf = v->id;
	rib_source_init(&s->source);
	list_add(&st->sources, &s->node);
	return s;
}

static void source_put(struct static_source *s)
{
	if (!rib_source_idle(&s->source))
		return;
	list_del(&s->node);
	free(s);
}

static struct nexthop *special(struct statics *st, uint32_t vrf, enum nexthop_kind kind,
			       const char *ifname)
{
	struct nexthop_key key = { .kind = kind, .vrf = vrf };

	if (ifname)
		strncpy(key.ifname, ifname, sizeof(key.ifname) - 1);
	return nexthop_get(st->nht, &key);
}

static struct nexthop *one_gateway(struct statics *st, uint32_t vrf, const struct lyd_node *n)
{
	struct nexthop_live live = { 0 };
	struct ip_addr a;

	if (!addr_parse(conf_str(n, "address", ""), &a))
		return NULL;
	if (conf_exists(n, "bfd/fast-detect")) {
		live.interval_us = conf_u32(n, "bfd/minimum-interval", 150) * 1000;
		live.multiplier = conf_u32(n, "bfd/multiplier", 3);
		live.multihop = conf_exists(n, "bfd/multihop");
		addr_parse(conf_str(n, "bfd/source", ""), &live.local);
	}
	return nexthop_gateway_live(st->nht, vrf, &a, conf_str(n, "interface", NULL), &live);
}

static struct nexthop *gateways(struct statics *st, uint32_t vrf, const struct lyd_node *route)
{
	struct nexthop_member m[NEXTHOP_MEMBERS_MAX];
	const struct lyd_node *n;
	struct nexthop *nh;
	unsigned int count = 0, i;

	conf_for_each(n, route, "next-hop") {
		if (count == NEXTHOP_MEMBERS_MAX)
			break;
		m[count].nh = one_gateway(st, vrf, n);
		m[count].weight = conf_u32(n, "weight", 1);
		m[count].backup = conf_exists(n, "backup");
		count += !!m[count].nh;
	}
	if (!count)
		return NULL;
	if (count == 1)
		return m[0].nh;
	nh = nexthop_group_get(st->nht, m, count);
	for (i = 0; i < count; i++)
		nexthop_put(st->nht, m[i].nh);
	return nh;
}

static struct nexthop *way_of(struct statics *st, uint32_t vrf, const struct lyd_node *route)
{
	const char *port = conf_str(route, "interface", NULL);

	if (conf_exists(route, "discard"))
		return special(st, vrf, NEXTHOP_BLACKHOLE, NULL);
	if (port)
		return special(st, vrf, NEXTHOP_DEVICE, port);
	return gateways(st, vrf, route);
}

static struct vrf *vrf_of(struct statics *st, const struct lyd_node *route)
{
	return vrf_find(st->env.vrfs, conf_str(lyd_parent(route), "name", ""));
}

static void withdraw(struct statics *st, const struct lyd_node *route)
{
	struct vrf *v = vrf_of(st, route);
	struct static_source *s;
	struct prefix p;

	if (!v || !prefix_parse(conf_str(route, "prefix", ""), &p))
		return;
	s = source_get(st, v, p.addr.family, conf_u32(route, "distance", RIB_DISTANCE_STATIC), false);
	if (!s)
		return;
	rib_withdraw(&s->source, NULL, &p, 0);
	source_put(s);
}

static void announce(struct statics *st, const struct lyd_node *route)
{
	struct rib_path path = { .label = RIB_LABEL_NONE };
	struct vrf *v = vrf_of(st, route);
	struct static_source *s;
	struct prefix p;

	if (!v || !prefix_parse(conf_str(route, "prefix", ""), &p))
		return;
	path.nh = way_of(st, v->id, route);
	if (!path.nh)
		return;
	s = source_get(st, v, p.addr.family, conf_u32(route, "distance", RIB_DISTANCE_STATIC), true);
	rib_announce(&s->source, NULL, &p, &path);
	nexthop_put(st->nht, path.nh);
}

static void on_route(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now,
		     void *arg)
{
	struct statics *st = arg;

	if (op == CONF_DEL) {
		withdraw(st, old);
		return;
	}
	announce(st, now);
	/* another distance is another source: the old route goes once the new one is there */
	if (old && conf_u32(old, "distance", 1) != conf_u32(now, "distance", 1))
		withdraw(st, old);
}

static bool route_valid(const struct lyd_node *route, struct conf_error *err)
{
	const struct lyd_node *n;
	struct ip_addr a;
	struct prefix p;

	if (!prefix_parse(conf_str(route, "prefix", ""), &p))
		return conf_error_node(err, route, "%s is not a prefix, or has host bits",
				       conf_str(route, "prefix", ""));
	if (addr_is_multicast(&p.addr))
		return conf_error_node(err, route, "a multicast prefix cannot be routed to");
	conf_for_each(n, route, "next-hop") {
		if (!addr_parse(conf_str(n, "address", ""), &a))
			return conf_error_node(err, n, "%s is not an address",
					       conf_str(n, "address", ""));
		if (p.addr.family == AF_INET6 && a.family == AF_INET)
			return conf_error_node(err, n, "an IPv6 route cannot go to an IPv4 next hop");
		if (addr_is_multicast(&a) || addr_is_unspecified(&a))
			return conf_error_node(err, n, "%s cannot be a next hop",
					       conf_str(n, "address", ""));
		if (a.family == AF_INET6 && addr_is_link_local(&a) &&
		    !conf_str(n, "interface", NULL))
			return conf_error_node(err, n, "a link-local next hop needs its interface");
	}
	return true;
}

static bool validate(const struct lyd_node *tree, struct conf_error *err, void *arg)
{
	const struct lyd_node *top = conf_top(tree, "static"), *v, *r;

	if (!top)
		return true;
	conf_for_each(v, top, "vrf")
		conf_for_each(r, v, "route")
			if (!route_valid(r, err))
				return false;
	return true;
}

static void on_vrf(struct vrf_watch *w, enum vrf_event e, struct vrf *v)
{
	struct statics *st = container_of(w, struct statics, watch);
	struct static_source *s, *tmp;

	if (e != VRF_DEL)
		return;
	/* the tables are gone, and with them the routes */
	list_for_each_safe(s, tmp, &st->sources, struct static_source, node)
		if (s->vrf == v->id)
			source_put(s);
}

static void *static_start(const struct rib_env *env)
{
	struct statics *st = xcalloc(1, sizeof(*st));
	struct conf_subscriber sub = { .name = "static routes", .path = "/l3vpn:static/vrf/route",
				       .prio = 60, .validate = validate, .change = on_route,
				       .arg = st };

	st->env = *env;
	st->nht = rib_nht(env->rib);
	list_init(&st->sources);
	st->watch.event = on_vrf;
	vrf_watch(env->vrfs, &st->watch);
	conf_subscribe(env->conf, &sub);
	return st;
}

static void static_stop(void *instance)
{
	struct statics *st = instance;
	struct static_source *s;

	vrf_unwatch(&st->watch);
	while (!list_empty(&st->sources)) {
		s = list_first(&st->sources, struct static_source, node);
		rib_source_flush_now(&s->source);
		list_del(&s->node);
		free(s);
	}
	free(st);
}

const struct rib_proto static_proto = {
	.id = RIB_PROTO_STATIC,
	.name = "static",
	.code = 'S',
	.start = static_start,
	.stop = static_stop,
};
