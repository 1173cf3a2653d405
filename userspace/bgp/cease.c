// SPDX-License-Identifier: GPL-2.0
/*
 * Cease: contracts in cease.h.
 */
#include "bgp/cease.h"

#include <string.h>

/*
 * One character (RFC 3629) at @p: its octets, or 0 when it is none, or one that could make an operator's terminal or
 * log show something else than what is there: control characters and marks of direction.
 */
static size_t character(const uint8_t *p, size_t len)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	size_t more = *p >= 0xf0 ? 3 : *p >= 0xe0 ? 2 : *p >= 0xc0 ? 1 : 0;
	uint32_t c = more ? *p & (0x3fu >> more) : *p;

	if (more >= len || (*p >= 0x80 && *p < 0xc0) || *p > 0xf4)
		return 0;
	for (size_t i = 1; i <= more; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	if (c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200e && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069))
		return 0;
	return more + 1;
}

void bgp_cease_reason(struct bgp_cease *c, const char *text)
{
	size_t len = text ? strlen(text) : 0, fits = 0, n;

	for (size_t at = 0; at < len; at += n) {
		n = character((const uint8_t *)text + at, len - at);
		n = n ? n : 1;
		if (at + n > BGP_REASON_MAX)
			break;
		fits = at + n;
	}
	c->len = 0;
	if (!fits)
		return;
	c->data[0] = (uint8_t)fits;
	memcpy(c->data + 1, text, fits);
	c->len = (uint16_t)(fits + 1);
}

/* RFC 8538 5.1; BFD's loss of a peer is one of its forwarding (RFC 9384) */
static bool for_good(const struct bgp_cease *c)
{
	switch (c->subcode) {
	case BGP_CEASE_MAX_PREFIX:
	case BGP_CEASE_SHUTDOWN:
	case BGP_CEASE_DECONFIGURED:
	case BGP_CEASE_BFD_DOWN:
		return true;
	case BGP_CEASE_RESET:
		return !c->graceful;
	default:
		return false;
	}
}

void bgp_cease_notification(struct bgp_notification *n, const struct bgp_cease *c, bool notify)
{
	uint8_t inside[2 + sizeof(c->data)] = { BGP_ERR_CEASE, c->subcode };

	if (!notify || !for_good(c)) {
		bgp_notification_set(n, BGP_ERR_CEASE, c->subcode, c->data, c->len);
		return;
	}
	memcpy(inside + 2, c->data, c->len);
	bgp_notification_set(n, BGP_ERR_CEASE, BGP_CEASE_HARD_RESET, inside, 2u + c->len);
}

bool bgp_notification_hard(const struct bgp_notification *n)
{
	return n->code == BGP_ERR_CEASE && n->subcode == BGP_CEASE_HARD_RESET;
}

static size_t put_octets(char *out, size_t size, size_t at, const void *text, size_t len)
{
	if (at + len >= size)
		return at;
	memcpy(out + at, text, len);
	out[at + len] = '\0';
	return at + len;
}

static size_t put(char *out, size_t size, size_t at, const char *text)
{
	return put_octets(out, size, at, text, strlen(text));
}

/* The words of a shutdown or reset, quoted (RFC 9003 section 2). */
static void put_reason(char *out, size_t size, size_t at, const uint8_t *data, size_t len)
{
	size_t n;

	if (!len)
		return;
	if (data[0] > len - 1) {
		put(out, size, at, " (its reason is malformed)");
		return;
	}
	if (!data[0])
		return;
	len = (size_t)data[0] + 1;
	at = put(out, size, at, ": \"");
	for (size_t i = 1; i < len; i += n ? n : 1) {
		n = character(data + i, len - i);
		/* room for the quote behind it */
		at = n ? put_octets(out, size - 1, at, data + i, n) : put(out, size - 1, at, "?");
	}
	put(out, size, at, "\"");
}

void bgp_notification_describe(const struct bgp_notification *n, char *out, size_t size)
{
	uint8_t code = n->code, subcode = n->subcode;
	const uint8_t *data = n->data;
	size_t len = n->len, at;

	out[0] = '\0';
	at = put(out, size, 0, bgp_notification_name(code, subcode));
	if (bgp_notification_hard(n) && len >= 2) {
		code = data[0];
		subcode = data[1];
		data += 2;
		len -= 2;
		at = put(out, size, at, ", ");
		at = put(out, size, at, bgp_notification_name(code, subcode));
	}
	if (code == BGP_ERR_CEASE && (subcode == BGP_CEASE_SHUTDOWN || subcode == BGP_CEASE_RESET))
		put_reason(out, size, at, data, len);
}
