// SPDX-License-Identifier: GPL-2.0
/*
 * dataplane/genl_dump.c: streams what the module holds, row by row.
 *
 * Each dump has a socket of its own, so that a reader who stops taking rows stops the kernel's
 * dump and nothing else.
 */
#include "dataplane/genl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DUMP_BUF	(64 * 1024)
#define DUMP_SLICE	8		/* buffers read in one turn of the loop */

/**
 * struct dp_dump - a dump under way
 * @len, @off:	of @buf: octets there, octets consumed (whole messages)
 * @records:	of the message at @off, from @rec on; @rec_n sets, @rec_i the next in the set @rec
 */
struct dp_dump {
	struct dp_dump *next;
	struct genl_dumps *all;
	struct dp_query query;
	const struct dp_dump_ops *ops;
	void *arg;
	uv_poll_t poll;
	uv_timer_t kick;
	int fd;
	int handles;
	bool paused;
	bool ended;
	bool interrupted;
	int start_error;
	size_t len, off;
	struct genl_records records[2];
	size_t rec_n, rec, rec_i;
	char *buf;
};

static void dump_unlink(struct dp_dump *d)
{
	struct dp_dump **at;

	for (at = &d->all->first; *at; at = &(*at)->next)
		if (*at == d) {
			*at = d->next;
			return;
		}
}

static void dump_closed(uv_handle_t *handle)
{
	struct dp_dump *d = handle->data;

	if (--d->handles)
		return;
	if (d->fd >= 0)
		close(d->fd);
	free(d->buf);
	free(d);
}

static void dump_close(struct dp_dump *d)
{
	dump_unlink(d);
	d->ended = true;
	if (d->fd >= 0)
		uv_close((uv_handle_t *)&d->poll, dump_closed);
	uv_close((uv_handle_t *)&d->kick, dump_closed);
}

static void dump_end(struct dp_dump *d, int error, const char *why)
{
	if (d->ended)
		return;
	d->ended = true;
	if (!error && d->interrupted)
		error = EINTR;
	d->ops->done(d->arg, error, why && *why ? why : error ? strerror(error) : "");
	dump_close(d);
}

/* One object a message. Returns false when the reader cannot take it now. */
static bool dump_single(struct dp_dump *d, const struct nlmsghdr *nlh)
{
	struct l3vpn_nh_member members[L3VPN_GROUP_MAX];
	struct prefix sources[L3VPN_SOURCES_MAX];
	const struct nlattr *first;
	struct dp_row row;
	size_t len;
	bool good;

	first = genl_attrs(nlh, &len);
	switch (d->query.kind) {
	case DP_QUERY_VRFS:
		good = genl_decode_vrf(first, len, &row);
		break;
	case DP_QUERY_PORTS:
		good = genl_decode_port(first, len, &row);
		break;
	case DP_QUERY_NHS:
		good = genl_decode_nh(first, len, &row, members);
		break;
	case DP_QUERY_ENDPOINTS:
		good = genl_decode_endpoint(first, len, &row, sources);
		break;
	case DP_QUERY_TABLES:
		good = genl_decode_table(first, len, &row);
		break;
	default:
		good = genl_decode_dropped(first, len, &row);
	}
	return !good || d->ops->row(d->arg, &row);
}

/* Packed records; goes on where the reader stopped. */
static bool dump_packed(struct dp_dump *d, const struct nlmsghdr *nlh)
{
	struct dp_row row;

	if (!d->rec_n) {
		d->rec_n = genl_decode_records(nlh, d->records);
		d->rec = d->rec_i = 0;
	}
	for (; d->rec < d->rec_n; d->rec++, d->rec_i = 0)
		for (; d->rec_i < d->records[d->rec].n; d->rec_i++) {
			genl_record_row(&d->records[d->rec], d->rec_i, &row);
			if (row.kind == d->query.kind && !d->ops->row(d->arg, &row))
				return false;
			if (d->ended)
				return false;
		}
	d->rec_n = 0;
	return true;
}

/* Works through the buffer. Returns false when paused or ended. */
static bool dump_drain(struct dp_dump *d)
{
	bool packed = d->query.kind == DP_QUERY_ROUTES4 || d->query.kind == DP_QUERY_ROUTES6 ||
		      d->query.kind == DP_QUERY_LABELS;
	struct genl_error err;

	while (d->off < d->len) {
		const struct nlmsghdr *nlh = (void *)(d->buf + d->off);

		if (!mnl_nlmsg_ok(nlh, d->len - d->off)) {
			dump_end(d, EBADMSG, NULL);
			return false;
		}
		if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
			d->interrupted = true;
		if (nlh->nlmsg_type == NLMSG_DONE || nlh->nlmsg_type == NLMSG_ERROR) {
			genl_decode_error(nlh, &err);
			dump_end(d, err.error, err.text);
			return false;
		}
		if (nlh->nlmsg_type >= NLMSG_MIN_TYPE &&
		    !(packed ? dump_packed(d, nlh) : dump_single(d, nlh))) {
			if (!d->ended) {
				d->paused = true;
				uv_poll_stop(&d->poll);
			}
			return false;
		}
		if (d->ended)
			return false;
		d->off += MNL_ALIGN(nlh->nlmsg_len);
	}
	return true;
}

static void dump_readable(uv_poll_t *poll, int status, int events)
{
	struct dp_dump *d = poll->data;
	ssize_t len;
	int i;

	(void)events;
	if (status < 0) {
		dump_end(d, -status, NULL);
		return;
	}
	for (i = 0; i < DUMP_SLICE; i++) {
		len = recv(d->fd, d->buf, DUMP_BUF, MSG_DONTWAIT | MSG_TRUNC);
		if (len < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (len < 0 || len > DUMP_BUF) {
			dump_end(d, len < 0 ? errno : EMSGSIZE, NULL);
			return;
		}
		d->len = len;
		d->off = 0;
		if (!dump_drain(d))
			return;
	}
}

/* From the loop: a dump that could not start, or one that goes on after a pause. */
static void dump_kick(uv_timer_t *timer)
{
	struct dp_dump *d = timer->data;

	if (d->start_error) {
		dump_end(d, d->start_error, NULL);
		return;
	}
	d->paused = false;
	if (dump_drain(d))
		uv_poll_start(&d->poll, UV_READABLE, dump_readable);
}

static int dump_request(struct dp_dump *d, uint16_t family)
{
	static const uint8_t cmds[] = {
		[DP_QUERY_VRFS] = L3VPN_CMD_VRF_GET, [DP_QUERY_PORTS] = L3VPN_CMD_PORT_GET,
		[DP_QUERY_NHS] = L3VPN_CMD_NH_GET, [DP_QUERY_ROUTES4] = L3VPN_CMD_ROUTE_GET,
		[DP_QUERY_ROUTES6] = L3VPN_CMD_ROUTE_GET,
		[DP_QUERY_LABELS] = L3VPN_CMD_LABEL_GET,
		[DP_QUERY_TABLES] = L3VPN_CMD_TABLE_GET, [DP_QUERY_DROPS] = L3VPN_CMD_DROP_GET,
		[DP_QUERY_ENDPOINTS] = L3VPN_CMD_ENDPOINT_GET,
	};
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK };
	char buf[256];
	struct nlmsghdr *nlh = genl_header(buf, family, cmds[d->query.kind], NLM_F_DUMP);

	if (d->query.kind == DP_QUERY_ROUTES4 || d->query.kind == DP_QUERY_ROUTES6) {
		mnl_attr_put_u32(nlh, L3VPN_ROUTE_VRF, d->query.vrf);
		mnl_attr_put_u8(nlh, L3VPN_ROUTE_FAMILY,
				d->query.kind == DP_QUERY_ROUTES4 ? AF_INET : AF_INET6);
	}
	nlh->nlmsg_seq = 1;
	return sendto(d->fd, nlh, nlh->nlmsg_len, 0, (struct sockaddr *)&sa, sizeof(sa)) < 0 ?
	       errno : 0;
}

struct dp_dump *genl_dump(struct genl_dumps *all, uint16_t family, const struct dp_query *query,
			  const struct dp_dump_ops *ops, void *arg)
{
	struct dp_dump *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->buf = malloc(DUMP_BUF);
	if (!d->buf) {
		free(d);
		return NULL;
	}
	d->all = all;
	d->query = *query;
	d->ops = ops;
	d->arg = arg;
	d->next = all->first;
	all->first = d;
	uv_timer_init(all->loop, &d->kick);
	d->kick.data = d;
	d->handles = 1;
	d->fd = family ? genl_socket(DUMP_BUF * 4) : -ENODEV;
	if (d->fd < 0) {
		d->start_error = -d->fd;
		d->fd = -1;
		uv_timer_start(&d->kick, dump_kick, 0, 0);
		return d;
	}
	uv_poll_init(all->loop, &d->poll, d->fd);
	d->poll.data = d;
	d->handles++;
	d->start_error = dump_request(d, family);
	if (d->start_error)
		uv_timer_start(&d->kick, dump_kick, 0, 0);
	else
		uv_poll_start(&d->poll, UV_READABLE, dump_readable);
	return d;
}

void genl_dump_resume(struct dp_dump *d)
{
	if (d->paused && !d->ended)
		uv_timer_start(&d->kick, dump_kick, 0, 0);
}

/* May be called from inside row(): what is on the stack looks at ended before it goes on. */
void genl_dump_cancel(struct dp_dump *d)
{
	if (!d->ended)
		dump_close(d);
}

void genl_dumps_end(struct genl_dumps *all, int error)
{
	while (all->first)
		dump_end(all->first, error, NULL);
}
