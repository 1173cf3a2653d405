/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a session is told to end, and what a NOTIFICATION says of that: Cease (RFC 4486), the words of a human being in
 * it (RFC 9003), Hard Reset around it (RFC 8538). No state, no memory.
 */
#ifndef L3VPN_BGP_CEASE_H
#define L3VPN_BGP_CEASE_H

#include "bgp/msg.h"

#define BGP_REASON_MAX	255	/* octets of a reason, UTF-8 (RFC 9003 section 2) */
#define BGP_WHY_MAX	400	/* of what is told of the end of a session, with the reason in it */

struct bgp_cease {
	uint8_t subcode;		/* enum bgp_cease_subcode */
	bool graceful;			/* with subcodes that leave the choice: routes may be kept (RFC 8538 5.1) */
	uint16_t len;			/* octets of data; bgp_cease_reason() fills them with subcodes 2 and 4 */
	uint8_t data[BGP_REASON_MAX + 1];
};

/* A reason in words, of a shutdown or reset. Cut behind the last whole character that fits; NULL or "": none. */
void bgp_cease_reason(struct bgp_cease *c, const char *text);

/*
 * What is sent. @notify: both sides know RFC 8538; then what is meant for good goes out as a Hard Reset, and after
 * anything else both keep the other's routes.
 */
void bgp_cease_notification(struct bgp_notification *n, const struct bgp_cease *c, bool notify);
/* The session is to end for good, whatever has been agreed on (RFC 8538 section 3). */
bool bgp_notification_hard(const struct bgp_notification *n);
/*
 * Its name, what a Hard Reset has inside, and the reason, with whatever is no printable UTF-8 replaced. What does not
 * fit into @size octets is left out.
 */
void bgp_notification_describe(const struct bgp_notification *n, char *out, size_t size);

#endif
