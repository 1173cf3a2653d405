// SPDX-License-Identifier: GPL-2.0
/*
 * host/port.c: the interfaces of the configuration: what is wanted of each, and its reconciliation with
 * the kernel's state. Runs from a job, never from inside a netlink dump.
 *
 * Order for a customer port: sysctls (before it is bound, so that its IPv6 addresses survive the
 * cycle), then listeners are told (dataplane/ binds it), then, with the VRF's device as master, addresses.
 */
#include "host/state.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/mem.h"

#define PORT_PRIO	40

/* ---- the table of ports ---- */

static size_t port_place(const struct host *h, const char *name)
{
	size_t lo = 0, hi = h->n_ports;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (strcmp(h->ports[mid]->pub.name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct port *port_named(const struct host *h, const char *name)
{
	size_t i = port_place(h, name);

	return i < h->n_ports && !strcmp(h->ports[i]->pub.name, name) ? h->ports[i] : NULL;
}

static struct port *port_make(struct host *h, const char *name)
{
	struct port *p = xcalloc(1, sizeof(*p));
	size_t i = port_place(h, name);

	snprintf(p->pub.name, sizeof(p->pub.name), "%s", name);
	list_init(&p->dirty);
	if (h->n_ports == h->ports_size) {
		h->ports_size = h->ports_size ? h->ports_size * 2 : 16;
		h->ports = xrealloc(h->ports, h->ports_size * sizeof(*h->ports));
	}
	memmove(h->ports + i + 1, h->ports + i, (h->n_ports - i) * sizeof(*h->ports));
	h->ports[i] = p;
	h->n_ports++;
	return p;
}

static void port_free(struct host *h, struct port *p)
{
	size_t i = port_place(h, p->pub.name);

	memmove(h->ports + i, h->ports + i + 1, (h->n_ports - i - 1) * sizeof(*h->ports));
	h->n_ports--;
	list_del(&p->dirty);
	free(p->addrs);
	free(p->neighs);
	free(p);
}

void ports_free(struct host *h)
{
	while (h->n_ports)
		port_free(h, h->ports[h->n_ports - 1]);
	free(h->ports);
}

void port_dirty(struct host *h, struct port *p)
{
	if (!list_linked(&p->dirty))
		list_add_tail(&h->dirty_ports, &p->dirty);
	job_schedule(&h->work);
}

void port_link_changed(struct host *h, const char *name)
{
	struct port *p = port_named(h, name);
	struct vrfdev *v = vrfdev_named(h, name);
	const struct link *l = link_named(h, name);
	size_t i;

	if (p)
		port_dirty(h, p);
	if (!v)
		return;
	if (!l || !l->pub.up)
		v->routes_set = false;	/* the kernel takes them away in silence */
	vrfdev_dirty(h, v);
	for (i = 0; i < h->n_ports; i++)
		if (!strcmp(h->ports[i]->pub.vrf, name))
			port_dirty(h, h->ports[i]);
}

void port_neigh_lost(struct host *h, const struct link *l, const struct ip_addr *a)
{
	struct port *p = port_named(h, l->pub.name);
	size_t i;

	for (i = 0; p && i < p->n_neighs; i++)
		if (addr_eq(&p->neighs[i].addr, a) && p->neighs[i].set) {
			p->neighs[i].set = false;
			port_dirty(h, p);
		}
}

/* ---- reconciliation ---- */

static void refused(struct host *h, struct port *p, int err, const char *fmt, const char *what)
{
	char why[sizeof(p->pub.why)], detail[64];
	bool told = p->failed;

	snprintf(detail, sizeof(detail), fmt, what);
	snprintf(why, sizeof(why), "%s: %s", detail, strerror(err));
	if (!told || strcmp(why, p->pub.why))
		log_warn("host", "interface %s: %s", p->pub.name, why);
	memcpy(p->pub.why, why, sizeof(why));
	p->failed = true;
	retry_later(h);
}

/*
 * A customer port: replies take the way the VRF says (2: loose), addresses outlive the cycle of
 * binding, and what a customer advertises configures nothing here.
 */
static void port_sysctls(const struct port *p)
{
	if (!p->pub.vrf[0])
		return;
	sysctl_write("ipv4", p->pub.name, "rp_filter", "2");
	sysctl_write("ipv6", p->pub.name, "keep_addr_on_down", "1");
	sysctl_write("ipv6", p->pub.name, "accept_ra", "0");
	sysctl_write("ipv6", p->pub.name, "autoconf", "0");
}

/* May its addresses be there now? A customer's only inside its VRF, the core's only outside of any. */
static bool port_ready(const struct host *h, const struct port *p, const struct link *l)
{
	const struct vrfdev *v;
	const struct link *master;

	if (!p->pub.vrf[0]) {
		master = l->pub.master ? link_find(h, l->pub.master) : NULL;
		return !master || !vrfdev_named(h, master->pub.name);
	}
	v = vrfdev_named(h, p->pub.vrf);
	master = link_named(h, p->pub.vrf);
	return v && v->table && master && l->pub.master == master->pub.ifindex;
}

static void port_addrs(struct host *h, struct port *p, struct link *l)
{
	char buf[PREFIX_STRLEN];
	struct host_addr *a;
	size_t i;
	int err;

	for (i = 0; i < p->n_addrs; i++) {
		a = link_addr_find(l, &p->addrs[i]);
		if (a) {
			a->ours = true;
			continue;
		}
		err = request_addr(h, l->pub.ifindex, &p->addrs[i], true, false);
		if (err)
			refused(h, p, err, "address %s", prefix_str(&p->addrs[i], buf));
	}
}

static void port_neighs(struct host *h, struct port *p, const struct link *l)
{
	char buf[ADDR_STRLEN];
	size_t i;
	int err;

	for (i = 0; i < p->n_neighs; i++) {
		struct static_neigh *n = &p->neighs[i];

		if (!l->pub.up) {
			n->set = false;		/* the kernel forgets them on a device that is down */
			continue;
		}
		if (n->set)
			continue;
		err = request_neigh(h, l->pub.ifindex, &n->addr, n->mac, true);
		n->set = !err;
		if (err)
			refused(h, p, err, "neighbour %s", addr_str(&n->addr, buf));
	}
}

void port_reconcile(struct host *h, struct port *p)
{
	struct link *l = link_named(h, p->pub.name);
	size_t i;
	int err;

	p->failed = false;
	if (!l) {
		p->pub.ifindex = 0;
		for (i = 0; i < p->n_neighs; i++)
			p->neighs[i].set = false;
	} else if (p->told != l->pub.ifindex) {
		p->pub.ifindex = l->pub.ifindex;
		p->raise = true;
		port_sysctls(p);
		for (i = 0; i < p->n_neighs; i++)
			p->neighs[i].set = false;
	}
	if (p->told != p->pub.ifindex) {
		p->told = p->pub.ifindex;
		tell_port(h, HOST_CHANGE, p);
	}
	/* an operator who sets it down (to rename it, say) is not worked against */
	if (l && l->pub.up == p->pub.shutdown && (p->raise || p->pub.shutdown)) {
		err = request_link_up(h, &l->pub, !p->pub.shutdown);
		if (err)
			refused(h, p, err, "%s", p->pub.shutdown ? "set down" : "set up");
		p->raise = err;
	}
	if (l && l->pub.up)
		p->raise = false;
	if (l && port_ready(h, p, l)) {
		port_addrs(h, p, l);
		port_neighs(h, p, l);
	}
	if (!p->failed)
		p->pub.why[0] = '\0';
}

/* ---- configuration ---- */

bool addrs_have(const struct prefix *addrs, size_t n, const struct prefix *p)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (prefix_eq(&addrs[i], p))
			return true;
	return false;
}

size_t addrs_parse(const struct lyd_node *node, const char *const rels[2], struct prefix **out)
{
	const struct lyd_node *entry;
	struct prefix p;
	size_t n = 0;
	int i;

	*out = NULL;
	for (i = 0; i < 2; i++)
		conf_for_each(entry, node, rels[i]) {
			if (!prefix_parse_host(conf_value(entry), &p) || addrs_have(*out, n, &p))
				continue;
			*out = xrealloc(*out, (n + 1) * sizeof(**out));
			(*out)[n++] = p;
		}
	return n;
}

static bool mac_parse(const char *s, uint8_t mac[6])
{
	return s && sscanf(s, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2], &mac[3],
			   &mac[4], &mac[5]) == 6;
}

static size_t neighs_parse(const struct lyd_node *node, struct static_neigh **out)
{
	static const char *const rels[] = { "arp", "neighbor" };
	const struct lyd_node *entry;
	struct static_neigh n;
	size_t count = 0;
	int i;

	*out = NULL;
	for (i = 0; i < 2; i++)
		conf_for_each(entry, node, rels[i]) {
			memset(&n, 0, sizeof(n));
			if (!addr_parse(conf_str(entry, "address", ""), &n.addr) ||
			    !mac_parse(conf_str(entry, "mac", NULL), n.mac))
				continue;
			*out = xrealloc(*out, (count + 1) * sizeof(**out));
			(*out)[count++] = n;
		}
	return count;
}

/* What the configuration no longer wants goes from the device, if it is there. */
static void addrs_drop(struct host *h, const struct port *p, const struct prefix *old, size_t n)
{
	struct link *l = link_named(h, p->pub.name);
	char buf[PREFIX_STRLEN];
	size_t i;
	int err;

	for (i = 0; l && i < n; i++) {
		if (addrs_have(p->addrs, p->n_addrs, &old[i]) || !link_addr_find(l, &old[i]))
			continue;
		err = request_addr(h, l->pub.ifindex, &old[i], false, false);
		if (err)
			log_warn("host", "interface %s: address %s cannot be removed: %s",
				 p->pub.name, prefix_str(&old[i], buf), strerror(err));
	}
}

static void neighs_drop(struct host *h, struct port *p, const struct static_neigh *old, size_t n)
{
	struct link *l = link_named(h, p->pub.name);
	size_t i, k;

	for (i = 0; l && i < n; i++) {
		for (k = 0; k < p->n_neighs && !addr_eq(&p->neighs[k].addr, &old[i].addr); k++)
			;
		if (k == p->n_neighs)
			request_neigh(h, l->pub.ifindex, &old[i].addr, old[i].mac, false);
		else if (!memcmp(p->neighs[k].mac, old[i].mac, 6))
			p->neighs[k].set = old[i].set;
	}
}

static void on_interface(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now,
			 void *arg)
{
	static const char *const rels[] = { "ipv4-address", "ipv6-address" };
	struct host *h = arg;
	const char *name = conf_str(now ? now : old, "name", "");
	struct port *p = port_named(h, name);
	struct prefix *addrs;
	struct static_neigh *neighs;
	size_t n_addrs, n_neighs;
	struct host_guard guard;
	char vrf[IFNAMSIZ] = "";
	bool core;

	if (!p)
		p = port_make(h, name);
	addrs = p->addrs;
	neighs = p->neighs;
	n_addrs = p->n_addrs;
	n_neighs = p->n_neighs;
	p->n_addrs = addrs_parse(op == CONF_DEL ? NULL : now, rels, &p->addrs);
	p->n_neighs = neighs_parse(op == CONF_DEL ? NULL : now, &p->neighs);
	addrs_drop(h, p, addrs, n_addrs);
	neighs_drop(h, p, neighs, n_neighs);
	free(addrs);
	free(neighs);
	if (op == CONF_DEL) {
		tell_port(h, HOST_DEL, p);
		port_free(h, p);
		return;
	}
	snprintf(vrf, sizeof(vrf), "%s", conf_str(now, "vrf", ""));
	guard_parse(conf_running(h->conf), now, &guard);
	core = conf_exists(now, "mpls") || conf_exists(now, "core");
	if (op == CONF_ADD || strcmp(vrf, p->pub.vrf) || p->pub.core != core ||
	    p->pub.mpls_mtu != conf_u32(now, "mpls-mtu", 0) ||
	    memcmp(&guard, &p->pub.guard, sizeof(guard))) {
		memcpy(&p->pub.guard, &guard, sizeof(guard));
		memcpy(p->pub.vrf, vrf, sizeof(vrf));
		p->pub.core = core;
		p->pub.mpls_mtu = conf_u32(now, "mpls-mtu", 0);
		if (link_named(h, name)) {
			p->pub.ifindex = p->told = link_named(h, name)->pub.ifindex;
			port_sysctls(p);
		}
		tell_port(h, op == CONF_ADD ? HOST_NEW : HOST_CHANGE, p);
	}
	p->pub.shutdown = conf_exists(now, "shutdown");
	p->raise = !p->pub.shutdown;
	port_dirty(h, p);
}

static bool addr_valid(const struct lyd_node *node, struct conf_error *err)
{
	struct prefix p, net;
	uint32_t host, mask;

	if (!prefix_parse_host(conf_value(node), &p))
		return conf_error_node(err, node, "not an address with its prefix length");
	if (addr_is_multicast(&p.addr) || addr_is_unspecified(&p.addr))
		return conf_error_node(err, node, "not an address that an interface can have");
	net = p;
	prefix_mask(&net);
	if (p.len < addr_bits(p.addr.family) - 1 && addr_eq(&net.addr, &p.addr))
		return conf_error_node(err, node, "is the network, not an address in it");
	if (p.addr.family == AF_INET && p.len < 31) {
		mask = p.len ? ~0u << (32 - p.len) : 0;
		host = addr_to_v4(&p.addr) & ~mask;
		if (host == ~mask)
			return conf_error_node(err, node, "is the network's broadcast address");
	}
	return true;
}

/* The same address on two interfaces of one VRF serves nobody. */
static bool addr_single(const struct lyd_node *candidate, const struct lyd_node *ifc,
			const struct lyd_node *node, const char *rel, struct conf_error *err)
{
	const char *vrf = conf_str(ifc, "vrf", ""), *slash;
	const struct lyd_node *other, *entry;
	size_t len;

	slash = strchr(conf_value(node), '/');
	len = slash ? (size_t)(slash - conf_value(node)) + 1 : strlen(conf_value(node));
	conf_for_each_top(other, candidate, "interface") {
		if (other == ifc)
			break;		/* each pair once */
		if (strcmp(conf_str(other, "vrf", ""), vrf))
			continue;
		conf_for_each(entry, other, rel)
			if (!strncmp(conf_value(entry), conf_value(node), len))
				return conf_error_node(err, node, "is interface %s's already",
						       conf_str(other, "name", "?"));
	}
	return true;
}

static bool on_validate(const struct lyd_node *candidate, struct conf_error *err, void *arg)
{
	static const char *const rels[] = { "ipv4-address", "ipv6-address" };
	const struct lyd_node *ifc, *node;
	struct ip_addr a;
	uint8_t mac[6];
	int i;

	(void)arg;
	conf_for_each_top(ifc, candidate, "interface") {
		if (conf_top_entry(candidate, "vrf", conf_str(ifc, "name", "")))
			return conf_error_node(err, ifc, "a VRF has that name");
		for (i = 0; i < 2; i++)
			conf_for_each(node, ifc, rels[i])
				if (!addr_valid(node, err) ||
				    !addr_single(candidate, ifc, node, rels[i], err))
					return false;
		for (i = 0; i < 2; i++)
			conf_for_each(node, ifc, i ? "neighbor" : "arp") {
				if (!addr_parse(conf_str(node, "address", ""), &a))
					return conf_error_node(err, node, "not an address");
				if (!mac_parse(conf_str(node, "mac", NULL), mac) || mac[0] & 1)
					return conf_error_node(err, node, "a neighbour's MAC address is a unicast one");
			}
	}
	return true;
}

/* LDP runs there now, or no longer: what labels the port accepts follows (guard.c). */
static void on_ldp(enum conf_op op, const struct lyd_node *old, const struct lyd_node *now, void *arg)
{
	const char *name = conf_str(now ? now : old, "name", "");
	struct host *h = arg;
	const struct lyd_node *n = conf_top_entry(conf_running(h->conf), "interface", name);
	struct port *p = n ? port_named(h, name) : NULL;
	struct host_guard guard;

	if (!p)
		return;
	guard_parse(conf_running(h->conf), n, &guard);
	if (!memcmp(&guard, &p->pub.guard, sizeof(guard)))
		return;
	memcpy(&p->pub.guard, &guard, sizeof(guard));
	tell_port(h, HOST_CHANGE, p);
}

void port_subscribe(struct host *h)
{
	struct conf_subscriber ldp = {
		.name = "interfaces", .path = "/l3vpn:mpls/ldp/interface", .prio = PORT_PRIO + 1,
		.change = on_ldp, .arg = h,
	};
	struct conf_subscriber sub = {
		.name = "interfaces", .path = "/l3vpn:interface", .prio = PORT_PRIO,
		.validate = on_validate, .change = on_interface, .arg = h,
	};

	conf_subscribe(h->conf, &sub);
	conf_subscribe(h->conf, &ldp);
}
