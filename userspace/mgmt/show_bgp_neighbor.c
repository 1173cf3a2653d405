// SPDX-License-Identifier: GPL-2.0
/* show bgp neighbors, refused-routes, update-group. Contracts in show_bgp.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bgp/look.h"
#include "mgmt/show_bgp.h"
#include "policy/policy.h"

/* ---- show bgp neighbors ---- */

struct items {
	struct mgmt_request *req;
	const char *neighbor;
	const char *vrf;
	bool room;		/* the client takes more */
};

static void item(struct items *s, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

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
	bgp_put(row, "neighbor", s->neighbor);
	bgp_put(row, "vrf", s->vrf);
	bgp_put(row, "item", name);
	bgp_put(row, "value", value);
	s->room = mgmt_row(s->req, row);
}

/* Capabilities by name, those of a family with it. */
static void add_caps(char *buf, size_t size, const char *name, bool has, const bool *family)
{
	size_t used = strlen(buf);

	if (has)
		used += (size_t)snprintf(buf + used, size - used, "%s%s", used ? ", " : "", name);
	for (int f = 0; family && f < BGP_FAMILIES; f++) {
		if (family[f] && used < size)
			used += (size_t)snprintf(buf + used, size - used, "%s%s %s", used ? ", " : "", name,
						 bgp_family_name(f));
	}
}

static const char *caps_text(const struct bgp_caps *c, char *buf, size_t size)
{
	char restart[64];

	buf[0] = '\0';
	snprintf(restart, sizeof(restart), "graceful-restart %u s%s%s", c->gr_time, c->gr_notify ? " notification" : "",
		 c->gr_restarting ? " (restarting)" : "");
	add_caps(buf, size, "four-octet-as", c->as4, NULL);
	add_caps(buf, size, "route-refresh", c->refresh, NULL);
	add_caps(buf, size, "enhanced-refresh", c->enhanced_refresh, NULL);
	add_caps(buf, size, "extended-message", c->extended, NULL);
	add_caps(buf, size, restart, c->gr, NULL);
	add_caps(buf, size, "family", false, c->family);
	add_caps(buf, size, "ipv6-next-hop", false, c->v6_next_hop);
	add_caps(buf, size, "forwarding-kept", false, c->gr_forwarding);
	add_caps(buf, size, "additional-paths receive", false, c->addpath_rx);
	add_caps(buf, size, "additional-paths send", false, c->addpath_tx);
	return buf;
}

static const char *agreed_text(const struct bgp_agreed *a, char *buf, size_t size)
{
	buf[0] = '\0';
	add_caps(buf, size, "four-octet-as", a->as4, NULL);
	add_caps(buf, size, "route-refresh", a->refresh, NULL);
	add_caps(buf, size, "enhanced-refresh", a->enhanced_refresh, NULL);
	add_caps(buf, size, "extended-message", a->extended, NULL);
	add_caps(buf, size, "graceful-restart", a->gr, NULL);
	add_caps(buf, size, "family", false, a->family);
	add_caps(buf, size, "ipv6-next-hop", false, a->v6_next_hop);
	add_caps(buf, size, "additional-paths in", false, a->addpath_rx);
	add_caps(buf, size, "additional-paths out", false, a->addpath_tx);
	return buf;
}

static void up_items(struct items *s, const struct bgp_peer *p, const struct bgp_session_info *i)
{
	struct ip_addr id = addr_v4(p->info.peer.id);
	uint16_t hold = p->info.agreed.hold, own = p->conf.keepalive;
	char text[ADDR_STRLEN], caps[512];
	struct bgp_caps ours;

	item(s, "BGP identifier", "%s", addr_str(&id, text));
	item(s, "local address", "%s port %u, remote port %u", addr_str(&p->info.local.addr, text), i->local_port,
	     i->remote_port);
	item(s, "hold time", "%u s", hold);
	item(s, "keepalive", "%u s", own && own < hold / 3 ? own : hold / 3);
	bgp_peer_caps(p, &ours);
	item(s, "capabilities sent", "%s", caps_text(&ours, caps, sizeof(caps)));
	item(s, "capabilities", "%s", caps_text(&p->info.peer.caps, caps, sizeof(caps)));
	item(s, "capabilities agreed", "%s", agreed_text(&p->info.agreed, caps, sizeof(caps)));
	if (p->info.peer.caps.gr)
		item(s, "restart time", "%u s", p->info.peer.caps.gr_time);
}

static void bfd_items(struct items *s, const struct bgp_peer *p)
{
	static const char *const states[] = {
		[LIVENESS_UNKNOWN] = "not known yet", [LIVENESS_UP] = "up", [LIVENESS_DOWN] = "down",
	};
	unsigned int state = liveness_state(&p->live);

	if (p->conf.bfd_interval_us)
		item(s, "BFD", "%s, %u ms x %u%s%s", state < sizeof(states) / sizeof(states[0]) ? states[state] : "",
		     p->conf.bfd_interval_us / 1000, p->conf.bfd_multiplier, p->conf.bfd_strict ? ", strict" : "",
		     p->conf.bfd_single ? ", single hop" : "");
}

static void counter_items(struct items *s, const struct bgp_session_info *i)
{
	static const char *const names[BGP_COUNTERS] = {
		"OPEN", "UPDATE", "NOTIFICATION", "KEEPALIVE", "ROUTE-REFRESH",
	};

	for (int c = 0; c < BGP_COUNTERS; c++)
		item(s, names[c], "%llu in, %llu out", (unsigned long long)i->in[c], (unsigned long long)i->out[c]);
	for (int o = BGP_DISCARD; o <= BGP_RESET; o++) {
		if (i->malformed[o])
			item(s, "malformed", "%llu: %s", (unsigned long long)i->malformed[o], bgp_outcome_name(o));
	}
	item(s, "queues", "%zu octets in, %zu octets out", i->queued_in, i->queued_out);
}

static void session_items(struct items *s, const struct bgp_peer *p, const struct bgp_session_info *i)
{
	char ago[BGP_AGO_TEXT];

	item(s, "state", "%s", bgp_peer_state(p, i));
	if (i->since_ms)
		item(s, p->up ? "up for" : "down for", "%s",
		     bgp_ago((uv_hrtime() / 1000000 - i->since_ms) / 1000, ago, sizeof(ago)));
	item(s, "description", "%s", p->conf.description);
	item(s, "remote AS", "%u, %s", p->conf.remote_as, bgp_peer_internal(p) ? "internal" : "external");
	if (p->up)
		up_items(s, p, i);
	if (p->conf.delay_open)
		item(s, "delay open", "%u s", p->conf.delay_open);
	item(s, "established", "%u times", i->established);
	item(s, "connect retries", "%u", i->connect_retries);
	item(s, "graceful maintenance", "%s", p->conf.maintenance ? "yes" : "");
	item(s, "last reset", "%s", p->last_down);
	item(s, "last error", "%s", i->last_error[0] ? i->last_error : p->last_down);
	counter_items(s, i);
	item(s, "MD5 password", "%s", p->conf.password[0] ? "set" : "");
	if (p->conf.ttl_security)
		item(s, "TTL security", "%u hops", p->conf.ttl_security);
	bfd_items(s, p);
	if (p->up && p->family[BGP_RTC].active)
		item(s, "route target memberships", "%u%s", bgp_rtc_count(p),
		     p->rtc.complete ? "" : ": VPN routes wait for the rest of them");
}

static void family_items(struct items *s, const struct bgp_peer_family *pf)
{
	const struct bgp_peer *p = pf->peer;
	char name[48];

	snprintf(name, sizeof(name), "%s", bgp_family_name(pf->family));
	item(s, name, "%s%s%s%s%s%s%s: %u received, %u advertised",
	     pf->active ? "negotiated" : "not negotiated", pf->disabled ? ", disabled" : "",
	     pf->active && p->info.agreed.addpath_rx[pf->family] ? ", additional paths received" : "",
	     pf->stale ? ", stale routes kept" : "", pf->refreshing_in ? ", refresh under way" : "",
	     pf->eor_received ? ", End-of-RIB received" : "",
	     pf->eor_sent ? ", End-of-RIB sent" : "", pf->has_source ? pf->source.count : 0,
	     bgp_family_advertised(pf));
	item(s, "policy", "%s: in %s, out %s", name,
	     pf->in ? policy_name(pf->in) : bgp_policy_missing(pf, false) ? "missing: nothing is taken" : "none",
	     pf->out ? policy_name(pf->out) : bgp_policy_missing(pf, true) ? "missing: nothing is told" : "none");
	if (bgp_family_vpn(pf->family) && pf->active)
		item(s, "routes kept", "%s: %s", name, bgp_kept_str(bgp_retain_why(pf)));
	if (p->conf.af[pf->family].limit.most)
		item(s, "maximum prefixes", "%s: %u of %u", name, pf->has_source ? pf->source.count : 0,
		     p->conf.af[pf->family].limit.most);
	if (bgp_group_of(pf))
		item(s, "update group", "%s: %u%s", name, bgp_group_of(pf),
		     pf->syncing || pf->walking ? ", catching up" : pf->needs_eor ? ", not all told yet" : "");
	for (int why = 0; why < BGP_REFUSALS; why++) {
		if (pf->refused[why])
			item(s, "refused", "%s: %u: %s", name, pf->refused[why], bgp_refused_str(why));
	}
}

/* All items of a neighbour at once: their number is bounded. */
static enum mgmt_next show_neighbors(struct mgmt_request *req, void *arg)
{
	const struct show_env *env = arg;
	struct bgp_peer_cursor *at = mgmt_state(req, sizeof(*at), NULL);
	struct bgp_session_info i;
	char name[BGP_PEER_TEXT];
	struct bgp_peer *p;

	while ((p = bgp_peer_walk(env->bgp, at))) {
		struct items s = { .req = req, .vrf = p->conf.vrf, .room = true };

		if (!bgp_chosen(mgmt_input(req), p))
			continue;
		s.neighbor = bgp_peer_text(p, name, sizeof(name));
		memset(&i, 0, sizeof(i));
		if (p->session)
			bgp_session_info(p->session, &i);
		session_items(&s, p, &i);
		for (int f = 0; f < BGP_FAMILIES; f++) {
			if (p->conf.af[f].on)
				family_items(&s, &p->family[f]);
		}
		if (!s.room)
			return MGMT_AGAIN;
	}
	return MGMT_DONE;
}

/* ---- show bgp refused-routes ---- */

static enum mgmt_next show_refused(struct mgmt_request *req, void *arg)
{
	struct bgp_peer_family *pf = bgp_find_family(req, arg);
	char text[RD_STRLEN > PREFIX_STRLEN ? RD_STRLEN : PREFIX_STRLEN];
	struct bgp_refusal r;

	for (unsigned int i = 0; pf && bgp_refusal_at(pf, i, &r); i++) {
		json_t *row = json_object();

		if (bgp_family_vpn(pf->family))
			bgp_put(row, "rd", rd_str(&r.rd, text));
		bgp_put(row, "prefix", prefix_str(&r.prefix, text));
		bgp_put(row, "reason", bgp_refused_str(r.why));
		bgp_put_number(row, "ago", clock_seconds() - r.when);
		mgmt_row(req, row);
	}
	return MGMT_DONE;
}

/* ---- show bgp update-group ---- */

#define NAMED 8		/* members */

static const char *kind_text(const struct bgp_group_info *i, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s%s%s%s%s%s", i->internal ? "internal" : "external", i->client ? " client" : "",
		 i->unchanged ? " next-hop-unchanged" : "", i->several ? " additional-paths" : "",
		 i->as4 ? "" : " two-octet-as", i->walking ? " walking" : "", i->mute ? " mute" : "");
	return buf;
}

/* The first members' names; *has: one of them all is called @want. */
static void members_text(const struct bgp *b, uint32_t index, const char *want, bool *has, char *buf, size_t size)
{
	const struct bgp_peer_family *pf = NULL;
	char name[BGP_PEER_TEXT];
	size_t used = 0;

	buf[0] = '\0';
	*has = !want;
	for (unsigned int n = 0; (pf = bgp_group_member(b, index, pf)); n++) {
		bgp_peer_text(pf->peer, name, sizeof(name));
		*has |= want && !strcmp(want, name);
		if (n < NAMED && used < size)
			used += (size_t)snprintf(buf + used, size - used, "%s%s", n ? " " : "", name);
		else if (n == NAMED && used < size)
			snprintf(buf + used, size - used, " ...");
	}
}

static json_t *group_row(const struct show_env *env, const struct bgp_group_info *i, const char *members)
{
	const struct vrf *v = i->vrf ? vrf_by_id(env->vrfs, i->vrf) : NULL;
	json_t *row = json_object();
	char text[128];

	bgp_put_number(row, "index", i->index);
	bgp_put(row, "family", bgp_family_name(i->family));
	bgp_put(row, "vrf", v ? v->name : "");
	bgp_put_number(row, "members", i->members);
	bgp_put_number(row, "waiting", i->waiting);
	bgp_put_number(row, "told", i->told);
	bgp_put_number(row, "pending", i->pending);
	bgp_put_number(row, "messages", i->messages);
	bgp_put(row, "policy", i->policy);
	bgp_put(row, "next-hop", addr_str(&i->nexthop, text));
	bgp_put(row, "kind", kind_text(i, text, sizeof(text)));
	bgp_put(row, "neighbors", members);
	return row;
}

static enum mgmt_next show_groups(struct mgmt_request *req, void *arg)
{
	const char *want = conf_str(mgmt_input(req), "neighbor", NULL);
	uint32_t *at = mgmt_state(req, sizeof(*at), NULL);
	const struct show_env *env = arg;
	char members[NAMED * BGP_PEER_TEXT];
	struct bgp_group_info i;
	bool has;

	while (bgp_group_walk(env->bgp, *at, &i)) {
		*at = i.index;
		members_text(env->bgp, i.index, want, &has, members, sizeof(members));
		if (has && !mgmt_row(req, group_row(env, &i, members)))
			return MGMT_AGAIN;
	}
	return MGMT_DONE;
}

void show_bgp_neighbor_register(struct mgmt *mgmt, const struct show_env *env)
{
	mgmt_register(mgmt, "show-bgp-neighbors", show_neighbors, (void *)env);
	mgmt_register(mgmt, "show-bgp-refused", show_refused, (void *)env);
	mgmt_register(mgmt, "show-bgp-update-group", show_groups, (void *)env);
}
