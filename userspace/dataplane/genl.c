// SPDX-License-Identifier: GPL-2.0
/*
 * dataplane/genl.c: the provider that speaks to the kernel module, over generic netlink (libmnl).
 *
 * The kernel carries out a request inside send(), so that answers are there at once: batches are worked off
 * from the loop in slices of SLICE_US, one send and its acknowledgements at a time. Records of one
 * kind travel thousands a message. What the module refuses is singled out:
 *
 *   "record N: reason"         record N fails, the others go again without it;
 *   "K of M records are in"    K are in, record K fails, those behind it go again, until
 *                              FULL_MAX in a row have found no room: then all the rest fail;
 *   refusal without words      the family may have gone: the controller is asked.
 *
 * Sockets: cmd (requests, answered at once), events (multicast: objects, drops, the controller's
 * news of the family), one for each dump (genl_dump.c), one for a sweep in libuv's thread pool.
 */
#include "dataplane/genl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/jobs.h"
#include "lib/log.h"
#include "lib/mem.h"

#define RCVBUF_CMD	(1 << 20)
#define RCVBUF_EVENTS	(8 << 20)
#define EVENT_BUF	32768
#define EVENT_SLICE	64		/* messages of events handled in one turn of the loop */
#define SLICE_US	4000
#define RETRY_MS	200
#define RECORDS_MAX	4096
#define FULL_MAX	16
#define LIMIT_SMALL	64

/** struct genl_msg - a message on its way: its requests are sent[first .. first + n - 1] */
struct genl_msg {
	uint32_t seq;
	size_t first;
	size_t n;
	bool acked;
	struct genl_error err;
};

/**
 * struct genl - the provider
 * @family:	id 0 while the module is absent
 * @limit:	most records in the next message; falls when a record is refused, doubles again
 * @full:	records in a row that found no room
 * @drops_on:	how many want samples
 * @trace_on:	packets are traced
 */
struct genl {
	struct dp_provider base;
	uv_loop_t *loop;
	struct dp_listener listener;
	int fd, evfd;
	uint32_t seq;
	struct genl_family family;
	bool told_ready;
	uv_poll_t poll;
	uv_idle_t idle;
	uv_timer_t timer;
	int handles;
	struct genl_dumps dumps;
	struct dp_batch *first, **last;
	struct dp_batch *finished, **finished_last;
	size_t backlog;
	size_t limit;
	unsigned int full;
	int drops_on;
	bool trace_on;
	struct genl_sweep *sweeping;
	struct l3vpn_nh_member members[L3VPN_GROUP_MAX];
	struct genl_msg msgs[GENL_MSGS_MAX];
	uint32_t sent[RECORDS_MAX + GENL_MSGS_MAX];
	char ack[32768];
	char ev[EVENT_BUF];
	char out[4 * GENL_BUF];
};

struct genl_sweep {
	uv_work_t work;
	struct genl *g;
	uint16_t family;
	uint32_t epoch, kinds;
	int error;
	uint64_t swept;
	void (*done)(void *arg, int error, uint64_t swept);
	void *arg;
	struct genl_sweep *next;
};

static void run_slice(uv_idle_t *idle);

static struct genl *to_genl(const struct dp_provider *p)
{
	return container_of(p, struct genl, base);
}

/* ---- the family comes and goes ---- */

static void family_join(struct genl *g)
{
	setsockopt(g->evfd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &g->family.grp_events,
		   sizeof(g->family.grp_events));
	if (g->drops_on)
		setsockopt(g->evfd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &g->family.grp_drops,
			   sizeof(g->family.grp_drops));
}

static void batch_finish(struct genl *g)
{
	struct dp_batch *b = g->first;

	g->first = b->next;
	if (!g->first)
		g->last = &g->first;
	b->next = NULL;
	*g->finished_last = b;
	g->finished_last = &b->next;
}

static void batches_fail(struct genl *g, int error)
{
	size_t i;

	while (g->first) {
		for (i = g->first->pos; i < g->first->n; i++) {
			if (!g->first->ops[i].error)
				dp_op_fail(&g->first->ops[i], error, NULL);
			g->backlog--;
		}
		batch_finish(g);
	}
}

static void batches_tell(struct genl *g)
{
	struct dp_batch *b;

	while ((b = g->finished)) {
		g->finished = b->next;
		if (!g->finished)
			g->finished_last = &g->finished;
		b->next = NULL;
		b->done(b);
	}
}

static void family_gone(struct genl *g)
{
	if (!g->family.id)
		return;
	memset(&g->family, 0, sizeof(g->family));
	g->trace_on = false;
	batches_fail(g, ENODEV);
	genl_dumps_end(&g->dumps, ENODEV);
	batches_tell(g);
	if (g->told_ready) {
		g->told_ready = false;
		log_warn("dataplane", "the module l3vpn is gone: waiting for it to come back");
		g->listener.gone(g->listener.arg);
	}
}

static void family_ready(uv_timer_t *timer)
{
	struct genl *g = timer->data;
	int err;

	if (!g->family.id) {
		err = genl_resolve(g->fd, ++g->seq, &g->family);
		if (err) {
			g->family.id = 0;
			if (err != ENOENT)	/* ENOENT: its coming is multicast */
				uv_timer_start(&g->timer, family_ready, RETRY_MS, 0);
			return;
		}
		family_join(g);
	}
	if (!g->told_ready) {
		g->told_ready = true;
		g->listener.ready(g->listener.arg);
	}
}

/* A refusal without words: does the family still exist? */
static bool family_lost(struct genl *g, const struct genl_error *err)
{
	struct genl_family now;

	if (err->text[0] || (err->error != ENOENT && err->error != EOPNOTSUPP))
		return false;
	if (!genl_resolve(g->fd, ++g->seq, &now) && now.id == g->family.id)
		return false;
	family_gone(g);
	uv_timer_start(&g->timer, family_ready, 0, 0);
	return true;
}

/* ---- events ---- */

static void event_message(struct genl *g, const struct nlmsghdr *nlh)
{
	const struct genlmsghdr *gh = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *first;
	struct dp_event event;
	struct dp_packet packet;
	struct dp_drop drop;
	size_t len;

	switch (genl_ctrl_event(nlh)) {
	case GENL_CTRL_FAMILY_DEL:
		family_gone(g);
		return;
	case GENL_CTRL_FAMILY_NEW:
		uv_timer_start(&g->timer, family_ready, 0, 0);
		return;
	case GENL_CTRL_NONE:
		break;
	}
	if (!g->family.id || nlh->nlmsg_type != g->family.id)
		return;
	first = genl_attrs(nlh, &len);
	if (!first)
		return;
	if (gh->cmd == L3VPN_CMD_EVENT && genl_decode_event(first, len, &event, g->members))
		g->listener.event(g->listener.arg, &event);
	else if (gh->cmd == L3VPN_CMD_DROP_SAMPLE && g->drops_on &&
		 genl_decode_sample(first, len, &drop))
		g->listener.drop(g->listener.arg, &drop);
	else if (gh->cmd == L3VPN_CMD_TRACE_PACKET && g->trace_on &&
		 genl_decode_packet(first, len, &packet))
		g->listener.packet(g->listener.arg, &packet);
}

static void events_readable(uv_poll_t *poll, int status, int events)
{
	struct genl *g = poll->data;
	const struct nlmsghdr *nlh;
	int i, len;

	(void)status;
	(void)events;
	for (i = 0; i < EVENT_SLICE; i++) {
		len = recv(g->evfd, g->ev, sizeof(g->ev), MSG_DONTWAIT);
		if (len < 0) {
			if (errno == ENOBUFS) {
				/* The family's own coming and going may be among what was lost. */
				log_warn("dataplane", "events of the module were lost");
				family_lost(g, &(struct genl_error){ .error = ENOENT });
				g->listener.lost(g->listener.arg);
				continue;
			}
			return;
		}
		for (nlh = (void *)g->ev; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len))
			event_message(g, nlh);
	}
}

/* ---- batches ---- */

static size_t limit_of(const struct genl *g, const struct dp_op *op)
{
	return genl_is_record(op->type) ? g->limit : 1;
}

/* The first request behind @pos that has no verdict yet. */
static size_t next_open(const struct dp_batch *b, size_t pos)
{
	while (pos < b->n && b->ops[pos].error)
		pos++;
	return pos;
}

/* Fills the send buffer with messages of the first batch. Returns their number. */
static size_t fill(struct genl *g, size_t *octets, size_t *behind)
{
	const struct dp_batch *b = g->first;
	size_t n_msgs = 0, used = 0, off = 0, pos = next_open(b, b->pos), limit;
	struct nlmsghdr *nlh;
	struct genl_msg *m;

	while (pos < b->n && n_msgs < GENL_MSGS_MAX && sizeof(g->out) - off >= GENL_BUF) {
		limit = limit_of(g, &b->ops[pos]);
		/* records share a message with their like only; one such message ends the send */
		if (genl_is_record(b->ops[pos].type) && n_msgs)
			break;
		m = &g->msgs[n_msgs];
		memset(m, 0, sizeof(*m));
		nlh = genl_encode(g->out + off, sizeof(g->out) - off, g->family.id, b, pos, limit,
				  g->sent + used, &m->n);
		nlh->nlmsg_seq = m->seq = ++g->seq;
		m->first = used;
		used += m->n;
		pos = next_open(b, g->sent[used - 1] + 1);
		off += MNL_ALIGN(nlh->nlmsg_len);
		n_msgs++;
		if (genl_is_record(b->ops[g->sent[m->first]].type))
			break;
	}
	*octets = off;
	*behind = pos;
	return n_msgs;
}

/* Collects the acknowledgements of @n messages; those that do not come have EAGAIN. */
static void collect(struct genl *g, size_t n)
{
	const struct nlmsghdr *nlh;
	size_t left = n, i = 0;
	int len;

	while (left) {
		len = recv(g->fd, g->ack, sizeof(g->ack), 0);
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0) {
			log_warn("dataplane", "acknowledgements were lost: %s", strerror(errno));
			break;
		}
		for (nlh = (void *)g->ack; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
			if (nlh->nlmsg_type != NLMSG_ERROR)
				continue;
			for (i = 0; i < n && g->msgs[i].seq != nlh->nlmsg_seq; i++)
				;
			if (i == n || g->msgs[i].acked)
				continue;
			genl_decode_error(nlh, &g->msgs[i].err);
			g->msgs[i].acked = true;
			left--;
		}
	}
	for (i = 0; i < n; i++)
		if (!g->msgs[i].acked)
			g->msgs[i].err.error = EAGAIN;
}

/* How many records of a message that stopped midway are in. */
static size_t records_in(const struct genl_msg *m)
{
	unsigned long long k, total;

	if (m->err.has_cookie && m->err.cookie <= m->n)
		return m->err.cookie;
	if (sscanf(m->err.text, "%llu of %llu records are in", &k, &total) == 2 && k <= m->n)
		return k;
	return 0;
}

static bool op_is_del(const struct dp_op *op)
{
	return op->type == DP_OP_VRF_DEL || op->type == DP_OP_PORT_DEL ||
	       op->type == DP_OP_NH_DEL || op->type == DP_OP_ENDPOINT_DEL || op->type == DP_OP_ROUTE4_DEL ||
	       op->type == DP_OP_ROUTE6_DEL || op->type == DP_OP_LABEL_DEL;
}

/*
 * Gives the verdict of message @m to its requests. Returns how many of them, from the first on, are
 * settled (done or failed); the others have to go again.
 */
static size_t settle(struct genl *g, struct dp_batch *b, struct genl_msg *m)
{
	uint32_t *sent = g->sent + m->first;
	struct dp_op *op = &b->ops[sent[0]];
	size_t i, k;
	unsigned int record;
	const char *why = m->err.error == ENOSPC ? "the table's limit is reached" : NULL;

	if (!m->err.error || (op_is_del(op) && (m->err.error == ENOENT || m->err.error == ENODEV))) {
		g->full = 0;
		if (m->n > 1 && g->limit < RECORDS_MAX)
			g->limit = g->limit * 2 > RECORDS_MAX ? RECORDS_MAX : g->limit * 2;
		return m->n;
	}
	if (!genl_is_record(op->type)) {
		dp_op_fail(op, m->err.error, m->err.text);
		return 1;
	}
	if (m->err.error == ENOMEM || m->err.error == ENOSPC) {
		k = records_in(m);
		if (k)
			g->full = 0;
		if (k == m->n)
			return k;
		if (m->err.error == ENOMEM || ++g->full > FULL_MAX) {
			for (i = k; i < m->n; i++)
				dp_op_fail(&b->ops[sent[i]], m->err.error, why);
			return m->n;
		}
		dp_op_fail(&b->ops[sent[k]], m->err.error, why);
		return k + 1;
	}
	if (sscanf(m->err.text, "record %u:", &record) == 1 && record < m->n) {
		dp_op_fail(&b->ops[sent[record]], m->err.error, m->err.text);
		g->limit = record > LIMIT_SMALL ? record : LIMIT_SMALL;
		return record ? 0 : 1;
	}
	/* the message as a whole: no such VRF, no privilege */
	for (i = 0; i < m->n; i++)
		dp_op_fail(&b->ops[sent[i]], m->err.error, m->err.text);
	return m->n;
}

/* Acknowledgements lost: what was sent may or may not be in. All requests may be made twice. */
static bool any_lost(const struct genl *g, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!g->msgs[i].acked)
			return true;
	return false;
}

static void run_send(struct genl *g)
{
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK };
	struct dp_batch *b = g->first;
	size_t n, octets, behind, i, settled, pos;

	n = fill(g, &octets, &behind);
	if (n) {
		if (sendto(g->fd, g->out, octets, 0, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
			for (i = 0; i < n; i++) {
				g->msgs[i].acked = true;
				g->msgs[i].err = (struct genl_error){ .error = errno };
			}
		} else {
			collect(g, n);
		}
	}
	pos = behind;
	for (i = 0; i < n; i++) {
		struct genl_msg *m = &g->msgs[i];

		if (m->err.error && m->acked && family_lost(g, &m->err))
			return;
		if (!m->acked) {
			pos = g->sent[m->first];
			break;
		}
		settled = settle(g, b, m);
		if (settled < m->n) {
			pos = settled ? g->sent[m->first + settled - 1] + 1 : g->sent[m->first];
			break;
		}
	}
	if (any_lost(g, n)) {
		/* drain what else may still arrive of this send, so that it is not taken for the next */
		while (recv(g->fd, g->ack, sizeof(g->ack), MSG_DONTWAIT) > 0)
			;
	}
	pos = next_open(b, pos);
	g->backlog -= pos - b->pos;
	b->pos = pos;
	if (b->pos >= b->n)
		batch_finish(g);
}

static void run_slice(uv_idle_t *idle)
{
	struct genl *g = idle->data;
	uint64_t end = clock_us() + SLICE_US;

	while (g->first && g->family.id && clock_us() < end)
		run_send(g);
	if (!g->family.id)
		batches_fail(g, ENODEV);
	batches_tell(g);
	if (!g->first && !g->finished)
		uv_idle_stop(&g->idle);
}

static void genl_submit(struct dp_provider *p, struct dp_batch *batch)
{
	struct genl *g = to_genl(p);

	batch->next = NULL;
	batch->pos = 0;
	*g->last = batch;
	g->last = &batch->next;
	g->backlog += batch->n;
	uv_idle_start(&g->idle, run_slice);
}

static size_t genl_backlog(const struct dp_provider *p)
{
	return to_genl(p)->backlog;
}

/* ---- calls answered at once ---- */

static int call(struct genl *g, struct nlmsghdr *nlh,
		bool (*answer)(const struct nlmsghdr *nlh, void *arg), void *arg)
{
	struct genl_error err;

	if (!g->family.id)
		return ENODEV;
	genl_call(g->fd, nlh, ++g->seq, answer, arg, &err);
	if (err.error)
		log_debug("dataplane", "the module refuses: %s %s", strerror(err.error), err.text);
	return err.error;
}

static bool info_answer(const struct nlmsghdr *nlh, void *arg)
{
	size_t len;
	const struct nlattr *first = genl_attrs(nlh, &len);

	return genl_decode_info(first, len, arg);
}

static int genl_info(struct dp_provider *p, struct dp_info *info)
{
	struct genl *g = to_genl(p);
	char buf[64];

	memset(info, 0, sizeof(*info));
	return call(g, genl_header(buf, g->family.id, L3VPN_CMD_INFO_GET, 0), info_answer, info);
}

static bool epoch_answer(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *a;

	mnl_attr_for_each(a, nlh, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(a) == L3VPN_EPOCH_EPOCH &&
		    mnl_attr_get_payload_len(a) == sizeof(uint32_t))
			*(uint32_t *)arg = mnl_attr_get_u32(a);
	return true;
}

static int genl_epoch_begin(struct dp_provider *p, uint32_t *epoch)
{
	struct genl *g = to_genl(p);
	char buf[64];
	int err;

	*epoch = 0;
	err = call(g, genl_header(buf, g->family.id, L3VPN_CMD_EPOCH_BEGIN, 0), epoch_answer, epoch);
	return err ? err : *epoch ? 0 : EBADMSG;
}

static bool lookup_answer(const struct nlmsghdr *nlh, void *arg)
{
	size_t len;
	const struct nlattr *first = genl_attrs(nlh, &len);

	return genl_decode_lookup(first, len, arg);
}

static int genl_lookup(struct dp_provider *p, struct dp_lookup *l)
{
	struct genl *g = to_genl(p);
	char buf[256];
	struct nlmsghdr *nlh = genl_header(buf, g->family.id, L3VPN_CMD_ROUTE_GET, 0);
	bool v4 = l->dst.family == AF_INET;

	mnl_attr_put_u32(nlh, L3VPN_ROUTE_VRF, l->vrf);
	mnl_attr_put(nlh, v4 ? L3VPN_ROUTE_DST4 : L3VPN_ROUTE_DST6, v4 ? 4 : 16, l->dst.b);
	if (!v4 && l->flow_label)
		mnl_attr_put_u32(nlh, L3VPN_ROUTE_FLOWLABEL, l->flow_label);
	if (l->src.family == l->dst.family) {
		mnl_attr_put(nlh, v4 ? L3VPN_ROUTE_SRC4 : L3VPN_ROUTE_SRC6, v4 ? 4 : 16, l->src.b);
		if (l->proto)
			mnl_attr_put_u8(nlh, L3VPN_ROUTE_PROTO, l->proto);
		if (l->sport || l->dport) {
			mnl_attr_put_u16(nlh, L3VPN_ROUTE_SPORT, htons(l->sport));
			mnl_attr_put_u16(nlh, L3VPN_ROUTE_DPORT, htons(l->dport));
		}
	}
	return call(g, nlh, lookup_answer, l);
}

struct get_arg {
	struct genl *g;
	enum dp_query_kind kind;
	struct dp_row *row;
};

static bool get_answer(const struct nlmsghdr *nlh, void *arg)
{
	struct get_arg *a = arg;
	size_t len;
	const struct nlattr *first = genl_attrs(nlh, &len);

	return a->kind == DP_QUERY_VRFS ? genl_decode_vrf(first, len, a->row) :
	       genl_decode_nh(first, len, a->row, a->g->members);
}

static int genl_get(struct dp_provider *p, enum dp_query_kind kind, uint32_t id,
		    struct dp_row *row)
{
	struct genl *g = to_genl(p);
	struct get_arg arg = { .g = g, .kind = kind, .row = row };
	struct nlmsghdr *nlh;
	char buf[128];

	if (kind != DP_QUERY_VRFS && kind != DP_QUERY_NHS)
		return EOPNOTSUPP;
	nlh = genl_header(buf, g->family.id,
			  kind == DP_QUERY_VRFS ? L3VPN_CMD_VRF_GET : L3VPN_CMD_NH_GET, 0);
	mnl_attr_put_u32(nlh, kind == DP_QUERY_VRFS ? L3VPN_VRF_ID : L3VPN_NH_ID, id);
	return call(g, nlh, get_answer, &arg);
}

static int genl_nh_state(struct dp_provider *p, uint32_t id, bool down)
{
	struct genl *g = to_genl(p);
	char buf[64];

	return call(g, genl_nh_state_msg(buf, g->family.id, id, down), NULL, NULL);
}

static int genl_clear(struct dp_provider *p, uint32_t kinds)
{
	struct genl *g = to_genl(p);
	char buf[64];
	struct nlmsghdr *nlh = genl_header(buf, g->family.id, L3VPN_CMD_STATS_CLEAR, 0);

	if (kinds)
		mnl_attr_put_u32(nlh, L3VPN_CLEAR_KINDS, kinds);
	return call(g, nlh, NULL, NULL);
}

static int genl_drops(struct dp_provider *p, bool on)
{
	struct genl *g = to_genl(p);

	g->drops_on += on ? 1 : -1;
	if (!g->family.id || g->drops_on != (on ? 1 : 0))
		return 0;
	if (setsockopt(g->evfd, SOL_NETLINK,
		       on ? NETLINK_ADD_MEMBERSHIP : NETLINK_DROP_MEMBERSHIP,
		       &g->family.grp_drops, sizeof(g->family.grp_drops)) < 0)
		return errno;
	return 0;
}

static void put_prefix(struct nlmsghdr *nlh, const struct prefix *p, uint16_t attr, uint16_t attr_plen)
{
	if (!p->addr.family)
		return;
	mnl_attr_put(nlh, attr, p->addr.family == AF_INET ? 4 : 16, p->addr.b);
	mnl_attr_put_u8(nlh, attr_plen, p->len);
}

/* Armed by the socket of commands: it ends when this process does, whatever happens to it. */
static int genl_trace(struct dp_provider *p, const struct dp_trace *t, char *why, size_t len)
{
	struct genl *g = to_genl(p);
	struct genl_error err = { 0 };
	struct nlmsghdr *nlh;
	char buf[256];

	if (!g->family.id) {
		snprintf(why, len, "the module is not loaded");
		return ENODEV;
	}
	if (g->trace_on) {
		setsockopt(g->evfd, SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, &g->family.grp_packets,
			   sizeof(g->family.grp_packets));
		nlh = genl_header(buf, g->family.id, L3VPN_CMD_TRACE_DEL, 0);
		genl_call(g->fd, nlh, ++g->seq, NULL, NULL, &err);	/* ENOENT: it was over */
		g->trace_on = false;
	}
	if (!t)
		return 0;
	nlh = genl_header(buf, g->family.id, L3VPN_CMD_TRACE_SET, 0);
	if (t->vrf)
		mnl_attr_put_u32(nlh, L3VPN_TRACE_VRF, t->vrf);
	if (t->ifindex)
		mnl_attr_put_u32(nlh, L3VPN_TRACE_IFINDEX, t->ifindex);
	put_prefix(nlh, &t->src, L3VPN_TRACE_SRC, L3VPN_TRACE_SRC_PLEN);
	put_prefix(nlh, &t->dst, L3VPN_TRACE_DST, L3VPN_TRACE_DST_PLEN);
	if (t->protocol >= 0)
		mnl_attr_put_u8(nlh, L3VPN_TRACE_PROTOCOL, t->protocol);
	if (t->count)
		mnl_attr_put_u32(nlh, L3VPN_TRACE_COUNT, t->count);
	if (setsockopt(g->evfd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &g->family.grp_packets,
		       sizeof(g->family.grp_packets)) < 0) {
		snprintf(why, len, "%s", strerror(errno));
		return errno;
	}
	genl_call(g->fd, nlh, ++g->seq, NULL, NULL, &err);
	if (err.error) {
		setsockopt(g->evfd, SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, &g->family.grp_packets,
			   sizeof(g->family.grp_packets));
		snprintf(why, len, "%s", err.text[0] ? err.text : strerror(err.error));
		return err.error;
	}
	g->trace_on = true;
	return 0;
}

/* ---- sweeps: may take long, so not on the loop's thread ---- */

static bool sweep_answer(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *a;

	mnl_attr_for_each(a, nlh, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(a) == L3VPN_EPOCH_SWEPT &&
		    mnl_attr_get_payload_len(a) == sizeof(uint64_t))
			*(uint64_t *)arg = mnl_attr_get_u64(a);
	return true;
}

/* In a thread of libuv's pool; touches nothing but @work's own structure. */
static void sweep_work(uv_work_t *work)
{
	struct genl_sweep *s = container_of(work, struct genl_sweep, work);
	struct nlmsghdr *nlh;
	char buf[128];
	int fd;

	fd = genl_socket(65536);
	if (fd < 0) {
		s->error = -fd;
		return;
	}
	nlh = genl_header(buf, s->family, L3VPN_CMD_EPOCH_SWEEP, 0);
	mnl_attr_put_u32(nlh, L3VPN_EPOCH_EPOCH, s->epoch);
	if (s->kinds)
		mnl_attr_put_u32(nlh, L3VPN_EPOCH_KINDS, s->kinds);
	s->error = genl_call(fd, nlh, 1, sweep_answer, &s->swept, NULL);
	close(fd);
}

static void sweep_done(uv_work_t *work, int status)
{
	struct genl_sweep *s = container_of(work, struct genl_sweep, work);

	if (s->g) {
		s->g->sweeping = NULL;
		s->done(s->arg, status == UV_ECANCELED ? ECANCELED : s->error, s->swept);
	}
	free(s);
}

/* Runs behind the batches queued before it, as one that has no requests. */
static void sweep_turn(struct dp_batch *batch)
{
	struct genl_sweep *s = batch->arg;
	struct genl *g = s->g;

	dp_batch_free(batch);
	if (!g->family.id || g->sweeping) {
		s->done(s->arg, g->sweeping ? EBUSY : ENODEV, 0);
		free(s);
		return;
	}
	s->family = g->family.id;
	g->sweeping = s;
	uv_queue_work(g->loop, &s->work, sweep_work, sweep_done);
}

static void genl_sweep(struct dp_provider *p, uint32_t epoch, uint32_t kinds,
		       void (*done)(void *arg, int error, uint64_t swept), void *arg)
{
	struct genl_sweep *s = xcalloc(1, sizeof(*s));
	struct dp_batch *turn = dp_batch_new(sweep_turn, s);

	if (!turn) {
		free(s);
		log_err("dataplane", "no memory for a sweep");
		return;
	}
	s->g = to_genl(p);
	s->epoch = epoch;
	s->kinds = kinds;
	s->done = done;
	s->arg = arg;
	genl_submit(p, turn);
}

/* ---- life ---- */

static struct dp_dump *genl_op_dump(struct dp_provider *p, const struct dp_query *query,
				    const struct dp_dump_ops *ops, void *arg)
{
	struct genl *g = to_genl(p);

	return genl_dump(&g->dumps, g->family.id, query, ops, arg);
}

static int genl_open(struct dp_provider *p, uv_loop_t *loop, const struct dp_listener *listener,
		     char *why, size_t why_len)
{
	struct genl *g = to_genl(p);
	int group = GENL_CTRL_GROUP, err;

	g->loop = loop;
	g->dumps.loop = loop;
	g->listener = *listener;
	g->fd = genl_socket(RCVBUF_CMD);
	g->evfd = genl_socket(RCVBUF_EVENTS);
	if (g->fd < 0 || g->evfd < 0) {
		err = g->fd < 0 ? -g->fd : -g->evfd;
		snprintf(why, why_len, "cannot open a netlink socket: %s", strerror(err));
		return err;
	}
	setsockopt(g->evfd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group));
	err = genl_resolve(g->fd, ++g->seq, &g->family);
	if (err) {
		g->family.id = 0;
		snprintf(why, why_len, err == ENOENT ?
			 "module l3vpn is not loaded: modprobe l3vpn" :
			 "cannot ask for the family l3vpn: %s", strerror(err));
		return err;
	}
	family_join(g);
	uv_poll_init(loop, &g->poll, g->evfd);
	uv_idle_init(loop, &g->idle);
	uv_timer_init(loop, &g->timer);
	g->poll.data = g->idle.data = g->timer.data = g;
	g->handles = 3;
	uv_poll_start(&g->poll, UV_READABLE, events_readable);
	uv_timer_start(&g->timer, family_ready, 0, 0);
	return 0;
}

static void genl_release(struct genl *g)
{
	if (g->fd >= 0)
		close(g->fd);
	if (g->evfd >= 0)
		close(g->evfd);
	free(g);
}

static void genl_closed(uv_handle_t *handle)
{
	struct genl *g = handle->data;

	if (!--g->handles)
		genl_release(g);
}

static void genl_close(struct dp_provider *p)
{
	struct genl *g = to_genl(p);

	batches_fail(g, ECANCELED);
	genl_dumps_end(&g->dumps, ECANCELED);
	g->family.id = 0;
	batches_tell(g);
	if (g->sweeping) {
		g->sweeping->g = NULL;
		g->sweeping->done(g->sweeping->arg, ECANCELED, 0);
		uv_cancel((uv_req_t *)&g->sweeping->work);
	}
	if (!g->handles) {
		genl_release(g);
		return;
	}
	uv_close((uv_handle_t *)&g->poll, genl_closed);
	uv_close((uv_handle_t *)&g->idle, genl_closed);
	uv_close((uv_handle_t *)&g->timer, genl_closed);
}

static const struct dp_provider_ops genl_ops = {
	.name = "genl",
	.open = genl_open,
	.close = genl_close,
	.submit = genl_submit,
	.backlog = genl_backlog,
	.info = genl_info,
	.epoch_begin = genl_epoch_begin,
	.sweep = genl_sweep,
	.dump = genl_op_dump,
	.dump_resume = genl_dump_resume,
	.dump_cancel = genl_dump_cancel,
	.lookup = genl_lookup,
	.get = genl_get,
	.nh_state = genl_nh_state,
	.clear = genl_clear,
	.drops = genl_drops,
	.trace = genl_trace,
};

struct dp_provider *dp_genl_new(void)
{
	struct genl *g = xcalloc(1, sizeof(*g));

	g->base.ops = &genl_ops;
	g->fd = g->evfd = -1;
	g->last = &g->first;
	g->finished_last = &g->finished;
	g->limit = RECORDS_MAX;
	return &g->base;
}
