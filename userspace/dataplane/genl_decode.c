// SPDX-License-Identifier: GPL-2.0
/*
 * dataplane/genl_decode.c: attributes of the family's answers and events become rows.
 *
 * The kernel is trusted to be well-meaning, not to be of our version: unknown attributes are
 * passed over, and one of the wrong size counts as absent.
 */
#include "dataplane/genl.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

const struct nlattr *genl_attrs(const struct nlmsghdr *nlh, size_t *len)
{
	size_t head = MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(struct genlmsghdr));

	if (nlh->nlmsg_len < head) {
		*len = 0;
		return NULL;
	}
	*len = nlh->nlmsg_len - head;
	return (const void *)((const char *)nlh + head);
}

/* Sorts the attributes into @tb[0..max]. */
static void attrs_sort(const struct nlattr *a, size_t len, const struct nlattr **tb, uint16_t max)
{
	int left = len;
	uint16_t type;

	memset(tb, 0, (max + 1) * sizeof(*tb));
	if (!a)
		return;
	for (; mnl_attr_ok(a, left); left -= MNL_ALIGN(a->nla_len), a = mnl_attr_next(a)) {
		type = mnl_attr_get_type(a);
		if (type <= max)
			tb[type] = a;
	}
}

static const void *attr_bytes(const struct nlattr *a, size_t len)
{
	return a && mnl_attr_get_payload_len(a) >= len ? mnl_attr_get_payload(a) : NULL;
}

static uint64_t attr_num(const struct nlattr *a)
{
	uint64_t v64;
	uint32_t v32;
	uint16_t v16;

	if (!a)
		return 0;
	switch (mnl_attr_get_payload_len(a)) {
	case 8:
		memcpy(&v64, mnl_attr_get_payload(a), 8);
		return v64;
	case 4:
		memcpy(&v32, mnl_attr_get_payload(a), 4);
		return v32;
	case 2:
		memcpy(&v16, mnl_attr_get_payload(a), 2);
		return v16;
	case 1:
		return *(const uint8_t *)mnl_attr_get_payload(a);
	}
	return 0;
}

static void attr_str(const struct nlattr *a, char *buf, size_t size)
{
	size_t len = a ? strnlen(mnl_attr_get_payload(a), mnl_attr_get_payload_len(a)) : 0;

	if (len >= size)
		len = size - 1;
	if (len)
		memcpy(buf, mnl_attr_get_payload(a), len);
	buf[len] = '\0';
}

static bool attr_addr(const struct nlattr *a, struct ip_addr *addr)
{
	size_t len = a ? mnl_attr_get_payload_len(a) : 0;

	memset(addr, 0, sizeof(*addr));
	if (len != 4 && len != 16)
		return false;
	addr->family = len == 4 ? AF_INET : AF_INET6;
	memcpy(addr->b, mnl_attr_get_payload(a), len);
	return true;
}

static void decode_stats(const struct nlattr *nest, struct dp_stats *stats)
{
	const struct nlattr *tb[L3VPN_STATS_MAX + 1];

	memset(stats, 0, sizeof(*stats));
	if (!nest)
		return;
	attrs_sort(mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest), tb,
		   L3VPN_STATS_MAX);
	stats->rx_packets = attr_num(tb[L3VPN_STATS_RX_PACKETS]);
	stats->rx_bytes = attr_num(tb[L3VPN_STATS_RX_BYTES]);
	stats->tx_packets = attr_num(tb[L3VPN_STATS_TX_PACKETS]);
	stats->tx_bytes = attr_num(tb[L3VPN_STATS_TX_BYTES]);
	stats->drops = attr_num(tb[L3VPN_STATS_DROPS]);
}

/* Exactly @len octets, or none. */
static void attr_octets(const struct nlattr *attr, uint8_t *to, size_t len)
{
	if (attr && mnl_attr_get_payload_len(attr) == len)
		memcpy(to, mnl_attr_get_payload(attr), len);
}

bool genl_decode_vrf(const struct nlattr *first, size_t len, struct dp_row *row)
{
	const struct nlattr *tb[L3VPN_VRF_MAX + 1];

	attrs_sort(first, len, tb, L3VPN_VRF_MAX);
	if (!tb[L3VPN_VRF_ID])
		return false;
	memset(row, 0, sizeof(*row));
	row->kind = DP_QUERY_VRFS;
	row->vrf.id = attr_num(tb[L3VPN_VRF_ID]);
	attr_str(tb[L3VPN_VRF_NAME], row->vrf.name, sizeof(row->vrf.name));
	row->vrf.table = attr_num(tb[L3VPN_VRF_TABLE]);
	row->vrf.limit4 = attr_num(tb[L3VPN_VRF_LIMIT4]);
	row->vrf.limit6 = attr_num(tb[L3VPN_VRF_LIMIT6]);
	row->vrf.warn4 = attr_num(tb[L3VPN_VRF_WARN4]);
	row->vrf.warn6 = attr_num(tb[L3VPN_VRF_WARN6]);
	row->vrf_level4 = attr_num(tb[L3VPN_VRF_LEVEL4]);
	row->vrf_level6 = attr_num(tb[L3VPN_VRF_LEVEL6]);
	row->vrf.ttl_model = attr_num(tb[L3VPN_VRF_TTL_MODEL]);
	row->vrf.tc_model = attr_num(tb[L3VPN_VRF_TC_MODEL]);
	attr_octets(tb[L3VPN_VRF_DSCP_TC], row->vrf.dscp_tc, sizeof(row->vrf.dscp_tc));
	attr_octets(tb[L3VPN_VRF_TC_DSCP], row->vrf.tc_dscp, sizeof(row->vrf.tc_dscp));
	row->vrf_ifindex = attr_num(tb[L3VPN_VRF_IFINDEX]);
	row->vrf_routes4 = attr_num(tb[L3VPN_VRF_ROUTES4]);
	row->vrf_routes6 = attr_num(tb[L3VPN_VRF_ROUTES6]);
	row->vrf_ports = attr_num(tb[L3VPN_VRF_PORTS]);
	decode_stats(tb[L3VPN_VRF_STATS], &row->stats);
	return true;
}

bool genl_decode_port(const struct nlattr *first, size_t len, struct dp_row *row)
{
	const struct nlattr *tb[L3VPN_PORT_MAX + 1];

	attrs_sort(first, len, tb, L3VPN_PORT_MAX);
	if (!tb[L3VPN_PORT_IFINDEX])
		return false;
	memset(row, 0, sizeof(*row));
	row->kind = DP_QUERY_PORTS;
	row->port.ifindex = attr_num(tb[L3VPN_PORT_IFINDEX]);
	row->port.kind = attr_num(tb[L3VPN_PORT_KIND]);
	row->port.vrf = attr_num(tb[L3VPN_PORT_VRF]);
	row->port.rpf4 = attr_num(tb[L3VPN_PORT_RPF4]);
	row->port.rpf6 = attr_num(tb[L3VPN_PORT_RPF6]);
	row->port.options = attr_num(tb[L3VPN_PORT_OPTIONS]);
	row->port.scopes = attr_num(tb[L3VPN_PORT_SCOPES]);
	row->port.mpls_mtu = attr_num(tb[L3VPN_PORT_MPLS_MTU]);
	attr_str(tb[L3VPN_PORT_NAME], row->port_name, sizeof(row->port_name));
	row->port_carrier = attr_num(tb[L3VPN_PORT_CARRIER]);
	decode_stats(tb[L3VPN_PORT_STATS], &row->stats);
	return true;
}

bool genl_decode_nh(const struct nlattr *first, size_t len, struct dp_row *row,
		    struct l3vpn_nh_member *members)
{
	const struct nlattr *tb[L3VPN_NH_MAX + 1];
	size_t n;

	attrs_sort(first, len, tb, L3VPN_NH_MAX);
	if (!tb[L3VPN_NH_ID] || !tb[L3VPN_NH_KIND])
		return false;
	memset(row, 0, sizeof(*row));
	row->kind = DP_QUERY_NHS;
	row->nh.id = attr_num(tb[L3VPN_NH_ID]);
	row->kernel = row->nh.id > L3VPN_NH_ID_MAX;
	row->nh.kind = attr_num(tb[L3VPN_NH_KIND]);
	row->nh.ifindex = attr_num(tb[L3VPN_NH_IFINDEX]);
	attr_addr(tb[L3VPN_NH_GATEWAY], &row->nh.gateway);
	row->nh.encap = attr_num(tb[L3VPN_NH_ENCAP]);
	if (row->nh.encap) {
		attr_addr(tb[L3VPN_NH_LOCAL], &row->nh.local);
		attr_addr(tb[L3VPN_NH_REMOTE], &row->nh.gateway);
		row->nh.dport = attr_num(tb[L3VPN_NH_DPORT]);
		row->nh.checksum = attr_num(tb[L3VPN_NH_CHECKSUM]);
	}
	row->nh.via = attr_num(tb[L3VPN_NH_VIA]);
	row->nh.vrf = attr_num(tb[L3VPN_NH_VRF]);
	row->nh_resolved = attr_num(tb[L3VPN_NH_RESOLVED]);
	row->nh_refs = attr_num(tb[L3VPN_NH_REFS]);
	row->nh_down = attr_num(tb[L3VPN_NH_DOWN]);
	row->nh_in_use = attr_num(tb[L3VPN_NH_IN_USE]);
	decode_stats(tb[L3VPN_NH_STATS], &row->stats);
	if (tb[L3VPN_NH_LABELS]) {
		n = mnl_attr_get_payload_len(tb[L3VPN_NH_LABELS]) / sizeof(uint32_t);
		if (n > L3VPN_LABELS_MAX)
			return false;
		row->nh.n_labels = n;
		memcpy(row->nh.labels, mnl_attr_get_payload(tb[L3VPN_NH_LABELS]),
		       n * sizeof(uint32_t));
	}
	if (tb[L3VPN_NH_MEMBERS]) {
		n = mnl_attr_get_payload_len(tb[L3VPN_NH_MEMBERS]) / sizeof(*members);
		if (n > L3VPN_GROUP_MAX)
			return false;
		row->nh.n_members = n;
		memcpy(members, mnl_attr_get_payload(tb[L3VPN_NH_MEMBERS]), n * sizeof(*members));
		row->nh.members = members;
	}
	return true;
}

bool genl_decode_endpoint(const struct nlattr *first, size_t len, struct dp_row *row, struct prefix *sources)
{
	const struct nlattr *tb[L3VPN_ENDPOINT_MAX + 1];
	const struct l3vpn_source *from;
	size_t i, n;

	attrs_sort(first, len, tb, L3VPN_ENDPOINT_MAX);
	memset(row, 0, sizeof(*row));
	row->kind = DP_QUERY_ENDPOINTS;
	row->endpoint.encap = attr_num(tb[L3VPN_ENDPOINT_ENCAP]);
	if (!attr_addr(tb[L3VPN_ENDPOINT_ADDRESS], &row->endpoint.address))
		return false;
	row->endpoint.dport = attr_num(tb[L3VPN_ENDPOINT_DPORT]);
	row->endpoint.scopes = attr_num(tb[L3VPN_ENDPOINT_SCOPES]);
	row->endpoint.checksum = attr_num(tb[L3VPN_ENDPOINT_CHECKSUM]);
	row->endpoint.peers = attr_num(tb[L3VPN_ENDPOINT_PEERS]);
	row->endpoint_local = attr_num(tb[L3VPN_ENDPOINT_LOCAL]);
	decode_stats(tb[L3VPN_ENDPOINT_STATS], &row->stats);
	if (!tb[L3VPN_ENDPOINT_SOURCES])
		return true;
	from = mnl_attr_get_payload(tb[L3VPN_ENDPOINT_SOURCES]);
	n = mnl_attr_get_payload_len(tb[L3VPN_ENDPOINT_SOURCES]) / sizeof(*from);
	if (n > L3VPN_SOURCES_MAX)
		return false;
	for (i = 0; i < n; i++)
		sources[i] = prefix_make(row->endpoint.address.family, from[i].prefix, from[i].plen);
	row->endpoint.sources = sources;
	row->endpoint.n_sources = n;
	return true;
}

bool genl_decode_table(const struct nlattr *first, size_t len, struct dp_row *row)
{
	const struct nlattr *tb[L3VPN_TABLE_MAX + 1];

	attrs_sort(first, len, tb, L3VPN_TABLE_MAX);
	if (!tb[L3VPN_TABLE_KIND])
		return false;
	memset(row, 0, sizeof(*row));
	row->kind = DP_QUERY_TABLES;
	row->object = attr_num(tb[L3VPN_TABLE_KIND]);
	row->table = attr_num(tb[L3VPN_TABLE_VRF]);
	row->count = attr_num(tb[L3VPN_TABLE_COUNT]);
	row->digest = attr_num(tb[L3VPN_TABLE_DIGEST]);
	return true;
}

bool genl_decode_dropped(const struct nlattr *first, size_t len, struct dp_row *row)
{
	const struct nlattr *tb[L3VPN_DROP_ATTR_MAX + 1];

	attrs_sort(first, len, tb, L3VPN_DROP_ATTR_MAX);
	if (!tb[L3VPN_DROP_REASON])
		return false;
	memset(row, 0, sizeof(*row));
	row->kind = DP_QUERY_DROPS;
	row->reason = attr_num(tb[L3VPN_DROP_REASON]);
	row->packets = attr_num(tb[L3VPN_DROP_PACKETS]);
	return true;
}

bool genl_decode_sample(const struct nlattr *first, size_t len, struct dp_drop *drop)
{
	const struct nlattr *tb[L3VPN_DROP_ATTR_MAX + 1];

	attrs_sort(first, len, tb, L3VPN_DROP_ATTR_MAX);
	if (!tb[L3VPN_DROP_REASON])
		return false;
	memset(drop, 0, sizeof(*drop));
	drop->reason = attr_num(tb[L3VPN_DROP_REASON]);
	drop->ifindex = attr_num(tb[L3VPN_DROP_IFINDEX]);
	drop->vrf = attr_num(tb[L3VPN_DROP_VRF]);
	drop->proto = ntohs(attr_num(tb[L3VPN_DROP_PROTO]));
	drop->length = attr_num(tb[L3VPN_DROP_LENGTH]);
	if (tb[L3VPN_DROP_PACKET]) {
		drop->packet = mnl_attr_get_payload(tb[L3VPN_DROP_PACKET]);
		drop->packet_len = mnl_attr_get_payload_len(tb[L3VPN_DROP_PACKET]);
	}
	return true;
}

static void decode_snap(const struct nlattr *proto, const struct nlattr *length, const struct nlattr *data,
			struct dp_snap *snap)
{
	snap->proto = ntohs(attr_num(proto));
	snap->length = attr_num(length);
	if (data) {
		snap->data = mnl_attr_get_payload(data);
		snap->len = mnl_attr_get_payload_len(data);
	}
}

bool genl_decode_packet(const struct nlattr *first, size_t len, struct dp_packet *packet)
{
	const struct nlattr *tb[L3VPN_TRACE_MAX + 1];

	attrs_sort(first, len, tb, L3VPN_TRACE_MAX);
	if (!tb[L3VPN_TRACE_VERDICT] || !tb[L3VPN_TRACE_PACKET])
		return false;
	memset(packet, 0, sizeof(*packet));
	packet->ifindex = attr_num(tb[L3VPN_TRACE_IFINDEX]);
	packet->vrf = attr_num(tb[L3VPN_TRACE_VRF]);
	packet->verdict = attr_num(tb[L3VPN_TRACE_VERDICT]);
	packet->reason = attr_num(tb[L3VPN_TRACE_REASON]);
	packet->sent = attr_num(tb[L3VPN_TRACE_SENT]);
	packet->lost = attr_num(tb[L3VPN_TRACE_LOST]);
	packet->last = tb[L3VPN_TRACE_LEFT] && !attr_num(tb[L3VPN_TRACE_LEFT]);
	decode_snap(tb[L3VPN_TRACE_PROTO], tb[L3VPN_TRACE_LENGTH], tb[L3VPN_TRACE_PACKET], &packet->in);
	decode_snap(tb[L3VPN_TRACE_OUT_PROTO], tb[L3VPN_TRACE_OUT_LENGTH], tb[L3VPN_TRACE_OUT_PACKET],
		    &packet->out);
	if (tb[L3VPN_TRACE_STEPS]) {
		packet->steps = mnl_attr_get_payload(tb[L3VPN_TRACE_STEPS]);
		packet->n_steps = mnl_attr_get_payload_len(tb[L3VPN_TRACE_STEPS]) / sizeof(*packet->steps);
	}
	return true;
}

bool genl_decode_event(const struct nlattr *first, size_t len, struct dp_event *event,
		       struct l3vpn_nh_member *members)
{
	const struct nlattr *tb[L3VPN_EVENT_MAX + 1], *nest;

	attrs_sort(first, len, tb, L3VPN_EVENT_MAX);
	memset(event, 0, sizeof(*event));
	event->what = attr_num(tb[L3VPN_EVENT_WHAT]);
	event->object = attr_num(tb[L3VPN_EVENT_OBJECT]);
	event->ifindex = attr_num(tb[L3VPN_EVENT_IFINDEX]);
	attr_addr(tb[L3VPN_EVENT_ADDRESS], &event->address);
	event->plen = attr_num(tb[L3VPN_EVENT_PLEN]);
	event->reachable = attr_num(tb[L3VPN_EVENT_REACHABLE]);
	event->family = attr_num(tb[L3VPN_EVENT_FAMILY]);
	switch (event->object) {
	case L3VPN_OBJECT_VRF:
		nest = tb[L3VPN_EVENT_VRF];
		return nest && genl_decode_vrf(mnl_attr_get_payload(nest),
					       mnl_attr_get_payload_len(nest), &event->row);
	case L3VPN_OBJECT_PORT:
		nest = tb[L3VPN_EVENT_PORT];
		return nest && genl_decode_port(mnl_attr_get_payload(nest),
						mnl_attr_get_payload_len(nest), &event->row);
	case L3VPN_OBJECT_NH:
		nest = tb[L3VPN_EVENT_NH];
		return nest && genl_decode_nh(mnl_attr_get_payload(nest),
					      mnl_attr_get_payload_len(nest), &event->row,
					      members);
	}
	return event->what && event->object;
}

bool genl_decode_info(const struct nlattr *first, size_t len, struct dp_info *info)
{
	const struct nlattr *tb[L3VPN_INFO_MAX + 1];

	attrs_sort(first, len, tb, L3VPN_INFO_MAX);
	if (!tb[L3VPN_INFO_INSTANCE])
		return false;
	info->instance = attr_num(tb[L3VPN_INFO_INSTANCE]);
	info->epoch = attr_num(tb[L3VPN_INFO_EPOCH]);
	info->vrfs = attr_num(tb[L3VPN_INFO_VRFS]);
	info->ports = attr_num(tb[L3VPN_INFO_PORTS]);
	info->nhs = attr_num(tb[L3VPN_INFO_NHS]);
	info->routes4 = attr_num(tb[L3VPN_INFO_ROUTES4]);
	info->routes6 = attr_num(tb[L3VPN_INFO_ROUTES6]);
	info->labels = attr_num(tb[L3VPN_INFO_LABELS]);
	info->uncounted = attr_num(tb[L3VPN_INFO_LABELS_UNCOUNTED]);
	attr_str(tb[L3VPN_INFO_VERSION], info->version, sizeof(info->version));
	return true;
}

bool genl_decode_lookup(const struct nlattr *first, size_t len, struct dp_lookup *l)
{
	const struct nlattr *tb[L3VPN_ROUTE_MAX + 1];
	const struct l3vpn_route4 *r4;
	const struct l3vpn_route6 *r6;

	attrs_sort(first, len, tb, L3VPN_ROUTE_MAX);
	r4 = attr_bytes(tb[L3VPN_ROUTE_RECORDS4], sizeof(*r4));
	r6 = attr_bytes(tb[L3VPN_ROUTE_RECORDS6], sizeof(*r6));
	memset(&l->match, 0, sizeof(l->match));
	if (r4) {
		l->match.addr.family = AF_INET;
		memcpy(l->match.addr.b, &r4->prefix, 4);
		l->match.len = r4->plen;
		l->nh = r4->nh;
		l->label = r4->label;
	} else if (r6) {
		l->match.addr.family = AF_INET6;
		memcpy(l->match.addr.b, r6->prefix, 16);
		l->match.len = r6->plen;
		l->nh = r6->nh;
		l->label = r6->label;
	} else {
		return false;
	}
	l->match_vrf = tb[L3VPN_ROUTE_MATCH_VRF] ? attr_num(tb[L3VPN_ROUTE_MATCH_VRF]) : l->vrf;
	l->member = attr_num(tb[L3VPN_ROUTE_MEMBER]);
	l->kernel = attr_num(tb[L3VPN_ROUTE_KERNEL]);
	return true;
}

/* An NLMSG_ERROR, or the NLMSG_DONE of a dump, with its extended acknowledgement if it has one. */
void genl_decode_error(const struct nlmsghdr *nlh, struct genl_error *err)
{
	const struct nlattr *tb[NLMSGERR_ATTR_MAX + 1];
	const char *at = mnl_nlmsg_get_payload(nlh), *end = (const char *)nlh + nlh->nlmsg_len;
	int code = 0;

	memset(err, 0, sizeof(*err));
	if (end - at >= (long)sizeof(code))
		memcpy(&code, at, sizeof(code));
	err->error = code < 0 ? -code : code;
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	at += nlh->nlmsg_type == NLMSG_ERROR ? sizeof(struct nlmsgerr) : sizeof(code);
	if (nlh->nlmsg_type == NLMSG_ERROR && !(nlh->nlmsg_flags & NLM_F_CAPPED))
		at += ((const struct nlmsgerr *)mnl_nlmsg_get_payload(nlh))->msg.nlmsg_len -
		      sizeof(struct nlmsghdr);
	if (at >= end)
		return;
	attrs_sort((const void *)at, end - at, tb, NLMSGERR_ATTR_MAX);
	attr_str(tb[NLMSGERR_ATTR_MSG], err->text, sizeof(err->text));
	if (attr_bytes(tb[NLMSGERR_ATTR_COOKIE], sizeof(err->cookie))) {
		memcpy(&err->cookie, mnl_attr_get_payload(tb[NLMSGERR_ATTR_COOKIE]),
		       sizeof(err->cookie));
		err->has_cookie = true;
	}
}

static void records_of(const struct nlattr *a, enum dp_query_kind kind, size_t size,
		       struct genl_records *r)
{
	r->kind = kind;
	r->data = mnl_attr_get_payload(a);
	r->n = mnl_attr_get_payload_len(a) / size;
}

static size_t decode_label_records(const struct nlmsghdr *nlh, struct genl_records *r)
{
	const struct nlattr *tb[L3VPN_LABEL_ATTR_MAX + 1], *first;
	size_t len;

	first = genl_attrs(nlh, &len);
	attrs_sort(first, len, tb, L3VPN_LABEL_ATTR_MAX);
	if (!tb[L3VPN_LABEL_RECORDS])
		return 0;
	memset(r, 0, sizeof(*r));
	records_of(tb[L3VPN_LABEL_RECORDS], DP_QUERY_LABELS, sizeof(struct l3vpn_label), r);
	decode_stats(tb[L3VPN_LABEL_STATS], &r->stats);
	return 1;
}

size_t genl_decode_records(const struct nlmsghdr *nlh, struct genl_records out[2])
{
	const struct genlmsghdr *g = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[L3VPN_ROUTE_MAX + 1], *first;
	struct genl_records r;
	size_t len, n = 0;

	first = genl_attrs(nlh, &len);
	if (!first)
		return 0;
	if (g->cmd == L3VPN_CMD_LABEL_ADD || g->cmd == L3VPN_CMD_LABEL_GET)
		return decode_label_records(nlh, &out[0]);
	attrs_sort(first, len, tb, L3VPN_ROUTE_MAX);
	memset(&r, 0, sizeof(r));
	r.table = attr_num(tb[L3VPN_ROUTE_VRF]);
	r.kernel = attr_num(tb[L3VPN_ROUTE_KERNEL]);
	if (tb[L3VPN_ROUTE_RECORDS4]) {
		records_of(tb[L3VPN_ROUTE_RECORDS4], DP_QUERY_ROUTES4,
			   sizeof(struct l3vpn_route4), &r);
		out[n++] = r;
	}
	if (tb[L3VPN_ROUTE_RECORDS6]) {
		records_of(tb[L3VPN_ROUTE_RECORDS6], DP_QUERY_ROUTES6,
			   sizeof(struct l3vpn_route6), &r);
		out[n++] = r;
	}
	return n;
}

void genl_record_row(const struct genl_records *r, size_t i, struct dp_row *row)
{
	memset(row, 0, sizeof(*row));
	row->kind = r->kind;
	row->table = r->table;
	row->kernel = r->kernel;
	switch (r->kind) {
	case DP_QUERY_ROUTES4:
		memcpy(&row->r4, r->data + i * sizeof(row->r4), sizeof(row->r4));
		row->kernel |= row->r4.nh > L3VPN_NH_ID_MAX;
		break;
	case DP_QUERY_ROUTES6:
		memcpy(&row->r6, r->data + i * sizeof(row->r6), sizeof(row->r6));
		row->kernel |= row->r6.nh > L3VPN_NH_ID_MAX;
		break;
	default:
		memcpy(&row->label, r->data + i * sizeof(row->label), sizeof(row->label));
		row->stats = r->stats;
	}
}
