// SPDX-License-Identifier: GPL-2.0
/* RFC 5880: {state, event} to {next state, diagnostic}. */
#include "bfd/fsm.h"

#include "lib/mem.h"

#define GO(state_, diag_) { BFD_##state_, BFD_DIAG_##diag_ }

static const struct bfd_rule rules[BFD_STATES][BFD_EVENTS] = {
	[BFD_ADMIN_DOWN] = {
		[BFD_EV_RX_ADMIN_DOWN] = GO(ADMIN_DOWN, KEEP),
		[BFD_EV_RX_DOWN] = GO(ADMIN_DOWN, KEEP),
		[BFD_EV_RX_INIT] = GO(ADMIN_DOWN, KEEP),
		[BFD_EV_RX_UP] = GO(ADMIN_DOWN, KEEP),
		[BFD_EV_EXPIRED] = GO(ADMIN_DOWN, KEEP),
		[BFD_EV_DISABLE] = GO(ADMIN_DOWN, KEEP),
		[BFD_EV_ENABLE] = GO(DOWN, NONE),
	},
	[BFD_DOWN] = {
		[BFD_EV_RX_ADMIN_DOWN] = GO(DOWN, KEEP),
		[BFD_EV_RX_DOWN] = GO(INIT, KEEP),
		[BFD_EV_RX_INIT] = GO(UP, NONE),
		[BFD_EV_RX_UP] = GO(DOWN, KEEP),
		[BFD_EV_EXPIRED] = GO(DOWN, KEEP),
		[BFD_EV_DISABLE] = GO(ADMIN_DOWN, ADMIN),
		[BFD_EV_ENABLE] = GO(DOWN, KEEP),
	},
	[BFD_INIT] = {
		[BFD_EV_RX_ADMIN_DOWN] = GO(DOWN, NEIGHBOR),
		[BFD_EV_RX_DOWN] = GO(INIT, KEEP),
		[BFD_EV_RX_INIT] = GO(UP, NONE),
		[BFD_EV_RX_UP] = GO(UP, NONE),
		[BFD_EV_EXPIRED] = GO(DOWN, EXPIRED),
		[BFD_EV_DISABLE] = GO(ADMIN_DOWN, ADMIN),
		[BFD_EV_ENABLE] = GO(INIT, KEEP),
	},
	[BFD_UP] = {
		[BFD_EV_RX_ADMIN_DOWN] = GO(DOWN, NEIGHBOR),
		[BFD_EV_RX_DOWN] = GO(DOWN, NEIGHBOR),
		[BFD_EV_RX_INIT] = GO(UP, KEEP),
		[BFD_EV_RX_UP] = GO(UP, KEEP),
		[BFD_EV_EXPIRED] = GO(DOWN, EXPIRED),
		[BFD_EV_DISABLE] = GO(ADMIN_DOWN, ADMIN),
		[BFD_EV_ENABLE] = GO(UP, KEEP),
	},
};

struct bfd_rule bfd_fsm_rule(enum bfd_state state, enum bfd_event event)
{
	return rules[state][event];
}

const char *bfd_state_str(uint8_t state)
{
	static const char *const names[BFD_STATES] = { "admin-down", "down", "init", "up" };

	return state < ARRAY_SIZE(names) ? names[state] : "?";
}

const char *bfd_diag_str(uint8_t diag)
{
	static const char *const names[] = {
		"none", "control detection time expired", "echo function failed", "neighbor signaled session down",
		"forwarding plane reset", "path down", "concatenated path down", "administratively down",
		"reverse concatenated path down",
	};

	return diag < ARRAY_SIZE(names) ? names[diag] : "unknown";
}
