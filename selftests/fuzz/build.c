// SPDX-License-Identifier: GPL-2.0
/*
 * packet_fuzz: from a frame to an skb, in all the ways in which drivers make them: little or no headroom, the
 * link layer header alone linear, pages, lists of skbs, every state of the checksum, GSO, tags beside the packet, and a
 * control block with whatever the last layer left in it.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/mm.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "fuzz.h"

static struct sk_buff *linear(struct fuzz_rand *r, const u8 *data, u32 len, u32 spare)
{
	static const u16 rooms[] = { 0, 2, 16, 32, 64, 66, 128, 256 };
	u32 room = fuzz_pick(r, rooms) + spare;
	struct sk_buff *skb = alloc_skb(room + len + fuzz_below(r, 2) * fuzz_below(r, 200), GFP_KERNEL);

	if (!skb)
		return NULL;
	skb_reserve(skb, room);
	skb_put_data(skb, data, len);
	return skb;
}

/* The first @head octets linear, the rest in pages. */
static struct sk_buff *in_pages(struct fuzz_rand *r, const struct fuzz_frame *f, u32 head)
{
	struct sk_buff *skb = linear(r, f->data, head, 0);
	u32 at = head, i;

	if (!skb)
		return NULL;
	for (i = 0; at < f->len; i++) {
		u32 offset = fuzz_below(r, 256), n = min_t(u32, f->len - at, PAGE_SIZE - offset);
		struct page *page = alloc_page(GFP_KERNEL);

		if (!page) {
			kfree_skb(skb);
			return NULL;
		}
		if (n > 64 && i < 4 && fuzz_percent(r, 50))
			n = 1 + fuzz_below(r, n);
		memcpy(page_address(page) + offset, f->data + at, n);
		skb_add_rx_frag(skb, i, page, offset, n, PAGE_SIZE);
		at += n;
	}
	return skb;
}

/* The first @head octets linear, the rest in a list of skbs. */
static struct sk_buff *in_list(struct fuzz_rand *r, const struct fuzz_frame *f, u32 head)
{
	struct sk_buff *skb = linear(r, f->data, head, 0), **last;
	u32 at = head;

	if (!skb)
		return NULL;
	last = &skb_shinfo(skb)->frag_list;
	while (at < f->len) {
		u32 n = f->len - at;
		struct sk_buff *piece;

		if (n > 1 && fuzz_percent(r, 60))
			n = 1 + fuzz_below(r, n);
		piece = linear(r, f->data + at, n, 0);
		if (!piece) {
			kfree_skb(skb);
			return NULL;
		}
		*last = piece;
		last = &piece->next;
		skb->len += n;
		skb->data_len += n;
		skb->truesize += piece->truesize;
		at += n;
	}
	return skb;
}

static struct sk_buff *lay_out(struct fuzz_rand *r, const struct fuzz_frame *f, bool listed)
{
	u32 pick = fuzz_below(r, 100), head = ETH_HLEN;

	if (fuzz_percent(r, 70))
		head += fuzz_below(r, min(f->len - ETH_HLEN, 100U) + 1);
	if (pick < 60)
		return linear(r, f->data, f->len, 0);
	if (pick < 90 || !listed)
		return in_pages(r, f, head);
	return in_list(r, f, head);
}

/* As virtio's receive path does with what a guest said: DODGY, to be looked at before it is believed. */
static void set_gso(struct fuzz_rand *r, const struct fuzz_frame *f, struct sk_buff *skb)
{
	static const u16 sizes[] = { 100, 536, 1208, 1400, 1448 };
	u32 header = f->proto == IPPROTO_TCP ? f->data[f->l4 + 12] >> 4 << 2 : sizeof(struct udphdr);
	u16 size = fuzz_pick(r, sizes);
	bool v4 = f->data[f->ip] >> 4 == 4;

	if (f->len <= f->l4 + header + size || f->len - f->l4 - header > 60 * (u32)size)
		return;
	if (f->mutated && !fuzz_percent(r, 20))
		return;
	if (f->tunnel)
		return;		/* its GSO type would have to say so */
	if (skb_has_frag_list(skb))
		return;		/* GRO's lists are cut where segments end; others are a BUG() of skb_segment() */
	skb_shinfo(skb)->gso_size = size;
	skb_shinfo(skb)->gso_segs = 0;
	if (f->proto == IPPROTO_TCP)
		skb_shinfo(skb)->gso_type = v4 ? SKB_GSO_TCPV4 : SKB_GSO_TCPV6;
	else
		skb_shinfo(skb)->gso_type = SKB_GSO_UDP_L4;
	skb_shinfo(skb)->gso_type |= SKB_GSO_DODGY;
}

/*
 * Is the transport header behind what the IP header says is its own? If not, a checksum to be filled in would be
 * written into that header: whoever asks for it gets it, from the kernel's forwarding as from ours.
 */
static bool behind_header(const struct fuzz_frame *f)
{
	u8 first = f->data[f->ip];

	return first >> 4 != 4 || f->l4 >= f->ip + (first & 15) * 4;
}

/* skb->data is at the layer 3 header, @skipped octets of the frame before it. */
static void set_checksum(struct fuzz_rand *r, const struct fuzz_frame *f, struct sk_buff *skb,
			 u32 skipped)
{
	u32 pick = fuzz_below(r, 100), field = 0;

	if (f->proto == IPPROTO_TCP)
		field = offsetof(struct tcphdr, check);
	else if (f->proto == IPPROTO_UDP)
		field = offsetof(struct udphdr, check);
	if (pick < 30)
		return;
	if (pick < 50) {
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	} else if (pick < 70) {
		skb->csum = skb_checksum(skb, 0, skb->len, 0);
		skb->ip_summed = CHECKSUM_COMPLETE;
	} else if (field && behind_header(f) && f->l4 + field + 2 <= f->len && f->l4 > skipped &&
		   f->l4 - skipped + field + 2 <= skb_headlen(skb)) {
		if (skb_partial_csum_set(skb, f->l4 - skipped, field))
			set_gso(r, f, skb);
	}
}

static void set_leftovers(struct fuzz_rand *r, struct sk_buff *skb)
{
	u32 i;

	for (i = 0; i + 4 <= sizeof(skb->cb); i += 4) {
		u32 v = fuzz_next(r);

		memcpy(skb->cb + i, &v, 4);
	}
	if (fuzz_percent(r, 30))
		skb_set_hash(skb, fuzz_next(r), PKT_HASH_TYPE_L4);
	if (fuzz_percent(r, 30))
		skb->tstamp = ns_to_ktime(fuzz_next(r));
	skb->priority = fuzz_percent(r, 20) ? fuzz_below(r, 16) : 0;
	if (fuzz_percent(r, 10))
		skb_record_rx_queue(skb, fuzz_below(r, 8));
}

static struct sk_buff *as_socket(struct fuzz_rand *r, const struct fuzz_target *target,
				 const struct fuzz_frame *f)
{
	struct sk_buff *skb = lay_out(r, f, false);

	if (!skb)
		return NULL;
	skb->dev = target->dev;
	skb_reset_mac_header(skb);
	skb->protocol = eth_hdr(skb)->h_proto;
	skb_set_network_header(skb, fuzz_percent(r, 95) ? ETH_HLEN : fuzz_below(r, 200));
	if (fuzz_percent(r, 30) && f->l4)
		skb_set_transport_header(skb, f->l4);
	skb->priority = fuzz_below(r, 8);
	return skb;
}

struct sk_buff *fuzz_build(struct fuzz_rand *r, const struct fuzz_target *target,
			   const struct fuzz_frame *f)
{
	struct sk_buff *skb;

	if (target->kind == FUZZ_LOCAL)
		return as_socket(r, target, f);
	skb = lay_out(r, f, true);
	if (!skb)
		return NULL;
	skb->protocol = eth_type_trans(skb, target->dev);
	skb_reset_network_header(skb);
	set_checksum(r, f, skb, f->len - skb->len);
	set_leftovers(r, skb);
	if (fuzz_percent(r, 3))
		__vlan_hwaccel_put_tag(skb, htons(ETH_P_8021Q), fuzz_percent(r, 50) ? 0 : fuzz_next(r));
	return skb;
}
