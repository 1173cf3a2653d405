// SPDX-License-Identifier: GPL-2.0
/* rooms: lib bfd */
/* Control packets: what is taken is within its ranges, and reads back as the same when it is written again. */
#include <stdlib.h>
#include <string.h>

#include "bfd/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(const struct bfd_packet *p)
{
	uint8_t octets[BFD_PACKET_LEN];
	struct bfd_packet plain = *p, back;

	plain.auth = false;		/* nothing here writes such a section */
	bfd_packet_encode(&plain, octets);
	memset(&back, 0, sizeof(back));
	if (bfd_packet_decode(cursor_make(octets, sizeof(octets)), &back) != BFD_TAKEN)
		abort();
	if (back.diag != p->diag || back.state != p->state || back.poll != p->poll || back.final != p->final ||
	    back.cpi != p->cpi || back.demand != p->demand || back.mult != p->mult || back.my != p->my ||
	    back.your != p->your || back.min_tx != p->min_tx || back.min_rx != p->min_rx ||
	    back.min_echo_rx != p->min_echo_rx)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bfd_packet p;
	enum bfd_discard why;

	memset(&p, 0, sizeof(p));
	why = bfd_packet_decode(cursor_make(data, size), &p);
	if ((unsigned int)why >= BFD_DISCARDS || !strcmp(bfd_discard_str(why), "?"))
		abort();
	if (why != BFD_TAKEN)
		return 0;
	if (size < BFD_PACKET_LEN || !p.mult || !p.my || p.state >= BFD_STATES || p.diag > 31)
		abort();
	again(&p);
	return 0;
}
