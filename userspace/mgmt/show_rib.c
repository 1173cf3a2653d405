// SPDX-License-Identifier: GPL-2.0
/* mgmt/show_rib.c: show route vrf, show next-hops. */
#include <stdio.h>
#include <string.h>

#include "dataplane/sync.h"
#include "mgmt/show.h"
#include "rib/fib.h"
#include "vrf/vrf.h"

#define TEXT 256

static const char *vrf_name(const struct show_env *env, uint32_t id)
{
	const struct vrf *v = vrf_by_id(env->vrfs, id);

	return v ? v->name : "";
}

/* ---- show route ---- */

static void set_from(json_t *row, const struct rib_route *r)
{
	const struct rib_net *origin = rib_route_origin(r);
	char rd[RD_STRLEN], text[TEXT];

	if (origin)
		snprintf(text, sizeof(text), "%s %s", rib_route_peer(r)->name,
			 rd_str(rib_net_rd(origin), rd));
	else
		snprintf(text, sizeof(text), "%s", r->source->name);
	json_object_set_new(row, "from", json_string(text));
}

static void set_best(json_t *row, const struct rib_route *r)
{
	char text[TEXT];

	enum rib_role role = rib_route_role(r);

	if (r->reason == RIB_BEST)
		snprintf(text, sizeof(text), "yes");
	else if (role == RIB_ROLE_MULTIPATH)
		snprintf(text, sizeof(text), "%s", rib_role_str(role));
	else if (role == RIB_ROLE_BACKUP)
		snprintf(text, sizeof(text), "%s: %s", rib_role_str(role), rib_reason_str(r->reason));
	else if (r->reason == RIB_LOST_NEXTHOP)
		snprintf(text, sizeof(text), "%s", nexthop_reason_str(r->nh->reason));
	else
		snprintf(text, sizeof(text), "%s", rib_reason_str(r->reason));
	json_object_set_new(row, "best", json_string(text));
}

static void set_exported(json_t *row, const struct vrf *v, const struct rib_route *r)
{
	struct vrf_export_state st;
	char text[48];

	if (vrf_export_state(v, r->net, &st) && st.route == r) {
		snprintf(text, sizeof(text), r->reason == RIB_BEST ? "%u" : "%u (best external)", st.label);
		json_object_set_new(row, "exported", json_string(text));
	} else if (r->reason == RIB_BEST) {
		json_object_set_new(row, "exported", json_string(st.why ? st.why : "imported: not exported again"));
	}
}

/* The best route of a prefix that forwarding refused, for want of room most often. */
static void set_problem(const struct show_env *env, json_t *row, const struct vrf *v,
			const struct rib_route *r, const struct prefix *p)
{
	char why[200];

	if (r->reason == RIB_BEST && dp_sync_route_refused(env->sync, v->id, p, why, sizeof(why)))
		json_object_set_new(row, "problem", json_string(why));
}

static json_t *route_row(const struct show_env *env, const struct vrf *v, const struct rib_route *r)
{
	struct prefix p = rib_net_prefix(r->net);
	json_t *row = json_object();
	char buf[PREFIX_STRLEN], text[TEXT];

	json_object_set_new(row, "prefix", json_string(prefix_str(&p, buf)));
	json_object_set_new(row, "protocol", json_string(r->source->proto->name));
	set_best(row, r);
	json_object_set_new(row, "next-hop", json_string(nexthop_str(r->nh, text, sizeof(text))));
	if (r->label != RIB_LABEL_NONE && r->nh->key.kind == NEXTHOP_PE)
		json_object_set_new(row, "label", json_integer(r->label));
	json_object_set_new(row, "distance", json_integer(r->source->distance));
	set_from(row, r);
	if (r->attrs)
		json_object_set_new(row, "as-path",
				    json_string(attrs_path_str(r->attrs, text, sizeof(text))));
	json_object_set_new(row, "age", json_integer(jobs_seconds(env->jobs) - r->when));
	set_exported(row, v, r);
	set_problem(env, row, v, r, &p);
	return row;
}

/* all routes of a net belong together */
static bool net_rows(struct mgmt_request *req, const struct show_env *env, const struct vrf *v,
		     const struct rib_net *net)
{
	const struct rib_route *r;
	bool room = true;

	for (r = rib_routes(net); r; r = r->next)
		room = mgmt_row(req, route_row(env, v, r));
	return room;
}

static enum mgmt_next one_prefix(struct mgmt_request *req, const struct show_env *env,
				 const struct vrf *v, const char *text)
{
	struct rib_table *t;
	struct rib_net *net;
	struct prefix p;

	if (!prefix_parse_host(text, &p))
		return mgmt_error(req, MGMT_PARAMS, "prefix", "%s is not a prefix", text);
	t = v->af[family_afi(p.addr.family)].table;
	if (strchr(text, '/')) {
		prefix_mask(&p);
		net = rib_find(t, NULL, &p);
	} else {
		net = rib_lookup(t, &p.addr);
	}
	if (!net)
		return mgmt_error(req, MGMT_NOT_FOUND, "prefix", "no route to %s in VRF %s", text,
				  v->name);
	net_rows(req, env, v, net);
	return MGMT_DONE;
}

struct cursor {
	int afi;
	struct rib_cursor at;
};

static enum mgmt_next show_route(struct mgmt_request *req, void *arg)
{
	const struct show_env *env = arg;
	struct cursor *c = mgmt_state(req, sizeof(*c), NULL);
	const char *family = conf_str(mgmt_input(req), "family", "");
	const char *prefix = conf_str(mgmt_input(req), "prefix", NULL);
	const struct vrf *v = vrf_find(env->vrfs, conf_str(mgmt_input(req), "vrf", ""));
	struct rib_net *net;

	if (!v)
		return mgmt_error(req, MGMT_NOT_FOUND, "vrf", "no such VRF");
	if (prefix)
		return one_prefix(req, env, v, prefix);
	for (; c->afi < AFI_MAX; c->afi++, memset(&c->at, 0, sizeof(c->at))) {
		if (!strcmp(family, c->afi == AFI4 ? "ipv6" : "ipv4"))
			continue;
		while ((net = rib_walk(v->af[c->afi].table, &c->at)))
			if (!net_rows(req, env, v, net))
				return MGMT_AGAIN;
	}
	return MGMT_DONE;
}

/* ---- show next-hops ---- */

struct snapshot {
	json_t *rows;		/* a walk of next hops does not survive changes */
	size_t at;
};

static void snapshot_free(void *state)
{
	json_decref(((struct snapshot *)state)->rows);
}

static json_t *nexthop_row(const struct show_env *env, const struct nexthop *nh)
{
	json_t *row = json_object();
	char text[1024];

	json_object_set_new(row, "next-hop", json_string(nexthop_str(nh, text, sizeof(text))));
	if (nh->key.vrf)
		json_object_set_new(row, "vrf", json_string(vrf_name(env, nh->key.vrf)));
	json_object_set_new(row, "state", json_string(nexthop_reason_str(nh->reason)));
	json_object_set_new(row, "metric", json_integer(nh->metric));
	if (nh->fib)
		json_object_set_new(row, "forwarding",
				    json_string(fib_nh_str(nh->fib, text, sizeof(text))));
	return row;
}

static enum mgmt_next show_next_hops(struct mgmt_request *req, void *arg)
{
	const struct show_env *env = arg;
	struct snapshot *s = mgmt_state(req, sizeof(*s), snapshot_free);
	struct nht *nht = rib_nht(env->rib);
	const struct nexthop *nh;

	if (!s->rows) {
		s->rows = json_array();
		for (nh = nexthop_next(nht, NULL); nh; nh = nexthop_next(nht, nh))
			if (nh->key.kind != NEXTHOP_LOCAL)
				json_array_append_new(s->rows, nexthop_row(env, nh));
	}
	while (s->at < json_array_size(s->rows))
		if (!mgmt_row(req, json_incref(json_array_get(s->rows, s->at++))))
			return MGMT_AGAIN;
	return MGMT_DONE;
}

void show_rib_register(struct mgmt *mgmt, const struct show_env *env)
{
	mgmt_register(mgmt, "show-route-vrf", show_route, (void *)env);
	mgmt_register(mgmt, "show-next-hops", show_next_hops, (void *)env);
}
