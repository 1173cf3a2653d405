/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vrf/tunnel.h: what a VRF's packets and the labels above them tell each other of TTL and traffic class:
 * as configured, and what follows from it (RFC 3270 section 2.6, RFC 3443, RFC 5462).
 *
 * What a VRF says counts before what is said for all, and where both say the same of it, a ttl-propagate
 * before the TTL half of a tunnel-model. What nobody says: TTL uniform, DSCP's top bits into the traffic
 * class, and DSCP untouched at the egress.
 */
#ifndef L3VPN_VRF_TUNNEL_H
#define L3VPN_VRF_TUNNEL_H

#include <stdbool.h>
#include <stdint.h>

#define TUNNEL_DSCPS	64
#define TUNNEL_TCS	8
#define TUNNEL_UNSET	0xff

enum tunnel_model { TUNNEL_NONE, TUNNEL_UNIFORM, TUNNEL_PIPE, TUNNEL_SHORT_PIPE };

/**
 * struct tunnel_settings - as configured, for one VRF or for all
 * @model:	enum tunnel_model; TUNNEL_NONE: not said
 * @propagate:	0 or 1; TUNNEL_UNSET: not said
 * @dscp_tc:	TC by DSCP; TUNNEL_UNSET: not said
 * @tc_dscp:	DSCP by TC; likewise
 */
struct tunnel_settings {
	uint8_t model;
	uint8_t propagate;
	uint8_t dscp_tc[TUNNEL_DSCPS];
	uint8_t tc_dscp[TUNNEL_TCS];
};

/** struct tunnel - what forwarding is told; octets alone, so that memcmp() compares */
struct tunnel {
	uint8_t ttl_model;		/* TUNNEL_UNIFORM or TUNNEL_PIPE */
	uint8_t tc_model;		/* TUNNEL_UNIFORM, TUNNEL_PIPE or TUNNEL_SHORT_PIPE */
	uint8_t dscp_tc[TUNNEL_DSCPS];
	uint8_t tc_dscp[TUNNEL_TCS];
};

/* Nothing said. */
void tunnel_settings_init(struct tunnel_settings *s);

void tunnel_resolve(const struct tunnel_settings *own, const struct tunnel_settings *all,
		    struct tunnel *out);

const char *tunnel_model_str(uint8_t model);

#endif
