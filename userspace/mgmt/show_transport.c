// SPDX-License-Identifier: GPL-2.0
/*
 * mgmt/show_transport.c: by which transport each remote PE is reached, and why not by others; the ends of tunnels, and
 * what they took in.
 */
#include <stdio.h>
#include <string.h>

#include "labels/labels.h"
#include "lib/mem.h"
#include "mgmt/stream.h"
#include "rib/lsp.h"
#include "rib/nht.h"
#include "rib/soft.h"
#include "rib/table.h"
#include "rib/transport.h"

#define TEXT 256

/* ---- show mpls transport ---- */

struct snapshot {
	json_t *rows;			/* next hops come and go while an answer is being read */
	size_t at;
};

static void snapshot_free(void *state)
{
	json_decref(((struct snapshot *)state)->rows);
}

static const char *path_text(const struct show_env *env, const struct lsp *lsp, char *buf, size_t size)
{
	const struct nht_link *l = nht_link_by_index(rib_nht(env->rib), lsp->ifindex);
	char a[ADDR_STRLEN], b[ADDR_STRLEN], via[ADDR_STRLEN];
	size_t len;
	unsigned int i;

	if (lsp->path.encap) {
		snprintf(buf, size, "%s to %s%s%s%s%s", addr_str(&lsp->path.local, a), addr_str(&lsp->path.gateway, b),
			 lsp->usable ? " via " : "", lsp->usable ? addr_str(&lsp->gateway, via) : "",
			 l ? " dev " : "", l ? l->name : "");
		return buf;
	}
	len = snprintf(buf, size, "%s%s%s", addr_str(&lsp->path.gateway, a), l ? " dev " : "", l ? l->name : "");
	if (!lsp->path.n_labels && len < size)
		len += snprintf(buf + len, size - len, " implicit-null");
	for (i = 0; i < lsp->path.n_labels && len < size; i++)
		len += snprintf(buf + len, size - len, "%s%u", i ? "/" : " labels ", lsp->path.labels[i]);
	return buf;
}

static bool names_kind(const struct transport_order *o, uint8_t kind)
{
	unsigned int i;

	for (i = 0; i < o->n; i++)
		if (o->kinds[i] == kind)
			return true;
	return false;
}

static bool same_path(const struct lsp *a, const struct lsp *b)
{
	return a->path.owner == b->path.owner && !strcmp(a->path.name, b->path.name);
}

/* "carries", "backup", or why it does neither. */
static const char *role(const struct transport_choice *c, const struct transport_order *o, const struct lsp *lsp,
			enum nexthop_reason reason)
{
	unsigned int i;

	for (i = 0; i < c->n; i++)
		if (same_path(c->path[i].lsp, lsp))
			return c->path[i].backup ? "backup" : "carries";
	if (!names_kind(o, lsp->path.owner))
		return "not named by the policy";
	return reason == NH_OK ? "not needed" : nexthop_reason_str(reason);
}

static void add_path(const struct show_env *env, json_t *rows, const struct nexthop *nh,
		     const struct transport_choice *c, const struct lsp *lsp, enum nexthop_reason reason)
{
	struct nht *nht = rib_nht(env->rib);
	const struct transport_order *order = transport_order_of(nht, &nh->key.addr, nh->key.policy);
	const struct transport_policy *p = transport_policy_by_id(nht, nh->key.policy);
	json_t *row = json_object();
	char buf[TEXT];

	json_object_set_new(row, "pe", json_string(addr_str(&nh->key.addr, buf)));
	json_object_set_new(row, "policy", json_string(p ? p->name : "default"));
	json_object_set_new(row, "kind", json_string(transport_kind_str(lsp->path.owner)));
	json_object_set_new(row, "path", json_string(path_text(env, lsp, buf, sizeof(buf))));
	json_object_set_new(row, "state", json_string(role(c, order, lsp, reason)));
	json_array_append_new(rows, row);
}

/* A remote PE that no path of any kind leads to is told too. */
static void add_none(json_t *rows, const struct show_env *env, const struct nexthop *nh)
{
	const struct transport_policy *p = transport_policy_by_id(rib_nht(env->rib), nh->key.policy);
	json_t *row = json_object();
	char buf[ADDR_STRLEN];

	json_object_set_new(row, "pe", json_string(addr_str(&nh->key.addr, buf)));
	json_object_set_new(row, "policy", json_string(p ? p->name : "default"));
	json_object_set_new(row, "kind", json_string("none"));
	json_object_set_new(row, "state", json_string(nexthop_reason_str(nh->reason)));
	json_array_append_new(rows, row);
}

static void add_pe(const struct show_env *env, json_t *rows, const struct nexthop *nh)
{
	struct nht *nht = rib_nht(env->rib);
	struct prefix fec = prefix_host(&nh->key.addr);
	const struct list *paths = lsp_paths(nht, &fec);
	size_t before = json_array_size(rows);
	struct transport_choice c;
	enum nexthop_reason reason;
	struct lsp tunnel, *lsp;
	unsigned int encap;

	transport_choose(nht, &nh->key.addr, nh->key.policy, &c);
	if (paths)
		list_for_each(lsp, paths, struct lsp, node)
			add_path(env, rows, nh, &c, lsp, lsp->reason);
	for (encap = SOFT_UDP; encap < SOFT_ENCAPS; encap++) {
		reason = soft_path(nht, encap, &nh->key.addr, &tunnel);
		if (reason != NH_NO_LSP)
			add_path(env, rows, nh, &c, &tunnel, reason);
	}
	if (json_array_size(rows) == before)
		add_none(rows, env, nh);
}

static enum mgmt_next show_transport(struct mgmt_request *req, void *arg)
{
	const struct show_env *env = arg;
	struct snapshot *s = mgmt_state(req, sizeof(*s), snapshot_free);
	const char *only = conf_str(mgmt_input(req), "pe", NULL);
	struct nht *nht = rib_nht(env->rib);
	const struct nexthop *nh;
	struct ip_addr pe;

	if (only && !addr_parse(only, &pe))
		return mgmt_error(req, MGMT_PARAMS, "pe", "not an address");
	if (!s->rows) {
		s->rows = json_array();
		for (nh = nexthop_next(nht, NULL); nh; nh = nexthop_next(nht, nh))
			if (nh->key.kind == NEXTHOP_PE && (!only || addr_eq(&pe, &nh->key.addr)))
				add_pe(env, s->rows, nh);
	}
	while (s->at < json_array_size(s->rows))
		if (!mgmt_row(req, json_incref(json_array_get(s->rows, s->at++))))
			return MGMT_AGAIN;
	return MGMT_DONE;
}

/* ---- show mpls endpoints ---- */

static void set_accepted(json_t *out, const struct dp_endpoint *ep)
{
	char text[TEXT] = "", one[PREFIX_STRLEN];
	size_t len = 0;
	unsigned int i;

	for (i = 0; i < L3VPN_SCOPE_MAX && len < sizeof(text); i++)
		if (ep->scopes >> i & 1)
			len += snprintf(text + len, sizeof(text) - len, "%s%s", len ? " " : "", label_scope_str(i));
	json_object_set_new(out, "labels", json_string(len ? text : "none"));
	for (len = i = 0; i < ep->n_sources && len < sizeof(text); i++)
		len += snprintf(text + len, sizeof(text) - len, "%s%s", len ? " " : "",
				prefix_str(&ep->sources[i], one));
	if (ep->peers && len < sizeof(text))
		len += snprintf(text + len, sizeof(text) - len, "%speers", len ? " " : "");
	json_object_set_new(out, "sources", json_string(len ? text : "none"));
}

static json_t *endpoint_row(const struct stream *st, const struct dp_row *row)
{
	struct dp_port_state state;
	json_t *out = json_object();
	char addr[ADDR_STRLEN];

	json_object_set_new(out, "kind", json_string(dp_encap_str(row->endpoint.encap)));
	json_object_set_new(out, "address", json_string(addr_str(&row->endpoint.address, addr)));
	if (row->endpoint.dport)
		json_object_set_new(out, "port", json_integer(row->endpoint.dport));
	set_accepted(out, &row->endpoint);
	if (!dp_sync_endpoint(st->env->sync, row->endpoint.encap, row->endpoint.address.family, &state))
		json_object_set_new(out, "state", json_string("unwanted"));
	else
		json_object_set_new(out, "state", json_string(!state.bound ? state.why : row->endpoint_local ? "up" :
							      nexthop_reason_str(NH_TUNNEL_SOURCE)));
	json_object_set_new(out, "rx-packets", json_integer(row->stats.rx_packets));
	json_object_set_new(out, "rx-bytes", json_integer(row->stats.rx_bytes));
	json_object_set_new(out, "drops", json_integer(row->stats.drops));
	return out;
}

/* Those that forwarding has not taken: it cannot tell of them. */
static void refused_rows(struct mgmt_request *req, const struct show_env *env)
{
	struct dp_port_state state;
	const struct soft_config *c;
	unsigned int encap;
	char addr[ADDR_STRLEN];
	json_t *row;
	int afi;

	for (encap = SOFT_UDP; encap < SOFT_ENCAPS; encap++)
		for (afi = 0; afi < AFI_MAX; afi++) {
			c = soft_get(rib_nht(env->rib), encap);
			if (!c || !dp_sync_endpoint(env->sync, encap, afi_family(afi), &state) || state.bound)
				continue;
			row = json_object();
			json_object_set_new(row, "kind", json_string(soft_encap_str(encap)));
			json_object_set_new(row, "address", json_string(addr_str(&c->source[afi], addr)));
			if (c->port)
				json_object_set_new(row, "port", json_integer(c->port));
			json_object_set_new(row, "state", json_string(state.error ? state.why : "being made"));
			mgmt_row(req, row);
		}
}

static enum mgmt_next show_endpoints(struct mgmt_request *req, void *arg)
{
	struct dp_query query = { .kind = DP_QUERY_ENDPOINTS };
	const struct show_env *env = arg;
	enum mgmt_next next;
	bool ended;

	next = stream_run(stream_state(req, arg), &query, endpoint_row, &ended);
	if (!ended)
		return next;
	refused_rows(req, env);
	return MGMT_DONE;
}

void show_transport_register(struct mgmt *mgmt, const struct show_env *env)
{
	mgmt_register(mgmt, "show-mpls-transport", show_transport, (void *)env);
	mgmt_register(mgmt, "show-mpls-endpoints", show_endpoints, (void *)env);
}
