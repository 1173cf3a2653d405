// SPDX-License-Identifier: GPL-2.0
/* BFD control packets to and from octets (packet.h). */
#include "bfd/packet.h"

#include <string.h>

#include "lib/mem.h"

#define FLAG_P 0x20
#define FLAG_F 0x10
#define FLAG_C 0x08
#define FLAG_A 0x04
#define FLAG_D 0x02
#define FLAG_M 0x01

const char *bfd_discard_str(enum bfd_discard why)
{
	static const char *const names[BFD_DISCARDS] = {
		[BFD_TAKEN] = "taken",
		[BFD_BAD_TTL] = "ttl",
		[BFD_BAD_VERSION] = "version",
		[BFD_SHORT] = "short",
		[BFD_BAD_LENGTH] = "length",
		[BFD_ZERO_MULT] = "multiplier-zero",
		[BFD_MULTIPOINT] = "multipoint",
		[BFD_ZERO_MY] = "my-discriminator-zero",
		[BFD_UNKNOWN_YOUR] = "your-discriminator-unknown",
		[BFD_ZERO_YOUR] = "your-discriminator-zero",
		[BFD_NO_SESSION] = "no-session",
		[BFD_AUTH] = "authentication",
		[BFD_ADMIN] = "admin-down",
	};

	return (unsigned int)why < ARRAY_SIZE(names) ? names[why] : "?";
}

static void put32(uint8_t *to, uint32_t v)
{
	to[0] = v >> 24;
	to[1] = v >> 16;
	to[2] = v >> 8;
	to[3] = v;
}

void bfd_packet_encode(const struct bfd_packet *p, uint8_t out[BFD_PACKET_LEN])
{
	out[0] = BFD_VERSION << 5 | (p->diag & 0x1f);
	out[1] = p->state << 6 | (p->poll ? FLAG_P : 0) | (p->final ? FLAG_F : 0) | (p->cpi ? FLAG_C : 0) |
		 (p->auth ? FLAG_A : 0) | (p->demand ? FLAG_D : 0);
	out[2] = p->mult;
	out[3] = BFD_PACKET_LEN;
	put32(out + 4, p->my);
	put32(out + 8, p->your);
	put32(out + 12, p->min_tx);
	put32(out + 16, p->min_rx);
	put32(out + 20, p->min_echo_rx);
}

enum bfd_discard bfd_packet_decode(struct cursor c, struct bfd_packet *p)
{
	size_t payload = cursor_left(&c);
	uint8_t vers, flags, len;

	if (!cursor_u8(&c, &vers))
		return BFD_SHORT;
	if (vers >> 5 != BFD_VERSION)
		return BFD_BAD_VERSION;
	if (!cursor_u8(&c, &flags) || !cursor_u8(&c, &p->mult) || !cursor_u8(&c, &len))
		return BFD_SHORT;
	p->diag = vers & 0x1f;
	p->state = flags >> 6;
	p->poll = flags & FLAG_P;
	p->final = flags & FLAG_F;
	p->cpi = flags & FLAG_C;
	p->auth = flags & FLAG_A;
	p->demand = flags & FLAG_D;
	if (len < BFD_PACKET_LEN + (p->auth ? BFD_AUTH_MIN : 0))
		return BFD_BAD_LENGTH;
	if (len > payload)
		return BFD_SHORT;
	if (!p->mult)
		return BFD_ZERO_MULT;
	if (flags & FLAG_M)
		return BFD_MULTIPOINT;
	if (!cursor_u32(&c, &p->my) || !cursor_u32(&c, &p->your) || !cursor_u32(&c, &p->min_tx) ||
	    !cursor_u32(&c, &p->min_rx) || !cursor_u32(&c, &p->min_echo_rx))
		return BFD_SHORT;
	return p->my ? BFD_TAKEN : BFD_ZERO_MY;
}
