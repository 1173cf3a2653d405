// SPDX-License-Identifier: GPL-2.0
/*
 * show bgp ... of tables: routes in slices, by the index that leads to the fewest. Contracts in show_bgp.h.
 */
#include <stdio.h>
#include <string.h>

#include "bgp/lu.h"
#include "mgmt/show_bgp.h"
#include "rib/targets.h"
#include "vrf/rd.h"

#define SLICE_US 5000
#define LOOK_AT_CLOCK 64	/* routes between two looks at it */
#define FEW 8			/* a source has fewer than one of so many routes: its own list leads */

/* ---- rows ---- */

void bgp_put_net(json_t *row, const struct rib_net *net)
{
	const struct rd *rd = rib_net_rd(net);
	struct prefix prefix = rib_net_prefix(net);
	char text[PREFIX_STRLEN], rd_text[RD_STRLEN], membership[64];

	if (rd)
		bgp_put(row, "rd", rd_str(rd, rd_text));
	if (rib_table_kind(rib_net_table(net)) == RIB_TABLE_MEMBERSHIPS)
		bgp_put(row, "prefix", bgp_membership_text(&prefix, membership, sizeof(membership)));
	else
		bgp_put(row, "prefix", prefix_str(&prefix, text));
}

void bgp_put_attrs(json_t *row, const struct attrs *a)
{
	char text[BGP_WORDS];

	bgp_put(row, "as-path", attrs_path_str(a, text, sizeof(text)));
	bgp_put(row, "origin", bgp_origin_text(a));
	if (a->f.flags & ATTRS_HAS_LOCAL_PREF)
		bgp_put_number(row, "local-preference", a->f.local_pref);
	if (a->f.flags & ATTRS_HAS_MED)
		bgp_put_number(row, "med", a->f.med);
	bgp_put(row, "route-targets", bgp_targets_text(a, text, sizeof(text)));
	bgp_put(row, "communities", bgp_communities_text(a, text, sizeof(text)));
}

static void put_standing(json_t *row, const struct rib_net *net, const struct rib_route *r)
{
	bgp_put(row, "best", rib_best(net) == r ? "yes" : rib_reason_str(r->reason));
	bgp_put(row, "from", r->source->name ? r->source->name : r->source->proto->name);
}

json_t *bgp_route_row(const struct rib_net *net, const struct rib_route *r)
{
	json_t *row = json_object();
	char text[128];

	bgp_put_net(row, net);
	if (r->path_id && r->source->proto == &bgp_proto)
		bgp_put_number(row, "path-id", r->path_id);
	put_standing(row, net, r);
	bgp_put(row, "next-hop", nexthop_str(r->nh, text, sizeof(text)));
	if (!nexthop_usable(r->nh))
		bgp_put(row, "next-hop-state", nexthop_reason_str(r->nh->reason));
	if (r->label != RIB_LABEL_NONE)
		bgp_put_number(row, "label", r->label);
	if (r->attrs)
		bgp_put_attrs(row, r->attrs);
	if (rib_route_stale(r))
		bgp_put(row, "stale", "yes");
	return row;
}

static bool say_row(struct mgmt_request *req, const struct show_env *env, struct rib_net *net,
		    const struct rib_route *r, unsigned int n)
{
	return !r || mgmt_row(req, bgp_route_row(net, r));
}

const char *bgp_local_label(const struct show_env *env, const struct rib_net *net, const struct rib_route *r, char *buf,
			    size_t size)
{
	const struct rib_table *t = rib_net_table(net);
	const char *why;
	uint32_t label;

	if (rib_table_kind(t) != RIB_TABLE_LABELLED || rib_best(net) != r)
		return NULL;
	if (!bgp_lu_label_get(env->bgp->lu[family_afi(rib_table_family(t))], net, &label, &why))
		return why;
	snprintf(buf, size, "%u", label);
	return label == 3 ? "implicit-null" : label < 16 ? "explicit-null" : buf;
}

static bool say_labelled(struct mgmt_request *req, const struct show_env *env, struct rib_net *net,
			 const struct rib_route *r, unsigned int n)
{
	char text[16];
	json_t *row;

	if (!r)
		return true;
	row = bgp_route_row(net, r);
	bgp_put(row, "local-label", bgp_local_label(env, net, r, text, sizeof(text)));
	return mgmt_row(req, row);
}

static bool say_membership(struct mgmt_request *req, const struct show_env *env, struct rib_net *net,
			   const struct rib_route *r, unsigned int n)
{
	struct prefix p = rib_net_prefix(net);
	char text[64];
	json_t *row;

	if (!r)
		return true;
	row = json_object();
	if (p.len) {
		snprintf(text, sizeof(text), "%u", (uint32_t)p.addr.b[0] << 24 | (uint32_t)p.addr.b[1] << 16 |
			 (uint32_t)p.addr.b[2] << 8 | p.addr.b[3]);
		bgp_put(row, "origin-as", text);
	}
	bgp_put(row, "route-target", bgp_wanted_text(&p, text, sizeof(text)));
	bgp_put_number(row, "bits", p.len);
	put_standing(row, net, r);
	if (r->attrs) {
		char path[BGP_WORDS];

		bgp_put(row, "as-path", attrs_path_str(r->attrs, path, sizeof(path)));
	}
	if (rib_route_stale(r))
		bgp_put(row, "stale", "yes");
	return mgmt_row(req, row);
}

/* ---- the stream ---- */

enum walk_by { BY_NETS, BY_PREFIX, BY_TARGET, BY_SOURCE };

struct bgp_stream {
	bool begun;
	enum walk_by by;
	struct bgp_filter filter;
	struct prefix within;			/* BY_NETS */
	struct rib_cursor at;
	struct rib_target_walk targets;
	struct rib_source_walk source;
};

static void stream_destroy(void *state)
{
	struct bgp_stream *st = state;

	if (!st->begun)
		return;
	if (st->by == BY_TARGET)
		rib_target_walk_end(&st->targets);
	if (st->by == BY_SOURCE)
		rib_source_walk_end(&st->source);
	bgp_filter_free(&st->filter);
}

/* The neighbour's own source in this table, NULL: none, or it is not worth it. */
static const struct rib_source *few_of(const struct show_env *env, const struct bgp_stream *st,
				       const struct rib_table *t)
{
	const struct vrf *v = vrf_by_id(env->vrfs, rib_table_vrf(t));
	struct bgp_peer *p;

	/* imported copies have another source than what they were made from */
	if (!st->filter.has_neighbor || rib_table_kind(t) == RIB_TABLE_VRF)
		return NULL;
	p = bgp_peer_find(env->bgp, v ? v->name : "", &st->filter.neighbor);
	for (int f = 0; p && f < BGP_FAMILIES; f++) {
		if (p->family[f].has_source && p->family[f].source.table == t)
			return &p->family[f].source;
	}
	return NULL;
}

static bool is_few(const struct rib_source *s, const struct rib_table *t)
{
	return s && s->count < rib_table_routes(t) / FEW;
}

static void choose(struct bgp_stream *st, const struct show_env *env, struct rib_table *t,
		   const struct rib_source *source)
{
	const struct bgp_filter *f = &st->filter;
	bool vpn = rib_table_kind(t) == RIB_TABLE_VPN;
	const struct rib_source *few = source ? source : few_of(env, st, t);

	st->within = f->has_prefix ? f->prefix : (struct prefix){ .addr.family = rib_table_family(t) };
	if (f->has_prefix && !f->longer) {
		st->by = BY_PREFIX;
	} else if (vpn && f->has_target && !f->has_rd) {
		st->by = BY_TARGET;
		rib_target_walk_init(&st->targets, t);
		rib_target_walk_add(&st->targets, f->target);
	} else if (!f->has_prefix && !f->has_rd && is_few(few, t)) {
		st->by = BY_SOURCE;
		rib_source_walk_init(&st->source, few);
	}
}

static struct rib_net *by_prefix(struct bgp_stream *st, struct rib_table *t)
{
	const struct bgp_filter *f = &st->filter;
	bool first = !st->at.started;

	if (rib_table_kind(t) == RIB_TABLE_VPN && !f->has_rd)
		return rib_walk_prefix(t, &f->prefix, &st->at);
	st->at.started = true;
	if (!first)
		return NULL;
	if (rib_table_kind(t) != RIB_TABLE_VPN && f->lookup)
		return rib_lookup(t, &f->prefix.addr);
	return rib_find(t, f->has_rd ? &f->rd : NULL, &f->prefix);
}

static struct rib_net *next_net(struct bgp_stream *st, struct rib_table *t)
{
	if (st->by == BY_PREFIX)
		return by_prefix(st, t);
	return rib_walk_within(t, st->filter.has_rd ? &st->filter.rd : NULL, &st->within, &st->at);
}

static bool takes(const struct bgp_stream *st, const struct rib_source *source, const struct rib_route *r)
{
	return (!source || r->source == source) && bgp_filter_takes(&st->filter, r);
}

struct saying {
	struct mgmt_request *req;
	const struct show_env *env;
	const struct rib_source *source;
	bgp_say say;
};

/* All routes of a net at once: they are as many as sources. */
static bool say_net(const struct bgp_stream *st, const struct saying *s, struct rib_net *net)
{
	bool room = true, said = false;
	unsigned int n = 1;

	for (struct rib_route *r = rib_routes(net); r; r = r->next, n++) {
		if (!takes(st, s->source, r))
			continue;
		if (!said)
			room = s->say(s->req, s->env, net, NULL, 0);
		said = true;
		room &= s->say(s->req, s->env, net, r, n);
	}
	return room;
}

static bool say_route(const struct bgp_stream *st, const struct saying *s, struct rib_route *r)
{
	unsigned int n = 1;

	if (!takes(st, s->source, r))
		return true;
	for (struct rib_route *before = rib_routes(r->net); before && before != r; before = before->next)
		n++;
	return s->say(s->req, s->env, r->net, r, n);
}

/* False: the end. */
static bool step(struct bgp_stream *st, const struct saying *s, struct rib_table *t, bool *room)
{
	struct rib_route *r;
	struct rib_net *net;

	if (st->by == BY_NETS || st->by == BY_PREFIX) {
		net = next_net(st, t);
		if (net)
			*room = say_net(st, s, net);
		return net;
	}
	r = st->by == BY_TARGET ? rib_target_walk_next_route(&st->targets) :
				  rib_source_walk_next(&st->source, s->env->rib);
	if (r)
		*room = say_route(st, s, r);
	return r;
}

enum mgmt_next bgp_stream(struct mgmt_request *req, const struct show_env *env, struct rib_table *t,
			  const struct rib_source *source, bgp_say say)
{
	struct bgp_stream *st = mgmt_state(req, sizeof(*st), stream_destroy);
	const struct saying s = { .req = req, .env = env, .source = source, .say = say };
	uint64_t end = clock_us() + SLICE_US;
	bool room = true;

	if (!st->begun) {
		if (!bgp_filter_read(req, rib_table_family(t), &st->filter))
			return MGMT_DONE;
		/* a neighbor's own routes: it is named by @source already */
		st->filter.has_neighbor &= !source;
		choose(st, env, t, source);
		st->begun = true;
	}
	for (unsigned int i = 1; room; i++) {
		if (!step(st, &s, t, &room))
			return MGMT_DONE;
		if (!(i % LOOK_AT_CLOCK) && clock_us() > end)
			break;
	}
	return MGMT_AGAIN;
}

/* ---- tables ---- */

static enum mgmt_next show_table(struct mgmt_request *req, const struct show_env *env, struct rib_table *t, bgp_say say)
{
	return t ? bgp_stream(req, env, t, NULL, say) : MGMT_DONE;
}

static enum mgmt_next show_vrf(struct mgmt_request *req, const struct show_env *env, bgp_say say)
{
	const struct lyd_node *in = mgmt_input(req);
	const char *name = conf_str(in, "vrf", "");
	uint8_t family = strcmp(conf_str(in, "family", "ipv4"), "ipv6") ? AF_INET : AF_INET6;
	const struct vrf *v = vrf_find(env->vrfs, name);

	if (!v)
		return mgmt_error(req, MGMT_NOT_FOUND, "vrf", "there is no VRF %s", name);
	return bgp_stream(req, env, v->af[family_afi(family)].table, NULL, say);
}

#define HANDLER(name, table, say)								\
static enum mgmt_next name(struct mgmt_request *req, void *arg)					\
{												\
	const struct show_env *env = arg;							\
												\
	return show_table(req, env, table, say);						\
}

HANDLER(show_vpnv4, rib_table_vpn(env->rib, AF_INET), say_row)
HANDLER(show_vpnv6, rib_table_vpn(env->rib, AF_INET6), say_row)
HANDLER(show_labelled4, rib_table_labelled(env->rib, AF_INET), say_labelled)
HANDLER(show_labelled6, rib_table_labelled(env->rib, AF_INET6), say_labelled)
HANDLER(show_vpnv4_detail, rib_table_vpn(env->rib, AF_INET), bgp_say_detail)
HANDLER(show_vpnv6_detail, rib_table_vpn(env->rib, AF_INET6), bgp_say_detail)
HANDLER(show_labelled4_detail, rib_table_labelled(env->rib, AF_INET), bgp_say_detail)
HANDLER(show_labelled6_detail, rib_table_labelled(env->rib, AF_INET6), bgp_say_detail)
HANDLER(show_memberships, rib_table_memberships(env->rib), say_membership)

static enum mgmt_next show_vrf_rows(struct mgmt_request *req, void *arg)
{
	return show_vrf(req, arg, say_row);
}

static enum mgmt_next show_vrf_detail(struct mgmt_request *req, void *arg)
{
	return show_vrf(req, arg, bgp_say_detail);
}

/* ---- one neighbour's routes ---- */

static bool family_named(const struct bgp_peer_family *pf, const char *name)
{
	static const char *const names[BGP_FAMILIES] = {
		"ipv4", "ipv6", "vpnv4", "vpnv6", "ipv4-labeled-unicast", "ipv6-labeled-unicast",
		"ipv4-rt-filter",
	};

	return pf->has_source && (!name || !strcmp(names[pf->family], name));
}

struct bgp_peer_family *bgp_find_family(struct mgmt_request *req, const struct show_env *env)
{
	const struct lyd_node *in = mgmt_input(req);
	const char *family = conf_str(in, "family", NULL);
	struct bgp_peer *p = NULL;

	while ((p = bgp_peer_next(env->bgp, p))) {
		if (!bgp_chosen(in, p) || (!conf_str(in, "vrf", NULL) && p->conf.vrf[0]))
			continue;
		for (int f = 0; f < BGP_FAMILIES; f++) {
			if (family_named(&p->family[f], family))
				return &p->family[f];
		}
		mgmt_error(req, MGMT_NOT_FOUND, "family", "%s is not configured with this neighbor",
			   family ? family : "an address family");
		return NULL;
	}
	mgmt_error(req, MGMT_NOT_FOUND, "neighbor", "there is no neighbor %s%s%s",
		   conf_str(in, "neighbor", ""), conf_str(in, "vrf", NULL) ? " in VRF " : "",
		   conf_str(in, "vrf", ""));
	return NULL;
}

static enum mgmt_next show_received(struct mgmt_request *req, void *arg)
{
	struct bgp_peer_family *pf = bgp_find_family(req, arg);

	return pf ? bgp_stream(req, arg, pf->source.table, &pf->source, say_row) : MGMT_DONE;
}

static enum mgmt_next show_advertised(struct mgmt_request *req, void *arg)
{
	struct bgp_peer_family *pf = bgp_find_family(req, arg);
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
		bgp_put_net(row, net);
		if (at->path_id)
			bgp_put_number(row, "path-id", at->path_id);
		bgp_put(row, "next-hop", addr_str(&nexthop, text));
		if (bgp_family_labelled(pf->family))
			bgp_put_number(row, "label", at->label);
		bgp_put_attrs(row, at->attrs);
		if (!mgmt_row(req, row))
			return MGMT_AGAIN;
	}
	return MGMT_DONE;
}

void show_bgp_route_register(struct mgmt *mgmt, const struct show_env *env)
{
	static const struct {
		const char *rpc;
		mgmt_handler handler;
	} all[] = {
		{ "show-bgp-vpnv4", show_vpnv4 }, { "show-bgp-vpnv4-detail", show_vpnv4_detail },
		{ "show-bgp-vpnv6", show_vpnv6 }, { "show-bgp-vpnv6-detail", show_vpnv6_detail },
		{ "show-bgp-ipv4-labeled", show_labelled4 }, { "show-bgp-ipv4-labeled-detail", show_labelled4_detail },
		{ "show-bgp-ipv6-labeled", show_labelled6 }, { "show-bgp-ipv6-labeled-detail", show_labelled6_detail },
		{ "show-bgp-vrf", show_vrf_rows }, { "show-bgp-vrf-detail", show_vrf_detail },
		{ "show-bgp-rt-filter", show_memberships },
		{ "show-bgp-received", show_received }, { "show-bgp-advertised", show_advertised },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		mgmt_register(mgmt, all[i].rpc, all[i].handler, (void *)env);
}
