// SPDX-License-Identifier: GPL-2.0
/*
 * mgmt/show_dataplane.c: state and counters of forwarding: summary with digests of both sides, ports, counters, drops,
 * their samples, and clearing.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "host/host.h"
#include "labels/labels.h"
#include "lib/jobs.h"
#include "lib/mem.h"
#include "mgmt/stream.h"

/* ---- summary ---- */

static json_t *table_row(const struct stream *st, const struct dp_row *row)
{
	bool digested = row->object != L3VPN_OBJECT_VRF && row->object != L3VPN_OBJECT_PORT;
	struct dp_expect e;
	char buf[32];
	json_t *out = json_object();
	bool equal;

	dp_sync_expect(st->env->sync, row->object, row->table, &e);
	json_object_set_new(out, "table", json_string(dp_object_str(row->object)));
	if (row->table)
		json_object_set_new(out, "vrf",
				    json_string(stream_vrf(st->env, row->table, buf, sizeof(buf))));
	json_object_set_new(out, "entries", json_integer(row->count));
	json_object_set_new(out, "expected", json_integer(e.count));
	if (digested) {
		snprintf(buf, sizeof(buf), "%016llx", (unsigned long long)row->digest);
		json_object_set_new(out, "digest", json_string(buf));
		snprintf(buf, sizeof(buf), "%016llx", (unsigned long long)e.digest);
		json_object_set_new(out, "expected-digest", json_string(buf));
	}
	equal = row->count == e.count && (!digested || row->digest == e.digest);
	json_object_set_new(out, "equal", json_boolean(equal));
	json_object_set_new(out, "refused", json_integer(e.failed));
	return out;
}

static void audit_words(const struct dp_summary *sum, char *buf, size_t len)
{
	if (!sum->audit_time_us)
		snprintf(buf, len, "%s", dp_audit_state_str(sum->audit));
	else
		snprintf(buf, len, "%s, %llu seconds ago", dp_audit_state_str(sum->audit),
			 (unsigned long long)((clock_us() - sum->audit_time_us) / 1000000));
}

static void summary_results(struct mgmt_request *req, const struct show_env *env)
{
	struct dp_provider *p = dp_sync_provider(env->sync);
	struct dp_summary sum;
	struct dp_info info;
	char buf[64];

	dp_sync_summary(env->sync, &sum);
	mgmt_result(req, "provider", json_string(sum.provider));
	mgmt_result(req, "present", json_boolean(sum.present));
	if (!p->ops->info(p, &info)) {
		if (info.version[0])
			mgmt_result(req, "version", json_string(info.version));
		snprintf(buf, sizeof(buf), "%016llx", (unsigned long long)info.instance);
		mgmt_result(req, "instance", json_string(buf));
		mgmt_result(req, "epoch", json_integer(info.epoch));
		mgmt_result(req, "labels-uncounted", json_integer(info.uncounted));
	}
	mgmt_result(req, "waiting", json_integer(sum.backlog));
	mgmt_result(req, "requests", json_integer(sum.requests));
	mgmt_result(req, "refused", json_integer(sum.refused));
	mgmt_result(req, "failed", json_integer(sum.failed));
	if (sum.last_refusal[0])
		mgmt_result(req, "last-refusal", json_string(sum.last_refusal));
	audit_words(&sum, buf, sizeof(buf));
	mgmt_result(req, "audit", json_string(buf));
	mgmt_result(req, "audits", json_integer(sum.audits));
	mgmt_result(req, "mended", json_integer(sum.audit_mends));
	mgmt_result(req, "reloads", json_integer(sum.reloads));
	mgmt_result(req, "sweep", json_string(sum.sweep_pending ? "pending" : "done"));
	mgmt_result(req, "swept", json_integer(sum.swept));
}

static enum mgmt_next show_summary(struct mgmt_request *req, void *arg)
{
	const struct show_env *env = arg;
	struct stream *st = stream_state(req, env);
	struct dp_query query = { .kind = DP_QUERY_TABLES };
	struct dp_summary sum;
	enum mgmt_next next;
	bool ended;

	dp_sync_summary(env->sync, &sum);
	if (sum.present || st->dumping) {
		next = stream_run(st, &query, table_row, &ended);
		if (!ended)
			return next;
	}
	summary_results(req, env);
	return MGMT_DONE;
}

/* ---- ports and counters ---- */

/* "transport vpn"; "all but ldp": what nothing is said of; all: nothing */
static const char *scopes_str(uint64_t scopes, char *buf, size_t size)
{
	size_t len = 0;
	uint8_t i;

	if (scopes == LABEL_SCOPE_ALL)
		return NULL;
	if (scopes == (LABEL_SCOPE_ALL & ~(1ull << LABEL_SCOPE_LDP)))
		return "all but ldp";
	for (i = 0; i <= L3VPN_SCOPE_MAX && len < size; i++)
		if (scopes >> i & 1)
			len += snprintf(buf + len, size - len, "%s%s", len ? " " : "", label_scope_str(i));
	return len ? buf : "none";
}

/* What guards the port: nothing is told of what is as it is without configuration. */
static void port_guards(json_t *out, const struct dp_port *port)
{
	const char *scopes;
	char buf[256];

	if (port->kind == L3VPN_PORT_KIND_CORE) {
		scopes = scopes_str(port->scopes, buf, sizeof(buf));
		if (scopes)
			json_object_set_new(out, "labels", json_string(scopes));
		return;
	}
	if (port->rpf4)
		json_object_set_new(out, "verify-ipv4", json_string(dp_rpf_str(port->rpf4)));
	if (port->rpf6)
		json_object_set_new(out, "verify-ipv6", json_string(dp_rpf_str(port->rpf6)));
	if (port->options != L3VPN_OPTIONS_UNLIMITED)
		json_object_set_new(out, "options-limit", json_integer(port->options));
}

/* What holds now: the device's MTU, or the port's own where that is less. */
static void mpls_mtu(const struct host *host, json_t *out, const struct dp_port *port)
{
	const struct host_link *link = host_link_by_index(host, port->ifindex);
	uint32_t mtu = port->mpls_mtu;

	if (port->kind != L3VPN_PORT_KIND_CORE)
		return;
	if (link && (!mtu || link->mtu < mtu))
		mtu = link->mtu;
	if (mtu)
		json_object_set_new(out, "mpls-mtu", json_integer(mtu));
}

static json_t *port_row(const struct stream *st, const struct dp_row *row)
{
	json_t *out = json_object();
	char buf[32];

	json_object_set_new(out, "name", json_string(row->port_name));
	json_object_set_new(out, "kind", json_string(row->port.kind == L3VPN_PORT_KIND_CORE ?
						     "core" : "customer"));
	if (row->port.vrf)
		json_object_set_new(out, "vrf",
				    json_string(stream_vrf(st->env, row->port.vrf, buf, sizeof(buf))));
	json_object_set_new(out, "carrier", json_boolean(row->port_carrier));
	port_guards(out, &row->port);
	mpls_mtu(st->env->host, out, &row->port);
	stream_counters(out, &row->stats);
	return out;
}

static enum mgmt_next show_ports(struct mgmt_request *req, void *arg)
{
	struct dp_query query = { .kind = DP_QUERY_PORTS };
	bool ended;

	return stream_run(stream_state(req, arg), &query, port_row, &ended);
}

static json_t *counter_row(const struct stream *st, const struct dp_row *row)
{
	json_t *out = json_object();
	char buf[32];

	switch (row->kind) {
	case DP_QUERY_PORTS:
		json_object_set_new(out, "object", json_string("port"));
		json_object_set_new(out, "name", json_string(row->port_name));
		break;
	case DP_QUERY_NHS:
		if (row->nh.kind == L3VPN_NH_KIND_GROUP) {	/* its members count */
			json_decref(out);
			return NULL;
		}
		snprintf(buf, sizeof(buf), "%u", row->nh.id);
		json_object_set_new(out, "object", json_string("next-hop"));
		json_object_set_new(out, "name", json_string(buf));
		break;
	case DP_QUERY_LABELS:
		snprintf(buf, sizeof(buf), "%u", row->label.label);
		json_object_set_new(out, "object", json_string("label"));
		json_object_set_new(out, "name", json_string(buf));
		break;
	default:
		json_object_set_new(out, "object", json_string("vrf"));
		json_object_set_new(out, "name", json_string(row->vrf.name));
	}
	stream_counters(out, &row->stats);
	return out;
}

static enum mgmt_next show_counters(struct mgmt_request *req, void *arg)
{
	static const struct {
		const char *object;
		enum dp_query_kind kind;
	} dumps[] = {
		{ "vrf", DP_QUERY_VRFS }, { "port", DP_QUERY_PORTS }, { "next-hop", DP_QUERY_NHS },
		{ "label", DP_QUERY_LABELS },
	};
	const char *object = conf_str(mgmt_input(req), "object", "all");
	struct stream *st = stream_state(req, arg);
	struct dp_query query = { 0 };
	enum mgmt_next next;
	bool ended;

	for (; st->step < (int)ARRAY_SIZE(dumps); st->step++) {
		if (strcmp(object, "all") && strcmp(object, dumps[st->step].object))
			continue;
		query.kind = dumps[st->step].kind;
		next = stream_run(st, &query, counter_row, &ended);
		if (!ended)
			return next;
	}
	return MGMT_DONE;
}

/* ---- drops ---- */

static json_t *drops_row(const struct stream *st, const struct dp_row *row)
{
	json_t *out;

	if (!row->packets && !conf_exists(mgmt_input(st->req), "all"))
		return NULL;
	out = json_object();
	json_object_set_new(out, "reason", json_string(dp_drop_str(row->reason)));
	json_object_set_new(out, "packets", json_integer(row->packets));
	return out;
}

static enum mgmt_next show_drops(struct mgmt_request *req, void *arg)
{
	struct dp_query query = { .kind = DP_QUERY_DROPS };
	bool ended;

	return stream_run(stream_state(req, arg), &query, drops_row, &ended);
}

/* One listener for all clients: mgmt spreads its rows. */
static struct {
	struct mgmt *mgmt;
	const struct show_env *env;
} samples;

static void on_sample(void *arg, const struct dp_drop *drop)
{
	char buf[2 * 128 + 1], name[32];
	json_t *row = json_object();
	size_t i, n = drop->packet_len < 128 ? drop->packet_len : 128;

	(void)arg;
	json_object_set_new(row, "reason", json_string(dp_drop_str(drop->reason)));
	if (drop->ifindex)
		json_object_set_new(row, "interface",
				    json_string(host_link_name(samples.env->host, drop->ifindex, name)));
	json_object_set_new(row, "vrf",
			    json_string(stream_vrf(samples.env, drop->vrf, name, sizeof(name))));
	snprintf(buf, sizeof(buf), "%04x", drop->proto);
	json_object_set_new(row, "protocol",
			    json_string(drop->proto == 0x0800 ? "ipv4" : drop->proto == 0x86dd ? "ipv6" :
					drop->proto == 0x8847 ? "mpls" : buf));
	json_object_set_new(row, "length", json_integer(drop->length));
	buf[0] = '\0';
	for (i = 0; i < n; i++)
		snprintf(buf + 2 * i, sizeof(buf) - 2 * i, "%02x", drop->packet[i]);
	json_object_set_new(row, "packet", json_string(buf));
	mgmt_publish(samples.mgmt, "monitor-drops", row);
}

static void on_watchers(bool any, void *arg)
{
	const struct show_env *env = arg;

	dp_sync_on_drop(env->sync, any ? on_sample : NULL, NULL);
}

/* ---- clear ---- */

static enum mgmt_next clear_counters(struct mgmt_request *req, void *arg)
{
	const struct show_env *env = arg;
	struct dp_provider *p = dp_sync_provider(env->sync);
	const char *object = conf_str(mgmt_input(req), "object", "all");
	uint32_t kinds = 0;
	int err;

	if (!strcmp(object, "vrf"))
		kinds = 1u << L3VPN_OBJECT_VRF;
	else if (!strcmp(object, "port"))
		kinds = 1u << L3VPN_OBJECT_PORT;
	else if (!strcmp(object, "next-hop"))
		kinds = 1u << L3VPN_OBJECT_NH;
	else if (!strcmp(object, "label"))
		kinds = 1u << L3VPN_OBJECT_LABEL;
	else if (!strcmp(object, "drops"))
		kinds = 1u;
	err = p->ops->clear(p, kinds);
	if (err)
		return mgmt_error(req, MGMT_FAILED, "", "counters were not cleared: %s", strerror(err));
	mgmt_result(req, "cleared", json_string(object));
	return MGMT_DONE;
}

void show_dataplane_register(struct mgmt *mgmt, const struct show_env *env)
{
	samples.mgmt = mgmt;
	samples.env = env;
	mgmt_register(mgmt, "show-forwarding-summary", show_summary, (void *)env);
	mgmt_register(mgmt, "show-ports", show_ports, (void *)env);
	mgmt_register(mgmt, "show-counters", show_counters, (void *)env);
	mgmt_register(mgmt, "show-drops", show_drops, (void *)env);
	mgmt_register(mgmt, "clear-counters", clear_counters, (void *)env);
	mgmt_topic(mgmt, "monitor-drops", on_watchers, (void *)env);
}
