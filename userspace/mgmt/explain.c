// SPDX-License-Identifier: GPL-2.0
/*
 * mgmt/explain.c: explain vrf NAME prefix P. Follows a prefix through the daemon as packets will
 * later follow the result: received, route target matched, best, next hop, transport,
 * label, entry in forwarding. The first step that fails is the verdict.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bgp/peer.h"
#include "dataplane/sync.h"
#include "labels/labels.h"
#include "mgmt/show.h"
#include "rib/lsp.h"
#include "vrf/vrf.h"

#define TEXT	1024
#define NETS_MAX 16			/* RDs that are listed */

struct explain {
	struct mgmt_request *req;
	const struct show_env *env;
	const struct vrf *vrf;
	const struct vrf_af *af;
	struct prefix prefix;
	const struct rib_route *route;	/* the one that is followed */
	bool failed;
	char verdict[TEXT];
};

static void step(struct explain *x, const char *name, const char *result, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void step(struct explain *x, const char *name, const char *result, const char *fmt, ...)
{
	json_t *row = json_object();
	char text[TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_object_set_new(row, "step", json_string(name));
	json_object_set_new(row, "result", json_string(result));
	json_object_set_new(row, "detail", json_string(text));
	mgmt_row(x->req, row);
	if (strcmp(result, "failed") || x->failed)
		return;
	x->failed = true;
	/* the detail is cut rather than the step */
	snprintf(x->verdict, sizeof(x->verdict), "%s: %.900s", name, text);
}

/* ---- received ---- */

static void targets_text(const struct attrs *a, char *buf, size_t size)
{
	uint16_t len = 0, at;
	const uint8_t *ext = a ? attrs_part(a, ATTRS_EXT, &len) : NULL;
	char one[RT_STRLEN];
	size_t used = 0;
	struct rt rt;

	snprintf(buf, size, "none");
	for (at = 0; at < len && used < size; at += 8) {
		if (!rt_is_target(ext + at))
			continue;
		memcpy(rt.b, ext + at, 8);
		used += snprintf(buf + used, size - used, "%s%s", used ? " " : "", rt_str(&rt, one));
	}
}

struct match {
	const struct vrf_import *importer;
	char text[256];
	size_t used;
};

static void on_match(void *member, const struct rt *rt, void *arg)
{
	struct match *m = arg;
	char one[RT_STRLEN];

	if (member == m->importer && m->used < sizeof(m->text))
		m->used += snprintf(m->text + m->used, sizeof(m->text) - m->used, "%s%s",
				    m->used ? " " : "", rt_str(rt, one));
}

static bool matches(const struct explain *x, const struct rib_route *r, struct match *m)
{
	m->importer = x->af->importer;
	m->used = 0;
	m->text[0] = 0;
	if (r->source->vrf != x->vrf->id)
		rt_index_match(vrfs_rt_index(x->env->vrfs, x->af->family), r->attrs, on_match, m);
	return m->used;
}

static void received_one(struct explain *x, const struct rib_route *r)
{
	char rd[RD_STRLEN], nh[128];

	step(x, "received", "ok", "%s from %s, %s, label %u", rd_str(rib_net_rd(r->net), rd),
	     r->source->name, nexthop_str(r->nh, nh, sizeof(nh)), r->label);
}

static bool has_routes(const struct explain *x)
{
	const struct rib_net *net = rib_find(x->af->table, NULL, &x->prefix);

	return net && rib_routes(net);
}

/* A path of a net: what it carries, and whether the VRF takes that. */
static bool targets_one(struct explain *x, const struct rib_route *r)
{
	char rts[512], rd[RD_STRLEN];
	struct match m;

	rd_str(rib_net_rd(r->net), rd);
	if (!vrf_can_import(r)) {
		step(x, "label", "-", "%s from %s: %u is reserved and leads into no VRF: not imported", rd,
		     r->source->name, r->label);
		return false;
	}
	if (matches(x, r, &m)) {
		step(x, "route target", "ok", "%s from %s: imported for %s", rd, r->source->name, m.text);
		if (vrf_import_refused(x->af, r->net))
			step(x, "maximum prefix", has_routes(x) ? "-" : "failed",
			     "%s from %s: it waits for room: the table has its maximum of %u prefixes", rd,
			     r->source->name, x->af->limit);
		return true;
	}
	targets_text(r->attrs, rts, sizeof(rts));
	step(x, "route target", "-", "%s from %s: carries %s, none is imported here", rd, r->source->name, rts);
	return false;
}

/* What came by VPN: tells each, matches route targets; the followed route if none is in the VRF. */
static void from_vpn(struct explain *x, unsigned int *nets, unsigned int *imported)
{
	struct rib_table *t = rib_table_vpn(x->env->rib, x->af->family);
	const struct rib_route *r;
	struct rib_cursor c = { 0 };
	struct rib_net *net;
	unsigned int told;

	while ((net = rib_walk_prefix(t, &x->prefix, &c)) && *nets < NETS_MAX) {
		for (told = 0, r = rib_routes(net); r; r = r->next) {
			if (r->source->vrf == x->vrf->id)
				continue;
			received_one(x, r);
			told++;
			if (!targets_one(x, r))
				continue;
			++*imported;
			if (!x->route)
				x->route = r;
		}
		*nets += told > 0;
	}
}

static void local_routes(struct explain *x, const struct rib_net *net, unsigned int *local)
{
	const struct rib_route *r;
	char nh[128];

	for (r = net ? rib_routes(net) : NULL; r; r = r->next) {
		if (r->flags & RIB_ROUTE_IMPORTED)
			continue;
		++*local;
		step(x, "received", "ok", "%s from %s, %s", r->source->proto->name,
		     r->source->name, nexthop_str(r->nh, nh, sizeof(nh)));
	}
}

/* Some neighbour told VPN routes that are not kept for want of a VRF that imports them. */
static bool missed_some(const struct explain *x)
{
	enum bgp_family f = x->af->family == AF_INET ? BGP_VPNV4 : BGP_VPNV6;
	const struct bgp_peer *p = NULL;

	while (x->env->bgp && (p = bgp_peer_next(x->env->bgp, p)))
		if (p->family[f].missed)
			return true;
	return false;
}

static bool find_routes(struct explain *x, const struct rib_net *net)
{
	unsigned int nets = 0, imported = 0, local = 0;
	char buf[PREFIX_STRLEN];

	local_routes(x, net, &local);
	from_vpn(x, &nets, &imported);
	if (!nets && !local)
		step(x, "received", "failed", "nobody announced %s%s", prefix_str(&x->prefix, buf),
		     missed_some(x) ? ", or with route targets that no VRF imports" : "");
	else if (!local && !imported)
		step(x, "route target", "failed", x->af->import.n ?
		     "none of what was received carries a route target that VRF %s imports" :
		     "VRF %s imports no route target", x->vrf->name);
	return !x->failed;
}

/* ---- best, next hop, LSP ---- */

/* Of those that are not the best: what they are for, and why they lost. */
static void explain_other(struct explain *x, const struct rib_route *r)
{
	char who[200], nh[128];

	snprintf(who, sizeof(who), "%s from %s, %s", r->source->proto->name, rib_route_peer(r)->name,
		 nexthop_str(r->nh, nh, sizeof(nh)));
	switch (rib_route_role(r)) {
	case RIB_ROLE_MULTIPATH:
		step(x, "multipath", "ok", "%s: as good, used beside it", who);
		break;
	case RIB_ROLE_BACKUP:
		step(x, "backup", "ok", "%s: takes over in forwarding, lost: %s", who, rib_reason_str(r->reason));
		break;
	default:
		step(x, "best", "-", "%s lost: %s", who, rib_reason_str(r->reason));
	}
}

static bool explain_best(struct explain *x, const struct rib_net *net)
{
	const struct rib_route *best = net ? rib_best(net) : NULL, *r;
	char nh[128];

	if (best) {
		x->route = best;
		step(x, "best", "ok", "%s from %s, %s", best->source->proto->name,
		     rib_route_peer(best)->name, nexthop_str(best->nh, nh, sizeof(nh)));
		for (r = best->next; r; r = r->next)
			explain_other(x, r);
		return true;
	}
	if (net && rib_routes(net))
		x->route = rib_routes(net);
	if (!x->route)
		step(x, "best", "failed", "nothing to choose from yet");
	else if (nexthop_usable(x->route->nh))
		step(x, "best", "failed", "chosen, but not imported yet");
	else
		step(x, "best", "-", "no usable one: following that from %s",
		     x->route->source->name);
	return !x->failed;
}

/* The path leads to a router to which there is none. */
static void explain_lower(struct explain *x, const struct prefix *fec, const struct list *paths)
{
	const struct lsp *lsp;
	char buf[PREFIX_STRLEN], addr[ADDR_STRLEN];

	list_for_each(lsp, paths, struct lsp, node)
		if (lsp->path.recursive && !lsp->usable)
			break;
	if (&lsp->node == paths)
		step(x, "transport", "failed", "%s: it is being worked out again", prefix_str(fec, buf));
	else
		step(x, "transport", "failed", "%s: its path leads to %s: %s", prefix_str(fec, buf),
		     addr_str(&lsp->path.gateway, addr), nexthop_reason_str(lsp->reason));
}

/* Labelled unicast may have told of the PE, and its next hop be what is missing. */
static void explain_labelled(struct explain *x, const struct prefix *fec)
{
	struct rib_table *t = rib_table_labelled(x->env->rib, fec->addr.family);
	const struct rib_net *net = rib_find(t, NULL, fec);
	const struct rib_route *r = net ? rib_routes(net) : NULL;
	char nh[128];

	for (; r; r = r->next)
		step(x, "labeled unicast", "-", "from %s, %s: %s", r->source->name, nexthop_str(r->nh, nh, sizeof(nh)),
		     nexthop_reason_str(r->nh->reason));
}

static void explain_transport(struct explain *x, const struct nexthop *nh)
{
	struct prefix fec = prefix_host(&nh->key.addr);
	const struct list *paths = lsp_paths(rib_nht(x->env->rib), &fec);
	char text[TEXT], buf[PREFIX_STRLEN];

	if (!nexthop_usable(nh))
		explain_labelled(x, &fec);
	if (nh->reason == NH_OK)
		step(x, "transport", "ok", "%s: %s", prefix_str(&fec, buf),
		     nh->fib ? fib_nh_str(nh->fib, text, sizeof(text)) : "up");
	else if (nh->reason == NH_NO_LSP)
		step(x, "transport", "failed", "no label-switched path to %s, and no tunnel", prefix_str(&fec, buf));
	else if (paths && (nh->reason == NH_LOWER_LSP || nh->reason == NH_RECURSION))
		explain_lower(x, &fec, paths);
	else
		step(x, "transport", "failed", "%s: %s", prefix_str(&fec, buf), nexthop_reason_str(nh->reason));
}

/* Is it the way to the remote PE that lacks, not the PE itself? */
static bool transport_missing(const struct nexthop *nh)
{
	switch (nh->reason) {
	case NH_NO_LSP:
	case NH_LSP_DOWN:
	case NH_LOWER_LSP:
	case NH_LABEL_STACK:
	case NH_TUNNEL_SOURCE:
	case NH_TUNNEL_ROUTE:
	case NH_TRANSPORT_POLICY:
		return true;
	case NH_RECURSION:
		return nh->key.kind == NEXTHOP_PE;
	default:
		return false;
	}
}

static bool explain_nexthop(struct explain *x)
{
	const struct nexthop *nh = x->route->nh;
	bool pe = nh->key.kind == NEXTHOP_PE;
	char text[TEXT];

	nexthop_str(nh, text, sizeof(text));
	if (nexthop_usable(nh) || transport_missing(nh))
		step(x, "next hop", "ok", "%s, metric %u", text, nh->metric);
	else
		step(x, "next hop", "failed", "%s: %s", text, nexthop_reason_str(nh->reason));
	if (x->failed)
		return false;
	if (pe)
		explain_transport(x, nh);
	else
		step(x, "transport", "-", "not needed: the next hop is at this router");
	return !x->failed;
}

/* ---- label and forwarding ---- */

static void explain_label(struct explain *x, const struct fib_dest *d, bool wanted)
{
	struct vrf_export_state st;

	if (wanted && d->label != FIB_LABEL_NONE)
		step(x, "label", "ok", "VPN label %u is pushed", d->label);
	else if (wanted && d->nh->kind == FIB_NH_GROUP && x->route->nh->key.kind == NEXTHOP_PE)
		step(x, "label", "ok", "each way to a PE has its own VPN label");
	else if (x->route->nh->key.kind == NEXTHOP_PE)
		step(x, "label", "ok", "none: the remote PE asked for implicit null");
	else
		step(x, "label", "-", "none to push: the next hop is at this router");
	if (vrf_export_state(x->vrf, x->route->net, &st))
		step(x, "exported", "ok", "to other PEs with label %u%s", st.label,
		     st.route == x->route ? "" : ": best external");
	else
		step(x, "exported", "-", "%s", st.why);
}

static void explain_lookup(struct explain *x, const struct fib_dest *d, bool wanted)
{
	struct dp_provider *p = dp_sync_provider(x->env->sync);
	struct dp_lookup l = { .vrf = x->vrf->id, .dst = x->prefix.addr };
	char buf[PREFIX_STRLEN], text[TEXT];
	int err = p->ops->lookup(p, &l);

	if (!strcmp(p->ops->name, "none"))
		step(x, "forwarding", "-", "this router does not forward");
	else if (err)
		step(x, "forwarding", "failed", "no entry: %s", strerror(err));
	else if (prefix_contains(&x->prefix, &l.match) && !prefix_eq(&l.match, &x->prefix))
		step(x, "forwarding", "-", "%s is more specific and takes the first address",
		     prefix_str(&l.match, buf));
	else if (!prefix_eq(&l.match, &x->prefix))
		step(x, "forwarding", "failed", "no entry of its own: packets take %s",
		     prefix_str(&l.match, buf));
	else if (!wanted)
		step(x, "forwarding", l.kernel ? "ok" : "failed", l.kernel ?
		     "kept by the module itself" : "an entry that nobody wants");
	else if (l.match_vrf == x->vrf->id && (l.nh != d->nh->id || l.label != d->label))
		step(x, "forwarding", "failed", "next hop %u label %u are there, %u and %u wanted",
		     l.nh, l.label, d->nh->id, d->label);
	else
		step(x, "forwarding", "ok", "next hop %u: %s", d->nh->id,
		     fib_nh_str(d->nh, text, sizeof(text)));
}

static void explain_forwarding(struct explain *x)
{
	struct fib_dest d = { .label = FIB_LABEL_NONE };
	bool wanted = fib_route_get(rib_fib(x->env->rib), x->vrf->id, &x->prefix, &d);
	char why[200];

	explain_label(x, &d, wanted);
	if (wanted && dp_sync_route_refused(x->env->sync, x->vrf->id, &x->prefix, why, sizeof(why)))
		step(x, "forwarding", "failed", "refused: %s", why);
	else
		explain_lookup(x, &d, wanted);
}

static bool what_prefix(struct explain *x, const char *text)
{
	const struct rib_net *net;
	struct rib_table *t;

	if (!prefix_parse_host(text, &x->prefix))
		return false;
	x->af = &x->vrf->af[family_afi(x->prefix.addr.family)];
	prefix_mask(&x->prefix);
	if (strchr(text, '/'))
		return true;
	t = x->af->table;
	net = rib_lookup(t, &x->prefix.addr);
	if (net)
		x->prefix = rib_net_prefix(net);
	return true;
}

static enum mgmt_next explain_vrf(struct mgmt_request *req, void *arg)
{
	struct explain x = { .req = req, .env = arg };
	const char *text = conf_str(mgmt_input(req), "prefix", "");
	const struct rib_net *net;
	char buf[PREFIX_STRLEN];

	x.vrf = vrf_find(x.env->vrfs, conf_str(mgmt_input(req), "vrf", ""));
	if (!x.vrf)
		return mgmt_error(req, MGMT_NOT_FOUND, "vrf", "no such VRF");
	if (!what_prefix(&x, text))
		return mgmt_error(req, MGMT_PARAMS, "prefix", "%s is not a prefix", text);
	net = rib_find(x.af->table, NULL, &x.prefix);
	if (find_routes(&x, net) && explain_best(&x, net) && explain_nexthop(&x))
		explain_forwarding(&x);
	if (!x.failed)
		snprintf(x.verdict, sizeof(x.verdict), "%s is %s", prefix_str(&x.prefix, buf),
			 x.route->nh->key.kind == NEXTHOP_BLACKHOLE ? "discarded: blackhole" :
			 "forwarded");
	mgmt_result(req, "verdict", json_string(x.verdict));
	return MGMT_DONE;
}

void explain_register(struct mgmt *mgmt, const struct show_env *env)
{
	mgmt_register(mgmt, "explain-vrf", explain_vrf, (void *)env);
}
