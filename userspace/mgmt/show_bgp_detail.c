// SPDX-License-Identifier: GPL-2.0
/* show bgp ... detail: all that is known of a prefix and of each of its paths. Contracts in show_bgp.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bgp/look.h"
#include "mgmt/show_bgp.h"
#include "vrf/vrf.h"

#define REASONS 16		/* told apart, of those who are not told */

struct detail {
	struct mgmt_request *req;
	const struct rib_net *net;
	unsigned int path;		/* 0: of the net */
	bool room;
};

static void item(struct detail *d, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Nothing where there is no value. */
static void item(struct detail *d, const char *name, const char *fmt, ...)
{
	char value[BGP_WORDS];
	json_t *row;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	if (!value[0])
		return;
	row = json_object();
	bgp_put_net(row, d->net);
	if (d->path)
		bgp_put_number(row, "path", d->path);
	bgp_put(row, "item", name);
	bgp_put(row, "value", value);
	d->room = mgmt_row(d->req, row);
}

/* ---- of the net ---- */

/* Neighbours that are told, or not told for the same reason. */
struct those {
	const char *why;		/* NULL: they are told */
	const struct bgp_peer_family *last;
	unsigned int n;
	size_t used;
	char text[1024];
};

struct audience_text {
	struct those those[REASONS];
	unsigned int n;
};

static void add_neighbor(const struct bgp_told *told, void *arg)
{
	struct audience_text *a = arg;
	struct those *t = a->those;
	char name[BGP_PEER_TEXT];

	while (t < a->those + a->n && t->why != told->why)
		t++;
	if (t == a->those + REASONS)
		return;
	if (t == a->those + a->n) {
		a->n++;
		t->why = told->why;
	}
	/* several paths told to the same one come one behind another */
	if (t->last == told->to)
		return;
	t->last = told->to;
	t->n++;
	bgp_peer_text(told->to->peer, name, sizeof(name));
	if (t->used + strlen(name) + 2 < sizeof(t->text))
		t->used += (size_t)sprintf(t->text + t->used, "%s%s", t->used ? " " : "", name);
}

static void say_audience(struct detail *d, const struct show_env *env, struct rib_net *net)
{
	struct audience_text a = { .n = 0 };

	bgp_told_each(env->bgp, net, add_neighbor, &a);
	for (unsigned int i = 0; i < a.n; i++) {
		const struct those *t = &a.those[i];

		if (t->why)
			item(d, "not advertised", "%u: %s: %s", t->n, t->why, t->text);
		else
			item(d, "advertised to", "%u: %s", t->n, t->text);
	}
}

static bool imported_from(const struct rib_table *t, const struct rib_net *origin, const struct prefix *p)
{
	const struct rib_net *net = rib_find(t, NULL, p);

	for (const struct rib_route *r = net ? rib_routes(net) : NULL; r; r = r->next) {
		if (rib_route_origin(r) == origin)
			return true;
	}
	return false;
}

static void say_imports(struct detail *d, const struct show_env *env, const struct rib_net *net)
{
	struct prefix p = rib_net_prefix(net);
	enum afi afi = family_afi(p.addr.family);
	const struct vrf *v = NULL;
	unsigned int n = 0;
	char text[1024];
	size_t used = 0;

	if (rib_table_kind(rib_net_table(net)) != RIB_TABLE_VPN)
		return;
	while ((v = vrf_next(env->vrfs, v))) {
		if (!imported_from(v->af[afi].table, net, &p))
			continue;
		n++;
		if (used + sizeof(v->name) + 2 < sizeof(text))
			used += (size_t)sprintf(text + used, "%s%s", used ? " " : "", v->name);
	}
	if (n)
		item(d, "imported into", "%u: %s", n, text);
	else
		item(d, "imported into", "no VRF");
	while ((v = vrf_next(env->vrfs, v))) {
		if (vrf_import_refused(&v->af[afi], net))
			item(d, "waits for room in", "VRF %s: it has its maximum of %u prefixes", v->name,
			     v->af[afi].limit);
	}
}

static void say_net(struct detail *d, const struct show_env *env, struct rib_net *net)
{
	struct rib_route *best = rib_best(net);
	unsigned int n = 0;

	for (struct rib_route *r = rib_routes(net); r; r = r->next)
		n++;
	item(d, "paths", best ? "%u" : "%u, none can be used", n);
	say_imports(d, env, net);
	say_audience(d, env, net);
}

/* ---- of a path ---- */

static void say_source(struct detail *d, const struct rib_route *r)
{
	const struct rib_source *s = rib_route_peer(r);
	const struct rib_net *origin = rib_route_origin(r);
	struct ip_addr id = addr_v4(s->router_id);
	char text[ADDR_STRLEN], rd[RD_STRLEN], ago[BGP_AGO_TEXT];

	if (s->is_bgp && !s->is_local)
		item(d, "from", "%s (%s), %s", s->name, addr_str(&id, text), s->is_ibgp ? "internal" : "external");
	else
		item(d, "from", "%s", s->name ? s->name : s->proto->name);
	if (origin)
		item(d, "imported from", "%s", rib_net_rd(origin) ? rd_str(rib_net_rd(origin), rd) : "");
	item(d, "last change", "%s ago", bgp_ago(clock_seconds() - r->when, ago, sizeof(ago)));
	if (r->path_id && r->source->proto == &bgp_proto)
		item(d, "path identifier", "%u", r->path_id);
	if (rib_route_stale(r))
		item(d, "stale", "kept over a restart of the neighbor, or while it tells its routes again");
}

static void say_next_hop(struct detail *d, const struct rib_route *r)
{
	char text[256];

	if (nexthop_usable(r->nh))
		item(d, "next hop", "%s, metric %u", nexthop_str(r->nh, text, sizeof(text)), r->nh->metric);
	else
		item(d, "next hop", "%s: %s", nexthop_str(r->nh, text, sizeof(text)),
		     nexthop_reason_str(r->nh->reason));
	if (r->label != RIB_LABEL_NONE)
		item(d, "label", "%u", r->label);
}

static void say_numbers(struct detail *d, const struct attrs *a)
{
	struct ip_addr addr;
	char text[ADDR_STRLEN];

	item(d, "local preference", "%u%s", attrs_local_pref(a), a->f.flags & ATTRS_HAS_LOCAL_PREF ? "" : " (default)");
	if (a->f.flags & ATTRS_HAS_MED)
		item(d, "MED", "%u", a->f.med);
	if (a->f.flags & ATTRS_ATOMIC_AGGREGATE)
		item(d, "atomic aggregate", "yes");
	if (a->f.flags & ATTRS_HAS_AGGREGATOR) {
		addr = addr_v4(a->f.aggregator_addr);
		item(d, "aggregator", "AS %u, %s", a->f.aggregator_as, addr_str(&addr, text));
	}
	if (a->f.flags & ATTRS_HAS_ORIGINATOR) {
		addr = addr_v4(a->f.originator_id);
		item(d, "originator", "%s", addr_str(&addr, text));
	}
}

/* Whole attributes that this speaker only passes on (struct attrs: ATTRS_UNKNOWN). */
static void say_unknown(struct detail *d, const struct attrs *a)
{
	uint16_t len, at = 0, n;
	const uint8_t *p = attrs_part(a, ATTRS_UNKNOWN, &len);
	char text[256];

	for (; at + 4 <= len; at += 4 + n) {
		size_t used = 0;

		n = (uint16_t)(p[at + 2] << 8 | p[at + 3]);
		for (uint16_t i = 0; i < n && used + 6 < sizeof(text); i++)
			used += (size_t)sprintf(text + used, "%02x%s", p[at + 4 + i],
						used + 9 >= sizeof(text) && i + 1 < n ? "..." : "");
		item(d, "unknown attribute", "type %u, flags 0x%02x, %u octets%s%s", p[at + 1], p[at], n, n ? ": " : "",
		     n ? text : "");
	}
}

static void say_attrs(struct detail *d, const struct attrs *a)
{
	char text[BGP_WORDS];

	attrs_path_str(a, text, sizeof(text));
	item(d, "AS path", "%s", text[0] ? text : "empty");
	item(d, "origin", "%s", bgp_origin_text(a));
	say_numbers(d, a);
	item(d, "cluster list", "%s", bgp_clusters_text(a, text, sizeof(text)));
	item(d, "communities", "%s", bgp_communities_text(a, text, sizeof(text)));
	item(d, "large communities", "%s", bgp_large_text(a, text, sizeof(text)));
	item(d, "route targets", "%s", bgp_targets_text(a, text, sizeof(text)));
	item(d, "extended communities", "%s", bgp_ext_text(a, text, sizeof(text)));
	say_unknown(d, a);
}

bool bgp_say_detail(struct mgmt_request *req, const struct show_env *env, struct rib_net *net,
		    const struct rib_route *r, unsigned int n)
{
	struct detail d = { .req = req, .net = net, .path = n, .room = true };
	char label[16];

	if (!r) {
		say_net(&d, env, net);
		return d.room;
	}
	item(&d, "best", "%s", rib_best(net) == r ? "yes" : rib_reason_str(r->reason));
	say_source(&d, r);
	say_next_hop(&d, r);
	item(&d, "local label", "%s", bgp_local_label(env, net, r, label, sizeof(label)) ?: "");
	if (r->attrs)
		say_attrs(&d, r->attrs);
	return d.room;
}
