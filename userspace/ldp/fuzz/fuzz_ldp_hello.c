// SPDX-License-Identifier: GPL-2.0
/* rooms: lib ldp */
/*
 * Messages of any kind: what is read is whole (its lists can be walked to their ends), what is refused has a status
 * code, and a Hello that was read can be written and reads back as the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ldp/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const struct ldp_msg *m)
{
	struct cursor c = m->fec;
	struct ldp_fec_elem e;
	struct ip_addr a;

	while (cursor_left(&c))
		if (!ldp_fec_next(&c, &e))
			abort();
	c = m->addresses;
	while (cursor_left(&c))
		if (!ldp_address_next(&c, m->address_family, &a))
			abort();
}

static void again(const struct ldp_msg *m)
{
	struct ldp_hello h = { .hold = m->hello_hold, .flags = m->hello_flags, .transport = m->transport4,
			       .config_seq = m->config_seq };
	struct ldp_id id = { { 1, 2, 3, 4 }, 0 };
	struct ldp_fault f;
	struct ldp_writer w;
	struct ldp_msg back;
	struct ldp_pdu pdu;
	struct buf b;

	buf_init(&b);
	ldp_pdu_begin(&w, &b, &id);
	ldp_msg_begin(&w, LDP_MSG_HELLO, m->id);
	ldp_put_hello(&w, &h);
	ldp_msg_end(&w);
	ldp_pdu_end(&w);
	if (ldp_pdu_read(b.data, b.len, LDP_PDU_DEFAULT, &pdu, &f) != LDP_OK ||
	    ldp_msg_read(&pdu.body, &back, &f) != LDP_OK)
		abort();
	if (back.hello_hold != m->hello_hold || back.hello_flags != m->hello_flags ||
	    !addr_eq(&back.transport4, &m->transport4))
		abort();
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ldp_fault f;
	struct ldp_pdu pdu;
	struct ldp_msg m;
	enum ldp_parse r;

	r = ldp_pdu_read(data, size, LDP_PDU_DEFAULT, &pdu, &f);
	if (r == LDP_FAULT && !f.status)
		abort();
	if (r != LDP_OK)
		return 0;
	for (;;) {
		r = ldp_msg_read(&pdu.body, &m, &f);
		if (r == LDP_MORE)
			return 0;
		if (r == LDP_FAULT && !f.status)
			abort();
		if (r == LDP_FAULT && ldp_status_fatal(f.status))
			return 0;
		if (r != LDP_OK)
			continue;
		walk(&m);
		if (m.type == LDP_MSG_HELLO && addr_is_set(&m.transport4))
			again(&m);
	}
}
