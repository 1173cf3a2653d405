/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The wire format of LDP: PDUs, messages, TLVs (RFC 5036 section 3), and what RFC 3478, 5561, 5918, 5919, 6720 and
 * 7552 add. Decoding is driven by two tables (messages, TLVs) and answers each fault with the status code of
 * RFC 5036 section 3.5.1.2; what it accepts is whole: lists inside may be walked without looking for faults again.
 * Values in host order, addresses in network order. Stateless; no memory is allocated.
 */
#ifndef L3VPN_LDP_WIRE_H
#define L3VPN_LDP_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/cursor.h"
#include "lib/prefix.h"

#define LDP_VERSION	1
#define LDP_PORT	646
#define LDP_PDU_DEFAULT	4096	/* octets behind the length field */
#define LDP_PDU_HEAD	4	/* version and length, which the length does not count */
#define LDP_LABEL_NONE	0xffffffffu
#define LDP_LABEL_NULL4	0u
#define LDP_LABEL_NULL6	2u
#define LDP_LABEL_IMPLICIT 3u

enum ldp_msg_type {
	LDP_MSG_NOTIFICATION = 0x0001,
	LDP_MSG_HELLO = 0x0100,
	LDP_MSG_INIT = 0x0200,
	LDP_MSG_KEEPALIVE = 0x0201,
	LDP_MSG_CAPABILITY = 0x0202,
	LDP_MSG_ADDRESS = 0x0300,
	LDP_MSG_ADDRESS_WITHDRAW = 0x0301,
	LDP_MSG_MAPPING = 0x0400,
	LDP_MSG_REQUEST = 0x0401,
	LDP_MSG_WITHDRAW = 0x0402,
	LDP_MSG_RELEASE = 0x0403,
	LDP_MSG_ABORT = 0x0404,
};

enum ldp_status {
	LDP_SUCCESS = 0x00,
	LDP_BAD_LDP_ID = 0x01,
	LDP_BAD_VERSION = 0x02,
	LDP_BAD_PDU_LENGTH = 0x03,
	LDP_UNKNOWN_MESSAGE = 0x04,
	LDP_BAD_MESSAGE_LENGTH = 0x05,
	LDP_UNKNOWN_TLV = 0x06,
	LDP_BAD_TLV_LENGTH = 0x07,
	LDP_MALFORMED_TLV = 0x08,
	LDP_HOLD_EXPIRED = 0x09,
	LDP_SHUTDOWN = 0x0a,
	LDP_LOOP_DETECTED = 0x0b,
	LDP_UNKNOWN_FEC = 0x0c,
	LDP_NO_ROUTE = 0x0d,
	LDP_NO_LABELS = 0x0e,
	LDP_LABELS_AVAILABLE = 0x0f,
	LDP_NO_HELLO = 0x10,
	LDP_REJECTED_MODE = 0x11,
	LDP_REJECTED_PDU_LENGTH = 0x12,
	LDP_REJECTED_LABEL_RANGE = 0x13,
	LDP_KEEPALIVE_EXPIRED = 0x14,
	LDP_REQUEST_ABORTED = 0x15,
	LDP_MISSING_PARAMETERS = 0x16,
	LDP_UNSUPPORTED_FAMILY = 0x17,
	LDP_REJECTED_KEEPALIVE = 0x18,
	LDP_INTERNAL_ERROR = 0x19,
	LDP_UNSUPPORTED_CAPABILITY = 0x2e,	/* RFC 5561 */
	LDP_END_OF_LIB = 0x2f,			/* RFC 5919 */
	LDP_TRANSPORT_MISMATCH = 0x32,		/* RFC 7552 */
	LDP_DUAL_STACK_NONCOMPLIANCE = 0x33,	/* RFC 7552 */
};
const char *ldp_status_str(uint32_t status);	/* "Bad TLV Length"; of codes unknown here "status 0x..." */
bool ldp_status_fatal(uint32_t status);		/* as its RFC says; the E bit of what we send */

struct ldp_id {
	uint8_t lsr[4];
	uint16_t space;
};

struct ldp_fault {
	uint32_t status;	/* enum ldp_status */
	uint32_t msg_id;
	uint16_t msg_type;
	struct cursor tlv;	/* the TLV it is about, whole, where one was unknown or unsupported; else empty */
};

/* ---- reading ---- */

enum ldp_parse { LDP_MORE, LDP_OK, LDP_FAULT, LDP_IGNORE };

struct ldp_pdu {
	struct ldp_id id;
	struct cursor body;	/* its messages */
	size_t size;		/* octets of the whole PDU */
};

/* The next PDU of a stream. LDP_MORE: it is not whole yet. @max: what the PDU Length may say at most. */
enum ldp_parse ldp_pdu_read(const uint8_t *data, size_t len, uint16_t max, struct ldp_pdu *pdu,
			    struct ldp_fault *fault);

/* FEC elements; a typed wildcard has the family in prefix.addr.family and wildcard set */
struct ldp_fec_elem {
	bool wildcard;
	bool typed;
	struct prefix prefix;	/* addr.family 0: wildcard of all */
};

enum ldp_have {
	LDP_HAVE_FEC = 1 << 0,
	LDP_HAVE_ADDRESSES = 1 << 1,
	LDP_HAVE_HOP_COUNT = 1 << 2,
	LDP_HAVE_PATH_VECTOR = 1 << 3,
	LDP_HAVE_LABEL = 1 << 4,
	LDP_HAVE_STATUS = 1 << 5,
	LDP_HAVE_EXTENDED = 1 << 6,
	LDP_HAVE_RETURNED = 1 << 7,	/* PDU, message or TLVs: not looked into */
	LDP_HAVE_HELLO = 1 << 8,
	LDP_HAVE_TRANSPORT4 = 1 << 9,
	LDP_HAVE_TRANSPORT6 = 1 << 10,
	LDP_HAVE_CONFIG_SEQ = 1 << 11,
	LDP_HAVE_SESSION = 1 << 12,
	LDP_HAVE_ATM_FR = 1 << 13,
	LDP_HAVE_FT = 1 << 14,
	LDP_HAVE_REQUEST_ID = 1 << 15,
	LDP_HAVE_CAP_DYNAMIC = 1 << 16,
	LDP_HAVE_CAP_TYPED = 1 << 17,
	LDP_HAVE_CAP_UNREC = 1 << 18,
	LDP_HAVE_DUAL_STACK = 1 << 19,
};
#define LDP_HAVE_CAPS (LDP_HAVE_CAP_DYNAMIC | LDP_HAVE_CAP_TYPED | LDP_HAVE_CAP_UNREC)

#define LDP_HELLO_TARGETED	0x8000
#define LDP_HELLO_REQUEST	0x4000
#define LDP_HELLO_GTSM		0x2000
#define LDP_FT_LEARN		0x0001	/* RFC 3478: the L flag */
#define LDP_TR_IPV4		4
#define LDP_TR_IPV6		6

struct ldp_session_params {
	uint16_t version, keepalive, max_pdu;
	bool on_demand, loop_detection;
	uint8_t pv_limit;
	struct ldp_id receiver;
};

struct ldp_msg {
	uint16_t type;
	bool unknown_bit;	/* the U bit */
	uint32_t id;
	struct cursor all;	/* the message, head and all */
	uint32_t have;		/* enum ldp_have */
	struct cursor fec;	/* for ldp_fec_next() */
	struct cursor addresses;	/* packed, of family address_family */
	uint8_t address_family;
	uint32_t label;
	uint32_t status;	/* without the E and F bits */
	bool status_fatal;
	uint32_t status_msg_id;
	uint16_t status_msg_type;
	uint16_t hello_hold, hello_flags;
	struct ip_addr transport4, transport6;
	uint32_t config_seq;
	struct ldp_session_params session;
	uint16_t ft_flags;
	uint32_t ft_reconnect_ms, ft_recovery_ms;
	uint32_t request_id;
	uint32_t caps_on;	/* of LDP_HAVE_CAPS: those whose S bit is set */
	uint8_t transport_preference;	/* LDP_TR_* or another value */
};

/*
 * Carves the next message off a PDU's body. LDP_MORE: no more. LDP_IGNORE: unknown, to be ignored. LDP_FAULT: fault
 * says why (fatal or not: ldp_status_fatal()); where it is not, the next one may be read.
 */
enum ldp_parse ldp_msg_read(struct cursor *body, struct ldp_msg *m, struct ldp_fault *fault);
const char *ldp_msg_str(uint16_t type);

bool ldp_fec_next(struct cursor *fec, struct ldp_fec_elem *e);
bool ldp_address_next(struct cursor *addresses, uint8_t family, struct ip_addr *a);
/* may this label be advertised for a FEC of this family? (RFC 3032 section 2.1) */
bool ldp_label_valid(uint32_t label, uint8_t family);

/* ---- writing: into a growing or a fixed buffer; begin and end in pairs ---- */

struct ldp_writer {
	struct buf *b;
	size_t pdu, msg;	/* where the open ones start */
};

void ldp_pdu_begin(struct ldp_writer *w, struct buf *b, const struct ldp_id *id);
void ldp_pdu_end(struct ldp_writer *w);
void ldp_msg_begin(struct ldp_writer *w, uint16_t type, uint32_t id);
void ldp_msg_end(struct ldp_writer *w);

struct ldp_hello {
	uint16_t hold, flags;
	struct ip_addr transport;
	uint32_t config_seq;
	uint8_t transport_preference;	/* 0: no dual-stack TLV */
};
void ldp_put_hello(struct ldp_writer *w, const struct ldp_hello *h);

struct ldp_init {
	struct ldp_session_params params;
	bool graceful;
	uint32_t reconnect_ms, recovery_ms;
};
void ldp_put_init(struct ldp_writer *w, const struct ldp_init *i);
void ldp_put_fec(struct ldp_writer *w, const struct ldp_fec_elem *e);
void ldp_put_label(struct ldp_writer *w, uint32_t label);
void ldp_put_request_id(struct ldp_writer *w, uint32_t id);
void ldp_put_addresses(struct ldp_writer *w, uint8_t family, const struct ip_addr *a, unsigned int n);
/* Status TLV, and what the fault returns */
void ldp_put_status(struct ldp_writer *w, const struct ldp_fault *f);

#endif
