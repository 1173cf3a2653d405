// SPDX-License-Identifier: GPL-2.0
/*
 * mgmt/stream.c: dumps of the forwarder as answers; see stream.h.
 */
#include "mgmt/stream.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/host.h"
#include "vrf/vrf.h"

#define NEST_MAX	6		/* group, egress, group, labelled path, group, adjacency */

/* ---- words ---- */

const char *stream_vrf(const struct show_env *env, uint32_t id, char *buf, size_t len)
{
	const struct vrf *v = id ? vrf_by_id(env->vrfs, id) : NULL;

	if (v)
		snprintf(buf, len, "%s", v->name);
	else if (id)
		snprintf(buf, len, "#%u", id);
	else
		snprintf(buf, len, "global");
	return buf;
}

static size_t path_of(const struct show_env *env, uint32_t id, char *buf, size_t len, int depth);

static size_t path_nh(const struct show_env *env, const struct dp_nh *nh, char *buf, size_t len,
		      int depth)
{
	struct l3vpn_nh_member members[L3VPN_GROUP_MAX];
	char name[IFNAMSIZ], addr[ADDR_STRLEN], vrf[IFNAMSIZ];
	size_t n = 0, i, n_members = nh->n_members;

	switch (nh->kind) {
	case L3VPN_NH_KIND_ADJACENCY:
		host_link_name(env->host, nh->ifindex, name);
		if (nh->gateway.family)
			n = snprintf(buf, len, "%s dev %s", addr_str(&nh->gateway, addr), name);
		else
			n = snprintf(buf, len, "on-link dev %s", name);
		break;
	case L3VPN_NH_KIND_LABELLED:
		for (i = 0; i < nh->n_labels && n < len; i++)
			n += snprintf(buf + n, len - n, "%s%u", i ? "/" : "push ", nh->labels[i]);
		if (!nh->n_labels)
			n = snprintf(buf, len, "implicit-null");
		if (n < len)
			n += snprintf(buf + n, len - n, " via ");
		if (n < len)
			n += path_of(env, nh->via, buf + n, len - n, depth + 1);
		break;
	case L3VPN_NH_KIND_EGRESS:
		n = snprintf(buf, len, "vpn label %u to ", nh->labels[0]);
		if (n < len)
			n += path_of(env, nh->via, buf + n, len - n, depth + 1);
		break;
	case L3VPN_NH_KIND_GROUP:
		/* the provider's memory for members serves the next question too */
		memcpy(members, nh->members, n_members * sizeof(*members));
		for (i = 0; i < n_members && n < len; i++) {
			n += snprintf(buf + n, len - n, "%s%s%u*(", i ? " | " : "",
				      members[i].flags & L3VPN_MEMBER_FLAG_BACKUP ? "backup " : "",
				      members[i].weight);
			if (n < len)
				n += path_of(env, members[i].nh, buf + n, len - n, depth + 1);
			if (n < len)
				n += snprintf(buf + n, len - n, ")");
		}
		break;
	case L3VPN_NH_KIND_TUNNEL:
		n = snprintf(buf, len, "%s tunnel to %s", dp_encap_str(nh->encap), addr_str(&nh->gateway, addr));
		break;
	case L3VPN_NH_KIND_VRF:
		n = snprintf(buf, len, "vrf %s", stream_vrf(env, nh->vrf, vrf, sizeof(vrf)));
		break;
	default:
		n = snprintf(buf, len, "%s", dp_nh_kind_str(nh->kind));
	}
	return n < len ? n : len - 1;
}

/* A next hop that the module keeps by itself; false: it is not one. */
static bool path_kept(const struct show_env *env, uint32_t id, char *buf, size_t len)
{
	char name[IFNAMSIZ];

	if (id <= L3VPN_NH_ID_MAX)
		return false;
	if (id == L3VPN_NH_ID_RECEIVE)
		snprintf(buf, len, "receive");
	else if (id == L3VPN_NH_ID_UNREACHABLE)
		snprintf(buf, len, "unreachable");
	else if (id == L3VPN_NH_ID_BLACKHOLE)
		snprintf(buf, len, "blackhole");
	else if (id >= L3VPN_NH_ID_CONNECTED)
		snprintf(buf, len, "connected dev %s",
			 host_link_name(env->host, id - L3VPN_NH_ID_CONNECTED, name));
	else
		snprintf(buf, len, "kept by the module");
	return true;
}

static size_t path_of(const struct show_env *env, uint32_t id, char *buf, size_t len, int depth)
{
	struct dp_provider *p = dp_sync_provider(env->sync);
	struct dp_row row;
	size_t n;

	if (path_kept(env, id, buf, len))
		return strlen(buf);
	if (depth > NEST_MAX || p->ops->get(p, DP_QUERY_NHS, id, &row)) {
		n = snprintf(buf, len, "next-hop %u", id);
		return n < len ? n : len - 1;
	}
	return path_nh(env, &row.nh, buf, len, depth);
}

const char *stream_path(const struct show_env *env, uint32_t nh, char *buf, size_t len)
{
	path_of(env, nh, buf, len, 0);
	return buf;
}

const char *stream_nh(const struct show_env *env, const struct dp_nh *nh, char *buf, size_t len)
{
	path_nh(env, nh, buf, len, 0);
	return buf;
}

void stream_counters(json_t *row, const struct dp_stats *s)
{
	json_object_set_new(row, "rx-packets", json_integer(s->rx_packets));
	json_object_set_new(row, "rx-bytes", json_integer(s->rx_bytes));
	json_object_set_new(row, "tx-packets", json_integer(s->tx_packets));
	json_object_set_new(row, "tx-bytes", json_integer(s->tx_bytes));
	json_object_set_new(row, "drops", json_integer(s->drops));
}

/* ---- the stream ---- */

static void stream_destroy(void *state)
{
	struct stream *st = state;

	if (st->dump && st->env)
		dp_sync_provider(st->env->sync)->ops->dump_cancel(st->dump);
	st->dump = NULL;
	for (; st->n; st->n--, st->head = (st->head + 1) % STREAM_ROWS)
		json_decref(st->rows[st->head]);
}

struct stream *stream_state(struct mgmt_request *req, const struct show_env *env)
{
	struct stream *st = mgmt_state(req, sizeof(*st), stream_destroy);

	st->req = req;
	st->env = env;
	return st;
}

static void wake(struct stream *st)
{
	if (!st->waiting)
		return;
	st->waiting = false;
	mgmt_resume(st->req);
}

static bool on_row(void *arg, const struct dp_row *row)
{
	struct stream *st = arg;
	json_t *out;

	if (st->n == STREAM_ROWS) {
		wake(st);
		return false;
	}
	out = st->to_row(st, row);
	if (!out)
		return true;
	st->rows[(st->head + st->n++) % STREAM_ROWS] = out;
	return true;
}

static void on_done(void *arg, int error, const char *why)
{
	struct stream *st = arg;

	st->dump = NULL;
	st->done = true;
	st->error = error;
	snprintf(st->why, sizeof(st->why), "%s", why ? why : "");
	wake(st);
}

static const struct dp_dump_ops stream_ops = { .row = on_row, .done = on_done };

enum mgmt_next stream_run(struct stream *st, const struct dp_query *query, stream_row to_row, bool *ended)
{
	struct dp_provider *p = dp_sync_provider(st->env->sync);
	json_t *row;

	*ended = false;
	if (!st->dumping) {
		st->dumping = true;
		st->done = false;
		st->to_row = to_row;
		st->dump = p->ops->dump(p, query, &stream_ops, st);
		if (!st->dump)
			return mgmt_error(st->req, MGMT_FAILED, "", "no memory for a dump");
	}
	while (st->n) {
		row = st->rows[st->head];
		st->head = (st->head + 1) % STREAM_ROWS;
		st->n--;
		if (!mgmt_row(st->req, row))
			return MGMT_AGAIN;
	}
	if (!st->done) {
		st->waiting = true;
		p->ops->dump_resume(st->dump);
		return MGMT_WAIT;
	}
	st->dumping = false;
	if (st->error && st->error != EINTR)
		return mgmt_error(st->req, MGMT_FAILED, "", "forwarding does not answer: %s", st->why);
	*ended = true;
	return MGMT_DONE;
}
