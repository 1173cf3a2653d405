/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dataplane/genl.h: between the files of the genl provider (genl.c: life and queue, genl_encode.c:
 * batches to messages, genl_decode.c: attributes to rows, genl_dump.c: streams). Nobody else
 * includes it.
 */
#ifndef L3VPN_DATAPLANE_GENL_H
#define L3VPN_DATAPLANE_GENL_H

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <libmnl/libmnl.h>

#include "dataplane/provider.h"

#define GENL_ATTR_MAX	65528		/* octets of records in one attribute */
#define GENL_BUF	(GENL_ATTR_MAX + 1024)
#define GENL_MSGS_MAX	64		/* messages in one send */

/* Words and numbers of a refusal. */
struct genl_error {
	int error;			/* positive errno; 0 success */
	char text[160];			/* extack's words, or empty */
	bool has_cookie;
	uint64_t cookie;		/* records that are in */
};

/* genl_encode.c */

/**
 * genl_encode() - put as many requests as one message of its kind takes
 * @batch:	from its pos on; requests that have failed already are skipped
 * @limit:	most records
 * @sent:	set to the indexes (in the batch) of the requests in the message; room for @limit
 * @n:		set to how many
 * Returns the message in @buf, complete but for its sequence number.
 */
struct nlmsghdr *genl_encode(char *buf, size_t size, uint16_t family, const struct dp_batch *batch,
			     size_t pos, size_t limit, uint32_t *sent, size_t *n);
struct nlmsghdr *genl_header(char *buf, uint16_t family, uint8_t cmd, uint16_t flags);
/* NH_STATE; @buf: 64 octets */
struct nlmsghdr *genl_nh_state_msg(char *buf, uint16_t family, uint32_t id, bool down);

/* Can requests of @type share a message? */
bool genl_is_record(enum dp_op_type type);

/* genl_decode.c: false: not an answer of that kind. @members: room for L3VPN_GROUP_MAX. */
bool genl_decode_vrf(const struct nlattr *first, size_t len, struct dp_row *row);
bool genl_decode_port(const struct nlattr *first, size_t len, struct dp_row *row);
bool genl_decode_nh(const struct nlattr *first, size_t len, struct dp_row *row,
		    struct l3vpn_nh_member *members);
/* @sources: room for L3VPN_SOURCES_MAX */
bool genl_decode_endpoint(const struct nlattr *first, size_t len, struct dp_row *row, struct prefix *sources);
bool genl_decode_table(const struct nlattr *first, size_t len, struct dp_row *row);
bool genl_decode_dropped(const struct nlattr *first, size_t len, struct dp_row *row);
bool genl_decode_sample(const struct nlattr *first, size_t len, struct dp_drop *drop);
bool genl_decode_packet(const struct nlattr *first, size_t len, struct dp_packet *packet);
bool genl_decode_event(const struct nlattr *first, size_t len, struct dp_event *event,
		       struct l3vpn_nh_member *members);
bool genl_decode_info(const struct nlattr *first, size_t len, struct dp_info *info);
bool genl_decode_lookup(const struct nlattr *first, size_t len, struct dp_lookup *lookup);
void genl_decode_error(const struct nlmsghdr *nlh, struct genl_error *err);

/* One message of a route or label dump: its packed records. */
struct genl_records {
	enum dp_query_kind kind;
	uint32_t table;
	bool kernel;
	const uint8_t *data;
	size_t n;
	struct dp_stats stats;		/* of a message with one label */
};

/* Up to two (IPv4 and IPv6) per message; returns how many. */
size_t genl_decode_records(const struct nlmsghdr *nlh, struct genl_records out[2]);
void genl_record_row(const struct genl_records *r, size_t i, struct dp_row *row);

const struct nlattr *genl_attrs(const struct nlmsghdr *nlh, size_t *len);

/* genl_dump.c */
struct genl_dumps {
	struct dp_dump *first;
	uv_loop_t *loop;
};

struct dp_dump *genl_dump(struct genl_dumps *all, uint16_t family, const struct dp_query *query,
			  const struct dp_dump_ops *ops, void *arg);
void genl_dump_resume(struct dp_dump *dump);
void genl_dump_cancel(struct dp_dump *dump);
void genl_dumps_end(struct genl_dumps *all, int error);

/* genl_ctrl.c: sockets, and what the kernel's controller says about the family. */
struct genl_family {
	uint16_t id;
	uint32_t grp_events;
	uint32_t grp_drops;
	uint32_t grp_packets;
};

#define GENL_CTRL_GROUP 16		/* GENL_ID_CTRL is also the group "notify" of the controller */

int genl_socket(int rcvbuf);		/* fd, or -errno */
int genl_call(int fd, struct nlmsghdr *nlh, uint32_t seq,
	      bool (*answer)(const struct nlmsghdr *nlh, void *arg), void *arg,
	      struct genl_error *err);
int genl_resolve(int fd, uint32_t seq, struct genl_family *family);

enum genl_ctrl_event { GENL_CTRL_NONE, GENL_CTRL_FAMILY_NEW, GENL_CTRL_FAMILY_DEL };
enum genl_ctrl_event genl_ctrl_event(const struct nlmsghdr *nlh);

#endif
