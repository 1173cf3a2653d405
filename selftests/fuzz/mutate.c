// SPDX-License-Identifier: GPL-2.0
/*
 * packet_fuzz: what is done to a right frame: bits, octets of interest in header fields, cuts, repeated and
 * inserted pieces. Mostly the IPv4 checksum is set right again, so that what is wrong is looked at further in.
 */
#include <linux/ip.h>

#include "fuzz.h"

/* Somewhere in the headers, most of the time. */
static u32 somewhere(struct fuzz_rand *r, const struct fuzz_frame *f)
{
	u32 from = fuzz_percent(r, 92) ? f->at : 12;
	u32 room = f->len - from;

	if (f->len <= from)
		return f->len - 1;
	if (fuzz_percent(r, 75))
		room = min(room, 80U);
	return from + fuzz_below(r, room);
}

static void move(struct fuzz_frame *f, u32 to, u32 from)
{
	u32 n = f->len - from;

	if (to + n > FUZZ_FRAME_MAX)
		n = FUZZ_FRAME_MAX - to;
	memmove(f->data + to, f->data + from, n);
	f->len = to + n;
}

static void mutate_once(struct fuzz_rand *r, struct fuzz_frame *f)
{
	static const u8 octets[] = { 0, 1, 4, 5, 0x0f, 0x40, 0x45, 0x46, 0x4f, 0x60, 0x7f, 0x80, 0xff };
	u32 at = somewhere(r, f), n;

	switch (fuzz_below(r, 8)) {
	case 0:
	case 1:
	case 2:
		f->data[at] ^= 1 << fuzz_below(r, 8);
		break;
	case 3:
		f->data[at] = fuzz_pick(r, octets);
		break;
	case 4:		/* a length, somewhat off */
		f->data[at] += fuzz_below(r, 9) - 4;
		break;
	case 5:		/* cut off */
		f->len = max_t(u32, ETH_HLEN, at);
		break;
	case 6:		/* cut out, or repeated */
		n = 1 + fuzz_below(r, 40);
		if (at < f->at)
			break;
		if (fuzz_percent(r, 50))
			move(f, at + n, at);
		else if (at + n < f->len)
			move(f, at, at + n);
		break;
	case 7:		/* padding that nobody needs */
		for (n = fuzz_below(r, 100); n && f->len < FUZZ_FRAME_MAX; n--)
			f->data[f->len++] = fuzz_next(r);
		break;
	}
}

void fuzz_mutate(struct fuzz_rand *r, struct fuzz_frame *f)
{
	u32 n;

	if (fuzz_percent(r, 45))
		return;
	f->mutated = true;
	for (n = fuzz_percent(r, 60) ? 1 : 1 + fuzz_below(r, 6); n; n--)
		mutate_once(r, f);
	if (f->ip && fuzz_percent(r, 75))
		fuzz_fix_ipv4(f, f->ip);
}
