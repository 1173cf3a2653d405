// SPDX-License-Identifier: GPL-2.0
/* Which routes `show bgp` shows: contracts in show_bgp.h. */
#include <stdio.h>
#include <string.h>

#include "mgmt/show_bgp.h"
#include "vrf/rd.h"
#include "vrf/rt.h"

static bool read_prefix(struct mgmt_request *req, uint8_t family, struct bgp_filter *f)
{
	const char *text = conf_str(mgmt_input(req), "prefix", NULL);

	f->longer = conf_bool(mgmt_input(req), "longer-prefixes", false);
	if (!text) {
		if (f->longer)
			mgmt_error(req, MGMT_PARAMS, "longer-prefixes", "longer than which prefix?");
		return !f->longer;
	}
	f->has_prefix = true;
	f->lookup = !strchr(text, '/');
	if ((f->lookup ? prefix_parse_host(text, &f->prefix) : prefix_parse(text, &f->prefix)) &&
	    f->prefix.addr.family == family)
		return true;
	mgmt_error(req, MGMT_PARAMS, "prefix", "%s is no prefix of this family", text);
	return false;
}

static bool read_numbers(struct mgmt_request *req, struct bgp_filter *f)
{
	const char *rd = conf_str(mgmt_input(req), "rd", NULL), *rt = conf_str(mgmt_input(req), "route-target", NULL);
	struct rt target;

	f->has_rd = rd;
	if (rd && !rd_parse(rd, &f->rd)) {
		mgmt_error(req, MGMT_PARAMS, "rd", "%s is no route distinguisher", rd);
		return false;
	}
	f->has_target = rt;
	if (rt && !rt_parse(rt, &target)) {
		mgmt_error(req, MGMT_PARAMS, "route-target", "%s is no route target", rt);
		return false;
	}
	if (rt)
		memcpy(f->target, target.b, sizeof(f->target));
	return true;
}

static bool read_set(struct mgmt_request *req, const char *leaf, enum set_kind kind, struct set **s)
{
	const char *text = conf_str(mgmt_input(req), leaf, NULL);
	char why[128];

	if (!text)
		return true;
	*s = set_of_text(kind, text, why, sizeof(why));
	if (!*s)
		mgmt_error(req, MGMT_PARAMS, leaf, "%s: %s", text, why);
	return *s;
}

static bool read_neighbor(struct mgmt_request *req, struct bgp_filter *f)
{
	const char *text = conf_str(mgmt_input(req), "neighbor", NULL), *scope = text ? strchr(text, '%') : NULL;
	char addr[ADDR_STRLEN];

	if (!text)
		return true;
	f->has_neighbor = true;
	snprintf(addr, sizeof(addr), "%.*s", (int)(scope ? scope - text : (int)strlen(text)), text);
	if (scope)
		snprintf(f->neighbor.ifname, sizeof(f->neighbor.ifname), "%s", scope + 1);
	if (addr_parse(addr, &f->neighbor.addr))
		return true;
	mgmt_error(req, MGMT_PARAMS, "neighbor", "%s is no address", text);
	return false;
}

bool bgp_filter_read(struct mgmt_request *req, uint8_t family, struct bgp_filter *f)
{
	memset(f, 0, sizeof(*f));
	if (read_prefix(req, family, f) && read_numbers(req, f) && read_neighbor(req, f) &&
	    read_set(req, "community", SET_COMMUNITY, &f->community) &&
	    read_set(req, "large-community", SET_LARGE, &f->large) && read_set(req, "regexp", SET_AS_PATH, &f->path))
		return true;
	bgp_filter_free(f);
	return false;
}

void bgp_filter_free(struct bgp_filter *f)
{
	set_free(f->community);
	set_free(f->large);
	set_free(f->path);
	memset(f, 0, sizeof(*f));
}

static bool takes_neighbor(const struct bgp_filter *f, const struct rib_route *r)
{
	const struct rib_source *s = rib_route_peer(r);
	const char *scope;

	if (!s->is_bgp || s->is_local || !addr_eq(&s->peer, &f->neighbor.addr))
		return false;
	scope = strchr(s->name, '%');
	return !f->neighbor.ifname[0] || (scope && !strcmp(scope + 1, f->neighbor.ifname));
}

/* A route that has the target; a membership that asks for it: of its first bits (RFC 4684 section 4). */
static bool takes_target(const struct bgp_filter *f, const struct rib_route *r)
{
	struct prefix p, wanted;

	if (rib_table_kind(rib_net_table(r->net)) != RIB_TABLE_MEMBERSHIPS)
		return r->attrs && attrs_has_ext(r->attrs, f->target);
	p = rib_net_prefix(r->net);
	if (p.len <= 32)
		return true;
	wanted = p;
	memcpy(wanted.addr.b + 4, f->target, sizeof(f->target));
	prefix_mask(&wanted);
	return prefix_eq(&p, &wanted);
}

static bool has(const struct set *s, const struct attrs *a, enum attrs_part part)
{
	uint16_t len;
	const uint8_t *p = attrs_part(a, part, &len);

	return set_matches(s, SET_ANY, p, len);
}

bool bgp_filter_takes(const struct bgp_filter *f, const struct rib_route *r)
{
	if (f->has_neighbor && !takes_neighbor(f, r))
		return false;
	if (f->has_target && !takes_target(f, r))
		return false;
	if (!r->attrs)
		return !f->community && !f->large && !f->path;
	if (f->community && !has(f->community, r->attrs, ATTRS_COMMUNITY))
		return false;
	if (f->large && !has(f->large, r->attrs, ATTRS_LARGE))
		return false;
	return !f->path || set_has_path(f->path, r->attrs);
}
