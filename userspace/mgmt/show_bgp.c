// SPDX-License-Identifier: GPL-2.0
/*
 * mgmt/show_bgp.c: show bgp ..., clear bgp: the operational commands of bgp/. Reads peers and
 * tables through their resumable walks.
 */
#include <stdio.h>
#include <string.h>

#include "bgp/event.h"
#include "bgp/inherit.h"
#include "bgp/look.h"
#include "mgmt/show_bgp.h"

void bgp_put(json_t *row, const char *column, const char *value)
{
	if (value && value[0])
		json_object_set_new(row, column, json_string(value));
}

void bgp_put_number(json_t *row, const char *column, uint64_t value)
{
	json_object_set_new(row, column, json_integer((json_int_t)value));
}

const char *bgp_peer_text(const struct bgp_peer *p, char *buf, size_t size)
{
	char addr[ADDR_STRLEN];

	snprintf(buf, size, "%s%s%s", addr_str(&p->conf.peer.addr, addr),
		 p->conf.peer.ifname[0] ? "%" : "", p->conf.peer.ifname);
	return buf;
}

const char *bgp_ago(uint64_t s, char *buf, size_t size)
{
	unsigned int days = (unsigned int)(s / 86400), hours = (unsigned int)(s / 3600 % 24);

	if (days)
		snprintf(buf, size, "%ud%02uh", days, hours);
	else
		snprintf(buf, size, "%02u:%02u:%02u", hours, (unsigned int)(s / 60 % 60), (unsigned int)(s % 60));
	return buf;
}

const char *bgp_peer_state(const struct bgp_peer *p, const struct bgp_session_info *i)
{
	if (p->conf.shutdown)
		return "Shutdown";
	if (p->limited)
		return "Idle (maximum prefixes)";
	return bgp_state_name(i->state);
}

/* Routes of a peer, over its families. */
static uint32_t received(const struct bgp_peer *p)
{
	uint32_t n = 0;

	for (int f = 0; f < BGP_FAMILIES; f++)
		n += p->family[f].has_source ? p->family[f].source.count : 0;
	return n;
}

static uint32_t advertised(const struct bgp_peer *p)
{
	uint32_t n = 0;

	for (int f = 0; f < BGP_FAMILIES; f++)
		n += bgp_family_advertised(&p->family[f]);
	return n;
}

static uint64_t sum(const uint64_t counters[BGP_COUNTERS])
{
	uint64_t n = 0;

	for (int i = 0; i < BGP_COUNTERS; i++)
		n += counters[i];
	return n;
}

/* ---- show bgp summary ---- */

static json_t *summary_row(struct bgp_peer *p)
{
	struct bgp_session_info i = { 0 };
	json_t *row = json_object();
	char addr[80];

	if (p->session)
		bgp_session_info(p->session, &i);
	bgp_put(row, "neighbor", bgp_peer_text(p, addr, sizeof(addr)));
	bgp_put(row, "vrf", p->conf.vrf);
	bgp_put_number(row, "as", p->conf.remote_as);
	bgp_put(row, "state", bgp_peer_state(p, &i));
	if (p->up)
		snprintf(addr, sizeof(addr), "%u", received(p));
	bgp_put(row, "st-pfxrcd", p->up ? addr : bgp_peer_state(p, &i));
	if (i.since_ms)
		bgp_put_number(row, "for", (uv_hrtime() / 1000000 - i.since_ms) / 1000);
	bgp_put_number(row, "received", received(p));
	bgp_put_number(row, "advertised", advertised(p));
	bgp_put_number(row, "messages-in", sum(i.in));
	bgp_put_number(row, "messages-out", sum(i.out));
	bgp_put_number(row, "queued-out", i.queued_out);
	bgp_put(row, "last-error", p->up ? "" : i.last_error[0] ? i.last_error : p->last_down);
	return row;
}

static enum mgmt_next show_summary(struct mgmt_request *req, void *arg)
{
	const struct show_env *env = arg;
	struct bgp_peer_cursor *at = mgmt_state(req, sizeof(*at), NULL);
	struct bgp_peer *p;

	while ((p = bgp_peer_walk(env->bgp, at))) {
		if (!mgmt_row(req, summary_row(p)))
			return MGMT_AGAIN;
	}
	return MGMT_DONE;
}

bool bgp_chosen(const struct lyd_node *in, const struct bgp_peer *p)
{
	const char *want = conf_str(in, "neighbor", NULL), *vrf = conf_str(in, "vrf", NULL);
	char addr[80];

	return (!want || !strcmp(want, bgp_peer_text(p, addr, sizeof(addr)))) &&
	       (!vrf || !strcmp(vrf, p->conf.vrf));
}

/* ---- show bgp neighbor-configuration ---- */

static void configured(const char *rel, const struct lyd_node *leaf, const char *value, const struct lyd_node *from,
		       void *arg)
{
	struct mgmt_request *req = arg;
	json_t *row = json_object();
	const char *name = from ? conf_str(from, "name", NULL) : NULL;
	char item[128];

	snprintf(item, sizeof(item), "%s", rel);
	for (char *p = item; *p; p++) {
		if (*p == '/')
			*p = ' ';
	}
	bgp_put(row, "item", item);
	bgp_put(row, "value", !strcmp(rel, "password") ? "********" : value[0] ? value : "yes");
	bgp_put(row, "from", name ? name : from ? "neighbor" : "default");
	mgmt_row(req, row);
}

static const struct lyd_node *find_configured(const struct lyd_node *running, const char *vrf, const char *address)
{
	const struct lyd_node *at = conf_top(running, "bgp"), *n;
	char text[ADDR_STRLEN + IFNAMSIZ + 1];
	struct bgp_peer *p;

	if (vrf)
		at = conf_entry(at, "vrf", vrf);
	conf_for_each(n, at, "neighbor") {
		p = bgp_config_peer(bgp_instance(), n);
		if (p && !strcmp(bgp_peer_text(p, text, sizeof(text)), address))
			return n;
	}
	return NULL;
}

static enum mgmt_next show_configuration(struct mgmt_request *req, void *arg)
{
	const struct show_env *env = arg;
	const char *address = conf_str(mgmt_input(req), "neighbor", ""), *vrf = conf_str(mgmt_input(req), "vrf", NULL);
	const struct lyd_node *n = find_configured(conf_running(env->bgp->env.conf), vrf, address);
	struct inherit i;

	if (!n || !inherit_resolve(n, &i, NULL))
		return mgmt_error(req, MGMT_NOT_FOUND, "neighbor", "there is no neighbor %s%s%s", address,
				  vrf ? " in VRF " : "", vrf ? vrf : "");
	inherit_each(&i, configured, req);
	return MGMT_DONE;
}

/* ---- clear bgp ---- */

static void refresh_in(struct bgp_peer *p)
{
	for (int f = 0; f < BGP_FAMILIES; f++)
		bgp_session_refresh(p->session, f);
}

static void refresh_out(struct bgp_peer *p)
{
	for (int f = 0; f < BGP_FAMILIES; f++)
		bgp_groups_refresh(&p->family[f]);
}

static void reset(struct bgp_peer *p, const struct lyd_node *in)
{
	struct bgp_cease c = { .subcode = BGP_CEASE_RESET, .graceful = conf_exists(in, "graceful") };

	if (p->limited) {
		bgp_limit_clear(p);
		return;
	}
	bgp_cease_reason(&c, conf_str(in, "reason", NULL));
	bgp_session_reset_with(p->session, &c);
}

static enum mgmt_next clear_bgp(struct mgmt_request *req, void *arg)
{
	const struct show_env *env = arg;
	const struct lyd_node *in = mgmt_input(req);
	const char *soft = conf_str(in, "soft", NULL), *vrf = conf_str(in, "vrf", NULL);
	bool all = !strcmp(conf_str(in, "neighbor", ""), "all");
	struct bgp_peer_cursor at = { 0 };
	unsigned int n = 0;
	struct bgp_peer *p;

	while ((p = bgp_peer_walk(env->bgp, &at))) {
		if ((!all && !bgp_chosen(in, p)) || (vrf && strcmp(vrf, p->conf.vrf)) || !p->session)
			continue;
		n++;
		bgp_happened(LOG_LEVEL_NOTICE, p->name, "clear bgp%s%s", soft ? " soft " : "", soft ? soft : "");
		if (!soft)
			reset(p, in);
		else if (!strcmp(soft, "in"))
			refresh_in(p);
		else
			refresh_out(p);
	}
	if (!n)
		return mgmt_error(req, MGMT_NOT_FOUND, "neighbor", "there is no such neighbor");
	mgmt_result(req, "cleared", json_integer(n));
	return MGMT_DONE;
}

void show_bgp_register(struct mgmt *mgmt, const struct show_env *env)
{
	void *arg = (void *)env;

	mgmt_register(mgmt, "show-bgp-summary", show_summary, arg);
	mgmt_register(mgmt, "show-bgp-neighbor-configuration", show_configuration, arg);
	show_bgp_neighbor_register(mgmt, env);
	show_bgp_route_register(mgmt, env);
	show_bgp_event_register(mgmt, env);
	mgmt_register(mgmt, "clear-bgp", clear_bgp, arg);
}
