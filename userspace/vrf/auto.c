// SPDX-License-Identifier: GPL-2.0
/* Automatic route distinguishers and targets (auto.h). */
#include "vrf/auto.h"

#include <string.h>

#include "conf/conf.h"
#include "vrf/admin.h"

#define SUBTYPE_TARGET 0x02

static void put32(uint8_t *to, uint32_t v)
{
	to[0] = (uint8_t)(v >> 24);
	to[1] = (uint8_t)(v >> 16);
	to[2] = (uint8_t)(v >> 8);
	to[3] = (uint8_t)v;
}

struct rd auto_rd(uint32_t router_id, uint16_t number)
{
	struct rd rd = { .b = { 0, ADMIN_IPV4 } };

	put32(rd.b + 2, router_id);
	rd.b[6] = (uint8_t)(number >> 8);
	rd.b[7] = (uint8_t)number;
	return rd;
}

bool auto_rt(uint32_t as, uint32_t vpn, struct rt *rt)
{
	bool four = as > UINT16_MAX;

	if (!as || !vpn || (four && vpn > UINT16_MAX))
		return false;
	memset(rt, 0, sizeof(*rt));
	rt->b[0] = four ? ADMIN_AS4 : ADMIN_AS2;
	rt->b[1] = SUBTYPE_TARGET;
	if (four) {
		put32(rt->b + 2, as);
		rt->b[6] = (uint8_t)(vpn >> 8);
		rt->b[7] = (uint8_t)vpn;
	} else {
		rt->b[2] = (uint8_t)(as >> 8);
		rt->b[3] = (uint8_t)as;
		put32(rt->b + 4, vpn);
	}
	return true;
}

uint32_t auto_router_id(const struct lyd_node *tree)
{
	const struct lyd_node *bgp = conf_top(tree, "bgp");
	struct ip_addr a;

	if (!bgp || !addr_parse(conf_str(bgp, "router-id", ""), &a) || a.family != AF_INET)
		return 0;
	return addr_to_v4(&a);
}

uint32_t auto_as(const struct lyd_node *tree)
{
	const struct lyd_node *bgp = conf_top(tree, "bgp");

	return bgp ? conf_u32(bgp, "as", 0) : 0;
}
