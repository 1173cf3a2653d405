// SPDX-License-Identifier: GPL-2.0
/* rooms: lib conf rib labels ldp */
/* How each fault of a neighbour is answered (RFC 5036 section 3.5.1.2 and those after it), and the machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ldp/tests/hand.h"

/* ---- faults ---- */

static void bad_identifier(void **unused)
{
	struct ldp_id other = { .lsr = { 9, 9, 9, 9 } };

	open_session();
	buf_init(&out);
	ldp_pdu_begin(&w, &out, &other);
	ldp_msg_begin(&w, LDP_MSG_KEEPALIVE, 1);
	send_it();
	told(LDP_BAD_LDP_ID, true);
}

static void bad_version(void **unused)
{
	open_session();
	begin(LDP_MSG_KEEPALIVE);
	finish_pdu();
	out.data[1] = 2;
	deliver();
	told(LDP_BAD_VERSION, true);
}

static void bad_pdu_length(void **unused)
{
	open_session();
	begin(LDP_MSG_KEEPALIVE);
	finish_pdu();
	buf_patch_u16(&out, 2, 13);
	deliver();
	told(LDP_BAD_PDU_LENGTH, true);
	open_session();
	begin(LDP_MSG_KEEPALIVE);
	finish_pdu();
	buf_patch_u16(&out, 2, 4097);
	deliver();
	told(LDP_BAD_PDU_LENGTH, true);
}

static void unknown_message(void **unused)
{
	open_session();
	begin(0x0555);
	send_it();
	told(LDP_UNKNOWN_MESSAGE, false);
	begin(0x8555);
	send_it();
	assert_int_equal(conn.out.len, 0);
	assert_false(conn.closed);
}

static void bad_message_length(void **unused)
{
	open_session();
	begin(LDP_MSG_KEEPALIVE);
	finish_pdu();
	buf_patch_u16(&out, 12, 5);
	deliver();
	told(LDP_BAD_MESSAGE_LENGTH, true);
	open_session();
	begin(LDP_MSG_KEEPALIVE);
	finish_pdu();
	buf_patch_u16(&out, 12, 3);
	deliver();
	told(LDP_BAD_MESSAGE_LENGTH, true);
}

static void unknown_tlv(void **unused)
{
	struct ldp_msg m;

	open_session();
	begin(LDP_MSG_KEEPALIVE);
	raw_tlv(0x0999, "abcd", 4);
	send_it();
	assert_true(was_sent(LDP_MSG_NOTIFICATION, NULL, &m));
	/* RFC 5561 section 8: it comes back */
	assert_true(m.have & LDP_HAVE_RETURNED);
	assert_int_equal(m.status_msg_id, 77);
	assert_int_equal(m.status_msg_type, LDP_MSG_KEEPALIVE);
	told(LDP_UNKNOWN_TLV, false);
	begin(LDP_MSG_KEEPALIVE);
	raw_tlv(0x8999, "abcd", 4);
	send_it();
	assert_int_equal(conn.out.len, 0);
}

static void bad_tlv_length(void **unused)
{
	open_session();
	begin(LDP_MSG_KEEPALIVE);
	buf_u16(&out, 0x8999);
	buf_u16(&out, 5);
	buf_u32(&out, 0);
	send_it();
	told(LDP_BAD_TLV_LENGTH, true);
}

static void malformed_tlv(void **unused)
{
	static const struct { uint8_t len, tlv[12]; } bad[] = {
		{ 4, { 2, 0, 1, 33 } },			/* prefix longer than an address */
		{ 5, { 2, 0, 1, 16, 10 } },		/* not all of it */
		{ 3, { 2, 0, 1 } },
		{ 5, { 1, 2, 0, 1, 0 } },		/* wildcard and something else */
	};
	struct ldp_fec_elem e = { .prefix = P("5.5.5.5/32") };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		open_session();
		begin(LDP_MSG_WITHDRAW);
		raw_tlv(0x0100, bad[i].tlv, bad[i].len);
		send_it();
		told(LDP_MALFORMED_TLV, true);
	}
	/* labels that nobody may advertise */
	for (i = 0; i < 16; i++) {
		if (i == LDP_LABEL_NULL4 || i == LDP_LABEL_IMPLICIT)
			continue;
		open_session();
		begin(LDP_MSG_MAPPING);
		ldp_put_fec(&w, &e);
		ldp_put_label(&w, i);
		send_it();
		told(LDP_MALFORMED_TLV, true);
	}
	open_session();
	begin(LDP_MSG_MAPPING);
	ldp_put_fec(&w, &e);
	ldp_put_label(&w, 1u << 20);
	send_it();
	told(LDP_MALFORMED_TLV, true);
}

static void missing_parameters(void **unused)
{
	struct ldp_fec_elem e = { .prefix = P("5.5.5.5/32") };

	open_session();
	begin(LDP_MSG_MAPPING);
	ldp_put_fec(&w, &e);
	send_it();
	told(LDP_MISSING_PARAMETERS, false);
	begin(LDP_MSG_ADDRESS);
	send_it();
	told(LDP_MISSING_PARAMETERS, false);
}

static void unknown_fec(void **unused)
{
	open_session();
	begin(LDP_MSG_MAPPING);
	raw_tlv(0x0100, "\x80\x00\x01\x08\x0a", 5);	/* a pseudowire */
	ldp_put_label(&w, 100);
	send_it();
	told(LDP_UNKNOWN_FEC, false);
	/* RFC 5036 section 3.4.1: a wildcard is for withdrawals and releases */
	begin(LDP_MSG_MAPPING);
	raw_tlv(0x0100, "\x01", 1);
	ldp_put_label(&w, 100);
	send_it();
	told(LDP_UNKNOWN_FEC, false);
	/* RFC 5918 section 4: a type that has no typed wildcard */
	begin(LDP_MSG_WITHDRAW);
	raw_tlv(0x0100, "\x05\x01\x00", 3);
	send_it();
	told(LDP_UNKNOWN_FEC, false);
}

static void unsupported_family(void **unused)
{
	open_session();
	begin(LDP_MSG_MAPPING);
	raw_tlv(0x0100, "\x02\x00\x03\x00", 4);
	ldp_put_label(&w, 100);
	send_it();
	told(LDP_UNSUPPORTED_FAMILY, false);
	begin(LDP_MSG_ADDRESS);
	raw_tlv(0x0101, "\x00\x10", 2);
	send_it();
	told(LDP_UNSUPPORTED_FAMILY, false);
}

static void no_hello(void **unused)
{
	accepted();
	send_init(init_of());
	told(LDP_NO_HELLO, true);
	/* it means another router than we are */
	hello(0);
	accepted();
	send_init((struct ldp_init){ .params = { .version = 1, .keepalive = 30, .receiver = them } });
	told(LDP_NO_HELLO, true);
}

static void refused_parameters(void **unused)
{
	struct ldp_init i = init_of();

	hello(0);
	accepted();
	i.params.keepalive = 0;
	send_init(i);
	told(LDP_REJECTED_KEEPALIVE, true);
	accepted();
	i = init_of();
	i.params.version = 2;
	send_init(i);
	told(LDP_BAD_VERSION, true);
	accepted();
	i = init_of();
	begin(LDP_MSG_INIT);
	ldp_put_init(&w, &i);
	raw_tlv(0x0501, "\0\0\0\0", 4);		/* ATM */
	send_it();
	told(LDP_REJECTED_LABEL_RANGE, true);
}

static void unsupported_capability(void **unused)
{
	struct ldp_init i = init_of();

	hello(0);
	accepted();
	begin(LDP_MSG_INIT);
	ldp_put_init(&w, &i);
	raw_tlv(0x0777, "\x80", 1);
	send_it();
	/* RFC 5561 section 6: said, and then the session does not come up */
	assert_true(conn.closed);
	told(LDP_SHUTDOWN, true);
	accepted();
	begin(LDP_MSG_INIT);
	ldp_put_init(&w, &i);
	raw_tlv(0x8777, "\x80", 1);
	send_it();
	assert_false(conn.closed);
	send_keepalive();
	assert_int_equal(conn.session->state, LDP_OPERATIONAL);
	/* in a Capability message it does no harm */
	begin(LDP_MSG_CAPABILITY);
	raw_tlv(0x0777, "\x80", 1);
	send_it();
	told(LDP_UNSUPPORTED_CAPABILITY, false);
}

static void capability_twice(void **unused)
{
	struct ldp_init i = init_of();

	hello(0);
	accepted();
	begin(LDP_MSG_INIT);
	ldp_put_init(&w, &i);
	raw_tlv(0x8506, "\x80", 1);
	send_it();
	told(LDP_MALFORMED_TLV, true);
}

static void keepalive_expires(void **unused)
{
	open_session();
	hello(0);
	timers_advance(env.jobs, 12000);
	hello(0);
	timers_advance(env.jobs, 12000);
	hello(0);
	assert_false(conn.closed);
	timers_advance(env.jobs, 7000);
	told(LDP_KEEPALIVE_EXPIRED, true);
}

static void hold_expires(void **unused)
{
	open_session();
	timers_advance(env.jobs, 14000);
	assert_false(conn.closed);
	timers_advance(env.jobs, 2000);
	told(LDP_HOLD_EXPIRED, true);
}

static void machine_refuses(void **unused)
{
	/* before an Initialization nothing else may come; not even what may be ignored later */
	hello(0);
	accepted();
	send_keepalive();
	told(LDP_SHUTDOWN, true);
	accepted();
	send_init(init_of());
	begin(0x8555);
	send_it();
	told(LDP_SHUTDOWN, true);
	accepted();
	send_init(init_of());
	send_init(init_of());
	told(LDP_SHUTDOWN, true);
	accepted();
	timers_advance(env.jobs, 10000);
	hello(0);
	timers_advance(env.jobs, 6000);
	told(LDP_KEEPALIVE_EXPIRED, true);
}

static void shutdown_is_answered(void **unused)
{
	struct ldp_fault f = { .status = LDP_SHUTDOWN };

	open_session();
	begin(LDP_MSG_NOTIFICATION);
	ldp_put_status(&w, &f);
	send_it();
	told(LDP_SHUTDOWN, true);
}

/* what is in a PDU behind a message that has no serious fault is heard */
static void reading_goes_on(void **unused)
{
	struct ldp_fec_elem e = { .prefix = P("3.3.3.3/32") };
	struct prefix fec = e.prefix;

	open_session();
	begin(0x0555);
	ldp_msg_end(&w);
	ldp_msg_begin(&w, LDP_MSG_MAPPING, 2);
	ldp_put_fec(&w, &e);
	ldp_put_label(&w, 333);
	send_it();
	told(LDP_UNKNOWN_MESSAGE, false);
	assert_int_equal(fec_find(ldp, &fec)->n_way, 1);
}

/* octet by octet, and all at once, are the same */
static void streams_in_pieces(void **unused)
{
	struct ldp_fec_elem e = { .prefix = P("3.3.3.3/32") };
	struct prefix fec = e.prefix;
	size_t i;

	open_session();
	begin(LDP_MSG_MAPPING);
	ldp_put_fec(&w, &e);
	ldp_put_label(&w, 333);
	finish_pdu();
	for (i = 0; i < out.len; i++)
		ldp_net_received(conn.session, out.data + i, 1);
	buf_free(&out);
	settle();
	assert_int_equal(fec_find(ldp, &fec)->way[0].label, 333);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(bad_identifier), T(bad_version), T(bad_pdu_length), T(unknown_message),
		T(bad_message_length), T(unknown_tlv), T(bad_tlv_length), T(malformed_tlv),
		T(missing_parameters), T(unknown_fec), T(unsupported_family), T(no_hello),
		T(refused_parameters), T(unsupported_capability), T(capability_twice),
		T(keepalive_expires), T(hold_expires), T(machine_refuses), T(shutdown_is_answered),
		T(reading_goes_on), T(streams_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
