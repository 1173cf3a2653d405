// SPDX-License-Identifier: GPL-2.0
/*
 * mgmt/show_bgp.c: show bgp ..., clear bgp: the operational commands of bgp/. Reads peers and
 * tables through their resumable walks.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bgp/inherit.h"
#include "bgp/lu.h"
#include "bgp/peer.h"
#include "mgmt/show.h"
#include "vrf/rd.h"
#include "vrf/rt.h"

#define NETS_A_SLICE 4096
#define TEXT_MAX 2048

static void put(json_t *row, const char *column, const char *value)
{
	if (value && value[0])
		json_object_set_new(row, column, json_string(value));
}

static void put_number(json_t *row, const char *column, uint64_t value)
{
	json_object_set_new(row, column, json_integer((json_int_t)value));
}

static const char *peer_address(const struct bgp_peer *p, char *buf, size_t size)
{
	char addr[ADDR_STRLEN];

	snprintf(buf, size, "%s%s%s", addr_str(&p->conf.peer.addr, addr),
		 p->conf.peer.ifname[0] ? "%" : "", p->conf.peer.ifname);
	return buf;
}

static const char *state_name(const struct bgp_peer *p, const struct bgp_session_info *i)
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
	put(row, "neighbor", peer_address(p, addr, sizeof(addr)));
	put(row, "vrf", p->conf.vrf);
	put_number(row, "as", p->conf.remote_as);
	put(row, "state", state_name(p, &i));
	if (i.since_ms)
		put_number(row, "for", (uv_hrtime() / 1000000 - i.since_ms) / 1000);
	put_number(row, "received", received(p));
	put_number(row, "advertised", advertised(p));
	put_number(row, "messages-in", sum(i.in));
	put_number(row, "messages-out", sum(i.out));
	put_number(row, "queued-out", i.queued_out);
	put(row, "last-error", p->up ? "" : i.last_error[0] ? i.last_error : p->last_down);
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

/* ---- show bgp neighbors ---- */

struct items {
	struct mgmt_request *req;
	const char *neighbor;
	const char *vrf;
	bool room;		/* the client takes more */
};

static void item(struct items *s, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void item(struct items *s, const char *name, const char *fmt, ...)
{
	char value[512];
	json_t *row;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	if (!value[0])
		return;
	row = json_object();
	put(row, "neighbor", s->neighbor);
	put(row, "vrf", s->vrf);
	put(row, "item", name);
	put(row, "value", value);
	s->room = mgmt_row(s->req, row);
}

static void session_items(struct items *s, const struct bgp_peer *p,
			  const struct bgp_session_info *i)
{
	static const char *const names[BGP_COUNTERS] = {
		"OPEN", "UPDATE", "NOTIFICATION", "KEEPALIVE", "ROUTE-REFRESH",
	};
	char text[ADDR_STRLEN];
	struct ip_addr id;

	item(s, "state", "%s", state_name(p, i));
	item(s, "description", "%s", p->conf.description);
	item(s, "remote AS", "%u, %s", p->conf.remote_as,
	     bgp_peer_internal(p) ? "internal" : "external");
	if (p->up) {
		id = addr_v4(p->info.peer.id);
		item(s, "BGP identifier", "%s", addr_str(&id, text));
		item(s, "local address", "%s port %u, remote port %u",
		     addr_str(&p->info.local.addr, text), i->local_port, i->remote_port);
		item(s, "hold time", "%u s", p->info.agreed.hold);
		item(s, "capabilities", "%s%s%s%s%s%s", p->info.peer.caps.as4 ? "four-octet-as " : "",
		     p->info.peer.caps.refresh ? "route-refresh " : "",
		     p->info.peer.caps.enhanced_refresh ? "enhanced-refresh " : "",
		     p->info.peer.caps.extended ? "extended-message " : "",
		     p->info.peer.caps.gr ? "graceful-restart " : "",
		     p->info.peer.caps.gr_restarting ? "(restarting)" : "");
		if (p->info.peer.caps.gr)
			item(s, "restart time", "%u s", p->info.peer.caps.gr_time);
	}
	item(s, "established", "%u times", i->established);
	item(s, "connect retries", "%u", i->connect_retries);
	item(s, "last reset", "%s", p->last_down);
	item(s, "last error", "%s", i->last_error[0] ? i->last_error : p->last_down);
	for (int c = 0; c < BGP_COUNTERS; c++)
		item(s, names[c], "%llu in, %llu out", (unsigned long long)i->in[c],
		     (unsigned long long)i->out[c]);
	for (int o = BGP_DISCARD; o <= BGP_RESET; o++) {
		if (i->malformed[o])
			item(s, "malformed", "%llu: %s", (unsigned long long)i->malformed[o],
			     bgp_outcome_name(o));
	}
	item(s, "queues", "%zu octets in, %zu octets out", i->queued_in, i->queued_out);
	item(s, "MD5 password", "%s", p->conf.password[0] ? "set" : "");
	if (p->conf.ttl_security)
		item(s, "TTL security", "%u hops", p->conf.ttl_security);
}

static void family_items(struct items *s, const struct bgp_peer *p)
{
	for (int f = 0; f < BGP_FAMILIES; f++) {
		const struct bgp_peer_family *pf = &p->family[f];
		char name[48];

		if (!p->conf.af[f].on)
			continue;
		snprintf(name, sizeof(name), "%s", bgp_family_name(f));
		item(s, name, "%s%s%s%s%s%s%s: %u received, %u advertised",
		     pf->active ? "negotiated" : "not negotiated", pf->disabled ? ", disabled" : "",
		     pf->active && p->info.agreed.addpath_rx[f] ? ", additional paths received" : "",
		     pf->stale ? ", stale routes kept" : "", pf->refreshing_in ? ", refresh under way" : "",
		     pf->eor_received ? ", End-of-RIB received" : "",
		     pf->eor_sent ? ", End-of-RIB sent" : "", pf->has_source ? pf->source.count : 0,
		     bgp_family_advertised(pf));
	}
}

static void policy_items(struct items *s, const struct bgp_peer *p)
{
	for (int f = 0; f < BGP_FAMILIES; f++) {
		const struct bgp_peer_family *pf = &p->family[f];

		if (!p->conf.af[f].on)
			continue;
		item(s, "policy", "%s: in %s, out %s", bgp_family_name(f),
		     pf->in ? policy_name(pf->in) : bgp_policy_missing(pf, false) ? "missing: nothing is taken" : "none",
		     pf->out ? policy_name(pf->out) : bgp_policy_missing(pf, true) ? "missing: nothing is told" : "none");
		if (p->conf.af[f].limit.most)
			item(s, "maximum prefixes", "%s: %u of %u", bgp_family_name(f),
			     pf->has_source ? pf->source.count : 0, p->conf.af[f].limit.most);
		for (int why = 0; why < BGP_REFUSALS; why++) {
			if (pf->refused[why])
				item(s, "refused", "%s: %u: %s", bgp_family_name(f), pf->refused[why],
				     bgp_refused_str(why));
		}
	}
}

static bool chosen(const struct lyd_node *in, const struct bgp_peer *p)
{
	const char *want = conf_str(in, "neighbor", NULL), *vrf = conf_str(in, "vrf", NULL);
	char addr[80];

	return (!want || !strcmp(want, peer_address(p, addr, sizeof(addr)))) &&
	       (!vrf || !strcmp(vrf, p->conf.vrf));
}

/* All items of a neighbour at once: their number is bounded. */
static enum mgmt_next show_neighbors(struct mgmt_request *req, void *arg)
{
	const struct show_env *env = arg;
	struct bgp_peer_cursor *at = mgmt_state(req, sizeof(*at), NULL);
	struct bgp_session_info i;
	struct bgp_peer *p;
	char addr[80];

	while ((p = bgp_peer_walk(env->bgp, at))) {
		struct items s = { .req = req, .vrf = p->conf.vrf, .room = true };

		if (!chosen(mgmt_input(req), p))
			continue;
		s.neighbor = peer_address(p, addr, sizeof(addr));
		memset(&i, 0, sizeof(i));
		if (p->session)
			bgp_session_info(p->session, &i);
		session_items(&s, p, &i);
		family_items(&s, p);
		policy_items(&s, p);
		if (!s.room)
			return MGMT_AGAIN;
	}
	return MGMT_DONE;
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
	put(row, "item", item);
	put(row, "value", !strcmp(rel, "password") ? "********" : value[0] ? value : "yes");
	put(row, "from", name ? name : from ? "neighbor" : "default");
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
		if (p && !strcmp(peer_address(p, text, sizeof(text)), address))
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

/* ---- routes ---- */

static void put_targets(json_t *row, const struct attrs *a)
{
	char text[TEXT_MAX] = "", one[RT_STRLEN];
	size_t n = 0;
	uint16_t len;
	const uint8_t *p = attrs_part(a, ATTRS_EXT, &len);

	for (; len >= 8 && n < sizeof(text) - RT_STRLEN; p += 8, len -= 8) {
		struct rt rt;

		if (!rt_is_target(p))
			continue;
		memcpy(rt.b, p, sizeof(rt.b));
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", n ? " " : "",
				      rt_str(&rt, one));
	}
	put(row, "route-targets", text);
}

static void put_attrs(json_t *row, const struct attrs *a)
{
	static const char *const origin[] = { "IGP", "EGP", "incomplete" };
	char path[TEXT_MAX];

	put(row, "as-path", attrs_path_str(a, path, sizeof(path)));
	if (a->f.origin <= ORIGIN_INCOMPLETE)
		put(row, "origin", origin[a->f.origin]);
	if (a->f.flags & ATTRS_HAS_LOCAL_PREF)
		put_number(row, "local-preference", a->f.local_pref);
	if (a->f.flags & ATTRS_HAS_MED)
		put_number(row, "med", a->f.med);
	put_targets(row, a);
}

static void put_net(json_t *row, const struct rib_net *net)
{
	const struct rd *rd = rib_net_rd(net);
	struct prefix prefix = rib_net_prefix(net);
	char text[PREFIX_STRLEN], rd_text[RD_STRLEN];

	if (rd)
		put(row, "rd", rd_str(rd, rd_text));
	put(row, "prefix", prefix_str(&prefix, text));
}

static json_t *route_row(const struct rib_net *net, const struct rib_route *r)
{
	json_t *row = json_object();
	char text[128];

	put_net(row, net);
	put(row, "best", rib_best(net) == r ? "yes" : rib_reason_str(r->reason));
	put(row, "from", r->source->name ? r->source->name : r->source->proto->name);
	put(row, "next-hop", nexthop_str(r->nh, text, sizeof(text)));
	if (!nexthop_usable(r->nh))
		put(row, "next-hop-state", nexthop_reason_str(r->nh->reason));
	if (r->label != RIB_LABEL_NONE)
		put_number(row, "label", r->label);
	if (r->attrs)
		put_attrs(row, r->attrs);
	if (rib_route_stale(r))
		put(row, "stale", "yes");
	return row;
}

/* ... and the label of ours, or why there is none */
static json_t *labelled_row(const struct bgp_lu *lu, const struct rib_net *net, const struct rib_route *r)
{
	json_t *row = route_row(net, r);
	const char *why;
	uint32_t label;
	char text[16];

	if (rib_best(net) != r)
		return row;
	if (!bgp_lu_label_get(lu, net, &label, &why)) {
		put(row, "local-label", why);
		return row;
	}
	snprintf(text, sizeof(text), "%u", label);
	put(row, "local-label", label == 3 ? "implicit-null" : label < 16 ? "explicit-null" : text);
	return row;
}

struct route_cursor {
	struct rib_cursor at;
	bool started;
};

struct route_filter {
	const struct rib_source *source;	/* NULL: any */
	bool has_rd;
	struct rd rd;
	bool has_prefix;
	struct prefix prefix;
	const struct bgp_lu *lu;		/* not NULL: the label of ours is told too */
};

static bool net_matches(const struct rib_net *net, const struct route_filter *f)
{
	const struct rd *rd = rib_net_rd(net);
	struct prefix p = rib_net_prefix(net);

	return (!f->has_rd || (rd && !rd_cmp(rd, &f->rd))) &&
	       (!f->has_prefix || prefix_eq(&p, &f->prefix));
}

/* All routes of a net at once: they are as many as sources. */
static enum mgmt_next stream_routes(struct mgmt_request *req, struct rib_table *t,
				    const struct route_filter *f)
{
	struct route_cursor *c = mgmt_state(req, sizeof(*c), NULL);
	struct rib_net *net;

	for (unsigned int i = 0; i < NETS_A_SLICE; i++) {
		bool room = true;

		net = f->has_prefix && rib_table_kind(t) == RIB_TABLE_VPN ?
			      rib_walk_prefix(t, &f->prefix, &c->at) : rib_walk(t, &c->at);
		if (!net)
			return MGMT_DONE;
		if (!net_matches(net, f))
			continue;
		for (struct rib_route *r = rib_routes(net); r; r = r->next) {
			if (!f->source || r->source == f->source)
				room = mgmt_row(req, f->lu ? labelled_row(f->lu, net, r) : route_row(net, r));
		}
		if (!room)
			return MGMT_AGAIN;
	}
	return MGMT_AGAIN;
}

static bool read_filter(struct mgmt_request *req, uint8_t family, struct route_filter *f)
{
	const struct lyd_node *in = mgmt_input(req);
	const char *rd = conf_str(in, "rd", NULL), *prefix = conf_str(in, "prefix", NULL);

	memset(f, 0, sizeof(*f));
	if (rd) {
		f->has_rd = true;
		if (!rd_parse(rd, &f->rd)) {
			mgmt_error(req, MGMT_PARAMS, "rd", "%s is no route distinguisher", rd);
			return false;
		}
	}
	if (prefix) {
		f->has_prefix = true;
		if (!prefix_parse(prefix, &f->prefix) || f->prefix.addr.family != family) {
			mgmt_error(req, MGMT_PARAMS, "prefix", "%s is no prefix of this family", prefix);
			return false;
		}
	}
	return true;
}

static enum mgmt_next show_vpn(struct mgmt_request *req, const struct show_env *env, uint8_t family)
{
	struct rib_table *t = rib_table_vpn(env->rib, family);
	struct route_filter f;

	if (!read_filter(req, family, &f) || !t)
		return MGMT_DONE;
	return stream_routes(req, t, &f);
}

static enum mgmt_next show_vpnv4(struct mgmt_request *req, void *arg)
{
	return show_vpn(req, arg, AF_INET);
}

static enum mgmt_next show_vpnv6(struct mgmt_request *req, void *arg)
{
	return show_vpn(req, arg, AF_INET6);
}

static enum mgmt_next show_labelled(struct mgmt_request *req, const struct show_env *env, uint8_t family)
{
	struct rib_table *t = rib_table_labelled(env->rib, family);
	struct route_filter f;

	if (!read_filter(req, family, &f) || !t)
		return MGMT_DONE;
	f.lu = env->bgp->lu[family_afi(family)];
	return stream_routes(req, t, &f);
}

static enum mgmt_next show_labelled4(struct mgmt_request *req, void *arg)
{
	return show_labelled(req, arg, AF_INET);
}

static enum mgmt_next show_labelled6(struct mgmt_request *req, void *arg)
{
	return show_labelled(req, arg, AF_INET6);
}

static enum mgmt_next show_vrf(struct mgmt_request *req, void *arg)
{
	const struct show_env *env = arg;
	const struct lyd_node *in = mgmt_input(req);
	const char *name = conf_str(in, "vrf", "");
	uint8_t family = strcmp(conf_str(in, "family", "ipv4"), "ipv6") ? AF_INET : AF_INET6;
	const struct vrf *v = vrf_find(env->vrfs, name);
	struct route_filter f;

	if (!v)
		return mgmt_error(req, MGMT_NOT_FOUND, "vrf", "there is no VRF %s", name);
	if (!read_filter(req, family, &f))
		return MGMT_DONE;
	return stream_routes(req, v->af[family_afi(family)].table, &f);
}

/* ---- one neighbour's routes ---- */

static struct bgp_peer_family *find_family(struct mgmt_request *req, const struct show_env *env)
{
	static const char *const names[BGP_FAMILIES] = {
		"ipv4", "ipv6", "vpnv4", "vpnv6", "ipv4-labeled-unicast", "ipv6-labeled-unicast",
		"ipv4-rt-filter",
	};
	const struct lyd_node *in = mgmt_input(req);
	const char *family = conf_str(in, "family", "vpnv4");
	struct bgp_peer_cursor at = { 0 };
	struct bgp_peer *p;

	while ((p = bgp_peer_walk(env->bgp, &at))) {
		if (!chosen(in, p) || (!conf_str(in, "vrf", NULL) && p->conf.vrf[0]))
			continue;
		for (int f = 0; f < BGP_FAMILIES; f++) {
			if (!strcmp(names[f], family) && p->family[f].has_source)
				return &p->family[f];
		}
		mgmt_error(req, MGMT_NOT_FOUND, "family", "%s is not configured with this neighbor",
			   family);
		return NULL;
	}
	mgmt_error(req, MGMT_NOT_FOUND, "neighbor", "there is no neighbor %s%s%s",
		   conf_str(in, "neighbor", ""), conf_str(in, "vrf", NULL) ? " in VRF " : "",
		   conf_str(in, "vrf", ""));
	return NULL;
}

static enum mgmt_next show_received(struct mgmt_request *req, void *arg)
{
	struct bgp_peer_family *pf = find_family(req, arg);
	struct route_filter f = { 0 };

	if (!pf)
		return MGMT_DONE;
	f.source = &pf->source;
	return stream_routes(req, pf->source.table, &f);
}

static enum mgmt_next show_advertised(struct mgmt_request *req, void *arg)
{
	struct bgp_peer_family *pf = find_family(req, arg);
	struct bgp_advertised *at = mgmt_state(req, sizeof(*at), NULL);
	struct ip_addr nexthop, ll;
	char text[ADDR_STRLEN];
	struct rib_net *net;
	json_t *row;

	if (!pf)
		return MGMT_DONE;
	while ((net = bgp_advertised_walk(pf, at))) {
		bgp_advertised_nexthop(pf, at->attrs, &nexthop, &ll);
		row = json_object();
		put_net(row, net);
		put(row, "next-hop", addr_str(&nexthop, text));
		if (at->label != RIB_LABEL_NONE)
			put_number(row, "label", at->label);
		put_attrs(row, at->attrs);
		if (!mgmt_row(req, row))
			return MGMT_AGAIN;
	}
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
		if ((!all && !chosen(in, p)) || (vrf && strcmp(vrf, p->conf.vrf)) || !p->session)
			continue;
		n++;
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
	mgmt_register(mgmt, "show-bgp-neighbors", show_neighbors, arg);
	mgmt_register(mgmt, "show-bgp-neighbor-configuration", show_configuration, arg);
	mgmt_register(mgmt, "show-bgp-vpnv4", show_vpnv4, arg);
	mgmt_register(mgmt, "show-bgp-vpnv6", show_vpnv6, arg);
	mgmt_register(mgmt, "show-bgp-ipv4-labeled", show_labelled4, arg);
	mgmt_register(mgmt, "show-bgp-ipv6-labeled", show_labelled6, arg);
	mgmt_register(mgmt, "show-bgp-vrf", show_vrf, arg);
	mgmt_register(mgmt, "show-bgp-received", show_received, arg);
	mgmt_register(mgmt, "show-bgp-advertised", show_advertised, arg);
	mgmt_register(mgmt, "clear-bgp", clear_bgp, arg);
}
