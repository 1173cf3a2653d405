// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn: how full the tables of a VRF are: normal, beyond the warning, full (enum l3vpn_level).
 *
 * A level is reached at once and left late (hysteresis), so that a flapping route makes no flood of
 * events; levels are looked at after a batch, so that a batch makes one event at most.
 */
#include <linux/minmax.h>

#include "event.h"
#include "l3vpn.h"
#include "limit.h"
#include "vrf.h"

/* Is @mark (0: none) reached, or was it (@was) and is not left far enough behind? */
static bool l3vpn_limit_reached(u32 mark, u32 routes, bool was)
{
	if (!mark || routes >= mark)
		return mark;
	return was && routes && routes + max(mark / 16, 1U) >= mark;
}

static u8 l3vpn_limit_level(const struct l3vpn_vrf *vrf, int v6, u8 was)
{
	if (l3vpn_limit_reached(vrf->limit[v6], vrf->routes[v6], was >= L3VPN_LEVEL_FULL))
		return L3VPN_LEVEL_FULL;
	if (l3vpn_limit_reached(vrf->warn[v6], vrf->routes[v6], was >= L3VPN_LEVEL_WARNING))
		return L3VPN_LEVEL_WARNING;
	return L3VPN_LEVEL_NORMAL;
}

static void l3vpn_limit_look(struct l3vpn_vrf *vrf, bool reset)
{
	int v6;

	lockdep_assert_held(&vrf->ln->lock);
	for (v6 = 0; v6 < 2; v6++) {
		u8 was = vrf->level[v6];

		vrf->level[v6] = l3vpn_limit_level(vrf, v6, reset ? L3VPN_LEVEL_NORMAL : was);
		if (vrf->level[v6] != was && !vrf->dying)
			l3vpn_event_level(vrf, v6);
	}
}

void l3vpn_limit_update(struct l3vpn_vrf *vrf)
{
	l3vpn_limit_look(vrf, false);
}

void l3vpn_limit_reset(struct l3vpn_vrf *vrf)
{
	l3vpn_limit_look(vrf, true);
}
