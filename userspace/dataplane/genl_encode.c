// SPDX-License-Identifier: GPL-2.0
/*
 * dataplane/genl_encode.c: requests of a batch become messages of the family (uapi/linux/l3vpn.h).
 * Routes and labels travel packed, thousands a message; everything else is one message each.
 */
#include "dataplane/genl.h"

#include <string.h>
#include <sys/socket.h>

struct nlmsghdr *genl_header(char *buf, uint16_t family, uint8_t cmd, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *g;

	nlh->nlmsg_type = family;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	g = mnl_nlmsg_put_extra_header(nlh, sizeof(*g));
	g->cmd = cmd;
	g->version = L3VPN_GENL_VERSION;
	return nlh;
}

bool genl_is_record(enum dp_op_type type)
{
	return type >= DP_OP_ROUTE4_ADD;
}

static uint8_t op_cmd(enum dp_op_type type)
{
	switch (type) {
	case DP_OP_VRF_NEW:
		return L3VPN_CMD_VRF_NEW;
	case DP_OP_VRF_DEL:
		return L3VPN_CMD_VRF_DEL;
	case DP_OP_PORT_NEW:
		return L3VPN_CMD_PORT_NEW;
	case DP_OP_PORT_DEL:
		return L3VPN_CMD_PORT_DEL;
	case DP_OP_NH_NEW:
		return L3VPN_CMD_NH_NEW;
	case DP_OP_NH_DEL:
		return L3VPN_CMD_NH_DEL;
	case DP_OP_ENDPOINT_NEW:
		return L3VPN_CMD_ENDPOINT_NEW;
	case DP_OP_ENDPOINT_DEL:
		return L3VPN_CMD_ENDPOINT_DEL;
	case DP_OP_ROUTE4_ADD:
	case DP_OP_ROUTE6_ADD:
		return L3VPN_CMD_ROUTE_ADD;
	case DP_OP_ROUTE4_DEL:
	case DP_OP_ROUTE6_DEL:
		return L3VPN_CMD_ROUTE_DEL;
	case DP_OP_LABEL_ADD:
		return L3VPN_CMD_LABEL_ADD;
	case DP_OP_LABEL_DEL:
		return L3VPN_CMD_LABEL_DEL;
	}
	return L3VPN_CMD_UNSPEC;
}

static void put_vrf(struct nlmsghdr *nlh, const struct dp_vrf *vrf)
{
	mnl_attr_put_u32(nlh, L3VPN_VRF_ID, vrf->id);
	mnl_attr_put_strz(nlh, L3VPN_VRF_NAME, vrf->name);
	if (vrf->table)
		mnl_attr_put_u32(nlh, L3VPN_VRF_TABLE, vrf->table);
	mnl_attr_put_u32(nlh, L3VPN_VRF_LIMIT4, vrf->limit4);
	mnl_attr_put_u32(nlh, L3VPN_VRF_LIMIT6, vrf->limit6);
	mnl_attr_put_u32(nlh, L3VPN_VRF_WARN4, vrf->warn4);
	mnl_attr_put_u32(nlh, L3VPN_VRF_WARN6, vrf->warn6);
	if (!vrf->ttl_model)
		return;
	mnl_attr_put_u8(nlh, L3VPN_VRF_TTL_MODEL, vrf->ttl_model);
	mnl_attr_put_u8(nlh, L3VPN_VRF_TC_MODEL, vrf->tc_model);
	mnl_attr_put(nlh, L3VPN_VRF_DSCP_TC, sizeof(vrf->dscp_tc), vrf->dscp_tc);
	mnl_attr_put(nlh, L3VPN_VRF_TC_DSCP, sizeof(vrf->tc_dscp), vrf->tc_dscp);
}

static void put_port(struct nlmsghdr *nlh, const struct dp_port *port)
{
	mnl_attr_put_u32(nlh, L3VPN_PORT_IFINDEX, port->ifindex);
	mnl_attr_put_u8(nlh, L3VPN_PORT_KIND, port->kind);
	if (port->kind == L3VPN_PORT_KIND_CORE) {
		mnl_attr_put_u64(nlh, L3VPN_PORT_SCOPES, port->scopes);
		mnl_attr_put_u32(nlh, L3VPN_PORT_MPLS_MTU, port->mpls_mtu);
		return;
	}
	mnl_attr_put_u32(nlh, L3VPN_PORT_VRF, port->vrf);
	mnl_attr_put_u8(nlh, L3VPN_PORT_RPF4, port->rpf4);
	mnl_attr_put_u8(nlh, L3VPN_PORT_RPF6, port->rpf6);
	mnl_attr_put_u32(nlh, L3VPN_PORT_OPTIONS, port->options);
}

static void put_addr(struct nlmsghdr *nlh, uint16_t type, const struct ip_addr *a)
{
	mnl_attr_put(nlh, type, a->family == AF_INET ? 4 : 16, a->b);
}

static void put_udp(struct nlmsghdr *nlh, uint16_t port_type, uint16_t port, uint16_t checksum_type, bool checksum)
{
	mnl_attr_put_u16(nlh, port_type, port);
	mnl_attr_put_u8(nlh, checksum_type, checksum);
}

static void put_nh(struct nlmsghdr *nlh, const struct dp_nh *nh)
{
	mnl_attr_put_u32(nlh, L3VPN_NH_ID, nh->id);
	mnl_attr_put_u8(nlh, L3VPN_NH_KIND, nh->kind);
	switch (nh->kind) {
	case L3VPN_NH_KIND_ADJACENCY:
		mnl_attr_put_u32(nlh, L3VPN_NH_IFINDEX, nh->ifindex);
		if (nh->gateway.family)
			put_addr(nlh, L3VPN_NH_GATEWAY, &nh->gateway);
		break;
	case L3VPN_NH_KIND_LABELLED:
	case L3VPN_NH_KIND_EGRESS:
		mnl_attr_put_u32(nlh, L3VPN_NH_VIA, nh->via);
		mnl_attr_put(nlh, L3VPN_NH_LABELS, nh->n_labels * sizeof(nh->labels[0]),
			     nh->labels);
		break;
	case L3VPN_NH_KIND_GROUP:
		mnl_attr_put(nlh, L3VPN_NH_MEMBERS, nh->n_members * sizeof(*nh->members),
			     nh->members);
		break;
	case L3VPN_NH_KIND_VRF:
		mnl_attr_put_u32(nlh, L3VPN_NH_VRF, nh->vrf);
		break;
	case L3VPN_NH_KIND_TUNNEL:
		mnl_attr_put_u8(nlh, L3VPN_NH_ENCAP, nh->encap);
		put_addr(nlh, L3VPN_NH_LOCAL, &nh->local);
		put_addr(nlh, L3VPN_NH_REMOTE, &nh->gateway);
		if (nh->encap == L3VPN_ENCAP_UDP)
			put_udp(nlh, L3VPN_NH_DPORT, nh->dport, L3VPN_NH_CHECKSUM, nh->checksum);
		break;
	}
}

static void put_endpoint_key(struct nlmsghdr *nlh, const struct dp_endpoint *ep)
{
	mnl_attr_put_u8(nlh, L3VPN_ENDPOINT_ENCAP, ep->encap);
	put_addr(nlh, L3VPN_ENDPOINT_ADDRESS, &ep->address);
	if (ep->encap == L3VPN_ENCAP_UDP)
		mnl_attr_put_u16(nlh, L3VPN_ENDPOINT_DPORT, ep->dport);
}

static void put_endpoint(struct nlmsghdr *nlh, const struct dp_endpoint *ep)
{
	struct l3vpn_source *to;
	struct nlattr *attr;
	unsigned int i;

	put_endpoint_key(nlh, ep);
	if (ep->encap == L3VPN_ENCAP_UDP)
		mnl_attr_put_u8(nlh, L3VPN_ENDPOINT_CHECKSUM, ep->checksum);
	mnl_attr_put_u64(nlh, L3VPN_ENDPOINT_SCOPES, ep->scopes);
	mnl_attr_put_u8(nlh, L3VPN_ENDPOINT_PEERS, ep->peers);
	attr = mnl_nlmsg_get_payload_tail(nlh);
	to = mnl_attr_get_payload(attr);
	memset(to, 0, ep->n_sources * sizeof(*to));
	for (i = 0; i < ep->n_sources; i++) {
		memcpy(to[i].prefix, ep->sources[i].addr.b, sizeof(to[i].prefix));
		to[i].plen = ep->sources[i].len;
	}
	attr->nla_type = L3VPN_ENDPOINT_SOURCES;
	attr->nla_len = MNL_ATTR_HDRLEN + i * sizeof(*to);
	nlh->nlmsg_len += MNL_ALIGN(attr->nla_len);
}

static size_t record_size(enum dp_op_type type)
{
	switch (type) {
	case DP_OP_ROUTE4_ADD:
	case DP_OP_ROUTE4_DEL:
		return sizeof(struct l3vpn_route4);
	case DP_OP_ROUTE6_ADD:
	case DP_OP_ROUTE6_DEL:
		return sizeof(struct l3vpn_route6);
	default:
		return sizeof(struct l3vpn_label);
	}
}

static void put_records(struct nlmsghdr *nlh, const struct dp_batch *batch, size_t pos,
			size_t limit, uint32_t *sent, size_t *n)
{
	const struct dp_op *first = &batch->ops[pos], *op;
	bool label = first->type >= DP_OP_LABEL_ADD;
	bool v4 = first->type == DP_OP_ROUTE4_ADD || first->type == DP_OP_ROUTE4_DEL;
	bool del = first->type == DP_OP_ROUTE4_DEL || first->type == DP_OP_ROUTE6_DEL ||
		   first->type == DP_OP_LABEL_DEL;
	size_t size = record_size(first->type);
	struct nlattr *attr;
	uint8_t *to;

	if (!label)
		mnl_attr_put_u32(nlh, L3VPN_ROUTE_VRF, first->table);
	if (del)
		mnl_attr_put_u32(nlh, label ? L3VPN_LABEL_FLAGS : L3VPN_ROUTE_FLAGS,
				 label ? L3VPN_LABEL_FLAG_IDEMPOTENT : L3VPN_ROUTE_FLAG_IDEMPOTENT);
	attr = mnl_nlmsg_get_payload_tail(nlh);
	to = mnl_attr_get_payload(attr);
	if (limit > GENL_ATTR_MAX / size)
		limit = GENL_ATTR_MAX / size;
	for (*n = 0; pos < batch->n && *n < limit; pos++) {
		op = &batch->ops[pos];
		if (op->error)
			continue;
		if (op->type != first->type || (!label && op->table != first->table))
			break;
		memcpy(to, (const char *)op + offsetof(struct dp_op, r4), size);
		to += size;
		sent[(*n)++] = pos;
	}
	attr->nla_type = label ? L3VPN_LABEL_RECORDS :
			 v4 ? L3VPN_ROUTE_RECORDS4 : L3VPN_ROUTE_RECORDS6;
	attr->nla_len = MNL_ATTR_HDRLEN + *n * size;
	nlh->nlmsg_len += MNL_ALIGN(attr->nla_len);
}

struct nlmsghdr *genl_encode(char *buf, size_t size, uint16_t family, const struct dp_batch *batch,
			     size_t pos, size_t limit, uint32_t *sent, size_t *n)
{
	const struct dp_op *op = &batch->ops[pos];
	struct nlmsghdr *nlh;

	if (size < GENL_BUF)
		return NULL;
	nlh = genl_header(buf, family, op_cmd(op->type), NLM_F_ACK);
	sent[0] = pos;
	*n = 1;
	switch ((enum dp_op_type)op->type) {
	case DP_OP_VRF_NEW:
		put_vrf(nlh, &op->vrf);
		break;
	case DP_OP_VRF_DEL:
		mnl_attr_put_u32(nlh, L3VPN_VRF_ID, op->vrf.id);
		break;
	case DP_OP_PORT_NEW:
		put_port(nlh, &op->port);
		break;
	case DP_OP_PORT_DEL:
		mnl_attr_put_u32(nlh, L3VPN_PORT_IFINDEX, op->port.ifindex);
		break;
	case DP_OP_NH_NEW:
		put_nh(nlh, op->nh);
		break;
	case DP_OP_NH_DEL:
		mnl_attr_put_u32(nlh, L3VPN_NH_ID, op->nh->id);
		break;
	case DP_OP_ENDPOINT_NEW:
		put_endpoint(nlh, op->endpoint);
		break;
	case DP_OP_ENDPOINT_DEL:
		put_endpoint_key(nlh, op->endpoint);
		break;
	default:
		put_records(nlh, batch, pos, limit, sent, n);
	}
	return nlh;
}

struct nlmsghdr *genl_nh_state_msg(char *buf, uint16_t family, uint32_t id, bool down)
{
	struct nlmsghdr *nlh = genl_header(buf, family, L3VPN_CMD_NH_STATE, 0);

	mnl_attr_put_u32(nlh, L3VPN_NH_ID, id);
	mnl_attr_put_u8(nlh, L3VPN_NH_DOWN, down);
	return nlh;
}
