// SPDX-License-Identifier: GPL-2.0
/*
 * dataplane/genl_ctrl.c: sockets, calls that are answered at once, and the generic netlink
 * controller: which number our family and its multicast groups have, and when it comes and goes.
 */
#include "dataplane/genl.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

int genl_socket(int rcvbuf)
{
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK };
	struct timeval patience = { .tv_sec = 30 };
	int one = 1, sndbuf = 4 * GENL_BUF, fd, err;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		err = errno;
		close(fd);
		return -err;
	}
	/* Without the privilege the system's limit holds: less room, nothing else changes. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &rcvbuf, sizeof(rcvbuf)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &sndbuf, sizeof(sndbuf)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &sndbuf, sizeof(sndbuf));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	return fd;
}

/*
 * One request, answered at once: the kernel works on it inside sendto(), so that its answer is there
 * when recv() asks. Returns 0 or a positive errno; @err (or NULL) has the words.
 */
int genl_call(int fd, struct nlmsghdr *nlh, uint32_t seq,
	      bool (*answer)(const struct nlmsghdr *nlh, void *arg), void *arg,
	      struct genl_error *err)
{
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK };
	struct genl_error dummy;
	char buf[32768];
	const struct nlmsghdr *at;
	int len;

	if (!err)
		err = &dummy;
	memset(err, 0, sizeof(*err));
	nlh->nlmsg_seq = seq;
	nlh->nlmsg_flags |= NLM_F_ACK;
	if (sendto(fd, nlh, nlh->nlmsg_len, 0, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return err->error = errno;
	for (;;) {
		len = recv(fd, buf, sizeof(buf), 0);
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return err->error = errno == EAGAIN ? ETIMEDOUT : errno;
		for (at = (void *)buf; mnl_nlmsg_ok(at, len); at = mnl_nlmsg_next(at, &len)) {
			if (at->nlmsg_seq != seq)
				continue;
			if (at->nlmsg_type == NLMSG_ERROR || at->nlmsg_type == NLMSG_DONE) {
				genl_decode_error(at, err);
				return err->error;
			}
			if (answer && !answer(at, arg))
				err->error = EBADMSG;
		}
	}
}

static bool family_answer(const struct nlmsghdr *nlh, void *arg)
{
	struct genl_family *f = arg;
	const struct nlattr *a, *g, *m;

	mnl_attr_for_each(a, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(a) == CTRL_ATTR_FAMILY_ID)
			f->id = mnl_attr_get_u16(a);
		if (mnl_attr_get_type(a) != CTRL_ATTR_MCAST_GROUPS)
			continue;
		mnl_attr_for_each_nested(g, a) {
			const char *name = "";
			uint32_t id = 0;

			mnl_attr_for_each_nested(m, g) {
				if (mnl_attr_get_type(m) == CTRL_ATTR_MCAST_GRP_NAME)
					name = mnl_attr_get_str(m);
				if (mnl_attr_get_type(m) == CTRL_ATTR_MCAST_GRP_ID)
					id = mnl_attr_get_u32(m);
			}
			if (!strcmp(name, L3VPN_MCGRP_EVENTS))
				f->grp_events = id;
			if (!strcmp(name, L3VPN_MCGRP_DROPS))
				f->grp_drops = id;
			if (!strcmp(name, L3VPN_MCGRP_PACKETS))
				f->grp_packets = id;
		}
	}
	return true;
}

/* 0, ENOENT when there is no such family, or another positive errno. */
int genl_resolve(int fd, uint32_t seq, struct genl_family *family)
{
	char buf[256];
	struct nlmsghdr *nlh = genl_header(buf, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
	int err;

	memset(family, 0, sizeof(*family));
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, L3VPN_GENL_NAME);
	err = genl_call(fd, nlh, seq, family_answer, family, NULL);
	return err ? err : family->id ? 0 : ENOENT;
}

/* Is this message of the controller's about our family? */
enum genl_ctrl_event genl_ctrl_event(const struct nlmsghdr *nlh)
{
	const struct genlmsghdr *g = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *a;
	bool ours = false;

	if (nlh->nlmsg_type != GENL_ID_CTRL || mnl_nlmsg_get_payload_len(nlh) < sizeof(*g))
		return GENL_CTRL_NONE;
	mnl_attr_for_each(a, nlh, sizeof(*g))
		if (mnl_attr_get_type(a) == CTRL_ATTR_FAMILY_NAME &&
		    !strncmp(mnl_attr_get_payload(a), L3VPN_GENL_NAME,
			     mnl_attr_get_payload_len(a)))
			ours = true;
	if (!ours)
		return GENL_CTRL_NONE;
	if (g->cmd == CTRL_CMD_NEWFAMILY)
		return GENL_CTRL_FAMILY_NEW;
	return g->cmd == CTRL_CMD_DELFAMILY ? GENL_CTRL_FAMILY_DEL : GENL_CTRL_NONE;
}
