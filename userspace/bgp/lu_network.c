// SPDX-License-Identifier: GPL-2.0
/*
 * `network` of labelled unicast: addresses of ours, and routes of the main table (lu.h). A host prefix that another
 * protocol has a path to is reached by that; anything else by the ways of its route, without a label.
 */
#include <stdlib.h>
#include <string.h>

#include "bgp/lu_private.h"
#include "lib/mem.h"
#include "rib/transport.h"

struct lu_network {
	struct bgp_lu *lu;
	struct prefix prefix;
	bool wanted;			/* by the configuration that is being read */
	struct nexthop *pe;		/* host prefix: by another protocol's paths */
	struct nexthop_watch watch;	/* of pe */
};

static struct nht *nht_of(const struct bgp_lu *lu)
{
	return rib_nht(lu->bgp->env.rib);
}

/* ---- the way to a network ---- */

static struct nexthop *local(struct nht *nht)
{
	struct nexthop_key key = { .kind = NEXTHOP_LOCAL };

	return nexthop_get(nht, &key);
}

static struct nexthop *by_ways(struct nht *nht, const struct nht_way *ways, unsigned int n)
{
	struct nexthop_member m[NEXTHOP_MEMBERS_MAX];
	const struct nht_link *l;
	unsigned int i, used = 0;
	struct nexthop *nh;

	for (i = 0; i < n; i++) {
		l = nht_link_by_index(nht, ways[i].ifindex);
		if (!l || !addr_is_set(&ways[i].gateway))
			continue;
		m[used++] = (struct nexthop_member){
			.nh = nexthop_gateway(nht, VRF_ID_GLOBAL, &ways[i].gateway, l->name),
			.weight = ways[i].weight ? ways[i].weight : 1,
		};
	}
	if (!used)
		return NULL;
	nh = used == 1 ? nexthop_ref(m[0].nh) : nexthop_group_get(nht, m, used);
	for (i = 0; i < used; i++)
		nexthop_put(nht, m[i].nh);
	return nh;
}

static bool connected(const struct nht_way *ways, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (addr_is_set(&ways[i].gateway))
			return false;
	return n;
}

/* a reference; NULL: there is no route to it */
static struct nexthop *find(const struct lu_network *w)
{
	struct nht *nht = nht_of(w->lu);
	const struct nht_way *ways;
	unsigned int n;

	if (w->pe && nht_own_address(nht, VRF_ID_GLOBAL, &w->prefix.addr))
		return local(nht);
	n = nht_main_ways(nht, &w->prefix, &ways);
	if (!n)
		return NULL;
	if (connected(ways, n))
		return local(nht);
	return w->pe && nexthop_usable(w->pe) ? nexthop_ref(w->pe) : by_ways(nht, ways, n);
}

static void judge(struct lu_network *w)
{
	struct bgp_lu *lu = w->lu;
	struct rib_path path = { .attrs = lu->attrs, .nh = find(w), .flags = RIB_ROUTE_NETWORK };

	if (!path.nh) {
		rib_withdraw(&lu->source, NULL, &w->prefix, 0);
		return;
	}
	path.label = path.nh->key.kind == NEXTHOP_LOCAL ? RIB_LABEL_NONE : LABEL_IMPLICIT_NULL;
	rib_announce(&lu->source, NULL, &w->prefix, &path);
	nexthop_put(nht_of(lu), path.nh);
}

static void on_pe(struct nexthop_watch *watch, struct nexthop *nh)
{
	judge(container_of(watch, struct lu_network, watch));
}

static void on_main(struct nht_main_sub *s, const struct prefix *p, const struct nht_way *ways, unsigned int n)
{
	struct bgp_lu *lu = container_of(s, struct bgp_lu, main_sub);
	struct lu_network **w = p->addr.family == lu->family ? trie_get(&lu->networks, p) : NULL;

	if (w)
		judge(*w);
}

/* an address may have come or gone with it */
static void on_connected(struct nht_connected_sub *s, bool add, uint32_t vrf, const struct prefix *net, int ifindex)
{
	struct bgp_lu *lu = container_of(s, struct bgp_lu, connected_sub);
	struct lu_network **w;

	if (vrf != VRF_ID_GLOBAL || net->addr.family != lu->family)
		return;
	for (w = trie_next(&lu->networks, NULL); w; w = trie_next(&lu->networks, w))
		if (prefix_contains(net, &(*w)->prefix))
			judge(*w);
}

/* ---- configuration and life ---- */

static void network_add(struct bgp_lu *lu, const struct prefix *p)
{
	bool created;
	struct lu_network **at = trie_insert(&lu->networks, p, &created), *w;

	if (!created) {
		(*at)->wanted = true;
		return;
	}
	w = xcalloc(1, sizeof(*w));
	*at = w;
	w->lu = lu;
	w->prefix = *p;
	w->wanted = true;
	w->watch.change = on_pe;
	list_init(&w->watch.node);
	if (p->len == addr_bits(p->addr.family)) {
		w->pe = nexthop_pe(nht_of(lu), &p->addr, lu->policy);
		nexthop_watch(w->pe, &w->watch);
	}
	judge(w);
}

static void network_del(struct bgp_lu *lu, struct lu_network **at)
{
	struct lu_network *w = *at;

	rib_withdraw(&lu->source, NULL, &w->prefix, 0);
	nexthop_unwatch(&w->watch);
	nexthop_put(nht_of(lu), w->pe);
	trie_remove(&lu->networks, at);
	free(w);
}

static void networks_sweep(struct bgp_lu *lu)
{
	struct lu_network **w = trie_next(&lu->networks, NULL), **next;

	for (; w; w = next) {
		next = trie_next(&lu->networks, w);
		if (!(*w)->wanted)
			network_del(lu, w);
	}
}

void bgp_lu_networks_set(struct bgp_lu *lu, const struct prefix *networks, unsigned int n)
{
	struct lu_network **w;
	unsigned int i;

	for (w = trie_next(&lu->networks, NULL); w; w = trie_next(&lu->networks, w))
		(*w)->wanted = false;
	for (i = 0; i < n; i++)
		network_add(lu, &networks[i]);
	networks_sweep(lu);
}

void bgp_lu_networks_start(struct bgp_lu *lu)
{
	/* no name that a configuration can say: a network that is told to us too must not lead through itself */
	const struct transport_policy policy = {
		.name = "labelled unicast networks", .max_paths = FIB_MEMBERS_MAX,
		.order = { .n = 2, .kinds = { RIB_PROTO_STATIC, RIB_PROTO_LDP } },
	};
	struct attrs_builder b;

	memset(&b, 0, sizeof(b));
	b.f.origin = ORIGIN_IGP;
	lu->attrs = attrs_intern(&b);
	lu->policy = transport_policy_set(nht_of(lu), &policy);
	trie_init(&lu->networks, lu->family, sizeof(struct lu_network *));
	lu->source.proto = &bgp_proto;
	lu->source.table = lu->table;
	lu->source.name = "network";
	lu->source.distance = RIB_DISTANCE_EBGP;
	lu->source.is_bgp = true;
	lu->source.is_local = true;
	rib_source_init(&lu->source);
	lu->main_sub.change = on_main;
	nht_main_subscribe(nht_of(lu), &lu->main_sub);
	lu->connected_sub.change = on_connected;
	nht_connected_subscribe(nht_of(lu), &lu->connected_sub);
}

void bgp_lu_networks_stop(struct bgp_lu *lu)
{
	struct lu_network **w;

	nht_main_unsubscribe(&lu->main_sub);
	nht_connected_unsubscribe(&lu->connected_sub);
	while ((w = trie_next(&lu->networks, NULL)))
		network_del(lu, w);
	trie_fini(&lu->networks, NULL, NULL);
	rib_source_flush_now(&lu->source);
	attrs_put(lu->attrs);
}
