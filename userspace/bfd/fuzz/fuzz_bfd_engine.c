// SPDX-License-Identifier: GPL-2.0
/* rooms: lib bfd */
/*
 * Two sessions (one neighbour, one over many hops) that get any packets at any time. An input is steps of
 * {milliseconds to wait, source, TTL, length, octets}. Whatever comes: the engine never says when to come back before
 * now, does not send without end, and a session is up only with a neighbour that has a discriminator and is timed.
 */
#include <stdlib.h>
#include <string.h>

#include "bfd/engine.h"
#include "lib/mem.h"

#define SENT_MAX 16		/* packets in one step: periodic ones of both sessions, a change of state, an answer */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned int sent;
static uint32_t last_random;

static bool on_send(void *arg, struct bfd_session *s, const uint8_t packet[BFD_PACKET_LEN])
{
	struct bfd_packet p;

	if (bfd_packet_decode(cursor_make(packet, BFD_PACKET_LEN), &p) != BFD_TAKEN || p.my != s->discr)
		abort();
	if (p.poll && p.final)
		abort();
	if (++sent > SENT_MAX)
		abort();
	return true;
}

static void on_changed(void *arg, struct bfd_session *s, enum bfd_state was)
{
	bool alive = s->liveness == LIVENESS_UP, up = s->state == BFD_UP;

	if (alive != up)
		abort();
}

static void on_session(void *arg, struct bfd_session *s)
{
}

/* the discriminators are 1 and 2, so that inputs can name them */
static uint32_t on_random(void *arg)
{
	return ++last_random;
}

static struct ip_addr address(uint8_t last)
{
	const uint8_t octets[4] = { 10, 0, 0, last };

	return addr_make(AF_INET, octets);
}

static void check(const struct bfd_engine *e, uint64_t now)
{
	const struct bfd_session *s;

	if (bfd_engine_due(e) <= now)
		abort();
	list_for_each(s, &e->sessions, struct bfd_session, node)
		if (s->state == BFD_UP && (!s->remote_discr || !bfd_timer_running(&s->detect)))
			abort();
}

static void step(struct bfd_engine *e, struct cursor *c, uint64_t *now)
{
	uint8_t wait, source, ttl, len;
	struct bfd_rx rx = { 0 };
	const uint8_t *octets;

	if (!cursor_u8(c, &wait) || !cursor_u8(c, &source) || !cursor_u8(c, &ttl) || !cursor_u8(c, &len))
		return;
	if (len > cursor_left(c))
		len = (uint8_t)cursor_left(c);
	octets = cursor_take(c, len);
	*now += wait * 1000;
	sent = 0;
	bfd_engine_run(e, *now);
	rx.from = address(2 + source % 3);
	rx.to = address(1);
	rx.multihop = source % 3 == 1;
	rx.ttl = ttl;
	if (octets)
		bfd_engine_receive(e, &rx, octets, len, *now);
	bfd_engine_run(e, *now);
	check(e, *now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bfd_ops ops = { .send = on_send, .changed = on_changed, .opened = on_session,
				     .closing = on_session, .random = on_random };
	const struct liveness_params params = { .interval_us = 50000, .multiplier = 3 };
	struct cursor c = cursor_make(data, size);
	struct liveness_key key;
	struct bfd_engine e;
	uint64_t now = 1000000;
	int i;

	last_random = 0;
	sent = 0;
	bfd_engine_init(&e, &ops);
	for (i = 0; i < 2; i++) {
		memset(&key, 0, sizeof(key));
		key.peer = address(2 + i);
		key.multihop = i;
		bfd_engine_want(&e, &key, &params, now);
	}
	while (cursor_left(&c) >= 4)
		step(&e, &c, &now);
	bfd_engine_fini(&e);
	return 0;
}
