// SPDX-License-Identifier: GPL-2.0
/*
 * dataplane/provider.c: what all providers share: batches, next hops by value, digests, words.
 */
#include "dataplane/provider.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

struct dp_batch *dp_batch_new(void (*done)(struct dp_batch *batch), void *arg)
{
	struct dp_batch *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->done = done;
	b->arg = arg;
	return b;
}

struct dp_op *dp_batch_add(struct dp_batch *b, enum dp_op_type type)
{
	struct dp_op *op;

	if (b->n == b->size) {
		size_t size = b->size ? b->size * 2 : 64;

		op = realloc(b->ops, size * sizeof(*op));
		if (!op)
			return NULL;
		b->ops = op;
		b->size = size;
	}
	op = &b->ops[b->n++];
	memset(op, 0, sizeof(*op));
	op->type = type;
	return op;
}

void dp_batch_free(struct dp_batch *b)
{
	size_t i;

	if (!b)
		return;
	for (i = 0; i < b->n; i++) {
		struct dp_op *op = &b->ops[i];

		if (op->type == DP_OP_NH_NEW || op->type == DP_OP_NH_DEL)
			dp_nh_free(op->nh);
		if (op->type == DP_OP_ENDPOINT_NEW || op->type == DP_OP_ENDPOINT_DEL)
			dp_endpoint_free(op->endpoint);
		free(op->why);
	}
	free(b->ops);
	free(b);
}

/* Lack of memory for the words loses only the words. */
void dp_op_fail(struct dp_op *op, int error, const char *why)
{
	op->error = error;
	free(op->why);
	op->why = strdup(why && *why ? why : strerror(error));
}

const char *dp_op_name(enum dp_op_type type)
{
	static const char *const names[] = {
		[DP_OP_VRF_NEW] = "vrf new", [DP_OP_VRF_DEL] = "vrf delete",
		[DP_OP_PORT_NEW] = "port new", [DP_OP_PORT_DEL] = "port delete",
		[DP_OP_NH_NEW] = "next-hop new", [DP_OP_NH_DEL] = "next-hop delete",
		[DP_OP_ENDPOINT_NEW] = "endpoint new", [DP_OP_ENDPOINT_DEL] = "endpoint delete",
		[DP_OP_ROUTE4_ADD] = "route add", [DP_OP_ROUTE4_DEL] = "route delete",
		[DP_OP_ROUTE6_ADD] = "route add", [DP_OP_ROUTE6_DEL] = "route delete",
		[DP_OP_LABEL_ADD] = "label add", [DP_OP_LABEL_DEL] = "label delete",
	};

	if (type >= sizeof(names) / sizeof(names[0]) || !names[type])
		return "request";
	return names[type];
}

static void op_route_str(const struct dp_op *op, char *buf, size_t len)
{
	bool v4 = op->type == DP_OP_ROUTE4_ADD || op->type == DP_OP_ROUTE4_DEL;
	bool add = op->type == DP_OP_ROUTE4_ADD || op->type == DP_OP_ROUTE6_ADD;
	uint32_t label = v4 ? op->r4.label : op->r6.label;
	char a[INET6_ADDRSTRLEN], l[24] = "";

	if (v4)
		inet_ntop(AF_INET, &op->r4.prefix, a, sizeof(a));
	else
		inet_ntop(AF_INET6, op->r6.prefix, a, sizeof(a));
	if (!add) {
		snprintf(buf, len, "%s vrf %u %s/%u", dp_op_name(op->type), op->table, a,
			 v4 ? op->r4.plen : op->r6.plen);
		return;
	}
	if (label != L3VPN_LABEL_NONE)
		snprintf(l, sizeof(l), " label %u", label);
	snprintf(buf, len, "%s vrf %u %s/%u nh %u%s", dp_op_name(op->type), op->table, a,
		 v4 ? op->r4.plen : op->r6.plen, v4 ? op->r4.nh : op->r6.nh, l);
}

static void op_nh_str(const struct dp_op *op, char *buf, size_t len)
{
	const struct dp_nh *nh = op->nh;
	char a[INET6_ADDRSTRLEN] = "on-link";
	int n, i;

	n = snprintf(buf, len, "%s %u", dp_op_name(op->type), nh->id);
	if (op->type == DP_OP_NH_DEL || n < 0 || (size_t)n >= len)
		return;
	n += snprintf(buf + n, len - n, " %s", dp_nh_kind_str(nh->kind));
	if ((size_t)n >= len)
		return;
	switch (nh->kind) {
	case L3VPN_NH_KIND_ADJACENCY:
		if (nh->gateway.family)
			inet_ntop(nh->gateway.family, nh->gateway.b, a, sizeof(a));
		snprintf(buf + n, len - n, " dev %d via %s", nh->ifindex, a);
		break;
	case L3VPN_NH_KIND_LABELLED:
	case L3VPN_NH_KIND_EGRESS:
		n += snprintf(buf + n, len - n, " via %u labels", nh->via);
		for (i = 0; i < nh->n_labels && (size_t)n < len; i++)
			n += snprintf(buf + n, len - n, " %u", nh->labels[i]);
		break;
	case L3VPN_NH_KIND_GROUP:
		for (i = 0; i < nh->n_members && (size_t)n < len; i++)
			n += snprintf(buf + n, len - n, " %u*%u%s", nh->members[i].nh,
				      nh->members[i].weight,
				      nh->members[i].flags & L3VPN_MEMBER_FLAG_ONWARD ? "o" :
				      nh->members[i].flags & L3VPN_MEMBER_FLAG_BACKUP ? "b" : "");
		break;
	case L3VPN_NH_KIND_VRF:
		snprintf(buf + n, len - n, " %u", nh->vrf);
		break;
	case L3VPN_NH_KIND_TUNNEL:
		inet_ntop(nh->gateway.family, nh->gateway.b, a, sizeof(a));
		snprintf(buf + n, len - n, " %s to %s", dp_encap_str(nh->encap), a);
		break;
	}
}

char *dp_op_str(const struct dp_op *op, char *buf, size_t len)
{
	const char *name = dp_op_name(op->type);
	char a[ADDR_STRLEN];

	switch ((enum dp_op_type)op->type) {
	case DP_OP_VRF_NEW:
		snprintf(buf, len, "%s %u %s", name, op->vrf.id, op->vrf.name);
		break;
	case DP_OP_VRF_DEL:
		snprintf(buf, len, "%s %u", name, op->vrf.id);
		break;
	case DP_OP_PORT_NEW:
		if (op->port.kind == L3VPN_PORT_KIND_CORE)
			snprintf(buf, len, "%s dev %d core", name, op->port.ifindex);
		else
			snprintf(buf, len, "%s dev %d vrf %u", name, op->port.ifindex, op->port.vrf);
		break;
	case DP_OP_PORT_DEL:
		snprintf(buf, len, "%s dev %d", name, op->port.ifindex);
		break;
	case DP_OP_NH_NEW:
	case DP_OP_NH_DEL:
		op_nh_str(op, buf, len);
		break;
	case DP_OP_ENDPOINT_NEW:
	case DP_OP_ENDPOINT_DEL:
		snprintf(buf, len, "%s %s %s port %u", name, dp_encap_str(op->endpoint->encap),
			 addr_str(&op->endpoint->address, a), op->endpoint->dport);
		break;
	case DP_OP_ROUTE4_ADD:
	case DP_OP_ROUTE4_DEL:
	case DP_OP_ROUTE6_ADD:
	case DP_OP_ROUTE6_DEL:
		op_route_str(op, buf, len);
		break;
	case DP_OP_LABEL_ADD:
		snprintf(buf, len, "%s %u action %u vrf %u nh %u out %d", name, op->label.label,
			 op->label.action, op->label.vrf, op->label.nh,
			 op->label.out_label == L3VPN_LABEL_NONE ? -1 : (int)op->label.out_label);
		break;
	case DP_OP_LABEL_DEL:
		snprintf(buf, len, "%s %u", name, op->label.label);
		break;
	}
	return buf;
}

struct dp_nh *dp_nh_copy(const struct dp_nh *nh)
{
	struct dp_nh *c = malloc(sizeof(*c));
	size_t len = nh->n_members * sizeof(*nh->members);

	if (!c)
		return NULL;
	*c = *nh;
	c->members = NULL;
	if (nh->n_members) {
		c->members = malloc(len);
		if (!c->members) {
			free(c);
			return NULL;
		}
		memcpy(c->members, nh->members, len);
	}
	return c;
}

void dp_nh_free(struct dp_nh *nh)
{
	if (!nh)
		return;
	free(nh->members);
	free(nh);
}

struct dp_endpoint *dp_endpoint_copy(const struct dp_endpoint *ep)
{
	struct dp_endpoint *c = malloc(sizeof(*c));
	size_t len = ep->n_sources * sizeof(*ep->sources);

	if (!c)
		return NULL;
	*c = *ep;
	c->sources = malloc(len ? len : 1);
	if (!c->sources) {
		free(c);
		return NULL;
	}
	if (len)
		memcpy(c->sources, ep->sources, len);
	return c;
}

void dp_endpoint_free(struct dp_endpoint *ep)
{
	if (!ep)
		return;
	free(ep->sources);
	free(ep);
}

bool dp_endpoint_same_place(const struct dp_endpoint *a, const struct dp_endpoint *b)
{
	return a->encap == b->encap && a->dport == b->dport && addr_eq(&a->address, &b->address);
}

bool dp_endpoint_equal(const struct dp_endpoint *a, const struct dp_endpoint *b)
{
	unsigned int i;

	if (!dp_endpoint_same_place(a, b) || a->scopes != b->scopes || a->peers != b->peers ||
	    a->checksum != b->checksum || a->n_sources != b->n_sources)
		return false;
	for (i = 0; i < a->n_sources && prefix_eq(&a->sources[i], &b->sources[i]); i++)
		;
	return i == a->n_sources;
}

const char *dp_encap_str(uint8_t encap)
{
	return encap == L3VPN_ENCAP_UDP ? "udp" : encap == L3VPN_ENCAP_GRE ? "gre" : "unknown";
}

static size_t addr_words(const struct ip_addr *a)
{
	return a->family == AF_INET ? 1 : a->family == AF_INET6 ? 4 : 0;
}

static bool addr_same(const struct ip_addr *a, const struct ip_addr *b)
{
	return a->family == b->family && !memcmp(a->b, b->b, 4 * addr_words(a));
}

static uint32_t addr_word(const uint8_t *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

bool dp_nh_equal(const struct dp_nh *a, const struct dp_nh *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case L3VPN_NH_KIND_ADJACENCY:
		return a->ifindex == b->ifindex && addr_same(&a->gateway, &b->gateway);
	case L3VPN_NH_KIND_LABELLED:
	case L3VPN_NH_KIND_EGRESS:
		return a->via == b->via && a->n_labels == b->n_labels &&
		       !memcmp(a->labels, b->labels, a->n_labels * sizeof(a->labels[0]));
	case L3VPN_NH_KIND_GROUP:
		return a->n_members == b->n_members &&
		       (!a->n_members ||
			!memcmp(a->members, b->members, a->n_members * sizeof(*a->members)));
	case L3VPN_NH_KIND_VRF:
		return a->vrf == b->vrf;
	case L3VPN_NH_KIND_TUNNEL:
		return a->encap == b->encap && a->dport == b->dport && a->checksum == b->checksum &&
		       addr_same(&a->local, &b->local) &&
		       addr_same(&a->gateway, &b->gateway);
	}
	return true;
}

static uint64_t addr_fold(uint64_t h, const struct ip_addr *a)
{
	size_t i;

	for (i = 0; i < addr_words(a); i++)
		h = l3vpn_digest_word(h, addr_word(a->b + 4 * i));
	return h;
}

/* Folds what the digest of a next hop folds behind its id. */
static uint64_t nh_fold(uint64_t h, const struct dp_nh *nh)
{
	size_t i;

	h = l3vpn_digest_word(h, nh->kind);
	switch (nh->kind) {
	case L3VPN_NH_KIND_ADJACENCY:
		h = l3vpn_digest_word(h, nh->ifindex);
		h = l3vpn_digest_word(h, 4 * addr_words(&nh->gateway));
		h = addr_fold(h, &nh->gateway);
		break;
	case L3VPN_NH_KIND_LABELLED:
	case L3VPN_NH_KIND_EGRESS:
		h = l3vpn_digest_word(h, nh->via);
		h = l3vpn_digest_word(h, nh->n_labels);
		for (i = 0; i < nh->n_labels; i++)
			h = l3vpn_digest_word(h, nh->labels[i]);
		break;
	case L3VPN_NH_KIND_GROUP:
		for (i = 0; i < nh->n_members; i++) {
			h = l3vpn_digest_word(h, nh->members[i].nh);
			h = l3vpn_digest_word(h, nh->members[i].weight);
			h = l3vpn_digest_word(h, nh->members[i].flags);
		}
		break;
	case L3VPN_NH_KIND_VRF:
		h = l3vpn_digest_word(h, nh->vrf);
		break;
	case L3VPN_NH_KIND_TUNNEL:
		h = l3vpn_digest_word(h, nh->encap);
		h = l3vpn_digest_word(h, 4 * addr_words(&nh->local));
		h = addr_fold(h, &nh->local);
		h = addr_fold(h, &nh->gateway);
		h = l3vpn_digest_word(h, nh->dport);
		h = l3vpn_digest_word(h, nh->checksum);
		break;
	}
	return h;
}

uint64_t dp_nh_content(const struct dp_nh *nh)
{
	return nh_fold(l3vpn_digest_start(L3VPN_OBJECT_NH), nh);
}

uint64_t dp_digest_nh(const struct dp_nh *nh)
{
	return nh_fold(l3vpn_digest_word(l3vpn_digest_start(L3VPN_OBJECT_NH), nh->id), nh);
}

uint64_t dp_digest_endpoint(const struct dp_endpoint *ep)
{
	uint64_t h = l3vpn_digest_start(L3VPN_OBJECT_ENDPOINT);
	unsigned int i;

	h = l3vpn_digest_word(h, ep->encap);
	h = l3vpn_digest_word(h, 4 * addr_words(&ep->address));
	h = addr_fold(h, &ep->address);
	h = l3vpn_digest_word(h, ep->dport);
	h = l3vpn_digest_word(h, ep->checksum);
	h = l3vpn_digest_word(h, ep->scopes >> 32);
	h = l3vpn_digest_word(h, ep->scopes);
	h = l3vpn_digest_word(h, ep->peers);
	h = l3vpn_digest_word(h, ep->n_sources);
	for (i = 0; i < ep->n_sources; i++)
		h = l3vpn_digest_word(addr_fold(h, &ep->sources[i].addr), ep->sources[i].len);
	return h;
}

uint64_t dp_digest_route4(uint32_t vrf, const struct l3vpn_route4 *r)
{
	uint64_t h = l3vpn_digest_start(L3VPN_OBJECT_ROUTE4);

	h = l3vpn_digest_word(h, vrf);
	h = l3vpn_digest_word(h, ntohl(r->prefix));
	h = l3vpn_digest_word(h, r->plen);
	h = l3vpn_digest_word(h, r->nh);
	return l3vpn_digest_word(h, r->label);
}

uint64_t dp_digest_route6(uint32_t vrf, const struct l3vpn_route6 *r)
{
	uint64_t h = l3vpn_digest_start(L3VPN_OBJECT_ROUTE6);
	int i;

	h = l3vpn_digest_word(h, vrf);
	for (i = 0; i < 4; i++)
		h = l3vpn_digest_word(h, addr_word(r->prefix + 4 * i));
	h = l3vpn_digest_word(h, r->plen);
	h = l3vpn_digest_word(h, r->nh);
	return l3vpn_digest_word(h, r->label);
}

uint64_t dp_digest_label(const struct l3vpn_label *l)
{
	uint64_t h = l3vpn_digest_start(L3VPN_OBJECT_LABEL);

	h = l3vpn_digest_word(h, l->label);
	h = l3vpn_digest_word(h, l->action);
	h = l3vpn_digest_word(h, l->vrf);
	h = l3vpn_digest_word(h, l->nh);
	h = l3vpn_digest_word(h, l->out_label);
	return l3vpn_digest_word(h, l->scope);
}

const char *dp_nh_kind_str(uint8_t kind)
{
	static const char *const names[] = {
		[L3VPN_NH_KIND_ADJACENCY] = "adjacency", [L3VPN_NH_KIND_LABELLED] = "labelled",
		[L3VPN_NH_KIND_GROUP] = "group", [L3VPN_NH_KIND_VRF] = "vrf",
		[L3VPN_NH_KIND_RECEIVE] = "receive", [L3VPN_NH_KIND_HOST] = "host",
		[L3VPN_NH_KIND_BLACKHOLE] = "blackhole",
		[L3VPN_NH_KIND_UNREACHABLE] = "unreachable",
		[L3VPN_NH_KIND_TUNNEL] = "tunnel", [L3VPN_NH_KIND_EGRESS] = "egress",
	};

	return kind && kind <= L3VPN_NH_KIND_MAX ? names[kind] : "unknown";
}

bool dp_port_equal(const struct dp_port *a, const struct dp_port *b)
{
	if (a->ifindex != b->ifindex || a->kind != b->kind || a->vrf != b->vrf)
		return false;
	if (a->kind == L3VPN_PORT_KIND_CORE)
		return a->scopes == b->scopes && a->mpls_mtu == b->mpls_mtu;
	return a->rpf4 == b->rpf4 && a->rpf6 == b->rpf6 && a->options == b->options;
}

const char *dp_rpf_str(uint8_t rpf)
{
	static const char *const names[] = {
		[L3VPN_RPF_OFF] = "off", [L3VPN_RPF_STRICT] = "rx", [L3VPN_RPF_LOOSE] = "any",
		[L3VPN_RPF_STRICT_DEFAULT] = "rx allow-default",
		[L3VPN_RPF_LOOSE_DEFAULT] = "any allow-default",
	};

	return rpf <= L3VPN_RPF_MAX ? names[rpf] : "unknown";
}

const char *dp_level_str(uint8_t level)
{
	static const char *const names[] = {
		[L3VPN_LEVEL_NORMAL] = "normal", [L3VPN_LEVEL_WARNING] = "warning",
		[L3VPN_LEVEL_FULL] = "full",
	};

	return level < sizeof(names) / sizeof(names[0]) ? names[level] : "unknown";
}

const char *dp_verdict_str(uint8_t verdict)
{
	static const char *const names[] = {
		[L3VPN_VERDICT_SENT] = "sent", [L3VPN_VERDICT_STACK] = "to-stack",
		[L3VPN_VERDICT_HOST] = "to-global-table", [L3VPN_VERDICT_DROPPED] = "dropped",
	};

	return verdict && verdict < ARRAY_SIZE(names) ? names[verdict] : "unknown";
}

const char *dp_drop_str(uint8_t reason)
{
	static const char *const names[] = {
		[L3VPN_DROP_NO_ROUTE] = "no-route", [L3VPN_DROP_UNREACHABLE] = "unreachable",
		[L3VPN_DROP_BLACKHOLE] = "blackhole", [L3VPN_DROP_TTL] = "ttl",
		[L3VPN_DROP_MTU] = "mtu", [L3VPN_DROP_HEADER] = "header",
		[L3VPN_DROP_MARTIAN] = "martian",
		[L3VPN_DROP_NOT_FOR_HOST] = "not-for-host",
		[L3VPN_DROP_LABEL_ON_CUSTOMER] = "label-on-customer-port",
		[L3VPN_DROP_LABEL_UNKNOWN] = "label-unknown",
		[L3VPN_DROP_LABEL_STACK] = "label-stack",
		[L3VPN_DROP_LABEL_PAYLOAD] = "label-payload",
		[L3VPN_DROP_VLAN] = "vlan", [L3VPN_DROP_PROTOCOL] = "protocol",
		[L3VPN_DROP_NEIGHBOUR] = "neighbour", [L3VPN_DROP_PORT_DOWN] = "port-down",
		[L3VPN_DROP_VRF_LOOP] = "vrf-loop", [L3VPN_DROP_NO_MEMORY] = "no-memory",
		[L3VPN_DROP_MULTICAST] = "multicast", [L3VPN_DROP_NO_VRF] = "no-vrf",
		[L3VPN_DROP_CORE_LOOP] = "core-loop",
		[L3VPN_DROP_RPF] = "rpf", [L3VPN_DROP_OPTIONS] = "options",
		[L3VPN_DROP_LABEL_SCOPE] = "label-scope",
		[L3VPN_DROP_OTHER_HOST] = "other-host",
		[L3VPN_DROP_TUNNEL_ROUTE] = "tunnel-route",
		[L3VPN_DROP_TUNNEL_HEADER] = "tunnel-header",
		[L3VPN_DROP_TUNNEL_CHECKSUM] = "tunnel-checksum",
		[L3VPN_DROP_TUNNEL_SOURCE] = "tunnel-source",
		[L3VPN_DROP_TUNNEL_PAYLOAD] = "tunnel-payload",
		[L3VPN_DROP_TUNNEL_FRAGMENT] = "tunnel-fragment",
		[L3VPN_DROP_TUNNEL_ECN] = "tunnel-ecn",
	};

	return reason && reason < sizeof(names) / sizeof(names[0]) && names[reason] ?
	       names[reason] : "unknown";
}

const char *dp_object_str(uint8_t object)
{
	static const char *const names[] = {
		[L3VPN_OBJECT_VRF] = "vrf", [L3VPN_OBJECT_PORT] = "port",
		[L3VPN_OBJECT_NH] = "next-hop", [L3VPN_OBJECT_ROUTE4] = "ipv4-route",
		[L3VPN_OBJECT_ROUTE6] = "ipv6-route", [L3VPN_OBJECT_LABEL] = "label",
		[L3VPN_OBJECT_ADDR] = "address", [L3VPN_OBJECT_NEIGH] = "neighbour",
		[L3VPN_OBJECT_ENDPOINT] = "endpoint",
	};

	return object && object <= L3VPN_OBJECT_MAX ? names[object] : "unknown";
}
