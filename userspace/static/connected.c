// SPDX-License-Identifier: GPL-2.0
/*
 * Connected networks of VRFs: a route for each {network, port} while the port is up. They are not
 * programmed as routes (the module keeps connected and receive entries by itself), but they are
 * what `redistribute connected` exports, and what an importing VRF of the same PE looks up.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "static/static.h"
#include "vrf/vrf.h"

struct connected_vrf {
	struct list node;
	uint32_t vrf;
	struct rib_source source[AFI_MAX];
	struct nexthop *nh;
};

struct connected {
	struct rib_env env;
	struct nht *nht;
	struct list vrfs;		/* struct connected_vrf, newest first */
	struct vrf_watch watch;
	struct nht_connected_sub sub;
};

static struct connected_vrf *find(struct connected *c, uint32_t vrf)
{
	struct vrf *v = vrf_by_id(c->env.vrfs, vrf);
	struct connected_vrf *cv;

	if (!v)
		return NULL;
	list_for_each(cv, &c->vrfs, struct connected_vrf, node)
		if (cv->vrf == vrf)
			return cv;
	return NULL;
}

/* the path id is the port's index: a network may be on several */
static void on_network(struct nht_connected_sub *s, bool add, uint32_t vrf,
		       const struct prefix *net, int ifindex)
{
	struct connected *c = container_of(s, struct connected, sub);
	struct connected_vrf *cv = find(c, vrf);
	struct rib_path path = { .path_id = ifindex, .label = RIB_LABEL_NONE };
	struct rib_source *src;

	if (!cv)
		return;
	src = &cv->source[family_afi(net->addr.family)];
	path.nh = cv->nh;
	if (add)
		rib_announce(src, NULL, net, &path);
	else
		rib_withdraw(src, NULL, net, ifindex);
}

static void vrf_enter(struct connected *c, struct vrf *v)
{
	struct nexthop_key key = { .kind = NEXTHOP_LOCAL, .vrf = v->id };
	struct connected_vrf *cv = xcalloc(1, sizeof(*cv));
	struct rib_source *s;
	int i;

	cv->vrf = v->id;
	cv->nh = nexthop_get(c->nht, &key);
	for (i = 0; i < AFI_MAX; i++) {
		s = &cv->source[i];
		s->proto = &connected_proto;
		s->table = v->af[i].table;
		s->name = "connected";
		s->distance = RIB_DISTANCE_CONNECTED;
		s->is_local = true;
		s->vrf = v->id;
		rib_source_init(s);
	}
	list_add(&c->vrfs, &cv->node);
}

static void vrf_leave(struct connected *c, struct connected_vrf *cv)
{
	list_del(&cv->node);
	rib_source_flush_now(&cv->source[AFI4]);
	rib_source_flush_now(&cv->source[AFI6]);
	nexthop_put(c->nht, cv->nh);
	free(cv);
}

static void on_vrf(struct vrf_watch *w, enum vrf_event e, struct vrf *v)
{
	struct connected *c = container_of(w, struct connected, watch);
	struct connected_vrf *cv;

	if (e == VRF_ADD) {
		vrf_enter(c, v);
	} else if (e == VRF_DEL) {
		cv = find(c, v->id);
		if (cv)
			vrf_leave(c, cv);
	}
}

static void *connected_start(const struct rib_env *env)
{
	struct connected *c = xcalloc(1, sizeof(*c));

	c->env = *env;
	c->nht = rib_nht(env->rib);
	list_init(&c->vrfs);
	c->watch.event = on_vrf;
	c->sub.change = on_network;
	/* VRFs first: the networks that there are have a place then */
	vrf_watch(env->vrfs, &c->watch);
	nht_connected_subscribe(c->nht, &c->sub);
	return c;
}

static void connected_stop(void *instance)
{
	struct connected *c = instance;

	nht_connected_unsubscribe(&c->sub);
	vrf_unwatch(&c->watch);
	while (!list_empty(&c->vrfs))
		vrf_leave(c, list_first(&c->vrfs, struct connected_vrf, node));
	free(c);
}

const struct rib_proto connected_proto = {
	.id = RIB_PROTO_CONNECTED,
	.name = "connected",
	.code = 'C',
	.start = connected_start,
	.stop = connected_stop,
};
