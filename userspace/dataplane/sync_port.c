// SPDX-License-Identifier: GPL-2.0
/*
 * dataplane/sync_port.c: VRFs (vrf/vrf.h) and ports (host/host.h) in the forwarder.
 *
 * A port is bound by its name: when the configuration names it, its device exists and its VRF is wanted.
 * A device that is renamed is unbound; one that comes (again) under the name is bound.
 */
#include "dataplane/sync_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/mem.h"

/* ---- VRFs ---- */

struct sync_vrf *sync_vrf_by_id(const struct dp_sync *s, uint32_t id)
{
	return id < s->vrfs_size ? s->vrfs[id] : NULL;
}

static void vrf_forget_routes(struct dp_sync *s, struct sync_vrf *sv)
{
	struct hash_node *n;
	int i;

	for (i = 0; i < AFI_MAX; i++) {
		while ((n = hash_drain(&sv->table[i].refused))) {
			free(hash_entry(n, struct sync_refused, node));
			s->failed_routes--;
		}
		hash_fini(&sv->table[i].refused);
		hash_init(&sv->table[i].refused);
	}
}

static void vrf_free(struct dp_sync *s, struct sync_vrf *sv)
{
	int i;

	vrf_forget_routes(s, sv);
	for (i = 0; i < AFI_MAX; i++) {
		list_del(&sv->table[i].dirty);
		if (sv->table[i].window) {
			s->windowed -= sv->table[i].window->n;
			dp_batch_free(sv->table[i].window);
		}
	}
	s->vrfs[sv->id] = NULL;
	free(sv);
}

static void vrf_content(const struct sync_vrf *sv, struct dp_vrf *out)
{
	memset(out, 0, sizeof(*out));
	out->id = sv->id;
	snprintf(out->name, sizeof(out->name), "%s", sv->name);
	out->limit4 = sv->limit[AFI4];
	out->limit6 = sv->limit[AFI6];
	out->warn4 = sv->warn[AFI4];
	out->warn6 = sv->warn[AFI6];
	/* enum tunnel_model has the numbers of enum l3vpn_model */
	out->ttl_model = sv->tunnel.ttl_model;
	out->tc_model = sv->tunnel.tc_model;
	memcpy(out->dscp_tc, sv->tunnel.dscp_tc, sizeof(out->dscp_tc));
	memcpy(out->tc_dscp, sv->tunnel.tc_dscp, sizeof(out->tc_dscp));
}

/* The request of this window that has not gone out yet, and nothing that has to go before it; or NULL. */
static struct dp_op *vrf_waiting(const struct dp_sync *s, const struct sync_vrf *sv)
{
	struct dp_op *op;

	if (s->tail || !s->head || sv->window != s->window_no || sv->at >= s->head->n)
		return NULL;
	op = &s->head->ops[sv->at];
	return op->type == DP_OP_VRF_NEW && op->vrf.id == sv->id ? op : NULL;
}

/* A VRF is made before its settings are known: they go out together, and forwarding never has others. */
static void vrf_program(struct dp_sync *s, struct sync_vrf *sv)
{
	struct dp_op *op = vrf_waiting(s, sv);

	if (!op) {
		op = window_head(s, DP_OP_VRF_NEW);
		if (!op)
			return;
		sv->window = s->window_no;
		sv->at = op - s->head->ops;
	}
	vrf_content(sv, &op->vrf);
}

bool sync_vrf_mend(struct dp_sync *s, const struct dp_vrf *held)
{
	struct sync_vrf *sv = sync_vrf_by_id(s, held->id);
	struct dp_vrf want;

	if (!sv || !sv->wanted || !sv->held)
		return false;
	vrf_content(sv, &want);
	if (want.limit4 == held->limit4 && want.limit6 == held->limit6 &&
	    want.warn4 == held->warn4 && want.warn6 == held->warn6 &&
	    want.ttl_model == held->ttl_model && want.tc_model == held->tc_model &&
	    !memcmp(want.dscp_tc, held->dscp_tc, sizeof(want.dscp_tc)) &&
	    !memcmp(want.tc_dscp, held->tc_dscp, sizeof(want.tc_dscp)))
		return false;
	vrf_program(s, sv);
	return true;
}

static void vrf_unprogram(struct dp_sync *s, struct sync_vrf *sv)
{
	struct dp_op *op = window_tail(s, DP_OP_VRF_DEL);

	if (op)
		op->vrf.id = sv->id;
}

static struct sync_vrf *vrf_make(struct dp_sync *s, const struct vrf *v)
{
	struct sync_vrf *sv = xcalloc(1, sizeof(*sv));
	uint32_t size;
	int i;

	if (v->id >= s->vrfs_size) {
		size = v->id * 2 + 64;
		s->vrfs = xrealloc(s->vrfs, size * sizeof(*s->vrfs));
		memset(s->vrfs + s->vrfs_size, 0, (size - s->vrfs_size) * sizeof(*s->vrfs));
		s->vrfs_size = size;
	}
	s->vrfs[v->id] = sv;
	sv->id = v->id;
	for (i = 0; i < AFI_MAX; i++) {
		sv->table[i].vrf = sv;
		sv->table[i].family = afi_family(i);
		hash_init(&sv->table[i].refused);
		list_init(&sv->table[i].dirty);
	}
	return sv;
}

static void port_apply(struct dp_sync *s, struct sync_port *sp);

/* True: they are others than before. */
static bool vrf_take_limits(struct sync_vrf *sv, const struct vrf *v)
{
	bool changed = false;
	int i;

	for (i = 0; i < AFI_MAX; i++) {
		changed |= sv->limit[i] != v->af[i].limit || sv->warn[i] != v->af[i].warn;
		sv->limit[i] = v->af[i].limit;
		sv->warn[i] = v->af[i].warn;
	}
	return changed;
}

static void on_vrf(struct vrf_watch *w, enum vrf_event e, struct vrf *v)
{
	struct dp_sync *s = container_of(w, struct dp_sync, vrf_watch);
	struct sync_vrf *sv = sync_vrf_by_id(s, v->id);
	struct sync_port *sp;

	if (e == VRF_DEL) {
		if (!sv)
			return;
		sv->vrf = NULL;
		sv->wanted = false;
		vrf_forget_routes(s, sv);
		if (sv->held && s->env.host)
			host_vrf_del(s->env.host, sv->name);
		vrf_unprogram(s, sv);
		if (!s->present)
			vrf_free(s, sv);
		return;
	}
	if (!sv)
		sv = vrf_make(s, v);
	if (!vrf_take_limits(sv, v) && e == VRF_CHANGE &&
	    !memcmp(&sv->tunnel, &v->tunnel, sizeof(sv->tunnel)))
		return;
	sv->tunnel = v->tunnel;
	sv->vrf = v;
	sv->wanted = true;
	snprintf(sv->name, sizeof(sv->name), "%s", v->name);
	vrf_program(s, sv);
	sync_room(s, &sv->table[AFI4]);
	sync_room(s, &sv->table[AFI6]);
	if (e == VRF_ADD)
		list_for_each(sp, &s->ports, struct sync_port, node)
			if (!strcmp(sp->vrf, sv->name))
				port_apply(s, sp);
}

/* The forwarder has it: the host may set its device up. */
static void vrf_is_held(struct dp_sync *s, struct sync_vrf *sv)
{
	struct dp_row row;

	sv->held = true;
	if (!s->env.host)
		return;
	if (s->p->ops->get(s->p, DP_QUERY_VRFS, sv->id, &row) || !row.vrf.table) {
		log_debug("dataplane", "vrf %s has no kernel table to set up", sv->name);
		return;
	}
	host_vrf_add(s->env.host, sv->name, row.vrf.table);
}

void sync_vrf_acked(struct dp_sync *s, const struct dp_op *op)
{
	struct sync_vrf *sv = sync_vrf_by_id(s, op->vrf.id);

	if (!sv)
		return;
	if (op->type == DP_OP_VRF_DEL) {
		if (!sv->wanted && !op->error)
			vrf_free(s, sv);
		else if (!sv->wanted)
			sv->error = op->error;
		else
			sv->held = false;	/* wanted again: its making is on its way */
		return;
	}
	sv->error = op->error;
	if (!op->error && sv->wanted)
		vrf_is_held(s, sv);
}

/* ---- ports ---- */

static struct sync_port *port_find(const struct dp_sync *s, const char *name)
{
	struct sync_port *sp;

	list_for_each(sp, &s->ports, struct sync_port, node)
		if (!strcmp(sp->name, name))
			return sp;
	return NULL;
}

static struct sync_vrf *vrf_by_name(const struct dp_sync *s, const char *name)
{
	const struct vrf *v = vrf_find(s->env.vrfs, name);

	return v ? sync_vrf_by_id(s, v->id) : NULL;
}

static void port_unbind(struct dp_sync *s, struct sync_port *sp)
{
	struct dp_op *op;

	if (!sp->bound)
		return;
	op = window_tail(s, DP_OP_PORT_DEL);
	if (op)
		op->port.ifindex = sp->bound;
	sp->ok = false;
}

/* As the forwarder should have it. */
static struct dp_port port_content(const struct sync_port *sp, const struct sync_vrf *sv)
{
	return (struct dp_port){
		.ifindex = sp->ifindex,
		.kind = sp->core ? L3VPN_PORT_KIND_CORE : L3VPN_PORT_KIND_CUSTOMER,
		.vrf = sv ? sv->id : 0,
		.rpf4 = sp->guard.rpf[0],
		.rpf6 = sp->guard.rpf[1],
		.options = sp->guard.options,
		.scopes = sp->guard.scopes,
		.mpls_mtu = sp->mpls_mtu,
	};
}

static void port_apply(struct dp_sync *s, struct sync_port *sp)
{
	struct sync_vrf *sv = sp->core ? NULL : vrf_by_name(s, sp->vrf);
	bool want = !sp->gone && sp->ifindex && (sp->core || (sv && sv->wanted));
	struct dp_op *op;

	if (sp->bound && (!want || sp->bound != sp->ifindex || sp->bound_core != sp->core)) {
		port_unbind(s, sp);
		if (want)
			sp->bound = 0;
	}
	if (!want)
		return;
	op = window_head(s, DP_OP_PORT_NEW);
	if (!op)
		return;
	op->port = port_content(sp, sv);
	sp->bound = sp->ifindex;
	sp->bound_core = sp->core;
}

static void port_free(struct sync_port *sp)
{
	list_del(&sp->node);
	free(sp);
}

static void on_port(void *arg, enum host_event what, const struct host_port *hp)
{
	struct dp_sync *s = arg;
	struct sync_port *sp = port_find(s, hp->name);
	bool none = what == HOST_DEL || (!hp->core && !hp->vrf[0]);
	bool same;

	if (!sp) {
		if (none)
			return;
		sp = xcalloc(1, sizeof(*sp));
		snprintf(sp->name, sizeof(sp->name), "%s", hp->name);
		list_add_tail(&s->ports, &sp->node);
	}
	if (none) {
		sp->gone = true;
		sp->ifindex = 0;
		if (sp->bound && s->present)
			port_unbind(s, sp);
		else
			port_free(sp);
		return;
	}
	same = !sp->gone && sp->ifindex == hp->ifindex && sp->core == hp->core &&
	       !strcmp(sp->vrf, hp->vrf) && sp->mpls_mtu == hp->mpls_mtu &&
	       !memcmp(&sp->guard, &hp->guard, sizeof(sp->guard));
	sp->gone = false;
	sp->core = hp->core;
	memcpy(&sp->guard, &hp->guard, sizeof(sp->guard));
	sp->mpls_mtu = hp->mpls_mtu;
	snprintf(sp->vrf, sizeof(sp->vrf), "%s", hp->vrf);
	sp->ifindex = hp->ifindex;
	if (!same)
		port_apply(s, sp);
}

void sync_port_acked(struct dp_sync *s, const struct dp_op *op)
{
	struct sync_port *sp, *tmp;

	list_for_each_safe(sp, tmp, &s->ports, struct sync_port, node) {
		if (sp->bound != op->port.ifindex)
			continue;
		if (op->type == DP_OP_PORT_NEW && !sp->gone) {
			sp->ok = !op->error;
			sp->error = op->error;
			snprintf(sp->why, sizeof(sp->why), "%s", op->why ? op->why : "");
		} else if (op->type == DP_OP_PORT_DEL) {
			if (sp->gone && !op->error)
				port_free(sp);
			else if (sp->gone)
				sp->error = op->error;
			else if (!op->error && sp->ifindex != sp->bound)
				sp->bound = 0;
		}
	}
}

/* Somebody else changed the limits of a VRF of ours: what the configuration says is put back. */
static void vrf_look(struct dp_sync *s, const struct dp_vrf *held)
{
	struct sync_vrf *sv = sync_vrf_by_id(s, held->id);

	if (!sv || !sv->wanted || !sv->held)
		return;
	if (held->limit4 != sv->limit[AFI4] || held->limit6 != sv->limit[AFI6] ||
	    held->warn4 != sv->warn[AFI4] || held->warn6 != sv->warn[AFI6])
		vrf_program(s, sv);
}

/* A table of a VRF has become full, or is so no more. */
static void vrf_level(struct dp_sync *s, const struct dp_event *event)
{
	bool v6 = event->family == AF_INET6;
	struct sync_vrf *sv = sync_vrf_by_id(s, event->row.vrf.id);
	uint32_t routes = v6 ? event->row.vrf_routes6 : event->row.vrf_routes4;
	uint32_t limit = v6 ? event->row.vrf.limit6 : event->row.vrf.limit4;
	uint32_t warn = v6 ? event->row.vrf.warn6 : event->row.vrf.warn4;
	const char *family = v6 ? "IPv6" : "IPv4", *name = event->row.vrf.name;

	switch (v6 ? event->row.vrf_level6 : event->row.vrf_level4) {
	case L3VPN_LEVEL_FULL:
		log_err("dataplane", "vrf %s: the limit of %u %s routes is reached (%u are in): "
			"further ones are not forwarded", name, limit, family, routes);
		break;
	case L3VPN_LEVEL_WARNING:
		log_warn("dataplane", "vrf %s: %u %s routes are in: the warning is at %u, the limit at %u",
			 name, routes, family, warn, limit);
		break;
	default:
		log_notice("dataplane", "vrf %s: %u %s routes are in: below warning (%u) and limit (%u)",
			   name, routes, family, warn, limit);
	}
	if (sv)
		sync_room(s, &sv->table[v6 ? AFI6 : AFI4]);
}

bool sync_port_mend(struct dp_sync *s, const struct dp_port *held, const char **name)
{
	struct sync_port *sp;
	struct sync_vrf *sv;
	struct dp_port want;

	list_for_each(sp, &s->ports, struct sync_port, node) {
		if (sp->gone || !sp->ok || sp->bound != held->ifindex)
			continue;
		sv = sp->core ? NULL : vrf_by_name(s, sp->vrf);
		want = port_content(sp, sv);
		if (want.kind == held->kind && want.vrf == held->vrf && !dp_port_equal(&want, held)) {
			*name = sp->name;
			port_apply(s, sp);
			return true;
		}
	}
	return false;
}

void sync_port_event(struct dp_sync *s, const struct dp_event *event)
{
	const char *name;
	struct sync_port *sp;
	struct sync_vrf *sv;

	if (event->object == L3VPN_OBJECT_PORT && event->what == L3VPN_EVENT_DEL) {
		list_for_each(sp, &s->ports, struct sync_port, node)
			if (!sp->gone && sp->ok && sp->bound == event->row.port.ifindex &&
			    sp->ifindex == sp->bound) {
				sp->ok = false;
				sync_retry_soon(s);
			}
	} else if (event->object == L3VPN_OBJECT_PORT) {
		sync_port_mend(s, &event->row.port, &name);
		if (sync_failed(s))
			sync_retry_soon(s);
	} else if (event->object == L3VPN_OBJECT_VRF && event->what == L3VPN_EVENT_LEVEL) {
		vrf_level(s, event);
	} else if (event->object == L3VPN_OBJECT_VRF && event->what == L3VPN_EVENT_CHANGE) {
		vrf_look(s, &event->row.vrf);
	} else if (event->object == L3VPN_OBJECT_VRF && event->what == L3VPN_EVENT_DEL) {
		sv = sync_vrf_by_id(s, event->row.vrf.id);
		if (sv && sv->wanted && sv->held && !strcmp(sv->name, event->row.vrf.name)) {
			log_warn("dataplane", "vrf %s was deleted behind our back: made again",
				 sv->name);
			sv->held = false;
			sync_program_all(s);
		}
	}
}

/* ---- all of it ---- */

void sync_port_program(struct dp_sync *s)
{
	struct sync_port *sp;
	uint32_t id;

	for (id = 0; id < s->vrfs_size; id++)
		if (s->vrfs[id] && s->vrfs[id]->wanted)
			vrf_program(s, s->vrfs[id]);
	list_for_each(sp, &s->ports, struct sync_port, node)
		port_apply(s, sp);
}

void sync_port_lost(struct dp_sync *s)
{
	struct sync_port *sp, *tmp;
	uint32_t id;

	for (id = 0; id < s->vrfs_size; id++) {
		struct sync_vrf *sv = s->vrfs[id];

		if (!sv)
			continue;
		if (!sv->wanted) {
			vrf_free(s, sv);
			continue;
		}
		if (sv->held && s->env.host)
			host_vrf_del(s->env.host, sv->name);
		sv->held = false;
	}
	list_for_each_safe(sp, tmp, &s->ports, struct sync_port, node) {
		sp->ok = false;
		sp->bound = 0;
		if (sp->gone)
			port_free(sp);
	}
}

static bool port_failed(const struct sync_port *sp)
{
	if (sp->gone)
		return sp->error != 0;
	return !sp->ok && sp->ifindex;
}

bool sync_port_retry(struct dp_sync *s)
{
	struct sync_port *sp;
	bool any = false;
	uint32_t id;

	for (id = 0; id < s->vrfs_size; id++) {
		struct sync_vrf *sv = s->vrfs[id];

		if (!sv || !sv->error)
			continue;
		any = true;
		if (sv->wanted)
			vrf_program(s, sv);
		else
			vrf_unprogram(s, sv);
	}
	list_for_each(sp, &s->ports, struct sync_port, node) {
		if (!port_failed(sp))
			continue;
		any = true;
		if (sp->gone)
			port_unbind(s, sp);
		else
			port_apply(s, sp);
	}
	return any;
}

uint32_t sync_ports_failed(const struct dp_sync *s)
{
	struct sync_port *sp;
	uint32_t n = 0, id;

	for (id = 0; id < s->vrfs_size; id++)
		n += s->vrfs[id] && s->vrfs[id]->error;
	list_for_each(sp, &s->ports, struct sync_port, node)
		n += port_failed(sp) && sp->error;
	return n;
}

bool dp_sync_port(const struct dp_sync *s, const char *ifname, struct dp_port_state *st)
{
	const struct sync_port *sp = port_find(s, ifname);

	if (!sp || sp->gone)
		return false;
	st->bound = sp->ok;
	st->error = sp->error;
	snprintf(st->why, sizeof(st->why), "%s", sp->error ? sp->why : "");
	return true;
}

void sync_port_start(struct dp_sync *s)
{
	list_init(&s->ports);
	s->vrf_watch.event = on_vrf;
	vrf_watch(s->env.vrfs, &s->vrf_watch);
	if (!s->env.host)
		return;
	s->host_listener.port = on_port;
	s->host_listener.arg = s;
	host_listen(s->env.host, &s->host_listener);
}

void sync_port_stop(struct dp_sync *s)
{
	struct sync_port *sp, *tmp;
	uint32_t id;

	vrf_unwatch(&s->vrf_watch);
	if (s->env.host)
		host_unlisten(s->env.host, &s->host_listener);
	for (id = 0; id < s->vrfs_size; id++)
		if (s->vrfs[id])
			vrf_free(s, s->vrfs[id]);
	free(s->vrfs);
	list_for_each_safe(sp, tmp, &s->ports, struct sync_port, node)
		port_free(sp);
}
