/* SPDX-License-Identifier: GPL-2.0 */
/*
 * l3vpn: what a VRF's IP packets and the labels above them tell each other of TTL and traffic class:
 * the uniform, pipe and short-pipe models (RFC 3270 section 2.6, RFC 3443, RFC 5462).
 *
 * Implemented by: qos.c. Called by: send.c (imposition), mpls.c (disposition), netlink_vrf.c.
 *
 *                 imposition                   disposition
 *   TTL uniform   labels take the packet's     the packet takes the label's, if that is less
 *       pipe      labels start at 255          the packet keeps its own
 *   TC            labels take that of the      uniform: a DSCP that means another TC becomes that
 *                 packet's DSCP, by map        of the outermost label, by map; skb->priority its TC
 *                                              pipe: DSCP stays; skb->priority is that TC
 *                                              short pipe: DSCP and skb->priority stay
 *
 * The outermost label is that of the packet as it came in: an explicit null, or what a penultimate hop
 * has left. ECN (RFC 3168) is nobody's but the packet's.
 *
 * struct l3vpn_qos is part of the VRF. Its fields are written one by one under ln->lock while packets
 * read them: each is a valid answer by itself, old or new, so no packet is lost or waits by a change.
 */
#ifndef _L3VPN_QOS_H
#define _L3VPN_QOS_H

#include <linux/compiler.h>
#include <linux/netlink.h>
#include <linux/skbuff.h>
#include <linux/types.h>
#include <linux/l3vpn.h>

struct genl_info;

#define L3VPN_QOS_TTL_PIPE	0x01
#define L3VPN_QOS_TC_PIPE	0x02
#define L3VPN_QOS_TC_UNIFORM	0x04	/* neither of the two: short pipe */
#define L3VPN_QOS_MAP		0x08	/* @dscp_tc is not simply the DSCP's top three bits */

#define L3VPN_QOS_TTL		255	/* of labels in the pipe models (RFC 3443 section 3.6) */

/**
 * struct l3vpn_qos - of a VRF; READ_ONCE, written under ln->lock
 * @flags:	L3VPN_QOS_*; 0 is the default: TTL uniform, TC short pipe, no map
 * @tc_dscp:	TC to DSCP
 * @dscp_tc:	DSCP to TC, four bits each: a word holds eight, the lowest DSCP in its lowest bits
 */
struct l3vpn_qos {
	u8 flags;
	u8 tc_dscp[L3VPN_TC_COUNT];
	u32 dscp_tc[L3VPN_DSCP_COUNT / 8];
};

/* TC of @dscp by the map; right without L3VPN_QOS_MAP too. */
static inline u8 l3vpn_qos_map(const struct l3vpn_qos *qos, u8 dscp)
{
	return READ_ONCE(qos->dscp_tc[dscp >> 3]) >> (dscp & 7) * 4 & 7;
}

/* Imposition: TC of the labels above a packet of this DSCP. */
static inline u8 l3vpn_qos_push_tc(const struct l3vpn_qos *qos, u8 dscp)
{
	if (likely(!(READ_ONCE(qos->flags) & L3VPN_QOS_MAP)))
		return dscp >> 3;
	return l3vpn_qos_map(qos, dscp);
}

/* Imposition: TTL of the labels above a packet that leaves with @ttl. */
static inline u8 l3vpn_qos_push_ttl(const struct l3vpn_qos *qos, u8 ttl)
{
	return unlikely(READ_ONCE(qos->flags) & L3VPN_QOS_TTL_PIPE) ? L3VPN_QOS_TTL : ttl;
}

/* Disposition: is there anything to do but to hand the TTL down? */
static inline bool l3vpn_qos_pop_differs(const struct l3vpn_qos *qos)
{
	return READ_ONCE(qos->flags) &
	       (L3VPN_QOS_TTL_PIPE | L3VPN_QOS_TC_PIPE | L3VPN_QOS_TC_UNIFORM);
}

/*
 * Disposition: the IP packet @skb, its header linear and checked, came under a label of TTL @ttl
 * below an outermost TC of @tc. False: no memory, nothing was changed but skb->priority.
 */
bool l3vpn_qos_pop(struct sk_buff *skb, const struct l3vpn_qos *qos, u8 ttl, u8 tc);

/* What a new VRF has. */
void l3vpn_qos_init(struct l3vpn_qos *qos);

/* Of a VRF_NEW request, before anything of it is done: 0, or -EINVAL with extack set. */
int l3vpn_qos_check(struct genl_info *info);

/* Under ln->lock. Take what a checked VRF_NEW says; what it does not say stays. */
void l3vpn_qos_set(struct l3vpn_qos *qos, struct genl_info *info);

/* Under ln->lock. The attributes of VRF_GET: 0 or -EMSGSIZE. */
int l3vpn_qos_fill(struct sk_buff *msg, const struct l3vpn_qos *qos);

#endif /* _L3VPN_QOS_H */
