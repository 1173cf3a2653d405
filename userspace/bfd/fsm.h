/* SPDX-License-Identifier: GPL-2.0 */
/* The state machine of RFC 5880 sections 6.2 and 6.8.6 as a table. It holds no state: engine.c acts. */
#ifndef L3VPN_BFD_FSM_H
#define L3VPN_BFD_FSM_H

#include <stdint.h>

/* values as on the wire */
enum bfd_state { BFD_ADMIN_DOWN, BFD_DOWN, BFD_INIT, BFD_UP, BFD_STATES };

/* values as on the wire: RFC 5880 section 4.1 */
enum bfd_diag {
	BFD_DIAG_NONE,
	BFD_DIAG_EXPIRED,		/* control detection time expired */
	BFD_DIAG_ECHO,
	BFD_DIAG_NEIGHBOR,		/* neighbor signaled session down */
	BFD_DIAG_FORWARDING,
	BFD_DIAG_PATH,
	BFD_DIAG_CONCATENATED,
	BFD_DIAG_ADMIN,
	BFD_DIAG_REVERSE,
	BFD_DIAG_KEEP = 0xff,		/* in the table: stays as it is */
};

enum bfd_event {
	BFD_EV_RX_ADMIN_DOWN,		/* a packet of that state: in the order of enum bfd_state */
	BFD_EV_RX_DOWN,
	BFD_EV_RX_INIT,
	BFD_EV_RX_UP,
	BFD_EV_EXPIRED,			/* no packet for the detection time */
	BFD_EV_DISABLE,			/* our administrator takes it down */
	BFD_EV_ENABLE,
	BFD_EVENTS
};

struct bfd_rule {
	uint8_t next;			/* enum bfd_state */
	uint8_t diag;			/* enum bfd_diag */
};

struct bfd_rule bfd_fsm_rule(enum bfd_state state, enum bfd_event event);
const char *bfd_state_str(uint8_t state);
const char *bfd_diag_str(uint8_t diag);

#endif
