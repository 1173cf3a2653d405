// SPDX-License-Identifier: GPL-2.0
/* `mpls tunnel-policy`: which label-switched paths VRFs use (rib/transport.h, private.h). */
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "lib/mem.h"
#include "rib/transport.h"
#include "vrf/private.h"

static uint8_t kind_of(const char *s)
{
	return strcmp(s, "ldp") ? RIB_PROTO_STATIC : RIB_PROTO_LDP;
}

static struct transport_order order_of(const struct lyd_node *node)
{
	struct transport_order o = { 0 };
	const struct lyd_node *n;

	conf_for_each(n, node, "transport")
		o.kinds[o.n++] = kind_of(conf_value(n));
	return o;
}

static void on_policy(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now,
		      void *arg)
{
	struct vrfs *vs = arg;
	struct nht *nht = vs->nht;
	struct transport_policy p = { .max_paths = conf_u32(now, "maximum-paths", FIB_MEMBERS_MAX) };
	const struct lyd_node *n;

	if (op == CONF_DEL) {
		transport_policy_del(nht, conf_str(old, "name", ""));
		return;
	}
	strncpy(p.name, conf_str(now, "name", ""), sizeof(p.name) - 1);
	p.order = order_of(now);
	conf_for_each(n, now, "peer") {
		p.peers = xrealloc(p.peers, (p.n_peers + 1) * sizeof(*p.peers));
		p.peers[p.n_peers].order = order_of(n);
		p.n_peers += addr_parse(conf_str(n, "address", ""), &p.peers[p.n_peers].addr);
	}
	transport_policy_set(nht, &p);
	free(p.peers);
}

void transport_config_subscribe(struct vrfs *vs)
{
	struct conf_subscriber sub = { .name = "tunnel policies", .path = "/l3vpn:mpls/tunnel-policy",
				       .prio = 25, .change = on_policy, .arg = vs };

	conf_subscribe(vs->env.conf, &sub);
}
