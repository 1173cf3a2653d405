// SPDX-License-Identifier: GPL-2.0
/* Reading and writing LDP: tables of messages and TLVs; contracts in wire.h. */
#include "ldp/wire.h"

#include <stdio.h>
#include <string.h>

#include "lib/mem.h"

#define TLV_HEAD 4
#define PDU_ID 6
#define PDU_MIN 14		/* identifier and one empty message (RFC 5036 section 3.5.1.2.1) */
#define MSG_HEAD 4
#define U_BIT 0x8000
#define F_BIT 0x4000
#define STATUS_E 0x80000000u
#define STATUS_F 0x40000000u
#define AFI_IPV4 1
#define AFI_IPV6 2

enum fec_type { FEC_WILDCARD = 1, FEC_PREFIX = 2, FEC_TYPED = 5 };

enum tlv_type {
	TLV_FEC = 0x0100, TLV_ADDRESSES = 0x0101, TLV_HOP_COUNT = 0x0103, TLV_PATH_VECTOR = 0x0104,
	TLV_LABEL = 0x0200, TLV_STATUS = 0x0300, TLV_EXTENDED_STATUS = 0x0301, TLV_RETURNED_PDU = 0x0302,
	TLV_RETURNED_MESSAGE = 0x0303, TLV_RETURNED_TLVS = 0x0304, TLV_HELLO = 0x0400,
	TLV_TRANSPORT4 = 0x0401, TLV_CONFIG_SEQ = 0x0402, TLV_TRANSPORT6 = 0x0403, TLV_SESSION = 0x0500,
	TLV_ATM_SESSION = 0x0501, TLV_FR_SESSION = 0x0502, TLV_FT_SESSION = 0x0503, TLV_CAP_DYNAMIC = 0x0506,
	TLV_CAP_TYPED = 0x050b, TLV_REQUEST_ID = 0x0600, TLV_CAP_UNREC = 0x0603, TLV_DUAL_STACK = 0x0701,
};

static const struct {
	uint32_t status;
	bool fatal;
	const char *name;
} statuses[] = {
	{ LDP_SUCCESS, false, "Success" },
	{ LDP_BAD_LDP_ID, true, "Bad LDP Identifier" },
	{ LDP_BAD_VERSION, true, "Bad Protocol Version" },
	{ LDP_BAD_PDU_LENGTH, true, "Bad PDU Length" },
	{ LDP_UNKNOWN_MESSAGE, false, "Unknown Message Type" },
	{ LDP_BAD_MESSAGE_LENGTH, true, "Bad Message Length" },
	{ LDP_UNKNOWN_TLV, false, "Unknown TLV" },
	{ LDP_BAD_TLV_LENGTH, true, "Bad TLV Length" },
	{ LDP_MALFORMED_TLV, true, "Malformed TLV Value" },
	{ LDP_HOLD_EXPIRED, true, "Hold Timer Expired" },
	{ LDP_SHUTDOWN, true, "Shutdown" },
	{ LDP_LOOP_DETECTED, false, "Loop Detected" },
	{ LDP_UNKNOWN_FEC, false, "Unknown FEC" },
	{ LDP_NO_ROUTE, false, "No Route" },
	{ LDP_NO_LABELS, false, "No Label Resources" },
	{ LDP_LABELS_AVAILABLE, false, "Label Resources / Available" },
	{ LDP_NO_HELLO, true, "Session Rejected / No Hello" },
	{ LDP_REJECTED_MODE, true, "Session Rejected / Parameters Advertisement Mode" },
	{ LDP_REJECTED_PDU_LENGTH, true, "Session Rejected / Parameters Max PDU Length" },
	{ LDP_REJECTED_LABEL_RANGE, true, "Session Rejected / Parameters Label Range" },
	{ LDP_KEEPALIVE_EXPIRED, true, "KeepAlive Timer Expired" },
	{ LDP_REQUEST_ABORTED, false, "Label Request Aborted" },
	{ LDP_MISSING_PARAMETERS, false, "Missing Message Parameters" },
	{ LDP_UNSUPPORTED_FAMILY, false, "Unsupported Address Family" },
	{ LDP_REJECTED_KEEPALIVE, true, "Session Rejected / Bad KeepAlive Time" },
	{ LDP_INTERNAL_ERROR, true, "Internal Error" },
	{ LDP_UNSUPPORTED_CAPABILITY, false, "Unsupported Capability" },
	{ LDP_END_OF_LIB, false, "End-of-LIB" },
	{ LDP_TRANSPORT_MISMATCH, true, "Transport Connection Mismatch" },
	{ LDP_DUAL_STACK_NONCOMPLIANCE, true, "Dual-Stack Noncompliance" },
};

const char *ldp_status_str(uint32_t status)
{
	static char unknown[24];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(statuses); i++)
		if (statuses[i].status == status)
			return statuses[i].name;
	snprintf(unknown, sizeof(unknown), "status 0x%x", status);
	return unknown;
}

bool ldp_status_fatal(uint32_t status)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(statuses); i++)
		if (statuses[i].status == status)
			return statuses[i].fatal;
	return false;
}

/* ---- values of TLVs: each returns LDP_SUCCESS, or what is wrong ---- */

static bool family_of(uint16_t afi, uint8_t *family)
{
	*family = afi == AFI_IPV4 ? AF_INET : afi == AFI_IPV6 ? AF_INET6 : 0;
	return *family;
}

static uint32_t elem_read(struct cursor *c, struct ldp_fec_elem *e)
{
	uint8_t type, inner, len, bits, octets[16] = { 0 };
	uint16_t afi;

	memset(e, 0, sizeof(*e));
	if (!cursor_u8(c, &type))
		return LDP_MALFORMED_TLV;
	switch (type) {
	case FEC_WILDCARD:
		e->wildcard = true;
		return LDP_SUCCESS;
	case FEC_PREFIX:
		if (!cursor_u16(c, &afi) || !cursor_u8(c, &bits))
			return LDP_MALFORMED_TLV;
		if (!family_of(afi, &e->prefix.addr.family))
			return LDP_UNSUPPORTED_FAMILY;
		if (bits > addr_bits(e->prefix.addr.family) || !cursor_bytes(c, octets, (bits + 7) / 8))
			return LDP_MALFORMED_TLV;
		e->prefix = prefix_make(e->prefix.addr.family, octets, bits);
		return LDP_SUCCESS;
	case FEC_TYPED:
		e->wildcard = e->typed = true;
		if (!cursor_u8(c, &inner) || !cursor_u8(c, &len))
			return LDP_MALFORMED_TLV;
		if (inner != FEC_PREFIX)
			return LDP_UNKNOWN_FEC;
		if (len != 2 || !cursor_u16(c, &afi))
			return LDP_MALFORMED_TLV;
		return family_of(afi, &e->prefix.addr.family) ? LDP_SUCCESS : LDP_UNSUPPORTED_FAMILY;
	default:
		return LDP_UNKNOWN_FEC;
	}
}

static uint32_t read_fec(struct cursor v, struct ldp_msg *m)
{
	struct cursor rest = v, first = v;
	struct ldp_fec_elem e;
	unsigned int n = 0;
	uint32_t status;

	if (!cursor_left(&v))
		return LDP_MALFORMED_TLV;
	while (cursor_left(&rest)) {
		status = elem_read(&rest, &e);
		if (status)
			return status;
		/* RFC 5918 section 4: beside a typed wildcard the others count for nothing */
		if (!n++ && e.typed) {
			first.end = rest.at;
			v = first;
			break;
		}
		if (e.wildcard && (n > 1 || cursor_left(&rest)))
			return LDP_MALFORMED_TLV;
	}
	m->fec = v;
	return LDP_SUCCESS;
}

static uint32_t read_addresses(struct cursor v, struct ldp_msg *m)
{
	uint16_t afi;

	if (!cursor_u16(&v, &afi))
		return LDP_MALFORMED_TLV;
	if (!family_of(afi, &m->address_family))
		return LDP_UNSUPPORTED_FAMILY;
	if (cursor_left(&v) % addr_octets(m->address_family))
		return LDP_MALFORMED_TLV;
	m->addresses = v;
	return LDP_SUCCESS;
}

static uint32_t read_label(struct cursor v, struct ldp_msg *m)
{
	if (!cursor_u32(&v, &m->label) || m->label > 0xfffff)
		return LDP_MALFORMED_TLV;
	return LDP_SUCCESS;
}

static uint32_t read_status(struct cursor v, struct ldp_msg *m)
{
	if (!cursor_u32(&v, &m->status) || !cursor_u32(&v, &m->status_msg_id) ||
	    !cursor_u16(&v, &m->status_msg_type))
		return LDP_MALFORMED_TLV;
	m->status_fatal = m->status & STATUS_E;
	m->status &= ~(STATUS_E | STATUS_F);
	return LDP_SUCCESS;
}

static uint32_t read_hello(struct cursor v, struct ldp_msg *m)
{
	return cursor_u16(&v, &m->hello_hold) && cursor_u16(&v, &m->hello_flags) ? LDP_SUCCESS : LDP_MALFORMED_TLV;
}

/* RFC 7552 section 6.1: of more than one of a family the first counts */
static uint32_t read_transport4(struct cursor v, struct ldp_msg *m)
{
	if (!addr_is_set(&m->transport4))
		m->transport4 = addr_make(AF_INET, v.at);
	return LDP_SUCCESS;
}

static uint32_t read_transport6(struct cursor v, struct ldp_msg *m)
{
	if (!addr_is_set(&m->transport6))
		m->transport6 = addr_make(AF_INET6, v.at);
	return LDP_SUCCESS;
}

static uint32_t read_config_seq(struct cursor v, struct ldp_msg *m)
{
	return cursor_u32(&v, &m->config_seq) ? LDP_SUCCESS : LDP_MALFORMED_TLV;
}

static bool read_id(struct cursor *c, struct ldp_id *id)
{
	return cursor_bytes(c, id->lsr, 4) && cursor_u16(c, &id->space);
}

static uint32_t read_session(struct cursor v, struct ldp_msg *m)
{
	struct ldp_session_params *s = &m->session;
	uint8_t flags;

	if (!cursor_u16(&v, &s->version) || !cursor_u16(&v, &s->keepalive) || !cursor_u8(&v, &flags) ||
	    !cursor_u8(&v, &s->pv_limit) || !cursor_u16(&v, &s->max_pdu) || !read_id(&v, &s->receiver))
		return LDP_MALFORMED_TLV;
	s->on_demand = flags & 0x80;
	s->loop_detection = flags & 0x40;
	return LDP_SUCCESS;
}

static uint32_t read_ft(struct cursor v, struct ldp_msg *m)
{
	if (!cursor_u16(&v, &m->ft_flags) || !cursor_skip(&v, 2) || !cursor_u32(&v, &m->ft_reconnect_ms) ||
	    !cursor_u32(&v, &m->ft_recovery_ms))
		return LDP_MALFORMED_TLV;
	return LDP_SUCCESS;
}

static uint32_t read_request_id(struct cursor v, struct ldp_msg *m)
{
	return cursor_u32(&v, &m->request_id) ? LDP_SUCCESS : LDP_MALFORMED_TLV;
}

static uint32_t read_dual_stack(struct cursor v, struct ldp_msg *m)
{
	m->transport_preference = *v.at >> 4;
	return LDP_SUCCESS;
}

static const struct tlv_kind {
	uint16_t type;
	uint16_t min, max;	/* octets of the value */
	uint32_t have;
	uint32_t (*read)(struct cursor v, struct ldp_msg *m);	/* NULL: nothing in it is looked at */
} tlvs[] = {
	{ TLV_FEC, 1, 0xffff, LDP_HAVE_FEC, read_fec },
	{ TLV_ADDRESSES, 2, 0xffff, LDP_HAVE_ADDRESSES, read_addresses },
	{ TLV_HOP_COUNT, 1, 1, LDP_HAVE_HOP_COUNT, NULL },
	{ TLV_PATH_VECTOR, 0, 0xffff, LDP_HAVE_PATH_VECTOR, NULL },
	{ TLV_LABEL, 4, 4, LDP_HAVE_LABEL, read_label },
	{ TLV_STATUS, 10, 10, LDP_HAVE_STATUS, read_status },
	{ TLV_EXTENDED_STATUS, 4, 4, LDP_HAVE_EXTENDED, NULL },
	{ TLV_RETURNED_PDU, 0, 0xffff, LDP_HAVE_RETURNED, NULL },
	{ TLV_RETURNED_MESSAGE, 0, 0xffff, LDP_HAVE_RETURNED, NULL },
	{ TLV_RETURNED_TLVS, 0, 0xffff, LDP_HAVE_RETURNED, NULL },
	{ TLV_HELLO, 4, 4, LDP_HAVE_HELLO, read_hello },
	{ TLV_TRANSPORT4, 4, 4, LDP_HAVE_TRANSPORT4, read_transport4 },
	{ TLV_CONFIG_SEQ, 4, 4, LDP_HAVE_CONFIG_SEQ, read_config_seq },
	{ TLV_TRANSPORT6, 16, 16, LDP_HAVE_TRANSPORT6, read_transport6 },
	{ TLV_SESSION, 14, 14, LDP_HAVE_SESSION, read_session },
	{ TLV_ATM_SESSION, 4, 0xffff, LDP_HAVE_ATM_FR, NULL },
	{ TLV_FR_SESSION, 4, 0xffff, LDP_HAVE_ATM_FR, NULL },
	{ TLV_FT_SESSION, 12, 12, LDP_HAVE_FT, read_ft },
	{ TLV_CAP_DYNAMIC, 1, 1, LDP_HAVE_CAP_DYNAMIC, NULL },
	{ TLV_CAP_TYPED, 1, 1, LDP_HAVE_CAP_TYPED, NULL },
	{ TLV_CAP_UNREC, 1, 1, LDP_HAVE_CAP_UNREC, NULL },
	{ TLV_REQUEST_ID, 4, 4, LDP_HAVE_REQUEST_ID, read_request_id },
	{ TLV_DUAL_STACK, 4, 4, LDP_HAVE_DUAL_STACK, read_dual_stack },
};

static const struct msg_kind {
	uint16_t type;
	const char *name;
	uint32_t must;		/* enum ldp_have */
	uint32_t may;
} msgs[] = {
	{ LDP_MSG_NOTIFICATION, "Notification", LDP_HAVE_STATUS,
	  LDP_HAVE_EXTENDED | LDP_HAVE_RETURNED | LDP_HAVE_FEC | LDP_HAVE_LABEL | LDP_HAVE_REQUEST_ID },
	{ LDP_MSG_HELLO, "Hello", LDP_HAVE_HELLO,
	  LDP_HAVE_TRANSPORT4 | LDP_HAVE_TRANSPORT6 | LDP_HAVE_CONFIG_SEQ | LDP_HAVE_DUAL_STACK },
	{ LDP_MSG_INIT, "Initialization", LDP_HAVE_SESSION, LDP_HAVE_ATM_FR | LDP_HAVE_FT | LDP_HAVE_CAPS },
	{ LDP_MSG_KEEPALIVE, "KeepAlive", 0, 0 },
	{ LDP_MSG_CAPABILITY, "Capability", 0, LDP_HAVE_CAPS | LDP_HAVE_FT },
	{ LDP_MSG_ADDRESS, "Address", LDP_HAVE_ADDRESSES, 0 },
	{ LDP_MSG_ADDRESS_WITHDRAW, "Address Withdraw", LDP_HAVE_ADDRESSES, 0 },
	{ LDP_MSG_MAPPING, "Label Mapping", LDP_HAVE_FEC | LDP_HAVE_LABEL,
	  LDP_HAVE_REQUEST_ID | LDP_HAVE_HOP_COUNT | LDP_HAVE_PATH_VECTOR },
	{ LDP_MSG_REQUEST, "Label Request", LDP_HAVE_FEC, LDP_HAVE_HOP_COUNT | LDP_HAVE_PATH_VECTOR },
	{ LDP_MSG_WITHDRAW, "Label Withdraw", LDP_HAVE_FEC, LDP_HAVE_LABEL },
	{ LDP_MSG_RELEASE, "Label Release", LDP_HAVE_FEC, LDP_HAVE_LABEL | LDP_HAVE_STATUS },
	{ LDP_MSG_ABORT, "Label Abort Request", LDP_HAVE_FEC | LDP_HAVE_REQUEST_ID, 0 },
};

static const struct msg_kind *msg_kind(uint16_t type)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(msgs); i++)
		if (msgs[i].type == type)
			return &msgs[i];
	return NULL;
}

static const struct tlv_kind *tlv_kind(uint16_t type)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tlvs); i++)
		if (tlvs[i].type == type)
			return &tlvs[i];
	return NULL;
}

const char *ldp_msg_str(uint16_t type)
{
	const struct msg_kind *k = msg_kind(type & ~U_BIT);

	return k ? k->name : "unknown";
}

/* ---- PDUs and messages ---- */

enum ldp_parse ldp_pdu_read(const uint8_t *data, size_t len, uint16_t max, struct ldp_pdu *pdu,
			    struct ldp_fault *fault)
{
	struct cursor c = cursor_make(data, len);
	uint16_t version, size;

	memset(fault, 0, sizeof(*fault));
	if (!cursor_u16(&c, &version) || !cursor_u16(&c, &size))
		return LDP_MORE;
	if (version != LDP_VERSION) {
		fault->status = LDP_BAD_VERSION;
		return LDP_FAULT;
	}
	if (size < PDU_MIN || size > max) {
		fault->status = LDP_BAD_PDU_LENGTH;
		return LDP_FAULT;
	}
	if (cursor_left(&c) < size)
		return LDP_MORE;
	pdu->size = (size_t)size + LDP_PDU_HEAD;
	cursor_sub(&c, size, &pdu->body);
	read_id(&pdu->body, &pdu->id);
	return LDP_OK;
}

static enum ldp_parse fault_of(struct ldp_fault *f, uint32_t status)
{
	f->status = status;
	return LDP_FAULT;
}

/* What is known but has no place in this message is as good as unknown (RFC 5036 section 3.3). */
static enum ldp_parse tlv_unknown(const struct ldp_msg *m, uint16_t type, struct cursor whole, struct ldp_fault *f)
{
	if (type & U_BIT)
		return LDP_OK;
	f->tlv = whole;
	return fault_of(f, m->type == LDP_MSG_INIT || m->type == LDP_MSG_CAPABILITY ?
			LDP_UNSUPPORTED_CAPABILITY : LDP_UNKNOWN_TLV);
}

static enum ldp_parse tlv_read(struct cursor *c, const struct msg_kind *kind, struct ldp_msg *m,
			       struct ldp_fault *f)
{
	const uint8_t *start = c->at;
	const struct tlv_kind *k;
	uint16_t type, len;
	struct cursor v;
	uint32_t status;

	if (!cursor_u16(c, &type) || !cursor_u16(c, &len) || !cursor_sub(c, len, &v))
		return fault_of(f, LDP_BAD_TLV_LENGTH);
	k = tlv_kind(type & ~(U_BIT | F_BIT));
	if (!k || !((kind->must | kind->may) & k->have))
		return tlv_unknown(m, type, cursor_make(start, TLV_HEAD + len), f);
	if (len < k->min || len > k->max)
		return fault_of(f, LDP_MALFORMED_TLV);
	/* RFC 5561 section 3: a capability stands once in a message */
	if (k->have & LDP_HAVE_CAPS & m->have) {
		f->tlv = cursor_make(start, TLV_HEAD + len);
		return fault_of(f, LDP_MALFORMED_TLV);
	}
	status = k->read ? k->read(v, m) : LDP_SUCCESS;
	if (status)
		return fault_of(f, status);
	m->have |= k->have;
	if (k->have & LDP_HAVE_CAPS && *v.at & 0x80)
		m->caps_on |= k->have;
	return LDP_OK;
}

/* what can only be said when all its TLVs are known */
static uint32_t msg_check(const struct ldp_msg *m)
{
	struct cursor fec = m->fec;
	struct ldp_fec_elem e;

	if (m->type != LDP_MSG_MAPPING && m->type != LDP_MSG_REQUEST)
		return LDP_SUCCESS;
	while (ldp_fec_next(&fec, &e)) {
		/* RFC 5036 section 3.4.1, RFC 5918 section 4 */
		if (e.wildcard && (m->type == LDP_MSG_MAPPING || !e.typed))
			return LDP_UNKNOWN_FEC;
		if (m->type == LDP_MSG_MAPPING && !ldp_label_valid(m->label, e.prefix.addr.family))
			return LDP_MALFORMED_TLV;
	}
	return LDP_SUCCESS;
}

enum ldp_parse ldp_msg_read(struct cursor *body, struct ldp_msg *m, struct ldp_fault *fault)
{
	const uint8_t *start = body->at;
	const struct msg_kind *kind;
	uint16_t type, len;
	struct cursor c;
	uint32_t status;

	memset(m, 0, sizeof(*m));
	memset(fault, 0, sizeof(*fault));
	m->label = LDP_LABEL_NONE;
	if (!cursor_left(body))
		return LDP_MORE;
	if (!cursor_u16(body, &type) || !cursor_u16(body, &len))
		return fault_of(fault, LDP_BAD_MESSAGE_LENGTH);
	m->type = fault->msg_type = type & ~U_BIT;
	m->unknown_bit = type & U_BIT;
	if (len < 4 || !cursor_sub(body, len, &c))
		return fault_of(fault, LDP_BAD_MESSAGE_LENGTH);
	m->all = cursor_make(start, MSG_HEAD + len);
	cursor_u32(&c, &m->id);
	fault->msg_id = m->id;
	fault->msg_type = type;
	kind = msg_kind(m->type);
	if (!kind)
		return m->unknown_bit ? LDP_IGNORE : fault_of(fault, LDP_UNKNOWN_MESSAGE);
	while (cursor_left(&c))
		if (tlv_read(&c, kind, m, fault) != LDP_OK)
			return LDP_FAULT;
	if (kind->must & ~m->have)
		return fault_of(fault, LDP_MISSING_PARAMETERS);
	status = msg_check(m);
	return status ? fault_of(fault, status) : LDP_OK;
}

bool ldp_fec_next(struct cursor *fec, struct ldp_fec_elem *e)
{
	return cursor_left(fec) && elem_read(fec, e) == LDP_SUCCESS;
}

bool ldp_address_next(struct cursor *addresses, uint8_t family, struct ip_addr *a)
{
	const uint8_t *p = cursor_take(addresses, addr_octets(family));

	if (!p)
		return false;
	*a = addr_make(family, p);
	return true;
}

bool ldp_label_valid(uint32_t label, uint8_t family)
{
	if (label == LDP_LABEL_NULL4)
		return family == AF_INET;
	if (label == LDP_LABEL_NULL6)
		return family == AF_INET6;
	return label == LDP_LABEL_IMPLICIT || (label >= 16 && label <= 0xfffff);
}

/* ---- writing ---- */

static void put_id(struct buf *b, const struct ldp_id *id)
{
	buf_bytes(b, id->lsr, 4);
	buf_u16(b, id->space);
}

void ldp_pdu_begin(struct ldp_writer *w, struct buf *b, const struct ldp_id *id)
{
	w->b = b;
	w->pdu = b->len;
	buf_u16(b, LDP_VERSION);
	buf_u16(b, 0);
	put_id(b, id);
}

void ldp_pdu_end(struct ldp_writer *w)
{
	buf_patch_u16(w->b, w->pdu + 2, w->b->len - w->pdu - LDP_PDU_HEAD);
}

void ldp_msg_begin(struct ldp_writer *w, uint16_t type, uint32_t id)
{
	w->msg = w->b->len;
	buf_u16(w->b, type);
	buf_u16(w->b, 0);
	buf_u32(w->b, id);
}

void ldp_msg_end(struct ldp_writer *w)
{
	buf_patch_u16(w->b, w->msg + 2, w->b->len - w->msg - MSG_HEAD);
}

static void put_tlv(struct ldp_writer *w, uint16_t type, uint16_t len)
{
	buf_u16(w->b, type);
	buf_u16(w->b, len);
}

void ldp_put_hello(struct ldp_writer *w, const struct ldp_hello *h)
{
	put_tlv(w, TLV_HELLO, 4);
	buf_u16(w->b, h->hold);
	buf_u16(w->b, h->flags);
	put_tlv(w, h->transport.family == AF_INET6 ? TLV_TRANSPORT6 : TLV_TRANSPORT4,
		addr_octets(h->transport.family));
	buf_bytes(w->b, h->transport.b, addr_octets(h->transport.family));
	put_tlv(w, TLV_CONFIG_SEQ, 4);
	buf_u32(w->b, h->config_seq);
	if (h->transport_preference) {
		put_tlv(w, U_BIT | TLV_DUAL_STACK, 4);
		buf_u32(w->b, (uint32_t)h->transport_preference << 28);
	}
}

static void put_cap(struct ldp_writer *w, uint16_t type)
{
	put_tlv(w, U_BIT | type, 1);
	buf_u8(w->b, 0x80);
}

void ldp_put_init(struct ldp_writer *w, const struct ldp_init *i)
{
	put_tlv(w, TLV_SESSION, 14);
	buf_u16(w->b, i->params.version);
	buf_u16(w->b, i->params.keepalive);
	buf_u8(w->b, 0);	/* downstream unsolicited, no loop detection */
	buf_u8(w->b, 0);
	buf_u16(w->b, i->params.max_pdu);
	put_id(w->b, &i->params.receiver);
	if (i->graceful) {
		put_tlv(w, U_BIT | TLV_FT_SESSION, 12);
		buf_u16(w->b, LDP_FT_LEARN);
		buf_u16(w->b, 0);
		buf_u32(w->b, i->reconnect_ms);
		buf_u32(w->b, i->recovery_ms);
	}
	put_cap(w, TLV_CAP_DYNAMIC);
	put_cap(w, TLV_CAP_TYPED);
	put_cap(w, TLV_CAP_UNREC);
}

static uint16_t afi_of(uint8_t family)
{
	return family == AF_INET6 ? AFI_IPV6 : AFI_IPV4;
}

void ldp_put_fec(struct ldp_writer *w, const struct ldp_fec_elem *e)
{
	unsigned int octets = (e->prefix.len + 7) / 8;

	if (e->typed) {
		put_tlv(w, TLV_FEC, 5);
		buf_u8(w->b, FEC_TYPED);
		buf_u8(w->b, FEC_PREFIX);
		buf_u8(w->b, 2);
		buf_u16(w->b, afi_of(e->prefix.addr.family));
		return;
	}
	if (e->wildcard) {
		put_tlv(w, TLV_FEC, 1);
		buf_u8(w->b, FEC_WILDCARD);
		return;
	}
	put_tlv(w, TLV_FEC, 4 + octets);
	buf_u8(w->b, FEC_PREFIX);
	buf_u16(w->b, afi_of(e->prefix.addr.family));
	buf_u8(w->b, e->prefix.len);
	buf_bytes(w->b, e->prefix.addr.b, octets);
}

void ldp_put_label(struct ldp_writer *w, uint32_t label)
{
	put_tlv(w, TLV_LABEL, 4);
	buf_u32(w->b, label);
}

void ldp_put_request_id(struct ldp_writer *w, uint32_t id)
{
	put_tlv(w, TLV_REQUEST_ID, 4);
	buf_u32(w->b, id);
}

void ldp_put_addresses(struct ldp_writer *w, uint8_t family, const struct ip_addr *a, unsigned int n)
{
	unsigned int i, octets = addr_octets(family);

	put_tlv(w, TLV_ADDRESSES, 2 + n * octets);
	buf_u16(w->b, afi_of(family));
	for (i = 0; i < n; i++)
		buf_bytes(w->b, a[i].b, octets);
}

void ldp_put_status(struct ldp_writer *w, const struct ldp_fault *f)
{
	size_t len = cursor_left(&f->tlv);

	put_tlv(w, TLV_STATUS, 10);
	buf_u32(w->b, f->status | (ldp_status_fatal(f->status) ? STATUS_E : 0));
	buf_u32(w->b, f->msg_id);
	buf_u16(w->b, f->msg_type);
	/* RFC 5561 section 8; what is too long for one message of ours stays away */
	if (len && len < 1024) {
		put_tlv(w, U_BIT | TLV_RETURNED_TLVS, len);
		buf_bytes(w->b, f->tlv.at, len);
	}
}
