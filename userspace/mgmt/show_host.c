// SPDX-License-Identifier: GPL-2.0
/*
 * mgmt/show_host.c: show interfaces: the host's devices beside the configuration's interfaces.
 */
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/sync.h"
#include "host/host.h"
#include "mgmt/show.h"

/* Devices first, by index; then the interfaces configured for devices that are not there. */
struct cursor {
	int32_t ifindex;
	char name[IFNAMSIZ];
	bool devices_done;
};

static void addresses(const struct host *h, int32_t ifindex, json_t *row)
{
	char buf[1024] = "", one[PREFIX_STRLEN];
	const struct host_addr *a;
	size_t i, len = 0;

	for (i = 0; (a = host_link_addr(h, ifindex, i)) && len < sizeof(buf); i++)
		len += snprintf(buf + len, sizeof(buf) - len, "%s%s", len ? " " : "",
				prefix_str(&a->prefix, one));
	if (buf[0])
		json_object_set_new(row, "addresses", json_string(buf));
}

static void port_columns(const struct show_env *env, const char *name, json_t *row)
{
	const struct host_port *p = host_port_by_name(env->host, name);
	struct dp_port_state st;
	const char *bound;

	if (!p)
		return;
	if (p->vrf[0])
		json_object_set_new(row, "vrf", json_string(p->vrf));
	if (p->vrf[0] || p->core)
		json_object_set_new(row, "role", json_string(p->core ? "core" : "customer"));
	if (p->why[0])
		json_object_set_new(row, "problem", json_string(p->why));
	if (!dp_sync_port(env->sync, name, &st))
		return;
	bound = st.bound ? "bound" : st.error ? st.why : p->ifindex ? "waiting" : "no such device";
	json_object_set_new(row, "port", json_string(bound));
}

static json_t *link_row(const struct show_env *env, const struct host_link *l)
{
	json_t *row = json_object();
	char mac[24];

	json_object_set_new(row, "name", json_string(l->name));
	if (!strcmp(l->kind, "l3vpn")) {
		json_object_set_new(row, "role", json_string("vrf"));
		json_object_set_new(row, "vrf", json_string(l->name));
	}
	json_object_set_new(row, "state",
			    json_string(!l->up ? "down" : l->carrier ? "up" : "no-carrier"));
	port_columns(env, l->name, row);
	json_object_set_new(row, "index", json_integer(l->ifindex));
	if (l->kind[0])
		json_object_set_new(row, "kind", json_string(l->kind));
	json_object_set_new(row, "mtu", json_integer(l->mtu));
	if (l->mac_len == 6) {
		snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", l->mac[0], l->mac[1],
			 l->mac[2], l->mac[3], l->mac[4], l->mac[5]);
		json_object_set_new(row, "mac", json_string(mac));
	}
	addresses(env->host, l->ifindex, row);
	return row;
}

static json_t *absent_row(const struct show_env *env, const struct host_port *p)
{
	json_t *row = json_object();

	json_object_set_new(row, "name", json_string(p->name));
	json_object_set_new(row, "state", json_string("absent"));
	port_columns(env, p->name, row);
	return row;
}

static enum mgmt_next show_one(struct mgmt_request *req, const struct show_env *env,
			       const char *name)
{
	const struct host_link *l = host_link_by_name(env->host, name);
	const struct host_port *p = host_port_by_name(env->host, name);

	if (!l && !p)
		return mgmt_error(req, MGMT_NOT_FOUND, "name", "there is no interface %s", name);
	mgmt_row(req, l ? link_row(env, l) : absent_row(env, p));
	return MGMT_DONE;
}

static enum mgmt_next show_interfaces(struct mgmt_request *req, void *arg)
{
	const struct show_env *env = arg;
	struct cursor *c = mgmt_state(req, sizeof(*c), NULL);
	const char *name = conf_str(mgmt_input(req), "name", NULL);
	const struct host_link *l;
	const struct host_port *p;

	if (name)
		return show_one(req, env, name);
	while (!c->devices_done && (l = host_link_after(env->host, c->ifindex))) {
		c->ifindex = l->ifindex;
		if (!mgmt_row(req, link_row(env, l)))
			return MGMT_AGAIN;
	}
	c->devices_done = true;
	while ((p = host_port_after(env->host, c->name))) {
		snprintf(c->name, sizeof(c->name), "%s", p->name);
		if (!host_link_by_name(env->host, p->name) && !mgmt_row(req, absent_row(env, p)))
			return MGMT_AGAIN;
	}
	return MGMT_DONE;
}

void show_host_register(struct mgmt *mgmt, const struct show_env *env)
{
	mgmt_register(mgmt, "show-interfaces", show_interfaces, (void *)env);
}
