// SPDX-License-Identifier: GPL-2.0
/* Configuration of VRFs: `vrf`, which `interface` belongs to which, and what `router bgp` announces. */
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "lib/mem.h"
#include "rib/transport.h"
#include "vrf/auto.h"
#include "vrf/private.h"

static const char *const family_names[AFI_MAX] = { [AFI4] = "ipv4", [AFI6] = "ipv6" };

/* ---- refusing ---- */

static bool is_auto(const struct lyd_node *leaf)
{
	return leaf && !strcmp(conf_value(leaf), VRF_AUTO);
}

/* @as: 0 where there is no `router bgp` yet */
static bool auto_target_valid(const struct lyd_node *af, const struct lyd_node *n, uint32_t as,
			      struct conf_error *err)
{
	uint32_t vpn = conf_u32(lyd_parent(af), "vpn-number", 0);
	struct rt rt;

	if (!vpn)
		return conf_error_node(err, n, "route-target auto needs the VRF's `vpn number`");
	if (as && !auto_rt(as, vpn, &rt))
		return conf_error_node(err, n, "vpn number %u does not fit in a route target of AS %u: at most 65535",
				       vpn, as);
	return true;
}

static bool targets_valid(const struct lyd_node *af, const char *name, uint32_t as, struct conf_error *err)
{
	const struct lyd_node *n;
	struct rt rt;

	conf_for_each(n, af, name)
		if (is_auto(n)) {
			if (!auto_target_valid(af, n, as, err))
				return false;
		} else if (!rt_parse(conf_value(n), &rt))
			return conf_error_node(err, n, "%s is not a route target: write ASN:NUMBER "
					       "or ADDRESS:NUMBER", conf_value(n));
	return true;
}

struct rd_seen {
	struct rd rd;
	const struct lyd_node *node;
};

/* Of all VRFs of a configuration. */
struct rds {
	struct vrfs *vs;
	uint32_t router_id;
	struct rd_seen *seen;
	unsigned int n, size;
	unsigned int sorted;		/* so many of the first: those that are written out */
};

static int cmp_seen(const void *a, const void *b)
{
	return rd_cmp(&((const struct rd_seen *)a)->rd, &((const struct rd_seen *)b)->rd);
}

static void rds_add(struct rds *rds, const struct rd *rd, const struct lyd_node *node)
{
	if (rds->n == rds->size) {
		rds->size = rds->size ? rds->size * 2 : 16;
		rds->seen = xrealloc(rds->seen, rds->size * sizeof(*rds->seen));
	}
	rds->seen[rds->n++] = (struct rd_seen){ .rd = *rd, .node = node };
}

/* two VRFs of one PE under one RD would hide each other's routes */
static bool rds_differ(struct rds *rds, struct conf_error *err)
{
	struct rd_seen *seen = rds->seen;
	char text[RD_STRLEN];
	unsigned int i;

	if (rds->n)
		qsort(seen, rds->n, sizeof(*seen), cmp_seen);
	for (i = 1; i < rds->n; i++) {
		bool own = is_auto(seen[i].node);
		const struct rd_seen *one = own ? &seen[i - 1] : &seen[i], *other = own ? &seen[i] : &seen[i - 1];

		if (rd_cmp(&seen[i - 1].rd, &seen[i].rd))
			continue;
		return conf_error_node(err, one->node, "vrf %s has the same rd%s%s",
				       conf_str(lyd_parent(other->node), "name", ""),
				       is_auto(other->node) ? ", automatically: " : "",
				       is_auto(other->node) ? rd_str(&other->rd, text) : "");
	}
	return true;
}

static bool rds_written(const struct lyd_node *tree, struct rds *rds, struct conf_error *err)
{
	const struct lyd_node *v, *node;
	struct rd rd;

	conf_for_each_top(v, tree, "vrf") {
		node = conf_child(v, "rd");
		if (!node || is_auto(node))
			continue;
		if (!rd_parse(conf_value(node), &rd))
			return conf_error_node(err, node, "%s is not a route distinguisher: write ASN:NUMBER or "
					       "ADDRESS:NUMBER, or auto", conf_value(node));
		rds_add(rds, &rd, node);
	}
	if (rds->n)
		qsort(rds->seen, rds->n, sizeof(*rds->seen), cmp_seen);
	rds->sorted = rds->n;
	return true;
}

/* Would the number make a route distinguisher that is written out for another VRF? */
static bool is_written(void *arg, uint16_t number)
{
	const struct rds *rds = arg;
	const struct rd_seen key = { .rd = auto_rd(rds->router_id, number) };

	return rds->sorted && bsearch(&key, rds->seen, rds->sorted, sizeof(key), cmp_seen);
}

static bool has_vrf(void *arg, const char *name)
{
	return vrf_find(arg, name);
}

static uint16_t number_of(struct vrfs *vs, const char *name, struct rds *rds)
{
	uint16_t number = vrf_number_get(vs->numbers, name, rds ? is_written : NULL, rds);

	if (number)
		return number;
	vrf_numbers_forget(vs->numbers, has_vrf, vs);
	return vrf_number_get(vs->numbers, name, rds ? is_written : NULL, rds);
}

static bool rds_automatic(const struct lyd_node *tree, struct rds *rds, struct conf_error *err)
{
	const struct lyd_node *v, *node;
	uint16_t number;
	struct rd rd;

	conf_for_each_top(v, tree, "vrf") {
		node = conf_child(v, "rd");
		if (!is_auto(node))
			continue;
		number = number_of(rds->vs, conf_str(v, "name", ""), rds);
		if (!number)
			return conf_error_node(err, node, "no number is left for an automatic route distinguisher");
		rd = auto_rd(rds->router_id, number);
		rds_add(rds, &rd, node);
	}
	return true;
}

static bool rds_valid(struct vrfs *vs, const struct lyd_node *tree, struct conf_error *err)
{
	struct rds rds = { .vs = vs, .router_id = auto_router_id(tree) };
	bool ok = rds_written(tree, &rds, err) && rds_automatic(tree, &rds, err) && rds_differ(&rds, err);

	free(rds.seen);
	return ok;
}

static bool validate_vrfs(const struct lyd_node *tree, struct conf_error *err, void *arg)
{
	const struct lyd_node *v, *af;
	uint32_t as = auto_as(tree);
	int i;

	if (!rds_valid(arg, tree, err))
		return false;
	conf_for_each_top(v, tree, "vrf") {
		for (i = 0; i < AFI_MAX; i++) {
			af = conf_child(v, family_names[i]);
			if (af && (!targets_valid(af, "import-route-target", as, err) ||
				   !targets_valid(af, "export-route-target", as, err)))
				return false;
		}
	}
	return true;
}

static bool networks_valid(const struct lyd_node *af, uint8_t family, struct conf_error *err)
{
	const struct lyd_node *n;
	struct prefix p;

	conf_for_each(n, af, "network") {
		if (!prefix_parse(conf_value(n), &p))
			return conf_error_node(err, n, "%s is not a prefix, or has host bits",
					       conf_value(n));
		if (p.addr.family != family)
			return conf_error_node(err, n, "%s is not of this address family",
					       conf_value(n));
	}
	return true;
}

static bool aggregates_valid(const struct lyd_node *af, uint8_t family, struct conf_error *err)
{
	const struct lyd_node *n;
	const char *text;
	struct prefix p;

	conf_for_each(n, af, "aggregate-address") {
		text = conf_str(n, "prefix", "");
		if (!prefix_parse(text, &p))
			return conf_error_node(err, n, "%s is not a prefix, or has host bits", text);
		if (p.addr.family != family)
			return conf_error_node(err, n, "%s is not of this address family", text);
	}
	return true;
}

static bool validate_bgp(const struct lyd_node *tree, struct conf_error *err, void *arg)
{
	const struct lyd_node *bgp = conf_top(tree, "bgp"), *v, *af;
	int i;

	if (!bgp)
		return true;
	conf_for_each(v, bgp, "vrf") {
		for (i = 0; i < AFI_MAX; i++) {
			af = conf_child(v, family_names[i]);
			if (af && (!networks_valid(af, afi_family(i), err) ||
				   !aggregates_valid(af, afi_family(i), err)))
				return false;
		}
	}
	return true;
}

/* ---- applying ---- */

static void apply_targets(struct vrfs *vs, struct vrf *v, uint8_t family,
			  const struct lyd_node *af, bool export)
{
	const char *name = export ? "export-route-target" : "import-route-target";
	uint32_t vpn = af ? conf_u32(lyd_parent(af), "vpn-number", 0) : 0;
	const struct lyd_node *n;
	struct rt *rt = NULL;
	unsigned int count = 0;

	if (af) {
		conf_for_each(n, af, name) {
			rt = xrealloc(rt, (count + 1) * sizeof(*rt));
			count += is_auto(n) ? auto_rt(vs->as, vpn, &rt[count]) : rt_parse(conf_value(n), &rt[count]);
		}
	}
	vrf_set_targets(vs, v, family, export, rt, count);
	free(rt);
}

static enum label_mode label_mode_of(const char *s)
{
	if (!strcmp(s, "per-ce"))
		return LABEL_MODE_CE;
	return strcmp(s, "per-prefix") ? LABEL_MODE_VRF : LABEL_MODE_PREFIX;
}

static void apply_limit(struct vrfs *vs, struct vrf *v, uint8_t family, const struct lyd_node *af)
{
	uint64_t routes = af ? conf_u32(af, "maximum-prefix/routes", 0) : 0;
	uint32_t percent = af ? conf_u32(af, "maximum-prefix/warning", 0) : 0;

	/* rounded up, so that a part of something is at least one route */
	vrf_set_limit(vs, v, family, routes, (routes * percent + 99) / 100);
}

static uint8_t model_of(const char *s)
{
	if (!strcmp(s, "uniform"))
		return TUNNEL_UNIFORM;
	if (!strcmp(s, "pipe"))
		return TUNNEL_PIPE;
	return strcmp(s, "short-pipe") ? TUNNEL_NONE : TUNNEL_SHORT_PIPE;
}

/* @node: the container `mpls`, of a VRF or for all; NULL: nothing is said */
static struct tunnel_settings tunnel_of(const struct lyd_node *node)
{
	struct tunnel_settings s;
	const struct lyd_node *n;

	tunnel_settings_init(&s);
	if (!node)
		return s;
	s.model = model_of(conf_str(node, "tunnel-model", ""));
	if (conf_exists(node, "ttl-propagate"))
		s.propagate = conf_bool(node, "ttl-propagate", true);
	conf_for_each(n, node, "dscp-to-tc")
		s.dscp_tc[conf_u32(n, "dscp", 0) % TUNNEL_DSCPS] = conf_u32(n, "tc", 0);
	conf_for_each(n, node, "tc-to-dscp")
		s.tc_dscp[conf_u32(n, "tc", 0) % TUNNEL_TCS] = conf_u32(n, "dscp", 0);
	return s;
}

static void on_mpls(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now,
		    void *arg)
{
	struct tunnel_settings s = tunnel_of(op == CONF_DEL ? NULL : now);

	vrf_set_tunnel_all(arg, &s);
}

static void apply_rd(struct vrfs *vs, struct vrf *v, const struct lyd_node *node)
{
	const struct lyd_node *leaf = conf_child(node, "rd");
	bool has = false;
	struct rd rd;
	uint16_t n;

	if (is_auto(leaf)) {
		n = vs->router_id ? number_of(vs, v->name, NULL) : 0;
		rd = auto_rd(vs->router_id, n);
		has = n;
	} else if (leaf) {
		has = rd_parse(conf_value(leaf), &rd);
	}
	vrf_set_rd(vs, v, has ? &rd : NULL);
}

/* By what its routes are told apart, and who takes them. */
static void apply_identity(struct vrfs *vs, struct vrf *v, const struct lyd_node *node)
{
	const struct lyd_node *af;
	int i;

	for (i = 0; i < AFI_MAX; i++) {
		af = conf_child(node, family_names[i]);
		apply_targets(vs, v, afi_family(i), af, true);
		apply_targets(vs, v, afi_family(i), af, false);
	}
	apply_rd(vs, v, node);
}

static void apply_vrf(struct vrfs *vs, struct vrf *v, const struct lyd_node *node)
{
	struct tunnel_settings tunnel = tunnel_of(conf_child(node, "mpls"));
	const struct lyd_node *af;
	int i;

	vrf_set_tunnel(vs, v, &tunnel);
	vrf_set_label_mode(vs, v, label_mode_of(conf_str(node, "label-mode", "per-vrf")));
	vrf_set_transport(vs, v, transport_policy_id(vs->nht, conf_str(node, "tunnel-policy", NULL)));
	for (i = 0; i < AFI_MAX; i++) {
		af = conf_child(node, family_names[i]);
		vrf_set_family(vs, v, afi_family(i), af);
		apply_limit(vs, v, afi_family(i), af);
	}
	apply_identity(vs, v, node);
}

/* What is automatic follows `router bgp`: before VRFs that change themselves. */
static void on_bgp(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now, void *arg)
{
	const struct lyd_node *top = op == CONF_DEL ? old : now, *node;
	struct vrfs *vs = arg;
	uint32_t id, as;
	struct vrf *v;

	while (lyd_parent(top))
		top = lyd_parent(top);
	top = lyd_first_sibling(top);
	id = op == CONF_DEL ? 0 : auto_router_id(top);
	as = op == CONF_DEL ? 0 : auto_as(top);
	if (id == vs->router_id && as == vs->as)
		return;
	vs->router_id = id;
	vs->as = as;
	conf_for_each_top(node, top, "vrf") {
		v = vrf_find(vs, conf_str(node, "name", ""));
		if (v)
			apply_identity(vs, v, node);
	}
}

static void on_vrf(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now,
		   void *arg)
{
	const char *name = conf_str(op == CONF_DEL ? old : now, "name", "");
	struct vrfs *vs = arg;
	struct vrf *v = vrf_find(vs, name);

	if (op == CONF_DEL) {
		if (v)
			vrf_del(vs, v);
		return;
	}
	if (!v)
		v = vrf_add(vs, name);
	if (v)
		apply_vrf(vs, v, now);
}

static void on_interface(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now,
			 void *arg)
{
	const char *name = conf_str(op == CONF_DEL ? old : now, "name", "");
	const char *vrf = op == CONF_DEL ? NULL : conf_str(now, "vrf", NULL);
	struct vrfs *vs = arg;

	vrf_set_port(vs, name, vrf ? vrf_find(vs, vrf) : NULL);
}

static void apply_aggregates(struct vrfs *vs, struct vrf *v, uint8_t family,
			     const struct lyd_node *af)
{
	struct vrf_aggregate *a = NULL;
	const struct lyd_node *n;
	unsigned int count = 0;

	if (af) {
		conf_for_each(n, af, "aggregate-address") {
			a = xrealloc(a, (count + 1) * sizeof(*a));
			memset(&a[count], 0, sizeof(*a));
			a[count].summary_only = conf_exists(n, "summary-only");
			count += prefix_parse(conf_str(n, "prefix", ""), &a[count].prefix);
		}
	}
	vrf_set_aggregates(vs, v, family, a, count);
	free(a);
}

/* @af: of `router bgp` / `vrf`, or NULL */
static void apply_multipath(struct vrfs *vs, struct vrf *v, uint8_t family, const struct lyd_node *af)
{
	struct rib_multipath m = { .ebgp = 1, .ibgp = 1, .backup = true };

	if (af) {
		m.ebgp = conf_u32(af, "maximum-paths/ebgp/paths", 1);
		m.ibgp = conf_u32(af, "maximum-paths/ibgp/paths", 1);
		m.eibgp = conf_u32(af, "maximum-paths/eibgp/paths", 0);
		m.unequal = conf_exists(af, "maximum-paths/ibgp/unequal-cost") ||
			    conf_exists(af, "maximum-paths/eibgp/unequal-cost");
		m.relax = conf_exists(af, "as-path-multipath-relax");
		m.backup = strcmp(conf_str(af, "additional-paths/selection", "backup"), "none");
	}
	vrf_set_multipath(vs, v, family, &m);
}

static void apply_bgp_family(struct vrfs *vs, struct vrf *v, int afi, const struct lyd_node *af)
{
	bool connected = false, static_ = false;
	const struct lyd_node *n;
	struct prefix *p = NULL;
	unsigned int count = 0;

	if (af) {
		conf_for_each(n, af, "redistribute") {
			connected |= !strcmp(conf_value(n), "connected");
			static_ |= !strcmp(conf_value(n), "static");
		}
		conf_for_each(n, af, "network") {
			p = xrealloc(p, (count + 1) * sizeof(*p));
			count += prefix_parse(conf_value(n), &p[count]);
		}
	}
	vrf_set_redistribute(vs, v, afi_family(afi), connected, static_);
	vrf_set_networks(vs, v, afi_family(afi), p, count);
	apply_aggregates(vs, v, afi_family(afi), af);
	apply_multipath(vs, v, afi_family(afi), af);
	vrf_set_best_external(vs, v, afi_family(afi), af && conf_exists(af, "advertise-best-external"));
	free(p);
}

static void on_bgp_vrf(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now,
		       void *arg)
{
	const struct lyd_node *node = op == CONF_DEL ? NULL : now;
	struct vrfs *vs = arg;
	struct vrf *v = vrf_find(vs, conf_str(node ? node : old, "name", ""));
	int i;

	for (i = 0; v && i < AFI_MAX; i++)
		apply_bgp_family(vs, v, i, node ? conf_child(node, family_names[i]) : NULL);
}

void vrf_config_subscribe(struct vrfs *vs)
{
	struct conf_subscriber subs[] = {
		{ .name = "vrf tunnels", .path = "/l3vpn:mpls", .prio = 25,
		  .change = on_mpls, .arg = vs },
		{ .name = "vrf automatic", .path = "/l3vpn:bgp", .prio = 29,
		  .change = on_bgp, .arg = vs },
		{ .name = "vrf", .path = "/l3vpn:vrf", .prio = 30, .validate = validate_vrfs,
		  .change = on_vrf, .arg = vs },
		{ .name = "vrf ports", .path = "/l3vpn:interface", .prio = 40,
		  .change = on_interface, .arg = vs },
		{ .name = "vrf announcements", .path = "/l3vpn:bgp/vrf", .prio = 65,
		  .validate = validate_bgp, .change = on_bgp_vrf, .arg = vs },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(subs); i++)
		conf_subscribe(vs->env.conf, &subs[i]);
}
