// SPDX-License-Identifier: GPL-2.0
/* Configuration of VRFs: `vrf`, which `interface` belongs to which, and what `router bgp` announces. */
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "lib/mem.h"
#include "rib/transport.h"
#include "vrf/private.h"

static const char *const family_names[AFI_MAX] = { [AFI4] = "ipv4", [AFI6] = "ipv6" };

/* ---- refusing ---- */

static bool targets_valid(const struct lyd_node *af, const char *name, struct conf_error *err)
{
	const struct lyd_node *n;
	struct rt rt;

	conf_for_each(n, af, name)
		if (!rt_parse(conf_value(n), &rt))
			return conf_error_node(err, n, "%s is not a route target: write ASN:NUMBER "
					       "or ADDRESS:NUMBER", conf_value(n));
	return true;
}

struct rd_seen {
	struct rd rd;
	const struct lyd_node *node;
};

static int cmp_seen(const void *a, const void *b)
{
	return rd_cmp(&((const struct rd_seen *)a)->rd, &((const struct rd_seen *)b)->rd);
}

/* two VRFs of one PE under one RD would hide each other's routes */
static bool rds_differ(struct rd_seen *seen, unsigned int n, struct conf_error *err)
{
	unsigned int i;

	if (n)
		qsort(seen, n, sizeof(*seen), cmp_seen);
	for (i = 1; i < n; i++)
		if (!rd_cmp(&seen[i - 1].rd, &seen[i].rd))
			return conf_error_node(err, seen[i].node, "vrf %s has the same rd",
					       conf_str(lyd_parent(seen[i - 1].node), "name", ""));
	return true;
}

static bool rds_valid(const struct lyd_node *tree, struct conf_error *err)
{
	struct rd_seen *seen = NULL;
	const struct lyd_node *v, *rd;
	unsigned int n = 0, size = 0;
	bool ok = true;

	conf_for_each_top(v, tree, "vrf") {
		rd = conf_child(v, "rd");
		if (!rd)
			continue;
		if (n == size) {
			size = size ? size * 2 : 16;
			seen = xrealloc(seen, size * sizeof(*seen));
		}
		if (!rd_parse(conf_value(rd), &seen[n].rd)) {
			ok = conf_error_node(err, rd, "%s is not a route distinguisher: write "
					     "ASN:NUMBER or ADDRESS:NUMBER", conf_value(rd));
			break;
		}
		seen[n++].node = rd;
	}
	ok = ok && rds_differ(seen, n, err);
	free(seen);
	return ok;
}

static bool validate_vrfs(const struct lyd_node *tree, struct conf_error *err, void *arg)
{
	const struct lyd_node *v, *af;
	int i;

	if (!rds_valid(tree, err))
		return false;
	conf_for_each_top(v, tree, "vrf") {
		for (i = 0; i < AFI_MAX; i++) {
			af = conf_child(v, family_names[i]);
			if (af && (!targets_valid(af, "import-route-target", err) ||
				   !targets_valid(af, "export-route-target", err)))
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
	const struct lyd_node *n;
	struct rt *rt = NULL;
	unsigned int count = 0;

	if (af) {
		conf_for_each(n, af, name) {
			rt = xrealloc(rt, (count + 1) * sizeof(*rt));
			count += rt_parse(conf_value(n), &rt[count]);
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

static void apply_vrf(struct vrfs *vs, struct vrf *v, const struct lyd_node *node)
{
	struct tunnel_settings tunnel = tunnel_of(conf_child(node, "mpls"));
	const char *text = conf_str(node, "rd", NULL);
	const struct lyd_node *af;
	struct rd rd;
	int i;

	vrf_set_tunnel(vs, v, &tunnel);
	vrf_set_label_mode(vs, v, label_mode_of(conf_str(node, "label-mode", "per-vrf")));
	vrf_set_transport(vs, v, transport_policy_id(vs->nht, conf_str(node, "tunnel-policy", NULL)));
	for (i = 0; i < AFI_MAX; i++) {
		af = conf_child(node, family_names[i]);
		vrf_set_family(vs, v, afi_family(i), af);
		apply_targets(vs, v, afi_family(i), af, true);
		apply_targets(vs, v, afi_family(i), af, false);
		apply_limit(vs, v, afi_family(i), af);
	}
	vrf_set_rd(vs, v, text && rd_parse(text, &rd) ? &rd : NULL);
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
