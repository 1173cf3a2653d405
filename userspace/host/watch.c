// SPDX-License-Identifier: GPL-2.0
/*
 * host/watch.c: the kernel's links, addresses, routes (route.c) and lost static neighbours come in, at
 * start by dumps and then by multicast. When messages are lost everything is read again, and what is not
 * there any more is told as gone.
 */
#include "host/state.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/log.h"
#include "lib/mem.h"

#define EVENTS_RCVBUF	(4 << 20)
#define EVENT_SLICE	64
#define RESYNC_MS	200

/* ---- links ---- */

static size_t link_place(const struct host *h, int32_t ifindex)
{
	size_t lo = 0, hi = h->n_links;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (h->links[mid]->pub.ifindex < ifindex)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct link *link_find(const struct host *h, int32_t ifindex)
{
	size_t i = link_place(h, ifindex);

	return i < h->n_links && h->links[i]->pub.ifindex == ifindex ? h->links[i] : NULL;
}

static bool name_match(const struct hash_node *n, const void *key)
{
	return !strcmp(hash_entry(n, struct link, by_name)->pub.name, key);
}

struct link *link_named(const struct host *h, const char *name)
{
	struct hash_node *n = hash_find(&h->names, hash_bytes(name, strlen(name), 0), name_match, name);

	return n ? hash_entry(n, struct link, by_name) : NULL;
}

static void link_name(struct host *h, struct link *l, const char *name)
{
	snprintf(l->pub.name, sizeof(l->pub.name), "%s", name);
	hash_insert(&h->names, &l->by_name, hash_bytes(l->pub.name, strlen(l->pub.name), 0));
}

static struct link *link_make(struct host *h, int32_t ifindex, const char *name)
{
	struct link *l = xcalloc(1, sizeof(*l));
	size_t i = link_place(h, ifindex);

	l->pub.ifindex = ifindex;
	if (h->n_links == h->links_size) {
		h->links_size = h->links_size ? h->links_size * 2 : 64;
		h->links = xrealloc(h->links, h->links_size * sizeof(*h->links));
	}
	memmove(h->links + i + 1, h->links + i, (h->n_links - i) * sizeof(*h->links));
	h->links[i] = l;
	h->n_links++;
	link_name(h, l, name);
	return l;
}

static void link_free(struct host *h, struct link *l)
{
	size_t i = link_place(h, l->pub.ifindex);

	hash_remove(&h->names, &l->by_name);
	memmove(h->links + i, h->links + i + 1, (h->n_links - i - 1) * sizeof(*h->links));
	h->n_links--;
	free(l->addrs);
	free(l);
}

static void link_gone(struct host *h, struct link *l)
{
	char name[IFNAMSIZ];

	memcpy(name, l->pub.name, sizeof(name));
	nht_link_del(h->nht, l->pub.ifindex);
	tell_link(h, HOST_DEL, l);
	link_free(h, l);
	port_link_changed(h, name);
}

static void link_feed(struct host *h, const struct link *l)
{
	struct nht_link nl = { .ifindex = l->pub.ifindex, .up = l->pub.carrier };

	memcpy(nl.name, l->pub.name, sizeof(nl.name));
	nht_link_set(h->nht, &nl);
}

static void link_kind(struct nlattr *info, char *kind, size_t len)
{
	struct nlattr *tb[IFLA_INFO_MAX + 1];

	if (info && !nla_parse_nested(tb, IFLA_INFO_MAX, info, NULL) && tb[IFLA_INFO_KIND])
		snprintf(kind, len, "%s", nla_get_string(tb[IFLA_INFO_KIND]));
}

static void link_message(struct host *h, struct nlmsghdr *nlh)
{
	struct ifinfomsg *ifi = nlmsg_data(nlh);
	struct nlattr *tb[IFLA_MAX + 1];
	struct host_link was = { 0 };
	char old[IFNAMSIZ] = "";
	struct link *l;
	bool fresh, same;

	if (nlmsg_parse(nlh, sizeof(*ifi), tb, IFLA_MAX, NULL) || ifi->ifi_family == AF_BRIDGE ||
	    !tb[IFLA_IFNAME])
		return;
	l = link_find(h, ifi->ifi_index);
	if (nlh->nlmsg_type == RTM_DELLINK) {
		if (l)
			link_gone(h, l);
		return;
	}
	fresh = !l;
	if (l && strcmp(l->pub.name, nla_get_string(tb[IFLA_IFNAME]))) {
		tell_link(h, HOST_DEL, l);
		memcpy(old, l->pub.name, sizeof(old));
		hash_remove(&h->names, &l->by_name);
		link_name(h, l, nla_get_string(tb[IFLA_IFNAME]));
		fresh = true;
	} else if (l) {
		was = l->pub;
	} else {
		l = link_make(h, ifi->ifi_index, nla_get_string(tb[IFLA_IFNAME]));
	}
	l->seen = true;
	l->pub.flags = ifi->ifi_flags;
	l->pub.up = ifi->ifi_flags & IFF_UP;
	l->pub.carrier = (ifi->ifi_flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING);
	l->pub.master = tb[IFLA_MASTER] ? (int32_t)nla_get_u32(tb[IFLA_MASTER]) : 0;
	l->pub.mtu = tb[IFLA_MTU] ? nla_get_u32(tb[IFLA_MTU]) : 0;
	if (ifi->ifi_type == ARPHRD_ETHER && tb[IFLA_ADDRESS] && nla_len(tb[IFLA_ADDRESS]) == 6) {
		l->pub.mac_len = 6;
		memcpy(l->pub.mac, nla_data(tb[IFLA_ADDRESS]), 6);
	}
	link_kind(tb[IFLA_LINKINFO], l->pub.kind, sizeof(l->pub.kind));
	same = !fresh && !memcmp(&was, &l->pub, sizeof(was));
	if (same)
		return;
	link_feed(h, l);
	tell_link(h, fresh ? HOST_NEW : HOST_CHANGE, l);
	if (old[0])
		port_link_changed(h, old);
	port_link_changed(h, l->pub.name);
}

/* ---- addresses ---- */

struct host_addr *link_addr_find(const struct link *l, const struct prefix *p)
{
	size_t i;

	for (i = 0; i < l->n_addrs; i++)
		if (prefix_eq(&l->addrs[i].prefix, p))
			return &l->addrs[i];
	return NULL;
}

static void addr_gone(struct host *h, struct link *l, struct host_addr *a)
{
	struct host_addr copy = *a;

	*a = l->addrs[--l->n_addrs];
	nht_addr_del(h->nht, l->pub.ifindex, &copy.prefix);
	tell_addr(h, HOST_DEL, l, &copy);
}

static void addr_message(struct host *h, struct nlmsghdr *nlh)
{
	struct ifaddrmsg *ifa = nlmsg_data(nlh);
	struct nlattr *tb[IFA_MAX + 1], *at;
	struct host_addr *a, addr = { 0 };
	struct link *l;
	uint32_t flags;

	if (nlmsg_parse(nlh, sizeof(*ifa), tb, IFA_MAX, NULL) ||
	    (ifa->ifa_family != AF_INET && ifa->ifa_family != AF_INET6))
		return;
	at = tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS];
	l = link_find(h, ifa->ifa_index);
	if (!at || nla_len(at) < (int)addr_octets(ifa->ifa_family) || !l)
		return;
	flags = tb[IFA_FLAGS] ? nla_get_u32(tb[IFA_FLAGS]) : ifa->ifa_flags;
	addr.prefix.addr = addr_make(ifa->ifa_family, nla_data(at));
	addr.prefix.len = ifa->ifa_prefixlen;
	addr.tentative = flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED);
	a = link_addr_find(l, &addr.prefix);
	if (nlh->nlmsg_type == RTM_DELADDR) {
		if (a)
			addr_gone(h, l, a);
		port_link_changed(h, l->pub.name);
		return;
	}
	if (a) {
		if (a->tentative != addr.tentative) {
			a->tentative = addr.tentative;
			tell_addr(h, HOST_CHANGE, l, a);
		}
		return;
	}
	l->addrs = xrealloc(l->addrs, (l->n_addrs + 1) * sizeof(*l->addrs));
	a = &l->addrs[l->n_addrs++];
	*a = addr;
	nht_addr_add(h->nht, l->pub.ifindex, &a->prefix);
	tell_addr(h, HOST_NEW, l, a);
	port_link_changed(h, l->pub.name);
}

static void neigh_message(struct host *h, struct nlmsghdr *nlh)
{
	struct ndmsg *nd = nlmsg_data(nlh);
	struct nlattr *tb[NDA_MAX + 1];
	struct ip_addr a;
	struct link *l;

	/* an entry that somebody still refers to is not deleted, but fails */
	if ((nlh->nlmsg_type == RTM_NEWNEIGH && nd->ndm_state & NUD_PERMANENT) ||
	    nlmsg_parse(nlh, sizeof(*nd), tb, NDA_MAX, NULL) || !tb[NDA_DST] ||
	    nla_len(tb[NDA_DST]) < (int)addr_octets(nd->ndm_family) ||
	    !addr_octets(nd->ndm_family))
		return;
	a = addr_make(nd->ndm_family, nla_data(tb[NDA_DST]));
	l = link_find(h, nd->ndm_ifindex);
	if (l)
		port_neigh_lost(h, l, &a);
}

/* ---- messages ---- */

static int on_message(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct host *h = arg;

	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		if (nlmsg_valid_hdr(nlh, sizeof(struct ifinfomsg)))
			link_message(h, nlh);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		if (nlmsg_valid_hdr(nlh, sizeof(struct ifaddrmsg)))
			addr_message(h, nlh);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		if (nlmsg_valid_hdr(nlh, sizeof(struct rtmsg)))
			route_message(h, nlh);
		break;
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		if (nlmsg_valid_hdr(nlh, sizeof(struct ndmsg)))
			neigh_message(h, nlh);
		break;
	}
	return NL_OK;
}

static int dump(struct host *h, int type, int family)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	union {
		struct ifinfomsg link;
		struct ifaddrmsg addr;
		struct rtmsg route;
	} ask = { 0 };
	size_t len = type == RTM_GETLINK ? sizeof(ask.link) :
		     type == RTM_GETADDR ? sizeof(ask.addr) : sizeof(ask.route);
	int err = -NLE_NOMEM;

	if (!cb)
		return err;
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_message, h);
	ask.route.rtm_family = family;	/* the first octet of each */
	err = nl_send_simple(h->requests, type, NLM_F_DUMP, &ask, len);
	if (err >= 0)
		err = nl_recvmsgs(h->requests, cb);
	nl_cb_put(cb);
	return err;
}

/* Everything anew; what was not seen is gone. */
static int read_all(struct host *h)
{
	size_t i, k;
	int err;

	for (i = 0; i < h->n_links; i++) {
		h->links[i]->seen = false;
		/* addresses are told again: those that went meanwhile must go here too */
		for (k = h->links[i]->n_addrs; k--;)
			addr_gone(h, h->links[i], &h->links[i]->addrs[k]);
	}
	routes_reading(h);
	err = dump(h, RTM_GETLINK, AF_UNSPEC);
	for (i = h->n_links; i-- && err >= 0;)
		if (!h->links[i]->seen)
			link_gone(h, h->links[i]);
	if (err >= 0)
		err = dump(h, RTM_GETADDR, AF_UNSPEC);
	if (err >= 0)
		err = dump(h, RTM_GETROUTE, AF_INET);
	if (err >= 0)
		err = dump(h, RTM_GETROUTE, AF_INET6);
	/* a kernel without MPLS would answer with every other family's routes */
	if (err >= 0 && routes_mpls())
		err = dump(h, RTM_GETROUTE, AF_MPLS);
	if (err >= 0)
		routes_read(h);
	return err;
}

static void resync_due(struct timer *t)
{
	struct host *h = container_of(t, struct host, resync);
	int err = read_all(h);

	if (err < 0) {
		log_warn("host", "cannot read the kernel's state: %s", nl_geterror(err));
		timer_start(&h->resync, RESYNC_MS);
	}
}

static void events_readable(uv_poll_t *poll, int status, int events)
{
	struct host *h = poll->data;
	int i, err;

	(void)status;
	(void)events;
	for (i = 0; i < EVENT_SLICE && !h->closing; i++) {
		err = nl_recvmsgs_default(h->events);
		if (err == -NLE_AGAIN)
			return;
		if (err < 0) {
			log_warn("host", "events were lost (%s): reading everything again",
				 nl_geterror(err));
			timer_start(&h->resync, RESYNC_MS);
			return;
		}
	}
}

bool watch_start(struct host *h, char *why, size_t len)
{
	int err;

	routes_init(h);
	timer_init(&h->resync, h->jobs, resync_due);
	h->events = nl_socket_alloc();
	h->requests = nl_socket_alloc();
	if (!h->events || !h->requests) {
		snprintf(why, len, "no memory for netlink sockets");
		return false;
	}
	nl_socket_disable_seq_check(h->events);
	nl_socket_modify_cb(h->events, NL_CB_VALID, NL_CB_CUSTOM, on_message, h);
	err = nl_connect(h->events, NETLINK_ROUTE);
	if (!err)
		err = nl_connect(h->requests, NETLINK_ROUTE);
	if (!err)
		err = nl_socket_add_memberships(h->events, RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR,
						RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
						RTNLGRP_IPV6_ROUTE, RTNLGRP_MPLS_ROUTE, RTNLGRP_NEIGH,
						0);
	if (!err)
		err = nl_socket_set_nonblocking(h->events);
	if (!err) {
		int size = EVENTS_RCVBUF, fd = nl_socket_get_fd(h->events);

		if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
			setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
		nl_socket_set_msg_buf_size(h->events, 65536);
		nl_socket_set_msg_buf_size(h->requests, 65536);
		err = read_all(h);
	}
	if (err < 0) {
		snprintf(why, len, "cannot read interfaces over netlink: %s", nl_geterror(err));
		return false;
	}
	uv_poll_init(h->loop, &h->poll, nl_socket_get_fd(h->events));
	h->poll.data = h;
	h->handles = 1;
	uv_poll_start(&h->poll, UV_READABLE, events_readable);
	return true;
}

void watch_stop(struct host *h)
{
	timer_stop(&h->resync);
	while (h->n_links)
		link_free(h, h->links[h->n_links - 1]);
	free(h->links);
	hash_fini(&h->names);
	routes_fini(h);
	nl_socket_free(h->events);
	nl_socket_free(h->requests);
}
