// SPDX-License-Identifier: GPL-2.0
/*
 * Names of BGP's numbers, for logs and for what an operator sees.
 */
#include "bgp/wire.h"

#include <stddef.h>

const char *bgp_family_name(enum bgp_family f)
{
	static const char *const names[BGP_FAMILIES] = {
		[BGP_IPV4] = "ipv4 unicast",
		[BGP_IPV6] = "ipv6 unicast",
		[BGP_VPNV4] = "vpnv4 unicast",
		[BGP_VPNV6] = "vpnv6 unicast",
		[BGP_LU4] = "ipv4 labeled-unicast",
		[BGP_LU6] = "ipv6 labeled-unicast",
		[BGP_RTC] = "ipv4 rt-filter",
	};

	return (unsigned int)f < BGP_FAMILIES ? names[f] : "unknown";
}

static const struct {
	uint8_t code;
	int sub;	/* -1: any other */
	const char *name;
} notifications[] = {
	{ BGP_ERR_HEADER, BGP_HDR_NOT_SYNC, "Message Header Error/Connection Not Synchronized" },
	{ BGP_ERR_HEADER, BGP_HDR_BAD_LENGTH, "Message Header Error/Bad Message Length" },
	{ BGP_ERR_HEADER, BGP_HDR_BAD_TYPE, "Message Header Error/Bad Message Type" },
	{ BGP_ERR_HEADER, -1, "Message Header Error" },
	{ BGP_ERR_OPEN, BGP_OPEN_BAD_VERSION, "OPEN Error/Unsupported Version Number" },
	{ BGP_ERR_OPEN, BGP_OPEN_BAD_PEER_AS, "OPEN Error/Bad Peer AS" },
	{ BGP_ERR_OPEN, BGP_OPEN_BAD_ID, "OPEN Error/Bad BGP Identifier" },
	{ BGP_ERR_OPEN, BGP_OPEN_BAD_PARAM, "OPEN Error/Unsupported Optional Parameter" },
	{ BGP_ERR_OPEN, BGP_OPEN_BAD_HOLD, "OPEN Error/Unacceptable Hold Time" },
	{ BGP_ERR_OPEN, BGP_OPEN_BAD_CAP, "OPEN Error/Unsupported Capability" },
	{ BGP_ERR_OPEN, -1, "OPEN Error" },
	{ BGP_ERR_UPDATE, BGP_UPD_MALFORMED_LIST, "UPDATE Error/Malformed Attribute List" },
	{ BGP_ERR_UPDATE, BGP_UPD_UNKNOWN_WELL_KNOWN,
	  "UPDATE Error/Unrecognized Well-known Attribute" },
	{ BGP_ERR_UPDATE, BGP_UPD_MISSING, "UPDATE Error/Missing Well-known Attribute" },
	{ BGP_ERR_UPDATE, BGP_UPD_FLAGS, "UPDATE Error/Attribute Flags Error" },
	{ BGP_ERR_UPDATE, BGP_UPD_LENGTH, "UPDATE Error/Attribute Length Error" },
	{ BGP_ERR_UPDATE, BGP_UPD_ORIGIN, "UPDATE Error/Invalid ORIGIN" },
	{ BGP_ERR_UPDATE, BGP_UPD_NEXT_HOP, "UPDATE Error/Invalid NEXT_HOP" },
	{ BGP_ERR_UPDATE, BGP_UPD_OPTIONAL, "UPDATE Error/Optional Attribute Error" },
	{ BGP_ERR_UPDATE, BGP_UPD_NETWORK, "UPDATE Error/Invalid Network Field" },
	{ BGP_ERR_UPDATE, BGP_UPD_AS_PATH, "UPDATE Error/Malformed AS_PATH" },
	{ BGP_ERR_UPDATE, -1, "UPDATE Error" },
	{ BGP_ERR_HOLD, -1, "Hold Timer Expired" },
	{ BGP_ERR_FSM, BGP_FSM_IN_OPENSENT, "FSM Error/Unexpected Message in OpenSent" },
	{ BGP_ERR_FSM, BGP_FSM_IN_OPENCONFIRM, "FSM Error/Unexpected Message in OpenConfirm" },
	{ BGP_ERR_FSM, BGP_FSM_IN_ESTABLISHED, "FSM Error/Unexpected Message in Established" },
	{ BGP_ERR_FSM, -1, "FSM Error" },
	{ BGP_ERR_CEASE, BGP_CEASE_MAX_PREFIX, "Cease/Maximum Number of Prefixes Reached" },
	{ BGP_ERR_CEASE, BGP_CEASE_SHUTDOWN, "Cease/Administrative Shutdown" },
	{ BGP_ERR_CEASE, BGP_CEASE_DECONFIGURED, "Cease/Peer De-configured" },
	{ BGP_ERR_CEASE, BGP_CEASE_RESET, "Cease/Administrative Reset" },
	{ BGP_ERR_CEASE, BGP_CEASE_REJECTED, "Cease/Connection Rejected" },
	{ BGP_ERR_CEASE, BGP_CEASE_CONFIG, "Cease/Other Configuration Change" },
	{ BGP_ERR_CEASE, BGP_CEASE_COLLISION, "Cease/Connection Collision Resolution" },
	{ BGP_ERR_CEASE, BGP_CEASE_RESOURCES, "Cease/Out of Resources" },
	{ BGP_ERR_CEASE, BGP_CEASE_HARD_RESET, "Cease/Hard Reset" },
	{ BGP_ERR_CEASE, BGP_CEASE_BFD_DOWN, "Cease/BFD Down" },
	{ BGP_ERR_CEASE, -1, "Cease" },
	{ BGP_ERR_REFRESH, BGP_REFRESH_BAD_LENGTH, "ROUTE-REFRESH Message Error/Invalid Message Length" },
	{ BGP_ERR_REFRESH, -1, "ROUTE-REFRESH Message Error" },
	{ BGP_ERR_SEND_HOLD, -1, "Send Hold Timer Expired" },
};

const char *bgp_notification_name(uint8_t code, uint8_t subcode)
{
	for (size_t i = 0; i < sizeof(notifications) / sizeof(notifications[0]); i++) {
		if (notifications[i].code == code &&
		    (notifications[i].sub == subcode || notifications[i].sub < 0))
			return notifications[i].name;
	}
	return "unknown error";
}
