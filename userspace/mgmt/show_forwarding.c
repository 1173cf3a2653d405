// SPDX-License-Identifier: GPL-2.0
/*
 * mgmt/show_forwarding.c: what the forwarder holds in its tables: routes, labels, next hops, and the way of
 * one packet. Streamed from the forwarder itself, not from what the daemon believes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mgmt/stream.h"
#include "vrf/vrf.h"

#define PATH_LEN	256

/* ---- routes ---- */

static json_t *route_row(const struct stream *st, const struct dp_row *row)
{
	const struct lyd_node *in = mgmt_input(st->req);
	const char *only = conf_str(in, "prefix", NULL);
	struct dp_provider *p = dp_sync_provider(st->env->sync);
	bool v4 = row->kind == DP_QUERY_ROUTES4;
	uint32_t nh = v4 ? row->r4.nh : row->r6.nh, label = v4 ? row->r4.label : row->r6.label;
	struct prefix prefix, want;
	char buf[PREFIX_STRLEN], path[PATH_LEN];
	struct dp_row hop;
	json_t *out;

	prefix = v4 ? prefix_make(AF_INET, &row->r4.prefix, row->r4.plen) :
		 prefix_make(AF_INET6, row->r6.prefix, row->r6.plen);
	if (only && prefix_parse_host(only, &want)) {
		prefix_mask(&want);
		if (!prefix_eq(&want, &prefix))
			return NULL;
	}
	out = json_object();
	json_object_set_new(out, "prefix", json_string(prefix_str(&prefix, buf)));
	if (nh <= L3VPN_NH_ID_MAX)
		json_object_set_new(out, "next-hop", json_integer(nh));
	if (!p->ops->get(p, DP_QUERY_NHS, nh, &hop))
		json_object_set_new(out, "kind", json_string(dp_nh_kind_str(hop.nh.kind)));
	if (label != L3VPN_LABEL_NONE)
		json_object_set_new(out, "label", json_integer(label));
	json_object_set_new(out, "path", json_string(stream_path(st->env, nh, path, sizeof(path))));
	json_object_set_new(out, "origin", json_string(row->kernel ? "kernel" : "daemon"));
	return out;
}

static enum mgmt_next show_vrf(struct mgmt_request *req, void *arg)
{
	const struct show_env *env = arg;
	struct stream *st = stream_state(req, env);
	const struct lyd_node *in = mgmt_input(req);
	const char *family = conf_str(in, "family", ""), *prefix = conf_str(in, "prefix", NULL);
	const struct vrf *v = vrf_find(env->vrfs, conf_str(in, "vrf", ""));
	struct dp_query query = { 0 };
	enum mgmt_next next;
	struct prefix p;
	bool ended;

	if (!v)
		return mgmt_error(req, MGMT_NOT_FOUND, "vrf", "no such VRF");
	if (prefix && !prefix_parse_host(prefix, &p))
		return mgmt_error(req, MGMT_PARAMS, "prefix", "not a prefix");
	query.vrf = v->id;
	for (; st->step < 2; st->step++) {
		if (!strcmp(family, st->step ? "ipv4" : "ipv6") ||
		    (prefix && p.addr.family != (st->step ? AF_INET6 : AF_INET)))
			continue;
		query.kind = st->step ? DP_QUERY_ROUTES6 : DP_QUERY_ROUTES4;
		next = stream_run(st, &query, route_row, &ended);
		if (!ended)
			return next;
	}
	return MGMT_DONE;
}

/* ---- the way of a packet ---- */

static enum mgmt_next show_exact(struct mgmt_request *req, void *arg)
{
	const struct show_env *env = arg;
	struct dp_provider *p = dp_sync_provider(env->sync);
	const struct lyd_node *in = mgmt_input(req);
	const struct vrf *v = vrf_find(env->vrfs, conf_str(in, "vrf", ""));
	struct dp_lookup l = { 0 };
	char buf[PREFIX_STRLEN], path[PATH_LEN], name[32];
	int err;

	if (!v)
		return mgmt_error(req, MGMT_NOT_FOUND, "vrf", "no such VRF");
	if (!addr_parse(conf_str(in, "destination", ""), &l.dst))
		return mgmt_error(req, MGMT_PARAMS, "destination", "not an address");
	if (conf_str(in, "source", NULL) &&
	    (!addr_parse(conf_str(in, "source", ""), &l.src) || l.src.family != l.dst.family))
		return mgmt_error(req, MGMT_PARAMS, "source", "not an address of the destination's family");
	l.vrf = v->id;
	l.proto = conf_u32(in, "protocol", 0);
	l.sport = conf_u32(in, "source-port", 0);
	l.dport = conf_u32(in, "destination-port", 0);
	l.flow_label = conf_u32(in, "flow-label", 0);
	if (l.flow_label && l.dst.family != AF_INET6)
		return mgmt_error(req, MGMT_PARAMS, "flow-label", "IPv4 has no flow label");
	err = p->ops->lookup(p, &l);
	if (err == ESRCH || err == ENOENT || err == EHOSTUNREACH || err == ENETUNREACH)
		return mgmt_error(req, MGMT_NOT_FOUND, "destination",
				  "no route in forwarding: packets are dropped (no-route)");
	if (err)
		return mgmt_error(req, MGMT_FAILED, "", "forwarding does not answer: %s", strerror(err));
	mgmt_result(req, "prefix", json_string(prefix_str(&l.match, buf)));
	mgmt_result(req, "vrf", json_string(stream_vrf(env, l.match_vrf, name, sizeof(name))));
	mgmt_result(req, "next-hop", json_integer(l.nh));
	if (l.label != L3VPN_LABEL_NONE)
		mgmt_result(req, "label", json_integer(l.label));
	mgmt_result(req, "path", json_string(stream_path(env, l.nh, path, sizeof(path))));
	if (l.member && l.member != l.nh) {
		mgmt_result(req, "member", json_integer(l.member));
		mgmt_result(req, "member-path",
			    json_string(stream_path(env, l.member, path, sizeof(path))));
	}
	mgmt_result(req, "origin", json_string(l.kernel ? "kernel" : "daemon"));
	return MGMT_DONE;
}

/* ---- labels ---- */

static const char *action_str(uint8_t action)
{
	static const char *const names[] = {
		[L3VPN_LABEL_ACTION_POP_VRF] = "pop-vrf", [L3VPN_LABEL_ACTION_POP_NH] = "pop-next-hop",
		[L3VPN_LABEL_ACTION_SWAP] = "swap",
	};

	return action && action <= L3VPN_LABEL_ACTION_SWAP ? names[action] : "unknown";
}

static json_t *label_row(const struct stream *st, const struct dp_row *row)
{
	const struct l3vpn_label *l = &row->label;
	const char *only = conf_str(mgmt_input(st->req), "label", NULL);
	char path[PATH_LEN], name[32];
	json_t *out;

	if (only && conf_u32(mgmt_input(st->req), "label", 0) != l->label)
		return NULL;
	out = json_object();
	json_object_set_new(out, "label", json_integer(l->label));
	json_object_set_new(out, "action", json_string(action_str(l->action)));
	if (l->vrf)
		json_object_set_new(out, "vrf",
				    json_string(stream_vrf(st->env, l->vrf, name, sizeof(name))));
	if (l->nh) {
		json_object_set_new(out, "next-hop", json_integer(l->nh));
		json_object_set_new(out, "path",
				    json_string(stream_path(st->env, l->nh, path, sizeof(path))));
	}
	if (l->action == L3VPN_LABEL_ACTION_SWAP)
		json_object_set_new(out, "out-label", json_integer(l->out_label));
	json_object_set_new(out, "packets", json_integer(row->stats.rx_packets));
	json_object_set_new(out, "bytes", json_integer(row->stats.rx_bytes));
	return out;
}

static enum mgmt_next show_labels(struct mgmt_request *req, void *arg)
{
	struct dp_query query = { .kind = DP_QUERY_LABELS };
	bool ended;

	return stream_run(stream_state(req, arg), &query, label_row, &ended);
}

/* ---- next hops ---- */

/* The members of a group that take flows, by their ids: "12 13"; "none". */
static const char *in_use_str(const struct dp_row *row, char *buf, size_t size)
{
	size_t used = 0;
	unsigned int i;

	snprintf(buf, size, "none");
	for (i = 0; i < row->nh.n_members && i < 64 && used < size; i++)
		if (row->nh_in_use >> i & 1)
			used += snprintf(buf + used, size - used, "%s%u", used ? " " : "",
					 row->nh.members[i].nh);
	return buf;
}

static json_t *nh_row(const struct stream *st, const struct dp_row *row)
{
	const char *only = conf_str(mgmt_input(st->req), "id", NULL);
	char path[PATH_LEN], used[64 * 11];
	json_t *out;

	if (only && conf_u32(mgmt_input(st->req), "id", 0) != row->nh.id)
		return NULL;
	out = json_object();
	json_object_set_new(out, "id", json_integer(row->nh.id));
	json_object_set_new(out, "kind", json_string(dp_nh_kind_str(row->nh.kind)));
	json_object_set_new(out, "path", json_string(stream_nh(st->env, &row->nh, path, sizeof(path))));
	json_object_set_new(out, "resolved", json_boolean(row->nh_resolved));
	if (row->nh.kind == L3VPN_NH_KIND_ADJACENCY || row->nh.kind == L3VPN_NH_KIND_LABELLED ||
	    row->nh.kind == L3VPN_NH_KIND_GROUP || row->nh.kind == L3VPN_NH_KIND_EGRESS)
		json_object_set_new(out, "state", json_string(row->nh_down ? "down" : "up"));
	if (row->nh.kind == L3VPN_NH_KIND_GROUP)
		json_object_set_new(out, "in-use", json_string(in_use_str(row, used, sizeof(used))));
	json_object_set_new(out, "references", json_integer(row->nh_refs));
	if (row->nh.kind != L3VPN_NH_KIND_GROUP) {
		json_object_set_new(out, "packets", json_integer(row->stats.tx_packets));
		json_object_set_new(out, "bytes", json_integer(row->stats.tx_bytes));
	}
	json_object_set_new(out, "origin", json_string(row->kernel ? "kernel" : "daemon"));
	return out;
}

static enum mgmt_next show_next_hops(struct mgmt_request *req, void *arg)
{
	struct dp_query query = { .kind = DP_QUERY_NHS };
	bool ended;

	return stream_run(stream_state(req, arg), &query, nh_row, &ended);
}

static enum mgmt_next next_hop_state(struct mgmt_request *req, void *arg)
{
	const struct show_env *env = arg;
	struct dp_provider *p = dp_sync_provider(env->sync);
	const char *state = conf_str(mgmt_input(req), "state", "up");
	int err = p->ops->nh_state(p, conf_u32(mgmt_input(req), "id", 0), !strcmp(state, "down"));

	if (err == ENOENT)
		return mgmt_error(req, MGMT_NOT_FOUND, "id", "no such next hop");
	if (err == EINVAL)
		return mgmt_error(req, MGMT_PARAMS, "id", "only an adjacency, a path or a group can be down");
	if (err)
		return mgmt_error(req, MGMT_FAILED, "", "forwarding does not answer: %s", strerror(err));
	mgmt_result(req, "state", json_string(state));
	return MGMT_DONE;
}

void show_forwarding_register(struct mgmt *mgmt, const struct show_env *env)
{
	mgmt_register(mgmt, "show-forwarding-vrf", show_vrf, (void *)env);
	mgmt_register(mgmt, "show-forwarding-exact-route", show_exact, (void *)env);
	mgmt_register(mgmt, "show-forwarding-labels", show_labels, (void *)env);
	mgmt_register(mgmt, "show-forwarding-next-hops", show_next_hops, (void *)env);
	mgmt_register(mgmt, "forwarding-next-hop", next_hop_state, (void *)env);
}
