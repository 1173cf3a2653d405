// SPDX-License-Identifier: GPL-2.0
/* mgmt/show_vrf.c: show vrf. */
#include <stdio.h>
#include <string.h>

#include "dataplane/sync.h"
#include "mgmt/show.h"
#include "vrf/vrf.h"

static void targets(json_t *row, const char *column, const struct rt_set *set)
{
	char buf[2048] = "", one[RT_STRLEN];
	size_t len = 0;
	unsigned int i;

	for (i = 0; i < set->n && len < sizeof(buf); i++)
		len += snprintf(buf + len, sizeof(buf) - len, "%s%s", i ? " " : "",
				rt_str(&set->rt[i], one));
	if (buf[0])
		json_object_set_new(row, column, json_string(buf));
}

static void redistribution(json_t *row, const struct vrf *v)
{
	static const char *const families[] = { [AFI4] = "ipv4", [AFI6] = "ipv6" };
	char buf[128] = "";
	size_t len = 0;
	int i;

	for (i = 0; i < AFI_MAX; i++)
		if (v->af[i].redistribute_connected || v->af[i].redistribute_static)
			len += snprintf(buf + len, sizeof(buf) - len, "%s%s:%s%s", len ? " " : "",
					families[i],
					v->af[i].redistribute_connected ? " connected" : "",
					v->af[i].redistribute_static ? " static" : "");
	if (buf[0])
		json_object_set_new(row, "redistribute", json_string(buf));
}

static void interfaces(const struct show_env *env, json_t *row, const char *name)
{
	const struct lyd_node *n;
	char buf[4096] = "";
	size_t len = 0;

	conf_for_each_top(n, conf_running(env->conf), "interface")
		if (len < sizeof(buf) && !strcmp(conf_str(n, "vrf", ""), name))
			len += snprintf(buf + len, sizeof(buf) - len, "%s%s", len ? " " : "",
					conf_str(n, "name", ""));
	if (buf[0])
		json_object_set_new(row, "interfaces", json_string(buf));
}

static void maximum(json_t *row, const char *column, const struct vrf_af *af)
{
	char buf[64];

	if (!af->limit)
		return;
	snprintf(buf, sizeof(buf), af->warn ? "%u, warning at %u" : "%u", af->limit, af->warn);
	json_object_set_new(row, column, json_string(buf));
}

/* What import left out for want of room; nothing where all is in. */
static void not_imported(json_t *row, const char *column, const struct vrf_af *af)
{
	if (vrf_refused_imports(af))
		json_object_set_new(row, column, json_integer(vrf_refused_imports(af)));
}

static void level(const struct show_env *env, json_t *row, const char *column, const struct dp_row *held,
		  uint8_t object)
{
	bool v6 = object == L3VPN_OBJECT_ROUTE6;
	struct dp_expect e;
	char buf[96];

	dp_sync_expect(env->sync, object, held->vrf.id, &e);
	snprintf(buf, sizeof(buf), "%u in, %u refused, %s", v6 ? held->vrf_routes6 : held->vrf_routes4,
		 e.failed, dp_level_str(v6 ? held->vrf_level6 : held->vrf_level4));
	json_object_set_new(row, column, json_string(buf));
}

/* How full the tables are in the forwarder; nothing where it does not have the VRF (yet). */
static void forwarding(const struct show_env *env, json_t *row, const struct vrf *v)
{
	struct dp_provider *p = dp_sync_provider(env->sync);
	struct dp_row held;

	if (p->ops->get(p, DP_QUERY_VRFS, v->id, &held))
		return;
	level(env, row, "forwarding-ipv4", &held, L3VPN_OBJECT_ROUTE4);
	level(env, row, "forwarding-ipv6", &held, L3VPN_OBJECT_ROUTE6);
}

/* Pairs that differ from the default, "46:5 48:6". */
static void map(json_t *row, const char *column, const uint8_t *to, unsigned int n, const uint8_t *usual)
{
	char buf[512] = "";
	unsigned int i;
	size_t len = 0;

	for (i = 0; i < n && len < sizeof(buf); i++)
		if (to[i] != usual[i])
			len += snprintf(buf + len, sizeof(buf) - len, "%s%u:%u", len ? " " : "", i, to[i]);
	if (len)
		json_object_set_new(row, column, json_string(buf));
}

static void tunnel(json_t *row, const struct tunnel *t)
{
	struct tunnel_settings nothing;
	struct tunnel usual;

	tunnel_settings_init(&nothing);
	tunnel_resolve(&nothing, &nothing, &usual);
	json_object_set_new(row, "ttl", json_string(tunnel_model_str(t->ttl_model)));
	json_object_set_new(row, "traffic-class", json_string(tunnel_model_str(t->tc_model)));
	map(row, "dscp-to-tc", t->dscp_tc, TUNNEL_DSCPS, usual.dscp_tc);
	map(row, "tc-to-dscp", t->tc_dscp, TUNNEL_TCS, usual.tc_dscp);
}

static json_t *vrf_row(const struct vrf *v)
{
	json_t *row = json_object();
	char buf[RD_STRLEN];

	json_object_set_new(row, "name", json_string(v->name));
	if (v->has_rd)
		json_object_set_new(row, "rd", json_string(rd_str(&v->rd, buf)));
	json_object_set_new(row, "label-mode", json_string(label_mode_str(v->label_mode)));
	json_object_set_new(row, "id", json_integer(v->id));
	json_object_set_new(row, "routes-ipv4", json_integer(rib_table_routes(v->af[AFI4].table)));
	json_object_set_new(row, "routes-ipv6", json_integer(rib_table_routes(v->af[AFI6].table)));
	targets(row, "import-ipv4", &v->af[AFI4].import);
	targets(row, "export-ipv4", &v->af[AFI4].export);
	targets(row, "import-ipv6", &v->af[AFI6].import);
	targets(row, "export-ipv6", &v->af[AFI6].export);
	redistribution(row, v);
	maximum(row, "maximum-ipv4", &v->af[AFI4]);
	maximum(row, "maximum-ipv6", &v->af[AFI6]);
	json_object_set_new(row, "prefixes-ipv4", json_integer(rib_table_prefixes(v->af[AFI4].table)));
	json_object_set_new(row, "prefixes-ipv6", json_integer(rib_table_prefixes(v->af[AFI6].table)));
	not_imported(row, "not-imported-ipv4", &v->af[AFI4]);
	not_imported(row, "not-imported-ipv6", &v->af[AFI6]);
	return row;
}

struct cursor {
	char name[VRF_NAME_MAX];
};

static enum mgmt_next show_vrf(struct mgmt_request *req, void *arg)
{
	const struct show_env *env = arg;
	struct cursor *c = mgmt_state(req, sizeof(*c), NULL);
	const char *name = conf_str(mgmt_input(req), "name", NULL);
	const struct vrf *v;
	json_t *row;

	if (name) {
		v = vrf_find(env->vrfs, name);
		if (!v)
			return mgmt_error(req, MGMT_NOT_FOUND, "name", "there is no VRF %s", name);
		row = vrf_row(v);
		tunnel(row, &v->tunnel);
		interfaces(env, row, name);
		forwarding(env, row, v);
		mgmt_row(req, row);
		return MGMT_DONE;
	}
	while ((v = vrf_after(env->vrfs, c->name))) {
		strcpy(c->name, v->name);
		if (!mgmt_row(req, vrf_row(v)))
			return MGMT_AGAIN;
	}
	return MGMT_DONE;
}

void show_vrf_register(struct mgmt *mgmt, const struct show_env *env)
{
	mgmt_register(mgmt, "show-vrf", show_vrf, (void *)env);
}
