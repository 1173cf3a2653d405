/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The finite state machine of RFC 4271 section 8 as a table: what a connection does when an
 * event meets a state. It holds no state itself; session.c performs the actions.
 *
 * Events carry the RFC's numbers, up to 28. What depends on DelayOpen has an event of its own: events 16 and 17 where
 * it is configured (BGP_EV_TCP_DELAYED), and 24 while the DelayOpenTimer runs (BGP_EV_NOTIF_VERSION_DELAYED).
 * Where this table is not the RFC's letter:
 *  - Connect, TcpConnectionFails: goes to Active, as the RFC does with DelayOpen, so that the
 *    peer's own attempt is accepted while ours is refused.
 *  - OpenSent, NotifMsg: no NOTIFICATION answers a NOTIFICATION (section 6.4).
 *  - Established, BGPHeaderErr: the NOTIFICATION is the one of section 6.1.
 *  - a second connection of the same peer has its own run of this machine (section 6.8).
 */
#ifndef L3VPN_BGP_FSM_H
#define L3VPN_BGP_FSM_H

#include <stdint.h>

enum bgp_state {
	BGP_IDLE,
	BGP_CONNECT,
	BGP_ACTIVE,
	BGP_OPENSENT,
	BGP_OPENCONFIRM,
	BGP_ESTABLISHED,
	BGP_STATES,
};

enum bgp_event {
	BGP_EV_MANUAL_START = 1,
	BGP_EV_MANUAL_STOP = 2,
	BGP_EV_AUTO_START = 3,
	BGP_EV_MANUAL_START_PASSIVE = 4,
	BGP_EV_AUTO_START_PASSIVE = 5,
	BGP_EV_DAMPED_START = 6,
	BGP_EV_DAMPED_START_PASSIVE = 7,
	BGP_EV_AUTO_STOP = 8,
	BGP_EV_CONNECT_RETRY = 9,
	BGP_EV_HOLD = 10,
	BGP_EV_KEEPALIVE_TIMER = 11,
	BGP_EV_DELAY_OPEN = 12,
	BGP_EV_IDLE_HOLD = 13,
	BGP_EV_TCP_VALID = 14,
	BGP_EV_TCP_INVALID = 15,
	BGP_EV_TCP_ACKED = 16,
	BGP_EV_TCP_CONFIRMED = 17,
	BGP_EV_TCP_FAILS = 18,
	BGP_EV_OPEN = 19,
	BGP_EV_OPEN_DELAYED = 20,	/* while the DelayOpenTimer runs */
	BGP_EV_HEADER_ERR = 21,
	BGP_EV_OPEN_ERR = 22,
	BGP_EV_COLLISION = 23,
	BGP_EV_NOTIF_VERSION = 24,
	BGP_EV_NOTIF = 25,
	BGP_EV_KEEPALIVE = 26,
	BGP_EV_UPDATE = 27,
	BGP_EV_UPDATE_ERR = 28,
	BGP_EV_SEND_HOLD = 29,		/* RFC 9687 */
	BGP_EV_REFRESH = 30,		/* ROUTE-REFRESH received, RFC 2918 */
	BGP_EV_TCP_DELAYED = 31,
	BGP_EV_NOTIF_VERSION_DELAYED = 32,
	BGP_EVENTS,
};

/* In the order in which they are performed. */
#define BGP_DO_NOTIFY_ERR	(1u << 0)	/* send the error that the event brought */
#define BGP_DO_NOTIFY_FSM	(1u << 1)	/* send FSM Error, RFC 6608 */
#define BGP_DO_DOWN		(1u << 2)	/* routes of the session are no longer valid */
#define BGP_DO_DROP		(1u << 3)	/* close the TCP connection */
#define BGP_DO_RETRY_ZERO	(1u << 4)	/* ConnectRetryCounter */
#define BGP_DO_RETRY_INC	(1u << 5)
#define BGP_DO_RETRY_STOP	(1u << 6)	/* ConnectRetryTimer */
#define BGP_DO_RETRY_START	(1u << 7)
#define BGP_DO_CONNECT		(1u << 8)	/* begin a TCP connection */
#define BGP_DO_OPEN		(1u << 9)	/* send OPEN */
#define BGP_DO_HOLD_LARGE	(1u << 10)	/* HoldTimer to BGP_OPEN_HOLD */
#define BGP_DO_KEEPALIVE	(1u << 11)	/* send KEEPALIVE, restart its timer */
#define BGP_DO_HOLD		(1u << 12)	/* HoldTimer to the negotiated time */
#define BGP_DO_UP		(1u << 13)	/* established */
#define BGP_DO_DELIVER		(1u << 14)	/* hand the message over */
#define BGP_DO_IDLE_HOLD	(1u << 15)	/* start again after IdleHoldTimer */
#define BGP_DO_RESTART		(1u << 16)	/* IdleHoldTimer ran out: event 6 or 7 */
#define BGP_DO_DELAY		(1u << 17)	/* start the DelayOpenTimer, which OPEN and DROP stop */

struct bgp_rule {
	uint32_t actions;
	uint8_t next;		/* enum bgp_state */
};

/* The rule; an event that the state ignores has no actions and stays. */
struct bgp_rule bgp_fsm_rule(enum bgp_state state, enum bgp_event event);

const char *bgp_state_name(enum bgp_state state);
const char *bgp_event_name(enum bgp_event event);

#endif
