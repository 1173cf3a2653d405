/* SPDX-License-Identifier: GPL-2.0 */
/*
 * BFD control packets: RFC 5880 section 4.1. Intervals are in microseconds, everything in host byte order.
 */
#ifndef L3VPN_BFD_PACKET_H
#define L3VPN_BFD_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bfd/fsm.h"
#include "lib/cursor.h"

#define BFD_VERSION		1
#define BFD_PACKET_LEN		24
#define BFD_AUTH_MIN		2	/* octets of an authentication section at least */
#define BFD_PORT_SINGLE		3784	/* RFC 5881 */
#define BFD_PORT_MULTI		4784	/* RFC 5883 */

struct bfd_packet {
	uint8_t diag;			/* enum bfd_diag, or what may come */
	uint8_t state;			/* enum bfd_state */
	bool poll, final, cpi, auth, demand;	/* cpi: control plane independent (C) */
	uint8_t mult;
	uint32_t my, your;		/* discriminators */
	uint32_t min_tx, min_rx, min_echo_rx;
};

/* Why a packet counts for nothing: RFC 5880 section 6.8.6 in its order, RFC 5881 section 5. */
enum bfd_discard {
	BFD_TAKEN,
	BFD_BAD_TTL,			/* single hop, and it did not come with 255 */
	BFD_BAD_VERSION,
	BFD_SHORT,			/* fewer octets than a packet has, or says that it has */
	BFD_BAD_LENGTH,			/* length field below the least one */
	BFD_ZERO_MULT,
	BFD_MULTIPOINT,
	BFD_ZERO_MY,
	BFD_UNKNOWN_YOUR,		/* discriminator of no session here, or of another peer's */
	BFD_ZERO_YOUR,			/* in a state that knows ours */
	BFD_NO_SESSION,			/* no session with where it came from */
	BFD_AUTH,			/* authentication, which no session here uses */
	BFD_ADMIN,			/* our session is administratively down */
	BFD_DISCARDS
};
const char *bfd_discard_str(enum bfd_discard why);

void bfd_packet_encode(const struct bfd_packet *p, uint8_t out[BFD_PACKET_LEN]);
/* The checks that need no session. */
enum bfd_discard bfd_packet_decode(struct cursor c, struct bfd_packet *p);

#endif
