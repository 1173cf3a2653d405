// SPDX-License-Identifier: GPL-2.0
/* Tunnels to remote PEs as the configuration and the main table allow them (soft.h). */
#include "rib/soft.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "rib/private.h"

struct soft {
	bool on[SOFT_ENCAPS];
	struct soft_config config[SOFT_ENCAPS];
	struct list subs;
};

const char *soft_encap_str(uint8_t encap)
{
	return encap == SOFT_UDP ? "udp" : encap == SOFT_GRE ? "gre" : "?";
}

/* ---- configuration ---- */

static void config_drop(struct soft *s, enum soft_encap encap)
{
	free(s->config[encap].destinations);
	memset(&s->config[encap], 0, sizeof(s->config[encap]));
	s->on[encap] = false;
}

void soft_set(struct nht *nht, enum soft_encap encap, const struct soft_config *config)
{
	struct soft *s = nht->soft;
	struct soft_sub *sub, *tmp;

	config_drop(s, encap);
	if (config) {
		s->on[encap] = true;
		s->config[encap] = *config;
		s->config[encap].destinations =
			xmemdup(config->destinations, config->n * sizeof(*config->destinations));
	}
	nht_vrf_mark(nht, VRF_ID_GLOBAL);
	list_for_each_safe(sub, tmp, &s->subs, struct soft_sub, node)
		sub->change(sub);
}

const struct soft_config *soft_get(const struct nht *nht, enum soft_encap encap)
{
	return nht->soft->on[encap] ? &nht->soft->config[encap] : NULL;
}

void soft_subscribe(struct nht *nht, struct soft_sub *s)
{
	list_add_tail(&nht->soft->subs, &s->node);
}

void soft_unsubscribe(struct soft_sub *s)
{
	list_del(&s->node);
}

bool soft_checksum(const struct soft_config *c, enum soft_encap encap, uint8_t family)
{
	return encap == SOFT_UDP && family == AF_INET6 && !c->zero_checksum;
}

/* ---- paths ---- */

static bool covers(const struct soft_config *c, const struct ip_addr *pe)
{
	unsigned int i;

	for (i = 0; i < c->n; i++)
		if (prefix_contains_addr(&c->destinations[i], pe))
			return true;
	return false;
}

/*
 * A way of the route that leaves by a link of the global table: what leads into a VRF, as a route leaked out of
 * one does, could come back through the tunnel itself.
 */
static bool find_way(const struct nht *nht, const struct soft_config *c, const struct ip_addr *pe, struct lsp *out)
{
	const struct nht_way *ways;
	const struct nht_link *l;
	unsigned int i, n;
	struct prefix p;

	n = nht_main_route(nht, pe, &p, &ways);
	if (n && !p.len && !c->by_default_route)
		return false;
	for (i = 0; i < n; i++) {
		l = nht_link_by_index(nht, ways[i].ifindex);
		if (!l || !l->up || nht_link_vrf(nht, l->ifindex) != VRF_ID_GLOBAL)
			continue;
		out->ifindex = l->ifindex;
		out->gateway = addr_is_set(&ways[i].gateway) ? ways[i].gateway : *pe;
		return true;
	}
	return false;
}

enum nexthop_reason soft_path(const struct nht *nht, enum soft_encap encap, const struct ip_addr *pe,
			      struct lsp *out)
{
	const struct soft_config *c = soft_get(nht, encap);
	const struct ip_addr *source = c ? &c->source[family_afi(pe->family)] : NULL;

	if (!c || !source->family || !covers(c, pe))
		return NH_NO_LSP;
	memset(out, 0, sizeof(*out));
	out->path.owner = encap == SOFT_UDP ? RIB_PROTO_UDP : RIB_PROTO_GRE;
	strcpy(out->path.name, soft_encap_str(encap));
	out->path.encap = encap;
	out->path.local = *source;
	out->path.gateway = *pe;
	out->path.dport = c->port;
	out->path.checksum = soft_checksum(c, encap, pe->family);
	out->path.weight = 1;
	if (!nht_own_address(nht, VRF_ID_GLOBAL, source))
		return NH_TUNNEL_SOURCE;
	if (!find_way(nht, c, pe, out))
		return NH_TUNNEL_ROUTE;
	out->usable = true;
	return NH_OK;
}

/* ---- life ---- */

struct soft *soft_new(void)
{
	struct soft *s = xcalloc(1, sizeof(*s));

	list_init(&s->subs);
	return s;
}

void soft_free(struct soft *s)
{
	config_drop(s, SOFT_UDP);
	config_drop(s, SOFT_GRE);
	free(s);
}
