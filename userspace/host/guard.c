// SPDX-License-Identifier: GPL-2.0
/*
 * host/guard.c: what the configuration lets an interface take in: sources (RFC 3704), IPv4 options (RFC 6178),
 * labels. It is handed to listeners with the port; forwarding enforces it.
 */
#include "host/state.h"

#include <string.h>

#include "labels/labels.h"

static uint8_t rpf_parse(const struct lyd_node *node, const char *by, const char *default_route)
{
	const char *mode = conf_str(node, by, NULL);
	bool by_default = conf_exists(node, default_route);

	if (!mode)
		return HOST_RPF_OFF;
	if (!strcmp(mode, "rx"))
		return by_default ? HOST_RPF_STRICT_DEFAULT : HOST_RPF_STRICT;
	return by_default ? HOST_RPF_LOOSE_DEFAULT : HOST_RPF_LOOSE;
}

/* LDP's labels come in where LDP runs, and nowhere else: only there has anybody been told of them. */
static uint64_t scopes_parse(const struct lyd_node *tree, const struct lyd_node *node)
{
	const struct lyd_node *mpls = conf_top(tree, "mpls"), *ldp = mpls ? conf_child(mpls, "ldp") : NULL, *entry;
	const uint64_t of_ldp = 1ull << LABEL_SCOPE_LDP;
	uint64_t scopes = 0;

	if (!conf_exists(node, "mpls"))
		return 0;
	conf_for_each(entry, node, "label-accept")
		scopes |= !strcmp(conf_value(entry), "vpn") ? 1ull << LABEL_SCOPE_VPN : 1ull << LABEL_SCOPE_TRANSPORT;
	if (!scopes)
		scopes = LABEL_SCOPE_ALL & ~of_ldp;
	if (ldp && conf_entry(ldp, "interface", conf_str(node, "name", "")))
		scopes |= of_ldp;
	return scopes;
}

/* @out is zeroed first, padding too: guards are compared as memory. */
void guard_parse(const struct lyd_node *tree, const struct lyd_node *node, struct host_guard *out)
{
	memset(out, 0, sizeof(*out));
	out->rpf[0] = rpf_parse(node, "ipv4-verify/by", "ipv4-verify/default-route");
	out->rpf[1] = rpf_parse(node, "ipv6-verify/by", "ipv6-verify/default-route");
	out->options = conf_u32(node, "ipv4-options-limit", HOST_OPTIONS_UNLIMITED);
	out->scopes = scopes_parse(tree, node);
}
