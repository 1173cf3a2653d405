// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn: ROUTE_ADD, ROUTE_DEL, in bulk. ROUTE_GET is in netlink_route_get.c.
 *
 * A message is checked whole under the same hold of the lock that then executes it, so what was
 * found right stays right: only memory and limits can stop it midway.
 */
#include <linux/sched.h>
#include <net/genetlink.h>

#include "limit.h"
#include "netlink.h"
#include "nexthop.h"
#include "nexthop_ctl.h"
#include "route.h"
#include "vrf.h"

const struct nla_policy l3vpn_route_set_policy[L3VPN_ROUTE_FLAGS + 1] = {
	[L3VPN_ROUTE_VRF]	= NLA_POLICY_FULL_RANGE(NLA_U32, &l3vpn_range_vrf),
	[L3VPN_ROUTE_RECORDS4]	= NLA_POLICY_MIN_LEN(sizeof(struct l3vpn_route4)),
	[L3VPN_ROUTE_RECORDS6]	= NLA_POLICY_MIN_LEN(sizeof(struct l3vpn_route6)),
	[L3VPN_ROUTE_FLAGS]	= NLA_POLICY_MASK(NLA_U32, L3VPN_ROUTE_FLAG_IDEMPOTENT),
};

/* A record of either family. */
struct l3vpn_record {
	struct l3vpn_key key;
	u32 nh;
	u32 label;
	u8 plen;
	bool zero;		/* flags and reserved are */
};

/**
 * struct l3vpn_batch - one ROUTE_ADD or ROUTE_DEL
 * @ln:		namespace
 * @vrf:	VRF
 * @extack:	of the request
 * @nl_flags:	NLM_F_* of the request
 * @idempotent:	deleting what is not there is no error
 * @del:	ROUTE_DEL
 * @nh:		next hop of the record before: most have the same one
 * @nh_id:	its id; 0: none yet
 * @total:	records in the message
 * @done:	records executed so far
 */
struct l3vpn_batch {
	struct l3vpn_net *ln;
	struct l3vpn_vrf *vrf;
	struct netlink_ext_ack *extack;
	u16 nl_flags;
	bool idempotent;
	bool del;
	u32 nh_id;
	struct l3vpn_nh *nh;
	u32 total;
	u32 done;
};

static const int l3vpn_record_attr[2] = { L3VPN_ROUTE_RECORDS4, L3VPN_ROUTE_RECORDS6 };

/* Records ahead at which the index is told to fetch: first the table's line, then the node's. */
#define L3VPN_FETCH_FAR		12
#define L3VPN_FETCH_NEAR	6

static struct l3vpn_nh *l3vpn_batch_nh(struct l3vpn_batch *batch, u32 id)
{
	if (id != batch->nh_id) {
		batch->nh = l3vpn_nh_find(batch->ln, id);
		batch->nh_id = id;
	}
	return batch->nh;
}

static u32 l3vpn_record_size(int v6)
{
	return v6 ? sizeof(struct l3vpn_route6) : sizeof(struct l3vpn_route4);
}

static void l3vpn_record_get(const struct nlattr *nla, int v6, u32 i, struct l3vpn_record *rec)
{
	if (v6) {
		const struct l3vpn_route6 *r = (const struct l3vpn_route6 *)nla_data(nla) + i;

		rec->key = l3vpn_key6(r->prefix);
		rec->nh = r->nh;
		rec->label = r->label;
		rec->plen = r->plen;
		rec->zero = !r->flags && !r->reserved;
	} else {
		const struct l3vpn_route4 *r = (const struct l3vpn_route4 *)nla_data(nla) + i;

		rec->key = l3vpn_key4(r->prefix);
		rec->nh = r->nh;
		rec->label = r->label;
		rec->plen = r->plen;
		rec->zero = !r->flags && !r->reserved;
	}
}

static bool l3vpn_record_host_bits(const struct l3vpn_record *rec)
{
	if (rec->plen == 0)
		return rec->key.hi || rec->key.lo;
	if (rec->plen < 64)
		return (rec->key.hi << rec->plen) || rec->key.lo;
	return rec->plen == 64 ? rec->key.lo : rec->plen < 128 && rec->key.lo << (rec->plen - 64);
}

static int l3vpn_record_refuse(const struct l3vpn_batch *batch, const struct nlattr *nla, u32 i,
			       int err, const char *why)
{
	NL_SET_BAD_ATTR(batch->extack, nla);
	NL_SET_ERR_MSG_FMT(batch->extack, "record %u: %s", i, why);
	return err;
}

static int l3vpn_record_check_add(struct l3vpn_batch *batch, const struct nlattr *nla, int v6,
				  u32 i, const struct l3vpn_record *rec)
{
	if (!rec->zero)
		return l3vpn_record_refuse(batch, nla, i, -EINVAL, "flags or reserved not zero");
	if (rec->label != L3VPN_LABEL_NONE &&
	    (rec->label > L3VPN_LABEL_MAX || rec->label == MPLS_LABEL_IMPLNULL))
		return l3vpn_record_refuse(batch, nla, i, -EINVAL, "label out of range");
	if (!rec->nh || rec->nh > L3VPN_NH_ID_MAX)
		return l3vpn_record_refuse(batch, nla, i, -EINVAL, "next hop id out of range");
	if (!l3vpn_batch_nh(batch, rec->nh))
		return l3vpn_record_refuse(batch, nla, i, -ENOENT, "no such next hop");
	if (!(batch->nl_flags & (NLM_F_EXCL | NLM_F_REPLACE)))
		return 0;

	if (!l3vpn_leaf_none(l3vpn_route_find(batch->vrf, v6, rec->key, rec->plen))) {
		if (batch->nl_flags & NLM_F_EXCL)
			return l3vpn_record_refuse(batch, nla, i, -EEXIST, "route exists");
	} else if (!(batch->nl_flags & (NLM_F_CREATE | NLM_F_EXCL))) {
		return l3vpn_record_refuse(batch, nla, i, -ENOENT, "no route to replace");
	}
	return 0;
}

static int l3vpn_record_check(struct l3vpn_batch *batch, const struct nlattr *nla, int v6,
			      u32 i)
{
	struct l3vpn_record rec;

	l3vpn_record_get(nla, v6, i, &rec);
	if (rec.plen > (v6 ? 128 : 32))
		return l3vpn_record_refuse(batch, nla, i, -EINVAL, "prefix length out of range");
	if (l3vpn_record_host_bits(&rec))
		return l3vpn_record_refuse(batch, nla, i, -EINVAL, "host bits are set");
	if (!batch->del)
		return l3vpn_record_check_add(batch, nla, v6, i, &rec);
	if (!batch->idempotent &&
	    l3vpn_leaf_none(l3vpn_route_find(batch->vrf, v6, rec.key, rec.plen)))
		return l3vpn_record_refuse(batch, nla, i, -ENOENT, "no such route");
	return 0;
}

static int l3vpn_records_check(struct l3vpn_batch *batch, const struct nlattr *nla, int v6)
{
	u32 i, n;
	int err;

	if (nla_len(nla) % l3vpn_record_size(v6)) {
		NL_SET_BAD_ATTR(batch->extack, nla);
		NL_SET_ERR_MSG_FMT(batch->extack, "IPv%d records have %u octets each", v6 ? 6 : 4,
				   l3vpn_record_size(v6));
		return -EINVAL;
	}
	n = nla_len(nla) / l3vpn_record_size(v6);
	for (i = 0; i < n; i++) {
		err = l3vpn_record_check(batch, nla, v6, i);
		if (err)
			return err;
	}
	batch->total += n;
	return 0;
}

static void l3vpn_record_fetch(const struct l3vpn_fib *fib, const struct nlattr *nla, int v6, u32 i,
			       u32 n, int stage)
{
	struct l3vpn_record rec;

	if (i >= n)
		return;
	l3vpn_record_get(nla, v6, i, &rec);
	l3vpn_fib_prefetch(fib, rec.key, stage);
}

static int l3vpn_records_do(struct l3vpn_batch *batch, const struct nlattr *nla, int v6)
{
	struct l3vpn_fib *fib = l3vpn_vrf_fib(batch->vrf, v6);
	u32 i, n = nla_len(nla) / l3vpn_record_size(v6);
	int err;

	for (i = 0; i < n; i++) {
		struct l3vpn_record rec;

		l3vpn_record_fetch(fib, nla, v6, i + L3VPN_FETCH_FAR, n, 0);
		l3vpn_record_fetch(fib, nla, v6, i + L3VPN_FETCH_NEAR, n, 1);
		l3vpn_record_get(nla, v6, i, &rec);
		if (batch->del) {
			/* Not there: deleted by an earlier record of this message, or idempotent. */
			l3vpn_route_del(batch->vrf, v6, rec.key, rec.plen);
		} else {
			err = l3vpn_route_add(batch->vrf, v6, rec.key, rec.plen,
					      l3vpn_batch_nh(batch, rec.nh), rec.label);
			if (err)
				return err;
		}
		batch->done++;
	}
	return 0;
}

/* Under ln->lock. */
static int l3vpn_batch_run(struct l3vpn_batch *batch, struct genl_info *info)
{
	int v6, err;

	batch->vrf = l3vpn_vrf_find(batch->ln, nla_get_u32(info->attrs[L3VPN_ROUTE_VRF]));
	if (!batch->vrf) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[L3VPN_ROUTE_VRF], "no such VRF");
		return -ENOENT;
	}
	for (v6 = 0; v6 < 2; v6++) {
		struct nlattr *nla = info->attrs[l3vpn_record_attr[v6]];

		err = nla ? l3vpn_records_check(batch, nla, v6) : 0;
		if (err)
			return err;
	}
	for (v6 = 0; v6 < 2; v6++) {
		struct nlattr *nla = info->attrs[l3vpn_record_attr[v6]];

		err = nla ? l3vpn_records_do(batch, nla, v6) : 0;
		if (err)
			break;
	}
	l3vpn_route_flush_retired(batch->vrf);
	l3vpn_limit_update(batch->vrf);
	if (err) {
		NL_SET_ERR_MSG_FMT(info->extack, "%u of %u records are in", batch->done,
				   batch->total);
		nl_set_extack_cookie_u64(info->extack, batch->done);
	}
	return err;
}

static int l3vpn_nl_route_set(struct genl_info *info, bool del)
{
	struct l3vpn_batch batch = {
		.ln = l3vpn_net(genl_info_net(info)),
		.extack = info->extack,
		.nl_flags = info->nlhdr->nlmsg_flags,
		.del = del,
	};
	int err;

	err = l3vpn_nl_check(info->nlhdr, info->extack);
	if (err)
		return err;
	if (!info->attrs[L3VPN_ROUTE_VRF])
		return l3vpn_nl_missing(info, L3VPN_ROUTE_VRF, "VRF");
	if (!info->attrs[L3VPN_ROUTE_RECORDS4] && !info->attrs[L3VPN_ROUTE_RECORDS6])
		return l3vpn_nl_missing(info, L3VPN_ROUTE_RECORDS4, "records");
	if (info->attrs[L3VPN_ROUTE_FLAGS]) {
		if (!del) {
			NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[L3VPN_ROUTE_FLAGS],
					    "flags are for deleting");
			return -EINVAL;
		}
		batch.idempotent = nla_get_u32(info->attrs[L3VPN_ROUTE_FLAGS]) &
				   L3VPN_ROUTE_FLAG_IDEMPOTENT;
	}

	mutex_lock(&batch.ln->lock);
	err = l3vpn_batch_run(&batch, info);
	mutex_unlock(&batch.ln->lock);
	if (err)
		return err;
	return l3vpn_reply_done(info, del ? L3VPN_CMD_ROUTE_DEL : L3VPN_CMD_ROUTE_ADD,
				L3VPN_ROUTE_DONE, batch.done);
}

int l3vpn_nl_route_add(struct sk_buff *skb, struct genl_info *info)
{
	return l3vpn_nl_route_set(info, false);
}

int l3vpn_nl_route_del(struct sk_buff *skb, struct genl_info *info)
{
	return l3vpn_nl_route_set(info, true);
}
