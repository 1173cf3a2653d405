// SPDX-License-Identifier: GPL-2.0
/*
 * host/vrfdev.c: what VRF devices need of the host: up, loopback addresses, default routes of their kernel
 * tables; and the order of the kernel's rules while there is any.
 *
 * The kernel's rule "0: lookup local" stands before the l3mdev rule (1000), so that whatever reaches
 * the stack from a customer port could reach any address of the box. While a VRF is there `local` stands
 * at 32765: what arrives in a VRF is looked up in the VRF's table, which ends in unreachable.
 */
#include "host/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/mem.h"

#define VRF_PRIO	35		/* behind the VRF itself, before its interfaces */
#define RULE_FIRST	0
#define RULE_LAST	32765

struct vrfdev *vrfdev_named(const struct host *h, const char *name)
{
	struct vrfdev *v;

	list_for_each(v, &h->vrfdevs, struct vrfdev, node)
		if (!strcmp(v->name, name))
			return v;
	return NULL;
}

static struct vrfdev *vrfdev_make(struct host *h, const char *name)
{
	struct vrfdev *v = vrfdev_named(h, name);

	if (v)
		return v;
	v = xcalloc(1, sizeof(*v));
	snprintf(v->name, sizeof(v->name), "%s", name);
	list_init(&v->dirty);
	list_add_tail(&h->vrfdevs, &v->node);
	return v;
}

static void vrfdev_free(struct vrfdev *v)
{
	list_del(&v->node);
	list_del(&v->dirty);
	free(v->addrs);
	free(v);
}

void vrfdevs_free(struct host *h)
{
	struct vrfdev *v, *tmp;

	list_for_each_safe(v, tmp, &h->vrfdevs, struct vrfdev, node)
		vrfdev_free(v);
}

void vrfdev_dirty(struct host *h, struct vrfdev *v)
{
	if (!list_linked(&v->dirty))
		list_add_tail(&h->dirty_vrfdevs, &v->dirty);
	job_schedule(&h->work);
}

/* ---- rules ---- */

/* The new place first: at no moment is there no `local` rule. */
static void isolate(struct host *h, bool on)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	size_t i;
	int err;

	if (h->isolated == on)
		return;
	for (i = 0; i < ARRAY_SIZE(families); i++) {
		err = request_local_rule(h, families[i], on ? RULE_LAST : RULE_FIRST, true);
		if (!err)
			err = request_local_rule(h, families[i], on ? RULE_FIRST : RULE_LAST, false);
		if (err) {
			log_err("host", "the rule `lookup local` cannot be moved to %d: %s",
				on ? RULE_LAST : RULE_FIRST, strerror(err));
			return;
		}
	}
	h->isolated = on;
}

static bool any_vrf(const struct host *h)
{
	struct vrfdev *v;

	list_for_each(v, &h->vrfdevs, struct vrfdev, node)
		if (v->table)
			return true;
	return false;
}

/* ---- devices ---- */

static void refused(struct host *h, struct vrfdev *v, int err, const char *what)
{
	if (!v->failed)
		log_warn("host", "vrf %s: %s: %s", v->name, what, strerror(err));
	v->failed = true;
	retry_later(h);
}

static void vrfdev_addrs(struct host *h, struct vrfdev *v, struct link *l)
{
	char buf[PREFIX_STRLEN];
	struct host_addr *a;
	size_t i;
	int err;

	for (i = 0; i < v->n_addrs; i++) {
		a = link_addr_find(l, &v->addrs[i]);
		if (a) {
			a->ours = true;
			continue;
		}
		err = request_addr(h, l->pub.ifindex, &v->addrs[i], true, true);
		if (err)
			refused(h, v, err, prefix_str(&v->addrs[i], buf));
	}
}

void vrfdev_reconcile(struct host *h, struct vrfdev *v)
{
	struct link *l = link_named(h, v->name);
	int err;

	if (!v->table || !l)
		return;
	v->failed = false;
	if (!l->pub.up) {
		sysctl_write("ipv4", v->name, "rp_filter", "2");
		sysctl_write("ipv6", v->name, "keep_addr_on_down", "1");
		err = request_link_up(h, &l->pub, true);
		if (err)
			refused(h, v, err, "set up");
		return;			/* its coming up is told, and goes on here */
	}
	vrfdev_addrs(h, v, l);
	if (v->routes_set)
		return;
	err = request_default(h, AF_INET, v->table, l->pub.ifindex);
	if (!err)
		err = request_default(h, AF_INET6, v->table, l->pub.ifindex);
	if (err)
		refused(h, v, err, "default route of its table");
	else
		v->routes_set = true;
}

void vrfdev_route_lost(struct host *h, uint32_t table)
{
	struct vrfdev *v;

	list_for_each(v, &h->vrfdevs, struct vrfdev, node)
		if (v->table == table && v->routes_set) {
			v->routes_set = false;
			vrfdev_dirty(h, v);
		}
}

void host_vrf_add(struct host *h, const char *name, uint32_t table)
{
	struct vrfdev *v = vrfdev_make(h, name);
	size_t i;

	isolate(h, true);
	if (v->table != table)
		v->routes_set = false;
	v->table = table;
	vrfdev_dirty(h, v);
	for (i = 0; i < h->n_ports; i++)
		if (!strcmp(h->ports[i]->pub.vrf, name))
			port_dirty(h, h->ports[i]);
}

void host_vrf_del(struct host *h, const char *name)
{
	struct vrfdev *v = vrfdev_named(h, name);

	if (!v)
		return;
	v->table = 0;
	v->routes_set = false;
	if (!v->configured)
		vrfdev_free(v);
	if (!any_vrf(h))
		isolate(h, false);
}

/* ---- configuration ---- */

static void on_vrf(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now, void *arg)
{
	static const char *const rels[] = { "loopback/ipv4-address", "loopback/ipv6-address" };
	struct host *h = arg;
	const char *name = conf_str(now ? now : old, "name", "");
	struct vrfdev *v = vrfdev_make(h, name);
	struct link *l = link_named(h, name);
	struct prefix *was = v->addrs;
	size_t n_was = v->n_addrs, i;

	v->configured = op != CONF_DEL;
	v->n_addrs = addrs_parse(op == CONF_DEL ? NULL : now, rels, &v->addrs);
	for (i = 0; l && v->table && i < n_was; i++)
		if (!addrs_have(v->addrs, v->n_addrs, &was[i]) && link_addr_find(l, &was[i]))
			request_addr(h, l->pub.ifindex, &was[i], false, false);
	free(was);
	if (op == CONF_DEL && !v->table)
		vrfdev_free(v);
	else
		vrfdev_dirty(h, v);
}

static bool on_validate(const struct lyd_node *candidate, struct conf_error *err, void *arg)
{
	static const char *const rels[] = { "loopback/ipv4-address", "loopback/ipv6-address" };
	const struct lyd_node *vrf, *node;
	struct prefix p;
	int i;

	(void)arg;
	conf_for_each_top(vrf, candidate, "vrf")
		for (i = 0; i < 2; i++)
			conf_for_each(node, vrf, rels[i])
				if (!prefix_parse_host(conf_value(node), &p) ||
				    addr_is_multicast(&p.addr) || addr_is_unspecified(&p.addr))
					return conf_error_node(err, node,
							       "not an address that a VRF can have");
	return true;
}

void vrfdev_subscribe(struct host *h)
{
	struct conf_subscriber sub = {
		.name = "vrf loopbacks", .path = "/l3vpn:vrf", .prio = VRF_PRIO,
		.validate = on_validate, .change = on_vrf, .arg = h,
	};

	conf_subscribe(h->conf, &sub);
}
