// SPDX-License-Identifier: GPL-2.0
/*
 * host/request.c: what is asked of the kernel over rtnetlink (libnl-route-3), and sysctls. Each call
 * is answered at once.
 */
#include "host/state.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/route.h>
#include <netlink/route/rule.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"

#define METRIC_UNREACHABLE	4278198272u	/* behind every other route */

static int to_errno(int err)
{
	switch (-err) {
	case 0:
		return 0;
	case NLE_EXIST:
		return EEXIST;
	case NLE_OBJ_NOTFOUND:
		return ENOENT;
	case NLE_NOADDR:
		return EADDRNOTAVAIL;
	case NLE_NODEV:
		return ENODEV;
	case NLE_PERM:
	case NLE_NOACCESS:
		return EPERM;
	case NLE_NOMEM:
		return ENOMEM;
	case NLE_BUSY:
		return EBUSY;
	case NLE_OPNOTSUPP:
		return EOPNOTSUPP;
	}
	return EINVAL;
}

static struct nl_addr *to_nl_addr(const struct ip_addr *a, uint8_t len)
{
	struct nl_addr *n = nl_addr_build(a->family, a->b, addr_octets(a->family));

	if (n)
		nl_addr_set_prefixlen(n, len);
	return n;
}

int request_link_up(struct host *h, const struct host_link *l, bool up)
{
	struct rtnl_link *old = rtnl_link_alloc(), *change = rtnl_link_alloc();
	int err = -NLE_NOMEM;

	if (old && change) {
		rtnl_link_set_ifindex(old, l->ifindex);
		if (up)
			rtnl_link_set_flags(change, IFF_UP);
		else
			rtnl_link_unset_flags(change, IFF_UP);
		err = rtnl_link_change(h->requests, old, change, 0);
	}
	rtnl_link_put(old);
	rtnl_link_put(change);
	return to_errno(err);
}

int request_addr(struct host *h, int32_t ifindex, const struct prefix *p, bool add, bool nodad)
{
	struct rtnl_addr *a = rtnl_addr_alloc();
	struct nl_addr *local = to_nl_addr(&p->addr, p->len);
	int err = -NLE_NOMEM;

	if (a && local) {
		rtnl_addr_set_ifindex(a, ifindex);
		rtnl_addr_set_local(a, local);
		rtnl_addr_set_prefixlen(a, p->len);
		if (nodad && p->addr.family == AF_INET6)
			rtnl_addr_set_flags(a, IFA_F_NODAD);
		err = add ? rtnl_addr_add(h->requests, a, 0) :
		      rtnl_addr_delete(h->requests, a, 0);
	}
	nl_addr_put(local);
	rtnl_addr_put(a);
	err = to_errno(err);
	return (add && err == EEXIST) || (!add && err == EADDRNOTAVAIL) ? 0 : err;
}

int request_neigh(struct host *h, int32_t ifindex, const struct ip_addr *a, const uint8_t mac[6],
		  bool add)
{
	struct rtnl_neigh *n = rtnl_neigh_alloc();
	struct nl_addr *dst = to_nl_addr(a, addr_bits(a->family));
	struct nl_addr *ll = nl_addr_build(AF_LLC, mac, 6);
	int err = -NLE_NOMEM;

	if (n && dst && ll) {
		rtnl_neigh_set_ifindex(n, ifindex);
		rtnl_neigh_set_dst(n, dst);
		if (add) {
			rtnl_neigh_set_lladdr(n, ll);
			rtnl_neigh_set_state(n, NUD_PERMANENT);
		}
		err = add ? rtnl_neigh_add(h->requests, n, NLM_F_CREATE | NLM_F_REPLACE) :
		      rtnl_neigh_delete(h->requests, n, 0);
	}
	nl_addr_put(dst);
	nl_addr_put(ll);
	rtnl_neigh_put(n);
	err = to_errno(err);
	return !add && err == ENOENT ? 0 : err;
}

static int add_default(struct host *h, uint8_t family, uint32_t table, int32_t ifindex,
		       uint32_t metric)
{
	static const struct ip_addr zero;
	struct rtnl_route *r = rtnl_route_alloc();
	struct rtnl_nexthop *nh = rtnl_route_nh_alloc();
	struct nl_addr *dst = nl_addr_build(family, zero.b, addr_octets(family));
	int err = -NLE_NOMEM;

	if (r && nh && dst) {
		nl_addr_set_prefixlen(dst, 0);
		rtnl_route_set_family(r, family);
		rtnl_route_set_table(r, table);
		rtnl_route_set_protocol(r, RTPROT_STATIC);
		rtnl_route_set_priority(r, metric);
		rtnl_route_set_dst(r, dst);
		if (ifindex) {
			rtnl_route_set_type(r, RTN_UNICAST);
			rtnl_route_set_scope(r, family == AF_INET ? RT_SCOPE_LINK :
					     RT_SCOPE_UNIVERSE);
			rtnl_route_nh_set_ifindex(nh, ifindex);
			rtnl_route_add_nexthop(r, nh);
			nh = NULL;
		} else {
			rtnl_route_set_type(r, RTN_UNREACHABLE);
			rtnl_route_set_scope(r, RT_SCOPE_UNIVERSE);
		}
		err = rtnl_route_add(h->requests, r, NLM_F_CREATE | NLM_F_REPLACE);
	}
	if (nh)
		rtnl_route_nh_free(nh);
	nl_addr_put(dst);
	rtnl_route_put(r);
	return to_errno(err);
}

/* Default to the device, and behind it unreachable: nothing falls through to another table. */
int request_default(struct host *h, uint8_t family, uint32_t table, int32_t ifindex)
{
	int err = add_default(h, family, table, 0, METRIC_UNREACHABLE);

	return err ? err : add_default(h, family, table, ifindex, 1024);
}

int request_local_rule(struct host *h, uint8_t family, uint32_t priority, bool add)
{
	struct rtnl_rule *r = rtnl_rule_alloc();
	int err = -NLE_NOMEM;

	if (r) {
		rtnl_rule_set_family(r, family);
		rtnl_rule_set_prio(r, priority);
		rtnl_rule_set_table(r, RT_TABLE_LOCAL);
		rtnl_rule_set_action(r, FR_ACT_TO_TBL);
		err = add ? rtnl_rule_add(h->requests, r, NLM_F_EXCL) :
		      rtnl_rule_delete(h->requests, r, 0);
	}
	rtnl_rule_put(r);
	err = to_errno(err);
	return (add && err == EEXIST) || (!add && err == ENOENT) ? 0 : err;
}

/* /proc/sys/net/FAMILY/conf/DEV/NAME; a dot in a device's name is no separator in a path. */
bool sysctl_write(const char *family, const char *dev, const char *name, const char *value)
{
	char path[160];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, dev, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0) {
		log_debug("host", "%s: %s", path, strerror(errno));
		return false;
	}
	n = write(fd, value, strlen(value));
	close(fd);
	return n > 0;
}
