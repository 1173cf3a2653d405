// SPDX-License-Identifier: GPL-2.0
/*
 * packet_fuzz: frames as the judge reads them, by itself: nothing of the module's own parsing is used.
 */
#include <linux/bitops.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/mpls.h>
#include <net/ip.h>

#include "fuzz.h"

#define STACK_MAX	48

u32 fuzz_find_l3(const u8 *data, u32 len, u16 *type)
{
	u32 at = 2 * ETH_ALEN;

	do {
		if (at + 2 > len)
			return 0;
		*type = fuzz_get16(data + at);
		at += 2;
		if (*type != ETH_P_8021Q && *type != ETH_P_8021AD)
			return at;
		at += 2;
	} while (1);
}

u32 fuzz_skip_labels(const u8 *data, u32 len, u32 at, u32 *bottom)
{
	u32 n;

	for (n = 0; n < STACK_MAX && at + 4 <= len; n++, at += 4)
		if (fuzz_get32(data + at) >> MPLS_LS_S_SHIFT & 1) {
			*bottom = at;
			return at + 4;
		}
	return 0;
}

u32 fuzz_skip_outer(const u8 *data, u32 len, u32 at, u16 type, bool to_us)
{
	static const u8 end4[] = FUZZ_END4, end6[16] = FUZZ_END6;
	u32 proto;

	if (type == ETH_P_IP && at + sizeof(struct iphdr) <= len && data[at] >> 4 == 4) {
		if ((data[at] & 15) < 5 || fuzz_get16(data + at + 6) & (IP_MF | IP_OFFSET) ||
		    memcmp(data + at + (to_us ? 16 : 12), end4, sizeof(end4)))
			return 0;
		proto = data[at + 9];
		at += (data[at] & 15) * 4;
	} else if (type == ETH_P_IPV6 && at + sizeof(struct ipv6hdr) <= len && data[at] >> 4 == 6) {
		if (memcmp(data + at + (to_us ? 24 : 8), end6, sizeof(end6)))
			return 0;
		proto = data[at + 6];
		at += sizeof(struct ipv6hdr);
	} else {
		return 0;
	}
	if (at + 8 > len)
		return 0;
	if (proto == IPPROTO_UDP)
		return fuzz_get16(data + at + 2) == FUZZ_PORT ? at + 8 : 0;
	return proto == IPPROTO_GRE ? at + 4 + 4 * hweight16(fuzz_get16(data + at) & 0xb000) : 0;
}

bool fuzz_is_fragment(const u8 *data, u32 len, u32 at, u16 type)
{
	return type == ETH_P_IP && at + sizeof(struct iphdr) <= len && data[at] >> 4 == 4 &&
	       fuzz_get16(data + at + 6) & (IP_MF | IP_OFFSET);
}

static bool is_indicator(u32 lse)
{
	return lse >> MPLS_LS_LABEL_SHIFT == MPLS_LABEL_ENTROPY && !(lse >> MPLS_LS_S_SHIFT & 1);
}

enum fuzz_domain fuzz_label_domain(const u8 *data, u32 len, u32 at)
{
	for (; at + 4 <= len; at += 4) {
		u32 lse = fuzz_get32(data + at), label = lse >> MPLS_LS_LABEL_SHIFT;

		if (label == MPLS_LABEL_IPV4NULL || label == MPLS_LABEL_IPV6NULL) {
			/* an entropy label goes with the label above it (RFC 6790) */
			if (!(lse >> MPLS_LS_S_SHIFT & 1) && at + 12 <= len &&
			    is_indicator(fuzz_get32(data + at + 4))) {
				at += 8;
				lse = fuzz_get32(data + at);
			}
			if (lse >> MPLS_LS_S_SHIFT & 1)
				return FUZZ_GLOBAL;
			continue;
		}
		if (label >= 1000 && label < 2000)
			return FUZZ_A;
		if (label >= 2000 && label < 3000)
			return FUZZ_B;
		return label >= 3000 && label < 4000 ? FUZZ_TRANSIT : FUZZ_NOBODY;
	}
	return FUZZ_NOBODY;
}
