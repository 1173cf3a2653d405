// SPDX-License-Identifier: GPL-2.0
/*
 * l3vpn: LABEL_ADD, LABEL_DEL, LABEL_GET.
 *
 * As with routes, a message is checked whole before anything of it is done.
 */
#include <linux/sched.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "ilm.h"
#include "label.h"
#include "netlink.h"
#include "nexthop.h"
#include "vrf.h"

const struct nla_policy l3vpn_label_set_policy[L3VPN_LABEL_FLAGS + 1] = {
	[L3VPN_LABEL_RECORDS]	= NLA_POLICY_MIN_LEN(sizeof(struct l3vpn_label)),
	[L3VPN_LABEL_FLAGS]	= NLA_POLICY_MASK(NLA_U32, L3VPN_LABEL_FLAG_IDEMPOTENT),
};

const struct nla_policy l3vpn_label_get_policy[L3VPN_LABEL_LABEL + 1] = {
	[L3VPN_LABEL_LABEL]	= NLA_POLICY_FULL_RANGE(NLA_U32, &l3vpn_range_label),
};

static const char *l3vpn_label_swap_reason(const struct l3vpn_label *rec)
{
	if (rec->vrf)
		return "a swap has no VRF";
	if (rec->out_label > L3VPN_LABEL_MAX)
		return "outgoing label out of range";
	return NULL;
}

static const char *l3vpn_label_pop_reason(const struct l3vpn_label *rec)
{
	if (!rec->vrf || rec->vrf > L3VPN_VRF_ID_MAX)
		return "VRF id out of range";
	if (rec->out_label != L3VPN_LABEL_NONE)
		return "only a swap has an outgoing label";
	if (rec->action == L3VPN_LABEL_ACTION_POP_VRF && rec->nh)
		return "popping into a VRF takes no next hop";
	return NULL;
}

/* What is wrong with @rec by itself; NULL: nothing. */
static const char *l3vpn_label_reason(const struct l3vpn_label *rec)
{
	const char *why = NULL;

	if (rec->flags || rec->reserved)
		return "flags or reserved not zero";
	if (rec->scope > L3VPN_SCOPE_MAX)
		return "scope out of range";
	switch (rec->action) {
	case L3VPN_LABEL_ACTION_POP_VRF:
		return l3vpn_label_pop_reason(rec);
	case L3VPN_LABEL_ACTION_POP_NH:
		why = l3vpn_label_pop_reason(rec);
		break;
	case L3VPN_LABEL_ACTION_SWAP:
		why = l3vpn_label_swap_reason(rec);
		break;
	default:
		return "unknown action";
	}
	if (!why && (!rec->nh || rec->nh > L3VPN_NH_ID_MAX))
		why = "next hop id out of range";
	return why;
}

static int l3vpn_label_refuse(struct genl_info *info, u32 i, int err, const char *why)
{
	NL_SET_BAD_ATTR(info->extack, info->attrs[L3VPN_LABEL_RECORDS]);
	NL_SET_ERR_MSG_FMT(info->extack, "record %u: %s", i, why);
	return err;
}

static int l3vpn_label_check_add(struct l3vpn_net *ln, struct genl_info *info, u32 i,
				 const struct l3vpn_label *rec)
{
	u16 flags = info->nlhdr->nlmsg_flags;
	const char *why = l3vpn_label_reason(rec);
	bool there;

	if (why)
		return l3vpn_label_refuse(info, i, -EINVAL, why);
	if (rec->vrf && !l3vpn_vrf_find(ln, rec->vrf))
		return l3vpn_label_refuse(info, i, -ENOENT, "no such VRF");
	if (rec->nh && !l3vpn_nh_find(ln, rec->nh))
		return l3vpn_label_refuse(info, i, -ENOENT, "no such next hop");

	there = l3vpn_label_find(&ln->labels, rec->label);
	if (there && (flags & NLM_F_EXCL))
		return l3vpn_label_refuse(info, i, -EEXIST, "label is in use");
	if (!there && (flags & NLM_F_REPLACE) && !(flags & NLM_F_CREATE))
		return l3vpn_label_refuse(info, i, -ENOENT, "no such label to replace");
	return 0;
}

/* Under ln->lock. @count: records in the message. */
static int l3vpn_labels_check(struct l3vpn_net *ln, struct genl_info *info, bool del, u32 *count)
{
	struct nlattr *nla = info->attrs[L3VPN_LABEL_RECORDS];
	const struct l3vpn_label *rec = nla_data(nla);
	bool idempotent = info->attrs[L3VPN_LABEL_FLAGS] &&
			  nla_get_u32(info->attrs[L3VPN_LABEL_FLAGS]);
	u32 i;

	if (nla_len(nla) % sizeof(*rec)) {
		NL_SET_ERR_MSG_ATTR(info->extack, nla, "label records have 20 octets each");
		return -EINVAL;
	}
	*count = nla_len(nla) / sizeof(*rec);
	for (i = 0; i < *count; i++) {
		int err = 0;

		if (rec[i].label < L3VPN_LABEL_MIN || rec[i].label > L3VPN_LABEL_MAX)
			return l3vpn_label_refuse(info, i, -EINVAL, "label out of range");
		if (!del)
			err = l3vpn_label_check_add(ln, info, i, &rec[i]);
		else if (!idempotent && !l3vpn_label_find(&ln->labels, rec[i].label))
			err = l3vpn_label_refuse(info, i, -ENOENT, "no such label");
		if (err)
			return err;
	}
	return 0;
}

/* Under ln->lock. */
static int l3vpn_labels_do(struct l3vpn_net *ln, struct genl_info *info, bool del, u32 *done)
{
	const struct l3vpn_label *rec = nla_data(info->attrs[L3VPN_LABEL_RECORDS]);
	u32 i, count = 0;
	int err;

	err = l3vpn_labels_check(ln, info, del, &count);
	if (err)
		return err;
	for (i = 0; i < count; i++) {
		if (del) {
			l3vpn_ilm_del(ln, rec[i].label);
			continue;
		}
		err = l3vpn_ilm_add(ln, &rec[i]);
		if (err) {
			NL_SET_ERR_MSG_FMT(info->extack, "%u of %u records are in", i, count);
			nl_set_extack_cookie_u64(info->extack, i);
			return err;
		}
	}
	*done = count;
	return 0;
}

static int l3vpn_nl_label_set(struct genl_info *info, bool del)
{
	struct l3vpn_net *ln = l3vpn_net(genl_info_net(info));
	u32 done = 0;
	int err;

	err = l3vpn_nl_check(info->nlhdr, info->extack);
	if (err)
		return err;
	if (!info->attrs[L3VPN_LABEL_RECORDS])
		return l3vpn_nl_missing(info, L3VPN_LABEL_RECORDS, "records");
	if (!del && info->attrs[L3VPN_LABEL_FLAGS]) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[L3VPN_LABEL_FLAGS],
				    "flags are for deleting");
		return -EINVAL;
	}

	mutex_lock(&ln->lock);
	err = l3vpn_labels_do(ln, info, del, &done);
	mutex_unlock(&ln->lock);
	if (err)
		return err;
	return l3vpn_reply_done(info, del ? L3VPN_CMD_LABEL_DEL : L3VPN_CMD_LABEL_ADD,
				L3VPN_LABEL_DONE, done);
}

int l3vpn_nl_label_add(struct sk_buff *skb, struct genl_info *info)
{
	return l3vpn_nl_label_set(info, false);
}

int l3vpn_nl_label_del(struct sk_buff *skb, struct genl_info *info)
{
	return l3vpn_nl_label_set(info, true);
}

/* Under ln->lock. */
static int l3vpn_label_fill(struct sk_buff *skb, struct l3vpn_net *ln, const struct l3vpn_ilm *ilm)
{
	const struct l3vpn_tally_sum tally = l3vpn_ilm_tally(ln, ilm);
	const struct l3vpn_stats base = {}, sum = {
		.rx_packets = tally.packets,
		.rx_bytes = tally.bytes,
	};
	const struct l3vpn_label rec = {
		.label = ilm->label,
		.action = ilm->action,
		.scope = ilm->scope,
		.vrf = ilm->vrf ? ilm->vrf->id : 0,
		.nh = ilm->nh ? ilm->nh->id : 0,
		.out_label = ilm->out_label,
	};

	if (nla_put_u32(skb, L3VPN_LABEL_LABEL, ilm->label) ||
	    nla_put(skb, L3VPN_LABEL_RECORDS, sizeof(rec), &rec))
		return -EMSGSIZE;
	return l3vpn_stats_fill(skb, L3VPN_LABEL_STATS, &sum, &base);
}

int l3vpn_nl_label_get(struct sk_buff *skb, struct genl_info *info)
{
	struct l3vpn_net *ln = l3vpn_net(genl_info_net(info));
	struct l3vpn_ilm *ilm;
	struct sk_buff *msg;
	void *hdr;
	int err;

	err = l3vpn_nl_check(info->nlhdr, info->extack);
	if (err)
		return err;
	if (!info->attrs[L3VPN_LABEL_LABEL])
		return l3vpn_nl_missing(info, L3VPN_LABEL_LABEL, "label");

	msg = l3vpn_reply_start(info, L3VPN_CMD_LABEL_GET, NLMSG_DEFAULT_SIZE, &hdr);
	if (!msg)
		return -ENOMEM;
	mutex_lock(&ln->lock);
	ilm = l3vpn_label_find(&ln->labels, nla_get_u32(info->attrs[L3VPN_LABEL_LABEL]));
	if (ilm) {
		err = l3vpn_label_fill(msg, ln, ilm);
	} else {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[L3VPN_LABEL_LABEL], "no such label");
		err = -ENOENT;
	}
	mutex_unlock(&ln->lock);
	return l3vpn_reply_send(info, msg, hdr, err);
}

struct l3vpn_label_dump {
	u32 next;
};

int l3vpn_nl_label_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct l3vpn_net *ln = l3vpn_net(sock_net(skb->sk));
	struct l3vpn_label_dump *ctx = (void *)cb->ctx;
	struct nlattr *only = l3vpn_dump_attrs(cb)[L3VPN_LABEL_LABEL];
	struct l3vpn_ilm *ilm;

	BUILD_BUG_ON(sizeof(*ctx) > sizeof(cb->ctx));
	mutex_lock(&ln->lock);
	while ((ilm = l3vpn_label_next(&ln->labels, ctx->next))) {
		if (!only || nla_get_u32(only) == ilm->label) {
			void *hdr = l3vpn_dump_put(skb, cb, L3VPN_CMD_LABEL_GET);

			if (!hdr)
				break;
			if (l3vpn_label_fill(skb, ln, ilm)) {
				genlmsg_cancel(skb, hdr);
				break;
			}
			genlmsg_end(skb, hdr);
		}
		ctx->next = ilm->label + 1;
	}
	mutex_unlock(&ln->lock);
	return skb->len;
}
