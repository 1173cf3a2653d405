// SPDX-License-Identifier: GPL-2.0
/* Models and maps of TTL and traffic class (tunnel.h). */
#include "vrf/tunnel.h"

#include <string.h>

void tunnel_settings_init(struct tunnel_settings *s)
{
	memset(s, TUNNEL_UNSET, sizeof(*s));
	s->model = TUNNEL_NONE;
}

static bool hides(uint8_t model)
{
	return model == TUNNEL_PIPE || model == TUNNEL_SHORT_PIPE;
}

static bool propagates(const struct tunnel_settings *s, bool otherwise)
{
	if (s->propagate != TUNNEL_UNSET)
		return s->propagate;
	return s->model == TUNNEL_NONE ? otherwise : !hides(s->model);
}

static uint8_t said(uint8_t own, uint8_t all, uint8_t otherwise)
{
	return own != TUNNEL_UNSET ? own : all != TUNNEL_UNSET ? all : otherwise;
}

void tunnel_resolve(const struct tunnel_settings *own, const struct tunnel_settings *all,
		    struct tunnel *out)
{
	uint8_t model = own->model != TUNNEL_NONE ? own->model : all->model;
	unsigned int i;

	out->ttl_model = propagates(own, propagates(all, true)) ? TUNNEL_UNIFORM : TUNNEL_PIPE;
	out->tc_model = model == TUNNEL_NONE ? TUNNEL_SHORT_PIPE : model;
	for (i = 0; i < TUNNEL_DSCPS; i++)
		out->dscp_tc[i] = said(own->dscp_tc[i], all->dscp_tc[i], i >> 3);
	for (i = 0; i < TUNNEL_TCS; i++)
		out->tc_dscp[i] = said(own->tc_dscp[i], all->tc_dscp[i], i << 3);
}

const char *tunnel_model_str(uint8_t model)
{
	static const char *const names[] = { "none", "uniform", "pipe", "short-pipe" };

	return model < sizeof(names) / sizeof(names[0]) ? names[model] : "?";
}
