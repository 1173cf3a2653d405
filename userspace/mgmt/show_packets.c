// SPDX-License-Identifier: GPL-2.0
/*
 * mgmt/show_packets.c: monitor packets: what forwarding does with single packets that match a filter, a row a step.
 * One such trace at a time; rows that the client does not take in time are counted, not kept.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/host.h"
#include "lib/mem.h"
#include "mgmt/stream.h"
#include "vrf/vrf.h"

#define ROWS_MAX	1024
#define TEXT		512
#define PATH		256

/**
 * struct watch - the state of the request
 * @rows:	[head, head + n) modulo ROWS_MAX, not taken yet
 * @packets:	told so far
 * @lost:	not told since the last one that was
 */
struct watch {
	struct mgmt_request *req;
	const struct show_env *env;
	json_t *rows[ROWS_MAX];
	unsigned int head, n;
	uint64_t packets;
	uint64_t lost;
	bool started, over, gone;
};

static struct watch *watching;		/* there is one provider, and it has one trace */

static void watch_destroy(void *state)
{
	struct watch *w = state;

	for (; w->n; w->n--, w->head = (w->head + 1) % ROWS_MAX)
		json_decref(w->rows[w->head]);
	if (watching != w)
		return;
	watching = NULL;
	dp_sync_trace(w->env->sync, NULL, NULL, NULL, NULL, 0);
}

/* ---- words ---- */

/** struct text - what has been written of a line; what does not fit is cut off */
struct text {
	char buf[TEXT];
	size_t len;
};

static void say(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->len, sizeof(t->buf) - t->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->len = t->len + n < sizeof(t->buf) ? t->len + n : sizeof(t->buf) - 1;
}

static void say_ports(struct text *t, uint8_t protocol, const uint8_t *data, size_t len)
{
	if ((protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP) && len >= 4)
		say(t, " port %u > %u", data[0] << 8 | data[1], data[2] << 8 | data[3]);
	else if ((protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) && len >= 2)
		say(t, " type %u code %u", data[0], data[1]);
}

static void say_ip(struct text *t, const uint8_t *data, size_t len)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	size_t head;

	if (len >= 20 && data[0] >> 4 == 4) {
		inet_ntop(AF_INET, data + 12, src, sizeof(src));
		inet_ntop(AF_INET, data + 16, dst, sizeof(dst));
		head = (data[0] & 15) * 4;
		say(t, "%s > %s, protocol %u", src, dst, data[9]);
		if (!((data[6] << 8 | data[7]) & 0x1fff) && len > head)
			say_ports(t, data[9], data + head, len - head);
		say(t, ", TTL %u, DSCP %u", data[8], data[1] >> 2);
	} else if (len >= 40 && data[0] >> 4 == 6) {
		inet_ntop(AF_INET6, data + 8, src, sizeof(src));
		inet_ntop(AF_INET6, data + 24, dst, sizeof(dst));
		say(t, "%s > %s, next header %u", src, dst, data[6]);
		say_ports(t, data[6], data + 40, len - 40);
		say(t, ", hop limit %u, DSCP %u", data[7], (data[0] << 8 | data[1]) >> 6 & 63);
	} else {
		say(t, "no IP header");
	}
}

static void say_snap(struct text *t, const struct dp_snap *snap)
{
	const uint8_t *data = snap->data;
	size_t len = snap->len;
	bool bottom = false;
	uint32_t lse;

	switch (snap->proto) {
	case 0x8847:
		say(t, "labels");
		for (; !bottom && len >= 4; data += 4, len -= 4) {
			lse = (uint32_t)data[0] << 24 | data[1] << 16 | data[2] << 8 | data[3];
			bottom = lse & 0x100;
			say(t, " %u (TC %u, TTL %u)", lse >> 12, lse >> 9 & 7, lse & 255);
		}
		say(t, ", ");
		if (bottom)
			say_ip(t, data, len);
		else
			say(t, "no bottom of the stack");
		break;
	case 0x0800:
	case 0x86dd:
		say_ip(t, data, len);
		break;
	case 0x0806:
		say(t, "ARP");
		break;
	default:
		say(t, "ethertype %04x", snap->proto);
	}
	say(t, ", %u octets", snap->length);
}

static void say_label(struct text *t, const struct watch *w, const struct l3vpn_trace_step *s)
{
	char name[32];

	switch (s->detail) {
	case L3VPN_LABEL_ACTION_POP_VRF:
		say(t, "%u: pop, look up in %s", s->label, stream_vrf(w->env, s->vrf, name, sizeof(name)));
		break;
	case L3VPN_LABEL_ACTION_POP_NH:
		say(t, "%u: pop, next hop %u", s->label, s->nh);
		break;
	default:
		if (s->out_label == 3)
			say(t, "%u: pop (penultimate hop), next hop %u", s->label, s->nh);
		else
			say(t, "%u: swap for %u, next hop %u", s->label, s->out_label, s->nh);
	}
}

static void say_lookup(struct text *t, const struct l3vpn_trace_step *s)
{
	bool v4 = s->family == AF_INET;
	struct prefix p;
	char buf[PREFIX_STRLEN];

	if (!s->nh) {
		say(t, "no match");
		return;
	}
	p = prefix_make(s->family, s->prefix, s->plen <= (v4 ? 32 : 128) ? s->plen : 0);
	say(t, "%s", prefix_str(&p, buf));
	if (s->nh <= L3VPN_NH_ID_MAX)
		say(t, ", next hop %u", s->nh);
	if (s->label != L3VPN_LABEL_NONE)
		say(t, ", VPN label %u", s->label);
}

static const char *step_name(uint8_t kind)
{
	static const char *const names[] = {
		[L3VPN_STEP_LABEL] = "label", [L3VPN_STEP_LOOKUP] = "lookup", [L3VPN_STEP_NH] = "next-hop",
		[L3VPN_STEP_SEND] = "send", [L3VPN_STEP_ICMP] = "icmp", [L3VPN_STEP_ENCAP] = "encapsulate",
		[L3VPN_STEP_DECAP] = "decapsulate",
	};

	return kind && kind < ARRAY_SIZE(names) ? names[kind] : "unknown";
}

static void say_step(struct text *t, const struct watch *w, const struct dp_packet *p,
		     const struct l3vpn_trace_step *s)
{
	char path[PATH], name[IF_NAMESIZE];
	struct ip_addr a;

	switch (s->kind) {
	case L3VPN_STEP_LABEL:
		say_label(t, w, s);
		break;
	case L3VPN_STEP_LOOKUP:
		say_lookup(t, s);
		break;
	case L3VPN_STEP_NH:
		if (s->nh <= L3VPN_NH_ID_MAX)
			say(t, "%u: ", s->nh);
		say(t, "%s, %s", dp_nh_kind_str(s->detail), stream_path(w->env, s->nh, path, sizeof(path)));
		break;
	case L3VPN_STEP_SEND:
		say(t, "%s: ", host_link_name(w->env->host, s->ifindex, name));
		say_snap(t, &p->out);
		break;
	case L3VPN_STEP_ENCAP:
	case L3VPN_STEP_DECAP:
		a = addr_make(s->family, s->prefix);
		say(t, "%s %s %s", dp_encap_str(s->detail), s->kind == L3VPN_STEP_ENCAP ? "to" : "from",
		    addr_str(&a, path));
		break;
	case L3VPN_STEP_ICMP:
		say(t, "ICMP%s error of type %u code %u is made", s->family == AF_INET6 ? "v6" : "", s->detail,
		    s->plen);
		break;
	}
}

static void say_verdict(struct text *t, const struct dp_packet *p)
{
	switch (p->verdict) {
	case L3VPN_VERDICT_DROPPED:
		say(t, "%s", dp_drop_str(p->reason));
		if (p->sent)
			say(t, " (after %u packets that left)", p->sent);
		break;
	case L3VPN_VERDICT_SENT:
		say(t, p->sent == 1 ? "one packet" : "%u packets", p->sent);
		break;
	}
}

/* ---- rows ---- */

static void add_row(struct watch *w, const char *step, uint32_t vrf, const struct text *t)
{
	json_t *row = json_object();
	char name[32];

	json_object_set_new(row, "packet", json_integer(w->packets));
	json_object_set_new(row, "step", json_string(step));
	if (vrf)
		json_object_set_new(row, "vrf", json_string(stream_vrf(w->env, vrf, name, sizeof(name))));
	if (t->len)
		json_object_set_new(row, "detail", json_string(t->buf));
	w->rows[(w->head + w->n++) % ROWS_MAX] = row;
}

static void on_packet(void *arg, const struct dp_packet *p)
{
	struct watch *w = arg;
	char name[IF_NAMESIZE];
	struct text t;
	size_t i;

	if (!p) {
		w->over = w->gone = true;
		mgmt_resume(w->req);
		return;
	}
	w->over = p->last;
	w->lost += p->lost;
	if (w->n + p->n_steps + 3 > ROWS_MAX) {
		w->lost++;
		mgmt_resume(w->req);
		return;
	}
	w->packets++;
	if (w->lost) {
		t.len = 0;
		say(&t, "%llu packets before it are not told", (unsigned long long)w->lost);
		add_row(w, "lost", 0, &t);
		w->lost = 0;
	}
	t.len = 0;
	say(&t, "%s: ", p->ifindex ? host_link_name(w->env->host, p->ifindex, name) : "local socket");
	say_snap(&t, &p->in);
	add_row(w, "received", p->vrf, &t);
	for (i = 0; i < p->n_steps; i++) {
		t.len = 0;
		say_step(&t, w, p, &p->steps[i]);
		add_row(w, step_name(p->steps[i].kind), p->steps[i].vrf, &t);
	}
	t.len = 0;
	say_verdict(&t, p);
	add_row(w, dp_verdict_str(p->verdict), 0, &t);
	mgmt_resume(w->req);
}

/* ---- the command ---- */

static bool read_prefix(const struct lyd_node *in, const char *name, struct prefix *p)
{
	const char *text = conf_str(in, name, NULL);

	return !text || prefix_parse(text, p);
}

/* 0, or what mgmt_error() said by way of *@next. */
static bool read_filter(struct watch *w, struct dp_trace *t, enum mgmt_next *next)
{
	const struct lyd_node *in = mgmt_input(w->req);
	const char *vrf = conf_str(in, "vrf", NULL), *port = conf_str(in, "interface", NULL);
	const struct vrf *v = vrf ? vrf_find(w->env->vrfs, vrf) : NULL;
	const struct host_link *link = port ? host_link_by_name(w->env->host, port) : NULL;

	memset(t, 0, sizeof(*t));
	if (vrf && !v) {
		*next = mgmt_error(w->req, MGMT_NOT_FOUND, "vrf", "no such VRF");
	} else if (port && !link) {
		*next = mgmt_error(w->req, MGMT_NOT_FOUND, "interface", "no such interface");
	} else if (!read_prefix(in, "source", &t->src)) {
		*next = mgmt_error(w->req, MGMT_PARAMS, "source", "not a prefix, or bits behind it");
	} else if (!read_prefix(in, "destination", &t->dst)) {
		*next = mgmt_error(w->req, MGMT_PARAMS, "destination", "not a prefix, or bits behind it");
	} else if (watching) {
		*next = mgmt_error(w->req, MGMT_STATE, "", "packets are monitored by another session already");
	} else {
		t->vrf = v ? v->id : 0;
		t->ifindex = link ? link->ifindex : 0;
		t->protocol = conf_str(in, "protocol", NULL) ? (int)conf_u32(in, "protocol", 0) : -1;
		t->count = conf_u32(in, "count", 0);
		return true;
	}
	return false;
}

static enum mgmt_next monitor_packets(struct mgmt_request *req, void *arg)
{
	struct watch *w = mgmt_state(req, sizeof(*w), watch_destroy);
	struct dp_trace trace;
	enum mgmt_next next;
	char why[160] = "";
	bool room = true;
	int err;

	if (!w->started) {
		w->started = true;
		w->req = req;
		mgmt_endless(req);
		w->env = arg;
		if (!read_filter(w, &trace, &next))
			return next;
		err = dp_sync_trace(w->env->sync, &trace, on_packet, w, why, sizeof(why));
		if (err)
			return mgmt_error(req, err == EBUSY ? MGMT_STATE : MGMT_FAILED, "",
					  "forwarding refuses: %s", why);
		watching = w;
	}
	while (w->n && room) {
		room = mgmt_row(req, w->rows[w->head]);
		w->head = (w->head + 1) % ROWS_MAX;
		w->n--;
	}
	if (w->n)
		return MGMT_AGAIN;
	if (w->gone)
		return mgmt_error(req, MGMT_FAILED, "", "forwarding went away");
	return w->over ? MGMT_DONE : MGMT_WAIT;
}

void show_packets_register(struct mgmt *mgmt, const struct show_env *env)
{
	mgmt_register(mgmt, "monitor-packets", monitor_packets, (void *)env);
}
