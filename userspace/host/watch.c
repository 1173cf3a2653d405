// SPDX-License-Identifier: GPL-2.0
/*
 * host/watch.c: the kernel's links, addresses, main-table routes and lost static neighbours come in, at
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

/* A route of the main table; of one prefix the lowest metric counts. */
struct main_route {
	struct main_route *next;	/* of the same prefix, by metric */
	uint32_t metric;
	bool seen;
	unsigned int n;
	struct nht_way ways[NEXTHOP_MEMBERS_MAX];	/* as held: of @n */
};

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

/* ---- routes of the main table ---- */

static void route_feed(struct host *h, const struct prefix *p, const struct main_route *best)
{
	if (best)
		nht_route_set(h->nht, p, best->ways, best->n, best->metric);
	else
		nht_route_del(h->nht, p);
}

/* where the route of @metric stands in the list, or would */
static struct main_route **route_place(struct main_route **head, uint32_t metric)
{
	struct main_route **at = head;

	while (*at && (*at)->metric < metric)
		at = &(*at)->next;
	return at;
}

static void route_set(struct host *h, const struct prefix *p, const struct main_route *r)
{
	size_t size = offsetof(struct main_route, ways) + r->n * sizeof(r->ways[0]);
	struct main_route **head, **at, *made, *next;
	bool created;

	head = trie_insert(&h->routes[family_afi(p->addr.family)], p, &created);
	at = route_place(head, r->metric);
	next = *at;
	if (next && next->metric == r->metric) {
		next = next->next;
		free(*at);
	}
	made = xmemdup(r, size);
	made->next = next;
	made->seen = true;
	*at = made;
	if (*head == made)
		route_feed(h, p, made);
}

static void route_unset(struct host *h, const struct prefix *p, uint32_t metric)
{
	struct trie *t = &h->routes[family_afi(p->addr.family)];
	struct main_route **head = trie_get(t, p), **at, *gone;
	bool first;

	if (!head)
		return;
	at = route_place(head, metric);
	gone = *at;
	if (!gone || gone->metric != metric)
		return;
	first = at == head;
	*at = gone->next;
	free(gone);
	if (first)
		route_feed(h, p, *head);
	if (!*head)
		trie_remove(t, head);
}

static bool route_has(const struct main_route *r, const struct nht_way *way)
{
	unsigned int i;

	for (i = 0; i < r->n; i++)
		if (r->ways[i].ifindex == way->ifindex && addr_eq(&r->ways[i].gateway, &way->gateway))
			return true;
	return false;
}

/*
 * The ways of @gone leave the route of the same metric. IPv6's routes lose them one by one; an IPv4 route goes as a
 * whole, and does not come here.
 */
static void route_lose(struct host *h, const struct prefix *p, const struct main_route *gone)
{
	struct main_route **head = trie_get(&h->routes[family_afi(p->addr.family)], p), *was, left;
	unsigned int i;

	was = head ? *route_place(head, gone->metric) : NULL;
	if (!was || was->metric != gone->metric)
		return;
	left.metric = was->metric;
	for (i = left.n = 0; i < was->n; i++)
		if (!route_has(gone, &was->ways[i]))
			left.ways[left.n++] = was->ways[i];
	if (left.n)
		route_set(h, p, &left);
	else
		route_unset(h, p, gone->metric);
}

static void way_gateway(struct nht_way *way, uint8_t family, struct nlattr **tb)
{
	struct nlattr *via = tb[RTA_VIA];
	struct nlattr *gw = tb[RTA_GATEWAY];

	if (gw && nla_len(gw) >= (int)addr_octets(family))
		way->gateway = addr_make(family, nla_data(gw));
	else if (via && nla_len(via) >= 2 + (int)addr_octets(AF_INET6) &&
		 *(const uint16_t *)nla_data(via) == AF_INET6)	/* RFC 8950: IPv4 by an IPv6 router */
		way->gateway = addr_make(AF_INET6, (const uint8_t *)nla_data(via) + 2);
}

static void route_multipath(struct nlattr *mp, uint8_t family, struct main_route *r)
{
	struct rtnexthop *nh = nla_data(mp);
	struct nlattr *tb[RTA_MAX + 1];
	int left = nla_len(mp);
	struct nht_way *way;

	while (r->n < NEXTHOP_MEMBERS_MAX && RTNH_OK(nh, left)) {
		way = &r->ways[r->n];
		*way = (struct nht_way){ .ifindex = nh->rtnh_ifindex, .weight = nh->rtnh_hops + 1 };
		if (nla_parse(tb, RTA_MAX, (struct nlattr *)RTNH_DATA(nh),
			      nh->rtnh_len - RTNH_LENGTH(0), NULL))
			return;
		way_gateway(way, family, tb);
		r->n++;
		left -= NLMSG_ALIGN(nh->rtnh_len);
		nh = RTNH_NEXT(nh);
	}
}

static void route_ways(struct nlattr **tb, uint8_t family, struct main_route *r)
{
	r->n = 0;
	if (tb[RTA_MULTIPATH]) {
		route_multipath(tb[RTA_MULTIPATH], family, r);
	} else if (tb[RTA_OIF]) {
		r->ways[0] = (struct nht_way){ .ifindex = nla_get_u32(tb[RTA_OIF]), .weight = 1 };
		way_gateway(&r->ways[0], family, tb);
		r->n = 1;
	}
}

static void route_message(struct host *h, struct nlmsghdr *nlh)
{
	struct rtmsg *rtm = nlmsg_data(nlh);
	struct nlattr *tb[RTA_MAX + 1];
	struct prefix p = { 0 };
	struct main_route r;
	uint32_t table;

	if (nlmsg_parse(nlh, sizeof(*rtm), tb, RTA_MAX, NULL) || rtm->rtm_flags & RTM_F_CLONED ||
	    (rtm->rtm_family != AF_INET && rtm->rtm_family != AF_INET6))
		return;
	table = tb[RTA_TABLE] ? nla_get_u32(tb[RTA_TABLE]) : rtm->rtm_table;
	if (table != RT_TABLE_MAIN) {
		if (nlh->nlmsg_type == RTM_DELROUTE && !rtm->rtm_dst_len)
			vrfdev_route_lost(h, table);
		return;
	}
	p.addr.family = rtm->rtm_family;
	if (tb[RTA_DST] && nla_len(tb[RTA_DST]) >= (int)addr_octets(rtm->rtm_family))
		p.addr = addr_make(rtm->rtm_family, nla_data(tb[RTA_DST]));
	p.len = rtm->rtm_dst_len;
	r.metric = tb[RTA_PRIORITY] ? nla_get_u32(tb[RTA_PRIORITY]) : 0;
	if (rtm->rtm_type != RTN_UNICAST) {
		/* a blackhole, say, took the place of what was there */
		if (nlh->nlmsg_type == RTM_NEWROUTE && nlh->nlmsg_flags & NLM_F_REPLACE)
			route_unset(h, &p, r.metric);
		return;
	}
	route_ways(tb, rtm->rtm_family, &r);
	if (nlh->nlmsg_type == RTM_DELROUTE && (rtm->rtm_family == AF_INET || !r.n))
		route_unset(h, &p, r.metric);
	else if (nlh->nlmsg_type == RTM_DELROUTE)
		route_lose(h, &p, &r);
	else if (r.n)
		route_set(h, &p, &r);
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

static void routes_unseen(struct host *h, struct trie *t)
{
	struct main_route **head, *r, *next;
	struct prefix p, at;

	for (head = trie_next(t, NULL); head; head = trie_after(t, &at)) {
		at = p = trie_prefix(t, head);
		for (r = *head; r; r = next) {
			next = r->next;
			if (!r->seen)
				route_unset(h, &p, r->metric);
		}
	}
}

/* Everything anew; what was not seen is gone. */
static int read_all(struct host *h)
{
	struct main_route **head, *r;
	size_t i, k;
	int err, afi;

	for (i = 0; i < h->n_links; i++) {
		h->links[i]->seen = false;
		/* addresses are told again: those that went meanwhile must go here too */
		for (k = h->links[i]->n_addrs; k--;)
			addr_gone(h, h->links[i], &h->links[i]->addrs[k]);
	}
	for (afi = 0; afi < AFI_MAX; afi++)
		for (head = trie_next(&h->routes[afi], NULL); head;
		     head = trie_next(&h->routes[afi], head))
			for (r = *head; r; r = r->next)
				r->seen = false;
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
	for (afi = 0; afi < AFI_MAX && err >= 0; afi++)
		routes_unseen(h, &h->routes[afi]);
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

	trie_init(&h->routes[AFI4], AF_INET, sizeof(struct main_route *));
	trie_init(&h->routes[AFI6], AF_INET6, sizeof(struct main_route *));
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
						RTNLGRP_IPV6_ROUTE, RTNLGRP_NEIGH, 0);
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

static void route_release(void *payload, void *arg)
{
	struct main_route *r = *(struct main_route **)payload, *next;

	(void)arg;
	for (; r; r = next) {
		next = r->next;
		free(r);
	}
}

void watch_stop(struct host *h)
{
	timer_stop(&h->resync);
	while (h->n_links)
		link_free(h, h->links[h->n_links - 1]);
	free(h->links);
	hash_fini(&h->names);
	trie_fini(&h->routes[AFI4], route_release, NULL);
	trie_fini(&h->routes[AFI6], route_release, NULL);
	nl_socket_free(h->events);
	nl_socket_free(h->requests);
}
