/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Numbers of the BGP wire format, as the RFCs and IANA's registries assign them.
 * RFC 4271, 4456, 4486, 4684, 4724, 4760, 5492, 6608, 6793, 2918, 7606, 7911, 8092, 8950.
 */
#ifndef L3VPN_BGP_WIRE_H
#define L3VPN_BGP_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#define BGP_VERSION		4
#define BGP_PORT		179
#define BGP_HEADER_LEN		19
#define BGP_MAX_LEN		4096
#define BGP_EXTENDED_LEN	65535	/* RFC 8654 */
#define BGP_AS_TRANS		23456u
#define BGP_MIN_HOLD		3
#define BGP_OPEN_HOLD		240	/* "large" hold time until OPENs crossed, RFC 4271 8.2.2 */

enum bgp_msg_type {
	BGP_OPEN = 1,
	BGP_UPDATE = 2,
	BGP_NOTIFICATION = 3,
	BGP_KEEPALIVE = 4,
	BGP_ROUTE_REFRESH = 5,
};

/* NOTIFICATION codes, RFC 4271 4.5 */
enum bgp_error_code {
	BGP_ERR_HEADER = 1,
	BGP_ERR_OPEN = 2,
	BGP_ERR_UPDATE = 3,
	BGP_ERR_HOLD = 4,
	BGP_ERR_FSM = 5,
	BGP_ERR_CEASE = 6,
	BGP_ERR_REFRESH = 7,	/* RFC 7313 */
	BGP_ERR_SEND_HOLD = 8,	/* RFC 9687 */
};

enum bgp_header_subcode {
	BGP_HDR_NOT_SYNC = 1,
	BGP_HDR_BAD_LENGTH = 2,
	BGP_HDR_BAD_TYPE = 3,
};

enum bgp_open_subcode {
	BGP_OPEN_UNSPECIFIC = 0,
	BGP_OPEN_BAD_VERSION = 1,
	BGP_OPEN_BAD_PEER_AS = 2,
	BGP_OPEN_BAD_ID = 3,
	BGP_OPEN_BAD_PARAM = 4,
	BGP_OPEN_BAD_HOLD = 6,
	BGP_OPEN_BAD_CAP = 7,
};

enum bgp_update_subcode {
	BGP_UPD_MALFORMED_LIST = 1,
	BGP_UPD_UNKNOWN_WELL_KNOWN = 2,
	BGP_UPD_MISSING = 3,
	BGP_UPD_FLAGS = 4,
	BGP_UPD_LENGTH = 5,
	BGP_UPD_ORIGIN = 6,
	BGP_UPD_NEXT_HOP = 8,
	BGP_UPD_OPTIONAL = 9,
	BGP_UPD_NETWORK = 10,
	BGP_UPD_AS_PATH = 11,
};

/* RFC 6608 */
enum bgp_fsm_subcode {
	BGP_FSM_UNSPECIFIC = 0,
	BGP_FSM_IN_OPENSENT = 1,
	BGP_FSM_IN_OPENCONFIRM = 2,
	BGP_FSM_IN_ESTABLISHED = 3,
};

/* RFC 4486 */
enum bgp_cease_subcode {
	BGP_CEASE_MAX_PREFIX = 1,
	BGP_CEASE_SHUTDOWN = 2,
	BGP_CEASE_DECONFIGURED = 3,
	BGP_CEASE_RESET = 4,
	BGP_CEASE_REJECTED = 5,
	BGP_CEASE_CONFIG = 6,
	BGP_CEASE_COLLISION = 7,
	BGP_CEASE_RESOURCES = 8,
	BGP_CEASE_HARD_RESET = 9,	/* RFC 8538 */
	BGP_CEASE_BFD_DOWN = 10,	/* RFC 9384 */
};

/* RFC 7313 */
enum bgp_refresh_subcode {
	BGP_REFRESH_BAD_LENGTH = 1,
};

/* What a ROUTE-REFRESH says, RFC 2918 and 7313 section 3.2 */
enum bgp_refresh {
	BGP_REFRESH_REQUEST = 0,
	BGP_REFRESH_BEGIN = 1,
	BGP_REFRESH_END = 2,
};

/* Capability codes, RFC 5492 */
enum bgp_cap_code {
	BGP_CAP_MULTIPROTOCOL = 1,
	BGP_CAP_ROUTE_REFRESH = 2,
	BGP_CAP_EXT_NEXTHOP = 5,
	BGP_CAP_EXTENDED_MESSAGE = 6,	/* RFC 8654 */
	BGP_CAP_GRACEFUL_RESTART = 64,
	BGP_CAP_AS4 = 65,
	BGP_CAP_ADD_PATH = 69,		/* RFC 7911 */
	BGP_CAP_ENHANCED_REFRESH = 70,	/* RFC 7313 */
};

/* Path attributes */
enum bgp_attr_code {
	BGP_ATTR_ORIGIN = 1,
	BGP_ATTR_AS_PATH = 2,
	BGP_ATTR_NEXT_HOP = 3,
	BGP_ATTR_MED = 4,
	BGP_ATTR_LOCAL_PREF = 5,
	BGP_ATTR_ATOMIC_AGGREGATE = 6,
	BGP_ATTR_AGGREGATOR = 7,
	BGP_ATTR_COMMUNITIES = 8,
	BGP_ATTR_ORIGINATOR_ID = 9,
	BGP_ATTR_CLUSTER_LIST = 10,
	BGP_ATTR_MP_REACH = 14,
	BGP_ATTR_MP_UNREACH = 15,
	BGP_ATTR_EXT_COMMUNITIES = 16,
	BGP_ATTR_AS4_PATH = 17,
	BGP_ATTR_AS4_AGGREGATOR = 18,
	BGP_ATTR_LARGE_COMMUNITIES = 32,
};

#define BGP_FLAG_OPTIONAL	0x80
#define BGP_FLAG_TRANSITIVE	0x40
#define BGP_FLAG_PARTIAL	0x20
#define BGP_FLAG_EXTENDED	0x10

enum bgp_origin { BGP_ORIGIN_IGP, BGP_ORIGIN_EGP, BGP_ORIGIN_INCOMPLETE };

enum bgp_segment {
	BGP_AS_SET = 1,
	BGP_AS_SEQUENCE = 2,
	BGP_AS_CONFED_SEQUENCE = 3,
	BGP_AS_CONFED_SET = 4,
};

#define BGP_AFI_IPV4		1
#define BGP_AFI_IPV6		2
#define BGP_SAFI_UNICAST	1
#define BGP_SAFI_LABELLED	4
#define BGP_SAFI_VPN		128
#define BGP_SAFI_RT_CONSTRAINT	132

/* The address families that this speaker knows. */
enum bgp_family {
	BGP_IPV4,
	BGP_IPV6,
	BGP_VPNV4,
	BGP_VPNV6,
	BGP_LU4,			/* labelled unicast, RFC 8277 */
	BGP_LU6,
	BGP_RTC,			/* route target constraint, RFC 4684: no prefixes */
	BGP_FAMILIES,
};

static inline bool bgp_family_vpn(enum bgp_family f)
{
	return f == BGP_VPNV4 || f == BGP_VPNV6;
}

static inline bool bgp_family_lu(enum bgp_family f)
{
	return f == BGP_LU4 || f == BGP_LU6;
}

/* its NLRI carry a label */
static inline bool bgp_family_labelled(enum bgp_family f)
{
	return bgp_family_vpn(f) || bgp_family_lu(f);
}

static inline uint16_t bgp_family_afi(enum bgp_family f)
{
	return f == BGP_IPV4 || f == BGP_VPNV4 || f == BGP_LU4 || f == BGP_RTC ? BGP_AFI_IPV4 : BGP_AFI_IPV6;
}

static inline uint8_t bgp_family_safi(enum bgp_family f)
{
	if (bgp_family_lu(f))
		return BGP_SAFI_LABELLED;
	if (f == BGP_RTC)
		return BGP_SAFI_RT_CONSTRAINT;
	return bgp_family_vpn(f) ? BGP_SAFI_VPN : BGP_SAFI_UNICAST;
}

/* False when this speaker does not know the pair. */
static inline bool bgp_family_of(uint16_t afi, uint8_t safi, enum bgp_family *f)
{
	for (int i = 0; i < BGP_FAMILIES; i++) {
		if (bgp_family_afi(i) == afi && bgp_family_safi(i) == safi) {
			*f = i;
			return true;
		}
	}
	return false;
}

const char *bgp_family_name(enum bgp_family f);
/* "Cease/connection collision resolution": for logs and show, RFC 4271, 4486, 6608. */
const char *bgp_notification_name(uint8_t code, uint8_t subcode);

#endif
