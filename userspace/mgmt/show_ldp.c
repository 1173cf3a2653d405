// SPDX-License-Identifier: GPL-2.0
/* mgmt/show_ldp.c: show mpls ldp ..., clear mpls ldp neighbor. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ldp/ldp.h"
#include "ldp/wire.h"
#include "lib/jobs.h"
#include "mgmt/show.h"

static json_t *label_json(uint32_t label)
{
	char text[24];

	switch (label) {
	case LDP_LABEL_NONE:
		return json_string("unlabelled");
	case LDP_LABEL_IMPLICIT:
		return json_string("implicit-null");
	case LDP_LABEL_NULL4:
	case LDP_LABEL_NULL6:
		return json_string("explicit-null");
	}
	snprintf(text, sizeof(text), "%u", label);
	return json_string(text);
}

static void put_address(json_t *row, const char *name, const struct ip_addr *a)
{
	char text[ADDR_STRLEN];

	if (addr_is_set(a))
		json_object_set_new(row, name, json_string(addr_str(a, text)));
}

/* ---- neighbors ---- */

static json_t *neighbor_row(const struct show_env *env, const struct ldp_neighbor_info *i)
{
	json_t *row = json_object();

	json_object_set_new(row, "neighbor", json_string(i->id));
	put_address(row, "transport", &i->remote);
	json_object_set_new(row, "state", json_string(i->state));
	json_object_set_new(row, "role", json_string(i->active ? "active" : "passive"));
	if (i->up_us)
		json_object_set_new(row, "uptime",
				    json_integer((jobs_clock_us(env->jobs) - i->up_us) / 1000000));
	json_object_set_new(row, "adjacencies", json_string(i->adjacencies));
	json_object_set_new(row, "received", json_integer(i->received));
	json_object_set_new(row, "advertised", json_integer(i->advertised));
	json_object_set_new(row, "graceful-restart", json_string(i->graceful));
	if (i->last_error[0])
		json_object_set_new(row, "last-error", json_string(i->last_error));
	return row;
}

static void item(struct mgmt_request *req, const struct ldp_neighbor_info *i, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void item(struct mgmt_request *req, const struct ldp_neighbor_info *i, const char *name, const char *fmt, ...)
{
	json_t *row = json_object();
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_object_set_new(row, "neighbor", json_string(i->id));
	json_object_set_new(row, "item", json_string(name));
	json_object_set_new(row, "value", json_string(text));
	mgmt_row(req, row);
}

static const char *families_str(const bool family[2])
{
	return family[0] ? family[1] ? "ipv4 ipv6" : "ipv4" : family[1] ? "ipv6" : "none";
}

static void neighbor_items(struct mgmt_request *req, const struct show_env *env, const struct ldp_neighbor_info *i)
{
	char local[ADDR_STRLEN], remote[ADDR_STRLEN];

	item(req, i, "state", "%s, %s", i->state, i->active ? "active" : "passive");
	item(req, i, "adjacencies", "%s", i->adjacencies);
	if (addr_is_set(&i->remote))
		item(req, i, "connection", "%s to %s%s%s", addr_str(&i->local, local), addr_str(&i->remote, remote),
		     i->password ? ", MD5" : "", i->gtsm ? ", GTSM" : "");
	if (i->operational) {
		item(req, i, "uptime", "%llu seconds",
		     (unsigned long long)((jobs_clock_us(env->jobs) - i->up_us) / 1000000));
		item(req, i, "holdtime", "%u seconds", i->keepalive);
		item(req, i, "maximum PDU length", "%u octets", i->max_pdu);
		item(req, i, "address families", "%s", families_str(i->family));
		item(req, i, "capabilities", "%s%s%s%s", i->dynamic ? "dynamic-announcement " : "",
		     i->typed ? "typed-wildcard " : "", i->unrecognized ? "unrecognized-notification " : "",
		     i->peer_graceful ? "graceful-restart" : "");
		item(req, i, "end of LIB received", "%s", families_str(i->end_of_lib));
	}
	item(req, i, "labels", "%u received, %u advertised", i->received, i->advertised);
	item(req, i, "graceful restart", "%s", i->graceful);
	if (i->peer_graceful)
		item(req, i, "graceful restart timers", "reconnect %u seconds, recovery %u seconds",
		     i->reconnect_ms / 1000, i->recovery_ms / 1000);
	item(req, i, "PDUs", "%llu received, %llu sent", (unsigned long long)i->pdus_in,
	     (unsigned long long)i->pdus_out);
	item(req, i, "sessions", "%llu, %llu notifications sent", (unsigned long long)i->sessions,
	     (unsigned long long)i->faults);
	if (i->last_error[0])
		item(req, i, "last error", "%s", i->last_error);
}

struct neighbor_cursor {
	char after[24];
	bool any;
};

static enum mgmt_next neighbors(struct mgmt_request *req, const struct show_env *env, bool detail)
{
	struct neighbor_cursor *c = mgmt_state(req, sizeof(*c), NULL);
	const char *only = conf_str(mgmt_input(req), "neighbor", NULL);
	struct ldp_neighbor_info info;
	bool room = true;

	while (ldp_neighbor_next(env->ldp, c->after[0] ? c->after : NULL, &info)) {
		snprintf(c->after, sizeof(c->after), "%s", info.id);
		if (only && strcmp(only, info.id))
			continue;
		c->any = true;
		if (detail)
			neighbor_items(req, env, &info);
		else
			room = mgmt_row(req, neighbor_row(env, &info));
		if (!room || detail)
			return MGMT_AGAIN;
	}
	if (only && !c->any)
		return mgmt_error(req, MGMT_NOT_FOUND, "neighbor", "there is no LDP neighbor %s", only);
	return MGMT_DONE;
}

static enum mgmt_next show_neighbor(struct mgmt_request *req, void *arg)
{
	return neighbors(req, arg, false);
}

static enum mgmt_next show_neighbor_detail(struct mgmt_request *req, void *arg)
{
	return neighbors(req, arg, true);
}

static enum mgmt_next clear_neighbor(struct mgmt_request *req, void *arg)
{
	const char *only = conf_str(mgmt_input(req), "neighbor", NULL);
	const struct show_env *env = arg;
	unsigned int n = ldp_clear(env->ldp, only);

	if (only && !n)
		return mgmt_error(req, MGMT_NOT_FOUND, "neighbor", "there is no session with an LDP neighbor %s",
				  only);
	mgmt_result(req, "cleared", json_integer(n));
	return MGMT_DONE;
}

/* ---- discovery ---- */

struct row_cursor {
	unsigned int n;
};

static enum mgmt_next show_discovery(struct mgmt_request *req, void *arg)
{
	struct row_cursor *c = mgmt_state(req, sizeof(*c), NULL);
	const struct show_env *env = arg;
	struct ldp_discovery_info d;
	json_t *row;

	while (ldp_discovery_at(env->ldp, c->n, &d)) {
		c->n++;
		row = json_object();
		json_object_set_new(row, "source", json_string(d.source));
		json_object_set_new(row, "kind", json_string(d.targeted ? "targeted" : "link"));
		json_object_set_new(row, "family", json_string(d.family == AF_INET ? "ipv4" : "ipv6"));
		json_object_set_new(row, "state", json_string(d.state));
		if (d.neighbor[0])
			json_object_set_new(row, "neighbor", json_string(d.neighbor));
		put_address(row, "address", &d.address);
		put_address(row, "transport", &d.transport);
		json_object_set_new(row, "interval", json_integer(d.interval));
		if (d.hold)
			json_object_set_new(row, "holdtime", json_integer(d.hold));
		if (d.neighbor[0])
			json_object_set_new(row, "expires", json_integer(d.expires));
		if (!mgmt_row(req, row))
			return MGMT_AGAIN;
	}
	return MGMT_DONE;
}

static enum mgmt_next show_parameters(struct mgmt_request *req, void *arg)
{
	struct row_cursor *c = mgmt_state(req, sizeof(*c), NULL);
	const struct show_env *env = arg;
	const char *name;
	char value[256];
	json_t *row;

	while (ldp_parameter_at(env->ldp, c->n, &name, value, sizeof(value))) {
		c->n++;
		row = json_object();
		json_object_set_new(row, "item", json_string(name));
		json_object_set_new(row, "value", json_string(value));
		if (!mgmt_row(req, row))
			return MGMT_AGAIN;
	}
	return MGMT_DONE;
}

/* ---- FECs ---- */

struct fec_cursor {
	int afi;
	bool started, any;
	struct prefix at;
	struct ldp_fec_info info;
};

typedef bool (*fec_rows)(struct mgmt_request *req, const struct ldp_fec_info *f, const char *neighbor);

static enum mgmt_next fecs(struct mgmt_request *req, const struct show_env *env, fec_rows rows)
{
	struct fec_cursor *c = mgmt_state(req, sizeof(*c), NULL);
	const char *prefix = conf_str(mgmt_input(req), "prefix", NULL);
	const char *neighbor = conf_str(mgmt_input(req), "neighbor", NULL);
	struct prefix only = { 0 };

	if (prefix && !prefix_parse_host(prefix, &only))
		return mgmt_error(req, MGMT_PARAMS, "prefix", "%s is not a prefix", prefix);
	prefix_mask(&only);
	for (; c->afi < AFI_MAX; c->afi++, c->started = false) {
		while (ldp_fec_after(env->ldp, afi_family(c->afi), c->started ? &c->at : NULL, &c->info)) {
			c->started = true;
			c->at = c->info.fec;
			if (prefix && !prefix_eq(&only, &c->at))
				continue;
			c->any = true;
			if (!rows(req, &c->info, neighbor))
				return MGMT_AGAIN;
		}
	}
	if (prefix && !c->any)
		return mgmt_error(req, MGMT_NOT_FOUND, "prefix", "there is no FEC %s", prefix);
	return MGMT_DONE;
}

static bool binding_rows(struct mgmt_request *req, const struct ldp_fec_info *f, const char *neighbor)
{
	char fec[PREFIX_STRLEN], text[32];
	bool room = true;
	unsigned int i;
	json_t *row;

	prefix_str(&f->fec, fec);
	if (f->state && !neighbor) {
		row = json_object();
		json_object_set_new(row, "fec", json_string(fec));
		json_object_set_new(row, "side", json_string("local"));
		if (f->in_label != LDP_LABEL_NONE)
			json_object_set_new(row, "label", label_json(f->in_label));
		snprintf(text, sizeof(text), "%u", f->advertised);
		json_object_set_new(row, "neighbor", json_string(text));
		json_object_set_new(row, "state", json_string(f->state));
		room = mgmt_row(req, row);
	}
	for (i = 0; i < f->n_remote; i++) {
		if (neighbor && strcmp(neighbor, f->remote[i].neighbor))
			continue;
		row = json_object();
		json_object_set_new(row, "fec", json_string(fec));
		json_object_set_new(row, "side", json_string("remote"));
		json_object_set_new(row, "label", label_json(f->remote[i].label));
		json_object_set_new(row, "neighbor", json_string(f->remote[i].neighbor));
		json_object_set_new(row, "state", json_string(f->remote[i].stale ? "stale" :
							      f->remote[i].in_use ? "in-use" : "retained"));
		room = mgmt_row(req, row);
	}
	return room;
}

static json_t *forwarding_row(const struct ldp_fec_info *f)
{
	char fec[PREFIX_STRLEN];
	json_t *row = json_object();

	json_object_set_new(row, "fec", json_string(prefix_str(&f->fec, fec)));
	if (f->in_label != LDP_LABEL_NONE)
		json_object_set_new(row, "in-label", label_json(f->in_label));
	return row;
}

static bool forwarding_rows(struct mgmt_request *req, const struct ldp_fec_info *f, const char *neighbor)
{
	const struct ldp_way_info *w;
	bool room = true;
	json_t *row;

	for (w = f->way; w < f->way + f->n_ways; w++) {
		row = forwarding_row(f);
		json_object_set_new(row, "out-label", label_json(w->label));
		put_address(row, "next-hop", &w->gateway);
		json_object_set_new(row, "interface", json_string(w->ifname));
		if (w->neighbor[0])
			json_object_set_new(row, "neighbor", json_string(w->neighbor));
		room = mgmt_row(req, row);
	}
	return room;
}

static enum mgmt_next show_bindings(struct mgmt_request *req, void *arg)
{
	return fecs(req, arg, binding_rows);
}

static enum mgmt_next show_ldp_forwarding(struct mgmt_request *req, void *arg)
{
	return fecs(req, arg, forwarding_rows);
}

void show_ldp_register(struct mgmt *mgmt, const struct show_env *env)
{
	mgmt_register(mgmt, "show-mpls-ldp-neighbor", show_neighbor, (void *)env);
	mgmt_register(mgmt, "show-mpls-ldp-neighbor-detail", show_neighbor_detail, (void *)env);
	mgmt_register(mgmt, "show-mpls-ldp-discovery", show_discovery, (void *)env);
	mgmt_register(mgmt, "show-mpls-ldp-bindings", show_bindings, (void *)env);
	mgmt_register(mgmt, "show-mpls-ldp-forwarding", show_ldp_forwarding, (void *)env);
	mgmt_register(mgmt, "show-mpls-ldp-parameters", show_parameters, (void *)env);
	mgmt_register(mgmt, "clear-mpls-ldp-neighbor", clear_neighbor, (void *)env);
}
