// SPDX-License-Identifier: GPL-2.0
/*
 * The table of RFC 4271 section 8.2.2; contract and departures in fsm.h.
 */
#include "bgp/fsm.h"

#include <stdbool.h>

#define FAIL	(BGP_DO_DROP | BGP_DO_RETRY_INC | BGP_DO_RETRY_STOP | BGP_DO_IDLE_HOLD)
#define ERR	(BGP_DO_NOTIFY_ERR | FAIL)
#define FSM	(BGP_DO_NOTIFY_FSM | FAIL)
#define STOP	(BGP_DO_DROP | BGP_DO_RETRY_ZERO | BGP_DO_RETRY_STOP)
#define DOWN	BGP_DO_DOWN
#define START	(BGP_DO_RETRY_ZERO | BGP_DO_RETRY_START)
#define SAYOPEN	(BGP_DO_RETRY_STOP | BGP_DO_OPEN | BGP_DO_HOLD_LARGE)

struct row {
	bool set;
	uint32_t actions;
	uint8_t next;
};

#define ROW(state, act) { .set = true, .actions = (act), .next = BGP_##state }

static const struct row table[BGP_STATES][BGP_EVENTS] = {
	[BGP_IDLE] = {
		[BGP_EV_MANUAL_START] = ROW(CONNECT, START | BGP_DO_CONNECT),
		[BGP_EV_AUTO_START] = ROW(CONNECT, START | BGP_DO_CONNECT),
		[BGP_EV_MANUAL_START_PASSIVE] = ROW(ACTIVE, START),
		[BGP_EV_AUTO_START_PASSIVE] = ROW(ACTIVE, START),
		[BGP_EV_DAMPED_START] = ROW(CONNECT, BGP_DO_RETRY_START | BGP_DO_CONNECT),
		[BGP_EV_DAMPED_START_PASSIVE] = ROW(ACTIVE, BGP_DO_RETRY_START),
		[BGP_EV_IDLE_HOLD] = ROW(IDLE, BGP_DO_RESTART),
	},
	[BGP_CONNECT] = {
		[BGP_EV_MANUAL_STOP] = ROW(IDLE, STOP),
		[BGP_EV_AUTO_STOP] = ROW(IDLE, FAIL),
		[BGP_EV_CONNECT_RETRY] = ROW(CONNECT, BGP_DO_DROP | BGP_DO_RETRY_START |
						      BGP_DO_CONNECT),
		[BGP_EV_HOLD] = ROW(IDLE, FAIL),
		[BGP_EV_SEND_HOLD] = ROW(IDLE, FAIL),
		[BGP_EV_KEEPALIVE_TIMER] = ROW(IDLE, FAIL),
		[BGP_EV_IDLE_HOLD] = ROW(IDLE, FAIL),
		[BGP_EV_TCP_ACKED] = ROW(OPENSENT, SAYOPEN),
		[BGP_EV_TCP_CONFIRMED] = ROW(OPENSENT, SAYOPEN),
		[BGP_EV_TCP_FAILS] = ROW(ACTIVE, BGP_DO_DROP | BGP_DO_RETRY_START),
		[BGP_EV_OPEN] = ROW(IDLE, FAIL),
		[BGP_EV_HEADER_ERR] = ROW(IDLE, FAIL),
		[BGP_EV_OPEN_ERR] = ROW(IDLE, FAIL),
		[BGP_EV_COLLISION] = ROW(IDLE, FAIL),
		[BGP_EV_NOTIF_VERSION] = ROW(IDLE, FAIL),
		[BGP_EV_NOTIF] = ROW(IDLE, FAIL),
		[BGP_EV_KEEPALIVE] = ROW(IDLE, FAIL),
		[BGP_EV_UPDATE] = ROW(IDLE, FAIL),
		[BGP_EV_UPDATE_ERR] = ROW(IDLE, FAIL),
		[BGP_EV_REFRESH] = ROW(IDLE, FAIL),
	},
	[BGP_ACTIVE] = {
		[BGP_EV_MANUAL_STOP] = ROW(IDLE, STOP),
		[BGP_EV_AUTO_STOP] = ROW(IDLE, FAIL),
		[BGP_EV_CONNECT_RETRY] = ROW(CONNECT, BGP_DO_RETRY_START | BGP_DO_CONNECT),
		[BGP_EV_HOLD] = ROW(IDLE, FAIL),
		[BGP_EV_SEND_HOLD] = ROW(IDLE, FAIL),
		[BGP_EV_KEEPALIVE_TIMER] = ROW(IDLE, FAIL),
		[BGP_EV_IDLE_HOLD] = ROW(IDLE, FAIL),
		[BGP_EV_TCP_ACKED] = ROW(OPENSENT, SAYOPEN),
		[BGP_EV_TCP_CONFIRMED] = ROW(OPENSENT, SAYOPEN),
		[BGP_EV_TCP_FAILS] = ROW(IDLE, FAIL),
		[BGP_EV_OPEN] = ROW(IDLE, FAIL),
		[BGP_EV_HEADER_ERR] = ROW(IDLE, FAIL),
		[BGP_EV_OPEN_ERR] = ROW(IDLE, FAIL),
		[BGP_EV_COLLISION] = ROW(IDLE, FAIL),
		[BGP_EV_NOTIF_VERSION] = ROW(IDLE, FAIL),
		[BGP_EV_NOTIF] = ROW(IDLE, FAIL),
		[BGP_EV_KEEPALIVE] = ROW(IDLE, FAIL),
		[BGP_EV_UPDATE] = ROW(IDLE, FAIL),
		[BGP_EV_UPDATE_ERR] = ROW(IDLE, FAIL),
		[BGP_EV_REFRESH] = ROW(IDLE, FAIL),
	},
	[BGP_OPENSENT] = {
		[BGP_EV_MANUAL_STOP] = ROW(IDLE, BGP_DO_NOTIFY_ERR | STOP),
		[BGP_EV_AUTO_STOP] = ROW(IDLE, ERR),
		[BGP_EV_CONNECT_RETRY] = ROW(IDLE, FSM),
		[BGP_EV_HOLD] = ROW(IDLE, ERR),
		[BGP_EV_SEND_HOLD] = ROW(IDLE, ERR),
		[BGP_EV_KEEPALIVE_TIMER] = ROW(IDLE, FSM),
		[BGP_EV_IDLE_HOLD] = ROW(IDLE, FSM),
		[BGP_EV_TCP_FAILS] = ROW(ACTIVE, BGP_DO_DROP | BGP_DO_RETRY_START),
		[BGP_EV_OPEN] = ROW(OPENCONFIRM, BGP_DO_RETRY_STOP | BGP_DO_KEEPALIVE |
						 BGP_DO_HOLD),
		[BGP_EV_HEADER_ERR] = ROW(IDLE, ERR),
		[BGP_EV_OPEN_ERR] = ROW(IDLE, ERR),
		[BGP_EV_COLLISION] = ROW(IDLE, ERR),
		[BGP_EV_NOTIF_VERSION] = ROW(IDLE, BGP_DO_DROP | BGP_DO_RETRY_STOP |
						   BGP_DO_IDLE_HOLD),
		[BGP_EV_NOTIF] = ROW(IDLE, FAIL),
		[BGP_EV_KEEPALIVE] = ROW(IDLE, FSM),
		[BGP_EV_UPDATE] = ROW(IDLE, FSM),
		[BGP_EV_UPDATE_ERR] = ROW(IDLE, FSM),
		[BGP_EV_REFRESH] = ROW(IDLE, FSM),
	},
	[BGP_OPENCONFIRM] = {
		[BGP_EV_MANUAL_STOP] = ROW(IDLE, BGP_DO_NOTIFY_ERR | STOP),
		[BGP_EV_AUTO_STOP] = ROW(IDLE, ERR),
		[BGP_EV_CONNECT_RETRY] = ROW(IDLE, FSM),
		[BGP_EV_HOLD] = ROW(IDLE, ERR),
		[BGP_EV_SEND_HOLD] = ROW(IDLE, ERR),
		[BGP_EV_KEEPALIVE_TIMER] = ROW(OPENCONFIRM, BGP_DO_KEEPALIVE),
		[BGP_EV_IDLE_HOLD] = ROW(IDLE, FSM),
		[BGP_EV_TCP_FAILS] = ROW(IDLE, FAIL),
		[BGP_EV_OPEN] = ROW(IDLE, FSM),
		[BGP_EV_HEADER_ERR] = ROW(IDLE, ERR),
		[BGP_EV_OPEN_ERR] = ROW(IDLE, ERR),
		[BGP_EV_COLLISION] = ROW(IDLE, ERR),
		[BGP_EV_NOTIF_VERSION] = ROW(IDLE, BGP_DO_DROP | BGP_DO_RETRY_STOP |
						   BGP_DO_IDLE_HOLD),
		[BGP_EV_NOTIF] = ROW(IDLE, FAIL),
		[BGP_EV_KEEPALIVE] = ROW(ESTABLISHED, BGP_DO_HOLD | BGP_DO_UP),
		[BGP_EV_UPDATE] = ROW(IDLE, FSM),
		[BGP_EV_UPDATE_ERR] = ROW(IDLE, FSM),
		[BGP_EV_REFRESH] = ROW(IDLE, FSM),
	},
	[BGP_ESTABLISHED] = {
		[BGP_EV_MANUAL_STOP] = ROW(IDLE, BGP_DO_NOTIFY_ERR | DOWN | STOP),
		[BGP_EV_AUTO_STOP] = ROW(IDLE, ERR | DOWN),
		[BGP_EV_CONNECT_RETRY] = ROW(IDLE, FSM | DOWN),
		[BGP_EV_HOLD] = ROW(IDLE, ERR | DOWN),
		[BGP_EV_SEND_HOLD] = ROW(IDLE, ERR | DOWN),
		[BGP_EV_KEEPALIVE_TIMER] = ROW(ESTABLISHED, BGP_DO_KEEPALIVE),
		[BGP_EV_IDLE_HOLD] = ROW(IDLE, FSM | DOWN),
		[BGP_EV_TCP_FAILS] = ROW(IDLE, FAIL | DOWN),
		[BGP_EV_OPEN] = ROW(IDLE, FSM | DOWN),
		[BGP_EV_HEADER_ERR] = ROW(IDLE, ERR | DOWN),
		[BGP_EV_OPEN_ERR] = ROW(IDLE, FSM | DOWN),
		[BGP_EV_COLLISION] = ROW(IDLE, ERR | DOWN),
		[BGP_EV_NOTIF_VERSION] = ROW(IDLE, FAIL | DOWN),
		[BGP_EV_NOTIF] = ROW(IDLE, FAIL | DOWN),
		[BGP_EV_KEEPALIVE] = ROW(ESTABLISHED, BGP_DO_HOLD),
		[BGP_EV_UPDATE] = ROW(ESTABLISHED, BGP_DO_HOLD | BGP_DO_DELIVER),
		[BGP_EV_UPDATE_ERR] = ROW(IDLE, ERR | DOWN),
		[BGP_EV_REFRESH] = ROW(ESTABLISHED, BGP_DO_HOLD | BGP_DO_DELIVER),
	},
};

struct bgp_rule bgp_fsm_rule(enum bgp_state state, enum bgp_event event)
{
	const struct row *r;

	if ((unsigned int)state >= BGP_STATES || (unsigned int)event >= BGP_EVENTS)
		return (struct bgp_rule){ .next = BGP_IDLE };
	r = &table[state][event];
	if (!r->set)
		return (struct bgp_rule){ .next = (uint8_t)state };
	return (struct bgp_rule){ .actions = r->actions, .next = r->next };
}

const char *bgp_state_name(enum bgp_state state)
{
	static const char *const names[BGP_STATES] = {
		"Idle", "Connect", "Active", "OpenSent", "OpenConfirm", "Established",
	};

	return (unsigned int)state < BGP_STATES ? names[state] : "unknown";
}

const char *bgp_event_name(enum bgp_event event)
{
	static const char *const names[BGP_EVENTS] = {
		[BGP_EV_MANUAL_START] = "ManualStart",
		[BGP_EV_MANUAL_STOP] = "ManualStop",
		[BGP_EV_AUTO_START] = "AutomaticStart",
		[BGP_EV_MANUAL_START_PASSIVE] = "ManualStart passive",
		[BGP_EV_AUTO_START_PASSIVE] = "AutomaticStart passive",
		[BGP_EV_DAMPED_START] = "AutomaticStart damped",
		[BGP_EV_DAMPED_START_PASSIVE] = "AutomaticStart damped, passive",
		[BGP_EV_AUTO_STOP] = "AutomaticStop",
		[BGP_EV_CONNECT_RETRY] = "ConnectRetryTimer expires",
		[BGP_EV_HOLD] = "HoldTimer expires",
		[BGP_EV_KEEPALIVE_TIMER] = "KeepaliveTimer expires",
		[BGP_EV_IDLE_HOLD] = "IdleHoldTimer expires",
		[BGP_EV_TCP_VALID] = "TcpConnection valid",
		[BGP_EV_TCP_INVALID] = "TcpConnection invalid",
		[BGP_EV_TCP_ACKED] = "TcpConnection acknowledged",
		[BGP_EV_TCP_CONFIRMED] = "TcpConnection confirmed",
		[BGP_EV_TCP_FAILS] = "TcpConnection fails",
		[BGP_EV_OPEN] = "OPEN received",
		[BGP_EV_HEADER_ERR] = "header error",
		[BGP_EV_OPEN_ERR] = "OPEN error",
		[BGP_EV_COLLISION] = "collision, this connection loses",
		[BGP_EV_NOTIF_VERSION] = "NOTIFICATION of a version error received",
		[BGP_EV_NOTIF] = "NOTIFICATION received",
		[BGP_EV_KEEPALIVE] = "KEEPALIVE received",
		[BGP_EV_UPDATE] = "UPDATE received",
		[BGP_EV_UPDATE_ERR] = "UPDATE error",
		[BGP_EV_SEND_HOLD] = "SendHoldTimer expires",
		[BGP_EV_REFRESH] = "ROUTE-REFRESH received",
	};

	if ((unsigned int)event >= BGP_EVENTS || !names[event])
		return "unknown";
	return names[event];
}
