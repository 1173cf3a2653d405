// SPDX-License-Identifier: GPL-2.0
/* rooms: lib bfd */
/* Octets of control packets (RFC 5880 section 4.1), and the state machine: every cell of its table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "bfd/packet.h"
#include "lib/mem.h"

static const struct bfd_packet whole = {
	.diag = 3, .state = BFD_UP, .poll = true, .cpi = true, .mult = 5, .my = 0x01020304, .your = 0xa0b0c0d0,
	.min_tx = 50000, .min_rx = 60000, .min_echo_rx = 7
};

static void octets(void **state)
{
	static const uint8_t want[BFD_PACKET_LEN] = {
		0x23, 0xe8, 5, 24, 1, 2, 3, 4, 0xa0, 0xb0, 0xc0, 0xd0, 0, 0, 0xc3, 0x50, 0, 0, 0xea, 0x60, 0, 0, 0, 7
	};
	uint8_t got[BFD_PACKET_LEN];
	struct bfd_packet back;

	bfd_packet_encode(&whole, got);
	assert_memory_equal(got, want, sizeof(want));
	assert_int_equal(bfd_packet_decode(cursor_make(got, sizeof(got)), &back), BFD_TAKEN);
	assert_int_equal(back.diag, 3);
	assert_int_equal(back.state, BFD_UP);
	assert_true(back.poll && back.cpi && !back.final && !back.auth && !back.demand);
	assert_int_equal(back.mult, 5);
	assert_int_equal(back.my, 0x01020304);
	assert_int_equal(back.your, 0xa0b0c0d0);
	assert_int_equal(back.min_tx, 50000);
	assert_int_equal(back.min_rx, 60000);
	assert_int_equal(back.min_echo_rx, 7);
}

/* one octet of a good packet changed, or its end cut off */
static void refused(void **state)
{
	static const struct {
		int at;			/* -1: none is changed */
		uint8_t value;
		size_t len;
		enum bfd_discard why;
	} cases[] = {
		{ -1, 0, 24, BFD_TAKEN },
		{ -1, 0, 30, BFD_TAKEN },		/* octets behind the packet are nothing to it */
		{ -1, 0, 0, BFD_SHORT },
		{ -1, 0, 3, BFD_SHORT },
		{ -1, 0, 23, BFD_SHORT },
		{ 0, 0x03, 24, BFD_BAD_VERSION },
		{ 0, 0x43, 24, BFD_BAD_VERSION },
		{ 3, 23, 24, BFD_BAD_LENGTH },
		{ 3, 25, 24, BFD_SHORT },
		{ 1, 0xc4, 24, BFD_BAD_LENGTH },	/* says that there is authentication, and has no room for it */
		{ 2, 0, 24, BFD_ZERO_MULT },
		{ 1, 0xc1, 24, BFD_MULTIPOINT },
	};
	struct bfd_packet p;
	uint8_t data[30];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(data, 0xee, sizeof(data));
		bfd_packet_encode(&whole, data);
		if (cases[i].at >= 0)
			data[cases[i].at] = cases[i].value;
		assert_int_equal(bfd_packet_decode(cursor_make(data, cases[i].len), &p), cases[i].why);
	}
	bfd_packet_encode(&whole, data);
	memset(data + 4, 0, 4);
	assert_int_equal(bfd_packet_decode(cursor_make(data, 24), &p), BFD_ZERO_MY);
	bfd_packet_encode(&whole, data);
	data[1] = 0xc4;
	data[3] = 28;
	assert_int_equal(bfd_packet_decode(cursor_make(data, 28), &p), BFD_TAKEN);
	assert_true(p.auth);
}

/* RFC 5880 section 6.8.6 for what is received, 6.8.4 for the detection time, 6.8.16 for the administrator */
static void machine(void **state)
{
	static const struct {
		enum bfd_state next;
		enum bfd_diag diag;
	} want[BFD_STATES][BFD_EVENTS] = {
#define K BFD_DIAG_KEEP
		/* received: admin down, down, init, up; expired; disabled; enabled */
		{ { BFD_ADMIN_DOWN, K }, { BFD_ADMIN_DOWN, K }, { BFD_ADMIN_DOWN, K }, { BFD_ADMIN_DOWN, K },
		  { BFD_ADMIN_DOWN, K }, { BFD_ADMIN_DOWN, K }, { BFD_DOWN, BFD_DIAG_NONE } },
		{ { BFD_DOWN, K }, { BFD_INIT, K }, { BFD_UP, BFD_DIAG_NONE }, { BFD_DOWN, K },
		  { BFD_DOWN, K }, { BFD_ADMIN_DOWN, BFD_DIAG_ADMIN }, { BFD_DOWN, K } },
		{ { BFD_DOWN, BFD_DIAG_NEIGHBOR }, { BFD_INIT, K }, { BFD_UP, BFD_DIAG_NONE },
		  { BFD_UP, BFD_DIAG_NONE }, { BFD_DOWN, BFD_DIAG_EXPIRED },
		  { BFD_ADMIN_DOWN, BFD_DIAG_ADMIN }, { BFD_INIT, K } },
		{ { BFD_DOWN, BFD_DIAG_NEIGHBOR }, { BFD_DOWN, BFD_DIAG_NEIGHBOR }, { BFD_UP, K }, { BFD_UP, K },
		  { BFD_DOWN, BFD_DIAG_EXPIRED }, { BFD_ADMIN_DOWN, BFD_DIAG_ADMIN }, { BFD_UP, K } },
#undef K
	};
	int s, e;

	for (s = 0; s < BFD_STATES; s++)
		for (e = 0; e < BFD_EVENTS; e++) {
			assert_int_equal(bfd_fsm_rule(s, e).next, want[s][e].next);
			assert_int_equal(bfd_fsm_rule(s, e).diag, want[s][e].diag);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(octets),
		cmocka_unit_test(refused),
		cmocka_unit_test(machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
