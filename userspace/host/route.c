// SPDX-License-Identifier: GPL-2.0
/*
 * host/route.c: the routes of the main table, for next-hop tracking (rib/nht.h), and the labels of Linux's own MPLS
 * table, which the label manager must not give out.
 */
#include "host/state.h"

#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "labels/labels.h"
#include "lib/mem.h"

/* A route of the main table; of one prefix the lowest metric counts. */
struct main_route {
	struct main_route *next;	/* of the same prefix, by metric */
	uint32_t metric;
	bool seen;
	unsigned int n;
	struct nht_way ways[NEXTHOP_MEMBERS_MAX];	/* as held: of @n */
};

/* A label of Linux's MPLS table, as the address of an IPv4 host. */
struct mpls_label {
	bool seen;
};

/* ---- the main table ---- */

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

/* ---- labels of Linux's MPLS table ---- */

static struct prefix label_prefix(uint32_t label)
{
	struct ip_addr a = addr_v4(label);

	return prefix_host(&a);
}

static void label_message(struct host *h, int type, struct nlattr *dst)
{
	struct mpls_label *l;
	struct prefix p;
	uint32_t label;
	bool created;

	if (!dst || nla_len(dst) < 4)
		return;
	label = ntohl(nla_get_u32(dst)) >> 12;	/* a label stack entry, RFC 3032 */
	p = label_prefix(label);
	if (type == RTM_NEWROUTE) {
		l = trie_insert(&h->mpls, &p, &created);
		l->seen = true;
	} else {
		l = trie_get(&h->mpls, &p);
		if (l)
			trie_remove(&h->mpls, l);
	}
	label_reserve_kernel(h->labels, label, type == RTM_NEWROUTE);
}

static void labels_unseen(struct host *h)
{
	struct mpls_label *l;
	struct prefix p, at;

	for (l = trie_next(&h->mpls, NULL); l; l = trie_after(&h->mpls, &at)) {
		at = p = trie_prefix(&h->mpls, l);
		if (l->seen)
			continue;
		trie_remove(&h->mpls, l);
		label_reserve_kernel(h->labels, addr_to_v4(&p.addr), false);
	}
}

/* ---- messages ---- */

void route_message(struct host *h, struct nlmsghdr *nlh)
{
	struct rtmsg *rtm = nlmsg_data(nlh);
	struct nlattr *tb[RTA_MAX + 1];
	struct prefix p = { 0 };
	struct main_route r;
	uint32_t table;

	if (nlmsg_parse(nlh, sizeof(*rtm), tb, RTA_MAX, NULL))
		return;
	if (rtm->rtm_family == AF_MPLS)
		label_message(h, nlh->nlmsg_type, tb[RTA_DST]);
	if (rtm->rtm_flags & RTM_F_CLONED || (rtm->rtm_family != AF_INET &&
					      rtm->rtm_family != AF_INET6))
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

static void table_unseen(struct host *h, struct trie *t)
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

void routes_reading(struct host *h)
{
	struct main_route **head, *r;
	struct mpls_label *l;
	int afi;

	for (afi = 0; afi < AFI_MAX; afi++)
		for (head = trie_next(&h->routes[afi], NULL); head;
		     head = trie_next(&h->routes[afi], head))
			for (r = *head; r; r = r->next)
				r->seen = false;
	for (l = trie_next(&h->mpls, NULL); l; l = trie_next(&h->mpls, l))
		l->seen = false;
}

void routes_read(struct host *h)
{
	int afi;

	for (afi = 0; afi < AFI_MAX; afi++)
		table_unseen(h, &h->routes[afi]);
	labels_unseen(h);
}

bool routes_mpls(void)
{
	return !access("/proc/sys/net/mpls", F_OK);
}

/* ---- life ---- */

void routes_init(struct host *h)
{
	trie_init(&h->routes[AFI4], AF_INET, sizeof(struct main_route *));
	trie_init(&h->routes[AFI6], AF_INET6, sizeof(struct main_route *));
	trie_init(&h->mpls, AF_INET, sizeof(struct mpls_label));
}

static void route_release(void *payload, void *arg)
{
	struct main_route *r = *(struct main_route **)payload, *next;

	for (; r; r = next) {
		next = r->next;
		free(r);
	}
}

void routes_fini(struct host *h)
{
	trie_fini(&h->routes[AFI4], route_release, NULL);
	trie_fini(&h->routes[AFI6], route_release, NULL);
	trie_fini(&h->mpls, NULL, NULL);
}
